"""Training one run under watch, and keeping what was seen.

What is kept of a run (a plain dict, one compressed JSON file) is enough to diagnose it again with
other rules, without training: the watch's record, the history, AutoTrainer's features, the score
on the test set, and three facts that say which second diagnosis is true as well.
"""

import gzip
import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np

from translearn import paths
from translearn.bench.ward import faults, programs
from translearn.bench.ward.setup import Setup

EVERY = 3  # epochs, as AutoTrainer checks by default
MARGIN = 0.03  # a planted fault bites when the score falls by more than this, or two spreads
DEAD = 0.5  # share of some layer's units without a gradient, from which on units count as dead
ONE_CLASS = 0.9  # share of the answers, from which on a run has collapsed to one class
GAP = 0.15  # of a score, between training and new examples
ROSE = 1.1  # the last validation loss against the smallest, from which on a run has overfitted


def train(setup: Setup, seed: int) -> dict:
    """Train one run, watched in its last stage; returns what is kept of it."""
    import keras

    from translearn import clinic

    keras.utils.set_random_seed(seed)
    began = time.process_time()
    model = setup.build(setup)
    for change in setup.changes:
        change(model)
    trainable = [(layer, layer.trainable) for layer in model.layers]
    if setup.stages:
        _last_layer_first(setup, model, trainable)
    if not setup.stages or setup.recompile:
        setup.compile(model)
    watch, gradients = clinic.watch(), gradients_seen(setup)
    with np.errstate(all="ignore"):
        history = _fit(setup, model, setup.epochs, [watch, gradients]).history
    outputs, trained = outputs_of(model, setup.x_test), outputs_of(model, setup.x[:500])
    shares = setup.shares(outputs)
    kept = {
        "record": watch.record.to_dict(),
        "history": history,
        "gradients": gradients.seen,
        "score": setup.score(outputs, setup.y_test),
        "training score": setup.score(trained, setup.y[:500]),
        "dead": dead_share(setup, model),
        "largest class": float(shares.max()) if len(shares) else 0.0,
        "batch size": setup.batch_size,
        "wait": setup.wait,
        "CPU-seconds": time.process_time() - began,
    }
    keras.backend.clear_session()
    return kept


def outputs_of(model, x) -> np.ndarray:
    """A model's outputs in inference mode (`predict` would trace one more graph)."""
    parts = [np.asarray(model(x[at : at + 250], training=False)) for at in range(0, len(x), 250)]
    return np.concatenate(parts)


