"""Answers to the exercises of lesson 07."""

import keras
import numpy as np
from bank import Bank
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from translearn import backbones, data, transfer

bank = Bank("07")

# --- l1_l2 ---------------------------------------------------------------------------------------


@bank.alternative("l1_l2")
def in_single_precision(weights, l1, l2):
    w = np.asarray(weights, dtype="float32")
    return (
        l1 * np.linalg.norm(w.ravel(), 1) + l2 * (w * w).sum(),
        np.where(w > 0, l1, np.where(w < 0, -l1, 0)) + l2 * (w + w),
    )


@bank.alternative("l1_l2")
def number_by_number(weights, l1, l2):
    cost = sum(l1 * abs(w) + l2 * w**2 for w in weights.ravel().tolist())
    return [cost, (l1 * np.sign(weights) + 2 * l2 * weights).tolist()]


@bank.alternative("l1_l2")
def by_keras(weights, l1, l2):
    cost = float(keras.regularizers.L1L2(l1, l2)(weights.astype("float32")))
    return cost, l1 * weights / np.abs(weights) + l2 * 2 * weights


@bank.near_miss("l1_l2", "return both")
def without_the_gradient(weights, l1, l2):
    return l1 * np.abs(weights).sum() + l2 * (weights**2).sum()


@bank.near_miss("l1_l2", "one number")
def a_penalty_for_each_weight(weights, l1, l2):
    return l1 * np.abs(weights) + l2 * weights**2, l1 * np.sign(weights) + 2 * l2 * weights


@bank.near_miss("l1_l2", "an array like `weights`")
def gradient_in_one_row(weights, l1, l2):
    cost, gradient = number_by_number(weights, l1, l2)
    return cost, np.ravel(gradient)[:3]


@bank.near_miss("l1_l2", "the penalty first")
def the_gradient_first(weights, l1, l2):
    return number_by_number(weights, l1, l2)[::-1]


bank.refused("l1_l2", lambda weights, l1, l2: (0.0, weights * 0))

# --- sparsity ------------------------------------------------------------------------------------


@bank.alternative("sparsity")
def counts_divided(weights, threshold=1e-3):
    return sum((abs(w) < threshold).sum() for w in weights) / sum(w.size for w in weights)


@bank.alternative("sparsity")
def between_two_bounds(weights, threshold=1e-3):
    small = [-threshold < x < threshold for w in weights for x in w.ravel()]
    return np.float32(sum(small) / len(small))


@bank.alternative("sparsity")
def the_rest_from_one(weights, threshold=1e-3):
    numbers = np.abs(np.hstack([w.flatten() for w in weights]))
    return 1 - np.count_nonzero(numbers >= threshold) / numbers.size


@bank.near_miss("sparsity", "smaller than `threshold`")
def or_equal(weights, threshold=1e-3):
    return np.mean(np.abs(np.hstack([w.ravel() for w in weights])) <= threshold)


@bank.near_miss("sparsity", "`threshold` is given")
def always_a_thousandth(weights, threshold=1e-3):
    return counts_divided(weights)


@bank.near_miss("sparsity", "a list of arrays")
def the_first_array(weights, threshold=1e-3):
    return np.mean(np.abs(weights[0]) < threshold)


@bank.near_miss("sparsity", "a share")
def in_per_cent(weights, threshold=1e-3):
    return 100 * counts_divided(weights, threshold)


bank.refused("sparsity", lambda weights, threshold=1e-3: 0.5)

# --- same_decay ----------------------------------------------------------------------------------


bank.alternative("same_decay", lambda l2, rate: np.float32(l2 + l2))


@bank.alternative("same_decay")
def from_one_step(l2, rate):
    w = 1.0
    after = w - rate * 2 * l2 * w
    return (w - after) / (rate * w)


@bank.alternative("same_decay")
def from_the_penaltys_slope(l2, rate):
    return (l2 * (3 + 1e-4) ** 2 - l2 * (3 - 1e-4) ** 2) / 2e-4 / 3


@bank.near_miss("same_decay", "Keras's L2, without a half")
def with_a_half(l2, rate):
    return l2 / 2


@bank.near_miss("same_decay", "plain gradient descent")
def the_root(l2, rate):
    return 2 * l2 / np.sqrt(rate)


bank.refused("same_decay", lambda l2, rate: 0.013)

# --- l2_sp ---------------------------------------------------------------------------------------


@bank.alternative("l2_sp")
def in_one_piece(weights, start, strength):
    apart = np.concatenate([np.ravel(w) - np.ravel(s) for w, s in zip(weights, start)])
    return strength * apart @ apart


