"""Marks given by hand: kept in `manual.json` beside the verdict, so that a regrade keeps them, and
written into nbgrader's books with it.
"""

import contextlib
import hashlib
import json
from datetime import datetime

from translearn.coursework.instructor import groups, handed, judging
from translearn.coursework.instructor.folder import Course, write
from translearn.coursework.instructor.gradebook import gradebook
from translearn.coursework.instructor.recording import enter, entry_of, given, recorded
from translearn.errors import CourseError

LONGEST = 5000  # characters of a comment


class Changed(CourseError):
    """An answer, or its mark, is not what the marker had seen."""


def mark(
    course: Course,
    assignment: str,
    student: str,
    question: str,
    levels: dict,
    comment: str,
    seen: str | None = None,
    seconds: float | None = None,
) -> float:
    """Give a person's mark by the levels of the rubric; returns the points.

    Kept in manual.json, too, so that a regrade keeps it.

    seen      what `seen` gave when the answer was looked at: `Changed` is raised, and nothing
              written, if the answer or its mark is another one now
    seconds   how long the marker looked at it
    """
    asked = _written(assignment, question)
    if set(levels) != set(asked.rubric) or any(
        level not in asked.rubric[criterion] for criterion, level in levels.items()
    ):
        raise CourseError("Choose one level for each criterion of the rubric.")
    points = sum(asked.rubric[criterion][level][0] for criterion, level in levels.items())
    with by_hand(course, assignment, student) as (marked, entry):
        _same(marked, entry, question, seen)
        marked[question] = {
            "levels": levels,
            "points": points,
            "comment": comment[:LONGEST],
            "answer": entry["answers"][question],
            "when": datetime.now().isoformat(timespec="seconds"),
        } | ({} if seconds is None else {"seconds": round(seconds, 1)})
    return points


def unmark(course: Course, assignment: str, student: str, question: str, seen: str, before):
    """Put the mark back to what it was: `before`, as it stood in manual.json, or None.

    Raises `Changed` if it is not what `seen` says any more.
    """
    _written(assignment, question)
    with by_hand(course, assignment, student) as (marked, entry):
        _same(marked, entry, question, seen)
        marked.pop(question, None)
        if before is not None:
            marked[question] = before


def seen(course: Course, assignment: str, student: str, result: dict, question: str) -> str:
    """What tells an answer and its mark, as they are now, from any other."""
    marked = given(course, assignment, student)
    return _seen(marked, handed.text(course, assignment, result, question), question)


def _seen(marked, answer, question):
    said = json.dumps([answer, marked.get(question)], sort_keys=True)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _same(marked, entry, question, seen):
    if seen is not None and _seen(marked, entry["answers"][question], question) != seen:
        raise Changed(
            "While you looked at this answer, somebody else marked it, or it was graded again and "
            "is another one now. Nothing was saved."
        )


def _written(assignment, question):
    from translearn.coursework.student.question import written

    for each in written(judging.load(assignment.lower())):
        if each.name == question:
            return each
    raise CourseError(f"{assignment} has no question {question!r} that a person marks.")


@contextlib.contextmanager
def by_hand(course: Course, assignment: str, student: str):
    """What stands in manual.json, to change in the block, and what the books need of the verdict.
    At its end the file is written, then the books; so are those of the members of a group for whom
    this student handed in. Nobody else writes meanwhile.
    """
    with gradebook(course, writing=True) as book:
        entry, marked = _graded(course, assignment, student), given(course, assignment, student)
        yield marked, entry
        text, entries = json.dumps(marked, ensure_ascii=False, indent=1), {student: entry}
        for mate in groups.followers(course, assignment, student):
            entries[mate] = _graded(course, assignment, mate)
        # The student's own last: while it is not there, the answer waits for its mark.
        for each in reversed(entries):
            path = course.graded(each, assignment) / "manual.json"
            write(path, text)
            entries[each]["stamp"] = max(entries[each]["stamp"], path.stat().st_mtime_ns)
        enter(book, course, assignment, entries)
        book.db.commit()
    for each in entries:
        recorded(course, assignment, each, entries[each])


def _graded(course, assignment, student):
    result = course.result(student, assignment)
    if result is None:
        raise CourseError(f"{student} has no graded submission for {assignment}.")
    return entry_of(course, assignment, student, result)
