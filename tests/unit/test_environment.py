"""environment.yml gives conda and Binder what requirements.lock gives everyone else."""

import stat

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from translearn.lab import conda
from translearn.paths import ROOT

CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

MACHINES = {
    "linux": {"sys_platform": "linux", "platform_machine": "x86_64", "os_name": "posix"},
    "mac": {"sys_platform": "darwin", "platform_machine": "arm64", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_machine": "AMD64", "os_name": "nt"},
}


def conda_specs():
    return [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]


def pip_lines():
    return [
        line for entry in CONDA["dependencies"] if isinstance(entry, dict) for line in entry["pip"]
    ]


def pins(lines, machine):
    found = {}
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(
            {
                **machine,
                "python_version": "3.12",
                "python_full_version": "3.12.9",
                "implementation_name": "cpython",
            }
        ):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} is pinned twice for one machine"
            found[name] = str(requirement.specifier)
    return found


def lock_lines():
    return [
        line.rstrip("\\ ")
        for line in LOCK.splitlines()
        if line and not line.startswith((" ", "#"))
    ]


@pytest.mark.parametrize("spec", conda_specs())
def test_conda_understands_every_spec(spec):
    match = rattler.MatchSpec(spec, strict=True)
    assert match.name is not None


def test_conda_installs_a_python_that_the_course_accepts():
    (python,) = [
        rattler.MatchSpec(spec, strict=True)
        for spec in conda_specs()
        if spec.startswith("python=")
    ]
    import tomllib

    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "requires-python"
    ]
    assert str(python.version).removesuffix(".*") + ".0" in SpecifierSet(wanted)
    assert "pip" in [
        rattler.MatchSpec(spec, strict=True).name.normalized for spec in conda_specs()
    ]


@pytest.mark.parametrize("machine", MACHINES)
def test_the_versions_are_the_locks(machine):
    conda, locked = pins(pip_lines(), MACHINES[machine]), pins(lock_lines(), MACHINES[machine])
    # Two differences, explained in translearn/lab/conda.py: the full TensorFlow stands in for the
    # CPU build, and pip brings what KerasHub asks for.
    if "tensorflow-cpu" in locked:
        locked["tensorflow"] = locked.pop("tensorflow-cpu")
    text = conda.pop("tensorflow-text", None)
    assert "tensorflow-text" not in locked
    assert (text is None) == (MACHINES[machine]["sys_platform"] == "win32")
    if text:  # it asks for the TensorFlow of its own series
        assert (
            text.removeprefix("==").split(".")[:2]
            == conda["tensorflow"].removeprefix("==").split(".")[:2]
        )
    assert len(locked) > 100
    assert conda == locked


def test_the_file_is_what_the_lock_makes():
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == conda.environment_yml(LOCK)


def test_binder_adds_the_course_itself_without_its_dependencies():
    script = ROOT / "postBuild"
    assert "pip install --no-deps --editable ." in script.read_text(encoding="utf-8")
    assert script.stat().st_mode & stat.S_IXUSR
