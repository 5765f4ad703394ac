"""Splits are disjoint, stratified and the same everywhere; every kind of bad input has its one
sentence.
"""

import hashlib
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from translearn import data
from translearn.data import registry
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
}
PIXELS = {
    ("emoji_styles", 96): "0677dd97b54038a8",
    ("emoji_styles", 64): "004f4581bb2bce29",
    ("solar_cells", 96): "8e50720296944eb7",
    ("fashion", 28): "1b1b71f43d4bc407",
    ("digits", 28): "429888242ee257b2",
    ("digits", 64): "15442a257d704da2",
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


# --- what a split is
# ------------------------------------------------------------


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
    whole = {"emoji_styles": 2882, "solar_cells": 2624, "fashion": 12000, "digits": 5000}[name]
    assert len(set.union(*keys)) == sum(map(len, keys)) == whole


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


# --- the same everywhere
# ----------------------------------------------------------------------------------------


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


# --- few labels
# ------------------------------------------------------------


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


# --- sizes, cache, showing
# --------------------------------------------------------------------------------------


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


# --- bad input
# ------------------------------------------------------------


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


# --- your own pictures
# ------------------------------------------------------------


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
            picture = Image.new(
                "RGBA", (60, 20), (255, 0, 0, 255)
            )  # red, with a middle square of …
            picture.paste((index, 50, 100 + (name == "b"), 0), (20, 0, 40, 20))  # … nothing
            picture.save(tmp_path / name / f"{index}.png")
    splits = data.from_directory(tmp_path, size=20)
    assert (splits.train.images == 255).all()


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


def test_unreadable_pictures(pets):
    (pets / "cat" / "broken.jpg").write_bytes(b"no picture at all")
    whole = (pets / "dog" / "03.png").read_bytes()
    (pets / "dog" / "03.png").write_bytes(whole[: len(whole) // 2])
    (pets / "dog" / "empty.png").write_bytes(b"")
    text = sentence(data.from_directory, pets)
    assert (
        "3 pictures cannot be read: cat/broken.jpg, dog/03.png, dog/empty.png" in text
        and 'unreadable="skip"' in text
    )
    with pytest.warns(UserWarning, match="cat/broken.jpg, dog/03.png, dog/empty.png"):
        splits = data.from_directory(pets, unreadable="skip")
    assert sum(len(part) for part in parts(splits)) == 23
    assert "is not known" in sentence(data.from_directory, pets, unreadable="ignore")


def test_readable_pictures_cause_no_warning(pets):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.from_directory(pets)
    assert "from 8 to 512" in sentence(data.from_directory, pets, size=4)
