"""Marking: quick for a thousand, nothing lost and nothing overwritten, and by keys as well as
without a script.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import time
import urllib.parse

import pytest
from bs4 import BeautifulSoup
from test_pages import cell, explain, judged, position, solved

from translearn.coursework.instructor import (
    books,
    by_hand,
    comments,
    folder,
    gradebook,
    lines,
    manual,
    recording,
    waiting,
)
from translearn.errors import CourseError

LOWEST = {criterion: next(iter(of)) for criterion, of in explain().rubric.items()}
HIGHEST = {criterion: list(of)[-1] for criterion, of in explain().rubric.items()}


def many(course, count):
    """`count` verdicts that are not in the books yet; {student: result}."""
    result = judged(course, "ada", solved())
    found = {}
    for number in range(count):
        student = f"s{number:04}"
        found[student] = result
        place = course.graded(student, "A1")
        place.mkdir(parents=True)
        (place / "result.json").write_text(json.dumps(result))
        handed = course.submitted(student, "A1")
        handed.parent.mkdir(parents=True)
        handed.write_bytes(course.submitted("ada", "A1").read_bytes())
    return found


@contextlib.contextmanager
def statements():
    """A list that fills with the SQL statements of the block."""
    from sqlalchemy import Engine, event

    said = []

    def note(connection, cursor, statement, *rest):
        said.append(statement)

    def committed(connection):
        said.append("COMMIT")

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", committed)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        event.remove(Engine, "commit", committed)


def score(course, student="ada"):
    return books.marks(course, "A1", only=[student])[0]["explain"]


# ---- quick


def test_verdicts_are_written_together(course):
    """As many statements for a hundred as for ten, and one transaction."""
    results = many(course, 110)
    names = sorted(results)
    with gradebook.gradebook(course):
        pass  # nbgrader looks at its tables when it is opened first
    with statements() as few:
        books.record_all(course, "A1", {name: results[name] for name in names[:10]})
    with statements() as more:
        books.catch_up(course, "A1")
    assert few.count("COMMIT") == 1 and more.count("COMMIT") == 1
    assert len(more) <= len(few) + 2 < 25  # catch_up asks whom the books have
    rows = {row["student"]: row for row in books.marks(course, "A1")}
    assert {rows[name]["huber"] for name in names} == {3}
    with statements() as none:
        books.catch_up(course, "A1")
    assert len(none) == 1


def test_a_click_reads_what_is_new_and_asks_the_books_once(course):
    results = many(course, 60)
    books.catch_up(course, "A1")
    answers = waiting.Answers(course, "A1")
    with statements() as said:
        answers.refresh()
    assert len(answers.waiting()) == 61 and len(said) == 1
    assert answers.read == 0, "a long verdict is not read to know that it has answers"
    books.mark(course, "A1", "ada", "explain", HIGHEST, "Well argued.")
    with statements() as said:
        books.mark(course, "A1", "s0003", "explain", LOWEST, "")
    assert len(said) < 15
    assert len(answers.refresh().waiting()) == 59 and answers.read == 2
    assert len(answers.refresh().all) == 61 and answers.read == 2
    # What another process writes is there at the next click: a new verdict, another answer, a
    # mark that was given in nbgrader's formgrader.
    new = course.graded("zoe", "A1")
    new.mkdir(parents=True)
    (new / "result.json").write_text(json.dumps(results["s0001"]))
    judged(course, "ada", solved(explain="Another answer."))
    with gradebook.gradebook(course) as book:
        grade = book.find_grade("explain", "A1", "A1", "s0005")
        grade.manual_score, grade.needs_manual_grade = 3, False
        book.db.commit()
    waits = {each.student for each in answers.refresh().waiting()}
    assert {"zoe", "ada"} <= waits and not {"s0003", "s0005"} & waits and len(waits) == 60


@pytest.mark.long("coursework")
def test_a_thousand(course):
    """How long it takes, as it is printed; the tests above hold what it depends on."""
    many(course, 1000)
    began = time.perf_counter()
    books.catch_up(course, "A1")
    wrote = time.perf_counter() - began
    with visit(course) as page:
        page("/")
        clicks = []
        for _ in range(20):
            began = time.perf_counter()
            assert "Saved: 7 of 7 points" in page.mark()
            clicks.append(time.perf_counter() - began)
    clicks.sort()
    print(
        f"\n1,000 verdicts into the books: {wrote:.1f} s. A click: {1000 * clicks[10]:.0f} ms "
        f"(median of 20), {1000 * clicks[-1]:.0f} ms at most."
    )


# ---- nothing is lost


class Killed(BaseException):
    """What a test raises in the place of kill -9: no handler of ours may run to mend things."""


@pytest.mark.parametrize("where", ["enter", "recorded"])
def test_what_was_killed_before_or_after_the_books_were_written_is_made_good(
    course, monkeypatch, where
):
    results = many(course, 3)
    books.catch_up(course, "A1")
    for act in (
        lambda: books.mark(course, "A1", "s0001", "explain", HIGHEST, "Well."),
        lambda: books.record(course, "A1", "s0002", results["s0002"]),
    ):
        with monkeypatch.context() as patch:

            def kill(*args):
                raise Killed

            for module in (recording, by_hand):
                patch.setattr(module, where, kill)
            (course.graded("s0002", "A1") / "recorded").unlink(missing_ok=True)
            with pytest.raises(Killed):
                act()
    with gradebook.gradebook(course):
        pass
    with statements() as said:
        books.catch_up(course, "A1")
    assert said.count("COMMIT") == 1
    assert score(course, "s0001") == 7 and score(course, "s0002") is None
    with gradebook.gradebook(course) as book:
        told = book.find_comment("explain", "A1", "A1", "s0001").manual_comment
        assert told.endswith("Well.") and "The choice: " in told
    with statements() as said:
        books.catch_up(course, "A1")
    assert len(said) == 1, "and it is written once"


def test_kill_9_at_many_moments(course):
    """Verdicts in batches of five, the process killed while it writes: each stands once in the
    books after the next start.
    """
    names = sorted(many(course, 60))

    def written():
        return sum((course.graded(name, "A1") / "recorded").exists() for name in names)

    gradebook._closed.clear()
    for moment in range(5, 55, 10):
        child = os.fork()
        if child == 0:
            recording.AT_ONCE = 5
            with contextlib.suppress(BaseException):
                books.catch_up(course, "A1")
            os._exit(0)
        while written() < moment and os.waitpid(child, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    books.catch_up(course, "A1")
    assert written() == 60
    with gradebook.gradebook(course) as book:
        got = gradebook.scores(book, "A1", names)
        submissions = [each.student_id for each in book.assignment_submissions("A1")]
    assert sorted(submissions) == ["ada", *names]
    assert all(sum(filter(None, row.values())) == 30 for row in got.values()) and len(got) == 60


def test_books_that_are_gone_come_back_with_the_marks(course, template):
    many(course, 2)
    books.catch_up(course, "A1")
    books.mark(course, "A1", "s0001", "explain", HIGHEST, "Well.")
    shutil.copy(template / "gradebook.db", course.root / "new")  # one without a submission
    os.replace(course.root / "new", course.root / "gradebook.db")
    books.catch_up(course, "A1")
    assert score(course, "s0001") == 7 and score(course, "s0000") is None


def test_marks_that_cannot_be_read_are_not_overwritten(course):
    judged(course, "ada", solved())
    path = course.graded("ada", "A1") / "manual.json"
    path.write_text('{"explain": ')
    with pytest.raises(CourseError, match="put it back from your backup"):
        books.mark(course, "A1", "ada", "explain", LOWEST, "")
    assert path.read_text() == '{"explain": '


# ---- two markers, and the page


class Visit:
    """A browser without scripts: it knows cookies, forms and redirects."""

    def __init__(self, server, port):
        self.address, self.cookies, self.html = f"http://127.0.0.1:{port}", "", ""
        self.loop = server

    def __call__(self, path, **fields):
        from tornado.httpclient import AsyncHTTPClient

        body = urllib.parse.urlencode(fields) if fields else None
        asked = AsyncHTTPClient().fetch(
            self.address + path,
            method="POST" if fields else "GET",
            body=body,
            headers={"Cookie": self.cookies},
        )
        answer = self.loop.run_until_complete(asked)
        given = [each.split(";")[0] for each in answer.headers.get_list("Set-Cookie")]
        self.cookies = self.cookies or "; ".join(given)
        self.headers, self.html = answer.headers, answer.body.decode()
        return self.html

    @property
    def soup(self):
        return BeautifulSoup(self.html, "html.parser")

    def form(self, **more):
        """The fields of the rubric's form as they stand, and `more`."""
        soup = self.soup
        fields = {}
        for each in soup.select("#rubric input, #rubric textarea, [form=rubric]"):
            if each.name == "button" or not each.get("name"):
                continue
            if each.get("type") == "radio" and not each.has_attr("checked"):
                continue
            fields[each["name"]] = each.get("value") or (each.string or "").removeprefix("\n")
        return fields | more

    def mark(self, levels=HIGHEST, comment="", **more):
        of = explain().rubric
        chosen = {f"level-{n}": list(of[c]).index(levels[c]) + 1 for n, c in enumerate(of, 1)}
        return self("/mark", **self.form(comment=comment, **chosen, **more))

    def said(self, kind="saved"):
        found = self.soup.select_one(f"header .{kind}[role]")
        return found and found.get_text()


