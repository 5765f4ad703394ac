"""Writing the ledger, measuring into it, and carrying on after an interruption."""

import datetime
import json

import numpy as np
import pytest

from translearn import measure, paths
from translearn.errors import CourseError
from translearn.evidence import book
from translearn.evidence.recording import Kept, Recorder
from translearn.measure import experiment as measuring
from translearn.measure import ledger

RESTS = {
    "cells": "0" * 16,
    "numerics": {"measure": 1},
    "data": {},
    "packages": {"keras": "3.15.1"},
}


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "ledger")
    monkeypatch.setattr(measuring, "recorder", None)


def noisy(seed, mean):
    return {"accuracy": mean + 0.01 * np.random.default_rng(seed + 100).standard_normal()}


def measured(function=noisy, means=(0.6, 0.4), rests_on=RESTS, least=5, **more):
    measuring.recorder = Recorder({"toy.scores": rests_on}, least)
    try:
        return measure.compare(
            function, grid={"mean": list(means)}, name="toy.scores", budget="nothing", **more
        )
    finally:
        measuring.recorder = None


def test_an_entry_says_what_was_measured_with_what_and_what_it_rests_on():
    results = measured()
    entry = ledger.experiment("toy.scores")
    today = datetime.date.today().isoformat()
    assert entry["budget"] == "nothing" and entry["seeds"] == 5 and entry["measured"] == today
    assert entry["rests_on"] == RESTS and entry["stamp"] == {
        "how": "measured",
        "date": today,
    }
    assert {"keras", "numpy", "scikit-learn", "tokenizers"} <= entry["versions"].keys()
    assert entry["hardware"]["cores"] and entry["seconds"] >= 0
    again = measure.recorded("toy.scores")
    assert again.arms == results.arms == ["0.6", "0.4"] and again.seeds == 5
    np.testing.assert_allclose(
        again.values("0.6", "accuracy"), results.values("0.6", "accuracy"), atol=1e-6
    )
    assert results.live_seeds == 3, "a claim's margin is that of the lesson"


def test_the_file_is_readable_json_with_a_run_a_line_and_its_format():
    measured()
    text = (paths.LEDGER / "toy.json").read_text()
    assert json.loads(text)["format"] == ledger.FORMAT == 2
    assert len(json.loads(text)["experiments"]["toy.scores"]["runs"]) == 10
    assert sum(line.strip().startswith('["0.6", ') for line in text.splitlines()) == 5


def test_a_stamp_is_renewed_without_touching_the_runs():
    measured()
    before = ledger.experiment("toy.scores")
    new = RESTS | {"numerics": {"measure": 2}}
    assert not book.is_current("toy.scores", 5, new)
    book.stamp("toy.scores", new, seconds=3.14)
    after = ledger.experiment("toy.scores")
    assert book.is_current("toy.scores", 5, new) and not book.is_current("toy.scores", 6, new)
    assert after["stamp"]["how"] == "replayed" and after["stamp"]["seconds"] == 3.1
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"rests_on", "stamp"}


def test_without_a_stamp_nothing_is_vouched_for():
    assert book.stamped({"rests_on": None, "stamp": None}) is None
    assert book.stamped({"rests_on": RESTS, "stamp": None}) is None
    assert book.stamped({"rests_on": RESTS, "stamp": {"how": "measured"}}) == RESTS


@pytest.mark.parametrize(
    "live, wanted, least, ran",
    [(3, 5, 5, 5), (3, 10, 5, 10), (3, 5, 7, 7), (3, 3, 7, 3), (12, 5, 5, 12)],
)
def test_the_ledger_has_the_seeds_that_lesson_experiment_or_command_ask_for(
    live, wanted, least, ran
):
    measured(seeds=live, ledger_seeds=wanted, least=least)
    assert ledger.experiment("toy.scores")["seeds"] == ran


