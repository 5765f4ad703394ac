"""The networks that lessons start from, as plain `keras.Model`s.

    model = backbones.load("efficientnet_lite0", size=96)
    features = model(pictures)          # pixels 0-255 in, a feature map (n, h, w, channels) out

What a network expects of its pixels is its own first step, so there is nothing to remember and
nothing to forget. Every layer's name starts with its block (`block07_project_conv`), which is what
`translearn.transfer` freezes, splits and lists. A random network has the same layers and names, so
"from scratch" and "pretrained" differ in the numbers and in nothing else.

These take pictures. The networks for text stand in `translearn.language`.
"""

from translearn.data import registry
from translearn.errors import CourseError

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed

# name: (smallest size, largest size). The smallest leaves at least one pixel at the end.
_KNOWN = {
    "efficientnet_lite0": (32, 512),
    "vgg16": (32, 512),
    "small_cnn": (16, 256),
}

# EfficientNet-Lite0, one row a stage: (blocks, kernel, stride of the first, expansion, channels out).
# Tan and Le 2019 (arXiv:1905.11946), table 1; Lite drops squeeze-and-excitation and swaps swish for ReLU6.
_LITE0 = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]

# Simonyan and Zisserman 2014 (arXiv:1409.1556), configuration D: convolutions and channels of each block.
_VGG16 = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]

# Mean pixel in the order blue, green, red: of Keras's VGG16, and as the HED weights were trained.
_MEAN_IMAGENET = (103.939, 116.779, 123.68)
_MEAN_HED = (104.00699, 116.66877, 122.67892)


def names() -> list[str]:
    """The backbones of the course."""
    return list(_KNOWN)


def load(
    name,
    weights="pretrained",
    size=96,
    channels=3,
    seed=None,
    include_top=False,
    include_preprocessing=True,
):
    """A backbone without a head: a functional `keras.Model`, raw pixels in, a feature map out.

    name      `efficientnet_lite0` (ImageNet), `vgg16` (ImageNet, then edges), or `small_cnn`.
    weights   "pretrained" (what the course ships); "imagenet" (only `vgg16`: Keras's own, downloaded
              once, 59 MB); None (random).
    size      height and width of the pictures; the input is (n, size, size, channels), 0 to 255.
    channels  3 (RGB). `small_cnn` takes 1 too.
    seed      for random weights: the same seed gives the same network. None: another one each time.
    include_top            `efficientnet_lite0` only: with ImageNet's classifier. The output is then
                           1,000 logits, named by `imagenet_labels()`.
    include_preprocessing  False leaves out the first step. The model then wants what that step gives:
                           (x - 127) / 128 for `efficientnet_lite0`; for `vgg16` blue, green, red minus
                           the mean pixel, as `keras.applications.vgg16.preprocess_input` makes it;
                           x / 255 for `small_cnn`.

    The feature map has 1/32 of the size and 1,280 channels (`efficientnet_lite0`), 1/32 and 512
    (`vgg16`, after the last pooling, like Keras's), 1/16 and 256 (`small_cnn`; below 64 pixels one
    block fewer: 1/8 and 128).

    All layers are trainable, and batch normalisation does what Keras does: it uses the moving
    statistics when called with `training=False`, those of the batch when called with `training=True`.

    Raises `CourseError` for an unknown name, a size out of range, weights that do not exist, a file
    that is missing or damaged, and "imagenet" without a network.
    """
    if name not in _KNOWN:
        raise CourseError(
            f"There is no backbone called {name!r}. {registry.suggest(name, _KNOWN)}"
        )
    _check(name, weights, size, channels, include_top)
    if name == "efficientnet_lite0":
        return _efficientnet_lite0(weights, size, seed, include_top, include_preprocessing)
    if name == "vgg16":
        return _vgg16(weights, size, seed, include_preprocessing)
    return _small_cnn(size, channels, seed, include_preprocessing)


def imagenet_labels() -> list[str]:
    """The 1,000 class names of ImageNet (ILSVRC 2012), in the order of the classifier's outputs."""
    return registry.path("imagenet_classes").read_text(encoding="utf-8").splitlines()


