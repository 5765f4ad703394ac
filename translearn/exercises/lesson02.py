"""Exercises of lesson 02, Optimisers."""

import functools

import numpy as np

from translearn.exercises import (
    Choice,
    Function,
    Misconception,
    Mistake,
    NotAttempted,
    exercise,
    expect_array,
    expect_better,
    learners_code,
    to_beat,
)

# --- one_step ------------------------------------------------------------------------------------


def steps_to_take():
    rng = np.random.default_rng(0)
    return [
        (rng.normal(0, 2, n), rng.normal(0, 3, n), rate)
        for n, rate in ((4, 0.1), (7, 0.5), (1, 0.01))
    ]


def changes_nothing(one_step):
    """The array that comes in is the learner's to keep."""
    weights = np.array([1.0, -2.0])
    with learners_code("one_step on an array of its own"):
        one_step.function(weights, np.array([3.0, 4.0]), 0.1)  # without the copies of a check
    if not np.array_equal(weights, [1.0, -2.0]):
        raise Misconception(
            "changed in place",
            "The step is right, but the array that came in was changed too. Whoever kept it, to "
            "compare or to start again, now has another one.",
        )


one_step = Function(
    "one_step",
    title="One step down",
    hints=[
        "The gradient points *up*, to where the loss grows. How long the step is, the rate says.",
        "`weights - rate * gradient`: a new array. `-=` would change the array that you were "
        "given.",
    ],
    praise="One line. Every other optimiser changes something in it: the gradient, the rate, or "
    "what is remembered.",
    probes=steps_to_take,
    mistakes=[
        Mistake(
            "uphill",
            "The gradient points to where the loss *grows*. Step against it.",
            lambda weights, gradient, rate: weights + rate * gradient,
        ),
        Mistake(
            "only the move",
            "That is how far the weights move. Add it to where they were.",
            lambda weights, gradient, rate: -rate * gradient,
        ),
        Mistake(
            "the length is thrown away",
            "You kept the gradient's direction and lost its length. In gradient descent, a steep "
            "slope makes a long step.",
            lambda weights, gradient, rate: weights - rate * np.sign(gradient),
            lambda weights, gradient, rate: weights - rate * gradient / np.linalg.norm(gradient),
        ),
    ],
    also=changes_nothing,
)

# --- final_step ----------------------------------------------------------------------------------

final_step = Function(
    "final_step",
    title="How far does momentum carry?",
    hints=[
        "Once the speed no longer changes, the velocity of this step equals that of the last one: "
        "v = keep · v + rate · gradient. Solve for v.",
        "v · (1 - keep) = rate · gradient. With `keep` 0.9, how many times `rate * gradient` is "
        "that?",
    ],
    praise="With 0.9, momentum takes steps ten times as long on a long slope. Compare the best "
    "rates of SGD and of momentum in the race: it is why.",
    probes=[
        (2.0, 0.1, 0.9),
        (2.0, 0.1, 0.5),
        (-3.0, 0.01, 0.8),
        (5.0, 0.02, 0.99),
        (4.0, 0.1, 0.0),
    ],
    mistakes=[
        Mistake(
            "the first step",
            "That is the first step, when nothing is remembered yet. Each later one is longer, up "
            "to a limit.",
            lambda gradient, rate, keep: rate * abs(gradient),
        ),
        Mistake(
            "one step of memory",
            "That is the second step. The velocity holds *all* the steps before: 1 + keep + keep² "
            "+ …",
            lambda gradient, rate, keep: rate * abs(gradient) * (1 + keep),
        ),
        Mistake(
            "shorter, not longer",
            "The step would be shorter than without momentum. But steps in one direction add up.",
            lambda gradient, rate, keep: rate * abs(gradient) * (1 - keep),
            lambda gradient, rate, keep: rate * abs(gradient) * keep,
        ),
        Mistake(
            "a length has no sign",
            "Right, but for its sign: asked for is the *length* of the step, which is positive "
            "whichever way the slope goes.",
            lambda gradient, rate, keep: -rate * gradient / (1 - keep),
            lambda gradient, rate, keep: rate * gradient / (1 - keep),
        ),
    ],
)

