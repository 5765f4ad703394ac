"""Exercises of lesson 05, Freezing."""

import functools

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    NotAttempted,
    better_guesses,
    close,
    exercise,
    expect_callable,
    expect_model,
    learners_code,
    to_beat,
)


def small_classifier():
    """A small network with blocks, so that an exercise answers at once."""
    from translearn import backbones, transfer

    body = backbones.load("small_cnn", weights=None, size=32, seed=0)
    return transfer.attach_head(body, 5, batch_norm="training", seed=0)


@functools.cache
def partly_frozen():
    """{in words: a small classifier with some of its backbone frozen}"""
    models = {
        "with nothing frozen": (0, small_classifier()),
        "with six layers frozen": (6, small_classifier()),
        "with the whole backbone frozen": (None, small_classifier()),
    }
    for first, model in models.values():
        for layer in model.get_layer("small_cnn").layers[:first]:
            layer.trainable = False
    return {words: model for words, (_, model) in models.items()}


trainable_parameters = Function(
    "trainable_parameters",
    title="Count what will move",
    hints=[
        "`model.trainable_weights` is a list of arrays, each with a `shape`.",
        "The number of parameters in one array is the product of its shape: "
        "`np.prod(w.shape)`. "
        "Add them up.",
    ],
    praise="Moving statistics of batch normalisation are weights too, but no gradient "
    "reaches "
    "them: they are never trainable.",
    probes=partly_frozen,
    mistakes=[
        Mistake(
            "all parameters",
            "You counted every parameter. Frozen ones, and the moving statistics of batch "
            "normalisation, get no gradient.",
            lambda model: model.count_params(),
        ),
        Mistake(
            "arrays, not numbers",
            "You counted the arrays. A 3 × 3 convolution from 32 to 64 channels is one "
            "array of "
            "18,432 parameters.",
            lambda model: len(model.trainable_weights),
        ),
    ],
)


@exercise(
    title="Freeze all but the last block",
    hints=[
        "The blocks are in `transfer.blocks(model)`; the backbone's layers in "
        "`body.layers`. A "
        "layer's block is the part of its name before the first underscore.",
        "Go through `body.layers` and set `layer.trainable = "
        'layer.name.startswith("block3")`. '
        "The classifier is not in the backbone, so it stays trainable.",
    ],
    praise="Freezing is one flag on each layer. Everything else in this lesson is about "
    "when that "
    "flag is read.",
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
            "Nothing is left to learn, not even the classifier: `model.trainable = False` "
            "reaches "
            "every layer inside.",
        )
    if moving == {"block1": False, "block2": False, "block3": True, "classifier": False}:
        raise Misconception(
            "the classifier is frozen too",
            "The classifier starts from random numbers. Frozen, it stays random.",
        )
    if moving == {"block1": True, "block2": True, "block3": False, "classifier": True}:
        raise Misconception(
            "the wrong end",
            "You froze the last block and left the first ones free. Early blocks see edges "
            "and "
            "colours, which every picture has; it is the late ones that are about the old "
            "task.",
        )
    for block, right in {"block1": 0, "block2": 0, "block3": 1, "classifier": 1}.items():
        if moving[block] != right:
            raise Incorrect(
                f"{block} should {'' if right else 'not '}be trainable. Trainable now: "
                f"{', '.join(b for b, m in moving.items() if m)}."
            )
    for layer in model.get_layer("small_cnn").layers:
        if layer.name.startswith("block3") and layer.weights and not layer.trainable:
            raise Incorrect(f"{layer.name} is frozen; the whole of block3 should be trainable.")


WEIGHTS = [np.arange(6, dtype="float32").reshape(2, 3), np.ones(4, "float32")]
UP_AND_DOWN = np.array([[1, 0, 0], [0, 0, -1]], "float32")

