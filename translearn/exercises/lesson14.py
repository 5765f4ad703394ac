"""Exercises of lesson 14, Cheaper and wider."""

import functools

import numpy as np
from scipy.special import log_softmax

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    exercise,
    expect_array,
    expect_callable,
)
from translearn.exercises.answers import describe

which_control = Choice(
    "which_control",
    "A student that learned from a teacher's probabilities for 1,724 pictures beats one that "
    "learned from the labels of 240. Which third student says whether it was the "
    "*probabilities* that helped?",
    {
        "a": "One that learns from the teacher's most probable class, for the 1,724",
        "b": "One that learns from the 240 labels, for seven times as many steps as before",
        "c": "One that has more weights and learns from the probabilities, for the 1,724",
        "d": "One that learns from the probabilities for the 1,724, starting from another seed",
    },
    right="a",
    wrong={
        "b": (
            "more steps",
            "That says what more steps on the same 240 labels would do. Whether probabilities "
            "help more than classes, it cannot say: it has neither of the teacher's.",
        ),
        "c": (
            "a larger student",
            "Its size differs, and its targets do not. Keep the student and change the targets.",
        ),
        "d": (
            "the same again",
            "That says how much luck is in the number, which one should know. It does not "
            "separate the probabilities from the pictures.",
        ),
    },
    hints=[
        "The two students differ in two respects: how many pictures, and what was said of each. "
        "A control differs in one.",
        "Keep the 1,724 pictures and the teacher, and take from its word what only the "
        "probabilities say.",
    ],
    praise="In this lesson that student was nearly as good as the one with the probabilities: "
    "most of the help came from the pictures.",
)

which_pictures = Choice(
    "which_pictures",
    "A network normalises its pixels itself, in its first layer. You make an int8 file of it. "
    "Which pictures does the converter get, to write down the ranges?",
    {
        "a": "A hundred test pictures: the file will be judged by them",
        "b": "A hundred training pictures, normalised as the network was trained",
        "c": "A hundred training pictures of all classes, pixels from 0 to 255",
        "d": "A hundred pictures of random pixels from 0 to 255, which cover every range there is",
    },
    right="c",
    wrong={
        "a": (
            "the test set",
            "They would do as pictures, but then the file has been fitted to what it will be "
            "judged by. Training pictures do as well and cost nothing.",
        ),
        "b": (
            "normalised twice",
            "The first layer normalises them once more. The ranges that are written down are "
            "those of nearly black pictures.",
        ),
        "d": (
            "noise",
            "They cover the pixels, and nothing behind them: noise drives the inner layers "
            "differently than pictures do, and it is their ranges that matter.",
        ),
    },
    hints=[
        "It is the ranges of the *inner* results that have to be known.",
        "The converter runs the whole network, its first layer included: what does that layer "
        "expect?",
    ],
    praise="What the network will be given, as it will be given it, and none of what it is judged "
    "by.",
)


def taught(target, said, of=np.mean):
    """Cross-entropy of log-probabilities `said` against probabilities `target`."""
    return of(-(target * said).sum(axis=1))


def soft(logits):
    return np.exp(log_softmax(logits, axis=1))


def logs(logits):
    return log_softmax(logits, axis=1)


def a_teachers_words():
    """{in words: student's logits, teacher's logits, temperature}"""
    rng = np.random.default_rng(3)
    small, large = rng.normal(0, 2, (2, 5, 4)), rng.normal(0, 300, (2, 3, 6))
    return {
        "five pictures and a temperature of 3": (*small, 3.0),
        "the same at a temperature of 1": (*small, 1.0),
        "the same at a temperature of 0.5": (*small, 0.5),
        "three pictures with logits of some hundreds and a temperature of 4": (*large, 4.0),
    }


