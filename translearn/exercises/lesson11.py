"""Exercises of lesson 11, GPT on prose."""

import functools
from collections import Counter

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    exercise,
    expect_model,
    to_beat,
)

to_bits_per_byte = Function(
    "to_bits_per_byte",
    title="Bits per byte",
    hints=[
        "A nat is 1 / ln 2 bits. How many nats does the whole text cost?",
        "`nats * tokens` is what the text costs in nats; divide by `np.log(2)` for "
        "bits, and by the number of bytes.",
    ],
    praise="Now two networks with different tokenizers can be compared: bytes are the "
    "same for all.",
    probes=[(3.0, 1000, 3000), (2.2, 450, 1000), (0.5, 70, 280)],
    mistakes=[
        Mistake(
            "nats, not bits",
            "That is in nats. A nat is 1 / ln 2, about 1.44 bits.",
            lambda nats, tokens, bytes_: nats * tokens / bytes_,
        ),
        Mistake(
            "per token",
            "That is bits per *token*. A token is several bytes long.",
            lambda nats, tokens, bytes_: nats / np.log(2),
        ),
        Mistake(
            "upside down",
            "Your fraction is upside down: the whole text costs nats times tokens, and is spread "
            "over its bytes.",
            lambda nats, tokens, bytes_: nats / np.log(2) * bytes_ / tokens,
        ),
        Mistake(
            "multiplied by the logarithm",
            "From nats to bits one divides by ln 2: a number of bits is larger than that of nats.",
            lambda nats, tokens, bytes_: nats * np.log(2) * tokens / bytes_,
        ),
        Mistake(
            "eight bits a byte",
            "You divided by eight. The bits here are those of the loss, for each byte of text.",
            lambda nats, tokens, bytes_: nats / np.log(2) * tokens / (8 * bytes_),
        ),
    ],
)


two_perplexities = Choice(
    "two_perplexities",
    "Network A has a perplexity of 20 on a text, network B one of 60 on the same "
    "text. A's tokens are 2 bytes long on average, B's 4. Which one predicts the "
    "text better?",
    {
        "a": "A, since it hesitates among fewer tokens wherever it has to guess the next one",
        "b": "They cannot be compared at all, since their vocabularies are not the same",
        "c": "B: it needs log2(60) / 4, about 1.5 bits per byte, and A needs about 2.2",
        "d": "B, since a higher perplexity is better",
    },
    right="c",
    wrong={
        "a": (
            "perplexity across tokenizers",
            "A hesitates among fewer, but twice as often: it has to guess two tokens where "
            "B guesses one.",
        ),
        "b": (
            "not comparable",
            "Perplexities of different tokens are not. Bits per byte are, and can be "
            "computed from what is given.",
        ),
        "d": (
            "higher is better",
            "A perplexity is the number of tokens among which a network hesitates. Fewer "
            "is better, for the same tokens.",
        ),
    },
    hints=[
        "How many guesses does each of them need for a hundred bytes?",
        "The logarithm to base 2 of a perplexity is the loss in bits a token. Divide "
        "by the bytes a token has.",
    ],
    praise="A perplexity without its tokenizer is half a number.",
)


ROW = np.random.default_rng(3).integers(1, 1000, 27)


def inputs_and_targets_nothing_to_guess(row, length):
    n = (len(row) - 1) // length
    x = row[: n * length].reshape(n, length)
    return (x, x)


def inputs_and_targets_backwards(row, length):
    n = (len(row) - 1) // length
    return (row[1 : n * length + 1].reshape(n, length), row[: n * length].reshape(n, length))


def inputs_and_targets_rolled_within_the_window(row, length):
    n = (len(row) - 1) // length
    x = row[: n * length].reshape(n, length)
    return (x, np.roll(x, -1, axis=1))


def inputs_and_targets_two_places_on(row, length):
    n = (len(row) - 2) // length
    return (row[: n * length].reshape(n, length), row[2 : n * length + 2].reshape(n, length))


def inputs_and_targets_overlapping(row, length):
    cut = np.lib.stride_tricks.sliding_window_view(row, length + 1)
    return (cut[:, :-1], cut[:, 1:])


def inputs_and_targets_the_last_window_is_lost(row, length):
    n = (len(row) - 1) // length - 1
    return (row[: n * length].reshape(n, length), row[1 : n * length + 1].reshape(n, length))


