"""From a record to the numbers that a doctor reads. What was not recorded is None."""

from dataclasses import dataclass, field

import numpy as np

from translearn.clinic import thresholds as at
from translearn.clinic.record import Record

ERRORS = ("loss", "error", "mae", "mse", "crossentropy")  # of metrics that are lower when better


@dataclass
class Signs:
    """The signs of one run. `skill` is 0 for the trivial answer and 1 for a perfect one: balanced
    accuracy above chance, explained variance, or the gain over the most frequent answer.
    """

    record: Record
    # Curves
    epochs: int = 0
    loss: np.ndarray = field(default_factory=lambda: np.array([]))
    val_loss: np.ndarray = field(default_factory=lambda: np.array([]))
    finite: bool = True
    fell: float = None  # training loss: share of the first epoch's that is gone
    rise: float = None  # last validation loss above the best, as a share of the best
    best_at: float = None  # where the best validation loss stands: 0 first epoch, 1 last
    since_best: float = None  # share by which the training loss fell since
    gap: float = None  # validation loss over training loss at the end
    still: float = None  # training loss: share gained in the last quarter
    still_val: float = None
    falls: float = None  # of validation in the last quarter, in losses of a blind guess
    few: bool = False  # too few epochs for a curve
    steady: float = None  # pace of the fall in the last quarter over that of the whole run
    steady_val: float = None
    rough: float = None  # share of the training loss's movement that goes up, after the start
    rough_val: float = None
    score: float = None  # last training and validation metric (accuracy or the like)
    val_score: float = None
    # Steps
    steps: int = None
    first_loss: float = None
    spike: float = None  # largest loss of a step, after the first five, over the first step's
    noise: float = None
    batch: int = None
    update: float = None
    largest_update: float = None
    moved: float = None
    wait: float = None
    wait_seconds: float = None
    # Data
    kind: str = None
    classes: int = None
    chance_loss: float = None
    uneven: float = None
    trivial: float = None  # share of the most frequent class in the loss
    leak: float = None
    twice: float = None
    # The finished network
    skill: float = None
    val_skill: float = None
    end_loss: float = None
    answered: float = None
    dead: float = None
    silent: float = None

    @property
    def watched(self) -> bool:
        return bool(self.record.steps)


def of(record: Record) -> Signs:
    """The signs of a record."""
    signs = Signs(record)
    _end(signs, record)
    _curves(signs, record.curves)
    _steps(signs, record)
    return signs


