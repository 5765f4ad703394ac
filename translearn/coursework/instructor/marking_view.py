"""What the marking page is filled with for one answer: the answer, the rubric beside it, the
student's own cells with comments on their lines, and how marking goes.
"""

import functools
import re

from translearn import authoring
from translearn.authoring import handout
from translearn.coursework.instructor import (
    by_hand,
    comments,
    handed,
    judging,
    lines,
    shown,
    waiting,
)
from translearn.coursework.instructor.folder import Course, assignments

SHOWN = 200  # cells of the student's own on one page
NUMBERED = 4000  # lines with a number on one page: a line costs a page more than its text does


def view(course: Course, answers: waiting.Answers, one: waiting.Answer, names: bool) -> dict:
    """The fields of marking.html for one answer. Raises whatever a stranger's notebook sets
    off.
    """
    which, student, name = one.assignment, one.student, one.question
    module = judging.load(which.lower())
    result, question = course.result(student, which), getattr(module, name)
    look = handed.notebook(course, which, student, result)
    answer, in_place = look.answer(name)
    asked, most, model = _question(which, name)
    same = answers.of(one.asked)
    marked = by_hand.given(course, which, student)
    before = marked.get(name, {})
    cells = Cells(look, result, marked.get(lines.KEY, []))
    own = look.own()
    return {
        "title": f"{which} · {course.name}",
        "question": question,
        "answer": cells.those(answer),
        "in_place": in_place,
        "asked": asked,
        "model": model,
        "words": sum(len(row.source.split()) for row in answer),
        "most_words": most,
        "refers": _others(module, question, look, result, cells),
        "own": cells.those(own[:SHOWN]),
        "more": max(0, len(own) - SHOWN),
        "outdated": cells.outdated,
        "newer": look.newer,
        "who": person(course, student) if names else "The answers come without names.",
        "place": one.ticket,
        "file": result["submission"],
        "seen": by_hand.seen(course, which, student, result, name),
        "chosen": before.get("levels", {}),
        "comment": before.get("comment", ""),
        "changed": bool(before) and one.waits,
        "given": one.points,
        "notes": result["notes"],
        "number": same.index(one) + 1,
        "count": len(same),
        "spread": waiting.spread(question.rubric, same),
        "marked": sum(not each.waits for each in same),
        "offered": [
            (comments.name(text), text, times)
            for text, times in comments.offered(course, which, name, [e.mark for e in same])
        ],
        "pace": _pace(answers, same),
    }


def person(course: Course, student: str) -> str:
    """A student's name, or the id of one who is not in students.csv."""
    found = course.students().get(student)
    return found.name if found else student


def _pace(answers, same):
    """How long a mark takes, and what is left at that pace, in words; "" while nobody knows."""
    each, left = waiting.pace(same), sum(one.waits for one in same)
    if each is None:
        return ""
    said = f"{waiting.duration(each)} each on average"
    return f"{said}, {waiting.duration(each * left)} left at this pace" if left else said


class Cells:
    """A notebook's cells for the page: code with numbered lines, and the comments on them.

    outdated   comments on lines that are not there any more
    """

    def __init__(self, look: handed.Notebook, result: dict, notes: list):
        self._at = {id(row): at for at, row in enumerate(look.rows)}
        self._notes, self.outdated = lines.placed(notes, lines.cells(result))
        self._left = NUMBERED

    def those(self, rows: list) -> list:
        return [self.one(row) for row in rows]

    def one(self, row) -> dict | None:
        """{"row", "at": the cell's place, "lines": [(number, text, [comments])] or None}; None for
        a cell that is not there.
        """
        if row is None:
            return None
        at, numbered = self._at[id(row)], None
        source = row.source[: shown.LONGEST]
        if row.kind == "code" and source.count("\n") < self._left:
            texts, on = source.split("\n"), self._notes.get(at, [])
            self._left -= len(texts)
            numbered = [
                (number, text, [note for line, note in on if line == number])
                for number, text in enumerate(texts, 1)
            ]
        return {"row": row, "at": at, "lines": numbered}


@functools.cache
def _question(which, name):
    """(the question, how many words at most (0: any number), a model answer) of the source, ready
    for the page.
    """
    cells = handout.cells(authoring.read(assignments()[which]), solved=True)
    texts = ["".join(cell["source"]) for cell in cells]
    at = next(
        i
        for i, cell in enumerate(cells)
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )
    # The question stands above its rubric; the rubric stands beside the answer already.
    asked = next(
        (
            text
            for cell, text in zip(reversed(cells[:at]), reversed(texts[:at]))
            if cell["cell_type"] == "markdown" and text.startswith("#")
        ),
        "",
    )
    most = re.search(r"[Aa]t most (\d+) words", f"{texts[at - 1]} {asked}")
    return (
        shown.markdown(asked, below=2),
        int(most[1]) if most else 0,
        shown.markdown(texts[at], below=2),
    )


def _others(module, written, look, result, cells):
    """The questions that are judged, each with its answer: open are those that the rubric refers
    to.
    """
    found = []
    for each in judging.questions(module) if written.refers else ():
        got = [verdict["got"] for verdict in result["questions"].get(each.name, [])]
        found.append(
            {
                "title": each.title,
                "open": each.name in written.refers,
                "got": f"{sum(got):g} of {each.points}"
                if got and None not in got
                else "not graded",
                "cell": cells.one(look.row(f"{each.name}_answer")),
            }
        )
    return sorted(found, key=lambda row: not row["open"])
