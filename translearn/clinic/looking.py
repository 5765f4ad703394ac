"""What a watch looks at: the model's settings, one update, the finished network on examples.

Nothing here changes the model: the network runs in inference mode, outside of any graph.
"""

import contextlib

import numpy as np

NEIGHBOURS = 5
SOME, LARGE = 48, 4_000_000  # examples whose activations are looked at, numbers in a layer
PIXELS = 2048  # of an input that are compared when neighbours are looked for


# ---------------------------------------------------------------- settings


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
                    "units": int(layer.weights[0].shape[-1]) if layer.weights[0].shape else 1,
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


# ---------------------------------------------------------------- one update


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


# ---------------------------------------------------------------- the finished network


def call(model, x):
    import inspect

    takes = "training" in inspect.signature(model.call).parameters
    return model(x, training=False) if takes or not hasattr(model, "_functional") else model(x)


class Spy:
    """Sees what each layer gets and gives in one call of a model."""

    def __init__(self, model, deep=True):
        self.model, self.layers, self.deep = model, leaves(model), deep
        self.first, self.features, self.last = None, None, None
        self.silent, self.normalised, self.activations = {}, [], []

    @contextlib.contextmanager
    def __call__(self):
        for layer in self.layers:
            layer.call = self._around(layer, layer.call)
        try:
            yield self
        finally:
            for layer in self.layers:
                with contextlib.suppress(AttributeError):
                    del layer.call

    def _around(self, layer, original):
        def spied(*args, **kwargs):
            outputs = original(*args, **kwargs)
            try:
                self._see(layer, args[0] if args else None, outputs)
            except Exception:  # noqa: BLE001 - a layer that cannot be seen is passed over
                self.missed = layer.name
            return outputs

        return spied

    def _see(self, layer, inputs, outputs):
        kind = type(layer).__name__
        preparing = kind in ("Rescaling", "Normalization", "TextVectorization", "StringLookup")
        if hasattr(inputs, "numpy") and layer.weights and not preparing:
            if any(len(w.shape) > 1 for w in layer.weights) or self.first is None:
                if self.first is None:
                    self.first = (layer, inputs.numpy())
            if any(len(w.shape) > 1 for w in layer.weights):
                self.last, self.features = layer, pooled(inputs.numpy())
        activation = getattr(getattr(layer, "activation", None), "__name__", None)
        self.activations.append(activation or kind.lower())
        if not self.deep:
            return
        if kind == "BatchNormalization" and hasattr(inputs, "numpy"):
            self.normalised.append(statistics(layer, inputs[:SOME].numpy()))
        if not layer.trainable or kind == "Embedding":
            return
        if hasattr(outputs, "numpy") and outputs.dtype.is_floating:
            if np.prod(outputs.shape[1:]) * SOME > LARGE:
                return
            by_unit = np.abs(outputs[:SOME].numpy()).reshape(-1, outputs.shape[-1]).max(0)
            if (share := float(np.mean(by_unit == 0))) > 0:
                self.silent[layer.name] = share


def pooled(array):
    """(n, features): the mean over the axes between the first and the last."""
    return array.reshape(len(array), -1, array.shape[-1]).mean(1) if array.ndim > 1 else array


def statistics(layer, inputs) -> dict:
    """How far the stored statistics of a batch normalisation are from those of `inputs`."""
    axes = tuple(range(inputs.ndim - 1))
    mean, variance = inputs.mean(axes), inputs.var(axes)
    stored, spread = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    shift = np.abs(mean - stored) / np.sqrt(np.maximum(spread, 0) + layer.epsilon)
    ratio = np.log((variance + layer.epsilon) / (np.maximum(spread, 0) + layer.epsilon))
    return {
        "name": layer.name,
        "trainable": bool(layer.trainable),
        "momentum": float(layer.momentum),
        "shift": float(np.median(shift)),
        "log ratio": float(np.median(ratio)),
    }


