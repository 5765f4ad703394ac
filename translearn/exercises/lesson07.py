"""Exercises of lesson 07, Regularisation."""

import functools

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
)

NUMPY = "import numpy as np"


@exercise(
    title="A penalty and its gradient",
    hints=[
        "L1 adds up `np.abs(weights)`, L2 adds up `weights ** 2`, each times its strength. One number for the whole array.",
        "The gradient has the shape of the weights: `l1 * np.sign(weights) + 2 * l2 * weights`.",
    ],
    praise="With these two lines you can add either penalty to any loss, in any library.",
    setup=NUMPY,
    solution="""
        def l1_l2(weights, l1, l2):
            ### BEGIN SOLUTION
            cost = l1 * np.abs(weights).sum() + l2 * np.square(weights).sum()
            gradient = l1 * np.sign(weights) + 2 * l2 * weights
            return cost, gradient
            ### END SOLUTION
    """,
    alternatives=[
        "def l1_l2(weights, l1, l2):\n    w = np.asarray(weights, dtype='float32')\n    return l1 * np.linalg.norm(w.ravel(), 1) + l2 * (w * w).sum(), "
        "np.where(w > 0, l1, np.where(w < 0, -l1, 0)) + l2 * (w + w)",
        "def l1_l2(weights, l1, l2):\n    cost = sum(l1 * abs(w) + l2 * w ** 2 for w in weights.ravel().tolist())\n"
        "    return [cost, (l1 * np.sign(weights) + 2 * l2 * weights).tolist()]",
    ],
    wrong={
        "the two is lost": "def l1_l2(weights, l1, l2):\n    return l1 * np.abs(weights).sum() + l2 * (weights ** 2).sum(), l1 * np.sign(weights) + l2 * weights",
        "the absolute value is lost": "def l1_l2(weights, l1, l2):\n    return l1 * weights.sum() + l2 * (weights ** 2).sum(), l1 * np.sign(weights) + 2 * l2 * weights",
        "the sign is lost": "def l1_l2(weights, l1, l2):\n    return l1 * np.abs(weights).sum() + l2 * (weights ** 2).sum(), l1 + 2 * l2 * weights",
        "a mean instead of a sum": "def l1_l2(weights, l1, l2):\n    return l1 * np.abs(weights).mean() + l2 * (weights ** 2).mean(), l1 * np.sign(weights) + 2 * l2 * weights",
    },
    refused=[
        "def l1_l2(weights, l1, l2):\n    return 0.0, weights * 0",
        "def l1_l2(weights, l1, l2):\n    return l1 * np.abs(weights).sum()",
    ],
)
def l1_l2(l1_l2):
    f = expect_callable(l1_l2, "l1_l2")
    for seed, (l1, l2) in enumerate([(0.3, 0.0), (0.0, 0.2), (0.5, 0.7)]):
        weights = np.random.default_rng(seed).normal(size=(3, 2))
        got = f(weights, l1, l2)
        if type(got) not in (tuple, list) or len(got) != 2:
            raise Incorrect(
                "Return two things: the penalty, which is one number, and its gradient, which has the shape of the weights."
            )
        cost, gradient = (
            expect_number(got[0], "the penalty"),
            expect_array(got[1], shape=weights.shape, what="the gradient"),
        )
        a, s = np.abs(weights), np.square(weights)
        if not close(cost, l1 * a.sum() + l2 * s.sum(), 1e-5):
            if close(cost, l1 * weights.sum() + l2 * s.sum(), 1e-5):
                raise Misconception(
                    "the absolute value is lost",
                    "Your L1 adds up the weights themselves, so a weight of −2 makes it *smaller*. It would reward large negative weights.",
                )
            if close(cost, l1 * a.mean() + l2 * s.mean(), 1e-5):
                raise Misconception(
                    "a mean instead of a sum",
                    "That is the mean over the weights. Keras (and the usual formula) takes the sum: a larger layer pays more.",
                )
            raise Incorrect(
                f"With l1={l1} and l2={l2}, expected a penalty of {l1 * a.sum() + l2 * s.sum():.5f}, got {cost:.5f}."
            )
        if not close(gradient, l1 * np.sign(weights) + 2 * l2 * weights, 1e-5):
            if close(gradient, l1 * np.sign(weights) + l2 * weights, 1e-5):
                raise Misconception(
                    "the two is lost",
                    "The derivative of w² is 2w. (With a half before the squares, as some books have it, the two would cancel; your penalty has no half.)",
                )
            if close(gradient, l1 + 2 * l2 * weights, 1e-5):
                raise Misconception(
                    "the sign is lost",
                    "L1 must push a negative weight *up* to zero. The slope of |w| is +1 on the right of zero and −1 on the left.",
                )
            raise Incorrect(
                f"With l1={l1} and l2={l2} the gradient is not the slope of the penalty. Nudge one weight by 0.00001 and see how the penalty answers."
            )


