"""The lessons outside the repository: the reader's own copies, and a kernel for a Jupyter of one's
own.
"""

import json
import shutil
import subprocess
import sys

import pytest

from translearn import authoring, paths
from translearn.authoring import handout, notebooks
from translearn.lab import copies, kernel


@pytest.fixture
def course(tmp_path):
    """A folder of lessons as the build writes them: one, its solution, the glossary."""
    folder = tmp_path / "course"
    for page in ("00_start_here.ipynb", "solutions/00_start_here.ipynb", "glossary.md"):
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.NOTEBOOKS / page, folder / page)
    return folder


def edit(file, change):
    book = json.loads(file.read_text(encoding="utf-8"))
    change(book)
    file.write_text(json.dumps(book), encoding="utf-8")


def rebuilt(book):
    """As a new version of the course has it."""
    book["cells"][0]["source"] = ["# Another heading"]
    book["metadata"]["translearn"]["build"] = handout.sources_hash(book["cells"])


def answered(book):
    next(c for c in book["cells"] if c["cell_type"] == "code")["execution_count"] = 1


def test_a_reader_works_in_copies_which_follow_the_course_until_they_are_worked_in(
    course, tmp_path
):
    work, lesson = tmp_path / "work", "00_start_here.ipynb"
    assert copies.lay_out(work, course) == []
    pages = sorted(page.relative_to(work) for page in work.rglob("*.*"))
    assert pages == sorted(page.relative_to(course) for page in course.rglob("*.*"))

    edit(course / lesson, rebuilt)
    assert copies.lay_out(work, course) == []
    assert (work / lesson).read_bytes() == (course / lesson).read_bytes()

    edit(work / lesson, answered)
    mine = (work / lesson).read_bytes()
    assert copies.lay_out(work, course) == [], "the same version, in which the reader works"
    edit(course / lesson, lambda book: rebuilt(book) or book["cells"].pop())
    edit(course / lesson, rebuilt)
    assert copies.lay_out(work, course) == [lesson]
    assert (work / lesson).read_bytes() == mine

    (work / lesson).rename(work / "mine.ipynb")
    assert copies.lay_out(work, course) == []
    assert (work / lesson).read_bytes() == (course / lesson).read_bytes()


def test_a_copy_that_cannot_be_read_is_kept_and_named(course, tmp_path):
    copies.lay_out(tmp_path, course)
    (tmp_path / "00_start_here.ipynb").write_text("half a noteb")
    assert copies.lay_out(tmp_path, course) == ["00_start_here.ipynb"]
    assert (tmp_path / "00_start_here.ipynb").read_text() == "half a noteb"


def test_git_does_not_see_what_a_reader_does(monkeypatch, tmp_path):
    work = copies.folder().relative_to(paths.ROOT)
    ask = ["git", "check-ignore", "--no-index", "--quiet", str(work / "00_start_here.ipynb")]
    assert subprocess.run(ask, cwd=paths.ROOT).returncode == 0
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    monkeypatch.setattr(copies.os, "access", lambda *_: False)  # a folder that one may only read
    assert copies.folder() == tmp_path / "work"


def test_the_kernel_is_registered_for_the_readers_jupyter_and_knows_the_course(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "ours"))
    monkeypatch.setenv("READERS_JUPYTER_DATA_DIR", str(tmp_path / "theirs"))
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert kernel.main() == 0
    folder = tmp_path / "theirs" / "kernels" / "translearn"
    assert str(folder) in capsys.readouterr().out and not (tmp_path / "ours").exists()
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["display_name"] == "Transfer Learning, Measured"
    assert spec["argv"][0] == sys.executable and "ipykernel_launcher" in spec["argv"]
    assert spec["env"]["PYTHONNOUSERSITE"] == "1" and spec["env"]["PYTHONPATH"] == ""

    taken = tmp_path / "a file"
    taken.write_text("")
    monkeypatch.setenv("READERS_JUPYTER_DATA_DIR", str(taken))
    assert kernel.main() == 1
    assert "The kernel could not be registered" in capsys.readouterr().err


@pytest.mark.parametrize("solved", [False, True])
def test_the_first_code_of_a_lesson_says_what_to_do_where_the_course_is_unknown(solved):
    lesson = authoring.read(next(paths.SOURCE.glob("03_*.md")))
    cells = json.loads(notebooks.notebook(lesson, solved))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code[0].startswith("# No module named 'translearn'?")
    assert "import" in code[0] and not any("No module named" in text for text in code[1:])
    said = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    for words in (kernel.TITLE, "python3 course.py kernel", "python3 course.py lab"):
        assert words in code[0] and words in said
