"""Fair experiments, the ledger of measured results, and claims that are asserted.

`compare` runs every arm of an experiment with the same seeds; `tune` chooses each arm's setting on
validation, equally hard. `claim` asserts what a lesson says about what has just been measured,
with a margin taken from the ledger: the same experiment, run beforehand with more seeds, whose
numbers the prose quotes.
"""

from translearn.measure.claims import Claim, ClaimFailed, claim, margin
from translearn.measure.experiment import (
    Experiment,
    Tuned,
    compare,
    measuring,
    recorded,
    seed_everything,
    tune,
)
from translearn.measure.results import Condition, Effect, Results, tidy

NUMERICS = 1  # raise it when seeding changes: every result that was measured so far is then stale

__all__ = [
    "Claim",
    "ClaimFailed",
    "Condition",
    "Effect",
    "Experiment",
    "Results",
    "Tuned",
    "claim",
    "compare",
    "margin",
    "measuring",
    "recorded",
    "seed_everything",
    "tidy",
    "tune",
]
