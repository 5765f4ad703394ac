"""Assignments, from the same kind of source as the lessons: what a student gets, and what an
instructor keeps.

A source `notebooks/source/A1_name.md` is a lesson's source with a few tags more: `setup` (locked
code), `marks` and `rubric:NAME` (tables that the build writes from
`translearn.coursework.student`), `manual:NAME` (an answer that a person marks; its model answer
stands between the solution markers), `instructor` (left out of what students get), `submit`. The
cells carry nbgrader's metadata:
https://nbgrader.readthedocs.io/en/stable/contributor_guide/metadata.html
"""

import hashlib
import json
import re

from translearn import paths
from translearn.coursework import student

WRITE_HERE = "*Write your answer here.*"
MARKED = re.compile(r"### BEGIN SOLUTION\n(.*?)\n### END SOLUTION", re.S)
COMMENT = re.compile(r"^<!--.*?-->\n*", re.M | re.S)  # to whoever writes the source
CHECK = re.compile(r"^question\.(\w+)\.check\(", re.M)


def sources() -> list:
    """The sources of the assignments, `A1_name.md`, in order of their numbers."""
    return sorted(paths.SOURCE.glob("A*_*.md"), key=lambda path: (len(name_of(path.stem)), path))


def name_of(stem: str) -> str:
    """What an assignment is called: "A1" for A1_losses_optimisers_rates."""
    return stem.partition("_")[0]


def module_of(lesson):
    """The public module of an assignment: `translearn.coursework.student.a1` for the source
    A1_name.
    """
    return student.module(name_of(lesson.name))


def check(lesson) -> None:
    """Raise `BuildError` with every line where the source and the assignment's module do not fit
    together.
    """
    from translearn.authoring.reading import BuildError

    if found := problems(lesson):
        raise BuildError(
            "\n".join(f"{lesson.path.name}:{line}: {problem}" for line, problem in found)
        )


def problems(lesson) -> list:
    """(line, what is wrong there) of an assignment's source, all of them, in order."""
    from translearn.coursework.student.question import Question, Written, questions, written

    module, seen, found = module_of(lesson), [], []
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    follows = dict(zip(map(id, code), [*code[1:], None]))
    answers = [cell for cell in code if "exercise" in cell.tags]
    checks = {id(cell): match[1] for cell in code if (match := CHECK.search(cell.text))}

    def wrong(cell, problem):
        found.append((cell.line, problem))

    for cell in lesson.cells:
        named = dict(tag.split(":", 1) for tag in cell.tags if ":" in tag)
        for tag, kind in (("manual", Written), ("rubric", Written)):
            if tag in named and not isinstance(getattr(module, named[tag], None), kind):
                wrong(cell, f"the tag {tag}:{named[tag]} names nothing that a person marks.")
        if "exercise" in cell.tags and cell.kind == "code":
            if any(cell.text.count(f"### {word} SOLUTION") != 1 for word in ("BEGIN", "END")):
                wrong(
                    cell,
                    "an answer cell has one '### BEGIN SOLUTION' and one '### END SOLUTION'.",
                )
            if id(follows[id(cell)]) not in checks:
                wrong(cell, "an answer cell is followed by the check of its question.")
        elif id(cell) in checks:
            name = checks[id(cell)]
            if not any(follows[id(answer)] is cell for answer in answers):
                wrong(cell, f"question {name} has no answer cell (tag exercise) before its check.")
            if not isinstance(getattr(module, name, None), Question):
                wrong(cell, f"the module has no question {name}.")
            seen.append(name)
        if "manual" in named:
            seen.append(named["manual"])
            if not MARKED.search(cell.text):
                wrong(
                    cell,
                    "a question for a person has its model answer between '### BEGIN SOLUTION' "
                    "and '### END SOLUTION'.",
                )
        elif "BEGIN SOLUTION" in cell.text and "exercise" not in cell.tags:
            wrong(
                cell,
                "a solution stands in a cell that is not tagged exercise or manual:NAME, and "
                "would stay visible.",
            )
    wanted = [each.name for each in [*questions(module), *written(module)]]
    for name in wanted:
        if seen.count(name) != 1:
            times = "not asked" if name not in seen else "asked more than once"
            found.append((1, f"the question {name} of the module is {times}."))
    for tag in ("submit", "setup", "marks"):
        if sum(tag in cell.tags for cell in lesson.cells) != 1:
            found.append((1, f"an assignment has one cell tagged {tag}."))
    return sorted(found)


