"""Banks of answers, and what tries them: every exercise is itself examined.

A bank, `banks/lessonNN.py`, is what a learner might type, as real code:

    bank = Bank("05")

    @bank.alternative("unfreeze")
    def layer_by_layer(model, rate): ...

It runs as `__main__`, as a notebook does, and its imports and helpers stand for the lesson's
earlier cells: the lesson's own solution and stub run with them. An answer is the function itself
or a value; where `@bank.given("exercise")` makes what earlier cells have made, an answer is a
function of that (`given.model`) which returns what is handed in, a tuple for several.

`cases(bank)` lists what to try, `failure(case)` says in one sentence what is wrong with the
outcome ("" when nothing is), `problems(bank)` finds what is missing.
"""

import ast
import functools
import importlib
import inspect
import linecache
import sys
import textwrap
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from translearn.exercises import Choice, Function, exercises_of
from translearn.exercises.answers import describe
from translearn.exercises.engine import Exercise
from translearn.exercises.functions import copied
from translearn.exercises.models import walk

HERE = Path(__file__).parent / "banks"

# Answers that no exercise may accept, and over which no check may break. They are sources: what
# goes wrong inside them is the learner's code, as in a notebook.
JUNK = {
    "text": "'banana'",
    "NaN": "float('nan')",
    "an empty list": "[]",
    "a lying __eq__": "Liar()",
    "a raising repr": "Unprintable()",
    "a bad array": "Unarrayable()",
    "a function of nothing": "lambda: 0",
    "a function that returns nonsense": "lambda *args, **kwargs: Liar()",
    "a function that returns NaN": "lambda *args, **kwargs: float('nan')",
    "a function that leaves": "lambda *args, **kwargs: exit()",
}
JUNK_CLASSES = """
class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
class Unprintable:
    def __repr__(self): raise RuntimeError("no repr")
    __str__ = __format__ = __repr__
class Unarrayable:
    def __array__(self, *args, **kwargs): raise RuntimeError("no array")
    def __len__(self): raise RuntimeError("no length")
    def __iter__(self): raise RuntimeError("no items")
    def __float__(self): raise RuntimeError("no number")
def exit(): raise SystemExit(1)
"""
WRONG = ("incorrect", "misconception", "error")
NONE = object()


@dataclass(frozen=True)
class Case:
    """One answer to try, and the kinds of outcome that are right.

    `answer` is what the bank holds, or source after the lesson's earlier cells when `is_source`.
    """

    bank: object
    exercise: Exercise
    group: str
    what: str
    answer: object
    expected: tuple
    misconception: str = ""
    is_source: bool = False
    junk: tuple = ()  # (which parameter, the junk to hand in for it)

    @property
    def name(self) -> str:
        name = f"{self.exercise.lesson}.{self.exercise.name}: {self.group} {self.what}"
        return name.strip().replace("::", ":")


class Bank:
    """The answers to one lesson's exercises, `Bank("05")`, or to those of another `module`.

    Each method names the exercise first, and decorates the answer or takes it as its last
    argument.
    """

    def __init__(self, lesson, module=None):
        self.module = module or importlib.import_module(f"translearn.exercises.lesson{lesson}")
        self.space = sys._getframe(1).f_globals
        self.exercises = {each.name: each for each in exercises_of(self.module)}
        self.setups, self.added = {}, []

    def given(self, *exercises):
        """Decorates a function that returns {name: value}: what earlier cells have made.

        It runs once for its exercises; every answer gets copies of arrays, lists and dictionaries,
        and it runs again after an answer that has changed a model.
        """

        def remember(setup):
            self.setups |= dict.fromkeys(exercises, setup)
            return setup

        return remember

    def alternative(self, exercise, answer=NONE):
        """Another right answer."""
        return self._add(exercise, "alternative", "", ("passed",), answer)

    def mistake(self, exercise, name, answer=NONE):
        """An answer that is the mistake `name`."""
        return self._add(exercise, "mistake", name, ("misconception",), answer)

    def near_miss(self, exercise, requirement, answer=NONE):
        """An answer that is right but for one requirement of the exercise's text."""
        return self._add(exercise, "near miss", requirement, WRONG, answer)

    def refused(self, exercise, answer=NONE):
        """A wrong answer without a name."""
        return self._add(exercise, "refused", "", ("incorrect",), answer)

    def _add(self, exercise, group, label, expected, answer):
        def add(answer):
            if exercise not in self.exercises:
                raise KeyError(f"{self.module.__name__} has no exercise {exercise!r}")
            self.added.append((exercise, group, label, answer, expected))
            return answer

        return add if answer is NONE else add(answer)

    def of(self, exercise, group) -> list:
        """(label, answer) of an exercise in a group."""
        return [(each[2], each[3]) for each in self.added if each[:2] == (exercise, group)]


