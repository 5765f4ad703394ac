"""Exercises of lesson 06, Fine-tuning."""

import functools

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
    learners_code,
    to_beat,
)


@exercise(
    title="What a recipe spends",
    hints=[
        "A frozen block costs less computing, but the picture is looked at all the same. The budget counts looks.",
        "Add up the epochs of all stages, and multiply by the pictures.",
    ],
    praise="So *head first, then everything* for 10 + 10 epochs is matched by 20 epochs of *head only*, not by 10.",
    solution="""
        def examples_seen(pictures, stages):
            ### BEGIN SOLUTION
            return pictures * sum(epochs for epochs, learns in stages)
            ### END SOLUTION
    """,
    alternatives=[
        "def examples_seen(pictures, stages):\n    seen = 0\n    for stage in stages:\n        seen += stage[0] * pictures\n    return seen",
        "import numpy as np\nexamples_seen = lambda pictures, stages: np.array([epochs for epochs, _ in stages]).sum() * float(pictures)",
    ],
    wrong={
        "only the last stage counts": "def examples_seen(pictures, stages):\n    return pictures * stages[-1][0]",
        "frozen is free": "def examples_seen(pictures, stages):\n    return pictures * sum(epochs for epochs, learns in stages if learns != 'head')",
        "epochs, not examples": "def examples_seen(pictures, stages):\n    return sum(epochs for epochs, learns in stages)",
    },
    refused=["def examples_seen(pictures, stages):\n    return pictures * len(stages)"],
)
def examples_seen(examples_seen):
    f = expect_callable(examples_seen, "examples_seen")
    for pictures, stages in (
        (100, [(7, "head"), (3, "head"), (4, "everything")]),
        (60, [(5, "everything")]),
    ):
        epochs = sum(e for e, _ in stages)
        got = expect_number(f(pictures, list(stages)), "the examples seen")
        if close(got, pictures * epochs):
            continue
        if close(got, pictures * stages[-1][0]):
            # With two head stages before it, counting the last stage alone and skipping the head's look the same: ask once more.
            mixed = expect_number(
                f(10, [(2, "everything"), (3, "everything")]), "the examples seen"
            )
            if close(mixed, 50):
                raise Misconception(
                    "frozen is free",
                    "You left out the epochs in which only the head learned. The pictures were looked at all the same, and the head learned from each look.",
                )
            raise Misconception(
                "only the last stage counts",
                "You counted the last stage alone. The stages before it saw pictures too.",
            )
        if close(got, epochs):
            raise Misconception(
                "epochs, not examples",
                "Those are the epochs. A budget that can be compared counts pictures seen: 10 epochs of 1,000 pictures are not 10 epochs of 50.",
            )
        raise Incorrect(
            f"For {pictures} pictures and the stages {stages} expected {pictures * epochs:,}, got {got:,.0f}."
        )


