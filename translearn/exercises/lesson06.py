"""Exercises of lesson 06, Fine-tuning."""

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    better_guesses,
    close,
    exercise,
    expect_callable,
    learners_code,
    to_beat,
)

examples_seen = Function(
    "examples_seen",
    title="What a recipe spends",
    hints=[
        "A frozen block costs less computing, but the picture is looked at all the "
        "same. The budget counts looks.",
        "Add up the epochs of all stages, and multiply by the pictures.",
    ],
    praise="So *head first, then everything* for 10 + 10 epochs is matched by 20 epochs "
    "of *head only*, not by 10.",
    probes=[
        (100, [(7, "head"), (3, "head"), (4, "everything")]),
        (60, [(5, "everything")]),
        (10, [(2, "everything"), (3, "everything")]),
        (50, [(10, "head"), (10, "everything")]),  # stages of equal length
    ],
    mistakes=[
        Mistake(
            "only the last stage counts",
            "You counted the last stage alone. The stages before it saw pictures too.",
            lambda pictures, stages: pictures * stages[-1][0],
        ),
        Mistake(
            "frozen is free",
            "You left out the epochs in which only the head learned. The pictures were "
            "looked at all the same, and the head learned from each look.",
            lambda pictures, stages: (
                pictures * sum(epochs for epochs, learns in stages if learns != "head")
            ),
        ),
        Mistake(
            "epochs, not examples",
            "Those are the epochs. A budget that can be compared counts pictures seen: 10 "
            "epochs of 1,000 pictures are not 10 epochs of 50.",
            lambda pictures, stages: sum(epochs for epochs, learns in stages),
        ),
    ],
)


def blocks_that_moved():
    rng = np.random.default_rng(0)
    before = [rng.normal(size=(3, 4)).astype("float32"), 5 * rng.normal(size=7).astype("float32")]
    ways = [rng.normal(size=(3, 4)).astype("float32"), 1.5 * rng.normal(size=7).astype("float32")]
    return {
        "a small and a large array that moved": (before, [b + w for b, w in zip(before, ways)]),
        "two arrays that did not move": (before, before),
        "one array that moved three times its length": (before[:1], [4 * before[0]]),
        "one array that was halved": (before[:1], [before[0] / 2]),
    }


def distance_measured_from_where_it_arrived(before, after):
    moved = np.sqrt(sum(((b - a) ** 2).sum() for a, b in zip(before, after)))
    return moved / np.sqrt(sum((b**2).sum() for b in after))


distance = Function(
    "distance",
    title="How far has a block moved?",
    tolerance=1e-4,
    hints=[
        "Think of all the numbers in all the arrays as one long arrow. How long is the "
        "difference of the two arrows?",
        "`np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(after, before)))`, divided "
        "by the same thing for `before` alone.",
    ],
    praise="Relative, so that a block of a thousand weights and one of a million can be compared.",
    probes=blocks_that_moved,
    mistakes=[
        Mistake(
            "absolute",
            "That is the length of the way itself. Divide by the length of `before`: a "
            "block with more weights is not further away.",
            lambda before, after: np.sqrt(
                sum(((b - a) ** 2).sum() for a, b in zip(before, after))
            ),
        ),
        Mistake(
            "signs cancel",
            "You added up differences with their signs: one weight that rises and one that "
            "falls would make a distance of 0. Square them first.",
            lambda before, after: (
                abs(sum((b - a).sum() for a, b in zip(before, after)))
                / abs(sum(a.sum() for a in before))
            ),
            lambda before, after: abs(sum((b - a).sum() for a, b in zip(before, after))),
        ),
        Mistake(
            "every array counts the same",
            "You took the mean over the arrays, so a handful of biases counts as much as a "
            "whole kernel. Add the squares of all arrays first.",
            lambda before, after: np.mean(
                [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after)]
            ),
        ),
        Mistake(
            "measured from where it arrived",
            "You divided by the length of `after`. The pretrained weights, `before`, are "
            "the yardstick.",
            distance_measured_from_where_it_arrived,
        ),
        Mistake(
            "squared",
            "The square roots are missing: half the way would count as a quarter.",
            lambda before, after: (
                sum(((b - a) ** 2).sum() for a, b in zip(before, after))
                / sum((a**2).sum() for a in before)
            ),
        ),
    ],
)

