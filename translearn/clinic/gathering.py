"""The data of a run, as its steps see it: some examples, all labels, checksums of the inputs."""

import numpy as np

EXAMPLES = 256  # kept of training and of validation, spread over the first epoch
ROWS = 50_000  # of which at most the checksum and the label are kept
CLOSE = 4_000  # rows of each that are compared for near copies
COLUMNS = 512  # of an input that go into its checksum


class Gathered:
    """What was seen of one data set in one pass. `add` takes a batch as `fit` hands it on."""

    def __init__(self, batches=None):
        """batches: how many batches one pass has, None when it is not known."""
        self.each = max(1, -(-EXAMPLES // batches)) if batches else 32
        self.examples, self.kept, self.seen, self.hashed = [], 0, 0, 0
        self.sums, self.sketches, self.targets, self.weights = [], [], [], []

    def add(self, data, count: int, checksums: bool = True) -> None:
        """Look at a batch of `count` examples; without `checksums` only at its examples."""
        import keras

        self.seen += count
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        if self.kept < EXAMPLES:
            take = min(self.each, count, EXAMPLES - self.kept)
            self.examples.append(keras.tree.map_structure(lambda a: a[:take].numpy(), (x, y)))
            self.kept += take
        if checksums and self.hashed < ROWS:
            parts = [part.numpy() for part in keras.tree.flatten(x)]
            self.sums.append(checksum(parts))
            if (rough := sketch(parts[0])) is not None:
                self.sketches.append(rough)
            self.hashed += count
            if hasattr(y, "numpy") and y.shape.rank <= 2:
                self.targets.append(y.numpy())
                if weight is not None and weight.shape.rank == 1:
                    self.weights.append(weight.numpy())

    def stash(self, most: int = EXAMPLES):
        """(x, y) of up to `most` examples, or None. Batches of another shape are left out."""
        import keras

        if not self.examples:
            return None
        shapes = [[part.shape[1:] for part in keras.tree.flatten(each)] for each in self.examples]
        alike = [each for each, shape in zip(self.examples, shapes) if shape == shapes[0]]
        joined = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *alike)
        count = len(keras.tree.flatten(joined)[0])
        rows = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
        return keras.tree.map_structure(lambda part: part[rows], joined)

    def labels(self) -> dict:
        """How often each class occurs, or mean and spread of other targets."""
        if not self.targets or len({t.shape[1:] for t in self.targets}) > 1:
            return {}
        weights = np.concatenate(self.weights) if self.weights else None
        return described(np.concatenate(self.targets), weights)


def described(y, weights=None) -> dict:
    """A target array as counts of classes, or as mean and spread; with the weights of the examples
    in the loss, also what each class weighs.
    """
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    whole = y.dtype.kind in "iub" or (y.size and np.all(y == np.round(y)))
    if y.ndim == 2 and whole and y.min() >= 0 and np.all(y.sum(1) == 1):
        y = y.argmax(1)
    if y.ndim == 1 and whole and y.size and 0 <= y.min() and y.max() < min(1000, len(y)):
        found = {"counts": np.bincount(y.astype(int))}
        if weights is not None and len(weights) == len(y):
            found["weights"] = np.bincount(y.astype(int), weights)
        return found
    if y.dtype.kind in "iubf" and y.size:
        return {"mean": y.mean(), "std": y.std()}
    return {}


def checksum(parts) -> np.ndarray:
    """One 64-bit number for each example: equal for equal inputs, else almost surely different.

    parts: the arrays of an input, shape (n, …) each. Of a large one, `COLUMNS` numbers are taken.
    """
    total = np.zeros(len(parts[0]), np.uint64)
    for number, part in enumerate(parts):
        if part.dtype.kind in "OSU":
            flat = part.reshape(len(part), -1)
            rows = [hash(tuple(row)) & (2**63 - 1) for row in flat.tolist()]
            total += np.array(rows, np.uint64)
            continue
        flat = part.reshape(len(part), -1)
        flat = np.ascontiguousarray(flat[:, :: -(-flat.shape[1] // COLUMNS) or 1])
        flat = flat.astype(np.float32) if flat.dtype.kind == "f" else flat.astype(np.int32)
        # Odd numbers: a change of one column always changes the sum.
        odd = np.random.default_rng(number).integers(2**63, size=flat.shape[1], dtype=np.uint64)
        total += (flat.view(np.uint32).astype(np.uint64) * (2 * odd + 1)).sum(1)
    return total


def sketch(part):
    """16 random sums of an input's numbers, (n, 16): near for inputs that are nearly the same."""
    if part.dtype.kind not in "fiu":
        return None
    flat = part.reshape(len(part), -1)
    flat = flat[:, :: -(-flat.shape[1] // COLUMNS) or 1].astype(np.float32)
    return flat @ np.random.default_rng(0).standard_normal((flat.shape[1], 16), np.float32)


def distances(asked, known, same=False):
    """From each row to the nearest row of `known`; not to itself when they are the `same`."""
    squares = (asked**2).sum(1)[:, None] - 2 * asked @ known.T + (known**2).sum(1)[None]
    if same:
        np.fill_diagonal(squares, np.inf)
    return np.sqrt(np.maximum(squares.min(1), 0))


def overlap(train: Gathered, validation: Gathered) -> dict:
    """How many validation inputs are training inputs as well, and how many training inputs occur
    twice.
    """
    if not train.sums or not validation.sums:
        return {}
    ours, theirs = np.concatenate(train.sums), np.concatenate(validation.sums)
    found = {}
    if train.sketches and validation.sketches:
        a, b = (np.concatenate(g.sketches)[:CLOSE].astype(float) for g in (train, validation))
        if a.shape[1:] == b.shape[1:] and len(a) > 20 and len(b) > 20:
            centre = a.mean(0)
            a, b = a - centre, b - centre
            usual = np.median(distances(b, b, same=True))
            within = distances(a[:2000], a[:2000], same=True)
            found["close"] = int((distances(b, a) < 0.1 * usual).sum())
            found["close in training"] = float(np.mean(within < 0.1 * usual))
    return found | {
        "training": len(ours),
        "validation": len(theirs),
        "in both": int(np.isin(theirs, ours).sum()),
        "twice in training": len(ours) - len(np.unique(ours)),
        "of training": train.seen,
    }
