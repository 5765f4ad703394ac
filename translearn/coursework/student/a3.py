"""Assignment A3: regularise and stop. What a student's notebook imports; NumPy only."""

import numpy as np

from translearn.coursework.student.question import Written, expect_items, question
from translearn.exercises.answers import (
    Incorrect,
    Misconception,
    close,
    expect_array,
    expect_callable,
    expect_close,
    expect_number,
)

AHEAD = ("numpy",)


def generator(seed: int):
    """NumPy's random generator, for the functions that need luck."""
    return np.random.default_rng(seed)


def left_alone(function, images, seed):
    """What `function` makes of the images, and the images afterwards: changed in place?"""
    given = np.array(images)
    return [function(given, generator(seed)), given]


@question(
    title="1 · L1, exactly",
    marks={"large weights": 1, "exact zeros": 1, "both signs, any shape": 1},
    hints=[
        "Every weight moves towards zero by `amount`, and none moves past it.",
        "Take each weight apart into its sign and its size: only the size shrinks, and never "
        "below 0.",
    ],
    misconceptions=["past zero", "only cut off", "positive only"],
    praise=(
        "This step gives weights that are exactly zero. The gradient of L1 alone only makes them "
        "dance around it."
    ),
)
def soft_threshold(soft_threshold):
    f = expect_callable(soft_threshold, "soft_threshold")
    weights = np.array([3.0, -2.0, 0.3, -0.4, 0.0])
    got = expect_array(f(weights, 0.5), (5,), "soft_threshold(weights, 0.5)")
    right = np.array([2.5, -1.5, 0, 0, 0])
    if close(got, right):
        return
    if close(got, weights - 0.5 * np.sign(weights)):
        raise Misconception(
            "past zero", "A weight of 0.3 became −0.2: it moved past zero. It should stop there."
        )
    if close(got, [3, -2, 0, 0, 0]):
        raise Misconception(
            "only cut off",
            "You set small weights to zero and left the large ones where they were. L1 pulls "
            "on all of them alike.",
        )
    if close(got, np.maximum(weights - 0.5, 0)):
        raise Misconception(
            "positive only", "Negative weights all became zero. They move towards zero from below."
        )
    expect_close(got, right, what="soft_threshold(weights, 0.5)")


@question(
    title="2 · Dropout",
    marks={"inference changes nothing": 1, "the share of zeros": 1, "the mean is kept": 2},
    hints=[
        "In training, draw one uniform number per unit: `rng.random(x.shape) >= rate` says "
        "what stays.",
        "What stays is divided by `1 - rate`, so that the mean of what the next layer sees is "
        "the same in both modes.",
    ],
    misconceptions=[
        "not scaled",
        "scaled in inference",
        "drops what should stay",
        "drops in inference",
    ],
    praise="Inverted dropout: all the work is done in training, and inference costs nothing.",
)
def dropout(dropout):
    f = expect_callable(dropout, "dropout")
    x = np.ones((200, 200))
    still = expect_array(
        f(x, 0.2, False, generator(0)), x.shape, "dropout(x, 0.2, training=False, rng)"
    )
    if close(still, 0.8 * x):
        raise Misconception(
            "scaled in inference",
            "In inference you multiply by 1 − rate. Scale up in training instead; inference "
            "then changes nothing.",
        )
    if (still == 0).any():
        raise Misconception(
            "drops in inference",
            "In inference units are dropped, too. With `training=False` return the input.",
        )
    if not close(still, x):
        raise Incorrect("In inference the output should be the input.")
    got = expect_array(
        f(x, 0.2, True, generator(0)), x.shape, "dropout(x, 0.2, training=True, rng)"
    )
    zeros = np.mean(got == 0)
    if abs(zeros - 0.8) < 0.02:
        raise Misconception(
            "drops what should stay",
            "80 % became zero at a rate of 0.2: the rate is the share that is dropped.",
        )
    if abs(zeros - 0.2) > 0.02:
        raise Incorrect(f"At a rate of 0.2 about 20 % should become zero, and {zeros:.0%} did.")
    if (got[got != 0] == 1).all():
        raise Misconception(
            "not scaled",
            "What stays should be divided by 1 − rate. Without that the next layer sees 80 % "
            "of what it will see in inference.",
        )
    expect_close(got[got != 0][:5], np.full(5, 1.25), what="what stays of ones")


