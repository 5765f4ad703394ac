"""Exercises of lesson 01, Loss functions."""

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


def _softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _log_sum(z):
    top = z.max(axis=1)
    return top + np.log(np.exp(z - top[:, None]).sum(axis=1))


@exercise(
    title="What knowing nothing costs",
    hints=[
        "Somebody who knows nothing gives every class the same probability. Which probability does the true class get?",
        "The loss is minus the natural logarithm of that probability: `-np.log(1 / classes)`.",
    ],
    praise="The most useful number in debugging: an untrained classifier should start at about this loss. If it does not, the loss and the last layer disagree, or the labels do.",
    setup="import numpy as np",
    solution="""
        def know_nothing(classes):
            ### BEGIN SOLUTION
            return np.log(classes)
            ### END SOLUTION
    """,
    alternatives=[
        "import math\ndef know_nothing(classes):\n    return -math.log(1 / classes)",
        "def know_nothing(classes):\n    p = np.full(classes, 1 / classes)\n    return float(-(p * np.log(p)).sum())",
    ],
    wrong={
        "the probability, not its loss": "def know_nothing(classes):\n    return 1 / classes",
        "the sign is lost": "def know_nothing(classes):\n    return np.log(1 / classes)",
        "another logarithm": [
            "def know_nothing(classes):\n    return np.log2(classes)",
            "def know_nothing(classes):\n    return np.log10(classes)",
        ],
        "always two classes": "def know_nothing(classes):\n    return -np.log(0.5)",
    },
    refused=["def know_nothing(classes):\n    return 0.0"],
)
def know_nothing(know_nothing):
    f = expect_callable(know_nothing, "know_nothing")
    for classes in (2, 12, 1000):
        got = expect_number(f(classes), "the loss")
        if close(got, np.log(classes)):
            continue
        if close(got, 1 / classes):
            raise Misconception(
                "the probability, not its loss",
                "That is the probability that the true class gets. The loss is minus its logarithm.",
            )
        if close(got, -np.log(classes)):
            raise Misconception(
                "the sign is lost",
                "The logarithm of a probability is negative; a loss is minus that, so that worse is larger.",
            )
        if close(got, np.log2(classes)) or close(got, np.log10(classes)):
            raise Misconception(
                "another logarithm",
                "Right but for its unit: Keras, like everybody in deep learning, uses the natural logarithm, `np.log`.",
            )
        if close(got, np.log(2)):
            raise Misconception(
                "always two classes",
                f"That is right for two classes. Here are {classes}: the true one gets a probability of only 1 / {classes}.",
            )
        raise Incorrect(f"For {classes} classes expected {np.log(classes):.4g}, got {got:.4g}.")


