"""A lesson's exercises as an author writes them; the tests of the engine run them."""

from pathlib import Path

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    NotAttempted,
    exercise,
    expect_better,
    expect_close,
    expect_model,
    expect_number,
    preserving,
)

SOURCE = Path(__file__).with_name("demo_lesson.md")


def probabilities():
    rng = np.random.default_rng(0)
    return [(rng.dirichlet(np.ones(4), size=6), rng.integers(0, 4, size=6))]


cross_entropy = Function(
    "cross_entropy",
    title="Cross-entropy by hand",
    hints=[
        "Only the probability of the true class counts.",
        "`-np.log(p)` at that place, then the mean over the rows.",
    ],
    praise="Confident and wrong is punished without a bound.",
    probes=probabilities,
    mistakes=[
        Mistake(
            "sum instead of mean",
            "You added the rows up: with a larger batch the loss would grow.",
            lambda p, y: -np.log(p[np.arange(len(y)), y]).sum(),
        ),
        Mistake(
            "accuracy is not a loss",
            "That is the accuracy, and it has no gradient.",
            lambda p, y: (p.argmax(axis=1) == y).mean(),
        ),
    ],
)


@exercise(
    title="Freeze all but the last layer",
    hints=["Each layer has a `trainable`.", "`model.layers[:-1]` are all but the last."],
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
)
def beat_it(score, reference):
    if expect_number(score, "the accuracy") > 1:
        raise Misconception("per cent", "An accuracy lies between 0 and 1.")
    return f"You reached {expect_better(score, reference, 'the accuracy', form='{:.1%}'):.1%}."


@exercise(
    title="Two answers",
    hints=["Count.", "There are three rows."],
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