@bank.alternative("l2_sp")
def squared_norms(weights, start, strength):
    return np.float32(strength * sum(np.linalg.norm(w - s) ** 2 for w, s in zip(weights, start)))


@bank.alternative("l2_sp")
def added_up(weights, start, strength):
    total = 0
    for i in range(len(weights)):
        total += (strength * np.square(start[i] - weights[i])).sum()
    return total


@bank.near_miss("l2_sp", "times the strength")
def without_the_strength(weights, start, strength):
    return sum(np.sum((w - s) ** 2) for w, s in zip(weights, start))


@bank.near_miss("l2_sp", "squared")
def absolute_differences(weights, start, strength):
    return strength * sum(np.sum(np.abs(w - s)) for w, s in zip(weights, start))


@bank.near_miss("l2_sp", "a sum")
def a_mean(weights, start, strength):
    return in_one_piece(weights, start, strength) / sum(w.size for w in weights)


@bank.near_miss("l2_sp", "with Keras's meaning of strength")
def half_the_squares(weights, start, strength):
    return in_one_piece(weights, start, strength) / 2


bank.refused("l2_sp", lambda weights, start, strength: 0.0)

# --- dropout -------------------------------------------------------------------------------------


@bank.alternative("dropout")
def the_highest_go(outputs, rate, luck):
    keep = luck < 1 - rate
    return outputs * keep / (1 - rate)


@bank.alternative("dropout")
def zeros_written_in(outputs, rate, luck):
    result = outputs.astype("float32")
    result[luck < rate] = 0
    return result * np.float32(1 / (1 - rate))


@bank.alternative("dropout")
def a_mask_of_factors(outputs, rate, luck):
    return np.multiply(outputs, (luck > rate).astype(float) / (1 - rate))


@bank.mistake("dropout", "not scaled up")
def left_as_they_are(outputs, rate, luck):
    return np.where(luck < rate, 0, outputs)


@bank.mistake("dropout", "the rate is what stays")
def kept_with_the_rate(outputs, rate, luck):
    return outputs * (luck < rate) / rate


@bank.mistake("dropout", "scaled down")
def times_what_stays(outputs, rate, luck):
    return outputs * (luck >= rate) * (1 - rate)


@bank.mistake("dropout", "whole columns")
def one_throw_for_all(outputs, rate, luck):
    return outputs * (luck[0] >= rate) / (1 - rate)


@bank.near_miss("dropout", "so that the mean stays")
def scaled_by_the_rate(outputs, rate, luck):
    return np.where(luck >= rate, outputs / rate, 0)


@bank.near_miss("dropout", "a share `rate`")
def always_a_half(outputs, rate, luck):
    return np.where(luck >= 0.5, outputs / 0.5, 0)


@bank.near_miss("dropout", "`luck` says which")
def luck_of_its_own(outputs, rate, luck):
    own = np.random.default_rng(5).random(outputs.shape)
    return np.where(own >= rate, outputs / (1 - rate), 0)


@bank.near_miss("dropout", "whatever the outputs are")
def the_smallest_go(outputs, rate, luck):
    return np.where(outputs >= np.quantile(outputs, rate), outputs / (1 - rate), 0)


bank.refused("dropout", lambda outputs, rate, luck: outputs)
bank.refused("dropout", lambda outputs, rate, luck: outputs * 0)

# --- mixup ---------------------------------------------------------------------------------------


@bank.alternative("mixup")
def from_the_partner(x, targets, partner, share):
    def blend(a):
        return a[partner] + share.reshape(-1, 1) * (a - a[partner])

    return blend(x), blend(targets)


@bank.alternative("mixup")
def row_by_row(x, targets, partner, share):
    rows = [
        (s * x[i] + (1 - s) * x[p], s * targets[i] + (1 - s) * targets[p])
        for i, (p, s) in enumerate(zip(partner, share))
    ]
    return [a for a, _ in rows], np.array([b for _, b in rows], dtype="float32")


@bank.alternative("mixup")
def as_one_matrix(x, targets, partner, share):
    blend = np.diag(share)
    blend[np.arange(len(x)), partner] += 1 - share
    return blend @ x, blend @ targets


@bank.near_miss("mixup", "with row partner[i]")
def with_the_next_row(x, targets, partner, share):
    return from_the_partner(x, targets, np.roll(np.arange(len(x)), -1), share)


@bank.near_miss("mixup", "both of one blend")
def labels_of_the_partner(x, targets, partner, share):
    return from_the_partner(x, targets, partner, share)[0], targets[partner]


@bank.near_miss("mixup", "shares that add up to one")
def added_whole(x, targets, partner, share):
    s = share[:, None]
    return s * x + x[partner], s * targets + targets[partner]


