"""What a recipe did, as plain data."""

import dataclasses

import numpy as np

from translearn.plain import plain_data


@dataclasses.dataclass
class Record:
    """What was planned, tried, chosen and spent.

    plan         sentences, said before the start
    data         pictures, classes, shape, labels a class (fewest and most), and what was said
    tried        one dict an arm: arm, score (balanced accuracy by cross-validation on the training
                 pictures), spread (standard deviation over folds), pictures, seconds (CPU, when
                 it was done)
    chosen       the name of what was handed over
    score        its cross-validated balanced accuracy: chosen on the same labels, so flattering
    spent        CPU-seconds of all threads
    seconds      what was allowed
    ended        "finished", "out of time" or "interrupted"
    out_of_fold  (n, classes): for each training picture the probabilities given by models that
                 did not see it; NaN where there are none
    inference    CPU-milliseconds a picture, as measured while features were made
    """

    plan: list
    data: dict
    seconds: float
    seed: int
    versions: dict
    tried: list = dataclasses.field(default_factory=list)
    chosen: str = ""
    score: float = float("nan")
    spent: float = 0.0
    ended: str = "finished"
    inference: float = float("nan")
    out_of_fold: np.ndarray | None = None

    def to_dict(self) -> dict:
        """JSON: lists for arrays, None for NaN."""
        return plain_data(dataclasses.asdict(self))

    @classmethod
    def from_dict(cls, known: dict) -> "Record":
        known = dict(known)
        for name in ("score", "inference"):
            known[name] = float("nan") if known[name] is None else known[name]
        if known["out_of_fold"] is not None:
            known["out_of_fold"] = np.array(known["out_of_fold"], float)
        return cls(**known)

    def table(self):
        """A pandas table: one row an arm that was tried."""
        import pandas as pd

        return pd.DataFrame(self.tried)
