"""Comments on a line of code, kept with the text of the line: when a newer notebook is handed in
they go with the line, and where it is gone they are said to be outdated.

In manual.json they stand under `KEY`, which no question can be called, as a list of
{"id", "cell": grade id of the cell or None for one of the student's own, "at": the cell's place in
the notebook from 0, "line": from 1, "text": the line as it stood, "comment", "when"}.
"""

import secrets
from datetime import datetime

from translearn.coursework.instructor.by_hand import by_hand
from translearn.coursework.instructor.folder import Course
from translearn.errors import CourseError

KEY = "on-lines"
LONGEST = 2000  # characters of a comment
MOST = 200  # comments on one notebook


def note(cells: list, at: int, line: int, comment: str) -> dict | None:
    """A new comment on line `line` (from 1) of cell `at` (from 0); None if there is no such line.

    cells   [(grade id or None, source)] of the whole notebook
    """
    lines = cells[at][1].split("\n") if 0 <= at < len(cells) else []
    if not 1 <= line <= len(lines):
        return None
    return {
        "id": secrets.token_hex(4),
        "cell": cells[at][0],
        "at": at,
        "line": line,
        "text": lines[line - 1].rstrip(),
        "comment": comment[:LONGEST],
        "when": datetime.now().isoformat(timespec="seconds"),
    }


def cells(result: dict) -> list:
    """The cells of a result as they are wanted here; only code has lines."""
    return [
        (cell["id"], cell["source"] if cell["type"] == "code" else "") for cell in result["cells"]
    ]


def attached(notes: list, cells: list) -> tuple:
    """Where comments belong in a notebook as it is now: ({cell, from 0: [(line, from 1, the line's
    text, comment), …] from the top down}, [those whose line is not there any more]).

    A comment on a named cell stays in this cell, one on a student's own cell in any of these; of
    several lines with the same text it takes the nearest to where it was.

    notes   as they stand in manual.json under `KEY`
    cells   [(grade id or None, source)] of the whole notebook, in its order
    """
    found, outdated = placed(notes, cells)
    return {
        at: [(line, note["text"], note["comment"]) for line, note in those]
        for at, those in found.items()
    }, outdated


def placed(notes: list, cells: list) -> tuple:
    """As `attached`, with each whole comment: ({cell: [(line, comment), …]}, [outdated])."""
    where = {}
    for at, (name, source) in enumerate(cells):
        for line, text in enumerate(source.split("\n"), 1):
            where.setdefault((name, text.rstrip()), []).append((at, line))
    found, outdated = {}, []
    for each in notes:
        same = where.get((each["cell"], each["text"]))
        if not same:
            outdated.append(each)
            continue
        at, line = min(same, key=lambda s: (abs(s[0] - each["at"]), abs(s[1] - each["line"])))
        found.setdefault(at, []).append((line, each))
    for those in found.values():
        those.sort(key=lambda pair: pair[0])
    return found, outdated


def save(course: Course, assignment: str, student: str, file, typed: dict, drop="") -> None:
    """Save comments on lines; all of them, or none where one is wrong (`CourseError`).

    file    the digest of the notebook that was looked at
    typed   {cell, from 0: {"line", "text": the comment, "replaces": the id of an older one or ""}}
    drop    the id of a comment that goes, or ""
    """
    with by_hand(course, assignment, student) as (marked, entry):
        if file != entry["submission"]:
            raise CourseError(
                "A newer notebook of this student was graded while you looked at this one. Your "
                "comments on lines are not saved: see below whether they still fit."
            )
        notes, those = marked.get(KEY, []), cells(course.result(student, assignment))
        for at, each in typed.items():
            new = note(those, at, each["line"], each["text"])
            if new is None:
                raise CourseError(
                    f"{each['line']} is not the number of a line of the cell. Give the number of "
                    f"the line that you comment on. Nothing is saved yet."
                )
            notes = [older for older in notes if older["id"] != each["replaces"]] + [new]
        if len(notes) > MOST:
            raise CourseError(f"{MOST} comments on one notebook are the most.")
        marked[KEY] = [each for each in notes if each["id"] != drop]
