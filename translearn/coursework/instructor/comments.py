"""The comments that were used before for a question, to be used again: those of its marks, the
most used first, and those that somebody keeps in the file `comments.json` of the class.
"""

import hashlib
import json
import re
from collections import Counter

from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.gradebook import gradebook
from translearn.errors import CourseError

FILE = "comments.json"  # {"A1": {"explain": {"kept": [texts], "left out": [texts]}}}


_EMPTY = re.compile(r"\n\s*\n")


def parted(text: str) -> list:
    """The comments of a text in which empty lines stand between them."""
    return _EMPTY.split(text.replace("\r\n", "\n"))


def offered(course: Course, assignment: str, question: str, marks: list) -> list:
    """[(comment, how many of `marks` have it)], the most used first, then in the order of the
    alphabet.

    marks   what stands in manual.json for the answers to this question
    """
    ours = _ours(_file(course), assignment, question)
    # Without empty lines in one, since these part the comments where they are edited.
    used = Counter(_EMPTY.sub("\n", mark["comment"]) for mark in marks if mark.get("comment"))
    texts = {*ours["kept"], *used} - set(ours["left out"])
    return sorted(((text, used[text]) for text in texts), key=lambda row: (-row[1], row[0]))


def name(text: str) -> str:
    """What a comment is called on a page, whatever is offered beside it meanwhile."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def keep(course: Course, assignment: str, question: str, texts: list, shown: list) -> None:
    """Offer `texts` from now on, and none that was among `shown` and is not among them."""
    texts = [text for text in dict.fromkeys(text.strip() for text in texts) if text]
    with gradebook(course, writing=True):  # one at a time, as for the marks themselves
        file = _file(course)
        ours = _ours(file, assignment, question)
        gone = set(shown) - set(texts)
        kept = [text for text in ours["kept"] if text not in gone]
        left = [text for text in ours["left out"] if text not in texts]
        ours["kept"] = list(dict.fromkeys([*kept, *texts]))
        ours["left out"] = list(dict.fromkeys([*left, *sorted(gone)]))
        file.setdefault(assignment, {})[question] = ours
        write(course.root / FILE, json.dumps(file, ensure_ascii=False, indent=1))


def _ours(file, assignment, question):
    ours = file.get(assignment, {}).get(question, {})
    return {name: list(ours.get(name, [])) for name in ("kept", "left out")}


def _file(course):
    """What stands in comments.json. It is yours to edit, so it may be anything."""
    path = course.root / FILE
    if not path.exists():
        return {}
    file = read_json(path)
    try:
        for questions in file.values():
            for ours in questions.values():
                for name, texts in ours.items():
                    if name not in ("kept", "left out") or not isinstance(texts, list):
                        raise TypeError
                    if not all(isinstance(text, str) for text in texts):
                        raise TypeError
    except (AttributeError, TypeError):
        raise CourseError(
            f"{path} cannot be read. It has the form "
            f'{{"A1": {{"explain": {{"kept": ["a comment"], "left out": []}}}}}}. Mend it, or '
            f"move it away: the comments of your marks are offered without it."
        ) from None
    return file
