"""The rules: each names one fault when at least two signs agree on it.

A rule takes `signs.Signs` and returns (evidence, strength from 0 to 1), or None. It says what it
saw; which of several findings explains another is for `diagnosing` to say.
"""

import numpy as np

from translearn.clinic import thresholds as at
from translearn.clinic.signs import neighbours, strangers

SCORED = ("classes", "binary", "several labels")


def above(value, bound) -> bool:
    return value is not None and value > bound


def below(value, bound) -> bool:
    return value is not None and value < bound


def enough(signs) -> bool:
    """Does the record hold enough to call the run healthy?"""
    return (
        signs.watched
        and signs.finite
        and signs.skill is not None
        and above(signs.val_skill, at.GOOD)
        and (above(signs.skill, at.FAIR) or signs.record.end["training"].get("positions"))
        and signs.epochs >= 2
    )


def learned_badly(signs) -> bool:
    return not signs.finite or below(signs.skill, at.POOR)


# ---------------------------------------------------------------- direct evidence


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
    if moved and max(moved) == 0 and signs.finite and above(max(setting["rates"], default=0), 0):
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
    if "std" not in train or not train["std"] >= 0:
        return None
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


def shuffled_pairs(signs):
    if not signs.record.end or not signs.finite or beyond_guess(signs):
        return None
    if straight := shuffled_by_inputs(signs):
        return straight
    if signs.val_skill is None or signs.val_skill > at.AT_CHANCE:
        return None
    if above(signs.trivial, at.MAJORITY):  # nearly all labels are alike: agreement says nothing
        return None
    between = neighbours(signs.record, "features", "between")
    asked = neighbours(signs.record, "inputs", "training")
    if asked is None:
        # What a network learned by heart agrees in training. It learned nothing that holds if
        # validation was never better than a blind guess, from the first epoch on.
        if not never_better(signs) or not above(signs.fell, at.FLAT):
            return None
        if between is None and above(signs.moved, at.LITTLE_MOVED) and not slow_steps(signs):
            return (
                f"The training loss fell by {signs.fell:.0%}, and validation was never better "
                f"than a blind guess (best loss {signs.val_loss.min():.3g}, a guess's "
                f"{signs.chance_loss:.3g}; skill {signs.val_skill:.2f}).",
                0.6,
            )
        if between is None:
            return None
        asked = between
    if signs.chance_loss and len(signs.val_loss) and not never_better(signs):
        return None
    if asked[1] > at.DEVIATIONS or above(between and between[1], at.DEVIATIONS):
        return None
    if below(signs.moved, at.LITTLE_MOVED):
        return None
    held = neighbours(signs.record, "inputs", "validation")
    known = f", while in validation they do ({held[0]:.2f})" if held and held[1] > 4 else ""
    return (
        f"Examples that are alike do not have the same label more often than by chance in "
        f"training (agreement above chance {asked[0]:.2f}){known}, and the skill on validation is "
        f"{signs.val_skill:.2f}.",
        0.9 if known else 0.7,
    )


def shuffled_by_inputs(signs):
    """Labels that belong to their inputs in validation, and do not at all in training."""
    ours, theirs = (neighbours(signs.record, "inputs", w) for w in ("training", "validation"))
    if not ours or not theirs or above(signs.trivial, at.MAJORITY):
        return None
    if ours[1] > at.DEVIATIONS - 1 or theirs[1] < at.DEVIATIONS + 1 or theirs[0] < 0.3:
        return None
    if not less_agreement(signs.record, "inputs", "validation") or above(ours[0], 0.15):
        return None
    return (
        f"Examples that are alike do not have the same label more often than by chance in "
        f"training (agreement above chance {ours[0]:.2f}), while in validation they do "
        f"({theirs[0]:.2f}).",
        0.95,
    )


def never_better(signs) -> bool:
    """Was validation never clearly better than a blind guess?"""
    return bool(
        len(signs.val_loss)
        and signs.chance_loss
        and signs.val_loss.min() > at.NEVER * signs.chance_loss
    )


