"""Answers to the exercises of lesson 00."""

import statistics

import numpy as np
from bank import Bank
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC

from translearn import backbones, data, transfer

bank = Bank("00")

# --- chance --------------------------------------------------------------------------------------


@bank.given("chance")
def the_emoji():
    return {"emoji": data.load("emoji_styles")}


bank.alternative("chance", lambda given: (0.0833, given.emoji))
bank.alternative("chance", lambda given: (np.float32(1 / 12), given.emoji))


@bank.alternative("chance")
def by_guessing(given):
    labels = given.emoji.train.labels
    return balanced_accuracy_score(labels, np.full(len(labels), 3)), given.emoji


bank.mistake("chance", "per cent", lambda given: (100 / 12, given.emoji))
bank.mistake("chance", "per cent", lambda given: (8.33, given.emoji))
bank.mistake("chance", "a coin has two sides", lambda given: (0.5, given.emoji))
bank.mistake("chance", "the classes of ImageNet", lambda given: (1 / 1000, given.emoji))


@bank.mistake("chance", "the largest class")
def the_largest_class(given):
    labels = given.emoji.train.labels
    return np.mean(labels == np.bincount(labels).argmax()), given.emoji


bank.near_miss("chance", "to four digits", lambda given: (0.08, given.emoji))
bank.refused("chance", lambda given: (12, given.emoji))
bank.refused("chance", lambda given: (0.0, given.emoji))
bank.refused("chance", lambda given: (1 / 12, "emoji"))

# --- examples_seen -------------------------------------------------------------------------------


@bank.alternative("examples_seen")
def epoch_by_epoch(per_class, classes, epochs, batch_size):
    return sum(per_class * classes for _ in range(epochs))


@bank.alternative("examples_seen")
def as_a_float(per_class, classes, epochs, batch_size):
    return float(epochs * classes) * per_class


@bank.alternative("examples_seen")
def batch_by_batch(per_class, classes, epochs, batch_size):
    seen = 0
    for _ in range(epochs):
        for start in range(0, per_class * classes, batch_size):
            seen += min(batch_size, per_class * classes - start)
    return seen


