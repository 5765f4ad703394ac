"""`course.py coursework override`."""

from translearn.coursework.instructor.folder import alone, known
from translearn.errors import CourseError

HELP = "give another mark than the program, with the reason that the student reads"


def arguments(verb):
    verb.add_argument("assignment")
    verb.add_argument("--student", required=True, metavar="ID")
    verb.add_argument("--question", required=True, metavar="NAME", help="such as huber")
    verb.add_argument("--points", type=float, metavar="N")
    verb.add_argument("--reason", default="", help="it stands on the student's page")
    verb.add_argument("--undo", action="store_true", help="the program's mark counts again")


def run(course, args):
    from translearn.coursework.instructor import groups, overrides

    assignment = known(args.assignment)
    if (args.points is None) != args.undo:
        raise CourseError("Give --points and --reason, or --undo.")
    with alone(course):
        if args.undo:
            points = overrides.undo(course, assignment, args.student, args.question)
            said = "none: it is ungraded" if points is None else f"{points:g}"
            print(f"{args.student}, {args.question}: the program's mark counts again, {said}.")
        else:
            entry = overrides.give(
                course, assignment, args.student, args.question, args.points, args.reason
            )
            before = "no mark" if entry["from"] is None else f"{entry['from']:g}"
            print(
                f"{args.student}, {args.question}: {entry['points']:g} points; the program gave "
                f"{before}. The reason stands on the page that feedback writes."
            )
    if mates := groups.members(course, assignment, args.student) - {args.student}:
        print(f"This is {args.student}'s mark alone; of the group: {', '.join(sorted(mates))}.")
    print(f"Next: course.py coursework feedback {assignment} --student {args.student}")
    return 0
