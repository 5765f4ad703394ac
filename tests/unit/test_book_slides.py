"""How a lesson's cells become slides, on a demo lesson."""

from html.parser import HTMLParser
from types import SimpleNamespace

import nbformat
import pytest

from translearn import paths
from translearn.authoring import reading
from translearn.authoring.book import slide_cells, slide_text, slides

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="  # noqa: E501
)
LONG = "The first says it. " + "Then a good many sentences explain it at length. " * 9
LESSON = f"""\
---
kernelspec:
  name: python3
  display_name: Python 3
---

# 05 · Demo

What this is about: $p_k = 1$, see [lesson 00](00_start_here.ipynb).

⏱ Half an hour.

## 1 · The question

> **Does it hold?**

```{{code-cell}} ipython3
import numpy as np
```

## 3 · Do it

⏱ 3 minutes

{LONG}

### A part of it

Two short cells:

```{{code-cell}} ipython3
a = 1
```

```{{code-cell}} ipython3
b = 2
```

{LONG}Now it is shown:

```{{code-cell}} ipython3
:tags: [explorer]

plots.show(fig, alt="A line.")
```

How it was measured:

```{{code-cell}} ipython3
:tags: [ledger-only]

measure.compare(run, name="demo.ledger")
```

## 6 · Your turn

### Exercise 1 · Add

Add them.

```{{code-cell}} ipython3
:tags: [exercise]

def add(a, b):
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION
```

```{{code-cell}} ipython3
:tags: [exercise]

exercise.add.check(add)
```

## 7 · What we measured

* It holds.
"""


@pytest.fixture
def lesson(tmp_path):
    file = tmp_path / "05_demo.md"
    file.write_text(LESSON, encoding="utf-8")
    return reading.read(file)


def executed(lesson, outputs):
    """The lesson as it ran: what its cells show by a piece of their code."""
    cells = []
    for cell in lesson.cells:
        if cell.kind == "code":
            shown = [html for piece, html in outputs.items() if piece in cell.text]
            cells.append(
                nbformat.v4.new_code_cell(
                    cell.text,
                    id=cell.id,
                    outputs=[
                        nbformat.v4.new_output("display_data", {"text/html": html})
                        for html in shown
                    ],
                )
            )
    return SimpleNamespace(notebook=nbformat.v4.new_notebook(cells=cells))


FIGURE = f'<div><img alt="A line &amp; a dot." src="data:image/png;base64,{PIXEL}"></div>'


@pytest.fixture
def deck(lesson, tmp_path):
    ran = executed(
        lesson,
        {
            "plots.show": FIGURE,
            "add.check": "<div role='status'><p>Passed</p><p>1 of 1 exercises of it.</p></div>",
        },
    )
    shown = slide_cells.shown(ran, tmp_path)
    return slides.Deck(lesson, lambda cell: cell.text, shown)


def titles(deck):
    return [[slide.title for slide in column] for column in deck.columns]


def test_parts_and_exercises_begin_columns_and_the_rest_stands_below(deck):
    assert titles(deck) == [
        ["05 · Demo"],
        ["1 · The question"],
        ["3 · Do it", *["A part of it"] * 4],
        ["Exercise 1 · Add"] * 2,
        ["7 · What we measured"],
    ]
    assert deck.columns[2][1].over == "05 · Demo › 3 · Do it"


def test_of_a_long_paragraph_the_rest_stands_in_the_notes(deck):
    slide = deck.columns[2][0]
    assert slide.parts[0].startswith("<p>The first says it. Then")
    assert slide_text.length(slide.parts[0]) < len(LONG) < slide_text.length(slide.notes[1]) + 9
    assert slide.notes[0] == "⏱ 3 minutes"


def test_a_short_paragraph_and_short_cells_share_a_slide(deck):
    lead, code = deck.columns[2][1].parts
    assert "Two short cells:" in lead and "Two short" not in code
    assert code.count('<span class="n">') == 2  # a and b; what only imports is left out
    assert "numpy" not in slides.page(deck)


