"""Exercises of lesson 01, Loss functions."""

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
    expect_array,
    expect_callable,
    expect_close,
    expect_number,
    to_beat,
)


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cross_entropy(y, z):
    return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))


know_nothing = Function(
    "know_nothing",
    title="What knowing nothing costs",
    hints=[
        "Somebody who knows nothing gives every class the same probability. Which "
        "probability does the true class get?",
        "The loss is minus the natural logarithm of that probability: `-np.log(1 / classes)`.",
    ],
    praise="The most useful number in debugging: an untrained classifier should start at "
    "about this loss. If it does not, the loss and the last layer disagree, or the "
    "labels do.",
    probes=[2, 12, 1000],
    mistakes=[
        Mistake(
            "the probability, not its loss",
            "That is the probability that the true class gets. The loss is minus its logarithm.",
            lambda classes: 1 / classes,
        ),
        Mistake(
            "the sign is lost",
            "The logarithm of a probability is negative; a loss is minus that, so that "
            "worse is larger.",
            lambda classes: np.log(1 / classes),
        ),
        Mistake(
            "another logarithm",
            "Right but for its unit: Keras, like everybody in deep learning, uses the "
            "natural logarithm, `np.log`.",
            lambda classes: np.log2(classes),
            lambda classes: np.log10(classes),
        ),
        Mistake(
            "always two classes",
            "That is right for two classes. The more there are, the less probability is left "
            "for the true one: 1 / classes.",
            lambda classes: np.log(2),
        ),
    ],
)


def logits_and_labels():
    """Small logits, for which nothing overflows: (labels, logits)."""
    rng = np.random.default_rng(0)
    logits = [rng.uniform(0.1, 5, (6, 4)), 2 * rng.normal(size=(9, 2)), rng.uniform(1, 3, (1, 3))]
    return {
        f"{len(z)} rows of {z.shape[1]} logits": (rng.integers(0, z.shape[1], len(z)), z)
        for z in logits
    }


def survives_large_logits(f):
    large = np.array([[1000.0, 0.0, -1000.0], [-1000.0, -1001.0, -1002.0]])
    with np.errstate(all="ignore"):
        got = expect_array(f(np.array([2, 0]), large), shape=(2,), finite=False)
    if not np.isfinite(got).all():
        raise Misconception(
            "it overflows",
            "Right for small logits. For logits of 1000 and -1000 it gives "
            f"{', '.join(f'{v:g}' for v in got)}: an exponential overflowed, or a probability "
            "was rounded to 0 before its logarithm was taken. Subtract the largest logit, and "
            "never compute the probability.",
        )
    expect_close(
        got, [2000, np.log(1 + np.exp(-1) + np.exp(-2))], 1e-5, "logits of 1000 and -1000"
    )


sparse_cross_entropy = Function(
    "sparse_cross_entropy",
    title="Categorical cross-entropy, never infinite",
    hints=[
        "In logits, the loss is the logarithm of the sum of all exponentials, minus the "
        "logit of the true class.",
        "Take the largest logit out before you exponentiate: `top = logits.max(axis=1)`, "
        "and `top + np.log(np.exp(logits - top[:, None]).sum(axis=1))` is the first half. "
        "The logit of the true class is `logits[np.arange(len(labels)), labels]`.",
    ],
    praise="This is what SparseCategoricalCrossentropy(from_logits=True) computes: *sparse* "
    "because the labels come as numbers, not as rows of zeros with a one.",
    probes=logits_and_labels,
    tolerance=1e-5,
    also=survives_large_logits,
    mistakes=[
        Mistake(
            "one number for all",
            "That is the mean. Return one loss for each row, so that they can be weighted or "
            "looked at.",
            lambda labels, logits: np.mean(
                -np.log(softmax(logits)[np.arange(len(labels)), labels])
            ),
        ),
        Mistake(
            "logits taken for probabilities",
            "You took the logarithm of a logit, which is no probability: logits may be "
            "negative, and do not add up to 1.",
            lambda labels, logits: -np.log(logits[np.arange(len(labels)), labels]),
        ),
        Mistake(
            "the sign is lost",
            "Those are the logarithms of the probabilities: all negative. A loss is minus that.",
            lambda labels, logits: np.log(softmax(logits)[np.arange(len(labels)), labels]),
        ),
    ],
)


