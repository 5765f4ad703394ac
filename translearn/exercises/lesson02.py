"""Exercises of lesson 02, Optimisers."""

import numpy as np

from translearn.exercises import (
    Choice,
    Incorrect,
    Misconception,
    NotAttempted,
    close,
    exercise,
    expect_array,
    expect_better,
    expect_callable,
    expect_number,
    learners_code,
    to_beat,
)

NUMPY = "import numpy as np"


def _two(value, shapes, what):
    """The two arrays that a step returns, or `Incorrect`."""
    if type(value) not in (tuple, list) or len(value) != 2:
        raise Incorrect(f"Return two things, {what}, separated by a comma.")
    return [
        expect_array(part, shape=shape, what=each)
        for part, shape, each in zip(value, shapes, what.split(" and "))
    ]


@exercise(
    title="One step down",
    hints=[
        "The gradient points *up*, to where the loss grows. How long the step is, the rate says.",
        "`weights - rate * gradient`: a new array. `-=` would change the array that you were given.",
    ],
    praise="One line. Every other optimiser changes something in it: the gradient, the rate, or what is remembered.",
    setup=NUMPY,
    solution="""
        def one_step(weights, gradient, rate):
            ### BEGIN SOLUTION
            return weights - rate * gradient
            ### END SOLUTION
    """,
    alternatives=[
        "one_step = lambda weights, gradient, rate: np.add(weights, np.multiply(-rate, gradient))",
        "def one_step(weights, gradient, rate):\n    return [w - rate * g for w, g in zip(weights, gradient)]",
    ],
    wrong={
        "uphill": "def one_step(weights, gradient, rate):\n    return weights + rate * gradient",
        "only the move": "def one_step(weights, gradient, rate):\n    return -rate * gradient",
        "the length is thrown away": [
            "def one_step(weights, gradient, rate):\n    return weights - rate * np.sign(gradient)",
            "def one_step(weights, gradient, rate):\n    return weights - rate * gradient / np.linalg.norm(gradient)",
        ],
        "changed in place": "def one_step(weights, gradient, rate):\n    weights -= rate * gradient\n    return weights",
    },
    refused=[
        "def one_step(weights, gradient, rate):\n    return weights - gradient",
        "def one_step(weights, gradient, rate):\n    return weights * (1 - rate * gradient)",
    ],
)
def one_step(one_step):
    f = expect_callable(one_step, "one_step")
    rng = np.random.default_rng(0)
    for n, rate in ((4, 0.1), (7, 0.5), (1, 0.01)):
        weights, gradient = rng.normal(0, 2, n), rng.normal(0, 3, n)
        right = weights - rate * gradient
        got = expect_array(f(weights, gradient, rate), shape=(n,), what="the new weights")
        if close(got, right):
            continue
        if close(got, weights + rate * gradient):
            raise Misconception(
                "uphill", "The gradient points to where the loss *grows*. Step against it."
            )
        if close(got, -rate * gradient):
            raise Misconception(
                "only the move", "That is how far the weights move. Add it to where they were."
            )
        if close(got, weights - rate * np.sign(gradient)) or close(
            got, weights - rate * gradient / np.linalg.norm(gradient)
        ):
            raise Misconception(
                "the length is thrown away",
                "You kept the gradient's direction and lost its length. In gradient descent, a steep slope makes a long step.",
            )
        raise Incorrect(
            f"For weights {weights.round(3).tolist()}, gradient {gradient.round(3).tolist()} and rate {rate} expected {right.round(4).tolist()}, got {got.round(4).tolist()}."
        )
    mine = weights.copy()
    with learners_code("one_step on an array of its own"):
        f.function(mine, gradient, rate)  # without the copies that f makes
    if not np.array_equal(mine, weights):
        raise Misconception(
            "changed in place",
            "The step is right, but the array that came in was changed too. Whoever kept it, to compare or to start again, now has another one.",
        )


@exercise(
    title="How far does momentum carry?",
    hints=[
        "Once the speed no longer changes, the velocity of this step equals that of the last one: v = keep · v + rate · gradient. Solve for v.",
        "v · (1 - keep) = rate · gradient. With `keep` 0.9, how many times `rate * gradient` is that?",
    ],
    praise="With 0.9, momentum takes steps ten times as long on a long slope. Compare the best rates of SGD and of momentum in the race: it is why.",
    setup=NUMPY,
    solution="""
        def final_step(gradient, rate, keep):
            ### BEGIN SOLUTION
            return rate * abs(gradient) / (1 - keep)
            ### END SOLUTION
    """,
    alternatives=[
        "def final_step(gradient, rate, keep):\n    v = 0\n    for _ in range(5000):\n        v = keep * v - rate * gradient\n    return -v if v < 0 else v",
        "def final_step(gradient, rate, keep):\n    return np.abs(rate * gradient * np.sum(keep ** np.arange(5000.0)))",
    ],
    wrong={
        "the first step": "def final_step(gradient, rate, keep):\n    return rate * abs(gradient)",
        "one step of memory": "def final_step(gradient, rate, keep):\n    return rate * abs(gradient) * (1 + keep)",
        "shorter, not longer": [
            "def final_step(gradient, rate, keep):\n    return rate * abs(gradient) * (1 - keep)",
            "def final_step(gradient, rate, keep):\n    return rate * abs(gradient) * keep",
        ],
        "a length has no sign": "def final_step(gradient, rate, keep):\n    return -rate * gradient / (1 - keep)",
    },
    refused=[
        "def final_step(gradient, rate, keep):\n    return 10 * rate * abs(gradient)",
        "def final_step(gradient, rate, keep):\n    return rate * abs(gradient) / keep if keep else rate * abs(gradient)",
    ],
)
def final_step(final_step):
    f = expect_callable(final_step, "final_step")
    for gradient, rate, keep in (
        (2.0, 0.1, 0.9),
        (2.0, 0.1, 0.5),
        (-3.0, 0.01, 0.8),
        (5.0, 0.02, 0.99),
        (4.0, 0.1, 0.0),
    ):
        size = rate * abs(gradient)
        got = expect_number(f(gradient, rate, keep), "the length of the step")
        if close(got, size / (1 - keep), 1e-5):
            continue
        if close(abs(got), size / (1 - keep), 1e-5):
            raise Misconception(
                "a length has no sign",
                "Right, but for its sign: asked for is the *length* of the step, which is positive whichever way the slope goes.",
            )
        if keep and close(got, size):
            raise Misconception(
                "the first step",
                "That is the first step, when nothing is remembered yet. Each later one is longer, up to a limit.",
            )
        if keep and close(got, size * (1 + keep)):
            raise Misconception(
                "one step of memory",
                "That is the second step. The velocity holds *all* the steps before: 1 + keep + keep² + …",
            )
        if keep and (close(got, size * (1 - keep)) or close(got, size * keep)):
            raise Misconception(
                "shorter, not longer",
                "The step would be shorter than without momentum. But steps in one direction add up.",
            )
        raise Incorrect(
            f"For gradient {gradient:g}, rate {rate:g} and keep {keep:g} expected {size / (1 - keep):.4g}, got {got:.4g}."
        )


