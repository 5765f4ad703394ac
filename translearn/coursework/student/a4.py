"""Assignment A4: a project of one's own, with its report. What a student's notebook imports."""

from dataclasses import dataclass

import numpy as np

from translearn.coursework.student.question import Written, expect_items, question
from translearn.exercises.answers import (
    Incorrect,
    Misconception,
    close,
    expect_array,
    expect_callable,
    expect_number,
)

AHEAD = ("numpy", "sklearn.linear_model")
DATA = ("fashion",)  # for those without pictures of their own


def generator(seed: int):
    """NumPy's random generator, for the functions that need luck."""
    return np.random.default_rng(seed)


@question(
    title="1 · What guessing gets",
    marks={"accuracy": 1, "balanced accuracy": 1},
    hints=[
        "Always guessing the most frequent class is right as often as that class occurs.",
        "Its recall is 1 for one class and 0 for the others: what is the mean of those?",
    ],
    misconceptions=["chance, not the majority", "balanced is not one half"],
    praise=(
        "Put it into the first row of every table: a network that does not beat it has learned "
        "nothing."
    ),
)
def majority(majority):
    f = expect_callable(majority, "majority")
    answer = f(np.array([0, 0, 0, 1, 1, 2, 0, 0]))
    answer = expect_items(answer, 2, "Return two numbers: accuracy and balanced accuracy.")
    accuracy, balanced = (expect_number(a) for a in answer)
    if close(accuracy, 1 / 3):
        raise Misconception(
            "chance, not the majority",
            "That is what guessing at random gets. Always naming the most frequent class gets "
            "5 of 8.",
        )
    if close(balanced, 0.5) or close(balanced, 5 / 8):
        raise Misconception(
            "balanced is not one half",
            "With three classes, a constant guess finds all of one class and none of two: its "
            "balanced accuracy is 1/3.",
        )
    if not (close(accuracy, 5 / 8) and close(balanced, 1 / 3)):
        raise Incorrect(
            f"For 5, 2 and 1 examples of three classes expected (0.625, 0.333), got "
            f"({accuracy:.3g}, {balanced:.3g})."
        )


@question(
    title="2 · Balanced accuracy",
    marks={"the mean of the recalls": 2, "a class that is never guessed": 1},
    hints=[
        "For each class among the labels: which share of its examples was guessed right?",
        "`guesses[labels == c]` are the guesses for the examples of one class. The classes are "
        "those among the labels, whatever was guessed.",
    ],
    misconceptions=["plain accuracy", "precision", "classes of the guesses"],
    praise="Every class counts the same, however rare it is.",
)
def balanced_accuracy(balanced_accuracy):
    f = expect_callable(balanced_accuracy, "balanced_accuracy")
    labels, guesses = (
        np.array([0] * 6 + [1] * 2 + [2] * 2),
        np.array([0, 0, 0, 0, 0, 1, 1, 0, 0, 0]),
    )
    got = expect_number(f(labels, guesses), "balanced_accuracy(labels, guesses)")
    right = np.mean([5 / 6, 1 / 2, 0])
    if close(got, right):
        return
    if close(got, 0.6):
        raise Misconception(
            "plain accuracy",
            "That is the accuracy, 6 of 10: the large class decides nearly alone.",
        )
    if close(got, np.mean([5 / 8, 1 / 2, 0])) or close(got, np.mean([5 / 8, 1 / 2])):
        raise Misconception(
            "precision",
            "You divided by how often a class was guessed. Recall divides by how often it occurs.",
        )
    if close(got, np.mean([5 / 6, 1 / 2])):
        raise Misconception(
            "classes of the guesses",
            "Class 2 was never guessed, and you left it out. It has a recall of 0, and counts.",
        )
    raise Incorrect(f"Expected {right:.4g}, got {got:.4g}.")


