"""Exercises of lesson 09, VGG16 on solar cells."""

from types import SimpleNamespace

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

NUMPY = "import numpy as np"


@exercise(
    title="Prepare the pixels",
    hints=[
        "`images[..., ::-1]` turns red, green, blue round. Subtracting `mean` works along the last axis by itself.",
        'Whole numbers from 0 to 255 cannot go below zero: turn them into floats before the subtraction, `.astype("float32")`.',
    ],
    praise="Two things that no error message will ever remind you of.",
    setup=NUMPY,
    solution="""
        def prepare(images, mean):
            ### BEGIN SOLUTION
            return images[..., ::-1].astype("float32") - mean
            ### END SOLUTION
    """,
    alternatives=[
        "def prepare(images, mean):\n    r, g, b = np.moveaxis(np.asarray(images, 'float64'), -1, 0)\n    return np.stack([b - mean[0], g - mean[1], r - mean[2]], axis=-1)",
        "def prepare(images, mean):\n    out = np.array(images, dtype='float32')[:, :, :, [2, 1, 0]]\n    out -= np.asarray(mean, 'float32')\n    return out",
    ],
    wrong={
        "the channels stay": "def prepare(images, mean):\n    return images.astype('float32') - mean",
        "turned too late": "def prepare(images, mean):\n    return (images.astype('float32') - mean)[..., ::-1]",
        "below zero is cut off": "def prepare(images, mean):\n    return images[..., ::-1] - np.asarray(mean).astype('uint8')",
        "divided by 255": "def prepare(images, mean):\n    return images[..., ::-1].astype('float32') / 255 - mean",
        "the picture is mirrored": "def prepare(images, mean):\n    return images[:, :, ::-1].astype('float32') - mean",
    },
    refused=["def prepare(images, mean):\n    return images[..., ::-1].astype('float32')"],
)
def prepare(prepare):
    f = expect_callable(prepare, "prepare")
    rng, mean = np.random.default_rng(1), np.array([103.9, 116.8, 123.7])
    images = rng.integers(0, 256, (2, 5, 4, 3)).astype("uint8")
    got = expect_array(f(images.copy(), mean.copy()), shape=images.shape, what="the pixels")
    wide = images.astype(float)
    if close(got, wide[..., ::-1] - mean, 1e-4):
        return
    for name, value, message in (
        (
            "the channels stay",
            wide - mean,
            "The channels are still red, green, blue. This network was trained on blue, green, red.",
        ),
        (
            "turned too late",
            (wide - mean)[..., ::-1],
            "You turned the channels round after the subtraction, so blue's mean was taken off red.",
        ),
        (
            "below zero is cut off",
            (images[..., ::-1] - mean.astype("uint8")).astype(float),
            "Pixels are whole numbers from 0 to 255, which do not go below zero: 3 - 100 becomes 159. Turn them into floats first.",
        ),
        (
            "divided by 255",
            wide[..., ::-1] / 255 - mean,
            "This network takes pixels from 0 to 255. Divided by 255, every picture is nearly the same dark one.",
        ),
        (
            "the picture is mirrored",
            wide[:, :, ::-1] - mean,
            "You turned the columns round, not the channels: those are the last axis.",
        ),
    ):
        if close(got, value, 1e-4):
            raise Misconception(name, message)
    raise Incorrect(
        f"For the first pixel {images[0, 0, 0].tolist()} expected {(wide[0, 0, 0, ::-1] - mean).round(1).tolist()}, got {got[0, 0, 0].round(1).tolist()}."
    )


