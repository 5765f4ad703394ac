"""A lesson as evidence: its experiments, what each rests on, its claims, and what the ledger lacks
of them.
"""

import ast
from pathlib import Path

from translearn.authoring import Lesson
from translearn.errors import CourseError
from translearn.evidence import book, rests_on
from translearn.measure import ledger

NO_MEASURE = ("exercise", "explorer", "bug")  # tags of cells that no experiment rests on


def cells_of(lesson: Lesson) -> list:
    """(cell, its syntax tree) for the code cells that experiments may rest on, `ledger-only` ones
    included.
    """
    return [
        (cell, _parse(lesson, cell))
        for cell in lesson.cells
        if cell.kind == "code" and not set(cell.tags) & set(NO_MEASURE)
    ]


def trees_of(lesson: Lesson) -> dict:
    """Each named experiment of a lesson → the syntax trees of the cells up to it, its own the
    last.
    """
    cells = cells_of(lesson)
    trees = [tree for _, tree in cells]
    return {
        name: trees[: i + 1]
        for i, (cell, tree) in enumerate(cells)
        for name, _ in _experiments_in(lesson, cell, tree)
    }


def experiments(lesson: Lesson) -> dict:
    """Each named experiment of a lesson → what it rests on (see `rests_on.of`)."""
    return {name: rests_on.of(trees) for name, trees in trees_of(lesson).items()}


def least_seeds(lesson: Lesson) -> dict:
    """Each named experiment → the seeds that the ledger must have of it at least.

    Five, unless the experiment itself asks for fewer (`ledger_seeds=3`), because a run of it takes
    minutes; never below three.
    """
    return {
        name: min(5, max(3, said))
        for cell, tree in cells_of(lesson)
        for name, said in _experiments_in(lesson, cell, tree)
    }


def _parse(lesson, cell):
    try:
        return ast.parse(
            "\n" * (cell.line - 1) + cell.text
        )  # a traceback then leads to the source
    except SyntaxError as error:
        lesson.fail(error.lineno or cell.line, f"this cell is not plain Python: {error.msg}.")


def _called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _experiments_in(lesson, cell, tree):
    """(name, ledger_seeds) of each named experiment in a cell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in ("compare", "tune"):
            said = {k.arg: k.value for k in node.keywords}
            name = said.get("name")
            if len(node.args) > 3 or (name and not isinstance(name, ast.Constant)):
                lesson.fail(
                    node.lineno,
                    "an experiment's name is a plain string, name='…', so that the ledger can be "
                    "held to it.",
                )
            if name:
                seeds = said.get("ledger_seeds")
                yield name.value, seeds.value if isinstance(seeds, ast.Constant) else 5


def claims(lesson: Lesson) -> list:
    """(line, text) of each claim in the lesson that rests on an experiment."""
    found, effects = [], set()
    for cell in (cell for cell in lesson.cells if cell.kind == "code"):
        tree = _parse(lesson, cell)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and _uses_effect(node.value):
                # A claim on `ahead > 0` rests on an experiment too.
                effects |= {
                    n.id
                    for n in ast.walk(node)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) == "claim":
                holds = next(
                    (k.value for k in node.keywords if k.arg == "holds"),
                    node.args[1] if len(node.args) > 1 else None,
                )
                if not (node.args and isinstance(node.args[0], ast.Constant)):
                    lesson.fail(
                        node.lineno,
                        "a claim's text is a plain string, so that the ledger can be held to it.",
                    )
                if holds is not None and _takes_numbers_out(holds):
                    lesson.fail(
                        node.lineno,
                        "a claim about a measured number is a condition on results.effect(…), so "
                        "that it has a margin.",
                    )
                if holds is not None and (_uses_effect(holds) or _names(holds) & effects):
                    found.append((node.lineno, node.args[0].value))
    return found


def _uses_effect(tree):
    return any(isinstance(n, ast.Call) and _called(n) == "effect" for n in ast.walk(tree))


def _names(tree):
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _takes_numbers_out(tree):
    return any(
        isinstance(n, ast.Attribute) and n.attr in ("mean", "values", "table")
        for n in ast.walk(tree)
    )


def stale(lesson: Lesson) -> list:
    """What the ledger lacks for a lesson, one sentence each; an empty list when all is measured
    and current.
    """
    problems, recorded, least = [], {}, least_seeds(lesson)
    for name, now in experiments(lesson).items():
        try:
            entry = ledger.experiment(name)
        except CourseError as error:
            problems.append(str(error))
            continue
        recorded |= ledger.read(name)["claims"]
        if entry["seeds"] < least[name]:
            problems.append(
                f"{name} was measured with {entry['seeds']} seeds; the ledger wants at least five."
            )
        if why := rests_on.why_stale(book.stamped(entry), now):
            problems.append(
                f"{name} has changed since its stamp: {'; '.join(why)}. "
                f"Replay it: python3 course.py measure --replay {lesson.name[:2]}."
            )
    for line, text in claims(lesson):
        if text not in recorded:
            problems.append(
                f"{lesson.path.name}:{line}: the ledger has no entry for the claim {text!r}."
            )
    return problems


def run(trees, path: Path, **names) -> None:
    """Run cells, given as syntax trees, one after the other in a namespace of their own, as a
    notebook
    would; `names` are there from the start.
    """
    import builtins

    namespace = {"__name__": "__main__", "__builtins__": builtins, **names}
    for tree in trees:
        exec(compile(tree, str(path), "exec"), namespace)
