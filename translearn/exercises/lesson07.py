"""Exercises of lesson 07, Regularisation."""

import functools

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Mistake,
    better_guesses,
    close,
    exercise,
    expect_array,
    expect_callable,
    expect_right,
)

SINGLE = 1e-5  # a tolerance for answers in single precision

# --- l1_l2 ---------------------------------------------------------------------------------------


def penalties_to_pay():
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(3, 2)), 0.3, 0.0),
        (rng.normal(size=(3, 2)), 0.0, 0.2),
        (rng.normal(size=4), 0.5, 0.7),
    ]


def costs(weights, l1, l2):
    return l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()


def pulls(weights, l1, l2):
    return l1 * np.sign(weights) + 2 * l2 * weights


l1_l2 = Function(
    "l1_l2",
    title="A penalty and its gradient",
    hints=[
        "L1 adds up `np.abs(weights)`, L2 adds up `weights ** 2`, each times its strength. One "
        "number for the whole array.",
        "The gradient has the shape of the weights: `l1 * np.sign(weights) + 2 * l2 * weights`.",
    ],
    praise="With these two lines you can add either penalty to any loss, in any library.",
    probes=penalties_to_pay,
    tolerance=SINGLE,
    mistakes=[
        Mistake(
            "the two is lost",
            "The derivative of w² is 2w. (With a half before the squares, as some books have it, "
            "the two would cancel; your penalty has no half.)",
            lambda weights, l1, l2: (
                costs(weights, l1, l2),
                l1 * np.sign(weights) + l2 * weights,
            ),
        ),
        Mistake(
            "the absolute value is lost",
            "Your L1 adds up the weights themselves, so a weight of −2 makes it *smaller*. It "
            "would reward large negative weights.",
            lambda weights, l1, l2: (
                l1 * weights.sum() + l2 * np.square(weights).sum(),
                pulls(weights, l1, l2),
            ),
        ),
        Mistake(
            "the sign is lost",
            "L1 must push a negative weight *up* to zero. The slope of |w| is +1 on the right of "
            "zero and −1 on the left.",
            lambda weights, l1, l2: (costs(weights, l1, l2), l1 + 2 * l2 * weights),
        ),
        Mistake(
            "a mean instead of a sum",
            "That is the mean over the weights. Keras (and the usual formula) takes the sum: a "
            "larger layer pays more.",
            lambda weights, l1, l2: (
                costs(weights, l1, l2) / weights.size,
                pulls(weights, l1, l2),
            ),
            lambda weights, l1, l2: (
                costs(weights, l1, l2) / weights.size,
                pulls(weights, l1, l2) / weights.size,
            ),
        ),
    ],
)

# --- sparsity ------------------------------------------------------------------------------------

KERNEL = np.array([[0.0, 0.0004, -0.0004, 0.5, -0.7, 2.0]])
ROW = np.array([-0.0002, 0.0002, 0.0, -3.0, -0.1])


def in_one_row(weights):
    return np.concatenate([np.ravel(w) for w in weights])


sparsity = Function(
    "sparsity",
    title="How sparse?",
    hints=[
        "Put all numbers in one row first: `np.concatenate([np.ravel(w) for w in weights])`.",
        "`np.mean(np.abs(numbers) < threshold)` is a share, since True counts as 1.",
    ],
    praise="One share over all numbers, not a mean of shares: a small array must not count as "
    "much as a large one.",
    probes=[
        ([KERNEL, np.array([0.0, 0.3])],),
        ([ROW, np.array([[0.2, -0.2, 0.1, -0.4]]), np.zeros(2)],),
        ([np.array([0.05, -0.05, 1.0, 2.0, -4.0]), np.array([[0.25], [-0.125]])], 0.25),
    ],
    tolerance=SINGLE,
    mistakes=[
        Mistake(
            "only exact zeros",
            "You counted exact zeros. Gradient descent never stops exactly at zero; count what is "
            "smaller than the threshold.",
            lambda weights, threshold=1e-3: np.mean(in_one_row(weights) == 0),
        ),
        Mistake(
            "negative weights are not small",
            "−2 is smaller than 0.001, but it is not a small weight. Compare the absolute value.",
            lambda weights, threshold=1e-3: np.mean(in_one_row(weights) < threshold),
        ),
        Mistake(
            "a count, not a share",
            "That is how many are small. Divide by how many there are.",
            lambda weights, threshold=1e-3: np.sum(np.abs(in_one_row(weights)) < threshold),
        ),
        Mistake(
            "a mean of shares",
            "You averaged the shares of the arrays, so that a bias of ten numbers counts as much "
            "as a kernel of thousands. Count over all numbers together.",
            lambda weights, threshold=1e-3: np.mean(
                [np.mean(np.abs(w) < threshold) for w in weights]
            ),
        ),
        Mistake(
            "the share that is left",
            "That is the share of weights that are *not* small.",
            lambda weights, threshold=1e-3: np.mean(np.abs(in_one_row(weights)) > threshold),
            lambda weights, threshold=1e-3: np.mean(np.abs(in_one_row(weights)) >= threshold),
        ),
    ],
)

