"""`course.py doctor`: what is broken is said, counted, and never hides the rest."""

import pytest

from translearn import paths
from translearn.lab import doctor


def test_this_environment_is_the_locks():
    lines = list(doctor.environment())
    assert lines[0][0] == doctor.OK, lines[0]
    assert any(text.startswith("tensorflow 2.") for _, text in lines)


def test_a_package_of_another_version_is_named(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "pytest==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0\nnever==2 ; sys_platform "
        "== 'plan9'\n"
    )
    mark, text = next(iter(doctor.environment(lock)))
    assert mark == doctor.FAIL
    assert "wanted 0.0.1" in text and "no-such-package missing" in text and "never" not in text
    assert "python3 course.py lab" in text


def test_a_check_that_breaks_is_a_line_and_the_others_still_run(monkeypatch, capsys):
    def sound():
        yield doctor.OK, "sound"

    def broken_check():
        yield doctor.OK, "begun"
        raise RuntimeError("it broke")

    lines = doctor.run([broken_check, sound])
    assert (doctor.FAIL, "broken check: it broke") in lines and lines[-1] == (doctor.OK, "sound")


@pytest.mark.parametrize("marks, code", [(["ok", "note"], 0), (["ok", "FAIL", "ok"], 1)])
def test_only_what_is_needed_fails(monkeypatch, marks, code):
    monkeypatch.setattr(doctor, "run", lambda: [(mark, "x") for mark in marks])
    assert doctor.main() == code


def test_a_missing_browser_and_sandbox_are_notes(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda program: None)
    monkeypatch.setenv("TRANSLEARN_CHROMIUM", str(paths.ROOT / "no-such-browser"))
    for check in (doctor.browser, doctor.sandbox):
        ((mark, text),) = check()
        assert mark == doctor.NOTE and "only" in text
