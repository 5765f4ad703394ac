"""Code cells, and what they show, as the parts of slides."""

import ast
import base64
import hashlib
import math
import re
from dataclasses import dataclass
from html import escape, unescape
from itertools import zip_longest

from translearn.authoring.book.slide_text import render
from translearn.exercises.source import BEGIN, unmark, unsolve

TOGETHER = 13  # lines of code and of output that stand on one slide
ROWS = 7  # of a table: one with more is large
SHORT = 3  # lines of code that stand above what they show, be it large
WIDE, HIGH = 1115, 490  # pixels that code and tables may fill
IMAGE = re.compile(r"<img\b[^>]*>")
PASSED = re.compile(r"<p[^>]*>\d+ of \d+ exercises[^<]*</p>")  # one reader's, not the class's
DATA = re.compile(r"data:image/(\w+)(?:\+xml)?;base64,([A-Za-z0-9+/=]+)")


@dataclass
class Shown:
    """One output of a cell: its HTML and how many lines of text it is; `large` if it is a figure,
    an explorer or a long table, which want a slide of their own.
    """

    html: str
    lines: float = 1
    large: bool = False


# ---- Code ----


def only_imports(code: str) -> bool:
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a magic
        return False
    return bool(body) and all(isinstance(one, (ast.Import, ast.ImportFrom)) for one in body)


def squeezed(code: str) -> str:
    """Code without second blank lines."""
    return re.sub(r"\n{3,}", "\n\n", code)


def code_html(code: str, label: str = "Code", high: float = HIGH) -> str:
    """Code, as large as it can be: 15 to 26 pixels; what is still too high scrolls."""
    code = squeezed(code)
    lines = code.splitlines() or [""]
    fits = min(WIDE / 0.61 / max(map(len, lines), default=1), high / 1.4 / len(lines))
    size = round(min(26, max(15, fits)), 1)
    return scrolls(
        f'<pre class="code" style="font-size:{size}px"><code>{_coloured(code)}</code></pre>', label
    )


def _coloured(code):
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")


def _folded(code):
    return (
        "<details><summary>Code</summary>"
        f'<pre class="code" tabindex="0"><code>{_coloured(code)}</code></pre></details>'
    )


def scrolls(html: str, label: str) -> str:
    """What may be higher than its place: the script makes it reachable by keyboard if it is."""
    return f'<div class="scrolls" data-label="{escape(label)}">{html}</div>'


# ---- A cell's slides ----


def share(before, its, cell, shown) -> bool:
    """Whether two cells with nothing between them share a slide: short ones of which the first
    shows nothing, and up to three claims. `its` and `shown` are what they show.
    """
    claims = before.text.count("measure.claim(")
    if _claims(before) and _claims(cell):
        return claims < 3
    folded = any("explorer" in one.tags or _claims(one) for one in (before, cell))
    lines = before.text.count("\n") + cell.text.count("\n") + 3
    more = sum(one.lines for one in shown)
    return not folded and not its and lines + more <= TOGETHER


def room_above(cell, shown: list) -> int:
    """How many letters may stand above a cell: few above a figure, which would be small."""
    if any(one.large for one in shown):
        return 110
    height = 1 + squeezed(cell.text).count("\n") + sum(one.lines for one in shown)
    return 300 if height <= TOGETHER / 2 else 210


def _claims(cell):
    return cell.text.startswith("measure.claim(")


def slides(cell, shown: list, lead: list) -> list:
    """The slides of a cell, each a list of parts in HTML; `lead` is what stands above the first.

    A cell that draws and shows nothing has none.
    """
    code = squeezed(cell.text)
    if "explorer" in cell.tags or _claims(cell):
        code = "" if re.fullmatch(r"\w+\.settle\(.*\)", cell.text) else _folded(cell.text)
        small = [one.html for one in shown if not one.large]
        large = [[one.html] for one in shown if one.large]
        if not shown:
            return [[*lead, code_html(cell.text)]] if lead else []
        if small:
            large = [[*small], *large] if not large else [[*large[0], *small], *large[1:]]
        large[0] = [*lead, *large[0], code]
        return large
    small = [one for one in shown if not one.large]
    large = [one for one in shown if one.large]
    alone = [[one.html] for one in large]
    height, more = 1 + code.count("\n"), sum(one.lines for one in small)
    high = HIGH - sum(map(_height, lead))
    if large and not small and height <= SHORT and height + large[0].lines <= TOGETHER:
        return [[*lead, code_html(code), *alone[0]], *alone[1:]]
    if small and height + more > TOGETHER:
        return [[*lead, code_html(code, high=high)], [one.html for one in small], *alone]
    high *= height / (height + more)
    return [[*lead, code_html(code, high=high), *(one.html for one in small)], *alone]


