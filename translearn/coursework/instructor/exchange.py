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
from datetime import datetime
from pathlib import Path

from translearn.coursework.instructor.folder import Course
from translearn.coursework.instructor.inbox import EXCHANGE, Found, read
from translearn.errors import CourseError

COPYING = 60  # seconds that handing in may take: within them the time of the folder's name counts


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


def handed_in(inbound: Path):
    """What students laid into the exchange, a `Found` for each.

    Any account of the machine can lay down there what it likes. So only a real folder of the
    exchange's own form is taken, which belongs to the account that it names, as does the notebook
    in it; no link is followed, nothing deeper is looked at, and all else is listed.
    """
    for name in sorted(os.listdir(inbound)):
        if form := EXCHANGE.match(name):
            yield _one(inbound / name, form)
        else:
            problem = "it is not a folder as handing in through the exchange makes one"
            yield Found(str(inbound / name), (name,), 0, problem=problem, state="not taken")


def _one(folder, form):
    """The notebook of one folder, its time, and the secret for the way back.

    The folder is the student's own and they may do with it what they like, also later. So its
    time is no earlier than the system saw the folder, or the notebook in it, change: a time that
    nobody can set.
    """
    found = Found(
        str(folder), (folder.name,), 0, student=form["id"], assignment=form["assignment"]
    )
    found.load = lambda: _read(folder, form)[0]
    try:
        _, found.when, found.secret = _read(folder, form)
    except (OSError, ValueError, OverflowError) as problem:
        why = getattr(problem, "strerror", None) or problem
        found.load, found.problem = None, f"it cannot be taken: {why}"
    return found


def _read(folder, form):
    """(The notebook's bytes, when it came, nbgrader's secret) of what one student laid down."""
    if folder.is_symlink():
        raise OSError(0, "it is a link to another place, not a folder")
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _belongs(os.fstat(handle), form["id"])
        own = f"{form['assignment']}.ipynb"
        books = [name for name in os.listdir(handle) if name.endswith(".ipynb")]
        if not books:
            raise OSError(0, "there is no notebook in it")
        data, info = read(min(books, key=lambda name: (name != own, name)), handle)
        _belongs(info, form["id"])
        changed = max(info.st_ctime, os.fstat(handle).st_ctime)
        stamp = datetime.fromisoformat(form["when"].replace(" UTC", "+00:00")).timestamp()
        secret = "submission_secret.txt"
        secret = read(secret, handle)[0][:1000] if secret in os.listdir(handle) else b""
        return data, stamp if changed - stamp < COPYING else changed, secret
    finally:
        os.close(handle)


def _belongs(info, student):
    import pwd  # there is no exchange on Windows

    try:
        owner = pwd.getpwuid(info.st_uid).pw_name
    except KeyError:
        owner = str(info.st_uid)
    if owner != student:
        raise OSError(0, f"it belongs to {owner}, not to {student}")


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
