"""A random two minutes' worth of the ledger is run again, chosen by the commit; all of it with
--long.

Nothing is stamped: tests leave the ledger as it is.
"""

import pytest
from long_part import head

from translearn.authoring import reading
from translearn.evidence import replay


def agree(outcomes):
    assert outcomes, "nothing was replayed"
    assert [f"{each.name}: {said}" for each in outcomes for said in each.problems] == []


def test_a_choice_of_two_minutes_worth_agrees_with_the_ledger():
    agree(replay.replay(reading.find([]), everything=True, minutes=2, choose=head(), stamp=False))


@pytest.mark.long("replay")
@pytest.mark.parametrize("source", reading.find([]), ids=lambda path: path.stem)
def test_a_lesson_agrees_with_the_ledger(source, pytestconfig):
    """All of it with --long; two minutes' worth of each lesson when it is this area's turn."""
    minutes = None if pytestconfig.option.long else 2
    agree(replay.replay([source], everything=True, minutes=minutes, choose=head(), stamp=False))
