"""Sphinx extension: `{{ lesson.experiment.arm.metric, percent }}` in prose becomes its number.

After translation, so that a translated sentence takes its number from the ledger, too; never for
the catalogues of a translation, whose messages hold the reference. What stands in code is left
alone.
"""

import functools
import hashlib
import re
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.transforms.i18n import Locale

REFERENCE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


def resolved(text: str, where: str = "") -> str:
    """A text with its references resolved. Raises `ExtensionError` that names what is unknown."""
    from translearn.authoring.numbers import number
    from translearn.errors import CourseError

    def put(match):
        body, _, kind = match[1].partition(",")
        try:
            if time := re.fullmatch(r"time\.(\w+)\.(\w+)", body.strip()):
                return str(minutes(*time.groups()))
            found = number(f"{body.strip()} | {kind.strip() or 'number'}")
        except CourseError as error:
            raise ExtensionError(f"{where}: {match[0]}: {error}") from None
        return found.replace(" ", "\N{NO-BREAK SPACE}")

    return REFERENCE.sub(put, text)


def minutes(name: str, key: str) -> int:
    """What `{{ time.05_freezing.core }}` stands for. Raises `CourseError` for what is unknown."""
    from translearn.authoring.minutes import count

    return count(lesson(name), key)


@functools.cache
def lesson(name: str):
    from translearn.authoring.reading import find, read

    return read(find([name])[0])


class Resolve(SphinxTransform):
    default_priority = Locale.default_priority + 1

    def apply(self, **_):
        if self.app.builder.name == "gettext":
            return
        from translearn import words
        from translearn.authoring.book import translation

        page = self.env.docname
        with words.speaking(translation.spoken(page, words.language())):
            self._resolve(page)

    def _resolve(self, where):
        for node in list(self.document.findall(nodes.Text)):
            if "{{" in node and not _code(node.parent):
                node.parent.replace(node, nodes.Text(resolved(node, where)))
        for node in list(self.document.findall(nodes.raw)):
            if "{{" in node.astext() and "html" in node.get("format", ""):
                text = resolved(node.astext(), where)
                node.parent.replace(node, nodes.raw("", text, format="html"))


def _code(node):
    while node is not None:
        if isinstance(node, (nodes.literal, nodes.literal_block, nodes.raw)):
            return True
        node = node.parent
    return False


def made_with() -> str:
    """A hash of the ledger, of the lessons, whose minutes are counted, and of what writes these
    numbers: pages are read again when it changes, so that none keeps a number of before.
    """
    from translearn import paths
    from translearn.authoring import minutes, numbers
    from translearn.authoring.reading import sources

    files = [*sorted(paths.LEDGER.glob("*.json")), *sources()]
    files += [Path(numbers.__file__), Path(minutes.__file__)]
    files += sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def setup(app):
    app.add_transform(Resolve)
    app.add_config_value("made_with", made_with(), "env")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