inputs_and_targets = Function(
    "inputs_and_targets",
    title="Inputs and targets",
    hints=[
        "The targets are the same row, begun one token later. The last target must "
        "exist, so only `len(row) - 1` tokens can be inputs.",
        "`n = (len(row) - 1) // length`; the inputs are `row[:n * length].reshape(n, "
        "length)`, the targets the same from place 1 on.",
    ],
    praise="Every token but the first is a target, and every one but the last is an "
    "input: a text of any length trains a network without a single label.",
    probes={
        "27 tokens and windows of 8": (ROW, 8),
        "25 tokens and windows of 6": (ROW[:25], 6),
        "13 tokens and windows of 4": (ROW[:13], 4),
        "24 tokens and windows of 8": (ROW[:24], 8),
    },
    mistakes=[
        Mistake(
            "nothing to guess",
            "Inputs and targets are the same. Each token sees itself, so there is nothing "
            "to guess; the target is the token that *follows*.",
            inputs_and_targets_nothing_to_guess,
        ),
        Mistake(
            "backwards",
            "Your targets come before their inputs: that network would learn to guess what "
            "it has read already.",
            inputs_and_targets_backwards,
        ),
        Mistake(
            "rolled within the window",
            "The last target of each window is its own first token. It should be the token "
            "that follows in the text, the first one of the next window.",
            inputs_and_targets_rolled_within_the_window,
        ),
        Mistake(
            "two places on",
            "Your targets are two tokens further on. Asked for is the very next one.",
            inputs_and_targets_two_places_on,
        ),
        Mistake(
            "overlapping",
            "Your windows overlap. They were to lie side by side.",
            inputs_and_targets_overlapping,
        ),
        Mistake(
            "the last window is lost",
            "There is room for one window more: 25 tokens have four windows of 6, with a "
            "target for each.",
            inputs_and_targets_the_last_window_is_lost,
        ),
    ],
)


LOGITS = np.random.default_rng(6).normal(size=12)


def softmax(logits):
    chances = np.exp(logits - logits.max())
    return chances / chances.sum()


def at_temperature_after_the_softmax(logits, temperature):
    p = softmax(logits) / temperature
    return p / p.sum()


def at_temperature_it_overflows(logits, temperature):
    e = np.exp(logits / temperature)
    return e / e.sum()


at_temperature = Function(
    "at_temperature",
    title="Temperature",
    hints=[
        "Divide the logits by the temperature, then take the softmax.",
        "Subtract the largest before `np.exp`, or a low temperature overflows: "
        "`np.exp(scaled - scaled.max())`, divided by its sum.",
    ],
    praise="At a temperature near 0 that is greedy decoding, at a very high one a coin "
    "with a thousand sides.",
    probes=lambda: {
        f"twelve logits at a temperature of {temperature}": (scale * LOGITS, temperature)
        for temperature, scale in ((1.5, 1), (0.5, 3), (0.02, 30), (20.0, 5))
    },
    tolerance=1e-5,
    mistakes=[
        Mistake(
            "multiplied",
            "You multiplied by the temperature. A *low* one is to make the choice safer: divide.",
            lambda logits, temperature: softmax(logits * temperature),
        ),
        Mistake(
            "it cancels",
            "Yours are the same at every temperature. What is taken off all logits, or "
            "multiplies all probabilities, cancels when the sum is made 1 again: divide the "
            "logits.",
            at_temperature_after_the_softmax,
        ),
        Mistake(
            "it overflows",
            "At a low temperature some probabilities are not finite. The softmax does not change "
            "when the largest logit is subtracted first.",
            at_temperature_it_overflows,
        ),
        Mistake(
            "they do not sum to one",
            "These do not sum to one. The temperature belongs to the logits, before the softmax.",
            lambda logits, temperature: softmax(logits) / temperature,
        ),
    ],
)


def top_p_one_too_few(chances, p):
    order = np.argsort(-chances)
    keep = order[np.cumsum(chances[order]) < p]
    kept = np.zeros_like(chances)
    kept[keep] = chances[keep]
    return kept / max(kept.sum(), 1e-09)


def top_p_each_one_above_p(chances, p):
    kept = np.where(chances >= p, chances, 0)
    return kept / max(kept.sum(), 1e-09)


def top_p_the_least_probable(chances, p):
    order = np.argsort(chances)
    count = np.searchsorted(np.cumsum(chances[order]), p) + 1
    kept = np.zeros_like(chances)
    kept[order[:count]] = chances[order[:count]]
    return kept / kept.sum()


