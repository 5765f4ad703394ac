"""A look at the data finds what was planted, and nothing else."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image, ImageFilter

from translearn import data
from translearn.data import copies, faults, finding
from translearn.data.looking import KINDS
from translearn.data.splits import Card, Split, Splits
from translearn.errors import CourseError
from translearn.paths import ROOT

SIDE, CLASSES = 64, ("cat", "dog", "<owl>")


def drawn(count, seed=0):
    """Different pictures with sharp edges: a few rectangles of any colour on any colour."""
    draw = np.random.default_rng(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for image in images:
        image[:] = draw.integers(60, 200, 3)
        for top, left, high, wide in draw.integers(4, 40, (8, 4)):
            image[top : top + high, left : left + wide] = draw.integers(0, 256, 3)
    return images


def splits(images, labels=None, counts=(60, 20, 20), **columns):
    """Pictures one after the other into train, validation and test."""
    labels = np.arange(len(images)) % 3 if labels is None else np.asarray(labels)
    info = pd.DataFrame({"key": [f"p{row:02}" for row in range(len(images))]} | columns)
    parts, start = {}, 0
    for name, count in zip(("train", "validation", "test"), counts):
        rows = slice(start, start + count)
        part_info = info.iloc[rows].reset_index(drop=True)
        parts[name] = Split(images[rows], labels[rows], part_info, CLASSES, name)
        start += count
    return Splits("drawn", class_names=CLASSES, card=Card(""), **parts)


def changed(image, change):
    return np.asarray(change(Image.fromarray(image)))


def saved_again(picture):
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=40)
    return Image.open(kept)


def half_the_pixels(picture):
    return picture.resize((SIDE // 2, SIDE // 2)).resize((SIDE, SIDE))


def darker(picture):
    return picture.point(lambda value: 0.8 * value)


def mirrored(picture):
    return picture.transpose(Image.FLIP_LEFT_RIGHT)


def cut(picture):
    return picture.crop((2, 2, SIDE - 2, SIDE - 2)).resize((SIDE, SIDE))


def blurred(picture):
    return picture.filter(ImageFilter.GaussianBlur(0.03 * SIDE))


CHANGES = (saved_again, half_the_pixels, darker, mirrored, cut)


def found(looked, kind):
    return {(each.key, each.other) for each in looked.found if each.kind == kind}


@pytest.fixture(scope="module")
def planted():
    """Rows 0–59 train, 60–79 validation, 80–99 test. Labels 0 1 2 0 1 2 …"""
    images = drawn(100)
    images[81] = images[0]  # label 0: a copy of train in test
    images[61] = images[80]  # of validation in test; labels 1 and 2
    for row, change in zip((3, 6, 9, 12, 15), CHANGES):
        images[row + 81] = changed(images[row], change)  # near copies of train in test
    images[21] = images[18]  # a copy within train
    images[27] = changed(images[24], mirrored)  # a near copy within train
    images[30] = changed(images[30], blurred)
    images[31] = images[31] * 0.25
    images[32] = 255 - (255 - images[32]) * 0.15
    images[33] = 128
    wide, high = np.full(100, 200), np.full(100, 150)
    wide[40], high[40] = 30, 40
    wide[41] = 600
    return data.look(splits(images, width=wide, height=high))


def test_every_planted_fault_is_found_and_nothing_else(planted):
    leaks = {(f"p{row:02}", f"p{row + 81}") for row in (0, 3, 6, 9, 12, 15)} | {("p61", "p80")}
    assert found(planted, "leak") == leaks
    assert found(planted, "two labels") == {("p61", "p80"), ("p80", "p61")}
    assert found(planted, "copy") == {("p21", "p18")}
    assert found(planted, "near copy") == {("p27", "p24")}
    for kind, key in {
        "blurred": "p30",
        "dark": "p31",
        "bright": "p32",
        "empty": "p33",
        "small": "p40",
        "odd shape": "p41",
    }.items():
        assert found(planted, kind) == {(key, "")}, kind
    assert found(planted, "wrong label") == found(planted, "rare class") == set()


def test_the_findings_are_a_table_in_words(planted):
    table = planted.findings
    assert list(table) == ["kind", "split", "key", "other", "score", "sentence"]
    assert len(table) == len(planted.found)
    assert table["kind"].iloc[0] == "leak" and table["score"].between(0, 1).all()
    exact = table[table["key"] == "p00"].iloc[0]
    assert exact["sentence"] == "p00 (train, cat) is a copy of p81 (test, cat)."
    assert (exact["split"], exact["score"]) == ("train", 1)
    nearly = table[table["key"] == "p03"].iloc[0]
    assert nearly["sentence"] == "p03 (train, cat) is a near copy of p84 (test, cat)."
    assert nearly["score"] < 1


def test_the_sentences_say_how_many_and_what_to_do(planted):
    said = planted.sentences
    assert said[0].startswith("leak: 7 pictures with a copy")
    assert 'looked.without("leak")' in said[0]
    assert any(sentence.startswith("odd shape: 1 picture more than twice") for sentence in said)
    assert any("lose 25% or more" in sentence for sentence in said)  # 150 of 200 pixels stay
    assert "give out_of_fold" in " ".join(said)
    assert repr(planted) == "\n".join(said)


def test_without_names_what_to_leave_out_and_after_it_no_leak_is_left(planted):
    leaks = planted.without()
    assert leaks == planted.without("leak") == planted.without(["leak"])
    assert leaks == {"p00", "p03", "p06", "p09", "p12", "p15", "p61"}
    assert planted.without(["leak", "empty"]) == leaks | {"p33"}
    assert planted.without("rare class") == set()
    with pytest.raises(CourseError, match="no kind of finding called 'leeks'.*leak"):
        planted.without("leeks")
    parts = planted.rows.parts
    rows = [[key not in leaks for key in part.info["key"]] for part in parts]
    images = np.concatenate([part.images[kept] for part, kept in zip(parts, rows)])
    counts = [sum(kept) for kept in rows]
    assert data.look(splits(images, np.zeros(len(images), int), counts)).without() == set()


def test_the_sheet_shows_a_copy_beside_its_picture_and_says_it_in_words(planted):
    figure = planted.sheet("leak")
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert len(titles) == 14 and titles[1].startswith("and its copy\ntest: ")
    assert figure.alt.startswith("A look at the data: leak (7). p00 (train, cat) is a copy of")
    whole = planted.sheet()
    assert "leak (7)" in whole.alt and "odd shape (1)" in whole.alt and "more." in whole.alt
    shown = [ax.get_title() for ax in whole.axes if ax.images]
    assert sum(title.startswith("leak") for title in shown) == 4
    assert sum(title.startswith("two labels") for title in shown) == 1  # not once more, turned
    with pytest.raises(CourseError, match="no kind of finding called 'blurry'"):
        planted.sheet("blurry")
    plt.close("all")


def test_in_a_notebook_it_is_words_a_table_and_the_sheet(planted):
    html = planted._repr_html_()
    assert "<p>leak: 7 pictures" in html and "<table" in html and 'alt="A look at' in html
    assert "<owl>" not in html and "&lt;owl&gt;" in html
    assert not plt.get_fignums()


def test_where_nothing_is_wrong_nothing_is_found():
    looked = data.look(splits(drawn(100, seed=1)), np.full((60, 3), 1 / 3))
    assert looked.sentences == ["Nothing was found."] and looked.findings.empty
    assert looked.sheet().alt == "A look at the data: Nothing was found."
    assert looked.sheet("leak").alt and looked._repr_html_() == "<p>Nothing was found.</p>"
    assert looked.without(list(KINDS)) == set()
    plt.close("all")


def test_the_data_stay_as_they_are():
    images = drawn(100)
    images[90] = images[3]
    images.setflags(write=False)
    given = splits(images)
    before = [part.info.copy() for part in (given.train, given.validation, given.test)]
    data.look(given).sheet()
    for part, info in zip((given.train, given.validation, given.test), before):
        pd.testing.assert_frame_equal(part.info, info)
    plt.close("all")


def test_pictures_that_are_all_alike_are_no_copies_but_a_copy_among_them_is():
    draw = np.random.default_rng(0)
    bare = 40 + np.add.outer(np.arange(SIDE), np.arange(SIDE))[..., None]
    images = (bare + draw.normal(0, 3, (100, SIDE, SIDE, 1))).astype(np.uint8)
    vectors = copies._vectors(copies.thumbnails(images), copies.FINE)
    assert (vectors @ vectors.T).min() > 1 - copies.LIMIT  # each pair would be a copy by the limit
    images[99] = changed(images[5].squeeze(-1), darker)[..., None]
    looked = data.look(splits(images, np.zeros(100, int)))
    assert {pair for kind in ("leak", "near copy") for pair in found(looked, kind)} == {
        ("p05", "p99")
    }


@pytest.mark.parametrize("name", ["fashion", "digits"])
def test_planted_near_copies_of_real_pictures_are_found(name):
    """And of the real ones, few are taken for copies."""
    images = data.load(name).train.images[:600]
    planted = [
        np.asarray(change(Image.fromarray(images[row].squeeze(-1))).convert("L"))
        for change in (saved_again, darker, mirrored)
        for row in range(100)
    ]
    both = np.concatenate([images, np.stack(planted)[..., None]])
    pairs = {(one, two) for one, two, _ in copies.near(copies.thumbnails(both))}
    for start in (600, 700, 800):
        assert sum((row, start + row) in pairs for row in range(100)) >= 95
    assert sum(two < 600 for _, two in pairs) <= 12


def test_labels_that_models_doubt_are_found():
    draw = np.random.default_rng(0)
    truth = np.arange(60) % 3
    given = truth.copy()
    given[[3, 10, 20]] = (given[[3, 10, 20]] + 1) % 3
    guesses = 0.85 * np.eye(3)[truth] + 0.05 + 0.01 * draw.random((60, 3))
    guesses /= guesses.sum(axis=1, keepdims=True)
    rest = np.arange(40) % 3
    looked = data.look(splits(drawn(100), [*given, *rest]), guesses)
    expected = {(f"p{row:02}", CLASSES[truth[row]]) for row in (3, 10, 20)}
    assert found(looked, "wrong label") == expected
    assert (
        looked.findings["sentence"].iloc[0].endswith(" looks like " + looked.found[0].other + ".")
    )
    assert any(sentence.startswith("wrong label: 3 pictures") for sentence in looked.sentences)
    guesses[10] = np.nan  # not judged: a class with one picture cannot be held out
    looked = data.look(splits(drawn(100), [*given, *rest]), guesses)
    assert found(looked, "wrong label") == {each for each in expected if each[0] != "p10"}


@pytest.mark.parametrize(
    "given, says",
    [
        (np.full((60, 2), 0.5), r"\(60, 3\), and not \(60, 2\)"),
        (np.full((100, 3), 1 / 3), r"\(60, 3\), and not \(100, 3\)"),
        (np.full((60, 3), 2.0), "softmax"),
        (np.tile([1.5, -0.5, 0], (60, 1)), "softmax"),
        (np.full((60, 3), np.nan), "no label to judge"),
        ([["a"] * 3] * 60, "other things than numbers"),
    ],
)
def test_other_probabilities_are_refused_in_a_sentence(given, says):
    with pytest.raises(CourseError, match=says):
        data.look(splits(drawn(100)), given)


def test_where_one_class_alone_was_judged_no_label_is_doubted():
    guesses = np.full((60, 3), np.nan)
    guesses[::3] = 0.05, 0.9, 0.05
    assert not found(data.look(splits(drawn(100)), guesses), "wrong label")


def test_what_is_no_splits_of_pictures_is_refused_in_a_sentence():
    given = splits(drawn(100))
    for wrong, name in ((given.train, "Split"), ("pictures", "str"), (None, "NoneType")):
        with pytest.raises(CourseError, match=f"got {name}"):
            data.look(wrong)
    given.train.info.loc[3, "key"] = "p99"
    with pytest.raises(CourseError, match="'p99' is there twice"):
        data.look(given)
    del given.train.info["key"]
    with pytest.raises(CourseError, match="have no keys"):
        data.look(given)


def test_a_class_with_few_pictures_is_named():
    labels = np.zeros(100, int)
    labels[1:20] = 1
    labels[20:50] = 2
    labels[[60, 80]], labels[[61, 81]] = 1, 2
    assert [np.bincount(labels[:60])[each] for each in range(3)] == [11, 19, 30]
    labels[1:10] = 0
    labels[10:20] = 2
    labels[10:15] = 1
    looked = data.look(splits(drawn(100), labels))
    assert [each.other for each in looked.found if each.kind == "rare class"] == ["dog"]
    assert looked.without("leak") == set() and "rare class: dog" in looked.sentences[0]
    assert "balanced accuracy" in looked.sentences[0]


# {kind: (planted, found of these at least, found besides at most)}; besides: a copy with another
# label is a copy, too, and a picture that was small is blurred
EXPECTED = {
    "copy": (6, 6, 3),
    "near copy": (18, 16, 1),
    "two labels": (3, 3, 0),
    "blurred": (6, 6, 5),
    "dark": (6, 6, 0),
    "small": (3, 3, 0),
    "odd shape": (3, 3, 0),
    "bright": (0, 0, 0),
    "empty": (0, 0, 0),
}


PAIRS = ("copy", "near copy", "two labels")


@pytest.mark.parametrize("fit", ["cut", "pad"])
@pytest.mark.filterwarnings("ignore:.*in more than one class")
def test_what_is_wrong_in_the_example_folder_is_found(fit):
    looked = data.look(data.from_directory(data.example_folder(), size=96, fit=fit))
    planted = data.example_faults()
    for kind, (count, least, besides) in EXPECTED.items():
        truth = {
            frozenset({key, other} if kind in PAIRS else {key})
            for key, other in planted[planted["kind"] == kind][["key", "other"]].to_numpy()
        }
        got = {
            frozenset({each.key, each.other} if kind in PAIRS else {each.key})
            for each in looked.found
            if kind == each.kind or kind == copy_or_near_copy(each)
        }
        assert len(truth) == count
        assert len(truth & got) >= least and len(got - truth) <= besides, (kind, truth ^ got)


def copy_or_near_copy(each):
    """A leak is either."""
    return each.kind == "leak" and ("copy" if each.score == 1 else "near copy")


@pytest.mark.parametrize("side, channels", [(8, 1), (28, 1), (200, 3)])
def test_it_works_at_any_size_and_with_few_pictures(side, channels):
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (3, side, side, channels)).astype(np.uint8)
    images[2] = images[0]
    looked = data.look(splits(images, counts=(1, 1, 1)))
    assert found(looked, "leak") == {("p00", "p02")}
    assert faults.shape(None, side) == {}


def test_cleanvision_and_cleanlab_wait_until_they_are_needed():
    code = (
        "import sys, translearn.data; "
        "print([m for m in ('cleanvision', 'cleanlab', 'PIL', 'matplotlib') if m in sys.modules])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert out.strip() == "[]"


def test_of_many_copies_not_each_is_held_against_each(monkeypatch):
    import time

    images = np.concatenate([np.repeat(drawn(2), [70, 20], axis=0), drawn(10, seed=1)])
    images[75:80] = changed(images[0], saved_again)  # as many near copies of them
    images = images[np.random.default_rng(0).permutation(100)]
    labels = np.random.default_rng(1).integers(0, 3, 100)
    found = data.look(splits(images, labels)).found
    with monkeypatch.context() as patch:
        patch.setattr(finding, "_leading", lambda rows, members: members)  # each against each
        assert data.look(splits(images, labels)).found == found
    assert {"leak", "copy", "near copy", "two labels"} <= {each.kind for each in found}

    rows = finding.Rows(splits(np.zeros((4000, 8, 8, 3), np.uint8), counts=(2000, 1000, 1000)))
    began = time.process_time()
    assert len(finding._twice(rows)) > 4000
    assert time.process_time() - began < 3
