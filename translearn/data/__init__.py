"""Pictures and labels, split fairly: `load` for the course's own data sets, `from_directory` for yours.

`load_sentences` gives sentences with labels, split as fairly, and `load_text` running text in three parts.

A split never depends on a random generator, whose numbers may change from one version to the next, but on
SHA-256 of the seed and a key of each picture. So a seed gives the same split on every machine.
"""

import hashlib
import io
import os
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from translearn.data import registry
from translearn.errors import CourseError
from translearn.paths import cache

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed

SHARES = {"test": 0.25, "validation": 0.15}  # the rest, 60 %, is for training
SIZES = {
    "emoji_styles": 96,
    "solar_cells": 96,
    "fashion": 28,
    "digits": 28,
}  # what size=None gives
SENTENCES = ("reviews",)  # what `load_sentences` gives
DOMAINS = ("movies", "products", "editorials", "tweets")
TEXTS = ("prose", "fortunes")  # what `load_text` gives
SMALLEST, LARGEST = 8, 512  # pixels a side
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
FEWEST = 5  # pictures per class that can be split in three


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
    info: pandas table with one row a picture; `key` names the picture, other columns depend on the data set
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
        return f"Split({self.name}: {len(self):,} pictures of {shape}, {len(self.class_names)} classes)"

    def take(self, labels_per_class: int, seed: int = 0) -> "Split":
        """The same number of pictures of every class: a study with few labels.

        For one seed the sets are nested: take(5) lies inside take(10). Raises CourseError when a class has fewer.
        """
        wanted = _integer("labels_per_class", labels_per_class, at_least=1)
        _integer("seed", seed)
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        if wanted > counts.min():
            raise CourseError(
                f"labels_per_class={wanted} is too many: the smallest class of the {self.name or 'split'} pictures, "
                f"{self.class_names[counts.argmin()]!r}, has {counts.min()}. Ask for at most {counts.min()}."
            )
        order = _hashed(f"{seed}:take", self.info["key"])
        chosen = [
            order[self.labels[order] == label][:wanted] for label in range(len(self.class_names))
        ]
        return self._at(np.sort(np.concatenate(chosen)))

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
    """Three disjoint sets of pictures with the same share of each class, and what is known about them."""

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple
    card: Card

    def counts(self):
        """A pandas table: pictures of each class (rows) in each split (columns)."""
        import pandas as pd

        table = pd.DataFrame(
            {
                part: np.bincount(getattr(self, part).labels, minlength=len(self.class_names))
                for part in ("train", "validation", "test")
            },
            index=pd.Index(self.class_names, name="class"),
        )
        table.loc["all"] = table.sum()
        return table

    def _title(self):
        shape = " x ".join(str(side) for side in self.train.images.shape[1:])
        return f"{self.name}: {len(self.class_names)} classes, pictures of {shape}"

    def __repr__(self):
        return f"{self._title()}\n{self.counts().to_string()}"

    def _repr_html_(self):
        import html

        return f"<p><strong>{html.escape(self._title())}</strong></p>{self.counts().to_html()}"


def load(
    name: str,
    size: int | None = None,
    seed: int = 0,
    labels_per_class: int | None = None,
    classes=None,
    styles=None,
) -> Splits:
    """One of the course's sets of pictures: "emoji_styles", "solar_cells", "fashion" or "digits".

    size: pixels a side, 8 to 512 (default: 96 for emoji_styles and solar_cells, 28 for fashion and digits)
    seed: decides who goes to train (60 %), validation (15 %) and test (25 %)
    labels_per_class: keep only so many training pictures of each class; nested for one seed
    classes: keep only these, and number them in this order (default: all)
    styles: emoji_styles only: keep only these drawing styles, in all three splits (default: all)

    For one seed a concept of emoji_styles stands in the same split whatever `classes` and `styles` are, so that
    a model trained on one style meets new concepts when it is tested on another.

    Raises CourseError for an unknown name, class or style, a size or number out of range, and for a file that is
    missing, truncated or changed.
    """
    registry.entry(name, kind="data")
    if name not in SIZES:
        raise CourseError(f"{name!r} holds no pictures. {registry.suggest(name, SIZES)}")
    size = SIZES[name] if size is None else _integer("size", size, SMALLEST, LARGEST)
    seed = _integer("seed", seed)
    if labels_per_class is not None:
        _integer("labels_per_class", labels_per_class, at_least=1)

    images, labels, info, class_names, groups, strata = _READERS[name](name, size)
    where = _assign(groups, strata, seed)  # before anything is left out: see the docstring

    keep = np.ones(len(labels), bool)
    if styles is not None:
        if "style" not in info:
            raise CourseError(
                f"{name!r} has no drawing styles. Leave out styles=…, or load 'emoji_styles'."
            )
        keep &= (
            info["style"]
            .isin(_known("style", styles, list(dict.fromkeys(info["style"]))))
            .to_numpy()
        )
    if classes is not None:
        chosen = _known("class", classes, class_names)
        if len(chosen) < 2:
            raise CourseError(
                f"One class ({chosen[0]!r}) leaves nothing to tell apart. Name at least two classes."
            )
        number = np.full(len(class_names), -1)
        number[[class_names.index(each) for each in chosen]] = np.arange(len(chosen))
        labels, class_names = number[labels], chosen
        keep &= labels >= 0
    return _splits(
        name,
        images,
        labels,
        info,
        class_names,
        where,
        keep,
        seed,
        labels_per_class,
        Card(registry.card(name)),
    )


