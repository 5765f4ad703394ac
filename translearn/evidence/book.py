"""Writing the ledger, `data/ledger/<lesson>.json`; `translearn.measure.ledger` reads it.

An experiment's entry:

    budget, seeds, measured (date), seconds, versions, hardware
    runs       one [arm, seed, {metric: value}, seconds] for each; a run a line, so that a changed
               result is a changed line
    rests_on   what the numbers rest on (see `rests_on.of`), as it was when they were measured or
               last replayed
    stamp      {"how": "measured" or "replayed", "date"}; with the processor it is "equal_on" and
               the "equal_seeds", which a replay has given again to rounding; a replay's with the
               "seconds" that it took; null before the first
"""

import datetime
import json
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from translearn.evidence.rests_on import PACKAGES
from translearn.measure import ledger


def put_experiment(name: str, runs: list, budget: str, seeds: int, rests_on: dict) -> None:
    """Write an experiment that has just been measured, in place of an older entry."""
    today, seconds = datetime.date.today().isoformat(), round(sum(run[3] for run in runs), 1)
    entry = {
        "budget": budget,
        "seeds": seeds,
        "measured": today,
        "rests_on": rests_on,
        "stamp": {"how": "measured", "date": today},
        "versions": versions(),
        "hardware": hardware(),
        "seconds": seconds,
        "runs": [
            [arm, seed, _short(metrics), round(spent, 3)] for arm, seed, metrics, spent in runs
        ],
    }
    _change(name, lambda book: book["experiments"].update({name: entry}))


def _short(metrics):
    return {name: float(f"{value:.8g}") for name, value in metrics.items()}


def stamp(name: str, rests_on: dict, seconds: float, equal: int | None = None) -> None:
    """Renew an entry's stamp: a replay has given the recorded runs again, which stay.

    equal   the seed that was given again to rounding, on this processor: from now on it has to be
            so here. Other seeds of which this is known stay so.
    """

    def renew(book):
        entry = book["experiments"][name]
        known = entry["stamp"] or {}
        seeds = set(known.get("equal_seeds", []) if known.get("equal_on") == processor() else [])
        seeds |= set() if equal is None else {equal}
        here = {"equal_on": processor(), "equal_seeds": sorted(seeds)} if seeds else {}
        entry |= {
            "rests_on": rests_on,
            "stamp": {
                "how": "replayed",
                "date": datetime.date.today().isoformat(),
                "seconds": round(seconds, 1),
                **here,
            },
        }

    _change(name, renew)


def stamped(entry: dict) -> dict | None:
    """What an entry's stamp vouches for: its `rests_on`; None without a stamp."""
    return entry["rests_on"] if entry.get("stamp") else None


def vouched(entry: dict | None, rests_on: dict) -> bool:
    """Whether an entry was measured or replayed with all that it rests on as it is now."""
    return bool(entry) and stamped(entry) == rests_on


def is_current(name: str, seeds: int, rests_on: dict) -> bool:
    """Whether the ledger has this experiment, with as many seeds and as it is now, so that
    measuring can pass it by.
    """
    entry = ledger.read(name)["experiments"].get(name)
    return bool(entry) and stamped(entry) == rests_on and entry["seeds"] >= seeds


def put_claim(name: str, text: str, row: dict) -> None:
    """Write a claim that the experiment `name` bears out."""
    _change(name, lambda book: book["claims"].update({text: row}))


def put_claims(names: list, rows: list) -> None:
    """Write the claims (name, text, row) of a lesson with these experiments in place of its old
    ones.
    """
    for lesson in {name.split(".")[0] for name in names}:
        mine = {text: row for name, text, row in rows if name.split(".")[0] == lesson}
        _change(lesson, lambda book, mine=mine: book.update(claims=mine))


def prepare(names: list, again=()) -> None:
    """Make a lesson's files ready to be measured into.

    What is not among `names` any more goes, and what is among `again`; the claims go too, and are
    made anew.
    """
    for name in {n.split(".")[0]: n for n in names}.values():

        def change(book):
            book["experiments"] = {
                n: e for n, e in book["experiments"].items() if n in names and n not in again
            }
            book["claims"] = {}

        _change(name, change)


def _change(name, change):
    book = ledger.read(name)
    change(book)
    write(ledger.file(name), book)


def write(path, book: dict) -> None:
    """Write a ledger file, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        book | {"format": ledger.FORMAT}, indent=1, ensure_ascii=False, sort_keys=True
    )
    text = re.sub(
        r'\[\s+("[^"]*"),\s+(\d+),\s+(\{[^}]*\}),\s+([\d.e-]+)\s+\]',
        lambda m: f"[{m[1]}, {m[2]}, {' '.join(m[3].split())}, {m[4]}]",
        text,
    )
    text = re.sub(r"\[(\s+\d+,?)+\s+\]", lambda m: f"[{' '.join(m[0][1:-1].split())}]", text)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(text + "\n", encoding="utf-8")
    os.replace(scratch, path)


def versions() -> dict:
    """The installed version of Python and of each package that makes numbers."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, "tensorflow-cpu"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass  # one of the two TensorFlows
    return found


def processor() -> str:
    """The model of the processor, as far as the system tells: it decides how numbers are
    rounded.
    """
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    told = dict(re.findall(r"^([a-z ]+?)\s*: (.+)$", text, re.MULTILINE))
    if "model name" not in told:
        return platform.processor() or platform.machine()
    return f"{told['model name']}, family {told['cpu family']}, model {told['model']}"


def hardware() -> dict:
    """The machine, as far as rounding and speed depend on it."""
    import psutil

    memory = round(psutil.virtual_memory().total / 2**30)
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "memory_gib": memory,
    }
