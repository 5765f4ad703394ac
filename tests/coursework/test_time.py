"""Once answers are defined they are judged, whatever the student's own cells do."""

import dataclasses
import json

import pytest
from hostile import GOOD, answer, more

from conftest import points
from translearn.coursework.instructor import bank, grading, sandbox
from translearn.coursework.student import clock, submit

PERFECT = bank.books("A1")[1]
LIMITS = sandbox.Limits(
    cell_seconds=3, own_seconds=4, probe_seconds=1, total_seconds=15, grace_seconds=1
)
SLEEP = "import time\nfor n in range(1000):\n    time.sleep(0.01)"
STUBBORN = "import time, signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(1000)"


def _graded(released, book, limits=LIMITS):
    data = json.dumps(book).encode()
    return grading.grade_one("A1", released("A1"), data, "secret", limits, spare=1)


def _with_own(sources, book=PERFECT):
    for source in reversed(sources):
        book = more(source, 2)(book)
    return book


def test_own_cells_that_train_for_too_long_cost_nothing(released):
    """Three seconds a cell, four together, then two seconds each: what is quick still runs."""
    quick = "from math import pi as helper"
    result = _graded(released, _with_own([SLEEP, SLEEP, SLEEP, quick, "print(helper)"]))
    assert (result["state"], sum(points(result).values())) == ("graded", 30), result["reason"]
    said = [cell["error"] and cell["error"]["message"] for cell in result["cells"]]
    assert [text for text in said if text] == [
        "It ran for more than 3 s and was stopped.",
        "It was stopped after 2 s: cells that answer no question have 4 s together.",
        "It was stopped after 2 s: cells that answer no question have 4 s together.",
    ]
    assert any(o.get("text", "").startswith("3.14") for c in result["cells"] for o in c["outputs"])
    assert result["notes"] == [
        "when it ran, 3 cells that answer no question had to be stopped: `import time` and others"
    ]


@pytest.mark.parametrize(
    "own, left_out",
    [([STUBBORN] * 3, True), (["import os\nos._exit(1)"] * 6, True), ([STUBBORN], False)],
    ids=["stubborn cells", "cells that end Python", "one stubborn cell"],
)
def test_own_cells_that_have_to_be_killed_cost_nothing(own, left_out, released):
    result = _graded(
        released, _with_own(own), dataclasses.replace(LIMITS, cell_seconds=1, total_seconds=5)
    )
    assert (result["state"], sum(points(result).values())) == ("graded", 30), result["reason"]
    assert any("left out" in note for note in result["notes"]) == left_out


def test_an_answer_that_needs_a_cell_that_was_left_out_has_no_mark_and_no_zero(released):
    book = answer("huber", "pass")(PERFECT)
    own = [*["import os\nos._exit(1)"] * 5, f"{SLEEP}\ndef huber(*a): return 0"]
    result = _graded(released, _with_own(own, book))
    assert result["state"] == "ungraded"
    assert [name for name, got in points(result).items() if got is None] == ["huber"]
    assert "had to be stopped" in result["reason"]


def test_what_a_stopped_cell_had_defined_is_there_after_a_restart(released):
    """The one that loops was stopped by its alarm; then another one ends Python, twice."""
    book = answer("huber", f"{GOOD}\nwhile True: pass")(PERFECT)
    book = answer("verdict", "import os\ndef verdict(*a): os._exit(1)")(book)
    got = points(_graded(released, book, dataclasses.replace(LIMITS, cell_seconds=0.5)))
    assert (got["huber"], got["verdict"]) == (3, None)
    assert sum(p for p in got.values() if p) == 26


def test_functions_that_hang_cost_their_own_questions(released):
    """One that hangs each time is not asked for ever, and the others have their marks."""
    book = PERFECT
    for name in ("huber", "verdict"):
        book = answer(name, f"def {name}(*a):\n    while True: pass")(book)
    hang = "import re\ndef schedule(*a):\n    re.match('(a+)+$', 'a' * 60 + 'b')"
    quick = dataclasses.replace(LIMITS, probe_seconds=0.3)
    result = _graded(released, answer("schedule", hang)(book), quick)
    got = points(result)
    assert {name for name in got if got[name] == 0} == {"huber", "verdict", "schedule"}
    assert sum(got.values()) == 30 - 3 - 4 - 4
    assert result["questions"]["schedule"][0]["message"] == "`schedule` took more than 0.3 s."


def test_the_check_before_handing_in_names_the_cells_that_take_too_long(monkeypatch, tmp_path):
    assert submit.CELL_SECONDS == clock.CELL
    monkeypatch.setattr(submit, "CELL_SECONDS", 0.5)
    book = answer("verdict", f"{SLEEP}\ndef verdict(losses):\n    return 'fits'")(PERFECT)
    rows, good = submit._look(
        "A1", _with_own([f"# My training\n{SLEEP}"], book)["cells"], tmp_path
    )
    assert not good
    slow = [row for row in rows if "took too long" in row]
    assert slow[0].startswith("| ○ | the cell `# My training` took too long and was stopped. In")
    assert slow[1].startswith("| ✗ | the cell `import time` took too long and was stopped, and it")
    assert all(clock.LIMITS in row for row in slow) and len(slow) == 2
    assert sum("passes its visible check" in row for row in rows) == 7