def test_a_figure_stands_alone_its_code_folded_and_its_alt_text_kept(deck, tmp_path):
    text, figure = deck.columns[2][2:4]
    assert text.kind == "text" and "Now it is shown" not in "".join(text.parts)
    lead, picture, code = figure.parts
    assert "Now it is shown:" in lead and code.startswith("<details>")
    assert 'alt="A line &amp; a dot."' in picture and "data:" not in picture
    [file] = (tmp_path / "pictures").iterdir()
    assert f'src="pictures/{file.name}"' in picture


def test_no_slide_names_the_folder_of_the_machine_that_made_it(tmp_path):
    output = nbformat.v4.new_output("stream", name="stdout", text=f"{paths.ROOT}/data/a.png")
    assert ">data/a.png<" in slide_cells._shown(output, tmp_path).html


def test_what_only_the_ledger_runs_is_left_out_and_promised_by_no_colon(deck):
    last = deck.columns[2][-1]
    assert last.parts == ["<p>How it was measured.</p>\n"]
    assert "demo.ledger" not in slides.page(deck)


def test_an_exercise_is_a_task_and_one_slide_down_its_solution(deck):
    task, solution = deck.columns[3]
    assert task.kind == "task" and "Add them." in task.parts[0] and "..." in task.parts[1]
    assert solution.kind == "solution" and "SOLUTION" not in "".join(solution.parts)
    assert "return" in solution.parts[0] and "return" not in "".join(task.parts)
    assert "Passed" in solution.parts[1] and "1 of 1" not in solution.parts[1]


def test_the_page_asks_for_nothing_from_outside_and_is_well_formed(deck):
    open_tags, asked = [], []

    class Look(HTMLParser):
        def handle_starttag(self, tag, attributes):
            asked.extend(value for key, value in attributes if key in ("src", "href"))
            if tag not in ("meta", "link", "img", "br", "input", "hr"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    page = slides.page(deck)
    Look().feed(page)
    assert open_tags == [] and asked
    assert all(one.startswith(("assets/", "pictures/", "data:,")) for one in asked)
    assert "<math" in page and "lesson 00" in page and "00_start_here" not in page


def test_assets_are_all_that_the_page_names(deck, tmp_path):
    slides.assets(tmp_path / "assets")
    there = {f"assets/{file.name}" for file in (tmp_path / "assets").iterdir()}
    named = set(slide_cells.re.findall(r'"(assets/[^"]+)"', slides.page(deck)))
    assert named <= there and "assets/reveal.LICENSE" in there


@pytest.mark.parametrize(
    "text, kept",
    [
        ("Short.", "Short."),
        ("One two. Three four.", "One two."),
        ("See `a. B` now. Then more.", "See `a. B` now."),
        ("A **bold. One** here. Then more.", "A **bold. One** here."),
        ("About (see 3. There) it. Then more.", "About (see 3. There) it."),
        ("At 1.5 or e.g. so much. Then more.", "At 1.5 or e.g. so much."),
        ("It is so. As follows:", "It is so."),
        ("这是第一句。这是第二句。", "这是第一句。"),
    ],
)
def test_prose_is_cut_between_sentences_only(text, kept):
    assert slide_text.shorten(text, 18 if len(text) > 12 else 12) == kept


def test_a_list_that_is_too_long_goes_on_on_the_next_slide():
    [block] = slide_text.blocks("\n".join(f"{n}. {'Word ' * 30}" for n in range(1, 8)))
    assert block.kind == "list" and len(block.items) == 7
    parts = [html for _, html, _ in slides._list(block)]
    assert len(parts) > 2 and '<ol start="3">' in parts[1]


def test_code_is_as_large_as_it_can_be_and_never_too_small():
    def size(code):
        return float(
            slide_cells.re.search(r"font-size:([\d.]+)px", slide_cells.code_html(code))[1]
        )

    assert size("a = 1") == 26 and size("\n".join(["a = 1"] * 80)) == 15
    assert 15 < size("a" * 95) < 20
