"""A class from release to marks: what students get, what is collected, pages, handing in."""

import asyncio
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import OURS
from translearn.coursework.instructor import bank, books, feedback, folder, grading, manual
from translearn.coursework.instructor.release import release, solutions, texts
from translearn.coursework.student import codec, module, submit
from translearn.coursework.student.question import questions
from translearn.errors import CourseError
from translearn.paths import ROOT

ASSIGNMENTS = list(folder.assignments())


# ---- release


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_release_holds_no_solution_and_no_hidden_check(course, assignment):
    path, names = release(course, assignment)
    text = texts(path.read_bytes())
    lines = solutions(assignment)
    least = 15 if assignment in OURS else len(questions(module(assignment)))
    assert len(lines) > least and f"{assignment}.ipynb" in names
    given = {
        line.strip()
        for cell in bank.books(assignment)[0]["cells"]
        for line in cell["source"].splitlines()
    }
    assert [line for line in lines if line in text and line not in given] == []
    for word in (
        "BEGIN SOLUTION",
        "For the instructor",
        "Common mistakes",
        "judges",
        course.key,
        "Model answer",
    ):
        assert word not in text
    # The search finds what it is for.
    solved = "\n".join(cell["source"] for cell in bank.books(assignment)[1]["cells"])
    assert sum(line in solved for line in lines) == len(lines)


def test_a_release_brings_its_data_and_is_the_same_twice(course):
    first, names = release(course, "A4")
    data = first.read_bytes()
    assert {"data/fashion.npz", "data/cards/fashion.md", "data/registry.toml"} <= set(names)
    assert release(course, "A4")[0].read_bytes() == data
    with pytest.raises(CourseError, match="no assignment 'A9'"):
        release(course, "A9")


def test_a_new_release_does_not_pull_the_rug_from_under_submissions(course, hand_in):
    hand_in("ada", bank.books("A1")[1])
    course.released("A1").write_text("another text")
    with pytest.raises(CourseError, match="would not fit them"):
        release(course, "A1")


# ---- the folder


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("course.toml", "name = ", "course.toml cannot be read"),
        ("course.toml", '[due]\nA1 = "soon"', "should be a time"),
        ("students.csv", "id\nada\nADA\n", "stands there twice"),
        ("students.csv", "id\n../etc\n", "is no id"),
    ],
)
def test_a_folder_with_a_mistake_says_where_it_is(course, name, text, said):
    (course.root / name).write_text(text)
    with pytest.raises(CourseError, match=said):
        folder.Course(course.root).students()


def test_a_file_that_could_not_be_read_has_a_page_that_says_so(course, hand_in):
    hand_in("kurt", b"no notebook")
    grading.grade(course, "A1", jobs=1, quiet=True)
    page = feedback.write_pages(course, "A1")[0][0].read_text()
    assert (
        "Not graded:" in page
        and "not a zero" in page
        and "its JSON is broken" in page
        and "of 37" not in page
        and "<h2" not in page
    )


def test_nothing_is_overwritten_by_new(course):
    with pytest.raises(CourseError, match="nothing was changed"):
        folder.new(course.root)
    with pytest.raises(CourseError, match="not the folder of a class"):
        folder.Course(course.root / "release")
    assert oct((course.root / "secret.key").stat().st_mode & 0o777) == "0o600"
    assert oct(course.root.stat().st_mode & 0o777) == "0o700"


# ---- the pages

NASTY = (
    "**bold** [x](javascript:alert(3))\n\n<script>alert(1)</script>\n"
    "\n<img src=x onerror=alert(2)>\n\n<style>body{display:none}</style>\n"
    "\n<b onclick=alert(5)>b</b>"
)


def test_feedback_is_safe_and_complete(course, hand_in):
    book = bank.notebook(
        "A1",
        {
            "huber": (
                "print('</pre><script>alert(4)</script>')\ndef huber(target, guess, delta=1.0):\n"
                "    return 0.0"
            ),
            "explain": NASTY,
        },
    )
    hand_in("ada", book)
    grading.grade(course, "A1", jobs=1, quiet=True)
    books.mark(
        course,
        "A1",
        "ada",
        "explain",
        {"The choice": "chosen", "The evidence": "none", "A test": "none"},
        "See <b>lesson 01</b>.",
    )
    (path,), _ = feedback.write_pages(course, "A1")
    page = path.read_text()
    assert not re.search(r"<script|<style>body|<[^>]*(onerror|onclick|javascript:)", page)
    assert (
        "default-src 'none'" in page
        and "28 of 37 points" in page
        and "<strong>bold</strong>" in page
    )
    assert "&lt;p&gt;" not in page and "&lt;h2" not in page
    assert (
        "For errors below delta" in page
        and "See &lt;b&gt;lesson 01" in page
        and "one run is chosen with a reason" in page
    )
    assert "BEGIN SOLUTION" not in page and course.key not in page


