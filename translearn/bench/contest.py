"""Benchmarks: `python3 course.py bench recipes` and `bench throughput`. They report ratios, since
seconds belong to the machine.
"""

import argparse
import ast
import os
import sys

import numpy as np

from translearn import measure, paths
from translearn.bench import recipes, throughput
from translearn.errors import CourseError
from translearn.evidence import rests_on as fingerprint
from translearn.measure import ledger

CONTEST = "bench.recipes"  # its entry in the ledger
GOOD = 0.95  # the target: this share of the best recipe's mean score


def code() -> str:
    """The fingerprint of what the contest's numbers rest on."""
    return fingerprint.of(
        [ast.parse("from translearn import recipes\nrecipes.attempt(recipes.RECIPES)")]
    )


def contest(seeds: int = 3, jobs: int = 1) -> measure.Results:
    """Run every recipe on every problem; finished runs are kept, so the same call carries on after
    an interruption.

    seeds  of each recipe, at least 3. A run takes up to `recipes.MOMENTS[-1]` CPU-seconds.
    jobs   runs at a time, each in a process and on a thread of its own.
    """
    arms = {
        f"{problem}, {recipe}": _arm(problem, recipe)
        for problem in recipes.PROBLEMS
        for recipe in recipes.RECIPES
    }
    budget = f"up to {recipes.MOMENTS[-1]} CPU-seconds, sweeps and validation included"
    if jobs == 1:
        return measure.compare(arms, seeds, budget, CONTEST, ledger_seeds=seeds)
    from distributed import Client, LocalCluster

    # A dashboard would need a port; nobody looks at it.
    one_thread = {
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    }
    with (
        LocalCluster(
            n_workers=jobs, threads_per_worker=1, dashboard_address=None, env=one_thread
        ) as cluster,
        Client(cluster) as client,
    ):
        return measure.compare(arms, seeds, budget, CONTEST, client=client, ledger_seeds=seeds)


def _arm(problem, recipe):
    return lambda seed: recipes.attempt(recipes.RECIPES[recipe], problem, seed)


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


def frontier(results, problem: str):
    """One row for each moment from 10 CPU-seconds: our score, the best other recipe's, and the
    difference seed by seed.
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
            "on or above": "yes" if ahead.mean() >= 0 else "no",
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
        ahead = frontier(results, problem)["on or above"].eq("yes")
        ax.axhline(100 / _classes(problem), ls="--", color="grey")
        ax.set_xscale("log")
        ax.set_xticks([5, 10, 20, 50, 100, 200, 500], ["5", "10", "20", "50", "100", "200", "500"])
        ax.minorticks_off()
        ax.set(
            xlabel="CPU-seconds, sweep included",
            ylabel="balanced accuracy on test (%)",
            title=f"{problem}: ours leads at {ahead.sum()} of {len(ahead)} moments",
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


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="course.py bench", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    contest_of = commands.add_parser(
        "recipes",
        help="ours, an expert's, two tutorials' and the article's, by score and computing",
    )
    contest_of.add_argument(
        "--seeds",
        type=int,
        default=3,
        metavar="N",
        help="of each recipe (default: 3, about an hour of one core)",
    )
    contest_of.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="runs at a time, each on a thread of its own",
    )
    contest_of.add_argument(
        "--recorded", action="store_true", help="run nothing; show what the ledger has"
    )
    contest_of.add_argument("--record", action="store_true", help="write the runs into the ledger")
    speed = commands.add_parser(
        "throughput",
        help=(
            "each network's speed, share of this machine's peak, start and memory (some four "
            "minutes)"
        ),
    )
    speed.add_argument(
        "networks",
        nargs="*",
        metavar="NETWORK",
        help=f"{', '.join(throughput.NETWORKS)} (default: all)",
    )
    speed.add_argument(
        "--repeats", type=int, default=3, metavar="N", help="processes a network (default: 3)"
    )
    args = parser.parse_args(argv)
    try:
        return recipes_command(args) if args.what == "recipes" else throughput_command(args)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def throughput_command(args) -> int:
    if args.repeats < 1:
        raise CourseError("The benchmark wants at least one repeat.")
    throughput.report(args.networks, args.repeats)
    return 0


def recipes_command(args) -> int:
    if args.seeds < 3 or args.jobs < 1:
        raise CourseError("The benchmark wants at least three seeds and one job.")
    if args.record:
        os.environ |= {
            "TRANSLEARN_MEASURE": "1",
            "TRANSLEARN_SEEDS": str(args.seeds),
            ledger.code_variable(CONTEST): code(),
        }
    if args.recorded and CONTEST not in ledger.read(CONTEST)["experiments"]:
        raise CourseError(
            "The ledger has no such benchmark yet. Run it: python3 course.py bench recipes "
            "--record"
        )
    results = measure.recorded(CONTEST) if args.recorded else contest(args.seeds, args.jobs)
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


if __name__ == "__main__":
    sys.exit(main())
