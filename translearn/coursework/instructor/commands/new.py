"""`course.py coursework new`."""

from pathlib import Path

from translearn.coursework.instructor.folder import default_folder, new

NEEDS_CLASS = False

HELP = "lay out the folder of a new class"


def arguments(verb):
    verb.add_argument("folder", nargs="?", type=Path)
    verb.add_argument("--name", default="", help="what the class is called")


def run(course, args):
    made = new(args.folder or args.course or default_folder(), args.name)
    print(
        f"The class is laid out in {made.root}.\nNext: fill in students.csv (one line a student), "
        f"set the due dates in course.toml, then: course.py coursework release A1"
    )
    return 0
