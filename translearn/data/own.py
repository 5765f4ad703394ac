"""Your own pictures, from a folder or a list: `data.from_directory`, `data.from_csv`."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from translearn.data import decoding, example, tables
from translearn.data.folders import Found, existing, listed, shown
from translearn.data.pictures import LARGEST, SMALLEST, fitted
from translearn.data.splits import PARTS, SHARES, Card, Pictures, Splits, assign, integer
from translearn.errors import CourseError
from translearn.plain import count, some

FEWEST = 5  # pictures per class that can be split in three
FITS = ("cut", "pad", "stretch")


def from_directory(
    path, size: int = 96, seed: int = 0, unreadable: str = "stop", fit: str = "cut"
) -> Splits:
    """Your own pictures: a folder with one folder per class, as in `pets/cat/01.jpg`,
    `pets/dog/7.png`, in any order and depth below the class.

    Pictures become RGB, are turned as their camera says, and `size` pixels a side (8 to 512). What
    is see-through becomes white; 16-bit grey is scaled by the range of its format; of an animation
    the first picture is taken. Links are followed. Hidden files and those that are no pictures are
    left out. A photograph of any size is decoded as small as will do, and large ones one after the
    other.

    A folder that is already split, as in `pets/train/cat/01.jpg` and `pets/test/cat/7.png`, or
    `pets/cat/train/01.jpg`, or `pets/train_cat/01.jpg`, keeps its split; what it lacks of
    validation (15 %) and test (25 %) is drawn from train.

    Copies, pictures with the same pixels, stay in one split, also over classes. Where a folder
    that is already split has copies in two parts, those in train are left out, or those in
    validation when the other is in test. The same picture in two classes is named in a warning,
    since one of its labels must be wrong.

    unreadable: "stop" raises CourseError naming the pictures that cannot be read, and why; "skip"
        leaves them out with a warning that names them.
    fit: what happens to a picture that is not square: "cut" keeps its middle square, "pad" keeps
        all of it and lays it on white, "stretch" keeps all of it and changes its shape. Which is
        best depends on where things are and whether their shape matters: measure it.

    `info` has for each picture its `key`, the path below the folder, and `width` and `height`, the
    pixels that it had. Whatever was left out or done is said below the table that the result
    shows, and on its card.

    Raises CourseError for a folder that is missing or has no class folders, for a single class,
    for a class that is empty, or has fewer than five pictures to be split, for a part without one
    of the classes, and when the pictures would not fit into memory.
    """
    size, seed = _checked(size, seed, unreadable, fit)
    folder = existing(path)
    with decoding.quietly():
        found = listed(folder)
    name = shown(folder.resolve().name)
    splits = _made(found, name, "a folder", size, seed, unreadable, fit)
    if about := example.about(folder):
        splits = replace(splits, card=Card("\n\n".join([f"# {about}", *splits.said]) + "\n"))
    return splits


def from_csv(
    path,
    root=None,
    file: str = "file",
    label: str = "label",
    split: str | None = "split",
    size: int = 96,
    seed: int = 0,
    unreadable: str = "stop",
    fit: str = "cut",
) -> Splits:
    """Your own pictures, from a list: a CSV file with a line for each picture, below a line with
    the names of the columns, as in

        file,label
        cats/01.jpg,cat
        dogs/7.png,dog

    path: the list, UTF-8, with commas, semicolons, tabs or bars between its columns
    root: the folder that the files are given from (default: that of the list)
    file, label, split: what the columns are called. There may be others. `split` says train,
        validation or test; without a column "split", or with split=None, the pictures are split
        as `from_directory` does it, and what is lacking is drawn from train.
    size, seed, unreadable, fit: as in `from_directory`, and what is done with pictures is the same

    Classes stand in the order of their names, or numbers. Blanks around a label do not count.

    Raises CourseError where `from_directory` does, and for a list that cannot be read or lacks a
    column, for lines without a file or a label, for files that are missing, for labels that differ
    only by blanks or capitals, and for a file that stands there with two labels or in two parts.
    """
    size, seed = _checked(size, seed, unreadable, fit)
    found, name = tables.listed(path, root, file, label, split, missing=unreadable)
    return _made(found, name, "a list", size, seed, unreadable, fit)


def _checked(size, seed, unreadable, fit):
    for what, value, known in (
        ("unreadable", unreadable, ("stop", "skip")),
        ("fit", fit, FITS),
    ):
        if value not in known:
            uses = ", ".join(f'"{each}"' for each in known[:-1]) + f' or "{known[-1]}"'
            raise CourseError(f"{what}={value!r} is not known. Use {uses}.")
    return integer("size", size, SMALLEST, LARGEST), integer("seed", seed)


def _made(found: Found, name, source, size, seed, unreadable, fit) -> Splits:
    with decoding.quietly():
        images, decoded = _read(found, size, fit)
    refused = [str(each) if isinstance(each, decoding.Refused) else "" for each in decoded]
    if any(refused):
        named = [f"{key} ({why})" for key, why in zip(found.keys, refused) if why]
        which = f"{count(len(named), 'picture')} cannot be read: {some(named)}."
        if unreadable == "stop":
            raise CourseError(f'{which} Remove or replace, or ask for unreadable="skip".')
        found.loud.append(f"{which} Carrying on without.")
        good = np.flatnonzero([not why for why in refused])
        found, images, decoded = found.at(good), images[good], [decoded[row] for row in good]
    _enough(found)

    groups, strata = _copies(found, decoded)
    where = np.array(found.parts, dtype="U10")
    _leave_out_copies(found, groups, where)
    rows = where == "train"
    shares = {part: share for part, share in SHARES.items() if part not in found.given}
    where[rows] = assign(groups[rows], strata[rows], seed, shares)
    labels = np.array(found.labels, np.int64)
    for part in PARTS:
        counts = np.bincount(labels[where == part], minlength=len(found.class_names))
        if not counts.all():
            raise CourseError(
                f"The class {found.class_names[counts.argmin()]!r} has too few different pictures "
                f"for one to be left for {part}: copies of one picture count once. Add more "
                "pictures."
            )
    for sentence in found.loud:
        warnings.warn(sentence, stacklevel=3)  # where the reader called

    import pandas as pd

    said = (*found.loud, *_said(found, decoded, source, fit))
    about = f"{np.count_nonzero(where)} pictures of {len(found.class_names)} classes from {source}"
    card = Card("\n\n".join([f"# {name}", f"{about} of your own.", *said]) + "\n")
    sizes = {side: [getattr(each, side) for each in decoded] for side in ("width", "height")}
    info = pd.DataFrame({"key": found.keys, **sizes})
    pictures = Pictures(images, labels, info, found.class_names)
    return replace(pictures.cut(where, seed, name, card), said=said, fit=fit)


# --- reading, and what belongs together ----------------------------------------------------------


def _read(found: Found, size: int, fit: str):
    """(uint8 pictures (n, size, size, 3), what `decoding.decode` says of each, or `Refused`)."""
    import psutil

    # They are cut into three splits in the end, so for a moment they are there twice.
    needed, free = 2 * len(found.files) * size**2 * 3, psutil.virtual_memory().available
    if needed > free:
        raise CourseError(
            f"{len(found.files):,} pictures of {size} x {size} take {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free. Ask for a smaller size, or take fewer pictures."
        )
    images = np.zeros((len(found.files), size, size, 3), np.uint8)

    def one(row):
        try:
            decoded = decoding.decode(found.files[row], whole=fit != "cut")
        except decoding.Refused as refused:
            return refused
        images[row] = fitted(decoded.picture, size, fit)
        return replace(decoded, picture=None)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return images, list(pool.map(one, range(len(images))))


def _enough(found: Found):
    """Raise CourseError for a class with too few pictures to be split."""
    counts = np.bincount(found.labels, minlength=len(found.class_names))
    if not found.given and counts.min() < FEWEST:
        raise CourseError(
            f"The class {found.class_names[counts.argmin()]!r} has only "
            f"{count(counts.min(), 'readable picture')}, too few to split into train, "
            f"validation and test. Every class needs at least {FEWEST}."
        )


def _copies(found: Found, decoded) -> tuple[np.ndarray, np.ndarray]:
    """(groups, strata) for `assign`: a copy of a training picture in the test set would be a
    question with its answer printed beside it.
    """
    members = {}
    for row, each in enumerate(decoded):
        members.setdefault(each.content, []).append(row)
    groups, strata, twice = [""] * len(decoded), np.zeros(len(decoded), np.int64), []
    for rows in members.values():
        label, digest = min((found.labels[row], decoded[row].file) for row in rows)
        for row in rows:
            groups[row], strata[row] = f"{label}/{digest}", label
        if len({found.labels[row] for row in rows}) > 1:
            twice.append(" = ".join(found.keys[row] for row in rows))
    if twice:
        found.loud.append(
            f"{count(len(twice), 'picture')} in more than one class, where one label must be "
            f"wrong: {some(twice)}. Kept in one split, with both labels: remove the wrong one."
        )
    return np.array(groups, dtype=object), strata


def _leave_out_copies(found: Found, groups, where):
    """In what came split: "" in `where` for what is in a later part as well."""
    last = {}
    for group, part in zip(groups, where):
        last[group] = max(last.get(group, 0), PARTS.index(part))
    early = [row for row, group in enumerate(groups) if PARTS.index(where[row]) < last[group]]
    if early:
        found.loud.append(
            f"Left out: {count(len(early), 'picture')} of which validation or test has a copy "
            f"({some([found.keys[row] for row in early])})."
        )
        where[early] = ""


# --- what is said --------------------------------------------------------------------------------


def _said(found: Found, decoded, source: str, fit: str) -> list[str]:
    """What was done, and what was left out for a reason that need not alarm."""
    said = list(found.said)
    if found.given:
        missing = [part for part in PARTS if part not in found.given]
        drawn = f"; {' and '.join(missing)} drawn from train" if missing else ""
        said.append(
            f"The split is {source.replace('a ', 'the ')}'s own ({', '.join(found.given)}{drawn})."
        )
    copies = len(decoded) - len({each.content for each in decoded})
    if copies:
        said.append(f"{count(copies, 'copy', 'copies')} of other pictures, pixel by pixel.")
    if see_through := sum(each.see_through for each in decoded):
        said.append(f"{count(see_through, 'see-through picture')} laid on white.")
    if fit != "cut" and (oblong := sum(each.width != each.height for each in decoded)):
        done = "laid on white" if fit == "pad" else "stretched"
        said.append(f"{count(oblong, 'picture that is', 'pictures that are')} not square {done}.")
    if several := sum(each.several for each in decoded):
        said.append(f"{count(several, 'file')} with several pictures: the first is taken.")
    if found.others:
        what = count(len(found.others), "file that is no picture", "files that are no pictures")
        said.append(f"Left out: {what} ({some(found.others)}).")
    if found.hidden:
        what = count(found.hidden, "hidden file or folder", "hidden files or folders")
        said.append(f"Left out: {what}.")
    return said
