"""Exercises of lesson 13, Choosing by measurement."""

import functools

import numpy as np
from scipy.stats import binom

from translearn.exercises import (
    Choice,
    Function,
    Incorrect,
    Misconception,
    Mistake,
    exercise,
    expect_callable,
    expect_number,
)
from translearn.exercises.answers import LearnerError


def distances(features, norm=2):
    """Between all pairs of examples; an example's distance to itself is infinite."""
    apart = np.linalg.norm(features[:, None] - features, ord=norm, axis=-1)
    np.fill_diagonal(apart, np.inf)
    return apart


def labelled_features():
    """{in words: (features, labels)}"""
    rng = np.random.default_rng(13)
    labels = np.arange(24) % 3
    clouds = rng.normal(4, 1, (24, 5)) + labels[:, None]
    return {
        "24 examples of three classes": (clouds, labels),
        "24 examples with one feature that is ten times as wide": (
            clouds * [10, 1, 1, 1, 1],
            labels,
        ),
        "7 examples with one feature": (rng.normal(0, 1, (7, 1)), np.array([0, 1, 0, 0, 1, 1, 0])),
        "the features 0, 1, 3, 4.5, 9 with the labels 1, 1, 0, 1, 0": (
            np.array([[0.0], [1], [3], [4.5], [9]]),
            np.array([1, 1, 0, 1, 0]),
        ),
    }


def nearest_by_angle(features, labels):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    return np.mean(labels[alike.argmax(axis=1)] == labels)


leave_one_out = Function(
    "leave_one_out",
    title="Ask the neighbour",
    hints=[
        "`np.linalg.norm(features[:, None] - features, axis=-1)` holds the distance of every "
        "example to every other, and on its diagonal zeros.",
        "Put infinity on the diagonal (`np.fill_diagonal(distances, np.inf)`), take "
        "`argmin(axis=1)`, and compare the labels of those neighbours with `labels`.",
    ],
    praise="No training, no rate, no seed. Whatever calls itself a better score has to beat this.",
    probes=labelled_features,
    mistakes=[
        Mistake(
            "its own neighbour",
            "The nearest example to each is itself, at distance 0, and it is always right. Leave "
            "it out.",
            lambda features, labels: 1.0,
        ),
        Mistake(
            "the furthest",
            "That asks the example that is *furthest* away.",
            lambda features, labels: np.mean(
                labels[np.where(np.isinf(d := distances(features)), 0, d).argmax(axis=1)] == labels
            ),
        ),
        Mistake(
            "the errors",
            "That is the share of neighbours with *another* label. A score should be higher when "
            "the features are better.",
            lambda features, labels: np.mean(labels[distances(features).argmin(axis=1)] != labels),
        ),
        Mistake(
            "a number, not a share",
            "That is how many neighbours are right. Divide by the number of examples.",
            lambda features, labels: np.sum(labels[distances(features).argmin(axis=1)] == labels),
        ),
        Mistake(
            "the angle",
            "That compares directions (cosine). The exercise asks for the Euclidean distance.",
            nearest_by_angle,
        ),
    ],
)


def signs(values):
    """For each pair of candidates: 1, -1, or 0 for a tie."""
    i, j = np.triu_indices(len(values), 1)
    return np.sign(values[i] - values[j])


def ranks(values):
    from scipy.stats import rankdata

    return rankdata(values)


def scored_candidates():
    """Pairs of lists, one entry a candidate"""
    rng = np.random.default_rng(3)
    truth = rng.random(9)
    return [
        (np.array([3.0, 1, 2, 5]), np.array([0.5, 0.3, 0.4, 0.9])),
        (np.array([1.0, 2, 3, 4, 10]), np.array([0.2, 0.5, 0.3, 0.6, 0.1])),
        (np.array([1.0, 1, 2, 3]), np.array([0.3, 0.1, 0.3, 0.4])),
        (np.round(truth + rng.normal(0, 0.3, 9), 1), np.round(truth, 1)),
        (np.array([1.0, 1, 1, 2, 2, 3]), np.array([0.6, 0.5, 0.4, 0.3, 0.3, 0.3])),
    ]


