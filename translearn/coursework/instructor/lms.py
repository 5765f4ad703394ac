"""Marks into a table that an LMS exported, for its own import: canvas.py and moodle.py say which
columns are which, here they are filled.

A cell is filled where there is a mark, and else left as the LMS has it. No other cell changes, and
a row is somebody's by numbers, logins and addresses only: a full name may be two people's.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from translearn.coursework.instructor import books
from translearn.coursework.instructor.folder import Course
from translearn.coursework.instructor.sheets import Sheet
from translearn.errors import CourseError


@dataclass
class Filled:
    """What became of a table. Everything that somebody should know of is in one of the lists."""

    path: Path
    filled: dict = field(default_factory=dict)  # {assignment: [students]}
    without: list = field(default_factory=list)  # (assignment, student, why, what stands there)
    unknown: list = field(default_factory=list)  # (a row's name, why nobody's)
    absent: list = field(default_factory=list)  # (assignment, student with a mark and no row)
    notes: list = field(default_factory=list)  # sentences

    def told(self) -> str:
        """All of it, as a person reads it."""
        lines = [f"{self.path}:"]
        for assignment, students in self.filled.items():
            lines.append(f"  {assignment}: {len(students)} marks filled in")
        lines += [f"  {note}" for note in self.notes]
        alike = defaultdict(list)
        for assignment, student, why, there in self.without:
            stays = f", and {there!r} stays in its cell" if there else ""
            alike[f"  {assignment}, no mark: {why}{stays}: "].append(student)
        for name, why in self.unknown:
            alike[f"  left as it was, {why}: "].append(name)
        for assignment, student in self.absent:
            alike[f"  {assignment}, a mark and no row in that table: "].append(student)
        lines += [f"{what}{', '.join(those)}" for what, those in alike.items()]
        return "\n".join(lines)


class Owners:
    """Whose a row is, by what an LMS knows of its users."""

    def __init__(self, students: dict, participants: dict | None = None):
        """participants: {number of Moodle's: student}, of one assignment."""
        self.by = defaultdict(lambda: defaultdict(set))
        for each in students.values():
            for kind, value in (("id", each.id), ("email", each.email), ("lms_id", each.lms_id)):
                if value:
                    self.by[kind][value.casefold()].add(each.id)
        for number, student in (participants or {}).items():
            self.by["participant"][number].add(student)

    def of(self, said) -> tuple:
        """(student, "") or (None, why not), of [(kind, value)]: all that is known must agree."""
        found = [
            self.by[kind][value.strip().casefold()]
            for kind, value in said
            if value.strip().casefold() in self.by[kind]
        ]
        ids = set().union(*found)
        if len(ids) == 1:
            return ids.pop(), ""
        if ids:
            return None, f"its columns say {' and '.join(sorted(ids))}"
        return None, "nobody in students.csv has its numbers, logins or addresses"


def marks(course: Course, assignment: str) -> list:
    """As `books.marks`. Raises `CourseError` for a class without students."""
    found = books.marks(course, assignment)
    if not found:
        raise CourseError("students.csv lists nobody: fill it in first, one line a student.")
    return found


def called(assignment: str, title: str) -> bool:
    """Whether the title of something in an LMS names the assignment: `A1: Losses`, not `A10`."""
    return bool(re.search(rf"(?<![A-Za-z0-9]){assignment}(?![A-Za-z0-9])", title, re.I))


def one(assignment: str, titles: dict, what: str) -> int | None:
    """The position in `titles` ({position: title}) of the one that is the assignment's; None if
    there is none. Raises `CourseError` where several may be.
    """
    found = [at for at, title in titles.items() if called(assignment, title)]
    exact = [at for at in found if titles[at].strip().casefold() == assignment.casefold()]
    if len(exact) == 1:
        return exact[0]
    if len(found) > 1:
        names = ", ".join(repr(titles[at]) for at in found)
        raise CourseError(
            f"{what} has several columns for {assignment} ({names}). Export it with one of them, "
            f"or delete the others from the file."
        )
    return found[0] if found else None


def times(assignment: str, of: float, whole: str, lms: str, scale: bool) -> tuple:
    """(By what a mark is multiplied, a note): 1 where the LMS counts out of as many points.

    Raises `CourseError` where it does not and nobody asked for scaling.
    """
    try:
        most = float(whole.strip().replace(",", "."))
    except ValueError:
        return 1.0, ""
    if most == of:
        return 1.0, ""
    if not scale or most <= 0:
        raise CourseError(
            f"{assignment} is out of {of:g} points here and out of {most:g} in {lms}. Set it to "
            f"{of:g} there and export again, or let the marks be scaled, with --scale."
        )
    return most / of, f"{assignment}: scaled from {of:g} to {most:g} points"


def rows(sheet: Sheet, students, identify, name, done: Filled) -> dict:
    """{student: position of the row}, from `identify(row)` → (student or None, why). A row that
    is nobody's, and rows that are the same one's, are noted in `done`.
    """
    found = defaultdict(list)
    for at in students:
        owner, why = identify(sheet.rows[at])
        if owner:
            found[owner].append(at)
        else:
            done.unknown.append((name(sheet.rows[at]), why))
    for owner, several in list(found.items()):
        if len(several) > 1:
            del found[owner]
            done.unknown += [(name(sheet.rows[at]), f"{owner} has two rows") for at in several]
    return {owner: at[0] for owner, at in found.items()}


def fill(sheet, column, rows, marks, by, done, excused="", locked=None) -> None:
    """Put the marks of one assignment into a column.

    rows    {student: position of the row}
    marks   rows of books.marks
    excused what the LMS writes for who is exempt; "" if it has no word
    locked  a function of a row: why its cell takes no mark, "" if it does
    """
    assignment = marks[0]["assignment"] if marks else ""
    done.filled.setdefault(assignment, [])
    for mark in marks:
        student, points = mark["student"], mark["points"]
        if student not in rows:
            if points is not None:
                done.absent.append((assignment, student))
            continue
        row = sheet.rows[rows[student]]
        row += [""] * (column + 1 - len(row))
        there = row[column].strip()
        why = locked(row) if locked else ""
        if mark["state"] == "exempt" and excused and not why:
            row[column] = excused
        elif points is None or why:
            done.without.append((assignment, student, why or mark["reason"], there.strip("-")))
        else:
            row[column] = f"{round(points * by, 2):g}"
            done.filled[assignment].append(student)


def save(course: Course, sheet: Sheet, name: str) -> Path:
    """Write the table into the folder of the class; what the LMS exported stays as it is."""
    path = course.root / name
    if path.exists() and path.samefile(sheet.path):
        raise CourseError(
            f"{name} is what this command writes: give the file that the LMS exported, under its "
            f"own name."
        )
    sheet.save(path)
    return path
