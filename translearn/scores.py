"""Scores that say how well a network would transfer, without training it.

Each takes what a frozen network says about a few labelled pictures (or sentences), and returns one
number: the higher, the more the score expects of the network on this task. They are here to be
read: each is the few lines that its paper prints, or fewer. Numbers of two scores cannot be
compared with each other, only the order in which one score puts the candidates.

What all have in common: `features` (n, d) and `labels` (n,), one row an example, the labels of any
kind (numbers, names). They raise `CourseError` when the lengths differ, when a number is missing
(NaN) or infinite, and when the labels are all of one class.
"""

import numpy as np

from translearn.errors import CourseError

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed

# ---------------------------------------------------------------- of features and labels


def logme(features, labels) -> float:
    """LogME: the log of the largest evidence that a linear model has for the labels, per example.

    You et al., "LogME", ICML 2021, algorithm 1. For each class, y (n,) is 1 for its examples and 0
    for the others, and F (n, d) are the features, as they come. The model is y = F w + noise, with
    w drawn from N(0, 1/α) and the noise from N(0, 1/β). Its evidence is how likely y is when w is
    averaged out, at the α and β that make it largest:

        log p(y) = n/2 log β + d/2 log α - n/2 log 2π - β/2 |Fm - y|² - α/2 |m|² - 1/2 log |A|,
        A = αI + βFᵀF,   m = βA⁻¹Fᵀy

    The score is its mean over classes and examples. Nothing is held back for validation: a model
    with more features than it needs has its evidence spread over more possible labels.
    """
    features, labels = _checked(features, labels)
    u, s = _directions(features)
    classes = np.unique(labels)
    return float(np.mean([_evidence(u, s, (labels == each) * 1.0) for each in classes]))


def _directions(features):
    """The directions of U √s Vᵀ = features that are not zero: U (n, r) and s (r,)."""
    u, s, _ = np.linalg.svd(features, full_matrices=False)
    seen = s > 1e-10 * s.max(initial=0)
    return u[:, seen], s[seen] ** 2


def _evidence(u, s, y):
    """The largest log evidence per example. The features are U √s Vᵀ, and V does not matter.

    In the basis of U everything is a sum over the singular values. What is sought is t = α / β;
    α = γ / |m|² and β = (n - γ) / |Fm - y|² hold where the evidence is largest (MacKay 1992), and
    putting one into the other again and again leads there.
    """
    n, z = len(y), (u.T @ y) ** 2
    outside = max(y @ y - z.sum(), 0.0)  # the part of |y|² that no weights could explain
    t, top = 1.0, s.max(initial=1e-300)
    for _ in range(10_000):
        gamma = np.sum(s / (s + t))  # how many weights the data have a say in
        size = np.sum(s * z / (s + t) ** 2)  # |m|²
        error = outside + np.sum(z * (t / (s + t)) ** 2)  # |Fm - y|²
        free = n - len(s) + np.sum(t / (s + t))  # n - γ
        before, t = t, np.clip(gamma * error / (size * free + 1e-300), 1e-12 * top, 1e12 * top)
        if abs(t - before) <= 1e-9 * before:
            break
    error, size = outside + np.sum(z * (t / (s + t)) ** 2), np.sum(s * z / (s + t) ** 2)
    beta = n / (error + t * size)  # the best β for this t
    evidence = n * np.log(beta / (2 * np.pi)) - n - np.sum(np.log1p(s / t))
    return evidence / (2 * n)


def h_score(features, labels, shrinkage="auto") -> float:
    """H-score: how much of the features' spread lies between the classes; 0 to classes - 1.

    Bao et al., "An information-theoretic approach to transferability in task transfer learning",
    ICIP 2019: trace(Σ⁻¹ Σ'), with Σ (d, d) the covariance of the features and Σ' that of their
    class means (each example's features replaced by the mean of its class).

    shrinkage   0: as just said, Σ⁻¹ the pseudo-inverse. With n - 1 ≤ d, fewer examples than
                features, it is classes - 1 whatever the features are. "auto", or a number from 0
                to below 1: the version of Ibrahim et al., "Newer is not always better", ECML 2022:
                trace(Σₐ⁻¹ (1 - a) Σ') with Σₐ = (1 - a) Σ + a · trace(Σ)/d · I; "auto" is Ledoit
                and Wolf's choice of a.
    """
    features, labels = _checked(features, labels)
    features = features - features.mean(axis=0)
    if shrinkage == "auto":
        from sklearn.covariance import ledoit_wolf_shrinkage

        shrinkage = ledoit_wolf_shrinkage(features, assume_centered=True)
    elif not isinstance(shrinkage, (int, float)) or not 0 <= shrinkage < 1:
        raise CourseError(
            f'shrinkage={shrinkage!r} is not known. Give "auto", or a number from 0 to below 1.'
        )
    u, s = _directions(features)
    # In the basis of the singular vectors Σ is diagonal, and Σ' the part of U between the classes.
    kept = (1 - shrinkage) * s
    share = kept / (kept + shrinkage * s.sum() / features.shape[1])
    between = sum(
        u[labels == each].sum(axis=0) ** 2 / np.sum(labels == each) for each in {*labels}
    )
    return float(np.sum(share * between))


