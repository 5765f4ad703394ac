"""`course.py coursework marks`."""

from pathlib import Path

from translearn.coursework.instructor.commands.chosen import those
from translearn.coursework.instructor.tables import save, show

HELP = "write marks.csv, and your LMS's own file; what is not graded is empty, never 0"
ALWAYS = ["student", "name", "assignment", "points", "of", "state", "reason", "late"]
SOMETIMES = {"extension": "extension", "raw": "deducted", "deducted": "deducted"}


def arguments(verb):
    verb.add_argument("assignment", nargs="*")
    verb.add_argument(
        "--moodle",
        type=Path,
        metavar="FILE",
        help="also fill in what Moodle exported: a grading worksheet, or the course's grades",
    )
    verb.add_argument(
        "--canvas", type=Path, metavar="FILE", help="also fill in the gradebook Canvas exported"
    )
    verb.add_argument(
        "--scale", action="store_true", help="to the points that the LMS has for the assignment"
    )


def run(course, args):
    from translearn.coursework.instructor import books, canvas, moodle, totals

    wanted = those(course, args.assignment)
    rows = [row for assignment in wanted for row in books.marks(course, assignment)]
    columns = [*ALWAYS, *SOMETIMES, "deduction"]
    save(
        course.root / "marks.csv",
        rows,
        columns + [c for row in rows for c in row if c not in columns],
    )
    used = [name for name, shows in SOMETIMES.items() if any(row[shows] for row in rows)]
    print(show(rows, ALWAYS + used))
    without = sum(row["points"] is None for row in rows)
    print(
        f"\n{course.root / 'marks.csv'}: {len(rows) - without} with a mark, {without} without "
        f"(empty, not 0)."
    )
    if course.weights:
        _totals(course, totals.totals(course))
    for exported, lms in ((args.moodle, moodle), (args.canvas, canvas)):
        if exported:
            print(f"\n{lms.fill(course, exported, wanted, args.scale).told()}")
    return 0


def _totals(course, rows):
    columns = ["student", "name", *course.weights.of, "total", "so far", "dropped", "reason"]
    save(course.root / "total.csv", rows, columns)
    print(f"\n{show(rows, columns)}")
    without = sum(row["total"] is None for row in rows)
    print(
        f"\n{course.root / 'total.csv'}: {len(rows) - without} with a total in percent, {without} "
        f"without (something has no mark yet)."
    )
