"""Exercises of lesson 08, Early stopping."""

import functools

import numpy as np

from translearn.exercises import (
    Choice,
    Incorrect,
    Misconception,
    NotAttempted,
    close,
    exercise,
    expect_array,
    expect_callable,
    expect_number,
    learners_code,
)
from translearn.exercises.answers import is_stub


@exercise(
    title="How far luck carries a score",
    hints=[
        "Each picture is right with probability p, like a coin that falls on one side with probability p. Its variance is p (1 - p).",
        "The mean of n such coins has the variance p (1 - p) / n. A standard deviation is the square root of a variance.",
    ],
    praise="Four times the pictures halve it. That is why a small validation set is so much noisier, and a perfect one so expensive.",
    setup="import numpy as np",
    solution="""
        def standard_error(accuracy, pictures):
            ### BEGIN SOLUTION
            return np.sqrt(accuracy * (1 - accuracy) / pictures)
            ### END SOLUTION
    """,
    alternatives=[
        "from scipy.stats import binom\ndef standard_error(accuracy, pictures):\n    return binom(pictures, accuracy).std() / pictures",
        "def standard_error(accuracy, pictures):\n    return (accuracy / pictures * (1 - accuracy)) ** 0.5",
        "def standard_error(accuracy, pictures):\n    return np.array([np.float32(accuracy * (1 - accuracy) / pictures) ** 0.5])",
    ],
    wrong={
        "the variance": "def standard_error(accuracy, pictures):\n    return accuracy * (1 - accuracy) / pictures",
        "pictures, not a share": "def standard_error(accuracy, pictures):\n    return np.sqrt(accuracy * (1 - accuracy) * pictures)",
        "one over the root of n": "def standard_error(accuracy, pictures):\n    return 1 / np.sqrt(pictures)",
        "one picture": "def standard_error(accuracy, pictures):\n    return np.sqrt(accuracy * (1 - accuracy))",
    },
    refused=["def standard_error(accuracy, pictures):\n    return np.sqrt(accuracy / pictures)"],
)
def standard_error(standard_error):
    f = expect_callable(standard_error, "standard_error")
    for p, n in ((0.5, 36), (0.8, 454), (0.1, 120), (1.0, 10)):
        got, right = expect_number(f(p, n), "the standard error"), np.sqrt(p * (1 - p) / n)
        if close(got, right, 1e-5):
            continue
        if close(got, right**2):
            raise Misconception(
                "the variance",
                "That is the variance. Its square root is in the same unit as the score.",
            )
        if close(got, right * n):
            raise Misconception(
                "pictures, not a share",
                "That is how much the *number* of right pictures varies. Divide by the pictures to get a share.",
            )
        if close(got, 1 / np.sqrt(n)):
            raise Misconception(
                "one over the root of n",
                "The root of n belongs below the line, and so does a numerator that knows the accuracy: a model that is always right does not vary at all.",
            )
        if close(got, np.sqrt(p * (1 - p))):
            raise Misconception(
                "one picture", "That is the spread of one picture. The mean of many varies less."
            )
        raise Incorrect(
            f"For an accuracy of {p} on {n} pictures expected {right:.4f}, got {got:.4f}."
        )


@exercise(
    title="How many pictures?",
    hints=[
        "The spread is largest at an accuracy of one half: a set that is large enough for 0.5 is large enough for all.",
        "Half the interval is 1.96 · sqrt(0.25 / n). Set it equal to points / 100, solve for n, and round *up* with `np.ceil`.",
    ],
    praise="And to tell two epochs apart that differ by one point, it would take about ten thousand. Nobody has them, which is why stopping is always half luck.",
    setup="import math\nimport numpy as np",
    solution="""
        def pictures_needed(points):
            ### BEGIN SOLUTION
            return int(np.ceil(0.25 * (1.96 / (points / 100)) ** 2))
            ### END SOLUTION
    """,
    alternatives=[
        "def pictures_needed(points):\n    n = 1\n    while 1.96 * np.sqrt(0.25 / n) > points / 100:\n        n += 1\n    return n",
        "from scipy.stats import norm\ndef pictures_needed(points):\n    return float(np.ceil((norm.ppf(0.975) * 50 / points) ** 2))",
    ],
    wrong={
        "per cent": "def pictures_needed(points):\n    return math.ceil(0.25 * (1.96 / points) ** 2)",
        "one standard error": "def pictures_needed(points):\n    return math.ceil(0.25 / (points / 100) ** 2)",
        "both sides together": "def pictures_needed(points):\n    return math.ceil(0.25 * (1.96 / (points / 200)) ** 2)",
        "rounded down": "def pictures_needed(points):\n    return int(0.25 * (1.96 / (points / 100)) ** 2)",
        "no square": "def pictures_needed(points):\n    return math.ceil(0.25 * 1.96 / (points / 100))",
    },
    refused=["def pictures_needed(points):\n    return 1000"],
)
def pictures_needed(pictures_needed):
    f = expect_callable(pictures_needed, "pictures_needed")
    wrong = {
        "per cent": (
            lambda w: np.ceil(0.25 * (1.96 / w) ** 2),
            "A point is one hundredth. Divide `points` by 100 first.",
        ),
        "one standard error": (
            lambda w: np.ceil(0.25 / (w / 100) ** 2),
            "That holds for one standard error, which covers two repetitions in three. For 95 in 100 it takes 1.96 of them.",
        ),
        "both sides together": (
            lambda w: np.ceil(0.25 * (1.96 / (w / 200)) ** 2),
            "You asked for the *whole* interval to be that narrow. Plus or minus five points is ten points from end to end.",
        ),
        "rounded down": (
            lambda w: np.floor(0.25 * (1.96 / (w / 100)) ** 2),
            "One picture short: rounded down, the interval is a little too wide.",
        ),
        "no square": (
            lambda w: np.ceil(0.25 * 1.96 / (w / 100)),
            "The interval shrinks with the *root* of n, so n grows with the square.",
        ),
    }
    tried = (10, 5, 3)
    got = [expect_number(f(w), "the number of pictures") for w in tried]
    if got == [97, 385, 1068]:
        return
    for name, (answer, message) in wrong.items():
        if got == [answer(w) for w in tried]:
            raise Misconception(name, message)
    raise Incorrect(
        f"For plus or minus {tried[0]}, {tried[1]} and {tried[2]} points expected 97, 385 and 1068 pictures, got {', '.join(f'{g:g}' for g in got)}."
    )


