"""The page of the assignments: what each asks, its points and its hours, as students get them."""

import re

from translearn.authoring import handout
from translearn.authoring.reading import read
from translearn.errors import CourseError

TIME = re.compile(r"\*\*Time\.\*\* ([^.]+)\.")
HEAD = """# The assignments

What the assignments ask, as students get them: no solutions, and not the inputs that answers are
judged by. The hours are estimates. How they are handed out, taken in and marked is told in
[Teaching with the course](teaching.md).
"""


def page() -> str:
    """The page as MyST Markdown."""
    every = [read(path) for path in handout.sources()]
    rows = ["| Assignment | Questions | Points | Time |", "|---|---|---|---|"]
    return "\n".join([HEAD, *rows, *map(_row, every), "", *map(_part, every)])


def _row(lesson):
    from translearn.coursework.student.question import questions, written

    module = handout.module_of(lesson)
    asked = [*questions(module), *written(module)]
    points = sum(each.points for each in asked)
    told = next((cell.text for cell in lesson.cells if "instructor" in cell.tags), "")
    found = TIME.search(told)
    if not found:
        raise CourseError(f"{lesson.name}: the instructor's cell tells no **Time.**")
    title = re.match(r"# (.+)", lesson.cells[0].text)[1]
    return f"| {title} | {len(asked)} | {points} | {found[1]} |"


def _part(lesson):
    """An assignment as it is released, one heading lower, without what only runs."""
    parts = []
    for cell in handout.cells(lesson, solved=False):
        text, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            if text.startswith("## Hand in"):
                break
            text = re.sub(r"\]\(\.\./", "](", text)  # its links start a folder lower
            parts.append(re.sub(r"^(#+ )", r"#\1", text, flags=re.M))
        elif "exercise" in tags:
            parts.append(f"```python\n{text}\n```")
    return "\n\n".join(parts) + "\n"
