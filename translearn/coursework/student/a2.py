"""Assignment A2: pretrain, freeze, fine-tune.

What a student's notebook imports; its networks are tiny, so that checks take no time.
"""

import numpy as np

from translearn.coursework.student.question import Written, expect_items, question
from translearn.exercises.answers import (
    Incorrect,
    Misconception,
    close,
    expect_array,
    expect_callable,
    expect_number,
)

AHEAD = ("numpy", "keras", "sklearn.linear_model")


# ---- the networks that the checks and the marking use


def weights(seed: int, classes: int = 4) -> list:
    """Arrays for `network`: kernels and biases, and the four arrays of a batch normalisation."""
    rng = np.random.default_rng(seed)
    shapes = [(6, 8), (8,), (8,), (8,), (8,), (8,), (8, 5), (5,), (5, classes), (classes,)]
    arrays = [rng.normal(0, 0.7, shape).astype("float32") for shape in shapes]
    arrays[2], arrays[5] = (
        1 + 0.3 * arrays[2] ** 2,
        0.5 + arrays[5] ** 2,
    )  # a scale, and a variance
    return arrays


def network(arrays, dropout: float = 0.0):
    """A small classifier of six numbers: block1, norm, (dropout), block2, head; with these
    weights.
    """
    import keras

    layers = [
        keras.Input((6,)),
        keras.layers.Dense(8, activation="relu", name="block1"),
        keras.layers.BatchNormalization(name="norm"),
    ]
    layers += [keras.layers.Dropout(dropout, name="dropout")] if dropout else []
    layers += [
        keras.layers.Dense(5, activation="relu", name="block2"),
        keras.layers.Dense(np.shape(arrays[-1])[0], name="head"),
    ]
    model = keras.Sequential(layers)
    model.set_weights(arrays)
    return model


def backbone(arrays, dropout: float = 0.5):
    """The same without its head, with a dropout: what features are taken from."""
    import keras

    full = network(arrays, dropout)
    return keras.Sequential([keras.Input((6,)), *full.layers[:-1]])


def outputs(arrays, x, head=True):
    """What the network answers in inference mode, in NumPy."""
    w1, b1, gamma, beta, mean, variance, w2, b2, w3, b3 = (np.asarray(a, float) for a in arrays)
    hidden = np.maximum(0, x @ w1 + b1)
    hidden = gamma * (hidden - mean) / np.sqrt(variance + 1e-3) + beta
    hidden = np.maximum(0, hidden @ w2 + b2)
    return hidden @ w3 + b3 if head else hidden


def flags(function, model, name, frozen=False) -> dict:
    """Which layers learn after `function(model, name)`: {layer: True or False}."""
    for layer in model.layers:
        layer.trainable = not frozen
    function(model, name)
    return {layer.name: bool(layer.trainable) for layer in model.layers}


def copied(function, source, target) -> list:
    """What `function(source, target)` returns, and the target's weights afterwards, by layer."""
    said = function(source, target)
    return [
        list(said) if isinstance(said, (list, tuple, set)) else said,
        {layer.name: [np.asarray(w) for w in layer.get_weights()] for layer in target.layers},
    ]


def counted(function, model, frozen) -> int:
    """What `function` counts in a model with these layers frozen."""
    for name in frozen:
        model.get_layer(name).trainable = False
    return function(model)


# ---- the questions


@question(
    title="1 · Freeze below a layer",
    marks={"the layers below": 1, "the layers from there on": 1, "batch normalisation": 2},
    hints=[
        "Walk over `model.layers` and remember whether you have met the name yet.",
        "Give `layer.trainable` a value for every layer, the frozen and the learning ones. "
        "`isinstance(layer, keras.layers.BatchNormalization)` tells which never learn.",
    ],
    misconceptions=[
        "freezes only",
        "the layer itself is frozen",
        "batch normalisation learns",
        "the other way round",
    ],
    praise="Saying it for every layer makes the function right whatever was frozen before.",
)
def freeze_below(freeze_below):
    f = expect_callable(freeze_below, "freeze_below")
    got = flags(f, network(weights(0)), "block2")
    if got == {"block1": True, "norm": True, "block2": False, "head": False}:
        raise Misconception(
            "the other way round",
            "You froze the top and let the bottom learn. The lower layers hold what carries over.",
        )
    if got["block1"]:
        raise Incorrect(
            "`block1` lies below `block2` and should be frozen: its `trainable` is True."
        )
    if not got["block2"] and got["head"]:
        raise Misconception(
            "the layer itself is frozen",
            "The named layer is frozen too. It is the first that learns.",
        )
    if not (got["block2"] and got["head"]):
        raise Incorrect(f"From `block2` on everything should learn, and it does not: {got}.")
    again = flags(f, network(weights(0)), "block2", frozen=True)
    if not (again["block2"] and again["head"]):
        raise Misconception(
            "freezes only",
            "When the model comes frozen, your function does not set the upper layers free: it "
            "only ever freezes. Say `trainable` for every layer.",
        )
    if flags(f, network(weights(0)), "block1")["norm"]:
        raise Misconception(
            "batch normalisation learns",
            "With everything from `block1` on learning, `norm` learns too: its statistics "
            "would drift away from what pretraining found (lesson 05). It stays frozen.",
        )


