"""A page whose address holds a token is opened by a private file: what a program is started with,
every account of the machine can read.
"""

import os
import re
from types import SimpleNamespace

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


def test_the_lessons_are_opened_by_such_a_file(monkeypatch, tmp_path):
    (tmp_path / "lab").mkdir()
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    process = SimpleNamespace(wait=lambda: 0, poll=lambda: 0)
    monkeypatch.setattr(
        lab,
        "start",
        lambda *_, **__: lab.Server(process, lab.PORT, "secret", "00_start_here.ipynb"),
    )
    nothing = SimpleNamespace(folder=lambda: tmp_path, lay_out=lambda folder: [])
    monkeypatch.setattr(lab, "copies", nothing, raising=False)
    opened = []
    monkeypatch.setattr(lab.webbrowser, "open", opened.append)
    assert lab.main([]) == 0
    (page,) = opened
    assert page.startswith("file:///") and "secret" not in page
    assert list((tmp_path / "lab").iterdir()) == []
