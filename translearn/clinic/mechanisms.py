"""Rules that read a mechanism: settings, inputs, weights and layers, rather than curves."""

import numpy as np

from translearn.clinic import thresholds as at
from translearn.clinic.signs import above, below, learned_badly, sentence


def everything_frozen(signs):
    setting = signs.record.setting
    if "trainable weights" not in setting:
        return None
    moved = [each["by"] for each in signs.record.moved if each["trainable"]]
    kernels = [each for each in signs.record.moved if each["trainable"] and each["kernel"]]
    few = setting["trainable weights"] / max(setting["weights"], 1)
    if moved and not kernels and few < at.FEW and learned_badly(signs):
        return (
            f"Only {setting['trainable weights']:,} of the {setting['weights']:,} weights are "
            f"trainable, no kernel among them, and the training loss fell by "
            f"{max(signs.fell or 0, 0):.0%}.",
            1.0,
        )
    if setting["trainable weights"] == 0:
        return (
            f"None of the {setting['weights']:,} weights is trainable, and the training loss "
            f"fell by {max(signs.fell or 0, 0):.0%}.",
            1.0,
        )
    if (
        moved
        and max(moved) == 0
        and signs.finite
        and above(max(setting.get("rates", []), default=0), 0)
    ):
        return "No weight moved in the whole run, though the rate is above zero.", 0.9
    new = sum(
        each["size"] for each in setting["layers"] if each["new"] and not each["trainable"]
    ) / max(setting["weights"], 1)
    if new > at.FROZEN_NEW and learned_badly(signs):
        return (
            f"{new:.0%} of the weights are frozen in layers whose biases are all zero, as they "
            f"are made and never trained; on training data the skill is {signs.skill:.2f}.",
            0.9,
        )
    return None


def forgotten_recompile(signs):
    if not signs.record.setting.get("built earlier"):
        return None
    ours = [each for each in signs.record.moved if each["trainable"]]
    still = [each for each in ours if each["by"] == 0]
    if len(still) == len(ours) and not above(max(signs.record.setting.get("rates", [0])), 0):
        return None
    if not still or not any(each["kernel"] for each in still):
        return None
    share = sum(each["size"] for each in still) / sum(each["size"] for each in ours)
    unknown = signs.record.setting.get("unknown to the optimiser")
    if unknown == 0:
        return None
    also = f", and the optimiser has no memory for {unknown} of them" if unknown else ""
    return (
        f"{len(still)} of {len(ours)} weights that are marked trainable ({share:.0%} of their "
        f"numbers) did not move at all, and the step was built before this fit{also}.",
        1.0,
    )


def logits_mismatch(signs):
    end = signs.record.end.get("training", {})
    expects, last = signs.record.setting.get("from_logits"), end.get("last activation")
    loss = signs.record.setting.get("loss") or ""
    if expects is None or "shape" not in end or signs.kind == "regression":
        return None
    low, high = end.get("output min"), end.get("output max")
    classes = signs.kind == "classes"
    if expects is False:
        if low is None:
            wrong = last in ("linear", "dense") and "crossentropy" in loss
            saw = "the outputs are not finite"
        elif classes and "binary" not in loss:
            wrong = end["sums to one"] < 0.5 and (low < 0 or high > 1 or last != "softmax")
            saw = f"the outputs run from {low:.3g} to {high:.3g} and do not sum to 1"
        else:
            wrong = low < -0.01 or high > 1.01
            saw = f"the outputs run from {low:.3g} to {high:.3g}"
        if wrong:
            return (
                f"The loss has from_logits=False and expects probabilities, but {saw} "
                f"(last activation: {last}).",
                1.0,
            )
    elif low is not None:
        if classes and "binary" not in loss:
            wrong = end["sums to one"] == 1
            saw = "the outputs of every example are positive and sum to 1"
        else:
            wrong = 0 <= low and high <= 1 and last == "sigmoid"
            saw = f"the outputs all lie between {low:.3g} and {high:.3g}"
        if wrong:
            return (
                f"The loss has from_logits=True and expects logits, but {saw}: they are "
                f"probabilities already (last activation: {last}).",
                1.0,
            )
    return None


def leak(signs):
    found = signs.record.leak
    if signs.leak is None:
        return None
    close = found.get("close", 0) / max(found["validation"], 1)
    if found.get("close", 0) > max(4, found["in both"] / 2) and close > max(
        2 * at.LEAK, 3 * found.get("close in training", 0)
    ):
        return (
            f"{close:.0%} of the validation inputs lie more than ten times closer to a training "
            f"input than validation inputs lie to one another (inside the training set "
            f"{found.get('close in training', 0):.0%} do).",
            0.9,
        )
    if found["in both"] < 4:
        return None
    if signs.leak > at.LEAK and signs.leak > 3 * signs.twice:
        return (
            f"{found['in both']} of {found['validation']} validation inputs also stand in the "
            f"training set; inside the training set only {signs.twice:.1%} occur twice.",
            1.0,
        )
    return None


