"""Taking in: whose a file is by the names that each LMS writes, when it came, and what is listed."""

import json
import os
import zipfile

import pytest

from translearn.coursework.instructor import bank, books, folder
from translearn.coursework.instructor.collect import collect
from translearn.errors import CourseError


def test_collecting_as_moodle_canvas_and_mail_name_files(course, tmp_path):
    perfect, other = (
        json.dumps(bank.books("A1")[1]).encode(),
        json.dumps(bank.notebook("A1", {"huber": None})).encode(),
    )
    inbox = tmp_path / "inbox"
    (inbox / "ada").mkdir(parents=True)
    (inbox / "ada" / "A1.ipynb").write_bytes(perfect)
    with zipfile.ZipFile(inbox / "moodle.zip", "w") as archive:
        archive.writestr("Alan Turing_48213_assignsubmission_file_/A1.ipynb", perfect)
        archive.writestr("Nobody Known_48299_assignsubmission_file_/A1.ipynb", perfect)
        archive.writestr("__MACOSX/._A1.ipynb", b"x")
    (inbox / "godelkurt_LATE_103_9998_A1_kurt.ipynb").write_bytes(perfect)
    (inbox / "godelkurt_LATE_103_9999_A1_kurt-2.ipynb").write_bytes(other)
    (inbox / "A1_alan (1).pdf").write_bytes(b"%PDF")
    (inbox / "broken.zip").write_bytes(b"PK nonsense")
    found = {(each.student, each.state.split(",")[0]): each for each in collect(course, inbox)}
    assert {
        ("ada", "collected"),
        ("alan", "collected"),
        ("kurt", "collected"),
        ("kurt", "older"),
        ("alan", "not a notebook"),
        ("", "unknown student"),
    } <= set(found)
    assert (
        course.submitted("kurt", "A1").read_bytes() == other
        and "late" in found["kurt", "collected"].state
    )
    assert any("not a whole zip" in each.problem for each in found.values())
    assert all(each.problem for (_, state), each in found.items() if state != "collected")
    again = {(each.student, each.state.split(",")[0]) for each in collect(course, inbox)}
    assert ("ada", "unchanged") in again
    # A newer file takes the place of an older one, which is kept; one that cannot be read does
    # not.
    (inbox / "ada" / "A1.ipynb").write_bytes(other)
    collect(course, inbox)
    assert (
        course.submitted("ada", "A1").read_bytes() == other
        and len(list((course.submitted("ada", "A1").parent / "earlier").iterdir())) == 1
    )
    (inbox / "ada" / "A1.ipynb").write_bytes(b"{ cut off")
    assert ("ada", "unreadable") in {
        (each.student, each.state.split(",")[0]) for each in collect(course, inbox)
    }
    assert course.submitted("ada", "A1").read_bytes() == other
    with pytest.raises(CourseError, match="There is no"):
        collect(course, tmp_path / "nowhere")