@question(
    title="3 · Mixup",
    marks={"the pictures": 1, "the labels": 2},
    hints=[
        "`images[order]` has the partner of each picture at its place. A picture keeps `share` of "
        "itself and takes the rest from its partner.",
        "The labels are one-hot rows, mixed in the same way.",
    ],
    misconceptions=[
        "labels left as they are",
        "shares swapped",
        "labels mixed with another order",
    ],
    praise=(
        "Half a cat should be called half a cat: with unmixed labels mixup would only be noise."
    ),
)
def mixup(mixup):
    f = expect_callable(mixup, "mixup")
    images, labels = np.arange(12.0).reshape(3, 2, 2), np.eye(3)
    answer = f(images, labels, 0.7, np.array([1, 2, 0]))
    answer = expect_items(answer, 2, "Return two arrays: the mixed pictures and the mixed labels.")
    mixed, shares = (
        expect_array(answer[0], (3, 2, 2), "the pictures"),
        expect_array(answer[1], (3, 3), "the labels"),
    )
    right = np.array([1.2, 2.2, 3.2, 4.2, 5.2, 6.2, 7.2, 8.2, 5.6, 6.6, 7.6, 8.6])
    if close(mixed.ravel(), [2.8, 3.8, 4.8, 5.8, 6.8, 7.8, 8.8, 9.8, 2.4, 3.4, 4.4, 5.4]):
        raise Misconception(
            "shares swapped",
            "`share` belongs to the picture itself, and you gave it to the other one.",
        )
    expect_close(mixed, right.reshape(3, 2, 2), what="the pictures")
    if close(shares, labels):
        raise Misconception(
            "labels left as they are",
            "The pictures are mixed and the labels are not. A picture that is 30 % another one "
            "should be labelled so.",
        )
    if close(shares, [[0.7, 0, 0.3], [0.3, 0.7, 0], [0, 0.3, 0.7]]):
        raise Misconception(
            "labels mixed with another order",
            "The labels are mixed with those of other pictures than the pictures are. Use the "
            "same order for both.",
        )
    expect_close(shares, [[0.7, 0.3, 0], [0, 0.7, 0.3], [0.3, 0, 0.7]], what="the labels")


@question(
    title="4 · Label smoothing",
    marks={"its own class": 1, "the other classes": 1, "rows sum to one": 1},
    hints=[
        "`amount` of the label is spread evenly over all classes, its own included.",
        "Rows of `np.eye` are one-hot labels. What all classes are given alike was taken from the "
        "own one before, so that a row still sums to one.",
    ],
    misconceptions=["spread over the others only", "more than one altogether"],
    praise="Keras's convention. With it, an amount of 1 says nothing about the class at all.",
)
def smooth(smooth):
    f = expect_callable(smooth, "smooth")
    got = expect_array(f(np.array([2, 0]), 4, 0.2), (2, 4), "smooth(labels, 4, 0.2)")
    right = [[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]]
    if close(got, right):
        return
    if close(got, np.where(np.eye(4)[[2, 0]] == 1, 0.8, 0.2 / 3)):
        raise Misconception(
            "spread over the others only",
            "You spread the amount over the three other classes. In Keras's convention it goes "
            "over all classes: the own one has 0.85 here, not 0.8.",
        )
    if not close(got.sum(1), 1):
        raise Misconception(
            "more than one altogether",
            f"The first row sums to {got[0].sum():.3g}. What is given to all classes must be "
            f"taken from the own one.",
        )
    expect_close(got, right, what="smooth(labels, 4, 0.2)")