@exercise(
    title="How sparse?",
    hints=[
        "Put all numbers in one row first: `np.concatenate([np.ravel(w) for w in weights])`.",
        "`np.mean(np.abs(numbers) < threshold)` is a share, since True counts as 1.",
    ],
    praise="One share over all numbers, not a mean of shares: a small array must not count as much as a large one.",
    setup=NUMPY,
    solution="""
        def sparsity(weights, threshold=1e-3):
            ### BEGIN SOLUTION
            numbers = np.concatenate([np.ravel(w) for w in weights])
            return np.mean(np.abs(numbers) < threshold)
            ### END SOLUTION
    """,
    alternatives=[
        "def sparsity(weights, threshold=1e-3):\n    return sum((abs(w) < threshold).sum() for w in weights) / sum(w.size for w in weights)",
        "def sparsity(weights, threshold=1e-3):\n    small = [-threshold < x < threshold for w in weights for x in w.ravel()]\n    return np.float32(sum(small) / len(small))",
    ],
    wrong={
        "only exact zeros": "def sparsity(weights, threshold=1e-3):\n    numbers = np.concatenate([w.ravel() for w in weights])\n    return np.mean(numbers == 0)",
        "negative weights are not small": "def sparsity(weights, threshold=1e-3):\n    numbers = np.concatenate([w.ravel() for w in weights])\n    return np.mean(numbers < threshold)",
        "a count, not a share": "def sparsity(weights, threshold=1e-3):\n    return sum(int((np.abs(w) < threshold).sum()) for w in weights)",
        "a mean of shares": "def sparsity(weights, threshold=1e-3):\n    return np.mean([np.mean(np.abs(w) < threshold) for w in weights])",
        "the share that is left": "def sparsity(weights, threshold=1e-3):\n    numbers = np.concatenate([w.ravel() for w in weights])\n    return np.mean(np.abs(numbers) > threshold)",
    },
    refused=[
        "def sparsity(weights, threshold=1e-3):\n    return 0.5",
        "def sparsity(weights, threshold=1e-3):\n    return np.mean(np.abs(weights[0]) < threshold)",
    ],
)
def sparsity(sparsity):
    f = expect_callable(sparsity, "sparsity")
    for weights in (
        [np.array([[0.0, 0.0004, -0.0004, 0.5, -0.7, 2.0]]), np.array([0.0, 0.3])],
        [
            np.array([-0.0002, 0.0002, 0.0, -3.0, -0.1]),
            np.array([[0.2, -0.2, 0.1, -0.4]]),
            np.zeros(2),
        ],
    ):
        numbers = np.concatenate([w.ravel() for w in weights])
        right = np.mean(np.abs(numbers) < 1e-3)
        got = expect_number(f([w.copy() for w in weights]), "the sparsity")
        for wrong, name, message in (
            (
                np.sum(np.abs(numbers) < 1e-3),
                "a count, not a share",
                "That is how many are small. Divide by how many there are.",
            ),
            (
                np.mean(numbers == 0),
                "only exact zeros",
                "You counted exact zeros. Gradient descent never stops exactly at zero; count what is smaller than the threshold.",
            ),
            (
                np.mean(numbers < 1e-3),
                "negative weights are not small",
                "−2 is smaller than 0.001, but it is not a small weight. Compare the absolute value.",
            ),
            (
                np.mean(np.abs(numbers) > 1e-3),
                "the share that is left",
                "That is the share of weights that are *not* small.",
            ),
            (
                np.mean([np.mean(np.abs(w) < 1e-3) for w in weights]),
                "a mean of shares",
                "You averaged the shares of the arrays, so that a bias of ten numbers counts as much as a kernel of thousands. Count over all numbers together.",
            ),
        ):
            if close(got, wrong, 1e-5) and not close(wrong, right, 1e-5):
                raise Misconception(name, message)
        if not close(got, right, 1e-5):
            raise Incorrect(
                f"For {numbers.size} numbers of which {np.sum(np.abs(numbers) < 1e-3)} are smaller than 0.001, expected {right:.4f}, got {got:.4f}."
            )
    looser = expect_number(f([np.array([0.05, -0.05, 1.0, 2.0])], 0.1), "the sparsity")
    if not close(looser, 0.5, 1e-5):
        raise Incorrect(
            f"With a threshold of 0.1, two of [0.05, −0.05, 1, 2] are small: expected 0.5, got {looser:.4g}. Is the threshold used?"
        )


