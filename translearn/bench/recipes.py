"""How far does a recipe get for its computing?

Six recipes get the same backbone, the same few labelled pictures, the same validation pictures and
the same seeds. They are not equally free: `ours` may look at them larger and mirrored, and average
its answers; `swept_fine_tuning` may look at them larger at its end; the others stay at 96 pixels.
Each has a clock of CPU-seconds (of all threads) that runs while it loads, caches, traces, trains,
checks and chooses, and stands still while what it hands in is scored on the test pictures. At any
moment its answer is the last that it handed in.
"""

import functools
import itertools
import tempfile
import time

import numpy as np

from translearn import backbones, data, transfer

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed

PROBLEMS = {
    "emoji": ("emoji_styles", 10),
    "solar cells": ("solar_cells", 50),
}  # data set, labelled pictures of each class
MOMENTS = (
    5,
    7,
    10,
    14,
    20,
    28,
    40,
    57,
    80,
    113,
    160,
    226,
    320,
    500,
)  # CPU-seconds at which the score is read
NETWORK = "efficientnet_lite0"
SIZES = (96, 160, 224)  # pixels; the others stay at the first, which is that of the course


class Spent(Exception):
    """The last CPU-second is gone."""


class Run:
    """One recipe's attempt at one problem: what it may see, its clock, what it has handed in."""

    def __init__(self, problem: str, seed: int, limit: float = MOMENTS[-1]):
        self.problem, self.seed, self.limit = problem, seed, limit
        self.handed_in = []  # (CPU-seconds, balanced accuracy on the test pictures)
        self._folder = (
            tempfile.TemporaryDirectory()
        )  # features of one run, so that no run finds those of another
        self._aside, self._began = 0.0, time.process_time()

    def spent(self) -> float:
        return time.process_time() - self._began - self._aside

    def few(self, size: int = 96):
        return _few(self.problem, size, self.seed)

    def validation(self, size: int = 96):
        return _splits(self.problem, size).validation

    @property
    def classes(self) -> int:
        return len(_splits(self.problem, 96).class_names)

    def cached(self, network, images, **more):
        """What a frozen network says about pictures; kept for this run alone."""
        return transfer.cache_features(
            network, images, folder=self._folder.name, progress=False, **more
        )

    def validated(self, scores) -> float:
        from sklearn.metrics import balanced_accuracy_score

        return balanced_accuracy_score(self.validation().labels, scores.argmax(axis=1))

    def hand_in(self, answer) -> None:
        """From now on this is the recipe's answer: a function of the test split at each size →
        class scores (n, classes).
        """
        from sklearn.metrics import balanced_accuracy_score

        now = self.spent()
        if now > self.limit:
            raise Spent
        paused = time.process_time()
        scores = answer(functools.partial(_test, self.problem))
        self.handed_in.append(
            (now, balanced_accuracy_score(_test(self.problem, 96).labels, scores.argmax(axis=1)))
        )
        self._aside += time.process_time() - paused

    def check(self) -> None:
        if self.spent() > self.limit:
            raise Spent

    def report(self) -> dict:
        """The score at each moment (a blind guess before anything is handed in), the last score,
        and its CPU-seconds.
        """
        blind = 1 / self.classes
        at = {
            f"at {moment}": next(
                (score for spent, score in reversed(self.handed_in) if spent <= moment), blind
            )
            for moment in MOMENTS
        }
        spent, last = self.handed_in[-1] if self.handed_in else (self.limit, blind)
        return at | {"score": last, "CPU-seconds": spent}


@functools.cache
def _splits(problem, size):
    return data.load(PROBLEMS[problem][0], size=size)


@functools.cache
def _few(problem, size, seed):
    return _splits(problem, size).train.take(PROBLEMS[problem][1], seed=seed)


def _test(problem, size):
    return _splits(problem, size).test


def attempt(recipe, problem: str, seed: int) -> dict:
    """Run one recipe on one problem with one seed; the scores of `Run.report`."""
    import keras

    for size in SIZES:  # reading pictures is nobody's computing
        _few(problem, size, seed)
    _warm_up()
    keras.utils.set_random_seed(seed)
    run = Run(problem, seed)
    try:
        recipe(run)
    except Spent:
        pass
    return run.report()


@functools.cache
def _warm_up():
    """What a process pays once, whichever recipe comes first: imports, and the first graph of
    TensorFlow.
    """
    import scipy.special  # noqa: F401
    import sklearn.linear_model
    import sklearn.metrics  # noqa: F401
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401

    body = backbones.load("small_cnn", weights=None, size=32)
    model = transfer.attach_head(body, 2, batch_norm="training")
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 32, 32, 3)), np.zeros((2, 2)), verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        transfer.cache_features(body, np.zeros((1, 32, 32, 3)), folder=folder, progress=False)


# ---- Linear probes


