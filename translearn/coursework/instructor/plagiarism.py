"""What tools that look for copied code read: JPlag, MOSS, Dolos.

Each submission is a folder with one Python file, of the code that the student wrote; what was
released stands in a folder of its own, which these tools take as the base code that everybody has.
"""

import ast
import hashlib
import hmac
import io
import json
import re
import shutil
import tokenize
import warnings
from pathlib import Path

from translearn.coursework.instructor import groups, tables
from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.submission import Unreadable, parse, read
from translearn.errors import CourseError

# Only IPython reads these: a line magic, a shell command, a question; `%%` is a whole cell's.
NOT_PYTHON = re.compile(r"^([ \t]*)([%!?])", re.M)
ASSIGNED = re.compile(r"^([ \t]*\w[\w.]* *= *)([%!])", re.M)  # files = !ls


def export(course: Course, assignment: str, names: bool = True) -> tuple:
    """Write `plagiarism/A1/`: `submissions/ID/A1.py`, `base/A1.py`, and without names also
    `key.csv`, which says whose each is. Returns (the folder, the students in it, {student: why
    not}). What stood there before is replaced.

    names   False: folders are numbered, in an order that tells nothing, and a student's own name,
            id and e-mail address are taken out of comments and texts
    """
    released = read_json(course.released(assignment))
    if released is None:
        raise CourseError(f"{assignment} was not released from this folder yet.")
    released = parse(json.dumps(released).encode())
    given = {_text(cell) for cell in released["cells"] if cell["cell_type"] == "code"}
    codes, without, people = {}, {}, course.students()
    for student in course.submissions(assignment):
        if lead := groups.follows(course, assignment, student):
            without[student] = f"{lead} handed it in for the group"
            continue
        try:
            book = parse(read(course.submitted(student, assignment)))
        except (OSError, Unreadable) as problem:
            without[student] = str(problem)
            continue
        own = [
            _text(cell)
            for cell in book["cells"]
            if cell["cell_type"] == "code" and _text(cell) not in given
        ]
        if any(own):
            codes[student] = _python(own)
        else:
            without[student] = "there is no code of the student's own in it"
    place = course.root / "plagiarism" / assignment
    if place.exists():
        shutil.rmtree(place)
    base = _python([_text(cell) for cell in released["cells"] if cell["cell_type"] == "code"])
    write(place / "base" / f"{assignment}.py", base)
    order, key = sorted(codes), []
    if not names:
        order.sort(key=lambda who: _shuffled(course, assignment, who))
    for n, student in enumerate(order, 1):
        label = student if names else f"s{n:0{len(str(len(order)))}}"
        code = codes[student]
        if not names:
            code = _nameless(code, groups.members(course, assignment, student), people)
        write(place / "submissions" / label / f"{assignment}.py", code)
        key.append({"submission": label, "student": student})
    if not names:
        tables.save(place / "key.csv", key, ["submission", "student"])
    return place, order, without


def _text(cell):
    return cell["source"].strip()


def _python(sources):
    """One Python file of cells. What is none becomes a comment, line for line."""
    parts = []
    for source in filter(None, sources):
        if source.startswith("%%"):
            source = "".join(f"# {line}" for line in source.splitlines(True))
        elif not _parses(source):  # in Python, too, a line may begin with %
            source = NOT_PYTHON.sub(r"\1pass  # \2", source)
            source = ASSIGNED.sub(r"\1None  # \2", source)
        parts.append(f"# %%\n{source}\n")
    return "\n".join(parts)


def _parses(source):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a student's escapes
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _shuffled(course, assignment, student):
    text = f"plagiarism {assignment} {student}".encode()
    return hmac.new(course.key.encode(), text, hashlib.sha256).digest()


def _nameless(code, authors, people):
    """The code without what names its authors (ids), where a program says nothing: in comments
    and texts. Names of its functions and variables stay.
    """
    words = set(authors)
    for who in filter(None, map(people.get, authors)):
        words |= {who.email, who.first_name, who.last_name, who.lms_id}
    words = sorted((word for word in words if len(word) > 1), key=len, reverse=True)
    name = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.I)
    lines = code.splitlines(True)
    try:
        found = [
            token
            for token in tokenize.generate_tokens(io.StringIO(code).readline)
            if token.type in SAYS
        ]
    except (tokenize.TokenError, SyntaxError):
        return name.sub("student", code)  # not Python: better a word too many
    for token in reversed(found):
        (first, start), (last, end) = token.start, token.end
        text = name.sub("student", token.string)
        if text != token.string:
            rest = lines[last - 1][end:]
            lines[first - 1 : last] = [lines[first - 1][:start] + text + rest]
            lines = "".join(lines).splitlines(True)
    return "".join(lines)


SAYS = {
    getattr(tokenize, name)
    for name in ("COMMENT", "STRING", "FSTRING_MIDDLE", "TSTRING_MIDDLE")
    if hasattr(tokenize, name)
}


def commands(place: Path, assignment: str) -> str:
    """How each of the tools is told of the two folders."""
    base, files = f"base/{assignment}.py", f"submissions/*/{assignment}.py"
    return (
        f"In {place}:\n"
        f"  JPlag   java -jar jplag.jar -l python3 -bc base submissions\n"
        f"  Dolos   dolos run -l python -i {base} {files}\n"
        f"  MOSS    moss -l python -d -b {base} {files}\n"
        f"JPlag and Dolos stay on your machine; MOSS sends the code to Stanford."
    )
