"""What must never get into the repository, and what every part of it owes the others."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

# A module may import those before it, never those after it (`authoring`, `lab` and `doctor` stand above all lessons).
ORDER = ["quiet", "paths", "errors", "progress", "content", "registry", "ledger", "data", "backbones", "transfer", "optim",
         "measure", "plots", "widgets", "exercises", "authoring", "lab", "doctor"]


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # a copy without its history
        skip = {".venv", ".cache", ".git", "test-results", "__pycache__", ".pytest_cache"}
        return [p for p in ROOT.rglob("*") if p.is_file() and not skip & set(p.relative_to(ROOT).parts)]
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts():
    for path in tracked():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


FORBIDDEN = {
    # Written apart, so that this file does not find itself.
    "the address of a package index": re.compile("/simp" + r"le/?[\s\"']|--(extra-)?index" + "-url[ =]h|files.python" + r"hosted\.org|pypi\.(org|python\.org)/simp" + "le"),
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(home|Us" + r"ers)/\w+/|(?<![\w.])/ro" + "ot/|(?<![\\w.])/wo" + "rk/"),
    "a package address with its hash": re.compile(r"/packa" + r"ges/[0-9a-f]{2}/"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what):
    found = [f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0].strip()}"
             for path, text in texts() for hit in FORBIDDEN[what].finditer(text)]
    assert found == []


def test_no_tracked_file_is_too_large():
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > 50e6] == []


def requirements():
    groups = PYPROJECT["dependency-groups"]
    return [*PYPROJECT["project"]["dependencies"], *(line for group in groups.values() for line in group)]


def test_every_dependency_says_why_it_is_there():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in requirements():
        line = next(line for line in lines if line.strip().startswith(f'"{requirement}"'))
        assert re.search(r"#\s+\w.{5,}", line), f"no reason stands beside {requirement}"


def test_the_lock_pins_and_hashes_everything_and_agrees_with_pyproject():
    stanzas = re.split(r"\n(?=[a-zA-Z0-9])", LOCK.strip())
    pins = {}
    for stanza in stanzas:
        name, version = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", stanza).groups()
        pins.setdefault(name.lower().replace("_", "-"), []).append(version)
        assert "--hash=sha256:" in stanza, f"{name} has no hash"
    assert "://" not in LOCK
    for line in requirements():
        wanted = Requirement(line)
        versions = pins[wanted.name.lower()]
        assert all(wanted.specifier.contains(version, prereleases=True) for version in versions), f"{line}: the lock has {versions}"


def test_imports_flow_one_way():
    wrong = []
    for path in (ROOT / "translearn").rglob("*.py"):
        own = path.relative_to(ROOT / "translearn").parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _translearn_modules(node, path):
                if name in ORDER and name != own and ORDER.index(name) > ORDER.index(own):
                    wrong.append(f"{own} imports {name} ({path.name}:{node.lineno})")
        assert own in ORDER, f"{own} has no place in the order of modules"
    assert wrong == []


def _translearn_modules(node, path):
    depth = len(path.relative_to(ROOT / "translearn").parts)
    if isinstance(node, ast.ImportFrom):
        parts = (node.module or "").split(".") if node.module else []
        if node.level == depth:  # from . or from .. up to the package itself
            return parts[:1] or [alias.name for alias in node.names]
        if node.level == 0 and parts[:1] == ["translearn"]:
            return parts[1:2] or [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("translearn.")]
    return []


def test_importing_the_package_is_instant():
    code = "import sys, translearn; print(*sorted({'tensorflow', 'keras', 'pandas', 'matplotlib', 'sklearn', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == ""