@exercise(
    title="Categorical cross-entropy, never infinite",
    hints=[
        "In logits, the loss is the logarithm of the sum of all exponentials, minus the logit of the true class.",
        "Take the largest logit out before you exponentiate: `top = logits.max(axis=1)`, and `top + np.log(np.exp(logits - top[:, None]).sum(axis=1))` is the first half. "
        "The logit of the true class is `logits[np.arange(len(labels)), labels]`.",
    ],
    praise="This is what SparseCategoricalCrossentropy(from_logits=True) computes: *sparse* because the labels come as numbers, not as rows of zeros with a one.",
    setup="import numpy as np\ndef softmax(z):\n    p = np.exp(z - z.max(axis=1, keepdims=True))\n    return p / p.sum(axis=1, keepdims=True)",
    solution="""
        def sparse_cross_entropy(labels, logits):
            ### BEGIN SOLUTION
            top = logits.max(axis=1)
            return top + np.log(np.exp(logits - top[:, None]).sum(axis=1)) - logits[np.arange(len(labels)), labels]
            ### END SOLUTION
    """,
    alternatives=[
        "from scipy.special import logsumexp\ndef sparse_cross_entropy(labels, logits):\n    return logsumexp(logits, axis=1) - np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]",
        "def sparse_cross_entropy(labels, logits):\n    return [float(np.logaddexp.reduce(row) - row[label]) for label, row in zip(labels, logits)]",
        "import keras\ndef sparse_cross_entropy(labels, logits):\n    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)",
    ],
    wrong={
        "it overflows": [
            "def sparse_cross_entropy(labels, logits):\n    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)\n    return -np.log(p[np.arange(len(labels)), labels])",
            "def sparse_cross_entropy(labels, logits):\n    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]",
            "def sparse_cross_entropy(labels, logits):\n    return -np.log(softmax(logits)[np.arange(len(labels)), labels])",
        ],
        "one number for all": "def sparse_cross_entropy(labels, logits):\n    return np.mean(-np.log(softmax(logits)[np.arange(len(labels)), labels]))",
        "logits taken for probabilities": "def sparse_cross_entropy(labels, logits):\n    return -np.log(logits[np.arange(len(labels)), labels])",
        "the sign is lost": "def sparse_cross_entropy(labels, logits):\n    return logits[np.arange(len(labels)), labels] - np.logaddexp.reduce(logits, axis=1)",
    },
    refused=[
        "def sparse_cross_entropy(labels, logits):\n    return np.logaddexp.reduce(logits, axis=1)",
        "def sparse_cross_entropy(labels, logits):\n    return np.logaddexp.reduce(logits, axis=1) - logits.max(axis=1)",
    ],
)
def sparse_cross_entropy(sparse_cross_entropy):
    f = expect_callable(sparse_cross_entropy, "sparse_cross_entropy")
    rng = np.random.default_rng(0)
    for n, classes in ((6, 4), (9, 2)):
        logits, labels = rng.uniform(0.1, 5, (n, classes)), rng.integers(0, classes, n)
        picked = logits[np.arange(n), labels]
        right = _log_sum(logits) - picked
        got = expect_array(f(labels, logits), what="the losses", finite=False)
        if got.size == 1 and close(got.reshape(()), right.mean()):
            raise Misconception(
                "one number for all",
                "That is the mean. Return one loss for each row, so that they can be weighted or looked at.",
            )
        got = expect_array(got, shape=(n,), what="the losses, one for each row")
        if close(got, -np.log(picked)):
            raise Misconception(
                "logits taken for probabilities",
                "You took the logarithm of a logit, which is no probability: logits may be negative, and do not add up to 1.",
            )
        if close(got, -right):
            raise Misconception(
                "the sign is lost",
                "Those are the logarithms of the probabilities: all negative. A loss is minus that.",
            )
        if not close(got, right, 1e-5):
            at = int(np.argmax(np.abs(got - right)))
            raise Incorrect(
                f"For logits {np.round(logits[at], 3).tolist()} and label {labels[at]} expected {right[at]:.5g}, got {got[at]:.5g}."
            )
    large = np.array([[1000.0, 0.0, -1000.0], [-1000.0, -1001.0, -1002.0]])
    labels = np.array([2, 0])
    with np.errstate(all="ignore"):
        got = expect_array(f(labels, large), shape=(2,), what="the losses", finite=False)
    right = _log_sum(large) - large[[0, 1], labels]
    if not np.isfinite(got).all():
        raise Misconception(
            "it overflows",
            f"Right for small logits. For logits of 1000 and -1000 it gives {', '.join(f'{v:g}' for v in got)}: an exponential overflowed, or a probability was "
            "rounded to 0 before its logarithm was taken. Subtract the largest logit, and never compute the probability.",
        )
    if not close(got, right, 1e-5):
        raise Incorrect(
            f"Right for small logits. For logits of 1000 and -1000, expected losses of {right[0]:g} and {right[1]:.4g}, got {got[0]:g} and {got[1]:.4g}."
        )


@exercise(
    title="The gradient of the mean loss",
    hints=[
        "For one row, it is the row of probabilities minus the row with a 1 at the true class.",
        "`np.eye(classes)[labels]` makes the rows with a 1. The loss is a *mean* over n rows, so each row moves it by one n-th.",
    ],
    praise="Probability minus truth, divided by n. Every classifier in this course learns from nothing else.",
    setup="import numpy as np\ndef softmax(z):\n    p = np.exp(z - z.max(axis=1, keepdims=True))\n    return p / p.sum(axis=1, keepdims=True)",
    solution="""
        def mean_loss_gradient(labels, logits):
            ### BEGIN SOLUTION
            truth = np.eye(logits.shape[1])[labels]
            return (softmax(logits) - truth) / len(labels)
            ### END SOLUTION
    """,
    alternatives=[
        "def mean_loss_gradient(labels, logits):\n    slope = softmax(logits)\n    slope[np.arange(len(labels)), labels] -= 1\n    return slope / len(labels)",
        "import tensorflow as tf, keras\ndef mean_loss_gradient(labels, logits):\n    z = tf.Variable(logits)\n    with tf.GradientTape() as tape:\n"
        "        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, z, from_logits=True))\n    return tape.gradient(loss, z)",
    ],
    wrong={
        "not averaged": "def mean_loss_gradient(labels, logits):\n    return softmax(logits) - np.eye(logits.shape[1])[labels]",
        "downhill instead of uphill": "def mean_loss_gradient(labels, logits):\n    return (np.eye(logits.shape[1])[labels] - softmax(logits)) / len(labels)",
        "the true class only": "def mean_loss_gradient(labels, logits):\n    truth = np.eye(logits.shape[1])[labels]\n    return (softmax(logits) - truth) * truth / len(labels)",
        "the factor is back": "def mean_loss_gradient(labels, logits):\n    p = softmax(logits)\n    return (p - np.eye(logits.shape[1])[labels]) * p * (1 - p) / len(labels)",
    },
    refused=[
        "def mean_loss_gradient(labels, logits):\n    return softmax(logits) / len(labels)",
        "def mean_loss_gradient(labels, logits):\n    return (logits - np.eye(logits.shape[1])[labels]) / len(labels)",
    ],
)
def mean_loss_gradient(mean_loss_gradient):
    f = expect_callable(mean_loss_gradient, "mean_loss_gradient")
    rng = np.random.default_rng(1)
    for n, classes in ((5, 3), (4, 4), (8, 2)):
        logits, labels = 2 * rng.normal(size=(n, classes)), rng.integers(0, classes, n)
        p, truth = _softmax(logits), np.eye(classes)[labels]
        right = (p - truth) / n
        got = expect_array(f(labels, logits), shape=(n, classes), what="the gradient")
        if close(got, right, 1e-5):
            continue
        if close(got, n * right, 1e-5):
            raise Misconception(
                "not averaged",
                "That is the gradient of each row's own loss. The loss is their mean, so each row counts one n-th. (With the sum, a larger batch would take longer steps.)",
            )
        if close(got, -right, 1e-5):
            raise Misconception(
                "downhill instead of uphill",
                "The sign is turned round: that is the way down. The gradient points the way up, and the optimiser goes against it.",
            )
        if close(got, right * truth, 1e-5):
            raise Misconception(
                "the true class only",
                "You kept the column of the true class. The logits of the wrong classes are pushed as well: down, in proportion to their probability.",
            )
        if close(got, right * p * (1 - p), 1e-5):
            raise Misconception(
                "the factor is back",
                "The slope of the softmax is in there once more. In cross-entropy it cancels, which is the whole point of it.",
            )
        at = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(got - right)), right.shape))
        raise Incorrect(
            f"For {n} rows of {classes} classes, expected {right[at]:.5g} at row {at[0]}, class {at[1]}, got {got[at]:.5g}."
        )


