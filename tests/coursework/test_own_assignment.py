"""docs/own-assignment.md, followed literally in a copy of the course; and what `draft` refuses."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from translearn.authoring import layout
from translearn.coursework import student
from translearn.coursework.instructor import draft, folder
from translearn.errors import CourseError
from translearn.paths import ROOT

CONFIG = str(ROOT / "pyproject.toml")
PAGE = ROOT / "docs" / "own-assignment.md"
BLOCK = re.compile(r"^(`{3,})(\w+)(?: (\S+))?(?: (EDIT \d+))?\n(.*?)^\1$", re.M | re.S)
# What course.py hands over to, line after line: one process imports once.
RUN = """
import shlex, sys
from translearn.authoring.__main__ import main as build
from translearn.coursework.instructor.__main__ import main as coursework
does = {"build": lambda words: build(["build", *words]), "coursework": coursework}
for line in sys.stdin:
    python, course, command, *words = shlex.split(line)
    assert (python, course) == ("python3", "course.py")
    print("DONE", does[command](words), flush=True)
"""


@pytest.fixture
def copy(tmp_path):
    """The package, the README and the guide for teachers: no lesson, no other assignment."""
    place = tmp_path / "course"
    shutil.copytree(ROOT / "translearn", place / "translearn")  # compiled files, too: seconds
    for name in ("README.md", "docs/teaching.md"):
        (place / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    (place / "notebooks" / "source").mkdir(parents=True)
    return place


class Terminal:
    """Runs lines of bash blocks in the copy, as `course.py` would."""

    def __init__(self, copy):
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", RUN],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy), "TRANSLEARN_CACHE": str(copy / ".cache")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, line) -> str:
        """What a command printed; it must end well."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        said = []
        for answer in self.process.stdout:
            if answer.startswith("DONE "):
                assert answer == "DONE 0\n", f"{line}\n{''.join(said)}"
                return "".join(said)
            said.append(answer)
        raise AssertionError(f"{line} ended Python")

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def put(place, mark, block):
    """Write a block: in the place of a mark and all below it up to the next, or as the file."""
    if not mark:
        return place.write_text(block, encoding="utf-8")
    text = place.read_text(encoding="utf-8")
    (begin,) = [match for match in draft.EDIT.finditer(text) if match[1] == mark]
    end = re.compile(r"^(# |<!-- )(EDIT \d|END\b)|\Z", re.M).search(text, begin.end())
    after = text[end.start() :]
    gap = "\n\n\n" if place.suffix == ".py" else "\n\n"
    whole = text[: begin.start()] + block.rstrip("\n") + (gap + after if after else "\n")
    return place.write_text(whole, encoding="utf-8")


def follow(copy) -> str:
    """Everything on the page, in its order; what the commands printed."""
    text, said, terminal = PAGE.read_text(encoding="utf-8"), [], None
    try:
        for block in BLOCK.finditer(text):
            language, file, mark, body = block.groups()[1:]
            if language == "bash":
                terminal = terminal or Terminal(copy)
                said += [terminal.run(line) for line in body.splitlines()]
            elif language == "text" and not file:
                assert [line for line in body.splitlines() if line not in said[-1]] == []
            else:
                before = text[: block.start()].rpartition("```\n")[2]
                for name in filter(None, (file, mark)):
                    assert f"`{name}`" in before or name == file and mark, name
                put(copy / file, mark, body)
                if mark and terminal:  # what a process has imported stays as it was
                    terminal = terminal.close()
    finally:
        if terminal:
            terminal.close()
    return "".join(said)


def test_the_page_is_followed_literally(copy):
    said = follow(copy)
    left = re.findall(r"EDIT \d", said.partition("Still as `draft` wrote it:")[2])
    assert left[:4] == ["EDIT 1", "EDIT 2", "EDIT 4", "EDIT 6"]
    result = json.loads((copy / "class/autograded/ada/A5/result.json").read_text("utf-8"))
    assert [v["got"] for v in result["questions"]["right_when_sure"]] == [2, 1]
    assert "Right when it is sure" in (copy / "class/feedback/ada/A5/A5.html").read_text("utf-8")
    released = (copy / "class/release/A5/A5.ipynb").read_text(encoding="utf-8")
    assert "<!--" not in released and "probabilities[answered]" not in released
    row = "| A5 | Answers with a threshold |  | 1 question, 3 points | 1 answer, 3 points |  |  |"
    assert row in (copy / "docs/teaching.md").read_text(encoding="utf-8").splitlines()
    files = [
        copy / path.relative_to(ROOT)
        for path in draft.files("A5", "Answers with a threshold").values()
    ]
    source, *python = files
    assert layout.lesson(source.read_text("utf-8")) == source.read_text("utf-8")
    check = layout._ruff("format", "--config", CONFIG, "--check", *map(str, python))
    assert check.returncode == 0, check.stdout + check.stderr
    _holds_as_the_others(copy)


