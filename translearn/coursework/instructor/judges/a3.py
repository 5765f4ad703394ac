"""Judges of A3: regularise and stop."""

import numpy as np

from translearn.coursework.instructor.judging import (
    answers_close,
    array,
    expect,
    items,
    number,
    part,
)
from translearn.coursework.student import a3


def _rng(rng):
    return {"make": ["generator", [int(rng.integers(2**31))]]}


# ---- 1 soft threshold


@part(a3.soft_threshold, "large weights")
def _(ask, rng):
    w = rng.uniform(1, 5, 9)
    expect(
        answers_close(ask("soft_threshold", w, 0.7), w - 0.7),
        "Weights larger than the amount do not move towards zero by it.",
    )


@part(a3.soft_threshold, "exact zeros")
def _(ask, rng):
    w = rng.uniform(0, 0.99, 9) * 0.7
    got = array(ask("soft_threshold", np.append(w, 5.0), 0.7), (10,))
    expect(
        (got[:9] == 0).all() and got[9] != 0,
        "Weights smaller than the amount are not exactly zero, or everything is.",
    )


@part(a3.soft_threshold, "both signs, any shape")
def _(ask, rng):
    w = rng.normal(0, 2, (3, 4, 2))
    expect(
        answers_close(ask("soft_threshold", w, 0.9), np.sign(w) * np.maximum(np.abs(w) - 0.9, 0)),
        "For an array with three axes and both signs the result is not right.",
    )


# ---- 2 dropout


@part(a3.dropout, "inference changes nothing")
def _(ask, rng):
    x = rng.normal(size=(30, 5))
    expect(
        answers_close(ask("dropout", x, 0.4, False, _rng(rng)), x),
        "In inference the output is not the input.",
    )
    expect(
        (array(ask("dropout", x, 0.5, True, _rng(rng)), x.shape) == 0).any(),
        "In training nothing is dropped.",
    )


@part(a3.dropout, "the share of zeros")
def _(ask, rng):
    for rate in (0.1, 0.5, 0.85):
        got = array(ask("dropout", np.ones((150, 150)), rate, True, _rng(rng)), (150, 150))
        expect(abs(np.mean(got == 0) - rate) < 0.02, "The share of zeros is not the rate.")
        expect(
            0 < np.std((got == 0).mean(0)) < 0.1,
            "Whole rows or columns are dropped, not single numbers.",
        )
    first, second = (ask("dropout", np.ones((9, 9)), 0.5, True, _rng(rng)) for _ in range(2))
    expect(
        (np.asarray(first) != np.asarray(second)).any(),
        "Another generator drops the same numbers: draw from the one that is given.",
    )


@part(a3.dropout, "the mean is kept")
def _(ask, rng):
    for rate in (0.25, 0.6):
        x = rng.uniform(1, 3, (60, 60))
        got = array(ask("dropout", x, rate, True, _rng(rng)), x.shape)
        kept = got != 0
        expect(
            kept.any() and not kept.all() and answers_close(got[kept], x[kept] / (1 - rate), 1e-4),
            "What stays is not scaled so that the mean is kept.",
        )


# ---- 3 mixup


def _mixed(ask, rng):
    n, share = 6, float(rng.uniform(0.55, 0.95))
    images, labels, order = (
        rng.random((n, 3, 3, 1)),
        np.eye(4)[rng.integers(0, 4, n)],
        np.roll(np.arange(n), int(rng.integers(1, 3))),
    )
    answer = items(ask("mixup", images, labels, share, order), 2, "It should return two arrays.")
    return answer, images, labels, share, order


@part(a3.mixup, "the pictures")
def _(ask, rng):
    (mixed, _), images, _, share, order = _mixed(ask, rng)
    expect(
        answers_close(mixed, share * images + (1 - share) * images[order]),
        "The pictures are not mixed as they should be.",
    )