forgotten = Function(
    "forgotten",
    title="How much is forgotten?",
    hints=[
        "A network that guesses blindly scores `chance`, and knows nothing. So how "
        "much did the old head know at first?",
        "It knew `before - chance` and still knows `after - chance`. Return the share "
        "that is gone.",
    ],
    praise="0 means that nothing is forgotten, 1 that the old head might as well guess. "
    "Below 0 the old task has gained; above 1 the old head does worse than a guess.",
    probes=[
        (0.9, 0.55, 0.2),
        (0.8, 0.8, 0.5),
        (0.9, 0.2, 0.2),
        (0.7, 0.74, 0.1),
        (0.9, 0.06, 0.2),
    ],
    mistakes=[
        Mistake(
            "a guess counts as knowledge",
            "A head that guesses blindly would still score `chance`, and your function "
            "would say that it has kept something. Count from `chance`.",
            lambda before, after, chance: (before - after) / before,
        ),
        Mistake(
            "points, not a share",
            "Those are the points lost. Divide by the points that there were to lose, "
            "above a blind guess.",
            lambda before, after, chance: before - after,
        ),
        Mistake(
            "what is kept",
            "That is the share that is *kept*. Forgotten is the rest of it.",
            lambda before, after, chance: (after - chance) / (before - chance),
        ),
    ],
)


def recipes():
    late = np.array([[0.1, 0, 0, 0]] * 2 + [[0.1, 0.1, 0, 0]] + [[0.1, 0.1, 0, 0.05]] * 3)
    asleep_again = np.array([[0.2, 0, 0.2, 0], [0, 0, 0, 0], [0, 0.2, 0, 0]])
    return {
        "a recipe in which block 2 never learns": late,
        "a recipe in which blocks fall asleep again": asleep_again,
        "a recipe whose rates rise and fall": np.outer([1, 3, 2], [0.01, 0.02, 0, 0.03]),
        "a recipe of one epoch": np.array([[0.1, 0, 0.1, 0]]),
    }


def wakes_at_rows_for_columns(recipe):
    learns = recipe > 0
    return np.where(learns.any(axis=1), learns.argmax(axis=1), recipe.shape[1])


wakes_at = Function(
    "wakes_at",
    title="When does a block wake up?",
    hints=[
        "A block learns in the epochs in which its rate is above 0: `recipe > 0`. "
        "Which is the first such row of each column?",
        "`(recipe > 0).argmax(axis=0)` finds the first one. But what does it say about "
        "a column in which there is none? `.any(axis=0)` knows.",
    ],
    praise="A block that never wakes is frozen: its number is that of the epochs, one "
    "past the last.",
    probes=recipes,
    mistakes=[
        Mistake(
            "asleep is not awake at once",
            "A block that never learns got the number 0, which says that it learns from "
            "the start: `argmax` of a column without a single True is 0.",
            lambda recipe: (recipe > 0).argmax(axis=0),
        ),
        Mistake(
            "counted from 1",
            "Your numbers are one too high. Epochs are counted from 0 here, as rows are.",
            lambda recipe: (np.maximum.accumulate(recipe, axis=0) == 0).sum(axis=0) + 1,
        ),
        Mistake(
            "rows for columns",
            "You returned one number for each epoch. The blocks are the columns: `axis=0` runs "
            "down a column.",
            wakes_at_rows_for_columns,
        ),
        Mistake(
            "epochs asleep",
            "You counted all epochs in which a block sleeps, also those in which it sleeps "
            "again after it was awake.",
            lambda recipe: (recipe == 0).sum(axis=0),
        ),
    ],
)

EPOCHS = 20


def gradual(rate):
    """As in the lesson, part 3."""
    epoch, block = np.mgrid[:EPOCHS, :4]
    return np.where(epoch * 4 >= block * EPOCHS, rate, 0.0)


def discriminative(rate):
    """As in the lesson, part 3."""
    return np.tile(rate / 2.6 ** np.arange(4), (EPOCHS, 1))


def both_back_to_sleep(rate):
    recipe = np.zeros((20, 4))
    for block in range(4):
        recipe[5 * block : 5 * block + 5, block] = rate / 2.6**block
    return recipe


