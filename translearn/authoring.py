"""From one source to the notebooks, one way: `notebooks/source/NN_name.md` → lesson and solution.

The source is MyST Markdown with the solutions in it. The build replaces what stands between
`### BEGIN SOLUTION` and `### END SOLUTION` by `...`, writes the ledger's numbers where the prose refers
to them, and refuses a source that would mislead a reader. It is deterministic: the same source and
ledger always give the same bytes.
"""

import argparse
import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from . import paths
from .errors import CourseError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
REFERENCE = re.compile(r"\{\{(.+?)\}\}")
NO_MEASURE = ("exercise", "explorer", "bug")  # cells that no experiment rests on
LONG = 6  # lines; the code of a longer figure or explorer is folded away, one click from being read
DEFAULT_BUDGET = 90  # seconds of computing for a lesson


class BuildError(CourseError):
    """A source that cannot be built: the message begins with file and line."""


@dataclass
class Cell:
    kind: str  # "code" or "markdown"
    text: str
    line: int  # of its first line in the source, from 1
    tags: list = field(default_factory=list)


@dataclass
class Lesson:
    path: Path
    cells: list
    meta: dict

    @property
    def name(self):
        return self.path.stem

    def fail(self, line, message):
        raise BuildError(f"{self.path.name}:{line}: {message}")


# ---------------------------------------------------------------- reading a source


def read(path: Path) -> Lesson:
    """Read a lesson's source with jupytext, and find each cell's line, which jupytext does not keep."""
    import jupytext

    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="md:myst")
    lines = text.splitlines()
    cells, at = [], 0
    for cell in notebook.cells:
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        while at < len(lines) and first and lines[at].strip() != first.strip():
            at += 1
        cells.append(Cell(cell.cell_type, cell.source, at + 1, list(cell.metadata.get("tags", []))))
        at += max(1, len(cell.source.splitlines()))
    return Lesson(path, cells, dict(notebook.metadata.get("translearn", {})))


def sources() -> list:
    return sorted(paths.SOURCE.glob("[0-9][0-9]_*.md"))


# ---------------------------------------------------------------- what is refused


def check(lesson: Lesson) -> None:
    """Raise `BuildError`, with file and line, for what would mislead or shut out a reader."""
    pending = None  # an exercise still waiting for its check
    for cell in lesson.cells:
        if cell.kind == "markdown":
            _check_pictures(lesson, cell)
            continue
        tree = _parse(lesson, cell)
        if pending and _calls_method(tree, "check"):
            pending = None
        if BEGIN in cell.text or END in cell.text:
            if cell.text.count(BEGIN) != cell.text.count(END):
                lesson.fail(cell.line, f"'{BEGIN}' and '{END}' do not pair up.")
            if pending:
                lesson.fail(pending.line, "this exercise has no check cell (a cell that calls .check(…)) before the next exercise.")
            pending = None if _calls_method(tree, "check") else cell
        _check_figures(lesson, cell, tree)
    if pending:
        lesson.fail(pending.line, "this exercise has no check cell (a cell that calls .check(…)) after it.")
    _check_exercises(lesson)


def _parse(lesson, cell):
    # IPython's magics are not Python; a lesson has no need of them, and nbval and the ledger want plain code.
    try:
        return ast.parse(cell.text)
    except SyntaxError as error:
        lesson.fail(cell.line + (error.lineno or 1) - 1, f"this cell is not plain Python: {error.msg}.")


def _calls_method(tree, name):
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == name for n in ast.walk(tree))


def _check_pictures(lesson, cell):
    for offset, line in enumerate(cell.text.splitlines()):
        if re.search(r"!\[\s*\]\(", line):
            lesson.fail(cell.line + offset, "this picture has no alt text: write ![what it shows](file).")
        if re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", line):
            lesson.fail(cell.line + offset, 'this picture has no alt text: write <img alt="what it shows" …>.')


