"""Exercises of lesson 04, Pretraining."""

import numpy as np

from translearn.exercises import (
    Choice,
    Incorrect,
    Misconception,
    better_guesses,
    exercise,
    expect_array,
    expect_callable,
    expect_number,
    to_beat,
)

# The lesson's network, and a smaller relative that answers at once.
NETWORK = """
    import keras
    import numpy as np
    def network(seed=0, classes=5, names=("entry", "middle", "exit"), first=5):
        layers = keras.layers
        convolutions = [layers.Conv2D(64, size, strides=2, padding="same", activation="relu", name=name) for name, size in zip(names, (first, 3, 3))]
        return keras.Sequential([keras.Input((28, 28, 1)), layers.Rescaling(1 / 255, name="scale"), *convolutions,
                                 layers.GlobalAveragePooling2D(name="pool"), layers.LayerNormalization(center=False, scale=False, name="level"),
                                 layers.Dense(classes, name="logits")])
"""


def _chain(names=("entry", "middle", "exit"), classes=5, width=4, seed=0):
    """A network like the lesson's, in miniature; every number of it is random, biases too."""
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 255, name="scale"),
            *(
                layers.Conv2D(width, 3, padding="same", activation="relu", name=name)
                for name in names
            ),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(classes, name="logits"),
        ]
    )
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    return model


def _same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


@exercise(
    title="What comes along",
    hints=[
        '`model.count_params()` counts every number of a model, `model.get_layer("logits")` is its head.',
        'Everything but the head: `model.count_params() - model.get_layer("logits").count_params()`.',
    ],
    praise="The head is the smallest part, and the only one that cannot come along: it speaks of classes that the new task does not have.",
    setup=NETWORK,
    solution="""
        model = network()
        ### BEGIN SOLUTION
        transferred = model.count_params() - model.get_layer("logits").count_params()
        ### END SOLUTION
    """,
    alternatives=[
        "model = network()\ntransferred = sum(w.numpy().size for layer in model.layers if layer.name != 'logits' for w in layer.weights)",
        "model = network()\ntransferred = sum(model.get_layer(name).count_params() for name in ('entry', 'middle', 'exit'))",
    ],
    wrong={
        "the head too": "model = network()\ntransferred = model.count_params()",
        "arrays, not numbers": "transferred = 6",
        "kernels without biases": "model = network()\ntransferred = sum(model.get_layer(name).kernel.numpy().size for name in ('entry', 'middle', 'exit'))",
        "only the head": "model = network()\ntransferred = model.get_layer('logits').count_params()",
    },
    refused=["model = network()\ntransferred = model.get_layer('entry').count_params()"],
)
def transferred(transferred):
    got = expect_number(transferred, "the number of parameters")
    entry, inner, head = 25 * 64 + 64, 9 * 64 * 64 + 64, 64 * 5 + 5
    right = entry + 2 * inner
    if got == right:
        return
    if got == right + head:
        raise Misconception(
            "the head too",
            "That counts the head as well. Its five outputs belong to the five old classes.",
        )
    if got in (6, 3):
        raise Misconception(
            "arrays, not numbers",
            "You counted layers or arrays. One kernel of `middle` alone holds 3 · 3 · 64 · 64 numbers.",
        )
    if got == right - 3 * 64:
        raise Misconception(
            "kernels without biases",
            "Each convolution also has a bias for each of its 64 filters, and it comes along too.",
        )
    if got == head:
        raise Misconception("only the head", "That is the head, the one part that stays behind.")
    raise Incorrect(f"Not {got:,.0f}. Count the numbers of every layer but `logits`.")


