"""Judges of A2: pretrain, freeze, fine-tune.

NumPy only: the networks live in the sandbox, their weights are known here.
"""

import numpy as np
from scipy.stats import t

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
from translearn.coursework.student import a2


def _make(arrays, dropout=0.0, what="network"):
    return {"make": [what, [arrays, dropout]]}


def _weights(rng, classes=4):
    return a2.weights(int(rng.integers(2**31)), classes)


# ---- 1 freeze


def _flags(ask, rng, name, frozen=False):
    got = ask.value("freeze_below", read="flags", extra=[_make(_weights(rng), 0.2), name, frozen])
    expect(
        isinstance(got, dict) and set(got) == {"block1", "norm", "dropout", "block2", "head"},
        "The layers are not what they were.",
    )
    return got


@part(a2.freeze_below, "the layers below")
def _(ask, rng):
    for name, below in (("block2", ["block1", "norm"]), ("head", ["block1", "norm", "block2"])):
        got = _flags(ask, rng, name)
        expect(
            not any(got[layer] for layer in below) and got["head"],
            "Layers below the named one can still learn, or nothing can.",
        )


@part(a2.freeze_below, "the layers from there on")
def _(ask, rng):
    for name, above in (
        ("block1", ["block1", "block2", "head"]),
        ("block2", ["block2", "head"]),
        ("head", ["head"]),
    ):
        for frozen in (False, True):
            got = _flags(ask, rng, name, frozen)
            expect(
                all(got[layer] for layer in above),
                "The named layer and those after it do not all learn, whatever was frozen before.",
            )


@part(a2.freeze_below, "batch normalisation")
def _(ask, rng):
    expect(
        not _flags(ask, rng, "block1")["norm"] and not _flags(ask, rng, "norm", True)["norm"],
        "Batch normalisation does not stay frozen.",
    )
    expect(_flags(ask, rng, "block1")["block2"], "Everything is frozen.")


# ---- 2 copy


def _copied(ask, rng, dropout=0.0, classes=(4, 3)):
    old, new = _weights(rng, classes[0]), _weights(rng, classes[1])
    answer = ask.value("copy_by_name", read="copied", extra=[_make(old, 0.3), _make(new, dropout)])
    expect(
        isinstance(answer, list) and len(answer) == 2 and isinstance(answer[1], dict),
        "The answer does not have the form that was asked for.",
    )
    return old, new, *answer


@part(a2.copy_by_name, "the layers that fit")
def _(ask, rng):
    for dropout, classes in ((0.0, (4, 3)), (0.4, (5, 5))):
        old, _, _, after = _copied(ask, rng, dropout, classes)
        for layer, i, j in (("block1", 0, 2), ("norm", 2, 6), ("block2", 6, 8)):
            expect(
                all(answers_close(a, b) for a, b in zip(after[layer], old[i:j])),
                "Layers with the same name and shapes do not have the source's weights.",
            )
        expect(
            classes != (5, 5) or answers_close(after["head"][0], old[8]),
            "A head of the same shape is not copied.",
        )


@part(a2.copy_by_name, "another shape is left alone")
def _(ask, rng):
    old, new, _, after = _copied(ask, rng)
    expect(answers_close(after["block1"][0], old[0]), "Nothing was copied.")
    expect(
        all(answers_close(a, b) for a, b in zip(after["head"], new[8:])),
        "A head of another shape was changed.",
    )


@part(a2.copy_by_name, "the names")
def _(ask, rng):
    for classes, names in (
        ((4, 3), ["block1", "block2", "norm"]),
        ((2, 2), ["block1", "block2", "head", "norm"]),
    ):
        _, _, said, _ = _copied(ask, rng, 0.4, classes)
        expect(
            isinstance(said, list) and sorted(map(str, said)) == names,
            "The names are not those of the layers that were copied.",
        )


# ---- 3 count

COUNTS = {"block1": 56, "norm": 16, "block2": 45}


def _count(ask, rng, classes, frozen):
    right = (
        sum(COUNTS.values()) + 6 * classes - sum(COUNTS.get(name, 6 * classes) for name in frozen)
    )
    got = number(
        ask.value(
            "trainable_numbers", read="counted", extra=[_make(_weights(rng, classes)), frozen]
        )
    )
    return got, right


@part(a2.trainable_numbers, "nothing frozen")
def _(ask, rng):
    for classes in (2, 7):
        got, right = _count(ask, rng, classes, [])
        expect(got in (right, right + 16), "With nothing frozen the count is not right.")


