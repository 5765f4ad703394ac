"""Fair experiments, the ledger and claims."""

import json
import time

import numpy as np
import pytest

from translearn import measure, paths
from translearn.errors import CourseError
from translearn.measure import ledger


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "ledger")
    monkeypatch.delenv("TRANSLEARN_MEASURE", raising=False)


def noisy(mean, spread=0.01):
    def arm(seed):
        return {"accuracy": mean + spread * np.random.default_rng(seed + 100).standard_normal()}

    return arm


def measured(monkeypatch, arms, name="toy.scores", seeds=10):
    monkeypatch.setenv("TRANSLEARN_MEASURE", "1")
    monkeypatch.setenv("TRANSLEARN_SEEDS", str(seeds))
    results = measure.compare(arms, name=name, budget="nothing at all", progress=False)
    monkeypatch.delenv("TRANSLEARN_MEASURE")
    return results


def test_every_arm_gets_the_same_seeds_and_the_same_random_numbers():
    draws = {"a": [], "b": []}

    def arm(name):
        def run(seed):
            draws[name].append((seed, np.random.rand()))
            return {"accuracy": 0.5}

        return run

    results = measure.compare({"a": arm("a"), "b": arm("b")}, seeds=3, progress=False)
    assert draws["a"] == draws["b"] and [s for s, _ in draws["a"]] == [0, 1, 2]
    assert list(results.table.columns) == ["arm", "seed", "metric", "value", "seconds"]
    assert len(results.table) == 6 and (results.table["seconds"] >= 0).all()


def test_an_interrupted_experiment_carries_on_and_a_finished_one_starts_afresh(capsys, tmp_path):
    ran, stop_file = [], tmp_path / "stop"
    stop_file.touch()
    # What an arm has seen is part of its identity, so the list must not be: a closure over it would change.
    import builtins

    builtins._ran_for_test = ran
    arms = {"only": _recording_arm(str(stop_file))}
    with pytest.raises(KeyboardInterrupt):
        measure.compare(arms, seeds=4, name="toy.killed", progress=False)
    stop_file.unlink()
    results = measure.compare(arms, seeds=4, name="toy.killed", progress=False)
    assert ran == [0, 1, 2, 2, 3], "seeds 0 and 1 were kept"
    assert "2 of 4 runs" in capsys.readouterr().out
    assert list(results.values("only", "accuracy")) == [0, 0.1, 0.2, 0.3]
    measure.compare(arms, seeds=1, name="toy.killed", progress=False)
    assert ran[-1] == 0 and len(ran) == 6, "nothing of a finished experiment is kept"
    del builtins._ran_for_test


def _recording_arm(stop_file):
    def arm(seed):
        import builtins
        import os

        builtins._ran_for_test.append(seed)
        if seed == 2 and os.path.exists(stop_file):
            raise KeyboardInterrupt
        return {"accuracy": seed / 10}

    return arm


def test_a_changed_arm_does_not_take_over_the_runs_of_the_old_one(capsys):
    def fails(rate):
        def arm(seed):
            if seed == 1 and rate == 1:
                raise KeyboardInterrupt
            return {"accuracy": rate}

        return arm

    with pytest.raises(KeyboardInterrupt):
        measure.compare({"arm": fails(1)}, seeds=2, name="toy.changed", progress=False)
    results = measure.compare({"arm": fails(2)}, seeds=2, name="toy.changed", progress=False)
    assert "Carrying on" not in capsys.readouterr().out
    assert list(results.values("arm", "accuracy")) == [2, 2]


def test_a_line_cut_short_by_a_kill_is_measured_again():
    kept = measure._Kept("toy.cut", "f" * 16)
    kept.add("a", 0, {"accuracy": 0.25}, 1.0)
    with open(kept.path, "a") as file:
        file.write('["a", 1, {"accu')
    assert list(measure._Kept("toy.cut", "f" * 16).runs) == [("a", 0)]


@pytest.mark.parametrize(
    "arms, seeds, words",
    [
        ({}, 3, "dict of arms"),
        ({"a": 3}, 3, "dict of arms"),
        ({"a": noisy(0.5)}, 0, "at least one seed"),
        ({"a": lambda seed: "good"}, 1, "dict of numbers"),
        ({"a": lambda seed: {"accuracy": [1, 2]}}, 1, "dict of numbers"),
    ],
)
def test_bad_arms_are_refused_with_a_sentence(arms, seeds, words):
    with pytest.raises(CourseError, match=words):
        measure.compare(arms, seeds=seeds, progress=False)


