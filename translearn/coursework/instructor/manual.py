"""The page on which a person marks written answers, one after another, with the rubric beside each.

It is served to this machine only, behind a token. Answers come without names, so that the same words earn the same
points; `--names` shows them. What a student wrote is sanitised: no script of theirs runs in the marker's browser.
"""

import asyncio
import hmac
import re
import secrets
import webbrowser

from jinja2 import Environment
from markupsafe import Markup

from translearn import authoring
from translearn.authoring import handout
from translearn.coursework.instructor import books, judging
from translearn.coursework.instructor.feedback import markdown
from translearn.coursework.instructor.folder import Course, assignments, read_json
from translearn.errors import CourseError

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --line: #8886; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 80rem; padding: 0 1rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 2rem; align-items: start; }
@media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); } }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
.answer { border: 1px solid var(--line); border-radius: 6px; padding: 0 1rem; overflow-wrap: anywhere; }
.answer img { display: none; }
fieldset { border: 1px solid var(--line); border-radius: 6px; margin: 0 0 1rem; }
label.level { display: block; padding: .25rem 0; } textarea { width: 100%; box-sizing: border-box; font: inherit; }
button { font: inherit; padding: .4rem 1.2rem; } .saved { border-left: 4px solid #2e7d32; padding-left: .8rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .5rem; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% if saved %}<p class="saved" role="status">{{ saved }}</p>{% endif %}
{% if question is none %}
<p>Every written answer that was graded is marked. <a href="/again">Look at them again</a>.</p>
<p>You can close this page and stop the program with Ctrl-C. Next: <code>course.py coursework feedback</code> and <code>marks</code>.</p>
{% else %}
<p>{{ left }} {{ who }}{% if notes %} Before it ran: {{ notes | join("; ") }}.{% endif %}</p>
<main>
<section aria-label="the answer"><h2>{{ question.title }}</h2><div class="answer">{% if empty %}<p><em>Nothing was written.</em></p>{% else %}{{ answer }}{% endif %}</div>
{% if not empty %}<p>{{ words }} words{% if most and words > most %}, and at most {{ most }} were asked for{% endif %}.</p>{% endif %}
<details><summary>The question</summary>{{ asked }}</details>
<details><summary>A model answer, one of several good ones</summary>{{ model }}</details></section>
<form method="post" action="/mark" aria-label="the rubric">
{{ xsrf }}<input type="hidden" name="place" value="{{ place }}">
{% for criterion, levels in question.rubric.items() %}{% set outer = loop.index %}
<fieldset><legend>{{ criterion }}</legend>
{% for level, (points, text) in levels.items() %}<label class="level"><input type="radio" name="level-{{ outer }}" value="{{ loop.index }}" required {% if chosen.get(criterion, first[criterion] if empty else "") == level %}checked{% endif %}> <strong>{{ level }}</strong> ({{ points }}): {{ text }}</label>
{% endfor %}</fieldset>
{% endfor %}
<p><label for="comment">Comment for the student</label><br><textarea id="comment" name="comment" rows="4" maxlength="5000">{{ comment }}</textarea></p>
<p><button>Save and next</button> &nbsp; <a href="/?after={{ place | urlencode }}">skip</a>{% if not again %} &nbsp; <a href="/again">look at the marked ones again</a>{% endif %}</p>
</form>
</main>
{% endif %}
</body>
</html>
"""


def answers(course: Course, assignment: str | None = None, everything: bool = False) -> list:
    """(assignment, student, question) of each written answer that waits for a mark, in an order that tells nobody's name."""
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
    """All answers to one question in a row, so that the marker's yardstick stays where it is; the students as if shuffled."""
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
    shown = {}  # ticket → answer, of those that this page has shown: to look for one among a thousand takes seconds

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
                environment.from_string(PAGE).render(
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
            "There is no graded written answer to look at. Collect and grade first: course.py coursework grade"
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
            f"{_count(len(waiting), 'written answer')} to mark. The page is at\n  {address}\nCtrl-C stops it; what you saved is saved.",
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
