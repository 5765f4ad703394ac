"""Exercises of lesson 11, GPT on prose."""

import functools

import numpy as np

from translearn.exercises import (
    Choice,
    Incorrect,
    Misconception,
    close,
    exercise,
    expect_array,
    expect_callable,
    expect_model,
    expect_number,
    to_beat,
)

NUMPY = "import numpy as np"


@exercise(
    title="Bits per byte",
    hints=[
        "A nat is 1 / ln 2 bits. How many nats does the whole text cost?",
        "`nats * tokens` is what the text costs in nats; divide by `np.log(2)` for bits, and by the number of bytes.",
    ],
    praise="Now two networks with different tokenizers can be compared: bytes are the same for all.",
    setup=NUMPY,
    solution="""
        def to_bits_per_byte(nats, tokens, bytes_):
            ### BEGIN SOLUTION
            return nats / np.log(2) * tokens / bytes_
            ### END SOLUTION
    """,
    alternatives=[
        "import math\ndef to_bits_per_byte(nats, tokens, bytes_):\n    return math.log2(math.e) * nats * (tokens / bytes_)",
        "def to_bits_per_byte(nats, tokens, bytes_):\n    return np.log2(np.exp(nats) ** (tokens / bytes_))",
    ],
    wrong={
        "nats, not bits": "def to_bits_per_byte(nats, tokens, bytes_):\n    return nats * tokens / bytes_",
        "per token": "def to_bits_per_byte(nats, tokens, bytes_):\n    return nats / np.log(2)",
        "upside down": "def to_bits_per_byte(nats, tokens, bytes_):\n    return nats / np.log(2) * bytes_ / tokens",
        "multiplied by the logarithm": "def to_bits_per_byte(nats, tokens, bytes_):\n    return nats * np.log(2) * tokens / bytes_",
        "eight bits a byte": "def to_bits_per_byte(nats, tokens, bytes_):\n    return nats / np.log(2) * tokens / (8 * bytes_)",
    },
    refused=["def to_bits_per_byte(nats, tokens, bytes_):\n    return np.exp(nats)"],
)
def to_bits_per_byte(to_bits_per_byte):
    f = expect_callable(to_bits_per_byte, "to_bits_per_byte")
    for nats, tokens, size in ((3.0, 1000, 3000), (2.2, 450, 1000), (0.5, 70, 280)):
        got, right = (
            expect_number(f(nats, tokens, size), "the bits per byte"),
            nats / np.log(2) * tokens / size,
        )
        if close(got, right, 1e-4):
            continue
        for name, value, message in (
            (
                "nats, not bits",
                nats * tokens / size,
                "That is in nats. A nat is 1 / ln 2, about 1.44 bits.",
            ),
            (
                "per token",
                nats / np.log(2),
                "That is bits per *token*. A token is several bytes long.",
            ),
            (
                "upside down",
                nats / np.log(2) * size / tokens,
                "Your fraction is upside down: the whole text costs nats times tokens, and is spread over its bytes.",
            ),
            (
                "multiplied by the logarithm",
                nats * np.log(2) * tokens / size,
                "From nats to bits one divides by ln 2: a number of bits is larger than that of nats.",
            ),
            (
                "eight bits a byte",
                right / 8,
                "You divided by eight. The bits here are those of the loss, for each byte of text.",
            ),
        ):
            if close(got, value, 1e-4):
                raise Misconception(name, message)
        raise Incorrect(
            f"For {nats} nats, {tokens} tokens and {size} bytes expected {right:.4f}, got {got:.4f}."
        )


two_perplexities = Choice(
    "two_perplexities",
    "Network A has a perplexity of 20 on a text, network B one of 60 on the same text. A's tokens are 2 bytes long on average, B's 4. Which one predicts the text better?",
    {
        "a": "A, since it hesitates among fewer tokens",
        "b": "They cannot be compared at all",
        "c": "B: in bits per byte it needs log2(60) / 4, about 1.5, and A needs log2(20) / 2, about 2.2",
        "d": "B, since a higher perplexity is better",
    },
    right="c",
    wrong={
        "a": (
            "perplexity across tokenizers",
            "A hesitates among fewer, but twice as often: it has to guess two tokens where B guesses one.",
        ),
        "b": (
            "not comparable",
            "Perplexities of different tokens are not. Bits per byte are, and can be computed from what is given.",
        ),
        "d": (
            "higher is better",
            "A perplexity is the number of tokens among which a network hesitates. Fewer is better, for the same tokens.",
        ),
    },
    hints=[
        "How many guesses does each of them need for a hundred bytes?",
        "The logarithm to base 2 of a perplexity is the loss in bits a token. Divide by the bytes a token has.",
    ],
    praise="A perplexity without its tokenizer is half a number.",
)


