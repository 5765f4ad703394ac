"""Looking at a learner's Keras model without leaving a trace, by its public attributes only."""

import sys
from contextlib import contextmanager

import numpy as np

from translearn.exercises.answers import Incorrect, describe


def expect_model(value, what="your answer"):
    """A `keras.Model`, or `Incorrect` with what was seen. Never imports TensorFlow.

    Run it inside `with learners_code("model.predict(images)")`: what Keras raises there, an input
    shape that does not fit for example, is then shown as the learner's error, not as ours.
    """
    keras = sys.modules.get("keras")  # no model can exist before Keras was imported
    if keras is None or not issubclass(type(value), keras.Model):
        raise Incorrect(f"Expected {what} to be a Keras model, got {describe(value)}.")
    return value


def walk(layer):
    """The layer and every layer inside it, outermost first (nested models included)."""
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from walk(inner)


def _variables(model):
    return [
        *model.variables,
        *(model.optimizer.variables if getattr(model, "optimizer", None) else ()),
    ]


@contextmanager
def preserving(*models):
    """Put weights, `trainable` flags, optimiser state and compiled functions back afterwards.

    For looking: predicting, evaluating, freezing and unfreezing. Training needs `copy_of(model)`:
    a first `fit` builds the optimiser, and `compile` replaces it, and neither can be taken back;
    RuntimeError says so.
    """
    names = ("train_function", "test_function", "predict_function", "stop_training", "history")
    kept = []
    for model in models:
        optimizer = getattr(model, "optimizer", None)
        kept.append(
            (
                model,
                optimizer,
                optimizer is not None and optimizer.built,
                [(layer, layer.trainable) for layer in walk(model)],
                [(variable, variable.trainable) for variable in model.variables],
                [(variable, np.array(variable.numpy())) for variable in _variables(model)],
                {name: getattr(model, name) for name in names if hasattr(model, name)},
            )
        )
    try:
        yield
    finally:
        for model, optimizer, built, layers, flags, values, attributes in kept:
            # Outermost first: setting the flag of a model sets every layer's inside it.
            for thing, flag in [*layers, *flags]:
                if thing.trainable != flag:
                    thing.trainable = flag
            for variable, value in values:
                variable.assign(value)
            for name, value in attributes.items():
                setattr(model, name, value)
            now = getattr(model, "optimizer", None)
            if now is not optimizer or (now is not None and now.built != built):
                raise RuntimeError(
                    "the check compiled or trained the learner's model; train copy_of(model)"
                )


def copy_of(model):
    """A separate model with the same weights and `trainable` flags; compiled afresh if `model` is
    compiled (same optimiser settings and loss, no metrics). Train this one in a check, never the
    learner's."""
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for twin, layer in zip(walk(copy), walk(model), strict=True):
        if twin.trainable != layer.trainable:
            twin.trainable = layer.trainable
    if model.compiled:
        copy.compile(
            optimizer=type(model.optimizer).from_config(model.optimizer.get_config()),
            loss=model.loss,
        )
    return copy
