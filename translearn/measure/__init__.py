"""Fair experiments, the ledger of measured results, and claims that are asserted.

`compare` runs every arm with the same seeds and keeps each finished run. `claim` asserts what a lesson
says about the result that has just been measured, with a margin taken from the ledger: the same
experiment run with more seeds beforehand, whose numbers the prose quotes.
"""

import json
import os
import random
import re
import time
import uuid
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from translearn import content, paths
from translearn.errors import CourseError
from translearn.measure import ledger

CONFIDENCE = 0.999  # a claim must hold in 999 of 1,000 repetitions
TIMINGS = ("seconds",)  # depend on the machine: their direction is asserted, never their size
# Two machines round differently, so a spread of exactly zero would turn a rounding error into a failure.
SMALLEST_SPREAD = 0.005


class ClaimFailed(AssertionError):
    """What the lesson says did not happen in the run that was just measured."""

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]


# ---------------------------------------------------------------- results


@dataclass(frozen=True)
class Effect:
    """One number for each seed: a metric of one arm, or the paired difference or ratio of two arms.

    `effect > 0.1`, `effect < 2` and `effect.within(0.03)` make the condition that `claim` asserts.
    """

    name: str
    values: tuple
    spec: tuple  # (kind, arms…, metric), enough to compute the same thing from the ledger
    experiment: str | None = None
    live_seeds: int = (
        3  # how many a lesson runs: what a claim that is being recorded will have to stand
    )

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds (with n - 1)."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else float("nan")

    def __gt__(self, bound):
        return Condition(self, float(bound), np.inf)

    def __lt__(self, bound):
        return Condition(self, -np.inf, float(bound))

    def within(self, bound):
        """The effect is smaller than `bound` in either direction."""
        return Condition(self, -float(bound), float(bound))

    def __repr__(self):
        return f"{self.name}: {self.mean:.3g} ± {self.spread:.2g} ({len(self.values)} seeds)"


@dataclass(frozen=True)
class Condition:
    effect: Effect
    low: float
    high: float

    def __bool__(self):  # `0 < effect < 1` and `a and b` would silently drop the first half
        raise CourseError(
            "A condition has no truth value. Make one claim for each bound, or use effect.within(…)."
        )


@dataclass
class Results:
    """What `compare` measured.

    `table` is tidy, one row for each (arm, seed, metric): columns arm, seed, metric, value, seconds
    (wall-clock seconds of that run).
    """

    table: pd.DataFrame
    budget: str = ""
    name: str | None = None
    live_seeds: int = 3

    @property
    def arms(self) -> list:
        return list(dict.fromkeys(self.table["arm"]))

    @property
    def metrics(self) -> list:
        return list(dict.fromkeys(self.table["metric"]))

    @property
    def seeds(self) -> int:
        return self.table["seed"].nunique()

    def values(self, arm: str, metric: str) -> np.ndarray:
        """The values of one metric of one arm, one for each seed, in the order of the seeds."""
        if arm not in self.arms:
            raise CourseError(
                f"There is no arm named {arm!r} here. The arms are: {', '.join(self.arms)}."
            )
        mine = self.table[self.table["arm"] == arm].sort_values("seed")
        if metric == "seconds" and metric not in self.metrics:
            return mine.drop_duplicates("seed")["seconds"].to_numpy()
        if metric not in set(mine["metric"]):
            raise CourseError(
                f"Arm {arm!r} has no metric named {metric!r}. It has: {', '.join(self.metrics)}."
            )
        return mine[mine["metric"] == metric]["value"].to_numpy()

    def effect(
        self, arm: str, minus: str | None = None, *, over: str | None = None, metric: str
    ) -> Effect:
        """One arm's metric; or its difference from (`minus`) or ratio to (`over`) another arm, seed by seed.

        Pairing by seed removes what both arms share (the same pictures, the same order), which is why
        fewer seeds are enough to see a difference.
        """
        spec = (
            ("minus", arm, minus, metric)
            if minus
            else ("over", arm, over, metric)
            if over
            else ("of", arm, metric)
        )
        return _effect(self, spec)

    def summary(self) -> pd.DataFrame:
        """One row for each arm, `mean ± standard deviation` over the seeds in each column."""
        rows = {}
        for arm in self.arms:
            mine = set(self.table[self.table["arm"] == arm]["metric"])
            cells = {
                m: _plus_minus(self.values(arm, m)) if m in mine else "–" for m in self.metrics
            }
            rows[arm] = cells | {"seconds": _plus_minus(self.values(arm, "seconds"))}
        return pd.DataFrame.from_dict(rows, orient="index")

    def _caption(self):
        spread = "mean ± standard deviation over seeds"
        return f"{self.seeds} seeds, {spread}" + (
            f"; budget: {self.budget}" if self.budget else ""
        )

    def __repr__(self):
        return f"{self.summary().to_string()}\n({self._caption()})"

    def _repr_html_(self):
        return f"{self.summary().to_html()}<p><small>{self._caption()}</small></p>"


