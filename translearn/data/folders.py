"""What is in a folder of the reader's own: which files are pictures of which class, and what else.

It takes what a person would who looks through the folder, and notes what it leaves out.
"""

import os
import re
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path

from translearn.data import decoding
from translearn.data.splits import PARTS
from translearn.errors import CourseError
from translearn.plain import count, some

# What systems and programs put beside pictures, besides names that begin with a dot.
SERVICE = {"__macosx", "@eadir", "__pycache__", "lost+found", "thumbs.db", "desktop.ini"}
NAMED = (
    r"(?:(?P<train>train(?:ing)?)|(?P<validation>val(?:id(?:ation)?)?|dev)|"
    r"(?P<test>test(?:ing)?|eval(?:uation)?|holdout))"
)
SPLIT = re.compile(NAMED + r"(?:[ _-]?(?:set|data|split|images|pictures))?", re.IGNORECASE)
# As in train_cat and in cat-train.
WITH_CLASS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (NAMED + r"[ _.-]+(?P<name>.+)", r"(?P<name>.+?)[ _.-]+" + NAMED)
]
LAYOUT = (
    "Put the pictures of each class into a folder of its own, as in pets/cat/01.jpg and "
    "pets/dog/7.png."
)


@dataclass
class Found:
    """The pictures of a folder, and what else was met.

    class_names; given: the parts that a split folder has; files, keys, labels, parts: one entry a
    picture; others: keys of files that are no pictures; hidden: how many files and folders; loud,
    said: sentences to be said as warnings, and those that need not alarm
    """

    class_names: tuple = ()
    given: tuple = ()
    files: list = field(default_factory=list)
    keys: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    parts: list = field(default_factory=list)
    others: list = field(default_factory=list)
    hidden: int = 0
    loud: list = field(default_factory=list)
    said: list = field(default_factory=list)

    def at(self, rows) -> "Found":
        columns = ("files", "keys", "labels", "parts")
        return replace(
            self, **{each: [getattr(self, each)[row] for row in rows] for each in columns}
        )


def existing(path) -> Path:
    """A folder by its name; raises CourseError when it is none."""
    try:
        folder = Path(path).expanduser()
    except (TypeError, RuntimeError):
        raise CourseError(
            f"{path!r} is not the name of a folder. Name a folder that holds one folder per class."
        ) from None
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CourseError(
            f"The folder {shown(folder)} {what}. Name a folder that holds one folder per class."
        )
    return folder


def listed(folder: Path) -> Found:
    """What is in a folder of class folders, or of parts with class folders (or the other way
    round).
    """
    found = Found()
    top, (folders, loose) = folder, _inside(folder, found)
    if len(folders) == 1 and _parts(folders[0], _inside(folders[0])[0]):
        top = folders[0]  # images/train/cat
        folders, more = _inside(top, found)
        loose += more
    if roots := _parts(top, folders):
        beside = [each for each in folders if each not in roots.values()]
        if beside:
            found.loud.append(
                f"Left out: what stands beside {some(list(map(_name, roots.values())))} "
                f"({some(list(map(_name, beside)))})."
            )
        classes = {}
        for part, root in roots.items():
            folders, more = _inside(root, found)
            loose += more
            for each in folders:
                classes.setdefault(_name(each), {})[part] = each
    else:
        classes = _parts_in_classes(folders) or _parts_in_names(folders)
    if classes:
        found.given = tuple(
            part for part in PARTS if any(part in each for each in classes.values())
        )
    else:
        classes = {_name(each): {"train": each} for each in folders}
    found.others += [shown(each, folder) for each in loose if not decoding.is_picture(each)]
    loose = [shown(each, folder) for each in loose if decoding.is_picture(each)]
    _classes_fit(folder, found.given or ("train",), classes, found.given, loose)
    if loose:
        found.loud.append(
            f"Left out: {count(len(loose), 'picture')} in no folder of a class ({some(loose)})."
        )
    found.class_names = tuple(sorted(classes))
    for label, name in enumerate(found.class_names):
        for part, each in classes[name].items():
            _take(folder, each, label, part, found)
    return found


def _parts_in_classes(folders) -> dict:
    """{class: {part: its folder}} of cat/train and cat/test; {} for anything else."""
    classes = {}
    for each in folders:
        inside, files = _inside(each)
        matches = [SPLIT.fullmatch(_name(part)) for part in inside]
        if not inside or not all(matches) or any(map(decoding.is_picture, files)):
            return {}
        classes[_name(each)] = {match.lastgroup: part for match, part in zip(matches, inside)}
        if len(classes[_name(each)]) < len(inside):
            return {}
    return classes if _is_split(classes) else {}


def _parts_in_names(folders) -> dict:
    """{class: {part: its folder}} of train_cat and test_cat; {} for anything else."""
    classes = {}
    for each in folders:
        matches = [match for form in WITH_CLASS if (match := form.fullmatch(_name(each)))]
        if not matches:
            return {}
        parts = classes.setdefault(matches[0]["name"], {})
        part = next(part for part in PARTS if matches[0][part])
        if part in parts:
            return {}
        parts[part] = each
    # A class with one part only may be of such a name: train station, test tube.
    return classes if _is_split(classes) and min(map(len, classes.values())) > 1 else {}


