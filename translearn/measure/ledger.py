"""The ledger: what was measured, with what is needed to trust and repeat it.

One JSON file for each lesson, `data/ledger/<lesson>.json`, with its experiments (every run of every arm) and
the claims that rest on them. An experiment is named `lesson.experiment`.
"""

import datetime
import json
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from translearn import paths
from translearn.errors import CourseError

FORMAT = 1
CODE = "TRANSLEARN_CODE_"  # + experiment: the fingerprint of its code, which the measuring command knows


def file(name: str) -> Path:
    return paths.LEDGER / f"{name.split('.')[0]}.json"


def read(name: str) -> dict:
    """The whole file that an experiment of this name belongs into; empty when there is none yet.

    Raises `CourseError` when the file is damaged.
    """
    path = file(name)
    if not path.exists():
        return {"format": FORMAT, "experiments": {}, "claims": {}}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CourseError(
            f"The ledger file {path.name} is damaged. Restore it: git checkout data/ledger/{path.name}"
        ) from None


def experiment(name: str) -> dict:
    """The entry of an experiment: budget, seeds, measured, code, versions, hardware, seconds, runs.

    A run is [arm, seed, {metric: value}, seconds]. Raises `CourseError` when there is no such experiment.
    """
    entries = read(name)["experiments"]
    if name not in entries:
        raise CourseError(
            f"The ledger has no experiment named {name!r}. Measure it: python3 course.py measure."
        )
    return entries[name]


def put_experiment(name: str, runs: list, budget: str, seeds: int) -> None:
    """Write an experiment's runs, in place of older ones."""
    entry = {
        "budget": budget,
        "seeds": seeds,
        "measured": datetime.date.today().isoformat(),
        "code": os.environ.get(code_variable(name), ""),
        "versions": versions(),
        "hardware": hardware(),
        "seconds": round(sum(run[3] for run in runs), 1),
        "runs": runs,
    }
    _change(name, lambda book: book["experiments"].update({name: entry}))


def is_current(name: str, seeds: int) -> bool:
    """Whether the ledger has this experiment from the code as it is now, so that measuring can go on behind it."""
    entry = read(name)["experiments"].get(name)
    code = os.environ.get(code_variable(name))
    return bool(entry and code) and entry["code"] == code and entry["seeds"] >= seeds


def put_claim(name: str, text: str, row: dict) -> None:
    """Write a claim that the experiment `name` bears out."""
    _change(name, lambda book: book["claims"].update({text: row}))


def prepare(names: list, again: bool = False) -> None:
    """Make a lesson's files ready to be measured into.

    What is not among `names` any more goes, and so do the claims, which are made anew; with `again`, all goes.
    """
    for name in {n.split(".")[0]: n for n in names}.values():

        def change(book):
            book["experiments"] = {
                n: entry for n, entry in book["experiments"].items() if n in names and not again
            }
            book["claims"] = {}

        _change(name, change)


def code_variable(name: str) -> str:
    return CODE + re.sub(r"\W", "_", name)


def _change(name, change):
    book = read(name)
    change(book)
    path = file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True)
    # One run a line: a changed result is then a changed line.
    text = re.sub(
        r'\[\s+("[^"]*"),\s+(\d+),\s+(\{[^}]*\}),\s+([\d.e-]+)\s+\]',
        lambda m: f"[{m[1]}, {m[2]}, {' '.join(m[3].split())}, {m[4]}]",
        text,
    )
    scratch = path.with_suffix(".tmp")
    scratch.write_text(text + "\n", encoding="utf-8")
    os.replace(scratch, path)


def versions() -> dict:
    found = {"python": platform.python_version()}
    for package in ("keras", "tensorflow", "tensorflow-cpu", "numpy", "scikit-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass  # one of the two TensorFlows
    return found


def hardware() -> dict:
    import psutil

    memory = round(psutil.virtual_memory().total / 2**30)
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "memory_gib": memory,
    }