def _stop(
    scores,
    patience,
    min_delta,
    better=lambda new, best, delta: new - delta > best,
    first=1,
    late=0,
    total=False,
    previous=False,
):
    best, best_epoch, wait = None, first - 1, 0
    for epoch, score in enumerate(scores, first):
        if best is None or better(score, best, min_delta):
            best, best_epoch = score, epoch
            wait = wait if total else 0
        else:
            wait += 1
            best = score if previous else best
            if wait >= patience + late:
                return epoch, best_epoch
    return len(scores) - 1 + first, best_epoch


_MISREAD = {
    "lower is better": (
        dict(better=lambda new, best, delta: new + delta < best),
        "You took a lower score for a better one. An accuracy should go up; only a loss should go down.",
    ),
    "the minimum change is ignored": (
        dict(better=lambda new, best, delta: new > best),
        "An epoch that beats the best by less than `min_delta` must not reset the count.",
    ),
    "a tie is an improvement": (
        dict(better=lambda new, best, delta: new - delta >= best),
        "A score that only equals the best is no improvement. With a few dozen pictures ties are common, and this rule would wait for ever.",
    ),
    "against the epoch before": (
        dict(previous=True),
        "You compare with the epoch before. One step back and one forward would count as progress; compare with the *best* so far.",
    ),
    "bad epochs in total": (
        dict(total=True),
        "You count the bad epochs of the whole run. Patience counts them in a row: an improvement sets the count back to 0.",
    ),
    "one epoch too late": (
        dict(late=1),
        "You stop one epoch late: with a patience of 3, the third epoch in a row without improvement is the last.",
    ),
    "counted from 0": (
        dict(first=0),
        "You count the epochs from 0. The first epoch is number 1 here.",
    ),
}


