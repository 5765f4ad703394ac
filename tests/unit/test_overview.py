"""The start page's table of lessons with progress."""

import pytest

from translearn import paths
from translearn.exercises import exercises_of, lesson00, overview, progress


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_PROGRESS", str(tmp_path / "progress.json"))


def row(number="00"):
    return next(
        line for line in repr(overview.lessons()).splitlines() if line.startswith(f"| [{number} ·")
    )


def test_every_lesson_has_a_row_with_a_link_and_its_question(fresh):
    rows = repr(overview.lessons()).splitlines()[2:]
    notebooks = sorted(path.name for path in paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    assert [line.split("](")[1].split(")")[0] for line in rows] == notebooks
    assert all(line.split("|")[2].strip().endswith("?") for line in rows)
    assert row().startswith("| [00 · Start here](00_start_here.ipynb) | You have ten pictures")


def test_a_passed_exercise_shows_at_once_and_forgetting_takes_it_back(fresh):
    n = len(exercises_of(lesson00))
    assert row().endswith(f"| {'○' * n} 0 of {n} |")
    from translearn import data

    emoji = data.load("emoji_styles")
    assert lesson00.chance.check(0.5, emoji).passed is False and row().endswith(f"0 of {n} |")
    assert lesson00.chance.check(1 / 12, emoji).passed
    assert row().endswith(f"| ●{'○' * (n - 1)} 1 of {n} |")
    progress.record("lesson00", "an exercise that the lesson no longer has")
    assert row().endswith(f"1 of {n} |")
    progress.forget("lesson00")
    assert row().endswith(f"0 of {n} |")


def test_a_damaged_notebook_or_progress_file_still_gives_a_table(fresh, tmp_path, monkeypatch):
    (tmp_path / "progress.json").write_text("{ broken")
    (tmp_path / "05_freezing.ipynb").write_text("no notebook")
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    assert "| [05_freezing](05_freezing.ipynb) |  | ○" in repr(overview.lessons())
