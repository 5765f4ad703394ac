"""`course.py coursework regrade`."""

import os
import sys

from translearn.coursework.instructor.folder import alone, known
from translearn.coursework.instructor.tables import save, show
from translearn.errors import CourseError

HELP = "judge one question again after its judge was mended; lists first whose mark changes"
COLUMNS = ["student", "from", "to", "stays", "old reason", "new reason"]


def arguments(verb):
    verb.add_argument("assignment")
    verb.add_argument("--question", required=True, metavar="NAME", help="such as huber")
    verb.add_argument("--student", action="append", metavar="ID", help="can be repeated")
    verb.add_argument(
        "--apply", action="store_true", help="write the new marks; without it you are asked"
    )
    verb.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    verb.add_argument("--scheduler", metavar="ADDRESS", help="as for grade")
    verb.add_argument("--cold", action="store_true", help="as for grade")
    verb.add_argument("--unprotected", action="store_true", help="as for grade")


def run(course, args):
    from translearn.coursework.instructor import regrade

    if args.jobs < 1:
        raise CourseError("--jobs takes a number from 1 on.")
    assignment = known(args.assignment)
    with alone(course):
        changes = regrade.propose(
            course,
            assignment,
            args.question,
            args.student,
            args.jobs,
            args.scheduler,
            args.unprotected,
            cold=args.cold,
        )
        _list(course, assignment, args.question, changes)
        if not args.apply and not _yes():
            print("Nothing was changed. The same command with --apply writes this.")
            return 0
        written = regrade.apply(course, assignment, args.question, changes)
    print(
        f"{written} verdicts written; what was there before is in history.json beside each. "
        f"Next: course.py coursework feedback {assignment}, and marks."
    )
    return 0


def _list(course, assignment, question, changes):
    rows = [
        {
            "student": each.student,
            "from": _points(each.before),
            "to": _points(each.after),
            "stays": each.kept,
            "old reason": each.old,
            "new reason": each.new,
        }
        for each in changes
        if each.moves or each.kept
    ]
    path = course.root / f"regrade_{assignment}_{question}.csv"
    save(path, rows, COLUMNS)
    if rows:
        print(show([{key: _short(text) for key, text in row.items()} for row in rows], COLUMNS))
    failed = [each for each in changes if each.failed]
    for each in failed:
        print(f"  {each.student}: not judged again ({each.failed}). The mark stays.")
    moves, kept = sum(each.moves for each in changes), sum(bool(each.kept) for each in changes)
    same = [each for each in changes if not each.failed and not each.moves and not each.kept]
    other = sum(each.old != each.new for each in same)
    print(
        f"\n{question} in {assignment}: {moves} marks change, {kept} stay as you gave them, "
        f"{len(same)} are the same ({other} of them for another reason), {len(failed)} were not "
        f"judged again. The list is {path}."
    )


def _points(points):
    return "none" if points is None else f"{points:g}"


def _short(text):
    return text if len(text) <= 60 else f"{text[:59]}…"  # the whole stands in the file


def _yes():
    return sys.stdin.isatty() and input("Write this? yes or no: ").strip().lower() in ("y", "yes")
