"""What all networks share: random weights from one seed, weights from a file, originals that are
downloaded.
"""

from pathlib import Path

import numpy as np

from translearn import paths
from translearn.data import registry
from translearn.errors import CourseError


def initializers(seed):
    """Fresh initialisers for convolutions, one a layer, all decided by `seed` and touching no
    global one.

    He et al. 2015 (arXiv:1502.01852): the right scale for layers followed by a ReLU.
    """
    import keras

    stream = np.random.SeedSequence(seed)
    while True:
        (child,) = stream.spawn(1)
        yield keras.initializers.HeNormal(seed=int(child.generate_state(1)[0] >> 1))


def fill(model, arrays) -> None:
    """Write arrays named by the path of a variable (`stem_conv/kernel`) into a model, every
    variable exactly once.

    Half-precision arrays become float32 variables: the file is small, the arithmetic is not
    coarse. Arrays that the model has no variable for (those of a head) are left over.
    """
    for variable in model.weights:
        if variable.path not in arrays or arrays[variable.path].shape != tuple(variable.shape):
            raise CourseError(
                f"The weights of {model.name} do not fit the network: {variable.path} is missing "
                "or has another "
                "shape. Run `python3 course.py doctor` to check the files."
            )
    for variable in model.weights:
        variable.assign(arrays[variable.path].astype("float32"))


def fill_random(model, seed) -> None:
    """Weights as BERT and GPT-2 start with: normal with a spread of 0.02, nothing beyond twice
    that; biases 0, gains 1.
    """
    import keras

    stream = np.random.SeedSequence(seed)
    for variable in model.weights:
        if variable.name in ("kernel", "embeddings"):
            (child,) = stream.spawn(1)
            draw = keras.initializers.TruncatedNormal(
                stddev=0.02, seed=int(child.generate_state(1)[0] >> 1)
            )
            variable.assign(draw(variable.shape, "float32"))
        else:
            variable.assign(
                np.ones(variable.shape) if variable.name == "gamma" else np.zeros(variable.shape)
            )


def pretrained(record: dict, convert) -> dict:
    """The arrays of a network for text: from the course's file, or from the downloaded original by
    `convert(arrays, heads)`.
    """
    if "downloads" in record:
        from safetensors.numpy import load_file

        return convert(load_file(original(record, "model.safetensors")), record["heads"])
    return registry.arrays(record["name"])


def original(record: dict, file: str) -> Path:
    """The path of a file of an original, checked by SHA-256; it is downloaded if the cache does
    not hold it.
    """
    name, wanted = record["name"], record["downloads"][file]
    place = paths.cache() / "originals" / name / file
    if not (place.is_file() and registry.sha256(place) == wanted["sha256"]):
        import pooch

        try:
            # A file that does not have the hash is never left in the cache under its name.
            pooch.retrieve(
                record["address"] + file,
                f"sha256:{wanted['sha256']}",
                fname=file,
                path=place.parent,
                progressbar=wanted["bytes"] > 10e6,
            )
        except Exception as error:  # many libraries stand behind a download, each with its own
            ours = next(
                other
                for other in registry.names(having="builder")
                if registry.entry(other)["builder"] == record["builder"] and other != name
            )
            raise CourseError(
                f"{file} of {name} could not be downloaded ({wanted['bytes'] / 1e6:,.0f} MB, only "
                "once). "
                f"Try again when you are online, or load what comes with the course: {ours!r}."
            ) from error
    return place
