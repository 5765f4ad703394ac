"""A lesson as a chapter of the book, and what is kept of a lesson that has run."""

import base64
import io
import json
import shutil
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from PIL import Image

from translearn import paths
from translearn.authoring import reading
from translearn.authoring.book import chapters, executed

SOURCE = """\
---
kernelspec:
  name: python3
  display_name: Python 3
---

# 05 · Demo

It scored {{ taste.ten.pretrained.balanced_accuracy | percent }}; for more see
[A1](coursework/A1_losses.ipynb).

```{code-cell} ipython3
run()
```

```{code-cell} ipython3
:tags: [ledger-only]

measure.compare(run, name="demo.long")
```

```{code-cell} ipython3
:tags: [explorer]

widgets.explore(draw, rate=[1, 2])
```
"""


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "05_demo.md"
    file.write_text(SOURCE, encoding="utf-8")
    return reading.read(file)


def png(side):
    file = io.BytesIO()
    Image.new("RGB", (side, side), (10, 200, 30)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def html(text):
    return nbformat.v4.new_output("display_data", {"text/html": text})


def explorer(cell):
    control = {"name": "rate", "label": "rate", "kind": "slider", "values": ["1", "2"], "start": 0}
    points = {f"{at}": {"picture": f"{at}.webp", "alt": f"At {at}."} for at in range(2)}
    told = {"cell": cell, "width": 9, "height": 9, "whole": True}
    return told | {"controls": [control], "points": points}


def ran(lesson, folder, outputs):
    """The lesson as it ran, its first cell with these outputs, its last an explorer."""
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    cells = [nbformat.v4.new_code_cell(cell.text, id=cell.id) for cell in code]
    cells[0].outputs = outputs
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(2):
        (folder / f"{at}.webp").write_bytes(b"webp")
    explorers = {code[-1].id: explorer(code[-1].id)}
    return executed.Executed(nbformat.v4.new_notebook(cells=cells), explorers, folder)


@pytest.fixture
def chapter(lesson, tmp_path):
    widget = {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<p>Controls</p>"}
    outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
        nbformat.v4.new_output("stream", name="stdout", text=f"{paths.ROOT / 'predict.py'}: cat"),
        nbformat.v4.new_output("execute_result", {"text/plain": "<pool.limits at 0x7f6d01a1>"}),
        nbformat.v4.new_output("display_data", widget),
        html('<div><progress max="3"></progress> 3 of 3</div>'),
        nbformat.v4.new_output("display_data", {"text/markdown": "[00](00_start_here.ipynb#x)"}),
        html(f'<img alt="Green." src="data:image/png;base64,{png(400)}">'),
        html(f'<img alt="Small." src="data:image/png;base64,{png(8)}">'),
    ]
    run = ran(lesson, tmp_path / "ran", outputs)
    return chapters.chapter(lesson, run, tmp_path / "pictures")


def test_prose_keeps_its_references_for_after_translation_and_links_no_assignment(chapter):
    [text] = [cell.source for cell in chapter.cells if "scored" in cell.source]
    assert "{{ taste.ten.pretrained.balanced_accuracy, percent }}" in text and "see\nA1." in text


def test_what_no_reader_needs_is_left_out_and_pictures_are_files(chapter, tmp_path):
    [first] = [cell for cell in chapter.cells if cell.source == "run()"]
    printed, linked, *shown = first.outputs
    assert printed.text == "predict.py: cat"
    assert linked.data["text/markdown"] == "[00](00_start_here.ipynb#x)"  # Sphinx follows it
    for text, alt in zip((one.data["text/html"] for one in shown), ("Green.", "Small.")):
        assert f'alt="{alt}"' in text and "data:" not in text and 'loading="lazy"' in text
        file = tmp_path / "pictures" / Path(text.split('src="')[1].split('"')[0]).name
        assert "pictures/05_demo/" in text and Image.open(file).format == "WEBP"
    assert Image.open(file).convert("RGB").getpixel((0, 0)) == (10, 200, 30)  # small: exact


def test_an_explorer_lives_and_what_only_the_ledger_runs_is_folded(chapter, tmp_path):
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    assert "<details><summary>How the ledger measured demo.long" in text
    [output] = chapter.cells[-1].outputs
    assert output.data["text/html"].startswith('<figure class="explorer">')
    assert 'src="pictures/05_demo/0.webp"' in output.data["text/html"]
    assert (tmp_path / "pictures" / "1.webp").exists()


def test_a_styled_table_has_no_empty_header():
    made = pd.DataFrame({"a": [1]}).style.to_html()
    assert "&nbsp;</th>" in made and "&nbsp;</th>" not in chapters.BLANK.sub("<td></td>", made)


# ---- What is kept ----


def kept(lesson, monkeypatch, old=()):
    """Keep a run of the lesson, beside files of an older one; returns its folder."""
    monkeypatch.setattr(executed, "_code", lambda: "code")
    folder = paths.cache() / "executed" / "en" / lesson.name
    run = ran(lesson, folder.parent / "run", [])
    folder.mkdir()
    for name in ("0.webp", "1.webp", *old):
        (folder / name).write_bytes(b"webp")
    for cell, found in run.explorers.items():
        (folder / f"explorer-{cell}.json").write_text(json.dumps(found), encoding="utf-8")
    added = nbformat.v4.new_code_cell("added", metadata={"translearn": {"added": True}})
    book = nbformat.v4.new_notebook(cells=[*run.notebook.cells, added])
    executed.keep(lesson, book)
    return folder


def test_a_run_is_kept_and_found_again_without_what_was_put_in(lesson, monkeypatch):
    folder = kept(lesson, monkeypatch, old=["gone.webp"])
    found = executed.fresh(lesson)
    assert [cell.source for cell in found.notebook.cells][0] == "run()"
    assert "added" not in [cell.source for cell in found.notebook.cells]
    assert list(found.explorers) == [lesson.cells[-1].id] and found.folder == folder
    assert {file.name for file in folder.glob("*.webp")} == {"0.webp", "1.webp"}


def test_a_run_is_stale_when_the_lesson_or_what_shows_it_has_changed(lesson, monkeypatch):
    kept(lesson, monkeypatch)
    assert executed.fresh(lesson)
    monkeypatch.setattr(executed, "_code", lambda: "other code")
    assert executed.fresh(lesson) is None
    monkeypatch.setattr(executed, "_code", lambda: "code")
    lesson.cells[1].text = "run(again=True)"
    assert executed.fresh(lesson) is None


def test_another_language_is_another_run(lesson, monkeypatch):
    folder = kept(lesson, monkeypatch)
    shutil.copytree(folder, folder.parents[1] / "zh_CN" / folder.name)
    assert executed.fresh(lesson) is not None and executed.fresh(lesson, "zh_CN") is None


def test_what_makes_a_run_stale_names_files_that_there_are():
    for name in executed.SHOWS:
        assert (paths.ROOT / "translearn" / name).is_file(), name
    assert "NUMERICS" not in (parts := executed._code().split("\0")) and len(parts) > 20