@exercise(
    title="The same thing under another name",
    hints=[
        "Write down one step with the penalty: w ← w − rate · (2 · l2 · w). And one with weight decay: w ← w − rate · decay · w.",
        "They are the same step when 2 · l2 = decay. The rate stands in both and drops out.",
    ],
    praise="For plain gradient descent the two are one method with two names. For Adam, which divides every gradient by its usual size, they are not.",
    setup=NUMPY,
    solution="""
        def same_decay(l2, rate):
            ### BEGIN SOLUTION
            return 2 * l2
            ### END SOLUTION
    """,
    alternatives=[
        "same_decay = lambda l2, rate: np.float32(l2 + l2)",
        "def same_decay(l2, rate):\n    w = 1.0\n    after = w - rate * 2 * l2 * w\n    return (w - after) / (rate * w)",
    ],
    wrong={
        "the two is lost": "def same_decay(l2, rate):\n    return l2",
        "the rate is counted twice": "def same_decay(l2, rate):\n    return 2 * l2 * rate",
        "the rate is divided out": "def same_decay(l2, rate):\n    return 2 * l2 / rate",
        "the factor, not the decay": "def same_decay(l2, rate):\n    return 1 - 2 * rate * l2",
    },
    refused=["def same_decay(l2, rate):\n    return 0.013"],
)
def same_decay(same_decay):
    f = expect_callable(same_decay, "same_decay")
    for l2, rate in ((0.01, 0.1), (0.3, 0.02), (0.05, 0.5)):
        got = expect_number(f(l2, rate), "the weight decay")
        if close(got, 2 * l2):
            continue
        for wrong, name, message in (
            (
                l2,
                "the two is lost",
                "Keras's L2 adds l2 · w² to the loss, and the slope of w² is 2w.",
            ),
            (
                2 * l2 * rate,
                "the rate is counted twice",
                "The step of weight decay is rate · decay · w: the rate is in it already. That is Keras's convention; some libraries leave the rate out.",
            ),
            (
                2 * l2 / rate,
                "the rate is divided out",
                "You divided by the rate, as if weight decay did not multiply by it. In Keras its step is rate · decay · w.",
            ),
            (
                1 - 2 * rate * l2,
                "the factor, not the decay",
                "That is the factor by which a step multiplies every weight. The decay is what is subtracted, before the rate.",
            ),
        ):
            if close(got, wrong):
                raise Misconception(name, message)
        raise Incorrect(
            f"With l2={l2} and a rate of {rate}: a weight of 1 becomes {1 - rate * 2 * l2:g} with the penalty, and {1 - rate * got:g} with your decay of {got:g}."
        )


covered = Choice(
    "covered",
    "You build `Dense(64, kernel_regularizer=L2(0.01))` with a batch normalisation after it, freeze the layer, compile, and fit. What does the penalty do?",
    {
        "a": "It pulls the layer's kernel and bias towards zero",
        "b": "It pulls every weight of the model towards zero, batch normalisation included",
        "c": "Nothing: a frozen layer's penalty is not in the loss, and its kernel does not move",
        "d": "It keeps shrinking the kernel: the penalty is no training, so freezing does not stop it",
    },
    right="c",
    wrong={
        "a": (
            "the bias as well",
            "`kernel_regularizer` is for the kernel; there is a `bias_regularizer` for those who want it. And the layer is frozen.",
        ),
        "b": (
            "everything is covered",
            "A penalty belongs to one weight of one layer. What covers everything is the weight decay of an optimiser, unless you exclude names.",
        ),
        "d": (
            "a penalty moves frozen weights",
            "A penalty acts through its gradient, and a frozen kernel gets no gradient. Keras does not even add the penalty to the loss.",
        ),
    },
    hints=[
        "Look at `model.losses` with the flag on and off, as in part 3.",
        "What moved a weight in lesson 05, once its layer was frozen?",
    ],
    praise="So the loss that `fit` prints falls when you freeze a penalised layer, and the network has not become any better.",
)