@exercise(
    title="By name",
    hints=[
        "Go through `target.layers`. Which layers does the source have too? `{layer.name: layer for layer in source.layers}` finds them.",
        "Before `layer.set_weights(…)`, compare the shapes: `[w.shape for w in a.weights] == [w.shape for w in b.weights]`. Collect the names of what you copied.",
        "A layer without weights (`pool`) has nothing to copy: leave it out of the list.",
    ],
    praise="It returns what it did. A loader that says nothing is how a load comes to do nothing.",
    setup=NETWORK,
    solution="""
        def copy_by_name(source, target):
            ### BEGIN SOLUTION
            known, copied = {layer.name: layer for layer in source.layers}, []
            for layer in target.layers:
                twin = known.get(layer.name)
                if twin and twin.weights and [w.shape for w in twin.weights] == [w.shape for w in layer.weights]:
                    layer.set_weights(twin.get_weights())
                    copied.append(layer.name)
            return copied
            ### END SOLUTION
    """,
    alternatives=[
        "def copy_by_name(source, target):\n    copied = set()\n    for layer in source.layers:\n        try:\n            other = target.get_layer(layer.name)\n"
        "            if layer.weights:\n                other.set_weights(layer.get_weights())\n                copied.add(layer.name)\n        except ValueError:\n            continue\n    return copied",
        "def copy_by_name(source, target):\n    mine = {l.name: l.get_weights() for l in source.layers if l.weights}\n    copied = []\n    for layer in target.layers:\n"
        "        old, new = layer.get_weights(), mine.get(layer.name, [])\n        if new and len(old) == len(new) and all(a.shape == b.shape for a, b in zip(old, new)):\n"
        "            for variable, value in zip(layer.weights, new):\n                variable.assign(value)\n            copied.append(layer.name)\n    return tuple(copied)",
    ],
    wrong={
        "by position": "def copy_by_name(source, target):\n    copied = []\n    for a, b in zip(source.layers, target.layers):\n"
        "        if a.weights and [w.shape for w in a.weights] == [w.shape for w in b.weights]:\n            b.set_weights(a.get_weights())\n            copied.append(b.name)\n    return copied",
        "claims what it did not do": "def copy_by_name(source, target):\n    known = {l.name: l for l in source.layers}\n    copied = []\n    for layer in target.layers:\n"
        "        if layer.name in known and layer.weights:\n            copied.append(layer.name)\n            try:\n                layer.set_weights(known[layer.name].get_weights())\n            except ValueError:\n                pass\n    return copied",
        "the wrong way round": "def copy_by_name(source, target):\n    known = {l.name: l for l in target.layers}\n    copied = []\n    for layer in source.layers:\n"
        "        twin = known.get(layer.name)\n        if twin and twin.weights and [w.shape for w in twin.weights] == [w.shape for w in layer.weights]:\n"
        "            layer.set_weights(twin.get_weights())\n            copied.append(layer.name)\n    return copied",
        "kernels without biases": "def copy_by_name(source, target):\n    known = {l.name: l for l in source.layers}\n    copied = []\n    for layer in target.layers:\n"
        "        twin = known.get(layer.name)\n        if twin and twin.weights and twin.kernel.shape == layer.kernel.shape:\n            layer.kernel.assign(twin.kernel)\n            copied.append(layer.name)\n    return copied",
    },
    refused=[
        "def copy_by_name(source, target):\n    return []",
        "def copy_by_name(source, target):\n    return ['entry', 'middle', 'exit']",
    ],
)
def copy_by_name(copy_by_name):
    f = expect_callable(copy_by_name, "copy_by_name")
    usual = ("entry", "middle", "exit")
    # other classes; two layers in another order; one layer with another name
    for names, classes, expected in (
        (usual, 3, set(usual)),
        (("entry", "exit", "middle"), 5, {*usual, "logits"}),
        (("entry", "middle", "last"), 3, {"entry", "middle"}),
    ):
        source = _chain((usual[0], *usual[1:]), seed=1)
        target = _chain(names, classes=classes, seed=2)
        before, kept = (
            {l.name: l.get_weights() for l in target.layers if l.weights},
            source.get_weights(),
        )
        wanted = {
            name: source.get_layer(name).get_weights() if name in expected else before[name]
            for name in before
        }
        said = f(source, target)
        if not _same(source.get_weights(), kept):
            raise Misconception(
                "the wrong way round",
                "The source has changed. Copy from the source into the target.",
            )
        now = {name: target.get_layer(name).get_weights() for name in before}
        if type(said) not in (list, tuple, set) or not all(type(name) is str for name in said):
            raise Incorrect("Return the names of the layers that were copied, as a list.")
        if all(
            np.array_equal(now[n][0], source.get_layer(n).get_weights()[0])
            and _same(now[n][1:], before[n][1:])
            for n in expected
        ):
            raise Misconception(
                "kernels without biases",
                "The kernels came along, the biases did not. A layer's weights are all its arrays.",
            )
        by_position = [
            (a.get_weights(), now[b.name])
            for a, b in zip(source.layers, target.layers)
            if b.name in before and b.name not in expected or a.name != b.name
        ]
        if by_position and any(_same(a, b) for a, b in by_position):
            raise Misconception(
                "by position",
                f"The target's layers are {', '.join(names)}, and one of them got the weights of another name: you went by position.",
            )
        wrong = [name for name in before if not _same(now[name], wanted[name])]
        if wrong:
            should = (
                "should have the source's weights and does not"
                if wrong[0] in expected
                else "should have kept its own weights"
            )
            raise Incorrect(
                f"With target layers {', '.join(names)} and {classes} classes, `{wrong[0]}` {should}."
            )
        if set(said) - expected and set(said) - expected <= {"logits"}:
            raise Misconception(
                "claims what it did not do",
                "Your list names `logits`, but its shapes differ, and nothing was copied. A report that is wrong is worse than none.",
            )
        if set(said) != expected:
            raise Incorrect(
                f"The weights are right. The list should be {sorted(expected)}, and you returned {sorted(said)}."
            )


