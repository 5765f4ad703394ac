"""Exercises of lesson 15, Your own pictures."""

import functools
import time
import warnings
from dataclasses import replace

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    describe,
    exercise,
    expect_array,
    expect_better,
    expect_callable,
    to_beat,
)

# --- squares -------------------------------------------------------------------------------------


def some_pictures():
    """{in words: a picture}"""
    rng = np.random.default_rng(15)
    shapes = [(3, 7, 3), (8, 4, 3), (5, 5, 1), (2, 7, 1), (9, 4, 3)]
    return {
        f"a picture of shape {shape}": (rng.integers(0, 200, shape).astype("uint8"),)
        for shape in shapes
    }


def laid_on(picture, colour=255, where=lambda free: free // 2):
    height, width, channels = picture.shape
    side = max(height, width)
    square = np.full((side, side, channels), colour, "uint8")
    top, left = where(side - height), where(side - width)
    square[top : top + height, left : left + width] = picture
    return square


def middle_square(picture):
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


padded = Function(
    "padded",
    title="Room for all of it",
    hints=[
        "`np.full((side, side, channels), 255, 'uint8')` is a white square, and `side` is the "
        "longer of the two.",
        "`top = (side - height) // 2` rounds down, so an odd row that is left over goes below. "
        "Then `square[top : top + height, left : left + width] = picture`.",
    ],
    praise="Nothing is lost but pixels: the thing is now smaller than it could be.",
    probes=some_pictures,
    mistakes=[
        Mistake(
            "black",
            "All is in its place, but the square is black. The exercise asks for white, which is "
            "255.",
            lambda picture: laid_on(picture, 0),
        ),
        Mistake(
            "in the corner",
            "The picture stands in the upper left corner. It belongs into the middle.",
            lambda picture: laid_on(picture, where=lambda free: 0),
        ),
        Mistake(
            "the odd row above",
            "When an odd number of rows or columns is left over, the extra one goes below or to "
            "the right.",
            lambda picture: laid_on(picture, where=lambda free: -(-free // 2)),
        ),
        Mistake(
            "cut",
            "That is the middle square, as `cut` makes it. Pad: nothing of the picture may go.",
            middle_square,
        ),
    ],
)

which_fit = Choice(
    "which_fit",
    "You sort photographs of bottles, three times as high as wide. Brands differ in the label, "
    "near the foot of the bottle, and two of them only in how slender the bottle is. You read the "
    "pictures at 224 pixels. Which fit keeps what tells the brands apart?",
    {
        "a": "Cut: the bottle stays as large as possible, and the network sees most detail",
        "b": "Pad: the whole bottle stays, with its proportions, at a third of the width",
        "c": "Stretch: the whole bottle stays and fills the square, so that nothing is wasted",
        "d": "Any: a pretrained network does not mind how a picture was made square",
    },
    right="b",
    wrong={
        "a": (
            "the foot is cut away",
            "The middle square holds a third of the bottle. The label stands near the foot, and "
            "no detail helps where it is not.",
        ),
        "c": (
            "slender no more",
            "Stretched, all bottles fill the square, the slender and the stout. The one thing "
            "that two brands differ in is gone.",
        ),
        "d": (
            "gone is gone",
            "It may not mind, but it can only use what is there. Ask of each fit what it takes "
            "away.",
        ),
    },
    hints=[
        "Ask of each fit what it takes away: the edges, the proportions, or pixels.",
        "One thing that tells brands apart is near the edge, another is a proportion.",
    ],
    praise="It costs pixels, and 224 of them can afford it. With pictures of 32 they might not: "
    "then measure.",
    title="Bottles",
)

# --- copies --------------------------------------------------------------------------------------


def grey_pictures():
    """{in words: a grey picture}"""
    rng = np.random.default_rng(8)
    ramp = np.add.outer(np.arange(16) * 9, np.arange(16) ** 1.5)
    dots = np.where(rng.random((32, 32)) < 0.1, 255, 20)
    return {
        "a ramp of 16 × 16": (ramp.astype("uint8"),),
        "32 × 32 pixels of noise": (rng.integers(0, 256, (32, 32)).astype("uint8"),),
        "bright dots on 32 × 32 dark pixels": (dots.astype("uint8"),),
        "24 × 24 pixels of one grey": (np.full((24, 24), 90, "uint8"),),
        "8 × 8 pixels of noise": (rng.integers(0, 256, (8, 8)).astype("uint8"),),
        "16 × 16 pixels of 90 and 91": (rng.integers(90, 92, (16, 16)).astype("uint8"),),
    }


def tiles(picture):
    tile = len(picture) // 8
    return picture.reshape(8, tile, 8, tile).mean(axis=(1, 3))


average_hash = Function(
    "average_hash",
    title="Sixty-four bits",
    hints=[
        "With `tile = len(picture) // 8`, `picture.reshape(8, tile, 8, tile)` has the rows of "
        "tiles, the rows within a tile, the columns of tiles, and the columns within.",
        "So `.mean(axis=(1, 3))` gives the 8 × 8 means. Compare them with their own mean, and "
        "`.ravel()`.",
    ],
    praise="Another size, another compression, a little more light: hardly a bit of it changes.",
    probes=grey_pictures,
    mistakes=[
        Mistake(
            "pixels, not tiles",
            "You took one pixel of each tile. A single pixel changes with every compression; the "
            "mean of a tile does not.",
            lambda picture: (
                (one := picture[:: len(picture) // 8, :: len(picture) // 8]) > one.mean()
            ).ravel(),
        ),
        Mistake(
            "the median",
            "You compare with the *median* of the 64 means. That is a hash too, but another one.",
            lambda picture: (tiles(picture) > np.median(tiles(picture))).ravel(),
        ),
        Mistake(
            "column by column",
            "The bits are right, and in another order: row by row, please, from the top.",
            lambda picture: (tiles(picture) > tiles(picture).mean()).ravel(order="F"),
        ),
        Mistake(
            "darker",
            "That marks the tiles that are darker than the mean.",
            lambda picture: (tiles(picture) < tiles(picture).mean()).ravel(),
        ),
        Mistake(
            "a fixed threshold",
            "You compare with 128. A picture that is a little darker would have quite another "
            "hash: compare with the picture's own mean.",
            lambda picture: (tiles(picture) > 128).ravel(),
        ),
    ],
)


def hashes():
    """{in words: (hashes of training pictures, hashes of test pictures, most)}"""
    rng = np.random.default_rng(64)
    train, test = rng.random((12, 64)) < 0.5, rng.random((5, 64)) < 0.5
    for row, (other, bits) in enumerate([(0, 0), (1, 3), (2, 4), (3, 5), (4, 6), (0, 4)]):
        train[row] = test[other]
        train[row, rng.permutation(64)[:bits]] ^= True
    return {
        "12 and 5 hashes, at most 4 bits": (train, test, 4),
        "12 and 5 hashes, at most 0 bits": (train, test, 0),
        "5 and 12 hashes, at most 5 bits": (test, train, 5),
        "12 and 1 hashes, at most 30 bits": (train, test[:1], 30),
        "12 and 5 hashes, at most 31 bits": (train, test, 31),
    }


def apart(train, test):
    return (train[:, None] != test).sum(axis=-1)


may_stay = Function(
    "may_stay",
    title="What has to leave",
    hints=[
        "`(train[:, None] != test).sum(axis=-1)` is a table: in how many bits each training "
        "picture (row) differs from each test picture (column).",
        "A picture may stay if even the *nearest* test picture is farther than `most`: "
        "`.min(axis=1) > most`.",
    ],
    praise="The test set stays whole. Whatever leaves it could be what the model finds hard.",
    probes=hashes,
    mistakes=[
        Mistake(
            "those that leave",
            "True marks the pictures that have to leave. It should mark those that may stay.",
            lambda train, test, most: apart(train, test).min(axis=1) <= most,
        ),
        Mistake(
            "exactly `most` may stay",
            "A picture that differs in exactly `most` bits is a near copy, too, and has to leave.",
            lambda train, test, most: apart(train, test).min(axis=1) >= most,
        ),
        Mistake(
            "the test pictures",
            "That says which *test* pictures may stay. The training pictures leave, and the test "
            "set stays as it is.",
            lambda train, test, most: apart(train, test).min(axis=0) > most,
        ),
        Mistake(
            "unlike one of them",
            "You let a picture stay if it is unlike *some* test picture. It must be unlike all.",
            lambda train, test, most: apart(train, test).max(axis=1) > most,
        ),
        Mistake(
            "only equal ones",
            "Only pictures with an equal hash leave. A near copy differs in a few bits.",
            lambda train, test, most: apart(train, test).min(axis=1) > 0,
        ),
        Mistake(
            "the mean distance",
            "A mean over all test pictures hides the one that is a copy. Take the nearest.",
            lambda train, test, most: apart(train, test).mean(axis=1) > most,
        ),
    ],
)

# --- folds ---------------------------------------------------------------------------------------


def few_labels():
    """{in words: (labels, number of folds)}"""
    rng = np.random.default_rng(5)
    return {
        "30 labels of three classes in turns, 5 folds": (np.arange(30) % 3, 5),
        "30 labels of three classes, one after the other, 5 folds": (np.arange(30) // 10, 5),
        "23 labels of two classes, 3 folds": (rng.permutation(np.arange(23) % 4 // 3), 3),
        "17 labels of four classes, 4 folds": (rng.permutation(np.arange(17) % 4), 4),
    }


@exercise(
    title="Every class in every fold",
    hints=[
        "Go through the classes one by one: `rows = np.flatnonzero(labels == label)`.",
        "Deal the rows of a class like cards: the first to fold 0, the second to fold 1, and "
        "after the last fold from the beginning. `np.arange(len(rows)) % count` does it.",
    ],
    praise="Each fold asks about every class, and each picture is asked about once.",
    call="folds",
)
def stratified(folds):
    f = expect_callable(folds, "folds")
    given = few_labels()
    answers = {words: f(labels.copy(), count) for words, (labels, count) in given.items()}
    got = {
        words: expect_array(answers[words], (len(labels),), f"the folds of {words}")
        for words, (labels, _) in given.items()
    }
    sizes = [(got[words], labels, count) for words, (labels, count) in given.items()]
    if all(np.array_equal(one, np.arange(len(one)) % count) for one, _, count in sizes):
        raise Misconception(
            "by position",
            "You deal all pictures without a look at their classes. Whether a fold has its share "
            "of each is then up to their order.",
        )
    if all(np.array_equal(one, in_blocks(len(one), count)) for one, _, count in sizes):
        raise Misconception(
            "in blocks",
            "You cut the pictures into blocks, one after the other. Pictures often come class by "
            "class, and then a fold would have never seen the class that it is asked about.",
        )
    if all(one.min() == 1 and one.max() == count for one, _, count in sizes):
        raise Misconception("from 1", "The folds have the numbers from 0 to `count` − 1.")
    for words, (labels, count) in given.items():
        if not np.isin(got[words], np.arange(count)).all():
            bad = got[words][~np.isin(got[words], np.arange(count))][0]
            raise Incorrect(
                f"Expected fold numbers from 0 to {count - 1} for {words}, got {bad:g}."
            )
        for label in np.unique(labels):
            dealt = np.bincount(got[words][labels == label].astype(int), minlength=count)
            if dealt.max() - dealt.min() > 1:
                raise Incorrect(
                    f"Expected numbers that differ by one at most for class {label} of {words}, "
                    f"got {dealt.tolist()} pictures in the folds."
                )


def in_blocks(length, count):
    """The fold of each row when they are cut into blocks as equal as possible."""
    return np.repeat(
        np.arange(count), [len(each) for each in np.array_split(range(length), count)]
    )


# --- what a score says ---------------------------------------------------------------------------


def wilson(hits, asked, z=1.96):
    share = hits / asked
    middle = (share + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = np.sqrt(share * (1 - share) / asked + z**2 / (4 * asked**2)) * z / (1 + z**2 / asked)
    return middle - half, middle + half


def plain(hits, asked, z=1.96):
    share = hits / asked
    half = z * np.sqrt(share * (1 - share) / asked)
    return share - half, share + half


interval = Function(
    "interval",
    title="How sure is a score?",
    hints=[
        "Translate the formula piece by piece: first `share = hits / asked`, then the middle, "
        "then half the width.",
        "Both are divided by `1 + z**2 / asked`. Below the root stand "
        "`share * (1 - share) / asked` and `z**2 / (4 * asked**2)`.",
    ],
    praise="It never leaves the range from 0 to 1, and it has a width even when all answers are "
    "right. For 45 of 60 it is still 21 points wide.",
    tolerance=2e-4,
    probes=[(45, 60), (60, 60), (0, 20), (7, 9), (810, 1000)],
    mistakes=[
        Mistake(
            "the plain interval",
            "That is the share ± 1.96 standard errors. It says that 60 of 60 is certain, and goes "
            "beyond 1 just before.",
            plain,
        ),
        Mistake(
            "one standard error",
            "`z` is 1.96 for 95 %. With 1, the truth is outside every third time.",
            lambda hits, asked: wilson(hits, asked, 1),
        ),
        Mistake(
            "ninety per cent",
            "That is the interval of 90 %: `z` is 1.645 there. For 95 % it is 1.96.",
            lambda hits, asked: wilson(hits, asked, 1.645),
        ),
        Mistake(
            "in per cent",
            "Those are per cent. Return shares, from 0 to 1.",
            lambda hits, asked: tuple(100 * end for end in wilson(hits, asked)),
        ),
        Mistake(
            "the upper end first",
            "The two ends are right and in the wrong order: the lower one first.",
            lambda hits, asked: wilson(hits, asked)[::-1],
        ),
    ],
)

better_model = Choice(
    "better_model",
    "On your 60 test pictures, the model that you chose by cross-validation is right on 49 (82 %, "
    "interval 70 to 89 %). Out of curiosity you also try the one that came second there: it is "
    "right on 51 (85 %, 74 to 92 %). Which do you hand over, and what do you write?",
    {
        "a": "The second, with 85 %: the test set is the judge, and it has spoken",
        "b": "The first, with 82 % and its interval",
        "c": "The first, with 85 %, since that is what can be reached on these pictures",
        "d": "The second, with the mean of 82 and 85 %, which is known to within less",
    },
    right="b",
    wrong={
        "a": (
            "chosen on the test set",
            "Two pictures of 60 are far inside the interval. And once the test set has chosen, "
            "its score of the chosen one is too high: it has become a validation set.",
        ),
        "c": (
            "another model's score",
            "That is the score of a model that you do not hand over.",
        ),
        "d": (
            "the mean of two models",
            "The mean belongs to neither of them, and the choice was made on the test set.",
        ),
    },
    hints=[
        "By how many pictures do they differ, and how wide is the interval?",
        "What chose the model that you hand over, and what has the test set to do with it?",
    ],
    praise="It was chosen without the test set, so its score there is honest. That another one "
    "has two pictures more is luck as likely as not.",
    title="Two more right",
)

balanced = Function(
    "balanced",
    title="Every class counts once",
    hints=[
        "A class's recall stands on the diagonal, divided by the sum of its *row*: "
        "`confusion.sum(axis=1)`.",
        "Take only the rows with pictures, `there = confusion.sum(axis=1) > 0`, and the mean of "
        "their recalls.",
    ],
    praise="A model that always says the most frequent class gets one divided by the number of "
    "classes, however frequent that class is.",
    probes=[
        np.array([[8, 2], [1, 4]]),
        np.array([[90, 0, 0], [6, 4, 0], [3, 1, 1]]),
        np.array([[5, 1, 0], [0, 0, 0], [2, 1, 7]]),
        np.array([[0, 3], [0, 9]]),
    ],
    mistakes=[
        Mistake(
            "accuracy",
            "That is accuracy: it counts each picture once, so a large class outvotes the others.",
            lambda confusion: np.trace(confusion) / confusion.sum(),
        ),
        Mistake(
            "columns",
            "You divide by the sums of the columns, which is precision: of those called so, how "
            "many are. Recall divides by the rows: of those that are, how many are called so.",
            lambda confusion: np.mean(
                [
                    confusion[k, k] / confusion[:, k].sum()
                    for k in range(len(confusion))
                    if confusion[:, k].sum()
                ]
            ),
            lambda confusion: np.mean(np.diag(confusion) / confusion.sum(axis=0).clip(1)),
        ),
        Mistake(
            "an empty class counts as missed",
            "A class without pictures was asked about never. It is left out of the mean, not "
            "counted as 0.",
            lambda confusion: np.mean(np.diag(confusion) / confusion.sum(axis=1).clip(1)),
        ),
    ],
)

# --- mistakes, and how sure they are -------------------------------------------------------------


def guessed():
    """{in words: (probabilities, labels, many)}"""
    rng = np.random.default_rng(11)
    found = {}
    for count, classes, many in ((12, 3, 4), (30, 5, 6), (8, 2, 20), (15, 4, 1)):
        logits = 2 * rng.normal(size=(count, classes))
        labels = np.where(
            rng.random(count) < 0.5, logits.argmax(1), rng.integers(0, classes, count)
        )
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        found[f"{count} pictures of {classes} classes, many={many}"] = (shares, labels, many)
    return found


def surest(probabilities, rows, many):
    return rows[np.argsort(-probabilities[rows].max(axis=1))][:many]


def wrong_rows(probabilities, labels):
    return np.flatnonzero(probabilities.argmax(axis=1) != labels)


worst_mistakes = Function(
    "worst_mistakes",
    title="Look at these first",
    hints=[
        "`guesses = probabilities.argmax(axis=1)`; `wrong = np.flatnonzero(guesses != labels)` "
        "are the rows of the mistakes.",
        "How sure the model was is `probabilities.max(axis=1)`. `np.argsort` of it with a minus "
        "puts the surest first; then take `[:many]`.",
    ],
    praise="These are the cheapest pictures to look at: each is a wrong label, a hard picture, or "
    "something that the model has misunderstood.",
    probes=guessed,
    mistakes=[
        Mistake(
            "right ones too",
            "Those are the surest answers. Only the wrong ones are asked for.",
            lambda probabilities, labels, many: surest(
                probabilities, np.arange(len(labels)), many
            ),
        ),
        Mistake(
            "the least sure first",
            "Those are mistakes in the opposite order: the least sure first.",
            lambda probabilities, labels, many: surest(
                probabilities, wrong := wrong_rows(probabilities, labels), len(wrong)
            )[::-1][:many],
        ),
        Mistake(
            "all of them",
            "That is the right order of *all* mistakes. Return `many` of them at most.",
            lambda probabilities, labels, many: surest(
                probabilities, wrong_rows(probabilities, labels), len(labels)
            ),
        ),
        Mistake(
            "the true class's probability",
            "You sort by how improbable the *true* class was. With more than two classes that is "
            "another order than by how sure the model was of its own guess.",
            lambda probabilities, labels, many: (wrong := wrong_rows(probabilities, labels))[
                np.argsort(probabilities[wrong, labels[wrong]])
            ][:many],
        ),
        Mistake(
            "positions among the mistakes",
            "Those are places in the list of mistakes. Return the rows of `probabilities`.",
            lambda probabilities, labels, many: np.argsort(
                -probabilities[wrong_rows(probabilities, labels)].max(axis=1)
            )[:many],
        ),
    ],
)


def sure_answers():
    """{in words: (probability of each guess, whether it is right, the share wanted)}"""
    rng = np.random.default_rng(10)
    found = {}
    for count, wanted in ((40, 0.8), (25, 0.9), (60, 0.75)):
        sure = rng.permutation(np.linspace(0.3, 0.99, count))
        found[f"{count} answers, of which {wanted:.0%} shall be right"] = (
            sure,
            rng.random(count) < sure,
            wanted,
        )
    few = np.array([0.9, 0.5, 0.8, 0.7, 0.6])
    return found | {
        "5 answers, the surest of them wrong, half shall be right": (
            few,
            np.array([False, True, True, False, True]),
            0.5,
        ),
        "5 answers, all wrong": (few, np.zeros(5, bool), 0.9),
        "5 answers, all right": (few, np.ones(5, bool), 1.0),
    }


def right_from(sure, right):
    """The share right of the surest one, of the surest two, and so on."""
    return np.cumsum(right[np.argsort(-sure)]) / np.arange(1, len(sure) + 1)


def until_it_falls(sure, right, wanted):
    falls = np.flatnonzero(right_from(sure, right) < wanted)
    return (falls[0] if len(falls) else len(sure)) / len(sure)


def most_answers(sure, right, wanted):
    return max(np.flatnonzero(right_from(sure, right) >= wanted) + 1, default=0)


answerable = Function(
    "answerable",
    title="How often may it answer?",
    hints=[
        "Sort the answers by how sure they are, the surest first: `order = np.argsort(-sure)`. "
        "`np.cumsum(right[order])` counts the right ones among the first, the first two, …",
        "Divided by 1, 2, 3, … that is the share right of so many. The *last* place where it is "
        "at least `wanted` says how many may be answered.",
    ],
    praise="A promise with its price: so many are right of those answered, and so many are not "
    "answered at all.",
    probes=sure_answers,
    mistakes=[
        Mistake(
            "until it first falls",
            "You stop where the share falls below `wanted` for the first time. Among few answers "
            "that may be the very first; further down it may be reached again.",
            until_it_falls,
        ),
        Mistake(
            "a number, not a share",
            "That is how many may be answered. Divide by the number of pictures.",
            most_answers,
        ),
        Mistake(
            "the threshold",
            "That is the threshold. The exercise asks which share of the pictures gets an answer.",
            lambda sure, right, wanted: (
                np.sort(sure)[::-1][most_answers(sure, right, wanted) - 1]
                if most_answers(sure, right, wanted)
                else 0.0
            ),
            lambda sure, right, wanted: (
                np.sort(sure)[::-1][most_answers(sure, right, wanted) - 1]
                if most_answers(sure, right, wanted)
                else 1.0
            ),
        ),
        Mistake(
            "the least sure first",
            "You let it answer where it is *least* sure. Sort the surest first.",
            lambda sure, right, wanted: most_answers(-sure, right, wanted) / len(sure),
        ),
        Mistake(
            "as often as it is wrong",
            "That leaves as many answers as may be wrong. `wanted` is the share that shall be "
            "right.",
            lambda sure, right, wanted: most_answers(sure, ~right, wanted) / len(sure),
        ),
    ],
)

# --- handing over --------------------------------------------------------------------------------


def records():
    """{in words: a record}"""
    return {
        f"the record of {name!r}": (
            {
                "name": name,
                "data": data,
                "cross-validated": {"balanced accuracy": tried, "pictures": 148},
                "validation": {"balanced accuracy": held, "pictures": 41},
                "tested": {"balanced accuracy": tested, "pictures": 63},
            },
        )
        for name, data, tried, held, tested in (
            ("things-1", "things", 0.8412698, 0.8253968, 0.7936507),
            ("cells", "solar cells", 0.7361111, 0.7777777, 0.7083333),
        )
    }


def card(record, value):
    return {
        "name": record["name"],
        "results": [
            {
                "task": {"type": "image-classification"},
                "dataset": {"name": record["data"], "split": "test"},
                "metrics": [{"type": "balanced_accuracy", "value": value}],
            }
        ],
    }


model_index = Function(
    "model_index",
    title="None of it typed",
    hints=[
        "Copy the form and put `record[…]` wherever a name or a number of one model stands.",
        'The number that the card reports is `record["tested"]["balanced accuracy"]`, as it is.',
    ],
    praise="Train again, test again, and the card is right again, without a hand that could slip.",
    probes=records,
    mistakes=[
        Mistake(
            "the cross-validated score",
            "That is the score by which the recipe was chosen: the best of several, and so a "
            "little too good. The card says `split: test`.",
            lambda record: card(record, record["cross-validated"]["balanced accuracy"]),
        ),
        Mistake(
            "the validation score",
            "That is the score on validation. The card says `split: test`.",
            lambda record: card(record, record["validation"]["balanced accuracy"]),
        ),
        Mistake(
            "per cent",
            "A card holds shares: other programs read and compare them.",
            lambda record: card(record, 100 * record["tested"]["balanced accuracy"]),
        ),
        Mistake(
            "rounded",
            "A rounded number cannot be compared with anything. Whoever shows it may round it.",
            lambda record: card(record, round(record["tested"]["balanced accuracy"], 2)),
            lambda record: card(record, round(record["tested"]["balanced accuracy"], 3)),
        ),
        Mistake(
            "another order of names",
            "The name of the model stands in the place of the data's name, and the other way "
            "round.",
            lambda record: card(
                record | {"name": record["data"], "data": record["name"]},
                record["tested"]["balanced accuracy"],
            ),
        ),
    ],
)

NAMES = ("red above", "red below", "blue above", "blue below", "too dark", "nothing")


@functools.cache
def handed_over():
    """A model in a file that tells by colour and place, and pictures for it: (its file's content,
    {name of the file: (content, right answer)}).
    """
    import io
    import pathlib
    import tempfile

    import keras
    from PIL import Image

    weights = np.zeros((16, 16, 3, len(NAMES)))
    for place, (channel, half) in enumerate([(0, 0), (0, 1), (2, 0), (2, 1)]):
        weights[8 * half : 8 * half + 8, :, channel, place] = 1 / 128
        weights[8 * half : 8 * half + 8, :, 1, place] = -1 / 128  # white is no colour
    pixels = keras.Input((16, 16, 3))
    layer = keras.layers.Dense(len(NAMES), activation="softmax")
    model = keras.Model(pixels, layer(keras.layers.Flatten()(pixels)))
    layer.set_weights([weights.reshape(-1, len(NAMES)), np.array([0, 0, 0, 0, 40, -9.0])])
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "model.keras"
        model.save(file)
        content = file.read_bytes()

    def drawn(colour, where, wide=40, high=40):
        page = np.full((high, wide, 3), 30, "uint8")
        half = slice(0, high // 2) if where == "above" else slice(high // 2, high)
        page[half] = {"red": (220, 40, 40), "blue": (40, 40, 220)}[colour]
        return Image.fromarray(page)

    def saved(picture, form, **options):
        kept = io.BytesIO()
        picture.save(kept, form, **options)
        return kept.getvalue()

    turned = Image.Exif()
    turned[0x0112] = 3  # the camera was upside down
    upside_down = drawn("red", "above").transpose(Image.ROTATE_180)
    see_through = np.full((40, 40, 4), (255, 0, 0, 0), "uint8")  # red that no viewer shows
    see_through[20:] = (40, 40, 220, 255)
    return content, {
        "wide.jpg": (saved(drawn("blue", "below", 60, 30), "JPEG"), "blue below"),
        "turned.jpg": (saved(upside_down, "JPEG", exif=turned), "red above"),
        "see-through.png": (saved(Image.fromarray(see_through), "PNG"), "blue below"),
    }


@exercise(
    title="In ten lines, without this course",
    hints=[
        "`keras.models.load_model(model_file)`, `Image.open(picture_file)`, and for the way the "
        "camera was held `ImageOps.exif_transpose(picture)`.",
        '`.convert("RGBA")`, laid on `white = Image.new("RGBA", picture.size, "white")` by '
        '`Image.alpha_composite(white, picture)`, and only then `.convert("RGB")`: that alone '
        "would show the colours below what is see-through.",
        "`.resize((side, side))` with `side = model.input_shape[1]`. The "
        "network wants a batch, `np.asarray(picture)[None]`, with pixels from 0 to 255 as they "
        "are.",
        "The answer is `class_names[model.predict(batch, verbose=0)[0].argmax()]`.",
    ],
    praise="It reads a file as the training did, and that is all there is to serving a model.",
    call="guess",
)
def serve(guess):
    import pathlib
    import tempfile

    f = expect_callable(guess, "guess")
    content, pictures = handed_over()
    got = {}
    with tempfile.TemporaryDirectory() as folder:
        model_file = pathlib.Path(folder) / "model.keras"
        model_file.write_bytes(content)
        for name, (picture, _) in pictures.items():
            (pathlib.Path(folder) / name).write_bytes(picture)
            answer = f(str(model_file), str(pathlib.Path(folder) / name), list(NAMES))
            if isinstance(answer, (int, np.integer)) and not isinstance(answer, bool):
                raise Misconception(
                    "a number, not a name",
                    f"For `{name}` you return {answer}, the number of a class. Who reads it wants "
                    "its name: `class_names[…]`.",
                )
            if not isinstance(answer, str):
                raise Incorrect(f"Expected a name for `{name}`, got {describe(answer)}.")
            got[name] = str(answer)
    right = {name: answer for name, (_, answer) in pictures.items()}
    if set(got.values()) == {"too dark"}:
        raise Misconception(
            "pixels from 0 to 1",
            "Every picture is *too dark* for the model: your pixels lie between 0 and 1. It was "
            "trained on pixels from 0 to 255, and scales them itself if it must.",
        )
    jpegs = {name: got[name] for name in ("wide.jpg", "turned.jpg")}  # whatever is see-through
    if jpegs == {name: other_colour(right[name]) for name in jpegs}:
        raise Misconception(
            "blue for red",
            "Red things are called blue, and blue ones red: you hand the channels over in the "
            "order blue, green, red.",
        )
    if jpegs == {"wide.jpg": right["wide.jpg"], "turned.jpg": "red below"}:
        raise Misconception(
            "on its head",
            "One picture was taken with the camera upside down, and its file says so. "
            "`ImageOps.exif_transpose` turns it as any viewer would.",
        )
    if got == right | {"see-through.png": "red above"}:
        raise Misconception(
            "hidden colours",
            "Where a picture is see-through, the file may hold colours that no viewer shows, and "
            '`.convert("RGB")` alone brings them out. Lay the picture on white first.',
        )
    for name, answer in right.items():
        if got[name] != answer:
            raise Incorrect(f"Expected {answer!r} for `{name}`, got {got[name]!r}.")


def other_colour(answer):
    colour, place = answer.split()
    return f"{'blue' if colour == 'red' else 'red'} {place}"


# --- the open one --------------------------------------------------------------------------------

BUDGET = 20  # CPU-seconds, as the recipe had
FOLDS = 5  # as the recipe


@functools.cache
def example_pictures():
    """The example's splits, with no picture twice or nearly so in training: such a pair in two
    folds would be a leak.
    """
    from translearn import data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has pictures in two classes, as the lesson says
        splits = data.from_directory(data.example_folder(), size=160, fit="stretch")
    twice = data.look(splits).without(["copy", "near copy", "two labels"])
    train = splits.train
    keep = ~train.info["key"].isin(twice).to_numpy()
    info = train.info[keep].reset_index(drop=True)
    once = replace(train, images=train.images[keep], labels=train.labels[keep], info=info)
    return replace(splits, train=once)


@exercise(
    title="Beat the recipe",
    hints=[
        "Frozen features do the work. Which other blocks of `network(…)` than `BLOCKS` are worth "
        "putting beside them? And at which size do these things look most like photographs?",
        "Shrinkage LDA, `LinearDiscriminantAnalysis(solver='lsqr', shrinkage=0.9)`, often does "
        "better on few pictures than logistic regression. `transfer.cache_features` keeps what it "
        "has computed, so that trying costs little.",
        "Our own answer shrinks the pictures to 128 pixels and takes `block09`, too.",
    ],
    praise="The test set has not been asked. Beware all the same: if you tried many, the best of "
    "them was lucky on these folds, as the recipe's best was on its own.",
    call="my_recipe",
    reference=to_beat("own.recipe", "recommended", "cross-validated"),
)
def beat_it(my_recipe, reference):
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold

    f = expect_callable(my_recipe, "my_recipe")
    given = example_pictures().train
    guesses, spent = np.full(len(given), -1), 0.0
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for learn, ask in folds.split(given.images, given.labels):
        images, labels, new = given.images[learn], given.labels[learn], given.images[ask]
        started = time.process_time()
        answer = f(images.copy(), labels.copy(), new.copy())
        spent += time.process_time() - started
        guesses[ask] = classes_in(answer, len(ask), len(learn), len(given.class_names))
    if spent > BUDGET:
        raise Incorrect(
            f"Your recipe took {spent:.0f} CPU-seconds for all folds. It may take {BUDGET}."
        )
    score = balanced_accuracy_score(given.labels, guesses)
    expect_better(score, reference, "the balanced accuracy", form="{:.1%}")
    return f"{score:.1%} against {reference:.1%}, in {spent:.0f} CPU-seconds. {beat_it.praise}"


def classes_in(answer, asked, learned, classes):
    """Class numbers, (asked,)."""
    got = expect_array(answer, what="the guesses")
    if got.ndim == 2:
        raise Misconception(
            "scores, not classes",
            "That has a row of scores for each picture. Return the best class of each: "
            "`.argmax(axis=1)`.",
        )
    if got.shape == (learned,):
        raise Misconception(
            "for the wrong pictures",
            "Those are as many guesses as there were pictures to learn from. Guess the classes of "
            "`new`.",
        )
    got = expect_array(got, (asked,), "the guesses, one for each of the new pictures")
    if not np.isin(got, np.arange(classes)).all():
        raise Incorrect(f"A guess is a class number from 0 to {classes - 1}.")
    return got.astype(int)
