"""Judges of A4: a project of one's own."""

import numpy as np

from translearn.coursework.instructor.judging import (
    Wrong,
    answers_close,
    array,
    expect,
    items,
    part,
    partly,
)
from translearn.coursework.student import a4


def _rng(rng):
    return {"make": ["generator", [int(rng.integers(2**31))]]}


# ---- 1 majority


def _majority(ask, rng):
    counts = rng.permutation([17, 6, 4, 2][: int(rng.integers(2, 5))])
    answer = ask("majority", rng.permutation(np.repeat(np.arange(len(counts)), counts)))
    return items(answer, 2, "It should return two numbers."), counts


@part(a4.majority, "accuracy")
def _(ask, rng):
    for _ in range(2):
        answer, counts = _majority(ask, rng)
        expect(
            answers_close(answer[0], counts.max() / counts.sum()),
            "The accuracy is not the share of the most frequent class.",
        )


@part(a4.majority, "balanced accuracy")
def _(ask, rng):
    for _ in range(3):
        answer, counts = _majority(ask, rng)
        expect(
            answers_close(answer[1], 1 / len(counts)),
            "The balanced accuracy of a constant guess is one over the number of classes.",
        )


# ---- 2 balanced accuracy


def _balanced(labels, guesses):
    return np.mean([(guesses[labels == c] == c).mean() for c in np.unique(labels)])


@part(a4.balanced_accuracy, "the mean of the recalls")
def _(ask, rng):
    for k in (2, 5):
        labels = rng.permutation(np.concatenate([np.repeat(np.arange(k), rng.integers(3, 30, k))]))
        guesses = np.where(rng.random(len(labels)) < 0.6, labels, rng.integers(0, k, len(labels)))
        guesses[:k] = np.arange(
            k
        )  # every class is guessed at least once: that has a point of its own
        expect(
            answers_close(ask("balanced_accuracy", labels, guesses), _balanced(labels, guesses)),
            "It is not the mean of the recalls.",
        )


@part(a4.balanced_accuracy, "a class that is never guessed")
def _(ask, rng):
    labels = np.array([0, 0, 0, 1, 1, 3, 3])
    for guesses in (
        np.array([0, 0, 1, 1, 1, 0, 0]),
        np.array([0, 2, 0, 1, 2, 2, 2]),
    ):  # class 3 never; class 2 guessed, but not there
        expect(
            answers_close(ask("balanced_accuracy", labels, guesses), _balanced(labels, guesses)),
            "A class that is never guessed counts with a recall of 0, and one that does not "
            "occur does not count.",
        )


# ---- 3 split


def _groups(rng, n=60):
    return rng.permutation(np.repeat(rng.permutation(1000)[:n], rng.integers(1, 7, n)))


def _split(ask, groups, share, seed):
    got = array(ask("split_by_group", groups, share, seed))
    expect(
        got.shape == groups.shape and np.isin(got, (0, 1)).all(),
        "It should return an array of True and False, one for each picture.",
    )
    return got == 1


@part(a4.split_by_group, "no group on both sides")
def _(ask, rng):
    for seed in (3, 11):
        groups = _groups(rng)
        test = _split(ask, groups, 0.3, seed)
        expect(
            test.any() and not test.all() and not set(groups[test]) & set(groups[~test]),
            "A group stands on both sides, or one side is empty.",
        )


@part(a4.split_by_group, "about the share")
def _(ask, rng):
    for share in (0.1, 0.25, 0.5):
        groups = _groups(rng)
        expect(
            abs(_split(ask, groups, share, 5).mean() - share) < 0.06,
            "The test pictures are not about the share that was asked for.",
        )


@part(a4.split_by_group, "the same seed, the same split")
def _(ask, rng):
    groups = _groups(rng)
    first, again, *others = (_split(ask, groups, 0.3, seed) for seed in (1, 1, 2, 3))
    expect(
        (first == again).all() and any((first != other).any() for other in others),
        "The same seed gives another split, or every seed gives the same.",
    )


# ---- 4 duplicates


def _pictures(rng, n):
    return rng.integers(0, 256, (n, 5, 6, 3), dtype="uint8")


def _found(ask, train, test):
    got = array(ask("duplicates", train, test))
    expect(got.ndim == 1, "It should return a list of positions.")
    return sorted(set(got.astype(int).tolist()))