@exercise(
    title="Did it arrive?",
    hints=[
        'For each layer of `model` that has weights, compare every array with `saved[f"{layer.name}/{variable.name}"]`.',
        "`saved.get(key)` is None where the file has no such key, and `np.array_equal(None, array)` is False: that layer did not arrive.",
        '`[layer.name for layer in model.layers if layer.weights and not all(np.array_equal(saved.get(f"{layer.name}/{w.name}"), w.numpy()) for w in layer.weights)]`',
    ],
    praise='`assert not_arrived(model, saved) == ["logits"]` is the one line that no silent load survives.',
    setup=NETWORK,
    solution="""
        def not_arrived(model, saved):
            ### BEGIN SOLUTION
            return [layer.name for layer in model.layers if layer.weights and not all(
                np.array_equal(saved.get(f"{layer.name}/{w.name}"), w.numpy()) for w in layer.weights)]
            ### END SOLUTION
    """,
    alternatives=[
        "def not_arrived(model, saved):\n    lost = set()\n    for layer in model.layers:\n        for w in layer.weights:\n            key = f'{layer.name}/{w.name}'\n"
        "            if key not in saved or saved[key].shape != tuple(w.shape) or (saved[key] != w.numpy()).any():\n                lost.add(layer.name)\n    return lost",
        "def not_arrived(model, saved):\n    def ok(layer):\n        return all(saved.get(f'{layer.name}/{w.name}', np.empty(0)).tobytes() == w.numpy().tobytes() for w in layer.weights)\n"
        "    return tuple(layer.name for layer in model.layers if not ok(layer))",
    ],
    wrong={
        "close is near enough": "def not_arrived(model, saved):\n    def ok(l, w):\n        a = saved.get(f'{l.name}/{w.name}')\n        return a is not None and a.shape == tuple(w.shape) and np.allclose(a, w.numpy())\n"
        "    return [l.name for l in model.layers if not all(ok(l, w) for w in l.weights)]",
        "one array is enough": "def not_arrived(model, saved):\n    return [l.name for l in model.layers if l.weights and not any(\n"
        "        np.array_equal(saved.get(f'{l.name}/{w.name}'), w.numpy()) for w in l.weights)]",
        "what arrived": "def not_arrived(model, saved):\n    return [l.name for l in model.layers if l.weights and all(\n"
        "        np.array_equal(saved.get(f'{l.name}/{w.name}'), w.numpy()) for w in l.weights)]",
        "missing is not arrived": "def not_arrived(model, saved):\n    return [l.name for l in model.layers if not all(\n"
        "        np.array_equal(saved[f'{l.name}/{w.name}'], w.numpy()) for w in l.weights if f'{l.name}/{w.name}' in saved)]",
    },
    refused=[
        "def not_arrived(model, saved):\n    return [layer.name for layer in model.layers if not layer.weights]",
        "def not_arrived(model, saved):\n    return ['logits']",
    ],
)
def not_arrived(not_arrived):
    f = expect_callable(not_arrived, "not_arrived")
    model = _chain(seed=3)
    full = {
        f"{layer.name}/{w.name}": w.numpy().copy() for layer in model.layers for w in layer.weights
    }
    every = {layer.name for layer in model.layers if layer.weights}

    def lost(**changes):
        answer = f(
            model,
            {
                key: changes.get(key.replace("/", "_"), value)
                for key, value in full.items()
                if changes.get(key.replace("/", "_"), 0) is not None
            },
        )
        if type(answer) not in (list, tuple, set) or not all(type(name) is str for name in answer):
            raise Incorrect(
                "Return a list of layers' names; an empty one when all of them arrived."
            )
        return set(answer)

    whole, headless = lost(), lost(logits_kernel=None, logits_bias=None)
    if whole == every or headless == every - {"logits"}:
        raise Misconception(
            "what arrived", "Those are the layers that did arrive. Asked for are the others."
        )
    if whole:
        raise Incorrect(
            f"Everything arrived, and your function still names {sorted(whole)}. A layer without weights has nothing to miss."
        )
    if headless != {"logits"}:
        raise (
            Misconception(
                "missing is not arrived",
                "The file had nothing for `logits`, and your function did not mind. That is the commonest silent failure of all.",
            )
            if not headless
            else Incorrect(
                f"The file had nothing for `logits`; your function named {sorted(headless)}."
            )
        )
    if lost(middle_bias=full["middle/bias"] + 1) != {"middle"} or lost(
        exit_kernel=full["exit/kernel"] + 1
    ) != {"exit"}:
        raise Misconception(
            "one array is enough",
            "One array of a layer arrived and the other did not. The layer counts only when all of its arrays are the same.",
        )
    if lost(entry_kernel=np.nextafter(full["entry/kernel"], np.float32(9))) != {"entry"}:
        raise Misconception(
            "close is near enough",
            "The last bit of `entry`'s numbers differed, and your function did not mind. Copying rounds nothing: ask for equality.",
        )
    if lost(entry_kernel=full["entry/kernel"][:2]) != {"entry"}:
        raise Incorrect(
            "The file had an array of another shape for `entry`, and your function did not name it."
        )


