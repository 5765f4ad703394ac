"""Marks into the gradebook of a platform, and its members into students.csv (lti.py asks it).

platform.csv    id, user, name: whom the platform calls what; written by `members`, yours to edit
passback.json   what was sent last, so that the next run sends only what has changed
"""

import csv
import json
from datetime import UTC, datetime

from translearn import authoring
from translearn.authoring import readme
from translearn.coursework.instructor import books, late
from translearn.coursework.instructor.folder import (
    COLUMNS,
    STUDENT_ID,
    Course,
    assignments,
    read_json,
    write,
)
from translearn.coursework.instructor.lti import Platform, reason
from translearn.coursework.instructor.tables import save, wild
from translearn.coursework.student import module as student_module
from translearn.coursework.student.question import questions, written
from translearn.errors import CourseError

USERS, SENT = "platform.csv", "passback.json"
# A member's fields that may be an id of ours, the first first.
IDS = ("ext_user_username", "lis_person_sourcedid", "email", "user_id")
LONGEST = 1000  # characters of a comment
# The state of a mark → (the student's progress, the marking's), as the specification calls them.
# Without a mark no score is sent: a platform shows an empty cell for it, never a 0.
PROGRESS = {
    "graded": ("Completed", "FullyGraded"),
    "to be marked": ("Submitted", "PendingManual"),
    "ungraded": ("Submitted", "Pending"),
}
WITHDRAWN = ("Initialized", "Pending")  # there is no mark any more


# ---- who is who


def users(course: Course) -> dict:
    """{student: what the platform calls them}: of platform.csv, else `lms_id` of students.csv."""
    found = {name: each.lms_id for name, each in course.students().items() if each.lms_id}
    path = course.root / USERS
    if not path.exists():
        return found
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
        listed = {row["id"].strip(): wild(row["user"].strip()) for row in rows if row["id"]}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, AttributeError):
        raise CourseError(
            f"{USERS} cannot be read: it is a table with the columns id and user. Mend it, or "
            f"delete it and run: course.py coursework passback --members"
        ) from None
    return found | {name: user for name, user in listed.items() if user}


def members(course: Course, platform: Platform | None = None) -> dict:
    """Ask the platform who is in the course, and write platform.csv; an empty students.csv is
    filled, another one is left as it is.

    Returns {"known": count, "added": ids, "nobody": names of members who are not in students.csv,
    "missing": ids in students.csv that no member is}.
    """
    platform = platform or Platform(course)
    if platform.members is None:
        raise CourseError("course.toml, [lti]: members is missing, the address to ask for names.")
    with platform.speaking():
        learners = [each for each in platform.members.get_members() if _learns(each)]
    students, added = course.students(), []
    if not students:
        made = [_student(each) for each in learners]
        made = {row["id"].lower(): row for row in made if row["id"]}
        save(course.root / "students.csv", list(made.values()), COLUMNS)
        students, added = course.students(), [row["id"] for row in made.values()]
    rows, nobody = [], []
    for each in learners:
        wanted = {str(each[name]).casefold() for name in IDS if each.get(name)}
        ours = [
            student
            for student in students.values()
            if wanted & {part.casefold() for part in (student.id, student.email) if part}
        ]
        if len(ours) == 1:
            rows.append({"id": ours[0].id, "user": each["user_id"], "name": ours[0].name})
        else:
            nobody.append(each.get("name") or each.get("email") or str(each["user_id"]))
    save(course.root / USERS, rows, ["id", "user", "name"])
    missing = sorted(set(students) - {row["id"] for row in rows})
    return {"known": len(rows), "added": added, "nobody": nobody, "missing": missing}


def _learns(member):
    roles = [str(role).rpartition("#")[2].lower() for role in member.get("roles", [])]
    return "learner" in roles and member.get("status", "Active") == "Active"


def _student(member):
    ids = (str(member.get(name) or "") for name in IDS)
    return {
        "id": next(filter(STUDENT_ID.match, ids), ""),
        "first_name": member.get("given_name", ""),
        "last_name": member.get("family_name", "") or member.get("name", ""),
        "email": member.get("email", ""),
    }


# ---- marks