def test_the_outermost_name_says_whose_a_file_is(course, tmp_path):
    """What stands inside was written by a student, who might like to hand in for somebody else."""
    evil = json.dumps(bank.notebook("A1", {"huber": None})).encode()
    inbox = tmp_path / "inbox"
    moodle = inbox / "Ada Lovelace_48213_assignsubmission_file_"
    stranger = inbox / "Zed Unknown_48299_assignsubmission_file_"
    for path in (
        moodle / "alan" / "A1-99.ipynb",
        moodle / "x_102_1_A1-99.ipynb",
        stranger / "alan" / "A1.ipynb",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(evil)
    for name in ("Ada Lovelace_48213_assignsubmission_file_/A1.zip", "lovelaceada_101_9_A1.zip"):
        with zipfile.ZipFile(inbox / name, "w") as archive:
            archive.writestr(zipfile.ZipInfo("alan/A1-99.ipynb", (2030, 1, 1, 0, 0, 0)), evil)
    found = [each for each in collect(course, inbox) if each.place]
    states = sorted((each.student, each.state) for each in found)
    assert states == [
        ("", "unknown student"),
        ("ada", "collected"),
        ("ada", "two names"),
        ("ada", "two names"),
        ("ada", "two names"),
    ]
    assert course.submissions("A1") == ["ada"], (
        "a name that looks like Canvas's, inside, says nothing"
    )
    # The instructor looked, and decides.
    alone = collect(course, moodle / "alan", student="alan")
    assert [each.state for each in alone if each.place] == ["collected"] and course.submissions(
        "A1"
    ) == ["ada", "alan"]
    with pytest.raises(CourseError, match="There is no zed"):
        collect(course, moodle, student="zed")


def test_a_students_zip_cannot_be_dated_back(course, tmp_path):
    (course.root / "course.toml").write_text('name = "Spring"\n[due]\nA1 = 2020-01-01\n')
    course = folder.Course(course.root)
    (tmp_path / "in").mkdir()
    perfect = json.dumps(bank.books("A1")[1]).encode()
    with zipfile.ZipFile(tmp_path / "in" / "A1_ada.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("A1.ipynb", (1980, 1, 1, 0, 0, 0)), perfect)
    with zipfile.ZipFile(
        tmp_path / "in" / "from_the_lms.zip", "w"
    ) as archive:  # here the dates are the LMS's
        archive.writestr(
            zipfile.ZipInfo(
                "Alan Turing_1_assignsubmission_file_/A1.ipynb", (2020, 1, 1, 23, 59, 0)
            ),
            perfect,
        )
    found = {each.student: each.state for each in collect(course, tmp_path / "in")}
    assert found["ada"] == "collected, late" and found["alan"] == "collected"


def test_files_made_to_be_stumbled_over_cost_nobody_else(course, tmp_path):
    perfect = bank.books("A1")[1]
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with zipfile.ZipFile(inbox / "odd.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (
            ".",
            "../../A1_ada.ipynb",
            "/etc/A1_ada.ipynb",
            "x" * 300,
            " " * 20_000 + "(1)",
            "\x1b[2JA1_alan.ipynb",
        ):
            archive.writestr(name, b"{}")
        archive.writestr("A1_alan.ipynb", b" " * 15_000_000)
    damaged = bytearray((inbox / "odd.zip").read_bytes())
    at = damaged.index(b"A1_ada.ipynb") + 12
    damaged[at : at + 3] = b"\xff\xff\xff"
    (inbox / "damaged.zip").write_bytes(damaged)
    (inbox / os.fsdecode(b"A1_\xff.ipynb")).write_bytes(
        json.dumps(
            perfect | {"metadata": {"translearn": {"assignment": "A1", "student": "\ud800bob"}}}
        ).encode()
    )
    (inbox / "A1_kurt.ipynb").write_text(json.dumps(perfect))
    found = collect(course, inbox)
    assert {each.student for each in found if each.state == "collected"} == {"kurt"}
    assert any("far more than it should" in each.problem for each in found)
    said = "".join(each.place + each.problem for each in found)
    assert said.isprintable() and said.encode("utf-8")
    assert not (tmp_path / "A1_ada.ipynb").exists()


def test_a_table_with_semicolons_is_read_and_one_without_ids_is_not(course):
    (course.root / "students.csv").write_text("\ufeffid;first_name\nada;Ada\n", encoding="utf-8")
    assert list(course.students()) == ["ada"]
    (course.root / "students.csv").write_text("name,mail\nada,x\n")
    with pytest.raises(CourseError, match="no column id"):
        course.students()


def test_who_is_missing_and_who_is_late_is_said(course, tmp_path):
    (course.root / "course.toml").write_text('name = "Spring"\n[due]\nA1 = 2020-01-01T00:00:00\n')
    course = folder.Course(course.root)
    (tmp_path / "A1_ada.ipynb").write_text(json.dumps(bank.books("A1")[1]))
    found = {each.student: each for each in collect(course, tmp_path / "A1_ada.ipynb")}
    assert found["ada"].state == "collected, late" and "days late" in found["ada"].problem
    assert found["kurt"].state == found["alan"].state == "missing"
    assert books.late(course, "ada", "A1").endswith("days")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_is_not_followed(course, tmp_path):
    """A student's zip, unpacked by hand, can hold a link to a file that only the instructor may
    read.
    """
    (tmp_path / "secret.ipynb").write_text(json.dumps(bank.books("A1")[1]))
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "A1_ada.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (tmp_path / "inbox" / "alan").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "inbox" / "A1_kurt.ipynb")
    found = collect(course, tmp_path / "inbox")
    assert {each.student for each in found if "it is a link to another place" in each.problem} == {
        "ada",
        "alan",
    }
    assert (
        not course.submitted("ada", "A1").exists() and not course.submitted("alan", "A1").exists()
    )
