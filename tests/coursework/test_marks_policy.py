"""What late work costs, who has more time, and the total of a student: read strictly, applied to
marks only, and told to the student.
"""

import csv
import os
import re
import time
from datetime import UTC, datetime

import pytest
from graded import graded, marks, settings

from translearn.coursework.instructor import __main__ as command
from translearn.coursework.instructor import books, folder, late, totals
from translearn.coursework.instructor.feedback import page
from translearn.coursework.instructor.release import release
from translearn.errors import CourseError

DUE = "[due]\nA1 = 2027-03-01T23:59:00\n"
TEN = DUE + '[late]\npolicy = "percent"\npercent_a_day = 10\n'
HOUR, DAY = 3600, 86400


# ---- what course.toml may say


@pytest.mark.parametrize(
    "lines, said",
    [
        ('policy = "percent"', "say percent_a_day"),
        ('policy = "percent"\npercent_a_day = 0', "say percent_a_day"),
        ('policy = "percent"\npercent_a_day = 120', "from 0 to 100"),
        ('policy = "percent"\npercent_a_day = -10', "from 0 to 100"),
        ('policy = "percent"\npercent_a_day = nan', "from 0 to 100"),
        ('policy = "percent"\npercent_a_day = true', "from 0 to 100"),
        ('policy = "percent"\npercent_a_day = "10%"', "from 0 to 100"),
        ('policy = "percent"\npercent_a_day = 10\nat_most = 101', "at_most is 101"),
        ('policy = "percent"\npercent_a_day = 10\ngrace_minutes = -1', "of 0 or more"),
        ('policy = "percent"\npercent_a_day = 10\ngrace_minutes = inf', "of 0 or more"),
        ('policy = "percent"\npercent_a_day = 10\nof = "total"', "of is 'total'"),
        ('policy = "cutoff"', "policy is 'cutoff'"),
        ("policy = 10", "policy is 10"),
        ("percent_a_day = 10", 'policy is "none"'),
        ("percent_per_day = 10", "there is no 'percent_per_day'"),
        ("[late.A9]\npolicy = 'none'", "no assignment 'A9'"),
        ("[late.A1]\npercent_a_day = 5", 'policy is "none"'),
    ],
)
def test_a_late_policy_that_says_nothing_certain_is_refused(course, lines, said):
    with pytest.raises(CourseError, match=said) as problem:
        settings(course, f"[late]\n{lines}\n")
    assert "\n" not in str(problem.value)


def test_late_must_be_a_table(course):
    with pytest.raises(CourseError, match="should be a table"):
        settings(course, 'late = "percent"\n')


def test_an_assignment_may_have_a_policy_of_its_own(course):
    course = settings(course, TEN + "grace_minutes = 5\n[late.a2]\npercent_a_day = 50\n")
    assert late.policy(course, "A1").percent_a_day == 10
    assert late.policy(course, "A2") == late.Policy("percent", 50, grace_minutes=5)
    course = settings(course, TEN + '[late.A2]\npolicy = "none"\n')
    assert late.policy(course, "A2").policy == "none"
    assert late.policy(settings(course, DUE), "A1") == late.Policy()


def test_a_new_class_has_no_policy_and_says_what_could_stand_there(tmp_path):
    course = folder.new(tmp_path / "class")
    assert late.policy(course, "A1") == late.Policy() and course.weights is None
    assert course.extensions() == {}
    text = (course.root / "course.toml").read_text()
    said = re.sub(r"^# (?=[a-zA-Z_]\w* = |\[)", "", text, flags=re.M)
    said = said.replace('policy = "none"  #', 'policy = "percent"  #')
    (course.root / "course.toml").write_text(said)
    course = folder.Course(course.root)
    assert late.policy(course, "A1") == late.Policy("percent", 10, "possible", 50, 5, 15)
    assert late.policy(course, "A2").policy == "none"
    assert course.weights == totals.Weights({"A1": 1, "A2": 2}, 1, "empty")


# ---- what it costs


