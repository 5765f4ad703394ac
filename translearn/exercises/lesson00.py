"""Exercises of lesson 00, Start here."""

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
    expect_number,
    expect_right,
    to_beat,
)

BLIND = [
    Mistake(
        "per cent",
        "That is in per cent. A balanced accuracy lies between 0 and 1.",
        lambda classes: 100 / classes,
        lambda classes: round(100 / classes, 2),
        lambda classes: round(100 / classes, 1),
    ),
    Mistake(
        "a coin has two sides",
        "One half is right for two classes. Here are more.",
        lambda classes: 1 / 2,
    ),
    Mistake(
        "the classes of ImageNet",
        "ImageNet has 1,000 classes; the guesser is asked about ours.",
        lambda classes: 1 / 1000,
    ),
]


@exercise(
    title="What a coin would score",
    hints=[
        "A guesser that ignores the picture is right one time in how many, if all "
        "classes count the same?",
        "`len(emoji.class_names)` is the number of classes.",
    ],
    praise="Every score in this course stands beside a score like this one: without it, "
    "no number is good or bad.",
    call="chance, emoji",
)
def chance(chance, emoji):
    if not hasattr(emoji, "class_names"):
        raise Incorrect("The second thing to hand in is `emoji`, as the lesson loaded it.")
    got = expect_number(chance, "the chance score")
    classes, sizes = len(emoji.class_names), np.bincount(emoji.train.labels)
    if close(got, sizes.max() / sizes.sum(), 1e-3):
        raise Misconception(
            "the largest class",
            "That is the share of the largest class, which always naming it would score in "
            "*plain* accuracy. In balanced accuracy it gets that one class right and every "
            "other "
            "class wrong.",
        )
    expect_right(got, 1 / classes, BLIND, classes, tolerance=1e-4, what="the chance score")


