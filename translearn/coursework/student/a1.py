"""Assignment A1: losses, optimisers and learning rates.

What a student's notebook imports; NumPy only.
"""

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

AHEAD = (
    "numpy",
)  # what the notebook imports anyway, and what a sandbox imports before its submission comes


@question(
    title="1 · A loss that forgives outliers",
    marks={"small errors": 1, "large errors": 1, "the mean, whatever the shape": 1},
    hints=[
        "Work out the error first. Which of the two formulas holds is decided for each number "
        "on its own: `np.where`.",
        "Write down both formulas for the whole array, let `np.where` choose between them, and "
        "take the mean last.",
    ],
    misconceptions=["one formula for all", "the sum", "a step at delta"],
    praise="At delta both formulas and their slopes agree: the loss has no corner there.",
)
def huber(huber):
    f = expect_callable(huber, "huber")
    target, guess = np.array([1.0, -1.0, 2.0, 0.5]), np.array([1.5, -1.2, 5.0, -7.5])
    got = expect_number(f(target, guess, 2.0), "huber(target, guess, 2.0)")
    right = np.mean([0.125, 0.02, 4, 14])
    if close(got, right):
        if not close(f(target, guess), f(target, guess, 1.0)):
            raise Incorrect("With delta left away it should be 1.")
        return
    if close(got, 4 * right):
        raise Misconception(
            "the sum",
            "That is the sum. The mean does not grow with the number of examples, so a "
            "learning rate keeps its meaning.",
        )
    if close(got, np.mean([0.125, 0.02, 4.5, 32])):
        raise Misconception(
            "one formula for all",
            "Your loss is quadratic for large errors too: one outlier of 8 counts as 32. "
            "Beyond delta it should grow along a line.",
        )
    if close(got, np.mean([0.125, 0.02, 6, 16])):
        raise Misconception(
            "a step at delta",
            "At delta your loss jumps from delta²/2 to delta². The line is `delta * (size - "
            "delta / 2)`, which meets the parabola.",
        )
    raise Incorrect(
        f"For the errors 0.5, −0.2, 3 and −8 and delta 2 expected {right:.7g}, got {got:.7g}."
    )


@question(
    title="2 · Cross-entropy from logits",
    marks={"the values": 2, "logits of a thousand": 2},
    hints=[
        "The loss of an example is the logarithm of the sum of `exp(logits)`, minus the logit "
        "of its own class.",
        "Subtract each row's largest logit first: it changes nothing in the result, and no "
        "`exp` can overflow any more.",
    ],
    misconceptions=["overflow", "probabilities clipped", "the wrong axis", "the sum"],
    praise=(
        "Subtracting the largest logit is what every library does, so that a confident network "
        "does not produce NaN."
    ),
)
def cross_entropy(cross_entropy):
    f = expect_callable(cross_entropy, "cross_entropy")
    labels, logits = (
        np.array([0, 2, 1, 1]),
        np.array([[2.0, 1.0, 0.1], [0.3, 0.2, 2.5], [1.0, 3.0, 0.2], [0.1, 0.0, 0.4]]),
    )

    right = 0.51693270  # worked out beforehand, so that no answer stands here
    got = expect_number(f(labels, logits), "cross_entropy(labels, logits)")
    if close(got, 4 * right):
        raise Misconception("the sum", "That is the sum over the examples. Return their mean.")
    if close(got, 1.06077962):
        raise Misconception(
            "the wrong axis",
            "Your probabilities sum to one over the examples, not over the classes. The "
            "classes are axis 1.",
        )
    if not close(got, right):
        raise Incorrect(f"For four examples of three classes expected {right:.4g}, got {got:.4g}.")
    big = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
    with np.errstate(all="ignore"):
        got = np.asarray(f(np.array([1, 0]), big), dtype=float)
    if not np.isfinite(got).all():
        raise Misconception(
            "overflow",
            "For a logit of 1000 your loss is not a number: `exp(1000)` overflows. Subtract "
            "each row's largest logit first.",
        )
    if not close(got, 1000.0, 1e-4):
        raise Misconception(
            "probabilities clipped",
            f"A logit that is 1000 too low should cost 1000, and yours costs {float(got):.4g}: "
            f"a probability was clipped or given a small constant before its logarithm. Stay "
            f"with logits all the way.",
        )