@question(
    title="3 · Split by group",
    marks={"no group on both sides": 2, "about the share": 1, "the same seed, the same split": 1},
    hints=[
        "Split the groups, not the pictures: shuffle `np.unique(groups)` with "
        "`np.random.default_rng(seed)`.",
        "Take groups for the test until they hold `share` of the pictures; return "
        "`np.isin(groups, chosen)`.",
    ],
    misconceptions=["splits pictures", "the same groups for every seed"],
    praise=(
        "Two photographs of one painting on both sides of the split, and the test measures memory."
    ),
)
def split_by_group(split_by_group):
    f = expect_callable(split_by_group, "split_by_group")
    groups = np.repeat(np.arange(40), [1, 2, 3, 4, 5] * 8)
    got = expect_array(
        f(groups, 0.25, 0), groups.shape, "split_by_group(groups, 0.25, seed=0)", boolean=True
    )
    if not np.isin(got, (0, 1)).all():
        raise Incorrect("Return True for the test pictures and False for the others.")
    got = got.astype(bool)
    if set(groups[got]) & set(groups[~got]):
        raise Misconception(
            "splits pictures",
            "A group stands on both sides. Draw groups, and take all pictures of each.",
        )
    if not 0.15 <= got.mean() <= 0.35:
        raise Incorrect(
            f"About 25 % of the pictures should be test pictures, and {got.mean():.0%} are."
        )
    if not close(np.asarray(f(groups, 0.25, 0), float), got):
        raise Incorrect("The same seed should give the same split.")
    if all(close(np.asarray(f(groups, 0.25, seed), float), got) for seed in (1, 2, 3)):
        raise Misconception(
            "the same groups for every seed", "Four seeds give one split: the seed is not used."
        )


@question(
    title="4 · Pictures that are there twice",
    marks={"exact copies": 1, "mirror images": 1, "nothing else": 1},
    hints=[
        "Make every training picture, and its mirror image, into something that can be looked "
        "up: `picture.tobytes()`.",
        "Return the positions `i` for which `test[i].tobytes()` is among them.",
    ],
    misconceptions=[
        "mirrored copies slip through",
        "every picture is a copy",
        "copies within the test set",
    ],
    praise="Search for copies before you train. Afterwards nobody wants to find any.",
)
def duplicates(duplicates):
    f = expect_callable(duplicates, "duplicates")
    rng = np.random.default_rng(0)
    train, test = (
        rng.integers(0, 256, (9, 4, 4, 3), dtype="uint8"),
        rng.integers(0, 256, (8, 4, 4, 3), dtype="uint8"),
    )
    test[2], test[5], test[7] = train[4], train[0][:, ::-1], test[6]
    answer = f(train, test)
    answer = sorted(answer) if isinstance(answer, (set, frozenset)) else answer
    got = expect_array(answer, (None,), "duplicates(train, test)")
    got = sorted({int(i) for i in got})
    if got == [2]:
        raise Misconception(
            "mirrored copies slip through",
            "Test picture 5 is a training picture, mirrored left to right, and is not in your "
            "list.",
        )
    if got == list(range(8)):
        raise Misconception(
            "every picture is a copy",
            "You list every test picture. Compare whole pictures, not single numbers in them.",
        )
    if 7 in got and 2 in got:
        raise Misconception(
            "copies within the test set",
            "Test pictures 6 and 7 are equal, but neither was trained on. Compare with the "
            "training pictures only.",
        )
    if got != [2, 5]:
        raise Incorrect(f"Expected the positions [2, 5], got {got}.")


@question(
    title="5 · The area under the curve",
    marks={"the order": 2, "ties count half": 1},
    hints=[
        "The AUC is the share of pairs, one positive and one negative, in which the positive "
        "has the higher score.",
        "`positive[:, None]` against `negative` compares every pair at once. A pair can come out "
        "in three ways: what does each of them count?",
    ],
    misconceptions=["upside down", "ties count nothing", "a threshold"],
    praise="It needs no threshold, and does not care how many of each there are.",
)
def auc(auc):
    f = expect_callable(auc, "auc")
    labels, scores = np.array([1, 0, 1, 0, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.7, 0.1, 0.6, 0.2])
    got = expect_number(f(labels, scores), "auc(labels, scores)")
    if close(got, 8.5 / 12):
        return
    if close(got, 3.5 / 12):
        raise Misconception(
            "upside down",
            "That is one minus the AUC: a positive with the higher score is the good case.",
        )
    if close(got, 8 / 12):
        raise Misconception(
            "ties count nothing",
            "One positive and one negative have the same score. Such a pair counts half.",
        )
    if close(got, 5 / 7):
        raise Misconception(
            "a threshold",
            "That is the accuracy at a threshold of one half. The AUC looks at the order of "
            "all pairs.",
        )
    raise Incorrect(f"Expected {8.5 / 12:.4g}, got {got:.4g}.")