@part(a2.trainable_numbers, "with frozen layers")
def _(ask, rng):
    for frozen in (["block1", "norm"], ["block1", "norm", "block2"], ["norm", "head"]):
        got, right = _count(ask, rng, 5, frozen)
        expect(got == right, "With some layers frozen the count is not right.")


@part(a2.trainable_numbers, "moving statistics")
def _(ask, rng):
    for frozen in ([], ["block1"]):
        got, right = _count(ask, rng, 3, frozen)
        expect(
            got == right,
            "The moving mean and variance of batch normalisation do not learn, and are counted.",
        )


# ---- 4 features


def _features(ask, rng, n, batch, dropout):
    arrays, x = _weights(rng), rng.normal(size=(n, 6)).astype("float32")
    return array(ask("features", _make(arrays, dropout, "backbone"), x, batch)), a2.outputs(
        arrays, x, head=False
    )


@part(a2.features, "a row for each example")
def _(ask, rng):
    """Of the right shape, and not all alike; the numbers are judged below."""
    got, right = _features(ask, rng, 12, 4, 0.01)
    expect(
        got.shape == right.shape and (got != got[0]).any(),
        "There is not one row of features for each example.",
    )


@part(a2.features, "inference mode")
def _(ask, rng):
    got, right = _features(ask, rng, 20, 5, 0.6)
    expect(
        got.shape == right.shape and answers_close(got, right, 1e-3),
        "The features are not those of inference mode.",
    )


@part(a2.features, "a last, smaller batch")
def _(ask, rng):
    for n, batch in ((11, 4), (3, 8), (9, 1)):
        got, right = _features(ask, rng, n, batch, 0.01)
        expect(
            got.shape == right.shape,
            "When the examples do not fill the last batch, rows are missing.",
        )


# ---- 5 standardise


def _scaled(ask, train, new):
    answer = items(ask("standardise", train, new), 2, "It should return two arrays.")
    return [np.asarray(a, float) for a in answer]


@part(a2.standardise, "by the training features")
def _(ask, rng):
    train, new = (
        rng.normal(rng.uniform(-9, 9, 4), rng.uniform(0.1, 50, 4), (40, 4)),
        rng.normal(3, 5, (9, 4)),
    )
    got, mean = _scaled(ask, train, new), train.mean(0)
    for std in (train.std(0), train.std(0, ddof=1)):
        if answers_close(array(got[0], (40, 4)), (train - mean) / std, 1e-4) and answers_close(
            array(got[1], (9, 4)), (new - mean) / std, 1e-4
        ):
            return
    raise Wrong(
        "Both arrays should be scaled by the mean and the standard deviation of the training "
        "features."
    )


@part(a2.standardise, "a feature that never changes")
def _(ask, rng):
    train, new = rng.normal(size=(15, 3)), rng.normal(size=(4, 3))
    train[:, 1] = new[:, 1] = 7.5
    got = _scaled(ask, train, new)
    expect(
        all(np.isfinite(a).all() for a in got),
        "A feature that never changes becomes NaN or infinite.",
    )
    expect(
        abs(got[1][:, 1]).max() < 1e-6 and got[0][:, 0].std() > 0.5,
        "A feature that never changes should become 0, and the others should not.",
    )


# ---- 6 probe


def _probed(ask, rng):
    train, labels, new, right = a2.blobs(rng, 90, 400)
    return np.mean(array(ask("probe", train, labels, new, seconds=20), (400,)) == right)


@part(a2.probe, "better than the majority")
def _(ask, rng):
    expect(
        _probed(ask, rng) > 0.45,
        "The probe is hardly better than guessing the most frequent class.",
    )


@part(a2.probe, "as good as a linear probe should be")
def _(ask, rng):
    """A converged probe on scaled features gets 90 to 97 % here, less well chosen ones 60."""
    score = np.mean([_probed(ask, rng) for _ in range(2)])
    expect(score > 0.7, "A linear probe on scaled features does much better.")
    return partly(
        1 if score > 0.85 else 0.5,
        "Better than without scaling, and still several points below a linear probe that has "
        "converged.",
    )


@part(a2.probe, "linear, and nothing more")
def _(ask, rng):
    expect(_probed(ask, rng) > 0.42, "It is no probe: it hardly learns anything.")
    for _ in range(2):
        train, labels, new, right = a2.between(rng, 120, 200)
        got = array(ask("probe", train, labels, new, seconds=20), (200,))
        expect(
            np.mean(got == right) < a2.LINEAR,
            "It tells classes apart that no straight line can: the classifier is not linear.",
        )


# ---- 7 rates


