"""Explorers, bets and guesses of the book, on a small page of their own, opened from disk.

The page has the theme's style sheet and the book's, so that what axe finds is what readers have.
"""

import itertools
import re
from pathlib import Path

import pydata_sphinx_theme
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from translearn.authoring.book import explorers

STATIC = Path(explorers.__file__).parent / "sphinx" / "static"
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
STYLES = [THEME / "styles" / "pydata-sphinx-theme.css"]
STYLES += [STATIC / name for name in ("site.css", "book.css")]
SIZE = {"width": 320, "height": 120}
HOSTILE = "<b>\"1\"</b> & '2' </script><!--<script> {values}"


def control(label, kind, values, start):
    return {"name": label, "label": label, "kind": kind, "values": values, "start": start}


def manifest(cell, folder, whole, controls, alt="{cell}: drawn at {place}."):
    """What the rehearsal keeps of an explorer, with a picture of its own for each point."""
    start = [one["start"] for one in controls]
    points = {}
    for place in itertools.product(*(range(len(one["values"])) for one in controls)):
        if whole or sum(a != b for a, b in zip(place, start)) <= 1:
            name = f"{cell}-{'-'.join(map(str, place))}.webp"
            grey = 40 * len(points) % 256
            Image.new("L", (SIZE["width"], SIZE["height"]), grey).save(folder / name, "WEBP")
            said = alt.replace("{cell}", cell).replace("{place}", ",".join(map(str, place)))
            points[",".join(map(str, place))] = {"picture": name, "alt": said}
    return SIZE | {"cell": cell, "controls": controls, "whole": whole, "points": points}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The page's file, and its explorers: id → manifest."""
    folder = tmp_path_factory.mktemp("page")
    pictures = folder / "pictures"
    pictures.mkdir()
    rate = control("rate", "slider", ["0.001", "0.01", "0.1"], 1)
    kinds = control("kind", "menu", ["L1", "L2"], 0)
    found = [
        manifest("whole", pictures, True, [rate, kinds]),
        manifest("star", pictures, False, [rate, control("steps", "slider", ["5", "50"], 0)]),
        manifest(
            "hostile", pictures, True, [control(HOSTILE, "menu", [HOSTILE, "2"], 0)], alt=HOSTILE
        ),
        manifest("far", pictures, True, [control("seed", "slider", ["0", "1"], 0)]),
    ]
    asked = {"key": "demo", "question": HOSTILE, "low": 0, "high": 100}
    fine = {"key": "fine", "question": "How far?", "low": 0, "high": 1, "unit": "m", "step": 0.01}
    truth = {"A": "cat", "B": "dog"}
    game = {"cell": "game", "points": {}, "truth": truth, "choices": ["cat", "dog", HOSTILE]}
    near = [explorers.explorer_html(one, "pictures/") for one in found[:3]]
    parts = [*near, explorers.bet_html(**asked), explorers.bet_html(**fine)]
    parts += [explorers.settled_html(measured=58.0, **asked), explorers.guesses_html(game)]
    parts.append('<div style="height: 9000px"></div>')
    parts.append(explorers.explorer_html(found[3], "pictures/"))
    style = "".join(f"<style>{file.read_text(encoding='utf-8')}</style>" for file in STYLES)
    script = (STATIC / "book.js").read_text(encoding="utf-8")
    (folder / "book.js").write_text(script, encoding="utf-8")
    file = folder / "page.html"
    file.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Demo</title>'
        f'<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f'{style}<script src="book.js" defer></script></head><body><main style="padding: 1em">'
        f"<h1>Demo</h1>{''.join(parts)}</main></body></html>",
        encoding="utf-8",
    )
    return file, {one["cell"]: one for one in found}


@pytest.fixture
def show(chromium, made):
    """A function that opens the page; what it asked for and complained of is looked at in the
    end.
    """
    contexts, asked, said = [], [], []

    def open_it(width=1200, theme="light", before="", **more):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, offline=True, **more
        )
        context.set_default_timeout(5_000)
        contexts.append(context)
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.asked = asked
        page.goto(made[0].as_uri())
        if more.get("java_script_enabled", True):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((made[0].parent.as_uri(), "data:"))] == []


def figure(page, cell):
    return page.locator("figure.explorer").filter(has=page.locator(f"[id='{cell}-0']"))


def shows(page, explorer, *place):
    """The figure, its words and its controls are those of this place, and can be seen."""
    one, point = figure(page, explorer["cell"]), explorer["points"][",".join(map(str, place))]
    picture = one.locator("img")
    src = f"pictures/{point['picture']}"
    page.wait_for_function(
        "([img, src]) => img.getAttribute('src') === src", arg=[picture.element_handle(), src]
    )
    assert picture.get_attribute("alt") == point["alt"]
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == SIZE["width"]
    caption = one.locator("figcaption")
    assert caption.get_attribute("aria-live") == "polite"
    for at, (asked, value) in enumerate(zip(explorer["controls"], place)):
        word = asked["values"][value]
        field = page.locator(f"[id='{explorer['cell']}-{at}']")
        assert field.input_value() == str(value)
        assert f"{asked['label']}: {word}" in caption.inner_text()
        if asked["kind"] == "slider":
            assert field.get_attribute("aria-valuetext") == word
            assert one.locator("output").nth(at).inner_text() == word
    return True