def cells(lesson, solved: bool) -> list:
    """The cells of the notebook as nbformat has them: for the instructor (`solved`), or as
    released.
    """
    from translearn.coursework.student.question import marks_table
    from translearn.exercises.source import unmark, unsolve

    module, made = module_of(lesson), []
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    for cell in lesson.cells:
        kind, text, book = cell.kind, cell.text, None
        named = dict(tag.split(":") for tag in cell.tags if ":" in tag)
        if "instructor" in cell.tags and not solved:
            continue
        if kind == "markdown":
            text = COMMENT.sub("", text)
        if "marks" in cell.tags:
            text = text.replace("{{ marks }}", marks_table(module))
        elif "rubric" in named:
            text = text.replace("{{ rubric }}", getattr(module, named["rubric"]).table())
        elif "manual" in named:
            text = MARKED.sub(lambda match: match[1] if solved else WRITE_HERE, text)
            book = {
                "grade": True,
                "solution": True,
                "locked": False,
                "grade_id": named["manual"],
                "points": getattr(module, named["manual"]).points,
            }
        elif "exercise" in cell.tags:
            name = CHECK.search(code[code.index(cell) + 1].text)[1]
            text = unmark(text) if solved else unsolve(text)
            book = {
                "grade": False,
                "solution": True,
                "locked": False,
                "grade_id": f"{name}_answer",
            }
        elif kind == "code" and (found := CHECK.search(text)):
            book = {
                "grade": True,
                "solution": False,
                "locked": True,
                "grade_id": found[1],
                "points": getattr(module, found[1]).points,
            }
        elif kind == "code":
            book = {
                "grade": False,
                "solution": False,
                "locked": True,
                "grade_id": next(iter(cell.tags), cell.id),
            }
        metadata = (
            {"tags": [tag for tag in cell.tags if ":" not in tag and tag != "marks"]}
            if cell.tags
            else {}
        )
        if book:
            metadata["nbgrader"] = book | {
                "task": False,
                "schema_version": 3,
                **({"cell_type": kind} if book["grade"] else {}),
            }
        if book is None or book["locked"]:
            metadata |= {"editable": False, "deletable": False}
        row = {
            "cell_type": kind,
            "id": cell.id,
            "metadata": {key: value for key, value in metadata.items() if value != []},
            "source": text.splitlines(keepends=True),
        }
        made.append(row | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    return made


def notebook(lesson, solved: bool) -> str:
    """The assignment as the text of a notebook file."""
    made = cells(lesson, solved)
    metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
        "translearn": {
            "assignment": name_of(lesson.name),
            "solved": solved,
            "build": sources_hash(made),
        },
    }
    return (
        json.dumps(
            {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5},
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


def sources_hash(cells) -> str:
    """A short hash of the cells' sources: a notebook that still has it has not been edited since
    it was built.
    """
    text = "\0".join("".join(cell["source"]) for cell in cells)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def worked_in(book: dict) -> bool:
    """Whether somebody has run or edited a notebook since it was built."""
    built = book["metadata"].get("translearn", {}).get("build") == sources_hash(book["cells"])
    return not built or any(
        cell.get("execution_count") or cell.get("outputs") for cell in book["cells"]
    )


def pages(lesson) -> dict:
    """Both notebooks of an assignment: path → text."""
    folder = paths.NOTEBOOKS / "coursework"
    return {
        folder / f"{lesson.name}.ipynb": notebook(lesson, solved=False),
        folder / "instructor" / f"{lesson.name}.ipynb": notebook(lesson, solved=True),
    }
