"""From one source to its notebooks: the learner's, the solution, and the suite's rehearsal."""

import json
import os
import re

from translearn import paths
from translearn.authoring import handout, minutes
from translearn.authoring.numbers import write_numbers
from translearn.authoring.reading import Lesson
from translearn.words import _

DEFAULT_BUDGET = 60  # seconds of computing for a lesson, on two idle cores
# Above the first code of a lesson: most other kernels do not know the course.
WHERE = """\
# No module named 'translearn'? Open the lessons with `python3 course.py lab`, or choose the kernel
# "Transfer Learning, Measured" once you have run `python3 course.py kernel`.
"""


def notebook(lesson: Lesson, solved: bool) -> str:
    """The lesson as the text of a notebook file, with its solutions or without."""
    rows = cells(lesson, solved)
    first = next((row for row in rows if row["cell_type"] == "code"), None)
    if first:
        first["source"] = WHERE.splitlines(keepends=True) + first["source"]
    return _text(lesson, rows, solved=solved)


def cells(lesson: Lesson, solved: bool) -> list:
    """The lesson's cells as nbformat has them."""
    return [_cell(lesson, cell, solved) for cell in lesson.cells]


def _cell(lesson, cell, solved):
    from translearn.exercises.source import unmark, unsolve

    kind, text = cell.kind, cell.text
    if kind == "markdown":
        text = minutes.write(lesson, write_numbers(lesson, cell))
    elif "ledger-only" in cell.tags:
        kind, text = "markdown", folded(text)
    else:
        text = unmark(text) if solved else unsolve(text)
    metadata = {"tags": cell.tags} if cell.tags else {}
    if "explorer" in cell.tags and len(text.splitlines()) > minutes.FOLDED:
        metadata["jupyter"] = {"source_hidden": True}
    return _row(kind, cell.id, metadata, text)


def _row(kind, identity, metadata, text):
    row = {
        "cell_type": kind,
        "id": identity,
        "metadata": metadata,
        "source": text.splitlines(keepends=True),
    }
    return row | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _text(lesson, rows, **more):
    metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
        "translearn": {
            "budget_seconds": lesson.meta.get("budget_seconds", DEFAULT_BUDGET),
            **more,
            "build": handout.sources_hash(rows),
        },
    }
    book = {"cells": rows, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


# ---------------------------------------------------------------- the rehearsal

# Cells that the rehearsal puts in. What they call stands in `rehearsal.py` and runs in the kernel.
BEGIN_IT = "from translearn.authoring import rehearsal\n\nrehearsal.begin()"
SWEEP = "rehearsal.sweep(Out[max(Out)], {lesson!r}, {cell!r})"
GUESSES = "rehearsal.keep_guesses(Out[max(Out)], {lesson!r}, {cell!r})"
END_IT = "rehearsal.end()"


def rehearsal(lesson: Lesson) -> str:
    """The notebook that the suite runs: everything that a learner does, in one run.

    Every exercise is run as the learner finds it and checked, then solved and checked again; after
    each explorer a cell moves it through its range; each bet is placed. A check's metadata says
    what it must answer (`expect`: "not attempted" or "passed"), and what stands here but not in
    the solved lesson is marked (`added`). Works for a lesson and for an assignment.
    """
    if lesson.name.startswith("A"):
        unsolved, solved = (handout.cells(lesson, solved) for solved in (False, True))
    else:  # prose is the same in both, and looks many numbers up
        unsolved = [_cell(lesson, cell, False) for cell in lesson.cells if cell.kind == "code"]
        solved = cells(lesson, solved=True)
    found = {row["id"]: row for row in unsolved}
    rows, first, answer = [], [], False
    for row in solved:
        code = "".join(row["source"])
        as_found = found.get(row["id"], row)
        if row["cell_type"] == "markdown":
            rows.append(row)
            continue
        if as_found["source"] != row["source"]:
            answer = True
            if (
                not first
            ):  # where the exercise as it is found goes in, from its answer to its check
                first, start = [], len(rows)
        if answer:
            first.append(_added(as_found))
        rows.append(row)
        if answer and ".check(" in code:
            first[-1]["metadata"]["translearn"]["expect"] = "not attempted"
            row["metadata"] = row["metadata"] | {"translearn": {"expect": "passed"}}
            rows[start:start] = first
            first, answer = [], False
        if re.search(r"^widgets\.explore\(", code, re.M):
            rows.append(_put_in(row, SWEEP.format(lesson=lesson.name, cell=row["id"])))
        if re.search(r"^widgets\.Guesses\(", code, re.M):
            rows.append(_put_in(row, GUESSES.format(lesson=lesson.name, cell=row["id"])))
        for name in re.findall(r"^(\w+) = widgets\.Bet\(", code, re.M):
            rows.append(_put_in(row, f"{name}.place({name}._slider.value)"))
    rows = [_put_in({"id": "begin"}, BEGIN_IT), *rows, _put_in({"id": "end"}, END_IT)]
    return _text(lesson, rows, rehearsal=True)


def _added(row):
    marked = row["metadata"] | {"translearn": {"added": True}}
    return row | {"id": f"{row['id']}-found", "metadata": marked}


def _put_in(row, code):
    return _row("code", f"{row['id']}-added", {"translearn": {"added": True}}, code)


def write_rehearsal(lesson: Lesson):
    """Write the rehearsal into the cache; returns its path."""
    path = paths.cache() / "rehearsal" / f"{lesson.name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = rehearsal(lesson)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        # Two workers of a test run write the same; neither may read half of it.
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(text, encoding="utf-8", newline="\n")
        os.replace(scratch, path)
    return path


def folded(code: str) -> str:
    """A cell that only the ledger runs, as Markdown: folded, and named by its experiments."""
    names = _(" and ").join(re.findall(r'name="([\w.]+)"', code))
    said = _("How the ledger measured {names} (longer than a lesson should run)", names=names)
    return f"<details><summary>{said}</summary>\n\n```python\n{code}\n```\n\n</details>"
