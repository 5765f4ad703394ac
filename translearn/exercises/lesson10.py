"""Exercises of lesson 10, BERT on reviews."""

import numpy as np

from translearn.exercises import (
    Choice,
    Incorrect,
    Misconception,
    better_guesses,
    close,
    exercise,
    expect_array,
    expect_callable,
    expect_number,
    to_beat,
)

NUMPY = "import numpy as np"


def _sentences():
    """Three sentences of different lengths as vectors and ids, with something loud where the padding is."""
    rng = np.random.default_rng(10)
    ids = np.array(
        [[101, 7, 8, 9, 102, 0, 0, 0], [101, 5, 102, 0, 0, 0, 0, 0], [101, 3, 4, 6, 2, 9, 8, 102]],
        "int32",
    )
    vectors = rng.normal(size=(3, 8, 5)).round(3)
    vectors[ids == 0] += 4
    return vectors, ids


@exercise(
    title="The mean of the words",
    hints=[
        "`ids != 0` says where a token is. As a factor it has to have one more axis: `(ids != 0)[..., None]`.",
        "`(vectors * there).sum(axis=1) / there.sum(axis=1)`: the sum over the tokens, divided by how many there are.",
    ],
    praise="Two sums and a division. The division is by the number of tokens, and that is the whole point.",
    setup=NUMPY,
    solution="""
        def mean_of_tokens(vectors, ids):
            ### BEGIN SOLUTION
            there = (ids != 0)[..., None]
            return (vectors * there).sum(axis=1) / there.sum(axis=1)
            ### END SOLUTION
    """,
    alternatives=[
        "def mean_of_tokens(vectors, ids):\n    return [v[i != 0].mean(axis=0).tolist() for v, i in zip(vectors, ids)]",
        "def mean_of_tokens(vectors, ids):\n    return np.average(vectors, axis=1, weights=np.broadcast_to((ids != 0)[..., None], vectors.shape)).astype('float32')",
        "def mean_of_tokens(vectors, ids):\n    hidden = np.broadcast_to((ids == 0)[..., None], vectors.shape)\n    return np.ma.masked_array(vectors, hidden).mean(axis=1).filled(0)",
    ],
    wrong={
        "padding counts": "def mean_of_tokens(vectors, ids):\n    return vectors.mean(axis=1)",
        "divided by the length of the table": "def mean_of_tokens(vectors, ids):\n    return (vectors * (ids != 0)[..., None]).mean(axis=1)",
        "a sum is no mean": "def mean_of_tokens(vectors, ids):\n    return (vectors * (ids != 0)[..., None]).sum(axis=1)",
        "the first token": "def mean_of_tokens(vectors, ids):\n    return vectors[:, 0]",
    },
    refused=[
        "def mean_of_tokens(vectors, ids):\n    return (vectors * (ids != 0)[..., None]).max(axis=1)"
    ],
)
def mean_of_tokens(mean_of_tokens):
    f = expect_callable(mean_of_tokens, "mean_of_tokens")
    vectors, ids = _sentences()
    for v, i in ((vectors, ids), (vectors[:2, :6], ids[:2, :6])):
        got = expect_array(
            f(v.copy(), i.copy()),
            shape=(len(v), v.shape[2]),
            what="the vectors, one for each sentence",
        )
        there = (i != 0)[..., None]
        if close(got, (v * there).sum(axis=1) / there.sum(axis=1), 1e-4):
            continue
        if close(got, v.mean(axis=1), 1e-4):
            raise Misconception(
                "padding counts",
                "That is the mean over the whole row of the table, padding included. What stands there means nothing, but it is not zero.",
            )
        if close(got, (v * there).mean(axis=1), 1e-4):
            raise Misconception(
                "divided by the length of the table",
                "The padding is out of the sum, but you divide by the length of the table: a short sentence gets a short vector.",
            )
        if close(got, (v * there).sum(axis=1), 1e-4):
            raise Misconception(
                "a sum is no mean",
                "That is the sum over the tokens. Divide by how many there are, or a long sentence gets a long vector.",
            )
        if close(got, v[:, 0], 1e-4):
            raise Misconception("the first token", "That is the vector of `[CLS]` alone.")
        raise Incorrect(
            "For the second sentence, the mean should be over its three tokens `[CLS]`, one word and `[SEP]`."
        )


