import json
import os
import subprocess
import sys
import time

import pytest

from translearn import paths
from translearn.exercises import progress


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    place = tmp_path / "progress.json"
    monkeypatch.setenv("TRANSLEARN_PROGRESS", str(place))
    return place


def test_it_is_kept_in_the_file_and_nowhere_else(place):
    assert progress.passed() == {}
    assert not place.exists()  # looking writes nothing
    assert progress.record("lesson05", "freeze") == ""
    when = progress.passed("lesson05")["freeze"]
    progress.record("lesson00", "predict")
    assert progress.record("lesson05", "freeze") == ""
    assert progress.passed("lesson05") == {"freeze": when}  # the first time stays
    assert json.loads(place.read_text())["passed"].keys() == {"lesson00", "lesson05"}
    assert os.listdir(place.parent) == [place.name]  # no lock and no half-written file is left


def test_forgetting():
    for lesson in ("lesson00", "lesson05"):
        progress.record(lesson, "one")
    progress.forget("lesson00")
    assert progress.passed().keys() == {"lesson05"}
    progress.forget()
    assert progress.passed() == {}


def test_a_new_process_sees_it_and_many_at_once_lose_nothing(place):
    code = (
        "from translearn.exercises import progress\nfor i in range(8): assert "
        "progress.record('lesson{0}', f'e{{i}}') == ''"
    )
    several = [
        subprocess.Popen([sys.executable, "-c", code.format(n)], cwd=paths.ROOT) for n in range(4)
    ]
    assert [each.wait(60) for each in several] == [0] * 4
    assert {lesson: len(done) for lesson, done in progress.passed().items()} == {
        f"lesson{n}": 8 for n in range(4)
    }


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'{"passed": []}',
        b'{"passed": {"lesson05": ["freeze"]}}',
        b'{"passed": {"lesson05": {"freeze": 3}}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_kept_aside(place, damage):
    place.write_bytes(damage)
    assert progress.passed() == {}
    assert place.read_bytes() == damage
    sentence = progress.record("lesson05", "freeze")
    (aside,) = place.parent.glob("progress.json.damaged-*")
    assert aside.name in sentence and sentence.count(". ") == 0
    assert aside.read_bytes() == damage
    assert progress.passed("lesson05").keys() == {"freeze"}
    assert progress.record("lesson05", "other") == ""


def test_a_place_that_cannot_be_written_is_a_sentence_not_an_error(place):
    place.mkdir()
    assert "could not be saved" in progress.record("lesson05", "freeze")
    assert progress.passed() == {}


def test_a_crash_while_writing_leaves_the_old_file(place, monkeypatch):
    progress.record("lesson05", "freeze")
    before = place.read_bytes()

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", crash)
    assert "No space left" in progress.record("lesson05", "other")
    assert place.read_bytes() == before
    assert os.listdir(place.parent) == [place.name]


def test_the_lock_of_a_dead_kernel_is_broken_a_live_one_is_respected(place):
    lock = place.with_name(place.name + ".lock")
    lock.touch()
    assert "another notebook" in progress.record("lesson05", "freeze")
    assert progress.passed() == {} and lock.exists()
    os.utime(lock, (time.time() - 60,) * 2)
    assert progress.record("lesson05", "freeze") == ""


def test_the_default_is_beside_the_lessons(monkeypatch):
    monkeypatch.delenv("TRANSLEARN_PROGRESS")
    assert progress.file() == paths.ROOT / ".progress.json"
