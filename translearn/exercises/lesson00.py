"""Exercises of lesson 00, Start here."""

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
    to_beat,
)


@exercise(
    title="What a coin would score",
    hints=[
        "A guesser that ignores the picture is right one time in how many, if all classes count the same?",
        "`len(emoji.class_names)` is the number of classes.",
    ],
    praise="Every score in this course stands beside a score like this one: without it, no number is good or bad.",
    setup="import types\nemoji = types.SimpleNamespace(class_names=list('abcdefghijkl'))",
    solution="### BEGIN SOLUTION\nchance = 1 / len(emoji.class_names)\n### END SOLUTION",
    alternatives=[
        "chance = 0.0833",
        "import numpy as np\nchance = np.mean(np.arange(len(emoji.class_names)) == 3)",
    ],
    wrong={
        "per cent": "chance = 100 / len(emoji.class_names)",
        "a coin has two sides": "chance = 1 / 2",
        "the largest class": "chance = 0.131",
        "the classes of ImageNet": "chance = 1 / 1000",
    },
    refused=["chance = len(emoji.class_names)", "chance = 0.0"],
    call="chance, emoji",
)
def chance(chance, emoji):
    classes = len(emoji.class_names) if hasattr(emoji, "class_names") else 0
    if not classes:
        raise Incorrect("The second thing to hand in is `emoji`, as the lesson loaded it.")
    got = expect_number(chance, "the chance score")
    if close(got, 100 / classes, 1e-2):
        raise Misconception(
            "per cent", "That is in per cent. A balanced accuracy lies between 0 and 1."
        )
    if close(got, 0.5):
        raise Misconception(
            "a coin has two sides", f"One half is right for two classes. Here are {classes}."
        )
    if 1.2 / classes < got < 0.2:
        raise Misconception(
            "the largest class",
            "That is about the share of the largest class, which always naming it would score in *plain* accuracy. "
            "In balanced accuracy it gets that one class right and every other class wrong.",
        )
    if close(got, 1e-3, 1e-6):
        raise Misconception(
            "the classes of ImageNet",
            "ImageNet has 1,000 classes; the guesser is asked about ours.",
        )
    if not close(got, 1 / classes, 1e-4):
        raise Incorrect(
            f"Not {got:.4g}. How many classes are there, and how often is a blind guess right about each of them?"
        )