def _check_figures(lesson, cell, tree):
    made = shown = None
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        if owner == "plt" and node.func.attr in ("subplots", "figure"):
            made = node
        if owner in ("plt", "fig") and node.func.attr == "show":
            lesson.fail(cell.line + node.lineno - 1, "show a figure with plots.show(fig, alt=…), which puts its alt text on the page.")
        if owner == "plots" and node.func.attr == "show":
            shown = node
            alt = next((k.value for k in node.keywords if k.arg == "alt"), None)
            if alt is None or (isinstance(alt, ast.Constant) and not str(alt.value).strip()):
                lesson.fail(cell.line + node.lineno - 1, "this figure has no alt text: plots.show(fig, alt='what it shows').")
    inside_function = any(isinstance(n, ast.FunctionDef) for n in tree.body)  # an explorer's draw returns its figure
    if made and not shown and not inside_function:
        lesson.fail(cell.line + made.lineno - 1, "this figure is never shown with plots.show(fig, alt=…), so it has no alt text.")


def _check_exercises(lesson):
    """Every exercise that the lesson's module defines is set, and no hint is empty."""
    if not any("exercise" in cell.tags for cell in lesson.cells):
        return
    import importlib

    module = f"lesson{lesson.name[:2]}"
    try:
        exercises = importlib.import_module(f"translearn.exercises.{module}")
    except ModuleNotFoundError:
        lesson.fail(1, f"the lesson has exercises but translearn/exercises/{module}.py does not exist.")
    except (ValueError, CourseError) as error:
        raise BuildError(f"translearn/exercises/{module}.py: {error}") from error
    from .exercises.bank import exercises as exercises_in
    from .exercises.engine import unmark, unsolve

    cells = [(unmark(c.text).strip(), unsolve(c.text).strip()) for c in lesson.cells if c.kind == "code"]
    code = "\n".join(cell.text for cell in lesson.cells if cell.kind == "code")
    for each in exercises_in(exercises):
        line = next((c.line for c in lesson.cells if f"exercise.{each.name}.check(" in c.text), 1)
        if f"exercise.{each.name}.check({each.call})" not in code:
            lesson.fail(line, f"the lesson never calls exercise.{each.name}.check({each.call}).")
        # The tests try the module's copy of the solution, so it must be the one that the lesson prints.
        if (each.solution_source, each.stub_source) not in cells:
            lesson.fail(line, f"no cell of the lesson is the solution of exercise {each.name} in translearn/exercises/{module}.py.")


# ---------------------------------------------------------------- numbers from the ledger

FILTERS = {
    "percent": lambda m, s: f"{100 * m:.0f} %",
    "percent1": lambda m, s: f"{100 * m:.1f} %",
    "percent_spread": lambda m, s: f"{100 * m:.1f} ± {100 * s:.1f} %",
    "points": lambda m, s: f"{abs(100 * m):.0f} points",
    "points1": lambda m, s: f"{abs(100 * m):.1f} points",
    "times": lambda m, s: f"{m:.1f} times" if m < 10 else f"{m:.0f} times",
    "seconds": lambda m, s: f"{m:.2g} s" if m < 10 else f"{m:.0f} s",
    "number": lambda m, s: f"{m:.3g}",
    "spread": lambda m, s: f"{m:.3g} ± {s:.1g}",
    "count": lambda m, s: f"{m:,.0f}",
}


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def number(reference: str) -> str:
    """What a reference such as `taste.labels.pretrained.accuracy - taste.labels.scratch.accuracy | points` stands for.

    A reference is `experiment.arm.metric`, or two of them joined by `-` or `/` (seed by seed), and a filter;
    `experiment.seeds` is the number of seeds. Raises `CourseError` naming what is unknown.
    """
    import numpy as np

    from . import ledger

    body, _, filter_name = (part.strip() for part in reference.partition("|"))
    filter_name = filter_name or "number"
    if filter_name not in FILTERS:
        raise CourseError(f"unknown filter {filter_name!r}; there are {', '.join(FILTERS)}.")
    if body.endswith(".seeds"):
        return f"{ledger.experiment(body.removesuffix('.seeds'))['seeds']}"
    parts = re.split(r"\s+([-/])\s+", body)
    values = _values(parts[0])
    if len(parts) == 3:
        values = values - _values(parts[2]) if parts[1] == "-" else values / _values(parts[2])
    return FILTERS[filter_name](float(np.mean(values)), float(np.std(values, ddof=1)))


