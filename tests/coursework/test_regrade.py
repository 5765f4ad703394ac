"""A mark that is thought over: one question judged again, and the override of a mark."""

import hashlib
import json
import shutil
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from judged import judged, result

from conftest import points
from translearn.coursework.instructor import (
    bank,
    books,
    feedback,
    folder,
    grading,
    judging,
    lines,
    named,
    overrides,
    regrade,
)
from translearn.coursework.instructor.__main__ import main
from translearn.coursework.instructor.sandbox import Dead, Limits
from translearn.coursework.instructor.session import Session
from translearn.coursework.student import codec
from translearn.coursework.student.question import questions
from translearn.errors import CourseError

LINE = ("huber", "large errors")
STRICT, MENDED = "Too strict.", "Half of it is right."


@pytest.fixture
def mended(monkeypatch):
    """The sandbox's part: the mended judge gives half for what cost a point. `asked` has those
    whose submissions ran; `mended.dead`, those whose sandbox died.
    """
    asked, dead = [], set()

    def spread(jobs, scheduler, hand_in, released, names, keep, quiet):
        for student in names:
            asked.append(student)
            future = Future()
            future.set_result(hand_in(run, student, released, 1))
            keep(student, future)

    def run(grade_one, assignment, book, data, *, spare, only, **_):
        student = asked[-1]
        before = run.course.result(student, assignment)["questions"][only]
        verdicts = [
            each | {"got": 0.5, "message": MENDED} if each["message"] == STRICT else each
            for each in before
        ]
        if student in dead:
            verdicts = [each | {"got": None, "message": "It died."} for each in verdicts]
        return {
            "submission": hashlib.sha256(data).hexdigest(),
            "questions": {only: verdicts},
            "visible": {only: "the sum"},
            "reason": "It died.",
        }

    monkeypatch.setattr(grading, "spread", spread)
    monkeypatch.setattr(grading.walls, "check", lambda *_: None)
    run.asked, run.dead = asked, dead
    return run


@pytest.fixture(scope="module")
def thrice(tmp_path_factory, template):
    """ada lost a point at the strict judge, alan too and has an override, kurt lost none."""
    course = folder.Course(shutil.copytree(template, tmp_path_factory.mktemp("three") / "class"))
    judged(course, "ada", lost={LINE: (0, STRICT)})
    judged(course, "alan", lost={LINE: (0, STRICT)})
    judged(course, "kurt")
    overrides.give(course, "A1", "alan", "huber", 3, "Your way is right, too.")
    return course.root


@pytest.fixture
def three(tmp_path, thrice, mended):
    mended.course = folder.Course(shutil.copytree(thrice, tmp_path / "class"))
    return mended.course


def row(course, student, assignment="A1"):
    return books.marks(course, assignment, only=[student])[0]


def command(course, *arguments):
    return main(["--course", str(course.root), *arguments])


def test_first_the_list_then_the_marks(three, mended, capsys):
    assert command(three, "regrade", "A1", "--question", "huber") == 0
    said = capsys.readouterr().out
    ada, alan = (next(x for x in said.splitlines() if x.startswith(s)) for s in ("ada", "alan"))
    assert ada.split()[:3] == ["ada", "2", "2.5"] and STRICT in ada and MENDED in ada
    assert "overridden: 3 points, Your way is right, too." in alan
    assert not any(line.startswith("kurt") for line in said.splitlines())
    assert "1 marks change, 1 stay as you gave them, 1 are the same" in said
    assert "Nothing was changed" in said and row(three, "ada")["huber"] == 2
    assert STRICT in (three.root / "regrade_A1_huber.csv").read_text()

    assert command(three, "regrade", "A1", "--question", "huber", "--apply") == 0
    assert mended.asked == ["ada", "alan", "kurt"], "what was listed is written, and runs no more"
    assert [row(three, s)["huber"] for s in ("ada", "alan", "kurt")] == [2.5, 3, 3]
    assert overrides.judged(three.result("alan", "A1"), "huber") == 2.5
    assert three.result("ada", "A1")["visible"] == {"huber": "the sum"}
    (before,) = regrade.history(three, "A1", "ada")
    assert [v["got"] for v in before["before"]] == [1, 0, 1] and before["question"] == "huber"
    assert not list(three.root.glob("autograded/*/A1/regrade_*")), "nothing waits any more"
    page = feedback.page(three, "A1", "ada")
    assert "Judged again on" in page and "before, it had 2" in page and MENDED in page
    assert "Judged again on" not in feedback.page(three, "A1", "kurt")


