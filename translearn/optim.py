"""The optimisers and schedules of lessons 02 and 03 in NumPy, and the learning-rate range test.

They are here to be read: each rule is the few lines that its paper prints, and each equals its
Keras namesake (1e-6 over 50 steps, schedules 1e-7 at every step; the tests compare them). Later
lessons use Keras's own.
"""

import math
from dataclasses import dataclass

import numpy as np

from translearn.errors import CourseError

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed

# ---------------------------------------------------------------- optimisers


class Optimiser:
    """What all of them share: a learning rate (a number, or a function of the step 0, 1, …) and a
    memory of past steps.

    `step(weights, gradient)` returns the new weights and changes neither argument. Both are float
    arrays of one shape, the same in every call; the memory starts at zero and `reset()` puts it
    back there.
    """

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate
        self.reset()

    def reset(self) -> None:
        """Forget all past steps."""
        self.steps, self.memory = 0, {}

    def rate(self) -> float:
        """The learning rate of the next step."""
        return (
            float(self.learning_rate(self.steps))
            if callable(self.learning_rate)
            else float(self.learning_rate)
        )

    def step(self, weights, gradient):
        """One step down. Raises `CourseError` when the shapes differ, here or from the step
        before.
        """
        weights, gradient = np.asarray(weights, dtype=float), np.asarray(gradient, dtype=float)
        before = next((m.shape for m in self.memory.values()), weights.shape)
        if not weights.shape == gradient.shape == before:
            raise CourseError(
                f"Weights of shape {weights.shape}, a gradient of {gradient.shape} and a memory "
                f"of {before} do not fit "
                "together. Each array of weights needs an optimiser of its own, or opt.reset() "
                "first."
            )
        new = weights + self.update(weights, gradient, self.rate())
        self.steps += 1
        return new

    def update(self, weights, gradient, rate):
        """What is added to the weights."""
        raise NotImplementedError

    def remembered(self, name, weights):
        """The memory called `name`, zero at first."""
        return self.memory.setdefault(name, np.zeros_like(weights))


class SGD(Optimiser):
    """Gradient descent, plain or with momentum (Polyak 1964; Nesterov's form: Sutskever et al.,
    ICML 2013, section 2).

    learning_rate 0.01; momentum 0.0, from 0 to below 1: how much of the last step is kept;
    nesterov False. With the gradient of all data it is gradient descent, with that of a random
    mini-batch stochastic gradient descent.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False):
        super().__init__(learning_rate)
        self.momentum, self.nesterov = momentum, nesterov

    def update(self, weights, gradient, rate):
        velocity = self.momentum * self.remembered("velocity", weights) - rate * gradient
        self.memory["velocity"] = velocity
        return self.momentum * velocity - rate * gradient if self.nesterov else velocity


class RMSProp(Optimiser):
    """Each weight's step is divided by the recent size of its own gradient (Tieleman and Hinton,
    Coursera lecture 6.5, 2012).

    learning_rate 0.001; rho 0.9: how much of the running mean of squared gradients is kept;
    epsilon 1e-7, added to that mean
    *inside* the root, as Keras does.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7):
        super().__init__(learning_rate)
        self.rho, self.epsilon = rho, epsilon

    def update(self, weights, gradient, rate):
        square = self.rho * self.remembered("square", weights) + (1 - self.rho) * gradient**2
        self.memory["square"] = square
        return -rate * gradient / np.sqrt(square + self.epsilon)


class Adam(Optimiser):
    """Momentum divided by the root of the mean square, both corrected for their start at zero
    (Kingma and Ba, ICLR 2015).

    learning_rate 0.001; beta_1 0.9; beta_2 0.999; epsilon 1e-7, added to the root as the paper's
    section 2 does in its efficient form, and Keras too; bias_correction True: False leaves the
    correction out, to see what it is for.

    Keras 3.15 rounds beta_2 to single precision in the correction, even in double precision: its
    first step is 7e-6 of its length off, which at learning rates of 0.01 and more can add up to
    more than 1e-6 in 50 steps.
    """

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, bias_correction=True
    ):
        super().__init__(learning_rate)
        self.beta_1, self.beta_2, self.epsilon, self.bias_correction = (
            beta_1,
            beta_2,
            epsilon,
            bias_correction,
        )

    def update(self, weights, gradient, rate):
        mean = self.beta_1 * self.remembered("mean", weights) + (1 - self.beta_1) * gradient
        square = self.beta_2 * self.remembered("square", weights) + (1 - self.beta_2) * gradient**2
        self.memory |= {"mean": mean, "square": square}
        if self.bias_correction:
            t = self.steps + 1
            rate = rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return -rate * mean / (np.sqrt(square) + self.epsilon)


class AdamW(Adam):
    """Adam, and apart from it every weight shrinks by `learning_rate × weight_decay` a step
    (Loshchilov and Hutter, ICLR 2019).

    weight_decay 0.004; the rest as in `Adam`. The decay never enters the gradient, so Adam does
    not divide it by anything.
    """

    def __init__(self, learning_rate=0.001, weight_decay=0.004, **adam):
        super().__init__(learning_rate, **adam)
        self.weight_decay = weight_decay

    def update(self, weights, gradient, rate):
        return super().update(weights, gradient, rate) - rate * self.weight_decay * weights


