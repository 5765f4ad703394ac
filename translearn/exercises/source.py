"""The exercise's cell in the lesson's source, where its solution stands, and nowhere else."""

import ast
import functools
import re
import sys
import textwrap
from pathlib import Path

from translearn import paths
from translearn.errors import CourseError

CELL = re.compile(r"^(`{3,})\{code-cell\}[^\n]*\n(.*?)^\1[ \t]*$", re.M | re.S)
HEADER = re.compile(r"\A(?:---\n.*?^---\n|(?::[^\n]*\n)+)", re.M | re.S)  # a cell's tags
BEGIN = "### BEGIN SOLUTION"
SOLUTION = re.compile(
    rf"^([ \t]*){BEGIN}[ \t]*\n(.*?)^[ \t]*### END SOLUTION[ \t]*(?:\n|\Z)", re.M | re.S
)


def cell(module: str, name: str) -> str:
    """The last cell with a solution above the call of `exercise.NAME.check(`, markers and all.

    `module` is the exercises' module; the file is `notebooks/source/NN_*.md` of its lesson, or its
    own `SOURCE`. Raises `CourseError` when the file or the cell is not there.
    """
    file = _file(module)
    marked = ""
    for text in _cells(file, file.stat().st_mtime_ns):
        if f"exercise.{name}.check(" in text and marked:
            return marked
        if BEGIN in text:
            marked = text
    raise CourseError(f"{file.name} has no cell with a solution before exercise.{name}.check(…).")


def _file(module: str) -> Path:
    own = getattr(sys.modules.get(module), "SOURCE", None)
    number = re.fullmatch(r"lesson(\d\d)", module.rpartition(".")[2])
    found = [own] if own else sorted(paths.SOURCE.glob(f"{number[1]}_*.md")) if number else []
    if not found or not Path(found[0]).is_file():
        raise CourseError(
            f"The source of {module.rpartition('.')[2]}, which holds its solutions, is "
            "missing: "
            "the folder notebooks/source belongs beside translearn. Get the course anew."
        )
    return Path(found[0])


@functools.lru_cache(maxsize=4)
def _cells(file, changed) -> list:
    text = file.read_text(encoding="utf-8")
    return [HEADER.sub("", found[2]).strip("\n").rstrip() for found in CELL.finditer(text)]


def unmark(source: str) -> str:
    """The cell solved: the marker lines gone, everything else as it stands."""
    return SOLUTION.sub(r"\2", source).strip("\n")


def unsolve(source: str) -> str:
    """The cell as a learner gets it: every marked stretch becomes `...` at its indentation.

    Outside a function, the plain names that the stretch assigns stay (`rate = ...`), so that the
    check below finds them.
    """

    def blank(match):
        statements = ast.parse(textwrap.dedent(match[2])).body if not match[1] else []
        names = [
            name.id
            for s in statements
            if isinstance(s, ast.Assign)
            for target in s.targets
            for name in ast.walk(target)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        ]
        return "".join(f"{name} = ...\n" for name in dict.fromkeys(names)) or f"{match[1]}...\n"

    return SOLUTION.sub(blank, source).strip("\n")
