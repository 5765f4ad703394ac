"""Exercises of lesson 05, Freezing."""

import numpy as np

from translearn.exercises import (
    Choice,
    Incorrect,
    Misconception,
    NotAttempted,
    better_guesses,
    close,
    exercise,
    expect_array,
    expect_callable,
    expect_model,
    expect_number,
    learners_code,
    to_beat,
)

# A small network with blocks, so that an exercise answers at once.
SMALL = """
    import keras
    import numpy as np
    from translearn import backbones, transfer
    def small_classifier():
        body = backbones.load("small_cnn", weights=None, size=32, seed=0)
        return transfer.attach_head(body, 5, batch_norm="training", seed=0)
    model = small_classifier()
"""


def _small_classifier():
    from translearn import backbones, transfer

    return transfer.attach_head(
        backbones.load("small_cnn", weights=None, size=32, seed=0),
        5,
        batch_norm="training",
        seed=0,
    )


@exercise(
    title="Count what will move",
    hints=[
        "`model.trainable_weights` is a list of arrays, each with a `shape`.",
        "The number of parameters in one array is the product of its shape: `np.prod(w.shape)`. Add them up.",
    ],
    praise="Moving statistics of batch normalisation are weights too, but no gradient reaches them: they are never trainable.",
    setup=SMALL,
    solution="""
        def trainable_parameters(model):
            ### BEGIN SOLUTION
            return sum(int(np.prod(w.shape)) for w in model.trainable_weights)
            ### END SOLUTION
    """,
    alternatives=[
        "def trainable_parameters(model):\n    return int(transfer.trainable_table(model)['trainable'].sum())",
        "def trainable_parameters(model):\n    return sum(w.numpy().size for w in model.trainable_variables)",
    ],
    wrong={
        "all parameters": "def trainable_parameters(model):\n    return model.count_params()",
        "arrays, not numbers": "def trainable_parameters(model):\n    return len(model.trainable_weights)",
    },
    refused=[
        "def trainable_parameters(model):\n    return sum(w.shape[0] for w in model.trainable_weights)"
    ],
)
def trainable_parameters(trainable_parameters):
    f = expect_callable(trainable_parameters, "trainable_parameters")
    model = _small_classifier()
    body = model.layers[1]
    for frozen in ([], body.layers[:6], body.layers):
        for layer in body.layers:
            layer.trainable = layer not in frozen
        right = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
        got = expect_number(f(model), "the number of trainable parameters")
        if got == right:
            continue
        if got == model.count_params():
            raise Misconception(
                "all parameters",
                "You counted every parameter. Frozen ones, and the moving statistics of batch "
                "normalisation, get no gradient.",
            )
        if got == len(model.trainable_weights):
            raise Misconception(
                "arrays, not numbers",
                "You counted the arrays. A 3 × 3 convolution from 32 to 64 channels is one array of 18,432 parameters.",
            )
        raise Incorrect(f"With {len(frozen)} layers frozen expected {right:,}, got {got:,.0f}.")


