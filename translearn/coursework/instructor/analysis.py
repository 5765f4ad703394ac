"""Statistics for each question of an assignment, for the instructor: how many got it right, how it
goes with the rest, what went wrong most.

Discrimination is the correlation of a question's points with the points on all the other ones (the
corrected item-total correlation: Henrysson, 1963, https://doi.org/10.1007/BF02289618), its 95 %
interval is Fisher's. Points are those of the books, before anything is taken off for lateness.
"""

import json

import numpy as np

from translearn.authoring.handout import WRITE_HERE
from translearn.coursework.instructor import (
    books,
    groups,
    handed,
    judging,
    named,
    overrides,
    shown,
)
from translearn.coursework.instructor.folder import Course, read_json
from translearn.coursework.instructor.submission import parse
from translearn.errors import CourseError

SMALL = 30  # fewer submissions than these say little about a question
LOW = 0.2  # a discrimination below it asks for a look (Ebel and Frisbie, 1991)
MOST = 5  # reasons of a question that are shown
LINES, LETTERS = 60, 3000  # of an example
BINS = 10


def statistics(course: Course, assignment: str) -> dict:
    """What the page shows, as plain data. A group's submission counts once.

    Raises `CourseError` when nothing is graded.
    """
    from translearn.coursework.student.question import questions, written

    module = judging.load(assignment.lower())
    rows, results, shared = {}, {}, 0
    for row in books.marks(course, assignment):
        student = row["student"]
        if groups.follows(course, assignment, student):
            shared += 1
        elif result := course.result(student, assignment):
            rows[student], results[student] = row, result
    asked = [*questions(module), *written(module)]
    given = {s: {q.name: row[q.name] for q in asked} for s, row in rows.items()}
    if not any(points is not None for row in given.values() for points in row.values()):
        raise CourseError(
            f"No submission for {assignment} has a mark yet. First: course.py coursework grade"
        )
    whole = [s for s, row in given.items() if None not in row.values()]
    # Before the written answers are marked the judged questions are still worth a look together.
    basis = asked if whole else questions(module)
    ready = [s for s, row in given.items() if None not in [row[q.name] for q in basis]]
    table = np.array([[given[s][q.name] for q in basis] for s in ready], float)
    table = table.reshape(len(ready), len(basis))
    blank = _blank(course, assignment)
    found = []
    for each in asked:
        column = basis.index(each) if each in basis else None
        answered = {
            student: result
            for student, result in results.items()
            if not _unanswered(course, assignment, each.name, result, blank)
        }
        found.append(
            _marks(each, given)
            | discrimination(table, column)
            | {
                "unanswered": len(results) - len(answered),
                "named": _named(each, answered, course),
                "reasons": _reasons(each, answered, course),
            }
        )
    totals, of = table.sum(1), sum(each.points for each in basis)
    return {
        "assignment": assignment,
        "course": course.name,
        "submissions": len(rows),
        "shared": shared,
        "complete": len(ready),
        "judged only": not whole,
        "small": len(ready) < SMALL,
        "of": of,
        "mean": _rounded(totals.mean()) if len(ready) else None,
        "median": _rounded(np.median(totals)) if len(ready) else None,
        "sd": _rounded(totals.std(ddof=1)) if len(ready) > 1 else None,
        "totals": distribution(totals, of),
        "questions": found,
    }


def _rounded(number):
    return round(float(number), 2)


def _marks(question, given):
    got = np.array(
        [row[question.name] for row in given.values() if row[question.name] is not None]
    )
    return {
        "name": question.name,
        "title": question.title,
        "points": question.points,
        "by hand": hasattr(question, "rubric"),
        "students": len(got),
        "right": _rounded((got >= question.points).mean()) if len(got) else None,
        "nothing": _rounded((got == 0).mean()) if len(got) else None,
        "mean": _rounded(got.mean()) if len(got) else None,
        "sd": _rounded(got.std(ddof=1)) if len(got) > 1 else None,
    }


