"""Marks in the files that Canvas and Moodle import, feedback as Moodle takes it, and code as
JPlag, MOSS and Dolos read it.
"""

import csv
import io
import json
import zipfile

import pytest
from graded import graded, settings

from translearn.coursework.instructor import __main__ as command
from translearn.coursework.instructor import canvas, folder, moodle, names, plagiarism
from translearn.coursework.instructor.collect import collect
from translearn.coursework.instructor.feedback import write_pages
from translearn.errors import CourseError

# As Canvas exports it: a line on hidden assignments, one with the points, the student that it
# makes for trying things out, sums that are read only, a name with a comma.
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,A1: Losses (88),A10 (99),Current Score\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,,37.00,10.00,(read only)\r\n"
    '"Lovelace, Ada",101,u-1,ada,"Autumn, 1 and Autumn, 2",=1+1,,,\r\n'
    '"Turing, Alan",102,u-2,alan,Autumn,"a ""quoted"" note",12.50,7.00,33.8\r\n'
    '"Gödel, Kurt",103,u-3,kurt,Autumn,,N/A,,\r\n'
    '"Noether, Emmy",104,u-4,emmy,Autumn,,,,\r\n'
    '"Student, Test",9,,0f3a,Autumn,,,,\r\n'
)


def _table(path, code="utf-8", separator=","):
    text = path.read_bytes().decode(code)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def _filled(course, lms, text, name="exported.csv", wanted=("A1",), scale=False):
    path = course.root.parent / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = path.read_bytes()
    done = lms.fill(course, path, list(wanted), scale)
    assert path.read_bytes() == before, "what the LMS exported stays as it is"
    return done


def _changed(before, after):
    """{(row, column): text} of the cells that are not as they were."""
    assert [len(row) for row in before] == [len(row) for row in after]
    return {
        (n, at): new
        for n, (old_row, new_row) in enumerate(zip(before, after))
        for at, (old, new) in enumerate(zip(old_row, new_row))
        if old != new
    }


def test_canvas_gets_its_own_gradebook_back(course):
    graded(course, "ada", 30.5)
    graded(course, "kurt", 20)
    done = _filled(course, canvas, CANVAS)
    before = list(csv.reader(io.StringIO(CANVAS)))
    assert _changed(before, _table(done.path)) == {(3, 6): "30.5"}
    assert done.path.name == "canvas_import.csv" and b"\r\n" in done.path.read_bytes()
    told = done.told()
    assert "A1: 1 marks filled in" in told
    assert "no file was collected, and '12.50' stays in its cell: alan" in told
    assert "in Canvas it is not assigned to them, and 'N/A' stays in its cell: kurt" in told
    assert "left as it was, nobody in students.csv has its numbers" in told
    assert "Noether, Emmy" in told and "Test" not in told