by_position = Choice(
    "by_position",
    'The network has the same layers as the file, in the same order, but every one has another name. What does `model.load_weights("body.weights.h5")` do in this Keras?',
    {
        "a": "It raises an error, because no name matches",
        "b": "It loads nothing and says nothing",
        "c": "It loads everything: such a file knows layers by their kind and position, and never looks at your names",
        "d": "It loads the layers with a warning for each",
    },
    right="c",
    wrong={
        "a": ("names are checked", "It does not look at names at all, so it cannot miss them."),
        "b": (
            "names are needed",
            "That is what `by_name=True` does with an old `.h5` file. A `.weights.h5` file goes by kind and position.",
        ),
        "d": ("it warns", "It has nothing to warn of: as far as it can see, everything fits."),
    },
    hints=[
        "Look at what stands in the file: the keys that the lesson printed.",
        "A key such as `layers/conv2d_1/vars/0` says *the second convolution*, and nothing of your name for it.",
    ],
    praise="So renaming is harmless, and changing the order is not.",
)


@exercise(
    title="When did it get there?",
    hints=[
        "`np.asarray(scores) >= target` is a mask. What if it is False everywhere?",
        "`reached = np.flatnonzero(np.asarray(scores) >= target)`; then `seen[reached[0]]` if there is one, and `np.inf` if not.",
    ],
    praise="A run that never arrives is infinitely slow, not as slow as its last check. Leave such runs out and the slowest arm looks fast.",
    setup="import numpy as np",
    solution="""
        def first_reached(seen, scores, target):
            ### BEGIN SOLUTION
            reached = np.flatnonzero(np.asarray(scores) >= target)
            return seen[reached[0]] if len(reached) else np.inf
            ### END SOLUTION
    """,
    alternatives=[
        "def first_reached(seen, scores, target):\n    for s, score in zip(seen, scores):\n        if score >= target:\n            return float(s)\n    return float('inf')",
        "def first_reached(seen, scores, target):\n    return min([s for s, score in zip(seen, scores) if not score < target], default=np.inf)",
    ],
    wrong={
        "never is not last": "def first_reached(seen, scores, target):\n    at = np.flatnonzero(np.asarray(scores) >= target)\n    return seen[at[0]] if len(at) else seen[-1]",
        "never is not first": "def first_reached(seen, scores, target):\n    return seen[np.argmax(np.asarray(scores) >= target)]",
        "checks, not examples": "def first_reached(seen, scores, target):\n    at = np.flatnonzero(np.asarray(scores) >= target)\n    return at[0] if len(at) else np.inf",
        "the best, not the first": "def first_reached(seen, scores, target):\n    at = int(np.argmax(scores))\n    return seen[at] if scores[at] >= target else np.inf",
        "for good": "def first_reached(seen, scores, target):\n    below = np.flatnonzero(np.asarray(scores) < target)\n    start = below[-1] + 1 if len(below) else 0\n"
        "    return seen[start] if start < len(seen) else np.inf",
    },
    refused=[
        "def first_reached(seen, scores, target):\n    at = np.flatnonzero(np.asarray(scores) > target)\n    return seen[at[0]] if len(at) else np.inf"
    ],
)
def first_reached(first_reached):
    f = expect_callable(first_reached, "first_reached")
    seen = np.array([100, 200, 400, 800, 1600])
    # (scores, target, right, first for good, best): a dip after arriving, never, at once, exactly on the target
    for scores, target in (
        ([0.4, 0.62, 0.58, 0.7, 0.9], 0.6),
        ([0.2, 0.3, 0.5, 0.4, 0.45], 0.6),
        ([0.7, 0.8, 0.8, 0.9, 0.9], 0.6),
        ([0.3, 0.5, 0.75, 0.8, 0.82], 0.75),
    ):
        scores = np.array(scores)
        at = np.flatnonzero(scores >= target)
        right = float(seen[at[0]]) if len(at) else np.inf
        got = float(
            expect_array(f(seen, scores, target), shape=(), what="the examples seen", finite=False)
        )
        if got == right:
            continue
        if not len(at) and got == seen[-1]:
            raise Misconception(
                "never is not last",
                "This run never got there. To return the last check is to say that it did, just then.",
            )
        if not len(at) and got == seen[0]:
            raise Misconception(
                "never is not first",
                "This run never got there, and you return the very first check: `argmax` of a mask that is False everywhere is 0.",
            )
        if len(at) and got == at[0]:
            raise Misconception(
                "checks, not examples",
                "That is the number of the check. Return how many examples had been seen: `seen[…]`.",
            )
        if len(at) and got == seen[scores.argmax()]:
            raise Misconception(
                "the best, not the first",
                "That is where the score was best. Asked for is where it reached the target for the first time.",
            )
        below = np.flatnonzero(scores < target)
        if len(at) and len(below) and below[-1] + 1 < len(seen) and got == seen[below[-1] + 1]:
            raise Misconception(
                "for good",
                "That is where it got there for good. The first time is earlier: the rule was fixed beforehand, and it says *first*.",
            )
        raise Incorrect(
            f"For scores {scores.tolist()} at {seen.tolist()} and a target of {target} expected {right:g}, got {got:g}."
        )


