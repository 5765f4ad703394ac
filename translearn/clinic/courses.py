"""Rules about the course of a training: its steps and its curves."""

from translearn.clinic import thresholds as at
from translearn.clinic.signs import above, below, learned_badly, neighbours, sentence


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
            return f"{sentence(signals)} A smaller rate is the first thing to try.", 0.6
        if len(signals) < 2:
            return None
    return sentence(signals), min(1.0, 0.4 + 0.2 * len(signals))


def slow_steps(signs) -> bool:
    """Are the steps so small, and so many, that the rate is the likelier cause of a slow fall?"""
    if below(signs.steps, at.FEW_STEPS) or not below(signs.update, at.SMALL_UPDATE):
        return False
    # A good rate moves some layer visibly in some step, mostly among the first.
    if below(signs.largest_update, at.SMALL_LARGEST) or below(signs.update, at.TINY_UPDATE / 10):
        return True
    return below(signs.fell, at.FELL) and signs.epochs >= 5 and signs.steps >= at.MANY_STEPS


def rate_too_low(signs):
    if not signs.watched or not signs.finite or not slow_steps(signs) or not len(signs.loss):
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
        f"The batch has {signs.batch} example{'s' * (signs.batch > 1)}. {sentence(signals)}",
        min(1.0, 0.6 + 0.1 * len(signals)),
    )


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
        return f"{sentence(signals)} The training loss fell on by {signs.since_best:.0%}.", 0.8
    if (
        above(apart, at.LARGE_SCORE_GAP)
        and above(signs.gap, at.LARGE_GAP)
        and below(signs.still_val, 0.02)
    ):
        text = sentence(signals).replace("It is", "The validation loss is", 1)
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
    return (sentence(signals), 0.4 + 0.15 * len(signals)) if len(signals) > 1 else None


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
