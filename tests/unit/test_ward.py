"""The clinic's benchmark: its halves, its plants, its accepted answers, its counting."""

import ast
import dataclasses
import inspect

import numpy as np
import pandas as pd
import pytest

from translearn import clinic, measure
from translearn.bench import clinic as bench
from translearn.bench.__main__ import main
from translearn.bench.ward import doctors, faults, programs, running, scoring
from translearn.bench.ward.setup import Setup
from translearn.errors import CourseError
from translearn.evidence import book
from translearn.measure import ledger


def made_of(program) -> set:
    """The functions that a program calls, with the data set's name where one is given, but for
    those that every program may call."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(program))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            named = [a.value for a in node.args if isinstance(a, ast.Constant)]
            found.add((node.func.id, *[value for value in named if isinstance(value, str)]))
        elif isinstance(node, ast.keyword) and node.arg == "build":
            found.add(node.value.id)
    return found - {(name,) for name in ("Setup", "cut", "few", "standardised")}


def test_no_network_and_no_data_set_stands_in_both_halves():
    halves = [
        set().union(*map(made_of, half.values()))
        for half in (programs.CHOSEN_ON, programs.HELD_OUT)
    ]
    assert not halves[0] & halves[1]
    assert {"two_layers", ("load_digits",)} <= halves[0] and "recurrent" in halves[1]
    assert len(programs.PROGRAMS) == len(programs.CHOSEN_ON) + len(programs.HELD_OUT) >= 12


def setup(kind="classes", **more):
    """A small setup: 40 examples for training, 20 each for the rest, three classes."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((80, 5)).astype("float32")
    y = {
        "classes": draw.integers(0, 3, 80),
        "binary": draw.integers(0, 2, 80),
        "numbers": draw.standard_normal(80).astype("float32"),
        "labels": draw.integers(0, 2, (80, 4)),
    }[kind]
    y[60:63] = [0, 1, 2] if kind == "classes" else y[60:63]
    return Setup(x[:40], y[:40], x[40:60], y[40:60], x[60:], y[60:], programs.tapering, kind,
                 **more)  # fmt: skip


CHANGES = {
    "rate too high": "rate",
    "rate too low": "rate",
    "inputs on the wrong scale": "x x_val x_test",
    "forgotten recompile": "stages recompile",
    "dead units": "changes",
    "too little capacity": "width",
    "everything frozen": "changes",
    "leak between training and validation": "x_val y_val",
    "stopped too early": "epochs",
    "slow input pipeline": "wait",
    "batch too small": "batch_size",  # and epochs, where there would be too many steps
}


def changed(before, after) -> set:
    return {
        field.name
        for field in dataclasses.fields(Setup)
        if not np.array_equal(getattr(before, field.name), getattr(after, field.name))
    }


@pytest.mark.parametrize("fault", CHANGES)
@pytest.mark.parametrize("dose", range(3))
def test_a_plant_changes_what_it_says_and_nothing_else(fault, dose):
    planted = faults.plant(fault, dose, setup(), seed=1)
    assert changed(setup(), planted) == set(CHANGES[fault].split())
    assert not changed(planted, faults.plant(fault, dose, setup(), seed=1)) - {"changes"}


def test_a_small_batch_has_no_more_steps_than_it_may(monkeypatch):
    monkeypatch.setattr(faults, "STEPS", 100)
    planted = faults.plant("batch too small", 0, setup(), 0)
    assert changed(setup(), planted) == {"batch_size", "epochs"}
    assert planted.epochs * len(planted.x) // planted.batch_size <= 100


def test_every_fault_of_the_clinic_is_planted():
    assert faults.FAULTS.keys() == clinic.FAULTS.keys()
    assert set(faults.BY_CONSTRUCTION) < faults.FAULTS.keys()


@pytest.mark.parametrize("kind", ["classes", "binary", "labels"])
def test_so_many_labels_are_wrong_and_each_of_them_is(kind):
    before, rng = setup(kind), np.random.default_rng(0)
    after = faults.other_labels(before, before.y, 0.25, rng)
    assert sum((after != before.y).reshape(40, -1).any(axis=1)) == 10
    assert set(np.unique(after)) <= set(np.unique(before.y))


