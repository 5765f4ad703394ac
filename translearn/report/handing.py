"""The files that a model is handed over in, which run without this package."""

import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from translearn import quiet
from translearn.errors import CourseError
from translearn.report.testing import probabilities_of

FITS = ("cut", "pad", "stretch")
COMPARED = 200  # pictures on which a file is held against the model
TIMED = 20  # of them are given one at a time, and timed
REPRESENTATIVE = 100  # training pictures that set the ranges of int8
KEPT = "handed.json"  # what `write` tells of the files
SCRIPT = Path(__file__).with_name("pages") / "predict.py.txt"
SMOOTH = "Image.Resampling.BILINEAR"
# How predict.py makes a picture square, as data.from_directory does.
SQUARE = {
    "cut": f"""side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side)).convert("RGB")
    picture = picture.resize((SIDE, SIDE), {SMOOTH})""",
    "pad": f"""size = [max(1, round(each * SIDE / max(picture.size))) for each in picture.size]
    whole = picture.convert("RGB").resize(size, {SMOOTH})
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    picture.paste(whole, [(SIDE - each) // 2 for each in size])""",
    "stretch": f"""picture = picture.convert("RGB").resize((SIDE, SIDE), {SMOOTH})""",
}
PIXELS = "np.float32(picture).reshape(1, SIDE, SIDE, CHANNELS)"
# What runs the model there.
RUNTIMES = {
    "LiteRT": {
        "PACKAGES": "ai-edge-litert",
        "IMPORTS": "from ai_edge_litert.interpreter import Interpreter\n"
        "from PIL import Image, ImageOps",
        "LOADED": 'Interpreter(str(here / "model.tflite")).get_signature_runner()',
        "CALLED": f'model(pixels={PIXELS})["output_0"]',
    },
    "Keras": {
        "PACKAGES": "keras with tensorflow",
        "IMPORTS": "from keras.models import load_model\nfrom PIL import Image, ImageOps",
        "LOADED": 'load_model(here / "model.keras", compile=False)',
        "CALLED": f"model.predict_on_batch({PIXELS})",
    },
}


@dataclass(frozen=True)
class File:
    """One of the files, and what it does with some pictures.

    megabytes; milliseconds: of wall-clock time, for one picture at a time
    difference: the largest one between its probabilities and those of the model
    same: the share of the pictures with the same guess as the model's
    pictures: how many; with `splits`, validation pictures, and then also
    accuracy, keras_accuracy: the file's and the model's on them
    """

    file: str
    megabytes: float
    milliseconds: float
    difference: float
    same: float
    pictures: int = 0
    accuracy: float | None = None
    keras_accuracy: float | None = None


@dataclass(frozen=True, repr=False)
class Handed:
    """What was handed over: the folder, the files of the model with what they do, and what is to
    be said of them.
    """

    folder: Path
    files: tuple
    said: tuple = ()

    @property
    def table(self):
        """A pandas table with one row a file."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self.files]).set_index("file")

    def __repr__(self):
        shown = self.table.dropna(axis="columns").to_string(float_format=lambda x: f"{x:.3g}")
        return "\n".join([shown, *self.said])

    def _repr_html_(self):
        from html import escape

        from translearn import page

        shown = self.table.dropna(axis="columns").to_html(float_format=lambda x: f"{x:.3g}")
        return page.table(shown) + "".join(f"<p>{escape(each)}</p>" for each in self.said)


def hand_over(folder, model, class_names, splits=None, fit=None, int8=False) -> Handed:
    """Write a model into a folder, for those who have neither this package nor the notebook:

    `model.keras`; `model.tflite`, the same for LiteRT (32-bit floats, a telephone runs it; the
    input "pixels" is float32, any number of pictures at once); `classes.txt`, a name a line;
    `predict.py`, which says what a picture file shows and needs LiteRT alone;
    `predict_keras.py`, the same with Keras. Where LiteRT cannot run the model it says so, and
    `predict.py` is Keras's.

    model        a Keras model of Keras's own layers: raw pixels (n, h, w, 1 or 3) in,
                 probabilities (n, classes) out
    class_names  in the order of its outputs
    splits       what it was trained on: the files are held against the model on up to 200
                 validation pictures; without it on random pixels, which says less
    fit          how predict.py makes a picture square: "cut", "pad" or "stretch"; what `splits`
                 says by default, else "cut"
    int8         also write `model_int8.tflite`, a quarter as large: weights and activations in
                 8 bits, their ranges from up to 100 training pictures; needs `splits`

    Raises `CourseError` for a model with a layer of one's own, which would not load elsewhere, one
    that takes no pictures of a fixed size, and for outputs that do not go with `class_names`.
    """
    import keras

    from translearn.transfer import features

    folder, names = Path(folder).expanduser(), [" ".join(str(n).split()) for n in class_names]
    fit = known_fit(fit, splits)
    side, _, channels = shape_of(model)
    _portable(model)
    if int8 and splits is None:
        raise CourseError(
            "int8 needs pictures that show which values occur. Pass splits=, and it takes some "
            "for training."
        )
    images, labels = _pictures(splits, (side, side, channels))
    wanted = probabilities_of(model, images, names)
    made(folder)
    (folder / KEPT).unlink(missing_ok=True)  # it would tell of other files, were this interrupted
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras", compile=False)
    files = [_held(folder / "model.keras", loaded.predict_on_batch, images, labels, wanted)]
    kinds = {"model.tflite": {}}
    if int8:
        kinds["model_int8.tflite"] = _eight_bits(splits.train.images)
    said = []
    for name, options in kinds.items():
        try:
            run = _litert(model, folder / name, options)
            files.append(_held(folder / name, run, images, labels, wanted))
        except Exception as error:  # the converter and the interpreter raise nearly anything
            (folder / name).unlink(missing_ok=True)
            why = " ".join(str(error).split())[:200] or type(error).__name__
            said.append(f"There is no {name}: LiteRT cannot run this model ({why}).")
    (folder / "classes.txt").write_text("\n".join(names) + "\n", encoding="utf-8", newline="\n")
    scripts = {"predict.py": "LiteRT", "predict_keras.py": "Keras"}
    if "model.tflite" not in [each.file for each in files]:
        scripts = {"predict.py": "Keras"}
    for name, runtime in scripts.items():
        text = script_for(name, runtime, side, channels, fit)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    kept = {"model": features.state(model), "fit": fit, "said": said}
    kept["files"] = [asdict(each) for each in files]
    (folder / KEPT).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return Handed(folder, tuple(files), tuple(said))


def script_for(name: str, runtime: str, side: int, channels: int, fit: str) -> str:
    """The text of predict.py, or of its sister: a dozen lines and what they import."""
    text = SCRIPT.read_text(encoding="utf-8")
    grey = "np.float32(picture)", 'np.float32(picture.convert("L"))'
    for word, by in (
        *RUNTIMES[runtime].items(),
        ("SQUARE", SQUARE[fit]),
        *([grey] if channels == 1 else []),
        ("SIDE", str(side)),
        ("CHANNELS", str(channels)),
        ("NAME", name),
    ):
        text = text.replace(word, by)
    return text


def known_fit(fit, splits=None) -> str:
    """The way pictures were made square: as asked for, as the splits say, or "cut"."""
    fit = fit or getattr(splits, "fit", None) or "cut"
    if fit not in FITS:
        raise CourseError(f'fit={fit!r} is not known. Use "cut", "pad" or "stretch".')
    return fit


def shape_of(model) -> tuple:
    """(side, side, channels) of the pictures that a model takes."""
    shape = getattr(model, "input_shape", None)
    if isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:]:
        high, wide, channels = shape[1:]
        if high == wide and channels in (1, 3):
            return shape[1:]
    raise CourseError(
        "A model is needed here that takes square pictures of one size, (n, side, side, 1 or 3), "
        f"and this one takes {shape}."
    )


def made(folder: Path):
    """Make a folder; raise CourseError where nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CourseError(
            f"Nothing can be written into {str(folder)!r} ({error.strerror}). Name another folder."
        ) from None


