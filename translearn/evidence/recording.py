"""Measuring into the ledger: `measure.experiment.recorder` while `course.py measure` runs a
lesson's cells.
"""

import hashlib
import json
import re
from dataclasses import replace

from translearn import measure, paths
from translearn.errors import CourseError
from translearn.evidence import book
from translearn.measure.experiment import on_workers


class Recorder:
    """Runs each named experiment with the ledger's seeds and writes it; passes by what the ledger
    has already.

    rests_on   experiment → what it rests on: the entry keeps it, and kept runs are found again by
               it
    seeds      at least this many for each, but for experiments that ask for fewer than five
               (`ledger_seeds=3`)
    client     a `dask.distributed.Client`, to run on its workers; without one the runs take place
               here

    Each finished run is kept on disk at once: after an interruption, the same command carries on
    where it stopped.
    """

    def __init__(self, rests_on: dict, seeds: int = 5, client=None):
        self.rests_on, self.seeds, self.client = rests_on, seeds, client

    def run(self, experiment):
        name = experiment.name
        if name not in self.rests_on:
            raise CourseError(
                f"The experiment {name!r} stands in no cell that is measured. Give it a plain "
                "name, name='lesson.experiment'."
            )
        seeds = how_many(experiment, self.seeds)
        if book.is_current(name, seeds, self.rests_on[name]):
            print(f"{name}: already in the ledger, and nothing it rests on has changed.")
            return replace(measure.recorded(name), live_seeds=experiment.seeds)
        runs = measured(experiment, seeds, self.rests_on[name], self.client)
        book.put_experiment(name, runs, experiment.budget, seeds, self.rests_on[name])
        Kept(name, self.rests_on[name]).forget()
        return results(runs, experiment)

    def claim(self, name, text, row):
        book.put_claim(name, text, row)


def measured(experiment, seeds: int, rests_on: dict, client=None) -> list:
    """[arm, seed, metrics, seconds] for every arm and seed, each kept on disk as soon as it is
    done.
    """
    kept = Kept(experiment.name, rests_on)
    if kept.runs:
        print(f"{experiment.name}: carrying on, {len(kept.runs)} runs were measured before.")
    return _runs(experiment, seeds, kept.runs, client, kept.add)


def how_many(experiment, least: int) -> int:
    """The seeds that the ledger's own run of an experiment has."""
    few = experiment.ledger_seeds < 5
    return max(experiment.seeds, experiment.ledger_seeds, 0 if few else least)


def results(runs: list, experiment):
    """Runs as `measure.Results`."""
    import pandas as pd

    rows = [
        (arm, seed, metric, value, seconds)
        for arm, seed, metrics, seconds in runs
        for metric, value in metrics.items()
    ]
    table = pd.DataFrame(rows, columns=["arm", "seed", "metric", "value", "seconds"])
    return measure.Results(table, experiment.budget, experiment.name, experiment.seeds)


def _runs(experiment, seeds, kept, client=None, keep=lambda *run: None):
    """[arm, seed, metrics, seconds] for every arm and seed, arm by arm; those in `kept` are not
    run again.

    They run seed by seed with the arms in turn, so that a machine that slows down slows every arm.
    """
    from tqdm.auto import tqdm

    found = dict(kept)
    todo = [(a, s) for s in range(seeds) for a in experiment.points if (a, s) not in found]
    for arm, seed, metrics, seconds in tqdm(
        _measured(experiment, todo, client),
        total=len(todo),
        desc=experiment.name,
        unit="run",
        disable=not todo,
    ):
        first = next((m for (a, _), (m, _) in found.items() if a == arm), metrics)
        if first.keys() != metrics.keys():  # the pairs would no longer be pairs
            raise CourseError(
                f"Arm {arm!r} returned {sorted(metrics)} for seed {seed}, but {sorted(first)} "
                "before."
            )
        found[arm, seed] = (metrics, seconds)
        keep(arm, seed, metrics, seconds)
    return [[a, s, *found[a, s]] for a in experiment.points for s in range(seeds)]


def _measured(experiment, todo, client):
    if client is None:
        yield from (one(experiment, arm, seed) for arm, seed in todo)
        return
    yield from on_workers(experiment, todo, client)


def one(experiment, arm, seed):
    """One run: (arm, seed, metrics, seconds)."""
    return arm, seed, *experiment.measure_one(arm, seed)


class Kept:
    """The finished runs of an experiment whose measuring has not ended: a file with one line for
    each.
    """

    def __init__(self, name, rests_on):
        key = hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()[:16]
        slug = re.sub(r"[^\w.-]+", "_", name)
        self.path = paths.cache() / "runs" / f"{slug}-{key}.jsonl"
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
                # A line cut short stays alone.
                file.write("\n" + json.dumps([arm, seed, metrics, seconds]) + "\n")
        except OSError as error:  # a full disk costs the safety net, not the measurement
            print(
                f"This run could not be kept on disk ({error.strerror}); the experiment goes on "
                "without a safety net."
            )

    def forget(self):
        self.path.unlink(missing_ok=True)