@exercise(
    title="A rule for scores",
    hints=[
        "The lesson's `stop` with two signs turned: a score is better when `score - min_delta > best`.",
        "Go through `enumerate(scores, 1)`. On an improvement remember the score and its epoch and set `wait` to 0; otherwise add 1 to `wait`, and return once `wait >= patience`. After the loop, return `len(scores)` and the best epoch.",
    ],
    praise='This is the whole of `EarlyStopping(mode="max")`. Nothing in it knows whether the score it follows means anything.',
    setup="import numpy as np",
    solution="""
        def stop_on_score(scores, patience, min_delta=0.0):
            ### BEGIN SOLUTION
            best, best_epoch, wait = None, 0, 0
            for epoch, score in enumerate(scores, 1):
                if best is None or score - min_delta > best:
                    best, best_epoch, wait = score, epoch, 0
                else:
                    wait += 1
                    if wait >= patience:
                        return epoch, best_epoch
            return len(scores), best_epoch
            ### END SOLUTION
    """,
    alternatives=[
        "def stop_on_score(scores, patience, min_delta=0.0):\n    best = 0\n    for now in range(1, len(scores)):\n"
        "        if scores[now] > scores[best] + min_delta:\n            best = now\n        elif now - best >= patience:\n            return [now + 1, best + 1]\n    return [len(scores), best + 1]",
        "def stop_on_score(scores, patience, min_delta=0.0):\n    losses = -np.asarray(scores, 'float64')\n    best, at = losses[0], 0\n    for i, loss in enumerate(losses):\n"
        "        if loss + min_delta < best:\n            best, at = loss, i\n        if i > at and i - at >= patience:\n            break\n    return np.array([i + 1, at + 1])",
    ],
    wrong={
        "lower is better": "def stop_on_score(scores, patience, min_delta=0.0):\n    best, at = None, 0\n    for i, s in enumerate(scores, 1):\n        if best is None or s + min_delta < best:\n            best, at = s, i\n"
        "        elif i - at >= patience:\n            return i, at\n    return len(scores), at",
        "the minimum change is ignored": "def stop_on_score(scores, patience, min_delta=0.0):\n    best, at = None, 0\n    for i, s in enumerate(scores, 1):\n        if best is None or s > best:\n            best, at = s, i\n"
        "        elif i - at >= patience:\n            return i, at\n    return len(scores), at",
        "a tie is an improvement": "def stop_on_score(scores, patience, min_delta=0.0):\n    best, at = None, 0\n    for i, s in enumerate(scores, 1):\n        if best is None or s - min_delta >= best:\n            best, at = s, i\n"
        "        elif i - at >= patience:\n            return i, at\n    return len(scores), at",
        "against the epoch before": "def stop_on_score(scores, patience, min_delta=0.0):\n    before, at, wait = None, 0, 0\n    for i, s in enumerate(scores, 1):\n        if before is None or s - min_delta > before:\n            at, wait = i, 0\n"
        "        else:\n            wait += 1\n            if wait >= patience:\n                return i, at\n        before = s\n    return len(scores), at",
        "bad epochs in total": "def stop_on_score(scores, patience, min_delta=0.0):\n    best, at, wait = None, 0, 0\n    for i, s in enumerate(scores, 1):\n        if best is None or s - min_delta > best:\n            best, at = s, i\n"
        "        else:\n            wait += 1\n            if wait >= patience:\n                return i, at\n    return len(scores), at",
        "one epoch too late": "def stop_on_score(scores, patience, min_delta=0.0):\n    best, at = None, 0\n    for i, s in enumerate(scores, 1):\n        if best is None or s - min_delta > best:\n            best, at = s, i\n"
        "        elif i - at > patience:\n            return i, at\n    return len(scores), at",
        "counted from 0": "def stop_on_score(scores, patience, min_delta=0.0):\n    best, at = scores[0], 0\n    for i, s in enumerate(scores):\n        if s - min_delta > best:\n            best, at = s, i\n"
        "        elif i and i - at >= patience:\n            return i, at\n    return len(scores) - 1, at",
        "one number": "def stop_on_score(scores, patience, min_delta=0.0):\n    return len(scores)",
    },
    refused=[
        "def stop_on_score(scores, patience, min_delta=0.0):\n    return len(scores), int(np.argmax(scores)) + 1"
    ],
)
def stop_on_score(stop_on_score):
    f = expect_callable(stop_on_score, "stop_on_score")
    tried = [
        ([0.2, 0.5, 0.4, 0.6, 0.5, 0.3, 0.4, 0.9], 3, 0.0),
        ([0.5, 0.5, 0.5, 0.6, 0.7, 0.7], 2, 0.0),
        ([0.3, 0.31, 0.32, 0.5, 0.51, 0.49, 0.52], 2, 0.05),
        ([0.1, 0.2, 0.3, 0.4], 1, 0.0),
        ([0.5, 0.6, 0.55, 0.58, 0.56, 0.59, 0.57], 4, 0.0),
        ([0.1, 0.4, 0.3, 0.5, 0.4, 0.6, 0.5, 0.7], 2, 0.0),
        ([0.4, 0.5, 0.3, 0.35, 0.42, 0.2], 3, 0.0),
        ([0.3, 0.4, 0.4, 0.4, 0.4, 0.5], 2, 0.0),
    ]
    got = []
    for scores, patience, delta in tried:
        answer = expect_array(
            f(np.array(scores), patience, delta), what="the epochs trained and the best epoch"
        )
        if answer.shape != (2,):
            raise Misconception(
                "one number",
                "Return two numbers: the epochs that were trained, and the epoch whose score was the best.",
            )
        got.append(tuple(float(a) for a in answer))
    right = [_stop(*one) for one in tried]
    if got == right:
        return
    for name, (options, message) in _MISREAD.items():
        if got == [_stop(*one, **options) for one in tried]:
            raise Misconception(name, message)
    at = next(i for i, (a, b) in enumerate(zip(got, right)) if a != b)
    scores, patience, delta = tried[at]
    raise Incorrect(
        f"For the scores {scores}, patience {patience} and min_delta {delta} expected {right[at]}, got ({got[at][0]:g}, {got[at][1]:g})."
    )


which_weights = Choice(
    "which_weights",
    '`EarlyStopping(monitor="val_loss", patience=10)` ends the training after epoch 31. Which weights does the model have now?',
    {
        "a": "Those of epoch 21, the best one: that is the point of stopping",
        "b": "Those of epoch 31, the tenth epoch in a row that was no better than epoch 21",
        "c": "The average over the last ten epochs",
        "d": "Those of epoch 21 if the optimiser was Adam, since it keeps the best in its state",
    },
    right="b",
    wrong={
        "a": (
            "restored by itself",
            "Only with `restore_best_weights=True`, and the default is `False`. Stopping and restoring are two decisions.",
        ),
        "c": (
            "averaged",
            "Nothing is averaged. Averaging weights is a method of its own, which you would have to ask for.",
        ),
        "d": (
            "the optimiser remembers",
            "Adam keeps averages of gradients, never earlier weights.",
        ),
    },
    hints=[
        "Look at the default of `restore_best_weights`.",
        "What did the callback do between epoch 21 and epoch 31, apart from counting?",
    ],
    praise="And the longer the patience, the further the two are apart.",
)


