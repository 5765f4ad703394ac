"""The bank tester: every exercise is itself examined.

`cases(module)` lists what to try, `run(case)` tries it, `failure(case)` says in one sentence what is wrong with
the outcome ("" when nothing is). `problems(module)` finds what is missing without running anything.
"""

import ast
import functools
import inspect
import linecache
import sys
from dataclasses import dataclass

import numpy as np

from translearn.exercises.answers import describe
from translearn.exercises.engine import Exercise, Outcome
from translearn.exercises.models import walk

# Answers that no exercise may accept, and over which no check may break. They are sources: what goes wrong
# inside them is the learner's code, as in a notebook.
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


@dataclass(frozen=True)
class Case:
    """One answer to try: `source` after the exercise's setup, and the kinds of outcome that are right."""

    exercise: Exercise
    group: str
    number: int
    source: str
    expected: tuple
    misconception: str = ""
    junk: tuple = ()  # (which parameter, the junk to hand in for it)

    @property
    def name(self) -> str:
        return f"{self.exercise.lesson}.{self.exercise.name}: {self.group} {self.number}".replace(
            "::", ":"
        )


def exercises(module) -> list:
    """The exercises of a lesson module, in the order they stand in it."""
    return [value for value in vars(module).values() if isinstance(value, Exercise)]


def cases(module):
    """Yield every case of every exercise in a lesson module. Runs nothing."""
    for each in exercises(module):
        yield Case(each, "stub", 1, each.stub_source, ("not attempted",))
        yield Case(each, "solution", 1, each.solution_source, ("passed",))
        for n, text in enumerate(each.alternatives, 1):
            yield Case(each, "alternative", n, text, ("passed",))
        for name, texts in each.wrong.items():
            for n, text in enumerate(texts, 1):
                yield Case(each, f"misconception [{name}]", n, text, ("misconception",), name)
        for n, text in enumerate(each.refused, 1):
            yield Case(each, "refused", n, text, ("incorrect",))
        for name in _functions(each):
            yield Case(
                each,
                f"planted error in {name}",
                1,
                each.solution_source
                + (f"\n\ndef {name}(*args, **kwargs):\n    raise ArithmeticError('planted')"),
                ("error",),
            )
        for at, name in enumerate(each.parameters):
            for junk in JUNK:
                yield Case(
                    each,
                    f"junk for {name}: {junk}",
                    1,
                    each.solution_source,
                    ("incorrect", "misconception", "error"),
                    junk=(at, junk),
                )


def run(case: Case) -> Outcome:
    """Try a case in a namespace of its own. What the source itself raises comes through."""
    return _run(case)[0]


def failure(case: Case) -> str:
    """What is wrong with the outcome of a case, in one sentence; "" when it is as it should be."""
    outcome, changed = _run(case)
    told = "" if outcome.passed else f" ({outcome.message} {outcome.code})".replace("\n", " ")
    if outcome.kind not in case.expected:
        return f"{case.name}: expected {' or '.join(case.expected)}, got {outcome.kind}{told}."
    if outcome.misconception != case.misconception and not case.junk:
        return f"{case.name}: expected {case.misconception!r}, got {outcome.misconception!r}."
    if not outcome.passed and not outcome.message.strip():
        return f"{case.name}: refused without a word."
    if "planted" in case.group and "planted" not in outcome.code:
        return f"{case.name}: the learner's error is not shown{told}."
    return f"{case.name}: the check changed what was handed in." if changed else ""


def problems(module) -> list:
    """What is missing in a lesson module's exercises, one sentence each."""
    found, declared = [], set()
    names = {
        id(value): name for name, value in vars(module).items() if isinstance(value, Exercise)
    }
    for each in exercises(module):

        def missing(what, name=f"{each.lesson}.{each.name}"):
            found.append(f"{name}: {what}.")

        declared |= set(each.wrong)
        if names[id(each)] != each.name:
            missing(f"stands in the module as {names[id(each)]!r}")
        if len(each.hints) < 2 or len({hint.strip() for hint in each.hints}) < len(each.hints):
            missing("needs at least two hints, no two the same")
        right = [_bones(text) for text in (each.solution_source, *each.alternatives)]
        if len(each.alternatives) < 2 or len(set(right)) < len(right):
            missing(
                "needs at least two alternative solutions that differ from the solution and each other"
            )
        if not each.wrong and not each.refused:
            missing("has no wrong answer, so nothing shows that the check can refuse")
        if any(not texts for texts in each.wrong.values()):
            missing("has a misconception without a wrong answer")
    raised = {
        node.args[0].value
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Misconception"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    found += [
        f"{module.__name__}: no exercise has a wrong answer for the misconception {name!r}."
        for name in sorted(raised - declared)
    ]
    return found if names else [f"{module.__name__}: has no exercises."]


# --- running --------------------------------------------------------------------------------------


def _run(case):
    space = _solved(case.exercise) if case.junk else _namespace(case.exercise, case.source)
    answers = list(eval(f"({case.exercise.call},)", space))
    if case.junk:
        at, junk = case.junk
        answers[at] = eval(JUNK[junk], space)
    before = [_state(answer) for answer in answers]
    outcome = case.exercise.judge(*answers)
    return outcome, before != [_state(answer) for answer in answers]


@functools.lru_cache(maxsize=1)
def _solved(exercise):
    # One solved namespace serves all the junk of an exercise: checks change nothing, which is tested too.
    space = _namespace(exercise, exercise.solution_source)
    exec(compile(JUNK_CLASSES, "<junk>", "exec"), space)
    return space


def _namespace(exercise, source):
    space = {"__name__": "__main__"}  # as in a notebook; the engine knows the learner's code by it
    if exercise.reference is not None:
        space["reference"] = exercise.reference()
    for part, text in (("setup", exercise.setup), ("answer", source)):
        filename = f"<{part} of {exercise.name}>"
        # Known to linecache as a notebook's cells are, so that the learner's line can be shown.
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        exec(compile(text, filename, "exec"), space)
    return space


def _functions(exercise):
    """The parameters for which the solution defines a function."""
    defined = {
        node.name
        for node in ast.walk(ast.parse(exercise.solution_source))
        if isinstance(node, ast.FunctionDef)
    }
    handed_in = [
        ast.unparse(node) for node in ast.parse(f"({exercise.call},)", mode="eval").body.elts
    ]
    return [name for name in handed_in if name in defined]


def _state(value):
    """What a check must leave alone: arrays, weights, flags and the optimiser. Compared before and after."""
    keras = sys.modules.get("keras")
    if type(value) is np.ndarray:
        return (
            value.dtype.str,
            value.shape,
            value.tobytes() if value.dtype != object else describe(value),
        )
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


def _bones(source):
    """A source without its names' formatting and comments: what makes two answers the same answer."""
    return ast.dump(ast.parse(source))
