"""The course's own pictures: `data.load`, and the functions that read them."""

import io
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from translearn.data import registry
from translearn.data.splits import Card, Pictures, Splits, integer, known
from translearn.errors import CourseError
from translearn.paths import cache

SMALLEST, LARGEST = 8, 512  # pixels a side


def load(
    name: str,
    size: int | None = None,
    seed: int = 0,
    labels_per_class: int | None = None,
    classes=None,
    styles=None,
) -> Splits:
    """One of the course's sets of pictures: "emoji_styles", "solar_cells", "fashion", "digits" or
    "letters".

    size: pixels a side, 8 to 512 (default: 96 for emoji_styles and solar_cells, 28 for fashion and
        digits, 48 for letters)
    seed: decides who goes to train (60 %), validation (15 %) and test (25 %)
    labels_per_class: keep only so many training pictures of each class; nested for one seed
    classes: keep only these, and number them in this order (default: all)
    styles: emoji_styles and letters ("capital", "small"): keep only these, in all three splits
        (default: all)

    For one seed a concept of emoji_styles stands in the same split whatever `classes` and `styles`
    are, so that a model trained on one style meets new concepts when it is tested on another.

    Raises CourseError for an unknown name, class or style, a size or number out of range, and for
    a file that is missing, truncated or changed.
    """
    record = registry.entry(name, kind="data")
    if record["family"] != "pictures":
        known = registry.names(family="pictures", having="reader")
        raise CourseError(f"{name!r} holds no pictures. {registry.suggest(name, known)}")
    size = record["size"] if size is None else integer("size", size, SMALLEST, LARGEST)
    seed = integer("seed", seed)
    if labels_per_class is not None:
        integer("labels_per_class", labels_per_class, at_least=1)

    pictures = registry.function(name, "reader")(name, size)
    where = pictures.where(seed)  # before anything is left out: see the docstring
    if styles is not None:
        where[~_of_styles(pictures, name, styles)] = ""
    if classes is not None:
        pictures = _of_classes(pictures, classes)
        where[pictures.labels < 0] = ""
    splits = pictures.cut(where, seed, name, Card(registry.card(name)), record.get("channels", 1))
    if labels_per_class is not None:
        splits = replace(splits, train=splits.train.take(labels_per_class, seed))
    return splits


def _of_styles(pictures, name, styles) -> np.ndarray:
    """True for the pictures in one of these styles, (n,)."""
    if "style" not in pictures.info:
        raise CourseError(
            f"{name!r} has no drawing styles. Leave out styles=…, or load 'emoji_styles'."
        )
    drawn = pictures.info["style"]
    return drawn.isin(known("style", styles, list(dict.fromkeys(drawn)))).to_numpy()


def _of_classes(pictures, classes):
    """The same pictures, their labels numbered in the order of `classes`, and -1 for any other
    class.
    """
    chosen = known("class", classes, pictures.class_names)
    if len(chosen) < 2:
        raise CourseError(
            f"One class ({chosen[0]!r}) leaves nothing to tell apart. Name at least two classes."
        )
    number = np.full(len(pictures.class_names), -1)
    number[[list(pictures.class_names).index(each) for each in chosen]] = np.arange(len(chosen))
    return replace(pictures, labels=number[pictures.labels], class_names=tuple(chosen))


# --- reading: a reader takes the name of a data set and a size, and gives `Pictures` -------------


def remembered(name: str, size: int, make) -> np.ndarray:
    """`make()`, kept in the cache folder under size, the SHA-256 of its source, and `NUMERICS`.

    A file that is damaged or half written is made again.
    """
    from translearn.data import NUMERICS

    source = registry.entry(name)["sha256"]
    folder = cache() / "pictures"
    file = folder / f"{name}-{size}-{source[:16]}-{NUMERICS}.npz"
    try:
        with np.load(file, allow_pickle=False) as kept:
            images = kept["images"]  # the archive's own checksum is verified here
            return images
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    images = make()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{file.stem}-{os.getpid()}.npz"
        np.savez(unfinished, images=images)
        os.replace(unfinished, file)
    except OSError:
        pass  # a full or read-only disk makes it slower, not wrong
    return images


def resized(picture, size: int) -> np.ndarray:
    from PIL import Image

    # Pillow resizes in fixed-point arithmetic and averages when it shrinks, so every machine gets
    # the same pixels.
    return np.asarray(
        picture if picture.size == (size, size) else picture.resize((size, size), Image.BILINEAR)
    )


def fitted(picture, size: int, fit: str) -> np.ndarray:
    """A Pillow picture of any shape as a square: resized, or resized and laid on white."""
    from PIL import Image

    if fit == "pad":
        longer = max(picture.size)
        small = tuple(max(1, round(each * size / longer)) for each in picture.size)
        square = Image.new(picture.mode, (size, size), "white")
        inside = picture if picture.size == small else picture.resize(small, Image.BILINEAR)
        square.paste(inside, tuple((size - each) // 2 for each in small))
        picture = square
    return resized(picture, size)


def decoded(blobs, size: int) -> np.ndarray:
    from PIL import Image

    with ThreadPoolExecutor() as pool:
        return np.stack(
            list(pool.map(lambda blob: resized(Image.open(io.BytesIO(blob)), size), blobs))
        )


def emoji_styles(name, size) -> Pictures:
    """Pictures as PNG files one after the other, drawn in several styles; a concept stays in one
    split.
    """
    import pandas as pd

    stored = registry.arrays(name)
    packed, ends = stored["pictures"], stored["ends"]
    images = remembered(
        name,
        size,
        lambda: decoded(
            [packed[start:end].tobytes() for start, end in zip([0, *ends[:-1]], ends)], size
        ),
    )
    info = pd.DataFrame(
        {
            "key": [f"{style}/{drawn}" for style, drawn in zip(stored["styles"], stored["names"])],
            "concept": stored["concepts"],
            "thing": stored["names"],
            "style": stored["styles"],
        }
    )
    return Pictures(
        images, stored["labels"], info, tuple(stored["class_names"].tolist()), stored["concepts"]
    )


def solar_cells(name, size) -> Pictures:
    """Photographs in a folder with a table of how probable a defect is, and of which type the cell
    is.
    """
    import pandas as pd

    folder = registry.path(name)
    rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
    files = [row[0] for row in rows]
    probability, kind = (
        np.array([float(row[1]) for row in rows]),
        np.array([row[2] for row in rows]),
    )
    images = remembered(
        name, size, lambda: decoded([(folder / file).read_bytes() for file in files], size)
    )
    labels = (probability >= 0.5).astype(np.int64)
    info = pd.DataFrame(
        {"key": [Path(file).stem for file in files], "type": kind, "probability": probability}
    )
    strata = np.array([f"{label}/{each}" for label, each in zip(labels, kind)])
    return Pictures(images, labels, info, ("functional", "defective"), strata=strata)


def stored(name, size) -> Pictures:
    """Pictures as arrays: `images` (n, side, side) or (n, side, side, 3), `labels`, `keys` and
    `class_names`, and if there are such, `groups` that stay in one split and `styles`.
    """
    import pandas as pd
    from PIL import Image

    found = registry.arrays(name)
    images = found["images"]
    if size != images.shape[1]:
        images = remembered(
            name,
            size,
            lambda: np.stack([resized(Image.fromarray(each), size) for each in found["images"]]),
        )
    info = pd.DataFrame({"key": found["keys"]})
    if "styles" in found:
        info["style"] = found["styles"]
    names = tuple(found["class_names"].tolist())
    return Pictures(images, found["labels"], info, names, found.get("groups"))
