"""A lesson's prose as the blocks that its slides take: found, measured, shortened, rendered."""

import functools
import re
import unicodedata
from dataclasses import dataclass, field

SENTENCE = re.compile(r"(?<=[.!?…])[\"')*\]]*\s+|(?<=[。！？])")
PAIRS = ("**", "`", "$", "(", "[", '"')
KINDS = {
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "table_open": "table",
    "math_block": "math",
    "fence": "code",
    "html_block": "html",
}


@dataclass
class Block:
    """A piece of prose: "paragraph", "heading", "list", "quote", "table", "math", "code", "html".

    text    its Markdown
    level   of a heading, 1 to 6
    items   of a list: each item's Markdown
    rows    of a table
    """

    kind: str
    text: str
    level: int = 0
    items: list = field(default_factory=list)
    rows: int = 0

    @property
    def introduces(self):
        return self.kind == "paragraph" and self.text.rstrip("*").endswith((":", "："))


@functools.cache
def _markdown():
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    return parser.use(dollarmath_plugin, renderer=_mathml, double_inline=True)


def _mathml(tex, options):
    from docutils.utils.math.latex2mathml import tex2mathml

    tex = re.sub(r"\\big(?=[^a-zA-Z])", r"\\bigl", tex.strip())
    return tex2mathml(tex, as_block=options["display_mode"])


def blocks(text: str) -> list:
    """The blocks of a Markdown text, in order."""
    found, lines, tokens = [], text.splitlines(), _markdown().parse(text)
    for at, token in enumerate(tokens):
        if token.level or not token.map:
            continue
        own = "\n".join(lines[slice(*token.map)]).strip("\n")
        block = Block(KINDS.get(token.type, "paragraph"), own)
        if block.kind == "heading":
            block.text, block.level = tokens[at + 1].content, int(token.tag[1])
        elif block.kind == "table":
            block.rows = len(own.splitlines()) - 1
        elif block.kind == "list":
            for item in tokens[at:]:
                if item.type == "list_item_open" and item.level == 1 and item.map:
                    if not token.map[0] <= item.map[0] < token.map[1]:
                        break
                    first, *rest = lines[slice(*item.map)]
                    more = [line.strip() for line in rest]
                    block.items.append(
                        "\n".join([re.sub(r"^\s*([*+-]|\d+[.)])\s+", "", first), *more])
                    )
        found.append(block)
    return found


def render(text: str, inline: bool = False) -> str:
    """Markdown as HTML, its formulas as MathML. A link to a file of the course becomes its text:
    slides are also shown where the lesson does not lie beside them.
    """
    text = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:)[^)\s]*\)", r"\1", text)
    return _markdown().renderInline(text) if inline else _markdown().render(text)


def length(text: str) -> int:
    """How many Latin letters wide a text is as it is read; a Chinese character counts for two."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\\[a-zA-Z]+|<[^>]*>|[*`${}]", "", text)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def sentences(text: str) -> list:
    """The sentences of a paragraph. Code, formulas, bold and brackets are never cut in two."""
    found, start = [], 0
    for gap in SENTENCE.finditer(text):
        piece = text[start : gap.end()]
        follows = text[gap.end() : gap.end() + 1]
        if follows and not follows.islower() and _closed(piece):
            found.append(piece.strip())
            start = gap.end()
    return [*found, text[start:].strip()] if text[start:].strip() else found


def _closed(piece):
    counts = {sign: piece.count(sign) for sign in PAIRS}
    even = all(counts[sign] % 2 == 0 for sign in ("**", "`", "$", '"'))
    return even and counts["("] == piece.count(")") and counts["["] == piece.count("]")


def shorten(text: str, room: int) -> str:
    """A paragraph's first sentences: as many as there is room for, and not only a heading's worth
    (a third of the room) unless the second is far too long.
    """
    if length(text) <= room:
        return text
    kept, *rest = sentences(text)
    for sentence in rest:
        together = length(kept) + length(sentence)
        if together > room and (length(kept) > room / 3 or together > 2 * room):
            break
        kept += f" {sentence}"
    return stopped(kept) if kept != text else kept


def stopped(text: str) -> str:
    """With a full stop instead of a colon, which would promise what is not there."""
    return re.sub(r"[:：](\**)$", r".\1", text)
