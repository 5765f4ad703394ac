"""A submitted notebook, read with distrust: its answers, in the order they run, with everything
locked put back.
"""

import copy
import hashlib
import json
from dataclasses import dataclass, field

from translearn.coursework.student.codec import whole
from translearn.coursework.student.submit import LARGEST

MOST_CELLS = 5000


class Unreadable(Exception):
    """It is no notebook. The message says why, for the instructor."""


@dataclass
class Submission:
    """`cells` are nbformat-like dictionaries. What they hold as `outputs` and `attachments` is as
    it was handed in: for `shown` to look at, and for nothing else.

    `run` has the positions of those to run; `at` finds a cell by its grade id.
    """

    cells: list
    run: list = field(default_factory=list)
    at: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)  # what was repaired

    def sources(self):
        return [self.cells[i]["source"] for i in self.run]


def read(path) -> bytes:
    """A submitted file, or as much of it as shows that it is too large."""
    with open(path, "rb") as file:
        return file.read(LARGEST + 1)


def digest(path) -> str:
    """What tells one submitted file from another."""
    return hashlib.sha256(read(path)).hexdigest()


def parse(data: bytes) -> dict:
    """The notebook in `data`.

    Raises `Unreadable` unless it is one of nbformat 4, with cells that are cells.
    """
    if len(data) > LARGEST:
        raise Unreadable(f"it is larger than {LARGEST // 2**20} MB")
    if not data.strip():
        raise Unreadable("it is empty")
    try:
        book = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        kind = next(
            (
                name
                for magic, name in (
                    (b"%PDF", "a PDF"),
                    (b"PK", "a zip or an Office file"),
                    (b"<", "a web page"),
                )
                if data.lstrip().startswith(magic)
            ),
            "",
        )
        raise Unreadable(
            f"it is not a notebook{f' but {kind}' if kind else ': its JSON is broken'}"
        ) from None
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list):
        raise Unreadable("it is not a notebook: it has no cells")
    if book.get("nbformat") != 4:
        raise Unreadable("it is a notebook of an old format: open and save it in JupyterLab")
    if len(book["cells"]) > MOST_CELLS:
        raise Unreadable(f"it has more than {MOST_CELLS:,} cells")
    cells = []
    for cell in book["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            raise Unreadable("it is not a notebook: one of its cells is none")
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise Unreadable("it is not a notebook: the text of one of its cells is none")
        metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
        name = cell.get("id") if isinstance(cell.get("id"), str) else None
        cells.append(
            {
                "cell_type": cell["cell_type"],
                "source": whole(source),
                "metadata": metadata,
                "id": name,
                "outputs": cell.get("outputs"),
                "attachments": cell.get("attachments"),
            }
        )
    metadata = book.get("metadata") if isinstance(book.get("metadata"), dict) else {}
    return {"cells": cells, "metadata": metadata}


def grade_id(cell):
    book = cell["metadata"].get("nbgrader")
    found = book.get("grade_id") if isinstance(book, dict) else None
    return found if isinstance(found, str) else None


def prepare(released: dict, submitted: dict) -> Submission:
    """What to run: the student's cells, with locked cells as they were released, wherever those
    were changed, copied or deleted.

    Answers are looked up by name after the run, so a missing or doubled answer cell needs no
    repair. Check cells and the submit cell are not run: the judge asks instead. A cell that lost
    its id and metadata, as other editors leave it, is known by its text or by its place.
    """
    ours = {grade_id(cell): cell for cell in released["cells"] if grade_id(cell)}
    by_id = {
        cell["id"]: grade_id(cell) for cell in released["cells"] if grade_id(cell) and cell["id"]
    }
    found = Submission(
        [
            {key: cell[key] for key in ("cell_type", "source", "outputs", "attachments")}
            | {"metadata": {}, "id": None}
            for cell in submitted["cells"]
        ]
    )
    for i, theirs in enumerate(submitted["cells"]):
        name, cell = grade_id(theirs), found.cells[i]
        if (
            name not in ours and theirs["id"] in by_id
        ):  # an editor that drops metadata keeps the id
            name = by_id[theirs["id"]]
        if name not in ours:
            continue
        original = ours[name]
        if name in found.at:
            found.notes.append(f"a copy of the cell {name} counts as a cell of the student's own")
            continue
        if theirs["cell_type"] != original["cell_type"]:
            found.notes.append(f"the cell {name} was turned into {theirs['cell_type']}")
            if original["metadata"]["nbgrader"]["locked"]:
                cell["cell_type"] = original["cell_type"]
        found.at[name] = i
        cell["metadata"] = copy.deepcopy(original["metadata"])
        if original["metadata"]["nbgrader"]["locked"] and cell["source"] != original["source"]:
            if name != "submit":  # it is not run anyway
                found.notes.append(f"the locked cell {name} had been changed and was put back")
            cell["source"] = original["source"]
    _recover(found, released)
    _restore(found, released, ours)
    quiet = {name for name, cell in ours.items() if cell["metadata"]["nbgrader"]["grade"]} | {
        "submit"
    }
    asleep = {found.at[name] for name in quiet if name in found.at}
    found.run = [
        i
        for i, cell in enumerate(found.cells)
        if cell["cell_type"] == "code"
        and i not in asleep
        and cell["source"].strip()
        and not _is_check(cell["source"])
    ]
    return found


def _recover(found, released):
    """Name the cells that lost their names: locked ones by their text, answers by their place."""
    places, taken = {}, set(found.at.values())  # position in the release → in the submission
    by_text = {}
    for i, cell in enumerate(found.cells):
        if i not in taken:
            by_text.setdefault((cell["cell_type"], cell["source"].strip()), []).append(i)
    for r, cell in enumerate(released["cells"]):
        name = grade_id(cell)
        if name in found.at:
            places[r] = found.at[name]
        elif same := by_text.get((cell["cell_type"], cell["source"].strip())):
            places[r] = same.pop(0)
            taken.add(places[r])
            if name:
                _claim(found, name, places[r], cell)
    for r, cell in enumerate(released["cells"]):
        name = grade_id(cell)
        if not name or name in found.at or not cell["metadata"]["nbgrader"]["solution"]:
            continue
        after = next((places[q] for q in range(r - 1, -1, -1) if q in places), None)
        before = next(
            (places[q] for q in range(r + 1, len(released["cells"])) if q in places), None
        )
        if after is None or before is None:
            continue
        between = [
            i
            for i in range(after + 1, before)
            if i not in taken
            and found.cells[i]["cell_type"] == cell["cell_type"]
            and found.cells[i]["source"].strip()
        ]
        # Code is found by the names that it defines, so nothing is lost where it could be either.
        if between and (len(between) == 1 or cell["cell_type"] == "markdown"):
            places[r] = between[0]
            taken.add(between[0])
            _claim(found, name, between[0], cell)
            found.notes.append(f"the cell {name} had lost its name and was known by its place")


def _claim(found, name, at, original):
    found.at[name] = at
    found.cells[at]["metadata"] = copy.deepcopy(original["metadata"])


def _is_check(source):
    """A copied check or submit cell, and nothing else in it: nothing depends on what it shows."""
    lines = source.strip().splitlines()
    return len(lines) == 1 and (
        lines[0].startswith("submit.submit(")
        or (lines[0].startswith("question.") and ".check(" in lines[0])
    )


def _restore(found, released, ours):
    """Put cells that were deleted back: a locked set-up cell before everything, the others at the
    end.

    An answer's code is not put back: its empty form would take the place of an answer that stands
    in a cell of the student's own.
    """
    for name, cell in ours.items():
        book = cell["metadata"]["nbgrader"]
        if name in found.at or (book["solution"] and not book["grade"]):
            continue
        found.notes.append(f"the cell {name} had been deleted and was put back")
        again = {
            "cell_type": cell["cell_type"],
            "source": cell["source"],
            "metadata": copy.deepcopy(cell["metadata"]),
            "id": None,
        }
        if name == "setup":
            found.cells.insert(0, again)
            found.at = {key: i + 1 for key, i in found.at.items()} | {name: 0}
        else:
            found.cells.append(again)
            found.at[name] = len(found.cells) - 1
