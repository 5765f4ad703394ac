"""One page for each student: points, reasons, their answers, what a person wrote. Safe to open,
and without a hidden check.

Everything that a student typed or printed is escaped; Markdown answers keep only the tags in
`TAGS`. The page's own policy (CSP) forbids scripts and every address.
"""

import re
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup, escape

from translearn.coursework.instructor import books, judging
from translearn.coursework.instructor.folder import Course, read_json, write

LONGEST = 20_000  # characters of a written answer that is shown as Markdown
TAGS = (
    "p br hr h1 h2 h3 h4 h5 h6 em strong del sub sup a code pre span div blockquote ul ol li "
    "table thead tbody tr th td"
).split()

PAGE = Path(__file__).with_name("pages") / "feedback.html"


def markdown(text: str) -> Markup:
    """A student's Markdown as HTML that nothing can run in: no script, no style, no address that
    is fetched. Other tags show as they were typed.
    """
    if len(text) > LONGEST:  # Markdown made for it takes minutes
        return Markup(f"<pre>{escape(text)}</pre>")
    import bleach
    from nbconvert.filters import markdown2html

    return Markup(bleach.clean(markdown2html(text), tags=TAGS, attributes={}, strip_comments=True))


def inline(text: str) -> Markup:
    """A sentence with `code` in it."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def page(course: Course, assignment: str, student: str) -> str:
    """The feedback page of one student, as HTML."""
    from translearn.coursework.student.question import questions, written

    module = judging.load(assignment.lower())
    row = books.marks(course, assignment, only=[student])[0]
    result = course.result(student, assignment) or {"questions": {}, "cells": [], "notes": []}
    manual = read_json(course.graded(student, assignment) / "manual.json") or {}
    cells = {cell["id"]: cell for cell in result["cells"] if cell["id"]}
    asked = []
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
            }
        )
    by_hand = [
        {
            "title": each.title,
            "points": each.points,
            "got": row[each.name],
            "rubric": each.rubric,
            "levels": manual.get(each.name, {}).get("levels", {})
            if row[each.name] is not None
            else {},
            "comment": markdown(manual.get(each.name, {}).get("comment", ""))
            if row[each.name] is not None
            else "",
            "answer": markdown(cells.get(each.name, {}).get("source", "")),
        }
        for each in written(module)
    ]
    environment = Environment(autoescape=True)
    environment.filters["inline"] = inline
    return environment.from_string(PAGE.read_text(encoding="utf-8")).render(
        unread=not result["cells"],
        assignment=assignment,
        name=row["name"],
        course=course.name,
        points=row["points"],
        of=row["of"],
        reason=row["reason"].rstrip("."),
        late=row["late"],
        notes=result["notes"],
        so_far=sum(q["got"] or 0 for q in [*asked, *by_hand]),
        questions=asked,
        written=by_hand,
    )


def write_pages(course: Course, assignment: str, students=None) -> list:
    """Write `feedback/ID/A1/A1.html` for everyone with a graded submission; returns the paths."""
    from tqdm.auto import tqdm

    done = []
    for student in tqdm(
        students or [s for s in course.submissions(assignment) if course.result(s, assignment)],
        desc=f"Feedback for {assignment}",
        unit="page",
    ):
        path = course.feedback(student, assignment)
        write(path, page(course, assignment, student))
        for name in (
            "timestamp.txt",
            "submission_secret.txt",
        ):  # nbgrader's exchange gives the page back by these
            if (beside := course.submitted(student, assignment).with_name(name)).is_file():
                write(path.with_name(name), beside.read_bytes(), mode=0o600)
        done.append(path)
    return done
