"""`course.py coursework draft`."""

from translearn.errors import CourseError

NEEDS_CLASS = False

HELP = "begin an assignment of your own: source, module, judge and bank, with a small example"

NEXT = """
Next:
  1. Change each place that says EDIT; they are listed below, in the order to go.
  2. python3 course.py coursework rehearse {name}
     says what does not fit, and grades the bank: each must get the mark that you wrote down.
  3. python3 course.py coursework release {name}
     writes what students get, and says what is still as it is now.
  4. In the tables of README.md and docs/teaching.md fill in when {name} is due and how long it
     takes; then: python3 course.py build
docs/own-assignment.md walks through one.
"""


def arguments(verb):
    verb.add_argument("assignment", help="a name that is free, such as A5")
    verb.add_argument("--title", required=True, help="what it is called")


def run(course, args):
    from translearn import paths
    from translearn.authoring import pages
    from translearn.coursework.instructor import draft

    written = draft.draft(args.assignment, args.title)
    name = args.assignment.upper()
    what = [
        "what students read, and the model answers",
        "what their notebook imports: points, hints, visible checks, rubric",
        "the judges: what gives points, on inputs that nobody has seen",
        "the bank: submissions whose marks are known",
    ]
    print(f"{name} is drafted. It holds an example, so all of it works as it stands.")
    for path, about in zip(written, what):
        print(f"  {path.relative_to(paths.ROOT).as_posix()}\n      {about}")
    try:
        made = pages.changed(pages.of_assignments())
    except Exception as problem:  # another assignment, half done: its own text says what
        raise CourseError(
            f"The pages cannot be built yet, because of another assignment: {problem}. Mend that, "
            f"and run: python3 course.py build"
        ) from None
    pages.write(made)
    for path in made:
        print(f"  {path.relative_to(paths.ROOT).as_posix()}  (written by the build)")
    print(NEXT.format(name=name))
    print("\n".join(draft.left(name)))
    return 0