@question(
    title="2 · Copy weights by name",
    marks={"the layers that fit": 2, "another shape is left alone": 1, "the names": 1},
    hints=[
        "For every layer of the target ask whether the source has one of that name, with "
        "weights of the same shapes.",
        "`[w.shape for w in layer.get_weights()]` of both must be equal; then "
        "`target_layer.set_weights(source_layer.get_weights())`.",
    ],
    misconceptions=["by position", "stops at another shape", "names of everything"],
    praise=(
        "Returning the names is what saves you: a copy that copied nothing looks just like one "
        "that worked."
    ),
)
def copy_by_name(copy_by_name):
    f = expect_callable(copy_by_name, "copy_by_name")
    old, new = weights(1, 4), weights(2, 3)
    try:
        names, after = copied(f, network(old), network(new))
    except Exception as problem:
        if isinstance(getattr(problem, "__cause__", None), ValueError):
            raise Misconception(
                "stops at another shape",
                "The heads have four and three classes, and your function stops there. A layer "
                "whose shapes differ is left as it is.",
            ) from None
        raise
    if not all(close(a, b) for a, b in zip(after["block1"], old[:2])) or not all(
        close(a, b) for a, b in zip(after["norm"], old[2:6])
    ):
        raise Incorrect(
            "`block1` and `norm` have the same names and shapes in both, and the target does "
            "not have the source's weights."
        )
    if not close(after["head"][0], new[8]):
        raise Incorrect("The head of the target has changed, although its shapes differ.")
    if type(names) is not list or not all(type(name) is str for name in names):
        raise Incorrect("Return the names of the layers that were copied, as a list of text.")
    if "head" in names or "dropout" in names:
        raise Misconception(
            "names of everything",
            "You name layers that were not copied. Name those whose weights were.",
        )
    if sorted(names) != ["block1", "block2", "norm"]:
        raise Incorrect(f"Copied were block1, norm and block2; you name {names}.")
    _, after = copied(f, network(old), network(new, dropout=0.3))  # a layer more in between
    if not close(after["block2"][0], old[6]):
        raise Misconception(
            "by position",
            "With a dropout in the target, `block2` is no longer copied: you went by the "
            "position. Ask for the layer by its name.",
        )


@question(
    title="3 · How much can learn?",
    marks={"nothing frozen": 1, "with frozen layers": 1, "moving statistics": 1},
    hints=[
        "`model.trainable_weights` lists exactly what training may change.",
        "Each of them is an array: how many numbers are in one of the shape (6, 8), and in all "
        "of them together?",
    ],
    misconceptions=["all weights", "arrays, not numbers"],
    praise=(
        "A batch normalisation has two arrays that are weights but never trained: its moving "
        "mean and variance."
    ),
)
def trainable_numbers(trainable_numbers):
    f = expect_callable(trainable_numbers, "trainable_numbers")
    for frozen, right, everything, arrays in (((), 141, 157, 8), (("block1", "norm"), 69, 157, 4)):
        got = expect_number(
            counted(f, network(weights(0)), frozen),
            f"trainable_numbers with {list(frozen) or 'nothing'} frozen",
        )
        if got == right:
            continue
        if got == everything:
            raise Misconception(
                "all weights",
                "You count every weight. Frozen layers and the moving statistics of batch "
                "normalisation do not learn.",
            )
        if got == arrays:
            raise Misconception(
                "arrays, not numbers", "You count the arrays. A kernel of 6 × 8 is 48 numbers."
            )
        raise Incorrect(f"With {list(frozen) or 'nothing'} frozen expected {right}, got {got:g}.")


