"""What a student has holds no judge, no solution and no hidden probe: by what it is and by what it
does.
"""

import ast
import json
import os
import subprocess
import sys
import tomllib

import pytest
from together import LIMITS, Prefixed

from conftest import OURS, points
from translearn.coursework.instructor import bank, folder, grading, judging
from translearn.coursework.instructor.release import solutions
from translearn.coursework.instructor.session import Session
from translearn.coursework.student.question import questions
from translearn.paths import ROOT

ASSIGNMENTS = list(folder.assignments())
INSTRUCTOR = ROOT / "translearn" / "coursework" / "instructor"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The copy without answers, as deploy/student-copy.sh makes it."""
    place = tmp_path_factory.mktemp("student") / "copy"
    script = ["bash", str(ROOT / "deploy" / "student-copy.sh"), str(place)]
    subprocess.run(script, check=True, timeout=1500)
    again = subprocess.run(script, capture_output=True, text=True)
    assert again.returncode == 1 and "nothing was changed" in again.stderr
    return place


@pytest.fixture(scope="module")
def wheel():
    """The files that the wheel would hold, by hatchling's rules in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    target = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    files = (path for top in target["packages"] for path in (ROOT / top).rglob("*"))
    files = {path.relative_to(ROOT).as_posix(): path for path in files if path.is_file()}
    out = tuple(f"{folder}/" for folder in target["exclude"])
    assert all((ROOT / folder).is_dir() for folder in out), "folders, read as such here"
    return {
        name: path
        for name, path in files.items()
        if not name.startswith(out) and "__pycache__" not in name
    }


@pytest.fixture(params=["copy", "wheel"])
def shipped(request):
    """{name: path} of every file that a student has, in each of the two ways."""
    if request.param == "wheel":
        return request.getfixturevalue("wheel")
    place = request.getfixturevalue("copy")
    files = (path for path in place.rglob("*") if path.is_file())
    return {path.relative_to(place).as_posix(): path for path in files}


def _pieces(source: str) -> set:
    """Statements and long texts of a module, each as Python writes it: layout does not count."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Return, ast.Assign, ast.AugAssign, ast.Expr)):
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return {piece for piece in found if len(piece) > 45}


# The share of pieces that may stand elsewhere. Model answers have few, and lessons teach some.
SHARED = {"judge": 0.05, "bank": 0.1, "solution": 0.25}


def _secrets():
    """{what it is of: pieces that only the instructor has}."""
    found = {f"judge {name}": INSTRUCTOR / "judges" / f"{name.lower()}.py" for name in ASSIGNMENTS}
    found |= {f"bank {name}": INSTRUCTOR / "banks" / f"{name.lower()}.py" for name in ASSIGNMENTS}
    pieces = {what: _pieces(path.read_text(encoding="utf-8")) for what, path in found.items()}
    return pieces | {f"solution {name}": set(solutions(name)) for name in ASSIGNMENTS}


def _text(shipped):
    kinds = (".py", ".md", ".ipynb", ".txt", ".toml", ".json", ".html")
    return "\n".join(
        path.read_text(encoding="utf-8", errors="replace")
        for name, path in shipped.items()
        if name.endswith(kinds) and "data/ledger" not in name
    )


def test_no_file_of_the_instructors_is_shipped(shipped):
    assert len(shipped) > 30 and "translearn/coursework/student/runner.py" in shipped
    for name in shipped:
        assert "instructor" not in name and "judge" not in name, name
        assert not name.startswith(
            ("tests/", "notebooks/source", "notebooks/solutions", "deploy/")
        )
        assert not name.startswith("notebooks/coursework"), name
    contents = {path.read_bytes() for name, path in shipped.items() if name.endswith(".py")}
    for path in INSTRUCTOR.rglob("*.py"):
        text = path.read_bytes()
        assert not text.strip() or text not in contents, f"{path.name} under another name"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_nothing_that_only_the_instructor_has_stands_in_it(shipped, assignment):
    """Statements and sentences of judges, banks and model answers, wherever they might stand."""
    python = [path for name, path in shipped.items() if name.endswith(".py")]
    known = set().union(*(_pieces(path.read_text(encoding="utf-8")) for path in python))
    text = _text(shipped)
    given = "\n".join(cell["source"] for cell in bank.books(assignment)[0]["cells"])
    for what, pieces in _secrets().items():
        if not what.endswith(f" {assignment}"):
            continue
        assert len(pieces) > (5 if assignment in OURS else 3), what
        found = {piece for piece in pieces if piece in known or piece in text}
        found = {piece for piece in found if piece not in given}
        # Lessons and visible checks share formulas with the answers, one here and there. A judge
        # or an answer that is shipped would bring all of its pieces.
        assert len(found) <= len(pieces) * SHARED[what.split()[0]], (what, sorted(found))


def test_the_search_finds_what_it_is_for(wheel):
    """With one judge among the files the search above speaks up."""
    judge = (INSTRUCTOR / "judges" / "a1.py").read_text(encoding="utf-8")
    known = _pieces(judge)
    assert len(_secrets()["judge A1"] & known) > len(_secrets()["judge A1"]) / 10


def test_a_student_can_import_the_student_side_and_nothing_else(copy, tmp_path):
    """In a copy the modules work, handing in goes through, and no instructor's module is there."""
    (tmp_path / "A1.ipynb").write_text(json.dumps(bank.notebook("A1", {})))
    code = """
import importlib.util, sys, translearn
from translearn.coursework.student import submit
assert translearn.__file__.startswith(sys.argv[1]), translearn.__file__
assert importlib.util.find_spec("translearn.coursework.instructor") is None
print(submit.submit("A1", student="ada").markdown)
assert not [name for name in sys.modules if "instructor" in name or "judge" in name]
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(copy)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=3000,
        env=os.environ | {"PYTHONPATH": str(copy), "TRANSLEARN_CACHE": str(tmp_path / "cache")},
    )
    assert "Everything that can be seen from here is well" in done.stdout, done.stderr[-2000:]


# ---- by behaviour: every function that a student has, handed in as the answer

GATHER = """
import importlib, inspect, pkgutil, types
import translearn
FOUND = {}