def from_directory(path, size: int = 96, seed: int = 0, unreadable: str = "stop") -> Splits:
    """Your own pictures: a folder with one folder per class, as in `pets/cat/01.jpg`, `pets/dog/7.png`.

    Pictures become RGB, cut to their middle square and resized to `size` pixels a side (8 to 512); files that are
    not pictures by their ending are left alone. Copies of one picture are kept in one split.

    unreadable: "stop" raises CourseError naming the pictures that cannot be read, "skip" leaves them out with a
    warning that names them.

    Raises CourseError for a folder that is missing or has no class folders, for a single class, for a class that
    is empty, and for one with fewer than five pictures.
    """
    folder = Path(path).expanduser()
    size, seed = _integer("size", size, SMALLEST, LARGEST), _integer("seed", seed)
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
    layout = "Put the pictures of each class into a folder of its own, as in pets/cat/01.jpg and pets/dog/7.png."
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
            if file.is_file() and file.suffix.lower() in PICTURES and not file.name.startswith(".")
        )
        if not found:
            raise CourseError(
                f"The class {each.name!r} is empty: {each} holds no pictures "
                f"({', '.join(sorted(PICTURES))}). Add some, or remove the folder."
            )
        files += found
        labels += [label] * len(found)

    # Pillow's remarks on odd files name no file. They are silenced here, not in the threads: warning filters belong to
    # the whole process, and threads that restore them in turn would leave them switched off.
    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.simplefilter("ignore")
        read = list(pool.map(lambda file: _own_picture(file, size), files))
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
            f"The class {class_names[counts.argmin()]!r} has only {counts.min()} readable {pictures}, "
            "too few to split into train, validation and test. "
            f"Every class needs at least {FEWEST}."
        )
    import pandas as pd

    images = np.stack([read[index][0] for index in good])
    # A copy of a training picture in the test set would be a question with its answer printed beside it.
    groups = np.array([f"{label}/{read[index][1]}" for label, index in zip(labels, good)])
    info = pd.DataFrame({"key": [files[index].relative_to(folder).as_posix() for index in good]})
    where = _assign(groups, labels, seed)
    for part in ("train", "validation", "test"):
        empty = np.bincount(labels[where == part], minlength=len(class_names)).argmin()
        if not ((where == part) & (labels == empty)).any():
            raise CourseError(
                f"The class {class_names[empty]!r} has too few different pictures to split into train, "
                "validation and test: copies of one picture count once. Add more pictures."
            )
    card = Card(
        f"# {folder.name}\n\n{len(labels)} pictures of {len(class_names)} classes from a folder of your own.\n"
    )
    return _splits(
        folder.name,
        images,
        labels,
        info,
        class_names,
        where,
        np.ones(len(labels), bool),
        seed,
        None,
        card,
    )


def _splits(
    name, images, labels, info, class_names, where, keep, seed, labels_per_class, card
) -> Splits:
    """Cut the pictures to be kept into three, each in an order that mixes the classes."""
    order = _hashed(f"{seed}:order", info["key"])
    parts = {}
    for part in ("train", "validation", "test"):
        rows = order[(keep & (where == part))[order]]
        kept = np.asarray(images[rows])
        if kept.ndim == 3:
            # Stored grey. A photograph goes to backbones that expect colour, so its grey is repeated.
            kept = np.repeat(kept[..., None], 3 if name == "solar_cells" else 1, axis=-1)
        parts[part] = Split(
            kept,
            labels[rows].astype(np.int64),
            info.iloc[rows].reset_index(drop=True),
            tuple(class_names),
            part,
        )
    if labels_per_class is not None:
        parts["train"] = parts["train"].take(labels_per_class, seed)
    return Splits(name, class_names=tuple(class_names), card=card, **parts)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hashed(prefix: str, keys) -> np.ndarray:
    """The positions of `keys`, in the order of the SHA-256 of "prefix:key"."""
    digests = [_hash(f"{prefix}:{key}") for key in keys]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), np.int64)


