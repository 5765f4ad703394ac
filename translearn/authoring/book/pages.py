"""The pages of the book that are no lessons."""

from translearn.authoring.book import answers, assignments, cards, measured, start
from translearn.authoring.reading import read, sources


def every(explorer: str = "", lessons=None) -> dict:
    """File in the folder of Sphinx's sources → its text in MyST Markdown, references unresolved.

    explorer   an explorer in HTML for the start page
    lessons    as `reading.read` gives them; all of the course when none are given
    """
    lessons = lessons or [read(path) for path in sources()]
    first = next((each for each in lessons if each.name.startswith("01_")), None)
    return {
        "index.md": start.page(lessons, explorer),
        "measured.md": measured.page(lessons),
        **({"answers.md": answers.page(first)} if first else {}),
        "assignments.md": assignments.page(),
        "glossary.md": cards.glossary_page(lessons),
        "cards.md": cards.card_page(),
        "licences.md": cards.licence_page(),
        **cards.guides(),
    }
