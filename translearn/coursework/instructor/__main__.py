"""`course.py coursework …`: what an instructor does, one command each."""

import argparse
import errno
import os
import sys
from pathlib import Path

from translearn.coursework.instructor.folder import (
    Course,
    alone,
    assignments,
    default_folder,
    known,
    new,
)
from translearn.coursework.instructor.tables import save, show
from translearn.errors import CourseError

DESCRIPTION = """Coursework for a class: hand it out, take it in, run it in a sandbox, mark
it, give it back.
A walk-through of a quarter of an hour stands in docs/teaching.md."""


def parser():
    p = argparse.ArgumentParser(
        prog="course.py coursework",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument(
        "--course",
        type=Path,
        metavar="FOLDER",
        help=(
            "the folder of the class (default: the one you stand in, else `class` beside "
            "course.py)"
        ),
    )
    verbs = p.add_subparsers(dest="verb", required=True, metavar="command")
    verb = verbs.add_parser("new", help="lay out the folder of a new class")
    verb.add_argument("folder", nargs="?", type=Path)
    verb.add_argument("--name", default="", help="what the class is called")
    verb = verbs.add_parser("release", help="write the zip that students get")
    verb.add_argument("assignment", nargs="+")
    verb.add_argument(
        "--exchange",
        action="store_true",
        help="on a JupyterHub: also lay it into nbgrader's exchange, where students fetch it",
    )
    verb = verbs.add_parser(
        "collect",
        help=(
            "take in what students sent: a folder or a zip, as Moodle, Canvas or e-mail name the "
            "files"
        ),
    )
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
    verb = verbs.add_parser(
        "grade",
        help="run and judge what is not graded yet; can be killed at any moment and carries on",
    )
    verb.add_argument("assignment", nargs="*")
    verb.add_argument(
        "--student",
        action="append",
        metavar="ID",
        help="only this one, and also if graded before; can be repeated",
    )
    verb.add_argument("--again", action="store_true", help="also those that are graded")
    verb.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="submissions at a time (default: one a core)",
    )
    verb.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler whose workers run the submissions"
    )
    verb.add_argument(
        "--unprotected",
        action="store_true",
        help=(
            "without a sandbox: student code runs with all your rights. Only in a container made "
            "for it"
        ),
    )
    verb = verbs.add_parser("manual", help="mark the written answers, with the rubric beside each")
    verb.add_argument("assignment", nargs="?")
    verb.add_argument("--names", action="store_true", help="show whose answer it is")
    verb.add_argument("--port", type=int, default=0, metavar="N")
    verb.add_argument("--no-browser", action="store_true")
    verb = verbs.add_parser("feedback", help="write a page for each student")
    verb.add_argument("assignment", nargs="*")
    verb.add_argument("--student", action="append", metavar="ID")
    verb.add_argument(
        "--exchange",
        action="store_true",
        help="on a JupyterHub: also give each student theirs through nbgrader's exchange",
    )
    verb = verbs.add_parser("marks", help="write marks.csv; what is not graded is empty, never 0")
    verb.add_argument("assignment", nargs="*")
    verb = verbs.add_parser(
        "similar", help="which submissions share code: a hint on what to read, never a verdict"
    )
    verb.add_argument("assignment")
    verb.add_argument(
        "--at-least",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="of the shorter one's code (default 0.5)",
    )
    verb = verbs.add_parser(
        "rehearse",
        help=(
            "grade a made-up class on this machine: how long it takes, how much memory, what "
            "goes wrong"
        ),
    )
    verb.add_argument("assignment", nargs="?", default=next(iter(assignments())))
    verb.add_argument("--submissions", type=int, default=100, metavar="N")
    verb.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    verbs.add_parser("status", help="where everything stands")
    return p


