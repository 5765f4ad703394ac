"""Exercises whose answer is a function: it is run beside the right one and beside mistaken ones.

A mistake is one thing, `Mistake(name, message, function)`. Its message appears only when the
learner's answer *is* that mistake: equal to it on every probe, and not right.
"""

import copy
import functools
import sys
from dataclasses import dataclass

import numpy as np

from translearn.exercises.answers import (
    Incorrect,
    Misconception,
    Signal,
    describe,
    expect_callable,
    expect_same,
)
from translearn.exercises.engine import Exercise


@dataclass(frozen=True, init=False)
class Mistake:
    """A way to get it wrong: its name, what to say about it, and the function that does it.

    Several functions are several faces of one mistake (`np.log2` and `np.log10`, say).
    """

    name: str
    message: str
    functions: tuple

    def __init__(self, name, message, *functions):
        for field, value in (("name", name), ("message", message), ("functions", functions)):
            object.__setattr__(self, field, value)


class Function(Exercise):
    """A function to write: `Function("name", title=…, hints=[…], probes=[(…), …], mistakes=[…])`.

    name            of the exercise, and of the function that the learner hands in
    probes          what it is called with: a list of tuples of arguments; a dictionary
                    {"in words": arguments}, where the arguments say little; or a function
                    without parameters that makes either. Every call gets copies.
    mistakes        `Mistake`s; their functions take the same arguments
    right           the right function. Default: the one that the lesson's solution defines, run
                    with the names of the exercises' module and those that `names()` returns
    tolerance       relative above 1, absolute below; whole numbers must be exact. Default 1e-6
    read            applied to every answer before it is compared, for example `sorted`
    also            a further check of the learner's function once it is right on all probes; as
                    any check it returns None or praise, or raises `Incorrect` or `Misconception`

    title, hints, praise and call are those of `exercise`. An answer that differs is told at its
    first entry that differs, with both values.
    """

    def __init__(
        self,
        name,
        *,
        probes,
        mistakes=(),
        right=None,
        names=dict,
        tolerance=1e-6,
        read=None,
        also=None,
        **options,
    ):
        caller = sys._getframe(1)
        self._probes, self._right, self._names = probes, right, names
        self.mistakes, self.also = tuple(mistakes), also
        self.tolerance, self.read = tolerance, read or (lambda answer: answer)
        super().__init__(
            self._compare,
            name=name,
            module=caller.f_globals["__name__"],
            where=f"{caller.f_code.co_filename}:{caller.f_lineno}",
            parameters=[name],
            **options,
        )

    @functools.cached_property
    def right(self):
        """The right function."""
        if self._right is not None:
            return self._right
        space = {**vars(sys.modules[self.module]), **self._names()}
        exec(compile(self.solution_source, f"<solution of {self.name}>", "exec"), space)
        return space[self.name]

    def probes(self) -> list:
        """What the function is called with: pairs of words and arguments."""
        probes = self._probes() if callable(self._probes) else self._probes
        named = isinstance(probes, dict)
        found = []
        for words, args in probes.items() if named else [("", args) for args in probes]:
            args = args if isinstance(args, tuple) else (args,)
            call = f"`{self.name}({', '.join(map(_shown, args))})`"
            found.append((words if named else call, args))
        return found

    def _compare(self, answer):
        function, probes = expect_callable(answer, self.name), self.probes()
        got = [function(*map(copied, args)) for _, args in probes]
        right = [self.right(*map(copied, args)) for _, args in probes]
        expect_right_each(
            [self._read(one, words) for one, (words, _) in zip(got, probes)],
            [self.read(one) for one in right],
            self.mistakes,
            probes,
            self.tolerance,
            self.read,
        )
        return self.also(function) if self.also else None

    def _read(self, answer, words):
        try:
            return self.read(answer)
        except Signal:
            raise
        except Exception:
            raise Incorrect(f"{describe(answer)} makes no sense for {words}.") from None


def expect_right(got, right, mistakes=(), *args, tolerance=1e-6, what="your answer"):
    """Hold one answer against the right one, and against `Mistake`s called with `args`.

    For a hand-written check. Returns when it is right; raises the `Misconception` that it is, or
    `Incorrect` with both values at the first entry that differs.
    """
    expect_right_each([got], [right], mistakes, [(what, args)], tolerance)


def expect_right_each(got, right, mistakes, probes, tolerance=1e-6, read=lambda answer: answer):
    """The same for one answer a probe; `probes` are pairs of words and arguments."""
    try:
        for one, other, (words, _) in zip(got, right, probes, strict=True):
            expect_same(one, other, tolerance, words)
    except Incorrect as first:
        for mistake in mistakes:
            for function in mistake.functions:
                if _is_it(function, got, probes, tolerance, read):
                    raise Misconception(mistake.name, mistake.message) from None
        raise first from None


def _is_it(function, got, probes, tolerance, read):
    for one, (_, args) in zip(got, probes, strict=True):
        try:
            with np.errstate(all="ignore"):
                wrong = read(function(*map(copied, args)))
            expect_same(one, wrong, tolerance)
        except (
            Exception
        ):  # it differs, or the mistake itself breaks here, which the answer did not
            return False
    return True


def copied(value):
    """A copy of what a function could change in place; models and functions as they are."""
    if type(value) in (list, tuple, set):
        return type(value)(map(copied, value))
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    ours = isinstance(value, (np.ndarray, np.random.Generator))
    return copy.deepcopy(value) if ours or type(value).__module__.startswith("pandas") else value


def _shown(value):
    if isinstance(value, np.ndarray) and value.size <= 12:
        return str((np.round(value, 4) if value.dtype.kind == "f" else value).tolist())
    if type(value) in (list, tuple, dict) and len(repr(value)) <= 60:
        return repr(value)
    return describe(value)
