"""Submissions whose marks are known beforehand: each assignment's own, from `banks/`, made into
notebooks.

A bank is a file of real Python that nobody imports, because it holds the same functions many times
over:

    # ==== common mistakes, one          what a submission does not name is the model answer
    # ---- huber: 2                      an answer cell and its points (without a number: all)
    def huber(target, guess, delta=1.0): …
    # ---- gradient: 0, not begun        the cell as it was handed out

It stands here and not with the tests because `course.py coursework rehearse` hands these in, too:
an instructor sees on the machine of the class that known submissions get known marks. Students get
nothing of this folder.
"""

import copy
import functools
import json
import re
from pathlib import Path

from translearn import authoring
from translearn.authoring import handout
from translearn.coursework import student
from translearn.coursework.instructor.folder import assignments
from translearn.coursework.instructor.submission import grade_id
from translearn.coursework.student.question import questions

BANKS = Path(__file__).with_name("banks")
SUBMISSION = re.compile(r"^# ==== (.+)$", re.M)
ANSWER = re.compile(r"^# ---- (\w+)(?:: ([\d.]+))?(, not begun)?$", re.M)


@functools.cache
def _books(assignment: str) -> str:
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
    return json.dumps(made)


def books(assignment: str) -> tuple:
    """(released, solved) notebooks of an assignment, as dictionaries with sources in one piece."""
    return tuple(json.loads(_books(assignment)))


def notebook(assignment: str, answers: dict) -> dict:
    """The solved notebook with other answers: {question: source, or None for the empty form}."""
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


def submissions(assignment: str) -> dict:
    """{name: {question: (source or None for the empty form, points or None for all)}}."""
    text = (BANKS / f"{assignment.lower()}.py").read_text(encoding="utf-8")
    _, *parts = SUBMISSION.split(text)
    found = {}
    for name, part in zip(parts[::2], parts[1::2]):
        _, *answers = ANSWER.split(part)
        found[name] = {
            question: (
                None if empty else source.strip("\n") + "\n",
                None if points is None else float(points),
            )
            for question, points, empty, source in zip(*(answers[at::4] for at in range(4)))
        }
    return found


def cases(assignment: str):
    """Yield (name, notebook, {question: points it must get}) of an assignment's bank."""
    module = student.module(assignment)
    for name, answers in submissions(assignment).items():
        expected = {each.name: each.points for each in questions(module)}
        expected |= {
            question: points for question, (_, points) in answers.items() if points is not None
        }
        sources = {question: source for question, (source, _) in answers.items()}
        yield name, notebook(assignment, sources), expected
