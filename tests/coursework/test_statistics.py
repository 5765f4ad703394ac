"""Statistics for each question, against numbers worked out otherwise; and the page as it is
read."""

import csv
import shutil

import numpy as np
import pytest
from bs4 import BeautifulSoup
from judged import judged

from translearn.coursework.instructor import analysis, books, folder, overrides
from translearn.coursework.instructor.__main__ import main
from translearn.errors import CourseError

NAMES = {
    "ada": "Ada,Lovelace",
    "alan": "Alan,Turing",
    "kurt": "Kurt,Gödel",
    "emmy": "Emmy,Noether",
}
WRONG = "For errors above delta the loss does not grow along the right line."
SUM = "def huber(target, guess, delta=1.0):\n    return ((guess - target) ** 2).sum()"
LOST = {
    ("huber", "large errors"): (0, WRONG),
    ("gradient", "the values"): (0, "The values are wrong."),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, template):
    """ada has everything, alan and kurt lost points in huber, one with his name in it, emmy began
    nothing.
    """
    course = folder.Course(shutil.copytree(template, tmp_path_factory.mktemp("four") / "class"))
    rows = "".join(f"{who},{name},{who}@x.org,\n" for who, name in NAMES.items())
    folder.write(course.root / "students.csv", "id,first_name,last_name,email,lms_id\n" + rows)
    books.prepare(course, "A1")
    judged(course, "ada")
    named = {"huber": "the sum"}
    judged(course, "alan", {"huber": f"{SUM}  # by Alan Turing"}, LOST, named)
    judged(course, "kurt", {"huber": SUM + "  # <script>x</script>"}, LOST, named)
    zero = {
        (each.name, what): (0, f"`{each.name}` is not there.")
        for each in analysis.judging.questions(analysis.judging.load("a1"))
        for what in each.marks
    }
    empty = {each: None for each, _ in zero}
    judged(course, "emmy", empty, zero)
    return course.root


@pytest.fixture
def course(made, tmp_path):
    return folder.Course(shutil.copytree(made, tmp_path / "class"))


def question(found, name):
    return next(each for each in found["questions"] if each["name"] == name)


def test_shares_means_and_spread_are_those_of_the_books(course):
    overrides.give(course, "A1", "alan", "huber", 2.5, "Nearly.")
    found = analysis.statistics(course, "A1")
    huber = question(found, "huber")
    points = [3, 2.5, 2, 0]
    assert (huber["students"], huber["unanswered"]) == (4, 1)
    assert (huber["right"], huber["nothing"], huber["mean"]) == (0.25, 0.25, 1.88)
    assert huber["sd"] == round(np.std(points, ddof=1), 2)
    assert question(found, "verdict")["right"] == 0.75
    assert (found["submissions"], found["complete"], found["small"]) == (4, 4, True)
    assert (found["of"], found["judged only"], found["median"]) == (30, True, 27.25)
    assert sum(count for *_, count in found["totals"]) == 4


def test_discrimination_is_the_correlation_with_the_rest():
    luck = np.random.default_rng(0)
    table = luck.integers(0, 5, (60, 4)) + luck.integers(0, 5, (60, 1))
    from scipy import stats

    found = analysis.discrimination(table.astype(float), 1)
    other = stats.pearsonr(table[:, 1], table[:, [0, 2, 3]].sum(1))
    low, high = other.confidence_interval(0.95)
    assert (found["r"], found["low"], found["high"]) == pytest.approx(
        (other.statistic, low, high), abs=0.006
    )
    with_itself = np.corrcoef(table[:, 1], table.sum(1))[0, 1]
    assert with_itself - found["r"] > 0.05, "uncorrected it would be larger"


@pytest.mark.parametrize(
    "table, column",
    [
        (np.ones((9, 3)), 0),
        (np.c_[np.arange(9.0), np.ones(9)], 0),
        (np.arange(4.0).reshape(2, 2), 0),
        (np.arange(9.0).reshape(9, 1), 0),
        (np.empty((0, 3)), 1),
        (np.ones((9, 3)), None),
    ],
)
def test_without_a_spread_there_is_no_discrimination(table, column):
    assert set(analysis.discrimination(table, column).values()) == {None}


@pytest.mark.parametrize(
    "totals, of, expected",
    [
        ([0, 1, 2, 2, 3], 3, [(0, 1, 1), (1, 2, 1), (2, 3, 3)]),
        (
            [0.5, 36.5, 37],
            37,
            [(n, min(n + 4, 37), c) for n, c in zip(range(0, 37, 4), [1, *[0] * 8, 2])],
        ),
        ([], 2, [(0, 1, 0), (1, 2, 0)]),
    ],
)
def test_no_total_falls_out_of_the_distribution(totals, of, expected):
    assert analysis.distribution(np.array(totals), of) == expected


def test_what_went_wrong_most_has_an_example_without_a_name(course):
    found = question(analysis.statistics(course, "A1"), "huber")
    (misconception,) = found["named"]
    assert (misconception["name"], misconception["count"]) == ("the sum", 2)
    assert "The mean does not grow" in misconception["meaning"]
    assert "<script>" in misconception["example"], "kurt's: in alan's stands his name"
    (reason,) = found["reasons"]
    assert (reason["what"], reason["message"], reason["count"]) == ("large errors", WRONG, 2)
    assert found["unanswered"] == 1, "and emmy's three reasons are none"
    folder.write(course.root / "students.csv", "id,first_name\nada,Huber\n")
    again = question(analysis.statistics(course, "A1"), "huber")
    assert again["named"][0]["example"] == "", "now somebody is called so"


def test_the_page_and_the_table(course, capsys):
    assert main(["--course", str(course.root), "statistics", "A1"]) == 0
    said = capsys.readouterr().out
    assert "A1: 4 submissions, 4 of them complete; a small class" in said
    text = (course.root / "statistics_A1.html").read_text()
    page = BeautifulSoup(text, "html.parser")
    assert not page.find("script") and "&lt;script&gt;x" in text
    assert "default-src 'none'" in page.find("meta", attrs={"http-equiv": True})["content"]
    assert not page.find_all(src=True) and {a["href"][0] for a in page.find_all("a")} == {"#"}
    targets = {each["id"] for each in page.find_all(id=True)}
    assert {a["href"][1:] for a in page.find_all("a")} <= targets
    assert "This is a small class" in page.get_text() and "Alan" not in page.get_text()
    row = next(r for r in page.find_all("tr") if "forgives outliers" in r.get_text())
    assert "25 %" in row.get_text() and "1.75 of 3" in row.get_text()
    with open(course.root / "statistics_A1.csv", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["question"], first["right"], first["misconception"]) == (
        "huber",
        "0.25",
        "the sum",
    )
    assert (first["unanswered"], first["reason_students"]) == ("1", "2")


def test_a_marked_class_counts_the_written_answers_too(course):
    levels = {
        criterion: list(of)[-1]
        for each in [analysis.judging.load("a1").explain]
        for criterion, of in each.rubric.items()
    }
    for student in ("ada", "alan", "kurt"):
        books.mark(course, "A1", student, "explain", levels, "")
    found = analysis.statistics(course, "A1")
    assert (found["of"], found["complete"], found["judged only"]) == (37, 3, False)
    assert question(found, "explain")["right"] == 1.0 and question(found, "explain")["r"] is None


def test_without_a_mark_there_are_no_statistics(course):
    shutil.rmtree(course.root / "autograded")
    with pytest.raises(CourseError, match="has a mark yet"):
        analysis.statistics(course, "A1")
