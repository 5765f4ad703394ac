"""Exercises of lesson 03, Learning rates."""

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
    learners_code,
)


@exercise(
    title="How many steps?",
    hints=[
        "An epoch ends with whatever is left over: a last, smaller batch is a step too.",
        "Round up *within* an epoch: `-(-examples // batch_size)`, then times the epochs.",
    ],
    praise="Every schedule needs this number, and an off-by-one here is a schedule that never quite ends.",
    solution="""
        def total_steps(examples, batch_size, epochs):
            ### BEGIN SOLUTION
            return epochs * -(-examples // batch_size)
            ### END SOLUTION
    """,
    alternatives=[
        "import math\ndef total_steps(examples, batch_size, epochs):\n    return math.ceil(examples / batch_size) * epochs",
        "def total_steps(examples, batch_size, epochs):\n    return sum(1 for _ in range(epochs) for start in range(0, examples, batch_size))",
        "import numpy as np\ndef total_steps(examples, batch_size, epochs):\n    return np.ceil(examples / batch_size) * np.float32(epochs)",
    ],
    wrong={
        "the last batch counts": "def total_steps(examples, batch_size, epochs):\n    return examples // batch_size * epochs",
        "epochs do not share batches": "def total_steps(examples, batch_size, epochs):\n    return -(-examples * epochs // batch_size)",
        "steps of one epoch": "def total_steps(examples, batch_size, epochs):\n    return -(-examples // batch_size)",
    },
    refused=["def total_steps(examples, batch_size, epochs):\n    return examples * epochs"],
)
def total_steps(total_steps):
    f = expect_callable(total_steps, "total_steps")
    for examples, size, epochs in ((1724, 16, 3), (96, 32, 5), (10, 4, 2), (7, 16, 4)):
        right = epochs * -(-examples // size)
        got = expect_number(f(examples, size, epochs), "the number of steps")
        if got == right:
            continue
        if got == -(-examples // size):
            raise Misconception("steps of one epoch", f"{got:g} is one epoch. There are {epochs}.")
        if got == examples // size * epochs:
            raise Misconception(
                "the last batch counts",
                f"{examples} examples in batches of {size} leave a smaller last batch, and it is a step too.",
            )
        if got == -(-examples * epochs // size):
            raise Misconception(
                "epochs do not share batches",
                "No batch goes across the end of an epoch: round up within each epoch, then multiply.",
            )
        raise Incorrect(
            f"For {examples} examples, batches of {size} and {epochs} epochs expected {right}, got {got:g}."
        )


@exercise(
    title="Exponential decay",
    hints=[
        "After `decay_steps` steps the rate has been multiplied by `decay_rate` once. What is it after half as many?",
        "`first * decay_rate ** (step / decay_steps)`",
    ],
    praise="`decay_rate` is the factor over `decay_steps`, not over one step: that is how Keras means it too.",
    setup="import numpy as np",
    solution="""
        def exponential_decay(step, first, decay_steps, decay_rate):
            ### BEGIN SOLUTION
            return first * decay_rate ** (step / decay_steps)
            ### END SOLUTION
    """,
    alternatives=[
        "def exponential_decay(step, first, decay_steps, decay_rate):\n    return first * np.exp(np.log(decay_rate) * step / decay_steps)",
        "from translearn import optim\ndef exponential_decay(step, first, decay_steps, decay_rate):\n    return optim.exponential_decay(first, decay_steps, decay_rate)(step)",
        "import keras\ndef exponential_decay(step, first, decay_steps, decay_rate):\n"
        "    return keras.optimizers.schedules.ExponentialDecay(first, decay_steps, decay_rate)(step)",
    ],
    wrong={
        "the factor of one step": "def exponential_decay(step, first, decay_steps, decay_rate):\n    return first * decay_rate ** step",
        "e is not the factor": "def exponential_decay(step, first, decay_steps, decay_rate):\n    return first * np.exp(-decay_rate * step / decay_steps)",
        "a straight line": "def exponential_decay(step, first, decay_steps, decay_rate):\n    return first * (1 - (1 - decay_rate) * step / decay_steps)",
        "a staircase": "def exponential_decay(step, first, decay_steps, decay_rate):\n    return first * decay_rate ** (step // decay_steps)",
    },
    refused=[
        "def exponential_decay(step, first, decay_steps, decay_rate):\n    return decay_rate ** (step / decay_steps)",
        "def exponential_decay(step, first, decay_steps, decay_rate):\n    return first",
    ],
)
def exponential_decay(exponential_decay):
    f = expect_callable(exponential_decay, "exponential_decay")
    at = np.array([0, 1, 10, 55, 100, 230])
    for first, span, factor in ((0.1, 100, 0.5), (0.02, 40, 0.01)):
        got = np.array(
            [
                expect_number(f(int(step), first, span, factor), f"the rate at step {step}")
                for step in at
            ]
        )

        def like(
            rates, got=got
        ):  # small rates are compared by their ratio, and single precision is welcome
            return np.allclose(got, rates, rtol=1e-4, atol=1e-10)

        right = first * factor ** (at / span)
        if like(right):
            continue
        if like(first * factor ** at.astype(float)):
            raise Misconception(
                "the factor of one step",
                "You multiply by `decay_rate` at every step. It is the factor over `decay_steps` steps.",
            )
        if like(first * np.exp(-factor * at / span)):
            raise Misconception(
                "e is not the factor",
                "`exp(-decay_rate · …)` falls by another factor than `decay_rate`, which is itself the factor over `decay_steps` steps.",
            )
        if like(first * (1 - (1 - factor) * at / span)):
            raise Misconception(
                "a straight line",
                "That is a straight line through the two ends. Exponential decay multiplies by the same factor at every step.",
            )
        if like(first * factor ** (at // span)):
            raise Misconception(
                "a staircase",
                "`//` rounds down, so that the rate falls in stairs. That is the next exercise.",
            )
        wrong = int(np.flatnonzero(~np.isclose(got, right, rtol=1e-4, atol=1e-10))[0])
        raise Incorrect(
            f"At step {at[wrong]}, from {first} with a factor of {factor} over {span} steps, expected {right[wrong]:.6g}, got {got[wrong]:.6g}."
        )


@exercise(
    title="A staircase",
    hints=[
        "How many cuts have been made before this step? That is a whole number.",
        "`first * factor ** (step // every)`",
    ],
    praise="The same curve as exponential decay, rounded down to whole stairs: Keras calls it `staircase=True`.",
    setup="import numpy as np",
    solution="""
        def staircase(step, first, every, factor):
            ### BEGIN SOLUTION
            return first * factor ** (step // every)
            ### END SOLUTION
    """,
    alternatives=[
        "def staircase(step, first, every, factor):\n    rate = first\n    for _ in range(int(step // every)):\n        rate = rate * factor\n    return rate",
        "def staircase(step, first, every, factor):\n    return np.float32(first) * np.float32(factor) ** np.floor(step / every)",
        "from translearn import optim\ndef staircase(step, first, every, factor):\n    return optim.exponential_decay(first, every, factor, staircase=True)(step)",
    ],
    wrong={
        "a slope, not stairs": "def staircase(step, first, every, factor):\n    return first * factor ** (step / every)",
        "rounded, not rounded down": "def staircase(step, first, every, factor):\n    return first * factor ** np.round(step / every)",
        "only one stair": "def staircase(step, first, every, factor):\n    return first * (factor if step >= every else 1)",
        "cut from the first step": "def staircase(step, first, every, factor):\n    return first * factor ** (step // every + 1)",
    },
    refused=["def staircase(step, first, every, factor):\n    return first"],
)
def staircase(staircase):
    f = expect_callable(staircase, "staircase")
    first, factor = 0.1, 0.5
    for every in (10, 108):
        steps = [0, 1, every // 2 + 2, every - 1, every, every + 1, 2 * every, 3 * every + 4]
        got = np.array(
            [
                expect_number(f(step, first, every, factor), f"the rate at step {step}")
                for step in steps
            ]
        )
        at = np.array(steps)
        right = first * factor ** (at // every)
        if close(got, right, 1e-6):
            continue
        if close(got, first * factor ** (at / every), 1e-6):
            raise Misconception(
                "a slope, not stairs",
                "That falls a little at every step. A staircase stays level between two cuts.",
            )
        if close(got, first * factor ** np.round(at / every), 1e-6):
            raise Misconception(
                "rounded, not rounded down",
                "The first cut comes after half a stair. Round down, not to the nearest.",
            )
        if close(got, first * factor ** np.minimum(at // every, 1), 1e-6):
            raise Misconception(
                "only one stair",
                "There is one cut and no second. There is one every `every` steps.",
            )
        if close(got, first * factor ** (at // every + 1), 1e-6):
            raise Misconception(
                "cut from the first step",
                f"Step 0 already has the rate {got[0]:g}. The first `every` steps have the full one.",
            )
        wrong = int(np.flatnonzero(np.abs(got - right) > 1e-6)[0])
        raise Incorrect(
            f"With a cut every {every} steps, step {steps[wrong]} should have the rate {right[wrong]:.6g}, got {got[wrong]:.6g}."
        )


@exercise(
    title="Warm up, then half a cosine",
    hints=[
        "Two cases. In the first `warm` steps the rate is a straight line from 0; after that, count the steps from the end of the warm-up.",
        "`done = (step - warm) / (total - warm)`, and the rate is `first * 0.5 * (1 + np.cos(np.pi * done))`.",
    ],
    praise="This is what most large models are trained with.",
    setup="import numpy as np",
    solution="""
        def warm_cosine(step, first, warm, total):
            ### BEGIN SOLUTION
            if step < warm:
                return first * step / warm
            return first * 0.5 * (1 + np.cos(np.pi * (step - warm) / (total - warm)))
            ### END SOLUTION
    """,
    alternatives=[
        "import math\ndef warm_cosine(step, first, warm, total):\n    done = (step - warm) / (total - warm)\n"
        "    return first * step / warm if step < warm else first * math.cos(math.pi / 2 * done) ** 2",
        "from translearn import optim\ndef warm_cosine(step, first, warm, total):\n    return optim.warmup(first, warm, optim.cosine_decay(first, total - warm))(step)",
        "import keras\ndef warm_cosine(step, first, warm, total):\n"
        "    return keras.optimizers.schedules.CosineDecay(0.0, total - warm, warmup_target=first, warmup_steps=warm)(step)",
    ],
    wrong={
        "a jump after the warm-up": "def warm_cosine(step, first, warm, total):\n    if step < warm:\n        return first * step / warm\n    return first * 0.5 * (1 + np.cos(np.pi * step / total))",
        "a whole wave": "def warm_cosine(step, first, warm, total):\n    if step < warm:\n        return first * step / warm\n    return first * 0.5 * (1 + np.cos(2 * np.pi * (step - warm) / (total - warm)))",
        "no warm-up": "def warm_cosine(step, first, warm, total):\n    return first * 0.5 * (1 + np.cos(np.pi * max(step - warm, 0) / (total - warm)))",
        "it ends too late": "def warm_cosine(step, first, warm, total):\n    if step < warm:\n        return first * step / warm\n    return first * 0.5 * (1 + np.cos(np.pi * (step - warm) / total))",
    },
    refused=[
        "def warm_cosine(step, first, warm, total):\n    return first * 0.5 * (1 + np.cos(np.pi * step / total))"
    ],
)
def warm_cosine(warm_cosine):
    f = expect_callable(warm_cosine, "warm_cosine")
    for first, warm, total in ((0.1, 10, 100), (0.02, 32, 324)):
        at = np.array(
            [0, 1, warm // 2, warm - 1, warm, warm + 1, (warm + total) // 2, total - 5, total]
        )
        got = np.array(
            [
                expect_number(f(int(step), first, warm, total), f"the rate at step {step}")
                for step in at
            ]
        )

        def curve(done, early=True, at=at, warm=warm, first=first):
            return np.where(
                (at < warm) & early, first * at / warm, first * 0.5 * (1 + np.cos(np.pi * done))
            )

        done = (at - warm) / (total - warm)
        if close(got, curve(done), 1e-6):
            continue
        if close(got, curve(at / total), 1e-6):
            raise Misconception(
                "a jump after the warm-up",
                "The cosine starts to count at step 0, so the rate falls at once when the warm-up ends. It should start from its top there.",
            )
        if close(got, curve(2 * done), 1e-6):
            raise Misconception(
                "a whole wave",
                "The rate falls to zero half-way and climbs back to its top. Half a wave is enough: π, not 2π.",
            )
        if close(got, curve(np.maximum(done, 0), early=False), 1e-6):
            raise Misconception(
                "no warm-up",
                "The rate is full from the first step. During the warm-up it climbs from 0 in a straight line.",
            )
        if close(got, curve((at - warm) / total), 1e-6):
            raise Misconception(
                "it ends too late",
                "At the last step the rate is not zero. The cosine has only `total - warm` steps.",
            )
        right = curve(done)
        wrong = int(np.flatnonzero(np.abs(got - right) > 1e-6)[0])
        raise Incorrect(
            f"With {warm} of {total} steps of warm-up, step {at[wrong]} should have the rate {right[wrong]:.6g}, got {got[wrong]:.6g}."
        )


def _plateau(losses, first, factor, patience, *, reset=True, previous=False, late=0, early=False):
    """The rates of the epochs, by the rule or by one of its misreadings."""
    rate, best, waited, rates = first, np.inf, 0, []
    for loss in losses:
        if not early:
            rates.append(rate)
        better = loss < best
        waited = 0 if better else waited + 1
        best = loss if better or previous else best
        if waited >= patience + late:
            rate, waited = rate * factor, 0 if reset else waited
        if early:
            rates.append(rate)
    return rates


@exercise(
    title="Reduce on plateau",
    hints=[
        "Keep three things from epoch to epoch: the rate, the best loss so far, and how many epochs you have waited since it was set.",
        "For each loss: append the rate; if the loss is below the best, it is the new best and the waiting starts anew; otherwise you have waited one more, and after `patience` of them multiply the rate and start to wait anew.",
    ],
    praise="Keras asks in addition that a new best be better by at least `min_delta`.",
    solution="""
        def rates_on_plateau(losses, first, factor, patience):
            ### BEGIN SOLUTION
            rate, best, waited, rates = first, float("inf"), 0, []
            for loss in losses:
                rates.append(rate)
                best, waited = (loss, 0) if loss < best else (best, waited + 1)
                if waited == patience:
                    rate, waited = rate * factor, 0
            return rates
            ### END SOLUTION
    """,
    alternatives=[
        "import numpy as np\nfrom translearn import optim\ndef rates_on_plateau(losses, first, factor, patience):\n"
        "    watcher = optim.ReduceOnPlateau(first, factor, patience, min_delta=0)\n"
        "    return np.array([first] + [watcher.update(loss) for loss in losses])[:-1]",
        "def rates_on_plateau(losses, first, factor, patience):\n    rates, cuts, since = [], 0, 0\n    for i, loss in enumerate(losses):\n"
        "        rates.append(first * factor ** cuts)\n        if i == 0 or loss < min(losses[:i]):\n            since = i\n        elif i - since >= patience:\n"
        "            cuts, since = cuts + 1, i\n    return tuple(rates)",
    ],
    wrong={
        "worse than the last is not worse than the best": "def rates_on_plateau(losses, first, factor, patience):\n    rate, last, waited, rates = first, float('inf'), 0, []\n    for loss in losses:\n"
        "        rates.append(rate)\n        waited = 0 if loss < last else waited + 1\n        last = loss\n        if waited == patience:\n            rate, waited = rate * factor, 0\n    return rates",
        "the waiting is never reset": "def rates_on_plateau(losses, first, factor, patience):\n    rate, best, waited, rates = first, float('inf'), 0, []\n    for loss in losses:\n"
        "        rates.append(rate)\n        best, waited = (loss, 0) if loss < best else (best, waited + 1)\n        if waited >= patience:\n            rate = rate * factor\n    return rates",
        "one epoch too many": "def rates_on_plateau(losses, first, factor, patience):\n    rate, best, waited, rates = first, float('inf'), 0, []\n    for loss in losses:\n"
        "        rates.append(rate)\n        best, waited = (loss, 0) if loss < best else (best, waited + 1)\n        if waited > patience:\n            rate, waited = rate * factor, 0\n    return rates",
        "before the epoch was run": "def rates_on_plateau(losses, first, factor, patience):\n    rate, best, waited, rates = first, float('inf'), 0, []\n    for loss in losses:\n"
        "        best, waited = (loss, 0) if loss < best else (best, waited + 1)\n        if waited == patience:\n            rate, waited = rate * factor, 0\n        rates.append(rate)\n    return rates",
    },
    refused=[
        "def rates_on_plateau(losses, first, factor, patience):\n    return [first] * len(losses)"
    ],
)
def rates_on_plateau(rates_on_plateau):
    f = expect_callable(rates_on_plateau, "rates_on_plateau")
    tries = (
        ([2.0, 1.5, 1.7, 1.6, 1.55, 1.4, 1.6, 1.5, 1.7, 1.8, 1.3], 0.1, 0.5, 2),
        ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], 0.02, 0.1, 3),
        ([3.0, 2.0, 1.0, 0.5, 0.6], 0.3, 0.5, 1),
    )
    given = [
        expect_array(
            f(list(losses), first, factor, patience),
            shape=(len(losses),),
            what="the rates, one for each epoch",
        )
        for losses, first, factor, patience in tries
    ]

    def like(**reading):
        return all(
            np.allclose(got, _plateau(*each, **reading), rtol=1e-5, atol=0)
            for got, each in zip(given, tries)
        )

    if like():
        return
    if like(early=True):
        raise Misconception(
            "before the epoch was run",
            "A cut shows in the very epoch whose loss caused it. But that loss is known only at its end: the next epoch is the first with the new rate.",
        )
    if like(previous=True):
        raise Misconception(
            "worse than the last is not worse than the best",
            "You compare with the epoch before. A loss that goes up and halfway down again is no improvement: compare with the best so far.",
        )
    if like(reset=False):
        raise Misconception(
            "the waiting is never reset",
            "After the first cut you cut in every epoch. A new rate deserves its own patience.",
        )
    if like(late=1):
        raise Misconception("one epoch too many", "You wait for one epoch more than `patience`.")
    for got, each in zip(given, tries):
        right = np.array(_plateau(*each))
        if not np.allclose(got, right, rtol=1e-5, atol=0):
            at = int(np.flatnonzero(~np.isclose(got, right, rtol=1e-5, atol=0))[0])
            raise Incorrect(
                f"For the losses {each[0]} with patience {each[3]}, epoch {at} should have the rate {right[at]:g}, got {got[at]:g}."
            )


@exercise(
    title="Mend the schedule",
    hints=[
        "Keras asks the schedule once a *batch*. Over how many batches should the rate fall?",
        "`decay_steps=epochs * steps_per_epoch`, and `decay_rate=last / first`.",
    ],
    praise="`decay_steps` is called steps because it means steps.",
    setup="import keras",
    solution="""
        def schedule_over(epochs, steps_per_epoch, first, last):
            ### BEGIN SOLUTION
            return keras.optimizers.schedules.ExponentialDecay(first, decay_steps=epochs * steps_per_epoch, decay_rate=last / first)
            ### END SOLUTION
    """,
    alternatives=[
        "def schedule_over(epochs, steps_per_epoch, first, last):\n    return keras.optimizers.schedules.ExponentialDecay(first, steps_per_epoch, (last / first) ** (1 / epochs))",
        "from translearn import optim\ndef schedule_over(epochs, steps_per_epoch, first, last):\n    return optim.exponential_decay(first, epochs * steps_per_epoch, last / first)",
    ],
    wrong={
        "epochs fed with steps": "def schedule_over(epochs, steps_per_epoch, first, last):\n    return keras.optimizers.schedules.ExponentialDecay(first, epochs, last / first)",
        "the end is a factor": "def schedule_over(epochs, steps_per_epoch, first, last):\n    return keras.optimizers.schedules.ExponentialDecay(first, epochs * steps_per_epoch, last)",
        "all of it in one epoch": "def schedule_over(epochs, steps_per_epoch, first, last):\n    return keras.optimizers.schedules.ExponentialDecay(first, steps_per_epoch, last / first)",
    },
    refused=[
        "def schedule_over(epochs, steps_per_epoch, first, last):\n    return keras.optimizers.schedules.CosineDecay(first, epochs * steps_per_epoch)",
        "def schedule_over(epochs, steps_per_epoch, first, last):\n    return first",
    ],
)
def schedule_over(schedule_over):
    f = expect_callable(schedule_over, "schedule_over")
    for epochs, per_epoch, first, last in ((12, 108, 0.02, 0.0002), (5, 40, 0.1, 0.01)):
        schedule = f(epochs, per_epoch, first, last)
        if not callable(schedule):
            raise Incorrect(
                "Return the schedule itself: something that can be called with a step and gives the rate."
            )
        steps = [0, 1, per_epoch, per_epoch * epochs // 2, per_epoch * epochs]
        with learners_code("your schedule, called with a step"):
            asked = [schedule(step) for step in steps]
        got = [expect_number(rate, f"the rate at step {step}") for rate, step in zip(asked, steps)]

        def like(span, factor, steps=steps, got=got, first=first):
            return np.allclose(
                got, [first * factor ** (step / span) for step in steps], rtol=1e-3, atol=1e-12
            )

        if like(epochs * per_epoch, last / first):
            continue
        if like(epochs, last / first):
            raise Misconception(
                "epochs fed with steps",
                f"After one epoch the rate is down to {got[2]:.2g}. `decay_steps` counts batches, and an epoch here has {per_epoch} of them.",
            )
        if like(epochs * per_epoch, last):
            raise Misconception(
                "the end is a factor",
                f"It ends at {got[-1]:.2g} instead of {last:g}: `decay_rate` is what the first rate is multiplied by, so it is `last / first`.",
            )
        if like(per_epoch, last / first):
            raise Misconception(
                "all of it in one epoch",
                f"The rate {last:g} is reached after one epoch already, and it goes on falling. It should take all {epochs}.",
            )
        raise Incorrect(
            f"From {first:g} to {last:g} over {epochs} epochs of {per_epoch} steps, the steps {steps} should have the rates "
            f"{', '.join(f'{first * (last / first) ** (s / steps[-1]):.3g}' for s in steps)}; got {', '.join(f'{g:.3g}' for g in got)}."
        )


def _range_tests():
    """What three range tests saw: rates and losses of single batches, two of them lucky, and the rate of the lowest average."""
    rates = np.geomspace(1e-4, 10, 121)
    t = np.log10(rates)
    for seed, edge in enumerate((-0.3, 0.2, -0.8)):
        losses = 2.5 - 0.5 * np.clip(t - edge + 1.8, 0, 1.8) + 5 * np.maximum(t - edge, 0)
        at = int(np.argmin(losses))
        losses = losses + np.random.default_rng(seed).normal(0, 0.06, len(t))
        losses[[at - 40, 6]] = 0.25, 0.3
        yield rates, losses, rates[at]


@exercise(
    title="Read a range test",
    hints=[
        '`np.convolve(losses, np.ones(9) / 9, mode="valid")` averages nine batches at a time. Its first value belongs to the middle of the first nine, so to place 4.',
        "`rates[np.argmin(smooth) + 4] / 10`",
    ],
    praise="At the lowest point itself the rate is already too large: the loss has stopped falling because the steps have become too long.",
    setup="import numpy as np",
    solution="""
        def read_range_test(rates, losses):
            ### BEGIN SOLUTION
            smooth = np.convolve(losses, np.ones(9) / 9, mode="valid")
            return rates[np.argmin(smooth) + 4] / 10
            ### END SOLUTION
    """,
    alternatives=[
        "def read_range_test(rates, losses):\n    means = [np.mean(losses[i - 4:i + 5]) for i in range(4, len(losses) - 4)]\n    return float(rates[4 + int(np.argmin(means))]) / 10",
        "import pandas as pd\ndef read_range_test(rates, losses):\n    smooth = pd.Series(losses).rolling(9, center=True).mean()\n    return rates[smooth.idxmin()] / 10",
        "from scipy.ndimage import uniform_filter1d\ndef read_range_test(rates, losses):\n    return np.float32(rates[np.argmin(uniform_filter1d(losses, 11, mode='nearest'))] / 10)",
    ],
    wrong={
        "one lucky batch": "def read_range_test(rates, losses):\n    return rates[np.argmin(losses)] / 10",
        "the lowest point itself": "def read_range_test(rates, losses):\n    smooth = np.convolve(losses, np.ones(9) / 9, mode='valid')\n    return rates[np.argmin(smooth) + 4]",
        "zeros beyond the end": "def read_range_test(rates, losses):\n    smooth = np.convolve(losses, np.ones(9) / 9, mode='same')\n    return rates[np.argmin(smooth)] / 10",
        "the explosion": "def read_range_test(rates, losses):\n    return rates[np.argmax(losses)] / 10",
        "a place, not a rate": "def read_range_test(rates, losses):\n    return np.argmin(np.convolve(losses, np.ones(9) / 9, mode='valid')) + 4",
    },
    refused=[
        "def read_range_test(rates, losses):\n    return 0.01",
        "def read_range_test(rates, losses):\n    return rates[40]",
    ],
)
def read_range_test(read_range_test):
    f = expect_callable(read_range_test, "read_range_test")
    given = [
        (rates, losses, lowest, expect_number(f(rates, losses), "the rate"))
        for rates, losses, lowest in _range_tests()
    ]

    def like(rule, tol=1e-6):
        return all(
            abs(got - rule(rates, losses)) <= tol * rule(rates, losses)
            for rates, losses, _, got in given
        )

    near = [0.5 < 10 * got / lowest < 1.5 for _, _, lowest, got in given]
    if all(near):
        return
    if all(0.5 < got / lowest < 1.5 for _, _, lowest, got in given):
        raise Misconception(
            "the lowest point itself",
            "There the loss has stopped falling: the steps are already too long. Take a tenth of that rate.",
        )
    if like(lambda r, x: r[np.argmin(x)] / 10) or like(lambda r, x: r[np.argmin(x)]):
        raise Misconception(
            "one lucky batch",
            "That is the lowest loss of a single batch, which was luck. Average over several batches first.",
        )
    if like(lambda r, x: r[np.argmin(np.convolve(x, np.ones(9) / 9, mode="same"))] / 10):
        raise Misconception(
            "zeros beyond the end",
            "`mode='same'` acts as if zeros stood before the first loss and after the last, which pulls the averages at both ends down. Use `mode='valid'`.",
        )
    if like(lambda r, x: r[np.argmax(x)] / 10):
        raise Misconception("the explosion", "That is where the loss is highest.")
    if like(lambda r, x: np.argmin(np.convolve(x, np.ones(9) / 9, mode="valid")) + 4, tol=0.2):
        raise Misconception(
            "a place, not a rate",
            f"{given[0][3]:g} is a *position*. Return a tenth of the rate that stands there.",
        )
    rates, losses, lowest, got = given[near.index(False)]
    raise Incorrect(f"Expected a rate near {lowest / 10:.2g}, got {got:.2g}.")


@exercise(
    title="The largest stable rate",
    hints=[
        "In each of the eigenvectors' directions the loss is a bowl of its own, with the eigenvalue as its curvature. Which of the bowls is the first to throw you out?",
        "`2 / np.linalg.eigvalsh(hessian).max()`",
    ],
    praise="One steep direction sets the limit for all, and the flat ones have to wait: that is why a ravine is slow.",
    setup="import numpy as np",
    solution="""
        def largest_stable_rate(hessian):
            ### BEGIN SOLUTION
            return 2 / np.linalg.eigvalsh(hessian).max()
            ### END SOLUTION
    """,
    alternatives=[
        "def largest_stable_rate(hessian):\n    return 2 / np.linalg.norm(hessian, 2)",
        "def largest_stable_rate(hessian):\n    return 2 / max(np.linalg.eigvals(hessian).real)",
        "def largest_stable_rate(hessian):\n    v = np.random.default_rng(0).normal(size=len(hessian))\n    for _ in range(2000):\n        v = hessian @ v\n        v /= np.linalg.norm(v)\n    return 2 / (v @ hessian @ v)",
    ],
    wrong={
        "the flattest direction": "def largest_stable_rate(hessian):\n    return 2 / np.linalg.eigvalsh(hessian).min()",
        "half of the edge": "def largest_stable_rate(hessian):\n    return 1 / np.linalg.eigvalsh(hessian).max()",
        "the average direction": "def largest_stable_rate(hessian):\n    return 2 / np.linalg.eigvalsh(hessian).mean()",
        "the axes are not the directions": "def largest_stable_rate(hessian):\n    return 2 / np.diag(hessian).max()",
    },
    refused=[
        "def largest_stable_rate(hessian):\n    return 0.5",
        "def largest_stable_rate(hessian):\n    return 2 / np.abs(hessian).sum()",
    ],
)
def largest_stable_rate(largest_stable_rate):
    f = expect_callable(largest_stable_rate, "largest_stable_rate")
    for values, turn in (([4.0, 1.0], 0.0), ([10.0, 0.5], 0.5), ([30.0, 2.0], 1.1)):
        q = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        hessian = q @ np.diag(values) @ q.T
        got = expect_number(f(hessian), "the largest stable rate")
        right = 2 / max(values)
        if abs(got - right) < 1e-4 * right:
            continue
        named = {
            "the flattest direction": (
                2 / min(values),
                "At that rate only the flattest direction is on the edge; the steepest has long left.",
            ),
            "half of the edge": (
                1 / max(values),
                "At 1 / curvature one step lands exactly on the goal. The edge is where a step lands as far away on the other side.",
            ),
            "the average direction": (
                2 / np.mean(values),
                "No direction is the average one. The steepest diverges first.",
            ),
            "the axes are not the directions": (
                2 / np.diag(hessian).max(),
                "The diagonal is the curvature along the axes. The steepest direction may lie between them: take the eigenvalues.",
            ),
        }
        for name, (value, why) in named.items():
            if abs(got - value) < 1e-4 * value:
                raise Misconception(name, why)
        raise Incorrect(
            f"For curvatures of {values[0]:g} and {values[1]:g} expected {right:.4g}, got {got:.4g}."
        )


@exercise(
    title="How does the rate grow with the batch?",
    hints=[
        "A power law is a straight line when both axes are logarithmic, and the exponent is its slope.",
        "`np.polyfit(np.log(sizes), np.log(rates), 1)[0]`",
    ],
    praise="1 would be the linear scaling rule, ½ the square-root rule. Now try it on the sizes and rates of this lesson.",
    setup="import numpy as np",
    solution="""
        def scaling_exponent(sizes, rates):
            ### BEGIN SOLUTION
            return np.polyfit(np.log(sizes), np.log(rates), 1)[0]
            ### END SOLUTION
    """,
    alternatives=[
        "def scaling_exponent(sizes, rates):\n    a, b = np.log2(sizes), np.log2(rates)\n    return np.cov(a, b)[0, 1] / np.var(a, ddof=1)",
        "from scipy.stats import linregress\ndef scaling_exponent(sizes, rates):\n    return linregress(np.log10(sizes), np.log10(rates)).slope",
    ],
    wrong={
        "a slope without logarithms": "def scaling_exponent(sizes, rates):\n    return np.polyfit(sizes, rates, 1)[0]",
        "only one logarithm": "def scaling_exponent(sizes, rates):\n    return np.polyfit(np.log(sizes), rates, 1)[0]",
        "upside down": "def scaling_exponent(sizes, rates):\n    return np.polyfit(np.log(rates), np.log(sizes), 1)[0]",
    },
    refused=[
        "def scaling_exponent(sizes, rates):\n    return 1.0",
        "def scaling_exponent(sizes, rates):\n    return rates[-1] / rates[0]",
    ],
)
def scaling_exponent(scaling_exponent):
    f = expect_callable(scaling_exponent, "scaling_exponent")
    for sizes, rates in (
        ([8, 16, 32, 64], [0.01, 0.02, 0.04, 0.08]),
        ([8, 32, 128, 512], [0.01, 0.02, 0.04, 0.08]),
        ([16, 32, 64, 256], [0.01, 0.03, 0.02, 0.1]),
    ):
        sizes, rates = np.array(sizes), np.array(rates)

        def slope(a, b):
            return np.polyfit(a, b, 1)[0]

        a, b = np.log(sizes), np.log(rates)
        got, right = expect_number(f(sizes, rates), "the exponent"), slope(a, b)
        if close(got, right, 1e-6):
            continue
        if close(got, slope(sizes, rates), 1e-9):
            raise Misconception(
                "a slope without logarithms",
                "That is the slope of the rates themselves. A power law is a straight line only between logarithms.",
            )
        if close(got, slope(a, rates), 1e-9):
            raise Misconception("only one logarithm", "You took the logarithm of the sizes only.")
        if close(got, slope(b, a), 1e-6):
            raise Misconception("upside down", "You fitted the sizes as a power of the rates.")
        raise Incorrect(
            f"For sizes {sizes.tolist()} and rates {rates.tolist()} expected {right:.4g}, got {got:.4g}."
        )


smaller_batch = Choice(
    "smaller_batch",
    "“Training is too slow: use a smaller batch.” What did this lesson measure?",
    {
        "a": "True: smaller batches make an epoch faster, since each step computes less",
        "b": "False in every sense: larger batches were better in epochs, steps and seconds",
        "c": "A smaller batch made an epoch slower in seconds, but fewer epochs were needed; which one wins in seconds had to be measured",
        "d": "The batch size made no difference once the rate was tuned",
    },
    right="c",
    wrong={
        "a": (
            "a step is not an epoch",
            "Each step computes less, but there are far more of them, and each has a cost that does not shrink with the batch.",
        ),
        "b": (
            "epochs, steps and seconds differ",
            "Look at the three curves again: they do not have their lowest point at the same size.",
        ),
        "d": (
            "tuning cannot hide the steps",
            "The rates were tuned, and the steps to the target still differ many times over.",
        ),
    },
    hints=[
        "The sentence does not say what is slow: a step, an epoch, or the way to a target. Look at the three curves of part 4.",
        "Compare where each of the three curves has its lowest point.",
    ],
    praise="“Faster” needs a unit.",
)


unfair = Choice(
    "unfair",
    "A blog trains with Adam at 0.1, once with a constant rate and once with exponential decay from 0.1. Decay is 20 points better. What has been shown?",
    {
        "a": "That decay helps",
        "b": "That 0.1 is too high for a constant rate; whether decay helps, a second search for the constant rate would have to show",
        "c": "That a constant rate of 0.1 is bad luck; more seeds would help",
        "d": "That decay should start even higher",
    },
    right="b",
    wrong={
        "a": (
            "one rate for both is not fair",
            "We did the same at ten times the best rate and saw the same. With each rate tuned, hardly anything of it was left.",
        ),
        "c": (
            "spread is not bias",
            "More seeds make the difference more certain, not fairer: every seed has the same handicap.",
        ),
        "d": ("beyond the evidence", "Nothing was tried above 0.1."),
    },
    hints=[
        "What was held equal, and was that the thing that should be equal?",
        "The two runs have the same *first* rate, but on average a very different one.",
    ],
    praise="Whenever one arm was tuned and the other was not, you have measured the tuning.",
)


@functools.cache
def _to_beat():
    from translearn import measure

    results = measure.recorded("rates.tuned_for_three_epochs")
    return max(
        float(np.mean(results.values(arm, "validation")))
        for arm in results.arms
        if arm.startswith("constant @ ")
    )


@exercise(
    title="Beat this number",
    hints=[
        "Everything but the number of epochs is yours: the schedule, its first rate, the batch size, the optimiser, the width of the network.",
        "More hidden units, say 512, and a cosine from a first rate of 0.02 over all 324 steps.",
    ],
    praise="A wider network was worth more than any schedule of this lesson. Before polishing the rate, look at what else is still free.",
    setup="""
        import keras
        import numpy as np
        from translearn import backbones, data, transfer
        emoji = data.load("emoji_styles")
        backbone = backbones.load("efficientnet_lite0")
        parts = ("train", "validation")
        raw = {part: transfer.cache_features(backbone, getattr(emoji, part).images, layers=["block13"], progress=False)["block13"] for part in parts}
        x = {part: (raw[part] - raw["train"].mean(axis=0)) / raw["train"].std(axis=0) for part in parts}
        y = {part: getattr(emoji, part).labels for part in parts}
    """,
    solution="""
        ### BEGIN SOLUTION
        keras.utils.set_random_seed(0)
        mine = keras.Sequential([keras.Input((192,)), keras.layers.Dense(512, activation="relu"), keras.layers.Dense(12)])
        rate = keras.optimizers.schedules.CosineDecay(0.02, decay_steps=324)
        mine.compile(keras.optimizers.SGD(rate, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        mine.fit(x["train"], y["train"], epochs=3, batch_size=16, verbose=0)
        guesses = mine.predict(x["validation"], verbose=0).argmax(axis=1)
        ### END SOLUTION
    """,
    alternatives=[
        "keras.utils.set_random_seed(1)\nmine = keras.Sequential([keras.Input((192,)), keras.layers.Dense(1024, activation='relu'), keras.layers.Dense(12)])\n"
        "rate = keras.optimizers.schedules.ExponentialDecay(0.03, 324, 0.01)\n"
        "mine.compile(keras.optimizers.SGD(rate, momentum=0.9, nesterov=True), keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n"
        "mine.fit(x['train'], y['train'], epochs=3, batch_size=16, verbose=0)\nguesses = list(mine.predict(x['validation'], verbose=0).argmax(axis=1))",
        "from sklearn.svm import SVC\nguesses = SVC(C=10, class_weight='balanced').fit(x['train'], y['train']).predict(x['validation'])",
    ],
    wrong={
        "the answers themselves": "guesses = y['validation']",
        "on the training pictures": "guesses = y['train']",
        "scores, not classes": "guesses = np.zeros((len(y['validation']), 12))",
    },
    refused=["guesses = y['validation'] * 0", "guesses = y['validation'] + 0.5"],
    reference=lambda: _to_beat(),
)
def beat_it(guesses, reference):
    from translearn import data

    emoji = data.load("emoji_styles")
    return (
        better_guesses(guesses, emoji, len(emoji.train), reference, too_good=0.8)
        + " "
        + beat_it.praise
    )
