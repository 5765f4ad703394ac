"""nbgrader's gradebook, opened: `gradebook.db` in the folder of a class.

https://nbgrader.readthedocs.io/en/stable/api/gradebook.html
"""

import contextlib
import os
import shutil
import sys
import warnings

from translearn.coursework.instructor.folder import Course
from translearn.errors import CourseError

# Gradebooks that were closed: nbgrader looks at every table when it makes one, which takes longer
# than what we ask. A closed one holds no file open and opens it again when it is asked something.
_closed = {}


@contextlib.contextmanager
def gradebook(course: Course, writing: bool = False):
    """nbgrader's `Gradebook`, closed at the end of the block. What goes wrong is a `CourseError`.

    writing   from the first line on nobody else writes: what is read in the block stays true
              until `book.db.commit()`, or the block's end, which takes back what was not committed
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's notes to nbgrader's authors
        from nbgrader.api import InvalidEntry
        from sqlalchemy.exc import DatabaseError

        try:
            key, book = _opened(course)
            try:
                if writing:  # else SQLite lets others write between our reading and our writing
                    book.db.connection().exec_driver_sql("BEGIN IMMEDIATE")
                yield book
            finally:
                book.close()
            _closed[key] = book
        except DatabaseError as problem:
            raise CourseError(_sentence(course, str(problem.orig))) from None
        except InvalidEntry:  # two at once made the same entry
            raise CourseError(_sentence(course, "locked")) from None


def _opened(course):
    """(what tells this very file, a gradebook of it that nobody else uses)."""
    from nbgrader.api import Gradebook

    path = course.root / "gradebook.db"
    if not (course.root / "course.toml").is_file():
        raise CourseError(f"The folder of the class, {course.root}, is not there any more.")
    if not path.exists():  # made beside and moved: a new one is whole or not there
        # nbgrader asks its migration tool, by name, for the version of a new gradebook.
        if shutil.which("alembic") is None:
            os.environ["PATH"] = os.pathsep.join(
                [os.path.dirname(sys.executable), os.environ.get("PATH", "")]
            )
        part = course.root / f".gradebook.{os.getpid()}.part"
        Gradebook(f"sqlite:///{part}").close()
        os.replace(part, path)
    key = course.gradebook, path.stat().st_ino, os.getpid()
    return key, _closed.pop(key, None) or Gradebook(course.gradebook)


def _sentence(course, said):
    """What is wrong with gradebook.db, and what helps, from what SQLite says."""
    if "locked" in said:
        return (
            "gradebook.db is in use by another program (another of these commands, nbgrader's "
            "formgrader, a backup), which did not let go of it for some seconds. Wait until it "
            "is done and run the same command again: nothing is lost."
        )
    if "full" in said:
        return (
            f"The disk of {course.root} is full. What was written before is whole; make room, "
            f"and run the same command again."
        )
    if "readonly" in said or "unable to open" in said:
        return (
            f"gradebook.db cannot be opened for writing in {course.root} ({said}). Is the folder "
            f"still there, and yours to write in? Then run the same command again."
        )
    return (
        f"gradebook.db cannot be read ({said}). Put it back from your backup, or move it away and "
        f"run grade: the marks that a program gave come back from autograded/, those given by "
        f"hand from manual.json beside them."
    )


def scores(book, assignment: str, students=None, questions=None) -> dict:
    """{student: {question: points, None where a person has still to decide or nobody could}} of
    those who are in the books, in one question to them.

    students, questions   only these; None: all
    """
    from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import select

    its = SubmittedAssignment.student_id
    asked = (
        select(its, BaseCell.name, Grade.needs_manual_grade, Grade.auto_score, Grade.manual_score)
        .add_columns(Grade.extra_credit)
        .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .where(Assignment.name == assignment)
    )
    if students is not None:
        asked = asked.where(its.in_(list(students)))
    if questions is not None:
        asked = asked.where(BaseCell.name.in_(list(questions)))
    found = {}
    for student, name, waits, auto, manual, extra in book.db.execute(asked):
        points = auto if manual is None else manual
        known = not waits and points is not None
        found.setdefault(student, {})[name] = points + (extra or 0) if known else None
    return found