def discrimination(table: np.ndarray, column: int | None) -> dict:
    """{"r", "low", "high"}: how the points in a column (students × questions) go with the sum of
    all other columns, and the 95 % interval. None where they are all the same, or too few.
    """
    nothing = {"r": None, "low": None, "high": None}
    if column is None or len(table) < 3 or table.shape[1] < 2:
        return nothing
    own, rest = table[:, column], np.delete(table, column, axis=1).sum(1)
    if np.ptp(own) < 1e-9 or np.ptp(rest) < 1e-9:
        return nothing
    r = float(np.corrcoef(own, rest)[0, 1])
    if len(table) < 4:
        return nothing | {"r": _rounded(r)}
    z, width = np.arctanh(np.clip(r, -1 + 1e-9, 1 - 1e-9)), 1.96 / np.sqrt(len(table) - 3)
    low, high = np.tanh([z - width, z + width])
    return {"r": _rounded(r), "low": _rounded(low), "high": _rounded(high)}


def distribution(totals: np.ndarray, of: int) -> list:
    """[(from, to below, students)] of the totals, in at most ten steps of whole points; the last
    step holds its end.
    """
    step = max(1, -(-of // BINS))
    edges = list(range(0, of, step)) + [of]
    counts, _ = np.histogram(totals, edges)
    return list(zip(edges[:-1], edges[1:], counts.tolist()))


# ---- what went wrong


def _named(question, results, course):
    """The misconceptions that the visible check named, the commonest first."""
    who = {}
    for student, result in results.items():
        if name := result.get("visible", {}).get(question.name):
            who.setdefault(name, []).append(student)
    return [
        {"name": name, "meaning": named.meaning(question, name)}
        | _counted(question, those, results, course)
        for name, those in sorted(who.items(), key=lambda item: -len(item[1]))[:MOST]
    ]


def _reasons(question, results, course):
    """What the judge said to those who answered and lost points, the commonest first."""
    who = {}
    for student, result in results.items():
        for verdict in result["questions"].get(question.name, []):
            if verdict["message"]:
                who.setdefault((verdict["what"], verdict["message"]), []).append(student)
    return [
        {"what": what, "message": said} | _counted(question, those, results, course)
        for (what, said), those in sorted(who.items(), key=lambda item: -len(item[1]))[:MOST]
    ]


def _counted(question, students, results, course):
    return {"count": len(students), "example": example(question.name, students, results, course)}


def example(question: str, students: list, results: dict, course: Course) -> str:
    """The answer's code of one of these students: the shortest in which none of the class is
    named; "" if there is none.
    """
    everyone = {
        text.casefold()
        for each in course.students().values()
        for text in (each.id, each.first_name, each.last_name, each.email, each.lms_id)
        if len(text) > 2
    }
    found = []
    for student in students:
        source = overrides.answer(results[student], question)
        words = source.casefold()
        if source and student.casefold() not in words and not _names(words, everyone):
            found.append(source)
    text = min(found, key=lambda each: (len(each), each), default="")
    lines = text[:LETTERS].splitlines()
    cut = len(text) > LETTERS or len(lines) > LINES
    return "\n".join(lines[:LINES]) + ("\n…" if cut else "")


def _names(text, everyone):
    """Whether one of the class stands in a text as a word of its own."""
    words = set(_words(text))
    return any(name in words or not name.isalnum() and name in text for name in everyone)


def _words(text):
    return "".join(c if c.isalnum() else " " for c in text).split()


def _blank(course, assignment):
    """{grade id: the text of the cell as it was released}."""
    released = read_json(course.released(assignment))
    cells = parse(json.dumps(released).encode())["cells"] if released else []
    return {
        cell["metadata"].get("nbgrader", {}).get("grade_id"): cell["source"].strip()
        for cell in cells
    }


def _unanswered(course, assignment, name, result, blank):
    if name in blank and f"{name}_answer" not in blank:  # a written one
        return handed.text(course, assignment, result, name).strip() in ("", WRITE_HERE)
    answer = overrides.answer(result, name)
    got = overrides.judged(result, name)
    return answer in ("", blank.get(f"{name}_answer", "")) and not got


def page(found: dict) -> str:
    """The page, self-contained, without a script."""
    most = max([count for *_, count in found["totals"]] + [1])
    return shown.template("statistics.html").render(
        most_in_bin=most, low=LOW, **{key.replace(" ", "_"): value for key, value in found.items()}
    )
