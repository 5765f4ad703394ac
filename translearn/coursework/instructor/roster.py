"""Who is in the class: the table students.csv, in our form or as an LMS exports it.

Moodle       Participants or Grades: `First name, Last name, ID number, Email address, …`; the id
             is the username if there is one, else the number, else the e-mail address
Canvas       Grades: `Student, ID, SIS User ID, SIS Login ID, Section, …`, names `Lovelace, Ada`;
             the id is the login, `ID` is Canvas's own number
Blackboard   Full Grade Center: `Last Name, First Name, Username, Student ID, …`, with tabs, UTF-16
Brightspace  Grades: `OrgDefinedId, Username, Last Name, First Name, Email, …`, each id behind a #
"""

import csv
import io
import re
from pathlib import Path

from translearn.errors import CourseError

# What a column may be called (without case, spaces and what is in brackets), the first first.
CALLED = {
    "id": "sisloginid username loginid idnumber sisuserid studentid orgdefinedid email "
    "emailaddress".split(),
    "first_name": "firstname givenname".split(),
    "last_name": "lastname surname familyname".split(),
    "email": "email emailaddress mail".split(),
    "lms_id": ["lmsid"],
    "group": ["group"],  # ours alone: an LMS's "Groups" may be anything
}
WHOLE = "student studentname fullname name".split()  # one column for both
LMS = set("sisloginid sisuserid emailaddress username orgdefinedid".split())  # nobody's but theirs
CANVAS = {"student", "section"}


def read(path: Path):
    """(line, {"id": …, "first_name": …, "last_name": …, "email": …, "lms_id": …}) of each student;
    the ids are not looked at.

    Raises `CourseError` when the table cannot be read or has no column that could be the id.
    """
    text = _text(path)
    head = text.partition("\n")[0]
    between = max(",;\t", key=head.count)  # a spreadsheet may write semicolons, some LMS tabs
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=between)
    try:
        columns = [_plain(name) for name in next(rows, [])]
        at = _columns(columns)
        for row in rows:
            if values := _values(row, columns, at):
                yield rows.line_num, values
    except csv.Error as problem:
        raise CourseError(f"students.csv, line {rows.line_num}: {problem}.") from None


def _text(path):
    try:
        data = path.read_bytes()
        utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise CourseError(
            f"students.csv cannot be read ({problem}). It is a table in UTF-8 with the columns "
            f"id, first_name, last_name, email, lms_id, or as your LMS exports it."
        ) from None


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\(.*|\[.*", "", name.casefold()))


def _columns(columns):
    """{our name: the positions of the columns that may say it, the best first}."""
    called = {ours: [ours.replace("_", ""), *others] for ours, others in CALLED.items()}
    if CANVAS <= set(columns):  # its ID is a number of its own
        called["id"] = [*called["id"][1:], "id"]
        called["lms_id"] = ["id"]
    elif "id" in columns and not LMS & set(columns):
        called["id"] = ["id"]  # our own table: nothing takes its place
    at = {
        ours: [columns.index(name) for name in names if name in columns]
        for ours, names in called.items()
    }
    if not at["id"]:
        raise CourseError(
            "students.csv, line 1: there is no column id. The columns are id, first_name, "
            "last_name, email, lms_id (only id must be there), or what Moodle, Canvas, "
            "Blackboard or Brightspace export."
        )
    return at | {"whole": [columns.index(name) for name in WHOLE if name in columns]}


def _values(row, columns, at):
    """What one line says of a student; None for a line that is nobody's."""

    def said(ours):
        cells = (row[n].strip().removeprefix("#") for n in at[ours] if n < len(row))
        return next(filter(None, cells), "")

    found = {ours: said(ours) for ours in CALLED}
    whole = said("whole")
    if not any(found.values()) or whole in ("Points Possible", "Student, Test"):
        return None  # Canvas's second line, and the student that it makes for trying things out
    if whole and not found["first_name"] and not found["last_name"]:
        last, comma, first = whole.partition(",")
        if not comma:
            first, _, last = whole.rpartition(" ")
        found |= {"first_name": first.strip(), "last_name": last.strip()}
    return found
