"""What may be wrong with single pictures, and with single labels.

Each function gives {row: score}, the score from 0 to 1, for the rows that it finds. Dark, bright
and empty are read from the brightness that cleanvision computes. Its rule for blurred is not used:
of pictures of 96 and 160 pixels that were blurred on purpose it finds 0 to 4 %, since it looks at
the strength of edges after shrinking to 64 pixels, and a faint drawing has weak edges, too.
"""

import numpy as np

from translearn.errors import CourseError

DARK = 0.32  # brightness, 0 to 1, that 99 % of a dark picture's pixels stay below (cleanvision's)
BRIGHT = 0.8  # and that 99 % of a bright one's stay above
EMPTY = 0.025  # the range of brightness of 98 % of the pixels
BLURRED = 0.5  # of what blurring would take away is gone; see `_blur`
SPREADS = 4  # and it must be so many standard deviations above what is usual in these pictures
ENLARGED = (
    1.5  # a picture that was enlarged so many times shows nothing that it did not show small
)
SIDE, REACH = 96, 9  # pixels: the size at which blur is judged, and the window of the blur
DOUBTED = 10  # a label is doubted when another class is so many times as probable
USUAL = 30  # fewer pictures do not say what is usual


def light(images) -> dict:
    """{"dark", "bright" or "empty": {row: score}} for uint8 pictures (height, width, channels)."""
    from cleanvision.issue_managers.image_property import calc_percentile_brightness

    found = {"dark": {}, "bright": {}, "empty": {}}
    for row, image in enumerate(images):
        darkest, brightest = calc_percentile_brightness(_three(image), [1, 99])
        if brightest - darkest < EMPTY:
            found["empty"][row] = 1 - float(brightest - darkest)
        elif brightest < DARK:
            found["dark"][row] = 1 - float(brightest)
        elif darkest > BRIGHT:
            found["bright"][row] = float(darkest)
    return found


def _three(image):
    return image if image.shape[-1] == 3 else image.squeeze(-1)


def blur(images):
    """How blurred each picture is, (n,), from 0 to 1: the share of its differences between
    neighbouring pixels that stays when it is blurred once more, along rows or columns, whichever
    is larger (Crete and others 2007, https://doi.org/10.1117/12.702790). A sharp picture loses
    most of them.
    """
    from PIL import Image

    values = np.empty(len(images))
    for row, image in enumerate(images):
        grey = Image.fromarray(_three(image)).convert("L")
        grey.thumbnail((SIDE, SIDE), Image.BOX)
        pixels = np.asarray(grey, np.float32)
        values[row] = max(_stays(pixels), _stays(pixels.T))
    return values


def _stays(pixels) -> float:
    """The share of the differences down the columns that a blur along them leaves."""
    padded = np.pad(pixels, ((REACH // 2 + 1, REACH // 2), (0, 0)), mode="edge")
    sums = np.cumsum(padded, axis=0)
    blurred = (sums[REACH:] - sums[:-REACH]) / REACH
    before, after = np.abs(np.diff(pixels, axis=0)), np.abs(np.diff(blurred, axis=0))
    gone, all_of_it = np.maximum(before - after, 0).sum(), before.sum()
    return float(1 - gone / all_of_it) if all_of_it else 0.0


def blurred(images, without=()) -> dict:
    """Rows of pictures that are more blurred than is usual among these; `without`: rows that are
    not judged, such as empty ones.
    """
    rows = np.setdiff1d(np.arange(len(images)), np.array(list(without), int))
    values = blur([images[row] for row in rows])
    limit = max(BLURRED, _outlying(values)) if len(rows) >= USUAL else 0.75
    return {int(row): float(value) for row, value in zip(rows, values) if value > limit}


def _outlying(values) -> float:
    """Four standard deviations above the middle, both estimated so that outliers do not matter."""
    middle = np.median(values)
    return float(middle + SPREADS * 1.4826 * np.median(np.abs(values - middle)))


def shape(sizes, size: int) -> dict:
    """{"small" or "odd shape": {row: score}} of the files' own sizes (n, 2), width and height in
    pixels, before they were made `size` pixels a side. None: nothing is found.

    small: enlarged one and a half times or more, however it was fitted
    odd shape: more than twice as long for its shorter side as is usual
    """
    if sizes is None:
        return {}
    longer, shorter = sizes.max(axis=1), sizes.min(axis=1)
    small = np.flatnonzero(longer * ENLARGED <= size)
    usual = np.median(longer / shorter) * shorter / longer
    odd = np.flatnonzero(usual < 0.5)
    return {
        "small": {int(row): float(1 - longer[row] / size) for row in small},
        "odd shape": {int(row): float(1 - usual[row]) for row in odd},
    }


def labels(given, probabilities, classes: int) -> dict:
    """{row: (score, likely class)} of likely wrong labels: those that cleanlab finds by confident
    learning (less probable than is usual for pictures of that class; Northcutt and others 2021,
    https://doi.org/10.1613/jair.1.12125) and to which another class is preferred ten times.

    given: (n,) labels; probabilities: (n, classes), each row predicted by a model that did not see
    it, by cross-validation. A row that is not all numbers is not judged. The score is 1 − the
    probability of the given label.

    It is a list to look through, not to delete. With a twentieth of the labels falsified in two
    data sets of 240 or 600 pictures and a linear head, 53 to 84 % of the false labels are on it,
    and of the list 21 to 56 % are false; with no label falsified it names 4 to 10 % of the
    pictures. cleanlab alone names 7 to 29 %.
    """
    probabilities = _checked(probabilities, len(given), classes)
    rows = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    if len(np.unique(given[rows])) < 2:
        return {}  # where all have one label, none is out of place (and cleanlab refuses)
    from cleanlab.filter import find_label_issues

    each = probabilities[rows] / probabilities[rows].sum(axis=1, keepdims=True)
    own, best = each[np.arange(len(rows)), given[rows]], each.max(axis=1)
    unusual = find_label_issues(given[rows], each, filter_by="low_self_confidence", n_jobs=1)
    return {
        int(rows[row]): (float(1 - own[row]), int(each[row].argmax()))
        for row in np.flatnonzero(unusual & (own * DOUBTED <= best))
    }


def _checked(probabilities, count: int, classes: int):
    what = "out_of_fold must hold a probability of each class for each training picture"
    try:
        array = np.asarray(probabilities, float)
    except (TypeError, ValueError):
        raise CourseError(f"{what}, and holds other things than numbers.") from None
    if array.shape != (count, classes):
        raise CourseError(
            f"{what}, so its shape is ({count}, {classes}), and not {array.shape}. Give rows in "
            "the order of splits.train, as cross_val_predict gives them."
        )
    good = np.isfinite(array).all(axis=1)
    if not good.any():
        raise CourseError(
            f"{what}, and no row is all numbers, so there is no label to judge: of a class with a "
            "single picture none can be held out. Look without it."
        )
    if (array[good] < 0).any() or (abs(array[good].sum(axis=1) - 1) > 0.02).any():
        raise CourseError(f"{what}, from 0 to 1 and summing to 1. Take softmax of logits first.")
    return array
