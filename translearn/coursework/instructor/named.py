"""What a misconception's name means, in the words of the visible check.

The words are read from the check's source and not from a run: what a run says could hold what the
judge had asked before, and a student reads it.
"""

import ast
import functools
import inspect
import textwrap


@functools.cache
def meaning(question, name: str) -> str:
    """What the check of a question says when it raises this misconception, "…" in the place of
    numbers that it fills in; "" where the source does not say it in one place.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(question._check)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Misconception":
            called, said, *_ = [*node.args, None]
            if getattr(called, "value", None) == name:
                return _text(said)
    return ""


def _text(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return ""
