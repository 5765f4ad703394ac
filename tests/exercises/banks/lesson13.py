"""Answers to the exercises of lesson 13."""

import collections
import itertools
import math

import numpy as np
from bank import Bank
from scipy.spatial.distance import cdist
from scipy.stats import binom, entropy, kendalltau, norm
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from translearn.exercises.lesson13 import recorded_problems

bank = Bank("13")

# --- leave_one_out -------------------------------------------------------------------------------


@bank.alternative("leave_one_out")
def one_after_the_other(features, labels):
    right = 0
    for at, one in enumerate(features):
        others = np.delete(np.arange(len(features)), at)
        squares = ((features[others] - one) ** 2).sum(axis=1)
        right += int(labels[others[np.argmin(squares)]] == labels[at])
    return right / len(features)


@bank.alternative("leave_one_out")
def by_cross_validation(features, labels):
    one = KNeighborsClassifier(n_neighbors=1)
    return cross_val_score(one, features, labels, cv=LeaveOneOut()).mean()


@bank.alternative("leave_one_out")
def the_second_of_two(features, labels):
    found = NearestNeighbors(n_neighbors=2).fit(features).kneighbors(features)[1]
    return float((labels[found[:, 1]] == labels).mean())


@bank.alternative("leave_one_out")
def sorted_distances(features, labels):
    order = cdist(features, features).argsort(axis=1)
    return [np.mean([labels[row[1]] == labels[row[0]] for row in order])]


@bank.near_miss("leave_one_out", "Euclidean distance")
def city_blocks(features, labels):
    apart = np.abs(features[:, None] - features).sum(axis=-1)
    np.fill_diagonal(apart, np.inf)
    return np.mean(labels[apart.argmin(axis=1)] == labels)


@bank.near_miss("leave_one_out", "the features as they are")
def standardised(features, labels):
    return the_second_of_two((features - features.mean(0)) / features.std(0), labels)


@bank.near_miss("leave_one_out", "the nearest one alone")
def three_neighbours(features, labels):
    found = NearestNeighbors(n_neighbors=4).fit(features).kneighbors(features)[1]
    votes = [np.bincount(labels[row[1:]]).argmax() for row in found]
    return np.mean(votes == labels)


@bank.near_miss("leave_one_out", "the share of examples")
def class_by_class(features, labels):
    order = cdist(features, features).argsort(axis=1)[:, 1]
    right = labels[order] == labels
    return np.mean([right[labels == k].mean() for k in np.unique(labels)])


@bank.near_miss("leave_one_out", "the other examples, on both sides")
def only_those_before_it(features, labels):
    apart = cdist(features, features)
    apart[np.triu_indices(len(apart))] = np.inf
    return np.mean(labels[apart.argmin(axis=1)] == labels)


# --- kendall -------------------------------------------------------------------------------------


@bank.alternative("kendall")
def from_scipy(a, b):
    return kendalltau(a, b).statistic


@bank.alternative("kendall")
def pair_by_pair(a, b):
    both = first = second = 0
    for (a1, b1), (a2, b2) in itertools.combinations(zip(a, b), 2):
        first += a1 != a2
        second += b1 != b2
        both += (1 if (a1 - a2) * (b1 - b2) > 0 else -1) if a1 != a2 and b1 != b2 else 0
    return both / math.sqrt(first * second)


@bank.alternative("kendall")
def every_pair_twice(a, b):
    x, y = np.sign(np.subtract.outer(a, a)), np.sign(np.subtract.outer(b, b))
    return np.array([np.sum(x * y) / np.linalg.norm(x) / np.linalg.norm(y)])


@bank.near_miss("kendall", "the root of both numbers of pairs")
def divided_by_the_larger(a, b):
    i, j = np.triu_indices(len(a), 1)
    x, y = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    return (x @ y) / max(x @ x, y @ y)


@bank.near_miss("kendall", "one has a tie: neither agreement nor contradiction")
def ties_contradict(a, b):
    i, j = np.triu_indices(len(a), 1)
    x, y = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    return np.where(x == y, 1, -1).sum() / np.sqrt((x @ x) * (y @ y))


