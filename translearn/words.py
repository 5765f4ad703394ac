"""The package's words in the reader's language: `_("Holds:")`.

English, unless `TRANSLEARN_LANGUAGE` names another language, as it does while a lesson runs for a
book in that language, and while that book is made. The catalogues are gettext's, one folder a
language; docs/contributing.md says how they are kept.
"""

import functools
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from translearn.errors import CourseError

LOCALE = Path(__file__).with_name("authoring") / "book" / "locale"
ENGLISH = "en"
NAME = "words"  # of the catalogue of what the package says


def languages() -> list:
    """The languages that the course speaks, English first, as in ["en", "zh_CN"]."""
    found = (folder.parent.name for folder in LOCALE.glob("*/LC_MESSAGES"))
    return [ENGLISH, *sorted(found)]


def language() -> str:
    """The language that is spoken now."""
    return os.environ.get("TRANSLEARN_LANGUAGE") or ENGLISH


@contextmanager
def speaking(language: str):
    """Speak a language for a while. Raises `CourseError` for one that the course does not know."""
    if language not in languages():
        raise CourseError(
            f"The course does not speak {language!r}. Its languages are: {', '.join(languages())}."
        )
    before = os.environ.get("TRANSLEARN_LANGUAGE")
    os.environ["TRANSLEARN_LANGUAGE"] = language
    try:
        yield language
    finally:
        if before is None:
            del os.environ["TRANSLEARN_LANGUAGE"]
        else:
            os.environ["TRANSLEARN_LANGUAGE"] = before


def _(text: str, **fields) -> str:
    """A text in the language that is spoken now, its `{fields}` filled in when any are given.

    What is not translated, or is no text, stays as it is.
    """
    if (now := language()) != ENGLISH and isinstance(text, str):
        text = catalogue(now, NAME).get(text, text)
    return text.format(**fields) if fields else text


@functools.cache
def catalogue(language: str, name: str) -> dict:
    """A catalogue: English text → its translation. What is not translated, or fuzzy, is left
    out.
    """
    from babel.messages.pofile import read_po

    with open(LOCALE / language / "LC_MESSAGES" / f"{name}.po", "rb") as file:
        found = read_po(file)
    return {each.id: each.string for each in found if each.id and each.string and not each.fuzzy}


def prepare_figures() -> None:
    """Let figures draw the language that is spoken now: matplotlib's own font has no Chinese. A
    language brings the font that it needs, `font.otf`; what that lacks is drawn as before.
    """
    font = LOCALE / language() / "font.otf"
    if font.exists():
        import matplotlib
        from matplotlib import font_manager

        known = font_manager.fontManager
        known.addfont(font)
        # It has one weight, which stands for bold as well. Digits beside it are no heavier.
        known.ttflist.append(replace(known.ttflist[-1], weight=700))
        matplotlib.rcParams["font.family"] = ["DejaVu Sans", known.ttflist[-1].name]
        matplotlib.rcParams["axes.titleweight"] = "normal"
