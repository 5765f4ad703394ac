"""Taking in: whose a file is by the names that each LMS writes, when it came, what is listed."""

import json
import os
import tracemalloc
import zipfile

import pytest

from translearn.coursework.instructor import bank, books, folder, inbox
from translearn.coursework.instructor.collect import collect
from translearn.errors import CourseError

TABLE = """id,first_name,last_name,email,lms_id
ada,Ada,Lovelace,ada@x.org,101
alan,Alan,Turing,alan@x.org,102
kurt,Kurt,Gödel,kurt@x.org,103
"""


def class_of(root, table=TABLE):
    """A class in which A1 is out; nothing else of it is needed to collect."""
    course = folder.new(root / "class", "Spring")
    folder.write(course.root / "students.csv", table)
    folder.write(course.released("A1"), "{}")
    return course


@pytest.fixture
def course(tmp_path):
    return class_of(tmp_path)


def book(student="", text=""):
    """A notebook of A1 as it is handed in, quickly."""
    said = {"assignment": "A1"} | ({"student": student} if student else {})
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": text}
    whole = {"cells": [cell], "metadata": {"translearn": said}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole).encode()


def lay(place, files):
    """Files below a folder: {path: bytes}, or a zip for a path that ends so: {…}."""
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, dict):
            with zipfile.ZipFile(place / name, "w", zipfile.ZIP_DEFLATED) as archive:
                for inner, (when, text) in data.items():
                    info = zipfile.ZipInfo(inner, (*when, 12, 0, 0))
                    archive.writestr(info, text, zipfile.ZIP_DEFLATED)
        else:
            (place / name).write_bytes(data)
    return place


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


# ---- the names that each LMS writes

REAL = """id,first_name,last_name,email,lms_id
s1,Sofie,Lind,sofie@x.org,48213
s2,Anna-Lena,Núñez,anna@x.org,48214
abc,Ben,Okri,ben@x.org,7001
abc-2,Bea,Oku,bea@x.org,7002
i1,Иван,Петров,ip@x.org,
i2,Иван,Сидоров,is@x.org,
r1,राम,शर्मा,ram@x.org,
twin1,Kim,Park,kim1@x.org,
twin2,Kim,Park,kim2@x.org,
paul,Paul,Sartre,paul@x.org,
mono,Abc,,mono@x.org,
"""
FILE = "_assignsubmission_file_"
# name → whose it is, or the state in which it is listed
NAMES = {
    # Moodle, flat: the number is a participant's for one assignment, here another's lms_id
    f"Anna-Lena Núñez_48213{FILE}A1_s2.ipynb": "s2",
    f"Anna-Lena Núñez_48214{FILE}A1_s1 (1).ipynb": "two names",
    f"Zoë Quist_48214{FILE}A1_s1.ipynb": "unknown student",
    f"Sofie Lind_3{FILE}homework.ipynb": "s1",
    f"Lind Sofie_3{FILE}A1 (2).ipynb": "s1",
    f"Иван Петров_3{FILE}A1.ipynb": "i1",
    f"Иван Сидоров_4{FILE}A1.ipynb": "i2",
    f"Иван_4{FILE}A1.ipynb": "unknown student",
    f"राम शर्मा_5{FILE}A1.ipynb": "r1",
    f"रम शरम_5{FILE}A1.ipynb": "unknown student",
    f"Abc_6{FILE}A1.ipynb": "mono",  # one's name, and another's id
    f"Kim Park_6{FILE}A1.ipynb": "unknown student",
    f"Jean-Paul Sartre_7{FILE}A1.ipynb": "unknown student",
    f"Ben Okri_8{FILE}Bea Oku_9{FILE}A1.ipynb": "two names",
    # Moodle, a folder each, also as one unpacks it
    f"Sofie Lind_48214{FILE}/A1_s1.ipynb": "s1",
    f"Sofie Lind_48214{FILE}/sub/A1.ipynb": "s1",
    f"Sofie Lind_48214{FILE[:-1]}/A1.ipynb": "s1",
    f"Anna-Lena Nunez_1{FILE}/A1.ipynb": "s2",
    f"Ben Okri_1{FILE}/abc-2/A1.ipynb": "two names",
    f"Ben Okri_1{FILE}/A1_abc-2.ipynb": "two names",
    # Moodle, blind
    f"Participant_48213{FILE}/A1_s1.ipynb": "unknown student",
    f"Participant 48213_48213{FILE}A1_s1.ipynb": "unknown student",
    # Canvas: its number is the user's own
    "okriben_7001_9001_A1.ipynb": "abc",
    "okriben_LATE_7001_9001_A1_abc-1.ipynb": "abc",
    "okriben_7001_9001_A1_abc-2.ipynb": "abc",  # the second time that he handed it in
    "okriben_7002_9001_A1.ipynb": "unknown student",
    "nunezannalena_48214_9_A1_s2-2.ipynb": "s2",
    "_48213_9_A1.ipynb": "unknown student",
    "lindsofie_48213_9_A1_abc.ipynb": "two names",
    "okubea_7002_9002_A1_abc-2.ipynb": "abc-2",
    "strangerzed_99_9_A1_s1.ipynb": "unknown student",
    "anon_tVnpT_5678_A1_s1.ipynb": "unknown student",
    # Blackboard
    "A1_s1_attempt_2027-03-01-09-30-00_A1.ipynb": "s1",
    "Homework_1_abc-2_attempt_2027-03-01-09-30-00_A1_abc-2.ipynb": "abc-2",
    "A1_zed_attempt_2027-03-01-09-30-00_A1_s1.ipynb": "unknown student",
    "A1_s1_attempt_2027-03-01-09-30-00_A1_s2_attempt_2027-01-01-09-30-00_A1.ipynb": "two names",
    "A1_s1_attempt_2027-03-01-09-30-00.txt": "the LMS's",
    # Brightspace
    "12345-67890 - Sofie Lind - Mar 1, 2027 930 AM/A1.ipynb": "s1",
    "12345-67890 - Sofie Lind - 1 March, 2027 115 PM/A1_s2.ipynb": "two names",
    "12345-67890 - Anna-Lena Núñez - Mar 29, 2018 1205 PM - Lind - Homework 6.ipynb": "s2",
    "12345-67890 - Zoë Quist - Mar 1, 2027 930 AM/A1_s1.ipynb": "unknown student",
    # Google Classroom, and what one saved from e-mail
    "Sofie Lind - A1.ipynb": "s1",
    "Sofie Lind - A1_abc.ipynb": "two names",
    "A1_s1.ipynb": "s1",
    "A1_s1 (1).ipynb": "s1",
    "A1_abc-2.ipynb": "abc-2",
    "A1_abc-3.ipynb": "abc",
    "abc_2/A1.ipynb": "unknown student",  # abc's second folder, or that of abc-2
    "a1_SOFIE@x.org.ipynb": "s1",
    "A1 Иван Сидоров.ipynb": "i2",
    "Sofie Lind/A1 (1).ipynb": "s1",
    "homework.ipynb": "unknown student",
}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return class_of(tmp_path_factory.mktemp("real"), REAL)


