"""`course.py coursework status`."""

from translearn.coursework.instructor.folder import assignments
from translearn.coursework.instructor.tables import show

HELP = "where everything stands"


def arguments(verb):
    pass


def run(course, args):
    from translearn.coursework.instructor import books

    students = course.students()
    print(f"{course.name} · {course.root} · {len(students)} students")
    rows = []
    for assignment in assignments():
        if not course.released(assignment).is_file():
            rows.append({"assignment": assignment, "state": "not released"})
            continue
        marks = books.marks(course, assignment)
        count = {
            state: sum(row["state"] == state for row in marks)
            for state in ("graded", "to be marked", "ungraded", "nothing handed in", "exempt")
        }
        due = course.due.get(assignment)
        rows.append(
            {
                "assignment": assignment,
                "state": "released",
                "due": f"{due:%Y-%m-%d %H:%M}" if due else "–",
                "handed in": len(course.submissions(assignment)),
                "late": sum(bool(row["late"]) for row in marks),
                "more time": sum(bool(row["extension"]) for row in marks) - count["exempt"],
                "exempt": count["exempt"],
                "marked": count["graded"],
                "waiting for a person": count["to be marked"],
                "ungraded": count["ungraded"],
                "missing": count["nothing handed in"],
            }
        )
        for row in marks:
            if row["state"] == "ungraded":
                rows.append({"assignment": "", "state": f"  {row['student']}: {row['reason']}"})
            elif row["extension"]:
                rows.append({"assignment": "", "state": f"  {row['student']}: {row['extension']}"})
    print(
        show(
            rows,
            [
                "assignment",
                "state",
                "due",
                "handed in",
                "late",
                *(["more time", "exempt"] if course.extensions() else []),
                "marked",
                "waiting for a person",
                "ungraded",
                "missing",
            ],
        )
    )
    return 0
