"""Judges of A1: losses, optimisers and learning rates."""

import numpy as np

from translearn.coursework.instructor.judging import (
    Wrong,
    answers_close,
    array,
    expect,
    items,
    number,
    part,
    partly,
)
from translearn.coursework.student import a1

# ---- 1 Huber


def _huber(errors, delta):
    size = np.abs(errors)
    return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))


@part(a1.huber, "small errors")
def _(ask, rng):
    for delta in (0.5, 2.0):
        target, errors = rng.normal(size=7), rng.uniform(-0.9, 0.9, 7) * delta
        expect(
            answers_close(
                ask("huber", target, target + errors, delta), _huber(errors, delta).mean()
            ),
            "For errors below delta the loss is not half the squared error.",
        )


@part(a1.huber, "large errors")
def _(ask, rng):
    for delta in (0.5, 2.0):
        target, errors = (
            rng.normal(size=7),
            rng.choice([-1, 1], 7) * rng.uniform(1.1, 9, 7) * delta,
        )
        expect(
            answers_close(
                ask("huber", target, target + errors, delta), _huber(errors, delta).mean()
            ),
            "For errors above delta the loss does not grow along the right line.",
        )


@part(a1.huber, "the mean, whatever the shape")
def _(ask, rng):
    target, errors = (
        rng.normal(size=(3, 4, 2)),
        rng.uniform(-1, 1, (3, 4, 2)),
    )  # small ones: large errors have a point of their own
    expect(
        answers_close(ask("huber", target, target + errors, 1.3), _huber(errors, 1.3).mean()),
        "For an array with three axes the loss is not the mean over all numbers.",
    )
    few, far = target[0, 0, :1], target[0, 0, :1] + [7.0]
    expect(
        answers_close(ask("huber", few, few + 0.2), 0.02)
        and answers_close(ask("huber", few, far), array(ask("huber", few, far, 1.0))),
        "With delta left away it should be 1.",
    )


# ---- 2 and 3 cross-entropy


def _softmax(z):
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def _losses(labels, z):
    z = z - z.max(1, keepdims=True)
    return np.log(np.exp(z).sum(1)) - z[np.arange(len(labels)), labels]


@part(a1.cross_entropy, "the values")
def _(ask, rng):
    right = 0
    for n, k in ((6, 4), (5, 5), (2, 2), (30, 3)):
        # Moderate logits: a small constant inside the logarithm costs the points for large ones,
        # not these.
        labels, logits = rng.integers(0, k, n), rng.uniform(-1.5, 1.5, (n, k))
        right += answers_close(
            ask("cross_entropy", labels, logits), _losses(labels, logits).mean(), 1e-4
        )
    expect(right, "The mean cross-entropy is not right.")
    return partly(
        right / 4,
        "The mean cross-entropy is right for some numbers of examples and classes, and not for "
        "others.",
    )


@part(a1.cross_entropy, "logits of a thousand")
def _(ask, rng):
    right = 0
    for scale in (500, 3000):
        labels, logits = rng.integers(0, 3, 8), rng.normal(0, scale, (8, 3))
        target = _losses(labels, logits).mean()
        got = ask("cross_entropy", labels, logits)
        right += bool(
            np.size(got) == 1 and abs(float(np.asarray(got)) - target) < 1e-4 * max(1, target)
        )
    expect(right, "With large logits the loss is not the right number.")
    return partly(
        right / 2, "With large logits the loss is right once, and not with others of the kind."
    )


def _gradient(labels, logits):
    return (_softmax(logits) - np.eye(logits.shape[1])[labels]) / len(labels)


@part(a1.gradient, "the values")
def _(ask, rng):
    """The direction, whatever the scale: the mean has points of its own."""
    for n, k in ((6, 4), (5, 5), (3, 2)):
        labels, logits = rng.integers(0, k, n), rng.normal(0, 2, (n, k))
        got, right = array(ask("gradient", labels, logits), (n, k)), _gradient(labels, logits)
        scale = (got * right).sum() / (right**2).sum()
        # Divided by its scale: a tolerance that grew with the answer would let an enormous one
        # pass.
        expect(
            scale > 0 and answers_close(got / scale, right, 1e-5),
            "The gradient does not point where it should.",
        )


@part(a1.gradient, "of the mean")
def _(ask, rng):
    labels, logits = rng.integers(0, 4, 7), rng.normal(0, 2, (7, 4))
    expect(
        answers_close(ask("gradient", labels, logits), _gradient(labels, logits)),
        "The gradient is not that of the mean.",
    )


