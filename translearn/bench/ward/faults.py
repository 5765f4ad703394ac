"""What goes wrong: each fault is a small function that changes one thing in a `Setup`.

`FAULTS[name]` gives how it is planted and its doses, mild ones first; `sensible(name, setup)` says
in which programs it makes sense. A planted fault counts as sick only when it bites; see `running`.
"""

import numpy as np

from translearn.bench.ward.setup import Setup
from translearn.transfer.blocks import leaves

STEPS = 1500  # of a batch that is too small: its epochs are cut to stay below


def rate_too_high(setup: Setup, times: float, rng) -> None:
    setup.rate *= times


def rate_too_low(setup: Setup, by: float, rng) -> None:
    setup.rate /= by


def logits_mismatch(setup: Setup, how: str, rng) -> None:
    """`told`: the loss is told the other thing; `given`: the network gives the other thing."""
    if how == "told":
        setup.told_logits = not setup.told_logits
    else:
        setup.logits = not setup.logits


def wrong_scale(setup: Setup, how, rng) -> None:
    """Inputs times a number, or "shift": 20 added to each."""
    for name in ("x", "x_val", "x_test"):
        values = getattr(setup, name)
        changed = values + 20 if how == "shift" else values * how
        setattr(setup, name, changed.astype("float32"))


def wrong_labels(setup: Setup, dose, rng) -> None:
    """A share of the labels is another one's; in training and validation, or in training alone."""
    share, where = dose
    setup.y = other_labels(setup, setup.y, share, rng)
    if where == "both":
        setup.y_val = other_labels(setup, setup.y_val, share, rng)


def other_labels(setup, y, share, rng):
    y = y.copy()
    rows = rng.choice(len(y), round(share * len(y)), replace=False)
    if setup.kind == "classes":
        y[rows] = (y[rows] + rng.integers(1, setup.classes, len(rows))) % setup.classes
    elif setup.kind == "numbers":
        y[rows] = rng.permutation(y[rows])
    else:
        y[rows] = 1 - y[rows]
    return y


def shuffled_pairs(setup: Setup, where: str, rng) -> None:
    """Labels in another order than their inputs."""
    setup.y = rng.permutation(setup.y)
    if where == "both":
        setup.y_val = rng.permutation(setup.y_val)


def forgotten_recompile(setup: Setup, _, rng) -> None:
    setup.stages, setup.recompile = True, False


def batch_norm_in_training(setup: Setup, dose, rng) -> None:
    """A pretrained network with the statistics of each batch: of a small batch, or with moving
    statistics that lag behind, as they do in a short training."""
    batch_size, momentum = dose
    setup.batch_norm = "training"
    setup.batch_size = batch_size or setup.batch_size
    if momentum:
        setup.changes.append(Lag(momentum))


class Lag:
    def __init__(self, momentum):
        self.momentum = momentum

    def __call__(self, model):
        for layer in leaves(model):
            if hasattr(layer, "moving_mean"):
                layer.momentum = self.momentum


def dead_units(setup: Setup, share: float, rng) -> None:
    """This share of each hidden layer's units starts with a bias that no input makes up for."""
    setup.changes.append(Kill(share))


class Kill:
    def __init__(self, share):
        self.share = share

    def __call__(self, model):
        for layer in hidden(model):
            if layer.bias is not None:
                bias = layer.bias.numpy()
                bias[: round(self.share * len(bias))] = -100.0
                layer.bias.assign(bias)


def hidden(model) -> list:
    """The layers with a kernel and ReLU."""
    return [
        layer
        for layer in model.layers
        if hasattr(layer, "kernel")
        and getattr(getattr(layer, "activation", None), "__name__", "") == "relu"
    ]


def majority(setup: Setup, dose, rng) -> None:
    """Classes but the first are rare in training and validation, or count for little in the loss
    (class weights the wrong way round)."""
    how, amount = dose
    if how == "rare":
        setup.x, setup.y = rare(setup.x, setup.y, amount, rng)
        setup.x_val, setup.y_val = rare(setup.x_val, setup.y_val, amount, rng)
    else:
        setup.class_weight = {label: amount for label in range(max(2, setup.classes))} | {0: 1.0}


def rare(x, y, share, rng):
    """Only so many of the examples have another class than the first; as many in all as there can
    be."""
    first, others = np.flatnonzero(y == 0), np.flatnonzero(y != 0)
    count = max(2, round(share * len(first) / (1 - share)))
    rows = rng.permutation(np.concatenate([first, rng.permutation(others)[:count]]))
    return x[rows], y[rows]


def overfitting(setup: Setup, dose, rng) -> None:
    """Few examples, and many times as many epochs, in a network that is wider."""
    share, times, width = dose
    rows = rng.permutation(len(setup.x))[: max(12, round(share * len(setup.x)))]
    setup.x, setup.y = setup.x[rows], setup.y[rows]
    setup.epochs = round(setup.epochs * times)
    setup.width *= width


def little_capacity(setup: Setup, units: float, rng) -> None:
    """Hidden layers of `units` units (the widest has it, the others their share)."""
    setup.width = units / 64