@exercise(
    title="Look ahead",
    hints=[
        "Where would the velocity alone carry you? `weights + keep * velocity`. That is where the gradient is taken, and nothing else happens there.",
        "`velocity = keep * velocity - rate * gradient_at(weights + keep * velocity)`, and then `weights + velocity`, from where you stand.",
    ],
    praise="Keras's form, in part 3, follows the point that looks ahead instead, so that it can use the gradient at the weights. Both walk the same path.",
    setup=NUMPY,
    solution="""
        def look_ahead(weights, velocity, gradient_at, rate, keep):
            ### BEGIN SOLUTION
            velocity = keep * velocity - rate * gradient_at(weights + keep * velocity)
            return weights + velocity, velocity
            ### END SOLUTION
    """,
    alternatives=[
        "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    ahead = weights + keep * velocity\n    after = ahead - rate * gradient_at(ahead)\n    return after, after - weights",
        "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    g = np.asarray(gradient_at(weights + velocity * keep))\n    v = np.add(velocity * keep, -g * rate)\n    return [(weights + v).tolist(), v.tolist()]",
    ],
    wrong={
        "looked where it stands": "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    velocity = keep * velocity - rate * gradient_at(weights)\n    return weights + velocity, velocity",
        "looked too far": "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    velocity = keep * velocity - rate * gradient_at(weights + velocity)\n    return weights + velocity, velocity",
        "the velocity twice": "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    ahead = weights + keep * velocity\n    velocity = keep * velocity - rate * gradient_at(ahead)\n    return ahead + velocity, velocity",
        "the old velocity comes back": "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    return weights + keep * velocity - rate * gradient_at(weights + keep * velocity), velocity",
    },
    refused=[
        "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    v = keep * velocity + rate * gradient_at(weights + keep * velocity)\n    return weights + v, v",
        "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    v = keep * velocity - rate * gradient_at(weights + keep * velocity)\n    return v, weights + v",
        "def look_ahead(weights, velocity, gradient_at, rate, keep):\n    return weights + keep * velocity",
    ],
)
def look_ahead(look_ahead):
    f = expect_callable(look_ahead, "look_ahead")
    steep = np.array([1.0, 25.0, 4.0])
    for n, rate, keep in ((2, 0.02, 0.9), (3, 0.05, 0.5)):
        weights, velocity = np.array([-9.0, 1.5, 2.0])[:n], np.array([0.8, -0.4, 0.3])[:n]

        def slope(point, steep=steep[:n]):
            return steep * np.asarray(point)

        def step(at, start=weights):
            v = keep * velocity - rate * slope(at)
            return start + v, v

        ahead = weights + keep * velocity
        got = _two(
            f(weights, velocity, slope, rate, keep),
            [(n,), (n,)],
            "the new weights and the new velocity",
        )

        def is_(expected):
            return close(got[0], expected[0]) and close(got[1], expected[1])

        if is_(step(ahead)):
            continue
        if is_(step(weights)):
            raise Misconception(
                "looked where it stands",
                "That is plain momentum: the gradient was taken where the weights are, not where the velocity would carry them.",
            )
        if is_(step(weights + velocity)):
            raise Misconception(
                "looked too far",
                "You looked at `weights + velocity`. The velocity is shortened by `keep` before it carries anything, so look there.",
            )
        if is_(step(ahead, ahead)):
            raise Misconception(
                "the velocity twice",
                "The look ahead is only a look. The step starts from the weights; you started it from the place where you looked.",
            )
        if close(got[0], step(ahead)[0]) and close(got[1], velocity):
            raise Misconception(
                "the old velocity comes back",
                "The weights are right. The velocity that you return is the old one, so the next step would have forgotten this one.",
            )
        raise Incorrect(
            f"For weights {weights.tolist()}, velocity {velocity.tolist()}, rate {rate} and keep {keep} expected {np.round(step(ahead), 4).tolist()}, got {np.round(got, 4).tolist()}."
        )


