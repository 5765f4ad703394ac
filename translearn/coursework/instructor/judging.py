"""The judge's side: asks a submission in its sandbox, and decides here, on plain data only.

An assignment's judges stand in `judges/aN.py`, one function for each thing that a question gives
points for:

    @part(a1.huber, "large errors")
    def _(ask, rng):
        errors = rng.normal(0, 30, 8) expect(close(ask("huber", errors, 0 * errors), …), "Beyond
        delta the loss should grow linearly.")

It returns nothing for full points, what `partly` makes for partial ones, and raises `Wrong` with a
sentence for the student otherwise. A sentence must not hold what was asked: a student reads it.
"""

import builtins
import hashlib
import importlib
from dataclasses import dataclass

import numpy as np

from translearn.coursework import student
from translearn.coursework.student import codec
from translearn.coursework.student.question import Question, questions  # noqa: F401
from translearn.errors import CourseError
from translearn.exercises.answers import close

__all__ = [
    "NoAnswer",
    "Wrong",
    "answers_close",
    "array",
    "close",
    "expect",
    "items",
    "number",
    "part",
    "partly",
]

PARTS = {}  # (assignment, question) → {what the points are for: function}


class Wrong(Exception):
    """No points for this part. The message is for the student."""


class NoAnswer(Wrong):
    """The submission gave no answer to judge: its code stopped, took too long, or answered
    something that is not data.
    """


class Lost(Exception):
    """The sandbox died while it answered: nobody can say what the answer would have been.

    The message is the reason.
    """


def part(question: Question, what: str):
    """Register the judge for `what`, one of the question's marks."""

    def register(function):
        assignment = question.module.rpartition(".")[2]
        if what not in question.marks:
            raise CourseError(f"question {question.name!r} gives no points for {what!r}.")
        PARTS.setdefault((assignment, question.name), {})[what] = function
        return function

    return register


def load(assignment: str):
    """The public module of an assignment, such as "a1", once its judges are loaded.

    Raises `CourseError` when a part has no judge.
    """
    importlib.import_module(f"translearn.coursework.instructor.judges.{assignment}")
    module = student.module(assignment)
    for each in questions(module):
        missing = set(each.marks) - set(PARTS.get((assignment, each.name), ()))
        if missing:
            raise CourseError(
                f"Nobody judges {', '.join(sorted(missing))} of question {each.name!r} in "
                f"{assignment.upper()}."
            )
    return module


# ---- what a judge says


def expect(holds, message: str) -> None:
    """Raise `Wrong(message)` unless `holds`."""
    if not holds:
        raise Wrong(message)


def partly(share: float, message: str):
    """What a judge returns for a share of the points: below 1 with the sentence that says what is
    missing.
    """
    return None if share >= 1 else (share, message)


def items(answer, count: int, message: str) -> list:
    """The answer as a list of `count` things: a tuple, a list, or an array with as many rows.

    Raises `Wrong(message)` for anything else.
    """
    if isinstance(answer, np.ndarray) and answer.ndim:
        answer = list(answer)
    expect(isinstance(answer, list) and len(answer) == count, message)
    return answer


def array(value, shape=None) -> np.ndarray:
    """The answer as an array of finite numbers.

    Raises `Wrong` for anything else. `shape`: None stands for any length.
    """
    try:
        got = np.asarray(value)
    except (ValueError, TypeError):
        got = np.asarray(None)
    if got.dtype.kind not in "iufb":
        raise Wrong("The answer should be numbers, and is not.")
    if shape is not None and (
        got.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, got.shape))
    ):
        raise Wrong("The answer has another shape than it should.")
    if not np.isfinite(got).all():
        raise Wrong("The answer holds NaN or infinity.")
    return got.astype(float)


def number(value) -> float:
    """The answer as one finite number."""
    got = array(value)
    expect(got.size == 1, "The answer should be one number.")
    return float(got.reshape(()))


def answers_close(got, target, tol=1e-5) -> bool:
    """Whether it has the target's shape and its numbers, within `tol * max(1, |target|)`."""
    target = np.asarray(target, float)
    return close(array(got, target.shape), target, tol)


# ---- asking


class Ask:
    """Puts probes to a submission: `ask("name", arguments…)` calls its function,
    `ask.value("name")` looks at a name.

    `read` names a function of the assignment's public module that turns the result into plain data
    inside the sandbox.
    """

    def __init__(self, session, seconds):
        self.session, self.seconds = session, seconds

    def __call__(self, name, *args, read="", extra=(), seconds=None):
        return self._put({"name": name, "args": codec.encode(list(args))}, read, extra, seconds)

    def value(self, name, read="", extra=()):
        return self._put({"name": name}, read, extra, None)

    def _put(self, probe, read, extra, seconds):
        seconds = seconds or self.seconds
        reply = self.session.probe(
            probe | {"read": read, "with": codec.encode(list(extra)), "seconds": seconds}, seconds
        )
        name = probe["name"]
        if set(reply) == {"value"}:
            try:
                return codec.decode(reply["value"])
            except codec.NotPlain as problem:
                raise NoAnswer(f"`{name}`: {problem}") from None
        if "missing" in reply:
            raise NoAnswer(f"`{name}` is not there.")
        problem = reply.get("error")
        kind = problem.get("type") if isinstance(problem, dict) else ""
        if kind == "TimeUp":
            raise NoAnswer(f"`{name}` took more than {seconds:g} s.")
        if kind == "NotPlain":
            raise NoAnswer(f"`{name}` does not return plain data.")
        # Only the name of a built-in exception is passed on: any other text could carry the probe
        # out to the student.
        known = isinstance(kind, str) and isinstance(getattr(builtins, kind, None), type)
        raise NoAnswer(f"`{name}` stopped with {kind if known else 'an error'}.")


def generator(key: str, assignment: str, question: str, what: str) -> np.random.Generator:
    """Luck that is the same for every student of a course and that none of them can foresee."""
    seed = hashlib.sha256("\0".join([key, assignment, question, what]).encode()).digest()
    return np.random.default_rng(int.from_bytes(seed[:8], "big"))


@dataclass
class Verdict:
    """Of one part: what for, points to get, points got (None: not graded), and the sentence for
    the student.
    """

    what: str
    points: int
    got: float | None
    message: str = ""


def judge(question: Question, ask: Ask, key: str, stopped: str = "", lost: str = "") -> list:
    """The verdicts on one question.

    `stopped` and `lost` say why its answer is not there: the student's doing, or not known.
    """
    assignment = question.module.rpartition(".")[2]
    verdicts = []
    for what, points in question.marks.items():
        function = PARTS[assignment, question.name][what]
        verdict = Verdict(what, points, None)
        verdicts.append(verdict)
        if lost:
            verdict.message = lost
            continue
        try:
            share, reason = function(ask, generator(key, assignment, question.name, what)) or (
                1,
                "",
            )
            if not 0 < share <= 1 or (share < 1) != bool(reason):
                raise CourseError(
                    f"the judge of {what!r} in {question.name!r} gave {share} for {reason!r}: a "
                    f"share needs a reason."
                )
            verdict.got, verdict.message = round(points * share, 2), reason
        except NoAnswer as reason:
            verdict.got, verdict.message = 0.0, stopped or str(reason)
        except Wrong as reason:
            verdict.got, verdict.message = 0.0, str(reason)
        except Lost as reason:
            verdict.message = str(reason)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError):
            # The judge stumbled over an answer of an unexpected form, which is wrong whatever it
            # is.
            verdict.got, verdict.message = (
                0.0,
                "The answer does not have the form that was asked for.",
            )
    return verdicts