@exercise(
    title="How large is that head?",
    hints=[
        "Halved five times, a side of 224 becomes 7. The flattened map has 7 × 7 × 512 numbers, and each goes to each of the 1,024.",
        "`(size // 32) ** 2 * 512 * 1024` weights, and one bias for each of the 1,024.",
    ],
    praise="At 224 pixels that is 25.7 million, against 14.7 million in all of VGG16's convolutions, to be learned from a few hundred pictures.",
    setup=NUMPY,
    solution="""
        def wide_layer(size):
            ### BEGIN SOLUTION
            return (size // 32) ** 2 * 512 * 1024 + 1024
            ### END SOLUTION
    """,
    alternatives=[
        "def wide_layer(size):\n    for _ in range(5):\n        size = size // 2\n    return (size * size * 512 + 1) * 1024",
        "def wide_layer(size):\n    return float(1024 * (512 * int(size / 2**5) ** 2 + 1))",
    ],
    wrong={
        "the biases are missing": "def wide_layer(size):\n    return (size // 32) ** 2 * 512 * 1024",
        "pooled, not flattened": "def wide_layer(size):\n    return 512 * 1024 + 1024",
        "one side only": "def wide_layer(size):\n    return (size // 32) * 512 * 1024 + 1024",
        "four halvings": "def wide_layer(size):\n    return (size // 16) ** 2 * 512 * 1024 + 1024",
        "the whole picture": "def wide_layer(size):\n    return size ** 2 * 512 * 1024 + 1024",
    },
    refused=["def wide_layer(size):\n    return 25_691_136"],
)
def wide_layer(wide_layer):
    f = expect_callable(wide_layer, "wide_layer")
    for size in (224, 64, 96):
        got = expect_number(f(size), "the number of weights and biases")
        right = (size // 32) ** 2 * 512 * 1024 + 1024
        if got == right:
            continue
        for name, value, message in (
            (
                "the biases are missing",
                right - 1024,
                "The biases are missing: one for each of the 1,024.",
            ),
            (
                "pooled, not flattened",
                512 * 1024 + 1024,
                "That would be the head on a pooled map. Flattened, each place of the map counts on its own.",
            ),
            ("one side only", (size // 32) * 512 * 1024 + 1024, "The map has two sides."),
            (
                "four halvings",
                (size // 16) ** 2 * 512 * 1024 + 1024,
                "There are five blocks, so the sides are halved five times.",
            ),
            (
                "the whole picture",
                size**2 * 512 * 1024 + 1024,
                "The map is not as large as the picture: each block halves its sides.",
            ),
        ):
            if got == value:
                raise Misconception(name, message)
        raise Incorrect(f"For {size} pixels expected {right:,}, got {got:,.0f}.")


@exercise(
    title="The score of knowing nothing",
    hints=[
        "`np.bincount(labels)` counts each class.",
        "The accuracy is the share of the most frequent class. For the balanced accuracy, take the recall of each class: 1 for one of them, 0 for the others.",
    ],
    praise="On these cells 69 % and 50 %. Whoever reports the first without saying so has reported nothing.",
    setup=NUMPY,
    solution="""
        def knowing_nothing(labels, classes):
            ### BEGIN SOLUTION
            return np.bincount(labels).max() / len(labels), 1 / classes
            ### END SOLUTION
    """,
    alternatives=[
        "def knowing_nothing(labels, classes):\n    most = max(range(classes), key=lambda k: (labels == k).sum())\n    recalls = [float(k == most) for k in range(classes)]\n    return [np.mean(labels == most), np.mean(recalls)]",
        "from collections import Counter\ndef knowing_nothing(labels, classes):\n    (_, n), = Counter(np.asarray(labels).tolist()).most_common(1)\n    return np.array([n / len(labels), 1 / classes], 'float32')",
    ],
    wrong={
        "the other way round": "def knowing_nothing(labels, classes):\n    return 1 / classes, np.bincount(labels).max() / len(labels)",
        "a coin": "def knowing_nothing(labels, classes):\n    return 1 / classes, 1 / classes",
        "the same number twice": "def knowing_nothing(labels, classes):\n    a = np.bincount(labels).max() / len(labels)\n    return a, a",
        "always class 0": "def knowing_nothing(labels, classes):\n    return np.mean(labels == 0), 1 / classes",
    },
    refused=["def knowing_nothing(labels, classes):\n    return 1.0, 0.0"],
)
def knowing_nothing(knowing_nothing):
    f = expect_callable(knowing_nothing, "knowing_nothing")
    for labels, classes in (
        (np.array([1, 1, 1, 0, 1, 0]), 2),
        (np.array([2, 2, 1, 0, 2, 2, 1, 0, 0, 2]), 3),
    ):
        got = expect_array(f(labels.copy(), classes), shape=(2,), what="the two scores")
        share, chance = np.bincount(labels).max() / len(labels), 1 / classes
        if close(got, [share, chance], 1e-5):
            continue
        for name, value, message in (
            (
                "the other way round",
                [chance, share],
                "Accuracy first, balanced accuracy second: yours are exchanged.",
            ),
            (
                "a coin",
                [chance, chance],
                "That is a coin's accuracy. One that always says the most frequent class is right as often as that class comes.",
            ),
            (
                "the same number twice",
                [share, share],
                "Balanced accuracy is the mean of the recalls: 1 for the class that is always said, 0 for each of the others.",
            ),
            (
                "always class 0",
                [np.mean(labels == 0), chance],
                "You always say class 0. The most frequent one was asked for, whichever it is.",
            ),
        ):
            if close(got, value, 1e-5):
                raise Misconception(name, message)
        raise Incorrect(
            f"For {labels.tolist()} expected ({share:.3f}, {chance:.3f}), got ({got[0]:.3f}, {got[1]:.3f})."
        )


@exercise(
    title="How far can Adam go?",
    hints=[
        "How far has it gone after that many steps, if each is as long as the learning rate?",
        "`rate * steps / abs(weight)`",
    ],
    praise="A typical weight of VGG16 has a size of about 0.01. Ten steps of 0.001, and it may be anything.",
    setup=NUMPY,
    solution="""
        def moved_share(weight, rate, steps):
            ### BEGIN SOLUTION
            return rate * steps / abs(weight)
            ### END SOLUTION
    """,
    alternatives=[
        "def moved_share(weight, rate, steps):\n    return sum(rate for _ in range(steps)) / np.sqrt(weight ** 2)",
        "def moved_share(weight, rate, steps):\n    return float(np.abs(rate * steps / weight))",
    ],
    wrong={
        "the size enters twice": "def moved_share(weight, rate, steps):\n    return rate * steps * abs(weight)",
        "one step only": "def moved_share(weight, rate, steps):\n    return rate / abs(weight)",
        "as gradient descent": "def moved_share(weight, rate, steps):\n    return 1 - (1 - rate) ** steps",
        "a negative share": "def moved_share(weight, rate, steps):\n    return rate * steps / weight",
        "the way, not the share": "def moved_share(weight, rate, steps):\n    return rate * steps",
    },
    refused=["def moved_share(weight, rate, steps):\n    return 1.0"],
)
def moved_share(moved_share):
    f = expect_callable(moved_share, "moved_share")
    for weight, rate, steps in ((0.01, 1e-3, 10), (-0.02, 1e-4, 40), (0.5, 0.01, 3)):
        got, right = expect_number(f(weight, rate, steps), "the share"), rate * steps / abs(weight)
        if close(got, right, 1e-6):
            continue
        for name, value, message in (
            (
                "a negative share",
                rate * steps / weight,
                "For a negative weight your share is negative. It is the size of the weight that counts.",
            ),
            (
                "the size enters twice",
                rate * steps * abs(weight),
                "You multiplied by the weight. Adam's step does not depend on its size, so a *small* weight moves by a larger share: divide.",
            ),
            (
                "one step only",
                rate / abs(weight),
                "That is one step. They were to go in one direction, so they add up.",
            ),
            (
                "as gradient descent",
                1 - (1 - rate) ** steps,
                "That is what weight decay would do. Adam's step is about the learning rate itself, whatever the weight.",
            ),
            (
                "the way, not the share",
                rate * steps,
                "That is how far it went. As a share of the weight's own size, divide by it.",
            ),
        ):
            if close(got, value, 1e-6):
                raise Misconception(name, message)
        raise Incorrect(
            f"For a weight of {weight}, a rate of {rate} and {steps} steps expected {right:g}, got {got:g}."
        )


control = Choice(
    "control",
    "The recipe as printed has a loss in the hundreds in its first steps. A colleague prepares the pixels *and* divides the rate by ten; the loss stays small, and he says that it was the raw pixels. What would settle it?",
    {
        "a": "Nothing more: the repair worked, so the cause was found",
        "b": "Two more runs: prepared pixels at the old rate, and raw pixels at the new one",
        "c": "The same run with five more seeds",
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
            "Seeds tell luck from effect. They do not tell one change from the other: both were in every run.",
        ),
        "d": ("later", "The question is what made the *first* steps explode."),
    },
    hints=[
        "How many things did he change at once?",
        "What differs from his run in one thing only?",
    ],
    praise="One switch at a time, or all combinations: everything else is a guess with a number beside it.",
)


@exercise(
    title="A main effect",
    hints=[
        "Go through the keys that have a 0 at place `switch`. Which key differs from such a one in that place only?",
        "The partner is `s[:switch] + (1,) + s[switch + 1:]`. Take `scores[partner] - scores[s]` for each, and the mean.",
    ],
    praise="Eight pairs for each switch from sixteen runs: every run is used four times over. That is why one measures all combinations.",
    setup=NUMPY,
    solution="""
        def main_effect(scores, switch):
            ### BEGIN SOLUTION
            pairs = [(s, s[:switch] + (1,) + s[switch + 1:]) for s in scores if s[switch] == 0]
            return np.mean([scores[on] - scores[off] for off, on in pairs])
            ### END SOLUTION
    """,
    alternatives=[
        "def main_effect(scores, switch):\n    on = [v for s, v in scores.items() if s[switch]]\n    off = [v for s, v in scores.items() if not s[switch]]\n    return sum(on) / len(on) - sum(off) / len(off)",
        "def main_effect(scores, switch):\n    keys = list(scores)\n    sign = np.array([1 if k[switch] == 1 else -1 for k in keys])\n    return 2 * np.mean(sign * np.array([scores[k] for k in keys]))",
    ],
    wrong={
        "one pair only": "def main_effect(scores, switch):\n    n = len(next(iter(scores)))\n    off = (0,) * n\n    on = tuple(int(i == switch) for i in range(n))\n    return scores[on] - scores[off]",
        "without minus with": "def main_effect(scores, switch):\n    on = [v for s, v in scores.items() if s[switch]]\n    off = [v for s, v in scores.items() if not s[switch]]\n    return np.mean(off) - np.mean(on)",
        "half of it": "def main_effect(scores, switch):\n    return np.mean([v if s[switch] else -v for s, v in scores.items()])",
        "a sum": "def main_effect(scores, switch):\n    return sum(v if s[switch] else -v for s, v in scores.items())",
        "all on minus all off": "def main_effect(scores, switch):\n    n = len(next(iter(scores)))\n    return scores[(1,) * n] - scores[(0,) * n]",
    },
    refused=[
        "def main_effect(scores, switch):\n    return np.mean([v for s, v in scores.items() if s[switch]])"
    ],
)
def main_effect(main_effect):
    f = expect_callable(main_effect, "main_effect")
    rng = np.random.default_rng(16)
    for switches in (3, 2, 4):
        scores = {
            key: float(v)
            for key, v in zip(np.ndindex(*(2,) * switches), rng.normal(size=2**switches).round(3))
        }
        for switch in range(switches):
            got = expect_number(f(dict(scores), switch), "the main effect")
            sign = sum(v if s[switch] else -v for s, v in scores.items())
            right = sign / 2 ** (switches - 1)
            if close(got, right, 1e-6):
                continue
            alone = tuple(int(i == switch) for i in range(switches))
            for name, value, message in (
                (
                    "one pair only",
                    scores[alone] - scores[(0,) * switches],
                    "That is one pair, with all other switches off. A main effect is the mean over all pairs.",
                ),
                (
                    "without minus with",
                    -right,
                    "The sign is turned round: *with* the switch minus without it.",
                ),
                (
                    "half of it",
                    right / 2,
                    "That is half of it: you divided by the number of runs, and there are half as many pairs.",
                ),
                ("a sum", sign, "That is the sum over the pairs. Take their mean."),
                (
                    "all on minus all off",
                    scores[(1,) * switches] - scores[(0,) * switches],
                    "All on minus all off changes every switch at once.",
                ),
            ):
                if close(got, value, 1e-6):
                    raise Misconception(name, message)
            raise Incorrect(
                f"For {switches} switches, the main effect of number {switch} should be {right:.4f}, got {got:.4f}."
            )


@exercise(
    title="Cover and ask",
    hints=[
        "Make one copy of the picture for each patch, cover the patch in its copy, and ask about all copies at once.",
        "The answer for the picture itself is `ask(image[None])[0]`; the fall is that minus `ask(copies)`, as a table of rows and columns.",
    ],
    praise="It needs nothing of the network but its answers, so it works on any model, even one that you cannot open.",
    setup=NUMPY,
    solution="""
        def cover(ask, image, patch, grey):
            ### BEGIN SOLUTION
            rows, columns = image.shape[0] // patch, image.shape[1] // patch
            copies = np.stack([image] * (rows * columns))
            for i, copy in enumerate(copies):
                y, x = patch * (i // columns), patch * (i % columns)
                copy[y:y + patch, x:x + patch] = grey
            return ask(image[None])[0] - ask(copies).reshape(rows, columns)
            ### END SOLUTION
    """,
    alternatives=[
        "def cover(ask, image, patch, grey):\n    before = float(ask(image[None])[0])\n    out = []\n    for y in range(0, image.shape[0], patch):\n        row = []\n        for x in range(0, image.shape[1], patch):\n"
        "            copy = image.copy()\n            copy[y:y + patch, x:x + patch] = grey\n            row.append(before - float(ask(copy[None])[0]))\n        out.append(row)\n    return out",
        "def cover(ask, image, patch, grey):\n    rows, columns = image.shape[0] // patch, image.shape[1] // patch\n    fall = np.empty((rows, columns))\n    for y, x in np.ndindex(rows, columns):\n        mask = np.zeros(image.shape[:2], bool)\n"
        "        mask[y * patch:(y + 1) * patch, x * patch:(x + 1) * patch] = True\n        fall[y, x] = ask(image[None])[0] - ask(np.where(mask[..., None], grey, image)[None])[0]\n    return fall",
    ],
    wrong={
        "rises, not falls": "def cover(ask, image, patch, grey):\n    out = np.empty((image.shape[0] // patch, image.shape[1] // patch))\n    for y, x in np.ndindex(*out.shape):\n        c = image.copy()\n        c[y * patch:(y + 1) * patch, x * patch:(x + 1) * patch] = grey\n        out[y, x] = ask(c[None])[0] - ask(image[None])[0]\n    return out",
        "the answers themselves": "def cover(ask, image, patch, grey):\n    out = np.empty((image.shape[0] // patch, image.shape[1] // patch))\n    for y, x in np.ndindex(*out.shape):\n        c = image.copy()\n        c[y * patch:(y + 1) * patch, x * patch:(x + 1) * patch] = grey\n        out[y, x] = ask(c[None])[0]\n    return out",
        "the picture stays covered": "def cover(ask, image, patch, grey):\n    before, c = ask(image[None])[0], image.copy()\n    out = np.empty((image.shape[0] // patch, image.shape[1] // patch))\n    for y, x in np.ndindex(*out.shape):\n        c[y * patch:(y + 1) * patch, x * patch:(x + 1) * patch] = grey\n        out[y, x] = before - ask(c[None])[0]\n    return out",
        "rows and columns exchanged": "def cover(ask, image, patch, grey):\n    out = np.empty((image.shape[1] // patch, image.shape[0] // patch))\n    for y, x in np.ndindex(*out.shape):\n        c = image.copy()\n        c[x * patch:(x + 1) * patch, y * patch:(y + 1) * patch] = grey\n        out[y, x] = ask(image[None])[0] - ask(c[None])[0]\n    return out",
        "covered with black": "def cover(ask, image, patch, grey):\n    out = np.empty((image.shape[0] // patch, image.shape[1] // patch))\n    for y, x in np.ndindex(*out.shape):\n        c = image.copy()\n        c[y * patch:(y + 1) * patch, x * patch:(x + 1) * patch] = 0\n        out[y, x] = ask(image[None])[0] - ask(c[None])[0]\n    return out",
    },
    refused=[
        "def cover(ask, image, patch, grey):\n    return np.zeros((image.shape[0] // patch, image.shape[1] // patch))"
    ],
)
def cover(cover):
    f = expect_callable(cover, "cover")
    rng = np.random.default_rng(7)
    for height, width, patch, grey in ((8, 12, 4, 100.0), (9, 6, 3, 55.0)):
        image = rng.integers(0, 256, (height, width, 1)).astype("float32")
        weight = rng.normal(size=(height, width, 1))

        def ask(batch, weight=weight):
            return (np.asarray(batch, "float64") * weight).sum(axis=(1, 2, 3)) / 100

        def fall(
            patch_grey,
            start=image,
            keep=False,
            image=image,
            ask=ask,
            patch=patch,
            shape=(height // patch, width // patch),
        ):
            out, copy = np.empty(shape), image.copy()
            for y, x in np.ndindex(*shape):
                copy = copy if keep else image.copy()
                copy[y * patch : (y + 1) * patch, x * patch : (x + 1) * patch] = patch_grey
                out[y, x] = ask(start[None])[0] - ask(copy[None])[0]
            return out

        got, right = expect_array(f(ask, image.copy(), patch, grey), what="the table"), fall(grey)
        if got.shape == right.shape and close(got, right, 1e-3):
            continue
        if got.shape == right.T.shape and got.shape != right.shape and close(got, right.T, 1e-3):
            raise Misconception(
                "rows and columns exchanged",
                "Your table lies on its side: one *row* for each row of patches.",
            )
        if got.shape != right.shape:
            raise Incorrect(
                f"For a picture of {height} by {width} and patches of {patch} expected a table of shape {right.shape}, got {got.shape}."
            )
        for name, value, message in (
            (
                "rises, not falls",
                -right,
                "The sign is turned round: a patch that speaks *for* the answer makes it fall when covered.",
            ),
            (
                "the answers themselves",
                ask(image[None])[0] - right,
                "Those are the answers for the covered pictures. Asked for is by how much they fall, against the picture itself.",
            ),
            (
                "the picture stays covered",
                fall(grey, keep=True),
                "Each patch stays covered when the next one is. Begin from a fresh copy every time.",
            ),
            (
                "covered with black",
                fall(0.0),
                "You covered with 0. Black is a strong statement to this network; `grey` was given.",
            ),
        ):
            if close(got, value, 1e-3):
                raise Misconception(name, message)
        raise Incorrect(
            f"For the first patch the answer falls by {right[0, 0]:.3f}, and yours says {got[0, 0]:.3f}."
        )


published = Choice(
    "published",
    "Your accuracy on these cells is 83 %, the published network has 88.42 %. What may you say?",
    {
        "a": "Your method is five points worse",
        "b": "Your method is better, since it took minutes and not hours",
        "c": "Nothing at all: numbers of different authors must never stand in one table",
        "d": "That yours stands in the same region; other splits, other pixels and other weights of the cells lie between the two, so the difference is not the method's alone",
    },
    right="d",
    wrong={
        "a": (
            "the difference is the method",
            "More than the method differs: which cells are in the test, how large the pictures are, how unsure cells are counted.",
        ),
        "b": (
            "cost is a score",
            "Cost is another axis. It may well be worth saying, but it does not make a lower score a higher one.",
        ),
        "c": (
            "never compare",
            "A landmark is useful as long as it is called one, and what differs is said beside it.",
        ),
    },
    hints=[
        "What would have to be equal for the difference to be the method's?",
        "Is there a word between *comparable* and *useless*?",
    ],
    praise="A landmark, and no replication: say so, and the reader can judge.",
)


@exercise(
    title="Beat this number",
    hints=[
        "The last block is not the best one here. Look at the ladder of blocks in part 4.",
        'Block 4, standardised, and a strongly regularised `LogisticRegression(C=0.003, class_weight="balanced")`.',
    ],
    praise="Which features, how strongly held, and both classes weighed alike: none of it was in the recipe as printed.",
    setup="""
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from translearn.exercises.lesson09 import _asked
        labels, by_block, asked_by_block, validation_labels = _asked()
    """,
    solution="""
        ### BEGIN SOLUTION
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, class_weight="balanced", max_iter=500))
        guesses = model.fit(by_block["block4"], labels).predict(asked_by_block["block4"])
        ### END SOLUTION
    """,
    alternatives=[
        "guesses = make_pipeline(StandardScaler(), LogisticRegression(C=0.001, class_weight='balanced')).fit(by_block['block4'], labels).predict(asked_by_block['block4']).tolist()",
        "guesses = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight='balanced', max_iter=500)).fit(by_block['block2'], labels).predict(asked_by_block['block2'])",
    ],
    wrong={
        "the answers themselves": "guesses = validation_labels",
        "on the training pictures": "guesses = labels",
        "scores, not classes": "guesses = np.eye(2)[validation_labels]",
    },
    refused=["guesses = validation_labels * 0", "guesses = validation_labels + 0.5"],
    reference=to_beat("vgg.rates", "30 epochs @ 0.01", "validation"),
)
def beat_it(guesses, reference):
    _, _, labels = _drawn("validation", 200)
    asked = SimpleNamespace(validation=_Counted(labels), class_names=("functional", "defective"))
    return better_guesses(guesses, asked, 120, reference, too_good=0.93) + " " + beat_it.praise


class _Counted:
    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)


def _drawn(part, count):
    """The lesson's `drawn(0, part, count)`."""
    from translearn import data

    whole = getattr(data.load("solar_cells", size=64), part)
    rows = np.sort(np.random.default_rng(0).permutation(len(whole))[:count])
    return whole.info["key"].iloc[rows], whole.images[rows], whole.labels[rows]


def _asked():
    from translearn import backbones, transfer

    body, blocks = backbones.load("vgg16", size=64), [f"block{b}" for b in range(1, 6)]
    (_, images, labels), (_, asked, answers) = _drawn("train", 120), _drawn("validation", 200)
    return (
        labels,
        *[
            transfer.cache_features(body, x, layers=blocks, progress=False)
            for x in (images, asked)
        ],
        answers,
    )
