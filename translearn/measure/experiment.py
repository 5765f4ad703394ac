"""Running an experiment fairly: same seeds in every arm, every setting tuned equally hard."""

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from translearn import page
from translearn.errors import CourseError
from translearn.measure import ledger
from translearn.measure.results import Results, tidy
from translearn.words import _

WORKERS_WITHIN = 10  # seconds in which a Dask cluster must have a worker

# Who runs named experiments instead of us: set while the ledger is measured or replayed. It has
# `run(experiment) -> Results` and `claim(name, text, row)`; a lesson has none.
recorder = None


def measuring() -> bool:
    """Whether the ledger is being measured (or replayed) just now, and not a lesson run."""
    return recorder is not None


@dataclass(frozen=True)
class Experiment:
    """One experiment: a function, and the arguments that make its arms.

    name         `lesson.experiment`, where the ledger keeps it, or None.
    function     called as `function(seed=…, **arguments)`; returns a dict of numbers.
    points       arm → arguments.
    seeds        how many a lesson runs; `ledger_seeds`, how many the ledger wants.
    budget       in words, what is held equal.
    """

    name: str | None
    function: Callable
    points: dict
    seeds: int = 3
    ledger_seeds: int = 5
    budget: str = ""

    def measure_one(self, arm: str, seed: int) -> tuple:
        """Run one arm with one seed, all random numbers seeded first: (metrics, seconds).

        Raises `CourseError` when the function returns something other than a dict of numbers.
        """
        seed_everything(seed)
        start = time.perf_counter()
        metrics = self.function(seed=seed, **self.points[arm])
        seconds = time.perf_counter() - start
        try:
            return {str(k): float(v) for k, v in dict(metrics).items()}, seconds
        except (TypeError, ValueError):
            raise CourseError(
                f"Arm {arm!r} returned {type(metrics).__name__}: an arm returns a dict of "
                "numbers, such as {'accuracy': 0.5}."
            ) from None


def compare(
    function: Callable,
    grid: dict | None = None,
    *,
    arms: dict | None = None,
    seeds: int = 3,
    tuned: "Tuned | None" = None,
    label: str | None = None,
    budget: str = "",
    name: str | None = None,
    client=None,
    progress: bool = True,
    ledger_seeds: int = 5,
) -> Results:
    """Run one function with every combination of a grid, each with the same seeds.

    function   called as `function(seed=0, how="frozen")`: one keyword for each name of the grid,
               and `seed` (int). It returns its metrics as a dict of numbers. Data, budget and
               model are its own, and the same in every arm but for what the grid changes.
    grid       {parameter: values}; the arms are all combinations. An arm is called by its value,
               or "parameter value, …" where there are several parameters; `label` (a format string
               such as "head {head:g}, body {body:g}") gives it another name.
    arms       instead of a grid, {name: arguments} for arms that are not all combinations.
    seeds      how many seeds, 0 … seeds - 1, each used by every arm.
    tuned      what `tune` chose: each arm then gets its own setting as one more argument.
    budget     in words, what is held equal, for instance "2,000 examples seen"; it stands under
               the table.
    name       where the ledger keeps this experiment, `lesson.experiment`; needed for claims and
               prose.
    client     a `dask.distributed.Client`, to run on its workers; without one the runs take place
               here. Its workers are processes with one thread each: threads of one process would
               share the seeds, and the models.
    progress   show a progress bar.
    ledger_seeds   how many seeds the ledger's own run of it has. More narrow the margin of a
               claim; fewer than five only where a run takes minutes, and then the lesson says so.

    The runs go seed by seed with the arms in turn, so that a machine that slows down slows every
    arm.
    Returns the tidy `Results`. Raises `CourseError` when there are no arms or less than one seed,
    when an arm was not tuned, or when a run returns something other than numbers.
    """
    points = _points(function, grid, arms, label)
    if seeds < 1:
        raise CourseError(f"compare needs at least one seed, not {seeds}.")
    if tuned is not None:
        points = {arm: {**point, **tuned.setting(arm, point)} for arm, point in points.items()}
    experiment = Experiment(name, function, points, seeds, ledger_seeds, budget)
    if recorder is not None and name:
        return recorder.run(experiment)
    return run(experiment, seeds, client, progress)


