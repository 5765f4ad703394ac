"""The benchmark of graders: all ask the same, marks are held against what was deserved, and what
a submission leaves behind is seen.
"""

import argparse
import json
import subprocess
import sys
import types

import locally
import numpy as np
import pytest

from translearn.bench.grading import cases, command, fence, graders, hidden, record, tables
from translearn.coursework.instructor import bank, judging
from translearn.errors import CourseError

# ---- the judges as hidden tests


def shares(assignment):
    """`share` of the hidden tests' text, on the names in a dictionary."""
    text = hidden.code(assignment)

    def on(space):
        names = {"space": space}
        exec(compile(text, "hidden", "exec"), names)
        return names["share"]

    return on


def test_hidden_tests_give_known_submissions_the_points_that_they_deserve():
    on, asked = shares("A1"), hidden.parts("A1", "secret")
    for name, book, expected in bank.cases("A1"):
        if "with libraries" in name:  # TensorFlow would start for it
            continue
        share = on(locally.entered(book))
        got = {
            question: round(sum(n * share(question, what, seed) for what, n, seed, _ in rows), 2)
            for question, rows in asked.items()
        }
        assert got == pytest.approx(expected), name


def test_hidden_tests_draw_what_our_judges_draw():
    for question, rows in hidden.parts("A1", "secret").items():
        for what, _, seed, _ in rows:
            ours = judging.generator("secret", "a1", question, what).random(3)
            np.testing.assert_array_equal(np.random.default_rng(seed).random(3), ours)


@pytest.mark.parametrize("assignment", ["A1", "A2"])
def test_hidden_tests_hold_neither_the_secret_nor_anything_of_the_instructors(assignment):
    book = hidden.for_nbgrader(assignment, "sesame", bank.books(assignment)[1])
    files = hidden.for_otter(assignment, "sesame")
    assert set(files) == {f"{name}.py" for name in cases.full(assignment)}
    sources = [c["source"] for c in book["cells"] if "BEGIN HIDDEN TESTS" in c["source"]]
    assert len(sources) == len(files)
    for text in [*sources, *files.values()]:
        compile(text, "test", "exec")
        assert "sesame" not in text and "coursework.instructor" not in text


def test_an_otter_file_has_the_question_s_points_in_its_cases():
    for name, text in hidden.for_otter("A2", "secret").items():
        found, fake = [], types.ModuleType("otter.test_files")

        def case(points, hidden, found=found):
            found.append(points)
            return lambda function: function

        fake.test_case = case
        modules = {"otter": types.ModuleType("otter"), "otter.test_files": fake}
        with pytest.MonkeyPatch.context() as patch:
            for each, module in modules.items():
                patch.setitem(sys.modules, each, module)
            exec(compile(text, name, "exec"), {})
        assert sum(found) == cases.full("A2")[name.removesuffix(".py")]


# ---- which submissions, and what they deserve


def test_the_cases_are_those_of_the_suite_and_some_of_the_benchmark():
    found = cases.trying(["/a/diary.txt"], "/a/gradebook.db", 4711)
    assert len({case.name for case in found}) == len(found) > 60
    assert {case.kind for case in found} == {"broken", "hostile"}
    text = b"".join(case.data for case in found)
    assert b"4711" in text and b"/a/diary.txt" in text and b"/a/gradebook.db" in text
    assert not any(word in text for word in (b"PLACES", b"BOOKS", b"PORT"))


def test_no_case_takes_the_machine_when_nothing_holds_it_back():
    """Nothing that forks, writes or allocates without end, or deletes."""
    for case in cases.trying([], "", 1):
        for word in (b"rmtree", b"rm -rf", b"bytearray", b"2**30", b"10**7", b"unshare", b"memfd"):
            assert word not in case.data, case.name
        if b"os.fork" in case.data:
            assert b"range(2000)" not in case.data and b"range(40)" not in case.data, case.name


