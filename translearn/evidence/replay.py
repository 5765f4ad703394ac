"""Evidence by replay: a recorded result is good as long as running it again gives it again.

`replay` runs one seed of each arm of an experiment, in a fresh process, with an empty cache, and
nothing before it but the cells that the experiment needs; what these take from other experiments
is read from the ledger. Each number is held against the ledger's row of that arm and seed. What
agrees is stamped anew; what does not is stale, and says by how much.
"""

import functools
import hashlib
import json
import multiprocessing
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from translearn import measure, paths
from translearn.authoring import read
from translearn.errors import CourseError
from translearn.evidence import ONE_THREAD, book, lessons, rests_on
from translearn.measure import experiment as measuring
from translearn.measure import ledger
from translearn.measure.claims import SMALLEST_SPREAD

ROUNDING = 1e-5  # relative: what one processor computes twice, on one thread, is closer than this
START = 12  # seconds before a fresh process computes: Python, TensorFlow, the lesson's data
CONFIDENCE = 0.999  # so many replays of unchanged code agree


# ---------------------------------------------------------------- one replay


class Replayer:
    """In the place of the ledger's recorder: one seed of each arm of one experiment; all others
    are read.
    """

    def __init__(self, name: str, seed: int):
        self.name, self.seed, self.runs = name, seed, []

    def run(self, experiment):
        if experiment.name == self.name:
            self.runs = [
                [arm, self.seed, *experiment.measure_one(arm, self.seed)]
                for arm in experiment.points
            ]
        return measure.recorded(experiment.name)

    def claim(self, name, text, row):
        """Claims are made when a lesson runs and when the ledger is measured, not here."""


def run_here(path: Path, name: str, seed: int) -> list:
    """Run one seed of each arm of an experiment here and now: [[arm, seed, {metric: value},
    seconds], …].
    """
    trees = lessons.trees_of(read(path)).get(name)
    if trees is None:
        raise CourseError(f"{path.stem} has no experiment named {name!r}.")
    player = measuring.recorder = Replayer(name, seed)
    try:
        lessons.run([rests_on.computing(tree) for tree in rests_on.needed(trees)], path)
    finally:
        measuring.recorder = None
    return player.runs


def _run_apart(path, name, seed, cache):
    """As `run_here`, in a process of its own that computes everything itself.

    Returns (runs, processor seconds, None) or (None, 0, what went wrong). Processor seconds, since
    a busy machine would make the next choice of so many minutes' worth a small one.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "runs.json"
        child = _processes().Process(target=_child, args=(path, name, seed, cache, out))
        child.start()
        child.join()
        found = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
        return (
            found.get("runs"),
            found.get("seconds", 0.0),
            found.get("error", f"it ended with {child.exitcode}"),
        )


@functools.cache
def _processes():
    """Processes that begin with TensorFlow imported, where the system can fork.

    It survives a fork after its import and before its first operation, and starting takes a
    fraction of a second instead of ten (Python's `forkserver`, see the docs of multiprocessing).
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["translearn.evidence.warm"])
    return context


def _child(path, name, seed, cache, out):
    os.environ |= {"MPLBACKEND": "agg", "TRANSLEARN_CACHE": cache}
    os.environ |= dict.fromkeys(ONE_THREAD, "1")  # TensorFlow looks at its first operation
    os.chdir(paths.NOTEBOOKS)
    with open(os.devnull, "w") as silence:  # what a lesson prints, and its progress bars
        os.dup2(silence.fileno(), 1)
        os.dup2(silence.fileno(), 2)
        try:
            found = {"runs": run_here(path, name, seed), "error": None}
            found["seconds"] = time.process_time()
        except BaseException as error:  # an interrupt too ends only this experiment
            found = {"error": f"{type(error).__name__}: {error}"}
    out.write_text(json.dumps(found), encoding="utf-8")


# ---------------------------------------------------------------- many of them


@dataclass
class Outcome:
    name: str
    seconds: float  # of a processor
    problems: list  # one sentence for each thing that does not agree; empty when all does


def replay(
    paths_of_lessons, only=(), everything=False, minutes=None, choose="", stamp=True
) -> list:
    """Replay the experiments of some lessons; returns an `Outcome` for each.

    only         names of experiments, such as `pretraining.contest`; all of the lessons' when
                 empty.
    everything   also those whose stamp is current.
    minutes      no more than fit into so much time, chosen at random, by the seconds that they
                 took before.
    choose       a text, such as a commit's id, that fixes this choice and the seed that each is
                 replayed with.
    stamp        renew the stamp of what agrees, at once: an interruption loses nothing.
    """
    todo = {}
    for path in paths_of_lessons:
        for name, now in lessons.experiments(read(path)).items():
            entry = ledger.read(name)["experiments"].get(name)
            current = book.vouched(entry, now)
            if (not only or name in only) and (everything or only or not current):
                todo[name] = (path, entry, now)
    if unknown := [name for name in only if name not in todo]:
        raise CourseError(f"The lessons asked for have no experiment named {', '.join(unknown)}.")
    if minutes is not None:
        fits = fitting(
            {n: expected(e) for n, (_, e, _) in todo.items() if e}, 60 * minutes, choose
        )
        todo = {name: todo[name] for name in fits}
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="translearn-replay-") as cache:
        for number, (name, (path, entry, now)) in enumerate(todo.items(), 1):
            outcomes.append(one(path, name, entry, now, choose, cache, stamp))
            said = f"{len(outcomes[-1].problems)} differ" if outcomes[-1].problems else "agrees"
            print(
                f"{number}/{len(todo)} {name}: {said} ({outcomes[-1].seconds:.0f} s)", flush=True
            )
            for problem in outcomes[-1].problems:
                print(f"    {problem}", flush=True)
    return outcomes


