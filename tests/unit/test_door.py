"""A page whose address holds a token is opened by a private file: what a program is started with,
every account of the machine can read.
"""

import os
import re
from types import SimpleNamespace

import pytest

from translearn import door, lab, paths

ADDRESS = "http://127.0.0.1:1/lab/tree/a.ipynb?a=1&token=secret"


def test_the_file_leads_on_is_private_and_goes(tmp_path):
    with door.to(ADDRESS, tmp_path) as page:
        (file,) = tmp_path.iterdir()
        assert page == file.as_uri() and "secret" not in page
        assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600
        text = file.read_text().replace("&amp;", "&")
        assert re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', text)[1] == ADDRESS
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Runs the lab's command without a server; what it started with, and what it opened."""
    (tmp_path / "lab").mkdir()
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    process = SimpleNamespace(wait=lambda: 0, poll=lambda: 0)
    found = SimpleNamespace(pages=[], server=None, folder=tmp_path / "lab")

    def start(_, port, start_page):
        found.server = lab.Server(process, port, "secret", start_page)
        return found.server

    monkeypatch.setattr(lab, "start", start)
    nothing = SimpleNamespace(folder=lambda: tmp_path, lay_out=lambda folder: [])
    monkeypatch.setattr(lab, "copies", nothing, raising=False)
    monkeypatch.setattr(lab.webbrowser, "open", found.pages.append)
    return found


def test_the_lessons_are_opened_by_such_a_file(opened):
    assert lab.main([]) == 0
    (page,) = opened.pages
    assert page.startswith("file:///") and "secret" not in page
    assert list(opened.folder.iterdir()) == []
    assert "/lab/tree/00_start_here.ipynb?" in opened.server.url()


def test_a_lesson_that_is_named_stands_in_front(opened, capsys):
    for name in ("05", "05_freezing"):
        assert lab.main([name]) == 0
        assert "/lab/tree/05_freezing.ipynb?" in opened.server.url()
    opened.server = None
    assert lab.main(["55"]) == 1 and opened.server is None
    assert "no lesson '55'" in capsys.readouterr().err