@exercise(
    title="Helps, hurts, or cannot tell",
    hints=[
        "Subtract seed by seed. How sure is the *mean* of n differences? Its standard error is their standard deviation (n - 1) divided by the square root of n.",
        "`d = pretrained - scratch`, `error = d.std(ddof=1) / np.sqrt(len(d))`. If `d.mean() > 2 * error`, it helps; if `d.mean() < -2 * error`, it hurts.",
    ],
    praise="Three answers, not two. *Cannot tell* is what most comparisons with three seeds should say.",
    setup="import numpy as np",
    solution="""
        def verdict(pretrained, scratch):
            ### BEGIN SOLUTION
            d = pretrained - scratch
            error = d.std(ddof=1) / np.sqrt(len(d))
            return "helps" if d.mean() > 2 * error else "hurts" if d.mean() < -2 * error else "cannot tell"
            ### END SOLUTION
    """,
    alternatives=[
        "import statistics\ndef verdict(pretrained, scratch):\n    d = [float(a) - float(b) for a, b in zip(pretrained, scratch)]\n    m, e = statistics.mean(d), statistics.stdev(d) / len(d) ** 0.5\n"
        "    if abs(m) <= 2 * e:\n        return 'cannot tell'\n    return 'helps' if m > 0 else 'hurts'",
        "from scipy.stats import sem\ndef verdict(pretrained, scratch):\n    d = np.subtract(pretrained, scratch)\n    t = d.mean() / sem(d)\n    return ['hurts', 'cannot tell', 'helps'][int(t > -2) + int(t > 2)]",
    ],
    wrong={
        "the sign alone": "def verdict(pretrained, scratch):\n    return 'helps' if np.mean(pretrained - scratch) > 0 else 'hurts'",
        "the spread of single seeds": "def verdict(pretrained, scratch):\n    d = pretrained - scratch\n    e = d.std(ddof=1)\n    return 'helps' if d.mean() > 2 * e else 'hurts' if d.mean() < -2 * e else 'cannot tell'",
        "not paired": "def verdict(pretrained, scratch):\n    e = np.sqrt((pretrained.var(ddof=1) + scratch.var(ddof=1)) / len(scratch))\n    d = pretrained.mean() - scratch.mean()\n"
        "    return 'helps' if d > 2 * e else 'hurts' if d < -2 * e else 'cannot tell'",
        "the wrong way round": "def verdict(pretrained, scratch):\n    d = scratch - pretrained\n    e = d.std(ddof=1) / np.sqrt(len(d))\n    return 'helps' if d.mean() > 2 * e else 'hurts' if d.mean() < -2 * e else 'cannot tell'",
    },
    refused=[
        "def verdict(pretrained, scratch):\n    return 'helps'",
        "def verdict(pretrained, scratch):\n    return 'cannot tell'",
    ],
)
def verdict(verdict):
    f = expect_callable(verdict, "verdict")
    base = np.array([0.50, 0.70, 0.60, 0.55, 0.65])
    wobble = np.array([0.01, -0.01, 0.02, -0.02, 0.0])
    # clear both ways; no difference to speak of; clear for the mean, but not for a single seed; clear to everybody
    cases = [
        (base + 0.05 + wobble, base, "helps"),
        (base - 0.05 + wobble, base, "hurts"),
        (base + 0.005 + wobble, base, "cannot tell"),
        (base - 0.005 + wobble, base, "cannot tell"),
        (base + 0.02 + wobble, base, "helps"),
        (base + 0.4 + wobble, base, "helps"),
    ]
    got = [f(a, b) for a, b, _ in cases]
    if not all(type(word) is str and word in ("helps", "hurts", "cannot tell") for word in got):
        raise Incorrect('Return one of the words "helps", "hurts" and "cannot tell".')
    if got == [word for *_, word in cases]:
        return
    if got[:2] == ["hurts", "helps"]:
        raise Misconception(
            "the wrong way round",
            "Pretrained scored five points *more* in every seed, and you say that it hurts.",
        )
    if got[2:4] == ["helps", "hurts"]:
        raise Misconception(
            "the sign alone",
            "Half a point, where single seeds differ by two: the sign of that is luck.",
        )
    if got == ["cannot tell"] * 5 + ["helps"]:
        raise Misconception(
            "not paired",
            "You compared two means, each with the spread of its own arm. The seeds differ a lot, but they differ alike in both arms: subtract seed by seed first.",
        )
    if got[4] == "cannot tell" and got[:2] == ["helps", "hurts"]:
        raise Misconception(
            "the spread of single seeds",
            "You asked whether *every* seed would show it. The mean of five differences is surer than one: divide by the square root of their number.",
        )
    a, b, word = next(case for case, said in zip(cases, got) if said != case[2])
    raise Incorrect(
        f"For pretrained {np.round(a, 3).tolist()} and scratch {b.tolist()} expected {word!r}."
    )


