"""Lessons run for the book: what a sweep keeps, what makes a run stale, and what an interruption,
another process and a failing cell do.
"""

import json
import threading

import matplotlib.pyplot as plt
import nbformat
import pytest
from PIL import Image

from translearn import paths, widgets
from translearn.authoring import reading, rehearsal
from translearn.authoring.book import executed
from translearn.errors import CourseError

HEADER = "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n# Demo\n\n"
EXPLORER = """\
from matplotlib.figure import Figure
from translearn import widgets

def draw(n):
    fig = Figure(figsize=(2, 1))
    fig.subplots().plot([0, n])
    return fig, f"up to {n}"

widgets.explore(draw, n=[1, 2])
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TRANSLEARN_LANGUAGE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def make(tmp_path, cache):
    def lesson(name, *cells):
        file = tmp_path / f"{name}.md"
        cells = [f"```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells]
        file.write_text(HEADER + "\n".join(cells), encoding="utf-8")
        return reading.read(file)

    return lesson


# ---- What a sweep keeps ----


def draw(height, colour):
    fig, ax = plt.subplots(figsize=(2, 1))
    ax.plot([0, height])  # the colour changes the words alone
    return fig, f"up to {height}, in {colour}"


def swept(cache, monkeypatch, product):
    monkeypatch.setattr(rehearsal, "PRODUCT", product)
    controls = {"height": [1, 2, 5], "colour": ["red", "blue"]}
    rehearsal.sweep(widgets.explore(draw, **controls), "05_demo", "abc")
    folder = cache / "executed" / "en" / "05_demo"
    return folder, json.loads((folder / "explorer-abc.json").read_text(encoding="utf-8"))


def test_a_sweep_keeps_each_picture_once_and_what_it_shows(cache, monkeypatch):
    folder, found = swept(cache, monkeypatch, product=6)
    assert found["cell"] == "abc" and found["whole"]
    assert set(found["points"]) == {f"{h},{c}" for h in range(3) for c in range(2)}
    assert found["points"]["2,1"]["alt"] == "up to 5, in blue"
    words = [(each["name"], each["values"], each["start"]) for each in found["controls"]]
    assert words == [("height", ["1", "2", "5"], 0), ("colour", ["red", "blue"], 0)]
    pictures = {point: told["picture"] for point, told in found["points"].items()}
    assert pictures["2,0"] == pictures["2,1"] != pictures["1,0"]
    assert {file.name for file in folder.glob("*.webp")} == set(pictures.values())
    with Image.open(folder / pictures["0,0"]) as picture:
        assert picture.format == "WEBP"
        assert picture.width == pytest.approx(rehearsal.SHARP * found["width"], abs=1)
        assert picture.height == pytest.approx(rehearsal.SHARP * found["height"], abs=1)
        darkest = min(picture.convert("L").get_flattened_data())
    assert darkest < 128, "the figure is drawn"


def test_beyond_the_product_one_control_moves_at_a_time(cache, monkeypatch):
    _, found = swept(cache, monkeypatch, product=5)
    assert not found["whole"] and set(found["points"]) == {"0,0", "1,0", "2,0", "0,1"}


# ---- What is fresh ----


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of the files that count, one that makes numbers, and one of errors."""
    files = {name: "shown = 1\n" for name in executed.SHOWS}
    files |= {"errors.py": "SAID = 'No.'\n", "data/solar.py": "x = 1\n\nNUMERICS = 3\n"}
    for name, text in files.items():
        file = tmp_path / "translearn" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "registry.toml").write_text("[solar]\n", encoding="utf-8")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "DATA", tmp_path)
    executed._code.cache_clear()
    yield tmp_path
    executed._code.cache_clear()


@pytest.mark.parametrize(
    "name, text, still",
    [
        ("translearn/errors.py", "SAID = 'No: give a number.'\n", True),
        ("translearn/data/solar.py", "x = 1  # said better\n\nNUMERICS = 3\n", True),
        ("translearn/data/solar.py", "x = 1\n\nNUMERICS = 4\n", False),
        ("translearn/plots.py", "shown = 2\n", False),
        ("registry.toml", "[solar]\nversion = 2\n", False),
    ],
)
def test_an_errors_words_leave_a_run_fresh_and_what_shows_or_numbers_do_not(
    make, package, name, text, still
):
    lesson = make("05_demo", "print(1)")
    executed.keep(lesson, nbformat.v4.new_notebook())
    assert executed.fresh(lesson)
    (package / name).write_text(text, encoding="utf-8")
    executed._code.cache_clear()  # another process
    assert (executed.fresh(lesson) is not None) is still


