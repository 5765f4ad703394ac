"""`course.py coursework feedback`."""

from translearn.coursework.instructor.commands.chosen import those

HELP = "write a page for each student"


def arguments(verb):
    verb.add_argument("assignment", nargs="*")
    verb.add_argument("--student", action="append", metavar="ID")
    verb.add_argument(
        "--exchange",
        action="store_true",
        help="on a JupyterHub: also give each student theirs through nbgrader's exchange",
    )
    verb.add_argument(
        "--moodle",
        action="store_true",
        help="also pack them as the zip that Moodle takes: Upload multiple feedback files",
    )


def run(course, args):
    from translearn.coursework.instructor import exchange, moodle
    from translearn.coursework.instructor.feedback import write_pages

    bad = 0
    for assignment in those(course, args.assignment):
        paths, failed = write_pages(course, assignment, args.student)
        print(f"{assignment}: {len(paths)} pages in {course.root / 'feedback'}")
        for student, reason in sorted(failed.items()):
            print(
                f"  {student}: the page cannot be made ({reason}). Look at "
                f"{course.submitted(student, assignment)} yourself, and report this."
            )
        bad += len(failed)
        if args.moodle:
            packed, done, without = moodle.feedback(course, assignment)
            print(f"{packed}: {len(done)} pages for Moodle")
            for student, why in sorted(without.items()):
                print(f"  {student}: not in it, {why}")
        if args.exchange:
            print(
                f"{exchange.give_back(course, assignment)} of them can be fetched through the "
                f"exchange."
            )
    return 1 if bad else 0