unchanged = Function(
    "unchanged",
    title="Bit for bit",
    hints=[
        "Compare array by array. `np.array_equal` asks whether every number is the "
        "same, to the "
        "last bit.",
        "`all(np.array_equal(a, b) for a, b in zip(before, after))`",
    ],
    praise="Frozen means the same bits. A tolerance would wave a small learning rate through.",
    probes={
        "two copies of the same weights": (WEIGHTS, WEIGHTS),
        "weights that all grew by 1": (WEIGHTS, [w + 1 for w in WEIGHTS]),
        "weights of which only the first array grew": (WEIGHTS, [WEIGHTS[0] + 1, WEIGHTS[1]]),
        "weights of which only the last array grew": (WEIGHTS, [WEIGHTS[0], WEIGHTS[1] + 1]),
        "weights of which two rows were swapped": (WEIGHTS, [WEIGHTS[0][::-1], WEIGHTS[1]]),
        "weights of which one grew and another shrank": (
            WEIGHTS,
            [WEIGHTS[0] + UP_AND_DOWN, WEIGHTS[1]],
        ),
        "weights that moved by 0.000001": (WEIGHTS, [WEIGHTS[0], WEIGHTS[1] + np.float32(1e-6)]),
    },
    mistakes=[
        Mistake(
            "a sum hides a change",
            "Two rows were swapped and the sum stayed the same. Compare number by number.",
            lambda before, after: all(a.sum() == b.sum() for a, b in zip(before, after)),
        ),
        Mistake(
            "one array is enough",
            "One of the two arrays changed and your function did not mind. Every array "
            "must be "
            "the same.",
            lambda before, after: any(np.array_equal(a, b) for a, b in zip(before, after)),
        ),
        Mistake(
            "close is not equal",
            "A weight moved by 0.000001 and your function did not mind. That is what one "
            "step at "
            "a small learning rate looks like.",
            lambda before, after: all(np.allclose(a, b) for a, b in zip(before, after)),
        ),
    ],
)


@exercise(
    title="Unfreeze so that it counts",
    hints=[
        "`fit` keeps the training step that it built the first time. What makes Keras "
        "build a new "
        "one?",
        "Set `trainable`, then call `model.compile(…)` again, with the small learning "
        "rate and "
        "the same loss.",
    ],
    praise="Flag first, compile second, fit third. In that order it always counts.",
)
def unfreeze(unfreeze):
    f = expect_callable(unfreeze, "unfreeze")
    import keras

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (8, 32, 32, 3)).astype("float32")
    labels = rng.integers(0, 5, 8)
    model = small_classifier()
    body = model.get_layer("small_cnn")
    body.trainable = False
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
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
            "The flags are right and yet nothing moved: `fit` went on with the training "
            "step that "
            "it had built while the backbone was frozen.",
        )
    for layer in body.layers:
        # Batch normalisation may stay frozen, as `transfer.unfreeze` leaves it.
        if layer.weights and not layer.trainable and not layer.name.endswith("_bn"):
            raise Incorrect(f"{layer.name} is frozen. The whole backbone should be trainable.")
    kind, rate = type(model.optimizer).__name__, float(model.optimizer.learning_rate.numpy())
    if kind != "Adam":
        raise Incorrect(f"The backbone moves, but with {kind} instead of Adam.")
    if close(rate, 1e-2, 1e-9) or close(rate, 1e-3, 1e-9):  # the head's own, or Keras's default
        raise Misconception(
            "the old learning rate",
            f"The backbone moves, but at a learning rate of {rate:g} instead of 0.0001: the "
            "rate "
            "that a new head needs would shake it apart.",
        )
    if not close(rate, 1e-4, 1e-9):
        raise Incorrect(f"The backbone moves, but at a rate of {rate:g} instead of 0.0001.")


batch_norm = Choice(
    "batch_norm",
    "You set `trainable = False` on a batch-normalisation layer and call `fit`. "
    "What does the layer do?",
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
            "That is what a *trainable* layer does in `fit`. In Keras, a frozen one also "
            "runs in inference mode.",
        ),
        "c": (
            "half frozen",
            "There is no such mode: whoever uses the statistics of the batch also updates "
            "the moving ones.",
        ),
        "d": (
            "skipped",
            "It still scales and shifts every channel. Without it the next layer would see "
            "numbers that it was never trained on.",
        ),
    },
    hints=[
        "Batch normalisation has two modes. Which one did the picture on the shelf of "
        "frozen features go through?",
        "Keras ties the two together: for this layer, frozen means inference mode.",
    ],
    praise="This tie is Keras's own choice, made for transfer learning; other libraries "
    "leave the layer in training mode unless you say so.",
)


