"""`course.py coursework preview`."""

from translearn.coursework.instructor.folder import known

HELP = "the assignment as a student gets it, in a folder, and the check before handing in"


def arguments(verb):
    verb.add_argument("assignment")
    verb.add_argument(
        "--check", action="store_true", help="run the check that a student runs before handing in"
    )
    verb.add_argument("--open", action="store_true", help="open the notebook in JupyterLab")
    verb.add_argument("--no-browser", action="store_true", help="only print the address")
    verb.add_argument(
        "--again", action="store_true", help="begin anew: what you typed there is lost"
    )


def run(course, args):
    from translearn.coursework.instructor import preview

    assignment = known(args.assignment)
    path, source = preview.lay_out(course, assignment, args.again)
    print(f"{path}\nIts files: {source}.")
    if args.check:
        print(preview.check(assignment, path))
    if args.open:
        preview.open_lab(path, not args.no_browser)
    elif not args.check:
        print("Look at it with --open; answer in it, save, and see with --check what they see.")
    return 0
