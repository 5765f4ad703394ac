"""A lesson as slides for a class: `course.py book --slides 05` writes slides/05_freezing.html.

What becomes a slide follows from the cells; nothing is marked for it in a lesson's source:

* A heading `##` begins a column of slides, and so does each exercise. The rest stands below it.
* Prose fills a slide, then the next. Of what is long its first sentences stand there, and the
  whole in the speaker's notes.
* A short paragraph before a cell introduces it and stands above it; of a long one that ends with
  a colon, its last sentence does.
* A cell is its code and what it shows, on two slides where that is large. Short cells that follow
  each other share one. Of a cell that draws (tag `explorer`) or holds a claim the code is folded.
  Cells that only import are left out, and so are those that only the ledger runs.
* An exercise is its task, what is given and where to start; one slide down is the solution.

A slide is 1280 × 720 and scaled as a whole to the window, so that what fits, fits everywhere.
"""

import re
import shutil
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from string import Template

from translearn.authoring.book import explorers, slide_cells
from translearn.authoring.book.slide_text import (
    Block,
    blocks,
    length,
    render,
    sentences,
    shorten,
    stopped,
)

HERE = Path(__file__).with_name("slides")
ROOM, PARAGRAPH, ITEM = 420, 300, 170  # letters on a slide, and of what stands on it
FIRST, TOLD = 620, 520  # on a lesson's first slide; with what a sentence has told of
LINE = 70  # letters in a line of prose: what a short paragraph takes as well


@dataclass
class Slide:
    kind: str  # "first", "text", "cell", "task", "solution"
    title: str  # Markdown
    over: str  # what stands above the title: part and lesson
    parts: list  # HTML
    notes: list = field(default_factory=list)  # Markdown


class Deck:
    """The slides of a lesson.

    lesson   as `reading.read` gives it
    prose    function of a Markdown cell that returns its text, numbers and all
    shown    id of a code cell → what it shows, a list of `slide_cells.Shown`
    columns  lists of slides: across by the lesson's parts, down by what is in them
    """

    def __init__(self, lesson, prose, shown):
        self.columns, self.lesson, self._shown = [], lesson, shown
        self._kind, self._titles = "text", ["", "", ""]
        self._left, self._notes, self._task = [], [], []  # not yet on a slide
        self._last = None  # the cell of the last slides, and how many they are
        code = [cell for cell in lesson.cells if cell.kind == "code"]
        for cell in lesson.cells:
            if cell.kind == "code":
                self._code(cell)
                continue
            follows = next((one for one in code if one.line > cell.line), None)
            for block in blocks(prose(cell)):
                if block.kind == "heading":
                    self._heading(block, bool(follows and "exercise" in follows.tags))
                elif block.text.startswith("⏱") and self._kind != "first":
                    self._notes.append(block.text)
                else:
                    self._left.append(block)
        self._flush()

    def _heading(self, block, exercise):
        self._flush()
        self._last = None
        level = min(block.level, 3)
        self._titles[level - 1 :] = [block.text, *[""] * (3 - level)]
        self._kind = "first" if level == 1 else "text"
        if (level < 3 or exercise) and self.columns[-1:] != [[]]:
            self.columns.append([])

    def _add(self, kind, parts, notes=()):
        if not self.columns:
            self.columns.append([])
        *over, title = [name for name in self._titles if name]
        notes, self._notes = [*self._notes, *notes], []
        self.columns[-1].append(Slide(kind, title, " › ".join(over), parts, notes))

    # ---- Prose ----

    def _flush(self):
        """Slides of the prose that is left."""
        group, notes, used = [], [], 0
        if self._left:
            self._last = None
        pieces = [piece for block in self._left for piece in _pieces(block)]
        for at, (block, short, room) in enumerate(pieces):
            if block.kind == "html":
                notes.append(block.text)
                continue
            # What introduces the next goes with it.
            ahead = pieces[at + 1][2] if block.introduces and at + 1 < len(pieces) else 0
            follows = at and pieces[at - 1][0].introduces
            most = FIRST if self._kind == "first" else TOLD if follows else ROOM
            if group and used + room + ahead > most:
                self._add(self._kind, group, notes)
                self._kind, group, notes, used = "text", [], [], 0
            group.append(short)
            used += room
            if _is_cut(block, short):
                notes.append(block.text)
        if group:
            self._add(self._kind, group, notes)
            self._kind = "text"
        self._left = []

    def _lead(self, room):
        """What introduces a cell, taken from the prose that is left."""
        if not self._left or self._left[-1].kind != "paragraph":
            return []
        last = self._left[-1]
        if length(last.text) <= room:
            self._left.pop()
            return [render(last.text)]
        *before, intro = sentences(last.text)
        if not last.introduces or not before:
            return []
        self._left[-1] = Block("paragraph", " ".join(before))
        return [render(intro)]

    # ---- Cells ----

    def _code(self, cell):
        if "exercise" in cell.tags:
            self._exercise(cell)
            return
        if "ledger-only" in cell.tags or slide_cells.only_imports(cell.text):
            if self._left and self._left[-1].introduces:
                self._left[-1].text = stopped(self._left[-1].text)
            return
        shown, alone = self._shown.get(cell.id, []), not self._left
        lead = self._lead(slide_cells.room_above(cell, shown))
        self._flush()
        if alone and self._last:
            before, seen, its_lead, count = self._last
            if slide_cells.share(before, seen, cell, shown, its_lead):
                cell = replace(cell, text=f"{before.text}\n\n{cell.text}")
                shown, lead = [*seen, *shown], its_lead
                del self.columns[-1][-count:]
        made = slide_cells.slides(cell, shown, lead)
        for parts in made:
            self._add("cell", parts)
        self._last = (cell, shown, lead, len(made)) if made else None

    def _exercise(self, cell):
        self._task.append(cell)
        if ".check(" not in cell.text:
            return
        task, self._task, self._last = self._task, [], None
        pieces = [piece for block in self._left for piece in _pieces(block)]
        if sum(room for _, _, room in pieces) > ROOM:
            prose, notes = self._lead(PARAGRAPH), []
            self._flush()
        else:
            prose = [html for _, html, _ in pieces]
            notes = [block.text for block, html, _ in pieces if _is_cut(block, html)]
            self._left = []
        asked, solved = slide_cells.exercise(task, self._shown)
        self._add("task", [*prose, *asked], notes)
        self._add("solution", solved)


