"""Answers to the exercises of lesson 02."""

import numpy as np
from bank import Bank

from translearn import backbones, data, optim, transfer

bank = Bank("02")

# --- one_step ------------------------------------------------------------------------------------


@bank.alternative("one_step")
def in_numpys_words(weights, gradient, rate):
    return np.add(weights, np.multiply(-rate, gradient))


@bank.alternative("one_step")
def weight_by_weight(weights, gradient, rate):
    return [w - rate * g for w, g in zip(weights, gradient)]


@bank.alternative("one_step")
def on_a_copy(weights, gradient, rate):
    new = weights.copy()
    new -= rate * gradient
    return new


@bank.mistake("one_step", "changed in place")
def on_the_array_itself(weights, gradient, rate):
    weights -= rate * gradient
    return weights


@bank.mistake("one_step", "changed in place")
def into_the_array_itself(weights, gradient, rate):
    np.subtract(weights, rate * gradient, out=weights)
    return weights.copy()


bank.near_miss("one_step", "times the rate", lambda weights, gradient, rate: weights - gradient)


@bank.near_miss("one_step", "the new weights, every one")
def the_first_weight(weights, gradient, rate):
    new = weights.copy()
    new[0] -= rate * gradient[0]
    return new


@bank.refused("one_step")
def a_share_of_the_weights(weights, gradient, rate):
    return weights * (1 - rate * gradient)


# --- final_step ----------------------------------------------------------------------------------


@bank.alternative("final_step")
def walked(gradient, rate, keep):
    v = 0
    for _ in range(5000):
        v = keep * v - rate * gradient
    return -v if v < 0 else v


@bank.alternative("final_step")
def summed(gradient, rate, keep):
    return np.abs(rate * gradient * np.sum(keep ** np.arange(5000.0)))


@bank.alternative("final_step")
def until_it_stays(gradient, rate, keep):
    last, now = -1.0, 0.0
    while now != last:
        last, now = now, keep * now + abs(gradient) * rate
    return now


@bank.near_miss("final_step", "for any `keep`")
def for_nine_tenths(gradient, rate, keep):
    return 10 * rate * abs(gradient)


@bank.near_miss("final_step", "from 0")
def not_for_zero(gradient, rate, keep):
    return rate * abs(gradient) / (1 - keep) if keep else 0.0


@bank.near_miss("final_step", "the final step")
def the_fiftieth(gradient, rate, keep):
    return rate * abs(gradient) * (1 - keep**50) / (1 - keep)


@bank.refused("final_step")
def divided_by_keep(gradient, rate, keep):
    return rate * abs(gradient) / keep if keep else rate * abs(gradient)


# --- look_ahead ----------------------------------------------------------------------------------


@bank.alternative("look_ahead")
def from_the_place_ahead(weights, velocity, gradient_at, rate, keep):
    ahead = weights + keep * velocity
    after = ahead - rate * gradient_at(ahead)
    return after, after - weights


@bank.alternative("look_ahead")
def as_lists(weights, velocity, gradient_at, rate, keep):
    g = np.asarray(gradient_at(weights + velocity * keep))
    v = np.add(velocity * keep, -g * rate)
    return [(weights + v).tolist(), v.tolist()]


@bank.alternative("look_ahead")
def in_place(weights, velocity, gradient_at, rate, keep):
    velocity *= keep
    velocity -= rate * gradient_at(weights + velocity)
    weights += velocity
    return weights, velocity


@bank.near_miss("look_ahead", "against the gradient")
def uphill_from_there(weights, velocity, gradient_at, rate, keep):
    v = keep * velocity + rate * gradient_at(weights + keep * velocity)
    return weights + v, v


@bank.near_miss("look_ahead", "the weights first")
def the_velocity_first(weights, velocity, gradient_at, rate, keep):
    v = keep * velocity - rate * gradient_at(weights + keep * velocity)
    return v, weights + v


@bank.near_miss("look_ahead", "and the new velocity")
def the_weights_alone(weights, velocity, gradient_at, rate, keep):
    return weights + keep * velocity - rate * gradient_at(weights + keep * velocity)


@bank.near_miss("look_ahead", "take the gradient there, once")
def looked_twice(weights, velocity, gradient_at, rate, keep):
    ahead = weights + keep * velocity - rate * gradient_at(weights)
    v = keep * velocity - rate * gradient_at(ahead)
    return weights + v, v


# --- rmsprop_step --------------------------------------------------------------------------------


