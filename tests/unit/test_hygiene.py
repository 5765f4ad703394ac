"""What must hold for the repository as a whole."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from translearn.paths import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def stanzas():
    """The lock as (requirement, hashes)."""
    found = []
    for block in re.split(r"\n(?=\S)", LOCK.strip()):
        head, *rest = [line.strip().rstrip("\\").strip() for line in block.splitlines()]
        found.append((Requirement(head), rest))
    return found


def direct():
    """Every direct dependency, groups included."""
    lines = list(PROJECT["project"]["dependencies"])
    for group in PROJECT["dependency-groups"].values():
        lines += group
    return [Requirement(line) for line in lines]


# ---- No trace of anyone's machine or package index ----

# Written in pieces, so that this file does not contain what it looks for.
FORBIDDEN = {
    "an index address": re.compile(
        r"https?://\S+/simp"
        + r"le\b|(?<!no-emit)--(extra-)?index"
        + r"-url[ =]\S|--find-"
        + r"links[ =]\S",
        re.I,
    ),
    "a package host": re.compile(
        r"files\.python"
        + r"hosted|pypi"
        + r"\.org/|test\.py"
        + r"pi|py"
        + r"pi\.tuna|mirrors\.aliyun",
        re.I,
    ),
    "the address of one package file": re.compile(r"/packa" + r"ges/[0-9a-f]{2}/"),
    "someone's home": re.compile(
        r"(?<![\w.])/(?:home|Users)/(?!<)\w+|(?<![\w.])/ro" + r"ot/|C:\\Users\\\w", re.I
    ),
    "a path of one machine": re.compile(r"(?<![\w.])/wo" + r"rk/|(?<![\w.])/t" + r"mp/(?!<)\w"),
}


def tracked() -> list[Path]:
    """The files that git keeps or would keep; without git, everything but what .gitignore
    names.
    """
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
    )
    if done.returncode == 0 and done.stdout:
        return [
            path
            for name in done.stdout.decode().split("\0")
            if name and (path := ROOT / name).is_file()
        ]
    ignored = {
        ".venv",
        ".cache",
        ".git",
        "__pycache__",
        ".pytest_cache",
        "test-results",
        ".ipynb_checkpoints",
    }
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not ignored & set(path.relative_to(ROOT).parts)
    ]


def text_of(path: Path) -> str | None:
    data = path.read_bytes()
    if b"\0" in data[:8192]:
        return None
    return data.decode("utf-8", "replace")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what):
    files = tracked()
    assert len(files) > 20
    found = []
    for path in files:
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            if hit := FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {hit.group(0)[:80]}")
    assert not found, f"{what}:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "what, line",
    [
        ("an index address", "https://example.org/pypi/" + "simple/numpy"),
        ("an index address", "pip install --index" + "-url http://example.org x"),
        ("a package host", "https://files.python" + "hosted.org/packages/x.whl"),
        ("someone's home", "/ho" + "me/ada/course"),
        ("a path of one machine", "open('/wo" + "rk/main/data')"),
    ],
)
def test_the_patterns_find_what_they_are_for(what, line):
    assert FORBIDDEN[what].search(line)


def test_no_file_is_too_large_for_a_repository():
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > 50e6] == []


# ---- Dependencies ----


def test_every_dependency_has_its_reason():
    lines = re.findall(r'^ {4}"[^"]+",?.*$', PYPROJECT, re.MULTILINE)
    assert len(lines) >= len(direct())
    bare = []
    previous_is_comment = False
    for line in PYPROJECT.splitlines():
        if line in lines and not (re.search(r'",?\s+# \w', line) or previous_is_comment):
            bare.append(line)
        previous_is_comment = line.strip().startswith("#")
    assert not bare, "no reason given for:\n" + "\n".join(bare)


def test_every_pin_is_exact_and_hashed_and_names_no_address():
    assert len(stanzas()) > 100
    for requirement, rest in stanzas():
        assert [clause.operator for clause in requirement.specifier] == ["=="], requirement
        assert requirement.url is None, requirement
        assert rest and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in rest), (
            requirement
        )
    assert "://" not in LOCK


PLATFORMS = {
    f"{system} {machine} {python}": {
        "sys_platform": system, "platform_machine": machine, "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]), "implementation_name": "cpython",
        "os_name": "nt" if system == "win32" else "posix",
    }
    for system, machine in [
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("darwin", "arm64"),
        ("win32", "AMD64"),
    ]
    for python in ("3.11.7", "3.12.9", "3.13.1")
}  # fmt: skip


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_lock_answers_pyproject(platform):
    where = {**default_environment(), **PLATFORMS[platform]}
    locked = {}
    for requirement, _ in stanzas():
        if requirement.marker is None or requirement.marker.evaluate(where):
            name = canonicalize_name(requirement.name)
            assert name not in locked, f"{name} is pinned twice"
            locked[name] = next(iter(requirement.specifier)).version
    for wanted in direct():
        name = canonicalize_name(wanted.name)
        if wanted.marker is None or wanted.marker.evaluate(where):
            assert name in locked, f"{name} is not in the lock"
            assert wanted.specifier.contains(locked[name], prereleases=True), (
                f"{name} {locked[name]} is not {wanted.specifier}"
            )
    assert ("tensorflow" in locked) != ("tensorflow-cpu" in locked), (
        "two TensorFlows would share one folder"
    )


# ---- The package ----

# A place may import those before it, never those after it. The front row, which lessons import,
# comes first; the rooms behind it (authors, measurers, instructors) know the front row, and it
# knows nothing of them.
FRONT = """
    quiet page door paths errors words plain plots data backbones transfer scores optim measure
    clinic recipes report widgets exercises
