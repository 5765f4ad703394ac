"""Tables for people: on the terminal, and as files that a spreadsheet opens."""

import csv
import io
import re

from translearn.coursework.instructor.folder import write

# What makes a cell a formula, in either width, where a cell may begin: at the start, or behind
# anything that one may tell a spreadsheet to separate by.
FORMULA = re.compile(r"(^|[\s,;:|\"])(?=[=+\-@＝＋－＠])(?!.$)")
FORMULA_TAMED = re.compile(r"(^|[\s,;:|\"])'(?=[=+\-@＝＋－＠])")


def tame(value):
    """A cell that no spreadsheet takes for a formula, however it is told to separate: file names
    and answers are typed by students. Numbers stay numbers.
    """
    if not isinstance(value, str):
        return value
    return FORMULA.sub(r"\1'", " ".join(value.split()))


def wild(text: str) -> str:
    """A cell as it was before `tame`."""
    return FORMULA_TAMED.sub(r"\1", text)


def save(path, rows, columns) -> None:
    """Write rows (dictionaries) as a table with commas; None is an empty cell.

    columns   which, and in which order; one that is named twice stands once
    """
    columns = list(dict.fromkeys(columns))
    text = io.StringIO()
    table = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows({key: tame(value) for key, value in row.items()} for row in rows)
    write(path, text.getvalue())


def show(rows, columns) -> str:
    """Rows as plain text, aligned; a long cell is cut."""
    cells = [
        ["" if row.get(c) is None else " ".join(str(row[c]).split())[:160] for c in columns]
        for row in rows
    ]
    cells.insert(0, columns)
    wide = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, wide)).rstrip() for row in cells
    )
