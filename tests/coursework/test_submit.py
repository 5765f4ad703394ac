"""Handing in: what was run and not saved, and files that would be too large to collect."""

import base64
import json

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from translearn.coursework.instructor import bank
from translearn.coursework.instructor.submission import LARGEST, grade_id, parse
from translearn.coursework.student import submit


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A function: the notebook that one works in. The run in a new process is left out: what it
    says is looked at in test_class.py.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("JPY_SESSION_NAME", "JUPYTERHUB_USER", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(submit, "_look", lambda *_: ([], True))

    def put(book):
        book = book | {"metadata": {"translearn": {"assignment": "A1"}}}
        (tmp_path / "A1.ipynb").write_text(json.dumps(book))
        return tmp_path

    return put


@pytest.fixture
def shell(monkeypatch, tmp_path_factory):
    """A function: a session that ran these cells, as IPython keeps them."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))

    def ran(*cells):
        session = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
        for number, source in enumerate(cells, 1):
            made = session.transform_cell(source)
            session.history_manager.store_inputs(number, made, source)
        assert session.user_ns["In"][-1].strip() == made.strip()
        monkeypatch.setattr("IPython.get_ipython", lambda: session)

    return ran


MAGIC = [
    "def huber(target, guess, delta=1.0):\n    return 0.0\n\n%timeit huber(1, 2)",
    "files = !ls",
    "huber_help = huber\nhuber?",
    "import numpy as np\n!pip list",
    "# look\n%timeit -n 1 huber(1, 2)\nslow = 1",
    "result = %timeit -n 1 -o huber(1, 2)",
    "x = 1   \ny = 2\n",
]


@pytest.mark.parametrize("source", MAGIC)
def test_a_saved_answer_with_magics_is_saved(source, desk, shell):
    desk(bank.notebook("A1", {"huber": source}))
    shell("import keras", source)
    assert "Not saved yet" not in submit.submit("A1", student="ada").markdown
    # As another editor saves it: without white space at the ends of lines.
    desk(bank.notebook("A1", {"huber": "\n".join(line.rstrip() for line in source.split("\n"))}))
    assert "Not saved yet" not in submit.submit("A1", student="ada").markdown


def test_what_was_run_and_not_saved_stops_it_and_there_is_a_way_out(desk, shell):
    place = desk(bank.notebook("A1", {"huber": MAGIC[0]}))
    shell(MAGIC[0], MAGIC[0].replace("0.0", "1.0"))
    said = submit.submit("A1", student="ada").markdown
    assert "Not saved yet" in said and "def huber" in said
    assert not (place / "A1_ada.ipynb").exists()
    assert "submit.submit('A1', as_saved=True)" in said
    assert "Not saved" not in submit.submit("A1", student="ada", as_saved=True).markdown
    assert (place / "A1_ada.ipynb").exists()


PNG = base64.b64encode(b"p" * 300_000).decode()


def figure(**more):
    data = {"image/png": PNG, "text/plain": ["<Figure>"], **more}
    return {"output_type": "display_data", "metadata": {"a": 1}, "data": data}


def test_a_notebook_of_a_usual_size_is_handed_in_as_it_is(desk):
    book = bank.notebook("A1", {})
    code = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [figure(**{"text/html": "<b>x</b>"})]
    place = desk(book)
    said = submit.submit("A1", student="ada").markdown
    assert "left out" not in said and "| State | Looked at |" in said
    handed_in = json.loads((place / "A1_ada.ipynb").read_text())
    assert handed_in["cells"] == book["cells"]


def test_outputs_that_are_too_large_to_collect_are_brought_down(desk):
    """25 MB of outputs were written, and `collect` refused them."""
    book = bank.notebook("A1", {})
    book["metadata"]["widgets"] = {"state": "w" * 1_000_000}
    codes = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    codes[0]["outputs"] = [figure(**{"text/html": "x" * 24_000_000})]
    codes[1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "y" * 3_000_000}]
    error = {"output_type": "error", "ename": "E", "evalue": "z", "traceback": ["t" * 100_000]}
    codes[2]["outputs"] = [error]
    place = desk(book)
    said = submit.submit("A1", student="ada").markdown
    assert "only what a person reads" in said and "is left out of the file" not in said
    assert "Everything that can be seen from here is well" in said
    data = (place / "A1_ada.ipynb").read_bytes()
    assert len(data) < 1_000_000 and submit.ROOM < submit.LARGEST == LARGEST
    kept = [cell["outputs"] for cell in json.loads(data)["cells"] if cell["cell_type"] == "code"]
    assert kept[0][0]["data"] == {"image/png": PNG, "text/plain": "<Figure>"}
    assert len(kept[1][0]["text"]) < 21_000 and kept[1][0]["text"].startswith("yyy")
    assert kept[2] == [error | {"traceback": []}]
    parse(data)


def test_too_many_pictures_cost_the_largest_outputs_only(desk, monkeypatch):
    monkeypatch.setattr(submit, "ROOM", 2**20)
    book = bank.notebook("A1", {})
    codes = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    codes[0]["outputs"] = [figure()] * 4
    codes[1]["outputs"] = [figure()]
    place = desk(book)
    said = submit.submit("A1", student="ada").markdown
    assert said.count("is left out of the file") == 1 and "1.5 MB" in said
    data = (place / "A1_ada.ipynb").read_bytes()
    assert len(data) <= submit.ROOM and parse(data)
    kept = [cell["outputs"] for cell in json.loads(data)["cells"] if cell["cell_type"] == "code"]
    assert "1.5 MB was left out on handing in" in kept[0][0]["text"][0]
    assert kept[1] == [
        figure() | {"metadata": {}, "data": figure()["data"] | {"text/plain": "<Figure>"}}
    ]


def test_pasted_pictures_that_are_too_large_are_said(desk, monkeypatch):
    monkeypatch.setattr(submit, "ROOM", 2**19)
    monkeypatch.setattr(submit, "LARGEST", 2**20)
    book = bank.notebook("A1", {})
    cell = next(cell for cell in book["cells"] if grade_id(cell) == "explain")
    cell["attachments"] = {"image.png": {"image/png": "p" * (2**20 + 1)}}
    desk(book)
    said = submit.submit("A1", student="ada").markdown
    assert "need a look" in said and "no more than 1 are collected" in said
    assert "make pictures that you pasted smaller" in said


def test_answers_are_looked_at_even_where_cells_of_ones_own_take_too_long(monkeypatch, tmp_path):
    """As in the marking: what a student's own cells do costs no answer its check."""
    seen = []

    def run(assignment, module, sources, folder, *_):
        seen.append(sources)
        if "train_for_hours()" in sources:
            return [{"running": 0}], "it took more than 120 s and was stopped in the cell `train`"
        checks = [
            {"question": each.name, "outcome": "passed"} for each in submit.questions(module)
        ]
        return checks, ""

    monkeypatch.setattr(submit, "_run", run)
    book = bank.notebook("A1", {})
    book["cells"].insert(3, {"cell_type": "code", "metadata": {}, "source": "train_for_hours()"})
    rows, good = submit._look("A1", book["cells"], tmp_path)
    said = "\n".join(rows)
    assert not good and "stopped in the cell `train`" in said
    assert "without the cells of your own" in said
    assert said.count("passes its visible check") == 8 and len(seen) == 2
    lost = [cell | {"metadata": {}} for cell in book["cells"]]  # which are answers, nobody knows
    rows, _ = submit._look("A1", lost, tmp_path)
    assert "not reached" in "\n".join(rows) and len(seen) == 3
