"""Reading the ledger: what was measured, with what is needed to trust and repeat it.

One JSON file for each lesson, `data/ledger/<lesson>.json`, with its experiments (every run of
every arm) and the claims that rest on them. An experiment is named `lesson.experiment`. It is
written by `translearn.evidence`.
"""

import functools
import json
from pathlib import Path

from translearn import paths
from translearn.errors import CourseError

FORMAT = 2


def file(name: str) -> Path:
    return paths.LEDGER / f"{name.split('.')[0]}.json"


def read(name: str) -> dict:
    """The whole file that an experiment of this name belongs into; empty when there is none yet.

    What it returns is the caller's to change. Raises `CourseError` when the file is damaged.
    """
    path = file(name)
    if not path.exists():
        return {"format": FORMAT, "experiments": {}, "claims": {}}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CourseError(
            f"The ledger file {path.name} is damaged. "
            f"Restore it: git checkout data/ledger/{path.name}"
        ) from None


@functools.lru_cache(maxsize=16)
def _read_once(name, state):
    """As `read`, parsed once for each state of the file: a lesson's prose asks very often."""
    return read(name)


def experiment(name: str) -> dict:
    """The entry of an experiment: budget, seeds, measured, rests_on, stamp, versions, hardware,
    seconds, runs.

    A run is [arm, seed, {metric: value}, seconds]. Raises `CourseError` when there is no such
    experiment.
    """
    path = file(name)
    state = (str(path), *path.stat()[6:9]) if path.exists() else None
    entries = _read_once(name.split(".")[0], state)["experiments"]
    if name not in entries:
        raise CourseError(
            f"The ledger has no experiment named {name!r}. Measure it: python3 course.py measure."
        )
    return entries[name]
