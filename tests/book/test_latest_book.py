"""The whole book in a browser, opened from disk: every page, every explorer, every link.

It is made from the lessons that have run (`executed.fresh`); of one that has not, the page lacks
what its cells show. The suite comes to this file last, when they all have.
"""

import os
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from long_part import chosen

from translearn.authoring import reading
from translearn.authoring.book import executed, site

LESSONS = [source.stem for source in reading.sources()]
OTHERS = "index measured answers assignments cards licences glossary search"
OTHERS += " teaching own-assignment contributing"
PAGES = [*LESSONS, *OTHERS.split()]
VARIANTS = [f"{theme} {width}" for theme in ("light", "dark") for width in (1280, 390)]
HEAVY = 5e6  # bytes: what a page and all the pictures that it can show may weigh


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    lessons = [reading.read(source) for source in reading.sources()]
    empty = nbformat.v4.new_notebook()
    ran = {one.name: executed.latest(one) for one in lessons}
    if os.environ.get("CI"):  # there the whole suite runs, and nothing may be left out
        assert [name for name, run in ran.items() if run is None] == []
    ran = {
        name: run or executed.Executed(empty, {}, tmp_path_factory.getbasetemp())
        for name, run in ran.items()
    }
    folder = tmp_path_factory.mktemp("book")
    source, output = folder / "source", folder / "book"
    site.lay(source, lessons, ran)
    site.run(source, output)
    return output


@pytest.fixture
def show(chromium, book):
    """A function that opens a page; nothing may be asked from outside or complained of."""
    contexts, asked, said = [], [], []

    def open_it(name, theme="light", width=1280):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append((message.type, message.text)))
        page.on("pageerror", lambda error: said.append(("error", str(error))))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((book / f"{name}.html").as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [one for one in said if one[0] in ("error", "warning")] == []
    inside = (book.as_uri() + "/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(inside)] == []


def variants():
    """Each page in one variant, which the commit chooses; in the others with the long part."""
    found = []
    for name in PAGES:
        first, *rest = chosen([f"{name} {variant}" for variant in VARIANTS], len(VARIANTS))
        found.append(pytest.param(*first.split(), id=first))
        for other in rest:
            mark = pytest.mark.long("browser")
            found.append(pytest.param(*other.split(), id=other, marks=mark))
    return found


@pytest.mark.parametrize("name, theme, width", variants())
def test_a_page_is_open_to_everybody(show, name, theme, width):
    page = show(name, theme, int(width))
    # A lesson's code is thousands of pieces; what colours it is looked at in contributing.html.
    context = {"exclude": [["pre"]]} if name in LESSONS else None
    found = Axe().run(page, context, options={"preload": False})
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "moves sideways"
    assert page.evaluate("document.documentElement.dataset.theme") == theme


@pytest.mark.parametrize("name", LESSONS)
def test_every_explorer_follows_the_keyboard(show, name):
    page = show(name)
    for figure in page.locator("figure.explorer").all():
        picture = figure.locator("img")
        for field in figure.locator("input, select").all():
            before = picture.get_attribute("src"), picture.get_attribute("alt")
            said, value = figure.locator("figcaption").inner_text(), field.input_value()
            field.focus()
            last = field.evaluate("one => one.max || String(one.options.length - 1)")
            slider = field.evaluate("one => one.type === 'range'")
            back, on = ("ArrowLeft", "ArrowRight") if slider else ("ArrowUp", "ArrowDown")
            page.keyboard.press(back if value == last else on)
            assert picture.get_attribute("src") != before[0], "the picture"
            assert picture.get_attribute("alt") != before[1], "its alt text"
            assert figure.locator("figcaption").inner_text() != said
            assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0


def test_a_bet_is_kept_and_settled(show, book):
    with_bet = next(
        (one for one in LESSONS if 'class="settled"' in (book / f"{one}.html").read_text("utf-8")),
        None,
    )
    if with_bet is None:  # no lesson has run
        assert not any(executed.fresh(reading.read(one)) for one in reading.sources())
        return
    page = show(with_bet)
    bet, settled = page.locator(".bet"), page.locator(".settled [role=status]")
    before = settled.inner_text()
    bet.locator("input").focus()
    page.keyboard.press("ArrowRight")
    bet.get_by_role("button").click()
    said = settled.inner_text()
    assert said != before and bet.locator("output").inner_text() in said
    page.reload()
    assert settled.inner_text() == said


# ---- What is in the files ----


class Look(HTMLParser):
    """Ids of a page, what it links to, and its pictures."""

    def __init__(self, file):
        super().__init__()
        self.ids, self.links, self.loads, self.bare, self.titles = set(), [], [], [], 0
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.add(found.get("id"))
        self.titles += tag == "h1"
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("img", "script", "link"):
            self.loads += [found[key] for key in ("src", "href") if found.get(key)]
        if tag == "img" and not (found.get("alt") or "").strip():
            self.bare.append(found.get("src"))


@pytest.fixture(scope="module")
def looks(book):
    return {file.name: Look(file) for file in book.glob("*.html")}


def test_there_is_no_page_but_those_that_are_looked_at(looks):
    assert looks.keys() == {f"{name}.html" for name in PAGES}


def test_every_page_has_one_title(looks):
    assert {name: look.titles for name, look in looks.items() if look.titles != 1} == {}


def test_links_lead_somewhere_anchors_included(looks, book):
    broken = []
    for name, look in looks.items():
        for link in look.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("http", "https", "mailto"), f"{name}: {link}"
                continue
            target = unquote(parts.path) or name
            there = looks.get(target)
            if not (book / target).exists():
                broken.append(f"{name}: {link}")
            elif there and parts.fragment and unquote(parts.fragment) not in there.ids:
                broken.append(f"{name}: {link} (no such anchor)")
    assert broken == []


def test_every_picture_has_words(looks):
    assert {name: look.bare for name, look in looks.items() if look.bare} == {}


def test_no_page_is_heavy_with_all_that_it_can_show(looks, book):
    heavy = {}
    for name in looks:
        text = (book / name).read_text(encoding="utf-8")
        shown = set(re.findall(r"pictures/[\w/.-]+\.\w+", text))
        for folder in set(re.findall(r'"url": "(pictures/[^"]+)"', text)):
            shown |= {f"{folder}{file}" for file in re.findall(r'"picture": "([^"]+)"', text)}
        files = {book / one for one in shown}
        size = len(text.encode()) + sum(file.stat().st_size for file in files if file.is_file())
        if size > HEAVY:
            heavy[name] = f"{size / 1e6:.1f} MB"
    assert heavy == {}


def test_what_every_page_loads_is_light(looks, book):
    """Scripts and styles, which a browser keeps from page to page."""
    common = {one.partition("?")[0] for one in looks["index.html"].loads if "_static/" in one}
    assert sum((book / one).stat().st_size for one in common) < HEAVY / 2


def test_no_reference_is_left_and_nothing_names_the_machine(book):
    for file in book.glob("*.html"):
        text = re.sub(r"<(pre|code)\b.*?</\1>", "", file.read_text(encoding="utf-8"), flags=re.S)
        assert "{{" not in text, file.name
    for file in [*book.rglob("*.html"), *book.rglob("*.js")]:
        assert str(book.parent) not in file.read_text(encoding="utf-8", errors="replace")