# --- look_ahead ----------------------------------------------------------------------------------


def slope_of_ravine(point):
    return np.array([1.0, 25.0]) * np.asarray(point)


def slope_of_bowl(point):
    return np.array([1.0, 25.0, 4.0]) * np.asarray(point)


def looked_where_it_stands(weights, velocity, gradient_at, rate, keep):
    velocity = keep * velocity - rate * gradient_at(weights)
    return weights + velocity, velocity


def looked_too_far(weights, velocity, gradient_at, rate, keep):
    velocity = keep * velocity - rate * gradient_at(weights + velocity)
    return weights + velocity, velocity


def velocity_twice(weights, velocity, gradient_at, rate, keep):
    ahead = weights + keep * velocity
    velocity = keep * velocity - rate * gradient_at(ahead)
    return ahead + velocity, velocity


def old_velocity(weights, velocity, gradient_at, rate, keep):
    ahead = weights + keep * velocity
    return ahead - rate * gradient_at(ahead), velocity


look_ahead = Function(
    "look_ahead",
    title="Look ahead",
    hints=[
        "Where would the velocity alone carry you? `weights + keep * velocity`. That is where the "
        "gradient is taken, and nothing else happens there.",
        "`velocity = keep * velocity - rate * gradient_at(weights + keep * velocity)`, and then "
        "`weights + velocity`, from where you stand.",
    ],
    praise="Keras's form, in part 3, follows the point that looks ahead instead, so that it can "
    "use the gradient at the weights. Both walk the same path.",
    probes={
        "a step in the ravine": (
            np.array([-9.0, 1.5]),
            np.array([0.8, -0.4]),
            slope_of_ravine,
            0.02,
            0.9,
        ),
        "a step with three weights": (
            np.array([-9.0, 1.5, 2.0]),
            np.array([0.8, -0.4, 0.3]),
            slope_of_bowl,
            0.05,
            0.5,
        ),
    },
    mistakes=[
        Mistake(
            "looked where it stands",
            "That is plain momentum: the gradient was taken where the weights are, not where the "
            "velocity would carry them.",
            looked_where_it_stands,
        ),
        Mistake(
            "looked too far",
            "You looked at `weights + velocity`. The velocity is shortened by `keep` before it "
            "carries anything, so look there.",
            looked_too_far,
        ),
        Mistake(
            "the velocity twice",
            "The look ahead is only a look. The step starts from the weights; you started it from "
            "the place where you looked.",
            velocity_twice,
        ),
        Mistake(
            "the old velocity comes back",
            "The weights are right. The velocity that you return is the old one, so the next step "
            "would have forgotten this one.",
            old_velocity,
        ),
    ],
)

# --- rmsprop_step --------------------------------------------------------------------------------


def steps_of_rmsprop():
    rng = np.random.default_rng(1)
    return [
        (rng.normal(0, 2, n), rng.normal(0, 3, n), rng.uniform(1, 20, n), rate, keep)
        for n, rate, keep in ((3, 0.1, 0.9), (5, 0.02, 0.7))
    ]


def no_root(weights, gradient, square, rate, keep):
    square = keep * square + (1 - keep) * gradient**2
    return weights - rate * gradient / (square + 1e-7), square


def keep_swapped(weights, gradient, square, rate, keep):
    square = (1 - keep) * square + keep * gradient**2
    return weights - rate * gradient / np.sqrt(square + 1e-7), square


def divided_by_the_old(weights, gradient, square, rate, keep):
    new = keep * square + (1 - keep) * gradient**2
    return weights - rate * gradient / np.sqrt(square + 1e-7), new


def mean_of_gradients(weights, gradient, square, rate, keep):
    square = keep * square + (1 - keep) * gradient
    return weights - rate * gradient / np.sqrt(np.abs(square) + 1e-7), square