@pytest.mark.parametrize("packed", [False, True], ids=["unpacked", "as a zip"])
@pytest.mark.parametrize("name", NAMES)
def test_whose_a_file_is(real, tmp_path, name, packed):
    files = {"course-A1-77.zip": {name: ((2027, 3, 1), book())}} if packed else {name: book()}
    (found,) = [each for each in collect(real, lay(tmp_path, files)) if each.place]
    expected = NAMES[name]
    state = found.state.split(",")[0]
    assert (
        found.student == expected
        if state in ("collected", "unchanged", "duplicate")
        else (state == expected)
    ), (found.student, found.state, found.problem)
    assert found.problem or state == "collected"


def test_groups_of_moodle(real, tmp_path):
    """In a group's submission each name begins with the group's, and each member has its file."""
    files = {
        f"Group 1-Sofie Lind_1{FILE}/A1_s1.ipynb": book("s1"),
        f"Group 1-Anna-Lena Núñez_2{FILE}/A1_s1.ipynb": book("s1"),
        f"Team A-B-Ben Okri_3{FILE}/A1_paul.ipynb": book("abc"),
        f"Default group-Kim Park_4{FILE}/A1.ipynb": book(),
    }
    found = {each.parts[0]: each for each in collect(real, lay(tmp_path, files)) if each.place}
    got = {name.partition("_")[0]: each for name, each in found.items()}
    for name, student in (("Group 1-Sofie Lind", "s1"), ("Group 1-Anna-Lena Núñez", "s2")):
        assert got[name].student == student
        assert got[name].state.split(",")[0] in ("collected", "unchanged")
    assert got["Team A-B-Ben Okri"].state == "two names"
    assert got["Default group-Kim Park"].state == "unknown student"


def test_a_notebook_that_says_another_name_is_listed(real, tmp_path):
    files = {"A1_s1.ipynb": book("s2"), f"Ben Okri_1{FILE}/A1.ipynb": book("paul")}
    found = [each for each in collect(real, lay(tmp_path, files)) if each.place]
    assert {each.state for each in found} == {"two names"}


# ---- when it came