def _row():
    return np.random.default_rng(3).integers(1, 1000, 27)


@exercise(
    title="Inputs and targets",
    hints=[
        "The targets are the same row, begun one token later. The last target must exist, so only `len(row) - 1` tokens can be inputs.",
        "`n = (len(row) - 1) // length`; the inputs are `row[:n * length].reshape(n, length)`, the targets the same from place 1 on.",
    ],
    praise="Every token but the first is a target, and every one but the last is an input: a text of any length trains a network without a single label.",
    setup=NUMPY,
    solution="""
        def inputs_and_targets(row, length):
            ### BEGIN SOLUTION
            n = (len(row) - 1) // length
            return row[:n * length].reshape(n, length), row[1:n * length + 1].reshape(n, length)
            ### END SOLUTION
    """,
    alternatives=[
        "def inputs_and_targets(row, length):\n    starts = range(0, len(row) - length, length)\n    return [row[s:s + length].tolist() for s in starts], [row[s + 1:s + length + 1].tolist() for s in starts]",
        "def inputs_and_targets(row, length):\n    n = (len(row) - 1) // length\n    cut = row[np.arange(n)[:, None] * length + np.arange(length + 1)]\n    return cut[:, :-1], cut[:, 1:]",
    ],
    wrong={
        "nothing to guess": "def inputs_and_targets(row, length):\n    n = (len(row) - 1) // length\n    x = row[:n * length].reshape(n, length)\n    return x, x",
        "backwards": "def inputs_and_targets(row, length):\n    n = (len(row) - 1) // length\n    return row[1:n * length + 1].reshape(n, length), row[:n * length].reshape(n, length)",
        "rolled within the window": "def inputs_and_targets(row, length):\n    n = (len(row) - 1) // length\n    x = row[:n * length].reshape(n, length)\n    return x, np.roll(x, -1, axis=1)",
        "two places on": "def inputs_and_targets(row, length):\n    n = (len(row) - 2) // length\n    return row[:n * length].reshape(n, length), row[2:n * length + 2].reshape(n, length)",
        "overlapping": "def inputs_and_targets(row, length):\n    cut = np.lib.stride_tricks.sliding_window_view(row, length + 1)\n    return cut[:, :-1], cut[:, 1:]",
        "the last window is lost": "def inputs_and_targets(row, length):\n    n = (len(row) - 1) // length - 1\n    return row[:n * length].reshape(n, length), row[1:n * length + 1].reshape(n, length)",
    },
    refused=["def inputs_and_targets(row, length):\n    return row[:-1], row[1:]"],
)
def inputs_and_targets(inputs_and_targets):
    f = expect_callable(inputs_and_targets, "inputs_and_targets")
    for row, length in ((_row(), 8), (_row()[:25], 6), (_row()[:13], 4)):
        answer = f(row.copy(), length)
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            raise Incorrect("Return two tables: inputs, targets.")
        x, y = (
            expect_array(each, what=name)
            for each, name in zip(answer, ("the inputs", "the targets"))
        )
        n = (len(row) - 1) // length
        right = row[: n * length].reshape(n, length), row[1 : n * length + 1].reshape(n, length)
        if (
            x.shape == right[0].shape
            and y.shape == right[1].shape
            and np.array_equal(x, right[0])
            and np.array_equal(y, right[1])
        ):
            continue
        if x.ndim != 2 or x.shape != y.shape or x.shape[1] != length:
            raise Incorrect(
                f"Two tables of equal shape were asked for, {length} columns each. Got shapes {x.shape} and {y.shape}."
            )
        if np.array_equal(x, y):
            raise Misconception(
                "nothing to guess",
                "Inputs and targets are the same. Each token sees itself, so there is nothing to guess; the target is the token that *follows*.",
            )
        if (
            x.shape == right[0].shape
            and np.array_equal(x, right[1])
            and np.array_equal(y, right[0])
        ):
            raise Misconception(
                "backwards",
                "Your targets come before their inputs: that network would learn to guess what it has read already.",
            )
        if x.shape == right[0].shape and np.array_equal(y, np.roll(right[0], -1, axis=1)):
            raise Misconception(
                "rolled within the window",
                "The last target of each window is its own first token. It should be the token that follows in the text, the first one of the next window.",
            )
        if len(x) > n:
            raise Misconception(
                "overlapping", "Your windows overlap. They were to lie side by side."
            )
        if (
            len(x) == n - 1
            and np.array_equal(x, right[0][:-1])
            and np.array_equal(y, right[1][:-1])
        ):
            raise Misconception(
                "the last window is lost",
                f"A row of {len(row)} tokens has room for {n} windows of {length}; yours stop one short.",
            )
        if len(x) and x[0, 0] == row[0] and y[0, 0] == row[2]:
            raise Misconception(
                "two places on",
                "Your targets are two tokens further on. Asked for is the very next one.",
            )
        raise Incorrect(
            f"For {len(row)} tokens and a length of {length} expected {n} windows; the first target is the second token."
        )