mean_loss_gradient = Function(
    "mean_loss_gradient",
    title="The gradient of the mean loss",
    hints=[
        "For one row, it is the row of probabilities minus the row with a 1 at the true class.",
        "`np.eye(classes)[labels]` makes the rows with a 1. The loss is a *mean* over n "
        "rows, so each row moves it by one n-th.",
    ],
    praise="Probability minus truth, divided by n. Every classifier in this course learns "
    "from nothing else.",
    probes=logits_and_labels,
    tolerance=1e-5,
    mistakes=[
        Mistake(
            "not averaged",
            "That is the gradient of each row's own loss. The loss is their mean, so each row "
            "counts one n-th. (With the sum, a larger batch would take longer steps.)",
            lambda labels, logits: softmax(logits) - np.eye(logits.shape[1])[labels],
        ),
        Mistake(
            "downhill instead of uphill",
            "The sign is turned round: that is the way down. The gradient points the way up, "
            "and the optimiser goes against it.",
            lambda labels, logits: (
                (np.eye(logits.shape[1])[labels] - softmax(logits)) / len(labels)
            ),
        ),
        Mistake(
            "the true class only",
            "You kept the column of the true class. The logits of the wrong classes are "
            "pushed as well: down, in proportion to their probability.",
            lambda labels, logits: (
                (softmax(logits) - 1) * np.eye(logits.shape[1])[labels] / len(labels)
            ),
        ),
        Mistake(
            "the factor is back",
            "The slope of the softmax is in there once more. In cross-entropy it cancels, "
            "which is the whole point of it.",
            lambda labels, logits: (
                (softmax(logits) - np.eye(logits.shape[1])[labels])
                * softmax(logits)
                * (1 - softmax(logits))
                / len(labels)
            ),
        ),
    ],
)


def spread_over_the_wrong(labels, classes, epsilon):
    hot = np.eye(classes)[labels]
    return (1 - epsilon) * hot + (1 - hot) * epsilon / (classes - 1)


def no_share_for_the_true(labels, classes, epsilon):
    hot = np.eye(classes)[labels]
    return (1 - epsilon) * hot + (1 - hot) * epsilon / classes


smooth = Function(
    "smooth",
    title="Smoothed labels",
    hints=[
        "A share epsilon of the label is spread over *all* classes, the true one included. "
        "Each row still adds up to 1.",
        "`(1 - epsilon) * np.eye(classes)[labels] + epsilon / classes`",
    ],
    praise="Two definitions are around: this one, of Szegedy et al. (2016) and Keras, and "
    "one that gives the share to the wrong classes only. An epsilon read in a paper may be "
    "either.",
    probes=[
        (np.array([2, 0, 1, 2]), 3, 0.1),
        (np.array([4, 1]), 5, 0.3),
        (np.array([0, 1, 1]), 4, 0.2),  # two classes without a label
        (np.array([0, 1]), 2, 0.0),
    ],
    mistakes=[
        Mistake(
            "to the wrong classes only",
            "You gave the share to the wrong classes only. That is another definition; in "
            "Keras's, the true class gets its part of the share, too.",
            spread_over_the_wrong,
        ),
        Mistake(
            "the true class gets no share",
            "Your rows do not add up to 1. The true class keeps 1 - epsilon *and* gets its "
            "part of the share.",
            no_share_for_the_true,
        ),
        Mistake(
            "made for two classes",
            "The share is divided among all classes, not always by two.",
            lambda labels, classes, epsilon: (1 - epsilon) * np.eye(classes)[labels] + epsilon / 2,
        ),
    ],
)