def test_wrong_labels_stand_in_validation_only_if_the_dose_says_so():
    assert changed(setup(), faults.plant("wrong labels", 0, setup(), 0)) == {"y", "y_val"}
    assert changed(setup(), faults.plant("wrong labels", 1, setup(), 0)) == {"y"}


def test_shuffled_pairs_are_the_same_labels_in_another_order():
    planted = faults.plant("shuffled pairs", 0, setup("numbers"), 0)
    assert changed(setup("numbers"), planted) == {"y"}
    assert sorted(planted.y) == sorted(setup("numbers").y)


def test_a_mismatch_is_told_or_given():
    told, given = (faults.plant("logits mismatch", dose, setup(), 0) for dose in (0, 1))
    assert (told.logits, told.told_logits) == (True, False)
    assert (given.logits, given.told_logits) == (False, True)


def test_rare_classes_are_as_rare_as_it_says():
    x = np.arange(300.0)
    y = (np.arange(300) % 3).clip(0, 1)  # 100 of class 0
    found, labels = faults.rare(x, y, 0.05, np.random.default_rng(0))
    assert (labels == 0).sum() == 100 and (labels == 1).sum() == 5
    assert np.array_equal(labels, y[found.astype(int)])


@pytest.mark.parametrize("dose, shared", [(0, 20), (1, 10)])
def test_a_leak_copies_training_examples_with_their_labels(dose, shared):
    planted = faults.plant("leak between training and validation", dose, setup(), 0)
    known = {(*x, y) for x, y in zip(planted.x.tolist(), planted.y)}
    assert sum((*x, y) in known for x, y in zip(planted.x_val.tolist(), planted.y_val)) == shared


def test_overfitting_leaves_few_examples():
    planted = faults.plant("overfitting", 0, setup(), 0)
    assert changed(setup(), planted) == {"x", "y", "epochs", "width"} and len(planted.x) == 12


def test_killed_units_give_nothing_and_the_answer_is_spared():
    planted = faults.plant("dead units", 0, setup(), 0)
    model = planted.build(planted)
    planted.changes[0](model)
    first, second, answer = model.layers
    for layer, size in ((first, 32), (second, 16)):
        assert (layer.bias.numpy() < -1).sum() == round(0.6 * size)
    assert (answer.bias.numpy() == 0).all()
    planted.compile(model)
    assert running.dead_share(planted, model) >= 0.6


def test_frozen_is_frozen():
    for dose, left in ((0, 0), (1, 1)):
        planted = faults.plant("everything frozen", dose, setup(), 0)
        model = planted.build(planted)
        planted.changes[0](model)
        assert len(model.trainable_weights) == left


@pytest.mark.parametrize("healthy", range(4))
def test_healthy_runs_are_changed_in_rate_epochs_batch_and_stages_at_most(healthy):
    planted = faults.plant("healthy", healthy, setup(), 0)
    assert changed(setup(), planted) <= {"rate", "epochs", "batch_size", "stages"}
    assert planted.recompile


def test_each_seed_plants_other_doses_and_three_seeds_plant_every_fault(monkeypatch):
    monkeypatch.setattr(programs, "PROGRAMS", {"a": lambda seed: setup()})
    first, *more = (running.planned(["a"], seed, every=3) for seed in range(3))
    both = [run[1] for run in sum(more, first) if run[1] != "healthy"]
    wanted = [fault for fault in faults.FAULTS if faults.sensible(fault, setup())]
    assert sorted(both) == sorted(wanted)
    assert [run[1] for run in first].count("healthy") == 2
    doses = [run[2] for seed in range(6) for run in running.planned(["a"], seed)
             if run[1] == "rate too high"]  # fmt: skip
    assert set(doses) == {0, 1, 2}


def test_held_out_seeds_plant_a_third_and_later_ones_half_of_that(monkeypatch):
    monkeypatch.setattr(programs, "PROGRAMS", {"wine": lambda seed: setup()})
    monkeypatch.setattr(programs, "HELD_OUT", {"wine": None})
    monkeypatch.setattr(bench, "planned", bench.planned.__wrapped__)  # nothing is remembered
    wanted = {fault for fault in faults.FAULTS if faults.sensible(fault, setup())}
    planted = [[run[1] for run in bench.planned(seed)] for seed in range(9)]
    assert {fault for found in planted[:3] for fault in found} == wanted | {"healthy"}
    assert {fault for found in planted[3:] for fault in found} == wanted | {"healthy"}
    assert [found.count("healthy") for found in planted] == [2] * 3 + [1] * 6
    assert bench.base_rates(0) == {name: planted[0].count(name) for name in planted[0]}