@bank.alternative("rmsprop_step")
def with_epsilon_outside(weights, gradient, square, rate, keep):
    s = square + (1 - keep) * (np.square(gradient) - square)
    return weights - rate * gradient / (np.sqrt(s) + 1e-8), s


@bank.alternative("rmsprop_step")
def one_weight_at_a_time(weights, gradient, square, rate, keep):
    s = [keep * a + (1 - keep) * g * g for a, g in zip(square, gradient)]
    return [[w - rate * g / (a + 1e-7) ** 0.5 for w, g, a in zip(weights, gradient, s)], s]


@bank.alternative("rmsprop_step")
def by_the_courses_own(weights, gradient, square, rate, keep):
    optimiser = optim.RMSProp(rate, rho=keep)
    optimiser.memory["square"] = square
    return optimiser.step(weights, gradient), optimiser.memory["square"]


@bank.near_miss("rmsprop_step", "down, not up")
def rmsprop_uphill(weights, gradient, square, rate, keep):
    square = keep * square + (1 - keep) * gradient**2
    return weights + rate * gradient / np.sqrt(square + 1e-7), square


@bank.near_miss("rmsprop_step", "and the new `square`")
def without_the_square(weights, gradient, square, rate, keep):
    return weights - rate * gradient / np.sqrt(keep * square + (1 - keep) * gradient**2)


@bank.near_miss("rmsprop_step", "the new `square`, not the old one")
def the_old_square(weights, gradient, square, rate, keep):
    new = keep * square + (1 - keep) * gradient**2
    return weights - rate * gradient / np.sqrt(new + 1e-7), square


@bank.near_miss("rmsprop_step", "`keep` is given")
def keeps_nine_tenths(weights, gradient, square, rate, keep):
    square = 0.9 * square + 0.1 * gradient**2
    return weights - rate * gradient / np.sqrt(square + 1e-7), square


# --- adam_move -----------------------------------------------------------------------------------


@bank.alternative("adam_move")
def as_weighted_means(gradients, rate, beta_1=0.9, beta_2=0.999):
    ago = np.arange(len(gradients))[::-1, None]
    mean = (beta_1**ago * gradients).sum(axis=0) / (beta_1**ago).sum()
    square = (beta_2**ago * gradients**2).sum(axis=0) / (beta_2**ago).sum()
    return -rate * mean / np.sqrt(square)


@bank.alternative("adam_move")
def difference_of_weights(gradients, rate, beta_1=0.9, beta_2=0.999):
    opt, w = optim.Adam(rate, beta_1, beta_2), np.zeros(gradients.shape[1])
    for g in gradients:
        before, w = w, opt.step(w, g)
    return list(w - before)


@bank.alternative("adam_move")
def correction_in_the_rate(gradients, rate, beta_1=0.9, beta_2=0.999):
    t, mean, square = 0, 0, 0
    for g in gradients:
        t += 1
        mean = beta_1 * mean + (1 - beta_1) * g
        square = beta_2 * square + (1 - beta_2) * g * g
        step = -rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * mean / (square**0.5 + 1e-8)
    return step


@bank.near_miss("adam_move", "after it has seen all the rows")
def without_the_last_row(gradients, rate, beta_1=0.9, beta_2=0.999):
    return correction_in_the_rate(gradients[:-1] if len(gradients) > 1 else gradients, rate)


@bank.near_miss("adam_move", "running means, not plain ones")
def plain_means(gradients, rate, beta_1=0.9, beta_2=0.999):
    return -rate * gradients.mean(axis=0) / np.sqrt((gradients**2).mean(axis=0))


@bank.near_miss("adam_move", "with these betas")
def the_usual_betas(gradients, rate, beta_1=0.9, beta_2=0.999):
    return correction_in_the_rate(gradients, rate)


@bank.near_miss("adam_move", "against the gradient, whichever its sign")
def always_down(gradients, rate, beta_1=0.9, beta_2=0.999):
    return -np.abs(correction_in_the_rate(gradients, rate, beta_1, beta_2))


@bank.near_miss("adam_move", "each mean with its own beta")
def betas_swapped(gradients, rate, beta_1=0.9, beta_2=0.999):
    return correction_in_the_rate(gradients, rate, beta_2, beta_1)


@bank.refused("adam_move")
def a_sign(gradients, rate, beta_1=0.9, beta_2=0.999):
    return -rate * np.sign(gradients[-1])


# --- decayed -------------------------------------------------------------------------------------


