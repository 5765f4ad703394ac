"""What each module that makes numbers computes, pinned in `tests/golden/NAME.json`.

    python tests/unit/golden.py             # says what differs from the files
    python tests/unit/golden.py transfer    # writes into a module's file what it lacks

The measured results in the ledger rest on these numbers. A module may be rewritten as long as it
gives them; when it is meant to give others, raise its `NUMERICS` and write its file anew. The file
says for which `NUMERICS` it was made: for the same one no value that it has is written over.
What a new data set or network gives is added, as the registry names it.

Whole numbers, texts and hashes are the same on every machine. What a network computes depends on
the order of additions, so such values are kept as a few floats, and compared to one part in 10,000
of the largest.
"""

import hashlib
import importlib
import json
import os
import random
import sys
import tempfile

import numpy as np

from translearn import paths
from translearn.data import registry

FOLDER = paths.ROOT / "tests" / "golden"
TOLERANCE = 1e-4
TEXTS = ["A gem.", "Effective but too tepid – café 😀", "It was the best of times, " * 12]
GROUPS = {}  # {module of translearn: {what: function that computes it}}


def shipped(**chosen) -> list:
    """Names from the registry, as `registry.names` chooses them, of what is not downloaded."""
    return [name for name in registry.names(**chosen) if "downloads" not in registry.entry(name)]


def golden(what, arguments=(None,)):
    """Register a function as a golden value of the module in the first part of `what`, once for
    each of its arguments.
    """

    def register(function):
        module, _, rest = what.partition(".")
        for each in arguments:
            name = rest if each is None else f"{rest} {each}"
            call = function if each is None else lambda each=each: function(each)
            GROUPS.setdefault(module, {})[name] = call
        return function

    return register


def digest(*parts) -> str:
    """SHA-256 of arrays and texts, the first 16 digits."""
    hashed = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            hashed.update(f"{part.dtype.str} {part.shape}".encode())
            part = np.ascontiguousarray(part).tobytes()
        hashed.update(part if isinstance(part, bytes) else str(part).encode())
    return hashed.hexdigest()[:16]


def few(values, count=12) -> list:
    """An array in a few numbers: the means of `count` pieces of it in order, and its spread."""
    flat = np.asarray(values, "float64").ravel()
    pieces = np.array_split(flat, min(count, flat.size))
    return [float(f"{each:.7g}") for each in [*(piece.mean() for piece in pieces), flat.std()]]


def pictures(side, channels=3):
    draw = np.random.default_rng(0).integers(0, 256, (3, side // 8, side // 8, channels), "uint8")
    return draw.repeat(8, axis=1).repeat(8, axis=2)


def parts(splits):
    return splits.train, splits.validation, splits.test


# ---------------------------------------------------------------- data


@golden("data.pictures", shipped(kind="data", family="pictures"))
def _pictures(name):
    from translearn import data

    found = {}
    for seed in (0, 1):
        for part in parts(data.load(name, seed=seed)):
            found[f"{part.name}, seed {seed}"] = digest(
                part.images, part.labels, *part.info["key"]
            )
    return found


@golden("data.chosen pictures")
def _chosen():
    from translearn import data

    some = data.load("emoji_styles", size=40, seed=2, labels_per_class=7, styles=["noto"])
    two = data.load("fashion", size=32, classes=["coat", "sandal"], labels_per_class=3)
    return [digest(part.images, part.labels) for part in (some.train, some.test, two.train)]


@golden("data.own pictures")
def _own():
    from PIL import Image

    from translearn import data

    with tempfile.TemporaryDirectory() as folder:
        for name in ("cat", "dog"):
            os.mkdir(os.path.join(folder, name))
        for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (24, 9, 12, 3))):
            place = os.path.join(folder, ("cat", "dog")[number % 2], f"{number:02}.png")
            Image.fromarray(pixels.astype("uint8")).save(place)
        splits = data.from_directory(folder, size=16)
    return {part.name: digest(part.images, *part.info["key"]) for part in parts(splits)}