def of_so_many(*counts):
    """Labels of so many pictures of each class, in no order."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(2).permutation(labels)


class_weights = Function(
    "class_weights",
    title="Class weights by hand",
    hints=[
        "The weight of a class is inversely proportional to its number of pictures: twice as "
        "rare, twice the weight.",
        "`len(labels) / (classes * np.bincount(labels))`: then the weights, averaged over all "
        "pictures, are 1, and the learning rate need not change.",
    ],
    praise='It is what scikit-learn calls `class_weight="balanced"`.',
    probes={
        "30 and 10 pictures of two classes": of_so_many(30, 10),
        "70, 20 and 10 pictures of three classes": of_so_many(70, 20, 10),
        "5, 5, 20 and 10 pictures of four classes": of_so_many(5, 5, 20, 10),
    },
    # A dictionary is what Keras takes.
    read=lambda weights: (
        [weights[k] for k in sorted(weights)] if type(weights) is dict else weights
    ),
    mistakes=[
        Mistake(
            "the share itself",
            "Those are the shares of the classes: the common class would count for even more. "
            "A weight is to make up for rarity.",
            lambda labels: np.bincount(labels) / len(labels),
        ),
        Mistake(
            "too small, all of them",
            "The ratios are right, but the average picture has a weight below 1: the whole "
            "loss shrinks, and so does every step. The average over all *pictures* is to be 1.",
            lambda labels: 1 / np.bincount(labels),
            lambda labels: 1 / np.bincount(labels) / (1 / np.bincount(labels)).sum(),
            lambda labels: 1 / np.bincount(labels) / (1 / np.bincount(labels)).mean(),
            lambda labels: np.bincount(labels).min() / np.bincount(labels),
        ),
        Mistake(
            "too large, all of them",
            "The ratios are right, but the average picture has a weight above 1: the whole "
            "loss grows, as if the learning rate had been raised. The average is to be 1.",
            lambda labels: len(labels) / np.bincount(labels),
            lambda labels: np.bincount(labels).max() / np.bincount(labels),
        ),
        Mistake(
            "made for two classes",
            "Right for two classes. With more, the total is to be divided among all of them.",
            lambda labels: len(labels) / (2 * np.bincount(labels)),
        ),
    ],
)


stalls = Choice(
    "stalls",
    "A cell is defective, and the network gives that a probability of 0.0001. Why does it "
    "learn almost nothing from this cell by squared error?",
    {
        "a": "Because the squared error is at most 1, however wrong the network is, and what "
        "is small cannot push hard",
        "b": "Because the sigmoid is flat there: the logit moves, and the probability hardly",
        "c": "Because the label is 1, and the logarithm of 1 is zero",
        "d": "Because the learning rate is too small for a logit that has so far to go",
    },
    right="b",
    wrong={
        "a": (
            "size is not slope",
            "How large a loss is does not matter for learning, only how steeply it changes. "
            "Multiply it by 1,000, and it is still flat in comparison to what it was "
            "elsewhere.",
        ),
        "c": ("the wrong loss", "There is no logarithm in squared error."),
        "d": (
            "only the rate",
            "A larger rate helps here and costs you elsewhere: at a logit of 0, the same loss "
            "pushes more than a thousand times as hard.",
        ),
    },
    hints=[
        "Look at the formula: $2 (p - y) p (1 - p)$. Which of its factors is small here?",
        "$p (1 - p)$ is the slope of the sigmoid. What does a slope near zero say?",
    ],
    praise="The loss sees the logit only through the sigmoid. In cross-entropy the logarithm "
    "is exactly as steep as the sigmoid is flat, and the two cancel.",
    title="Confidently wrong",
)


def focal(y, z, gamma):
    """The focal part, without a class factor."""
    return (1 - sigmoid(np.where(y == 1, z, -z))) ** gamma * cross_entropy(y, z)


def class_factor(y, alpha):
    return np.where(y == 1, alpha, 1 - alpha)


Z = np.linspace(-5, 5, 8).repeat(2)
Y = np.tile([0.0, 1.0], 8)

focal_loss = Function(
    "focal_loss",
    title="Focal loss with a class factor",
    hints=[
        "Two factors on the cross-entropy: `(1 - q) ** gamma`, where q is the probability "
        "given to the *true* answer, and alpha for label 1, 1 - alpha for label 0.",
        "`q = sigmoid(np.where(y == 1, z, -z))` and "
        "`np.where(y == 1, alpha, 1 - alpha) * (1 - q) ** gamma * cross_entropy(y, z)`",
    ],
    praise="Equal to Keras's BinaryFocalCrossentropy with `apply_class_balancing=True`. Its "
    "default alpha of 0.25 gives the *positive* class the smaller weight: in the paper's "
    "detectors, focusing had already held the many negatives down.",
    probes={
        f"logits from -5 to 5, gamma {gamma:g} and alpha {alpha:g}": (Y, Z, gamma, alpha)
        for gamma, alpha in ((2.0, 0.25), (1.0, 0.7), (0.5, 0.9), (0.0, 0.4))
    },
    tolerance=1e-5,
    read=lambda losses: losses if losses is None else np.ravel(losses),  # a column will do
    mistakes=[
        Mistake(
            "the class, not the truth",
            "You used the probability of class 1 for both labels. The factor is to look at "
            "the probability of the *true* answer: for label 0, that is 1 - p.",
            lambda y, z, gamma, alpha: (
                class_factor(y, alpha) * (1 - sigmoid(z)) ** gamma * cross_entropy(y, z)
            ),
        ),
        Mistake(
            "the easy ones count",
            "The factor is turned round: with q, what is right already counts most. With "
            "1 - q it fades out.",
            lambda y, z, gamma, alpha: (
                class_factor(y, alpha)
                * sigmoid(np.where(y == 1, z, -z)) ** gamma
                * cross_entropy(y, z)
            ),
        ),
        Mistake(
            "alpha on both",
            "Both classes get alpha, so nothing is weighted against anything. Label 0 gets "
            "1 - alpha.",
            lambda y, z, gamma, alpha: alpha * focal(y, z, gamma),
        ),
        Mistake(
            "alpha on the wrong class",
            "Alpha belongs to label 1, and 1 - alpha to label 0.",
            lambda y, z, gamma, alpha: class_factor(y, 1 - alpha) * focal(y, z, gamma),
        ),
        Mistake(
            "alpha forgotten",
            "The focal part is right. The class factor is missing: alpha for label 1, "
            "1 - alpha for label 0.",
            lambda y, z, gamma, alpha: focal(y, z, gamma),
        ),
    ],
)


def validation_pictures():
    """(labels, probabilities) of two problems, with labels of 1 that are rare.

    The probabilities lie at odd hundredths, so that a grid of even ones misses nothing.
    """
    for seed, share, shift in ((3, 0.15, 1.0), (4, 0.2, 0.6)):
        rng = np.random.default_rng(seed)
        labels = (rng.random(300) < share).astype(int)
        p = sigmoid(2.0 * labels - 1.2 - shift + 1.2 * rng.normal(size=300))
        yield labels, (np.floor(p * 50) + 0.5) / 50


def balanced_accuracy(labels, called):
    return np.mean([np.mean(called[labels == k] == k) for k in (0, 1)])


@exercise(
    title="Choose a threshold",
    hints=[
        "Try many thresholds, and keep the one with the best *balanced* accuracy. The "
        "probabilities themselves are the only thresholds at which anything changes.",
        "`max(np.unique(p), key=lambda t: balanced_accuracy_score(labels, p >= t))`",
    ],
    praise="It was chosen on validation pictures, so its score there is flattering. The "
    "honest score is the one on pictures that had no say.",
)
def choose_threshold(choose_threshold):
    f = expect_callable(choose_threshold, "choose_threshold")
    problems = list(validation_pictures())
    got = [expect_number(f(labels, p), "the threshold") for labels, p in problems]
    scores = [
        balanced_accuracy(labels, p >= threshold) for (labels, p), threshold in zip(problems, got)
    ]
    best = [max(balanced_accuracy(labels, p >= t) for t in np.unique(p)) for labels, p in problems]
    if close(scores, best):
        return
    reached = (
        f"Balanced accuracy on two sets of pictures: {scores[0]:.1%} and {scores[1]:.1%}, where "
        f"{best[0]:.1%} and {best[1]:.1%} can be had."
    )
    if close(got, best):
        raise Misconception(
            "the score, not the threshold",
            "That is the best score. Return the threshold that reaches it: `max(…, key=…)`, "
            "or `argmax`.",
        )
    if close(got, [0.5, 0.5]):
        raise Misconception("one half by habit", f"You return one half. {reached}")

    def calls_what_is_called_by(rule):
        return all(
            np.array_equal(p >= threshold, p >= rule(labels, p))
            for (labels, p), threshold in zip(problems, got)
        )

    if calls_what_is_called_by(lambda labels, p: np.quantile(p, 1 - labels.mean())):
        raise Misconception(
            "as many as there are",
            "That threshold calls as many cells defective as there are. It looks fair, but "
            f"misses many of them. {reached}",
        )
    if calls_what_is_called_by(
        lambda labels, p: max(np.unique(p), key=lambda t: np.mean((p >= t) == labels))
    ):
        raise Misconception(
            "plain accuracy",
            "That is the best threshold for *plain* accuracy, which hardly cares about the "
            f"rare class. {reached}",
        )
    raise Incorrect(f"You return {got[0]:.4g} and {got[1]:.4g}. {reached}")


unweigh = Function(
    "unweigh",
    title="Undo the class weights",
    hints=[
        "Weights change the *odds* p / (1 - p): training with weights w0 and w1 multiplies "
        "them by w1 / w0. Divide that out.",
        "`odds = p / (1 - p) * w0 / w1`, and back to a probability: `odds / (1 + odds)`.",
    ],
    praise="So class weights and a moved threshold are two ways to say one thing; but one of "
    "them lets the probabilities keep their word.",
    probes=[
        (np.array([0.05, 0.3, 0.5, 0.686, 0.99]), w0, w1)
        for w0, w1 in ((0.73, 1.6), (1.0, 19.0), (1.5, 0.75))
    ],
    tolerance=1e-5,
    mistakes=[
        Mistake(
            "weighted twice",
            "The wrong way round: you multiplied the odds by w1 / w0, which training had done "
            "already.",
            lambda p, w0, w1: p * w1 / (p * w1 + (1 - p) * w0),
        ),
        Mistake(
            "a probability is not its odds",
            "The factor belongs on the odds p / (1 - p), not on p. With it on p, the "
            "probabilities of the two classes no longer add up to 1.",
            lambda p, w0, w1: p * w0 / w1,
            lambda p, w0, w1: p / w1,
        ),
        Mistake(
            "odds handed back",
            "Those are the odds, and the right ones. Turn them into a probability again: "
            "odds / (1 + odds).",
            lambda p, w0, w1: p / (1 - p) * w0 / w1,
        ),
    ],
)


def last_activation(model):
    return model.layers[-1].activation.__name__


def compiled_models():
    """{in words: a compiled model}: every last layer with its loss, both ways."""
    import keras

    models = {}
    for units, activation, name in (
        (1, "linear", "BinaryCrossentropy"),
        (1, "sigmoid", "BinaryCrossentropy"),
        (3, "sigmoid", "BinaryCrossentropy"),
        (1, "sigmoid", "BinaryFocalCrossentropy"),
        (3, "linear", "SparseCategoricalCrossentropy"),
        (3, "softmax", "SparseCategoricalCrossentropy"),
        (3, "softmax", "CategoricalCrossentropy"),
    ):
        for from_logits in (True, False):
            hidden = keras.layers.Dense(5, "relu")
            last = keras.layers.Dense(units, activation)
            model = keras.Sequential([keras.Input((4,)), hidden, last])
            model.compile("sgd", getattr(keras.losses, name)(from_logits=from_logits))
            layer = f"Dense({units}, {activation!r})"
            models[f"{layer} and {name}(from_logits={from_logits})"] = model
    return models


def names_of_keras():
    import keras

    return {"keras": keras}


fits = Function(
    "fits",
    title="Catch the mismatch",
    hints=[
        "A compiled model knows both halves: `model.layers[-1].activation` and "
        "`model.loss.from_logits`.",
        "`activation` is a function. The last layer gives logits when `activation is "
        "keras.activations.linear`; sigmoid *and* softmax give probabilities.",
    ],
    praise="Call it before `fit`, and the bug of part 5 costs a second instead of a day.",
    probes=compiled_models,
    names=names_of_keras,
    mistakes=[
        Mistake(
            "softmax forgotten",
            "Right for a sigmoid. With several classes the last layer has a softmax, which "
            "gives probabilities as well.",
            lambda model: model.loss.from_logits == (last_activation(model) != "sigmoid"),
        ),
        Mistake(
            "the wrong way round",
            "True is to mean that they fit. Your function says True for a sigmoid with "
            "from_logits=True.",
            lambda model: model.loss.from_logits != (last_activation(model) == "linear"),
        ),
        Mistake(
            "logits are always right",
            "You looked at the loss alone. A sigmoid with from_logits=False fits just as well "
            "as logits with from_logits=True.",
            lambda model: model.loss.from_logits,
        ),
        Mistake(
            "one direction only",
            "You caught probabilities with from_logits=True. The other mismatch, logits with "
            "from_logits=False, goes through.",
            lambda model: not model.loss.from_logits or last_activation(model) == "linear",
        ),
        Mistake(
            "the other direction only",
            "You caught logits with from_logits=False. The other mismatch, probabilities with "
            "from_logits=True, goes through.",
            lambda model: model.loss.from_logits or last_activation(model) != "linear",
        ),
    ],
)


@exercise(
    title="Beat this number",
    hints=[
        "What did part 4 say about one half? A threshold that you take from the training "
        "labels costs nothing.",
        "`LogisticRegression(C=0.1, max_iter=1000)` is cross-entropy on the same features. "
        "Take its `predict_proba(…)[:, 1]`, and call defective what is above the *share* of "
        "defective cells.",
    ],
    praise="Our own answer needs no new loss to beat a loss: only another threshold. (Its `C` "
    "holds the weights back, which is the subject of lesson 07.)",
    reference=to_beat("loss.five", "cross-entropy", "validation balanced accuracy"),
)
def beat_it(guesses, reference):
    from translearn import data

    solar = data.load("solar_cells", size=96)
    wanted = reference + 0.02  # none of the ledger's seeds won as much by luck
    return f"{better_guesses(guesses, solar, 1000, wanted, too_good=0.92)} {beat_it.praise}"
