"""The check engine and the bank tester, on the demo lesson beside this file."""

import html.parser
import importlib
import random
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import demo_lesson as exercise
import numpy as np
import pytest

from translearn import exercises, paths
from translearn.errors import CourseError
from translearn.exercises import Incorrect, answers, engine, progress, source

sys.path.insert(0, str(paths.ROOT / "tests" / "exercises"))

import bank  # noqa: E402

DEMO = bank.load(Path(__file__).with_name("demo_bank.py"))
CASES = list(bank.cases(DEMO))


@pytest.fixture(autouse=True)
def _own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_PROGRESS", str(tmp_path / "progress.json"))
    for each in exercises.exercises_of(exercise):
        monkeypatch.setattr(each, "_shown", 0)


def typed(source, **names):
    """What `source` makes when typed in a notebook: a namespace that runs as `__main__`."""
    space = {"__name__": "__main__", "np": np, **names}
    engine.linecache.cache["<typed>"] = (len(source), None, source.splitlines(True), "<typed>")
    exec(compile(source, "<typed>", "exec"), space)
    return types.SimpleNamespace(
        **{name: value for name, value in space.items() if not name.startswith("__")}
    )


def made(source, cells=""):
    """A lesson module from source, its solution's cell beside it, to see what is said of it."""
    module = types.ModuleType("translearn.exercises.lesson99")
    module.__file__ = "lesson99.py"
    folder = Path(tempfile.mkdtemp())
    module.SOURCE = folder / "lesson99.md"
    module.SOURCE.write_text(cells or CELLS)
    # A real file, so that the code of its checks can be read.
    file = folder / "lesson99.py"
    text = "from translearn.exercises import *\n" + source
    file.write_text(text)
    sys.modules[module.__name__] = module
    exec(compile(text, str(file), "exec"), module.__dict__)
    return module


CELLS = """
```{code-cell} ipython3
### BEGIN SOLUTION
n = 3
### END SOLUTION
```

```{code-cell} ipython3
exercise.three.check(n)
```
"""
GOOD = """
@exercise(title="Three", hints=["Count.", "It is 3."])
def three(n):
    n = expect_number(n)
    if n == 4:
        raise Misconception("off by one", "Start at 0.")
    if n != 3:
        raise Incorrect("Count again.")
"""
ANSWERS = """
bank.alternative("three", 3.0)
bank.alternative("three", [3])
bank.alternative("three", (3,))
bank.mistake("three", "off by one", 4)
bank.near_miss("three", "from 0", 2)
bank.refused("three", 9)
"""


def complaints(source, cells="", answers=ANSWERS):
    space = {"__name__": "__main__", "module": made(source, cells), "Bank": bank.Bank}
    exec("bank = Bank('99', module)\n" + answers, space)
    tried = [bank.failure(case) for case in bank.cases(space["bank"])]
    return bank.problems(space["bank"]) + [failure for failure in tried if failure]


# --- the demo lesson, whole ---------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_demo_lesson(case):
    assert bank.failure(case) == ""


def test_the_demo_lesson_lacks_nothing_and_tries_every_group():
    assert bank.problems(DEMO) == []
    assert {case.group for case in CASES} == {
        "stub",
        "solution",
        "alternative",
        "mistake",
        "near miss",
        "refused",
        "planted error",
        "junk",
    }


# --- the bank tester finds what is wrong --------------------------------------------------------


def test_a_good_exercise_has_no_complaints():
    assert complaints(GOOD) == []