@exercise(
    title="RMSProp without looking",
    hints=[
        "First the running mean of the *square*: `keep` of the old one, and the rest (1 - `keep`) of the new.",
        "Then divide the gradient by the root of that mean, plus a tiny number so that nobody divides by zero.",
    ],
    praise="Whatever the size of a gradient, it is divided by its own recent size. All weights take steps of about one rate.",
    setup=NUMPY,
    solution="""
        def rmsprop_step(weights, gradient, square, rate, keep):
            ### BEGIN SOLUTION
            square = keep * square + (1 - keep) * gradient**2
            return weights - rate * gradient / np.sqrt(square + 1e-7), square
            ### END SOLUTION
    """,
    alternatives=[
        "def rmsprop_step(weights, gradient, square, rate, keep):\n    s = square + (1 - keep) * (np.square(gradient) - square)\n    return weights - rate * gradient / (np.sqrt(s) + 1e-8), s",
        "def rmsprop_step(weights, gradient, square, rate, keep):\n    s = [keep * a + (1 - keep) * g * g for a, g in zip(square, gradient)]\n"
        "    return [[w - rate * g / (a + 1e-7) ** 0.5 for w, g, a in zip(weights, gradient, s)], s]",
    ],
    wrong={
        "no root": "def rmsprop_step(weights, gradient, square, rate, keep):\n    square = keep * square + (1 - keep) * gradient**2\n    return weights - rate * gradient / (square + 1e-7), square",
        "keep and new swapped": "def rmsprop_step(weights, gradient, square, rate, keep):\n    square = (1 - keep) * square + keep * gradient**2\n    return weights - rate * gradient / np.sqrt(square + 1e-7), square",
        "divided by the old mean": "def rmsprop_step(weights, gradient, square, rate, keep):\n    new = keep * square + (1 - keep) * gradient**2\n    return weights - rate * gradient / np.sqrt(square + 1e-7), new",
        "a mean of gradients": "def rmsprop_step(weights, gradient, square, rate, keep):\n    square = keep * square + (1 - keep) * gradient\n    return weights - rate * gradient / np.sqrt(np.abs(square) + 1e-7), square",
        "one size for all weights": "def rmsprop_step(weights, gradient, square, rate, keep):\n    square = keep * square + (1 - keep) * gradient**2\n    return weights - rate * gradient / np.sqrt(square.mean() + 1e-7), square",
        "a sum, not a mean": "def rmsprop_step(weights, gradient, square, rate, keep):\n    square = square + gradient**2\n    return weights - rate * gradient / np.sqrt(square + 1e-7), square",
    },
    refused=[
        "def rmsprop_step(weights, gradient, square, rate, keep):\n    square = keep * square + (1 - keep) * gradient**2\n    return weights + rate * gradient / np.sqrt(square + 1e-7), square",
        "def rmsprop_step(weights, gradient, square, rate, keep):\n    return weights - rate * gradient / np.sqrt(keep * square + (1 - keep) * gradient**2)",
    ],
)
def rmsprop_step(rmsprop_step):
    f = expect_callable(rmsprop_step, "rmsprop_step")
    rng = np.random.default_rng(1)
    for n, rate, keep in ((3, 0.1, 0.9), (5, 0.01, 0.75)):
        weights, gradient, square = (
            rng.normal(0, 1, n),
            rng.normal(0, 2, n),
            rng.uniform(0.5, 2, n),
        )
        new, swapped = (
            keep * square + (1 - keep) * gradient**2,
            (1 - keep) * square + keep * gradient**2,
        )
        got_weights, got = _two(
            f(weights, gradient, square, rate, keep),
            [(n,), (n,)],
            "the new weights and the new square",
        )

        def moved(divisor):
            return close(got_weights, weights - rate * gradient / divisor, 1e-5)

        if close(got, new, 1e-5) and moved(np.sqrt(new)):
            continue
        if close(got, swapped, 1e-5):
            raise Misconception(
                "keep and new swapped",
                "`keep` is how much of the *old* mean stays. With 0.9, one new gradient counts for a tenth.",
            )
        if close(got, square + gradient**2, 1e-5):
            raise Misconception(
                "a sum, not a mean",
                "A sum only grows, so the steps only shrink (that rule exists; it is called AdaGrad). RMSProp forgets: it keeps a running *mean*.",
            )
        if close(got, keep * square + (1 - keep) * gradient, 1e-5):
            raise Misconception(
                "a mean of gradients",
                "That is a running mean of the gradient, which is momentum. RMSProp averages its *square*: how large it is, whichever its sign.",
            )
        if close(got, new, 1e-5):
            if moved(new):
                raise Misconception(
                    "no root",
                    "You divided by the mean of squares. Without the root, a gradient twice as large makes a step *half* as long.",
                )
            if moved(np.sqrt(square)):
                raise Misconception(
                    "divided by the old mean",
                    "The new `square` is right, but the step was divided by the one from before. A sudden large gradient would make a huge step.",
                )
            if moved(np.sqrt(new.mean())):
                raise Misconception(
                    "one size for all weights",
                    "You averaged over the weights. The point of RMSProp is that each weight has a size of its own.",
                )
        right = weights - rate * gradient / np.sqrt(new + 1e-7)
        raise Incorrect(
            f"For weights {weights.round(3).tolist()}, gradient {gradient.round(3).tolist()}, square {square.round(3).tolist()}, rate {rate} and keep {keep} expected weights "
            f"{right.round(4).tolist()} and square {new.round(4).tolist()}, got {got_weights.round(4).tolist()} and {got.round(4).tolist()}."
        )


