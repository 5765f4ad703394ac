"""nbgrader's exchange: every account of the machine can lay down there what it likes."""

import getpass
import json
import os

import pytest

from translearn.coursework.instructor import bank
from translearn.coursework.instructor.collect import collect

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nbgrader's exchange is not on Windows")


def test_what_the_exchange_holds_is_its_owners_own_and_cannot_be_dated_back(course, tmp_path):
    me = getpass.getuser()
    (course.root / "students.csv").write_text(f"id\n{me}\nada\n")
    perfect = json.dumps(bank.books("A1")[1]).encode()
    before = "2020-01-01 00:00:00.000000 UTC"
    for name in (
        f"{me}+A1+{before}+a",
        f"ada+A1+{before}+b",
        f"nobody+A1+{before}+c",
        f"{me}+A1+2019-01-01 00:00:00.000000 UTC+d",
    ):
        (tmp_path / "inbound" / name).mkdir(parents=True)
        (tmp_path / "inbound" / name / "A1.ipynb").write_bytes(perfect)
        (tmp_path / "inbound" / name / "submission_secret.txt").write_text(name)
        (tmp_path / "inbound" / name / "data.csv").write_text("1")
    (tmp_path / "inbound" / f"{me}+A1+2018-01-01 00:00:00.000000 UTC+e").mkdir()
    found = collect(course, tmp_path / "inbound", handed_in=True)
    reasons = {
        each.place[-1]: (each.state.split(",")[0], each.problem) for each in found if each.place
    }
    assert len(reasons) == 5, "one row a submission, not one a file"
    assert f"it belongs to {me}, not to ada" in reasons["b"][1]
    assert reasons["c"] == ("unknown student", "nobody is not in students.csv")
    assert {reasons["a"][0], reasons["d"][0]} == {
        "collected",
        "duplicate",
    } and "no notebook in it" in reasons["e"][1]
    stamp = course.submitted(me, "A1").with_name("timestamp.txt").read_text()
    assert not stamp.startswith(("2019", "2020")), (
        "its file changed today, whatever its folder is called"
    )
    secret = course.submitted(me, "A1").with_name("submission_secret.txt")
    assert secret.read_text().startswith(me) and secret.stat().st_mode & 0o077 == 0
