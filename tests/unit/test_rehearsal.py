"""The rehearsal of a lesson, the sweep of an explorer, the estimate of minutes, and what these
refuse.
"""

import ast
import json

import matplotlib.pyplot as plt
import pytest

from translearn import authoring, paths, widgets
from translearn.authoring import BuildError, depends, minutes, notebooks, rehearsal

HEADER = "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n"
ANSWER = "### BEGIN SOLUTION\nrate = 0.1\n### END SOLUTION"


def code(text, tags=""):
    return f"```{{code-cell}} ipython3\n{tags}{text}\n```\n\n"


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "SOURCE", tmp_path)

    def make(body):
        path = tmp_path / "99_test.md"
        path.write_text(HEADER + body, encoding="utf-8")
        return authoring.read(path)

    return make


# ---- The rehearsal ----


def test_an_exercise_is_run_as_found_and_checked_then_solved_and_checked(source):
    body = code("goal = 1") + code(ANSWER) + code("half = rate") + code("exercise.q.check(rate)")
    lesson = source(body + code("print(goal)"))
    cells = json.loads(notebooks.rehearsal(lesson))["cells"]
    found = [("".join(c["source"]), c["metadata"].get("translearn", {})) for c in cells[1:-1]]
    added = {"added": True}
    assert found == [
        ("goal = 1", {}),
        ("rate = ...", added),
        ("half = rate", added),
        ("exercise.q.check(rate)", added | {"expect": "not attempted"}),
        ("rate = 0.1", {}),
        ("half = rate", {}),
        ("exercise.q.check(rate)", {"expect": "passed"}),
        ("print(goal)", {}),
    ]
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_after_an_explorer_comes_its_sweep_and_a_bet_is_placed(source):
    body = code("bet = widgets.Bet('k', 'How many?', 0, 9)") + code(
        "widgets.explore(draw, n=[1, 2])"
    )
    cells = json.loads(notebooks.rehearsal(source(body + code("bet.settle(3)"))))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    assert texts[2] == "bet.place(bet._slider.value)"
    explorer = cells[3]["id"]
    assert texts[4] == f"rehearsal.sweep(Out[max(Out)], '99_test', '{explorer}')"


# ---- The sweep ----


def picture(height):
    fig, ax = plt.subplots()
    ax.plot([0, height])
    return fig


def test_a_sweep_draws_every_step(monkeypatch):
    seen = []

    def draw(height, colour):
        seen.append((height, colour))
        return picture(height), f"up to {height} in {colour}"

    rehearsal.sweep(widgets.explore(draw, height=[1, 2, 3], colour=["red", "blue"]))
    assert set(seen) == {(h, c) for h in (1, 2, 3) for c in ("red", "blue")}
    seen.clear()
    monkeypatch.setattr(rehearsal, "PRODUCT", 5)
    rehearsal.sweep(widgets.explore(draw, height=[1, 2, 3], colour=["red", "blue"]))
    assert len(set(seen)) == 4, "too many together: one control at a time"


@pytest.mark.parametrize(
    "draw, said",
    [
        (lambda n: (picture(1), "a line"), "neither the figure nor its alt text changes"),
        (lambda n: (picture(n), " " if n == 2 else "a line"), "no alt text at {'n': 2}"),
        (lambda n: (picture(n), f"{1 / (n - 3)}"), "division by zero"),
        (lambda n: (picture(n) and picture(n), f"{n}"), "1 more figures are left open"),
    ],
)
def test_a_sweep_fails_where_a_reader_would_see_nothing_new_or_nothing_at_all(draw, said):
    explorer = widgets.explore(draw, n=[1, 2, 3])
    with pytest.raises((AssertionError, ZeroDivisionError), match=said.replace("{", "\\{")):
        rehearsal.sweep(explorer)
    plt.close("all")


def test_the_values_of_every_kind_of_control():
    import ipywidgets

    assert rehearsal.values(ipywidgets.IntSlider(min=2, max=8, step=3)) == [2, 5, 8]
    assert rehearsal.values(ipywidgets.Dropdown(options=[("one", 1), ("two", 2)])) == [1, 2]
    assert rehearsal.values(ipywidgets.Checkbox()) == [False, True]


# ---- What leans on what ----


@pytest.mark.parametrize(
    "cell, gives, takes",
    [
        ("y = x + 1", {"y"}, {"x"}),
        ("total += x", {"total"}, {"total", "x"}),
        ("import numpy as np", {"np"}, set()),
        ("def f(a):\n    b = a + rate\n    return f(b)", {"f"}, {"rate"}),
        ("arms = {n: (lambda s, n=n: run(n, s)) for n in names}", {"arms"}, {"run", "names"}),
        ("for layer in model.layers:\n    layer.trainable = False", {"layer"}, {"model"}),
    ],
)
def test_what_a_statement_gives_and_takes(cell, gives, takes):
    assert depends.gives_and_takes(ast.parse(cell).body[0]) == (gives, takes)


