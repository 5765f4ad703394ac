"""`course.py coursework marks`."""

from translearn.coursework.instructor.commands.chosen import those
from translearn.coursework.instructor.tables import save, show

HELP = "write marks.csv; what is not graded is empty, never 0"


def arguments(verb):
    verb.add_argument("assignment", nargs="*")


def run(course, args):
    from translearn.coursework.instructor import books

    rows = [
        row
        for assignment in those(course, args.assignment)
        for row in books.marks(course, assignment)
    ]
    columns = ["student", "name", "assignment", "points", "of", "state", "reason", "late"]
    save(
        course.root / "marks.csv",
        rows,
        columns + [c for row in rows for c in row if c not in columns],
    )
    print(show(rows, columns))
    without = sum(row["points"] is None for row in rows)
    print(
        f"\n{course.root / 'marks.csv'}: {len(rows) - without} with a mark, {without} without "
        f"(empty, not 0)."
    )
    return 0