@pytest.mark.parametrize(
    "text, code, separator",
    [
        ("\ufeff" + CANVAS, "utf-8-sig", ","),
        (CANVAS.replace("Student,ID", "LastName,FirstName,ID", 1), "utf-8", ","),
        (CANVAS.replace(",37.00", ',"37,00"'), "utf-8", ","),
        (CANVAS.replace("SIS User ID,", "", 1), "utf-8", ","),
    ],
)
def test_canvas_in_other_dress(course, text, code, separator):
    """A byte-order mark, names in two columns, a comma in numbers, no SIS."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    if "LastName" in text:
        rows = [rows[0]] + [[*row[0].partition(", ")[::2], *row[1:]] for row in rows[1:]]
    if "SIS User ID" not in text:
        rows = [rows[0]] + [row[:2] + row[3:] for row in rows[1:]]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    graded(course, "ada", 30.5)
    done = _filled(course, canvas, out.getvalue().encode(code))
    at = rows[0].index("A1: Losses (88)")
    assert _changed(rows, _table(done.path, code)) == {(3, at): "30.5"}
    assert done.path.read_bytes().startswith(b"\xef\xbb\xbf") == (code == "utf-8-sig")


def test_canvas_with_semicolons_stays_with_semicolons(course):
    rows = list(csv.reader(io.StringIO(CANVAS)))
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    graded(course, "ada", 30.5)
    done = _filled(course, canvas, out.getvalue())
    assert _changed(rows, _table(done.path, separator=";")) == {(3, 6): "30.5"}


def test_canvas_hears_who_is_excused(course):
    course = settings(course, "", "id,assignment,until\nada,A1,exempt\n")
    graded(course, "ada", 30)
    done = _filled(course, canvas, CANVAS)
    assert _table(done.path)[3][6] == "EX"
    excused = CANVAS.replace("=1+1,,", "=1+1,EX,")
    course = settings(course, "", "id,assignment,until\n")
    assert _table(_filled(course, canvas, excused).path)[3][6] == "EX", "Canvas's decision stays"


def test_an_empty_mark_is_an_empty_cell_and_zero_is_zero(course):
    graded(course, "ada", 30, marked=False)
    graded(course, "alan", 0)
    done = _filled(course, canvas, CANVAS)
    table = _table(done.path)
    assert (table[3][6], table[4][6]) == ("", "0")
    assert "waiting for a person" in done.told()


def test_a_late_mark_goes_to_canvas_after_its_deduction(course):
    toml = '[due]\nA1 = 2027-02-28T12:00:00\n[late]\npolicy = "percent"\npercent_a_day = 10\n'
    course = settings(course, toml)
    graded(course, "ada", 30)
    assert _table(_filled(course, canvas, CANVAS).path)[3][6] == "26.3"


def test_another_scale_is_refused_or_asked_for(course):
    graded(course, "ada", 18.5)
    hundred = CANVAS.replace("37.00", "100.00")
    with pytest.raises(CourseError, match="37 points here and out of 100 in Canvas"):
        _filled(course, canvas, hundred)
    done = _filled(course, canvas, hundred, scale=True)
    assert _table(done.path)[3][6] == "50" and "scaled from 37 to 100" in done.told()


def test_rows_that_say_two_things_get_no_mark(course):
    for student in ("ada", "alan", "kurt"):
        graded(course, student, 30)
    two = CANVAS.replace("101,u-1,ada", "101,u-1,alan").replace(
        '"Noether, Emmy",104,u-4,emmy', '"Turing, Alan",102,u-2,alan'
    )
    done = _filled(course, canvas, two)
    assert _changed(list(csv.reader(io.StringIO(two))), _table(done.path)) == {}
    told = done.told()
    assert "its columns say ada and alan: Lovelace, Ada" in told
    assert "alan has two rows: Turing, Alan, Turing, Alan" in told
    assert "A1, a mark and no row in that table: ada, alan" in told


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "no gradebook of Canvas"),
        ("id,first_name\nada,Ada\n", "no gradebook of Canvas"),
        (CANVAS.replace("A1: Losses (88)", "A1: Losses"), "has no column for A1"),
        (CANVAS.replace("A1: Losses (88)", "B1 (88)"), "has no column for A1"),
        (CANVAS.replace("A10 (99)", "A1 again (99)"), "several columns for A1"),
        (b"PK\x03\x04\xff", "is a workbook"),
        (CANVAS.encode("cp1252"), "another coding"),
    ],
)
def test_what_is_no_gradebook_is_refused(course, text, said):
    graded(course, "ada", 30)
    with pytest.raises(CourseError, match=said):
        _filled(course, canvas, text)
    assert not (course.root / "canvas_import.csv").exists()


def test_the_exact_title_is_chosen_of_two(course):
    graded(course, "ada", 30)
    text = CANVAS.replace("A1: Losses (88)", "A1 (88)").replace("A10 (99)", "A1 again (99)")
    assert _table(_filled(course, canvas, text).path)[3][6] == "30"


def test_the_import_file_is_never_the_exported_one(course):
    graded(course, "ada", 30)
    own = course.root / "canvas_import.csv"
    own.write_text(CANVAS)
    with pytest.raises(CourseError, match="under its own name"):
        canvas.fill(course, own, ["A1"])
    with pytest.raises(CourseError, match="cannot be read"):
        canvas.fill(course, course.root / "none.csv", ["A1"])


# ---- Moodle

WORKSHEET = (
    '\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be '
    'changed","Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 48213","Ada Lovelace",ada@x.org,"Submitted for grading",,37.00,Yes,'
    '"Monday, 1 March 2027, 9:30 PM",-,"<p>one,\ntwo</p>"\n'
    '"Participant 48214","Alan Turing",,"Submitted for grading",12.00,37.00,Yes,-,-,\n'
    '"Participant 48215","Kurt Gödel",KURT@x.org,"No submission",,37.00,No,-,-,\n'
    '"Participant 48216","Ada Lovelace",other@x.org,"No submission",,37.00,Yes,-,-,\n'
)
SHEET = "Grades-DL 2027-A1 Losses-293.csv"


def _download(course, people, place="downloads"):
    """What Moodle's *Download all submissions* unpacks to; collected."""
    for name, student in people.items():
        path = course.root / place / name / "A1.ipynb"
        book = course.submitted(student, "A1").read_bytes() + b" "
        folder.write(path, book)
    return collect(course, course.root / place, "A1")


