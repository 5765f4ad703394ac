"""Every page that the sources give, held against what stands there, and written."""

import json

from translearn import paths
from translearn.authoring import glossary, handout, readme
from translearn.authoring.notebooks import notebook
from translearn.authoring.numbers import REFERENCE, number
from translearn.authoring.reading import read, sources
from translearn.authoring.rules import check


def outputs() -> dict:
    """Every page that the sources give: path → text. Notebooks, glossary, tables of the README and
    of the guide for teachers.
    """
    found, lessons = {}, [read(source) for source in sources()]
    for lesson, line, problem in glossary.twice(lessons):
        lesson.fail(line, problem)
    for lesson in lessons:
        check(lesson)
        found[paths.NOTEBOOKS / f"{lesson.name}.ipynb"] = notebook(lesson, solved=False)
        found[paths.NOTEBOOKS / "solutions" / f"{lesson.name}.ipynb"] = notebook(
            lesson, solved=True
        )
    if lessons:
        glossed = REFERENCE.sub(lambda match: number(match[1]), glossary.page(lessons))
        found[paths.NOTEBOOKS / "glossary.md"] = glossed
    return found | of_assignments(lessons)


def of_assignments(lessons=()) -> dict:
    """The pages that the assignments give: path → text. Their notebooks, and the tables with a row
    for each of them; rows of lessons are made for `lessons`, and stay as they are for others.
    """
    found, assignments = {}, [read(source) for source in handout.sources()]
    for assignment in assignments:
        handout.check(assignment)
        found |= handout.pages(assignment)
    if (file := paths.NOTEBOOKS.parent / "README.md").exists():
        found[file] = readme.page(file.read_text(encoding="utf-8"), lessons, assignments)
    if (file := paths.NOTEBOOKS.parent / "docs" / "teaching.md").exists():
        found[file] = readme.guide(file.read_text(encoding="utf-8"), assignments)
    return found


def out_of_sync() -> list:
    """The pages that differ from a fresh build, or have no source any more."""
    fresh = outputs()
    committed = [
        page
        for folder in (".", "solutions", "coursework", "coursework/instructor")
        for page in (paths.NOTEBOOKS / folder).glob("*.ipynb")
    ]
    return [*changed(fresh), *(path for path in committed if path not in fresh)]


def _same(path, text):
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8") == text
    return _cells_of(path) == json.loads(text)


def _cells_of(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def build() -> list:
    """Write every notebook; return the paths of those that changed."""
    stale = out_of_sync()
    write({path: text for path, text in outputs().items() if path in stale})
    return stale


def write(pages: dict) -> None:
    """Write pages (path → text), and keep a copy of a notebook that somebody has worked in."""
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep_work(path)
        path.write_text(text, encoding="utf-8", newline="\n")


def changed(pages: dict) -> dict:
    """Those of the pages that are not there, or otherwise."""
    return {p: text for p, text in pages.items() if not p.exists() or not _same(p, text)}


def _keep_work(path):
    """Copy a notebook that somebody has run or edited before the build writes over it: their
    answers are in it.
    """
    book = _cells_of(path) if path.exists() and path.suffix == ".ipynb" else None
    if book is not None and handout.worked_in(book):
        kept = (
            paths.cache()
            / "kept"
            / f"{path.parent.name}-{path.stem}-{int(path.stat().st_mtime)}.ipynb"
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(path.read_bytes())
        print(f"{path.name} had been worked in; your version is kept as {kept}.")
