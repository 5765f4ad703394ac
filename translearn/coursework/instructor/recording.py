"""Verdicts and marks given by hand, written into nbgrader's books: many at once, and so that
whoever kills the process loses none.

What counts stands in two files, `result.json` (a program's verdict) and `manual.json` (a person's
marks). The books follow them. A third file, `recorded`, is written after the books; it says which
state of the two stands in there, and without it, or with another state, `catch_up` writes again.
"""

import contextlib
import hashlib
import itertools
import json
from datetime import UTC, datetime

from translearn.coursework.instructor import groups, handed, judging, overrides
from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.gradebook import gradebook
from translearn.errors import CourseError

AT_ONCE = 100  # verdicts in one transaction: their files are read while others may write
LONGEST = 5000  # characters of a comment


class Changed(CourseError):
    """An answer, or its mark, is not what the marker had seen."""


# ---- verdicts


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
        student: _entry(course, assignment, student, result)
        for student, result in itertools.islice(pairs, AT_ONCE)
    }:
        with gradebook(course, writing=True) as book:
            _write(book, course, assignment, batch)
            book.db.commit()
        for student, entry in batch.items():
            _recorded(course, assignment, student, entry)


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


def _recorded(course, assignment, student, entry):
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


def _entry(course, assignment, student, result):
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


def _write(book, course, assignment, entries):
    """Write `entries`, {student: what `_entry` gives}, into open books, without a commit."""
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


# ---- marks given by hand


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
        _write(book, course, assignment, entries)
        book.db.commit()
    for each in entries:
        _recorded(course, assignment, each, entries[each])


def _graded(course, assignment, student):
    result = course.result(student, assignment)
    if result is None:
        raise CourseError(f"{student} has no graded submission for {assignment}.")
    return _entry(course, assignment, student, result)


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
