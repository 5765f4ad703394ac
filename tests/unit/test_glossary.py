"""The glossary: terms found in lessons, their sentences, and what is refused."""

import json
import re
from types import SimpleNamespace

import pytest

from translearn import authoring, paths
from translearn.authoring import glossary


def lesson(*cells, name="07_test"):
    line, made = 10, []
    for text in cells:
        made.append(SimpleNamespace(kind="markdown", text=text, line=line, id=f"cell{len(made)}"))
        line += len(text.splitlines()) + 1
    return SimpleNamespace(name=name, cells=made)


def test_a_term_comes_with_its_sentence_its_section_and_its_line():
    found = glossary.terms(
        lesson(
            "# 07 · Test\n\nFirst words.",
            "## 2 · See it\n\nNothing yet. A **probe** is a small model\nthat asks what features "
            "know. More.",
        )
    )
    (term,) = found
    assert (term.name, term.meaning) == (
        "probe",
        "A *probe* is a small model that asks what features know.",
    )
    assert (term.title, term.heading, term.line) == ("07 · Test", "2 · See it", 16)
    assert term.link == "07_test.ipynb#cell-id=cell1"


def test_list_items_and_table_cells_are_blocks_of_their_own():
    found = glossary.terms(
        lesson(
            "# T\n\n* An **apple** is a fruit that grows on trees, not below.\n* A **beet** is a "
            "root that grows below, not on trees.\n\n"
            "| 1 | a **carrot**: a root that is orange, for the most part |\n|---|---|"
        )
    )
    assert [term.meaning for term in found] == [
        "An *apple* is a fruit that grows on trees, not below.",
        "A *beet* is a root that grows below, not on trees.",
        "a *carrot*: a root that is orange, for the most part",
    ]


def test_a_short_sentence_takes_its_neighbour_along():
    (term,) = glossary.terms(lesson("# T\n\nOnly the last layer learns. The rest is **frozen**."))
    assert term.meaning == "Only the last layer learns. The rest is *frozen*."


def test_questions_leads_and_numbers_are_no_terms():
    assert (
        glossary.terms(
            lesson(
                "# T\n\n> **What is it?**\n\n* **It pays.** We gained **12 points** and **{{ "
                "a.b.c.d }}**."
            )
        )
        == []
    )


@pytest.mark.parametrize("again", ["a **Batch**", "two **batches**", "a **batch**"])
def test_a_term_introduced_twice_is_named_with_both_places(again):
    first, second = (
        lesson("# One\n\nA **batch** is a group of examples.", name="01_one"),
        lesson(f"# Two\n\nHere is {again} again.", name="02_two"),
    )
    ((where, line, problem),) = glossary.twice([first, second])
    assert where is second and line == 12 and "01_one introduced it under 'One'" in problem
    assert glossary.twice([first]) == []


def test_the_page_is_in_alphabetical_order_and_every_link_leads_to_the_cell_of_its_term():
    lessons = [authoring.read(path) for path in authoring.sources()]
    page = glossary.page(lessons)
    names = re.findall(r"^\*\*(.+?)\*\* ·", page, re.M)
    assert len(names) > 25 and {"logits", "seed", "linear probe"} <= set(names)
    keys = [term.key for each in lessons for term in glossary.terms(each)]
    assert len(keys) == len(set(keys)) == len(names)
    assert [name.casefold()[0] for name in names] == sorted(name.casefold()[0] for name in names)
    links = re.findall(r"^\*\*(.+?)\*\* ·.*\]\(([^)#]+)#cell-id=(\w+)\)$", page, re.M)
    assert len(links) == len(names)
    for name, file, place in links:
        cells = json.loads((paths.NOTEBOOKS / file).read_text(encoding="utf-8"))["cells"]
        (cell,) = [cell for cell in cells if cell["id"] == place]
        assert f"**{name}**" in "".join(cell["source"])


def test_the_build_refuses_a_term_that_is_introduced_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "SOURCE", tmp_path)
    for name in ("01_one", "02_two"):
        (tmp_path / f"{name}.md").write_text(
            "# T\n\nA **batch** is a group of examples.\n", encoding="utf-8"
        )
    with pytest.raises(
        authoring.BuildError,
        match="02_two.md:3: the term 'batch' is set in bold again; 01_one introduced it",
    ):
        authoring.outputs()
