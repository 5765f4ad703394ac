"""A student's side of the coursework: questions with their visible checks, and handing in.

This is what a student's machine has. Judges, hidden inputs and model answers are the instructor's.
"""

import importlib


def module(assignment: str):
    """The public module of an assignment: its questions and what its notebook imports ("A1")."""
    return importlib.import_module(f"{__name__}.{assignment.lower()}")
