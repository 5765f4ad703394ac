"""Transferability scores: each against a direct computation, and what must not change them."""

import math

import numpy as np
import pytest

from translearn import scores
from translearn.errors import CourseError


def task(seed=0, classes=3, per_class=12, width=6, apart=1.0):
    """Features of a few classes that lie `apart`, in an order that mixes them."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(classes), per_class))
    centres = rng.normal(size=(classes, width)) * apart
    return centres[labels] + rng.normal(size=(len(labels), width)) + 0.5, labels


def source(seed=0, n=40, old=5, classes=3):
    """Probabilities of old classes, and labels that have to do with them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, old)) + 2 * np.eye(old)[labels]
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), labels


WIDE = {"n above d": {}, "n below d": {"width": 60}, "n = d": {"width": 36}}


# ---------------------------------------------------------------- against a direct computation


def log_evidence(features, y, alpha, beta):
    """log N(y; 0, I/β + FFᵀ/α), without a single value from the closed form."""
    covariance = np.eye(len(y)) / beta + features @ features.T / alpha
    _, determinant = np.linalg.slogdet(covariance)
    quadratic = y @ np.linalg.solve(covariance, y)
    return -(quadratic + determinant + len(y) * np.log(2 * np.pi)) / 2


def largest_evidence(features, y):
    """Searched for: on a grid, and from its best point on by a general optimiser."""
    from scipy.optimize import minimize

    def minus(logs):
        return -log_evidence(features, y, *np.exp(logs)) / len(y)

    grid = [(a, b) for a in np.arange(-4, 11, 2.5) for b in np.arange(-2, 9, 2.5)]
    options = {"xatol": 1e-7, "fatol": 1e-12, "maxiter": 2000}
    return -minimize(minus, min(grid, key=minus), method="Nelder-Mead", options=options).fun


@pytest.mark.parametrize("apart", [1.0, 0.2])
@pytest.mark.parametrize("shape", WIDE.values(), ids=list(WIDE))
def test_logme_is_the_largest_evidence(shape, apart):
    features, labels = task(apart=apart, **shape)
    found = [largest_evidence(features, (labels == each) * 1.0) for each in range(3)]
    assert scores.logme(features, labels) == pytest.approx(np.mean(found), abs=1e-6)


def test_the_evidence_is_that_of_the_paper():
    """The formula in the docstring equals the density that the search above uses."""
    features, labels = task()
    (n, d), y, alpha, beta = features.shape, (labels == 1) * 1.0, 3.0, 7.0
    a = alpha * np.eye(d) + beta * features.T @ features
    m = beta * np.linalg.solve(a, features.T @ y)
    said = n / 2 * np.log(beta) + d / 2 * np.log(alpha) - n / 2 * np.log(2 * np.pi)
    said -= beta / 2 * np.sum((features @ m - y) ** 2) + alpha / 2 * m @ m
    said -= np.linalg.slogdet(a)[1] / 2
    assert said == pytest.approx(log_evidence(features, y, alpha, beta))


def test_features_that_say_nothing_have_the_evidence_of_noise_alone():
    """Where no weights help the best α is infinite: y is noise around 0, and 1/β its size."""
    labels = np.arange(30) % 3
    features = np.linspace(1, 2, 30)[:, None] * np.where(np.arange(30) % 2, 1, -1)[:, None]
    noise = [-math.log(2 * math.pi * np.mean(labels == each)) / 2 - 0.5 for each in range(3)]
    assert scores.logme(features, labels) == pytest.approx(np.mean(noise), abs=1e-3)
    assert scores.logme(np.zeros((30, 2)), labels) == pytest.approx(np.mean(noise))


def explicit_h(features, labels, shrinkage):
    centred = features - features.mean(axis=0)
    means = np.stack([centred[labels == each].mean(axis=0) for each in labels])
    covariance, between = centred.T @ centred / len(labels), means.T @ means / len(labels)
    size = np.trace(covariance) / len(covariance)
    shrunk = (1 - shrinkage) * covariance + shrinkage * size * np.eye(len(covariance))
    return np.trace(np.linalg.pinv(shrunk, rcond=1e-12) @ between * (1 - shrinkage))


@pytest.mark.parametrize("shrinkage", [0, 0.3])
@pytest.mark.parametrize("shape", WIDE.values(), ids=list(WIDE))
def test_h_score_is_the_trace_of_explicit_covariances(shape, shrinkage):
    features, labels = task(**shape)
    found = explicit_h(features, labels, shrinkage)
    assert scores.h_score(features, labels, shrinkage) == pytest.approx(found, rel=1e-8)


