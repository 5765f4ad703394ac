"""The page on which a person marks written answers, one after another, with the rubric beside
each.

It is served to this machine only, behind a token. Answers come without names, so that the same
words earn the same points; `--names` shows them. What a student wrote is sanitised: no script of
theirs runs in the marker's browser.
"""

import asyncio
import hmac
import re
import secrets
import webbrowser
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from translearn import authoring
from translearn.authoring import handout
from translearn.coursework.instructor import books, judging
from translearn.coursework.instructor.feedback import markdown
from translearn.coursework.instructor.folder import Course, assignments, read_json
from translearn.errors import CourseError

PAGE = Path(__file__).with_name("pages") / "marking.html"


def answers(course: Course, assignment: str | None = None, everything: bool = False) -> list:
    """(assignment, student, question) of each written answer that waits for a mark, in an order
    that tells nobody's name.
    """
    from translearn.coursework.student.question import written

    found = []
    for which in [assignment] if assignment else assignments():
        if not course.released(which).is_file():
            continue
        module = judging.load(which.lower())
        for row in books.marks(course, which):
            if (course.result(row["student"], which) or {}).get(
                "cells"
            ):  # a file that could not be read has no answers
                found += [
                    (which, row["student"], each.name)
                    for each in written(module)
                    if everything or row[each.name] is None
                ]
    return sorted(found, key=lambda place: _order(course, place))


def _order(course, place):
    """All answers to one question in a row, so that the marker's yardstick stays where it is; the
    students as if shuffled.
    """
    which, student, question = place
    return which, question, hmac.new(course.key.encode(), student.encode(), "sha256").hexdigest()


def _ticket(course, place):
    """A name for an answer in the page, which tells nobody whose it is."""
    return hmac.new(course.key.encode(), "/".join(place).encode(), "sha256").hexdigest()


def _count(n, what):
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def application(course: Course, assignment=None, names=False, token=""):
    """The tornado application; a request needs the token once, then a cookie."""
    import tornado.web

    environment, state = Environment(autoescape=True), {"again": False}
    # ticket → answer, of those that this page has shown: to look for one among a thousand takes
    # seconds
    shown = {}

    class Handler(tornado.web.RequestHandler):
        def prepare(self):
            given = (
                self.get_query_argument("token", "")
                or (self.get_signed_cookie("marker") or b"").decode()
            )
            if self.request.host.rpartition(":")[0] not in (
                "127.0.0.1",
                "localhost",
            ) or not hmac.compare_digest(given, token):
                raise tornado.web.HTTPError(403)
            self.set_signed_cookie("marker", token, httponly=True, samesite="Strict")
            self.set_header(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
            )
            self.set_header("Referrer-Policy", "no-referrer")
            self.set_header("Cache-Control", "no-store")

        def show(self, saved="", after=None):
            waiting = answers(course, assignment, state["again"])
            later = [
                place
                for place in waiting
                if after is None or _order(course, place) > _order(course, after)
            ]
            if state["again"] and not later:  # once through all of them, then only what waits
                state["again"], waiting = False, answers(course, assignment)
                later = waiting
            place = next(iter(later or waiting), None)
            if place is not None:
                shown[_ticket(course, place)] = place
            left = (
                f"{_count(len(later), 'answer')} to look at again, this one included."
                if state["again"]
                else f"{len(waiting)} still to mark."
            )
            self.finish(
                environment.from_string(PAGE.read_text(encoding="utf-8")).render(
                    saved=saved,
                    left=left,
                    again=state["again"],
                    **_view(course, place, names, self.xsrf_form_html()),
                )
            )

    class Look(Handler):
        def get(self):
            self.show(after=shown.get(self.get_query_argument("after", "")))

    class Again(Handler):
        def get(self):
            state["again"] = True
            self.redirect("/")

    class Mark(Handler):
        def post(self):
            place = shown.get(self.get_body_argument("place"))
            if place is None:
                raise tornado.web.HTTPError(400)
            which, student, name = place
            question = getattr(judging.load(which.lower()), name)
            try:
                levels = {
                    criterion: list(levels)[int(self.get_body_argument(f"level-{n}")) - 1]
                    for n, (criterion, levels) in enumerate(question.rubric.items(), 1)
                }
            except (ValueError, IndexError):
                raise tornado.web.HTTPError(400) from None
            points = books.mark(
                course, which, student, name, levels, self.get_body_argument("comment", "").strip()
            )
            self.show(f"Saved: {points:g} of {question.points} points.", after=place)

    return tornado.web.Application(
        [("/", Look), ("/again", Again), ("/mark", Mark)],
        cookie_secret=secrets.token_hex(32),
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"samesite": "Strict", "httponly": True},
    )


def _view(course, place, names, xsrf):
    if place is None:
        return {"title": f"{course.name} · all marked", "question": None}
    which, student, name = place
    result = course.result(student, which)
    text = next((cell["source"] for cell in result["cells"] if cell["id"] == name), "")
    lesson = authoring.read(assignments()[which])
    cells = handout.cells(lesson, solved=True)
    at = next(
        i
        for i, cell in enumerate(cells)
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )
    # The question stands above its rubric; the rubric stands beside the answer already.
    asked = next(
        "".join(cell["source"])
        for cell in reversed(cells[:at])
        if cell["cell_type"] == "markdown" and "".join(cell["source"]).startswith("#")
    )
    before = (read_json(course.graded(student, which) / "manual.json") or {}).get(name, {})
    person, question = course.students().get(student), getattr(judging.load(which.lower()), name)
    return {
        "title": f"{which} · {course.name}",
        "question": question,
        "answer": markdown(text),
        "asked": markdown(asked),
        "model": markdown("".join(cells[at]["source"])),
        "words": len(text.split()),
        "empty": not text.strip() or text.strip() == handout.WRITE_HERE,
        "who": (person.name if person else student)
        if names
        else "The answers come without names.",
        "first": {criterion: next(iter(levels)) for criterion, levels in question.rubric.items()},
        "most": next(
            map(
                int,
                re.findall(r"[Aa]t most (\d+) words", "".join(cells[at - 1]["source"]) + asked),
            ),
            0,
        ),
        "place": _ticket(course, place),
        "chosen": before.get("levels", {}),
        "comment": before.get("comment", ""),
        "notes": result["notes"] if names else [],
        "xsrf": Markup(xsrf),
    }


def serve(course: Course, assignment=None, names=False, port=0, browser=True, ready=None) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C. `ready` is called with the address."""
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    waiting = answers(course, assignment)
    if not waiting and not answers(course, assignment, everything=True):
        raise CourseError(
            "There is no graded written answer to look at. Collect and grade first: course.py "
            "coursework grade"
        )

    async def run():
        token = secrets.token_urlsafe(24)
        try:
            sockets = bind_sockets(port, "127.0.0.1")
        except OSError as problem:
            raise CourseError(
                f"Port {port} cannot be used ({problem.strerror}). Name another: --port 9001"
            ) from None
        server = HTTPServer(application(course, assignment, names, token))
        server.add_sockets(sockets)
        address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/?token={token}"
        print(
            f"{_count(len(waiting), 'written answer')} to mark. The page is at\n"
            f"  {address}\nCtrl-C stops it; what you saved is saved.",
            flush=True,
        )
        if ready:
            ready(address)
        if browser:
            webbrowser.open(address)
        await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        print("\nStopped.")
