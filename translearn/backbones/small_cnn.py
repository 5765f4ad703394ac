"""A small convolutional network to train from nothing: three or four blocks, batch-normalised."""

from translearn.backbones import arrays


def build(record, weights, size, channels, seed, include_top, include_preprocessing):
    """See `backbones.load`, which has checked what stands here."""
    import keras
    from keras import layers

    initial = arrays.initializers(seed)
    pixels = x = keras.Input((size, size, channels), name="pixels")
    if include_preprocessing:
        x = layers.Rescaling(1 / 255, name="block1_scaling")(x)
    for block, filters in enumerate((32, 64, 128, 256) if size >= 64 else (32, 64, 128), start=1):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=next(initial),
            name=f"block{block}_conv",
        )(x)
        # A momentum of 0.9 instead of 0.99: it is trained for a few hundred steps, and the moving
        # statistics must have caught up by then.
        x = layers.BatchNormalization(momentum=0.9, name=f"block{block}_bn")(x)
        x = layers.ReLU(name=f"block{block}_relu")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return keras.Model(pixels, x, name=record["name"])
