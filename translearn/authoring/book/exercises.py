"""An exercise as the book shows it: the starting code, then hints and solution, folded, and how to
try it.

A question with letters shows its options folded, each with what the check says of it.
"""

import importlib
import re

from translearn.authoring.book import anchors
from translearn.authoring.reading import BEGIN, Lesson

CHECK = re.compile(r"\b\w+\.(\w+)\.check\(")
QUESTION = re.compile(r"\s*\w+\.(\w+)\s*")


def in_place(lesson: Lesson) -> dict:
    """What stands in the book for the cells of a lesson's exercises: id of the cell → nbformat
    cells, none where the cell has no place there.

    A cell that is not among them is an ordinary one, as what an exercise needs to begin with.
    Raises `CourseError` when a lesson's cells and its module of exercises do not agree.
    """
    module = importlib.import_module(f"translearn.exercises.lesson{lesson.name[:2]}")
    found, waiting = {}, []  # waiting: the cells from an answer to its check
    for cell in lesson.cells:
        if cell.kind != "code" or "ledger-only" in cell.tags:
            continue
        if (asked := QUESTION.fullmatch(cell.text)) and _lettered(getattr(module, asked[1], None)):
            found[cell.id] = [_markdown(cell, question(getattr(module, asked[1])))]
        if BEGIN in cell.text:
            waiting.append(cell)
        if waiting and (checked := CHECK.search(cell.text)):
            exercise = getattr(module, checked[1])
            found[cell.id] = []
            for each in waiting:
                found[each.id] = [] if _lettered(exercise) else [_code(each)]
            found[cell.id].append(_markdown(cell, help_with(exercise, lesson, cell)))
            waiting = []
    return found


def question(choice) -> str:
    """A question with its options as Markdown; an option that is opened answers as the check
    does.
    """
    parts = [f"**{choice.question}**"]
    for letter, text in choice.options.items():
        if letter == choice.right:
            said = f"✓ **Passed.** {choice.praise}"
        else:
            misconception, why = choice.wrong[letter]
            said = f"✗ **Not quite · {misconception}.** {why}"
        parts.append(anchors.admonition(f"{letter} · {text}", said, "option"))
    return "\n\n".join(parts)


def help_with(exercise, lesson: Lesson, cell) -> str:
    """The folded hints and solution of an exercise, and how to try it, as Markdown. `cell` is the
    one that checks it.
    """
    count = len(exercise.hints)
    parts = [
        anchors.admonition(f"Hint {number} of {count}", hint, "hint")
        for number, hint in enumerate(exercise.hints, 1)
    ]
    if not _lettered(exercise):
        praise = f"\n\n{exercise.praise.strip()}" if exercise.praise else ""
        solution = f"```python\n{exercise.solution_source}\n```{praise}"
        parts.append(anchors.admonition("Solution", solution, "solution"))
    heading = anchors.above(lesson, cell.line)[0].removeprefix("Further · ")
    parts.append(
        f"Try it: `python3 course.py lab {lesson.name[:2]}` opens this lesson where it runs, and "
        f"the table of contents at its left leads to *{heading}*. Write your answer, and the "
        "check replies."
    )
    return "\n\n".join(parts)


def _lettered(exercise):
    return hasattr(exercise, "options")


def _code(cell):
    from nbformat.v4 import new_code_cell

    from translearn.exercises.source import unsolve

    return new_code_cell(unsolve(cell.text), id=cell.id, metadata={"tags": ["exercise-start"]})


def _markdown(cell, text):
    from nbformat.v4 import new_markdown_cell

    return new_markdown_cell(anchors.references(text), id=f"{cell.id}-help")
