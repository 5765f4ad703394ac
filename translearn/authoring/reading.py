"""Reading a source: a lesson or an assignment as its cells, each with its line in the file."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from translearn import paths
from translearn.errors import CourseError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class BuildError(CourseError):
    """A source that cannot be built: the message begins with file and line."""


@dataclass
class Cell:
    kind: str  # "code" or "markdown"
    text: str
    line: int  # of its first line in the source, from 1
    tags: list = field(default_factory=list)
    id: str = ""  # from the content, so that an edit changes one cell's and no other


@dataclass
class Lesson:
    path: Path
    cells: list
    meta: dict

    @property
    def name(self):
        return self.path.stem

    def fail(self, line, message):
        raise BuildError(f"{self.path.name}:{line}: {message}")


def read(path: Path) -> Lesson:
    """Read a lesson's source with jupytext, and find each cell's line, which jupytext does not
    keep.
    """
    import jupytext

    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="md:myst")
    lines = text.splitlines()
    cells, seen, at = [], {}, 0
    for cell in notebook.cells:
        own = cell.source.splitlines()
        blank = next((i for i, line in enumerate(own) if line.strip()), 0)
        first = own[blank] if own else ""
        while at < len(lines) and first and lines[at].strip() != first.strip():
            at += 1
        key = f"{cell.cell_type}\0{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        identity = hashlib.sha256(f"{path.stem}\0{key}\0{seen[key]}".encode()).hexdigest()[:12]
        cells.append(
            Cell(
                cell.cell_type,
                cell.source,
                at + 1 - blank,
                list(cell.metadata.get("tags", [])),
                identity,
            )
        )
        at += max(1, len(own) - blank)
    return Lesson(path, cells, dict(notebook.metadata.get("translearn", {})))


def sources() -> list:
    return sorted(paths.SOURCE.glob("[0-9][0-9]_*.md"))


def find(names) -> list:
    """The sources that `05`, `05_freezing` or nothing at all (every lesson) names."""
    every = sources()
    if not names:
        return every
    found = []
    for name in names:
        hits = [s for s in every if s.stem == name or s.stem.startswith(f"{name}_")]
        if not hits:
            raise CourseError(
                f"There is no lesson {name!r}. The lessons are: "
                f"{', '.join(s.stem for s in every)}."
            )
        found += hits
    return found
