"""The book's own Sphinx extensions, on a tree of two pages."""

import html
import re
import sys

import pytest

from translearn.authoring.book import site
from translearn.errors import CourseError

sys.path.insert(0, str(site.SPHINX))

PAGE = """# One

A number {{ taste.labels.pretrained_10.accuracy, percent }}, and code `{{ a.b.c.d, percent }}`.

The loss is $-\\log p_y$, and

$$\\big(1 - p\\big)^2$$
"""


@pytest.fixture
def made(tmp_path):
    source, output = tmp_path / "source", tmp_path / "book"
    (source / "extra").mkdir(parents=True)

    def make(text, builder="html"):
        (source / "index.md").write_text(text)
        site.run(source, output, builder=builder)
        return output

    return make


def reference():
    """A reference that the ledger has."""
    from translearn import measure
    from translearn.authoring.numbers import slug

    results = measure.recorded("taste.labels")
    return f"taste.labels.{slug(results.arms[0])}.{slug(results.metrics[0])}"


def test_a_reference_becomes_its_number_and_code_is_left_alone(made):
    from translearn.authoring.numbers import number

    text = PAGE.replace("taste.labels.pretrained_10.accuracy", reference())
    page = html.unescape((made(text) / "index.html").read_text(encoding="utf-8"))
    wanted = number(f"{reference()} | percent").replace(" ", "\N{NO-BREAK SPACE}")
    words = re.sub("<[^>]*>", "", page)
    assert f"A number {wanted}," in words and "{{ a.b.c.d, percent }}" in words
    assert page.count("<math") == 2 and "mathjax@" not in page.lower()


def test_an_unknown_reference_fails_with_page_and_reference(made):
    with pytest.raises(
        CourseError, match=r"index.*\{\{ taste.labels.nobody.nothing, percent \}\}"
    ):
        made("# One\n\n{{ taste.labels.nobody.nothing, percent }}\n")


def test_a_link_that_leads_nowhere_fails(made):
    with pytest.raises(CourseError, match="nowhere"):
        made("# One\n\n[Two](nowhere.md)\n")


def test_pages_are_read_again_when_a_number_was_measured_anew(tmp_path, monkeypatch):
    import references

    from translearn import paths

    monkeypatch.setattr(paths, "LEDGER", tmp_path)
    before = references.made_with()
    (tmp_path / "toy.json").write_text("{}")
    assert references.made_with() != before


def test_the_messages_of_a_translation_hold_the_reference(made):
    folder = made(f"# One\n\nA number {{{{ {reference()}, percent }}}}.\n", builder="gettext")
    assert f"A number {{{{ {reference()}, percent }}}}." in (folder / "index.pot").read_text()


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mine.png").touch()
    with pytest.raises(CourseError, match="has other things in it"):
        site.build(tmp_path)
    assert [file.name for file in tmp_path.rglob("*")] == ["pictures", "mine.png"]
    for _ in range(2):  # a new one, and the book that it is then
        site.claim(tmp_path / "book")
