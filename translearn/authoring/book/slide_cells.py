"""Code cells, and what they show, as the parts of slides."""

import ast
import base64
import hashlib
import math
import re
from dataclasses import dataclass
from html import escape, unescape
from itertools import zip_longest

from translearn import paths
from translearn.authoring.book.chapters import BLANK
from translearn.authoring.book.slide_text import render
from translearn.exercises.source import BEGIN, unmark, unsolve

ROWS = 7  # of a table: one with more is large
SHORT = 3  # lines of code that stand above what they show, be it large
WIDE, HIGH = 1115, 490  # pixels that code and tables may fill
LINE = 36  # pixels of a line of large code
IMAGE = re.compile(r"<img\b[^>]*>")
PASSED = re.compile(r"<p[^>]*>\d+ of \d+ exercises[^<]*</p>")  # one reader's, not the class's
DATA = re.compile(r"data:image/(\w+)(?:\+xml)?;base64,([A-Za-z0-9+/=]+)")


@dataclass
class Shown:
    """One output of a cell: its HTML and about how many pixels it is high; `large` if it is a
    figure, an explorer or a long table, which want a slide of their own.
    """

    html: str
    high: float = 0
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


def share(before, its, cell, shown, lead) -> bool:
    """Whether two cells with nothing between them share a slide: short ones of which the first
    shows nothing, and claims as long as there is room. `its` and `shown` are what they show.
    """
    high = sum(one.high for one in [*its, *shown]) + sum(map(_high, lead))
    if _claims(before) and _claims(cell):
        return high + LINE <= HIGH
    folded = any("explorer" in one.tags or _claims(one) for one in (before, cell))
    lines = before.text.count("\n") + cell.text.count("\n") + 3
    return not folded and not its and lines * LINE + high <= HIGH


def room_above(cell, shown: list) -> int:
    """How many letters may stand above a cell: few above a figure, which would be small."""
    if any(one.large for one in shown):
        return 110
    lines = 1 + squeezed(cell.text).count("\n")
    return 300 if lines * LINE + sum(one.high for one in shown) < HIGH / 2 else 210


def _claims(cell):
    return cell.text.startswith("measure.claim(")


def _high(html):
    """About how many pixels a paragraph in HTML takes, at 30 pixels."""
    return 18 + 42 * math.ceil(len(re.sub(r"<[^>]*>", "", html).strip()) / 66)


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
    small = [one.html for one in shown if not one.large]
    large = [[one.html] for one in shown if one.large]
    room = HIGH - sum(map(_high, lead))
    lines, more = 1 + code.count("\n"), sum(one.high for one in shown)
    if large and not small and lines <= SHORT and (more or LINE) + lines * LINE <= room:
        return [[*lead, code_html(code), *large[0]], *large[1:]]
    if not large and more + lines * LINE <= room:
        return [[*lead, code_html(code), *small]]
    return [[*lead, code_html(code, high=room)], *([small] if small else []), *large]


def exercise(cells: list, shown: dict) -> tuple:
    """The parts of an exercise's slides: what is asked, what solves it.

    cells   of the exercise with its check, in order; shown: id → its outputs
    """
    given, start, solved, asked, said = [], [], [], [], []
    for cell in cells:
        here = shown.get(cell.id, [])
        if ".check(" in cell.text and cell is cells[-1]:
            said += here
        elif BEGIN in cell.text:
            start.append(unsolve(cell.text))
            solved.append(unmark(cell.text))
            said = here
        else:
            asked += here
            if not re.fullmatch(r"exercise\.\w+", cell.text.strip()):
                given.append(cell.text)
    if asked and "\n\n".join(start).strip() == "answer = ...":
        start = []  # a letter, which a class says aloud
    code = "\n\n".join([*given, *start])
    task = [code_html(code, "starting code", HIGH - 150)] if code else []
    room = max(150, HIGH - sum(one.high for one in said))
    said = [PASSED.sub("", one.html) for one in said]
    return (
        [*(one.html for one in asked), *task],
        [code_html("\n\n".join(solved), "solution", room), *said],
    )


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
    # A file is named from the course's folder on: the rest is the machine's.
    data = {
        kind: one.replace(f"{paths.ROOT}/", "")
        for kind, one in data.items()
        if isinstance(one, str)
    }
    if "text/html" in data:
        return _of_html(data["text/html"], folder)
    if "text/markdown" in data:
        return _prose(render(data["text/markdown"]))
    text = data.get("text/plain", "").rstrip()
    if not text:
        return None
    lines = text.splitlines()
    fits = WIDE / 0.61 / max(map(len, lines))
    size = round(min(24, max(15, fits)), 1)
    wrap = "" if fits >= 15 else "; white-space:pre-wrap"
    html = f'<pre class="said" style="font-size:{size}px{wrap}">{escape(text)}</pre>'
    rows = sum(math.ceil(len(line) * 0.61 * size / WIDE) or 1 for line in lines)
    return Shown(scrolls(html, "output"), 40 + rows * 1.4 * size)


def _of_html(html, folder):
    if html.startswith("<div><progress"):
        return None
    html = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S).strip()
    html = BLANK.sub("<td></td>", html)
    pictures = IMAGE.findall(html)
    if len(pictures) == 1 and "<table" not in html:
        return Shown(_figure(pictures[0], folder), large=True)
    html = IMAGE.sub(lambda match: _kept(match[0], folder), html)
    return _table(html, 3 if pictures else 1) if "<table" in html else _prose(html)


def _prose(html):
    """Sentences of the course's own: a claim, a check, a question."""
    pieces = [
        piece for piece in re.split(r"</?(?:p|li|div|br|small)\b[^>]*>", html) if piece.strip()
    ]
    high = 20 + sum(map(_high, pieces))
    return Shown(scrolls(html, "output"), high, large=high > HIGH / 2)


def _table(html, tall):
    """A table as large as its columns and rows allow: 15 to 24 pixels. A row with pictures is
    `tall` times as high.
    """
    rows = [re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.S) for row in html.split("<tr")]
    texts = [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in rows if row]
    # A heading may be broken between its words.
    head = [[max(cell.split(), key=len, default="") for cell in row] for row in texts[:1]]
    wide = [max(map(len, column)) + 2 for column in zip_longest(*head, *texts[1:], fillvalue="")]
    count = tall * len(texts)
    fits = min(WIDE / 0.65 / sum(wide), (HIGH - 60 - 11 * count) / 1.4 / count)
    size = min(24, max(15, fits))
    kind = "wraps" if WIDE / 0.65 / sum(wide) < 13 else "fits"
    html = f'<div class="{kind}" style="font-size:{size:.1f}px">{html}</div>'
    high = 60 + count * (1.4 * size * (2 if kind == "wraps" else 1) + 11)
    return Shown(scrolls(html, "table"), high, large=count > ROWS)


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
