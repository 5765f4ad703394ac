"""Recipes that everybody copies: two tutorials and the article, which choose nothing and so train
on all of the few labels. They look at the pictures at the smallest size.
"""

import numpy as np

from translearn import backbones
from translearn.bench.contest.running import NETWORK

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed


def _tutorial(run, turn, batch_size, head, tail, unfrozen_from):
    """Two stages: a head on the frozen network, then part of the network too. `head` and `tail`:
    optimiser and epochs.
    """
    import keras

    size = run.sizes[0]
    body = backbones.load(NETWORK, size=size)
    body.trainable = False
    inputs = keras.Input((size, size, 3))
    x = keras.layers.RandomRotation(turn, seed=run.seed)(
        keras.layers.RandomFlip("horizontal", seed=run.seed)(inputs)
    )
    x = keras.layers.GlobalAveragePooling2D()(body(x, training=False))
    x = keras.layers.Dropout(0.2, seed=run.seed)(x)
    model = keras.Model(inputs, keras.layers.Dense(run.classes)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    few = run.few(size)
    for stage, (optimizer, epochs) in enumerate((head, tail)):
        if stage:
            body.trainable = True
            for layer in body.layers[: round(len(body.layers) * unfrozen_from)]:
                layer.trainable = False
        model.compile(optimizer, loss, metrics=["accuracy"])
        for _ in range(epochs):
            run.check()
            model.fit(few.images, few.labels, batch_size=batch_size, verbose=0)
    run.hand_in(lambda test: model.predict(test(size), batch_size=128, verbose=0), size)


def tensorflow_tutorial(run):
    """https://www.tensorflow.org/tutorials/images/transfer_learning, as printed: 10 epochs for the
    head, 10 for the upper third.
    """
    import keras

    head, tail = keras.optimizers.Adam(1e-4), keras.optimizers.RMSprop(1e-5)
    _tutorial(run, 0.2, 32, (head, 10), (tail, 10), 100 / 154)


def keras_guide(run):
    """https://keras.io/guides/transfer_learning, as printed: 2 epochs for the head, 1 for
    everything.
    """
    import keras

    head, tail = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-5)
    _tutorial(run, 0.1, 64, (head, 2), (tail, 1), 0)


def article(run):
    """The article's: raw pixels, nothing frozen, Flatten, Dense(1024), softmax, Adam at its
    default rate. It names neither epochs nor batch size; here 10 epochs in batches of 32."""
    import keras

    size = run.sizes[0]
    body = backbones.load(NETWORK, size=size, include_preprocessing=False)
    x = keras.layers.Dense(1024, activation="relu")(keras.layers.Flatten()(body.output))
    model = keras.Model(body.input, keras.layers.Dense(run.classes, activation="softmax")(x))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    few, one_hot = run.few(size), np.eye(run.classes)
    for _ in range(10):
        run.check()
        model.fit(few.images, one_hot[few.labels], batch_size=32, verbose=0)
    run.hand_in(lambda test: model.predict(test(size), batch_size=128, verbose=0), size)
