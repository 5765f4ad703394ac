"""From one source to the notebooks, one way: `notebooks/source/NN_name.md` → lesson and solution, `A1_name.md` → assignment.

The source is MyST Markdown with the solutions in it. The build replaces what stands between
`### BEGIN SOLUTION` and `### END SOLUTION` by `...`, writes the ledger's numbers where the prose refers
to them, and refuses a source that would mislead a reader. It is deterministic: the same source and
ledger always give the same bytes.
"""

import argparse
import ast
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from translearn import paths
from translearn.authoring import glossary, handout
from translearn.errors import CourseError
from translearn.evidence import rests_on as fingerprint

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
REFERENCE = re.compile(r"\{\{(.+?)\}\}")
NO_MEASURE = ("exercise", "explorer", "bug")  # cells that no experiment rests on
LONG = (
    6  # lines; the code of a longer figure or explorer is folded away, one click from being read
)
DEFAULT_BUDGET = 90  # seconds of computing for a lesson


class BuildError(CourseError):
    """A source that cannot be built: the message begins with file and line."""


@dataclass
class Cell:
    kind: str  # "code" or "markdown"
    text: str
    line: int  # of its first line in the source, from 1
    tags: list = field(default_factory=list)
    id: str = ""  # from the content, so that an edit changes one cell's and no other


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
    cells, seen, at = [], {}, 0
    for cell in notebook.cells:
        own = cell.source.splitlines()
        blank = next((i for i, line in enumerate(own) if line.strip()), 0)
        first = own[blank] if own else ""
        while at < len(lines) and first and lines[at].strip() != first.strip():
            at += 1
        key = f"{cell.cell_type}\0{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        identity = hashlib.sha256(f"{path.stem}\0{key}\0{seen[key]}".encode()).hexdigest()[:12]
        cells.append(
            Cell(
                cell.cell_type,
                cell.source,
                at + 1 - blank,
                list(cell.metadata.get("tags", [])),
                identity,
            )
        )
        at += max(1, len(own) - blank)
    return Lesson(path, cells, dict(notebook.metadata.get("translearn", {})))


def sources() -> list:
    return sorted(paths.SOURCE.glob("[0-9][0-9]_*.md"))


# ---------------------------------------------------------------- what is refused


def check(lesson: Lesson) -> None:
    """Raise `BuildError`, with file and line, for what would mislead or shut out a reader."""
    pending = None  # an exercise still waiting for its check
    closing = False
    for cell in lesson.cells:
        if cell.kind == "markdown":
            closing = _check_typed(lesson, cell, closing)
            _check_pictures(lesson, cell)
            _check_hidden(lesson, cell)
            continue
        tree = _parse(lesson, cell)
        if pending and _calls_method(tree, "check"):
            pending = None
        if BEGIN in cell.text or END in cell.text:
            if cell.text.count(BEGIN) != cell.text.count(END):
                lesson.fail(cell.line, f"'{BEGIN}' and '{END}' do not pair up.")
            if pending:
                lesson.fail(
                    pending.line,
                    "this exercise has no check cell (a cell that calls .check(…)) before the next exercise.",
                )
            pending = None if _calls_method(tree, "check") else cell
        _check_hidden(lesson, cell)
        _check_figures(lesson, cell, tree)
    if pending:
        lesson.fail(
            pending.line, "this exercise has no check cell (a cell that calls .check(…)) after it."
        )
    _check_exercises(lesson)


def _parse(lesson, cell):
    # IPython's magics are not Python; a lesson has no need of them, and nbval and the ledger want plain code.
    try:
        return ast.parse(cell.text)
    except SyntaxError as error:
        lesson.fail(
            cell.line + (error.lineno or 1) - 1, f"this cell is not plain Python: {error.msg}."
        )


def _calls_method(tree, name):
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == name
        for n in ast.walk(tree)
    )


def _check_hidden(lesson, cell):
    """No solution stays visible: unsolving leaves no marker behind, not even a misspelt one."""
    from translearn.exercises.source import unsolve

    text = (
        unsolve(cell.text) if cell.kind == "code" and "ledger-only" not in cell.tags else cell.text
    )
    if re.search(r"(BEGIN|END)\s+SOLUTION", text, re.I):
        lesson.fail(
            cell.line,
            f"a solution would stay visible: '{BEGIN}' and '{END}' stand alone on their lines, in a code cell.",
        )


def _check_typed(lesson, cell, closing):
    """What the last part says was measured comes from the ledger, not from somebody's keyboard. Returns whether it has begun."""
    for offset, line in enumerate(cell.text.splitlines()):
        closing = closing or line.startswith("## 7 ")
        if closing and (
            typed := re.search(
                r"\d[\d.,]*\s*(%|per cent|points?\b|times\b|seconds?\b|s\b|±)",
                REFERENCE.sub("", line),
            )
        ):
            lesson.fail(
                cell.line + offset,
                f"'{typed[0]}' is a measured number typed by hand. Refer to the ledger: {{{{ lesson.experiment.arm.metric | percent }}}}.",
            )
    return closing


