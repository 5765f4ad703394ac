"""Fair experiments and claims about them. Measuring into the ledger stands in `test_book.py`."""

import time

import numpy as np
import pytest

from translearn import measure, paths
from translearn.errors import CourseError
from translearn.evidence.recording import Recorder
from translearn.measure import experiment, ledger

MEANS = {"a": 0.6, "b": 0.4}


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "ledger")


@pytest.fixture
def measuring(monkeypatch):
    """Switch the ledger's recorder on for the experiment `toy.scores`, until `.undo()`."""

    def on(seeds=10, name="toy.scores"):
        recorder = Recorder({name: {"cells": "as they are"}}, seeds)
        monkeypatch.setattr(experiment, "recorder", recorder)

    on.undo = lambda: monkeypatch.setattr(experiment, "recorder", None)
    return on


def noisy(seed, mean, spread=0.01):
    """Accuracy around a mean, the same for the same seed."""
    return {"accuracy": mean + spread * np.random.default_rng(seed + 100).standard_normal()}


def compare(means=MEANS, seeds=3, name="toy.scores", **more):
    arms = {arm: {"mean": mean} for arm, mean in means.items()}
    return measure.compare(
        noisy, arms=arms, seeds=seeds, name=name, budget="nothing at all", progress=False, **more
    )


@pytest.fixture
def measured(measuring):
    measuring()
    results = compare()
    measuring.undo()
    return results


# ---- Arms


def test_every_arm_gets_the_same_seeds_and_the_same_random_numbers():
    draws = {"frozen": [], "tuned": []}

    def run(seed, how):
        draws[how].append((seed, np.random.rand()))
        return {"accuracy": 0.5}

    results = measure.compare(run, grid={"how": ["frozen", "tuned"]}, seeds=3, progress=False)
    assert draws["frozen"] == draws["tuned"] and [s for s, _ in draws["frozen"]] == [0, 1, 2]
    assert list(results.table.columns) == ["arm", "seed", "metric", "value", "seconds"]
    assert len(results.table) == 6 and (results.table["seconds"] >= 0).all()


def given(seed, **arguments):
    return {"given": sum(float(v) for v in arguments.values())}


@pytest.mark.parametrize(
    "what, arms",
    [
        ({"grid": {"rate": [0.1, 1e-5]}}, ["0.1", "1e-05"]),
        (
            {"grid": {"rate": [0.1], "epochs": [2, 3]}},
            ["rate 0.1, epochs 2", "rate 0.1, epochs 3"],
        ),
        ({"grid": {"rate": [0.1]}, "label": "at {rate:g}"}, ["at 0.1"]),
        ({"arms": {"first": {"rate": 1}, "second": {}}}, ["first", "second"]),
    ],
)
def test_an_arm_is_called_by_its_values_its_label_or_its_name(what, arms):
    assert measure.compare(given, **what, seeds=1, progress=False).arms == arms


def test_the_arms_take_turns():
    order = []

    def run(seed, name):
        order.append((name, seed))
        return {"m": 1.0}

    measure.compare(run, grid={"name": ["a", "b"]}, seeds=2, progress=False)
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def text(seed, **arguments):
    return "good"


def a_list(seed, **arguments):
    return {"accuracy": [1, 2]}


@pytest.mark.parametrize(
    "function, what, words",
    [
        (given, {}, "Give what to vary"),
        (given, {"grid": {}}, "Give what to vary"),
        (given, {"grid": {"rate": []}}, "grid is empty"),
        (given, {"grid": {"rate": [1]}, "arms": {"a": {}}}, "Give what to vary"),
        (given, {"arms": {"a": 3}}, "dict of arguments"),
        (given, {"grid": {"rate": [1, 2]}, "label": "the same"}, "Two arms would be called"),
        ({"a": given}, {"grid": {"rate": [1]}}, "needs a function"),
        (given, {"grid": {"rate": [1]}, "seeds": 0}, "at least one seed"),
        (text, {"grid": {"rate": [1]}, "seeds": 1}, "dict of numbers"),
        (a_list, {"grid": {"rate": [1]}, "seeds": 1}, "dict of numbers"),
    ],
)
def test_what_is_no_experiment_is_refused_with_a_sentence(function, what, words):
    with pytest.raises(CourseError, match=words):
        measure.compare(function, **what, progress=False)


