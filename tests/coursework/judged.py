"""A submission with a verdict, written without a sandbox: what the tests of regrading, statistics
and groups begin with.
"""

import hashlib
import json

from translearn.coursework.instructor import bank, folder, grading, judging
from translearn.coursework.instructor.submission import parse, prepare
from translearn.coursework.student.question import questions


def result(course, book, assignment="A1", lost=(), visible=None):
    """The verdict on `book`: full points but for `lost`, {(question, part): (points, message)};
    points of None are no verdict.
    """
    lost, data = dict(lost), json.dumps(book).encode()
    released = parse(course.released(assignment).read_bytes())
    prepared, module = prepare(released, parse(data)), judging.load(assignment.lower())
    names = {at: name for name, at in prepared.at.items()}
    verdicts = {
        each.name: [
            {
                "what": what,
                "points": points,
                "got": lost.get((each.name, what), (points, ""))[0],
                "message": lost.get((each.name, what), (points, ""))[1],
            }
            for what, points in each.marks.items()
        ]
        for each in questions(module)
    }
    cells = [
        {
            "type": cell["cell_type"],
            "source": cell["source"],
            "outputs": [],
            "error": None,
            "id": names.get(at),
        }
        for at, cell in enumerate(prepared.cells)
    ]
    return {
        "version": grading.VERSION,
        "assignment": assignment,
        "submission": hashlib.sha256(data).hexdigest(),
        "notes": [],
        "questions": verdicts,
        "visible": visible or {},
        "cells": cells,
    } | grading.standing(verdicts)


def judged(course, student, answers=None, lost=(), visible=None, assignment="A1"):
    """Hand in the model answers, with others in `answers`, and give them their verdict."""
    book = bank.notebook(assignment, answers or {})
    folder.write(course.submitted(student, assignment), json.dumps(book).encode())
    found = result(course, book, assignment, lost, visible)
    grading.write_verdict(course, assignment, student, found)
    return found