@question(
    title="3 · The gradient of the cross-entropy",
    marks={"the values": 2, "of the mean": 1, "logits of a thousand": 1},
    hints=[
        "For one example the gradient is the vector of probabilities, with 1 taken off at the "
        "example's own class.",
        "Two arrays as an index, `[np.arange(n), labels]`, reach one number in each row. And what "
        "does the mean do to the gradient of a sum?",
    ],
    misconceptions=["of the sum", "the wrong sign", "without the labels", "overflow"],
    praise="Each row sums to zero: pushing one class up pushes the others down.",
)
def gradient(gradient):
    f = expect_callable(gradient, "gradient")
    labels, logits = (
        np.array([0, 2, 1]),
        np.array([[2.0, 1.0, 0.1], [0.3, 0.2, 2.5], [1.0, 3.0, 0.2]]),
    )
    right = np.array(  # worked out beforehand
        [
            [-0.113666287, 0.080810990, 0.032855297],
            [0.030497519, 0.027595296, -0.058092815],
            [0.037714280, -0.054660399, 0.016946119],
        ]
    )
    own = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    got = expect_array(f(labels, logits), (3, 3), "gradient(labels, logits)")
    if close(got, right):
        with np.errstate(all="ignore"):
            big = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
            big = np.asarray(f(np.array([1, 0]), big), dtype=float)
        if not np.isfinite(big).all():
            raise Misconception(
                "overflow",
                "For a logit of 1000 your gradient is not a number: `exp(1000)` overflows. "
                "Subtract each row's largest logit first, as in question 2.",
            )
        expect_close(big, [[0.5, -0.5], [-0.5, 0.5]], what="the gradient for logits of ±1000")
        return
    if close(got, 3 * right):
        raise Misconception(
            "of the sum",
            "That is the gradient of the sum of the losses. The loss is their mean: divide by "
            "the number of examples.",
        )
    if close(got, -right):
        raise Misconception(
            "the wrong sign",
            "That points downhill already. A gradient points uphill; the optimiser subtracts it.",
        )
    if close(got, right + own / 3) or close(got, 3 * right + own):
        raise Misconception(
            "without the labels",
            "Those are the probabilities. Where is the label? Take 1 off at each example's own "
            "class.",
        )
    expect_close(got, right, what="gradient(labels, logits)")


@question(
    title="4 · Weights for uneven classes",
    marks={"every class counts the same": 2, "the mean over the examples is one": 1},
    hints=[
        "A class with half as many examples needs twice the weight: start from 1 / count.",
        "Then one factor for all classes is left: which one makes the weights of all examples "
        "sum to the number of examples?",
    ],
    misconceptions=["more weight to the larger class", "another scale"],
    praise=(
        "With a mean of one, the learning rate that suited the plain loss still suits this one."
    ),
)
def class_weights(class_weights):
    f = expect_callable(class_weights, "class_weights")
    labels = np.array([0] * 6 + [1] * 3 + [2])
    right = np.array([5, 10, 30]) / 9
    got = expect_array(f(labels), (3,), "class_weights(labels)")
    if close(got, right):
        return
    if close(got / got.sum(), right / right.sum()):
        raise Misconception(
            "another scale",
            f"The classes are balanced, but the mean weight of the ten examples is "
            f"{float(got[labels].mean()):.3g}, not 1: the loss, and with it the best learning "
            f"rate, is scaled.",
        )
    if got[0] > got[1] > got[2]:
        raise Misconception(
            "more weight to the larger class",
            "The class with the most examples gets the most weight: that makes the imbalance "
            "worse. Divide by the count.",
        )
    expect_close(got, right, what="class_weights(labels)")


@question(
    title="5 · A step with momentum",
    marks={"the first step": 1, "the steps after it": 1, "the old arrays stay as they were": 1},
    hints=[
        "The velocity keeps a share of itself and takes in the new gradient: `momentum * "
        "velocity - rate * grad`.",
        "Then the weights move by the new velocity. Return both, new, in the order `weights, "
        "velocity`.",
    ],
    misconceptions=["moved by the old velocity", "uphill", "changed in place"],
    praise=(
        "Ten steps in one direction with momentum 0.9 go almost seven times as far as the last "
        "one's rate alone."
    ),
)
def momentum_step(momentum_step):
    f = expect_callable(momentum_step, "momentum_step")
    w, v, g = np.array([1.0, -2.0]), np.array([0.1, 0.4]), np.array([0.5, -1.0])
    kept = w.copy(), v.copy()
    try:
        new_w, new_v = momentum_step(w, v, g, 0.1, 0.9)
    except (TypeError, ValueError):
        new_w, new_v = f(w, v, g, 0.1, 0.9)  # raises as the student's own error
    if not (close(w, kept[0]) and close(v, kept[1])):
        raise Misconception(
            "changed in place",
            "Your function changes the arrays that it was given (`+=` does). Return new ones: "
            "whoever calls it may need the old.",
        )
    right_v = np.array([0.04, 0.46])
    if close(new_w, [1.14, -1.74]):
        raise Misconception(
            "uphill", "You add the gradient. It points uphill: take `rate * grad` away."
        )
    if close(new_v, right_v) and close(new_w, [1.1, -1.6]):
        raise Misconception(
            "moved by the old velocity",
            "The weights moved by the velocity from before. Update the velocity first, then "
            "move by the new one.",
        )
    expect_close(new_v, right_v, what="the new velocity")
    expect_close(new_w, [1.04, -1.54], what="the new weights")