@question(
    title="4 · Features from a frozen backbone",
    marks={"a row for each example": 1, "inference mode": 2, "a last, smaller batch": 1},
    hints=[
        "Cut the inputs into batches, send each through the backbone, and put the answers "
        "together with `np.concatenate`.",
        "`training=False`: dropout off, batch normalisation with its own statistics. "
        "`range(0, len(x), batch_size)` covers the last, smaller batch.",
    ],
    misconceptions=["training mode", "the rest is lost"],
    praise="Features from training mode would be different each time: no cache could hold them.",
)
def features(features):
    f = expect_callable(features, "features")
    arrays, x = weights(3), np.random.default_rng(0).normal(size=(10, 6)).astype("float32")
    got = expect_array(f(backbone(arrays), x, 5), what="features(backbone, x, 5)")
    right = outputs(arrays, x, head=False)
    if got.shape != right.shape or not close(got, right, 1e-3):
        if got.shape == right.shape and (got != expect_array(f(backbone(arrays), x, 5))).any():
            raise Misconception(
                "training mode",
                "Two calls give two different answers: the dropout is at work. Call the "
                "backbone with `training=False`.",
            )
        raise Incorrect(
            f"Expected features of shape {right.shape} as the backbone gives them in inference "
            f"mode, got shape {got.shape} with a mean of {got.mean():.3g} instead of "
            f"{right.mean():.3g}."
        )
    got = expect_array(f(backbone(arrays), x, 4), what="features(backbone, x, 4)")
    if len(got) == 8:
        raise Misconception(
            "the rest is lost",
            "Of 10 inputs in batches of 4, two are left over, and your answer has only 8 rows.",
        )
    expect_array(got, right.shape, what="features(backbone, x, 4)")


@question(
    title="5 · Standardise without a leak",
    marks={"by the training features": 2, "a feature that never changes": 1},
    hints=[
        "Mean and standard deviation come from `train` alone; both arrays are scaled by them.",
        "A feature whose standard deviation is 0 is divided by 1: `np.where(std == 0, 1, std)`.",
    ],
    misconceptions=["each by its own", "both together", "divided by zero"],
    praise=(
        "What you know about the new examples must not reach the scale: at prediction time there "
        "may be only one."
    ),
)
def standardise(standardise):
    f = expect_callable(standardise, "standardise")
    train = np.array([[4.0, 0.0], [6.0, 20.0], [4.0, 20.0], [6.0, 0.0]])
    new = np.array([[9.0, 50.0], [7.0, 10.0]])
    # Worked out beforehand; with n − 1 in the standard deviation all are smaller by √(3/4).
    scaled, right = np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]]), np.array([[4, 4], [2, 0]])

    def ask(a, b):
        answer = expect_items(
            f(a, b), 2, "Return two arrays: the scaled training features and the scaled new ones."
        )
        return [np.asarray(part, float) for part in answer]

    got = ask(train, new)
    if any(close(got[1], right * n) for n in (1, 0.8660254038)):
        if not any(close(got[0], scaled * n) for n in (1, 0.8660254038)):
            raise Incorrect(
                "The new features are right, and the training features are not: both are scaled."
            )
        constant = [np.column_stack([part, np.full(len(part), 2.0)]) for part in (train, new)]
        with np.errstate(all="ignore"):
            still = ask(*constant)
        if not all(np.isfinite(part).all() for part in still):
            raise Misconception(
                "divided by zero",
                "A feature that is the same everywhere becomes NaN: its standard deviation "
                "is 0. Divide by 1 there.",
            )
        if not all((abs(part[:, 2]) < 1e-6).all() for part in still):
            raise Incorrect("A feature that is the same everywhere should become 0.")
        return
    if close(got[1], [[1, 1], [-1, -1]]):
        raise Misconception(
            "each by its own",
            "You scaled the new features by their own mean. A whole shift between the two "
            "would vanish, and the probe would not be asked what it was taught.",
        )
    if close(got[1], [[1.73205081, 1.96116135], [0.57735027, -0.39223227]]):
        raise Misconception(
            "both together",
            "Mean and spread come from both arrays together: the new examples have leaked into "
            "training.",
        )
    raise Incorrect(
        "The new features should be scaled by the mean and the standard deviation of the "
        "training features."
    )


