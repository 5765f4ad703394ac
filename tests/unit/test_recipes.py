"""The recommended recipe: in time, on training pictures alone, and a plain model in the end."""

import itertools
import json
import warnings
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from translearn import recipes
from translearn.errors import CourseError
from translearn.recipes import frozen, linear, names


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))


class Poisoned:
    """A split that nobody may look into."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was read of a split that is not for training")


def pictures(counts=(6, 6, 6), side=16, channels=3, seed=0):
    """Splits of noise around a level of its own for each class; only train may be read."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    images = draw.normal(40 + 60 * labels[:, None, None, None], 25, (len(labels), side, side, 1))
    images = np.repeat(np.clip(images, 0, 255).astype(np.uint8), channels, axis=3)
    train = SimpleNamespace(images=images, labels=labels)
    kinds = tuple(f"kind {number}" for number in range(len(counts)))
    return SimpleNamespace(
        name="noise", train=train, validation=Poisoned(), test=Poisoned(), class_names=kinds
    )


class Pretended:
    """Features and a clock that cost what they say."""

    def __init__(self, milliseconds=1.0):
        self.now, self.each, self.seen = 0.0, milliseconds / 1000, 0

    def clock(self):
        return self.now

    def features(self, images, size, mirror=False, blocks=frozen.BLOCKS):
        self.now += self.each * len(images)
        self.seen = max(self.seen, len(images))
        level = images.reshape(len(images), -1).mean(axis=1, keepdims=True) / 255
        return {
            name: level * np.linspace(0, 1, width, dtype=np.float32)
            for name, width in zip(frozen.BLOCKS, frozen.CHANNELS)
        }


def recommended(splits, seconds=60, **more):
    more = {"sizes": (32,), "names": False, "progress": False} | more
    return recipes.recommended(splits, seconds, **more)


# ---- The model


@pytest.mark.parametrize("channels", [1, 3])
def test_the_model_is_plain_says_what_was_scored_and_saw_training_pictures_alone(
    channels, tmp_path
):
    splits, answers = pictures(channels=channels), []
    model = recommended(splits, on_answer=answers.append)
    images = splits.train.images
    found = model.predict(images, verbose=0)
    assert found.shape == (18, 3) and np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert len(answers) >= 3  # the grid, one view, the mirrored one
    np.testing.assert_allclose(found, answers[-1](images), atol=1e-4)
    assert model.evaluate(images, splits.train.labels, verbose=0)[1] > 0.9
    model.save(tmp_path / "model.keras")
    config = zipfile.ZipFile(tmp_path / "model.keras").read("config.json").decode()
    assert "translearn" not in config and "Lambda" not in config
    import keras

    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(images, verbose=0), found, atol=1e-6)
    assert again.get_layer("linear").kernel.shape == (sum(frozen.CHANNELS), 3)


def test_the_names_are_part_of_the_model(monkeypatch, tmp_path):
    # Every class of ImageNet is likeliest to be the first of ours, and so is every picture.
    likely = np.tile(np.array([[0.8, 0.1, 0.1]], np.float32), (1000, 1))
    monkeypatch.setattr(names, "likeness", lambda class_names, tick: likely)
    monkeypatch.setattr(names, "trusted", lambda logits, guess, labels: (2.0, 1.0))
    splits, answers = pictures(), []
    model = recommended(splits, names=True, on_answer=answers.append)
    assert "with the names" in model.record.chosen
    found = model.predict(splits.train.images, verbose=0)
    np.testing.assert_allclose(found, answers[-1](splits.train.images), atol=1e-4)
    import keras

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(splits.train.images, verbose=0), found, atol=1e-6)


def test_the_same_seed_gives_the_same_model():
    one, two = (recommended(pictures(), seed=3).get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two))


# ---- Time


def test_a_tiny_budget_gives_an_answer():
    model = recommended(pictures(), seconds=0.01)
    assert model.record.ended == "out of time" and "grid" in model.record.chosen
    assert model.predict(np.zeros((2, 16, 16, 3), np.uint8), verbose=0).shape == (2, 3)


