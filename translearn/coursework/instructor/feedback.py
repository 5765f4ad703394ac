"""One page for each student: points, reasons, their answers, what a person wrote. Safe to open,
and without a hidden check.

Everything that a student typed or printed goes through `shown`. The page's own policy (CSP)
forbids scripts and every address.
"""

import contextlib

from tqdm.auto import tqdm

from translearn.coursework.instructor import (
    books,
    groups,
    handed,
    judging,
    late,
    lines,
    named,
    overrides,
    regrade,
    shown,
)
from translearn.coursework.instructor.folder import Course, read_json, write


def page(course: Course, assignment: str, student: str) -> str:
    """The feedback page of one student, as HTML."""
    from translearn.coursework.student.question import questions, written

    module = judging.load(assignment.lower())
    row = books.marks(course, assignment, only=[student])[0]
    result = course.result(student, assignment) or {"questions": {}, "cells": [], "notes": []}
    manual = read_json(course.graded(student, assignment) / "manual.json") or {}
    cells = {cell["id"]: cell for cell in result["cells"] if cell["id"]}
    look = handed.notebook(course, assignment, student, result) if result["cells"] else None
    on_lines, outdated = lines.attached(manual.get(lines.KEY, []), lines.cells(result))
    of_cell = {cell["id"]: at for at, cell in enumerate(result["cells"]) if cell["id"]}
    given = overrides.of(course, assignment, student, result)
    asked, by_hand = [], []
    for each in questions(module):
        verdicts, cell = result["questions"].get(each.name, []), cells.get(f"{each.name}_answer")
        asked.append(
            {
                "title": each.title,
                "points": each.points,
                "got": row[each.name],
                "verdicts": verdicts,
                "source": cell and cell["source"],
                "outputs": cell["outputs"] if cell else [],
                "error": cell and cell["error"],
                "lines": on_lines.pop(of_cell.get(f"{each.name}_answer"), []),
                "named": _named(each, result, row[each.name]),
                "override": given.get(each.name),
                "judged": (judged := overrides.judged(result, each.name)),
                "by_hand": each.name not in given and judged != row[each.name],
                "again": _again(course, assignment, student, result, each.name),
            }
        )
    for each in written(module) if look else ():
        answer, in_place = look.answer(each.name)
        marked = manual.get(each.name, {}) if row[each.name] is not None else {}
        by_hand.append(
            {
                "title": each.title,
                "points": each.points,
                "got": row[each.name],
                "rubric": each.rubric,
                "levels": marked.get("levels", {}),
                "comment": shown.markdown(marked.get("comment", ""), below=2),
                "answer": answer,
                "in_place": in_place,
            }
        )
    return shown.template("feedback.html").render(
        unread=not result["cells"],
        assignment=assignment,
        name=row["name"],
        course=course.name,
        points=row["points"],
        of=row["of"],
        reason=row["reason"].rstrip("."),
        late=row["late"],
        more_time=late.more_time(course, student, assignment),
        exempt=row["state"] == "exempt",
        deduction=row["deduction"],
        notes=result["notes"],
        so_far=sum(q["got"] or 0 for q in [*asked, *by_hand]),
        group=_group(course, assignment, student),
        elsewhere=[(result["cells"][at]["source"], on_lines[at]) for at in sorted(on_lines)],
        outdated=outdated,
        questions=asked,
        written=by_hand,
    )


def _named(question, result, got):
    """The misconception that a question's visible check names, and what it means; None where
    nothing was lost.
    """
    name = result.get("visible", {}).get(question.name)
    if not name or got == question.points:
        return None
    return {"name": name, "meaning": named.meaning(question, name)}


def _again(course, assignment, student, result, question):
    """The points before the question was judged again, and when; None if they are the same."""
    for entry in reversed(regrade.history(course, assignment, student)):
        if (entry["question"], entry["submission"]) == (question, result["submission"]):
            before, after = ([v["got"] for v in entry[key]] for key in ("before", "after"))
            if None in before or after != [v["got"] for v in result["questions"][question]]:
                return None
            return {"points": sum(before), "when": entry["when"][:10]} if before != after else None
    return None


def _group(course, assignment, student):
    """Of a group's submission: who handed in, and for whom; None for one student's own."""
    lead, who = groups.follows(course, assignment, student) or student, course.students()
    if not groups.followers(course, assignment, lead):
        return None
    members = sorted(groups.members(course, assignment, student))
    return {
        "by": who[lead].name if lead in who else lead,
        "own": lead == student,
        "members": [who[each].name if each in who else each for each in members],
    }


def write_pages(course: Course, assignment: str, students=None) -> tuple:
    """Write `feedback/ID/A1/A1.html` for everyone with a graded submission. Returns (paths,
    {student: why there is no page}): one that cannot be made costs nobody else theirs.
    """
    done, failed = [], {}
    for student in tqdm(
        students or [s for s in course.submissions(assignment) if course.result(s, assignment)],
        desc=f"Feedback for {assignment}",
        unit="page",
    ):
        path = course.feedback(student, assignment)
        try:
            write(path, page(course, assignment, student))
            for name in (
                "timestamp.txt",
                "submission_secret.txt",
            ):  # nbgrader's exchange gives the page back by these
                if (beside := course.submitted(student, assignment).with_name(name)).is_file():
                    write(path.with_name(name), beside.read_bytes(), mode=0o600)
        except Exception as problem:  # whatever a stranger's notebook sets off
            failed[student] = shown.reason(problem)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)  # an older page may speak of another file
        else:
            done.append(path)
    return done, failed