kendall = Function(
    "kendall",
    title="Do they agree on the order?",
    hints=[
        "`i, j = np.triu_indices(len(a), 1)` gives each pair once. `np.sign(a[i] - a[j])` says "
        "which of the two list `a` prefers, and 0 for a tie.",
        "With these signs as `x` and `y`: agreements minus contradictions are `x @ y`, and "
        "`x @ x` is the number of pairs that `a` tells apart.",
    ],
    praise="It only asks who is better, never by how much. So a score may be on any scale, and "
    "need not be an accuracy.",
    probes=scored_candidates,
    mistakes=[
        Mistake(
            "ties count below the line",
            "You divide by all pairs. A tie can neither agree nor contradict, so even two equal "
            "lists would not reach 1.",
            lambda a, b: np.mean(signs(a) * signs(b)),
        ),
        Mistake(
            "only pairs that both decide",
            "You divide by the pairs that *both* lists tell apart. A score that ties nearly "
            "everything and gets one pair right would then be perfect.",
            lambda a, b: (signs(a) @ signs(b)) / np.abs(signs(a) * signs(b)).sum(),
        ),
        Mistake(
            "the share of agreements",
            "That is the share of pairs on which they agree. Contradictions count minus one.",
            lambda a, b: np.mean(signs(a) * signs(b) > 0),
        ),
        Mistake(
            "Pearson's correlation",
            "That is the correlation of the *values*: it asks how far apart they are, and one "
            "outlier decides it.",
            lambda a, b: np.corrcoef(a, b)[0, 1],
        ),
        Mistake(
            "Spearman's correlation",
            "That is the correlation of the *ranks*, which is Spearman's. Kendall's counts pairs.",
            lambda a, b: np.corrcoef(ranks(a), ranks(b))[0, 1],
        ),
        Mistake(
            "the sign",
            "The size is right and the sign is not: lists that agree have a positive one.",
            lambda a, b: (
                -(signs(a) @ signs(b))
                / np.sqrt((signs(a) ** 2).sum())
                / np.sqrt((signs(b) ** 2).sum())
            ),
        ),
    ],
)

regret = Function(
    "regret",
    title="What the choice costs",
    hints=[
        "`scores.argmax()` is the position of the candidate that you would take.",
        "Its true score stands at the same place in `truth`. Take it from `truth.max()`, and turn "
        "a share into points: one point is 0.01.",
    ],
    praise="A rank correlation judges the whole list. You only ever take the first of it, so this "
    "is the number that you pay.",
    probes=[
        (np.array([1.0, 4, 2]), np.array([0.5, 0.6, 0.7])),
        (np.array([-3.0, -1, -2, -9]), np.array([0.62, 0.8, 0.55, 0.41])),
        (np.array([0.2, 0.9, 0.5, 0.1, 0.3]), np.array([0.55, 0.31, 0.72, 0.64, 0.2])),
    ],
    mistakes=[
        Mistake(
            "a share, not points",
            "That is a share. One point is one hundredth.",
            lambda scores, truth: truth.max() - truth[scores.argmax()],
        ),
        Mistake(
            "the sign",
            "The size is right and the sign is not: a choice that is not the best one *loses* a "
            "positive number of points.",
            lambda scores, truth: 100 * (truth[scores.argmax()] - truth.max()),
        ),
        Mistake(
            "the lowest score",
            "You took the candidate with the lowest score. In all of them, higher is better.",
            lambda scores, truth: 100 * (truth.max() - truth[scores.argmin()]),
        ),
        Mistake(
            "against the worst",
            "That is how much better the choice is than the *worst* candidate. You lose what lies "
            "between it and the best.",
            lambda scores, truth: 100 * (truth[scores.argmax()] - truth.min()),
        ),
        Mistake(
            "score minus truth",
            "The score is on a scale of its own. Compare two *true* scores: the best one's and "
            "that of your choice.",
            lambda scores, truth: 100 * (scores.max() - truth[scores.argmax()]),
            lambda scores, truth: 100 * (truth.max() - scores.max()),
        ),
        Mistake(
            "a choice at random",
            "That is what a choice at random loses on average: it does not look at the scores.",
            lambda scores, truth: 100 * (truth.max() - truth.mean()),
        ),
    ],
)


def tables_of_draws():
    """{in words: table}, one row a draw, one column a candidate"""
    rng = np.random.default_rng(7)
    return {
        "12 draws of 4 candidates": (rng.random((12, 4)) + [0, 0.4, 0.5, 0.1],),
        "5 draws of 3 candidates": (rng.random((5, 3)),),
        "4 draws in which the second candidate always wins": (rng.random((4, 3)) + [0, 2, 0],),
        "2 draws of 2 candidates that change places": (np.array([[0.5, 0.6], [0.7, 0.6]]),),
        "6 draws of 5 candidates": (rng.random((6, 5)),),
    }


def usual(winners):
    return np.bincount(winners).argmax()


