"""A model's test, its papers, and the files that run without the package."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from translearn import data, report, widgets
from translearn.data import splits as parts
from translearn.errors import CourseError
from translearn.report import card, handing, judging, limits, writing

CLASSES = ("dark", "light | <b>pale</b>", "mid *grey*")  # as strangers name their folders
SIDE = 12


def sentence(call, *args, **options) -> str:
    with pytest.raises(CourseError) as caught:
        call(*args, **options)
    return str(caught.value)


# ---- Numbers ----


def test_intervals_hold_the_truth_in_about_95_of_100_test_sets():
    random = np.random.default_rng(0)
    truth, pictures = np.array([0.5, 0.7, 0.9, 0.95, 0.99, 0.8]), np.array([5, 10, 8, 12, 6, 20])
    bounds = [
        judging.balanced_interval(random.binomial(pictures, truth), pictures) for _ in range(1000)
    ]
    low, high = np.transpose(bounds)
    assert 0.93 < np.mean((low <= truth.mean()) & (truth.mean() <= high)) < 0.99
    low, high = np.transpose([judging.wilson(random.binomial(20, 0.9), 20) for _ in range(1000)])
    assert 0.92 < np.mean((low <= 0.9) & (0.9 <= high)) < 0.99


def test_an_interval_is_no_point_where_all_are_right_and_knows_published_values():
    assert judging.wilson(10, 10) == (pytest.approx(0.7225, abs=1e-4), 1.0)
    assert judging.wilson(1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-4)  # Agresti & Coull
    low, high = judging.balanced_interval([5, 5], [5, 5])
    assert 0.5 < low < 0.8 and high == 1
    assert judging.balanced_interval([3, 0], [4, 0]) == pytest.approx(judging.wilson(3, 4))


def test_calibration_is_near_nothing_when_probabilities_mean_what_they_say():
    random = np.random.default_rng(1)
    probabilities = random.dirichlet([1, 1, 1], 5000)
    labels = np.array([random.choice(3, p=row) for row in probabilities])
    honest = judging.calibration(labels, probabilities, None)
    assert honest["ece"] < honest["chance limit"] < 0.03
    assert sum(row["pictures"] for row in honest["table"]) == 5000

    sharp = judging.warmed(probabilities, 0.5)  # surer than it should be
    warmth = judging.temperature(labels[:2500], sharp[:2500])
    assert warmth == pytest.approx(2, rel=0.08)
    found = judging.calibration(labels[2500:], sharp[2500:], warmth)
    assert found["ece"] > 0.1 > 0.03 > found["with temperature"]["ece"]
    assert found["with temperature"]["log loss"] < found["log loss"]
    assert judging.temperature(labels[:5], sharp[:5]) is None


def test_on_few_pictures_nobody_shows_no_calibration_error():
    mean, limit = judging.chance_ece(np.full(20, 0.75))
    assert 0.05 < mean < limit < 0.3


def test_the_best_of_equals_looks_better_than_it_is():
    # Means of the largest of 1, 2 and 5 normal numbers, as tables of order statistics have them.
    assert [judging.luck(n) for n in (1, 2, 5)] == pytest.approx([0, 0.5642, 1.1630], abs=1e-3)


# ---- A model to be tested ----


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def pictures(seed=0, each=20, channels=3, name="greys"):
    """Splits of noisy pictures of three greys."""
    random = np.random.default_rng(seed)
    found = {}
    for part, count in zip(parts.PARTS, (each, each, each)):
        labels = np.repeat(np.arange(3), count)
        grey = np.array([60, 190, 125])[labels][:, None, None, None]
        noise = random.normal(0, 45, (len(labels), SIDE, SIDE, channels))
        shift = random.normal(0, 40, (len(labels), 1, 1, 1))
        images = np.clip(grey + noise + shift, 0, 255).astype(np.uint8)
        keys = [f"{part}/{CLASSES[label]}/{row}.png" for row, label in enumerate(labels)]
        info = pd.DataFrame({"key": keys})
        found[part] = parts.Split(images, labels, info, CLASSES, part)
    return data.Splits(
        name, class_names=CLASSES, card=data.Card(""), said=("A <sentence>.",), **found
    )


def network(channels=3, sharpness=1.0, side=SIDE):
    """Told by its mean grey: pixels in, probabilities out, of Keras's layers alone."""
    import keras

    inputs = keras.Input((side, side, channels))
    x = keras.layers.Resizing(8, 8)(inputs)
    x = keras.layers.Rescaling(1 / 255)(x)
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(3, activation="softmax")(x)
    model = keras.Model(inputs, outputs)
    kernel = np.zeros((3, 3, channels, 1), np.float32)
    kernel[1, 1] = 1
    model.layers[-3].set_weights([kernel, np.zeros(channels, np.float32)])
    weights = np.tile(sharpness * np.array([[-40.0, 40, 0]]), (channels, 1)) / channels
    bias = sharpness * np.array([15, -25.0, 0])
    model.layers[-1].set_weights([weights.astype(np.float32), bias.astype(np.float32)])
    return model


