"""Those who diagnose. A doctor takes a kept run (see `running`) and names what it finds.

Each returns (names, verdict): names of faults, and "sick", "healthy" or "cannot tell".
"""

import copy

import numpy as np

from translearn import clinic


def ours(kept: dict):
    """`clinic.diagnose` on the watch's record."""
    return _said(clinic.diagnose(clinic.Record.from_dict(kept["record"])))


def curves_alone(kept: dict):
    """`clinic.diagnose` on the plain History."""
    return _said(clinic.diagnose(kept["history"]))


def before_the_mend(kept: dict):
    """As `ours`, with a bug that the held-out runs showed, and that was mended after: the ids that
    an embedding gets were judged as numbers of a wrong scale. No other rule and no threshold has
    changed since these runs were first diagnosed."""
    record = copy.deepcopy(kept["record"])
    for part in record["end"].values():
        if part.get("first layer", {}).get("kind") == "Embedding":
            part["first layer"]["kind"] = "not told"
    return ours({"record": record})


def _said(diagnosis):
    return [finding.name for finding in diagnosis.findings], diagnosis.verdict


class Guess:
    """A random guess: one name, "healthy" among them, as often as each is planted.

    rates   name → how often it is planted
    """

    def __init__(self, rates: dict, seed: int):
        self.names, counts = list(rates), np.array(list(rates.values()), float)
        self.shares, self.draw = counts / counts.sum(), np.random.default_rng(seed)

    def __call__(self, kept: dict):
        return _one(self.draw.choice(self.names, p=self.shares))


class Majority:
    """Always the same: the fault that is planted most often; of equals, the first by name."""

    def __init__(self, rates: dict):
        sick = {name: count for name, count in rates.items() if name != "healthy"}
        self.name = min(sick, key=lambda name: (-sick[name], name))

    def __call__(self, kept: dict):
        return _one(self.name)


def _one(name):
    return ([], "healthy") if name == "healthy" else ([str(name)], "sick")


# ---- AutoTrainer

# Zhang, Zhai, Ma and Shen, AUTOTRAINER: An Automatic DNN Training Problem Detection and Repair
# System, ICSE 2021, and its successor (doi 10.1109/tdsc.2024.3450951). The thresholds are the
# published defaults, under the names of the paper.
BETA_1, BETA_2, BETA_3 = 1e-3, 1e-4, 70  # first kernel's gradient against the last's; its own size
GAMMA = 0.7  # share of gradient entries that are 0
ZETA, ETA = 0.03, 0.2  # how far the accuracy swings, in which share of the epochs
DELTA = 0.01  # a rise of the accuracy from one epoch to the next that counts
THETA = 0.6  # an accuracy that satisfies
EXPLODED = 1e5  # a validation loss
BEGIN = 0.3  # of the epochs: before, curves are not judged

# It knows symptoms, we ask for faults. What a symptom may mean, generously: if the planted fault
# is among these, the symptom counts as one right finding. Otherwise it is called the first.
MEANS = {
    "exploding gradient": ("rate too high", "inputs on the wrong scale"),
    "vanishing gradient": ("rate too low", "everything frozen", "dead units"),
    "dying ReLU": ("dead units", "rate too high"),
    "oscillating loss": ("rate too high", "batch too small"),
    "slow convergence": ("rate too low", "stopped too early", "too little capacity",
                         "everything frozen", "forgotten recompile"),
}  # fmt: skip


def autotrainer(kept: dict):
    """AutoTrainer's rules, re-implemented from its paper and its published defaults: it checks
    after every third epoch and the last, and stops at the first symptom. A symptom is named by
    the planted fault if it may mean that (see `MEANS`)."""
    symptom = symptom_of(kept["history"], kept["gradients"])
    if symptom is None:
        return [], "healthy"
    meant = MEANS[symptom]
    return [kept["fault"] if kept["fault"] in meant else meant[0]], "sick"


def symptom_of(history: dict, gradients: list) -> str | None:
    """The first symptom that AutoTrainer's rules see. Without accuracies (a regression) only
    numbers that are not finite tell anything."""
    epochs = len(history["loss"])
    for check, seen in enumerate(gradients, start=1):
        until = seen["epoch"] + 1
        curves = {name: np.array(values[:until]) for name, values in history.items()}
        if symptom := _checked(curves, gradients[:check], epochs):
            return symptom
    return None


def _checked(curves, seen, epochs):
    losses = np.concatenate([curves["loss"], curves["val_loss"]])
    if (
        not seen[-1]["finite"]
        or not np.isfinite(losses).all()
        or curves["val_loss"][-1] >= EXPLODED
    ):
        return "exploding gradient"
    accuracy, checked = curves.get("accuracy"), curves.get("val_accuracy")
    if accuracy is None or len(accuracy) < BEGIN * epochs:
        return None
    slow = max(_largest_rise(accuracy), _largest_rise(checked)) < DELTA
    if slow or min(accuracy.max(), checked.max()) < THETA:
        if symptom := _by_gradient(seen):
            return symptom
        return "slow convergence" if slow else None
    return "oscillating loss" if _swings(accuracy) >= ETA * len(accuracy) else None


def _largest_rise(values):
    return float(np.diff(values).max(initial=0.0))


def _by_gradient(seen):
    """What the gradients of any check so far show, in the order in which it asks."""
    seen = [each for each in seen if each["norms"]]
    zero = [np.dot(each["sizes"], each["zero"]) / sum(each["sizes"]) for each in seen]
    first = [each["norms"][0] for each in seen]
    ratio = [each["norms"][0] / max(each["norms"][-1], 1e-30) for each in seen]
    if any(share >= GAMMA for share in zero):
        return "dying ReLU"
    if any(each > BETA_3 for each in ratio):
        return "exploding gradient"
    if any(each < BETA_1 and norm < BETA_2 for each, norm in zip(ratio, first)):
        return "vanishing gradient"
    return None


def _swings(values):
    """How many pairs of a local maximum and a local minimum lie `ZETA` or more apart."""
    inner, before, after = values[1:-1], values[:-2], values[2:]
    highs = inner[(inner >= before) & (inner >= after)]
    lows = inner[(inner <= before) & (inner <= after)]
    both = min(len(highs), len(lows))
    return int(np.sum(highs[:both] - lows[:both] >= ZETA))
