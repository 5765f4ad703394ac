"""`course.py coursework similar`."""

from translearn.coursework.instructor.folder import known
from translearn.coursework.instructor.tables import save

HELP = "which submissions share code: a hint on what to read, never a verdict"


def arguments(verb):
    verb.add_argument("assignment")
    verb.add_argument(
        "--at-least",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="of the shorter one's code (default 0.5)",
    )


def run(course, args):
    from translearn.coursework.instructor.similar import similar

    found = similar(course, known(args.assignment), args.at_least)
    path = course.root / f"similar_{known(args.assignment)}.csv"
    save(path, found.to_dict("records"), list(found.columns))
    print(found.to_string(index=False) if len(found) else "No two submissions share that much.")
    print(
        f"\nThe median pair shares {found.attrs['median']:.0%}. A hint on what to read side by "
        f"side, never a verdict: short functions written from one formula look alike."
    )
    return 0
