"""What a data set is once it is split, and how it is split fairly.

A split never depends on a random generator, whose numbers may change from one version to the next,
but on SHA-256 of the seed and a key of each picture. So a seed gives the same split on every
machine.
"""

import hashlib
import itertools
from dataclasses import dataclass

import numpy as np

from translearn import page
from translearn.data import registry
from translearn.errors import CourseError
from translearn.words import _

PARTS = ("train", "validation", "test")
SHARES = {"test": 0.25, "validation": 0.15}  # the rest, 60 %, is for training


class Card(str):
    """A card in Markdown: rendered in a notebook, printed as text elsewhere."""

    def _repr_markdown_(self):
        return str(self)

    def __repr__(self):
        return str(self)


@dataclass(frozen=True, repr=False)
class Split:
    """Pictures with their labels.

    images: uint8, (n, height, width, channels), raw pixels from 0 to 255
    labels: int64, (n,), positions in `class_names`
    info: pandas table with one row a picture; `key` names the picture, other columns depend on the
        data set
    """

    images: np.ndarray
    labels: np.ndarray
    info: "pandas.DataFrame"  # noqa: F821 (pandas is imported late)
    class_names: tuple
    name: str = ""

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        shape = "x".join(str(side) for side in self.images.shape[1:])
        classes = f"{len(self.class_names)} classes"
        return f"Split({self.name}: {len(self):,} pictures of {shape}, {classes})"

    def take(self, labels_per_class: int, seed: int = 0) -> "Split":
        """The same number of pictures of every class: a study with few labels.

        For one seed the sets are nested: take(5) lies inside take(10). Raises CourseError when a
        class has fewer.
        """
        return self._at(few(self, labels_per_class, seed, "pictures"))

    def _at(self, rows) -> "Split":
        return Split(
            self.images[rows],
            self.labels[rows],
            self.info.iloc[rows].reset_index(drop=True),
            self.class_names,
            self.name,
        )