@exercise(
    title="Adam, from its gradients",
    hints=[
        "Go through the rows and keep two running means, of the gradient and of its square. Both start at zero.",
        "After t rows, a running mean has been filled to a share of `1 - beta**t`. Divide each mean by its share, once, at the end; do not put the corrected mean back into the running one.",
    ],
    praise="If all rows are alike, the step is the rate, exactly. That is what the correction is for.",
    setup=NUMPY,
    solution="""
        def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):
            ### BEGIN SOLUTION
            mean = square = 0
            for gradient in gradients:
                mean = beta_1 * mean + (1 - beta_1) * gradient
                square = beta_2 * square + (1 - beta_2) * gradient**2
            t = len(gradients)
            return -rate * (mean / (1 - beta_1**t)) / (np.sqrt(square / (1 - beta_2**t)) + 1e-7)
            ### END SOLUTION
    """,
    alternatives=[
        "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    t = len(gradients)\n    ago = np.arange(t)[::-1, None]\n"
        "    m = (beta_1**ago * gradients).sum(axis=0) / (beta_1**ago).sum()\n    v = (beta_2**ago * gradients**2).sum(axis=0) / (beta_2**ago).sum()\n    return -rate * m / np.sqrt(v)",
        "from translearn import optim\ndef adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    opt, w = optim.Adam(rate, beta_1, beta_2), np.zeros(gradients.shape[1])\n"
        "    for g in gradients:\n        before, w = w, opt.step(w, g)\n    return list(w - before)",
    ],
    wrong={
        "no correction": "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    m = v = 0\n    for g in gradients:\n        m = beta_1 * m + (1 - beta_1) * g\n        v = beta_2 * v + (1 - beta_2) * g**2\n    return -rate * m / (np.sqrt(v) + 1e-7)",
        "only one mean corrected": [
            "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    m = v = 0\n    for g in gradients:\n        m = beta_1 * m + (1 - beta_1) * g\n        v = beta_2 * v + (1 - beta_2) * g**2\n    return -rate * m / (1 - beta_1**len(gradients)) / (np.sqrt(v) + 1e-7)",
            "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    m = v = 0\n    for g in gradients:\n        m = beta_1 * m + (1 - beta_1) * g\n        v = beta_2 * v + (1 - beta_2) * g**2\n    return -rate * m / (np.sqrt(v / (1 - beta_2**len(gradients))) + 1e-7)",
        ],
        "corrected for one step": "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    m = v = 0\n    for g in gradients:\n        m = beta_1 * m + (1 - beta_1) * g\n        v = beta_2 * v + (1 - beta_2) * g**2\n    return -rate * m / (1 - beta_1) / (np.sqrt(v / (1 - beta_2)) + 1e-7)",
        "the corrected mean is kept": "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    m = v = 0\n    for t, g in enumerate(gradients, 1):\n        m = (beta_1 * m + (1 - beta_1) * g) / (1 - beta_1**t)\n        v = (beta_2 * v + (1 - beta_2) * g**2) / (1 - beta_2**t)\n    return -rate * m / (np.sqrt(v) + 1e-7)",
        "uphill": "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    m = v = 0\n    for g in gradients:\n        m = beta_1 * m + (1 - beta_1) * g\n        v = beta_2 * v + (1 - beta_2) * g**2\n    t = len(gradients)\n    return rate * m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + 1e-7)",
        "all steps together": "from translearn import optim\ndef adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    opt, w = optim.Adam(rate, beta_1, beta_2), np.zeros(gradients.shape[1])\n    for g in gradients:\n        w = opt.step(w, g)\n    return w",
    },
    refused=[
        "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    return -rate * np.sign(gradients[-1])",
        "def adam_move(gradients, rate, beta_1=0.9, beta_2=0.999):\n    return -rate * gradients.mean(axis=0) / np.sqrt((gradients**2).mean(axis=0))",
    ],
)
def adam_move(adam_move):
    f = expect_callable(adam_move, "adam_move")
    rng = np.random.default_rng(2)
    for t, n, rate, betas in ((6, 3, 1.0, ()), (1, 2, 0.5, ()), (15, 4, 1.0, (0.8, 0.99))):
        gradients = rng.normal(1, 1, (t, n)) * 10.0 ** np.arange(n)
        b1, b2 = betas or (0.9, 0.999)
        means, squares, kept_mean, kept_square, total = (
            np.zeros(n),
            np.zeros(n),
            np.zeros(n),
            np.zeros(n),
            np.zeros(n),
        )
        for i, g in enumerate(gradients, 1):
            means, squares = b1 * means + (1 - b1) * g, b2 * squares + (1 - b2) * g**2
            kept_mean = (b1 * kept_mean + (1 - b1) * g) / (1 - b1**i)
            kept_square = (b2 * kept_square + (1 - b2) * g**2) / (1 - b2**i)
            total = total - rate * means / (1 - b1**i) / np.sqrt(squares / (1 - b2**i))
        got = expect_array(
            f(gradients, rate, *betas), shape=(n,), what="the step, a number for each weight"
        )

        def is_(first, second, m=means, s=squares):
            return close(got, -rate * m / first / np.sqrt(s / second), 1e-4)

        if is_(1 - b1**t, 1 - b2**t):
            continue
        if close(-got, -rate * means / (1 - b1**t) / np.sqrt(squares / (1 - b2**t)), 1e-4):
            raise Misconception(
                "uphill",
                "Right, but for the sign: what is added to the weights goes *against* the gradient.",
            )
        if is_(1, 1):
            raise Misconception(
                "no correction",
                "Both means started at zero and are still too small. The mean square is further behind than the mean, so the step comes out too long.",
            )
        if is_(1 - b1**t, 1) or is_(1, 1 - b2**t):
            raise Misconception(
                "only one mean corrected",
                "One of the two means is corrected and the other is not. Each is divided by its own share, `1 - beta**t`.",
            )
        if is_(1 - b1, 1 - b2):
            raise Misconception(
                "corrected for one step",
                f"You divided by `1 - beta`. That is the share after one step; after {t} it is `1 - beta**{t}`.",
            )
        if is_(1, 1, kept_mean, kept_square):
            raise Misconception(
                "the corrected mean is kept",
                "You put the corrected mean back into the running one, and so it is corrected again at the next step. Correct a copy, at the moment of stepping.",
            )
        if close(got, total, 1e-4):
            raise Misconception(
                "all steps together",
                "That is how far all the steps together carry. Asked for is the last one.",
            )
        right = -rate * means / (1 - b1**t) / np.sqrt(squares / (1 - b2**t))
        raise Incorrect(
            f"For {t} gradients of {n} weights, rate {rate} and betas {b1} and {b2} expected {right.round(4).tolist()}, got {got.round(4).tolist()}."
        )