def one_size(weights, gradient, square, rate, keep):
    square = keep * square + (1 - keep) * gradient**2
    return weights - rate * gradient / np.sqrt(square.mean() + 1e-7), square


def sum_of_squares(weights, gradient, square, rate, keep):
    square = square + gradient**2
    return weights - rate * gradient / np.sqrt(square + 1e-7), square


rmsprop_step = Function(
    "rmsprop_step",
    title="RMSProp without looking",
    hints=[
        "First the running mean of the *square*: `keep` of the old one, and the rest (1 - `keep`) "
        "of the new.",
        "Then divide the gradient by the root of that mean, plus a tiny number so that nobody "
        "divides by zero.",
    ],
    praise="Whatever the size of a gradient, it is divided by its own recent size. All weights "
    "take steps of about one rate.",
    probes=steps_of_rmsprop,
    tolerance=1e-5,  # whatever tiny number is added, inside the root or outside
    mistakes=[
        Mistake(
            "no root",
            "You divided by the mean of squares. Without the root, a gradient twice as large "
            "makes a step *half* as long.",
            no_root,
        ),
        Mistake(
            "keep and new swapped",
            "`keep` is how much of the *old* mean stays. With 0.9, one new gradient counts for a "
            "tenth.",
            keep_swapped,
        ),
        Mistake(
            "divided by the old mean",
            "The new `square` is right, but the step was divided by the one from before. A sudden "
            "large gradient would make a huge step.",
            divided_by_the_old,
        ),
        Mistake(
            "a mean of gradients",
            "That is a running mean of the gradient, which is momentum. RMSProp averages its "
            "*square*: how large it is, whichever its sign.",
            mean_of_gradients,
        ),
        Mistake(
            "one size for all weights",
            "You averaged over the weights. The point of RMSProp is that each weight has a size "
            "of its own.",
            one_size,
        ),
        Mistake(
            "a sum, not a mean",
            "A sum only grows, so the steps only shrink (that rule exists; it is called AdaGrad). "
            "RMSProp forgets: it keeps a running *mean*.",
            sum_of_squares,
        ),
    ],
)

# --- adam_move -----------------------------------------------------------------------------------


def rows_of_gradients():
    rng = np.random.default_rng(2)

    def rows(steps, weights):
        return rng.normal(1, 1, (steps, weights)) * (-10.0) ** np.arange(weights)

    return {
        "six rows of three weights": (rows(6, 3), 1.0),
        "a single row": (rows(1, 2), 0.5),
        "fifteen rows, with betas 0.8 and 0.99": (rows(15, 4), 1.0, 0.8, 0.99),
    }


def running_means(gradients, beta_1, beta_2):
    mean = square = 0
    for gradient in gradients:
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
    return mean, square


def corrected_by(mean_share, square_share):
    """Adam's last step with its two means divided by shares of (beta, number of steps)."""

    def move(gradients, rate, beta_1=0.9, beta_2=0.999):
        mean, square = running_means(gradients, beta_1, beta_2)
        steps = len(gradients)
        mean, square = mean / mean_share(beta_1, steps), square / square_share(beta_2, steps)
        return -rate * mean / (np.sqrt(square) + 1e-7)

    return move


def filled(beta, steps):
    return 1 - beta**steps


def filled_at_first(beta, steps):
    return 1 - beta


def nothing(beta, steps):
    return 1


adam_uphill = corrected_by(lambda beta, steps: -filled(beta, steps), filled)


def corrected_mean_kept(gradients, rate, beta_1=0.9, beta_2=0.999):
    mean = square = 0
    for step, gradient in enumerate(gradients, 1):
        mean = (beta_1 * mean + (1 - beta_1) * gradient) / (1 - beta_1**step)
        square = (beta_2 * square + (1 - beta_2) * gradient**2) / (1 - beta_2**step)
    return -rate * mean / (np.sqrt(square) + 1e-7)


def all_steps(gradients, rate, beta_1=0.9, beta_2=0.999):
    last = corrected_by(filled, filled)
    return sum(
        last(gradients[:step], rate, beta_1, beta_2) for step in range(1, len(gradients) + 1)
    )


