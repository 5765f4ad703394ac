"""Sphinx extension: a book in another language says which of its pages are still in English."""

from translearn import words
from translearn.authoring.book import translation
from translearn.words import _


def _tell(app, pagename, templatename, context, doctree):
    """Mark an English page of such a book as English, below a sentence that says so."""
    for way in ("prev", "next"):
        if context.get(way):
            context[way] = context[way] | {"title": _(context[way]["title"])}
    if words.language() == words.ENGLISH or doctree is None:
        return
    if translation.spoken(pagename, words.language()) == words.ENGLISH:
        said = _("This page has not been translated yet. It is shown in English.")
        context["body"] = (
            f'<p class="untranslated">{said}</p><div lang="en">{context["body"]}</div>'
        )


def setup(app):
    app.connect("html-page-context", _tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
