"""From a submission to the marks: every bank, killed runs, regrading, workers elsewhere, no
sandbox.
"""

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
from translearn.coursework.instructor import (
    bank,
    books,
    folder,
    grading,
    judging,
    sandbox,
    walls,
)
from translearn.coursework.instructor.folder import Course
from translearn.coursework.student.question import questions
from translearn.errors import CourseError
from translearn.paths import ROOT

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


@pytest.mark.parametrize(
    "students, most", [(6, 3), pytest.param(16, 10, marks=pytest.mark.long("coursework"))]
)
def test_however_often_killed_the_marks_are_those_of_an_undisturbed_run(tmp_path, students, most):
    luck = random.Random(7)
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
    while deaths < most:
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
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr
    assert _table(killed) == _table(calm)
    assert not list(killed.root.rglob(".*.part"))[20:], (
        "a killed run may leave a few unfinished files, never many"
    )
    assert grading.todo(killed, "A1") == []
    print("verdicts on disk at each death:", counts)


def test_ctrl_c_ends_it_soon(released):
    """The sandboxes at work are ended, nobody waits for their time limits, nothing else begins."""
    began, asked, seen = time.monotonic(), [], []
    loops = json.dumps(bank.notebook("A1", {"huber": "while True: pass"})).encode()

    def hand_in(submit, student, book, spare):
        asked.append(student)
        data = loops if student else b"not a notebook"
        return submit(grading.grade_one, "A1", book, data, "secret", spare=1)

    def keep(student, future):
        time.sleep(1)
        seen.append(student)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grading._here(2, hand_in, released("A1"), range(9), keep)
    assert seen == [0] and asked == [0, 1, 2, 3]
    assert time.monotonic() - began < sandbox.Limits().cell_seconds / 2


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
    monkeypatch.setattr(grading, "ANSWERS_WITHIN", 1)
    with pytest.raises(CourseError, match="does not answer"):
        grading.grade(there, "A1", again=True, scheduler="tcp://127.0.0.1:9", quiet=True)


def test_without_a_sandbox_nothing_is_graded(course, hand_in, monkeypatch):
    hand_in("ada", bank.books("A1")[1])
    monkeypatch.setattr(walls.shutil, "which", lambda name: None)
    with pytest.raises(CourseError, match="bubblewrap is not installed, so nothing was graded"):
        grading.grade(course, "A1", jobs=1, quiet=True)
    monkeypatch.setattr(walls.sys, "platform", "darwin")
    with pytest.raises(CourseError, match="exists on Linux only"):
        grading.grade(course, "A1", jobs=1, quiet=True)
    assert course.result("ada", "A1") is None
    monkeypatch.undo()
    done = grading.grade(
        course, "A1", jobs=1, quiet=True, unprotected=True
    )  # at the instructor's word
    assert done["ada"]["state"] == "graded" and sum(points(done["ada"]).values()) == 30


AS_NOBODY = '''
import json, os, sys
from translearn.coursework.instructor import bank, grading
from translearn.coursework.instructor.submission import parse

assert os.geteuid() == 65534
released, solved = bank.books("A1")
look = """
import os, socket
print(os.path.exists(PLACE), len([p for p in os.listdir("/proc") if p.isdigit()]),
      open("/proc/sys/user/max_user_namespaces").read())
socket.create_connection(("127.0.0.1", 1))
"""
cell = {"cell_type": "code", "metadata": {}, "source": look, "id": "x"}
solved["cells"].insert(4, cell)
released, data = parse(json.dumps(released).encode()), json.dumps(solved).encode()
result = grading.grade_one("A1", released, data, "k", spare=1)
cold = [pool.cold for pool in grading._pools.values()]
grading.close_pools()
total = sum(verdict["got"] for verdicts in result["questions"].values() for verdict in verdicts)
errors = [cell for cell in result["cells"] if cell["error"]]
print(json.dumps([result["state"], result["reason"], total, errors, cold]))
'''


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="the suite runs as an ordinary user already"
)
def test_as_an_ordinary_user(tmp_path):
    """Root becomes an ordinary user, with nothing but a namespace of its own, and grades."""
    os.chmod(tmp_path, 0o777)
    code = AS_NOBODY.replace("PLACE", repr(str(tmp_path)))
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
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    state, reason, total, errors, cold = json.loads(done.stdout.strip().splitlines()[-1])
    assert cold == [""]
    assert (state, total) == ("graded", 30), reason
    assert "Operation not permitted" in errors[0]["error"]["message"]
    assert errors[0]["outputs"][0]["text"].startswith("False")
    assert int(errors[0]["outputs"][0]["text"].split()[1]) <= 4
    assert errors[0]["outputs"][0]["text"].split()[2] == "0", "a namespace in a namespace"