distillation_loss = Function(
    "distillation_loss",
    title="What a teacher teaches",
    hints=[
        "`log_softmax(logits / temperature, axis=1)` gives the logarithms of softened "
        "probabilities; `np.exp` makes probabilities of them. Both networks are softened.",
        "Cross-entropy: `-(target * said).sum(axis=1)`, `target` the teacher's probabilities and "
        "`said` the logarithms of the student's. Then the mean, and `temperature**2`.",
    ],
    praise="A temperature divides the gradients by its square, near enough. With the factor, the "
    "loss can be added to the one for labels, and their balance stays when you turn the "
    "temperature.",
    probes=a_teachers_words,
    tolerance=1e-4,
    mistakes=[
        Mistake(
            "the square is missing",
            "All is there but the factor. Without it, a high temperature makes the gradients "
            "small.",
            lambda student, teacher, t: taught(soft(teacher / t), logs(student / t)),
        ),
        Mistake(
            "the temperature, not its square",
            "The factor is the *square*: one division comes from the student's logits, the other "
            "from the difference of two softened probabilities, which is smaller as well.",
            lambda student, teacher, t: t * taught(soft(teacher / t), logs(student / t)),
        ),
        Mistake(
            "only the teacher is softened",
            "You softened the teacher alone. Then a student that copies its logits would not "
            "have the lowest loss.",
            lambda student, teacher, t: t**2 * taught(soft(teacher / t), logs(student)),
        ),
        Mistake(
            "only the student is softened",
            "You softened the student alone. What a temperature is to bring out is what the "
            "*teacher* says between the classes.",
            lambda student, teacher, t: t**2 * taught(soft(teacher), logs(student / t)),
        ),
        Mistake(
            "the roles are exchanged",
            "You took the student's probabilities as the targets. It is the teacher that knows.",
            lambda student, teacher, t: t**2 * taught(soft(student / t), logs(teacher / t)),
        ),
        Mistake(
            "a sum",
            "That is the sum over the pictures: it grows with the batch. Take the mean.",
            lambda student, teacher, t: (
                t**2 * taught(soft(teacher / t), logs(student / t), np.sum)
            ),
        ),
        Mistake(
            "over classes as well",
            "You took the mean over the classes, too. Sum over the classes, and take the mean "
            "over the pictures.",
            lambda student, teacher, t: t**2 * np.mean(-soft(teacher / t) * logs(student / t)),
        ),
        Mistake(
            "the divergence",
            "That is the Kullback-Leibler divergence. It teaches the same, since it differs by "
            "the teacher's entropy, which the student cannot change; but the cross-entropy was "
            "asked for.",
            lambda student, teacher, t: (
                t**2 * taught(soft(teacher / t), logs(student / t) - logs(teacher / t))
            ),
        ),
        Mistake(
            "hard targets",
            "You took the teacher's most probable class alone. What it says between the classes "
            "is lost.",
            lambda student, teacher, t: (
                t**2 * -logs(student / t)[np.arange(len(teacher)), teacher.argmax(axis=1)].mean()
            ),
        ),
        Mistake(
            "multiplied",
            "You multiplied by the temperature. That sharpens instead of softening.",
            lambda student, teacher, t: t**2 * taught(soft(teacher * t), logs(student * t)),
        ),
    ],
)


lora_parameters = Function(
    "lora_parameters",
    title="So few that learn",
    hints=[
        "A has `rank` numbers for each number that goes *into* one output: all of `shape` but the "
        "last, multiplied. B has `rank` numbers for each output.",
        "`np.prod(shape[:-1])` is what goes into one output.",
    ],
    praise="It grows with the sum of what goes in and what comes out, not with their product; "
    "that is where it saves. On a kernel that is small in itself, it saves nothing.",
    probes=[
        ((96, 20), 4),
        ((3, 3, 16, 32), 2),
        ((1, 1, 40, 240), 8),
        ((5, 3, 3, 7), 1),
        ((4, 4), 8),
    ],
    mistakes=[
        Mistake(
            "the kernel itself",
            "That is the kernel, which is frozen. Only A and B learn.",
            lambda shape, rank: np.prod(shape),
        ),
        Mistake(
            "kernel and all",
            "You counted the kernel as well. It is frozen.",
            lambda shape, rank: np.prod(shape) + rank * (np.prod(shape[:-1]) + shape[-1]),
        ),
        Mistake(
            "one of the two",
            "That is one of the two arrays. Both learn.",
            lambda shape, rank: rank * np.prod(shape[:-1]),
            lambda shape, rank: rank * shape[-1],
        ),
        Mistake(
            "the window is forgotten",
            "Right for a dense layer. A convolution's output sees a window of so many pixels, and "
            "A has numbers for each of them.",
            lambda shape, rank: rank * (shape[-2] + shape[-1]),
        ),
        Mistake(
            "the window twice",
            "You counted the window for B as well. B knows nothing of pixels: it is "
            "(rank, outputs).",
            lambda shape, rank: rank * np.prod(shape[:-2]) * (shape[-2] + shape[-1]),
        ),
        Mistake(
            "the product",
            "The product of two arrays has as many numbers as the kernel. What learns is the two "
            "arrays themselves: add their sizes.",
            lambda shape, rank: rank * np.prod(shape),
            lambda shape, rank: rank**2 * np.prod(shape),
        ),
    ],
)


