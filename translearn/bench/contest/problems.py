"""The problems of the contest: which pictures, how many labels, who judges."""

import functools
import warnings
from dataclasses import dataclass, replace

import numpy as np

from translearn import data
from translearn.data.splits import hashed

SIZES = (96, 160, 224)  # pixels a side at which a recipe may look at the pictures
POOL, JUDGES, CHECKS = 220, 1200, 900  # see `Problem`


@dataclass(frozen=True)
class Problem:
    """Pictures to learn from and pictures to be judged by.

    name      in tables
    source    a data set of the course, or with `own` a folder of somebody's pictures
    styles    of the emoji: (the style to learn from, those to be judged by)

    Every seed draws its labels from the first `POOL` training pictures of each class; at most
    `JUDGES` test pictures in all are the judges (of a folder of one's own both are all that there
    are); at most `CHECKS` are the validation set of the one recipe that has one.
    """

    name: str
    source: str
    styles: tuple | None = None
    own: bool = False

    @property
    def class_names(self) -> tuple:
        return self.train(SIZES[0]).class_names

    @property
    def blind(self) -> float:
        """The balanced accuracy of a blind guess."""
        return 1 / len(self.class_names)

    def train(self, size: int):
        return _part(self, "train", size)

    def test(self, size: int):
        return _part(self, "test", size)

    def validation(self, size: int):
        return _part(self, "validation", size)

    def wanted(self, labels: int) -> np.ndarray:
        """Labelled pictures of each class: `labels`, but no more than three quarters of what there
        is, since seeds that draw everything would all draw the same.
        """
        there = np.bincount(self.train(SIZES[0]).labels, minlength=len(self.class_names))
        return np.minimum(labels, np.maximum(1, 3 * there // 4))

    def few(self, labels: int, seed: int, size: int):
        """The labelled pictures of one seed, the same at every size; nested for one seed."""
        train = self.train(size)
        return at(train, first(train, self.wanted(labels), f"{seed}:take"))


def problems() -> dict:
    """The contest's problems by name."""
    judges = ("twemoji", "fluent_3d", "fluent_flat", "fxemoji")
    shift = Problem("emoji, other styles", "emoji_styles", ("noto", judges))
    found = [
        Problem("emoji", "emoji_styles"),
        Problem("solar cells", "solar_cells"),
        Problem("fashion", "fashion"),
        shift,
        Problem("digits", "digits"),
        Problem("letters", "letters"),
    ]
    return {problem.name: problem for problem in found}


def folder(path, size: int) -> Problem:
    """Somebody's own pictures as a problem, read once to say what is wrong with them."""
    splits = data.from_directory(path, size=size)
    return Problem(splits.name, str(path), own=True)


def first(part, wanted, prefix: str) -> np.ndarray:
    """Rows of the first so many pictures of each class, in an order that a hash decides."""
    order = hashed(prefix, part.info["key"])
    chosen = [order[part.labels[order] == label][:many] for label, many in enumerate(wanted)]
    return np.sort(np.concatenate(chosen))


def at(part, rows):
    """Some of a split's pictures, as a split."""
    info = part.info.iloc[rows].reset_index(drop=True)
    return replace(part, images=part.images[rows], labels=part.labels[rows], info=info)


@functools.cache
def _part(problem, part, size):
    found = getattr(_splits(problem, part, size), part)
    classes = len(found.class_names)
    most = {"train": POOL, "test": JUDGES // classes, "validation": CHECKS // classes}[part]
    if problem.own and part != "validation":
        return found
    return in_colour(at(found, first(found, [most] * classes, f"{part} of the contest")))


def in_colour(part):
    """Grey pictures as three equal channels, which is what the network takes."""
    if part.images.shape[-1] == 3:
        return part
    return replace(part, images=np.repeat(part.images, 3, axis=-1))


@functools.lru_cache(maxsize=4)
def _splits(problem, part, size):
    if problem.own:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `folder` has let them be heard
            return data.from_directory(problem.source, size=size)
    if problem.styles is None:
        return data.load(problem.source, size=size)
    home, away = problem.styles
    return data.load(problem.source, size=size, styles=away if part == "test" else home)
