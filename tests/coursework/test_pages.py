"""The pages that a person reads: feedback and marking, of notebooks as they come in real life and
from an attacker.
"""

import asyncio
import base64
import hashlib
import io
import json
import re
import shutil
import time

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from translearn.authoring.handout import WRITE_HERE
from translearn.coursework.instructor import (
    bank,
    books,
    feedback,
    folder,
    grading,
    handed,
    judging,
    manual,
    shown,
)
from translearn.coursework.instructor.submission import grade_id, parse, prepare
from translearn.coursework.student.question import questions, written


def png(sides=(3, 2), kind="PNG"):
    file = io.BytesIO()
    Image.new("RGB", sides, (200, 30, 30)).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def two(tmp_path_factory, template):
    """A class with three students, and A1 and A4 released."""
    course = folder.Course(shutil.copytree(template, tmp_path_factory.mktemp("two") / "class"))
    folder.write(course.released("A4"), json.dumps(bank.books("A4")[0]))
    books.prepare(course, "A4")
    return course.root


@pytest.fixture
def course(two, tmp_path):
    return folder.Course(shutil.copytree(two, tmp_path / "class"))


def solved(assignment="A1", **answers):
    """The model answers as a student would have them: without the cells for the instructor."""
    book = bank.notebook(assignment, answers)
    book["cells"] = [c for c in book["cells"] if "instructor" not in c["metadata"].get("tags", [])]
    return book


def judged(course, student, book, assignment="A1", outputs=()):
    """Hand `book` in and give it a verdict with full points, without a sandbox. `outputs`: what
    each answer showed when it ran.
    """
    data = json.dumps(book).encode()
    folder.write(course.submitted(student, assignment), data)
    released = parse(course.released(assignment).read_bytes())
    prepared, module = prepare(released, parse(data)), judging.load(assignment.lower())
    names = {at: name for name, at in prepared.at.items()}
    result = {
        "version": grading.VERSION,
        "assignment": assignment,
        "submission": hashlib.sha256(data).hexdigest(),
        "state": "graded",
        "reason": "",
        "notes": prepared.notes,
        "questions": {
            each.name: [
                {"what": what, "points": points, "got": points, "message": ""}
                for what, points in each.marks.items()
            ]
            for each in questions(module)
        },
        "cells": [
            {
                "type": cell["cell_type"],
                "source": cell["source"],
                "outputs": list(outputs) if (names.get(at) or "").endswith("_answer") else [],
                "error": None,
                "id": names.get(at),
            }
            for at, cell in enumerate(prepared.cells)
        ],
    }
    grading._keep(course, assignment, student, result)
    books.record(course, assignment, student, result)
    return result


def position(book, name):
    return next(at for at, cell in enumerate(book["cells"]) if grade_id(cell) == name)


def cell(source, kind="markdown", **more):
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


def marking(course, *wanted, assignment="A1", names=False):
    """What the marking page answers: a list of pages, the first of them of `/`."""
    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    async def visit():
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(manual.application(course, assignment, names, token="let-me-in"))
        server.add_sockets(sockets)
        address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        first = await AsyncHTTPClient().fetch(f"{address}/?token=let-me-in")
        cookies = "; ".join(each.split(";")[0] for each in first.headers.get_list("Set-Cookie"))
        answers = [first] + [
            await AsyncHTTPClient().fetch(address + path, headers={"Cookie": cookies})
            for path in wanted
        ]
        server.stop()
        return [answer.body.decode() for answer in answers]

    return asyncio.run(visit())


def part(page, label):
    """The text of a section, and its HTML, by its heading's id."""
    found = BeautifulSoup(page, "html.parser").find(attrs={"aria-labelledby": label})
    return found and found.get_text(" ", strip=True)


# ---- Markdown and pictures


def test_markdown_that_takes_minutes_is_shown_as_it_was_typed():
    began = time.process_time()  # a busy machine is no reason to fail
    for text in (
        "<div>" * 20_000,
        "\\begin{a}" * 20_000,
        "| a " * 50_000,
        "<div>" * 3_900,
        "*a **b " * 2_000,
    ):
        assert shown.markdown(text)
    assert time.process_time() - began < 60
    table = shown.markdown(
        "| a | b |\n|---|---|\n| 1 | `x<y` |\n\n# T\n\n1. one\n\n<b onclick=x>c</b>"
    )
    assert (
        "<th>a</th>" in table
        and "<h1>" in table
        and "<li>" in table
        and "<code>x&lt;y</code>" in table
        and "<b" not in table
    )