def add(name, function):  # it, and the functions inside it that need nothing of it
    FOUND[name] = function
    for code in function.__code__.co_consts:
        if inspect.iscode(code) and not code.co_freevars and code.co_name.isidentifier():
            add(f"{name}.{code.co_name}", types.FunctionType(code, function.__globals__))


for module in pkgutil.walk_packages(translearn.__path__, "translearn."):
    if module.name.endswith("__main__") or ".lab" in module.name or ".bench" in module.name:
        continue
    try:
        found = vars(importlib.import_module(module.name))
    except Exception as problem:
        print(module.name, problem)
        continue
    for name, value in found.items():
        if inspect.isfunction(value) and value.__module__.startswith("translearn"):
            add(f"{value.__module__}.{value.__qualname__}", value)
        elif type(value).__name__ == "Question":
            add(f"{module.name}.{name}", value._check)
NAMES = sorted(FOUND)


def takes(name, count):
    try:
        inspect.signature(FOUND[name]).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def arities(counts):
    return [[name for name in NAMES if takes(name, count)] for count in counts]


globals().update({f"f{n}_": FOUND[name] for n, name in enumerate(NAMES)})
"""


class AsIf(Prefixed):
    """Asks a function that was shipped, whatever name the judge calls it by."""

    def _put(self, probe, read, extra, seconds):
        return super(Prefixed, self)._put(probe | {"name": self.prefix}, read, extra, 1)


def _earns_all(question, ask):
    """Whether it gets full points; it stops at the first part that it does not get."""
    for what in question.marks:
        luck = judging.generator("secret", "shipped", question.name, what)
        judge = judging.PARTS[question.module.rpartition(".")[2], question.name][what]
        try:
            if judge(ask, luck) not in (None, 1):
                return False
        except (judging.Wrong, judging.Lost, ValueError, TypeError, LookupError, ArithmeticError):
            return False
        except AttributeError:
            return False
    return True


# Some 250 functions, 7 to 9 questions: minutes for all four, and the others are as A1.
@pytest.mark.parametrize(
    "assignment",
    [
        ASSIGNMENTS[0],
        *(pytest.param(a, marks=pytest.mark.long("coursework")) for a in ASSIGNMENTS[1:]),
    ],
)
def test_no_function_that_ships_is_an_answer(assignment):
    """Each is handed in for each question, in the sandbox, and judged. None gets full points."""
    module = judging.load(assignment.lower())
    asked = questions(module)
    pool = grading.pool(("numpy", "keras"), LIMITS, False, 1)
    session = Session(assignment.lower(), [GATHER], pool, LIMITS)
    try:
        assert session.outcomes == [None]
        names = Prefixed(session, "").value("NAMES")
        assert len(names) > 150
        counts = [len(_parameters(assignment, each.name)) for each in asked]
        fitting = Prefixed(session, "")("arities", counts)
        answers = []
        for each, fits in zip(asked, fitting):
            for name in fits:
                if _earns_all(each, AsIf(session, f"f{names.index(name)}_")):
                    answers.append((each.name, name))
        assert answers == [] and session.over == "", "all were asked"
    finally:
        session.close()


def _parameters(assignment, question):
    """The parameters of a question's answer, as its model answer has them."""
    for cell in bank.books(assignment)[1]["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if cell["cell_type"] == "code" and name == f"{question}_answer":
            tree = ast.parse(cell["source"])
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and node.name == question:
                    return node.args.args
    return []


# ---- the sandbox

LOOK = """
import os
seen = []
for place in PLACES:
    for folder, _, files in os.walk(place):
        seen += [os.path.join(folder, file) for file in files]
    if os.path.isfile(place):
        seen.append(place)
print("SEEN", seen)
"""


def test_no_sandbox_can_read_what_is_not_a_students(released):
    places = [
        *("translearn/coursework/instructor", "translearn/authoring", "translearn/evidence"),
        *("tests", "notebooks/source", "notebooks/solutions", "notebooks/coursework", "deploy"),
        *("course.py", ".git", "docs"),
    ]
    assert (ROOT / places[0]).is_dir() and (ROOT / "notebooks/source").is_dir()
    book = bank.books("A1")[1]
    places = json.dumps([str(ROOT / place) for place in places])
    cell = {"cell_type": "code", "metadata": {}, "source": LOOK.replace("PLACES", places)}
    book["cells"].insert(2, cell | {"id": "look"})
    result = grading.grade_one("A1", released("A1"), json.dumps(book).encode(), "secret", spare=1)
    assert sum(points(result).values()) == 30
    said = [out["text"] for cell in result["cells"] for out in cell["outputs"] if "text" in out]
    assert [text for text in said if text.startswith("SEEN")] == ["SEEN []\n"]