@question(
    title="5 · Towards the start: L2-SP",
    marks={"the pretrained arrays": 2, "the new ones": 1},
    hints=[
        "For each name that is in `start`: `alpha / 2` times the sum of the squared differences.",
        "For each name that is not (the new head): `beta / 2` times the sum of the squares.",
    ],
    misconceptions=["towards zero", "the head is forgotten", "without the half"],
    praise=(
        "Li and others (2018): decay towards what pretraining found, instead of towards nothing."
    ),
)
def l2_sp(l2_sp):
    f = expect_callable(l2_sp, "l2_sp")
    start = {"block": np.array([1.0, 2.0]), "norm": np.array([[3.0]])}
    now = {"block": np.array([1.5, 1.0]), "norm": np.array([[3.0]]), "head": np.array([2.0, -1.0])}
    got = expect_number(f(now, start, 0.1, 0.01), "l2_sp(weights, start, 0.1, 0.01)")
    moved, head = 1.25, 5.0
    right = 0.05 * moved + 0.005 * head
    if close(got, right):
        return
    if close(got, 2 * right):
        raise Misconception(
            "without the half",
            "The factors are alpha / 2 and beta / 2, so that the gradient is alpha times the "
            "distance.",
        )
    if close(got, 0.05 * (1.5**2 + 1 + 9) + 0.005 * head):
        raise Misconception(
            "towards zero",
            "You penalise the pretrained weights for their size. Penalise how far they are "
            "from `start`.",
        )
    if close(got, 0.05 * moved):
        raise Misconception(
            "the head is forgotten",
            "The head has no start, and your penalty leaves it out. It is pulled towards zero, "
            "with beta.",
        )
    raise Incorrect(f"Expected {right:.4g}, got {got:.4g}.")


@question(
    title="6 · Mirror pictures",
    marks={"each picture on its own": 1, "left and right only": 1, "the input stays as it was": 1},
    hints=[
        "Draw one number per picture: `rng.random(len(images)) < 0.5`.",
        "Axis 2 is the width, and `[:, :, ::-1]` turns it. A mask of one number a picture has to "
        "be given three more axes before it can choose between two arrays of pictures.",
    ],
    misconceptions=["all or none", "upside down", "changed in place"],
    praise=(
        "If the pictures are cached after this step, every epoch sees the same mirror images: "
        "augment after the cache."
    ),
)
def mirror(mirror):
    f = expect_callable(mirror, "mirror")
    images = np.random.default_rng(1).random((40, 3, 4, 2))
    kept = images.copy()
    got, after = left_alone(f.function, images, 0)  # not through f, which hands in a copy
    got = expect_array(got, images.shape, "mirror(images, rng)")
    if not close(after, kept):
        raise Misconception(
            "changed in place",
            "The pictures that you were given are changed. The next epoch would mirror the "
            "mirrored.",
        )
    same = np.array([close(a, b) for a, b in zip(got, images)])
    flipped = np.array([close(a, b[:, ::-1]) for a, b in zip(got, images)])
    if any(close(a, b[::-1]) for a, b in zip(got, images)):
        raise Misconception(
            "upside down",
            "A picture stands on its head: you turned axis 1, the height. The width is axis 2.",
        )
    if not (same | flipped).all():
        raise Incorrect("Each picture should be itself or its mirror image, and some are neither.")
    if same.all() or flipped.all():
        raise Misconception(
            "all or none", "All pictures went the same way. Draw for each picture on its own."
        )
    again = expect_array(f(images, generator(1)), images.shape, "mirror(images, rng)")
    if close(again, got):
        raise Incorrect("Two generators mirror the same pictures: draw from the one given.")


