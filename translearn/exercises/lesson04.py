"""Exercises of lesson 04, Pretraining."""

import functools

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    better_guesses,
    exercise,
    expect_callable,
    expect_number,
    expect_right,
    to_beat,
)

USUAL = ("entry", "middle", "exit")


def chain(names=USUAL, classes=5, last=3, bias=True, seed=0):
    """A network like the lesson's, in miniature; every number of it is random, biases too."""
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 255, name="scale"),
            layers.Conv2D(4, 3, padding="same", use_bias=bias, name=names[0]),
            layers.Conv2D(4, 3, padding="same", name=names[1]),
            layers.Conv2D(4, last, padding="same", name=names[2]),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(classes, name="logits"),
        ]
    )
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    return model


# What comes along --------------------------------------------------------------------------------

ENTRY, INNER, HEAD = 25 * 64 + 64, 9 * 64 * 64 + 64, 64 * 5 + 5


@exercise(
    title="What comes along",
    hints=[
        "`model.count_params()` counts every number of a model, "
        '`model.get_layer("logits")` is its head.',
        "Everything but the head: "
        '`model.count_params() - model.get_layer("logits").count_params()`.',
    ],
    praise="The head is the smallest part, and the only one that cannot come along: it speaks of "
    "classes that the new task does not have.",
)
def transferred(transferred):
    mistakes = [
        Mistake(
            "the head too",
            "That counts the head as well. Its five outputs belong to the five old classes.",
            lambda: ENTRY + 2 * INNER + HEAD,
        ),
        Mistake(
            "arrays, not numbers",
            "You counted layers or arrays. One kernel of `middle` alone holds "
            "3 · 3 · 64 · 64 numbers.",
            lambda: 6,
            lambda: 3,
        ),
        Mistake(
            "kernels without biases",
            "Each convolution also has a bias for each of its 64 filters, and it comes along too.",
            lambda: ENTRY + 2 * INNER - 3 * 64,
        ),
        Mistake(
            "only the head",
            "That is the head, the one part that stays behind.",
            lambda: HEAD,
        ),
    ]
    got = expect_number(transferred, "the number of parameters")
    expect_right(got, ENTRY + 2 * INNER, mistakes, what="the number of parameters")


# When did it get there? --------------------------------------------------------------------------


def last_when_never(seen, scores, target):
    reached = np.flatnonzero(np.asarray(scores) >= target)
    return seen[reached[0]] if len(reached) else seen[-1]


def which_check(seen, scores, target):
    reached = np.flatnonzero(np.asarray(scores) >= target)
    return reached[0] if len(reached) else np.inf


def where_best(seen, scores, target):
    at = int(np.argmax(scores))
    return seen[at] if scores[at] >= target else np.inf


def for_good(seen, scores, target):
    below = np.flatnonzero(np.asarray(scores) < target)
    start = below[-1] + 1 if len(below) else 0
    return seen[start] if start < len(seen) else np.inf


SEEN = np.array([100, 200, 400, 800, 1600])

first_reached = Function(
    "first_reached",
    title="When did it get there?",
    hints=[
        "`np.asarray(scores) >= target` is a mask. What if it is False everywhere?",
        "`reached = np.flatnonzero(np.asarray(scores) >= target)`; then `seen[reached[0]]` if "
        "there is one, and `np.inf` if not.",
    ],
    praise="A run that never arrives is infinitely slow, not as slow as its last check. Leave "
    "such runs out and the slowest arm looks fast.",
    probes=[
        (SEEN, np.array([0.4, 0.62, 0.58, 0.7, 0.9]), 0.6),  # a dip after it got there
        (SEEN, np.array([0.2, 0.3, 0.5, 0.4, 0.45]), 0.6),  # never
        (SEEN, np.array([0.7, 0.8, 0.8, 0.9, 0.9]), 0.6),  # at once
        (SEEN, np.array([0.3, 0.5, 0.75, 0.8, 0.82]), 0.75),  # exactly on the target
        (SEEN, np.array([0.2, 0.3, 0.5, 0.6, 0.76]), 0.75),  # at the last check
        ([50, 75], [0.1, 0.5], 0.3),
    ],
    mistakes=[
        Mistake(
            "never is not last",
            "One run never gets there. To return the last check is to say that it did, just then.",
            last_when_never,
        ),
        Mistake(
            "never is not first",
            "One run never gets there, and you return the very first check: `argmax` of a mask "
            "that is False everywhere is 0.",
            lambda seen, scores, target: seen[np.argmax(np.asarray(scores) >= target)],
        ),
        Mistake(
            "checks, not pictures",
            "That is the number of the check. Return how many pictures had been seen: `seen[…]`.",
            which_check,
        ),
        Mistake(
            "the best, not the first",
            "That is where the score was best. Asked for is where it reached the target for the "
            "first time.",
            where_best,
        ),
        Mistake(
            "for good",
            "That is where it got there for good. The first time is earlier: the rule was fixed "
            "beforehand, and it says *first*.",
            for_good,
        ),
    ],
)