@pytest.mark.parametrize(
    "change, told",
    [
        (("if n != 3", "if False"), "expected incorrect, got passed"),  # accepts everything
        (("if n != 3", "if type(n) is not int"), "solution: expected passed, got incorrect"),
        (('Misconception("off by one"', 'Misconception("off"'), "shows the mistake 'off'"),
        (('Misconception("off by one"', 'Misconception("off"'), "the check does not know"),
        (("n == 4", "n == 5"), "expected misconception, got incorrect"),
        (("Count again.", ""), "refused without a word"),
        (("n = expect_number(n)", "n + 1"), "got our fault"),  # breaks on junk
        (("    if n != 3", "    return n == 3\n    if n != 3"), "the check returned"),
        (('hints=["Count.", "It is 3."]', 'hints=["Count.", "Count. "]'), "two hints"),
        (
            (
                "n = expect_number(n)",
                "given, n = n, expect_number(n)\n    if type(given) is list: given.append(3)",
            ),
            "changed what was handed in",
        ),
    ],
)
def test_a_bad_exercise_is_found_out(change, told):
    assert change[0] in GOOD
    found = complaints(GOOD.replace(*change))
    assert any(told in complaint for complaint in found), found


@pytest.mark.parametrize(
    "change, told",
    [
        (('bank.alternative("three", (3,))', ""), "three alternatives"),
        (('bank.alternative("three", (3,))', 'bank.alternative("three", [3])'), "three alter"),
        (('bank.mistake("three", "off by one", 4)', ""), "no answer shows the mistake"),
        (('"from 0", 2', '" ", 2'), "does not say which requirement"),
        (('"from 0", 2', '"from 0", 3'), "expected incorrect or misconception or error, got pass"),
        (('bank.refused("three", 9)', 'bank.refused("three", 4)'), "got misconception"),
    ],
)
def test_a_bad_bank_is_found_out(change, told):
    assert change[0] in ANSWERS
    found = complaints(GOOD, answers=ANSWERS.replace(*change))
    assert any(told in complaint for complaint in found), found


def test_a_cell_that_starts_solved_is_found_out():
    cells = CELLS.replace("n = 3\n", "print(3)\n").replace("### BEGIN", "n = 3\n### BEGIN")
    assert any("expected not attempted, got passed" in each for each in complaints(GOOD, cells))


FUNCTION = """
twice = Function("twice", title="Twice", hints=["Add.", "n + n"], probes=[0, 2, 3],
                 mistakes=[Mistake("squared", "That is n times n.", lambda n: n * n)])
"""
TWICE = CELLS.replace("n = 3", "twice = lambda n: 2 * n").replace(
    "three.check(n)", "twice.check(twice)"
)


def test_a_mistake_is_named_only_when_the_answer_is_it_everywhere():
    twice = made(FUNCTION, TWICE).twice
    assert twice.judge(lambda n: n + n).passed
    squared = twice.judge(lambda n: n**2)
    assert (squared.misconception, squared.message) == ("squared", "That is n times n.")
    # Like the mistake on some of the probes only: wrong, and not that.
    other = twice.judge(lambda n: n * n if n < 3 else 8)
    assert other.kind == "incorrect" and other.message == "Expected 6 for `twice(3)`, got 8."


def test_a_mistake_that_no_probe_tells_from_the_right_answer_is_found_out():
    bad = FUNCTION.replace("[0, 2, 3]", "[0, 2]")
    assert any(
        "itself 1: expected misconception, got passed" in each
        for each in complaints(bad, TWICE, "")
    )


def test_the_first_entry_that_differs_is_told_with_both_values():
    module = made(
        """
import numpy as np
rows = Function("rows", title="T", hints=["a", "b"], probes={"two rows": (np.ones((2, 2)),)},
                right=lambda x: x + [[0, 1], [2, 3]])
items = Function("items", title="T", hints=["a", "b"], probes=[()], read=sorted,
                 right=lambda: ["a", "b"])
later = Function("later", title="T", hints=["a", "b"], probes=[1], right=lambda n: n,
                 also=lambda f: f(5) == 5 and "Also for 5.")
"""
    )
    outcome = module.rows.judge(lambda x: x + [[0, 1], [5, 7]])
    assert outcome.message == "Expected 3 for two rows at position (1, 0), got 6."
    assert "Expected shape (2, 2)" in module.rows.judge(lambda x: x[0]).message
    assert module.items.judge(lambda: ("b", "a")).passed
    assert "item 1, got 'c'" in module.items.judge(lambda: ["c", "a"]).message
    assert module.items.judge(lambda: 3).kind == "incorrect"
    assert module.later.judge(lambda n: n).message == "Also for 5."