@pytest.mark.parametrize("answer, written", [("yes", 3), ("no", 0), ("", 0)])
def test_at_a_terminal_it_asks(three, mended, monkeypatch, capsys, answer, written):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert command(three, "regrade", "A1", "--question", "huber") == 0
    assert (f"{written} verdicts written" in capsys.readouterr().out) == bool(written)
    assert row(three, "ada")["huber"] == (2.5 if written else 2)


@pytest.mark.parametrize("place", ["write", "record"])
def test_killed_while_it_writes_it_carries_on(three, mended, monkeypatch, place):
    """After the history, after the verdict and before the books: the same command ends as well."""
    changes = regrade.propose(three, "A1", "huber", quiet=True)
    module, name = (grading, "write_verdict") if place == "write" else (books, "record")
    whole, calls = getattr(module, name), []

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(module, name, killed)
    with pytest.raises(KeyboardInterrupt):
        regrade.apply(three, "A1", "huber", changes)
    monkeypatch.setattr(module, name, whole)
    again = regrade.propose(three, "A1", "huber", quiet=True)
    regrade.apply(three, "A1", "huber", again)
    assert mended.asked == ["ada", "alan", "kurt"]
    assert [row(three, s)["huber"] for s in ("ada", "alan", "kurt")] == [2.5, 3, 3]
    assert [len(regrade.history(three, "A1", s)) for s in ("ada", "alan")] == [1, 1]


def test_another_judge_or_another_file_is_asked_anew(three, mended, monkeypatch):
    regrade.propose(three, "A1", "huber", quiet=True)
    monkeypatch.setattr(regrade, "_judges", lambda assignment: "mended once more")
    regrade.propose(three, "A1", "huber", ["ada"], quiet=True)
    assert mended.asked == ["ada", "alan", "kurt", "ada"]
    three.submitted("kurt", "A1").write_bytes(b"newer")
    (change,) = regrade.propose(three, "A1", "huber", ["kurt"], quiet=True)
    assert "newer file" in change.failed and mended.asked[-1] == "ada"


def test_what_could_not_be_judged_keeps_its_mark_and_is_named(three, mended, capsys):
    mended.dead.add("ada")
    folder.write(three.submitted("zed", "A1"), b"never graded")
    assert command(three, "regrade", "A1", "--question", "huber", "--apply") == 0
    said = capsys.readouterr().out
    assert "ada: not judged again (It died.). The mark stays." in said
    assert "zed: not judged again (not graded yet: run grade)" in said
    assert row(three, "ada")["huber"] == 2 and regrade.history(three, "A1", "ada") == []
    mended.dead.clear()
    (change,) = regrade.propose(three, "A1", "huber", ["ada"], quiet=True)
    assert (change.before, change.after) == (2, 2.5), "the next run tries again"


def test_a_mark_from_nbgraders_formgrader_stays(three, mended):
    with books.gradebook(three) as book:
        book.find_grade("huber", "A1", "A1", "ada").manual_score = 1
        book.db.commit()
    changes = regrade.propose(three, "A1", "huber", quiet=True)
    assert changes[0].kept == "marked by hand: 1 points" and not changes[0].moves
    regrade.apply(three, "A1", "huber", changes)
    assert row(three, "ada")["huber"] == 1
    assert "Your instructor gave 1 of 3 points" in feedback.page(three, "A1", "ada")


def test_a_verdict_that_was_missing_makes_it_whole(three, mended):
    judged(three, "ada", lost={LINE: (None, "It died.")})
    assert row(three, "ada")["state"] == "ungraded"
    (change,) = regrade.propose(three, "A1", "huber", ["ada"], quiet=True)
    assert change.failed, "still none"
    mended.course = _Whole(three)
    changes = regrade.propose(three, "A1", "huber", ["ada"], quiet=True)
    assert [(c.before, c.after) for c in changes] == [(None, 3)]
    regrade.apply(three, "A1", "huber", changes)
    assert row(three, "ada")["huber"] == 3 and three.result("ada", "A1")["state"] == "graded"


class _Whole:
    """A class in which everything is right by now."""

    def __init__(self, course):
        self.course = course

    def result(self, student, assignment):
        return result(self.course, bank.notebook(assignment, {}), assignment)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["A1", "--question", "hube"], "A1 has no question 'hube'. Its questions are: huber,"),
        (["A1", "--question", "explain"], "marked by a person already"),
        (["A9", "--question", "huber"], "There is no assignment 'A9'"),
        (["A1", "--question", "huber", "--student", "zed"], "zed has handed in nothing"),
        (["A1", "--question", "huber", "--jobs", "0"], "--jobs takes a number from 1 on"),
    ],
)
def test_what_cannot_be_regraded_is_one_sentence(three, capsys, arguments, said):
    assert command(three, "regrade", *arguments) == 1
    assert said in capsys.readouterr().err


