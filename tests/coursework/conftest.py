"""What the tests of the coursework share: the sandbox must be there on CI, and a class to work
with.
"""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
OURS = {"A1", "A2", "A3", "A4"}  # asked more of than an assignment that somebody adds


@pytest.fixture(scope="session", autouse=True)
def _sandbox():
    from translearn.coursework.instructor import walls
    from translearn.errors import CourseError

    try:
        walls.check()
    except CourseError as problem:
        if os.environ.get("CI"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    yield
    from translearn.coursework.instructor import grading

    grading.close_pools()


@pytest.fixture(scope="session")
def released():
    """A function: the released notebook of an assignment, as grading reads it."""
    from translearn.coursework.instructor import bank
    from translearn.coursework.instructor.submission import parse

    return lambda assignment: parse(json.dumps(bank.books(assignment)[0]).encode())


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A class with three students and A1 released: making its gradebook takes seconds, copying it
    none.
    """
    from translearn.coursework.instructor import folder
    from translearn.coursework.instructor.release import release

    course = folder.new(tmp_path_factory.mktemp("template") / "class", "Spring")
    folder.write(
        course.root / "students.csv",
        "id,first_name,last_name,email,lms_id\nada,Ada,Lovelace,ada@x.org,101\n"
        "alan,Alan,Turing,alan@x.org,102\nkurt,Kurt,Gödel,kurt@x.org,103\n",
    )
    release(course, "A1")
    return course.root


@pytest.fixture
def course(tmp_path, template):
    import shutil

    from translearn.coursework.instructor import folder

    return folder.Course(shutil.copytree(template, tmp_path / "class"))


def points(result):
    """{question: points, None where there is no verdict} of a result."""
    return {
        name: None if any(v["got"] is None for v in verdicts) else sum(v["got"] for v in verdicts)
        for name, verdicts in result["questions"].items()
    }


@pytest.fixture
def hand_in(course):
    """A function: put a notebook where `collect` would."""
    from translearn.coursework.instructor import folder

    def hand_in(student, book, assignment="A1"):
        folder.write(
            course.submitted(student, assignment),
            book if isinstance(book, bytes) else json.dumps(book).encode(),
        )

    return hand_in


def pytest_terminal_summary(terminalreporter):
    rows = [
        dict(report.user_properties)["hostile"]
        for report in terminalreporter.stats.get("passed", [])
        + terminalreporter.stats.get("failed", [])
        if report.when == "call" and "hostile" in dict(report.user_properties)
    ]
    if rows:
        terminalreporter.section("hostile and broken submissions: expected and got")
        for name, expected, got, seconds in rows:
            terminalreporter.write_line(f"{seconds:6.1f} s  {name:55s} {expected:45s} {got}")