def left_in(folder: Path, model: str) -> dict | None:
    """What `hand_over` left in a folder, if it was this model."""
    try:
        kept = json.loads((folder / KEPT).read_text(encoding="utf-8"))
        return kept if kept["model"] == model else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _portable(model):
    """Raise for layers that Keras alone cannot load."""
    from keras.layers import Lambda

    for layer in _layers(model):
        if type(layer).__module__.partition(".")[0] != "keras" or isinstance(layer, Lambda):
            raise CourseError(
                f"The layer {layer.name!r} is a {type(layer).__name__}, which is not loaded "
                "without the code that made it. Build the model of Keras's own layers (no Lambda)."
            )


def _layers(model):
    for layer in getattr(model, "layers", []):
        yield layer
        yield from _layers(layer)
        if hasattr(layer, "layer"):  # a wrapper
            yield layer.layer


def _pictures(splits, shape):
    """(pictures to compare on, their labels or None)."""
    if splits is None or not len(splits.validation):
        return np.random.default_rng(0).integers(0, 256, (16, *shape), np.uint8), None
    return splits.validation.images[:COMPARED], splits.validation.labels[:COMPARED]


def _litert(model, file, options):
    """Write a LiteRT file; returns a function from pictures to probabilities that runs it."""
    import keras
    from ai_edge_litert.interpreter import Interpreter

    spec = keras.InputSpec(shape=model.input_shape, dtype="float32", name="pixels")
    with quiet.held_back():
        model.export(str(file), format="litert", verbose=False, input_signature=[spec], **options)
        run = Interpreter(str(file), num_threads=os.cpu_count()).get_signature_runner()
        run(pixels=np.zeros((1, *model.input_shape[1:]), np.float32))
    return lambda images: run(pixels=np.asarray(images, np.float32))["output_0"]


def _eight_bits(images) -> dict:
    """What the converter has to know for whole numbers of 8 bits inside."""
    import tensorflow as tf

    chosen = images[:REPRESENTATIVE]  # the order of a split mixes the classes

    def representative():
        for each in chosen:
            yield [np.float32(each[None])]

    return {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "representative_dataset": representative,
        "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    }


def _held(file, run, images, labels, wanted) -> File:
    """A file held against the model."""
    timed = min(TIMED, len(images))
    run(images[:1])  # the first one is slow
    started = time.perf_counter()
    said = [np.asarray(run(images[row : row + 1])) for row in range(timed)]
    seconds = time.perf_counter() - started
    said = np.concatenate(
        said + [np.asarray(run(images[at : at + 32])) for at in range(timed, len(images), 32)]
    )
    guesses, theirs = said.argmax(axis=1), wanted.argmax(axis=1)
    return File(
        file.name,
        file.stat().st_size / 1e6,
        1000 * seconds / timed,
        float(np.abs(said - wanted).max()),
        float(np.mean(guesses == theirs)),
        0 if labels is None else len(images),
        None if labels is None else float(np.mean(guesses == labels)),
        None if labels is None else float(np.mean(theirs == labels)),
    )
