"""Answers to the exercises of lesson 11."""

import math

import keras
import numpy as np
from bank import Bank
from scipy.special import logsumexp, softmax

from translearn import backbones, data

bank = Bank("11")
PLACES = 128


def windows(row, starts):
    cut = row[np.asarray(starts)[:, None] + np.arange(PLACES + 1)]
    return (cut[:, :-1], cut[:, 1:])


def compiled(optimiser):
    keras.utils.set_random_seed(0)
    model = backbones.load("tiny_gpt", include_top=True)
    model.compile(optimiser, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


# --- to_bits_per_byte ----------------------------------------------------------------------------


@bank.alternative("to_bits_per_byte")
def nats_in_bits_first(nats, tokens, bytes_):
    return math.log2(math.e) * nats * (tokens / bytes_)


@bank.alternative("to_bits_per_byte")
def logarithm_of_a_perplexity(nats, tokens, bytes_):
    return np.log2(np.exp(nats) ** (tokens / bytes_))


@bank.alternative("to_bits_per_byte")
def the_whole_text(nats, tokens, bytes_):
    return np.float32(nats * tokens / math.log(2)) / bytes_


@bank.near_miss("to_bits_per_byte", "bits per byte, not a perplexity")
def a_perplexity(nats, tokens, bytes_):
    return np.exp(nats)


@bank.near_miss("to_bits_per_byte", "the logarithm to base 2")
def to_base_ten(nats, tokens, bytes_):
    return nats / np.log(10) * tokens / bytes_


@bank.near_miss("to_bits_per_byte", "of the whole text")
def without_the_first_token(nats, tokens, bytes_):
    return nats / np.log(2) * (tokens - 1) / bytes_


# --- inputs_and_targets --------------------------------------------------------------------------


@bank.alternative("inputs_and_targets")
def one_window_at_a_time(row, length):
    starts = range(0, len(row) - length, length)
    return (
        [row[s : s + length].tolist() for s in starts],
        [row[s + 1 : s + length + 1].tolist() for s in starts],
    )


@bank.alternative("inputs_and_targets")
def windows_one_longer(row, length):
    n = (len(row) - 1) // length
    cut = row[np.arange(n)[:, None] * length + np.arange(length + 1)]
    return (cut[:, :-1], cut[:, 1:])


@bank.alternative("inputs_and_targets")
def both_rows_cut(row, length):
    cut = []
    for part in (row[:-1], row[1:]):
        cut.append(part[: len(part) - len(part) % length].reshape(-1, length))
    return tuple(cut)


@bank.near_miss("inputs_and_targets", "two tables")
def two_rows(row, length):
    return (row[:-1], row[1:])


@bank.near_miss(
    "inputs_and_targets", "a target is the token that follows, at the end of the row, too"
)
def as_if_there_were_always_one_more(row, length):
    n = len(row) // length
    return (row[: n * length].reshape(n, length), row[1 : n * length + 1].reshape(n, length))


@bank.near_miss("inputs_and_targets", "without gaps")
def a_token_is_left_out_between(row, length):
    n = len(row) // (length + 1)
    cut = row[: n * (length + 1)].reshape(n, length + 1)
    return (cut[:, :-1], cut[:, 1:])


@bank.near_miss("inputs_and_targets", "what is too short is dropped")
def filled_up_with_zeros(row, length):
    n = -(-(len(row) - 1) // length)
    longer = np.pad(row, (0, n * length + 1 - len(row)))
    return (longer[:-1].reshape(n, length), longer[1:].reshape(n, length))


@bank.near_miss("inputs_and_targets", "what is left is at the end")
def the_beginning_is_dropped(row, length):
    n = (len(row) - 1) // length
    late = row[len(row) - n * length - 1 :]
    return (late[:-1].reshape(n, length), late[1:].reshape(n, length))


# --- at_temperature ------------------------------------------------------------------------------


@bank.alternative("at_temperature")
def of_scipy(logits, temperature):
    return softmax(logits / temperature)


@bank.alternative("at_temperature")
def with_logsumexp(logits, temperature):
    z = np.asarray(logits) * (1 / temperature)
    return np.exp(z - logsumexp(z)).tolist()


@bank.alternative("at_temperature")
def in_a_list(logits, temperature):
    highest = max(logits)
    weights = [math.exp((logit - highest) / temperature) for logit in logits]
    return [weight / sum(weights) for weight in weights]


@bank.near_miss("at_temperature", "at any temperature, not near 0 only")
def greedy(logits, temperature):
    chances = np.zeros(len(logits))
    chances[np.argmax(logits)] = 1
    return chances


@bank.near_miss("at_temperature", "at a temperature")
def at_a_temperature_of_one(logits, temperature):
    return softmax(logits)


@bank.mistake("at_temperature", "it cancels")
def taken_off(logits, temperature):
    return softmax(logits - temperature)


@bank.near_miss("at_temperature", "for each token, in its place")
def sorted_chances(logits, temperature):
    return np.sort(softmax(logits / temperature))


@bank.near_miss("at_temperature", "probabilities")
def logarithms(logits, temperature):
    return logits / temperature - logsumexp(logits / temperature)


# --- top_p ---------------------------------------------------------------------------------------


@bank.alternative("top_p")
def until_it_is_enough(chances, p):
    kept, total = ([0.0] * len(chances), 0.0)
    for i in sorted(range(len(chances)), key=lambda i: -chances[i]):
        if total >= p:
            break
        kept[i] = float(chances[i])
        total += kept[i]
    return [k / total for k in kept]


@bank.alternative("top_p")
def what_stands_before(chances, p):
    order = np.argsort(chances)[::-1]
    before = np.cumsum(chances[order]) - chances[order]
    keep = np.zeros(len(chances), bool)
    keep[order[before < p]] = True
    out = np.where(keep, chances, 0)
    return out / out.sum()


@bank.alternative("top_p")
def by_a_threshold(chances, p):
    falling = np.sort(chances)[::-1]
    least = falling[np.argmax(np.cumsum(falling) >= p)]
    kept = chances * (chances >= least)
    return kept / kept.sum()


@bank.near_miss("top_p", "keep the fewest")
def all_of_them(chances, p):
    return chances


@bank.near_miss("top_p", "at least p: just p is enough")
def more_than_p(chances, p):
    order = np.argsort(-chances)
    count = np.searchsorted(np.cumsum(chances[order]), p, side="right") + 1
    kept = np.zeros_like(chances)
    kept[order[:count]] = chances[order[:count]]
    return kept / kept.sum()


@bank.near_miss("top_p", "the most probable ones")
def in_the_order_of_the_tokens(chances, p):
    count = np.searchsorted(np.cumsum(chances), p) + 1
    kept = np.where(np.arange(len(chances)) < count, chances, 0)
    return kept / kept.sum()


@bank.near_miss("top_p", "the sum 1 again, each by the same factor")
def what_is_missing_goes_to_the_first(chances, p):
    order = np.argsort(-chances)
    count = np.searchsorted(np.cumsum(chances[order]), p) + 1
    kept = np.zeros_like(chances)
    kept[order[:count]] = chances[order[:count]]
    kept[order[0]] += 1 - kept.sum()
    return kept


# --- repeated_share ------------------------------------------------------------------------------


@bank.alternative("repeated_share")
def remembered_as_text(row, n):
    seen, again = (set(), 0)
    total = len(row) - n + 1
    for i in range(total):
        run = str(row[i : i + n])
        again += run in seen
        seen.add(run)
    return again / total


@bank.alternative("repeated_share")
def unique_rows(row, n):
    runs = np.lib.stride_tricks.sliding_window_view(np.asarray(row), n)
    return 1 - len(np.unique(runs, axis=0)) / len(runs)


@bank.alternative("repeated_share")
def looked_up_in_a_list(row, n):
    runs = [row[i : i + n] for i in range(len(row) - n + 1)]
    return np.mean([run in runs[:i] for i, run in enumerate(runs)])


@bank.near_miss("repeated_share", "runs of tokens, not of digits")
def joined_without_a_space(row, n):
    runs = ["".join(map(str, row[i : i + n])) for i in range(len(row) - n + 1)]
    return 1 - len(set(runs)) / len(runs)


@bank.near_miss("repeated_share", "in this order")
def in_any_order(row, n):
    runs = [tuple(sorted(row[i : i + n])) for i in range(len(row) - n + 1)]
    return 1 - len(set(runs)) / len(runs)


@bank.near_miss("repeated_share", "runs of n tokens, those in the middle among them")
def by_their_two_ends(row, n):
    runs = [(row[i], row[i + n - 1]) for i in range(len(row) - n + 1)]
    return 1 - len(set(runs)) / len(runs)


@bank.near_miss("repeated_share", "in this order, not the other way round")
def read_either_way(row, n):
    runs = [tuple(row[i : i + n]) for i in range(len(row) - n + 1)]
    return 1 - len({min(run, run[::-1]) for run in runs}) / len(runs)


@bank.near_miss("repeated_share", "a share of its runs")
def a_share_of_its_tokens(row, n):
    runs = [tuple(row[i : i + n]) for i in range(len(row) - n + 1)]
    return (len(runs) - len(set(runs))) / len(row)


@bank.near_miss("repeated_share", "anywhere before")
def just_before(row, n):
    runs = [row[i : i + n] for i in range(len(row) - n + 1)]
    return np.mean([i >= n and run == runs[i - n] for i, run in enumerate(runs)])


bank.refused("repeated_share", lambda row, n: 0.0)


# --- lora_share ----------------------------------------------------------------------------------


@bank.alternative("lora_share")
def two_fractions(inputs, outputs, rank):
    return rank / outputs + rank / inputs


@bank.alternative("lora_share")
def sizes_of_arrays(inputs, outputs, rank):
    thin = np.zeros((inputs, rank)).size + np.zeros((rank, outputs)).size
    return thin / np.zeros((inputs, outputs)).size


@bank.alternative("lora_share")
def counted_by_keras(inputs, outputs, rank):
    layer = keras.layers.Dense(outputs, use_bias=False)
    layer.build((None, inputs))
    layer.enable_lora(rank)
    learn = sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)
    return learn / (inputs * outputs)


@bank.near_miss("lora_share", "a share")
def the_rank(inputs, outputs, rank):
    return rank


@bank.near_miss("lora_share", "no bias")
def with_a_bias(inputs, outputs, rank):
    return (rank * (inputs + outputs) + outputs) / (inputs * outputs)


@bank.near_miss("lora_share", "of this rank")
def of_rank_one(inputs, outputs, rank):
    return (inputs + outputs) / (inputs * outputs)


@bank.near_miss("lora_share", "as a share of those in the matrix")
def how_many_times_smaller(inputs, outputs, rank):
    return inputs * outputs / (rank * (inputs + outputs))


# --- merged --------------------------------------------------------------------------------------


@bank.alternative("merged")
def by_einsum(kernel, a, b, alpha):
    return np.add(kernel, np.einsum("ir,ro->io", a, b) * (alpha / b.shape[0])).tolist()


@bank.alternative("merged")
def rank_by_rank(kernel, a, b, alpha):
    total = np.array(kernel, "float64")
    for r in range(len(b)):
        total += alpha / len(b) * np.outer(a[:, r], b[r])
    return total.astype("float32")


@bank.alternative("merged")
def scaled_first(kernel, a, b, alpha):
    return kernel + (a * alpha / a.shape[-1]) @ b


@bank.near_miss("merged", "what LoRA learned")
def the_kernel(kernel, a, b, alpha):
    return kernel


@bank.near_miss("merged", "return one matrix, and leave the layer's as it is")
def in_place(kernel, a, b, alpha):
    kernel += alpha / a.shape[1] * a @ b
    return kernel


@bank.near_miss("merged", "added")
def taken_away(kernel, a, b, alpha):
    return kernel - alpha / a.shape[1] * a @ b


@bank.near_miss("merged", "the rank is that of the thin matrices, not what their product has")
def rank_of_the_product(kernel, a, b, alpha):
    return kernel + alpha / np.float64(np.linalg.matrix_rank(a @ b)) * a @ b


@bank.near_miss("merged", "alpha / rank")
def rank_over_alpha(kernel, a, b, alpha):
    return kernel + a.shape[1] / alpha * a @ b


# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def the_pages():
    fortunes, tokenizer = data.load_text("fortunes"), backbones.tokenizer("tiny_gpt")
    pages = tokenizer.encode(fortunes.train.take(20_000, seed=0))
    drawn = np.random.default_rng(0).integers(0, len(pages) - PLACES, 240)
    return {"fortunes": fortunes, "tokenizer": tokenizer, "pages": pages, "drawn": drawn}


@bank.alternative("beat_it")
def a_rate_between_those_of_the_lesson(given):
    mine = compiled(keras.optimizers.Adam(4e-4))
    mine.fit(*windows(given.pages, given.drawn), batch_size=8, shuffle=False, verbose=0)
    return mine


@bank.alternative("beat_it")
def weight_decay_and_a_line(given):
    line = keras.optimizers.schedules.PolynomialDecay(1.2e-3, 30, 1e-5)
    mine = compiled(keras.optimizers.AdamW(line, weight_decay=0.01))
    mine.fit(*windows(given.pages, given.drawn), batch_size=8, shuffle=False, verbose=0)
    return mine


@bank.alternative("beat_it")
def set_before_each_step(given):
    mine = compiled(keras.optimizers.Adam())

    def fall(step, logs=None):
        mine.optimizer.learning_rate = 1e-3 * (1 - step / 30)

    falling = keras.callbacks.LambdaCallback(on_train_batch_begin=fall)
    cut = windows(given.pages, given.drawn)
    mine.fit(*cut, batch_size=8, shuffle=False, verbose=0, callbacks=[falling])
    return mine


@bank.mistake("beat_it", "trained on the validation text")
def on_the_validation_text(given):
    mine = compiled(keras.optimizers.Adam(1e-3))
    row = given.tokenizer.encode(given.fortunes.validation.take(20_000))
    cut = windows(row, range(0, len(row) - PLACES, 48))
    mine.fit(*cut, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return mine


@bank.near_miss("beat_it", "learn from the pages")
def as_it_came(given):
    return compiled(keras.optimizers.Adam())


@bank.near_miss("beat_it", "learn from the pages: a schedule alone is nothing")
def with_a_schedule_that_nobody_follows(given):
    mine = compiled(keras.optimizers.Adam())
    mine.optimizer.learning_rate = keras.optimizers.schedules.CosineDecay(1e-3, 30)
    return mine


@bank.near_miss("beat_it", "by 0.012 bits per byte or more: ahead by luck, on these pages only")
def the_last_block_at_its_rate(given):
    mine = compiled(keras.optimizers.Adam(3e-3))
    for weight in mine.weights:
        weight.trainable = weight.path.startswith(("block4", "final"))
    mine.fit(*windows(given.pages, given.drawn), batch_size=8, shuffle=False, verbose=0)
    return mine


@bank.near_miss("beat_it", "hand in a model")
def a_number(given):
    return 3.1


@bank.near_miss("beat_it", "logits for each of 128 places")
def without_the_top(given):
    return backbones.load("tiny_gpt")
