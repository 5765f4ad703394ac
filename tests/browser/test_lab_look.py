"""What a lesson's page looks like and says, while it runs and after: one small notebook, opened
wide and narrow, light and dark, run, reopened and exported.
"""

import nbformat
import pytest

PROSE = "# A page\n\n" + "Some words of prose with a [link](00_start_here.ipynb) in it. " * 12
CELLS = [
    """import time
import matplotlib.pyplot as plt
import pandas as pd
import translearn
from translearn import widgets
from tqdm.auto import tqdm

for _ in tqdm(range(3), desc="counting"):
    pass""",
    """def draw(learning_rate, how):
    if learning_rate == 0.3:
        time.sleep(2)
    fig, ax = plt.subplots(figsize=(9, 3))
    ax.plot([0, learning_rate])
    ax.set_title(how)
    return fig, f"a line up to {learning_rate}, {how}"

widgets.explore(draw, learning_rate=[0.1, 0.2, 0.3], how=["frozen", "tuned"])""",
    "pd.DataFrame({'score': [1]}, index=['an arm'])",
    "long = "
    + repr("a line of ninety-nine columns, as long as lessons have: no end is cut off")
    + ", 12345\n",
]

# How many characters a line of a paragraph holds, on average.
CHARACTERS = """one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const lines = new Set([...range.getClientRects()].map(line => Math.round(line.bottom / 4)));
    return one.textContent.length / lines.size;
}"""
CONTRAST = """one => {
    const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    let behind = one;
    const clear = /, 0\\)|transparent/;
    while (clear.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentNode;
    const [a, b] = [getComputedStyle(one).color, getComputedStyle(behind).backgroundColor]
        .map(light).sort();
    return (b + 0.05) / (a + 0.05);
}"""

# The page's own background is dark in the dark theme.
THEME = """theme => {
    const page = document.querySelector('.jp-Notebook');
    const [red] = getComputedStyle(page).backgroundColor.match(/\\d+/g);
    return (red < 128) === (theme === 'dark');
}"""


@pytest.fixture
def opened(page):
    code = [nbformat.v4.new_code_cell(source) for source in CELLS]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(PROSE), *code])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(book, page.server.folder / "97_look.ipynb")
    page.open("97_look.ipynb")
    page.run_all()
    assert page.cell_errors() == []
    page.controls().nth(1).wait_for()
    return page


def save(page):
    page.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")


def test_a_notebook_speaks_while_it_runs_and_stays_when_reopened_and_exported(opened):
    page = opened
    slider, menu = page.controls().all()
    page.page.wait_for_function("one => one.ariaLabel", arg=slider.element_handle())
    assert slider.get_attribute("aria-label") == "learning rate"
    assert slider.get_attribute("aria-valuetext") == "0.1"
    assert page.area.get_by_label("how", exact=True).evaluate("one => one.tagName") == "SELECT"
    page.move(1, 0)
    assert slider.get_attribute("aria-valuetext") == "0.2"
    slider.press("ArrowRight")  # takes two seconds
    working = page.area.locator(".translearn-explorer [role=status]")
    working.wait_for()
    page.page.wait_for_function(
        "one => getComputedStyle(one).opacity === '1'", arg=working.element_handle()
    )
    page.screenshot("look-working")
    page.area.locator("figcaption", has_text="learning rate: 0.3, how: frozen").wait_for()
    working.wait_for(state="detached")
    page.move(1, 1)
    save(page)
    assert page.errors == []

    for session in page.server.ask("/api/sessions")[1]:
        page.server.ask(f"/api/sessions/{session['id']}", "DELETE")
    page.open("97_look.ipynb")
    lost = page.area.locator(".jupyter-widgets", has_text="Error displaying widget")
    lost.first.wait_for(state="attached")
    assert lost.count() == 1
    said = "one => [getComputedStyle(one).fontSize, getComputedStyle(one, '::after').content]"
    assert lost.evaluate(said) == ["0px", '"Run this cell to use its controls."']
    shown = page.area.inner_text()
    assert "counting: 3 of 3" in shown
    assert "Drawn for learning rate: 0.3, how: tuned" in shown
    assert page.area.locator("img[alt='a line up to 0.3, tuned']").count() == 1
    page.screenshot("look-reopened")

    from nbconvert import HTMLExporter

    html, _ = HTMLExporter().from_filename(str(page.server.folder / "97_look.ipynb"))
    (page.server.folder / "look.html").write_text(html, encoding="utf-8")
    for words in ("counting: 3 of 3", "Drawn for learning rate: 0.3, how: tuned", "<progress "):
        assert words in html
    assert 'alt="a line up to 0.3, tuned"' in html and "Controls (learning rate, how)" in html
    assert "widget-view" not in html and "Error displaying widget" not in html
    page.page.goto((page.server.folder / "look.html").as_uri())
    page.screenshot("look-exported")


def test_a_page_can_be_read_wide_narrow_light_and_dark(opened):
    page = opened
    code = page.area.locator(".cm-scroller")
    cut = "all => all.some(one => one.scrollWidth > one.clientWidth)"
    prose = page.area.locator(".jp-RenderedMarkdown p")
    page.page.set_viewport_size({"width": 2200, "height": 900})
    page.screenshot("look-2200")
    assert 60 < prose.evaluate(CHARACTERS) <= 85
    for theme in ("light", "dark"):
        page.page.emulate_media(color_scheme=theme)
        page.page.wait_for_function(THEME, arg=theme)
        page.page.set_viewport_size({"width": 1280, "height": 800})
        assert not code.evaluate_all(cut)
        caption = page.area.locator("figcaption")
        assert caption.evaluate(CONTRAST) >= 4.5
        assert caption.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") >= 13
        link = page.area.locator(".jp-RenderedMarkdown a").nth(1)
        assert "underline" in link.evaluate("one => getComputedStyle(one).textDecorationLine")
        page.screenshot(f"look-{theme}-1280")
    assert page.area.locator("th:empty").count() == 0 and page.area.locator("th").count() == 2
    page.page.set_viewport_size({"width": 853, "height": 533})  # 1280 × 800 at 150 %
    image = page.area.locator(".jp-OutputArea-output img")
    assert image.evaluate("one => one.getBoundingClientRect().width") >= 600
    assert image.evaluate("one => one.naturalWidth / one.getBoundingClientRect().width") >= 1.5
    assert not code.evaluate_all(cut)
    image.scroll_into_view_if_needed()
    page.screenshot("look-150")
    assert page.errors == [] and page.strangers == []
