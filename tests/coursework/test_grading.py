"""From a submission to the marks: every bank, killed runs, regrading, workers elsewhere, no sandbox."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import points
from translearn.coursework.instructor import bank, books, folder, grading, judging, sandbox
from translearn.coursework.instructor.folder import Course
from translearn.coursework.instructor.session import Session
from translearn.coursework.instructor.submission import parse, prepare
from translearn.coursework.student.question import questions, written
from translearn.errors import CourseError
from translearn.paths import ROOT

ASSIGNMENTS = list(folder.assignments())
CASES = [
    (assignment, name)
    for assignment in ASSIGNMENTS
    for name in __import__("importlib")
    .import_module(f"translearn.coursework.instructor.judges.{assignment.lower()}")
    .SUBMISSIONS
]


# ---- the banks


@pytest.mark.parametrize("assignment, name", CASES, ids=[f"{a}: {n}" for a, n in CASES])
def test_every_submission_of_the_bank_gets_its_mark(assignment, name, released):
    book, expected = next(
        (book, expected) for which, book, expected in bank.cases(assignment) if which == name
    )
    # One run, judged with several secrets: a mark must not depend on which hidden inputs a class has drawn.
    module, secrets = judging.load(assignment.lower()), [f"secret {n}" for n in range(5)]
    prepared = prepare(released(assignment), parse(json.dumps(book).encode()))
    assert prepared.notes == []
    session = Session(
        assignment.lower(),
        prepared.sources(),
        grading.pool(module.AHEAD, sandbox.Limits(), False, 1),
        sandbox.Limits(),
    )
    try:
        for secret in secrets:
            result = {"state": "graded", "questions": {}, "cells": []}
            grading._judge(result, module, prepared, session, secret, sandbox.Limits())
            assert result["state"] == "graded", result["reason"]
            assert points(result) == pytest.approx(expected), (
                secret,
                [
                    (q, v["what"], v["got"], v["message"])
                    for q, vs in result["questions"].items()
                    for v in vs
                    if v["got"] != v["points"]
                ],
            )
    finally:
        session.close()


LAZY = [
    "0.0",
    "1.0",
    "0.5",
    "-1.0",
    "True",
    "None",
    "[]",
    "''",
    "a[0]",
    "a[1]",
    "a[-1]",
    "a[:2]",
    "a[:3]",
    "list(a)",
    "(1.0, 1.0)",
    "'diverges'",
    "'crawls'",
    "'fits'",
    "np.mean(a[0])",
    "np.arange(len(a[0]))",
    "np.zeros(np.shape(a[0]))",
    "np.ones(np.shape(a[0]))",
    "np.zeros(np.shape(a[0]), bool)",
    "np.ones(len(np.unique(a[0])))",
    "(np.zeros(np.shape(a[0])),) * 2",
    "(np.zeros(np.shape(a[0])),) * 3",
]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_answer_without_work_earns_nothing(assignment, released):
    """Whatever is asked: a constant, the argument itself, arrays of zeros and ones."""
    module = judging.load(assignment.lower())
    for code in LAZY[
        :: {"A1": 1, "A2": 6}.get(assignment, 3)
    ]:  # a sandbox for A2 imports TensorFlow, which takes seconds
        answers = {
            each.name: f"import numpy as np\ndef {each.name}(*a, **k):\n    return {code}"
            for each in questions(module)
        }
        result = grading.grade_one(
            assignment,
            released(assignment),
            json.dumps(bank.notebook(assignment, answers)).encode(),
            "secret",
            spare=1,
        )
        assert result["state"] == "graded" and sum(points(result).values()) == 0, (
            code,
            {name: got for name, got in points(result).items() if got},
        )


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_bank_has_what_a_bank_needs(assignment):
    module = judging.load(assignment.lower())
    judges = sys.modules[f"translearn.coursework.instructor.judges.{assignment.lower()}"]
    asked = questions(module)
    assert 6 <= len(asked) <= 10 and len(written(module)) == 1
    assert judges.SUBMISSIONS["perfect"] == {}
    right = [answers for name, answers in judges.SUBMISSIONS.items() if "otherwise right" in name]
    assert len(right) >= 3 and all(p is None for answers in right for _, p in answers.values())
    wrong = [answers for name, answers in judges.SUBMISSIONS.items() if "mistake" in name]
    for each in asked:
        assert sum(each.name in answers for answers in wrong) >= min(3, len(each.misconceptions)), (
            f"{each.name}: a wrong submission for each misconception, please"
        )
        assert sum(each.name in answers for answers in right) >= 1, (
            f"{each.name}: no other right answer is tried"
        )
        for answers in wrong:
            if each.name in answers:
                assert answers[each.name][1] < each.points


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_visible_check_agrees_with_the_bank(assignment):
    """Full marks pass the visible check; and each of its misconceptions is met by a submission of the bank."""
    module = judging.load(assignment.lower())
    _, solved = bank.books(assignment)
    met = {each.name: set() for each in questions(module)}
    for name, book, expected in bank.cases(assignment):
        space = {"__name__": "__main__"}
        for cell in book["cells"]:
            if (
                cell["cell_type"] == "code"
                and ".check(" not in cell["source"]
                and "submit" not in cell["source"]
            ):
                exec(cell["source"], space)
        for each in questions(module):
            outcome = each.judge(*eval(f"({each.call},)", space))
            met[each.name].add(outcome.misconception)
            if expected[each.name] == each.points:
                assert outcome.passed, f"{name}, {each.name}: {outcome}"
            elif expected[each.name] == 0:
                assert not outcome.passed, (
                    f"{name}, {each.name} gets nothing and passes its visible check"
                )
    for each in questions(module):
        assert set(each.misconceptions) <= met[each.name], (
            f"{each.name}: no submission has {set(each.misconceptions) - met[each.name]}"
        )
        assert met[each.name] - {""} <= set(each.misconceptions), (
            f"{each.name}: raises {met[each.name] - {''} - set(each.misconceptions)}, not declared"
        )


# ---- killed at any moment


def _class(tmp_path, name, students):
    course = folder.new(tmp_path / name, "Killed")
    folder.write(course.root / "secret.key", "the same for both\n")
    from translearn.coursework.instructor.release import release

    course = Course(course.root)
    release(course, "A1")
    cases = [book for _, book, _ in bank.cases("A1")]
    for n in range(students):
        folder.write(
            course.submitted(f"s{n:02d}", "A1"), json.dumps(cases[n % len(cases)]).encode()
        )
    return course


def _table(course):
    return [
        (
            row["student"],
            row["points"],
            row["state"],
            *(row[q.name] for q in questions(judging.load("a1"))),
        )
        for row in books.marks(course, "A1")
    ]


def test_killed_ten_times_the_marks_are_those_of_an_undisturbed_run(tmp_path):
    students, luck = 16, random.Random(7)
    calm, killed = _class(tmp_path, "calm", students), _class(tmp_path, "killed", students)
    command = [
        sys.executable,
        "-m",
        "translearn.coursework.instructor",
        "--course",
        str(killed.root),
        "grade",
        "A1",
        "--jobs",
        "2",
    ]
    deaths, begun = 0, time.monotonic()
    grading.grade(calm, "A1", jobs=2, quiet=True)
    whole = time.monotonic() - begun
    counts = []
    while deaths < 10:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # At a random moment from its start to its end.
        time.sleep(luck.uniform(0.1, 1.0) * (whole + 3))
        if process.poll() is not None:  # it was through: begin one of them anew
            for path in (killed.root / "autograded").glob("*/A1/re*"):
                if luck.random() < 0.5:
                    path.unlink()
            continue
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        deaths += 1
        counts.append(len(list((killed.root / "autograded").glob("*/A1/result.json"))))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert _table(killed) == _table(calm)
    assert not list(killed.root.rglob(".*.part"))[20:], (
        "a killed run may leave a few unfinished files, never many"
    )
    assert grading.todo(killed, "A1") == []
    print("verdicts on disk at each death:", counts)


def test_nothing_is_graded_twice_and_a_new_file_is_graded_anew(course, hand_in):
    _, solved = bank.books("A1")
    hand_in("ada", solved)
    hand_in("alan", bank.notebook("A1", {"huber": None}))
    assert set(grading.grade(course, "A1", jobs=1, quiet=True)) == {"ada", "alan"}
    assert grading.grade(course, "A1", jobs=1, quiet=True) == {}
    hand_in("alan", solved)
    assert set(grading.grade(course, "A1", jobs=1, quiet=True)) == {"alan"}
    assert set(grading.grade(course, "A1", ["ada"], again=True, jobs=1, quiet=True)) == {"ada"}
    with pytest.raises(CourseError, match="kurt has handed in nothing"):
        grading.grade(course, "A1", ["kurt"], jobs=1, quiet=True)


# ---- the books


def _row(course, student):
    return books.marks(course, "A1", only=[student])[0]


def test_what_is_not_graded_is_never_zero(course, hand_in):
    _, solved = bank.books("A1")
    hand_in("ada", solved)
    hand_in("alan", b"not a notebook")
    grading.grade(course, "A1", jobs=1, quiet=True)
    rows = {row["student"]: row for row in books.marks(course, "A1")}
    assert [(rows[s]["points"], rows[s]["state"]) for s in ("ada", "alan", "kurt")] == [
        (None, "to be marked"),
        (None, "ungraded"),
        (None, "nothing handed in"),
    ]
    assert "JSON" in rows["alan"]["reason"]
    levels = {"The choice": "for a purpose", "The evidence": "the tension", "A test": "none"}
    assert books.mark(course, "A1", "ada", "explain", levels, "Well seen.") == 4
    assert (_row(course, "ada")["points"], _row(course, "ada")["of"]) == (34, 37)


def test_a_regrade_keeps_the_mark_given_by_hand_until_the_answer_changes(course, hand_in):
    _, solved = bank.books("A1")
    hand_in("ada", solved)
    grading.grade(course, "A1", jobs=1, quiet=True)
    levels = {"The choice": "chosen", "The evidence": "none", "A test": "none"}
    books.mark(course, "A1", "ada", "explain", levels, "")
    grading.grade(course, "A1", again=True, jobs=1, quiet=True)
    assert _row(course, "ada")["explain"] == 1
    hand_in("ada", bank.notebook("A1", {"huber": None}))
    grading.grade(course, "A1", jobs=1, quiet=True)
    assert (_row(course, "ada")["explain"], _row(course, "ada")["huber"]) == (1, 0)
    changed = bank.notebook("A1", {"explain": "I have thought again."})
    hand_in("ada", changed)
    grading.grade(course, "A1", jobs=1, quiet=True)
    assert (_row(course, "ada")["explain"], _row(course, "ada")["state"]) == (None, "to be marked")
    with pytest.raises(CourseError, match="one level for each"):
        books.mark(course, "A1", "ada", "explain", {"The choice": "splendid"}, "")


def test_the_books_are_nbgraders(course, hand_in):
    """Whoever knows nbgrader finds assignment, points and scores where nbgrader keeps them."""
    from nbgrader.api import Gradebook

    _, solved = bank.books("A1")
    hand_in("ada", solved)
    grading.grade(course, "A1", jobs=1, quiet=True)
    with Gradebook(course.gradebook) as book:
        assert book.find_assignment("A1").max_score == 37
        notebook = book.find_submission_notebook("A1", "A1", "ada")
        assert (notebook.score, notebook.needs_manual_grade) == (30, True)
    import nbformat

    ran = nbformat.read(course.graded("ada", "A1") / "A1.ipynb", as_version=4)
    nbformat.validate(ran)
    shown = next(
        cell for cell in ran.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "huber"
    )
    assert shown.outputs[0].text.startswith("1 of 1 · small errors")


# ---- where it runs


def test_workers_elsewhere_give_the_same_marks(tmp_path, monkeypatch):
    from distributed import LocalCluster

    here, there = _class(tmp_path, "here", 4), _class(tmp_path, "there", 4)
    grading.grade(here, "A1", jobs=1, quiet=True)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        grading.grade(there, "A1", scheduler=cluster.scheduler_address, quiet=True)
    assert _table(there) == _table(here)
    with pytest.raises(CourseError, match="does not answer"):
        grading.grade(there, "A1", again=True, scheduler="tcp://127.0.0.1:9", quiet=True)


def test_without_a_sandbox_nothing_is_graded(course, hand_in, monkeypatch):
    hand_in("ada", bank.books("A1")[1])
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(CourseError, match="bubblewrap is not installed, so nothing was graded"):
        grading.grade(course, "A1", jobs=1, quiet=True)
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    with pytest.raises(CourseError, match="exists on Linux only"):
        grading.grade(course, "A1", jobs=1, quiet=True)
    assert course.result("ada", "A1") is None
    monkeypatch.undo()
    done = grading.grade(
        course, "A1", jobs=1, quiet=True, unprotected=True
    )  # at the instructor's word
    assert done["ada"]["state"] == "graded" and sum(points(done["ada"]).values()) == 30


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="the suite runs as an ordinary user already"
)
def test_as_an_ordinary_user(tmp_path):
    """Root becomes an ordinary user, with nothing but a namespace of its own, and grades."""
    os.chmod(tmp_path, 0o777)
    code = (
        "import json, os, sys; from translearn.coursework.instructor import bank, grading; from translearn.coursework.instructor.submission import parse;"
        "assert os.geteuid() == 65534;"
        "released, solved = bank.books('A1');"
        "solved['cells'].insert(4, {'cell_type': 'code', 'metadata': {}, 'source': 'import os, socket\\nprint(os.path.exists(' + repr("
        + repr(str(tmp_path))
        + ") + '), len([p for p in os.listdir(\"/proc\") if p.isdigit()]))\\nsocket.create_connection((\"127.0.0.1\", 1))', 'id': 'x'});"
        "r = grading.grade_one('A1', parse(json.dumps(released).encode()), json.dumps(solved).encode(), 'k', spare=1); grading.close_pools();"
        "print(json.dumps([r['state'], r['reason'], sum(v['got'] for q in r['questions'].values() for v in q), [c for c in r['cells'] if c['error']]]))"
    )
    hidden = [
        f"/{part}"
        for part in {path.split("/")[1] for path in (sys.prefix, sys.base_prefix, str(ROOT))}
        if (os.stat(f"/{part}").st_mode & 0o005) != 0o005
    ]
    walls = ["bwrap", "--dev-bind", "/", "/"]
    for folder_ in (
        hidden
    ):  # a home that others may not enter: an empty one, with only the course and its Python in it
        walls += ["--perms", "0755", "--tmpfs", folder_]
        for path in sorted({sys.base_prefix, sys.prefix, str(ROOT)}):
            if path.startswith(folder_ + "/"):
                for parent in list(reversed(Path(path).parents))[2:]:
                    walls += ["--perms", "0755", "--dir", str(parent)]
                walls += ["--ro-bind", path, path]
    done = subprocess.run(
        [
            *walls,
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            sys.executable,
            "-c",
            code,
        ],
        cwd="/",
        env=os.environ
        | {
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "TRANSLEARN_CACHE": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    state, reason, total, errors = json.loads(done.stdout.strip().splitlines()[-1])
    assert (state, total) == ("graded", 30), reason
    assert (
        "Network is unreachable" in errors[0]["error"]["message"]
        or "refused" in errors[0]["error"]["message"]
    )
    assert errors[0]["outputs"][0]["text"].startswith("False")
    assert int(errors[0]["outputs"][0]["text"].split()[1]) <= 4