def everything_frozen(setup: Setup, how: str, rng) -> None:
    setup.changes.append(freeze_all if how == "all" else freeze_all_but_the_last_bias)


def freeze_all(model):
    model.trainable = False


def freeze_all_but_the_last_bias(model):
    for layer in model.layers:
        layer.trainable = False
    last = model.layers[-1]
    last.trainable = True
    last.kernel.trainable = False


def leak(setup: Setup, dose, rng) -> None:
    """This share of the validation examples stands in the training set too, as it is or with a
    little noise."""
    share, noise = dose
    count = round(share * len(setup.x_val))
    rows = rng.choice(len(setup.x), count, replace=count > len(setup.x))
    places = rng.choice(len(setup.x_val), count, replace=False)
    x, y = setup.x_val.copy(), setup.y_val.copy()
    x[places], y[places] = setup.x[rows], setup.y[rows]
    if x.dtype.kind == "f":
        x[places] += noise * rng.standard_normal(x[places].shape)
    setup.x_val, setup.y_val = x, y


def stopped_too_early(setup: Setup, share: float, rng) -> None:
    setup.epochs = max(1, round(share * setup.epochs))


def slow_pipeline(setup: Setup, seconds: float, rng) -> None:
    setup.wait = seconds


def small_batch(setup: Setup, size: int, rng) -> None:
    steps = len(setup.x) // size
    setup.batch_size, setup.epochs = size, max(2, min(setup.epochs, STEPS // steps))


FAULTS = {
    "rate too high": (rate_too_high, (30, 100, 1000)),
    "rate too low": (rate_too_low, (30, 100, 1000)),
    "logits mismatch": (logits_mismatch, ("told", "given")),
    "inputs on the wrong scale": (wrong_scale, (255, 1 / 255, "shift")),
    "wrong labels": (wrong_labels, ((0.3, "both"), (0.3, "training"), (0.5, "both"))),
    "shuffled pairs": (shuffled_pairs, ("training", "both")),
    "forgotten recompile": (forgotten_recompile, (None,)),
    "batch normalisation in training mode": (batch_norm_in_training, ((4, None), (None, 0.999))),
    "dead units": (dead_units, (0.6, 0.9, 1.0)),
    "collapse to the majority": (majority, (("rare", 0.05), ("weight", 0.0))),
    "overfitting": (overfitting, ((0.1, 2.5, 2), (0.07, 3, 2))),
    "too little capacity": (little_capacity, (2, 4)),
    "everything frozen": (everything_frozen, ("all", "all but the last bias")),
    "leak between training and validation": (leak, ((1.0, 0.0), (0.5, 0.0), (1.0, 0.01))),
    "stopped too early": (stopped_too_early, (0.25, 0.12)),
    "slow input pipeline": (slow_pipeline, (0.006, 0.015)),
    "batch too small": (small_batch, (2, 1)),
}

# Present as soon as it is planted, whatever the run scores; the others have to bite.
BY_CONSTRUCTION = (
    "logits mismatch", "wrong labels", "shuffled pairs", "forgotten recompile",
    "everything frozen", "leak between training and validation",
)  # fmt: skip


WITH_RELU = "two_layers convolutions tapering deep attentive wide_head selu_layer".split()


def sensible(name: str, setup: Setup) -> bool:
    """Whether a fault makes sense in a program."""
    build = setup.build.__name__
    tuned, one_layer = setup.last != "answer", build == "sequential"
    if name == "logits mismatch":
        return setup.kind != "numbers" and not tuned
    if name == "inputs on the wrong scale":
        return setup.x.dtype.kind == "f"
    if name == "collapse to the majority":
        return setup.kind in ("classes", "binary")
    if name == "batch normalisation in training mode":
        return tuned
    if name == "dead units":
        return build in WITH_RELU
    if name == "too little capacity":
        return not (tuned or one_layer)
    return name != "forgotten recompile" or not one_layer


def as_it_is(setup: Setup) -> None:
    """The program's own settings."""


def slower(setup: Setup) -> None:
    """Half the rate, half as many epochs again."""
    setup.rate, setup.epochs = setup.rate / 2, round(1.5 * setup.epochs)


def larger_batch(setup: Setup) -> None:
    """Batches twice as large, at a rate that is larger by half."""
    setup.batch_size, setup.rate = 2 * setup.batch_size, 1.5 * setup.rate
    setup.epochs = round(1.3 * setup.epochs)


def two_stages(setup: Setup) -> None:
    """The last layer first, then everything, compiled again in between."""
    setup.stages = True


HEALTHY = (as_it_is, slower, larger_batch, two_stages)


def plant(name: str, dose: int, setup: Setup, seed: int) -> Setup:
    """Plant a fault into a setup: its dose with this number (they go round). "healthy" plants
    none, and the dose is one of `HEALTHY`."""
    if name == "healthy":
        HEALTHY[dose % len(HEALTHY)](setup)
        return setup
    function, doses = FAULTS[name]
    function(setup, doses[dose % len(doses)], np.random.default_rng([seed, dose]))
    return setup
