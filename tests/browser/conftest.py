"""JupyterLab as `course.py lab` starts it, and a page of it.

All fixtures end with their module, as the browser does (tests/plugins/in_chromium.py).
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab_page import PATIENCE, LabPage  # noqa: E402


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A server whose folder starts as a copy of the lessons: JupyterLab saves what it runs."""
    from translearn import lab as course_lab
    from translearn import paths

    folder = tmp_path_factory.mktemp("lessons")
    for notebook in paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"):
        shutil.copy(notebook, folder)
    shutil.copy(paths.NOTEBOOKS / "glossary.md", folder)
    server = course_lab.start(
        folder,
        # Each worker of a parallel run looks for a free port in a stretch of its own.
        port=18888 + 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]),
        home=tmp_path_factory.mktemp("lab-home"),
        wait=PATIENCE,
        # The one difference to what a reader gets: the page's application object can be reached
        # from outside.
        extra=("--LabApp.expose_app_in_browser=True",),
    )
    server.folder = folder
    yield server
    server.stop()


@pytest.fixture
def page(chromium, lab):
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)  # 30 s are not enough on a busy machine
    page = LabPage(context.new_page(), lab)
    yield page
    context.close()
    for session in lab.ask("/api/sessions")[1]:
        lab.ask(f"/api/sessions/{session['id']}", "DELETE")