@exercise(
    title="How far has a block moved?",
    hints=[
        "Think of all the numbers in all the arrays as one long arrow. How long is the difference of the two arrows?",
        "`np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(after, before)))`, divided by the same thing for `before` alone.",
    ],
    praise="Relative, so that a block of a thousand weights and one of a million can be compared.",
    setup="import numpy as np",
    solution="""
        def distance(before, after):
            ### BEGIN SOLUTION
            moved = np.sqrt(sum(((b - a) ** 2).sum() for a, b in zip(before, after)))
            return moved / np.sqrt(sum((a ** 2).sum() for a in before))
            ### END SOLUTION
    """,
    alternatives=[
        "def distance(before, after):\n    a, b = (np.concatenate([np.ravel(w) for w in weights]) for weights in (before, after))\n"
        "    return np.linalg.norm(b - a) / np.linalg.norm(a)",
        "def distance(before, after):\n    moved = [np.linalg.norm(b - a) for a, b in zip(before, after)]\n"
        "    return np.float32(np.hypot.reduce(moved) / np.hypot.reduce([np.linalg.norm(a) for a in before]))",
    ],
    wrong={
        "absolute": "def distance(before, after):\n    return np.sqrt(sum(((b - a) ** 2).sum() for a, b in zip(before, after)))",
        "signs cancel": "def distance(before, after):\n    return abs(sum((b - a).sum() for a, b in zip(before, after))) / abs(sum(a.sum() for a in before))",
        "every array counts the same": "def distance(before, after):\n    return np.mean([np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after)])",
        "measured from where it arrived": "def distance(before, after):\n    moved = np.sqrt(sum(((b - a) ** 2).sum() for a, b in zip(before, after)))\n"
        "    return moved / np.sqrt(sum((b ** 2).sum() for b in after))",
        "squared": "def distance(before, after):\n    return sum(((b - a) ** 2).sum() for a, b in zip(before, after)) / sum((a ** 2).sum() for a in before)",
    },
    refused=[
        "def distance(before, after):\n    return 0.0",
        "def distance(before, after):\n    return np.abs(after[0] - before[0]).max()",
    ],
)
def distance(distance):
    f = expect_callable(distance, "distance")
    rng = np.random.default_rng(0)
    before = [rng.normal(size=(3, 4)).astype("float32"), 5 * rng.normal(size=7).astype("float32")]
    after = [
        before[0] + rng.normal(size=(3, 4)).astype("float32"),
        before[1] + 0.3 * rng.normal(size=7).astype("float32"),
    ]

    def ask(one, other):
        return expect_number(f([w.copy() for w in one], [w.copy() for w in other]), "the distance")

    a, b = (
        np.concatenate([w.ravel() for w in weights]).astype(float) for weights in (before, after)
    )
    right, got = np.linalg.norm(b - a) / np.linalg.norm(a), ask(before, after)
    if close(got, right, 1e-4):
        if not close(ask(before, before), 0, 1e-6):
            raise Incorrect("Weights that did not move should have the distance 0.")
        one = ask([before[0]], [before[0] * 2])
        if not close(one, 1, 1e-4):
            raise Incorrect(
                f"One array that doubles has moved by its own length: expected 1, got {one:.4g}."
            )
        return
    if close(got, np.linalg.norm(b - a), 1e-4):
        raise Misconception(
            "absolute",
            "That is the length of the way itself. Divide by the length of `before`: a block with more weights is not further away.",
        )
    if close(got, abs((b - a).sum()) / abs(a.sum()), 1e-3) or close(got, abs((b - a).sum()), 1e-3):
        raise Misconception(
            "signs cancel",
            "You added up differences with their signs: one weight that rises and one that falls would make a distance of 0. Square them first.",
        )
    if close(
        got,
        np.mean([np.linalg.norm(y - x) / np.linalg.norm(x) for x, y in zip(before, after)]),
        1e-4,
    ):
        raise Misconception(
            "every array counts the same",
            "You took the mean over the arrays, so a handful of biases counts as much as a whole kernel. Add the squares of all arrays first.",
        )
    if close(got, np.linalg.norm(b - a) / np.linalg.norm(b), 1e-4):
        raise Misconception(
            "measured from where it arrived",
            "You divided by the length of `after`. The pretrained weights, `before`, are the yardstick.",
        )
    if close(got, right**2, 1e-4):
        raise Misconception(
            "squared", "The square roots are missing: half the way would count as a quarter."
        )
    raise Incorrect(f"Expected {right:.4g} for two small arrays, got {got:.4g}.")