# What a file knows -------------------------------------------------------------------------------

by_position = Choice(
    "by_position",
    "The network has the same layers as the file, in the same order, but every one has another "
    'name. What does `model.load_weights("body.weights.h5")` do in this Keras?',
    {
        "a": "It raises an error, because not one of the names in the file is found",
        "b": "It loads nothing, since no name matches, and says nothing",
        "c": "It loads everything, by kind and position",
        "d": "It loads the layers, with a warning for each name that differs",
    },
    right="c",
    wrong={
        "a": ("names are checked", "It does not look at names at all, so it cannot miss them."),
        "b": (
            "names are needed",
            "That is what `by_name=True` does with an old `.h5` file. A `.weights.h5` file goes "
            "by kind and position.",
        ),
        "d": ("it warns", "It has nothing to warn of: as far as it can see, everything fits."),
    },
    hints=[
        "Part 5 says by what such a file knows its layers.",
        "A key in it such as `layers/conv2d_1/vars/0` says *the second convolution*, and nothing "
        "of your name for it.",
    ],
    praise="So renaming is harmless, and changing the order is not.",
)


# Did it arrive? ----------------------------------------------------------------------------------


def arrays_of(model):
    return {f"{layer.name}/{w.name}": w for layer in model.layers for w in layer.weights}


@functools.cache
def half_loaded():
    """{in words: a model, and what was saved of it, with one thing wrong}"""
    model = chain(seed=3)
    saved = {key: w.numpy() for key, w in arrays_of(model).items()}
    entry = saved["entry/kernel"]
    one_apart = entry.copy()
    one_apart[-1, -1, -1, -1] += 1
    spoilt = {
        "everything as it was saved": {},
        "nothing saved for `logits`": {"logits/kernel": None, "logits/bias": None},
        "nothing saved for the bias of `exit`": {"exit/bias": None},
        "another bias for `middle`": {"middle/bias": saved["middle/bias"] + 1},
        "another kernel for `exit`": {"exit/kernel": saved["exit/kernel"] + 1},
        "the kernel of `entry` apart in its last bit": {
            "entry/kernel": np.nextafter(entry, np.float32(9))
        },
        "one number of `entry`'s kernel apart": {"entry/kernel": one_apart},
        "the kernel of `entry` turned": {"entry/kernel": entry[::-1]},
        "a kernel of another shape for `entry`": {"entry/kernel": entry[:2]},
        "the arrays of `middle` and `exit` exchanged": {
            "middle/kernel": saved["exit/kernel"],
            "middle/bias": saved["exit/bias"],
            "exit/kernel": saved["middle/kernel"],
            "exit/bias": saved["middle/bias"],
        },
        "numbers for a layer that the model does not have": {"last/kernel": entry},
    }
    probes = {}
    for words, changes in spoilt.items():
        now = saved | changes
        probes[words] = (model, {key: value for key, value in now.items() if value is not None})
    return probes


def close_enough(model, saved):
    def near(key, w):
        array = saved.get(key)
        return array is not None and array.shape == tuple(w.shape) and np.allclose(array, w)

    lost = {key.split("/")[0] for key, w in arrays_of(model).items() if not near(key, w)}
    return list(lost)


