"""The rule of evidence against changes: what alters numbers is noticed, what does not is not.

A change that alters numbers is noticed in one of three ways: by what a result rests on, by a
golden value (a helper's numbers changed and its `NUMERICS` was not raised), or by the replay.
"""

import ast
import shutil

import golden
import pytest

from translearn import measure, optim, paths
from translearn.data import splits
from translearn.evidence import replay, rests_on
from translearn.measure import experiment

REAL = paths.ROOT
LESSON = [
    "from translearn import backbones, data, measure, optim, plots, transfer",
    "from translearn.exercises import lesson05 as exercise",
    "emoji = data.load('emoji_styles')\nnet = backbones.load('minilm')",
    "def helper(x):\n    return 2 * x",
    "for layer in net.layers[:3]:\n    layer.trainable = False",
    "scores = []\nscores.append(helper(1))",
    "fig, ax = plt.subplots()\nax.plot(scores)\nplots.show(fig, alt='a line')",
    "def run(seed, rate):\n"
    "    features = transfer.cache_features(net, emoji.train.images)\n"
    "    return {'m': helper(features.mean()) * rate + optim.SGD(rate).rate}",
    "results = measure.compare(run, grid={'rate': [0.1]}, name='toy.scores')",
]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of what the rule reads; returns (read the rule, change a file of it)."""
    shutil.copytree(
        REAL / "translearn", tmp_path / "translearn", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "data").mkdir()
    shutil.copy(REAL / "data" / "registry.toml", tmp_path / "data")
    shutil.copy(REAL / "requirements.lock", tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")

    def change(file, old, new):
        path = tmp_path / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer has {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    change.root = tmp_path
    return change


def rule(cells=LESSON):
    return rests_on.of([ast.parse(cell) for cell in cells])


def edited(old, new):
    assert sum(old in cell for cell in LESSON) == 1
    return [cell.replace(old, new) for cell in LESSON]


# ---------------------------------------------------------------- noticed by what a result rests
# on


@pytest.mark.parametrize(
    "old, new",
    [
        ("[0.1]", "[0.2]"),
        ("return 2 * x", "return 3 * x"),
        ("layers[:3]", "layers[:4]"),
        ("append(helper(1))", "append(helper(1))\nemoji = emoji.train.take(3)"),
        ("'emoji_styles'", "'fashion'"),
        ("* rate +", "* rate -"),
    ],
)
def test_a_change_of_the_cells_is_noticed(old, new):
    assert rests_on.why_stale(rule(), rule(edited(old, new)))


def sha_of(name):
    text = (REAL / "data" / "registry.toml").read_text(encoding="utf-8")
    return text.split(f"[{name}]")[1].split('sha256 = "')[1][:16]


PINS = {name: rests_on.packages()[name] for name in rests_on.PACKAGES}
RESTS_ON = {
    "numbers of transfer": ("translearn/transfer/__init__.py", "NUMERICS = 1", "NUMERICS = 2"),
    "numbers of seeding": ("translearn/measure/__init__.py", "NUMERICS = 1", "NUMERICS = 2"),
    "numbers of networks": ("translearn/backbones/__init__.py", "NUMERICS = 1", "NUMERICS = 2"),
    "a data set": ("data/registry.toml", sha_of("emoji_styles"), "0" * 16),
    "weights": ("data/registry.toml", sha_of("minilm"), "0" * 16),
    "a vocabulary": ("data/registry.toml", sha_of("bert_vocabulary"), "0" * 16),
} | {
    f"{name}'s version": ("requirements.lock", f"\n{pin}=={version}", f"\n{pin}==99.0.0")
    for name, version in PINS.items()
    for pin in (["tensorflow", "tensorflow-cpu"] if name == "tensorflow" else [name])
    if " / " not in version
}


@pytest.mark.parametrize("file, old, new", RESTS_ON.values(), ids=list(RESTS_ON))
def test_a_change_of_numerics_data_or_packages_is_noticed(copy, file, old, new):
    before = rule()
    copy(file, old, new)
    assert len(rests_on.why_stale(before, rule())) == 1


def test_a_package_in_the_place_of_a_module_is_followed(copy):
    before = rule()
    folder = copy.root / "translearn" / "optim"
    folder.mkdir()
    (folder / "__init__.py").write_text("from translearn.optim.rules import *\nNUMERICS = 1\n")
    text = (copy.root / "translearn" / "optim.py").read_text(encoding="utf-8")
    (folder / "rules.py").write_text(text.replace("\nNUMERICS = 1", "\n"), encoding="utf-8")
    (copy.root / "translearn" / "optim.py").unlink()
    assert rule() == before, "moved, with the same number"
    copy("translearn/optim/__init__.py", "NUMERICS = 1", "NUMERICS = 2")
    assert rests_on.why_stale(before, rule()) == ["optim's numbers (NUMERICS 1 → 2)"]


# ---------------------------------------------------------------- noticed by golden values


def shifted_seed(monkeypatch):
    real = experiment.seed_everything
    for module in (measure, experiment):
        monkeypatch.setattr(module, "seed_everything", lambda seed: real(seed + 1))


def changed_split(monkeypatch):
    monkeypatch.setitem(splits.SHARES, "validation", 0.16)


def changed_decay(monkeypatch):
    real = optim.exponential_decay
    monkeypatch.setattr(
        optim, "exponential_decay", lambda rate, *a, **k: real(1.01 * rate, *a, **k)
    )


def changed_rule(monkeypatch):
    real = optim.SGD.update
    monkeypatch.setattr(
        optim.SGD, "update", lambda self, w, g, rate: real(self, w, g, 1.01 * rate)
    )


@pytest.mark.parametrize(
    "mutate, module, name",
    [
        (shifted_seed, "measure", "seeds 0"),
        (shifted_seed, "measure", "seeds 1"),
        (changed_split, "data", "pictures digits"),
        (changed_decay, "optim", "schedules"),
        (changed_rule, "optim", "rules"),
    ],
)
def test_a_helpers_other_numbers_are_noticed_by_its_golden_values(
    mutate, module, name, monkeypatch
):
    assert not golden.difference(module, name)
    mutate(monkeypatch)
    assert f"raise NUMERICS in translearn/{module}" in golden.difference(module, name)


# ---------------------------------------------------------------- noticed by the replay

ENTRY = {
    "runs": [
        ["a", seed, {"score": 0.5 + 0.01 * seed, "loss": 1.0 + 0.1 * seed}, 1.0]
        for seed in range(5)
    ]
}


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m | {"score": m["score"] + 0.02},
        lambda m: m | {"loss": m["loss"] * 1.3},
        lambda m: m | {"score": float("nan")},
        lambda m: {"score": m["score"]},
        lambda m: m | {"another": 1.0},
        lambda m: {k: v + 1.1 * s for (k, v), s in zip(m.items(), (0.0158, 0.158))},
    ],
)
def test_other_numbers_of_an_experiment_are_noticed_by_its_replay(change):
    same = dict(ENTRY["runs"][0][2])
    assert replay.differences(ENTRY, [["a", 0, same, 1.0]], same=True) == []
    assert replay.differences(ENTRY, [["a", 0, change(same), 1.0]], same=True)


# ---------------------------------------------------------------- noticed by nothing

LEFT_ALONE = {
    "an error's wording": (
        "translearn/transfer/heads.py",
        "raise CourseError(",
        "raise CourseError('In other words. '",
    ),
    "a progress bar's label": (
        "translearn/transfer/features.py",
        'desc="Features"',
        'desc="Looking at pictures"',
    ),
    "a type hint": ("translearn/optim.py", "steps: int)", "steps: int) -> list"),
    "a comment": ("translearn/transfer/blocks.py", "\nimport", "\n# A remark.\nimport"),
    "a docstring": ("translearn/optim.py", '"""', '"""In other words. '),
    "a renamed local": (
        "translearn/transfer/heads.py",
        "initial = keras",
        "first = initial = keras",
    ),
    "a new function": (
        "translearn/transfer/__init__.py",
        "NUMERICS = 1",
        "def another():\n    return 1\n\n\nNUMERICS = 1",
    ),
    "a branch for a new network": (
        "translearn/backbones/__init__.py",
        "NUMERICS = 1",
        "def newcomer(name):\n    return name == 'newcomer'\n\n\nNUMERICS = 1",
    ),
    "a new data set": (
        "data/registry.toml",
        "[fashion]",
        '[butterflies]\nkind = "data"\nsha256 = "1"\n\n[fashion]',
    ),
    "another data set's file": ("data/registry.toml", sha_of("fashion"), "0" * 16),
    "a package that makes no numbers": ("requirements.lock", "\nipywidgets==", "\nipywidgets==9"),
    "a module that the experiment never uses": (
        "translearn/widgets.py",
        "\nimport",
        "\nNUMERICS = 2\nimport",
    ),
    "a note at NUMERICS": (
        "translearn/measure/__init__.py",
        "NUMERICS = 1  #",
        "NUMERICS = 1  # a note:",
    ),
}


@pytest.mark.parametrize("file, old, new", LEFT_ALONE.values(), ids=list(LEFT_ALONE))
def test_what_alters_no_number_is_not_noticed(copy, file, old, new):
    before = rule()
    copy(file, old, new)
    assert rests_on.why_stale(before, rule()) == []


@pytest.mark.parametrize(
    "old, new",
    [
        ("alt='a line'", "alt='a red line'"),
        ("ax.plot(scores)", "ax.plot(scores, color='red')"),
        ("return 2 * x", "return (2 * x)  # twice"),
        ("def helper(x):\n", "def helper(x):\n    'Twice.'\n"),
        ("exercises import lesson05", "exercises import lesson06"),
        ("plots, transfer", "plots, transfer, widgets"),
        ("name='toy.scores')", "name='toy.scores')\nresults"),
        ("name='toy.scores')", "name='toy.scores')\nmeasure.claim('It is.', holds=True)"),
    ],
)
def test_what_alters_no_number_in_a_lesson_is_not_noticed(old, new):
    assert rests_on.why_stale(rule(), rule(edited(old, new))) == []