@pytest.mark.parametrize(
    "got, target, told",
    [
        (3.0, 3, ""),
        ([3], 3, ""),
        (10**9 + 1, 10**9, "Expected 1,000,000,000 for it, got 1,000,000,001."),
        (1e9 + 1, 1e9, ""),
        (None, 3, "Got None for it"),
        ("3", 3, "got '3'"),
        (1, True, ""),
        (False, True, "Expected True for it, got False."),
        (np.str_("a"), "a", ""),
        (b"a", "a", "Expected 'a'"),
        (None, None, ""),
        (0, None, "Expected None for it, got 0."),
        ([1.0, np.nan], [1, np.nan], ""),
        ([1.0, np.nan], [1, 2], "finite"),
        ([1, [2, 3]], [np.ones(()), np.array([2, 3])], ""),
        ({"a": 1}, {"a": 1.0}, ""),
        ({"a": 1, "b": 2}, {"a": 1}, "Did not expect 'b' in it."),
        ({"a": 1}, {"a": 2}, "Expected 2 for it at 'a', got 1."),
        ({"a"}, {"a", "b"}, "Expected 'b' in it; it is missing."),
        (["a"], {"a"}, "got a list of 1"),
        (["a", "b"], ["a"], "Expected 1 items"),
    ],
)
def test_expect_same(got, target, told):
    if not told:
        return exercises.expect_same(got, target)
    with pytest.raises(Incorrect) as caught:
        exercises.expect_same(got, target, what="it")
    assert told in str(caught.value)


def test_a_value_is_held_against_mistakes():
    half = exercises.Mistake("half", "Only half.", lambda n: n / 2)
    exercises.expect_right(8, 8, [half], 8)
    with pytest.raises(exercises.Misconception, match="Only half"):
        exercises.expect_right(4, 8, [half], 8)
    with pytest.raises(Incorrect, match="Expected 8 for the rate, got 5"):
        exercises.expect_right(5, 8, [half], 8, what="the rate")


def test_a_check_that_changes_the_model_is_found_out():
    source = """
@exercise(title="T", hints=["a", "b"])
def t(m):
    expect_model(m)
    if m.trainable_weights:
        raise Incorrect("Still trainable.")
    m.set_weights([0 * w + 9 for w in m.get_weights()])
"""
    cells = CELLS.replace("n = 3", "m.trainable = False").replace("three.check(n)", "t.check(m)")
    answers = """
@bank.given("t")
def model():
    import keras
    return {"m": keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])}
"""
    found = complaints(source, cells, answers)
    assert any("solution: the check changed what was handed in" in each for each in found)


@pytest.mark.parametrize(
    "change, told",
    [
        (('"Count."', '""'), "hint 1 is empty"),
        (('"It is 3."', '" \\n "'), "hint 2 is empty"),
        (('hints=["Count.", "It is 3."]', "hints=[]"), "hints"),
        (("def three(n)", "def three(n, reference)"), "`reference`"),
    ],
)
def test_what_cannot_be_an_exercise_fails_at_import_with_file_and_line(change, told):
    with pytest.raises(CourseError) as caught:
        made(GOOD.replace(*change))
    assert told in str(caught.value) and "lesson99.py:3" in str(caught.value)


def test_a_question_without_all_its_misconceptions_fails_at_import():
    with pytest.raises(CourseError, match="lesson99.py:2"):
        made(
            'q = Choice("q", "Why?", {"a": "x", "b": "y", "c": "z"}, right="a", '
            'wrong={"b": ("m", "n")}, hints=["h", "i"])'
        )


# --- the outcomes -------------------------------------------------------------------------------