@exercise(
    title="How much is forgotten?",
    hints=[
        "A network that guesses blindly scores `chance`, and knows nothing. So how much did the old head know at first?",
        "It knew `before - chance` and still knows `after - chance`. Return the share that is gone.",
    ],
    praise="0 means that nothing is forgotten, 1 that the old head might as well guess. Below 0 the old task has gained.",
    solution="""
        def forgotten(before, after, chance):
            ### BEGIN SOLUTION
            return (before - after) / (before - chance)
            ### END SOLUTION
    """,
    alternatives=[
        "def forgotten(before, after, chance):\n    return 1 - (after - chance) / (before - chance)",
        "import numpy as np\nforgotten = lambda before, after, chance: np.float32(1.0 - np.divide(after - chance, before - chance))",
    ],
    wrong={
        "a guess counts as knowledge": "def forgotten(before, after, chance):\n    return (before - after) / before",
        "points, not a share": "def forgotten(before, after, chance):\n    return before - after",
        "what is kept": "def forgotten(before, after, chance):\n    return (after - chance) / (before - chance)",
    },
    refused=[
        "def forgotten(before, after, chance):\n    return (after - before) / (before - chance)",
        "def forgotten(before, after, chance):\n    return max(0.0, (before - after) / (before - chance))",
    ],
)
def forgotten(forgotten):
    f = expect_callable(forgotten, "forgotten")
    for before, after, chance in (
        (0.9, 0.55, 0.2),
        (0.8, 0.8, 0.5),
        (0.9, 0.2, 0.2),
        (0.7, 0.74, 0.1),
    ):
        right = (before - after) / (before - chance)
        got = expect_number(f(before, after, chance), "the share that is forgotten")
        if close(got, right, 1e-4):
            continue
        if close(got, 1 - right, 1e-4):
            raise Misconception(
                "what is kept", "That is the share that is *kept*. Forgotten is the rest of it."
            )
        if close(got, (before - after) / before, 1e-4):
            raise Misconception(
                "a guess counts as knowledge",
                f"A head that guesses blindly would still score {chance:.0%}, and your function would say that it has kept something. Count from `chance`.",
            )
        if close(got, before - after, 1e-4):
            raise Misconception(
                "points, not a share",
                "Those are the points lost. Divide by the points that there were to lose, above a blind guess.",
            )
        raise Incorrect(
            f"From {before:.0%} to {after:.0%}, where a blind guess scores {chance:.0%}: expected {right:.4g}, got {got:.4g}."
        )


@exercise(
    title="When does a block wake up?",
    hints=[
        "A block learns in the epochs in which its rate is above 0: `recipe > 0`. Which is the first such row of each column?",
        "`(recipe > 0).argmax(axis=0)` finds the first one. But what does it say about a column in which there is none? `.any(axis=0)` knows.",
    ],
    praise="A block that never wakes is frozen: its number is that of the epochs, one past the last.",
    setup="import numpy as np",
    solution="""
        def wakes_at(recipe):
            ### BEGIN SOLUTION
            learns = recipe > 0
            return np.where(learns.any(axis=0), learns.argmax(axis=0), len(recipe))
            ### END SOLUTION
    """,
    alternatives=[
        "def wakes_at(recipe):\n    return [next((epoch for epoch, rate in enumerate(column) if rate > 0), len(recipe)) for column in recipe.T]",
        "def wakes_at(recipe):\n    return (np.maximum.accumulate(recipe, axis=0) == 0).sum(axis=0).astype('float32')",
    ],
    wrong={
        "asleep is not awake at once": "def wakes_at(recipe):\n    return (recipe > 0).argmax(axis=0)",
        "counted from 1": "def wakes_at(recipe):\n    return (np.maximum.accumulate(recipe, axis=0) == 0).sum(axis=0) + 1",
        "rows for columns": "def wakes_at(recipe):\n    learns = recipe > 0\n    return np.where(learns.any(axis=1), learns.argmax(axis=1), recipe.shape[1])",
        "epochs asleep": "def wakes_at(recipe):\n    return (recipe == 0).sum(axis=0)",
    },
    refused=[
        "def wakes_at(recipe):\n    return (recipe > 0).sum(axis=0)",
        "def wakes_at(recipe):\n    return np.zeros(4)",
    ],
)
def wakes_at(wakes_at):
    f = expect_callable(wakes_at, "wakes_at")
    recipes = [
        np.array(
            [
                [0.1, 0, 0, 0],
                [0.1, 0, 0, 0],
                [0.1, 0.1, 0, 0],
                [0.1, 0.1, 0, 0.05],
                [0.1, 0.1, 0, 0.05],
                [0.1, 0.1, 0, 0.05],
            ]
        ),
        np.array([[0.2, 0, 0.2, 0], [0, 0, 0, 0], [0, 0.2, 0, 0]]),
    ]
    for recipe in recipes:
        learns = recipe > 0
        right = np.where(learns.any(axis=0), learns.argmax(axis=0), len(recipe))
        raw = f(recipe.copy())
        if np.shape(raw) == (len(recipe),) and len(recipe) != 4:
            raise Misconception(
                "rows for columns",
                f"You returned {len(recipe)} numbers, one for each epoch. The blocks are the columns: `axis=0` runs down a column.",
            )
        got = expect_array(raw, shape=(4,), what="the epochs in which the four blocks wake up")
        if close(got, right):
            continue
        if close(got, learns.argmax(axis=0)):
            raise Misconception(
                "asleep is not awake at once",
                "A block that never learns got the number 0, which says that it learns from the start: `argmax` of a column without a single True is 0.",
            )
        if close(got, right + 1):
            raise Misconception(
                "counted from 1",
                "Your numbers are one too high. Epochs are counted from 0 here, as rows are.",
            )
        if close(got, (~learns).sum(axis=0)):
            raise Misconception(
                "epochs asleep",
                "You counted all epochs in which a block sleeps, also those in which it sleeps again after it was awake.",
            )
        raise Incorrect(
            f"For the recipe {recipe.tolist()} expected {right.tolist()}, got {got.tolist()}."
        )