@dataclass(frozen=True, repr=False)
class Splits:
    """Three disjoint sets of pictures with the same share of each class, and what is known about
    them.

    said: sentences on how it was made that whoever looks at it should read
    fit: how a picture that is not square became so, "cut", "pad" or "stretch": see
        `from_directory`
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple
    card: Card
    said: tuple = ()
    fit: str = "cut"

    def counts(self):
        """A pandas table: pictures of each class (rows) in each split (columns)."""
        import pandas as pd

        table = pd.DataFrame(
            {
                part: np.bincount(getattr(self, part).labels, minlength=len(self.class_names))
                for part in PARTS
            },
            index=pd.Index(self.class_names, name="class"),
        )
        # Not table.loc["all"] = …, which a class of that name would be lost in.
        total = pd.DataFrame(table.sum()).T.set_axis(["all"]).rename_axis("class")
        return pd.concat([table, total])

    def _title(self):
        shape = " x ".join(str(side) for side in self.train.images.shape[1:])
        return _(
            "{name}: {count} classes, pictures of {shape}",
            name=self.name,
            count=len(self.class_names),
            shape=shape,
        )

    def __repr__(self):
        return "\n".join([self._title(), self.counts().to_string(), *self.said])

    def _repr_html_(self):
        import html

        title = f"<p><strong>{html.escape(self._title())}</strong></p>"
        said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.said)
        counts = self.counts().rename(index=_, columns=_).rename_axis(_("class"))
        return title + page.table(counts.to_html()) + said


@dataclass(frozen=True, repr=False)
class Pictures:
    """A whole set of pictures, before it is split: what a reader gives.

    images: uint8, (n, height, width) grey or (n, height, width, channels), pixels from 0 to 255
    labels: integers, (n,), positions in `class_names`
    info: pandas table with one row a picture; its column `key` names each picture and must not
        change over time
    groups: (n,) pictures with the same group stay in one split (default: each picture for itself)
    strata: (n,) every stratum is split in the same shares (default: the classes)
    """

    images: np.ndarray
    labels: np.ndarray
    info: "pandas.DataFrame"  # noqa: F821 (pandas is imported late)
    class_names: tuple
    groups: np.ndarray | None = None
    strata: np.ndarray | None = None

    def where(self, seed: int) -> np.ndarray:
        """ "train", "validation" or "test" for each picture, (n,)."""
        groups = self.info["key"].to_numpy() if self.groups is None else self.groups
        return assign(groups, self.labels if self.strata is None else self.strata, seed)

    def cut(self, where, seed: int, name: str, card: Card, channels: int = 1) -> Splits:
        """Three splits, each in an order that mixes the classes; where `where` is "" the picture
        is left out.

        channels: how often the grey of pictures that are stored grey is repeated.
        """
        order, names, found = (
            hashed(f"{seed}:order", self.info["key"]),
            tuple(map(_, self.class_names)),
            {},
        )
        for part in PARTS:
            rows = order[(where == part)[order]]
            images = np.asarray(self.images[rows])
            if images.ndim == 3:
                images = np.repeat(images[..., None], channels, axis=-1)
            labels = self.labels[rows].astype(np.int64)
            found[part] = Split(
                images, labels, self.info.iloc[rows].reset_index(drop=True), names, part
            )
        return Splits(name, class_names=names, card=card, **found)


def few(part, labels_per_class: int, seed: int, what: str) -> np.ndarray:
    """The rows of as many examples of every class, in order; nested for one seed. `what` says what
    they are.
    """
    wanted = integer("labels_per_class", labels_per_class, at_least=1)
    integer("seed", seed)
    counts = np.bincount(part.labels, minlength=len(part.class_names))
    if wanted > counts.min():
        raise CourseError(
            f"labels_per_class={wanted} is too many: the smallest class of the "
            f"{part.name or 'split'} {what}, "
            f"{part.class_names[counts.argmin()]!r}, has {counts.min()}. Ask for at most "
            f"{counts.min()}."
        )
    order = hashed(f"{seed}:take", part.info["key"])
    chosen = [
        order[part.labels[order] == label][:wanted] for label in range(len(part.class_names))
    ]
    return np.sort(np.concatenate(chosen))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hashed(prefix: str, keys) -> np.ndarray:
    """The positions of `keys`, in the order of the SHA-256 of "prefix:key"."""
    digests = [_hash(f"{prefix}:{key}") for key in keys]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), np.int64)


def assign(groups, strata, seed: int, shares=SHARES) -> np.ndarray:
    """ "train", "validation" or "test" for each picture.

    groups: (n,) pictures with the same group stay together
    strata: (n,) every stratum is split in the same shares
    shares: what to draw, {part: share}; the rest is for training
    """
    where = np.empty(len(groups), dtype="U10")
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        members = {}
        for row in rows:
            members.setdefault(groups[row], []).append(row)
        done = 0
        for group in sorted(members, key=lambda group: _hash(f"{seed}:{group}")):
            # A group goes where its middle lies, so a share is missed by half a group at most.
            middle = (done + len(members[group]) / 2) / len(rows)
            done += len(members[group])
            ends = zip(shares, itertools.accumulate(shares.values()))
            where[members[group]] = next((part for part, end in ends if middle < end), "train")
    return where


def integer(what: str, value, at_least=None, at_most=None) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise CourseError(
            f"{what}={value!r} is not a whole number. Give one, such as {what}={at_least or 0}."
        )
    if at_least is not None and value < at_least or at_most is not None and value > at_most:
        limits = (
            f"from {at_least} to {at_most}" if at_most is not None else f"of at least {at_least}"
        )
        raise CourseError(f"{what}={value} is out of range. Give a whole number {limits}.")
    return int(value)


def known(what: str, asked, among) -> list[str]:
    """`asked` (one name or several) as a list, each of them among those that there are, none
    twice.
    """
    asked = [asked] if isinstance(asked, str) else list(asked)
    if not asked:
        raise CourseError(f"The list of {what} names is empty. {registry.suggest('', among)}")
    for each in asked:
        if each not in among:
            raise CourseError(
                f"There is no {what} called {each!r}. {registry.suggest(each, among)}"
            )
    if len(set(asked)) < len(asked):
        twice = next(each for each in asked if asked.count(each) > 1)
        raise CourseError(f"The {what} {twice!r} is named twice. Name each {what} once.")
    return asked
