"""A lesson module as an author writes it; the tests of the engine and of the bank tester run it."""

import numpy as np

from translearn.exercises import (
    Choice,
    Incorrect,
    Misconception,
    NotAttempted,
    close,
    exercise,
    expect_better,
    expect_callable,
    expect_close,
    expect_model,
    expect_number,
    preserving,
)


@exercise(
    title="Cross-entropy by hand",
    hints=[
        "Only the probability of the true class counts.",
        "`-np.log(p)` at that place, then the mean over the rows.",
    ],
    praise="Confident and wrong is punished without a bound.",
    setup="import numpy as np",
    solution="""
        def cross_entropy(p, y):
            ### BEGIN SOLUTION
            return -np.log(p[np.arange(len(y)), y]).mean()
            ### END SOLUTION
    """,
    alternatives=[
        "def cross_entropy(p, y):\n    return np.mean([-np.log(row[k]) for row, k in zip(p, y)])",
        "def cross_entropy(p, y):\n    p *= np.eye(p.shape[1])[y]\n    return -np.log(p.sum(axis=1)).sum() / len(y)",
    ],
    wrong={
        "sum instead of mean": "def cross_entropy(p, y):\n    return -np.log(p[np.arange(len(y)), y]).sum()",
        "accuracy is not a loss": "def cross_entropy(p, y):\n    return (p.argmax(axis=1) == y).mean()",
    },
    refused=[
        "def cross_entropy(p, y):\n    loss = p.mean()",
        "def cross_entropy(p, y):\n    return np.log(p - p)",
    ],
)
def cross_entropy(cross_entropy):
    f = expect_callable(cross_entropy, "cross_entropy")
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(4), size=6), rng.integers(0, 4, size=6)
    right = -np.log(p[np.arange(6), y])
    got = expect_number(f(p, y), "the loss")
    if close(got, right.sum()):
        raise Misconception(
            "sum instead of mean",
            "You added the rows up: with a larger batch the loss would grow.",
        )
    if close(got, (p.argmax(axis=1) == y).mean()):
        raise Misconception(
            "accuracy is not a loss", "That is the accuracy, and it has no gradient."
        )
    expect_close(got, right.mean(), what="the loss")


@exercise(
    title="Freeze all but the last layer",
    hints=["Each layer has a `trainable`.", "`model.layers[:-1]` are all but the last."],
    setup="""
        import keras
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="lower"),
                                  keras.layers.Dense(2, name="head")])
    """,
    solution="""
        ### BEGIN SOLUTION
        for layer in model.layers[:-1]:
            layer.trainable = False
        ### END SOLUTION
    """,
    alternatives=[
        "model.get_layer('lower').trainable = False",
        "for layer in model.layers:\n    layer.trainable = layer.name == 'head'",
    ],
    wrong={"everything is frozen": "model.trainable = False"},
    refused=["model.layers[-1].trainable = False"],
)
def freeze_all_but_last(model):
    expect_model(model, "model")
    flags = [layer.trainable for layer in model.layers]
    if all(flags):
        raise NotAttempted
    if not any(flags):
        raise Misconception(
            "everything is frozen", "Nothing is left to learn: `model.trainable` sets every layer."
        )
    if flags != [False] * (len(flags) - 1) + [True]:
        raise Incorrect(f"Trainable: {flags}.")
    with preserving(model):  # a check may play with the model, and leaves no trace
        model.trainable = False
        model.set_weights([0 * w for w in model.get_weights()])


@exercise(
    title="Beat this number",
    hints=["Any honest number above it.", "Add something to `reference`."],
    reference=lambda: 0.62,
    setup="goal = reference",
    solution="### BEGIN SOLUTION\nscore = goal + 0.01\n### END SOLUTION",
    alternatives=["score = 0.7", "import numpy as np\nscore = np.array([goal + 0.2])"],
    wrong={"per cent": "score = 63"},
    refused=["score = goal", "score = 0.1"],
)
def beat_it(score, reference):
    if expect_number(score, "the accuracy") > 1:
        raise Misconception("per cent", "An accuracy lies between 0 and 1.")
    return f"You reached {expect_better(score, reference, 'the accuracy', form='{:.1%}'):.1%}."


@exercise(
    title="Two answers",
    hints=["Count.", "There are three rows."],
    stub="rows = ...\nmeans = ...",
    solution="rows = 3\nmeans = [1.0, 2.0]",
    alternatives=[
        "import numpy as np\nrows = np.int64(3)\nmeans = np.array([1, 2])",
        "rows = 3.0\nmeans = (1.0, 2.0)",
    ],
    refused=["rows = 3\nmeans = [1.0, 2.0, 3.0]"],
)
def two_answers(rows, means):
    if expect_number(rows, "rows", integer=True) != 3:
        raise Incorrect("Count the rows again.")
    expect_close(means, [1, 2], what="means")


why = Choice(
    "why",
    "Why do frozen layers train faster?",
    {"a": "They are skipped", "b": "No gradient is computed for them", "c": "They are smaller"},
    right="b",
    wrong={
        "a": ("skipped", "They still run forward."),
        "c": ("smaller", "Freezing removes no weight."),
    },
    hints=["Think of the backward pass.", "What is a gradient used for?"],
    praise="And nothing below the lowest trainable layer needs one.",
)
