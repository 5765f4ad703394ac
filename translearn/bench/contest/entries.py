"""The contest as experiments of the ledger: what is measured, recorded and replayed.

Recipes that leave the network as it is cost seconds, since all seeds share the features and are
charged for them. Those that train it run for real, for minutes. So an `Entry` says for how many
seeds, for which labels and on which problems the ledger has its recipes. Other numbers of seeds
can be asked for.
"""

import ast
from dataclasses import dataclass

from translearn import measure
from translearn.bench.contest import copied, probes, tuned
from translearn.bench.contest.problems import Problem, problems
from translearn.bench.contest.running import MOMENTS, Run, attempt
from translearn.evidence import book, recording, rests_on
from translearn.evidence import replay as evidence
from translearn.measure import ledger

LABELS = (10, 50)  # of each class


@dataclass(frozen=True, eq=False)
class Entry:
    """Some recipes with as many seeds.

    name      in the ledger
    recipes   {name: function of a `Run`}
    seeds     that the ledger has; any other number may be asked for
    labels    of each class
    on        the problems (all unless given)
    charge    whether features come from the store that all seeds share
    limit     CPU-seconds of a run
    module    where the recipes stand
    """

    name: str
    recipes: dict
    seeds: int
    labels: int
    on: tuple = ()
    charge: bool = False
    limit: float = MOMENTS[-1]
    module: str = "probes"

    def points(self) -> dict:
        """Arm → arguments of `run_one`."""
        return {
            arm(problem, self.labels, recipe): dict(
                entry=self.name, problem=problem, labels=self.labels, recipe=recipe
            )
            for problem in self.on or problems()
            for recipe in self.recipes
        }

    def experiment(self, seeds: int | None = None) -> measure.Experiment:
        seeds = seeds or self.seeds
        budget = f"up to {self.limit:.0f} CPU-seconds, all choices included"
        return measure.Experiment(self.name, run_one, self.points(), seeds, seeds, budget)

    def rests(self) -> dict:
        """What the numbers rest on."""
        sources = sorted({problem.source for problem in problems().values()})
        code = (
            f"from translearn.bench.contest import {self.module}, running\n"
            f"data = {[*sources, 'efficientnet_lite0']}\n"
            f"running.attempt({self.module}, data)"
        )
        return rests_on.of([ast.parse(code)])


PROBES = {
    "ours": probes.ours,
    "ours, 96 pixels": probes.ours_at_one_size,
    "probe": probes.probe,
    "probe, 900 more to validate": probes.probe_with_validation,
    "pixels": probes.pixels,
}
SWEPT = {"fine-tuning, swept": tuned.swept_fine_tuning}
FROZEN = Entry("bench.recipes", PROBES, seeds=10, labels=10, charge=True)
NAMELESS = Entry(
    "bench.nameless",
    {"ours, without names": probes.ours_without_names},
    seeds=3,
    labels=10,
    charge=True,
)
# Are the charges right? The same probe really spends what the first entry's is charged.
SPENT = Entry(
    "bench.spent", {"probe, really spent": probes.probe}, seeds=3, labels=10, on=("emoji",)
)
FROZEN_MORE = Entry(
    "bench.recipes_more",
    {name: recipe for name, recipe in PROBES.items() if name != "ours, 96 pixels"},
    seeds=4,
    labels=50,
    charge=True,
)
TUNED = Entry("bench.tuned", SWEPT, seeds=3, labels=10, limit=250, module="tuned")
TUNED_MORE = Entry(
    "bench.tuned_more",
    SWEPT,
    seeds=3,
    labels=50,
    on=("solar cells",),
    limit=250,
    module="tuned",
)
COPIED = Entry(
    "bench.copied",
    {
        "TensorFlow tutorial": copied.tensorflow_tutorial,
        "Keras guide": copied.keras_guide,
        "the article": copied.article,
    },
    seeds=3,
    labels=10,
    on=("emoji",),
    module="copied",
)
ENTRIES = {entry.name: entry for entry in (FROZEN, FROZEN_MORE, NAMELESS, SPENT, TUNED)}
EVERY = (*ENTRIES.values(), TUNED_MORE, COPIED)  # the last two are not in the ledger
RECIPES = {name: recipe for entry in EVERY for name, recipe in entry.recipes.items()}


def arm(problem: str, labels: int, recipe: str) -> str:
    return f"{problem}, {labels} labels, {recipe}"


def run_one(entry: str, problem: str, labels: int, recipe: str, seed: int) -> dict:
    """One recipe on one problem of the course: its scores and what it spent."""
    asked = next(each for each in EVERY if each.name == entry)
    run = Run(problems()[problem], labels, seed, charge=asked.charge, limit=asked.limit)
    return attempt(asked.recipes[recipe], run)


def run_on(problem: Problem, labels: int, recipe: str, size: int, seed: int) -> dict:
    """One recipe on somebody's own pictures; everything that it spends is really spent."""
    return attempt(RECIPES[recipe], Run(problem, labels, seed, largest=size))


def on_folder(problem: Problem, labels, recipes, seeds: int, size: int) -> measure.Results:
    """The contest on somebody's own pictures."""
    points = {
        arm(problem.name, count, recipe): dict(
            problem=problem, labels=count, recipe=recipe, size=size
        )
        for count in labels
        for recipe in recipes
    }
    budget = f"up to {MOMENTS[-1]} CPU-seconds"
    asked = measure.Experiment(None, run_on, points, seeds, seeds, budget)
    return measure.experiment.run(asked, seeds)


def contest(entry: Entry, seeds=None, jobs: int = 1, record: bool = False) -> measure.Results:
    """Run the recipes of an entry on every problem.

    Finished runs are kept, so the same call carries on after an interruption.

    seeds   of each recipe (default: as many as the ledger has).
    jobs    runs at a time, each in a process and on a thread of its own.
    record  write the runs into the ledger.
    """
    if jobs == 1:
        return _contest(entry, seeds, record)
    from distributed import Client, LocalCluster

    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    cluster = LocalCluster(
        n_workers=jobs,
        threads_per_worker=1,
        dashboard_address=None,  # it would need a port, and nobody looks at it
        env=dict.fromkeys(threads, "1"),
    )
    with cluster, Client(cluster) as client:
        return _contest(entry, seeds, record, client)


def _contest(entry, seeds, record, client=None):
    asked = entry.experiment(seeds)
    if record:
        return recording.Recorder({entry.name: entry.rests()}, asked.seeds, client).run(asked)
    runs = recording.measured(asked, asked.seeds, entry.rests(), client)
    recording.Kept(entry.name, entry.rests()).forget()
    return recording.results(runs, asked)


def replay(entry: Entry, seed: int = 0) -> list:
    """Run one seed of an entry's recipes again and hold the last scores against the ledger's.

    Scores at a moment and CPU-seconds belong to the machine and are not compared. Stamps the entry
    when all agree; returns what does not, one sentence each.
    """
    recorded, spent, runs = ledger.experiment(entry.name), 0.0, []
    for name, point in entry.points().items():
        report = run_one(**point, seed=seed)
        runs.append([name, seed, {"score": report["score"]}, report["CPU-seconds"]])
        spent += report["CPU-seconds"]
        print(f"{name}: {100 * report['score']:.2f} % in {report['CPU-seconds']:.0f} CPU-seconds")
    scores = [[name, s, {"score": found["score"]}, 0.0] for name, s, found, _ in recorded["runs"]]
    same = evidence.like_ours(recorded)
    problems = evidence.differences(recorded | {"runs": scores}, runs, same)
    if not problems:
        book.stamp(entry.name, entry.rests(), spent)
    return problems
