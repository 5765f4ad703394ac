"""A class on disk: one folder, laid out as nbgrader's, so that nbgrader's own tools work in it
too.

course.toml        name, due dates, what late work costs, weights: to edit
students.csv       id, first_name, last_name, email, lms_id, and group where groups hand in
extensions.csv     id, assignment, until, reason
secret.key         the hidden inputs come from it: keep it
gradebook.db       nbgrader's books
release/A1.zip     what students get
submitted/ID/A1/   what they handed in
autograded/ID/A1/  how it ran, and result.json
feedback/ID/A1/    a page for each student
"""

import contextlib
import json
import os
import re
import secrets
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock
from pathlib import Path

from translearn import paths
from translearn.authoring import handout
from translearn.errors import CourseError

STUDENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")
COLUMNS = ["id", "first_name", "last_name", "email", "lms_id"]
EXTENSIONS = ["id", "assignment", "until", "reason"]
ALONE = ".grading.lock"  # held while a process grades

TOML = """# A class of the course Transfer Learning, Measured.
# Edit the name and the due dates; times are this machine's.
name = {name}
# groups = ["A4"]  # a group hands these in once; who is in one: column group of students.csv

[due]  # when each assignment is due; without a line, nothing is late
# A1 = 2027-03-01T23:59:00
# A2 = 2027-03-22T23:59:00

[late]  # what late work costs; who has more time stands in extensions.csv
policy = "none"  # or "percent" (each day that has begun costs), or "cut-off" (it counts 0)
# percent_a_day = 10
# of = "possible"    # percent of the points that one can get, or of those "earned"
# at_most = 50       # percent that lateness costs at most
# cut_off_days = 5   # what comes later counts 0
# grace_minutes = 15
# [late.A2]          # what is different for one assignment
# policy = "none"

# [weights]  # with these, marks also writes total.csv
# A1 = 1
# A2 = 2
# drop = 1           # how many of a student's lowest do not count
# missing = "empty"  # nothing handed in: no total; or "zero", once the due date is past
"""

NBGRADER = """# For nbgrader's own commands (its formgrader, its exchange): the layout of this
# folder. Never run `nbgrader autograde` here: it would run student code without a sandbox. Use
# course.py coursework grade.
import os

here = os.path.dirname(os.path.abspath(__file__))
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course_id}
c.CourseDirectory.db_url = "sqlite:///" + os.path.join(here, "gradebook.db")
# Its own export writes 0.0 for what is missing or not graded; this one leaves it empty.
c.ExportApp.plugin_class = "translearn.coursework.instructor.export.MarksExport"
c.HTMLExporter.sanitize_html = True  # a student's HTML never runs in the marker's browser
"""


@dataclass(frozen=True)
class Student:
    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    group: str = ""

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}".strip() or self.id


def assignments() -> dict:
    """The assignments that the course has: {"A1": path of its source}."""
    return {handout.name_of(source.stem): source for source in handout.sources()}


def known(assignment: str) -> str:
    """`assignment` in capitals, or `CourseError` with those that there are."""
    wanted = assignment.upper()
    if wanted not in assignments():
        raise CourseError(
            f"There is no assignment {assignment!r}. The assignments are: "
            f"{', '.join(assignments())}."
        )
    return wanted