@exercise(
    title="Smoothed labels",
    hints=[
        "A share epsilon of the label is spread over *all* classes, the true one included. Each row still adds up to 1.",
        "`(1 - epsilon) * np.eye(classes)[labels] + epsilon / classes`",
    ],
    praise="Two definitions are around: this one, of Szegedy et al. (2016) and Keras, and one that gives the share to the wrong classes only. An epsilon read in a paper may be either.",
    setup="import numpy as np",
    solution="""
        def smooth(labels, classes, epsilon):
            ### BEGIN SOLUTION
            return (1 - epsilon) * np.eye(classes)[labels] + epsilon / classes
            ### END SOLUTION
    """,
    alternatives=[
        "def smooth(labels, classes, epsilon):\n    rows = np.full((len(labels), classes), epsilon / classes)\n    rows[np.arange(len(labels)), labels] += 1 - epsilon\n    return rows",
        "def smooth(labels, classes, epsilon):\n    return [[1 - epsilon + epsilon / classes if k == label else epsilon / classes for k in range(classes)] for label in labels]",
    ],
    wrong={
        "to the wrong classes only": "def smooth(labels, classes, epsilon):\n    rows = np.full((len(labels), classes), epsilon / (classes - 1))\n    rows[np.arange(len(labels)), labels] = 1 - epsilon\n    return rows",
        "the true class gets no share": "def smooth(labels, classes, epsilon):\n    rows = np.full((len(labels), classes), epsilon / classes)\n    rows[np.arange(len(labels)), labels] = 1 - epsilon\n    return rows",
        "made for two classes": "def smooth(labels, classes, epsilon):\n    return (1 - epsilon) * np.eye(classes)[labels] + epsilon / 2",
    },
    refused=[
        "def smooth(labels, classes, epsilon):\n    return np.eye(classes)[labels]",
        "def smooth(labels, classes, epsilon):\n    return np.eye(classes)[labels] + epsilon / classes",
    ],
)
def smooth(smooth):
    f = expect_callable(smooth, "smooth")
    for labels, classes, epsilon in (
        ([2, 0, 1, 2], 3, 0.1),
        ([4, 1], 5, 0.3),
        ([0, 1, 1], 2, 0.2),
    ):
        labels, n = np.array(labels), len(labels)
        hot = np.eye(classes)[labels]
        right = (1 - epsilon) * hot + epsilon / classes
        got = expect_array(f(labels, classes, epsilon), shape=(n, classes), what="the labels")
        if close(got, right):
            continue
        what = f"With {classes} classes and epsilon {epsilon:g}"
        if close(got, (1 - epsilon) * hot + (1 - hot) * epsilon / (classes - 1)):
            raise Misconception(
                "to the wrong classes only",
                f"{what}: you gave the share to the wrong classes only. That is another definition; in Keras's, the true class gets its part of the share, too.",
            )
        if close(got, (1 - epsilon) * hot + (1 - hot) * epsilon / classes):
            raise Misconception(
                "the true class gets no share",
                f"{what}: your rows add up to {got[0].sum():.3f}. The true class keeps 1 - epsilon *and* gets its part of the share.",
            )
        if close(got, (1 - epsilon) * hot + epsilon / 2):
            raise Misconception(
                "made for two classes",
                f"{what}: the share is divided among all classes, not always by two.",
            )
        raise Incorrect(
            f"{what}, the row of label {labels[0]} should be {np.round(right[0], 4).tolist()}, got {np.round(got[0], 4).tolist()}."
        )