""".split()
ROOMS = """
    coursework.student authoring evidence lab coursework.instructor bench authoring.book
""".split()
ORDER = [*FRONT, *ROOMS]
RANK = {name: rank for rank, name in enumerate(ORDER)}
PACKAGE = ROOT / "translearn"


def imported(path: Path) -> set[str]:
    """The places of the package that a file imports from, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{path}:{node.lineno}: imports inside the package are absolute"
            )
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {place(name.split(".")[1:]) for name in found if name.startswith("translearn.")}


def place(parts) -> str:
    """The place that a module of these names stands in: `coursework` has two, and the book, which
    shows what was measured, is apart from the rest of `authoring`.
    """
    two = parts[0] == "coursework" or tuple(parts[:2]) == ("authoring", "book")
    return ".".join(parts[: 2 if two else 1]).removesuffix(".py")


def own_module(path: Path) -> str:
    return place(path.relative_to(PACKAGE).parts)


FILES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path not in (PACKAGE / "__init__.py", PACKAGE / "coursework" / "__init__.py")
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_flow_one_way(path):
    name = own_module(path)
    assert name in RANK, f"{name} has no place in the order yet"
    for other in imported(path) - {name}:
        assert other in RANK, f"{other} has no place in the order yet"
        assert RANK[other] <= RANK[name], f"{name} imports {other}, which lies to its right"


def test_importing_the_package_loads_nothing_heavy():
    heavy = "tensorflow keras keras_hub tokenizers pandas sklearn matplotlib scipy numpy"
    heavy = [*heavy.split(), "IPython"]
    code = f"import sys, translearn; print([name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).strip() == "[]"
    )


# ---- The README ----


def test_the_readme_lists_the_lessons_that_exist_and_its_links_lead_somewhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ready = re.findall(
        r"^\| \d\d \| \[.+?\]\(notebooks/(.+?\.ipynb)\) \| .+ \| \*\*ready\*\* \|$", readme, re.M
    )
    assert sorted(ready) == sorted(
        path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")
    )
    for link in re.findall(r"\]\((?!https?:|#)([^)]+)\)", readme):
        assert (ROOT / link).exists(), f"README.md links to {link}, which does not exist"


def test_two_test_files_never_share_a_name():
    """pytest imports a test file by its name alone, and refuses the second."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
