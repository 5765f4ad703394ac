"""What the runs of the contest say: by recipe, by moment, by problem."""

import itertools

import numpy as np

from translearn.bench.contest.running import MOMENTS

OURS, OURS_SMALL = "ours", "ours, 96 pixels"
VALIDATED = "probe, 900 more to validate"
SPENT = "probe, really spent"
# No others to be compared with: ours with less, one with labels that nobody else has, a check.
APART = (OURS_SMALL, "ours, without names", VALIDATED, SPENT)
FROM = [moment for moment in MOMENTS if moment >= 10]
SURE = 0.05  # the level of a test


class Runs:
    """Runs of several entries as one: `results`, a list of `measure.Results`."""

    def __init__(self, results):
        self.results = {name: each for each in results for name in each.arms}

    def values(self, problem, labels, recipe, metric):
        """One number for each seed, or None where it was not measured."""
        name = f"{problem}, {labels} labels, {recipe}"
        if name not in self.results:
            return None
        found = self.results[name].table
        mine = found[(found["arm"] == name) & (found["metric"] == metric)]
        return mine.sort_values("seed")["value"].to_numpy() if len(mine) else None

    def cases(self) -> list:
        """(problem, labels) of every case, the fewest labels first."""
        names = [name.rsplit(" labels, ", 1)[0].rsplit(", ", 1) for name in self.results]
        cases = dict.fromkeys((problem, int(labels)) for problem, labels in names)
        return sorted(cases, key=lambda case: case[1])

    def recipes(self, problem, labels) -> list:
        prefix = f"{problem}, {labels} labels, "
        return [name.removeprefix(prefix) for name in self.results if name.startswith(prefix)]

    def at(self, problem, labels, recipe, moment, one_size=False):
        """The scores at a moment, in per cent."""
        name = OURS_SMALL if one_size and recipe == OURS else recipe
        own = "one size, " if one_size and recipe != OURS else ""
        found = self.values(problem, labels, name, f"{own}at {moment}")
        return None if found is None else 100 * found


def table(runs, problem, labels, blind):
    """One row a recipe: the score in the end and on the way, in per cent, CPU-seconds, seeds."""
    import pandas as pd

    rows = {}
    for recipe in runs.recipes(problem, labels):
        score = runs.values(problem, labels, recipe, "score")
        rows[recipe] = {"seeds": len(score), "in the end": spread(100 * score)}
        for moment in (20, 113):
            at = runs.values(problem, labels, recipe, f"at {moment}")
            rows[recipe][f"at {moment} s"] = spread(100 * at)
        small = runs.values(problem, labels, recipe, "one size, score")
        rows[recipe]["at 96 pixels"] = "–" if small is None else spread(100 * small)
        spent = runs.values(problem, labels, recipe, "CPU-seconds")
        rows[recipe]["CPU-seconds"] = spread(spent, 0)
    rows["blind guess"] = {"in the end": f"{100 * blind:.1f}"}
    return pd.DataFrame(rows).T.fillna("–")


def leads(runs, problem, labels, moment, one_size=False) -> dict:
    """Other recipe → how far ours is ahead of it in points, one number for each seed that both
    have.
    """
    ours = runs.at(problem, labels, OURS, moment, one_size)
    found = {}
    for recipe in runs.recipes(problem, labels):
        other = runs.at(problem, labels, recipe, moment, one_size)
        if recipe not in (OURS, *APART) and other is not None and ours is not None:
            both = min(len(ours), len(other))  # all have the first seeds
            found[recipe] = ours[:both] - other[:both]
    return found


def frontier(runs, problem, labels, one_size=False):
    """One row for each moment from 10 CPU-seconds: our score, the other recipe that is best (ours
    leads it by least), the lead seed by seed, and a paired t test of it (two-sided; p by Holm 1979
    over the moments).
    """
    import pandas as pd

    rows = {}
    for moment in FROM:
        others = leads(runs, problem, labels, moment, one_size)
        if not others:
            continue
        best = min(others, key=lambda recipe: others[recipe].mean())
        lead = others[best]
        rows[moment] = {
            "ours, %": runs.at(problem, labels, OURS, moment, one_size).mean(),
            "best other": best,
            "ahead": lead.mean(),
            "±": lead.std(ddof=1) if len(lead) > 1 else np.nan,
            "seeds": len(lead),
            "p": paired(lead),
        }
    found = pd.DataFrame(rows).T.infer_objects()
    if len(found):
        found["p"] = holm(found["p"].astype(float).to_numpy())
        found["ours is"] = [stands(*row) for row in zip(found["ahead"], found["p"])]
    return found


def paired(lead) -> float:
    """p of a paired t test, two-sided; 1 where all seeds are level, or there is only one."""
    from scipy.stats import ttest_1samp

    if len(lead) < 2 or not lead.any():
        return 1.0
    if np.ptp(lead) == 0:
        return 0.0
    return float(ttest_1samp(lead, 0).pvalue)


