"""Marks and feedback for Moodle.

The grading worksheet of an assignment (*Download grading worksheet*) has a line for each
participant: `Identifier` (`Participant 48213`, a number of this assignment only), as a rule
`Full name` and `Email address`, `Status`, `Grade`, `Maximum Grade`, `Grade can be changed`, dates,
`Feedback comments`. *Upload grading worksheet* wants Identifier, Grade and the date of the last
change, passes over an empty grade, one that is above the maximum, and one that was changed since.

The grades of the course (*Grades, Export, Plain text file*) have `First name, Last name, ID
number, …, Email address, Assignment: A1 (Real)`; *Grades, Import, CSV file* takes any table in
which a column tells who it is.

*Upload multiple feedback files in a zip* takes files whose names begin as Moodle's own download
had them: `Ada Lovelace_48213_assignsubmission_file_`.
Source: mod/assign/feedback/{offline,file} and grade/import/csv of https://github.com/moodle/moodle
"""

import re
import zipfile
from collections import defaultdict
from pathlib import Path

from translearn.coursework.instructor import lms, names, sheets
from translearn.coursework.instructor.folder import Course, assignments, write
from translearn.errors import CourseError

SENDER = "moodle.txt"  # beside a submission: what Moodle's download wrote before the file's name
IDS = {
    "username": ("id",),
    "id number": ("id",),
    "email address": ("email", "id"),
    "email": ("email", "id"),
}


def fill(course: Course, exported, wanted, scale: bool = False) -> lms.Filled:
    """Fill the marks of `wanted` into what Moodle exported: a grading worksheet (then there is one
    assignment), the grades of the course, or any table of its participants. Returns what was
    done; its `path` is the file to import.

    Raises `CourseError` when the table is neither, or is another assignment's.
    """
    sheet = sheets.read(Path(exported))
    if not sheet.rows:
        raise CourseError(f"{sheet.path.name} is empty: export it again.")
    if sheet.column("Identifier") is not None:
        return _worksheet(course, sheet, wanted, scale)
    known = _known(sheet)
    if not known:
        raise CourseError(
            f"{sheet.path.name} is nothing that Moodle exports in English: its first line has no "
            f"Identifier, Username, ID number or Email address. Change your language in Moodle, "
            f"and export again."
        )
    done = lms.Filled(course.root / "moodle_import.csv")
    owners = lms.Owners(course.students())
    people = [at for at, row in enumerate(sheet.rows) if at and any(map(str.strip, row))]
    rows = lms.rows(sheet, people, lambda row: owners.of(_said(row, known)), _name(sheet), done)
    for assignment in wanted:
        marks = lms.marks(course, assignment)
        head = sheet.rows[0]
        titles = {at: name for at, name in enumerate(head) if not _derived(name)}
        at = lms.one(assignment, titles, sheet.path.name)
        if at is None:
            at = len(head)
            head.append(assignment)
            for row in sheet.rows[1:]:
                row += [""] * (at + 1 - len(row))
            done.notes.append(f"{assignment}: a column was added, {marks[0]['of']:g} points")
        lms.fill(sheet, at, rows, marks, 1.0, done)
    lms.save(course, sheet, done.path.name)
    return done


def _derived(name):
    return bool(re.search(r"\((percentage|letter|feedback)\)\s*$", name, re.I))


def _known(sheet):
    return [
        (at, IDS[name.strip().casefold()])
        for at, name in enumerate(sheet.rows[0])
        if name.strip().casefold() in IDS
    ]


def _said(row, known):
    return [(kind, row[at]) for at, kinds in known if at < len(row) for kind in kinds]


def _name(sheet):
    """A function: what a row calls its person."""
    at = [
        n
        for name in (
            "Identifier",
            "Full name",
            "First name",
            "Last name",
            "Surname",
            "Email address",
        )
        if (n := sheet.column(name)) is not None
    ]
    return lambda row: " ".join(filter(None, (row[n].strip() for n in at if n < len(row))))