@exercise(
    title="Towards the start",
    hints=[
        "Go through both lists together: `zip(weights, start)`. What is squared is the difference.",
        "`strength * sum(np.sum((w - s) ** 2) for w, s in zip(weights, start))`",
    ],
    praise="Put zeros in the place of `start` and it is L2. The two differ in nothing but where they believe that good weights are.",
    setup=NUMPY,
    solution="""
        def l2_sp(weights, start, strength):
            ### BEGIN SOLUTION
            return strength * sum(np.sum((w - s) ** 2) for w, s in zip(weights, start))
            ### END SOLUTION
    """,
    alternatives=[
        "def l2_sp(weights, start, strength):\n    apart = np.concatenate([np.ravel(w) - np.ravel(s) for w, s in zip(weights, start)])\n    return strength * apart @ apart",
        "def l2_sp(weights, start, strength):\n    return np.float32(strength * sum(np.linalg.norm(w - s) ** 2 for w, s in zip(weights, start)))",
    ],
    wrong={
        "towards zero": "def l2_sp(weights, start, strength):\n    return strength * sum(np.sum(w ** 2) for w in weights)",
        "a difference of norms": "def l2_sp(weights, start, strength):\n    return strength * sum(np.sum(w ** 2) - np.sum(s ** 2) for w, s in zip(weights, start))",
        "the distance, not its square": "def l2_sp(weights, start, strength):\n    return strength * np.sqrt(sum(np.sum((w - s) ** 2) for w, s in zip(weights, start)))",
        "one array only": "def l2_sp(weights, start, strength):\n    return strength * np.sum((weights[0] - start[0]) ** 2)",
    },
    refused=[
        "def l2_sp(weights, start, strength):\n    return 0.0",
        "def l2_sp(weights, start, strength):\n    return sum(np.sum((w - s) ** 2) for w, s in zip(weights, start))",
    ],
)
def l2_sp(l2_sp):
    f = expect_callable(l2_sp, "l2_sp")
    for seed, strength in ((0, 0.1), (1, 2.0)):
        luck = np.random.default_rng(seed)
        weights, start = ([luck.normal(size=shape) for shape in ((2, 3), (4,))] for _ in range(2))
        got = expect_number(
            f([w.copy() for w in weights], [s.copy() for s in start], strength), "the penalty"
        )
        squares = [np.sum((w - s) ** 2) for w, s in zip(weights, start)]
        if close(got, strength * sum(squares), 1e-5):
            continue
        for wrong, name, message in (
            (
                sum(np.sum(w**2) for w in weights),
                "towards zero",
                "That is plain L2: it pulls towards zero, and `start` plays no part.",
            ),
            (
                sum(np.sum(w**2) - np.sum(s**2) for w, s in zip(weights, start)),
                "a difference of norms",
                "Square the difference, do not take the difference of the squares: two quite "
                "different networks can have the same norm, and yours can even be negative.",
            ),
            (
                np.sqrt(sum(squares)),
                "the distance, not its square",
                "That is the distance itself. Its slope does not fade near the start, as that of the square does.",
            ),
            (
                squares[0],
                "one array only",
                "Only the first array is in it. Every array must be held.",
            ),
        ):
            if close(got, strength * wrong, 1e-5):
                raise Misconception(name, message)
        raise Incorrect(
            f"With strength {strength:g}, expected {strength * sum(squares):.5g}, got {got:.5g}."
        )