# ---- A run


def test_without_recording_every_doctor_is_asked_anew(monkeypatch):
    asked = []
    monkeypatch.setattr(bench, "collect", lambda seeds, jobs: None)
    monkeypatch.setattr(bench, "attempt", lambda seed, arm: {"asked": asked.append(arm) or 1.0})
    for _ in range(2):  # the rules may have changed in between
        bench.contest(5)
    assert asked == 2 * 5 * list(bench.ARMS)


def test_a_run_is_kept_and_can_be_diagnosed_again(tmp_path, monkeypatch):
    def tiny(seed):
        return dataclasses.replace(setup(), epochs=2)

    monkeypatch.setattr(programs, "PROGRAMS", {"tiny": tiny})
    ward = running.Ward(tmp_path)
    trained = ward.run("tiny", "rate too low", 0, 0)
    monkeypatch.setattr(running, "train", None)  # it is read, not trained
    kept = ward.run("tiny", "rate too low", 0, 0)
    assert kept.keys() == trained.keys() and kept["score"] == trained["score"]
    assert len(kept["history"]["val_loss"]) == 2 and [g["epoch"] for g in kept["gradients"]] == [
        0,
        1,
    ]
    for doctor in (doctors.ours, doctors.curves_alone, doctors.autotrainer):
        names, verdict = doctor(kept)
        assert set(names) <= faults.FAULTS.keys() and verdict in ("sick", "healthy", "cannot tell")


def kept(
    fault="rate too high", score=0.5, dead=0.0, largest=0.4, val=(1.0, 0.9), train=0.9, **more
):
    curves = {"loss": [1.0, 0.8], "val_loss": list(val)}
    return {"program": "p", "fault": fault, "score": score, "dead": dead, "largest class": largest,
            "history": curves, "training score": train} | more  # fmt: skip


def test_a_fault_bites_when_the_score_falls_or_it_is_there_by_construction():
    healthy = [kept("healthy", 0.9), kept("healthy", 0.92)]
    assert running.bites(kept(score=0.8), healthy)
    assert not running.bites(kept(score=0.89), healthy)
    for largest in (0.5, 0.95):
        collapsed = kept("collapse to the majority", score=0.5, largest=largest)
        assert running.bites(collapsed, healthy) == (largest > 0.85)
    for wait, slow in ((0.02, True), (0.005, False)):
        more = {"wait": wait, "record": {"steps": {"step": 0.01}}}
        assert running.bites(kept("slow input pipeline", score=0.95, **more), healthy) == slow
    assert running.bites(kept("leak between training and validation", score=0.95), healthy)
    assert running.bites(kept("dead units", score=0.95, dead=0.7), healthy)
    assert not running.bites(kept("dead units", score=0.95, dead=0.2), healthy)
    assert running.bites(kept("overfitting", score=0.95, val=(0.5, 0.9)), healthy)
    assert running.bites(kept("overfitting", score=0.7, train=1.0), healthy)
    assert not running.bites(kept("overfitting", score=0.7, train=0.8), healthy)
    assert not running.bites(kept("overfitting", score=0.95, val=(0.5, float("nan"))), healthy)


# ---- Accepted answers and counting


def test_accepted_answers_are_faults_and_their_conditions_are_known():
    for planted, name, counts, when, why in scoring.ACCEPTED:
        assert {planted or name, name} <= clinic.FAULTS.keys() and planted != name
        assert counts in ("instead", "beside") and why
        assert scoring.holds(when, kept()) in (True, False)
    pairs = [row[:2] for row in scoring.ACCEPTED]
    assert len(set(pairs)) == len(pairs)