def test_unsolved_in_every_way():
    for blank in (
        ...,
        None,
        [1, ...],
        (1, [..., 2]),
        {"a": ...},
        np.array([1, ...], dtype=object),
    ):
        assert exercise.two_answers.check(3, blank).kind == "not attempted"
    for text in (
        "def f(p, y): ...",
        "def f(p, y):\n    'Docs.'\n    ...",
        "def f(p, y): pass",
        "f = lambda p, y: ...",
        "def f(p, y):\n    loss = ...\n    return loss",
        "def f(p, y):\n    loss = ...\n    return loss.mean()",
        "def f(p, y):\n    loss = ...\n    return loss + 1",
        "def f(p, y):\n    return [1, ...]",
    ):
        assert exercise.cross_entropy.check(typed(text).f).kind == "not attempted", text
    assert progress.passed() == {}


def test_ellipsis_as_an_index_is_no_blank():
    f = typed("def f(p, y):\n    return -np.log(p[np.arange(len(y)), y][...]).mean()").f
    assert exercise.cross_entropy.check(f).passed


def test_passing_is_remembered_judging_is_not():
    assert exercise.why.judge("b").passed and progress.passed() == {}
    outcome = exercise.why.check("b")
    assert outcome.passed and "1 of 5" in repr(outcome) and "nothing below" in outcome.message
    assert not exercise.why.check("a").passed
    assert progress.passed("demo_lesson").keys() == {"why"}


def test_passing_survives_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_PROGRESS", str(tmp_path))
    outcome = exercise.why.check("b")
    assert outcome.passed and "could not be saved" in outcome.foot


def test_a_misconception_has_its_name_and_message():
    outcome = exercise.why.check("C")
    assert (outcome.kind, outcome.misconception) == ("misconception", "smaller")
    assert (
        "removes no weight" in outcome.message
        and "smaller" in repr(outcome)
        and ".hint()" in repr(outcome)
    )


def test_the_wrong_number_of_answers_says_how_to_hand_in():
    for outcome in (
        exercise.two_answers.check(),
        exercise.two_answers.check(1, 2, 3),
        exercise.two_answers.check(x=1),
    ):
        assert outcome.kind == "incorrect" and "check(rows, means)" in outcome.message
    assert exercise.two_answers.check(means=[1, 2], rows=3).passed


@pytest.mark.parametrize(
    "body, shown, line",
    [
        ("return p.men()", "AttributeError", "line 3: return p.men()"),
        ("return unknown", "NameError: name 'unknown'", "line 3: return unknown"),
        ("return p[99]", "IndexError", "line 3: return p[99]"),
        ("raise SystemExit(3)", "SystemExit: 3", "line 3: raise SystemExit(3)"),
        ("return f(p, y)", "RecursionError", "line 3: return f(p, y)"),
        (
            "return np.linalg.inv(p)",
            "LinAlgError",
            "line 3: return np.linalg.inv(p)",
        ),  # raised in a library, caused here
    ],
)
def test_an_error_of_the_learner_shows_type_message_their_line_and_what_to_do(body, shown, line):
    outcome = exercise.cross_entropy.check(typed(f"# first\ndef f(p, y):\n    {body}").f)
    assert outcome.kind == "error"
    assert shown in outcome.code and line in outcome.code
    assert "f(an array of shape (6, 4), an array of shape (6,))" in outcome.message
    assert "traceback" in outcome.foot


def test_a_function_with_other_parameters_is_the_learners_error():
    outcome = exercise.cross_entropy.check(typed("def f(p): return p").f)
    assert outcome.kind == "error" and "1 positional argument" in outcome.code


def test_an_error_inside_the_learners_layer_is_theirs():
    import keras

    space = typed(
        """
class Broken(keras.layers.Layer):
    def call(self, x):
        raise ArithmeticError("in my layer")
""",
        keras=keras,
    )
    module = made("""
import numpy as np
@exercise(title="T", hints=["a", "b"])
def t(layer):
    layer(np.ones((1, 1)))
""")
    outcome = module.t.judge(space.Broken())
    assert outcome.kind == "error", outcome
    assert "in my layer" in outcome.code and "line 4" in outcome.code