@bank.alternative("decayed")
def shrink_then_move(weights, move, rate, decay):
    return (1 - rate * decay) * weights + move


@bank.alternative("decayed")
def pair_by_pair(weights, move, rate, decay):
    return [w * (1 - rate * decay) + m for w, m in zip(weights, move)]


@bank.alternative("decayed")
def as_one_move(weights, move, rate, decay):
    move = move - np.multiply(rate * decay, weights)
    return weights + move


@bank.near_miss("decayed", "`move` is added")
def move_taken_away(weights, move, rate, decay):
    return weights - move - rate * decay * weights


bank.near_miss("decayed", "with weight decay", lambda weights, move, rate, decay: weights + move)


@bank.near_miss("decayed", "the new weights")
def what_is_added(weights, move, rate, decay):
    return move - rate * decay * weights


# --- best_rate -----------------------------------------------------------------------------------


@bank.alternative("best_rate")
def with_infinity_for_the_failed(rates, losses):
    means = np.where(np.isnan(losses).any(axis=1), np.inf, np.nansum(losses, axis=1))
    return rates[means.argmin()]


@bank.alternative("best_rate")
def smallest_of_the_survivors(rates, losses):
    fair = [(np.mean(row), rate) for rate, row in zip(rates, losses) if not np.isnan(row).any()]
    return min(fair)[1]


@bank.alternative("best_rate")
def by_the_median(rates, losses):
    return float(rates[np.nanargmin(np.median(losses, axis=1))])


@bank.alternative("best_rate")
def failed_rows_removed(rates, losses):
    kept = ~np.isnan(losses).any(axis=1)
    return rates[kept][losses[kept].mean(axis=1).argmin()]


@bank.near_miss("best_rate", "a rate with such a run is out")
def nan_counts_as_a_blind_guess(rates, losses):
    return rates[np.nan_to_num(losses, nan=1.3).mean(axis=1).argmin()]


@bank.near_miss("best_rate", "such a rate is out, however large the other losses")
def nan_counts_as_ten(rates, losses):
    return rates[np.nan_to_num(losses, nan=10.0).mean(axis=1).argmin()]


@bank.near_miss("best_rate", "on average, not at its worst")
def the_best_worst_run(rates, losses):
    return rates[np.nanargmin(losses.max(axis=1))]


@bank.near_miss("best_rate", "over the seeds, not the last of them")
def the_last_seed(rates, losses):
    return rates[np.nanargmin(np.where(np.isnan(losses).any(axis=1), np.nan, losses[:, -1]))]


@bank.near_miss("best_rate", "the lowest loss, not the largest rate that did not diverge")
def the_largest_stable_rate(rates, losses):
    return rates[~np.isnan(losses).any(axis=1)].max()


@bank.near_miss("best_rate", "the rate, not its loss")
def its_loss(rates, losses):
    return np.nanmin(losses.mean(axis=1))


@bank.near_miss("best_rate", "over the seeds")
def the_first_seed(rates, losses):
    return rates[np.nanargmin(np.where(np.isnan(losses).any(axis=1), np.nan, losses[:, 0]))]


bank.refused("best_rate", lambda rates, losses: rates.mean())

# --- sweep_rates ---------------------------------------------------------------------------------


@bank.alternative("sweep_rates")
def one_run_in_a_function(rule, gradient_at, start, rates, steps):
    def one(rate):
        w, m = np.array(start), dict()
        for _ in range(steps):
            w = rule(w, gradient_at(w), m, rate)
        return w

    return {rate: one(rate) for rate in rates}


@bank.alternative("sweep_rates")
def memory_cleared(rule, gradient_at, start, rates, steps):
    ends, memory = {}, {}
    for rate in rates:
        memory.clear()
        weights = start.copy()
        for _ in range(steps):
            weights = rule(weights, gradient_at(weights), memory, rate=rate)
        ends[rate] = list(weights)
    return ends


@bank.alternative("sweep_rates")
def all_rates_side_by_side(rule, gradient_at, start, rates, steps):
    ends, memories = {rate: start for rate in rates}, {rate: {} for rate in rates}
    for _ in range(steps):
        for rate in rates:
            ends[rate] = rule(ends[rate], gradient_at(ends[rate]), memories[rate], rate)
    return ends


@bank.near_miss("sweep_rates", "after `steps` steps")
def one_step_more(rule, gradient_at, start, rates, steps):
    return one_run_in_a_function(rule, gradient_at, start, rates, steps + 1)


