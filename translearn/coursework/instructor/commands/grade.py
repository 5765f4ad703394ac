"""`course.py coursework grade`."""

import os

from translearn.coursework.instructor.commands.chosen import those
from translearn.coursework.instructor.folder import alone
from translearn.errors import CourseError

HELP = "run and judge what is not graded yet; can be killed at any moment and carries on"


def arguments(verb):
    verb.add_argument("assignment", nargs="*")
    verb.add_argument(
        "--student",
        action="append",
        metavar="ID",
        help="only this one, and also if graded before; can be repeated",
    )
    verb.add_argument("--again", action="store_true", help="also those that are graded")
    verb.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="submissions at a time (default: one a core)",
    )
    verb.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler whose workers run the submissions"
    )
    verb.add_argument(
        "--cold",
        action="store_true",
        help="start each sandbox from nothing, not from a process that has imported already",
    )
    verb.add_argument(
        "--unprotected",
        action="store_true",
        help=(
            "without a sandbox: student code runs with all your rights. Only in a container made "
            "for it"
        ),
    )


def run(course, args):
    if args.jobs < 1:
        raise CourseError("--jobs takes a number from 1 on.")
    with alone(course):
        for assignment in those(course, args.assignment):
            has_all = all(course.submitted(s, assignment).is_file() for s in args.student or ())
            if args.assignment or has_all:
                _grade(course, assignment, args)
    print("Next: course.py coursework manual (the written answers), then feedback and marks.")
    return 0


def _grade(course, assignment, args):
    from translearn.coursework.instructor import overrides
    from translearn.coursework.instructor.grading import grade

    done = grade(
        course,
        assignment,
        args.student,
        args.again or bool(args.student),
        args.jobs,
        args.scheduler,
        args.unprotected,
        cold=args.cold,
    )
    ungraded = {
        student: result["reason"]
        for student, result in done.items()
        if result["state"] != "graded"
    }
    print(f"{assignment}: {len(done)} graded now, {len(ungraded)} of them without a full verdict.")
    for student, reason in sorted(ungraded.items()):
        print(f"  {student}: {reason}")
    for student, result in sorted(done.items()):
        for question, given in overrides.lapsed(course, assignment, student, result).items():
            print(
                f"  {student}: you gave {given['points']:g} points for {question}, for another "
                f"answer than this one. It does not count any more; to give it again: override."
            )