def equal(layer, saved):
    """For each array of a layer, whether it is what was saved."""
    pairs = [(saved.get(f"{layer.name}/{w.name}"), w.numpy()) for w in layer.weights]
    return [np.array_equal(array, w) for array, w in pairs]


def no_array_arrived(model, saved):
    return [l.name for l in model.layers if l.weights and not any(equal(l, saved))]


def arrived(model, saved):
    return [l.name for l in model.layers if l.weights and all(equal(l, saved))]


def what_the_file_has(model, saved):
    arrays = {key: w.numpy() for key, w in arrays_of(model).items() if key in saved}
    lost = {key.split("/")[0] for key, w in arrays.items() if not np.array_equal(saved[key], w)}
    return list(lost)


def names_of_layers(answer):
    names = list(answer)
    if len(set(names)) < len(names):
        raise Incorrect("A layer stands in your list more than once. Name each layer once.")
    return set(names)


not_arrived = Function(
    "not_arrived",
    title="Did it arrive?",
    hints=[
        "For each layer of `model` that has weights, compare every array with "
        '`saved[f"{layer.name}/{variable.name}"]`.',
        "`saved.get(key)` is None where the file has no such key, and "
        "`np.array_equal(None, array)` is False: that layer did not arrive.",
        "`[layer.name for layer in model.layers if layer.weights and not "
        'all(np.array_equal(saved.get(f"{layer.name}/{w.name}"), w.numpy()) '
        "for w in layer.weights)]`",
    ],
    praise='`assert list(not_arrived(model, saved)) == ["logits"]` is the one line that no silent '
    "load survives.",
    probes=half_loaded,
    read=names_of_layers,
    mistakes=[
        Mistake(
            "close is near enough",
            "The last bit of `entry`'s numbers differed, and your function did not mind. Copying "
            "rounds nothing: ask for equality.",
            close_enough,
        ),
        Mistake(
            "one array is enough",
            "One array of a layer arrived and the other did not. The layer counts only when all "
            "of its arrays are the same.",
            no_array_arrived,
        ),
        Mistake(
            "what arrived",
            "Those are the layers that did arrive. Asked for are the others.",
            arrived,
        ),
        Mistake(
            "missing is not arrived",
            "The file had nothing for `logits`, and your function did not mind. That is the "
            "commonest silent failure of all.",
            what_the_file_has,
        ),
    ],
)


# Did the source hurt? ----------------------------------------------------------------------------

hurts = Choice(
    "hurts",
    "A colleague reports negative transfer: pretrained on fashion, a network reads digits worse "
    "than one from scratch. Both were trained with the rate 0.003. What do you ask first?",
    {
        "a": "Nothing: clothes and digits are unrelated, so that is what was to be expected",
        "b": "To try a larger network, which can hold what both tasks need",
        "c": "To tune the rate of each, equally hard, and to compare again",
        "d": "To look for the number of labels at which pretraining helps, and report that",
    },
    right="c",
    wrong={
        "a": (
            "unrelated must hurt",
            "An edge is an edge. Whether an unrelated source hurts is a question, not a premise.",
        ),
        "b": (
            "a bigger hammer",
            "That changes both arms, and the question is whether the comparison was fair in the "
            "first place.",
        ),
        "d": (
            "picking the winner",
            "To choose the setting in which your favourite wins is the same mistake, the other "
            "way round.",
        ),
    },
    hints=[
        "What else, besides the pretraining, could make one of the two arms worse?",
        "The rate that suits one start need not suit another.",
    ],
    praise="On validation pictures, and over several seeds. The commonest cause of a surprising "
    "comparison is that one arm was tuned and the other was not.",
)


# Beat this number --------------------------------------------------------------------------------


