"""Claims: what a lesson says about what was just measured, asserted with a margin."""

import numpy as np

from translearn.errors import CourseError
from translearn.measure import experiment
from translearn.measure.results import Condition, Effect, effect_of
from translearn.words import _

CONFIDENCE = 0.999  # a claim must hold in 999 of 1,000 repetitions
TIMINGS = ("seconds",)  # depend on the machine: their direction is asserted, never their size
# Two machines round differently, so a spread of exactly zero would turn rounding into a failure.
SMALLEST_SPREAD = 0.005


class ClaimFailed(AssertionError):
    """What the lesson says did not happen in the run that was just measured."""

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]


def margin(effect: Effect, live_seeds: int) -> tuple:
    """Where the mean of `live_seeds` new runs falls in 999 of 1,000 repetitions: (low, high).

    The prediction interval of a mean, from the ledger's runs: mean ± t · s · sqrt(1/m + 1/n), with
    m new and n recorded runs (Hahn and Meeker, Statistical Intervals, 1991, section 4.7).
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
            '<div role="status" style="border-left:4px solid #009E73;'
            'padding:.3em .8em;margin:.3em 0">'
            f"<b>✓ {_('Holds:')}</b> {escape(self.text)}<br>"
            f"<small>{escape(self.detail)}</small></div>"
        )


def claim(text: str, holds) -> Claim:
    """Assert what the lesson says about what was just measured.

    Parameters
    ----------
    text: the claim, a full sentence.
    holds: a condition on an effect, such as `results.effect("frozen", minus="scratch",
        metric="accuracy") > 0`, or a plain bool for a fact that has no spread (two arrays are
        equal).

    A condition is asserted twice over. Direction: the mean that was measured live fulfils it.
    Size: the mean falls where the ledger's runs say it does in 999 of 1,000 repetitions (not for
    timings, which are the machine's). The ledger must bear the claim out with that margin too, or
    it should not be made.

    Raises `ClaimFailed` with what was expected and what was measured; `CourseError` when the
    ledger lacks the experiment.
    """
    if not isinstance(holds, (Condition, bool, np.bool_)):
        raise CourseError(
            "A claim needs a condition, such as effect > 0, or a plain bool, "
            f"not {type(holds).__name__}."
        )
    if not isinstance(holds, Condition):
        if not holds:
            raise ClaimFailed(f"This does not hold here: {text}")
        return Claim(text, _("checked on what just ran"))
    live = holds.effect
    if live.experiment is None:
        raise CourseError(
            "A claim about an experiment needs its name: compare(…, name='lesson.experiment')."
        )
    book = effect_of(experiment.recorded(live.experiment), live.spec)
    # While measuring, live and ledger are the same runs: the margin is that of the lesson, with
    # as many seeds as it will run.
    low, high = margin(book, live.live_seeds if experiment.measuring() else len(live.values))
    timing = live.spec[-1] in TIMINGS
    wanted = (book.mean, book.mean) if timing else (low, high)
    if not holds.low < wanted[0] <= wanted[1] < holds.high:
        raise ClaimFailed(
            f"The ledger does not bear this out with a margin: {text} (recorded {book.mean:.3g} ± "
            f"{book.spread:.2g}; the mean of new runs falls between {low:.3g} and {high:.3g}.)"
        )
    if experiment.measuring():
        experiment.recorder.claim(live.experiment, text, _row(live, book, holds))
    if not holds.low < live.mean < holds.high:
        raise ClaimFailed(
            f"This does not hold here: {text} "
            f"(measured {live.mean:.3g}, recorded {book.mean:.3g})."
        )
    if not timing and not low <= live.mean <= high:
        raise ClaimFailed(
            f"The direction holds but the size has changed: {text} (measured {live.mean:.3g}, but "
            "999 of 1,000 repetitions of the recorded runs fall between "
            f"{low:.3g} and {high:.3g})."
        )
    recorded = _(
        "{mean:.3g} ± {spread:.2g} in the ledger ({seeds} seeds)",
        mean=book.mean,
        spread=book.spread,
        seeds=len(book.values),
    )
    said = {"what": live.name, "mean": live.mean, "recorded": recorded}
    if live.values == book.values:  # of an experiment that the lesson only reads
        return Claim(text, _("{what}: {recorded}, not run here", **said))
    return Claim(text, _("{what}: {mean:.3g} here, {recorded}", **said))


def _row(live, book, holds):
    """What the ledger keeps of a claim."""
    return {
        "experiment": live.experiment,
        "effect": list(live.spec),
        "holds_between": [None if np.isinf(b) else b for b in (holds.low, holds.high)],
        "mean": round(book.mean, 6),
        "spread": round(book.spread, 6),
        "seeds": len(book.values),
    }
