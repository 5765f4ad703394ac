"""The graders: how a class is laid out for each, what starts it, and where its marks are."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from translearn import paths
from translearn.bench.grading import fence, hidden, otter_environment
from translearn.coursework.instructor import bank, folder
from translearn.errors import CourseError

HERE = Path(__file__).parent
SECRET = "0" * 64  # of the benchmark's classes: from it every grader draws the same inputs


@dataclass(frozen=True)
class Ours:
    """`course.py coursework grade`: sandboxes of its own, so it needs no walls around it."""

    cold: bool = False
    fenced = False

    @property
    def name(self):
        return "ours, cold" if self.cold else "ours"

    def prepare(self, root: Path, assignment: str) -> None:
        from translearn.coursework.instructor.release import release

        course = folder.new(root, "Bench")
        folder.write(root / "secret.key", SECRET + "\n", mode=0o600)
        release(course, assignment)

    def commands(self, root, assignment, students, jobs, cell) -> list:
        """Command lines that run side by side. `students`: only these; `cell`: its seconds."""
        words = [sys.executable, "-P", "-m", "translearn.bench.grading.drive_ours", str(root)]
        how = "cold" if self.cold else "warm"
        return [[*words, assignment, str(jobs), str(cell), how, *students]]

    def marks(self, root, assignment, student) -> dict | None:
        """{question: points or None}, or None where it gave no marks at all."""
        result = folder.read_json(root / "autograded" / student / assignment / "result.json")
        if result is None or not result["questions"]:
            return None
        return {
            name: None if any(v["got"] is None for v in said) else sum(v["got"] for v in said)
            for name, said in result["questions"].items()
        }


class Nbgrader:
    """nbgrader's own `autograde`, on one gradebook. It has no option for several at a time: so
    many processes start as there are jobs, each with its share of the students.
    """

    name, fenced = "nbgrader", True

    def prepare(self, root, assignment):
        source = root / "source" / assignment / f"{assignment}.ipynb"
        source.parent.mkdir(parents=True)
        book = hidden.for_nbgrader(assignment, SECRET, bank.books(assignment)[1])
        source.write_text(json.dumps(book), encoding="utf-8")
        (root / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            "c.CourseDirectory.course_id = 'bench'\n"
            "c.OverwriteCells.add_missing_cells = True\n",  # so that a deleted test costs nothing
            encoding="utf-8",
        )
        run(
            root, beside(sys.executable, "nbgrader"), "generate_assignment", assignment, "--create"
        )

    def commands(self, root, assignment, students, jobs, cell):
        words = [beside(sys.executable, "nbgrader"), "autograde", assignment, "--create"]
        whom = students or [f"{initial(job)}*" for job in range(jobs)]
        return [[*words, f"--Execute.timeout={cell}", f"--student={each}"] for each in whom]

    def marks(self, root, assignment, student):
        if not (root / "autograded" / student / assignment / f"{assignment}.ipynb").is_file():
            return None  # its export then says 0.0, its formgrader lists it as not graded
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
            notebook = book.find_submission_notebook(assignment, assignment, student)
            return {
                grade.name: None if grade.auto_score is None else grade.score
                for grade in notebook.grades
                if grade.cell.cell_type == "code"
            }


class Otter:
    """otter-grader without containers, by the call that its documentation gives for many:
    `otter.api.grade_submission`, in as many processes as there are jobs.
    """

    name, fenced = "otter-grader", True

    def prepare(self, root, assignment):
        tests = root / "tests"
        tests.mkdir(parents=True)
        for name, text in hidden.for_otter(assignment, SECRET).items():
            (tests / name).write_text(text, encoding="utf-8")
        (root / "otter_config.json").write_text("{}", encoding="utf-8")
        (root / "results").mkdir()
        words = ["generate", "--no-environment", "-t", "tests", "-c", "otter_config.json"]
        run(root, beside(otter_environment.python(), "otter"), *words, "-o", "autograder.zip")

    def commands(self, root, assignment, students, jobs, cell):
        words = [
            str(otter_environment.python()),
            "-P",
            str(HERE / "drive_otter.py"),
            "autograder.zip",
            "results",
        ]
        whom = [[each] for each in students] or [self._share(root, job) for job in range(jobs)]
        return [
            [*words, *(f"submitted/{each}/{assignment}/{assignment}.ipynb" for each in share)]
            for share in whom
        ]

    def _share(self, root, job):
        every = sorted(path.name for path in (root / "submitted").iterdir())
        return [name for name in every if name.startswith(initial(job))]

    def marks(self, root, assignment, student):
        found = folder.read_json(root / "results" / f"{student}.json")
        return found and found["marks"]


def every() -> list:
    """The graders in the table's order."""
    return [Ours(), Ours(cold=True), Nbgrader(), Otter()]


def initial(job: int) -> str:
    """What the names of a job's students begin with."""
    return chr(ord("a") + job)


def hand_in(root: Path, assignment: str, submissions: dict) -> None:
    """Put submissions where every grader is told to look for them: {student: the file}."""
    for student, data in submissions.items():
        path = root / "submitted" / student / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def full_command(grader, root: Path, words: list, slot: int = 0) -> list:
    """A command line of a grader, with walls around it if it has none."""
    if not grader.fenced:
        return words
    extra = [otter_environment.folder()] if isinstance(grader, Otter) else []
    return [*fence.command(root, extra, slot), *words]


def environment() -> dict:
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    return os.environ | {"PATH": path, "PYTHONPATH": str(paths.ROOT)}


def beside(python, name: str) -> str:
    """A program of an environment."""
    return str(Path(python).parent / name)


def run(root: Path, *words) -> None:
    """Run a program in `root`. Raises `CourseError` with its last words."""
    done = subprocess.run(words, cwd=root, env=environment(), capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CourseError(f"{Path(words[0]).name} could not set up its class: {last}")