def top_p_the_sum_is_not_one(chances, p):
    order = np.argsort(-chances)
    count = np.searchsorted(np.cumsum(chances[order]), p) + 1
    kept = np.zeros_like(chances)
    kept[order[:count]] = chances[order[:count]]
    return kept


def top_p_not_where_they_belong(chances, p):
    order = np.argsort(-chances)
    count = np.searchsorted(np.cumsum(chances[order]), p) + 1
    kept = np.zeros_like(chances)
    kept[:count] = chances[order[:count]]
    return kept / kept.sum()


top_p = Function(
    "top_p",
    title="Top-p",
    hints=[
        "Sort the probabilities from the largest down, and add them up with "
        "`np.cumsum`. How many are needed until the sum is at least `p`?",
        "`np.searchsorted(np.cumsum(chances[order]), p) + 1` counts them. Copy those "
        "into an array of zeros, and divide by the sum.",
    ],
    praise="Where the network is sure, that leaves one or two tokens; where it is not, "
    "hundreds. A fixed k cannot do that.",
    probes=[
        (np.array([0.2, 0.22, 0.18, 0.25, 0.15]), 0.6),
        (np.array([0.1, 0.4, 0.05, 0.3, 0.15]), 0.75),
        (np.array([0.02, 0.9, 0.03, 0.05]), 0.5),
        (np.array([0.125, 0.5, 0.125, 0.25]), 0.75),  # these two together have just p
    ],
    tolerance=1e-5,
    mistakes=[
        Mistake(
            "one too few",
            "The tokens that you keep sum to less than `p`. The one that takes the sum "
            "over it belongs to them, too; there is always at least one.",
            top_p_one_too_few,
        ),
        Mistake(
            "each one above p",
            "You keep tokens whose own probability is at least `p`. It is their *sum* that "
            "has to reach it.",
            top_p_each_one_above_p,
        ),
        Mistake(
            "the least probable",
            "You began with the least probable ones: `np.argsort` sorts upwards.",
            top_p_the_least_probable,
        ),
        Mistake(
            "the sum is not one",
            "Those are the right tokens. Divide by what is left, so that the sum is 1 again.",
            top_p_the_sum_is_not_one,
        ),
        Mistake(
            "not where they belong",
            "The numbers are right, but they stand at other tokens' places.",
            top_p_not_where_they_belong,
        ),
    ],
)


def repeated_share_different_not_repeated(row, n):
    runs = [tuple(row[i : i + n]) for i in range(len(row) - n + 1)]
    return len(set(runs)) / len(runs)


def repeated_share_side_by_side(row, n):
    runs = [tuple(row[i : i + n]) for i in range(0, len(row) - n + 1, n)]
    return 1 - len(set(runs)) / len(runs)


def repeated_share_all_that_occur_twice(row, n):
    counts = Counter(tuple(row[i : i + n]) for i in range(len(row) - n + 1))
    return sum(count for count in counts.values() if count > 1) / counts.total()


def repeated_share_short_ends_count(row, n):
    runs = [tuple(row[i : i + n]) for i in range(len(row))]
    return 1 - len(set(runs)) / len(runs)


repeated_share = Function(
    "repeated_share",
    title="Round in circles",
    hints=[
        "List all runs: `[tuple(row[i:i + n]) for i in range(len(row) - n + 1)]`. A "
        "`set` of them holds each only once.",
        "One minus the number of *different* runs over the number of runs.",
    ],
    praise="Greedy decoding scores high here, and so does a nervous writer. It says "
    "nothing about sense, only about circles.",
    probes=[
        ([1, 2, 3, 1, 2, 3, 1, 2, 4], 2),
        ([5, 6, 5, 6, 5, 6, 5, 6], 3),
        ([1, 2, 3, 4, 5, 5], 2),
        ([7, 8, 9, 7, 8, 9, 1], 3),
        ([1, 12, 11, 2, 1, 12], 2),
        ([1, 2, 3, 4, 1, 5, 3, 2, 1], 3),  # 1 2 3, 1 5 3 and 3 2 1 are three
    ],
    mistakes=[
        Mistake(
            "different, not repeated",
            "That is the share of runs that are new. Asked for are the repeated ones.",
            repeated_share_different_not_repeated,
        ),
        Mistake(
            "tokens, not runs",
            "You count repeated tokens. Every text repeats its tokens; runs of several are the "
            "sign of a circle.",
            lambda row, n: 1 - len(set(row)) / len(row),
        ),
        Mistake(
            "side by side",
            "Your runs lie side by side. A circle may begin anywhere: there is a run at every "
            "place.",
            repeated_share_side_by_side,
        ),
        Mistake(
            "all that occur twice",
            "You count the first occurrence, too. When it came, it had not stood there before.",
            repeated_share_all_that_occur_twice,
        ),
        Mistake(
            "short ends count",
            "As many runs as tokens: the last run of `n` begins at `len(row) - n`, so there are "
            "`len(row) - n + 1`.",
            repeated_share_short_ends_count,
        ),
    ],
)