@exercise(
    title="Dropout by hand",
    hints=[
        "`luck` has a number between 0 and 1 for each output. `luck >= rate` is True for a share of 1 − rate of them.",
        "What is left must be scaled up by 1 / (1 − rate), so that the next layer sees the same sum on average.",
    ],
    praise="Because what is left is scaled up in training, nothing at all has to be done when the network is used.",
    setup=NUMPY,
    solution="""
        def dropout(outputs, rate, luck):
            ### BEGIN SOLUTION
            return np.where(luck >= rate, outputs / (1 - rate), 0)
            ### END SOLUTION
    """,
    alternatives=[
        "def dropout(outputs, rate, luck):\n    keep = luck < 1 - rate\n    return outputs * keep / (1 - rate)",
        "def dropout(outputs, rate, luck):\n    result = outputs.astype('float32')\n    result[luck < rate] = 0\n    return result * np.float32(1 / (1 - rate))",
    ],
    wrong={
        "not scaled up": "def dropout(outputs, rate, luck):\n    return outputs * (luck >= rate)",
        "the rate is what stays": "def dropout(outputs, rate, luck):\n    return outputs * (luck < rate) / rate",
        "scaled down": "def dropout(outputs, rate, luck):\n    return outputs * (luck >= rate) * (1 - rate)",
        "whole columns": "def dropout(outputs, rate, luck):\n    return outputs * (luck[0] >= rate) / (1 - rate)",
    },
    refused=[
        "def dropout(outputs, rate, luck):\n    return outputs",
        "def dropout(outputs, rate, luck):\n    return outputs * 0",
    ],
)
def dropout(dropout):
    f = expect_callable(dropout, "dropout")
    for seed, rate in ((0, 0.2), (1, 0.7)):
        rng = np.random.default_rng(seed)
        outputs, luck = rng.uniform(0.5, 2, (40, 50)), rng.random((40, 50))
        got = expect_array(
            f(outputs, rate, luck), shape=outputs.shape, what="the outputs after dropout"
        )
        gone, kept = got == 0, got != 0
        if not kept.any() or not gone.any():
            raise Incorrect(
                f"With a rate of {rate}, {'every' if not kept.any() else 'no'} output is zero. A share of {rate} should be, by chance."
            )
        factor = got[kept] / outputs[kept]
        if any(
            np.array_equal(gone, np.broadcast_to(row, gone.shape))
            for row in (gone[:1], gone[:, :1])
        ):
            raise Misconception(
                "whole columns",
                "The same units are gone for every picture of the batch. Each picture needs its own throw: use the whole of `luck`.",
            )
        if abs(gone.mean() - (1 - rate)) < 0.05 and abs(gone.mean() - rate) > 0.1:
            raise Misconception(
                "the rate is what stays",
                f"A rate of {rate} means that a share of {rate} is dropped. With yours, that share stays.",
            )
        if close(factor, np.ones_like(factor), 1e-5):
            raise Misconception(
                "not scaled up",
                f"The outputs that stay must grow by 1 / (1 − {rate}). Otherwise the next layer sees smaller sums in training than in use.",
            )
        if close(factor, np.full_like(factor, 1 - rate), 1e-5):
            raise Misconception(
                "scaled down",
                "You scaled down by 1 − rate. That would have to happen when the network is used, if nothing had been done in training; here what stays must grow.",
            )
        if not close(factor, np.full_like(factor, 1 / (1 - rate)), 1e-4):
            raise Incorrect(
                f"With a rate of {rate}, what stays should be {1 / (1 - rate):.4f} times as large; yours is about {factor.mean():.4f} times."
            )
        if not (np.array_equal(gone, luck < rate) or np.array_equal(gone, luck > 1 - rate)):
            raise Incorrect(
                f"A share of {gone.mean():.2f} was dropped; `luck` says which: those below the rate (or the same share from the top)."
            )
    first, second = (f(outputs, 0.5, np.full((40, 50), v)) for v in (0.1, 0.9))
    if np.array_equal(expect_array(first), expect_array(second)):
        raise Incorrect("The same outputs are dropped whatever `luck` says.")


