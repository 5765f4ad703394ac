"""The test set, once: `test_once`, and what it gives."""

import json
import os
import time
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from html import escape

import numpy as np

from translearn import page, paths
from translearn.errors import CourseError
from translearn.plain import count
from translearn.report import judging

ENOUGH = 2000  # validation pictures for one number, the temperature


@dataclass(frozen=True, repr=False)
class Tested:
    """What a model said of the test pictures.

    labels: (n,) what they are
    probabilities: (n, classes) what the model said
    class_names; keys: the pictures' names; data: the data set's name
    temperature: fitted on `fitted_on` validation pictures; None where those are too few
    milliseconds: for a picture, of wall-clock time, in batches
    when: date and time in UTC; model, pictures: what identifies them
    looks: how many models have been tested on these pictures, this one included
    again: whether this is the result of an earlier call
    """

    labels: np.ndarray
    probabilities: np.ndarray
    class_names: tuple
    keys: tuple
    data: str
    temperature: float | None
    fitted_on: int
    milliseconds: float
    when: str
    model: str
    pictures: str
    looks: int = 1
    again: bool = field(default=False, compare=False)

    @property
    def guesses(self) -> np.ndarray:
        """(n,) the most probable class of each picture."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def confusion(self):
        """A pandas table: how often each class (rows) was taken for each (columns)."""
        import pandas as pd

        counts = judging.confusion(self.labels, self.probabilities)
        return pd.DataFrame(
            counts,
            index=pd.Index(self.class_names, name="is"),
            columns=pd.Index(self.class_names, name="taken for"),
        )

    @cached_property
    def recalls(self):
        """A pandas table with one row a class: test pictures, how many of them were recognised,
        their share (recall) and its 95 % Wilson interval (low, high).
        """
        import pandas as pd

        counts = self.confusion.to_numpy()
        pictures, right = counts.sum(axis=1), counts.diagonal()
        low, high = np.transpose([judging.wilson(r, n) for r, n in zip(right, pictures)])
        share = np.divide(right, pictures, out=np.full(len(right), np.nan), where=pictures > 0)
        columns = {"pictures": pictures, "right": right, "recall": share, "low": low, "high": high}
        return pd.DataFrame(columns, index=pd.Index(self.class_names, name="class"))

    @property
    def accuracy(self) -> float:
        """The share of the pictures that is right."""
        return float(np.mean(self.guesses == self.labels))

    @property
    def accuracy_interval(self) -> tuple:
        """95 %, Wilson."""
        return judging.wilson(int(np.sum(self.guesses == self.labels)), len(self.labels))

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the classes' recalls: every class counts the same."""
        return float(self.recalls["recall"].mean())

    @property
    def balanced_interval(self) -> tuple:
        """95 %, from the classes' Wilson intervals; see `judging.balanced_interval`."""
        return judging.balanced_interval(self.recalls["right"], self.recalls["pictures"])

    @property
    def majority(self) -> float:
        """The accuracy of always naming the class that is most frequent in the test set."""
        return float(np.bincount(self.labels).max() / len(self.labels))

    @cached_property
    def calibration(self) -> dict:
        """ece, by chance, chance limit, mean confidence, log loss, brier, temperature, table, with
        temperature: see `judging.calibration`.
        """
        return judging.calibration(self.labels, self.probabilities, self.temperature)

    @cached_property
    def mistakes(self):
        """A pandas table of the pictures that it got wrong, those it was surest of first: key,
        label, guess, confidence, given to the label, and row, the position in the test set.
        """
        import pandas as pd

        rows = np.flatnonzero(self.guesses != self.labels)
        rows = rows[np.argsort(-self.probabilities[rows].max(axis=1), kind="stable")]
        names = np.array(self.class_names, dtype=object)
        return pd.DataFrame(
            {
                "key": [self.keys[row] for row in rows],
                "label": names[self.labels[rows]],
                "guess": names[self.guesses[rows]],
                "confidence": self.probabilities[rows].max(axis=1),
                "given to the label": self.probabilities[rows, self.labels[rows]],
                "row": rows,
            }
        )

    def sheet(self, test, count: int = 16):
        """A figure of the worst mistakes, with `.alt`; `test` is the split that was tested."""
        from translearn import plots

        worst = self.mistakes.head(count)
        captions = [
            f"{each.label}?\n{each.guess} {each.confidence:.0%}" for each in worst.itertuples()
        ]
        if not len(worst):
            fig, ax = plots.plt.subplots(figsize=(6, 1))
            ax.axis("off")
            ax.set_title("No mistake on the test set")
            fig.alt = f"No mistake on {count(len(self.labels), 'test picture')}."
            return fig
        title = "The mistakes it was surest of: the label, and what it said"
        fig = plots.pictures(test.images[worst["row"]], captions, title)
        fig.alt = "The worst mistakes. " + "; ".join(
            f"{each.label}, taken for {each.guess} with {each.confidence:.0%}"
            for each in worst.itertuples()
        )
        return fig

    @property
    def sentences(self) -> list[str]:
        """The result in words, and how often these pictures were looked at."""
        low, high = (f"{100 * bound:.1f}" for bound in self.balanced_interval)
        said = [
            f"Balanced accuracy on {count(len(self.labels), 'test picture')}: "
            f"{100 * self.balanced_accuracy:.1f} % (95 % interval {low} to {high} %).",
            f"Accuracy: {100 * self.accuracy:.1f} %. Always naming the most frequent class: "
            f"{100 * self.majority:.1f} %.",
        ]
        if self.again:
            said.append(
                f"This model was tested on these pictures before, on {self.when[:10]}. This is "
                "that first result: testing again tells nothing new."
            )
        return said + ([looks_in_words(self)] if self.looks > 1 else [])

    def to_dict(self) -> dict:
        """Everything as plain Python for JSON, the predictions included."""
        return {
            "when": self.when,
            "model": self.model,
            "test set": self.pictures,
            "pictures": len(self.labels),
            "looks": self.looks,
            "accuracy": self.accuracy,
            "accuracy interval": list(self.accuracy_interval),
            "balanced accuracy": self.balanced_accuracy,
            "balanced interval": list(self.balanced_interval),
            "majority": self.majority,
            "interval": "95 %: Wilson for shares, put together over classes (Zou et al., 2009)",
            "recalls": self.recalls.reset_index().to_dict("records"),
            "confusion": self.confusion.to_numpy().tolist(),
            "calibration": self.calibration | {"fitted on": self.fitted_on},
            "mistakes": self.mistakes.to_dict("records"),
            "milliseconds": self.milliseconds,
            "keys": list(self.keys),
            "labels": self.labels.tolist(),
            "probabilities": np.round(self.probabilities, 6).tolist(),
        }

    def __repr__(self):
        return "\n".join(self.sentences)

    def _repr_html_(self):
        table = self.recalls.to_html(float_format=lambda value: f"{value:.2f}")
        return "".join(f"<p>{escape(each)}</p>" for each in self.sentences) + page.table(table)