@exercise(
    title="Examples seen",
    hints=[
        "An **epoch** is one pass over all training pictures.",
        "Pictures per class, times classes, times epochs. The batch size cuts an epoch into pieces; it adds none.",
    ],
    praise="Two arms that see the same number of examples have the same budget, whatever their batch size.",
    solution="""
        def examples_seen(per_class, classes, epochs, batch_size):
            ### BEGIN SOLUTION
            return per_class * classes * epochs
            ### END SOLUTION
    """,
    alternatives=[
        "def examples_seen(per_class, classes, epochs, batch_size):\n    return sum(per_class * classes for _ in range(epochs))",
        "examples_seen = lambda per_class, classes, epochs, batch_size: float(epochs * classes) * per_class",
    ],
    wrong={
        "steps, not examples": "def examples_seen(per_class, classes, epochs, batch_size):\n    return -(-per_class * classes // batch_size) * epochs",
        "the batch size multiplies": "def examples_seen(per_class, classes, epochs, batch_size):\n    return per_class * classes * epochs * batch_size",
        "one class only": "def examples_seen(per_class, classes, epochs, batch_size):\n    return per_class * epochs",
        "one epoch only": "def examples_seen(per_class, classes, epochs, batch_size):\n    return per_class * classes",
    },
)
def examples_seen(examples_seen):
    f = expect_callable(examples_seen, "examples_seen")
    for n, k, epochs, batch in ((10, 12, 25, 32), (3, 2, 5, 4), (7, 9, 2, 16)):
        got = expect_number(f(n, k, epochs, batch), "the examples seen")
        if got == n * k * epochs:
            continue
        if got in (-(-n * k // batch) * epochs, n * k * epochs / batch, n * k // batch * epochs):
            raise Misconception(
                "steps, not examples",
                "Those are steps: updates of the weights. A step sees a whole batch.",
            )
        if got == n * k * epochs * batch:
            raise Misconception(
                "the batch size multiplies",
                "A larger batch takes more pictures at once, so it needs fewer steps; "
                "the pictures seen in an epoch stay the same.",
            )
        if got == n * epochs:
            raise Misconception(
                "one class only",
                "That is one class. There are as many pictures again for every other class.",
            )
        if got == n * k:
            raise Misconception(
                "one epoch only", "That is one epoch. Every picture is seen again in each epoch."
            )
        raise Incorrect(
            f"For {n} pictures of each of {k} classes and {epochs} epochs expected {n * k * epochs}, got {got:g}."
        )


@exercise(
    title="Balanced accuracy by hand",
    hints=[
        "Take one class at a time: which share of *its* pictures was called right?",
        "`[np.mean(guesses[labels == k] == k) for k in np.unique(labels)]` holds one share for each class. Average them.",
    ],
    praise="A class with ten pictures now weighs as much as a class with a thousand.",
    setup="import numpy as np",
    solution="""
        def balanced_accuracy(labels, guesses):
            ### BEGIN SOLUTION
            return np.mean([np.mean(guesses[labels == k] == k) for k in np.unique(labels)])
            ### END SOLUTION
    """,
    alternatives=[
        "from sklearn.metrics import balanced_accuracy_score as balanced_accuracy",
        "def balanced_accuracy(labels, guesses):\n    right = np.zeros(labels.max() + 1)\n    np.add.at(right, labels, labels == guesses)\n"
        "    count = np.bincount(labels)\n    return (right[count > 0] / count[count > 0]).mean()",
    ],
    wrong={
        "plain accuracy": "def balanced_accuracy(labels, guesses):\n    return np.mean(labels == guesses)",
        "per cent": "def balanced_accuracy(labels, guesses):\n    return 100 * np.mean([np.mean(guesses[labels == k] == k) for k in np.unique(labels)])",
        "each class against the rest": "def balanced_accuracy(labels, guesses):\n"
        "    return np.mean([np.mean((labels == k) == (guesses == k)) for k in np.unique(labels)])",
        "by guess, not by class": "def balanced_accuracy(labels, guesses):\n"
        "    return np.mean([np.mean(labels[guesses == k] == k) for k in np.unique(guesses)])",
    },
    refused=[
        "def balanced_accuracy(labels, guesses):\n    return 1 - np.mean([np.mean(guesses[labels == k] == k) for k in np.unique(labels)])"
    ],
)
def balanced_accuracy(balanced_accuracy):
    f = expect_callable(balanced_accuracy, "balanced_accuracy")
    rng = np.random.default_rng(0)
    # The third has no picture of class 1, though it is guessed; in the last, class 3 is never guessed.
    for sizes in ((30, 12, 9), (90, 10), (50, 0, 20), (8, 5, 6, 4)):
        labels = np.repeat(np.arange(len(sizes)), sizes)
        guesses = np.where(
            rng.random(len(labels)) < 0.6, labels, rng.integers(0, len(sizes), len(labels))
        )
        guesses = np.where(guesses == 3, 0, guesses)
        right = np.mean([np.mean(guesses[labels == k] == k) for k in np.unique(labels)])
        precision = np.mean([np.mean(labels[guesses == k] == k) for k in np.unique(guesses)])
        every = [np.mean((labels == k) == (guesses == k)) for k in np.unique(labels)]
        got = expect_number(f(labels, guesses), "the balanced accuracy")
        if close(got, right):
            continue
        if close(got, 100 * right):
            raise Misconception(
                "per cent", "That is in per cent. A balanced accuracy lies between 0 and 1."
            )
        if close(got, np.mean(every)) and len(sizes) > 2:
            raise Misconception(
                "each class against the rest",
                "You also count the pictures of other classes that were *not* called this class. "
                "Look at the pictures of the class only.",
            )
        if close(got, np.mean(labels == guesses)):
            raise Misconception(
                "plain accuracy",
                "That is the plain accuracy: a guesser that always says the largest class scores "
                "high on it. Take the share of right guesses *within each class* first.",
            )
        if close(got, precision):
            raise Misconception(
                "by guess, not by class",
                "You grouped by what was guessed (that mean is called precision). "
                "Group by the true label: of all real cats, how many were called cats?",
            )
        missing = (
            " One of these classes has no picture: leave it out of the mean." if 0 in sizes else ""
        )
        raise Incorrect(
            f"For classes of sizes {sizes} expected {right:.4g}, got {got:.4g}.{missing}"
        )


@exercise(
    title="A test that catches a leak",
    hints=[
        "A leak is *one* concept on both sides; which one, and where it stands, does not matter.",
        "Python's sets have `isdisjoint`; NumPy has `np.intersect1d`.",
    ],
    praise="One line, and a leak cannot come back unseen.",
    setup="import numpy as np",
    solution="""
        def no_leak(train_concepts, test_concepts):
            ### BEGIN SOLUTION
            return set(train_concepts).isdisjoint(test_concepts)
            ### END SOLUTION
    """,
    alternatives=[
        "def no_leak(train_concepts, test_concepts):\n    return len(np.intersect1d(train_concepts, test_concepts)) == 0",
        "def no_leak(train_concepts, test_concepts):\n    return not np.isin(test_concepts, train_concepts).any()",
    ],
    wrong={
        "compared place by place": "def no_leak(train_concepts, test_concepts):\n    return not any(a == b for a, b in zip(train_concepts, test_concepts))",
        "different is not disjoint": "def no_leak(train_concepts, test_concepts):\n    return set(train_concepts) != set(test_concepts)",
        "the wrong way round": "def no_leak(train_concepts, test_concepts):\n    return not set(train_concepts).isdisjoint(test_concepts)",
    },
    refused=[
        "def no_leak(train_concepts, test_concepts):\n    return True",
        "def no_leak(train_concepts, test_concepts):\n    return len(np.unique([*train_concepts, *test_concepts])) == len(train_concepts) + len(test_concepts)",
        "def no_leak(train_concepts, test_concepts):\n    return not any(a in b for a in train_concepts for b in test_concepts)",
        "def no_leak(train_concepts, test_concepts):\n    return not set(test_concepts) <= set(train_concepts)",
    ],
)
def no_leak(no_leak):
    f = expect_callable(no_leak, "no_leak")
    cases = [
        (["cat", "dog", "owl"], ["bee", "ant"], True),
        (["cat", "dog", "owl"], ["bee", "owl"], False),
        (["cat", "dog"], ["cat", "ant"], False),
        (["cat"], ["cat"], False),
        (["cat", "dog"], ["bee", "owl", "ant"], True),
        (["cat", "cat"], ["dog"], True),
        (["cat"], ["catfish"], True),
        (["cat"], ["cat", "ant"], False),
        (["cat", "dog"], ["dog"], False),
    ]
    got = [
        bool(expect_array(f(np.array(a), np.array(b)), what="the verdict", boolean=True).all())
        for a, b, _ in cases
    ]
    want = [verdict for *_, verdict in cases]
    if got == want:
        return
    if got == [not verdict for verdict in want]:
        raise Misconception("the wrong way round", "True is to mean that nothing leaks.")
    if got == [not any(x == y for x, y in zip(a, b)) for a, b, _ in cases]:
        raise Misconception(
            "compared place by place",
            "You compared the first with the first, the second with the second. "
            "A concept leaks wherever in the two lists it stands.",
        )
    if got == [set(a) != set(b) for a, b, _ in cases]:
        raise Misconception(
            "different is not disjoint",
            "Two sets that are not equal may still share a concept, and one shared concept is a leak.",
        )
    a, b, verdict = next(c for c, g in zip(cases, got) if g != c[2])
    raise Incorrect(
        f"For training concepts {a} and test concepts {b} expected {verdict}, got {not verdict}."
    )


@exercise(
    title="A difference with its spread",
    hints=[
        "Both arms used the same seeds: subtract first, seed by seed.",
        "`difference = a - b`, then its mean, and `np.std(difference, ddof=1)` because the mean was estimated from the same numbers.",
    ],
    praise="Pairing gives the spread of the difference itself. Whether it is smaller than the spreads of the two arms is for the data to say.",
    setup="import numpy as np",
    solution="""
        def paired(a, b):
            ### BEGIN SOLUTION
            difference = a - b
            return difference.mean(), difference.std(ddof=1)
            ### END SOLUTION
    """,
    alternatives=[
        "import statistics\ndef paired(a, b):\n    d = [float(x) - float(y) for x, y in zip(a, b)]\n    return statistics.mean(d), statistics.stdev(d)",
        "def paired(a, b):\n    d = np.subtract(a, b)\n    return np.array([d.sum() / len(d), np.sqrt(np.var(d) * len(d) / (len(d) - 1))])",
    ],
    wrong={
        "spread of each arm": "def paired(a, b):\n    return a.mean() - b.mean(), np.sqrt(a.var(ddof=1) + b.var(ddof=1))",
        "divided by n": "def paired(a, b):\n    return (a - b).mean(), (a - b).std()",
        "the wrong way round": "def paired(a, b):\n    return (b - a).mean(), (b - a).std(ddof=1)",
        "signs thrown away": "def paired(a, b):\n    return abs(a - b).mean(), abs(a - b).std(ddof=1)",
        "the standard error": "def paired(a, b):\n    return (a - b).mean(), (a - b).std(ddof=1) / len(a) ** 0.5",
    },
    refused=[
        "def paired(a, b):\n    return (a - b).mean()",
        "def paired(a, b):\n    return (a - b).mean(), 0.0",
    ],
)
def paired(paired):
    f = expect_callable(paired, "paired")
    for a, b in (
        (np.array([0.46, 0.51, 0.40, 0.48]), np.array([0.21, 0.27, 0.17, 0.20])),
        (np.array([0.31, 0.36, 0.29]), np.array([0.33, 0.30, 0.32])),
    ):
        d = a - b
        mean, spread = expect_array(f(a, b), shape=(2,), what="the mean and the spread")
        if close(mean, -d.mean()):
            raise Misconception(
                "the wrong way round",
                "The difference is to be positive when the first arm is better: a minus b.",
            )
        if close(mean, np.abs(d).mean()) and not close(mean, d.mean()):
            raise Misconception(
                "signs thrown away",
                "You took absolute values: a seed in which the second arm wins must count against the first.",
            )
        if not close(mean, d.mean()):
            raise Incorrect(
                f"For a = {a.tolist()} and b = {b.tolist()} the mean difference is not {mean:.4g}."
            )
        if close(spread, np.sqrt(a.var(ddof=1) + b.var(ddof=1))):
            raise Misconception(
                "spread of each arm",
                "You combined the spreads of the two arms as if they had nothing in common. "
                "They share their seeds, so they may rise and fall together, or against each other: subtract seed by seed, then take the spread of the differences.",
            )
        if close(spread, d.std(ddof=1) / np.sqrt(len(d))):
            raise Misconception(
                "the standard error",
                "You divided by the square root of n: that is the uncertainty of the mean. Asked for is how far single seeds differ.",
            )
        if close(spread, d.std()):
            raise Misconception(
                "divided by n",
                "You divided by n. The mean was estimated from the same numbers, so divide by n - 1 (`ddof=1`).",
            )
        if not close(spread, d.std(ddof=1)):
            raise Incorrect(f"The mean is right; the spread is not {spread:.4g}.")


fair = Choice(
    "fair",
    "Which comparison would convince a sceptic that pretraining helped?",
    {
        "a": "The pretrained network after 30 epochs against the other after 5, because it converges faster",
        "b": "The best of ten seeds of each",
        "c": "Same pictures, same number of examples seen, same seeds, each learning rate tuned equally hard on validation pictures",
        "d": "The same learning rate for both, tuned for the pretrained one on the test pictures",
    },
    right="c",
    wrong={
        "a": ("unequal budgets", "Then the budget may have won, not the pretraining."),
        "b": ("best of many", "The best of ten measures luck. Report the mean and its spread."),
        "d": (
            "tuned on the test set",
            "A rate tuned for one arm handicaps the other, and tuning on the test pictures flatters both.",
        ),
    },
    hints=[
        "What else differs between the two arms, besides the pretraining?",
        "Look for the answer in which nothing else differs.",
    ],
    praise="That is the whole method of this course in one sentence.",
)


LATER_BLOCKS = """
def mine(part):
    return transfer.cache_features(backbone, part.images, layers=["block12"], progress=False)["block12"]
"""


@exercise(
    title="Beat this number",
    hints=[
        "What you put on top matters: scikit-learn has a whole shelf of linear classifiers, and each feature has its own scale (`StandardScaler`).",
        'The last features are about the 1,000 classes of ImageNet. Go a few blocks back: `layers=["block13"]`, then `LogisticRegression(C=0.01, max_iter=1000)`.',
    ],
    praise="Same backbone, same ten pictures of each class. Why the last features are not the best ones is what lesson 05 measures.",
    setup="""
        from translearn import backbones, data, transfer
        emoji = data.load("emoji_styles")
        backbone = backbones.load("efficientnet_lite0")
        few = emoji.train.take(10, seed=0)
    """,
    solution="""
        ### BEGIN SOLUTION
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        train_features, judged_features = [transfer.cache_features(backbone, part.images, layers=["block13"], progress=False)["block13"]
                           for part in (few, emoji.validation)]
        mine = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        guesses = mine.fit(train_features, few.labels).predict(judged_features)
        ### END SOLUTION
    """,
    alternatives=[
        LATER_BLOCKS
        + "from sklearn.linear_model import RidgeClassifier\nguesses = RidgeClassifier(100).fit(mine(few), few.labels).predict(mine(emoji.validation))",
        LATER_BLOCKS
        + "from sklearn.neighbors import NearestCentroid\nguesses = list(NearestCentroid().fit(mine(few), few.labels).predict(mine(emoji.validation)))",
    ],
    wrong={
        "the answers themselves": "guesses = emoji.validation.labels",
        "on the training pictures": "guesses = few.labels",
        "scores, not classes": "import numpy as np\nguesses = np.zeros((len(emoji.validation), 10))",
    },
    refused=["guesses = emoji.validation.labels * 0", "guesses = emoji.validation.labels + 0.5"],
    reference=to_beat("taste.ten", "pretrained", "validation accuracy"),
)
def beat_it(guesses, reference):
    from translearn import data

    emoji = data.load("emoji_styles")
    return (
        better_guesses(guesses, emoji, len(emoji.train.take(10, seed=0)), reference, too_good=0.65)
        + " "
        + beat_it.praise
    )
