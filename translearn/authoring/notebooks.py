"""From one source to its notebooks: the learner's, the solution, and the rehearsal that the suite runs."""

import json
import re

from translearn.authoring import handout
from translearn.authoring.numbers import write_numbers
from translearn.authoring.reading import Lesson

# Lines; the code of a longer figure or explorer is folded away, one click from being read.
LONG = 6
DEFAULT_BUDGET = 90  # seconds of computing for a lesson


def notebook(lesson: Lesson, solved: bool) -> str:
    """The lesson as the text of a notebook file, with its solutions or without."""
    from translearn.exercises.engine import unmark, unsolve

    cells = []
    for cell in lesson.cells:
        kind, text = cell.kind, cell.text
        if kind == "markdown":
            text = write_numbers(lesson, cell)
        elif "ledger-only" in cell.tags:
            kind, text = "markdown", _folded(text)
        else:
            text = unmark(text) if solved else unsolve(text)
        metadata = {"tags": cell.tags} if cell.tags else {}
        if "explorer" in cell.tags and len(text.splitlines()) > LONG:
            metadata["jupyter"] = {"source_hidden": True}
        row = {
            "cell_type": kind,
            "id": cell.id,
            "metadata": metadata,
            "source": text.splitlines(keepends=True),
        }
        cells.append(row | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
        "translearn": {
            "budget_seconds": lesson.meta.get("budget_seconds", DEFAULT_BUDGET),
            "solved": solved,
            "build": handout.sources_hash(cells),
        },
    }
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _folded(code):
    names = " and ".join(re.findall(r'name="([\w.]+)"', code))
    return (
        f"<details><summary>How the ledger measured {names} (longer than a lesson should run)</summary>\n\n"
        f"```python\n{code}\n```\n\n</details>"
    )
