"""From one source to the notebooks, one way: `notebooks/source/NN_name.md` → lesson, solution and
rehearsal, `A1_name.md` → assignment.

The source is MyST Markdown with the solutions in it. The build replaces what stands between
`### BEGIN SOLUTION` and `### END SOLUTION` by `...`, writes the ledger's numbers where the prose
refers to them, and refuses a source that would mislead a reader. It is deterministic: the same
source and ledger always give the same bytes.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

from translearn import paths
from translearn.authoring.notebooks import notebook
from translearn.authoring.numbers import FILTERS, number, slug
from translearn.authoring.pages import build, out_of_sync, outputs
from translearn.authoring.reading import BuildError, Cell, Lesson, read, sources
from translearn.authoring.rules import calls_method as _calls_method
from translearn.authoring.rules import check
from translearn.errors import CourseError
from translearn.evidence import rests_on as fingerprint

__all__ = [
    "BuildError", "Cell", "FILTERS", "Lesson", "build", "check", "notebook", "number",
    "out_of_sync", "outputs", "read", "slug", "sources",
]  # fmt: skip

NO_MEASURE = ("exercise", "explorer", "bug")  # cells that no experiment rests on

# ---------------------------------------------------------------- measuring


def experiments(lesson: Lesson) -> dict:
    """The named experiments of a lesson → a fingerprint of the code that each rests on.

    Prose, figures and exercises can change without it (see `fingerprint.of`).
    """
    trees = [
        ast.parse(c.text) if c.kind == "code" and not set(c.tags) & set(NO_MEASURE) else None
        for c in lesson.cells
    ]
    found = {}
    for i, tree in enumerate(trees):
        for name in _experiments_in(lesson, lesson.cells[i], tree) if tree else ():
            found[name] = fingerprint.of([t for t in trees[: i + 1] if t])
    return found


def _experiments_in(lesson, cell, tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(
            node.func, "attr", getattr(node.func, "id", "")
        ) in ("compare", "tune"):
            name = next((k.value for k in node.keywords if k.arg == "name"), None)
            if len(node.args) > 3 or (name and not isinstance(name, ast.Constant)):
                lesson.fail(
                    cell.line + node.lineno - 1,
                    "an experiment's name is a plain string, name='…', so that the ledger can be held to it.",
                )
            if name:
                yield name.value


def _least_seeds(lesson, name):
    """Five, unless the experiment itself asks for fewer (`ledger_seeds=3`), because a run of it takes minutes; never below three."""
    for cell in (c for c in lesson.cells if c.kind == "code" and f'"{name}"' in c.text):
        for node in (n for n in ast.walk(ast.parse(cell.text)) if isinstance(n, ast.Call)):
            said = {
                k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)
            }
            if said.get("name") == name and "ledger_seeds" in said:
                return min(5, max(3, said["ledger_seeds"]))
    return 5


def claims(lesson: Lesson) -> list:
    """(line, text) of each claim in the lesson that rests on an experiment."""
    found, effects = [], set()
    for cell in lesson.cells:
        if cell.kind != "code":
            continue
        tree = ast.parse(cell.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and _calls_method(node.value, "effect"):
                effects |= fingerprint.names(
                    node, ast.Store
                )  # a claim on `ahead > 0` rests on an experiment too
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", getattr(node.func, "id", "")) == "claim"
            ):
                holds = next(
                    (k.value for k in node.keywords if k.arg == "holds"),
                    node.args[1] if len(node.args) > 1 else None,
                )
                rests_on_experiment = holds is not None and (
                    _calls_method(holds, "effect")
                    or bool(fingerprint.names(holds, ast.Load) & effects)
                )
                if not (node.args and isinstance(node.args[0], ast.Constant)):
                    lesson.fail(
                        cell.line + node.lineno - 1,
                        "a claim's text is a plain string, so that the ledger can be held to it.",
                    )
                if holds is not None and any(
                    isinstance(n, ast.Attribute) and n.attr in ("mean", "values", "table")
                    for n in ast.walk(holds)
                ):
                    lesson.fail(
                        cell.line + node.lineno - 1,
                        "a claim about a measured number is a condition on results.effect(…), so that it has a margin.",
                    )
                if rests_on_experiment:
                    found.append((cell.line + node.lineno - 1, node.args[0].value))
    return found


def stale(lesson: Lesson) -> list:
    """What the ledger lacks for a lesson, one sentence each; an empty list when all is measured and current."""
    from translearn.measure import ledger

    problems = []
    books = {}
    for name, code in experiments(lesson).items():
        try:
            entry = ledger.experiment(name)
        except CourseError as error:
            problems.append(str(error))
            continue
        books |= ledger.read(name)["claims"]
        if entry["seeds"] < _least_seeds(lesson, name):
            problems.append(
                f"{name} was measured with {entry['seeds']} seeds; the ledger wants at least five."
            )
        if entry["code"] != code:
            problems.append(
                f"{name} is older than the code that produces it. Measure it again: python3 course.py measure {lesson.name}."
            )
    for line, text in claims(lesson):
        if text not in books:
            problems.append(
                f"{lesson.path.name}:{line}: the ledger has no entry for the claim {text!r}."
            )
    return problems


def measure_lesson(path: Path, seeds: int, everything: bool) -> int:
    """Run a lesson's experiments with `seeds` seeds into the ledger, in a process of their own."""
    from translearn.measure import ledger

    lesson = read(path)
    codes = experiments(lesson)
    if not everything and not stale(lesson):
        print(f"{lesson.name}: the ledger is up to date ({len(codes)} experiments).")
        return 0
    env = os.environ | {
        "TRANSLEARN_MEASURE": "1",
        "TRANSLEARN_SEEDS": str(seeds),
        "MPLBACKEND": "agg",
    }
    ledger.prepare(list(codes), again=everything)
    env |= {ledger.code_variable(name): code for name, code in codes.items()}
    print(f"{lesson.name}: measuring {', '.join(codes) or 'nothing'} with {seeds} seeds")
    return subprocess.call(
        [sys.executable, "-m", "translearn.authoring", "run", str(path)],
        env=env,
        cwd=paths.NOTEBOOKS,
    )


def run(path: Path) -> None:
    """Run the cells that the lesson's experiments rest on, here and now."""
    namespace = {"__name__": "__main__"}
    for cell in read(path).cells:
        if cell.kind == "code" and not set(cell.tags) & set(NO_MEASURE):
            # A name for the traceback that leads back to the source.
            code = compile("\n" * (cell.line - 1) + cell.text, str(path), "exec")
            exec(code, namespace)


def find(names) -> list:
    """The sources that `05`, `05_freezing` or nothing at all (every lesson) names."""
    every = sources()
    if not names:
        return every
    found = []
    for name in names:
        hits = [s for s in every if s.stem == name or s.stem.startswith(f"{name}_")]
        if not hits:
            raise CourseError(
                f"There is no lesson {name!r}. The lessons are: {', '.join(s.stem for s in every)}."
            )
        found += hits
    return found