@question(
    title="6 · A linear probe",
    marks={
        "better than the majority": 1,
        "as good as a linear probe should be": 1,
        "linear, and nothing more": 1,
    },
    hints=[
        "The features come on very different scales: standardise first (you have just written "
        "it).",
        "`LogisticRegression` from scikit-learn is one; give it the iterations that it needs "
        "(`max_iter`), and scale the new features as the training features were.",
    ],
    misconceptions=["without scaling", "scores, not classes", "not linear"],
    praise=(
        "On unscaled features the solver gives up long before it arrives, and the probe looks "
        "worse than the features are."
    ),
)
def probe(probe):
    f = expect_callable(probe, "probe")
    train, labels, new, right = blobs(np.random.default_rng(4), 90, 300)
    got = np.asarray(f(train, labels, new))
    if got.ndim == 2:
        raise Misconception(
            "scores, not classes",
            "That has a row of scores for each example. Return the class numbers.",
        )
    got = expect_array(got, (300,), what="probe(features, labels, new_features)")
    score = np.mean(got == right)
    if score < 0.8:
        if score > 0.45:
            raise Misconception(
                "without scaling",
                f"{score:.0%} right, where a converged linear probe on scaled features gets "
                f"more than 90 %. One feature is a thousand times larger than the others: "
                f"standardise.",
            )
        raise Incorrect(f"Only {score:.0%} of 300 new examples are right.")
    train, labels, new, right = between(np.random.default_rng(5), 120, 200)
    got = expect_array(f(train, labels, new), (200,), what="probe(features, labels, new_features)")
    if np.mean(got == right) >= LINEAR:
        raise Misconception(
            "not linear",
            "Your classifier finds a class that lies between two halves of another, which no "
            "straight line can. A probe asks what the features hold by themselves, so it must not "
            "add curves of its own.",
        )


LINEAR = 0.8  # of `between`: a straight line gets three quarters at most


def between(rng, n, m):
    """Training features and labels, new features and their labels: one class, and on both sides
    of it the halves of another.
    """
    place = rng.permutation(np.arange(n + m) % 4)
    x = rng.normal(0, 1, (n + m, 4))
    x[:, 0] = np.array([-2.5, 0, 0, 2.5])[place] + rng.normal(0, 0.3, n + m)
    labels = np.array([1, 0, 0, 1])[place]
    return x[:n], labels[:n], x[n:], labels[n:]


def blobs(rng, n, m):
    """Training features and labels, new features and their labels: three classes, told apart by
    the small features; a large one is noise.
    """
    centres = np.array([[0, 0, 0], [3.2, 0, 1], [0, 3.2, -1.0]])
    labels = rng.permutation(np.arange(n + m) % 3)
    x = np.column_stack(
        [centres[labels] + rng.normal(size=(n + m, 3)), rng.normal(0, 2000, n + m)]
    ) * [0.01, 0.01, 0.01, 1]
    return x[:n], labels[:n], x[n:], labels[n:]


@question(
    title="7 · A rate for every block",
    marks={"the rates": 2, "one block, any factor": 1},
    hints=[
        "The last block gets `top`, the one before it `top * factor`, and so on down.",
        "How many blocks lie above the lowest of `n`? So often is its rate multiplied by "
        "`factor`.",
    ],
    misconceptions=["upside down", "one step too many"],
    praise="Discriminative rates: the lower a block, the less it should move.",
)
def block_rates(block_rates):
    f = expect_callable(block_rates, "block_rates")
    got = expect_array(f(4, 0.01, 0.5), (4,), "block_rates(4, 0.01, 0.5)")
    right = np.array([0.00125, 0.0025, 0.005, 0.01])
    if close(got, right, 1e-9):
        return
    if close(got, right[::-1], 1e-9):
        raise Misconception(
            "upside down",
            "Your first block, the lowest, has the highest rate. It holds the most general "
            "features and should move least.",
        )
    if close(got, right * 0.5, 1e-9):
        raise Misconception(
            "one step too many", "The last block should have `top` itself, and has `top * factor`."
        )
    raise Incorrect(f"Expected {np.round(right, 6).tolist()}, got {np.round(got, 6).tolist()}.")


