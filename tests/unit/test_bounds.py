"""Claims' bounds mean what their sentences say."""

import json

import pytest

from translearn import paths
from translearn.evidence import bounds


@pytest.mark.parametrize("file", sorted(paths.LEDGER.glob("*.json")), ids=lambda path: path.stem)
def test_every_bound_lies_nearer_to_what_was_measured_than_to_nothing(file):
    assert bounds.broken(json.loads(file.read_text(encoding="utf-8"))["claims"]) == []


def row(low, high, mean, kind="minus", metric="accuracy", experiment="toy.scores"):
    arms = ["a"] if kind == "of" else ["a", "b"]
    return {
        "experiment": experiment,
        "effect": [kind, *arms, metric],
        "holds_between": [low, high],
        "mean": mean,
    }


@pytest.mark.parametrize(
    "text, claim, words",
    [
        ("It adds a lot.", row(0.05, None, 0.17), "nearer to 0 than to the measured 0.17"),
        ("It adds a lot.", row(0.09, None, 0.17), None),
        ("It adds a lot.", row(0.0, None, 0.17), "asks only for a direction"),
        ("It is ahead.", row(0.0, None, 0.17), None),
        ("It is behind.", row(None, -0.01, -0.2), "nearer to 0"),
        ("It is several times faster.", row(2.0, None, 4.0, "over"), "nearer to 1"),
        ("It is several times faster.", row(2.6, None, 4.0, "over"), None),
        ("It is less than half.", row(None, 0.5, 0.2, "over"), None),
        ("It is about the same.", row(-0.03, 0.03, 0.001), None),
        ("It adds.", row(0.05, None, 0.17, "of", "best minus block03"), "nearer to 0"),
        ("It beats a blind guess.", row(0.08, None, 0.17, "of"), None),
        ("It is not worse by three points.", row(-0.03, None, 0.001), None),
        ("It is a gain.", row(-0.03, None, 0.001), "beyond no effect"),
    ],
)
def test_one_claim(text, claim, words):
    said = bounds.broken({text: claim})
    assert len(said) == bool(words) and (not words or words in said[0])


def test_no_effect_may_be_both_large_and_small():
    pair = {
        "For emoji it adds a lot.": row(0.09, None, 0.17),
        "For cells it adds next to nothing.": row(-0.10, 0.10, 0.01),
    }
    assert "would be both" in bounds.broken(pair)[0]
    pair["For cells it adds next to nothing."] = row(-0.08, 0.08, 0.01)
    assert bounds.broken(pair) == []
    pair["For cells it adds next to nothing."] = row(-0.10, 0.10, 0.01, metric="loss")
    assert bounds.broken(pair) == []
