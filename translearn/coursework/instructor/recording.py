"""Verdicts and marks given by hand, written into nbgrader's books: many at once, and so that
whoever kills the process loses none.

What counts stands in two files, `result.json` (a program's verdict) and `manual.json` (a person's
marks). The books follow them. A third file, `recorded`, is written after the books; it says which
state of the two stands in there, and without it, or with another state, `catch_up` writes again.
"""

import contextlib
import itertools
from datetime import UTC, datetime

from translearn.coursework.instructor import handed, judging, overrides
from translearn.coursework.instructor.folder import Course, read_json
from translearn.coursework.instructor.gradebook import gradebook
from translearn.errors import CourseError

AT_ONCE = 100  # verdicts in one transaction: their files are read while others may write


def record(course: Course, assignment: str, student: str, result: dict) -> None:
    """Write one verdict into the books.

    Doing it twice changes nothing; marks given by hand stay, unless the written answer changed.
    """
    record_all(course, assignment, {student: result})


def record_all(course: Course, assignment: str, results) -> None:
    """Write verdicts into the books, a hundred in each transaction. `results`: {student: result},
    or pairs of these.
    """
    pairs = iter(results.items() if isinstance(results, dict) else results)
    while batch := {
        student: entry_of(course, assignment, student, result)
        for student, result in itertools.islice(pairs, AT_ONCE)
    }:
        with gradebook(course, writing=True) as book:
            enter(book, course, assignment, batch)
            book.db.commit()
        for student, entry in batch.items():
            recorded(course, assignment, student, entry)


def catch_up(course: Course, assignment: str) -> None:
    """Write those verdicts and marks into the books that are not marked as written, or that the
    books have lost.
    """
    with gradebook(course) as book:
        from nbgrader.api import Assignment, SubmittedAssignment
        from sqlalchemy import select

        there = select(SubmittedAssignment.student_id).join(
            Assignment, Assignment.id == SubmittedAssignment.assignment_id
        )
        known = set(book.db.scalars(there.where(Assignment.name == assignment)))

    def waiting():
        for path in sorted((course.root / "autograded").glob(f"*/{assignment}/result.json")):
            student = path.parts[-3]
            if student in known and _is_recorded(path.parent):
                continue
            if (result := read_json(path)) is not None:
                yield student, result

    record_all(course, assignment, waiting())


def _stamp(folder):
    """When the files that the books follow were written last, in nanoseconds."""
    stamps = [0]
    for name in ("result.json", "manual.json", "override.json"):
        with contextlib.suppress(OSError):
            stamps.append((folder / name).stat().st_mtime_ns)
    return max(stamps)


def recorded(course, assignment, student, entry):
    """Mark as written what `entry` was read from. A power cut may take this file away, which only
    means that the same is written once more: so nobody waits for the disk here.
    """
    path = course.graded(student, assignment) / "recorded"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{entry['submission']} {entry['stamp']}", encoding="ascii")


def _is_recorded(folder):
    try:
        said = (folder / "recorded").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return False
    # Of an older version there is only the submission's digest, and the file was enough.
    return len(said) == 1 or (len(said) == 2 and said[1] == str(_stamp(folder)))


def entry_of(course: Course, assignment: str, student: str, result: dict) -> dict:
    """What the books need of a verdict."""
    from translearn.coursework.student.question import questions, written

    module, stamp = judging.load(assignment.lower()), _stamp(course.graded(student, assignment))
    got = {}
    for each in questions(module):
        verdicts = result["questions"].get(each.name)
        known = verdicts is not None and all(v["got"] is not None for v in verdicts)
        got[each.name] = sum(v["got"] for v in verdicts) if known else None
    answers = {
        each.name: handed.text(course, assignment, result, each.name) for each in written(module)
    }
    # What tells whether an override is of this answer; the rest of a result may be megabytes.
    named = [
        {"id": cell["id"], "source": cell["source"]} for cell in result["cells"] if cell["id"]
    ]
    of = {"submission": result["submission"], "cells": named}
    return {**of, "stamp": stamp, "got": got, "answers": answers}