@question(
    title="8 · How many labels is pretraining worth?",
    marks={"at a measured number": 1, "between two measured numbers": 2, "never reached": 1},
    hints=[
        "Find the first number of labels at which `scratch` reaches the target; the crossing "
        "lies between it and the one before.",
        "On a logarithmic axis: interpolate (`np.interp`) between the logarithms of the two "
        "numbers of labels, then go back by `np.exp`. What is never reached is `np.inf`.",
    ],
    misconceptions=["on a straight axis", "the next measured number", "made up beyond the last"],
    praise=(
        "Labels come in factors, so the axis is logarithmic. Beyond what was measured nobody "
        "knows."
    ),
)
def labels_needed(labels_needed):
    f = expect_callable(labels_needed, "labels_needed")
    labels, scratch = np.array([10, 100, 1000]), np.array([0.5, 0.6, 0.8])
    exact = expect_number(
        f(labels, scratch, 0.6), "labels_needed where 100 labels reach the target exactly"
    )
    got = expect_number(f(labels, scratch, 0.7), "labels_needed(labels, scratch, 0.7)")
    if close(got, 550, 1e-3):
        raise Misconception(
            "on a straight axis",
            "You interpolated along a straight axis. From 100 to 1,000 the middle is 316, not "
            "550: use the logarithm of the labels.",
        )
    if close(got, 1000, 1e-3):
        raise Misconception(
            "the next measured number",
            "You took the first measured number that is enough. The target is reached on the "
            "way there.",
        )
    if not close(got, np.sqrt(1e5), 1e-3) or not close(exact, 100, 1e-3):
        raise Incorrect(
            f"Half the way from 0.6 at 100 labels to 0.8 at 1,000 is reached at "
            f"{np.sqrt(1e5):.4g} labels; you say {got:.4g}."
        )
    last = expect_number(f(labels, scratch, 0.8), "labels_needed(labels, scratch, 0.8)")
    if not close(last, 1000, 1e-3):
        raise Incorrect(f"0.8 is reached at 1,000 labels exactly; you say {last:.4g}.")
    beyond = np.asarray(f(labels, scratch, 0.9), float)
    if beyond.shape != () or not np.isposinf(beyond):
        raise Misconception(
            "made up beyond the last",
            "0.9 was never reached, and you name a number all the same. Return `np.inf`.",
        )


@question(
    title="9 · Does it help?",
    marks={"helps and hurts": 2, "cannot tell": 1},
    hints=[
        "The seeds are paired: take the difference seed by seed, then its mean and its "
        "standard error (`ddof=1`).",
        "The margin is that standard error times the 97.5 % point of Student's t (`ppf`), with "
        "one degree of freedom fewer than there are seeds. Which sides has it?",
    ],
    misconceptions=["not paired", "the mean alone"],
    praise=(
        "A seed that is lucky for one is often lucky for the other. Pairing takes that luck out."
    ),
)
def verdict(verdict):
    f = expect_callable(verdict, "verdict")
    cases = [
        ("helps", [0.81, 0.71, 0.90, 0.785, 0.855], [0.80, 0.68, 0.88, 0.75, 0.85]),
        ("hurts", [0.79, 0.65, 0.86, 0.715, 0.845], [0.80, 0.68, 0.88, 0.75, 0.85]),
        ("cannot tell", [0.84, 0.67, 0.91, 0.73, 0.88], [0.80, 0.68, 0.88, 0.75, 0.85]),
    ]
    for right, pretrained, scratch in cases:
        got = f(np.array(pretrained), np.array(scratch))
        if got == right:
            continue
        if right == "cannot tell" and got in ("helps", "hurts"):
            raise Misconception(
                "the mean alone",
                f'Three seeds gained and two lost, and you say "{got}". The mean difference is '
                f"smaller than its margin.",
            )
        if got == "cannot tell":
            raise Misconception(
                "not paired",
                "Every single seed agrees, and you cannot tell. Did you compare with the spread "
                "of the scores? Subtract seed by seed first, and take the standard error of these "
                "differences: their standard deviation over √n.",
            )
        raise Incorrect(f'Expected "{right}", got {got!r:.40}.')


plan = Written(
    "plan",
    "10 · Forty photographs",
    {
        "The recipe": {
            "none": (0, "no recipe, or one that cannot be carried out"),
            "a recipe": (1, "says what is frozen and what learns"),
            "a reasoned recipe": (
                2,
                "the same, and why this and not more, with forty labels in mind",
            ),
            "from measurements": (
                3,
                "the reasons refer to what the lessons measured, with its size and its spread",
            ),
        },
        "The comparison": {
            "none": (0, "nothing to compare with"),
            "a baseline": (1, "names the majority class or a linear probe as a baseline"),
            "a fair comparison": (
                2,
                "the same split, seeds and budget for every recipe, and the rate tuned equally "
                "hard",
            ),
        },
        "When it is wrong": {
            "none": (0, "nothing could show that the plan is wrong"),
            "a sign": (1, "names something one would see if the recipe were wrong"),
            "a sign and a next step": (2, "and says what one would then do instead"),
        },
    },
)