def _curves(signs, curves):
    loss = np.array(curves.get("loss", []), float)
    val = np.array(curves.get("val_loss", []), float)
    signs.loss, signs.val_loss, signs.epochs = loss, val, max(len(loss), len(val))
    signs.finite = bool(np.isfinite(loss).all() and np.isfinite(val).all())
    for name in sorted(curves, key=lambda n: (not n.startswith(("acc", "sparse_cat", "bin")), n)):
        if curves.get(f"val_{name}") and curves[name] and not any(e in name for e in ERRORS):
            signs.score, signs.val_score = curves[name][-1], curves[f"val_{name}"][-1]
            break
    if not signs.finite:
        return
    if 0 < len(loss) < 4 and len(steps := signs.record.steps.get("loss", [])) >= 12:
        # Too few epochs for a curve: quarters of the steps instead.
        steps = [part.mean() for part in np.array_split(np.array(steps, float), 4)]
        if np.isfinite(steps).all():
            signs.few, signs.still, signs.steady = True, _gained(steps), _pace(np.array(steps))
    if len(loss):
        signs.fell = 1 - loss[-1] / max(loss[0], 1e-12)
        if not signs.few:
            signs.still, signs.steady = _gained(loss), _pace(loss)
        signs.rough = roughness(loss)
    if len(val):
        best = int(val.argmin())
        signs.rise = (val[-1] - val[best]) / max(abs(val[best]), 1e-12)
        signs.best_at = best / max(len(val) - 1, 1)
        signs.still_val = _gained(val)
        if len(val) > 1 and signs.chance_loss:
            back = max(1, len(val) // 4)
            signs.falls = float((val[-1 - back] - val[-1]) / signs.chance_loss)
        signs.steady_val = _pace(val)
        signs.rough_val = roughness(val)
        if len(loss) == len(val):
            signs.since_best = 1 - loss[-1] / max(loss[best], 1e-12)
            signs.gap = val[-1] / max(loss[-1], 1e-12)


def _gained(values):
    """The share of the loss that the last quarter of the epochs (at least one) took off."""
    if len(values) < 2:
        return None
    back = max(1, len(values) // 4)
    return float(1 - values[-1] / max(values[-1 - back], 1e-12))


def _pace(values):
    """How fast the last quarter of the epochs fell against the whole run; None if it rose."""
    if len(values) < 3 or values[0] <= values[-1]:
        return None
    back = max(1, len(values) // 4)
    return float((values[-1 - back] - values[-1]) / back * (len(values) - 1)
                 / (values[0] - values[-1]))  # fmt: skip


def roughness(values):
    """The share of the up and down that goes up, without the first fifth; a smooth fall has 0."""
    values = values[len(values) // 5 :]
    if len(values) < 4:
        return None
    if np.ptp(values) < 0.1 * np.abs(values).mean():  # it stays where it is
        return 0.0
    change = np.diff(values)
    return float(change[change > 0].sum() / max(np.abs(change).sum(), 1e-12))


def _steps(signs, record):
    steps = record.steps
    if not steps:
        return
    signs.steps, signs.batch = steps["count"], steps["batch"]
    signs.first_loss = steps["first loss"]
    losses = np.array([x if x is not None else np.nan for x in steps["loss"]], float)
    if len(losses) and not np.isfinite(losses).all():
        signs.finite = False
    if len(losses) > 8 and signs.first_loss and np.isfinite(losses).all():
        signs.spike = float(losses[5:].max() / max(abs(signs.first_loss), 1e-9))
        tail = losses[-max(8, len(losses) // 3) :]
        signs.noise = float(tail.std() / max(abs(tail.mean()), 1e-9))
    if steps.get("wait") is not None:
        usual = max(steps["step"], 1e-9)
        signs.wait_seconds = steps["wait"]
        signs.wait = signs.wait_seconds / (signs.wait_seconds + usual)
    looks = [look for look in record.looks if "update" in look]
    usual = [look["update"] for look in looks if look["step"] > 3] or [
        look["update"] for look in looks
    ]
    if usual:
        signs.update = float(np.median(usual))
        worst = [look["largest update"] for look in looks if look["largest update"] is not None]
        signs.largest_update = float(max(worst, default=0))
    kernels = [each for each in record.moved if each["trainable"] and each["kernel"]]
    if kernels:
        signs.moved = float(np.median([each["by"] for each in kernels]))


def _end(signs, record):
    train, held = record.end.get("training", {}), record.end.get("validation", {})
    signs.kind, signs.classes = train.get("kind"), train.get("classes")
    signs.skill, signs.val_skill = skill(train), skill(held)
    signs.end_loss = train.get("loss")
    signs.answered = train.get("most answered")
    counts = np.array(record.labels.get("training", {}).get("counts", []), float)
    if not len(counts) and "labels" in train:  # a label for every position of a text
        counts = np.bincount(train["labels"]).astype(float)
    weights = np.array(record.labels.get("training", {}).get("weights", []), float)
    if len(counts) and counts.sum() and signs.kind in ("classes", "binary"):
        p = counts / counts.sum()
        classes = max(signs.classes or 0, len(p))
        signs.chance_loss = float(-(p[p > 0] * np.log(p[p > 0])).sum())
        if len(weights) == len(counts) and weights.sum() > 0:  # what the loss sees
            p = weights / weights.sum()
        signs.trivial, signs.uneven = float(p.max()), float(p.max() * classes)
    if leak := record.leak:
        share = leak["training"] / max(leak["of training"], 1)
        signs.leak = leak["in both"] / max(leak["validation"], 1) / max(share, 1e-9)
        signs.twice = leak["twice in training"] / max(leak["training"], 1)
    last = next((look for look in reversed(record.looks) if "without gradient" in look), None)
    head = train.get("last layer")
    if last is not None:
        inner = {k: v for k, v in last["without gradient"].items() if k.split("/")[-1] != head}
        signs.dead = max(inner.values(), default=0.0)
    if "silent" in train:
        signs.silent = max((v for k, v in train["silent"].items() if k != head), default=0.0)


def skill(found):
    """Of what the finished network does with examples: 0 for the trivial answer, 1 for perfect."""
    kind = found.get("kind")
    if kind in ("classes", "binary"):
        present = len(set(found["labels"]))
        if present < 2:
            return None
        return (found["balanced"] - 1 / present) / (1 - 1 / present)
    if kind == "regression":
        return found["explained"]
    if kind == "several labels":
        return (found["accuracy"] - found["trivial"]) / max(1 - found["trivial"], 1e-9)
    return None


def strangers(found):
    """Of the wrongly answered examples, the share whose label the network ranks as it would a
    label drawn at random: what it thinks likely after its own answer are other classes. Against
    the share for random labels, so about 1 when all the errors are the labels'. None when too few
    are wrong, or there are few classes, or it is sure of nothing.
    """
    if found.get("classes", 0) < 4:
        return None
    labels, answers = np.array(found["labels"]), np.array(found["answers"])
    sure, of_label = np.array(found["sure"], float), np.array(found["sure of label"], float)
    wrong = labels != answers
    if wrong.sum() < at.ENOUGH_WRONG or np.quantile(sure, 0.9) < at.SURE / 2:
        return None
    if "place of label" in found:
        second = np.mean(np.array(found["place of label"])[wrong] == 1)
        return float((1 - second) / (1 - 1 / (found["classes"] - 1)))
    rest = of_label[wrong] / np.maximum(1 - sure[wrong], 1e-3)
    return float(np.mean(rest < 1.5 / (found["classes"] - 1)) + 0.25)


def neighbours(record, space, where):
    """(agreement of neighbours above chance as a skill, in standard deviations), or None."""
    found = record.end.get(f"neighbours by {space}", {}).get(where)
    if not found:
        return None
    above = found["agree"] - found["chance"]
    return above / max(1 - found["chance"], 1e-9), above / found["spread"]


# ---------------------------------------------------------------- for the rules


def above(value, bound) -> bool:
    return value is not None and value > bound


def below(value, bound) -> bool:
    return value is not None and value < bound


def learned_badly(signs) -> bool:
    return not signs.finite or below(signs.skill, at.POOR)


def sentence(signals) -> str:
    text = "; ".join(signals)
    return f"{text[:1].upper()}{text[1:]}."
