"""An assignment's judges as hidden tests: plain code that runs in the submission's own process.

It is made from the source of the judges, so that every grader asks the same of a submission, on
the same inputs: seeds instead of the secret of a class, which no test then holds.
"""

import ast
import hashlib
import importlib
import inspect
import json
import textwrap

from translearn.coursework.instructor import judging

HELPERS = (
    judging.Wrong,
    judging.NoAnswer,
    judging.expect,
    judging.partly,
    judging.items,
    judging.array,
    judging.number,
    judging.answers_close,
)
STEPS = 4  # equal steps of a part that gives shares: no judge gives finer ones

# Calls a function of the notebook as our runner does, in this process: what comes back is plain
# data or no answer.
ASK = '''
PARTS = {}

def part(question, what):
    return lambda function: PARTS.setdefault((question.name, what), function)

class Ask:
    def __call__(self, name, *args, read="", extra=(), seconds=None):
        return self.put({"name": name, "args": codec.encode(list(args))}, read, extra)

    def value(self, name, read="", extra=()):
        return self.put({"name": name}, read, extra)

    def put(self, probe, read, extra):
        session = SimpleNamespace(shell=SimpleNamespace(user_ns=space))
        probe = probe | {"read": read, "with": codec.encode(list(extra))}
        try:
            return codec.decode(runner.answer(session, probe, student.module(assignment)))
        except Exception as problem:
            raise NoAnswer(type(problem).__name__)

def share(question, what, seed):
    """The share of a part's points, from 0 to 1."""
    nowhere = io.StringIO()
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = PARTS[question, what](Ask(), np.random.default_rng(seed))
        return said[0] if said else 1
    except Exception:
        return 0
'''
IMPORTS = """
import io, warnings
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace
from translearn.coursework import student
from translearn.coursework.student import codec, runner
from translearn.exercises.answers import close
"""


def code(assignment: str) -> str:
    """The judges of an assignment as text that needs nothing of the instructor's.

    It works on a dictionary `space`, what the notebook has defined, and gives a function
    `share(question, part, seed)`.
    """
    name = assignment.lower()
    judges = importlib.import_module(f"translearn.coursework.instructor.judges.{name}")
    tree = ast.parse(inspect.getsource(judges))
    body = [
        node
        for node in tree.body[1:]  # without the docstring
        if not (isinstance(node, ast.ImportFrom) and "instructor" in node.module)
    ]
    helpers = [textwrap.dedent(inspect.getsource(each)) for each in HELPERS]
    theirs = ast.unparse(ast.Module(body, []))
    return "\n".join(
        [f"assignment = {name!r}", IMPORTS, "import numpy as np", *helpers, ASK, theirs]
    )


def parts(assignment: str, secret: str) -> dict:
    """{question: [(part, points, seed, steps)]}: what is asked, and with which luck."""
    module = judging.load(assignment.lower())
    found = {}
    for question in judging.questions(module):
        found[question.name] = []
        for what, points in question.marks.items():
            judge = judging.PARTS[assignment.lower(), question.name][what]
            steps = STEPS if "partly(" in inspect.getsource(judge) else 1
            seed = _seed(secret, assignment.lower(), question.name, what)
            found[question.name].append((what, points, seed, steps))
    return found


def _seed(*words) -> int:
    """As `judging.generator` draws it."""
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:8], "big")


def for_nbgrader(assignment: str, secret: str, solved: dict) -> dict:
    """The instructor's notebook: each check cell has hidden tests, and its last value is the
    points, which nbgrader takes as partial credit. `solved`: the notebook with model answers.
    """
    text, asked, cells = code(assignment), parts(assignment, secret), []
    for cell in solved["cells"]:
        name = (cell["metadata"].get("nbgrader") or {}).get("grade_id")
        if name in asked:
            rows = [(what, points, seed) for what, points, seed, _ in asked[name]]
            sum_up = f"sum(n * share({name!r}, what, seed) for what, n, seed in {rows!r})"
            body = textwrap.indent(f"{text}\nreturn round({sum_up}, 2)", "    ")
            tests = f"def _hidden_tests(space):\n{body}\n_hidden_tests(globals())"
            tests = f"### BEGIN HIDDEN TESTS\n{tests}\n### END HIDDEN TESTS"
            cell = cell | {"source": f"# {name}\n{tests}"}
        cells.append(cell)
    return solved | {"cells": cells}


def for_otter(assignment: str, secret: str) -> dict:
    """{file name: text} of otter's test files, one for each question, with a test case for each
    part. A part that gives shares is several cases: otter has no partial credit for one.
    """
    text, files = code(assignment), {}
    for name, rows in parts(assignment, secret).items():
        lines = [
            "from otter.test_files import test_case",
            "OK_FORMAT = False",
            f"name = {name!r}",
            f"PARTS = {json.dumps([[what, seed] for what, _, seed, _ in rows])}",
            "KNOWN = {}",
            "def _share(space, at):",
            textwrap.indent(text, "    "),
            "    if at not in KNOWN:",
            "        KNOWN[at] = share(name, *_asked[at])",
            "    return KNOWN[at]",
            "_asked = PARTS",
        ]
        for at, (_, points, _, steps) in enumerate(rows):
            for step in range(1, steps + 1):
                lines += [
                    f"@test_case(points={points / steps!r}, hidden=True)",
                    f"def test_{at}_{step}(env):",
                    f"    assert _share(env, {at}) >= {step / steps!r} - 1e-9",
                ]
        files[f"{name}.py"] = "\n".join(lines) + "\n"
    return files
