"""What a recipe's answer is made of, as arrays to score with and as one plain Keras model."""

import dataclasses

import numpy as np

from translearn.recipes import frozen

GRID = 12  # the answer before any network: pictures as at most so many cells a side


@dataclasses.dataclass
class Member:
    """One linear classifier and the views that it is averaged over.

    views    ((size, mirrored), …); a size of 0 is the picture itself, as a coarse grid
    weights  (channels, classes) and bias (classes,): of the logits, for raw pooled features
    """

    name: str
    views: tuple
    weights: np.ndarray
    bias: np.ndarray
    out_of_fold: np.ndarray | None = None  # (n, classes), NaN where nothing was held out


def softmax(logits):
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def cell(shape) -> int:
    """Pixels a side of one cell of the coarse grid."""
    return max(1, -(-min(shape[:2]) // GRID))


def grid(images):
    """Pictures (n, h, w, c) as the means of their cells, (n, cells · c)."""
    side = cell(images.shape[1:])
    high, wide = images.shape[1] // side, images.shape[2] // side
    cut = images[:, : high * side, : wide * side].astype("float32")
    cells = cut.reshape(len(images), high, side, wide, side, -1).mean(axis=(2, 4))
    return cells.reshape(len(images), -1)


def view(images, size, mirror, see, **more):
    """What a member sees of pictures: (n, channels)."""
    if not size:
        return grid(images)
    return np.concatenate(list(see(images, size, mirror, frozen.BLOCKS, **more).values()), axis=1)


def probabilities(members, images, see):
    """(n, classes): the average of the members."""
    found, seen = [], {}
    for member in members:
        for each in member.views:
            if each not in seen:
                seen[each] = view(images, *each, see)
        logits = [seen[each] @ member.weights + member.bias for each in member.views]
        found.append(softmax(np.mean(logits, axis=0)))
    return np.mean(found, axis=0)


def model(members, shape, name="recommended"):
    """The same as a `keras.Model` of layers that Keras has: raw pixels in, probabilities out."""
    import keras
    from keras import layers

    inputs = keras.Input(shape, name="pixels")
    seen, found = {}, []
    for number, member in enumerate(members):
        for size, mirror in member.views:
            if (size, mirror) not in seen:
                pixels = keras.ops.flip(inputs, axis=2) if mirror else inputs
                seen[size, mirror] = (
                    frozen.network(shape, size)(pixels)
                    if size
                    else layers.Flatten()(layers.AveragePooling2D(cell(shape))(inputs))
                )
        dense = layers.Dense(len(member.bias), name=f"member{number}")
        logits = [dense(seen[each]) for each in member.views]
        dense.set_weights([member.weights, member.bias])
        logits = layers.Average()(logits) if len(logits) > 1 else logits[0]
        found.append(layers.Softmax()(logits))
    found = layers.Average(name="average")(found) if len(found) > 1 else found[0]
    made = keras.Model(inputs, found, name=name)
    made.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return made
