"""What the build refuses, each with file and line."""

import ast
import re

from translearn.authoring import depends, minutes
from translearn.authoring.numbers import REFERENCE
from translearn.authoring.reading import BEGIN, END, BuildError, Lesson
from translearn.errors import CourseError


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
        if pending and calls_method(tree, "check"):
            pending = None
        if BEGIN in cell.text or END in cell.text:
            if cell.text.count(BEGIN) != cell.text.count(END):
                lesson.fail(cell.line, f"'{BEGIN}' and '{END}' do not pair up.")
            if pending:
                lesson.fail(
                    pending.line,
                    "this exercise has no check cell (a cell that calls .check(…)) before the "
                    "next exercise.",
                )
            pending = None if calls_method(tree, "check") else cell
        _check_hidden(lesson, cell)
        _check_figures(lesson, cell, tree)
    if pending:
        lesson.fail(
            pending.line, "this exercise has no check cell (a cell that calls .check(…)) after it."
        )
    _check_exercises(lesson)
    _check_unsolved(lesson)
    _check_further(lesson)
    _check_bets(lesson)


def _parse(lesson, cell):
    # IPython's magics are not Python; a lesson has no need of them, and nbval and the ledger want
    # plain code.
    try:
        return ast.parse(cell.text)
    except SyntaxError as error:
        lesson.fail(
            cell.line + (error.lineno or 1) - 1, f"this cell is not plain Python: {error.msg}."
        )


def calls_method(tree, name):
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
            f"a solution would stay visible: '{BEGIN}' and '{END}' stand alone on their lines, "
            "in a code cell.",
        )


def _check_typed(lesson, cell, closing):
    """What the last part says was measured comes from the ledger, not from somebody's keyboard.
    Returns whether it has begun.
    """
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
                f"'{typed[0]}' is a measured number typed by hand. Refer to the ledger: "
                f"{{{{ lesson.experiment.arm.metric | percent }}}}.",
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
        # The solution stands in the lesson; the module knows only which letter of a question is
        # right.
        solved = next((unmark(c.text).strip() for c in codes[at::-1] if BEGIN in c.text), "")
        if isinstance(each, Choice) and solved != f'{each.call} = "{each.right}"':
            lesson.fail(
                codes[at].line,
                f'the solution of {each.name} should be {each.call} = "{each.right}", '
                f"as translearn/exercises/{module}.py says.",
            )


def _check_unsolved(lesson):
    """A learner's notebook runs from top to bottom: nothing leans on the answer to an exercise.

    Only the cells from the answer to its check may read it; they say "not attempted" without it.
    """
    from translearn.exercises.source import SOLUTION

    steps, own = [], False
    for cell in lesson.cells:
        if cell.kind != "code" or "ledger-only" in cell.tags:
            continue
        answer = BEGIN in cell.text
        own = own or answer
        marked = [
            range(cell.text.count("\n", 0, m.start()) + 1, cell.text.count("\n", 0, m.end()) + 2)
            for m in SOLUTION.finditer(cell.text)
        ]
        for statement in ast.parse(cell.text).body:
            lines = range(statement.lineno, statement.end_lineno + 1)
            solution = any(set(lines) & set(block) for block in marked)
            steps.append((cell, statement, "source" if solution else "own" if own else ""))
        if calls_method(ast.parse(cell.text), "check"):
            own = False
    for cell, statement, name in depends.leaks(steps):
        lesson.fail(
            cell.line + statement.lineno - 1,
            f"this reads {name!r}, which is the answer to an exercise: without it the lesson "
            "would stop here. Give the answer a name of its own.",
        )


def _check_further(lesson):
    """The core fits one sitting and leans on nothing that stands in a section *Further*."""
    steps = [
        (cell, statement, "source" if further else "")
        for _, further, cell, text in minutes.pieces(lesson)
        if cell.kind == "code" and "ledger-only" not in cell.tags
        for statement in ast.parse(text).body
    ]
    for cell, statement, name in depends.leaks(steps):
        lesson.fail(
            cell.line + statement.lineno - 1,
            f"the core reads {name!r} here, which a section Further gives: a learner who left "
            "that "
            "out would be stopped. Give it in the core, or under another name there.",
        )
    if (core := minutes.core(lesson)) > minutes.CORE:
        lesson.fail(
            1,
            f"the core takes about {core:.0f} minutes, and {minutes.CORE} is the most. Mark "
            "sections as '### Further · …', or shorten. What takes how long: "
            f"python3 course.py build --minutes {lesson.name[:2]}",
        )


def _check_bets(lesson):
    """Every bet that a reader is asked for is settled further down."""
    placed = {}
    for cell in lesson.cells:
        for node in ast.walk(ast.parse(cell.text)) if cell.kind == "code" else ():
            if not isinstance(node, (ast.Assign, ast.Call)):
                continue
            call = node.value if isinstance(node, ast.Assign) else node
            if isinstance(node, ast.Assign) and ast.unparse(call).startswith("widgets.Bet("):
                placed[ast.unparse(node.targets[0])] = cell
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "settle":
                placed.pop(ast.unparse(node.func.value), None)
    for name, cell in placed.items():
        lesson.fail(cell.line, f"this bet is never settled: call {name}.settle(…) further down.")
