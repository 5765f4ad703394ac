"""Pages on what the course is made of, and on teaching with it: cards of data and weights,
licences, the glossary, the guides of `docs/`.
"""

import re
from importlib.metadata import metadata

from translearn import paths
from translearn.authoring import glossary
from translearn.authoring.book import anchors
from translearn.data import registry

KINDS = {  # of the registry → heading
    "data": "Data",
    "weights": "Networks with weights",
    "network": "Networks that begin from nothing",
    "labels": "Names of classes",
    "vocabulary": "Vocabularies",
}
CARDS = """\
# Cards of data and weights

Everything that the course learns from has a card: what it is, where it comes from, how it was
made, how that was verified, and what it is not good for. The course keeps the hash of each file
and looks at it before the file is used.
"""
LICENCES = """\
# Licences

The course, its text and its code are under the MIT licence. Data and weights keep their own, as
their [cards](cards.md) say. The photographs of solar cells are for no commercial use; they are
installed as a package and are not part of this book, but for those that a figure shows.
"""
# What the pages of a book carry of others: the package that it comes with, and what it is.
CARRIED = {
    "sphinx": "search and the frame of the pages",
    "sphinx-book-theme": "the look of the pages",
    "pydata-sphinx-theme": "the look of the pages; with it Bootstrap (MIT) and Font Awesome Free "
    "(icons CC BY 4.0, fonts SIL OFL 1.1, code MIT)",
    "sphinx-revealjs": "slides; with it reveal.js (MIT)",
}


def card_page() -> str:
    """Every card of the registry, by kind, each below what the registry says of it."""
    parts = [CARDS]
    for kind, heading in KINDS.items():
        parts.append(f"## {heading}")
        for name in registry.names(kind):
            parts.append(_card(registry.entry(name)))
    return "\n\n".join(parts) + "\n"


def _card(entry):
    text = (paths.DATA / entry["card"]).read_text(encoding="utf-8")
    title, _, body = text.removeprefix("# ").partition("\n")
    body = re.sub(r"^(#+) ", r"##\1 ", body, flags=re.M)
    said = [f"`{entry['name']}`", f"licence: {entry['licence']}"]
    if "bytes" in entry:
        said.append(f"{entry['bytes'] / 1e6:,.1f} MB")
    if "script" in entry:
        said.append(f"made by `data/{entry['script']}`")
    if "sha256" in entry:
        said.append(f"SHA-256 `{entry['sha256'][:16]}…`")
    return f"### {title.strip()}\n\n{' · '.join(said)}\n\n{body.strip()}"


def licence_page() -> str:
    """The licence of the course, of its data and weights, and of what a book carries."""
    own = (paths.ROOT / "LICENSE").read_text(encoding="utf-8")
    rows = ["| Name | Licence | From |", "|---|---|---|"]
    for name in registry.names():
        entry = registry.entry(name)
        source = _linked(entry.get("source", "made for this course"))
        rows.append(f"| `{name}` | {entry['licence']} | {source} |")
    parts = [LICENCES, "## The course", _text(own), "## Data and weights", "\n".join(rows)]
    for file in sorted((paths.DATA / "licences").glob("*.txt")):
        text = _text(file.read_text(encoding="utf-8"))
        parts.append(anchors.admonition(file.stem, text, "licence"))
    parts += ["## What these pages are made with", _carried()]
    return "\n\n".join(parts) + "\n"


def _carried():
    rows = ["| Package | Version | What | Licence |", "|---|---|---|---|"]
    for name, what in CARRIED.items():
        said = metadata(name)
        classes = [c for c in said.get_all("Classifier") or [] if c.startswith("License ::")]
        # `get`: another library may have put its own reader of metadata in, which raises.
        licence = said.get("License-Expression") or ", ".join(c.split(" :: ")[-1] for c in classes)
        rows.append(f"| {name} | {said['Version']} | {what} | {licence} |")
    return "\n".join(rows)


def _text(plain):
    return f"```text\n{plain.strip()}\n```"


def _linked(source):
    return re.sub(r"https?://[^\s,;)]+", r"<\g<0>>", source.replace("|", "\\|"))


def glossary_page(lessons) -> str:
    """The glossary, with links to the sections that introduce its terms."""
    named = {lesson.name: lesson for lesson in lessons}
    link = lambda term: anchors.above(named[term.lesson], term.line)[1]  # noqa: E731
    return anchors.references(glossary.page(lessons, link))


def guides() -> dict:
    """The guides for teachers and contributors: file → text."""
    return {
        f"{name}.md": (paths.ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        for name in ("teaching", "own-assignment", "contributing")
    }
