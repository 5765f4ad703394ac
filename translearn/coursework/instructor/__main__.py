"""`course.py coursework …`: what an instructor does, one command each."""

import argparse
import errno
import importlib
import os
import sys
from pathlib import Path

from translearn.coursework.instructor.folder import Course, default_folder
from translearn.errors import CourseError

DESCRIPTION = """Coursework for a class: hand it out, take it in, run it in a sandbox, mark
it, give it back.
A walk-through of a quarter of an hour stands in docs/teaching.md."""

VERBS = (
    "new",
    "release",
    "collect",
    "preview",
    "grade",
    "regrade",
    "override",
    "manual",
    "feedback",
    "marks",
    "statistics",
    "similar",
    "plagiarism",
    "rehearse",
    "status",
    "draft",
    "passback",
)


def _command(name):
    """The module of a command: `HELP`, `arguments(parser)`, `run(course, args)` → exit status."""
    return importlib.import_module(f"translearn.coursework.instructor.commands.{name}")


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
    for name in VERBS:
        command = _command(name)
        command.arguments(verbs.add_parser(name, help=command.HELP))
    return p


def main(argv=None) -> int:
    args = parser().parse_args(argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # students' texts hold whatever they like
    try:
        command = _command(args.verb)
        needs_class = getattr(command, "NEEDS_CLASS", True)
        course = Course(args.course or default_folder()) if needs_class else None
        done = command.run(course, args)
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


if __name__ == "__main__":
    sys.exit(main())
