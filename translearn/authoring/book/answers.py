"""The page on the kinds of answer that a check gives: each one the answer of a real check to real
code, which runs while the book is made.
"""

import linecache

from translearn.authoring.book import anchors
from translearn.authoring.reading import Lesson
from translearn.exercises import lesson01

EXERCISE = lesson01.know_nothing
HEAD = """\
# Exercises that answer back

A check tells right from wrong, and wrong from wrong. It runs what you wrote on inputs of its own,
compares numbers and never text, and accepts every right answer, however it was reached. There are
five kinds of answer. Below is each of them, given by the check of {place} to the code
above it while this book was made. The exercise:

> {task}
"""
# Kind of answer → what it is called, what it is for, and what a learner might type to get it. None
# stands for the exercise as it is found, and for our solution.
KINDS = {
    "not attempted": (
        "Not attempted yet",
        "Nothing is wrong when nothing was written, and nobody is told off for it.",
        None,
    ),
    "error": (
        "An error in your code",
        "The code stops. The check says with which input, at which line, and where to look.",
        "def know_nothing(classes):\n    chance = 1 / clases\n    return -np.log(chance)",
    ),
    "misconception": (
        "A mistake with a name",
        "The answer is exactly what one gets who thinks so. The mistake is named, and the reply "
        "is about the thought and not about the number.",
        "def know_nothing(classes):\n    return np.log(1 / classes)",
    ),
    "incorrect": (
        "Not right yet",
        "Wrong in no way that we have a name for. The check shows what it expected for which "
        "input, and what it got.",
        "def know_nothing(classes):\n    return classes / (classes + 1)",
    ),
    "passed": (
        "Passed",
        "The answer is right, and there is a sentence on what it is good for.",
        None,
    ),
}


def answered(kind: str) -> tuple:
    """(code, outcome) for a kind of answer: the code run, and what the check said of it."""
    code = KINDS[kind][2]
    if code is None:
        code = EXERCISE.stub_source if kind == "not attempted" else EXERCISE.solution_source
    return code, EXERCISE.judge(_run(code)[EXERCISE.name])


def page(lesson: Lesson) -> str:
    """The page as MyST Markdown; `lesson` is the one of the exercise, 01."""
    line, task = _task(lesson)
    heading, link = anchors.above(lesson, line)
    parts = [HEAD.format(place=f"[{anchors.title(lesson)}, {heading}]({link})", task=task)]
    for number, (kind, (title, what, _)) in enumerate(KINDS.items(), 1):
        code, outcome = answered(kind)
        parts.append(f"## {number} · {title}\n\n{what}")
        parts.append(f"```python\n{code}\n```")
        parts.append(f'<div class="check-answer">{outcome._repr_html_()}</div>')
    parts.append(
        "Behind these stand hints, each one telling more than the last, and a solution; the check "
        "accepts every other right one too. Nothing that a learner has passed leaves the machine."
    )
    return "\n\n".join(parts) + "\n"


def _task(lesson):
    """(line, text) of the paragraph that sets the exercise."""
    before = None
    for cell in lesson.cells:
        if f"def {EXERCISE.name}(" in cell.text and cell.kind == "code":
            return before.line, before.text.strip().rpartition("\n\n")[2].replace("\n", " ")
        before = cell
    raise AssertionError(f"{lesson.name} has no exercise {EXERCISE.name}.")


def _run(code):
    """The names that code defines when it is run as a notebook runs it, after `import numpy`."""
    import numpy as np

    name = "<an answer>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    names = {"__name__": "__main__", "np": np}
    exec(compile(code, name, "exec"), names)
    return names
