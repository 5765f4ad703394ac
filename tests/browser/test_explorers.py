"""One explorer each of two lessons in the browser, chosen by the commit: in a page a control moves
its figure.

That an explorer draws at every place of its range is shown in the kernel, by the lesson's
rehearsal.
"""

import ast

import nbformat
import pytest
from long_part import chosen

from translearn import authoring
from translearn.authoring import notebooks
from translearn.authoring.depends import gives_and_takes

LESSONS = [path for path in authoring.sources() if not path.stem.startswith("00")]


def cells_for(lesson, which: int) -> list:
    """The code of the lesson's explorer number `which` and of the cells above that it needs."""
    code = [
        (cell, "".join(cell["source"]))
        for cell in notebooks.cells(lesson, solved=True)
        if cell["cell_type"] == "code"
    ]
    at = [n for n, (_, text) in enumerate(code) if "widgets.explore(" in text][which]
    kept, needed = [code[at][1]], _needs(code[at][1])
    modules = {
        name
        for _, text in code
        for statement in ast.parse(text).body
        if isinstance(statement, (ast.Import, ast.ImportFrom))
        for name in gives_and_takes(statement)[0]
    }
    for cell, text in reversed(code[:at]):
        if "exercise" in cell["metadata"].get("tags", []):
            continue
        if any(_serves(statement, needed, modules) for statement in ast.parse(text).body):
            kept.insert(0, text)
            needed |= _needs(text)
    return kept


def _needs(text):
    return set().union(*(gives_and_takes(statement)[1] for statement in ast.parse(text).body))


def _serves(statement, needed, modules) -> bool:
    """Whether a statement gives a name that is needed, or calls a method of what stands behind
    one.
    """
    if gives_and_takes(statement)[0] & needed:
        return True
    called = {
        ast.unparse(node.func).split(".")[0]
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return isinstance(statement, (ast.Expr, ast.Assign)) and bool(called & needed - modules)


@pytest.mark.parametrize("path", chosen(LESSONS, 2), ids=lambda path: path.stem)
def test_an_explorer_follows_its_controls_in_the_browser(page, path):
    lesson = authoring.read(path)
    count = sum(cell.kind == "code" and "widgets.explore(" in cell.text for cell in lesson.cells)
    which = chosen(range(count), 1)[0]
    texts = cells_for(lesson, which)  # a cell that it needs may show an explorer of its own
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in texts],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
    )
    nbformat.write(book, page.server.folder / "96_explorer.ipynb")
    page.open("96_explorer.ipynb")
    page.run_all()
    assert page.cell_errors() == []
    shown = sum("widgets.explore(" in text for text in texts)
    assert page.explorers() == shown and page.controls().count() > 0
    for control in range(page.controls().count()):
        down, up = page.range_of(control)
        page.move(1 if up else -1, control)
    assert page.area.locator(".translearn-error").count() == 0
    assert page.figures_without_alt() == []
    page.screenshot(f"{path.stem}-explorer-{which + 1}")
    assert page.errors == [] and page.strangers == []