# --- same_decay ----------------------------------------------------------------------------------

same_decay = Function(
    "same_decay",
    title="The same thing under another name",
    hints=[
        "Write down one step with the penalty: w ← w − rate · (2 · l2 · w). And one with weight "
        "decay: w ← w − rate · decay · w.",
        "They are the same step when 2 · l2 = decay. The rate stands in both and drops out.",
    ],
    praise="For plain gradient descent the two are one method with two names. For Adam, which "
    "divides every gradient by its usual size, they are not.",
    probes=[(0.01, 0.1), (0.3, 0.02), (0.05, 0.5)],
    mistakes=[
        Mistake(
            "the two is lost",
            "Keras's L2 adds l2 · w² to the loss, and the slope of w² is 2w.",
            lambda l2, rate: l2,
        ),
        Mistake(
            "the rate is counted twice",
            "The step of weight decay is rate · decay · w: the rate is in it already. That is "
            "Keras's convention; some libraries leave the rate out.",
            lambda l2, rate: 2 * l2 * rate,
        ),
        Mistake(
            "the rate is divided out",
            "You divided by the rate, as if weight decay did not multiply by it. In Keras its "
            "step is rate · decay · w.",
            lambda l2, rate: 2 * l2 / rate,
        ),
        Mistake(
            "the factor, not the decay",
            "That is the factor by which a step multiplies every weight. The decay is what is "
            "subtracted, before the rate.",
            lambda l2, rate: 1 - 2 * rate * l2,
        ),
    ],
)

# --- covered -------------------------------------------------------------------------------------

covered = Choice(
    "covered",
    "You build `Dense(64, kernel_regularizer=L2(0.01))` with a batch normalisation after it, "
    "freeze the layer, compile, and fit. What does the penalty do?",
    {
        "a": "It pulls the layer's kernel and bias towards zero",
        "b": "It pulls every weight of the model towards zero, batch normalisation included",
        "c": "Nothing: a frozen layer's penalty is not in the loss, and its kernel does not move",
        "d": "It keeps shrinking the kernel: the penalty is no training, so freezing does not "
        "stop it",
    },
    right="c",
    wrong={
        "a": (
            "the bias as well",
            "`kernel_regularizer` is for the kernel; there is a `bias_regularizer` for those who "
            "want it. And the layer is frozen.",
        ),
        "b": (
            "everything is covered",
            "A penalty belongs to one weight of one layer. What covers everything is the weight "
            "decay of an optimiser, unless you exclude names.",
        ),
        "d": (
            "a penalty moves frozen weights",
            "A penalty acts through its gradient, and a frozen kernel gets no gradient. Keras "
            "does not even add the penalty to the loss.",
        ),
    },
    hints=[
        "Look at `model.losses` with the flag on and off, as in part 3.",
        "What moved a weight in lesson 05, once its layer was frozen?",
    ],
    praise="So the loss that `fit` prints falls when you freeze a penalised layer, and the "
    "network has not become any better.",
)

# --- l2_sp ---------------------------------------------------------------------------------------


def moved_networks():
    found = {}
    for words, seed, strength in (("two arrays", 0, 0.1), ("two other arrays", 1, 2.0)):
        rng = np.random.default_rng(seed)
        weights, start = ([rng.normal(size=shape) for shape in ((2, 3), (4,))] for _ in range(2))
        found[f"{words} at strength {strength:g}"] = weights, start, strength
    return found


def squared_distance(weights, start):
    return sum(np.sum((w - s) ** 2) for w, s in zip(weights, start))


