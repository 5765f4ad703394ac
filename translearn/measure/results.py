"""What an experiment gives: `Results`, and the effects that claims are made about."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from translearn import page
from translearn.errors import CourseError
from translearn.words import _


@dataclass(frozen=True)
class Effect:
    """One number for each seed: a metric of one arm, or the paired difference or ratio of two
    arms.

    `effect > 0.1`, `effect < 2` and `effect.within(0.03)` make the condition that `claim` asserts.
    """

    name: str
    values: tuple
    spec: tuple  # (kind, arms…, metric), enough to compute the same thing from the ledger
    experiment: str | None = None
    # How many a lesson runs: what a claim that is being recorded will have to stand.
    live_seeds: int = 3

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
            "A condition has no truth value. Make one claim for each bound, or use "
            "effect.within(…)."
        )


@dataclass
class Results:
    """What `compare` measured.

    `table` is tidy, one row for each (arm, seed, metric): columns arm, seed, metric, value,
    seconds (wall-clock seconds of that run).
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
        """One arm's metric; or its difference from (`minus`) or ratio to (`over`) another arm,
        seed by seed.

        Pairing by seed removes what both arms share (the same pictures, the same order), which is
        why fewer seeds are enough to see a difference.
        """
        spec = (
            ("minus", arm, minus, metric)
            if minus
            else ("over", arm, over, metric)
            if over
            else ("of", arm, metric)
        )
        return effect_of(self, spec)

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
        said = _("{seeds} seeds, mean ± standard deviation over seeds", seeds=self.seeds)
        return said + (_("; budget: {budget}", budget=_(self.budget)) if self.budget else "")

    def __repr__(self):
        return f"{self.summary().to_string()}\n({self._caption()})"

    def _repr_html_(self):
        table = self.summary().rename(index=_, columns=_)
        return f"{page.table(table.to_html())}<p><small>{self._caption()}</small></p>"


def _plus_minus(values):
    mean = np.mean(values)
    digits = 1 if abs(mean) >= 10 else 2 if abs(mean) >= 1 else 3
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{mean:.{digits}f}{spread}"


def effect_of(results, spec):
    kind, *arms, metric = spec
    first = results.values(arms[0], metric)
    if kind == "of":
        return Effect(
            _("{metric} of {arm}", metric=_(metric), arm=_(arms[0])),
            tuple(first),
            spec,
            results.name,
            results.live_seeds,
        )
    second = results.values(arms[1], metric)
    if kind == "minus":
        return Effect(
            _("{metric}, {arm} minus {other}", metric=_(metric), arm=_(arms[0]), other=_(arms[1])),
            tuple(first - second),
            spec,
            results.name,
            results.live_seeds,
        )
    return Effect(
        _("{metric}, {arm} over {other}", metric=_(metric), arm=_(arms[0]), other=_(arms[1])),
        tuple(first / second),
        spec,
        results.name,
        results.live_seeds,
    )


def tidy(runs) -> pd.DataFrame:
    """Runs (arm, seed, metrics, seconds) as a table: columns arm, seed, metric, value, seconds."""
    rows = [
        (arm, seed, metric, value, seconds)
        for arm, seed, metrics, seconds in runs
        for metric, value in metrics.items()
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "metric", "value", "seconds"])
