"""One's own assignment: all that is missing is said at release, at once; it may be the tenth."""

import json
import sys
import types

import pytest

from translearn import paths
from translearn.coursework.instructor import folder
from translearn.coursework.instructor.collect import collect
from translearn.coursework.instructor.release import problems, release
from translearn.coursework.student.question import Question, Written
from translearn.errors import CourseError

SOURCE = """---
kernelspec:
  name: python3
  display_name: Python 3
---

# A10 · Stripes

```{code-cell} ipython3
:tags: [exercise]

def dark(pixels):
    return (pixels < 128).mean()
```

```{code-cell} ipython3
question.dark.check(dark)
```

```{code-cell} ipython3
question.light.check(light)
```

+++ {"tags": ["manual:report"]}

Write.

```{code-cell} ipython3
### BEGIN SOLUTION
1
### END SOLUTION
```
"""


def dark(dark):
    """Its visible check."""


@pytest.fixture
def tenth(tmp_path, monkeypatch):
    """A class whose course has a half done assignment A10 as well."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "A10_stripes.md").write_text(SOURCE)
    (source / "A1_losses.md").write_text(SOURCE)
    monkeypatch.setattr(paths, "SOURCE", source)
    module = types.ModuleType("translearn.coursework.student.a10")
    module.dark = Question(dark, title="1 · Dark", marks={"the share": 2}, hints=["One.", "Two."])
    module.grey = Written("grey", "2 · Grey", {"How": {"low": (0, "no"), "high": (1, "yes")}})
    module.DATA = ("stripes",)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    course = folder.new(tmp_path / "class")
    folder.write(course.root / "students.csv", "id\nada\nalan\n")
    return course


def test_all_that_is_missing_in_an_assignment_is_said_at_once(tenth):
    with pytest.raises(CourseError) as problem:
        release(tenth, "A10")
    first, *said = str(problem.value).splitlines()
    assert first == "A10 cannot be released yet. To mend, all of it:"
    wanted = [
        "A10_stripes.md:1: the question grey of the module is not asked",
        "A10_stripes.md:1: an assignment has one cell tagged submit",
        "A10_stripes.md:1: an assignment has one cell tagged setup",
        "A10_stripes.md:1: an assignment has one cell tagged marks",
        "an answer cell has one '### BEGIN SOLUTION'",
        "question light has no answer cell",
        "the module has no question light",
        "the tag manual:report names nothing",
        "a question for a person has its model answer between",
        "a solution stands in a cell that is not tagged",
        "student/a10.py: AHEAD is missing",
        "student/a10.py, DATA: CourseError",
        "judges/a10.py: it is not there",
        "judges/a10.py: nobody judges 'the share' of question dark",
        "banks/a10.py",
    ]
    for words in wanted:
        assert sum(words in line for line in said) == 1, (words, said)
    assert len(said) == len(wanted)
    assert not (tenth.root / "release" / "A10").exists()


def test_what_cannot_be_imported_is_said(tenth, monkeypatch):
    monkeypatch.delitem(sys.modules, "translearn.coursework.student.a10")
    (said,) = problems("A10")
    assert said.startswith("coursework/student/a10.py: it is not there")


@pytest.mark.parametrize(
    "name, assignment, student",
    [
        ("A10_ada.ipynb", "A10", "ada"),
        ("A1_ada.ipynb", "A1", "ada"),
        ("A10/alan.ipynb", "A10", "alan"),
        ("alan A10 (1).ipynb", "A10", "alan"),
    ],
)
def test_the_tenth_assignment_is_not_the_first(tenth, tmp_path, name, assignment, student):
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (found,) = [each for each in collect(tenth, tmp_path / "in") if each.place]
    assert (found.student, found.assignment, found.state) == (student, assignment, "collected")