def test_moodles_worksheet_is_filled(course):
    graded(course, "ada", 30.5)
    graded(course, "kurt", 20)
    done = _filled(course, moodle, WORKSHEET, SHEET)
    before = list(csv.reader(io.StringIO(WORKSHEET.removeprefix("\ufeff"))))
    after = _table(done.path, "utf-8-sig")
    assert _changed(before, after) == {(1, 4): "30.5"}
    assert after[1][9] == "<p>one,\ntwo</p>"
    assert done.path.name == "moodle_A1_import.csv"
    told = done.told()
    assert "Moodle has the grade locked: kurt" in told
    assert "Participant 48214 Alan Turing" in told, "he has no address there, and sent nothing"
    assert "Participant 48216 Ada Lovelace other@x.org" in told, "a name alone is not enough"


def test_a_participants_number_is_kept_and_known_again(course):
    graded(course, "ada", 30)
    graded(course, "alan", 20)
    _download(
        course,
        {
            "Ada Lovelace_48213_assignsubmission_file_": "ada",
            "Alan Turing_48214_assignsubmission_file": "alan",
        },
    )
    assert moodle.participants(course, "A1") == {"48213": "ada", "48214": "alan"}
    graded(course, "ada", 30)
    graded(course, "alan", 20)
    done = _filled(course, moodle, WORKSHEET, SHEET)
    assert done.filled == {"A1": ["ada", "alan"]}
    other = WORKSHEET.replace("48214", "48299").replace("48213", "48214")
    done = _filled(course, moodle, other, SHEET)
    assert done.filled == {"A1": []} and "its columns say ada and alan" in done.told()


def test_a_number_is_not_kept_of_a_file_that_lay_in_anothers_name(course):
    path = course.root / "downloads" / "Alan Turing_48214_assignsubmission_file_" / "A1_ada.ipynb"
    graded(course, "ada", 30)
    folder.write(path, course.submitted("ada", "A1").read_bytes() + b" ")
    collect(course, path.parent.parent, "A1", student="ada")
    assert moodle.participants(course, "A1") == {}


def test_each_member_of_a_group_keeps_a_number(course):
    """Moodle's download has the group's file once for each member."""
    people = "id,first_name,last_name,email,group\nada,Ada,Lovelace,ada@x.org,1\n"
    folder.write(
        course.root / "students.csv", people + "alan,Alan,Turing,,1\nkurt,Kurt,Gödel,,2\n"
    )
    toml = (course.root / "course.toml").read_text()
    (course.root / "course.toml").write_text(f'groups = ["A1"]\n{toml}')
    course = folder.Course(course.root)
    book = course.released("A1").read_bytes()
    for who, number in (("Ada Lovelace", 48213), ("Alan Turing", 48214)):
        name = f"Group 1-{who}_{number}_assignsubmission_file_"
        folder.write(course.root / "downloads" / name / "A1.ipynb", book)
    collect(course, course.root / "downloads", "A1")
    assert course.submissions("A1") == ["ada", "alan"]
    assert moodle.participants(course, "A1") == {"48213": "ada", "48214": "alan"}


@pytest.mark.parametrize(
    "text, name, wanted, said",
    [
        ("", SHEET, ["A1"], "is empty"),
        ("Kennung,Bewertung\n1,2\n", SHEET, ["A1"], "nothing that Moodle exports in English"),
        (WORKSHEET.replace(",Grade,", ",Mark,"), SHEET, ["A1"], "no column Grade"),
        (WORKSHEET, SHEET, ["A1", "A2"], "is one assignment's"),
        (WORKSHEET, "Grades-DL 2027-A2 Pretrain-293.csv", ["A1"], "worksheet of A2, not of A1"),
        (WORKSHEET.replace("37.00", "30.00"), SHEET, ["A1"], "out of 30 in Moodle"),
    ],
)
def test_a_worksheet_that_does_not_fit_is_refused(course, text, name, wanted, said):
    with pytest.raises(CourseError, match=said):
        _filled(course, moodle, text, name, wanted)


