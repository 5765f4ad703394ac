"""Exercises that answer back, one module a lesson: `import translearn.exercises.lesson05`.

What a lesson module needs is gathered here.
"""

from translearn.exercises.answers import (
    Incorrect,
    Misconception,
    NotAttempted,
    better_guesses,
    close,
    describe,
    expect_array,
    expect_better,
    expect_callable,
    expect_close,
    expect_number,
    expect_same,
    learners_code,
    to_beat,
)
from translearn.exercises.engine import Choice, Exercise, Outcome, exercise, exercises_of
from translearn.exercises.functions import Function, Mistake, expect_right
from translearn.exercises.models import copy_of, expect_model, preserving

__all__ = [
    "Choice",
    "Exercise",
    "Function",
    "Incorrect",
    "Misconception",
    "Mistake",
    "NotAttempted",
    "Outcome",
    "better_guesses",
    "close",
    "copy_of",
    "describe",
    "exercise",
    "exercises_of",
    "expect_array",
    "expect_better",
    "expect_callable",
    "expect_close",
    "expect_model",
    "expect_number",
    "expect_right",
    "expect_same",
    "learners_code",
    "preserving",
    "to_beat",
]
