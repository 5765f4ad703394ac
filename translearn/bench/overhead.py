"""What a watch costs: the same training with and without it, by turns."""

import time

import numpy as np

NETWORKS = ("small CNN, 28 px", "EfficientNet-Lite0 frozen, 96 px", "MLP")


def overhead(network: str, rounds: int = 5, steps: int = 60) -> dict:
    """Train `rounds` times with a watch and `rounds` times without, by turns, `steps` steps each
    in three epochs.

    Returns "median" and "mean" step, watched over not watched (medians over the rounds; the first
    step, which builds the graph, left out), and "end", the seconds from the last step to the end
    of `fit` that the watch adds.
    """
    from translearn import clinic

    model, x, y = build(network)
    batch = 32
    x, y = x[: batch * steps // 3], y[: batch * steps // 3]
    seen = {False: [], True: []}
    for round_ in range(2 * rounds + 2):
        watched = bool(round_ % 2)
        timer = clock()
        callbacks = [clinic.watch()] if watched else []
        start_again(model)
        model.fit(x, y, epochs=3, batch_size=batch, verbose=0, callbacks=[*callbacks, timer])
        ended = time.perf_counter()
        taken = np.diff(timer.times)[1:]
        if round_ > 1:  # the first of each warms up
            seen[watched].append((np.median(taken), taken.mean(), ended - timer.times[-1]))
    with_it, without = np.median(seen[True], axis=0), np.median(seen[False], axis=0)
    return {
        "median": with_it[0] / without[0],
        "mean": with_it[1] / without[1],
        "end": with_it[2] - without[2],
        "step": without[0],
    }


def clock():
    """A callback that notes when each step begins."""
    import keras

    class Clock(keras.callbacks.Callback):
        times = None

        def on_train_begin(self, logs=None):
            self.times = []

        def on_train_batch_begin(self, batch, logs=None):
            self.times.append(time.perf_counter())

    return Clock()


def start_again(model):
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])


def build(network):
    """(model, pictures or rows, labels) of one of `NETWORKS`."""
    import keras
    from keras import layers

    from translearn import backbones

    draw = np.random.default_rng(0)
    count = 32 * 200
    y = draw.integers(0, 10, count)
    if network == "MLP":
        x = draw.normal(size=(count, 64)).astype("float32")
        stack = [layers.Dense(128, "relu"), layers.Dense(128, "relu")]
    elif network == "small CNN, 28 px":
        x = draw.random((count, 28, 28, 1), np.float32)
        stack = [
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, "relu"),
        ]
    else:
        x = draw.integers(0, 256, (32 * 20, 96, 96, 3)).astype("float32")
        body = backbones.load("efficientnet_lite0", size=96)
        body.trainable = False
        stack = [body, layers.GlobalAveragePooling2D()]
    shape = keras.Input(x.shape[1:])
    return keras.Sequential([shape, *stack, layers.Dense(10)]), x, y[: len(x)]


def main() -> None:
    for network in NETWORKS:
        short = network.startswith("Eff")
        found = overhead(network, rounds=3 if short else 7, steps=30 if short else 600)
        print(
            f"{network}: step {1000 * found['step']:.2f} ms; watched over not watched: median "
            f"{found['median']:.3f}, mean {found['mean']:.3f}; at the end {found['end']:.2f} s"
        )


if __name__ == "__main__":
    main()