def looks_in_words(tested) -> str:
    """A sentence on the models that were tested on these pictures before."""
    others = tested.looks - 1
    low, high = tested.balanced_interval
    points = 100 * judging.luck(tested.looks) * (high - low) / (2 * judging.Z)
    return (
        f"{count(others, 'other model was', 'other models were')} tested on these pictures "
        f"before. If all {tested.looks} were equally good, the best of them would show up to "
        f"{points:.1f} points too much by luck."
    )


def test_once(model, splits) -> Tested:
    """What a trained model says of the test set, which it may be asked once.

    model   a Keras model: pixels as in `splits` in, probabilities (n, classes) out
    splits  a `Splits`; validation serves for the temperature alone

    The result is kept in the course's cache, by what the model computes and by the pictures. The
    same model on the same pictures gives the kept result, and says so. Another model is tested,
    and the result says how many were before: by the pictures' names, so that another size of
    picture is no new test set.

    Raises `CourseError` for a model that does not fit the pictures, or whose outputs are no
    probabilities.
    """
    import joblib

    from translearn.transfer import features

    test = getattr(splits, "test", None)
    if not hasattr(test, "images") or not hasattr(model, "predict"):
        raise CourseError(
            "test_once wants a Keras model and splits of pictures, in this order, and got "
            f"{type(model).__name__} and {type(splits).__name__}."
        )
    if not len(test):
        raise CourseError("There is no test picture, so nothing can be said of the model.")
    inside, pictures = features.state(model), joblib.hash((test.images, test.labels))
    names = sorted(zip(map(str, test.info["key"]), test.labels.tolist()))
    folder = (
        paths.cache_folder() / "tested" / joblib.hash((splits.name, splits.class_names, names))
    )
    file = folder / f"{inside}-{pictures}.json"
    about = {
        "labels": test.labels,
        "class_names": tuple(splits.class_names),
        "keys": tuple(map(str, test.info["key"])),
        "data": splits.name,
    }
    if kept := _kept(file, (len(test), len(splits.class_names))):
        return Tested(**about, **kept, again=True)
    validation, rows = splits.validation, slice(ENOUGH)
    said = probabilities_of(model, validation.images[rows], splits.class_names)
    started = time.perf_counter()
    told = probabilities_of(model, test.images, splits.class_names)
    result = {
        "probabilities": told,
        "temperature": judging.temperature(validation.labels[rows], said),
        "fitted_on": len(said),
        "milliseconds": 1000 * (time.perf_counter() - started) / len(test),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": inside,
        "pictures": pictures,
        "looks": 1 + len({each.name.split("-")[0] for each in folder.glob("*.json")} - {inside}),
    }
    scratch = file.with_suffix(f".{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(result | {"probabilities": told.tolist()}), encoding="utf-8")
        os.replace(scratch, file)
    except OSError as error:  # the test set has been looked at all the same
        warnings.warn(
            f"This test could not be remembered ({error.strerror}), so a second one will not be "
            "told from a first. Keep what it says.",
            stacklevel=2,
        )
    return Tested(**about, **result)


test_once.__test__ = False  # pytest, which collects what is called test_…, passes it by


def _kept(file, shape) -> dict | None:
    """An earlier result; None when there is none, or it is damaged."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        kept["probabilities"] = np.array(kept["probabilities"], np.float32)
        return kept if kept["probabilities"].shape == shape else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def probabilities_of(model, images, class_names) -> np.ndarray:
    """(n, classes) of float32, checked."""
    if tuple(model.input_shape[1:]) != images.shape[1:] and None not in model.input_shape[1:]:
        raise CourseError(
            f"The model takes pictures of {_by(model.input_shape[1:])}, and these are "
            f"{_by(images.shape[1:])}. Load them in the size that it was trained on."
        )
    if not len(images):
        return np.zeros((0, len(class_names)), np.float32)
    said = np.asarray(model.predict(images, batch_size=32, verbose=0), np.float32)
    if said.shape != (len(images), len(class_names)):
        raise CourseError(
            f"The model gives {said.shape} for {count(len(images), 'picture')} of "
            f"{len(class_names)} classes. One probability for each class is needed: let it end in "
            f'Dense({len(class_names)}, activation="softmax").'
        )
    if not np.isfinite(said).all() or said.min() < 0 or np.abs(said.sum(1) - 1).max() > 1e-3:
        raise CourseError(
            "The model's outputs are no probabilities: each row is from 0 up and sums to 1. Put "
            "keras.layers.Softmax() at its end."
        )
    return said


def _by(shape) -> str:
    return " x ".join(map(str, shape))
