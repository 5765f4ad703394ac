"""One layout: the package, the tests and the lessons' cells and prose."""

import pytest

from translearn import paths
from translearn.authoring import layout

SOURCE = """# T

A paragraph that is far too long for one line, with {{ a.b.c.d | percent }} in it, **a term**, \
and 20 % at its end; it goes on.

* an item
* another

```{code-cell} ipython3
:tags: [explorer]

x = {  "a":1}
```
"""


def test_a_lesson_is_laid_out_once_and_for_all():
    done = layout.lesson(SOURCE)
    assert 'x = {"a": 1}' in done and "* an item\n* another\n" in done
    assert max(map(len, done.splitlines())) <= layout.WIDTH
    assert "{{ a.b.c.d | percent }}" in done and "**a term**" in done and "20 %" in done
    assert layout.lesson(done) == done


def test_a_cell_that_is_not_python_is_named():
    with pytest.raises(layout.CourseError, match="This cell cannot be formatted(.|\n)*x = = 1"):
        layout.cells(["y = 1\n", "x = = 1\n"])


def test_package_tests_and_cells_have_nothing_for_a_linter():
    assert layout.lint() == []


def test_the_lessons_are_laid_out():
    differ = [path.relative_to(paths.ROOT).as_posix() for path in layout.differing()]
    assert differ == [], "run: python3 course.py format"