@exercise(
    title="Keep the best weights",
    hints=[
        '`self.model.get_weights()` gives copies of all weights, `self.model.set_weights(…)` puts them back. In `on_epoch_end`, `logs["val_loss"]` is the loss on validation.',
        'Start with `best = float("inf")`. In `on_epoch_end`: if `logs["val_loss"] < self.best`, remember the loss and the weights. In `on_train_end`: `self.model.set_weights(self.weights)`.',
    ],
    praise="With this callback, a fixed number of epochs is as safe as early stopping; it only costs the seconds of the epochs that were in vain.",
    setup="import keras\nimport numpy as np",
    solution="""
        class KeepBest(keras.callbacks.Callback):
            best = float("inf")

            def on_epoch_end(self, epoch, logs=None):
                ### BEGIN SOLUTION
                if logs["val_loss"] < self.best:
                    self.best, self.weights = logs["val_loss"], self.model.get_weights()
                ### END SOLUTION

            def on_train_end(self, logs=None):
                ### BEGIN SOLUTION
                self.model.set_weights(self.weights)
                ### END SOLUTION
    """,
    alternatives=[
        "class KeepBest(keras.callbacks.Callback):\n    def on_train_begin(self, logs=None):\n        self.seen = []\n    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.seen.append((logs['val_loss'], epoch, self.model.get_weights()))\n    def on_train_end(self, logs=None):\n        self.model.set_weights(min(self.seen)[2])",
        "class KeepBest(keras.callbacks.Callback):\n    def __init__(self):\n        super().__init__()\n        self.best = None\n    def on_epoch_end(self, epoch, logs=None):\n"
        "        if self.best is None or logs.get('val_loss') < self.best:\n            self.best = logs.get('val_loss')\n            self.kept = [w.numpy().copy() for w in self.model.weights]\n"
        "    def on_train_end(self, logs=None):\n        for weight, value in zip(self.model.weights, self.kept):\n            weight.assign(value)",
    ],
    wrong={
        "nothing is put back": "class KeepBest(keras.callbacks.Callback):\n    best = float('inf')\n    def on_epoch_end(self, epoch, logs=None):\n        if logs['val_loss'] < self.best:\n"
        "            self.best, self.weights = logs['val_loss'], self.model.get_weights()\n    def on_train_end(self, logs=None):\n        pass",
        "every epoch counts as the best": "class KeepBest(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        self.weights = self.model.get_weights()\n"
        "    def on_train_end(self, logs=None):\n        self.model.set_weights(self.weights)",
        "a name is not a copy": "class KeepBest(keras.callbacks.Callback):\n    best = float('inf')\n    def on_epoch_end(self, epoch, logs=None):\n        if logs['val_loss'] < self.best:\n"
        "            self.best, self.weights = logs['val_loss'], self.model.weights\n    def on_train_end(self, logs=None):\n        self.model.set_weights([w.numpy() for w in self.weights])",
        "the training loss": "class KeepBest(keras.callbacks.Callback):\n    best = float('inf')\n    def on_epoch_end(self, epoch, logs=None):\n        if logs['loss'] < self.best:\n"
        "            self.best, self.weights = logs['loss'], self.model.get_weights()\n    def on_train_end(self, logs=None):\n        self.model.set_weights(self.weights)",
        "the worst epoch": "class KeepBest(keras.callbacks.Callback):\n    best = float('-inf')\n    def on_epoch_end(self, epoch, logs=None):\n        if logs['val_loss'] > self.best:\n"
        "            self.best, self.weights = logs['val_loss'], self.model.get_weights()\n    def on_train_end(self, logs=None):\n        self.model.set_weights(self.weights)",
        "only the first epoch": "class KeepBest(keras.callbacks.Callback):\n    weights = None\n    def on_epoch_end(self, epoch, logs=None):\n        if self.weights is None:\n"
        "            self.weights = self.model.get_weights()\n    def on_train_end(self, logs=None):\n        self.model.set_weights(self.weights)",
    },
    refused=[
        "class KeepBest(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        if epoch == 2:\n            self.weights = self.model.get_weights()\n"
        "    def on_train_end(self, logs=None):\n        self.model.set_weights(self.weights)"
    ],
)
def KeepBest(KeepBest):
    import inspect

    import keras

    if not inspect.isclass(KeepBest) or not issubclass(KeepBest, keras.callbacks.Callback):
        raise Incorrect(
            "Hand in the class `KeepBest`, a `keras.callbacks.Callback`: not one that was made from it."
        )
    if is_stub(vars(KeepBest).get("on_epoch_end")) and is_stub(vars(KeepBest).get("on_train_end")):
        raise NotAttempted()
    runs = [
        ([5.0, 4.0, 3.0, 6.0, 5.0], 3),
        ([2.0, 3.0, 4.0, 5.0, 6.0], 1),
        ([7.0, 5.0, 6.0, 4.5, 4.0], 5),
        ([3.0, 1.0, 2.0, 1.5, 1.2], 2),
    ]
    kept = []
    for values, _ in runs:
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        with learners_code("KeepBest in a training of five epochs"):
            callback = KeepBest()
            callback.set_model(model)
            callback.on_train_begin({})
            for epoch, value in enumerate(values):
                model.set_weights([np.full((1, 1), epoch + 1.0), np.zeros(1)])
                callback.on_epoch_end(epoch, {"loss": 9.0 - epoch, "val_loss": value})
            callback.on_train_end({})
        kept.append(int(model.get_weights()[0].item()))
    right = [best for _, best in runs]
    if kept == right:
        return
    if kept == [5, 5, 5, 5]:
        name, message = _why_the_last(KeepBest, keras)
        raise Misconception(name, message)
    if kept == [1, 1, 1, 1]:
        raise Misconception(
            "only the first epoch",
            "After every run the model had the weights of its first epoch: something better has to replace what was kept.",
        )
    if kept == [int(np.argmax(values)) + 1 for values, _ in runs]:
        raise Misconception("the worst epoch", "You kept the weights with the *highest* loss.")
    raise Incorrect(
        f"With the validation losses {runs[0][0]} the best epoch is {runs[0][1]}, and the model came back with the weights of epoch {kept[0]}; "
        f"over four runs expected {right}, got {kept}."
    )


