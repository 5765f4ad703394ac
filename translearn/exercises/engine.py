"""The check engine: an exercise, and the typed outcomes of checking an answer to it.

Lesson modules declare exercises; see `exercise` and `Choice`. What a check says and how it looks
at an answer is in `answers.py`, functions in `functions.py`, Keras models in `models.py`. Every
exercise is tried with its bank of answers in `tests/exercises/`.
"""

import inspect
import linecache
import random
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from translearn.errors import CourseError
from translearn.exercises import progress, source
from translearn.exercises.answers import (
    Incorrect,
    LearnerError,
    Misconception,
    NotAttempted,
    describe,
    has_blank,
    is_stub,
)
from translearn.exercises.render import Card, box, fence, plain

# --- outcomes ------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Outcome:
    """What came of a check. `kind` is "not attempted", "passed", "misconception", "incorrect" or
    "error"; "our fault" means that the check itself broke, which the tests do not let through."""

    kind: str
    title: str
    message: str = ""
    misconception: str = ""
    code: str = ""
    foot: str = ""

    @property
    def passed(self) -> bool:
        return self.kind == "passed"

    def _parts(self):
        title = f"{self.misconception} · {self.title}" if self.misconception else self.title
        return self.kind, title, self.message, self.code, self.foot

    def _repr_html_(self):
        return box(*self._parts())

    def __repr__(self):
        return plain(*self._parts())


# --- exercises -----------------------------------------------------------------------------------