def _plus_minus(values):
    mean = np.mean(values)
    digits = 1 if abs(mean) >= 10 else 2 if abs(mean) >= 1 else 3
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{mean:.{digits}f}{spread}"


def _effect(results, spec):
    kind, *arms, metric = spec
    first = results.values(arms[0], metric)
    if kind == "of":
        return Effect(
            f"{metric} of {arms[0]}", tuple(first), spec, results.name, results.live_seeds
        )
    second = results.values(arms[1], metric)
    if kind == "minus":
        return Effect(
            f"{metric}, {arms[0]} minus {arms[1]}",
            tuple(first - second),
            spec,
            results.name,
            results.live_seeds,
        )
    return Effect(
        f"{metric}, {arms[0]} over {arms[1]}",
        tuple(first / second),
        spec,
        results.name,
        results.live_seeds,
    )


# ---------------------------------------------------------------- a fair experiment


def compare(
    arms,
    seeds: int = 3,
    budget: str = "",
    name: str | None = None,
    client=None,
    progress: bool = True,
    ledger_seeds: int = 5,
) -> Results:
    """Run every arm with the same seeds and return the tidy `Results`.

    Parameters
    ----------
    arms: dict of name -> function; the function takes the seed (int) and returns its metrics as a dict
        of numbers. Everything else (data split, budget, model) is the function's own and should be the
        same in every arm but for the thing that is compared.
    seeds: how many seeds, 0 … seeds - 1, each used by every arm.
    budget: in words, what is held equal, for instance "2,000 examples seen". It is shown under the table.
    name: where the ledger keeps this experiment, `lesson.experiment`; needed for claims and for prose.
    client: a `dask.distributed.Client`, to run on its workers; without one the runs take place here.
    progress: show a progress bar.
    ledger_seeds: how many seeds the ledger's own run of this experiment has. More seeds narrow the margin of a claim;
        fewer than five only where a run takes minutes, and then the lesson says so.

    The runs go seed by seed with the arms in turn, so that a machine that slows down slows every arm.
    Each finished run is written to disk at once: after an interruption, the same call carries on where
    it stopped, provided that the arms' code and data are unchanged.

    Raises `CourseError` when there are no arms, or an arm returns something other than numbers.
    """
    if not arms or not all(callable(arm) for arm in arms.values()):
        raise CourseError(
            "compare needs a dict of arms, each a function that takes a seed and returns its metrics."
        )
    if seeds < 1:
        raise CourseError(f"compare needs at least one seed, not {seeds}.")
    live_seeds = seeds
    if measuring():
        least = int(os.environ.get("TRANSLEARN_SEEDS", "5")) if ledger_seeds >= 5 else 0
        seeds = max(seeds, ledger_seeds, least)
        if name and ledger.is_current(name, seeds):
            print(f"{name}: already in the ledger, measured by the same code.")
            return replace(recorded(name), live_seeds=live_seeds)
    kept = _Kept(name, _fingerprint(arms, budget))
    todo = [(arm, seed) for seed in range(seeds) for arm in arms if (arm, seed) not in kept.runs]
    if kept.runs:
        print(
            f"Carrying on: {len(kept.runs)} of {len(arms) * seeds} runs were already measured before the interruption."
        )
    for arm, seed, metrics, seconds in _runs(arms, todo, client, progress, name):
        before = next((m for (a, _), (m, _) in kept.runs.items() if a == arm), metrics)
        if before.keys() != metrics.keys():  # the pairs would no longer be pairs
            raise CourseError(
                f"Arm {arm!r} returned {sorted(metrics)} for seed {seed}, but {sorted(before)} before."
            )
        kept.add(arm, seed, metrics, seconds)
    order = [(arm, seed) for arm in arms for seed in range(seeds)]
    results = Results(
        _tidy([(a, s, *kept.runs[a, s]) for a, s in order]), budget, name, live_seeds
    )
    if measuring() and name:
        write(results)
    kept.forget()  # a finished experiment is measured afresh next time
    return results


