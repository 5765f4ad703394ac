"""What was measured: kept while it is being measured, so that the command carries on, and then
recorded in `data/graders.json`.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
from datetime import date
from pathlib import Path

import psutil

from translearn import paths
from translearn.bench.grading import otter_environment, tables
from translearn.errors import CourseError

RECORD = paths.DATA / "graders.json"
README = paths.ROOT / "README.md"
MARKS = ("<!-- the graders, measured -->\n", "\n<!-- until here -->")
VERSIONS = ("nbgrader", "nbclient", "ipykernel", "tensorflow-cpu")


def sources() -> str:
    """A digest of what the numbers rest on: the grading, and this benchmark."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[2]
    for part in ("coursework", "bench/grading"):
        for path in sorted((package / part).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Kept:
    """Findings of runs that are over: a line of JSON each, in a file for these settings."""

    def __init__(self, settings: dict, fresh: bool = False):
        name = hashlib.sha256(json.dumps([settings, sources()]).encode()).hexdigest()[:12]
        self.path = paths.cache() / "bench" / "grading" / f"{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            self.path.unlink(missing_ok=True)

    def rows(self) -> list:
        found = []
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else ()
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:  # the last one, when the machine stopped in the middle of it
                pass
        return found

    def add(self, row: dict) -> None:
        whole = not self.path.exists() or self.path.read_bytes().endswith(b"\n")
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(("" if whole else "\n") + json.dumps(row) + "\n")


def about(settings: dict) -> dict:
    """The machine, the versions and the day."""
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    return settings | {
        "measured": date.today().isoformat(),
        "hardware": {
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "system": platform.system(),
        },
        "versions": {"python": platform.python_version()}
        | versions
        | {"otter-grader": otter_environment.VERSION},
        "rests_on": sources(),
    }


def write(settings: dict, rows: list) -> None:
    """Write the record, and its tables into the README."""
    book = about(settings) | {"runs": rows}
    text = json.dumps(book, indent=None, separators=(", ", ": "), ensure_ascii=False)
    text = text.replace('{"grader"', '\n{"grader"')  # a run a line, so that a change shows
    RECORD.write_text(text + "\n", encoding="utf-8", newline="\n")
    text = README.read_text(encoding="utf-8")
    README.write_text(in_readme(text, book), encoding="utf-8", newline="\n")


def in_readme(text: str, book: dict | None) -> str:
    """The README with the tables of a record between its two marks; nothing there without one."""
    head, mark, rest = text.partition(MARKS[0])
    between, end, tail = rest.partition(MARKS[1])
    if not mark or not end:
        raise CourseError(f"README.md should have a place for the graders: {' and '.join(MARKS)}.")
    shown = f"\n{tables.summary(book)}\n" if book else ""
    return head + mark + shown + end + tail


def read() -> dict:
    """The record. Raises `CourseError` when there is none."""
    try:
        return json.loads(RECORD.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(
            "The graders have not been measured yet. Do it: python3 course.py bench grading "
            "--hostile --record"
        ) from None