@exercise(
    title="Both at once",
    hints=[
        "Take `gradual(rate)` apart: where is it above 0? Multiply that by the rates that `discriminative` would give.",
        "`np.where(gradual(1.0) > 0, discriminative(rate), 0.0)`: a block's rate when it is awake, and 0 when it sleeps.",
    ],
    praise="This is the pair that Howard and Ruder proposed together in 2018, for language models.",
    setup="""
        import numpy as np
        EPOCHS = 20
        def gradual(rate, blocks=4):
            epoch, block = np.mgrid[:EPOCHS, :blocks]
            return np.where(epoch * blocks >= block * EPOCHS, rate, 0.0)
        def discriminative(rate, blocks=4):
            return np.tile(rate / 2.6 ** np.arange(blocks), (EPOCHS, 1))
    """,
    solution="""
        def both(rate):
            ### BEGIN SOLUTION
            return np.where(gradual(1.0) > 0, discriminative(rate), 0.0)
            ### END SOLUTION
    """,
    alternatives=[
        "def both(rate):\n    return gradual(rate) * discriminative(1.0)",
        "def both(rate):\n    return [[rate / 2.6 ** block if epoch >= 5 * block else 0 for block in range(4)] for epoch in range(20)]",
        "def both(rate):\n    recipe = np.zeros((20, 4), 'float32')\n    for block in range(4):\n        recipe[5 * block:, block] = rate / 2.6 ** block\n    return recipe",
    ],
    wrong={
        "the wrong way round": "def both(rate):\n    return np.where(gradual(1.0) > 0, discriminative(rate)[:, ::-1], 0.0)",
        "the rate squared": "def both(rate):\n    return gradual(rate) * discriminative(rate)",
        "nobody sleeps": "def both(rate):\n    return np.maximum(gradual(rate) * 0, discriminative(rate))",
        "all alike": "def both(rate):\n    return gradual(rate)",
        "back to sleep": "def both(rate):\n    recipe = np.zeros((20, 4))\n    for block in range(4):\n        recipe[5 * block:5 * block + 5, block] = rate / 2.6 ** block\n    return recipe",
        "from the input up": "def both(rate):\n    return np.where(gradual(1.0)[:, ::-1] > 0, discriminative(rate), 0.0)",
    },
    refused=[
        "def both(rate):\n    return gradual(rate) + discriminative(rate)",
        "def both(rate):\n    return rate",
    ],
)
def both(both):
    f = expect_callable(both, "both")
    epoch, block = np.mgrid[:20, :4]
    awake, rates = epoch >= 5 * block, 1 / 2.6 ** np.arange(4)
    for rate in (0.01, 0.5):
        got = expect_array(
            f(rate),
            shape=(20, 4),
            what="the recipe, one row for each epoch and one column for each block",
        )

        def same(other):
            return np.allclose(got, other, rtol=1e-4, atol=0)

        if same(rate * rates * awake):
            continue
        if same(rate * rates[::-1] * awake):
            raise Misconception(
                "the wrong way round",
                "The blocks wake up in the right order, but block 1 gets the largest rate and the head the smallest.",
            )
        if same(rate**2 * rates * awake):
            raise Misconception(
                "the rate squared",
                "Each of the two already holds the rate, so the product holds its square. Call one of them with 1.",
            )
        if same(np.tile(rate * rates, (20, 1))):
            raise Misconception(
                "nobody sleeps",
                "The rates are right, but every block learns from the first epoch on.",
            )
        if same(rate * awake):
            raise Misconception(
                "all alike",
                "The blocks wake up in turn, but then they all learn at the same rate.",
            )
        if same(rate * rates * (awake & (epoch < 5 * block + 5))):
            raise Misconception(
                "back to sleep",
                "A block that woke up goes back to sleep when the next one wakes. It should go on learning.",
            )
        if same(rate * rates * awake[:, ::-1]):
            raise Misconception(
                "from the input up",
                "Yours wakes block 1 first and the head last. The head is new: it is column 0, and it learns from the start.",
            )
        raise Incorrect(
            f"For a rate of {rate:g}, epoch 12 should read {np.array2string(rate * rates * awake[12], precision=4)}; yours reads {np.array2string(got[12], precision=4)}."
        )


