"""Answers to the exercises of lesson 08."""

import functools
import hashlib
import math
import random
import tempfile

import keras
import numpy as np
from bank import Bank
from scipy.stats import binom, linregress, norm

from translearn.exercises.lesson08 import to_beat

bank = Bank("08")

# --- standard_error ------------------------------------------------------------------------------


@bank.alternative("standard_error")
def of_a_binomial(accuracy, pictures):
    return binom(pictures, accuracy).std() / pictures


@bank.alternative("standard_error")
def to_the_half(accuracy, pictures):
    return (accuracy / pictures * (1 - accuracy)) ** 0.5


@bank.alternative("standard_error")
def in_half_precision(accuracy, pictures):
    return np.array([np.float32(accuracy * (1 - accuracy) / pictures) ** 0.5])


@bank.near_miss("standard_error", "its standard deviation")
def half_an_interval(accuracy, pictures):
    return 1.96 * np.sqrt(accuracy * (1 - accuracy) / pictures)


@bank.near_miss("standard_error", "on that many pictures")
def one_picture_less(accuracy, pictures):
    return np.sqrt(accuracy * (1 - accuracy) / max(pictures - 1, 1))


@bank.near_miss("standard_error", "right with probability `accuracy`")
def the_largest(accuracy, pictures):
    return 0.5 / np.sqrt(pictures)


bank.refused("standard_error", lambda accuracy, pictures: np.sqrt(accuracy / pictures))

# --- pictures_needed -----------------------------------------------------------------------------


@bank.alternative("pictures_needed")
def one_more_until_it_fits(points):
    n = 1
    while 1.96 * np.sqrt(0.25 / n) > points / 100:
        n += 1
    return n


@bank.alternative("pictures_needed")
def from_the_normal_distribution(points):
    return float(np.ceil((norm.ppf(0.975) * 50 / points) ** 2))