CASE = cases.Case("x", "known", b"", {"huber": 3, "verdict": 2})


@pytest.mark.parametrize(
    "case, marks, said",
    [
        (CASE, {"huber": 3, "verdict": 2, "other": 0}, "right"),
        (CASE, {"huber": 3, "verdict": 1.5}, "wrong"),
        (CASE, {"huber": 3, "verdict": None}, "none"),
        (CASE, {"huber": 3}, "none"),
        (CASE, None, "none"),
        (cases.Case("x", "broken", b"", {"huber": None, "verdict": 2}), None, "right"),
        (cases.Case("x", "broken", b"", {"huber": None, "verdict": 2}), {"verdict": 2}, "right"),
        (
            cases.Case("x", "broken", b"", {"huber": None, "verdict": 2}),
            {"huber": 3, "verdict": 2},
            "wrong",
        ),
        (cases.Case("x", "broken", b"", {}, ungraded=True), None, "right"),
        (cases.Case("x", "broken", b"", {}, ungraded=True), {"huber": 0}, "wrong"),
    ],
)
def test_a_mark_is_right_wrong_or_missing(case, marks, said):
    assert cases.verdict(case, marks) == said


# ---- what a submission leaves behind

LEAVES = """
import os, socket, sys, time
socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
open(sys.argv[2] + "/pwned", "w").close()
if os.fork() == 0:
    os.setsid()
    time.sleep(60)
"""


def test_what_is_left_is_seen(tmp_path):
    port = _free_port()
    (tmp_path / "before").write_text("as it was")
    report = tmp_path / "out" / "report.json"
    report.parent.mkdir()
    inside = [sys.executable, str(graders.HERE / "inside.py"), str(report), port, "20"]
    subprocess.run([*inside, str(tmp_path), sys.executable, "-c", LEAVES, port, str(tmp_path)])
    said = json.loads(report.read_text())
    assert (said["code"], said["calls"], len(said["left"])) == (0, 1, 1)
    assert [path for path in said["changed"] if "out" not in path] == [str(tmp_path / "pwned")]


def test_a_grader_that_hangs_is_stopped(tmp_path):
    report = tmp_path / "report.json"
    inside = [sys.executable, str(graders.HERE / "inside.py"), str(report), _free_port(), "0.2"]
    subprocess.run([*inside, str(tmp_path), sys.executable, "-c", "import time; time.sleep(60)"])
    said = json.loads(report.read_text())
    assert (said["code"], said["left"]) == (None, [])


def test_the_fence_holds_the_class_and_nothing_else_to_write_in(tmp_path):
    (tmp_path / "mine").mkdir()
    fence.open_up(tmp_path)
    code = """
import os, socket
open("mine/file", "w").close()
for place in ("/usr/x", "/etc/x", os.environ["PYTHONPATH"] + "/x"):
    try:
        open(place, "w")
    except OSError as problem:
        print(type(problem).__name__)
print(os.getcwd(), socket.gethostbyname("localhost"), len([p for p in os.listdir("/proc")
      if p.isdigit()]) < 5)
"""
    words = [*fence.command(tmp_path), sys.executable, "-c", code]
    said = subprocess.run(words, capture_output=True, text=True)
    lines = said.stdout.splitlines()
    assert lines[-1] == f"{fence.PLACE} 127.0.0.1 True", said.stderr
    assert len(lines) == 4 and (tmp_path / "mine" / "file").exists()


def _free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


# ---- what is kept, and shown