def left_alone(function, *arrays):
    """What `function` returns for these arrays, and the arrays afterwards: was something changed
    in place?
    """
    given = [np.array(a) for a in arrays]
    return [function(*given, 0.1, 0.9), given]


@question(
    title="6 · A step of AdamW",
    marks={"the first step": 2, "later steps": 1, "decoupled weight decay": 2},
    hints=[
        "Two running means: `m` of the gradient, `v` of its square. Both start at zero, so "
        "divide them by `1 - beta**t`.",
        "The step is the corrected mean over the root of the corrected square. The decay is not "
        "in the gradient: it is taken off the old weights, beside that step.",
    ],
    misconceptions=["no bias correction", "decay in the gradient", "decay without the rate"],
    praise=(
        "In the first step every weight moves by the rate, however small its gradient: Adam "
        "looks at directions, not at sizes."
    ),
)
def adamw_step(adamw_step):
    f = expect_callable(adamw_step, "adamw_step")
    w, g, zero = np.array([1.0, -2.0, 0.5]), np.array([0.3, -0.02, 2.0]), np.zeros(3)

    # Worked out beforehand, so that no answer stands here.
    first, decayed = [0.99, -1.99, 0.49], [0.989, -1.988, 0.4895]

    def close(
        got, right
    ):  # Keras adds its 1e-7 before the correction for bias, the paper after it: both are right
        return np.allclose(got, right, rtol=0, atol=3e-6)

    def ask(decay, g=g):
        result = expect_items(
            f(w, zero, zero, g, 1, 0.01, decay),
            3,
            "`adamw_step` returns three arrays: the new weights, m and v.",
        )
        return expect_array(result[0], (3,), "the new weights")

    got = ask(0.0)
    if close(got, [0.96837756, -1.96838222, 0.46837727]):
        raise Misconception(
            "no bias correction",
            "The first step is far too long or too short: m and v start at zero and must be "
            "divided by 1 − beta^t.",
        )
    if not close(got, first):
        expect_close(got, first, what="the weights after a first step without decay")
    got = ask(0.1)
    if close(got, first):
        if close(ask(0.1, zero), w):
            raise Incorrect("With a weight decay of 0.1 the weights are the same as without.")
        raise Misconception(
            "decay in the gradient",
            "You added the decay to the gradient. Adam then divides it by its own size, so it "
            "no longer depends on how large the weights are. Take it off the weights directly.",
        )
    if close(got, [0.89, -1.79, 0.44]):
        raise Misconception(
            "decay without the rate",
            "Your decay does not depend on the learning rate, so a schedule cannot turn it "
            "down. Keras and PyTorch shrink by rate × weight decay.",
        )
    if close(got, [0.98901, -1.98801, 0.48951]):
        raise Incorrect(
            "Your decay comes after the step and shrinks the weights that have moved. Keras "
            "and PyTorch shrink the old ones: take `rate * weight_decay * w` of the weights as "
            "they were."
        )
    if not close(got, decayed):
        expect_close(got, decayed, what="the weights after a first step with decay 0.1")
    m, v = np.array([0.1, 0.2, -0.3]), np.array([0.01, 0.04, 0.09])
    second = expect_items(f(w, m, v, g, 2, 0.01, 0.0), 3, "Return three arrays.")
    later = [
        ("the weights", [0.99718743, -2.00209536, 0.50053752]),
        ("m", [0.12, 0.178, -0.07]),
        ("v", [0.01008, 0.0399604, 0.09391]),
    ]
    for (what, right), got in zip(later, second):
        got = expect_array(got, (3,), what)
        if not close(got, right):
            expect_close(got, right, what=f"{what} after a second step (t = 2, m and v not zero)")
    with np.errstate(all="ignore"):
        still = ask(0.0, zero)
    expect_close(still, w, what="the weights after a step with a gradient of 0")


