"""The marker's desk: what the marking page shows next, and what becomes of what is typed there.
It knows nothing of the web.
"""

import re
import time

from translearn.coursework.instructor import (
    books,
    by_hand,
    comments,
    judging,
    lines,
    marking_view,
    shown,
)
from translearn.coursework.instructor.folder import Course
from translearn.coursework.instructor.waiting import Answers
from translearn.errors import CourseError


def count(n: int, what: str) -> str:
    """ "1 answer", "2 answers"."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


class Desk:
    """One run of the marking page."""

    def __init__(self, course: Course, assignment=None, names=False):
        self.course, self.names = course, names
        self.answers = Answers(course, assignment)
        self.again = False  # whether the marked ones are looked at, too
        self._since = {}  # ticket → when it was shown, for the time that a mark takes
        self._done = []  # (answer as it was, its mark before, `seen` after), the last one last
        self._said = ""  # for the next page
        self._told = set()  # tickets of answers that cannot be shown

    # ---- what to show

    def queue(self, after=None) -> list:
        """The answers to show, the next one first."""
        those = self.answers.all if self.again else self.answers.waiting()
        later = [each for each in those if after is None or each.order > after.order]
        if self.again and not later:  # once through all of them, then only what waits
            self.again = False
            return self.queue(after)
        return [*later, *(each for each in those if after and each.order <= after.order)]

    def before(self, one) -> tuple:
        """([the answer before this one, marked or not], a sentence where there is none)."""
        at = self.answers.all.index(one)
        return ([self.answers.all[at - 1]], "") if at else ([one], "This is the first answer.")

    def said(self) -> str:
        """What there was to say of the last mark, once."""
        said, self._said = self._said, ""
        return said

    def fields(self, queue: list, said="", wrong="", draft=None) -> dict:
        """What marking.html is filled with: the first answer that can be shown, since one that
        cannot costs none of the others its mark.

        draft   what the marker had typed, in the place of what was saved
        """
        failed, view = 0, {"title": f"{self.course.name} · all marked", "question": None}
        left = f"{len(self.answers.waiting()):,} still to mark."
        for one in queue:
            try:
                view = marking_view.view(self.course, self.answers, one, self.names)
            except Exception as problem:  # whatever a stranger's notebook sets off
                failed += 1
                self._tell(one, problem)
            else:
                if self.again:
                    later = sum(each.order >= one.order for each in self.answers.all)
                    left = f"{count(later, 'answer')} to look at again, this one included."
                if draft is None:
                    self._since[one.ticket] = time.monotonic()
                break
        more = {"again": self.again, "broken": failed, "undo": bool(self._done), "typed": {}}
        return view | more | {"saved": said, "wrong": wrong, "left": left} | (draft or {})

    def _tell(self, one, problem):
        """Say on the terminal, once, whose answer cannot be shown."""
        if one.ticket not in self._told:
            self._told.add(one.ticket)
            print(
                f"{one.student}'s answer to {one.question} in {one.assignment} cannot be shown "
                f"({shown.reason(problem)}). Look at "
                f"{self.course.submitted(one.student, one.assignment)} yourself, and report this.",
                flush=True,
            )

    def list(self, one, only: str) -> dict:
        """What answers.html is filled with: all answers to the question of `one`."""
        asked = one.asked if one else next((each.asked for each in self.answers.all), None)
        rows = [
            (number, each, marking_view.person(self.course, each.student) if self.names else "")
            for number, each in enumerate(self.answers.of(asked), 1)
        ]
        questions = {each.asked: each for each in reversed(self.answers.all)}
        return {
            "title": f"{asked[0]} · {self._question(asked).title}" if asked else "No answers",
            "points": asked and self._question(asked).points,
            "rows": [
                row
                for row in rows
                if only not in ("waiting", "marked") or row[1].waits == (only == "waiting")
            ],
            "counts": {
                "": len(rows),
                "waiting": sum(each.waits for _, each, _ in rows),
                "marked": sum(not each.waits for _, each, _ in rows),
            },
            "only": only,
            "at": one.ticket if one else "",
            "names": self.names,
            "others": [
                (f"{other[0]} · {self._question(other).title}", first.ticket)
                for other, first in sorted(questions.items())
                if other != asked
            ],
        }

    # ---- what is typed

    def _question(self, asked):
        return getattr(judging.load(asked[0].lower()), asked[1])

    def draft(self, one, typed: dict) -> dict:
        """What a form holds, to be shown again as it was typed: chosen levels, a comment, comments
        on lines. Raises `ValueError` for what no form of ours sends.
        """
        typed = {name: text.replace("\r\n", "\n").strip() for name, text in typed.items()}
        chosen, notes, comment = {}, {}, typed.get("comment", "")
        for n, (criterion, levels) in enumerate(self._question(one.asked).rubric.items(), 1):
            if at := int(typed.get(f"level-{n}") or 0):
                if not 1 <= at <= len(levels):
                    raise ValueError
                chosen[criterion] = list(levels)[at - 1]
        for name, text in typed.items():
            if (cell := re.fullmatch(r"note-(\d{1,5})", name)) and text:
                line = typed.get(f"line-{cell[1]}") or 0
                replaces = typed.get(f"replaces-{cell[1]}", "")
                notes[int(cell[1])] = {
                    "line": int(line),
                    "text": text,
                    "replaces": replaces,
                }
        return {"chosen": chosen, "comment": comment, "typed": notes}

    def act(self, one, typed: dict, draft: dict) -> tuple:
        """Do what a form asks for: (what to say, what is wrong). (None, "") if a mark was saved
        and the next answer is to be shown. `draft` is left as it should be shown again.

        typed["do"] is "" for a mark, or use:NUMBER (of a comment that is offered), line:CELL,
        drop:COMMENT or change:COMMENT (on a line).
        """
        do, _, what = typed.get("do", "").partition(":")
        try:
            if do == "use":
                return self._use(one, what, draft), ""
            if do == "change":
                return self._change(one, what, draft), ""
            self._lines(one, typed, draft, what if do == "drop" else "")
            if do in ("line", "drop"):
                return "Saved: the comments on lines.", ""
            self._mark(one, typed, draft)
        except CourseError as problem:
            return "", str(problem)
        return None, ""

    def _mark(self, one, typed, draft):
        rubric = self._question(one.asked).rubric
        if missing := [criterion for criterion in rubric if criterion not in draft["chosen"]]:
            raise CourseError(f"Choose a level for: {', '.join(missing)}. Nothing is saved yet.")
        shown_at = self._since.get(one.ticket)
        place = one.assignment, one.student, one.question
        before = by_hand.given(self.course, *place[:2]).get(one.question)
        try:
            points = books.mark(
                self.course,
                *place,
                draft["chosen"],
                draft["comment"],
                typed.get("seen"),
                shown_at and time.monotonic() - shown_at,
            )
        except by_hand.Changed as problem:
            raise CourseError(f"{problem} {self._now(one)}") from None
        of = self._question(one.asked).points
        self._said = f"Saved: {points:g} of {of} points."
        result = self.course.result(one.student, one.assignment)
        seen = by_hand.seen(self.course, *place[:2], result, one.question)
        self._done.append((one, before, seen))

    def _now(self, one):
        """What an answer is now that somebody else marked meanwhile."""
        one = self.answers.refresh().get(one.ticket)
        if one is None or one.waits:
            return "Below is the answer as it is now. Look at it, and save again."
        comment = one.mark.get("comment")
        return (
            f"It has {one.points:g} points now"
            + (f", and the comment: {comment} " if comment else ". ")
            + "To put yours in its place, save again."
        )

    def undo(self) -> tuple:
        """Take the last mark of this run back: (its answer or None, what had been typed, what to
        say, what is wrong).
        """
        if not self._done:
            return None, None, "", "There is no mark of this run to take back."
        one, before, seen = self._done.pop()
        place = one.assignment, one.student, one.question
        mark = by_hand.given(self.course, *place[:2]).get(one.question) or {}
        try:
            books.unmark(self.course, *place, seen, before)
        except by_hand.Changed:
            return one, None, "", "Somebody marked this answer after you: that mark stays."
        except CourseError as problem:
            self._done.append((one, before, seen))
            return one, None, "", str(problem)
        draft = {"chosen": mark.get("levels", {}), "comment": mark.get("comment", "")}
        return one, draft, "Taken back. What you had chosen stands here again, not saved.", ""

    # ---- comments

    def _offered(self, one):
        marks = [each.mark for each in self.answers.of(one.asked)]
        return comments.offered(self.course, one.assignment, one.question, marks)

    def _use(self, one, number, draft):
        """Put a comment that is offered behind what was typed."""
        texts = {comments.name(text): text for text, _ in self._offered(one)}
        if number in texts:
            draft["comment"] = "\n".join(filter(None, [draft["comment"], texts[number]]))
        return "The comment is in its place, to be changed as you like. Nothing is saved yet."

    def bank(self, one) -> dict:
        """What comments.html is filled with."""
        return {
            "title": f"Comments · {one.assignment} · {self._question(one.asked).title}",
            "texts": [text for text, _ in self._offered(one)],
            "place": one.ticket,
        }

    def keep(self, one, text: str) -> str:
        """Offer these comments, parted by empty lines, and no others; what is wrong, or ""."""
        try:
            comments.keep(
                self.course,
                one.assignment,
                one.question,
                comments.parted(text),
                [text for text, _ in self._offered(one)],
            )
        except CourseError as problem:
            return str(problem)
        return ""

    def _change(self, one, name, draft):
        """Take a comment on a line into the field where it is written."""
        marked = by_hand.given(self.course, one.assignment, one.student)
        found, _ = lines.placed(marked.get(lines.KEY, []), self._cells(one))
        for at, those in found.items():
            for line, note in those:
                if note["id"] == name:
                    draft["typed"][at] = {"line": line, "text": note["comment"], "replaces": name}
        return "The comment is in its field again. It stays as it was until you save it."

    def _cells(self, one):
        return lines.cells(self.course.result(one.student, one.assignment) or {"cells": []})

    def _lines(self, one, typed, draft, drop):
        """Save the comments on lines that were typed; take away the one that is called `drop`."""
        if not draft["typed"] and not drop:
            return
        place = one.assignment, one.student
        lines.save(self.course, *place, typed.get("file"), draft["typed"], drop)
        draft["typed"] = {}