lora_share = Function(
    "lora_share",
    title="How small is LoRA?",
    hints=[
        "The first thin matrix has the shape (inputs, rank), the second (rank, "
        "outputs). How many numbers is that?",
        "`rank * (inputs + outputs)`, over `inputs * outputs`.",
    ],
    praise="It falls as the matrix grows: in a layer of 192 by 192 at rank 8 it is a "
    "twelfth, in one of 4,096 by 4,096 a 256th.",
    probes=[(192, 768, 8), (100, 50, 4), (4096, 4096, 16)],
    tolerance=1e-7,
    mistakes=[
        Mistake(
            "one matrix only",
            "There are two thin matrices: one of inputs times rank, one of rank times outputs.",
            lambda inputs, outputs, rank: rank / outputs,
            lambda inputs, outputs, rank: rank / inputs,
        ),
        Mistake(
            "the matrix counts too",
            "The large matrix stays as it is: it does not learn.",
            lambda inputs, outputs, rank: (
                (inputs * outputs + rank * (inputs + outputs)) / (inputs * outputs)
            ),
        ),
        Mistake(
            "of all numbers",
            "You divided by all numbers, the thin ones included. Asked for is the share of those "
            "in the matrix.",
            lambda inputs, outputs, rank: (
                rank * (inputs + outputs) / (inputs * outputs + rank * (inputs + outputs))
            ),
        ),
        Mistake(
            "a square in the middle",
            "There is no third matrix between the two thin ones: their product is what is added.",
            lambda inputs, outputs, rank: (
                (rank * (inputs + outputs) + rank * rank) / (inputs * outputs)
            ),
        ),
    ],
)


def _layer(inputs, outputs, rank, alpha):
    rng = np.random.default_rng(8)
    shapes = (inputs, outputs), (inputs, rank), (rank, outputs)
    return (*(rng.normal(size=shape) for shape in shapes), alpha)


def _untaught(*sizes):
    kernel, a, b, alpha = _layer(*sizes)
    return kernel, a, np.zeros_like(b), alpha  # as LoRA begins


def _leaves_its_input_alone(merged):
    given = _layer(5, 7, 2, 8.0)
    merged.function(*given)  # without the copies that `merged` makes
    for name, now, before in zip(("kernel", "a", "b"), given, _layer(5, 7, 2, 8.0)):
        if not np.array_equal(now, before):
            raise Incorrect(
                f"The matrix is right, but your function has changed `{name}`, which it was only "
                "lent: called twice, it would add twice. Make a new array."
            )


merged = Function(
    "merged",
    title="Put it back into the matrix",
    hints=[
        "The product `a @ b` has the shape of the kernel. By what is it multiplied "
        "before it is added?",
        "The rank is `a.shape[1]`: `kernel + alpha / a.shape[1] * a @ b`.",
    ],
    praise="A network with LoRA costs as much in use as one without, once it has been "
    "merged, and ten variants of it can be kept as ten small files.",
    probes=lambda: {
        "a kernel of 5 by 7 and rank 2": _layer(5, 7, 2, 8.0),
        "a kernel of 6 by 4 and rank 3": _layer(6, 4, 3, 1.5),
        "a layer that has learned nothing": _untaught(4, 5, 2, 8.0),
    },
    also=_leaves_its_input_alone,
    tolerance=1e-5,
    mistakes=[
        Mistake(
            "not scaled",
            "What LoRA adds is multiplied by `alpha / rank`.",
            lambda kernel, a, b, alpha: kernel + a @ b,
        ),
        Mistake(
            "the rank is forgotten",
            "You multiplied by `alpha`; it is `alpha / rank`, so that another rank needs no "
            "other learning rate.",
            lambda kernel, a, b, alpha: kernel + alpha * a @ b,
        ),
        Mistake(
            "only what is added",
            "That is what is added. The kernel itself is missing.",
            lambda kernel, a, b, alpha: alpha / a.shape[1] * a @ b,
        ),
        Mistake(
            "the kernel is scaled too",
            "The factor belongs to what is added alone, not to the kernel.",
            lambda kernel, a, b, alpha: alpha / a.shape[1] * (kernel + a @ b),
        ),
        Mistake(
            "divided by the wrong side",
            "You divided by the number of inputs. The rank is the *other* side of `a`.",
            lambda kernel, a, b, alpha: kernel + alpha / a.shape[0] * a @ b,
        ),
    ],
)


