"""Sentences and running text: parts share nothing, a seed gives the same everywhere, bad input has
its one sentence.
"""

import hashlib
import re

import numpy as np
import pytest

from translearn import data
from translearn.data import registry
from translearn.errors import CourseError

PARTS = ("train", "validation", "test")
TEXTS = data.names("text")
# What every machine must get: first 16 digits of SHA-256 over the keys and labels of the three
# parts, in order.
KEYS = {0: "2cd51950249b8ea5", 1: "d46b303a8420551c"}
TEXT = {"prose": "49261a1145a4fdd4", "fortunes": "1563ebcddd0e7d64"}


def parts(splits):
    return [getattr(splits, part) for part in PARTS]


def keys_digest(splits):
    text = "|".join(
        ",".join(f"{key}={label}" for key, label in zip(part.info["key"], part.labels))
        for part in parts(splits)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sentence(call, *arguments, **options) -> str:
    with pytest.raises(CourseError) as caught:
        call(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".")
    return text


def plain(text):
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


@pytest.fixture(scope="module")
def reviews():
    return data.load_sentences("reviews")


# --- reviews
# ------------------------------------------------------------


def test_form(reviews):
    assert reviews.class_names == ("negative", "positive") and reviews.domains == data.DOMAINS
    for part in parts(reviews):
        assert (
            part.texts.dtype == object
            and part.texts.shape == (len(part),)
            and all(type(text) is str for text in part.texts)
        )
        assert part.labels.dtype == np.int64 and list(part.info.index) == list(range(len(part)))
        assert ((part.info["rating"] > 0.5) == (part.labels == 1)).all() and (
            part.info["rating"].abs() > 0.5
        ).all()
        assert part.info["rating"].abs().max() <= 4
    assert (
        "sentences" in repr(reviews.train)
        and "movies" in repr(reviews)
        and "<table" in reviews._repr_html_()
    )
    assert reviews.counts().loc["all", "train"] == len(reviews.train)
    assert reviews.card._repr_markdown_() == registry.card("reviews")


def test_parts_share_no_sentence_and_no_document(reviews):
    for column in ("key", "group"):
        found = [set(part.info[column]) for part in parts(reviews)]
        assert not found[0] & found[1] and not found[0] & found[2] and not found[1] & found[2]
    documents = [
        {key.split("_")[0] for key in part.info["key"] if "_" in key} for part in parts(reviews)
    ]
    assert (
        not documents[0] & documents[1]
        and not documents[0] & documents[2]
        and not documents[1] & documents[2]
    )
    assert sum(map(len, documents)) > 750
    said = [plain(text) for part in parts(reviews) for text in part.texts]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shares_and_strata(seed):
    splits = data.load_sentences(seed=seed)
    everything = np.concatenate([part.labels for part in parts(splits)]).mean()
    for domain in data.DOMAINS:
        one = data.load_sentences(domains=domain, seed=seed)
        sizes = np.array([len(part) for part in parts(one)])
        assert np.abs(sizes / sizes.sum() - [0.60, 0.15, 0.25]).max() < 0.03
        shares = np.array([part.labels.mean() for part in parts(one)])
        # Reviews and articles stay whole, so their shares of positive sentences differ a little
        # more.
        assert np.abs(shares - shares[0]).max() < (
            0.02 if domain in ("movies", "tweets") else 0.07
        )
    for part in parts(splits):
        assert abs(part.labels.mean() - everything) < 0.02


def test_a_sentence_keeps_its_split_whatever_is_loaded(reviews):
    where = {
        key: part.name for part in parts(data.load_sentences(margin=0)) for key in part.info["key"]
    }
    for splits in (
        reviews,
        data.load_sentences(domains=["tweets", "movies"]),
        data.load_sentences(domains="products", margin=1),
    ):
        assert all(where[key] == part.name for part in parts(splits) for key in part.info["key"])
    assert data.load_sentences(domains=["tweets", "movies"]).domains == ("movies", "tweets")


@pytest.mark.parametrize("seed", list(KEYS))
def test_the_split_of_a_seed_is_the_same_on_every_machine(seed):
    assert keys_digest(data.load_sentences(seed=seed)) == KEYS[seed]


@pytest.mark.parametrize("seed", [0, 1])
def test_subsets_are_nested_and_balanced(reviews, seed):
    inner = set()
    for wanted in (1, 10, 100, 2500):
        few = reviews.train.take(wanted, seed)
        assert (np.bincount(few.labels) == wanted).all() and inner < set(few.info["key"])
        inner = set(few.info["key"])
    where = {key: row for row, key in enumerate(reviews.train.info["key"])}
    assert all(
        reviews.train.texts[where[key]] == text for key, text in zip(few.info["key"], few.texts)
    )
    limited = data.load_sentences(seed=seed, labels_per_class=10)
    assert len(limited.train) == 20 and len(limited.test) == len(
        data.load_sentences(seed=seed).test
    )


def test_the_card_counts_right():
    card = registry.card("reviews")
    every = data.load_sentences(margin=0)
    labelled = data.load_sentences()
    for domain in data.DOMAINS:
        labels = np.concatenate(
            [part.labels[part.info["domain"] == domain] for part in parts(labelled)]
        )
        assert f"| {(labels == 1).sum():,} | {(labels == 0).sum():,} |" in card
    assert f"{sum(map(len, parts(labelled))):,} of them" in card
    with np.load(registry.path("reviews")) as stored:
        assert f"{len(stored['ratings']):,} English sentences" in card
        assert sum(map(len, parts(every))) == (stored["ratings"] != 0).sum()
        for domain in data.DOMAINS:
            assert f"| {(stored['domains'] == domain).sum():,} |" in card


def test_no_coarse_word_is_left():
    words = re.compile("fuck|shit|nigg|cunt|whore", re.I)
    assert not [
        text
        for part in parts(data.load_sentences(margin=0))
        for text in part.texts
        if words.search(text)
    ]
    fortunes = data.load_text("fortunes")
    assert not [
        each
        for part in parts(fortunes)
        for each in part.documents
        if re.search(r"fuck|shit|\bsex|\bdamn|\bkill", each, re.I)
    ]


def test_what_cannot_be_loaded(reviews):
    assert "Did you mean 'movies'?" in sentence(data.load_sentences, domains=["movie"])
    assert "is empty" in sentence(data.load_sentences, domains=[])
    assert "holds no sentences with labels. " in sentence(data.load_sentences, "digits")
    assert "Did you mean 'reviews'?" in sentence(data.load_sentences, "review")
    for margin in (-0.1, 3.5, "much", True):
        assert "from 0 to 3" in sentence(data.load_sentences, margin=margin)
    assert "not a whole number" in sentence(data.load_sentences, seed=0.5)
    assert "of at least 1" in sentence(data.load_sentences, labels_per_class=0)
    assert "Ask for at most" in sentence(reviews.train.take, 10**6)
    assert "holds no pictures" in sentence(data.load, "reviews")


# --- running text
# ------------------------------------------------------------


@pytest.fixture(scope="module")
def texts():
    return {name: data.load_text(name) for name in TEXTS}


@pytest.mark.parametrize("name", TEXTS)
def test_text_form(texts, name):
    whole = texts[name]
    for part in parts(whole):
        assert (
            part.text.isascii()
            and len(part) == sum(map(len, part.documents))
            and len(part.info) == len(part.documents)
        )
        assert all(document.endswith("\n") and document.strip() for document in part.documents)
        assert "characters" in repr(part)
    keys = [key for part in parts(whole) for key in part.info["key"]]
    assert len(set(keys)) == len(keys)
    assert (
        "train" in repr(whole)
        and "<table" in whole._repr_html_()
        and whole.card.startswith(f"# {name}\n")
    )
    assert (
        hashlib.sha256("|".join(part.text for part in parts(whole)).encode()).hexdigest()[:16]
        == TEXT[name]
    )


@pytest.mark.parametrize("name", TEXTS)
def test_parts_of_a_text_share_no_passage(texts, name):
    said = [re.sub(r"(?m)^    -- .*(\n .*)*", "", part.text) for part in parts(texts[name])]
    # Every 30th run of one part against every run of another finds any common passage of 90
    # characters; the build script, which has more time, looks for 60.
    for one, other in ((0, 1), (0, 2), (1, 2)):
        some = {said[one][at : at + 60] for at in range(0, len(said[one]) - 59, 30)}
        assert not any(said[other][at : at + 60] in some for at in range(len(said[other]) - 59))


def test_the_test_novel_is_whole_and_no_other_is_in_the_test_part(texts):
    sources = [set(part.info["source"]) for part in parts(texts["prose"])]
    assert sources[2] == {"Persuasion"} and len(sources[0]) == 5 and sources[0] == sources[1]
    counts = texts["prose"].counts()
    assert (
        0.04
        < counts.loc["all", "validation"]
        / (counts.loc["all", "train"] + counts.loc["all", "validation"])
        < 0.08
    )
    assert (
        texts["prose"].train.text.count("Emma") > 500
        and "It is a truth universally acknowledged" in texts["prose"].train.text
    )
    assert "Anne" in texts["prose"].test.text and not re.search(
        "Gutenberg|CHAPTER|Chapter [IVX0-9]|  ", texts["prose"].train.text
    )


def test_the_cards_of_the_texts_count_right(texts):
    counts = texts["prose"].counts().sum(axis=1)
    for novel, characters in counts.drop("all").items():
        (row,) = [
            line for line in registry.card("prose").splitlines() if line.startswith(f"| *{novel}*")
        ]
        assert f"{characters:,}" in row
    assert (
        f"{sum(len(part.documents) for part in parts(texts['fortunes'])):,} short sayings"
        in registry.card("fortunes")
    )


@pytest.mark.parametrize("name", TEXTS)
def test_little_text_is_the_beginning_of_more(texts, name):
    train = texts[name].train
    assert (
        train.take(20_000, 1).startswith(train.take(5_000, 1)) and len(train.take(5_000)) == 5_000
    )
    assert train.take(5_000, 1) != train.take(5_000, 2)
    assert train.take(3_000)[:200] in train.text or "\n\n" in train.take(3_000)[:200]


def test_texts_that_cannot_be_loaded(texts):
    assert "Did you mean 'fortunes'?" in sentence(data.load_text, "fortune")
    assert "is no running text" in sentence(data.load_text, "reviews")
    assert "Ask for at most" in sentence(texts["fortunes"].train.take, 10**7)
    assert "of at least 1" in sentence(texts["fortunes"].train.take, 0)


def test_a_damaged_file_is_named(monkeypatch, tmp_path):
    for name in ("registry.toml", "reviews.npz", "prose.npz"):
        content = (registry.DATA / name).read_bytes()
        (tmp_path / name).write_bytes(content if name.endswith("toml") else content[:-10])
    monkeypatch.setattr(registry, "DATA", tmp_path)
    monkeypatch.setattr(registry, "FILE", tmp_path / "registry.toml")
    assert "'reviews' is truncated" in sentence(data.load_sentences)
    assert "'prose' is truncated" in sentence(data.load_text, "prose")