@exercise(
    title="Where the curves meet",
    hints=[
        "Average over the seeds: `gap = (pretrained - scratch).mean(axis=0)` has one number for each count.",
        "A dip below a point that opens again is no meeting. Go from the right: how many counts at the end have a gap of at most 0.01?",
        "`met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]`, and the first of them, or `np.inf`.",
    ],
    praise="A definition that was fixed beforehand, so that nobody can pick the dip that suits them.",
    setup="import numpy as np",
    solution="""
        def meeting(counts, pretrained, scratch):
            ### BEGIN SOLUTION
            gap = (pretrained - scratch).mean(axis=0)
            met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]
            return met[0] if met else np.inf
            ### END SOLUTION
    """,
    alternatives=[
        "def meeting(counts, pretrained, scratch):\n    found = np.inf\n    for n, a, b in reversed(list(zip(counts, pretrained.T, scratch.T))):\n        if a.mean() - b.mean() > 0.01:\n            break\n        found = n\n    return found",
        "def meeting(counts, pretrained, scratch):\n    apart = np.flatnonzero(np.mean(pretrained, 0) - np.mean(scratch, 0) > 0.01)\n    first = apart[-1] + 1 if len(apart) else 0\n"
        "    return float(counts[first]) if first < len(counts) else float('inf')",
    ],
    wrong={
        "the first dip": "def meeting(counts, pretrained, scratch):\n    gap = (pretrained - scratch).mean(axis=0)\n    met = [n for n, g in zip(counts, gap) if g <= 0.01]\n    return met[0] if met else np.inf",
        "either direction": "def meeting(counts, pretrained, scratch):\n    gap = abs((pretrained - scratch).mean(axis=0))\n    met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]\n    return met[0] if met else np.inf",
        "they always meet": "def meeting(counts, pretrained, scratch):\n    gap = (pretrained - scratch).mean(axis=0)\n    met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]\n    return met[0] if met else counts[-1]",
        "one seed": "def meeting(counts, pretrained, scratch):\n    gap = (pretrained - scratch)[0]\n    met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]\n    return met[0] if met else np.inf",
    },
    refused=["def meeting(counts, pretrained, scratch):\n    return counts[-1]"],
)
def meeting(meeting):
    f = expect_callable(meeting, "meeting")
    counts = np.array([5, 10, 20, 50, 100])
    rng = np.random.default_rng(0)
    scratch = 0.6 + 0.03 * rng.normal(size=(4, 5))
    swing = np.array([[-0.05], [0.05], [0.05], [-0.05]])  # seed 0 lies 5 points below the mean
    # met at 50; a dip at 10 that opens again; overtaken from 20 on; never
    for gap, right, dip in (
        ([0.20, 0.10, 0.04, 0.005, 0.0], 50, 50),
        ([0.20, 0.005, 0.06, 0.005, 0.0], 50, 10),
        ([0.1, 0.05, -0.05, -0.04, -0.03], 20, 20),
        ([0.2, 0.1, 0.09, 0.08, 0.05], np.inf, np.inf),
    ):
        got = float(
            expect_array(
                f(counts, scratch + gap + swing, scratch),
                shape=(),
                what="the number of labels",
                finite=False,
            )
        )
        if got == right:
            continue
        if got == dip:
            raise Misconception(
                "the first dip",
                f"At {got:.0f} labels the gap is small, but it opens again. They meet where it *stays* small.",
            )
        if np.isinf(right):
            raise Misconception(
                "they always meet",
                "These curves are five points apart at the end. They do not meet here, and infinity says so.",
            )
        one = next(
            (n for i, n in enumerate(counts) if (np.array(gap)[i:] - 0.05 <= 0.01).all()), np.inf
        )
        if got == one and one != right:
            raise Misconception(
                "one seed", "That is what one seed says. Average the gap over the seeds first."
            )
        if min(gap) < -0.01 and got > right:
            raise Misconception(
                "either direction",
                "From 20 labels on, the network from scratch is *ahead*. Then it has caught up, too.",
            )
        raise Incorrect(
            f"For mean gaps of {gap} at {counts.tolist()} labels expected {right:g}, got {got:g}."
        )