@pytest.mark.parametrize(
    "rule, seconds, off",
    [
        (late.Policy("percent", 10), 1, 3.7),
        (late.Policy("percent", 10), DAY, 3.7),
        (late.Policy("percent", 10), DAY + 1, 7.4),
        (late.Policy("percent", 10, of="earned"), DAY + 1, 6),
        (late.Policy("percent", 10), 30 * DAY, 30),
        (late.Policy("percent", 10, at_most=50), 30 * DAY, 18.5),
        (late.Policy("percent", 10, cut_off_days=5), 5 * DAY, 18.5),
        (late.Policy("percent", 10, cut_off_days=5), 5 * DAY + 1, 30),
        (late.Policy("percent", 10, grace_minutes=15), 900, 0),
        (late.Policy("percent", 10, grace_minutes=15), 901, 3.7),
        (late.Policy("percent", 10, grace_minutes=15), DAY + 900, 3.7),
        (late.Policy("cut-off", cut_off_days=0), 1, 30),
        (late.Policy("cut-off", cut_off_days=2), 2 * DAY, 0),
        (late.Policy("cut-off", cut_off_days=2), 2 * DAY + 1, 30),
    ],
)
def test_a_begun_day_counts(course, rule, seconds, off):
    row = {"student": "ada", "assignment": "A1", "points": 30, "of": 37}
    course.late = {"": rule}
    found = late.applied(course, row, seconds)
    assert (found["raw"], found["deducted"]) == (30, pytest.approx(off))
    assert found["points"] == pytest.approx(30 - off)
    assert f"{off:g} points are taken" in found["deduction"] or not off
    assert late.said(rule, 37).rstrip(".") in found["deduction"]


def test_nothing_is_taken_from_what_is_in_time_or_has_no_mark(course):
    course.late = {"": late.Policy("percent", 10)}
    row = {"student": "ada", "assignment": "A1", "points": 30, "of": 37}
    assert late.applied(course, row, 0)["points"] == 30
    assert late.applied(course, row | {"points": None}, DAY)["raw"] is None
    assert late.applied(course, row | {"points": 0}, DAY)["deducted"] == 0
    course.late = {"": late.Policy()}
    found = late.applied(course, row, DAY)
    assert (found["points"], found["raw"], found["deduction"]) == (30, 30, "")


def test_marks_lose_points_and_the_books_do_not(course, capsys):
    course = settings(course, TEN)
    graded(course, "ada", 30, "2027-03-02T00:30:00")
    graded(course, "alan", 37, "2027-03-01T23:59:00")
    graded(course, "kurt", 20, "2027-03-09T00:00:00", marked=False)
    result = (course.graded("ada", "A1") / "result.json").read_bytes()
    rows = marks(course)
    assert (rows["ada"]["points"], rows["ada"]["raw"], rows["ada"]["late"]) == (
        26.3,
        30,
        "31 minutes",
    )
    assert (rows["alan"]["points"], rows["alan"]["deduction"]) == (37, "")
    assert rows["kurt"]["points"] is None and rows["kurt"]["late"] == "7.0 days"
    assert command.main(["--course", str(course.root), "marks"]) == 0
    assert "26.3" in capsys.readouterr().out
    with open(course.root / "marks.csv", newline="") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert [table["ada"][name] for name in ("points", "raw", "deducted")] == [
        "26.3",
        "30.0",
        "3.7",
    ]
    assert table["kurt"]["points"] == table["kurt"]["raw"] == ""
    with books.gradebook(course) as book:
        assert book.find_submission("A1", "ada").score == 30
    assert (course.graded("ada", "A1") / "result.json").read_bytes() == result
    text = page(course, "A1", "ada")
    assert "You earned 30 points. It came 31 minutes after the due date" in text
    assert "3.7 points are taken off" in text and "26.3 of 37 points" in text
    assert "costs 10 % of the 37 points that can be got." in text
    assert "taken off" not in page(course, "A1", "alan")
    rows = marks(settings(course, DUE))  # a policy that is taken away takes nothing
    assert (rows["ada"]["points"], rows["ada"]["deducted"]) == (30, 0)


# ---- more time


HEAD = "id,assignment,until,reason\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + "ada,A1,2027-03-05T12:00,ill\n",
        HEAD + "ADA, a1 ,2027-03-05 12:00:00,ill\n\n,,,\n",
        "\ufeff" + HEAD + "ada,A1,2027-03-05T12:00,ill\n",
        "ID;Assignment;Until;Reason\r\nada;A1;2027-03-05T12:00;ill\r\n",
        "reason\tuntil\tassignment\tid\nill\t2027-03-05T12:00\tA1\tada\n",
        (HEAD + "ada,A1,2027-03-05T12:00,ill\n").encode("utf-16"),
    ],
)
def test_extensions_are_read_however_they_were_saved(course, data):
    found = settings(course, DUE, data).extensions()
    until = datetime(2027, 3, 5, 12).astimezone()
    assert found == {("ada", "A1"): late.Extension(until, "ill")}


