"""Take in what students sent: zips and folders as an LMS and e-mail name them (names.py), and what
lies in nbgrader's exchange (exchange.py). Nothing in them is run.

Whose a file is, the outermost name says: an LMS writes that one, and everything inside is written
by students. A file whose inner names, or whose notebook, say somebody else is listed and not
taken.
"""

import hashlib
import json
import re
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from translearn.coursework.instructor import books, exchange, groups, moodle, names
from translearn.coursework.instructor.folder import Course, assignments, write
from translearn.coursework.instructor.inbox import Found, walk
from translearn.coursework.student.codec import whole
from translearn.errors import CourseError


def collect(
    course: Course,
    downloads,
    assignment: str | None = None,
    student: str | None = None,
    handed_in: bool = False,
) -> list:
    """Sort what lies in `downloads` (a folder or a zip) into `submitted/`; returns a `Found` for
    each file, and one for each student who is missing.

    assignment  take files for this one only, and files that name none as being for it
                (as is done when only one is out)
    student     take everything as being this student's, whatever the names say
    handed_in   `downloads` is the inbound folder of nbgrader's exchange: only what has its form
                and belongs to the account that it names is taken
    Of several files of one student the newest is taken; an older one that was collected before is
    kept under `earlier/`.
    """
    downloads, students = Path(downloads), course.students()
    if not downloads.exists():
        raise CourseError(
            f"There is no {downloads}. Give the folder, or the zip, that you downloaded."
        )
    if not students:
        raise CourseError(
            "students.csv lists nobody, so no file can be told from another. Fill it in first: "
            "one line a student."
        )
    if student is not None and student not in students:
        raise CourseError(f"There is no {student} in students.csv.")
    found = []
    for each in exchange.handed_in(downloads) if handed_in else walk(downloads):
        each.look()  # one at a time: only what it says stays in memory
        each.place = _shown(each.place)
        found.append(each)
    out = [name for name in assignments() if course.released(name).is_file()]
    reader = _Reader(
        course, students, found, assignment or (out[0] if len(out) == 1 else ""), student
    )
    now, chosen = time.time(), defaultdict(list)
    if course.groups and not any(each.group for each in students.values()):
        raise CourseError(
            f"course.toml says that groups hand in {', '.join(sorted(course.groups))}, and "
            f"students.csv has no column group, or nothing in it. Fill it in, or take that line "
            f"out."
        )
    for each in found:
        try:
            if not each.state:
                reader.recognise(each, assignment)
        except Exception as problem:  # made by hand to be stumbled over: it costs nobody else
            kind = type(problem).__name__
            each.state, each.problem = "unreadable", f"it cannot be made sense of ({kind})"
        each.when, each.problem = min(each.when, now), _shown(each.problem)
        if each.student and each.assignment and not each.state:
            who = groups.mates(course, each.assignment, each.student, students)
            chosen[frozenset(who), each.assignment].append(each)
    for (who, _), several in chosen.items():
        _newest(course, several, who)
        for each in several:  # of a group Moodle has a number for each member
            moodle.keep(course, each.assignment, each.student, each.sender)
    return found + _missing(course, students, found, assignment)


def _newest(course, several, who):
    """Take the newest that is a notebook, for all of `who`; say of the others why not."""
    counted = all(each.attempt for each in several)  # where the LMS numbers them, that says it
    several.sort(key=lambda each: (each.is_book, counted and each.attempt, each.when, each.place))
    *others, newest = several
    for each in others:
        same = each.digest == newest.digest
        each.state = "duplicate" if same else "older"
        each.problem = f"not used: {newest.place} is {'the same' if same else 'newer'}"
        if each.sender and each.student != newest.student:  # Moodle's copy for another member
            path = course.submitted(each.student, each.assignment)
            write(path.with_name(moodle.SENDER), each.sender + "\n")
    # The same file sent twice came when it came first.
    newest.when = min(each.when for each in several if each.digest == newest.digest)
    if len(who) > 1 and (later := _later(course, newest, who)):
        newest.state, newest.problem = "older", f"not used: {later} handed in later for the group"
    else:
        _take(course, newest, who)


def _later(course, found, who):
    """The member who handed in another file, collected before and newer than this one, or ""."""
    notes = [groups.note(course, found.assignment, each) for each in who]
    last = max(filter(None, notes), key=lambda note: note["when"], default=None)
    newer = last and last["submission"] != found.digest and last["when"] > found.when
    return last["by"] if newer and last["by"] in who - {found.student} else ""


