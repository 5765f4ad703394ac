"""`course.py coursework passback`."""

from translearn.coursework.instructor.commands.chosen import those
from translearn.coursework.instructor.tables import show, tame
from translearn.errors import CourseError

HELP = "send marks into the gradebook of Moodle, Canvas or another platform with LTI 1.3"


def arguments(verb):
    verb.add_argument("assignment", nargs="*")
    verb.add_argument("--key", action="store_true", help="show the public key for the platform")
    verb.add_argument(
        "--members",
        action="store_true",
        help="ask who is in the course: writes platform.csv, and fills an empty students.csv",
    )
    verb.add_argument("--look", action="store_true", help="send nothing; say what would be sent")
    verb.add_argument(
        "--again", action="store_true", help="send all marks, not only those that have changed"
    )


def run(course, args):
    try:
        from translearn.coursework.instructor import lti, passback
    except ModuleNotFoundError as missing:
        raise CourseError(
            f"This environment lacks {missing.name}, which speaks to platforms. The one that "
            f"course.py makes has it."
        ) from None
    if args.key:
        print(lti.public_key(course))
    if args.members:
        found = passback.members(course)
        print(f"{course.root / passback.USERS}: {found['known']} students.")
        for what, names in (
            ("New in students.csv", found["added"]),
            ("In the platform's course, and not in students.csv", found["nobody"]),
            ("In students.csv, and not in the platform's course", found["missing"]),
        ):
            if names:
                print(f"{what}: {', '.join(map(str, map(tame, names)))}")
    if args.key or args.members:
        return 0
    left = False
    for assignment in those(course, args.assignment):
        done = passback.send(course, assignment, args.again, args.look)
        rows = [
            {
                "student": student,
                "points": score.get("scoreGiven"),
                "of": score.get("scoreMaximum"),
                "marking": score["gradingProgress"],
                "comment": score["comment"],
            }
            for student, score in done["sent"].items()
        ]
        if rows:
            print(show(rows, list(rows[0])))
        for student in done["unknown"]:
            print(
                f"{student}: the platform's name of this student is not known. Write it into "
                f"{passback.USERS}, or run: course.py coursework passback --members"
            )
        for student, why in done["refused"].items():
            print(f"{student}: not taken, {tame(why)}.")
        print(
            f"{assignment}: {len(rows)} {'to be sent' if args.look else 'sent'}, {done['same']} "
            f"as they were, {len(done['unknown']) + len(done['refused'])} not taken."
        )
        left = left or bool(done["unknown"] or done["refused"])
    return 1 if left else 0