@exercise(
    title="Temperature",
    hints=[
        "Divide the logits by the temperature, then take the softmax.",
        "Subtract the largest before `np.exp`, or a low temperature overflows: `np.exp(scaled - scaled.max())`, divided by its sum.",
    ],
    praise="At a temperature near 0 that is greedy decoding, at a very high one a coin with a thousand sides.",
    setup=NUMPY,
    solution="""
        def at_temperature(logits, temperature):
            ### BEGIN SOLUTION
            scaled = logits / temperature
            chances = np.exp(scaled - scaled.max())
            return chances / chances.sum()
            ### END SOLUTION
    """,
    alternatives=[
        "from scipy.special import softmax\ndef at_temperature(logits, temperature):\n    return softmax(logits / temperature)",
        "from scipy.special import logsumexp\ndef at_temperature(logits, temperature):\n    z = np.asarray(logits) * (1 / temperature)\n    return np.exp(z - logsumexp(z)).tolist()",
    ],
    wrong={
        "multiplied": "from scipy.special import softmax\ndef at_temperature(logits, temperature):\n    return softmax(logits * temperature)",
        "after the softmax": "from scipy.special import softmax\ndef at_temperature(logits, temperature):\n    p = softmax(logits) / temperature\n    return p / p.sum()",
        "it overflows": "def at_temperature(logits, temperature):\n    e = np.exp(logits / temperature)\n    return e / e.sum()",
        "they do not sum to one": "from scipy.special import softmax\ndef at_temperature(logits, temperature):\n    return softmax(logits) / temperature",
    },
    refused=[
        "def at_temperature(logits, temperature):\n    p = np.zeros(len(logits))\n    p[np.argmax(logits)] = 1\n    return p"
    ],
)
def at_temperature(at_temperature):
    f = expect_callable(at_temperature, "at_temperature")
    rng = np.random.default_rng(6)
    for temperature, scale in ((1.5, 1), (0.5, 3), (0.02, 30)):
        logits = scale * rng.normal(size=12)
        scaled = logits / temperature
        right = np.exp(scaled - scaled.max()) / np.exp(scaled - scaled.max()).sum()
        with np.errstate(all="ignore"):
            got = expect_array(
                f(logits, temperature), shape=(12,), what="the probabilities", finite=False
            )
            plain = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
            hot = np.exp(logits * temperature - (logits * temperature).max())
        if not np.isfinite(got).all():
            raise Misconception(
                "it overflows",
                f"At a temperature of {temperature} some probabilities are not finite. The softmax does not change when the largest is subtracted first.",
            )
        if close(got, right, 1e-5):
            continue
        if close(got, hot / hot.sum(), 1e-5):
            raise Misconception(
                "multiplied",
                "You multiplied by the temperature. A *low* one is to make the choice safer: divide.",
            )
        if close(got, plain, 1e-5):
            raise Misconception(
                "after the softmax",
                "Divided after the softmax, the temperature cancels when the sum is made 1 again. It belongs to the logits.",
            )
        if close(got, plain / temperature, 1e-5):
            raise Misconception(
                "they do not sum to one",
                "These do not sum to one. The temperature belongs to the logits, before the softmax.",
            )
        raise Incorrect(
            f"At a temperature of {temperature} expected a largest probability of {right.max():.4f}, got {got.max():.4f}."
        )


