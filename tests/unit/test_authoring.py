"""The build: one source, its notebooks, and what it refuses."""

import functools
import json
import os

import pytest

from translearn import authoring, measure, paths
from translearn.authoring import BuildError
from translearn.authoring import __main__ as command
from translearn.evidence import rests_on as fingerprint

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
    import pandas as pd

    rows = [
        (arm, s, "accuracy", base + s / 100, 2.0 * base)
        for arm, base in (("from scratch", 0.2), ("pretrained", 0.6))
        for s in range(5)
    ]
    measure.write(
        measure.Results(
            pd.DataFrame(rows, columns=["arm", "seed", "metric", "value", "seconds"]), "x", name
        )
    )


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
        "ahead by {{ toy.scores.pretrained.accuracy - toy.scores.from_scratch.accuracy | points }} "
        "at {{ toy.scores.pretrained.seconds / toy.scores.from_scratch.seconds | times }} the time, "
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


LESSON = (
    code("import numpy as np\nrate = 0.1")
    + code("def arm(seed):\n    return {'m': rate}")
    + code("unrelated = 5")
    + code("results = measure.compare({'a': arm}, name='toy.scores')")
)


@pytest.fixture(autouse=True)
def as_on_disk():
    yield
    fingerprint._definitions.cache_clear()


def mark(source, body):
    return authoring.experiments(source(body))["toy.scores"]


def test_the_fingerprint_follows_the_code_that_an_experiment_rests_on_and_nothing_else(source):
    before = mark(source, LESSON)
    assert mark(source, "# New prose\n\n" + LESSON) == before
    assert mark(source, LESSON.replace("unrelated = 5", "unrelated = 6  # and a remark")) == before
    assert (
        mark(source, LESSON + code("plots.show(plots.results(results, 'm', 't'), alt='x')"))
        == before
    )
    assert mark(source, LESSON.replace("rate = 0.1", "rate = 0.2")) != before
    assert mark(source, LESSON.replace("{'m': rate}", "{'m': 2 * rate}")) != before


def test_a_change_to_an_object_an_experiment_uses_is_seen(source):
    body = (
        code("model = make()")
        + code("model.compile('adam')")
        + code("r = measure.compare({'a': lambda s: run(model, s)}, name='toy.scores')")
    )
    assert mark(source, body) != mark(source, body.replace("adam", "sgd"))


def test_a_missing_or_old_ledger_entry_and_a_missing_claim_are_reported(source):
    body = LESSON + code("measure.claim('It works.', holds=results.effect('a', metric='m') > 0)")
    lesson = source(body)
    assert any("no experiment named 'toy.scores'" in p for p in authoring.stale(lesson))
    record()
    problems = authoring.stale(lesson)
    assert any("older than the code" in p for p in problems) and any(
        "no entry for the claim" in p for p in problems
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
    assert command.main(["build"]) == 0 and authoring.main(["build", "--check"]) == 0
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
    assert command.main(["measure", "42"]) == 1
    assert "no lesson '42'" in capsys.readouterr().err


HELPER = (
    code("def arm(seed):\n    return {'m': helper()}")
    + code("def helper():\n    return RATE")
    + code("RATE = 0.1")
    + code(
        "from translearn import transfer as tr\nmodel = tr.attach_head(body, 3)\nhistory = model.fit(x, epochs=3)"
    )
    + code("results = measure.compare({'a': lambda s: arm(s) | use(model)}, name='toy.scores')")
)


@pytest.mark.parametrize(
    "old, new",
    [("RATE = 0.1", "RATE = 0.2"), ("return RATE", "return 2 * RATE"), ("epochs=3", "epochs=4")],
)
def test_what_stands_in_later_cells_or_is_done_to_a_model_is_seen_too(source, old, new):
    assert mark(source, HELPER) != mark(source, HELPER.replace(old, new))


def test_a_change_of_a_module_or_of_the_pinned_keras_is_seen(source, monkeypatch):
    before = mark(source, HELPER)
    changed(monkeypatch, "transfer", "def _fresh(layer", "def _fresh(more, layer")
    assert mark(source, HELPER) != before, "attach_head calls it"


def changed(monkeypatch, module, old, new):
    """The package as if a module read otherwise; nothing on disk is touched."""
    text = (paths.ROOT / "translearn" / f"{module}.py").read_text(encoding="utf-8")
    assert text.count(old) == 1
    real, tree = fingerprint._source.__wrapped__, fingerprint._bare(text.replace(old, new))
    monkeypatch.setattr(
        fingerprint,
        "_source",
        functools.cache(lambda name: tree if name == module else real(name)),
    )
    fingerprint._definitions.cache_clear()


@pytest.mark.parametrize(
    "module, old, new, seen",
    [
        (
            "transfer",
            "def snapshot(model):",
            "def another():\n    return 1\n\n\ndef snapshot(model):",
            False,
        ),
        ("transfer", "def snapshot(model):", "def snapshot(model, more=1):", False),
        ("transfer", "CHUNK = 512", "CHUNK = 513", True),
        ("transfer", "def _compute(model, outputs", "def _compute(model, more, outputs", True),
        ("data", '"fashion": _read_grey', '"fashion": _read_solar', False),
        ("data", '"emoji_styles": _read_emoji', '"emoji_styles": _read_grey', True),
        (
            "data",
            '    name: str = ""\n\n    def __len__(self):\n        return len(self.labels)\n\n    def __repr__(self):\n        shape',
            '    name: str = "x"\n\n    def __len__(self):\n        return len(self.labels)\n\n    def __repr__(self):\n        shape',
            True,
        ),
        ("data", "class Sentences:", "class Sentences(object):", False),
        ("optim", "def descend(", "def descends(", False),
    ],
)
def test_only_what_an_experiment_reaches_in_the_package_counts(
    source, monkeypatch, module, old, new, seen
):
    body = (
        code("from translearn import data, measure, optim, transfer")
        + code("emoji = data.load('emoji_styles')\nopt = optim.SGD(0.1)")
        + code(
            "def arm(seed):\n    opt.reset()\n    return {'m': transfer.cache_features(net, emoji.train.images).mean()}"
        )
        + code("results = measure.compare({'a': arm}, name='toy.scores')")
    )
    before = mark(source, body)
    changed(monkeypatch, module, old, new)
    assert (mark(source, body) != before) is seen


def test_the_fingerprint_does_not_depend_on_the_version_of_python():
    import ast

    tree = ast.parse("def f(x, y=None):\n    return f'{x}' + ''")
    assert fingerprint.dump(tree) == (
        "Module(body=[FunctionDef(name='f', args=arguments(args=[arg(arg='x'), arg(arg='y')], defaults=[Constant()]), "
        "body=[Return(value=BinOp(left=JoinedStr(values=[FormattedValue(value=Name(id='x', ctx=Load()), conversion=-1)]), "
        "op=Add(), right=Constant(value='')))])])"
    )


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
    assert [text for _, text in authoring.claims(source("# T\n\n" + body))] == ["It is ahead."]


@pytest.mark.parametrize("typed", ["12 %", "3.5 points", "2 times as fast", "0.4 ± 0.1", "7 s"])
def test_a_result_typed_by_hand_in_the_last_part_is_refused(source, typed):
    with pytest.raises(BuildError, match="typed by hand"):
        authoring.check(source(f"# T\n\n## 7 · What we measured\n\n* It gained {typed}.\n"))
    authoring.check(
        source(
            f"# T\n\n## 1 · The question\n\n* A hundred and {typed}.\n\n## 7 · What we measured\n\n* {{{{ a.b.c.d | percent }}}} with 10 pictures; lesson 05.\n"
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