def test_written_answers_are_marked_on_a_page_of_this_machine_only(course, hand_in):
    from tornado.httpclient import AsyncHTTPClient, HTTPClientError
    from tornado.httpserver import HTTPServer
    from tornado.httputil import url_concat
    from tornado.netutil import bind_sockets

    hand_in("ada", bank.notebook("A1", {"explain": NASTY}))
    hand_in("kurt", b"no notebook")
    grading.grade(course, "A1", jobs=1, quiet=True)

    async def visit():
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(manual.application(course, "A1", token="let-me-in"))
        server.add_sockets(sockets)
        address, client = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/", AsyncHTTPClient()
        for query in ({}, {"token": "wrong"}):
            with pytest.raises(HTTPClientError, match="403"):
                await client.fetch(url_concat(address, query))
        answer = await client.fetch(address + "?token=let-me-in")
        page = answer.body.decode()
        cookies = "; ".join(value.split(";")[0] for value in answer.headers.get_list("Set-Cookie"))
        xsrf = page.split('name="_xsrf" value="')[1].split('"')[0]
        place = page.split('name="place" value="')[1].split('"')[0]
        body = f"_xsrf={xsrf}&place={place}&level-1=3&level-2=2&level-3=1&comment=Good"
        with pytest.raises(
            HTTPClientError, match="403"
        ):  # another site cannot mark in this browser's name
            await client.fetch(
                address + "mark",
                method="POST",
                body=body.replace(xsrf, "x"),
                headers={"Cookie": cookies},
            )
        with pytest.raises(HTTPClientError, match="400"):
            await client.fetch(
                address + "mark",
                method="POST",
                body=body.replace(place, "A1/ada/explain"),
                headers={"Cookie": cookies},
            )
        saved = await client.fetch(
            address + "mark", method="POST", body=body, headers={"Cookie": cookies}
        )
        server.stop()
        return page, saved.body.decode()

    page, saved = asyncio.run(visit())
    assert (
        "1 still to mark" in page
        and "Lovelace" not in page
        and not re.search(r"\bada\b", page)
        and "the tension" in page
        and "<strong>bold</strong>" in page
    )
    page = page.replace(f"<script>{manual.SCRIPT}</script>", "")  # ours
    assert not re.search(r"<script|<[^>]*(onerror|onclick|javascript:)", page)
    assert (
        "Saved: 3 of 7 points" in saved
        and "Every written answer that was graded is marked" in saved
    )
    assert books.marks(course, "A1", only=["ada"])[0]["points"] == 33


def test_the_pages_in_a_browser(course, hand_in, monkeypatch):
    """Feedback and marking as they look: rubric beside the answer, nothing runs, nothing is
    fetched.
    """
    import threading
    import time

    from playwright.sync_api import sync_playwright

    from translearn.lab.doctor import find_chromium

    if (program := find_chromium()) is None:
        if os.environ.get("CI"):
            pytest.fail(
                "Chromium is missing, and on CI the browser tests must run. Install it: apt "
                "install chromium"
            )
        pytest.skip("no Chromium on this machine")
    hand_in("ada", bank.notebook("A1", {"explain": NASTY + " I choose A."}))
    grading.grade(course, "A1", jobs=1, quiet=True)
    (path,), _ = feedback.write_pages(course, "A1")
    address, opened, asked = [], [], []
    monkeypatch.setattr(manual.webbrowser, "open", opened.append)
    threading.Thread(
        target=lambda: manual.serve(course, "A1", ready=address.append), daemon=True
    ).start()
    while not opened:
        time.sleep(0.05)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append("a script ran"))
        page.goto(path.as_uri())
        assert page.locator("h2").count() == 9 and page.locator("h2").first.is_visible()
        page.goto(opened[0])  # a file of one's own, which leads on
        page.wait_for_selector("form")
        answer, rubric = (
            page.locator(".answer").bounding_box(),
            page.locator("fieldset").first.bounding_box(),
        )
        assert rubric["x"] > answer["x"] + answer["width"], "the rubric stands beside the answer"
        for fieldset in page.locator("fieldset").all():
            fieldset.locator("input").last.check()
        page.fill("#comment", "Well argued.")
        page.click("button:not(.default):text('Save and next')")
        assert page.inner_text(".saved") == "Saved: 7 of 7 points."
        browser.close()
    assert [
        url
        for url in asked
        if not url.startswith((path.as_uri(), opened[0], address[0].split("?")[0]))
    ] == []


# ---- handing in


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)

    def put(book, name="A1.ipynb"):
        cells = [
            cell | {"source": cell["source"].splitlines(keepends=True)} for cell in book["cells"]
        ]
        (tmp_path / name).write_text(
            json.dumps(book | {"cells": cells, "metadata": {"translearn": {"assignment": "A1"}}})
        )
        return tmp_path

    return put


