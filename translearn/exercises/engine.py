"""The check engine: an exercise, and the typed outcomes of checking an answer to it.

Lesson modules declare exercises; see `exercise` and `Choice`. What a check says and how it looks at an
answer is in `answers.py`, Keras models in `models.py`, the tests of every exercise in `bank.py`.
"""

import ast
import inspect
import linecache
import random
import re
import sys
import textwrap
import traceback
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from translearn.errors import CourseError
from translearn.exercises import progress
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

SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION[ \t]*\n(.*?)^[ \t]*### END SOLUTION[ \t]*(?:\n|\Z)", re.M | re.S
)


# --- outcomes -------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Outcome:
    """What came of a check. `kind` is "not attempted", "passed", "misconception", "incorrect" or "error";
    "our fault" means that the check itself broke, which the tests do not let through."""

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


# --- exercises ------------------------------------------------------------------------------------


class Exercise:
    """One exercise: a check, escalating hints, a solution, and the bank of answers that tests the check.

    Made by the decorator `exercise`, which describes the parameters.
    """

    handle = "exercise"  # what a notebook calls the module that it is in

    def __init__(
        self,
        check,
        *,
        title,
        hints,
        solution,
        stub=None,
        alternatives=(),
        wrong=None,
        refused=(),
        setup="",
        call=None,
        praise="",
        reference=None,
        where=None,
    ):
        self.name, self.module = check.__name__, check.__module__
        self.title, self.praise, self.reference = title, praise, reference
        self._check, self._shown = check, 0
        self._where = where or f"{check.__code__.co_filename}:{check.__code__.co_firstlineno}"
        self.parameters = [
            name for name in inspect.signature(check).parameters if name != "reference"
        ]
        if ("reference" in inspect.signature(check).parameters) != (reference is not None):
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
        marked = _source(solution)
        self.cell_source = marked  # what stands in the lesson's source, markers and all
        self.solution_source = unmark(marked)
        self.stub_source = _source(stub) if stub is not None else unsolve(marked)
        if self.stub_source == self.solution_source:
            self._refuse(
                "the solution has no `### BEGIN SOLUTION` and `### END SOLUTION`, and no stub is given"
            )
        self.setup = _source(setup)
        self.alternatives = tuple(map(_source, alternatives))
        self.refused = tuple(map(_source, refused))
        self.wrong = {
            name: tuple(map(_source, [texts] if isinstance(texts, str) else texts))
            for name, texts in (wrong or {}).items()
        }
        for text in [
            self.stub_source,
            self.solution_source,
            self.setup,
            *self.alternatives,
            *self.refused,
            *(text for texts in self.wrong.values() for text in texts),
        ]:
            try:
                ast.parse(text)
            except SyntaxError as problem:
                self._refuse(f"a source does not parse ({problem.msg}, its line {problem.lineno})")

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
        """Check an answer, and remember it when it passed. Never raises (an interrupt excepted)."""
        outcome = self.judge(*answers, **named)
        if outcome.passed:
            sentence = progress.record(self.lesson, self.name)
            done = progress.passed(self.lesson)
            names = [
                each.name
                for each in vars(sys.modules[self.module]).values()
                if isinstance(each, Exercise)
            ]
            foot = f"{sum(name in done for name in names)} of {len(names)} exercises of this lesson passed. {sentence}"
            outcome = Outcome("passed", outcome.title, outcome.message, foot=foot.strip())
        return outcome

    def hint(self, number: int | None = None) -> Card:
        """The next hint, or hint `number` (from 1). After the last one, the way to the solution."""
        if number is None:
            self._shown += 1
            number = self._shown
        if number > len(self.hints):
            return Card(
                f"That was the last of {len(self.hints)} hints for **{self.title}**. {self._after_the_hints()}"
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
                if self.reference is not None:
                    given["reference"] = self.reference()
                praise = self._check(**given)
            if not (praise is None or type(praise) is str):
                raise TypeError(
                    f"the check returned {describe(praise)}; it must raise, or return None or praise"
                )
            return outcome("passed", praise or self.praise)
        except NotAttempted as signal:
            return outcome("not attempted", str(signal), foot=stuck) if str(signal) else blank
        except Misconception as signal:
            if signal.name in self.wrong:
                return outcome("misconception", str(signal), misconception=signal.name, foot=stuck)
            return outcome(
                "our fault", f"The misconception {signal.name!r} is not declared. {signal}"
            )
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
                    "which may well be right. Please report these lines; you can go on without it.",
                    code=f"{self.lesson}.{self.name} · {_place(cause)}\n{_short(cause)}",
                )
            if "ellipsis" in _short(cause).lower():
                return blank
            during = f" while running `{called}`" if called else ""
            return outcome(
                "error",
                f"It stopped{during}.",
                code="\n".join(filter(None, [_short(cause), line])),
                foot=f"{_advice(cause)} To see the whole traceback, call it yourself in a new cell.",
            )