def _missing(course, students, found, assignment):
    """A `Found` for each student of whom there is nothing."""
    wanted = {assignment} if assignment else {each.assignment for each in found}
    have = {which: set(course.submissions(which)) for which in assignments()}
    return [
        Found("", (), 0, None, "no file for this student", student, which, state="missing")
        for which in sorted(wanted & set(have))
        for student in students
        if student not in have[which]
    ]


def _shown(text):
    """A name as a terminal and a table may show it: without what moves the cursor, and with whole
    characters.
    """
    return re.sub(
        r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", "?", whole(str(text))
    )


# ---- whose, and for what


class _Reader:
    """Says of each file whose it is and for which assignment, or why that cannot be said."""

    def __init__(self, course, students, found, fallback, student):
        self.course = course
        self.students, self.fallback, self.given = students, fallback, student
        self.people, self.assignments = names.People(students), list(assignments())
        signs = [sign for each in found for part in _levels(each) if (sign := names.sign(part))]
        self.groups = names.groups(self.people, signs)

    def recognise(self, found, assignment):
        """Fill in student and assignment, or the state and the reason why not."""
        if found.student:  # nbgrader's exchange says both
            self._handed_in(found)
        else:
            self._sent(found)
        if not found.state and assignment and found.assignment != assignment:
            found.state = "another assignment"
            found.problem = f"it is for {found.assignment}; collect without --assignment takes it"
        if not found.state and found.problem and not found.digest:
            found.state = "unreadable"

    def _handed_in(self, found):
        if found.student not in self.students:
            found.state, found.problem = (
                "unknown student",
                f"{found.student} is not in students.csv",
            )
            found.student = ""
        elif found.assignment not in self.assignments:
            found.state = "unknown assignment"
            found.problem = f"there is no assignment {found.assignment}"
            found.assignment = ""

    def _sent(self, found):
        levels = _levels(found)
        owner, reason, inner, sign, depth = self._owner(levels, found)
        if sign:  # an LMS wrote whose it is, so it also says when it came
            found.said_late, found.attempt = sign.late, sign.file
            if sign.when is not None:
                found.when = sign.when
            elif depth > found.packed >= 0 and found.dated is not None:
                found.when = found.dated
        found.assignment = which = self._assignment(found, levels)
        found.student = self.given or owner
        if sign and sign.lms == "Moodle" and owner in ("", found.student):
            found.sender = sign.who
        mates = self._mates(found.student, which)
        others = {
            who
            for means, may in inner
            if means and found.student not in may and not means <= mates
            for who in means
        }
        looks = Path(found.parts[-1]).suffix.lower()
        if looks == ".txt" and sign and sign.lms == "Blackboard" and not sign.rest:
            found.state, found.problem = "the LMS's", "Blackboard's own note on a submission"
        elif looks not in (".ipynb", ".json") and not found.is_book:
            found.state = "not a notebook"
            if found.digest or not found.problem:
                found.problem = f"a {looks or 'file'} was sent, not a notebook"
        elif not found.student:
            found.state = "unknown student"
            found.problem = "; ".join(filter(None, [reason, found.problem]))
        elif not which:
            found.state = "unknown assignment"
            found.problem = "it does not say for which assignment it is: name the file A1_ID.ipynb"
        elif others and not self.given:
            mine = found.student
            found.state, found.problem = (
                "two names",
                f"it is {mine}'s by where it lies, and {', '.join(sorted(others))}'s by a name "
                f"inside. If it is {mine}'s: collect it alone, with '--student {mine}'",
            )

    def _owner(self, levels, found):
        """(Whose it is or "", why nobody's, what the names inside mean, what the LMS wrote if it
        did, and which level said it). The outermost name that is one binds.
        """
        owner, reason, inner, bound, at = "", "", [], None, -1
        for depth, part in enumerate(levels):
            sign, pairs = names.sign(part), self._typed(part)
            if at >= 0:
                inner += pairs
            elif sign:
                at, bound = depth, sign
                owner, reason = _one(*self.people.signed(sign, bool(self.groups)))
                inner += self._typed(sign.rest, copies=sign.lms == "Canvas")
            elif first := next((pair for pair in pairs if pair[0]), None):
                at = depth
                owner, reason = _one(first[0], "")
                inner += pairs
        said = self.people.called(found.said.get("student", ""))
        if at < 0:
            owner, reason = _one(said, "")
        else:
            inner.append((said, said))
        return owner, reason, inner, bound, at

    def _typed(self, text, copies=False):
        """What names mean that a student typed, one as an LMS writes it included: (means, may
        mean) of each. `copies`: `abc-2` may be abc's second file, because Canvas names it so.
        """
        if sign := names.sign(text):
            return self._typed(sign.name) + self._typed(sign.rest)
        return [(means, may if copies else means) for means, may in self.people.typed(text)]

    def _mates(self, student, assignment):
        group = self.groups.get(student)
        said = {who for who, theirs in self.groups.items() if group and theirs == group}
        return said | groups.mates(self.course, assignment, student, self.students)

    def _assignment(self, found, levels):
        """What the notebook says, else what a name says, else what one is collecting."""
        if (said := found.said.get("assignment")) in self.assignments:
            return said
        return next(
            (
                name
                for text in reversed(levels)
                for name in self.assignments
                if re.search(rf"(?<![A-Za-z0-9]){name}(?![0-9])", text, re.I)
            ),
            self.fallback,
        )