def _is_cut(block, html):
    return block.kind in ("paragraph", "list", "quote") and html != render(block.text)


def _pieces(block):
    """(block, its HTML for a slide, the room that it takes): a long list gives several."""
    if block.kind in ("paragraph", "quote"):
        short = shorten(block.text, PARAGRAPH)
        return [(block, render(short), max(length(short), LINE) + LINE // 2)]
    if block.kind != "list":
        html, rows = render(block.text), 2
        if block.kind == "table":
            html, rows = slide_cells.scrolls(html, "table"), 1.3 * block.rows
        elif block.kind == "code":
            code = re.sub(r"^[`~]{3}.*\n?", "", block.text, flags=re.M)
            html, rows = slide_cells.code_html(code), 1 + code.count("\n")
        return [(block, html, LINE * rows)]
    return _list(block)


def _list(block):
    groups, used = [[]], 0
    for item in block.items:
        short = shorten(item, ITEM)
        room = max(length(short), LINE // 2) + LINE // 3
        if groups[-1] and used + room > ROOM:
            groups.append([])
            used = 0
        groups[-1].append((item, short, room))
        used += room
    number = re.match(r"\s*(\d+)", block.text)
    made, count = [], int(number[1]) if number else 0
    for group in groups:
        mark = "{}. " if number else "* "
        whole, short = (
            "\n".join(mark.format(count + at) + one[which] for at, one in enumerate(group))
            for which in (0, 1)
        )
        count += len(group)
        made.append((Block("list", whole), render(short), sum(one[2] for one in group)))
    return made


# ---- The page ----


def page(deck: Deck, language: str = "en") -> str:
    """The deck as a page, which looks for its scripts and styles in `assets/`."""
    columns = []
    for column in deck.columns:
        inner = "\n".join(map(_section, column))
        columns.append(f"<section>\n{inner}\n</section>" if len(column) > 1 else inner)
    title = deck.columns[0][0].title if deck.columns else deck.lesson.name
    template = Template((HERE / "deck.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title), language=language.replace("_", "-"), slides="\n".join(columns)
    )


def _section(slide):
    over = f'<p class="over">{render(slide.over, inline=True)}</p>' if slide.over else ""
    notes = "".join(map(render, slide.notes))
    notes = f'\n<aside class="notes">{notes}</aside>' if notes else ""
    size = sum(len(re.sub(r"<[^>]*>", "", part)) for part in slide.parts)
    large = " large" if slide.kind == "text" and size < 230 else ""
    return (
        f'<section><div class="slide {slide.kind}{large}">\n<header>{over}'
        f"<h1>{render(slide.title, inline=True)}</h1></header>\n"
        f'<div class="body">\n{"".join(slide.parts)}\n</div></div>{notes}\n</section>'
    )


def write(lesson, executed, output: Path, language: str | None = None) -> Path:
    """Write a lesson's slides into `output`/slides, with all that they need; returns the page.

    lesson    as `reading.read` gives it; executed as `executed.fresh` gives it
    """
    from translearn.authoring import minutes
    from translearn.authoring.numbers import write_numbers

    folder = output / "slides"
    assets(folder / "assets")

    def prose(cell):
        return minutes.write(lesson, write_numbers(lesson, cell))

    explorers.pictures(executed, folder / "pictures")
    shown = slide_cells.shown(executed, folder)
    for cell, html in explorers.alive(executed, "pictures/", language or "en").items():
        large = 'class="explorer"' in html or 'class="guesses"' in html
        shown[cell] = [slide_cells.Shown(html, large=large)]
    file = folder / f"{lesson.name}.html"
    file.write_text(page(Deck(lesson, prose, shown), language or "en"), encoding="utf-8")
    return file


def assets(folder: Path) -> None:
    """Put what every deck needs into a folder: reveal.js and its notes, our style and script."""
    import sphinx_revealjs
    from pygments.formatters import HtmlFormatter

    folder.mkdir(parents=True, exist_ok=True)
    reveal = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
    for name in ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js"):
        shutil.copy(reveal / name, folder)
    shutil.copy(reveal / "LICENSE", folder / "reveal.LICENSE")
    static = HERE.with_name("sphinx") / "static"
    for file in (HERE / "slides.css", HERE / "slides.js", static / "book.css", static / "book.js"):
        shutil.copy(file, folder)
    light = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".code")
    dark = HtmlFormatter(style="a11y-high-contrast-dark").get_style_defs("[data-theme=dark] .code")
    (folder / "code.css").write_text(f"{light}\n{dark}\n", encoding="utf-8")