@exercise(
    title="Freeze all but the last block",
    hints=[
        "The blocks are in `transfer.blocks(model)`; the backbone's layers in `body.layers`. A layer's block is the part of its name before the first underscore.",
        'Go through `body.layers` and set `layer.trainable = layer.name.startswith("block3")`. The classifier is not in the backbone, so it stays trainable.',
    ],
    praise="Freezing is one flag on each layer. Everything else in this lesson is about when that flag is read.",
    setup=SMALL,
    solution="""
        body = model.get_layer("small_cnn")
        ### BEGIN SOLUTION
        for layer in body.layers:
            layer.trainable = layer.name.startswith("block3")
        ### END SOLUTION
    """,
    alternatives=[
        "transfer.freeze(model, up_to='block2')",
        "for layer in model.get_layer('small_cnn').layers[:-4]:\n    layer.trainable = False",
    ],
    wrong={
        "everything is frozen": "model.trainable = False",
        "the classifier is frozen too": "transfer.freeze(model, up_to='block2')\nmodel.layers[-1].trainable = False",
        "the wrong end": "for layer in model.get_layer('small_cnn').layers:\n    layer.trainable = not layer.name.startswith('block3')",
    },
    refused=[
        "transfer.freeze(model, up_to='block1')",
        "model.get_layer('small_cnn').trainable = False",
    ],
)
def freeze_all_but_last_block(model):
    from translearn import transfer

    expect_model(model, "model")
    table = transfer.trainable_table(model)
    moving = dict(zip(table["block"], table["trainable"] > 0))
    if set(moving) != {"block1", "block2", "block3", "classifier"}:
        raise Incorrect("Hand in the `model` that `small_classifier()` made.")
    if all(moving.values()):
        raise NotAttempted("Every block is still trainable.")
    if not any(moving.values()):
        raise Misconception(
            "everything is frozen",
            "Nothing is left to learn, not even the classifier: `model.trainable = False` reaches every layer inside.",
        )
    if not moving["classifier"]:
        raise Misconception(
            "the classifier is frozen too",
            "The classifier starts from random numbers. Frozen, it stays random.",
        )
    if moving["block1"] and not moving["block3"]:
        raise Misconception(
            "the wrong end",
            "You froze the last block and left the first ones free. Early blocks see edges and colours, which every picture has; "
            "it is the late ones that are about the old task.",
        )
    if moving != {"block1": False, "block2": False, "block3": True, "classifier": True}:
        raise Incorrect(
            f"Only block3 and the classifier should be trainable; now it is {', '.join(b for b, m in moving.items() if m)}."
        )


@exercise(
    title="Bit for bit",
    hints=[
        "Compare array by array. `np.array_equal` asks whether every number is the same, to the last bit.",
        "`all(np.array_equal(a, b) for a, b in zip(before, after))`",
    ],
    praise="Frozen means the same bits. A tolerance would wave a small learning rate through.",
    setup="import numpy as np",
    solution="""
        def unchanged(before, after):
            ### BEGIN SOLUTION
            return all(np.array_equal(a, b) for a, b in zip(before, after))
            ### END SOLUTION
    """,
    alternatives=[
        "def unchanged(before, after):\n    return not any((a != b).any() for a, b in zip(before, after))",
        "def unchanged(before, after):\n    return [a.tobytes() for a in before] == [b.tobytes() for b in after]",
    ],
    wrong={
        "close is not equal": "def unchanged(before, after):\n    return all(np.allclose(a, b) for a, b in zip(before, after))",
        "a sum hides a change": "def unchanged(before, after):\n    return all(a.sum() == b.sum() for a, b in zip(before, after))",
        "one array is enough": "def unchanged(before, after):\n    return any(np.array_equal(a, b) for a, b in zip(before, after))",
    },
    refused=[
        "def unchanged(before, after):\n    return True",
        "def unchanged(before, after):\n    return False",
    ],
)
def unchanged(unchanged):
    f = expect_callable(unchanged, "unchanged")
    start = [np.arange(6, dtype="float32").reshape(2, 3), np.ones(4, "float32")]

    def verdict(after):
        return bool(
            expect_array(
                f([a.copy() for a in start], after), what="the verdict", boolean=True
            ).all()
        )

    nudged = [start[0], start[1] + np.float32(1e-6)]
    swapped = [start[0][::-1].copy(), start[1]]
    if not verdict([a.copy() for a in start]):
        raise Incorrect("Two copies of the same weights should count as unchanged.")
    if verdict([a + 1 for a in start]):
        raise Incorrect("Weights that all grew by 1 should not count as unchanged.")
    if verdict(swapped) and not verdict([start[0] + 1, start[1]]):
        raise Misconception(
            "a sum hides a change",
            "Two rows were swapped and the sum stayed the same. Compare number by number.",
        )
    if verdict([start[0], start[1] + 1]) or verdict([start[0] + 1, start[1]]):
        raise Misconception(
            "one array is enough",
            "One of the two arrays changed and your function did not mind. Every array must be the same.",
        )
    if verdict(nudged):
        raise Misconception(
            "close is not equal",
            "A weight moved by 0.000001 and your function did not mind. That is what one step at a small learning rate looks like.",
        )