def _last_layer_first(setup, model, trainable):
    for layer, _ in trainable:
        layer.trainable = False
    next(layer for layer, _ in trainable if layer.name == setup.last).trainable = True
    setup.compile(model)
    _fit(setup, model, max(2, setup.epochs // 4), [])
    for layer, before in trainable:
        layer.trainable = before


def _fit(setup, model, epochs, callbacks):
    more = {"x": setup.x, "y": setup.y, "batch_size": setup.batch_size}
    if setup.wait:
        more = {"x": _waiting(setup)}
    return model.fit(
        **more,
        epochs=epochs,
        validation_data=(setup.x_val, setup.y_val),
        class_weight=setup.class_weight,
        callbacks=callbacks,
        verbose=0,
    )


def _waiting(setup):
    """The training examples as a `tf.data` pipeline that takes its time over each batch."""
    import tensorflow as tf

    def wait(x, y):
        tf.numpy_function(_sleep, [setup.wait], tf.int64)
        return x, y

    pairs = tf.data.Dataset.from_tensor_slices((setup.x, setup.y))
    return pairs.shuffle(len(setup.x), seed=0).batch(setup.batch_size).map(wait)


def _sleep(seconds):
    time.sleep(float(seconds))
    return np.int64(0)


def gradients_seen(setup):
    """A callback that looks at the gradients of one batch, as AutoTrainer does: after every third
    epoch and the last, in inference mode, the share of entries that are 0 and each kernel's norm.
    """
    import keras

    class Gradients(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            if epoch % EVERY == 0 or epoch == self.params["epochs"] - 1:
                rows = slice(setup.batch_size)
                found = kernel_gradients(setup, self.model, rows)
                self.seen.append({
                    "epoch": epoch,
                    "zero": [float(np.mean(each == 0)) for each in found],
                    "sizes": [each.size for each in found],
                    "norms": [float(np.linalg.norm(each)) for each in found],
                    "finite": all(np.isfinite(each).all() for each in found),
                })  # fmt: skip

    return Gradients()


def kernel_gradients(setup, model, rows) -> list:
    """The gradient of each trainable kernel on some training examples, as arrays."""
    import tensorflow as tf

    kernels = [w for w in model.trainable_weights if len(w.shape) >= 2]
    with tf.GradientTape() as tape:
        loss = setup.loss()(setup.y[rows], model(setup.x[rows], training=False))
    found = tape.gradient(loss, [kernel.value for kernel in kernels]) if kernels else []
    return [np.asarray(tf.convert_to_tensor(each)) for each in found if each is not None]


def dead_share(setup, model) -> float:
    """The largest share of units in a layer that get no gradient from 256 training examples; the
    layer that answers does not count."""
    found = kernel_gradients(setup, model, slice(256))[:-1]
    shares = [float(np.mean(~each.any(axis=tuple(range(each.ndim - 1))))) for each in found]
    return max(shares, default=0.0)


# ---- Keeping


class Ward:
    """The runs that are kept in a folder: a file for each, made once.

    folder   `ward` in the cache unless given.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = Path(folder or paths.cache() / "ward")

    def path(self, program, fault, dose, seed) -> Path:
        name = f"{program}-{fault}-{dose}-{seed}".replace(" ", "_")
        return self.folder / f"{name}.json.gz"

    def run(self, program: str, fault: str, dose: int, seed: int) -> dict:
        """One run, trained unless it is kept: as `train`, with what it is."""
        path = self.path(program, fault, dose, seed)
        if path.exists():
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return json.load(file)
        setup = faults.plant(fault, dose, programs.PROGRAMS[program](seed), seed)
        number = hashlib.sha256(f"{program} {seed}".encode()).digest()[0] + 1000 * seed
        kept = {"program": program, "fault": fault, "dose": dose, "seed": seed}
        kept |= train(setup, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}")
        with gzip.open(scratch, "wt", encoding="utf-8") as file:
            json.dump(kept, file)
        os.replace(scratch, path)
        return kept


def planned(names, seed: int, every: int = 1, healthy: int = 2) -> list:
    """The runs of some programs with one seed, (program, fault, dose, seed): healthy ones, and
    each fault that makes sense, in doses that take turns from seed to seed.

    every    1: all faults; 3: a third of them, the others with the next two seeds; 6: a sixth
    healthy  so many healthy runs of each program, at most 2
    """
    found, turn = [], seed if every == 1 else seed // 3
    for place, name in enumerate(names):
        setup = programs.PROGRAMS[name](seed)
        kinds = 4 if faults.sensible("forgotten recompile", setup) else 3
        for more in range(healthy):
            found.append((name, "healthy", (2 * seed + more + place) % kinds, seed))
        for number, (fault, (_, doses)) in enumerate(faults.FAULTS.items(), start=place):
            if faults.sensible(fault, setup) and (number + seed) % every == 0:
                found.append((name, fault, (turn + number) % len(doses), seed))
    return found


def bites(kept: dict, healthy: list) -> bool:
    """Whether a planted fault has made its run sick: present by construction, or a score below
    those of the program's healthy runs by more than `MARGIN` and two of their spreads. (Units that
    were killed are there by construction when they still get no gradient; a run has collapsed
    when, beside that, nearly all its answers are one class; it has overfitted when its validation
    loss has risen, or when it is better on training examples than on new ones by `GAP` more than a
    healthy run; a pipeline is slow when a batch keeps the training waiting
    for longer than a usual step computes.)"""
    if kept["fault"] == "slow input pipeline":
        return kept["wait"] >= kept["record"]["steps"]["step"]
    if kept["fault"] in faults.BY_CONSTRUCTION:
        return True
    if kept["fault"] == "dead units" and kept["dead"] >= DEAD:
        return True
    if kept["fault"] == "overfitting":
        usual = np.mean([each["training score"] - each["score"] for each in healthy])
        return rose(kept) or bool(kept["training score"] - kept["score"] > usual + GAP)
    if kept["fault"] == "collapse to the majority" and kept["largest class"] < ONE_CLASS:
        return False
    scores = np.array([each["score"] for each in healthy])
    return kept["score"] < scores.mean() - max(MARGIN, 2 * scores.std())


def rose(kept: dict) -> bool:
    """Whether the validation loss ended well above its smallest while that of training fell."""
    loss, checked = kept["history"]["loss"], kept["history"]["val_loss"]
    if not np.isfinite([*loss, *checked]).all():
        return False
    least = int(np.argmin(checked))
    return bool(checked[-1] > ROSE * checked[least] + 1e-3 and loss[-1] < loss[least])