def mirrored(images):
    return images[:, :, ::-1]


def best_probe(run, size, blocks, strengths, mirror=False):
    """The best logistic regression on cached features by validation: (validation scores, test
    split → scores).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    body = backbones.load(NETWORK, size=size)
    names = sorted({name for group in blocks for name in group})
    views = [np.asarray, mirrored] if mirror else [np.asarray]

    def seen(cache, images):
        found = [cache(body, view(images), layers=names) for view in views]
        return lambda group: [
            np.concatenate([each[name] for name in group], axis=1) for each in found
        ]

    few, checked = (
        seen(run.cached, run.few(size).images),
        seen(run.cached, run.validation(size).images),
    )
    best = None
    for group, strength in itertools.product(blocks, strengths):
        run.check()
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=300))
        model.fit(np.concatenate(few(group)), np.tile(run.few(size).labels, len(views)))
        scores = np.mean([model.predict_proba(view) for view in checked(group)], axis=0)
        if best is None or run.validated(scores) > run.validated(best[0]):
            best = scores, model, group
    scores, model, group = best

    def answer(test):
        # Not on the clock, so these features may be kept from run to run.
        features = seen(
            functools.partial(transfer.cache_features, progress=False), test(size).images
        )(group)
        return np.mean([model.predict_proba(view) for view in features], axis=0)

    return scores, answer


STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1)


def probe(run):
    """The expert's probe: one pass at 96 pixels; block and strength are chosen on validation."""
    scores, answer = best_probe(
        run, 96, [["block13"], ["block14"], ["block16"], ["head"]], STRENGTHS
    )
    run.hand_in(answer)


# ---- The upper part of the network, trained on cached maps