ROWS = [
    {"grader": "ours", "assignment": "A1", "repeat": n, "submissions": 10, "wall": wall}
    | {"cpu": 20.0, "memory": 2**30, "right": 10, "none": 0, "wrong": 0}
    for n, wall in enumerate([36.0, 40.0])
]
ROWS += [
    {"grader": "ours", "name": "loops", "kind": "broken", "verdict": "right", "traces": []},
    {"grader": "nbgrader", "name": "loops", "kind": "broken", "verdict": "none", "traces": []},
    {"grader": "nbgrader", "name": "lies", "kind": "hostile", "verdict": "wrong"}
    | {"traces": ["left a file"]},
    {"grader": "ours", "workers": 2, "event": "one killed", "submissions": 18, "wall": 30.2}
    | {"right": 18, "lost": 0, "twice": 0},
]
BOOK = {"jobs": 2, "cell": 60, "measured": "2027-01-31", "versions": {"nbgrader": "0.9.6"}} | {
    "hardware": {"cores": 2, "memory_gib": 24},
    "runs": ROWS,
}


def test_the_tables_say_what_the_rows_hold():
    assert tables.speed(ROWS, "A1")[1] == [
        "ours", "950 ± 71", "3.80", "2.00", "1.00 GB", "20 of 20",
    ]  # fmt: skip
    assert tables.tried(ROWS, "broken")[1:] == [
        ["ours", "1", "1", "0", "0", "0"],
        ["nbgrader", "1", "0", "1", "0", "0"],
    ]
    assert tables.cases(ROWS)[1:] == [
        ["broken", "loops", "right", "no mark"],
        ["hostile", "lies", "–", "wrong; left a file"],
    ]
    assert tables.workers(ROWS)[1] == ["2", "one killed", "18", "30", "18", "0", "0"]
    said = tables.summary(BOOK)
    assert "| ours | 950 ± 71 |" in said and said.endswith("2 cores with 24 GB (nbgrader 0.9.6).")


def test_the_readme_has_the_record_s_tables():
    text = record.README.read_text(encoding="utf-8")
    book = record.read() if record.RECORD.exists() else None
    assert record.in_readme(text, book) == text
    assert tables.summary(BOOK) in record.in_readme(text, BOOK)
    with pytest.raises(CourseError, match="a place for the graders"):
        record.in_readme("nothing", BOOK)


def test_the_book_has_the_record_s_tables(tmp_path, monkeypatch):
    from translearn.authoring.book import measured

    monkeypatch.setattr(record, "RECORD", tmp_path / "graders.json")
    monkeypatch.setattr(measured, "experiments", lambda lessons: [])
    assert "Graders of notebooks" not in measured.page([])
    record.RECORD.write_text(json.dumps(BOOK))
    assert measured.page([]).endswith(f"{tables.summary(BOOK)}\n")


def test_a_run_carries_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(record.paths, "cache", lambda: tmp_path)
    kept = record.Kept({"jobs": 2})
    kept.add(ROWS[0])
    with open(kept.path, "a") as file:
        file.write('{"grader": "ours", "assi')  # the machine stopped here
    assert record.Kept({"jobs": 2}).rows() == ROWS[:1]
    assert record.Kept({"jobs": 3}).rows() == []
    kept.add(ROWS[2])
    assert kept.rows() == [ROWS[0], ROWS[2]]
    args = argparse.Namespace(
        repeats=2, assignments=["A1"], submissions=4, hostile=False, workers=False, jobs=2
    )
    steps = [step for step, _ in command.plan(args, graders.every()[:1], kept.rows())]
    assert steps == ["A1, 4 submissions: ours"], "the first repeat is there, the second is not"
    assert record.Kept({"jobs": 2}, fresh=True).rows() == []


def test_what_is_asked_wrongly_is_refused():
    with pytest.raises(CourseError, match="no grader 'moodle' here. There are ours, cold"):
        command.chosen(["moodle"])


@pytest.mark.long("hostile")
def test_nbgrader_and_ours_give_known_submissions_their_marks():
    from translearn.bench.grading import running

    for grader in graders.every()[:3]:
        found = running.speed(grader, "A1", 4, 2)
        assert (found["right"], found["wrong"], found["none"]) == (4, 0, 0), grader.name
        assert found["memory"] > 2**26 and found["cpu"] > 1
