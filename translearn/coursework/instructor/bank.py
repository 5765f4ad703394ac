"""Submissions whose marks are known beforehand: each assignment's own (`judges/aN.py`), made into notebooks."""

import copy
import importlib

from translearn import authoring
from translearn.authoring import handout
from translearn.coursework.instructor.folder import assignments
from translearn.coursework.instructor.submission import grade_id


def books(assignment: str) -> tuple:
    """(released, solved) notebooks of an assignment, as dictionaries with sources in one piece, fresh from its source."""
    lesson = authoring.read(assignments()[assignment])
    made = []
    for solved in (False, True):
        cells = handout.cells(lesson, solved)
        made.append(
            {
                "cells": [cell | {"source": "".join(cell["source"])} for cell in cells],
                "metadata": {},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    return tuple(made)


def notebook(assignment: str, answers: dict) -> dict:
    """The solved notebook with other answers in it: {question: source, or None for the empty form}."""
    released, solved = books(assignment)
    empty = {grade_id(cell): cell["source"] for cell in released["cells"]}
    book = copy.deepcopy(solved)
    for cell in book["cells"]:
        name = (grade_id(cell) or "").removesuffix("_answer")
        if (
            name in answers
            and grade_id(cell) in (f"{name}_answer", name)
            and not cell["metadata"]["nbgrader"]["locked"]
        ):
            cell["source"] = empty[grade_id(cell)] if answers[name] is None else answers[name]
    return book


def cases(assignment: str):
    """Yield (name, notebook, {question: points it must get}) of an assignment's bank."""
    from translearn.coursework.student.question import questions

    judges = importlib.import_module(
        f"translearn.coursework.instructor.judges.{assignment.lower()}"
    )
    module = importlib.import_module(f"translearn.coursework.student.{assignment.lower()}")
    for name, answers in judges.SUBMISSIONS.items():
        expected = {each.name: each.points for each in questions(module)}
        expected |= {
            question: points for question, (_, points) in answers.items() if points is not None
        }
        yield (
            name,
            notebook(assignment, {question: source for question, (source, _) in answers.items()}),
            expected,
        )