@exercise(
    title="How much is unknown?",
    hints=[
        "Comparing an array with a number gives an array of True and False, whose mean is a share.",
        "First leave the padding out, `ids[ids != 0]`; then compare, and take the mean.",
    ],
    praise="Where text enters a network, this one line tells you whether the two were made for each other.",
    setup=NUMPY,
    solution="""
        def unknown_share(ids, unk):
            ### BEGIN SOLUTION
            return np.mean(ids[ids != 0] == unk)
            ### END SOLUTION
    """,
    alternatives=[
        "def unknown_share(ids, unk):\n    return (ids == unk).sum() / (ids > 0).sum()",
        "def unknown_share(ids, unk):\n    flat = [int(i) for row in ids for i in row if i]\n    return flat.count(unk) / len(flat)",
    ],
    wrong={
        "of all places": "def unknown_share(ids, unk):\n    return np.mean(ids == unk)",
        "a count": "def unknown_share(ids, unk):\n    return (ids == unk).sum()",
        "sentences, not tokens": "def unknown_share(ids, unk):\n    return np.mean((ids == unk).any(axis=1))",
        "per cent": "def unknown_share(ids, unk):\n    return 100 * np.mean(ids[ids != 0] == unk)",
        "the mean of the sentences": "def unknown_share(ids, unk):\n    return np.mean([np.mean(row[row != 0] == unk) for row in ids])",
    },
    refused=["def unknown_share(ids, unk):\n    return np.mean(ids[ids != 0] != unk)"],
)
def unknown_share(unknown_share):
    f = expect_callable(unknown_share, "unknown_share")
    _, ids = _sentences()
    ids[0, 2] = ids[0, 3] = ids[2, 4] = 100
    for table, unk in ((ids, 100), (ids[:2], 100), (ids, 9)):
        got, where = expect_number(f(table.copy(), unk), "the share"), table == unk
        right = where.sum() / (table != 0).sum()
        if close(got, right, 1e-6):
            continue
        if close(got, where.mean(), 1e-6):
            raise Misconception(
                "of all places",
                "You divided by all places of the table. Padding is no token, so the share of a batch would depend on how far it is filled up.",
            )
        if close(got, 100 * right, 1e-6):
            raise Misconception("per cent", "That is in per cent. A share lies between 0 and 1.")
        if close(got, where.sum(), 1e-6):
            raise Misconception(
                "a count", "That is how many there are. Divide by the number of tokens."
            )
        if close(got, where.any(axis=1).mean(), 1e-6):
            raise Misconception(
                "sentences, not tokens",
                "That is the share of *sentences* with an unknown token in them.",
            )
        if close(
            got, np.mean([where[r].sum() / (table[r] != 0).sum() for r in range(len(table))]), 1e-6
        ):
            raise Misconception(
                "the mean of the sentences",
                "You averaged the shares of the sentences, so a token of a short sentence counts for more. Count over the whole table.",
            )
        raise Incorrect(
            f"For a table of {(table != 0).sum()} tokens with {where.sum()} unknown ones expected {right:.4f}, got {got:.4f}."
        )