@exercise(
    title="Beat this number",
    hints=[
        "Features of different channels have different scales: `StandardScaler` first. Then a "
        "linear classifier that is held back: `LogisticRegression(C=0.01, max_iter=1000)`.",
        "One block is good, several are better: "
        "`np.concatenate([features[block] for block in blocks], axis=1)`, for both sets of "
        "pictures.",
    ],
    praise="A fifth of the labels, and they were enough. What a network knows in advance is worth "
    "that much when it was learned from a million varied photographs.",
    reference=to_beat("pretraining.labels", "fine-tuned, 50 labels", "validation accuracy"),
)
def beat_it(guesses, reference):
    from translearn import data

    target = data.load("fashion", classes=data.load("fashion").class_names[5:])
    wanted = reference + 0.01  # a win by a hair is luck
    return f"{better_guesses(guesses, target, 50, wanted, too_good=0.985)} {beat_it.praise}"


# Nearest neighbours ------------------------------------------------------------------------------


def nearest(similarity, query, k):
    return [i for i in np.argsort(-similarity) if i != query][:k]


def with_itself(features, query, k):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return np.argsort(-unit @ unit[query])[:k]


def farthest(features, query, k):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return nearest(-unit @ unit[query], query, k)


def columns_of_length_one(features, query, k):
    unit = features / np.linalg.norm(features, axis=0, keepdims=True)
    return nearest(unit @ unit[query] / np.linalg.norm(unit, axis=1), query, k)


@functools.cache
def rows_of_features():
    """Features of very different lengths, so that direction and distance disagree."""
    rng, probes = np.random.default_rng(1), {}
    for rows, width, query, k in ((30, 6, 4, 5), (12, 3, 0, 4), (40, 8, 39, 6), (8, 4, 2, 1)):
        lengths, scales = rng.uniform(0.2, 5, size=(rows, 1)), np.linspace(1, 6, width)
        features = rng.normal(0.5, 1, size=(rows, width)) * lengths * scales
        words = f"the {k} nearest to picture {query} of {rows} with {width} features each"
        probes[words] = (features, query, k)
    return probes


neighbours = Function(
    "neighbours",
    title="Nearest neighbours",
    hints=[
        "Cosine similarity: make every row of length 1, then `unit @ unit[query]` is its "
        "similarity to each row.",
        "A picture is its own nearest neighbour. Sort by similarity, the largest first, and leave "
        "`query` out: `[i for i in np.argsort(-similarity) if i != query][:k]`.",
    ],
    praise="A network's opinion of what is alike, without any labels: that is what the neighbours "
    "show.",
    probes=rows_of_features,
    mistakes=[
        Mistake(
            "itself",
            "Your list contains the picture itself. It is always its own nearest neighbour, which "
            "tells nobody anything.",
            with_itself,
        ),
        Mistake(
            "length counts",
            "You compared features of different lengths. Divide each row by its length first: "
            "then only the direction counts.",
            lambda features, query, k: nearest(features @ features[query], query, k),
            lambda features, query, k: nearest(
                -np.linalg.norm(features - features[query], axis=1), query, k
            ),
        ),
        Mistake(
            "the farthest",
            "Those are the pictures that are *least* alike. The largest similarity comes first.",
            farthest,
        ),
        Mistake(
            "the wrong axis",
            "These are not the nearest. Each *row* is a picture, so it is each row that gets "
            "length 1 (`axis=1`).",
            columns_of_length_one,
        ),
    ],
)


# Where the curves meet ---------------------------------------------------------------------------


def first_dip(counts, pretrained, scratch):
    gap = (pretrained - scratch).mean(axis=0)
    met = [n for n, g in zip(counts, gap) if g <= 0.01]
    return met[0] if met else np.inf


def met_at(counts, gap, otherwise=np.inf):
    met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]
    return met[0] if met else otherwise