def _why_the_last(KeepBest, keras):
    """Four ways to end up with the last weights, told apart by what changes the answer."""

    def run(loss, val_loss, spoil=False):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        with learners_code("KeepBest in a training of three epochs"):
            callback = KeepBest()
            callback.set_model(model)
            callback.on_train_begin({})
            for epoch in range(3):
                model.set_weights([np.full((1, 1), epoch + 1.0), np.zeros(1)])
                callback.on_epoch_end(epoch, {"loss": loss[epoch], "val_loss": val_loss[epoch]})
            if spoil:
                model.set_weights([np.full((1, 1), 9.0), np.zeros(1)])
            callback.on_train_end({})
        return int(model.get_weights()[0].item())

    if run([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]) == 1:
        return (
            "the training loss",
            'You followed the training loss, which falls to the end: it is `logs["val_loss"]` that can tell you when to stop.',
        )
    if run([3.0, 2.0, 1.0], [1.0, 2.0, 3.0], spoil=True) == 3:
        return (
            "every epoch counts as the best",
            "You kept the weights of every epoch, the last one included. Keep them only when the validation loss is lower than the best so far.",
        )
    if (
        hasattr(KeepBest, "on_train_end")
        and "set_weights" not in KeepBest.on_train_end.__code__.co_names
        and "assign" not in KeepBest.on_train_end.__code__.co_names
    ):
        return (
            "nothing is put back",
            "The model ends with the last weights: whatever you kept has to be put back in `on_train_end`, with `self.model.set_weights(…)`.",
        )
    return (
        "a name is not a copy",
        "You kept the variables themselves, and training went on changing them. `get_weights()` gives copies.",
    )


@exercise(
    title="Too good to be true",
    hints=[
        "For each run (row), find the epoch in which *validation* is best: `validation.argmax(axis=1)`.",
        "Take both scores at that epoch, `validation[rows, best]` and `test[rows, best]` with `rows = np.arange(len(best))`, and average the difference.",
    ],
    praise="The test score may look at the choice; it may not make it.",
    setup="import numpy as np",
    solution="""
        def optimism(validation, test):
            ### BEGIN SOLUTION
            rows, best = np.arange(len(validation)), validation.argmax(axis=1)
            return np.mean(validation[rows, best] - test[rows, best])
            ### END SOLUTION
    """,
    alternatives=[
        "def optimism(validation, test):\n    return sum(max(v) - t[list(v).index(max(v))] for v, t in zip(validation, test)) / len(test)",
        "def optimism(validation, test):\n    best = np.argmax(validation, axis=1)[:, None]\n    return [validation.max(axis=1).mean() - np.take_along_axis(test, best, axis=1).mean()]",
    ],
    wrong={
        "both at their best": "def optimism(validation, test):\n    return np.mean(validation.max(axis=1) - test.max(axis=1))",
        "chosen on the test set": "def optimism(validation, test):\n    rows, best = np.arange(len(test)), test.argmax(axis=1)\n    return np.mean(validation[rows, best] - test[rows, best])",
        "one epoch for all runs": "def optimism(validation, test):\n    best = validation.mean(axis=0).argmax()\n    return np.mean(validation[:, best] - test[:, best])",
        "nothing was chosen": [
            "def optimism(validation, test):\n    return np.mean(validation - test)",
            "def optimism(validation, test):\n    return np.mean(validation[:, -1] - test[:, -1])",
        ],
        "the sign": "def optimism(validation, test):\n    rows, best = np.arange(len(validation)), validation.argmax(axis=1)\n    return np.mean(test[rows, best] - validation[rows, best])",
    },
    refused=["def optimism(validation, test):\n    return validation.max() - test.max()"],
)
def optimism(optimism):
    f = expect_callable(optimism, "optimism")
    rng = np.random.default_rng(8)
    cases = [(rng.random((r, e)), rng.random((r, e))) for r, e in ((6, 20), (1, 5), (3, 9))]
    got = [expect_number(f(v.copy(), t.copy()), "how much too good") for v, t in cases]

    def at(v, t, epochs):
        return np.mean(v[np.arange(len(v)), epochs] - t[np.arange(len(v)), epochs])

    right = [at(v, t, v.argmax(axis=1)) for v, t in cases]
    if close(got, right):
        return
    for name, answers, message in (
        (
            "both at their best",
            [np.mean(v.max(axis=1) - t.max(axis=1)) for v, t in cases],
            "The best test score is as lucky as the best validation score. Take the test score of the epoch that *validation* chose.",
        ),
        (
            "chosen on the test set",
            [at(v, t, t.argmax(axis=1)) for v, t in cases],
            "You chose the epoch on the test set. Now the validation score is the honest one, and the test set is spent.",
        ),
        (
            "one epoch for all runs",
            [at(v, t, v.mean(axis=0).argmax()) for v, t in cases],
            "You took one epoch for all runs, where luck averages out. Every run stops at its own best.",
        ),
        (
            "nothing was chosen",
            [np.mean(v - t) for v, t in cases],
            "You averaged over all epochs, where nothing has been chosen: the flattery comes from picking the best.",
        ),
        (
            "nothing was chosen",
            [at(v, t, -1) for v, t in cases],
            "You took the last epoch, where nothing has been chosen: the flattery comes from picking the best.",
        ),
        (
            "the sign",
            [-r for r in right],
            "The size is right and the sign is not: how much *more* did validation promise than the test gave?",
        ),
    ):
        if close(got, answers):
            raise Misconception(name, message)
    raise Incorrect(f"For {len(cases[0][0])} runs expected {right[0]:.4f}, got {got[0]:.4f}.")