def test_measuring_again_passes_by_what_has_not_changed(capsys):
    ran = []

    def arm(seed, mean):
        ran.append(seed)
        return {"accuracy": mean}

    measured(arm, means=[0.5])
    measured(arm, means=[0.5])
    assert len(ran) == 5 and "nothing it rests on has changed" in capsys.readouterr().out
    measured(arm, means=[0.5], least=6)  # more seeds than the ledger has
    measured(arm, means=[0.5], rests_on=RESTS | {"cells": "1" * 16})
    assert len(ran) == 5 + 6 + 5


def test_an_interrupted_measurement_carries_on_if_nothing_it_rests_on_has_changed(capsys):
    ran, stop = [], [True]

    def arm(seed, mean):
        ran.append(seed)
        if seed == 2 and stop:
            raise KeyboardInterrupt
        return {"accuracy": seed / 10}

    with pytest.raises(KeyboardInterrupt):
        measured(arm, means=[0.5])
    stop.clear()
    measured(arm, means=[0.5])
    assert ran == [0, 1, 2, 2, 3, 4] and "carrying on, 2 runs" in capsys.readouterr().out
    assert list(measure.recorded("toy.scores").values("0.5", "accuracy")) == [
        0,
        0.1,
        0.2,
        0.3,
        0.4,
    ]
    stop.append(True)
    with pytest.raises(KeyboardInterrupt):
        measured(arm, means=[0.5], rests_on=RESTS | {"cells": "1" * 16})
    assert ran[6:] == [0, 1, 2], "other code: nothing is taken over"


def test_a_line_cut_short_by_a_kill_is_measured_again():
    kept = Kept("toy.cut", RESTS)
    kept.add("a", 0, {"accuracy": 0.25}, 1.0)
    with open(kept.path, "a") as file:
        file.write('["a", 1, {"accu')
    assert list(Kept("toy.cut", RESTS).runs) == [("a", 0)]


def test_an_unnamed_experiment_runs_as_in_a_lesson_and_an_unknown_one_is_refused():
    measuring.recorder = Recorder({})
    results = measure.compare(noisy, grid={"mean": [0.5]}, seeds=2, progress=False)
    assert results.seeds == 2 and not paths.LEDGER.exists()
    with pytest.raises(CourseError, match="stands in no cell"):
        measure.compare(noisy, grid={"mean": [0.5]}, name="toy.hidden")


def test_an_arm_that_changes_its_metrics_between_seeds_is_refused():
    def arm(seed, mean):
        return {"m" if seed == 0 else "n": mean}

    with pytest.raises(CourseError, match="returned .* for seed 1, but"):
        measured(arm)


def test_the_runs_can_go_to_dask_workers():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        measuring.recorder = Recorder({"toy.scores": RESTS}, client=client)
        far = measure.compare(noisy, grid={"mean": [0.6, 0.4]}, name="toy.scores")
    measuring.recorder = None
    near = measure.compare(noisy, grid={"mean": [0.6, 0.4]}, seeds=5, progress=False)
    for arm in ("0.6", "0.4"):
        np.testing.assert_array_equal(far.values(arm, "accuracy"), near.values(arm, "accuracy"))


def test_preparing_keeps_what_is_still_asked_for_and_drops_the_claims():
    measured()
    book.put_claim("toy.scores", "A claim.", {"experiment": "toy.scores"})
    book.prepare(["toy.scores"])
    assert ledger.experiment("toy.scores") and ledger.read("toy.scores")["claims"] == {}
    book.prepare(["toy.scores"], again=["toy.scores"])
    with pytest.raises(CourseError, match="no experiment"):
        measure.recorded("toy.scores")


def test_claims_are_recorded_while_measuring():
    measuring.recorder = Recorder({"toy.scores": RESTS})
    results = measure.compare(noisy, grid={"mean": [0.6, 0.4]}, name="toy.scores")
    ahead = results.effect("0.6", minus="0.4", metric="accuracy")
    measure.claim("It is ahead.", holds=ahead > 0.15)
    row = ledger.read("toy.scores")["claims"]["It is ahead."]
    assert row["holds_between"] == [0.15, None] and row["seeds"] == 5