PASTED = {"image.png": {"image/png": png()}}


def test_a_pasted_picture_is_shown():
    pictures = shown.attachments({"attachments": PASTED}, shown.Room())
    for text in (
        "![image.png](attachment:image.png)",
        '<img src="attachment:image.png" width="500">',
    ):
        page = shown.markdown(f"See:\n\n{text}", pictures)
        assert f'src="{pictures["image.png"]}"' in page and "<pre>" not in page
    name = {"a b.jpg": {"image/jpeg": png(kind="JPEG")}}
    pictures = shown.attachments({"attachments": name}, shown.Room())
    assert "data:image/jpeg;base64," in shown.markdown("![](attachment:a%20b.jpg)", pictures)


@pytest.mark.parametrize(
    "text",
    [
        "![gone](attachment:gone.png)",
        "![far](https://example.org/track.png)",
        "![script](data:text/html;base64,PHNjcmlwdD4=)",
        "![own](/srv/ada/secret.png)",
        '<img src="attachment:gone.png" alt="x" onerror="alert(1)">',
    ],
)
def test_a_picture_that_is_not_there_is_said_and_none_is_fetched(text):
    page = shown.markdown(f"Before. {text} After.", {})
    assert "a picture that is not shown" in page and "<img" not in page
    assert "Before." in page and "After." in page


def test_what_the_renderer_stumbles_over_is_shown_as_it_was_typed(monkeypatch):
    def stumble(text):
        raise RecursionError

    monkeypatch.setattr(shown, "_rendered", stumble)
    assert shown.markdown("a <b> c") == "<pre>a &lt;b&gt; c</pre>"


def test_pictures_are_looked_at_before_they_are_shown():
    assert shown.picture(png()).startswith("data:image/png;base64,iVBOR")
    head = base64.b64encode(base64.b64decode(png())[:20]).decode()
    for none in (
        None,
        "",
        "no base64!",
        head,
        png((shown.LARGEST_SIDE + 1, 1)),
        base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode(),
        base64.b64encode(b"BM" + b"0" * 100).decode(),
    ):
        assert shown.picture(none) is None
    again = "![](attachment:image.png) " * 500  # one large picture, many times
    pictures = shown.attachments({"attachments": PASTED}, shown.Room())
    assert shown.markdown(again, pictures).count("<img") == 1


def test_forged_outputs_of_a_run_are_limited_in_number_and_size():
    """91 MB of pictures made each page of the class wait for 23 s."""
    large = base64.b64encode(base64.b64decode(png()) + b"\0" * 900_000).decode()
    many = [{"kind": "picture", "png": large}] * 50
    room = shown.Room()
    kept = [shown.checked(many, room) for _ in range(30)]
    pictures = [item for each in kept for item in each if item["kind"] == "picture"]
    assert max(sum(i["kind"] == "picture" for i in each) for each in kept) == shown.PICTURES
    assert len(json.dumps(kept)) < shown.ALL_CHARACTERS + 100_000 and len(pictures) == 6
    assert "46 outputs more are not shown here" in kept[0][-1]["text"]
    room = shown.Room()
    small = [shown.checked([{"kind": "picture", "png": png()}] * 4, room) for _ in range(40)]
    count = sum(item["kind"] == "picture" for each in small for item in each)
    assert count == shown.ALL_PICTURES
    texts = [{"kind": "text", "text": "x" * 30_000}, {"kind": "script"}, 7, {"kind": "text"}]
    (kept, lost) = shown.checked(texts, shown.Room())
    assert len(kept["text"]) <= 20_100 and "3 outputs more" in lost["text"]
    assert shown.checked({"kind": "text"}, shown.Room()) == []