@part(a4.duplicates, "exact copies")
def _(ask, rng):
    train, test = _pictures(rng, 12), _pictures(rng, 10)
    test[3], test[8] = train[11], train[0]
    got = _found(ask, train, test)
    expect(
        {3, 8} <= set(got) and len(got) < 10,
        "A test picture that equals a training picture is not found.",
    )


@part(a4.duplicates, "mirror images")
def _(ask, rng):
    train, test = _pictures(rng, 12), _pictures(rng, 10)
    test[1], test[9] = train[5][:, ::-1], train[2][:, ::-1]
    got = _found(ask, train, test)
    expect({1, 9} <= set(got) and len(got) < 10, "A mirrored training picture is not found.")


@part(a4.duplicates, "nothing else")
def _(ask, rng):
    train, test = _pictures(rng, 6), _pictures(rng, 8)
    test[0] = train[1]
    test[2] = train[3][::-1]  # upside down is another picture
    test[4] = test[5]  # twice in the test, never in training
    test[6] = train[2]
    test[6, 0, 0, 0] ^= 1  # one number differs
    expect(
        _found(ask, train, test) == [0],
        "Pictures are listed that are not among the training pictures, or none is.",
    )


# ---- 5 AUC


def _auc(labels, scores):
    a, b = scores[labels == 1][:, None], scores[labels == 0]
    return (a > b).mean() + 0.5 * (a == b).mean()


@part(a4.auc, "the order")
def _(ask, rng):
    for n in (30, 200):
        labels = (rng.random(n) < 0.3).astype(int)
        labels[:2] = 0, 1
        scores = rng.normal(labels, 1)
        expect(
            answers_close(ask("auc", labels, scores), _auc(labels, scores)),
            "It is not the share of pairs in the right order.",
        )


@part(a4.auc, "ties count half")
def _(ask, rng):
    labels = np.array([0, 1] * 20)
    scores = np.round(rng.normal(labels, 1.0), 0)
    expect(
        answers_close(ask("auc", labels, scores), _auc(labels, scores)),
        "Pairs with the same score do not count half.",
    )
    expect(
        answers_close(ask("auc", labels, np.zeros(40)), 0.5),
        "Where all scores are the same, the AUC is one half.",
    )


# ---- 6 interval


def _interval(ask, rng, n, share):
    correct = rng.permutation(np.arange(n) < share * n).astype(int)
    got = array(ask("interval", correct, _rng(rng)), (2,))
    return got, np.sqrt(share * (1 - share) / n)


@part(a4.interval, "where it lies")
def _(ask, rng):
    for n, share in ((100, 0.7), (400, 0.9)):
        (low, high), error = _interval(ask, rng, n, share)
        expect(
            low < high and abs((low + high) / 2 - share) < 0.5 * error,
            "The interval is not around the accuracy, or its ends are the same.",
        )
    nearly = rng.permutation(np.arange(20) > 0).astype(int)
    low, high = array(ask("interval", nearly, _rng(rng)), (2,))
    expect(
        0.75 <= low <= 0.9 and abs(high - 1) < 1e-9,
        "Close to 100 % the interval is not that of the draws, of which none has more than all "
        "right.",
    )


@part(a4.interval, "how wide it is")
def _(ask, rng):
    right = 0
    for n, share in ((100, 0.7), (400, 0.8), (50, 0.5)):
        (low, high), error = _interval(ask, rng, n, share)
        right += abs((high - low) / (2 * 1.96 * error) - 1) < 0.15
    expect(right >= 2, "The interval does not have the width of 95 % of the draws.")
    return partly(
        1 if right == 3 else 0.5,
        "For one of three tests the interval does not have the width of 95 % of the draws.",
    )


# ---- 7 the experiment


# The results are the student's own, so the check sees all that is judged, by the same rules.


def _judge(what, *names):
    @part(a4.experiment, what)
    def _(ask, rng):
        got = {name: ask.value(name) for name in names}
        flaw = a4.flaws(*(got.get(name) for name in ("validation", "chosen", "test"))).get(what)
        if flaw is not None and flaw.share == 0:
            raise Wrong(flaw.message)
        return flaw and partly(flaw.share, flaw.message)


_judge("a trivial baseline", "validation")
_judge("the same seeds in every arm", "validation")
_judge("at least three seeds", "validation")
_judge("the choice follows validation", "validation", "chosen")
_judge("the test set touched once", "validation", "chosen", "test")