def test_an_arm_that_changes_its_metrics_between_seeds_is_refused():
    def run(seed, name):
        return {"m": 1.0} if seed == 0 else {"n": 1.0}

    with pytest.raises(CourseError, match="returned .* for seed 1, but"):
        measure.compare(run, grid={"name": ["a"]}, seeds=2, progress=False)


def test_the_runs_can_go_to_dask_workers():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        far = compare(name=None, client=client)
    near = compare(name=None)
    for arm in MEANS:
        np.testing.assert_array_equal(far.values(arm, "accuracy"), near.values(arm, "accuracy"))


# ---- Effects and the ledger


def counted(seed, add):
    return {"m": seed + add}


def test_effects_are_paired_by_seed():
    arms = {"a": {"add": 2.0}, "b": {"add": 1.0}}
    results = measure.compare(counted, arms=arms, seeds=3, progress=False)
    assert results.effect("a", minus="b", metric="m").values == (1, 1, 1)
    assert results.effect("a", over="b", metric="m").values == (2, 1.5, 4 / 3)
    with pytest.raises(CourseError, match="no arm named 'c'"):
        results.effect("c", metric="m")
    with pytest.raises(CourseError, match="no metric named 'n'"):
        results.effect("a", metric="n")


def test_the_ledger_gives_back_what_was_measured(measured):
    again = measure.recorded("toy.scores")
    assert again.seeds == 10 and again.arms == ["a", "b"]
    np.testing.assert_allclose(
        again.values("a", "accuracy"), measured.values("a", "accuracy"), atol=1e-6
    )
    entry = ledger.experiment("toy.scores")
    assert entry["budget"] == "nothing at all" and entry["versions"]["keras"]
    assert entry["hardware"]["cores"] and entry["stamp"]["how"] == "measured"
    with pytest.raises(CourseError, match="no experiment named 'toy.other'"):
        ledger.experiment("toy.other")


def test_a_damaged_ledger_file_says_how_to_restore_it():
    paths.LEDGER.mkdir(parents=True)
    (paths.LEDGER / "toy.json").write_text('{"experiments": {')
    with pytest.raises(CourseError, match="toy.json is damaged. Restore it: git checkout"):
        measure.recorded("toy.scores")


def test_a_ledger_that_has_changed_is_read_again(measured, measuring):
    first = measure.recorded("toy.scores").seeds
    measuring(seeds=12)
    compare()
    assert (first, measure.recorded("toy.scores").seeds) == (10, 12)


# ---- Claims


def test_a_claim_holds_and_says_what_it_rests_on(measured):
    effect = compare().effect("a", minus="b", metric="accuracy")
    claim = measure.claim("A beats b.", holds=effect > 0.05)
    assert "0.2 here" in repr(claim) and "10 seeds" in repr(claim) and "✓" in claim._repr_html_()


def test_a_claim_fails_when_the_direction_the_size_or_the_ledger_is_against_it(measured):
    def live(a):
        return compare({"a": a, "b": 0.4}).effect("a", minus="b", metric="accuracy")

    with pytest.raises(measure.ClaimFailed, match="does not hold here"):
        measure.claim("A beats b.", holds=live(0.3) > 0)
    with pytest.raises(measure.ClaimFailed, match="size has changed"):
        measure.claim("A beats b.", holds=live(0.9) > 0)
    with pytest.raises(measure.ClaimFailed, match="ledger does not bear this out"):
        measure.claim("A beats b by far.", holds=live(0.6) > 0.199)
    with pytest.raises(measure.ClaimFailed, match="ledger does not bear this out"):
        measure.claim("They are the same.", holds=live(0.6).within(0.1))
    with pytest.raises(measure.ClaimFailed):
        measure.claim("One is two.", holds=1 == 2)


def test_a_claim_without_a_ledger_or_a_name_says_so():
    unmeasured = compare(name="toy.unmeasured").effect("a", metric="accuracy")
    with pytest.raises(CourseError, match="no experiment"):
        measure.claim("A is high.", holds=unmeasured > 0.5)
    with pytest.raises(CourseError, match="needs its name"):
        measure.claim("A is high.", holds=compare(name=None).effect("a", metric="accuracy") > 0.5)