@functools.cache
def pairs_of_curves():
    """{in words: counts, and the scores of both arms, 4 seeds}; the first seed lies 5 points lower
    than the mean, and the median of the four lies off it.
    """
    counts = np.array([5, 10, 20, 50, 100])
    scratch = 0.6 + 0.03 * np.random.default_rng(0).normal(size=(4, 5))
    swing = np.array([[-0.05], [-0.03], [-0.02], [0.10]])
    gaps = {
        "met at 50": [0.20, 0.10, 0.04, 0.005, 0.0],
        "a dip at 10 that opens again": [0.20, 0.005, 0.06, 0.005, 0.0],
        "two dips, at 10 and 20, before it opens again": [0.20, 0.005, 0.004, 0.05, 0.0],
        "overtaken from 20 on": [0.1, 0.05, -0.05, -0.04, -0.03],
        "never": [0.2, 0.1, 0.09, 0.08, 0.05],
        "met at the first number": [0.008, 0.009, -0.02, 0.0, 0.005],
        "a little more than a point apart until 100": [0.1, 0.05, 0.013, 0.0105, 0.009],
    }
    return {
        f"the mean gaps {gap} ({words})": (counts, scratch + gap + swing, scratch)
        for words, gap in gaps.items()
    }


meeting = Function(
    "meeting",
    title="Where the curves meet",
    hints=[
        "Average over the seeds: `gap = (pretrained - scratch).mean(axis=0)` has one number for "
        "each count.",
        "A dip below a point that opens again is no meeting. Go from the right: how many counts "
        "at the end have a gap of at most 0.01?",
        "`met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]`, and the first of "
        "them, or `np.inf`.",
    ],
    praise="A definition that was fixed beforehand, so that nobody can pick the dip that suits "
    "them.",
    probes=pairs_of_curves,
    mistakes=[
        Mistake(
            "the first dip",
            "At 10 labels the gap is small in one of the cases, but it opens again. They meet "
            "where it *stays* small.",
            first_dip,
        ),
        Mistake(
            "either direction",
            "Where the network from scratch is *ahead*, it has caught up, too.",
            lambda counts, pretrained, scratch: met_at(
                counts, abs((pretrained - scratch).mean(axis=0))
            ),
        ),
        Mistake(
            "they always meet",
            "In one of the cases the curves are five points apart at the end. They do not meet "
            "there, and infinity says so.",
            lambda counts, pretrained, scratch: met_at(
                counts, (pretrained - scratch).mean(axis=0), counts[-1]
            ),
        ),
        Mistake(
            "one seed",
            "That is what one seed says. Average the gap over the seeds first.",
            lambda counts, pretrained, scratch: met_at(counts, (pretrained - scratch)[0]),
        ),
    ],
)


# By name, and say so -----------------------------------------------------------------------------


def shapes(layer):
    return [tuple(w.shape) for w in layer.weights]


def copied_by_position(source, target):
    copied = []
    for a, b in zip(source.layers, target.layers):
        if a.weights and shapes(a) == shapes(b):
            b.set_weights(a.get_weights())
            copied.append(b.name)
    return copied


def copied_and_boasted(source, target):
    known, copied = {layer.name: layer for layer in source.layers}, []
    for layer in target.layers:
        if layer.name in known and layer.weights:
            copied.append(layer.name)
            if shapes(known[layer.name]) == shapes(layer):
                layer.set_weights(known[layer.name].get_weights())
    return copied


def copied_backwards(source, target):
    known, copied = {layer.name: layer for layer in target.layers}, []
    for layer in source.layers:
        twin = known.get(layer.name)
        if twin and twin.weights and shapes(twin) == shapes(layer):
            layer.set_weights(twin.get_weights())
            copied.append(layer.name)
    return copied


def copied_kernels(source, target):
    known, copied = {layer.name: layer for layer in source.layers}, []
    for layer in target.layers:
        twin = known.get(layer.name)
        if twin and twin.weights and shapes(twin) == shapes(layer):
            layer.kernel.assign(twin.kernel)
            copied.append(layer.name)
    return copied


COPYING = [
    Mistake(
        "by position",
        "Layers got the weights of a layer with another name: you went by position.",
        copied_by_position,
    ),
    Mistake(
        "claims what it did not do",
        "Your list names layers whose shapes differ, and nothing was copied there. A report that "
        "is wrong is worse than none.",
        copied_and_boasted,
    ),
    Mistake(
        "the wrong way round",
        "The source has changed. Copy from the source into the target.",
        copied_backwards,
    ),
    Mistake(
        "kernels without biases",
        "The kernels came along, the biases did not. A layer's weights are all its arrays.",
        copied_kernels,
    ),
]

