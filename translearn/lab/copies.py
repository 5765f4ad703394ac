"""The reader's own copies of the lessons. `course.py lab` opens these, so that working in a lesson
changes no file that git keeps, and a pull never meets somebody's answers.
"""

import json
import os
from pathlib import Path

from translearn import paths
from translearn.authoring.handout import worked_in


def folder() -> Path:
    """`work` beside the course; in the cache where the course's folder may only be read."""
    place = paths.ROOT if os.access(paths.ROOT, os.W_OK) else paths.cache()
    return place / "work"


def lay_out(work: Path, course: Path = paths.NOTEBOOKS) -> list[str]:
    """Bring lessons, solutions and glossary into `work`, and what has changed in the course.

    A notebook that the reader has run or edited is never touched. Returns the names of those of
    which the course has another version by now.
    """
    kept = []
    pages = [*course.glob("[0-9][0-9]_*.ipynb"), *course.glob("solutions/*.ipynb")]
    for page in [*sorted(pages), course / "glossary.md"]:
        copy, new = work / page.relative_to(course), page.read_bytes()
        if copy.suffix == ".ipynb" and copy.exists():
            theirs, ours = _read(copy.read_bytes()), _read(new)
            if theirs is None or worked_in(theirs):
                if theirs is None or _build(theirs) != _build(ours):
                    kept.append(str(copy.relative_to(work)))
                continue
        if not copy.exists() or copy.read_bytes() != new:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(new)
    return kept


def _read(text):
    try:
        book = json.loads(text)
        return book if {"cells", "metadata"} <= book.keys() else None
    except (ValueError, AttributeError):
        return None


def _build(book):
    return book["metadata"].get("translearn", {}).get("build")
