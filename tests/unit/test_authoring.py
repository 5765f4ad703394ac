"""The build: one source, its notebooks, and what it refuses."""

import json
import os

import pytest

from translearn import authoring, paths
from translearn.authoring import BuildError, numbers
from translearn.authoring import __main__ as command
from translearn.evidence import book, lessons

HEADER = "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n"


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "ledger")
    monkeypatch.setattr(paths, "SOURCE", tmp_path)
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "out")

    def make(body, name="99_test.md"):
        path = tmp_path / name
        path.write_text(HEADER + body, encoding="utf-8")
        return authoring.read(path)

    return make


def code(text, tags=""):
    return f"```{{code-cell}} ipython3\n{tags}{text}\n```\n\n"


def code_of(notebook):
    return [
        "".join(c["source"]) for c in json.loads(notebook)["cells"] if c["cell_type"] == "code"
    ]


def record(name="toy.scores"):
    runs = [
        (arm, seed, {"accuracy": base + seed / 100}, 2.0 * base)
        for arm, base in (("from scratch", 0.2), ("pretrained", 0.6))
        for seed in range(5)
    ]
    book.put_experiment(name, runs, budget="x", seeds=5, rests_on={})


def test_the_learner_gets_no_solution_and_the_solution_notebook_keeps_it(source):
    lesson = source(
        "# T\n\n"
        + code("### BEGIN SOLUTION\nsecret = 42\n### END SOLUTION")
        + code("exercise.q.check(secret)")
    )
    assert "42" not in authoring.notebook(lesson, solved=False)
    assert "secret = 42" in authoring.notebook(lesson, solved=True)


def test_the_build_is_deterministic_and_an_edit_moves_no_other_cells_id(source):
    body = "# T\n\n" + code("a = 1") + code("b = 2") + code("b = 2")
    first = authoring.notebook(source(body), solved=False)
    assert first == authoring.notebook(source(body), solved=False)
    ids = [c["id"] for c in json.loads(first)["cells"]]
    assert len(set(ids)) == len(ids)
    edited = [
        c["id"]
        for c in json.loads(
            authoring.notebook(source(body.replace("a = 1", "a = 3")), solved=False)
        )["cells"]
    ]
    assert sum(x != y for x, y in zip(ids, edited)) == 1


def test_numbers_come_from_the_ledger(source):
    record()
    lesson = source(
        "Pretrained {{ toy.scores.pretrained.accuracy | percent }}, "
        "ahead by {{ toy.scores.pretrained.accuracy - toy.scores.from_scratch.accuracy | points "
        "}} "
        "at {{ toy.scores.pretrained.seconds / toy.scores.from_scratch.seconds | times }} the "
        "time, "
        "{{ toy.scores.seeds }} seeds.\n"
    )
    assert (
        "Pretrained 62 %, ahead by 40 points at 3.0 times the time, 5 seeds."
        in authoring.notebook(lesson, solved=False)
    )


@pytest.mark.parametrize(
    "reference, words",
    [
        ("toy.other.pretrained.accuracy", "no experiment"),
        ("toy.scores.nobody.accuracy", "unknown arm"),
        ("toy.scores.pretrained.f1", "unknown metric"),
        ("toy.scores.pretrained.accuracy | furlongs", "unknown filter"),
        ("toy.scores", "should be lesson.experiment.arm.metric"),
    ],
)
def test_an_unknown_reference_fails_with_file_and_line(source, reference, words):
    record()
    lesson = source(f"# Title\n\nfine\n\n{{{{ {reference} }}}}\n")
    with pytest.raises(BuildError, match=rf"99_test\.md:11: .*{words}"):
        authoring.notebook(lesson, solved=False)


SOLVED = "### BEGIN SOLUTION\na = 1\n### END SOLUTION"


@pytest.mark.parametrize(
    "body, line, words",
    [
        (code(SOLVED), 8, "no check cell"),
        (code(SOLVED) + code(SOLVED) + code("exercise.q.check(a)"), 8, "no check cell"),
        (code("### BEGIN SOLUTION\na = 1"), 8, "do not pair up"),
        (code("x = 1\nplots.show(fig)"), 9, "no alt text"),
        (code("plots.show(fig, alt=' ')"), 8, "no alt text"),
        (code("fig, ax = plt.subplots()\nax.plot([1])"), 8, "never shown with plots.show"),
        (code("plt.show()"), 8, "show a figure with plots.show"),
        ("Text\n\n![](picture.png)\n", 9, "no alt text"),
        ('Text\n\n<img src="picture.png">\n', 9, "no alt text"),
        (code("%pip install tensorflow"), 8, "not plain Python"),
    ],
)
def test_what_would_mislead_or_shut_out_a_reader_is_refused_with_file_and_line(
    source, body, line, words
):
    with pytest.raises(BuildError, match=rf"99_test\.md:{line}: .*{words}"):
        authoring.check(source(body))


def test_an_exercise_with_its_check_and_a_figure_with_alt_text_pass(source):
    authoring.check(
        source(
            code(SOLVED)
            + code("exercise.q.check(a)")
            + code("fig, ax = plt.subplots()\nplots.show(fig, alt='a line')")
        )
    )


