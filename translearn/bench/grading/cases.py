"""Which submissions the graders get, and the marks that these deserve."""

import json
import runpy
from dataclasses import dataclass

from translearn import paths
from translearn.bench.grading.attacks import ATTACKS
from translearn.coursework.instructor import bank
from translearn.coursework.student import module
from translearn.coursework.student.question import questions

HOSTILE = paths.ROOT / "tests" / "coursework" / "hostile.py"
ANSWERS = {"A1": "huber"}  # the question that the hostile cases of the suite tamper with

# Of the suite's cases those that harm no machine, also where nothing holds them back. The others
# fork or write without end, take all memory, or delete whatever they can. Left out, too: those
# that speak the language of our sandbox alone, and those whose mark is a matter of opinion.
BROKEN = """
loops forever · loops forever before the answer is there · sleeps inside its function
hangs inside its function, uninterruptible · half a character in its output
half a character in its code · cell ids that are no text · os._exit · a segmentation fault
os._exit inside its function · os._exit in a cell that answers nothing
sys.exit after the answer · exit() before the answer · an error that is its own class · NaN
a number as text · a list that holds itself · recursion without end
an answer of long doubles and complex numbers · copies a check cell · copies an answer cell
copies the set-up cell · deletes a check cell · deletes every check cell
deletes the set-up cell · deletes an answer cell · answers in a cell of its own
changes the set-up cell · changes a check cell to an error
nbgrader's metadata is nonsense · no metadata at all · renames the function · a syntax error
another signature · not a function · an empty file · not JSON · cut off · a PDF
JSON, but no notebook · an old notebook · cells that are no cells
"""
ATTACKING = """
catches KeyboardInterrupt and all else, forever · ignores the alarm · opens a socket
leaves a daemon · leaves a thread · kills every process it can · always equal
an array that lies · an object with __array__ · pickles itself · patches NumPy's comparisons
hooks the input transformers · reads In and looks for the expected value
puts a judge of its own into sys.modules · makes the visible check always pass
answers with the probe's own words in an error · prints the probe · gives itself more points
"""


@dataclass(frozen=True)
class Case:
    """A submission. `points`: {question: points that it deserves}; None: no mark, or 0.

    `ungraded`: the file can have no mark at all.
    """

    name: str
    kind: str  # "known", "broken" or "hostile"
    data: bytes
    points: dict
    ungraded: bool = False


def known(assignment: str, count: int) -> list:
    """`count` submissions of the assignment's bank, again and again in its order: right ones,
    right in another way, and with the mistakes that students make.
    """
    cases = [
        Case(name, "known", json.dumps(book).encode(), points)
        for name, book, points in bank.cases(assignment)
    ]
    return [cases[n % len(cases)] for n in range(count)]


def full(assignment: str) -> dict:
    """{question: all its points}."""
    return {each.name: each.points for each in questions(module(assignment))}


def trying(places: list, books: str, port: int) -> list:
    """The broken and the hostile submissions of A1.

    places   files that are not theirs, as they would find them
    books    where nbgrader's gradebook would be
    port     where somebody listens on this machine
    """
    suite = {case.name: case for case in runpy.run_path(str(HOSTILE))["CASES"]}
    perfect, found = bank.books("A1")[1], []
    for kind, names in (("broken", BROKEN), ("hostile", ATTACKING)):
        for name in " · ".join(names.strip().splitlines()).split(" · "):
            case = suite[name]
            book = case.change(perfect)
            data = json.dumps(book).encode() if isinstance(book, dict) else book
            data = data.replace(b"PORT", str(port).encode())
            points = full("A1") | case.expected
            # What a cheat does to its other questions is its own affair.
            if kind == "hostile" and case.expected:
                points = {"huber": case.expected.get("huber", 0)}
            found.append(Case(name, kind, data, points, case.state == "ungraded"))
    for name, (answer, points) in ATTACKS.items():
        answer = answer.replace("PLACES", repr(places)).replace("BOOKS", repr(books))
        data = json.dumps(bank.notebook("A1", {"huber": answer})).encode()
        wanted = {"huber": points} if points < 3 else full("A1")
        found.append(Case(name, "hostile", data, wanted))
    return found


def verdict(case: Case, marks: dict | None) -> str:
    """What a grader's marks are: "right", "none" (it gave none, or left one out) or "wrong".

    marks   {question: points or None}, None for no marks at all
    """
    if case.ungraded:
        return "wrong" if marks else "right"
    unsure = None in case.points.values()  # its cell ended Python: nobody has to give a mark
    if not marks:
        return "right" if unsure else "none"
    got = {name: marks.get(name) for name in case.points}
    for name, points in case.points.items():
        if got[name] is not None and abs(got[name] - (points or 0)) > 1e-6:
            return "wrong"
    return (
        "none" if any(got[n] is None for n, p in case.points.items() if p is not None) else "right"
    )
