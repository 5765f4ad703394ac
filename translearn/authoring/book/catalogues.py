"""The catalogues of a translation: what is to be translated, and whether it is.

    python -m translearn.authoring.book.catalogues zh_CN [05_freezing …]

brings a language's catalogues up to what the course says now, and begins those of further pages.
What changed is marked `fuzzy` and shown in English until somebody has looked at it. The catalogues
of a language, in `locale/<language>/LC_MESSAGES/`:

    <page>.po          prose, as Sphinx's gettext builder finds it; its numbers are references
    <lesson>-code.po   words in a lesson's code, see `translation`
    words.po           what the package itself says, and names: of lessons, arms, metrics, classes

What a run of a lesson printed is no message: it is run once more in the language.
"""

import ast
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from translearn import words
from translearn.authoring.book import anchors, explorers, start, translation
from translearn.authoring.reading import find, read, sources
from translearn.errors import CourseError

WIDTH = 98  # of a line in a catalogue
# Built-in names that tables show.
COLUMNS = ["train", "validation", "test", "all", "seconds", "chosen"]
# What a translation must have as its source has it: references, links, and fields.
KEPT = re.compile(r"\{\{.*?\}\}|(?<=\]\()[^)]+(?=\))|`[^`]+`")


def templates(pages) -> dict:
    """Name of a catalogue → its messages, in their order, for these pages: lessons by their name,
    and "index".
    """
    lessons = {name: read(find([name])[0]) for name in pages if name != "index"}
    found = {words.NAME: _words(lessons.values())} | _prose(pages, lessons)
    for name, lesson in lessons.items():
        found[f"{name}-code"] = list(
            dict.fromkeys(
                said
                for cell in lesson.cells
                if cell.kind == "code" and "ledger-only" not in cell.tags
                for _, said in reversed(translation.literals(cell.text))
            )
        )
    return found


def update(language: str, more=()) -> None:
    """Bring a language's catalogues up to date, and begin those of `more` pages."""
    from sphinx_intl import basic

    with tempfile.TemporaryDirectory() as folder:
        pages = dict.fromkeys([*translation.translated(language), *more])
        for name, messages in templates(pages).items():
            catalogue = Catalog(project="Transfer Learning, Measured", locale=language)
            for message in messages:
                catalogue.add(message)
            with open(Path(folder) / f"{name}.pot", "wb") as file:
                write_po(file, catalogue)
        basic.update(str(words.LOCALE), folder, [language], line_width=WIDTH)


def faults(language: str) -> list:
    """What keeps a translation from being whole: a sentence for each message, none if it is."""
    found = []
    for name, messages in templates(translation.translated(language)).items():
        file = words.LOCALE / language / "LC_MESSAGES" / f"{name}.po"
        with open(file, "rb") as open_file:
            catalogue = read_po(open_file)
        said = {each.id: each for each in catalogue if each.id}
        for message in messages:
            if fault := _fault(said.get(message), name):
                found.append(f"{name}.po: {fault}: {message!r}")
        left = [*(said.keys() - set(messages)), *catalogue.obsolete]
        found += [f"{name}.po: no longer said: {message!r}" for message in left]
    return found


def _fault(message, name):
    """What is wrong with a message of a catalogue, or None."""
    if message is None or not message.string:
        return "missing"
    if message.fuzzy:
        return "fuzzy, the source has changed"
    if name.endswith("-code"):
        kept = translation.fields
    elif name == words.NAME:
        kept = _places
    else:
        kept = KEPT.findall
    try:
        if Counter(kept(message.id)) != Counter(kept(message.string)):
            return "other references, links, code or fields than its source"
    except CourseError as error:
        return str(error)
    return None


def _places(text):
    return re.findall(r"\{\w+[^}]*\}", text)


def _prose(pages, lessons):
    """What Sphinx's gettext builder finds in pages."""
    import nbformat

    from translearn.authoring.book import chapters, executed, site

    empty = executed.empty()
    found = {}
    with tempfile.TemporaryDirectory() as folder, words.speaking(words.ENGLISH):
        source, output = Path(folder) / "source", Path(folder) / "pot"
        source.mkdir()
        for name, lesson in lessons.items():
            chapter = chapters.chapter(lesson, empty, source / "extra")
            (source / f"{name}.ipynb").write_text(nbformat.writes(chapter), encoding="utf-8")
        # The builder wants a start page, translated or not.
        text = start.page([read(path) for path in sources()], "<div></div>")
        (source / "index.md").write_text(text, encoding="utf-8")
        site.run(source, output, builder="gettext", strict=False)
        for name in pages:
            with open(output / f"{name}.pot", "rb") as file:
                found[name] = [each.id for each in read_po(file) if each.id]
    return found


def _words(lessons) -> list:
    """What the package says through `words._`, and the names that it shows."""
    said = []
    for file in sorted(Path(words.__file__).parent.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if "translearn.words import" in text:
            said += _asked(text)
    for path in sources():  # in tables and in the contents
        lesson = read(path)
        said += [anchors.title(lesson), _question(lesson)]
    for pages in start.PAGES.values():
        said += pages.values()
    said += [*explorers.WORDS.values(), *COLUMNS]
    for lesson in lessons:
        said += names(lesson)
    return list(dict.fromkeys(said))


def _asked(text):
    """The messages that a module asks `words._` for."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_":
            if isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def _question(lesson):
    text = "\n".join(cell.text for cell in lesson.cells if cell.kind == "markdown")
    return re.search(r"^> (.+)", text, re.M)[1].strip("* ")


def names(lesson) -> list:
    """Names that a lesson shows and its code must not translate, since they are keys: arms,
    metrics and budgets of the experiments that it shows, classes of its data, its controls.
    """
    from translearn import data, measure

    found, experiments = [], {}
    for cell in lesson.cells:
        if cell.kind != "code" or "ledger-only" in cell.tags:
            continue
        tree = ast.parse(cell.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and (name := _experiment(node.value)):
                experiments[ast.unparse(node.targets[0])] = name
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "data.load":
                with words.speaking(words.ENGLISH):
                    found += data.load(ast.literal_eval(node.args[0])).class_names
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "widgets.explore":
                found += [each.arg.replace("_", " ") for each in node.keywords if each.arg]
        last = ast.unparse(tree.body[-1]) if tree.body else ""
        if last in experiments:
            results = measure.recorded(experiments[last])
            tuned = ".tune(" in cell.text
            found += [arm.rsplit(" @ ", 1)[0] for arm in results.arms] if tuned else results.arms
            found += [] if tuned else [*results.metrics, results.budget]
    return [name for name in dict.fromkeys(found) if name]


def _experiment(node):
    """The experiment that a call of `measure` names, or None."""
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("measure."):
        return None
    named = [each.value for each in node.keywords if each.arg == "name"]
    named += node.args[:1] if ast.unparse(node.func) == "measure.recorded" else []
    return ast.literal_eval(named[0]) if named else None


if __name__ == "__main__":
    language, *more = sys.argv[1:]
    update(language, more)
    print("\n".join(faults(language)) or f"{language} is whole.")