@bank.near_miss("mixup", "and targets")
def features_alone(x, targets, partner, share):
    return from_the_partner(x, targets, partner, share)[0]


bank.refused("mixup", lambda x, targets, partner, share: (x, targets))

# --- makes_new_pictures --------------------------------------------------------------------------


@bank.alternative("makes_new_pictures")
def two_sets(pictures):
    def epoch():
        return {np.asarray(p).tobytes() for p, _ in pictures}

    return not epoch() == epoch()


@bank.alternative("makes_new_pictures")
def searched_one_by_one(pictures):
    first = np.stack([np.asarray(p).ravel() for p, _ in pictures])
    second = np.stack([np.asarray(p).ravel() for p, _ in pictures])
    return np.bool_(not all((first == row).all(axis=1).any() for row in second))


@bank.alternative("makes_new_pictures")
def a_set_and_an_any(pictures):
    known = set()
    for picture, _ in pictures:
        known.add(np.array(picture).tobytes())
    return any(np.array(picture).tobytes() not in known for picture, _ in pictures)


@bank.near_miss("makes_new_pictures", "any of the pictures")
def the_first_picture_only(pictures):
    first, second = ([np.asarray(p) for p, _ in pictures] for _ in range(2))
    return not any(np.array_equal(first[0], p) for p in second)


@bank.near_miss("makes_new_pictures", "new is not: all are new")
def all_must_be_new(pictures):
    first, second = ({np.asarray(p).tobytes() for p, _ in pictures} for _ in range(2))
    return not first & second


@bank.near_miss("makes_new_pictures", "many pipelines shuffle")
def labels_with_the_pictures(pictures):
    first, second = ([(np.asarray(p).tobytes(), y) for p, y in pictures] for _ in range(2))
    return first != second


@bank.near_miss("makes_new_pictures", "pictures, not their sums")
def sorted_sums(pictures):
    first, second = (sorted(float(np.sum(p)) for p, _ in pictures) for _ in range(2))
    return not np.allclose(first, second)


bank.refused("makes_new_pictures", lambda pictures: True)
bank.refused("makes_new_pictures", lambda pictures: False)

# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def ten_pictures_of_each_class():
    emoji = data.load("emoji_styles")
    backbone = backbones.load("efficientnet_lite0", seed=0)
    few = emoji.train.take(10, seed=0)
    made = {"emoji": emoji, "few": few}
    parts = {"few": few, "new": emoji.validation, "test": emoji.test}
    for name, part in parts.items():
        found = transfer.cache_features(backbone, part.images, layers=["block13"], progress=False)
        made[f"{name}_features"] = found["block13"]
    return made


def penalised(strength):
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


@bank.alternative("beat_it")
def a_stronger_penalty(given):
    mine = penalised(0.003).fit(given.few_features, given.few.labels)
    return list(mine.predict(given.new_features))


@bank.alternative("beat_it")
def a_weaker_penalty(given):
    mine = penalised(0.02).fit(given.few_features, given.few.labels)
    return mine.predict(given.new_features).astype("float32")


@bank.alternative("beat_it")
def two_penalties_averaged(given):
    chances = [
        penalised(strength).fit(given.few_features, given.few.labels) for strength in (0.003, 0.02)
    ]
    return sum(each.predict_proba(given.new_features) for each in chances).argmax(axis=1)


bank.mistake("beat_it", "the answers themselves", lambda given: given.emoji.validation.labels)
bank.mistake("beat_it", "on the training set", lambda given: given.few.labels)


@bank.mistake("beat_it", "scores, not classes")
def probabilities(given):
    mine = penalised(0.01).fit(given.few_features, given.few.labels)
    return mine.predict_proba(given.new_features)


@bank.near_miss("beat_it", "better than the unregularised head")
def hardly_any_penalty(given):
    mine = penalised(1.0).fit(given.few_features, given.few.labels)
    return mine.predict(given.new_features)


@bank.near_miss("beat_it", "by two points")
def a_little_penalty(given):
    mine = penalised(0.1).fit(given.few_features, given.few.labels)
    return mine.predict(given.new_features)


@bank.near_miss("beat_it", "for each validation picture")
def for_the_test_pictures(given):
    mine = penalised(0.01).fit(given.few_features, given.few.labels)
    return mine.predict(given.test_features)


@bank.near_miss("beat_it", "class numbers")
def class_names(given):
    mine = penalised(0.01).fit(given.few_features, given.few.labels)
    return [given.emoji.class_names[guess] for guess in mine.predict(given.new_features)]


bank.refused("beat_it", lambda given: given.emoji.validation.labels * 0)
bank.refused("beat_it", lambda given: given.emoji.validation.labels + 0.5)
