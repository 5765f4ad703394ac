"""What a page shows of a stranger's notebook: Markdown, pictures and outputs that nothing can run
in, and only so much of them.

Nobody vouches for what is shown here: an output comes out of a sandbox, or stood in the file as it
was handed in, and either can be forged. So number and size are limited here as well as inside.
"""

import base64
import functools
import io
import re
import urllib.parse
import warnings
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from PIL import Image

from translearn.coursework.student import codec
from translearn.coursework.student.runner import LONGEST as PRINTED
from translearn.coursework.student.runner import PICTURE_BYTES, PICTURES

# A picture with too many pixels is refused below, in silence.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

PAGES = Path(__file__).with_name("pages")
LONGEST = 20_000  # characters of a text that is shown as Markdown
OUTPUTS = 50  # of one cell
LARGEST_SIDE = 5000  # pixels of a picture
ALL_PICTURES = 60  # of one notebook
ALL_CHARACTERS = 8_000_000  # of all its outputs, pictures as base64 included
# A file is not larger than 20 MB as it is, and what stands in it may be all that there is.
SAVED_PICTURES, SAVED_BYTES, SAVED_CHARACTERS = 20, 4_000_000, 20_000_000
FORMATS = ("PNG", "JPEG", "GIF")  # whose heads Pillow reads in Python
TAGS = (
    "p br hr h1 h2 h3 h4 h5 h6 em strong del sub sup a code pre span div blockquote ul ol li "
    "table thead tbody tr th td img"
).split()


@functools.cache
def template(name: str):
    """A page's template. What it is filled with is escaped; the filter `student` is `markdown`,
    its headings below those of the page.
    """
    environment = Environment(autoescape=True, loader=FileSystemLoader(PAGES))
    environment.filters["inline"] = inline
    environment.filters["student"] = lambda text, pictures: markdown(text, pictures, below=2)
    environment.globals["most"] = LONGEST
    return environment.get_template(name)