def _top_p(chances, p, count=None):
    order = np.argsort(-chances)
    count = int(np.searchsorted(np.cumsum(chances[order]), p)) + 1 if count is None else count
    kept = np.zeros_like(chances)
    kept[order[:count]] = chances[order[:count]]
    return kept


@exercise(
    title="Top-p",
    hints=[
        "Sort the probabilities from the largest down, and add them up with `np.cumsum`. How many are needed until the sum is at least `p`?",
        "`np.searchsorted(np.cumsum(chances[order]), p) + 1` counts them. Copy those into an array of zeros, and divide by the sum.",
    ],
    praise="Where the network is sure, that leaves one or two tokens; where it is not, hundreds. A fixed k cannot do that.",
    setup=NUMPY,
    solution="""
        def top_p(chances, p):
            ### BEGIN SOLUTION
            order = np.argsort(-chances)
            count = np.searchsorted(np.cumsum(chances[order]), p) + 1
            kept = np.zeros_like(chances)
            kept[order[:count]] = chances[order[:count]]
            return kept / kept.sum()
            ### END SOLUTION
    """,
    alternatives=[
        "def top_p(chances, p):\n    kept, total = [0.0] * len(chances), 0.0\n    for i in sorted(range(len(chances)), key=lambda i: -chances[i]):\n        if total >= p:\n            break\n        kept[i] = float(chances[i])\n        total += kept[i]\n    return [k / total for k in kept]",
        "def top_p(chances, p):\n    order = np.argsort(chances)[::-1]\n    before = np.cumsum(chances[order]) - chances[order]\n    keep = np.zeros(len(chances), bool)\n    keep[order[before < p]] = True\n    out = np.where(keep, chances, 0)\n    return out / out.sum()",
    ],
    wrong={
        "one too few": "def top_p(chances, p):\n    order = np.argsort(-chances)\n    keep = order[np.cumsum(chances[order]) < p]\n    kept = np.zeros_like(chances)\n    kept[keep] = chances[keep]\n    return kept / max(kept.sum(), 1e-9)",
        "each one above p": "def top_p(chances, p):\n    kept = np.where(chances >= p, chances, 0)\n    return kept / max(kept.sum(), 1e-9)",
        "the least probable": "def top_p(chances, p):\n    order = np.argsort(chances)\n    count = np.searchsorted(np.cumsum(chances[order]), p) + 1\n    kept = np.zeros_like(chances)\n    kept[order[:count]] = chances[order[:count]]\n    return kept / kept.sum()",
        "the sum is not one": "def top_p(chances, p):\n    order = np.argsort(-chances)\n    count = np.searchsorted(np.cumsum(chances[order]), p) + 1\n    kept = np.zeros_like(chances)\n    kept[order[:count]] = chances[order[:count]]\n    return kept",
        "not where they belong": "def top_p(chances, p):\n    order = np.argsort(-chances)\n    count = np.searchsorted(np.cumsum(chances[order]), p) + 1\n    kept = np.zeros_like(chances)\n    kept[:count] = chances[order[:count]]\n    return kept / kept.sum()",
    },
    refused=["def top_p(chances, p):\n    return chances"],
)
def top_p(top_p):
    f = expect_callable(top_p, "top_p")
    for chances, p in (
        (np.array([0.2, 0.22, 0.18, 0.25, 0.15]), 0.6),
        (np.array([0.1, 0.4, 0.05, 0.3, 0.15]), 0.75),
        (np.array([0.02, 0.9, 0.03, 0.05]), 0.5),
    ):
        got = expect_array(f(chances.copy(), p), shape=chances.shape, what="the probabilities")
        kept = _top_p(chances, p)
        right, count = kept / kept.sum(), int((kept > 0).sum())
        if close(got, right, 1e-5):
            continue
        fewer = _top_p(chances, p, count - 1)
        worst = -_top_p(-chances, -2, 0)
        order, low = np.argsort(chances), np.zeros_like(chances)
        take = int(np.searchsorted(np.cumsum(chances[order]), p)) + 1
        low[order[:take]] = chances[order[:take]]
        if close(got, fewer / max(fewer.sum(), 1e-9), 1e-5):
            raise Misconception(
                "one too few",
                f"The tokens that you keep sum to less than {p}. The one that takes the sum over it belongs to them, too; there is always at least one.",
            )
        if close(got, kept, 1e-5):
            raise Misconception(
                "the sum is not one",
                "Those are the right tokens. Divide by what is left, so that the sum is 1 again.",
            )
        if close(got, low / low.sum(), 1e-5) and not close(got, chances, 1e-5):
            raise Misconception(
                "the least probable",
                "You began with the least probable ones: `np.argsort` sorts upwards.",
            )
        alone = np.where(chances >= p, chances, worst * 0)
        if close(got, alone / max(alone.sum(), 1e-9), 1e-5):
            raise Misconception(
                "each one above p",
                f"You keep tokens whose own probability is at least {p}. It is their *sum* that has to reach it.",
            )
        if close(np.sort(got), np.sort(right), 1e-5):
            raise Misconception(
                "not where they belong",
                "The numbers are right, but they stand at other tokens' places.",
            )
        raise Incorrect(
            f"For {chances.tolist()} and p = {p} expected {right.round(3).tolist()}, got {got.round(3).tolist()}."
        )