def _levels(found):
    """The names that may say whose a file is: its folders, and itself without its ending."""
    return [*found.parts[:-1], Path(found.parts[-1]).stem]


def _one(ids, why):
    if len(ids) == 1:
        return next(iter(ids)), ""
    if ids:
        return "", why or (
            f"its name fits {', '.join(sorted(ids))}: collect it alone, with '--student ID'"
        )
    return "", why or "its name and folder fit nobody in students.csv: name the file A1_ID.ipynb"


# ---- into its place


def _take(course, found, who):
    """Put the file in its place for each of `who`, whole; what lay there goes to `earlier/`."""
    path = course.submitted(found.student, found.assignment)
    if not found.is_book and path.is_file():
        found.state = "unreadable"
        found.problem = f"{found.problem}; the file that was collected before stays"
        return
    try:
        data = found.load()
    except OSError as problem:
        found.state, found.problem = "unreadable", f"it is gone: {problem.strerror or problem}"
        return
    if hashlib.sha256(data).hexdigest() != found.digest:
        found.state, found.problem = "unreadable", "it changed just now: collect again"
        return
    if found.secret:
        write(path.with_name("submission_secret.txt"), found.secret, mode=0o600)
    note = _note(course, found, who)
    # The one who handed in comes last: a run killed before this takes it for new again.
    new = [_put(course, found, data, each, note) for each in sorted(who - {found.student})]
    if not _put(course, found, data, found.student, note) and not any(new):
        found.state, found.problem = "unchanged", found.problem or "collected before"
    else:
        found.state = "collected" if found.is_book else "unreadable"
    if note:
        found.problem = f"{found.problem}; for {', '.join(note['members'])}".strip("; ")
    late = books.late(course, found.student, found.assignment)
    if late or found.said_late:
        said = f"{late} late" if late else "the LMS says late"
        found.state, found.problem = f"{found.state}, late", f"{said}. {found.problem}".strip(". ")


def _note(course, found, who):
    """What is noted beside the file of a group, None for one student's. The same file sent by two
    stays the first one's.
    """
    if len(who) < 2:
        return None
    notes = [groups.note(course, found.assignment, each) for each in sorted(who)]
    same = next((n for n in notes if n and n["submission"] == found.digest), None)
    stay = set()  # who has left since: the file was theirs, too, and its mark is
    for each in same["members"] if same else ():
        theirs = groups.note(course, found.assignment, each)
        if theirs and theirs["submission"] == found.digest:
            stay.add(each)
    return {
        "group": course.students()[found.student].group,
        "by": same["by"] if same and same["by"] in who else found.student,
        "members": sorted(who | stay),
        "submission": found.digest,
        "when": same["when"] if same else found.when,
    }


def _put(course, found, data, student, note):
    """Whether it is new there. The time is the first at which this very file was taken."""
    path = course.submitted(student, found.assignment)
    before = path.read_bytes() if path.is_file() else None
    if note:
        write(path.with_name("group.json"), json.dumps(note, ensure_ascii=False))
    else:
        path.with_name("group.json").unlink(missing_ok=True)
    if before == data:
        return False
    if before is not None:
        old = hashlib.sha256(before).hexdigest()[:8]
        write(path.parent / "earlier" / f"{found.assignment}-{old}.ipynb", before)
    when = datetime.fromtimestamp(note["when"] if note else found.when).astimezone()
    write(path.with_name("timestamp.txt"), when.isoformat(timespec="seconds") + "\n")
    write(path, data)
    return True
