"""Many submissions in one sandbox, each in a namespace of its own: TensorFlow starts once for all.

They are ours, so they need no walls between each other. The walls to the outside, the strict
decoder and the judges are those of the marking; what a name in a submission is asked for goes by
`s3_huber`.
"""

import json

from translearn.coursework.instructor import grading, judging, sandbox
from translearn.coursework.instructor.session import Session
from translearn.coursework.instructor.submission import parse, prepare

LIMITS = sandbox.Limits(
    total_seconds=1800, cpu_seconds=3600, cell_seconds=300, probe_seconds=60, judge_seconds=3600
)
# A cell of the notebook that stops does not stop the ones after it.
SET_UP = """
def enter(prefix, sources):
    space, stopped = {"__name__": "__main__"}, []
    for source in sources:
        try:
            exec(compile(source, prefix, "exec"), space)
        except Exception as problem:
            stopped.append(f"{type(problem).__name__}: {problem}")
    globals().update({prefix + name: value for name, value in space.items()})
    globals()[prefix + "stopped"] = stopped
    return space


def visible(prefix, module, space):
    import importlib
    from translearn.coursework.student.question import questions
    said = {}
    for each in questions(importlib.import_module(module)):
        outcome = each.judge(*eval(f"({each.call},)", dict(space)))
        said[each.name] = [outcome.kind, outcome.passed, outcome.misconception]
    globals()[prefix + "visible"] = said
"""


class Prefixed(judging.Ask):
    """Asks one of the submissions: what the judge calls `huber` is its `s3_huber`."""

    def __init__(self, session, prefix):
        super().__init__(session, LIMITS.probe_seconds)
        self.prefix = prefix

    def _put(self, probe, read, extra, seconds):
        return super()._put(probe | {"name": self.prefix + probe["name"]}, read, extra, seconds)


class Together:
    """Submissions of one assignment in a sandbox. `cells`: one for each of them, which defines
    its names with a prefix. A cell that stops is a mistake of the test.
    """

    def __init__(self, assignment, cells):
        self.module, self.known = judging.load(assignment.lower()), {}
        pool = grading.pool(self.module.AHEAD, LIMITS, False, 1)
        self.session = Session(assignment.lower(), [SET_UP, *cells], pool, LIMITS)
        assert self.session.outcomes == [None] * (1 + len(cells)), self.session.outcomes

    def ask(self, prefix):
        return Prefixed(self.session, prefix)

    def points(self, prefix, secret):
        """{question: points} of one submission, and what was said where they are not full."""
        if (prefix, secret) in self.known:
            return self.known[prefix, secret]
        got, said = {}, {}
        for each in judging.questions(self.module):
            verdicts = judging.judge(each, self.ask(prefix), secret)
            got[each.name] = sum(verdict.got for verdict in verdicts)
            said[each.name] = [v for v in verdicts if v.got != v.points]
        self.known[prefix, secret] = got, said
        return got, said

    def close(self):
        self.session.close()


def cell_of(prefix, released, book, checks=""):
    """The cell that runs a notebook, and its visible checks when the module's name is given."""
    prepared = prepare(released, parse(json.dumps(book).encode()))
    assert prepared.notes == []
    entered = f"enter({prefix!r}, {prepared.sources()!r})"
    return f"visible({prefix!r}, {checks!r}, {entered})" if checks else f"{entered};"