def _check_pictures(lesson, cell):
    for offset, line in enumerate(cell.text.splitlines()):
        if re.search(r"!\[\s*\]\(", line):
            lesson.fail(
                cell.line + offset, "this picture has no alt text: write ![what it shows](file)."
            )
        if re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", line):
            lesson.fail(
                cell.line + offset,
                'this picture has no alt text: write <img alt="what it shows" …>.',
            )


def _check_figures(lesson, cell, tree):
    made = shown = None
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        if owner == "plt" and node.func.attr in ("subplots", "figure"):
            made = node
        if owner in ("plt", "fig") and node.func.attr == "show":
            lesson.fail(
                cell.line + node.lineno - 1,
                "show a figure with plots.show(fig, alt=…), which puts its alt text on the page.",
            )
        if owner == "plots" and node.func.attr == "show":
            shown = node
            alt = next((k.value for k in node.keywords if k.arg == "alt"), None)
            if alt is None or (isinstance(alt, ast.Constant) and not str(alt.value).strip()):
                lesson.fail(
                    cell.line + node.lineno - 1,
                    "this figure has no alt text: plots.show(fig, alt='what it shows').",
                )
    inside_function = any(
        isinstance(n, ast.FunctionDef) for n in tree.body
    )  # an explorer's draw returns its figure
    if made and not shown and not inside_function:
        lesson.fail(
            cell.line + made.lineno - 1,
            "this figure is never shown with plots.show(fig, alt=…), so it has no alt text.",
        )


def _check_exercises(lesson):
    """Every exercise that the lesson's module defines is set, and no hint is empty."""
    if not any("exercise" in cell.tags for cell in lesson.cells):
        return
    import importlib

    module = f"lesson{lesson.name[:2]}"
    try:
        exercises = importlib.import_module(f"translearn.exercises.{module}")
    except ModuleNotFoundError:
        lesson.fail(
            1, f"the lesson has exercises but translearn/exercises/{module}.py does not exist."
        )
    except (ValueError, CourseError) as error:
        raise BuildError(f"translearn/exercises/{module}.py: {error}") from error
    from translearn.exercises import Choice, exercises_of
    from translearn.exercises.source import unmark

    codes = [cell for cell in lesson.cells if cell.kind == "code"]
    for each in exercises_of(exercises):
        call = f"exercise.{each.name}.check("
        at = next((n for n, cell in enumerate(codes) if f"{call}{each.call})" in cell.text), None)
        if at is None:
            line = next((cell.line for cell in codes if call in cell.text), 1)
            lesson.fail(line, f"the lesson never calls {call}{each.call}).")
        # The solution stands in the lesson; the module knows only which letter of a question is right.
        solved = next((unmark(c.text).strip() for c in codes[at::-1] if BEGIN in c.text), "")
        if isinstance(each, Choice) and solved != f'{each.call} = "{each.right}"':
            lesson.fail(
                codes[at].line,
                f'the solution of {each.name} should be {each.call} = "{each.right}", '
                f"as translearn/exercises/{module}.py says.",
            )


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
    "spread": lambda m, s: _plus_minus(m, s),
    "count": lambda m, s: f"{m:,.0f}",
}


def _plus_minus(mean, spread):
    """Two digits of the spread, and the mean to the same place: 67 ± 12, 0.039 ± 0.010."""
    places = max(0, 1 - math.floor(math.log10(spread))) if spread > 0 else 3
    return f"{mean:,.{places}f} ± {spread:,.{places}f}"


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def number(reference: str) -> str:
    """What a reference such as `taste.labels.pretrained.accuracy - taste.labels.scratch.accuracy | points` stands for.

    A reference is `experiment.arm.metric`, or two of them joined by `-` or `/` (seed by seed), and a filter;
    `experiment.seeds` is the number of seeds. Raises `CourseError` naming what is unknown.
    """
    import numpy as np

    from translearn.measure import ledger

    body, _, filter_name = (part.strip() for part in reference.partition("|"))
    filter_name = filter_name or "number"
    if filter_name not in FILTERS:
        raise CourseError(f"unknown filter {filter_name!r}; there are {', '.join(FILTERS)}.")
    if body.endswith(".seeds"):
        return f"{ledger.experiment(body.removesuffix('.seeds'))['seeds']}"
    parts = re.split(r"\s+([-/])\s+", body)
    if len(parts) not in (1, 3):
        raise CourseError("a reference joins two numbers at most.")
    values = _values(parts[0])
    if len(parts) == 3:
        values = values - _values(parts[2]) if parts[1] == "-" else values / _values(parts[2])
    return FILTERS[filter_name](float(np.mean(values)), float(np.std(values, ddof=1)))