@question(
    title="6 · How sure is an accuracy?",
    marks={"where it lies": 1, "how wide it is": 2},
    hints=[
        "Draw `n` of the `n` examples with replacement, many times, and look at the mean of "
        "each draw.",
        "`np.percentile(means, [2.5, 97.5])`, with a thousand or more draws from `rng`.",
    ],
    misconceptions=[
        "without replacement",
        "the spread of single examples",
        "half of the draws",
        "a formula, not the draws",
    ],
    praise=(
        "The bootstrap: the test set is a sample, too, and another one would have given another "
        "number."
    ),
)
def interval(interval):
    f = expect_callable(interval, "interval")
    correct = np.array([1] * 160 + [0] * 40)
    low, high = expect_array(f(correct, generator(0)), (2,), "interval(correct, rng)")
    width = high - low
    if width < 1e-9:
        raise Misconception(
            "without replacement",
            "Both ends are the same: every draw holds all examples once. Draw with replacement.",
        )
    if width > 0.9:
        raise Misconception(
            "the spread of single examples",
            "Those are percentiles of the examples, which are 0 or 1. Take the mean of each "
            "draw first.",
        )
    if 0.033 < width < 0.043:
        raise Misconception(
            "half of the draws",
            "That holds the middle half of the draws. A 95 % interval goes from the 2.5th to "
            "the 97.5th percentile.",
        )
    if not (abs((low + high) / 2 - 0.8) < 0.01 and 0.095 < width < 0.13):
        raise Incorrect(
            f"For 160 of 200 right expected about 0.745 to 0.855, got {low:.3f} to {high:.3f}."
        )
    low, high = expect_array(
        f(np.array([1] * 19 + [0]), generator(0)), (2,), "interval(correct, rng)"
    )
    if not (0.75 <= low <= 0.9 and abs(high - 1) < 1e-9):
        raise Misconception(
            "a formula, not the draws",
            f"For 19 of 20 right many draws have all 20 right and none has more: the interval is "
            f"0.85 to 1, and yours goes from {low:.3f} to {high:.3f}.",
        )


@question(
    title="7 · Your experiment",
    marks={
        "a trivial baseline": 1,
        "the same seeds in every arm": 1,
        "at least three seeds": 1,
        "the choice follows validation": 1,
        "the test set touched once": 2,
    },
    hints=[
        "`validation` maps each arm to its scores, a list with one for each seed; one arm is "
        "called `majority`.",
        "`chosen` has the best mean on validation; `test` holds the scores of `majority` and "
        "of `chosen`, one for each seed, and of nobody else.",
    ],
    misconceptions=["no baseline", "chosen on test", "test for everyone", "one seed"],
    praise="A stranger can now believe your number: it was not chosen by what it is tested on.",
    call="validation, chosen, test",
)
def experiment(validation, chosen, test):
    found = flaws(validation, chosen, test).values()
    for flaw in sorted(found, key=lambda flaw: not flaw.misconception):  # what has a name, first
        if flaw.misconception:
            raise Misconception(flaw.misconception, flaw.message)
        raise Incorrect(flaw.message)


@dataclass(frozen=True)
class Flaw:
    """What results lack. `share` of the points is left; `misconception` is its name, if any."""

    message: str
    misconception: str = ""
    share: float = 0


def flaws(validation, chosen, test) -> dict:
    """{what points are for: its `Flaw`} of the results of an experiment; empty if they have all
    points. The marking asks nothing else of them.
    """
    found, marks = {}, list(experiment.marks)
    try:
        table = _scores(validation, "validation")
    except Incorrect as problem:
        return dict.fromkeys(marks, Flaw(str(problem)))
    sizes = {len(scores) for scores in table.values()}
    learned = [tuple(scores) for arm, scores in table.items() if arm != "majority"]
    if "majority" not in table:
        found[marks[0]] = Flaw(
            "There is no arm called `majority`. Nobody can read a score without knowing what "
            "guessing gets.",
            "no baseline",
        )
    elif len(table) < 3:
        found[marks[0]] = Flaw("Compare at least two arms with the majority class.")
    if len(table) < 3:
        found[marks[1]] = Flaw("There are fewer than three arms, the majority class among them.")
    elif len(sizes) > 1:
        found[marks[1]] = Flaw("The arms do not have the same number of seeds.")
    elif any(len(set(scores)) == 1 for scores in learned):
        found[marks[1]] = Flaw(
            "An arm has the same score for every seed: was the seed used, and is there more than "
            "one?"
        )
    elif len(set(learned)) < len(learned):
        found[marks[1]] = Flaw("Two arms have the same scores for every seed.")
    if min(sizes) < 3:
        found[marks[2]] = Flaw(
            "An arm has fewer than three seeds: its spread cannot be seen.", "one seed"
        )
    if not isinstance(chosen, str) or chosen not in table:
        missing = Flaw("`chosen` is not the name of one of the arms.")
        return found | {marks[3]: missing, marks[4]: missing}
    best = max(table, key=lambda name: table[name].mean())
    if len(table) < 2:
        found[marks[3]] = Flaw("There is one arm only, so nothing was chosen.")
    elif table[chosen].mean() < table[best].mean() - 1e-12:
        found[marks[3]] = Flaw(
            f"`{best}` has the better mean on validation, and `{chosen}` was chosen. What "
            f"decides is validation.",
            "chosen on test",
        )
    if (flaw := _tested(table, chosen, test)) is not None:
        found[marks[4]] = flaw
    return found


