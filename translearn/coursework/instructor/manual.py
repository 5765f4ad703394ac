"""The page on which a person marks written answers, one after another, with the rubric beside
each, and below it what the rubric refers to: figures in the student's own cells, other questions.

It is served to this machine only, behind a token. Answers come without names, so that the same
words earn the same points; `--names` shows them. What a student wrote goes through `shown`: no
script of theirs runs in the marker's browser.
"""

import asyncio
import hmac
import re
import secrets
import webbrowser

from markupsafe import Markup

from translearn import authoring, door
from translearn.authoring import handout
from translearn.coursework.instructor import books, groups, handed, judging, shown
from translearn.coursework.instructor.folder import Course, assignments, read_json
from translearn.errors import CourseError

SHOWN = 200  # cells of the student's own on one page


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
            if groups.follows(course, which, row["student"]):
                continue  # it is marked where the one stands who handed it in
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

    state = {"again": False}
    # ticket → answer, of those that this page has shown: to look for one among a thousand takes
    # seconds
    offered, told = {}, set()

    def tell(place, problem):
        if place not in told:
            told.add(place)
            which, student, name = place
            print(
                f"{student}'s answer to {name} in {which} cannot be shown "
                f"({shown.reason(problem)}). Look at {course.submitted(student, which)} "
                f"yourself, and report this.",
                flush=True,
            )

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
                "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'self'",
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
            # One that cannot be shown is passed over: the next ones can still be marked.
            queue = [*later, *(place for place in waiting if place not in later)]
            place, view, failed = None, _nothing(course), 0
            for each in queue:
                try:
                    view = _view(course, each, names, self.xsrf_form_html())
                except Exception as problem:  # whatever a stranger's notebook sets off
                    failed += 1
                    tell(each, problem)
                else:
                    place = each
                    break
            if place is not None:
                offered[_ticket(course, place)] = place
            left = (
                f"{_count(len(later), 'answer')} to look at again, this one included."
                if state["again"]
                else f"{len(waiting)} still to mark."
            )
            self.finish(
                shown.template("marking.html").render(
                    saved=saved, left=left, again=state["again"], broken=failed, **view
                )
            )

    class Look(Handler):
        def get(self):
            self.show(after=offered.get(self.get_query_argument("after", "")))

    class Again(Handler):
        def get(self):
            state["again"] = True
            self.redirect("/")

    class Mark(Handler):
        def post(self):
            place = offered.get(self.get_body_argument("place"))
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


def _nothing(course):
    return {"title": f"{course.name} · all marked", "question": None}


def _view(course, place, names, xsrf):
    """What the page is filled with for one answer."""
    which, student, name = place
    module = judging.load(which.lower())
    result, question = course.result(student, which), getattr(module, name)
    look = handed.notebook(course, which, student, result)
    answer, in_place = look.answer(name)
    asked, most, model = _question(which, name)
    before = (read_json(course.graded(student, which) / "manual.json") or {}).get(name, {})
    person = course.students().get(student)
    own = look.own()
    return {
        "title": f"{which} · {course.name}",
        "question": question,
        "answer": answer,
        "in_place": in_place,
        "asked": shown.markdown(asked, below=2),
        "model": shown.markdown(model, below=2),
        "words": sum(len(row.source.split()) for row in answer),
        "most_words": most,
        "refers": _others(module, question, look, result),
        "own": own[:SHOWN],
        "more": max(0, len(own) - SHOWN),
        "newer": look.newer,
        "who": (person.name if person else student)
        if names
        else "The answers come without names.",
        "place": _ticket(course, place),
        "chosen": before.get("levels", {}),
        "comment": before.get("comment", ""),
        "notes": result["notes"],
        "xsrf": Markup(xsrf),
    }


def _question(which, name):
    """(the question, how many words at most (0: any number), a model answer) of the source."""
    cells = handout.cells(authoring.read(assignments()[which]), solved=True)
    texts = ["".join(cell["source"]) for cell in cells]
    at = next(
        i
        for i, cell in enumerate(cells)
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )
    # The question stands above its rubric; the rubric stands beside the answer already.
    asked = next(
        (
            text
            for cell, text in zip(reversed(cells[:at]), reversed(texts[:at]))
            if cell["cell_type"] == "markdown" and text.startswith("#")
        ),
        "",
    )
    most = re.search(r"[Aa]t most (\d+) words", f"{texts[at - 1]} {asked}")
    return asked, int(most[1]) if most else 0, texts[at]


def _others(module, written, look, result):
    """The questions that are judged, each with its answer: open are those that the rubric refers
    to.
    """
    found = []
    for each in judging.questions(module):
        got = [verdict["got"] for verdict in result["questions"].get(each.name, [])]
        found.append(
            {
                "title": each.title,
                "open": each.name in written.refers,
                "got": f"{sum(got):g} of {each.points}"
                if got and None not in got
                else "not graded",
                "row": look.row(f"{each.name}_answer"),
            }
        )
    return sorted(found, key=lambda row: not row["open"]) if written.refers else []


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
        with door.to(address, course.root) as page:
            if browser:
                webbrowser.open(page)
            await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        print("\nStopped.")
