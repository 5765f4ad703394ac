"""The finished network on some examples, seen layer by layer; it is not changed."""

import contextlib

import numpy as np

from translearn.clinic.answers import answers
from translearn.clinic.looking import call, leaves, setting, thinned, unchanged

SOME, LARGE = 48, 4_000_000  # examples whose activations are looked at, numbers in a layer


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


@unchanged
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