def _values(reference):
    from . import measure

    parts = reference.split(".")
    if len(parts) != 4:
        raise CourseError(f"{reference!r} should be lesson.experiment.arm.metric.")
    results = measure.recorded(".".join(parts[:2]))
    arm = next((a for a in results.arms if slug(a) == parts[2]), None)
    if arm is None:
        raise CourseError(f"unknown arm {parts[2]!r}; there are {', '.join(slug(a) for a in results.arms)}.")
    metric = next((m for m in [*results.metrics, "seconds"] if slug(m) == parts[3]), None)
    if metric is None:
        raise CourseError(f"unknown metric {parts[3]!r}; there are {', '.join(slug(m) for m in results.metrics)}, seconds.")
    return results.values(arm, metric)


def _write_numbers(lesson, cell):
    lines = []
    for offset, line in enumerate(cell.text.splitlines()):
        def put(match, at=cell.line + offset):
            try:
                return number(match[1])
            except CourseError as error:
                lesson.fail(at, f"'{match[0]}': {error}")

        lines.append(REFERENCE.sub(put, line))
    return "\n".join(lines)


# ---------------------------------------------------------------- writing the notebooks


def notebook(lesson: Lesson, solved: bool) -> str:
    """The lesson as the text of a notebook file, with its solutions or without."""
    from .exercises.engine import unmark, unsolve

    cells, seen = [], {}
    for cell in lesson.cells:
        kind, text = cell.kind, cell.text
        if kind == "markdown":
            text = _write_numbers(lesson, cell)
        elif "ledger-only" in cell.tags:
            kind, text = "markdown", _folded(text)
        else:
            text = unmark(text) if solved else unsolve(text)
        key = f"{cell.kind}\0{cell.text}"
        seen[key] = seen.get(key, 0) + 1
        # From the content, so that an edit changes one cell's id and no other.
        identity = hashlib.sha256(f"{lesson.name}\0{key}\0{seen[key]}".encode()).hexdigest()[:12]
        metadata = {"tags": cell.tags} if cell.tags else {}
        if "explorer" in cell.tags and len(text.splitlines()) > LONG:
            metadata["jupyter"] = {"source_hidden": True}
        row = {"cell_type": kind, "id": identity, "metadata": metadata, "source": text.splitlines(keepends=True)}
        cells.append(row | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "translearn": {"budget_seconds": lesson.meta.get("budget_seconds", DEFAULT_BUDGET), "solved": solved},
    }
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _folded(code):
    return (
        "<details><summary>How the ledger measured this (longer than a lesson should run)</summary>\n\n"
        f"```python\n{code}\n```\n\n</details>"
    )


def outputs() -> dict:
    """Every notebook that the sources give: path → text."""
    found = {}
    for source in sources():
        lesson = read(source)
        check(lesson)
        found[paths.NOTEBOOKS / f"{lesson.name}.ipynb"] = notebook(lesson, solved=False)
        found[paths.NOTEBOOKS / "solutions" / f"{lesson.name}.ipynb"] = notebook(lesson, solved=True)
    return found


def out_of_sync() -> list:
    """The notebooks that differ from a fresh build, or have no source any more."""
    fresh = outputs()
    stale = [path for path, text in fresh.items() if not path.exists() or _cells_of(path) != json.loads(text)]
    committed = [*paths.NOTEBOOKS.glob("*.ipynb"), *(paths.NOTEBOOKS / "solutions").glob("*.ipynb")]
    return stale + [path for path in committed if path not in fresh]