@exercise(
    title="How rare is a word?",
    hints=[
        "In how many sentences does the word stand, once or more? `word in sentence` is True or False.",
        "`np.log((1 + n) / (1 + df)) + 1`, with `df = sum(word in sentence for sentence in sentences)`.",
    ],
    praise="A word that stands in every sentence gets 1, the smallest weight there is; one that stands nowhere gets the most, and is never used.",
    setup=NUMPY,
    solution="""
        def idf(word, sentences):
            ### BEGIN SOLUTION
            df = sum(word in sentence for sentence in sentences)
            return np.log((1 + len(sentences)) / (1 + df)) + 1
            ### END SOLUTION
    """,
    alternatives=[
        "import math\ndef idf(word, sentences):\n    df = len([s for s in sentences if word in set(s)])\n    return 1 + math.log(1 + len(sentences)) - math.log(1 + df)",
        "from collections import Counter\ndef idf(word, sentences):\n    found = Counter(w for s in sentences for w in set(s))\n    return np.float32(np.log((len(sentences) + 1) / (found[word] + 1)) + 1)",
    ],
    wrong={
        "every occurrence counts": "def idf(word, sentences):\n    df = sum(s.count(word) for s in sentences)\n    return np.log((1 + len(sentences)) / (1 + df)) + 1",
        "another logarithm": [
            "def idf(word, sentences):\n    df = sum(word in s for s in sentences)\n    return np.log10((1 + len(sentences)) / (1 + df)) + 1",
            "def idf(word, sentences):\n    df = sum(word in s for s in sentences)\n    return np.log2((1 + len(sentences)) / (1 + df)) + 1",
        ],
        "upside down": "def idf(word, sentences):\n    df = sum(word in s for s in sentences)\n    return np.log((1 + df) / (1 + len(sentences))) + 1",
        "the last 1 is missing": "def idf(word, sentences):\n    df = sum(word in s for s in sentences)\n    return np.log((1 + len(sentences)) / (1 + df))",
        "not smoothed": "def idf(word, sentences):\n    df = sum(word in s for s in sentences)\n    return np.log(len(sentences) / max(df, 1)) + 1",
    },
    refused=["def idf(word, sentences):\n    return 1.0"],
)
def idf(idf):
    f = expect_callable(idf, "idf")
    sentences = [
        ["a", "dull", "dull", "film"],
        ["a", "film"],
        ["a", "gem"],
        ["dull", "a"],
        ["not", "a", "gem", "a"],
        ["a"],
    ]
    tried = ["dull", "film", "gem", "a", "not"]
    got = [expect_number(f(word, [list(s) for s in sentences]), "the idf") for word in tried]
    df = np.array([sum(word in s for s in sentences) for word in tried])
    often = np.array([sum(s.count(word) for s in sentences) for word in tried])
    n = len(sentences)
    right = np.log((1 + n) / (1 + df)) + 1
    if close(got, right, 1e-5):
        return
    for name, values, message in (
        (
            "every occurrence counts",
            np.log((1 + n) / (1 + often)) + 1,
            "You counted how often the word occurs. A word that stands twice in one sentence is in one sentence.",
        ),
        (
            "another logarithm",
            np.log10((1 + n) / (1 + df)) + 1,
            "That is the logarithm to base 10; the natural one was asked for, `np.log`.",
        ),
        (
            "another logarithm",
            np.log2((1 + n) / (1 + df)) + 1,
            "That is the logarithm to base 2; the natural one was asked for, `np.log`.",
        ),
        (
            "upside down",
            np.log((1 + df) / (1 + n)) + 1,
            "Your fraction is upside down: a rare word must weigh more than a common one.",
        ),
        (
            "the last 1 is missing",
            right - 1,
            "The 1 at the end is missing: without it, a word that stands everywhere would count for nothing at all.",
        ),
        (
            "not smoothed",
            np.log(n / np.maximum(df, 1)) + 1,
            "The two 1s inside are missing. They are there so that a word that stands nowhere does not divide by zero.",
        ),
    ):
        if close(got, values, 1e-5):
            raise Misconception(name, message)
    at = int(np.argmax(np.abs(np.array(got) - right)))
    raise Incorrect(
        f"{tried[at]!r} stands in {df[at]} of {n} sentences: expected {right[at]:.4f}, got {got[at]:.4f}."
    )


