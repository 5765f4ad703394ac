"""The books and the tables: rosters as an LMS exports them, marks as spreadsheets read them, and
sentences where a disk, a lock or a folder is in the way.
"""

import csv
import errno
import os
import shutil
import sqlite3

import pytest

from translearn.coursework.instructor import __main__ as command
from translearn.coursework.instructor import books, folder, tables, walls
from translearn.coursework.instructor.collect import collect
from translearn.coursework.instructor.commands import status
from translearn.errors import CourseError

# ---- rosters

ADA = dict(id="ada", first_name="Ada", last_name="Lovelace", email="", lms_id="", group="")
MAIL = {"email": "ada@x.org"}
ROSTERS = {
    "our own": ("id,first_name,last_name,email,lms_id\nada,Ada,Lovelace,ada@x.org,\n", MAIL),
    "a spreadsheet's": ("\ufeffID;First name;Last name\nada;Ada;Lovelace\n;;\n", {}),
    "Moodle's participants": (
        '\ufeff"First name","Last name","ID number","Email address",Groups\n'
        'Ada,Lovelace,1815,ada@x.org,"A, B"\n',
        MAIL | {"id": "1815"},
    ),
    "Moodle's, nobody has a number": (
        '"First name",Surname,"ID number","Email address"\nAda,Lovelace,,ada@x.org\n',
        MAIL | {"id": "ada@x.org"},
    ),
    "Moodle's, with user names": (
        "First name,Last name,Username,ID number,Email address\nAda,Lovelace,ada,1815,ada@x.org\n",
        MAIL,
    ),
    "Moodle's grades": (
        'First name,Last name,ID number,Institution,Department,Email address,"Assignment: A1 '
        '(Real)",Last downloaded from this course\nAda,Lovelace,ada,,,ada@x.org,-,1800000000\n',
        MAIL,
    ),
    "Canvas's grades": (
        "Student,ID,SIS User ID,SIS Login ID,Section,A1 (12)\n,,,,,Manual Posting\n"
        '    Points Possible,,,,,37.00\n"Lovelace, Ada",101,u1,ada,"Autumn, 1",\n'
        '"Student, Test",9,,0f3a,"Autumn, 1",\n',
        {"lms_id": "101"},
    ),
    "Canvas's, without logins": (
        'Student,ID,Section\n"Lovelace, Ada",101,Autumn\n',
        {"id": "101", "lms_id": "101"},
    ),
    "Blackboard's": (
        '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Availability"\n'
        '"Lovelace"\t"Ada"\t"ada"\t"77"\t"Yes"\n',
        {},
    ),
    "Brightspace's": (
        "OrgDefinedId,Username,Last Name,First Name,Email,A1 Points Grade <Numeric MaxPoints:37>,"
        "End-of-Line Indicator\n#77,#ada,Lovelace,Ada,ada@x.org,,#\n",
        MAIL,
    ),
}


@pytest.mark.parametrize("name", ROSTERS)
def test_a_roster_is_read_as_it_was_exported(tmp_path, name):
    text, expected = ROSTERS[name]
    course = folder.new(tmp_path / "class")
    code = "utf-16" if name == "Blackboard's" else "utf-8"
    (course.root / "students.csv").write_bytes(text.replace("\n", "\r\n").encode(code))
    (student,) = course.students().values()
    assert vars(student) == ADA | expected


@pytest.mark.parametrize(
    "data, said",
    [
        (b"", "no column id"),
        (b"name,mail\nada,x\n", "no column id"),
        (b"id\n\xff\n", "cannot be read"),
        (b"id,email\n,ada@x.org\n", "line 2: '' is no id"),
        (b'id,first_name\nada,"A\nda"\nada,x\n', "line 4: the id ada stands there twice"),
    ],
)
def test_a_table_that_is_no_roster_says_so(tmp_path, data, said):
    course = folder.new(tmp_path / "class")
    (course.root / "students.csv").write_bytes(data)
    with pytest.raises(CourseError, match=said):
        course.students()


# ---- places, locks and disks


@pytest.mark.parametrize("inside", ["", "class", "class/deeper"])
def test_a_class_cannot_be_where_submissions_read(tmp_path, monkeypatch, inside):
    assert str(folder.paths.DATA) in walls.readable()
    monkeypatch.setattr(folder.paths, "DATA", tmp_path / "data")
    (tmp_path / "data").mkdir()
    place = tmp_path / "data" / inside
    with pytest.raises(CourseError, match="can read"):
        folder.new(place)
    assert not (place / "course.toml").exists()
    course = folder.new(tmp_path / "class")
    shutil.copytree(course.root, place, dirs_exist_ok=True)
    with pytest.raises(CourseError, match="can read"):
        folder.Course(place)


def test_books_that_another_program_holds(course):
    course.gradebook += "?timeout=0.05"
    other = sqlite3.connect(course.root / "gradebook.db")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CourseError, match="in use by another program"):
        books.marks(course, "A1")
    other.rollback()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CourseError, match="in use by another program"):
        with books.gradebook(course) as book:
            book.add_student("zed")
    other.close()
    assert len(books.marks(course, "A1")) == 3