winner_changes = Function(
    "winner_changes",
    title="How often does the winner change?",
    hints=[
        "`table.argmax(axis=1)` is the winner of each draw.",
        "Each pair of draws once: `i, j = np.triu_indices(len(winners), 1)`. Then the mean of "
        "`winners[i] != winners[j]`.",
    ],
    praise="0 says that one draw is enough to know the winner. The closer it is to 1, the more a "
    "leaderboard of one draw is a lottery.",
    probes=tables_of_draws,
    mistakes=[
        Mistake(
            "each with itself",
            "You compare every draw with itself as well, where nothing can change.",
            lambda table: np.mean(table.argmax(1)[:, None] != table.argmax(1)),
        ),
        Mistake(
            "how often it stays",
            "That is how often the winner *stays*.",
            lambda table: 1 - np.mean(changes(table.argmax(1))),
        ),
        Mistake(
            "neighbours only",
            "You compare each draw with the next one only. The draws have no order: compare all "
            "pairs.",
            lambda table: np.mean(table.argmax(1)[1:] != table.argmax(1)[:-1]),
        ),
        Mistake(
            "against the usual winner",
            "You compare with one of the winners, so two draws that are both unusual are never "
            "held against each other.",
            lambda table: np.mean(table.argmax(1) != usual(table.argmax(1))),
            lambda table: np.mean(table.argmax(1) != table.argmax(1)[0]),
            lambda table: np.mean(table.argmax(1)[1:] != table.argmax(1)[0]),
            lambda table: np.mean(table.argmax(1) != table.mean(axis=0).argmax()),
        ),
        Mistake(
            "draws and candidates swapped",
            "A row is a draw: its winner is the column with the highest score, `axis=1`.",
            lambda table: np.mean(changes(table.argmax(0))),
        ),
        Mistake(
            "the losers",
            "You took the lowest score of each draw.",
            lambda table: np.mean(changes(table.argmin(1))),
        ),
    ],
)


def changes(winners):
    i, j = np.triu_indices(len(winners), 1)
    return winners[i] != winners[j]