def _cells_of(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def build() -> list:
    """Write every notebook; return the paths of those that changed."""
    changed = out_of_sync()
    for path, text in outputs().items():
        if path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep_work(path)
            path.write_text(text, encoding="utf-8", newline="\n")
    return changed


def _keep_work(path):
    """Copy a notebook that somebody has run before the build writes over it: their answers are in it."""
    book = _cells_of(path) if path.exists() else None
    if book and any(cell.get("execution_count") or cell.get("outputs") for cell in book["cells"]):
        kept = paths.cache() / "kept" / f"{path.parent.name}-{path.stem}-{int(path.stat().st_mtime)}.ipynb"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(path.read_bytes())
        print(f"{path.name} had been worked in; your version is kept as {kept}.")


# ---------------------------------------------------------------- measuring


def experiments(lesson: Lesson) -> dict:
    """The named experiments of a lesson → a fingerprint of the code that each rests on.

    The fingerprint covers the cell that runs the experiment, every earlier cell that it takes a name from,
    the translearn modules that those cells import, the data and weights by hash, and the versions of Keras
    and TensorFlow that the environment pins. Prose, figures and exercises can change without it.
    """
    trees = [ast.parse(c.text) if c.kind == "code" and not set(c.tags) & set(NO_MEASURE) else None for c in lesson.cells]
    found = {}
    for i, tree in enumerate(trees):
        for name in _experiments_in(tree) if tree else ():
            found[name] = _fingerprint([t for t in trees[: i + 1] if t])
    return found


def _experiments_in(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("compare", "tune"):
            yield from (k.value.value for k in node.keywords if k.arg == "name" and isinstance(k.value, ast.Constant))


def _fingerprint(trees):
    needed, kept = _names(trees[-1], ast.Load), [trees[-1]]
    for tree in reversed(trees[:-1]):
        touched = _names(tree, ast.Store) | _acted_on(tree)
        if touched & needed:
            kept.append(tree)
            needed |= _names(tree, ast.Load)
    modules = {n for n in needed if (paths.ROOT / "translearn" / f"{n}.py").exists()} - {"ledger", "measure", "plots", "widgets"}
    code = [ast.dump(t) for t in kept] + [_plain_code(m) for m in sorted(modules)]
    things = re.findall(r"^sha256 = .*$", (paths.DATA / "registry.toml").read_text(encoding="utf-8"), re.M)
    pins = re.findall(r"^(?:keras|tensorflow|tensorflow-cpu)==[\d.]+", (paths.ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M)
    return hashlib.sha256("\0".join([*code, *things, *sorted(set(pins))]).encode()).hexdigest()[:16]


def _names(tree, context):
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}
    if context is ast.Store:
        names |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        names |= {a.asname or a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    return names


def _acted_on(tree):
    """Names whose object a statement may change: `model.compile(…)`, `transfer.freeze(model)`, `layer.trainable = False`."""
    acted = set()
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            if ast.unparse(statement.value.func).split(".")[0] not in ("plots", "widgets", "print", "display"):
                acted |= _names(statement, ast.Load)
        for node in ast.walk(statement):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
                acted |= _names(statement, ast.Load)
    return acted - {"measure", "plots", "widgets", "keras", "np", "data", "transfer", "backbones"}


def _plain_code(module):
    """A module's code without its docstrings, comments and layout."""
    tree = ast.parse((paths.ROOT / "translearn" / f"{module}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def claims(lesson: Lesson) -> list:
    """(line, text) of each claim in the lesson that rests on an experiment."""
    found = []
    for cell in lesson.cells:
        if cell.kind != "code":
            continue
        for node in ast.walk(ast.parse(cell.text)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "claim":
                holds = next((k.value for k in node.keywords if k.arg == "holds"), node.args[1] if len(node.args) > 1 else None)
                rests_on_experiment = holds is not None and _calls_method(holds, "effect")
                if not (node.args and isinstance(node.args[0], ast.Constant)):
                    lesson.fail(cell.line + node.lineno - 1, "a claim's text is a plain string, so that the ledger can be held to it.")
                if rests_on_experiment:
                    found.append((cell.line + node.lineno - 1, node.args[0].value))
    return found


def stale(lesson: Lesson) -> list:
    """What the ledger lacks for a lesson, one sentence each; an empty list when all is measured and current."""
    from . import ledger

    problems = []
    books = {}
    for name, code in experiments(lesson).items():
        try:
            entry = ledger.experiment(name)
        except CourseError as error:
            problems.append(str(error))
            continue
        books |= ledger.read(name)["claims"]
        if entry["seeds"] < 5:
            problems.append(f"{name} was measured with {entry['seeds']} seeds; the ledger wants at least five.")
        if entry["code"] != code:
            problems.append(f"{name} is older than the code that produces it. Measure it again: python3 course.py measure {lesson.name}.")
    for line, text in claims(lesson):
        if text not in books:
            problems.append(f"{lesson.path.name}:{line}: the ledger has no entry for the claim {text!r}.")
    return problems


def measure_lesson(path: Path, seeds: int, everything: bool) -> int:
    """Run a lesson's experiments with `seeds` seeds into the ledger, in a process of their own."""
    from . import ledger

    lesson = read(path)
    codes = experiments(lesson)
    if not everything and not stale(lesson):
        print(f"{lesson.name}: the ledger is up to date ({len(codes)} experiments).")
        return 0
    env = os.environ | {"TRANSLEARN_MEASURE": "1", "TRANSLEARN_SEEDS": str(seeds), "MPLBACKEND": "agg"}
    ledger.prepare(list(codes), again=everything)
    env |= {ledger.code_variable(name): code for name, code in codes.items()}
    print(f"{lesson.name}: measuring {', '.join(codes) or 'nothing'} with {seeds} seeds")
    return subprocess.call([sys.executable, "-m", "translearn.authoring", "run", str(path)], env=env, cwd=paths.NOTEBOOKS)


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
            raise CourseError(f"There is no lesson {name!r}. The lessons are: {', '.join(s.stem for s in every)}.")
        found += hits
    return found


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="course.py", description=textwrap.dedent(__doc__.splitlines()[0]))
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("build", help="write the notebooks from their sources")
    verb.add_argument("--check", action="store_true", help="write nothing; fail if a notebook differs from a fresh build")
    verb = verbs.add_parser("measure", help="run the lessons' experiments into the ledger")
    verb.add_argument("lesson", nargs="*", help="such as 05; all lessons when none is named")
    verb.add_argument("--seeds", type=int, default=5, help="at least this many (default: 5)")
    verb.add_argument("--all", action="store_true", help="also what is up to date")
    verb = verbs.add_parser("run")
    verb.add_argument("path", type=Path)
    args = parser.parse_args(argv)
    try:
        return _do(args)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def _do(args):
    if args.verb == "run":
        run(args.path)
        return 0
    if args.verb == "measure":
        if args.seeds < 5:
            raise CourseError(f"The ledger wants at least five seeds, not {args.seeds}.")
        return max([measure_lesson(path, args.seeds, args.all) for path in find(args.lesson)], default=0)
    if args.check:
        differ = out_of_sync()
        for path in differ:
            print(f"{path.relative_to(paths.NOTEBOOKS.parent)} differs from its source. Run: python3 course.py build", file=sys.stderr)
        return 1 if differ else 0
    changed = build()
    for path in changed:
        print(f"wrote {path.relative_to(paths.NOTEBOOKS.parent)}")
    print(f"{len(changed)} of {len(outputs())} notebooks changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