def _worksheet(course, sheet, wanted, scale):
    column = {name: sheet.column(name) for name in ("Grade", "Maximum grade", "Identifier")}
    if column["Grade"] is None:
        raise CourseError(f"{sheet.path.name} has no column Grade: download the worksheet again.")
    if len(wanted) != 1:
        raise CourseError(
            f"A grading worksheet is one assignment's: say which, for instance: course.py "
            f"coursework marks {wanted[0]} --moodle {sheet.path.name}"
        )
    (assignment,) = wanted
    title = re.search(r"-(.*)-", sheet.path.name)  # Grades-COURSE-TITLE-123.csv
    named = [each for each in assignments() if title and lms.called(each, title[1])]
    if named and assignment not in named:
        raise CourseError(
            f"By its name {sheet.path.name} is the worksheet of {', '.join(named)}, not of "
            f"{assignment}. Rename the file if that is wrong."
        )
    done = lms.Filled(course.root / f"moodle_{assignment}_import.csv")
    marks = lms.marks(course, assignment)
    most, fixed = column["Maximum grade"], sheet.column("Grade can be changed")
    people = [at for at, row in enumerate(sheet.rows) if at and any(map(str.strip, row))]
    wholes = {sheet.rows[at][most] for at in people} if most is not None else set()
    by, note = lms.times(assignment, marks[0]["of"], max(wholes, default=""), "Moodle", scale)
    done.notes += [note] if note else []
    owners = lms.Owners(course.students(), participants(course, assignment))
    known = _known(sheet)

    def identify(row):
        number = re.search(r"\d+$", row[column["Identifier"]].strip())
        said = [("participant", number[0])] if number else []
        return owners.of(said + _said(row, known))

    def locked(row):
        closed = fixed is not None and row[fixed].strip().casefold() == "no"
        return "Moodle has the grade locked" if closed else ""

    rows = lms.rows(sheet, people, identify, _name(sheet), done)
    lms.fill(sheet, column["Grade"], rows, marks, by, done, locked=locked)
    lms.save(course, sheet, done.path.name)
    return done


def keep(course: Course, assignment: str, student: str, sender: str) -> None:
    """Keep what Moodle's download wrote before the name of a file that was collected."""
    path = course.submitted(student, assignment)
    if sender and path.is_file():
        write(path.with_name(SENDER), sender + "\n")


def sender(course: Course, assignment: str, student: str) -> names.Sign | None:
    """What Moodle wrote of a student into its download, as `collect` kept it."""
    path = course.submitted(student, assignment).with_name(SENDER)
    try:
        sign = names.sign(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeError):
        return None
    return sign if sign and sign.lms == "Moodle" and sign.number else None


def participants(course: Course, assignment: str) -> dict:
    """{Moodle's number of the participant: student}, for one assignment; a number that two have
    tells nobody.
    """
    found = _senders(course, assignment)
    return {number: those[0] for number, those in found.items() if len(those) == 1}


def _senders(course, assignment):
    """{number: the students whose it is}."""
    found = defaultdict(list)
    for student in course.submissions(assignment):
        if sign := sender(course, assignment, student):
            found[sign.number].append(student)
    return found


def feedback(course: Course, assignment: str) -> tuple:
    """Write `moodle_feedback_A1.zip` of the pages that are there. Returns (its path, the students
    in it, {student: why not}).
    """
    path, done, without = course.root / f"moodle_feedback_{assignment}.zip", [], {}
    part = path.with_suffix(".part")
    numbers = _senders(course, assignment)
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in course.submissions(assignment):
            page, sign = course.feedback(student, assignment), sender(course, assignment, student)
            if not page.is_file():
                without[student] = "there is no page yet"
            elif sign is None:
                without[student] = (
                    "Moodle's number of the participant is not known: collect Moodle's download "
                    "again, or send the page yourself"
                )
            elif len(numbers[sign.number]) > 1:
                without[student] = (
                    f"{' and '.join(numbers[sign.number])} have one number in Moodle"
                )
            else:
                # Moodle reads up to the fourth _, so there is none in the name.
                name = sign.name.replace("_", " ").replace("/", " ")
                inside = f"{name}_{sign.number}_assignsubmission_file_{assignment}_feedback.html"
                archive.write(page, inside)
                done.append(student)
    part.replace(path)
    return path, done, without