def test_many_pictures_stay_in_time_and_use_what_fits():
    pretended, splits = Pretended(milliseconds=20), pictures((100, 100, 100), side=8)
    model = recommended(splits, 5, features=pretended.features, clock=pretended.clock)
    assert model.record.spent <= 5 * 1.15
    assert 100 < pretended.seen < 300 and "32 px" in model.record.chosen


def test_an_interruption_leaves_the_best_so_far():
    pretended, calls = Pretended(), itertools.count()

    def features(*args):
        if next(calls) == 3:  # two to measure the speed, one for the first look
            raise KeyboardInterrupt
        return pretended.features(*args)

    model = recommended(pictures(), features=features, clock=pretended.clock)
    assert model.record.ended == "interrupted" and model.record.chosen == "32 px"


def test_features_are_remembered_and_found_again(monkeypatch):
    images = pictures().train.images
    found = frozen.features(images, 32)
    monkeypatch.setattr(frozen, "BATCH", None)  # a second pass would stumble over it
    again = frozen.features(images, 32)
    assert all(np.array_equal(found[name], again[name]) for name in frozen.BLOCKS)
    assert [found[name].shape[1] for name in frozen.BLOCKS] == list(frozen.CHANNELS)


# ---- The record, and what is refused


def test_a_class_with_one_picture_is_learnt_but_not_held_out(capsys):
    pretended, splits = Pretended(), pictures((1, 7, 5))
    model = recommended(splits, features=pretended.features, clock=pretended.clock, progress=True)
    assert "1 of 3 classes has a single picture: it is learnt" in capsys.readouterr().out
    held_out = model.record.out_of_fold
    assert np.isnan(held_out[0]).all() and np.isfinite(held_out[1:]).all()
    again = recipes.Record.from_dict(json.loads(json.dumps(model.record.to_dict())))
    np.testing.assert_allclose(again.out_of_fold, held_out)
    assert again.chosen == model.record.chosen and 0.5 < again.score <= 1
    assert {"arm", "score", "spread", "pictures", "seconds"} == set(again.table().columns)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 0}, "no budget"),
        ({"counts": (3, 0, 3)}, "no training picture"),
        ({"counts": (5,)}, "two classes"),
        ({"channels": 2}, "colour"),
    ],
)
def test_what_cannot_work_is_refused(change, words):
    seconds = change.pop("seconds", 5)
    with pytest.raises(CourseError, match=words):
        recommended(pictures(**change), seconds)


def relabelled(labels):
    splits = pictures()
    splits.train.labels = np.asarray(labels)
    return splits


def scaled():
    splits = pictures()
    splits.train.images = splits.train.images / 255
    return splits


@pytest.mark.parametrize(
    ("splits", "more", "words"),
    [
        (relabelled([0, 1, 2] * 5 + [7, 7, 7]), {}, "has the label 7, and there are 3 class"),
        (pictures(), {"groups": np.arange(40)}, "40 entries, and there are 18 training pictures"),
        (pictures(), {"groups": list("aaaaaabbbbbbcccccc")}, "Every class is one group"),
        (scaled(), {}, "from 0 to 1, and the model takes raw pixels from 0 to 255. Multiply"),
        (pictures(), {"seed": -1}, "seed=-1 is out of range"),
        (pictures(), {"sizes": 160}, "sizes=160 is no list"),
        (pictures(), {"sizes": (0,)}, "size=0 is out of range"),
        (pictures(), {"seconds": float("inf")}, "no budget"),
        (pictures(), {"seconds": "60"}, "no budget"),
        (pictures(), {"seed": None}, "seed=None is not a whole number"),
        ("pets", {}, "wants splits of pictures, and got str"),
    ],
)
def test_what_does_not_go_with_the_pictures_is_refused_before_anything_runs(splits, more, words):
    with pytest.raises(CourseError, match=words):
        recommended(splits, **more)


def test_a_column_that_says_no_more_than_the_labels_holds_no_picture_together():
    pretended, splits = Pretended(), pictures()
    splits.train.info = {"concept": splits.train.labels}
    model = recommended(splits, features=pretended.features, clock=pretended.clock)
    assert np.isfinite(model.record.score) and np.isfinite(model.record.out_of_fold).all()