def holm(p):
    """Holm's adjusted p (Scandinavian Journal of Statistics 6, 1979)."""
    order, count = np.argsort(p, kind="stable"), len(p)
    adjusted = np.minimum(1, np.maximum.accumulate((count - np.arange(count)) * p[order]))
    found = np.empty(count)
    found[order] = adjusted
    return found


def stands(ahead: float, p: float) -> str:
    if p >= SURE:
        return "level"
    return "ahead" if ahead > 0 else "behind"


def standing(runs, one_size=False):
    """One row a case: at how many moments ours is on or above the best other recipe, the worst of
    them, and at how many it is surely ahead or behind.
    """
    import pandas as pd

    rows = {}
    for problem, labels in runs.cases():
        found = frontier(runs, problem, labels, one_size)
        if not len(found):
            continue
        worst = found["ahead"].astype(float).idxmin()
        row = found.loc[worst]
        is_ = found["ours is"]
        rows[f"{problem}, {labels} labels"] = {
            "on or above": f"{(found['ahead'] >= 0).sum()} of {len(found)}",
            "surely ahead": int((is_ == "ahead").sum()),
            "surely behind": int((is_ == "behind").sum()),
            "worst": f"{row['ahead']:+.1f} at {worst} s, {row['best other']}",
            "so ours is": verdict(found),
        }
    return pd.DataFrame(rows).T


def verdict(found) -> str:
    """ "on or above" the best other recipe at every moment by its mean; else "behind", and whether
    a test is sure of it.
    """
    if (found["ahead"] >= 0).all():
        return "on or above"
    sure = (found["ours is"] == "behind").any()
    return "behind, surely" if sure else "behind, within chance"


def worth_of_validation(runs):
    """One row a case: the probe at the smallest size when it chooses on a validation set, and on
    its few labels alone; the difference seed by seed with its p.
    """
    import pandas as pd

    rows = {}
    for problem, labels in runs.cases():
        more = runs.values(problem, labels, VALIDATED, "score")
        own = runs.values(problem, labels, "probe", "one size, score")
        if more is None or own is None:
            continue
        gain = 100 * (more - own)
        rows[f"{problem}, {labels} labels"] = {
            "by cross-validation, %": spread(100 * own),
            "on a validation set, %": spread(100 * more),
            "worth, points": spread(gain, sign="+"),
            "p": f"{paired(gain):.2f}",
        }
    return pd.DataFrame(rows).T


def figure(runs, labels, blinds):
    """Score against computing, one panel a problem; returns the figure and its alt text."""
    import matplotlib.pyplot as plt

    from translearn import plots

    cases = [problem for problem, count in runs.cases() if count == labels]
    high = -(-len(cases) // 3)
    fig, axes = plt.subplots(high, min(3, len(cases)), figsize=(11, 3.4 * high), squeeze=False)
    told, marks = [], list(zip(itertools.cycle(plots.COLOURS), plots.MARKERS))
    shown = dict.fromkeys(name for case in cases for name in runs.recipes(case, labels))
    shown = [name for name in shown if name not in APART]
    for ax, problem in itertools.zip_longest(axes.flat, cases):
        if problem is None:
            ax.axis("off")
            continue
        for recipe, (colour, marker) in zip(shown, marks):
            at = [runs.at(problem, labels, recipe, moment) for moment in MOMENTS]
            if at[0] is None:
                continue
            mean, wide = np.mean(at, axis=1), np.std(at, axis=1)
            begun = mean > 100 * blinds[problem] + 1e-9  # from its first answer on
            x = np.array(MOMENTS)[begun]
            ax.plot(x, mean[begun], marker=marker, ms=4, color=colour, label=recipe)
            low, top = (mean - wide)[begun], (mean + wide)[begun]
            ax.fill_between(x, low, top, color=colour, alpha=0.15, lw=0)
            told.append(f"{problem}, {recipe}: {mean[-1]:.0f} %")
        ax.axhline(100 * blinds[problem], ls="--", color="grey")
        ax.set_xscale("log")
        ticks = [5, 10, 20, 50, 100, 200, 500]
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
        found = frontier(runs, problem, labels)
        title = f"{problem}: ours is {verdict(found)}" if len(found) else problem
        ax.set_title(title, fontsize=9)
        ax.set(xlabel="CPU-seconds, choices included", ylabel="balanced accuracy (%)")
    handles, names = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, names, frameon=False, ncols=4, loc="outside lower center")
    return fig, (
        f"{len(cases)} panels of test score against computing with {labels} labels a class, one "
        f"line a recipe with its spread. At the end: {'; '.join(told)}."
    )


def spread(values, digits=1, sign="") -> str:
    """Mean ± standard deviation."""
    more = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):{sign}.{digits}f}{more}"