examples_seen = Function(
    "examples_seen",
    title="Examples seen",
    hints=[
        "An **epoch** is one pass over all training pictures.",
        "Pictures per class, times classes, times epochs. The batch size cuts an epoch "
        "into pieces; it adds none.",
    ],
    praise="Two arms that see the same number of examples have the same budget, whatever "
    "their batch size.",
    probes=[(10, 12, 25, 32), (3, 2, 5, 4), (7, 9, 2, 16)],
    mistakes=[
        Mistake(
            "steps, not examples",
            "Those are steps: updates of the weights. A step sees a whole batch.",
            lambda per_class, classes, epochs, batch_size: (
                -(-per_class * classes // batch_size) * epochs
            ),
            lambda per_class, classes, epochs, batch_size: (
                per_class * classes // batch_size * epochs
            ),
            lambda per_class, classes, epochs, batch_size: (
                per_class * classes * epochs / batch_size
            ),
        ),
        Mistake(
            "the batch size multiplies",
            "A larger batch takes more pictures at once, so it needs fewer steps; "
            "the pictures seen in an epoch stay the same.",
            lambda per_class, classes, epochs, batch_size: (
                per_class * classes * epochs * batch_size
            ),
        ),
        Mistake(
            "one class only",
            "That is one class. There are as many pictures again for every other class.",
            lambda per_class, classes, epochs, batch_size: per_class * epochs,
        ),
        Mistake(
            "one epoch only",
            "That is one epoch. Every picture is seen again in each epoch.",
            lambda per_class, classes, epochs, batch_size: per_class * classes,
        ),
    ],
)


def guessed():
    """Labels and guesses. In the third, class 1 has no picture, though it is guessed; in the last,
    class 3 is never guessed."""
    rng, made = np.random.default_rng(0), {}
    for sizes in ((30, 12, 9), (90, 10), (50, 0, 20), (8, 5, 6, 4)):
        labels = np.repeat(np.arange(len(sizes)), sizes)
        some = rng.integers(0, len(sizes), len(labels))
        guesses = np.where(rng.random(len(labels)) < 0.6, labels, some)
        words = f"classes of {', '.join(map(str, sizes))} pictures"
        made[words] = labels, np.where(guesses == 3, 0, guesses)
    return made


balanced_accuracy = Function(
    "balanced_accuracy",
    title="Balanced accuracy by hand",
    hints=[
        "Take one class at a time: which share of *its* pictures was called right?",
        "`[np.mean(guesses[labels == k] == k) for k in np.unique(labels)]` holds one "
        "share for each class. Average them.",
    ],
    praise="A class with ten pictures now weighs as much as a class with a thousand.",
    probes=guessed,
    mistakes=[
        Mistake(
            "plain accuracy",
            "That is the plain accuracy: a guesser that always says the largest class "
            "scores "
            "high on it. Take the share of right guesses *within each class* first.",
            lambda labels, guesses: np.mean(labels == guesses),
        ),
        Mistake(
            "per cent",
            "That is in per cent. A balanced accuracy lies between 0 and 1.",
            lambda labels, guesses: (
                100 * np.mean([np.mean(guesses[labels == k] == k) for k in np.unique(labels)])
            ),
        ),
        Mistake(
            "each class against the rest",
            "You also count the pictures of other classes that were *not* called this "
            "class. "
            "Look at the pictures of the class only.",
            lambda labels, guesses: np.mean(
                [np.mean((labels == k) == (guesses == k)) for k in np.unique(labels)]
            ),
        ),
        Mistake(
            "by guess, not by class",
            "You grouped by what was guessed (that mean is called precision). "
            "Group by the true label: of all real cats, how many were called cats?",
            lambda labels, guesses: np.mean(
                [np.mean(labels[guesses == k] == k) for k in np.unique(guesses)]
            ),
        ),
    ],
)


no_leak = Function(
    "no_leak",
    title="A test that catches a leak",
    hints=[
        "A leak is *one* concept on both sides; which one, and where it stands, does not matter.",
        "Python's sets have `isdisjoint`; NumPy has `np.intersect1d`.",
    ],
    praise="One line, and a leak cannot come back unseen.",
    probes=[
        (np.array(train), np.array(test))
        for train, test in (
            (["cat", "dog", "owl"], ["bee", "ant"]),
            (["cat", "dog", "owl"], ["bee", "owl"]),
            (["cat", "dog"], ["cat", "ant"]),
            (["cat"], ["cat"]),
            (["cat", "dog"], ["bee", "owl", "ant"]),
            (["cat", "cat"], ["dog"]),
            (["cat"], ["catfish"]),
            (["cat"], ["cat", "ant"]),
            (["cat", "dog"], ["dog"]),
            (["cat", "dog", "owl"], ["dog", "bee", "ant"]),
        )
    ],
    mistakes=[
        Mistake(
            "compared place by place",
            "You compared the first with the first, the second with the second. "
            "A concept leaks wherever in the two lists it stands.",
            lambda train_concepts, test_concepts: (
                not any(a == b for a, b in zip(train_concepts, test_concepts))
            ),
        ),
        Mistake(
            "different is not disjoint",
            "Two sets that are not equal may still share a concept, and one shared concept "
            "is a leak.",
            lambda train_concepts, test_concepts: set(train_concepts) != set(test_concepts),
        ),
        Mistake(
            "the wrong way round",
            "True is to mean that nothing leaks.",
            lambda train_concepts, test_concepts: (
                not set(train_concepts).isdisjoint(test_concepts)
            ),
        ),
    ],
)


paired = Function(
    "paired",
    title="A difference with its spread",
    hints=[
        "Both arms used the same seeds: subtract first, seed by seed.",
        "`difference = a - b`, then its mean, and `np.std(difference, ddof=1)` because "
        "the mean was estimated from the same numbers.",
    ],
    praise="Pairing gives the spread of the difference itself. Whether it is smaller than "
    "the spreads of the two arms is for the data to say.",
    probes=[
        (np.array([0.46, 0.51, 0.40, 0.48]), np.array([0.21, 0.27, 0.17, 0.20])),
        (np.array([0.31, 0.36, 0.29]), np.array([0.33, 0.30, 0.32])),
    ],
    mistakes=[
        Mistake(
            "spread of each arm",
            "You combined the spreads of the two arms as if they had nothing in common. "
            "They share their seeds, so they may rise and fall together, or against each "
            "other: subtract seed by seed, then take the spread of the differences.",
            lambda a, b: (a.mean() - b.mean(), np.sqrt(a.var(ddof=1) + b.var(ddof=1))),
        ),
        Mistake(
            "divided by n",
            "You divided by n. The mean was estimated from the same numbers, so divide by "
            "n - 1 (`ddof=1`).",
            lambda a, b: ((a - b).mean(), (a - b).std()),
        ),
        Mistake(
            "the wrong way round",
            "The difference is to be positive when the first arm is better: a minus b.",
            lambda a, b: ((b - a).mean(), (b - a).std(ddof=1)),
        ),
        Mistake(
            "signs thrown away",
            "You took absolute values: a seed in which the second arm wins must count "
            "against the first.",
            lambda a, b: (abs(a - b).mean(), abs(a - b).std(ddof=1)),
        ),
        Mistake(
            "the standard error",
            "You divided by the square root of n: that is the uncertainty of the mean. "
            "Asked for is how far single seeds differ.",
            lambda a, b: ((a - b).mean(), (a - b).std(ddof=1) / len(a) ** 0.5),
        ),
    ],
)


fair = Choice(
    "fair",
    "Which comparison would convince a sceptic that pretraining helped?",
    {
        "a": "The pretrained network after 30 epochs against the other after 5, because it "
        "converges faster",
        "b": "The same pictures and budget for both, ten seeds of each, and of those the "
        "best "
        "run of each, tuned on validation pictures",
        "c": "Same pictures, same number of examples seen, same seeds, each learning rate "
        "tuned equally hard on validation pictures",
        "d": "The same learning rate for both, tuned for the pretrained one on the test pictures",
    },
    right="c",
    wrong={
        "a": ("unequal budgets", "Then the budget may have won, not the pretraining."),
        "b": ("best of many", "The best of ten measures luck. Report the mean and its spread."),
        "d": (
            "tuned on the test set",
            "A rate tuned for one arm handicaps the other, and tuning on the test pictures "
            "flatters both.",
        ),
    },
    hints=[
        "What else differs between the two arms, besides the pretraining?",
        "Look for the answer in which nothing else differs.",
    ],
    praise="That is the whole method of this course in one sentence.",
)


@exercise(
    title="Beat this number",
    hints=[
        "What you put on top matters: scikit-learn has a whole shelf of linear "
        "classifiers, and each feature has its own scale (`StandardScaler`).",
        "The last features are about the 1,000 classes of ImageNet. Go a few blocks "
        'back: `layers=["block13"]`, then `LogisticRegression(C=0.01, max_iter=1000)`.',
    ],
    praise="Which of the backbone's features are the best ones, and why it is not the "
    "last, is "
    "what lesson 05 measures.",
    reference=to_beat("taste.ten", "pretrained", "validation accuracy"),
)
def beat_it(guesses, reference):
    from translearn import data

    emoji = data.load("emoji_styles")
    trained_on = len(emoji.train.take(10, seed=0))
    wanted = reference + 0.035  # none of the ledger's draws of ten won as much by luck
    said = better_guesses(guesses, emoji, trained_on, wanted, too_good=0.65)
    return f"{said} {beat_it.praise}"