def _height(prose):
    """About how many pixels a paragraph in HTML takes, at 30 pixels."""
    return 18 + 42 * math.ceil(len(re.sub(r"<[^>]*>", "", prose)) / 68)


def exercise(cells: list, shown: dict) -> tuple:
    """The parts of an exercise's slides: what is asked, what solves it.

    cells   of the exercise with its check, in order; shown: id → its outputs
    """
    given, start, solved, asked, said = [], "", "", [], []
    for cell in cells:
        here = shown.get(cell.id, [])
        if ".check(" in cell.text and cell is cells[-1]:
            said += [scrolls(PASSED.sub("", one.html), "what the check says") for one in here]
        elif BEGIN in cell.text:
            start = "\n\n".join(filter(None, [start, unsolve(cell.text)]))
            solved = "\n\n".join(filter(None, [solved, unmark(cell.text)]))
            said = [one.html for one in here]
        elif re.fullmatch(r"exercise\.\w+", cell.text.strip()):
            asked += [one.html for one in here]
        else:
            given.append(cell.text)
            asked += [one.html for one in here]
    if any("<form" in html or 'role="' in html for html in asked):
        start = ""
    code = "\n\n".join([*given, start]).strip()
    task = [code_html(code, "starting code", HIGH - 150)] if code else []
    return [*asked, *task], [code_html(solved, "solution", HIGH - 120), *said]


# ---- What cells show ----


def shown(executed, folder) -> dict:
    """id of a cell → what it shows, a list of `Shown`; pictures are written into `folder`."""
    found = {}
    for cell in executed.notebook.cells:
        if cell.cell_type == "code" and cell.outputs:
            outputs = [_shown(output, folder) for output in cell.outputs]
            found[cell.id] = [one for one in outputs if one]
    return found


def _shown(output, folder):
    if output.get("name") == "stderr":
        return None
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "text/html" in data:
        return _of_html(data["text/html"], folder)
    if "text/markdown" in data:
        return Shown(render(data["text/markdown"]), 2 + data["text/markdown"].count("\n"))
    text = data.get("text/plain", "").rstrip()
    if not text:
        return None
    lines = text.splitlines()
    size = round(min(24, max(15, WIDE / 0.61 / max(map(len, lines)))), 1)
    html = f'<pre class="said" style="font-size:{size}px">{escape(text)}</pre>'
    return Shown(scrolls(html, "output"), len(lines))


def _of_html(html, folder):
    if html.startswith("<div><progress"):
        return None
    html = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S).strip()
    pictures = IMAGE.findall(html)
    if len(pictures) == 1 and "<table" not in html:
        return Shown(_figure(pictures[0], folder), large=True)
    html = IMAGE.sub(lambda match: _kept(match[0], folder), html)
    if "<table" in html:
        rows = html.count("<tr") * (3 if pictures else 1)
        return Shown(_table(html), 1 + 1.4 * rows, large=rows > ROWS)
    return Shown(html, 2)


def _table(html):
    """A table as large as its columns and rows allow: 15 to 24 pixels."""
    rows = [re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.S) for row in html.split("<tr")]
    texts = [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in rows if row]
    # A heading may be broken between its words.
    head = [[max(cell.split(), key=len, default="") for cell in row] for row in texts[:1]]
    wide = [max(map(len, column)) + 2 for column in zip_longest(*head, *texts[1:], fillvalue="")]
    size = min(24, WIDE / 0.62 / sum(wide), HIGH / 1.85 / len(texts))
    return scrolls(f'<div style="font-size:{max(15, size):.1f}px">{html}</div>', "table")


def _figure(image, folder):
    alt = unescape(re.search(r'alt="([^"]*)"', image)[1])
    source = re.search(r'src="([^"]*)"', _kept(image, folder))[1]
    return (
        f'<div class="figure"><img src="{source}" alt="{escape(alt, quote=True)}" '
        'loading="lazy"></div>'
    )


def _kept(html, folder):
    """HTML whose pictures are files, named by their content."""

    def keep(match):
        kind, picture = match[1], base64.b64decode(match[2])
        name = f"{hashlib.sha256(picture).hexdigest()[:16]}.{kind}"
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        (folder / "pictures" / name).write_bytes(picture)
        return f"pictures/{name}"

    return DATA.sub(keep, html)