def test_h_score_shrinks_as_ledoit_and_wolf_do():
    from sklearn.covariance import LedoitWolf

    features, labels = task(width=60)
    fitted = LedoitWolf().fit(features)
    centred = features - features.mean(axis=0)
    means = np.stack([centred[labels == each].mean(axis=0) for each in labels])
    between = (1 - fitted.shrinkage_) * means.T @ means / len(labels)
    found = np.trace(np.linalg.solve(fitted.covariance_, between))
    assert scores.h_score(features, labels) == pytest.approx(found)


def test_h_score_without_shrinkage_says_nothing_with_few_examples():
    noise = np.random.default_rng(1).normal(size=(36, 60))
    assert scores.h_score(noise, np.arange(36) % 3, shrinkage=0) == pytest.approx(2)
    assert scores.h_score(noise, np.arange(36) % 3) < 0.8


def leep_by_loops(p, labels):
    n, old = p.shape
    total = 0.0
    for i in range(n):
        guess = 0.0
        for z in range(old):
            joint = sum(p[j, z] for j in range(n) if labels[j] == labels[i]) / n
            guess += joint / (sum(p[j, z] for j in range(n)) / n) * p[i, z]
        total += math.log(guess)
    return total / n


def test_leep_is_what_loops_give():
    p, labels = source()
    assert scores.leep(p, labels) == pytest.approx(leep_by_loops(p, labels))


def test_leep_of_a_head_that_sees_one_class_is_the_entropy_of_the_labels():
    labels = np.array([0, 0, 0, 1])
    entropy = 0.75 * math.log(0.75) + 0.25 * math.log(0.25)
    assert scores.leep(np.full((4, 2), 0.5), labels) == pytest.approx(entropy)
    assert scores.leep(np.eye(2)[labels], labels) == pytest.approx(0)


def test_nce_is_that_of_the_contingency_table():
    from sklearn.metrics.cluster import contingency_matrix

    p, labels = source(1)
    guessed = p.argmax(axis=1)
    table = contingency_matrix(guessed, labels) / len(labels)
    entropy = 0.0
    for row in table:
        entropy += sum(cell * math.log(cell / row.sum()) for cell in row if cell)
    assert scores.nce(guessed, labels) == pytest.approx(entropy)


def test_nce_is_the_leep_of_certain_probabilities():
    p, labels = source(2)
    guessed = p.argmax(axis=1)
    assert scores.nce(guessed, labels) == pytest.approx(scores.leep(np.eye(5)[guessed], labels))


def knn_by_loops(features, labels, k):
    right = {}
    for i in range(len(labels)):
        others = sorted(
            (np.sum((features[i] - features[j]) ** 2), labels[j])
            for j in range(len(labels))
            if j != i
        )[:k]
        votes = [label for _, label in others]
        most = max(votes.count(label) for label in votes)
        guess = next(label for label in votes if votes.count(label) == most)
        right.setdefault(labels[i], []).append(guess == labels[i])
    return np.mean([np.mean(found) for found in right.values()])


@pytest.mark.parametrize("k", [1, 2, 5, 35])
def test_knn_is_what_loops_give(k):
    features, labels = task(apart=0.7)
    assert scores.knn(features, labels, k) == pytest.approx(knn_by_loops(features, labels, k))


def test_probe_is_a_classifier_that_has_not_seen_what_it_guesses():
    """A picture twice would give it away; labels without a pattern are guessed blindly."""
    features, labels = task(apart=4.0)
    assert scores.probe(features, labels) > 0.95
    rng = np.random.default_rng(0)
    found = [scores.probe(rng.normal(size=(60, 80)), np.arange(60) % 2) for _ in range(4)]
    assert abs(np.mean(found) - 0.5) < 0.15


def test_probe_gives_every_class_the_same_say():
    features, labels = task(apart=0, per_class=40, classes=2)
    few = np.flatnonzero(labels == 1)[:8]
    rows = np.sort(np.concatenate([np.flatnonzero(labels == 0), few]))
    assert scores.probe(features[rows], labels[rows]) < 0.65  # all of the larger class: 0.5


