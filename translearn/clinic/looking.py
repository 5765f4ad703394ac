"""What a watch looks at: the model's settings, one update, the finished network on examples.

Nothing here changes the model: the network runs in inference mode, outside of any graph.
"""

import contextlib
import functools

import numpy as np


def setting(model) -> dict:
    """What was asked for: the optimiser, the loss, what the loss expects."""
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None)
    if name is None and not isinstance(loss, (dict, list, tuple)):
        name = getattr(loss, "__name__", None)
    expects = None
    with contextlib.suppress(Exception):
        expects = loss.get_config().get("from_logits")
    if isinstance(loss, str):
        expects = False if "crossentropy" in loss else None
    optimizer = model.optimizer
    return {
        "optimiser": type(optimizer).__name__,
        "loss": name,
        "from_logits": expects,
        "clips": any(
            getattr(optimizer, each, None) for each in ("clipnorm", "clipvalue", "global_clipnorm")
        ),
        "several outputs": isinstance(loss, (dict, list, tuple)),
        "own train step": not plain_step(model),
    }


def plain_step(model) -> bool:
    import keras

    return type(model).train_step is keras.Model.train_step


def can_drive(model) -> bool:
    """May the steps be run by a function of ours? Not on several machines or cards."""
    strategy = getattr(model, "distribute_strategy", None)
    return strategy is None or strategy.num_replicas_in_sync == 1


def weights_setting(model) -> dict:
    """Counts of weights, and the layers that have any."""
    size = [int(np.prod(w.shape)) for w in model.trainable_weights]
    found = []
    for layer in leaves(model):
        if layer.weights:
            found.append(
                {
                    "name": layer.name,
                    "kind": type(layer).__name__,
                    "trainable": bool(layer.trainable and layer.trainable_weights),
                    "size": sum(int(np.prod(w.shape)) for w in layer.weights),
                    "units": int(layer.weights[0].shape[-1]) if len(layer.weights[0].shape) else 1,
                    # Biases of exactly zero: as it was made, never trained.
                    "new": untouched(layer),
                }
            )
    unknown, _ = memory(model)
    return {
        # An optimiser that remembers something of each weight shows which weights it knows.
        "unknown to the optimiser": unknown,
        "trainable weights": sum(size),
        "weights": sum(int(np.prod(w.shape)) for w in model.weights),
        "layers": found[:200],
    }


def memory(model) -> tuple:
    """(trainable weights that the optimiser remembers nothing of, memories of other weights), both
    None for an optimiser that remembers nothing.
    """
    if model.optimizer is None:
        return None, None
    slots = [v.path for v in model.optimizer.variables if len(v.shape)]
    names = [w.path.replace("/", "_") for w in model.trainable_weights]
    if not slots:
        return None, None
    unknown = sum(not any(name in slot for slot in slots) for name in names)
    return unknown, sum(not any(name in slot for name in names) for slot in slots)


def knows_what_it_trains(model) -> bool:
    """Does the optimiser remember just the weights that are trainable now?"""
    return memory(model) == (0, 0)


def untouched(layer):
    """Does a layer look as if it was never trained? None when that cannot be seen."""
    for weight in layer.weights:
        if weight.name in ("bias", "moving_mean") and len(weight.shape) == 1:
            return not weight.numpy().any()
    return None


def leaves(model) -> list:
    """All layers in a model that have no layers of their own, however deep."""
    layers = [each for each in model._flatten_layers(include_self=False) if each is not model]
    return [layer for layer in layers if len(list(layer._flatten_layers(include_self=False))) == 0]


def one_step(model, step, spec):
    """`step` as Keras builds it, for one batch; built (and the model's weights made) now."""
    import tensorflow as tf

    if model.run_eagerly:
        return step

    @tf.autograph.experimental.do_not_convert
    def on_data(data):
        return model.distribute_strategy.run(step, args=(data,))

    inner = tf.function(on_data, reduce_retracing=True, jit_compile=model.jit_compile)
    function = tf.function(tf.autograph.experimental.do_not_convert(lambda data: inner(data)))
    function.get_concrete_function(spec)
    return function


