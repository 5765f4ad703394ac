"""Which written answers there are, which of them wait for a mark, and how marking goes: kept in
memory, and looked up again at each click by the times of the files and one question to the books.
"""

import hmac
from collections import Counter
from dataclasses import dataclass

from translearn.coursework.instructor import groups, judging
from translearn.coursework.instructor.folder import Course, assignments, read_json
from translearn.coursework.instructor.gradebook import gradebook, scores
from translearn.coursework.instructor.recording import catch_up

PAUSE = 900  # seconds: who looks at an answer for longer was away
SHORT = 8_192  # bytes: a verdict without cells is a few sentences, and never longer than this


@dataclass(frozen=True)
class Answer:
    """A written answer. `points`: None while it waits for a mark. `mark`: what manual.json says.

    `ticket` names it on a page and tells nobody whose it is; `order` puts the answers to one
    question in a row, so that the marker's yardstick stays where it is, the students as if
    shuffled.
    """

    assignment: str
    student: str
    question: str
    points: float | None
    mark: dict
    ticket: str
    order: tuple

    @property
    def asked(self) -> tuple:
        return self.assignment, self.question

    @property
    def waits(self) -> bool:
        return self.points is None


class Answers:
    """All written answers that were graded, of one assignment or of all."""

    def __init__(self, course: Course, assignment: str | None = None):
        self.course, self.assignment = course, assignment
        self.all = []  # in order
        self._by_ticket, self._files, self._names, self._following = {}, {}, {}, {}
        self.read = 0  # files that were read so far: at a click only those that are new

    def _assignments(self):
        those = [self.assignment] if self.assignment else assignments()
        return [which for which in those if self.course.released(which).is_file()]

    def catch_up(self) -> None:
        """Write into the books what a killed process had no time for."""
        for which in self._assignments():
            catch_up(self.course, which)

    def refresh(self) -> "Answers":
        """Look what is new: verdicts and marks of this and of other processes."""
        from translearn.coursework.student.question import written

        found = []
        for which in self._assignments():
            asked = [each.name for each in written(judging.load(which.lower()))]
            students = self._students(which)
            with gradebook(self.course) as book:
                got = scores(book, which, questions=asked)
            for student in students:
                folder = self.course.graded(student, which)
                marked = self._file(folder / "manual.json", lambda marked: marked or {}) or {}
                for name in asked:
                    points = got.get(student, {}).get(name)
                    ticket, order = self._name(which, student, name)
                    mark = marked.get(name, {})
                    found.append(Answer(which, student, name, points, mark, ticket, order))
        self.all = sorted(found, key=lambda each: each.order)
        self._by_ticket = {each.ticket: each for each in self.all}
        return self

    def get(self, ticket: str) -> Answer | None:
        """The answer of that name, or None."""
        return self._by_ticket.get(ticket)

    def waiting(self) -> list:
        return [each for each in self.all if each.waits]

    def of(self, asked: tuple) -> list:
        """The answers to one question, (assignment, question)."""
        return [each for each in self.all if each.asked == asked]

    def _students(self, which):
        """Who has a verdict with answers in it: a file that could not be read has none, and what a
        group handed in is marked once, where the one stands who did it.
        """
        found = []
        for folder in (self.course.root / "autograded").iterdir():
            path = folder / which / "result.json"
            if self._file(
                path, lambda result: bool((result or {}).get("cells")), SHORT
            ) and not self._follows(which, folder.name):
                found.append(folder.name)
        return found

    def _file(self, path, look, longest=None):
        """What `look` makes of a file, from memory while the file is the same; None if there is
        none. Of one with more than `longest` bytes, True.
        """
        try:
            stat = path.stat()
        except OSError:
            return self._files.pop(path, None) and None
        stamp = stat.st_mtime_ns, stat.st_size, stat.st_ino
        if self._files.get(path, (None,))[0] != stamp:
            if longest is not None and stat.st_size > longest:
                self._files[path] = stamp, True
            else:
                self.read += 1
                self._files[path] = stamp, look(read_json(path))
        return self._files[path][1]

    def _follows(self, which, student):
        """Whether another member of the group handed in for this student (`groups.follows`, which
        reads the whole notebook).
        """
        path = self.course.submitted(student, which)
        note = self._file(path.with_name("group.json"), lambda note: note)
        if not isinstance(note, dict) or note.get("by", student) == student:
            return False
        leads = self.course.submitted(str(note["by"]), which)
        files = path, path.with_name("group.json"), leads.with_name("group.json")
        stamp = [file.stat().st_mtime_ns if file.is_file() else 0 for file in files]
        if self._following.get(path, (None,))[0] != stamp:
            self._following[path] = stamp, groups.follows(self.course, which, student) is not None
        return self._following[path][1]

    def _name(self, *place):
        if place not in self._names:
            which, student, question = place
            self._names[place] = (
                self._hash("/".join(place)),
                (which, question, self._hash(student)),
            )
        return self._names[place]

    def _hash(self, text):
        return hmac.new(self.course.key.encode(), text.encode(), "sha256").hexdigest()


# ---- how it goes


def pace(answers: list) -> float | None:
    """How long a mark took so far, on average, in seconds; None if nobody knows."""
    took = [each.mark["seconds"] for each in answers if not each.waits and "seconds" in each.mark]
    took = [seconds for seconds in took if seconds <= PAUSE]
    return sum(took) / len(took) if took else None


def spread(rubric: dict, answers: list) -> dict:
    """{criterion: {level: how many of the marked answers reached it}}."""
    levels = [each.mark.get("levels", {}) for each in answers if not each.waits]
    counts = {criterion: Counter(each.get(criterion) for each in levels) for criterion in rubric}
    return {
        criterion: {level: counts[criterion][level] for level in of}
        for criterion, of in rubric.items()
    }


def duration(seconds: float) -> str:
    """A time in words, such as "40 s", "1 min 20 s", "25 min", "2 h 5 min"."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if seconds < 600:
        minutes, seconds = divmod(round(seconds), 60)
        return f"{minutes} min" + (f" {seconds} s" if seconds else "")
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))
