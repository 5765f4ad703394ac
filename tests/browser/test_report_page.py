"""A report's page checked by axe-core, and a picture really dropped on the widget."""

import base64
import json
import re

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe

from translearn.report import limits, writing

PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="  # noqa: E501
NAMES = ["cat", "dog with a rather long name", "bird"]


@pytest.fixture
def report(tmp_path):
    """A page in which every part has something to show."""
    recall = {"pictures": 10, "right": 6, "recall": 0.6, "low": 0.31, "high": 0.83}
    score = {"ece": 0.2, "mean confidence": 0.8, "log loss": 1.1, "brier": 0.6}
    bins = [
        {"from": low / 10, "to": low / 10 + 0.1, "pictures": 6, "confidence": 0.75, "right": 0.5}
        for low in (2, 5, 9)
    ]
    mistake = {"key": "cat/1.png", "label": "cat", "guess": "bird", "confidence": 0.97}
    file = {"file": "model.keras", "megabytes": 14.2, "milliseconds": 20.0, "difference": 1e-7,
            "same": 1.0, "pictures": 30, "accuracy": 0.7, "keras_accuracy": 0.7}  # fmt: skip
    record = {
        "name": "Pets", "author": "A reader", "licence": "mit", "made": "2026-01-01T00:00:00",
        "data": {"name": "pets", "classes": NAMES, "size": [96, 96, 3], "fit": "cut",
                 "counts": {part: dict.fromkeys(NAMES, 10) for part in ("train", "test")},
                 "said": ["2 copies of other pictures."]},
        "look": {"sentences": ["One leak."], "counts": {"leak": 1}, "left out": 0,
                 "leaks left in": 1,
                 "findings": [{"kind": "leak", "key": "a.png", "sentence": "a.png is b.png."}]},
        "training": {"plan": ["one", "two"], "chosen": "LDA", "score": 0.7, "spent": 18.0,
                     "seconds": 20.0, "seed": 0, "ended": "finished", "inference": 12.0,
                     "tried": [{"arm": "LDA", "score": 0.7, "spread": 0.1, "seconds": 3.0}]},
        "diagnosis": {"verdict": "sick", "missing": ["More."], "seen": ["5 epochs"],
                      "findings": [{"name": "overfitting", "evidence": "rises"}]},
        "test": {"when": "2026-01-01", "pictures": 30, "looks": 2, "looks sentence": "One other.",
                 "accuracy": 0.6, "accuracy interval": [0.4, 0.8], "balanced accuracy": 0.6,
                 "balanced interval": [0.4, 0.8], "majority": 0.33, "interval": "Wilson",
                 "recalls": [{"class": name, **recall} for name in NAMES],
                 "confusion": [[6, 4, 0], [3, 7, 0], [0, 0, 10]],
                 "calibration": {**score, "temperature": 1.5, "bins": 10, "by chance": 0.1,
                                 "chance limit": 0.15, "table": bins, "fitted on": 30,
                                 "with temperature": score},
                 "mistakes": [mistake] * 2},
        "cost": {"parameters": 3428396, "megabytes": 13.7, "milliseconds": 14.0},
        "machine": {"system": "Linux", "processor": "x86_64", "cores": 2, "python": "3.11"},
        "versions": {"keras": "3.15"},
        "hand over": {"files": [file], "said": ["There is no model.tflite."]},
    }  # fmt: skip
    record["limits"] = limits.limits(record)
    page = tmp_path / "report.html"
    shown = {"mistakes": [PIXEL] * 2, "sheet": (PIXEL, "two pictures")}
    page.write_text(writing.page(record, shown), encoding="utf-8")
    return page


@pytest.mark.parametrize("theme, width", [("light", 1200), ("dark", 1200), ("light", 400)])
def test_the_report_is_open_to_everybody(chromium, report, theme, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, offline=True
    )
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(report.as_uri())
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    # What axe cannot see: words in drawings, and whether the page moves sideways.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor").startswith("rgb(22,")
    assert dark == (theme == "dark")
    for path in page.locator("svg text").all():
        ink = path.evaluate("one => getComputedStyle(one).fill")
        assert ink == page.evaluate("getComputedStyle(document.body).color")
    page.emulate_media(media="print", color_scheme=theme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert said == []
    context.close()


CELL = """import keras
import numpy as np
from translearn import widgets
inputs = keras.Input((16, 16, 3))
grey = keras.layers.GlobalAveragePooling2D()(inputs)
model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(grey))
model.layers[-1].set_weights([np.array([[1, -1]] * 3), np.array([-300, 300])])
widgets.drop(model, ["light", "dark"])"""

DROP = """([name, kind, text]) => {
    const bytes = Uint8Array.from(atob(text), one => one.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, {type: kind}));
    const place = document.querySelector(".translearn-drop");
    for (const what of ["dragenter", "dragover", "drop"])
        place.dispatchEvent(new DragEvent(what, {dataTransfer: files, bubbles: true,
            cancelable: true}));
}"""


def test_a_dropped_and_a_chosen_picture_are_guessed(page, tmp_path):
    import numpy as np
    from PIL import Image

    # Noise, so that the file has more than one piece.
    noise = np.random.default_rng(0).integers(150, 256, (700, 900, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "bright.png")
    Image.new("RGB", (40, 30), "black").save(tmp_path / "night.png")
    blob = (tmp_path / "bright.png").read_bytes()
    assert len(blob) > 1_000_000

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(book, page.server.folder / "95_drop.ipynb")
    # From the first listener on the browser hands every file chooser over. Asked for only when the
    # key is pressed, it may come too late, and the chooser be lost.
    page.page.on("filechooser", lambda chooser: None)
    page.open("95_drop.ipynb")
    page.run_all()
    assert page.cell_errors() == []
    place = page.area.locator(".translearn-drop")
    place.wait_for()

    page.page.evaluate(DROP, ["bright.png", "image/png", base64.b64encode(blob).decode()])
    said = page.area.locator("[role=status]", has_text="light")
    said.wait_for()
    assert "bright.png" in said.inner_text()
    assert page.area.locator("table th[scope=row]").all_inner_texts() == ["light", "dark"]
    page.screenshot("drop-dropped")
    found = Axe().run(page.page, context=".jp-NotebookPanel .jp-OutputArea")
    assert found.response["violations"] == [], found.generate_report()

    chooser = page.area.get_by_label(re.compile("Drop a picture here"))
    chooser.focus()
    with page.page.expect_file_chooser() as opened:
        page.page.keyboard.press("Enter")
    opened.value.set_files(tmp_path / "night.png")
    page.area.locator("[role=status]", has_text="dark").wait_for()
    assert page.figures_without_alt() == []

    text = base64.b64encode(json.dumps({}).encode()).decode()
    page.page.evaluate(DROP, ["note.json", "application/json", text])
    refused = page.area.locator("[role=alert]")
    refused.wait_for()
    assert "note.json cannot be shown: not a picture" in refused.inner_text()
    page.screenshot("drop-refused")
    assert page.errors == [] and page.strangers == []