def _fingerprint(arms, budget):
    try:
        return content.digest(
            sorted(arms), [arms[a] for a in sorted(arms)], budget, ledger.versions()
        )
    except CourseError:
        # An arm uses something that cannot be recognised again: it still runs, but an interruption starts it afresh.
        return uuid.uuid4().hex


def _runs(arms, todo, client, progress, name):
    from tqdm.auto import tqdm

    bar = tqdm(
        total=len(todo), desc=name or "comparing", unit="run", disable=not (progress and todo)
    )
    with bar:
        if client is None:
            for arm, seed in todo:
                bar.set_postfix_str(f"{arm}, seed {seed}")
                yield _one_run(arms[arm], arm, seed)
                bar.update()
        else:
            from distributed import as_completed

            futures = [
                client.submit(_one_run, arms[arm], arm, seed, pure=False) for arm, seed in todo
            ]
            for future in as_completed(futures):
                yield future.result()
                bar.update()


def _one_run(function, arm, seed):
    seed_everything(seed)
    start = time.perf_counter()
    metrics = function(seed)
    seconds = time.perf_counter() - start
    try:
        metrics = {str(k): float(v) for k, v in dict(metrics).items()}
    except (TypeError, ValueError):
        raise CourseError(
            f"Arm {arm!r} returned {type(metrics).__name__}: an arm returns a dict of numbers, such as {{'accuracy': 0.5}}."
        ) from None
    return arm, seed, metrics, seconds


def seed_everything(seed: int) -> None:
    """Set the seed of Python's, NumPy's and Keras's random numbers."""
    random.seed(seed)
    np.random.seed(seed)
    import keras

    keras.utils.set_random_seed(seed)


def _tidy(runs):
    rows = [
        (arm, seed, metric, value, seconds)
        for arm, seed, metrics, seconds in runs
        for metric, value in metrics.items()
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "metric", "value", "seconds"])


class _Kept:
    """The finished runs of an experiment that has not ended: a file with one line for each."""

    def __init__(self, name, fingerprint):
        slug = re.sub(r"[^\w.-]+", "_", name or "experiment")
        self.path = paths.cache() / "runs" / f"{slug}-{fingerprint[:16]}.jsonl"
        self.runs = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    arm, seed, metrics, seconds = json.loads(line)
                except ValueError:
                    continue  # the line that was being written when the process was killed
                self.runs[arm, seed] = (metrics, seconds)

    def add(self, arm, seed, metrics, seconds):
        self.runs[arm, seed] = (metrics, seconds)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(
                    "\n" + json.dumps([arm, seed, metrics, seconds]) + "\n"
                )  # a line cut short stays alone
        except OSError as error:  # a full disk costs the safety net, not the measurement
            print(
                f"This run could not be kept on disk ({error.strerror}); the experiment goes on without a safety net."
            )

    def forget(self):
        self.path.unlink(missing_ok=True)


