"""Benchmarks: `python3 course.py bench recipes`: recipes by score and computing. It reports
ratios, since seconds belong to the machine.
"""

import ast

import numpy as np

from translearn import measure, paths
from translearn.bench import recipes
from translearn.errors import CourseError
from translearn.evidence import book, recording, rests_on
from translearn.evidence import replay as evidence
from translearn.measure import ledger

CONTEST = "bench.recipes"  # its entry in the ledger
GOOD = 0.95  # the target: this share of the best recipe's mean score


def rests() -> dict:
    """What the contest's numbers rest on."""
    code = "from translearn.bench import recipes\nrecipes.attempt(recipes.RECIPES)"
    return rests_on.of([ast.parse(code)])


def attempt(problem: str, recipe: str, seed: int) -> dict:
    """One recipe on one problem: its scores and what it spent."""
    return recipes.attempt(recipes.RECIPES[recipe], problem, seed)


def experiment(seeds: int = 3) -> measure.Experiment:
    """Every recipe on every problem, as an experiment."""
    points = {
        f"{problem}, {recipe}": {"problem": problem, "recipe": recipe}
        for problem in recipes.PROBLEMS
        for recipe in recipes.RECIPES
    }
    budget = f"up to {recipes.MOMENTS[-1]} CPU-seconds, sweeps and validation included"
    return measure.Experiment(CONTEST, attempt, points, seeds, seeds, budget)


def contest(seeds: int = 3, jobs: int = 1, record: bool = False) -> measure.Results:
    """Run every recipe on every problem.

    Finished runs are kept, so the same call carries on after an interruption.

    seeds   of each recipe, at least 3. A run takes up to `recipes.MOMENTS[-1]` CPU-seconds.
    jobs    runs at a time, each in a process and on a thread of its own.
    record  write the runs into the ledger.
    """
    if jobs == 1:
        return _contest(seeds, record)
    from distributed import Client, LocalCluster

    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    cluster = LocalCluster(
        n_workers=jobs,
        threads_per_worker=1,
        dashboard_address=None,  # it would need a port, and nobody looks at it
        env=dict.fromkeys(threads, "1"),
    )
    with cluster, Client(cluster) as client:
        return _contest(seeds, record, client)


def _contest(seeds, record, client=None):
    asked = experiment(seeds)
    if record:
        return recording.Recorder({CONTEST: rests()}, seeds, client).run(asked)
    runs = recording.measured(asked, seeds, rests(), client)
    recording.Kept(CONTEST, rests()).forget()
    return recording.results(runs, asked)


def replay(seed: int = 0) -> list:
    """Run one seed of every recipe again and hold its last score against the ledger's.

    Scores at a moment and CPU-seconds belong to the machine and are not compared. Stamps the entry
    when all agree; returns what does not, one sentence each.
    """
    entry, spent = ledger.experiment(CONTEST), 0.0
    runs = []
    for arm, point in experiment().points.items():
        report = attempt(**point, seed=seed)
        runs.append([arm, seed, {"score": report["score"]}, report["CPU-seconds"]])
        spent += report["CPU-seconds"]
        print(f"{arm}: {100 * report['score']:.2f} % in {report['CPU-seconds']:.0f} CPU-seconds")
    scores = [[arm, s, {"score": found["score"]}, 0.0] for arm, s, found, _ in entry["runs"]]
    problems = evidence.differences(entry | {"runs": scores}, runs, evidence.like_ours(entry))
    if not problems:
        book.stamp(CONTEST, rests(), spent)
    return problems


# ---- What it says


def target(results, problem: str) -> float:
    """The score that counts as arrived: 95 % of what the best recipe scores in the end, on
    average.
    """
    return GOOD * max(
        results.values(f"{problem}, {recipe}", "score").mean() for recipe in recipes.RECIPES
    )


def reached(results, problem: str, recipe: str) -> np.ndarray:
    """CPU-seconds until the target, one for each seed; infinite where a run never got there."""
    at = np.array(
        [results.values(f"{problem}, {recipe}", f"at {moment}") for moment in recipes.MOMENTS]
    )
    there = at >= target(results, problem)
    return np.where(there.any(axis=0), np.array(recipes.MOMENTS)[there.argmax(axis=0)], np.inf)


def table(results, problem: str):
    """One row a recipe: score, and score and computing as ratios to ours, seed by seed, with their
    spread.
    """
    import pandas as pd

    ours, rows = f"{problem}, ours", {}
    for recipe in recipes.RECIPES:
        arm = f"{problem}, {recipe}"
        score, spent = results.values(arm, "score"), results.values(arm, "CPU-seconds")
        arrived = reached(results, problem, recipe)
        both = np.isfinite(arrived) & np.isfinite(reached(results, problem, "ours"))
        ratio = (
            _spread(arrived[both] / reached(results, problem, "ours")[both], 1)
            if both.any()
            else "–"
        )
        rows[recipe] = {
            "score, %": _spread(100 * score, 1),
            "score / ours": _spread(score / results.values(ours, "score"), 2),
            "computing / ours": _spread(spent / results.values(ours, "CPU-seconds"), 2),
            "arrived": f"{np.isfinite(arrived).sum()} of {len(arrived)}",
            "to target / ours": ratio,
        }
    rows["blind guess"] = {"score, %": f"{100 / _classes(problem):.1f}"} | dict.fromkeys(
        list(rows["ours"])[1:], "–"
    )
    return pd.DataFrame(rows).T