def test_what_is_true_beside_the_fault_has_not_found_it():
    run = kept("rate too low", largest=1.0)
    finds, true = scoring.right(run)
    assert finds == {"rate too low", "stopped too early"}
    assert true == finds | {"collapse to the majority"}
    assert scoring.right(kept(dead=0.9))[0] == {"rate too high", "dead units"}
    assert scoring.right(kept(dead=0.1))[0] == {"rate too high"}


def row(planted, found, hit, right, state="sick", verdict=None):
    verdict = verdict or ("sick" if found else "healthy")
    return {"program": "p", "planted": planted, "state": state, "found": found, "hit": hit,
            "right": right, "verdict": verdict}  # fmt: skip


ROWS = [
    row("a", ["a"], True, ["a"]),
    row("a", ["b", "a"], True, ["a"]),
    row("a", [], False, ["a"]),
    row("b", [], False, ["b"], verdict="cannot tell"),
    row("healthy", ["a"], False, [], "healthy"),
    row("healthy", [], False, [], "healthy"),
    row("b", ["b"], True, ["b"], "mild"),
]


def test_recall_precision_and_false_alarms_by_hand():
    found = scoring.numbers(ROWS)
    assert found["recall"] == pytest.approx(2 / 4)
    assert found["recall, macro"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["precision"] == pytest.approx(2 / 4)  # a, a right; b, and a on a healthy run
    assert found["precision, macro"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["false alarms"] == pytest.approx(1 / 2)
    assert found["cannot tell"] == pytest.approx(1 / 6)
    assert found["called healthy"] == pytest.approx(1 / 4)
    assert (found["sick"], found["healthy"], found["mild"]) == (4, 2, 1)
    assert found["mild called sick"] == 1


def test_a_doctor_is_judged_against_the_planted_fault():
    runs = [kept("healthy", 0.9), kept("healthy", 0.9), kept(score=0.2), kept(score=0.9)]
    rows = scoring.judged(runs, doctors.Majority({"healthy": 9, "rate too high": 2, "leak": 1}))
    assert [r["state"] for r in rows] == ["healthy", "healthy", "sick", "mild"]
    assert [r["hit"] for r in rows] == [False, False, True, True]
    assert scoring.numbers(rows)["false alarms"] == 1


def test_the_confusion_matrix_counts_every_finding():
    rows = [row("rate too high", ["dead units", "rate too high"], True, []),
            row("healthy", [], False, [], "healthy"),
            row("overfitting", [], False, [], "mild")]  # fmt: skip
    found = scoring.confusion(rows)

    def count(planted, name):
        at = scoring.PLANTED.index(planted), scoring.FOUND.index(name)
        return found["planted {:02d}, found {:02d}".format(*at)]

    assert count("rate too high", "dead units") == count("rate too high", "rate too high") == 1
    assert count("healthy", "nothing, healthy") == 1
    assert sum(found.values()) == 3, "a fault that does no harm is not counted"


def test_wilsons_interval():
    low, high = scoring.wilson(1, 10)  # Wilson's own formula by hand
    assert (low, high) == pytest.approx((0.0179, 0.4042), abs=1e-4)
    assert scoring.wilson(0, 50)[0] == 0 and scoring.wilson(0, 50)[1] == pytest.approx(
        0.0714, 1e-2
    )


# ---- The other doctors


@pytest.mark.parametrize("kind, sick", [("Dense", True), ("Embedding", False)])
def test_what_an_embedding_gets_has_no_scale(kind, sick):
    gets = {"name": "first", "kind": kind, "mean": 40.0, "std": 50.0, "min": 0.0, "max": 95.0}
    curves = {"loss": [float("nan")], "val_loss": [float("nan")]}
    record = clinic.Record(curves=curves, end={"training": {"first layer": gets}})
    run = {"record": record.to_dict()}
    assert ("inputs on the wrong scale" in doctors.ours(run)[0]) == sick
    assert "inputs on the wrong scale" in doctors.before_the_mend(run)[0]
    assert run["record"]["end"]["training"]["first layer"]["kind"] == kind


def test_a_guess_keeps_to_the_base_rates():
    guess = doctors.Guess({"healthy": 1, "leak": 3}, seed=0)
    said = [guess({})[1] for _ in range(2000)]
    assert 0.2 < said.count("healthy") / 2000 < 0.3


def gradients(epoch=9, zero=0.1, norms=(1.0, 1.0), finite=True):
    return [{"epoch": epoch, "zero": [zero, zero], "sizes": [10, 10], "norms": list(norms),
             "finite": finite}]  # fmt: skip


def curves(accuracy, loss=1.0):
    return {"loss": [loss] * 10, "val_loss": [loss] * 10, "accuracy": accuracy,
            "val_accuracy": accuracy}  # fmt: skip


RISING, FLAT = list(np.linspace(0.3, 0.9, 10)), [0.3] * 10
SWINGS = [0.5, 0.7, 0.9, 0.7, 0.9, 0.7, 0.9, 0.7, 0.9, 0.9]


@pytest.mark.parametrize(
    "history, seen, symptom",
    [
        (curves(RISING), gradients(), None),
        (curves(RISING, float("nan")), gradients(), "exploding gradient"),
        (curves(RISING), gradients(finite=False), "exploding gradient"),
        (curves(RISING, 2e5), gradients(), "exploding gradient"),
        (curves(FLAT), gradients(), "slow convergence"),
        (curves(FLAT), gradients(zero=0.8), "dying ReLU"),
        (curves(FLAT), gradients(norms=(100.0, 1.0)), "exploding gradient"),
        (curves(FLAT), gradients(norms=(1e-5, 1.0)), "vanishing gradient"),
        (curves(FLAT), gradients(norms=(1e-3, 10.0)), "slow convergence"),
        (curves(RISING), gradients(zero=0.8), None),  # it converges, so nothing is asked
        (curves(SWINGS), gradients(), "oscillating loss"),
        (curves(FLAT), gradients(epoch=1), None),  # too early to judge
    ],
)
def test_autotrainers_rules(history, seen, symptom):
    assert doctors.symptom_of(history, seen) == symptom


def test_a_symptom_is_read_generously():
    run = {"history": curves(FLAT), "gradients": gradients()}
    assert doctors.autotrainer(run | {"fault": "stopped too early"})[0] == ["stopped too early"]
    assert doctors.autotrainer(run | {"fault": "leak"})[0] == [
        doctors.MEANS["slow convergence"][0]
    ]
    for names in doctors.MEANS.values():
        assert set(names) <= clinic.FAULTS.keys()


# ---- The command


def results_by_hand():
    rows = []
    for arm in bench.ARMS:
        for seed in range(5):
            found = scoring.numbers(ROWS) | {
                f"{what}: {fault}": 2 - (what == "found" and arm != "ours")
                for what in ("sick", "found")
                for fault in faults.FAULTS
            }
            found |= scoring.confusion(ROWS) if arm == "ours" else {}
            rows += [(arm, seed, name, value, 0.0) for name, value in found.items()]
    table = pd.DataFrame(rows, columns=["arm", "seed", "metric", "value", "seconds"])
    return measure.Results(table, "the same runs", bench.CONTEST, 5)


def test_the_tables_say_what_was_counted():
    table = bench.table(results_by_hand())
    assert table.loc["ours", "recall"] == "50 ± 0"
    assert table.loc["ours", "false alarms"].startswith("5 of 10 (")
    by_fault = bench.by_fault(results_by_hand())
    assert by_fault.loc["dead units", "sick runs"] == 10
    assert by_fault.loc["dead units", ["ours", "majority"]].tolist() == ["100", "50"]
    assert bench.by_program(ROWS).loc["p", "recall"] == 0.5
    matrix, once = bench.confusion(results_by_hand()), scoring.confusion(ROWS)
    assert matrix.to_numpy().sum() == 5 * sum(once.values()) > 0
    assert matrix.any(axis=0).all() and matrix.any(axis=1).all()


def test_too_few_seeds_are_refused(capsys):
    assert main(["clinic", "--seeds", "3"]) == 1
    assert "five seeds" in capsys.readouterr().err
    with pytest.raises(CourseError):
        bench.clinic_command(type("Args", (), {"seeds": 5, "jobs": 0})())


def test_the_record_is_of_the_benchmark_as_it_is_now():
    entry = ledger.experiment(bench.CONTEST)
    assert book.stamped(entry) == bench.rests(), "run: python3 course.py bench clinic --record"
    assert entry["seeds"] >= 5