@bank.near_miss("examples_seen", "the last batch of an epoch may be smaller")
def whole_batches_only(per_class, classes, epochs, batch_size):
    return -(-per_class * classes // batch_size) * batch_size * epochs


# --- balanced_accuracy ---------------------------------------------------------------------------


@bank.alternative("balanced_accuracy")
def counted_by_class(labels, guesses):
    right = np.zeros(labels.max() + 1)
    np.add.at(right, labels, labels == guesses)
    count = np.bincount(labels)
    return (right[count > 0] / count[count > 0]).mean()


@bank.alternative("balanced_accuracy")
def from_the_confusion_matrix(labels, guesses):
    table = np.zeros((10, 10))
    np.add.at(table, (labels, guesses), 1)
    rows = table[table.sum(axis=1) > 0]
    return np.sum(np.diag(table)[table.sum(axis=1) > 0] / rows.sum(axis=1)) / len(rows)


@bank.alternative("balanced_accuracy")
def weighed_accuracy(labels, guesses):
    weights = 1 / np.bincount(labels)[labels] if (np.bincount(labels) > 0).all() else None
    if weights is None:
        return recall_score(labels, guesses, labels=np.unique(labels), average="macro")
    return np.average(labels == guesses, weights=weights)


@bank.near_miss("balanced_accuracy", "a class without pictures does not count")
def empty_class_counts_as_missed(labels, guesses):
    classes = np.union1d(labels, guesses)
    return sum(np.mean(guesses[labels == k] == k) for k in np.unique(labels)) / len(classes)


@bank.refused("balanced_accuracy")
def errors(labels, guesses):
    return 1 - np.mean([np.mean(guesses[labels == k] == k) for k in np.unique(labels)])


# --- no_leak -------------------------------------------------------------------------------------


@bank.alternative("no_leak")
def nothing_in_common(train_concepts, test_concepts):
    return len(np.intersect1d(train_concepts, test_concepts)) == 0


@bank.alternative("no_leak")
def none_is_in(train_concepts, test_concepts):
    return not np.isin(test_concepts, train_concepts).any()


@bank.alternative("no_leak")
def every_pair(train_concepts, test_concepts):
    return bool((train_concepts[:, None] != test_concepts[None, :]).all())


@bank.near_miss("no_leak", "the same concept, not the same letters")
def names_within_names(train_concepts, test_concepts):
    return not any(a in b for a in train_concepts for b in test_concepts)


@bank.near_miss("no_leak", "no concept: one is enough for a leak")
def not_all_of_them(train_concepts, test_concepts):
    return not set(test_concepts) <= set(train_concepts)


@bank.near_miss("no_leak", "on both sides: a concept may come twice on one")
def nothing_twice(train_concepts, test_concepts):
    both = [*train_concepts, *test_concepts]
    return len(np.unique(both)) == len(both)


@bank.near_miss("no_leak", "the two may differ in length")
def as_far_as_the_shorter(train_concepts, test_concepts):
    n = min(len(train_concepts), len(test_concepts))
    return set(train_concepts[:n]).isdisjoint(test_concepts[:n])


bank.refused("no_leak", lambda train_concepts, test_concepts: True)

# --- paired --------------------------------------------------------------------------------------


@bank.alternative("paired")
def with_statistics(a, b):
    d = [float(x) - float(y) for x, y in zip(a, b)]
    return statistics.mean(d), statistics.stdev(d)


@bank.alternative("paired")
def from_the_variance(a, b):
    d = np.subtract(a, b)
    return np.array([d.sum() / len(d), np.sqrt(np.var(d) * len(d) / (len(d) - 1))])


@bank.alternative("paired")
def with_the_covariance(a, b):
    table = np.cov(a, b)
    return [a.mean() - b.mean(), np.sqrt(table[0, 0] + table[1, 1] - 2 * table[0, 1])]


@bank.near_miss("paired", "the mean and the standard deviation")
def the_mean_alone(a, b):
    return (a - b).mean()


@bank.near_miss("paired", "the standard deviation")
def the_variance(a, b):
    return (a - b).mean(), (a - b).var(ddof=1)


@bank.near_miss("paired", "the mean")
def the_median(a, b):
    return np.median(a - b), (a - b).std(ddof=1)


bank.refused("paired", lambda a, b: ((a - b).mean(), 0.0))

# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def pictures_and_backbone():
    emoji, backbone = data.load("emoji_styles"), backbones.load("efficientnet_lite0")
    few = emoji.train.take(10, seed=0)
    block12 = [
        transfer.cache_features(backbone, part.images, layers=["block12"], progress=False)
        for part in (few, emoji.validation)
    ]
    return {
        "emoji": emoji,
        "backbone": backbone,
        "few": few,
        "seen": block12[0]["block12"],
        "judged": block12[1]["block12"],
    }


@bank.alternative("beat_it")
def ridge(given):
    return RidgeClassifier(100).fit(given.seen, given.few.labels).predict(given.judged)


@bank.alternative("beat_it")
def nearest_centroid(given):
    return list(NearestCentroid().fit(given.seen, given.few.labels).predict(given.judged))


@bank.alternative("beat_it")
def support_vectors(given):
    fitted = SVC(kernel="linear").fit(given.seen, given.few.labels)
    return fitted.predict(given.judged).astype(float)


bank.mistake("beat_it", "the answers themselves", lambda given: given.emoji.validation.labels)
bank.mistake("beat_it", "on the training set", lambda given: given.few.labels)


@bank.mistake("beat_it", "scores, not classes")
def a_row_of_scores(given):
    return RidgeClassifier(100).fit(given.seen, given.few.labels).decision_function(given.judged)


@bank.near_miss("beat_it", "three and a half points, not a hair")
def by_a_hair(given):
    """A balanced accuracy just above the ledger's mean."""
    truth = given.emoji.validation.labels
    guesses, classes = truth.copy(), truth.max() + 1
    for k in range(classes):
        right = round((given.reference + 0.005) * np.sum(truth == k))
        guesses[np.flatnonzero(truth == k)[right:]] = (k + 1) % classes
    return guesses


@bank.near_miss("beat_it", "one for each validation picture")
def one_is_missing(given):
    return ridge(given)[1:]


@bank.near_miss("beat_it", "class numbers")
def counted_from_one(given):
    return ridge(given) + 1


bank.refused("beat_it", lambda given: given.emoji.validation.labels * 0)
bank.refused("beat_it", lambda given: given.emoji.validation.labels + 0.5)