@question(
    title="7 · Early stopping",
    marks={
        "when it stops": 2,
        "the best epoch": 1,
        "a minimum change": 1,
        "when it never stops": 1,
    },
    hints=[
        "Keep the best loss so far and its epoch. An epoch improves if its loss is below `best "
        "- min_delta`.",
        "In an epoch without an improvement, ask how long ago the best one was. If the loop comes "
        "to its end without a stop, the last epoch is where it ended.",
    ],
    misconceptions=[
        "one epoch late",
        "counts every rise",
        "the last, not the best",
        "minimum change ignored",
    ],
    praise=(
        "Patience counts epochs since the best one, not rises in a row: a small step down that "
        "is no new best does not save the run."
    ),
)
def stop(stop):
    f = expect_callable(stop, "stop")

    def ask(losses, patience, change=0.0):
        answer = expect_items(
            f(np.array(losses), patience, change),
            2,
            "Return two numbers: the epoch after which it stops, and the best epoch.",
        )
        return tuple(expect_number(a, integer=True) for a in answer)

    losses = [5, 4, 3, 3.5, 3.4, 3.3, 3.2, 3.1]
    got = ask(losses, 2)
    if got == (5, 2):
        raise Misconception(
            "one epoch late",
            "With patience 2 and the best in epoch 2 it stops after epoch 4: two epochs "
            "without a new best are enough.",
        )
    if got == (7, 2):
        raise Misconception(
            "counts every rise",
            "The loss fell after epoch 3, but never below the best. Count the epochs since the "
            "best one.",
        )
    if got == (4, 4):
        raise Misconception(
            "the last, not the best",
            "The best epoch is the one with the lowest loss, 2, not the one at which it stopped.",
        )
    if got != (4, 2):
        raise Incorrect(f"For the losses {losses} and patience 2 expected (4, 2), got {got}.")
    got = ask([5, 4.95, 4.9, 4.85, 4.8], 2, 0.2)
    if got == (4, 4):
        raise Misconception(
            "minimum change ignored",
            "Each epoch gains only 0.05, less than the minimum change of 0.2, and your rule "
            "goes on.",
        )
    got = ask([5, 4, 4, 4, 4], 2)
    if got != (3, 1):
        raise Incorrect(
            f"A loss that equals the best one is no improvement: for 5, 4, 4, 4, 4 and patience 2 "
            f"expected (3, 1), got {got}."
        )


@question(
    title="8 · The simplest that is good enough",
    marks={"a clear winner": 1, "within one standard error": 2},
    hints=[
        "Work out each setting's mean and find the best one; then the standard error of that "
        "one: `std(ddof=1) / sqrt(n)`.",
        "Walk through the settings from the simplest on (their order in the dictionary): the "
        "first whose mean is at least best mean − standard error is chosen.",
    ],
    misconceptions=["always the best mean", "the standard deviation", "its own error"],
    praise=(
        "The one-standard-error rule (Breiman and others, 1984): a difference that the seeds "
        "could make is no reason for a more complicated network."
    ),
)
def choose(choose):
    f = expect_callable(choose, "choose")
    scores = {
        "small": [0.79, 0.81, 0.80, 0.80],
        "medium": [0.83, 0.85, 0.84, 0.84],
        "large": [0.82, 0.87, 0.84, 0.87],
        "wild": [0.60, 0.95, 0.70, 0.99],
    }
    got = f({name: list(values) for name, values in scores.items()})
    if got == "medium":
        wide = {"small": [0.80, 0.80, 0.80, 0.80], "large": [0.79, 0.85, 0.81, 0.87]}
        if f(wide) == "small":
            raise Misconception(
                "the standard deviation",
                "You took the standard deviation of the best setting. The uncertainty of a "
                "mean of n seeds is that divided by √n.",
            )
        return
    if got == "large":
        raise Misconception(
            "always the best mean",
            "`large` has the best mean by one point, and its own seeds differ by five. "
            "`medium` is simpler and within one standard error.",
        )
    if got == "wild":
        raise Misconception(
            "its own error",
            "You compared with each setting's own uncertainty. The rule takes that of the best "
            "setting.",
        )
    raise Incorrect(f'Expected "medium", got {got!r:.40}.')


curves = Written(
    "curves",
    "9 · Three runs",
    {
        "What is wrong": {
            "none": (0, "no run is diagnosed"),
            "one run": (1, "one run is diagnosed correctly"),
            "two runs": (2, "two are"),
            "all": (3, "each is diagnosed correctly, or said to be well, from the numbers"),
        },
        "What to change": {
            "none": (0, "no change, or one that would make it worse"),
            "a change": (1, "a change that fits one diagnosis"),
            "a change each": (
                2,
                "a fitting change for each run that needs one, and none for the one that does not",
            ),
        },
        "What would show it": {
            "none": (0, "says nothing about how one would know"),
            "a comparison": (1, "names what to compare before and after"),
            "beyond the seeds": (
                2,
                "and asks for more than one seed, on validation and not on test",
            ),
        },
    },
)