def enter(book, course, assignment, entries):
    """Write `entries`, {student: what `entry_of` gives}, into open books, without a commit."""
    with book.db.no_autoflush:  # new rows go into the books once, with what is put into them
        grades, comments = _rows(book, course, assignment, entries)
    for student, entry in entries.items():
        overridden = overrides.load(course, assignment, student)
        for name, got in entry["got"].items():
            grade, comment = grades[student, name], comments[student, f"{name}_answer"]
            grade.auto_score, comment.auto_comment = got, None
            overrides.enter(grade, comment, overridden.get(name, []), entry, name)
            grade.needs_manual_grade = got is None and grade.manual_score is None
        marked = given(course, assignment, student)
        for name, answer in entry["answers"].items():
            grade, mark = grades[student, name], marked.get(name)
            same = mark is not None and mark["answer"] == answer
            grade.auto_score = None
            grade.manual_score = mark["points"] if same else None
            grade.needs_manual_grade = not same
            comments[student, name].manual_comment = _told(mark) if same else None


def _told(mark):
    levels = [f"{criterion}: {level}" for criterion, level in mark["levels"].items()]
    return "\n".join([*levels, mark["comment"]]).strip()


def _rows(book, course, assignment, students):
    """({(student, question): nbgrader's Grade}, {(student, cell): its Comment}) of these students.
    What is not there yet is made, as nbgrader's `add_submission` makes it, which takes 50 ms each.
    """
    from nbgrader import api
    from sqlalchemy import select, update
    from sqlalchemy.orm import load_only

    db, which = book.db, api.Assignment.name == assignment
    kept = api.Assignment.id == api.Notebook.assignment_id
    asked = select(api.Assignment.id, api.Notebook.id).join(api.Notebook, kept)
    of, notebook = db.execute(asked.where(which, api.Notebook.name == assignment)).one()
    asked = select(api.BaseCell.id, api.BaseCell.name, api.BaseCell.type)
    cells = db.execute(asked.where(api.BaseCell.notebook_id == notebook)).all()

    known = set(db.scalars(select(api.Student.id).where(api.Student.id.in_(students))))
    db.add_all(api.Student(id=student) for student in students if student not in known)
    one, its = api.SubmittedAssignment, api.SubmittedNotebook
    asked = select(one.student_id, one.id, its.id).join(its, its.assignment_id == one.id)
    rows = db.execute(asked.where(one.assignment_id == of, one.student_id.in_(students)))
    ids = {student: (submission, kept) for student, submission, kept in rows}
    for student in students:
        if student not in ids:
            ids[student] = new = api.new_uuid(), api.new_uuid()
            db.add(one(id=new[0], assignment_id=of, student_id=student))
            db.add(its(id=new[1], assignment_id=new[0], notebook_id=notebook))
    db.flush()
    times = {student: timestamp(course, student, assignment) for student in students}
    db.execute(update(one), [{"id": ids[s][0], "timestamp": times[s]} for s in students])

    owner, found = {kept: student for student, (_, kept) in ids.items()}, []
    for kind, types, columns in (
        (api.Grade, ("GradeCell", "TaskCell"), ("auto_score", "manual_score")),
        (api.Comment, ("SolutionCell", "TaskCell"), ("auto_comment", "manual_comment")),
    ):
        # Only these columns: nbgrader's others are sums over other tables.
        columns = [getattr(kind, name) for name in (*columns, "notebook_id", "cell_id")]
        if kind is api.Grade:
            columns.append(kind.needs_manual_grade)
        asked = select(kind).options(load_only(*columns)).where(kind.notebook_id.in_(owner))
        have = {(owner[row.notebook_id], row.cell_id): row for row in db.scalars(asked)}
        for student, (_, kept) in ids.items():
            for cell, _, type_ in cells:
                if type_ in types and (student, cell) not in have:
                    have[student, cell] = kind(cell_id=cell, notebook_id=kept)
                    db.add(have[student, cell])
        names = {cell: name for cell, name, type_ in cells if type_ in types}
        found.append({(s, names[cell]): row for (s, cell), row in have.items()})
    return found


def timestamp(course: Course, student: str, assignment: str) -> datetime | None:
    """When it was handed in, in UTC, as nbgrader keeps it (without a zone); None if not known."""
    path = course.submitted(student, assignment).with_name("timestamp.txt")
    try:
        found = datetime.fromisoformat(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return found.astimezone(UTC).replace(tzinfo=None)


def given(course: Course, assignment: str, student: str) -> dict:
    """What stands in manual.json: {question: its mark, `lines.KEY`: comments on lines}; {} where
    there is none. Raises `CourseError` for a file that cannot be read.
    """
    path = course.graded(student, assignment) / "manual.json"
    marked = read_json(path)
    if marked is None and path.exists():
        raise CourseError(
            f"{path} cannot be read. It holds marks given by hand: put it back from your backup, "
            f"or move it away to mark these answers again."
        )
    return marked or {}