def codes(x, extend=True, steps=255, whole=True, nearest=np.round, lowest=-128):
    """Eight bits for an array, with one thing misread."""
    low, high = (min(x.min(), 0), max(x.max(), 0)) if extend else (x.min(), x.max())
    scale = (high - low) / steps
    zero = lowest - low / scale
    zero = np.round(zero) if whole else zero
    return nearest(x / scale + zero), scale, zero


def symmetric(x):
    scale = np.abs(x).max() / 127
    return np.round(x / scale), scale, 0


def arrays_for_eight_bits():
    """{in words: an array}"""
    rng = np.random.default_rng(8)
    return {
        "twelve numbers on both sides of 0": (rng.normal(0.3, 1, 12),),
        "a matrix of small numbers": (rng.normal(0, 0.01, (4, 5)),),
        "numbers above 0 only": (rng.uniform(2, 7, 9),),
        "numbers below 0 only": (rng.uniform(-0.9, -0.2, 9),),
        "[-1.03, 0, 2.71]": (np.array([-1.03, 0, 2.71]),),
    }


eight_bits = Function(
    "eight_bits",
    title="Zero stays zero",
    hints=[
        "`low = min(x.min(), 0)` and `high = max(x.max(), 0)`; 256 codes have 255 steps between "
        "them.",
        "The zero point is the code of 0: `round(-128 - low / scale)`. Then the codes are "
        "`np.round(x / scale) + zero`.",
    ],
    praise="A zero that comes back as exactly zero is worth the care: padding, ReLU and pruned "
    "weights are full of them.",
    probes=arrays_for_eight_bits,
    mistakes=[
        Mistake(
            "0 lies outside",
            "Your range goes from the lowest to the highest number and need not contain 0; then "
            "no code from -128 to 127 means 0.",
            functools.partial(codes, extend=False),
        ),
        Mistake(
            "no whole zero point",
            "Your zero point is not a whole number: no code is exactly 0 then. Round it.",
            functools.partial(codes, whole=False),
        ),
        Mistake(
            "256 steps",
            "From -128 to 127 there are 256 codes, and 255 steps between them.",
            functools.partial(codes, steps=256),
        ),
        Mistake(
            "symmetric",
            "That is the symmetric way, with the zero point always at 0. If all numbers are above "
            "0 it leaves half of the codes unused.",
            symmetric,
        ),
        Mistake(
            "not the nearest",
            "You cut off the digits behind the point. The *nearest* code is half as far off, on "
            "average.",
            functools.partial(codes, nearest=np.floor),
            functools.partial(codes, nearest=np.trunc),
        ),
        Mistake(
            "from 0 to 255",
            "Those codes go from 0 to 255 and do not fit into int8. They should start at -128.",
            functools.partial(codes, lowest=0),
        ),
    ],
)


def some_kernels():
    """(in words, kernels, share): the share is a whole number of weights."""
    rng = np.random.default_rng(14)
    small, large = rng.normal(0, 0.1, (3, 4)), rng.normal(0, 1, (2, 2, 3))
    steps = rng.permutation(np.repeat([-0.5, 0.25, 0.5, 1.0], 5)).reshape(4, 5)
    return [
        ("one array", [rng.normal(0, 1, (4, 5))], 0.5),
        ("an array of small and one of large weights", [small, large], 0.25),
        ("three arrays", [large, small, rng.normal(0, 1, 8)], 0.75),
        ("many weights of the same size", [steps, np.full(4, 0.5)], 0.5),
        ("nothing to prune", [small, large], 0.0),
    ]


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def goes(values, share, gone):
    """Whether exactly this share of the values is gone, and none that exceeds one that stayed."""
    if gone.sum() != round(share * len(values)):
        return False
    return gone.all() or not gone.any() or values[gone].max() <= values[~gone].min()


def smallest_are_gone(kernels, share, masks):
    return goes(np.abs(flat(kernels)), share, flat(masks) == 0)


def each_for_itself(kernels, share, masks):
    return all(smallest_are_gone([k], share, [m]) for k, m in zip(kernels, masks))


def lowest_are_gone(kernels, share, masks):
    return goes(flat(kernels), share, flat(masks) == 0)


def largest_are_gone(kernels, share, masks):
    return goes(-np.abs(flat(kernels)), share, flat(masks) == 0)


def turned(kernels, share, masks):
    return goes(np.abs(flat(kernels)), share, flat(masks) == 1)


def share_stays(kernels, share, masks):
    return goes(np.abs(flat(kernels)), 1 - share, flat(masks) == 0)