backbone_passes = Function(
    "backbone_passes",
    title="What caching saves",
    hints=[
        "Count how often a picture passes through the *backbone*. The head is too "
        "small to matter.",
        "Recomputed: every picture, every epoch, and the test pictures once. Cached: "
        "every picture "
        "once.",
    ],
    praise="The more epochs, the more it saves; with one epoch it saves nothing.",
    probes=[(100, 30, 7, True), (100, 30, 7, False), (40, 50, 1, True), (40, 50, 1, False)],
    mistakes=[
        Mistake(
            "cached is not free",
            "The features have to be computed once before they can be kept.",
            lambda train, test, epochs, cached: 0 if cached else train * epochs + test,
        ),
        Mistake(
            "test pictures are not trained on",
            "The test pictures pass once, at the end, not in every epoch.",
            lambda train, test, epochs, cached: (train + test) * (1 if cached else epochs),
        ),
        Mistake(
            "test pictures pass too",
            "To be scored, the test pictures have to go through the backbone as well.",
            lambda train, test, epochs, cached: train * (1 if cached else epochs),
        ),
    ],
)


def cuts():
    """Tables of scores: the best cut on validation, on test and on both differ."""
    import pandas as pd

    names = ["block04", "block08", "block12", "head"]
    first = {"validation": [0.61, 0.70, 0.69, 0.55], "test": [0.60, 0.64, 0.72, 0.74]}
    second = {"validation": [0.5, 0.6, 0.79, 0.8], "test": [0.9, 0.6, 0.75, 0.7]}
    third = {"validation": [0.6, 0.7, 0.5, 0.65], "test": [0.9, 0.5, 0.6, 0.55]}
    return {
        "one table": pd.DataFrame(first, index=names),
        "another table": pd.DataFrame(second, index=names),
        "a third table": pd.DataFrame(third, index=names),
    }


choose_cut = Function(
    "choose_cut",
    title="Choose the cut",
    hints=[
        "Which of the two columns may you look at when you choose?",
        "`table['validation'].idxmax()` is the name of the row with the highest validation score.",
    ],
    praise="The test score of the cut you chose is then an honest one, even if another "
    "cut would "
    "have scored higher on it.",
    probes=cuts,
    mistakes=[
        Mistake(
            "chosen on the test set",
            "You chose with the test scores. The best of several test scores is too good "
            "to be "
            "true: part of it is luck.",
            lambda table: table["test"].idxmax(),
        ),
        Mistake(
            "chosen on both",
            "As soon as the test score has a say in the choice, it is no longer a test.",
            lambda table: (table["validation"] + table["test"]).idxmax(),
        ),
        Mistake(
            "the score, not the cut",
            "That is the best score. Return the name of the row that has it: `idxmax` "
            "instead of "
            "`max`.",
            lambda table: table["validation"].max(),
        ),
    ],
)


new_problem = Choice(
    "new_problem",
    "A new problem lands on your desk: X-ray pictures of luggage. What do you do "
    "first with the pretrained backbone?",
    {
        "a": "Freeze everything and use the last features, since they are the most refined",
        "b": "Unfreeze everything, since the pictures look like nothing in ImageNet",
        "c": "Freeze the first half, since early layers see edges and edges are everywhere",
        "d": "Cache the features of every block in one pass, and probe each of them on "
        "validation pictures",
    },
    right="d",
    wrong={
        "a": (
            "last is best",
            "On the emoji the last features were behind those of earlier blocks: they are "
            "refined for ImageNet's classes.",
        ),
        "b": (
            "unlike means useless",
            "Solar cells look like nothing in ImageNet either, and the first few frozen "
            "blocks already carried most of what could be had.",
        ),
        "c": (
            "a rule for everything",
            "Our two problems gave two answers. A rule that fits both would have to be "
            "measured first.",
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
        "One block's features need not be enough: "
        "`np.concatenate([features[block] for block in mix], axis=1)` puts several "
        "side by side.",
        "Take a few blocks from all over the depth, `StandardScaler`, and "
        "`LogisticRegression(C=0.01, max_iter=1000)`.",
    ],
    praise="Our own answer puts early and late blocks side by side: they see different "
    "things in "
    "a solar cell, and nobody said that you have to choose.",
    reference=to_beat("freezing.depth", "solar cells", "head on validation"),
)
def beat_it(guesses, reference):
    from translearn import data

    solar = data.load("solar_cells", size=96)
    wanted = reference + 0.02  # a win by a hair is luck
    said = better_guesses(guesses, solar, 100, wanted, too_good=0.9)
    return f"{said} {beat_it.praise}"
