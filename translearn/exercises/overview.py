"""The start page's table: every lesson, its question, and how many of its exercises are passed."""

import importlib
import json

from translearn import paths
from translearn.errors import CourseError
from translearn.exercises import progress
from translearn.exercises.engine import exercises_of
from translearn.exercises.render import Card
from translearn.words import _


def lessons() -> Card:
    """The lessons of the course as a table: name (a link), question, exercises passed.

    It reads the small file that `check` writes on passing, on this machine only, and asks nobody
    else. Run the cell again to see it anew. A notebook that cannot be read still has its row.
    """
    heads = _("Lesson"), _("The question"), _("Exercises passed")
    rows = [f"| {' | '.join(heads)} |", "|---|---|---|"]
    for path in sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")):
        title, question = _head(path)
        rows.append(f"| [{_(title)}]({path.name}) | {_(question)} | {_passed(path.name[:2])} |")
    return Card("\n".join(rows))


def _head(path):
    """Title and question of a lesson: its first heading, and its first quoted line."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        lines = [
            line
            for cell in cells
            if cell["cell_type"] == "markdown"
            for line in "".join(cell["source"]).splitlines()
        ]
    except (OSError, ValueError, KeyError, TypeError):
        lines = []
    title = next((line[2:].strip() for line in lines if line.startswith("# ")), path.stem)
    question = next((line.strip("> *") for line in lines if line.startswith("> ")), "")
    return title.replace("|", "\\|"), question.replace("|", "\\|")


def _passed(number):
    """A row of circles and the same in words, such as "●●○ 2 of 3"."""
    try:
        module = importlib.import_module(f".lesson{number}", __package__)
    except (ModuleNotFoundError, CourseError):
        return ""
    names = [each.name for each in exercises_of(module)]
    done = sum(name in progress.passed(f"lesson{number}") for name in names)
    said = _("{done} of {all}", done=done, all=len(names))
    return f"{'●' * done}{'○' * (len(names) - done)} {said}"