def descend(optimiser, gradient, start, steps: int):
    """The path of an optimiser from `start`: an array (steps + 1, *shape of start), the start
    first.

    `gradient` is a function from weights to the gradient there. Where the path leaves all bounds
    it holds infinities or NaN, without a warning: that is what divergence looks like.
    """
    path = [np.asarray(start, dtype=float)]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            path.append(optimiser.step(path[-1], gradient(path[-1])))
    return np.array(path)


# ---------------------------------------------------------------- schedules: step -> learning rate


def exponential_decay(initial, decay_steps, decay_rate, staircase=False):
    """`initial · decay_rate^(step / decay_steps)`, as
    `keras.optimizers.schedules.ExponentialDecay`.

    With `staircase` the exponent is rounded down, so that the rate falls in steps.
    """

    def rate(step):
        times = np.asarray(step) / decay_steps
        return initial * decay_rate ** (np.floor(times) if staircase else times)

    return rate


def step_decay(initial, boundaries, factor=0.1):
    """The rate is multiplied by `factor` after each of the `boundaries` (steps, growing).

    As `keras.optimizers.schedules.PiecewiseConstantDecay`: the step *at* a boundary still has the
    old rate.
    """
    return lambda step: (
        initial * factor ** np.searchsorted(boundaries, step, side="left").astype(float)
    )


def cosine_decay(initial, decay_steps, alpha=0.0, warmup_steps=0, warmup_target=None):
    """Half a cosine from `initial` down to `alpha · initial` in `decay_steps`, and constant from
    there on.

    With `warmup_target`, first a straight line from `initial` up to it in `warmup_steps`, and the
    cosine from there. As `keras.optimizers.schedules.CosineDecay`; without restarts (Loshchilov
    and Hutter, ICLR 2017).
    """
    if warmup_target is not None and warmup_steps:
        fall = cosine_decay(warmup_target, decay_steps, alpha)
        return lambda step: np.where(
            np.asarray(step) < warmup_steps,
            initial + (warmup_target - initial) * np.asarray(step) / warmup_steps,
            fall(np.maximum(np.asarray(step) - warmup_steps, 0)),
        )

    def rate(step):
        done = np.minimum(np.asarray(step) / decay_steps, 1)
        return initial * ((1 - alpha) * 0.5 * (1 + np.cos(math.pi * done)) + alpha)

    return rate


def warmup(target, warmup_steps, then=None):
    """A straight line from 0 to `target` in `warmup_steps`; after that `then`, a schedule that
    counts from 0, or constant.

    Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2.
    """

    def rate(step):
        step = np.asarray(step)
        after = then(np.maximum(step - warmup_steps, 0)) if then else target
        return np.where(step < warmup_steps, target * step / max(warmup_steps, 1), after)

    return rate


class ReduceOnPlateau:
    """Multiply the rate by `factor` when a metric has not improved for `patience` epochs.

    The same as `keras.callbacks.ReduceLROnPlateau`, defaults included. `update(metric)` is called
    at the end of an epoch and returns the rate of the next one. `mode` is "min" for a loss and
    "max" for an accuracy. The metric has improved when it beats the best so far by more than
    `min_delta`. For `cooldown` epochs after a cut nothing is counted. Raises `CourseError` for a
    factor of 1 or more, or another mode.
    """

    def __init__(
        self,
        initial,
        factor=0.1,
        patience=10,
        min_delta=1e-4,
        cooldown=0,
        min_rate=0.0,
        mode="min",
    ):
        if not 0 < factor < 1:
            raise CourseError(
                f"factor={factor:g} would not lower the rate. Choose a number between 0 and 1, "
                "such as 0.5."
            )
        if mode not in ("min", "max"):
            raise CourseError(
                f'mode={mode!r} is not known. Choose "min" (a loss) or "max" (an accuracy).'
            )
        self.rate, self.factor, self.patience, self.min_delta = (
            float(initial),
            factor,
            patience,
            min_delta,
        )
        self.cooldown, self.min_rate, self.sign = cooldown, min_rate, 1 if mode == "min" else -1
        self.best, self.waited, self.resting = math.inf, 0, 0

    def update(self, metric) -> float:
        """Take the metric of the epoch that has ended; return the rate of the next."""
        now = self.sign * float(metric)
        if self.resting > 0:
            self.resting, self.waited = self.resting - 1, 0
        if now < self.best - self.min_delta:
            self.best, self.waited = now, 0
        elif self.resting == 0:
            self.waited += 1
            if self.waited >= self.patience and self.rate > self.min_rate:
                self.rate = max(self.rate * self.factor, self.min_rate)
                self.waited, self.resting = 0, self.cooldown
        return self.rate


# ---------------------------------------------------------------- the learning-rate range test