def test_a_model_that_does_not_fit_is_the_learners_when_the_check_says_so():
    import keras

    module = made("""
import numpy as np
@exercise(title="T", hints=["a", "b"])
def t(model):
    with learners_code("model.predict(images)"):
        expect_model(model).predict(np.ones((1, 5)), verbose=0)
""")
    outcome = module.t.judge(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    assert (
        outcome.kind == "error"
        and "model.predict(images)" in outcome.message
        and "ValueError" in outcome.code
    )


def test_a_bug_of_our_own_is_our_fault():
    module = made(GOOD.replace("n = expect_number(n)", "n = n.no_such_thing"))
    outcome = module.three.check(3)
    assert outcome.kind == "our fault" and not outcome.passed
    assert (
        "lesson99.three" in outcome.code
        and "lesson99.py:" in outcome.code
        and "may well be right" in repr(outcome)
    )
    assert str(paths.ROOT) not in repr(outcome)


def test_a_missing_number_to_beat_is_our_fault():
    def missing():
        raise CourseError("The ledger has no such entry.")

    try:
        exercise.beat_it.reference, kept = missing, exercise.beat_it.reference
        outcome = exercise.beat_it.check(0.7)
    finally:
        exercise.beat_it.reference = kept
    assert outcome.kind == "our fault" and "no such entry" in outcome.code


def test_an_interrupt_comes_through():
    with pytest.raises(KeyboardInterrupt):
        exercise.cross_entropy.check(typed("def f(p, y):\n    raise KeyboardInterrupt").f)


def test_the_number_to_beat_is_fetched_late_and_both_numbers_are_said():
    outcome = exercise.beat_it.check(0.5)
    assert outcome.message == "You reached 50.0%; the number to beat is 62.0%."
    assert "70.0%" in exercise.beat_it.check(0.7).message


# --- hostile objects ----------------------------------------------------------------------------


def test_objects_that_lie_or_fight_back_never_pass_and_never_break_the_check():
    junk = typed(bank.JUNK_CLASSES)
    for value in (
        junk.Liar(),
        junk.Unprintable(),
        junk.Unarrayable(),
        junk.Liar,
        type,
        object(),
        np,
        "3",
        b"3",
        3j,
        {3},
        [[1], [1, 2]],
    ):
        for each in (
            exercise.beat_it,
            exercise.cross_entropy,
            exercise.why,
            exercise.freeze_all_but_last,
        ):
            outcome = each.check(value)
            assert outcome.kind in ("incorrect", "misconception", "error"), (each.name, outcome)
            assert repr(outcome) and outcome._repr_html_()


def test_a_number_with_a_lying_eq_is_judged_by_its_value():
    lying = typed("""
class Number(float):
    def __eq__(self, other): return True
    __gt__ = __lt__ = __ge__ = __le__ = __eq__
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
class Array(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *args, **kwargs): return 0
""")
    assert exercise.beat_it.check(lying.Number(0.1)).kind == "incorrect"
    assert exercise.beat_it.check(lying.Number(0.7)).passed
    assert (
        exercise.two_answers.check(3, np.array([8.0, 9.0]).view(lying.Array)).kind == "incorrect"
    )


def test_an_error_whose_message_raises_is_still_shown():
    f = typed(
        "class E(Exception):\n    def __str__(self): raise ValueError\ndef f(p, y):\n    raise E"
    ).f
    assert "E: (its message cannot be shown)" in exercise.cross_entropy.check(f).code


def test_a_function_cannot_change_what_it_is_compared_with():
    f = typed(
        "def f(p, y):\n    right = -np.log(p[np.arange(len(y)), y]).mean()\n    p[:] = "
        "0\n    return right"
    ).f
    assert exercise.cross_entropy.check(f).passed


def test_random_state_is_put_back():
    np.random.seed(5), random.seed(5)
    expected = np.random.random(), random.random()
    np.random.seed(5), random.seed(5)
    exercise.cross_entropy.check(
        typed("import random\ndef f(p, y):\n    np.random.seed(1); random.seed(1)\n    return 0").f
    )
    assert (np.random.random(), random.random()) == expected


# --- the helpers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, told",
    [
        (
            lambda: exercises.expect_array([1] * 12, (10,)),
            "Expected 10 numbers for your answer, got 12.",
        ),
        (
            lambda: exercises.expect_array(np.ones((3, 4)), (4, 3)),
            "got (3, 4). Are its axes swapped?",
        ),
        (lambda: exercises.expect_array(np.ones(3), (None, 4)), "Expected shape (any, 4)"),
        (lambda: exercises.expect_array(np.ones(3), ()), "Expected one number for your answer"),
        (lambda: exercises.expect_array(2.0, (3,)), "got one number."),
        (
            lambda: exercises.expect_array([0, float("nan"), float("nan")]),
            "got 2 that are not (first at position 1): NaN",
        ),
        (
            lambda: exercises.expect_array([[0, 1], [2, np.inf]]),
            "first at position (1, 1)): infinity",
        ),
        (lambda: exercises.expect_array([[1], [1, 2]]), "rows of different lengths"),
        (
            lambda: exercises.expect_array(["a"]),
            "Expected numbers for your answer, got a list of 1.",
        ),
        (lambda: exercises.expect_array(None), "forget to `return`"),
        (lambda: exercises.expect_array([True]), "got True or False"),
        (lambda: exercises.expect_array(print), "got the function `print`"),
        (
            lambda: exercises.expect_number([1, 2], "the rate"),
            "Expected one number for the rate, got 2.",
        ),
        (lambda: exercises.expect_number(True), "got True or False"),
        (lambda: exercises.expect_number("0.1"), "got '0.1'"),
        (lambda: exercises.expect_number(1.5, integer=True), "whole number"),
        (lambda: exercises.expect_number(-1, low=0), "of at least 0"),
        (lambda: exercises.expect_number(2, low=0, high=1), "from 0 to 1"),
        (
            lambda: exercises.expect_close([1, 2], [1, 3]),
            "Expected about 3 for your answer at position 1, got 2.",
        ),
        (lambda: exercises.expect_close(1, 2), "Expected about 2 for your answer, got 1."),
        (lambda: exercises.expect_close([1], [1, 2]), "Expected 2 numbers"),
        (
            lambda: exercises.expect_close([[1, 2], [3, 4]], [[1, 2], [3, 5]]),
            "position (1, 1), got 4",
        ),
        (lambda: exercises.expect_callable(3), "a function, got 3"),
        (lambda: exercises.expect_callable(dict), "got the class `dict`"),
        (lambda: exercises.expect_model("model"), "Keras model, got 'model'"),
        (lambda: exercises.expect_better(0.5, 0.5), "You reached 0.5; the number to beat is 0.5."),
        (lambda: exercises.expect_better(3, 2, higher=False), "You reached 3"),
    ],
)
def test_messages_of_the_helpers(call, told):
    with pytest.raises(Incorrect) as caught:
        call()
    assert told in str(caught.value)