def run(experiment: Experiment, seeds: int, client=None, progress: bool = True) -> Results:
    """Run every arm with seeds 0 … seeds - 1, here or on a Dask client's workers."""
    todo = [(arm, seed) for seed in range(seeds) for arm in experiment.points]
    found = {}
    for arm, seed, metrics, seconds in _runs(experiment, todo, client, progress):
        before = next((m for (a, _), (m, _) in found.items() if a == arm), metrics)
        if before.keys() != metrics.keys():  # the pairs would no longer be pairs
            raise CourseError(
                f"Arm {arm!r} returned {sorted(metrics)} for seed {seed}, "
                f"but {sorted(before)} before."
            )
        found[arm, seed] = (metrics, seconds)
    order = [(arm, seed, *found[arm, seed]) for arm in experiment.points for seed in range(seeds)]
    return Results(tidy(order), experiment.budget, experiment.name, experiment.seeds)


def _runs(experiment, todo, client, progress):
    from tqdm.auto import tqdm

    name = experiment.name or "comparing"
    with tqdm(total=len(todo), desc=name, unit="run", disable=not (progress and todo)) as bar:
        if client is None:
            for arm, seed in todo:
                bar.set_postfix_str(f"{arm}, seed {seed}")
                yield arm, seed, *experiment.measure_one(arm, seed)
                bar.update()
            return
        for arm, seed, metrics, seconds in on_workers(experiment, todo, client):
            bar.set_postfix_str(f"{arm}, seed {seed}")
            yield arm, seed, metrics, seconds
            bar.update()


def on_workers(experiment: Experiment, todo, client):
    """Run (arm, seed) pairs on a Dask client's workers; yields (arm, seed, metrics, seconds) as
    they finish.

    A worker that dies costs nothing but time: what it was doing is done again by another. Raises
    `CourseError` when there are no workers, when one run ends its worker again and again, or when
    the scheduler is lost; what a run itself raises is raised here. Whatever is still to do is then
    taken back from the workers.
    """
    from distributed import KilledWorker, as_completed
    from distributed.client import FutureCancelledError

    try:  # those that have just died are being started again
        client.wait_for_workers(1, timeout=WORKERS_WITHIN)
    except TimeoutError:
        raise CourseError(
            f"The Dask scheduler at {client.scheduler.address} has no workers. Start some: "
            "dask worker ADDRESS, or LocalCluster(n_workers=2)."
        ) from None
    # A task of its own, so that its data travel once and are sent again if their holder dies.
    shared = client.submit(_itself, experiment, pure=False)
    arms, seeds = zip(*todo) if todo else ((), ())
    futures = client.map(_measure_one, arms, seeds, experiment=shared, pure=False)
    asked = dict(zip(futures, todo))
    try:
        for future in as_completed(futures):
            yield *asked[future], *future.result()
    except KilledWorker as killed:
        arm, seed = asked.get(future, ("?", "?"))
        raise CourseError(
            f"Arm {arm!r} with seed {seed} lost its worker {killed.allowed_failures + 1} times. "
            "It, or a run beside it, may need more memory than a worker has: start workers with "
            "more (memory_limit), or run it without a client to see what it does."
        ) from None
    except FutureCancelledError:
        raise CourseError(
            "The connection to the Dask scheduler was lost. Start the cluster again, make a new "
            "client, and run this once more."
        ) from None
    finally:
        client.cancel([shared, *futures])


def _itself(experiment):
    return experiment


def _measure_one(arm, seed, experiment):
    return experiment.measure_one(arm, seed)


def _points(function, grid, arms, label):
    """Arm → arguments. Raises `CourseError` for what cannot be an experiment."""
    if not callable(function):
        raise CourseError(
            "compare needs a function that takes a seed and the arm's arguments, and what to "
            "vary: "
            f"compare(run, grid={{'how': [...]}}). Got {type(function).__name__}."
        )
    if (grid is None) == (arms is None) or not (grid or arms):
        raise CourseError("Give what to vary: either grid={'how': [...]} or arms={'name': {...}}.")
    if arms is not None:
        if not all(isinstance(point, dict) for point in arms.values()):
            raise CourseError("Each of the arms is a dict of arguments: {'frozen': {'rate': 0}}.")
        return {str(arm): dict(point) for arm, point in arms.items()}
    combinations = (dict(zip(grid, values)) for values in itertools.product(*grid.values()))
    points = {}
    for point in combinations:
        arm = label.format(**point) if label else _called(point)
        if arm in points:
            raise CourseError(
                f"Two arms would be called {arm!r}. Give a label that tells them apart."
            )
        points[arm] = point
    if not points:
        raise CourseError("The grid is empty: every parameter needs at least one value.")
    return points


def _called(point):
    def said(value):
        return f"{value:g}" if isinstance(value, float) else str(value)

    if len(point) == 1:
        return said(*point.values())
    return ", ".join(f"{key} {said(value)}" for key, value in point.items())


def seed_everything(seed: int) -> None:
    """Set the seed of Python's, NumPy's and Keras's random numbers."""
    random.seed(seed)
    np.random.seed(seed)
    import keras

    keras.utils.set_random_seed(seed)