@exercise(
    title="Class weights by hand",
    hints=[
        "The weight of a class is inversely proportional to its number of pictures: twice as rare, twice the weight.",
        "`len(labels) / (classes * np.bincount(labels))`: then the weights, averaged over all pictures, are 1, and the learning rate need not change.",
    ],
    praise='It is what scikit-learn calls `class_weight="balanced"`.',
    setup="import numpy as np",
    solution="""
        def class_weights(labels):
            ### BEGIN SOLUTION
            counts = np.bincount(labels)
            return len(labels) / (len(counts) * counts)
            ### END SOLUTION
    """,
    alternatives=[
        "from sklearn.utils.class_weight import compute_class_weight\ndef class_weights(labels):\n    return compute_class_weight('balanced', classes=np.unique(labels), y=labels)",
        "def class_weights(labels):\n    shares = np.array([np.mean(labels == k) for k in np.unique(labels)])\n    w = 1 / shares\n    return list(w / (w * shares).sum())",
    ],
    wrong={
        "the share itself": "def class_weights(labels):\n    return np.bincount(labels) / len(labels)",
        "too small, all of them": [
            "def class_weights(labels):\n    return 1 / np.bincount(labels)",
            "def class_weights(labels):\n    w = 1 / np.bincount(labels)\n    return w / w.sum()",
        ],
        "too large, all of them": [
            "def class_weights(labels):\n    return len(labels) / np.bincount(labels)",
            "def class_weights(labels):\n    return np.bincount(labels).max() / np.bincount(labels)",
        ],
        "made for two classes": "def class_weights(labels):\n    return len(labels) / (2 * np.bincount(labels))",
    },
    refused=["def class_weights(labels):\n    return np.ones(labels.max() + 1)"],
)
def class_weights(class_weights):
    f = expect_callable(class_weights, "class_weights")
    for counts in ([30, 10], [70, 20, 10], [5, 5, 20, 10]):
        labels = np.random.default_rng(2).permutation(np.repeat(np.arange(len(counts)), counts))
        counts, n = np.array(counts), len(labels)
        right = n / (len(counts) * counts)
        got = f(labels)
        if type(got) is dict:  # as Keras takes them
            got = [got[k] for k in sorted(got)]
        got = expect_array(got, shape=(len(counts),), what="the weights, one for each class")
        if close(got, right):
            continue
        if close(got, counts / n):
            raise Misconception(
                "the share itself",
                "Those are the shares of the classes: the common class would count for even more. A weight is to make up for rarity.",
            )
        if close(got, n / (2 * counts)):
            raise Misconception(
                "made for two classes",
                f"Right for two classes. With {len(counts)}, the total is to be divided among {len(counts)}.",
            )
        if close(got / got.sum(), right / right.sum()):
            average = float((got * counts).sum() / n)
            if average < 1:
                raise Misconception(
                    "too small, all of them",
                    f"The ratios are right, but a picture has a weight of {average:.3g} on average: the whole loss shrinks, and so does every step. The average is to be 1.",
                )
            raise Misconception(
                "too large, all of them",
                f"The ratios are right, but a picture has a weight of {average:.3g} on average: the whole loss grows, as if the learning rate had been raised. The average is to be 1.",
            )
        raise Incorrect(
            f"For classes of {counts.tolist()} pictures expected {np.round(right, 4).tolist()}, got {np.round(got, 4).tolist()}."
        )


stalls = Choice(
    "stalls",
    "A cell is defective, and the network gives that a probability of 0.0001. Why does it learn almost nothing from this cell by squared error?",
    {
        "a": "Because the squared error is at most 1, so it cannot be large enough",
        "b": "Because the sigmoid is flat there: the logit can move and the probability hardly does, and the loss sees only the probability",
        "c": "Because the label is 1, and the logarithm of 1 is zero",
        "d": "Because the learning rate is too small",
    },
    right="b",
    wrong={
        "a": (
            "size is not slope",
            "How large a loss is does not matter for learning, only how steeply it changes. Multiply it by 1,000, and it is still flat in comparison to what it was elsewhere.",
        ),
        "c": ("the wrong loss", "There is no logarithm in squared error."),
        "d": (
            "only the rate",
            "A larger rate helps here and costs you elsewhere: at a logit of 0, the same loss pushes more than a thousand times as hard.",
        ),
    },
    hints=[
        "Look at the formula: $2 (p - y) p (1 - p)$. Which of its factors is small here?",
        "$p (1 - p)$ is the slope of the sigmoid. What does a slope near zero say?",
    ],
    praise="In cross-entropy the logarithm is exactly as steep as the sigmoid is flat, and the two cancel.",
    title="Confidently wrong",
)