both = Function(
    "both",
    title="Both at once",
    hints=[
        "Take `gradual(rate)` apart: where is it above 0? Multiply that by the rates "
        "that `discriminative` would give.",
        "`np.where(gradual(1.0) > 0, discriminative(rate), 0.0)`: a block's rate when "
        "it is awake, and 0 when it sleeps.",
    ],
    praise="This is the pair that Howard and Ruder proposed together in 2018, for "
    "language models.",
    probes=[0.01, 0.5],
    mistakes=[
        Mistake(
            "the wrong way round",
            "The blocks wake up in the right order, but block 1 gets the largest rate and "
            "the head the smallest.",
            lambda rate: np.where(gradual(1.0) > 0, discriminative(rate)[:, ::-1], 0.0),
        ),
        Mistake(
            "the rate squared",
            "Each of the two already holds the rate, so the product holds its square. Call "
            "one of them with 1.",
            lambda rate: gradual(rate) * discriminative(rate),
        ),
        Mistake(
            "nobody sleeps",
            "The rates are right, but every block learns from the first epoch on.",
            lambda rate: np.maximum(gradual(rate) * 0, discriminative(rate)),
        ),
        Mistake(
            "all alike",
            "The blocks wake up in turn, but then they all learn at the same rate.",
            lambda rate: gradual(rate),
        ),
        Mistake(
            "back to sleep",
            "A block that woke up goes back to sleep when the next one wakes. It should go "
            "on learning.",
            both_back_to_sleep,
        ),
        Mistake(
            "from the input up",
            "Yours wakes block 1 first and the head last. The head is new: it is column 0, "
            "and it learns from the start.",
            lambda rate: np.where(gradual(1.0)[:, ::-1] > 0, discriminative(rate), 0.0),
        ),
    ],
)

scaled = Choice(
    "scaled",
    "You want block 1 to learn at a tenth of the rate, so you multiply its "
    "gradient by 0.1 before Adam gets it. What happens to Adam's steps in block 1?",
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
            "With SGD, yes. Adam divides by the size of recent gradients, and that size "
            "has shrunk to a tenth as well.",
        ),
        "b": (
            "the square alone",
            "It does square the gradient, but only to divide by the root of its mean.",
        ),
        "d": (
            "too small to matter",
            "Adam does not mind how small a gradient is: a tiny steady gradient gets the "
            "same step as a large steady one.",
        ),
    },
    hints=[
        "Write down Adam's first step for a gradient g, and again for 0.1 · g (lesson 02).",
        "The first step is rate · g / (|g| + ε). Where does the 0.1 go?",
    ],
    praise="That is why discriminative rates with Adam need a rate, or an optimiser, for "
    "each block, and a factor on the gradient does nothing.",
)


