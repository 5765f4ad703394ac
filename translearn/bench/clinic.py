"""Benchmarks: `python3 course.py bench clinic`: does the clinic find what was planted?

Sick and healthy runs come from a generator (`ward.programs`, `ward.faults`). The thresholds of
`translearn.clinic` were chosen on one half of the programs; what is reported here is the other
half, whose networks and data sets the first does not have. Five doctors see the same runs.

The held-out runs were diagnosed once, with rules that had been frozen. They showed one plain bug
(`doctors.before_the_mend`); it was mended, and both numbers are reported.
"""

import ast
import functools
import os

import numpy as np

from translearn import measure
from translearn.bench.ward import doctors, faults, programs, running, scoring
from translearn.errors import CourseError
from translearn.evidence import ONE_THREAD, book, recording, rests_on
from translearn.evidence import replay as evidence
from translearn.measure import ledger
from translearn.measure.experiment import run

CONTEST = "bench.clinic"  # its entry in the ledger
SEEDS = 5
FULL = 3  # seeds that together plant every fault in every program; later ones plant half as many
ARMS = (
    "ours",
    "random guess",
    "majority",
    "AutoTrainer's rules",
    "curves alone",
    "ours, before a mend",
)


def rests() -> dict:
    """What the benchmark's numbers rest on."""
    code = (
        "from translearn import clinic\n"
        "from translearn.bench.ward import doctors, programs, running, scoring\n"
        "data = ['digits', 'solar_cells', 'vgg16', 'prose', 'fortunes']\n"
        "running.planned(programs.HELD_OUT, clinic, doctors, scoring, data)"
    )
    return rests_on.of([ast.parse(code)])


@functools.cache
def planned(seed: int, chosen_on: bool = False) -> list:
    """Which runs a seed has: of the half that was chosen on all, of the held-out one a third."""
    if chosen_on:
        return running.planned(programs.CHOSEN_ON, seed)
    full = seed < FULL
    return running.planned(programs.HELD_OUT, seed, 3 if full else 6, 2 if full else 1)


def runs_of(seed: int, ward: running.Ward | None = None, chosen_on: bool = False) -> list:
    """All runs of the held-out programs with one seed, trained unless they are kept."""
    ward = ward or running.Ward()
    return [ward.run(*run) for run in planned(seed, chosen_on)]


def doctor(arm: str, seed: int, chosen_on: bool = False):
    """One of the `ARMS`. Those that guess know how often each fault is planted."""
    rates = base_rates(seed, chosen_on)
    return {
        "ours": doctors.ours,
        "random guess": doctors.Guess(rates, seed),
        "majority": doctors.Majority(rates),
        "AutoTrainer's rules": doctors.autotrainer,
        "curves alone": doctors.curves_alone,
        "ours, before a mend": doctors.before_the_mend,
    }[arm]


def base_rates(seed: int, chosen_on: bool = False) -> dict:
    """Name → how often it is planted with this seed, "healthy" among them."""
    planted = [run[1] for run in planned(seed, chosen_on)]
    return {name: planted.count(name) for name in dict.fromkeys(planted)}


def attempt(arm: str, seed: int, ward: running.Ward | None = None) -> dict:
    """One doctor on all held-out runs of one seed: `scoring.numbers`, and for each fault the
    sick runs that had it and those in which it was found; of ours `scoring.confusion`, too."""
    rows = scoring.judged(runs_of(seed, ward), doctor(arm, seed))
    found = scoring.numbers(rows)
    for fault in faults.FAULTS:
        sick = [row for row in rows if row["state"] == "sick" and row["planted"] == fault]
        found[f"sick: {fault}"] = len(sick)
        found[f"found: {fault}"] = sum(row["hit"] for row in sick)
    return found | (scoring.confusion(rows) if arm == "ours" else {})


def experiment(seeds: int = SEEDS) -> measure.Experiment:
    points = {arm: {"arm": arm} for arm in ARMS}
    return measure.Experiment(CONTEST, attempt, points, seeds, seeds, "the same runs")


def contest(seeds: int = SEEDS, jobs: int = 1, record: bool = False) -> measure.Results:
    """Train what is not kept yet, and let every doctor see it.

    seeds   at least five: each plants other doses, on other examples. A seed takes about four
            CPU-minutes; finished runs are kept, so the same call carries on after an interruption.
    jobs    runs at a time, each in a process and on a thread of its own.
    record  write the numbers into the ledger.
    """
    collect(seeds, jobs)
    asked = experiment(seeds)
    if record:
        return recording.Recorder({CONTEST: rests()}, seeds).run(asked)
    return run(asked, seeds)  # diagnosed anew each time: the rules may have changed


def collect(seeds: int, jobs: int = 1, ward: running.Ward | None = None) -> None:
    """Train all runs that are not kept yet."""
    from tqdm.auto import tqdm

    ward = ward or running.Ward()
    todo = [run for seed in range(seeds) for run in planned(seed)]
    todo = [run for run in todo if not ward.path(*run).exists()]
    if jobs == 1 or not todo:
        for run in tqdm(todo, desc="training", unit="run", disable=not todo):
            ward.run(*run)
        return
    import concurrent.futures
    import multiprocessing

    os.environ |= dict.fromkeys(ONE_THREAD, "1")
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, fresh) as pool:
        for _ in tqdm(pool.map(functools.partial(_train, ward), todo), total=len(todo)):
            pass