@exercise(
    title="Focal loss with a class factor",
    hints=[
        "Two factors on the cross-entropy: `(1 - q) ** gamma`, where q is the probability given to the *true* answer, and alpha for label 1, 1 - alpha for label 0.",
        "`q = sigmoid(np.where(y == 1, z, -z))` and `np.where(y == 1, alpha, 1 - alpha) * (1 - q) ** gamma * cross_entropy(y, z)`",
    ],
    praise="Equal to Keras's BinaryFocalCrossentropy with `apply_class_balancing=True`. Its default alpha of 0.25 gives the *positive* class the smaller weight: in the paper's detectors, focusing had already held the many negatives down.",
    setup="""
        import numpy as np
        def sigmoid(z):
            return 1 / (1 + np.exp(-z))
        def cross_entropy(y, z):
            return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    """,
    solution="""
        def focal_loss(y, z, gamma, alpha):
            ### BEGIN SOLUTION
            q = sigmoid(np.where(y == 1, z, -z))
            return np.where(y == 1, alpha, 1 - alpha) * (1 - q) ** gamma * cross_entropy(y, z)
            ### END SOLUTION
    """,
    alternatives=[
        "import keras\ndef focal_loss(y, z, gamma, alpha):\n    return keras.losses.binary_focal_crossentropy(y[:, None], z[:, None], apply_class_balancing=True, alpha=alpha, gamma=gamma, from_logits=True)",
        "def focal_loss(y, z, gamma, alpha):\n    s = 2 * y - 1\n    missing = 1 / (1 + np.exp(s * z))\n    return list((alpha * y + (1 - alpha) * (1 - y)) * missing ** gamma * np.logaddexp(0, -s * z))",
    ],
    wrong={
        "the class, not the truth": "def focal_loss(y, z, gamma, alpha):\n    return np.where(y == 1, alpha, 1 - alpha) * (1 - sigmoid(z)) ** gamma * cross_entropy(y, z)",
        "the easy ones count": "def focal_loss(y, z, gamma, alpha):\n    q = sigmoid(np.where(y == 1, z, -z))\n    return np.where(y == 1, alpha, 1 - alpha) * q ** gamma * cross_entropy(y, z)",
        "alpha on both": "def focal_loss(y, z, gamma, alpha):\n    q = sigmoid(np.where(y == 1, z, -z))\n    return alpha * (1 - q) ** gamma * cross_entropy(y, z)",
        "alpha on the wrong class": "def focal_loss(y, z, gamma, alpha):\n    q = sigmoid(np.where(y == 1, z, -z))\n    return np.where(y == 1, 1 - alpha, alpha) * (1 - q) ** gamma * cross_entropy(y, z)",
        "alpha forgotten": "def focal_loss(y, z, gamma, alpha):\n    q = sigmoid(np.where(y == 1, z, -z))\n    return (1 - q) ** gamma * cross_entropy(y, z)",
    },
    refused=[
        "def focal_loss(y, z, gamma, alpha):\n    return np.where(y == 1, alpha, 1 - alpha) * cross_entropy(y, z)",
        "def focal_loss(y, z, gamma, alpha):\n    q = sigmoid(np.where(y == 1, z, -z))\n    return -np.where(y == 1, alpha, 1 - alpha) * (1 - q) ** gamma * cross_entropy(y, z)",
    ],
)
def focal_loss(focal_loss):
    f = expect_callable(focal_loss, "focal_loss")
    z = np.linspace(-5, 5, 8).repeat(2)
    y = np.tile([0.0, 1.0], 8)
    for gamma, alpha in ((2.0, 0.25), (1.0, 0.7), (0.5, 0.9)):
        q = 1 / (1 + np.exp(-np.where(y == 1, z, -z)))
        p, each = np.where(y == 1, q, 1 - q), -np.log(q)
        factor = np.where(y == 1, alpha, 1 - alpha)
        got = expect_array(f(y, z, gamma, alpha), what="the losses")
        got = expect_array(
            got.ravel() if got.size == len(y) else got,
            shape=(len(y),),
            what="the losses, one for each logit",
        )
        if close(got, factor * (1 - q) ** gamma * each, 1e-5):
            continue
        for wrong, name, message in (
            (
                factor * (1 - p) ** gamma * each,
                "the class, not the truth",
                "You used the probability of class 1 for both labels. The factor is to look at the probability of the *true* answer: for label 0, that is 1 - p.",
            ),
            (
                factor * q**gamma * each,
                "the easy ones count",
                "The factor is turned round: with q, what is right already counts most. With 1 - q it fades out.",
            ),
            (
                alpha * (1 - q) ** gamma * each,
                "alpha on both",
                "Both classes get alpha, so nothing is weighted against anything. Label 0 gets 1 - alpha.",
            ),
            (
                (1 - factor) * (1 - q) ** gamma * each,
                "alpha on the wrong class",
                "Alpha belongs to label 1, and 1 - alpha to label 0.",
            ),
            (
                (1 - q) ** gamma * each,
                "alpha forgotten",
                "The focal part is right. The class factor is missing: alpha for label 1, 1 - alpha for label 0.",
            ),
        ):
            if close(got, wrong, 1e-5):
                raise Misconception(name, message)
        at = int(np.argmax(np.abs(got - factor * (1 - q) ** gamma * each)))
        raise Incorrect(
            f"For label {y[at]:.0f}, logit {z[at]:.3g}, gamma {gamma:g} and alpha {alpha:g} expected {(factor * (1 - q) ** gamma * each)[at]:.5g}, got {got[at]:.5g}."
        )


