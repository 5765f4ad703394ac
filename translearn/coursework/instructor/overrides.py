"""The override of a mark that a program gave, with the reason that the student reads.

Kept in autograded/ID/A1/override.json, {question: [entry, …]}, so that neither grading again nor
new books lose it; the last entry counts unless it was undone, and those before it are the history.
An override is of one answer: once another one is handed in, it counts no more and is named.
"""

import json
import math
from datetime import datetime

from translearn.coursework.instructor import judging
from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.submission import digest
from translearn.errors import CourseError

LONGEST = 2000  # characters of a reason


def load(course: Course, assignment: str, student: str) -> dict:
    """{question: its overrides, the oldest first}. Raises `CourseError` for a broken file."""
    path = course.graded(student, assignment) / "override.json"
    found = read_json(path)
    if found is None and path.is_file():
        raise CourseError(
            f"{path.relative_to(course.root)} cannot be read: mend it, or take it back from your "
            f"backup; the marks that you gave yourself stand in it."
        )
    return found or {}


def counts(entry: dict, result: dict, question: str) -> bool:
    """Whether an override is of the answer that `result` is about: of the same file, or the same
    text in the answer's own cell.
    """
    if "undone" in entry:
        return False
    own = answer(result, question)
    return entry["submission"] == result["submission"] or bool(own) and entry["answer"] == own


def of(course: Course, assignment: str, student: str, result: dict) -> dict:
    """{question: entry} of the overrides that count."""
    return {
        question: entries[-1]
        for question, entries in load(course, assignment, student).items()
        if counts(entries[-1], result, question)
    }


def lapsed(course: Course, assignment: str, student: str, result: dict) -> dict:
    """{question: entry} of those that count no more, because another answer was handed in."""
    return {
        question: entries[-1]
        for question, entries in load(course, assignment, student).items()
        if "undone" not in entries[-1] and not counts(entries[-1], result, question)
    }


def enter(grade, comment, entries: list, result: dict, question: str) -> None:
    """Into the books: nbgrader's `manual_score` and comment of one question. What somebody gave
    in nbgrader's formgrader stays where there is no override.
    """
    if entries and counts(entries[-1], result, question):
        grade.manual_score, comment.manual_comment = entries[-1]["points"], entries[-1]["reason"]
    elif any(grade.manual_score == entry["points"] for entry in entries):
        grade.manual_score = comment.manual_comment = None


def give(
    course: Course, assignment: str, student: str, question: str, points: float, reason: str
) -> dict:
    """Override a mark; returns the entry. Raises `CourseError` for points outside the question's,
    a question that no program judges, no reason, or no graded submission.
    """
    most = asked(assignment, question).points
    result = _result(course, assignment, student)
    reason = reason.strip()
    if not reason:
        raise CourseError('Say why, for the student to read: --reason "…"')
    if len(reason) > LONGEST:
        raise CourseError(f"The reason is longer than {LONGEST:,} characters: make it shorter.")
    if not (math.isfinite(points) and 0 <= points <= most):
        raise CourseError(f"{question} is worth 0 to {most} points, so it cannot get {points:g}.")
    entry = {
        "points": points,
        "reason": reason,
        "when": _now(),
        "from": judged(result, question),
        "submission": result["submission"],
        "answer": answer(result, question),
    }
    entries = load(course, assignment, student)
    _save(
        course,
        assignment,
        student,
        result,
        entries | {question: [*entries.get(question, []), entry]},
    )
    return entry


def undo(course: Course, assignment: str, student: str, question: str) -> float | None:
    """Take an override back; returns the points that the program gave, None for none. It stays in
    the file, marked as undone. Raises `CourseError` where there is none.
    """
    asked(assignment, question)
    result, entries = _result(course, assignment, student), load(course, assignment, student)
    those = entries.get(question, [])
    if not those or "undone" in those[-1]:
        raise CourseError(f"{student}'s mark for {question} in {assignment} is not overridden.")
    changed = [*those[:-1], those[-1] | {"undone": _now()}]
    _save(course, assignment, student, result, entries | {question: changed})
    return judged(result, question)


def judged(result: dict, question: str) -> float | None:
    """The points that the program gave; None where it could not."""
    got = [verdict["got"] for verdict in result["questions"].get(question, [])]
    return round(sum(got), 2) if got and None not in got else None


def answer(result: dict, question: str) -> str:
    """The code in a question's own cell, "" if it is not there."""
    return next(
        (cell["source"].strip() for cell in result["cells"] if cell["id"] == f"{question}_answer"),
        "",
    )


def asked(assignment, question):
    """The question of that name. Raises `CourseError` if a program does not judge it."""
    module = judging.load(assignment.lower())
    from translearn.coursework.student.question import written

    those = {each.name: each for each in judging.questions(module)}
    if question in {each.name for each in written(module)}:
        raise CourseError(
            f"{question} is marked by a person already: course.py coursework manual {assignment}"
        )
    if question not in those:
        raise CourseError(
            f"{assignment} has no question {question!r}. Its questions are: {', '.join(those)}."
        )
    return those[question]


def _result(course, assignment, student):
    result, path = course.result(student, assignment), course.submitted(student, assignment)
    if result is None or not path.is_file():
        raise CourseError(f"{student} has no graded submission for {assignment}.")
    if result["submission"] != digest(path):
        raise CourseError(
            f"{student} handed in a newer file, not graded yet. First: course.py coursework "
            f"grade {assignment} --student {student}"
        )
    return result


def _save(course, assignment, student, result, entries):
    from translearn.coursework.instructor import books

    folder = course.graded(student, assignment)
    (folder / "recorded").unlink(missing_ok=True)  # a run killed here is caught up with later
    write(folder / "override.json", json.dumps(entries, ensure_ascii=False, indent=1))
    books.prepare(course, assignment)
    books.record(course, assignment, student, result)


def _now():
    return datetime.now().isoformat(timespec="seconds")
