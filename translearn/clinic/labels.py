"""Rules about labels: do they belong to their inputs, are they right, are they even?"""

import numpy as np

from translearn.clinic import thresholds as at
from translearn.clinic.courses import beyond_guess, slow_steps
from translearn.clinic.signs import above, below, neighbours, sentence, strangers


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
    return sentence(signals), min(1.0, 0.4 + 0.2 * len(signals))


def less_agreement(record, space, other) -> bool:
    """Do neighbours agree clearly less in training than they do in `other`?"""
    found = record.end.get(f"neighbours by {space}", {})
    ours, theirs = found.get("training"), found.get(other)
    if not ours or not theirs or record.end["training"]["examples"] < at.ENOUGH_EXAMPLES:
        return False
    less = theirs["agree"] - ours["agree"]
    spread = np.hypot(ours["spread"], theirs["spread"])
    return less > 0.1 and less > at.DEVIATIONS * spread


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