def test_submit_looks_as_the_marking_will_and_writes_the_file(desk):
    place = desk(bank.books("A1")[1])
    said = submit.submit("A1", student="ada").markdown
    assert (
        "Everything that can be seen from here is well" in said
        and said.count("✓") == 10
        and "A1_ada.ipynb" in said
    )
    handed_in = json.loads((place / "A1_ada.ipynb").read_text())
    assert handed_in["metadata"]["translearn"]["student"] == "ada"


def test_submit_says_what_is_amiss(desk):
    place = desk(
        bank.notebook(
            "A1",
            {
                "huber": None,
                "gradient": (
                    "def gradient(labels, logits):\n    return np.eye(logits.shape[1])[labels]"
                ),
                "schedule": "1 / 0",
                "explain": None,
            },
        )
    )
    said = submit.submit("A1", student="ada").markdown
    assert "need a look" in said and "stops with ZeroDivisionError" in said
    for words in (
        "A loss that forgives outliers: not attempted",
        "The gradient of the cross-entropy: incorrect",
        "Warm up, then cool down: not there",
        "Two runs: not answered",
    ):
        assert words in said, said
    assert (place / "A1_ada.ipynb").exists()  # it can be handed in all the same


def test_submit_with_a_wrong_name_file_or_id(desk, monkeypatch):
    with pytest.raises(CourseError, match="The notebook is not found"):
        submit.submit("A1", student="ada")
    place = desk(bank.books("A1")[1])
    assert "Who are you" in submit.submit("A1", student="../ada").markdown
    with pytest.raises(CourseError, match="is A1, not A2"):
        submit.submit("A2", student="ada", notebook="A1.ipynb")
    (place / "A1.ipynb").write_text("{")
    with pytest.raises(CourseError, match="cannot be read as a notebook"):
        submit.submit("A1", student="ada")


def test_nbgraders_validate_button_says_what_the_checks_say(tmp_path):
    """Its button runs the notebook and looks for cells that stop."""
    for name, answers in (
        ("right", {}),
        ("wrong", {"huber": "def huber(target, guess, delta=1.0):\n    return 0.0"}),
    ):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(bank.notebook("A1", answers)))
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", "validate", f"{name}.ipynb"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )
        said = done.stdout + done.stderr
        assert ("passes all the tests" in said) == (name == "right") and (
            "VALIDATION FAILED ON 1 CELL" in said
        ) == (name == "wrong"), said[-2000:]
    assert not list(tmp_path.glob("A1_*")), "nothing is handed in by validating"


# ---- plain data only


@pytest.mark.parametrize(
    "value", [None, True, 3, 2**80, -1.5, float("inf"), "text", [1, [2.0, "x"]], {"a": [1]}]
)
def test_plain_data_goes_there_and_back(value):
    assert codec.decode(json.loads(json.dumps(codec.encode(value)))) == value


@pytest.mark.parametrize(
    "data",
    [
        {"a": ["|O", [1], ""]},
        {"a": ["<f8", [-1], ""]},
        {"a": ["<f8", [2], "AAAA"]},
        {"a": 3},
        {"x": 1},
        {"f": "1e9"},
        {"i": "zz"},
        {"d": [1]},
        {"a": ["<f8", [10**12], ""]},
        2**70,
        [[[[[[[[[[[[[[1]]]]]]]]]]]]]],
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(codec.NotPlain):
        codec.decode(data)


# ---- the command


def test_the_whole_walk_by_command(tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, str(ROOT / "course.py"), "coursework", *words],
            cwd=tmp_path / "class" if (tmp_path / "class").exists() else tmp_path,
            capture_output=True,
            text=True,
            timeout=1500,
        )

    assert run("new", "class", "--name", "Spring").returncode == 0
    (tmp_path / "class" / "students.csv").write_text(
        "id,first_name,last_name,email,lms_id\nada,Ada,Lovelace,ada@x.org,1\n"
    )
    assert "A1.ipynb" in run("release", "A1").stdout
    (tmp_path / "class" / "downloads" / "A1_ada.ipynb").write_text(json.dumps(bank.books("A1")[1]))
    assert "1 new, 0 collected before, 0 missing, 0 not taken" in run("collect").stdout
    assert "1 graded now, 0 of them without" in run("grade", "A1", "--jobs", "1").stdout
    assert "waiting for a person: 9 · Two runs" in run("marks").stdout
    assert "ada,Ada Lovelace,A1,,37,to be marked" in (tmp_path / "class" / "marks.csv").read_text()
    assert (
        "1 pages" in run("feedback").stdout
        and (tmp_path / "class" / "feedback" / "ada" / "A1" / "A1.html").is_file()
    )
    assert "never a verdict" in run("similar", "A1").stdout
    assert "A1" in run("status").stdout
    wrong = run("grade", "A7")
    assert (
        wrong.returncode == 1 and f"The assignments are: {', '.join(ASSIGNMENTS)}." in wrong.stderr
    )
