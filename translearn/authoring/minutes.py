"""How long a lesson takes, estimated from what stands in it.

The estimate adds up, for each part of a lesson:

* prose at 180 words a minute, the pace of technical reading on a screen; a formula, a number from
  the ledger and a link count as one word each;
* code that is meant to be read at 5 seconds a line, since the prose beside it says what it does.
  A line is a statement, or 80 characters of a longer one, however it is laid out. The folded code
  of a longer figure and of the ledger's experiments is not counted;
* half a minute to look at a figure, a minute to move an explorer;
* an exercise at a minute to read and check it and half a minute for each line of our solution; a
  question with lettered answers at a minute and a half;
* a minute of waiting for the computer, which is what a lesson may compute on two idle cores.

A section whose heading begins with "Further" is not part of the core, and is counted by itself.
"""

import ast
import functools
import re
import textwrap

from translearn.authoring.numbers import slug
from translearn.authoring.reading import BEGIN, END
from translearn.errors import CourseError

CORE = 45  # minutes: more than that is not one sitting
WORDS = 180  # a minute
LINE = 5 / 60  # minutes
FIGURE, EXPLORER = 0.5, 1.0
EXERCISE, SOLUTION_LINE, QUESTION = 1.0, 0.5, 1.5
COMPUTING = 1.0
FOLDED = 6  # lines: longer code of a figure or explorer is folded away, one click from being read
FURTHER = re.compile(r"(?:\d+ · )?Further\b")
# The place of the estimate at the top of a lesson.
TIME = re.compile(r"\{\{ time \}\}|(?<=⏱ )About \d+ minutes")


def pieces(lesson):
    """Yield (part, further, cell, text) in the lesson's order, Markdown cut at its headings.

    `part` is the heading of the second level, "" before the first; `further` says whether the
    piece stands in a section *Further*, which ends at the next heading of the same or a higher
    level.
    """
    part, level = "", 0  # level of the Further section that is open, 0 when none is
    for cell in lesson.cells:
        if cell.kind == "code":
            yield part, bool(level), cell, cell.text
            continue
        block = []
        for line in cell.text.splitlines():
            if found := re.match(r"(#+) (.*)", line):
                if block:
                    yield part, bool(level), cell, "\n".join(block)
                    block = []
                part = found[2] if len(found[1]) == 2 else part
                if level == 0 or len(found[1]) <= level:
                    level = len(found[1]) if FURTHER.match(found[2]) else 0
            block.append(line)
        if block:
            yield part, bool(level), cell, "\n".join(block)


@functools.cache
def lines(code: str) -> int:
    """How many lines of at most 80 characters the code has, one statement a line at least."""
    return sum(-(-len(line.strip()) // 80) for line in ast.unparse(ast.parse(code)).splitlines())


def of(cell, text) -> float:
    """Minutes for one piece of a lesson."""
    if cell.kind == "markdown":
        plain = re.sub(r"\$\$.*?\$\$|\$.*?\$|\{\{.*?\}\}|\]\(.*?\)|<.*?>", " x ", text, flags=re.S)
        return len(re.findall(r"\w[\w'’-]*", plain)) / WORDS
    if "ledger-only" in cell.tags:
        return 0.0
    if BEGIN in text:
        own = re.findall(rf"{BEGIN}\n(.*?)\n[ \t]*{END}", text, re.S)
        solution = sum(lines(textwrap.dedent(part)) for part in own)
        if re.fullmatch(rf"{BEGIN}\n\w+ = [\"']\w[\"']\n{END}", text.strip()):
            return QUESTION
        return EXERCISE + SOLUTION_LINE * solution + LINE * (lines(text) - solution)
    if "exercise" in cell.tags:
        return 0.0  # the check, or the question's options: counted with the exercise
    looked = EXPLORER if "widgets.explore(" in text else FIGURE if "plots.show(" in text else 0.0
    folded = "explorer" in cell.tags and len(text.splitlines()) > FOLDED
    return looked + (0 if folded else LINE * lines(text))


def parts(lesson) -> dict:
    """{(part, further): minutes} in the lesson's order."""
    found = {}
    for part, further, cell, text in pieces(lesson):
        found[part, further] = found.get((part, further), 0.0) + of(cell, text)
    return found


def core(lesson) -> float:
    """Minutes for everything that is not *Further*, computing included."""
    return COMPUTING + sum(m for (_, further), m in parts(lesson).items() if not further)


def rounded(lesson) -> int:
    """The core in minutes as a lesson's top says it, to the next five."""
    return 5 * max(1, round(core(lesson) / 5))


def count(lesson, key: str) -> int:
    """Minutes of the lesson by a key: "core" to the next five, "further", or the heading of a
    part, as `numbers.slug` writes it. Raises `CourseError` for a part that is not there.
    """
    if key == "core":
        return rounded(lesson)
    found = parts(lesson)
    if key == "further":
        return round(sum(minutes for (_, further), minutes in found.items() if further))
    for (part, further), minutes in found.items():
        if slug(part) == key and not further:
            return round(minutes)
    raise CourseError(f"{lesson.name} has no part {key!r}.")


def write(lesson, text: str, reference: bool = False) -> str:
    """A Markdown cell of the lesson with its time at the top and below each part's heading.

    reference   write `{{ time.<lesson>.<key> }}` for the number, as the book's sources have it
    """

    def said(key):
        return f"{{{{ time.{lesson.name}.{key} }}}}" if reference else count(lesson, key)

    if not (TIME.search(text) or re.search("^## ", text, re.M)):
        return text
    found = parts(lesson)
    if TIME.search(text):
        total = f"About {said('core')} minutes"
        more = sum(m for (_, further), m in found.items() if further)
        if more >= 1:
            total += f" (and {said('further')} for the sections marked *Further*)"
        text = TIME.sub(total, text, count=1)
    lines = []
    for line in text.splitlines():
        lines.append(line)
        if line.startswith("## ") and (minutes := round(found.get((line[3:], False), 0))):
            lines += ["", f"⏱ {said(slug(line[3:]))} minute{'s' if minutes > 1 else ''}"]
    return "\n".join(lines)


def table(lesson) -> str:
    """The estimate part by part, as text."""
    rows = [f"{core(lesson):6.1f}  {lesson.name}, core (at most {CORE})"]
    rows += [
        f"{minutes:6.1f}  {'Further in ' if further else ''}{part or 'the top'}"
        for (part, further), minutes in parts(lesson).items()
    ]
    return "\n".join(rows)