def main(argv=None) -> int:
    args = parser().parse_args(argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # students' texts hold whatever they like
    try:
        if args.verb == "new":
            course = new(args.folder or args.course or default_folder(), args.name)
            print(
                f"The class is laid out in {course.root}.\nNext: fill in students.csv (one "
                f"line a student), set the due dates in course.toml, then: course.py "
                f"coursework release A1"
            )
            return 0
        if args.verb == "rehearse":
            return do_rehearse(args)
        done = globals()[f"do_{args.verb}"](Course(args.course or default_folder()), args)
        sys.stdout.flush()
        return done
    except CourseError as problem:
        print(problem, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads what it prints has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as problem:
        print(_sentence(problem), file=sys.stderr)
        return 1


def _sentence(problem):
    """What went wrong with a file, and what to do, for people."""
    where = f" ({problem.filename})" if problem.filename else ""
    what = {
        "ENOSPC": f"The disk is full{where}: make room",
        "EDQUOT": f"Your share of the disk is full{where}: make room",
        "ENOENT": f"A file or folder is not there any more{where}: bring it back",
        "ESTALE": f"A folder on another machine is gone{where}: bring it back",
        "EACCES": f"You may not read or write there{where}: change that",
        "EROFS": f"Nothing can be written there{where}: change that",
    }.get(
        errno.errorcode.get(problem.errno),
        f"The disk did not take it: {problem.strerror or problem}{where}. Mend that",
    )
    return f"{what}, and run the same command again. What was written before is whole."


def _those(course, names):
    """The assignments that a command is for: those named, else all that were released."""
    if names:
        return list(dict.fromkeys(map(known, names)))
    found = [name for name in assignments() if course.released(name).is_file()]
    if not found:
        raise CourseError("Nothing was released yet. Begin with: course.py coursework release A1")
    return found


def do_release(course, args):
    from translearn.coursework.instructor import exchange
    from translearn.coursework.instructor.release import release

    for assignment in map(known, args.assignment):
        path, names = release(course, assignment)
        print(f"{path}  ({path.stat().st_size / 1000:,.0f} kB: {', '.join(names)})")
        if args.exchange:
            print(f"In the exchange: {exchange.release(course, assignment)}")
    return 0


def do_collect(course, args):
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


def do_grade(course, args):
    if args.jobs < 1:
        raise CourseError("--jobs takes a number from 1 on.")
    with alone(course):
        for assignment in _those(course, args.assignment):
            has_all = all(course.submitted(s, assignment).is_file() for s in args.student or ())
            if args.assignment or has_all:
                _grade(course, assignment, args)
    print("Next: course.py coursework manual (the written answers), then feedback and marks.")
    return 0


def _grade(course, assignment, args):
    from translearn.coursework.instructor.grading import grade

    done = grade(
        course,
        assignment,
        args.student,
        args.again or bool(args.student),
        args.jobs,
        args.scheduler,
        args.unprotected,
    )
    ungraded = {
        student: result["reason"]
        for student, result in done.items()
        if result["state"] != "graded"
    }
    print(f"{assignment}: {len(done)} graded now, {len(ungraded)} of them without a full verdict.")
    for student, reason in sorted(ungraded.items()):
        print(f"  {student}: {reason}")


def do_manual(course, args):
    from translearn.coursework.instructor.manual import serve

    serve(
        course,
        known(args.assignment) if args.assignment else None,
        args.names,
        args.port,
        not args.no_browser,
    )
    return 0


def do_feedback(course, args):
    from translearn.coursework.instructor import exchange
    from translearn.coursework.instructor.feedback import write_pages

    bad = 0
    for assignment in _those(course, args.assignment):
        paths, failed = write_pages(course, assignment, args.student)
        print(f"{assignment}: {len(paths)} pages in {course.root / 'feedback'}")
        for student, reason in sorted(failed.items()):
            print(
                f"  {student}: the page cannot be made ({reason}). Look at "
                f"{course.submitted(student, assignment)} yourself, and report this."
            )
        bad += len(failed)
        if args.exchange:
            print(
                f"{exchange.give_back(course, assignment)} of them can be fetched through the "
                f"exchange."
            )
    return 1 if bad else 0


def do_marks(course, args):
    from translearn.coursework.instructor import books

    rows = [
        row
        for assignment in _those(course, args.assignment)
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


def do_similar(course, args):
    from translearn.coursework.instructor.similar import similar

    found = similar(course, known(args.assignment), args.at_least)
    path = course.root / f"similar_{known(args.assignment)}.csv"
    save(path, found.to_dict("records"), list(found.columns))
    print(found.to_string(index=False) if len(found) else "No two submissions share that much.")
    print(
        f"\nThe median pair shares {found.attrs['median']:.0%}. A hint on what to read side by "
        f"side, never a verdict: short functions written from one formula look alike."
    )
    return 0


def do_rehearse(args):
    from translearn.coursework.instructor.rehearsal import rehearse

    if args.submissions < 1 or args.jobs < 1:
        raise CourseError("--submissions and --jobs take numbers from 1 on.")
    r = rehearse(known(args.assignment), args.submissions, args.jobs)
    print(
        f"{r['submissions']} submissions, {r['jobs']} at a time: {r['wall'] / 60:.1f} minutes, "
        f"{r['wall'] / r['submissions']:.2f} s each.\n"
        f"Waiting until a submission's cells had run: median {r['median wait']:.2f} s, 95 % "
        f"under {r['95 % wait']:.2f} s.\n"
        f"Memory at most: {r['memory of this process'] / 2**30:.2f} GB in this process, "
        f"{r['memory with sandboxes'] / 2**30:.2f} GB with its sandboxes.\n"
        f"{len(r['wrong'])} with another mark than expected."
    )
    for line in r["wrong"][:20]:
        print(f"  {line}")
    return 1 if r["wrong"] else 0


def do_status(course, args):
    from translearn.coursework.instructor import books

    students = course.students()
    print(f"{course.name} · {course.root} · {len(students)} students")
    rows = []
    for assignment in assignments():
        if not course.released(assignment).is_file():
            rows.append({"assignment": assignment, "state": "not released"})
            continue
        marks = books.marks(course, assignment)
        count = {
            state: sum(row["state"] == state for row in marks)
            for state in ("graded", "to be marked", "ungraded", "nothing handed in")
        }
        due = course.due.get(assignment)
        rows.append(
            {
                "assignment": assignment,
                "state": "released",
                "due": f"{due:%Y-%m-%d %H:%M}" if due else "–",
                "handed in": len(course.submissions(assignment)),
                "late": sum(bool(row["late"]) for row in marks),
                "marked": count["graded"],
                "waiting for a person": count["to be marked"],
                "ungraded": count["ungraded"],
                "missing": count["nothing handed in"],
            }
        )
        for row in marks:
            if row["state"] == "ungraded":
                rows.append({"assignment": "", "state": f"  {row['student']}: {row['reason']}"})
    print(
        show(
            rows,
            [
                "assignment",
                "state",
                "due",
                "handed in",
                "late",
                "marked",
                "waiting for a person",
                "ungraded",
                "missing",
            ],
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
