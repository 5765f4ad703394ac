"""On a JupyterHub: nbgrader's exchange, by which students fetch and submit in JupyterLab, and get
their pages back.

https://nbgrader.readthedocs.io/en/stable/configuration/jupyterhub_config.html. Collecting is our
own (collect.py): nbgrader's follows a link that a student lays to a file which only the instructor
may read.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from translearn.coursework.instructor.folder import Course
from translearn.errors import CourseError


def _nbgrader(course: Course, *words) -> str:
    """Run one of nbgrader's own commands in the folder of the class; returns what it said.

    Raises `CourseError` with its reason.
    """
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=course.root,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    said = [
        re.sub(r"^\[.*?\] *", "", line)
        for line in (done.stdout + done.stderr).splitlines()
        if line.strip()
    ]
    if done.returncode:
        wrong = [
            line
            for line in (done.stdout + done.stderr).splitlines()
            if re.search(r"ERROR|CRITICAL|Error", line)
        ]
        reason = re.sub(r"^\[.*?\] *", "", (wrong or said or ["no reason given"])[0])
        raise CourseError(
            f"nbgrader's exchange did not take it: {reason} Where the exchange is, "
            f"nbgrader_config.py says (deploy/README.md)."
        )
    return "\n".join(said)


def place(course: Course) -> Path:
    """The folder of this class in the exchange, as nbgrader's configuration says.

    Raises `CourseError` if there is none.
    """
    code = (
        "import json; from nbgrader.apps import NbGrader; app = NbGrader(); app.log_level = "
        "50; app.initialize([]); app.load_config_file();"
        "from nbgrader.coursedir import CourseDirectory as D; from nbgrader.exchange.default "
        "import Exchange as E;"
        "d = D(config=app.config); print(json.dumps([E(coursedir=d, config=app.config).root, "
        "d.course_id]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=course.root,
        capture_output=True,
        text=True,
    )
    try:
        root, name = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise CourseError(
            f"nbgrader's configuration cannot be read: "
            f"{(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        ) from None
    if not Path(root).is_dir():
        raise CourseError(
            f"There is no exchange: nbgrader's configuration says {root}, which is no folder. "
            f"deploy/README.md says how a server gets one."
        )
    return Path(root) / name


def release(course: Course, assignment: str) -> Path:
    """Lay `release/A1/` into the exchange, where students fetch it."""
    _nbgrader(course, "release_assignment", assignment, "--force")
    return place(course) / "outbound" / assignment


def inbound(course: Course) -> Path:
    """Where students' submissions lie."""
    folder = place(course) / "inbound"
    if not folder.is_dir():
        raise CourseError(
            f"Nothing was released through the exchange yet ({folder} is not there). Begin "
            f"with: course.py coursework release A1 --exchange"
        )
    return folder


def give_back(course: Course, assignment: str) -> int:
    """Put the feedback pages where each student, and nobody else, fetches theirs.

    Returns how many; those handed in another way are not among them.
    """
    pages = sorted((course.root / "feedback").glob(f"*/{assignment}/{assignment}.html"))
    without = [
        path.parts[-3] for path in pages if not path.with_name("submission_secret.txt").is_file()
    ]
    _nbgrader(
        course,
        "release_feedback",
        assignment,
        f"--CourseDirectory.student_id_exclude={','.join(without)}",
    )
    return len(pages) - len(without)
