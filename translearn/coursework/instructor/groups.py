"""Groups that hand in once: what one member hands in is every member's.

Who is in a group, students.csv says (column `group`); for which assignments, course.toml
(`groups = ["A4"]`). When a file is collected it is copied to each who is in the group then, with a
note, submitted/ID/A4/group.json: so a member who leaves later keeps what was handed in before, and
has no part in what comes after. It runs and is judged once; verdict and marks by hand are copied.
"""

from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.submission import digest


def mates(course: Course, assignment: str, student: str, students: dict | None = None) -> set:
    """The ids of a student's group as students.csv has it now, the student's own included; of
    nobody else where no group hands in.
    """
    students = course.students() if students is None else students
    own = _called(students.get(student))
    if assignment not in course.groups or not own:
        return {student}
    return {each.id for each in students.values() if _called(each) == own}


def _called(student):
    return " ".join(student.group.casefold().split()) if student else ""


def note(course: Course, assignment: str, student: str) -> dict | None:
    """{"group", "by", "members", "submission", "when"} of the file that lies there for a student,
    None if it is not a group's.
    """
    found = read_json(course.submitted(student, assignment).with_name("group.json"))
    return found if isinstance(found, dict) and "by" in found else None


def follows(course: Course, assignment: str, student: str) -> str | None:
    """Who handed in what counts for this student; None if they did themselves, or if the one who
    did has another file by now.
    """
    own = note(course, assignment, student)
    if own is None or own["by"] == student:
        return None
    leads = note(course, assignment, own["by"])
    if leads is None or leads["by"] != own["by"] or leads["submission"] != own["submission"]:
        return None
    path = course.submitted(student, assignment)  # which somebody may have changed by hand
    return own["by"] if path.is_file() and digest(path) == own["submission"] else None


def followers(course: Course, assignment: str, student: str) -> list:
    """Those for whom this student handed in: what happens to this one's submission is theirs."""
    own = note(course, assignment, student)
    if own is None or own["by"] != student:
        return []
    return [
        each
        for each in own["members"]
        if each != student and follows(course, assignment, each) == student
    ]


def members(course: Course, assignment: str, student: str) -> set:
    """All who share a student's submission, the student's own id included."""
    lead = follows(course, assignment, student) or student
    return {student, lead, *followers(course, assignment, lead)}


def once(course: Course, assignment: str, names: list, again: bool) -> tuple:
    """Of the students whose submissions should run: (whose to run, {student: result} of those for
    whom there is one already).
    """
    run, have = dict.fromkeys(names), {}
    for student in names:
        lead = follows(course, assignment, student)
        if lead is None:
            continue
        result = course.result(lead, assignment)
        del run[student]
        own = note(course, assignment, student)["submission"]
        done = result is not None and not result.get("retry") and not again and lead not in run
        if done and result["submission"] == own:
            have[student] = result
        else:
            run[lead] = None
    return list(run), have


def share(course: Course, assignment: str, student: str) -> list:
    """Lay the marks that a person gave a student's submission beside those of its followers, and
    return these: they get the verdict next.
    """
    found = followers(course, assignment, student)
    given = course.graded(student, assignment) / "manual.json"
    for each in found if given.is_file() else ():
        write(course.graded(each, assignment) / "manual.json", given.read_bytes())
    return found