def threshold(kernels, share, masks):
    """A limit at the right place, at which all or none of what is equally large are gone."""
    sizes = np.abs(flat(kernels))
    n = round(share * len(sizes))
    for limit in np.sort(sizes)[[max(n - 1, 0), min(n, len(sizes) - 1)]]:
        for gone in (sizes < limit, sizes <= limit):
            if np.array_equal(flat(masks) == 0, gone):
                return True
    return False


# Their functions say whether the masks for one list of arrays are that mistake.
WRONG_MASKS = [
    Mistake(
        "each array for itself",
        "You pruned each array for itself. Ranked together, an array of small weights loses more "
        "of them than one of large ones.",
        each_for_itself,
    ),
    Mistake(
        "the sign counts",
        "You took the lowest numbers, so that large negative weights are gone. It is the "
        "magnitude that counts.",
        lowest_are_gone,
    ),
    Mistake(
        "the mask is turned",
        "Your masks have a 1 where a weight is to go. Multiplied with the weights, they would "
        "keep just the smallest.",
        turned,
    ),
    Mistake(
        "the largest are gone",
        "The right number of zeros, at the wrong end: the *largest* weights are gone.",
        largest_are_gone,
    ),
    Mistake("a share that stays", "You kept the share that was to go.", share_stays),
    Mistake(
        "a threshold",
        "A threshold takes all weights of one size, or none: where many are equally large, it "
        "misses the number. Rank them.",
        threshold,
    ),
]


@exercise(
    title="Exactly that many zeros",
    hints=[
        "A threshold cannot do it: of weights of the same size, it takes all or none. Rank them: "
        "`np.argsort` gives the positions, smallest first.",
        "Put the magnitudes of all arrays into one with `np.concatenate`, set the first "
        "`round(share * n)` of the sorted positions of a mask to 0, and cut it up again with "
        "`np.split` and `reshape`.",
    ],
    praise="Ranked together, a layer of large weights keeps more of them than one of small "
    "weights: no share has to be chosen for each.",
)
def smallest_gone(smallest_gone):
    f = expect_callable(smallest_gone, "smallest_gone")
    tried = []
    for words, kernels, share in some_kernels():
        got = f([kernel.copy() for kernel in kernels], share)
        if type(got) not in (list, tuple) or len(got) != len(kernels):
            raise Incorrect(f"Expected a list with a mask for each array ({words}).")
        what = f"a mask ({words})"
        masks = [
            expect_array(mask, shape=kernel.shape, what=what, boolean=True).astype(float)
            for mask, kernel in zip(got, kernels)
        ]
        tried.append((words, kernels, share, masks))
    pruned = [np.array_equal(m, k * (m != 0)) for _, ks, _, ms in tried for k, m in zip(ks, ms)]
    if all(pruned):
        raise Misconception(
            "weights, not masks",
            "Those are the pruned weights. The mask is what they are multiplied by: 0 and 1.",
        )
    for words, _, _, masks in tried:
        if not np.isin(flat(masks), (0, 1)).all():
            raise Incorrect(f"A mask holds nothing but 0 and 1, yours something else ({words}).")
    if all(smallest_are_gone(*case) for _, *case in tried):
        return
    for mistake in WRONG_MASKS:
        if all(mistake.functions[0](*case) for _, *case in tried):
            raise Misconception(mistake.name, mistake.message)
    words, kernels, share, masks = next(c for c in tried if not smallest_are_gone(*c[1:]))
    n, zeros = len(flat(kernels)), int((flat(masks) == 0).sum())
    if zeros != round(share * n):
        raise Incorrect(
            f"Expected {round(share * n)} zeros for {n} weights ({words}), got {zeros}."
        )
    raise Incorrect(
        f"{zeros} zeros are right, but a weight is gone that is larger than one that stayed "
        f"({words})."
    )


def scores_by_style():
    """Scores, from the style of the row, on the style of the column."""
    rng = np.random.default_rng(4)
    three = rng.uniform(0.3, 0.6, (3, 3)) + 0.2 * np.eye(3)
    four = rng.uniform(0.2, 0.7, (4, 4))
    return [(three,), (four,), (np.array([[0.8, 0.55], [0.7, 0.6]]),)]


def lost(scores, axis=0, all_of_them=False):
    home, n = np.diag(scores), len(scores)
    if all_of_them:
        return home - scores.mean(axis=axis)
    return home - (scores.sum(axis=axis) - home) / (n - 1)


