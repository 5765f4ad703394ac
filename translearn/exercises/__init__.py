"""Exercises that answer back: one module a lesson, `from translearn.exercises import lesson05 as exercise`.

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
    learners_code,
    to_beat,
)
from translearn.exercises.engine import Choice, Exercise, Outcome, exercise
from translearn.exercises.models import copy_of, expect_model, preserving

__all__ = [
    "Choice",
    "Exercise",
    "Incorrect",
    "Misconception",
    "NotAttempted",
    "Outcome",
    "better_guesses",
    "close",
    "copy_of",
    "describe",
    "exercise",
    "expect_array",
    "expect_better",
    "expect_callable",
    "expect_close",
    "expect_model",
    "expect_number",
    "learners_code",
    "preserving",
    "to_beat",
]