class Exercise:
    """One exercise: a check, escalating hints, and the lesson's cell that holds its solution.

    Made by the decorator `exercise`, which describes the parameters, or as a `Choice` or
    `Function`.
    """

    handle = "exercise"  # what a notebook calls the module that it is in

    def __init__(
        self,
        check,
        *,
        title,
        hints,
        praise="",
        call=None,
        reference=None,
        name=None,
        module=None,
        parameters=None,
        where=None,
        **old,  # until the last lesson is converted: what now stands in its bank
    ):
        self.name, self.module = name or check.__name__, module or check.__module__
        self.title, self.praise, self.reference = title, praise, reference
        self._check, self._shown = check, 0
        self._where = where or f"{check.__code__.co_filename}:{check.__code__.co_firstlineno}"
        taken = list(inspect.signature(check).parameters)
        self.parameters = parameters or [name for name in taken if name != "reference"]
        if ("reference" in taken) != (reference is not None):
            self._refuse(
                "`reference` must be given exactly when the check has a parameter of that name"
            )
        self.call = call or ", ".join(self.parameters)
        self.hints = tuple(hints)
        for number, text in enumerate(self.hints, 1):
            if not isinstance(text, str) or not text.strip():
                self._refuse(f"hint {number} is empty")
        if not title.strip() or not self.hints or not self.parameters:
            self._refuse("a title, hints and something to check are needed")

    @property
    def cell_source(self) -> str:
        """The lesson's cell with the solution, markers and all; `CourseError` without it."""
        return source.cell(self.module, self.name)

    @property
    def solution_source(self) -> str:
        """The cell solved."""
        return source.unmark(self.cell_source)

    @property
    def stub_source(self) -> str:
        """The cell as the learner gets it."""
        return source.unsolve(self.cell_source)

    def _refuse(self, what):
        raise CourseError(f"{self._where}: exercise {self.name!r}: {what}.")

    @property
    def lesson(self) -> str:
        """The lesson it belongs to, for example "lesson05"."""
        return self.module.rpartition(".")[2]

    def __repr__(self):
        return (
            f"{self.title}: {self.handle}.{self.name}.check({self.call}) · .hint() · .solution()"
        )

    # what a learner calls

    def check(self, *answers, **named) -> Outcome:
        """Check an answer, and remember that it passed. Never raises (an interrupt excepted)."""
        outcome = self.judge(*answers, **named)
        if outcome.passed:
            sentence = progress.record(self.lesson, self.name)
            done = progress.passed(self.lesson)
            names = [each.name for each in exercises_of(sys.modules[self.module])]
            count = f"{sum(name in done for name in names)} of {len(names)}"
            foot = f"{count} exercises of this lesson passed. {sentence}"
            outcome = Outcome("passed", outcome.title, outcome.message, foot=foot.strip())
        return outcome

    def hint(self, number: int | None = None) -> Card:
        """The next hint, or hint `number` (from 1); after the last, the way to the solution."""
        if number is None:
            self._shown += 1
            number = self._shown
        if number > len(self.hints):
            return Card(
                f"That was the last of {len(self.hints)} hints for **{self.title}**. "
                f"{self._after_the_hints()}"
            )
        number = max(number, 1)
        return Card(f"**Hint {number} of {len(self.hints)}** · {self.hints[number - 1].strip()}")

    def _after_the_hints(self):
        return f"Compare with `{self.handle}.{self.name}.solution()`."

    def solution(self) -> Card:
        """One correct answer; the check accepts every other correct one too."""
        after = f"\n\n{self.praise.strip()}" if self.praise else ""
        return Card(f"**Solution** · {self.title}\n\n{fence(self.solution_source)}{after}")

    # what decides

    def judge(self, *answers, **named) -> Outcome:
        """Check an answer without remembering the result."""

        def outcome(kind, message="", **more):
            return Outcome(kind, self.title, message, **more)

        blank = outcome(
            "not attempted",
            f"Replace the `...` above, run that cell, then run this one again. "
            f"For a hint: `{self.handle}.{self.name}.hint()`.",
        )
        stuck = f"For a hint: `{self.handle}.{self.name}.hint()`."
        try:
            given = (
                inspect.signature(lambda: None)
                .replace(
                    parameters=[
                        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                        for name in self.parameters
                    ]
                )
                .bind(*answers, **named)
                .arguments
            )
        except TypeError:
            return outcome(
                "incorrect",
                f"Hand in {_count(len(self.parameters))}: "
                f"`{self.handle}.{self.name}.check({self.call})`.",
            )
        for name, value in given.items():
            if value is None:
                return outcome(
                    "not attempted",
                    f"`{name}` is None. If you did work on it: did a function forget "
                    "to `return` something?",
                    foot=stuck,
                )
            if has_blank(value) or is_stub(value):
                return blank
        try:
            with _same_luck():
                more = {} if self.reference is None else {"reference": self.reference()}
                praise = self._check(*given.values(), **more)
            if not (praise is None or type(praise) is str):
                raise TypeError(
                    f"the check returned {describe(praise)}; "
                    "it must raise, or return None or praise"
                )
            return outcome("passed", praise or self.praise)
        except NotAttempted as signal:
            return outcome("not attempted", str(signal), foot=stuck) if str(signal) else blank
        except Misconception as signal:
            return outcome("misconception", str(signal), misconception=signal.name, foot=stuck)
        except Incorrect as signal:
            return outcome("incorrect", str(signal), foot=stuck)
        except (Exception, SystemExit) as problem:
            theirs = isinstance(problem, LearnerError)
            called = problem.called if theirs else ""
            cause = problem.__cause__ if theirs else problem
            line = _learners_line(cause)
            if not theirs and not line:
                return outcome(
                    "our fault",
                    "This check broke on its own, so it can say nothing about your answer, "
                    "which may well be right. Please report these lines; you can go on "
                    "without it.",
                    code=f"{self.lesson}.{self.name} · {_place(cause)}\n{_short(cause)}",
                )
            if "ellipsis" in _short(cause).lower():
                return blank
            during = f" while running `{called}`" if called else ""
            return outcome(
                "error",
                f"It stopped{during}.",
                code="\n".join(filter(None, [_short(cause), line])),
                foot=f"{_advice(cause)} To see the whole traceback, call it yourself in a "
                "new cell.",
            )


def exercise(**options):
    """Turn a check function into an exercise of the same name.

    The check's parameters are the names a learner hands in, in that order. It returns None or a
    word of praise when they are right, and raises `Incorrect`, `Misconception` or `NotAttempted`
    otherwise.

    title, praise   what it is called; what is said after passing and below the solution, so it
                    must be true of every right answer (a check returns its own praise for what it
                    saw)
    hints           at least two, the later the more telling
    call            how the answers are handed in, if not by the names of the parameters
    reference       a function without parameters that fetches the number to beat (from the
                    ledger); its value reaches the check as `reference`

    The solution is the lesson's cell with `### BEGIN SOLUTION` / `### END SOLUTION` before the one
    that calls the check; the stub follows from it. Raises `CourseError` with file and line for an
    empty hint.
    """
    return lambda check: Exercise(check, **options)