def inline(text: str) -> Markup:
    """A sentence with `code` in it."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def reason(problem: Exception) -> str:
    """Why a page cannot be made, in a line."""
    return f"{type(problem).__name__}: {problem}".partition("\n")[0][:200]


class Room:
    """What a notebook may still show: its pictures, and the characters of all it shows."""

    def __init__(self, characters: int = ALL_CHARACTERS):
        self.pictures, self.characters = ALL_PICTURES, characters

    def has(self, text: str, pictures: int = 0) -> bool:
        """Whether there is room for `text`."""
        return pictures <= self.pictures and len(text) <= self.characters

    def take(self, text: str, pictures: int = 0) -> bool:
        """Whether there is room for `text`; if so, it is taken."""
        if not self.has(text, pictures):
            return False
        self.pictures -= pictures
        self.characters -= len(text)
        return True


def picture(text, largest: int = PICTURE_BYTES) -> str | None:
    """The address (`data:`) of a picture in base64; None for what is none, or has more than
    `largest` bytes.
    """
    if not isinstance(text, str) or len(text) > 1.4 * largest:
        return None
    try:
        raw = base64.b64decode(text.replace("\n", ""), validate=True)
        # Its head is read, and no pixel decoded.
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            kind, sides = image.format, image.size
    except Exception:  # whatever a picture made for it sets off
        return None
    if max(sides) > LARGEST_SIDE or len(raw) > largest:
        return None
    return f"data:image/{kind.lower()};base64,{base64.b64encode(raw).decode('ascii')}"


# ---- outputs


def checked(outputs, room: Room) -> list:
    """What a cell showed in its sandbox, of the three kinds that we know, within limits.

    Each is {"kind": "stream", "name", "text"}, {"kind": "text", "text"} or {"kind": "picture",
    "png"}. Anything else is dropped; a last text says how many were.
    """
    kept, pictures, lost = [], 0, 0
    for item in outputs if isinstance(outputs, list) else []:
        kind, text, png = (
            (item.get(key) for key in ("kind", "text", "png"))
            if isinstance(item, dict)
            else (None, None, None)
        )
        new = None
        if len(kept) >= OUTPUTS:
            pass
        elif kind in ("stream", "text") and isinstance(text, str):
            text = codec.whole(text[: PRINTED + 100])  # the runner adds how much it left out
            if room.take(text):
                new = {"kind": kind, "text": text}
                if kind == "stream":
                    new["name"] = "stderr" if item.get("name") == "stderr" else "stdout"
        elif kind == "picture" and isinstance(png, str) and pictures < PICTURES:
            # To look at a picture takes longer than to see that there is no room for it.
            head, _, body = (room.has(png, 1) and picture(png) or "").partition(",")
            if head == "data:image/png;base64" and room.take(body, 1):
                new = {"kind": "picture", "png": body}
                pictures += 1
        if new is None:
            lost += 1
        else:
            kept.append(new)
    return kept + _lost(lost)


def saved(outputs, room: Room) -> list:
    """What a notebook's file holds as a cell's outputs, as `checked` gives it; a picture has its
    address, "src".
    """
    kept, pictures, lost = [], 0, 0
    for item in outputs if isinstance(outputs, list) else []:
        new = _saved(item) if isinstance(item, dict) and len(kept) < OUTPUTS else None
        many = new is not None and new["kind"] == "picture"
        if (
            new is None
            or many
            and pictures >= SAVED_PICTURES
            or not room.take(new.get("src") or new["text"], many)
        ):
            lost += 1
        else:
            kept.append(new)
            pictures += many
    return kept + _lost(lost)


def _saved(item):
    kind = item.get("output_type")
    if kind == "stream":
        name = "stderr" if item.get("name") == "stderr" else "stdout"
        return {"kind": "stream", "name": name, "text": _text(item.get("text"))}
    if kind == "error":
        said = f"{_text(item.get('ename'))}: {_text(item.get('evalue'))}"
        return {"kind": "stream", "name": "stderr", "text": said}
    data = item.get("data") if isinstance(item.get("data"), dict) else {}
    for mime in ("image/png", "image/jpeg", "image/gif"):
        if src := picture(_joined(data.get(mime)), SAVED_BYTES):
            return {"kind": "picture", "src": src}
    text = _text(data.get("text/plain"))
    return {"kind": "text", "text": text} if text else None


def _joined(text):
    """A text as nbformat keeps it: a string, or its lines."""
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""


def _text(text):
    text = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", _joined(text))  # colours of a terminal
    more = f"\n… and {len(text) - PRINTED:,} characters more" if len(text) > PRINTED else ""
    return codec.whole(text[:PRINTED]) + more


def _lost(count):
    what = "one output more is" if count == 1 else f"{count:,} outputs more are"
    return [{"kind": "text", "text": f"({what} not shown here)"}] if count else []


# ---- Markdown


def attachments(cell: dict, room: Room) -> dict:
    """{name: address} of the pictures that were pasted into a Markdown cell."""
    found = {}
    given = cell.get("attachments")
    for name, kinds in (given if isinstance(given, dict) else {}).items():
        for text in (kinds if isinstance(kinds, dict) else {}).values():
            src = picture(_joined(text), SAVED_BYTES)
            if src and room.take(src, 1):
                found[name] = src
                break
    return found


def markdown(text: str, pictures: dict | None = None, below: int = 0) -> Markup:
    """A student's Markdown as HTML that nothing can run in: no script, no style, no address that
    is fetched. Other tags show as they were typed. Never raises.

    pictures   {name: address}, what `attachment:name` stands for
    below      a heading of level 1 is shown at level 1 + below
    """
    plain = Markup(f"<pre>{escape(text)}</pre>")
    if len(text) > LONGEST:  # Markdown made for it takes minutes
        return plain
    try:
        page = _clean(_rendered(text), pictures or {})
        return Markup(
            re.sub(
                r"<(/?)h([1-6])>",
                lambda tag: f"<{tag[1]}h{min(6, int(tag[2]) + below)}>",
                page,
            )
        )
    except Exception:  # a text that the renderer stumbles over is still an answer
        return plain


def _rendered(text):
    import mistune
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def image(self, text, url, title=None):
            # IPythonRenderer's own raises where an attachment is missing.
            return mistune.HTMLRenderer.image(self, text, url, title)

    return MarkdownWithMath(Renderer(escape=False, exclude_anchor_links=True)).render(text)


def _clean(page, pictures):
    import bleach
    from bleach.html5lib_shim import Filter

    def allowed(tag, name, value):
        return name == "alt" or name == "src" and value.startswith("attachment:")

    class Pictures(Filter):
        """Put pasted pictures in, each once, and words in the place of all others."""

        def __iter__(self):
            left = dict(pictures)
            for token in super().__iter__():
                if token.get("name") != "img":
                    yield token
                    continue
                given = {name: value for (_, name), value in (token.get("data") or {}).items()}
                name = given.get("src", "").removeprefix("attachment:")
                name = name if name in left else urllib.parse.unquote(name)
                src = left.pop(name, None)
                alt = given.get("alt") or "no description"
                if src:
                    token["data"] = {(None, "alt"): alt, (None, "src"): src}
                    yield token
                else:
                    yield {"type": "Characters", "data": f"(a picture that is not shown: {alt})"}

    return bleach.Cleaner(
        tags=TAGS,
        attributes={"img": allowed},
        protocols=["attachment"],
        strip_comments=True,
        filters=[Pictures],
    ).clean(page)
