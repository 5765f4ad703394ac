"""Answers to the exercises of lesson 01."""

import math

import keras
import numpy as np
import tensorflow as tf
from bank import Bank
from scipy.special import expit, logit, logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_curve
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_class_weight

from translearn import backbones, data, transfer
from translearn.exercises.lesson01 import cross_entropy, sigmoid, softmax

bank = Bank("01")

# --- know_nothing --------------------------------------------------------------------------------


@bank.alternative("know_nothing")
def minus_the_logarithm(classes):
    return -math.log(1 / classes)


@bank.alternative("know_nothing")
def entropy_of_even_odds(classes):
    p = np.full(classes, 1 / classes)
    return float(-(p * np.log(p)).sum())


@bank.alternative("know_nothing")
def by_keras(classes):
    even = np.zeros((1, classes))
    return keras.losses.sparse_categorical_crossentropy(np.array([0]), even, from_logits=True)


@bank.near_miss("know_nothing", "gives every class the same probability")
def one_class_ruled_out(classes):
    return np.log(classes - 1)


@bank.near_miss("know_nothing", "cross-entropy")
def squared_error_instead(classes):
    return (1 - 1 / classes) ** 2


bank.refused("know_nothing", lambda classes: 0.0)

# --- sparse_cross_entropy ------------------------------------------------------------------------


@bank.alternative("sparse_cross_entropy")
def with_scipy(labels, logits):
    return logsumexp(logits, axis=1) - np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]


@bank.alternative("sparse_cross_entropy")
def row_by_row(labels, logits):
    return [float(np.logaddexp.reduce(row) - row[label]) for label, row in zip(labels, logits)]


@bank.alternative("sparse_cross_entropy")
def the_loss_of_keras(labels, logits):
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@bank.mistake("sparse_cross_entropy", "it overflows")
def all_exponentials(labels, logits):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(labels)), labels])


@bank.mistake("sparse_cross_entropy", "it overflows")
def sum_of_exponentials(labels, logits):
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]


@bank.mistake("sparse_cross_entropy", "it overflows")
def stable_softmax_then_logarithm(labels, logits):
    return -np.log(softmax(logits)[np.arange(len(labels)), labels])


@bank.near_miss("sparse_cross_entropy", "survive a logit of 1000")
def clipped(labels, logits):
    return -np.log(np.maximum(softmax(logits)[np.arange(len(labels)), labels], 1e-7))


@bank.near_miss("sparse_cross_entropy", "any number of classes")
def the_first_two_classes(labels, logits):
    return np.logaddexp(logits[:, 0], logits[:, 1]) - logits[np.arange(len(labels)), labels]


@bank.near_miss("sparse_cross_entropy", "one loss for each row")
def added_up(labels, logits):
    return sum(row_by_row(labels, logits))


@bank.near_miss("sparse_cross_entropy", "cross-entropy of the true class")
def against_the_best_class(labels, logits):
    return np.logaddexp.reduce(logits, axis=1) - logits.max(axis=1)


@bank.refused("sparse_cross_entropy")
def without_the_true_class(labels, logits):
    return np.logaddexp.reduce(logits, axis=1)


# --- mean_loss_gradient --------------------------------------------------------------------------


@bank.alternative("mean_loss_gradient")
def one_less_at_the_truth(labels, logits):
    slope = softmax(logits)
    slope[np.arange(len(labels)), labels] -= 1
    return slope / len(labels)


@bank.alternative("mean_loss_gradient")
def with_a_tape(labels, logits):
    z = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(labels, z, from_logits=True)
        )
    return tape.gradient(loss, z)


@bank.alternative("mean_loss_gradient")
def by_differences(labels, logits):
    slope = np.zeros(logits.shape)
    for at in np.ndindex(*logits.shape):
        step = np.zeros(logits.shape)
        step[at] = 1e-5
        above, below = (np.mean(row_by_row(labels, logits + s)) for s in (step, -step))
        slope[at] = (above - below) / 2e-5
    return slope


@bank.near_miss("mean_loss_gradient", "the mean of the losses, one for each row")
def mean_over_all_logits(labels, logits):
    return one_less_at_the_truth(labels, logits) / logits.shape[1]


@bank.near_miss("mean_loss_gradient", "one number for each logit")
def mean_row(labels, logits):
    return one_less_at_the_truth(labels, logits).mean(axis=0)


@bank.near_miss("mean_loss_gradient", "the true class of each row")
def labels_out_of_order(labels, logits):
    return one_less_at_the_truth(labels[::-1], logits)