@exercise(
    title="Nearest neighbours",
    hints=[
        "Cosine similarity: make every row of length 1, then `unit @ unit[query]` is its similarity to each row.",
        "A picture is its own nearest neighbour. Sort by similarity, the largest first, and leave `query` out: `[i for i in np.argsort(-similarity) if i != query][:k]`.",
    ],
    praise="A network's opinion of what is alike, without any labels: that is what the neighbours show.",
    setup="import numpy as np",
    solution="""
        def neighbours(features, query, k):
            ### BEGIN SOLUTION
            unit = features / np.linalg.norm(features, axis=1, keepdims=True)
            similarity = unit @ unit[query]
            return [i for i in np.argsort(-similarity) if i != query][:k]
            ### END SOLUTION
    """,
    alternatives=[
        "from sklearn.metrics.pairwise import cosine_similarity\ndef neighbours(features, query, k):\n    s = cosine_similarity(features[query:query + 1], features)[0]\n    s[query] = -np.inf\n    return s.argsort()[::-1][:k]",
        "def neighbours(features, query, k):\n    unit = features / np.sqrt((features ** 2).sum(1))[:, None]\n    far = np.linalg.norm(unit - unit[query], axis=1)\n    far[query] = np.inf\n    return np.argsort(far)[:k]",
    ],
    wrong={
        "itself": "def neighbours(features, query, k):\n    unit = features / np.linalg.norm(features, axis=1, keepdims=True)\n    return np.argsort(-unit @ unit[query])[:k]",
        "length counts": [
            "def neighbours(features, query, k):\n    s = features @ features[query]\n    return [i for i in np.argsort(-s) if i != query][:k]",
            "def neighbours(features, query, k):\n    d = np.linalg.norm(features - features[query], axis=1)\n    return [i for i in np.argsort(d) if i != query][:k]",
        ],
        "the farthest": "def neighbours(features, query, k):\n    unit = features / np.linalg.norm(features, axis=1, keepdims=True)\n    s = unit @ unit[query]\n    return [i for i in np.argsort(s) if i != query][:k]",
        "the wrong axis": "def neighbours(features, query, k):\n    unit = features / np.linalg.norm(features, axis=0, keepdims=True)\n    s = unit @ unit[query] / np.linalg.norm(unit, axis=1)\n    return [i for i in np.argsort(-s) if i != query][:k]",
    },
    refused=["def neighbours(features, query, k):\n    return [query - 1] * k"],
)
def neighbours(neighbours):
    f = expect_callable(neighbours, "neighbours")
    rng = np.random.default_rng(1)
    for rows, width, query, k in ((30, 6, 4, 5), (12, 3, 0, 4), (40, 8, 39, 6)):
        features = (
            np.abs(rng.normal(size=(rows, width)))
            * rng.uniform(0.2, 5, size=(rows, 1))
            * np.linspace(1, 6, width)
        )
        got = (
            expect_array(f(features, query, k), shape=(k,), what="the neighbours")
            .astype(int)
            .tolist()
        )

        def first(score):
            return [int(i) for i in np.argsort(-score, kind="stable") if i != query][:k]

        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        if got == first(unit @ unit[query]):
            continue
        if query in got:
            raise Misconception(
                "itself",
                "Your list contains the picture itself. It is always its own nearest neighbour, which tells nobody anything.",
            )
        if got == first(-(unit @ unit[query])):
            raise Misconception(
                "the farthest",
                "Those are the pictures that are *least* alike. The largest similarity comes first.",
            )
        if got in (
            first(features @ features[query]),
            first(-np.linalg.norm(features - features[query], axis=1)),
        ):
            raise Misconception(
                "length counts",
                "You compared features of different lengths. Divide each row by its length first: then only the direction counts.",
            )
        raise (
            Misconception(
                "the wrong axis",
                "These are not the nearest. Each *row* is a picture, so it is each row that gets length 1 (`axis=1`).",
            )
            if got == first(_columns(features, query))
            else Incorrect(
                f"For {rows} pictures with {width} features each, {got} are not the {k} nearest to picture {query}."
            )
        )