def examples(model, stash, deep=True):
    """What the network makes of some examples: (numbers for the record, arrays to compare).

    Units and batch normalisation are looked at only when `deep`.
    """
    x, y = stash
    spy = Spy(model, deep)
    with spy():
        out = call(model, x)
    found, arrays = {"examples": len(pooled_first(x))}, {}
    if spy.first is not None:
        layer, values = spy.first
        found["first layer"] = {"name": layer.name, "kind": type(layer).__name__}
        if values.dtype.kind == "f":
            found["first layer"] |= scale(values)
            arrays["inputs"] = values
    parts = pooled_first(x)
    if parts.dtype.kind in "fiu":
        found["inputs"] = {"dtype": str(parts.dtype)} | scale(parts)
    if deep:
        found["silent"], found["normalised"] = thinned(spy.silent), spy.normalised[:60]
    found["last activation"] = next((a for a in spy.activations[::-1] if a != "dropout"), None)
    if spy.last is not None:
        found["last layer"] = spy.last.name
    if hasattr(out, "numpy") and hasattr(y, "dtype"):
        expects = setting(model)["from_logits"]
        found |= answers(np.asarray(out), np.asarray(y), setting(model)["loss"] or "", expects)
        arrays["labels"] = found.pop("_labels", None)
        if found.get("positions"):
            arrays.clear()
        elif spy.features is not None and len(spy.features) == len(np.asarray(y)):
            arrays["features"] = spy.features
    return found, arrays


def pooled_first(x):
    import keras

    return np.asarray(keras.tree.flatten(x)[0])


def scale(values) -> dict:
    """Mean, spread and range, and the spread of the columns for a table."""
    values = values.astype(float)
    found = {"mean": values.mean(), "std": values.std(), "min": values.min(), "max": values.max()}
    if values.ndim == 2:
        by_column = values.std(0)
        found["largest column"], found["median column"] = by_column.max(), np.median(by_column)
        found["columns"] = values.shape[1]
        found["largest mean"] = np.abs(values.mean(0)).max()
    return found


def answers(out, y, loss, expects) -> dict:
    """The outputs against the targets: of which kind they are, how good, how sure."""
    found = {"shape": list(out.shape), "finite": bool(np.isfinite(out).all())}
    if out.ndim == 3 and y.shape == out.shape[:2] and y.dtype.kind in "iu":  # every position
        rows = np.linspace(0, y.size - 1, min(512, y.size)).astype(int)
        out, y = out.reshape(-1, out.shape[-1])[rows], y.reshape(-1)[rows]
        found["positions"] = True
    if out.ndim == 1:
        out = out[:, None]
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if out.ndim != 2 or not found["finite"]:
        return found | {"kind": "unknown"}
    sums = out.sum(1)
    found |= {
        "output min": out.min(),
        "output max": out.max(),
        "output std": out.std(0).mean(),
        "sums to one": float(np.mean((np.abs(sums - 1) < 1e-3) & (out.min(1) >= -1e-6))),
    }
    whole = y.dtype.kind in "iub" or bool(np.all(y == np.round(y)))
    squared = any(word in loss for word in ("squared", "absolute", "mse", "mae", "huber", "cosh"))
    if out.shape[1] == 1:
        if y.ndim == 1 and whole and set(np.unique(y)) <= {0, 1} and not squared:
            bounded = out.min() >= 0 and out.max() <= 1
            p = (
                out[:, 0]
                if expects is False or (expects is None and bounded)
                else expit(out[:, 0])
            )
            return found | judged(np.stack([1 - p, p], 1), y.astype(int), "binary")
        return found | fitted(out[:, 0], y)
    if y.ndim == 2 and y.shape == out.shape:
        if (
            whole
            and np.all((y >= 0) & (y <= 1))
            and np.all(y.sum(1) == 1)
            and "binary" not in loss
        ):
            y = y.argmax(1)
        elif whole and np.all((y >= 0) & (y <= 1)):
            p = out if out.min() >= 0 and out.max() <= 1 else expit(out)
            return found | {
                "kind": "several labels",
                "accuracy": float(np.mean((p > 0.5) == y)),
                "trivial": float(np.mean(np.maximum(y.mean(0), 1 - y.mean(0)))),
            }
        elif squared or not np.allclose(y.sum(1), 1, atol=1e-3):
            return found | fitted(out, y)
        else:
            y = y.argmax(1)  # smoothed or mixed labels
    if y.ndim != 1 or not whole or y.min() < 0 or y.max() >= out.shape[1]:
        return found | {"kind": "unknown"}
    bounded = found["sums to one"] == 1
    p = out if bounded else softmax(out)
    return found | judged(p, y.astype(int), "classes")


def expit(z):
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


def softmax(z):
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def judged(p, y, kind) -> dict:
    """Accuracy, balanced accuracy, class shares; and label, answer, sureness of each example."""
    p = np.clip(p, 1e-7, 1)
    answer = p.argmax(1)
    recalls = [float(np.mean(answer[y == c] == c)) for c in np.unique(y)]
    return {
        "kind": kind,
        "classes": p.shape[1],
        "accuracy": float(np.mean(answer == y)),
        "balanced": float(np.mean(recalls)),
        "recalls": {"best": max(recalls), "worst": min(recalls)},
        "trivial": float(np.bincount(y).max() / len(y)),
        "loss": float(-np.log(p[np.arange(len(y)), y]).mean()),
        "most answered": float(np.bincount(answer).max() / len(y)),
        "labels": y,
        "answers": answer,
        "sure of label": np.round(p[np.arange(len(y)), y], 3),
        "sure": np.round(p.max(1), 3),
        "place of label": (p > p[np.arange(len(y)), y][:, None]).sum(1),
        "_labels": y,
    }


