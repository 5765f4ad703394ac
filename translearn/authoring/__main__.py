"""`course.py build`: the notebooks from their sources."""

import argparse
import sys

from translearn import paths
from translearn.authoring import handout, minutes, notebooks
from translearn.authoring.pages import build, out_of_sync, outputs
from translearn.authoring.reading import find, read, sources
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
    args = parser.parse_args(argv)
    try:
        return _do(args)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def _do(args):
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
