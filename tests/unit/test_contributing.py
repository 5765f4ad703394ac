"""docs/contributing.md, followed literally in a copy of the course: each block, in its order."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from translearn.paths import ROOT

PAGE = ROOT / "docs" / "contributing.md"
BLOCK = re.compile(r"^(`{3,})(\w+)(?: (\S+))?\n(.*?)^\1$", re.M | re.S)
# What course.py hands over to, in the environment that it makes.
MODULES = {"build": ["-m", "translearn.authoring", "build"], "test": ["-m", "pytest", "-q"]}


def section(title) -> list:
    """The blocks of a section as (language, file or None, text)."""
    text = PAGE.read_text(encoding="utf-8")
    part = re.search(rf"^## {title}\n.*?(?=^## |\Z)", without_blocks(text), re.M | re.S)
    blocks = BLOCK.finditer(text, part.start(), part.end())
    return [(match[2], match[3], match[4]) for match in blocks]


def without_blocks(text) -> str:
    """The page with its blocks blanked out, each character in its place."""
    return BLOCK.sub(lambda match: " " * len(match[0]), text)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The course without its lessons, notebooks and history; the large files are links."""
    place = tmp_path_factory.mktemp("copy") / "course"
    place.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "*.npz", "weights", "ledger")
    for folder in ("translearn", "data", "tests/exercises", "tests/golden", "tests/plugins"):
        shutil.copytree(ROOT / folder, place / folder, ignore=left_out)
    files = "README.md tests/unit/golden.py pyproject.toml requirements.lock conftest.py"
    for file in files.split():
        (place / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, place / file)
    for file in [*(ROOT / "data").glob("*.npz"), ROOT / "data/weights", ROOT / "data/ledger"]:
        (place / "data" / file.name).symlink_to(file)
    for bank in (place / "tests/exercises/banks").glob("lesson*.py"):
        bank.unlink()  # the lessons of these are not here
    (place / "notebooks" / "source").mkdir(parents=True)
    return place


def run(copy, line) -> str:
    """Run a line of a bash block in the copy; what it printed."""
    first, *words = shlex.split(line)
    assert first == "python3"
    if words[0] == "course.py":
        words = [*MODULES[words[1]], *words[2:]]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "TRANSLEARN_CACHE": str(copy / ".cache")},
        capture_output=True,
        text=True,
        timeout=1800,  # for a line that hangs
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def follow(copy, title) -> str:
    """Follow a section: write its files, run its commands, look for what it says they print."""
    said = everything = ""
    for language, file, text in section(title):
        if file:
            place = copy / file
            place.parent.mkdir(parents=True, exist_ok=True)
            before = place.read_text(encoding="utf-8") + "\n" if place.exists() else ""
            place.write_text(before + text, encoding="utf-8")
        elif language == "bash":
            said = "".join(run(copy, line) for line in text.splitlines())
            everything += said
        elif language == "text":
            assert [line for line in text.splitlines() if line not in said.splitlines()] == []
    return everything


def python(copy, code) -> str:
    return run(copy, f"python3 -c {shlex.quote(code)}").strip()


def test_a_data_set(copy):
    said = follow(copy, "A data set")
    digest = hashlib.sha256((copy / "data" / "stripes.npz").read_bytes()).hexdigest()
    assert digest in said and digest in PAGE.read_text(encoding="utf-8")
    looked = (
        "from translearn import data\n"
        "from translearn.data import registry\n"
        "assert 'stripes' in data.names('pictures')\n"
        "print({name: text for name, good, text in registry.check_all() if good}['stripes'])"
    )
    assert python(copy, looked) == "stripes.npz: 0.0 MB, SHA-256 as registered, MIT"


def test_a_network(copy):
    follow(copy, "A network")
    refused = (
        "from translearn import backbones\n"
        "assert 'wide' in backbones.names('pictures')\n"
        "try: backbones.load('wide')\n"
        "except backbones.CourseError as error: print(error)"
    )
    assert "Load it with weights=None" in python(copy, refused)


def test_a_lesson(copy):
    said = follow(copy, "A lesson")
    assert re.search(r"\b[1-9]\d* passed", said) and "failed" not in said
    table = "from translearn.exercises import overview; print(repr(overview.lessons()))"
    assert "[16 · Stripes](16_stripes.ipynb) | How dark are stripes?" in python(copy, table)
    assert "dark" in (copy / "notebooks/glossary.md").read_text("utf-8")
    row = "| 16 | [Stripes](notebooks/16_stripes.ipynb) | How dark are stripes? | **ready** |"
    assert row in (copy / "README.md").read_text("utf-8").splitlines()
    assert "BEGIN SOLUTION" not in (copy / "notebooks/16_stripes.ipynb").read_text("utf-8")


def test_an_assignment(copy):
    follow(copy, "An assignment")
    judged = (
        "import numpy as np\n"
        "from translearn.coursework.instructor import bank, folder, judging\n"
        "assert list(folder.assignments()) == ['A5']\n"
        "module = judging.load('a5')\n"
        "(judge,) = judging.PARTS['a5', 'share_of_dark'].values()\n"
        "for name, book, points in bank.cases('A5'):\n"
        "    space = {'np': np}\n"
        "    cell = next(c for c in book['cells'] if 'def share_of_dark' in c['source'])\n"
        "    exec(cell['source'], space)\n"
        "    try: judge(lambda call, *given: space[call](*given), np.random.default_rng(0))\n"
        "    except judging.Wrong: got = 0\n"
        "    else: got = module.share_of_dark.points\n"
        "    assert got == points['share_of_dark'], name\n"
        "    print(name, got)"
    )
    assert python(copy, judged) == "perfect 2\na number, not a share 0"
    released = (copy / "notebooks/coursework/A5_stripes.ipynb").read_text(encoding="utf-8")
    assert "pixels < 128" not in released


def test_the_page_links_to_what_is_there():
    text = PAGE.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", line[3:].lower()).replace(" ", "-")
        for line in without_blocks(text).splitlines()
        if line.startswith("## ")
    }
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        if link.startswith("#"):
            assert link[1:] in headings, link
        else:
            assert (PAGE.parent / link.partition("#")[0]).exists(), link