def test_outputs_that_a_file_holds_are_read_with_the_same_distrust():
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["a\n", "\x1b[31mb\x1b[0m"]},
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["x"]},
        {"output_type": "display_data", "data": {"image/png": png(), "text/plain": "<Figure>"}},
        {
            "output_type": "execute_result",
            "data": {"text/html": "<script>alert(1)</script>", "text/plain": ["a table"]},
        },
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=alert(1)>"}},
        {"output_type": "display_data", "data": 3},
        "nothing",
    ]
    kept = shown.saved(outputs, shown.Room())
    assert [each.get("text", each["kind"]) for each in kept] == [
        "a\nb",
        "ValueError: no",
        "picture",
        "a table",
        "(3 outputs more are not shown here)",
    ]
    for odd in (None, {}, "text", 3):
        assert shown.saved(odd, shown.Room()) == []
        assert shown.attachments({"attachments": odd}, shown.Room()) == {}


# ---- one page never costs another


def pasted(book, name="explain"):
    cell = book["cells"][position(book, name)]
    cell["source"] = "I choose A.\n\n![image.png](attachment:image.png)"
    cell["attachments"] = PASTED
    return book


def test_a_pasted_picture_stands_on_both_pages(course):
    judged(course, "ada", pasted(solved()))
    judged(course, "alan", solved(explain="![x](attachment:image.png) B."))
    paths, failed = feedback.write_pages(course, "A1")
    assert failed == {} and [path.parts[-3] for path in paths] == ["ada", "alan"]
    assert png() in paths[0].read_text() and "not shown: x" in paths[1].read_text()
    (first,) = marking(course)
    assert "2 still to mark" in first
    second = marking(course, re.search(r'href="(/\?after=\w+)"', first)[1])
    assert any(png() in page for page in second) and any("not shown: x" in p for p in second)


def test_nbgraders_own_pages_do_not_stop_at_a_pasted_picture(course):
    from nbconvert.filters import markdown2html

    judged(course, "ada", pasted(solved()))
    book = json.loads((course.graded("ada", "A1") / "A1.ipynb").read_text())
    (source,) = (cell["source"] for cell in book["cells"] if "image.png" in cell["source"])
    assert "I choose A." in markdown2html(source)  # which raises where an attachment is missing


def test_a_page_that_cannot_be_made_costs_nobody_else_theirs(course, monkeypatch, capsys):
    for student in ("ada", "alan", "kurt"):
        judged(course, student, solved())
    kept, whole = course.feedback("alan", "A1"), handed.notebook
    folder.write(kept, "of an older file")

    def stumble(course, assignment, student, result):
        if student == "alan":
            raise ValueError("no\nlines")
        return whole(course, assignment, student, result)

    monkeypatch.setattr(handed, "notebook", stumble)
    paths, failed = feedback.write_pages(course, "A1")
    assert [path.parts[-3] for path in paths] == ["ada", "kurt"]
    assert failed == {"alan": "ValueError: no"} and not kept.exists()

    from translearn.coursework.instructor.__main__ import main

    assert main(["--course", str(course.root), "feedback", "A1"]) == 1
    said = capsys.readouterr().out
    assert "2 pages" in said and "alan: the page cannot be made (ValueError: no)" in said

    assert all("<textarea" in page for page in marking(course, "/"))
    for student in ("ada", "kurt"):
        levels = {criterion: next(iter(of)) for criterion, of in explain().rubric.items()}
        books.mark(course, "A1", student, "explain", levels, "")
    capsys.readouterr()
    for page in marking(course, "/", "/"):
        assert "One answer cannot be shown here" in page and "<textarea" not in page
        assert "Every other written answer that was graded is marked" in page
    (told,) = capsys.readouterr().out.splitlines()  # once, and not for each page
    assert "alan's answer to explain in A1 cannot be shown (ValueError: no)" in told


def explain():
    (asked,) = written(judging.load("a1"))
    return asked


# ---- what a person needs to see


