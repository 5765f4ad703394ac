"""What a recipe's answer is made of, as arrays to score with and as one plain Keras model."""

import dataclasses

import numpy as np

from translearn.recipes import frozen, names

GRID = 12  # the answer before any network: pictures as at most so many cells a side


@dataclasses.dataclass
class Member:
    """One linear classifier, the views that it is averaged over, and what the names add.

    views    ((size, mirrored), …); a size of 0 is the picture itself, as a coarse grid
    weights  (channels, classes) and bias (classes,): of the logits, for raw pooled features
    likely   (1000, classes), see `names.likeness`, or None
    trust    weight of the guess by the names
    """

    name: str
    views: tuple
    weights: np.ndarray
    bias: np.ndarray
    out_of_fold: np.ndarray | None = None  # (n, classes), NaN where nothing was held out
    likely: np.ndarray | None = None
    trust: float = 0.0


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
    """What a member sees of pictures: (n, channels), the network's head last."""
    if not size:
        return grid(images)
    return np.concatenate(list(see(images, size, mirror, frozen.BLOCKS, **more).values()), axis=1)


def probabilities(members, images, see):
    """(n, classes): the average of the members."""
    found, seen, top = [], {}, frozen.top()
    for member in members:
        for each in member.views:
            if each not in seen:
                seen[each] = view(images, *each, see)
        mine = [seen[each] for each in member.views]
        logits = np.mean([each @ member.weights for each in mine], axis=0) + member.bias
        if member.trust:
            head = [each[:, -len(top[0]) :] for each in mine]
            logits += member.trust * names.guess(head, top, member.likely)
        found.append(softmax(logits))
    return np.mean(found, axis=0)


def model(members, shape, name="recommended"):
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
    seen, heads, found = {}, {}, []
    imagenet = dense(*frozen.top(), "imagenet", activation="softmax")
    for number, member in enumerate(members):
        for size, mirror in member.views:
            if (size, mirror) in seen:
                continue
            if size:
                pixels = keras.ops.flip(inputs, axis=2) if mirror else inputs
                seen[size, mirror], heads[size, mirror] = frozen.network(shape, size)(pixels)
            else:
                cells = layers.AveragePooling2D(cell(shape), name="grid")(inputs)
                seen[size, mirror] = layers.Flatten()(cells)
        linear = dense(member.weights, member.bias, f"member{number}")
        logits = mean([linear(seen[each]) for each in member.views])
        if member.trust:
            guessed = mean([imagenet(heads[each]) for each in member.views])
            guessed = dense(member.likely, None, f"names{number}")(guessed)
            guessed = member.trust * keras.ops.log(guessed + names.FLOOR)
            logits = layers.Add()([logits, guessed])
        found.append(layers.Softmax()(logits))
    made = keras.Model(inputs, mean(found), name=name)
    made.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return made
