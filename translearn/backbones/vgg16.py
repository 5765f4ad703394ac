"""VGG16's convolutions: Simonyan and Zisserman 2014 (arXiv:1409.1556), configuration D."""

from translearn.backbones import arrays
from translearn.data import registry
from translearn.errors import CourseError

BLOCKS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]  # convolutions and channels of each

# Mean pixel in the order blue, green, red: of Keras's VGG16, and as the HED weights were trained.
MEAN_IMAGENET = (103.939, 116.779, 123.68)
MEAN_HED = (104.00699, 116.66877, 122.67892)


def build(record, weights, size, channels, seed, include_top, include_preprocessing):
    """See `backbones.load`, which has checked what stands here."""
    import keras
    from keras import layers

    initial = arrays.initializers(seed)
    pixels = x = keras.Input((size, size, channels), name="pixels")
    if include_preprocessing:
        # Each set of weights with the mean pixel it was trained with.
        mean = MEAN_HED if weights == "pretrained" else MEAN_IMAGENET
        x = keras.ops.flip(x, axis=-1)  # red, green, blue -> blue, green, red
        x = layers.Rescaling(1.0, offset=[-value for value in mean], name="block1_minus_mean")(x)
    for block, (convolutions, filters) in enumerate(BLOCKS, start=1):
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
    model = keras.Model(pixels, x, name=record["name"])
    if weights == "pretrained":
        _fill_from_hed(model, registry.path(record["name"]))
    elif weights == "imagenet":
        _fill_from_keras(model)
    return model


def _fill_from_hed(model, file):
    # The file is read, the package is not imported: importing it builds its model and takes
    # seconds.
    import h5py

    with h5py.File(file, "r") as saved:
        for block, (convolutions, _) in enumerate(BLOCKS, start=1):
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
            "Try again when you are online, or use the weights that come with the course: "
            'weights="pretrained".'
        ) from error
    for layer in original.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())
