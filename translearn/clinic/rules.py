"""The rules: each names one fault when at least two signs agree on it.

A rule takes `signs.Signs` and returns (evidence, strength from 0 to 1), or None. It says what it
saw; which of several findings explains another is for `diagnosing` to say.
"""

from translearn.clinic import courses, labels, mechanisms
from translearn.clinic import thresholds as at
from translearn.clinic.signs import above

RULES = {
    "everything frozen": mechanisms.everything_frozen,
    "forgotten recompile": mechanisms.forgotten_recompile,
    "logits mismatch": mechanisms.logits_mismatch,
    "leak between training and validation": mechanisms.leak,
    "slow input pipeline": mechanisms.slow_input,
    "inputs on the wrong scale": mechanisms.wrong_scale,
    "shuffled pairs": labels.shuffled_pairs,
    "wrong labels": labels.wrong_labels,
    "batch normalisation in training mode": mechanisms.batch_normalisation,
    "rate too high": courses.rate_too_high,
    "rate too low": courses.rate_too_low,
    "dead units": mechanisms.dead_units,
    "collapse to the majority": labels.collapse,
    "batch too small": courses.batch_too_small,
    "overfitting": courses.overfitting,
    "too little capacity": courses.capacity,
    "stopped too early": courses.stopped_early,
}


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