class Record:
    """As a recipe keeps it."""

    def to_dict(self):
        return {
            "plan": ["one frozen pass", "two heads"],
            "tried": [
                {"arm": "LDA & friends", "score": 0.71, "spread": 0.03, "seconds": 4.5},
                {"arm": "logistic regression", "score": 0.7, "spread": 0.04, "seconds": 6.25},
            ],
            "chosen": "LDA & friends",
            "score": 0.7125,
            "spent": 18.25,
            "seconds": 20.0,
            "seed": 0,
            "ended": "interrupted",
            "inference": 12.5,
        }


class Looked:
    sentences = ["One picture of train has a copy in test."]
    findings = pd.DataFrame(
        {"kind": ["leak", "dark"], "split": "train", "key": ["train/dark/0.png", "c"],
         "other": ["d", ""], "score": [np.nan, 0.5],
         "sentence": ["a<b is also in test.", "c is dark."]}
    )  # fmt: skip

    def sheet(self, kind=None):
        from translearn import plots

        fig, _ = plots.plt.subplots(figsize=(2, 1))
        fig.alt = "Two pictures, <one> a leak."
        return fig


OPINION = SimpleNamespace(
    verdict="sick",
    findings=[
        SimpleNamespace(name="overfitting", evidence="0.9 > 0.5 & rising", remedies=["stop"])
    ],
    missing=["Watch it."],
    seen=["5 epochs"],
)


@pytest.fixture(scope="module")
def splits():
    return pictures()


@pytest.fixture(scope="module")
def model():
    model = network()
    model.record = Record()
    return model


@pytest.fixture(scope="module")
def tested(model, splits):
    return report.test_once(model, splits)