l2_sp = Function(
    "l2_sp",
    title="Towards the start",
    hints=[
        "Go through both lists together: `zip(weights, start)`. What is squared is the "
        "difference.",
        "`strength * sum(np.sum((w - s) ** 2) for w, s in zip(weights, start))`",
    ],
    praise="Put zeros in the place of `start` and it is L2. The two differ in nothing but where "
    "they believe that good weights are.",
    probes=moved_networks,
    tolerance=SINGLE,
    mistakes=[
        Mistake(
            "towards zero",
            "That is plain L2: it pulls towards zero, and `start` plays no part.",
            lambda weights, start, strength: strength * sum(np.sum(w**2) for w in weights),
        ),
        Mistake(
            "a difference of norms",
            "Square the difference, do not take the difference of the squares: two quite "
            "different networks can have the same norm, and yours can even be negative.",
            lambda weights, start, strength: (
                strength * sum(np.sum(w**2) - np.sum(s**2) for w, s in zip(weights, start))
            ),
        ),
        Mistake(
            "the distance, not its square",
            "That is the distance itself. Its slope does not fade near the start, as that of the "
            "square does.",
            lambda weights, start, strength: strength * np.sqrt(squared_distance(weights, start)),
        ),
        Mistake(
            "one array only",
            "Only the first array is in it. Every array must be held.",
            lambda weights, start, strength: strength * squared_distance(weights[:1], start[:1]),
        ),
    ],
)

# --- dropout -------------------------------------------------------------------------------------


# Those who drop the lowest of `luck` and those who drop the highest are both right, and both can
# make each mistake.
DROPOUT_MISTAKES = [
    Mistake(
        "not scaled up",
        "The outputs that stay must grow by 1 / (1 − rate). Otherwise the next layer sees smaller "
        "sums in training than in use.",
        lambda outputs, rate, luck: outputs * (luck >= rate),
        lambda outputs, rate, luck: outputs * (luck < 1 - rate),
    ),
    Mistake(
        "the rate is what stays",
        "A rate of 0.2 means that a share of 0.2 is dropped. With yours, that share stays.",
        lambda outputs, rate, luck: outputs * (luck < rate) / rate,
        lambda outputs, rate, luck: outputs * (luck < rate) / (1 - rate),
        lambda outputs, rate, luck: outputs * (luck >= 1 - rate) / rate,
        lambda outputs, rate, luck: outputs * (luck >= 1 - rate) / (1 - rate),
    ),
    Mistake(
        "scaled down",
        "You scaled down by 1 − rate. That would have to happen when the network is used, if "
        "nothing had been done in training; here what stays must grow.",
        lambda outputs, rate, luck: outputs * (luck >= rate) * (1 - rate),
        lambda outputs, rate, luck: outputs * (luck < 1 - rate) * (1 - rate),
    ),
    Mistake(
        "whole columns",
        "The same units are gone for every picture of the batch. Each picture needs its own "
        "throw: use the whole of `luck`.",
        lambda outputs, rate, luck: outputs * (luck[0] >= rate) / (1 - rate),
        lambda outputs, rate, luck: outputs * (luck[0] < 1 - rate) / (1 - rate),
    ),
]


@exercise(
    title="Dropout by hand",
    hints=[
        "`luck` has a number between 0 and 1 for each output. `luck >= rate` is True for a share "
        "of 1 − rate of them.",
        "What is left must be scaled up by 1 / (1 − rate), so that the next layer sees the same "
        "sum on average.",
    ],
    praise="Because what is left is scaled up in training, nothing at all has to be done when the "
    "network is used.",
)
def dropout(dropout):
    f = expect_callable(dropout, "dropout")
    for seed, rate in ((0, 0.2), (1, 0.7)):
        rng = np.random.default_rng(seed)
        outputs, luck = rng.uniform(0.5, 2, (40, 50)), rng.random((40, 50))
        got = expect_array(
            f(outputs, rate, luck), shape=outputs.shape, what="the outputs after dropout"
        )
        if close(got, outputs * (luck < 1 - rate) / (1 - rate), SINGLE):
            continue
        if not got.any() or got.all():
            raise Incorrect(
                f"With a rate of {rate}, {'no' if got.any() else 'every'} output is zero. A share "
                f"of {rate} should be, by chance."
            )
        right = outputs * (luck >= rate) / (1 - rate)
        what = f"the outputs after dropout at a rate of {rate}"
        args = outputs, rate, luck
        expect_right(got, right, DROPOUT_MISTAKES, *args, tolerance=SINGLE, what=what)