@bank.near_miss("kendall", "every pair of candidates")
def candidates_side_by_side(a, b):
    x, y = np.sign(np.diff(a)), np.sign(np.diff(b))
    return (x @ y) / np.sqrt((x @ x) * (y @ y))


@bank.near_miss("kendall", "by the pairs that each tells apart: not with its root forgotten")
def without_the_root(a, b):
    i, j = np.triu_indices(len(a), 1)
    x, y = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    return (x @ y) / ((x @ x) * (y @ y))


@bank.near_miss("kendall", "who is better, not by how much")
def by_how_much(a, b):
    i, j = np.triu_indices(len(a), 1)
    x, y = a[i] - a[j], b[i] - b[j]
    return (x @ y) / np.sqrt((x @ x) * (y @ y))


# --- regret --------------------------------------------------------------------------------------


@bank.alternative("regret")
def sorted_candidates(scores, truth):
    ordered = sorted(zip(scores, truth))
    return (max(truth) - ordered[-1][1]) * 100


@bank.alternative("regret")
def in_two_steps(scores, truth):
    chosen = list(scores).index(max(scores))
    best = int(np.argsort(truth)[-1])
    return float(truth[best] - truth[chosen]) / 0.01


@bank.alternative("regret")
def with_a_mask(scores, truth):
    return np.ptp(np.append(truth[scores == scores.max()], truth.max())) * 100


@bank.near_miss("regret", "points of truth, not of the best")
def relative(scores, truth):
    return 100 * (1 - truth[scores.argmax()] / truth.max())


@bank.near_miss("regret", "the candidate with the highest score alone")
def the_better_of_two(scores, truth):
    return 100 * (truth.max() - truth[np.argsort(scores)[-2:]].max())


bank.refused("regret", lambda scores, truth: 0)

# --- winner_changes ------------------------------------------------------------------------------


@bank.alternative("winner_changes")
def all_pairs(table):
    winners = [int(np.argmax(row)) for row in table]
    differ = [one != other for one, other in itertools.combinations(winners, 2)]
    return sum(differ) / len(differ)


@bank.alternative("winner_changes")
def from_how_often_each_wins(table):
    n, wins = len(table), np.bincount(table.argmax(axis=1))
    return 1 - (wins * (wins - 1)).sum() / (n * (n - 1))


@bank.alternative("winner_changes")
def ordered_pairs(table):
    winners = np.argsort(table, axis=1)[:, -1]
    return [np.not_equal.outer(winners, winners).sum() / (len(table) * (len(table) - 1))]


@bank.near_miss("winner_changes", "return the share")
def how_many_pairs(table):
    return all_pairs(table) * math.comb(len(table), 2)


@bank.near_miss("winner_changes", "the winners, not the whole order")
def whole_order(table):
    orders = [tuple(np.argsort(row)) for row in table]
    return np.mean([one != other for one, other in itertools.combinations(orders, 2)])


@bank.near_miss("winner_changes", "a share, not how many there are")
def number_of_winners(table):
    return (len(set(table.argmax(axis=1).tolist())) - 1) / (table.shape[1] - 1)


# --- affordable ----------------------------------------------------------------------------------


@bank.alternative("affordable")
def one_by_one(budget, to_score, to_train):
    scored = tried = 0
    while to_train + (scored + 1) * to_score <= budget:
        scored += 1
    while (tried + 1) * to_train <= budget:
        tried += 1
    return scored, tried


@bank.alternative("affordable")
def rounded_down(budget, to_score, to_train):
    left = max(budget - to_train, 0)
    return [math.floor(left / to_score), math.floor(budget / to_train)]


@bank.alternative("affordable")
def as_an_array(budget, to_score, to_train):
    return np.maximum(np.floor_divide([budget - to_train, budget], [to_score, to_train]), 0)


@bank.alternative("affordable")
def with_an_if(budget, to_score, to_train):
    if budget < to_train:
        return 0, 0
    return int((budget - to_train) / to_score), int(budget / to_train)