def one(path, name, entry, now, choose, cache, stamp) -> Outcome:
    if entry is None:
        return Outcome(name, 0.0, ["the ledger does not have it: measure it."])
    seed = seed_of(name, entry["seeds"], choose)
    runs, seconds, error = _run_apart(path, name, seed, cache)
    problems = (
        [f"it does not run: {error}"]
        if error
        else differences(entry, runs, like_ours(entry, seed))
    )
    if not problems and stamp:
        equal = not differences(entry, runs, same=True)
        book.stamp(name, now, seconds, equal=seed if equal else None)
    return Outcome(name, seconds, problems)


def _number(text):
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def seed_of(name: str, seeds: int, choose: str) -> int:
    """Which of the recorded seeds to replay: 0, or with `choose` one that this text picks."""
    return _number(f"{choose} {name} seed") % seeds if choose else 0


def expected(entry: dict) -> float:
    """How many seconds a replay will take: as many as the last one took, or what the ledger's
    first seed did.
    """
    if "seconds" in (entry.get("stamp") or {}):
        return entry["stamp"]["seconds"]
    return START + sum(run[3] for run in entry["runs"] if run[1] == 0)


def fitting(seconds: dict, limit: float, choose: str) -> list:
    """Names in a random order that `choose` fixes, as many as fit into `limit` seconds."""
    chosen = []
    for name in sorted(seconds, key=lambda name: _number(f"{choose} {name}")):
        if seconds[name] <= limit:
            chosen.append(name)
            limit -= seconds[name]
    return chosen


# ---------------------------------------------------------------- does it agree?


def like_ours(entry: dict, seed: int) -> bool:
    """Whether this very processor, with these packages, has already given an entry's numbers of
    this seed again to rounding (Python's version rounds nothing).

    Of one seed it does not follow for the others: what was measured on two threads may be equal
    for a seed that ends in the majority class, and for no other.
    """
    ours, stamp = book.versions(), entry.get("stamp") or {}
    theirs = {name: version for name, version in entry["versions"].items() if name != "python"}
    return (
        stamp.get("equal_on") == book.processor()
        and seed in stamp.get("equal_seeds", [])
        and all(ours.get(p) == v for p, v in theirs.items())
    )


def differences(entry: dict, runs: list, same: bool) -> list:
    """What does not agree between an entry and runs of one seed of each arm, one sentence each.

    same   whether the numbers have to be equal to rounding (see `like_ours`).

    **On a processor that has given this seed's before**: equal to `ROUNDING`, relative. How this
    was chosen: on one thread, unchanged code gave the recorded numbers again to 5e-9 in every
    experiment that was replayed; the ledger keeps eight digits. Two threads add in an order that
    chance decides, and other processors round convolutions differently: training magnifies either
    to as much as two spreads of an arm.

    **Elsewhere**: inside the prediction interval of one more run, from the arm's other seeds:
    mean ± t · s · sqrt(1 + 1/n) with n others (Hahn and Meeker, Statistical Intervals, 1991,
    section 4.7). Whether the seed decides a number or chance does all over again, it is one more
    draw like the others. t is taken at 1 - 0.001 / count (Bonferroni), so that 999 of 1,000
    replays of unchanged code agree where numbers spread normally; s is at least
    `SMALLEST_SPREAD`, as in a claim. This is a blunt tool for arms of five seeds.

    Times are only asked to be times. `tests/unit/test_replaying.py` simulates how large a change
    each rule sees.
    """
    recorded = {}
    for arm, seed, metrics, _ in entry["runs"]:
        recorded.setdefault(arm, {})[seed] = metrics
    if (arms := {run[0] for run in runs}) != recorded.keys():
        return [_unlike("arms", arms, recorded.keys())]
    problems, held = [], []
    for arm, seed, metrics, _ in runs:
        old = recorded[arm][seed]
        if metrics.keys() != old.keys():
            problems.append(_unlike(f"metrics of {arm}", metrics.keys(), old.keys()))
            continue
        for name, value in metrics.items():
            if not timing(name):
                others = [row[name] for s, row in recorded[arm].items() if s != seed]
                held.append((f"{arm}, {name}, seed {seed}", value, old[name], others))
            elif not (np.isfinite(value) and value >= 0):
                problems.append(f"{arm}, {name}: {value:g}, which is no time.")
    for what, value, old, others in held:
        low, high = _predicted(others, len(held))
        if not _equal(value, old) and (same or not low <= value <= high):
            problems.append(
                f"{what}: {value:.5g}, recorded {old:.5g}; one more run would lie between "
                f"{low:.5g} and {high:.5g}."
            )
    return problems


def timing(metric: str) -> bool:
    """Whether a metric is a time: it belongs to the machine, and only has to be one."""
    return "seconds" in metric


def _unlike(what, found, recorded):
    more = ", ".join(sorted(found - recorded)) or "none"
    fewer = ", ".join(sorted(recorded - found)) or "none"
    return f"the {what} are others: new {more}; no longer there {fewer}."


def _equal(value, old):
    return bool(np.isclose(value, old, rtol=ROUNDING, atol=0, equal_nan=True))


def _predicted(others, count):
    from scipy.stats import t

    if len(others) < 2 or not np.isfinite(others).all():  # the arm diverges for some seeds
        return -np.inf, np.inf
    n, spread = len(others), max(float(np.std(others, ddof=1)), SMALLEST_SPREAD)
    half = t.ppf(1 - (1 - CONFIDENCE) / count / 2, n - 1) * spread * np.sqrt(1 + 1 / n)
    return float(np.mean(others)) - half, float(np.mean(others)) + half