def test_numbers_of_every_origin_are_welcome():
    import pandas as pd
    import tensorflow as tf

    for three in (3, 3.0, np.float32(3), np.array(3), [3], tf.constant(3.0), tf.Variable([3])):
        assert exercises.expect_number(three) == 3.0
    for column in (
        [1, 2],
        (1, 2),
        np.array([1, 2]),
        pd.Series([1, 2]),
        tf.constant([1, 2]),
        range(1, 3),
    ):
        assert type(exercises.expect_array(column, (2,))) is np.ndarray
    assert exercises.expect_array([np.nan], finite=False).size == 1
    assert exercises.expect_array([True], boolean=True).all()


@pytest.mark.parametrize(
    "a, b, same",
    [
        (1, 1 + 1e-9, True),
        (1, 1.1, False),
        (1e9, 1e9 + 1, True),
        ([1, 2], [1, 2], True),
        ([1], 1, False),
        ([[1, 2]], [1, 2], False),
        (np.nan, np.nan, False),
        (np.inf, np.inf, True),
        (np.inf, -np.inf, False),
        (1, np.inf, False),
        (np.inf, 1, False),
        ([], [], True),
    ],
)
def test_close(a, b, same):
    assert exercises.close(a, b) is same


def test_describe_never_raises():
    junk = typed(bank.JUNK_CLASSES)
    for value in (
        junk.Liar(),
        junk.Unprintable(),
        junk.Unarrayable(),
        ...,
        None,
        "x" * 999,
        np.nan,
        np.complex64(1j),
        [[]],
        print,
    ):
        text = answers.describe(value)
        assert text and len(text) < 80