def _table(query, key, ids, scale=True, axis=1, masked=True, after=False):
    scores = query @ key.T / (np.sqrt(query.shape[1]) if scale else 1)
    if masked and not after:
        scores = np.where(ids != 0, scores, -np.inf)
    scores = np.exp(scores - scores.max())
    scores = scores / scores.sum(axis=axis, keepdims=True)
    return scores * (ids != 0) if after else scores


@exercise(
    title="Attention by hand",
    hints=[
        "The scores are `query @ key.T / np.sqrt(width)`. Where a column is padding, set the score to `-np.inf` *before* the softmax.",
        "`np.where(ids != 0, scores, -np.inf)` works on columns by itself. Then the softmax of each row: exponentials, divided by their sum over `axis=1`.",
    ],
    praise="Set to minus infinity before the softmax, padding gets a weight of exactly zero, and the row still sums to one.",
    setup=NUMPY,
    solution="""
        def attention_weights(query, key, ids):
            ### BEGIN SOLUTION
            scores = query @ key.T / np.sqrt(query.shape[1])
            scores = np.where(ids != 0, scores, -np.inf)
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            return scores / scores.sum(axis=1, keepdims=True)
            ### END SOLUTION
    """,
    alternatives=[
        "from scipy.special import softmax\ndef attention_weights(query, key, ids):\n    scores = np.einsum('ik,jk->ij', query, key) / query.shape[-1] ** 0.5\n    scores[:, ids == 0] = -1e9\n    return softmax(scores, axis=-1)",
        "def attention_weights(query, key, ids):\n    weights = np.exp(query @ key.T / np.sqrt(query.shape[1])) * (ids != 0)\n    return (weights / weights.sum(axis=1)[:, None]).tolist()",
    ],
    wrong={
        "padding is looked at": "from scipy.special import softmax\ndef attention_weights(query, key, ids):\n    return softmax(query @ key.T / np.sqrt(query.shape[1]), axis=1)",
        "masked too late": "from scipy.special import softmax\ndef attention_weights(query, key, ids):\n    return softmax(query @ key.T / np.sqrt(query.shape[1]), axis=1) * (ids != 0)",
        "not divided by the root": "from scipy.special import softmax\ndef attention_weights(query, key, ids):\n    return softmax(np.where(ids != 0, query @ key.T, -np.inf), axis=1)",
        "columns sum to one": "from scipy.special import softmax\ndef attention_weights(query, key, ids):\n    return softmax(np.where((ids != 0), query @ key.T / np.sqrt(query.shape[1]), -1e30), axis=0)",
        "rows and columns exchanged": "from scipy.special import softmax\ndef attention_weights(query, key, ids):\n    return softmax(np.where(ids != 0, key @ query.T / np.sqrt(query.shape[1]), -np.inf), axis=1)",
    },
    refused=[
        "def attention_weights(query, key, ids):\n    return query @ key.T / np.sqrt(query.shape[1])"
    ],
)
def attention_weights(attention_weights):
    f = expect_callable(attention_weights, "attention_weights")
    rng = np.random.default_rng(4)
    for length, width, words in ((6, 4, 4), (5, 9, 5), (7, 4, 3)):
        query, key = rng.normal(size=(2, length, width))
        ids = np.where(np.arange(length) < words, 7, 0)
        got = expect_array(
            f(query.copy(), key.copy(), ids.copy()),
            shape=(length, length),
            what="the table of weights",
        )
        right = _table(query, key, ids)
        if close(got, right, 1e-4):
            continue
        if close(got, _table(query, key, ids, scale=False), 1e-4):
            raise Misconception(
                "not divided by the root",
                "The scores are not divided by the root of the width. In a wide head they get so large that one token takes everything.",
            )
        if close(got, _table(key, query, ids), 1e-4):
            raise Misconception(
                "rows and columns exchanged",
                "A row belongs to the token that looks, its *query*; a column to the one that is looked at, its *key*. Yours are exchanged.",
            )
        if words < length and close(got, _table(query, key, ids, masked=False), 1e-4):
            raise Misconception(
                "padding is looked at",
                "Your table gives weight to the columns of the padding. What stands there means nothing.",
            )
        if words < length and close(got, _table(query, key, ids, masked=False, after=True), 1e-4):
            raise Misconception(
                "masked too late",
                "You set the weights of the padding to zero after the softmax, so a row no longer sums to one. Set the *scores* to minus infinity before.",
            )
        if np.allclose(got.sum(axis=0)[:words], 1, atol=1e-4) and not np.allclose(
            got.sum(axis=1), 1, atol=1e-4
        ):
            raise Misconception(
                "columns sum to one",
                "Your columns sum to one. The one that looks divides its attention: the softmax goes along each row.",
            )
        raise Incorrect(
            f"For {words} tokens in a table of {length} expected the first row {right[0].round(3).tolist()}, got {got[0].round(3).tolist()}."
        )