lost_by_moving = Function(
    "lost_by_moving",
    title="What the move has cost",
    hints=[
        "One column is one exam, taken by all classifiers. The one on the diagonal, "
        "`np.diag(scores)`, is at home there.",
        "The mean of the others of each column: `(scores.sum(axis=0) - home) / (n - 1)`.",
    ],
    praise="Compared along a row instead, a style that is hard for everybody would look like a "
    "shift.",
    probes=scores_by_style,
    mistakes=[
        Mistake(
            "two different exams",
            "You compared along the rows: the same classifier at home and away. If the other "
            "style is harder for everybody, that looks like a loss by moving. Compare "
            "classifiers that take the same exam.",
            functools.partial(lost, axis=1),
        ),
        Mistake(
            "home counts among the others",
            "The mean over the whole column includes the classifier that is at home there.",
            functools.partial(lost, all_of_them=True),
        ),
        Mistake(
            "the sign",
            "A loss is positive when the one at home is better.",
            lambda scores: -lost(scores),
        ),
        Mistake(
            "one number",
            "Return one number for each style that is asked about. In the mean over all of them "
            "one cannot see which exam suffers.",
            lambda scores: lost(scores).mean(),
        ),
        Mistake(
            "the best of the others",
            "You compared with the best from elsewhere. It is the *mean* of them that says what a "
            "move costs.",
            lambda scores: np.diag(scores) - np.max(scores - 9 * np.eye(len(scores)), axis=0),
        ),
    ],
)


def log_loss(logits, labels):
    return -log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean()


def right_answers(logits, labels):
    return np.exp(log_softmax(logits, axis=1))[np.arange(len(labels)), labels].mean()


def off(logits, labels):
    """How far confidence and the share of right answers are apart."""
    sure = np.exp(log_softmax(logits, axis=1)).max(axis=1).mean()
    return abs(sure - np.mean(logits.argmax(axis=1) == labels))


def three_parts():
    """{in words: parts, among}: logits that are far too sure, most of all on training."""
    among, cases = [0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0], {}
    rng = np.random.default_rng(21)
    for words, noise, sharp in (
        ("pictures", 1.0, 4),
        ("more pictures", 1.6, 5),
        ("few", 0.8, 0.7),
    ):
        parts = {}
        for name, n, more in (("train", 60, 0.55), ("validation", 50, 1), ("test", 70, 1.7)):
            labels = rng.integers(0, 4, n)
            logits = sharp * (np.eye(4)[labels] + rng.normal(0, noise * more, (n, 4)))
            parts[name] = logits, labels
        cases[f"{words} of four classes"] = parts, among
    return cases


def chosen(parts, among, part="validation", of=log_loss, softened=np.divide, best=np.argmin):
    """The temperature that is best for a part, with one thing misread."""
    if part == "all":
        logits, labels = (np.concatenate(each) for each in zip(*parts.values()))
    else:
        logits, labels = parts[part]
    return among[int(best([of(softened(logits, by), labels) for by in among]))]


best_temperature = Function(
    "best_temperature",
    title="A temperature for pictures to come",
    hints=[
        "For each temperature: `-log_softmax(logits / by, axis=1)` at the place of each picture's "
        "label, and the mean of that. The lowest is wanted.",
        "Of the three parts one was learned from, so its answers are known too well, and one is "
        "there to judge. The temperature belongs to the third.",
    ],
    praise="It is one number, so a hundred pictures are enough for it, as long as the classifier "
    "has never seen them.",
    probes=three_parts,
    mistakes=[
        Mistake(
            "on the training pictures",
            "You took the pictures that the classifier learned from. It knows their answers and "
            "deserves to be sure there; on new pictures it does not.",
            functools.partial(chosen, part="train"),
        ),
        Mistake(
            "on the test pictures",
            "You took the test pictures. What is then measured on them has seen their labels.",
            functools.partial(chosen, part="test"),
        ),
        Mistake(
            "on all pictures",
            "You took all three parts together: the training pictures are known by heart, and "
            "the test pictures are spent.",
            functools.partial(chosen, part="all"),
        ),
        Mistake(
            "multiplied",
            "You multiplied the logits. A temperature divides them: above 1 it takes confidence "
            "back.",
            functools.partial(chosen, softened=np.multiply),
        ),
        Mistake(
            "the least likely",
            "That temperature makes the labels *least* likely.",
            functools.partial(chosen, best=np.argmax),
        ),
        Mistake(
            "the share of right answers",
            "You took the temperature with the most right answers. No temperature changes an "
            "answer: all of them are equal then, and you took the first.",
            lambda parts, among: among[0],
        ),
        Mistake(
            "no logarithm",
            "You took the mean probability of the labels, without the logarithm. It rewards being "
            "sure, and does not mind being wrong now and then with certainty.",
            functools.partial(chosen, of=right_answers, best=np.argmax),
        ),
        Mistake(
            "confidence only",
            "You made the mean confidence equal the share of right answers. It comes close; what "
            "was asked for is that the labels are most likely.",
            functools.partial(chosen, of=off),
        ),
    ],
)