GRADES = (
    '"First name","Last name","ID number",Institution,Department,"Email address",'
    '"Assignment: A1 Losses (Real)","Assignment: A1 Losses (Feedback)","Course total (Real)",'
    '"Last downloaded from this course"\n'
    "Ada,Lovelace,ada,,,,-,,-,1800000000\n"
    'Alan,"Turing, Sr",7,"=1+1",,alan@x.org,-,,-,1800000000\n'
    "Kurt,Gödel,,,,kurt@x.org,15.00,,-,1800000000\n"
    "Emmy,Noether,8,,,emmy@x.org,-,,-,1800000000\n"
)


def test_moodles_grades_are_filled_by_number_and_address(course):
    graded(course, "ada", 30)
    graded(course, "alan", 20.25)
    done = _filled(course, moodle, GRADES)
    before = list(csv.reader(io.StringIO(GRADES)))
    assert _changed(before, _table(done.path)) == {(1, 6): "30", (2, 6): "20.25"}
    assert "'15.00' stays in its cell: kurt" in done.told() and "Emmy" in done.told()


def test_a_list_of_participants_gets_a_column(course):
    graded(course, "ada", 30)
    people = "Username;First name;Email address\nada;Ada;\nalan;Alan;alan@x.org\n"
    done = _filled(course, moodle, people)
    assert _table(done.path, separator=";") == [
        ["Username", "First name", "Email address", "A1"],
        ["ada", "Ada", "", "30"],
        ["alan", "Alan", "alan@x.org", ""],
    ]
    assert "a column was added, 37 points" in done.told()