@pytest.mark.parametrize(
    "line, said",
    [
        ("zed,A1,2027-03-05,", "line 2: there is no 'zed' in students.csv"),
        ("ada,A9,2027-03-05,", "line 2: There is no assignment 'A9'"),
        ("ada,,2027-03-05,", "line 2: There is no assignment ''"),
        ("ada,A1,5.3.2027,", "'5.3.2027' is no time"),
        ("ada,A1,2027-02-30,", "'2027-02-30' is no time"),
        ("ada,A1,0001-01-01,", "is no"),
        ("ada,A1,,", "'' is no time"),
        ("ada,A1,2027-03-01,", "is not after the due date of A1, 2027-03-01 23:59"),
        ("ada,A2,2027-03-05,", "A2 has no due date"),
        ("ada,A1,2027-03-05,\nADA,a1,2027-03-05,", "line 3: ada has one for A1 in line 2"),
        ("ada,A1,2027-03-05,ill\nada,A1,exempt,", "line 3: ada has one for A1 in line 2"),
        ('ada,A1,2027-03-05,"two\nlines"\nzed,A1,2027-03-05,', "line 4: there is no 'zed'"),
    ],
)
def test_an_extension_that_says_nothing_certain_is_refused(course, capsys, line, said):
    due = DUE.replace("23:59:00", "23:59:59") if ",2027-03-01," in line else DUE
    course = settings(course, due, HEAD + line + "\n")
    with pytest.raises(CourseError, match=said) as problem:
        course.extensions()
    assert str(problem.value).startswith("extensions.csv, line ")
    for verb in (["status"], ["marks", "A1"]):
        assert command.main(["--course", str(course.root), *verb]) == 1
        assert said.split(": ")[-1] in capsys.readouterr().err


def test_a_table_without_the_columns_is_no_table_of_extensions(course):
    with pytest.raises(CourseError, match="line 1: there is no column until"):
        settings(course, DUE, "id,assignment,when\nada,A1,2027-03-05\n").extensions()
    with pytest.raises(CourseError, match="Save it as CSV, in UTF-8"):
        settings(course, DUE, b"id,assignment,until\nada,A1,\xff\n").extensions()
    assert settings(course, DUE, b"").extensions() == {}


@pytest.fixture
def zone(monkeypatch):
    """A function: this machine's time zone."""

    def zone(name):
        monkeypatch.setitem(os.environ, "TZ", name)
        time.tzset()

    yield zone
    monkeypatch.undo()
    time.tzset()


def test_times_are_this_machines_unless_they_name_a_zone(course, zone):
    zone("Asia/Tokyo")
    lines = HEAD + "ada,A1,2027-03-05T12:00,\nalan,A1,2027-03-05T12:00+00:00,\n"
    found = settings(course, DUE, lines + "kurt,A1,2027-03-05,\n").extensions()
    until = {who: each.until.astimezone(UTC) for (who, _), each in found.items()}
    assert until["ada"] == datetime(2027, 3, 5, 3, tzinfo=UTC)
    assert until["alan"] == datetime(2027, 3, 5, 12, tzinfo=UTC)
    assert until["kurt"] == datetime(2027, 3, 5, 14, 59, 59, tzinfo=UTC)
    due = settings(course, "[due]\nA1 = 2027-03-01T12:00:00Z\n").due["A1"]
    assert due.astimezone(UTC) == datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_a_day_is_24_hours_when_the_clocks_change(course, zone):
    zone("Europe/Berlin")  # on 28 March 2027 at 2:00 it is 3:00
    course = settings(course, "[due]\nA1 = 2027-03-27T12:00:00\n")
    came = datetime(2027, 3, 28, 12).astimezone()
    assert late.seconds(course, "ada", "A1", came) == DAY - HOUR