@golden("data.own pictures that ship")
def _example():
    import warnings

    from translearn import data

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = os.environ.get("TRANSLEARN_CACHE")
        os.environ["TRANSLEARN_CACHE"] = folder
        try:
            splits = {
                fit: data.from_directory(data.example_folder(), size=48, fit=fit)
                for fit in ("cut", "pad", "stretch")
            }
            faults = data.example_faults()
        finally:
            os.environ.pop("TRANSLEARN_CACHE")
            if kept is not None:
                os.environ["TRANSLEARN_CACHE"] = kept
    found = {
        fit: digest(*(each for part in parts(cut) for each in (part.images, *part.info["key"])))
        for fit, cut in splits.items()
    }
    return {**found, "faults": digest(*faults.to_numpy().ravel())}


@golden("data.sentences", shipped(family="sentences"))
def _sentences(name):
    from translearn import data

    all_of_it = data.load_sentences(name)
    some = data.load_sentences(name, ["tweets", "movies"], seed=1, labels_per_class=9, margin=1.0)
    return [digest(part.labels, *part.texts) for part in (*parts(all_of_it), *parts(some))]


@golden("data.text", shipped(kind="data", family="text"))
def _text(name):
    from translearn import data

    return [digest(part.text, part.take(1000, seed=1)) for part in parts(data.load_text(name))]


# ---------------------------------------------------------------- backbones


@golden("backbones.features", shipped(kind="weights", family="pictures"))
def _features(name):
    from translearn import backbones

    return few(backbones.load(name, size=64)(pictures(64), training=False))


@golden("backbones.random", shipped(having="builder"))
def _random(name):
    from translearn import backbones

    options = {} if registry.entry(name)["family"] == "text" else {"size": 32}
    model = backbones.load(name, weights=None, seed=1, **options)
    return few([few(variable, 4) for variable in model.trainable_weights if variable.ndim > 1], 40)


@golden("backbones.random features")
def _random_features():
    from translearn import backbones

    return few(backbones.load("small_cnn", weights=None, seed=1, size=64)(pictures(64)))


@golden("backbones.labels")
def _labels():
    from translearn import backbones

    model = backbones.load("efficientnet_lite0", size=32, include_top=True)
    logits = model(pictures(32), training=False)
    return {"logits": few(logits), "labels": digest(*backbones.imagenet_labels())}


@golden("backbones.tokens", shipped(having="tokenizer"))
def _tokens(name):
    from translearn import backbones

    tokenizer = backbones.tokenizer(name)
    ids = tokenizer(TEXTS, length=20)
    return {"ids": ids.tolist(), "back": tokenizer.decode(ids[1]), "all": digest(*_all(tokenizer))}


def _all(tokenizer):
    from translearn import data

    return [tokenizer.encode(data.load_text("fortunes").test.text[:50_000])]


@golden("backbones.vectors", shipped(kind="weights", family="text"))
def _vectors(name):
    from translearn import backbones

    ids = backbones.tokenizer(name)(TEXTS, length=20)
    return few(np.asarray(backbones.load(name)(ids, training=False))[ids != 0])


@golden("backbones.next token", ["tiny_gpt"])
def _next(name):
    from translearn import backbones

    ids = backbones.tokenizer(name)(TEXTS, length=20)
    return few(backbones.load(name, include_top=True)(ids, training=False))


# ---------------------------------------------------------------- transfer


def _classifier(**options):
    from translearn import backbones, transfer

    backbone = backbones.load("small_cnn", weights=None, seed=3, size=32)
    return transfer.attach_head(backbone, 4, batch_norm="training", dropout=0.3, seed=5, **options)


@golden("transfer.first weights", ("avg", "max", "flatten"))
def _first(pooling):
    return few(_classifier(pooling=pooling).get_layer("classifier_logits").kernel)


@golden("transfer.blocks")
def _blocks():
    from translearn import backbones, transfer

    model = backbones.load("efficientnet_lite0", weights=None, size=32)
    tables = [transfer.freeze(model), transfer.unfreeze(model, share=0.3)]
    return {name: digest(table.to_csv()) for name, table in zip(("frozen", "unfrozen"), tables)}