def slow_input(signs):
    if (
        above(signs.wait, at.WAIT)
        and above(signs.wait_seconds, at.WAIT_SECONDS)
        and signs.wait_seconds * signs.record.steps.get("waits", 0) > at.WAIT_IN_ALL
    ):
        step = signs.record.steps["step"]
        return (
            f"{signs.wait:.0%} of the time went into waiting for data: on average "
            f"{1000 * signs.wait_seconds:.1f} ms a step, when computing takes "
            f"{1000 * step:.1f} ms.",
            1.0,
        )
    return None


def wrong_scale(signs):
    train = signs.record.end.get("training", {}).get("first layer", {})
    held = signs.record.end.get("validation", {}).get("first layer", {})
    if "std" not in train or not train["std"] >= 0 or train["kind"] == "Embedding":
        return None  # what an embedding gets are places in a table, also when they come as floats
    normalises = train["kind"].endswith("Normalization")
    size = float(np.hypot(train["mean"], train["std"]))
    ratio = train.get("largest column", 0) / max(train.get("median column", 1), 1e-9)
    first = None
    if signs.chance_loss and signs.first_loss is not None:
        first = signs.first_loss / max(signs.chance_loss, 0.1)
    where = f"The first layer with weights ({train['name']}) gets numbers"
    bad = learned_badly(signs) or below(signs.val_skill, at.POOR)
    started = f"the first step's loss is {first:.1f} times a blind guess's" if first else ""
    if not normalises and size > at.LARGE_INPUT and (bad or above(first, at.FIRST_LOSS)):
        also = started if above(first, at.FIRST_LOSS) else f"the skill is {signs.skill or 0:.2f}"
        return f"{where} of size {size:.3g} (about 1 is usual), and {also}.", 0.95
    if not normalises and ratio > at.COLUMN_RATIO and train["largest column"] > 5 and bad:
        return (
            f"{where} whose largest column spreads by {train['largest column']:.3g} and the usual "
            f"one by {train['median column']:.3g}, and the skill is {signs.skill or 0:.2f}.",
            0.9,
        )
    # The rows of a wide table are short in each column and yet of a usual length.
    length = train["std"] * train.get("columns", 0) ** 0.5
    if train["std"] < at.SMALL_INPUT and length < at.SHORT and bad:
        return (
            f"{where} that spread by only {train['std']:.2g} (about 1 is usual), and the skill is "
            f"{signs.skill or 0:.2f}.",
            0.95,
        )
    if "std" in held and signs.skill is not None and signs.val_skill is not None:
        skew = held["std"] / max(train["std"], 1e-9)
        if max(skew, 1 / max(skew, 1e-9)) > at.SKEW and signs.skill - signs.val_skill > 0.2:
            return (
                f"{where} that spread by {train['std']:.3g} in training and {held['std']:.3g} in "
                f"validation, and the skill is {signs.skill:.2f} against {signs.val_skill:.2f}.",
                0.95,
            )
    return None


def batch_normalisation(signs):
    train, setting = signs.record.end.get("training", {}), signs.record.setting
    layers = train.get("normalised", [])
    if not layers:
        return None
    signals = []
    if signs.end_loss is not None and len(signs.loss) and signs.finite:
        ratio = signs.end_loss / max(signs.loss[-1], 0.05)
        if ratio > at.MODE_LOSS:
            signals.append(
                f"on training examples the loss is {signs.end_loss:.3g} in inference mode, and "
                f"fit reported {signs.loss[-1]:.3g}"
            )
    shift = max(each["shift"] for each in layers)
    ratio = max(abs(each["log ratio"]) for each in layers)
    if shift > at.SHIFT or ratio > at.LOG_RATIO:
        signals.append(
            f"stored means are up to {shift:.2g} standard deviations off, stored variances by a "
            f"factor of up to {np.exp(ratio):.2g}"
        )
    statistics = [each for each in signs.record.moved if each["name"].endswith("moving_mean")]
    trained = [each for each in statistics if not each["zero"]]
    moving = [each for each in trained if each["by"] > 0.01]
    kernels = [each for each in signs.record.moved if each["kernel"]]
    frozen = sum(e["size"] for e in kernels if not e["trainable"]) / max(
        sum(e["size"] for e in kernels), 1
    )
    if moving and frozen > 0.5:
        signals.append(
            f"{len(moving)} of {len(trained)} stored means that came trained moved by up to "
            f"{max(e['by'] for e in moving):.0%}, while {frozen:.0%} of the kernels are frozen"
        )
        if len(signals) == 1 and setting.get("layers"):
            signals.append("batch normalisation is not frozen with them")
    return (sentence(signals), 0.5 + 0.15 * len(signals)) if len(signals) > 1 else None


def dead_units(signs):
    dead, silent = signs.dead, signs.silent
    if dead is None or silent is None or not signs.finite:
        return None
    if max(dead, silent) < at.DEAD or min(dead, silent) < at.DEAD / 2:
        return None
    return (
        f"In one layer {dead:.0%} of the units get no gradient from any of the examples, and "
        f"{silent:.0%} give zero for all of them.",
        0.5 + 0.4 * max(dead, silent) * (1.0 if learned_badly(signs) else 0.5),
    )