def tune(arms, over, seeds: int = 3, name: str | None = None) -> "Tuned":
    """Choose each arm's setting on validation, every arm equally hard.

    Parameters
    ----------
    arms: dict of name -> function of (seed, setting) that returns a score on the *validation* set,
        higher is better.
    over: the settings to try, the same for every arm, for instance learning rates.
    seeds: how many seeds for each setting.
    name: where the ledger keeps it. In a lesson the recorded choice is read from there, since sweeping
        every arm takes longer than a lesson should; without a name, or while measuring, the sweep runs.

    Returns `Tuned`: `tuned["arm"]` is the setting with the best mean; `tuned.results` all of them.
    """
    if name and not measuring():
        results = recorded(name)
    else:
        grid = {
            f"{arm} @ {value:g}": _at(function, value)
            for arm, function in arms.items()
            for value in over
        }
        results = compare(grid, seeds, f"{len(over)} settings for each arm", name)
    return Tuned(results)


def _mean_scores(results):
    """The mean score of each setting; a setting that diverged for one seed has none, and is never chosen."""
    return results.table.groupby("arm", sort=False)["value"].agg(
        lambda values: values.mean(skipna=False)
    )


def _at(function, value):
    return lambda seed: {"validation": function(seed, value)}


@dataclass
class Tuned:
    results: Results
    best: dict = field(init=False)

    def __post_init__(self):
        scores = _mean_scores(self.results)
        self.best = {}
        for key in scores.sort_values(
            kind="stable", na_position="first"
        ).index:  # the best of each arm comes last
            arm, value = key.rsplit(" @ ", 1)
            self.best[arm] = float(value)

    def __getitem__(self, arm):
        return self.best[arm]

    def summary(self) -> pd.DataFrame:
        """Mean validation score: one row for each arm, one column for each setting, and the choice."""
        scores = _mean_scores(self.results)
        keys = [key.rsplit(" @ ", 1) for key in scores.index]
        table = pd.DataFrame(
            {
                "arm": [k[0] for k in keys],
                "setting": [k[1] for k in keys],
                "score": scores.to_numpy(),
            }
        )
        table = table.pivot(index="arm", columns="setting", values="score")
        table = table[sorted(table.columns, key=float)].loc[
            list(dict.fromkeys(k[0] for k in keys))
        ]
        return table.round(3).assign(chosen=[f"{self.best[a]:g}" for a in table.index])

    def _repr_html_(self):
        return (
            self.summary().to_html()
            + f"<p><small>validation score, mean over {self.results.seeds} seeds</small></p>"
        )

    def __repr__(self):
        return self.summary().to_string()


# ---------------------------------------------------------------- to and from the ledger


def measuring() -> bool:
    """Whether `course.py measure` is running, which writes what it measures into the ledger."""
    return bool(os.environ.get("TRANSLEARN_MEASURE"))


def recorded(name: str) -> Results:
    """The runs of an experiment as the ledger has them (at least five seeds).

    Raises `CourseError` when the ledger has no experiment of that name.
    """
    entry = ledger.experiment(name)
    table = _tidy(entry["runs"])
    return Results(table, entry["budget"], name, live_seeds=table["seed"].nunique())


def write(results: Results) -> None:
    """Put an experiment's runs into the ledger."""
    runs = [
        [
            arm,
            int(seed),
            {m: float(f"{v:.8g}") for m, v in zip(g["metric"], g["value"])},
            round(float(g["seconds"].iloc[0]), 3),
        ]
        for (arm, seed), g in results.table.groupby(["arm", "seed"], sort=False)
    ]
    ledger.put_experiment(results.name, runs, budget=results.budget, seeds=results.seeds)


# ---------------------------------------------------------------- claims


def margin(effect: Effect, live_seeds: int) -> tuple:
    """Where the mean of `live_seeds` new runs falls in 999 of 1,000 repetitions: (low, high).

    The prediction interval of a mean, from the ledger's runs: mean ± t · s · sqrt(1/m + 1/n), with m new
    and n recorded runs (Hahn and Meeker, Statistical Intervals, 1991, section 4.7).
    """
    from scipy.stats import t

    n, s = len(effect.values), max(effect.spread, SMALLEST_SPREAD)
    half = t.ppf((1 + CONFIDENCE) / 2, n - 1) * s * np.sqrt(1 / live_seeds + 1 / n)
    return effect.mean - half, effect.mean + half


