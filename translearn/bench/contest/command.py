"""`python3 course.py bench recipes`: the contest on the course's problems, or on your pictures."""

from translearn import measure, paths
from translearn.bench.contest import entries, problems, tables
from translearn.errors import CourseError
from translearn.measure import ledger


def options(parser) -> None:
    """What the command takes, beside what all benchmarks do."""
    parser.add_argument(
        "--folder", metavar="PICTURES", help="on your own pictures, one folder for each class"
    )
    parser.add_argument(
        "--labels", type=int, nargs="+", metavar="N", help="labels a class (default: 10 and 50)"
    )
    parser.add_argument(
        "--size", type=int, default=224, metavar="N", help="of your pictures at most (224)"
    )
    names = ", ".join(f'"{name}"' for name in entries.RECIPES)
    parser.add_argument(
        "--arms", nargs="+", metavar="NAME", help=f"which recipes: {names} (default: all)"
    )
    parser.add_argument(
        "--trained",
        action="store_true",
        help="run, or replay, those that train the network as well: hours instead of minutes",
    )


def recipes_command(args) -> int:
    if args.jobs < 1 or args.seeds is not None and args.seeds < 1:
        raise CourseError("The benchmark wants at least one seed and one job.")
    if args.folder:
        return on_folder(args)
    if args.labels or args.size != 224:
        raise CourseError("--labels and --size are for your own pictures: add --folder PICTURES.")
    asked = chosen(args)
    if args.replay:
        found = [sentence for entry in asked for sentence in entries.replay(entry)]
        print("\n".join(found) or "Every recipe scores what the ledger says.")
        return int(bool(found))
    if args.recorded:
        results = recorded()
    else:
        results = [entries.contest(entry, args.seeds, args.jobs, args.record) for entry in asked]
    every = entries.problems()
    show(tables.Runs(results), {name: each.blind for name, each in every.items()})
    return 0


def chosen(args) -> list:
    """The entries that are asked for: those of `--arms`, or all, the trained ones if wanted."""
    for name in args.arms or ():
        if name not in entries.RECIPES:
            known = ", ".join(entries.RECIPES)
            raise CourseError(f"There is no recipe called {name!r}. There are: {known}.")
    if args.arms:
        return [entry for entry in entries.EVERY if set(args.arms) & entry.recipes.keys()]
    return [each for each in entries.ENTRIES.values() if each.charge or args.trained]


def recorded() -> list:
    """What the ledger has of the contest."""
    known = ledger.read(entries.FROZEN.name)["experiments"]
    if entries.FROZEN.name not in known:
        raise CourseError(
            "The ledger has no such benchmark yet. Run it: python3 course.py bench recipes "
            "--record"
        )
    return [measure.recorded(name) for name in entries.ENTRIES if name in known]


def on_folder(args) -> int:
    if args.record or args.replay or args.recorded:
        raise CourseError("The ledger has the course's problems. Leave out --folder for those.")
    chosen(args)  # says what is wrong with --arms
    problem = problems.folder(args.folder, args.size)
    labels = args.labels or list(entries.LABELS)
    if min(labels) < 2:
        raise CourseError("--labels wants at least 2 a class: what is chosen is cross-validated.")
    for count in labels:
        fewer = problem.wanted(count)
        if fewer.min() < count:
            print(
                f"{count} labels a class: the class with fewest has {fewer.min()} (three quarters "
                "of its training pictures, so that the seeds differ)."
            )
    recipes = args.arms or [name for name in entries.RECIPES if name not in tables.APART]
    results = entries.on_folder(problem, labels, recipes, args.seeds or 3, args.size)
    show(tables.Runs([results]), {problem.name: problem.blind})
    return 0


def show(runs, blinds: dict) -> None:
    """Print the tables and save the figures."""
    import matplotlib.pyplot as plt
    import pandas as pd

    pd.set_option("display.width", 200)
    for problem, labels in runs.cases():
        print(f"\n{problem}, {labels} labels a class: balanced accuracy on the test pictures in %,"
              " mean ± standard deviation over the seeds\n")  # fmt: skip
        print(tables.table(runs, problem, labels, blinds[problem]).to_string())
        for one_size in (False, True):
            found = tables.frontier(runs, problem, labels, one_size)
            if len(found):
                print("\nall at 96 pixels\n" if one_size else "\neach at its best size\n")
                print(found.round(3).to_string())
    for one_size in (False, True):
        found = tables.standing(runs, one_size)
        if len(found):
            what = "all at 96 pixels" if one_size else "each at its best size"
            print(f"\nOurs against the best other recipe at every moment, {what}; paired t test, "
                  f"Holm over the moments, sure at {tables.SURE}\n")  # fmt: skip
            print(found.to_string())
    found = tables.worth_of_validation(runs)
    if len(found):
        print("\nThe probe at the smallest size: what is a validation set of 900 worth?\n")
        print(found.to_string())
    folder = paths.cache() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    for labels in dict.fromkeys(count for _, count in runs.cases()):
        fig, _ = tables.figure(runs, labels, blinds)
        fig.savefig(folder / f"recipes-{labels}.png")
        plt.close(fig)
        print(f"\nThe frontier as a figure: {folder / f'recipes-{labels}.png'}")