def test_build_keeps_a_notebook_that_somebody_has_worked_in(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    source("# T\n\n" + code("a = 1"))
    command.main(["build"])
    book = tmp_path / "out" / "99_test.ipynb"
    run = book.read_text().replace('"execution_count": null', '"execution_count": 7')
    edited = book.read_text().replace("a = 1", "a = my_answer")
    for number, worked_in in enumerate((run, edited), 1):
        book.write_text(worked_in)
        os.utime(book, (number, number))
        command.main(["build"])
        kept = sorted(
            (tmp_path / "cache" / "kept").iterdir(), key=lambda path: int(path.stem.split("-")[-1])
        )
        assert (
            len(kept) == number
            and kept[-1].read_text() == worked_in
            and str(kept[-1]) in capsys.readouterr().out
        )
    source("# T\n\n" + code("a = 2"))  # the source moves on, nobody has touched the notebook
    command.main(["build"])
    assert len(list((tmp_path / "cache" / "kept").iterdir())) == 2


def test_build_writes_and_check_notices_every_difference(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    source("# T\n\n" + code("a = 1"))
    assert command.main(["build"]) == 0 and command.main(["build", "--check"]) == 0
    book = tmp_path / "out" / "99_test.ipynb"
    text = book.read_text()
    for spoiled in (
        text.replace("a = 1", "a = 2"),
        "{",
        text.replace('"outputs": []', '"outputs": [{}]'),
    ):
        book.write_text(spoiled)
        assert command.main(["build", "--check"]) == 1
        assert command.main(["build"]) == 0
        assert book.read_text() == text
    (tmp_path / "out" / "98_orphan.ipynb").write_text(text)
    assert command.main(["build", "--check"]) == 1


def test_an_unknown_lesson_is_named(source, capsys):
    source("# T\n")
    assert command.main(["build", "--minutes", "42"]) == 1
    assert "no lesson '42'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "cell",
    [
        "x = 1 ### BEGIN SOLUTION\ny = 2\n### END SOLUTION",
        "### begin solution\na = 1\n### end solution",
        "### BEGIN SOLUTION: a\na = 1\n### END SOLUTION",
    ],
)
def test_a_marker_that_would_leave_the_solution_visible_is_refused(source, cell):
    with pytest.raises(BuildError, match="99_test.md:8"):
        authoring.check(source(code(cell) + code("exercise.q.check(a)")))


def test_a_ledger_only_cell_is_shown_folded_and_not_run(source):
    body = code("x = measure.compare({'a': f}, name='toy.scores')", ":tags: [ledger-only]\n\n")
    cells = json.loads(authoring.notebook(source("# T\n\n" + body), solved=False))["cells"]
    assert [c["cell_type"] for c in cells] == ["markdown", "markdown"] and "<details>" in "".join(
        cells[1]["source"]
    )


def test_a_claim_on_an_effect_that_was_given_a_name_rests_on_the_experiment_too(source):
    body = (
        code('ahead = results.effect("a", minus="b", metric="m")')
        + code('measure.claim("It is ahead.", holds=ahead > 0)')
        + code('measure.claim("One is one.", holds=1 == 1)')
    )
    assert [text for _, text in lessons.claims(source("# T\n\n" + body))] == ["It is ahead."]


@pytest.mark.parametrize("typed", ["12 %", "3.5 points", "2 times as fast", "0.4 ± 0.1", "7 s"])
def test_a_result_typed_by_hand_in_the_last_part_is_refused(source, typed):
    with pytest.raises(BuildError, match="typed by hand"):
        authoring.check(source(f"# T\n\n## 7 · What we measured\n\n* It gained {typed}.\n"))
    authoring.check(
        source(
            f"# T\n\n## 1 · The question\n\n* A hundred and {typed}.\n\n## 7 · What we "
            f"measured\n\n* {{{{ a.b.c.d | percent }}}} with 10 pictures; lesson 05.\n"
        )
    )


@pytest.mark.parametrize(
    "mean, spread, text",
    [
        (67.2, 12.4, "67 ± 12"),
        (0.0392, 0.0099, "0.0392 ± 0.0099"),
        (0.139, 0.013, "0.139 ± 0.013"),
        (1450.0, 230.0, "1,450 ± 230"),
        (2.0, 0.0, "2.000 ± 0.000"),
    ],
)
def test_a_spread_is_given_to_two_digits_and_the_mean_to_the_same_place(mean, spread, text):
    assert authoring.FILTERS["spread"](mean, spread) == text


@pytest.mark.parametrize(
    "steps, middle", [((50, 53, 40, 54, 320), "53"), ((50, 54, 40, 320), "52"), ((9, 10), "9.5")]
)
def test_a_median_is_not_moved_by_one_run_that_never_arrived(source, steps, middle):
    runs = [("slow", seed, {"steps": value}, 1.0) for seed, value in enumerate(steps)]
    book.put_experiment("toy.race", runs, budget="x", seeds=len(steps), rests_on={})
    assert numbers.number("toy.race.slow.steps | median") == middle