def _check(name, weights, size, channels, include_top):
    smallest, largest = _KNOWN[name]
    if isinstance(size, bool) or not hasattr(size, "__index__") or not smallest <= size <= largest:
        raise CourseError(
            f"{name} takes square pictures of {smallest} to {largest} pixels, and size={size!r} is not. "
            f"Pass a whole number, such as size=96."
        )
    if channels != 3 and not (name == "small_cnn" and channels == 1):
        allowed = (
            "1 or 3 channels"
            if name == "small_cnn"
            else "3 channels (repeat a grey picture three times)"
        )
        raise CourseError(f"{name} takes {allowed}, and channels={channels!r} was asked for.")
    if include_top and name != "efficientnet_lite0":
        raise CourseError(
            f"{name} comes without a classifier. Leave out include_top, or load 'efficientnet_lite0'."
        )
    if name == "small_cnn" and weights is not None:
        raise CourseError(
            "small_cnn has no pretrained weights: you train it yourself in lesson 04. "
            "Load it with weights=None."
        )
    allowed = ["pretrained", "imagenet"] if name == "vgg16" else ["pretrained"]
    if weights is not None and (not isinstance(weights, str) or weights not in allowed):
        choices = ", ".join(f'"{choice}"' for choice in allowed)
        extra = (
            ' Its weights from ImageNet are weights="pretrained".' if weights == "imagenet" else ""
        )
        raise CourseError(
            f"{name} has no weights called {weights!r}.{extra} Choose {choices} or None (random)."
        )


def _initializers(seed):
    """Fresh initialisers for convolutions, one a layer, all decided by `seed` and touching no global one.

    He et al. 2015 (arXiv:1502.01852): the right scale for layers followed by a ReLU.
    """
    import keras
    import numpy as np

    stream = np.random.SeedSequence(seed)
    while True:
        (child,) = stream.spawn(1)
        yield keras.initializers.HeNormal(seed=int(child.generate_state(1)[0] >> 1))


def _efficientnet_lite0(weights, size, seed, include_top, include_preprocessing):
    import keras
    from keras import layers

    initial = _initializers(seed)

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

    pixels = x = keras.Input((size, size, 3), name="pixels")
    if include_preprocessing:
        x = layers.Rescaling(1 / 128, offset=-127 / 128, name="stem_scaling")(x)
    x = normalise(conv(x, 32, 3, 2, "stem"), "stem")

    number = 0
    for repeats, kernel, stride, expansion, filters in _LITE0:
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
    model = keras.Model(pixels, x, name="efficientnet_lite0")
    if weights == "pretrained":
        _fill(model, registry.path("efficientnet_lite0"))
    return model


def _fill(model, file):
    """Write a file of arrays named `layer/variable` into a model, every variable exactly once.

    Half-precision arrays become float32 variables: the file is small, the arithmetic is not coarse.
    """
    import numpy as np

    with np.load(file, allow_pickle=False) as arrays:
        wanted = {
            f"{layer.name}/{variable.name}": variable
            for layer in model.layers
            for variable in layer.weights
        }
        missing = set(wanted) - set(arrays.files)
        if missing:
            raise CourseError(
                f"The weights in {file.name} do not fit {model.name}: no {sorted(missing)[0]}. "
                "Run `python3 course.py doctor` to check the files."
            )
        for key, variable in wanted.items():
            variable.assign(arrays[key].astype("float32"))


def _vgg16(weights, size, seed, include_preprocessing):
    import keras
    from keras import layers

    initial = _initializers(seed)
    pixels = x = keras.Input((size, size, 3), name="pixels")
    if include_preprocessing:
        # Each set of weights with the mean pixel it was trained with.
        mean = _MEAN_HED if weights == "pretrained" else _MEAN_IMAGENET
        x = keras.ops.flip(x, axis=-1)  # red, green, blue -> blue, green, red
        x = layers.Rescaling(1.0, offset=[-value for value in mean], name="block1_minus_mean")(x)
    for block, (convolutions, filters) in enumerate(_VGG16, start=1):
        for number in range(1, convolutions + 1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer=next(initial),
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    model = keras.Model(pixels, x, name="vgg16")
    if weights == "pretrained":
        _fill_from_hed(model, registry.path("vgg16"))
    elif weights == "imagenet":
        _fill_from_keras(model)
    return model


def _fill_from_hed(model, file):
    # The file is read, the package is not imported: importing it builds its model and takes seconds.
    import h5py

    with h5py.File(file, "r") as saved:
        for block, (convolutions, _) in enumerate(_VGG16, start=1):
            for number in range(convolutions):
                variables = saved[
                    f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
                ]
                layer = model.get_layer(f"block{block}_conv{number + 1}")
                layer.kernel.assign(variables["0"][()])
                layer.bias.assign(variables["1"][()])


def _fill_from_keras(model):
    import keras

    try:
        original = keras.applications.VGG16(weights="imagenet", include_top=False)
    except Exception as error:  # Keras raises a bare Exception when it cannot download
        raise CourseError(
            "The ImageNet weights of VGG16 could not be downloaded (59 MB, only once). "
            'Try again when you are online, or use the weights that come with the course: weights="pretrained".'
        ) from error
    for layer in original.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())


def _small_cnn(size, channels, seed, include_preprocessing):
    import keras
    from keras import layers

    initial = _initializers(seed)
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
    return keras.Model(pixels, x, name="small_cnn")
