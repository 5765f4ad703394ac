"""`python3 course.py bench grading`: ours, nbgrader's autograder and otter-grader, measured."""

import os

from translearn.bench.grading import record, tables
from translearn.errors import CourseError

ASSIGNMENTS = ("A1", "A2")
BUSY = 0.1  # share of the processors that something else may use

NOTE = """
The same notebooks for all, with the same judges on the same hidden inputs; ours asks from outside
the submission, the others run their tests in its process. In the table of speeds a cell has
{cell} s, among the broken and hostile {short} s (otter-grader has no such limit; whatever takes
{enough} s is stopped). nbgrader: a process for each job on one gradebook, missing test cells put
back. otter-grader: otter.api.grade_submission in a process for each job, without containers; with
Docker, which is not used here, each submission gets a container. Around both stand our bubblewrap
walls. "Processor seconds" are all that the machine worked meanwhile.
What they do better: nbgrader takes every language that Jupyter has a kernel for, and has its
formgrader. otter-grader takes R and scripts, gives students tests to take home, and works with
Gradescope.
"""


def options(parser) -> None:
    parser.add_argument(
        "--submissions", type=int, default=18, metavar="N", help="of each assignment (default: 18)"
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="at a time (default: 2)")
    parser.add_argument(
        "--repeats", type=int, default=1, metavar="N", help="of each timing, in turn (default: 1)"
    )
    parser.add_argument(
        "--hostile", action="store_true", help="also broken and hostile submissions, one by one"
    )
    parser.add_argument(
        "--workers", action="store_true", help="also ours on 1, 2 and 4 Dask workers, some killed"
    )
    parser.add_argument(
        "--graders", nargs="+", metavar="NAME", help="only these: ours, cold, nbgrader, otter"
    )
    parser.add_argument(
        "--assignments", nargs="+", default=list(ASSIGNMENTS), metavar="NAME", help="A1 A2"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run has kept")
    parser.add_argument("--recorded", action="store_true", help="run nothing; show the record")
    parser.add_argument("--record", action="store_true", help="write the record that is shown")


SHORT = {"ours": "ours", "cold": "ours, cold", "nbgrader": "nbgrader", "otter": "otter-grader"}


def chosen(names) -> list:
    """The graders that are asked for."""
    from translearn.bench.grading import graders

    for name in names or ():
        if name not in SHORT:
            raise CourseError(f"There is no grader {name!r} here. There are {', '.join(SHORT)}.")
    wanted = [SHORT[name] for name in names or SHORT]
    return [each for each in graders.every() if each.name in wanted]


def grading_command(args) -> int:
    if args.recorded:
        book = record.read()
        show(book["runs"])
        print(tables.summary(book).splitlines()[-1])
        return 0
    if args.submissions < 1 or args.jobs < 1 or args.repeats < 1:
        raise CourseError("--submissions, --jobs and --repeats take numbers from 1 on.")
    if unknown := set(args.assignments) - set(ASSIGNMENTS):
        raise CourseError(f"{sorted(unknown)[0]} is not measured here. There are A1 and A2.")
    from translearn.bench.grading import running
    from translearn.coursework.instructor import walls

    walls.check()
    asked = chosen(args.graders)
    settings = {"submissions": args.submissions, "jobs": args.jobs, "cell": running.CELL}
    kept = record.Kept(settings, args.fresh)
    if (other := running.idle()) > BUSY:
        print(f"Something else uses {other:.0%} of the processors: the times will be too long.")
    for step, missing in plan(args, asked, kept.rows()):
        print(step, flush=True)
        missing(kept.add)
    wanted = {each.name for each in asked}
    rows = [row for row in kept.rows() if row["grader"] in wanted]
    show(rows)
    if args.record:
        _draw(rows)
        rows = [{key: row[key] for key in row if key not in ("stream", "at")} for row in rows]
        record.write(settings | {"repeats": args.repeats}, rows)
        print(f"Recorded in {os.path.relpath(record.RECORD)} and in the README.")
    return 0


def plan(args, asked, rows):
    """Yield (what comes next, function that does it and hands its findings on) of what no earlier
    run has done.
    """
    from translearn.bench.grading import dask, running

    have = {(r["grader"], r.get("assignment"), r.get("repeat")) for r in rows}
    for repeat in range(args.repeats):
        for assignment in args.assignments:
            for grader in asked:
                if (grader.name, assignment, repeat) in have:
                    continue

                def time(add, grader=grader, assignment=assignment, repeat=repeat):
                    found = running.speed(grader, assignment, args.submissions, args.jobs)
                    key = {"grader": grader.name, "assignment": assignment, "repeat": repeat}
                    add(key | found)

                yield f"{assignment}, {args.submissions} submissions: {grader.name}", time
    if args.hostile:
        for grader in asked:
            names = [n for n in running.names() if (grader.name, n) not in _tried(rows)]

            def attempt(add, grader=grader, names=names):
                running.attempt_all(grader, names, args.jobs, add)

            if names:
                yield f"{len(names)} broken and hostile submissions: {grader.name}", attempt
    if args.workers:
        yield from dask.plan(rows, args.submissions)


def _draw(rows):
    """The picture in deploy/README.md: the largest cluster, one worker of which was killed."""
    from translearn.bench.grading import dask

    shown = [row for row in rows if row.get("event") == "one killed"]
    if shown:
        dask.picture(max(shown, key=lambda row: row["workers"]))


def _tried(rows):
    return {(row["grader"], row["name"]) for row in rows if "kind" in row}


def show(rows) -> None:
    from translearn.bench.grading import running

    for assignment in ASSIGNMENTS:
        if len(table := tables.speed(rows, assignment)) > 1:
            print(f"\n{assignment}\n\n{tables.plain(table)}")
    for kind in ("broken", "hostile"):
        if len(table := tables.tried(rows, kind)) > 1:
            print(f"\n{tables.plain(table)}")
    if len(table := tables.cases(rows)) > 1:
        print(f"\n{tables.plain(table)}")
    if len(table := tables.workers(rows)) > 1:
        print(f"\n{tables.plain(table)}")
    print(NOTE.format(cell=running.CELL, short=running.SHORT, enough=running.ENOUGH))
