"""`python3 course.py measure`: run the lessons' experiments into the ledger, or replay what it
has.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from translearn import paths
from translearn.authoring import find, read
from translearn.errors import CourseError
from translearn.evidence import ONE_THREAD, book, lessons, replay
from translearn.evidence.claiming import claim_anew
from translearn.evidence.recording import Recorder
from translearn.measure import experiment as measuring


def main(argv=None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    os.environ |= dict.fromkeys(ONE_THREAD, "1")
    try:
        if argv[:1] == ["cells"]:  # a lesson's measuring in a process of its own
            measure_here(Path(argv[1]), int(argv[2]))
            return 0
        return _do(parser().parse_args(argv))
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def parser():
    p = argparse.ArgumentParser(prog="course.py measure", description=__doc__)
    p.add_argument("lesson", nargs="*", help="such as 05; all lessons when none is named")
    p.add_argument(
        "--seeds", type=int, default=5, metavar="N", help="at least this many (default: 5)"
    )
    p.add_argument("--all", action="store_true", help="also what has not changed since its stamp")
    p.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="this experiment alone (may be repeated)",
    )
    p.add_argument(
        "--replay",
        action="store_true",
        help="run one seed of each arm again and hold it against the ledger; "
        "what agrees is stamped anew",
    )
    p.add_argument(
        "--claims",
        action="store_true",
        help="run nothing: make the lessons' claims anew on the recorded runs (seconds)",
    )
    p.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="replay a random choice that fits into M minutes",
    )
    p.add_argument(
        "--choose",
        default="",
        metavar="TEXT",
        help="what fixes that choice and the seeds, such as a commit's id "
        "(default: always the same choice, seed 0)",
    )
    return p


def _do(args) -> int:
    sources = find(args.lesson)
    if args.claims:
        for path in sources:
            print(
                f"{path.stem}: {len(claim_anew(path))} claims are borne out by the recorded runs."
            )
        return 0
    if args.replay:
        if args.minutes is not None and args.minutes <= 0:
            raise CourseError(f"--minutes wants a number above 0, not {args.minutes:g}.")
        found = replay.replay(sources, args.only, args.all, args.minutes, args.choose)
        differ = [outcome.name for outcome in found if outcome.problems]
        agree = len(found) - len(differ)
        print(f"{agree} of {len(found)} replayed experiments agree with the ledger.")
        if differ:
            print(
                f"Stale: {', '.join(differ)}. Measure again: python3 course.py measure --only NAME"
            )
        return int(bool(differ))
    if args.minutes is not None or args.choose:
        raise CourseError("--minutes and --choose belong to --replay.")
    if args.seeds < 5:
        raise CourseError(f"The ledger wants at least five seeds, not {args.seeds}.")
    # A process that was killed returns a negative number.
    return int(any([measure(path, args.seeds, args.all, args.only) for path in sources]))


def measure(path: Path, seeds: int, everything: bool = False, only=()) -> int:
    """Measure what the ledger lacks of a lesson, in a process of its own; `everything` and `only`
    measure anew what it has.
    """
    lesson = read(path)
    names = list(lessons.experiments(lesson))
    again = [name for name in names if everything or name in only]
    if only and not again:
        return 0
    if not again and not lessons.stale(lesson):
        print(f"{lesson.name}: the ledger is up to date ({len(names)} experiments).")
        return 0
    book.prepare(names, again)
    print(f"{lesson.name}: measuring with at least {seeds} seeds", flush=True)
    return subprocess.call(
        [sys.executable, "-m", "translearn.evidence", "cells", str(path), str(seeds)],
        env=os.environ | {"MPLBACKEND": "agg"},
        cwd=paths.NOTEBOOKS,
    )


def measure_here(path: Path, seeds: int) -> None:
    """Run the cells that a lesson's experiments rest on, here and now, into the ledger."""
    lesson = read(path)
    measuring.recorder = Recorder(lessons.experiments(lesson), seeds)
    try:
        lessons.run([tree for _, tree in lessons.cells_of(lesson)], path)
    finally:
        measuring.recorder = None


if __name__ == "__main__":
    sys.exit(main())