def test_who_has_more_time_is_late_after_it(course, capsys):
    lines = HEAD + 'ada,A1,2027-03-05T12:00,"ill, with a note"\nkurt,A1,exempt,transfer\n'
    course = settings(course, TEN, lines)
    graded(course, "ada", 30, "2027-03-05T13:00:00")
    graded(course, "alan", 30, "2027-03-05T13:00:00")
    graded(course, "kurt", 30, "2027-03-05T13:00:00")
    rows = marks(course)
    assert (rows["ada"]["late"], rows["ada"]["points"]) == ("60 minutes", 26.3)
    assert (rows["alan"]["late"], rows["alan"]["points"]) == ("3.5 days", 15.2)
    assert (rows["kurt"]["state"], rows["kurt"]["points"]) == ("exempt", None)
    assert rows["ada"]["extension"] == "until 2027-03-05 12:00 (ill, with a note)"
    assert command.main(["--course", str(course.root), "status"]) == 0
    told = capsys.readouterr().out
    assert "ada: until 2027-03-05 12:00 (ill, with a note)" in told
    assert "kurt: exempt (transfer)" in told
    text = page(course, "A1", "ada")
    assert "You had more time, until Friday, 05 March 2027, 12:00." in text
    assert "after the date that you were given" in text and "with a note" not in text
    text = page(course, "A1", "kurt")
    assert "You are exempt" in text and "zero" not in text and "transfer" not in text
    graded(course, "ada", 30, "2027-03-05T12:00:00")
    row = marks(course)["ada"]
    assert (row["late"], row["points"], row["deduction"]) == ("", 30, "")


def test_a_reason_is_no_formula_in_a_table(course):
    course = settings(course, DUE, HEAD + "ada,A1,2027-03-05,=HYPERLINK(1)\n")
    assert command.main(["--course", str(course.root), "marks"]) == 0
    assert "2027-03-05 23:59 (=HYPERLINK" in (course.root / "marks.csv").read_text()
    course = settings(course, DUE, HEAD + 'ada,A1,exempt,"x; =1+1"\n')
    assert command.main(["--course", str(course.root), "marks"]) == 0
    assert "exempt (x; '=1+1)" in (course.root / "marks.csv").read_text()


def test_students_get_the_rule_with_the_assignment(course):
    release(settings(course, TEN), "A1")
    readme = (course.root / "release" / "A1" / "README.txt").read_text()
    assert "Late: each day that has begun after the due date costs 10 %" in readme
    release(settings(course, DUE), "A1")
    assert "Late:" not in (course.root / "release" / "A1" / "README.txt").read_text()


def test_a_table_that_changes_is_read_again(course):
    course = settings(course, DUE, HEAD)
    assert course.extensions() == {}
    folder.write(course.root / "extensions.csv", HEAD + "ada,A1,2027-03-05,\n")
    assert list(course.extensions()) == [("ada", "A1")]
    folder.write(course.root / "students.csv", "id\nalan\n")
    with pytest.raises(CourseError, match="there is no 'ada'"):
        course.extensions()
    (course.root / "extensions.csv").unlink()
    assert course.extensions() == {} and list(course.students()) == ["alan"]


# ---- totals


@pytest.mark.parametrize(
    "lines, said",
    [
        ("A1 = 0", "A1 is 0; a weight is a number above 0"),
        ("A1 = -1", "above 0"),
        ('A1 = "1"', "above 0"),
        ("A1 = true", "above 0"),
        ("A1 = inf", "above 0"),
        ("A1 = nan", "above 0"),
        ("A9 = 1", "no assignment 'A9'"),
        ("A1 = 1\na1 = 2", "stands there twice"),
        ("drop = 1", "no assignment has a weight"),
        ("A1 = 1\ndrop = 1", "from 0 to 0"),
        ("A1 = 1\nA2 = 1\ndrop = 2", "from 0 to 1"),
        ("A1 = 1\nA2 = 1\ndrop = -1", "from 0 to 1"),
        ("A1 = 1\nA2 = 1\ndrop = 0.5", "from 0 to 1"),
        ("A1 = 1\nA2 = 1\ndrop = true", "from 0 to 1"),
        ('A1 = 1\nmissing = "0"', "missing is '0'"),
    ],
)
def test_weights_that_make_no_sense_are_refused(course, lines, said):
    with pytest.raises(CourseError, match=said):
        settings(course, f"[weights]\n{lines}\n")


MISSING = {"points": None, "state": "nothing handed in", "reason": "no file was collected"}
WAITS = {"points": None, "state": "to be marked", "reason": "waiting for a person: Explain"}
EXEMPT = {"points": None, "state": "exempt", "reason": "exempt"}


def _points(points):
    return {"points": points, "state": "graded", "reason": ""}


@pytest.fixture
def total(course, monkeypatch):
    """A function: the row of one student with such marks, of 10 points each."""

    def total(given, lines="", toml="[weights]\nA1 = 1\nA2 = 2\nA3 = 1\n", now=None):
        new = settings(course, toml + lines)
        for name in given:
            folder.write(new.released(name), "{}")

        def some(course, name):
            row = {"student": "ada", "name": "Ada", "assignment": name, "of": 10}
            return [row | given.get(name, MISSING)]

        monkeypatch.setattr(books, "marks", some)
        (row,) = totals.totals(new, now)
        return row

    return total


