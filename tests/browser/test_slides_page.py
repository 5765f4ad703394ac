"""A small deck in a browser, opened from disk: keys, notes, what is high or wide, and paper."""

import base64
import io
from types import SimpleNamespace

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from translearn.authoring import reading
from translearn.authoring.book import slides

LESSON = f"""\
---
kernelspec:
  name: python3
  display_name: Python 3
---

# 05 · Demo

What this is about.

## 1 · The question

> **Does $p_k = \\frac{{1}}{{2}}$ hold?**

{"It is a long story, and told here in all its length. " * 12}

```{{code-cell}} ipython3
{chr(10).join(f'a{n} = "{"x" * n}"' for n in range(60))}
```

```{{code-cell}} ipython3
table
```

```{{code-cell}} ipython3
:tags: [explorer]

bet = widgets.Bet("demo", "How many?", 0, 100)
bet
```

## 2 · See it

Look:

```{{code-cell}} ipython3
:tags: [explorer]

plots.show(fig, alt="Tall.")
```

```{{code-cell}} ipython3
:tags: [explorer]

widgets.explore(draw, rate=[0.1, 0.2, 0.3], kind=["L1", "L2"])
```

```{{code-cell}} ipython3
:tags: [explorer]

bet.settle(measured)
```

```{{code-cell}} ipython3
:tags: [explorer]

widgets.Guesses(truth, choices)
```

## 6 · Your turn

### Exercise 1 · Add

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
"""
ROW = "".join(f"<td>{n}.000 ± 0.000</td>" for n in range(24))
TABLE = f"<table class='dataframe'><tbody>{f'<tr><th>row</th>{ROW}</tr>' * 40}</tbody></table>"


SETTLED = "<div role='status'><b>The bet:</b> How many?<br>Measured: <b>58 %</b>. No bet.</div>"
CONTROLS = [
    {"name": "rate", "label": "rate", "kind": "slider", "values": ["0.1", "0.2", "0.3"]},
    {"name": "kind", "label": "kind", "kind": "menu", "values": ["L1", "L2"]},
]


def picture(width, height, kind="PNG"):
    """A grey picture, as the bytes of a file."""
    file = io.BytesIO()
    Image.new("L", (width, height), height % 256).save(file, kind)
    return file.getvalue()


def explored(cell, folder):
    """What the rehearsal keeps of an explorer: one control at a time, at three and two values."""
    points = {}
    for at, place in enumerate(("0,0", "1,0", "2,0", "0,1")):
        (folder / f"{at}.webp").write_bytes(picture(900, 400 + at, "WEBP"))
        points[place] = {"picture": f"{at}.webp", "alt": f"Drawn at {place}."}
    controls = [control | {"start": 0} for control in CONTROLS]
    size = {"width": 640, "height": 300}
    return size | {"cell": cell, "controls": controls, "whole": False, "points": points}


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deck")
    source = folder / "05_demo.md"
    source.write_text(LESSON, encoding="utf-8")
    lesson = reading.read(source)
    tall = base64.b64encode(picture(900, 2400)).decode()
    shows = {
        "table": TABLE,
        "plots.show": f'<div><img alt="Tall." src="data:image/png;base64,{tall}"></div>',
        "bet.settle": SETTLED,
        "exercise.add": "<p>Passed</p>",
    }
    cells, explorers = [], {}
    for cell in lesson.cells:
        cells.append(nbformat.v4.new_code_cell(cell.text, id=cell.id))
        for begins, html in shows.items():
            if cell.text.startswith(begins):
                output = nbformat.v4.new_output("display_data", {"text/html": html})
                cells[-1].outputs.append(output)
        if cell.text.startswith("widgets.explore"):
            explorers[cell.id] = explored(cell.id, folder)
        if cell.text.startswith("widgets.Guesses"):
            asked = {"truth": {"A": "cat", "B": "dog"}, "choices": ["cat", "dog"]}
            explorers[cell.id] = asked | {"cell": cell.id, "points": {}}
    notebook = nbformat.v4.new_notebook(cells=cells)
    executed = SimpleNamespace(notebook=notebook, explorers=explorers, folder=folder)
    return slides.write(lesson, executed, folder / "book")


@pytest.fixture
def show(chromium, deck):
    """A function that opens the deck; what it asked for and complained of is looked at in the
    end.
    """
    contexts, asked, said = [], [], []

    def open_it(width=1280, height=720, theme="light", query=""):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(deck.as_uri() + query)
        page.wait_for_function("Reveal.isReady()")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert said == []
    folder = deck.parent.as_uri()
    assert [url for url in asked if not url.startswith((folder, "data:", "blob:", "about:"))] == []


def at(page):
    return tuple(page.evaluate("Object.values(Reveal.getIndices()).slice(0, 2)"))


def title(page):
    return page.evaluate("Reveal.getCurrentSlide().querySelector('h1').textContent")


def text(page):
    return page.evaluate("Reveal.getCurrentSlide().innerText")


def go(page, selector):
    """To the slide that holds what the selector names."""
    page.evaluate(
        """selector => {
          const at = Reveal.getIndices(document.querySelector(selector).closest("section"));
          Reveal.slide(at.h, at.v);
        }""",
        selector,
    )