class Choice(Exercise):
    """A question with lettered options: `Choice("name", "Question?", {"a": "…", "b": "…"},
    right="b", wrong={"a": ("misconception", "why not")}, hints=[…], praise="…")`.

    Every option but the right one carries its misconception. A learner answers
    `exercise.name.check("b")`; the cell of the lesson assigns the letter to `answer` (or another
    `variable`).
    """

    def __init__(
        self,
        name,
        question,
        options,
        *,
        right,
        wrong,
        hints,
        praise="",
        title=None,
        variable="answer",
    ):
        caller = sys._getframe(1)
        letters = list(options)

        def check(answer):
            letter = answer.strip().strip(".)(").lower() if type(answer) is str else None
            if letter not in letters:
                raise Incorrect(
                    f"Answer with one of the letters {', '.join(letters)}, as text: "
                    f'`"{letters[0]}"`. Got {describe(answer)}.'
                )
            if letter != right:
                raise Misconception(*wrong[letter])

        where = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        if (
            right not in letters
            or set(wrong) != set(letters) - {right}
            or any(a != a.lower() for a in letters)
        ):
            raise CourseError(
                f"{where}: question {name!r}: every option but the right one needs its "
                "misconception, and options are lower-case letters."
            )
        super().__init__(
            check,
            name=name,
            module=caller.f_globals["__name__"],
            title=title or question,
            hints=hints,
            praise=praise,
            call=variable,
            where=where,
        )
        self.right, self.wrong = right, dict(wrong)
        self.question, self.options = question, dict(options)

    def _repr_markdown_(self):
        return "\n".join(
            [
                f"**{self.question}**",
                "",
                *(f"* **{a}** · {text}" for a, text in self.options.items()),
            ]
        )

    def __repr__(self):
        return "\n".join([self.question, *(f"  {a}  {text}" for a, text in self.options.items())])


def exercises_of(module) -> list:
    """The exercises of a lesson's module, in the order they stand in it."""
    return [value for value in vars(module).values() if isinstance(value, Exercise)]


# --- the learner's errors ------------------------------------------------------------------------


def _learners_line(problem) -> str:
    """The last line of the learner's own that the exception passed through, or "".

    What is typed in a notebook runs as `__main__`, the course and the libraries do not.
    """
    theirs = [
        step
        for step in traceback.walk_tb(problem.__traceback__)
        if step[0].f_globals.get("__name__") == "__main__"
    ]
    if not theirs:
        return ""
    frame, number = theirs[-1]
    text = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    return f"line {number}: {text}" if text else f"line {number}, in {frame.f_code.co_name}"


def _place(problem) -> str:
    frames = list(traceback.walk_tb(problem.__traceback__))
    if not frames:
        return "the check itself"
    frame, number = frames[-1]
    file = frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{file}:{number}"


def _short(problem, limit=400) -> str:
    try:
        text = str(problem).strip()
    except Exception:
        text = "(its message cannot be shown)"
    return (
        f"{type(problem).__name__}: {text[:limit]}{'…' if len(text) > limit else ''}".removesuffix(
            ": "
        )
    )


def _advice(problem) -> str:
    for kind, sentence in {
        NameError: "A name is not known there: check its spelling, and run the cells above.",
        AttributeError: "That object has no such attribute: look at what it is with `type(…)` and "
        "`dir(…)`.",
        KeyError: "There is no such key: print the keys that exist.",
        IndexError: "A position lies outside: print the length or the shape.",
        ZeroDivisionError: "Something is divided by zero: print the divisor.",
        RecursionError: "A function calls itself without an end.",
        NotImplementedError: "A part is still missing.",
        TypeError: "A value has another type, or a function other parameters, than the line "
        "expects.",
        ValueError: "A value does not fit: print its shape and its range just before that line.",
    }.items():
        if isinstance(problem, kind):
            return sentence
    return "Print what goes into that line just before it runs."


def _count(n: int) -> str:
    return "one answer" if n == 1 else f"{n} answers"


@contextmanager
def _same_luck():
    """A check draws no luck from the learner's random state: NumPy's and Python's are put back."""
    numpys, pythons = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(numpys)
        random.setstate(pythons)