def _balanced(labels, called):
    return np.mean([np.mean(called[labels == k] == k) for k in (0, 1)])


@exercise(
    title="Choose a threshold",
    hints=[
        "Try many thresholds, and keep the one with the best *balanced* accuracy. The probabilities themselves are the only thresholds at which anything changes.",
        "`max(np.unique(p), key=lambda t: balanced_accuracy_score(labels, p >= t))`",
    ],
    praise="It was chosen on validation pictures, so its score there is flattering. The honest score is the one on pictures that had no say.",
    setup="import numpy as np\nfrom sklearn.metrics import balanced_accuracy_score",
    solution="""
        def choose_threshold(labels, p):
            ### BEGIN SOLUTION
            return max(np.unique(p), key=lambda t: balanced_accuracy_score(labels, p >= t))
            ### END SOLUTION
    """,
    alternatives=[
        "from sklearn.metrics import roc_curve\ndef choose_threshold(labels, p):\n    false, true, thresholds = roc_curve(labels, p)\n    return thresholds[np.argmax(true - false)]",
        "def choose_threshold(labels, p):\n    tried = np.linspace(0, 1, 51)\n    return tried[np.argmax([balanced_accuracy_score(labels, p >= t) for t in tried])]",
    ],
    wrong={
        "plain accuracy": "def choose_threshold(labels, p):\n    return max(np.unique(p), key=lambda t: np.mean((p >= t) == labels))",
        "one half by habit": "def choose_threshold(labels, p):\n    return 0.5",
        "the score, not the threshold": "def choose_threshold(labels, p):\n    return max(balanced_accuracy_score(labels, p >= t) for t in np.unique(p))",
        "as many as there are": "def choose_threshold(labels, p):\n    return np.quantile(p, 1 - np.mean(labels))",
    },
    refused=[
        "def choose_threshold(labels, p):\n    return min(np.unique(p), key=lambda t: balanced_accuracy_score(labels, p >= t))",
        "def choose_threshold(labels, p):\n    return np.mean(labels)",
    ],
)
def choose_threshold(choose_threshold):
    f = expect_callable(choose_threshold, "choose_threshold")
    for seed, share, shift in ((3, 0.15, 1.0), (4, 0.2, 0.6)):
        rng = np.random.default_rng(seed)
        labels = (rng.random(300) < share).astype(int)
        p = 1 / (1 + np.exp(-(2.0 * labels - 1.2 - shift + 1.2 * rng.normal(size=300))))
        p = (
            np.floor(p * 50) + 0.5
        ) / 50  # at odd hundredths, so that a grid of even ones misses nothing
        tried = np.unique(p)
        scores = np.array([_balanced(labels, p >= t) for t in tried])
        plain = tried[np.argmax([np.mean((p >= t) == labels) for t in tried])]
        got = expect_number(f(labels, p), "the threshold")
        reached = _balanced(labels, p >= got)
        if close(reached, scores.max()):
            continue
        if close(got, scores.max()):
            raise Misconception(
                "the score, not the threshold",
                "That is the best score. Return the threshold that reaches it: `max(…, key=…)`, or `argmax`.",
            )
        if close(got, 0.5):
            raise Misconception(
                "one half by habit",
                f"One half reaches a balanced accuracy of {reached:.1%} here; another threshold reaches {scores.max():.1%}.",
            )
        if close(got, np.quantile(p, 1 - labels.mean()), 1e-3):
            raise Misconception(
                "as many as there are",
                f"That threshold calls as many cells defective as there are. It looks fair, but misses many of them: {reached:.1%}, where {scores.max():.1%} can be had.",
            )
        if close(np.mean((p >= got) == labels), np.mean((p >= plain) == labels)):
            raise Misconception(
                "plain accuracy",
                f"That is the best threshold for *plain* accuracy, which hardly cares about the rare class. Its balanced accuracy is {reached:.1%}; {scores.max():.1%} can be had.",
            )
        raise Incorrect(
            f"A threshold of {got:.4g} reaches a balanced accuracy of {reached:.1%}; {scores.max():.1%} can be had."
        )