def wrong_labels(signs):
    train = signs.record.end.get("training", {})
    if "labels" not in train:
        return None
    by_input = signs.record.end.get("neighbours by inputs", {}).get("training", {})
    by_feature = signs.record.end.get("neighbours by features", {}).get("training", {})
    labels, answers = np.array(train["labels"]), np.array(train["answers"])
    doubts = [np.array(f["votes"]) for f in (by_input, by_feature) if "votes" in f]
    if not doubts:
        return None
    sure = np.array(train["sure"]) >= at.SURE
    contradicted = float(np.mean((answers != labels) & sure & (doubts[-1] == answers)))
    signals = []
    if contradicted > at.CONTRADICTED:
        signals.append(
            f"the network and the neighbours of an example agree on another label than the given "
            f"one for {contradicted:.0%} of the training examples"
        )
    for other, where in (
        ("validation", "in validation"),
        ("between", "from training to validation"),
    ):
        for space in ("inputs", "features"):
            if less_agreement(signs.record, space, other):
                ours, theirs = (neighbours(signs.record, space, w) for w in ("training", other))
                signals.append(
                    f"alike examples share their label less often in training ({ours[0]:.2f} "
                    f"above chance) than {where} ({theirs[0]:.2f})"
                )
                break
    if signs.val_skill is not None and signs.skill is not None:
        if signs.val_skill - signs.skill > 0.07:
            signals.append(
                f"the skill is lower on training ({signs.skill:.2f}) than on validation "
                f"({signs.val_skill:.2f})"
            )
    strange = strangers(train)
    if above(strange, at.STRANGE) and above(signs.skill, at.LEARNED):
        signals.append(
            f"the labels of wrongly answered training examples are hardly more often than by "
            f"chance the network's second choice ({strange:.2f} of what chance gives are not)"
        )
        if below(signs.still, at.FLAT) and below(signs.skill, at.POOR):
            signals.append(
                f"training stays at a skill of {signs.skill:.2f}, its loss hardly falls any more"
            )
    if len(signals) < 2:
        return None
    return _sentence(signals), min(1.0, 0.4 + 0.2 * len(signals))


def less_agreement(record, space, other) -> bool:
    """Do neighbours agree clearly less in training than they do in `other`?"""
    found = record.end.get(f"neighbours by {space}", {})
    ours, theirs = found.get("training"), found.get(other)
    if not ours or not theirs or record.end["training"]["examples"] < at.ENOUGH_EXAMPLES:
        return False
    less = theirs["agree"] - ours["agree"]
    spread = np.hypot(ours["spread"], theirs["spread"])
    return less > 0.1 and less > at.DEVIATIONS * spread


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
    return (_sentence(signals), 0.5 + 0.15 * len(signals)) if len(signals) > 1 else None


# ---------------------------------------------------------------- the steps


def beyond_guess(signs) -> bool:
    """Is the training loss of a classifier far above that of a blind guess?"""
    known = signs.kind in ("classes", "binary") and signs.chance_loss and len(signs.loss)
    return bool(known and signs.finite and signs.loss[-1] > at.BEYOND * signs.chance_loss)


def blew_up(signs) -> bool:
    return not signs.finite or above(signs.spike, at.SPIKE) or beyond_guess(signs)


def rate_too_high(signs):
    signals, bad = [], learned_badly(signs)
    if not signs.finite:
        signals.append("the loss became NaN or infinite")
    if above(signs.largest_update, at.HUGE_UPDATE):
        signals.append(
            f"a single step changed a layer by {signs.largest_update:.0%} of its own size"
        )
    elif above(signs.update, at.LARGE_UPDATE):
        signals.append(f"a usual step changes the weights by {signs.update:.0%} of their size")
    if above(signs.spike, at.SPIKE):
        signals.append(f"a step's loss rose to {signs.spike:.1f} times the first one's")
    if above(signs.rough, at.ROUGH):
        signals.append(f"{signs.rough:.0%} of the training loss's ups and downs are ups")
    if beyond_guess(signs):
        signals.append(
            f"the training loss ends at {signs.loss[-1] / signs.chance_loss:.1f} times that of a "
            f"blind guess"
        )
    if above(signs.moved, at.FAR_MOVED):
        signals.append(f"the weights moved by {signs.moved:.1f} times their size")
    if signs.watched:
        if len(signals) < 2 or not (bad or above(signs.spike, at.SPIKE)):
            return None
    else:
        if above(signs.rough_val, 0.4):
            signals.append(f"validation goes up and down ({signs.rough_val:.0%} ups)")
        if below(signs.fell, 0):
            signals.append("the training loss ends above where it began")
        if not signs.finite:
            return f"{_sentence(signals)} A smaller rate is the first thing to try.", 0.6
        if len(signals) < 2:
            return None
    return _sentence(signals), min(1.0, 0.4 + 0.2 * len(signals))