@pytest.fixture(scope="module")
def folder(model, splits, tested, tmp_path_factory):
    """Everything that is handed over, int8 too, and the papers."""
    folder = tmp_path_factory.mktemp("handed") / "pets & more"
    report.hand_over(folder, model, CLASSES, splits, int8=True)
    report.write(
        folder, model, splits, tested, looked=Looked(), diagnosis=OPINION, licence="CC-BY-4.0",
        author="A. <Reader>",
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def record(folder):
    return json.loads((folder / "record.json").read_text(encoding="utf-8"))


# ---- The test set, once ----


def test_scores_are_those_of_scikit_learn(tested, model, splits):
    from sklearn import metrics

    said = model.predict(splits.test.images, verbose=0)
    labels, guesses = splits.test.labels, said.argmax(axis=1)
    assert tested.accuracy == pytest.approx(metrics.accuracy_score(labels, guesses))
    assert tested.balanced_accuracy == metrics.balanced_accuracy_score(labels, guesses)
    assert (tested.confusion.to_numpy() == metrics.confusion_matrix(labels, guesses)).all()
    assert tested.calibration["log loss"] == pytest.approx(metrics.log_loss(labels, said), 1e-4)
    assert 0.5 < tested.accuracy < 1, "a test that can tell"
    low, high = tested.accuracy_interval
    assert low < tested.accuracy < high and tested.majority == pytest.approx(1 / 3)
    worst = tested.mistakes
    assert (worst["label"] != worst["guess"]).all() and worst["confidence"].is_monotonic_decreasing
    assert len(worst) == (guesses != labels).sum()
    assert worst["key"][0] == splits.test.info["key"][worst["row"][0]]
    assert worst["guess"][0] in tested.sheet(splits.test).alt


def test_asked_twice_it_gives_the_first_result_and_says_so(tested, model, splits, monkeypatch):
    import keras

    monkeypatch.setattr(keras.Model, "predict", None)  # no second look
    again = report.test_once(model, splits)
    assert again.again and not tested.again
    assert (again.probabilities == tested.probabilities).all() and again.when == tested.when
    assert "tested on these pictures before" in repr(again) and "before" not in repr(tested)
    assert "first result" in again._repr_html_()


def test_another_model_on_the_same_pictures_is_told_how_many_looked_before(tested, splits):
    other = report.test_once(network(sharpness=0.5), splits)
    assert (tested.looks, other.looks, other.again) == (1, 2, False)
    assert "1 other model was tested on these pictures before" in repr(other)
    larger = pictures()  # the same pictures by name in another size are no new test set
    for part in parts.PARTS:
        split = getattr(larger, part)
        smaller = dataclasses.replace(split, images=split.images[:, :10, :10])
        larger = dataclasses.replace(larger, **{part: smaller})
    third = report.test_once(network(side=10), larger)
    assert third.looks == 3 and "2 other models were" in repr(third)
    assert report.test_once(network(), pictures(seed=5, name="others")).looks == 1


def test_a_damaged_memory_is_no_result(splits, monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    model = network()
    first = report.test_once(model, splits)
    (file,) = tmp_path.rglob("*.json")
    file.write_text('{"probabilities": [[1, 2]]}')
    second = report.test_once(model, splits)
    assert not second.again and (second.probabilities == first.probabilities).all()


def test_a_model_that_does_not_fit_is_refused_in_a_sentence(splits):
    import keras

    logits = keras.Model(*(m := network()).inputs, m.layers[-2].output)
    assert "no probabilities" in sentence(report.test_once, logits, splits)
    assert "takes pictures of 9 x 9 x 3" in sentence(report.test_once, network(side=9), splits)
    two = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    assert "One probability for each class" in sentence(report.test_once, two, splits)


# ---- The papers ----


def test_the_page_stands_alone_and_escapes_what_strangers_wrote(folder):
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "<b>pale" not in html and "light | &lt;b&gt;pale&lt;/b&gt;" in html
    assert "A. &lt;Reader&gt;" in html and "A &lt;sentence&gt;." in html
    assert "a&lt;b is also in test." in html and "0.9 &gt; 0.5 &amp; rising" in html
    assert 'alt="Two pictures, &lt;one&gt; a leak."' in html
    for place in re.findall(r'(?:src|href)="([^"]*)"', html):
        assert place.startswith(("data:image/png;base64,", "#")), place
    assert "@import" not in html and "url(" not in html and "<script" not in html
    assert all(" alt=" in each for each in re.findall(r"<img [^>]*>", html))
    for words in (
        "LDA &amp; friends",
        "Limits",
        "Confusion matrix",
        "model_int8.tflite",
        "overfitting",
    ):
        assert words in html


def test_every_number_on_the_papers_comes_from_the_record(folder, record, tested):
    """Change the record, and the papers say something else."""
    shown = {"mistakes": [], "sheet": None}
    changed = json.loads(json.dumps(record))
    changed["test"] |= {"balanced accuracy": 0.1234, "accuracy": 0.4321, "pictures": 987654}
    changed["test"]["calibration"]["ece"] = 0.0567
    changed["cost"]["milliseconds"] = 765.4
    html = writing.page(changed, shown).replace("\u00a0", " ")
    readme = card.card(changed)
    for number in ("12.3 %", "43.2 %", "987654", "5.7 %"):
        assert number in html and number in readme, number
    assert "765.4" in html
    numbers = re.findall(r"\d+\.\d+", card.card(record).partition("## Training")[2])
    known = json.dumps(record) + " ".join(
        f"{100 * float(each):.1f}" for each in re.findall(r"\d\.\d+(?:e-\d+)?", json.dumps(record))
    )
    assert len(numbers) > 10 and not [each for each in numbers if each not in known]
    assert record["test"]["balanced accuracy"] == tested.balanced_accuracy
    assert len(record["test"]["probabilities"]) == len(tested.labels)


def test_the_card_is_one_that_the_hub_reads(folder, tested):
    from huggingface_hub import ModelCard
    from huggingface_hub.repocard import metadata_load

    readme = ModelCard.load(folder / "README.md")
    head = readme.data.to_dict()
    assert head == metadata_load(folder / "README.md")
    assert head["license"] == "cc-by-4.0" and head["library_name"] == "keras"
    assert head["pipeline_tag"] == "image-classification" and "litert" in head["tags"]
    results = {each.metric_type: each for each in readme.data.eval_results}
    assert results["balanced_accuracy"].metric_value == round(tested.balanced_accuracy, 4)
    assert results["accuracy"].metric_value == round(tested.accuracy, 4)
    assert results["accuracy"].dataset_split == "test"
    assert results["accuracy"].task_type == "image-classification"
    assert r"light \| \<b\>pale\</b\>" in readme.text and r"mid \*grey\*" in readme.text


@pytest.mark.parametrize(
    "licence, head",
    [
        (None, {"license": "unknown"}),
        ("mit", {"license": "mit"}),
        ("for my class: yes", {"license": "other", "license_name": "for my class: yes"}),
    ],
)
def test_a_licence_is_named_as_the_hub_wants_it(record, licence, head):
    from huggingface_hub import ModelCard

    found = ModelCard(card.card(record | {"licence": licence})).data.to_dict()
    assert {key: found.get(key) for key in head} == head


def test_limits_follow_the_numbers(record):
    said = " ".join(record["limits"])
    assert "60 pictures. The true balanced accuracy may lie" in said
    assert (
        "1 picture has a copy or near copy in a later split" in said
        and "interrupted" in said
        and "A shift was not tested" in said
    )
    assert "better than guessing" not in said and "No licence" not in said

    def of(**changes):
        changed = json.loads(json.dumps(record))
        for path, value in changes.items():
            *way, last = path.split("__")
            place = changed
            for each in way:
                place = place[each.replace("_", " ")]
            place[last.replace("_", " ")] = value
        return " ".join(limits.limits(changed))

    assert "not shown to be better than guessing" in of(test__balanced_interval=[0.3, 0.4])
    assert "may lie" not in of(test__balanced_interval=[0.80, 0.85])
    assert "Nobody looked for copies" in of(look=None) and "near copy" not in of(look=None)
    assert "near copy" not in of(look__leaks_left_in=0)
    assert "guesses otherwise" not in of(hand_over=None)
    file = record["hand over"]["files"][0] | {"file": "model_int8.tflite", "same": 0.75}
    assert "model_int8.tflite guesses otherwise than model.keras on 25.0 % of 60" in of(
        hand_over={"files": [file]}
    )
    assert "No licence was named" in of(licence=None)
    confused = of(test__confusion=[[20, 0, 0], [0, 12, 8], [0, 0, 20]])
    assert f"It took 8 of 20 pictures of {CLASSES[1]} for {CLASSES[2]}." in confused
    surer = record["test"]["calibration"] | {"ece": 0.4, "mean confidence": 0.99}
    assert "It is more sure than it should be" in of(test__calibration=surer)
    calm = record["test"]["calibration"] | {"ece": 0.01}
    assert "than it should be" not in of(test__calibration=calm)
    weak = json.loads(json.dumps(record["test"]["recalls"]))
    weak[0] |= {"right": 2, "recall": 0.1}
    assert "of dark it recognised 2" in of(test__recalls=weak)
    assert "Classes are uneven" in of(data__counts__train=dict(zip(CLASSES, (90, 90, 5))))
    weak[0] |= {"pictures": 1, "right": 0, "recall": 0.0}
    assert "Of 1 test picture of dark it recognised 0" in of(test__recalls=weak)
    assert "padded" in of(data__fit="pad") and "cut to their middle" not in of(data__fit="pad")
    assert "2 other models" in of(test__looks=3, test__looks_sentence="2 other models …")


def test_one_of_a_thing_is_not_called_several(record):
    one = json.loads(json.dumps(record))
    mistake = {"key": "a", "label": CLASSES[0], "guess": CLASSES[1], "confidence": 0.9}
    one["test"] |= {"pictures": 1, "mistakes": [mistake]}
    one["test"]["calibration"]["fitted on"] = 1
    one["machine"]["cores"] = one["data"]["size"][2] = 1
    one["look"] |= {"findings": one["look"]["findings"][:1], "left out": 0}
    one["data"]["counts"]["train"] = dict.fromkeys(CLASSES, 0) | {CLASSES[0]: 1}
    one["limits"] = limits.limits(one)
    shown = {"mistakes": ["data:,"], "sheet": None}
    for said in (writing.page(one, shown), card.card(one)):
        several = r"\b1 (?:\w+ )?(?:pictures|findings|cores|channels|models|files|classes)\b"
        assert not re.findall(several, said) and "1 test picture" in said


def test_a_test_of_another_model_or_folder_is_no_basis(tmp_path, model, splits, tested):
    write = report.write
    assert "of another model" in sentence(write, tmp_path, network(sharpness=2), splits, tested)
    assert "of other pictures" in sentence(write, tmp_path, model, pictures(seed=3), tested)
    (tmp_path / "README.md").write_text("mine")
    assert "was not written here" in sentence(write, tmp_path, model, splits, tested)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_bare_model_gets_its_papers_too_again_and_again(tmp_path, splits):
    model = network(sharpness=3)
    tested = report.test_once(model, splits)
    for _ in range(2):
        page = report.write(tmp_path, model, splits, tested)
    html = page.read_text(encoding="utf-8")
    assert "keeps no record" in html and "No look at the data" in html and "No licence" in html
    assert {each.name for each in tmp_path.iterdir()} == {
        "report.html",
        "README.md",
        "record.json",
    }


def few(class_names, test, side=SIDE):
    """Noise with these class names and these labels in the test set."""
    found, random = {}, np.random.default_rng(0)
    every = list(range(len(class_names)))
    for part, labels in zip(parts.PARTS, (every * 3, every, test)):
        images = random.integers(0, 256, (len(labels), side, side, 3), np.uint8)
        info = pd.DataFrame({"key": [f"{part}/{row}" for row in range(len(labels))]})
        found[part] = parts.Split(images, np.array(labels), info, class_names, part)
    return data.Splits("few", class_names=class_names, card=data.Card(""), **found)


@pytest.mark.parametrize(
    "class_names, test",
    [
        (("all", "none", "items"), [0, 1, 2, 2]),
        ((0, 1, 2), [0, 1, 2]),
        (("", "a\nb", "{{ 1 }}<script>"), [0, 1]),  # and none of the third
    ],
)
def test_any_names_and_a_tiny_test_set_get_their_papers(class_names, test, tmp_path, model):
    splits = few(class_names, test)
    tested = report.test_once(model, splits)
    html = report.write(tmp_path, model, splits, tested).read_text(encoding="utf-8")
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    names = [str(name) for name in class_names]
    assert record["data"]["counts"]["train"] == dict.fromkeys(names, 3)
    assert splits.counts()["train"].tolist() == [3, 3, 3, 9]
    assert "<script" not in html
    nothing = dataclasses.replace(splits, validation=few(class_names, []).test)
    assert handing._pictures(nothing, (SIDE, SIDE, 3))[1] is None  # random pixels serve instead
    none = few(class_names, [])
    assert "no test picture" in sentence(report.test_once, model, none)


def test_papers_that_were_interrupted_are_written_the_next_time(
    tmp_path, model, splits, tested, monkeypatch
):
    put, folder = writing._put, tmp_path / "pets"

    def interrupted(file, text):
        if any(folder.iterdir()):
            raise KeyboardInterrupt
        put(file, text)

    monkeypatch.setattr(writing, "_put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        report.write(folder, model, splits, tested)
    monkeypatch.setattr(writing, "_put", put)
    assert report.write(folder, model, splits, tested).exists()


def test_where_nothing_can_be_written_is_said_in_a_sentence(
    tmp_path, model, splits, tested, monkeypatch
):
    (tmp_path / "file").write_text("mine")
    folder = tmp_path / "file" / "pets"
    for call, given in (
        (report.write, (model, splits, tested)),
        (report.hand_over, (model, CLASSES, splits)),
    ):
        assert "Name another folder" in sentence(call, folder, *given)
    assert "Pass what report.test_once" in sentence(report.write, tmp_path, model, splits, None)
    assert "got str and Splits" in sentence(report.test_once, "model", splits)
    monkeypatch.setenv("TRANSLEARN_CACHE", str(folder))
    with pytest.warns(UserWarning, match="could not be remembered"):
        again = report.test_once(model, splits)  # it was not for nothing
    assert (again.probabilities == tested.probabilities).all()


# ---- The files ----


def alone(folder, code, *blocked):
    """Run code in a process in which some packages cannot be imported, far from the course."""
    head = f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", head + code],
        cwd=folder,
        env={"PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


SCRIPT = "import runpy; sys.argv = ['predict.py', *{files!r}]; runpy.run_path({script!r})\n"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Files with what a camera does, and each as it is read for training."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for name, size, grey in (("wide.png", (41, 22), 70), ("tall.png", (20, 35), 180)):
        noise = np.clip(random.normal(grey, 30, (*size[::-1], 3)), 0, 255).astype(np.uint8)
        noise[:, : size[0] // 4] = 255 - grey
        Image.fromarray(noise).save(folder / name)
    turned = Image.open(folder / "wide.png")
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif, quality=95)
    clear = Image.open(folder / "tall.png").convert("RGBA")
    clear.putalpha(90)
    clear.save(folder / "clear.png")
    deep = 257 * np.asarray(Image.open(folder / "tall.png").convert("L")).astype(np.uint16)
    Image.fromarray(deep).save(folder / "deep.png")
    Image.open(folder / "wide.png").convert("CMYK").save(folder / "ink.jpg", quality=95)
    return sorted(folder.iterdir())


def test_the_keras_file_runs_without_the_package(folder, splits, tested, photos, tmp_path, model):
    np.save(tmp_path / "pixels.npy", splits.test.images)
    only = tmp_path / "only"
    only.mkdir()
    for name in ("model.keras", "classes.txt", "predict_keras.py"):
        shutil.copy(folder / name, only)
    code = f"""
import keras, numpy as np
model = keras.models.load_model({str(only / "model.keras")!r})
np.save("said.npy", model.predict(np.load("pixels.npy"), verbose=0))
""" + SCRIPT.format(files=[str(each) for each in photos], script=str(only / "predict_keras.py"))
    said = alone(tmp_path, code, "translearn", "ai_edge_litert")
    assert np.abs(np.load(tmp_path / "said.npy") - tested.probabilities).max() < 1e-5
    assert said.splitlines() == told(model, photos)


def told(model, photos, fit="cut"):
    """What predict.py has to say: what the model says of the pictures as they are read here."""
    lines, drop = [], widgets.drop(model, CLASSES, fit)
    for file in photos:
        first = drop.show(file).iloc[0]
        lines.append(f"{file}: {first['class']} ({first['probability']:.0%})")
    return lines


def test_the_litert_file_runs_without_tensorflow(folder, splits, tested, photos, tmp_path, model):
    np.save(tmp_path / "pixels.npy", splits.test.images[:9])
    code = f"""
import numpy as np
from ai_edge_litert.interpreter import Interpreter
run = Interpreter({str(folder / "model.tflite")!r}).get_signature_runner()
pixels = np.load("pixels.npy").astype(np.float32)
one = np.concatenate([run(pixels=pixels[row : row + 1])["output_0"] for row in range(len(pixels))])
np.save("said.npy", np.stack([one, run(pixels=pixels)["output_0"]]))
""" + SCRIPT.format(files=[str(each) for each in photos], script=str(folder / "predict.py"))
    said = alone(tmp_path, code, "translearn", "tensorflow", "keras")
    assert np.abs(np.load(tmp_path / "said.npy") - tested.probabilities[:9]).max() < 1e-5
    assert said.splitlines() == told(model, photos)


def test_what_was_handed_over_says_how_it_compares(folder, record, splits):
    files = {each["file"]: each for each in record["hand over"]["files"]}
    assert list(files) == ["model.keras", "model.tflite", "model_int8.tflite"]
    assert files["model.keras"]["difference"] < 1e-5 and files["model.tflite"]["difference"] < 1e-5
    assert 1e-5 < files["model_int8.tflite"]["difference"] < 0.3
    assert all(each["same"] > 0.9 and each["pictures"] == 60 for each in files.values())
    said = (folder / "model.tflite").stat().st_size / 1e6
    assert files["model.tflite"]["megabytes"] == said and files["model.tflite"]["milliseconds"] > 0
    assert (folder / "classes.txt").read_text().splitlines() == list(CLASSES)
    for name in ("predict.py", "predict_keras.py"):
        text = (folder / name).read_text()
        assert f"python {name} photo.jpg" in text
        lines = [line for line in text.partition("here =")[2].splitlines() if line.strip()]
        assert len(lines) <= 15 and max(map(len, text.splitlines())) < 100


def test_a_model_that_would_not_load_elsewhere_is_not_handed_over(tmp_path, model, splits):
    import keras

    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Flatten()(Mine(name="mine")(inputs))
    own = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    hand_over = report.hand_over
    assert "The layer 'mine' is a Mine" in sentence(hand_over, tmp_path, own, CLASSES)
    anysize = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D()]
    )
    assert "pictures of one size" in sentence(hand_over, tmp_path, anysize, CLASSES)
    assert "int8 needs pictures" in sentence(hand_over, tmp_path, model, CLASSES, int8=True)
    assert "One probability" in sentence(hand_over, tmp_path, model, CLASSES[:2])
    assert "'crop' is not known" in sentence(hand_over, tmp_path, model, CLASSES, fit="crop")
    assert list(tmp_path.iterdir()) == []


# ---- Dropping a picture ----


def test_a_dropped_picture_is_shown_with_what_the_model_says(model, photos, splits, monkeypatch):
    from translearn import page
    from translearn.report import dropping

    outputs = []
    monkeypatch.setattr(page, "show", lambda html, text, *_, **__: outputs.append((html, text)))
    drop = widgets.drop(model, CLASSES)
    table = drop.show(photos[0])
    assert list(table.columns) == ["class", "probability"] and set(table["class"]) == set(CLASSES)
    assert table["probability"].is_monotonic_decreasing
    html, text = outputs[-1]
    assert "&lt;b&gt;pale" in html and "<b>pale" not in html and 'scope="row"' in html
    assert f'alt="{photos[0].name} as the model sees it' in html and text.startswith(
        photos[0].name
    )

    blob = photos[0].read_bytes()  # as the browser sends it, in pieces
    for at in range(0, len(blob), 300):
        content = {"name": "<i>.png", "size": len(blob), "at": at}
        drop._take(None, content, [memoryview(blob[at : at + 300])])
    html, text = outputs[-1]
    assert text.partition(":")[2] == outputs[0][1].partition(":")[2]
    assert "&lt;i&gt;.png" in html and "<i>" not in html

    for content, buffers, words in (
        ({"name": "a.txt", "size": 3, "at": 0}, [b"abc"], "a.txt cannot be shown: not a picture"),
        ({"name": "a.png", "size": 0, "at": 0}, [b""], "a.png cannot be shown: empty"),
        ({"name": "", "size": 0, "at": 0}, [], "What was dropped cannot be shown"),
        ({"name": "a.png", "size": 10**9, "at": 0}, [], "more than 100 million bytes"),
    ):
        drop._take(None, content, buffers)
        assert words in outputs[-1][1] and 'role="alert"' in outputs[-1][0]
    assert drop.show("nowhere.png") is None and "gone" in outputs[-1][1]
    monkeypatch.setattr(dropping, "read", None)
    drop._take(None, {"name": "a.png", "size": 0, "at": 0}, [])
    assert "TypeError" in outputs[-1][1], "nothing vanishes in a callback"
    assert "3 outputs, and there are 2 class names" in sentence(widgets.drop, model, CLASSES[:2])


def test_a_dropped_picture_is_not_told_of_with_what_is_no_probability(photos):
    import keras

    logits = keras.Model(*(m := network()).inputs, m.layers[-2].output)
    flat = keras.Model(
        logits.inputs, keras.layers.Dense(3)(keras.layers.Flatten()(logits.outputs[0]))
    )
    assert "no probabilities" in sentence(widgets.drop(flat, CLASSES).show, photos[0])


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_predict_makes_a_picture_square_as_training_did(fit, folder, photos, tmp_path, model):
    for name in ("model.tflite", "classes.txt"):
        shutil.copy(folder / name, tmp_path)
    (tmp_path / "predict.py").write_text(handing.script_for("predict.py", "LiteRT", SIDE, 3, fit))
    code = SCRIPT.format(files=[str(each) for each in photos], script=str(tmp_path / "predict.py"))
    said = alone(tmp_path, code, "translearn", "tensorflow", "keras")
    assert said.splitlines() == told(model, photos, fit) != told(model, photos)


def test_grey_pictures_go_all_the_way(tmp_path, photos):
    splits, model = pictures(channels=1, name="grey"), network(channels=1)
    report.hand_over(tmp_path, model, CLASSES, splits)
    report.write(tmp_path, model, splits, report.test_once(model, splits))
    code = SCRIPT.format(files=[str(each) for each in photos], script=str(tmp_path / "predict.py"))
    said = alone(tmp_path, code, "translearn", "tensorflow", "keras")
    assert said.splitlines() == told(model, photos)