@contextlib.contextmanager
def visit(course, names=False):
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def serve():
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(manual.application(course, None, names, token="let-me-in"))
        server.add_sockets(sockets)
        return server, sockets[0].getsockname()[1]

    server, port = loop.run_until_complete(serve())
    page = Visit(loop, port)
    page("/?token=let-me-in")
    try:
        yield page
    finally:
        server.stop()
        loop.close()
        asyncio.set_event_loop(None)


def test_two_markers_do_not_overwrite_each_other_in_silence(course):
    judged(course, "ada", solved())
    with visit(course) as one:
        books.mark(course, "A1", "ada", "explain", LOWEST, "Mine.")  # another process, meanwhile
        assert one.mark(comment="Ours.") and "somebody else marked it" in one.said("bad")
        assert "It has 0 points now, and the comment: Mine." in one.said("bad")
        assert score(course) == 0
        # What was chosen and written is still there; who has seen the other mark may save it.
        assert one.form()["comment"] == "Ours." and one.form()["level-1"] == "3"
        one("/mark", **one.form())
        assert one.said() == "Saved: 7 of 7 points." and score(course) == 7
        judged(course, "ada", solved(explain="One."))
        one("/")
        judged(course, "ada", solved(explain="Another."))
        one.mark()
        assert "is another one now" in one.said("bad") and "Another." in one.html
        assert score(course) is None