def slow_steps(signs) -> bool:
    """Are the steps so small, and so many, that the rate is the likelier cause of a slow fall?"""
    if below(signs.steps, at.FEW_STEPS) or not below(signs.update, at.SMALL_UPDATE):
        return False
    # A good rate moves some layer visibly in some step, mostly among the first.
    if below(signs.largest_update, at.SMALL_LARGEST) or below(signs.update, at.TINY_UPDATE / 10):
        return True
    return below(signs.fell, at.FELL) and signs.epochs >= 5 and signs.steps >= at.MANY_STEPS


def rate_too_low(signs):
    if not signs.watched or not signs.finite or not slow_steps(signs):
        return None
    if above(signs.moved, at.MOVED) or narrow(signs) or not below(signs.skill, at.POOR):
        return None
    steady = above(signs.steady, at.PACE / 2) and (
        signs.steady_val is None or signs.steady_val > at.PACE / 2
    )
    if not steady and not below(signs.moved, at.LITTLE_MOVED):
        return None
    how = "still falls" if above(signs.still, 0.0) else "stays where it is"
    return (
        f"A usual step changes the weights by {signs.update:.1e} of their size, the largest by "
        f"{signs.largest_update:.1e}; {signs.steps} steps moved them by {signs.moved:.1%}, and "
        f"the training loss {how} at {signs.loss[-1]:.3g}.",
        0.8,
    )


def narrow(signs):
    """The units of the narrowest trained layer but the last, when they are few for the classes."""
    layers = [
        each
        for each in signs.record.setting.get("layers", [])
        if each["trainable"] and "Norm" not in each["kind"]
    ]
    least = min((each["units"] for each in layers[:-1]), default=None)
    if least is None:
        return None
    return least if least <= max(2, (signs.classes or 0) / 2) else None


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


def collapse(signs):
    train = signs.record.end.get("training", {})
    if signs.kind not in ("classes", "binary") or signs.uneven is None or signs.skill is None:
        return None
    if signs.uneven < at.UNEVEN and not signs.trivial > 0.6:
        return None
    if above(signs.skill, 0.25) or above(signs.val_skill, 0.25):
        return None
    if below(signs.answered, 0.85) and signs.trivial < at.OF_ONE_CLASS:
        return None
    return (
        f"{signs.answered:.0%} of the training examples get the same answer and the rarest-known "
        f"class is right in {train['recalls']['worst']:.0%} of its cases; the most frequent class "
        f"has {signs.trivial:.0%} of the labels (by their weight in the loss).",
        0.7,
    )


def batch_too_small(signs):
    if signs.batch is None or signs.batch > at.SMALL_BATCH:
        return None
    signals = []
    if above(signs.noise, at.NOISY):
        signals.append(f"the steps' losses spread by {signs.noise:.0%} of their mean")
    if above(signs.rough, at.ROUGH / 2) or above(signs.rough_val, at.ROUGH):
        signals.append("the loss goes up and down from epoch to epoch")
    if above(signs.spike, at.SPIKE / 1.5):
        signals.append(f"a step's loss rose to {signs.spike:.1f} times the first one's")
    if above(signs.dead, at.DEAD):
        signals.append(f"{signs.dead:.0%} of a layer's units died")
    if len(signals) < (1 if signs.batch <= at.TINY_BATCH else 2) or not (
        below(signs.val_skill, at.POOR) or above(signs.rise, at.RISE) or not signs.finite
    ):
        return None
    return (
        f"The batch has {signs.batch} example{'s' * (signs.batch > 1)}. {_sentence(signals)}",
        min(1.0, 0.6 + 0.1 * len(signals)),
    )


# ---------------------------------------------------------------- the curves


def overfitting(signs):
    signals = []
    scores = (signs.skill, signs.val_skill)
    if None in scores:
        scores = (signs.score, signs.val_score)
    apart = scores[0] - scores[1] if None not in scores else None
    # With a wide gap of the scores, a smaller rise of the loss is enough.
    bound = at.RISE / 2 if above(apart, at.SCORE_GAP) else at.RISE
    rises = above(signs.rise, bound) and below(signs.best_at, 0.75)
    if rises:
        signals.append(
            f"the validation loss is {signs.rise:.0%} above its best, {signs.best_at:.0%} of the "
            f"way through"
        )
    if above(signs.gap, at.GAP):
        signals.append(f"it is {signs.gap:.1f} times the training loss")
    if above(apart, at.SCORE_GAP):
        signals.append(f"the training score is {scores[0]:.2f}, validation's {scores[1]:.2f}")
    if above(signs.val_skill, at.VERY_GOOD) and not above(apart, at.SCORE_GAP / 2):
        return None  # surer of the few that it gets wrong, and no worse
    if rises and len(signals) >= 2 and above(signs.since_best, 0.2):
        return f"{_sentence(signals)} The training loss fell on by {signs.since_best:.0%}.", 0.8
    if (
        above(apart, at.LARGE_SCORE_GAP)
        and above(signs.gap, at.LARGE_GAP)
        and below(signs.still_val, 0.02)
    ):
        text = _sentence(signals).replace("It is", "The validation loss is", 1)
        return f"{text} Validation has stopped to follow training.", 0.6
    return None