@exercise(
    title="Mixup by hand",
    hints=[
        "`x[partner]` is the other picture of each. `share` is how much of the picture itself is left.",
        "Blend the labels with the same shares and the same partners. `share` must be turned into a column to multiply rows: `share[:, None]`.",
    ],
    praise="A blend of two thirds cat and one third bus is labelled so. The network is never asked to be sure of anything in between.",
    setup=NUMPY,
    solution="""
        def mixup(x, targets, partner, share):
            ### BEGIN SOLUTION
            share = share[:, None]
            return share * x + (1 - share) * x[partner], share * targets + (1 - share) * targets[partner]
            ### END SOLUTION
    """,
    alternatives=[
        "def mixup(x, targets, partner, share):\n    blend = lambda a: a[partner] + share.reshape(-1, 1) * (a - a[partner])\n    return blend(x), blend(targets)",
        "def mixup(x, targets, partner, share):\n    rows = [(s * x[i] + (1 - s) * x[p], s * targets[i] + (1 - s) * targets[p]) for i, (p, s) in enumerate(zip(partner, share))]\n"
        "    return [a for a, _ in rows], np.array([b for _, b in rows], dtype='float32')",
    ],
    wrong={
        "labels left alone": "def mixup(x, targets, partner, share):\n    s = share[:, None]\n    return s * x + (1 - s) * x[partner], targets",
        "shares swapped": "def mixup(x, targets, partner, share):\n    s = share[:, None]\n    return (1 - s) * x + s * x[partner], (1 - s) * targets + s * targets[partner]",
        "one share for all": "def mixup(x, targets, partner, share):\n    s = share[0]\n    return s * x + (1 - s) * x[partner], s * targets + (1 - s) * targets[partner]",
        "half and half": "def mixup(x, targets, partner, share):\n    return (x + x[partner]) / 2, (targets + targets[partner]) / 2",
    },
    refused=[
        "def mixup(x, targets, partner, share):\n    return x, targets",
        "def mixup(x, targets, partner, share):\n    return x[partner]",
    ],
)
def mixup(mixup):
    f = expect_callable(mixup, "mixup")
    for seed, (n, width, classes) in enumerate([(5, 4, 3), (7, 2, 4)]):
        luck = np.random.default_rng(seed)
        x, targets = luck.normal(size=(n, width)), np.eye(classes)[luck.integers(0, classes, n)]
        targets[0], targets[1] = np.eye(classes)[0], np.eye(classes)[1]
        partner, share = np.roll(np.arange(n), 1), luck.uniform(0.55, 0.95, n)
        got = f(x, targets, partner, share)
        if type(got) not in (tuple, list) or len(got) != 2:
            raise Incorrect("Return two things: the blended features and the blended targets.")
        mixed, labels = (
            expect_array(got[0], shape=x.shape, what="the blended features"),
            expect_array(got[1], shape=targets.shape, what="the blended targets"),
        )

        def blend(s):
            s = np.reshape(s, (-1, 1))
            return s * x + (1 - s) * x[partner], s * targets + (1 - s) * targets[partner]

        right = blend(share)
        if close(mixed, right[0], 1e-5) and close(labels, right[1], 1e-5):
            continue
        if close(mixed, right[0], 1e-5) and close(labels, targets, 1e-5):
            raise Misconception(
                "labels left alone",
                "The features are blended and the labels are not: a picture that is half a bus is still called a cat, with certainty. That plants wrong labels.",
            )
        if close(mixed, blend(1 - share)[0], 1e-5):
            raise Misconception(
                "shares swapped",
                "`share` is what is left of the picture itself; its partner gets the rest.",
            )
        if close(mixed, blend(share[0])[0], 1e-5):
            raise Misconception(
                "one share for all",
                "Every row has its own share: turn the shares into a column, `share[:, None]`.",
            )
        if close(mixed, blend(0.5)[0], 1e-5):
            raise Misconception(
                "half and half",
                "You took the middle. The blend of row i is share[i] of itself and 1 − share[i] of its partner.",
            )
        raise Incorrect(
            "The features are right, the targets are not."
            if close(mixed, right[0], 1e-5)
            else "The features are not blended with these shares and partners."
        )