def test_preserving_leaves_no_trace():
    import keras

    inner = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()], name="inner"
    )
    inner.layers[0].trainable = False
    model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2)])
    model.compile("adam", "mse")
    x, y = np.random.default_rng(0).random((8, 3)), np.zeros((8, 2))
    model.fit(x, y, verbose=0)
    before, function = bank._state(model), model.train_function
    with exercises.preserving(model):
        model.fit(x, y + 1, verbose=0)
        model.trainable = False
        model.evaluate(x, y, verbose=0)
        assert bank._state(model) != before
    assert bank._state(model) == before and model.train_function is function
    assert [layer.trainable for layer in inner.layers] == [False, True]
    with pytest.raises(RuntimeError, match="copy_of"), exercises.preserving(model):
        model.compile("sgd", "mse")


def test_a_first_fit_belongs_on_a_copy():
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    model.layers[0].trainable = False
    model.compile(keras.optimizers.SGD(0.5), "mse")
    x, y, before = np.ones((8, 3)), np.ones((8, 2)), bank._state(model)
    copy = exercises.copy_of(model)
    np.testing.assert_array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))
    assert [layer.trainable for layer in copy.layers] == [False, True]
    assert float(copy.optimizer.learning_rate) == 0.5
    copy.fit(x, y, verbose=0)
    assert bank._state(model) == before
    with pytest.raises(RuntimeError, match="copy_of"), exercises.preserving(model):
        model.fit(x, y, verbose=0)


# --- hints, solutions, stubs --------------------------------------------------------------------


def test_hints_escalate_and_end():
    hints = [repr(exercise.why.hint()) for _ in range(4)]
    assert "Hint 1 of 2" in hints[0] and "backward" in hints[0]
    assert "Hint 2 of 2" in hints[1] and "gradient" in hints[1]
    assert "exercise.why.solution()" in hints[2] and hints[2] == hints[3]
    assert "Hint 1 of 2" in repr(exercise.why.hint(1)) and "Hint 1" in repr(exercise.why.hint(-3))


def test_without_the_lessons_source_it_is_said_what_is_missing():
    module = made(GOOD, "no cells")
    with pytest.raises(CourseError, match="lesson99.md has no cell with a solution before exer"):
        module.three.solution()
    module.SOURCE = Path("gone.md")
    with pytest.raises(CourseError, match="source of lesson99, which holds its solutions, is mis"):
        module.three.solution()
    assert module.three.judge(3).passed


def test_every_exercise_of_the_course_finds_its_cell():
    for number in range(12):
        module = importlib.import_module(f"translearn.exercises.lesson{number:02d}")
        for each in exercises.exercises_of(module):
            assert each.stub_source != each.solution_source, each


def test_the_solution_is_the_source_of_the_lesson_without_its_markers():
    each = exercise.cross_entropy
    assert each.solution_source == (
        "def cross_entropy(p, y):\n    return -np.log(p[np.arange(len(y)), y]).mean()"
    )
    assert each.stub_source == "def cross_entropy(p, y):\n    ..."
    assert "### BEGIN SOLUTION" in each.cell_source and "###" not in each.solution_source
    shown = each.solution()._repr_markdown_()
    assert f"```python\n{each.solution_source}\n```" in shown and each.praise in shown