def count(data) -> int:
    import keras

    return int(keras.tree.flatten(data)[0].shape[0])


def kernels(model) -> list:
    """(name, variable, values) of every trainable weight with two axes or more."""
    return [(w.path, w, w.numpy()) for w in model.trainable_weights if len(w.shape) > 1]


def updates(model, before) -> dict:
    """The size of the last update against the weights, for each layer and in all."""
    moved, sizes, worst = {}, {}, 0.0
    for path, variable, old in before:
        layer, new = path.rsplit("/", 1)[0], variable.numpy()
        moved[layer] = moved.get(layer, 0.0) + float(np.sum((new - old) ** 2))
        sizes[layer] = sizes.get(layer, 0.0) + float(np.sum(new**2 if not old.any() else old**2))
    ratios = {layer: float(np.sqrt(moved[layer] / max(sizes[layer], 1e-24))) for layer in moved}
    total = np.sqrt(sum(moved.values()) / max(sum(sizes.values()), 1e-24))
    worst = max(ratios.values(), default=None)
    return {"update": float(total), "largest update": worst, "updates": thinned(ratios)}


def thinned(by_layer, most=24) -> dict:
    """At most so many entries of a dict, evenly spread from first to last."""
    names = list(by_layer)
    rows = np.unique(np.linspace(0, len(names) - 1, min(most, len(names))).astype(int))
    return {names[row]: by_layer[names[row]] for row in rows}


def unchanged(look):
    """A look calls the model; what a call changes is put back: seeds, counters, an RNN's state."""

    @functools.wraps(look)
    def careful(model, *args, **kwargs):
        before = [(state, state.numpy()) for state in states(model)]
        try:
            return look(model, *args, **kwargs)
        finally:
            for state, value in before:
                state.assign(value)

    return careful


def states(model) -> list:
    """The variables that no gradient changes: seeds, and weights that are never trainable (the
    weights of a layer that was frozen are not among them)."""
    layers = list(model._flatten_layers())
    weights = [weight for layer in layers for weight in layer._non_trainable_variables]
    known = {id(weight) for weight in model.weights}
    return weights + [each for each in model.non_trainable_variables if id(each) not in known]


@unchanged
def gradients(model, stash) -> dict:
    """Size of the gradient for each layer, and the share of its units that get none."""
    import keras
    import tensorflow as tf

    x, y = stash
    if isinstance(model.loss, (dict, list, tuple)) or model.loss is None:
        return {}
    loss = keras.losses.get(model.loss)
    variables = [w for w in model.trainable_weights if len(w.shape) > 1]
    if not variables:
        return {}
    values = [w.value for w in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:  # nothing for a frozen body
        tape.watch(values)
        out = call(model, x)
        if np.ndim(y) == 1 and out.shape.rank == 2 and out.shape[1] == 1:
            y = y[:, None]  # as `fit` does
        value = tf.reduce_mean(loss(y, out))
    found = tape.gradient(value, values)
    sizes, dead = {}, {}
    for weight, gradient in zip(variables, found):
        layer = weight.path.rsplit("/", 1)[0]
        if gradient is None or not hasattr(gradient, "numpy"):  # an Embedding's rows
            continue
        by_unit = np.abs(gradient.numpy()).reshape(-1, gradient.shape[-1]).max(0)
        sizes[layer] = float(np.linalg.norm(gradient.numpy()))
        if "norm" not in layer and not ("attention" in layer and gradient.shape.rank > 2):
            dead[layer] = float(np.mean(by_unit == 0))
    return {
        "inference loss": float(value),
        "gradients": thinned(sizes),
        "without gradient": thinned({k: v for k, v in dead.items() if v > 0}),
    }


def call(model, x):
    import inspect

    takes = "training" in inspect.signature(model.call).parameters
    return model(x, training=False) if takes or not hasattr(model, "_functional") else model(x)