def test_dates_inside_a_zip_count_below_a_name_that_an_lms_wrote_and_nowhere_else(tmp_path):
    course = class_of(tmp_path)
    early, none = (2020, 1, 1), (1980, 1, 1)
    files = {
        "undated.zip": {"A1_ada.ipynb": (early, book("ada"))},
        "lms.zip": {f"Alan Turing_5{FILE}/A1.ipynb": (early, book())},
        "blank.zip": {f"Kurt Gödel_5{FILE}/A1.ipynb": (none, book())},
    }
    (course.root / "course.toml").write_text('name = "S"\n[due]\nA1 = 2020-02-01\n')
    course = folder.Course(course.root)
    found = {each.student: each for each in collect(course, lay(tmp_path / "in", files))}
    assert found["ada"].state == "collected, late", "a student packed this zip and dated it"
    assert found["alan"].state == "collected"
    assert found["kurt"].state == "collected, late", "1980 is no date: the zip's own time counts"


@pytest.mark.parametrize(
    "name, when",
    [
        ("A1_ada_attempt_2027-03-01-23-30-05_A1.ipynb", "2027-03-01T23:30:05"),
        ("1-2 - Ada Lovelace - Mar 1, 2027 930 AM/A1.ipynb", "2027-03-01T09:30:00"),
        ("1-2 - Ada Lovelace - 1 March, 2027 115 PM/A1.ipynb", "2027-03-01T13:15:00"),
    ],
)
def test_when_it_came_as_the_name_of_the_lms_says(course, tmp_path, monkeypatch, name, when):
    monkeypatch.setattr("time.time", lambda: 2e9)
    collect(course, lay(tmp_path / "in", {name: book()}))
    stamp = course.submitted("ada", "A1").with_name("timestamp.txt").read_text()
    assert stamp.startswith(when)


# ---- what is made to be stumbled over


def test_folders_inside_each_other_cost_nobody_else(course, tmp_path):
    place = lay(tmp_path / "in", {"A1_ada.ipynb": book(), "z/A1_alan.ipynb": book()})
    here = os.open(place, os.O_RDONLY)
    for _ in range(60):  # too long for one path
        os.mkdir("x" * 200, dir_fd=here)
        inner = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    found = collect(course, place)
    assert {each.student for each in found if each.state == "collected"} == {"ada", "alan"}
    assert any(
        "inside each other" in each.problem or "cannot be read" in each.problem for each in found
    )


def test_a_zip_is_unpacked_one_file_at_a_time_and_not_beyond_what_one_may_send(
    course, tmp_path, monkeypatch
):
    assert inbox.ONE_SENDS == 100 * 2**20  # here a hundredth
    monkeypatch.setattr(inbox, "ONE_SENDS", 2**20)
    large = b" " * 100_000 + os.urandom(600)
    many = {f"A1_{n}.ipynb": ((2027, 3, 1), large) for n in range(45)}
    many |= {f"Ada Lovelace_5{FILE}/{name}": data for name, data in many.items()}
    many |= {f"Alan Turing_6{FILE}/A1.ipynb": ((2027, 3, 1), book())}
    place = lay(tmp_path / "in", {"all.zip": many})
    assert (place / "all.zip").stat().st_size < 130_000
    tracemalloc.start()
    found = collect(course, place)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6, f"{peak / 1e6:.1f} MB of 9 that it holds"
    refused = [each for each in found if "is more than" in each.problem]
    assert len(refused) > 45 - 10 and any(each.student == "" for each in refused)
    assert {each.student for each in found if each.state == "collected"} == {"alan"}


def test_a_file_that_changes_or_goes_while_it_is_collected_is_listed(
    course, tmp_path, monkeypatch
):
    from translearn.coursework.instructor import collect as module

    place = lay(tmp_path / "in", {"A1_ada.ipynb": book(), "A1_alan.ipynb": book()})
    newest = module._newest

    def later(*those):
        (place / "A1_ada.ipynb").unlink(missing_ok=True)
        (place / "A1_alan.ipynb").write_bytes(book(text="another"))
        newest(*those)

    monkeypatch.setattr(module, "_newest", later)
    found = {each.student: each for each in collect(course, place) if each.place}
    assert found["ada"].state == "unreadable" and "gone" in found["ada"].problem
    assert found["alan"].state == "unreadable" and "changed just now" in found["alan"].problem
    assert course.submissions("A1") == []


def test_a_folder_of_the_exchange_among_downloads_is_listed(course, tmp_path):
    name = "ada+A1+2027-03-01 00:00:00.000000 UTC+x"
    found = collect(course, lay(tmp_path / "in", {f"{name}/A1.ipynb": book()}))
    assert [each.state for each in found if each.place] == ["not taken"]
    assert course.submissions("A1") == []
