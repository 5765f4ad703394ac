"""nbgrader's exchange: every account of the machine can lay down there what it likes."""

import getpass
import json
import os

import pytest

from translearn.coursework.instructor import bank, folder
from translearn.coursework.instructor.collect import collect

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nbgrader's exchange is not on Windows")

BEFORE = "2020-01-01 00:00:00.000000 UTC"


@pytest.fixture
def course(tmp_path):
    """A class of the one who runs the tests, and of ada."""
    found = folder.new(tmp_path / "class", "Spring")
    folder.write(found.root / "students.csv", f"id,first_name\n{getpass.getuser()},Me\nada,Ada\n")
    folder.write(found.root / "course.toml", "[due]\nA1 = 2021-01-01\n")
    folder.write(found.released("A1"), "{}")
    return folder.Course(found.root)


def test_what_the_exchange_holds_is_its_owners_own_and_cannot_be_dated_back(course, tmp_path):
    me = getpass.getuser()
    perfect = json.dumps(bank.books("A1")[1]).encode()
    for name in (
        f"{me}+A1+{BEFORE}+a",
        f"ada+A1+{BEFORE}+b",
        f"nobody+A1+{BEFORE}+c",
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


def test_what_is_not_of_the_exchanges_own_form_is_listed_and_never_taken(course, tmp_path):
    """Loose files, folders and zips of a name, links named like a submission, nested folders."""
    me, inbound = getpass.getuser(), tmp_path / "inbound"
    evil = json.dumps(bank.notebook("A1", {"huber": None}))
    draft = tmp_path / "home" / "draft"
    for place in (inbound / me, inbound / f"{me}+A1", draft, inbound / "deep"):
        place.mkdir(parents=True)
        (place / "A1.ipynb").write_text(evil)
    (inbound / f"A1_{me}.ipynb").write_text(evil)
    (inbound / f"{me}+A1+{BEFORE}+file").write_text(evil)
    (inbound / f"{me}+A1+{BEFORE}+link").symlink_to(draft)
    own = inbound / f"{me}+A1+{BEFORE}+own"
    own.mkdir()
    (own / "A1.ipynb").symlink_to(draft / "A1.ipynb")
    here = os.open(inbound / "deep", os.O_RDONLY)
    for _ in range(60):
        os.mkdir("x" * 200, dir_fd=here)
        here, above = os.open("x" * 200, os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    found = [each for each in collect(course, inbound, handed_in=True) if each.place]
    said = {each.place.rpartition("/")[2]: each.state for each in found}
    assert said == {
        me: "not taken",
        f"{me}+A1": "not taken",
        "deep": "not taken",
        f"A1_{me}.ipynb": "not taken",
        f"{me}+A1+{BEFORE}+file": "unreadable",
        f"{me}+A1+{BEFORE}+link": "unreadable",
        f"{me}+A1+{BEFORE}+own": "unreadable",
    }
    assert all(each.problem for each in found) and course.submissions("A1") == []


def test_a_time_that_a_student_sets_makes_nothing_punctual(course, tmp_path):
    me = getpass.getuser()
    place = tmp_path / "inbound" / f"{me}+A1+{BEFORE}+a"
    place.mkdir(parents=True)
    (place / "A1.ipynb").write_text(json.dumps(bank.books("A1")[1]))
    for path in (place / "A1.ipynb", place):
        os.utime(path, (1.5e9, 1.5e9))
    (found,) = [
        each for each in collect(course, place.parent, handed_in=True) if each.student == me
    ]
    assert found.state == "collected, late"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_folder_is_its_owners_as_well_as_the_notebook_in_it(course, tmp_path):
    """A folder of another's with a notebook of one's own in it, and the other way round."""
    me, nobody = getpass.getuser(), 65534
    for kind in ("folder", "notebook"):
        place = tmp_path / "inbound" / f"{me}+A1+{BEFORE}+{kind}"
        place.mkdir(parents=True)
        (place / "A1.ipynb").write_text(json.dumps(bank.books("A1")[1]))
        os.chown(place if kind == "folder" else place / "A1.ipynb", nobody, nobody)
    found = [each for each in collect(course, tmp_path / "inbound", handed_in=True) if each.place]
    assert [each.state for each in found] == ["unreadable"] * 2
    assert all(f"it belongs to nobody, not to {me}" in each.problem for each in found)