first_token = Choice(
    "first_token",
    "Before the first block, a probe on the vector of `[CLS]` scores like a coin, while one on the mean of all tokens does not. Why?",
    {
        "a": "The network has forgotten the sentence by then",
        "b": "Nothing has been exchanged between tokens yet: the vector of `[CLS]` is the same for every sentence, and the mean is a bag of words",
        "c": "`[CLS]` is padding, and padding means nothing",
        "d": "A probe on one vector of 384 numbers is too weak; the mean has more numbers",
    },
    right="b",
    wrong={
        "a": (
            "forgotten",
            "Nothing can be forgotten before the first block: at that depth each token's vector is only its entry in a table, with its place added.",
        ),
        "c": (
            "CLS is padding",
            "Padding is number 0 at the end of a row. `[CLS]` is a token that every sentence starts with, and it takes part in the attention.",
        ),
        "d": ("more numbers", "Both have 384 numbers. It is about what has gone into them."),
    },
    hints=[
        "What is the vector of a token at depth 0 made of?",
        "Which operation is the only one in which a token learns of the others?",
    ],
    praise="Attention is the only door between tokens, and it first opens in block 1.",
)


@exercise(
    title="A rate for each block",
    hints=[
        "The classifier's is `rate * decay**0`. How many entries does the list have for `blocks` blocks, classifier and embedding included?",
        "`[rate * decay**step for step in range(blocks + 2)]`",
    ],
    praise="With six blocks and a factor of 0.7, the embedding learns at less than a tenth of the classifier's rate.",
    setup=NUMPY,
    solution="""
        def layerwise(rate, decay, blocks):
            ### BEGIN SOLUTION
            return [rate * decay**step for step in range(blocks + 2)]
            ### END SOLUTION
    """,
    alternatives=[
        "def layerwise(rate, decay, blocks):\n    return rate * decay ** np.arange(blocks + 2)",
        "def layerwise(rate, decay, blocks):\n    rates = [rate]\n    for _ in range(blocks + 1):\n        rates.append(rates[-1] * decay)\n    return tuple(rates)",
    ],
    wrong={
        "the embedding is missing": "def layerwise(rate, decay, blocks):\n    return [rate * decay**step for step in range(blocks + 1)]",
        "the wrong end first": "def layerwise(rate, decay, blocks):\n    return [rate * decay**step for step in range(blocks + 2)][::-1]",
        "the classifier is slowed down too": "def layerwise(rate, decay, blocks):\n    return [rate * decay**step for step in range(1, blocks + 3)]",
        "subtracted, not multiplied": "def layerwise(rate, decay, blocks):\n    return [rate - rate * (1 - decay) * step for step in range(blocks + 2)]",
    },
    refused=["def layerwise(rate, decay, blocks):\n    return [rate] * (blocks + 2)"],
)
def layerwise(layerwise):
    f = expect_callable(layerwise, "layerwise")
    for rate, decay, blocks in ((1e-3, 0.7, 6), (2e-4, 0.9, 12), (1.0, 0.5, 2)):
        got = expect_array(f(rate, decay, blocks), what="the rates")
        right = rate * decay ** np.arange(blocks + 2)
        if got.ndim == 1 and len(got) == len(right) and np.allclose(got, right, rtol=1e-5, atol=0):
            continue
        if got.shape == (blocks + 1,) and np.allclose(got, right[:-1], rtol=1e-5, atol=0):
            raise Misconception(
                "the embedding is missing",
                "The embedding, below block 1, has a rate too: that makes one more than classifier and blocks.",
            )
        if got.shape == right.shape and np.allclose(got, right[::-1], rtol=1e-5, atol=0):
            raise Misconception(
                "the wrong end first",
                "Your list begins with the embedding. It was to go from the classifier, which learns fastest, down.",
            )
        if got.shape == right.shape and np.allclose(got, right * decay, rtol=1e-5, atol=0):
            raise Misconception(
                "the classifier is slowed down too",
                "The classifier learns at `rate` itself. The first factor belongs to the top block.",
            )
        if got.shape == right.shape and np.allclose(
            got, rate * (1 - (1 - decay) * np.arange(blocks + 2)), rtol=1e-5, atol=1e-12
        ):
            raise Misconception(
                "subtracted, not multiplied",
                "You take the same amount off at each step, which goes below zero in a deep network. Multiply by the factor.",
            )
        raise Incorrect(
            f"For {blocks} blocks expected {len(right)} rates, from {right[0]:g} down to {right[-1]:.3g}."
        )


