"""Claims without measuring: a lesson's claims are made anew on the runs that the ledger has.

So a new sentence or bound costs seconds. Each experiment stands for its recorded runs, and only
the cells that the claims then need are run.
"""

import ast
import copy
from dataclasses import replace
from pathlib import Path

from translearn import measure
from translearn.authoring import read
from translearn.evidence import book, lessons, rests_on
from translearn.measure import experiment as measuring


class _Reader:
    """In the place of the ledger's recorder: reads every experiment, and collects the claims."""

    def __init__(self):
        self.rows = []

    def run(self, experiment):
        return replace(measure.recorded(experiment.name), live_seeds=experiment.seeds)

    def claim(self, name, text, row):
        self.rows.append((name, text, row))


class _Recorded(ast.NodeTransformer):
    """`measure.compare(…, seeds=3, name="a.b")` → `_recorded("a.b", 3)`; `tune` likewise."""

    def visit_Call(self, node):
        self.generic_visit(node)
        said = {keyword.arg: keyword.value for keyword in node.keywords}
        called = ast.unparse(node.func)
        if "name" not in said or called not in ("measure.compare", "measure.tune"):
            return node
        seeds = said.get("seeds", ast.Constant(3))
        reader = ast.Name("_recorded" if called == "measure.compare" else "_tuned", ast.Load())
        return ast.copy_location(ast.Call(reader, [said["name"], seeds], []), node)


def claim_anew(path: Path) -> list:
    """Make a lesson's claims on the recorded runs and write them in place of the old; returns
    their texts.

    Raises `ClaimFailed` when the ledger does not bear one out; nothing is written then.
    """
    lesson = read(path)
    lines = [line for line, _ in lessons.claims(lesson)]
    trees, wanted = [], {}
    for cell, tree in lessons.cells_of(lesson):
        trees.append(ast.fix_missing_locations(_Recorded().visit(copy.deepcopy(tree))))
        if any(cell.line <= line <= cell.line + cell.text.count("\n") for line in lines):
            wanted |= {id(t): t for t in rests_on.needed(list(trees))}
    reader = measuring.recorder = _Reader()
    try:
        lessons.run(
            [tree for tree in trees if id(tree) in wanted],
            path,
            _recorded=lambda name, seeds: replace(measure.recorded(name), live_seeds=seeds),
            _tuned=lambda name, seeds: measure.Tuned(measure.recorded(name)),
        )
    finally:
        measuring.recorder = None
    book.put_claims(list(lessons.trees_of(lesson)), reader.rows)
    return [text for _, text, _ in reader.rows]
