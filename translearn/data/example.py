"""A folder of pictures that ships: `data.example_folder`, and what is wrong in it on purpose.

Things of `emoji_styles` stand on backgrounds of many shapes, mostly off the middle, as in pictures
that nobody has prepared. Faults are planted as they occur in real folders, and known.
"""

import hashlib
import io
import itertools
import json
import os
import random
import shutil
from pathlib import Path

from translearn.data import registry
from translearn.errors import CourseError
from translearn.paths import DATA, cache, cache_folder

VERSION = 1  # raised by hand when other pictures are made
CLASSES = {  # folder -> class of emoji_styles
    "animal": "other animal",
    "food": "meal or drink",
    "mammal": "mammal",
    "plant": "plant or fruit",
    "tool": "household or tool",
    "toy": "sport, music or toy",
}
EACH = 38  # pictures of a class, each of another concept, before copies are added
SHAPES = [(220, 120), (120, 220), (240, 120), (110, 200), (140, 140), (200, 110)]
# How often each fault is planted. The first three add a picture, the others change one.
FAULTS = {
    "copy": 6,
    "near copy": 18,
    "two labels": 3,
    "wrong label": 9,
    "blurred": 6,
    "dark": 6,
    "small": 3,
    "odd shape": 3,
}
ABOUT = """things: pictures made for the course from its data set emoji_styles

Some 250 pictures of six classes: drawings in five styles on backgrounds of several shapes. Each
picture of a class shows another thing. Faults are planted: copies, near copies, pictures with two
labels or a wrong one, blurred and dark ones, some that are very small or of an odd shape;
data.example_faults() lists them. Made by translearn/data/example.py. Changes to the drawings:
scaled, laid on backgrounds, and what is said above. Whose the drawings are, and their licences,
stands in LICENCES.txt and Apache-2.0.txt beside this file.
"""


def example_folder() -> Path:
    """A folder of pictures to try things on: 255 of six classes, one folder a class, not split.

    JPEG and PNG files, 120 to 250 pixels a side, few of them square, with the thing mostly off the
    middle, so that it matters how they are made square. Faults are planted: see
    `example_faults`. It is made in the course's cache, in a second or two, from what ships, the
    same on every machine; when a file of it is missing or changed, it is made anew.

    Raises CourseError when the cache cannot be written, and as `data.load` does for a damaged
    "emoji_styles".
    """
    return _made() / "things"


def example_faults():
    """What is wrong in `example_folder`: a pandas table with one row a fault.

    key: the picture, its path below the folder, as in `info["key"]` of its splits
    kind: "copy" (same pixels), "near copy" (saved again, a little smaller, lighter or cut),
        "two labels" (a copy in another class), "wrong label", "blurred", "dark", "small",
        "odd shape"
    other: the picture that it copies; of a wrong label the right class; else ""
    """
    import pandas as pd

    made = json.loads((_made() / "made.json").read_text(encoding="utf-8"))
    return pd.DataFrame(made["faults"], columns=["key", "kind", "other"])


def about(folder: Path) -> str:
    """What the example is, if this is its folder, else ""."""
    return ABOUT if folder.resolve().is_relative_to((cache_folder() / "example").resolve()) else ""


