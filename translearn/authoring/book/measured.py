"""The page *What we measured*: every claim of the course with its number, and every experiment
with the command that runs it again. All of it comes out of the ledger.
"""

from dataclasses import dataclass, field

from translearn import paths
from translearn.authoring.book import anchors
from translearn.authoring.numbers import FILTERS
from translearn.bench import clinic
from translearn.bench.contest import entries
from translearn.bench.grading import record, tables
from translearn.evidence import lessons as evidence
from translearn.measure import ledger

HEAD = """\
# What we measured

The {claims} claims of the course, and the {experiments} experiments of its ledger. A claim is a
sentence that a lesson asserts while it runs, with a margin: its number falls within what was asked
in 999 of 1,000 repetitions, or the lesson stops with an error, and a test fails. The number is the
mean over the seeds, and behind it stands the standard deviation. Scores are shares, so that
0.1 is ten points; a difference of two arms is taken seed by seed.

**Run it again.** The command below an experiment's name runs one seed of each of its arms in a
fresh process, and holds every number against the ledger. *Replayed* is the day when that agreed
last.

<div class="filter"><label for="filter">Show what contains</label>
<input type="search" id="filter" autocomplete="off"> <output id="filtered"></output></div>
<script src="_static/filter.js" defer></script>
"""


GRADERS = """\
### Graders of notebooks

Ours, the autograder of nbgrader and otter-grader on the same submissions, with the same questions
asked on the same hidden inputs: `python3 course.py bench grading --hostile`. A mark is right when
every question has the points that it deserves. A trace is what a submission read, changed, sent
or left running."""


@dataclass
class Experiment:
    name: str
    entry: dict  # as the ledger has it
    home: object = None  # the lesson that runs it; None for a benchmark
    line: int = 0  # where it stands in the lesson's source
    claims: list = field(default_factory=list)  # (text, the ledger's row, link)


def experiments(lessons) -> list:
    """Every experiment of the ledger, the lessons' in their order, then the benchmarks; each with
    its claims.
    """
    found = {}
    for lesson in lessons:
        lines = dict((text, line) for line, text in evidence.claims(lesson))
        for name, trees in evidence.trees_of(lesson).items():
            book = ledger.read(name)
            if name in book["experiments"]:
                found[name] = each = Experiment(name, book["experiments"][name], lesson)
                each.line = trees[-1].body[0].lineno
                each.claims = [
                    (text, row, anchors.above(lesson, lines[text])[1])
                    for text, row in book["claims"].items()
                    if row["experiment"] == name and text in lines
                ]
                each.claims.sort(key=lambda claim: lines[claim[0]])
    for path in sorted(paths.LEDGER.glob("*.json")):
        for name, entry in ledger.read(path.stem)["experiments"].items():
            found.setdefault(name, Experiment(name, entry))
    return list(found.values())


def page(lessons) -> str:
    """The page as MyST Markdown. Its numbers and dates are written out: it is made anew with every
    book.
    """
    every = experiments(lessons)
    count = sum(len(each.claims) for each in every)
    parts = [HEAD.format(claims=count, experiments=len(every))]
    for lesson in lessons:
        mine = [each for each in every if each.home is lesson]
        if mine:
            parts.append(f"## [{anchors.title(lesson)}]({lesson.name}.ipynb)")
            parts += [_claimed(each) for each in mine if each.claims]
            parts.append(
                _others("Without a claim of their own", [e for e in mine if not e.claims])
            )
    parts.append("## Benchmarks")
    parts.append(_others("Not run by a lesson", [each for each in every if not each.home]))
    parts.append(_graders())
    return "\n\n".join(part for part in parts if part) + "\n"


def command(experiment: Experiment) -> str:
    """What runs an experiment again."""
    if experiment.home is None:
        if experiment.name == clinic.CONTEST:
            return "python3 course.py bench clinic --replay"
        trained = "" if entries.ENTRIES[experiment.name].charge else " --trained"
        return f"python3 course.py bench recipes --replay{trained}"
    number = experiment.home.name[:2]
    return f"python3 course.py measure --replay {number} --only {experiment.name}"


def asked(row: dict) -> str:
    """The bounds of a claim in words."""
    low, high = row["holds_between"]
    if low is None:
        return f"less than {_short(high)}"
    if high is None:
        return f"more than {_short(low)}"
    if low == -high:
        return f"less than {_short(high)} in either direction"
    return f"between {_short(low)} and {_short(high)}"


def effect(row: dict) -> str:
    """What a claim's number is, in words."""
    kind, *arms, metric = row["effect"]
    if kind == "of":
        return f"{metric}: {arms[0]}"
    return f"{metric}: {arms[0]} {'minus' if kind == 'minus' else 'divided by'} {arms[1]}"


def _short(bound):
    return f"{bound:.3g}"


def _claimed(experiment):
    rows = ["| Claim | Measured | Asked | What the number is |", "|---|---|---|---|"]
    for text, row, link in experiment.claims:
        number = FILTERS["spread"](row["mean"], row["spread"])
        rows.append(
            f"| [{anchors.inline(text)}]({link}) | {number} | {asked(row)} "
            f"| {anchors.inline(effect(row))} |"
        )
    table = "\n".join(rows)
    return f"````{{container}} experiment stacked\n{_about(experiment)}\n\n{table}\n````"


def _about(experiment):
    """Name, seeds, budget, date and command of an experiment."""
    entry, stamp = experiment.entry, experiment.entry.get("stamp")
    when = f"measured {entry['measured']}"
    if stamp and stamp["how"] == "replayed":
        when += f", replayed {stamp['date']}"
    return (
        f"**{experiment.name}** · {entry['seeds']} seeds · "
        f"{anchors.inline(entry['budget'])} · {when}\\\n`{command(experiment)}`"
    )


def _graders():
    """The graders of notebooks, compared: they are in a record of their own."""
    if not record.RECORD.exists():
        return ""
    return f"{GRADERS}\n\n{tables.summary(record.read())}"


def _others(title, experiments):
    if not experiments:
        return ""
    items = []
    for each in experiments:
        about = _about(each)
        if each.home:
            heading, link = anchors.above(each.home, each.line)
            about = about.replace(
                f"**{each.name}**", f"**{each.name}** ([{anchors.inline(heading)}]({link}))", 1
            )
        items.append(f"* {about}".replace("\n", "\n  "))
    listed = "\n".join(items)
    return f"````{{container}} experiment\n**{title}**\n\n{listed}\n````"