# The numbers are exact in binary, so that nobody stumbles over the last digit.
affordable = Function(
    "affordable",
    title="Score many, or try a few?",
    hints=[
        "Of the budget, `to_train` seconds are gone before you begin: the winner has to be "
        "trained. `//` divides and rounds down.",
        "`max(0, (budget - to_train) // to_score)` can be scored, and `budget // to_train` can "
        "be trained outright.",
    ],
    praise="A score pays when it is much cheaper than training *and* sees more candidates than "
    "you could have tried. Where you could have tried them all, you need none.",
    probes=[(100, 2, 20), (10, 0.5, 4), (7, 0.75, 3), (5, 0.25, 8), (60, 4, 60), (59, 8, 12.5)],
    read=lambda answer: [float(number) for number in answer],
    mistakes=[
        Mistake(
            "the winner is never trained",
            "Then nothing is left to train the winner, and a score alone classifies no picture.",
            lambda budget, score, train: (budget // score, budget // train),
        ),
        Mistake(
            "all of them are trained",
            "You train every candidate that you score. Then what was the score for? Only the "
            "winner is trained.",
            lambda budget, score, train: (budget // (score + train), budget // train),
        ),
        Mistake(
            "below nothing",
            "Where the budget is not even enough to train the winner, you can score none: 0, and "
            "not a negative number.",
            lambda budget, score, train: ((budget - train) // score, budget // train),
        ),
        Mistake(
            "parts of a candidate",
            "A candidate is scored or it is not. Round down.",
            lambda budget, score, train: (max(0, (budget - train) / score), budget / train),
            lambda budget, score, train: (max(0, (budget - train) / score), budget // train),
        ),
        Mistake(
            "over the budget",
            "Rounded up, the last candidate costs more than what is left. Round down.",
            lambda budget, score, train: (
                max(0, -((train - budget) // score)),
                -(-budget // train),
            ),
            lambda budget, score, train: (max(0, -((train - budget) // score)), budget // train),
        ),
        Mistake(
            "the other way round",
            "The two numbers stand in the wrong order: first how many can be scored, then how "
            "many can be trained outright.",
            lambda budget, score, train: (budget // train, max(0, (budget - train) // score)),
        ),
    ],
)


def rounds(configurations, eta, last=1):
    """How many configurations each round has, down to `last`."""
    counts = [configurations]
    while counts[-1] > last:
        counts.append(max(1, counts[-1] // eta))
    return counts


def shared(counts, epochs):
    return [(n, epochs // (len(counts) * n)) for n in counts]


halving = Function(
    "halving",
    title="Successive halving",
    hints=[
        "First only the numbers of configurations: begin a list with `configurations`, and as "
        "long as its last entry is above 1, append `max(1, last // eta)`.",
        "With `rounds = len(counts)`, a round of `n` configurations has `epochs / rounds` to "
        "spend, which makes `epochs // (rounds * n)` for each of them.",
    ],
    praise="Half of the budget or more goes to a handful of configurations. What it bets on: that "
    "a configuration which will be good looks good early.",
    probes=[
        (8, 64, 2),
        (27, 108, 3),
        (9, 54, 3),
        (10, 100, 3),
        (1, 12, 2),
        (5, 33, 4),
        (12, 96, 2),
        (16, 100, 4),
        (7, 50, 2),
        (16, 30, 2),
    ],
    read=lambda answer: [[float(number) for number in pair] for pair in answer],
    mistakes=[
        Mistake(
            "the budget in every round",
            "Each round has the whole budget. All rounds together may spend it once.",
            lambda configurations, epochs, eta: [
                (n, epochs // n) for n in rounds(configurations, eta)
            ],
        ),
        Mistake(
            "everyone the same",
            "Every configuration gets the same number of epochs in every round. It is the rounds "
            "that get the same: the fewer are left, the more for each.",
            lambda configurations, epochs, eta: [
                (n, epochs // sum(rounds(configurations, eta)))
                for n in rounds(configurations, eta)
            ],
        ),
        Mistake(
            "always halved",
            "You keep one half in each round. Keep one of `eta`.",
            lambda configurations, epochs, eta: shared(rounds(configurations, 2), epochs),
        ),
        Mistake(
            "the last round is missing",
            "The last round has a single configuration, which gets its share of the epochs too.",
            lambda configurations, epochs, eta: shared(
                rounds(configurations, eta)[:-1] or [1], epochs
            ),
            lambda configurations, epochs, eta: (
                shared(rounds(configurations, eta), epochs)[:-1] or [(1, epochs)]
            ),
        ),
        Mistake(
            "the round's budget",
            "That is what a whole round may spend. Its configurations share it.",
            lambda configurations, epochs, eta: [
                (n, epochs // len(rounds(configurations, eta)))
                for n in rounds(configurations, eta)
            ],
        ),
        Mistake(
            "in total, not in this round",
            "You give the epochs that a configuration has had *so far*. Give those of this round.",
            lambda configurations, epochs, eta: list(
                zip(
                    rounds(configurations, eta),
                    np.cumsum([e for _, e in shared(rounds(configurations, eta), epochs)]),
                )
            ),
        ),
    ],
)


def lead(configurations, accuracy, pictures):
    below = binom.cdf(np.arange(pictures), pictures, accuracy) ** configurations
    return np.sum(1 - below) / pictures - accuracy


def spread(accuracy, pictures):
    return np.sqrt(accuracy * (1 - accuracy) / pictures)


luck_of_the_best = Function(
    "luck_of_the_best",
    title="The best of equals",
    hints=[
        "The best of n is at most k when all n are: `binom.cdf(k, pictures, accuracy) ** n`. Or "
        "draw many times: `rng.binomial(pictures, accuracy, (50_000, configurations))`, and take "
        "the largest of each row.",
        "The mean of a count is the sum of the chances that it exceeds 0, 1, 2 …: "
        "`np.sum(1 - binom.cdf(np.arange(pictures), pictures, accuracy) ** configurations)`. "
        "Divide by the pictures, and take the accuracy off.",
    ],
    praise="Nobody cheated, and nothing was learned: that is what looking often is worth. The "
    "configurations of a real sweep resemble each other, so it is worth a little less there.",
    probes=[(1, 0.7, 60), (10, 0.7, 60), (2, 0.5, 20), (50, 0.8, 12), (30, 0.6, 240)],
    tolerance=2e-3,
    mistakes=[
        Mistake(
            "the best score itself",
            "That is the score that the best one shows. How much of it is *more* than the "
            "accuracy that they all have?",
            lambda configurations, accuracy, pictures: (
                lead(configurations, accuracy, pictures) + accuracy
            ),
        ),
        Mistake(
            "points, not a share",
            "That is in points. The text asks for a share.",
            lambda configurations, accuracy, pictures: (
                100 * lead(configurations, accuracy, pictures)
            ),
        ),
        Mistake(
            "the luck of one",
            "That is how far the score of *one* configuration varies. The best of ten is not one "
            "of ten.",
            lambda configurations, accuracy, pictures: spread(accuracy, pictures),
        ),
        Mistake(
            "in pictures",
            "That is how many pictures more it gets right. Divide by their number.",
            lambda configurations, accuracy, pictures: (
                pictures * lead(configurations, accuracy, pictures)
            ),
        ),
        Mistake(
            "an upper bound",
            "The root of 2 log n is how far the best of n normal numbers can lie out when n is "
            "very large. For ten it is a good deal too much.",
            lambda configurations, accuracy, pictures: (
                spread(accuracy, pictures) * np.sqrt(2 * np.log(configurations))
            ),
        ),
    ],
)


def nats(counts):
    """The entropy of a table of counts."""
    shares = counts[counts > 0] / counts.sum()
    return -np.sum(shares * np.log(shares))


def counted(source, labels):
    table = np.zeros((source.max() + 1, labels.max() + 1))
    np.add.at(table, (source, labels), 1)
    return table


def left_open(known, asked):
    """What the one leaves open about the other: a conditional entropy."""
    return nats(counted(known, asked)) - nats(np.bincount(known))


def both_labels():
    """{in words: (labels of the source, labels)}"""
    rng = np.random.default_rng(5)
    labels = np.arange(30) % 3
    return {
        "30 examples": (
            np.where(rng.random(30) < 0.6, labels + 1, rng.integers(0, 5, 30)),
            labels,
        ),
        "the guesses 0, 0, 1, 1, 3 for the labels 0, 0, 1, 0, 1": (
            np.array([0, 0, 1, 1, 3]),
            np.array([0, 0, 1, 0, 1]),
        ),
        "guesses that are always 2": (np.full(12, 2), np.arange(12) % 4),
        "guesses that tell the classes apart": (np.arange(20) % 4 + 1, np.arange(20) % 2),
    }


nce = Function(
    "nce",
    title="What the old guess leaves open",
    hints=[
        "For each class that the source guesses, look only at the examples that got this guess. "
        "Which shares of them have which label?",
        "The entropy of these shares p is `-np.sum(p * np.log(p))` over those above 0. Average "
        "it over all examples (each guess weighs as often as it comes), and put a minus before.",
    ],
    praise="0 is perfect: who knows the old guess knows the label. It needs no features and no "
    "gradient, but a source with a head.",
    probes=both_labels,
    mistakes=[
        Mistake(
            "the sign",
            "The size is right and the sign is not. An entropy is what is left open; a score "
            "must be higher when less is.",
            left_open,
        ),
        Mistake(
            "the other way round",
            "You asked what the *label* leaves open about the guess. What does the guess leave "
            "open about the label?",
            lambda source, labels: -left_open(labels, source),
        ),
        Mistake(
            "in bits",
            "That is in bits. The text asks for the natural logarithm.",
            lambda source, labels: -left_open(source, labels) / np.log(2),
        ),
        Mistake(
            "every guess weighs the same",
            "You averaged over the guesses. A guess that came twice must not weigh as much as "
            "one that came twenty times.",
            lambda source, labels: (
                -np.mean([nats(row) for row in counted(source, labels) if row.sum()])
            ),
        ),
        Mistake(
            "the entropy of the labels",
            "That is the entropy of the labels: it does not look at the guesses.",
            lambda source, labels: -nats(np.bincount(labels)),
        ),
        Mistake(
            "mutual information",
            "That is what the guess *tells* about the label, their mutual information. It "
            "differs by the entropy of the labels.",
            lambda source, labels: nats(np.bincount(labels)) - left_open(source, labels),
        ),
    ],
)


def scatter(features, labels, each_class_once=False):
    """The covariance of the features, and that of their class means."""
    centred = features - features.mean(axis=0)
    classes = np.unique(labels) if each_class_once else labels
    means = np.stack([centred[labels == k].mean(axis=0) for k in classes])
    return centred.T @ centred / len(features), means.T @ means / len(means)


def uneven_features():
    """{in words: (features, labels)}"""
    rng = np.random.default_rng(11)
    labels = np.repeat([0, 1, 2], [20, 8, 12])
    mixed = (rng.normal(0, 1, (40, 4)) + np.eye(3, 4)[labels]) @ rng.normal(0, 1, (4, 4)) + 3
    return {
        "40 examples of three classes": (mixed, labels),
        "the same with one feature a hundred times as large": (mixed * [100, 1, 1, 1], labels),
        "40 examples with a feature that says the same as another": (
            np.column_stack([mixed, mixed[:, 0]]),
            labels,
        ),
    }


h_score = Function(
    "h_score",
    title="Spread between the classes",
    hints=[
        "Take the mean of all features off. The second covariance is that of a table in which "
        "every example is replaced by the mean of its class.",
        "`np.trace(np.linalg.pinv(total) @ between)`, with `total = centred.T @ centred / n` and "
        "`between = means.T @ means / n`, where `means` has one row an *example*.",
    ],
    praise="The inverse makes it blind to scale: stretch or mix the features as you like, it "
    "stays. And that inverse is its weakness, when there are more features than examples.",
    probes=uneven_features,
    mistakes=[
        Mistake(
            "no inverse",
            "That is the spread of the class means alone. A feature in other units would change "
            "it.",
            lambda features, labels: np.trace(scatter(features, labels)[1]),
        ),
        Mistake(
            "one trace over the other",
            "You divided one trace by the other, so the feature with the largest numbers "
            "decides. Multiply by the inverse first, and then take the trace.",
            lambda features, labels: (
                np.trace(scatter(features, labels)[1]) / np.trace(scatter(features, labels)[0])
            ),
        ),
        Mistake(
            "every class weighs the same",
            "You took each class mean once. One row an *example*: a class of twenty weighs more "
            "than a class of eight.",
            lambda features, labels: np.trace(
                np.linalg.pinv(scatter(features, labels)[0]) @ scatter(features, labels, True)[1]
            ),
        ),
        Mistake(
            "inside out",
            "You inverted the spread of the class means. Invert that of all features.",
            lambda features, labels: np.trace(
                np.linalg.pinv(scatter(features, labels)[1]) @ scatter(features, labels)[0]
            ),
        ),
        Mistake(
            "feature by feature",
            "You compared each feature with itself only, as if they were independent. The "
            "inverse of the whole covariance knows which of them say the same.",
            lambda features, labels: np.sum(
                np.diag(scatter(features, labels)[1]) / np.diag(scatter(features, labels)[0])
            ),
        ),
    ],
)


def woken(
    scores,
    patience,
    blocks,
    better=lambda new, best: new > best,
    first=1,
    late=0,
    anew=True,
    forget=False,
    previous=False,
):
    """The rule, with one thing misread: how it compares, from where it counts, how much too late
    it is, whether the count starts anew and the best is forgotten after a block has been woken,
    and whether it compares with the epoch before."""
    best, wait, epochs = None, 0, []
    for epoch, score in enumerate(scores, first):
        if best is None or better(score, best):
            best, wait = score, 0
        else:
            wait += 1
            best = score if previous else best
        if wait >= patience + late and len(epochs) < blocks:
            epochs.append(epoch)
            wait = 0 if anew else wait
            best = None if forget else best
    return epochs


CURVE = [0.3, 0.5, 0.4, 0.45, 0.6, 0.6, 0.55, 0.5, 0.58, 0.59, 0.7, 0.6, 0.6, 0.6]

unfreezing = Function(
    "unfreezing",
    title="Wake a block when nothing moves",
    hints=[
        "The rule of lesson 08, except that it does not end anything: when the count reaches "
        "`patience`, write the epoch down and set the count back to 0.",
        "Go through `enumerate(scores, 1)`. A new best: remember it, count 0. Otherwise count 1 "
        "more. Then: if the count is `patience` and fewer than `blocks` are awake, append the "
        "epoch and set the count to 0.",
    ],
    praise="The table of rates of lesson 06, written by the data. It is no more than a rule: "
    "whether it is a better one than a fixed table, only measuring can say.",
    probes=[
        (np.array(CURVE), 2, 3),
        (np.array(CURVE), 3, 3),
        (np.array([0.2, 0.3, 0.4, 0.5]), 1, 2),
        (np.array([0.5, 0.4, 0.4, 0.4, 0.4, 0.4]), 1, 2),
        (np.array([0.5, 0.3, 0.35, 0.4, 0.45, 0.47, 0.6, 0.5]), 2, 5),
        (np.array([0.4, 0.5, 0.5, 0.5, 0.6, 0.5]), 2, 4),
        (np.array([0.7, 0.6, 0.5, 0.6, 0.5]), 4, 1),
        (np.array([0.5, 0.501, 0.502, 0.4, 0.502]), 2, 2),
    ],
    read=lambda answer: [float(epoch) for epoch in answer],
    mistakes=[
        Mistake(
            "the count goes on",
            "After a block has been woken you go on counting, so the next one wakes an epoch "
            "later. It should get `patience` epochs to show what it brings.",
            functools.partial(woken, anew=False),
        ),
        Mistake(
            "the best is forgotten",
            "You forget the best score when a block is woken. Then the first epoch after it "
            "always counts as an improvement.",
            functools.partial(woken, forget=True),
        ),
        Mistake(
            "a tie is an improvement",
            "A score that only equals the best is no improvement.",
            functools.partial(woken, better=lambda new, best: new >= best),
        ),
        Mistake(
            "against the epoch before",
            "You compare with the epoch before. Compare with the *best* so far.",
            functools.partial(woken, better=lambda new, best: new > best, previous=True),
        ),
        Mistake(
            "one epoch too late",
            "With a patience of 2, the block is woken after the second epoch in a row without "
            "an improvement, and not after the third.",
            functools.partial(woken, late=1),
        ),
        Mistake(
            "counted from 0",
            "You count the epochs from 0. The first epoch is number 1 here.",
            functools.partial(woken, first=0),
        ),
        Mistake(
            "lower is better",
            "You took a lower score for a better one.",
            functools.partial(woken, better=lambda new, best: new < best),
        ),
        Mistake(
            "more blocks than there are",
            "You woke more than `blocks` blocks. When all are awake, there is nothing left to do.",
            lambda scores, patience, blocks: woken(scores, patience, 10**9),
        ),
    ],
)

fair_correlation = Choice(
    "fair_correlation",
    "Somebody reports that a new score has a rank correlation of 0.9 with the truth, over "
    "twelve networks. Six of them are pretrained, and six have random weights. What do you ask "
    "first?",
    {
        "a": "Whether Spearman's or Kendall's correlation was meant",
        "b": "What it is among the six pretrained ones",
        "c": "How it does when you add six more networks with random weights, for a wider range",
        "d": "Nothing: 0.9 over twelve networks is far beyond luck",
    },
    right="b",
    wrong={
        "a": (
            "which coefficient",
            "They differ by a little. Neither of them knows what made the order.",
        ),
        "c": (
            "more of what is easy",
            "That makes the number higher and worth less: it tells the pretrained from the random "
            "once more, which you could do without a score.",
        ),
        "d": (
            "beyond luck, so useful",
            "It is beyond luck that pretrained networks beat random ones. You never have to "
            "choose between these.",
        ),
    },
    hints=[
        "Which of the twelve would you seriously have considered?",
        "A score that only told pretrained from random, and nothing else, what would its "
        "correlation be?",
    ],
    praise="You choose among candidates that are all plausible. What a score is worth among "
    "these, only these can show: it may be as much, as it was on our shelf, or next to nothing.",
)


which_blocks = Choice(
    "which_blocks",
    "Your camera was replaced, and its pictures look different; the classes are the same. You "
    "have five new labelled pictures of each class, and read that early blocks should be tuned "
    "when the input has shifted. Which experiment tells you whether that holds for you?",
    {
        "a": "Tune the early blocks at the learning rate that was best for fine-tuning all of "
        "the network, and compare with no tuning at all",
        "b": "Fine-tune all of the network and see in which blocks the weights move furthest",
        "c": "Tune each part alone and all together, each at its own best rate, judged on "
        "validation pictures of the new camera",
        "d": "Tune each part alone, all of them at one rate and for equally many steps, judged on "
        "the test pictures of the new camera",
    },
    right="c",
    wrong={
        "a": (
            "no rival",
            "Tuning nearly anything may beat tuning nothing when the input has shifted. The "
            "question is whether the early blocks beat the others, each at its own best rate.",
        ),
        "b": (
            "far is not useful",
            "A weight moves far where its gradient is steady or its rate is high. It says "
            "nothing about what the score owes to it.",
        ),
        "d": (
            "one rate, and the test set",
            "A few thousand early weights and a million late ones want different rates: the one "
            "that fits wins. And what you choose on the test pictures, they can no longer judge.",
        ),
    },
    hints=[
        "The rule names one part. With what must it be compared, and what has to be equal?",
        "Equal is not the learning rate, but how hard it was looked for.",
    ],
    praise="It costs one sweep for each part. A rule that saves you this must have held on data "
    "like yours.",
)


# --- the open one: choose, within a budget ---

PRICES = {"LogME": 1, "H-score": 1, "k-NN": 1, "probe": 5}
BUDGET = 16
ORDERS = 10  # of each problem: in one alone, sixteen blind questions are too often lucky


class Spent(Exception):
    """The budget would not have been enough for this question."""


class Desk:
    """A problem as it comes: candidates without names, and scores of them at a price.

    shelf        for each candidate (network, place): a letter, and how many of the network's
                 other candidates end at an earlier block. Candidates are called 0, 1, 2 …
    left         what is left of the budget
    ask(score, candidate)   the number that the score gives it. Prices: `PRICES`. The same question
                            asked again costs nothing. `Spent` when the budget is not enough.
    """

    def __init__(self, shelf: list, scores: dict, budget: float = BUDGET):
        answers = {name: tuple(map(float, values)) for name, values in scores.items()}
        self.shelf, self.left = list(shelf), budget
        known = set()

        def ask(score, candidate):
            if score not in answers:
                raise ValueError(f"There is no score {score!r}. There are: {', '.join(answers)}.")
            number = answers[score][candidate]
            if (score, int(candidate)) not in known:
                if PRICES[score] > self.left:
                    raise Spent(f"{score} costs {PRICES[score]}, and {self.left} is left.")
                known.add((score, int(candidate)))
                self.left -= PRICES[score]
            return number

        self.ask = ask


def problems_of(table) -> list:
    """From the recorded table, for each problem and draw and in ten orders {"shelf": …, "test":
    values, score: values}."""
    table = table[table["metric"].str.contains(": ")]
    found = []
    for _, part in table.groupby(["arm", "seed"], sort=True):
        what = part["metric"].str.split(": ", n=1, expand=True)
        wide = part.assign(what=what[0], who=what[1]).pivot(
            index="who", columns="what", values="value"
        )
        found.append(wide)
    return [laid_out(wide, number) for number, wide in enumerate(ORDERS * found)]


def laid_out(wide, seed):
    """A problem with its candidates in an order, and its networks with letters, of this seed."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(wide))
    networks = [who.rpartition(", ")[0] for who in wide.index]  # sorted, so in order of depth
    names = sorted(set(networks))
    letters = dict(zip(names, rng.permutation(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(names)]))))
    shelf = [
        (str(letters[network]), networks[:at].count(network))
        for at, network in enumerate(networks)
    ]
    values = {name: wide[name].to_numpy()[order] for name in ("test", *PRICES)}
    return {"shelf": [shelf[at] for at in order]} | values


@functools.cache
def recorded_problems():
    """Every problem of the recorded shelf, and the points that LogME of everything loses there."""
    from translearn import measure

    problems = problems_of(measure.recorded("choosing.ranking").table)
    return problems, np.array([points_lost(each, each["LogME"].argmax()) for each in problems])


def points_lost(problem, candidate):
    return 100 * (problem["test"].max() - problem["test"][candidate])


def desk(number=0) -> Desk:
    """One of the recorded problems, to try `choose` on."""
    problems, _ = recorded_problems()
    return desk_of(problems[number % len(problems)])


def desk_of(problem):
    return Desk(problem["shelf"], {name: problem[name] for name in PRICES})


LESS = 0.75  # of what LogME of everything loses


@exercise(
    title="Beat this number",
    hints=[
        "The blocks of one network resemble each other, and none of the rules prefers the first "
        "ones. So one question to each network, at a block in its later half, says which "
        "networks are worth more questions.",
        "For each letter take the candidate at `int(0.7 * number of its candidates)` and ask for "
        "k-NN. Go through the letters from the best to the worst and ask for their other "
        "candidates as long as `desk.left` allows. Take the best of all that you asked.",
    ],
    praise="At most half of the questions, and less lost: where you asked has paid, too.",
    reference=recorded_problems,
)
def choose(choose, reference):
    f = expect_callable(choose, "choose")
    problems, to_beat = reference
    lost, asked, best = [], 0, 0
    for problem in problems:
        mine = desk_of(problem)
        before = mine.left
        try:
            answer = f(mine)
        except LearnerError as error:
            if not isinstance(error.__cause__, Spent):
                raise
            raise Misconception(
                "out of budget",
                f"It asked for more than the budget of {BUDGET} pays for. `desk.left` says what "
                "is left.",
            ) from None
        chosen = expect_number(
            answer, "the candidate", low=0, high=len(mine.shelf) - 1, integer=True
        )
        asked += before - mine.left
        lost.append(points_lost(problem, chosen))
        best += lost[-1] == 0
    if not asked:
        raise Misconception(
            "nothing was asked",
            "It never asked a question, so it cannot know anything about the candidates: they "
            "stand in another order on every desk.",
        )
    if best == len(problems):
        raise Misconception(
            "the judge was asked",
            f"On all {len(problems)} desks it chose the very best one on the test pictures. "
            "No score can do that.",
        )
    mine, theirs = float(np.mean(lost)), float(np.mean(to_beat))
    if mine > LESS * theirs:
        raise Incorrect(
            f"Your choices lose {mine:.2f} points on average over {len(problems)} desks; "
            f"LogME of everything loses {theirs:.2f}. To beat it clearly, lose at most "
            f"{LESS * theirs:.2f}."
        )
    return (
        f"{mine:.2f} points lost, against {theirs:.2f}, and {best} times of {len(problems)} the "
        f"very best."
    )
