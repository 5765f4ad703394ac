"""Do examples that are alike have the same label? In training, in validation, and between."""

import numpy as np

NEIGHBOURS = 5
PIXELS = 2048  # of an input that are compared


def across(record, ends) -> None:
    """Do examples that are alike have the same label? In training, in validation, and between."""
    train, held = ends.get("training", {}), ends.get("validation", {})
    for space in ("inputs", "features"):
        found = {}
        for name, a, b in (
            ("training", train, train),
            ("validation", held, held),
            ("between", train, held),
        ):
            if all(e.get(space) is not None and e.get("labels") is not None for e in (a, b)):
                if a is not b and a[space].shape[1:] != b[space].shape[1:]:
                    continue
                found[name] = agreement(a[space], a["labels"], b[space], b["labels"], a is b)
        if found:
            record.end[f"neighbours by {space}"] = found


def agreement(known, labels, asked, truth, same) -> dict:
    """How often the `NEIGHBOURS` nearest of `known` have the label of the one `asked` about.

    For classes the share of right majority votes, and what it is when labels are shuffled
    ("chance", and the standard deviation of that); for numbers the correlation.
    """
    if len(known) <= 2 * NEIGHBOURS or len(asked) <= 2 * NEIGHBOURS:
        return {}
    near = nearest(flat(known, known), flat(asked, known), same)
    draw = np.random.default_rng(0)
    if (
        labels.dtype.kind == "f"
        and not np.all(labels == np.round(labels))
        or (len(np.unique(labels)) > max(20, len(labels) // 4))
    ):
        mean = labels[near].mean(1)
        r = np.corrcoef(mean, truth)[0, 1] if mean.std() and truth.std() else 0.0
        return {"agree": float(r), "chance": 0.0, "spread": 1 / np.sqrt(len(asked))}
    labels, truth = labels.astype(int), truth.astype(int)
    classes = int(max(labels.max(), truth.max())) + 1
    shuffled = [float(np.mean(vote(draw.permutation(labels), near, classes) == truth))
                for _ in range(20)]  # fmt: skip
    votes = vote(labels, near, classes)
    chance = float(np.mean(shuffled))
    spread = max(float(np.std(shuffled)), np.sqrt(chance * (1 - chance) / len(asked)), 1e-3)
    return {"agree": float(np.mean(votes == truth)), "chance": chance, "spread": spread,
            "votes": votes}  # fmt: skip


def vote(labels, near, classes):
    """The label that most of the neighbours have; of two, the nearer one's."""
    counts = np.zeros((len(near), classes))
    for place in range(near.shape[1]):
        np.add.at(counts, (np.arange(len(near)), labels[near[:, place]]), 1 - 1e-3 * place)
    return counts.argmax(1)


def flat(values, like):
    """(n, columns), at most `PIXELS` of them, each standardised as `like` is."""
    rows, model = (a.reshape(len(a), -1) for a in (values, like))
    step = -(-rows.shape[1] // PIXELS)
    rows, model = rows[:, ::step].astype(float), model[:, ::step].astype(float)
    spread = model.std(0)
    # Pixels and features share one scale; the columns of a table need not.
    if values.ndim > 2 or rows.shape[1] > 64:
        spread = np.full_like(spread, spread.mean())
    return np.nan_to_num((rows - model.mean(0)) / np.maximum(spread, 1e-9))


def nearest(known, asked, same):
    """(n, NEIGHBOURS): rows of `known`, nearest first; never the row itself when `same`."""
    distance = (asked**2).sum(1)[:, None] - 2 * asked @ known.T + (known**2).sum(1)[None]
    if same:
        np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