@bank.near_miss("affordable", "within the budget: exactly used up is within")
def strictly_below(budget, to_score, to_train):
    scored = tried = 0
    while to_train + (scored + 1) * to_score < budget:
        scored += 1
    while (tried + 1) * to_train < budget:
        tried += 1
    return scored, tried


@bank.near_miss("affordable", "outright, without any score")
def tried_with_a_score(budget, to_score, to_train):
    return with_an_if(budget, to_score, to_train)[0], int(budget / (to_train + to_score))


@bank.near_miss("affordable", "two whole numbers")
def only_one(budget, to_score, to_train):
    return with_an_if(budget, to_score, to_train)[0]


# --- halving -------------------------------------------------------------------------------------


@bank.alternative("halving")
def by_recursion(configurations, epochs, eta):
    def sizes(n):
        return [n] if n == 1 else [n, *sizes(max(n // eta, 1))]

    plan = sizes(configurations)
    return tuple((n, epochs // len(plan) // n) for n in plan)


@bank.alternative("halving")
def with_a_walrus(configurations, epochs, eta):
    n, counts = configurations, []
    while True:
        counts.append(n)
        if n == 1:
            break
        n = n // eta or 1
    return [[count, int(epochs / len(counts) / count + 1e-9)] for count in counts]


@bank.alternative("halving")
def as_a_table(configurations, epochs, eta):
    counts = np.array([configurations])
    while counts[-1] != 1:
        counts = np.append(counts, np.maximum(counts[-1] // eta, 1))
    return np.stack([counts, epochs // (len(counts) * counts)], axis=1)


@bank.near_miss("halving", "never below one")
def ends_with_none(configurations, epochs, eta):
    counts = [configurations]
    while counts[-1] >= 1:
        counts.append(counts[-1] // eta)
    return [(n, epochs // (len(counts) * n)) for n in counts[:-1]]


@bank.near_miss("halving", "the best of every eta, rounded down")
def rounded_up(configurations, epochs, eta):
    counts = [configurations]
    while counts[-1] > 1:
        counts.append(math.ceil(counts[-1] / eta))
    return [(n, epochs // (len(counts) * n)) for n in counts]


@bank.near_miss("halving", "in whole epochs")
def parts_of_epochs(configurations, epochs, eta):
    plan = by_recursion(configurations, epochs, eta)
    return [(n, epochs / (len(plan) * n)) for n, _ in plan]


@bank.near_miss("halving", "in whole epochs, rounded down")
def epochs_rounded_up(configurations, epochs, eta):
    plan = by_recursion(configurations, epochs, eta)
    return [(n, math.ceil(epochs / (len(plan) * n))) for n, _ in plan]


@bank.near_miss("halving", "rounded down, not to the nearest")
def epochs_to_the_nearest(configurations, epochs, eta):
    plan = by_recursion(configurations, epochs, eta)
    return [(n, round(epochs / (len(plan) * n))) for n, _ in plan]


@bank.near_miss("halving", "equally much in all rounds, also where that is no whole epoch each")
def one_epoch_at_least(configurations, epochs, eta):
    return [(n, max(1, each)) for n, each in by_recursion(configurations, epochs, eta)]


@bank.near_miss("halving", "how many configurations first")
def turned_around(configurations, epochs, eta):
    return [(each, n) for n, each in by_recursion(configurations, epochs, eta)]


@bank.near_miss("halving", "the first round has all of them")
def from_the_second_on(configurations, epochs, eta):
    return by_recursion(max(1, configurations // eta), epochs, eta)


# --- luck_of_the_best ----------------------------------------------------------------------------


@bank.alternative("luck_of_the_best")
def drawn(configurations, accuracy, pictures):
    rng = np.random.default_rng(0)
    right = rng.binomial(pictures, accuracy, (60_000, configurations))
    return right.max(axis=1).mean() / pictures - accuracy


@bank.alternative("luck_of_the_best")
def count_by_count(configurations, accuracy, pictures):
    k = np.arange(pictures + 1)
    most = binom.cdf(k, pictures, accuracy) ** configurations
    return k @ np.diff(most, prepend=0) / pictures - accuracy


@bank.alternative("luck_of_the_best")
def by_the_survival(configurations, accuracy, pictures):
    missed = binom(pictures, accuracy).sf(range(pictures))
    return [np.mean(1 - (1 - missed) ** configurations) - accuracy]


@bank.near_miss("luck_of_the_best", "a test set of so many pictures, few ones too")
def as_normal_numbers(configurations, accuracy, pictures):
    x = np.linspace(-8, 8, 4001)
    density = configurations * norm.pdf(x) * norm.cdf(x) ** (configurations - 1)
    largest = np.sum(x * density) * (x[1] - x[0])
    return largest * np.sqrt(accuracy * (1 - accuracy) / pictures)


@bank.near_miss("luck_of_the_best", "on average")
def the_usual_one(configurations, accuracy, pictures):
    return binom.ppf(0.5 ** (1 / configurations), pictures, accuracy) / pictures - accuracy


@bank.near_miss("luck_of_the_best", "the best among them")
def of_both_ends(configurations, accuracy, pictures):
    worst = np.sum(binom.sf(np.arange(pictures), pictures, accuracy) ** configurations) / pictures
    return by_the_survival(configurations, accuracy, pictures)[0] + accuracy - worst


@bank.near_miss("luck_of_the_best", "drawn often enough")
def drawn_a_few_times(configurations, accuracy, pictures):
    right = np.random.default_rng(1).binomial(pictures, accuracy, (10, configurations))
    return right.max(axis=1).mean() / pictures - accuracy


# --- nce -----------------------------------------------------------------------------------------


@bank.alternative("nce")
def joint_minus_marginal(source, labels):
    pairs = np.unique(np.stack([source, labels]), axis=1, return_counts=True)[1]
    guesses = np.unique(source, return_counts=True)[1]
    return entropy(guesses) - entropy(pairs)


@bank.alternative("nce")
def as_a_mean_logarithm(source, labels):
    together = [np.mean(labels[source == z] == y) for z, y in zip(source, labels)]
    return float(np.mean(np.log(together)))


@bank.alternative("nce")
def with_counters(source, labels):
    both = collections.Counter(zip(source.tolist(), labels.tolist()))
    alone = collections.Counter(source.tolist())
    return sum(n * math.log(n / alone[z]) for (z, _), n in both.items()) / len(labels)


@bank.near_miss("nce", "averaged over all examples")
def in_total(source, labels):
    return as_a_mean_logarithm(source, labels) * len(labels)


@bank.near_miss("nce", "among the examples with the same guess")
def both_together(source, labels):
    return -entropy(np.unique(np.stack([source, labels]), axis=1, return_counts=True)[1])


@bank.near_miss("nce", "the entropy, not the most frequent label")
def share_of_the_most_frequent(source, labels):
    return np.mean([max(np.bincount(labels[source == z])) / sum(source == z) for z in source])


# --- h_score -------------------------------------------------------------------------------------


@bank.alternative("h_score")
def with_numpys_covariance(features, labels):
    means = np.zeros_like(features)
    for k in set(labels.tolist()):
        means[labels == k] = features[labels == k].mean(axis=0)
    between, total = np.cov(means, rowvar=False), np.cov(features, rowvar=False)
    return np.trace(between @ np.linalg.pinv(total))


@bank.alternative("h_score")
def by_least_squares(features, labels):
    centred = features - features.mean(0)
    which = np.eye(labels.max() + 1)[labels]
    means = which @ (which.T @ centred / which.sum(0)[:, None])
    return np.linalg.lstsq(centred.T @ centred, means.T @ means, rcond=None)[0].trace()


@bank.alternative("h_score")
def share_that_the_features_explain(features, labels):
    left = np.linalg.svd(features - features.mean(0), full_matrices=False)
    basis = left[0][:, left[1] > 1e-9 * left[1][0]]
    return sum(
        len(basis[labels == k]) * (basis[labels == k].mean(0) ** 2).sum()
        for k in np.unique(labels)
    )


@bank.near_miss("h_score", "the covariance of the features: about their mean")
def not_centred(features, labels):
    means = np.stack([features[labels == k].mean(0) for k in labels])
    return np.trace(np.linalg.pinv(features.T @ features) @ (means.T @ means))


@bank.near_miss("h_score", "T is the covariance of the features")
def within_the_classes(features, labels):
    centred = features - features.mean(0)
    means = np.stack([centred[labels == k].mean(0) for k in labels])
    inside = centred - means
    return np.trace(np.linalg.pinv(inside.T @ inside) @ (means.T @ means))


@bank.near_miss("h_score", "where features are redundant, the pseudo-inverse")
def plain_inverse(features, labels):
    centred = features - features.mean(0)
    means = np.stack([centred[labels == k].mean(0) for k in labels])
    return np.trace(
        np.linalg.inv(centred.T @ centred + 0.01 * np.eye(len(centred.T))) @ means.T @ means
    )


@bank.near_miss("h_score", "the trace")
def the_sum(features, labels):
    centred = features - features.mean(axis=0)
    means = np.stack([centred[labels == k].mean(axis=0) for k in labels])
    return np.sum(np.linalg.pinv(centred.T @ centred) @ (means.T @ means))


# --- unfreezing ----------------------------------------------------------------------------------


@bank.alternative("unfreezing")
def by_the_last_event(scores, patience, blocks):
    woken, best_at, since = [], 0, 0
    for now in range(1, len(scores)):
        if scores[now] > scores[best_at]:
            best_at = since = now
        elif now - since == patience and len(woken) < blocks:
            woken.append(now + 1)
            since = now
    return woken


@bank.alternative("unfreezing")
def with_running_maxima(scores, patience, blocks):
    better = np.diff(np.maximum.accumulate(scores), prepend=-1) > 0
    count, epochs = 0, []
    for epoch, improved in enumerate(better, start=1):
        count = 0 if improved else count + 1
        if count >= patience:
            epochs, count = [*epochs, epoch], 0
    return np.array(epochs[:blocks])


@bank.alternative("unfreezing")
def popping(scores, patience, blocks):
    asleep, calm, top, out = list(range(blocks)), 0, float("-inf"), ()
    for number, value in enumerate(map(float, scores)):
        if value > top:
            top, calm = value, 0
            continue
        calm += 1
        if calm == patience and asleep:
            asleep.pop()
            out, calm = (*out, number + 1), 0
    return out


@bank.near_miss("unfreezing", "in a row")
def in_total_not_in_a_row(scores, patience, blocks):
    best, bad, epochs = -1, 0, []
    for epoch, score in enumerate(scores, 1):
        bad += score <= best
        best = max(best, score)
        if bad == patience and len(epochs) < blocks:
            epochs.append(epoch)
            bad = 0
    return epochs


@bank.near_miss("unfreezing", "the list of epochs")
def how_many(scores, patience, blocks):
    return [len(by_the_last_event(scores, patience, blocks))]


@bank.near_miss("unfreezing", "after which, not before which")
def the_next_epoch(scores, patience, blocks):
    return [epoch + 1 for epoch in by_the_last_event(scores, patience, blocks)]


@bank.near_miss("unfreezing", "exceeded, by however little")
def only_by_a_point(scores, patience, blocks):
    best, wait, epochs = -1, 0, []
    for epoch, score in enumerate(scores, 1):
        wait = 0 if score > best + 0.01 else wait + 1
        best = max(best, score)
        if wait == patience and len(epochs) < blocks:
            epochs.append(epoch)
            wait = 0
    return epochs


@bank.near_miss("unfreezing", "the best score stays")
def best_is_where_it_woke(scores, patience, blocks):
    best, wait, epochs = -1, 0, []
    for epoch, score in enumerate(scores, 1):
        best, wait = (score, 0) if score > best else (best, wait + 1)
        if wait == patience and len(epochs) < blocks:
            epochs.append(epoch)
            best, wait = score, 0
    return epochs


# --- choose --------------------------------------------------------------------------------------


def by_network(desk):
    """{letter: its candidates, from below}"""
    found = {}
    for letter in sorted({letter for letter, _ in desk.shelf}):
        mine = [n for n, (other, _) in enumerate(desk.shelf) if other == letter]
        found[letter] = sorted(mine, key=lambda n: desk.shelf[n][1])
    return found


@bank.alternative("choose")
def climbing_from_the_middle(desk):
    networks = by_network(desk)
    said = {mine[len(mine) // 2]: 0 for mine in networks.values()}
    said = {number: desk.ask("k-NN", number) for number in said}
    while desk.left >= 1:
        for number in sorted(said, key=said.get, reverse=True):
            mine = networks[desk.shelf[number][0]]
            place = desk.shelf[number][1]
            beside = [mine[p] for p in (place - 1, place + 1) if 0 <= p < len(mine)]
            beside = [n for n in beside if n not in said]
            if beside:
                said[beside[0]] = desk.ask("k-NN", beside[0])
                break
        else:
            break
    return max(said, key=said.get)


@bank.alternative("choose")
def the_two_best_networks(desk):
    late = {mine[(2 * len(mine)) // 3]: mine for mine in by_network(desk).values()}
    said = {number: desk.ask("k-NN", number) for number in late}
    for first in sorted(late, key=said.get)[::-1][:2]:
        for number in reversed(late[first]):
            if desk.left > 0:
                said[number] = desk.ask("k-NN", number)
    return np.int64(max(said, key=lambda number: said[number]))


@bank.alternative("choose")
def the_long_ones_first(desk):
    said = {}
    for mine in sorted(by_network(desk).values(), key=len, reverse=True):
        for number in mine[len(mine) // 3 :]:
            if desk.left >= 1:
                said[number] = desk.ask("k-NN", number)
    best = max(said.values())
    return float(next(number for number, value in said.items() if value == best))


@bank.mistake("choose", "out of budget")
def everything(desk):
    return int(np.argmax([desk.ask("k-NN", n) for n in range(len(desk.shelf))]))


@bank.mistake("choose", "out of budget")
def four_probes(desk):
    return max(range(4), key=lambda n: desk.ask("probe", n))


@bank.mistake("choose", "nothing was asked")
def the_fifth_of_the_longest(desk):
    return max(by_network(desk).values(), key=len)[4]


@bank.mistake("choose", "the judge was asked")
def looked_up(desk):
    for problem in recorded_problems()[0]:
        if problem["shelf"] == desk.shelf and problem["k-NN"][0] == desk.ask("k-NN", 0):
            return int(problem["test"].argmax())


@bank.near_miss("choose", "lose at least a quarter fewer points")
def the_first_sixteen(desk):
    return int(np.argmax([desk.ask("k-NN", n) for n in range(16)]))


@bank.near_miss("choose", "a choice of where to ask, not sixteen taken blindly")
def the_luckiest_sixteen(desk):
    # Of two hundred such lotteries the one that lost least on one order of the problems.
    drawn = np.random.default_rng([60, sum(map(ord, str(desk.shelf)))]).permutation(32)[:16]
    return int(drawn[np.argmax([desk.ask("k-NN", int(n)) for n in drawn])])


@bank.near_miss("choose", "the number of the candidate")
def its_letter(desk):
    return desk.shelf[int(np.argmax([desk.ask("k-NN", n) for n in range(16)]))][0]


@bank.near_miss("choose", "the number of the candidate, not its score")
def its_score(desk):
    return max(desk.ask("k-NN", n) for n in range(16))


@bank.near_miss("choose", "which is the better one: the higher score")
def the_lowest(desk):
    said = {mine[-1]: desk.ask("k-NN", mine[-1]) for mine in by_network(desk).values()}
    return min(said, key=said.get)


bank.refused("choose", lambda desk: int(desk.ask("LogME", 0) < 0))