adam_move = Function(
    "adam_move",
    title="Adam, from its gradients",
    hints=[
        "Go through the rows and keep two running means, of the gradient and of its square. Both "
        "start at zero.",
        "After t rows, a running mean has been filled to a share of `1 - beta**t`. Divide each "
        "mean by its share, once, at the end; do not put the corrected mean back into the running "
        "one.",
    ],
    praise="If all rows are alike, the step is the rate, exactly. That is what the correction is "
    "for.",
    probes=rows_of_gradients,
    tolerance=1e-4,  # with or without the tiny epsilon, the correction in either form
    mistakes=[
        Mistake(
            "no correction",
            "Both means started at zero and are still too small. The mean square is further "
            "behind than the mean, so the step comes out too long.",
            corrected_by(nothing, nothing),
        ),
        Mistake(
            "only one mean corrected",
            "One of the two means is corrected and the other is not. Each is divided by its own "
            "share, `1 - beta**t`.",
            corrected_by(filled, nothing),
            corrected_by(nothing, filled),
        ),
        Mistake(
            "corrected for one step",
            "You divided by `1 - beta`. That is the share after one step; after t steps it is "
            "`1 - beta**t`.",
            corrected_by(filled_at_first, filled_at_first),
        ),
        Mistake(
            "the corrected mean is kept",
            "You put the corrected mean back into the running one, and so it is corrected again "
            "at the next step. Correct a copy, at the moment of stepping.",
            corrected_mean_kept,
        ),
        Mistake(
            "uphill",
            "Right, but for the sign: what is added to the weights goes *against* the gradient.",
            adam_uphill,
        ),
        Mistake(
            "all steps together",
            "That is how far all the steps together carry. Asked for is the last one.",
            all_steps,
        ),
    ],
)

# --- decayed -------------------------------------------------------------------------------------

decayed = Function(
    "decayed",
    title="Decay that stays outside",
    hints=[
        "The share that each weight loses is `rate * decay`, and it is a share of the weight "
        "*before* the step.",
        "`weights + move - rate * decay * weights`. The move stays as Adam made it.",
    ],
    praise="The decay never met Adam's division, so it is the same share for every weight.",
    probes=[
        (np.array([2.0, -3.0, 0.5]), np.array([0.3, 0.1, -0.2]), 0.1, 0.5),
        (np.array([-1.0, 4.0]), np.array([-0.4, 0.25]), 0.02, 3.0),
    ],
    mistakes=[
        Mistake(
            "not times the rate",
            "In Keras (and in most libraries) the decay is multiplied by the learning rate. "
            "Without it, the weights are gone within a few steps.",
            lambda weights, move, rate, decay: weights + move - decay * weights,
        ),
        Mistake(
            "the move decays too",
            "You shrank the weights after the move, and the move with them. The decay is a share "
            "of the weights *before* the step.",
            lambda weights, move, rate, decay: (weights + move) * (1 - rate * decay),
        ),
        Mistake(
            "it grows",
            "The weights grow with every step. Decay is taken away.",
            lambda weights, move, rate, decay: weights + move + rate * decay * weights,
        ),
        Mistake(
            "the move times the rate",
            "`move` is what Adam adds: the rate is in it already.",
            lambda weights, move, rate, decay: weights + rate * move - rate * decay * weights,
        ),
        Mistake(
            "L1, not decay",
            "That takes the same amount from every weight, which is what an L1 penalty does. "
            "Decay takes the same *share*.",
            lambda weights, move, rate, decay: weights + move - rate * decay * np.sign(weights),
        ),
    ],
)

# --- best_rate -----------------------------------------------------------------------------------