def _holds_as_the_others(copy):
    """What the suite holds assignments to, on this one: `test … -k A5`, as the page says."""
    for folder_ in ("coursework", "plugins"):
        shutil.copytree(ROOT / "tests" / folder_, copy / "tests" / folder_)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    files = [f"test_{name}.py" for name in "marks measured near_misses given_away".split()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
        + ["-k", "A5", *(f"tests/coursework/{name}" for name in files)],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "TRANSLEARN_CACHE": str(copy / ".cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and re.search(r"\b1\d passed", done.stdout), done.stdout


def test_each_command_and_link_of_the_page_exists():
    from translearn.coursework.instructor.__main__ import parser

    text = PAGE.read_text(encoding="utf-8")
    for command in re.findall(r"`python3 course\.py coursework ([^`]+)`", text):
        parser().parse_args(shlex.split(command))
    for link in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (PAGE.parent / link).exists(), link


# ---- what it refuses, and what it never does


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The places of the four files, in an empty folder, with an A1 in it."""
    for module, name in ((draft.paths, "ROOT"), (folder.paths, "ROOT")):
        monkeypatch.setattr(module, name, tmp_path)
    monkeypatch.setattr(draft.paths, "SOURCE", tmp_path / "source")
    monkeypatch.setattr(draft, "HERE", tmp_path / "instructor")
    monkeypatch.setattr(student, "__file__", str(tmp_path / "student" / "__init__.py"))
    folder.write(tmp_path / "source" / "A1_losses.md", "# A1 · Losses\n")
    return tmp_path


def _files(place):
    return {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "name, title, said",
    [
        ("a1", "Again", "There is an A1 already, A1_losses.md; .* next free name is A2."),
        ("A05", "Five", "is no name of an assignment. .* such as A2."),
        ("B5", "Five", "is no name"),
        ("A5/../x", "Five", "is no name"),
        ("A5", "", "cannot be the title"),
        ("A5", "x" * 51, "50 characters at most"),
        ("A5", 'Ends """ here', "cannot be the title"),
        ("A5", "back\\slash", "cannot be the title"),
        ("A5", "{{ marks }}", "cannot be the title"),
        ("A5", "<!-- a note", "cannot be the title"),
    ],
)
def test_a_bad_name_or_title_is_refused_in_a_sentence(elsewhere, name, title, said):
    before = _files(elsewhere)
    with pytest.raises(CourseError, match=said) as refused:
        draft.draft(name, title)
    assert "\n" not in str(refused.value) and _files(elsewhere) == before


def test_no_file_that_is_there_is_overwritten(elsewhere):
    folder.write(elsewhere / "instructor" / "banks" / "a5.py", "somebody's work")
    before = _files(elsewhere)
    with pytest.raises(CourseError, match="instructor/banks/a5.py is there already"):
        draft.draft("A5", "Five")
    assert _files(elsewhere) == before


@pytest.mark.parametrize(
    "title, name",
    [
        ("Größe, twice?", "A100_grosse_twice"),
        ("学习率", "A100_own"),
        ("W" * draft.LONGEST, f"A100_{'w' * draft.LONGEST}"),
    ],
)
def test_a_draft_of_any_title_is_laid_out_as_the_course_is(elsewhere, title, name):
    written = draft.draft("a100", f"  {title} ")
    assert [path.stem for path in written] == [name, "a100", "a100", "a100"]
    source, *python = (path.read_text(encoding="utf-8") for path in written)
    assert f"# A100 · {title}\n" in source and layout.lesson(source) == source
    assert not [text for text in (source, *python) if re.search(r"\b[Aa]0\b|TITLE", text)]
    for path in written[1:]:
        done = layout._ruff("check", "--config", CONFIG, "--ignore", "I001", str(path))
        assert done.returncode == 0, done.stdout
    assert len(draft.left("A100")) == 9