scaled = Choice(
    "scaled",
    "You want block 1 to learn at a tenth of the rate, so you multiply its gradient by 0.1 before Adam gets it. What happens to Adam's steps in block 1?",
    {
        "a": "They are a tenth as long",
        "b": "They are a hundredth as long, since Adam squares the gradient",
        "c": "They stay practically as long as they were",
        "d": "Block 1 is frozen, since such a small gradient vanishes",
    },
    right="c",
    wrong={
        "a": (
            "as with SGD",
            "With SGD, yes. Adam divides by the size of recent gradients, and that size has shrunk to a tenth as well.",
        ),
        "b": (
            "the square alone",
            "It does square the gradient, but only to divide by the root of its mean.",
        ),
        "d": (
            "too small to matter",
            "Adam does not mind how small a gradient is: a tiny steady gradient gets the same step as a large steady one.",
        ),
    },
    hints=[
        "Write down Adam's first step for a gradient g, and again for 0.1 · g (lesson 02).",
        "The first step is rate · g / (|g| + ε). Where does the 0.1 go?",
    ],
    praise="That is why discriminative rates with Adam need a rate, or an optimiser, for each block, and a factor on the gradient does nothing.",
)


def _small_classifier():
    from translearn import backbones, transfer

    return transfer.attach_head(
        backbones.load("small_cnn", weights=None, size=32, seed=0),
        5,
        batch_norm="training",
        seed=0,
    )