@part(a2.block_rates, "the rates")
def _(ask, rng):
    for n, factor in ((5, 0.3), (3, 0.9)):
        top = float(rng.uniform(1e-3, 1e-2))
        right = top * factor ** np.arange(n - 1, -1, -1)
        expect(
            answers_close(
                1000 * array(ask("block_rates", n, top, factor), (n,)), 1000 * right, 1e-6
            ),
            "The rates are not top at the top, and factor times less at each block below.",
        )


@part(a2.block_rates, "one block, any factor")
def _(ask, rng):
    expect(
        answers_close(ask("block_rates", 1, 0.02, 0.1), [0.02]),
        "One block alone should have the top rate.",
    )
    expect(
        answers_close(ask("block_rates", 3, 0.5, 1.0), [0.5] * 3),
        "With a factor of 1 all rates are the same.",
    )
    expect(
        answers_close(ask("block_rates", 3, 0.5, 0.0), [0, 0, 0.5]),
        "With a factor of 0 only the last block moves.",
    )


# ---- 8 labels


@part(a2.labels_needed, "at a measured number")
def _(ask, rng):
    labels, scores = np.array([5, 20, 80, 320]), np.sort(rng.uniform(0.3, 0.9, 4))
    for i in (0, 1, 3):
        expect(
            answers_close(ask("labels_needed", labels, scores, float(scores[i])), labels[i], 1e-3),
            "Where a measured score is the target, its own number of labels is the answer.",
        )


@part(a2.labels_needed, "between two measured numbers")
def _(ask, rng):
    labels, scores = np.array([5, 20, 80, 640]), np.array([0.31, 0.52, 0.66, 0.81])
    for i in range(3):
        share = rng.uniform(0.2, 0.8)
        target = scores[i] + share * (scores[i + 1] - scores[i])
        right = np.exp(np.log(labels[i]) + share * np.log(labels[i + 1] / labels[i]))
        expect(
            answers_close(ask("labels_needed", labels, scores, float(target)), right, 1e-3),
            "Between two measured numbers the answer is not on the line of a logarithmic axis.",
        )


@part(a2.labels_needed, "never reached")
def _(ask, rng):
    for target in (0.71, 0.99):
        got = ask("labels_needed", np.array([10, 100]), np.array([0.5, 0.7]), target)
        expect(
            got is not None and np.size(got) == 1 and np.isposinf(np.asarray(got, float)),
            "What was never reached should be infinity.",
        )


# ---- 9 verdict


def _pairs(rng, size, spread, n):
    """Scores of the same seeds, whose mean difference is `size` times its margin; the differences
    have a standard deviation of `spread`.
    """
    noise = rng.normal(size=n)
    noise = spread * (noise - noise.mean()) / noise.std(ddof=1)
    margin = t.ppf(0.975, n - 1) * spread / np.sqrt(n)
    scratch = rng.permutation(np.linspace(0.4, 0.6, n))
    return scratch + size * margin + noise, scratch


def _said(ask, rng, size, spread, n):
    return str(ask("verdict", *_pairs(rng, size, spread, n))).strip().lower()


# (standard deviation of the differences, seeds): no threshold in points fits all
RUNS = ((0.0004, 6), (0.004, 4), (0.08, 6), (0.02, 10))


@part(a2.verdict, "helps and hurts")
def _(ask, rng):
    for spread, n in RUNS:
        expect(
            _said(ask, rng, 0.3, spread, n) == _said(ask, rng, -0.3, spread, n) == "cannot tell",
            "Where the seeds disagree it says helps or hurts all the same, or some other word.",
        )
        expect(
            _said(ask, rng, 3, spread, n) == "helps" and _said(ask, rng, -3, spread, n) == "hurts",
            "Where nearly every seed agrees, the verdict is not right.",
        )
    near = [
        _said(ask, rng, size, spread, n) == said
        for spread, n in RUNS
        for size, said in ((1.03, "helps"), (-1.03, "hurts"))
    ]
    return partly(
        1 if all(near) else 0.5,
        "It is right for large differences, and not for those that lie just beyond their margin.",
    )


@part(a2.verdict, "cannot tell")
def _(ask, rng):
    for spread, n in RUNS:
        expect(
            all(_said(ask, rng, s, spread, n) == "cannot tell" for s in (0.3, -0.5, 0.01)),
            "Where the difference is smaller than its margin, the verdict should be that one "
            "cannot tell.",
        )
    expect(_said(ask, rng, 9, 0.004, 6) == "helps", "One can tell a difference that large.")
    near = [
        _said(ask, rng, size, spread, n) == "cannot tell"
        for spread, n in RUNS
        for size in (0.97, -0.97)
    ]
    return partly(
        1 if all(near) else 0.5,
        "It is right for small differences, and not for those just below their margin: is the "
        "margin that of Student's t?",
    )