@part(a3.mixup, "the labels")
def _(ask, rng):
    for _ in range(2):
        (_, mixed), _, labels, share, order = _mixed(ask, rng)
        expect(
            answers_close(mixed, share * labels + (1 - share) * labels[order]),
            "The labels are not mixed as the pictures are.",
        )


# ---- 4 smoothing


def _smoothed(ask, rng):
    classes, amount = int(rng.integers(3, 9)), float(rng.uniform(0.05, 0.4))
    labels = rng.integers(0, classes, 12)
    return array(ask("smooth", labels, classes, amount), (12, classes)), labels, classes, amount


@part(a3.smooth, "its own class")
def _(ask, rng):
    got, labels, classes, amount = _smoothed(ask, rng)
    expect(
        answers_close(got[np.arange(12), labels], np.full(12, 1 - amount + amount / classes)),
        "The own class does not have 1 − amount + amount / classes.",
    )


@part(a3.smooth, "the other classes")
def _(ask, rng):
    got, labels, classes, amount = _smoothed(ask, rng)
    expect(
        answers_close(
            got[np.eye(classes)[labels] == 0], np.full(12 * (classes - 1), amount / classes)
        ),
        "The other classes do not have amount / classes.",
    )


@part(a3.smooth, "rows sum to one")
def _(ask, rng):
    for _ in range(2):
        got, labels, classes, _ = _smoothed(ask, rng)
        expect(
            answers_close(got.sum(1), np.ones(12))
            and (got.argmax(1) == labels).all()
            and got.min() > 0,
            "A row does not sum to one, or a class has nothing.",
        )


# ---- 5 L2-SP


def _penalty(ask, rng, alpha, beta):
    start = {name: rng.normal(size=shape) for name, shape in (("one", (3, 4)), ("two", (5,)))}
    now = {name: w + rng.normal(0, 0.3, w.shape) for name, w in start.items()} | {
        "head": rng.normal(size=(4, 2)),
        "bias": rng.normal(size=2),
    }
    old = sum(((now[name] - start[name]) ** 2).sum() for name in start)
    new = sum((now[name] ** 2).sum() for name in ("head", "bias"))
    return number(ask("l2_sp", now, start, alpha, beta)), alpha / 2 * old + beta / 2 * new


@part(a3.l2_sp, "the pretrained arrays")
def _(ask, rng):
    got, right = _penalty(ask, rng, 0.3, 0.0)
    expect(
        answers_close(got, right),
        "The pretrained arrays are not penalised for their distance from the start.",
    )


@part(a3.l2_sp, "the new ones")
def _(ask, rng):
    got, right = _penalty(ask, rng, 0.0, 0.2)
    expect(
        answers_close(got, right), "The arrays without a start are not penalised for their length."
    )


# ---- 6 mirror


def _mirrored(ask, rng, n=60):
    images = rng.random((n, 4, 5, 3))
    answer, after = ask.value(
        "mirror", read="left_alone", extra=[images, int(rng.integers(2**31))]
    )
    got = array(answer, images.shape)
    same = np.array([np.allclose(a, b) for a, b in zip(got, images)])
    turned = np.array([np.allclose(a, b[:, ::-1]) for a, b in zip(got, images)])
    return images, array(after, images.shape), same, turned


@part(a3.mirror, "each picture on its own")
def _(ask, rng):
    first, second = (_mirrored(ask, rng)[2] for _ in range(2))
    for same in (first, second):
        expect(15 <= same.sum() <= 45, "Not about half of the pictures stay as they are.")
    expect((first != second).any(), "Another generator mirrors the same pictures: draw from it.")


@part(a3.mirror, "left and right only")
def _(ask, rng):
    some = False
    for _ in range(20):  # a function that turns all or none turns all in one of them
        _, _, same, turned = _mirrored(ask, rng, 9)
        some |= turned.any()
        expect((same | turned).all(), "Some picture is neither itself nor its mirror image.")
    expect(some, "Some picture is neither itself nor its mirror image, or none is mirrored.")