def sweeps():
    nan = np.nan
    # Means 1.5, 1.3, 1.35, nan, 1.9: the luckiest run is of the third rate, without its nan the
    # fourth would win. In the next sweep the first seed prefers the third rate.
    five = [
        [1.5, 1.5, 1.5, 1.5, 1.5],
        [1.3, 1.31, 1.29, 1.3, 1.3],
        [1.4, 1.5, 1.1, 1.35, 1.4],
        [1.2, 1.2, nan, 1.2, 1.2],
        [1.8, 1.9, 1.9, 2.0, 1.9],
    ]
    four = [
        [1.9, 2.0, nan, 1.9],
        [1.2, 1.25, 1.05, 1.22],
        [1.1, 1.5, 1.5, 1.5],
        [1.6, 1.6, 1.6, 1.6],
    ]
    return {
        "a sweep over five rates": (np.array([1e-3, 1e-2, 0.1, 0.3, 0.9]), np.array(five)),
        "a sweep over four rates": (np.array([3e-4, 3e-3, 3e-2, 0.3]), np.array(four)),
        "a sweep over two rates": (np.array([0.1, 0.2]), np.array([[1.0, 1.0], [5.0, nan]])),
        # The last seed and the worst run prefer the first rate.
        "a sweep with one poor run": (
            np.array([0.03, 0.01]),
            np.array([[1.1, 1.15, 1.2, 1.12], [1.0, 1.0, 1.02, 1.3]]),
        ),
        # A failed run is no run with a loss of 0, and of the rates that are left the largest is
        # neither the worst nor the best.
        "a sweep over four more rates": (
            np.array([0.01, 0.1, 1.0, 3.0]),
            np.array([[3.0, 3.0, 3.0], [1.0, 1.2, 1.1], [1.3, 1.3, 1.3], [1.3, nan, 1.2]]),
        ),
        "a sweep of large losses": (
            np.array([0.01, 0.1]),
            np.array([[50.0, 60.0, 55.0], [1.0, nan, 1.0]]),
        ),
        # Whoever counts a failed run as a bad one is right here, and not above.
        "a sweep with one failed run": (
            np.array([0.02, 0.2]),
            np.array([[1.05, 1.05, 1.05], [1.0, nan, 1.0]]),
        ),
    }


def luckiest(rates, losses):
    bad = np.isnan(losses).any(axis=1)
    return rates[np.where(bad, np.inf, np.nanmin(losses, axis=1)).argmin()]


best_rate = Function(
    "best_rate",
    title="Choose each rate fairly",
    hints=[
        "A rate is as good as its *mean* over the seeds. What does `mean` make of a row with a "
        "`nan` in it, and what does `np.argmin` make of a `nan`?",
        "`losses.mean(axis=1)` is `nan` for a rate with a diverged run, and `np.nanargmin` skips "
        "it. Return the rate, not its position.",
    ],
    praise="NumPy's `argmin` takes a `nan` for the smallest number of all: many a sweep has "
    "crowned a run that blew up.",
    probes=sweeps,
    tolerance=1e-9,
    mistakes=[
        Mistake(
            "nan wins",
            "You chose the rate that diverged: `argmin` takes `nan` for the smallest number. Use "
            "`np.nanargmin`, or set those rates aside first.",
            lambda rates, losses: rates[losses.mean(axis=1).argmin()],
        ),
        Mistake(
            "the failed runs are forgotten",
            "You averaged over the runs that survived. A rate that diverges for one seed in five "
            "is not a good rate with four good runs; it is a gamble.",
            lambda rates, losses: rates[np.nanmean(losses, axis=1).argmin()],
        ),
        Mistake(
            "a failed run counts as zero",
            "You put 0 in the place of `nan`, and a loss of 0 is the best there is: the failed "
            "run makes its rate look good.",
            lambda rates, losses: rates[np.nan_to_num(losses).mean(axis=1).argmin()],
        ),
        Mistake(
            "one lucky run",
            "You took the rate with the best single run. Another seed, and it may be gone: "
            "average over the seeds first.",
            luckiest,
        ),
        Mistake(
            "a loss is to be small",
            "That is the rate with the *largest* loss.",
            lambda rates, losses: rates[np.nanargmax(losses.mean(axis=1))],
        ),
        Mistake(
            "the position, not the rate",
            "That is a position in the list. Return the rate that stands there.",
            lambda rates, losses: np.nanargmin(losses.mean(axis=1)),
        ),
        Mistake(
            "averaged over the wrong axis",
            "You averaged over the rates and compared the seeds. A row is a rate, a column a "
            "seed: the mean over the seeds is `axis=1`.",
            lambda rates, losses: rates[np.nanargmin(losses.mean(axis=0))],
        ),
    ],
)

