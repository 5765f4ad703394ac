"""`course.py coursework collect`."""

import os
from pathlib import Path

from translearn.coursework.instructor.folder import known
from translearn.coursework.instructor.tables import save, show

HELP = "take in what students sent: a folder or a zip, as Moodle, Canvas or e-mail name the files"


def arguments(verb):
    verb.add_argument(
        "downloads", nargs="?", type=Path, help="default: the folder `downloads` of the class"
    )
    verb.add_argument("--assignment", help="for files that do not say which one they are for")
    verb.add_argument(
        "--student",
        metavar="ID",
        help="take everything as being this student's, whatever the names say",
    )
    verb.add_argument(
        "--exchange",
        action="store_true",
        help="on a JupyterHub: what students submitted through nbgrader's exchange",
    )


def run(course, args):
    from translearn.coursework.instructor import exchange
    from translearn.coursework.instructor.collect import collect

    place = args.downloads or course.root / "downloads"
    place = (exchange.inbound(course) if args.exchange else place).resolve()
    assignment = known(args.assignment) if args.assignment else None
    found = collect(course, place, assignment, args.student, handed_in=args.exchange)
    rows = [
        {
            "student": each.student or "?",
            "assignment": each.assignment or "?",
            "state": each.state,
            "reason": each.problem,
            "file": each.place.removeprefix(f"{place}{os.sep}"),
        }
        for each in found
    ]
    fine = [
        "missing",
        "collected, late",
        "older",
        "duplicate",
        "collected",
        "unchanged, late",
        "unchanged",
        "the LMS's",
    ]  # what nobody could take stands before these
    rows.sort(
        key=lambda row: (
            fine.index(row["state"]) if row["state"] in fine else -1,
            row["state"],
            row["student"],
        )
    )
    columns = ["student", "assignment", "state", "reason", "file"]
    print(show(rows, columns))
    save(course.root / "collected.csv", rows, columns)
    count = {
        word: sum(row["state"].startswith(word) for row in rows)
        for word in ("collected", "unchanged", "missing")
    }
    odd = sum(row["state"] not in fine for row in rows)
    print(
        f"\n{count['collected']} new, {count['unchanged']} collected before, "
        f"{count['missing']} missing, {odd} not taken (listed first; also in collected.csv). "
        f"Next: course.py coursework grade"
    )
    return 0