# {in words: how the target differs from the source, and the layers that can be copied}
TARGETS = {
    "other classes": ({"classes": 3}, {*USUAL}),
    "two layers in another order": ({"names": ("entry", "exit", "middle")}, {*USUAL, "logits"}),
    "another name for the last layer": (
        {"names": ("entry", "middle", "last"), "classes": 3},
        {"entry", "middle"},
    ),
    "as many numbers in `exit`, in another shape": (
        {"last": (1, 9)},
        {"entry", "middle", "logits"},
    ),
    "no bias in `entry`": ({"bias": False}, {"middle", "exit", "logits"}),
}


def copying(function):
    """For each target: the arrays of source and target before, the target's afterwards, whether
    the source has changed, and what the function returned.
    """
    found = []
    for settings, _ in TARGETS.values():
        source, target = chain(seed=1), chain(**settings, seed=2)
        before = {layer.name: layer.get_weights() for layer in target.layers if layer.weights}
        kept = {layer.name: layer.get_weights() for layer in source.layers if layer.weights}
        said = function(source, target)
        now = {name: target.get_layer(name).get_weights() for name in before}
        changed = [not same(source.get_layer(name).get_weights(), kept[name]) for name in kept]
        found.append((kept, before, now, any(changed), said))
    return found


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


def does_the_same(got, mistaken):
    for (*_, now, changed, said), (*_, other, changed_too, said_too) in zip(got, mistaken):
        alike = all(same(now[name], other[name]) for name in now)
        if not alike or changed != changed_too or sorted(said) != sorted(said_too):
            return False
    return True


@exercise(
    title="By name, and say so",
    hints=[
        "Go through `target.layers`. Which layers does the source have too? "
        "`{layer.name: layer for layer in source.layers}` finds them.",
        "Before `layer.set_weights(…)`, compare the shapes: "
        "`[w.shape for w in a.weights] == [w.shape for w in b.weights]`. Collect the names of "
        "what you copied.",
        "A layer without weights (`pool`) has nothing to copy: leave it out of the list.",
    ],
    praise="It returns what it did. A loader that says nothing is how a load comes to do nothing.",
)
def copy_by_name(copy_by_name):
    got = copying(expect_callable(copy_by_name, "copy_by_name"))
    for *_, said in got:
        if type(said) not in (list, tuple, set) or not all(type(name) is str for name in said):
            raise Incorrect("Return the names of the layers that were copied, as a list.")
    for mistake in COPYING:
        if any(does_the_same(got, copying(function)) for function in mistake.functions):
            raise Misconception(mistake.name, mistake.message)
    for (words, (_, expected)), (kept, before, now, changed, said) in zip(TARGETS.items(), got):
        if changed:
            raise Incorrect(f"With {words}, the source has changed. Copy into the target.")
        for name in now:
            if not same(now[name], kept[name] if name in expected else before[name]):
                should = "the source's weights" if name in expected else "kept its own weights"
                raise Incorrect(f"With {words}, `{name}` should have {should}, and does not.")
        if sorted(said) != sorted(expected):
            raise Incorrect(
                f"With {words}, the weights are right. The list should be {sorted(expected)}, "
                f"and you returned {sorted(said)}."
            )


# Helps, hurts, or cannot tell --------------------------------------------------------------------


def judged_by(ratio):
    """The verdict of someone who counts a mean difference in another unit: `ratio(d)` of it."""

    def judge(pretrained, scratch):
        mean = ratio(pretrained - scratch)
        return "helps" if mean > 2 else "hurts" if mean < -2 else "cannot tell"

    return judge


def not_paired(pretrained, scratch):
    gap = pretrained.mean() - scratch.mean()
    error = np.hypot(pretrained.std(ddof=1), scratch.std(ddof=1)) / np.sqrt(len(scratch))
    return "helps" if gap > 2 * error else "hurts" if gap < -2 * error else "cannot tell"