@exercise(
    title="Does padding leak?",
    hints=[
        "Make the table eight places longer: `np.pad(ids, ((0, 0), (0, 8)))` fills up with zeros on the right.",
        "Compare `embed(longer)` with `embed(ids)`, and ask whether any number differs by more than 1e-4.",
    ],
    praise="Nobody has to look into the network for it. Whatever it does inside, a sentence's vector must not depend on the empty places behind it.",
    setup=NUMPY,
    solution="""
        def padding_leaks(embed, ids):
            ### BEGIN SOLUTION
            longer = np.pad(ids, ((0, 0), (0, 8)))
            return bool(np.abs(embed(longer) - embed(ids)).max() > 1e-4)
            ### END SOLUTION
    """,
    alternatives=[
        "def padding_leaks(embed, ids):\n    longer = np.concatenate([ids, np.zeros((len(ids), 8), ids.dtype)], axis=1)\n    return not np.allclose(embed(longer), embed(ids), rtol=0, atol=1e-4)",
        "def padding_leaks(embed, ids):\n    longer = np.hstack([ids, np.zeros((len(ids), 8), 'int32')])\n    return any(abs(a - b) > 1e-4 for x, y in zip(embed(longer), embed(ids)) for a, b in zip(x, y))",
    ],
    wrong={
        "the other way round": "def padding_leaks(embed, ids):\n    return np.allclose(embed(np.pad(ids, ((0, 0), (0, 8)))), embed(ids), atol=1e-4)",
        "padded in front": "def padding_leaks(embed, ids):\n    return bool(np.abs(embed(np.pad(ids, ((0, 0), (8, 0)))) - embed(ids)).max() > 1e-4)",
        "new rows, not new places": "def padding_leaks(embed, ids):\n    return bool(np.abs(embed(np.pad(ids, ((0, 8), (0, 0))))[:len(ids)] - embed(ids)).max() > 1e-4)",
        "differences cancel": "def padding_leaks(embed, ids):\n    return bool((embed(np.pad(ids, ((0, 0), (0, 8)))) - embed(ids)).sum() > 1e-4)",
        "filled with a token": "def padding_leaks(embed, ids):\n    return bool(np.abs(embed(np.pad(ids, ((0, 0), (0, 8)), constant_values=1)) - embed(ids)).max() > 1e-4)",
    },
    refused=["def padding_leaks(embed, ids):\n    return True"],
)
def padding_leaks(padding_leaks):
    f = expect_callable(padding_leaks, "padding_leaks")
    table = np.random.default_rng(2).normal(size=(200, 6))
    table[0] = (
        table[0] - table[0].mean()
    )  # what stands at the padding adds up to nothing, so that sums do not show it

    def careful(ids):
        there = (ids != 0)[..., None]
        return (table[ids] * there).sum(axis=1) / there.sum(axis=1)

    def first(ids):
        return table[ids[:, 0]]

    def ordered(ids):  # looks at the place of each token, and rightly at no padding
        there = (ids != 0)[..., None]
        places = np.arange(1, ids.shape[1] + 1)[None, :, None] / 10
        return (table[ids] * there * places).sum(axis=1) / there.sum(axis=1)

    def careless(ids):
        return table[ids].mean(axis=1)

    def half_careless(ids):  # the mask is in the sum, not in the division
        return (table[ids] * (ids != 0)[..., None]).mean(axis=1)

    def cancelling(ids):
        return careful(ids) + (ids == 0).sum(axis=1, keepdims=True) * np.array(
            [1.0, -1.0, 0, 0, 0, 0]
        )

    _, ids = _sentences()
    cases = [
        (careful, False),
        (careless, True),
        (ordered, False),
        (half_careless, True),
        (cancelling, True),
        (first, False),
    ]
    got = []
    for embed, _ in cases:
        said = f(embed, ids.copy())
        if not isinstance(said, (bool, np.bool_)):
            raise Incorrect("Return True or False.")
        got.append(bool(said))
    right = [leaks for _, leaks in cases]
    if got == right:
        return
    if got == [not leaks for leaks in right]:
        raise Misconception(
            "the other way round",
            "You return True when nothing changes. The question is whether padding *leaks*.",
        )
    if (
        got[4] is False
        and got[1]
        and not got[0]
        or got[4] is False
        and not any(got[i] for i in (0, 2, 5))
        and any(got)
    ):
        raise Misconception(
            "differences cancel",
            "You add up differences, and some are negative: they cancel. Ask for the largest absolute one.",
        )
    if all(got):
        raise Incorrect(
            "Your function says that padding leaks from each of our six. From three of them it does not."
        )
    if not any(got):
        raise Misconception(
            "new rows, not new places",
            "Your longer table has more rows, not more places in a row. Padding stands at the end of a sentence, along the second axis.",
        )
    if got == [leaks or i in (2, 5) for i, leaks in enumerate(right)]:
        raise Misconception(
            "padded in front",
            "You put the new places in front of the sentence. Then every token stands at another place, and a network may well say something else.",
        )
    if all(got[i] for i in (0, 1)):
        raise Misconception(
            "filled with a token", "Your new places hold a token, not padding: fill them with 0."
        )
    at = next(i for i, (a, b) in enumerate(zip(got, right)) if a != b)
    raise Incorrect(
        f"`embed` number {at + 1} of our six {'does' if right[at] else 'does not'} let padding leak, and your function says the opposite."
    )


