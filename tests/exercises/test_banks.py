"""Every exercise of every lesson is examined with right, wrong and hostile answers."""

import importlib
import re
from pathlib import Path

import pytest

import translearn.exercises
from translearn import paths
from translearn.exercises import bank

MODULES = [
    importlib.import_module(f"translearn.exercises.{file.stem}")
    for file in sorted(Path(translearn.exercises.__file__).parent.glob("lesson*.py"))
]
CASES = [case for module in MODULES for case in bank.cases(module)]


def test_every_lesson_has_its_exercises():
    lessons = {
        f"lesson{m[1]}"
        for file in paths.SOURCE.glob("*.md")
        if (m := re.match(r"(\d\d)_", file.name))
    }
    modules = {module.__name__.rpartition(".")[2] for module in MODULES}
    assert lessons <= modules, f"lessons without exercises: {sorted(lessons - modules)}"
    assert modules <= lessons, f"exercises without a lesson: {sorted(modules - lessons)}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_nothing_is_missing(module):
    assert not bank.problems(module)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, record_property):
    record_property("bank case", case.name)
    problem = bank.failure(case)
    assert not problem, problem
