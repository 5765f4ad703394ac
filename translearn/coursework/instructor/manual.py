"""The page on which a person marks written answers, one after another, with the rubric beside
each, and below it what the rubric refers to: figures in the student's own cells, other questions.

It is served to this machine only, behind a token. Answers come without names, so that the same
words earn the same points; `--names` shows them. What a student wrote goes through `shown`; the
only script that the page's policy (CSP) lets run is ours, known by its hash, and everything works
without it.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import webbrowser

from markupsafe import Markup

from translearn import door
from translearn.coursework.instructor import shown
from translearn.coursework.instructor.desk import Desk, count
from translearn.coursework.instructor.folder import Course
from translearn.coursework.instructor.waiting import Answers
from translearn.errors import CourseError

SCRIPT = (shown.PAGES / "marking.js").read_text(encoding="utf-8")
OURS = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; script-src 'sha256-{OURS}'; img-src data:; style-src 'unsafe-inline'; "
    f"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def application(course: Course, assignment=None, names=False, token=""):
    """The tornado application; a request needs the token once, then a cookie."""
    import tornado.web

    desk = Desk(course, assignment, names)

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
            self.set_header("Content-Security-Policy", POLICY)
            self.set_header("X-Content-Type-Options", "nosniff")
            self.set_header("Referrer-Policy", "no-referrer")
            self.set_header("Cache-Control", "no-store")
            # What a form says is looked at again under the books' lock, so a look around is for
            # what is shown next.
            if self.request.method == "GET" or not desk.answers.all:
                desk.answers.refresh()

        def one(self, name="place"):
            """The answer that a form or an address names."""
            found = desk.answers.get(self.get_argument(name, ""))
            if found is None:
                raise tornado.web.HTTPError(400)
            return found

        def page(self, template, **fields):
            self.finish(
                shown.template(template).render(
                    xsrf=Markup(self.xsrf_form_html()), script=Markup(SCRIPT), **fields
                )
            )

        def show(self, queue, **more):
            self.page("marking.html", **desk.fields(queue, **more))

    class Look(Handler):
        def get(self):
            for name in ("at", "before"):
                if one := desk.answers.get(self.get_query_argument(name, "")):
                    queue, said = ([one], "") if name == "at" else desk.before(one)
                    return self.show(queue, said=said)
            after = desk.answers.get(self.get_query_argument("after", ""))
            self.show(desk.queue(after), said=desk.said())

    class Again(Handler):
        def get(self):
            desk.again = True
            self.redirect("/")

    class Mark(Handler):
        def post(self):
            one = self.one()
            names = self.request.body_arguments
            typed = {name: self.get_body_arguments(name)[-1] for name in names}
            try:
                draft = desk.draft(one, typed)
            except ValueError:
                raise tornado.web.HTTPError(400) from None
            said, wrong = desk.act(one, typed, draft)
            if said is None:
                return self.redirect(f"/?after={one.ticket}", status=303)
            one = desk.answers.refresh().get(one.ticket)
            self.show([one], said=said, wrong=wrong, draft=draft)

    class Undo(Handler):
        def post(self):
            one, draft, said, wrong = desk.undo()
            desk.answers.refresh()
            queue = [desk.answers.get(one.ticket)] if one else desk.queue()
            self.show(queue, said=said, wrong=wrong, draft=draft)

    class List(Handler):
        def get(self):
            one = desk.answers.get(self.get_query_argument("at", ""))
            self.page("answers.html", **desk.list(one, self.get_query_argument("only", "")))

    class Bank(Handler):
        def get(self):
            self.page("comments.html", **desk.bank(self.one("at")))

        def post(self):
            one = self.one()
            wrong = desk.keep(one, self.get_body_argument("bank", ""))
            self.page("comments.html", **desk.bank(one), wrong=wrong, saved=not wrong)

    return tornado.web.Application(
        [
            ("/", Look),
            ("/again", Again),
            ("/mark", Mark),
            ("/undo", Undo),
            ("/list", List),
            ("/comments", Bank),
        ],
        cookie_secret=secrets.token_hex(32),
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"samesite": "Strict", "httponly": True},
    )


def serve(course: Course, assignment=None, names=False, port=0, browser=True, ready=None) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C. `ready` is called with the address."""
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    answers = Answers(course, assignment)
    answers.catch_up()
    if not answers.refresh().all:
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
            f"{count(len(answers.waiting()), 'written answer')} to mark. The page is at\n"
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