class Tail:
    """Everything above a block, trained on cached maps of what lies below (or on the pictures,
    when nothing does).
    """

    def __init__(self, run, size, cut, mirror=False):
        import keras

        self.run, self.size = run, size
        body = backbones.load(NETWORK, size=size)
        self.lower, upper = transfer.split(body, cut) if cut else (None, body)
        self.model = transfer.attach_head(upper, run.classes, seed=run.seed)
        self.model.compile(
            keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        transfer.reusable(self.model)  # makes the optimiser's variables
        few = run.few(size)
        images = np.concatenate([few.images, mirrored(few.images)]) if mirror else few.images
        self.maps, self.labels = (
            self._below(run.cached, images),
            np.tile(few.labels, len(images) // len(few)),
        )
        self.checked = self._below(run.cached, run.validation(size).images)
        self.fresh = self.state()

    def _below(self, cache, images):
        return cache(self.lower, images, pooling=None) if self.lower else images.astype("float32")

    def state(self):
        return [
            variable.numpy()
            for variable in [*self.model.variables, *self.model.optimizer.variables]
        ]

    def put_back(self, state):
        for variable, value in zip(
            [*self.model.variables, *self.model.optimizer.variables], state
        ):
            variable.assign(value)

    def train(self, state, rate, epochs, batch_size=30):
        """Go on from `state` for some epochs; returns the new state and the validation scores."""
        self.put_back(state)
        self.model.optimizer.learning_rate = rate
        for _ in range(epochs):
            self.run.check()
            self.model.fit(self.maps, self.labels, batch_size=batch_size, verbose=0)
        return self.state(), self.scores(self.checked)

    def scores(self, maps):
        import scipy.special

        return scipy.special.softmax(self.model.predict(maps, batch_size=128, verbose=0), axis=1)

    def answer(self, state):
        def of(test):
            now = self.state()
            self.put_back(state)
            scores = self.scores(
                self._below(
                    functools.partial(transfer.cache_features, progress=False),
                    test(self.size).images,
                )
            )
            self.put_back(now)
            return scores

        return of


def swept_fine_tuning(run):
    """The expert's fine-tuning: depth and rate swept on validation, the better third trained on
    (successive halving, Jamieson and Talwalkar 2016, arXiv:1502.07943); then, with what is left,
    the winner at larger pictures."""
    tails = {cut: Tail(run, 96, cut) for cut in ("block14", "block10", None)}
    standing = {
        (cut, rate): (tail.fresh, 0.0)
        for cut, tail in tails.items()
        for rate in (1e-4, 3e-4, 1e-3, 3e-3)
    }
    best, done = 0.0, 0
    for until in (3, 9, 27):
        for (cut, rate), (state, _) in standing.items():
            state, scores = tails[cut].train(state, rate, until - done)
            standing[cut, rate] = state, run.validated(scores)
            if run.validated(scores) > best:
                best = run.validated(scores)
                run.hand_in(tails[cut].answer(state))
        done = until
        kept = sorted(standing, key=lambda each: -standing[each][1])[: max(1, len(standing) // 3)]
        standing = {each: standing[each] for each in kept}
    cut, rate = kept[0]
    for size in SIZES[1:]:
        tail = Tail(run, size, cut)
        state, scores = tail.train(tail.fresh, rate, 27)
        if run.validated(scores) > best:
            best = run.validated(scores)
            run.hand_in(tail.answer(state))


# ---- The course's own


def ours(run):
    """The course's advice: probe first, at growing sizes of picture; fine-tune last; keep, alone
    or averaged, what validation says.
    """
    members = []
    for size in SIZES:
        # Mirrored pictures double the computing, so the first answer does without them.
        members.append(
            best_probe(
                run,
                size,
                [["block13"], ["block14"], ["block16"], ["block13", "block14", "block16"]],
                STRENGTHS,
                mirror=size > SIZES[0],
            )
        )
        run.hand_in(best_average(run, members))
    sizes = dict(zip(SIZES, members))
    size = max(sizes, key=lambda each: run.validated(sizes[each][0]))
    tail = Tail(run, size, "block14", mirror=True)
    for rate in (3e-4, 1e-3):
        state, scores = tail.train(tail.fresh, rate, 12)
        members.append((scores, tail.answer(state)))
        run.hand_in(best_average(run, members))


def best_average(run, members):
    """The average of some members' class scores that does best on validation; of equals, the one
    with fewer members.
    """
    groups = [
        group
        for count in range(1, len(members) + 1)
        for group in itertools.combinations(members, count)
    ]
    best = max(
        groups, key=lambda group: run.validated(np.mean([scores for scores, _ in group], axis=0))
    )
    return lambda test: np.mean([answer(test) for _, answer in best], axis=0)


# ---- Recipes that everybody copies


def _tutorial(run, turn, batch_size, head, tail, unfrozen_from):
    """Two stages: a head on the frozen network, then part of the network too. `head` and `tail`:
    optimiser and epochs.
    """
    import keras

    body = backbones.load(NETWORK)
    body.trainable = False
    inputs = keras.Input((96, 96, 3))
    x = keras.layers.RandomRotation(turn, seed=run.seed)(
        keras.layers.RandomFlip("horizontal", seed=run.seed)(inputs)
    )
    x = keras.layers.GlobalAveragePooling2D()(body(x, training=False))
    x = keras.layers.Dropout(0.2, seed=run.seed)(x)
    model = keras.Model(inputs, keras.layers.Dense(run.classes)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    few, checked = run.few(), run.validation()
    for stage, (optimizer, epochs) in enumerate((head, tail)):
        if stage:
            body.trainable = True
            for layer in body.layers[: round(len(body.layers) * unfrozen_from)]:
                layer.trainable = False
        model.compile(optimizer, loss, metrics=["accuracy"])
        for _ in range(epochs):
            run.check()
            model.fit(
                few.images,
                few.labels,
                batch_size=batch_size,
                validation_data=(checked.images, checked.labels),
                verbose=0,
            )
    run.hand_in(lambda test: model.predict(test(96).images, batch_size=128, verbose=0))


def tensorflow_tutorial(run):
    """https://www.tensorflow.org/tutorials/images/transfer_learning, as printed: 10 epochs for the
    head, 10 for the upper third.
    """
    import keras

    _tutorial(
        run,
        0.2,
        32,
        (keras.optimizers.Adam(1e-4), 10),
        (keras.optimizers.RMSprop(1e-5), 10),
        100 / 154,
    )


def keras_guide(run):
    """https://keras.io/guides/transfer_learning, as printed: 2 epochs for the head, 1 for
    everything.
    """
    import keras

    _tutorial(run, 0.1, 64, (keras.optimizers.Adam(1e-3), 2), (keras.optimizers.Adam(1e-5), 1), 0)


def article(run):
    """The article's: raw pixels, nothing frozen, Flatten, Dense(1024), softmax, Adam at its
    default rate. It names neither epochs nor batch size; here 10 epochs in batches of 32."""
    import keras

    body = backbones.load(NETWORK, include_preprocessing=False)
    x = keras.layers.Dense(1024, activation="relu")(keras.layers.Flatten()(body.output))
    model = keras.Model(body.input, keras.layers.Dense(run.classes, activation="softmax")(x))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    few, checked, one_hot = run.few(), run.validation(), np.eye(run.classes)
    for _ in range(10):
        run.check()
        model.fit(
            few.images,
            one_hot[few.labels],
            batch_size=32,
            validation_data=(checked.images, one_hot[checked.labels]),
            verbose=0,
        )
    run.hand_in(lambda test: model.predict(test(96).images, batch_size=128, verbose=0))


RECIPES = {
    "ours": ours,
    "probe": probe,
    "fine-tuning, swept": swept_fine_tuning,
    "TensorFlow tutorial": tensorflow_tutorial,
    "Keras guide": keras_guide,
    "the article": article,
}