def test_the_commands_say_what_they_did(course, capsys):
    graded(course, "ada", 30)
    path = course.root.parent / SHEET
    path.write_text(WORKSHEET, encoding="utf-8")
    (course.root.parent / "canvas.csv").write_text(CANVAS)
    marks = ["--course", str(course.root), "marks", "A1", "--moodle", str(path)]
    assert command.main([*marks, "--canvas", str(course.root.parent / "canvas.csv")]) == 0
    told = capsys.readouterr().out
    assert "moodle_A1_import.csv:\n  A1: 1 marks filled in" in told
    assert "canvas_import.csv:\n  A1: 1 marks filled in" in told
    assert command.main([*marks[:-1], str(path) + "x"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_feedback_is_packed_as_moodle_takes_it(course, capsys):
    graded(course, "ada", 30)
    graded(course, "alan", 20)
    graded(course, "kurt", 20)
    _download(
        course,
        {
            "Ada Lovelace_48213_assignsubmission_file_": "ada",
            "Team_1-Alan Turing_48214_assignsubmission_file_": "alan",
        },
    )
    folder.write(
        course.submitted("alan", "A1").with_name(moodle.SENDER),
        "Team_1-Alan Turing_48214_assignsubmission_file_\n",
    )
    write_pages(course, "A1")
    assert command.main(["--course", str(course.root), "feedback", "A1", "--moodle"]) == 0
    told = capsys.readouterr().out
    assert "2 pages for Moodle" in told and "kurt: not in it, Moodle's number" in told
    with zipfile.ZipFile(course.root / "moodle_feedback_A1.zip") as archive:
        inside = archive.namelist()
        page = archive.read(inside[0]).decode()
    assert inside == [
        "Ada Lovelace_48213_assignsubmission_file_A1_feedback.html",
        "Team 1-Alan Turing_48214_assignsubmission_file_A1_feedback.html",
    ]
    for name in inside:  # as Moodle takes it apart: name, number, kind, kind, the file's name
        parts = name.split("_", 4)
        assert parts[1].isdigit() and parts[2:] == ["assignsubmission", "file", "A1_feedback.html"]
    assert "Ada Lovelace" in page and page.startswith("<!doctype html>")
    (course.submitted("kurt", "A1").with_name(moodle.SENDER)).write_text(
        "Kurt Gödel_48213_assignsubmission_file_\n"
    )
    _, done, without = moodle.feedback(course, "A1")
    assert done == ["alan"] and "ada and kurt have one number" in without["kurt"]
    assert without["ada"] == without["kurt"]


def test_moodles_number_is_read_from_its_names():
    assert names.sign("Ada Lovelace_48213_assignsubmission_file_A1").number == "48213"
    assert names.sign("Ada Lovelace_48213_assignsubmission_file").number == "48213"


# ---- plagiarism tools


def _cell(source, kind="code"):
    return {"cell_type": kind, "source": source, "metadata": {}, "id": None, "outputs": []}


@pytest.fixture
def sent(course):
    """A function: hand in what was released, with these cells behind it."""

    def sent(student, *sources):
        book = json.loads(course.released("A1").read_text(encoding="utf-8"))
        book["cells"] += [_cell(source) for source in sources] + [_cell("My prose", "markdown")]
        folder.write(course.submitted(student, "A1"), json.dumps(book).encode())

    return sent


def test_code_stands_apart_from_what_was_released(course, sent, capsys):
    sent("ada", "def huber(x):\n    return x", "text = (\n'%s'\n% 3)")
    sent("alan", "%%bash\nls", "if True:\n    %time x = 1\nfiles = !ls\n!pip list\nx?")
    sent("kurt")
    folder.write(course.submitted("zed", "A1"), b"%PDF-1.7")
    assert command.main(["--course", str(course.root), "plagiarism", "A1"]) == 0
    told = capsys.readouterr().out
    assert "A1: 2 submissions in" in told and "-bc base submissions" in told
    assert "kurt: not in it, there is no code" in told and "zed: not in it, it is not" in told
    place = course.root / "plagiarism" / "A1"
    assert sorted(p.name for p in (place / "submissions").iterdir()) == ["ada", "alan"]
    ada = (place / "submissions" / "ada" / "A1.py").read_text()
    assert ada == "# %%\ndef huber(x):\n    return x\n\n# %%\ntext = (\n'%s'\n% 3)\n"
    alan = (place / "submissions" / "alan" / "A1.py").read_text()
    assert "# %%bash\n# ls\n" in alan and "    pass  # %time x = 1\n" in alan
    assert "files = None  # !ls\npass  # !pip list\n" in alan
    base = (place / "base" / "A1.py").read_text()
    assert "import" in base and "My prose" not in base
    compile(base, "base", "exec")
    assert not (place / "key.csv").exists()


def test_without_names_nothing_says_whose_it_is(course, sent):
    sent("ada", "# Ada Lovelace, ada@x.org\nada = 'by ADA'\nb = ada + 'Lovelace'  # adalbert")
    sent("alan", "alan_turing = 1")
    sent("kurt", "def broken(:  # by kurt")
    plagiarism.export(course, "A1")
    place, done, _ = plagiarism.export(course, "A1", names=False)
    assert sorted(done) == ["ada", "alan", "kurt"]
    with open(place / "key.csv", newline="") as file:
        key = {row["student"]: row["submission"] for row in csv.DictReader(file)}
    assert sorted(key.values()) == ["s1", "s2", "s3"], "the earlier folders are gone"
    assert sorted(p.name for p in (place / "submissions").iterdir()) == ["s1", "s2", "s3"]
    code = {who: (place / "submissions" / s / "A1.py").read_text() for who, s in key.items()}
    assert "# student student, student\nada = 'by student'\n" in code["ada"]
    assert "b = ada + 'student'  # adalbert\n" in code["ada"]
    assert "alan_turing = 1" in code["alan"] and "kurt" not in code["kurt"]
    assert plagiarism.export(course, "A1", names=False)[1] == done, "the same numbers again"


def test_a_groups_code_stands_there_once(course, sent):
    people = "id,first_name,group\nada,Ada,1\nalan,Alan,1\nkurt,Kurt,2\n"
    folder.write(course.root / "students.csv", people)
    toml = (course.root / "course.toml").read_text()
    (course.root / "course.toml").write_text(f'groups = ["A1"]\n{toml}')
    sent("ada", "x = 1  # with Alan")
    sending = course.root / "downloads" / "A1_ada.ipynb"
    course.submitted("ada", "A1").rename(sending)
    course = folder.Course(course.root)
    collect(course, sending.parent, "A1")
    place, done, without = plagiarism.export(course, "A1", names=False)
    assert (done, without) == (["ada"], {"alan": "ada handed it in for the group"})
    assert "# with student" in (place / "submissions" / "s1" / "A1.py").read_text()


def test_nothing_to_look_at_before_it_is_released(course):
    with pytest.raises(CourseError, match="was not released"):
        plagiarism.export(course, "A2")