@exercise(
    title="Undo the class weights",
    hints=[
        "Weights change the *odds* p / (1 - p): training with weights w0 and w1 multiplies them by w1 / w0. Divide that out.",
        "`odds = p / (1 - p) * w0 / w1`, and back to a probability: `odds / (1 + odds)`.",
    ],
    praise="So class weights and a moved threshold are two ways to say one thing; but one of them lets the probabilities keep their word.",
    setup="import numpy as np",
    solution="""
        def unweigh(p, w0, w1):
            ### BEGIN SOLUTION
            odds = p / (1 - p) * w0 / w1
            return odds / (1 + odds)
            ### END SOLUTION
    """,
    alternatives=[
        "def unweigh(p, w0, w1):\n    return p * w0 / (p * w0 + (1 - p) * w1)",
        "def unweigh(p, w0, w1):\n    z = np.log(p) - np.log1p(-p) - np.log(w1 / w0)\n    return list(1 / (1 + np.exp(-z)))",
    ],
    wrong={
        "weighted twice": "def unweigh(p, w0, w1):\n    odds = p / (1 - p) * w1 / w0\n    return odds / (1 + odds)",
        "a probability is not its odds": [
            "def unweigh(p, w0, w1):\n    return p * w0 / w1",
            "def unweigh(p, w0, w1):\n    return p / w1",
        ],
        "odds handed back": "def unweigh(p, w0, w1):\n    return p / (1 - p) * w0 / w1",
    },
    refused=["def unweigh(p, w0, w1):\n    return p"],
)
def unweigh(unweigh):
    f = expect_callable(unweigh, "unweigh")
    p = np.array([0.05, 0.3, 0.5, 0.686, 0.99])
    for w0, w1 in ((0.73, 1.6), (1.0, 19.0), (1.5, 0.75)):
        right = p * w0 / (p * w0 + (1 - p) * w1)
        got = expect_array(f(p, w0, w1), shape=(len(p),), what="the probabilities")
        if close(got, right, 1e-5):
            continue
        if close(got, p * w1 / (p * w1 + (1 - p) * w0), 1e-5):
            raise Misconception(
                "weighted twice",
                "The wrong way round: you multiplied the odds by w1 / w0, which training had done already.",
            )
        if close(got, p * w0 / w1, 1e-5) or close(got, p / w1, 1e-5):
            raise Misconception(
                "a probability is not its odds",
                f"The factor belongs on the odds p / (1 - p), not on p. With it on p, two opposite answers no longer add up to 1, and {p[-1]:g} becomes {got[-1]:.3g}.",
            )
        if close(got, p / (1 - p) * w0 / w1, 1e-5):
            raise Misconception(
                "odds handed back",
                "Those are the odds, and the right ones. Turn them into a probability again: odds / (1 + odds).",
            )
        at = int(np.argmax(np.abs(got - right)))
        raise Incorrect(
            f"For p = {p[at]:g}, w0 = {w0:g} and w1 = {w1:g} expected {right[at]:.4g}, got {got[at]:.4g}."
        )