@part(a1.gradient, "logits of a thousand")
def _(ask, rng):
    labels, logits = rng.integers(0, 3, 8), rng.normal(0, 2000, (8, 3))
    got, right = array(ask("gradient", labels, logits), (8, 3)), _gradient(labels, logits)
    expect(
        answers_close(got, right) or answers_close(got, 8 * right),
        "With large logits the gradient is not right.",
    )


# ---- 4 class weights


def _labels(rng, counts):
    return rng.permutation(np.repeat(np.arange(len(counts)), counts))


@part(a1.class_weights, "every class counts the same")
def _(ask, rng):
    for counts in ((40, 5), (3, 9, 27, 1)):
        labels = _labels(rng, counts)
        totals = array(ask("class_weights", labels), (len(counts),)) * counts
        expect(
            (totals > 0).all() and np.ptp(totals) < 1e-6 * totals.max(),
            "The classes do not have the same total weight.",
        )


@part(a1.class_weights, "the mean over the examples is one")
def _(ask, rng):
    for counts in ((40, 5), (3, 9, 27, 1)):
        labels = _labels(rng, counts)
        weights = array(ask("class_weights", labels), (len(counts),))
        expect(
            answers_close(weights[labels].mean(), 1), "The mean weight over the examples is not 1."
        )
        expect(np.ptp(weights) > 0, "All classes have the same weight.")


# ---- 5 and 6 optimisers


def _pair(answer, n):
    return items(answer, n, f"It should return {n} arrays.")


@part(a1.momentum_step, "the first step")
def _(ask, rng):
    w, g = rng.normal(size=5), rng.normal(size=5)
    new_w, new_v = _pair(ask("momentum_step", w, np.zeros(5), g, 0.05, 0.8), 2)
    expect(
        answers_close(new_w, w - 0.05 * g) and answers_close(new_v, -0.05 * g),
        "From a velocity of zero the weights should move by minus rate times gradient.",
    )


@part(a1.momentum_step, "the steps after it")
def _(ask, rng):
    w, v = rng.normal(size=(2, 3)), np.zeros((2, 3))
    mine_w, mine_v = w, v
    for _ in range(4):  # the student's own arrays go back in, as in training
        g = rng.normal(size=(2, 3))
        v = 0.9 * v - 0.1 * g
        w = w + v
        mine_w, mine_v = (
            array(a, (2, 3)) for a in _pair(ask("momentum_step", mine_w, mine_v, g, 0.1, 0.9), 2)
        )
        expect(
            answers_close(mine_w, w),
            "After several steps the weights are not where they should be.",
        )


@part(a1.momentum_step, "the old arrays stay as they were")
def _(ask, rng):
    arrays = [rng.normal(size=4) for _ in range(3)]
    answer, after = ask.value("momentum_step", read="left_alone", extra=arrays)
    w, v, g = arrays
    expect(
        isinstance(after, list)
        and len(after) == 3
        and all(answers_close(a, b) for a, b in zip(after, arrays)),
        "The arrays that it was given are not what they were.",
    )
    new = [array(each, (4,)) for each in _pair(answer, 2)]
    expect(
        not answers_close(new[0], w) and all(np.ptp(each) > 0 for each in new),
        "Nothing moved, so nothing could be changed.",
    )


def _adamw(w, m, v, g, t, rate, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return (
        w - rate * decay * w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7),
        m,
        v,
    )


@part(a1.adamw_step, "the first step")
def _(ask, rng):
    w, g, zero = (
        rng.normal(size=6),
        # so large that eps does not show: it counts in later steps
        rng.choice([-1, 1], 6) * rng.uniform(0.5, 2, 6) * 10.0 ** rng.integers(-2, 3, 6),
        np.zeros(6),
    )
    got = _pair(ask("adamw_step", w, zero, zero, g, 1, 0.02, 0.0), 3)
    expect(
        answers_close(got[0], _adamw(w, zero, zero, g, 1, 0.02, 0)[0]),
        "In the first step each weight should move by the learning rate, whatever the size of "
        "its gradient.",
    )


def _steps(ask, rng, decay, steps):
    w, m, v = rng.normal(size=4), np.zeros(4), np.zeros(4)
    mine = [w, m, v]
    for t in range(1, steps + 1):
        g = rng.normal(size=4) * [1, 10, 0.1, 0]  # without eps 0 / 0 is no number
        w, m, v = _adamw(w, m, v, g, t, 0.03, decay)
        mine = [array(a, (4,)) for a in _pair(ask("adamw_step", *mine, g, t, 0.03, decay), 3)]
    return mine, (w, m, v)