too_good = Choice(
    "too_good",
    "After a night of training, a colleague's network needs 0.4 bits per byte on "
    "its test text. The best large models need 0.6 to 0.9 on English. What do you "
    "ask first?",
    {
        "a": "How the test text was put aside: before it was cut into windows, or after?",
        "b": "Which learning rate it was: it must have been an excellent one, or a lucky schedule",
        "c": "How many parameters it has: the more there are, the fewer bits a text will cost",
        "d": "Nothing: the test set was not trained on, so the number stands",
    },
    right="a",
    wrong={
        "b": (
            "a lucky rate",
            "No rate makes a network better than what the text allows. Something else must "
            "be known to it.",
        ),
        "c": (
            "sheer size",
            "The large models have had that. A number far beyond what anybody reaches is a "
            "reason to look for a leak.",
        ),
        "d": (
            "the test stands by itself",
            "A test is only as good as its distance from the training text. Windows that "
            "overlap, or a text that occurs twice, make it a test of memory.",
        ),
    },
    hints=[
        "What did part 5 call a loss that is too good?",
        "Two bugs of part 5 end in such a number. Which of them touches the test text?",
    ],
    praise="Too good is a symptom. The first suspects are an overlap, and targets that "
    "stand in the question.",
)


# Bits per byte. Another draw of 240 windows moves the run to beat by 0.006 (standard deviation of
# four draws, at 2.771 on average); its own was a good one, at 2.764.
MARGIN = 0.012


@functools.cache
def _checked():
    from translearn import backbones, data

    text = data.load_text("fortunes").validation.take(20_000)
    row = backbones.tokenizer("tiny_gpt").encode(text)
    n = (len(row) - 1) // 128
    cut = row[np.arange(n)[:, None] * 128 + np.arange(129)]
    return cut[:, :-1], cut[:, 1:], len(text) * n * 128 / len(row)


def _bits(model):
    import keras

    inputs, targets, characters = _checked()
    nats = 0.0
    for start in range(0, len(inputs), 16):
        logits = np.asarray(model.predict_on_batch(inputs[start : start + 16]))
        if logits.shape[1:] != (128, 1024):
            raise Incorrect(
                "The model must give 1,024 logits for each of 128 places, as "
                '`backbones.load("tiny_gpt", include_top=True)` does.'
            )
        losses = keras.losses.sparse_categorical_crossentropy(
            targets[start : start + 16], logits, from_logits=True
        )
        nats += float(keras.ops.sum(losses))
    return nats / np.log(2) / characters


def _about_its_schedule(model):
    """A question for those whose optimiser holds a schedule; whether it was followed, no one can
    see.
    """
    from keras.optimizers.schedules import LearningRateSchedule

    rate = getattr(getattr(model, "optimizer", None), "_learning_rate", None)
    if not isinstance(rate, LearningRateSchedule):
        return ""
    return (
        " Was its schedule in the optimiser when `compile` was called? One that is set on a model "
        "that has trained before is ignored."
    )


@exercise(
    title="Beat this number",
    hints=[
        "The last steps should be small ones: let the rate fall to nothing over the thirty steps.",
        "A schedule goes into the optimiser before `compile`: "
        "`keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(1e-3, 30, 0.0))`, for "
        "a "
        'new `backbones.load("tiny_gpt", include_top=True)`.',
    ],
    praise="More than a lucky draw of windows gives.",
    reference=to_beat("gpt.ways", "everything, 20 kB", "validation", seed=0),
)
def beat_it(mine, reference):
    expect_model(mine, "mine")
    got = _bits(mine)
    if got < reference - 0.5:
        raise Misconception(
            "trained on the validation text",
            f"{got:.3f} bits per byte are fewer than these pages can teach. Was the "
            "validation text among them?",
        )
    if not got < reference - MARGIN:
        raise Incorrect(
            f"Your network needs {got:.4f} bits per byte on the validation sayings; the "
            f"number to beat is {reference - MARGIN:.4f}." + _about_its_schedule(mine)
        )
    return f"{got:.3f} bits per byte against {reference:.3f}. {beat_it.praise}"
