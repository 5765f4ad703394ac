"""Exercises of lesson 09, VGG16 on solar cells."""

from types import SimpleNamespace

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Mistake,
    better_guesses,
    exercise,
    to_beat,
)


def some_pictures():
    """{in words: (pictures, mean)}"""
    rng, mean = np.random.default_rng(1), np.array([103.9, 116.8, 123.7])
    return {
        "two pictures of 5 by 4": (rng.integers(0, 256, (2, 5, 4, 3)).astype("uint8"), mean),
        "one picture of 3 by 6": (rng.integers(0, 256, (1, 3, 6, 3)).astype("uint8"), mean + 5),
    }


prepare = Function(
    "prepare",
    title="Prepare the pixels",
    hints=[
        "`images[..., ::-1]` turns red, green, blue round. Subtracting `mean` works along the "
        "last axis by itself.",
        "Whole numbers from 0 to 255 cannot go below zero: turn them into floats before the "
        'subtraction, `.astype("float32")`.',
    ],
    praise="Two things that no error message will ever remind you of.",
    probes=some_pictures,
    tolerance=1e-5,  # in single precision
    mistakes=[
        Mistake(
            "the channels stay",
            "The channels are still red, green, blue. This network was trained on blue, green, "
            "red.",
            lambda images, mean: images.astype(float) - mean,
        ),
        Mistake(
            "turned too late",
            "Blue's mean was taken off red, and red's off blue: `mean` is in the order of the "
            "channels once they are turned round.",
            lambda images, mean: (images.astype(float) - mean)[..., ::-1],
        ),
        Mistake(
            "below zero is cut off",
            "Pixels are whole numbers from 0 to 255, which do not go below zero: 3 - 100 becomes "
            "159. Turn them into floats first.",
            lambda images, mean: images[..., ::-1] - mean.astype("uint8"),
        ),
        Mistake(
            "divided by 255",
            "This network takes pixels from 0 to 255. Divided by 255, every picture is nearly the "
            "same to it.",
            lambda images, mean: images[..., ::-1] / 255 - mean,
            lambda images, mean: (images[..., ::-1] - mean) / 255,
        ),
        Mistake(
            "the picture is mirrored",
            "You turned the columns round, not the channels: those are the last axis.",
            lambda images, mean: images[:, :, ::-1].astype(float) - mean,
        ),
    ],
)