@part(a3.mirror, "the input stays as it was")
def _(ask, rng):
    some = False
    for _ in range(20):
        images, after, _, turned = _mirrored(ask, rng, 9)
        some |= turned.any()
        expect(np.allclose(after, images), "The pictures that were given are changed.")
    expect(some, "The pictures that were given are changed, or nothing is mirrored.")


# ---- 7 stopping


def _stop(losses, patience, change):
    best, at = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < best - change:
            best, at = loss, epoch
        elif epoch - at >= patience:
            break
    return epoch, at


def _stops(ask, losses, patience, change=0.0):
    answer = items(
        ask("stop", np.asarray(losses, float), patience, change),
        2,
        "It should return two numbers.",
    )
    return tuple(number(a) for a in answer), _stop(losses, patience, change)


def _runs(rng, n=5):
    """Losses that fall to their best and then go up and down above it."""
    for _ in range(n):
        down = np.sort(rng.uniform(1, 3, int(rng.integers(4, 9))))[::-1]
        above = 0.3 + 0.2 * (np.arange(14) % 2) + rng.uniform(0, 0.05, 14)
        yield np.concatenate([down, down[-1] + above]), int(rng.integers(2, 7))


@part(a3.stop, "when it stops")
def _(ask, rng):
    for losses, patience in [(np.array([3, 2, 1, 1.5, 1.2, 0.9]), 1), *_runs(rng)]:
        got, target = _stops(ask, losses, patience)
        expect(
            got[0] == target[0], "It does not stop `patience` epochs after the last improvement."
        )


@part(a3.stop, "the best epoch")
def _(ask, rng):
    for losses, patience in _runs(rng):
        got, target = _stops(ask, losses, patience)
        expect(got[1] == target[1], "The best epoch is not the one that improved last.")


@part(a3.stop, "a minimum change")
def _(ask, rng):
    got, target = _stops(ask, [3, 2, *[1] * 8], 3)
    expect(got == target, "A loss that equals the best so far is no improvement.")
    slow = 3 - 0.01 * np.arange(20)
    for change, patience in ((0.05, 3), (0.5, 4)):
        got, target = _stops(ask, slow, patience, change)
        expect(
            got == target,
            "Improvements smaller than the minimum change should not count, and several of "
            "them together should, once they add up.",
        )


@part(a3.stop, "when it never stops")
def _(ask, rng):
    for losses, patience in ((np.linspace(3, 1, 7), 2), (np.array([2.0, 1.0, 1.5, 1.4]), 9)):
        got, target = _stops(ask, losses, patience)
        expect(
            got == target, "When the patience is never used up, the last epoch should be returned."
        )


# ---- 8 choose


@part(a3.choose, "a clear winner")
def _(ask, rng):
    for winner in (0, 2):
        scores = {
            f"setting {i}": (rng.normal(0.6, 0.004, 5) + 0.2 * (i == winner)).tolist()
            for i in range(4)
        }
        expect(
            ask("choose", scores) == f"setting {winner}",
            "A setting that is far ahead is not chosen.",
        )


def _exact(mean, spread, n=5):
    """n scores with exactly this mean and standard deviation."""
    noise = np.linspace(-1, 1, n)
    return (mean + spread * noise / noise.std(ddof=1)).tolist()


@part(a3.choose, "within one standard error")
def _(ask, rng):
    error, right = 0.02 / np.sqrt(5), 0
    # Below the best by: three standard errors, 1.5 (less than a standard deviation), 0.8, nothing;
    # the first within one is the third.
    for order in (("c", "d", "a", "b"), ("q", "r", "x", "y")):
        gaps = (3, 1.5, 0.8, 0)
        scores = {
            name: _exact(0.8 - gap * error, 0.02 if gap == 0 else spread)
            for name, gap, spread in zip(order, gaps, (0.1, 0.08, 0.001, 0.02))
        }
        right += ask("choose", scores) == order[2]
    expect(right == 2, "The first setting within one standard error of the best is not chosen.")
