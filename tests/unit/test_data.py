"""Splits are disjoint, stratified and the same everywhere; every kind of bad input has its one
sentence.
"""

import hashlib
import os
import struct
import subprocess
import sys
import time
import types
import warnings

import numpy as np
import pytest
from PIL import Image

from translearn import data
from translearn.data import decoding, registry
from translearn.errors import CourseError
from translearn.paths import ROOT

NAMES = data.names("pictures")
PARTS = ("train", "validation", "test")

# What every machine must get: first 16 digits of SHA-256 over the keys, in order, of train,
# validation and test.
KEYS = {
    ("emoji_styles", 0): "7d3565ab96d90a90",
    ("emoji_styles", 1): "e3ca3f3a760425c7",
    ("solar_cells", 0): "72b7c5b677415f1c",
    ("solar_cells", 1): "64ec286bf86df101",
    ("fashion", 0): "d202d21e41a83100",
    ("fashion", 1): "05f9c5e2f14c6257",
    ("digits", 0): "f77b91a332be4bfc",
    ("digits", 1): "d2ad57f3e67d5f6c",
    ("letters", 0): "81d6fb8afd9e8b8b",
    ("letters", 1): "b0722dadff684cd7",
}
PIXELS = {
    ("emoji_styles", 96): "0677dd97b54038a8",
    ("emoji_styles", 64): "004f4581bb2bce29",
    ("solar_cells", 96): "8e50720296944eb7",
    ("fashion", 28): "1b1b71f43d4bc407",
    ("digits", 28): "429888242ee257b2",
    ("digits", 64): "15442a257d704da2",
    ("letters", 48): "5b434e01afdf1542",
    ("letters", 96): "b55c3e2b852338ac",
}


def keys_digest(splits) -> str:
    text = "|".join(
        ",".join(f"{key}={label}" for key, label in zip(part.info["key"], part.labels))
        for part in parts(splits)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def pixels_digest(splits) -> str:
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(part.images).tobytes() for part in parts(splits))
    ).hexdigest()[:16]


def parts(splits):
    return [getattr(splits, part) for part in PARTS]


def sentence(call, *arguments, **options) -> str:
    with pytest.raises(CourseError) as caught:
        call(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".")
    return text


@pytest.fixture(scope="module")
def loaded():
    return {name: data.load(name) for name in NAMES}