@exercise(
    title="A rule that looks at the trend",
    hints=[
        "`np.polyfit(range(window), values, 1)[0]` is the slope of the straight line through `values`.",
        "For `epoch` from `window` to `len(curve)`: take `curve[epoch - window:epoch]`; if its slope is not below 0, return `epoch`. After the loop return `len(curve)`.",
    ],
    praise="One unlucky epoch cannot stop it, and it does not wait for a best that was luck. Its own weakness: it has a window to be chosen.",
    setup="import numpy as np",
    solution="""
        def stop_on_trend(curve, window):
            ### BEGIN SOLUTION
            for epoch in range(window, len(curve) + 1):
                if np.polyfit(range(window), curve[epoch - window:epoch], 1)[0] >= 0:
                    return epoch
            return len(curve)
            ### END SOLUTION
    """,
    alternatives=[
        "def stop_on_trend(curve, window):\n    x = np.arange(window) - (window - 1) / 2\n    slopes = np.array([x @ curve[i:i + window] for i in range(len(curve) - window + 1)])\n"
        "    flat = np.flatnonzero(slopes >= 0)\n    return int(flat[0]) + window if len(flat) else len(curve)",
        "from scipy.stats import linregress\ndef stop_on_trend(curve, window):\n    seen = []\n    for value in curve:\n        seen.append(value)\n"
        "        if len(seen) >= window and not linregress(range(window), seen[-window:]).slope < 0:\n            break\n    return float(len(seen))",
    ],
    wrong={
        "all epochs so far": "def stop_on_trend(curve, window):\n    for epoch in range(window, len(curve) + 1):\n        if np.polyfit(range(epoch), curve[:epoch], 1)[0] >= 0:\n            return epoch\n    return len(curve)",
        "first and last only": "def stop_on_trend(curve, window):\n    for epoch in range(window, len(curve) + 1):\n        if curve[epoch - 1] >= curve[epoch - window]:\n            return epoch\n    return len(curve)",
        "stops while it falls": "def stop_on_trend(curve, window):\n    for epoch in range(window, len(curve) + 1):\n        if np.polyfit(range(window), curve[epoch - window:epoch], 1)[0] <= 0:\n            return epoch\n    return len(curve)",
        "one epoch off": [
            "def stop_on_trend(curve, window):\n    for epoch in range(window, len(curve)):\n        if np.polyfit(range(window), curve[epoch - window:epoch], 1)[0] >= 0:\n            return epoch - 1\n    return len(curve) - 1",
            "def stop_on_trend(curve, window):\n    for epoch in range(window, len(curve) + 1):\n        if np.polyfit(range(window), curve[epoch - window:epoch], 1)[0] >= 0:\n            return epoch - 1\n    return len(curve)",
        ],
        "peeks at the next epochs": "def stop_on_trend(curve, window):\n    for epoch in range(1, len(curve) - window + 2):\n        if np.polyfit(range(window), curve[epoch - 1:epoch - 1 + window], 1)[0] >= 0:\n            return epoch\n    return len(curve)",
    },
    refused=[
        "def stop_on_trend(curve, window):\n    return 2 * window",
        "def stop_on_trend(curve, window):\n    return len(curve)",
    ],
)
def stop_on_trend(stop_on_trend):
    f = expect_callable(stop_on_trend, "stop_on_trend")
    x = np.arange(40)
    noise = np.random.default_rng(5).normal(0, 0.3, (3, 40))
    tried = [
        (np.abs(x - 15) / 5 + 1 + noise[0], 6),
        (5 - 0.1 * x[:20], 4),
        (np.abs(x - 22) / 8 + 2 + noise[1], 5),
        (np.abs(x - 12) / 6 + 2 + noise[2], 8),
        (np.array([5.0, 4, 3, 2, 1, 4, 5]), 3),
    ]

    def rule(
        curve,
        window,
        stops=lambda values: np.polyfit(range(len(values)), values, 1)[0] >= 0,
        window_of=lambda c, e, w: c[e - w : e],
        off=0,
        end=0,
    ):
        for epoch in range(window, len(curve) + 1):
            if stops(window_of(curve, epoch, window)):
                return epoch + off
        return len(curve) + end

    right = [rule(c, w) for c, w in tried]
    got = [expect_number(f(c.copy(), w), "the epochs trained") for c, w in tried]
    if got == right:
        return
    for name, options, message in (
        (
            "all epochs so far",
            dict(window_of=lambda c, e, w: c[:e]),
            "Your line goes through all epochs so far. The steep fall at the start then hides that it has been going up for a while: take the last `window` values.",
        ),
        (
            "first and last only",
            dict(stops=lambda values: values[-1] >= values[0]),
            "You compare two values of the window. Two values are as noisy as two values: a line through all of them averages the noise out.",
        ),
        (
            "stops while it falls",
            dict(stops=lambda values: np.polyfit(range(len(values)), values, 1)[0] <= 0),
            "You stop while the loss is falling. A negative slope is what you hope for.",
        ),
        (
            "one epoch off",
            dict(off=-1, end=-1),
            "Your count is one short: after the values `curve[:epoch]`, that many epochs have been trained.",
        ),
        (
            "one epoch off",
            dict(off=-1),
            "Your count is one short: after the values `curve[:epoch]`, that many epochs have been trained.",
        ),
    ):
        if got == [rule(c, w, **options) for c, w in tried]:
            raise Misconception(name, message)
    if got == [r - w + 1 if r < len(c) else r for r, (c, w) in zip(right, tried)]:
        raise Misconception(
            "peeks at the next epochs",
            "To stop there you would have to know the epochs that come after. The window ends at the present epoch.",
        )
    at = next(i for i, (a, b) in enumerate(zip(got, right)) if a != b)
    raise Incorrect(
        f"For a curve of {len(tried[at][0])} epochs and a window of {tried[at][1]} expected {right[at]}, got {got[at]:g}."
    )