@bank.near_miss("sweep_rates", "every rate")
def without_the_last_rate(rule, gradient_at, start, rates, steps):
    return memory_cleared(rule, gradient_at, start, rates[:-1], steps)


@bank.near_miss("sweep_rates", "`rule` is any of part 3")
def plain_descent(rule, gradient_at, start, rates, steps):
    ends = {}
    for rate in rates:
        weights = start
        for _ in range(steps):
            weights = weights - rate * gradient_at(weights)
        ends[rate] = weights
    return ends


bank.refused("sweep_rates", lambda rule, gradient_at, start, rates, steps: 0.5)


@bank.refused("sweep_rates")
def never_moved(rule, gradient_at, start, rates, steps):
    return {rate: start for rate in rates}


# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def features_of_emoji():
    emoji = data.load("emoji_styles")
    backbone = backbones.load("efficientnet_lite0")
    parts = ("train", "validation", "test")
    labels = {part: getattr(emoji, part).labels for part in parts}
    seen = {}
    for part in parts:
        images = getattr(emoji, part).images
        found = transfer.cache_features(backbone, images, layers=["block13"], progress=False)
        seen[part] = found["block13"]
    mean, spread = seen["train"].mean(axis=0), seen["train"].std(axis=0)
    features = {part: (seen[part] - mean) / spread for part in parts}

    def batches(seed, steps=320, size=32):
        rng, count = np.random.default_rng(seed), len(labels["train"])
        epochs = [rng.permutation(count) for _ in range(steps * size // count + 1)]
        return np.concatenate(epochs)[: steps * size].reshape(steps, size)

    return {"labels": labels, "features": features, "batches": batches}


def logits(weights, x):
    z = x @ weights[:-1] + weights[-1]
    return z - z.max(axis=1, keepdims=True)


def gradient_on(x, y, weights):
    error = np.exp(logits(weights, x))
    error = error / error.sum(axis=1, keepdims=True) - np.eye(12)[y]
    return np.vstack([x.T @ error, error.sum(axis=0)]) / len(x)


def path_of(given, optimiser):
    """The weights after each of the 320 steps."""
    x, y, weights, path = given.features["train"], given.labels["train"], np.zeros((193, 12)), []
    for rows in given.batches(seed=0):
        weights = optimiser.step(weights, gradient_on(x[rows], y[rows], weights))
        path.append(weights)
    return path


@bank.alternative("beat_it")
def a_third_of_the_rate(given):
    weights = path_of(given, optim.Adam(0.001))[-1]
    return (given.features["validation"] @ weights[:-1] + weights[-1]).tolist()


@bank.alternative("beat_it")
def the_mean_of_the_path(given):
    weights = np.mean(path_of(given, optim.Adam(0.003))[80:], axis=0)
    return logits(weights, given.features["validation"])


@bank.alternative("beat_it")
def plain_and_slow(given):
    weights = path_of(given, optim.SGD(0.03))[-1]
    return logits(weights, given.features["validation"]).astype("float32")


@bank.mistake("beat_it", "the answers themselves")
def from_the_labels(given):
    return 10 * np.eye(12)[given.labels["validation"]]


@bank.mistake("beat_it", "on the training pictures")
def for_the_training_pictures(given):
    return np.zeros((len(given.labels["train"]), 12))


@bank.mistake("beat_it", "classes, not scores")
def one_class_each(given):
    return np.zeros(len(given.labels["validation"]), int)


@bank.mistake("beat_it", "probabilities, not scores")
def after_the_softmax(given):
    return np.full((len(given.labels["validation"]), 12), 1 / 12)


@bank.near_miss("beat_it", "lower than tuned Adam")
def tuned_adam_itself(given):
    return logits(path_of(given, optim.Adam(0.003))[-1], given.features["validation"])


@bank.near_miss("beat_it", "by at least 0.03")
def the_mean_of_a_fast_path(given):
    weights = np.mean(path_of(given, optim.SGD(0.1))[80:], axis=0)
    return logits(weights, given.features["validation"])


@bank.near_miss("beat_it", "a row for each validation picture")
def one_row_short(given):
    return a_third_of_the_rate(given)[:-1]


@bank.near_miss("beat_it", "for the validation pictures")
def for_the_test_pictures(given):
    return logits(path_of(given, optim.Adam(0.001))[-1], given.features["test"])


@bank.refused("beat_it")
def a_blind_guess(given):
    return np.zeros((len(given.labels["validation"]), 12))
