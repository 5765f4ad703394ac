"""Counting: which findings are right, and what a doctor's recall, precision and false alarms are.

**Accepted answers** were written down before any result. A row says: when this was planted, that
is right as well. "instead": it counts as having found the fault, since it names the same cause or
its remedy cures it. "beside": it is true of the run, a consequence, so naming it is no false
finding; but alone it has not found the fault. The condition is measured on the run, not diagnosed.
"""

from collections import Counter

import numpy as np

from translearn.bench.ward import faults, running

ANY = None  # whatever was planted

# (planted, also right, how it counts, when, why)
ACCEPTED = [
    ("rate too low", "stopped too early", "instead", "always",
     "training longer cures a rate that is too low, and no record can tell the two apart"),
    ("stopped too early", "rate too low", "instead", "always",
     "a larger rate cures a training that is too short, and no record can tell the two apart"),
    ("batch too small", "rate too high", "instead", "always",
     "the noise of a step is about rate / batch, and a smaller rate cures it as well"),
    ("rate too high", "dead units", "instead", "units are dead",
     "the rate is too high because it kills units"),
    ("shuffled pairs", "wrong labels", "instead", "always",
     "shuffled labels are wrong labels, nearly all of them"),
    ("batch normalisation in training mode", "batch too small", "instead", "batch is small",
     "the statistics of four examples are what does the harm, and a larger batch cures it"),
    ("forgotten recompile", "everything frozen", "beside", "always",
     "to the optimiser, what it was not told of is still frozen"),
    ("batch too small", "stopped too early", "beside", "always",
     "its epochs are cut, to keep it cheap"),
    (ANY, "dead units", "beside", "units are dead", "it is true, whatever the cause"),
    (ANY, "collapse to the majority", "beside", "one class is all it answers",
     "it is true, whatever the cause"),
    (ANY, "overfitting", "beside", "validation loss rose",
     "it is true of the run, whatever the cause"),
]  # fmt: skip


def holds(when: str, kept: dict) -> bool:
    """Whether the condition of a row of `ACCEPTED` holds for a run."""
    return {
        "always": True,
        "units are dead": kept["dead"] >= running.DEAD,
        "one class is all it answers": kept["largest class"] >= running.ONE_CLASS,
        "validation loss rose": running.rose(kept),
        "batch is small": kept.get("batch size", 99) <= 4,
    }[when]


def right(kept: dict) -> tuple:
    """(names that find the planted fault, names that are true as well) for a sick run."""
    finds, true = {kept["fault"]}, {kept["fault"]}
    for planted, name, counts, when, _ in ACCEPTED:
        if planted in (ANY, kept["fault"]) and holds(when, kept):
            true.add(name)
            if counts == "instead":
                finds.add(name)
    return finds, true


def judged(runs: list, doctor) -> list:
    """What a doctor says of each run, held against what was planted.

    runs   kept runs of one seed, healthy ones and sick ones, all doses. A row has `program`,
           `planted`, `state` ("healthy", "sick", or "mild" for a planted fault that does not
           bite), `found` (names), `verdict`, `hit` (the fault was found) and `right` (names
           that are true of the run).
    """
    rows = []
    for kept in runs:
        names, verdict = doctor(kept)
        finds, true = right(kept) if kept["fault"] != "healthy" else (set(), set())
        rows.append({
            "program": kept["program"],
            "planted": kept["fault"],
            "state": state(kept, runs),
            "found": names,
            "verdict": verdict,
            "hit": bool(finds & set(names)),
            "right": sorted(true),
        })  # fmt: skip
    return rows


def state(kept: dict, runs: list) -> str:
    if kept["fault"] == "healthy":
        return "healthy"
    healthy = [
        each for each in runs
        if each["fault"] == "healthy" and each["program"] == kept["program"]
    ]  # fmt: skip
    return "sick" if running.bites(kept, healthy) else "mild"


def numbers(rows: list) -> dict:
    """Recall, precision, false alarms and more, of rows of `judged`.

    recall          share of the sick runs whose fault was found; "macro": mean over the faults
    precision       share of the names, on sick and healthy runs, that are right; 0 when there are
                    none. "macro": mean over the names that were given
    false alarms    share of the healthy runs that were called sick
    cannot tell     share of the sick and healthy runs
    called healthy  share of the sick runs
    Mild runs (the fault is there and does no harm) count in none of these; "mild called sick" is
    theirs.
    """
    sick, healthy, mild = (
        [row for row in rows if row["state"] == state] for state in ("sick", "healthy", "mild")
    )
    both = sick + healthy
    named = [(name, right) for row in both for name, right in _each(row)]
    by_fault = [
        np.mean([row["hit"] for row in sick if row["planted"] == fault])
        for fault in {row["planted"] for row in sick}
    ]
    by_name = [np.mean([r for n, r in named if n == name]) for name in {n for n, _ in named}]
    return {
        "recall": _mean([row["hit"] for row in sick]),
        "recall, macro": _mean(by_fault),
        "precision": _mean([right for _, right in named]),
        "precision, macro": _mean(by_name),
        "false alarms": _mean([row["verdict"] == "sick" for row in healthy]),
        "cannot tell": _mean([row["verdict"] == "cannot tell" for row in both]),
        "called healthy": _mean([row["verdict"] == "healthy" for row in sick]),
        "mild called sick": _mean([row["verdict"] == "sick" for row in mild]),
        "sick": len(sick),
        "healthy": len(healthy),
        "mild": len(mild),
    }


def _each(row):
    """(name, whether it is right) for each name that was given to a run."""
    return [(name, name in row["right"]) for name in row["found"]]


def _mean(values):
    return float(np.mean(values)) if len(values) else 0.0


PLANTED = ["healthy", *faults.FAULTS]  # the rows of a confusion matrix, and its columns
FOUND = [*faults.FAULTS, "nothing, healthy", "nothing, cannot tell"]


def confusion(rows: list) -> dict:
    """{"planted 03, found 05": how many runs}, by places in `PLANTED` and `FOUND`.

    Sick runs and healthy ones; a fault that did no harm is not counted.
    A run may have several findings; "nothing, healthy" and "nothing, cannot tell" count as one.
    Places, since a ledger that spelt the names out would be twice as long.
    """
    counts = Counter()
    for row in rows:
        for name in row["found"] or [f"nothing, {row['verdict']}"]:
            if row["state"] != "mild":
                counts[row["planted"], name] += 1
    return {
        f"planted {p:02d}, found {f:02d}": counts[planted, found]
        for p, planted in enumerate(PLANTED)
        for f, found in enumerate(FOUND)
    }


def wilson(hits: int, count: int) -> tuple:
    """The 95 % interval of a share (Wilson, 1927): (low, high)."""
    from scipy.stats import binomtest

    if not count:
        return 0.0, 1.0
    low, high = binomtest(hits, count).proportion_ci(method="wilson")
    return float(low), float(high)