CHECK = code("exercise.q.check(rate)")


@pytest.mark.parametrize(
    "below",
    [
        code("print(rate)"),
        code("def train():\n    return rate"),
        code("other = 2 * rate"),
        code("other = [rate * n for n in range(3)]"),
    ],
)
def test_what_leans_on_an_answer_is_refused(source, below):
    with pytest.raises(BuildError, match=r"99_test\.md:\d+: this reads 'rate'.*an exercise"):
        authoring.check(source("# T\n\n" + code(ANSWER) + CHECK + below))


def test_a_function_above_that_reads_what_an_answer_changes_is_refused(source):
    above = code("rate = 1\n\n\ndef train():\n    return rate")
    with pytest.raises(BuildError, match="this reads 'rate'"):
        authoring.check(source("# T\n\n" + above + code(ANSWER) + CHECK + code("train()")))


def test_a_name_that_is_given_anew_and_cells_up_to_the_check_may_read_it(source):
    between = code("half = rate")
    authoring.check(
        source("# T\n\n" + code(ANSWER) + between + CHECK + code("rate = 3\nprint(rate)"))
    )


def test_the_core_may_not_lean_on_further_but_further_may_lean_on_the_core(source):
    body = "# T\n\n## 1 · A\n\n" + code("a = 1")
    further = "### Further · More\n\n" + code("b = a\nc = b")
    authoring.check(source(body + further + "### Back\n\n" + code("print(a)")))
    with pytest.raises(
        BuildError, match=r"the core reads 'b' here, which a section Further gives"
    ):
        authoring.check(source(body + further + "### Back\n\n" + code("print(b)")))
    # A heading below it is still in it.
    authoring.check(source(body + further + "#### Deeper\n\n" + code("print(b)")))


def test_a_bet_that_is_never_settled_is_refused(source):
    bet = code('bet = widgets.Bet("k", "How many?", 0, 9)\nbet')
    authoring.check(source("# T\n\n" + bet + code("bet.settle(3)")))
    with pytest.raises(BuildError, match="this bet is never settled"):
        authoring.check(source("# T\n\n" + bet))


# ---- Minutes ----


def test_the_estimate_adds_up_words_code_figures_and_exercises(source):
    words = "# T\n\n" + " ".join(["word"] * 359) + "\n\n"
    assert minutes.core(source(words)) == pytest.approx(minutes.COMPUTING + 2)
    lines = minutes.core(source(words + code("\n".join(f"a{n} = {n}" for n in range(12)))))
    assert lines == pytest.approx(minutes.COMPUTING + 3)
    asked = minutes.core(
        source(words + code(ANSWER) + code("exercise.q.check(rate)", ":tags: [exercise]\n\n"))
    )
    assert asked == pytest.approx(minutes.COMPUTING + 2 + 1.5)


def test_the_layout_of_code_does_not_count():
    one = (
        "results = measure.compare(run, grid={'how': ['frozen', 'tuned']}, seeds=3, "
        "budget='equal')"
    )
    many = one.replace("(", "(\n    ").replace(", ", ",\n    ")
    assert minutes.lines(one) == minutes.lines(many) == 2


def test_the_time_stands_at_the_top_and_at_each_part_and_further_beside_it(source):
    text = " ".join(["word"] * 900)
    body = f"# T\n\n⏱ {{{{ time }}}} to read and do.\n\n## 1 · A\n\n{text}\n\n"
    lesson = source(body + f"### Further · More\n\n{text}\n\n## 2 · B\n\n{text}\n")
    made = authoring.notebook(lesson, solved=False)
    assert "⏱ About 10 minutes (and 5 for the sections marked *Further*) to read and do." in made
    page = "".join(line for cell in json.loads(made)["cells"] for line in cell["source"])
    assert "## 1 · A\n\n⏱ 5 minutes" in page and "## 2 · B\n\n⏱ 5 minutes" in page


def test_a_core_of_more_than_45_minutes_is_refused_and_further_helps(source):
    text = " ".join(["word"] * 180 * 30) + "\n\n"
    with pytest.raises(BuildError, match="the core takes about 61 minutes, and 45 is the most"):
        authoring.check(source("# T\n\n## 1 · A\n\n" + text + "## 2 · B\n\n" + text))
    authoring.check(source("# T\n\n## 1 · A\n\n" + text + "## Further · B\n\n" + text))