# --- mixup ---------------------------------------------------------------------------------------


def pictures_to_blend():
    found = {}
    for seed, (n, width, classes) in enumerate([(5, 4, 3), (7, 2, 4)]):
        rng = np.random.default_rng(seed)
        x, labels = rng.normal(size=(n, width)), rng.integers(0, classes, n)
        labels[:2] = 0, 1
        partner, share = np.roll(np.arange(n), 1), rng.uniform(0.55, 0.95, n)
        found[f"{n} pictures of {classes} classes"] = x, np.eye(classes)[labels], partner, share
    return found


def blended(x, partner, share):
    share = np.reshape(share, (-1, 1))
    return share * x + (1 - share) * x[partner]


mixup = Function(
    "mixup",
    title="Mixup by hand",
    hints=[
        "`x[partner]` is the other picture of each. `share` is how much of the picture itself is "
        "left.",
        "Blend the labels with the same shares and the same partners. `share` must be turned into "
        "a column to multiply rows: `share[:, None]`.",
    ],
    praise="A blend of two thirds cat and one third bus is labelled so. The network is never "
    "asked to be sure of anything in between.",
    probes=pictures_to_blend,
    tolerance=SINGLE,
    mistakes=[
        Mistake(
            "labels left alone",
            "The features are blended and the labels are not: a picture that is half a bus is "
            "still called a cat, with certainty. That plants wrong labels.",
            lambda x, targets, partner, share: (blended(x, partner, share), targets),
        ),
        Mistake(
            "shares swapped",
            "`share` is what is left of the picture itself; its partner gets the rest.",
            lambda x, targets, partner, share: (
                blended(x, partner, 1 - share),
                blended(targets, partner, 1 - share),
            ),
        ),
        Mistake(
            "one share for all",
            "Every row has its own share: turn the shares into a column, `share[:, None]`.",
            lambda x, targets, partner, share: (
                blended(x, partner, share[0]),
                blended(targets, partner, share[0]),
            ),
        ),
        Mistake(
            "half and half",
            "You took the middle. The blend of row i is share[i] of itself and 1 − share[i] of "
            "its partner.",
            lambda x, targets, partner, share: (
                blended(x, partner, 0.5),
                blended(targets, partner, 0.5),
            ),
        ),
    ],
)

# --- makes_new_pictures --------------------------------------------------------------------------


class Epochs:
    """Six pictures that can be gone through as often as one likes, as a data set can.

    change    what an epoch does to each picture: `change(picture, its number, the epoch's)`.
    shuffle   whether each epoch has an order of its own.
    """

    def __init__(self, change=None, shuffle=False, alike=False):
        self.pictures = np.random.default_rng(1).random((6, 5, 5, 1)).astype("float32")
        if alike:
            self.pictures[:] = self.pictures[0]
        self.change, self.shuffle, self.epoch = change, shuffle, 0

    def __iter__(self):
        self.epoch += 1
        for i in np.roll(np.arange(6), self.epoch if self.shuffle else 0):
            picture = self.pictures[i].copy()
            yield (self.change(picture, i, self.epoch) if self.change else picture), i


def shifted(picture, i, epoch):
    """Every pixel stays, so means and sums do too."""
    return np.roll(picture, epoch, axis=0)


def brighter(picture, i, epoch):
    return picture + epoch


def only_the_last_shifted(picture, i, epoch):
    return np.roll(picture, epoch, axis=0) if i == 5 else picture


def pipelines():
    return {
        "the same pictures in both epochs": (Epochs(),),
        "the same pictures in another order": (Epochs(shuffle=True),),
        "one picture six times, in both epochs": (Epochs(alike=True),),
        "pictures that are shifted anew": (Epochs(shifted),),
        "pictures that are shifted anew, in another order": (Epochs(shifted, shuffle=True),),
        "pictures that get brighter": (Epochs(brighter),),
        "six pictures of which one is shifted anew": (Epochs(only_the_last_shifted),),
    }


def another_order(pictures):
    first, second = ([np.asarray(p) for p, _ in pictures] for _ in range(2))
    return not all(np.array_equal(a, b) for a, b in zip(first, second))