def _is_split(classes: dict) -> bool:
    parts = {part for each in classes.values() for part in each}
    return len(classes) > 1 and len(parts) > 1 and "train" in parts


def _parts(folder: Path, folders) -> dict:
    """{part: its folder} where a folder is already split, else {}."""
    roots = {}
    for each in folders:
        if match := SPLIT.fullmatch(_name(each)):
            if match.lastgroup in roots:
                raise CourseError(
                    f"The folder {shown(folder)} has two for {match.lastgroup}, "
                    f"{_name(roots[match.lastgroup])!r} and {_name(each)!r}. Keep one, or rename "
                    "it."
                )
            roots[match.lastgroup] = each
    bare = [each for each in roots.values() if not _inside(each)[0]]
    if len(roots) < 2 or bare and len(roots) < len(folders):
        return {}  # perhaps classes of such names
    if bare:
        raise CourseError(
            f"The folder {shown(folder)} is already split ({some(list(map(_name, folders)))}), "
            f"but {_name(bare[0])!r} has no folders of classes in it. {LAYOUT} Pictures without a "
            "class belong elsewhere."
        )
    if "train" not in roots:
        raise CourseError(
            f"The folder {shown(folder)} is already split ({some(list(map(_name, folders)))}), "
            "but has no 'train'. Add it, or put all pictures of a class into one folder."
        )
    return {part: roots[part] for part in PARTS if part in roots}


def _classes_fit(folder, roots, classes, given, loose):
    """Raise what is wrong with the class folders."""
    if not classes:
        also = f", only {count(len(loose), 'picture')}" if loose else ""
        raise CourseError(f"The folder {shown(folder)} has no folders in it{also}. {LAYOUT}")
    if len(classes) == 1:
        ((name, places),) = classes.items()
        within = [_name(each) for each in _inside(next(iter(places.values())))[0]]
        hint = (
            f"If {some(within)} are the classes, name the folder {shown(folder / name)}."
            if len(within) > 1 and not given
            else LAYOUT
        )
        raise CourseError(
            f"The folder {shown(folder)} has one class only, {name!r}, "
            f"which leaves nothing to tell apart. {hint}"
        )
    for name, places in classes.items():
        if lacks := [part for part in roots if part not in places]:
            raise CourseError(
                f"The folder {shown(folder)} is already split, and the class {name!r} is missing "
                f"in {lacks[0]}. Every part needs every class."
            )


def _take(top: Path, folder: Path, label: int, part: str, found: Found):
    """The pictures below one class folder, into `found`."""
    before = len(found.files)
    for file in _below(folder, found, (os.path.realpath(folder),)):
        # A link to nothing counts by its name; what is no file at all (a pipe) never does.
        if (file.is_file() or not file.exists()) and decoding.is_picture(file):
            found.files.append(file)
            found.keys.append(shown(file, top))
        else:
            found.others.append(shown(file, top))
    new = len(found.files) - before
    if not new:
        endings = ", ".join(sorted(decoding.ENDINGS))
        raise CourseError(
            f"The class {shown(folder, top)!r} is empty: {shown(folder)} holds no pictures "
            f"({endings}). Add some, or remove the folder."
        )
    found.labels += [label] * new
    found.parts += [part] * new


def _below(folder: Path, found: Found, above: tuple):
    """All files below a folder but hidden ones, links followed, unless they lead in a circle."""
    folders, files = _inside(folder, found)
    yield from files
    for each in folders:
        if (real := os.path.realpath(each)) not in above:
            yield from _below(each, found, (*above, real))


def _inside(folder: Path, found: Found | None = None) -> tuple[list, list]:
    """(folders, files) of a folder in order, without the hidden ones, which `found` counts."""
    try:
        entries = sorted(folder.iterdir(), key=_name)
    except OSError as error:
        raise CourseError(
            f"The folder {shown(folder)} cannot be opened: {error.strerror or error}. Make it "
            "readable, or move it away."
        ) from None
    seen = [
        each
        for each in entries
        if not each.name.startswith(".") and each.name.casefold() not in SERVICE
    ]
    if found:
        found.hidden += len(entries) - len(seen)
    split = {True: [], False: []}
    for each in seen:
        split[each.is_dir()].append(each)
    return split[True], split[False]


def shown(path, top: Path | None = None) -> str:
    """A path for people, or below `top` as a key: UTF-8 even where a file's name is not, and the
    same on every system.
    """
    text = os.fspath(path) if top is None else path.relative_to(top).as_posix()
    text = unicodedata.normalize("NFC", os.fsencode(text).decode("utf-8", "backslashreplace"))
    return "".join(
        each.encode("unicode_escape").decode() if unicodedata.category(each) == "Cc" else each
        for each in text
    )


def _name(path: Path) -> str:
    return shown(path.name)