def turned_round(pretrained, scratch):
    return judged_by(lambda d: d.mean() / d.std(ddof=1) * np.sqrt(len(d)))(scratch, pretrained)


@functools.cache
def comparisons():
    """{in words: scores of both arms}. The mean difference stands at so many standard errors;
    large and small differences are sure, and unsure, for three to twenty seeds.
    """
    rng, probes = np.random.default_rng(5), {}
    for errors, seeds, spread in (
        (2.1, 5, 0.02),
        (-2.1, 5, 0.02),
        (1.95, 5, 0.1),
        (-1.95, 5, 0.1),
        (2.2, 10, 0.004),
        (-2.2, 10, 0.004),
        (1.95, 3, 0.05),
        (-2.2, 3, 0.03),
        (1.3, 5, 0.03),
        (-0.95, 5, 0.04),
        (8, 5, 0.02),
        (-8, 5, 0.02),
        (0.5, 5, 0.02),
        (-0.3, 10, 0.01),
        # These tell other bounds than two (1.96, 2.05) from a wrong standard error.
        (1.98, 10, 0.02),
        (-1.98, 10, 0.02),
        (2.02, 10, 0.02),
        (-2.02, 10, 0.02),
        (0.1, 5, 0.1),
        (0.6, 20, 0.02),
        (1.6, 10, 0.02),
        (3.2, 3, 0.02),
        (4, 10, 0.02),
        (60, 5, 0.02),
        (-60, 5, 0.02),
    ):
        wobble = rng.normal(size=seeds)
        wobble = (wobble - wobble.mean()) / wobble.std(ddof=1)
        scratch = 0.5 + 0.1 * rng.normal(size=seeds)
        difference = spread * (wobble + errors / np.sqrt(seeds))
        words = f"a mean difference of {errors:g} standard errors ({seeds} seeds)"
        probes[words] = (scratch + difference, scratch)
    return probes


verdict = Function(
    "verdict",
    title="Helps, hurts, or cannot tell",
    hints=[
        "Subtract seed by seed. How sure is the mean of those differences? Its standard error is "
        "their standard deviation (n - 1) divided by the square root of n.",
        "`d = pretrained - scratch`, `error = d.std(ddof=1) / np.sqrt(len(d))`. If "
        "`d.mean() > 2 * error`, it helps; if `d.mean() < -2 * error`, it hurts.",
    ],
    praise="Three answers, not two. *Cannot tell* is what most comparisons with three seeds "
    "should say.",
    probes=comparisons,
    mistakes=[
        Mistake(
            "the sign alone",
            "Where single seeds differ by more than the mean does, the sign of the mean is luck.",
            lambda pretrained, scratch: "helps" if np.mean(pretrained - scratch) > 0 else "hurts",
        ),
        Mistake(
            "the spread of single seeds",
            "You asked whether *every* seed would show it. The mean of five differences is surer "
            "than one: divide by the square root of their number.",
            judged_by(lambda d: d.mean() / d.std(ddof=1)),
        ),
        Mistake(
            "divided by n",
            "The standard error is the standard deviation divided by the *square root* of the "
            "number of seeds.",
            judged_by(lambda d: d.mean() / d.std(ddof=1) * len(d)),
        ),
        Mistake(
            "divided by n, not n − 1",
            "That standard deviation divides by n. With a handful of seeds it comes out too "
            "small: `std(ddof=1)`.",
            judged_by(lambda d: d.mean() / d.std() * np.sqrt(len(d))),
        ),
        Mistake(
            "one standard error",
            "A mean more than *one* standard error from zero comes about by luck in a third of "
            "all cases. The rule asks for two.",
            judged_by(lambda d: 2 * d.mean() / d.std(ddof=1) * np.sqrt(len(d))),
        ),
        Mistake(
            "not paired",
            "You compared two means, each with the spread of its own arm. The seeds differ a lot, "
            "but they differ alike in both arms: subtract seed by seed first.",
            not_paired,
        ),
        Mistake(
            "the wrong way round",
            "Where pretrained scored more in every seed, you say that it hurts.",
            turned_round,
        ),
    ],
)