@bank.alternative("pictures_needed")
def with_whole_division(points):
    return -int(-9604 // points**2)


@bank.near_miss("pictures_needed", "the smallest number")
def one_picture_too_many(points):
    return math.ceil(0.25 * (1.96 / (points / 100)) ** 2) + 1


@bank.near_miss("pictures_needed", "to within plus or minus so many points")
def to_the_nearest(points):
    return round(0.25 * (1.96 / (points / 100)) ** 2)


@bank.near_miss("pictures_needed", "in 95 of 100 cases")
def in_90_of_100(points):
    return math.ceil(0.25 * (1.645 / (points / 100)) ** 2)


@bank.near_miss("pictures_needed", "whatever the accuracy is")
def at_80_per_cent(points):
    return math.ceil(0.16 * (1.96 / (points / 100)) ** 2)


bank.refused("pictures_needed", lambda points: 1000)

# --- stop_on_score -------------------------------------------------------------------------------


@bank.alternative("stop_on_score")
def by_position(scores, patience, min_delta=0.0):
    best = 0
    for now in range(1, len(scores)):
        if scores[now] > scores[best] + min_delta:
            best = now
        elif now - best >= patience:
            return [now + 1, best + 1]
    return [len(scores), best + 1]


@bank.alternative("stop_on_score")
def as_losses(scores, patience, min_delta=0.0):
    losses = -np.asarray(scores, "float64")
    best, at = losses[0], 0
    for i, loss in enumerate(losses):
        if loss + min_delta < best:
            best, at = loss, i
        if i > at and i - at >= patience:
            break
    return np.array([i + 1, at + 1])


@bank.alternative("stop_on_score")
def kerass_own(scores, patience, min_delta=0.0):
    rule = keras.callbacks.EarlyStopping("val", mode="max", patience=patience, min_delta=min_delta)
    rule.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    rule.model.stop_training = False
    rule.on_train_begin()
    for epoch, score in enumerate(scores):
        rule.on_epoch_end(epoch, {"val": score})
        if rule.model.stop_training:
            break
    return epoch + 1, rule.best_epoch + 1


@bank.near_miss("stop_on_score", "when no epoch is bad enough, all are trained")
def always_the_patience(scores, patience, min_delta=0.0):
    trained, best = as_losses(scores, patience, min_delta)
    return best + patience, best


@bank.near_miss("stop_on_score", "best is the last that improved by more than `min_delta`")
def the_highest_of_all(scores, patience, min_delta=0.0):
    trained, _ = as_losses(scores, patience, min_delta)
    return trained, np.argmax(scores[:trained]) + 1


@bank.near_miss("stop_on_score", "the number of epochs trained first")
def the_best_first(scores, patience, min_delta=0.0):
    return as_losses(scores, patience, min_delta)[::-1]


@bank.near_miss("stop_on_score", "both counted from 1")
def the_best_counted_from_0(scores, patience, min_delta=0.0):
    trained, best = as_losses(scores, patience, min_delta)
    return trained, best - 1


@bank.refused("stop_on_score")
def never_stops(scores, patience, min_delta=0.0):
    return len(scores), int(np.argmax(scores)) + 1


# --- KeepBest ------------------------------------------------------------------------------------


@bank.alternative("KeepBest")
class KeepsThemAll(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append((logs["val_loss"], epoch, self.model.get_weights()))

    def on_train_end(self, logs=None):
        self.model.set_weights(min(self.seen)[2])


@bank.alternative("KeepBest")
class AssignsThem(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        if self.best is None or logs.get("val_loss") < self.best:
            self.best = logs.get("val_loss")
            self.kept = [w.numpy().copy() for w in self.model.weights]

    def on_train_end(self, logs=None):
        for weight, value in zip(self.model.weights, self.kept):
            weight.assign(value)


@bank.alternative("KeepBest")
class InAFile(keras.callbacks.Callback):
    best = float("inf")

    def on_train_begin(self, logs=None):
        self.folder = tempfile.TemporaryDirectory()
        self.path = f"{self.folder.name}/best.weights.h5"

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.best = logs["val_loss"]
            self.model.save_weights(self.path)

    def on_train_end(self, logs=None):
        self.model.load_weights(self.path)
        self.folder.cleanup()


@bank.alternative("KeepBest")
class WithoutEnd(keras.callbacks.EarlyStopping):
    def __init__(self):
        super().__init__("val_loss", patience=10**9, mode="min", restore_best_weights=True)


class Kept(keras.callbacks.Callback):
    """What most of the mistakes below have in common."""

    best = float("inf")

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)


@bank.mistake("KeepBest", "nothing is put back")
class OnlyKept(Kept):
    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.best, self.weights = logs["val_loss"], self.model.get_weights()

    def on_train_end(self, logs=None):
        pass


@bank.mistake("KeepBest", "every epoch counts as the best")
class EveryEpoch(Kept):
    def on_epoch_end(self, epoch, logs=None):
        self.weights = self.model.get_weights()


@bank.mistake("KeepBest", "a name is not a copy")
class TheVariables(Kept):
    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.best, self.weights = logs["val_loss"], self.model.weights

    def on_train_end(self, logs=None):
        self.model.set_weights([w.numpy() for w in self.weights])


@bank.mistake("KeepBest", "the training loss")
class ByTrainingLoss(Kept):
    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < self.best:
            self.best, self.weights = logs["loss"], self.model.get_weights()


@bank.mistake("KeepBest", "the worst epoch")
class TheHighest(Kept):
    best = float("-inf")

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] > self.best:
            self.best, self.weights = logs["val_loss"], self.model.get_weights()


@bank.mistake("KeepBest", "only the first epoch")
class TheFirst(Kept):
    weights = None

    def on_epoch_end(self, epoch, logs=None):
        if self.weights is None:
            self.weights = self.model.get_weights()


@bank.mistake("KeepBest", "it stops the training")
class StopsAsWell(Kept):
    wait = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.best, self.weights, self.wait = logs["val_loss"], self.model.get_weights(), 0
        else:
            self.wait += 1
            self.model.stop_training = self.wait >= 2


@bank.mistake("KeepBest", "it stops the training")
class OutOfPatience(keras.callbacks.EarlyStopping):
    def __init__(self):
        super().__init__("val_loss", patience=1, mode="min", restore_best_weights=True)


@bank.near_miss("KeepBest", "the weights: all of them")
class TrainableOnes(Kept):
    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.best = logs["val_loss"]
            self.weights = [w.numpy() for w in self.model.trainable_weights]

    def on_train_end(self, logs=None):
        for weight, value in zip(self.model.trainable_weights, self.weights):
            weight.assign(value)


@bank.near_miss("KeepBest", "the lowest of all epochs")
class LowerThanBefore(Kept):
    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.weights = self.model.get_weights()
        self.best = logs["val_loss"]


@bank.near_miss("KeepBest", "leaves the model with them at the end")
class AtOnce(Kept):
    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.best, self.weights = logs["val_loss"], self.model.get_weights()
        self.model.set_weights(self.weights)

    def on_train_end(self, logs=None):
        self.model.set_weights([w * 0 for w in self.weights])


@bank.refused("KeepBest")
class TheThird(Kept):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            self.weights = self.model.get_weights()


# --- optimism ------------------------------------------------------------------------------------


@bank.alternative("optimism")
def run_by_run(validation, test):
    return sum(max(v) - t[list(v).index(max(v))] for v, t in zip(validation, test)) / len(test)


@bank.alternative("optimism")
def along_the_axis(validation, test):
    best = np.argmax(validation, axis=1)[:, None]
    return [validation.max(axis=1).mean() - np.take_along_axis(test, best, axis=1).mean()]


@bank.alternative("optimism")
def with_a_mask(validation, test):
    chosen = validation == validation.max(axis=1, keepdims=True)
    return (validation - test)[chosen].mean()


@bank.near_miss("optimism", "on average")
def the_sum(validation, test):
    return with_a_mask(validation, test) * len(test)


@bank.near_miss("optimism", "on average, the unlucky runs included")
def without_signs(validation, test):
    chosen = validation == validation.max(axis=1, keepdims=True)
    return np.abs((validation - test)[chosen]).mean()


@bank.near_miss("optimism", "how much higher")
def how_many_times(validation, test):
    return validation.max(axis=1).mean() / (
        validation.max(axis=1).mean() - with_a_mask(validation, test)
    )


@bank.near_miss("optimism", "one row for each run")
def the_other_axis(validation, test):
    best = validation.argmax(axis=0)[None]
    return np.mean(validation.max(axis=0) - np.take_along_axis(test, best, axis=0)[0])


bank.refused("optimism", lambda validation, test: validation.max() - test.max())

# --- stop_on_trend -------------------------------------------------------------------------------


@bank.alternative("stop_on_trend")
def all_slopes_at_once(curve, window):
    x = np.arange(window) - (window - 1) / 2
    slopes = np.array([x @ curve[i : i + window] for i in range(len(curve) - window + 1)])
    rising = np.flatnonzero(slopes >= 0)
    return int(rising[0]) + window if len(rising) else len(curve)


@bank.alternative("stop_on_trend")
def value_by_value(curve, window):
    seen = []
    for value in curve:
        seen.append(value)
        if len(seen) >= window and not linregress(range(window), seen[-window:]).slope < 0:
            break
    return float(len(seen))


@bank.alternative("stop_on_trend")
def with_a_covariance(curve, window):
    epoch = window
    while np.cov(range(window), curve[epoch - window : epoch])[0, 1] < 0 and epoch < len(curve):
        epoch += 1
    return epoch


@bank.near_miss("stop_on_trend", "as soon as the line does not fall: a level one does not")
def level_goes_on(curve, window):
    for epoch in range(window, len(curve) + 1):
        if np.polyfit(range(window), curve[epoch - window : epoch], 1)[0] > 0:
            return epoch
    return len(curve)


@bank.near_miss("stop_on_trend", "not before it has `window` of them")
def with_what_there_is(curve, window):
    for epoch in range(2, len(curve) + 1):
        last = curve[max(0, epoch - window) : epoch]
        if np.polyfit(range(len(last)), last, 1)[0] >= 0:
            return epoch
    return len(curve)


@bank.near_miss("stop_on_trend", "the last `window` losses")
def one_loss_too_many(curve, window):
    return all_slopes_at_once(curve, window + 1)


@bank.near_miss("stop_on_trend", "if it never fires, all epochs")
def none_if_it_never_fires(curve, window):
    for epoch in range(window, len(curve) + 1):
        if np.polyfit(range(window), curve[epoch - window : epoch], 1)[0] >= 0:
            return epoch
    return 0


bank.refused("stop_on_trend", lambda curve, window: 2 * window)
bank.refused("stop_on_trend", lambda curve, window: len(curve))

# --- epoch_order ---------------------------------------------------------------------------------


@bank.alternative("epoch_order")
def pythons_sample(seed, epoch, n):
    return random.Random(f"{seed}, {epoch}").sample(range(n), n)


@bank.alternative("epoch_order")
def sorted_by_a_hash(seed, epoch, n):
    return sorted(range(n), key=lambda i: hashlib.sha256(f"{seed}:{epoch}:{i}".encode()).digest())


@bank.alternative("epoch_order")
def the_epochs_before_it_too(seed, epoch, n):
    rng = np.random.default_rng(seed)
    for _ in range(epoch + 1):
        order = rng.permutation(n)
    return order


@bank.alternative("epoch_order")
def sorted_random_numbers(seed, epoch, n):
    return np.random.default_rng((epoch, seed)).random(n).argsort()


@bank.mistake("epoch_order", "every epoch the same")
def of_the_seed(seed, epoch, n):
    return np.random.default_rng(seed).permutation(n)


@bank.mistake("epoch_order", "luck from outside")
def from_the_stream(seed, epoch, n):
    return np.random.permutation(n)


@bank.mistake("epoch_order", "luck from outside")
def from_a_new_stream(seed, epoch, n):
    return np.random.default_rng().permutation(n)


@bank.mistake("epoch_order", "the seed is ignored")
def of_the_epoch(seed, epoch, n):
    return np.random.default_rng(epoch).permutation(n)


@bank.mistake("epoch_order", "seed plus epoch")
def of_the_sum(seed, epoch, n):
    return np.random.default_rng(seed + epoch).permutation(n)


@bank.mistake("epoch_order", "seed times epoch")
def of_the_product(seed, epoch, n):
    return np.random.default_rng(seed * epoch).permutation(n)


@bank.mistake("epoch_order", "drawn with replacement")
def drawn_one_by_one(seed, epoch, n):
    return np.random.default_rng([seed, epoch]).integers(0, n, n)


@bank.mistake("epoch_order", "no shuffling")
def as_they_came(seed, epoch, n):
    return np.arange(n)


@bank.near_miss("epoch_order", "another epoch or another seed has another one")
def in_tens(seed, epoch, n):
    return np.random.default_rng(10 * seed + epoch).permutation(n)


@bank.near_miss("epoch_order", "another seed has another one")
def either_way_round(seed, epoch, n):
    return np.random.default_rng(sorted([seed, epoch])).permutation(n)


@bank.near_miss("epoch_order", "another epoch has another one, however late")
def in_hundreds(seed, epoch, n):
    return np.random.default_rng([seed, epoch % 100]).permutation(n)


@bank.near_miss("epoch_order", "a random order")
def cut_like_cards(seed, epoch, n):
    rng = np.random.default_rng([seed, epoch])
    parts = np.split(np.arange(n), np.sort(rng.integers(1, n, 5)))
    return np.concatenate([parts[i] for i in rng.permutation(6)])


@bank.near_miss("epoch_order", "the positions 0 to n - 1")
def from_1(seed, epoch, n):
    return np.random.default_rng([seed, epoch]).permutation(n) + 1


@bank.near_miss("epoch_order", "n of them")
def always_30(seed, epoch, n):
    return np.random.default_rng([seed, epoch]).permutation(30)


# --- beat_it -------------------------------------------------------------------------------------


@bank.alternative("beat_it")
def the_last_after_a_rising_loss(losses, scores):
    if len(losses) - int(np.argmin(losses)) > 8:
        return np.int64(len(losses))


@bank.alternative("beat_it")
def by_the_trend(losses, scores):
    if len(losses) > 6 and np.polyfit(range(6), losses[-6:], 1)[0] >= 0:
        return float(len(losses))
    return None


@bank.alternative("beat_it")
def five_epochs_together(losses, scores):
    if len(scores) < 5:
        return None
    calm = [np.mean(scores[i : i + 5]) for i in range(len(scores) - 4)]
    best = int(np.argmax(calm)) + 5
    return best if len(scores) - best >= 5 else None


def patience(curve, epochs):
    best = int(np.argmax(curve)) + 1
    return best if len(curve) - best >= epochs else None


@bank.mistake("beat_it", "out of budget")
def the_best_of_all_60(losses, scores):
    return int(np.argmin(losses)) + 1 if len(losses) == 60 else None


@bank.mistake("beat_it", "counted from 0")
def epoch_0(losses, scores):
    return 0 if len(losses) == 5 else None


@bank.mistake("beat_it", "an epoch that has not been")
def three_epochs_on(losses, scores):
    return len(losses) + 3 if len(losses) == 5 else None


@bank.mistake("beat_it", "yes is not an epoch")
def yes(losses, scores):
    return True if len(losses) > 12 else None


@bank.mistake("beat_it", "it never says stop")
def never(losses, scores):
    return int(np.argmin(losses)) + 1 if losses[-1] < 0 else None


@bank.mistake("beat_it", "the judge was asked")
def looked_up(losses, scores):
    if len(losses) < 17:
        return None
    curves = recorded()
    run = next(r for r, c in enumerate(curves["small loss"]) if np.array_equal(c[:17], losses))
    return int(curves["val score"][run][:17].argmax()) + 1


@functools.cache
def recorded():
    return to_beat()[0]


@bank.near_miss("beat_it", "better than the rule to beat")
def itself(losses, scores):
    return patience(scores, 10)


@bank.near_miss("beat_it", "better than the rule to beat, not only faster")
def itself_with_less_patience(losses, scores):
    return patience(scores, 9)


@bank.near_miss("beat_it", "in at least nine of the twelve runs")
def better_on_average(losses, scores):
    return patience(scores - 0.1 * losses, 7)


@bank.near_miss("beat_it", "with no more epochs on average")
def more_patience(losses, scores):
    return len(losses) if patience(scores, 12) else None


@bank.near_miss("beat_it", "the number of the epoch")
def the_score_itself(losses, scores):
    return float(scores.max()) if len(scores) == 15 else None


bank.refused("beat_it", lambda losses, scores: 1)
bank.refused("beat_it", lambda losses, scores: patience(-losses, 5))
bank.refused("beat_it", lambda losses, scores: len(losses) if len(losses) == 2 else None)
