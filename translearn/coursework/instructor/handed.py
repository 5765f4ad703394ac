"""A student's notebook as a person reads it: the cells as they were handed in, with the figures
that stood there, and beside them what became of each when it ran here.

The figures come from the file and not from the run: a project's cells need pictures that are not
here, and their outputs are all that there is of them.
"""

import json
from dataclasses import dataclass

from translearn.authoring.handout import WRITE_HERE
from translearn.coursework.instructor import shown
from translearn.coursework.instructor.folder import Course, read_json
from translearn.coursework.instructor.submission import Unreadable, digest, parse, prepare, read


@dataclass
class Row:
    """A cell. `name` is its grade id, if it has one; `own` says whether it is the student's own,
    neither an answer nor released. `outputs` and `pictures` (of attachments) are safe to show.
    """

    kind: str
    source: str
    name: str | None
    own: bool
    outputs: list
    pictures: dict
    error: dict | None = None


@dataclass
class Notebook:
    """`rows` in the notebook's order. `newer`: since it was graded another file was handed in, so
    its figures are not here.
    """

    rows: list
    newer: bool = False

    def row(self, name: str) -> Row | None:
        """The cell with that grade id."""
        return next((row for row in self.rows if row.name == name), None)

    def own(self, kind: str | None = None) -> list:
        """The student's own cells, all or those of one kind."""
        return [row for row in self.rows if row.own and kind in (None, row.kind)]

    def answer(self, name: str) -> tuple:
        """(rows, whether it is its own cell) of a written answer: where its own cell holds
        nothing, all Markdown of the student's own.
        """
        row = self.row(name)
        if row is not None and not _empty(row.source):
            return [row], True
        return self.own("markdown"), False


def _empty(text):
    return text.strip() in ("", WRITE_HERE)


def notebook(course: Course, assignment: str, student: str, result: dict) -> Notebook:
    """The notebook that `result` is about."""
    released = parse(json.dumps(read_json(course.released(assignment))).encode())
    cells, newer = _cells(course, assignment, student, result, released)
    room, rows = shown.Room(shown.SAVED_CHARACTERS), []
    texts = _texts(released)
    for at, cell in enumerate(cells):
        ran = result["cells"][at]
        outputs = shown.saved(cell.get("outputs"), room) or [
            {"kind": "picture", "src": f"data:image/png;base64,{each['png']}"}
            if each["kind"] == "picture"
            else each
            for each in ran["outputs"]
        ]
        rows.append(
            Row(
                ran["type"],
                ran["source"],
                ran["id"],
                _own(ran, texts),
                outputs,
                shown.attachments(cell, room),
                ran["error"],
            )
        )
    return Notebook(rows, newer)


def text(course: Course, assignment: str, result: dict, name: str) -> str:
    """A written answer as text: its own cell, or where that holds nothing, all Markdown of the
    student's own. What tells a changed answer from the one that was marked.
    """
    own = next((cell["source"] for cell in result["cells"] if cell["id"] == name), "")
    released = read_json(course.released(assignment))
    if not _empty(own) or released is None:
        return own
    texts = _texts(parse(json.dumps(released).encode()))
    found = [
        cell["source"]
        for cell in result["cells"]
        if cell["type"] == "markdown" and _own(cell, texts)
    ]
    return "\n\n".join(found) or own


def _texts(released):
    return {cell["source"].strip() for cell in released["cells"]}


def _own(cell, texts):
    return not cell["id"] and bool(cell["source"].strip()) and cell["source"].strip() not in texts


def _cells(course, assignment, student, result, released):
    """The submitted cells, one for each of the result's, and whether there is a newer file."""
    nothing = [{} for _ in result["cells"]]
    path = course.submitted(student, assignment)
    if not path.is_file() or digest(path) != result.get("submission"):
        return nothing, path.is_file()
    try:
        cells = prepare(released, parse(read(path))).cells
    except Unreadable:
        return nothing, False
    same = [cell["source"] for cell in cells] == [cell["source"] for cell in result["cells"]]
    return (cells if same else nothing), False