def _columns(features, query):
    unit = features / np.linalg.norm(features, axis=0, keepdims=True)
    return unit @ unit[query] / np.linalg.norm(unit, axis=1)


hurts = Choice(
    "hurts",
    "A colleague reports negative transfer: pretrained on fashion, a network reads digits worse than one from scratch. Both were trained with the rate 0.003. What do you ask first?",
    {
        "a": "Nothing: clothes and digits are unrelated, so that was to be expected",
        "b": "To try a larger network",
        "c": "To tune the rate for each of the two, equally hard, on validation pictures, and to compare again over several seeds",
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
            "That changes both arms, and the question is whether the comparison was fair in the first place.",
        ),
        "d": (
            "picking the winner",
            "To choose the setting in which your favourite wins is the same mistake, the other way round.",
        ),
    },
    hints=[
        "What else, besides the pretraining, could make one of the two arms worse?",
        "The rate that suits one start need not suit another.",
    ],
    praise="The commonest cause of a surprising comparison is that one arm was tuned and the other was not.",
)


@exercise(
    title="Beat this number",
    hints=[
        "Features of different channels have different scales: `StandardScaler` first. Then a linear classifier that is held back: `LogisticRegression(C=0.01, max_iter=1000)`.",
        "One block is good, several are better: `np.concatenate([features[block] for block in blocks], axis=1)`, for both sets of pictures.",
    ],
    praise="A fifth of the labels, and a network that never saw a grey picture of a shoe: it knows more, and that is what counted.",
    setup="""
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from translearn import backbones, data, transfer
        enlarged = data.load("fashion", classes=data.load("fashion").class_names[5:], size=64)
        def in_colour(part):
            return np.repeat(part.images, 3, axis=-1)
        few, blocks = enlarged.train.take(10, seed=0), ["block05", "block08", "block10", "block13"]
        lite0 = backbones.load("efficientnet_lite0", size=64)
        few_features, validation_features = [transfer.cache_features(lite0, in_colour(part), layers=blocks) for part in (few, enlarged.validation)]
    """,
    solution="""
        ### BEGIN SOLUTION
        together = [np.concatenate([features[block] for block in blocks], axis=1) for features in (few_features, validation_features)]
        mine = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        guesses = mine.fit(together[0], few.labels).predict(together[1])
        ### END SOLUTION
    """,
    alternatives=[
        "one = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(few_features['block13'], few.labels)\nguesses = one.predict(validation_features['block13'])",
        "from sklearn.svm import SVC\nboth = [np.concatenate([f[b] for b in blocks[2:]], axis=1) for f in (few_features, validation_features)]\n"
        "guesses = list(make_pipeline(StandardScaler(), SVC(kernel='linear', C=0.01)).fit(both[0], few.labels).predict(both[1]))",
    ],
    wrong={
        "the answers themselves": "guesses = enlarged.validation.labels",
        "on the training pictures": "guesses = few.labels",
        "scores, not classes": "guesses = np.zeros((len(enlarged.validation), 5))",
    },
    refused=[
        "guesses = enlarged.validation.labels * 0",
        "guesses = enlarged.validation.labels + 0.5",
    ],
    reference=to_beat("pretraining.labels", "fine-tuned, 50 labels", "validation accuracy"),
)
def beat_it(guesses, reference):
    from translearn import data

    target = data.load("fashion", classes=data.load("fashion").class_names[5:])
    return better_guesses(guesses, target, 50, reference, too_good=0.985) + " " + beat_it.praise
