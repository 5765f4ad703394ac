"""The bank of A4: submissions whose marks are known beforehand. bank.py says how it is read."""

# ruff: noqa


# ==== perfect


# ==== otherwise right, one

# ---- majority

from collections import Counter


def majority(labels):
    c = Counter(labels.tolist())
    return [max(c.values()) / len(labels), 1 / len(c)]


# ---- balanced_accuracy

import warnings
from sklearn.metrics import recall_score


def balanced_accuracy(labels, guesses):
    return recall_score(
        labels, guesses, labels=np.unique(labels), average="macro", zero_division=0
    )


# ---- auc

from sklearn.metrics import roc_auc_score


def auc(labels, scores):
    return roc_auc_score(labels, scores)


# ---- experiment

validation = {
    "majority": [0.2, 0.2, 0.2],
    "pixels": [0.71, 0.69, 0.73],
    "frozen": [0.75, 0.74, 0.78],
}
chosen = "frozen"
test = {"majority": [0.2, 0.2, 0.2], "frozen": [0.73, 0.75, 0.76]}


# ==== otherwise right, two

# ---- split_by_group

from sklearn.model_selection import GroupShuffleSplit


def split_by_group(groups, share, seed):
    rng = np.random.default_rng(seed)
    names = list(np.unique(groups))
    rng.shuffle(names)
    chosen, n = set(), 0
    while n < share * len(groups):
        g = names.pop()
        chosen.add(g)
        n += (groups == g).sum()
    return np.array([g in chosen for g in groups])


# ---- duplicates


def duplicates(train, test):
    out = []
    for i, p in enumerate(test):
        for q in train:
            if (p == q).all() or (p == np.fliplr(q)).all():
                out.append(i)
                break
    return np.array(out)


# ---- interval


def interval(correct, rng):
    means = [rng.choice(correct, size=len(correct), replace=True).mean() for _ in range(3000)]
    return tuple(np.quantile(means, [0.025, 0.975]))


# ==== otherwise right, three

# ---- auc

from scipy.stats import rankdata