@exercise(
    title="Round in circles",
    hints=[
        "List all runs: `[tuple(row[i:i + n]) for i in range(len(row) - n + 1)]`. A `set` of them holds each only once.",
        "One minus the number of *different* runs over the number of runs.",
    ],
    praise="Greedy decoding scores high here, and so does a nervous writer. It says nothing about sense, only about circles.",
    setup=NUMPY,
    solution="""
        def repeated_share(row, n):
            ### BEGIN SOLUTION
            runs = [tuple(row[i:i + n]) for i in range(len(row) - n + 1)]
            return 1 - len(set(runs)) / len(runs)
            ### END SOLUTION
    """,
    alternatives=[
        "def repeated_share(row, n):\n    seen, again = set(), 0\n    total = len(row) - n + 1\n    for i in range(total):\n        run = str(row[i:i + n])\n        again += run in seen\n        seen.add(run)\n    return again / total",
        "def repeated_share(row, n):\n    runs = np.lib.stride_tricks.sliding_window_view(np.asarray(row), n)\n    return 1 - len(np.unique(runs, axis=0)) / len(runs)",
    ],
    wrong={
        "different, not repeated": "def repeated_share(row, n):\n    runs = [tuple(row[i:i + n]) for i in range(len(row) - n + 1)]\n    return len(set(runs)) / len(runs)",
        "tokens, not runs": "def repeated_share(row, n):\n    return 1 - len(set(row)) / len(row)",
        "side by side": "def repeated_share(row, n):\n    runs = [tuple(row[i:i + n]) for i in range(0, len(row) - n + 1, n)]\n    return 1 - len(set(runs)) / len(runs)",
        "all that occur twice": "from collections import Counter\ndef repeated_share(row, n):\n    c = Counter(tuple(row[i:i + n]) for i in range(len(row) - n + 1))\n    return sum(v for v in c.values() if v > 1) / sum(c.values())",
        "short ends count": "def repeated_share(row, n):\n    runs = [tuple(row[i:i + n]) for i in range(len(row))]\n    return 1 - len(set(runs)) / len(runs)",
    },
    refused=["def repeated_share(row, n):\n    return 0.0"],
)
def repeated_share(repeated_share):
    from collections import Counter

    f = expect_callable(repeated_share, "repeated_share")
    for row, n in (
        ([1, 2, 3, 1, 2, 3, 1, 2, 4], 2),
        ([5, 6, 5, 6, 5, 6, 5, 6], 3),
        ([1, 2, 3, 4, 5, 5], 2),
        ([7, 8, 9, 7, 8, 9, 1], 3),
    ):
        got = expect_number(f(list(row), n), "the share")
        runs = [tuple(row[i : i + n]) for i in range(len(row) - n + 1)]
        right = 1 - len(set(runs)) / len(runs)
        if close(got, right, 1e-6):
            continue
        beside = [tuple(row[i : i + n]) for i in range(0, len(row) - n + 1, n)]
        ends = [tuple(row[i : i + n]) for i in range(len(row))]
        counts = Counter(runs)
        for name, value, message in (
            (
                "different, not repeated",
                1 - right,
                "That is the share of runs that are new. Asked for are the repeated ones.",
            ),
            (
                "side by side",
                1 - len(set(beside)) / len(beside),
                "Your runs lie side by side. A circle may begin anywhere: there is a run at every place.",
            ),
            (
                "all that occur twice",
                sum(v for v in counts.values() if v > 1) / len(runs),
                "You count the first occurrence, too. When it came, it had not stood there before.",
            ),
            (
                "short ends count",
                1 - len(set(ends)) / len(ends),
                "Your last runs are shorter than `n`: the last one begins at `len(row) - n`.",
            ),
            (
                "tokens, not runs",
                1 - len(set(row)) / len(row),
                "You count repeated tokens. Every text repeats its tokens; runs of several are the sign of a circle.",
            ),
        ):
            if close(got, value, 1e-6):
                raise Misconception(name, message)
        raise Incorrect(f"For {row} and n = {n} expected {right:.4f}, got {got:.4f}.")


