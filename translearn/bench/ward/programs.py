"""What is trained: programs, each a network, a data set and an optimiser.

**The split was fixed before any threshold was chosen, by whole programs.** A network or a data set
of one half never stands in the other:

| chosen on | held out |
|---|---|
| `digits8`: ReLU layers on 8 × 8 digits (scikit-learn), Adam | `wine`: ELU layer, table, SGD |
| `fashion`: convolutions, SGD | `transfer`: pretrained, batch-normalised, MNIST, AdamW |
| `fashion_bn`: subclassed, batch-normalised, RMSprop | `attention`: MNIST's rows, Adam |
| `cancer`: table, one sigmoid output, Adam | `solar`: VGG16's features, uneven, one logit |
| `emoji`: softmax on frozen features, Adam | `diabetes`: regression, a table, SGD |
| `emoji_tuned`: top of EfficientNet-Lite0, Adam | `author`: LSTM on characters, RMSprop |
| `moons`: deep, narrow, SGD | `tags`: several labels at once, Nadam |
| `friedman`: regression, Adam | |
| `reviews`: head on MiniLM's features, AdamW | |

The rates, epochs and sizes are such that a healthy run trains properly (its validation loss has
come down and does not rise), and cheap: one to five CPU-seconds a run. The sizes are whole
batches, so that a graph is traced once. A program is a function seed → `Setup`; the seed draws
which examples are for training.
"""

import functools

import numpy as np

from translearn import backbones, data, transfer
from translearn.bench.ward.setup import Setup


def cut(x, y, seed, train, validation, test):
    """Disjoint random parts of some examples, as the six arrays of a `Setup`."""
    order = np.random.default_rng(seed).permutation(len(x))
    ends = np.cumsum([0, train, validation, test])
    parts = [order[a:b] for a, b in zip(ends, ends[1:])]
    names = ("", "_val", "_test")
    return {f"{axis}{name}": values[part] for name, part in zip(names, parts)
            for axis, values in (("x", x), ("y", y))}  # fmt: skip


def standardised(parts):
    """Each column with mean 0 and standard deviation 1 on the training part."""
    mean, spread = parts["x"].mean(axis=0), parts["x"].std(axis=0) + 1e-6
    for name in ("x", "x_val", "x_test"):
        parts[name] = ((parts[name] - mean) / spread).astype("float32")
    return parts


def sequential(setup, *middle):
    import keras

    return keras.Sequential([keras.Input(setup.x.shape[1:]), *middle, setup.answer()])


CUT = "block16"  # what lies above it in EfficientNet-Lite0 is tuned


# ---- Chosen on


def digits8(seed):
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    parts = cut((x / 16).astype("float32"), y, seed, 992, 288, 500)
    return Setup(**parts, build=two_layers, epochs=16)


def two_layers(setup):
    from keras import layers

    hidden = (layers.Dense(setup.units(64), "relu") for _ in range(2))
    return sequential(setup, *hidden)


def fashion(seed):
    parts = _pictures("fashion", seed, 1504, 416, 800)
    return Setup(**parts, build=convolutions, optimizer="SGD", rate=0.03, epochs=8,
                 logits=False, told_logits=False)  # fmt: skip