def test_pictures_of_one_colour_give_probabilities():
    pretended, splits = Pretended(), pictures()
    splits.train.images[:] = 0
    budget = np.int64(60)  # as whoever reckoned it has it
    model = recommended(splits, budget, features=pretended.features, clock=pretended.clock)
    found = model.predict(splits.train.images, verbose=0)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)


def test_copies_of_one_picture_a_class_vary_by_nothing_but_rounding():
    one, two = np.random.default_rng(0).normal(size=(2, 1, 40))
    features = np.concatenate([np.tile(one, (3, 1)), np.tile(two, (7, 1))])
    span, labels = linear.Span(features), np.repeat([0, 1], [3, 7])
    weights, bias = span.outside(*linear.lda(span.inside, labels, 2, span.channels, 0.5))
    assert np.abs(weights).max() < 1e3
    assert ((features @ weights + bias).argmax(axis=1) == labels).all()


def test_a_classifier_that_is_nearly_there_says_nothing_to_the_reader():
    draw = np.random.default_rng(0)
    inside = draw.normal(size=(90, 30)) * np.geomspace(1e-3, 1e4, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        linear.logistic(inside, np.arange(90) % 3, 3, 30, 100.0)


def test_large_pictures_are_copied_a_few_at_a_time(monkeypatch):
    from translearn.recipes import members, working

    images = pictures((40, 40), side=26).train.images
    whole = images[:, :24, :24].astype("float32").reshape(80, 8, 3, 8, 3, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(members.grid(images), whole.reshape(80, -1), rtol=1e-6)

    pretended, splits = Pretended(), pictures((40, 40))
    together = recommended(splits, features=pretended.features, clock=pretended.clock)
    assert pretended.seen == 80
    monkeypatch.setattr(working, "TOGETHER", 16)
    pretended = Pretended()
    apart = recommended(splits, features=pretended.features, clock=pretended.clock)
    assert pretended.seen == 16
    assert all(map(np.array_equal, together.get_weights(), apart.get_weights()))


# ---- The parts


def test_lda_in_the_span_is_lda():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [8, 12, 10])
    features = draw.normal(size=(30, 50)) * draw.uniform(1, 9, 50) + labels[:, None]
    span = linear.Span(features)
    weights, bias = span.outside(*linear.lda(span.inside, labels, 3, span.channels, 0.3))
    scaled = (features - span.mean) / span.scale
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(scaled, labels)
    ours, wanted = features @ weights + bias, theirs.decision_function(scaled)
    difference = ours - wanted  # the same for every class: it does not change probabilities
    # scikit-learn shrinks in standardised units, so it agrees closely and not exactly
    assert (ours.argmax(1) == wanted.argmax(1)).all()
    assert (
        np.corrcoef(
            (ours - ours.mean(1, keepdims=True)).ravel(),
            (wanted - wanted.mean(1, keepdims=True)).ravel(),
        )[0, 1]
        > 0.99
    )
    assert difference.shape == (30, 3)


def test_folds_spread_the_classes_and_keep_groups_together():
    labels = np.repeat([0, 1, 2], [10, 10, 4])
    groups = np.array([*np.arange(10), *np.repeat(np.arange(10, 15), 2), 20, 20, 20, 20])
    fold = linear.folds(labels, 0, groups)
    assert sorted(np.bincount(fold[:10])) == [2, 2, 2, 2, 2]
    assert all(len(set(fold[groups == each])) == 1 for each in groups)
    assert (fold[20:] == -1).all()  # one group: nothing would know the class without it


def test_names_get_weight_when_they_know_and_none_when_they_do_not():
    draw = np.random.default_rng(0)
    labels = np.tile([0, 1, 2, 3], 10)
    logits = draw.normal(size=(40, 4)) + np.eye(4)[labels]
    knowing, ignorant = 2 * np.eye(4)[labels], 3 * draw.normal(size=(40, 4))
    assert names.trusted(logits, knowing, labels)[0] >= 1
    assert names.trusted(logits, ignorant, labels)[0] <= 0.25
    assert names.worth_reading(("cat", "house")) and not names.worth_reading(("0", "1", "a3"))