def unlike_each_other(pictures):
    return len({np.asarray(p).tobytes() for p, _ in pictures}) > 1


def wrong_way_round(pictures):
    first, second = (sorted(np.asarray(p).tobytes() for p, _ in pictures) for _ in range(2))
    return first == second


def mean_differs(pictures):
    first, second = (np.mean([np.asarray(p) for p, _ in pictures]) for _ in range(2))
    return not np.isclose(first, second)


makes_new_pictures = Function(
    "makes_new_pictures",
    title="Catch a cached augmentation",
    hints=[
        "Go through the data set twice: `[picture for picture, label in pictures]` is one epoch. "
        "A shuffled epoch has another order; that does not make its pictures new.",
        "An order drops out when you sort. `sorted(np.asarray(picture).tobytes() for picture, "
        "label in pictures)` is the same list for the same pictures in any order.",
    ],
    praise="Shuffling is what hides this bug in real code: every batch looks new, and no picture "
    "is.",
    probes=pipelines,
    mistakes=[
        Mistake(
            "another order is not new",
            "You took a shuffled pipeline for one that makes new pictures. It shows the very same "
            "pictures in another order.",
            another_order,
        ),
        Mistake(
            "different from each other",
            "You asked whether the pictures of one epoch differ from each other. Compare one "
            "epoch with the next.",
            unlike_each_other,
        ),
        Mistake(
            "the wrong way round",
            "It says True for the cached pipeline and False for the other. The question is "
            "whether new pictures are made.",
            wrong_way_round,
        ),
        Mistake(
            "a mean hides it",
            "Every picture was shifted, and its mean stayed the same. Compare pixel by pixel.",
            mean_differs,
        ),
    ],
)

# --- smaller_rate --------------------------------------------------------------------------------

smaller_rate = Choice(
    "smaller_rate",
    "Your loss gap is too wide. You make the learning rate ten times smaller, keep the number of "
    "epochs, and the gap shrinks. What has happened?",
    {
        "a": "A smaller rate finds flatter minima, which generalise better",
        "b": "The network went a shorter way on the same road, and is less sure of what it "
        "learned, right or wrong",
        "c": "The network has learned more carefully, by smaller and surer steps, so new pictures "
        "are now recognised better",
        "d": "The penalty on the weights grew relative to the loss",
    },
    right="b",
    wrong={
        "a": (
            "a story about minima",
            "With a tenth of the rate and the same number of steps, the run ends before any "
            "minimum, flat or sharp. Look at `moved`: it has gone about half the way.",
        ),
        "c": (
            "a smaller gap is a better network",
            "The loss on new pictures did fall, because wrong answers are now given with less "
            "certainty. Look at the score: no more of them are right.",
        ),
        "d": (
            "there is a penalty",
            "There was none, and a rate scales the gradient of a penalty just as it scales that "
            "of the loss.",
        ),
    },
    hints=[
        "Compare `none` with `none, rate / 10` in the table: which columns changed, and which did "
        "not improve?",
        "How far did the weights move in each?",
    ],
    praise="It is early stopping in disguise, which is the next lesson. An untrained network has "
    "no gap at all.",
)

# --- beat_it -------------------------------------------------------------------------------------

MARGIN = 0.02  # two points: the rates around the best one differ by as much


@functools.cache
def unregularised_and_more():
    """The validation score of the unregularised head at its best rate, and the margin."""
    from translearn import measure

    runs = measure.recorded("regularisation.tries")
    rates = [arm for arm in runs.arms if arm.startswith("none @")]
    return MARGIN + max(float(np.mean(runs.values(arm, "validation"))) for arm in rates)


@exercise(
    title="Beat this number",
    hints=[
        "The simplest regulariser of all is a smaller model. And two that work in different ways "
        "can be combined.",
        "`LogisticRegression(C=0.01, max_iter=1000)` on standardised features is a penalised "
        "linear classifier. Its strength is 1 / C: a smaller C is a stronger penalty.",
    ],
    praise="A penalty on a model that is too large, or a model that is not too large: with ten "
    "pictures of each class, compare both.",
    reference=unregularised_and_more,
)
def beat_it(guesses, reference):
    from translearn import data

    emoji = data.load("emoji_styles")
    said = better_guesses(guesses, emoji, 120, reference, too_good=0.75)
    return f"{said} {beat_it.praise}"
