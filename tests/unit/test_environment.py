"""environment.yml is what conda would read, and has the lock's versions."""

import importlib.util
import re
from pathlib import Path

import rattler
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
TEXT = (ROOT / "environment.yml").read_text(encoding="utf-8")
CONDA_PYTHON = "3.12"
ENVIRONMENT = yaml.safe_load(TEXT)


def test_conda_can_read_every_spec():
    specs = [spec for spec in ENVIRONMENT["dependencies"] if isinstance(spec, str)]
    assert {rattler.MatchSpec(spec, strict=True).name.normalized for spec in specs} == {"python", "pip"}
    assert f"python={CONDA_PYTHON}" in specs


def test_its_versions_are_the_locks():
    pinned = set(re.findall(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", LOCK, re.M))
    pip = next(spec["pip"] for spec in ENVIRONMENT["dependencies"] if isinstance(spec, dict))
    theirs = {re.match(r"([A-Za-z0-9._-]+==[^\s;]+)", line)[1] for line in pip if "==" in line}
    assert pinned - theirs == {p for p in pinned if p.startswith("tensorflow-cpu==")}, "missing from environment.yml"
    assert theirs <= pinned, "not in the lock"


def test_it_is_what_the_lock_command_writes():
    spec = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    course = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(course)
    assert course.environment_yml(LOCK) == TEXT