# ---- overrides


def test_an_override_counts_everywhere_and_outlives_grading_and_new_books(three):
    assert row(three, "alan")["huber"] == 3
    with books.gradebook(three) as book:
        grade = book.find_grade("huber", "A1", "A1", "alan")
        assert (grade.auto_score, grade.manual_score, grade.score) == (2, 3, 3)
        told = book.find_comment("huber_answer", "A1", "A1", "alan")
        assert told.comment == "Your way is right, too."
    grading.write_verdict(three, "A1", "alan", three.result("alan", "A1"))  # as grade --again
    assert row(three, "alan")["huber"] == 3
    for student in ("ada", "alan"):
        with books.gradebook(three) as book:
            book.remove_submission("A1", student)
        (three.graded(student, "A1") / "recorded").unlink()
    books.catch_up(three, "A1")
    assert [row(three, s)["huber"] for s in ("ada", "alan")] == [2, 3]
    page = BeautifulSoup(feedback.page(three, "A1", "alan"), "html.parser")
    said = page.find(attrs={"aria-labelledby": "question-1"}).get_text(" ", strip=True)
    assert "3 of 3" in said and "the program had given 2" in said
    assert "Your way is right, too." in said and STRICT in said


def test_an_override_is_undone_and_given_again(three, capsys):
    undo = ["override", "A1", "--student", "alan", "--question", "huber", "--undo"]
    assert command(three, *undo) == 0
    assert "the program's mark counts again, 2." in capsys.readouterr().out
    assert row(three, "alan")["huber"] == 2
    assert "Your way" not in feedback.page(three, "A1", "alan")
    assert command(three, *undo) == 1
    assert "is not overridden" in capsys.readouterr().err
    give = [*undo[:-1], "--points", "0.5", "--reason", "<b>No</b>"]
    assert command(three, *give) == 0
    assert row(three, "alan")["huber"] == 0.5
    assert "&lt;b&gt;No&lt;/b&gt;" in feedback.page(three, "A1", "alan")
    first, second = overrides.load(three, "A1", "alan")["huber"]
    assert "undone" in first and (second["from"], second["points"]) == (2, 0.5)


def test_an_override_is_of_one_answer(three, capsys):
    """A new file with the same answer keeps it; with another answer it is named, and not used."""
    judged(three, "alan", {"verdict": "def verdict(losses): ..."}, lost={LINE: (0, STRICT)})
    assert row(three, "alan")["huber"] == 3
    judged(three, "alan", {"huber": "def huber(*a): return 0"}, lost={LINE: (0, STRICT)})
    assert row(three, "alan")["huber"] == 2
    found = three.result("alan", "A1")
    assert overrides.of(three, "A1", "alan", found) == {}
    assert list(overrides.lapsed(three, "A1", "alan", found)) == ["huber"]
    assert "Your way" not in feedback.page(three, "A1", "alan")


def test_an_override_where_there_was_no_answer_is_of_that_file_alone():
    result = {"submission": "one", "cells": []}
    entry = {"submission": "one", "answer": overrides.answer(result, "huber"), "points": 1}
    assert overrides.counts(entry, result, "huber")
    assert not overrides.counts(entry, result | {"submission": "another"}, "huber")


def test_an_override_gives_a_mark_where_the_program_could_not(three):
    judged(three, "ada", lost={LINE: (None, "It died.")})
    overrides.give(three, "A1", "ada", "huber", 1.5, "By hand.")
    assert (row(three, "ada")["huber"], row(three, "ada")["state"]) == (1.5, "to be marked")
    assert overrides.undo(three, "A1", "ada", "huber") is None
    assert (row(three, "ada")["huber"], row(three, "ada")["state"]) == (None, "ungraded")


@pytest.mark.parametrize(
    "arguments, said",
    [
        ("--points 4 --reason x", "huber is worth 0 to 3 points, so it cannot get 4."),
        ("--points -1 --reason x", "so it cannot get -1."),
        ("--points nan --reason x", "so it cannot get nan."),
        ("--points 1", "Say why, for the student to read"),
        ("--points 1 --undo", "Give --points and --reason, or --undo."),
        ("--reason x", "Give --points and --reason, or --undo."),
        ("--points 1 --reason x --student zed", "zed has no graded submission for A1."),
        ("--points 1 --reason x --question hube", "A1 has no question 'hube'."),
        ("--points 1 --reason x --question explain", "marked by a person already"),
    ],
)
def test_an_override_that_cannot_be_is_one_sentence(three, capsys, arguments, said):
    given = ["--student", "ada", "--question", "huber", *arguments.split()]
    assert command(three, "override", "A1", *given) == 1
    assert said in capsys.readouterr().err and row(three, "ada")["huber"] == 2


