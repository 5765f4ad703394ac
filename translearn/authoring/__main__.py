"""`course.py build`: the notebooks from their sources."""

import argparse
import sys
from pathlib import Path

from translearn import paths
from translearn.authoring import find, handout, measure_lesson, minutes, notebooks, run
from translearn.authoring.pages import build, out_of_sync, outputs
from translearn.authoring.reading import read, sources
from translearn.errors import CourseError


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="course.py", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("build", help="write the notebooks from their sources")
    verb.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if a notebook differs from a fresh build",
    )
    verb.add_argument(
        "--minutes",
        metavar="NN",
        nargs="?",
        const="",
        help="write nothing; say how long a lesson takes, part by part",
    )
    verb.add_argument(
        "--rehearsal",
        action="store_true",
        help="write only the rehearsals that the tests run, into .cache/rehearsal",
    )
    verb = verbs.add_parser("measure", help="run the lessons' experiments into the ledger")
    verb.add_argument("lesson", nargs="*", help="such as 05; all lessons when none is named")
    verb.add_argument("--seeds", type=int, default=5, help="at least this many (default: 5)")
    verb.add_argument("--all", action="store_true", help="also what is up to date")
    verb = verbs.add_parser("run")
    verb.add_argument("path", type=Path)
    args = parser.parse_args(argv)
    try:
        return _do(args)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def _do(args):
    if args.verb == "run":
        run(args.path)
        return 0
    if args.verb == "measure":
        if args.seeds < 5:
            raise CourseError(f"The ledger wants at least five seeds, not {args.seeds}.")
        # A process that was killed returns a negative number.
        return int(any([measure_lesson(path, args.seeds, args.all) for path in find(args.lesson)]))
    if args.check:
        differ = out_of_sync()
        for path in differ:
            name = path.relative_to(paths.NOTEBOOKS.parent)
            print(f"{name} differs from its source. Run: python3 course.py build", file=sys.stderr)
        return 1 if differ else 0
    if args.minutes is not None:
        for path in find([args.minutes] if args.minutes else []):
            print(minutes.table(read(path)), end="\n\n")
        return 0
    if args.rehearsal:
        for path in [*sources(), *handout.sources()]:
            print(notebooks.write_rehearsal(read(path)))
        return 0
    changed, fresh = build(), outputs()
    for path in changed:
        done = "wrote" if path in fresh else "no source any more, delete it:"
        print(f"{done} {path.relative_to(paths.NOTEBOOKS.parent)}")
    print(f"{len(changed)} of {len(fresh)} pages changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