@bank.refused("mean_loss_gradient")
def without_the_truth(labels, logits):
    return softmax(logits) / len(labels)


@bank.refused("mean_loss_gradient")
def without_the_softmax(labels, logits):
    return (logits - np.eye(logits.shape[1])[labels]) / len(labels)


# --- smooth --------------------------------------------------------------------------------------


@bank.alternative("smooth")
def filled_and_topped_up(labels, classes, epsilon):
    rows = np.full((len(labels), classes), epsilon / classes)
    rows[np.arange(len(labels)), labels] += 1 - epsilon
    return rows


@bank.alternative("smooth")
def in_two_loops(labels, classes, epsilon):
    low = epsilon / classes
    return [[1 - epsilon + low if k == y else low for k in range(classes)] for y in labels]


@bank.alternative("smooth")
def mixed_with_even_odds(labels, classes, epsilon):
    hot = keras.utils.to_categorical(labels, classes)
    return np.average(
        [hot, np.full(hot.shape, 1 / classes)], axis=0, weights=[1 - epsilon, epsilon]
    )


@bank.near_miss("smooth", "all `classes`, also those without a label")
def as_many_as_there_are(labels, classes, epsilon):
    return filled_and_topped_up(labels, labels.max() + 1, epsilon)


@bank.near_miss("smooth", "epsilon")
def always_a_tenth(labels, classes, epsilon):
    return filled_and_topped_up(labels, classes, 0.1)


@bank.near_miss("smooth", "a row for each class number")
def columns_for_rows(labels, classes, epsilon):
    return filled_and_topped_up(labels, classes, epsilon).T


@bank.near_miss("smooth", "spread, not added: a row adds up to 1")
def added_on_top(labels, classes, epsilon):
    return np.eye(classes)[labels] + epsilon / classes


bank.refused("smooth", lambda labels, classes, epsilon: np.eye(classes)[labels])

# --- class_weights -------------------------------------------------------------------------------


@bank.alternative("class_weights")
def by_sklearn(labels):
    return compute_class_weight("balanced", classes=np.unique(labels), y=labels)


@bank.alternative("class_weights")
def from_the_shares(labels):
    shares = np.array([np.mean(labels == k) for k in np.unique(labels)])
    w = 1 / shares
    return list(w / (w * shares).sum())


@bank.alternative("class_weights")
def as_keras_takes_them(labels):
    classes, counts = np.unique(labels, return_counts=True)
    return {int(k): len(labels) / len(classes) / n for k, n in zip(classes, counts)}


@bank.near_miss("class_weights", "every class has the same total")
def square_roots(labels):
    counts = np.bincount(labels)
    w = 1 / np.sqrt(counts)
    return w * len(labels) / (w * counts).sum()


@bank.near_miss("class_weights", "one weight for each class")
def one_for_each_picture(labels):
    return by_sklearn(labels)[labels]


@bank.near_miss("class_weights", "in the order of the classes")
def the_rarest_first(labels):
    return np.sort(by_sklearn(labels))[::-1]


bank.refused("class_weights", lambda labels: np.ones(labels.max() + 1))

# --- focal_loss ----------------------------------------------------------------------------------


@bank.alternative("focal_loss")
def the_focal_loss_of_keras(y, z, gamma, alpha):
    return keras.losses.binary_focal_crossentropy(
        y[:, None],
        z[:, None],
        apply_class_balancing=True,
        alpha=alpha,
        gamma=gamma,
        from_logits=True,
    )


@bank.alternative("focal_loss")
def with_a_sign(y, z, gamma, alpha):
    s = 2 * y - 1
    missing = 1 / (1 + np.exp(s * z))
    return list((alpha * y + (1 - alpha) * (1 - y)) * missing**gamma * np.logaddexp(0, -s * z))


@bank.alternative("focal_loss")
def label_by_label(y, z, gamma, alpha):
    losses = np.empty(len(y))
    for i, (truth, p) in enumerate(zip(y, expit(z))):
        q, factor = (p, alpha) if truth else (1 - p, 1 - alpha)
        losses[i] = -factor * (1 - q) ** gamma * np.log(q)
    return losses


def factor_of(y, alpha):
    return np.where(y == 1, alpha, 1 - alpha)


def missing_of(y, z):
    return 1 - sigmoid(np.where(y == 1, z, -z))