def _values(reference):
    from translearn import measure

    parts = reference.split(".")
    if len(parts) != 4:
        raise CourseError(f"{reference!r} should be lesson.experiment.arm.metric.")
    results = measure.recorded(".".join(parts[:2]))
    arm = next((a for a in results.arms if slug(a) == parts[2]), None)
    if arm is None:
        raise CourseError(
            f"unknown arm {parts[2]!r}; there are {', '.join(slug(a) for a in results.arms)}."
        )
    metric = next((m for m in [*results.metrics, "seconds"] if slug(m) == parts[3]), None)
    if metric is None:
        raise CourseError(
            f"unknown metric {parts[3]!r}; there are {', '.join(slug(m) for m in results.metrics)}, seconds."
        )
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
        if "{{" in lines[-1]:
            lesson.fail(cell.line + offset, "a reference {{ … }} stands on one line.")
    return "\n".join(lines)


# ---------------------------------------------------------------- writing the notebooks


def notebook(lesson: Lesson, solved: bool) -> str:
    """The lesson as the text of a notebook file, with its solutions or without."""
    from translearn.exercises.source import unmark, unsolve

    cells = []
    for cell in lesson.cells:
        kind, text = cell.kind, cell.text
        if kind == "markdown":
            text = _write_numbers(lesson, cell)
        elif "ledger-only" in cell.tags:
            kind, text = "markdown", _folded(text)
        else:
            text = unmark(text) if solved else unsolve(text)
        metadata = {"tags": cell.tags} if cell.tags else {}
        if "explorer" in cell.tags and len(text.splitlines()) > LONG:
            metadata["jupyter"] = {"source_hidden": True}
        row = {
            "cell_type": kind,
            "id": cell.id,
            "metadata": metadata,
            "source": text.splitlines(keepends=True),
        }
        cells.append(row | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
        "translearn": {
            "budget_seconds": lesson.meta.get("budget_seconds", DEFAULT_BUDGET),
            "solved": solved,
            "build": handout.sources_hash(cells),
        },
    }
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _folded(code):
    names = " and ".join(re.findall(r'name="([\w.]+)"', code))
    return (
        f"<details><summary>How the ledger measured {names} (longer than a lesson should run)</summary>\n\n"
        f"```python\n{code}\n```\n\n</details>"
    )


def outputs() -> dict:
    """Every page that the sources give, the notebooks and the glossary: path → text."""
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
        found[paths.NOTEBOOKS / "glossary.md"] = glossary.page(lessons)
    for assignment in map(read, handout.sources()):
        handout.check(assignment)
        found |= handout.pages(assignment)
    return found


def out_of_sync() -> list:
    """The pages that differ from a fresh build, or have no source any more."""
    fresh = outputs()
    stale = [path for path, text in fresh.items() if not path.exists() or not _same(path, text)]
    committed = [
        page
        for folder in (".", "solutions", "coursework", "coursework/instructor")
        for page in (paths.NOTEBOOKS / folder).glob("*.ipynb")
    ]
    return stale + [path for path in committed if path not in fresh]


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
    changed = out_of_sync()
    for path, text in outputs().items():
        if path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep_work(path)
            path.write_text(text, encoding="utf-8", newline="\n")
    return changed


def _keep_work(path):
    """Copy a notebook that somebody has run or edited before the build writes over it: their answers are in it."""
    book = _cells_of(path) if path.exists() and path.suffix == ".ipynb" else None
    if book is None:
        return
    as_built = book["metadata"].get("translearn", {}).get("build") == handout.sources_hash(
        book["cells"]
    )
    if not as_built or any(
        cell.get("execution_count") or cell.get("outputs") for cell in book["cells"]
    ):
        kept = (
            paths.cache()
            / "kept"
            / f"{path.parent.name}-{path.stem}-{int(path.stat().st_mtime)}.ipynb"
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(path.read_bytes())
        print(f"{path.name} had been worked in; your version is kept as {kept}.")


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


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(
        prog="course.py", description=textwrap.dedent(__doc__.splitlines()[0])
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("build", help="write the notebooks from their sources")
    verb.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if a notebook differs from a fresh build",
    )
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
        # A process that was killed returns a negative number.
        return int(any([measure_lesson(path, args.seeds, args.all) for path in find(args.lesson)]))
    if args.check:
        differ = out_of_sync()
        for path in differ:
            print(
                f"{path.relative_to(paths.NOTEBOOKS.parent)} differs from its source. Run: python3 course.py build",
                file=sys.stderr,
            )
        return 1 if differ else 0
    changed, fresh = build(), outputs()
    for path in changed:
        print(
            f"{'wrote' if path in fresh else 'no source any more, delete it:'} {path.relative_to(paths.NOTEBOOKS.parent)}"
        )
    print(f"{len(changed)} of {len(fresh)} pages changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