def test_a_mark_is_taken_back(course):
    judged(course, "ada", solved())
    books.mark(course, "A1", "ada", "explain", LOWEST, "First.")
    with visit(course) as page:
        page("/again")
        assert "Take the last mark back" not in page.html
        page.mark(comment="Second.")
        assert score(course) == 7 and "Every written answer" in page.html
        undo = page.soup.select_one("form[action='/undo'] input")["value"]
        page("/undo", _xsrf=undo)
        assert score(course) == 0 and "Taken back" in page.said()
        assert page.form()["comment"] == "Second." and page.form()["level-1"] == "3"
        page.mark(LOWEST, "Third.")
        books.mark(course, "A1", "ada", "explain", HIGHEST, "Another marker's.")
        page("/undo", _xsrf=undo)
        assert "that mark stays" in page.said("bad") and score(course) == 7
        page("/undo", _xsrf=undo)
        assert "no mark of this run" in page.said("bad")


def test_nothing_that_was_typed_is_lost_where_a_mark_is_not_complete(course):
    judged(course, "ada", solved())
    with visit(course) as page:
        page("/mark", **page.form(**{"level-2": 2, "comment": "So far."}))
        assert "Choose a level for: The choice, A test." in page.said("bad")
        assert page.form()["comment"] == "So far." and page.form()["level-2"] == "2"
        assert not (course.graded("ada", "A1") / "manual.json").exists()


