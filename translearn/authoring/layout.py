"""One layout for everything: ruff for the package, the tests and the lessons' cells; prose wrapped
at 100 columns.

`python3 course.py format` writes it, `format --check` only says what differs. The cells of a
lesson are formatted one by one, and linted together, as they run one after the other.
"""

import re
import subprocess
import tempfile
import textwrap
from pathlib import Path

from translearn import paths
from translearn.errors import CourseError

RULES = Path(__file__).resolve().parents[2] / "pyproject.toml"  # ruff's, for this course's code
WIDTH = 100  # of prose; code has 99, as pyproject.toml says
CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?P<options>(?::[^\n]*\n)*)\n?(?P<code>.*?)^```$", re.M | re.S
)
ITEM = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+)")
# What is no plain paragraph and stays as it is.
OTHER = re.compile(r"^\s*(#|\||<|>|\+\+\+|---|```|:::|\$\$|!\[)|^(    |\t)")
# Spaces that are not to become the end of a line: within a reference or a term, before what
# would begin a list, a heading or a quotation there, and between a number and its unit.
GLUED = re.compile(
    r"\{\{.*?\}\}|\*\*[^*\n]+?\*\*"
    r"| (?=(?:[-+*>#|=]|\d+[.)])(?: |$))"
    r"|(?<=\d) (?=%|±|points?\b|times\b|seconds?\b|s\b)"
)
SPACE = "\ue000"  # stands for a glued space while a paragraph is filled


def lesson(text: str) -> str:
    """A lesson's source in the course's layout: cells by ruff, paragraphs filled.

    Raises `CourseError` when a cell is not Python.
    """
    parts, at = [], 0
    found = list(CELL.finditer(text))
    for match, code in zip(found, cells([match["code"] for match in found])):
        parts.append(prose(text[at : match.start()]))
        head = match[0][: match.start("code") - match.start()]
        parts.append(f"{head}{code}```")
        at = match.end()
    return "".join(parts) + prose(text[at:])


def cells(codes: list) -> list:
    """Cells formatted by ruff, each as a file of its own; each last line ends in a newline."""
    with tempfile.TemporaryDirectory(prefix="translearn-cells-") as folder:
        files = [Path(folder) / f"cell{number}.py" for number in range(len(codes))]
        for file, code in zip(files, codes):
            file.write_text(code, encoding="utf-8", newline="\n")
        # All at once: a process for each cell would be most of the time.
        done = _ruff("format", "--no-cache", "--config", str(RULES), folder)
        for file, code in zip(files, codes):
            if file.name in done.stderr:
                told = done.stderr.replace(folder, "").strip()
                raise CourseError(f"This cell cannot be formatted ({told}):\n{code}")
        if done.returncode:
            raise CourseError(f"The cells cannot be formatted: {done.stderr.strip()}")
        return [file.read_text(encoding="utf-8") for file in files]


def prose(text: str) -> str:
    """Markdown with its paragraphs and list items filled to `WIDTH` columns, everything else as it
    stands.
    """
    done, block, front = [], [], text.startswith("---\n")
    for number, line in enumerate(text.split("\n")):
        if front:
            done.append(line)
            front = number == 0 or line != "---"
            continue
        begins = ITEM.match(line)
        if block and (
            not line.strip() or begins or (OTHER.match(line) and not _continues(block, line))
        ):
            done += fill(block)
            block = []
        if not line.strip() or (OTHER.match(line) and not block and not begins):
            done.append(line)
        else:
            block.append(line)
    return "\n".join(done + fill(block)) if block else "\n".join(done)


def _continues(block, line):
    """An indented line below a list item belongs to it."""
    return (
        bool(ITEM.match(block[0]))
        and line.startswith("  ")
        and not line.strip().startswith(("```", "|", "<"))
    )


def fill(block: list) -> list:
    """The lines of one paragraph or list item, filled."""
    lead = ITEM.match(block[0])
    first = lead[1] if lead else re.match(r"\s*", block[0])[0]
    text = " ".join(line.strip() for line in block)[len(first.strip()) :].strip()
    if any(line.endswith(("  ", "\\")) for line in block[:-1]):  # line breaks that are meant
        return block
    text = GLUED.sub(lambda match: match[0].replace(" ", SPACE), text)
    filled = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(SPACE, " ") for line in filled] or block


def lint() -> list:
    """What ruff says of the package, the tests and the lessons' cells: one line each."""
    said = _ruff("check", "--output-format", "concise", str(paths.ROOT)).stdout.splitlines()
    found = [line for line in said if re.match(r".+:\d+:\d+: ", line)]
    for source in sorted(paths.SOURCE.glob("*.md")):
        found += _lint_cells(source)
    return found


def _lint_cells(source):
    """Ruff over all cells of a lesson, at the lines where they stand in its source."""
    text = source.read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    for match in CELL.finditer(text):
        start = text.count("\n", 0, match.start("code"))
        lines[start : start + match["code"].count("\n")] = match["code"].splitlines()
    # Imports stand where a lesson first needs them, and a bare name at a cell's end is shown.
    ignored = "E402,B018,F811,W391,I001,E303"
    done = _ruff(
        "check", "--ignore", ignored, "--output-format", "concise",
        "--stdin-filename", "cells.py", "-",
        given="\n".join(lines) + "\n",
    )  # fmt: skip
    found = (line for line in done.stdout.splitlines() if line.startswith("cells.py:"))
    return [line.replace("cells.py", source.name, 1) for line in found]


def differing() -> dict:
    """Path → text in the course's layout, for each lesson's source that is laid out otherwise."""
    found = {}
    for source in sorted(paths.SOURCE.glob("*.md")):
        text = source.read_text(encoding="utf-8")
        if (wanted := lesson(text)) != text:
            found[source] = wanted
    return found


def main(check: bool) -> int:
    """Write the layout, or with `check` say what differs. Returns the exit status."""
    ruff = _ruff("format", *(["--check"] if check else []), str(paths.ROOT))
    sources = differing()
    for path, text in sources.items():
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{'differs' if check else 'wrote'}: {path.relative_to(paths.ROOT)}")
    print(ruff.stdout.strip())
    problems = lint()
    print("\n".join([*problems, f"{len(problems)} things for a linter."]))
    return int(bool(problems) or (check and bool(sources or ruff.returncode)))


def _ruff(*arguments, given=None):
    from ruff import find_ruff_bin

    return subprocess.run(
        [find_ruff_bin(), *arguments], input=given, capture_output=True, text=True, cwd=paths.ROOT
    )


if __name__ == "__main__":
    import argparse
    import sys

    parser = argparse.ArgumentParser(prog="course.py format", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs")
    sys.exit(main(parser.parse_args().check))
