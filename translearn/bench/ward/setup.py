"""Everything that decides one training run, in one place, so that a fault can change one thing."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Setup:
    """One training run before it runs.

    x, y, x_val, y_val, x_test, y_test   inputs and targets; the test set is what a run is judged
                by, and no fault but one of scale touches it
    build       Setup → keras.Model, not compiled
    kind        "classes" (whole numbers), "binary" (0 or 1, one output), "labels" (0 or 1, several
                outputs) or "numbers" (regression)
    logits      whether the network's outputs are logits; `told_logits`, what the loss is told
    optimizer   a name of `keras.optimizers`; `rate` and `momentum` are its own
    width       share of the usual units of each hidden layer
    last        the name of the layer that answers
    batch_norm  "inference" or "training": how pretrained batch normalisation is used
    class_weight   as in `fit`
    wait        seconds that each batch keeps the training waiting
    stages      train the last layer alone first, then everything; `recompile`, whether `compile`
                is called in between. Only the last stage is watched
    changes     functions of the built model, called in turn before it is compiled
    """

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    build: Callable
    kind: str = "classes"
    logits: bool = True
    told_logits: bool = True
    optimizer: str = "Adam"
    rate: float = 1e-3
    momentum: float = 0.9
    batch_size: int = 32
    epochs: int = 10
    width: float = 1.0
    last: str = "answer"
    batch_norm: str = "inference"
    class_weight: dict | None = None
    wait: float = 0.0
    stages: bool = False
    recompile: bool = True
    changes: list = field(default_factory=list)

    def units(self, usual: int) -> int:
        """So many units a hidden layer has at this width; at least one."""
        return max(1, round(usual * self.width))

    @property
    def classes(self) -> int:
        """How many outputs the network has."""
        if self.kind == "classes":
            return int(self.y_test.max()) + 1
        return self.y_test.shape[1] if self.kind == "labels" else 1

    def answer(self):
        """The layer that answers, with an activation where the outputs are no logits."""
        from keras import layers

        squash = "softmax" if self.kind == "classes" else "sigmoid"
        if self.logits or self.kind == "numbers":
            squash = None
        elif self.told_logits:  # Keras would notice the mismatch, and heal it
            squash = unnoticed(squash)
        return layers.Dense(self.classes, squash, name=self.last)

    def loss(self):
        import keras

        if self.kind == "numbers":
            return keras.losses.MeanSquaredError()
        if self.kind == "classes":
            return keras.losses.SparseCategoricalCrossentropy(from_logits=self.told_logits)
        return keras.losses.BinaryCrossentropy(from_logits=self.told_logits)

    def metrics(self) -> list:
        import keras

        if self.kind == "numbers":
            return ["mae"]
        if self.kind == "classes":
            return ["accuracy"]
        limit = 0.0 if self.logits else 0.5
        return [keras.metrics.BinaryAccuracy(name="accuracy", threshold=limit)]

    def optimiser(self):
        import keras

        more = {"momentum": self.momentum} if self.optimizer == "SGD" else {}
        return getattr(keras.optimizers, self.optimizer)(self.rate, **more)

    def compile(self, model) -> None:
        model.compile(self.optimiser(), self.loss(), metrics=self.metrics())

    def score(self, outputs, y) -> float:
        """How good outputs are: balanced accuracy (the mean over the labels where there are
        several), or R² of numbers. 0 where an output is not finite."""
        from sklearn.metrics import balanced_accuracy_score, r2_score

        if not np.isfinite(outputs).all():
            return 0.0
        if self.kind == "numbers":
            return float(max(0.0, r2_score(y, outputs.reshape(y.shape))))
        if self.kind == "classes":
            return float(balanced_accuracy_score(y, outputs.argmax(axis=1)))
        said = outputs.reshape(len(y), -1) > (0.0 if self.logits else 0.5)
        truth = y.reshape(len(y), -1)
        return float(np.mean([balanced_accuracy_score(*pair) for pair in zip(truth.T, said.T)]))

    def shares(self, outputs) -> np.ndarray:
        """The share of each class among the answers; of numbers and of several labels, none."""
        if self.kind == "classes":
            return np.bincount(outputs.argmax(axis=1), minlength=self.classes) / len(outputs)
        if self.kind == "binary":
            one = float(np.mean(outputs > (0.0 if self.logits else 0.5)))
            return np.array([1 - one, one])
        return np.array([])


def unnoticed(name):
    """An activation that Keras does not recognise when it is told that these are logits."""
    import keras

    activation = keras.activations.get(name)

    def squash(x):
        return 1.0 * activation(x)

    return squash
