"""`course.py coursework rehearse`."""

import os

from translearn.coursework.instructor.folder import assignments, known
from translearn.errors import CourseError

NEEDS_CLASS = False

HELP = "grade a made-up class on this machine: how long it takes, how much memory, what goes wrong"


def arguments(verb):
    verb.add_argument("assignment", nargs="?", default=next(iter(assignments()), "A1"))
    verb.add_argument("--submissions", type=int, default=100, metavar="N")
    verb.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="submissions at a time (default: one a core)",
    )
    verb.add_argument("--cold", action="store_true", help="each sandbox starts from nothing")


def run(course, args):
    from translearn.coursework.instructor.rehearsal import rehearse

    if args.submissions < 1 or args.jobs < 1:
        raise CourseError("--submissions and --jobs take numbers from 1 on.")
    r = rehearse(known(args.assignment), args.submissions, args.jobs, cold=args.cold)
    print(
        f"{r['submissions']} submissions, {r['jobs']} at a time: {r['wall'] / 60:.1f} minutes, "
        f"{r['wall'] / r['submissions']:.2f} s each.\n"
        f"Waiting until a submission's cells had run: median {r['median wait']:.2f} s, 95 % "
        f"under {r['95 % wait']:.2f} s.\n"
        f"Memory at most: {r['memory of this process'] / 2**30:.2f} GB in this process, "
        f"{r['memory with sandboxes'] / 2**30:.2f} GB with its sandboxes.\n"
        f"One that comes alone waits {r['wait for one']:.2f} s until its cells have run.\n"
        f"{r['jobs']} sandboxes with the model answers in them hold "
        f"{r['memory of the sandboxes'] / 2**30:.2f} GB together.\n"
        f"{len(r['wrong'])} with another mark than expected."
    )
    for line in r["wrong"][:20]:
        print(f"  {line}")
    return 1 if r["wrong"] else 0