class Course:
    """The folder of one class.

    Raises `CourseError` when it is not one, or its files cannot be read.
    """

    def __init__(self, root):
        self.root = Path(root).resolve()
        if not (self.root / "course.toml").is_file():
            raise CourseError(
                f"{self.root} is not the folder of a class (it has no course.toml). Make one "
                f"with: course.py coursework new FOLDER, or name yours with --course FOLDER."
            )
        closed(self.root)
        from translearn.coursework.instructor import late, totals

        try:
            settings = tomllib.loads((self.root / "course.toml").read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise CourseError(f"course.toml cannot be read ({problem}). Mend that line.") from None
        self.name = str(settings.get("name", self.root.name))
        self.due = {}
        for key, value in settings.get("due", {}).items():
            if type(value) is date:
                value = datetime.combine(value, clock(23, 59, 59))
            if not isinstance(value, datetime):
                raise CourseError(
                    f"course.toml: the due date of {key} should be a time such as "
                    f"2027-03-01T23:59:00."
                )
            self.due[known(key)] = value.astimezone()
        self.late = late.policies(settings.get("late", {}))
        self.weights = totals.weights(settings.get("weights"))
        self._read = {}  # what was made of a table, and the table's stamp
        try:
            self.key = (self.root / "secret.key").read_text(encoding="ascii").strip()
        except OSError:
            raise CourseError(
                "secret.key is missing from the folder. Put it back from your backup; with "
                "another key the hidden inputs, and so some marks, could differ."
            ) from None
        self.groups = _groups(settings.get("groups", []))
        self.gradebook = f"sqlite:///{self.root / 'gradebook.db'}"

    def students(self) -> dict:
        """Who is in the class: {id: Student}, from students.csv: with our columns, or as an LMS
        exports it (roster.py).
        """
        return dict(self._kept("students.csv", self._students))

    def extensions(self) -> dict:
        """Who has more time: {(student, assignment): late.Extension}, from extensions.csv."""
        from translearn.coursework.instructor import late

        stamp = _stamp(self.root / "students.csv")  # its ids are looked up there
        return self._kept("extensions.csv", lambda: late.extensions(self), stamp)

    def _kept(self, name, read, *more):
        """What `read` makes of a table, made anew when the table has changed."""
        stamp = (_stamp(self.root / name), *more)
        if name not in self._read or self._read[name][0] != stamp:
            self._read[name] = stamp, read()
        return self._read[name][1]

    def _students(self):
        from translearn.coursework.instructor.roster import read

        found = {}
        for line, values in read(self.root / "students.csv"):
            if not STUDENT_ID.match(values["id"]):
                raise CourseError(
                    f"students.csv, line {line}: {values['id']!r} is no id. An id has letters, "
                    f"digits, and . _ @ - only, 64 at most."
                )
            if values["id"].lower() in map(str.lower, found):
                raise CourseError(
                    f"students.csv, line {line}: the id {values['id']} stands there twice."
                )
            found[values["id"]] = Student(**values)
        return found

    # where things are

    def released(self, assignment) -> Path:
        return self.root / "release" / assignment / f"{assignment}.ipynb"

    def submitted(self, student, assignment) -> Path:
        return self.root / "submitted" / student / assignment / f"{assignment}.ipynb"

    def graded(self, student, assignment) -> Path:
        return self.root / "autograded" / student / assignment

    def feedback(self, student, assignment) -> Path:
        return self.root / "feedback" / student / assignment / f"{assignment}.html"

    def submissions(self, assignment) -> list:
        """The ids of those who handed something in, in order."""
        return sorted(
            path.parts[-3]
            for path in (self.root / "submitted").glob(f"*/{assignment}/{assignment}.ipynb")
        )

    def result(self, student, assignment) -> dict | None:
        """What grading said, or None while nothing (or nothing whole) is there."""
        return read_json(self.graded(student, assignment) / "result.json")


def _groups(named) -> frozenset:
    """The assignments that a group hands in once, from course.toml."""
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise CourseError(
            "course.toml: `groups` names the assignments that a group hands in once, such as "
            'groups = ["A4"].'
        )
    return frozenset(map(known, named))


def new(folder, name: str = "") -> Course:
    """Lay out a new class. Raises `CourseError` when there is one: nothing is overwritten."""
    root = Path(folder).resolve()
    closed(root)
    if (root / "course.toml").exists():
        raise CourseError(
            f"{root} holds a class already; nothing was changed. Choose another folder."
        )
    try:
        for each in ("release", "submitted", "autograded", "feedback", "downloads"):
            (root / each).mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)  # on a shared machine nobody else reads what students hand in
        if not (root / "secret.key").exists():
            write(root / "secret.key", secrets.token_hex(32) + "\n", mode=0o600)
        for name, columns in (("students.csv", COLUMNS), ("extensions.csv", EXTENSIONS)):
            if not (root / name).exists():
                write(root / name, ",".join(columns) + "\n")
        write(
            root / "nbgrader_config.py",
            NBGRADER.format(course_id=json.dumps(re.sub(r"\W+", "_", root.name))),
        )
        write(
            root / "course.toml", TOML.format(name=json.dumps(name or root.name))
        )  # last: with it, it is a class
    except OSError as problem:
        raise CourseError(
            f"The folder {root} cannot be made ({problem.strerror}). Choose another place."
        ) from None
    return Course(root)


def closed(root: Path) -> None:
    """Raise `CourseError` where the sandbox lets a submission read: its class's key and what
    others handed in lay open there.
    """
    from translearn.coursework.instructor import walls

    for place in map(Path, walls.readable()):
        if root.is_relative_to(place.resolve()):
            raise CourseError(
                f"A class cannot be in {root}: the submissions that are graded can read {place}, "
                f"and so the secret of the class and what others handed in. Move it elsewhere, "
                f"for instance beside course.py."
            )


@contextlib.contextmanager
def alone(course):
    """While this is held, no other process grades this class. Raises `CourseError` if one does."""
    try:
        import fcntl
    except ImportError:  # Windows, where nothing is graded but in a container
        yield
        return
    with open(course.root / ALONE, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CourseError(
                "This class is being graded already, by another process. Wait until it is done, "
                "or stop it: what it has graded stays."
            ) from None
        yield


def default_folder() -> Path:
    """The folder one stands in, if it is a class; else the folder `class` beside course.py."""
    return Path.cwd() if (Path.cwd() / "course.toml").is_file() else paths.ROOT / "class"


# ---- files that are whole or not there


def write(path: Path, text, mode: int = 0o644) -> None:
    """Write a file at once: whoever kills the process finds the old one or the new one, never half
    of one.

    What is no whole character becomes a question mark: students' texts hold whatever they like.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _stamp(path):
    """What changes when a file does; None while there is none."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns


def read_json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
