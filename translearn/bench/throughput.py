"""How fast the course's networks run on this machine, and how much of it they use: `python3
course.py bench throughput`.

Each network is timed in processes of its own, so that importing, loading and memory are those of a
fresh start.
"""

import json
import os
import subprocess
import sys
import time

import numpy as np

from translearn.data import registry
from translearn.errors import CourseError


def _counted(record):
    """What a network is timed in."""
    return (
        "images" if record["family"] == "pictures" else "tokens" if record["top"] else "sentences"
    )


# name: (what is counted, side of a picture or length of a text in tokens, how many of them at a
# time)
NETWORKS = {
    name: (_counted(record), *record["bench"])
    for name in registry.names(having="bench")
    if (record := registry.entry(name))
}
SECONDS = 2.0  # each way of calling is timed for at least so long


def operations(model, length: int | None = None) -> float:
    """Multiplications and additions that one item costs, in the layers that multiply by a kernel,
    and in attention.

    model   a backbone of pictures (input of a fixed size), or a network for text.
    length  of a text in tokens; None for pictures.

    Additions count as operations of their own, so a product of two n × n matrices has 2 n³. What
    is left out (normalisation, activations, pooling) is below 2 % in these networks.
    """
    if length is not None:
        return _text_operations(model, length)
    total = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            places = np.prod(layer.output.shape[1:-1], dtype=float)  # 1 for a dense layer
            total += 2 * np.prod(kernel.shape, dtype=float) * places
    return total


def _text_operations(model, length):
    kernels = sum(np.prod(w.shape, dtype=float) for w in model.weights if w.name == "kernel")
    width = model.get_layer("embed_token").output.shape[-1]
    blocks = sum(layer.name.startswith("block") for layer in model.layers)
    attention = (
        2 * 2 * length * width * blocks
    )  # each token with every token: the scores, and the mean of the values
    words = (
        model.output_shape[-1] * width if model.output_shape[-1] != width else 0
    )  # a logit for each piece
    return length * (2 * kernels + attention + 2 * words)


def peak(size: int = 1536, tries: int = 8) -> float:
    """What this machine reaches at best in a product of two float32 matrices, in operations a
    second.
    """
    import tensorflow as tf

    a = tf.random.stateless_normal((size, size), seed=(0, 1))
    tf.linalg.matmul(a, a).numpy()
    best = np.inf
    for _ in range(tries):
        began = time.perf_counter()
        tf.linalg.matmul(a, a).numpy()
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def time_one(name: str) -> dict:
    """Import, load and run one network in this process. Call it in a fresh one: see `time_all`.

    Returns seconds for `import` and `load`, the process's memory in bytes, the machine's `peak`,
    the `operations` of an item, and items a second for three ways of calling: `graph` (one
    compiled graph, batch by batch: what `transfer.cache_features` does), `predict` (one call of
    `model.predict`), `loop` (`model.predict` on one item at a time).
    """
    import psutil

    began = time.perf_counter()
    import tensorflow as tf

    from translearn import backbones

    imported = time.perf_counter() - began
    what, size, batch = NETWORKS[name]
    began = time.perf_counter()
    weights = "pretrained" if registry.entry(name)["weights"] else None
    if what == "images":
        model = backbones.load(name, weights, size=size)
        items = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3)).astype("float32")
    else:
        model = backbones.load(name, weights, include_top=what == "tokens")
        items = np.random.default_rng(0).integers(1, 1000, (batch, size)).astype("int32")
    loaded = time.perf_counter() - began
    graph = tf.function(lambda batch: model(batch, training=False))
    unit = size if what == "tokens" else 1  # a window of 128 is 128 tokens
    rates = {
        "graph": unit * _rate(lambda: np.asarray(graph(tf.constant(items))), batch),
        "predict": unit
        * _rate(
            lambda: model.predict(np.concatenate([items] * 4), batch_size=batch, verbose=0),
            4 * batch,
        ),
        "loop": unit
        * _rate(lambda: [model.predict(items[i : i + 1], verbose=0) for i in range(4)], 4),
    }
    text = None if what == "images" else size
    return {
        "import": imported,
        "load": loaded,
        "memory": psutil.Process().memory_info().rss,
        "peak": peak(),
        "operations": operations(model, text) / unit,
        **rates,
    }


def _rate(call, items):
    """Items a second: the first call, which compiles, is not timed."""
    call()
    began, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < SECONDS or done < 2 * items:
        call()
        done += items
    return done / spent


def time_all(names=None, repeats: int = 3) -> dict:
    """`time_one` for each network, `repeats` times, each in a fresh process and in turn: {name:
    [dict, …]}.

    Raises CourseError for an unknown network and when a process fails, with its last words.
    """
    from tqdm.auto import tqdm

    names = list(names or NETWORKS)
    if unknown := set(names) - set(NETWORKS):
        raise CourseError(
            f"There is no network called {sorted(unknown)[0]!r} to time. There are "
            f"{', '.join(NETWORKS)}."
        )
    found = {name: [] for name in names}
    for name in tqdm(names * repeats, desc="throughput", unit="process"):
        child = subprocess.run(
            [sys.executable, "-m", "translearn.bench.throughput", name],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )
        if child.returncode:
            last = (child.stderr.strip().splitlines() or ["no message"])[-1]
            raise CourseError(f"Timing {name} failed: {last}")
        found[name].append(json.loads(child.stdout.strip().splitlines()[-1]))
    return found


def table(found: dict):
    """One row a network, mean ± standard deviation over the processes."""
    import pandas as pd

    rows = {}
    for name, runs in found.items():
        what, size, batch = NETWORKS[name]
        each = {key: np.array([run[key] for run in runs], float) for key in runs[0]}
        rows[f"{name}, {size}" + (" px" if what == "images" else " tokens")] = {
            "a second": f"{_spread(each['graph'], 0)} {what}",
            "of the peak, %": _spread(100 * each["graph"] * each["operations"] / each["peak"], 0),
            "times predict": _spread(each["graph"] / each["predict"], 2),
            "times a loop of predict": _spread(each["graph"] / each["loop"], 1),
            "import, s": _spread(each["import"], 1),
            "load, s": _spread(each["load"], 1),
            "memory, MB": _spread(each["memory"] / 1e6, 0),
        }
    return pd.DataFrame(rows).T


def _spread(values, digits):
    return f"{values.mean():,.{digits}f}" + (
        f" ± {values.std(ddof=1):,.{digits}f}" if len(values) > 1 else ""
    )


def report(names=None, repeats: int = 3) -> None:
    """Time the networks and print the table, with what its columns mean."""
    found = time_all(names, repeats)
    top = np.array([run["peak"] for runs in found.values() for run in runs]) / 1e9
    print(
        f"\nThis machine multiplies matrices at {_spread(top, 0)} GFLOP/s (float32, {len(top)} "
        "processes). Mean ± standard deviation "
        f"over {repeats} processes a network.\n"
    )
    print(table(found).to_string())
    print(
        "\na second: one compiled graph, batch by batch, as transfer.cache_features runs it · of "
        "the peak: its share of the matrix-product speed above"
        "\ntimes predict: against one call of model.predict · times a loop of predict: against "
        "model.predict on one item at a time"
        "\nimport, load: seconds from a fresh process to a network in memory · memory: of the "
        "whole process after all this"
    )


if __name__ == "__main__":
    from translearn import quiet  # noqa: F401  (before TensorFlow)

    print(json.dumps(time_one(sys.argv[1])))