@question(
    title="7 · Warm up, then cool down",
    marks={"the warm-up": 1, "the cosine": 2, "after the end": 1},
    hints=[
        "There are three stretches: before `warmup`, from there to `total`, and after it. In the "
        "first the steps count from one, so that the first step is not lost.",
        "For the cosine work out how much of the second stretch is done, from 0 at its first step "
        "to 1 at `total`, and no more after that. Half a cosine goes from 1 to −1 while its angle "
        "goes from 0 to π.",
    ],
    misconceptions=["starts at zero", "the cosine counts from step 0", "rises again"],
    praise=(
        "The first step is not wasted on a rate of zero, and training can run a little longer "
        "without the rate coming back."
    ),
)
def schedule(schedule):
    f = expect_callable(schedule, "schedule")
    rates = [
        expect_number(f(step, 100, 10, 0.4), f"schedule({step}, 100, 10, 0.4)")
        for step in (0, 9, 10, 55, 99, 100, 150)
    ]
    right = [0.04, 0.4, 0.4, 0.2, 0.00012183, 0, 0]
    if close(rates[0], 0):
        raise Misconception(
            "starts at zero",
            "At step 0 your rate is 0: the first step changes nothing. Count from one.",
        )
    if close(rates[3], 0.16871311):
        raise Misconception(
            "the cosine counts from step 0",
            "Your cosine has begun during the warm-up. It starts where the warm-up ends: count "
            "from `warmup`.",
        )
    if rates[6] > 1e-6 and close(rates[:5], right[:5]):
        raise Misconception(
            "rises again",
            "After the last step your cosine rises again. From `total` on the rate is 0.",
        )
    expect_close(rates, right, what="the rates at the steps 0, 9, 10, 55, 99, 100 and 150")


@question(
    title="8 · What is wrong with this rate?",
    marks={"diverges": 1, "not a number": 1, "crawls and fits": 2},
    hints=[
        "Every comparison with NaN is False. Ask for it by name: `np.isfinite`.",
        "Ask for what is worst first, then for the next, and let what is left be the answer "
        "otherwise. Of the finite losses only the first and the last count.",
    ],
    misconceptions=["NaN slips through", "the lowest, not the last"],
    praise="A comparison that is silently False has hidden many a ruined run.",
)
def verdict(verdict):
    f = expect_callable(verdict, "verdict")
    cases = {"diverges": [2.0, 2.5, 9.0], "crawls": [2.0, 1.95, 1.93], "fits": [2.0, 1.2, 0.7]}
    for right, losses in cases.items():
        got = f(np.array(losses))
        if got != right:
            raise Incorrect(f'For the losses {losses} expected "{right}", got {got!r:.40}.')
    for losses in ([20.0, 12.0, 7.0], [2.0, 2.5, 1.0], [2.0, 0.4, 0.5]):
        if (got := f(np.array(losses))) != "fits":
            raise Incorrect(f'For the losses {losses} expected "fits", got {got!r:.40}.')
    if f(np.array([2.0, 1.0, np.nan])) != "diverges":
        raise Misconception(
            "NaN slips through",
            'A loss that became NaN is called something else than "diverges". `nan > first` is '
            "False: ask with `np.isfinite`.",
        )
    if f(np.array([2.0, 0.5, 6.0])) != "diverges":
        raise Misconception(
            "the lowest, not the last",
            "These losses fell to 0.5 and then rose to 6, and you judged by the lowest. What "
            "you would be left with is the last.",
        )
    if (got := f(np.array([2.0, 1.5, 2.0]))) != "crawls":
        raise Incorrect(f'A last loss that equals the first "crawls", and you say {got!r:.40}.')


explain = Written(
    "explain",
    "9 · Two runs",
    {
        "The choice": {
            "none": (0, "no run is chosen, or the choice contradicts its own reasons"),
            "chosen": (1, "one run is chosen with a reason"),
            "for a purpose": (
                2,
                "the choice says for which use it holds, and when the other run would be the "
                "better one",
            ),
        },
        "The evidence": {
            "none": (0, "the numbers in the table are not used"),
            "one number": (1, "one of the metrics is read correctly"),
            "the tension": (
                2,
                "explains how one run can have the better accuracy and the worse loss",
            ),
            "with its spread": (
                3,
                "the same, and says whether the difference is larger than what the seeds do",
            ),
        },
        "A test": {
            "none": (0, "no experiment, or one that could not change the answer"),
            "an experiment": (1, "names an experiment that would change the choice"),
            "a fair one": (
                2,
                "says what is held equal, what is varied and which result would change the choice",
            ),
        },
    },
)
