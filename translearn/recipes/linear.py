"""Linear classifiers on features when there are more features than pictures."""

import warnings

import numpy as np


class Span:
    """Standardised features in the coordinates of their own span, where everything linear that
    follows is the same and small: n × rank instead of n × channels.

    features  (n, channels)
    """

    def __init__(self, features):
        self.mean, self.scale = features.mean(axis=0), features.std(axis=0) + 1e-3
        x = ((features - self.mean) / self.scale).astype("float64")
        self.channels = x.shape[1]
        wide = len(x) < self.channels
        values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
        real = values > 1e-8 * values[-1]
        if wide:
            vectors = x.T @ (vectors / np.sqrt(np.maximum(values, 1e-30)))
        self.basis = vectors[:, real]
        self.inside = x @ self.basis

    def outside(self, weights, bias):
        """(channels, classes) and (classes,) for raw features, of a classifier for `inside`."""
        weights = self.basis @ weights / self.scale[:, None]
        return weights.astype("float32"), (bias - self.mean @ weights).astype("float32")


def lda(inside, labels, classes, channels, shrinkage):
    """Linear discriminant analysis in closed form: (weights, bias) of the logits.

    The covariance within classes is shrunk towards a multiple of the identity (Friedman 1989,
    equations 17 and 18), which is taken over all `channels`. A class without pictures gets no
    chance.
    """
    counts = np.bincount(labels, minlength=classes)
    means = np.zeros((classes, inside.shape[1]))
    np.add.at(means, labels, inside)
    means /= np.maximum(counts, 1)[:, None]
    rest = inside - means[labels]
    within = rest.T @ rest / len(labels)
    level = np.trace(within) / channels
    level = level if level > 1e-12 else 1.0  # one picture a class, or its copies: nothing varies
    within = (1 - shrinkage) * within + shrinkage * level * np.eye(len(within))
    weights = np.linalg.solve(within, means.T)
    bias = np.log(np.maximum(counts, 1e-9) / len(labels)) - (means * weights.T).sum(axis=1) / 2
    return weights, bias


def logistic(inside, labels, classes, channels, strength):
    """Multinomial logistic regression with an L2 penalty: (weights, bias) of the logits."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    there = np.unique(labels)
    weights, bias = np.zeros((inside.shape[1], classes)), np.full(classes, -20.0)
    if len(there) == 1 or not inside.shape[1]:  # nothing to tell, or to tell it by
        bias[there] = np.log(np.bincount(labels)[there] / len(labels))
        return weights, bias
    model = LogisticRegression(C=strength, max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is good enough
        model.fit(inside, labels)
    if len(there) == 2:  # scikit-learn gives one column for two classes
        model.coef_ = np.concatenate([-model.coef_, model.coef_]) / 2
        model.intercept_ = np.concatenate([-model.intercept_, model.intercept_]) / 2
    weights[:, there], bias[there] = model.coef_.T, model.intercept_
    return weights, bias


def folds(labels, seed, groups, most=5):
    """(n,) the fold in which each picture is held out: every class spread over the folds, what
    belongs together in one. A class that is one group cannot be held out (-1): nothing would know
    it then.
    """
    draw = np.random.default_rng(seed)
    where = np.full(len(labels), -1)
    names, first, group = np.unique(groups, return_index=True, return_inverse=True)
    start = 0
    for label in np.unique(labels):
        mine = draw.permutation(np.flatnonzero(labels[first] == label))
        if len(np.unique(groups[labels == label])) > 1:
            for place, each in enumerate(mine):
                where[group == each] = (start + place) % most
        start += len(mine)
    return np.unique(where, return_inverse=True)[1] - (where.min() < 0)


def temperature(logits, labels):
    """What to multiply held-out logits by so that their probabilities are right on average (Guo
    and others 2017, arXiv:1706.04599); rows of NaN do not count.
    """
    known = ~np.isnan(logits).any(axis=1)
    if not known.any():
        return 1.0
    logits, labels = logits[known], labels[known]

    def loss(sharp):
        z = sharp * (logits - logits.max(axis=1, keepdims=True))
        return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels])

    return float(min(np.geomspace(0.01, 10, 61), key=loss))
