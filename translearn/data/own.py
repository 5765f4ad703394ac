"""Your own pictures, from a folder: `data.from_directory`."""

import hashlib
import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from translearn.data.pictures import LARGEST, SMALLEST, resized
from translearn.data.splits import PARTS, Card, Pictures, Splits, integer
from translearn.errors import CourseError

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
FEWEST = 5  # pictures per class that can be split in three


def from_directory(path, size: int = 96, seed: int = 0, unreadable: str = "stop") -> Splits:
    """Your own pictures: a folder with one folder per class, as in `pets/cat/01.jpg`,
    `pets/dog/7.png`.

    Pictures become RGB, cut to their middle square and resized to `size` pixels a side (8 to 512);
    files that are not pictures by their ending are left alone. Copies of one picture are kept in
    one split.

    unreadable: "stop" raises CourseError naming the pictures that cannot be read, "skip" leaves
        them out with a warning that names them.

    Raises CourseError for a folder that is missing or has no class folders, for a single class,
    for a class that is empty, and for one with fewer than five pictures.
    """
    folder = Path(path).expanduser()
    size, seed = integer("size", size, SMALLEST, LARGEST), integer("seed", seed)
    if unreadable not in ("stop", "skip"):
        raise CourseError(f'unreadable={unreadable!r} is not known. Use "stop" or "skip".')
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CourseError(
            f"The folder {folder} {what}. Name a folder that holds one folder per class."
        )
    class_folders = sorted(
        each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")
    )
    layout = (
        "Put the pictures of each class into a folder of its own, as in pets/cat/01.jpg and "
        "pets/dog/7.png."
    )
    if not class_folders:
        raise CourseError(f"The folder {folder} has no folders in it. {layout}")
    if len(class_folders) == 1:
        raise CourseError(
            f"The folder {folder} has one class only, {class_folders[0].name!r}, "
            f"which leaves nothing to tell apart. {layout}"
        )
    files, labels = [], []
    for label, each in enumerate(class_folders):
        found = sorted(
            file
            for file in each.rglob("*")
            if file.is_file() and file.suffix.lower() in ENDINGS and not file.name.startswith(".")
        )
        if not found:
            raise CourseError(
                f"The class {each.name!r} is empty: {each} holds no pictures "
                f"({', '.join(sorted(ENDINGS))}). Add some, or remove the folder."
            )
        files += found
        labels += [label] * len(found)

    # Pillow's remarks on odd files name no file. They are silenced here, not in the threads:
    # warning filters belong to the whole process, and threads that restore them in turn would
    # leave them switched off.
    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.simplefilter("ignore")
        read = list(pool.map(lambda file: _read(file, size), files))
    broken = [
        file.relative_to(folder).as_posix()
        for file, (picture, _) in zip(files, read)
        if picture is None
    ]
    if broken:
        which = (
            f"{len(broken)} picture{'s' * (len(broken) > 1)} cannot be read: {', '.join(broken)}."
        )
        if unreadable == "stop":
            raise CourseError(
                f'{which} Remove or replace, or call from_directory(…, unreadable="skip").'
            )
        warnings.warn(f"{which} Carrying on without.", stacklevel=2)

    good = [index for index, (picture, _) in enumerate(read) if picture is not None]
    class_names = [each.name for each in class_folders]
    labels = np.array(labels, np.int64)[good]
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < FEWEST:
        pictures = "picture" if counts.min() == 1 else "pictures"
        raise CourseError(
            f"The class {class_names[counts.argmin()]!r} has only {counts.min()} readable "
            f"{pictures}, "
            "too few to split into train, validation and test. "
            f"Every class needs at least {FEWEST}."
        )
    import pandas as pd

    images = np.stack([read[index][0] for index in good])
    # A copy of a training picture in the test set would be a question with its answer printed
    # beside it.
    groups = np.array([f"{label}/{read[index][1]}" for label, index in zip(labels, good)])
    info = pd.DataFrame({"key": [files[index].relative_to(folder).as_posix() for index in good]})
    pictures = Pictures(images, labels, info, tuple(class_names), groups)
    where = pictures.where(seed)
    for part in PARTS:
        empty = np.bincount(labels[where == part], minlength=len(class_names)).argmin()
        if not ((where == part) & (labels == empty)).any():
            raise CourseError(
                f"The class {class_names[empty]!r} has too few different pictures to split into "
                "train, "
                "validation and test: copies of one picture count once. Add more pictures."
            )
    card = Card(
        f"# {folder.name}\n\n{len(labels)} pictures of {len(class_names)} classes from a folder "
        "of your own.\n"
    )
    return pictures.cut(where, seed, folder.name, card)


def _read(file: Path, size: int):
    """(the picture, SHA-256 of the file), or (None, "") when it cannot be read."""
    from PIL import Image, ImageOps

    try:
        content = file.read_bytes()
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        if picture.mode in ("RGBA", "LA", "PA", "P"):
            # What is see-through becomes white, as in emoji_styles, rather than whatever colour
            # lies beneath.
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        picture = picture.convert("RGB")
    except Exception:  # Pillow's decoders raise nearly anything on a damaged file
        return None, ""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return resized(picture.crop((left, top, left + side, top + side)), size), hashlib.sha256(
        content
    ).hexdigest()
