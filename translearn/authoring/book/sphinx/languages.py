"""Sphinx extension: a book in another language says which of its pages are still in English, and
is searched in its own.
"""

import re

from docutils import nodes
from sphinx.search.zh import SearchChinese
from sphinx.transforms import SphinxTransform
from sphinx.transforms.i18n import Locale, PreserveTranslatableMessages

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


class Places(SphinxTransform):
    """A table within a directive comes without its place in the source, and what has none Sphinx
    does not translate.
    """

    default_priority = PreserveTranslatableMessages.default_priority - 5

    def apply(self, **_):
        for node in self.document.findall(nodes.paragraph):
            if node.rawsource and not node.source:
                node.source, node.line = self.document["source"], 1


class Anchors(SphinxTransform):
    """MyST takes a translated heading, which Sphinx parses by itself, for all headings of the
    page. A page's anchors are those of its source, in every language.
    """

    default_priority = Locale.default_priority + 1

    def apply(self, **_):
        if slugs := getattr(self.document, "myst_slugs", None):
            self.env.metadata[self.env.docname]["myst_slugs"] = slugs


class Chinese(SearchChinese):
    """Chinese is found without the dictionary of words that Sphinx would need: whatever stands in
    a text, of two characters or more. The page's script looks for a term of two as it is, and for
    a longer one within those of the index, which therefore holds every pair and every stretch.
    """

    language_name = "English"  # of the page's stemmer: Sphinx 9.0 asks for one that it lacks

    def split(self, input):
        found = self.latin1_letters.findall(input)
        self.latin_terms.update(found)
        for run in re.findall(r"[\u3400-\u9fff]+", input):
            found += [run, *(run[at : at + 2] for at in range(len(run) - 1))]
        return found


def setup(app):
    app.add_search_language(Chinese)
    app.add_transform(Places)
    app.add_transform(Anchors)
    app.connect("html-page-context", _tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