@golden("transfer.cached features")
def _cached():
    from translearn import backbones, transfer

    model = backbones.load("efficientnet_lite0", size=32)
    found = transfer.cache_features(
        model, pictures(32), layers=["block05", "block14"], progress=False
    )
    whole = transfer.cache_features(model, pictures(32), pooling=None, progress=False)
    return {**{name: few(values) for name, values in found.items()}, "whole": few(whole)}


@golden("transfer.halves")
def _halves():
    from translearn import backbones, transfer

    first, second = transfer.split(backbones.load("efficientnet_lite0", size=32), "block05")
    between = first(pictures(32), training=False)
    return {"between": few(between), "after": few(second(between, training=False))}


@golden("transfer.fit")
def _fit():
    """A model that is started again with a seed, and trained: order, dropout and all."""
    import keras

    from translearn import transfer

    draw = np.random.default_rng(1)
    labels = draw.integers(0, 4, 48)
    images = (draw.integers(0, 200, (48, 32, 32, 3)) + 15 * labels[:, None, None, None]).astype(
        "uint8"
    )
    model = _classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    fresh = transfer.reusable(model)
    found = {}
    for seed, rate in ((0, None), (1, 3e-3)):
        history = fresh(seed, rate).fit(images, labels, batch_size=16, epochs=2, verbose=0)
        found[f"seed {seed}"] = [float(f"{each:.7g}") for each in history.history["loss"]]
    return found


# ---------------------------------------------------------------- scores


@golden("scores.numbers", (6, 60))
def _scores(width):
    from translearn import scores

    draw = np.random.default_rng(4)
    labels = draw.integers(0, 3, 40)
    features = draw.normal(size=(40, width)) + np.eye(width)[labels]
    p = np.abs(features[:, :5]) / np.abs(features[:, :5]).sum(axis=1, keepdims=True)
    found = {
        "logme": scores.logme(features, labels),
        "h_score": scores.h_score(features, labels),
        "h_score, none": scores.h_score(features, labels, shrinkage=0),
        "knn": scores.knn(features, labels),
        "probe": scores.probe(features, labels),
        "leep": scores.leep(p, labels),
        "nce": scores.nce(p.argmax(axis=1), labels),
    }
    return {name: float(f"{value:.7g}") for name, value in found.items()}


# ---------------------------------------------------------------- recipes


