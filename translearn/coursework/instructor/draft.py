"""A new assignment from the templates in `templates/draft`: small, and whole as it stands.

Each place to edit begins with a line `EDIT n: what to write there` and reaches to the next such
line, to a line `END`, or to the end of the file.
"""

import re
import unicodedata
from pathlib import Path

from translearn import paths
from translearn.coursework import student
from translearn.coursework.instructor.folder import assignments, write
from translearn.errors import CourseError

TEMPLATES = Path(__file__).parent / "templates" / "draft"
HERE = Path(__file__).parent
NAME = re.compile(r"A[1-9]\d{0,2}\Z")
TITLE = re.compile(r"[^\W_](?:[^\W_]|[ ,.:?!()'’–-])*\Z")
LONGEST = 50  # of a title: it stands in the first line of each file
EDIT = re.compile(r"^(?:# |<!-- )(EDIT \d+): (.*?)(?: -->)?$", re.M)


def files(assignment: str, title: str = "") -> dict:
    """{template: path} of the four files of an assignment; `title` names a new source."""
    name = assignment.lower()
    there = assignments().get(assignment)
    return {
        "source.md": there or paths.SOURCE / f"{assignment}_{slug(title)}.md",
        "student.py": Path(student.__file__).with_name(f"{name}.py"),
        "judges.py": HERE / "judges" / f"{name}.py",
        "bank.py": HERE / "banks" / f"{name}.py",
    }


def slug(title: str) -> str:
    """A title as part of a file's name: "Größe, twice" → "grosse_twice"."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    return "_".join(re.findall(r"[a-z0-9]+", plain)) or "own"


def draft(assignment: str, title: str) -> list:
    """Write the four files of a new assignment; returns their paths.

    Raises `CourseError`, before anything is written, for a name that is none or is taken, and for
    a title that cannot stand in a file.
    """
    name, title = assignment.upper(), " ".join(title.split())
    taken = assignments()
    if not NAME.match(name):
        raise CourseError(
            f"{assignment!r} is no name of an assignment. It is an A and a number, such as "
            f"{_free(taken)}."
        )
    if name in taken:
        raise CourseError(
            f"There is an {name} already, {taken[name].name}; nothing was changed. The next free "
            f"name is {_free(taken)}."
        )
    if not TITLE.match(title) or len(title) > LONGEST:
        raise CourseError(
            f"{title!r} cannot be the title. It begins with a letter or a digit, has {LONGEST} "
            f"characters at most, and of signs only spaces and , . : ? ! ( ) ' -"
        )
    made = files(name, title)
    if there := [path for path in made.values() if path.exists()]:
        raise CourseError(
            f"{_below(there[0])} is there already, of an {name} whose other files are gone; "
            f"nothing was changed. Move it away, or take {_free(taken)}."
        )
    for template, path in made.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        text = re.sub(r"\bA0\b", name, text).replace("TITLE", title)
        write(path, re.sub(r"\ba0\b", name.lower(), text))
    return list(made.values())


def left(assignment: str) -> list:
    """What is still the draft's: "file:line  EDIT n: what to write there" of each mark."""
    found = []
    for path in files(assignment).values():
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for mark in EDIT.finditer(text):
            line = text.count("\n", 0, mark.start()) + 1
            found.append(f"{_below(path)}:{line}  {mark[1]}: {mark[2]}")
    return found


def _free(taken):
    return f"A{1 + max((int(name[1:]) for name in taken if NAME.match(name)), default=0)}"


def _below(path):
    return path.relative_to(paths.ROOT).as_posix()