@exercise(
    title="How small is LoRA?",
    hints=[
        "The first thin matrix has the shape (inputs, rank), the second (rank, outputs). How many numbers is that?",
        "`rank * (inputs + outputs)`, over `inputs * outputs`.",
    ],
    praise="It falls as the matrix grows: in a layer of 192 by 192 at rank 8 it is a twelfth, in one of 4,096 by 4,096 a 256th.",
    setup=NUMPY,
    solution="""
        def lora_share(inputs, outputs, rank):
            ### BEGIN SOLUTION
            return rank * (inputs + outputs) / (inputs * outputs)
            ### END SOLUTION
    """,
    alternatives=[
        "def lora_share(inputs, outputs, rank):\n    return rank / outputs + rank / inputs",
        "def lora_share(inputs, outputs, rank):\n    return (np.zeros((inputs, rank)).size + np.zeros((rank, outputs)).size) / np.zeros((inputs, outputs)).size",
    ],
    wrong={
        "one matrix only": [
            "def lora_share(inputs, outputs, rank):\n    return rank / outputs",
            "def lora_share(inputs, outputs, rank):\n    return rank / inputs",
        ],
        "the matrix counts too": "def lora_share(inputs, outputs, rank):\n    return (inputs * outputs + rank * (inputs + outputs)) / (inputs * outputs)",
        "of all numbers": "def lora_share(inputs, outputs, rank):\n    return rank * (inputs + outputs) / (inputs * outputs + rank * (inputs + outputs))",
        "a square in the middle": "def lora_share(inputs, outputs, rank):\n    return (rank * (inputs + outputs) + rank * rank) / (inputs * outputs)",
    },
    refused=["def lora_share(inputs, outputs, rank):\n    return rank"],
)
def lora_share(lora_share):
    f = expect_callable(lora_share, "lora_share")
    for i, o, r in ((192, 768, 8), (100, 50, 4), (4096, 4096, 16)):
        got, right = expect_number(f(i, o, r), "the share"), r * (i + o) / (i * o)
        if close(got, right, 1e-7):
            continue
        for name, values, message in (
            (
                "one matrix only",
                (r / o, r / i),
                "There are two thin matrices: one of inputs times rank, one of rank times outputs.",
            ),
            (
                "the matrix counts too",
                (1 + right,),
                "The large matrix stays as it is: it does not learn.",
            ),
            (
                "of all numbers",
                (right / (1 + right),),
                "You divided by all numbers, the thin ones included. Asked for is the share of those in the matrix.",
            ),
            (
                "a square in the middle",
                (right + r * r / (i * o),),
                "There is no third matrix between the two thin ones: their product is what is added.",
            ),
        ):
            if any(close(got, value, 1e-7) for value in values):
                raise Misconception(name, message)
        raise Incorrect(
            f"For {i} inputs, {o} outputs and rank {r} expected {right:.5f}, got {got:.5f}."
        )