@golden("recipes.numbers")
def _classifiers():
    from translearn.recipes import frozen, linear

    draw = np.random.default_rng(7)
    labels = np.arange(30) % 3
    span = linear.Span(draw.normal(size=(30, 50)) + 2 * np.eye(50)[labels])
    found = {"folds": linear.folds(labels, 0, np.arange(30) // 2).tolist()}
    for name, fit, strength in (("lda", linear.lda, 0.5), ("logistic", linear.logistic, 0.01)):
        weights, bias = fit(span.inside, labels, 3, 50, strength)
        logits = span.inside @ weights + bias
        found |= {name: np.round(logits[:4].ravel(), 5).tolist()}
        found[f"{name}, temperature"] = round(float(linear.temperature(logits, labels)), 5)
    images = draw.integers(0, 256, (2, 24, 24, 3)).astype("uint8")
    with tempfile.TemporaryDirectory() as folder:
        said = frozen.features(images, 64, folder=folder)
    return found | {name: float(f"{np.abs(each).mean():.6g}") for name, each in said.items()}


# ---------------------------------------------------------------- report


@golden("report.numbers")
def _judged():
    from translearn.report import judging

    draw = np.random.default_rng(6)
    labels, p = draw.integers(0, 3, 60), draw.dirichlet([1, 1, 2], 60)
    found = judging.calibration(labels, p, judging.temperature(labels, p))
    table = found.pop("table")
    found |= {f"with temperature, {k}": v for k, v in found.pop("with temperature").items()}
    found |= dict(zip(("low", "high"), judging.balanced_interval([3, 9], [5, 10])))
    found["bins"] = [row["right"] for row in table]
    return {name: np.round(value, 6).tolist() for name, value in found.items()}


# ---------------------------------------------------------------- optim


def _rules():
    from translearn import optim

    return {
        "SGD": optim.SGD(0.05),
        "momentum": optim.SGD(0.05, momentum=0.9),
        "Nesterov": optim.SGD(0.05, momentum=0.9, nesterov=True),
        "RMSProp": optim.RMSProp(0.05),
        "Adam": optim.Adam(0.05),
        "AdamW": optim.AdamW(0.05, weight_decay=0.1),
        "with a schedule": optim.Adam(optim.warmup(0.1, 3, optim.cosine_decay(0.1, 10))),
    }


@golden("optim.rules")
def _optimisers():
    from translearn import optim

    def slope(w):
        return np.array([1.0, 20.0]) * w

    return {
        name: few(optim.descend(rule, slope, np.array([2.0, -1.0]), 20)[-4:])
        for name, rule in _rules().items()
    }


@golden("optim.schedules")
def _schedules():
    from translearn import optim

    steps = np.arange(40)
    plateau = optim.ReduceOnPlateau(1.0, factor=0.5, patience=2, cooldown=1)
    return {
        "exponential": few(optim.exponential_decay(0.1, 10, 0.5)(steps)),
        "staircase": few(optim.exponential_decay(0.1, 10, 0.5, staircase=True)(steps)),
        "steps": few([optim.step_decay(0.1, [10, 20])(step) for step in steps]),
        "cosine": few(optim.cosine_decay(0.0, 30, 0.1, warmup_steps=5, warmup_target=0.2)(steps)),
        "plateau": [plateau.update(loss) for loss in (3, 2, 2, 2, 2, 2, 1, 1, 1, 1)],
    }


@golden("optim.range test")
def _range_test():
    import keras

    from translearn import optim

    draw = np.random.default_rng(2)
    x = draw.normal(size=(64, 5)).astype("float32")
    start = keras.initializers.GlorotUniform(seed=1)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1, kernel_initializer=start)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    seen = optim.lr_range_test(model, x, x @ np.ones((5, 1)), 1e-4, 10, steps=40, progress=False)
    return {"losses": few(seen.losses[:25]), "suggestion": float(f"{seen.suggestion:.7g}")}


# ---------------------------------------------------------------- measure


@golden("measure.seeds", (0, 1))
def _seeds(seed):
    import keras

    from translearn import measure

    measure.seed_everything(seed)
    return {
        "Python": random.random(),
        "NumPy": float(np.random.random()),
        "Keras": few(keras.random.normal((4,))),
        "Keras without a seed": few(keras.initializers.GlorotUniform()((2, 2))),
    }


# ---------------------------------------------------------------- clinic


def _rows(count=60):
    draw = np.random.default_rng(4)
    y = draw.integers(0, 3, count)
    return (np.eye(3)[y] + 0.3 * draw.normal(size=(count, 3))).astype("float32"), y


@golden("clinic.inputs")
def _inputs():
    from translearn.clinic import gathering

    x, _ = _rows()
    sets = [gathering.Gathered(), gathering.Gathered()]
    for each, rows in zip(sets, (x, np.concatenate([x[:5], x[5:15] + 1e-4, -x[15:45]]))):
        each.sums, each.sketches = [gathering.checksum([rows])], [gathering.sketch(rows)]
        each.seen = len(rows)
    return {
        "checksums": [str(each) for each in gathering.checksum([x])[:3]],
        "overlap": gathering.overlap(*sets),
    }


@golden("clinic.examples")
def _examples():
    from translearn.clinic import answers, neighbours, signs

    x, y = _rows()
    found = answers.answers(answers.softmax(3.0 * x), y, "", False)
    near = neighbours.agreement(x, y, x, y, True)
    numbers = {name: found[name] for name in ("accuracy", "balanced", "loss", "trivial")}
    return {
        "answers": {name: float(f"{value:.6g}") for name, value in numbers.items()},
        "skill": float(f"{signs.skill(found):.6g}"),
        "neighbours": few([near["agree"], near["chance"], near["spread"]]),
    }


@golden("clinic.diagnoses")
def _diagnoses():
    from translearn import clinic

    falls = [2.3 * 0.7**epoch for epoch in range(12)]
    runs = {
        "rises": {"loss": falls, "val_loss": [max(f, 0.8) + 0.1 * e for e, f in enumerate(falls)]},
        "jumps": {"loss": [2.3, 1.0, 9.0, 1.5, 8.0, 2.0, 7.0, 3.0], "val_loss": [2, 9] * 4},
        "still falls": {"loss": [2.3, 2.0, 1.7, 1.4], "val_loss": [2.3, 2.0, 1.8, 1.5]},
        "settles": {"loss": [2.0, 1.0, 0.6, 0.5, 0.49], "val_loss": [2.0, 1.1, 0.7, 0.61, 0.6]},
    }
    said = {name: clinic.diagnose(curves) for name, curves in runs.items()}
    return {
        name: [each.verdict, *(f"{f.name}: {f.evidence}" for f in each.findings)]
        for name, each in said.items()
    }


# ---------------------------------------------------------------- files


def home(module: str) -> str:
    """Where the `NUMERICS` of a module stands, as a path in the repository."""
    place = paths.ROOT / "translearn" / module
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return file.relative_to(paths.ROOT).as_posix()


def numerics(module: str) -> int:
    return importlib.import_module(f"translearn.{module}").NUMERICS


def read(module: str) -> dict:
    return json.loads((FOLDER / f"{module}.json").read_text(encoding="utf-8"))


def close(got, wanted) -> bool:
    """Are they the same, floats up to `TOLERANCE` of the largest in their list?"""
    if isinstance(wanted, dict):
        return (
            isinstance(got, dict)
            and got.keys() == wanted.keys()
            and all(close(got[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, float):
        got, wanted = [got], [wanted]
    if isinstance(wanted, list) and wanted and all(isinstance(each, float) for each in wanted):
        if np.shape(got) != np.shape(wanted):
            return False
        difference = np.abs(np.subtract(got, wanted)).max()
        return bool(difference <= TOLERANCE * np.abs(wanted).max())
    return got == wanted


def difference(module: str, name: str) -> str:
    """What is wrong with a value now, in one sentence; "" when it is as in the file."""
    kept = read(module)
    anew = f"write its golden values anew with `python tests/unit/golden.py {module}`"
    if kept["numerics"] != numerics(module):
        return (
            f"NUMERICS in {home(module)} is {numerics(module)}, and the golden values were made "
            f"with {kept['numerics']}: {anew}, and replay what rests on them."
        )
    if name not in kept["values"]:
        return f"tests/golden/{module}.json has no {name!r}: {anew}."
    got, wanted = as_kept(GROUPS[module][name]()), kept["values"][name]
    if close(got, wanted):
        return ""
    return (
        f"translearn.{module} gives other numbers than before for {name!r}, with the same "
        f"NUMERICS: {got} instead of {wanted}. If that is not meant, mend it. If it is, raise "
        f"NUMERICS in {home(module)} and {anew}: the results that rest on it are stale then."
    )


def as_kept(value):
    """A value as it comes back from a file of JSON."""
    return json.loads(json.dumps(value))


def write(module: str) -> str:
    """Write into a module's file what it lacks: everything when its `NUMERICS` has been raised.

    Returns one sentence.
    """
    file, kept = FOLDER / f"{module}.json", {}
    if file.exists() and read(module)["numerics"] == numerics(module):
        kept = read(module)["values"]
    values = {name: kept.get(name) for name in GROUPS[module]}
    missing = [name for name in values if name not in kept]
    values |= {name: as_kept(GROUPS[module][name]()) for name in missing}
    lines = [f"  {json.dumps(name)}: {json.dumps(values[name])}" for name in sorted(values)]
    text = f'{{"numerics": {numerics(module)}, "values": {{\n' + ",\n".join(lines) + "\n}}\n"
    file.write_text(text, encoding="utf-8", newline="\n")
    return f"tests/golden/{module}.json: {len(missing)} of {len(values)} values are new."


def main(modules) -> int:
    if unknown := set(modules) - set(GROUPS):
        print(f"There are no golden values of {sorted(unknown)[0]}, only of {', '.join(GROUPS)}.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRANSLEARN_CACHE"] = folder  # nothing that was computed before
        if modules:
            said = [write(module) for module in modules]
        else:
            said = [difference(module, name) for module in GROUPS for name in GROUPS[module]]
    print("\n".join(filter(None, said)) or "All golden values are as in the files.")
    return int(any(said) and not modules)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