def exercise(**options):
    """Turn a check function into an exercise of the same name.

    The check's parameters are the names a learner hands in, in that order. It returns None or a word of
    praise when they are right, and raises `Incorrect`, `Misconception` or `NotAttempted` otherwise.

    title, praise   what it is called; what is said after passing and below the solution
    hints           at least two, the later the more telling
    solution        the lesson's cell with `### BEGIN SOLUTION` / `### END SOLUTION`; the stub follows from it
    stub            the cell a learner gets, where it cannot be derived
    alternatives    at least two other correct answers: the sources of whole cells
    wrong           {misconception: source, or a list of them}; every misconception the check names
    refused         sources of wrong answers without a name
    setup           source of what earlier cells of the lesson have made
    call            how the answers are handed in, if not by the names of the parameters
    reference       a function without parameters that fetches the number to beat (from the ledger); its value
                    reaches the check, and the setup, as `reference`

    Raises `CourseError` with file and line for an empty hint or a source that does not parse.
    """
    return lambda check: Exercise(check, **options)


class Choice(Exercise):
    """A question with lettered options: `Choice("name", "Question?", {"a": "…", "b": "…"}, right="b",
    wrong={"a": ("misconception", "why not")}, hints=[…], praise="…")`.

    Every option but the right one carries its misconception. A learner answers `exercise.name.check("b")`;
    the cell of the lesson assigns the letter to `answer` (or another `variable`).
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

        check.__name__, check.__module__ = name, caller.f_globals["__name__"]
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
        named = {}
        for letter, (misconception, _) in wrong.items():
            named.setdefault(misconception, []).append(f'{variable} = "{letter}"')
        super().__init__(
            check,
            title=title or question,
            hints=hints,
            praise=praise,
            call=variable,
            where=where,
            solution=f'{variable} = "{right}"',
            stub=f"{variable} = ...",
            wrong=named,
            alternatives=[f'{variable} = "{right.upper()}"', f'{variable} = " {right}) "'],
        )
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


# --- solution and stub ----------------------------------------------------------------------------


def unmark(source: str) -> str:
    """The cell solved: the marker lines gone, everything else as it stands."""
    return SOLUTION.sub(r"\2", source).strip("\n")


def unsolve(source: str) -> str:
    """The cell as a learner gets it: every marked stretch becomes `...` at its indentation.

    Outside a function, the plain names that the stretch assigns stay (`rate = ...`), so that the check below finds them.
    """

    def blank(match):
        statements = ast.parse(textwrap.dedent(match[2])).body if not match[1] else []
        names = [
            name.id
            for s in statements
            if isinstance(s, ast.Assign)
            for target in s.targets
            for name in ast.walk(target)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        ]
        return "".join(f"{name} = ...\n" for name in dict.fromkeys(names)) or f"{match[1]}...\n"

    return SOLUTION.sub(blank, source).strip("\n")


def _source(text: str) -> str:
    return textwrap.dedent(text).strip("\n").rstrip()


# --- the learner's errors -------------------------------------------------------------------------


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
        AttributeError: "That object has no such attribute: look at what it is with `type(…)` and `dir(…)`.",
        KeyError: "There is no such key: print the keys that exist.",
        IndexError: "A position lies outside: print the length or the shape.",
        ZeroDivisionError: "Something is divided by zero: print the divisor.",
        RecursionError: "A function calls itself without an end.",
        NotImplementedError: "A part is still missing.",
        TypeError: "A value has another type, or a function other parameters, than the line expects.",
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