def load(path) -> Bank:
    """A bank from its file, run as a notebook's code is, by which the engine knows it."""
    space = {"__name__": "__main__", "__file__": str(path)}
    exec(compile(Path(path).read_text(encoding="utf-8"), str(path), "exec"), space)
    return space["bank"]


def cases(bank):
    """Yield every case of every exercise of a bank. Runs nothing."""
    for each in bank.exercises.values():

        def case(group, what, answer, expected, each=each, **more):
            return Case(bank, each, group, what, answer, expected, **more)

        solution = each.solution_source
        yield case("stub", "", each.stub_source, ("not attempted",), is_source=True)
        yield case("solution", "", solution, ("passed",), is_source=True)
        if isinstance(each, Choice):
            for text in (each.right.upper(), f" {each.right}) "):
                yield case("alternative", repr(text), text, ("passed",))
            for letter, (name, _) in each.wrong.items():
                what = f"[{name}] {letter}"
                yield case("mistake", what, letter, ("misconception",), misconception=name)
        for mistake in getattr(each, "mistakes", ()):
            for n, function in enumerate(mistake.functions, 1):
                what = f"[{mistake.name}] itself {n}"
                told = {"misconception": mistake.name}
                yield case("mistake", what, function, ("misconception",), **told)
        counts = {}
        for name, group, label, answer, expected in bank.added:
            if name == each.name:
                n = counts[group, label] = counts.get((group, label), 0) + 1
                named = getattr(answer, "__name__", "<lambda>")
                what = f"[{label}] " * bool(label) + (str(n) if named == "<lambda>" else named)
                told = {"misconception": label} if group == "mistake" else {}
                yield case(group, what, answer, expected, **told)
        for name in _functions(each):
            planted = f"\n\ndef {name}(*args, **kwargs):\n    raise ArithmeticError('planted')"
            yield case("planted error", name, solution + planted, ("error",), is_source=True)
        for at, name in enumerate(each.parameters):
            for junk in JUNK:
                yield case("junk", f"for {name}: {junk}", NONE, WRONG, junk=(at, junk))


def failure(case: Case) -> str:
    """What is wrong with the outcome of a case, in one sentence; "" when it is as it should be."""
    outcome, changed = _run(case)
    told = "" if outcome.passed else f" ({outcome.message} {outcome.code})".replace("\n", " ")
    if outcome.kind not in case.expected:
        return f"{case.name}: expected {' or '.join(case.expected)}, got {outcome.kind}{told}."
    if case.misconception and outcome.misconception != case.misconception:
        return f"{case.name}: expected {case.misconception!r}, got {outcome.misconception!r}."
    if not outcome.passed and not outcome.message.strip():
        return f"{case.name}: refused without a word."
    if case.group == "planted error" and "planted" not in outcome.code:
        return f"{case.name}: the learner's error is not shown{told}."
    return f"{case.name}: the check changed what was handed in." if changed else ""


def problems(bank) -> list:
    """What is missing in a lesson's exercises and their bank, one sentence each."""
    found = []
    names = {id(value): name for name, value in vars(bank.module).items()}
    for each in bank.exercises.values():

        def missing(what, name=f"{each.lesson}.{each.name}"):
            found.append(f"{name}: {what}.")

        if names[id(each)] != each.name:
            missing(f"stands in the module as {names[id(each)]!r}")
        if len(each.hints) < 2 or len({hint.strip() for hint in each.hints}) < len(each.hints):
            missing("needs at least two hints, no two the same")
        if isinstance(each, Choice):
            continue
        right = [_bones(answer) for _, answer in bank.of(each.name, "alternative")]
        if each.name in _functions(each) and each.name not in bank.setups:
            right.append(_bones(_answers(bank, each, each.solution_source, True)[0]))
        else:
            right.append("the solution")
        if len(right) < 4 or len(set(right)) < len(right):
            missing(
                "needs at least three alternatives that differ from the solution and each other"
            )
        shown = {label for label, _ in bank.of(each.name, "mistake")}
        shown |= {mistake.name for mistake in getattr(each, "mistakes", ()) if mistake.functions}
        if not shown and not bank.of(each.name, "near miss"):
            missing("has neither a mistake nor a near miss, so nothing shows that it can refuse")
        for name in sorted(mistakes_of(each) - shown):
            missing(f"no answer shows the mistake {name!r}")
        for name in sorted(shown - mistakes_of(each)):
            missing(f"the bank shows a mistake {name!r} that the check does not know")
        if any(not label.strip() for label, _ in bank.of(each.name, "near miss")):
            missing("has a near miss that does not say which requirement it breaks")
    return found or ([] if bank.exercises else [f"{bank.module.__name__}: has no exercises."])