# --- sweep_rates ---------------------------------------------------------------------------------


def momentum(weights, gradient, memory, rate, keep=0.9):
    memory["velocity"] = keep * memory.get("velocity", 0) - rate * np.asarray(gradient)
    return np.asarray(weights) + memory["velocity"]


def rmsprop(weights, gradient, memory, rate, keep=0.9):
    memory["square"] = keep * memory.get("square", 0) + (1 - keep) * np.square(gradient)
    return np.asarray(weights) - rate * np.asarray(gradient) / np.sqrt(memory["square"] + 1e-7)


def slope_of_bend(point):
    return np.array([1.0, 3.0]) * np.asarray(point)


def not_empty(ends):
    if type(ends) is dict and not ends:
        raise NotAttempted("`ends` is still empty.")
    return ends


def one_memory(rule, gradient_at, start, rates, steps):
    ends, memory = {}, {}
    for rate in rates:
        weights = start
        for _ in range(steps):
            weights = rule(weights, gradient_at(weights), memory, rate)
        ends[rate] = weights
    return ends


def one_start(rule, gradient_at, start, rates, steps):
    ends, weights = {}, start
    for rate in rates:
        memory = {}
        for _ in range(steps):
            weights = rule(weights, gradient_at(weights), memory, rate)
        ends[rate] = weights
    return ends


def no_memory(rule, gradient_at, start, rates, steps):
    ends = {}
    for rate in rates:
        weights = start
        for _ in range(steps):
            weights = rule(weights, gradient_at(weights), {}, rate)
        ends[rate] = weights
    return ends


def gradient_of_the_start(rule, gradient_at, start, rates, steps):
    ends = {}
    for rate in rates:
        weights, memory = start, {}
        for _ in range(steps):
            weights = rule(weights, gradient_at(start), memory, rate)
        ends[rate] = weights
    return ends


sweep_rates = Function(
    "sweep_rates",
    title="Find the bug",
    hints=[
        "Two things must be fresh for every rate. One is the weights. In what does `rule` keep "
        "its velocity?",
        "Inside the loop over rates: `weights, memory = start, {}`. Then the loop over steps, and "
        "at its end `ends[rate] = weights`.",
    ],
    praise="One memory for each run. Put `memory = {}` one line higher, above the loop over the "
    "rates, and the sweep lies.",
    probes={
        "four steps at three rates": (
            momentum,
            slope_of_bend,
            np.array([2.0, -1.0]),
            [0.3, 0.1, 0.05],
            4,
        ),
        "seven steps at two rates": (
            momentum,
            slope_of_bend,
            np.array([-1.0, 3.0]),
            [0.02, 0.2],
            7,
        ),
        "five steps of RMSProp at two rates": (
            rmsprop,
            slope_of_bend,
            np.array([1.5, 2.0]),
            [0.1, 0.01],
            5,
        ),
    },
    read=not_empty,
    mistakes=[
        Mistake(
            "one memory for all",
            "The first rate is right, and every later one starts with the velocity of the rate "
            "before. Make a new memory for each rate.",
            one_memory,
        ),
        Mistake(
            "one start for all",
            "The first rate is right, and every later one goes on from where the last one ended. "
            "Put the weights back to `start`.",
            one_start,
        ),
        Mistake(
            "no memory at all",
            "The rule gets an empty memory at every *step*, so nothing is ever remembered: "
            "momentum, for one, becomes plain gradient descent. One memory for each run.",
            no_memory,
        ),
        Mistake(
            "the gradient of the start",
            "The gradient is always that of `start`. Take it where the weights are now.",
            gradient_of_the_start,
        ),
    ],
)

