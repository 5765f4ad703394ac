"""A recipe's answer, as arrays to score with and as one plain Keras model."""

import dataclasses

import numpy as np

from translearn.recipes import frozen, names

GRID = 12  # the answer before any network: pictures as at most so many cells a side


@dataclasses.dataclass
class Member:
    """A linear classifier on the mean of some views' features, and what the names add.

    views    ((size, mirrored), …); a size of 0 is the picture itself, as a coarse grid
    weights  (channels, classes) and bias (classes,): of the logits, for raw pooled features
    likely   (1000, classes), see `names.likeness`, or None
    trust    weight of the guess by the names
    """

    views: tuple
    weights: np.ndarray
    bias: np.ndarray
    likely: np.ndarray | None = None
    trust: float = 0.0

    def probabilities(self, images, see):
        """(n, classes); `see` as `frozen.features`."""
        seen = np.mean([view(images, *each, see) for each in self.views], axis=0)
        logits = seen @ self.weights + self.bias
        if self.trust:
            top = frozen.top()
            logits += self.trust * names.guess(seen[:, -len(top[0]) :], top, self.likely)
        return softmax(logits)

    def pixels(self) -> int:
        """Pixels that the network looks at for one picture."""
        return sum(size**2 for size, _ in self.views)


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
    found = np.empty((len(images), high * wide * images.shape[3]), np.float32)
    for start in range(0, len(images), frozen.CHUNK):  # as numbers with a point they are large
        cut = images[start : start + frozen.CHUNK, : high * side, : wide * side].astype("float32")
        cells = cut.reshape(len(cut), high, side, wide, side, -1).mean(axis=(2, 4))
        found[start : start + frozen.CHUNK] = cells.reshape(len(cut), -1)
    return found


def view(images, size, mirror, see, **more):
    """What a member sees of pictures: (n, channels), the network's head last."""
    if not size:
        return grid(images)
    return np.concatenate(list(see(images, size, mirror, frozen.BLOCKS, **more).values()), axis=1)


def model(member, shape, name="recommended"):
    """The same as a `keras.Model` of layers that Keras has: raw pixels in, probabilities out."""
    import keras
    from keras import layers

    def mean(tensors):
        return layers.Average()(tensors) if len(tensors) > 1 else tensors[0]

    def dense(weights, bias, name, **more):
        layer = layers.Dense(weights.shape[1], use_bias=bias is not None, name=name, **more)
        layer.build((None, len(weights)))
        layer.set_weights([weights] if bias is None else [weights, bias])
        return layer

    inputs = keras.Input(shape, name="pixels")
    seen, heads = [], []
    for size, mirror in member.views:
        if size:
            pixels = keras.ops.flip(inputs, axis=2) if mirror else inputs
            found, head = frozen.network(shape, size)(pixels)
            heads.append(head)
        else:
            found = layers.Flatten()(layers.AveragePooling2D(cell(shape), name="grid")(inputs))
        seen.append(found)
    logits = dense(member.weights, member.bias, "linear")(mean(seen))
    if member.trust:
        guess = dense(*frozen.top(), "imagenet", activation="softmax")(mean(heads))
        guess = dense(member.likely, None, "names")(guess)
        logits = layers.Add()([logits, member.trust * keras.ops.log(guess + names.FLOOR)])
    made = keras.Model(inputs, layers.Softmax()(logits), name=name)
    made.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    made.optimizer.build(made.trainable_variables)  # or a loaded file warns that it was not
    return made
