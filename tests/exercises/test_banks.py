"""Every exercise of every lesson is examined with right, wrong and hostile answers."""

import importlib
import re

import bank
import pytest
from long_part import chosen

from translearn import paths
from translearn.exercises import Choice, exercises_of

LESSONS = sorted(
    m[1] for file in paths.SOURCE.glob("*.md") if (m := re.match(r"(\d\d)_", file.name))
)
BANKS = [bank.load(file) for file in sorted(bank.HERE.glob("lesson*.py"))]
CASES = [case for each in BANKS for case in bank.cases(each)]


def lesson_of(each):
    return each.module.__name__.rpartition(".")[2]


def test_every_lesson_has_its_exercises_and_its_bank():
    assert {lesson_of(each) for each in BANKS} == {f"lesson{number}" for number in LESSONS}


@pytest.mark.parametrize("each", BANKS, ids=lesson_of)
def test_nothing_is_missing(each):
    assert not bank.problems(each)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_longest_option_is_no_hint(lesson):
    """Who always takes the longest option is right in at most half of a lesson's questions."""
    module = importlib.import_module(f"translearn.exercises.lesson{lesson}")
    questions = [each for each in exercises_of(module) if isinstance(each, Choice)]
    longest = bank.right_is_longest(module)
    assert 2 * len(longest) <= len(questions), f"the right option is the longest in {longest}"


# Every parameter of every exercise is handed two kinds of junk, others with each commit; all of
# them in the long part.
JUNK = chosen(bank.JUNK, 2)


def is_long(case):
    return bool(case.junk) and case.junk[1] not in JUNK


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.long("banks")] * is_long(case))
        for case in CASES
    ],
)
def test_case(case, record_property):
    record_property("bank case", case.name)
    problem = bank.failure(case)
    assert not problem, problem
