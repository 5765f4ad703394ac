"""One recipe's attempt at one problem: its clock, its few pictures, what it has handed in."""

import contextlib
import functools
import tempfile
import time

import numpy as np

from translearn import backbones, transfer
from translearn.bench.contest import shared
from translearn.bench.contest.problems import SIZES, Problem
from translearn.recipes import frozen

# CPU-seconds at which the score is read.
MOMENTS = (5, 7, 10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320, 500)
NETWORK = "efficientnet_lite0"


class Spent(Exception):
    """The last CPU-second is gone."""


class Run:
    """One attempt: what it may see, its clock, what it has handed in.

    charge   the features of a frozen network come from a store that all seeds share, and the clock
             is charged what they cost; without it they are computed here and now
    limit    CPU-seconds after which it ends
    """

    def __init__(
        self,
        problem: Problem,
        labels: int,
        seed: int,
        *,
        charge: bool = False,
        limit: float = MOMENTS[-1],
        largest: int = SIZES[-1],
    ):
        self.problem, self.labels, self.seed, self.limit = problem, labels, seed, limit
        self.sizes = (*(size for size in SIZES if size < largest), largest)
        self.handed_in = []  # (CPU-seconds, answer, size of the pictures)
        self.notes = {}  # other numbers that a recipe wants to be kept
        self._folder = tempfile.TemporaryDirectory()  # no run finds the features of another
        self._store = shared.Store(problem) if charge else None
        self._seen, self._paused = set(), False
        self._charged, self._aside, self._began = 0.0, 0.0, time.process_time()

    @property
    def classes(self) -> int:
        return len(self.problem.class_names)

    def few(self, size: int):
        """The few labelled pictures, at one size."""
        return self.problem.few(self.labels, self.seed, size)

    def spent(self) -> float:
        """CPU-seconds so far, those that were charged among them."""
        return time.process_time() - self._began - self._aside + self._charged

    def check(self) -> None:
        if self.spent() > self.limit:
            raise Spent

    def features(self, images, size, mirror=False, blocks=frozen.BLOCKS) -> dict:
        """What the frozen network says about pictures, pooled: {block: float32 (n, channels)}.

        images   (n, h, w, 3) at the largest size; they are made smaller on the way
        size     pixels a side at which the network sees them
        """
        if self._store is None:
            # Not on the clock, so the features of the judges may be kept from run to run.
            folder = None if self._paused else self._folder.name
            found = frozen.features(images, size, mirror, folder=folder)
        else:
            with self.aside():
                found = self._store.features(images, size, mirror)
            if not self._paused:
                self._charge({(key, size, mirror) for key in shared.digests(images)})
        return {block: found[block] for block in blocks}

    def _charge(self, views: set) -> None:
        """What a pass costs, once for the same view in one run."""
        for size in {size for _, size, _ in views}:
            first = not any(seen == size for _, seen, _ in self._seen)
            self._charged += shared.cost(size).of(len(views - self._seen), first)
        self._seen |= views

    @contextlib.contextmanager
    def aside(self):
        """What happens within is not on the clock."""
        if self._paused:
            yield
            return
        began, self._paused = time.process_time(), True
        try:
            yield
        finally:
            self._paused = False
            self._aside += time.process_time() - began

    def hand_in(self, answer, size: int | None = None) -> None:
        """From now on this is the recipe's answer: a function of the test pictures at each size →
        class scores (n, classes). It has to stay as it is, since it is scored at the end.

        size   of the pictures that it looked at: answers at the smallest are in the contest at one
               size, too.
        """
        now = self.spent()
        if now > self.limit:
            raise Spent
        self.handed_in.append((now, answer, size))

    def scored(self, answer) -> float:
        """The balanced accuracy of an answer on the test pictures."""
        from sklearn.metrics import balanced_accuracy_score

        with self.aside():
            scores = answer(lambda size: self.problem.test(size).images)
        labels = self.problem.test(self.sizes[0]).labels
        return balanced_accuracy_score(labels, scores.argmax(axis=1))

    def report(self) -> dict:
        """The score at each moment (a blind guess before anything is handed in), the last score
        and its CPU-seconds; the same of the answers at the smallest size, where there are any; how
        many seconds were charged, and what the recipe noted.
        """
        found, known = {}, {}
        small = [each for each in self.handed_in if each[2] == self.sizes[0]]
        for prefix, answers in (("", self.handed_in), ("one size, ", small)):
            if prefix and not small:
                continue
            for moment in (*MOMENTS, np.inf):
                last = max((i for i, each in enumerate(answers) if each[0] <= moment), default=-1)
                if last >= 0 and answers[last] not in known:
                    known[answers[last]] = self.scored(answers[last][1])
                score = known[answers[last]] if last >= 0 else self.problem.blind
                found[f"{prefix}at {moment}" if moment < np.inf else f"{prefix}score"] = score
            found[f"{prefix}CPU-seconds"] = answers[-1][0] if answers else self.limit
        return found | {"charged seconds": self._charged} | self.notes


def attempt(recipe, run: Run) -> dict:
    """Let a recipe try; the scores of `Run.report`."""
    import keras

    for size in run.sizes:  # reading pictures is nobody's computing
        run.few(size), run.problem.test(size)
    warm_up()
    for kept in (frozen.network, frozen._prepared):  # no run finds the graphs of another
        kept.cache_clear()
    keras.utils.set_random_seed(run.seed)
    run._began = time.process_time()
    try:
        recipe(run)
    except Spent:
        pass
    return run.report()


@functools.cache
def warm_up():
    """What a process pays once, whichever recipe comes first: imports, and the first graph of
    TensorFlow.
    """
    import scipy.special  # noqa: F401
    import sklearn.linear_model
    import sklearn.metrics  # noqa: F401
    import sklearn.model_selection  # noqa: F401
    import sklearn.preprocessing  # noqa: F401

    body = backbones.load("small_cnn", weights=None, size=32)
    model = transfer.attach_head(body, 2, batch_norm="training")
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 32, 32, 3)), np.zeros((2, 2)), verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        transfer.cache_features(body, np.zeros((1, 32, 32, 3)), folder=folder, progress=False)
