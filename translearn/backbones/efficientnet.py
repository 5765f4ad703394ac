"""EfficientNet-Lite0: ImageNet in 4.7 million parameters.

Tan and Le 2019 (arXiv:1905.11946), table 1; Lite drops squeeze-and-excitation and swaps swish for
ReLU6.
"""

from translearn.backbones import arrays
from translearn.data import registry

# One row a stage: (blocks, kernel, stride of the first, expansion, channels out).
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]


def build(record, weights, size, channels, seed, include_top, include_preprocessing):
    """See `backbones.load`, which has checked what stands here."""
    import keras
    from keras import layers

    initial = arrays.initializers(seed)

    def normalise(x, name, relu=True):
        x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn")(x)
        return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x) if relu else x

    def conv(x, filters, kernel, stride, name):
        return layers.Conv2D(
            filters,
            kernel,
            stride,
            padding="same",
            use_bias=False,
            kernel_initializer=next(initial),
            name=f"{name}_conv",
        )(x)

    pixels = x = keras.Input((size, size, channels), name="pixels")
    if include_preprocessing:
        x = layers.Rescaling(1 / 128, offset=-127 / 128, name="stem_scaling")(x)
    x = normalise(conv(x, 32, 3, 2, "stem"), "stem")

    number = 0
    for repeats, kernel, stride, expansion, filters in STAGES:
        for repeat in range(repeats):
            number += 1
            block, before = f"block{number:02d}", x
            step = stride if repeat == 0 else 1
            if expansion > 1:
                wide = expansion * x.shape[-1]
                x = normalise(conv(x, wide, 1, 1, f"{block}_expand"), f"{block}_expand")
            x = layers.DepthwiseConv2D(
                kernel,
                step,
                padding="same",
                use_bias=False,
                depthwise_initializer=next(initial),
                name=f"{block}_depthwise_conv",
            )(x)
            x = normalise(x, f"{block}_depthwise")
            x = normalise(
                conv(x, filters, 1, 1, f"{block}_project"), f"{block}_project", relu=False
            )
            if repeat > 0:  # same shape in and out: a shortcut around the block
                x = layers.Add(name=f"{block}_add")([x, before])

    x = normalise(conv(x, 1280, 1, 1, "head"), "head")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="top_pool")(x)
        x = layers.Dense(1000, kernel_initializer=next(initial), name="top_logits")(x)
    model = keras.Model(pixels, x, name=record["name"])
    if weights == "pretrained":
        arrays.fill(model, registry.arrays(record["name"]))
    return model
