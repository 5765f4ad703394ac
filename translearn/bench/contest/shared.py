"""What a frozen network says about a problem's pictures: computed once, charged to every run.

A run with ten labels spends most of its time on pictures that other seeds have, too. So all
pictures of a problem go through the network once for each size and mirroring, and stay in the
cache; a run takes the rows of its own pictures from there, and its clock is charged what they
would have cost: `start` CPU-seconds for loading the network and making its graph, and `each` for
every picture. Both are measured once for a processor and a size, on one thread. How well charged
agrees with really spent stands in the ledger (`entries.SPENT`).
"""

import functools
import hashlib
import json
import os
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass

import numpy as np

from translearn import backbones, paths, recipes
from translearn.bench.contest.problems import SIZES, Problem, problems
from translearn.evidence import book
from translearn.recipes import frozen

FEW, MANY = 16, 112  # pictures in a pass whose cost is measured


@dataclass(frozen=True)
class Cost:
    """CPU-seconds of a frozen network at one size: before the first picture, and each picture."""

    start: float
    each: float

    def of(self, pictures: int, first: bool) -> float:
        return first * self.start + pictures * self.each


@functools.cache
def cost(size: int) -> Cost:
    """What frozen features of this size cost on this machine, measured when asked first."""
    path = paths.cache() / "bench" / "costs.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    key = f"{book.processor()}, {size} pixels"
    if key not in known:
        known[key] = asdict(_measured(size))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return Cost(**known[key])


def _measured(size, repeats=3):
    side = SIZES[-1]
    pictures = np.random.default_rng(0).integers(0, 256, (MANY, side, side, 3), np.uint8)
    few, many = (
        statistics.median(_pass(pictures[:count], size) for _ in range(repeats))
        for count in (FEW, MANY)
    )
    each = (many - few) / (MANY - FEW)
    return Cost(few - FEW * each, each)


def _pass(pictures, size):
    with tempfile.TemporaryDirectory() as folder:
        for kept in (frozen.network, frozen._prepared):
            kept.cache_clear()
        began = time.process_time()
        frozen.features(pictures, size, folder=folder)
        return time.process_time() - began


def digests(images) -> tuple:
    """A key of each picture by its pixels."""
    return tuple(hashlib.blake2b(each.tobytes(), digest_size=12).digest() for each in images)


class Store:
    """Features of all pictures of a problem, by picture."""

    def __init__(self, problem: Problem):
        # The other styles are a part of the emoji: what both have is computed with the first.
        every = [each for each in problems().values() if each.source == problem.source]
        names = [each.name for each in every]
        self.problems = every[: names.index(problem.name) + 1]

    def features(self, images, size, mirror: bool) -> dict:
        """{block: float32 (n, channels)} of pictures of the problem at the largest size."""
        keys = digests(images)
        for part in ("train", "test", "validation"):
            for problem in self.problems:
                rows = _rows(problem, part)
                if all(key in rows for key in keys):
                    at = [rows[key] for key in keys]
                    return {k: v[at] for k, v in _table(problem, part, size, mirror).items()}
        raise LookupError("These pictures are not of this problem.")


@functools.cache
def _rows(problem, part) -> dict:
    """The row of each picture of one part of a problem, by its digest."""
    images = getattr(problem, part)(SIZES[-1]).images
    return {key: row for row, key in enumerate(digests(images))}


@functools.cache
def _table(problem, part, size, mirror) -> dict:
    """The features of one part of a problem, kept on disk under what they depend on."""
    import joblib
    import keras

    images = getattr(problem, part)(SIZES[-1]).images
    numerics = (recipes.NUMERICS, backbones.NUMERICS, keras.__version__, frozen.BLOCKS)
    key = joblib.hash((list(_rows(problem, part)), size, mirror, numerics))
    path = paths.cache() / "bench" / "features" / f"{key}.npz"
    if not path.exists():
        found = frozen.features(images, size, mirror)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(unfinished, **{block: each.astype("float16") for block, each in found.items()})
        os.replace(unfinished, path)
    with np.load(path, allow_pickle=False) as kept:
        return {block: kept[block].astype("float32") for block in kept}