@pytest.mark.parametrize(
    "marked, stub, solved",
    [
        (
            "a = 1\n### BEGIN SOLUTION\nb = 2\nc = 3\n### END SOLUTION\nd = 4",
            "a = 1\nb = ...\nc = ...\nd = 4",
            "a = 1\nb = 2\nc = 3\nd = 4",
        ),
        (
            "### BEGIN SOLUTION\nfor i in x:\n    y = i\n### END SOLUTION",
            "...",
            "for i in x:\n    y = i",
        ),
        (
            "def f():\n    ### BEGIN SOLUTION\n    x = 1\n    return x\n    ### END SOLUTION",
            "def f():\n    ...",
            "def f():\n    x = 1\n    return x",
        ),
        (
            "### BEGIN SOLUTION\na = 1\n### END SOLUTION\n\n### BEGIN "
            "SOLUTION\nprint(a)\n### END SOLUTION\n",
            "a = ...\n\n...",
            "a = 1\n\nprint(a)",
        ),
        ("### BEGIN SOLUTION\n# only a thought\n### END SOLUTION", "...", "# only a thought"),
        ("a = '### BEGIN SOLUTION'", "a = '### BEGIN SOLUTION'", "a = '### BEGIN SOLUTION'"),
    ],
)
def test_stub_and_solution_follow_from_the_markers(marked, stub, solved):
    assert source.unsolve(marked) == stub
    assert source.unmark(marked) == solved


# --- how it looks -------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_outcome_is_announced_in_words_and_its_html_is_sound():
    words = {
        "passed": "Passed",
        "not attempted": "Not attempted yet",
        "misconception": "Not quite",
        "incorrect": "Not right yet",
        "error": "An error in your code",
        "our fault": "Our fault, not yours",
    }
    for kind, word in words.items():
        outcome = engine.Outcome(
            kind,
            "Title <b>",
            "Use `a < b` & **care**.\n\n<script>alert(1)</script>",
            code="<i>\nx",
            foot="more",
        )
        page = Page(outcome._repr_html_())
        assert page.open == [] and page.tags[0][1]["role"] == "status"
        assert word in page.text and "Title <b>" in page.text and "<script>" in page.text
        assert {tag for tag, _ in page.tags} == {"div", "p", "span", "strong", "code", "pre"}
        assert "--jp-" in page.tags[0][1]["style"]
        assert (
            repr(outcome).startswith(page.text[:1])
            and word in repr(outcome)
            and "<script>" in repr(outcome)
        )


def test_a_question_shows_its_options():
    for text in (exercise.why._repr_markdown_(), repr(exercise.why)):
        assert "Why do frozen" in text and all(
            option in text for option in exercise.why.options.values()
        )


# --- as a learner meets it ----------------------------------------------------------------------


def test_in_a_real_kernel():
    import nbformat
    from nbclient import NotebookClient

    cells = [
        "import sys; sys.path.insert(0, 'tests/unit')\nimport demo_lesson as "
        "exercise\nimport numpy as np",
        "def cross_entropy(p, y):\n    ...\nexercise.cross_entropy.check(cross_entropy)",
        "def cross_entropy(p, y):\n    q = p + 1\n    return "
        "q.men()\nexercise.cross_entropy.check(cross_entropy)",
        "def cross_entropy(p, y):\n    return -np.log(p[np.arange(len(y)), "
        "y]).mean()\nexercise.cross_entropy.check(cross_entropy)",
        "exercise.cross_entropy.hint()",
        "exercise.why",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=600, resources={"metadata": {"path": str(paths.ROOT)}}).execute()
    shown = [cell.outputs[-1].data for cell in book.cells[1:]]
    assert "Not attempted" in shown[0]["text/plain"]
    assert (
        "line 3: return q.men()" in shown[1]["text/plain"]
        and "AttributeError" in shown[1]["text/html"]
    )
    assert "1 of 5" in shown[2]["text/plain"]
    assert "Hint 1 of 2" in shown[3]["text/markdown"] and "text/markdown" in shown[4]
    assert progress.passed("demo_lesson").keys() == {
        "cross_entropy"
    }  # written by the kernel, read here


def test_the_engine_brings_no_tensorflow():
    code = (
        "import sys, translearn.exercises as e, translearn.exercises.lesson00\n"
        "try: e.expect_model(3)\nexcept e.Incorrect: pass\n"
        "assert not {'tensorflow', 'keras', 'pandas', 'sklearn', 'matplotlib'} & "
        "set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, check=True)
