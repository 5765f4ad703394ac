"""Every model answer with one small thing changed: what a check praises has no part that gets a
zero. What shows is no bank of ours, but what a slip of the pen makes.
"""

import ast
import copy

import numpy as np
import pytest
from locally import points, verdicts

from conftest import OURS
from translearn.coursework.instructor import bank, folder, judging

ASSIGNMENTS = list(folder.assignments())
OTHER = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
# They build networks or train, which takes seconds; or are results and no function.
LEFT_OUT = ("freeze_below", "copy_by_name", "trainable_numbers", "features", "probe", "experiment")


def _changed(node):
    """Yield functions that change one node: another operator, one operand alone, another number,
    a named argument left away, no sign.
    """
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        yield lambda n: n.ops.__setitem__(0, OTHER[type(n.ops[0])]())
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OTHER:
        yield lambda n: setattr(n, "op", OTHER[type(n.op)]())
    if isinstance(node, ast.BinOp):
        yield lambda n: _become(n, n.left)
        yield lambda n: _become(n, n.right)
    if isinstance(node, ast.UnaryOp):
        yield lambda n: _become(n, n.operand)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (1.1 * node.value or 0.1, node.value + 1, 0):
            yield lambda n, value=value: setattr(n, "value", value)
    if isinstance(node, ast.Call):
        for at in range(len(node.keywords)):
            yield lambda n, at=at: n.keywords.pop(at)


def _become(node, other):
    node.__class__ = type(other)
    node.__dict__.update(other.__dict__)


def near_misses(source):
    """The sources that differ from this one in one node."""
    tree = ast.parse(source)
    found = {}
    for at, node in enumerate(ast.walk(tree)):
        for change in _changed(node):
            other = copy.deepcopy(tree)
            change(list(ast.walk(other))[at])
            found[ast.unparse(ast.fix_missing_locations(other))] = None
    return [text for text in found if text != ast.unparse(tree)]


def _answers(assignment):
    """{question: the source of its model answer}, of those that are tried."""
    return {
        name: cell["source"]
        for cell in bank.books(assignment)[1]["cells"]
        for grade_id in [cell["metadata"].get("nbgrader", {}).get("grade_id", "")]
        for name in [grade_id.removesuffix("_answer")]
        if grade_id.endswith("_answer") and name not in LEFT_OUT and cell["cell_type"] == "code"
    }


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the mean of nothing, and the like
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_check_praises_what_gets_a_zero(assignment):
    module, praised = judging.load(assignment.lower()), []
    answers = _answers(assignment)
    base, tried = {"np": np}, 0
    for source in answers.values():
        exec(source, base)
    for name, source in answers.items():
        question = getattr(module, name)
        for text in near_misses(source):
            space = dict(base)
            exec(text, space)
            with np.errstate(all="ignore"):
                (got,) = verdicts(module, space, "secret", [name]).values()
                passed = question.judge(space[name]).passed
            tried += 1
            if passed and any(verdict.got == 0 for verdict in got):
                praised.append((name, text, points({name: got})))
    assert praised == [] and tried > (40 if assignment in OURS else 4 * len(answers))
