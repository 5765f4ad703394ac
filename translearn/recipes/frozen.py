"""What a frozen network says about pictures: several blocks in one pass, pooled, kept on disk."""

import functools

import numpy as np

from translearn import backbones
from translearn.data import registry
from translearn.errors import CourseError
from translearn.transfer import features as kept
from translearn.transfer.blocks import block_output

NETWORK = "efficientnet_lite0"
# The upper half: features of several depths together serve pictures near to ImageNet and far from
# it (Head2Toe: Evci and others 2022, arXiv:2201.03529).
BLOCKS = (*(f"block{number:02d}" for number in range(9, 17)), "head")
CHANNELS = (112, 112, 112, 192, 192, 192, 192, 320, 1280)  # of these blocks
BATCH = 32  # pictures at a time; the clock is looked at between two of them
CHUNK = 64  # pictures a file


def entrance(shape, size):
    """(input, tensor) of pictures of `shape` as colour pictures of `size` pixels a side: grey is
    repeated; shrinking averages first, so that nothing is skipped. Plain layers only.
    """
    import keras
    from keras import layers

    inputs = x = keras.Input(shape, name="pixels")
    if shape[-1] == 1:
        x = layers.Concatenate(name="grey_to_colour")([x, x, x])
    if min(shape[:2]) >= 2 * size:
        x = layers.AveragePooling2D(min(shape[:2]) // size, name="shrink")(x)
    if tuple(x.shape[1:3]) != (size, size):
        x = layers.Resizing(size, size, interpolation="bilinear", name="resize")(x)
    return inputs, x


@functools.lru_cache(maxsize=4)
def network(shape, size, blocks=BLOCKS):
    """Raw pictures (n, *shape) → pooled features of the blocks side by side, (n, channels), and of
    the last of them alone.
    """
    import keras
    from keras import layers

    inputs, x = entrance(shape, size)
    body = backbones.load(NETWORK, size=size)
    pooled = [layers.GlobalAveragePooling2D()(block_output(body, name)) for name in blocks]
    seen = keras.Model(
        body.input, [layers.Concatenate()(pooled), pooled[-1]], name=f"{NETWORK}_{size}"
    )
    seen.trainable = False
    return keras.Model(inputs, seen(x), name=f"seen_at_{size}")


@functools.lru_cache(maxsize=4)
def _prepared(shape, size, blocks):
    """(compiled network, digest of all that its features depend on, apart from the pictures)."""
    import joblib
    import keras

    model = network(shape, size, blocks)
    state = kept.state(model.layers[-1])
    return kept._compiled(model), joblib.hash((state, shape, size, blocks, keras.__version__))


def top():
    """(weights, bias) of the classifier that the network was pretrained with: pooled head →
    logits of ImageNet's classes.
    """
    arrays = registry.arrays(NETWORK)
    return arrays["top_logits/kernel"], arrays["top_logits/bias"]


def unremembered(images, size):
    """One pass that leaves nothing on disk: to see how long it takes."""
    run, _ = _prepared(tuple(int(side) for side in images.shape[1:]), size, BLOCKS)
    run(images.astype("float32"))


def features(images, size, mirror=False, blocks=BLOCKS, tick=None, folder=None) -> dict:
    """Pooled features of frozen blocks: {block: (n, channels) float32}.

    images  (n, h, w, 1 or 3), pixels 0 to 255, of any size; they are resized inside
    size    pixels a side at which the network sees them
    mirror  see them mirrored
    tick    called with a number of pictures after each batch; may raise to stop
    folder  where features are remembered by their content (`.cache/features` unless given), so
            that a pass that was stopped goes on where it was
    """
    import joblib

    shape = tuple(int(side) for side in images.shape[1:])
    if shape[-1] not in (1, 3):
        raise CourseError(
            f"These pictures have {shape[-1]} channels, and the network takes grey (1) or "
            "colour (3). Leave out the others."
        )
    run, state = _prepared(shape, size, tuple(blocks))
    model = network(shape, size, tuple(blocks))
    ends = np.cumsum(_channels(model))
    found = np.empty((len(images), ends[-1]), np.float32)
    store = kept._Store(folder, joblib.hash((state, mirror)), found.shape[1:], np.float32)
    for start in range(0, len(images), CHUNK):
        chunk = np.ascontiguousarray(images[start : start + CHUNK])
        key = joblib.hash(chunk)
        seen = store.read(key, len(chunk))
        if seen is None:
            pixels = (chunk[:, :, ::-1] if mirror else chunk).astype("float32")
            parts = []
            for first in range(0, len(pixels), BATCH):
                parts.append(np.asarray(run(pixels[first : first + BATCH])[0]))
                if tick is not None:
                    tick(len(parts[-1]))
            seen = np.concatenate(parts)
            try:
                store.write(key, seen)
            except OSError:
                pass  # a full disk makes it slower next time, not wrong
        elif tick is not None:
            tick(len(chunk))
        found[start : start + CHUNK] = seen
    return dict(zip(blocks, np.split(found, ends[:-1], axis=1)))


def _channels(model):
    """Channels of each block that `network` shows."""
    side_by_side = next(
        layer for layer in model.layers[-1].layers if layer.__class__.__name__ == "Concatenate"
    )
    return [int(tensor.shape[-1]) for tensor in side_by_side.input]
