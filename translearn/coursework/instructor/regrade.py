"""One question judged again after its judge was mended: first what would change, then the change.

The submissions run again, each in its sandbox, and that question's judge alone is asked. What it
says waits in autograded/ID/A1/regrade_QUESTION.json until it is written, so a killed run carries
on, and what is written is what was listed. history.json beside it keeps what was there before.
"""

import functools
import hashlib
import inspect
import json
from dataclasses import dataclass
from datetime import datetime

from translearn.coursework.instructor import books, grading, groups, judging, overrides
from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.sandbox import Limits
from translearn.coursework.instructor.submission import digest, read
from translearn.errors import CourseError


@dataclass
class Change:
    """What the judge says now of one student's answer, beside what it said before.

    Points are None where it had no verdict. `kept`: why the mark stays all the same, "" if it does
    not; `failed`: why nothing can be said, "" if it can.
    """

    student: str
    before: float | None = None
    after: float | None = None
    old: str = ""
    new: str = ""
    kept: str = ""
    failed: str = ""

    @property
    def moves(self) -> bool:
        """Whether another mark would be written into the books."""
        return not self.failed and not self.kept and self.before != self.after


def propose(
    course: Course,
    assignment: str,
    question: str,
    students=None,
    jobs: int = 2,
    scheduler: str | None = None,
    unprotected: bool = False,
    limits: Limits = Limits(),
    quiet: bool = False,
    cold: bool = False,
) -> list:
    """A `Change` for each student with a submission (or of `students`); no mark is changed.

    Where a group handed in once, its file runs once. Raises `CourseError` for an unknown question,
    for a student who handed in nothing, and as grading does.
    """
    from tqdm.auto import tqdm

    overrides.asked(assignment, question)
    released = grading.ready(course, assignment, scheduler, unprotected)
    names = list(students or course.submissions(assignment))
    failed = {student: _cannot(course, assignment, student, question) for student in names}
    leads = {s: groups.follows(course, assignment, s) or s for s in names if not failed[s]}
    todo = [
        lead
        for lead in dict.fromkeys(leads.values())
        if _waiting(course, assignment, lead, question) is None
    ]
    arguments = dict(
        secret=course.key, limits=limits, unprotected=unprotected, cold=cold, only=question
    )
    troubles = {}

    def hand_in(submit, student, book, spare):
        data = read(course.submitted(student, assignment))
        return submit(grading.grade_one, assignment, book, data, spare=spare, **arguments)

    def keep(student, future):
        try:
            result = future.result()
        except CourseError:
            raise
        except Exception as problem:  # the worker broke, which says nothing about the answer
            result = {"questions": {}, "reason": f"The worker failed ({problem})."}
        verdicts = result["questions"].get(question)
        if verdicts is None or any(v["got"] is None for v in verdicts):
            troubles[student] = result["reason"]
        else:
            said = {
                "key": _key(assignment, result["submission"], course.key),
                "verdicts": verdicts,
                "visible": result["visible"].get(question, ""),
            }
            write(_path(course, assignment, student, question), json.dumps(said))
        bar.update()

    with tqdm(
        total=len(todo), desc=f"{assignment}, {question}", unit="submission", disable=quiet
    ) as bar:
        grading.spread(jobs, scheduler, hand_in, released, todo, keep, quiet)
    for student, lead in leads.items():
        failed[student] = troubles.get(lead, "")
    rows = {row["student"]: row[question] for row in books.marks(course, assignment)}
    return [
        Change(s, failed=failed[s])
        if failed[s]
        else _change(course, assignment, s, question, leads[s], rows[s])
        for s in names
    ]


def apply(course: Course, assignment: str, question: str, changes: list) -> int:
    """Write what `propose` found; returns how many verdicts are others than before. Killed at any
    moment, the same command carries on.
    """
    written, leads = 0, {}
    for change in changes:
        if not change.failed:
            lead = groups.follows(course, assignment, change.student) or change.student
            leads[change.student] = lead, _waiting(course, assignment, lead, question)
    for student, (_, said) in leads.items():
        result = course.result(student, assignment)
        after = _with(result, assignment, question, said)
        if after["questions"] == result["questions"] and after["visible"] == _visible(result):
            continue
        _remember(course, assignment, student, question, result, said)
        grading.write_verdict(course, assignment, student, after)
        written += 1
    for lead in {lead for lead, _ in leads.values()}:
        _path(course, assignment, lead, question).unlink(missing_ok=True)
    return written


