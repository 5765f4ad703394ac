"""`python3 course.py bench`: recipes, diagnoses and graders by measurement; networks' speed."""

import argparse
import sys

from translearn.bench import clinic, throughput
from translearn.bench.contest import command
from translearn.bench.grading import command as grading
from translearn.errors import CourseError


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="course.py bench", description=__doc__)
    commands = parser.add_subparsers(required=True)

    recipes = commands.add_parser(
        "recipes",
        help="ours, an expert's, two tutorials' and the article's, by score and computing",
    )
    recipes.set_defaults(run=command.recipes_command)
    measuring(recipes, None, "of each recipe (default: as many as the ledger has)")
    command.options(recipes)

    ward = commands.add_parser(
        "clinic", help="does clinic.diagnose find what was planted? on held-out programs"
    )
    ward.set_defaults(run=clinic.clinic_command)
    draws = "draws of the planted faults (default: 5, about half an hour of one core)"
    measuring(ward, clinic.SEEDS, draws)
    ward.add_argument(
        "--overhead", action="store_true", help="what watching adds to a training step, measured"
    )

    speed = commands.add_parser(
        "throughput",
        help="each network's speed, share of this machine's peak, start and memory (four minutes)",
    )
    speed.set_defaults(run=throughput_command)
    networks = ", ".join(throughput.NETWORKS)
    speed.add_argument("networks", nargs="*", metavar="NETWORK", help=f"{networks} (default: all)")
    speed.add_argument(
        "--repeats", type=int, default=3, metavar="N", help="processes a network (default: 3)"
    )

    graders = commands.add_parser(
        "grading", help="ours, nbgrader's autograder and otter-grader on the same notebooks"
    )
    graders.set_defaults(run=grading.grading_command)
    grading.options(graders)

    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def measuring(parser, seeds: int | None, what: str) -> None:
    """The options of a benchmark that stands in the ledger; `what` says what its seeds are."""
    parser.add_argument("--seeds", type=int, default=seeds, metavar="N", help=what)
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="runs at a time, each on its own thread"
    )
    parser.add_argument(
        "--recorded", action="store_true", help="run nothing; show what the ledger has"
    )
    parser.add_argument(
        "--replay",
        action="store_true",
        help="run one seed again and hold its numbers against the ledger",
    )
    parser.add_argument("--record", action="store_true", help="write the runs into the ledger")


def throughput_command(args) -> int:
    if args.repeats < 1:
        raise CourseError("The benchmark wants at least one repeat.")
    throughput.report(args.networks, args.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
