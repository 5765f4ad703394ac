"""What is found in a look at the data: `find` goes through the pictures of three splits."""

from typing import NamedTuple

import numpy as np

from translearn.data import copies, faults
from translearn.data.splits import PARTS, Splits
from translearn.errors import CourseError

RARE = 3  # a class with so many times fewer training pictures than the largest is named
NEARLY = 0.999  # the score of a near copy is at most this; 1 says that all pixels are the same


class Finding(NamedTuple):
    """One row of `Look.findings`, which says what each column is."""

    kind: str
    split: str
    key: str
    other: str
    score: float


class Rows:
    """The pictures of all three splits, counted through: train, then validation, then test."""

    def __init__(self, splits):
        if not isinstance(splits, Splits):
            raise CourseError(
                f"data.look wants splits of pictures, and got {type(splits).__name__}. Give what "
                "data.load or data.from_directory returns."
            )
        self.splits = splits
        self.parts = [getattr(splits, part) for part in PARTS]
        self.starts = np.cumsum([0] + [len(part) for part in self.parts])
        if any("key" not in part.info for part in self.parts):
            raise CourseError(
                "The pictures have no keys, so a finding could not name one. Give each a name of "
                "its own in info['key']."
            )
        self.keys = [str(key) for part in self.parts for key in part.info["key"]]
        self.labels = np.concatenate([part.labels for part in self.parts])
        self.at = {key: row for row, key in enumerate(self.keys)}
        if len(self.at) < len(self.keys):
            twice = next(key for row, key in enumerate(self.keys) if self.at[key] != row)
            raise CourseError(
                f"The key {twice!r} is there twice, so a finding could not be told from another. "
                "Give each picture of the three splits a name of its own in info['key']."
            )

    def __len__(self):
        return len(self.keys)

    def place(self, row) -> int:
        """0 for train, 1 for validation, 2 for test."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def part(self, row) -> str:
        return PARTS[self.place(row)]

    def image(self, row):
        place = self.place(row)
        return self.parts[place].images[row - self.starts[place]]

    def sizes(self):
        """(width, height) of each file in pixels, (n, 2), or None where it is not known."""
        columns = ["width", "height"]
        if not all(set(columns) <= set(part.info.columns) for part in self.parts):
            return None
        return np.concatenate([part.info[columns].to_numpy(float) for part in self.parts])

    def without_padding(self) -> list:
        """All pictures, without the white that fit="pad" laid around them."""
        images, sizes = [image for part in self.parts for image in part.images], self.sizes()
        if self.splits.fit != "pad" or sizes is None:
            return images
        return [_inside(image, *size) for image, size in zip(images, sizes)]

    def class_of(self, row) -> str:
        return str(self.splits.class_names[self.labels[row]])

    def finding(self, kind, row, other, score) -> Finding:
        return Finding(kind, self.part(row), self.keys[row], other, float(score))


def _inside(image, width, height):
    """What of a padded square is the picture; one pixel less at each edge, where it is rounded."""
    size, longer = len(image), max(width, height)
    left, top = (int(np.ceil((size - size * each / longer) / 2)) for each in (width, height))
    inside = image[
        top + (top > 0) : size - top - (top > 0), left + (left > 0) : size - left - (left > 0)
    ]
    return inside if inside.size else image


def find(rows: Rows, out_of_fold=None) -> list:
    """All findings, in no order. Raises CourseError for an `out_of_fold` that is not right."""
    found = [] if out_of_fold is None else _doubted(rows, out_of_fold)
    return [*found, *_twice(rows), *_single(rows), *_rare(rows)]


def _doubted(rows: Rows, out_of_fold) -> list:
    names, given = rows.splits.class_names, rows.parts[0].labels
    return [
        rows.finding("wrong label", row, str(names[likely]), score)
        for row, (score, likely) in faults.labels(given, out_of_fold, len(names)).items()
    ]


def _twice(rows: Rows) -> list:
    """Leaks, copies, near copies and labels that contradict each other."""
    digests = [digest for part in rows.parts for digest in copies.digests(part.images)]
    first = copies.exact(digests)
    same = {}  # the rows with the pixels of each first row
    for row in range(len(rows)):
        same.setdefault(first.get(row, row), []).append(row)
    alone = list(same)
    images = rows.without_padding()
    small = copies.thumbnails([images[row] for row in alone])
    leading = {first: _leading(rows, members) for first, members in same.items()}

    def between(one, two):
        """Pairs that say something: of a thousand copies, not each with each."""
        for row in same[one]:
            for other in same[two] if row in leading[one] else leading[two]:
                yield row, other

    pairs = [
        (row, other, 1.0) for each in same for row, other in between(each, each) if row < other
    ]
    pairs += [
        (row, other, min(score, NEARLY))
        for one, two, score in copies.near(small)
        for row, other in between(alone[one], alone[two])
    ]
    found = {}
    for row, other, score in pairs:  # the clearest first, and of each kind one for a picture
        row, other = sorted((row, other))
        if rows.part(row) != rows.part(other):
            found.setdefault(("leak", row), (other, score))
        else:
            found.setdefault(("copy" if score == 1 else "near copy", other), (row, score))
        if rows.labels[row] != rows.labels[other]:
            found.setdefault(("two labels", row), (other, score))
            found.setdefault(("two labels", other), (row, score))
    return [
        rows.finding(kind, row, rows.keys[other], score)
        for (kind, row), (other, score) in found.items()
    ]


def _leading(rows: Rows, members) -> list:
    """Of rows with the same pixels the first of each split and of each label, in order: every
    other has its finding with one of them.
    """
    first = {}
    for row in members:
        first.setdefault(rows.place(row), row)
        first.setdefault(("label", rows.labels[row]), row)
    return sorted(set(first.values()))


def _single(rows: Rows) -> list:
    """What is wrong with pictures by themselves."""
    images = rows.without_padding()
    each = faults.light(images)
    each["blurred"] = faults.blurred(images, each["empty"])
    each |= faults.shape(rows.sizes(), rows.parts[0].images.shape[1])
    return [
        rows.finding(kind, row, "", score)
        for kind, scores in each.items()
        for row, score in scores.items()
    ]


def _rare(rows: Rows) -> list:
    counts = np.bincount(rows.parts[0].labels, minlength=len(rows.splits.class_names))
    return [
        Finding("rare class", "train", "", str(rows.splits.class_names[label]), 1 - share)
        for label, share in enumerate((counts / max(counts.max(), 1)).tolist())
        if share * RARE < 1
    ]


def cut_away(rows: Rows) -> float:
    """The share that the middle picture loses when it is cut to its middle square; 0 where the
    files' sizes are not known.
    """
    sizes = rows.sizes()
    return 0.0 if sizes is None else float(np.median(1 - sizes.min(axis=1) / sizes.max(axis=1)))