def _tested(table, chosen, test):
    """What the test scores lack: a `Flaw` or None."""
    try:
        final = _scores(test, "test")
    except Incorrect as problem:
        return Flaw(str(problem))
    if set(final) - {"majority", chosen}:
        return Flaw(
            f"`test` holds {', '.join(sorted(final))}. The test set is touched once, by the "
            f"arm that was chosen (and the baseline, which learns nothing).",
            "test for everyone",
        )
    if set(final) != {"majority", chosen}:
        return Flaw(
            "`test` holds the scores of `majority` and of the chosen arm, and one is missing."
        )
    if list(final[chosen]) == list(table[chosen]):
        return Flaw("The test scores of the chosen arm are its validation scores.")
    if len(final[chosen]) != len(table[chosen]):
        return Flaw(
            f"On validation `{chosen}` has {len(table[chosen])} scores, one for each seed, and on "
            f"test {len(final[chosen])}: test the network of each seed.",
            share=0.5,
        )
    return None


def _scores(table, name) -> dict:
    """{arm: (n,) scores from 0 to 1}. Raises `Incorrect` for anything else."""
    if not isinstance(table, dict) or not all(isinstance(arm, str) for arm in table):
        raise Incorrect(
            f"`{name}` should be a dictionary from the names of the arms to lists of scores."
        )
    if not table:
        raise Incorrect(f"`{name}` is empty.")
    found = {}
    for arm, scores in table.items():
        found[arm] = expect_array(scores, (None,), f"{name}[{arm!r}]").astype(float)
        if not found[arm].size or not ((0 <= found[arm]) & (found[arm] <= 1)).all():
            raise Incorrect(f"`{name}` should hold scores, numbers from 0 to 1, for {arm!r}.")
    return found


report = Written(
    "report",
    "8 · The report",
    {
        "The question": {
            "none": (0, "it is not clear what was asked"),
            "stated": (1, "says what is to be told apart, and for whom"),
            "sharp": (2, "the same in one sentence, with the metric that fits it and why"),
        },
        "The data": {
            "none": (0, "no numbers on the data"),
            "described": (1, "how many of each class, and where they come from"),
            "split with reasons": (
                2,
                "and what could leak, how it was split, and that copies were looked for",
            ),
            "examined": (3, "and what the pictures cannot show: gaps, labels that are doubtful"),
        },
        "The method": {
            "none": (0, "cannot be repeated"),
            "named": (1, "names backbone, what learns, and the rate"),
            "fair": (
                2,
                "the arms have the same split, seeds and budget, and rates tuned equally hard",
            ),
            "fair and justified": (
                3,
                "and each choice has a reason, from the lessons or from a measurement",
            ),
        },
        "The result": {
            "a number": (0, "a score without spread or baseline"),
            "with its spread": (1, "mean and spread over seeds, and the baseline"),
            "in context": (2, "and whether the differences are larger than their spread"),
            "with its errors": (3, "and a look at what is guessed wrong, with an idea why"),
        },
        "Its limits": {
            "none": (0, "claims more than was measured, or nothing"),
            "honest": (1, "says for which pictures the result holds"),
            "useful": (2, "and what would be tried next, and what result would be expected"),
        },
        "The writing": {
            "hard to follow": (0, "a reader has to guess"),
            "clear": (1, "one page, figures that state their finding, no number without its unit"),
        },
    },
    refers=("split_by_group", "duplicates", "experiment"),
)