def _assign(groups, strata, seed: int) -> np.ndarray:
    """ "train", "validation" or "test" for each picture.

    groups: (n,) pictures with the same group stay together
    strata: (n,) every stratum is split in the same shares
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
            part = (
                "test"
                if middle < SHARES["test"]
                else "validation"
                if middle < SHARES["test"] + SHARES["validation"]
                else "train"
            )
            where[members[group]] = part
    return where


def _integer(what: str, value, at_least=None, at_most=None) -> int:
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


def _known(what: str, asked, known) -> list[str]:
    """`asked` (one name or several) as a list, each of them known and none twice."""
    asked = [asked] if isinstance(asked, str) else list(asked)
    if not asked:
        raise CourseError(f"The list of {what} names is empty. {registry.suggest('', known)}")
    for each in asked:
        if each not in known:
            raise CourseError(
                f"There is no {what} called {each!r}. {registry.suggest(each, known)}"
            )
    if len(set(asked)) < len(asked):
        twice = next(each for each in asked if asked.count(each) > 1)
        raise CourseError(f"The {what} {twice!r} is named twice. Name each {what} once.")
    return asked


# --- reading -----------------------------------------------------------------------------------------------------


def _arrays(name: str) -> dict:
    with np.load(registry.path(name), allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _remembered(name: str, size: int, make) -> np.ndarray:
    """`make()`, kept in the cache folder under the SHA-256 of its source and its size.

    A file that is damaged or half written is made again.
    """
    source = registry.entry(name)["sha256"]
    folder = cache() / "pictures"
    file = folder / f"{name}-{size}-{source[:16]}.npz"
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


def _resized(picture, size: int) -> np.ndarray:
    from PIL import Image

    # Pillow resizes in fixed-point arithmetic and averages when it shrinks, so every machine gets the same pixels.
    return np.asarray(
        picture if picture.size == (size, size) else picture.resize((size, size), Image.BILINEAR)
    )


def _decoded(blobs, size: int) -> np.ndarray:
    from PIL import Image

    with ThreadPoolExecutor() as pool:
        return np.stack(
            list(pool.map(lambda blob: _resized(Image.open(io.BytesIO(blob)), size), blobs))
        )


def _read_emoji(name, size):
    import pandas as pd

    stored = _arrays(name)
    packed, ends = stored["pictures"], stored["ends"]
    images = _remembered(
        name,
        size,
        lambda: _decoded(
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
    return (
        images,
        stored["labels"],
        info,
        stored["class_names"].tolist(),
        stored["concepts"],
        stored["labels"],
    )


def _read_solar(name, size):
    import pandas as pd

    folder = registry.path(name)
    rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
    files = [row[0] for row in rows]
    probability, kind = (
        np.array([float(row[1]) for row in rows]),
        np.array([row[2] for row in rows]),
    )
    images = _remembered(
        name, size, lambda: _decoded([(folder / file).read_bytes() for file in files], size)
    )
    labels = (probability >= 0.5).astype(np.int64)
    info = pd.DataFrame(
        {"key": [Path(file).stem for file in files], "type": kind, "probability": probability}
    )
    strata = np.array([f"{label}/{each}" for label, each in zip(labels, kind)])
    return images, labels, info, ["functional", "defective"], info["key"].to_numpy(), strata


def _read_grey(name, size):
    import pandas as pd
    from PIL import Image

    stored = _arrays(name)
    images = stored["images"]
    if size != images.shape[1]:
        images = _remembered(
            name,
            size,
            lambda: np.stack([_resized(Image.fromarray(each), size) for each in stored["images"]]),
        )
    return (
        images,
        stored["labels"],
        pd.DataFrame({"key": stored["keys"]}),
        stored["class_names"].tolist(),
        stored["keys"],
        stored["labels"],
    )


_READERS = {
    "emoji_styles": _read_emoji,
    "solar_cells": _read_solar,
    "fashion": _read_grey,
    "digits": _read_grey,
}


def _own_picture(file: Path, size: int):
    """(the picture, SHA-256 of the file), or (None, "") when it cannot be read."""
    from PIL import Image, ImageOps

    try:
        content = file.read_bytes()
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        if picture.mode in ("RGBA", "LA", "PA", "P"):
            # What is see-through becomes white, as in emoji_styles, rather than whatever colour lies beneath.
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        picture = picture.convert("RGB")
    except Exception:  # Pillow's decoders raise nearly anything on a damaged file
        return None, ""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return _resized(picture.crop((left, top, left + side, top + side)), size), hashlib.sha256(
        content
    ).hexdigest()


# --- sentences ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Sentences:
    """Sentences with their labels.

    texts: array of str (dtype object), (n,)
    labels: int64, (n,), positions in `class_names`
    info: pandas table with one row a sentence; `key` names it, `domain` says what kind of text it comes from, `rating`
        is the mean of some twenty people's ratings, from -4 to 4, `group` names the review or article it belongs to
    """

    texts: np.ndarray
    labels: np.ndarray
    info: "pandas.DataFrame"  # noqa: F821 (pandas is imported late)
    class_names: tuple
    name: str = ""

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return f"Sentences({self.name}: {len(self):,} sentences, {len(self.class_names)} classes)"

    def take(self, labels_per_class: int, seed: int = 0) -> "Sentences":
        """The same number of sentences of every class: a study with few labels.

        For one seed the sets are nested: take(5) lies inside take(10). Raises CourseError when a class has fewer.
        """
        wanted = _integer("labels_per_class", labels_per_class, at_least=1)
        _integer("seed", seed)
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        if wanted > counts.min():
            raise CourseError(
                f"labels_per_class={wanted} is too many: the smallest class of the {self.name or 'split'} sentences, "
                f"{self.class_names[counts.argmin()]!r}, has {counts.min()}. Ask for at most {counts.min()}."
            )
        order = _hashed(f"{seed}:take", self.info["key"])
        chosen = [
            order[self.labels[order] == label][:wanted] for label in range(len(self.class_names))
        ]
        rows = np.sort(np.concatenate(chosen))
        return Sentences(
            self.texts[rows],
            self.labels[rows],
            self.info.iloc[rows].reset_index(drop=True),
            self.class_names,
            self.name,
        )


class SentenceSplits(Splits):
    """Three disjoint sets of sentences, and what is known about them: `Splits` whose parts are `Sentences`."""

    def _title(self):
        return f"{self.name}: {len(self.class_names)} classes of sentences from {', '.join(self.domains)}"

    @property
    def domains(self) -> tuple:
        """The kinds of text the sentences come from."""
        return tuple(each for each in DOMAINS if (self.train.info["domain"] == each).any())


def load_sentences(
    name: str = "reviews",
    domains=None,
    seed: int = 0,
    labels_per_class: int | None = None,
    margin: float = 0.5,
) -> SentenceSplits:
    """Sentences rated by people: "reviews". Label 1 is "positive", a mean rating above `margin`; 0 is "negative", below -`margin`.

    domains: keep only these, one or several of "movies", "products", "editorials" and "tweets" (default: all)
    seed: decides who goes to train (60 %), validation (15 %) and test (25 %)
    labels_per_class: keep only so many training sentences of each class; nested for one seed
    margin: sentences whose mean rating is this close to 0 are left out, 0 to 3. At 0.5 the sign is beyond doubt: the
        mean of twenty ratings has a standard error of about a quarter

    Sentences of one review or article, and versions of one sentence, stand in one split; for movies and tweets it was
    not recorded which film or author they are about. For one seed a sentence stands in the same split whatever `domains`
    and `margin` are, so that a model trained on one domain meets new sentences in another.

    Raises CourseError for an unknown name or domain, a number out of range, and for a file that is missing, truncated
    or changed.
    """
    import pandas as pd

    registry.entry(name, kind="data")
    if name not in SENTENCES:
        raise CourseError(
            f"{name!r} holds no sentences with labels. {registry.suggest(name, SENTENCES)}"
        )
    seed = _integer("seed", seed)
    if labels_per_class is not None:
        _integer("labels_per_class", labels_per_class, at_least=1)
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0 <= margin <= 3:
        raise CourseError(f"margin={margin!r} is out of range. Give a number from 0 to 3.")
    chosen = list(DOMAINS) if domains is None else _known("domain", domains, DOMAINS)

    stored = _arrays(name)
    content, ends, ratings = stored["text"].tobytes(), stored["ends"].tolist(), stored["ratings"]
    texts = np.array(
        [content[start:end].decode() for start, end in zip([0, *ends[:-1]], ends)], dtype=object
    )
    info = pd.DataFrame(
        {
            "key": stored["keys"],
            "domain": stored["domains"],
            "rating": ratings.astype(float).round(4),
            "group": stored["groups"],
        }
    )
    # A whole review counts as positive or negative by its mean, so that it can be stratified and stay in one piece.
    grouped = info.groupby("group")
    strata = grouped["domain"].transform("first") + np.where(
        grouped["rating"].transform("mean") > 0, "+", "-"
    )
    where = _assign(
        info["group"].to_numpy(), strata.to_numpy(str), seed
    )  # before anything is left out
    keep = info["domain"].isin(chosen).to_numpy() & (np.abs(ratings) > margin)
    labels = (ratings > 0).astype(np.int64)

    order, parts, class_names = _hashed(f"{seed}:order", info["key"]), {}, ("negative", "positive")
    for part in ("train", "validation", "test"):
        rows = order[(keep & (where == part))[order]]
        parts[part] = Sentences(
            texts[rows], labels[rows], info.iloc[rows].reset_index(drop=True), class_names, part
        )
    if labels_per_class is not None:
        parts["train"] = parts["train"].take(labels_per_class, seed)
    return SentenceSplits(name, class_names=class_names, card=Card(registry.card(name)), **parts)


# --- running text ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Prose:
    """Running text in documents (chapters of a novel, fortunes).

    documents: tuple of str, each ending with a line end
    info: pandas table with one row a document; `key` names it, `source` says which novel or file it comes from
    """

    documents: tuple
    info: "pandas.DataFrame"  # noqa: F821 (pandas is imported late)
    name: str = ""

    @property
    def text(self) -> str:
        """All documents as one string, one after the other with an empty line between them."""
        return "\n".join(self.documents)

    def __len__(self):
        return sum(map(len, self.documents))

    def __repr__(self):
        return f"Prose({self.name}: {len(self):,} characters in {len(self.documents):,} documents)"

    def take(self, characters: int, seed: int = 0) -> str:
        """So many characters of text: a study with little text. The last document is cut off where it must be.

        For one seed the texts are nested: take(5_000) is the beginning of take(10_000). Raises CourseError when there
        are fewer characters.
        """
        _integer("characters", characters, at_least=1)
        _integer("seed", seed)
        order = _hashed(f"{seed}:take", self.info["key"])
        whole = "\n".join(self.documents[row] for row in order)
        if characters > len(whole):
            raise CourseError(
                f"characters={characters} is too many: the {self.name or 'whole'} text has {len(whole)}. "
                f"Ask for at most {len(whole)}."
            )
        return whole[:characters]


@dataclass(frozen=True, repr=False)
class Proses:
    """Three parts of running text that share no passage, and what is known about them."""

    name: str
    train: Prose
    validation: Prose
    test: Prose
    card: Card

    def counts(self):
        """A pandas table: characters from each novel or file (rows) in each part (columns)."""
        import pandas as pd

        table = pd.concat(
            {
                part: getattr(self, part)
                .info.assign(characters=list(map(len, getattr(self, part).documents)))
                .groupby("source")["characters"]
                .sum()
                for part in ("train", "validation", "test")
            },
            axis=1,
        )
        table = table.fillna(0).astype(int)
        table.loc["all"] = table.sum()
        return table

    def __repr__(self):
        return f"{self.name}: characters\n{self.counts().to_string()}"

    def _repr_html_(self):
        import html

        return f"<p><strong>{html.escape(self.name)}</strong>: characters</p>{self.counts().to_html()}"


def load_text(name: str) -> Proses:
    """Running text to train a language model on: "prose" (six novels by Jane Austen) or "fortunes" (short sayings).

    The parts are fixed, without a seed: of "prose", the test text is one whole novel and the validation text the last
    chapters of each of the others; of "fortunes", every saying stands in one part, and so do its copies. All of it is
    ASCII, so a character is a byte.

    Raises CourseError for an unknown name and for a file that is missing, truncated or changed.
    """
    import pandas as pd

    registry.entry(name, kind="data")
    if name not in TEXTS:
        raise CourseError(f"{name!r} is no running text. {registry.suggest(name, TEXTS)}")
    stored = _arrays(name)
    content, ends = stored["text"].tobytes(), stored["ends"].tolist()
    documents = [content[start:end].decode() for start, end in zip([0, *ends[:-1]], ends)]
    found = {}
    for part in ("train", "validation", "test"):
        rows = np.flatnonzero(stored["parts"] == part)
        info = pd.DataFrame({"key": stored["keys"][rows], "source": stored["sources"][rows]})
        found[part] = Prose(tuple(documents[row] for row in rows), info, part)
    return Proses(name, card=Card(registry.card(name)), **found)