@part(a1.adamw_step, "later steps")
def _(ask, rng):
    got, right = _steps(ask, rng, 0.0, 5)
    expect(
        answers_close(got[0], right[0], 1e-4)
        and all(answers_close(a, b) for a, b in zip(got[1:], right[1:])),
        "After several steps without decay the weights are not where they should be.",
    )


@part(a1.adamw_step, "decoupled weight decay")
def _(ask, rng):
    w, g, zero = rng.normal(size=6) * 5, rng.normal(size=6), np.zeros(6)
    for rate in (0.02, 0.2):
        # Only what the decay adds counts here, so that another mistake does not cost these points
        # too.
        plain, decayed = (
            array(_pair(ask("adamw_step", w, zero, zero, g, 1, rate, d), 3)[0], (6,))
            for d in (0.0, 0.3)
        )
        expect(
            answers_close(decayed - plain, -rate * 0.3 * w, 1e-4),
            "The weight decay should shrink the weights by rate times decay of themselves, "
            "beside the gradient's step.",
        )


# ---- 7 schedule


def _rates(ask, steps, *rest):
    return [number(ask("schedule", int(step), *rest)) for step in steps]


@part(a1.schedule, "the warm-up")
def _(ask, rng):
    warmup, peak = int(rng.integers(7, 20)), float(rng.uniform(0.1, 1))
    steps = np.array([0, 1, 3, warmup - 1])
    expect(
        answers_close(_rates(ask, steps, 200, warmup, peak), peak * (steps + 1) / warmup),
        "The warm-up does not rise from peak / warmup to the peak.",
    )


@part(a1.schedule, "the cosine")
def _(ask, rng):
    wrong = []
    for warmup in (0, int(rng.integers(5, 30))):
        steps = np.array([warmup, warmup + 17, 100, 119])
        target = 0.25 * (1 + np.cos(np.pi * (steps - warmup) / (120 - warmup)))
        try:
            right = answers_close(_rates(ask, steps, 120, warmup, 0.5), target)
        except Wrong as problem:  # most often a division by a warm-up of zero, which costs half
            right = str(problem)
        if right is not True:
            wrong.append(right or "After the warm-up the rate does not follow half a cosine to 0.")
    if len(wrong) == 2:
        raise Wrong(wrong[-1])
    return partly(
        1 - len(wrong) / 2,
        "With a warm-up, or without one, the rate is not right. " + "".join(wrong),
    )


@part(a1.schedule, "after the end")
def _(ask, rng):
    expect(
        number(ask("schedule", 20, 50, 5, 0.3)) > 0.05, "The rate is zero before the end already."
    )
    expect(
        answers_close(_rates(ask, (50, 51, 60, 75, 100), 50, 5, 0.3), [0] * 5),
        "From the last step on the rate should be 0.",
    )


# ---- 8 verdict


def _said(ask, losses):
    got = ask("verdict", np.asarray(losses, float))
    return got.strip().lower() if isinstance(got, str) else None


def _not_always(ask):
    for losses in (np.linspace(2, 0.5, 6), [2, 2.5, 1, 0.6], [2, 0.4, 1, 0.5]):
        expect(_said(ask, losses) != "diverges", "A run whose loss falls is said to diverge.")


@part(a1.verdict, "diverges")
def _(ask, rng):
    for _ in range(3):
        losses = np.abs(rng.normal(2, 0.1, 9))
        losses[-1] = losses[0] + rng.uniform(0.01, 5)
        losses[1] = losses[4] = 0.1
        expect(
            _said(ask, losses) == "diverges",
            "A run whose last loss is above its first is not said to diverge.",
        )
    _not_always(ask)


@part(a1.verdict, "not a number")
def _(ask, rng):
    for bad in (np.nan, np.inf, -np.inf):
        for at in (3, -1):
            losses = np.linspace(2, 1, 8)
            losses[at] = bad
            expect(
                _said(ask, losses) == "diverges",
                "A run with a loss that is not a finite number is not said to diverge.",
            )
    _not_always(ask)


@part(a1.verdict, "crawls and fits")
def _(ask, rng):
    right = 0
    for share, said in ((0.92, "crawls"), (0.88, "fits"), (0.999, "crawls"), (0.05, "fits")):
        first = rng.uniform(0.2, 30)
        right += _said(ask, np.linspace(first, share * first, 6)) == said
    expect(
        _said(ask, [1.7, 1.7, 1.7]) == "crawls",
        "A last loss that equals the first is not above it.",
    )
    expect(right > 2, "Runs that crawl and runs that fit are not told apart.")
    return partly(right / 4, "Of four runs that crawl or fit, one is called something else.")
