"""JupyterLab as a learner meets it: starts clean, and its widgets move the figures. The lessons
follow in `test_lessons_*.py`.
"""

import nbformat
import pytest
from lab_page import PATIENCE

CELLS = [
    "import base64, io\nimport ipywidgets as widgets\nfrom IPython.display import HTML, "
    "display\nfrom PIL import Image",
    """def figure(value):
    file = io.BytesIO()
    Image.new("RGB", (60 * value, 40), "teal").save(file, "PNG")
    code = base64.b64encode(file.getvalue()).decode()
    return HTML(f'<img alt="a bar of length {value}" src="data:image/png;base64,{code}">')

slider = widgets.SelectionSlider(options=[1, 2, 5, 10], description="labels")
out = widgets.Output()

def show(change):
    out.clear_output(wait=True)
    with out:
        display(figure(change.new))

slider.observe(show, "value")
with out:
    display(figure(slider.value))
display(slider, out)""",
    "choice = widgets.Dropdown(options=['frozen', 'tuned'])\nchoice.observe(lambda c: "
    "show(type('C', (), {'new': 3})), 'value')\nchoice",
]


@pytest.fixture
def notebook(lab):
    def write(name, *cells):
        nb = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={
                "kernelspec": {
                    "name": "python3",
                    "display_name": "Python 3 (ipykernel)",
                    "language": "python",
                }
            },
        )
        nbformat.write(nb, lab.folder / name)
        return name

    return write


def test_the_helpers_on_a_small_notebook(page, notebook):
    page.open(notebook("90_small.ipynb", *CELLS))
    page.run_all()
    assert page.cell_errors() == []

    page.page.wait_for_selector(".widget-slider .noUi-handle")
    page.page.wait_for_selector(".jp-OutputArea-output img")
    before = page.figures()
    assert len(before) == 1 and page.figures_without_alt() == []
    page.move_slider(2)
    after = page.wait_until_figures_change(before)
    page.select("tuned")
    assert page.wait_until_figures_change(after) not in (before, after)
    assert page.area.locator("img[alt='a bar of length 3']").count() == 1
    page.screenshot("small-notebook")
    assert page.errors == [] and page.strangers == []


def test_the_helpers_see_what_is_wrong(page, notebook):
    page.open(
        notebook(
            "91_wrong.ipynb",
            "from IPython.display import HTML\nHTML('<img src=\"data:,\">')",
            "1 / 0",
            "print('never')",
        )
    )
    page.run_all()
    assert page.cell_errors() == [
        "cell 1: ZeroDivisionError: division by zero",
        "cell 2 did not run",
    ]
    page.page.wait_for_selector(".jp-OutputArea-output img", state="attached")
    assert len(page.figures_without_alt()) == 1
    with page.page.expect_console_message(), page.page.expect_request("http://example.org/"):
        page.page.evaluate(
            "console.error('something broke'); fetch('http://example.org/').catch(() => 0)"
        )
    assert any("something broke" in error for error in page.errors)
    assert page.strangers == ["http://example.org/"]
    with pytest.raises(AssertionError, match="no figure changed"):
        page.wait_until_figures_change(page.figures(), seconds=1)


def test_a_kernel_of_the_lab_is_ours_and_offline(page, notebook):
    name = notebook(
        "92_kernel.ipynb",
        "import sys\nprint(sys.executable)",
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 5)\nexcept OSError "
        "as error:\n    print(error)",
    )
    assert page.open(name) == "python3"
    page.run_all()
    import sys

    executable, network = (cell["outputs"][0]["text"] for cell in page.cells())
    assert executable.strip() == sys.executable
    assert "Tests run without the network" in network


def test_the_lab_opens_without_pop_ups_lessons_at_the_left(page, notebook, lab):
    for name in ("source", "solutions", "coursework"):
        (lab.folder / name).mkdir(exist_ok=True)
    page.open(notebook("93_last.ipynb", "1"))
    # The news question would come a moment after the page. That nothing comes is no event: here,
    # time must pass.
    page.page.wait_for_timeout(3000)
    assert page.popups() == []
    files = page.files()
    notebooks = [name for name in files if name.endswith(".ipynb")]
    assert notebooks == sorted(notebooks) and "11_gpt_on_prose.ipynb" in notebooks
    assert sorted(name for name in files if name not in notebooks) == ["glossary.md", "solutions"]
    menus = page.page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
    assert "Kernel" in menus and "Nbgrader" not in menus  # it is for a server with an exchange
    page.screenshot("lab")
    assert page.errors == [] and page.strangers == []


def test_the_start_page_leads_to_the_lessons_and_remembers_what_was_passed(page, notebook):
    """The table's link opens the lesson; an exercise passed in one kernel shows in the table of
    another.
    """
    table = "from translearn.exercises import overview\noverview.lessons()"
    solve = (
        "from translearn.exercises import progress\nprogress.forget('lesson00')\nfrom "
        "translearn.exercises import lesson00 as exercise\n"
        "from translearn import data\nexercise.chance.check(1 / 12, data.load('emoji_styles'))"
    )
    page.open(notebook("94_solve.ipynb", solve))
    page.run_all()
    assert page.cell_errors() == []
    page.open(notebook("95_table.ipynb", table))
    page.run_all()
    row = page.area.locator("tr", has_text="00 · Start here")
    row.wait_for()
    assert "1 of 7" in row.inner_text()
    page.screenshot("overview")
    page.area.locator("a", has_text="05 · Freezing").click()
    page.page.wait_for_selector("h1:visible:has-text('05 · Freezing')")
    assert page.errors == [] and page.strangers == []


def test_the_glossary_opens_as_a_page_and_its_links_lead_to_the_place(page):
    page.page.goto(page.server.url("glossary.md") + "&reset")
    shown = page.page.locator(".jp-MarkdownViewer")
    shown.locator("h1", has_text="Glossary").wait_for()
    page.screenshot("glossary")
    # Other entries may speak of it; its own has it as a name.
    named = page.page.get_by_text("linear probe", exact=True)
    shown.locator("p").filter(has=named).locator("a").click()
    place = page.page.locator(
        ".jp-NotebookPanel:not(.lm-mod-hidden) strong", has_text="linear probe"
    )
    place.wait_for()
    # It has been scrolled to once it is in sight.
    page.page.wait_for_function(
        "term => { const at = term.getBoundingClientRect().y; return 90 < at && at < 850; }",
        arg=place.element_handle(),
    )
    page.screenshot("glossary-link")
    assert page.errors == [] and page.strangers == []


def test_the_server_keeps_strangers_out(lab):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=PATIENCE)
    connection.request("GET", "/api/kernelspecs")
    assert connection.getresponse().status == 403
    connection.close()
    assert list(lab.ask("/api/kernelspecs")[1]["kernelspecs"]) == ["python3"]