def test_another_word_of_prose_leaves_a_run_fresh_and_another_cell_does_not(make, package):
    executed.keep(make("05_demo", "print(1)"), nbformat.v4.new_notebook())
    lesson = make("05_demo", "print(1)")
    lesson.path.write_text(
        lesson.path.read_text(encoding="utf-8").replace("# Demo", "# A demo"), encoding="utf-8"
    )
    assert executed.fresh(reading.read(lesson.path))
    assert executed.fresh(make("05_demo", "print(2)")) is None


# ---- Runs ----


def test_an_interruption_costs_the_lesson_in_hand_alone(make, monkeypatch):
    lessons = [make(name, "print(1)") for name in ("01_one", "02_two", "03_three")]
    ran = []

    def run(lesson, language):
        ran.append(lesson.name)
        if len(ran) == 2:
            raise KeyboardInterrupt
        executed.keep(lesson, nbformat.v4.new_notebook(), language)

    monkeypatch.setattr(executed, "_run", run)
    with pytest.raises(KeyboardInterrupt):
        executed.execute(lessons, say=lambda text: None)
    said = []
    found = executed.execute(lessons, say=said.append)
    assert ran == ["01_one", "02_two", "02_two", "03_three"]
    assert said == ["2 of 3 lessons have not run as they are now: running them."]
    assert all(found.values()) and executed.execute(lessons, say=said.append) and len(said) == 1


def test_a_lesson_that_another_process_runs_is_waited_for_and_used(make, monkeypatch):
    lesson, ran, found = make("05_demo", "print(1)"), [], {}
    looked, look = threading.Event(), executed.fresh

    def fresh(*which):
        try:
            return look(*which)
        finally:
            looked.set()

    monkeypatch.setattr(executed, "fresh", fresh)
    monkeypatch.setattr(executed, "_run", lambda *which: ran.append(which))
    other = threading.Thread(
        target=lambda: found.update(executed.execute([lesson], say=lambda text: None))
    )
    with executed.running(lesson):
        other.start()
        assert looked.wait(60)  # it has found nothing, and wants to run the lesson
        executed.keep(lesson, nbformat.v4.new_notebook())
    other.join(60)
    assert found["05_demo"] is not None and not ran


def test_a_lesson_runs_in_a_kernel_and_its_explorer_is_kept_where_it_is_looked_for(make):
    lesson = make("05_demo", EXPLORER)
    found = executed.execute([lesson], say=lambda text: None)["05_demo"]
    [(cell, told)] = found.explorers.items()
    assert cell == lesson.cells[-1].id and set(told["points"]) == {"0", "1"}
    assert all((found.folder / each["picture"]).is_file() for each in told["points"].values())
    assert [each.id for each in found.notebook.cells if each.cell_type == "code"] == [cell]


def test_a_failing_cell_is_named_in_one_sentence_and_nothing_is_kept(make):
    lesson = make("05_demo", "print(1)", "rate = 1 / 0")
    with pytest.raises(CourseError) as caught:
        executed.execute([lesson], say=lambda text: None)
    said = str(caught.value)
    assert said == (
        "05_demo does not run, in the cell 'rate = 1 / 0': ZeroDivisionError: division by zero"
    )
    assert executed.fresh(lesson) is None


def test_a_check_that_answers_something_else_stops_the_run(make):
    lesson = make("05_demo", "print(1)")
    cell = nbformat.v4.new_code_cell("exercise.rate.check(rate)")
    cell.metadata["translearn"] = {"expect": "passed"}
    cell.outputs = [
        nbformat.v4.new_output("execute_result", {"text/plain": "✗ Not right yet · rate"})
    ]
    with pytest.raises(CourseError, match="05_demo: the check 'exercise.rate.check.*'passed'"):
        executed._expected(lesson, cell)
    cell.outputs[0].data["text/plain"] = "✓ Passed · rate"
    executed._expected(lesson, cell)