@exercise(
    title="Decay that stays outside",
    hints=[
        "The share that each weight loses is `rate * decay`, and it is a share of the weight *before* the step.",
        "`weights + move - rate * decay * weights`. The move stays as Adam made it.",
    ],
    praise="The decay never met Adam's division, so it is the same share for every weight.",
    setup=NUMPY,
    solution="""
        def decayed(weights, move, rate, decay):
            ### BEGIN SOLUTION
            return weights + move - rate * decay * weights
            ### END SOLUTION
    """,
    alternatives=[
        "decayed = lambda weights, move, rate, decay: (1 - rate * decay) * weights + move",
        "def decayed(weights, move, rate, decay):\n    return [w * (1 - rate * decay) + m for w, m in zip(weights, move)]",
    ],
    wrong={
        "not times the rate": "def decayed(weights, move, rate, decay):\n    return weights + move - decay * weights",
        "the move decays too": "def decayed(weights, move, rate, decay):\n    return (weights + move) * (1 - rate * decay)",
        "it grows": "def decayed(weights, move, rate, decay):\n    return weights + move + rate * decay * weights",
        "the move times the rate": "def decayed(weights, move, rate, decay):\n    return weights + rate * move - rate * decay * weights",
        "L1, not decay": "def decayed(weights, move, rate, decay):\n    return weights + move - rate * decay * np.sign(weights)",
    },
    refused=[
        "def decayed(weights, move, rate, decay):\n    return weights - move - rate * decay * weights",
        "def decayed(weights, move, rate, decay):\n    return weights + move",
    ],
)
def decayed(decayed):
    f = expect_callable(decayed, "decayed")
    rng = np.random.default_rng(3)
    for n, rate, decay in ((3, 0.1, 0.5), (5, 0.02, 3.0)):
        weights, move = rng.normal(0, 3, n), rng.normal(0, 1, n)
        got = expect_array(f(weights, move, rate, decay), shape=(n,), what="the new weights")
        right = weights + move - rate * decay * weights
        if close(got, right):
            continue
        if close(got, weights + move - decay * weights):
            raise Misconception(
                "not times the rate",
                "In Keras (and in most libraries) the decay is multiplied by the learning rate. Without it, the weights are gone within a few steps.",
            )
        if close(got, (weights + move) * (1 - rate * decay)):
            raise Misconception(
                "the move decays too",
                "You shrank the weights after the move, and the move with them. The decay is a share of the weights *before* the step.",
            )
        if close(got, weights + move + rate * decay * weights):
            raise Misconception(
                "it grows", "The weights grow with every step. Decay is taken away."
            )
        if close(got, weights + rate * move - rate * decay * weights):
            raise Misconception(
                "the move times the rate", "`move` is what Adam adds: the rate is in it already."
            )
        if close(got, weights + move - rate * decay * np.sign(weights)):
            raise Misconception(
                "L1, not decay",
                "That takes the same amount from every weight, which is what an L1 penalty does. Decay takes the same *share*.",
            )
        raise Incorrect(
            f"For weights {weights.round(3).tolist()}, move {move.round(3).tolist()}, rate {rate} and decay {decay} expected {right.round(4).tolist()}, got {got.round(4).tolist()}."
        )


