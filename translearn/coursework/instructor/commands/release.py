"""`course.py coursework release`."""

from translearn.coursework.instructor.folder import known

HELP = "write the zip that students get"


def arguments(verb):
    verb.add_argument("assignment", nargs="+")
    verb.add_argument(
        "--exchange",
        action="store_true",
        help="on a JupyterHub: also lay it into nbgrader's exchange, where students fetch it",
    )


def run(course, args):
    from translearn.coursework.instructor import draft, exchange
    from translearn.coursework.instructor.release import release

    for assignment in map(known, args.assignment):
        path, names = release(course, assignment)
        print(f"{path}  ({path.stat().st_size / 1000:,.0f} kB: {', '.join(names)})")
        if left := draft.left(assignment):
            print("\n  ".join(["Still as `draft` wrote it:", *left]))
        if args.exchange:
            print(f"In the exchange: {exchange.release(course, assignment)}")
    return 0