@dataclass(frozen=True)
class RangeTest:
    """What `lr_range_test` saw. `rates`, `losses` and `smoothed` are arrays of one length: the
    batches that it took.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    diverged: bool
    suggestion: float | None
    warning: str = ""

    def __repr__(self):
        found = "no suggestion" if self.suggestion is None else f"suggestion {self.suggestion:.2g}"
        return (
            f"RangeTest({len(self.rates)} batches, rates {self.rates[0]:.2g} to "
            f"{self.rates[-1]:.2g}, {found}" + (f"; {self.warning}" if self.warning else "") + ")"
        )


def lr_range_test(
    model,
    x,
    y,
    low=1e-6,
    high=10.0,
    steps=100,
    batch_size=32,
    stop_at=4.0,
    smoothing=0.9,
    seed=0,
    progress=True,
) -> RangeTest:
    """Train with a rate that grows from batch to batch, and watch where the loss falls fastest and
    where it explodes.

    Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3;
    smoothing and stopping after Gugger's account of it (2018).

    model, x, y  a compiled Keras model and its training data, shapes (n, …) and (n, …)
    low, high    the first and the last rate, spaced evenly on a logarithmic scale over `steps`
                 batches
    batch_size   as in the training to come: a smaller batch has a lower edge
    stop_at      end once the smoothed loss is this many times its best
    smoothing    of the exponential mean of the loss, from 0 (none) to below 1
    seed         of the order of the data; the same seed gives the same test

    Weights, optimiser state and learning rate are put back afterwards, an interrupt included.
    `suggestion` is the rate at the steepest fall of the smoothed loss, or None with a `warning`
    that says why there is none.

    Raises `CourseError` when the model is not compiled, when its learning rate is a schedule
    (which would overrule the test), when the rates or steps make no range, and when the loss is
    not a number at the first batch.
    """
    from tqdm.auto import tqdm

    from translearn import transfer

    if not 0 < low < high or steps < 10:
        raise CourseError(
            f"A range needs 0 < low < high and at least 10 steps, not low={low:g}, "
            f"high={high:g}, steps={steps}."
        )
    restore = transfer.reusable(model)
    if not isinstance(model.optimizer.get_config()["learning_rate"], float):
        raise CourseError(
            "The learning rate of this optimiser is a schedule, which would overrule the test. "
            "Compile with a plain number first."
        )
    x, y = np.asarray(x), np.asarray(y)
    if len(x) != len(y) or not len(x):
        raise CourseError(
            f"x has {len(x)} rows and y has {len(y)}: they must be as many, and more than none."
        )
    rates = np.geomspace(low, high, steps)
    losses, smoothed, mean = [], [], 0.0
    try:
        for number, batch in enumerate(
            tqdm(
                _batches(len(x), batch_size, steps, seed),
                total=steps,
                desc="range test",
                unit="batch",
                disable=not progress,
            )
        ):
            model.optimizer.learning_rate = float(rates[number])
            model.reset_metrics()  # otherwise Keras reports the mean over all batches so far
            losses.append(
                float(model.train_on_batch(x[batch], y[batch], return_dict=True)["loss"])
            )
            if number == 0 and not math.isfinite(losses[0]):
                raise CourseError(
                    "The loss is not a number at the very first batch, so no learning rate is to "
                    "blame. Look for NaN in the data, or at the loss."
                )
            mean = smoothing * mean + (1 - smoothing) * losses[-1]
            smoothed.append(mean / (1 - smoothing ** (number + 1)))
            if not math.isfinite(mean) or smoothed[-1] > stop_at * min(smoothed):
                break
    finally:
        restore()
        model.reset_metrics()
    return _verdict(rates[: len(losses)], np.array(losses), np.array(smoothed), stop_at)


def _batches(n, size, steps, seed):
    """Full batches of a shuffled pass after the other: a shorter one would have Keras trace its
    step again.
    """
    rng, size = np.random.default_rng(seed), min(size, n)
    order = np.array([], dtype=int)
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(n)
        yield order[:size]
        order = order[size:]


def _verdict(rates, losses, smoothed, stop_at):
    finite = np.isfinite(smoothed)
    diverged = bool(not finite.all() or smoothed[-1] > stop_at * smoothed.min())
    until = int(
        np.argmin(np.where(finite, smoothed, np.inf))
    )  # behind the lowest point a fall is a rebound
    if until < 3 or smoothed[0] - smoothed[until] < 0.05 * abs(smoothed[0]):
        return RangeTest(
            rates,
            losses,
            smoothed,
            diverged,
            None,
            "the loss never fell by 5 %: the range starts too high, ends too low, or the "
            "model has nothing to learn here (it may be trained already)",
        )
    slope = np.gradient(smoothed[: until + 1], np.log(rates[: until + 1]))
    warning = "" if diverged else "the loss never exploded: raise `high` to see the edge"
    return RangeTest(
        rates, losses, smoothed, diverged, float(rates[int(np.argmin(slope))]), warning
    )