def test_an_arm_that_cannot_be_recognised_again_still_runs(tmp_path):
    with open(tmp_path / "file", "w") as stream:
        results = measure.compare(
            {"a": lambda seed: {"m": float(stream.writable())}},
            seeds=2,
            name="toy.open",
            progress=False,
        )
    assert list(results.values("a", "m")) == [1, 1]


def test_effects_are_paired_by_seed():
    results = measure.compare(
        {"a": lambda s: {"m": s + 2.0}, "b": lambda s: {"m": s + 1.0}}, seeds=3, progress=False
    )
    assert results.effect("a", minus="b", metric="m").values == (1, 1, 1)
    assert results.effect("a", over="b", metric="m").values == (2, 1.5, 4 / 3)
    with pytest.raises(CourseError, match="no arm named 'c'"):
        results.effect("c", metric="m")
    with pytest.raises(CourseError, match="no metric named 'n'"):
        results.effect("a", metric="n")


def test_the_ledger_gives_back_what_was_measured(monkeypatch):
    results = measured(monkeypatch, {"a": noisy(0.6), "b": noisy(0.4)})
    again = measure.recorded("toy.scores")
    assert again.seeds == 10 and again.arms == ["a", "b"]
    np.testing.assert_allclose(
        again.values("a", "accuracy"), results.values("a", "accuracy"), atol=1e-6
    )
    entry = ledger.experiment("toy.scores")
    assert (
        entry["budget"] == "nothing at all"
        and entry["versions"]["keras"]
        and entry["hardware"]["cores"]
    )
    with pytest.raises(CourseError, match="no experiment named 'toy.other'"):
        ledger.experiment("toy.other")


def test_a_claim_holds_and_says_what_it_rests_on(monkeypatch):
    arms = {"a": noisy(0.6), "b": noisy(0.4)}
    measured(monkeypatch, arms)
    live = measure.compare(arms, seeds=3, name="toy.scores", progress=False)
    claim = measure.claim(
        "A beats b.", holds=live.effect("a", minus="b", metric="accuracy") > 0.05
    )
    assert "0.2 here" in repr(claim) and "10 seeds" in repr(claim) and "✓" in claim._repr_html_()


def test_a_claim_fails_when_the_direction_the_size_or_the_ledger_is_against_it(monkeypatch):
    measured(monkeypatch, {"a": noisy(0.6), "b": noisy(0.4)})

    def live(a, b=0.4):
        return measure.compare(
            {"a": noisy(a), "b": noisy(b)}, seeds=3, name="toy.scores", progress=False
        ).effect("a", minus="b", metric="accuracy")

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
    results = measure.compare({"a": noisy(0.6)}, seeds=3, name="toy.unmeasured", progress=False)
    with pytest.raises(CourseError, match="no experiment"):
        measure.claim("A is high.", holds=results.effect("a", metric="accuracy") > 0.5)
    results = measure.compare({"a": noisy(0.6)}, seeds=3, progress=False)
    with pytest.raises(CourseError, match="needs its name"):
        measure.claim("A is high.", holds=results.effect("a", metric="accuracy") > 0.5)