def test_the_marking_page_of_a_project_shows_its_figures(course):
    book = solved("A4")
    at = position(book, "report")
    figure = {"output_type": "display_data", "data": {"image/png": png((40, 30))}}
    stopped = {"output_type": "error", "ename": "E", "evalue": "as it was", "traceback": []}
    book["cells"][at:at] = [
        cell("# My screws\n\n![](attachment:image.png)", attachments=PASTED),
        cell("draw(errors)", "code", outputs=[figure, stopped]),
    ]
    book["cells"][position(book, "experiment_answer")]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "0.71 against 0.68"}
    ]
    result = judged(course, "ada", book, "A4")
    result["cells"][at + 1]["error"] = {"message": "FileNotFoundError: screws", "line": ""}
    grading._keep(course, "A4", "ada", result)
    (page,) = marking(course, assignment="A4")
    own = part(page, "own")
    assert "My screws" in own and "draw(errors)" in own and "E: as it was" in own
    assert "When it ran here it stopped: FileNotFoundError: screws" in own
    assert png((40, 30)) in page and png() in page
    assert "Discuss ideas with whom you like" not in page, "the text of the release is no cell"
    refers = BeautifulSoup(page, "html.parser").find(attrs={"aria-labelledby": "refers"})
    opened = [each.summary.get_text() for each in refers.find_all("details", open=True)]
    assert [title[0] for title in opened] == ["3", "4", "7"] and "7 · " in opened[2]
    shown_too = refers.find_all("details", recursive=False)
    assert len(shown_too) == len(questions(judging.load("a4")))
    assert "0.71 against 0.68" in refers.get_text() and "LogisticRegression" in refers.get_text()
    assert "default-src 'none'" in manual.POLICY and "img-src data:;" in manual.POLICY


def test_what_a_rubric_refers_to_is_there():
    for assignment in folder.assignments():
        module = judging.load(assignment.lower())
        names = {each.name for each in questions(module)}
        assert all(set(each.refers) <= names for each in written(module)), assignment


def test_a_newer_file_is_said_and_its_figures_are_not_shown_for_the_old_one(course):
    judged(course, "ada", pasted(solved()))
    folder.write(course.submitted("ada", "A1"), json.dumps(solved()))
    (page,) = marking(course)
    assert "a newer file was handed in" in page and png() not in page and "I choose A." in page


NOTHING = "Nothing was written"


def _lost(book):
    """As an editor leaves it that knows neither ids nor metadata."""
    return book | {
        "cells": [
            {key: value for key, value in each.items() if key != "id"} | {"metadata": {}}
            for each in book["cells"]
        ]
    }


def _below(book):
    at = position(book, "explain")
    book["cells"][at]["source"] = WRITE_HERE
    book["cells"].insert(at + 1, cell("I would use B, for its loss."))
    return book


def _gone(book):
    book["cells"][position(book, "explain")] = cell("I would use B, for its loss.")
    return book


def _far(book):
    book["cells"][position(book, "explain")]["source"] = ""
    book["cells"].insert(1, cell("I would use B, for its loss."))
    return book


BOOK = {"explain": "I would use B, for its loss."}


@pytest.mark.parametrize(
    "change, in_place",
    [(_lost, True), (_gone, True), (_below, False), (_far, False)],
    ids=["ids and metadata lost", "its cell replaced", "in the cell below", "at the top"],
)
def test_a_written_answer_is_found_wherever_it_stands(course, change, in_place):
    result = judged(course, "ada", change(solved(**BOOK)))
    (page,), (path,) = marking(course), feedback.write_pages(course, "A1")[0]
    assert "I would use B, for its loss." in part(page, "the-answer")
    assert NOTHING not in page and ("holds nothing" in page) == (not in_place)
    assert " checked" not in page
    assert "I would use B, for its loss." in part(path.read_text(), "written-1")
    for note in result["notes"]:
        assert note in page.replace("&#39;", "'")
    # Another answer in that place is another answer: the mark does not stay.
    levels = {criterion: next(iter(of)) for criterion, of in explain().rubric.items()}
    books.mark(course, "A1", "ada", "explain", levels, "")
    assert books.marks(course, "A1", only=["ada"])[0]["explain"] == 0
    judged(course, "ada", change(solved(**BOOK)))
    assert books.marks(course, "A1", only=["ada"])[0]["explain"] == 0
    book = change(solved(**BOOK))
    for each in book["cells"]:
        each["source"] = each["source"].replace("I would use B", "I would use A")
    judged(course, "ada", book)
    assert books.marks(course, "A1", only=["ada"])[0]["explain"] is None


def test_nothing_is_chosen_where_nothing_was_written(course):
    judged(course, "ada", solved(explain=None))
    (page,) = marking(course)
    assert NOTHING in page and " checked" not in page and 'type="radio"' in page
    book = solved(explain=None)
    book["cells"].insert(3, cell("see_here = 1", "code"))
    judged(course, "ada", book)
    (page,) = marking(course)
    assert NOTHING not in page and "see_here" in part(page, "own")


