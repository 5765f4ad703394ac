"""What is measured inside with the course's functions is measured with its own, whatever a
submission puts in their place; and an assignment starts with what its text explains.
"""

import ast
import json

import pytest

from conftest import points
from translearn import authoring
from translearn.coursework.instructor import bank, folder, grading
from translearn.coursework.student import clock, module
from translearn.coursework.student.question import questions
from translearn.paths import ROOT

ASSIGNMENTS = list(folder.assignments())

# Answers that do nothing, or change what they were given; and in place of the functions that
# measure it, others that say what would be right.
IN_PLACE = """
def mirror(images, rng):
    images[:] = np.where(rng.random((len(images), 1, 1, 1)) < 0.5, images[:, :, ::-1], images)
    return images

def left_alone(function, images, seed):
    rng = np.random.default_rng(seed)
    return [function(np.array(images), rng), np.array(images)]

question.left_alone = left_alone
"""

NOTHING = """
def freeze_below(model, name):
    pass

def flags(function, model, name, frozen=False):
    names = [layer.name for layer in model.layers]
    learns = lambda other: names.index(other) >= names.index(name) and other != "norm"
    return {other: learns(other) for other in names}

question.flags = flags
"""


@pytest.mark.parametrize(
    "assignment, answers, expected",
    [
        ("A3", {"mirror": IN_PLACE}, {"mirror": 2}),
        ("A2", {"freeze_below": NOTHING}, {"freeze_below": 0}),
    ],
)
def test_replacing_what_measures_earns_nothing(assignment, answers, expected, released):
    data = json.dumps(bank.notebook(assignment, answers)).encode()
    result = grading.grade_one(assignment, released(assignment), data, "secret", spare=1)
    got = points(result)
    full = {each.name: each.points for each in questions(module(assignment))}
    assert {name: p for name, p in got.items() if p != full[name]} == expected


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_starting_cell_holds_what_its_text_explains_and_nothing_else(assignment):
    """A function's head, or the names that the check asks for, and three dots."""
    asked = {each.name: each for each in questions(module(assignment))}
    seen = set()
    for cell in bank.books(assignment)[0]["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removesuffix("_answer")
        if cell["cell_type"] != "code" or name not in asked or "_answer" not in str(cell):
            continue
        body = ast.parse(cell["source"]).body
        if isinstance(body[0], ast.FunctionDef):
            assert [node.name for node in body] == [name]
            assert ast.unparse(body[0].body) == "..."
        else:
            names = [part.strip() for part in asked[name].call.split(",")]
            assert [ast.unparse(node) for node in body] == [f"{part} = ..." for part in names]
        seen.add(name)
    assert seen == set(asked)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_assignment_states_its_limits(assignment):
    text = " ".join(
        authoring.read(folder.assignments()[assignment]).path.read_text("utf-8").split()
    )
    assert clock.LIMITS in text


def test_the_guide_states_the_limits():
    limits = grading.Limits()
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    section = text.partition("## Limits")[2].partition("\n## ")[0]
    numbers = [limits.cell_seconds, limits.own_seconds, limits.probe_seconds, limits.total_seconds]
    for seconds in [*numbers, limits.judge_seconds]:
        assert f"| {seconds:g} s |" in section
    assert (
        f"{limits.memory // 2**30} GB" in section
        and f"{limits.children}, {limits.files:,}, {limits.disk // 2**20} MB "
        f"({limits.file_bytes // 2**20} MB a file)"
        in section
    )
