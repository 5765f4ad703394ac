"""Freezing, splitting, remembering features, attaching a head. Nothing here compiles or fits.

Everything works on plain Keras models whose layers' names start with their block, as those of
`translearn.backbones` do: the block of `block07_project_conv` is `block07`. Models made by
`attach_head` hold the backbone as one layer; the functions below look inside.
"""

import json
import math
import os
import shutil
import tempfile
import warnings
from pathlib import Path

from translearn import paths
from translearn.content import digest, model_digest
from translearn.data.registry import suggest
from translearn.errors import CourseError

# Blocks ------------------------------------------------------------------------------------------


def _leaves(model):
    """The layers that are not models themselves, in the order in which pictures pass through them."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _models(model):
    """The model itself and all models inside it, outermost first."""
    import keras

    yield model
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _models(layer)


def _is_batch_norm(layer):
    import keras

    return isinstance(layer, keras.layers.BatchNormalization)


def blocks(model) -> dict:
    """The blocks of a model, first to last: {name: list of its layers}.

    A block is what stands before the first underscore of a layer's name. Layers of a backbone inside
    the model are listed like the model's own; input layers belong to no block.
    """
    found = {}
    for layer in _leaves(model):
        found.setdefault(layer.name.partition("_")[0], []).append(layer)
    return found


def trainable_table(model):
    """What `fit` would move if the model were compiled now: a pandas table, one row a block.

    Columns: block, layers (how many), parameters, trainable (parameters), frozen ("yes", "no", "partly";
    batch normalisation aside) and batch_norm: the mode in which it works during `fit`, "training" or
    "inference" ("mixed" if its layers differ). "–" stands where a block has no such layers. Moving
    statistics count as parameters but never as trainable: no gradient moves them, training mode does.
    """
    import pandas as pd

    moves = {id(weight) for weight in model.trainable_weights}  # what Keras itself says
    rows = []
    for name, layers in blocks(model).items():
        norms = [layer for layer in layers if _is_batch_norm(layer)]
        others = [layer for layer in layers if layer.weights and not _is_batch_norm(layer)]
        frozen = {not any(id(weight) in moves for weight in layer.weights) for layer in others}
        modes = {"training" if layer.trainable else "inference" for layer in norms}
        rows.append(
            (
                name,
                len(layers),
                sum(_size(weight) for layer in layers for weight in layer.weights),
                sum(
                    _size(weight)
                    for layer in layers
                    for weight in layer.weights
                    if id(weight) in moves
                ),
                "partly"
                if len(frozen) == 2
                else {True: "yes", False: "no", None: "–"}[next(iter(frozen), None)],
                "mixed" if len(modes) == 2 else next(iter(modes), "–"),
            )
        )
    return pd.DataFrame(
        rows, columns=["block", "layers", "parameters", "trainable", "frozen", "batch_norm"]
    )


def _size(weight):
    return math.prod(weight.shape)


def freeze(model, up_to=None, share=None, batch_norm=True):
    """Freeze blocks from the input on: sets `layer.trainable = False` on each of their layers.

    up_to       the last block to freeze, included ("block10").
    share       the share of the blocks to freeze, 0 to 1, counted from the input and rounded to whole
                blocks. A head is a block like any other: to count the backbone's alone, call this on
                the backbone.
    batch_norm  False leaves batch normalisation layers as they are. Those that are trainable go on
                adapting during `fit`: their scale and shift, and their moving statistics.
    Neither `up_to` nor `share`: all blocks (call it on the backbone, or the head is frozen too).
    Blocks after the cut keep whatever they were set to.

    Returns `trainable_table(model)`. **Takes effect at the next `model.compile`**: Keras decides what to
    train when it makes its training step. A frozen batch normalisation layer works in inference mode.

    Raises `CourseError` for an unknown block (naming the nearest) or a share outside 0 to 1.
    """
    _switch(model, _cut(model, up_to, share, from_the_end=False), False, batch_norm)
    return trainable_table(model)


def unfreeze(model, from_block=None, share=None, batch_norm=False):
    """Unfreeze blocks up to the output: sets `layer.trainable = True` on each of their layers.

    from_block  the first block to unfreeze, included ("block14").
    share       the share of the blocks to unfreeze, 0 to 1, counted from the output.
    batch_norm  True unfreezes batch normalisation layers as well, and so puts them into training mode:
                they use the statistics of each batch, and the moving ones begin to move. False, the
                usual choice for fine-tuning on little data, leaves them as they are.
    Neither `from_block` nor `share`: all blocks. Blocks before the cut keep whatever they were set to.

    Returns `trainable_table(model)`. Takes effect at the next `model.compile`.
    Raises `CourseError` like `freeze`.
    """
    _switch(model, _cut(model, from_block, share, from_the_end=True), True, batch_norm)
    return trainable_table(model)


def _cut(model, name, share, from_the_end):
    """The names of the chosen blocks."""
    found = list(blocks(model))
    if name is not None and share is not None:
        raise CourseError(
            f"Both a block ({name!r}) and a share ({share!r}) were given. Give one of them."
        )
    if name is not None:
        position = found.index(_known(name, found))
        return found[position:] if from_the_end else found[: position + 1]
    if share is None:
        return found
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise CourseError(
            f"share={share!r} is not a share. Give a number from 0 (no block) to 1 (every block)."
        )
    count = round(share * len(found))
    return found[len(found) - count :] if from_the_end else found[:count]


def _known(name, found):
    if name not in found:
        raise CourseError(
            f"There is no block called {name!r} in this model. {suggest(name, found)}"
        )
    return name


def _switch(model, chosen, trainable, batch_norm):
    if trainable:
        # A model that was switched off as a whole (`backbone.trainable = False`) hides the setting of its
        # layers. Switching it on would switch on every layer inside, so what they were is put back.
        before = [(layer, layer.trainable) for layer in _leaves(model)]
        for part in _models(model):
            part.trainable = True
        for layer, was in before:
            layer.trainable = was
    inside = blocks(model)
    for name in chosen:
        for layer in inside[name]:
            if batch_norm or not _is_batch_norm(layer):
                layer.trainable = trainable


# Splitting and heads -----------------------------------------------------------------------------


def _block_output(backbone, at):
    """The tensor that leaves block `at` of a backbone."""
    return _last_layer(backbone, at).output


def _last_layer(backbone, at):
    inside = blocks(backbone)
    layer = inside[_known(at, list(inside))][-1]
    if not any(layer is own for own in backbone.layers):
        raise CourseError(
            f"Block {at!r} lies in a backbone inside this model. Call this on the backbone itself: "
            "the layer of the model that is a model."
        )
    return layer


def split(backbone, at):
    """Cut a backbone after block `at` into two models: `lower` and `upper`.

    `lower` goes from the pixels to the feature map that leaves block `at`; `upper` takes that feature map
    to the end, and `upper(lower(x))` equals `backbone(x)` exactly. Both *share* the backbone's layers and
    weights: training one of them changes the backbone, and freezing a layer freezes it in both. For a
    part of its own, use `keras.models.clone_model` and `set_weights`.

    Raises `CourseError` for an unknown block, for the last block (nothing would be left above it), and
    where a shortcut jumps over the cut, so that one feature map cannot feed the rest.
    """
    import keras

    cut = _block_output(backbone, at)
    if at == list(blocks(backbone))[-1]:
        raise CourseError(
            f"{at!r} is the last block, and nothing is left above it. Cut at an earlier block."
        )
    lower = keras.Model(backbone.input, cut, name=f"{backbone.name}_up_to_{at}")
    # Keras follows the layers from the output back until it meets the cut.
    try:
        upper = keras.Model(cut, backbone.output, name=f"{backbone.name}_after_{at}")
    except ValueError:
        raise CourseError(
            f"{at!r} is not a place where {backbone.name} can be cut: "
            "a shortcut jumps over it. Cut at another block."
        ) from None
    return lower, upper


def attach_head(
    backbone, classes, dropout=0.0, pooling="avg", batch_norm="inference", seed=None, name=None
):
    """A classifier on a backbone: the feature map is pooled, and one dense layer gives the logits.

    classes     number of classes; the output is (n, classes), also for two. They are **logits**: compile
                with `SparseCategoricalCrossentropy(from_logits=True)`, and use `keras.ops.softmax` to get
                probabilities.
    dropout     share of the pooled features dropped in training.
    pooling     "avg" (mean over the map), "max", or "flatten" (every position keeps its own weights).
    batch_norm  "inference": the backbone's batch normalisation layers are frozen (`trainable = False`) and so
                keep the moving statistics, scale and shift they came with, whatever else is trained.
                "training": they are left as they are; those that are not frozen use the statistics of each
                batch, and their moving ones move. What starts from random weights needs "training".
    seed        for the head's first weights and its dropout: the same seed gives the same head.

    Freezing is the only way that works: Keras's guides call `backbone(x, training=False)`, but when `fit` calls
    the whole model with `training=True`, Keras 3 passes that on to every layer of a functional model and
    the False is lost (https://github.com/keras-team/keras/issues/20285).

    The backbone is one layer of the model (`model.get_layer(backbone.name)`) and is shared, not copied.
    The new layers form the block `classifier`: `classifier_pool`, `classifier_dropout`, `classifier_logits`.
    Raises `CourseError` for a number of classes below two, for another pooling or mode, and for "inference" on a
    backbone whose batch normalisation has no statistics yet.
    """
    import keras
    from keras import layers

    if isinstance(classes, bool) or not hasattr(classes, "__index__") or classes < 2:
        raise CourseError(
            f"A classifier needs two classes or more, and classes={classes!r} is not a whole number above 1."
        )
    if not 0 <= dropout < 1:
        raise CourseError(
            f"dropout={dropout!r} is not a share. Give a number from 0 up to, but not, 1."
        )
    if batch_norm not in ("inference", "training"):
        raise CourseError(
            f'batch_norm={batch_norm!r} is not a mode. Choose "inference" or "training".'
        )
    pools = {
        "avg": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
        "flatten": layers.Flatten,
    }
    if pooling not in pools:
        raise CourseError(f'pooling={pooling!r} is not known. Choose "avg", "max" or "flatten".')

    norms = [layer for layer in _leaves(backbone) if _is_batch_norm(layer)]
    if batch_norm == "inference":
        if norms and all(_fresh(layer) for layer in norms):
            raise CourseError(
                f"The batch normalisation of {backbone.name} has no statistics yet, as after "
                'weights=None, and in inference mode it would do nothing. Pass batch_norm="training".'
            )
        for layer in norms:
            layer.trainable = False
    inputs = keras.Input(backbone.input_shape[1:], name="inputs")
    x = backbone(inputs)
    x = pools[pooling](name="classifier_pool")(x)
    if dropout:
        x = layers.Dropout(dropout, seed=seed, name="classifier_dropout")(x)
    initial = keras.initializers.GlorotUniform(seed=seed)
    x = layers.Dense(classes, kernel_initializer=initial, name="classifier_logits")(x)
    return keras.Model(inputs, x, name=name or f"{backbone.name}_classifier")


def _fresh(layer):
    """Has this batch normalisation layer never seen a picture?"""
    return not layer.moving_mean.numpy().any() and bool((layer.moving_variance.numpy() == 1).all())


def snapshot(model):
    """Remember a compiled model's weights and optimiser state; returns a function that puts them back.

    Building a model anew for every seed would have Keras trace its graph anew, which takes longer than the training.
    The learning rate is put back too. Raises `CourseError` when the model is not compiled.
    """
    if getattr(model, "optimizer", None) is None:
        raise CourseError(
            "This model has no optimiser yet. Call model.compile(…) before transfer.snapshot(model)."
        )
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    kept = [
        (variable, variable.numpy().copy())
        for variable in [*model.variables, *model.optimizer.variables]
    ]

    def restore():
        for variable, value in kept:
            variable.assign(value)

    return restore


# Features that are computed once -----------------------------------------------------------------

CHUNK = 512  # pictures a file: a few seconds of work, which is all that an interruption can lose


def cache_features(
    model,
    images,
    layers=None,
    pooling="avg",
    batch_size=64,
    progress=True,
    folder=None,
    dtype="float32",
):
    """What a frozen network says about pictures, computed once and remembered.

    model       a backbone (or any model); it runs in inference mode. Preprocessing is part of it.
    images      an array (n, h, w, c), pixels 0 to 255 as the model takes them.
    layers      names of blocks, such as ["block10", "head"], all read in one pass. None: the output.
    pooling     "avg": mean over the map, (n, channels). None: the whole map, (n, h, w, channels).
    batch_size  pictures at a time: memory and speed, not the result (up to rounding).
    progress    show a tqdm bar.
    folder      where to remember; `.cache/features` (or `TRANSLEARN_CACHE`) unless given.
    dtype       of the result; "float16" halves memory and disk.

    Returns an array of n rows in the order of the pictures, or for `layers` a dict {block: array}.

    Features are filed under a digest of everything they depend on: architecture, every weight and moving
    statistic, the pixels, the blocks, pooling and dtype. Change one of them and they are computed anew: a
    stale feature cannot be found. Freezing changes none of them. Each block is filed separately, 512
    pictures a file, written under another name and then renamed, so an interrupted pass goes on where it
    stopped, and a truncated file is noticed and computed again. When the disk is full, a warning
    says so and the features are returned all the same.

    Raises `CourseError` for an unknown block and for pictures that do not fit the model.
    """
    import keras
    import numpy as np

    images = np.asarray(images)
    wanted = tuple(model.input_shape[1:])
    if images.ndim != len(wanted) + 1 or any(
        w not in (None, s) for w, s in zip(wanted, images.shape[1:])
    ):
        raise CourseError(
            f"This model takes pictures of shape (n, {', '.join(map(str, wanted))}), "
            f"and these have shape {images.shape}. Load both with the same size=…."
        )
    if pooling not in ("avg", None):
        raise CourseError(f'pooling={pooling!r} is not known. Choose "avg" or None.')
    if isinstance(layers, str):
        raise CourseError(
            f"layers={layers!r} is one name. Give a list of blocks: layers=[{layers!r}]."
        )
    outputs = (
        {None: model.output}
        if layers is None
        else {name: _block_output(model, name) for name in layers}
    )
    if pooling == "avg":
        outputs = {
            name: keras.layers.GlobalAveragePooling2D()(output)
            if len(output.shape) == 4
            else output
            for name, output in outputs.items()
        }

    inside = model_digest(model, trainable=False)
    store = {
        name: _Store(
            folder,
            digest("features", inside, name, pooling, str(np.dtype(dtype)), keras.__version__),
            output.shape[1:],
            dtype,
        )
        for name, output in outputs.items()
    }
    starts = range(0, len(images), CHUNK)
    chunks = [images[start : start + CHUNK] for start in starts]
    keys = [digest(chunk) for chunk in chunks]
    results = {name: np.empty((len(images), *each.shape), dtype) for name, each in store.items()}

    todo = []
    for start, chunk, key in zip(starts, chunks, keys):
        for name, each in store.items():
            found = each.read(key, len(chunk))
            if found is None:
                todo.append((name, start, chunk, key))
            else:
                results[name][start : start + len(chunk)] = found
    if todo:
        missing = {}
        for name, start, chunk, key in todo:
            missing.setdefault((start, key), (chunk, []))[1].append(name)
        _compute(model, outputs, missing, store, results, batch_size, progress)
    return results[None] if layers is None else results


def _compute(model, outputs, missing, store, results, batch_size, progress):
    import keras
    import numpy as np
    from tqdm.auto import tqdm

    steps, keep = {}, True
    total = sum(len(chunk) for chunk, _ in missing.values())
    with tqdm(total=total, desc="Features", unit="image", disable=not progress) as bar:
        for (start, key), (chunk, names) in missing.items():
            names = tuple(names)
            if names not in steps:  # only as deep as the deepest block that is missing
                steps[names] = _compiled(
                    keras.Model(model.input, [outputs[name] for name in names])
                )
            parts = []
            for first in range(0, len(chunk), batch_size):
                batch = chunk[first : first + batch_size]
                parts.append([np.asarray(part) for part in steps[names](batch.astype("float32"))])
                bar.update(len(batch))
            for name, features in zip(names, zip(*parts)):
                features = np.concatenate(features).astype(store[name].dtype)
                results[name][start : start + len(chunk)] = features
                try:
                    if keep:
                        store[name].write(key, features)
                except OSError as error:
                    keep = False  # one warning, and no further attempts in this pass
                    warnings.warn(
                        f"The features could not be kept in {store[name].folder.parent} "
                        f"({error.strerror or error}), so they will be computed again next time. "
                        "Free some space, or call `transfer.clear_cache()`.",
                        stacklevel=3,
                    )


def _compiled(network):
    """`network` in inference mode as one graph: faster than layer by layer, and the model stays uncompiled."""
    import tensorflow as tf

    shape = (None, *network.input_shape[1:])
    graph = tf.function(
        lambda pixels: tf.nest.flatten(network(pixels, training=False))
    )  # always a list
    call = graph.get_concrete_function(tf.TensorSpec(shape, tf.float32))
    return lambda pixels: call(tf.constant(pixels))


class _Store:
    """Chunks of features on disk, for one state of a model and one block."""

    def __init__(self, folder, key, shape, dtype):
        import numpy as np

        self.folder = (
            Path(folder) / key if folder is not None else paths.cache() / "features" / key
        )
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)

    def read(self, key, count):
        """The features of one chunk, or None if they must be computed."""
        import numpy as np

        file = self.folder / f"{key}.npy"
        try:
            features = np.load(file, allow_pickle=False)
            known = json.loads(file.with_suffix(".json").read_text())
        except (OSError, ValueError, EOFError):  # not there, or cut short
            return None
        fits = features.shape == (count, *self.shape) and features.dtype == self.dtype
        return features if fits and known == digest(features) else None

    def write(self, key, features):
        import numpy as np

        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.folder / f"{key}.npy", lambda stream: np.save(stream, features))
        _replace(
            self.folder / f"{key}.json",
            lambda stream: stream.write(json.dumps(digest(features)).encode()),
        )


def _replace(file, write):
    """Write a file so that it is there whole or not at all: under another name first, then renamed."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def clear_cache(folder=None):
    """Forget all remembered features; they are computed again when needed. Returns the bytes freed."""
    folder = Path(folder) if folder is not None else paths.cache() / "features"
    freed = (
        sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if folder.exists()
        else 0
    )
    shutil.rmtree(folder, ignore_errors=True)
    return freed
