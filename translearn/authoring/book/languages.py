"""Links between a book's languages: every page leads to the same page in the others.

The English pages stand in the book's folder, those of another language in a folder of its name in
it. A book may be made in one language today and in another tomorrow, so the links are put into the
pages once they are made.
"""

import os
import re
from html import escape
from pathlib import Path

from translearn import words
from translearn.words import _

PLACE = re.compile(
    r'(<article class="bd-article"[^>]*>)(?:\s*<nav class="languages".*?</nav>)?', re.S
)


def link(output: Path) -> None:
    """Put links between the languages into all pages of a book, instead of those that they had."""
    books = {words.ENGLISH: output} | {
        name: output / name
        for name in words.languages()
        if (output / name / "index.html").exists()
    }
    for language, folder in books.items():
        for file in folder.glob("*.html"):
            pages = {other: books[other] / file.name for other in books if other != language}
            links = "".join(
                _link(other, os.path.relpath(page, folder))
                for other, page in pages.items()
                if page.exists()
            )
            with words.speaking(language):
                nav = f'<nav class="languages" aria-label="{escape(_("Languages"))}">{links}</nav>'
            text = file.read_text(encoding="utf-8")
            new = PLACE.sub(rf"\1{nav if links else ''}", text, count=1)
            if new != text:
                file.write_text(new, encoding="utf-8")


def _link(language, url):
    with words.speaking(language):
        name = _("English")  # each language's word for itself
    tag = language.replace("_", "-")
    return f'<a href="{escape(url)}" lang="{tag}" hreflang="{tag}">{escape(name)}</a>'