@exercise(
    title="Catch a cached augmentation",
    hints=[
        "Go through the data set twice: `[picture for picture, label in pictures]` is one epoch. A shuffled epoch has another order; that does not make its pictures new.",
        "An order drops out when you sort. `sorted(np.asarray(picture).tobytes() for picture, label in pictures)` is the same list for the same pictures in any order.",
    ],
    praise="Shuffling is what hides this bug in real code: every batch looks new, and no picture is.",
    setup=NUMPY,
    solution="""
        def makes_new_pictures(pictures):
            ### BEGIN SOLUTION
            first, second = (sorted(np.asarray(picture).tobytes() for picture, label in pictures) for _ in range(2))
            return first != second
            ### END SOLUTION
    """,
    alternatives=[
        "def makes_new_pictures(pictures):\n    epoch = lambda: {np.asarray(p).tobytes() for p, _ in pictures}\n    return not epoch() == epoch()",
        "def makes_new_pictures(pictures):\n    first = np.stack([np.asarray(p).ravel() for p, _ in pictures])\n    second = np.stack([np.asarray(p).ravel() for p, _ in pictures])\n"
        "    return np.bool_(not all((first == row).all(axis=1).any() for row in second))",
    ],
    wrong={
        "another order is not new": "def makes_new_pictures(pictures):\n    first, second = ([np.asarray(p) for p, _ in pictures] for _ in range(2))\n    return not all(np.array_equal(a, b) for a, b in zip(first, second))",
        "different from each other": "def makes_new_pictures(pictures):\n    epoch = [np.asarray(p).tobytes() for p, _ in pictures]\n    return len(set(epoch)) > 1",
        "the wrong way round": "def makes_new_pictures(pictures):\n    first, second = (sorted(np.asarray(p).tobytes() for p, _ in pictures) for _ in range(2))\n    return first == second",
        "a mean hides it": "def makes_new_pictures(pictures):\n    first, second = (np.mean([np.asarray(p) for p, _ in pictures]) for _ in range(2))\n    return not np.isclose(first, second)",
    },
    refused=[
        "def makes_new_pictures(pictures):\n    return True",
        "def makes_new_pictures(pictures):\n    return False",
    ],
)
def makes_new_pictures(makes_new_pictures):
    f = expect_callable(makes_new_pictures, "makes_new_pictures")

    class Epochs:
        """Goes through pictures as a data set does, as often as one likes."""

        def __init__(self, pictures, change=False, shuffle=False):
            self.pictures, self.change, self.shuffle, self.luck = (
                pictures,
                change,
                shuffle,
                np.random.default_rng(0),
            )

        def __iter__(self):
            order = (
                self.luck.permutation(len(self.pictures))
                if self.shuffle
                else range(len(self.pictures))
            )
            for i in order:
                # Rolled by one row at least: every pixel stays, so means and sums do too.
                yield (
                    (
                        np.roll(self.pictures[i], self.luck.integers(1, 4), axis=0)
                        if self.change
                        else self.pictures[i].copy()
                    ),
                    i,
                )

    pictures = np.random.default_rng(1).random((6, 5, 5, 1)).astype("float32")

    def verdict(**how):
        return bool(
            expect_array(f(Epochs(pictures, **how)), shape=(), what="the verdict", boolean=True)
        )

    cached, cached_shuffled, fresh, fresh_shuffled = (
        verdict(),
        verdict(shuffle=True),
        verdict(change=True),
        verdict(change=True, shuffle=True),
    )
    if (cached, cached_shuffled, fresh, fresh_shuffled) == (False, False, True, True):
        return
    if cached and cached_shuffled and not fresh and not fresh_shuffled:
        raise Misconception(
            "the wrong way round",
            "It says True for the cached pipeline and False for the other. The question is whether new pictures are made.",
        )
    if not cached and cached_shuffled and fresh:
        raise Misconception(
            "another order is not new",
            "You took a shuffled pipeline for one that makes new pictures. It shows the very same pictures in another order.",
        )
    if cached and fresh:
        if len({tuple(np.ravel(p)) for p in pictures}) > 1 and not bool(
            expect_array(
                f(Epochs(pictures[:1].repeat(3, axis=0))),
                shape=(),
                what="the verdict",
                boolean=True,
            )
        ):
            raise Misconception(
                "different from each other",
                "You asked whether the pictures of one epoch differ from each other. Compare one epoch with the next.",
            )
        raise Incorrect("It says True even when both epochs have exactly the same pictures.")
    if not fresh and not fresh_shuffled and not cached:
        if bool(expect_array(f(_Brighter(pictures)), shape=(), what="the verdict", boolean=True)):
            raise Misconception(
                "a mean hides it",
                "Every picture was shifted, and its mean stayed the same. Compare pixel by pixel.",
            )
        raise Incorrect("It says False even when every picture of the second epoch is new.")
    raise Incorrect(
        f"Same pictures: {cached}; the same in another order: {cached_shuffled}; changed: {fresh}; changed and shuffled: {fresh_shuffled}. Right would be False, False, True, True."
    )