def fitted(out, y) -> dict:
    """For a regression: the share of the variance that is explained."""
    if out.shape != y.shape or y.dtype.kind not in "iuf":
        return {"kind": "unknown"}
    spread = float(np.var(y, axis=0).sum())
    error = float(((out - y) ** 2).mean(0).sum())
    ours = float(np.var(out, axis=0).sum())
    return {
        "kind": "regression",
        "explained": 1 - error / max(spread, 1e-12),
        "target std": float(np.std(y)),
        "target mean": float(np.mean(y)),
        "answers' spread": float(np.sqrt(ours / max(spread, 1e-12))),
        "_labels": y if y.ndim == 1 else None,
    }


# ---------------------------------------------------------------- neighbours


def across(record, ends) -> None:
    """Do examples that are alike have the same label? In training, in validation, and between."""
    train, held = ends.get("training", {}), ends.get("validation", {})
    for space in ("inputs", "features"):
        found = {}
        for name, a, b in (
            ("training", train, train),
            ("validation", held, held),
            ("between", train, held),
        ):
            if all(e.get(space) is not None and e.get("labels") is not None for e in (a, b)):
                if a is not b and a[space].shape[1:] != b[space].shape[1:]:
                    continue
                found[name] = agreement(a[space], a["labels"], b[space], b["labels"], a is b)
        if found:
            record.end[f"neighbours by {space}"] = found


def agreement(known, labels, asked, truth, same) -> dict:
    """How often the `NEIGHBOURS` nearest of `known` have the label of the one `asked` about.

    For classes the share of right majority votes, and what it is when labels are shuffled
    ("chance", and the standard deviation of that); for numbers the correlation.
    """
    if len(known) <= 2 * NEIGHBOURS or len(asked) <= 2 * NEIGHBOURS:
        return {}
    near = nearest(flat(known, known), flat(asked, known), same)
    draw = np.random.default_rng(0)
    if (
        labels.dtype.kind == "f"
        and not np.all(labels == np.round(labels))
        or (len(np.unique(labels)) > max(20, len(labels) // 4))
    ):
        mean = labels[near].mean(1)
        r = np.corrcoef(mean, truth)[0, 1] if mean.std() and truth.std() else 0.0
        return {"agree": float(r), "chance": 0.0, "spread": 1 / np.sqrt(len(asked))}
    labels, truth = labels.astype(int), truth.astype(int)
    classes = int(max(labels.max(), truth.max())) + 1
    shuffled = [float(np.mean(vote(draw.permutation(labels), near, classes) == truth))
                for _ in range(20)]  # fmt: skip
    votes = vote(labels, near, classes)
    chance = float(np.mean(shuffled))
    spread = max(float(np.std(shuffled)), np.sqrt(chance * (1 - chance) / len(asked)), 1e-3)
    return {"agree": float(np.mean(votes == truth)), "chance": chance, "spread": spread,
            "votes": votes}  # fmt: skip


def vote(labels, near, classes):
    """The label that most of the neighbours have; of two, the nearer one's."""
    counts = np.zeros((len(near), classes))
    for place in range(near.shape[1]):
        np.add.at(counts, (np.arange(len(near)), labels[near[:, place]]), 1 - 1e-3 * place)
    return counts.argmax(1)


def flat(values, like):
    """(n, columns), at most `PIXELS` of them, each standardised as `like` is."""
    rows, model = (a.reshape(len(a), -1) for a in (values, like))
    step = -(-rows.shape[1] // PIXELS)
    rows, model = rows[:, ::step].astype(float), model[:, ::step].astype(float)
    spread = model.std(0)
    # Pixels and features share one scale; the columns of a table need not.
    if values.ndim > 2 or rows.shape[1] > 64:
        spread = np.full_like(spread, spread.mean())
    return np.nan_to_num((rows - model.mean(0)) / np.maximum(spread, 1e-9))


def nearest(known, asked, same):
    """(n, NEIGHBOURS): rows of `known`, nearest first; never the row itself when `same`."""
    distance = (asked**2).sum(1)[:, None] - 2 * asked @ known.T + (known**2).sum(1)[None]
    if same:
        np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