wide_layer = Function(
    "wide_layer",
    title="How large is that head?",
    hints=[
        "Halved five times, a side of 224 becomes 7. The flattened map has 7 × 7 × 512 numbers, "
        "and each goes to each of the 1,024.",
        "`(size // 32) ** 2 * 512 * 1024` weights, and one bias for each of the 1,024.",
    ],
    praise="At 224 pixels that is 25.7 million, against 14.7 million in all of VGG16's "
    "convolutions, to be learned from a few hundred pictures.",
    probes=[(224,), (64,), (96,)],
    mistakes=[
        Mistake(
            "the biases are missing",
            "The biases are missing: one for each of the 1,024.",
            lambda size: (size // 32) ** 2 * 512 * 1024,
        ),
        Mistake(
            "pooled, not flattened",
            "That would be the head on a pooled map. Flattened, each place of the map counts on "
            "its own.",
            lambda size: 512 * 1024 + 1024,
        ),
        Mistake(
            "one side only",
            "The map has two sides.",
            lambda size: size // 32 * 512 * 1024 + 1024,
        ),
        Mistake(
            "four halvings",
            "There are five blocks, so the sides are halved five times.",
            lambda size: (size // 16) ** 2 * 512 * 1024 + 1024,
        ),
        Mistake(
            "the whole picture",
            "The map is not as large as the picture: each block halves its sides.",
            lambda size: size**2 * 512 * 1024 + 1024,
        ),
    ],
)


def share_of_most(labels):
    return np.bincount(labels).max() / len(labels)


knowing_nothing = Function(
    "knowing_nothing",
    title="The score of knowing nothing",
    hints=[
        "`np.bincount(labels)` counts each class.",
        "The accuracy is the share of the most frequent class. For the balanced accuracy, take "
        "the recall of each class: 1 for one of them, 0 for the others.",
    ],
    praise="On these cells 69 % and 50 %. Whoever reports the first without saying so has "
    "reported nothing.",
    probes=[
        (np.array([1, 1, 1, 0, 1, 0]), 2),
        (np.array([2, 2, 1, 0, 2, 2, 1, 0, 0, 2]), 3),
        (np.array([3, 1, 1, 0, 2, 1, 0]), 4),
    ],
    mistakes=[
        Mistake(
            "the other way round",
            "Accuracy first, balanced accuracy second: yours are exchanged.",
            lambda labels, classes: (1 / classes, share_of_most(labels)),
        ),
        Mistake(
            "a coin",
            "That is the accuracy of guessing at random. One that always says the most frequent "
            "class is right as often as that class comes.",
            lambda labels, classes: (1 / classes, 1 / classes),
        ),
        Mistake(
            "the same number twice",
            "Balanced accuracy is the mean of the recalls: 1 for the class that is always said, 0 "
            "for each of the others.",
            lambda labels, classes: (share_of_most(labels), share_of_most(labels)),
        ),
        Mistake(
            "always class 0",
            "You always say class 0. The most frequent one was asked for, whichever it is.",
            lambda labels, classes: (np.mean(labels == 0), 1 / classes),
        ),
    ],
)


moved_share = Function(
    "moved_share",
    title="How far can Adam go?",
    hints=[
        "How far has it gone after that many steps, if each is as long as the learning rate?",
        "`rate * steps / abs(weight)`",
    ],
    praise="A typical weight of VGG16 has a size of about 0.01. Ten steps of 0.001, and it may be "
    "anything.",
    probes=[(0.01, 1e-3, 10), (-0.02, 1e-4, 40), (0.5, 0.01, 3), (0.01, 1e-3, 25)],
    mistakes=[
        Mistake(
            "a negative share",
            "For a negative weight your share is negative. It is the size of the weight that "
            "counts.",
            lambda weight, rate, steps: rate * steps / weight,
        ),
        Mistake(
            "the size enters twice",
            "You multiplied by the weight. Adam's step does not depend on its size, so a *small* "
            "weight moves by a larger share: divide.",
            lambda weight, rate, steps: rate * steps * abs(weight),
        ),
        Mistake(
            "one step only",
            "That is one step. They were to go in one direction, so they add up.",
            lambda weight, rate, steps: rate / abs(weight),
        ),
        Mistake(
            "as gradient descent",
            "That is what weight decay would do. Adam's step is about the learning rate itself, "
            "whatever the weight.",
            lambda weight, rate, steps: 1 - (1 - rate) ** steps,
        ),
        Mistake(
            "the way, not the share",
            "That is how far it went. As a share of the weight's own size, divide by it.",
            lambda weight, rate, steps: rate * steps,
        ),
    ],
)


control = Choice(
    "control",
    "The recipe as printed has a loss in the hundreds in its first steps. A colleague prepares "
    "the pixels *and* divides the rate by ten; the loss stays small, and he says that it was the "
    "raw pixels. What would settle it?",
    {
        "a": "Nothing more: the repair worked, so the cause was found",
        "b": "Two more runs: prepared pixels at the old rate, and raw pixels at the new one",
        "c": "The same run with five more seeds, to tell what it did from luck, with a spread",
        "d": "A run with more epochs, to see whether it explodes later",
    },
    right="b",
    wrong={
        "a": (
            "it worked, so that was it",
            "Two things were changed. Either alone might have done it, or only both.",
        ),
        "c": (
            "more seeds",
            "Seeds tell luck from effect. They do not tell one change from the other: both were "
            "in every run.",
        ),
        "d": ("later", "The question is what made the *first* steps explode."),
    },
    hints=[
        "How many things did he change at once?",
        "What differs from his run in one thing only?",
    ],
    praise="One switch at a time, or all combinations: everything else is a guess with a number "
    "beside it.",
)


def with_and_without(scores, switch):
    """The scores with the switch and those without it, two lists."""
    return [[score for key, score in scores.items() if key[switch] == on] for on in (1, 0)]


def one_pair(scores, switch, others):
    """One pair's difference, all other switches off (0) or on (1)."""
    n = len(next(iter(scores)))
    off, on = ([others] * n for _ in range(2))
    off[switch], on[switch] = 0, 1
    return scores[tuple(on)] - scores[tuple(off)]


def all_combinations():
    """{in words: (scores, switch)}; the keys come in no order."""
    rng, probes = np.random.default_rng(16), {}
    for switches in (2, 3, 4):
        keys = list(np.ndindex(*(2,) * switches))
        scores = {keys[i]: round(rng.normal(), 2) for i in rng.permutation(len(keys))}
        shown = f"the scores {scores}" if switches == 2 else f"the scores of {switches} switches"
        for switch in range(switches):
            probes[f"switch number {switch} in {shown}"] = (scores, switch)
    return probes


main_effect = Function(
    "main_effect",
    title="A main effect",
    hints=[
        "Go through the keys that have a 0 at place `switch`. Which key differs from such a one "
        "in that place only?",
        "The partner is `s[:switch] + (1,) + s[switch + 1:]`. Take `scores[partner] - scores[s]` "
        "for each, and the mean.",
    ],
    praise="Eight pairs for each switch from sixteen runs: every run is used four times over. "
    "That is why one measures all combinations.",
    probes=all_combinations,
    mistakes=[
        Mistake(
            "one pair only",
            "That is one pair, with all other switches alike. A main effect is the mean over all "
            "pairs.",
            lambda scores, switch: one_pair(scores, switch, others=0),
            lambda scores, switch: one_pair(scores, switch, others=1),
        ),
        Mistake(
            "without minus with",
            "The sign is turned round: *with* the switch minus without it.",
            lambda scores, switch: -np.subtract(*map(np.mean, with_and_without(scores, switch))),
        ),
        Mistake(
            "half of it",
            "That is half of it. There are half as many pairs as runs, and the mean of all runs "
            "holds half of the effect already.",
            lambda scores, switch: (
                np.subtract(*map(np.mean, with_and_without(scores, switch))) / 2
            ),
        ),
        Mistake(
            "a sum",
            "That is the sum over the pairs. Take their mean.",
            lambda scores, switch: np.subtract(*map(sum, with_and_without(scores, switch))),
        ),
        Mistake(
            "all on minus all off",
            "All on minus all off changes every switch at once.",
            lambda scores, switch: scores[max(scores)] - scores[min(scores)],
        ),
    ],
)


def answers_when_covered(ask, image, patch, grey, keep=False):
    """What `ask` says with each patch covered, (rows, columns); with `keep` they stay covered."""
    copy = image.copy()
    table = np.empty((image.shape[0] // patch, image.shape[1] // patch))
    for y, x in np.ndindex(*table.shape):
        copy = copy if keep else image.copy()
        copy[y * patch : (y + 1) * patch, x * patch : (x + 1) * patch] = grey
        table[y, x] = ask(copy[None])[0]
    return table


def falls_when_covered(ask, image, patch, grey, keep=False):
    return ask(image[None])[0] - answers_when_covered(ask, image, patch, grey, keep)


def pictures_to_cover():
    """{in words: (ask, image, patch, grey)}"""
    rng, probes = np.random.default_rng(7), {}
    for height, width, channels, patch, grey in ((8, 12, 3, 4, 100.0), (9, 6, 1, 3, 55.0)):
        weight = rng.normal(size=(height, width, channels)) / 100
        image = rng.integers(0, 256, weight.shape).astype("float32")

        def ask(batch, weight=weight):
            return np.tensordot(np.asarray(batch, "float64"), weight, axes=3)

        words = f"a picture of {height} by {width} and patches of {patch}"
        probes[words] = (ask, image, patch, grey)
    return probes


cover = Function(
    "cover",
    title="Cover and ask",
    hints=[
        "Make one copy of the picture for each patch, cover the patch in its copy, and ask about "
        "all copies at once.",
        "The answer for the picture itself is `ask(image[None])[0]`; the fall is that minus "
        "`ask(copies)`, as a table of rows and columns.",
    ],
    praise="It needs nothing of the network but its answers, so it works on any model, even one "
    "that you cannot open.",
    probes=pictures_to_cover,
    mistakes=[
        Mistake(
            "rises, not falls",
            "The sign is turned round: a patch that speaks *for* the answer makes it fall when "
            "covered.",
            lambda *asked: -falls_when_covered(*asked),
        ),
        Mistake(
            "the answers themselves",
            "Those are the answers for the covered pictures. Asked for is by how much they fall, "
            "against the picture itself.",
            answers_when_covered,
        ),
        Mistake(
            "the picture stays covered",
            "Each patch stays covered when the next one is. Begin from a fresh copy every time.",
            lambda *asked: falls_when_covered(*asked, keep=True),
        ),
        Mistake(
            "rows and columns exchanged",
            "Your table lies on its side: one *row* for each row of patches.",
            lambda *asked: falls_when_covered(*asked).T,
        ),
        Mistake(
            "covered with black",
            "You covered with 0. Black is a strong statement to this network; `grey` was given.",
            lambda ask, image, patch, grey: falls_when_covered(ask, image, patch, 0),
        ),
    ],
)


published = Choice(
    "published",
    "Your accuracy on these cells is 83 %, the published network has 88.42 %. What may you say?",
    {
        "a": "Your method is five points worse",
        "b": "Your method is better, since it took minutes and not hours",
        "c": "Nothing at all: numbers of different authors must never stand in one and the same "
        "table",
        "d": "That yours is in the same region: splits and pixels differ, not the method alone",
    },
    right="d",
    wrong={
        "a": (
            "the difference is the method",
            "More than the method differs: which cells are in the test, how large the pictures "
            "are, how unsure cells are counted.",
        ),
        "b": (
            "cost is a score",
            "Cost is another axis. It may well be worth saying, but it does not make a lower "
            "score a higher one.",
        ),
        "c": (
            "never compare",
            "A landmark is useful as long as it is called one, and what differs is said beside "
            "it.",
        ),
    },
    hints=[
        "What would have to be equal for the difference to be the method's?",
        "Is there a word between *comparable* and *useless*?",
    ],
    praise="Other splits, other pixels and other weights of the cells lie between the two. A "
    "landmark, and no replication: say so, and the reader can judge.",
)


MARGIN = 0.02  # about the standard deviation of the repaired recipe over its draws


@exercise(
    title="Beat this number",
    hints=[
        "The last block is not the best one here. Look at the ladder of blocks in part 4.",
        "Block 4, standardised, and a strongly regularised "
        '`LogisticRegression(C=0.003, class_weight="balanced")`.',
    ],
    praise="Which features, how strongly held, how both classes are weighed: the recipe as "
    "printed asks none of it.",
    reference=to_beat("vgg.rates", "30 epochs @ 0.01", "validation"),
)
def beat_it(guesses, reference):
    _, labels = drawn("validation", 200)
    asked = SimpleNamespace(validation=Counted(labels), class_names=("functional", "defective"))
    scores = better_guesses(guesses, asked, 120, reference + MARGIN, too_good=0.93)
    return f"{scores} {beat_it.praise}"


class Counted:
    """Labels as `better_guesses` reads them."""

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)


def drawn(part, count):
    """The pictures and labels of the lesson's `drawn(0, part, count)`."""
    from translearn import data

    whole = getattr(data.load("solar_cells", size=64), part)
    rows = np.sort(np.random.default_rng(0).permutation(len(whole))[:count])
    return whole.images[rows], whole.labels[rows]