def test_the_margin_covers_999_of_1000_repetitions():
    """Simulated: new means of three runs fall inside the margin as often as it says."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(20_000):
        book = measure.Effect("x", tuple(0.5 + 0.1 * rng.standard_normal(10)), ("of", "a", "m"))
        low, high = measure.margin(book, 3)
        inside += low <= (0.5 + 0.1 * rng.standard_normal(3)).mean() <= high
    assert 0.9980 < inside / 20_000 < 0.9998


def test_a_condition_is_no_plain_truth():
    effect = measure.Effect("e", (1.0, 2.0, 3.0), ("of", "a", "m"), "toy.scores")
    assert effect.spread == 1 and effect.mean == 2
    with pytest.raises(CourseError, match="no truth value"):
        assert 0 < effect < 9
    with pytest.raises(CourseError, match="needs a condition"):
        measure.claim("It is high.", holds=effect)


def test_timings_are_held_to_their_direction_only(measuring):
    def run(seed, name):
        time.sleep(0.002)
        return {"m": 1.0}

    measuring()
    measure.compare(run, grid={"name": ["a"]}, name="toy.scores", progress=False)
    measuring.undo()
    slow = measure.Effect("seconds", (500.0, 501.0, 502.0), ("of", "a", "seconds"), "toy.scores")
    measure.claim("It takes time.", holds=slow > 0)
    assert ledger.read("toy.scores")["claims"] == {}  # a lesson writes nothing
    measuring()
    measure.claim("It takes time.", holds=slow > -1)
    assert ledger.read("toy.scores")["claims"]["It takes time."]["seeds"] == 10


# ---- Tuning


def test_tuning_tries_every_setting_on_every_arm_and_a_lesson_reads_the_recorded_choice(measuring):
    tried, rates = [], [1e-4, 1e-3, 1e-2]

    def score(seed, best, rate):
        tried.append((best, rate))
        return -abs(np.log10(rate / best))

    def tune(**more):
        arms = {"small": {"best": 1e-4}, "large": {"best": 1e-2}}
        return measure.tune(score, arms=arms, over={"rate": rates}, seeds=1, **more)

    tuned = tune()
    assert (tuned["small"], tuned["large"]) == (1e-4, 1e-2)
    assert sorted(tried) == sorted((b, r) for b in (1e-4, 1e-2) for r in rates)
    with pytest.raises(CourseError, match="no experiment"):
        tune(name="toy.rates")
    measuring(name="toy.rates")
    tune(name="toy.rates")
    measuring.undo()
    before = len(tried)
    again = tune(name="toy.rates")
    assert again.best == tuned.best and len(tried) == before
    assert list(again.summary()["chosen"]) == ["0.0001 (at the edge)", "0.01 (at the edge)"]


def test_each_arm_gets_the_setting_that_was_chosen_for_it():
    def score(seed, best, rate):
        return -abs(rate - best)

    grid = {"best": [1, 2]}
    tuned = measure.tune(score, grid=grid, over={"rate": [0, 1, 2, 3]}, seeds=1)
    results = measure.compare(given, grid=grid, tuned=tuned, seeds=1, progress=False)
    assert [results.values(arm, "given")[0] for arm in ("1", "2")] == [2, 4]
    with pytest.raises(CourseError, match="'3' was not tuned"):
        measure.compare(given, grid={"best": [3]}, tuned=tuned, progress=False)
    own = {"own": {"best": 1, "rate": 9}}
    assert measure.compare(given, arms=own, tuned=tuned, seeds=1, progress=False).arms == ["own"]


def test_a_setting_that_diverged_is_never_chosen():
    def score(seed, name, rate):
        return float("nan") if rate > 1 and seed else rate

    tuned = measure.tune(score, grid={"name": ["a"]}, over={"rate": [0.1, 0.5, 10]}, seeds=2)
    assert tuned["a"] == 0.5


def test_only_one_setting_is_tuned_at_a_time():
    with pytest.raises(CourseError, match="one parameter"):
        measure.tune(given, grid={"a": [1]}, over={"rate": [1], "epochs": [2]})