@exercise(
    title="Choose each rate fairly",
    hints=[
        "A rate is as good as its *mean* over the seeds. What does `mean` make of a row with a `nan` in it, and what does `np.argmin` make of a `nan`?",
        "`losses.mean(axis=1)` is `nan` for a rate with a diverged run, and `np.nanargmin` skips it. Return the rate, not its position.",
    ],
    praise="NumPy's `argmin` takes a `nan` for the smallest number of all: many a sweep has crowned a run that blew up.",
    setup=NUMPY,
    solution="""
        def best_rate(rates, losses):
            ### BEGIN SOLUTION
            means = losses.mean(axis=1)
            return rates[np.nanargmin(means)]
            ### END SOLUTION
    """,
    alternatives=[
        "def best_rate(rates, losses):\n    means = np.where(np.isnan(losses).any(axis=1), np.inf, np.nansum(losses, axis=1))\n    return rates[means.argmin()]",
        "def best_rate(rates, losses):\n    return min((float(np.mean(row)), rate) for rate, row in zip(rates, losses) if not np.isnan(row).any())[1]",
    ],
    wrong={
        "nan wins": "def best_rate(rates, losses):\n    return rates[losses.mean(axis=1).argmin()]",
        "the failed runs are forgotten": "def best_rate(rates, losses):\n    return rates[np.nanmean(losses, axis=1).argmin()]",
        "one lucky run": "def best_rate(rates, losses):\n    bad = np.isnan(losses).any(axis=1)\n    return rates[np.where(bad, np.inf, np.nanmin(losses, axis=1)).argmin()]",
        "a loss is to be small": "def best_rate(rates, losses):\n    return rates[np.nanargmax(losses.mean(axis=1))]",
        "the position, not the rate": "def best_rate(rates, losses):\n    return np.nanargmin(losses.mean(axis=1))",
        "averaged over the wrong axis": "def best_rate(rates, losses):\n    return rates[np.nanargmin(losses.mean(axis=0))]",
    },
    refused=[
        "def best_rate(rates, losses):\n    return rates.mean()",
        "def best_rate(rates, losses):\n    return np.nanmin(losses.mean(axis=1))",
    ],
)
def best_rate(best_rate):
    import warnings

    f = expect_callable(best_rate, "best_rate")
    nan = np.nan
    # Means 1.5, 1.3, 1.35, nan, 1.9: the luckiest run is of the third rate, without its nan the fourth would win, and the best seed is the first.
    one = np.array(
        [
            [1.5, 1.5, 1.5, 1.5, 1.5],
            [1.3, 1.31, 1.29, 1.3, 1.3],
            [1.1, 1.5, 1.4, 1.35, 1.4],
            [1.2, 1.2, nan, 1.2, 1.2],
            [1.8, 1.9, 1.9, 2.0, 1.9],
        ]
    )
    two = np.array(
        [[1.9, 2.0, nan, 1.9], [1.2, 1.25, 1.2, 1.22], [1.4, 1.4, 1.4, 1.4], [1.6, 1.6, 1.6, 1.6]]
    )
    for rates, losses, right in (
        (np.array([1e-3, 1e-2, 0.1, 0.3, 0.9]), one, 1e-2),
        (np.array([3e-4, 3e-3, 3e-2, 0.3]), two, 3e-3),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got = expect_number(f(rates, losses), "the rate")
            means, forgiving = losses.mean(axis=1), np.nanmean(losses, axis=1)
            lucky = np.where(np.isnan(means), np.inf, np.nanmin(losses, axis=1))
            across = losses.mean(axis=0)
        if close(got, right, 1e-9):
            continue
        if close(got, rates[np.nanargmax(means)], 1e-9):
            raise Misconception(
                "a loss is to be small", "That is the rate with the *largest* loss."
            )
        if close(got, rates[means.argmin()], 1e-9) or close(got, rates[forgiving.argmin()], 1e-9):
            raise Misconception(*_nan_or_forgotten(f))
        if close(got, rates[lucky.argmin()], 1e-9):
            raise Misconception(
                "one lucky run",
                "You took the rate with the best single run. Another seed, and it may be gone: average over the seeds first.",
            )
        if got in (0, 1, 2, 3) and not np.isin(got, rates):
            raise Misconception(
                "the position, not the rate",
                f"{got:g} is a position in the list. Return the rate that stands there.",
            )
        if (
            losses.shape[1] >= 4
            and np.nanargmin(across) < len(rates)
            and close(got, rates[np.nanargmin(across)], 1e-9)
        ):
            raise Misconception(
                "averaged over the wrong axis",
                "You averaged over the rates and compared the seeds. A row is a rate, a column a seed: the mean over the seeds is `axis=1`.",
            )
        raise Incorrect(
            f"For rates {rates.tolist()} with mean losses {means.round(3).tolist()} expected {right:g}, got {got:g}."
        )


NAN_WINS = (
    "nan wins",
    "You chose the rate that diverged: `argmin` takes `nan` for the smallest number. Use `np.nanargmin`, or set those rates aside first.",
)


def _nan_or_forgotten(f):
    """Which of two mistakes: a table in which the diverged rate is bad even without its nan."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = expect_number(
            f(np.array([0.1, 0.2]), np.array([[1.0, 1.0], [5.0, np.nan]])), "the rate"
        )
    return (
        NAN_WINS
        if close(got, 0.2)
        else (
            "the failed runs are forgotten",
            "You averaged over the runs that survived. A rate that diverges for one seed in five is not a good rate with four good runs; it is a gamble.",
        )
    )


@exercise(
    title="Find the bug",
    hints=[
        "Two things must be fresh for every rate. One is the weights. In what does `rule` keep its velocity?",
        "Inside the loop over rates: `weights, memory = start, {}`. Then the loop over steps, and at its end `ends[rate] = weights`.",
    ],
    praise="One memory for each run. Put `memory = {}` one line higher, above the loop over the rates, and the sweep lies.",
    setup="""
        import numpy as np

        def momentum(weights, gradient, memory, rate, keep=0.9):
            memory["velocity"] = keep * memory.get("velocity", 0) - rate * gradient
            return weights + memory["velocity"]
    """,
    solution="""
        def sweep_rates(rule, gradient_at, start, rates, steps):
            ends = {}
            for rate in rates:
                ### BEGIN SOLUTION
                weights, memory = start, {}
                for _ in range(steps):
                    weights = rule(weights, gradient_at(weights), memory, rate)
                ends[rate] = weights
                ### END SOLUTION
            return ends
    """,
    alternatives=[
        "def sweep_rates(rule, gradient_at, start, rates, steps):\n    def one(rate):\n        w, m = np.array(start), dict()\n        for _ in range(steps):\n            w = rule(w, gradient_at(w), m, rate)\n        return w\n    return {rate: one(rate) for rate in rates}",
        "def sweep_rates(rule, gradient_at, start, rates, steps):\n    ends = {}\n    memory = {}\n    for rate in rates:\n        memory.clear()\n        weights = start.copy()\n        for step in range(steps):\n            weights = rule(weights, gradient_at(weights), memory, rate=rate)\n        ends[rate] = list(weights)\n    return ends",
    ],
    wrong={
        "one memory for all": "def sweep_rates(rule, gradient_at, start, rates, steps):\n    ends, memory = {}, {}\n    for rate in rates:\n        weights = start\n        for _ in range(steps):\n            weights = rule(weights, gradient_at(weights), memory, rate)\n        ends[rate] = weights\n    return ends",
        "one start for all": "def sweep_rates(rule, gradient_at, start, rates, steps):\n    ends, weights = {}, start\n    for rate in rates:\n        memory = {}\n        for _ in range(steps):\n            weights = rule(weights, gradient_at(weights), memory, rate)\n        ends[rate] = weights\n    return ends",
        "no memory at all": "def sweep_rates(rule, gradient_at, start, rates, steps):\n    ends = {}\n    for rate in rates:\n        weights = start\n        for _ in range(steps):\n            weights = rule(weights, gradient_at(weights), {}, rate)\n        ends[rate] = weights\n    return ends",
        "the gradient of the start": "def sweep_rates(rule, gradient_at, start, rates, steps):\n    ends = {}\n    for rate in rates:\n        weights, memory = start, {}\n        for _ in range(steps):\n            weights = rule(weights, gradient_at(start), memory, rate)\n        ends[rate] = weights\n    return ends",
    },
    refused=[
        "def sweep_rates(rule, gradient_at, start, rates, steps):\n    return {rate: start for rate in rates}",
        "def sweep_rates(rule, gradient_at, start, rates, steps):\n    ends = {}\n    for rate in rates:\n        weights, memory = start, {}\n        for _ in range(steps + 1):\n            weights = rule(weights, gradient_at(weights), memory, rate)\n        ends[rate] = weights\n    return ends",
        "def sweep_rates(rule, gradient_at, start, rates, steps):\n    return 0.5",
    ],
)
def sweep_rates(sweep_rates):
    f = expect_callable(sweep_rates, "sweep_rates")
    start, rates, steps = np.array([2.0, -1.0]), [0.3, 0.1, 0.05], 4

    def rule(weights, gradient, memory, rate, keep=0.9):
        memory["velocity"] = keep * memory.get("velocity", 0) - rate * np.asarray(gradient)
        return np.asarray(weights) + memory["velocity"]

    def slope(point):
        return np.array([1.0, 3.0]) * np.asarray(point)

    def ends(memory_for_all=False, start_for_all=False, memoryless=False, stuck=False):
        found, memory, weights = {}, {}, start
        for rate in rates:
            weights = weights if start_for_all else start
            memory = memory if memory_for_all else {}
            for _ in range(steps):
                weights = rule(
                    weights, slope(start if stuck else weights), {} if memoryless else memory, rate
                )
            found[rate] = weights
        return np.array([found[rate] for rate in rates])

    answer = f(rule, slope, start, rates, steps)
    if type(answer) is dict and not answer:
        raise NotAttempted("`ends` is still empty.")
    if type(answer) is not dict or any(rate not in answer for rate in rates):
        raise Incorrect(
            "Return the dict `ends`, with the weights after the last step for every rate."
        )
    got = np.array(
        [
            expect_array(answer[rate], shape=(2,), what=f"the weights for rate {rate}")
            for rate in rates
        ]
    )
    if close(got, ends()):
        return
    if close(got, ends(memory_for_all=True)):
        raise Misconception(
            "one memory for all",
            "The first rate is right, and every later one starts with the velocity of the rate before. Make a new memory for each rate.",
        )
    if close(got, ends(start_for_all=True)):
        raise Misconception(
            "one start for all",
            "The first rate is right, and every later one goes on from where the last one ended. Put the weights back to `start`.",
        )
    if close(got, ends(memoryless=True)):
        raise Misconception(
            "no memory at all",
            "The rule gets an empty memory at every *step*, so nothing is ever remembered and momentum is plain gradient descent. One memory for each run.",
        )
    if close(got, ends(stuck=True)):
        raise Misconception(
            "the gradient of the start",
            "The gradient is always that of `start`. Take it where the weights are now.",
        )
    raise Incorrect(
        f"For rate {rates[0]} and {steps} steps from {start.tolist()} expected {ends()[0].round(4).tolist()}, got {got[0].round(4).tolist()}."
    )


switch = Choice(
    "switch",
    "A colleague trains with Adam at a tuned rate of 0.003. He replaces it by SGD at 0.003, reaches a much higher loss in the same number of steps, and reports: “Adam is better on our data.” What has he shown?",
    {
        "a": "That Adam is better on his data",
        "b": "That SGD needs more steps, so he should give it ten times as many",
        "c": "That a rate which suits Adam does not suit SGD; nothing about which is better",
        "d": "That adaptive step sizes find better minima",
    },
    right="c",
    wrong={
        "a": (
            "one rate for both",
            "Only one of the two was tuned. In the race, the best rates of SGD and of Adam lie far apart.",
        ),
        "b": (
            "more steps instead of a rate",
            "More steps would make the budgets unequal too. What is missing is a sweep over SGD's own rates.",
        ),
        "d": (
            "a story for a number",
            "He measured losses after a fixed number of steps at one rate. Nothing in that speaks of minima.",
        ),
    },
    hints=[
        "Look at the two columns of chosen rates in part 4: does one rate mean the same to two optimisers?",
        "Ask what was held equal, and what each of the two was given a chance to choose.",
    ],
    praise="Same number of tries for each: without it, a comparison of optimisers measures who was tuned.",
)


@exercise(
    title="Beat this number",
    hints=[
        "By step 320 the tuned runs are past their lowest loss: the weights have grown too sure of themselves. What shrinks weights? What smooths out the last steps?",
        "`optim.AdamW(0.003, weight_decay=1.0)`; or plain Adam at a third of the rate; or the mean of the weights over the second half of the run.",
    ],
    praise="The rate that is fastest to a target is not the one that ends lowest. How to have both is the subject of lesson 03, and what to do about sure weights that of lesson 07.",
    setup="""
        import numpy as np
        from translearn import backbones, data, optim, transfer
        emoji = data.load("emoji_styles")
        backbone = backbones.load("efficientnet_lite0")
        parts = ("train", "validation", "test")
        labels = {part: getattr(emoji, part).labels for part in parts}
        seen = {part: transfer.cache_features(backbone, getattr(emoji, part).images, layers=["block13", "head"], progress=False) for part in parts}
        mean, spread = seen["train"]["block13"].mean(axis=0), seen["train"]["block13"].std(axis=0)
        features = {part: (seen[part]["block13"] - mean) / spread for part in parts}

        def logits(weights, x):
            z = x @ weights[:-1] + weights[-1]
            return z - z.max(axis=1, keepdims=True)

        def gradient_on(x, y, weights):
            error = np.exp(logits(weights, x))
            error = error / error.sum(axis=1, keepdims=True) - np.eye(12)[y]
            return np.vstack([x.T @ error, error.sum(axis=0)]) / len(x)

        def batches(seed, steps=320, size=32):
            rng = np.random.default_rng(seed)
            order = np.concatenate([rng.permutation(len(labels["train"])) for _ in range(steps * size // len(labels["train"]) + 1)])
            return order[:steps * size].reshape(steps, size)
    """,
    solution="""
        ### BEGIN SOLUTION
        mine, weights = optim.AdamW(0.003, weight_decay=1.0), np.zeros((193, 12))
        for rows in batches(seed=0):
            weights = mine.step(weights, gradient_on(features["train"][rows], labels["train"][rows], weights))
        scores = logits(weights, features["validation"])
        ### END SOLUTION
    """,
    alternatives=[
        "mine, weights = optim.Adam(0.001), np.zeros((193, 12))\nfor rows in batches(seed=0):\n    weights = mine.step(weights, gradient_on(features['train'][rows], labels['train'][rows], weights))\n"
        "scores = (features['validation'] @ weights[:-1] + weights[-1]).tolist()",
        "mine, weights, path = optim.Adam(0.003), np.zeros((193, 12)), []\nfor rows in batches(seed=0):\n    weights = mine.step(weights, gradient_on(features['train'][rows], labels['train'][rows], weights))\n    path.append(weights)\n"
        "scores = logits(np.mean(path[80:], axis=0), features['validation'])",
    ],
    wrong={
        "the answers themselves": "scores = 10 * np.eye(12)[labels['validation']]",
        "on the training pictures": "scores = np.zeros((len(labels['train']), 12))",
        "classes, not scores": "scores = np.zeros(len(labels['validation']), int)",
        "probabilities, not scores": "scores = np.full((len(labels['validation']), 12), 1 / 12)",
    },
    refused=[
        "scores = np.zeros((len(labels['validation']), 12))",
        "mine, weights = optim.Adam(0.03), np.zeros((193, 12))\nfor rows in batches(seed=0):\n    weights = mine.step(weights, gradient_on(features['train'][rows], labels['train'][rows], weights))\n"
        "scores = logits(weights, features['validation'])",
    ],
    reference=to_beat("optimisers.race", "Adam", "last validation loss"),
)
def beat_it(scores, reference):
    from translearn import data

    emoji = data.load("emoji_styles")
    truth, classes = emoji.validation.labels, len(emoji.class_names)
    got = expect_array(scores, what="the scores")
    if got.shape == (len(truth),):
        raise Misconception(
            "classes, not scores",
            "That is one class for each picture. The loss needs all twelve scores, a row for each picture.",
        )
    if got.shape == (len(emoji.train), classes):
        raise Misconception(
            "on the training pictures",
            "Those are scores for the training pictures. A loss only counts on pictures that were not trained on.",
        )
    got = np.asarray(
        expect_array(
            got, shape=(len(truth), classes), what="the scores, a row for each validation picture"
        ),
        dtype=float,
    )
    if (got >= 0).all() and np.allclose(got.sum(axis=1), 1, atol=1e-3):
        raise Misconception(
            "probabilities, not scores",
            "Each row adds up to 1: those are probabilities. Hand in the scores before the softmax.",
        )
    shifted = got - got.max(axis=1, keepdims=True)
    value = float(
        np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(truth)), truth])
    )
    if value < 1.0:
        raise Misconception(
            "the answers themselves",
            f"A loss of {value:.2f} is lower than these features can teach. Were the labels of the validation pictures used in training, or handed in?",
        )
    expect_better(value, reference, "the validation loss", higher=False, form="{:.4f}")
    return f"{value:.4f} against {reference:.4f}. {beat_it.praise}"