def line(before, after, alpha):
    return [(1 - alpha) * a + alpha * b for a, b in zip(before, after)]


def two_networks():
    """{in words: before, after, alpha}: kernel, bias, and four arrays of batch normalisation."""
    rng = np.random.default_rng(6)
    shapes = [(3, 4), (4,), (4,), (4,), (4,), (4,), (4, 2), (2,)]
    before, after = ([rng.uniform(0.1, 2, shape) for shape in shapes] for _ in range(2))
    return {
        "eight arrays and α = 0.3": (before, after, 0.3),
        "eight arrays and α = 0": (before, after, 0.0),
        "eight arrays and α = 1": (before, after, 1.0),
        "eight arrays and α = 0.5": (before, after, 0.5),
    }


def refuses_others(f):
    """A further check: networks that do not fit are a `ValueError`, and nothing is changed."""
    one, other = np.ones((3, 4)), np.full((3, 4), 2.0)
    unlike = [
        ([one, one], [other, np.ones(4)]),
        ([one], [np.ones((3, 1))]),
        ([np.ones((1, 4))], [other]),
        ([one], [np.ones((4, 3))]),
    ]
    lengths = [([one, one], [other] * 3), ([one] * 3, [other, other]), ([one], [])]
    for before, after in lengths:
        mixture = not_refused(f, before, after)
        if type(mixture) in (list, tuple) and len(mixture) == min(len(before), len(after)):
            raise Misconception(
                "the rest is dropped",
                "Two networks with different numbers of arrays gave no `ValueError`: `zip` stops "
                "at the shorter one, and the rest is dropped without a word.",
            )
        if mixture is not REFUSED:
            raise Incorrect(
                f"{len(before)} arrays in `before` and {len(after)} in `after` gave no "
                f"`ValueError`, but {describe(mixture)}."
            )
    for before, after in unlike:
        mixture = not_refused(f, before, after)
        if mixture is not REFUSED and stretched(mixture, before, after):
            raise Misconception(
                "stretched to fit",
                "Two arrays of different shapes gave no `ValueError`: NumPy repeats the smaller "
                "one until it fits, which is no average of two networks.",
            )
        if mixture is not REFUSED:
            raise Incorrect(
                f"Arrays of the shapes {before[-1].shape} and {after[-1].shape} gave no "
                f"`ValueError`, but {describe(mixture)}."
            )
    before, after = [one.copy(), one[0].copy()], [other.copy(), other[0].copy()]
    f.function(before, after, 0.5)
    if (flat(before) != 1).any() or (flat(after) != 2).any():
        raise Misconception(
            "the networks have changed",
            "After the call one of the two networks had other weights than before. Make new "
            "arrays: the next α starts from the same two.",
        )


REFUSED = object()


def not_refused(f, before, after):
    """What came back for two networks that do not fit, or `REFUSED` after a `ValueError`."""
    try:
        return f.function(before, after, 0.5)
    except ValueError:
        return REFUSED


def stretched(mixture, before, after):
    """Whether it is what NumPy makes of these shapes by repeating the smaller array."""
    try:
        made = line(before, after, 0.5)
        return all(np.array_equal(a, b) for a, b in zip(mixture, made, strict=True))
    except (TypeError, ValueError):
        return False


mixed_safely = Function(
    "mixed_safely",
    title="Between two networks, safely",
    hints=[
        "First compare: `[a.shape for a in before]` with the same of `after`. If the lists "
        "differ, `raise ValueError(…)`.",
        "Then the lesson's line: `(1 - alpha) * a + alpha * b` for each pair, in a new list. "
        "Means and variances of a batch normalisation are arrays like the others.",
    ],
    praise="And a network whose arrays fit may still be another one: only two that came from the "
    "same start lie on a line worth walking.",
    probes=two_networks,
    also=refuses_others,
    mistakes=[
        Mistake(
            "the wrong end",
            "Your line runs the other way: α = 0 is the network *before*.",
            lambda before, after, alpha: line(after, before, alpha),
        ),
        Mistake(
            "a sum",
            "The shares have to add up to 1: `(1 - alpha)` of the one, `alpha` of the other.",
            lambda before, after, alpha: [a + alpha * b for a, b in zip(before, after)],
        ),
        Mistake(
            "the last layer only",
            "You moved the last layer and left the others as they were. All arrays are on the "
            "line.",
            lambda before, after, alpha: [*before[:-2], *line(before[-2:], after[-2:], alpha)],
            lambda before, after, alpha: [*after[:-2], *line(before[-2:], after[-2:], alpha)],
        ),
        Mistake(
            "always half",
            "You took the middle, whatever α is.",
            lambda before, after, alpha: line(before, after, 0.5),
        ),
    ],
)


