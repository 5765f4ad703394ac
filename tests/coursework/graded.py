"""A submission that has its marks, without a sandbox: what collecting and grading leave."""

import json

from translearn.coursework.instructor import bank, books, folder
from translearn.coursework.instructor.submission import digest
from translearn.coursework.student.question import questions, written


def settings(course, toml, extensions=None):
    """The class with these lines in course.toml, and these in extensions.csv."""
    (course.root / "course.toml").write_text(f'name = "Spring"\n{toml}', encoding="utf-8")
    if extensions is not None:
        data = extensions if isinstance(extensions, bytes) else extensions.encode()
        (course.root / "extensions.csv").write_bytes(data)
    return folder.Course(course.root)


def graded(course, student, points, when="2027-03-01T12:00:00", marked=True):
    """A1 of one student, handed in at `when`, with so many of its points; `marked` False: a person
    has still to mark the written answer.
    """
    path, module = course.submitted(student, "A1"), books.judging.load("a1")
    folder.write(path, json.dumps(bank.books("A1")[1]).encode())
    folder.write(path.with_name("timestamp.txt"), f"{when}\n")
    left, verdicts = points, {}
    for each in questions(module):
        got = min(left, each.points)
        left -= got
        verdicts[each.name] = [
            {"what": "All of it", "points": each.points, "got": got, "message": "Said."}
        ]
    result = {"submission": digest(path), "state": "graded", "reason": "", "questions": verdicts}
    cell = {"id": None, "type": "code", "source": "x = 1", "outputs": [], "error": None}
    result |= {"cells": [cell], "notes": []}
    folder.write(course.graded(student, "A1") / "result.json", json.dumps(result))
    books.record(course, "A1", student, result)
    if marked:
        with books.gradebook(course) as book:
            for each in written(module):
                grade = book.find_grade(each.name, "A1", "A1", student)
                grade.manual_score, grade.needs_manual_grade = min(left, each.points), False
            book.db.commit()


def marks(course, assignment="A1"):
    return {row["student"]: row for row in books.marks(course, assignment)}