@bank.near_miss("focal_loss", "one loss for each logit")
def on_average(y, z, gamma, alpha):
    return np.mean(factor_of(y, alpha) * missing_of(y, z) ** gamma * cross_entropy(y, z))


@bank.near_miss("focal_loss", "gamma")
def always_squared(y, z, gamma, alpha):
    return factor_of(y, alpha) * missing_of(y, z) ** 2 * cross_entropy(y, z)


@bank.near_miss("focal_loss", "alpha")
def a_quarter_always(y, z, gamma, alpha):
    return factor_of(y, 0.25) * missing_of(y, z) ** gamma * cross_entropy(y, z)


@bank.near_miss("focal_loss", "the focal factor")
def class_factor_only(y, z, gamma, alpha):
    return factor_of(y, alpha) * cross_entropy(y, z)


@bank.refused("focal_loss")
def negative(y, z, gamma, alpha):
    return -factor_of(y, alpha) * missing_of(y, z) ** gamma * cross_entropy(y, z)


# --- choose_threshold ----------------------------------------------------------------------------


@bank.alternative("choose_threshold")
def from_the_roc_curve(labels, p):
    false, true, thresholds = roc_curve(labels, p)
    return thresholds[np.argmax(true - false)]


@bank.alternative("choose_threshold")
def on_a_grid(labels, p):
    tried = np.linspace(0, 1, 51)
    return tried[np.argmax([balanced_accuracy_score(labels, p >= t) for t in tried])]


@bank.alternative("choose_threshold")
def between_two_probabilities(labels, p):
    values = np.unique(p)
    between = [0.0, *(values[1:] + values[:-1]) / 2]
    return max(between, key=lambda t: np.mean(p[labels == 1] >= t) + np.mean(p[labels == 0] < t))


@bank.mistake("choose_threshold", "plain accuracy")
def best_plain_accuracy(labels, p):
    return max(np.unique(p), key=lambda t: np.mean((p >= t) == labels))


bank.mistake("choose_threshold", "one half by habit", lambda labels, p: 0.5)


@bank.mistake("choose_threshold", "the score, not the threshold")
def best_score(labels, p):
    return max(balanced_accuracy_score(labels, p >= t) for t in np.unique(p))


@bank.mistake("choose_threshold", "as many as there are")
def by_quantile(labels, p):
    return np.quantile(p, 1 - np.mean(labels))


@bank.near_miss("choose_threshold", "everything from the threshold on")
def all_above_the_threshold(labels, p):
    return max(np.unique(p), key=lambda t: balanced_accuracy_score(labels, p > t))


@bank.near_miss("choose_threshold", "the best")
def the_worst(labels, p):
    return min(np.unique(p), key=lambda t: balanced_accuracy_score(labels, p >= t))


@bank.near_miss("choose_threshold", "balanced accuracy")
def best_f1(labels, p):
    return max(np.unique(p), key=lambda t: f1_score(labels, p >= t))


@bank.near_miss("choose_threshold", "return the threshold")
def its_position(labels, p):
    return np.argmax([balanced_accuracy_score(labels, p >= t) for t in np.unique(p)])


bank.refused("choose_threshold", lambda labels, p: np.mean(labels))

# --- unweigh -------------------------------------------------------------------------------------


@bank.alternative("unweigh")
def in_one_fraction(p, w0, w1):
    return p * w0 / (p * w0 + (1 - p) * w1)


@bank.alternative("unweigh")
def by_logits(p, w0, w1):
    z = np.log(p) - np.log1p(-p) - np.log(w1 / w0)
    return list(1 / (1 + np.exp(-z)))


@bank.alternative("unweigh")
def with_expit(p, w0, w1):
    return expit(logit(p) + math.log(w0) - math.log(w1))


@bank.near_miss("unweigh", "the weight of class 0")
def only_w1(p, w0, w1):
    return in_one_fraction(p, 1, w1)


@bank.near_miss("unweigh", "the weight of class 1")
def only_w0(p, w0, w1):
    return in_one_fraction(p, w0, 1)


@bank.near_miss("unweigh", "the probabilities of class 1")
def of_class_0(p, w0, w1):
    return 1 - in_one_fraction(p, w0, w1)


bank.refused("unweigh", lambda p, w0, w1: p)

# --- fits ----------------------------------------------------------------------------------------


@bank.alternative("fits")
def from_the_settings(model):
    name = model.layers[-1].get_config()["activation"]
    return (name in ("sigmoid", "softmax")) != model.loss.get_config()["from_logits"]