resume = Choice(
    "resume",
    "Your machine is switched off in epoch 8 of 20. You have the weights after epoch 7 from `model.save_weights`, and load them into a model that was just built and compiled in the same way, with Adam. What does `fit(initial_epoch=7, epochs=20)` give?",
    {
        "a": "Exactly what the undisturbed run would have given: weights are all that a network is",
        "b": "Exactly that, if the seed is set to the same value as at the start",
        "c": "Nothing of use: training has to start from epoch 1",
        "d": "A training that goes on, but another one: whatever else the run kept, such as the order of the pictures, has started afresh",
    },
    right="d",
    wrong={
        "a": (
            "weights are everything",
            "A run is more than weights: the optimiser's averages, its count of steps, the place in the stream of random numbers.",
        ),
        "b": (
            "the seed brings it back",
            "The seed starts the stream of random numbers at its beginning. The undisturbed run was seven epochs further along.",
        ),
        "c": (
            "all is lost",
            "The weights are what took seven epochs to find, and they are there. The run is not the same; it may be as good.",
        ),
    },
    hints=[
        "What did the undisturbed run have in epoch 8, apart from its weights?",
        "The order of the pictures in epoch 8 came from a stream of random numbers that had been used seven times.",
    ],
    praise="To get the same bits: the weights, the optimiser's state, and an order that follows from the epoch's number alone.",
)


@exercise(
    title="An order that can be resumed",
    hints=[
        "A generator of its own for every epoch: `np.random.default_rng(…)` takes a whole number, or a *list* of them.",
        "`np.random.default_rng([seed, epoch]).permutation(n)`",
    ],
    praise="Nothing has to be saved to get it back: the epoch's number is enough.",
    setup="import numpy as np",
    solution="""
        def epoch_order(seed, epoch, n):
            ### BEGIN SOLUTION
            return np.random.default_rng([seed, epoch]).permutation(n)
            ### END SOLUTION
    """,
    alternatives=[
        "import random\ndef epoch_order(seed, epoch, n):\n    return random.Random(f'{seed}, {epoch}').sample(range(n), n)",
        "import hashlib\ndef epoch_order(seed, epoch, n):\n    return sorted(range(n), key=lambda i: hashlib.sha256(f'{seed}:{epoch}:{i}'.encode()).digest())",
        "def epoch_order(seed, epoch, n):\n    rng = np.random.default_rng(seed)\n    for _ in range(epoch + 1):\n        order = rng.permutation(n)\n    return order",
    ],
    wrong={
        "every epoch the same": "def epoch_order(seed, epoch, n):\n    return np.random.default_rng(seed).permutation(n)",
        "luck from outside": [
            "def epoch_order(seed, epoch, n):\n    return np.random.permutation(n)",
            "def epoch_order(seed, epoch, n):\n    return np.random.default_rng().permutation(n)",
        ],
        "the seed is ignored": "def epoch_order(seed, epoch, n):\n    return np.random.default_rng(epoch).permutation(n)",
        "seed plus epoch": "def epoch_order(seed, epoch, n):\n    return np.random.default_rng(seed + epoch).permutation(n)",
        "drawn with replacement": "def epoch_order(seed, epoch, n):\n    return np.random.default_rng([seed, epoch]).integers(0, n, n)",
        "no shuffling": "def epoch_order(seed, epoch, n):\n    return np.arange(n)",
    },
    refused=[
        "def epoch_order(seed, epoch, n):\n    return np.random.default_rng([seed, epoch]).permutation(n) + 1"
    ],
)
def epoch_order(epoch_order):
    f = expect_callable(epoch_order, "epoch_order")

    def order(seed, epoch, n=30):
        return expect_array(
            f(seed, epoch, n), shape=(n,), what="the order, one position for each picture"
        ).astype(int)

    first = order(3, 7)
    if not np.array_equal(np.sort(first), np.arange(30)):
        if np.isin(first, np.arange(30)).all():
            raise Misconception(
                "drawn with replacement",
                "Some pictures come twice in that epoch and others not at all. A permutation has each of them once.",
            )
        raise Incorrect("Expected each of the positions 0 to n - 1 once.")
    if not np.array_equal(first, order(3, 7)):
        raise Misconception(
            "luck from outside",
            "Asked twice for the same epoch, it gave two orders. After a restart nobody could tell what the order had been.",
        )
    if np.array_equal(first, np.arange(30)):
        raise Misconception(
            "no shuffling",
            "That is the order in which the pictures came. Pictures of one class may stand together there.",
        )
    if np.array_equal(first, order(3, 8)):
        raise Misconception(
            "every epoch the same",
            "Epoch 7 and epoch 8 have the same order: the batches would be the same ones every time.",
        )
    if np.array_equal(first, order(4, 7)):
        raise Misconception(
            "the seed is ignored",
            "Two seeds gave the same order. Repetitions of an experiment are to differ in it.",
        )
    if np.array_equal(first, order(4, 6)):
        raise Misconception(
            "seed plus epoch",
            "Seed 3 in epoch 7 has the order of seed 4 in epoch 6: your repetitions share their luck, only one epoch later.",
        )
    for seed, epoch, n in ((0, 0, 5), (11, 2, 100)):
        if not np.array_equal(np.sort(order(seed, epoch, n)), np.arange(n)):
            raise Incorrect(f"For {n} pictures expected each of the positions 0 to {n - 1} once.")