def soup(
    networks,
    score,
    best_first=True,
    add=lambda new, best: new >= best,
    stops=False,
    together=lambda kept, new: [np.mean(each, axis=0) for each in zip(*kept, new)],
):
    """The runs that go into a greedy soup, with one thing misread."""
    alone = [score(network) for network in networks]
    order = np.argsort(alone)[::-1] if best_first else range(len(networks))
    kept, best = [], -np.inf
    for member in order:
        parts = [networks[i] for i in kept]
        new = together(parts, networks[member])
        if add(score(new), best):
            kept, best = [*kept, int(member)], score(new)
        elif stops:
            break
    return kept


def half_and_half(kept, new):
    """Each newcomer makes up a half."""
    mixture = kept[0] if kept else new
    for network in [*kept[1:], new]:
        mixture = [(a + b) / 2 for a, b in zip(mixture, network)]
    return mixture


def nearness(target):
    """A score for two arrays: one minus their distance from `target`, in steps of a hundredth."""

    def score(weights):
        return round(1 - float(np.linalg.norm(flat(weights) - target)), 2)

    return score


def some_runs():
    """{in words: networks, score}"""
    cases = {}
    for seed in SOUP_SEEDS:
        rng = np.random.default_rng(seed)
        target = rng.normal(0, 0.1, 3)
        networks = [[rng.normal(0, 0.2, 2), rng.normal(0, 0.2, 1)] for _ in range(6)]
        cases[f"six small networks, drawn with seed {seed}"] = networks, nearness(target)
    # With the second the score stays exactly what it is.
    plane = [(0.1, 0), (-0.05, 0.0375**0.5), (0.3, 0.1)]
    networks = [[np.array(two), np.zeros(1)] for two in plane]
    cases["three small networks"] = networks, nearness(np.zeros(3))
    return cases


SOUP_SEEDS = (0, 3, 4, 6, 7)

greedy_soup = Function(
    "greedy_soup",
    title="A soup, spoon by spoon",
    hints=[
        "Score every network alone and go through them, the best first: "
        "`np.argsort(scores)[::-1]`.",
        "The average of the networks `some`: `[np.mean(each, axis=0) for each in zip(*some)]`. "
        "Score that of those kept and the next one. If it is at least the score so far, keep it.",
    ],
    praise="On validation it is never worse than the best single run, because that is where it "
    "starts. On the test set nobody has promised that.",
    probes=some_runs,
    read=list,
    mistakes=[
        Mistake(
            "in the order of the list",
            "You went through the networks as they came. Then a poor first one may keep better "
            "ones out: the best comes first.",
            functools.partial(soup, best_first=False),
        ),
        Mistake(
            "only if it is better",
            "A network stays out only if the score *falls*. One with which it stays the same is "
            "taken.",
            functools.partial(soup, add=lambda new, best: new > best),
        ),
        Mistake(
            "stops at the first refusal",
            "You stopped at the first network that did not help. A later one may.",
            functools.partial(soup, stops=True),
        ),
        Mistake(
            "half and half",
            "You averaged the soup with each newcomer, so that the last makes up a half of it. "
            "All members have the same share.",
            functools.partial(soup, together=half_and_half),
        ),
        Mistake(
            "everything in",
            "That is the uniform soup: all networks are in it.",
            functools.partial(soup, add=lambda new, best: True),
            lambda networks, score: list(range(len(networks))),
        ),
        Mistake(
            "the best run",
            "That is the best single run. See whether another one improves it.",
            lambda networks, score: soup(networks, score)[:1],
        ),
    ],
)