def test_largest_counts_the_weights():
    class Model:
        def count_params(self):
            return 42

    assert scores.largest(Model()) == 42
    with pytest.raises(CourseError, match="Keras model"):
        scores.largest("vgg16")


# ---------------------------------------------------------------- what must not change them

OF_FEATURES = {
    "logme": scores.logme,
    "h_score": scores.h_score,
    "h_score, none": lambda f, y: scores.h_score(f, y, shrinkage=0),
    "knn": scores.knn,
}
every = pytest.mark.parametrize("score", OF_FEATURES.values(), ids=list(OF_FEATURES))


@every
@pytest.mark.parametrize("width", [6, 60])
def test_order_names_and_rotation_do_not_matter(score, width):
    features, labels = task(width=width)
    before = score(features, labels)
    order = np.random.default_rng(5).permutation(len(labels))
    assert score(features[order], labels[order]) == pytest.approx(before)
    names = np.array(["zebra", "ant", "cow"])[labels]
    assert score(features, names) == pytest.approx(before)
    turn, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(width, width)))
    assert score(features @ turn, labels) == pytest.approx(before)
    assert score(3 * features, labels) == pytest.approx(before)  # nor their unit
    assert score(features.astype("float32"), labels) == pytest.approx(before, rel=1e-4)


@every
def test_better_features_score_higher(score):
    if score is OF_FEATURES["h_score, none"]:
        width = 6
    else:
        width = 60
    found = [score(*task(apart=apart, width=width)) for apart in (0.0, 0.6, 1.5)]
    assert found == sorted(found) and found[0] < found[-1]


@pytest.mark.parametrize("score", [scores.leep, lambda p, y: scores.nce(p.argmax(axis=1), y)])
def test_order_and_names_do_not_matter_to_what_the_head_says(score):
    p, labels = source()
    before = score(p, labels)
    order = np.random.default_rng(5).permutation(len(labels))
    assert score(p[order], labels[order]) == pytest.approx(before)
    assert score(p[:, ::-1], np.array(["b", "c", "a"])[labels]) == pytest.approx(before)
    assert before < 0


# ---------------------------------------------------------------- what cannot be scored

CALLS = {
    "logme": scores.logme,
    "h_score": scores.h_score,
    "knn": scores.knn,
    "probe": scores.probe,
    "leep": scores.leep,
}


@pytest.mark.parametrize("score", CALLS.values(), ids=list(CALLS))
def test_what_cannot_be_scored_is_said(score):
    p, labels = source()
    with pytest.raises(CourseError, match="do not belong together"):
        score(p, labels[:-1])
    with pytest.raises(CourseError, match="all of one class"):
        score(p, np.zeros(40))
    with pytest.raises(CourseError, match="NaN"):
        score(np.where(np.eye(40, 5), np.nan, p), labels)
    with pytest.raises(CourseError, match="NaN"):
        score(p, np.where(labels == 0, np.nan, labels))
    with pytest.raises(CourseError, match="One row for each example"):
        score(p.reshape(40, 5, 1), labels)
    with pytest.raises(CourseError, match="not numbers"):
        score(np.full((40, 2), "a"), labels)
    with pytest.raises(CourseError, match="all of one class"):
        score(np.zeros((0, 2)), [])


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: scores.knn(*task(), k=0), "k=0"),
        (lambda: scores.knn(*task(), k=36), "1 to 35"),
        (lambda: scores.knn(*task(), k=2.5), "k=2.5"),
        (lambda: scores.probe(*task(), folds=1), "folds=1"),
        (lambda: scores.probe(*task(), folds=13), "smallest class has 12"),
        (lambda: scores.h_score(*task(), shrinkage=1), "shrinkage=1"),
        (lambda: scores.h_score(*task(), shrinkage="much"), "shrinkage='much'"),
        (lambda: scores.leep(*task()), "softmax"),
        (lambda: scores.leep(np.full((3, 2), 0.4), [0, 1, 1]), "sums to 1"),
        (lambda: scores.nce([0, 1], [0, 1, 1]), "do not belong together"),
        (lambda: scores.nce([[0, 1]], [[0, 1]]), "do not belong together"),
        (lambda: scores.nce([0, np.nan, 1], [0, 1, 1]), "NaN"),
        (lambda: scores.nce([0, 1, 1], [2, 2, 2]), "all of one class"),
    ],
)
def test_a_setting_that_does_not_fit_is_said(call, said):
    with pytest.raises(CourseError, match=said):
        call()