lost = Choice(
    "lost",
    "A classifier of films scores 81 % on films and 70 % on editorials. A classifier that was trained on just as many sentences from editorials scores 74 % there. How much of the loss of eleven points is due to the change of domain?",
    {
        "a": "All eleven points: the sentences are new to it in both cases, so only the domain differs",
        "b": "None: a probe is frozen, and what is frozen cannot be worse elsewhere",
        "c": "Four points; the other seven are there for a classifier at home in editorials, too: they are harder to tell",
        "d": "One cannot say without fine-tuning",
    },
    right="c",
    wrong={
        "a": (
            "a harder domain",
            "Two things differ: the domain it was trained on, and how hard the new sentences are for anybody. A classifier that is at home there shows the second.",
        ),
        "b": (
            "frozen is safe",
            "The features are the same network's; what they mean for the labels was learned on films.",
        ),
        "d": (
            "only by fine-tuning",
            "The reference that is needed was measured: a classifier of the same kind, trained at home.",
        ),
    },
    hints=[
        "What would a classifier score that has every advantage there?",
        "Compare with the one trained at home: 74 %.",
    ],
    praise="Lost by moving is what somebody at home would have had. Report that reference, or you blame the move for the place.",
)


@exercise(
    title="Beat this number",
    hints=[
        "Depths in the middle say more than the last one, and several depths say more than one. With a hundred sentences, regularise strongly.",
        "Put depths 3 to 6 of the mean side by side, `x[:, 3:7, 0].reshape(len(x), -1)`, and fit `linear(0.001)`.",
    ],
    praise="Five times fewer labels, and a better guess: what was known in advance did the work.",
    setup="""
        import numpy as np
        from translearn.exercises.lesson10 import _read
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        movies, validation, few, few_seen, validation_seen = _read()
        def linear(c):
            return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=500))
    """,
    solution="""
        ### BEGIN SOLUTION
        middle = [x[:, 3:7, 0].reshape(len(x), -1) for x in (few_seen, validation_seen)]
        guesses = linear(0.001).fit(middle[0], few.labels).predict(middle[1])
        ### END SOLUTION
    """,
    alternatives=[
        "guesses = linear(0.01).fit(few_seen[:, 4, 0], few.labels).predict(validation_seen[:, 4, 0]).tolist()",
        "a, b = [x[:, 4:, 0].mean(axis=1) for x in (few_seen, validation_seen)]\nguesses = linear(0.01).fit(a, few.labels).predict(b)",
    ],
    wrong={
        "the answers themselves": "guesses = validation.labels",
        "on the training pictures": "guesses = few.labels",
        "scores, not classes": "guesses = np.eye(2)[validation.labels]",
    },
    refused=[
        "guesses = validation.labels * 0",
        "guesses = validation.labels + 0.5",
        "guesses = linear(0.01).fit(few_seen[:, 0, 1], few.labels).predict(validation_seen[:, 0, 1])",
    ],
    reference=to_beat("bert.labels", "counted words, 500 labels", "validation"),
)
def beat_it(guesses, reference):
    from types import SimpleNamespace

    from translearn import data

    validation = data.load_sentences("reviews", domains="movies").validation.take(200)
    return (
        better_guesses(
            guesses,
            SimpleNamespace(validation=validation, class_names=validation.class_names),
            100,
            reference,
            too_good=0.95,
        )
        + " "
        + beat_it.praise
    )


def _read():
    """What the frozen network says about the sentences of the last exercise, as the lesson's `read` gives it."""
    import keras

    from translearn import backbones, data

    movies = data.load_sentences("reviews", domains="movies")
    few, validation = movies.train.take(50, seed=0), movies.validation.take(200)
    tokenizer, bert = backbones.tokenizer("minilm"), backbones.load("minilm")
    depths = [
        bert.get_layer("embed_norm").output,
        *[bert.get_layer(f"block{b}_encoder").output for b in range(1, 7)],
    ]
    mask = keras.ops.cast(keras.ops.not_equal(bert.input, 0), "float32")[..., None]
    means = keras.ops.stack(
        [keras.ops.sum(x * mask, axis=1) / keras.ops.sum(mask, axis=1) for x in depths], axis=1
    )
    eyes = keras.Model(
        bert.input,
        keras.ops.stack([means, keras.ops.stack([x[:, 0] for x in depths], axis=1)], axis=2),
    )
    return (
        movies,
        validation,
        few,
        *[
            eyes.predict(tokenizer(part.texts, length=32), batch_size=100, verbose=0)
            for part in (few, validation)
        ],
    )