def standing(ahead) -> str:
    """Where a recipe stands by its lead on another, one number for each seed: "ahead" or "behind"
    if every seed says so, else "level". Two curves that coincide are level.
    """
    ahead = np.asarray(ahead)
    return "ahead" if (ahead > 0).all() else "behind" if (ahead < 0).all() else "level"


def frontier(results, problem: str):
    """One row for each moment from 10 CPU-seconds: our score, the best other recipe's, the
    difference seed by seed, and where ours stands by it.
    """
    import pandas as pd

    others, rows = [recipe for recipe in recipes.RECIPES if recipe != "ours"], {}
    for moment in (m for m in recipes.MOMENTS if m >= 10):
        scores = {
            recipe: 100 * results.values(f"{problem}, {recipe}", f"at {moment}")
            for recipe in recipes.RECIPES
        }
        best = max(others, key=lambda recipe: scores[recipe].mean())
        ahead = scores["ours"] - scores[best]
        rows[f"{moment} CPU-seconds"] = {
            "ours, %": _spread(scores["ours"], 1),
            "best other": best,
            "its score, %": _spread(scores[best], 1),
            "ahead, points": f"{ahead.mean():+.1f} ± {ahead.std(ddof=1):.1f}",
            "ours is": standing(ahead),
        }
    return pd.DataFrame(rows).T


def figure(results):
    """Score against computing, one panel a problem; returns the figure and its alt text."""
    import matplotlib.pyplot as plt

    from translearn import plots

    fig, axes = plt.subplots(1, len(recipes.PROBLEMS), figsize=(10, 4))
    told = []
    for ax, problem in zip(axes, recipes.PROBLEMS):
        for i, recipe in enumerate(recipes.RECIPES):
            at = 100 * np.array(
                [
                    results.values(f"{problem}, {recipe}", f"at {moment}")
                    for moment in recipes.MOMENTS
                ]
            )
            mean, spread = at.mean(axis=1), at.std(axis=1, ddof=1)
            shown = mean > 100 / _classes(problem) + 1e-9  # from its first answer on
            x = np.array(recipes.MOMENTS)[shown]
            ax.plot(
                x, mean[shown], marker=plots.MARKERS[i], ms=4, color=plots.COLOURS[i], label=recipe
            )
            ax.fill_between(
                x,
                (mean - spread)[shown],
                (mean + spread)[shown],
                color=plots.COLOURS[i],
                alpha=0.15,
                lw=0,
            )
            told.append(f"{problem}, {recipe}: {mean[-1]:.0f} %")
        ahead = frontier(results, problem)["ours is"].eq("ahead")
        ax.axhline(100 / _classes(problem), ls="--", color="grey")
        ax.set_xscale("log")
        ax.set_xticks([5, 10, 20, 50, 100, 200, 500], ["5", "10", "20", "50", "100", "200", "500"])
        ax.minorticks_off()
        ax.set(
            xlabel="CPU-seconds, sweep included",
            ylabel="balanced accuracy on test (%)",
            title=f"{problem}: every seed of ours ahead at {ahead.sum()} of {len(ahead)} moments",
        )
    axes[-1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return (
        fig,
        "Two panels of test score against computing, one line a recipe with its spread. At the "
        "end: " + "; ".join(told) + ".",
    )


def _spread(values, digits):
    return f"{np.mean(values):.{digits}f}" + (
        f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    )


def _classes(problem):
    return {"emoji": 12, "solar cells": 2}[problem]


# ---- The command


def recipes_command(args) -> int:
    if args.seeds < 3 or args.jobs < 1:
        raise CourseError("The benchmark wants at least three seeds and one job.")
    if args.recorded and CONTEST not in ledger.read(CONTEST)["experiments"]:
        raise CourseError(
            "The ledger has no such benchmark yet. Run it: python3 course.py bench recipes "
            "--record"
        )
    if args.replay:
        problems = replay()
        print("\n".join(problems) or "Every recipe scores what the ledger says.")
        return int(bool(problems))
    results = (
        measure.recorded(CONTEST) if args.recorded else contest(args.seeds, args.jobs, args.record)
    )
    for problem, (_, labels) in recipes.PROBLEMS.items():
        print(
            f"\n{problem}: {labels} labelled pictures of each class, {results.seeds} seeds, mean "
            "± standard deviation. "
            f"Target: {100 * target(results, problem):.1f} % balanced accuracy on test\n"
        )
        print(table(results, problem).to_string())
        print()
        print(frontier(results, problem).to_string())
    fig, _ = figure(results)
    path = paths.cache() / "bench" / "recipes.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path)
    print(f"\nThe frontier as a figure: {path}")
    return 0
