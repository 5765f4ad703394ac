"""nbgrader's books: who got what.

The writers of `gradebook.db` are this module, `recording` and `by_hand`;
https://nbgrader.readthedocs.io/en/stable/api/gradebook.html
"""

from datetime import UTC

from translearn.coursework.instructor import judging
from translearn.coursework.instructor import late as lateness
from translearn.coursework.instructor.by_hand import mark, unmark
from translearn.coursework.instructor.folder import Course
from translearn.coursework.instructor.gradebook import gradebook
from translearn.coursework.instructor.gradebook import scores as scores_of
from translearn.coursework.instructor.recording import catch_up, record, record_all
from translearn.coursework.instructor.recording import timestamp as _timestamp
from translearn.coursework.instructor.submission import digest

__all__ = [
    "catch_up",
    "gradebook",
    "late",
    "mark",
    "marks",
    "prepare",
    "record",
    "record_all",
    "score",
    "unmark",
]


def prepare(course: Course, assignment: str) -> None:
    """Enter the assignment, its questions with their points, and the class."""
    module = judging.load(assignment.lower())
    from translearn.coursework.student.question import questions, written

    due = course.due.get(assignment)
    with gradebook(course) as book:
        book.update_or_create_assignment(
            assignment, duedate=due.astimezone(UTC).replace(tzinfo=None) if due else None
        )
        book.update_or_create_notebook(assignment, assignment)
        for each in questions(module):
            book.update_or_create_grade_cell(
                each.name, assignment, assignment, max_score=each.points, cell_type="code"
            )
            book.update_or_create_solution_cell(f"{each.name}_answer", assignment, assignment)
        for each in written(module):
            book.update_or_create_grade_cell(
                each.name, assignment, assignment, max_score=each.points, cell_type="markdown"
            )
            book.update_or_create_solution_cell(each.name, assignment, assignment)
        from nbgrader.api import Student
        from sqlalchemy import select

        have = set(book.db.scalars(select(Student.id)))
        book.db.add_all(
            Student(
                id=student.id,
                first_name=student.first_name,
                last_name=student.last_name,
                email=student.email,
            )
            for student in course.students().values()
            if student.id not in have
        )
        book.db.commit()


def score(grade) -> float | None:
    """The points of one of nbgrader's grades; None where a person has still to decide, or nobody
    could.
    """
    if grade.needs_manual_grade or (grade.auto_score is None and grade.manual_score is None):
        return None
    return grade.score


def marks(course: Course, assignment: str, only=None) -> list:
    """A row for each student (or for those in `only`): their points, None where somebody has still
    to decide, with the reason. Never 0 for what is not graded.

    `points` is what counts after a deduction for lateness, `raw` what the books say (late.py).
    """
    from translearn.coursework.student.question import questions, written

    module = judging.load(assignment.lower())
    names = [each.name for each in [*questions(module), *written(module)]]
    total = sum(each.points for each in [*questions(module), *written(module)])
    students, rows = course.students(), []
    with gradebook(course) as book:
        scores = scores_of(book, assignment, only)
    for student in sorted(
        only if only is not None else {*students, *scores, *course.submissions(assignment)}
    ):
        got, result = scores.get(student), course.result(student, assignment)
        row = {
            "student": student,
            "name": students[student].name if student in students else "(not in students.csv)",
            "assignment": assignment,
            "points": None,
            "of": total,
            "state": "graded",
            "reason": "",
            "late": "",
        }
        each = {name: None for name in names}
        if not course.submitted(student, assignment).is_file():
            row |= {"state": "nothing handed in", "reason": "no file was collected"}
        elif result is None or got is None:
            row |= {"state": "ungraded", "reason": "not graded yet"}
        elif result["submission"] != digest(course.submitted(student, assignment)):
            row |= {"state": "ungraded", "reason": "there is a newer file, not graded yet"}
        else:
            each |= {name: got.get(name) for name in names}
            waiting = [name for name in names if each[name] is None]
            if not waiting:
                row["points"] = round(sum(each.values()), 2)
            elif result["state"] == "ungraded" and any(
                q.name in waiting for q in questions(module)
            ):
                row |= {"state": "ungraded", "reason": result["reason"]}
            else:
                titles = {q.name: q.title for q in written(module)}
                row |= {
                    "state": "to be marked",
                    "reason": (
                        f"waiting for a person: "
                        f"{', '.join(titles.get(name, name) for name in waiting)}"
                    ),
                }
        behind = _behind(course, student, assignment)
        row |= {"late": lateness.words(behind)} | lateness.applied(course, row, behind)
        rows.append(row | each)
    return rows


def late(course: Course, student: str, assignment: str) -> str:
    """How late it came, in words; "" if in time, or if nobody can know."""
    return lateness.words(_behind(course, student, assignment))


def _behind(course, student, assignment):
    """Seconds that it came late; 0 if in time, or if nobody can know."""
    stamp = _timestamp(course, student, assignment)
    came = stamp.replace(tzinfo=UTC) if stamp else None
    return lateness.seconds(course, student, assignment, came)