@pytest.mark.parametrize(
    "said, sentence",
    [
        ("database or disk is full", "is full"),
        ("attempt to write a readonly database", "cannot be opened for writing"),
        ("unable to open database file", "cannot be opened for writing"),
        ("database disk image is malformed", "Put it back from your backup"),
    ],
)
def test_what_the_books_say_is_said_in_a_sentence(course, said, sentence):
    from sqlalchemy.exc import OperationalError

    with pytest.raises(CourseError, match=sentence), books.gradebook(course):
        raise OperationalError("SELECT", {}, sqlite3.OperationalError(said))


def test_a_second_grading_of_the_class_waits(course, capsys):
    with folder.alone(course):
        assert command.main(["--course", str(course.root), "grade", "A1"]) == 1
    assert "being graded already" in capsys.readouterr().err
    with folder.alone(course):
        pass


def test_a_folder_that_is_gone(course, tmp_path, capsys):
    shutil.rmtree(course.root)
    for ask in (
        lambda: books.marks(course, "A1"),
        lambda: collect(course, tmp_path),
        course.students,
        lambda: folder.Course(course.root),
    ):
        with pytest.raises(CourseError, match="not there any more|cannot be read|not the folder"):
            ask()
    assert not course.root.exists(), "nor is half of it made anew"
    assert command.main(["--course", str(course.root), "status"]) == 1
    assert "not the folder of a class" in capsys.readouterr().err


@pytest.mark.parametrize(
    "number, said",
    [
        (errno.ENOSPC, "The disk is full (here): make room"),
        (errno.ENOENT, "not there any more (here)"),
        (errno.EACCES, "You may not read or write there (here)"),
        (errno.EIO, "did not take it"),
    ],
)
def test_trouble_with_the_disk_is_one_sentence(course, monkeypatch, capsys, number, said):
    def fail(*_):
        raise OSError(number, os.strerror(number), "here")

    monkeypatch.setattr(status, "run", fail)
    assert command.main(["--course", str(course.root), "status"]) == 1
    text = capsys.readouterr().err
    assert said in text and "run the same command again" in text and "Traceback" not in text


# ---- tables


@pytest.mark.parametrize(
    "typed, written",
    [
        ("=1+1", "'=1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3", "'-2+3"),
        (" \t=1", "'=1"),
        ("\r=1", "'=1"),
        ("＝1+1", "'＝1+1"),
        ("a;=1", "a;'=1"),
        ("a\t+1", "a '+1"),
        ("a|=1", "a|'=1"),
        ('a",=1', "a\",'=1"),
        ("a\n=1", "a '=1"),
        ("A1_ada;=HYPERLINK(1).ipynb", "A1_ada;'=HYPERLINK(1).ipynb"),
        ("ada@x.org", "ada@x.org"),
        ("A1-2 (a+b)", "A1-2 (a+b)"),
        ("-", "-"),
        (-1.5, -1.5),
        (None, None),
    ],
)
def test_no_cell_is_a_formula_whatever_separates(typed, written):
    assert tables.tame(typed) == written


def test_a_table_in_a_file(tmp_path):
    rows = [{"file": "A;=1", "points": None, "of": 37}, {"file": "b,c", "points": -1.5, "of": 37}]
    tables.save(tmp_path / "t.csv", rows, ["file", "of", "points", "of"])
    text = (tmp_path / "t.csv").read_text()
    assert text == 'file,of,points\nA;\'=1,37,\n"b,c",37,-1.5\n'


def test_what_a_student_typed_into_a_name_is_no_formula_in_collected_csv(course, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x;=cmd() A1.ipynb").write_text("{}")
    command.main(["--course", str(course.root), "collect", str(tmp_path / "in")])
    assert "x;'=cmd() A1.ipynb" in (course.root / "collected.csv").read_text()


def test_nbgraders_own_export_leaves_empty_what_nobody_graded(course):
    """ada is graded, alan handed in and is not, kurt handed in nothing."""
    from nbgrader.plugins import ExportPlugin
    from traitlets import import_item
    from traitlets.config.loader import PyFileConfigLoader

    with books.gradebook(course) as book:
        for student in ("ada", "alan"):
            book.update_or_create_submission("A1", student)
        for grade in book.find_submission("A1", "ada").notebooks[0].grades:
            grade.auto_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()
        count = len(book.find_submission("A1", "ada").notebooks[0].grades)
    config = PyFileConfigLoader("nbgrader_config.py", str(course.root)).load_config()
    export = import_item(config.ExportApp.plugin_class)
    assert issubclass(export, ExportPlugin)
    with books.gradebook(course) as book:
        export(to=str(course.root / "grades.csv")).export(book)
    with open(course.root / "grades.csv", newline="") as file:
        scores = {
            row["student_id"]: (row["score"], row["max_score"]) for row in csv.DictReader(file)
        }
    assert scores == {"ada": (f"{count}.0", "37.0"), "alan": ("", "37.0"), "kurt": ("", "37.0")}
