"""`course.py coursework plagiarism`."""

from translearn.coursework.instructor.commands.chosen import those

HELP = "code for JPlag, MOSS or Dolos: a folder for each submission, and the base code"


def arguments(verb):
    verb.add_argument("assignment", nargs="*")
    verb.add_argument(
        "--no-names",
        action="store_true",
        help="number the folders; key.csv, beside them, says whose each is",
    )


def run(course, args):
    from translearn.coursework.instructor import plagiarism

    for assignment in those(course, args.assignment):
        place, done, without = plagiarism.export(course, assignment, names=not args.no_names)
        print(f"{assignment}: {len(done)} submissions in {place}")
        for student, why in sorted(without.items()):
            print(f"  {student}: not in it, {why}")
        print(plagiarism.commands(place, assignment))
    return 0
