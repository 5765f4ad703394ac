"""Lesson 15 runs on any folder: its own cells, with another name in one line, on three folders."""

import ast

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from translearn import authoring, paths, widgets
from translearn.authoring import minutes

LINE = "PICTURES = data.example_folder()"
QUICK = {"SIZE = 160": "SIZE = 64", "SECONDS = 10": "SECONDS = 2"}


def cells():
    """(line, code) of what the lesson does with the reader's folder: all but the exercises and
    part 4, which measures on the example."""
    lesson = authoring.read(next(paths.SOURCE.glob("15_*.md")))
    for part, further, cell, text in minutes.pieces(lesson):
        if cell.kind == "code" and not {"exercise", "ledger-only"} & set(cell.tags):
            if further or not part.startswith("4 "):
                yield cell.line, text


def run(code, line, names):
    """Run a cell; returns the value of its last line, as a notebook would show it."""
    tree = ast.increment_lineno(ast.parse(code), line - 1)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "lesson 15", "exec"), names)
    if last is not None:
        return eval(compile(ast.Expression(last.value), "lesson 15", "eval"), names)


def drawing(draw, label, size, mode):
    """A picture of a class: as many bright stripes as its number says, on noise."""
    high, wide = size
    pixels = draw.integers(0, 90, (high, wide, 3))
    pixels[:, :: 2 + label] += 40 + draw.integers(0, 100)
    pixels[:: 2 + label % 5, :, label % 3] += 60
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def two_uneven_grey_classes(folder, draw):
    for label, (name, count) in enumerate({"a": 24, "b": 7}.items()):
        for n in range(count):
            file = folder / name / f"{n}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            drawing(draw, label, (60, 90), "L").save(file)


def thirty_classes(folder, draw):
    for label in range(30):
        for n in range(6):
            file = folder / f"class {label:02}" / "deeper" / f"{n}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            drawing(draw, label, (40, 40), "RGB").save(file)


def already_split(folder, draw):
    for part, count in {"Train": 6, "Val": 3, "Test": 4}.items():
        for label, name in enumerate(("Äpfel", "pears", "nuts & bolts")):
            for n in range(count):
                file = folder / part / name / f"{part}{n}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                drawing(draw, label, (100, 50 + 10 * n), "RGB").save(file)


@pytest.mark.parametrize("make", [two_uneven_grey_classes, thirty_classes, already_split])
def test_the_lesson_runs_on(make, tmp_path, monkeypatch):
    folder = tmp_path / "pictures"
    make(folder, np.random.default_rng(0))
    monkeypatch.chdir(tmp_path)
    plt.close("all")  # what other tests have left
    names, changed = {"__name__": "__main__"}, set()
    for line, code in cells():
        for old, new in (QUICK | {LINE: f"PICTURES = {str(folder)!r}"}).items():
            if old in code:
                changed.add(old)
                code = code.replace(old, new)
        shown = run(code, line, names)
        if isinstance(shown, widgets.Explorer):
            assert "translearn-error" not in shown.picture, shown.picture
        assert not plt.get_fignums(), f"a figure is left open by the cell in line {line}"
    assert changed == {LINE, *QUICK}, "the lines to change do not stand in the lesson"
    assert names["tested"].labels.tolist() == names["clean"].test.labels.tolist()
    made = {file.name for file in (tmp_path / "my_model").iterdir()}
    assert {"model.keras", "model.tflite", "predict.py", "report.html", "README.md"} <= made