@exercise(
    title="Unfreeze so that it counts",
    hints=[
        "`fit` keeps the training step that it built the first time. What makes Keras build a new one?",
        "Set `trainable`, then call `model.compile(…)` again, with the small learning rate and the same loss.",
    ],
    praise="Flag first, compile second, fit third. In that order it always counts.",
    setup=SMALL
    + """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    """,
    solution="""
        def unfreeze(model, rate):
            ### BEGIN SOLUTION
            model.get_layer("small_cnn").trainable = True
            model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            ### END SOLUTION
    """,
    alternatives=[
        "def unfreeze(model, rate):\n    transfer.unfreeze(model)\n    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss)\n    return model",
        "def unfreeze(model, rate):\n    for layer in model.get_layer('small_cnn').layers:\n        layer.trainable = True\n"
        "    model.compile(keras.optimizers.AdamW(rate), loss, metrics=['accuracy'])",
    ],
    wrong={
        "no compile": "def unfreeze(model, rate):\n    model.get_layer('small_cnn').trainable = True\n    model.optimizer.learning_rate = rate",
        "the old learning rate": "def unfreeze(model, rate):\n    model.get_layer('small_cnn').trainable = True\n    model.compile('adam', loss)",
        "still frozen": "def unfreeze(model, rate):\n    model.compile(keras.optimizers.Adam(rate), loss)",
    },
    refused=[
        "def unfreeze(model, rate):\n    transfer.unfreeze(model, from_block='block3')\n    model.compile(keras.optimizers.Adam(rate), loss)"
    ],
)
def unfreeze(unfreeze):
    f = expect_callable(unfreeze, "unfreeze")
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
    model.fit(pictures, labels, verbose=0)  # the head's own stage, as in the lesson
    f(model, 1e-4)
    if not any(layer.trainable for layer in body.layers if layer.weights):
        raise Misconception(
            "still frozen", "You compiled again, but the backbone's flags still say frozen."
        )
    before = body.get_weights()
    with learners_code("model.fit(…) on the model as your function left it"):
        model.fit(pictures, labels, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, body.get_weights())]
    if not any(moved):
        raise Misconception(
            "no compile",
            "The flags are right and yet nothing moved: `fit` went on with the training step that it had built "
            "while the backbone was frozen.",
        )
    if not moved[0]:
        raise Incorrect(
            "The first convolution did not move. The whole backbone should be trainable."
        )
    rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    if not close(rate, 1e-4, 1e-9):
        raise Misconception(
            "the old learning rate",
            f"The backbone moves, but at a learning rate of {rate:g} instead of 0.0001: the rate that a new head needs would shake it apart.",
        )


batch_norm = Choice(
    "batch_norm",
    "You set `trainable = False` on a batch-normalisation layer and call `fit`. What does the layer do?",
    {
        "a": "It normalises with the statistics of the batch, and its moving statistics move on",
        "b": "It normalises with its stored moving statistics, and nothing in it changes",
        "c": "It normalises with the statistics of the batch, but its moving statistics stay",
        "d": "It is skipped",
    },
    right="b",
    wrong={
        "a": (
            "frozen weights only",
            "That is what a *trainable* layer does in `fit`. In Keras, a frozen one also runs in inference mode.",
        ),
        "c": (
            "half frozen",
            "There is no such mode: whoever uses the statistics of the batch also updates the moving ones.",
        ),
        "d": (
            "skipped",
            "It still scales and shifts every channel. Without it the next layer would see numbers that it was never trained on.",
        ),
    },
    hints=[
        "Batch normalisation has two modes. Which one did the picture on the shelf of frozen features go through?",
        "Keras ties the two together: for this layer, frozen means inference mode.",
    ],
    praise="This tie is Keras's own choice, made for transfer learning; other libraries leave the layer in training mode unless you say so.",
)