class _Brighter:
    """Every epoch is brighter than the last, so that means see it too."""

    def __init__(self, pictures):
        self.pictures, self.epoch = pictures, 0

    def __iter__(self):
        self.epoch += 1
        return iter([(picture + self.epoch, i) for i, picture in enumerate(self.pictures)])


smaller_rate = Choice(
    "smaller_rate",
    "Your loss gap is too wide. You make the learning rate ten times smaller, keep the number of epochs, and the gap shrinks. What has happened?",
    {
        "a": "A smaller rate finds flatter minima, which generalise better",
        "b": "The network has been trained for a shorter way on the same road: it is less sure of its training pictures, right or wrong",
        "c": "The network has learned more carefully, so new pictures are now recognised better",
        "d": "The penalty on the weights grew relative to the loss",
    },
    right="b",
    wrong={
        "a": (
            "a story about minima",
            "With a tenth of the rate and the same number of steps, the run ends before any minimum, flat or sharp. Look at `moved`: it has gone about half the way.",
        ),
        "c": (
            "a smaller gap is a better network",
            "The loss on new pictures did fall, because wrong answers are now given with less certainty. Look at the score: no more of them are right.",
        ),
        "d": (
            "there is a penalty",
            "There was none, and a rate scales the gradient of a penalty just as it scales that of the loss.",
        ),
    },
    hints=[
        "Compare `none` with `none, rate / 10` in the table: which columns changed, and which did not improve?",
        "How far did the weights move in each?",
    ],
    praise="It is early stopping in disguise, which is the next lesson. An untrained network has no gap at all.",
)


@functools.cache
def _to_beat():
    from translearn import measure

    runs = measure.recorded("regularisation.tries")
    return max(
        float(np.mean(runs.values(arm, "validation")))
        for arm in runs.arms
        if arm.startswith("none @")
    )


@exercise(
    title="Beat this number",
    hints=[
        "The simplest regulariser of all is a smaller model. And two that work in different ways can be combined.",
        "`LogisticRegression(C=0.01, max_iter=1000)` on standardised features is a penalised linear classifier. Features of several blocks side by side give it more to choose from.",
    ],
    praise="A penalty on a model that is too large, or a model that is not too large: with ten pictures of each class, compare both.",
    setup="""
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from translearn import backbones, data, transfer
        emoji = data.load("emoji_styles")
        backbone = backbones.load("efficientnet_lite0", seed=0)
        few = emoji.train.take(10, seed=0)
        few_features, new_features = (transfer.cache_features(backbone, part.images, layers=["block13"], progress=False)["block13"]
                                      for part in (few, emoji.validation))
    """,
    solution="""
        ### BEGIN SOLUTION
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        mine = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        guesses = mine.fit(few_features, few.labels).predict(new_features)
        ### END SOLUTION
    """,
    alternatives=[
        "x = (few_features - few_features.mean(axis=0)) / few_features.std(axis=0)\nnew = (new_features - few_features.mean(axis=0)) / few_features.std(axis=0)\n"
        "guesses = list(LogisticRegression(C=0.003, max_iter=500).fit(x, few.labels).predict(new))",
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.svm import SVC\n"
        "guesses = make_pipeline(StandardScaler(), SVC(C=3.0, gamma=0.0005)).fit(few_features, few.labels).predict(new_features).astype('float32')",
    ],
    wrong={
        "the answers themselves": "guesses = emoji.validation.labels",
        "on the training pictures": "guesses = few.labels",
        "scores, not classes": "guesses = np.zeros((len(emoji.validation), 12))",
    },
    refused=["guesses = emoji.validation.labels * 0", "guesses = emoji.validation.labels + 0.5"],
    reference=lambda: _to_beat(),
)
def beat_it(guesses, reference):
    from translearn import data

    return (
        better_guesses(guesses, data.load("emoji_styles"), 120, reference, too_good=0.75)
        + " "
        + beat_it.praise
    )
