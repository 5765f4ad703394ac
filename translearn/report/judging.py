"""What a test says: scores with intervals, and whether the probabilities mean what they say.

Arrays in, numbers out. `labels` are (n,) whole numbers from 0, `probabilities` (n, classes), each
row from 0 up with the sum 1.
"""

import numpy as np

BINS = 10  # of equal width between 0 and 1, as in Guo et al., 2017
Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
DRAWS = 1000  # of a perfectly calibrated model
FEWEST = 20  # pictures that a temperature is fitted to, at least


def wilson(right: int, pictures: int) -> tuple[float, float]:
    """The 95 % interval of a share, right of pictures; (0, 1) when there are none.

    Wilson, "Probable inference", 1927. It keeps within 0 and 1, and is no point when all are
    right.
    """
    if not pictures:
        return 0.0, 1.0
    share, z2 = right / pictures, Z * Z / pictures
    middle = (share + z2 / 2) / (1 + z2)
    half = Z * np.sqrt(share * (1 - share) / pictures + z2 / (4 * pictures)) / (1 + z2)
    low, high = float(middle - half), float(middle + half)
    return (low if right else 0.0), (high if right < pictures else 1.0)


def balanced_interval(right, pictures) -> tuple[float, float]:
    """The 95 % interval of balanced accuracy: the mean over classes of the share that is right.

    right, pictures: (classes,). The classes' Wilson intervals are put together by their distances
    from the shares: Zou, Huang and Zhang, "A note on confidence interval estimation for a linear
    function of binomial proportions", 2009. A bootstrap would give a point where all are right.
    """
    right, pictures = np.asarray(right), np.asarray(pictures)
    there = pictures > 0
    if not there.any():
        return 0.0, 1.0
    share = right[there] / pictures[there]
    low, high = np.transpose([wilson(r, n) for r, n in zip(right[there], pictures[there])])
    below = np.sqrt(np.sum((share - low) ** 2)) / len(share)
    above = np.sqrt(np.sum((high - share) ** 2)) / len(share)
    return float(max(0, share.mean() - below)), float(min(1, share.mean() + above))


def confusion(labels, probabilities) -> np.ndarray:
    """How often each class (rows) was taken for each (columns), (classes, classes)."""
    counts = np.zeros((probabilities.shape[1],) * 2, int)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def reliability(labels, probabilities) -> list[dict]:
    """One row for each of ten bins of confidence (the highest probability) with a picture in it:
    from, to, pictures, mean confidence, share that is right.
    """
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = _bins(sure)
    return [
        {
            "from": each / BINS,
            "to": (each + 1) / BINS,
            "pictures": int(np.sum(bins == each)),
            "confidence": float(sure[bins == each].mean()),
            "right": float(right[bins == each].mean()),
        }
        for each in np.unique(bins)
    ]


def ece(sure, right) -> np.ndarray:
    """The expected calibration error: the distance between confidence and share that is right,
    averaged over bins by the pictures in them.

    sure: (n,) confidences; right: (n,), or (draws, n) for one number a draw. Naeini et al., 2015.
    """
    sums = (np.asarray(right) - sure) @ np.eye(BINS)[_bins(sure)]
    return np.abs(sums).sum(axis=-1) / len(sure)


def chance_ece(sure, seed: int = 0) -> tuple[float, float]:
    """What a perfectly calibrated model with these confidences would show by chance: the mean of
    its expected calibration error, and the value that it exceeds once in twenty times.

    On few pictures nobody shows 0. Bröcker and Smith's consistency resampling, 2007.
    """
    random = np.random.default_rng(seed)
    drawn = np.concatenate(
        [ece(sure, random.random((100, len(sure))) < sure) for _ in range(DRAWS // 100)]
    )
    return float(drawn.mean()), float(np.quantile(drawn, 0.95))


def warmed(probabilities, temperature: float) -> np.ndarray:
    """Probabilities after dividing their logarithms by a temperature; above 1 less sure."""
    logs = np.log(np.clip(probabilities, 1e-12, 1)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def log_loss(labels, probabilities) -> float:
    """The mean over pictures of -log of what the right class was given, in nats."""
    given = np.asarray(probabilities, float)[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(given, 1e-12, 1)).mean())


def temperature(labels, probabilities) -> float | None:
    """The temperature, from 1/20 to 20, with the lowest log loss on these pictures, which must not
    be those of the test; None for fewer than 20. Guo et al., "On calibration of modern neural
    networks", 2017.
    """
    from scipy.optimize import minimize_scalar

    if len(labels) < FEWEST:
        return None

    def loss(log_of_it):
        return log_loss(labels, warmed(probabilities, np.exp(log_of_it)))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def calibration(labels, probabilities, warmth: float | None) -> dict:
    """ece, what of it chance explains, mean confidence, log loss, Brier score, the reliability
    table; and what the temperature `warmth`, fitted elsewhere, makes of them.
    """
    found = {"temperature": warmth, "bins": BINS, **_measured(labels, probabilities)}
    found["by chance"], found["chance limit"] = chance_ece(probabilities.max(axis=1))
    found["table"] = reliability(labels, probabilities)
    if warmth is not None:
        found["with temperature"] = _measured(labels, warmed(probabilities, warmth))
    return found


def luck(models: int) -> float:
    """By how many standard errors the best of so many equally good models looks better than it is,
    if their errors are independent: the mean of the largest of so many normal numbers.
    """
    from scipy.special import ndtr

    at = np.linspace(-8, 8, 4001)
    density = models * np.exp(-at * at / 2) / np.sqrt(2 * np.pi) * ndtr(at) ** (models - 1)
    return float(np.trapezoid(at * density, at))


def _measured(labels, probabilities) -> dict:
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    wanted = np.eye(probabilities.shape[1])[labels]
    return {
        "ece": float(ece(sure, right)),
        "mean confidence": float(sure.mean()),
        "log loss": log_loss(labels, probabilities),
        "brier": float(np.sum((probabilities - wanted) ** 2, axis=1).mean()),
    }


def _bins(sure):
    return np.minimum((np.asarray(sure) * BINS).astype(int), BINS - 1)