@exercise(
    title="Put it back into the matrix",
    hints=[
        "The product `a @ b` has the shape of the kernel. By what is it multiplied before it is added?",
        "The rank is `a.shape[1]`: `kernel + alpha / a.shape[1] * a @ b`.",
    ],
    praise="A network with LoRA costs as much in use as one without, once it has been merged, and ten variants of it can be kept as ten small files.",
    setup=NUMPY,
    solution="""
        def merged(kernel, a, b, alpha):
            ### BEGIN SOLUTION
            return kernel + alpha / a.shape[1] * a @ b
            ### END SOLUTION
    """,
    alternatives=[
        "def merged(kernel, a, b, alpha):\n    return np.add(kernel, np.einsum('ir,ro->io', a, b) * (alpha / b.shape[0])).tolist()",
        "def merged(kernel, a, b, alpha):\n    total = np.array(kernel, 'float64')\n    for r in range(len(b)):\n        total += alpha / len(b) * np.outer(a[:, r], b[r])\n    return total.astype('float32')",
    ],
    wrong={
        "not scaled": "def merged(kernel, a, b, alpha):\n    return kernel + a @ b",
        "the rank is forgotten": "def merged(kernel, a, b, alpha):\n    return kernel + alpha * a @ b",
        "only what is added": "def merged(kernel, a, b, alpha):\n    return alpha / a.shape[1] * a @ b",
        "the kernel is scaled too": "def merged(kernel, a, b, alpha):\n    return alpha / a.shape[1] * (kernel + a @ b)",
        "divided by the wrong side": "def merged(kernel, a, b, alpha):\n    return kernel + alpha / a.shape[0] * a @ b",
    },
    refused=["def merged(kernel, a, b, alpha):\n    return kernel"],
)
def merged(merged):
    f = expect_callable(merged, "merged")
    rng = np.random.default_rng(8)
    for i, o, r, alpha in ((5, 7, 2, 8.0), (6, 4, 3, 1.5)):
        kernel, a, b = rng.normal(size=(i, o)), rng.normal(size=(i, r)), rng.normal(size=(r, o))
        got, extra = expect_array(f(kernel, a, b, alpha), shape=(i, o), what="the matrix"), a @ b
        if close(got, kernel + alpha / r * extra, 1e-4):
            continue
        for name, value, message in (
            ("not scaled", kernel + extra, "What LoRA adds is multiplied by `alpha / rank`."),
            (
                "the rank is forgotten",
                kernel + alpha * extra,
                "You multiplied by `alpha`; it is `alpha / rank`, so that another rank needs no other learning rate.",
            ),
            (
                "only what is added",
                alpha / r * extra,
                "That is what is added. The kernel itself is missing.",
            ),
            (
                "the kernel is scaled too",
                alpha / r * (kernel + extra),
                "The factor belongs to what is added alone, not to the kernel.",
            ),
            (
                "divided by the wrong side",
                kernel + alpha / i * extra,
                "You divided by the number of inputs. The rank is the *other* side of `a`.",
            ),
        ):
            if close(got, value, 1e-4):
                raise Misconception(name, message)
        raise Incorrect(
            f"For a kernel of shape {kernel.shape} and rank {r} the matrix is off by up to {np.abs(got - kernel - alpha / r * extra).max():.3g}."
        )


