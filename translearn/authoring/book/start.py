"""The book's start page: `docs/book/index.md` with an explorer, the lessons in a table, and the
contents.
"""

from translearn import paths
from translearn.authoring import readme
from translearn.authoring.book import anchors
from translearn.words import _

FILE = paths.ROOT / "docs" / "book" / "index.md"
# Where there is no picture of the explorer, as in a book of other lessons.
NO_EXPLORER = "[The explorer stands in lesson 00](00_start_here.ipynb#2--see-it)."
PAGES = {  # caption of the contents → pages under it, with what they are called
    "The course": {
        "measured": "What we measured",
        "answers": "Answers to an exercise",
        "assignments": "The assignments",
        "glossary": "Glossary",
    },
    "For teachers": {
        "teaching": "Teaching with this course",
        "own-assignment": "An assignment of your own",
        "contributing": "Contributing",
    },
    "What it is made of": {"cards": "Cards of data and weights", "licences": "Licences"},
}


def page(lessons, explorer: str = "") -> str:
    """The start page as MyST Markdown, references unresolved.

    explorer   an explorer in HTML, to be moved on the page itself
    """
    text = FILE.read_text(encoding="utf-8")
    for place, put in (("explorer", explorer or NO_EXPLORER), ("lessons", table(lessons))):
        text = text.replace(f"<!-- {place} -->", put)
    return f"{text}\n{contents(lessons)}"


def table(lessons) -> str:
    """The lessons with their minutes, question and most surprising result (`surprise` in the front
    matter).
    """
    rows = ["````{container} stacked lessons"]
    rows += ["| Lesson | Time | The question | What surprised us |", "|---|---|---|---|"]
    for lesson in lessons:
        question = readme.head(lesson)[1].partition("?")
        surprise = anchors.references(lesson.meta.get("surprise", ""))
        name = f"[{anchors.title(lesson)}]({lesson.name}.ipynb)"
        rows.append(
            f"| {name} | {{{{ time.{lesson.name}.core }}}} minutes "
            f"| {question[0]}{question[1]} | {surprise} |"
        )
    return "\n".join([*rows, "````"])


def contents(lessons) -> str:
    """What the side of each page lists: the lessons, then the other pages."""
    captions = {"Lessons": {lesson.name: anchors.title(lesson) for lesson in lessons}} | PAGES
    return "\n".join(
        "\n".join(
            [
                "```{toctree}\n:hidden:\n:caption: " + caption + "\n",
                *map(_entry, *zip(*pages.items())),
                "```\n",
            ]
        )
        for caption, pages in captions.items()
    )


def _entry(page, title):
    """A page in the contents, by its name in the language of the book."""
    return page if _(title) == title else f"{_(title)} <{page}>"
