"""Take in what students sent: zips and folders as Moodle, Canvas and e-mail name them. Nothing in
them is run.

Whose a file is, the outermost name says: an LMS writes that one, and everything inside is written
by students. A file whose inner names, or whose notebook, say somebody else is listed and not
taken.

Moodle   `Ada Lovelace_48213_assignsubmission_file_/A1_ada.ipynb` (a folder, or a zip's entry)
Canvas   `lovelaceada_LATE_1234_56789_A1_ada-2.ipynb` (-2: the second time it was handed in)
e-mail   `A1_ada.ipynb`, `ada/A1.ipynb`, `A1 (1).ipynb` in a folder named for the student
nbgrader `ada+A1+2027-03-01 09:30:00.000000 UTC+Xy12/A1.ipynb` (a JupyterHub's exchange; it must
         be ada's own file)
"""

import hashlib
import re
import time
import unicodedata
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from translearn.coursework.instructor import books
from translearn.coursework.instructor.folder import Course, assignments, write
from translearn.coursework.instructor.inbox import Found, walk
from translearn.coursework.instructor.submission import Unreadable, parse
from translearn.coursework.student.codec import whole
from translearn.errors import CourseError

MOODLE = re.compile(r"^(?P<name>.+?)_(?P<lms>\d+)_assignsubmission_\w+$", re.I)
CANVAS = re.compile(
    r"^(?P<name>[^_\W]+)_(?P<late>late_)?(?P<lms>\d+)_(?P<submission>\d+)_(?P<file>.+)$", re.I
)
AGAIN = re.compile(
    r"[-_ ](?P<n>\d{1,2})$"
)  # Canvas's "-2", a browser's " (2)" comes without its brackets


def collect(
    course: Course, downloads, assignment: str | None = None, student: str | None = None
) -> list:
    """Sort what lies in `downloads` (a folder or a zip) into `submitted/`; returns a `Found` for
    each file, and one for each student who is missing.

    assignment  take files for this one only, and files that name none as being for it
                (as is done when only one is out)
    student     take everything as being this student's, whatever the names say
    Of several files of one student the newest is taken; an older one that was collected before is
    kept under `earlier/`.
    """
    downloads = Path(downloads)
    if not downloads.exists():
        raise CourseError(
            f"There is no {downloads}. Give the folder, or the zip, that you downloaded."
        )
    students, found = course.students(), list(walk(downloads))
    out = [name for name in assignments() if course.released(name).is_file()]
    fallback = assignment or (out[0] if len(out) == 1 else "")
    if not students:
        raise CourseError(
            "students.csv lists nobody, so no file can be told from another. Fill it in first: "
            "one line a student."
        )
    names = _names(students)
    if student is not None and student not in students:
        raise CourseError(f"There is no {student} in students.csv.")
    now = time.time()
    for each in found:
        each.place, each.when = _shown(each.place), min(each.when, now)
        try:
            _recognise(each, students, names, assignment, fallback, student)
        except Exception as problem:  # made by hand to be stumbled over: it costs nobody else
            each.state, each.problem = (
                "unreadable",
                f"it cannot be made sense of ({type(problem).__name__})",
            )
    chosen = defaultdict(list)
    for each in found:
        if each.student and each.assignment and not each.state:
            chosen[each.student, each.assignment].append(each)
    for several in chosen.values():
        several.sort(key=lambda each: (not _unreadable(each), each.attempt, each.when, each.place))
        for older in several[:-1]:
            older.state = "older" if older.data != several[-1].data else "duplicate"
            older.problem = (
                f"not used: {several[-1].place} is "
                f"{'the same' if older.state == 'duplicate' else 'newer'}"
            )
        # The same file sent twice came when it came first.
        several[-1].when = min(each.when for each in several if each.data == several[-1].data)
        _take(course, several[-1])
    handed_in = {which: set(course.submissions(which)) for which in assignments()}
    wanted = (
        [assignment]
        if assignment
        else sorted({each.assignment for each in found if each.assignment})
    )
    for which in wanted:
        for student in students:
            if student not in handed_in[which]:
                found.append(
                    Found(
                        "",
                        (),
                        0,
                        student=student,
                        assignment=which,
                        state="missing",
                        problem="no file for this student",
                    )
                )
    return found


# ---- whose, and for what


def _shown(text):
    """A name as a terminal and a table may show it: without what moves the cursor, and with whole
    characters.
    """
    return re.sub(
        r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "?", whole(str(text))
    )


def _plain(text):
    """Letters and digits only, without accents and case: as an LMS writes names into files'."""
    text = unicodedata.normalize("NFKD", text)
    return re.sub(
        r"[^a-z0-9]", "", "".join(c for c in text if not unicodedata.combining(c)).lower()
    )


def _names(students):
    """Everything that a student may be called → their id; what two of them share names neither."""
    found = defaultdict(set)
    for student in students.values():
        for text in (
            student.id,
            student.email,
            student.email.partition("@")[0],
            student.first_name + student.last_name,
            student.last_name + student.first_name,
        ):
            if _plain(text):
                found[_plain(text)].add(student.id)
    return {text: next(iter(ids)) for text, ids in found.items() if len(ids) == 1}


