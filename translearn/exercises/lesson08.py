"""Exercises of lesson 08, Early stopping."""

import functools
import inspect

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    NotAttempted,
    exercise,
    expect_array,
    expect_callable,
    expect_number,
    learners_code,
)
from translearn.exercises.answers import is_stub

standard_error = Function(
    "standard_error",
    title="How far luck carries a score",
    hints=[
        "Each picture is right with probability p, like a coin that falls on one side with "
        "probability p. Its variance is p (1 - p).",
        "The mean of n such coins has the variance p (1 - p) / n. A standard deviation is the "
        "square root of a variance.",
    ],
    praise="Four times the pictures halve it. That is why a small validation set is so much "
    "noisier, and a perfect one so expensive.",
    probes=[(0.5, 36), (0.8, 454), (0.1, 120), (1.0, 10)],
    mistakes=[
        Mistake(
            "the variance",
            "That is the variance. Its square root is in the same unit as the score.",
            lambda accuracy, pictures: accuracy * (1 - accuracy) / pictures,
        ),
        Mistake(
            "pictures, not a share",
            "That is how much the *number* of right pictures varies. Divide by the pictures to "
            "get a share.",
            lambda accuracy, pictures: np.sqrt(accuracy * (1 - accuracy) * pictures),
        ),
        Mistake(
            "one over the root of n",
            "The root of n belongs below the line, and so does a numerator that knows the "
            "accuracy: a model that is always right does not vary at all.",
            lambda accuracy, pictures: 1 / np.sqrt(pictures),
        ),
        Mistake(
            "one picture",
            "That is the spread of one picture. The mean of many varies less.",
            lambda accuracy, pictures: np.sqrt(accuracy * (1 - accuracy)),
        ),
    ],
)


def pictures_for(half, deviations=1.96):
    """So many pictures, not rounded, that `deviations` standard deviations are `half` a share."""
    return 0.25 * (deviations / half) ** 2


pictures_needed = Function(
    "pictures_needed",
    title="How many pictures?",
    hints=[
        "The spread is largest at an accuracy of one half: a set that is large enough for 0.5 is "
        "large enough for all.",
        "Half the interval is 1.96 · sqrt(0.25 / n). Set it equal to points / 100, solve for n, "
        "and round *up* with `np.ceil`.",
    ],
    praise="And to tell two epochs apart that differ by one point, it would take about ten "
    "thousand. Nobody has them, which is why stopping is always half luck.",
    probes=[(10,), (5,), (3,), (2.5,)],
    mistakes=[
        Mistake(
            "per cent",
            "A point is one hundredth. Divide `points` by 100 first.",
            lambda points: np.ceil(pictures_for(points)),
        ),
        Mistake(
            "one standard error",
            "That holds for one standard error, which covers two repetitions in three. For 95 in "
            "100 it takes 1.96 of them.",
            lambda points: np.ceil(pictures_for(points / 100, 1)),
        ),
        Mistake(
            "both sides together",
            "You asked for the *whole* interval to be that narrow. Plus or minus five points is "
            "ten points from end to end.",
            lambda points: np.ceil(pictures_for(points / 200)),
        ),
        Mistake(
            "rounded down",
            "One picture short: rounded down, the interval is a little too wide.",
            lambda points: np.floor(pictures_for(points / 100)),
        ),
        Mistake(
            "no square",
            "The interval shrinks with the *root* of n, so n grows with the square.",
            lambda points: np.ceil(0.25 * 1.96 / (points / 100)),
        ),
    ],
)


def misread(
    scores,
    patience,
    min_delta=0.0,
    better=lambda new, best, delta: new - delta > best,
    first=1,
    late=0,
    total=False,
    previous=False,
):
    """The rule for scores, with one thing misread: how it compares, from where it counts, how
    much too late it stops, and whether it counts in total or compares with the epoch before."""
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


