"""One page for each student: points, reasons, their answers, what a person wrote. Safe to open, and without a hidden check.

Everything that a student typed or printed is escaped; Markdown answers keep only the tags in `TAGS`. The page's own
policy (CSP) forbids scripts and every address.
"""

import re

from jinja2 import Environment
from markupsafe import Markup, escape

from translearn.coursework.instructor import books, judging
from translearn.coursework.instructor.folder import Course, read_json, write

LONGEST = 20_000  # characters of a written answer that is shown as Markdown
TAGS = [
    "p",
    "br",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "em",
    "strong",
    "del",
    "sub",
    "sup",
    "a",
    "code",
    "pre",
    "span",
    "div",
    "blockquote",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
]

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ assignment }} · {{ name }}</title>
<style>
:root { color-scheme: light dark; --line: #8886; --good: #1b6e3c; --bad: #a33b00; --wait: #5a4a9c; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd396; --bad: #ffa36b; --wait: #b9a8ff; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; } td.good, td.bad, td.wait { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
pre { background: #8881; padding: .6rem .8rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 4px; font-size: .85rem; max-height: 30rem; }
img { max-width: 100%; } .note { opacity: .8; font-size: .9rem; } .written { border-left: 4px solid var(--line); padding-left: 1rem; }
</style>
</head>
<body>
<h1>{{ assignment }} · {{ name }}</h1>
{% if unread %}<p>{{ course }}. <strong class="wait">Not graded:</strong> {{ reason[0] | lower }}{{ reason[1:] }}. It has no mark, which is not a zero: hand the notebook in again, or ask.</p>{% else %}
<p>{{ course }}. {% if points is not none %}<strong>{{ "%g" | format(points) }} of {{ of }} points.</strong>{% else %}<strong class="wait">Not complete yet:</strong> {{ reason }}. So far {{ "%g" | format(so_far) }} of {{ of }} points.{% endif %}{% if late %} Handed in {{ late }} late.{% endif %}</p>
{% if notes %}<p class="note">Before it ran: {{ notes | join("; ") }}.</p>{% endif %}
{% for q in questions %}
<h2>{{ q.title }} · {% if q.got is none %}<span class="wait">not graded</span>{% else %}<span class="{{ 'good' if q.got == q.points else 'bad' }}">{{ "%g" | format(q.got) }} of {{ q.points }}</span>{% endif %}</h2>
<table>
{% for v in q.verdicts %}<tr><td class="{{ 'wait' if v.got is none else 'good' if v.got == v.points else 'bad' }}">{% if v.got is none %}… not graded{% else %}{{ '✓' if v.got == v.points else '✗' }} {{ "%g" | format(v.got) }} of {{ v.points }}{% endif %}</td><td>{{ v.what }}{% if v.message %}<br>{{ v.message | inline }}{% endif %}</td></tr>
{% endfor %}
</table>
{% if q.source is not none %}<pre>{{ q.source }}</pre>{% else %}<p class="note">Its cell is not in the notebook.</p>{% endif %}
{% for o in q.outputs %}{% if o.kind == "picture" %}<img alt="a picture that this cell showed" src="data:image/png;base64,{{ o.png }}">{% else %}<pre>{{ o.text }}</pre>{% endif %}{% endfor %}
{% if q.error %}<p class="bad">{{ q.error.message }}{% if q.error.line %} · <code>{{ q.error.line }}</code>{% endif %}</p>{% endif %}
{% endfor %}
{% for w in written %}
<h2>{{ w.title }} · {% if w.got is none %}<span class="wait">to be marked</span>{% else %}<span class="{{ 'good' if w.got == w.points else 'bad' }}">{{ "%g" | format(w.got) }} of {{ w.points }}</span>{% endif %}</h2>
<div class="written">{{ w.answer }}</div>
<table>
{% for criterion, levels in w.rubric.items() %}<tr><th>{{ criterion }}</th><td>{% set chosen = w.levels.get(criterion) %}{% if chosen in levels %}<strong>{{ chosen }}</strong> ({{ levels[chosen][0] }} of {{ levels.values() | map(attribute=0) | max }}): {{ levels[chosen][1] }}{% else %}–{% endif %}</td></tr>
{% endfor %}
</table>
{% if w.comment %}<p><strong>Comment</strong></p><div class="written">{{ w.comment }}</div>{% endif %}
{% endfor %}
{% endif %}
<p class="note">Each question was judged by calling your functions with inputs of our own, on a machine without a network. Points and reasons you doubt: ask; a submission can be graded again.</p>
</body>
</html>
"""


def markdown(text: str) -> Markup:
    """A student's Markdown as HTML that nothing can run in: no script, no style, no address that is fetched. Other tags show as they were typed."""
    if len(text) > LONGEST:  # Markdown made for it takes minutes
        return Markup(f"<pre>{escape(text)}</pre>")
    import bleach
    from nbconvert.filters import markdown2html

    return Markup(bleach.clean(markdown2html(text), tags=TAGS, attributes={}, strip_comments=True))


def inline(text: str) -> Markup:
    """A sentence with `code` in it."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def page(course: Course, assignment: str, student: str) -> str:
    """The feedback page of one student, as HTML."""
    from translearn.coursework.student.question import questions, written

    module = judging.load(assignment.lower())
    row = books.marks(course, assignment, only=[student])[0]
    result = course.result(student, assignment) or {"questions": {}, "cells": [], "notes": []}
    manual = read_json(course.graded(student, assignment) / "manual.json") or {}
    cells = {cell["id"]: cell for cell in result["cells"] if cell["id"]}
    asked = []
    for each in questions(module):
        verdicts, cell = result["questions"].get(each.name, []), cells.get(f"{each.name}_answer")
        asked.append(
            {
                "title": each.title,
                "points": each.points,
                "got": row[each.name],
                "verdicts": verdicts,
                "source": cell and cell["source"],
                "outputs": cell["outputs"] if cell else [],
                "error": cell and cell["error"],
            }
        )
    by_hand = [
        {
            "title": each.title,
            "points": each.points,
            "got": row[each.name],
            "rubric": each.rubric,
            "levels": manual.get(each.name, {}).get("levels", {})
            if row[each.name] is not None
            else {},
            "comment": markdown(manual.get(each.name, {}).get("comment", ""))
            if row[each.name] is not None
            else "",
            "answer": markdown(cells.get(each.name, {}).get("source", "")),
        }
        for each in written(module)
    ]
    environment = Environment(autoescape=True)
    environment.filters["inline"] = inline
    return environment.from_string(PAGE).render(
        unread=not result["cells"],
        assignment=assignment,
        name=row["name"],
        course=course.name,
        points=row["points"],
        of=row["of"],
        reason=row["reason"].rstrip("."),
        late=row["late"],
        notes=result["notes"],
        so_far=sum(q["got"] or 0 for q in [*asked, *by_hand]),
        questions=asked,
        written=by_hand,
    )


def write_pages(course: Course, assignment: str, students=None) -> list:
    """Write `feedback/ID/A1/A1.html` for everyone with a graded submission; returns the paths."""
    from tqdm.auto import tqdm

    done = []
    for student in tqdm(
        students or [s for s in course.submissions(assignment) if course.result(s, assignment)],
        desc=f"Feedback for {assignment}",
        unit="page",
    ):
        path = course.feedback(student, assignment)
        write(path, page(course, assignment, student))
        for name in (
            "timestamp.txt",
            "submission_secret.txt",
        ):  # nbgrader's exchange gives the page back by these
            if (beside := course.submitted(student, assignment).with_name(name)).is_file():
                write(path.with_name(name), beside.read_bytes(), mode=0o600)
        done.append(path)
    return done