def _train(ward, run):
    ward.run(*run)


def replay(seed: int = 0) -> list:
    """Train one seed's runs again and hold every doctor's numbers against the ledger's, by the
    interval in which one more seed would lie: the seconds that the watch sees are the machine's.

    Stamps the entry when all agree; returns what does not, one sentence each.
    """
    import tempfile

    entry = ledger.experiment(CONTEST)
    with tempfile.TemporaryDirectory(prefix="translearn-ward-") as folder:
        ward = running.Ward(folder)
        trained = runs_of(seed, ward)
        runs = [[arm, seed, attempt(arm, seed, ward), 0.0] for arm in ARMS]
    problems = evidence.differences(entry, runs, same=False)
    if not problems:
        book.stamp(CONTEST, rests(), sum(each["CPU-seconds"] for each in trained))
    return problems


# ---- What it says


def table(results):
    """One row an arm: recall, precision, false alarms, cannot tell; mean over the seeds with their
    standard deviation, in per cent. False alarms with the interval of all seeds' healthy runs."""
    import pandas as pd

    rows = {}
    for arm in ARMS:
        row = {
            metric: _spread(100 * results.values(arm, metric))
            for metric in ("recall", "recall, macro", "precision", "precision, macro")
        }
        healthy = results.values(arm, "healthy")
        alarms = round(float(np.dot(results.values(arm, "false alarms"), healthy)))
        low, high = scoring.wilson(alarms, int(healthy.sum()))
        row["false alarms"] = (
            f"{alarms} of {healthy.sum():.0f} ({100 * low:.0f} to {100 * high:.0f} %)"
        )
        for metric in ("cannot tell", "called healthy"):
            row[metric] = _spread(100 * results.values(arm, metric))
        rows[arm] = row
    return pd.DataFrame(rows).T


def by_fault(results):
    """One row a fault: sick runs, and the share of them in which each arm found it."""
    import pandas as pd

    rows = {}
    for fault in faults.FAULTS:
        count = results.values("ours", f"sick: {fault}").sum()
        rows[fault] = {"sick runs": int(count)} | {
            arm: f"{100 * results.values(arm, f'found: {fault}').sum() / count:.0f}"
            if count
            else "–"
            for arm in ARMS
        }
    return pd.DataFrame(rows).T


def confusion(results):
    """Our confusion matrix, all seeds together: a pandas table, planted (rows) against found
    (columns). What was never planted and what was never found are left out."""
    import pandas as pd

    table = pd.DataFrame(
        [
            [
                int(results.values("ours", f"planted {p:02d}, found {f:02d}").sum())
                for f in range(len(scoring.FOUND))
            ]
            for p in range(len(scoring.PLANTED))
        ],
        index=scoring.PLANTED,
        columns=scoring.FOUND,
    )
    return table.loc[table.any(axis=1), table.any(axis=0)]


def by_program(rows):
    """One row a program, of rows of `scoring.judged`: ours in numbers."""
    import pandas as pd

    found = {
        program: scoring.numbers([row for row in rows if row["program"] == program])
        for program in dict.fromkeys(row["program"] for row in rows)
    }
    wanted = ["sick", "healthy", "mild", "recall", "precision", "false alarms", "cannot tell"]
    return pd.DataFrame(found).T[wanted].round(2)


def _spread(values):
    return f"{np.mean(values):.0f} ± {np.std(values, ddof=1):.0f}"


# ---- The command


def clinic_command(args) -> int:
    if args.seeds < 5 or args.jobs < 1:
        raise CourseError("The benchmark wants at least five seeds and one job.")
    os.environ |= dict.fromkeys(ONE_THREAD, "1")  # TensorFlow looks at its first operation
    if args.recorded and CONTEST not in ledger.read(CONTEST)["experiments"]:
        raise CourseError(
            "The ledger has no such benchmark yet. Run it: python3 course.py bench clinic --record"
        )
    if args.replay:
        problems = replay()
        print("\n".join(problems) or "Every doctor finds what the ledger says.")
        return int(bool(problems))
    if args.overhead:
        from translearn.bench import overhead

        overhead.main()
        return 0
    results = (
        measure.recorded(CONTEST) if args.recorded else contest(args.seeds, args.jobs, args.record)
    )
    print(f"\nHeld-out programs: {', '.join(programs.HELD_OUT)}; {results.seeds} seeds, mean ± "
          "standard deviation, in %.\n")  # fmt: skip
    print(table(results).to_string(), "\n")
    print(by_fault(results).to_string(), "\n")
    matrix = confusion(results)
    numbers = {name: number for number, name in enumerate(matrix.columns, 1)}
    print("Ours, planted (rows) against found (columns), runs of all seeds:\n")
    print(matrix.rename(columns=numbers).to_string(), "\n")
    print("; ".join(f"{number} {name}" for name, number in numbers.items()))
    if not args.recorded:
        rows = [
            row
            for seed in range(args.seeds)
            for row in scoring.judged(runs_of(seed), doctors.ours)
        ]
        print("\nOurs, by program:\n", by_program(rows).to_string(), sep="\n")
    return 0