@exercise(
    title="Catch the mismatch",
    hints=[
        "A compiled model knows both halves: `model.layers[-1].activation` and `model.loss.from_logits`.",
        "`activation` is a function. The last layer gives logits when `activation is keras.activations.linear`; sigmoid *and* softmax give probabilities.",
    ],
    praise="Call it before `fit`, and the bug of part 5 costs a second instead of a day.",
    setup="""
        import keras
        import numpy as np
        def sequential(units, activation, loss):
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation)])
            model.compile("sgd", loss)
            return model
    """,
    solution="""
        def fits(model):
            ### BEGIN SOLUTION
            gives_logits = model.layers[-1].activation is keras.activations.linear
            return model.loss.from_logits == gives_logits
            ### END SOLUTION
    """,
    alternatives=[
        "def fits(model):\n    name = model.layers[-1].get_config()['activation']\n    return (name in ('sigmoid', 'softmax')) != model.loss.get_config()['from_logits']",
        "def fits(model):\n    out = model.predict(100 * np.random.default_rng(0).normal(size=(200, *model.input_shape[1:])), verbose=0)\n"
        "    return bool(((out >= 0) & (out <= 1)).all()) != bool(model.loss.from_logits)",
    ],
    wrong={
        "softmax forgotten": "def fits(model):\n    return model.loss.from_logits == (model.layers[-1].activation is not keras.activations.sigmoid)",
        "the wrong way round": "def fits(model):\n    return model.loss.from_logits != (model.layers[-1].activation is keras.activations.linear)",
        "logits are always right": "def fits(model):\n    return model.loss.from_logits",
        "one direction only": [
            "def fits(model):\n    return not (model.loss.from_logits and model.layers[-1].activation is not keras.activations.linear)",
            "def fits(model):\n    return model.loss.from_logits or model.layers[-1].activation is not keras.activations.linear",
        ],
    },
    refused=[
        "def fits(model):\n    return True",
        "def fits(model):\n    return model.layers[-1].activation is keras.activations.linear",
    ],
)
def fits(fits):
    f = expect_callable(fits, "fits")
    import keras

    def verdict(units, activation, loss):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation)])
        model.compile("sgd", loss)
        return bool(expect_array(f(model), what="the verdict", boolean=True).all())

    binary, sparse = keras.losses.BinaryCrossentropy, keras.losses.SparseCategoricalCrossentropy
    cases = [
        (1, None, binary, True),
        (1, None, binary, False),
        (1, "sigmoid", binary, True),
        (1, "sigmoid", binary, False),
        (3, None, sparse, True),
        (3, None, sparse, False),
        (3, "softmax", sparse, True),
        (3, "softmax", sparse, False),
    ]
    right = [(activation is None) == from_logits for _, activation, _, from_logits in cases]
    got = [
        verdict(units, activation, loss(from_logits=from_logits))
        for units, activation, loss, from_logits in cases
    ]
    if got == right:
        return
    if got == [not each for each in right]:
        raise Misconception(
            "the wrong way round",
            "True is to mean that they fit. Your function says True for a sigmoid with from_logits=True.",
        )
    if got == [from_logits for *_, from_logits in cases]:
        raise Misconception(
            "logits are always right",
            "You looked at the loss alone. A sigmoid with from_logits=False fits just as well as logits with from_logits=True.",
        )
    if got[:4] == right[:4] and got[4:] != right[4:]:
        raise Misconception(
            "softmax forgotten",
            "Right for one output. With several classes the last layer has a softmax, which gives probabilities as well.",
        )
    kinds = {
        (activation is None, from_logits)
        for (_, activation, _, from_logits), g, r in zip(cases, got, right)
        if g and not r
    }
    if len(kinds) == 1 and all(g or not r for g, r in zip(got, right)):
        what = (
            "logits with from_logits=False"
            if (True, False) in kinds
            else "probabilities with from_logits=True"
        )
        raise Misconception(
            "one direction only",
            f"You caught one of the two mismatches. The other, {what}, goes through.",
        )
    at = next(i for i, (g, r) in enumerate(zip(got, right)) if g != r)
    units, activation, loss, from_logits = cases[at]
    raise Incorrect(
        f"For a last layer with {units} outputs and activation {activation or 'none'}, and {loss.__name__}(from_logits={from_logits}), expected {right[at]}, got {got[at]}."
    )


@exercise(
    title="Beat this number",
    hints=[
        "What did part 4 say about one half? A threshold that you take from the training labels costs nothing.",
        "`LogisticRegression(C=0.1, max_iter=1000)` is cross-entropy on the same features. Take its `predict_proba(…)[:, 1]`, and call defective what is above the *share* of defective cells.",
    ],
    praise="No new loss was needed to beat a loss: only a threshold. (`C` holds the weights back, which is the subject of lesson 07.)",
    setup="""
        import numpy as np
        from translearn import backbones, data, transfer
        solar = data.load("solar_cells", size=96)
        backbone = backbones.load("efficientnet_lite0")
        raw = {name: transfer.cache_features(backbone, part.images, layers=["block13"], progress=False)["block13"]
               for name, part in {"train": solar.train, "validation": solar.validation}.items()}
        features = {name: (x - raw["train"].mean(axis=0)) / raw["train"].std(axis=0) for name, x in raw.items()}
        labels = {"train": solar.train.labels, "validation": solar.validation.labels}
        few = np.random.default_rng(0).choice(len(labels["train"]), 1000, replace=False)
        few_features, few_labels = features["train"][few], labels["train"][few]
    """,
    solution="""
        ### BEGIN SOLUTION
        from sklearn.linear_model import LogisticRegression

        mine = LogisticRegression(C=0.1, max_iter=1000).fit(few_features, few_labels)
        guesses = (mine.predict_proba(features["validation"])[:, 1] >= few_labels.mean()).astype(int)
        ### END SOLUTION
    """,
    alternatives=[
        "from sklearn.linear_model import LogisticRegression\nguesses = LogisticRegression(C=0.1, class_weight='balanced', max_iter=1000).fit(few_features, few_labels).predict(features['validation'])",
        "from sklearn.svm import SVC\nguesses = list(SVC(C=1, class_weight='balanced').fit(few_features, few_labels).predict(features['validation']))",
    ],
    wrong={
        "the answers themselves": "guesses = labels['validation']",
        "on the training pictures": "guesses = few_labels",
        "scores, not classes": "guesses = np.zeros((len(labels['validation']), 2))",
    },
    refused=["guesses = labels['validation'] * 0", "guesses = labels['validation'] + 0.5"],
    reference=to_beat("loss.five", "cross-entropy", "validation balanced accuracy"),
)
def beat_it(guesses, reference):
    from translearn import data

    return (
        better_guesses(guesses, data.load("solar_cells", size=96), 1000, reference, too_good=0.92)
        + " "
        + beat_it.praise
    )