def knn(features, labels, k=5) -> float:
    """k nearest neighbours, leaving one out: the balanced accuracy of asking the k nearest others.

    Each example is given the class that is most frequent among its k nearest others (by Euclidean
    distance; of classes equally frequent, the one with the nearest member), and the score is the
    mean over classes of the share that is right. k: 5; from 1 to n - 1. Sorkhei et al., "k-NN as a
    simple and effective estimator of transferability", 2025 (arXiv 2503.18528).
    """
    from collections import Counter

    features, labels = _checked(features, labels)
    if isinstance(k, bool) or not hasattr(k, "__index__") or not 1 <= k < len(labels):
        raise CourseError(f"k={k!r} does not fit {len(labels)} examples: 1 to {len(labels) - 1}.")
    features = features - features.mean(axis=0)
    length = np.sum(features**2, axis=1)
    distance = length[:, None] + length - 2 * features @ features.T
    np.fill_diagonal(distance, np.inf)
    nearest = labels[np.argsort(distance, axis=1, kind="stable")[:, :k]]
    right = np.array([Counter(row).most_common(1)[0][0] for row in nearest.tolist()]) == labels
    return float(np.mean([right[labels == each].mean() for each in np.unique(labels)]))


def probe(features, labels, folds=5, strength=0.1, seed=0) -> float:
    """A linear probe on a small split: the balanced accuracy of a linear classifier on examples
    that it has not seen.

    Each of `folds` parts of the examples (5; every class in equal shares, drawn with `seed`) is
    guessed by a logistic regression fitted to the others, on standardised features; `strength`
    (0.1) is scikit-learn's C, smaller holds back more. Raises `CourseError` also when a class has
    fewer examples than there are folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = _checked(features, labels)
    fewest = np.bincount(labels).min()
    if isinstance(folds, bool) or not hasattr(folds, "__index__") or not 2 <= folds <= fewest:
        raise CourseError(
            f"folds={folds!r} does not fit: the smallest class has {fewest} examples, and each "
            "of two or more folds needs one of them."
        )
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=200))
    return float(
        balanced_accuracy_score(labels, cross_val_predict(model, features, labels, cv=split))
    )


# ---------------------------------------------------------------- of what the source head says


def leep(source_probabilities, labels) -> float:
    """LEEP: how well the labels can be guessed through the network's *old* classes; at most 0.

    Nguyen et al., "LEEP", ICML 2020, equations 1 and 2. `source_probabilities` (n, z), each row
    the network's probabilities of its own z classes. Of all examples with their probabilities
    comes P(y | z), how often a new class goes with an old one; the guess for an example is
    Σ_z P(y | z) · p_z, and the score the mean log of what it gives to the right class.

    Raises `CourseError` also when a row is no probabilities: something below 0, or a sum that is
    not 1.
    """
    p, labels = _checked(source_probabilities, labels, "source_probabilities")
    if p.min() < 0 or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise CourseError(
            "source_probabilities are no probabilities: each row is from 0 up and sums to 1. "
            "Put logits through a softmax first."
        )
    joint = np.stack([p[labels == each].sum(axis=0) for each in np.unique(labels)])
    given = joint / np.maximum(joint.sum(axis=0), 1e-300)  # (classes, z): P(y | z)
    return float(np.mean(np.log(np.sum(given[labels] * p, axis=1))))


def nce(source_labels, labels) -> float:
    """Negative conditional entropy of the labels, given the classes that the network sees; ≤ 0.

    Tran et al., "Transferability and hardness of supervised classification tasks", ICCV 2019:
    Σ P(y, z) log P(y | z), in nats. `source_labels` (n,), the network's own
    guess for each example: its most probable old class.
    """
    source, labels = np.asarray(source_labels), np.asarray(labels)
    if source.ndim != 1 or source.shape != labels.shape:
        raise CourseError(
            f"source_labels {source.shape} and labels {labels.shape} do not belong together: "
            "each has one entry for each example."
        )
    z, y = _numbered(source, "source_labels"), _several(_numbered(labels, "labels"))
    joint = np.zeros((y.max() + 1, z.max() + 1))
    np.add.at(joint, (y, z), 1 / len(y))
    given = joint / joint.sum(axis=0)
    return float(np.sum(joint[joint > 0] * np.log(given[joint > 0])))


# ---------------------------------------------------------------- of nothing


def largest(model) -> float:
    """How many weights a Keras model has: the score of "take the largest", which sees no data."""
    if not hasattr(model, "count_params"):
        raise CourseError(f"A Keras model is needed here, not {type(model).__name__}.")
    return float(model.count_params())


# ---------------------------------------------------------------- what came in


def _checked(features, labels, name="features"):
    """Features as (n, d) of float64, and labels as whole numbers from 0."""
    try:
        features = np.asarray(features, dtype=np.float64)
    except (TypeError, ValueError):
        raise CourseError(f"{name} are not numbers: give an array (examples, values).") from None
    labels = np.asarray(labels)
    if features.ndim != 2 or features.shape[1] == 0:
        raise CourseError(
            f"{name} have the shape {features.shape}. One row for each example is needed: (n, d). "
            "Average a feature map over the picture first."
        )
    if labels.shape != features.shape[:1]:
        raise CourseError(
            f"{name} {features.shape} and labels {labels.shape} do not belong together: the "
            "labels have one entry for each row."
        )
    if not np.isfinite(features).all():
        raise CourseError(f"{name} contain a number that is missing (NaN) or infinite.")
    return features, _several(_numbered(labels, "labels"))


def _numbered(labels, name):
    """Labels of any kind as whole numbers from 0."""
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise CourseError(f"{name} contain one that is missing (NaN) or infinite.")
    return np.unique(labels, return_inverse=True)[1]


def _several(labels):
    if len(labels) == 0 or labels.max() == 0:
        raise CourseError("The labels are all of one class: there is nothing to tell apart.")
    return labels