def test_the_list_tells_states_and_points_and_no_names(course):
    for student in ("ada", "alan", "kurt"):
        judged(course, student, solved())
    books.mark(course, "A1", "alan", "explain", HIGHEST, "")
    with visit(course) as page:
        page(page.soup.select_one("#list")["href"])
        rows = [row.get_text(" ", strip=True) for row in page.soup.select("tbody tr")]
        assert sorted(row.split(" ", 2)[2] for row in rows) == [
            "marked 7 of 7",
            "waiting",
            "waiting",
        ]
        assert not re.search("ada|alan|kurt|Turing", page.html)
        (marked,) = (row for row in page.soup.select("tbody tr") if "marked" in row.get_text())
        page(marked.a["href"])
        assert "This one has 7 of 7 points" in page.html and page.form()["level-1"] == "3"
        page(page.soup.select_one("#list")["href"] + "&only=marked")
        assert len(page.soup.select("tbody tr")) == 1
    with visit(course, names=True) as page:
        page("/list")
        assert "Turing" in page.html


def test_the_answer_before_and_how_it_goes(course):
    for student in ("ada", "alan", "kurt"):
        judged(course, student, solved())
    with visit(course) as page:
        first = page.form()["place"]
        page.mark()
        assert "Answer 2 of 3 to this question, 1 marked" in page.html
        assert "each on average" in page.html
        row = page.soup.select("#spread tbody tr")[2].get_text(" ", strip=True)
        assert row == "for a purpose 1 · 100 %"
        page(page.soup.select_one("#back")["href"])
        assert page.form()["place"] == first
        page(page.soup.select_one("#back")["href"])
        assert page.said() == "This is the first answer." and page.form()["place"] == first
        page(page.soup.select_one("#skip")["href"])
        assert page.form()["place"] != first


def test_times_are_said_in_words():
    said = {0: "0 s", 59.6: "1 min", 80: "1 min 20 s", 1500: "25 min", 7500: "2 h 5 min"}
    assert {seconds: waiting.duration(seconds) for seconds in said} == said


# ---- comments used before


def test_comments_used_before_are_offered_the_most_used_first(course):
    for student, comment in (
        ("ada", "Say which."),
        ("alan", "Why?\n\nHow?"),
        ("kurt", "Why?\nHow?"),
    ):
        judged(course, student, solved())
        books.mark(course, "A1", student, "explain", LOWEST, comment)
    judged(course, "ada", solved(explain="Another."))
    with visit(course) as page:
        offered = page.soup.select(".bank li")
        assert [each.get_text(" ", strip=True) for each in offered] == [
            "Why?\nHow? 2 ×",
            "Say which. 1 ×",
        ]
        page(
            "/mark", **page.form(do=offered[1].button["value"], comment="Well.", **{"level-1": 2})
        )
        assert page.form()["comment"] == "Well.\nSay which." and page.form()["level-1"] == "2"
        assert score(course) is None, "nothing is saved by a comment"
        page(page.soup.select_one("#bank a")["href"])
        fields = {each["name"]: each["value"] for each in page.soup.select("input")}
        assert page.soup.textarea.string.strip() == "Why?\nHow?\n\nSay which."
        page("/comments", **fields, bank="Say which!\r\n\r\n<b>New</b>\r\n\r\nWhy?\r\nHow?")
        assert "Saved." in page.said() and "<b>" not in page.html
        page("/")
        offered = [each.button.get_text() for each in page.soup.select(".bank li")]
        assert offered == ["Why?\nHow?", "<b>New</b>", "Say which!"]
    folder.write(course.root / comments.FILE, '{"A1": {"explain": {"kept": [1]}}}')
    with pytest.raises(CourseError, match="Mend it"):
        comments.offered(course, "A1", "explain", [])


# ---- comments on lines