def _recognise(found, students, names, assignment, fallback, student=None):
    """Fill in student and assignment, or the state and the reason why not."""
    if found.student:  # nbgrader's exchange says both
        if found.student not in students:
            found.state, found.student, found.problem = (
                "unknown student",
                "",
                f"{found.student} is not in students.csv",
            )
        elif found.assignment not in assignments():
            found.state, found.problem = (
                "unknown assignment",
                f"there is no assignment {found.assignment}",
            )
        elif assignment and found.assignment != assignment:
            found.state, found.problem = (
                "another assignment",
                f"it is for {found.assignment}; collect without --assignment takes it",
            )
        elif found.problem:
            found.state = "unreadable"
        return
    *folders, file = found.parts
    stem = re.sub(r" ?\((\d{1,3})\)$", r"-\1", Path(file).stem)
    lms = {each.lms_id: each.id for each in students.values() if each.lms_id}
    guesses, written = (
        [],
        False,
    )  # who the names say that it is, the outermost first; whether an LMS wrote that one
    for depth, part in enumerate([*folders, Path(file).stem]):
        moodle, canvas = MOODLE.match(part), CANVAS.match(part)
        if (moodle or canvas) and not guesses:
            sign = moodle or canvas
            guesses, written = [lms.get(sign["lms"]) or names.get(_plain(sign["name"]))], True
            if canvas and depth == len(folders):
                found.said_late, stem = bool(canvas["late"]), canvas["file"]
                if again := AGAIN.search(stem):
                    found.attempt, stem = int(again["n"]), stem[: again.start()]
        elif depth < len(folders):
            guesses += filter(
                None,
                [
                    names.get(_plain(part))
                    or names.get(
                        _plain(re.sub(r"(?<![A-Za-z0-9])A\d(?![0-9])", "", part, flags=re.I))
                    )
                ],
            )
        if (
            guesses and depth == found.packed
        ):  # a student's own zip: what is in it can bear any date
            found.when = found.packed_when
    stem = AGAIN.sub("", stem)
    book = None
    if not found.problem:
        try:
            book = parse(found.data)
        except Unreadable as problem:
            found.problem = str(problem)
    said = book["metadata"].get("translearn", {}) if book else {}
    said = said if isinstance(said, dict) else {}
    # Which assignment: what the notebook says, else what a name says, else what one is collecting.
    which = str(said.get("assignment", ""))[:20]
    if which not in assignments():
        which = next(
            (
                name
                for text in (stem, *reversed(folders))
                for name in assignments()
                if re.search(rf"(?<![A-Za-z0-9]){name}(?![0-9])", text, re.I)
            ),
            fallback,
        )
    rest = re.sub(rf"(?<![A-Za-z0-9]){which}(?![0-9])", "", stem, flags=re.I) if which else stem
    guesses += [names.get(_plain(rest)), names.get(_plain(str(said.get("student", ""))[:64]))]
    found.student = student or (guesses[0] or "" if written else next(filter(None, guesses), ""))
    others = {each for each in guesses if each and each != found.student} if not student else ()
    found.assignment = which
    looks = Path(file).suffix.lower()
    if looks not in (".ipynb", ".json") and book is None:
        found.state, found.problem = (
            "not a notebook",
            f"a {looks or 'file'} was sent, not a notebook"
            if found.data or not found.problem
            else found.problem,
        )
    elif not found.student:
        found.state, found.problem = (
            "unknown student",
            "its name and folder fit nobody in students.csv (or more than one): name the file "
            "A1_ID.ipynb",
        )
    elif not which:
        found.state, found.problem = (
            "unknown assignment",
            "it does not say for which assignment it is: name the file A1_ID.ipynb",
        )
    elif assignment and which != assignment:
        found.state, found.problem = (
            "another assignment",
            f"it is for {which}; collect without --assignment takes it",
        )
    elif found.problem and not found.data:
        found.state = "unreadable"
    elif others and found.student:
        found.state, found.problem = (
            "two names",
            f"it is {found.student}'s by where it lies, and {', '.join(sorted(others))}'s by a "
            f"name inside. If it is {found.student}'s: collect it alone, with --student "
            f"{found.student}",
        )


def _unreadable(found):
    try:
        parse(found.data)
    except Unreadable:
        return True
    return False


def _take(course, found):
    """Put the file in its place, whole; what lay there goes to `earlier/`."""
    path = course.submitted(found.student, found.assignment)
    if _unreadable(found) and path.is_file():
        found.state, found.problem = (
            "unreadable",
            f"{found.problem}; the file that was collected before stays",
        )
        return
    stamp = path.with_name("timestamp.txt")
    when = datetime.fromtimestamp(found.when).astimezone()
    if found.secret:
        write(path.with_name("submission_secret.txt"), found.secret, mode=0o600)
    if path.is_file() and path.read_bytes() == found.data:
        found.state, found.problem = "unchanged", found.problem or "collected before"
    else:
        if path.is_file():
            old = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
            write(path.parent / "earlier" / f"{found.assignment}-{old}.ipynb", path.read_bytes())
        write(stamp, when.isoformat(timespec="seconds") + "\n")
        write(path, found.data)
        found.state = "unreadable" if _unreadable(found) else "collected"
    late = books.late(course, found.student, found.assignment)
    if late or found.said_late:
        found.state = f"{found.state}, late"
        found.problem = (
            f"{f'{late} late' if late else 'the LMS says late'}. {found.problem}".strip(". ")
        )