@functools.cache
def _to_beat():
    """The recorded runs that a rule is tried on, and what patience 10 on the same small set reached: score and epochs."""
    from translearn import measure

    results, runs = measure.recorded("stopping.monitors"), measure.recorded("stopping.runs").table
    mine = runs[runs["arm"] == "clean"]
    mine = mine.assign(curve=mine["metric"].str[:-3], epoch=mine["metric"].str[-2:].astype(int))
    curves = {
        name: part.pivot(index="seed", columns="epoch", values="value").to_numpy()
        for name, part in mine.groupby("curve")
    }
    arm = "clean, 36 pictures, score"
    return (
        curves,
        float(np.mean(results.values(arm, "validation score"))),
        float(np.mean(results.values(arm, "epochs"))),
    )


@exercise(
    title="Beat this number",
    hints=[
        "The score of 36 pictures moves in steps of one thirty-sixth, and a single best epoch is luck. Three epochs in a row are less of it.",
        'Average the scores over three epochs, `np.convolve(scores, np.ones(3) / 3, "valid")`, and wait five epochs for a better average. Its first entry ends with epoch 3. And part 4 has another idea: on clean labels, which weights were better, the best or the last?',
    ],
    praise="Two ways lead there: calm the number before you follow it, or do not trust it with the choice of the weights at all.",
    setup="import numpy as np",
    solution="""
        def my_rule(losses, scores):
            ### BEGIN SOLUTION
            if len(scores) < 3:
                return None
            calm = np.convolve(scores, np.ones(3) / 3, "valid")
            best = int(np.argmax(calm)) + 3
            return best if len(scores) - best >= 5 else None
            ### END SOLUTION
    """,
    alternatives=[
        "def my_rule(losses, scores):\n    if len(losses) - int(np.argmin(losses)) > 8:\n        return np.int64(len(losses))",
        "def my_rule(losses, scores):\n    if len(losses) > 6 and np.polyfit(range(6), losses[-6:], 1)[0] >= 0:\n        return float(len(losses))\n    return None",
    ],
    wrong={
        "out of budget": "def my_rule(losses, scores):\n    return int(np.argmin(losses)) + 1 if len(losses) == 60 else None",
        "counted from 0": "def my_rule(losses, scores):\n    return 0 if len(losses) == 5 else None",
        "an epoch that has not been": "def my_rule(losses, scores):\n    return len(losses) + 3 if len(losses) == 5 else None",
        "yes is not an epoch": "def my_rule(losses, scores):\n    return True if len(losses) > 12 else None",
        "it never says stop": "def my_rule(losses, scores):\n    return int(np.argmin(losses)) + 1 if losses[-1] < 0 else None",
    },
    refused=[
        "def my_rule(losses, scores):\n    return 1",
        "def my_rule(losses, scores):\n    best = int(np.argmin(losses)) + 1\n    return best if len(losses) - best >= 5 else None",
        "def my_rule(losses, scores):\n    return len(losses) if len(losses) == 2 else None",
    ],
    reference=lambda: _to_beat(),
)
def beat_it(my_rule, reference):
    f = expect_callable(my_rule, "my_rule")
    curves, to_beat, epochs = reference
    reached, trained, stopped = [], [], 0
    for losses, scores, judge in zip(
        curves["small loss"], curves["small score"], curves["val score"]
    ):
        answer = None
        for epoch in range(1, len(losses) + 1):
            answer = f(losses[:epoch].copy(), scores[:epoch].copy())
            if answer is not None:
                break
        if isinstance(answer, (bool, np.bool_)):
            raise Misconception(
                "yes is not an epoch",
                "You answered True or False. Return the number of the epoch whose weights are kept, or None to go on.",
            )
        kept = (
            len(losses)
            if answer is None
            else expect_number(answer, "the epoch to keep", integer=True)
        )
        if kept == 0:
            raise Misconception(
                "counted from 0", "There is no epoch 0: `argmin` counts from 0, epochs from 1."
            )
        if kept > epoch:
            raise Misconception(
                "an epoch that has not been",
                f"After epoch {epoch} your rule asked for the weights of epoch {kept}.",
            )
        if kept < 0:
            raise Incorrect(f"There is no epoch {kept}.")
        stopped += answer is not None
        reached.append(judge[kept - 1])
        trained.append(epoch)
    if not stopped:
        raise Misconception(
            "it never says stop",
            "Your rule returned None in every epoch of every run. Did a `return` go missing?",
        )
    score, used = float(np.mean(reached)), float(np.mean(trained))
    if used > epochs:
        raise Misconception(
            "out of budget",
            f"Your rule trains for {used:.1f} epochs on average, the rule to beat for {epochs:.1f}. Patience must cost less.",
        )
    if score <= to_beat:
        raise Incorrect(
            f"Your rule keeps weights that score {score:.2%} on all validation pictures, after {used:.1f} epochs on average; to beat are {to_beat:.2%} and {epochs:.1f} epochs."
        )
    return f"{score:.2%} after {used:.1f} epochs, against {to_beat:.2%} after {epochs:.1f}. {beat_it.praise}"