def test_a_comment_stays_with_the_text_of_its_line():
    old = [
        ("f_answer", "def f(x):\n    y = x\n    return y"),
        (None, "a = 1\nb = 2"),
        (None, "b = 2"),
    ]
    notes = [
        lines.note(old, 0, 3, "A name?"),
        lines.note(old, 2, 1, "Again?"),
        lines.note(old, 1, 1, "One?"),
    ]
    assert lines.note(old, 0, 4, "x") is None and lines.note(old, 3, 1, "x") is None
    assert lines.attached(notes, old) == (
        {
            0: [(3, "    return y", "A name?")],
            1: [(1, "a = 1", "One?")],
            2: [(1, "b = 2", "Again?")],
        },
        [],
    )
    new = [
        (None, "b = 2"),
        ("f_answer", "def f(x):\n    # new\n    y = x\n    return y  "),
        (None, ""),
    ]
    found, outdated = lines.attached(notes, new)
    assert found == {0: [(1, "b = 2", "Again?")], 1: [(4, "    return y", "A name?")]}
    assert [(each["text"], each["comment"]) for each in outdated] == [("a = 1", "One?")]
    moved = [("g_answer", "    return y")]
    assert lines.attached(notes[:1], moved) == ({}, notes[:1]), "another question's line is not it"


def own(source, **answers):
    book = solved(**answers)
    book["cells"].insert(position(book, "explain"), cell(source, "code"))
    return book


def test_comments_on_lines_are_written_without_a_script(course):
    judged(course, "ada", own("a = 1\nb = 2"))
    with visit(course) as page:
        at = page.soup.select_one(".code")["data-cell"]
        button = page.soup.select_one(f"#on-{at} button")["value"]
        typed = {f"line-{at}": 2, f"note-{at}": "Why <b>two</b>?", "level-1": 2, "do": button}
        page("/mark", **page.form(**typed | {f"line-{at}": 7}))
        assert "7 is not the number of a line" in page.said("bad")
        assert page.form()[f"note-{at}"] == "Why <b>two</b>?"
        page("/mark", **page.form(**typed))
        assert page.said() == "Saved: the comments on lines." and page.form()["level-1"] == "2"
        assert "Why <b>two</b>?" in page.soup.select_one(".code").get_text()
        change, remove = (each["value"] for each in page.soup.select(".on-line button"))
        page("/mark", **page.form(do=change))
        assert page.form()[f"note-{at}"] == "Why <b>two</b>?" and page.form()[f"line-{at}"] == "2"
        # A mark saves what is typed on lines with it.
        page.mark(**{f"note-{at}": "Two, why?"})
        assert page.said() == "Saved: 7 of 7 points."
        marked = by_hand.given(course, "A1", "ada")
        (note,) = marked[lines.KEY]
        assert (note["comment"], note["text"], note["line"]) == ("Two, why?", "b = 2", 2)
        # A newer notebook: the line went down, then away.
        judged(course, "ada", own("a = 1\nc = 3\nb = 2", explain="Another."))
        page("/")
        rows = page.soup.select_one(".code").find_all(recursive=False)
        assert rows[2].get_text() == "3b = 2" and "Two, why?" in rows[3].get_text()
        stale = page.form(**{f"line-{at}": 1, f"note-{at}": "One.", "do": f"line:{at}"})
        judged(course, "ada", own("c = 3", explain="Another."))
        page("/mark", **stale)
        assert "A newer notebook" in page.said("bad")
        gone = page.soup.find(attrs={"aria-labelledby": "outdated"})
        assert gone.pre.get_text() == "b = 2" and "Two, why?" in gone.get_text()
        drop = gone.find_all("button")[1]["value"]
        page("/mark", **page.form(do=drop) | {f"note-{at}": ""})
        assert by_hand.given(course, "A1", "ada")[lines.KEY] == []


def test_lines_made_for_it_do_not_make_a_page_of_many_megabytes(course):
    book = solved()
    for number in range(12):
        book["cells"].insert(1, cell(f"{number}\n" + "\n" * 19_000, "code"))
    judged(course, "ada", book)
    with visit(course) as page:
        assert len(page.html) < 2_000_000
        assert (
            len(page.soup.select(".code .no")) <= 4000 + 1 and "characters more" not in page.html
        )


# ---- hostile


