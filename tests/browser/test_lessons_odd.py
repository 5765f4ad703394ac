"""The odd lessons in the browser. A file of its own, so that the suite can run two lessons at a
time.
"""

import pytest
from lab_page import lessons, run_lesson


@pytest.mark.parametrize("lesson", lessons(1))
def test_a_lesson_runs_in_the_browser_and_its_explorers_move_over_their_whole_range(page, lesson):
    run_lesson(page, lesson)
