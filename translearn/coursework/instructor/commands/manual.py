"""`course.py coursework manual`."""

from translearn.coursework.instructor.folder import known

HELP = "mark the written answers, with the rubric beside each"


def arguments(verb):
    verb.add_argument("assignment", nargs="?")
    verb.add_argument("--names", action="store_true", help="show whose answer it is")
    verb.add_argument("--port", type=int, default=0, metavar="N")
    verb.add_argument("--no-browser", action="store_true")


def run(course, args):
    from translearn.coursework.instructor.manual import serve

    serve(
        course,
        known(args.assignment) if args.assignment else None,
        args.names,
        args.port,
        not args.no_browser,
    )
    return 0