def test_nothing_of_a_students_runs_beside_our_script(course):
    nasty = "x = '</span></div></script><script>alert(1)</script>'\n<img src=x onerror=alert(2)>"
    book = own(nasty, explain="<script>alert(3)</script> <b onclick=alert(4)>b</b> </textarea>")
    result = judged(course, "ada", book)
    at = next(n for n, each in enumerate(result["cells"]) if each["source"] == nasty)
    with by_hand.by_hand(course, "A1", "ada") as (marked, _):
        marked[lines.KEY] = [lines.note(lines.cells(result), at, 1, nasty)]
        gone = lines.note([(None, nasty)], 0, 1, nasty)
        marked[lines.KEY].append(gone | {"text": nasty})
    with visit(course) as page:
        (script,) = page.soup.find_all("script")
        digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
        policy = page.headers["Content-Security-Policy"]
        assert f"script-src 'sha256-{digest}';" in policy and "default-src 'none'" in policy
        assert "unsafe-eval" not in policy and policy.count("unsafe-inline") == 1
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        script.extract()
        soup = page.soup
        soup.script.extract()
        for each in soup.find_all(True):
            assert each.name not in ("script", "iframe", "object", "base", "link", "svg")
            assert not [name for name in each.attrs if name.startswith("on")], each
            assert not str(each.get("href", "")).startswith("javascript")
        assert soup.find_all("img") == [] and len(soup.select("#comment")) == 1
        assert page.html.count("alert(1)") >= 3, "and all of it can be read"


# ---- in a browser: last, since Playwright's event loop stays until the end of the module


def test_marking_by_keys_and_with_scripts_off(course, chromium):
    for student in ("ada", "alan", "kurt"):
        judged(course, student, own("a = 1\nb = 2", explain="See <script>alert(1)</script>"))
    books.mark(course, "A1", "kurt", "explain", LOWEST, "Say which.")
    address, ran = [], []
    _serve(course, address)
    page = chromium.new_page()
    page.on("dialog", lambda dialog: ran.append(dialog.message))
    page.on("pageerror", lambda error: ran.append(str(error)))
    page.on("console", lambda message: ran.append(message.text))
    page.goto(address[0])

    def press(*keys):
        for key in keys:
            page.keyboard.press(key)

    place = page.input_value("[name=place]")
    press("3", "9")  # there is no level 9
    assert "no level 9" in page.inner_text("#said")
    press("n")
    assert "has no level" in page.inner_text("#said"), "half a mark is not left in silence"
    press("4", "2", "c")
    page.keyboard.type("123 npu?")
    assert page.input_value("#comment") == "123 npu?"
    press("Escape", "Shift+Tab")  # out of the comment, back to the last criterion
    press("3")
    with page.expect_navigation():
        press("Enter")
    assert page.inner_text(".saved") == "Saved: 7 of 7 points."
    assert page.input_value("[name=place]") != place
    with page.expect_navigation():
        press("p")
    before = page.input_value("[name=place]")
    with page.expect_navigation():
        press("n")  # nothing was changed: it saves again, or goes on
    with page.expect_navigation():
        press("u")
    assert "Taken back" in page.inner_text(".saved") and before
    page.click(".bank button >> text=Say which.")
    assert page.input_value("#comment").endswith("Say which.")
    page.click(".code .no >> nth=1")
    page.keyboard.type("Why 2?")
    with page.expect_navigation():
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    assert "Why 2?" in page.inner_text(".on-line")
    press("?")
    page.uncheck("#keys")
    page.locator("h1").click()
    chosen = page.locator("fieldset input:checked").count()
    press("1")
    assert page.locator("fieldset input:checked").count() == chosen, "keys can be turned off"
    assert ran == []

    still = chromium.new_context(java_script_enabled=False).new_page()
    still.goto(address[0])
    assert not still.locator("#help").is_visible() and not still.locator("kbd").first.is_visible()
    for fieldset in still.locator("fieldset").all():
        fieldset.locator("input").first.focus()
        still.keyboard.press("Space")
    with still.expect_navigation():
        still.keyboard.press("Enter")
    assert still.inner_text(".saved") == "Saved: 0 of 7 points."


def _serve(course, address):
    import threading

    threading.Thread(
        target=lambda: manual.serve(course, "A1", browser=False, ready=address.append), daemon=True
    ).start()
    while not address:
        time.sleep(0.02)