@exercise(
    title="What caching saves",
    hints=[
        "Count how often a picture passes through the *backbone*. The head is too small to matter.",
        "Recomputed: every picture, every epoch, and the test pictures once. Cached: every picture once.",
    ],
    praise="The more epochs, the more it saves; with one epoch it saves nothing.",
    solution="""
        def backbone_passes(train, test, epochs, cached):
            ### BEGIN SOLUTION
            return train + test if cached else train * epochs + test
            ### END SOLUTION
    """,
    alternatives=[
        "backbone_passes = lambda train, test, epochs, cached: test + train * (1 if cached else epochs)",
        "def backbone_passes(train, test, epochs, cached):\n    return float(sum(train for _ in range(1 if cached else epochs)) + test)",
    ],
    wrong={
        "cached is not free": "def backbone_passes(train, test, epochs, cached):\n    return 0 if cached else train * epochs + test",
        "test pictures are not trained on": "def backbone_passes(train, test, epochs, cached):\n    return (train + test) * (1 if cached else epochs)",
        "test pictures pass too": "def backbone_passes(train, test, epochs, cached):\n    return train * (1 if cached else epochs)",
    },
    refused=["def backbone_passes(train, test, epochs, cached):\n    return epochs"],
)
def backbone_passes(backbone_passes):
    f = expect_callable(backbone_passes, "backbone_passes")
    train, test, epochs = 100, 30, 7
    cached = expect_number(f(train, test, epochs, True), "the passes with a cache")
    again = expect_number(f(train, test, epochs, False), "the passes without a cache")
    if (cached, again) == (130, 730):
        return
    if cached == 0:
        raise Misconception(
            "cached is not free", "The features have to be computed once before they can be kept."
        )
    if again == 130 * 7:
        raise Misconception(
            "test pictures are not trained on",
            "The test pictures pass once, at the end, not in every epoch.",
        )
    if (cached, again) == (100, 700):
        raise Misconception(
            "test pictures pass too",
            "To be scored, the test pictures have to go through the backbone as well.",
        )
    raise Incorrect(
        f"For 100 training pictures, 30 test pictures and 7 epochs expected 130 with a cache and 730 without, got {cached:g} and {again:g}."
    )


@exercise(
    title="Choose the cut",
    hints=[
        "Which of the two columns may you look at when you choose?",
        "`table['validation'].idxmax()` is the name of the row with the highest validation score.",
    ],
    praise="The test score of the cut you chose is then an honest one, even if another cut would have scored higher on it.",
    setup="import pandas as pd",
    solution="""
        def choose_cut(table):
            ### BEGIN SOLUTION
            return table["validation"].idxmax()
            ### END SOLUTION
    """,
    alternatives=[
        "def choose_cut(table):\n    return table.sort_values('validation', ascending=False).index[0]",
        "def choose_cut(table):\n    best = max(range(len(table)), key=lambda i: table['validation'].iloc[i])\n    return table.index[best]",
    ],
    wrong={
        "chosen on the test set": "def choose_cut(table):\n    return table['test'].idxmax()",
        "chosen on both": "def choose_cut(table):\n    return (table['validation'] + table['test']).idxmax()",
        "the score, not the cut": "def choose_cut(table):\n    return table['validation'].max()",
    },
    refused=["def choose_cut(table):\n    return table.index[0]"],
)
def choose_cut(choose_cut):
    import pandas as pd

    f = expect_callable(choose_cut, "choose_cut")
    table = pd.DataFrame(
        {"validation": [0.61, 0.70, 0.69, 0.55], "test": [0.60, 0.64, 0.72, 0.74]},
        index=["block04", "block08", "block12", "head"],
    )
    got = f(table.copy())
    if type(got) is str and got == "block08":
        return
    if type(got) is str and got == "head":
        raise Misconception(
            "chosen on the test set",
            "You chose with the test scores. The best of several test scores is too good to be true: part of it is luck.",
        )
    if type(got) is str and got == "block12":
        raise Misconception(
            "chosen on both",
            "As soon as the test score has a say in the choice, it is no longer a test.",
        )
    if isinstance(got, (float, np.floating)) and close(got, 0.70):
        raise Misconception(
            "the score, not the cut",
            "That is the best score. Return the name of the row that has it: `idxmax` instead of `max`.",
        )
    raise Incorrect("Return the name of one row, such as 'block04'.")


