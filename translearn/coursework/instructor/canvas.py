"""Marks into the gradebook that Canvas exported, for Canvas's own import.

Its columns (https://community.canvaslms.com, "How do I import grades in the Gradebook?"; the names
are Canvas's in every language): `Student` or `LastName, FirstName`; `ID`, Canvas's number of the
user; `SIS User ID, SIS Login ID, Integration ID, Root Account` where there are some; `Section`;
columns of the school's own; then one for each assignment, its title and Canvas's number of it:
`A1 (123456)`; then sums, which are read only. Above the students stand a line on hidden
assignments, if there are some, and one with `Points Possible`. `EX` is somebody excused, `N/A`
somebody who has not got the assignment. An empty cell would take a mark away, so where there is no
mark the cell stays as it is.
"""

import re
from pathlib import Path

from translearn.coursework.instructor import lms, sheets
from translearn.coursework.instructor.folder import Course
from translearn.errors import CourseError

NAME = "canvas_import.csv"
IDS = {"ID": ("lms_id",), "SIS User ID": ("id",), "SIS Login ID": ("id", "email")}


def fill(course: Course, exported, assignments, scale: bool = False) -> lms.Filled:
    """Write `canvas_import.csv` with the marks of `assignments`.

    Raises `CourseError` when the file is not a gradebook of Canvas, or does not have them.
    """
    sheet = sheets.read(Path(exported))
    head = [name.strip() for name in sheet.rows[0]] if sheet.rows else []
    if "ID" not in head or "Section" not in head or not {"Student", "LastName"} & set(head):
        raise CourseError(
            f"{sheet.path.name} is no gradebook of Canvas: its first line has no Student, ID and "
            f"Section. In Canvas: Grades, Export, Export Entire Gradebook."
        )
    titles = {
        at: match["title"]
        for at, name in enumerate(head)
        if at > head.index("Section") and (match := re.fullmatch(r"(?P<title>.*) \(\d+\)", name))
    }
    done = lms.Filled(course.root / NAME)
    owners = lms.Owners(course.students())
    known = [(at, kinds) for name, kinds in IDS.items() for at in _at(head, name)]

    def identify(row):
        said = [(kind, row[at]) for at, kinds in known if at < len(row) for kind in kinds]
        return owners.of(said)

    students = [at for at, row in enumerate(sheet.rows) if at and _is_student(row)]
    rows = lms.rows(sheet, students, identify, _name(head), done)
    most = next((row for row in sheet.rows[1:] if row and "Points Possible" in row[0]), [])
    for assignment in assignments:
        at = lms.one(assignment, titles, sheet.path.name)
        if at is None:
            raise CourseError(
                f"{sheet.path.name} has no column for {assignment}, such as '{assignment} "
                f"(123456)'. Make the assignment in Canvas first (its name has {assignment} in "
                f"it), publish it, and export again."
            )
        marks = lms.marks(course, assignment)
        whole = most[at] if at < len(most) else ""
        by, note = lms.times(assignment, marks[0]["of"], whole, "Canvas", scale)
        done.notes += [note] if note else []
        lms.fill(sheet, at, rows, marks, by, done, "EX", lambda row, at=at: _locked(row[at]))
    lms.save(course, sheet, NAME)
    return done


def _name(head):
    """A function: what a row calls its student."""
    count = 2 if head[0] == "LastName" else 1
    return lambda row: ", ".join(cell.strip() for cell in row[:count])


def _at(head, name):
    return [at for at, each in enumerate(head) if each == name]


def _is_student(row):
    """Canvas has two lines of its own, and a student for trying things out."""
    cells = [cell.strip() for cell in row]
    own = all(re.fullmatch(r"(Muted|Manual Posting.*)?", cell, re.I) for cell in cells)
    tries = cells[0] == "Student, Test" or cells[:2] == ["Student", "Test"]
    return not own and not tries and "Points Possible" not in cells[0]


def _locked(cell):
    return {"EX": "Canvas has them excused", "N/A": "in Canvas it is not assigned to them"}.get(
        cell.strip().upper(), ""
    )
