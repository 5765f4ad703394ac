"""course.py: what it says and does when a machine is not as it should be. Nothing is installed here."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def course(tmp_path):
    """course.py as a module that takes a copy of the folder for its own."""
    spec = importlib.util.spec_from_file_location("course_under_test", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.VENV, module.CACHE = (
        str(tmp_path),
        str(tmp_path / ".venv"),
        str(tmp_path / ".cache"),
    )
    module.LOCK = str(tmp_path / "requirements.lock")
    module.READY, module.INSTALLING = (
        str(tmp_path / ".venv/ready.json"),
        str(tmp_path / ".venv/installing"),
    )
    module.LOG = str(tmp_path / ".cache/setup.log")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())
    return module


def test_old_pythons_can_read_it_and_it_needs_the_standard_library_only():
    tree = ast.parse((ROOT / "course.py").read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    "version, bits, found, words",
    [
        (
            (3, 10),
            64,
            "python3.12",
            "This is Python 3.10.*Run it with python3.12, which is on this machine",
        ),
        ((3, 14), 64, None, "This is Python 3.14.*Install one of them"),
        ((3, 12), 32, None, "32-bit.*Install a 64-bit Python"),
    ],
)
def test_a_wrong_python_is_told_in_one_sentence(course, version, bits, found, words):
    with pytest.raises(course.Stop, match=words):
        course.check_python(version, bits, which=lambda name: name if name == found else None)


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_a_right_python_passes(course, minor):
    course.check_python((3, minor), 64)


def test_a_full_disk_is_told_with_what_is_there_and_what_is_needed(course):
    with pytest.raises(
        course.Stop, match=r"has [\d.]+ GB free, and the set-up needs about 1000000 GB"
    ):
        course.check_disk(1e6)
    course.check_disk(1e-6)


def fake_environment(course, monkeypatch, version="3.12.1"):
    Path(course.VENV).mkdir()
    monkeypatch.setattr(course, "venv_version", lambda: version)
    Path(course.READY).write_text(json.dumps(course.expected_marker(version)))


def test_every_state_of_the_environment_is_recognised(course, monkeypatch):
    assert course.state() == "missing"
    fake_environment(course, monkeypatch)
    assert course.state() == "ready"
    Path(course.LOCK).write_text(Path(course.LOCK).read_text() + "# newer\n")
    assert course.state() == "stale"
    Path(course.INSTALLING).touch()
    assert course.state() == "cut off"
    Path(course.INSTALLING).unlink()
    Path(course.READY).write_text('{"lock": ')
    assert course.state() == "half-made"
    Path(course.READY).write_text(json.dumps({"venv": "/elsewhere"}))
    assert course.state() == "moved"
    monkeypatch.setattr(course, "venv_version", lambda: None)
    assert course.state() == "broken"


def test_line_endings_do_not_make_the_environment_stale(course, monkeypatch):
    fake_environment(course, monkeypatch)
    lock = Path(course.LOCK)
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert course.state() == "ready"


def test_uv_comes_from_the_lock_with_its_hashes(course):
    requirement, version = course.uv_requirement(Path(course.LOCK).read_text())
    assert requirement.startswith(f"uv=={version}") and requirement.count("--hash=sha256:") > 5
    assert len([line for line in requirement.splitlines() if "==" in line]) == 1
    with pytest.raises(course.Stop, match="git checkout requirements.lock"):
        course.uv_requirement("numpy==2.0\n")


@pytest.mark.parametrize(
    "output, words",
    [
        (
            "error: Request failed after 3 retries\n  Caused by: dns error: failed to lookup address information",
            "needs the network once",
        ),
        (
            "pip._vendor.urllib3.exceptions.NewConnectionError: Failed to establish a new connection",
            "needs the network once",
        ),
        ("OSError: [Errno 28] No space left on device", "The disk filled up"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "its hash differs"),
        (
            "The virtual environment was not created successfully because ensurepip is not available.",
            "python3-venv",
        ),
        ("Segmentation fault", "Segmentation fault.*setup.log"),
    ],
)
def test_a_tool_that_fails_is_explained_in_one_sentence(course, output, words):
    import re

    assert re.search(words, course.explain("installing the packages", output))


def test_a_failing_tool_leaves_its_output_in_the_log(course):
    with pytest.raises(course.Stop, match="needs the network once"):
        course.run_tool(
            "fetching",
            [sys.executable, "-c", "print('dns error'); raise SystemExit(2)"],
            None,
            lambda: None,
        )
    assert "dns error" in Path(course.LOG).read_text()


def test_only_one_set_up_runs_at_a_time_and_a_killed_one_leaves_no_lock(course):
    code = (
        f"import importlib.util as u; s = u.spec_from_file_location('c', {str(ROOT / 'course.py')!r}); c = u.module_from_spec(s); "
        f"s.loader.exec_module(c); c.CACHE = {course.CACHE!r}\n"
        "with c.only_one():\n    print('held', flush=True); import time; time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        said = []

        def say(sentence):
            said.append(sentence)
            other.kill()

        with course.only_one(say=say) as waited:
            assert waited
        assert f"process {other.pid}" in said[0]
    finally:
        other.kill()
        other.wait()


def test_doctor_says_something_useful_before_the_set_up_and_makes_nothing(course, capsys):
    assert course.report_unready(course.state()) == 1
    said = capsys.readouterr().out
    assert "not set up yet. Run: python3 course.py lab" in said and not Path(course.VENV).exists()


def test_a_ready_environment_is_used_without_a_look_at_the_network(course, monkeypatch):
    fake_environment(course, monkeypatch)
    monkeypatch.setattr(course, "run_tool", lambda *a: pytest.fail("nothing is to be fetched"))
    course.ensure()


def test_help_names_every_command():
    said = subprocess.run(
        [sys.executable, str(ROOT / "course.py"), "--help"], capture_output=True, text=True
    ).stdout
    for command in ("lab", "test", "build", "measure", "doctor", "lock"):
        assert f"\n    {command} " in said


def test_a_busy_port_gives_way_to_the_next_free_one():
    import socket

    from translearn import lab

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert lab.free_port(port) > port