too_good = Choice(
    "too_good",
    "After a night of training, a colleague's network needs 0.4 bits per byte on its test text. The best large models need 0.6 to 0.9 on English. What do you ask first?",
    {
        "a": "How the test text was put aside: before the text was cut into windows, or after?",
        "b": "Which learning rate it was: it must have been an excellent one",
        "c": "How many parameters it has: the more, the fewer bits",
        "d": "Nothing: the test set was not trained on, so the number stands",
    },
    right="a",
    wrong={
        "b": (
            "a lucky rate",
            "No rate makes a network better than what the text allows. Something else must be known to it.",
        ),
        "c": (
            "sheer size",
            "The large models have had that. A number far beyond what anybody reaches is a reason to look for a leak.",
        ),
        "d": (
            "the test stands by itself",
            "A test is only as good as its distance from the training text. Windows that overlap, or a text that occurs twice, make it a test of memory.",
        ),
    },
    hints=[
        "What did part 5 call a loss that is too good?",
        "Two bugs of part 5 end in such a number. Which of them touches the test text?",
    ],
    praise="Too good is a symptom. The first suspects are an overlap, and targets that stand in the question.",
)


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
                'The model must give 1,024 logits for each of 128 places, as `backbones.load("tiny_gpt", include_top=True)` does.'
            )
        nats += float(
            keras.ops.sum(
                keras.losses.sparse_categorical_crossentropy(
                    targets[start : start + 16], logits, from_logits=True
                )
            )
        )
    return nats / np.log(2) / characters


@exercise(
    title="Beat this number",
    hints=[
        "The last steps should be small ones: let the rate fall to nothing over the thirty steps.",
        "A `LambdaCallback` whose `on_train_batch_begin` sets `mine.optimizer.learning_rate = 1e-3 * (1 - step / 30)`.",
    ],
    praise="Same pages, same steps: a schedule is free.",
    setup="""
        import numpy as np
        import keras
        from translearn import backbones, data
        fortunes, tokenizer, PLACES = data.load_text("fortunes"), backbones.tokenizer("tiny_gpt"), 128
        pages = tokenizer.encode(fortunes.train.take(20_000, seed=0))
        drawn = np.random.default_rng(0).integers(0, len(pages) - PLACES, 240)
        def windows(row, starts):
            cut = row[np.asarray(starts)[:, None] + np.arange(PLACES + 1)]
            return cut[:, :-1], cut[:, 1:]
        def start(how, seed):
            model = backbones.load("tiny_gpt", include_top=True)
            model.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            keras.utils.set_random_seed(seed)
            return model
    """,
    solution="""
        ### BEGIN SOLUTION
        mine = start("everything", seed=0)
        falling = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda step, logs=None: setattr(mine.optimizer, "learning_rate", 1e-3 * (1 - step / 30)))
        mine.fit(*windows(pages, drawn), batch_size=8, shuffle=False, verbose=0, callbacks=[falling])
        ### END SOLUTION
    """,
    alternatives=[
        "mine = backbones.load('tiny_gpt', include_top=True)\nrate = keras.optimizers.schedules.CosineDecay(1e-3, 30)\nmine.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))\nmine.fit(*windows(pages, drawn), batch_size=8, shuffle=False, verbose=0)",
        "mine = start('everything', 0)\nmine.compile(keras.optimizers.AdamW(keras.optimizers.schedules.PolynomialDecay(1.2e-3, 30, 1e-5), weight_decay=0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))\nmine.fit(*windows(pages, drawn), batch_size=8, shuffle=False, verbose=0)",
    ],
    wrong={
        "trained on the validation text": "mine = start('everything', 0)\nmine.optimizer.learning_rate = 1e-3\nrow = tokenizer.encode(fortunes.validation.take(20_000))\nmine.fit(*windows(row, range(0, len(row) - PLACES, 48)), batch_size=8, epochs=2, shuffle=False, verbose=0)",
    },
    refused=["mine = start('everything', 0)", "mine = 3.1"],
    reference=to_beat("gpt.ways", "everything, 20 kB", "validation"),
)
def beat_it(mine, reference):
    expect_model(mine, "mine")
    got = _bits(mine)
    if got < reference - 0.5:
        raise Misconception(
            "trained on the validation text",
            f"{got:.3f} bits per byte are fewer than these pages can teach. Was the validation text among them?",
        )
    if not got < reference:
        raise Incorrect(
            f"Your network needs {got:.3f} bits per byte on the validation sayings; the number to beat is {reference:.3f}."
        )
    return f"{got:.3f} bits per byte against {reference:.3f}. {beat_it.praise}"