def test_the_margin_covers_999_of_1000_repetitions():
    """Simulated: new means of three runs fall inside the margin as often as it says."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(20_000):
        book = measure.Effect("x", tuple(0.5 + 0.1 * rng.standard_normal(10)), ("of", "a", "m"))
        low, high = measure.margin(book, 3)
        inside += low <= (0.5 + 0.1 * rng.standard_normal(3)).mean() <= high
    assert 0.9980 < inside / 20_000 < 0.9998


def test_tuning_tries_every_setting_on_every_arm_and_a_lesson_reads_the_recorded_choice(
    monkeypatch,
):
    tried = []

    def arm(best):
        return lambda seed, rate: tried.append((best, rate)) or -abs(np.log10(rate / best))

    arms = {"small": arm(1e-4), "large": arm(1e-2)}
    rates = [1e-4, 1e-3, 1e-2]
    tuned = measure.tune(arms, over=rates, seeds=1)
    assert (tuned["small"], tuned["large"]) == (1e-4, 1e-2)
    assert sorted(tried) == sorted((b, r) for b in (1e-4, 1e-2) for r in rates)
    with pytest.raises(CourseError, match="no experiment"):
        measure.tune(arms, over=rates, name="toy.rates")
    monkeypatch.setenv("TRANSLEARN_MEASURE", "1")
    measure.tune(arms, over=rates, name="toy.rates")
    monkeypatch.delenv("TRANSLEARN_MEASURE")
    before = len(tried)
    again = measure.tune(arms, over=rates, name="toy.rates")
    assert again.best == tuned.best and len(tried) == before
    assert list(again.summary()["chosen"]) == ["0.0001", "0.01"]


def test_the_runs_can_go_to_dask_workers():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        far = measure.compare(
            {"a": noisy(0.6), "b": noisy(0.4)}, seeds=3, client=client, progress=False
        )
    near = measure.compare({"a": noisy(0.6), "b": noisy(0.4)}, seeds=3, progress=False)
    for arm in "ab":
        np.testing.assert_array_equal(far.values(arm, "accuracy"), near.values(arm, "accuracy"))


def test_measuring_again_skips_what_the_same_code_has_measured(monkeypatch):
    ran = []

    def arm(seed):
        ran.append(seed)
        return {"accuracy": 0.5}

    monkeypatch.setenv(ledger.code_variable("toy.scores"), "one")
    measured(monkeypatch, {"a": arm}, seeds=5)
    measured(monkeypatch, {"a": arm}, seeds=5)
    assert len(ran) == 5
    measured(monkeypatch, {"a": arm}, seeds=6)  # more seeds than the ledger has
    monkeypatch.setenv(ledger.code_variable("toy.scores"), "two")
    measured(monkeypatch, {"a": arm}, seeds=5)  # other code
    assert len(ran) == 5 + 6 + 5
    ledger.put_claim("toy.scores", "A claim.", {"experiment": "toy.scores"})
    ledger.prepare(["toy.scores"])
    assert ledger.experiment("toy.scores") and ledger.read("toy.scores")["claims"] == {}
    ledger.prepare(["toy.others"])
    with pytest.raises(CourseError, match="no experiment"):
        measure.recorded("toy.scores")


def test_a_damaged_ledger_file_says_how_to_restore_it():
    paths.LEDGER.mkdir(parents=True)
    (paths.LEDGER / "toy.json").write_text('{"experiments": {')
    with pytest.raises(CourseError, match="toy.json is damaged. Restore it: git checkout"):
        measure.recorded("toy.scores")


def test_the_ledger_file_is_readable_json_with_a_run_a_line(monkeypatch):
    measured(monkeypatch, {"a": noisy(0.6)}, seeds=5)
    text = (paths.LEDGER / "toy.json").read_text()
    assert len(json.loads(text)["experiments"]["toy.scores"]["runs"]) == 5
    assert sum(line.strip().startswith('["a", ') for line in text.splitlines()) == 5


def test_a_setting_that_diverged_is_never_chosen():
    tuned = measure.tune(
        {"a": lambda seed, rate: float("nan") if rate > 1 and seed else rate},
        over=[0.1, 0.5, 10],
        seeds=2,
    )
    assert tuned["a"] == 0.5


def test_an_arm_that_changes_its_metrics_between_seeds_is_refused():
    with pytest.raises(CourseError, match="returned .* for seed 1, but"):
        measure.compare(
            {"a": lambda s: {"m": 1.0} if s == 0 else {"n": 1.0}}, seeds=2, progress=False
        )


def test_a_condition_is_no_plain_truth(monkeypatch):
    effect = measure.Effect("e", (1.0, 2.0, 3.0), ("of", "a", "m"), "toy.scores")
    assert effect.spread == 1 and effect.mean == 2
    with pytest.raises(CourseError, match="no truth value"):
        0 < effect < 9
    with pytest.raises(CourseError, match="needs a condition"):
        measure.claim("It is high.", holds=effect)


def test_the_arms_take_turns_and_timings_are_held_to_their_direction_only(monkeypatch):
    order = []
    arms = {
        n: (lambda s, n=n: order.append((n, s)) or time.sleep(0.002) or {"m": 1.0}) for n in "ab"
    }
    measured(monkeypatch, arms)
    assert order[:4] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    slow = measure.Effect("seconds", (500.0, 501.0, 502.0), ("of", "a", "seconds"), "toy.scores")
    measure.claim("It takes time.", holds=slow > 0)
    claims = ledger.read("toy.scores")["claims"]
    assert claims == {}
    monkeypatch.setenv("TRANSLEARN_MEASURE", "1")
    measure.claim("It takes time.", holds=slow > -1)
    assert ledger.read("toy.scores")["claims"]["It takes time."]["seeds"] == 10
