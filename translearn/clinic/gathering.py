"""The data of a run, as its steps see it: a few examples, all labels, a checksum of every input."""

import numpy as np

EXAMPLES = 256  # kept of training and of validation, spread over the first epoch
ROWS = 50_000  # of which at most the checksum and the label are kept
COLUMNS = 512  # of an input that go into its checksum


class Gathered:
    """What was seen of one data set in one pass. `add` takes a batch as `fit` hands it on."""

    def __init__(self, batches=None):
        """batches: how many batches one pass has, None when it is not known."""
        self.each = max(1, -(-EXAMPLES // batches)) if batches else 32
        self.examples, self.kept, self.seen, self.hashed = [], 0, 0, 0
        self.sums, self.targets = [], []

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
            self.sums.append(checksum([part.numpy() for part in keras.tree.flatten(x)]))
            self.hashed += count
            if hasattr(y, "numpy") and y.shape.rank <= 2:
                self.targets.append(y.numpy())

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
        return described(np.concatenate(self.targets))


def described(y) -> dict:
    """A target array as counts of classes, or as mean and spread."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    whole = y.dtype.kind in "iub" or (y.size and np.all(y == np.round(y)))
    if y.ndim == 2 and whole and y.min() >= 0 and np.all(y.sum(1) == 1):
        y = y.argmax(1)
    if y.ndim == 1 and whole and y.size and 0 <= y.min() and y.max() < min(1000, len(y)):
        return {"counts": np.bincount(y.astype(int))}
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
            total += np.array([hash(row.tobytes()) & (2**63 - 1) for row in flat], np.uint64)
            continue
        flat = part.reshape(len(part), -1)
        flat = np.ascontiguousarray(flat[:, :: -(-flat.shape[1] // COLUMNS) or 1])
        flat = flat.astype(np.float32) if flat.dtype.kind == "f" else flat.astype(np.int32)
        odd = np.random.default_rng(number).integers(2**63, size=flat.shape[1], dtype=np.uint64)
        total += (flat.view(np.uint32).astype(np.uint64) * (2 * odd + 1)).sum(1)
    return total


def overlap(train: Gathered, validation: Gathered) -> dict:
    """How many validation inputs are training inputs as well, and how many training inputs occur
    twice.
    """
    if not train.sums or not validation.sums:
        return {}
    ours, theirs = np.concatenate(train.sums), np.concatenate(validation.sums)
    return {
        "training": len(ours),
        "validation": len(theirs),
        "in both": int(np.isin(theirs, ours).sum()),
        "twice in training": len(ours) - len(np.unique(ours)),
        "of training": train.seen,
    }