def test_overrides_that_cannot_be_read_are_not_passed_over(three):
    (three.graded("alan", "A1") / "override.json").write_text("{")
    with pytest.raises(CourseError, match="override.json cannot be read"):
        grading.write_verdict(three, "A1", "alan", three.result("alan", "A1"))


# ---- the misconception by name


def test_the_page_says_what_the_visible_check_calls_it(course):
    judged(course, "ada", lost={LINE: (0, STRICT)}, visible={"huber": "the sum"})
    judged(course, "alan", visible={"huber": "the sum"})
    page = feedback.page(course, "A1", "ada")
    assert "calls this “the sum”" in page and "The mean does not grow with the number" in page
    assert "calls this" not in feedback.page(course, "A1", "alan"), "nothing was lost"


def test_a_misconception_is_explained_in_the_words_of_the_check():
    """Of nearly all; where the check raises several by one line, the name has to do."""
    without = {
        (each.module[-2:], each.name)
        for assignment in folder.assignments()
        for each in questions(judging.load(assignment.lower()))
        for name in each.misconceptions
        if not named.meaning(each, name).strip(" …")
    }
    assert without <= {("a4", "experiment")}


class _Says:
    """A sandbox that has one more reply."""

    used = peak = 0

    def __init__(self, reply):
        self.reply, self.closed = reply, False

    def send(self, message):
        assert message == {"visible": "huber", "seconds": 5}

    def receive(self, seconds):
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.mark.parametrize(
    "reply, name",
    [
        ({"visible": ["misconception", "the sum"]}, "the sum"),
        ({"visible": ["misconception", "hidden input 3.7"]}, ""),
        ({"visible": ["misconception", ["the sum"]]}, ""),
        ({"visible": "the sum"}, ""),
        ({"value": 3}, ""),
        (Dead("gone"), ""),
        (codec.NotPlain("nonsense"), ""),
    ],
)
def test_no_word_of_a_submission_passes_for_a_misconception(reply, name):
    session = object.__new__(Session)
    session.limits, session.asked, session.over, session.peak = Limits(), 0.0, "", 0
    session.sandbox = _Says(reply)
    question = questions(judging.load("a1"))[0]
    assert session.look(question, 5) == name
    session.over = "too long"
    assert session.look(question, 5) == ""


def test_in_the_sandbox_one_question_is_judged_and_its_misconception_named(released):
    _, book, expected = next(c for c in bank.cases("A1") if c[0] == "common mistakes, one")
    data = json.dumps(book).encode()
    found = grading.grade_one("A1", released("A1"), data, "secret", spare=1, only="huber")
    assert points(found) == {"huber": expected["huber"]} and found["state"] == "graded"
    assert found["visible"] == {"huber": "one formula for all"} and len(found["cells"]) > 20


def test_comments_on_lines_stand_below_the_code(course):
    """On an answer below it, on a cell of one's own at the end, and what is gone by itself."""
    source = "def huber(target, guess, delta=1.0):\n    return 0  # <i>?</i>"
    found = judged(course, "ada", {"huber": source})
    cells = lines.cells(found)
    huber = next(at for at, (name, _) in enumerate(cells) if name == "huber_answer")
    setup = next(at for at, (name, _) in enumerate(cells) if name == "setup")
    notes = [
        lines.note(cells, huber, 2, "Why <b>zero</b>?"),
        lines.note(cells, setup, 1, "On the set-up."),
        lines.note(cells, huber, 1, "Of another time.") | {"text": "def gone():"},
    ]
    path = course.graded("ada", "A1") / "manual.json"
    folder.write(path, json.dumps({lines.KEY: notes}))
    page = BeautifulSoup(feedback.page(course, "A1", "ada"), "html.parser")
    one = " ".join(page.find(attrs={"aria-labelledby": "question-1"}).get_text(" ").split())
    assert "Line 2 : return 0 # <i>?</i> Why <b>zero</b>?" in one and not page.find(["b", "i"])
    rest = page.find(attrs={"aria-labelledby": "comments"}).get_text(" ", strip=True)
    assert "On the set-up." in rest and "def gone(): Of another time." in rest
    assert "zero" not in rest and "not in this notebook any more" in rest