which_ships = Choice(
    "which_ships",
    "On validation pictures, A is right in 84 % at home and in 60 % elsewhere; B, half-way back "
    "to the pretrained network, in 82 % and 66 %. Both are equally large. Nine of ten pictures to "
    "come are from home, and what counts is the number of right answers. Which one goes out?",
    {
        "a": "B: it gains six points and loses only two",
        "b": "A: nine times two points are more than six",
        "c": "B: what is robust is better wherever pictures can change",
        "d": "Not to be said before both have been tried on the test pictures",
    },
    right="b",
    wrong={
        "a": (
            "one place as much as the other",
            "That would be so if half of the pictures came from elsewhere. Weigh each place by "
            "how often it comes.",
        ),
        "c": (
            "robust at any price",
            "Robustness has a price here, two points in nine of ten pictures. Whether it is worth "
            "that depends on how often the others come.",
        ),
        "d": (
            "chosen on the test set",
            "Choosing is what validation is for. The test pictures say afterwards how good the "
            "choice was.",
        ),
    },
    hints=[
        "Of a hundred pictures, ninety are from home. How many does each get right?",
        "0.9 · 84 + 0.1 · 60, and 0.9 · 82 + 0.1 · 66.",
    ],
    praise="81.6 % against 80.4 %. From one picture in four from elsewhere on, it would be B.",
)


@functools.cache
def judged_kernels():
    """The 1 × 1 kernels of blocks 6 to 12 of EfficientNet-Lite0, [(name, (inputs, outputs))],
    without the outputs that are 0 throughout."""
    from translearn import paths

    with np.load(paths.DATA / "weights" / "efficientnet_lite0.npz") as stored:
        found = {
            name: stored[name][0, 0].astype("float32")[:, stored[name][0, 0].any(axis=0)]
            for name in stored.files
            if name.endswith(("expand_conv/kernel", "project_conv/kernel"))
            and 6 <= int(name[5:7]) <= 12
        }
    return [(name.partition("/")[0], kernel) for name, kernel in found.items()]


def far(kernel, again):
    """The relative squared error of a kernel that was packed and unpacked."""
    return float(np.sum((again - kernel) ** 2) / np.sum(kernel**2))


def budget(kernel):
    """Half a byte a weight, four bytes for each output."""
    return kernel.size // 2 + 4 * kernel.shape[1]


def plain_four_bits():
    """The mean error of the plain way: 15 levels and a scale for each output."""
    errors = []
    for _, kernel in judged_kernels():
        scale = np.abs(kernel).max(axis=0) / 7
        errors.append(far(kernel, scale * np.round(kernel / scale)))
    return float(np.mean(errors))


@exercise(
    title="Beat this number",
    hints=[
        "The plain way lets the largest weight of each output decide on the scale. Such weights "
        "are rare: what if they may be cut off?",
        "`scale = c * kernel.std(axis=0) / 7` with a `c` of 2 to 4 and "
        "`np.clip(np.round(kernel / scale), -8, 7)`. Other ways: sixteen levels that lie where "
        "the weights are, or as many as `zlib` leaves room for.",
    ],
    call="pack, unpack",
    praise="Four bits hold more than they seem to, if the levels lie where the weights are.",
    reference=plain_four_bits,
)
def beat_it(pack, unpack, reference):
    pack, unpack = expect_callable(pack, "pack"), expect_callable(unpack, "unpack")
    packed = []
    for name, kernel in judged_kernels():
        got = pack(kernel)
        if type(got) not in (bytes, bytearray):
            raise Incorrect(
                "`pack` returns `bytes`: of an array `codes` they are `codes.tobytes()`."
            )
        if len(got) > budget(kernel):
            if len(got) == kernel.nbytes:
                raise Misconception(
                    "nothing is packed", "Those are still 32 bits for each weight."
                )
            if kernel.size <= len(got) <= kernel.size + 8 * kernel.shape[1]:
                raise Misconception(
                    "a byte for each",
                    "Your codes take a byte each. Two of four bits fit into one: "
                    "`first | second << 4`.",
                )
            raise Incorrect(
                f"The kernel of {name}, {kernel.shape}, may take {budget(kernel):,} bytes; yours "
                f"takes {len(got):,}."
            )
        packed.append(bytes(got))
    errors = []
    # Last first: what `unpack` needs must be in the bytes.
    for (name, kernel), some in reversed([*zip(judged_kernels(), packed)]):
        what = f"the kernel of {name}"
        again = expect_array(unpack(some, kernel.shape), shape=kernel.shape, what=what)
        error, bits = far(kernel, again.astype(float)), 8 * len(some) / kernel.size
        if error < 4.0**-bits / 20:
            raise Misconception(
                "not in the bytes",
                "What came back is nearer to the kernel than so few bytes can say. `unpack` may "
                "know nothing but the bytes and the shape.",
            )
        errors.append(error)
    error = float(np.mean(errors))
    if not error < reference:
        raise Incorrect(
            f"The mean relative squared error is {error:.4f}; to beat are {reference:.4f}."
        )
    return f"{error:.4f} against {reference:.4f}. {beat_it.praise}"