@exercise(
    title="Wake everything but batch normalisation",
    hints=[
        "Three lines: everything on, batch normalisation off again, compile. What tells you that a layer is batch normalisation?",
        "`isinstance(layer, keras.layers.BatchNormalization)`. Set its `trainable` to `False` *after* the backbone's was set to `True`, which reaches every layer inside.",
    ],
    praise="The order matters twice: the backbone's flag before the layers', and all flags before `compile`.",
    setup="""
        import keras
        import numpy as np
        from translearn import backbones, transfer
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    """,
    solution="""
        def wake(model, rate):
            ### BEGIN SOLUTION
            backbone = model.get_layer("small_cnn")
            backbone.trainable = True
            for layer in backbone.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.trainable = False
            model.compile(keras.optimizers.Adam(rate), loss)
            ### END SOLUTION
    """,
    alternatives=[
        "def wake(model, rate):\n    transfer.unfreeze(model, batch_norm=False)\n    model.compile(optimizer=keras.optimizers.RMSprop(rate), loss=loss)\n    return model",
        "def wake(model, rate):\n    for layer in model.get_layer('small_cnn').layers:\n        layer.trainable = 'bn' not in layer.name\n"
        "    model.compile(keras.optimizers.SGD(learning_rate=rate), 'sparse_categorical_crossentropy' if False else loss)",
    ],
    wrong={
        "batch normalisation woke up": "def wake(model, rate):\n    model.get_layer('small_cnn').trainable = True\n    model.compile(keras.optimizers.Adam(rate), loss)",
        "still asleep": "def wake(model, rate):\n    model.compile(keras.optimizers.Adam(rate), loss)",
        "no compile": "def wake(model, rate):\n    transfer.unfreeze(model)\n    model.optimizer.learning_rate = rate",
        "the rate of the head": "def wake(model, rate):\n    transfer.unfreeze(model)\n    model.compile('adam', loss)",
    },
    refused=[
        "def wake(model, rate):\n    transfer.unfreeze(model, from_block='block3')\n    model.compile(keras.optimizers.Adam(rate), loss)"
    ],
)
def wake(wake):
    f = expect_callable(wake, "wake")
    import keras

    rng = np.random.default_rng(0)
    pictures, labels = (
        rng.integers(0, 256, (8, 32, 32, 3)).astype("float32"),
        rng.integers(0, 5, 8),
    )
    model = _small_classifier()
    body = model.get_layer("small_cnn")
    body.trainable = False
    model.compile(
        keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    model.fit(pictures, labels, verbose=0)  # the head's own stage
    f(model, 1e-4)
    kernels = [layer.kernel for layer in body.layers if hasattr(layer, "kernel")]
    statistics = [
        w
        for layer in body.layers
        if isinstance(layer, keras.layers.BatchNormalization)
        for w in layer.non_trainable_weights[-2:]
    ]
    before = [[w.numpy().copy() for w in part] for part in (kernels, statistics)]
    flags = [layer.trainable for layer in body.layers if hasattr(layer, "kernel")]
    with learners_code("model.fit(…) on the model as your function left it"):
        model.fit(pictures, labels, verbose=0)
    moved, shifted = (
        [not np.array_equal(w.numpy(), old) for w, old in zip(part, then)]
        for part, then in zip((kernels, statistics), before)
    )
    if any(shifted):
        raise Misconception(
            "batch normalisation woke up",
            "The convolutions learn, and the moving statistics of batch normalisation move as well: it is in training mode. Freeze those layers again, after the backbone was switched on.",
        )
    if not any(flags):
        raise Misconception(
            "still asleep",
            "After your function every convolution of the backbone is still frozen.",
        )
    if not any(moved):
        raise Misconception(
            "no compile",
            "The flags are right, but `fit` goes on with the training step that it built while the backbone was frozen. Compile again.",
        )
    if not all(moved):
        raise Incorrect(
            "Some convolutions of the backbone did not move. All of them should learn."
        )
    rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    if not close(rate, 1e-4, 1e-9):
        raise Misconception(
            "the rate of the head",
            f"Everything learns, but at a rate of {rate:g} instead of 0.0001.",
        )


reasons = Choice(
    "reasons",
    "Somebody says: a large rate is bad for fine-tuning because training converges too early. Which experiment can prove them wrong?",
    {
        "a": "A run at the large rate, with its final score beside that of a run at a small rate",
        "b": "A large rate for the first ten steps only, and the small rate from there on",
        "c": "A run at the large rate with ten times as many epochs",
        "d": "A plot of the training loss at the large rate",
    },
    right="b",
    wrong={
        "a": (
            "both reasons predict it",
            "Both reasons predict that the large rate scores lower. An experiment that both predict can tell nothing about the reason.",
        ),
        "c": (
            "more of the same",
            "If it still scores low, one side says *converged*, the other *destroyed*, and nobody has learned anything.",
        ),
        "d": (
            "a curve with two readings",
            "A loss that levels off is what both expect in the end. The question is what it cost on the way.",
        ),
    },
    hints=[
        "What would each of the two reasons predict? Look for an experiment where the predictions differ.",
        "If the harm lies in *ending* too early, then going on at the small rate, with nearly the whole budget left, must repair it. If it lies in what is *destroyed*, it need not.",
    ],
    praise="An experiment is worth running when the two sides would bet differently on it.",
)


@functools.cache
def _lesson_cells():
    """What the lesson's own cells define up to part 4: the last exercise is tried with them."""
    import ast
    import json

    from translearn import paths

    space = {"__name__": "__main__"}
    for cell in json.loads((paths.NOTEBOOKS / "06_fine_tuning.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]:
        text = "".join(cell["source"])
        if "## 4 · Measure it" in text:
            break
        if cell["cell_type"] == "code" and not cell["metadata"].get("tags"):
            defined = [
                s
                for s in ast.parse(text).body
                if isinstance(s, (ast.Import, ast.ImportFrom, ast.FunctionDef))
                or isinstance(s, ast.Assign)
                and isinstance(s.targets[0], ast.Name)
            ]
            exec(compile(ast.Module(defined, []), "<cells of the lesson>", "exec"), space)
    del space["__name__"], space["__builtins__"]
    return space


@exercise(
    title="Beat this number",
    hints=[
        "The head is new and has everything to learn; the body has something to lose. Nobody says that they must share a rate: find a pair with the explorer of part 2.",
        "Start from the recipe whose body waits for the head, `head_first`, and let all rates fall to nothing at the end: multiply its rows by `np.cos(np.linspace(0, np.pi / 2, EPOCHS, endpoint=False))[:, None]`.",
    ],
    praise="The head and the body have different things to do, and not at the same time. (One draw of fifty pictures: on another draw another recipe may win.)",
    setup="""
        from translearn.exercises.lesson06 import _lesson_cells
        globals().update(_lesson_cells())
        def guesses_of(recipe, seed=0):
            fine_tune(np.asarray(recipe), seed)
            return workshop("inference")[1].predict(new_task.validation.images, batch_size=500, verbose=0).argmax(axis=1)
    """,
    solution="""
        ### BEGIN SOLUTION
        fall = np.cos(np.linspace(0, np.pi / 2, EPOCHS, endpoint=False))[:, None]
        recipe = fall * head_first(5e-2)
        guesses = guesses_of(recipe)
        ### END SOLUTION
    """,
    alternatives=[
        "guesses = list(guesses_of(np.cos(np.linspace(0, np.pi / 2, 20, endpoint=False))[:, None] * [5e-2, 2e-3, 2e-3, 2e-3]))",
        "guesses = guesses_of(head_first(3e-2))",
    ],
    wrong={
        "the answers themselves": "guesses = new_task.validation.labels",
        "on the training pictures": "guesses = new_task.train.take(10, seed=0).labels",
        "scores, not classes": "guesses = np.zeros((len(new_task.validation), 5))",
    },
    refused=[
        "guesses = new_task.validation.labels * 0",
        "guesses = new_task.validation.labels + 0.5",
        "guesses = guesses_of(everything(1e-5))",
    ],
    reference=to_beat("finetuning.recipes", "everything", "validation accuracy", seed=0),
)
def beat_it(guesses, reference):
    from translearn import data

    new_task = data.load("fashion", classes=["sandal", "shirt", "trainer", "bag", "ankle boot"])
    return better_guesses(guesses, new_task, 50, reference, too_good=0.99) + " " + beat_it.praise