def auc(labels, scores):
    r = rankdata(scores)
    n1 = labels.sum()
    n0 = len(labels) - n1
    return (r[labels == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)


# ---- interval

from scipy.stats import bootstrap


def interval(correct, rng):
    ci = bootstrap(
        (correct,), np.mean, method="percentile", n_resamples=2000, rng=rng
    ).confidence_interval
    return ci.low, ci.high


# ---- experiment

validation = {
    "majority": [0.2, 0.2, 0.2],
    "pixels": np.array([0.71, 0.69, 0.73]),
    "frozen": [0.75, 0.74, 0.78],
}
chosen = "frozen"
test = {"majority": [0.2, 0.2, 0.2], "frozen": [0.73, 0.75, 0.76]}


# ==== otherwise right, four

# ---- majority


def majority(labels):
    counts = np.bincount(labels)
    return np.array([counts.max() / counts.sum(), 1 / (counts > 0).sum()])


# ---- split_by_group


def split_by_group(groups, share, seed):
    rng, test = np.random.default_rng(seed), np.zeros(len(groups), int)
    for name in rng.permutation(np.unique(groups)):
        if test.mean() >= share:
            break
        test[groups == name] = 1
    return test


# ---- duplicates


def duplicates(train, test):
    seen = {p.tobytes() for p in train} | {p[:, ::-1].tobytes() for p in train}
    return {i for i, p in enumerate(test) if p.tobytes() in seen}


# ---- experiment

from collections import defaultdict

validation, chosen = defaultdict(list), "frozen"
for seed in range(3):
    validation["majority"].append(0.2)
    validation["pixels"].append(np.float32(0.6 + seed / 100))
    validation["frozen"].append(0.7 + seed / 50)
test = {"majority": [0.2], "frozen": np.array([0.73, 0.75, 0.76])}


# ==== common mistakes, one

# ---- majority: 1


def majority(labels):
    return 1 / len(set(labels)), 1 / len(set(labels))


# ---- balanced_accuracy: 0


def balanced_accuracy(labels, guesses):
    return np.mean(labels == guesses)


# ---- split_by_group: 2


def split_by_group(groups, share, seed):
    return np.random.default_rng(seed).random(len(groups)) < share


# ---- duplicates: 2


def duplicates(train, test):
    known = {p.tobytes() for p in train}
    return [i for i, p in enumerate(test) if p.tobytes() in known]


# ---- auc: 2


def auc(labels, scores):
    p, n = scores[labels == 1][:, None], scores[labels == 0]
    return (p > n).mean()


# ---- interval: 0


def interval(correct, rng):
    means = [rng.permutation(correct).mean() for _ in range(1000)]
    return np.percentile(means, [2.5, 97.5])


# ---- experiment: 4

validation = {"pixels": [0.71, 0.69, 0.73], "frozen": [0.75, 0.74, 0.78]}
chosen = "frozen"
test = {"majority": [0.2, 0.2, 0.2], "frozen": [0.73, 0.75, 0.76]}


# ==== common mistakes, two

# ---- majority: 1


def majority(labels):
    return np.bincount(labels).max() / len(labels), 0.5


# ---- balanced_accuracy: 0


def balanced_accuracy(labels, guesses):
    return np.mean(
        [
            (labels[guesses == c] == c).mean() if (guesses == c).any() else 0
            for c in np.unique(labels)
        ]
    )


# ---- split_by_group: 3


def split_by_group(groups, share, seed):
    names, counts = np.unique(groups, return_counts=True)
    n = np.searchsorted(np.cumsum(counts), share * len(groups)) + 1
    return np.isin(groups, names[:n])


# ---- duplicates: 0


def duplicates(train, test):
    return [i for i, p in enumerate(test) if np.isin(p, train).any()]


# ---- auc: 0


def auc(labels, scores):
    p, n = scores[labels == 1][:, None], scores[labels == 0]
    return (p < n).mean() + 0.5 * (p == n).mean()


# ---- interval: 0


def interval(correct, rng):
    return np.percentile(correct, [2.5, 97.5])


# ---- experiment: 5

validation = {
    "majority": [0.2, 0.2, 0.2],
    "pixels": [0.76, 0.75, 0.79],
    "frozen": [0.75, 0.74, 0.78],
}
chosen = "frozen"
test = {"majority": [0.2, 0.2, 0.2], "frozen": [0.73, 0.75, 0.76]}


# ==== common mistakes, three

# ---- balanced_accuracy: 2


def balanced_accuracy(labels, guesses):
    return np.mean(
        [(guesses[labels == c] == c).mean() for c in np.unique(guesses) if (labels == c).any()]
    )


# ---- duplicates: 2


def duplicates(train, test):
    seen = {p.tobytes() for p in train} | {
        np.ascontiguousarray(p[:, ::-1]).tobytes() for p in train
    }
    out = []
    for i, p in enumerate(test):
        if p.tobytes() in seen:
            out.append(i)
        seen.add(p.tobytes())
    return out


# ---- auc: 0


def auc(labels, scores):
    return np.mean((scores > 0.5) == labels)


# ---- interval: 1


def interval(correct, rng):
    d = rng.integers(0, len(correct), (2000, len(correct)))
    return np.percentile(correct[d].mean(1), [25, 75])


# ---- experiment: 4

validation = {
    "majority": [0.2, 0.2, 0.2],
    "pixels": [0.71, 0.69, 0.73],
    "frozen": [0.75, 0.74, 0.78],
}
chosen = "frozen"
test = {"majority": [0.2, 0.2, 0.2], "frozen": [0.73, 0.75, 0.76], "pixels": [0.7, 0.7, 0.71]}


# ==== common mistakes, four

# ---- experiment: 4

validation = {"majority": [0.2], "pixels": [0.71], "frozen": [0.75]}
chosen = "frozen"
test = {"majority": [0.2], "frozen": [0.73]}


# ==== common mistakes, five

# ---- interval: 2


def interval(correct, rng):
    mean = correct.mean()
    margin = 1.96 * np.sqrt(mean * (1 - mean) / len(correct))
    return mean - margin, mean + margin


# ---- experiment: 5

validation = {
    "majority": [0.1, 0.1, 0.1],
    "pixels": [0.71, 0.69, 0.73],
    "frozen": [0.75, 0.74, 0.78],
}
chosen = "frozen"
test = {"majority": [0.1], "frozen": [0.76]}


# ==== common mistakes, six

# ---- experiment: 5

validation = {
    "majority": [0.2, 0.2, 0.2],
    "pixels": [0.7, 0.7, 0.7],
    "frozen": [0.75, 0.74, 0.78],
}
chosen = "frozen"
test = {"majority": [0.2, 0.2, 0.2], "frozen": [0.73, 0.75, 0.76]}


# ==== common mistakes, seven

# ---- experiment: 4

validation = {
    "majority": [0.2, 0.2, 0.2],
    "pixels": [0.71, 0.69, 0.73],
    "frozen": [0.75, 0.74, 0.78],
}
chosen = "frozen"
test = {"majority": [0.2, 0.2, 0.2], "frozen": [0.75, 0.74, 0.78]}


# ==== nothing done
# ---- majority: 0, not begun
# ---- balanced_accuracy: 0, not begun
# ---- split_by_group: 0, not begun
# ---- duplicates: 0, not begun
# ---- auc: 0, not begun
# ---- interval: 0, not begun
# ---- experiment: 0, not begun
