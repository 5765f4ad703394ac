"""The judges against their banks: what is known gets its mark, and no work gets no points."""

import json
import sys

import pytest
from together import Together, cell_of

from conftest import OURS, points
from translearn.coursework.instructor import bank, folder, grading, judging, sandbox
from translearn.coursework.instructor.session import Session
from translearn.coursework.instructor.submission import parse, prepare
from translearn.coursework.student.question import questions, written

ASSIGNMENTS = list(folder.assignments())
CASES = [(assignment, name) for assignment in ASSIGNMENTS for name in bank.submissions(assignment)]
# A mark must not depend on which hidden inputs a class has drawn.
SECRETS = [f"secret {n}" for n in range(5)]

# Whatever is asked: a constant, the argument itself, arrays of zeros and ones.
LAZY = """
0.0
1.0
0.5
-1.0
True
None
[]
''
a[0]
a[1]
a[-1]
a[:2]
a[:3]
list(a)
(1.0, 1.0)
'diverges'
'crawls'
'fits'
np.mean(a[0])
np.arange(len(a[0]))
np.zeros(np.shape(a[0]))
np.ones(np.shape(a[0]))
np.zeros(np.shape(a[0]), bool)
np.ones(len(np.unique(a[0])))
(np.zeros(np.shape(a[0])),) * 2
(np.zeros(np.shape(a[0])),) * 3
""".strip().splitlines()


