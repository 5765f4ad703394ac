"""The ledger and the committed notebooks agree with the sources, as they stand."""

import pytest

from translearn import authoring


@pytest.mark.parametrize("source", authoring.sources(), ids=lambda p: p.stem)
def test_everything_a_lesson_says_is_measured_by_the_code_as_it_is_now(source):
    assert authoring.stale(authoring.read(source)) == []


def test_the_notebooks_are_what_the_sources_give():
    assert authoring.out_of_sync() == [], "run: python3 course.py build"
