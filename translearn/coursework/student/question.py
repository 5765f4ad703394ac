"""A question of an assignment: checked here as an exercise is, and marked later, elsewhere, on
other inputs.

What a student's notebook imports holds no model answer and no hidden check; those stand in
`translearn.coursework`.
"""

import inspect
import os
from dataclasses import dataclass, replace

import numpy as np

from translearn.errors import CourseError
from translearn.exercises.answers import Incorrect
from translearn.exercises.engine import Exercise
from translearn.exercises.render import Card


class Question(Exercise):
    """One autograded question.

    Made by the decorator `question`, which describes the parameters.
    """

    handle = "question"

    def __init__(self, check, *, title, marks, hints, misconceptions=(), praise="", call=None):
        self.name, self.module, self.title, self.praise = (
            check.__name__,
            check.__module__,
            title,
            praise,
        )
        self._check, self._shown, self.reference = check, 0, None
        self.parameters = list(inspect.signature(check).parameters)
        self.call = call or ", ".join(self.parameters)
        self.marks, self.hints = dict(marks), tuple(hints)
        self.misconceptions = tuple(misconceptions)
        if (
            not title.strip()
            or len(self.hints) < 2
            or not all(h.strip() for h in self.hints)
            or not self.marks
        ):
            raise CourseError(
                f"{check.__code__.co_filename}:{check.__code__.co_firstlineno}: question "
                f"{self.name!r}: a title, at least two hints and marks are needed."
            )
        if not all(type(points) is int and points > 0 for points in self.marks.values()):
            raise CourseError(f"question {self.name!r}: marks are whole positive numbers.")

    @property
    def points(self) -> int:
        """What the question is worth."""
        return sum(self.marks.values())

    def check(self, *answers, **named):
        """Check an answer on the visible examples. Passing is not yet a mark: that is decided on
        other inputs.

        Never raises, but for `AssertionError` while nbgrader's Validate button runs the notebook:
        it knows only cells that stop.
        """
        outcome = self.judge(*answers, **named)
        if os.environ.get("NBGRADER_EXECUTION") == "validate":
            if not outcome.passed:
                raise AssertionError(outcome.message or outcome.kind)
            return None
        foot = (
            f"These are the visible examples; after you hand in, other inputs decide. "
            f"{self.points} points: {self.statement()}."
        )
        return replace(
            outcome, foot=f"{outcome.foot} {foot}".strip() if outcome.kind != "passed" else foot
        )

    def statement(self) -> str:
        """What the points are given for, in words."""
        return ", ".join(f"{what} ({points})" for what, points in self.marks.items())

    def _after_the_hints(self):
        return "The rest is yours; ask in class if you are stuck."

    @property
    def cell_source(self):
        raise CourseError(f"{self.title} is coursework: what solves it is not here.")

    def solution(self) -> Card:
        """There is none to see: it is coursework."""
        return Card(
            f"**{self.title}** is coursework: its model answer is for your instructor to show. "
            f"`question.{self.name}.hint()` helps you on."
        )

    def __repr__(self):
        return (
            f"{self.title}: question.{self.name}.check({self.call}) · .hint() · {self.points} "
            f"points: {self.statement()}"
        )


def expect_items(answer, count: int, message: str) -> list:
    """A tuple, a list or an array as a list of `count` things, or `Incorrect(message)`."""
    if isinstance(answer, np.ndarray) and answer.ndim:
        answer = list(answer)
    if not isinstance(answer, (tuple, list)) or len(answer) != count:
        raise Incorrect(message)
    return list(answer)


def question(**options):
    """Turn a check function into a question of the same name.

    The check's parameters are the names that a student hands in. As in a lesson's exercise it
    returns when the answer is right on the visible examples, and raises `Incorrect`,
    `Misconception` or `NotAttempted` otherwise.

    title           what it is called
    marks           {what the points are for: points}: each is judged on its own, on inputs that
                    the student has not seen
    hints           at least two, the later the more telling
    misconceptions  the names that the check may raise
    praise          said after passing
    call            how the answers are handed in, if not by the names of the parameters
    """
    return lambda check: Question(check, **options)


def questions(module) -> list:
    """The questions of an assignment's module, in the order they stand in it."""
    return [value for value in vars(module).values() if isinstance(value, Question)]


@dataclass(frozen=True)
class Written:
    """A question that a person marks:

    {criterion: {level: (points, what it looks like)}}, the levels from the lowest up. `refers`
    names the questions that the rubric asks about: their answers stand open beside it.
    """

    name: str
    title: str
    rubric: dict
    refers: tuple = ()

    @property
    def points(self) -> int:
        return sum(max(points for points, _ in levels.values()) for levels in self.rubric.values())

    def table(self) -> str:
        """The rubric in Markdown: a line for each criterion, its levels from the lowest up."""
        rows = [
            "| Criterion | "
            + " | ".join(f"level {n}" for n in range(1, 1 + max(map(len, self.rubric.values()))))
            + " |",
            "|---" * (1 + max(map(len, self.rubric.values()))) + "|",
        ]
        for criterion, levels in self.rubric.items():
            cells = [f"*{level}* ({points}): {text}" for level, (points, text) in levels.items()]
            rows.append(
                f"| {criterion} | "
                + " | ".join(cells + [""] * (rows[1].count("---") - 1 - len(cells)))
                + " |"
            )
        return "\n".join(rows)


def written(module) -> list:
    """The questions of an assignment's module that a person marks."""
    return [value for value in vars(module).values() if isinstance(value, Written)]


def marks_table(module) -> str:
    """What an assignment's points are for, in Markdown: the plain statement that stands at its
    top.
    """
    rows = ["| Question | Points | For |", "|---|---|---|"]
    rows += [
        f"| {each.title} | {each.points} | {each.statement()} |" for each in questions(module)
    ]
    rows += [
        f"| {each.title} | {each.points} | marked by a person: {', '.join(each.rubric)} |"
        for each in written(module)
    ]
    total = sum(each.points for each in [*questions(module), *written(module)])
    return "\n".join([*rows, f"| all | {total} | |"])
