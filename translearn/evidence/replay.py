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

ROUNDING = 1e-3  # relative: a number printed to three digits stays the same
SPREADS = 1.0  # how far rounding may carry one number of a trained network, in spreads of its arm
FAR = 0.1  # of an experiment's numbers may be off by more, as those of an arm that diverges
TOGETHER = 0.1  # how far it may carry the others together, as the mean of their squares
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
    stamp        renew the stamp of what agrees and was not current, at once: an interruption loses
                 nothing.
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
    runs, seconds, error = _run_apart(path, name, seed_of(name, entry["seeds"], choose), cache)
    problems = (
        [f"it does not run: {error}"] if error else differences(entry, runs, like_ours(entry))
    )
    if not problems and stamp and not book.vouched(entry, now):
        book.stamp(name, now, seconds)
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


def like_ours(entry: dict) -> bool:
    """Whether an entry was measured on this kind of machine with these packages (Python's version
    rounds nothing).
    """
    ours = book.versions()
    theirs = {name: version for name, version in entry["versions"].items() if name != "python"}
    return entry["hardware"] == book.hardware() and all(
        ours.get(p) == v for p, v in theirs.items()
    )


def differences(entry: dict, runs: list, same: bool) -> list:
    """What does not agree between an entry and runs of one seed of each arm, one sentence each.

    same   whether machine and packages are of the kind that the entry was measured with.

    **The same kind of machine**: equal to rounding, that is to a thousandth of the number.
    Training
    magnifies rounding, though, so a number may be off by `SPREADS` of its arm's spread over the
    seeds; a share `FAR` of an experiment's numbers by more, inside the interval below (an arm that
    diverges at every rounding); and the others together by no more than a sum of squares (in
    spreads) of 1 + `TOGETHER` · their count, so that a small change of everything is seen too.

    How this was chosen: ten experiments were replayed with the very code that had measured them,
    on
    another machine of the same description. The 120 numbers of seven of them (heads, probes,
    NumPy, a language model) came out equal. Three train convolutions, and processors round these
    differently: at sensible rates numbers were off by 0.00 to 0.68 spreads (root mean square
    0.16),
    in an arm with a hundred times the sensible rate by up to 2.1, 3 of its 104 numbers by more
    than one. On one machine, what was run twice gave the same numbers twice, and so did a lesson
    whose code had been rewritten.

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
    spreads = _spreads(recorded)
    for arm, seed, metrics, _ in runs:
        old = recorded[arm][seed]
        if metrics.keys() != old.keys():
            problems.append(_unlike(f"metrics of {arm}", metrics.keys(), old.keys()))
            continue
        for name, value in metrics.items():
            if not timing(name):
                others = [row[name] for s, row in recorded[arm].items() if s != seed]
                what = f"{arm}, {name}, seed {seed}"
                held.append((what, value, old[name], spreads[arm, name], others))
            elif not (np.isfinite(value) and value >= 0):
                problems.append(f"{arm}, {name}: {value:g}, which is no time.")
    total, far = 0.0, []
    for what, value, old, spread, others in held:
        off = _off(value, old, spread)
        low, high = _predicted(others, len(held))
        inside = low <= value <= high
        said = (
            f"{what}: {value:.5g}, recorded {old:.5g} ({off:.1f} spreads off); one more run would "
            f"lie between {low:.5g} and {high:.5g}."
        )
        if same and off <= SPREADS:
            total += off**2
        elif same and inside and spread > 0:
            far.append(said)
        elif same or off and not inside:
            problems.append(said)
    if len(far) > FAR * len(held):
        problems += far
    if same and not problems and total > 1 + TOGETHER * len(held):
        problems.append(
            f"together, the {len(held)} numbers are off by {np.sqrt(total / len(held)):.2f} "
            "spreads (root mean square)."
        )
    return problems


def _spreads(recorded) -> dict:
    """(arm, metric) → standard deviation over the seeds.

    At least half of what is usual for this metric in the other arms, since five seeds may lie
    close
    together by chance; 0 where all are equal, NaN where one is no number.
    """
    found = {}
    for arm, by_seed in recorded.items():
        for name in next(iter(by_seed.values())):
            values = [row[name] for row in by_seed.values()]
            found[arm, name] = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    usual = {
        name: np.median([s for (_, n), s in found.items() if n == name and s > 0] or [0.0])
        for _, name in found
    }
    return {(arm, n): max(s, usual[n] / 2) if s > 0 else s for (arm, n), s in found.items()}


def timing(metric: str) -> bool:
    """Whether a metric is a time: it belongs to the machine, and only has to be one."""
    return "seconds" in metric


def _unlike(what, found, recorded):
    more = ", ".join(sorted(found - recorded)) or "none"
    fewer = ", ".join(sorted(recorded - found)) or "none"
    return f"the {what} are others: new {more}; no longer there {fewer}."


def _off(value, old, spread):
    """How many spreads a number is off; 0 when it is equal to rounding, infinite where there is no
    spread.
    """
    if np.array_equal(value, old, equal_nan=True) or abs(value - old) <= ROUNDING * abs(old):
        return 0.0
    if np.isnan(spread):  # an arm that diverges for some seeds: it must do so for the same
        return 0.0 if np.isnan(value) == np.isnan(old) else np.inf
    return float(abs(value - old) / spread) if spread > 0 else np.inf


def _predicted(others, count):
    from scipy.stats import t

    if len(others) < 2 or not np.isfinite(others).all():  # it diverges for some seeds
        return -np.inf, np.inf
    n, spread = len(others), max(float(np.std(others, ddof=1)), SMALLEST_SPREAD)
    half = t.ppf(1 - (1 - CONFIDENCE) / count / 2, n - 1) * spread * np.sqrt(1 + 1 / n)
    return float(np.mean(others)) - half, float(np.mean(others)) + half
