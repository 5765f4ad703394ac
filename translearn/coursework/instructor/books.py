"""nbgrader's books: who got what.

The one writer of `gradebook.db`; https://nbgrader.readthedocs.io/en/stable/api/gradebook.html
"""

import contextlib
import json
import os
import shutil
import sys
import warnings
from datetime import UTC, datetime

from translearn.coursework.instructor import groups, handed, judging, overrides
from translearn.coursework.instructor import late as lateness
from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.submission import digest
from translearn.errors import CourseError


@contextlib.contextmanager
def gradebook(course: Course):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's notes to nbgrader's authors
        from nbgrader.api import Gradebook, InvalidEntry
        from sqlalchemy.exc import DatabaseError

        # nbgrader asks its migration tool, by name, for the version of a new gradebook.
        os.environ["PATH"] = (
            os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
            if shutil.which("alembic") is None
            else os.environ["PATH"]
        )
        path = course.root / "gradebook.db"
        if not (course.root / "course.toml").is_file():
            raise CourseError(f"The folder of the class, {course.root}, is not there any more.")
        try:
            if not path.exists():  # made beside and moved: a new one is whole or not there
                part = course.root / f".gradebook.{os.getpid()}.part"
                Gradebook(f"sqlite:///{part}").close()
                os.replace(part, path)
            with Gradebook(course.gradebook) as book:
                yield book
        except DatabaseError as problem:
            raise CourseError(_sentence(course, str(problem.orig))) from None
        except InvalidEntry:  # two at once made the same entry
            raise CourseError(_sentence(course, "locked")) from None


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
        have = {student.id for student in book.students}
        for student in course.students().values():
            if student.id not in have:
                book.add_student(
                    student.id,
                    first_name=student.first_name,
                    last_name=student.last_name,
                    email=student.email,
                )


def record(course: Course, assignment: str, student: str, result: dict) -> None:
    """Write one verdict into the books.

    Doing it twice changes nothing; marks given by hand stay, unless the written answer changed.
    """
    from translearn.coursework.student.question import questions, written

    module = judging.load(assignment.lower())
    with gradebook(course) as book:
        if student not in {each.id for each in book.students}:
            book.add_student(student)
        stamp = _timestamp(course, student, assignment)
        book.update_or_create_submission(assignment, student, timestamp=stamp)
        given = overrides.load(course, assignment, student)
        for each in questions(module):
            verdicts = result["questions"].get(each.name)
            grade = book.find_grade(each.name, assignment, assignment, student)
            known = verdicts is not None and all(v["got"] is not None for v in verdicts)
            grade.auto_score = sum(v["got"] for v in verdicts) if known else None
            comment = book.find_comment(f"{each.name}_answer", assignment, assignment, student)
            comment.auto_comment = None
            overrides.enter(grade, comment, given.get(each.name, []), result, each.name)
            grade.needs_manual_grade = not known and grade.manual_score is None
        for each in written(module):
            grade = book.find_grade(each.name, assignment, assignment, student)
            marked = read_json(course.graded(student, assignment) / "manual.json") or {}
            mark = marked.get(each.name)
            answer = handed.text(course, assignment, result, each.name)
            same = mark is not None and mark["answer"] == answer
            grade.auto_score = None
            grade.manual_score = mark["points"] if same else None
            grade.needs_manual_grade = not same
        book.db.commit()
    write(course.graded(student, assignment) / "recorded", result["submission"])


def catch_up(course: Course, assignment: str) -> None:
    """Write those verdicts into the books that are not marked as written."""
    for folder in sorted((course.root / "autograded").glob(f"*/{assignment}")):
        result = read_json(folder / "result.json")
        if result is not None and not (folder / "recorded").exists():
            record(course, assignment, folder.parent.name, result)


def mark(
    course: Course, assignment: str, student: str, question: str, levels: dict, comment: str
) -> float:
    """Give a person's mark by the levels of the rubric; returns the points.

    Kept in manual.json, too, so that a regrade keeps it.
    """
    from translearn.coursework.student.question import written

    module = judging.load(assignment.lower())
    asked = next((each for each in written(module) if each.name == question), None)
    if asked is None:
        raise CourseError(f"{assignment} has no question {question!r} that a person marks.")
    if set(levels) != set(asked.rubric) or any(
        level not in asked.rubric[criterion] for criterion, level in levels.items()
    ):
        raise CourseError("Choose one level for each criterion of the rubric.")
    result = course.result(student, assignment)
    if result is None:
        raise CourseError(f"{student} has no graded submission for {assignment}.")
    points = sum(asked.rubric[criterion][level][0] for criterion, level in levels.items())
    answer = handed.text(course, assignment, result, question)
    path = course.graded(student, assignment) / "manual.json"
    marked = read_json(path) or {}
    marked[question] = {
        "levels": levels,
        "points": points,
        "comment": comment[:5000],
        "answer": answer,
        "when": datetime.now().isoformat(timespec="seconds"),
    }
    write(path, json.dumps(marked, ensure_ascii=False, indent=1))
    with gradebook(course) as book:
        grade = book.find_grade(question, assignment, assignment, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        told = book.find_comment(question, assignment, assignment, student)
        told.manual_comment = "\n".join(
            [*(f"{criterion}: {level}" for criterion, level in levels.items()), comment]
        ).strip()
        book.db.commit()
    for mate in groups.followers(course, assignment, student):
        mark(course, assignment, mate, question, levels, comment)
    return points


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
    scores = {}
    with gradebook(course) as book:
        from nbgrader.api import MissingEntry

        try:
            submissions = (
                book.assignment_submissions(assignment)
                if only is None
                else [book.find_submission(assignment, student) for student in only]
            )
        except MissingEntry:
            submissions = []
        for submission in submissions:
            for notebook in submission.notebooks:
                scores[submission.student_id] = {g.name: score(g) for g in notebook.grades}
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


def _timestamp(course, student, assignment):
    path = course.submitted(student, assignment).with_name("timestamp.txt")
    try:
        found = datetime.fromisoformat(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return found.astimezone(UTC).replace(tzinfo=None)


def late(course: Course, student: str, assignment: str) -> str:
    """How late it came, in words; "" if in time, or if nobody can know."""
    return lateness.words(_behind(course, student, assignment))


def _behind(course, student, assignment):
    """Seconds that it came late; 0 if in time, or if nobody can know."""
    stamp = _timestamp(course, student, assignment)
    came = stamp.replace(tzinfo=UTC) if stamp else None
    return lateness.seconds(course, student, assignment, came)