def convolutions(setup):
    from keras import layers

    return sequential(
        setup,
        layers.Conv2D(setup.units(16), 3, 2, "same", activation="relu"),
        layers.Conv2D(setup.units(32), 3, 2, "same", activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(setup.units(64), "relu"),
    )


def fashion_bn(seed):
    parts = _pictures("fashion", seed + 100, 1504, 416, 800)
    return Setup(**parts, build=normalised, optimizer="RMSprop", rate=3e-3, epochs=10)


def normalised(setup):
    """A model written as a class."""
    import keras
    from keras import layers

    class Normalised(keras.Model):
        def __init__(self):
            super().__init__()
            self.convolutions = [
                layers.Conv2D(setup.units(filters), 3, 2, "same", use_bias=False)
                for filters in (16, 32)
            ]
            self.norms = [layers.BatchNormalization(momentum=0.9) for _ in range(2)]
            self.flat, self.drop = layers.GlobalAveragePooling2D(), layers.Dropout(0.1)
            self.answer = setup.answer()

        def call(self, x, training=False):
            for convolution, norm in zip(self.convolutions, self.norms):
                x = keras.ops.relu(norm(convolution(x), training=training))
            return self.answer(self.drop(self.flat(x), training=training))

    model = Normalised()
    model(setup.x[:1])
    return model


def cancer(seed):
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    parts = standardised(cut(x, y, seed, 320, 96, 150))
    return Setup(**parts, build=tapering, kind="binary", batch_size=16, epochs=15,
                 logits=False, told_logits=False)  # fmt: skip


def tapering(setup):
    from keras import layers

    hidden = (layers.Dense(setup.units(units), "relu") for units in (32, 16))
    return sequential(setup, *hidden)


def emoji(seed):
    parts = standardised(few(_emoji_features(), seed, 896, 256, 500))
    return Setup(**parts, build=sequential, epochs=20, rate=1e-3, logits=False,
                 told_logits=False)  # fmt: skip


def few(splits, seed, *sizes):
    """Random examples of each part of a data set that comes split: as `cut`."""
    found, draw = {}, np.random.default_rng(seed)
    for name, (x, y), size in zip(("", "_val", "_test"), splits, sizes):
        rows = draw.permutation(len(x))[:size]
        found[f"x{name}"], found[f"y{name}"] = x[rows], y[rows]
    return found


def emoji_tuned(seed):
    parts = few(_emoji_maps(), seed + 100, 1216, 256, 500)
    return Setup(**parts, build=top_of_lite0, rate=2e-4, epochs=6, last="classifier_logits")


def top_of_lite0(setup):
    top = transfer.split(backbones.load("efficientnet_lite0", size=64), CUT)[1]
    return transfer.attach_head(top, setup.classes, batch_norm=setup.batch_norm, dropout=0.5)


def moons(seed):
    from sklearn.datasets import make_moons

    x, y = make_moons(900, noise=0.15, random_state=seed)
    parts = cut(x.astype("float32"), y, seed, 400, 200, 300)
    return Setup(**parts, build=deep, optimizer="SGD", rate=0.01, batch_size=20, epochs=30)


def deep(setup):
    from keras import layers

    hidden = (
        layers.Dense(setup.units(16), "relu", kernel_initializer="he_normal") for _ in range(4)
    )
    return sequential(setup, *hidden)


def friedman(seed):
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(1300, noise=1.0, random_state=seed)
    parts = standardised(cut(x, ((y - 14.4) / 4.9).astype("float32"), seed, 704, 192, 400))
    return Setup(**parts, build=tapering, kind="numbers", rate=3e-3, epochs=20)


def reviews(seed):
    x, y = _sentences()
    parts = cut(x, y, seed, 800, 192, 500)
    return Setup(**parts, build=gelu_head, optimizer="AdamW", rate=1e-3, epochs=12)


def gelu_head(setup):
    from keras import layers

    return sequential(setup, layers.Dense(setup.units(32), "gelu"), layers.Dropout(0.4))


# ---- Held out


def wine(seed):
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    parts = standardised(cut(x, y, seed, 90, 30, 58))
    return Setup(**parts, build=elu_layer, optimizer="SGD", rate=0.01, batch_size=10, epochs=15,
                 logits=False, told_logits=False)  # fmt: skip


def elu_layer(setup):
    from keras import layers

    return sequential(setup, layers.Dense(setup.units(24), "elu"))


def transferred(seed):
    """Ten digits' second half, from a network that learnt the first half; 40 pictures each."""
    images, labels = _whole("digits")
    x, y = images[labels >= 5], labels[labels >= 5] - 5
    parts = cut(x, y, seed, 200, 160, 600)
    return Setup(**parts, build=pretrained, optimizer="AdamW", rate=2e-3, epochs=12,
                 batch_size=20, last="classifier_logits")  # fmt: skip


def pretrained(setup):
    body = _blank()
    body.set_weights(_learnt())
    model = transfer.attach_head(body, setup.classes, batch_norm=setup.batch_norm)
    transfer.freeze(body, up_to="block1")
    if setup.batch_norm == "training":
        for layer in body.layers:
            layer.trainable = layer.name.startswith(("block2", "block3")) or "bn" in layer.name
    return model


def attention(seed):
    images, labels = _whole("digits")
    parts = cut(images[..., 0], labels, seed + 100, 1216, 288, 800)
    return Setup(**parts, build=attentive, rate=2e-3, epochs=10)


def attentive(setup):
    """Rows of a picture as a sequence, one block of attention."""
    import keras
    from keras import layers

    pixels = keras.Input(setup.x.shape[1:])
    x = layers.Dense(setup.units(32))(pixels)
    x = x + layers.Embedding(28, setup.units(32))(keras.ops.arange(28))
    seen = layers.MultiHeadAttention(2, setup.units(16))(x, x)
    x = layers.LayerNormalization()(x + seen)
    x = layers.LayerNormalization()(
        x + layers.Dense(setup.units(32))(layers.Dense(setup.units(64), "relu")(x))
    )
    return keras.Model(pixels, setup.answer()(layers.Flatten()(x)))


def solar(seed):
    x, y = _solar()
    parts = standardised(cut(x, y, seed, 992, 288, 600))
    return Setup(**parts, build=wide_head, kind="binary", rate=4e-4, epochs=12)


def wide_head(setup):
    from keras import layers

    return sequential(setup, layers.Dense(setup.units(64), "relu"), layers.Dropout(0.5))


def diabetes(seed):
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    parts = standardised(cut(x, ((y - 152) / 77).astype("float32"), seed, 270, 60, 110))
    return Setup(**parts, build=tanh_layer, kind="numbers", optimizer="SGD", rate=3e-3,
                 batch_size=30, epochs=20)  # fmt: skip


def tanh_layer(setup):
    from keras import layers

    return sequential(setup, layers.Dense(setup.units(16), "tanh"))


def author(seed):
    x, y = _lines()
    parts = cut(x, y, seed, 1200, 320, 580)
    return Setup(**parts, build=recurrent, optimizer="RMSprop", rate=3e-3, epochs=9, batch_size=40,
                 logits=False, told_logits=False)  # fmt: skip


def recurrent(setup):
    from keras import layers

    return sequential(
        setup, layers.Embedding(96, setup.units(16)), layers.LSTM(setup.units(24)),
        layers.Dropout(0.3),
    )  # fmt: skip


def tags(seed):
    from sklearn.datasets import make_multilabel_classification

    x, y = make_multilabel_classification(1600, n_features=20, n_classes=5, random_state=seed)
    parts = standardised(cut(x, y.astype("float32"), seed, 896, 256, 448))
    return Setup(**parts, build=selu_layer, kind="labels", optimizer="Nadam", rate=1e-3,
                 epochs=14)  # fmt: skip


def selu_layer(setup):
    from keras import layers

    return sequential(setup, layers.Dense(setup.units(48), "relu"))


CHOSEN_ON = {
    each.__name__: each
    for each in (
        digits8,
        fashion,
        fashion_bn,
        cancer,
        emoji,
        emoji_tuned,
        moons,
        friedman,
        reviews,
    )
}
HELD_OUT = {
    "wine": wine, "transfer": transferred, "attention": attention, "solar": solar,
    "diabetes": diabetes, "author": author, "tags": tags,
}  # fmt: skip
PROGRAMS = CHOSEN_ON | HELD_OUT


# ---- Data, read once


@functools.cache
def _whole(name):
    splits = data.load(name)
    parts = (splits.train, splits.validation, splits.test)
    images = np.concatenate([part.images for part in parts]).astype("float32") / 255
    return images, np.concatenate([part.labels for part in parts])


def _pictures(name, seed, *sizes):
    return cut(*_whole(name), seed, *sizes)


@functools.cache
def _emoji():
    splits = data.load("emoji_styles", size=64)
    return [(part.images, part.labels) for part in (splits.train, splits.validation, splits.test)]


@functools.cache
def _emoji_features():
    body = backbones.load("efficientnet_lite0", size=64)
    return [
        (transfer.cache_features(body, images, ["block14"], progress=False)["block14"], labels)
        for images, labels in _emoji()
    ]


@functools.cache
def _emoji_maps():
    lower = transfer.split(backbones.load("efficientnet_lite0", size=64), CUT)[0]
    return [
        (transfer.cache_features(lower, images, pooling=None, progress=False), labels)
        for images, labels in _emoji()
    ]


@functools.cache
def _sentences():
    """Movie reviews as the mean of MiniLM's vectors, (1500, 384)."""
    import keras

    sentences = data.load_sentences("reviews", domains=["movies"]).train
    texts, labels = list(sentences.texts[:1500]), sentences.labels[:1500]
    ids = backbones.tokenizer("minilm")(texts, length=40)
    vectors = keras.ops.convert_to_numpy(
        backbones.load("minilm").predict(ids, batch_size=100, verbose=0)
    )
    mask = (ids > 0)[..., None]
    return ((vectors * mask).sum(axis=1) / mask.sum(axis=1)).astype("float32"), labels


@functools.cache
def _solar():
    splits = data.load("solar_cells", size=64)
    images = np.concatenate([splits.train.images, splits.validation.images])[:1900]
    labels = np.concatenate([splits.train.labels, splits.validation.labels])[:1900]
    network = backbones.load("vgg16", size=64)
    return transfer.cache_features(network, images, progress=False), labels


@functools.cache
def _lines():
    """Fifty characters from Jane Austen (0) or from the fortunes (1), as their codes 0 … 95."""
    found = []
    for name in ("prose", "fortunes"):
        text = " ".join(data.load_text(name).train.take(120_000).split())
        codes = np.clip(np.frombuffer(text.encode(), np.uint8).astype(int) - 31, 0, 95)
        found.append(codes[: 1050 * 50].reshape(1050, 50))
    return np.concatenate(found), np.repeat([0, 1], 1050)


@functools.cache
def _learnt():
    """The weights of a small network that told the digits 0 to 4 apart."""
    import keras

    keras.utils.set_random_seed(0)
    images, labels = _whole("digits")
    body = _blank()
    model = transfer.attach_head(body, 5, batch_norm="training")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    low = labels < 5
    model.fit(images[low], labels[low], batch_size=64, epochs=3, verbose=0)
    return body.get_weights()


def _blank():
    """Three batch-normalised blocks on grey pictures of 28 pixels, 0 to 1."""
    import keras
    from keras import layers

    pixels = x = keras.Input((28, 28, 1))
    for block, filters in enumerate((12, 24, 48), start=1):
        name = f"block{block}"
        x = layers.Conv2D(filters, 3, 2, "same", use_bias=False, name=f"{name}_conv")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
    return keras.Model(pixels, x, name="body")