class Claim:
    """A claim that held. It is shown under the cell, with the number it rests on."""

    def __init__(self, text, detail):
        self.text, self.detail = text, detail

    def __repr__(self):
        return f"✓ {self.text} ({self.detail})"

    def _repr_html_(self):
        from html import escape

        return (
            '<div role="status" style="border-left:4px solid #009E73;padding:.3em .8em;margin:.3em 0">'
            f"<b>✓ Holds:</b> {escape(self.text)}<br><small>{escape(self.detail)}</small></div>"
        )


def claim(text: str, holds) -> Claim:
    """Assert what the lesson says about what was just measured.

    Parameters
    ----------
    text: the claim, a full sentence.
    holds: a condition on an effect, such as `results.effect("frozen", minus="scratch", metric="accuracy") > 0`,
        or a plain bool for a fact that has no spread (two arrays are equal).

    A condition is asserted twice over. Direction: the mean that was measured live fulfils it. Size: the mean
    falls where the ledger's runs say it does in 999 of 1,000 repetitions (not for timings, which are the
    machine's). The ledger must bear the claim out with that margin too, or it should not be made.

    Raises `ClaimFailed` with what was expected and what was measured; `CourseError` when the ledger lacks
    the experiment.
    """
    if not isinstance(holds, (Condition, bool, np.bool_)):
        raise CourseError(
            f"A claim needs a condition, such as effect > 0, or a plain bool, not {type(holds).__name__}."
        )
    if not isinstance(holds, Condition):
        if not holds:
            raise ClaimFailed(f"This does not hold here: {text}")
        return Claim(text, "checked on what just ran")
    live = holds.effect
    if live.experiment is None:
        raise CourseError(
            "A claim about an experiment needs its name: compare(…, name='lesson.experiment')."
        )
    book = _effect(recorded(live.experiment), live.spec)
    # While measuring, live and ledger are the same runs: the margin is that of the lesson, with as many seeds as it will run.
    low, high = margin(book, live.live_seeds if measuring() else len(live.values))
    timing = live.spec[-1] in TIMINGS
    supported = (
        holds.low < (book.mean if timing else low) and (book.mean if timing else high) < holds.high
    )
    if not supported:
        raise ClaimFailed(
            f"The ledger does not bear this out with a margin: {text} "
            f"(recorded {book.mean:.3g} ± {book.spread:.2g}; the mean of new runs falls between {low:.3g} and {high:.3g}.)"
        )
    if measuring():
        row = {
            "experiment": live.experiment,
            "effect": list(live.spec),
            "holds_between": [_plain(holds.low), _plain(holds.high)],
            "mean": round(book.mean, 6),
            "spread": round(book.spread, 6),
            "seeds": len(book.values),
        }
        ledger.put_claim(live.experiment, text, row)
    if not holds.low < live.mean < holds.high:
        raise ClaimFailed(
            f"This does not hold here: {text} (measured {live.mean:.3g}, recorded {book.mean:.3g})."
        )
    if not timing and not low <= live.mean <= high:
        raise ClaimFailed(
            f"The direction holds but the size has changed: {text} (measured {live.mean:.3g}, "
            f"but 999 of 1,000 repetitions of the recorded runs fall between {low:.3g} and {high:.3g})."
        )
    if (
        live.values == book.values
    ):  # of an experiment that the lesson only reads: nothing has run here
        return Claim(
            text,
            f"{live.name}: {book.mean:.3g} ± {book.spread:.2g} in the ledger ({len(book.values)} seeds), not run here",
        )
    return Claim(
        text,
        f"{live.name}: {live.mean:.3g} here, {book.mean:.3g} ± {book.spread:.2g} in the ledger ({len(book.values)} seeds)",
    )


def _plain(bound):
    return None if np.isinf(bound) else bound