def right_is_longest(module) -> list:
    """The questions of a lesson whose right option is longer than every other one."""
    return [
        each.name
        for each in exercises_of(module)
        if isinstance(each, Choice)
        and all(
            len(text) < len(each.options[each.right])
            for letter, text in each.options.items()
            if letter != each.right
        )
    ]


def mistakes_of(each) -> set:
    """The names of the mistakes that an exercise's check can recognise, read from its code."""
    named = {mistake.name for mistake in getattr(each, "mistakes", ())}
    todo = [getattr(each, "also", None) if isinstance(each, Function) else each._check]
    seen = set()
    while todo:
        function = todo.pop()
        if not inspect.isfunction(function) or function in seen:
            continue
        seen.add(function)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        for node in ast.walk(tree):
            called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if called in ("Misconception", "Mistake") and isinstance(node.args[0], ast.Constant):
                named.add(node.args[0].value)
            if isinstance(node, ast.Name):
                found = function.__globals__.get(node.id)
                if getattr(found, "__module__", "").startswith(
                    ("translearn.exercises", each.module)
                ):
                    todo.append(found)
                # A list of mistakes that stands beside the check.
                if isinstance(found, (list, tuple)):
                    named |= {m.name for m in found if type(m).__name__ == "Mistake"}
    return named


# --- running -------------------------------------------------------------------------------------


def _run(case):
    if case.junk:
        answers, space = _solved(case.bank, case.exercise.name)
        at, junk = case.junk
        answers = [*answers]
        answers[at] = eval(JUNK[junk], space)
    else:
        answers = _answers(case.bank, case.exercise, case.answer, case.is_source)
    before = [_state(answer) for answer in answers]
    outcome = case.exercise.judge(*answers)
    return outcome, before != [_state(answer) for answer in answers]


def _answers(bank, exercise, answer, is_source):
    """What is handed in, one for each parameter."""
    given = _given(bank, exercise)
    if is_source:
        space = {**vars(bank.module), **bank.space, **given, "__name__": "__main__"}
        filename = f"<answer to {exercise.name}>"
        # Known to linecache as a notebook's cells are, so that the learner's line can be shown.
        linecache.cache[filename] = (len(answer), None, answer.splitlines(True), filename)
        exec(compile(answer, filename, "exec"), space)
        return list(eval(f"({exercise.call},)", space))
    if exercise.name in bank.setups:
        answer = answer(types.SimpleNamespace(**given))
    return [answer] if len(exercise.parameters) == 1 else list(answer)


_made = {}  # the set-up made last: the function, what it made, and the state that it was in


def _given(bank, exercise):
    setup = bank.setups.get(exercise.name)
    if setup is None:
        return {}
    if _made.get("by") is not setup or _made["state"] != _state(_made["it"]):
        _made.clear()
        made = setup()
        _made.update(by=setup, it=made, state=_state(made))
    given = {name: copied(value) for name, value in _made["it"].items()}
    if exercise.reference is not None:
        given["reference"] = exercise.reference()
    return given


@functools.lru_cache(maxsize=1)
def _solved(bank, name):
    # One solved cell serves all the junk of an exercise: checks change nothing, as is tested too.
    space = {"__name__": "__main__"}
    exec(compile(JUNK_CLASSES, "<junk>", "exec"), space)
    exercise = bank.exercises[name]
    return _answers(bank, exercise, exercise.solution_source, True), space


def _functions(exercise):
    """The parameters for which the solution defines a function."""
    defined = {
        node.name
        for node in ast.walk(ast.parse(exercise.solution_source))
        if isinstance(node, ast.FunctionDef)
    }
    call = ast.parse(f"({exercise.call},)", mode="eval").body.elts
    return [name for name in map(ast.unparse, call) if name in defined]


def _state(value):
    """What a check must leave alone: arrays, weights, flags, the optimiser."""
    keras = sys.modules.get("keras")
    if type(value) is np.ndarray:
        plain = value.dtype != object
        return value.dtype.str, value.shape, value.tobytes() if plain else describe(value)
    if type(value) in (list, tuple):
        return tuple(_state(item) for item in value)
    if type(value) is dict:
        return tuple((str(key), _state(item)) for key, item in value.items())
    if keras is not None and issubclass(type(value), keras.Model):
        optimizer = getattr(value, "optimizer", None)
        variables = [*value.variables, *(optimizer.variables if optimizer else ())]
        return (
            tuple(v.numpy().tobytes() for v in variables),
            tuple(v.trainable for v in value.variables),
            tuple(layer.trainable for layer in walk(value)),
            id(optimizer),
            id(value.train_function),
        )
    return describe(value)


def _bones(answer):
    """What makes two answers the same: code without layout and comments, or a value."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return repr(answer)
    return (
        code.co_code,
        repr([c for c in code.co_consts if not hasattr(c, "co_code")]),
        (code.co_names),
    )