def recorded(name: str) -> Results:
    """The runs of an experiment as the ledger has them (at least five seeds).

    Raises `CourseError` when the ledger has no experiment of that name.
    """
    entry = ledger.experiment(name)
    table = tidy(entry["runs"])
    return Results(table, entry["budget"], name, live_seeds=table["seed"].nunique())


# ---------------------------------------------------------------- choosing a setting on validation


@dataclass(frozen=True)
class _Scored:
    """A function that returns a score, as one that returns metrics."""

    score: Callable

    def __call__(self, **arguments):
        return {"validation": self.score(**arguments)}


def tune(
    score: Callable,
    grid: dict | None = None,
    *,
    arms: dict | None = None,
    over: dict,
    label: str | None = None,
    seeds: int = 3,
    name: str | None = None,
) -> "Tuned":
    """Choose each arm's setting on validation, every arm equally hard.

    score   called as `score(seed=0, how="frozen", rate=0.01)`; returns a score on the *validation*
            set,
            higher is better.
    grid, arms, label   the arms, as in `compare`.
    over    {parameter: values}: the settings to try, the same for every arm, such as
            {"rate": [1e-3, 1e-2, 1e-1]}.
    seeds   how many seeds for each setting.
    name    where the ledger keeps it. In a lesson the recorded choice is read from there, since
            sweeping every arm takes longer than a lesson should; without a name, or while
            measuring, it runs.

    Returns `Tuned`: `tuned["arm"]` is the setting with the best mean; `tuned.results` all of them.
    """
    if len(over) != 1:
        raise CourseError("tune varies one parameter: over={'rate': [0.001, 0.01, 0.1]}.")
    ((parameter, values),) = over.items()
    if name and not measuring():
        return Tuned(recorded(name), parameter)
    points = {
        f"{arm} @ {value:g}": {**point, parameter: value}
        for arm, point in _points(score, grid, arms, label).items()
        for value in values
    }
    budget = f"{len(values)} settings for each arm"
    results = compare(_Scored(score), arms=points, seeds=seeds, budget=budget, name=name)
    return Tuned(results, parameter)


@dataclass
class Tuned:
    """The settings that `tune` tried (`results`) and, for each arm, the one it chose (`best`)."""

    results: Results
    parameter: str = "rate"
    best: dict = field(init=False)

    def __post_init__(self):
        self.best = {}
        # The best of each arm comes last. A setting without a mean (see `_scores`) comes first.
        for key in self._scores().sort_values(kind="stable", na_position="first").index:
            arm, value = key.rsplit(" @ ", 1)
            self.best[arm] = float(value)

    def __getitem__(self, arm):
        if arm not in self.best:
            raise CourseError(f"{arm!r} was not tuned. Tuned were: {', '.join(self.best)}.")
        return self.best[arm]

    def setting(self, arm: str, point: dict) -> dict:
        """The chosen setting of an arm as an argument, unless its point already has one."""
        return {} if self.parameter in point else {self.parameter: self[arm]}

    def _scores(self):
        """The mean score of each setting; one that diverged for a seed has none, and is never
        chosen.
        """
        groups = self.results.table.groupby("arm", sort=False)["value"]
        return groups.agg(lambda values: values.mean(skipna=False))

    def summary(self) -> pd.DataFrame:
        """Mean validation score: one row for each arm, one column for each setting, and the
        choice.

        A choice at the end of what was tried is marked "at the edge": there may be a better one
        beyond.
        """
        scores = self._scores()
        keys = [key.rsplit(" @ ", 1) for key in scores.index]
        table = pd.DataFrame(
            {
                "arm": [arm for arm, _ in keys],
                "setting": [value for _, value in keys],
                "score": scores.to_numpy(),
            }
        ).pivot(index="arm", columns="setting", values="score")
        settings = sorted(table.columns, key=float)
        table = table[settings].loc[list(dict.fromkeys(arm for arm, _ in keys))]
        return table.round(3).assign(chosen=[self._chosen(arm, settings) for arm in table.index])

    def _chosen(self, arm, settings):
        edge = len(settings) > 1 and self.best[arm] in (float(settings[0]), float(settings[-1]))
        return f"{self.best[arm]:g}" + (_(" (at the edge)") if edge else "")

    def _repr_html_(self):
        note = _("validation score, mean over {seeds} seeds", seeds=self.results.seeds)
        table = self.summary().rename(index=_, columns=_)
        table = table.rename_axis(index=_("arm"), columns=_("setting"))
        return f"{page.table(table.to_html())}<p><small>{note}</small></p>"

    def __repr__(self):
        return self.summary().to_string()