SEEN = "[...Reveal.getCurrentSlide().querySelectorAll('img')].every(one => one.complete)"
# What sticks out of its slide, but for what lies in a box that scrolls.
STICKS_OUT = """() => {
  const found = [], slide = Reveal.getCurrentSlide().querySelector(".slide");
  const edge = slide.getBoundingClientRect();
  if (edge.top < -1 || edge.bottom > innerHeight + 1) found.push("the slide");
  for (const one of slide.querySelectorAll("*")) {
    if (one.parentElement.closest(".scrolls, details:not([open]), math")) continue;
    const box = one.getBoundingClientRect();
    if (box.bottom > edge.bottom + 1 || box.right > edge.right + 1 || box.left < edge.left - 1)
      found.push(one.outerHTML.slice(0, 100));
  }
  return found;
}"""


@pytest.mark.parametrize("width, height", [(1280, 720), (1920, 1080), (1024, 768)])
def test_nothing_sticks_out_of_a_slide(show, width, height):
    page = show(width, height)
    seen = set()
    for _ in range(page.evaluate("Reveal.getTotalSlides()")):
        page.wait_for_function(SEEN)
        assert page.evaluate(STICKS_OUT) == [], title(page)
        seen.add(at(page))
        page.keyboard.press("Space")
    assert len(seen) == page.evaluate("Reveal.getTotalSlides()")


def test_keys_go_through_the_lesson_and_down_to_a_solution(show):
    page = show()
    assert title(page) == "05 · Demo"
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert title(page) == "Exercise 1 · Add" and "return a + b" not in text(page)
    page.keyboard.press("ArrowDown")
    assert at(page) == (3, 1) and "return a + b" in text(page)
    page.keyboard.press("Escape")
    assert page.evaluate("Reveal.isOverview()")
    page.keyboard.press("Escape")
    assert not page.evaluate("Reveal.isOverview()")


def test_high_code_is_reached_with_the_tab_key_and_scrolls_without_leaving_the_slide(show):
    page = show()
    page.evaluate("Reveal.slide(1, 1)")
    box = page.get_by_role("region", name="Code")
    page.keyboard.press("Tab")
    assert box.evaluate("one => one === document.activeElement")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.scrollTop > 0")
    assert at(page) == (1, 1)
    page.keyboard.press("ArrowRight")
    assert at(page) == (2, 0)


def test_an_explorer_moves_by_keyboard_and_not_the_slides(show):
    page = show()
    go(page, ".explorer")
    slider, menu = page.get_by_label("rate"), page.get_by_label("kind")
    figure = page.locator("figure.explorer img")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert at(page) == (2, 1)
    assert figure.get_attribute("src") == "pictures/2.webp"
    assert figure.get_attribute("alt") == "Drawn at 2,0."
    assert slider.get_attribute("aria-valuetext") == "0.3"
    assert "rate: 0.3, kind: L1" in page.locator("figcaption").inner_text()
    menu.focus()
    page.keyboard.press("ArrowDown")  # not drawn together with the last rate: that goes back
    assert figure.get_attribute("alt") == "Drawn at 0,1." and at(page) == (2, 1)
    assert slider.input_value() == "0"
    page.wait_for_function("document.querySelector('.explorer img').naturalHeight === 403")


def test_a_bet_is_placed_on_one_slide_and_settled_on_another_and_stays(show):
    page = show()
    go(page, ".bet")
    slider = page.get_by_label("My bet")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Place the bet").click()
    for again in (False, True):
        if again:
            page.reload()
            page.wait_for_function("Reveal.isReady()")
        go(page, ".settled")
        assert "You bet 55 %, which is 3 points off." in text(page)


def test_guesses_are_counted(show):
    page = show()
    go(page, ".guesses")
    page.get_by_label("A", exact=True).select_option("cat")
    page.get_by_label("B", exact=True).select_option("cat")
    page.get_by_role("button", name="How many are right?").click()
    assert "1 of 2 are right." in text(page) and "✗ you said cat; it is dog" in text(page)


def test_d_turns_dark_and_the_choice_stays(show):
    page = show()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.keyboard.press("d")
    dark = page.evaluate(ground)
    assert light == "rgb(255, 255, 255)" and dark != light
    page.reload()
    page.wait_for_function("Reveal.isReady()")
    assert page.evaluate(ground) == dark


def test_the_speaker_sees_the_whole_of_what_was_cut_short(show):
    page = show()
    page.evaluate("Reveal.slide(1, 0)")
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("It is a long story").wait_for()
    told = notes.inner_text().count("It is a long story")
    assert told == 12 > text(page).count("long story")


def test_on_paper_each_slide_is_a_page_and_nothing_is_cut_off(show, tmp_path):
    page = show(query="?print-pdf", theme="dark")
    page.wait_for_selector(".pdf-page")
    page.wait_for_function("[...document.images].every(one => one.complete)")
    assert page.locator(".pdf-page").count() == page.evaluate("Reveal.getTotalSlides()")
    over = """() => [...document.querySelectorAll(".scrolls")].filter(
        box => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1
    ).map(box => box.outerHTML.slice(0, 100))"""
    page.wait_for_function(f"({over})().length === 0")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_slides_are_open_to_everybody(show):
    page = show()
    for at in page.evaluate("Reveal.getSlides().map(one => Reveal.getIndices(one))"):
        page.evaluate("at => Reveal.slide(at.h, at.v)", at)
        found = Axe().run(page, options={"preload": False})
        assert found.response["violations"] == [], found.generate_report()
        page.keyboard.press("d")
        only = {"preload": False, "runOnly": ["color-contrast"]}
        found = Axe().run(page, options=only)
        assert found.response["violations"] == [], found.generate_report()
        page.keyboard.press("d")