# --- switch --------------------------------------------------------------------------------------

switch = Choice(
    "switch",
    "A colleague trains with Adam at a tuned rate of 0.003. He replaces it by SGD at 0.003, "
    "reaches a much higher loss in the same number of steps, and reports: “Adam is better on our "
    "data.” What has he shown?",
    {
        "a": "That Adam is better on his data",
        "b": "That SGD needs more steps, so he should repeat the run with ten times as many of "
        "them",
        "c": "That a rate which suits Adam does not suit SGD; nothing about which is better",
        "d": "That adaptive step sizes find better minima",
    },
    right="c",
    wrong={
        "a": (
            "one rate for both",
            "Only one of the two was tuned. In the race, the best rates of SGD and of Adam lie "
            "far apart.",
        ),
        "b": (
            "more steps instead of a rate",
            "More steps would make the budgets unequal too. What is missing is a sweep over SGD's "
            "own rates.",
        ),
        "d": (
            "a story for a number",
            "He measured losses after a fixed number of steps at one rate. Nothing in that speaks "
            "of minima.",
        ),
    },
    hints=[
        "Look at the two columns of chosen rates in part 4: does one rate mean the same to two "
        "optimisers?",
        "Ask what was held equal, and what each of the two was given a chance to choose.",
    ],
    praise="Same number of tries for each: without it, a comparison of optimisers measures who "
    "was tuned.",
)

# --- beat_it -------------------------------------------------------------------------------------

MARGIN = 0.03  # three times the spread of tuned Adam over its seeds


@functools.cache
def adam_less_luck():
    """What tuned Adam's last loss is on average, less what another seed might bring."""
    return to_beat("optimisers.race", "Adam", "last validation loss")() - MARGIN


@exercise(
    title="Beat this number",
    hints=[
        "By step 320 the tuned runs are past their lowest loss: the weights have grown too sure "
        "of themselves. What shrinks weights? What smooths out the last steps?",
        "`optim.AdamW(0.003, weight_decay=1.0)`; or plain Adam at a third of the rate; or the "
        "mean of the weights over the second half of the run.",
    ],
    praise="The rate that is fastest to a target is not the one that ends lowest. How to have "
    "both is the subject of lesson 03, and what to do about sure weights that of lesson 07.",
    reference=adam_less_luck,
)
def beat_it(scores, reference):
    from translearn import data

    emoji = data.load("emoji_styles")
    truth, classes = emoji.validation.labels, len(emoji.class_names)
    got = expect_array(scores, what="the scores")
    if got.shape == (len(truth),):
        raise Misconception(
            "classes, not scores",
            "That is one class for each picture. The loss needs all twelve scores, a row for each "
            "picture.",
        )
    if got.shape == (len(emoji.train), classes):
        raise Misconception(
            "on the training pictures",
            "Those are scores for the training pictures. A loss only counts on pictures that were "
            "not trained on.",
        )
    shape = (len(truth), classes)
    got = expect_array(got, shape=shape, what="the scores, a row for each validation picture")
    got = np.asarray(got, dtype=float)
    if (got >= 0).all() and np.allclose(got.sum(axis=1), 1, atol=1e-3):
        raise Misconception(
            "probabilities, not scores",
            "Each row adds up to 1: those are probabilities. Hand in the scores before the "
            "softmax.",
        )
    shifted = got - got.max(axis=1, keepdims=True)
    own = shifted[np.arange(len(truth)), truth]
    value = float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - own))
    if value < 1.0:
        raise Misconception(
            "the answers themselves",
            f"A loss of {value:.2f} is lower than these features can teach. Were the labels of "
            "the validation pictures used in training, or handed in?",
        )
    expect_better(value, reference, "the validation loss", higher=False, form="{:.4f}")
    return f"{value:.4f}, where it had to be below {reference:.4f}. {beat_it.praise}"