def test_a_notebook_without_ids_is_the_same_notebook():
    released = parse(json.dumps(bank.books("A1")[0]).encode())
    whole, lost = (
        prepare(released, parse(json.dumps(book).encode())) for book in (solved(), _lost(solved()))
    )
    assert lost.at == whole.at and lost.run == whole.run and lost.sources() == whole.sources()
    answers = {name for name in whole.at if name.endswith("_answer")} | {"explain"}
    assert len(lost.notes) == len(answers) and all("known by its place" in n for n in lost.notes)


# ---- for everyone who reads them


def _contrast(one, other):
    def light(colour):
        if len(colour) == 4:
            colour = "#" + "".join(2 * each for each in colour[1:])
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05

    return max(light(one), light(other)) / min(light(one), light(other))


def test_colours_can_be_told_from_their_ground():
    text = (shown.PAGES / "style.css").read_text()
    schemes = [dict(re.findall(r"--(\w+): (#\w+)", part)) for part in text.split("@media")]
    assert [len(each) for each in schemes] == [9, 9]
    for each in schemes:
        for name in ("ink", "soft", "link", "good", "bad", "wait"):
            assert min(_contrast(each[name], each[g]) for g in ("ground", "fill")) >= 4.5, name
        assert _contrast(each["line"], each["ground"]) >= 3
    for page in shown.PAGES.glob("*.html"):
        colours = re.findall(r"#[0-9a-f]{3,8}\b|opacity", page.read_text())
        assert colours == [], "a colour that stands in style.css only is looked at above"


def test_pages_have_landmarks_and_every_table_has_its_headers(course):
    answer = "# My answer\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    judged(course, "ada", pasted(solved()))
    judged(course, "alan", solved(explain=answer))
    levels = {criterion: next(iter(of)) for criterion, of in explain().rubric.items()}
    (listed,) = re.findall(r'"(/list\?at=\w+)"', marking(course)[0])
    pages = marking(course, "/again", listed, listed.replace("list", "comments"))
    for student in ("ada", "alan"):
        books.mark(course, "A1", student, "explain", levels, "So.")
    pages += [path.read_text() for path in feedback.write_pages(course, "A1")[0]]
    pages += marking(course)
    folder.write(course.submitted("kurt", "A1"), b"none")
    unread = {"state": "ungraded", "reason": "It is none.", "questions": {}, "cells": []}
    unread |= {"notes": [], "submission": grading.digest(course.submitted("kurt", "A1"))}
    grading._keep(course, "A1", "kurt", unread)
    pages += [feedback.page(course, "A1", "kurt")]
    for page in pages:
        soup = BeautifulSoup(page, "html.parser")
        assert soup.html["lang"] == "en" and soup.title.get_text(strip=True)
        assert len(soup.find_all("main")) == 1 and len(soup.find_all("h1")) == 1
        assert soup.find("header").find("h1")
        for child in soup.body.find_all(recursive=False):
            assert child.name in ("header", "main", "footer")
        for each in soup.find_all("table"):
            assert each.find_all("th") and all(h.get_text(strip=True) for h in each.find_all("th"))
        for each in soup.find_all("section"):
            assert soup.find(id=each["aria-labelledby"]).get_text(strip=True)
        for each in soup.find_all("img"):
            assert each.get("alt")
        for each in soup.find_all(["input", "textarea"]):
            assert (
                each.get("type") == "hidden"
                or each.find_parent("label")
                or soup.find("label", attrs={"for": each.get("id")})
            )


# ---- the token


def test_a_browser_is_told_no_token(course, monkeypatch):
    """What a program is started with, every account of the machine can read."""
    judged(course, "ada", solved())
    opened, seen = [], {}

    class Stop(Exception):
        pass

    def open_(address):
        opened.append(address)
        raise Stop

    monkeypatch.setattr(manual.webbrowser, "open", open_)
    with pytest.raises(Stop):
        manual.serve(course, "A1", ready=lambda address: seen.update(address=address))
    token = seen["address"].partition("token=")[2]
    assert len(token) > 20 and token not in opened[0] and opened[0].startswith("file:///")
    assert not list(course.root.glob("open-*")), "it goes when the page does"
