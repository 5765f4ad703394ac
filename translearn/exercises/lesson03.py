"""Exercises of lesson 03, Learning rates."""

import functools

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    better_guesses,
    exercise,
    expect_better,
    expect_callable,
    expect_number,
    learners_code,
)

total_steps = Function(
    "total_steps",
    title="How many steps?",
    hints=[
        "An epoch ends with whatever is left over: a last, smaller batch is a step too.",
        "Round up *within* an epoch: `-(-examples // batch_size)`, then times the epochs.",
    ],
    praise="Every schedule needs this number, and an off-by-one here is a schedule that never "
    "quite ends.",
    probes=[(1724, 16, 3), (96, 32, 5), (10, 4, 2), (7, 16, 4)],
    mistakes=[
        Mistake(
            "the last batch counts",
            "What is left over at the end of an epoch makes a smaller last batch, and it is a "
            "step too.",
            lambda examples, batch_size, epochs: examples // batch_size * epochs,
        ),
        Mistake(
            "epochs do not share batches",
            "No batch goes across the end of an epoch: round up within each epoch, then multiply.",
            lambda examples, batch_size, epochs: -(-examples * epochs // batch_size),
        ),
        Mistake(
            "steps of one epoch",
            "Those are the steps of one epoch. There are several.",
            lambda examples, batch_size, epochs: -(-examples // batch_size),
        ),
    ],
)


exponential_decay = Function(
    "exponential_decay",
    title="Exponential decay",
    hints=[
        "After `decay_steps` steps the rate has been multiplied by `decay_rate` once. What is "
        "it after half as many?",
        "`first * decay_rate ** (step / decay_steps)`",
    ],
    praise="`decay_rate` is the factor over `decay_steps`, not over one step: that is how Keras "
    "means it too.",
    probes=[
        *((step, 0.1, 100, 0.5) for step in (0, 1, 10, 55, 100, 230)),
        *((step, 0.4, 40, 0.1) for step in (0, 3, 39, 40, 60)),
    ],
    mistakes=[
        Mistake(
            "the factor of one step",
            "You multiply by `decay_rate` at every step. It is the factor over `decay_steps` "
            "steps.",
            lambda step, first, decay_steps, decay_rate: first * decay_rate**step,
        ),
        Mistake(
            "e is not the factor",
            "`exp(-decay_rate · …)` falls by another factor than `decay_rate`, which is itself "
            "the factor over `decay_steps` steps.",
            lambda step, first, decay_steps, decay_rate: (
                first * np.exp(-decay_rate * step / decay_steps)
            ),
        ),
        Mistake(
            "a straight line",
            "That is a straight line through the two ends. Exponential decay multiplies by the "
            "same factor at every step.",
            lambda step, first, decay_steps, decay_rate: (
                first * (1 - (1 - decay_rate) * step / decay_steps)
            ),
        ),
        Mistake(
            "a staircase",
            "`//` rounds down, so that the rate falls in stairs. That is the next exercise.",
            lambda step, first, decay_steps, decay_rate: (
                first * decay_rate ** (step // decay_steps)
            ),
        ),
    ],
)


staircase = Function(
    "staircase",
    title="A staircase",
    hints=[
        "How many cuts have been made before this step? That is a whole number.",
        "`first * factor ** (step // every)`",
    ],
    praise="The same curve as exponential decay, rounded down to whole stairs: Keras calls it "
    "`staircase=True`.",
    probes=[
        *((step, 0.1, 10, 0.5) for step in (0, 1, 7, 9, 10, 11, 20, 34)),
        *((step, 0.4, 108, 0.1) for step in (0, 56, 107, 108, 109, 216)),
    ],
    mistakes=[
        Mistake(
            "a slope, not stairs",
            "That falls a little at every step. A staircase stays level between two cuts.",
            lambda step, first, every, factor: first * factor ** (step / every),
        ),
        Mistake(
            "rounded, not rounded down",
            "The first cut comes after half a stair. Round down, not to the nearest.",
            lambda step, first, every, factor: first * factor ** np.round(step / every),
        ),
        Mistake(
            "only one stair",
            "There is one cut and no second. There is one every `every` steps.",
            lambda step, first, every, factor: first * (factor if step >= every else 1),
        ),
        Mistake(
            "cut from the first step",
            "Step 0 has been cut already. The first `every` steps have the full rate.",
            lambda step, first, every, factor: first * factor ** (step // every + 1),
        ),
    ],
)


def warm_then(curve):
    """A schedule with a straight warm-up, and `curve(step, first, warm, total)` after it."""
    return lambda step, first, warm, total: (
        first * step / warm if step < warm else curve(step, first, warm, total)
    )


def half_wave(done):
    return 0.5 * (1 + np.cos(np.pi * done))


warm_cosine = Function(
    "warm_cosine",
    title="Warm up, then half a cosine",
    hints=[
        "Two cases. In the first `warm` steps the rate is a straight line from 0; after that, "
        "count the steps from the end of the warm-up.",
        "`done = (step - warm) / (total - warm)`, and the rate is "
        "`first * 0.5 * (1 + np.cos(np.pi * done))`.",
    ],
    praise="This is what most large models are trained with.",
    probes=[
        *((step, 0.1, 10, 100) for step in (0, 1, 5, 9, 10, 11, 55, 95, 100)),
        *((step, 0.02, 32, 324) for step in (0, 16, 31, 32, 178, 319, 324)),
    ],
    mistakes=[
        Mistake(
            "a jump after the warm-up",
            "The cosine starts to count at step 0, so the rate falls at once when the warm-up "
            "ends. It should start from its top there.",
            warm_then(lambda step, first, warm, total: first * half_wave(step / total)),
        ),
        Mistake(
            "a whole wave",
            "The rate falls to zero half-way and climbs back to its top. Half a wave is enough: "
            "π, not 2π.",
            warm_then(
                lambda step, first, warm, total: (
                    first * half_wave(2 * (step - warm) / (total - warm))
                )
            ),
        ),
        Mistake(
            "no warm-up",
            "The rate is full from the first step. During the warm-up it climbs from 0 in a "
            "straight line.",
            lambda step, first, warm, total: (
                first * half_wave(max(step - warm, 0) / (total - warm))
            ),
        ),
        Mistake(
            "it ends too late",
            "At the last step the rate is not zero. The cosine has only `total - warm` steps.",
            warm_then(lambda step, first, warm, total: first * half_wave((step - warm) / total)),
        ),
    ],
)


def misread_plateau(reset=True, previous=False, late=0, early=False):
    """The rule of the exercise, with one of its misreadings."""

    def rates_of(losses, first, factor, patience):
        rate, best, waited, rates = first, np.inf, 0, []
        for loss in losses:
            before = rate
            better = loss < best
            waited = 0 if better else waited + 1
            best = loss if better or previous else best
            if waited >= patience + late:
                rate, waited = rate * factor, 0 if reset else waited
            rates.append(rate if early else before)
        return rates

    return rates_of


rates_on_plateau = Function(
    "rates_on_plateau",
    title="Reduce on plateau",
    hints=[
        "Keep three things from epoch to epoch: the rate, the best loss so far, and how many "
        "epochs you have waited since it was set.",
        "For each loss: append the rate; if the loss is below the best, it is the new best and "
        "the waiting starts anew; otherwise you have waited one more, and after `patience` of "
        "them multiply the rate and start to wait anew.",
    ],
    praise="Keras asks in addition that a new best be better by at least `min_delta`.",
    probes=[
        ([2.0, 1.5, 1.7, 1.6, 1.55, 1.4, 1.6, 1.5, 1.7, 1.8, 1.3], 0.1, 0.5, 2),
        ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], 0.4, 0.1, 3),
        ([3.0, 2.0, 1.0, 0.5, 0.6, 0.7], 0.3, 0.5, 1),
        ([1.0, 1.0, 1.0, 1.0, 0.9, 0.9], 0.2, 0.5, 2),  # as good as the best is not better
    ],
    mistakes=[
        Mistake(
            "worse than the last is not worse than the best",
            "You compare with the epoch before. A loss that goes up and halfway down again is "
            "no improvement: compare with the best so far.",
            misread_plateau(previous=True),
        ),
        Mistake(
            "the waiting is never reset",
            "After the first cut you cut in every epoch. A new rate deserves its own patience.",
            misread_plateau(reset=False),
        ),
        Mistake(
            "one epoch too many",
            "You wait for one epoch more than `patience`.",
            misread_plateau(late=1),
        ),
        Mistake(
            "before the epoch was run",
            "A cut shows in the very epoch whose loss caused it. But that loss is known only at "
            "its end: the next epoch is the first with the new rate.",
            misread_plateau(early=True),
        ),
    ],
)


def names_of_keras():
    import keras

    return {"keras": keras}


def keras_decay(first, decay_steps, decay_rate):
    import keras

    return keras.optimizers.schedules.ExponentialDecay(first, decay_steps, decay_rate)


def its_rates(schedule):
    """{in words: the rate} of a schedule over the 600 steps that both probes have."""
    import keras

    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise Incorrect(
            "Return one of Keras's schedules, from `keras.optimizers.schedules`: an object that "
            "can be called with a step and gives the rate."
        )
    steps = (0, 1, 50, 120, 300, 599, 600)
    with learners_code("your schedule, called with a step"):
        rates = [schedule(step) for step in steps]
    return {
        f"step {step}": expect_number(rate, f"the rate at step {step}")
        for step, rate in zip(steps, rates)
    }


schedule_over = Function(
    "schedule_over",
    title="Mend the schedule",
    hints=[
        "Keras asks the schedule once a *batch*. Over how many batches should the rate fall?",
        "`decay_steps=epochs * steps_per_epoch`, and `decay_rate=last / first`.",
    ],
    praise="`decay_steps` is called steps because it means steps.",
    probes=[(12, 50, 0.02, 0.0002), (5, 120, 0.4, 0.1)],
    names=names_of_keras,
    read=its_rates,
    mistakes=[
        Mistake(
            "epochs fed with steps",
            "After as many *batches* as there are epochs, the rate is down to `last` already. "
            "`decay_steps` counts batches.",
            lambda epochs, steps_per_epoch, first, last: keras_decay(first, epochs, last / first),
        ),
        Mistake(
            "the end is a factor",
            "It ends far below `last`: `decay_rate` is what the first rate is multiplied by, so "
            "it is `last / first`.",
            lambda epochs, steps_per_epoch, first, last: keras_decay(
                first, epochs * steps_per_epoch, last
            ),
        ),
        Mistake(
            "all of it in one epoch",
            "`last` is reached after one epoch already, and the rate goes on falling. It should "
            "take all epochs.",
            lambda epochs, steps_per_epoch, first, last: keras_decay(
                first, steps_per_epoch, last / first
            ),
        ),
    ],
)


def range_tests():
    """What three range tests saw: (rates, losses, the rate of the lowest average).

    Three batches of each were lucky, two of them side by side: nine have to be averaged.
    """
    rates = np.geomspace(1e-4, 10, 121)
    t = np.log10(rates)
    for seed, edge in enumerate((-0.3, 0.2, -0.8)):
        losses = 2.5 - 0.5 * np.clip(t - edge + 1.8, 0, 1.8) + 5 * np.maximum(t - edge, 0)
        at = int(np.argmin(losses))
        losses = losses + np.random.default_rng(seed).normal(0, 0.06, len(t))
        losses[[at - 40, at - 39, 6]] = 0.25, 0.3, 0.3
        yield rates, losses, rates[at]


def nine_at_a_time(losses, mode="valid"):
    return np.convolve(losses, np.ones(9) / 9, mode=mode)


@exercise(
    title="Read a range test",
    hints=[
        '`np.convolve(losses, np.ones(9) / 9, mode="valid")` averages nine batches at a time. '
        "Its first value belongs to the middle of the first nine, so to place 4.",
        "`rates[np.argmin(smooth) + 4] / 10`",
    ],
    praise="At the lowest point itself the rate is already too large: the loss has stopped "
    "falling because the steps have become too long.",
)
def read_range_test(read_range_test):
    f = expect_callable(read_range_test, "read_range_test")
    tests = list(range_tests())
    got = [expect_number(f(rates, losses), "the rate") for rates, losses, _ in tests]

    def near(share):
        """Whether each answer lies within a half of that share of the lowest average's rate."""
        return [0.5 < one / lowest / share < 1.5 for one, (*_, lowest) in zip(got, tests)]

    def is_it(rule):
        right = [rule(rates, losses) for rates, losses, _ in tests]
        return np.allclose(got, right, rtol=1e-6, atol=0)

    if all(near(0.1)):
        return
    if all(near(1)):
        raise Misconception(
            "the lowest point itself",
            "There the loss has stopped falling: the steps are already too long. Take a tenth "
            "of that rate.",
        )
    if is_it(lambda r, x: r[np.argmin(x)] / 10) or is_it(lambda r, x: r[np.argmin(x)]):
        raise Misconception(
            "one lucky batch",
            "That is the lowest loss of a single batch, which was luck. Average over several "
            "batches first.",
        )
    if is_it(lambda r, x: r[np.argmin(nine_at_a_time(x, "same"))] / 10):
        raise Misconception(
            "zeros beyond the end",
            "`mode='same'` acts as if zeros stood before the first loss and after the last, "
            "which pulls the averages at both ends down. Use `mode='valid'`.",
        )
    if is_it(lambda r, x: r[np.argmax(x)] / 10) or is_it(lambda r, x: r[np.argmax(x)]):
        raise Misconception("the explosion", "That is where the loss is highest.")
    for shift in (0, 4):
        if is_it(lambda r, x, shift=shift: np.argmin(nine_at_a_time(x)) + shift):
            raise Misconception(
                "a place, not a rate",
                f"{got[0]:g} is a *position*. Return a tenth of the rate that stands there.",
            )
    wrong = near(0.1).index(False)
    raise Incorrect(f"Expected a rate near {tests[wrong][2] / 10:.2g}, got {got[wrong]:.2g}.")


def hessian(curvatures, angle):
    """A bowl with these curvatures; the first two of its directions are turned by an angle."""
    turn = np.eye(len(curvatures))
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ np.diag(curvatures) @ turn.T


largest_stable_rate = Function(
    "largest_stable_rate",
    title="The largest stable rate",
    hints=[
        "In each of the eigenvectors' directions the loss is a bowl of its own, with the "
        "eigenvalue as its curvature. Which of the bowls is the first to throw you out?",
        "`2 / np.linalg.eigvalsh(hessian).max()`",
    ],
    praise="One steep direction sets the limit for all, and the flat ones have to wait: that is "
    "why a ravine is slow.",
    probes=[
        hessian([4.0, 1.0], 0.0),
        hessian([10.0, 0.5], 0.5),
        hessian([30.0, 2.0], 1.1),
        hessian([3.0, 1.0, 8.0], 0.7),
        hessian([6.0, 2.0, 1.0], 0.8),
    ],
    mistakes=[
        Mistake(
            "the flattest direction",
            "At that rate only the flattest direction is on the edge; the steepest has long left.",
            lambda hessian: 2 / np.linalg.eigvalsh(hessian).min(),
        ),
        Mistake(
            "half of the edge",
            "At 1 / curvature one step lands exactly on the goal. The edge is where a step lands "
            "as far away on the other side.",
            lambda hessian: 1 / np.linalg.eigvalsh(hessian).max(),
        ),
        Mistake(
            "the average direction",
            "No direction is the average one. The steepest diverges first.",
            lambda hessian: 2 / np.linalg.eigvalsh(hessian).mean(),
        ),
        Mistake(
            "the axes are not the directions",
            "The diagonal is the curvature along the axes. The steepest direction may lie "
            "between them: take the eigenvalues.",
            lambda hessian: 2 / np.diag(hessian).max(),
        ),
    ],
)


def slope(x, y):
    return np.polyfit(x, y, 1)[0]


scaling_exponent = Function(
    "scaling_exponent",
    title="How does the rate grow with the batch?",
    hints=[
        "A power law is a straight line when both axes are logarithmic, and the exponent is its "
        "slope.",
        "`np.polyfit(np.log(sizes), np.log(rates), 1)[0]`",
    ],
    praise="1 would be the linear scaling rule, ½ the square-root rule. Now try it on the sizes "
    "and rates of this lesson.",
    probes=[
        (np.array([8, 16, 32, 64]), np.array([0.01, 0.02, 0.04, 0.08])),
        (np.array([8, 32, 128, 512]), np.array([0.01, 0.02, 0.04, 0.08])),
        (np.array([16, 32, 64, 256]), np.array([0.01, 0.03, 0.02, 0.1])),
    ],
    mistakes=[
        Mistake(
            "a slope without logarithms",
            "That is the slope of the rates themselves. A power law is a straight line only "
            "between logarithms.",
            lambda sizes, rates: slope(sizes, rates),
        ),
        Mistake(
            "only one logarithm",
            "You took the logarithm of one of the two only. A power law needs both.",
            lambda sizes, rates: slope(np.log(sizes), rates),
            lambda sizes, rates: slope(sizes, np.log(rates)),
        ),
        Mistake(
            "upside down",
            "You fitted the sizes as a power of the rates.",
            lambda sizes, rates: slope(np.log(rates), np.log(sizes)),
        ),
    ],
)


smaller_batch = Choice(
    "smaller_batch",
    "“Training is too slow: use a smaller batch.” What did this lesson measure?",
    {
        "a": "True: a smaller batch makes each step compute less, and so the same pictures are "
        "done with sooner",
        "b": "False in every sense: larger batches were better in epochs, steps and seconds",
        "c": "An epoch took longer, but fewer were needed: the seconds had to be measured",
        "d": "The batch size made no difference once the rate was tuned",
    },
    right="c",
    wrong={
        "a": (
            "a step is not an epoch",
            "Each step computes less, but there are far more of them, and each has a cost that "
            "does not shrink with the batch.",
        ),
        "b": (
            "epochs, steps and seconds differ",
            "Look at the three curves again: they do not have their lowest point at the same "
            "size.",
        ),
        "d": (
            "tuning cannot hide the steps",
            "The rates were tuned, and the steps to the target still differ many times over.",
        ),
    },
    hints=[
        "The sentence does not say what is slow: a step, an epoch, or the way to a target. Look "
        "at the three curves of part 4.",
        "Compare where each of the three curves has its lowest point.",
    ],
    praise="“Faster” needs a unit.",
)


unfair = Choice(
    "unfair",
    "A blog trains with Adam at 0.1, once with a constant rate and once with exponential decay "
    "from 0.1. Decay is 20 points better. What has been shown?",
    {
        "a": "That decay helps",
        "b": "That 0.1 is too high for a constant rate; about decay, nothing until both are tuned",
        "c": "That a constant rate of 0.1 was unlucky in this run: over more seeds, we would see "
        "how much decay really helps",
        "d": "That decay should start even higher",
    },
    right="b",
    wrong={
        "a": (
            "one rate for both is not fair",
            "We did the same at ten times the best rate and saw the same. With each rate tuned, "
            "hardly anything of it was left.",
        ),
        "c": (
            "spread is not bias",
            "More seeds make the difference more certain, not fairer: every seed has the same "
            "handicap.",
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
def best_constant_rate():
    """What the constant rate reached on validation pictures at its best, the mean of its seeds."""
    from translearn import measure

    results = measure.recorded("rates.tuned_for_three_epochs")
    constant = [arm for arm in results.arms if arm.startswith("constant @ ")]
    return max(float(np.mean(results.values(arm, "validation"))) for arm in constant)


@exercise(
    title="Beat this number",
    hints=[
        "Everything but the number of epochs is yours: the schedule, its first rate, the batch "
        "size, the optimiser, the width of the network.",
        "More hidden units, say 1,024, and a cosine from a first rate of 0.01 over all 324 steps.",
    ],
    praise="Our own answer is a wider network, which is worth more than any schedule of this "
    "lesson. Before polishing the rate, look at what else is still free.",
    reference=best_constant_rate,
)
def beat_it(guesses_of, reference):
    from sklearn.metrics import balanced_accuracy_score

    from translearn import data

    f = expect_callable(guesses_of, "guesses_of")
    emoji = data.load("emoji_styles")
    guesses = [f(seed) for seed in range(3)]
    for row in guesses:  # whether they are guesses at all
        better_guesses(row, emoji, len(emoji.train), -1, too_good=0.8)
    scores = [balanced_accuracy_score(emoji.validation.labels, np.asarray(row)) for row in guesses]
    # The seeds of the constant rate differ by 2.5 points, the mean of three by 1.4.
    mean = expect_better(np.mean(scores), reference + 0.02, "the mean", form="{:.2%}")
    if np.array_equal(guesses[0], guesses[1]):
        raise Incorrect(
            "Two seeds gave the same guesses. Call `keras.utils.set_random_seed(seed)`."
        )
    return f"{mean:.2%} on average, against {reference:.2%}. {beat_it.praise}"