stop_on_score = Function(
    "stop_on_score",
    title="A rule for scores",
    hints=[
        "The lesson's `stop` with two signs turned: a score is better when "
        "`score - min_delta > best`.",
        "Go through `enumerate(scores, 1)`. On an improvement remember the score and its epoch "
        "and set `wait` to 0; otherwise add 1 to `wait`, and return once `wait >= patience`. "
        "After the loop, return `len(scores)` and the best epoch.",
    ],
    praise='This is the whole of `EarlyStopping(mode="max")`. Nothing in it knows whether the '
    "score it follows means anything.",
    probes=[
        (np.array([0.2, 0.5, 0.4, 0.6, 0.5, 0.3, 0.4, 0.9]), 3, 0.0),
        (np.array([0.5, 0.5, 0.5, 0.6, 0.7, 0.7]), 2, 0.0),
        (np.array([0.3, 0.31, 0.32, 0.5, 0.51, 0.49, 0.52]), 2, 0.05),
        (np.array([0.1, 0.2, 0.3, 0.4]), 1),
        (np.array([0.5, 0.6, 0.55, 0.58, 0.56, 0.59, 0.57]), 4, 0.0),
        (np.array([0.1, 0.4, 0.3, 0.5, 0.4, 0.6, 0.5, 0.7]), 2, 0.0),
        (np.array([0.4, 0.5, 0.3, 0.35, 0.42, 0.2]), 3, 0.0),
        (np.array([0.3, 0.4, 0.4, 0.4, 0.4, 0.5]), 2, 0.0),
        # The second score exceeds the first by exactly the minimum change.
        (np.array([0.25, 0.5, 0.25, 0.75, 0.5]), 3, 0.25),
    ],
    mistakes=[
        Mistake(
            "lower is better",
            "You took a lower score for a better one. An accuracy should go up; only a loss "
            "should go down.",
            functools.partial(misread, better=lambda new, best, delta: new + delta < best),
        ),
        Mistake(
            "the minimum change is ignored",
            "An epoch that beats the best by less than `min_delta` must not reset the count.",
            functools.partial(misread, better=lambda new, best, delta: new > best),
        ),
        Mistake(
            "a tie is an improvement",
            "A score that only equals the best is no improvement. With a few dozen pictures ties "
            "are common, and this rule would wait for ever.",
            functools.partial(misread, better=lambda new, best, delta: new - delta >= best),
        ),
        Mistake(
            "against the epoch before",
            "You compare with the epoch before. One step back and one forward would count as "
            "progress; compare with the *best* so far.",
            functools.partial(misread, previous=True),
        ),
        Mistake(
            "bad epochs in total",
            "You count the bad epochs of the whole run. Patience counts them in a row: an "
            "improvement sets the count back to 0.",
            functools.partial(misread, total=True),
        ),
        Mistake(
            "one epoch too late",
            "You stop one epoch late: with a patience of 3, the third epoch in a row without "
            "improvement is the last.",
            functools.partial(misread, late=1),
        ),
        Mistake(
            "counted from 0",
            "You count the epochs from 0. The first epoch is number 1 here.",
            functools.partial(misread, first=0),
        ),
        Mistake(
            "one number",
            "Return two numbers: the epochs that were trained, and the epoch whose score was the "
            "best.",
            lambda *rule: misread(*rule)[0],
            lambda *rule: misread(*rule)[1],
        ),
    ],
)


