"""The benchmark of recipes: its clock, its choices, its tables, and that its record is current."""

import time

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics  # noqa: F401, so that its import is on no clock

from translearn import measure
from translearn.bench import contest as bench
from translearn.bench import recipes
from translearn.bench.__main__ import main
from translearn.errors import CourseError
from translearn.evidence import book
from translearn.measure import ledger


def busy(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


def perfect(test):
    return np.eye(12)[test(96).labels]


def test_the_clock_counts_computing_and_stands_still_while_an_answer_is_scored():
    run = recipes.Run("emoji", seed=0)

    def slow(test):
        busy(0.5)
        return perfect(test)

    busy(0.2)
    run.hand_in(slow)
    time.sleep(0.3)  # waiting is not computing
    assert 0.2 <= run.spent() < 0.5
    ((spent, score),) = run.handed_in
    assert 0.2 <= spent < 0.5 and score == 1


def test_before_the_first_answer_the_score_is_a_blind_guess_and_later_the_last_answer_counts(
    monkeypatch,
):
    run = recipes.Run("emoji", seed=0)
    run.handed_in = [(8.0, 0.4), (30.0, 0.3)]
    report = run.report()
    assert (
        report["at 7"] == 1 / 12
        and report["at 10"] == report["at 28"] == 0.4
        and report["at 40"] == report["at 500"] == 0.3
    )
    assert (report["score"], report["CPU-seconds"]) == (0.3, 30.0)


def test_an_answer_that_comes_too_late_does_not_count():
    run = recipes.Run("emoji", seed=0, limit=0.1)
    busy(0.15)
    with pytest.raises(recipes.Spent):
        run.hand_in(perfect)
    with pytest.raises(recipes.Spent):
        run.check()
    assert run.report()["score"] == 1 / 12


def test_every_recipe_sees_the_same_few_pictures_at_every_size():
    few = {size: recipes.Run("emoji", seed=1).few(size) for size in recipes.SIZES}
    assert len(few[96]) == 120 and {
        size: part.images.shape[1] for size, part in few.items()
    } == dict(zip(recipes.SIZES, recipes.SIZES))
    keys = [list(part.info["key"]) for part in few.values()]
    assert keys[0] == keys[1] == keys[2] != list(recipes.Run("emoji", seed=2).few().info["key"])
    test = set(recipes._test("emoji", 96).info["key"])
    assert not test & set(keys[0]) and not test & set(
        recipes.Run("emoji", 0).validation().info["key"]
    )


def test_the_average_that_validation_prefers_is_handed_in():
    run = recipes.Run("emoji", seed=0)
    right, rng = np.eye(12)[run.validation().labels], np.random.default_rng(0)
    noise = rng.random(right.shape)
    good, bad = (right + noise, lambda test: "good"), (noise, lambda test: "bad")
    chosen = []
    recipes.best_average(
        run,
        [
            (scores, lambda test, name=answer(None): chosen.append(name) or np.zeros((1, 12)))
            for scores, answer in (bad, good)
        ],
    )(None)
    assert chosen == ["good"]


def test_a_state_of_the_network_is_put_back_whole():
    run = recipes.Run("emoji", seed=0)
    few = run.few().take(1)
    monkey = recipes.Run("emoji", seed=0)
    monkey.few, monkey.validation = lambda size=96: few, lambda size=96: few
    tail = recipes.Tail(monkey, 96, "block16")
    first, scores = tail.train(tail.fresh, 1e-3, 1)
    tail.train(first, 1e-3, 2)
    again, same = tail.train(tail.fresh, 1e-3, 0)
    assert all(np.array_equal(a, b) for a, b in zip(again, tail.fresh))
    assert not np.allclose(scores, same), "training changes what it says"
    tail.put_back(first)
    assert np.allclose(tail.scores(tail.checked), scores, atol=1e-5)


def test_the_probe_beats_a_blind_guess():
    report = recipes.attempt(recipes.probe, "emoji", seed=0)
    assert report["score"] > 3 / 12 and report["at 500"] == report["score"]


@pytest.fixture
def results():
    """Ours arrives at 10 CPU-seconds, the probe at 20, and the others never."""
    rows = []
    for problem, blind in (("emoji", 1 / 12), ("solar cells", 0.5)):
        for recipe in recipes.RECIPES:
            start = {"ours": 10, "probe": 20}.get(recipe)
            for seed in range(3):
                high = 0.8 + seed / 100
                at = {f"at {m}": high if start and m >= start else blind for m in recipes.MOMENTS}
                for metric, value in (
                    at | {"score": high if start else blind, "CPU-seconds": start or 100}
                ).items():
                    rows.append((f"{problem}, {recipe}", seed, metric, value, 1.0))
    return measure.Results(
        pd.DataFrame(rows, columns=["arm", "seed", "metric", "value", "seconds"]),
        "",
        bench.CONTEST,
    )


def test_the_tables_say_who_arrives_and_at_what_price(results):
    assert bench.target(results, "emoji") == pytest.approx(0.95 * 0.81)
    assert (
        list(bench.reached(results, "emoji", "probe")) == [20, 20, 20]
        and np.isinf(bench.reached(results, "emoji", "the article")).all()
    )
    table = bench.table(results, "emoji")
    assert (
        table.loc["probe", "to target / ours"] == "2.0 ± 0.0"
        and table.loc["the article", "arrived"] == "0 of 3"
    )
    assert table.loc["blind guess", "score, %"] == "8.3"
    frontier = bench.frontier(results, "solar cells")
    stands = frontier["ours is"]
    assert frontier.index[0] == "10 CPU-seconds" and set(stands[["10 CPU-seconds"]]) == {"ahead"}
    # From 20 CPU-seconds on the probe's curve lies on ours: that is no lead.
    assert set(stands["20 CPU-seconds":]) == {"level"}
    results.table.loc[
        results.table["arm"].eq("solar cells, ours") & results.table["metric"].eq("at 500"),
        "value",
    ] = 0.7
    frontier = bench.frontier(results, "solar cells")
    assert frontier.loc["500 CPU-seconds", "ours is"] == "behind"


@pytest.mark.parametrize(
    "ahead, stands",
    [
        ([0.1, 2.0, 1.0], "ahead"),
        ([0.0, 0.0, 0.0], "level"),
        ([0.0, 0.2, 0.0], "level"),
        ([9.0, -0.1, 2.0], "level"),
        ([-0.1, -2.0, -1.0], "behind"),
    ],
)
def test_a_lead_is_one_that_every_seed_has(ahead, stands):
    assert bench.standing(ahead) == stands


def test_the_figure_has_alt_text_that_names_every_recipe(results):
    import matplotlib.pyplot as plt

    fig, alt = bench.figure(results)
    plt.close(fig)
    assert all(
        f"{problem}, {recipe}:" in alt
        for problem in recipes.PROBLEMS
        for recipe in recipes.RECIPES
    )


def test_the_record_is_of_the_recipes_as_they_are_now():
    entry = ledger.experiment(bench.CONTEST)
    assert book.stamped(entry) == bench.rests(), "run: python3 course.py bench recipes --record"
    assert entry["seeds"] >= 3


def test_too_few_seeds_are_refused(capsys):
    assert main(["recipes", "--seeds", "2"]) == 1
    assert "three seeds" in capsys.readouterr().err
    with pytest.raises(CourseError):
        bench.recipes_command(type("Args", (), {"seeds": 3, "jobs": 0})())