def few(those, assignment, count):
    """`count` of `those`, spread over them, for an assignment whose probes build networks: each
    takes a tenth of a second there. All of them are tried with --long.
    """
    slow = "keras" in judging.load(assignment.lower()).AHEAD
    return those[:: -(-len(those) // count)] if slow else those


def _lazy_cell(prefix, module, code):
    names = [each.name for each in questions(module)]
    lines = [f"def {prefix}{name}(*a, **k):\n    return {code}" for name in names]
    return "\n".join(["import numpy as np", *lines])


@pytest.fixture(scope="module")
def banked(released):
    """A function: the bank of an assignment and its lazy answers, run in one sandbox."""
    made = {}

    def banked(assignment):
        if assignment not in made:
            module = judging.load(assignment.lower())
            book = released(assignment)
            cells = [
                cell_of(f"s{n}_", book, each, module.__name__)
                for n, (_, each, _) in enumerate(bank.cases(assignment))
            ]
            cells += [_lazy_cell(f"lazy{n}_", module, code) for n, code in enumerate(LAZY)]
            made[assignment] = Together(assignment, cells)
        return made[assignment]

    yield banked
    for each in made.values():
        each.close()


def _case(assignment, name):
    return next(
        (n, book, expected)
        for n, (which, book, expected) in enumerate(bank.cases(assignment))
        if which == name
    )


@pytest.mark.parametrize("assignment, name", CASES, ids=[f"{a}: {n}" for a, n in CASES])
def test_every_submission_of_the_bank_gets_its_mark(assignment, name, banked):
    n, _, expected = _case(assignment, name)
    for secret in few(SECRETS, assignment, 2):
        got, said = banked(assignment).points(f"s{n}_", secret)
        assert got == pytest.approx(expected), (secret, said)
        assert all(verdict.message for parts in said.values() for verdict in parts), said


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_answer_without_work_earns_nothing(assignment, banked):
    _earn_nothing(assignment, banked, few(list(enumerate(LAZY)), assignment, 5))


@pytest.mark.long("coursework")
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_answer_without_work_earns_anything(assignment, banked):
    _earn_nothing(assignment, banked, enumerate(LAZY))


def _earn_nothing(assignment, banked, answers):
    for n, code in answers:
        got, _ = banked(assignment).points(f"lazy{n}_", "secret")
        assert sum(got.values()) == 0, (code, {name: p for name, p in got.items() if p})


def test_a_share_of_the_points_has_its_reason(monkeypatch):
    """A judge that gives half and does not say why is a mistake of ours."""
    asked = questions(judging.load("a1"))[0]
    half = dict.fromkeys(asked.marks, lambda ask, rng: judging.partly(0.5, "Half of it."))
    monkeypatch.setitem(judging.PARTS, ("a1", asked.name), half)
    found = judging.judge(asked, None, "secret")
    assert [(v.got, v.message) for v in found] == [(0.5, "Half of it.")] * 3
    half |= dict.fromkeys(asked.marks, lambda ask, rng: (0.5, ""))
    with pytest.raises(judging.CourseError, match="a share needs a reason"):
        judging.judge(asked, None, "secret")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_visible_check_agrees_with_the_bank(assignment, banked):
    """Full marks pass it, and praise never meets a zero, of the question or a part of it; a
    submission meets each of its misconceptions.
    """
    module = judging.load(assignment.lower())
    met = {each.name: set() for each in questions(module)}
    for n, (name, _, expected) in enumerate(bank.cases(assignment)):
        ask = banked(assignment).ask(f"s{n}_")
        assert ask.value("stopped") == [], name
        _, said = banked(assignment).points(f"s{n}_", SECRETS[0])
        for question, (kind, passed, misconception) in ask.value("visible").items():
            met[question].add(misconception)
            most = getattr(module, question).points
            if expected[question] == most:
                assert passed, f"{name}, {question}: {kind}"
            nothing = [verdict.what for verdict in said[question] if verdict.got == 0]
            assert not (passed and nothing), f"{name}, {question} is praised and gets 0: {nothing}"
    for each in questions(module):
        assert set(each.misconceptions) <= met[each.name], (
            f"{each.name}: no submission has {set(each.misconceptions) - met[each.name]}"
        )


def _alone(assignment, book, released):
    """Run as the marking runs it, a sandbox for it alone, and judged with every secret."""
    module = judging.load(assignment.lower())
    limits = sandbox.Limits()
    prepared = prepare(released(assignment), parse(json.dumps(book).encode()))
    pool = grading.pool(module.AHEAD, limits, False, 1)
    session = Session(assignment.lower(), prepared.sources(), pool, limits)
    try:
        for secret in SECRETS:
            result = {"state": "graded", "questions": {}, "cells": [], "notes": []}
            grading._judge(result, module, prepared, session, secret, limits)
            assert result["state"] == "graded", result["reason"]
            yield points(result)
    finally:
        session.close()


@pytest.mark.long("coursework")
@pytest.mark.parametrize("assignment, name", CASES, ids=[f"{a}: {n}" for a, n in CASES])
def test_alone_in_its_sandbox_it_gets_the_same(assignment, name, released):
    _, book, expected = _case(assignment, name)
    for got in _alone(assignment, book, released):
        assert got == pytest.approx(expected)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_model_answer_and_mistakes_alone_in_a_sandbox(assignment, released):
    """Of each assignment a right and a wrong submission go the whole way in the normal suite."""
    for name in ("perfect", "common mistakes, one"):
        _, book, expected = _case(assignment, name)
        data = json.dumps(book).encode()
        result = grading.grade_one(assignment, released(assignment), data, "secret", spare=1)
        assert result["state"] == "graded" and points(result) == pytest.approx(expected)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_bank_has_what_a_bank_needs(assignment):
    module, submissions = judging.load(assignment.lower()), bank.submissions(assignment)
    asked = questions(module)
    assert (6 if assignment in OURS else 1) <= len(asked) <= 10 and len(written(module)) == 1
    assert submissions["perfect"] == {}
    right = [answers for name, answers in submissions.items() if "otherwise right" in name]
    assert len(right) >= min(3, len(asked))
    assert all(p is None for answers in right for _, p in answers.values())
    wrong = [answers for name, answers in submissions.items() if "mistake" in name]
    for each in asked:
        assert sum(each.name in answers for answers in wrong) >= min(
            3, len(each.misconceptions)
        ), f"{each.name}: a wrong submission for each misconception, please"
        assert sum(each.name in answers for answers in right) >= 1, (
            f"{each.name}: no other right answer is tried"
        )
        for answers in wrong:
            if each.name in answers:
                assert answers[each.name][1] < each.points
    names = {each.name for each in asked}
    assert all(set(answers) <= names for answers in submissions.values()), "a question's name"


@pytest.mark.parametrize("place, name", [("judges", "{}.py"), ("banks", "{}.py")])
def test_an_assignment_is_a_source_a_judge_and_a_bank(place, name):
    """Nothing else lists the assignments; and no judge or bank is left over from one that went."""
    here = folder.Path(sys.modules[folder.__name__].__file__).parent / place
    found = {path.name for path in here.glob("*.py")} - {"__init__.py"}
    assert found == {name.format(assignment.lower()) for assignment in ASSIGNMENTS}