@exercise(
    title="Wake everything but batch normalisation",
    hints=[
        "Three lines: everything on, batch normalisation off again, compile. What "
        "tells you that a layer is batch normalisation?",
        "`isinstance(layer, keras.layers.BatchNormalization)`. Set its `trainable` to "
        "`False` *after* the backbone's was set to `True`, which reaches every layer "
        "inside.",
    ],
    praise="A flag alone changes nothing for a model that has been trained: compiled again, it "
    "builds a new training step, and that one follows the flags.",
)
def wake(wake):
    f = expect_callable(wake, "wake")
    import keras

    from translearn import backbones, transfer

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (8, 32, 32, 3)).astype("float32")
    labels = rng.integers(0, 5, 8)
    body = backbones.load("small_cnn", weights=None, size=32, seed=0)
    model = transfer.attach_head(body, 5, batch_norm="training", seed=0)
    body.trainable = False
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model.fit(pictures, labels, verbose=0)  # the head's own stage
    learned, rate = [w.numpy() for w in model.weights], 0.0002
    f(model, rate)
    for weight, old in zip(model.weights, learned, strict=True):
        if not np.array_equal(weight.numpy(), old):
            raise Incorrect(
                f"After your function, {weight.path} holds other numbers than before. It should "
                "prepare the next `fit`, and leave to that what is learned."
            )

    convolutions = [layer for layer in body.layers if hasattr(layer, "kernel")]
    if not any(layer.trainable for layer in convolutions):
        raise Misconception(
            "still asleep",
            "After your function every convolution of the backbone is still frozen.",
        )
    kernels = [layer.kernel for layer in convolutions]
    normalisation = [x for x in body.layers if isinstance(x, keras.layers.BatchNormalization)]
    statistics = [w for layer in normalisation for w in layer.weights]
    head = model.get_layer("classifier_logits").kernel
    before = [[w.numpy() for w in part] for part in (kernels, statistics, [head])]
    with learners_code("model.fit(…) on the model as your function left it"):
        told = model.evaluate(pictures, labels, verbose=0, return_dict=True)["loss"]
        right = float(loss(labels, model.predict(pictures, verbose=0)))
        model.fit(pictures, labels, verbose=0)
    moved, shifted, (head_moved,) = (
        [not np.array_equal(w.numpy(), old) for w, old in zip(part, then)]
        for part, then in zip((kernels, statistics, [head]), before)
    )
    if all(moved) and all(shifted):
        raise Misconception(
            "batch normalisation woke up",
            "The convolutions learn, and the moving statistics of batch normalisation move "
            "as well: it is in training mode. Freeze those layers again, after the "
            "backbone was switched on.",
        )
    if not any(moved) and all(layer.trainable for layer in convolutions):
        raise Misconception(
            "no compile",
            "The flags are right, but `fit` goes on with the training step that it built "
            "while the backbone was frozen. Compile again.",
        )
    for layer, has_moved in zip(convolutions, moved):
        if not has_moved:
            raise Incorrect(f"{layer.name} did not move in `fit`. Every convolution should learn.")
    if any(shifted):
        raise Incorrect("Some of the batch normalisation is in training mode.")
    if not head_moved:
        raise Incorrect("The head is frozen now. It should go on learning.")
    if not close(told, right, 1e-3):
        raise Incorrect(
            f"The model is compiled with another loss: `evaluate` says {told:.4g}, and `loss` "
            f"would say {right:.4g}. The head gives logits."
        )
    # One optimiser, or one for each block as in part 3.
    optimisers = [o for o in getattr(model.optimizer, "optimizers", [model.optimizer]) if o.built]
    for optimiser in optimisers:
        if type(optimiser) is not keras.optimizers.Adam:
            kind = type(optimiser).__name__
            raise Incorrect(f"Everything learns, but with {kind} instead of Adam.")
        if optimiser.weight_decay:
            raise Incorrect(
                f"Everything learns, but Adam has a weight decay of {optimiser.weight_decay:g}, "
                "which makes it AdamW."
            )
    rates = [float(keras.ops.convert_to_numpy(o.learning_rate)) for o in optimisers]
    wrong = next((found for found in rates if not close(found, rate, 1e-9)), None)
    if wrong is not None:
        raise Misconception(
            "another rate",
            f"Everything learns, but at a rate of {wrong:g} where `rate` is {rate:g}.",
        )


reasons = Choice(
    "reasons",
    "Somebody says: a large rate is bad for fine-tuning because training converges "
    "too early. Which experiment can prove them wrong?",
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
            "Both reasons predict that the large rate scores lower. An experiment that "
            "both predict can tell nothing about the reason.",
        ),
        "c": (
            "more of the same",
            "If it still scores low, one side says *converged*, the other *broken*, and "
            "nobody has learned anything.",
        ),
        "d": (
            "a curve with two readings",
            "A loss that levels off is what both expect in the end. The question is what "
            "it cost on the way.",
        ),
    },
    hints=[
        "What would each of the two reasons predict? Look for an experiment where the "
        "predictions differ.",
        "If the harm lies in *ending* too early, then going on at the small rate, with "
        "nearly the whole budget left, must repair it. If it lies in what is "
        "*broken* on the way, it need not.",
    ],
    praise="An experiment is worth running when the two sides would bet differently on it.",
)


@exercise(
    title="Beat this number",
    hints=[
        "The head is new and has everything to learn; the body has something to lose. "
        "Nobody says that they must share a rate: find a pair with the explorer of "
        "part 2.",
        "Start from the recipe whose body waits for the head, `head_first`, and let "
        "all rates fall to nothing at the end: multiply its rows by "
        "`np.cos(np.linspace(0, np.pi / 2, EPOCHS, endpoint=False))[:, None]`.",
    ],
    praise="One draw of fifty pictures: on another draw another recipe may win.",
    reference=to_beat("finetuning.recipes", "everything", "validation accuracy", seed=0),
)
def beat_it(guesses, reference):
    from translearn import data

    new_task = data.load("fashion", classes=["sandal", "shirt", "trainer", "bag", "ankle boot"])
    wanted = reference + 0.02  # a win by less may be the luck of the draw
    return f"{better_guesses(guesses, new_task, 50, wanted, too_good=0.95)} {beat_it.praise}"