new_problem = Choice(
    "new_problem",
    "A new problem lands on your desk: X-ray pictures of luggage. What do you do first with the pretrained backbone?",
    {
        "a": "Freeze everything and use the last features, since they are the most refined",
        "b": "Unfreeze everything, since the pictures look like nothing in ImageNet",
        "c": "Freeze the first half, since early layers see edges and edges are everywhere",
        "d": "Cache the features of every block in one pass, and probe each of them on validation pictures",
    },
    right="d",
    wrong={
        "a": (
            "last is best",
            "On the emoji the last features were behind those of earlier blocks: they are refined for ImageNet's classes.",
        ),
        "b": (
            "unlike means useless",
            "Solar cells look like nothing in ImageNet either, and the first few frozen blocks already carried most of what could be had.",
        ),
        "c": (
            "a rule for everything",
            "Our two problems gave two answers. A rule that fits both would have to be measured first.",
        ),
    },
    hints=[
        "What did the two curves over the depth have in common?",
        "Nothing. So what can tell you which curve your problem has?",
    ],
    praise="It took seconds for each problem here, and it replaces an argument by a curve.",
)


@exercise(
    title="Beat this number",
    hints=[
        "One block's features need not be enough: `np.concatenate([features[block] for block in mix], axis=1)` puts several side by side.",
        "Take a few blocks from all over the depth, `StandardScaler`, and `LogisticRegression(C=0.01, max_iter=1000)`.",
    ],
    praise="Early blocks and late blocks see different things in a solar cell; nobody said that you have to choose.",
    setup="""
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from translearn import backbones, data, transfer
        solar = data.load("solar_cells", size=96)
        backbone = backbones.load("efficientnet_lite0")
        few = solar.train.take(50, seed=0)
        blocks = list(transfer.blocks(backbone))
        few_features = transfer.cache_features(backbone, few.images, layers=blocks, progress=False)
        validation_features = transfer.cache_features(backbone, solar.validation.images, layers=blocks, progress=False)
    """,
    solution="""
        ### BEGIN SOLUTION
        mix = ["block03", "block06", "block09", "block13"]
        together = [np.concatenate([features[block] for block in mix], axis=1) for features in (few_features, validation_features)]
        mine = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        guesses = mine.fit(together[0], few.labels).predict(together[1])
        ### END SOLUTION
    """,
    alternatives=[
        "one = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)).fit(few_features['block13'], few.labels)\n"
        "guesses = one.predict(validation_features['block13'])",
        "from sklearn.svm import SVC\nmix = ['block03', 'block06', 'block09', 'block13']\n"
        "both = [np.concatenate([f[b] for b in mix], axis=1) for f in (few_features, validation_features)]\n"
        "guesses = list(make_pipeline(StandardScaler(), SVC()).fit(both[0], few.labels).predict(both[1]))",
    ],
    wrong={
        "the answers themselves": "guesses = solar.validation.labels",
        "on the training pictures": "guesses = few.labels",
        "scores, not classes": "guesses = np.zeros((len(solar.validation), 2))",
    },
    refused=["guesses = solar.validation.labels * 0", "guesses = solar.validation.labels + 0.5"],
    reference=to_beat("freezing.depth", "solar cells", "head on validation"),
)
def beat_it(guesses, reference):
    from translearn import data

    return (
        better_guesses(guesses, data.load("solar_cells", size=96), 100, reference, too_good=0.9)
        + " "
        + beat_it.praise
    )