which_weights = Choice(
    "which_weights",
    '`EarlyStopping(monitor="val_loss", patience=10)` ends the training after epoch 31. Which '
    "weights does the model have now?",
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
            "Only with `restore_best_weights=True`, and the default is `False`. Stopping and "
            "restoring are two decisions.",
        ),
        "c": (
            "averaged",
            "Nothing is averaged. Averaging weights is a method of its own, which you would have "
            "to ask for.",
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

# Four runs of five epochs. The training loss is always lowest in epoch 4.
VALIDATION_LOSSES = (
    [5.0, 4.0, 3.0, 6.0, 5.0],
    [2.0, 3.0, 4.0, 5.0, 6.0],
    [7.0, 5.0, 6.0, 4.5, 4.0],
    [3.0, 1.0, 2.0, 1.5, 1.2],
)
TRAINING_LOSSES = [5.0, 4.0, 3.0, 1.0, 2.0]
AFTERWARDS = 9  # the number that all weights have when nothing was put back


def follow(callback_class, losses, spoil=False):
    """Take a callback through a training in which all weights are the number of the epoch.

    Returns the numbers that are left in the weights, a set, and the callback. With `spoil` all
    weights become `AFTERWARDS` between the last epoch and the end. Nothing is compiled or fitted.
    """
    import keras

    layers = [keras.Input((2,)), keras.layers.Dense(3), keras.layers.BatchNormalization()]
    model = keras.Sequential(layers)

    def fill(number):
        model.set_weights([np.full(w.shape, number, "float32") for w in model.get_weights()])

    model.stop_training = False
    with learners_code("KeepBest in a training of five epochs"):
        callback = callback_class()
        callback.set_params({"epochs": len(losses), "steps": 1, "verbose": 0})
        callback.set_model(model)
        callback.on_train_begin({})
        for epoch, loss in enumerate(losses):
            callback.on_epoch_begin(epoch, {})
            fill(epoch + 1)
            callback.on_epoch_end(epoch, {"loss": TRAINING_LOSSES[epoch], "val_loss": loss})
            if model.stop_training:
                raise Misconception(
                    "it stops the training",
                    "It set `stop_training`. This half never stops anything: a later epoch may "
                    "be better still.",
                )
        if spoil:
            fill(AFTERWARDS)
        callback.on_train_end({})
    return {int(n) for w in model.get_weights() for n in w.ravel()}, callback


@exercise(
    title="Keep the best weights",
    hints=[
        "`self.model.get_weights()` gives copies of all weights, `self.model.set_weights(…)` "
        'puts them back. In `on_epoch_end`, `logs["val_loss"]` is the loss on validation.',
        'Start with `best = float("inf")`. In `on_epoch_end`: if `logs["val_loss"] < self.best`, '
        "remember the loss and the weights. In `on_train_end`: "
        "`self.model.set_weights(self.weights)`.",
    ],
    praise="With this callback, a fixed number of epochs is as safe as early stopping; it only "
    "costs the seconds of the epochs that were in vain.",
)
def KeepBest(KeepBest):
    import keras

    if not inspect.isclass(KeepBest) or not issubclass(KeepBest, keras.callbacks.Callback):
        raise Incorrect(
            "Hand in the class `KeepBest`, a `keras.callbacks.Callback`: not one that was made "
            "from it."
        )
    if is_stub(vars(KeepBest).get("on_epoch_end")) and is_stub(vars(KeepBest).get("on_train_end")):
        raise NotAttempted()
    kept = [follow(KeepBest, losses)[0] for losses in VALIDATION_LOSSES]
    right = [{int(np.argmin(losses)) + 1} for losses in VALIDATION_LOSSES]
    if kept == right:
        return
    if kept == [{5}] * 4:
        why_the_last(KeepBest)
    if kept == [{4}] * 4:
        raise Misconception(
            "the training loss",
            'You followed the training loss: it is `logs["val_loss"]` that can tell you which '
            "epoch was the best.",
        )
    if kept == [{1}] * 4:
        raise Misconception(
            "only the first epoch",
            "After every run the model had the weights of its first epoch: something better has "
            "to replace what was kept.",
        )
    if kept == [{int(np.argmax(losses)) + 1} for losses in VALIDATION_LOSSES]:
        raise Misconception("the worst epoch", "You kept the weights with the *highest* loss.")
    at = next(i for i, (got, one) in enumerate(zip(kept, right)) if got != one)
    raise Incorrect(
        f"With the validation losses {VALIDATION_LOSSES[at]} the best epoch is {min(right[at])}, "
        f"and the model came back with weights of epoch {' and '.join(map(str, kept[at]))}."
    )


def why_the_last(callback_class):
    """Ways to end up with the last weights, told apart when the weights change once more."""
    left, callback = follow(callback_class, VALIDATION_LOSSES[0], spoil=True)
    if left == {5}:
        raise Misconception(
            "every epoch counts as the best",
            "You kept the weights of every epoch, the last one included. Keep them only when the "
            "validation loss is lower than the best so far.",
        )
    if left != {AFTERWARDS}:
        return
    variables = set(map(id, callback.model.weights))
    for value in vars(callback).values():
        if type(value) in (list, tuple) and {id(item) for item in value} & variables:
            raise Misconception(
                "a name is not a copy",
                "You kept the variables themselves, and training went on changing them. "
                "`get_weights()` gives copies.",
            )
    raise Misconception(
        "nothing is put back",
        "The model ends with the last weights: whatever you kept has to be put back in "
        "`on_train_end`, with `self.model.set_weights(…)`.",
    )


def at_epochs(validation, test, epochs):
    """How much higher validation is than test, on average, when run i stops at `epochs[i]`."""
    rows = np.arange(len(validation))
    return np.mean(validation[rows, epochs] - test[rows, epochs])


def scores_of_runs():
    """{in words: validation scores, test scores}, each of the shape (runs, epochs)"""
    rng = np.random.default_rng(8)
    easier = rng.random((3, 9)), rng.random((3, 9)) + 0.6
    return {
        "6 runs of 20 epochs": (rng.random((6, 20)), rng.random((6, 20))),
        "1 run of 5 epochs": (rng.random((1, 5)), rng.random((1, 5))),
        "3 runs of 9 epochs with test pictures that are easier": easier,
    }


optimism = Function(
    "optimism",
    title="Too good to be true",
    hints=[
        "For each run (row), find the epoch in which *validation* is best: "
        "`validation.argmax(axis=1)`.",
        "Take both scores at that epoch, `validation[rows, best]` and `test[rows, best]` with "
        "`rows = np.arange(len(best))`, and average the difference.",
    ],
    praise="The test score may look at the choice; it may not make it.",
    probes=scores_of_runs,
    mistakes=[
        Mistake(
            "both at their best",
            "The best test score is as lucky as the best validation score. Take the test score "
            "of the epoch that *validation* chose.",
            lambda validation, test: np.mean(validation.max(axis=1) - test.max(axis=1)),
        ),
        Mistake(
            "chosen on the test set",
            "You chose the epoch on the test set. Now the validation score is the honest one, "
            "and the test set is spent.",
            lambda validation, test: at_epochs(validation, test, test.argmax(axis=1)),
        ),
        Mistake(
            "one epoch for all runs",
            "You took one epoch for all runs, where luck averages out. Every run stops at its "
            "own best.",
            lambda validation, test: at_epochs(validation, test, validation.mean(axis=0).argmax()),
        ),
        Mistake(
            "nothing was chosen",
            "You averaged over epochs that nobody had chosen. The flattery comes from picking "
            "the best.",
            lambda validation, test: np.mean(validation - test),
            lambda validation, test: at_epochs(validation, test, -1),
        ),
        Mistake(
            "the sign",
            "The size is right and the sign is not: how much *more* did validation promise than "
            "the test gave?",
            lambda validation, test: -at_epochs(validation, test, validation.argmax(axis=1)),
        ),
    ],
)


def flat(values):
    """Whether a straight line through the values does not fall."""
    return np.polyfit(range(len(values)), values, 1)[0] >= 0


def first_flat(curve, window, stops=flat, of=lambda curve, epoch, window: curve[:epoch][-window:]):
    """The first epoch at which `stops` says yes to the values that `of` takes, or the last."""
    ends = range(window, len(curve) + 1)
    return next((e for e in ends if stops(of(curve, e, window))), len(curve))


def fires(curve, window):
    return flat(curve[-window:]) or first_flat(curve, window) < len(curve)


def noisy_curves():
    """{in words: (curve, window)}"""
    x, noise = np.arange(40), np.random.default_rng(5).normal(0, 0.3, (3, 40))
    early = [3.0, 5, 1, 0.5, 0.2, 0.1, 0.3, 0.6]
    return {
        "a noisy curve of 40 epochs and a window of 6": (np.abs(x - 15) / 5 + 1 + noise[0], 6),
        "a curve of 20 epochs that falls to the end and a window of 4": (5 - 0.1 * x[:20], 4),
        "a noisy curve of 40 epochs and a window of 5": (np.abs(x - 22) / 8 + 2 + noise[1], 5),
        "a noisy curve of 40 epochs and a window of 8": (np.abs(x - 12) / 6 + 2 + noise[2], 8),
        "the losses 5, 4, 3, 2, 1, 4, 5 and a window of 3": (np.array([5.0, 4, 3, 2, 1, 4, 5]), 3),
        "the losses 4, 2, 0, 0, 0, 0 and a window of 3": (np.array([4.0, 2, 0, 0, 0, 0]), 3),
        f"the losses {', '.join(f'{e:g}' for e in early)} and a window of 4": (np.array(early), 4),
    }


stop_on_trend = Function(
    "stop_on_trend",
    title="A rule that looks at the trend",
    hints=[
        "`np.polyfit(range(window), values, 1)[0]` is the slope of the straight line through "
        "`values`.",
        "For `epoch` from `window` to `len(curve)`: take `curve[epoch - window:epoch]`; if its "
        "slope is not below 0, return `epoch`. After the loop return `len(curve)`.",
    ],
    praise="One unlucky epoch cannot stop it, and it does not wait for a best that was luck. Its "
    "own weakness: it has a window to be chosen.",
    probes=noisy_curves,
    mistakes=[
        Mistake(
            "all epochs so far",
            "Your line goes through all epochs so far. The steep fall at the start then hides "
            "that it has been going up for a while: take the last `window` values.",
            functools.partial(first_flat, of=lambda curve, epoch, window: curve[:epoch]),
        ),
        Mistake(
            "first and last only",
            "You compare two values of the window. Two values are as noisy as two values: a line "
            "through all of them averages the noise out.",
            functools.partial(first_flat, stops=lambda values: values[-1] >= values[0]),
        ),
        Mistake(
            "stops while it falls",
            "You stop while the loss is falling. A negative slope is what you hope for.",
            functools.partial(
                first_flat,
                stops=lambda values: np.polyfit(range(len(values)), values, 1)[0] <= 0,
            ),
        ),
        Mistake(
            "one epoch off",
            "Your count is one short: after the values `curve[:epoch]`, that many epochs have "
            "been trained.",
            lambda curve, window: first_flat(curve, window) - 1,
            lambda curve, window: first_flat(curve, window) - fires(curve, window),
        ),
        Mistake(
            "peeks at the next epochs",
            "To stop there you would have to know the epochs that come after. The window ends at "
            "the present epoch.",
            lambda curve, window: first_flat(curve, window) - (window - 1) * fires(curve, window),
        ),
    ],
)


resume = Choice(
    "resume",
    "Your machine is switched off in epoch 8 of 20. You have the weights after epoch 7 from "
    "`model.save_weights`, and load them into a model that was just built and compiled in the "
    "same way, with Adam. What does `fit(initial_epoch=7, epochs=20)` give?",
    {
        "a": "Exactly what the undisturbed run would have given: weights are all that a network "
        "is",
        "b": "Exactly that, if the seed is set to the same value as at the start",
        "c": "Nothing of use: training has to start from epoch 1",
        "d": "A training that goes on as another one: the order of the pictures starts afresh",
    },
    right="d",
    wrong={
        "a": (
            "weights are everything",
            "A run is more than weights: the optimiser's averages, its count of steps, the place "
            "in the stream of random numbers.",
        ),
        "b": (
            "the seed brings it back",
            "The seed starts the stream of random numbers at its beginning. The undisturbed run "
            "was seven epochs further along.",
        ),
        "c": (
            "all is lost",
            "The weights are what took seven epochs to find, and they are there. The run is not "
            "the same; it may be as good.",
        ),
    },
    hints=[
        "What did the undisturbed run have in epoch 8, apart from its weights?",
        "The order of the pictures in epoch 8 came from a stream of random numbers that had been "
        "used seven times.",
    ],
    praise="The optimiser's averages start afresh as well. To get the same bits: the weights, the "
    "optimiser's state, and an order that follows from the epoch's number alone.",
)

# Every seed is tried with every epoch: no two of these pairs may have the same order.
SEEDS, EPOCHS = range(6), (*range(13), 100, 1000)


@exercise(
    title="An order that can be resumed",
    hints=[
        "A generator of its own for every epoch: `np.random.default_rng(…)` takes a whole "
        "number, or a *list* of them.",
        "`np.random.default_rng([seed, epoch]).permutation(n)`",
    ],
    praise="Nothing has to be saved to get it back: the epoch's number is enough.",
)
def epoch_order(epoch_order):
    f = expect_callable(epoch_order, "epoch_order")

    def order(seed, epoch, n=30):
        what = f"the order of {n} pictures for seed {seed} in epoch {epoch}"
        got = tuple(expect_array(f(seed, epoch, n), shape=(n,), what=what).tolist())
        if sorted(got) == list(range(n)):
            return got
        if set(got) <= set(range(n)):
            raise Misconception(
                "drawn with replacement",
                "Some pictures come twice in that epoch and others not at all. A permutation has "
                "each of them once.",
            )
        raise Incorrect(f"Expected each of the positions 0 to {n - 1} once in {what}.")

    orders = {(seed, epoch): order(seed, epoch) for seed in SEEDS for epoch in EPOCHS}
    if orders[3, 7] != order(3, 7):
        raise Misconception(
            "luck from outside",
            "Asked twice for the same epoch, it gave two orders. After a restart nobody could "
            "tell what the order had been.",
        )
    if set(orders.values()) == {tuple(range(30))}:
        raise Misconception(
            "no shuffling",
            "That is the order in which the pictures came. Pictures of one class may stand "
            "together there.",
        )
    if follows(orders, lambda seed, epoch: seed):
        raise Misconception(
            "every epoch the same",
            "Epoch 7 and epoch 8 have the same order: the batches would be the same ones every "
            "time.",
        )
    if follows(orders, lambda seed, epoch: epoch):
        raise Misconception(
            "the seed is ignored",
            "Two seeds gave the same order. Repetitions of an experiment are to differ in it.",
        )
    if follows(orders, lambda seed, epoch: seed + epoch):
        raise Misconception(
            "seed plus epoch",
            "Seed 3 in epoch 7 has the order of seed 4 in epoch 6: your repetitions share their "
            "luck, only one epoch later.",
        )
    if follows(orders, lambda seed, epoch: seed * epoch):
        raise Misconception(
            "seed times epoch",
            "Seed 2 in epoch 6 has the order of seed 4 in epoch 3, and with seed 0 all epochs "
            "have the same one.",
        )
    found = {}
    for pair, one in orders.items():
        if one in found:
            raise Incorrect(
                "Two orders are the same: seed {} in epoch {}, and seed {} in epoch {}.".format(
                    *found[one], *pair
                )
            )
        found[one] = pair
    neighbours = np.mean([np.abs(np.diff(one)) == 1 for one in orders.values()])
    if neighbours > 0.5:
        raise Incorrect(
            f"In {neighbours:.0%} of the places a picture is followed by one that was beside it "
            "before: that is no random order."
        )
    for seed, epoch, n in ((0, 0, 5), (11, 2, 100)):
        order(seed, epoch, n)


def follows(orders, number):
    """Whether two pairs have the same order exactly when they have the same `number`."""
    both = {(number(*pair), one) for pair, one in orders.items()}
    return len(both) == len({n for n, _ in both}) == len({one for _, one in both})


@functools.cache
def to_beat():
    """The recorded runs that a rule is tried on, {curve: (runs, epochs)}, and what patience 10
    on the same small set reached in each run: scores and epochs."""
    from translearn import measure

    results, runs = measure.recorded("stopping.monitors"), measure.recorded("stopping.runs").table
    mine = runs[runs["arm"] == "clean"]
    mine = mine.assign(curve=mine["metric"].str[:-3], epoch=mine["metric"].str[-2:].astype(int))
    curves = {
        name: part.pivot(index="seed", columns="epoch", values="value").to_numpy()
        for name, part in mine.groupby("curve")
    }
    arm = "clean, 36 pictures, score"
    return curves, results.values(arm, "validation score"), results.values(arm, "epochs")


ENOUGH = 9  # runs of the twelve: a coin wins as many once in fourteen times


@exercise(
    title="Beat this number",
    hints=[
        "The score of 36 pictures moves in steps of one thirty-sixth, and a single best epoch is "
        "luck. Three epochs in a row are less of it.",
        "Average the scores over three epochs, "
        '`np.convolve(scores, np.ones(3) / 3, "valid")`, and wait five epochs for a better '
        "average. Its first entry ends with epoch 3. And part 4 has another idea: on clean "
        "labels, which weights were better, the best or the last?",
    ],
    praise="Two ways lead there: calm the number before you follow it, or do not trust it with "
    "the choice of the weights at all.",
    reference=to_beat,
)
def beat_it(my_rule, reference):
    f = expect_callable(my_rule, "my_rule")
    curves, scores_to_beat, epochs_to_beat = reference
    kept, trained, stopped = [], [], 0
    for losses, scores in zip(curves["small loss"], curves["small score"]):
        answer = None
        for epoch in range(1, len(losses) + 1):
            answer = f(losses[:epoch], scores[:epoch])
            if answer is not None:
                break
        kept.append(epoch if answer is None else epoch_to_keep(answer, epoch))
        trained.append(epoch)
        stopped += answer is not None
    if not stopped:
        raise Misconception(
            "it never says stop",
            "Your rule returned None in every epoch of every run. Did a `return` go missing?",
        )
    judges = curves["val score"]
    reached = np.array([judge[epoch - 1] for judge, epoch in zip(judges, kept)])
    score, used = float(np.mean(reached)), float(np.mean(trained))
    target, budget = float(np.mean(scores_to_beat)), float(np.mean(epochs_to_beat))
    if used > budget:
        raise Misconception(
            "out of budget",
            f"Your rule trains for {used:.1f} epochs on average, the rule to beat for "
            f"{budget:.1f}. Patience must cost less.",
        )
    if score <= target:
        raise Incorrect(
            f"Your rule keeps weights that score {score:.2%} on all validation pictures, after "
            f"{used:.1f} epochs on average; to beat are {target:.2%} and {budget:.1f} epochs."
        )
    won = int(np.sum(reached > scores_to_beat))
    if won < ENOUGH:
        raise Incorrect(
            f"{score:.2%} is more than {target:.2%} on average, but your rule was the better one "
            f"in {won} of {len(kept)} runs. In {ENOUGH} it must be, or it may be luck."
        )
    if all(judge[k - 1] == judge[:t].max() for judge, k, t in zip(judges, kept, trained)):
        raise Misconception(
            "the judge was asked",
            "In each of the runs your rule kept the very epoch that is best on *all* validation "
            "pictures. It may see the 36 only.",
        )
    return (
        f"{score:.2%} after {used:.1f} epochs, against {target:.2%} after {budget:.1f}, and "
        f"better in {won} of {len(kept)} runs. {beat_it.praise}"
    )


def epoch_to_keep(answer, epoch):
    """What a rule answered after `epoch`, as the number of an epoch that has been."""
    if isinstance(answer, (bool, np.bool_)):
        raise Misconception(
            "yes is not an epoch",
            "You answered True or False. Return the number of the epoch whose weights are kept, "
            "or None to go on.",
        )
    kept = expect_number(answer, "the epoch to keep", integer=True)
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
    return kept