@bank.alternative("fits")
def by_what_comes_out(model):
    pictures = 100 * np.random.default_rng(0).normal(size=(200, *model.input_shape[1:]))
    out = model(pictures).numpy()
    return bool(((out >= 0) & (out <= 1)).all()) != bool(model.loss.from_logits)


@bank.alternative("fits")
def case_by_case(model):
    activation = model.layers[-1].activation
    if activation in (keras.activations.sigmoid, keras.activations.softmax):
        return not model.loss.from_logits
    return model.loss.from_logits


@bank.near_miss("fits", "the last layer")
def the_first_layer(model):
    return model.loss.from_logits == (model.layers[0].activation is keras.activations.linear)


@bank.near_miss("fits", "one of Keras's cross-entropies, sparse or not")
def sparse_ones_only(model):
    if isinstance(model.loss, keras.losses.CategoricalCrossentropy):
        return False
    return from_the_settings(model)


@bank.near_miss("fits", "one of Keras's cross-entropies, focal or not")
def focal_ones_not(model):
    return from_the_settings(model) and "focal" not in model.loss.name


@bank.near_miss("fits", "any number of outputs")
def sigmoid_of_one_output(model):
    last = model.layers[-1]
    if last.activation is keras.activations.sigmoid and last.units > 1:
        return model.loss.from_logits
    return from_the_settings(model)


bank.refused("fits", lambda model: True)
bank.refused("fits", lambda model: model.layers[-1].activation is keras.activations.linear)

# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def standardised_features():
    solar, backbone = data.load("solar_cells", size=96), backbones.load("efficientnet_lite0")
    raw = {
        part: transfer.cache_features(
            backbone, getattr(solar, part).images, layers=["block13"], progress=False
        )["block13"]
        for part in ("train", "validation")
    }
    mean, spread = raw["train"].mean(axis=0), raw["train"].std(axis=0)
    features = {part: (x - mean) / spread for part, x in raw.items()}
    labels = {"train": solar.train.labels, "validation": solar.validation.labels}
    few = np.random.default_rng(0).choice(len(labels["train"]), 1000, replace=False)
    return {
        "features": features,
        "labels": labels,
        "few_features": features["train"][few],
        "few_labels": labels["train"][few],
    }


def probabilities(given):
    classifier = LogisticRegression(C=0.1, max_iter=1000)
    classifier.fit(given.few_features, given.few_labels)
    return classifier.predict_proba(given.features["validation"])[:, 1]


@bank.alternative("beat_it")
def weighted_classes(given):
    classifier = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
    classifier.fit(given.few_features, given.few_labels)
    return classifier.predict(given.features["validation"])


@bank.alternative("beat_it")
def the_best_threshold(given):
    p, truth = probabilities(given), given.labels["validation"]
    best = max(np.unique(p), key=lambda t: balanced_accuracy_score(truth, p >= t))
    return list((p >= best).astype(int))


@bank.alternative("beat_it")
def support_vectors_and_a_threshold(given):
    distance = SVC(C=1).fit(given.few_features, given.few_labels).decision_function
    share = 1 - given.few_labels.mean()
    return (
        distance(given.features["validation"])
        >= np.quantile(distance(given.features["train"]), share)
    ).astype(float)


bank.mistake("beat_it", "the answers themselves", lambda given: given.labels["validation"])
bank.mistake("beat_it", "on the training set", lambda given: given.few_labels)


@bank.mistake("beat_it", "scores, not classes")
def two_columns(given):
    p = probabilities(given)
    return np.stack([1 - p, p], axis=1)


@bank.near_miss("beat_it", "better than cross-entropy at one half")
def at_one_half(given):
    return (probabilities(given) >= 0.5).astype(int)


@bank.near_miss("beat_it", "by two points")
def by_a_hair(given):
    """A balanced accuracy just above the ledger's mean."""
    truth = given.labels["validation"]
    guesses = truth.copy()
    for k in (0, 1):
        right = round(given.reference * np.sum(truth == k) + 1)
        guesses[np.flatnonzero(truth == k)[right:]] = 1 - k
    return guesses


@bank.near_miss("beat_it", "one class number")
def probabilities_of_class_1(given):
    return probabilities(given)


@bank.near_miss("beat_it", "for each validation picture")
def one_too_few(given):
    return weighted_classes(given)[1:]


bank.refused("beat_it", lambda given: given.labels["validation"] * 0)
bank.refused("beat_it", lambda given: given.labels["validation"] + 0.5)