def _made() -> Path:
    """The folder that holds the pictures, and `made.json` on them, which is made when needed."""
    source = registry.entry("emoji_styles")["sha256"]
    try:
        place = cache() / "example" / f"{source[:8]}-{VERSION}"
        if _complete(place):
            return place
        unfinished = place.with_name(f".{place.name}-{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        _make(unfinished)
        if not _complete(place):  # another process may have been faster
            shutil.rmtree(place, ignore_errors=True)
            os.replace(unfinished, place)
        shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise CourseError(
            f"The example's pictures cannot be written ({error.strerror or error}). Make room, or "
            "name another folder for what the course keeps in TRANSLEARN_CACHE."
        ) from None
    return place


def _complete(place: Path) -> bool:
    try:
        made = json.loads((place / "made.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    things = place / "things"
    there = {
        file.relative_to(things).as_posix(): file.stat().st_size
        for file in things.rglob("*")
        if file.is_file()
    }
    return there == made["files"]


# --- making --------------------------------------------------------------------------------------


def _make(place: Path):
    """Pictures are drawn first, each with its class; then faults are planted, each in or beside
    another picture; and last all get names that say nothing.
    """
    pictures = [_drawn(*each) for each in _chosen()]  # (content, ending) of each
    classes = [label for label in CLASSES for _ in range(EACH)]
    victims = iter(_shuffled(range(len(pictures)), "faults"))
    faults = []  # (number of the picture, kind, number of the other or the right class)
    names = list(CLASSES)
    for kind, times in FAULTS.items():
        for time, at in enumerate(itertools.islice(victims, times)):
            next_class = names[(names.index(classes[at]) + 1 + time % 5) % len(names)]
            if kind == "wrong label":
                faults.append((at, kind, classes[at]))
                classes[at] = next_class
            elif kind in ("blurred", "dark", "small", "odd shape"):
                faults.append((at, kind, ""))
                pictures[at] = _spoilt(pictures[at], kind)
            else:
                faults.append((len(pictures), kind, at))
                classes.append(next_class if kind == "two labels" else classes[at])
                pictures.append(_again(pictures[at], kind, time))
    keys, number = {}, dict.fromkeys(CLASSES, 0)
    for at in _shuffled(range(len(pictures)), "names"):
        number[classes[at]] += 1
        keys[at] = f"{classes[at]}/{number[classes[at]]:03}.{pictures[at][1]}"
    files = {keys[at]: content for at, (content, _) in enumerate(pictures)}
    licences = DATA / "licences"
    files["ABOUT.txt"] = ABOUT.encode()
    files["LICENCES.txt"] = (licences / "emoji_styles.txt").read_bytes()
    files["Apache-2.0.txt"] = (licences / "Apache-2.0.txt").read_bytes()
    for name, content in files.items():
        file = place / "things" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    made = {
        "files": {name: len(content) for name, content in files.items()},
        "faults": sorted([keys[at], kind, keys.get(other, other)] for at, kind, other in faults),
    }
    (place / "made.json").write_text(json.dumps(made), encoding="utf-8")


def _shuffled(things, salt: str) -> list:
    """In the order of the SHA-256 of each: the same everywhere."""
    return sorted(things, key=lambda each: hashlib.sha256(f"{salt}:{each}".encode()).digest())


def _chosen():
    """(a name, a PNG) for every picture: of each class so many concepts, in any style."""
    packed = registry.arrays("emoji_styles")
    starts = [0, *packed["ends"][:-1]]
    for name in CLASSES.values():
        label = packed["class_names"].tolist().index(name)
        drawings = {}
        for row in (packed["labels"] == label).nonzero()[0]:
            drawings.setdefault(str(packed["concepts"][row]), []).append(row)
        for concept in _shuffled(drawings, "concepts")[:EACH]:
            row = _shuffled(drawings[concept], concept)[0]
            yield concept, packed["pictures"][starts[row] : packed["ends"][row]].tobytes()


def _drawn(concept: str, png: bytes) -> tuple[bytes, str]:
    """The thing on a background: (the file's content, its ending)."""
    from PIL import Image, ImageChops, ImageDraw

    # Of `random`, only `random()` gives the same numbers in every version of Python.
    draw = random.Random(concept).random
    width, height = SHAPES[int(draw() * len(SHAPES))]
    light = [tuple(int(165 + 80 * draw()) for _ in "rgb") for _ in range(2)]
    mask = Image.linear_gradient("L").resize((width, height))
    if draw() < 0.5:
        mask = mask.transpose(Image.ROTATE_90).resize((width, height))
    page = Image.composite(*(Image.new("RGB", (width, height), each) for each in light), mask)
    pen = ImageDraw.Draw(page)
    for _ in range(2):  # something to look at that says nothing
        left, top, side = draw() * width, draw() * height, 10 + 50 * draw()
        colour = tuple(int(165 + 80 * draw()) for _ in "rgb")
        shape = pen.ellipse if draw() < 0.5 else pen.rectangle
        shape((int(left), int(top), int(left + side), int(top + side / 2)), fill=colour)
    side = int(min(width, height) * (0.75 + 0.2 * draw()))
    thing = Image.open(io.BytesIO(png)).convert("RGB").resize((side, side), Image.BICUBIC)
    # Most stand at an end of the longer side, where a cut to the middle square hits them.
    along = 0.5 if draw() < 0.25 else 0.04 if draw() < 0.5 else 0.96
    across = draw()
    places = (along, across) if width >= height else (across, along)
    left, top = int((width - side) * places[0]), int((height - side) * places[1])
    box = (left, top, left + side, top + side)
    page.paste(ImageChops.multiply(page.crop(box), thing), box)  # its white becomes see-through
    return _saved(page, "png" if draw() < 0.3 else "jpg")


def _saved(picture, ending: str, quality: int = 92) -> tuple[bytes, str]:
    stream = io.BytesIO()
    if ending == "png":
        picture.save(stream, "PNG")
    else:
        picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue(), ending


def _opened(picture):
    from PIL import Image

    return Image.open(io.BytesIO(picture[0])).convert("RGB")


def _again(picture, kind: str, time: int) -> tuple[bytes, str]:
    """The picture once more: the same file, or the same pixels in a file of another kind; as a
    near copy saved again, and smaller, cut at its edges, or lighter.
    """
    if kind == "two labels" or kind == "copy" and time % 2:
        return picture
    opened = _opened(picture)
    if kind == "copy":
        return _saved(opened, "png")
    if time % 3 == 0:
        opened = opened.resize([each * 9 // 10 for each in opened.size])
    elif time % 3 == 1:
        opened = opened.crop((3, 2, opened.width - 2, opened.height - 3))
    else:
        opened = opened.point([min(255, each + 12) for each in range(256)] * 3)
    return _saved(opened, "jpg", quality=70)


def _spoilt(picture, kind: str) -> tuple[bytes, str]:
    from PIL import ImageFilter

    opened = _opened(picture)
    if kind == "blurred":
        opened = opened.filter(ImageFilter.GaussianBlur(5))
    elif kind == "dark":
        opened = opened.point([each // 9 for each in range(256)] * 3)
    elif kind == "small":
        opened = opened.resize([each // 8 for each in opened.size])
    else:
        longer = opened.width >= opened.height
        opened = opened.resize((400, 36) if longer else (36, 400))
    return _saved(opened, picture[1])