# --- what a split is -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_form(loaded, name):
    splits = loaded[name]
    channels = 3 if name in ("emoji_styles", "solar_cells") else 1
    side = registry.entry(name)["size"]
    for part in parts(splits):
        assert part.images.dtype == np.uint8 and part.images.shape == (
            len(part),
            side,
            side,
            channels,
        )
        assert (
            part.labels.dtype == np.int64
            and len(part.info) == len(part)
            and list(part.info.index) == list(range(len(part)))
        )
        assert part.class_names == splits.class_names and isinstance(splits.class_names, tuple)
        assert part.images.max() > 200 and part.images.min() < 50
    if name == "solar_cells":
        assert (splits.train.images == splits.train.images[..., :1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_disjoint_and_complete(loaded, name):
    keys = [set(part.info["key"]) for part in parts(loaded[name])]
    assert [len(each) for each in keys] == [len(part) for part in parts(loaded[name])]
    whole = {
        "emoji_styles": 2882,
        "solar_cells": 2624,
        "fashion": 12000,
        "digits": 5000,
        "letters": 3350,
    }
    assert len(set.union(*keys)) == sum(map(len, keys)) == whole[name]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_stratified(name, seed):
    splits = data.load(name, seed=seed)
    counts = np.array(
        [np.bincount(part.labels, minlength=len(splits.class_names)) for part in parts(splits)]
    )
    ideal = np.array([[0.60], [0.15], [0.25]]) * counts.sum(axis=0)
    if name == "emoji_styles":
        # Concepts stay whole: a boundary may miss its place by half of the largest concept, at
        # either end.
        every = [
            np.concatenate([part.labels for part in parts(splits)]),
            np.concatenate([part.info["concept"] for part in parts(splits)]),
        ]
        largest = [
            np.unique(every[1][every[0] == label], return_counts=True)[1].max()
            for label in range(12)
        ]
        assert (np.abs(counts - ideal) <= np.array(largest)).all()
        assert np.abs(counts.sum(axis=1) / counts.sum() - [0.60, 0.15, 0.25]).max() < 0.02
    elif name == "letters":  # the largest group has 10 of the 335 faces
        assert (counts == counts[:, :1]).all() and np.abs(counts - ideal).max() <= 5
    else:
        assert np.abs(counts - ideal).max() <= 2


def test_solar_cells_is_stratified_by_type_too(loaded):
    share = [(part.info["type"] == "mono").mean() for part in parts(loaded["solar_cells"])]
    assert max(share) - min(share) < 0.005


def test_solar_cells_labels(loaded):
    splits = loaded["solar_cells"]
    assert len(splits.train) == 1574
    for part in parts(splits):
        assert ((part.info["probability"] >= 0.5) == (part.labels == 1)).all()
    assert round(np.mean(np.concatenate([part.labels for part in parts(splits)]) == 0), 3) == 0.687


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_concept_in_two_splits(seed):
    splits = data.load("emoji_styles", seed=seed)
    concepts = [set(part.info["concept"]) for part in parts(splits)]
    assert (
        not concepts[0] & concepts[1]
        and not concepts[0] & concepts[2]
        and not concepts[1] & concepts[2]
    )
    things = [set(part.info["thing"]) for part in parts(splits)]
    assert not things[0] & things[1] and not things[0] & things[2] and not things[1] & things[2]


def test_no_concept_in_two_splits_across_styles_and_classes():
    everything = data.load("emoji_styles")
    one = data.load("emoji_styles", styles="noto", classes=["vehicle", "mammal"])
    other = data.load("emoji_styles", styles=["fluent_3d"])
    assert not set(one.train.info["concept"]) & set(other.test.info["concept"])
    for part, narrow in zip(parts(everything), parts(one)):
        assert set(narrow.info["key"]) <= set(part.info["key"])


@pytest.mark.parametrize("seed", [0, 1])
def test_no_typeface_in_two_splits_and_no_letter_drawn_twice(seed):
    splits = data.load("letters", seed=seed)
    faces = [{key.rsplit("/", 1)[0] for key in part.info["key"]} for part in parts(splits)]
    assert sum(map(len, faces)) == len(set.union(*faces)) == 335
    packed = registry.arrays("letters")
    group = dict(zip(packed["keys"], packed["groups"]))
    groups = [{group[key] for key in part.info["key"]} for part in parts(splits)]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 299
    # As the script says: across groups, hence across splits, no letter is drawn nearly alike.
    train, test = splits.train, splits.test
    for label, style in [(0, "capital"), (4, "small"), (9, "capital"), (9, "small")]:
        one, other = (
            part.images[(part.labels == label) & (part.info["style"] == style)].reshape(-1, 48**2)
            / np.float32(255)
            for part in (train, test)
        )
        nearest = min(np.abs(one - each).mean(axis=1).min() for each in other)
        assert 0.03 <= nearest < 0.1


def test_capital_and_small_letters_apart():
    capital = data.load("letters", styles="capital")
    small = data.load("letters", styles="small")
    for one, other in zip(parts(capital), parts(small)):
        keys = set(one.info["key"]) | set(other.info["key"])
        assert len(keys) == len(one) + len(other)
        assert all(key[-1].isupper() for key in one.info["key"])
        assert all(key[-1].islower() for key in other.info["key"])
    assert "no style called 'smal'" in sentence(data.load, "letters", styles="smal")


def test_a_picture_keeps_its_class_whatever_is_left_out():
    everything, some = (
        data.load("emoji_styles"),
        data.load("emoji_styles", classes=["vehicle", "mammal"]),
    )
    known = {
        key: everything.class_names[label]
        for part in parts(everything)
        for key, label in zip(part.info["key"], part.labels)
    }
    assert some.class_names == ("vehicle", "mammal")
    for part in parts(some):
        assert [known[key] for key in part.info["key"]] == [
            some.class_names[label] for label in part.labels
        ]
        assert set(part.labels) == {0, 1}


# --- the same everywhere -------------------------------------------------------------------------


@pytest.mark.parametrize("name, seed", list(KEYS))
def test_the_split_of_a_seed_is_the_same_on_every_machine(name, seed):
    assert keys_digest(data.load(name, seed=seed)) == KEYS[name, seed]


@pytest.mark.parametrize("name, size", list(PIXELS))
def test_the_pixels_are_the_same_on_every_machine(name, size):
    assert pixels_digest(data.load(name, size=size)) == PIXELS[name, size]


def test_another_process_gets_the_same_split():
    code = (
        "from translearn import data; import hashlib; s = data.load('digits', seed=3); "
        "print(hashlib.sha256(','.join(s.test.info['key']).encode()).hexdigest())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    here = ",".join(data.load("digits", seed=3).test.info["key"])
    assert out == hashlib.sha256(here.encode()).hexdigest()


def test_the_seed_changes_the_split():
    one, two = data.load("digits", seed=0), data.load("digits", seed=1)
    assert set(one.test.info["key"]) != set(two.test.info["key"])


def test_importing_the_module_loads_no_heavy_library():
    code = (
        "import sys, translearn.data; print([m for m in ('pandas', 'keras', 'tensorflow', "
        "'sklearn', 'matplotlib') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "[]"


# --- few labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_subsets_are_nested_and_balanced(loaded, seed):
    train = loaded["emoji_styles"].train
    inner = set()
    for wanted in (1, 2, 5, 10, 50):
        few = train.take(wanted, seed)
        assert (np.bincount(few.labels) == wanted).all() and len(few.labels) == 12 * wanted
        assert inner < set(few.info["key"])
        inner = set(few.info["key"])
    assert set(train.take(5, 0).info["key"]) != set(train.take(5, 1).info["key"])


def test_a_subset_keeps_pictures_and_labels_together(loaded):
    train = loaded["digits"].train
    few = train.take(3)
    where = {key: row for row, key in enumerate(train.info["key"])}
    for row, key in enumerate(few.info["key"]):
        assert (few.images[row] == train.images[where[key]]).all() and few.labels[
            row
        ] == train.labels[where[key]]


def test_labels_per_class_touches_training_only(loaded):
    few = data.load("digits", labels_per_class=4)
    assert len(few.train) == 40 and list(few.train.info["key"]) == list(
        loaded["digits"].train.take(4).info["key"]
    )
    assert (few.test.images == loaded["digits"].test.images).all()


# --- sizes, cache, showing -----------------------------------------------------------------------


def test_size(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    first = data.load("digits", size=14)
    assert first.test.images.shape[1:] == (14, 14, 1)
    (kept,) = (tmp_path / "pictures").glob("digits-14-*.npz")
    assert (data.load("digits", size=14).test.images == first.test.images).all()
    kept.write_bytes(kept.read_bytes()[:1000])  # half written: made again
    assert (data.load("digits", size=14).test.images == first.test.images).all()
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 255  # one byte wrong: made again
    kept.write_bytes(content)
    assert (data.load("digits", size=14).test.images == first.test.images).all()


def test_cards_and_tables(loaded):
    for name, splits in loaded.items():
        assert splits.card._repr_markdown_() == registry.card(name) == repr(splits.card)
        assert "validation" in repr(splits) and "<table" in splits._repr_html_()
        assert splits.counts().loc["all", "train"] == len(splits.train)
        assert splits.card.startswith(f"# {name}\n")


def test_the_card_of_emoji_styles_counts_right(loaded):
    import pandas as pd

    info = pd.concat([part.info for part in parts(loaded["emoji_styles"])])
    labels = np.concatenate([part.labels for part in parts(loaded["emoji_styles"])])
    card = registry.card("emoji_styles")
    for style, count in info["style"].value_counts().items():
        assert f"| `{style}` | {count} |" in card
    assert (
        f"{info['thing'].nunique()} everyday things" in card
        and f"into {info['concept'].nunique()} concepts" in card
    )
    assert f"{len(info):,} pictures" in card
    assert f"have {np.bincount(labels).min()} to {np.bincount(labels).max()} pictures" in card


# --- bad input -----------------------------------------------------------------------------------


def test_unknown_names():
    assert "Did you mean 'emoji_styles'?" in sentence(data.load, "emojistyles")
    assert "no data set called 'vgg16'" in sentence(data.load, "vgg16")
    assert "Did you mean 'sandal'?" in sentence(data.load, "fashion", classes=["coat", "sandals"])
    assert "Did you mean 'twemoji'?" in sentence(data.load, "emoji_styles", styles=["twemojis"])


def test_classes_and_styles_that_make_no_sense():
    assert "nothing to tell apart" in sentence(data.load, "fashion", classes="coat")
    assert "named twice" in sentence(data.load, "fashion", classes=["coat", "coat"])
    assert "is empty" in sentence(data.load, "fashion", classes=[])
    assert "has no drawing styles" in sentence(data.load, "fashion", styles="noto")


def test_numbers_out_of_range(loaded):
    assert "from 8 to 512" in sentence(data.load, "digits", size=7)
    assert "from 8 to 512" in sentence(data.load, "digits", size=513)
    assert "not a whole number" in sentence(data.load, "digits", size=28.0)
    assert "not a whole number" in sentence(data.load, "digits", seed="one")
    assert "of at least 1" in sentence(data.load, "digits", labels_per_class=0)
    assert "not a whole number" in sentence(data.load, "digits", labels_per_class=True)
    text = sentence(data.load, "digits", labels_per_class=301)
    assert "the smallest class of the train pictures, '0', has 300" in text
    assert "of at least 1" in sentence(loaded["digits"].train.take, -1)
    assert "has 100" not in sentence(loaded["digits"].train.take, 10**6)


def test_a_damaged_file_is_named(monkeypatch, tmp_path):
    for name in ("registry.toml", "digits.npz"):
        (tmp_path / name).write_bytes((registry.DATA / name).read_bytes())
    monkeypatch.setattr(registry, "DATA", tmp_path)
    monkeypatch.setattr(registry, "FILE", tmp_path / "registry.toml")
    (tmp_path / "digits.npz").write_bytes((tmp_path / "digits.npz").read_bytes()[:-10])
    assert "'digits' is truncated" in sentence(data.load, "digits")
    (tmp_path / "digits.npz").unlink()
    assert "'digits' is missing" in sentence(data.load, "digits")


# --- your own pictures ---------------------------------------------------------------------------


@pytest.fixture
def pets(tmp_path):
    """Two classes of twelve pictures of different shapes and modes."""
    folder = tmp_path / "pets"
    for label, (name, colour) in enumerate({"cat": 60, "dog": 200}.items()):
        (folder / name).mkdir(parents=True)
        for index in range(12):
            mode = ("RGB", "L", "RGBA", "P")[index % 4]
            picture = Image.new("RGB", (40 + index, 30), (colour, colour, index * 10)).convert(
                mode
            )
            picture.save(folder / name / f"{index:02}.png")
    (folder / "cat" / "notes.txt").write_text("not a picture")
    return folder


def test_from_directory(pets):
    splits = data.from_directory(pets, size=32)
    assert splits.name == "pets" and splits.class_names == ("cat", "dog")
    assert [len(part) for part in parts(splits)] == [14, 4, 6]
    for part in parts(splits):
        assert part.images.shape[1:] == (32, 32, 3) and part.images.dtype == np.uint8
        assert [key.split("/")[0] for key in part.info["key"]] == [
            splits.class_names[label] for label in part.labels
        ]
        assert ((part.images[..., 0].mean(axis=(1, 2)) > 130) == (part.labels == 1)).all()
    assert keys_digest(splits) == keys_digest(data.from_directory(str(pets), size=32))
    assert keys_digest(splits) != keys_digest(data.from_directory(pets, size=32, seed=1))
    assert "pets" in repr(splits.card)


def test_from_directory_keeps_the_middle_and_turns_white_what_is_see_through(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(5):
            # Red, with a middle square of nothing that lies over some colour, and one grey dot.
            picture = Image.new("RGBA", (60, 20), (255, 0, 0, 255))
            picture.paste((index, 50, 100, 0), (20, 0, 40, 20))
            picture.putpixel((20, 0), (index, index, index + 10 * (name == "b"), 255))
            picture.save(tmp_path / name / f"{index}.png")
    images = data.from_directory(tmp_path, size=20).train.images.copy()
    assert (images[:, 0, 0] < 20).all()
    images[:, 0, 0] = 255
    assert (images == 255).all()


def test_copies_stay_in_one_split(pets):
    for index in range(12):
        content = (pets / "cat" / f"{index:02}.png").read_bytes()
        (pets / "cat" / f"copy-{index:02}.png").write_bytes(content)
    splits = data.from_directory(pets)
    where = {key: number for number, part in enumerate(parts(splits)) for key in part.info["key"]}
    assert all(
        where[f"cat/{index:02}.png"] == where[f"cat/copy-{index:02}.png"] for index in range(12)
    )


def test_too_few_different_pictures(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(8):
            Image.new("RGB", (9, 9), "red").save(tmp_path / name / f"{index}.png")
    assert "copies of one picture count once" in sentence(data.from_directory, tmp_path)


def test_folders_that_do_not_fit(pets, tmp_path):
    assert "does not exist" in sentence(data.from_directory, tmp_path / "nowhere")
    assert "is a file" in sentence(data.from_directory, pets / "cat" / "00.png")
    assert "has no folders in it" in sentence(data.from_directory, pets / "cat")
    (pets / "fish").mkdir()
    assert "The class 'fish' is empty" in sentence(data.from_directory, pets)
    for index in range(4):
        Image.new("RGB", (9, 9), (index, 0, 0)).save(pets / "fish" / f"{index}.png")
    text = sentence(data.from_directory, pets)
    assert "The class 'fish' has only 4 readable pictures" in text and "at least 5" in text
    for file in (pets / "fish").iterdir():
        file.unlink()
    (pets / "fish").rmdir()
    for file in (pets / "dog").iterdir():
        file.unlink()
    (pets / "dog").rmdir()
    assert "one class only, 'cat'" in sentence(data.from_directory, pets)


def test_unreadable_pictures_are_named_with_the_reason(pets):
    (pets / "cat" / "broken.jpg").write_bytes(b"no picture at all")
    whole = (pets / "dog" / "03.png").read_bytes()
    (pets / "dog" / "03.png").write_bytes(whole[: len(whole) // 2])
    (pets / "dog" / "empty.png").write_bytes(b"")
    (pets / "dog" / "gone.JPG").symlink_to(pets / "nowhere.jpg")
    (pets / "dog" / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    Image.new("RGB", (9, 9)).save(pets / "dog" / "raw.tif")  # what a camera's raw file looks like
    (pets / "dog" / "raw.tif").rename(pets / "dog" / "raw.nef")
    text = sentence(data.from_directory, pets)
    assert text.startswith(
        "6 pictures cannot be read: cat/broken.jpg (not a picture of a kind that is read here), "
        "dog/03.png (damaged: "
    )
    for words in (
        "dog/empty.png (empty)",
        "dog/gone.JPG (a link that leads nowhere)",
        "dog/phone.HEIC (HEIC is not read here: save it as JPEG or PNG)",
        "dog/raw.nef (a camera's raw file",
        'unreadable="skip"',
    ):
        assert words in text
    with pytest.warns(UserWarning, match="dog/empty.png .empty.") as caught:
        splits = data.from_directory(pets, unreadable="skip")
    assert caught[0].filename == __file__
    assert sum(len(part) for part in parts(splits)) == 23 and "phone.HEIC" in splits.card
    assert "is not known" in sentence(data.from_directory, pets, unreadable="ignore")


def test_readable_pictures_cause_no_warning(pets):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.from_directory(pets)
    assert "from 8 to 512" in sentence(data.from_directory, pets, size=4)


NOISE = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), "uint8")


def save(number: int, place, **options):
    """A picture that differs from those of other numbers."""
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(NOISE[number]).save(place, **options)


def classes(folder, names="ab", each=6, first=0):
    """A folder with one folder per class, each with so many pictures."""
    for label, name in enumerate(names):
        for index in range(each):
            save(first + label * each + index, folder / name / f"{index:02}.png")
    return folder


def quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return data.from_directory(*arguments, **options)


def where(splits) -> dict:
    return {key: part.name for part in parts(splits) for key in part.info["key"]}


def test_what_is_left_out_and_done_is_said_below_the_table_and_on_the_card(pets):
    (pets / ".DS_Store").write_bytes(b"x")
    (pets / "labels.csv").write_text("01,cat")
    (pets / "__MACOSX" / "cat").mkdir(parents=True)
    (pets / "cat" / ".thumbnails").mkdir()
    save(0, pets / "cat" / ".thumbnails" / "00.png")
    save(1, pets / "cat" / "without ending", format="PNG")
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(pets / "cat" / "see-through.WEBP", lossless=True)
    frames = [Image.new("L", (9, 9), grey) for grey in (0, 99)]
    frames[0].save(pets / "dog" / "moving.gif", save_all=True, append_images=frames[1:])
    (pets / "dog" / "clip.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    splits = quiet(pets)
    assert sum(len(part) for part in parts(splits)) == 27
    assert {"cat/without ending", "cat/see-through.WEBP", "dog/moving.gif"} < set(where(splits))
    for sentence in (
        "1 see-through picture laid on white.",
        "1 file with several pictures: the first is taken.",
        "Left out: 3 files that are no pictures (labels.csv, cat/notes.txt, dog/clip.mov).",
        "Left out: 3 hidden files or folders.",
    ):
        assert sentence in repr(splits).splitlines()
        assert sentence in splits.card and sentence in splits._repr_html_()
    save(2, pets / "loose.png")
    with pytest.warns(
        UserWarning, match="Left out: 1 picture in no folder of a class .loose.png."
    ):
        data.from_directory(pets)


def test_links_are_followed_but_not_in_circles(tmp_path):
    classes(tmp_path / "real", "abc")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a").symlink_to(tmp_path / "real" / "a")
    (folder / "b").mkdir()
    (folder / "b" / "inner").symlink_to(tmp_path / "real" / "b")
    (folder / "b" / "circle").symlink_to(folder / "b")
    os.mkfifo(folder / "b" / "pipe.png")  # opened, it would wait for ever
    (folder / "b" / "one.png").symlink_to(tmp_path / "real" / "c" / "00.png")
    splits = quiet(folder)
    assert splits.said == ("Left out: 1 file that is no picture (b/pipe.png).",)
    assert sorted(where(splits)) == [
        *[f"a/0{index}.png" for index in range(6)],
        *[f"b/inner/0{index}.png" for index in range(6)],
        "b/one.png",
    ]


def test_names_that_are_not_utf_8_and_names_in_two_spellings(tmp_path):
    classes(tmp_path, ["a", "cafe\u0301"])  # e and an accent, as macOS writes it
    name = os.fsdecode(b"caf\xe9.png")
    save(30, tmp_path / "plain.png")
    (tmp_path / "plain.png").rename(tmp_path / "a" / name)
    save(31, tmp_path / "a" / "two\nlines.png")
    splits = quiet(tmp_path)
    assert splits.class_names == ("a", "caf\u00e9")
    assert {r"a/caf\xe9.png", r"a/two\nlines.png", "caf\u00e9/00.png"} < set(where(splits))
    repr(splits).encode()
    (tmp_path / "a" / name).write_bytes(b"")
    assert r"a/caf\xe9.png (empty)" in sentence(data.from_directory, tmp_path)


# --- already split -------------------------------------------------------------------------------


def test_a_folder_that_is_already_split_keeps_its_split(tmp_path):
    for first, (part, name) in enumerate(
        {"train": "Train", "validation": "val", "test": "test"}.items()
    ):
        classes(tmp_path / name, first=first * 12)
    splits = quiet(tmp_path)
    assert splits.class_names == ("a", "b")
    for name, part in zip(("Train", "val", "test"), parts(splits)):
        assert sorted(part.info["key"]) == [f"{name}/{c}/0{i}.png" for c in "ab" for i in range(6)]
        assert [key.split("/")[1] for key in part.info["key"]] == ["ab"[y] for y in part.labels]
    assert "The split is the folder's own (train, validation, test)." in splits.said


def test_what_a_split_folder_lacks_is_drawn_from_train(tmp_path):
    classes(tmp_path / "training_set", each=14)
    classes(tmp_path / "test_set", each=6, first=28)
    splits = quiet(tmp_path)
    assert [len(part) for part in parts(splits)] == [24, 4, 12]
    assert {key.split("/")[0] for key in splits.test.info["key"]} == {"test_set"}
    assert "(train, test; validation drawn from train)" in splits.card
    (tmp_path / "test_set").rename(tmp_path / "valid")
    splits = quiet(tmp_path)
    assert [len(part) for part in parts(splits)] == [22, 12, 6]
    assert {key.split("/")[0] for key in splits.validation.info["key"]} == {"valid"}


def test_copies_between_given_parts_are_left_out_of_the_earlier(tmp_path):
    for first, name in enumerate(("train", "val", "test")):
        classes(tmp_path / name, first=first * 12)
    save(24, tmp_path / "train" / "a" / "copy of test.bmp")
    save(12, tmp_path / "train" / "a" / "copy of val.tiff")
    save(25, tmp_path / "val" / "a" / "copy of test.webp", lossless=True)
    with pytest.warns(UserWarning, match="Left out: 3 pictures of which .* has a copy"):
        splits = data.from_directory(tmp_path)
    assert [len(part) for part in parts(splits)] == [12, 12, 12]
    assert not any("copy" in key for key in where(splits))
    assert splits.card.split("\n\n")[1].startswith("36 pictures of 2 classes")


def test_split_folders_that_do_not_fit(tmp_path):
    classes(tmp_path / "train")
    assert f"If a, b are the classes, name the folder {tmp_path / 'train'}." in sentence(
        data.from_directory, tmp_path
    )
    for index in range(6):
        save(index, tmp_path / "test" / f"{index}.png")
    assert "'test' has no folders of classes in it" in sentence(data.from_directory, tmp_path)
    (tmp_path / "test").rename(tmp_path / "other")
    classes(tmp_path / "val", "a", first=20)
    assert "the class 'b' is missing in validation" in sentence(data.from_directory, tmp_path)
    classes(tmp_path / "val", "b", first=30)
    with pytest.warns(UserWarning, match="Left out: what stands beside train, val .other.\\."):
        data.from_directory(tmp_path)
    classes(tmp_path / "valid", "ab")
    assert "has two for validation, 'val' and 'valid'" in sentence(data.from_directory, tmp_path)
    for name in ("valid", "train"):
        (tmp_path / name).rename(tmp_path / "val" / name)
    (tmp_path / "other").rename(tmp_path / "test")
    classes(tmp_path / "test")
    assert "has no 'train'" in sentence(data.from_directory, tmp_path)


def test_classes_may_be_named_like_parts(tmp_path):
    assert quiet(classes(tmp_path, ["train", "bus", "test"])).class_names == (
        "bus",
        "test",
        "train",
    )


# --- copies --------------------------------------------------------------------------------------


def test_copies_are_known_by_their_pixels_whatever_the_file_says(tmp_path):
    """Same pixels, with other metadata, in another format, or turned by its EXIF data."""
    from PIL.PngImagePlugin import PngInfo

    classes(tmp_path, each=8)
    note = PngInfo()
    for index in range(8):
        note.add_text("copied", str(index))
        save(index, tmp_path / "a" / f"copy {index}.png", pnginfo=note)
        save(8 + index, tmp_path / "b" / f"copy {index}.bmp")
        turned = Image.fromarray(np.rot90(NOISE[index]).copy())
        exif = turned.getexif()
        exif[0x0112] = 6  # a quarter turn clockwise brings it back
        turned.save(tmp_path / "a" / f"turned {index}.png", exif=exif)
    for seed in range(3):
        splits = quiet(tmp_path, seed=seed)
        part = where(splits)
        for index in range(8):
            assert part[f"a/0{index}.png"] == part[f"a/copy {index}.png"]
            assert part[f"a/0{index}.png"] == part[f"a/turned {index}.png"]
            assert part[f"b/0{index}.png"] == part[f"b/copy {index}.bmp"]
    assert "24 copies of other pictures, pixel by pixel." in splits.said


def test_one_picture_in_two_classes_stays_in_one_split_and_is_named(tmp_path):
    classes(tmp_path, "abc", each=8)
    for index in range(3):
        save(index, tmp_path / "c" / f"of a {index}.png", compress_level=0)
    named = ", ".join(f"a/0{index}.png = c/of a {index}.png" for index in range(3))
    for seed in range(3):
        with pytest.warns(UserWarning, match="one label must be wrong") as caught:
            splits = data.from_directory(tmp_path, seed=seed)
        assert (
            f"3 pictures in more than one class, where one label must be wrong: {named}."
            in str(caught[0].message)
        )
        part = where(splits)
        assert all(part[f"a/0{i}.png"] == part[f"c/of a {i}.png"] for i in range(3))
        assert sorted(part) == sorted(set(part)) and len(part) == 27


def test_the_split_does_not_depend_on_the_size(tmp_path):
    classes(tmp_path, each=8)
    assert where(quiet(tmp_path, size=8)) == where(quiet(tmp_path, size=96))


# --- ranges --------------------------------------------------------------------------------------


def tiff(values, bits=16, kind=1, white_is_zero=False, order="<"):
    """An uncompressed grey TIFF: `kind` 1 unsigned, 2 signed, 3 floating-point."""
    values, size = np.asarray(values), np.shape(values)
    if bits == 12:  # two numbers in three bytes
        a, b = values.reshape(-1, 2).astype(int).T
        body = np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], 1).astype("uint8").tobytes()
    else:
        body = values.astype(f"{order}{'uif'[kind - 1]}{bits // 8}").tobytes()
    tags = {
        256: size[1], 257: size[0], 258: bits, 259: 1, 262: int(not white_is_zero),
        273: 8, 277: 1, 278: size[0], 279: len(body), 339: kind,
    }  # fmt: skip
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(body))
    return head + body + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


def grey(file) -> np.ndarray:
    """The grey values that a picture of 8 x 8 becomes."""
    with decoding.quietly():
        pixels = np.asarray(decoding.decode(file).picture)
    assert pixels.shape == (8, 8, 3) and (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


RAMP = np.arange(64).reshape(8, 8)  # a gradient, from black to white


@pytest.mark.parametrize(
    "content",
    [
        tiff(RAMP * 1024),
        tiff(RAMP * 1024, order=">"),
        tiff(65535 - RAMP * 1024, white_is_zero=True),
        tiff(RAMP * 64, bits=12),
        b"P5 8 8 65535\n" + (RAMP * 1024).astype(">u2").tobytes(),
    ],
    ids=["TIFF", "other order", "white is zero", "12 bits", "PGM"],
)
def test_grey_of_16_bits_is_scaled_by_the_range_of_its_format(tmp_path, content):
    (tmp_path / "ramp.tif").write_bytes(content)
    assert (grey(tmp_path / "ramp.tif") == RAMP * 4).all()


def test_grey_png_of_16_bits_is_scaled_as_its_colours_would_be(tmp_path):
    picture = Image.fromarray((RAMP * 1024).astype("uint16"))
    picture.save(tmp_path / "ramp.png")
    assert (grey(tmp_path / "ramp.png") == RAMP * 4).all()
    exif = picture.getexif()
    exif[0x0112] = 3
    picture.save(tmp_path / "turned.png", exif=exif)
    assert (grey(tmp_path / "turned.png") == (RAMP * 4)[::-1, ::-1]).all()
    picture.save(tmp_path / "see-through.png", transparency=5 * 1024)
    assert (grey(tmp_path / "see-through.png") == np.where(RAMP == 5, 255, RAMP * 4)).all()


@pytest.mark.parametrize(
    "content, words",
    [
        (tiff(RAMP / 63, bits=32, kind=3), "floating-point numbers"),
        (tiff(RAMP, bits=32, kind=2), "32-bit or signed whole numbers"),
        (tiff(RAMP, bits=16, kind=2), "32-bit or signed whole numbers"),
    ],
)
def test_pixels_without_a_range_are_refused(tmp_path, content, words):
    (tmp_path / "ramp.tif").write_bytes(content)
    with pytest.raises(decoding.Refused, match=f"{words}.*nothing says which is white"):
        grey(tmp_path / "ramp.tif")


# --- huge photographs ----------------------------------------------------------------------------


def test_a_photograph_is_decoded_no_larger_than_needed(tmp_path):
    for name in ("photo.jpg", "photo.png"):
        Image.linear_gradient("L").resize((2700, 2100)).save(tmp_path / name)
        with decoding.quietly():
            square = decoding.decode(tmp_path / name).picture
        assert decoding.ENOUGH <= square.width == square.height < 2 * decoding.ENOUGH
        middle = np.asarray(square)[:, 500, 0].astype(int)
        assert middle[0] < 3 and middle[-1] > 252 and np.abs(np.diff(middle)).max() <= 2


def test_a_photograph_of_200_megapixels_is_never_in_memory_whole(tmp_path, monkeypatch):
    Image.new("L", (16384, 12288), 77).save(tmp_path / "huge.jpg")
    real, loaded = decoding._rgb, []

    def noting(picture):
        loaded.append(picture.size)
        return real(picture)

    monkeypatch.setattr(decoding, "_rgb", noting)
    with decoding.quietly():
        square = decoding.decode(tmp_path / "huge.jpg").picture
    assert loaded == [(2048, 1536)] and square.size == (1536, 1536)
    assert square.getpixel((9, 9)) == (77, 77, 77)


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "ALONE", 60)
    classes(tmp_path)
    real, now, most = decoding._rgb, [], []

    def counting(picture):
        now.append(1)
        most.append(len(now))
        time.sleep(0.002)
        now.pop()
        return real(picture)

    monkeypatch.setattr(decoding, "_rgb", counting)
    quiet(tmp_path)
    assert len(most) == 12 and max(most) == 1
    monkeypatch.setattr(decoding, "ALONE", 64)
    quiet(tmp_path)
    assert max(most) > 1 or os.cpu_count() == 1  # small ones are not


def test_what_would_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MOST", 50)
    classes(tmp_path)
    assert "no more than 0 million are decoded: make it smaller" in sentence(
        data.from_directory, tmp_path
    )
    monkeypatch.undo()
    memory = types.SimpleNamespace(available=10**6)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    text = sentence(data.from_directory, tmp_path, size=512)
    assert "12 pictures of 512 x 512 take 0.0 GB" in text and "Ask for a smaller size" in text


def test_pillows_own_limit_is_as_before(pets):
    before = Image.MAX_IMAGE_PIXELS
    quiet(pets)
    assert Image.MAX_IMAGE_PIXELS == before is not None


def test_a_folder_that_cannot_be_opened(pets, monkeypatch):
    def closed(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", closed)
    assert "cannot be opened: Permission denied" in sentence(data.from_directory, pets)
    assert "is not the name of a folder" in sentence(data.from_directory, None)