def history(course: Course, assignment: str, student: str) -> list:
    """What regrading changed: {"when", "question", "submission", "before", "after"}, the verdicts
    of the question, the oldest first.
    """
    return read_json(course.graded(student, assignment) / "history.json") or []


# ---- what waits to be written


def _path(course, assignment, student, question):
    return course.graded(student, assignment) / f"regrade_{question}.json"


@functools.cache
def _judges(assignment):
    """What the code says that judges an assignment: another text, another verdict."""
    module = judging.load(assignment.lower())
    judges = {
        inspect.getfile(part)
        for (which, _), parts in judging.PARTS.items()
        if which == assignment.lower()
        for part in parts.values()
    }
    files = sorted({inspect.getfile(judging), inspect.getfile(module), *judges})
    return hashlib.sha256(b"\0".join(open(file, "rb").read() for file in files)).hexdigest()


def _key(assignment, submission, secret):
    return hashlib.sha256(
        "\0".join([_judges(assignment), submission, secret]).encode()
    ).hexdigest()


def _waiting(course, assignment, student, question):
    """What this judge said of this very file already, and is not written yet; else None."""
    said = read_json(_path(course, assignment, student, question))
    own = digest(course.submitted(student, assignment))
    return said if said and said["key"] == _key(assignment, own, course.key) else None


# ---- one student


def _cannot(course, assignment, student, question):
    """Why one question cannot be judged again, "" if it can."""
    result, path = course.result(student, assignment), course.submitted(student, assignment)
    if not path.is_file():
        raise CourseError(f"{student} has handed in nothing for {assignment}.")
    if result is None:
        return "not graded yet: run grade"
    if result["submission"] != digest(path):
        return "a newer file, not graded yet: run grade"
    if not result["questions"]:
        return f"nothing of it was judged: {result['reason']}"
    return ""


def _change(course, assignment, student, question, lead, mark):
    result = course.result(student, assignment)
    said = _waiting(course, assignment, lead, question)
    old = result["questions"].get(question, [])
    before, after, kept = overrides.judged(result, question), _points(said["verdicts"]), ""
    if given := overrides.of(course, assignment, student, result).get(question):
        kept = f"overridden: {given['points']:g} points, {given['reason']}"
    elif mark is not None and mark != before:
        kept = f"marked by hand: {mark:g} points"
    return Change(student, before, after, _reasons(old), _reasons(said["verdicts"]), kept)


def _points(verdicts):
    return round(sum(verdict["got"] for verdict in verdicts), 2)


def _reasons(verdicts):
    return " ".join(verdict["message"] for verdict in verdicts if verdict["message"])


def _visible(result):
    return result.get("visible", {})


def _with(result, assignment, question, said):
    """A result with the new verdicts on one question in the place of the old."""
    names = [each.name for each in judging.questions(judging.load(assignment.lower()))]
    questions = result["questions"] | {question: said["verdicts"]}
    visible = _visible(result) | {question: said["visible"]}
    questions = {name: questions[name] for name in names if name in questions}
    visible = {name: said for name, said in visible.items() if said}
    return result | grading.standing(questions) | {"questions": questions, "visible": visible}


def _remember(course, assignment, student, question, result, said):
    """What was there, once: a run killed after this comes here again."""
    entry = {
        "question": question,
        "submission": result["submission"],
        "before": result["questions"].get(question, []),
        "after": said["verdicts"],
    }
    before = history(course, assignment, student)
    if before and entry.items() <= before[-1].items():
        return
    when = datetime.now().isoformat(timespec="seconds")
    text = json.dumps([*before, {"when": when} | entry], ensure_ascii=False, indent=1)
    write(course.graded(student, assignment) / "history.json", text)