def wanted(course: Course, assignment: str, before: dict) -> dict:
    """{student: what the platform should hold}, as the names of the specification: for all who
    handed something in, and for those of `before` who have no mark any more.
    """
    found = {}
    for row in books.marks(course, assignment):
        student, state = row["student"], row["state"]
        state = "graded" if row["points"] is not None else state
        if state not in PROGRESS and student not in before:
            continue
        activity, grading = PROGRESS.get(state, WITHDRAWN)
        # Not row["extension"]: why somebody has more time is the instructor's.
        said = [row["reason"], row["deduction"], late.more_time(course, student, assignment)]
        comment = " ".join(" ".join(filter(None, said)).split())[:LONGEST]
        score = {"activityProgress": activity, "gradingProgress": grading}
        # What is shown of it is the platform's affair; a tag in it should be nobody's.
        score["comment"] = comment.replace("<", "‹").replace(">", "›")
        if row["points"] is not None:
            score |= {"scoreGiven": row["points"], "scoreMaximum": row["of"]}
        if stamp := books._timestamp(course, student, assignment):
            when = stamp.replace(tzinfo=UTC).isoformat(timespec="milliseconds")
            score["submission"] = {"submittedAt": when}
        found[student] = score
    return found


def send(course: Course, assignment: str, again: bool = False, look: bool = False) -> dict:
    """Send what has changed since the last time (`again`: everything; `look`: nothing).

    Returns {"sent": {student: score}, "same": count, "unknown": [student], "refused":
    {student: reason}}. Raises `CourseError` where the platform cannot be spoken to: what was sent
    before that is noted, and the next run goes on from there.
    """
    noted = read_json(course.root / SENT) or {}
    before = noted.setdefault(assignment, {})
    names, report = users(course), {"sent": {}, "same": 0, "unknown": [], "refused": {}}
    todo = {}
    for student, score in wanted(course, assignment, before).items():
        if student not in names:
            report["unknown"].append(student)
        elif before.get(student) == score | {"userId": names[student]} and not again:
            report["same"] += 1
        else:
            todo[student] = score | {"userId": names[student]}
    if look or not todo:
        return report | {"sent": todo}
    platform = Platform(course)
    with platform.speaking():
        item = _item(platform, assignment)
    try:
        for student, score in todo.items():
            with platform.speaking():
                if why := _put(platform, item, score):
                    report["refused"][student] = why
                    continue
            before[student] = report["sent"][student] = score
    finally:
        write(course.root / SENT, json.dumps(noted, indent=1, ensure_ascii=False))
    return report


def _item(platform, assignment):
    """The column of an assignment: the one that course.toml names, else found by its tag, else
    made.
    """
    from pylti1p3.lineitem import LineItem

    if assignment in platform.items:
        return LineItem({"id": platform.items[assignment]})
    source = authoring.read(assignments()[assignment])
    item = LineItem().set_tag(f"translearn-{assignment}").set_resource_id(assignment)
    item.set_label(f"{assignment} · {readme.head(source)[0]}")
    module = student_module(assignment)
    asked = [*questions(module), *written(module)]
    item.set_score_maximum(sum(each.points for each in asked))
    return platform.grades.find_or_create_lineitem(item)


def _put(platform, item, score) -> str:
    """Send one score; why the platform does not take this one, "" if it does."""
    from pylti1p3.exception import LtiServiceException
    from pylti1p3.grade import Grade

    grade = Grade().set_timestamp(datetime.now(UTC).isoformat(timespec="milliseconds"))
    grade.set_user_id(score["userId"]).set_comment(score["comment"])
    grade.set_activity_progress(score["activityProgress"])
    grade.set_grading_progress(score["gradingProgress"])
    if "scoreGiven" in score:
        grade.set_score_given(score["scoreGiven"]).set_score_maximum(score["scoreMaximum"])
    if "submission" in score:
        grade.set_extra_claims({"submission": score["submission"]})
    try:
        platform.grades.put_grade(grade, item)
    except LtiServiceException as refused:
        # About this student, and not about us or about the column.
        if refused.response.status_code in (400, 404, 409, 422):
            return reason(refused)
        raise
    return ""