# ---- Explorers ----


def test_every_control_moves_by_keyboard_and_all_combinations_are_there(show, made):
    page, whole = show(), made[1]["whole"]
    shows(page, whole, 1, 0)
    slider = figure(page, "whole").get_by_role("slider", name="rate")
    menu = figure(page, "whole").get_by_role("combobox", name="kind")
    slider.focus()
    for key, at in (("ArrowRight", 2), ("Home", 0), ("End", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        shows(page, whole, at, 0)
    page.keyboard.press("Tab")
    assert menu.evaluate("one => one === document.activeElement")
    page.keyboard.press("ArrowDown")
    shows(page, whole, 1, 1)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    shows(page, whole, 0, 1)
    assert figure(page, "whole").get_by_text("One control at a time").count() == 0
    shows(page, made[1]["star"], 1, 0)  # another explorer on the page stays as it is


def test_one_control_at_a_time_puts_the_others_back_and_says_so(show, made):
    page, star = show(), made[1]["star"]
    one = figure(page, "star")
    assert one.get_by_text(explorers.WORDS["one at a time"]).is_visible()
    one.get_by_role("slider", name="steps").press("ArrowRight")
    shows(page, star, 1, 1)
    one.get_by_role("slider", name="rate").press("End")
    shows(page, star, 2, 0)
    one.get_by_role("slider", name="steps").press("ArrowRight")
    shows(page, star, 1, 1)


def test_many_quick_moves_end_with_the_last(show, made):
    page, whole = show(), made[1]["whole"]
    figure(page, "whole").get_by_role("slider").evaluate(
        """slider => { for (const at of [0, 2, 1, 2, 0, 1, 2]) {
             slider.value = at;
             slider.dispatchEvent(new Event("input", { bubbles: true }));
           } }"""
    )
    page.wait_for_timeout(200)
    shows(page, whole, 2, 0)


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_a_slider_follows_mouse_and_touch(show, made, touch):
    page = show(400, has_touch=touch)
    slider = figure(page, "whole").get_by_role("slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] - 4, box["y"] + box["height"] / 2
    (page.touchscreen.tap if touch else page.mouse.click)(x, y)
    shows(page, made[1]["whole"], 2, 0)
    assert box["height"] >= 24, "too low for a finger (WCAG 2.2, target size)"


def test_pictures_load_when_they_are_seen_and_nothing_jumps(show, made):
    page, far = show(), made[1]["far"]
    picture = figure(page, "far").locator("img")
    page.wait_for_load_state("load")
    assert not [url for url in page.asked if "/far-" in url]
    before = picture.bounding_box()
    assert before["height"] / before["width"] == pytest.approx(
        SIZE["height"] / SIZE["width"], 0.02
    )
    picture.scroll_into_view_if_needed()
    shows(page, far, 0)
    figure(page, "far").get_by_role("slider").press("ArrowRight")
    shows(page, far, 1)
    after = picture.bounding_box()
    assert (after["width"], after["height"]) == (before["width"], before["height"])


def test_paper_shows_where_it_starts_and_the_screen_what_was_chosen(show, made):
    page, whole = show(), made[1]["whole"]
    figure(page, "whole").get_by_role("slider").press("End")
    shows(page, whole, 2, 0)
    page.evaluate(
        """() => addEventListener("beforeprint", () => {
             const one = document.querySelector("figure.explorer");
             window.printed = [one.querySelector("img").getAttribute("src"), one.innerText];
           })"""
    )
    page.pdf()
    src, text = page.evaluate("window.printed")
    assert src == f"pictures/{whole['points']['1,0']['picture']}"
    assert "rate: 0.01, kind: L1" in text
    shows(page, whole, 2, 0)


def test_folds_are_open_on_paper_and_as_they_were_on_the_screen_after(show):
    page = show()
    page.evaluate(
        """() => {
             for (const open of ["", "open"]) {
               document.querySelector("main").insertAdjacentHTML(
                 "beforeend", `<details ${open}><summary>Hint</summary>A hint.</details>`);
             }
             window.states = () =>
               [...document.querySelectorAll("main > details")].map((one) => one.open);
             addEventListener("beforeprint", () => { window.printed = states(); });
           }"""
    )
    page.pdf()
    assert page.evaluate("[window.printed, states()]") == [[True, True], [False, True]]


def test_hostile_words_are_shown_as_they_are(show, made):
    page, hostile = show(), made[1]["hostile"]
    shows(page, hostile, 0)
    menu = figure(page, "hostile").get_by_role("combobox", name=HOSTILE)
    menu.select_option("1")
    shows(page, hostile, 1)
    bold = page.locator("main b").all_inner_texts()
    assert bold and '"1"' not in bold, "a word was read as HTML"
    # Nothing behind them was swallowed.
    assert page.locator("figure.explorer").count() == len(made[1])
    assert page.locator(".bet").count() == 2 and page.locator(".guesses").count() == 1


def test_without_a_script_each_explorer_shows_its_start(show, made):
    page = show(java_script_enabled=False)
    shown = page.locator("figure.explorer img")
    for at, one in enumerate(made[1].values()):
        start = one["points"][",".join(str(each["start"]) for each in one["controls"])]
        assert shown.nth(at).get_attribute("alt") == start["alt"]
        assert shown.nth(at).get_attribute("src") == f"pictures/{start['picture']}"
    page.locator(".settled summary").click()  # the browser's own, which needs none
    assert page.get_by_text("58 %").is_visible()


# ---- Bets ----


def bet_of(page, label):
    """The slider, the button and what is said of a bet."""
    box = page.locator(".bet").nth(label)
    return box.get_by_role("slider"), box.get_by_role("button"), box.locator("[role=status]")


def test_what_was_measured_is_folded_until_a_bet_is_placed_and_can_be_opened(show):
    page = show()
    settled = page.locator(".settled")
    assert HOSTILE in settled.inner_text()
    assert not page.get_by_text("58 %").is_visible()
    settled.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("58 %").is_visible()


def test_a_bet_is_placed_by_keyboard_settled_at_once_and_kept(show):
    page = show()
    slider, button, status = bet_of(page, 0)
    assert "this browser" in status.inner_text()
    assert slider.get_attribute("aria-valuetext") == "50 %"
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "51 %"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    def placed(bet, off):
        assert f"Your bet: {bet} %" in status.inner_text()
        said = page.locator(".settled").inner_text()
        assert "Measured: 58 %" in said
        assert f"You bet {bet} %, which is {off} points off." in said

    placed(51, 7)
    page.reload()
    placed(51, 7)
    assert slider.input_value() == "51"
    slider.press("End")
    button.click()  # another bet takes its place
    placed(100, 42)
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [1, 0]


def test_a_bet_of_small_steps_has_its_digits_and_leaves_the_other_alone(show):
    page = show()
    slider, button, status = bet_of(page, 1)
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "0.51 m"
    button.click()
    assert "0.51 m" in status.inner_text()
    assert not page.get_by_text("58 %").is_visible()


@pytest.mark.parametrize("kept", ["null", "nonsense", '{"demo": "much"}'])
def test_a_bet_that_was_kept_wrongly_is_none(show, kept):
    page = show(before=f"localStorage.setItem('translearn-bets', {kept!r})")
    slider, button, status = bet_of(page, 0)
    assert "No bet placed yet" in status.inner_text()
    assert slider.input_value() == "50"
    button.click()
    assert "You bet 50 %, which is 8 points off." in page.locator(".settled").inner_text()


def test_where_nothing_may_be_kept_a_bet_lasts_as_long_as_the_page(show):
    refuse = "() => { throw new DOMException('no', 'SecurityError'); }"
    page = show(before=f"Object.defineProperty(window, 'localStorage', {{get: {refuse}}})")
    bet_of(page, 0)[1].click()
    assert "which is 8 points off" in page.locator(".settled").inner_text()


# ---- Guesses ----


def test_guesses_are_counted_and_nothing_is_given_away_before(show):
    page = show()
    game = page.locator(".guesses")
    button, status = (
        game.get_by_role("button", name="How many are right?"),
        game.get_by_role("status"),
    )
    assert '"cat"' not in page.content(), "the answers stand in the page's source"
    button.click()
    assert "cat" not in status.inner_text() and "dog" not in status.inner_text()
    for name in ("A", "B"):
        game.get_by_role("combobox", name=name).select_option("cat")
    button.press("Enter")
    assert "1 of 2 are right." in status.inner_text()
    assert [("✓" in one, "✗" in one) for one in status.locator("li").all_inner_texts()] == [
        (True, False),
        (False, True),
    ]
    game.get_by_role("combobox", name="B").select_option(HOSTILE)
    button.click()
    assert HOSTILE in status.locator("li").nth(1).inner_text()


# ---- Open to everybody ----


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(show, made, theme, width):
    page = show(width, theme)
    figure(page, "star").get_by_role("slider", name="rate").press("End")
    bet_of(page, 0)[1].click()
    page.get_by_role("button", name="How many are right?").click()
    found = Axe().run(page, options={"preload": False})
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "moves sideways"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 128
    assert dark == (theme == "dark"), "the theme's style is not in force"