def test_a_total_is_weighted_percent(total):
    row = total({"A1": _points(10), "A2": _points(5), "A3": _points(0)})
    assert (row["total"], row["so far"], row["dropped"], row["reason"]) == (50, 50, "", "")
    assert (row["A1"], row["A3"]) == (10, 0)


def test_the_lowest_does_not_count_and_is_named(total):
    row = total({"A1": _points(10), "A2": _points(5), "A3": _points(6)}, "drop = 1\n")
    assert (row["total"], row["dropped"]) == (80, "A2 (50%)")
    row = total({"A1": _points(5), "A2": _points(5), "A3": _points(9)}, "drop = 1\n")
    assert (row["total"], row["dropped"]) == (70, "A2 (50%)"), "of equal ones the heavier"
    row = total({"A1": _points(1), "A2": _points(5), "A3": _points(9)}, "drop = 2\n")
    assert (row["total"], row["dropped"]) == (90, "A1 (10%), A2 (50%)")


def test_what_is_not_graded_leaves_the_total_empty(total):
    row = total({"A1": _points(10), "A2": _points(5)})
    assert row["total"] is None and row["reason"] == "A3: not released yet"
    row = total({"A1": _points(10), "A2": WAITS, "A3": _points(0)}, "drop = 1\n")
    assert (row["total"], row["so far"], row["dropped"]) == (None, 50, "")
    assert row["reason"] == "A2: waiting for a person: Explain"
    row = total({"A1": WAITS, "A2": WAITS, "A3": WAITS})
    assert (row["total"], row["so far"]) == (None, None)


def test_what_counts_as_zero_is_the_instructors_decision(total):
    given = {"A1": _points(10), "A2": _points(5), "A3": MISSING}
    row = total(given)
    assert row["total"] is None and row["reason"] == "A3: no file was collected"
    assert total(given, 'missing = "zero"\n')["total"] == 50
    row = total(given, 'missing = "zero"\ndrop = 1\n')
    assert (row["total"], row["dropped"], row["A3"]) == (pytest.approx(66.67), "A3 (0%)", None)
    assert total(given | {"A3": WAITS}, 'missing = "zero"\n')["total"] is None


def test_nothing_is_zero_before_it_is_due(total, course):
    given = {"A1": _points(10), "A2": _points(10), "A3": MISSING}
    zero = 'missing = "zero"\n[due]\nA3 = 2027-05-01T12:00:00\n'
    may = datetime(2027, 5, 1, 11, 59).astimezone(), datetime(2027, 5, 3).astimezone()
    assert [total(given, zero, now=now)["total"] for now in may] == [None, 75]
    (course.root / "extensions.csv").write_text(HEAD + "ada,A3,2027-05-08,ill\n")
    assert total(given, zero, now=may[1])["total"] is None
    assert total(given, zero, now=datetime(2027, 5, 9).astimezone())["total"] == 75


def test_who_is_exempt_is_measured_by_the_rest(total):
    row = total({"A1": _points(10), "A2": EXEMPT, "A3": _points(5)})
    assert (row["total"], row["A2"], row["reason"]) == (75, None, "")
    row = total({"A1": _points(4), "A2": EXEMPT, "A3": EXEMPT}, "drop = 1\n")
    assert (row["total"], row["dropped"]) == (40, ""), "one always counts"
    row = total({"A1": EXEMPT, "A2": EXEMPT, "A3": EXEMPT})
    assert (row["total"], row["reason"]) == (None, "exempt from all that counts")


def test_marks_write_the_total_where_there_are_weights(course, capsys):
    graded(course, "ada", 18.5)
    graded(course, "alan", 30, marked=False)
    root = ["--course", str(course.root), "marks"]
    assert command.main(root) == 0 and not (course.root / "total.csv").exists()
    settings(course, '[weights]\nA1 = 3\nmissing = "zero"\n')
    assert command.main(root) == 0
    assert "2 with a total in percent, 1 without" in capsys.readouterr().out
    with open(course.root / "total.csv", newline="") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert (table["ada"]["A1"], table["ada"]["total"]) == ("18.5", "50.0")
    assert table["alan"]["total"] == "" and table["alan"]["reason"].startswith("A1: waiting for")
    assert (table["kurt"]["A1"], table["kurt"]["total"]) == ("", "0.0")
