"""Features that are computed once: what a frozen network says, remembered on disk."""

import inspect
import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path

from translearn import paths
from translearn.errors import CourseError
from translearn.transfer.blocks import block_output, graph, leaves, models, nested, one_output

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

    model       a backbone, or any Keras model of one input and, without `layers`, one output; it
                runs in inference mode. Preprocessing is part of it. Of a model written as a class
                the output only.
    images      an array (n, h, w, c), pixels 0 to 255 as the model takes them.
    layers      names of blocks, such as ["block10", "head"], all read in one pass. None: the
                output.
    pooling     "avg": mean over the map, (n, channels). None: the whole map, (n, h, w, channels).
    batch_size  pictures at a time: memory and speed, not the result (up to rounding).
    progress    show a tqdm bar.
    folder      where to remember; `.cache/features` (or `TRANSLEARN_CACHE`) unless given.
    dtype       of the result; "float16" halves memory and disk.

    Returns an array of n rows in the order of the pictures, or for `layers` a dict {block: array}.

    Features are filed under a digest of everything they depend on: architecture, every weight and
    moving statistic, the pixels, the blocks, pooling and dtype. Change one of them and they are
    computed anew: a stale feature cannot be found. Freezing changes none of them. Each block is
    filed separately, 512 pictures a file, written under another name and then renamed, so an
    interrupted pass goes on where it stopped, and a truncated file is noticed and computed again.
    When the disk is full, a warning says so and the features are returned all the same.

    Raises `CourseError` for an unknown block, for pictures that do not fit the model, and for a
    model that is not as above.
    """
    import joblib
    import keras
    import numpy as np

    images = _array(images)
    if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__") or batch_size < 1:
        raise CourseError(
            f"batch_size={batch_size!r} is no number of pictures. Give a whole number from 1 up."
        )
    known = graph(model, images.shape[1:])
    wanted = tuple(known.inputs[0].shape[1:])
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
        {None: one_output(model, known)}
        if layers is None
        else {name: block_output(model, name) for name in layers}
    )
    if pooling == "avg":
        outputs = {
            name: keras.layers.GlobalAveragePooling2D()(output)
            if len(output.shape) == 4
            else output
            for name, output in outputs.items()
        }

    shapes = {name: output.shape[1:] for name, output in outputs.items()}
    if any(None in shape for shape in shapes.values()):  # a network for pictures of any size
        found = keras.Model(known.inputs[0], list(outputs.values())).compute_output_shape(
            (1, *images.shape[1:])
        )
        shapes = {name: shape[1:] for name, shape in zip(outputs, found)}
    inside = state(model)
    store = {
        name: _Store(
            folder,
            joblib.hash((inside, name, pooling, str(np.dtype(dtype)), keras.__version__)),
            shape,
            dtype,
        )
        for name, shape in shapes.items()
    }
    starts = range(0, len(images), CHUNK)
    chunks = [images[start : start + CHUNK] for start in starts]
    keys = [joblib.hash(chunk) for chunk in chunks]
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
        _compute(known, outputs, missing, store, results, batch_size, progress)
    return results[None] if layers is None else results


def state(model) -> str:
    """What a model computes in inference mode, as 32 hexadecimal digits: architecture and every
    weight.

    Which layers are frozen, the seeds that weights were drawn with and the names that Keras hands
    out by counting do not change what it computes, and so do not count.
    """
    import joblib
    import keras

    parts = [*models(model), *leaves(model)]
    kinds = [type(layer) for part in parts for layer in nested(part)]
    own = [base for kind in kinds for base in kind.__mro__ if not _of_a_library(base)]
    try:
        config = _bare(keras.saving.serialize_keras_object(model))
    except NotImplementedError as error:
        raise CourseError(
            f"{model.name} has a layer that cannot say how it was made, so its features cannot be "
            f"told from others: {' '.join(str(error).split())[:200]}. Give its class a get_config."
        ) from None
    text = json.dumps(config, default=repr)
    for at, name in enumerate([*(part.name for part in parts), *_inputs(config)]):
        text = text.replace(f'"{name}"', f'"#{at}"')
    weights = [variable.numpy() for variable in model.variables]
    return joblib.hash((text, [_source(kind) for kind in dict.fromkeys(own)], weights))


def _inputs(config):
    """The names of the input layers in a configuration."""
    if isinstance(config, dict):
        if config.get("class_name") == "InputLayer":
            yield config["config"]["name"]
        config = list(config.values())
    if isinstance(config, list):
        for each in config:
            yield from _inputs(each)


def _of_a_library(kind) -> bool:
    return kind.__module__.partition(".")[0] in ("keras", "tensorflow", "builtins", "abc")


def _source(kind) -> str:
    """What a class does, as text; its compiled functions where it was typed in and not kept."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        made = {name: value for name, value in vars(kind).items() if inspect.isfunction(value)}
        return repr({name: _compiled_source(value.__code__) for name, value in made.items()})


def _compiled_source(code):
    constants = [
        _compiled_source(each) if inspect.iscode(each) else each for each in code.co_consts
    ]
    return code.co_code, code.co_names, constants


def _array(images):
    """Pictures as an array of numbers."""
    import numpy as np

    try:
        found = np.asarray(images)
    except ValueError:  # rows of different shapes
        found = np.empty(0, object)
    if found.dtype.kind not in "buif":
        raise CourseError(
            "These are not pictures in one array of numbers. Give an array (n, height, width, "
            "channels), such as the images of data.load(…).train."
        )
    return found


def _bare(config):
    """A Keras configuration without what does not count."""
    if isinstance(config, dict):
        ignored = ("trainable", "seed", "compile_config", "build_config")
        return {key: _bare(value) for key, value in config.items() if key not in ignored}
    return [_bare(each) for each in config] if isinstance(config, (list, tuple)) else config


def _compute(known, outputs, missing, store, results, batch_size, progress):
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
                    keras.Model(known.inputs[0], [outputs[name] for name in names])
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
    """`network` in inference mode as one graph: faster than layer by layer, and the model stays
    uncompiled.
    """
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
        import joblib
        import numpy as np

        file = self.folder / f"{key}.npy"
        try:
            features = np.load(file, allow_pickle=False)
            known = json.loads(file.with_suffix(".json").read_text())
        except (OSError, ValueError, EOFError):  # not there, or cut short
            return None
        fits = features.shape == (count, *self.shape) and features.dtype == self.dtype
        return features if fits and known == joblib.hash(features) else None

    def write(self, key, features):
        import joblib
        import numpy as np

        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.folder / f"{key}.npy", lambda stream: np.save(stream, features))
        _replace(
            self.folder / f"{key}.json",
            lambda stream: stream.write(json.dumps(joblib.hash(features)).encode()),
        )


def _replace(file, write):
    """Write a file so that it is there whole or not at all: under another name first, then
    renamed.
    """
    handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def clear_cache(folder=None):
    """Forget all remembered features; they are computed again when needed. Returns the bytes
    freed.
    """
    folder = Path(folder) if folder is not None else paths.cache() / "features"
    freed = (
        sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if folder.exists()
        else 0
    )
    shutil.rmtree(folder, ignore_errors=True)
    return freed
