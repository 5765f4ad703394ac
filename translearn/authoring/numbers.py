"""Numbers in prose come from the ledger: `{{ experiment.arm.metric | percent }}`."""

import math
import re

from translearn.errors import CourseError
from translearn.words import _

REFERENCE = re.compile(r"\{\{(?! time \}\})(.+?)\}\}")  # {{ time }} is the estimate of minutes
FILTERS = {
    "percent": lambda m, s: f"{100 * m:.0f} %",
    "percent1": lambda m, s: f"{100 * m:.1f} %",
    "percent_spread": lambda m, s: f"{100 * m:.1f} ± {100 * s:.1f} %",
    "points": lambda m, s: _("{number:.0f} points", number=abs(100 * m)),
    "points1": lambda m, s: _("{number:.1f} points", number=abs(100 * m)),
    "times": lambda m, s: _("{number} times", number=f"{m:.{1 if m < 10 else 0}f}"),
    "seconds": lambda m, s: f"{m:.2g} s" if m < 10 else f"{m:.0f} s",
    "number": lambda m, s: f"{m:.3g}",
    "spread": lambda m, s: _plus_minus(m, s),
    "count": lambda m, s: f"{m:,.0f}",
    "median": lambda m, s: f"{m:,.5g}",  # for what a single run can drag far: the middle run
}


def _plus_minus(mean, spread):
    """Two digits of the spread, and the mean to the same place: 67 ± 12, 0.039 ± 0.010."""
    places = max(0, 1 - math.floor(math.log10(spread))) if spread > 0 else 3
    return f"{mean:,.{places}f} ± {spread:,.{places}f}"


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def number(reference: str) -> str:
    """What a reference such as `taste.labels.pretrained.accuracy | percent` stands for.

    A reference is `experiment.arm.metric`, or two of them joined by `-` or `/` (seed by seed), and
    a filter; `experiment.seeds` is the number of seeds. Raises `CourseError` naming what is
    unknown.
    """
    import numpy as np

    from translearn.measure import ledger

    body, _, filter_name = (part.strip() for part in reference.partition("|"))
    filter_name = filter_name or "number"
    if filter_name not in FILTERS:
        raise CourseError(f"unknown filter {filter_name!r}; there are {', '.join(FILTERS)}.")
    if body.endswith(".seeds"):
        return f"{ledger.experiment(body.removesuffix('.seeds'))['seeds']}"
    parts = re.split(r"\s+([-/])\s+", body)
    if len(parts) not in (1, 3):
        raise CourseError("a reference joins two numbers at most.")
    values = _values(parts[0])
    if len(parts) == 3 and len(values) != len(_values(parts[2])):
        raise CourseError("both numbers need the same seeds: they are taken seed by seed.")
    if len(parts) == 3:
        values = values - _values(parts[2]) if parts[1] == "-" else values / _values(parts[2])
    middle = np.median(values) if filter_name == "median" else np.mean(values)
    return FILTERS[filter_name](float(middle), float(np.std(values, ddof=1)))


def _values(reference):
    """One value for each seed, in the order of the seeds.

    Read from the ledger's runs as they stand: a lesson's prose asks hundreds of times, and a table
    for each would be most of the time that building takes.
    """
    import numpy as np

    from translearn.measure import ledger

    parts = reference.split(".")
    if len(parts) != 4:
        raise CourseError(f"{reference!r} should be lesson.experiment.arm.metric.")
    runs = ledger.experiment(".".join(parts[:2]))["runs"]
    arm = _named("arm", parts[2], [run[0] for run in runs])
    runs = sorted((run for run in runs if run[0] == arm), key=lambda run: run[1])
    metrics = {name: [run[2].get(name) for run in runs] for run in runs for name in run[2]}
    metrics = {"seconds": [run[3] for run in runs]} | metrics
    return np.array(metrics[_named("metric", parts[3], [*metrics])], dtype=float)


def _named(what, sought, names):
    found = {slug(name): name for name in names}
    if sought not in found:
        raise CourseError(f"unknown {what} {sought!r}; there are {', '.join(found)}.")
    return found[sought]


def write_numbers(lesson, cell):
    lines = []
    for offset, line in enumerate(cell.text.splitlines()):

        def put(match, at=cell.line + offset):
            try:
                return number(match[1])
            except CourseError as error:
                lesson.fail(at, f"'{match[0]}': {error}")

        lines.append(REFERENCE.sub(put, line))
        if "{{" in lines[-1].replace("{{ time }}", ""):
            lesson.fail(cell.line + offset, "a reference {{ … }} stands on one line.")
    return "\n".join(lines)