def capacity(signs):
    if not signs.watched or not signs.finite or not below(signs.skill, at.POOR):
        return None
    dead = above(signs.dead, at.DEAD)  # nothing moves then, whatever the rate
    if slow_steps(signs) and not (above(signs.moved, at.MOVED) or dead) or not len(signs.loss):
        return None
    if signs.val_skill is not None and signs.skill - signs.val_skill > 0.2:
        return None
    units = narrow(signs)
    if above(signs.steady, at.PACE) and not units:
        return None
    signals = []
    if below(signs.still, at.FLAT) or units and above(signs.moved, at.MOVED):
        signals.append(
            f"the training loss is at {signs.loss[-1]:.3g} and fell by {signs.still or 0:.1%} in "
            f"the last quarter"
        )
    near = neighbours(signs.record, "inputs", "training")
    if near and near[0] - signs.skill > at.NEIGHBOURS_BETTER:
        signals.append(
            f"the nearest neighbours are right more often ({near[0]:.2f} above chance) than the "
            f"network on its own training examples ({signs.skill:.2f})"
        )
    if units:
        signals.append(
            f"the narrowest layer has {units} unit{'s' * (units > 1)}"
            + (f" for {signs.classes} classes" if signs.classes else "")
        )
    return (_sentence(signals), 0.4 + 0.15 * len(signals)) if len(signals) > 1 else None


def stopped_early(signs):
    """Both losses still fall, at a pace that is not much below that of the whole run."""
    if not signs.finite or not signs.epochs or above(signs.val_skill, at.PERFECT):
        return None
    pace = at.PACE if signs.epochs > 1 else at.PACE / 2  # one epoch is hardly a training
    if (
        not above(signs.steady, pace)
        or signs.still_val is not None
        and (
            below(signs.still_val, 0.02) or not signs.few and not above(signs.steady_val, at.PACE)
        )
    ):
        return None
    if signs.watched and (
        slow_steps(signs) or narrow(signs) or below(signs.moved, at.LITTLE_MOVED)
    ):
        return None
    if below(signs.falls, at.WORTH):  # little is left: a share of next to nothing
        return None
    bound = at.FALLING * (0.3 if signs.epochs == 1 else 0.5) if signs.few else at.FALLING
    falls = above(signs.still, bound) and (
        signs.still_val is None or signs.few or signs.still_val > at.FALLING
    )
    # Early on, a fall may be small against the loss and yet not slow down.
    steady = below(signs.skill, at.POOR) and above(signs.steady, at.STEADY)
    if not falls and not steady:
        return None
    val = f" and validation by {signs.still_val:.0%}" if signs.still_val is not None else ""
    what = "steps" if signs.few else f"{signs.epochs} epochs"
    return (
        f"In the last quarter of the {what} the training loss still fell by {signs.still:.0%}"
        f"{val}, at {signs.steady:.1f} times the pace of the whole run.",
        0.5 if signs.watched else 0.4,
    )


def _sentence(signals) -> str:
    text = "; ".join(signals)
    return f"{text[:1].upper()}{text[1:]}."


RULES = {
    "everything frozen": everything_frozen,
    "forgotten recompile": forgotten_recompile,
    "logits mismatch": logits_mismatch,
    "leak between training and validation": leak,
    "slow input pipeline": slow_input,
    "inputs on the wrong scale": wrong_scale,
    "shuffled pairs": shuffled_pairs,
    "wrong labels": wrong_labels,
    "batch normalisation in training mode": batch_normalisation,
    "rate too high": rate_too_high,
    "rate too low": rate_too_low,
    "dead units": dead_units,
    "collapse to the majority": collapse,
    "batch too small": batch_too_small,
    "overfitting": overfitting,
    "too little capacity": capacity,
    "stopped too early": stopped_early,
}
