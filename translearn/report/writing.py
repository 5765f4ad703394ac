"""A model's papers, made from one record: `report.html`, the model card, and the record itself."""

import base64
import io
import json
import os
import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from translearn.data import splits as parts
from translearn.errors import CourseError
from translearn.plain import count, plain_data
from translearn.report import card, handing, limits, testing

PAGES = Path(__file__).with_name("pages")
WORST = 12  # mistakes that are shown
FINDINGS = 100  # of the look at the data that are listed
FILES = ("report.html", "README.md", "record.json")
PACKAGES = ("keras", "numpy", "pillow", "scikit-learn", "tensorflow", "tensorflow-cpu")


def write(
    folder,
    model,
    splits,
    tested,
    looked=None,
    diagnosis=None,
    licence: str | None = None,
    author: str | None = None,
    name: str | None = None,
    fit: str | None = None,
) -> Path:
    """Write a model's papers into a folder: `report.html` (one page that needs nothing else),
    `README.md` (a model card in Hugging Face's form) and `record.json`, which holds every number
    that the other two show. Returns the path of `report.html`.

    folder     made when it does not exist
    model      the Keras model; what it remembers of its training (`model.record`) is told
    splits     the pictures, as in training
    tested     what `test_once(model, splits)` gave
    looked     what `data.look(splits)` found
    diagnosis  what `clinic.diagnose(…)` said of a run on these pictures
    licence    of the model, as Hugging Face abbreviates it ("mit", "cc-by-4.0"), or in words
    author     who answers for it
    name       of the model; "NAME of the data classifier" by default
    fit        how pictures became square: "cut", "pad" or "stretch"; what `splits` says by default

    Files that `hand_over` left in the folder before are told with size, speed and score.

    Raises `CourseError` when `tested` is of another model or data set, and when the folder has a
    README.md that does not come from here.
    """
    folder = Path(folder).expanduser()
    _is_ours(folder)
    _belongs(model, splits, tested)
    record = gather(model, splits, tested, looked, diagnosis)
    record |= {"licence": licence, "author": author}
    record["name"] = name or f"{splits.name} classifier"
    record["data"]["fit"] = handing.known_fit(fit, splits)
    record["hand over"] = handing.left_in(folder, tested.model)
    record["limits"] = limits.limits(record)
    handing.made(folder)
    shown = {"mistakes": _thumbnails(tested, splits.test), "sheet": _sheet(looked)}
    record_as_text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    # The record first: it says that the folder is ours, should the rest be interrupted.
    texts = {
        "record.json": record_as_text,
        "report.html": page(record, shown),
        "README.md": card.card(record),
    }
    for file, text in texts.items():
        _put(folder / file, text)
    return folder / "report.html"


def gather(model, splits, tested, looked=None, diagnosis=None) -> dict:
    """What is known, as plain data."""
    names = [str(name) for name in splits.class_names]
    counts = {
        part: np.bincount(getattr(splits, part).labels, minlength=len(names)).tolist()
        for part in parts.PARTS
    }
    trained = getattr(model, "record", None)
    megabytes = sum(np.prod(w.shape) * np.dtype(w.dtype).itemsize for w in model.weights) / 1e6
    test = tested.to_dict()
    test["looks sentence"] = testing.looks_in_words(tested) if tested.looks > 1 else ""
    record = {
        "format": 1,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "name": splits.name,
            "classes": names,
            "counts": {part: dict(zip(names, counts[part])) for part in parts.PARTS},
            "size": list(splits.train.images.shape[1:]),
            "said": list(splits.said),
        },
        "look": _looked(looked, splits),
        "training": trained.to_dict() if hasattr(trained, "to_dict") else trained,
        "diagnosis": _diagnosed(diagnosis),
        "test": test,
        "cost": {
            "parameters": int(model.count_params()),
            "megabytes": float(megabytes),
            "milliseconds": tested.milliseconds,
        },
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "versions": {each: version for each in PACKAGES if (version := _version(each))},
    }
    return plain_data(record)


def page(record: dict, shown: dict) -> str:
    """`report.html` of a record. shown: {"mistakes": data URIs, "sheet": (data URI, alt) or None};
    the pictures alone do not stand in the record.
    """
    html = _templates().get_template("report.html").render(r=record, shown=shown)
    return html.replace(" %", "\u00a0%")  # no line begins with a percent sign


@cache
def _templates():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        autoescape=True,
        loader=FileSystemLoader(PAGES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"share": limits.share, "count": count, "words": words, "cell": cell}
    return pages


HEADINGS = {"score": "balanced accuracy, cross-validated", "seconds": "done after, CPU seconds"}


def words(key) -> str:
    """A key of a record as a heading."""
    return HEADINGS.get(key) or str(key).replace("_", " ")


def cell(value) -> str:
    """A value of a record for a table."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{words(name)} {cell(each)}" for name, each in value.items())
    return str(value)


def _looked(looked, splits) -> dict | None:
    if looked is None:
        return None
    rows = looked.findings
    there = {key for part in parts.PARTS for key in getattr(splits, part).info["key"]}
    leaks = set(rows["key"][rows["kind"] == "leak"])
    columns = [c for c in ("kind", "split", "key", "other", "score", "sentence") if c in rows]
    return {
        "sentences": list(looked.sentences),
        "counts": rows["kind"].value_counts().to_dict(),
        "findings": rows[columns].head(FINDINGS).to_dict("records"),
        "left out": max(0, len(rows) - FINDINGS),
        "leaks left in": len(leaks & there),
    }


def _diagnosed(diagnosis) -> dict | None:
    if diagnosis is None:
        return None
    return {
        "verdict": diagnosis.verdict,
        "findings": [
            {"name": each.name, "evidence": each.evidence, "remedies": each.remedies}
            for each in diagnosis.findings
        ],
        "missing": list(diagnosis.missing),
        "seen": list(diagnosis.seen),
    }


def _belongs(model, splits, tested):
    import joblib

    from translearn.transfer import features

    if not isinstance(tested, testing.Tested):
        raise CourseError(
            f"tested is {type(tested).__name__}. Pass what report.test_once(model, splits) gave."
        )
    if features.state(model) != tested.model:
        raise CourseError(
            "This test result is of another model, or of this one before it was trained on. Call "
            "report.test_once(model, splits) again."
        )
    if joblib.hash((splits.test.images, splits.test.labels)) != tested.pictures:
        raise CourseError(
            "This test result is of other pictures. Pass the splits that test_once was given."
        )


def _is_ours(folder):
    for file in FILES:
        if (folder / file).exists() and not (folder / "record.json").exists():
            raise CourseError(
                f"The folder {str(folder)!r} has a {file} that was not written here, and it would "
                "be lost. Name a folder of its own for the report."
            )


def _put(file, text):
    scratch = file.with_suffix(f".{os.getpid()}")
    scratch.write_text(text, encoding="utf-8", newline="\n")
    os.replace(scratch, file)


def _thumbnails(tested, test) -> list[str]:
    """Data URIs of the worst mistakes."""
    from PIL import Image

    found = []
    for row in tested.mistakes["row"].head(WORST):
        pixels = test.images[row]
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        picture.thumbnail((160, 160))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        found.append(_uri(buffer))
    return found


def _sheet(looked):
    """(data URI, alt) of the look's sheet of pictures; None without one."""
    if looked is None or not len(looked.findings):
        return None
    from translearn import plots

    fig = looked.sheet()
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=fig.dpi)
    plots.plt.close(fig)
    return _uri(buffer), fig.alt


def _uri(buffer) -> str:
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
