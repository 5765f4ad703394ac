"""Hints and visible checks help, and give no answer away: what can be run of them is handed in.

`test_shipped.py` does the same with every function of the package; this is about code inside a
check and inside a sentence.
"""

import ast
import inspect
import re
import textwrap

import numpy as np
import pytest
from locally import Local

from translearn.coursework.instructor import bank, folder, judging
from translearn.coursework.student.question import questions

ASSIGNMENTS = list(folder.assignments())


def _parameters(assignment) -> dict:
    """{question: the parameters of its answer}, of those that are functions."""
    found = {}
    for cell in bank.books(assignment)[1]["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if cell["cell_type"] == "code" and name.endswith("_answer"):
            for node in ast.parse(cell["source"]).body:
                if isinstance(node, ast.FunctionDef) and f"{node.name}_answer" == name:
                    found[node.name] = [argument.arg for argument in node.args.args]
    return found


def _programs(statements, results, parameters, space):
    """Yield a function for each result: it runs the statements, but for those that would replace
    a parameter, and returns that result.
    """
    steps = [
        compile(ast.Module([each], []), "given away", "exec")
        for each in statements
        if not {n.id for n in ast.walk(each) if isinstance(n, ast.Name) and _stores(n)}
        & set(parameters)
    ]
    for result in {ast.unparse(each): each for each in results}.values():
        code = compile(ast.Expression(result), "given away", "eval")

        def answer(*values, code=code, **named):
            found = dict(space) | dict(zip(parameters, values)) | named
            for step in steps:
                try:
                    exec(step, found)
                except Exception:  # it needs what a check has, and an answer has not
                    continue
            return eval(code, found)

        yield ast.unparse(result), answer


def _stores(name):
    return isinstance(name.ctx, ast.Store)


def _of_hints(hints, parameters, space):
    """What the code between the backticks makes, its statements in both orders."""
    statements, results = [], []
    for span in re.findall(r"`([^`]+)`", " ".join(hints)):
        try:
            (node,) = ast.parse(span.strip()).body
        except (SyntaxError, ValueError):
            continue
        (statements if isinstance(node, ast.Assign | ast.AugAssign) else results).append(node)
    results = [node.value for node in results if isinstance(node, ast.Expr)]
    for order in (statements, statements[::-1]):
        names = [ast.Name(t.id, ast.Load()) for s in order for t in _targets(s)]
        names = [ast.fix_missing_locations(name) for name in names]
        yield from _programs(order, [*results, *names], parameters, space)


def _targets(statement):
    return [node for node in ast.walk(statement) if isinstance(node, ast.Name) and _stores(node)]


def _of_check(check, parameters, space):
    """What a check works out on its way: the statements that an answer could hold, and each
    value that it assigns or compares with.
    """
    body = ast.parse(textwrap.dedent(inspect.getsource(check))).body[0].body
    kinds = (ast.Assign, ast.AugAssign, ast.FunctionDef)
    statements = [node for node in body if isinstance(node, kinds)]
    results = [node.value for node in statements if isinstance(node, ast.Assign)]
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Call) and "close" in ast.unparse(node.func):
            results += node.args
        elif isinstance(node, ast.Return) and node.value is not None:
            results.append(node.value)
    yield from _programs(statements, results, parameters, space)


def _earned(module, question, answer) -> int:
    ask = Local(module, {question.name: answer})
    with np.errstate(all="ignore"):
        return sum(verdict.got for verdict in judging.judge(question, ask, "secret"))


def _given_away(assignment, programs) -> list:
    """(question, code, points) where code that stands there earns more than half of the points.

    `programs`: question, parameters → (code, function) pairs.
    """
    module, found = judging.load(assignment.lower()), []
    for question in questions(module):
        parameters = _parameters(assignment).get(question.name)
        if parameters is None:  # its answers are results, not a function
            continue
        for code, answer in programs(question, parameters):
            if (got := _earned(module, question, answer)) > question.points / 2:
                found.append((question.name, code, got))
    return found


# Questions about networks, which take seconds: their answers walk over layers, as no expression
# does.
NETWORKS = ("freeze_below", "copy_by_name", "trainable_numbers", "features")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_hint_and_no_check_is_an_answer(assignment):
    module = judging.load(assignment.lower())
    space = {"np": np} | vars(module)

    def programs(question, parameters):
        if question.name in NETWORKS:
            return
        yield from _of_hints(question.hints, parameters, space)
        yield from _of_check(question._check, parameters, space)

    assert _given_away(assignment, programs) == []


OLD_HINT = [
    "`np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta)).mean()`, with "
    "`size = np.abs(guess - target)`."
]


def old_check(gradient):
    labels, logits = np.array([0, 2]), np.array([[2.0, 1.0], [0.3, 0.2]])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    right = (p - np.eye(logits.shape[1])[labels]) / len(labels)
    assert np.allclose(gradient(labels, logits), right)


def test_the_search_finds_what_it_is_for():
    """A hint and a check that held an answer speak up."""
    space = {"np": np}
    programs = {
        "huber": lambda names: _of_hints(OLD_HINT, names, space),
        "gradient": lambda names: _of_check(old_check, names, space),
    }
    found = _given_away(
        "A1", lambda q, names: programs[q.name](names) if q.name in programs else ()
    )
    assert {(name, got) for name, _, got in found} == {("huber", 2), ("gradient", 3)}
