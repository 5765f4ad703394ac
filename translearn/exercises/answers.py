"""What a check says, and how it looks at an answer.

A check is a plain function. It returns when the answer is right and raises one of the signals
below when it is not. The helpers turn whatever a learner hands in into plain NumPy arrays and
numbers before anything is compared: an object's own `__eq__` or `__repr__` is never asked for its
opinion.
"""

import functools
import inspect
from contextlib import contextmanager

import numpy as np


class Signal(Exception):
    """What a check can say instead of returning."""


class NotAttempted(Signal):
    """Nothing has been done yet. Raise it when an untouched object is the untouched answer."""


class Incorrect(Signal):
    """The answer is wrong, in no way we have a name for. The message says what was seen."""


class Misconception(Signal):
    """The answer is wrong in a way we know: `Misconception("name", "what it means and why")`."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


class LearnerError(Signal):
    """The learner's own code raised. The original exception is the `__cause__`."""

    def __init__(self, called=""):
        super().__init__(called)
        self.called = called


# --- looking without touching --------------------------------------------------------------------


def describe(value) -> str:
    """Say in a few words what `value` is. Never raises, whatever the object does."""
    kind = type(value)
    try:
        if value is None or value is ... or kind in (bool, int, str):
            text = repr(value)
            return text if len(text) <= 60 else text[:57] + "…"
        if kind is float or isinstance(value, np.number):
            return f"{value:.6g}"
        if isinstance(value, np.ndarray):
            return f"an array of shape {value.shape}"
        if kind in (list, tuple, dict, set):
            return f"a {kind.__name__} of {len(value)}"
        if inspect.isroutine(value) or inspect.isclass(value):
            return f"the {'class' if inspect.isclass(value) else 'function'} `{value.__name__}`"
        return f"{'an' if kind.__name__[:1].lower() in 'aeiou' else 'a'} {kind.__name__}"
    except Exception:  # an object that fights back still has to be called something
        return "an object that cannot be shown"


def has_blank(value, depth=4) -> bool:
    """Whether `...` stands in `value`, or in a list, tuple, set, dict or object array of it."""
    if value is ...:
        return True
    if depth and type(value) in (list, tuple, set):
        return any(has_blank(item, depth - 1) for item in value)
    if depth and type(value) is dict:
        return any(has_blank(item, depth - 1) for item in value.values())
    if depth and type(value) is np.ndarray and value.dtype == object:
        return any(has_blank(item, depth - 1) for item in value.flat)
    return False


def is_stub(value) -> bool:
    """Whether `value` is a function whose body is still `...` (a docstring may stand above it)."""
    if not inspect.isfunction(value):
        return False
    import dis

    for step in dis.get_instructions(value):
        if step.opname.startswith(("LOAD_CONST", "RETURN_CONST")):
            if step.argval is not None and step.argval is not ...:
                return False
        elif step.opname not in ("RESUME", "NOP", "RETURN_VALUE", "COPY_FREE_VARS", "MAKE_CELL"):
            return False
    return True


# --- running the learner's code ------------------------------------------------------------------


@contextmanager
def learners_code(called=""):
    """Run a stretch of a check in which an exception is the learner's (their layer, their model).

    `called` says what was being run, for the message.
    """
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, Signal):
        raise
    except (
        BaseException
    ) as problem:  # SystemExit too: a function that calls exit() must not end the lesson
        raise LearnerError(called) from problem


class Guarded:
    """A learner's function, called safely: its errors are theirs, arrays go in as copies, and a
    `...` that comes out means that it is not finished."""

    def __init__(self, function):
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *args, **kwargs):
        # Copies: a function that changes its input in place must not change what we compare with.
        args = [arg.copy() if type(arg) is np.ndarray else arg for arg in args]
        kwargs = {
            key: arg.copy() if type(arg) is np.ndarray else arg for key, arg in kwargs.items()
        }
        shown = [describe(arg) for arg in args] + [
            f"{key}={describe(arg)}" for key, arg in kwargs.items()
        ]
        with learners_code(f"{self.name}({', '.join(shown)})"):
            result = self.function(*args, **kwargs)
        if has_blank(result):
            raise NotAttempted(f"`{self.name}` still returns `...`.")
        return result


def expect_callable(value, what="your answer") -> Guarded:
    """A function that can be called safely. Raises `Incorrect` when `value` is something else.

    What it returns may be anything: pass that through `expect_array` or `expect_number`.
    """
    if not (inspect.isroutine(value) or callable(value)) or inspect.isclass(value):
        raise Incorrect(
            f"Expected {what} to be a function, got {describe(value)}. Hand in the function "
            "itself, by its name without brackets."
        )
    return Guarded(value)


# --- numbers -------------------------------------------------------------------------------------


def _plain(value, what, boolean):
    if value is None:
        raise Incorrect(
            f"Expected numbers for {what}, got None. Did a function forget to `return`?"
        )
    if isinstance(value, (str, bytes)) or inspect.isroutine(value) or inspect.isclass(value):
        raise Incorrect(f"Expected numbers for {what}, got {describe(value)}.")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        raise Incorrect(
            f"Expected numbers for {what}, got {describe(value)} that does not form an "
            "array: "
            "are its rows of different lengths?"
        ) from None
    if type(array) is not np.ndarray or array.dtype.kind not in ("iufb" if boolean else "iuf"):
        found = "True or False" if array.dtype.kind == "b" else describe(value)
        raise Incorrect(f"Expected numbers for {what}, got {found}.")
    return array


def expect_array(value, shape=None, what="your answer", finite=True, boolean=False) -> np.ndarray:
    """`value` as a plain NumPy array of numbers, or `Incorrect` with what was seen.

    Lists, NumPy arrays, tensors and pandas columns are all welcome. `shape` is a tuple in which
    None stands for any length; `finite=False` lets NaN and infinity through, `boolean=True` masks.
    """
    array = _plain(value, what, boolean)
    if shape is not None and (
        len(shape) != array.ndim
        or any(n is not None and n != m for n, m in zip(shape, array.shape))
    ):
        if len(shape) == array.ndim == 1:
            raise Incorrect(f"Expected {shape[0]} numbers for {what}, got {array.shape[0]}.")
        if shape == ():
            raise Incorrect(f"Expected one number for {what}, got shape {array.shape}.")
        wanted = str(tuple("any" if n is None else n for n in shape)).replace("'", "")
        turned = (
            " Are its axes swapped?"
            if array.ndim > 1 and array.shape == tuple(shape)[::-1]
            else ""
        )
        found = array.shape or "one number"
        raise Incorrect(f"Expected shape {wanted} for {what}, got {found}.{turned}")
    if finite and not np.isfinite(array).all():
        bad = ~np.isfinite(array)
        where = "" if array.ndim == 0 else f" (first at position {_position(bad)})"
        kind = "NaN" if np.isnan(array).any() else "infinity"
        raise Incorrect(
            f"Expected finite numbers for {what}, got {int(bad.sum())} that are not{where}: "
            f"{kind}. "
            "Look for a logarithm of 0, a division by 0 or an overflow."
        )
    return array


def expect_number(value, what="your answer", low=None, high=None, integer=False):
    """`value` as one Python float (an int for `integer=True`), or `Incorrect` with what was seen.

    Arrays and tensors that hold exactly one number are welcome. `low` and `high` are inclusive.
    """
    array = expect_array(value, what=what)
    if array.size != 1:
        raise Incorrect(f"Expected one number for {what}, got {array.size}.")
    number = array.reshape(()).item()
    if integer and number != int(number):
        raise Incorrect(f"Expected a whole number for {what}, got {number:.6g}.")
    if (low is not None and number < low) or (high is not None and number > high):
        span = (
            f"from {low:g} to {high:g}"
            if None not in (low, high)
            else f"of at least {low:g}"
            if high is None
            else f"of at most {high:g}"
        )
        raise Incorrect(f"Expected a number {span} for {what}, got {number:.6g}.")
    return int(number) if integer else float(number)


def close(got, target, tol=1e-6) -> bool:
    """Whether two arrays of numbers have one shape and agree within `tol * max(1, |target|)`.

    NaN agrees with nothing; infinity only with itself. Never raises on numbers.
    """
    got, target = np.asarray(got, dtype=float), np.asarray(target, dtype=float)
    if got.shape != target.shape:
        return False
    return not _apart(got, target, tol).any()


def expect_close(got, target, tol=1e-6, what="your answer") -> np.ndarray:
    """`got` as an array of the shape of `target` and close to it, or `Incorrect` with both."""
    target = np.asarray(target, dtype=float)
    got = expect_array(got, shape=target.shape, what=what)
    apart = _apart(got, target, tol)
    if apart.any():
        at = _position(apart)
        where = "" if target.ndim == 0 else f" at position {at}"
        index = at if isinstance(at, tuple) else (at,)[: target.ndim]
        raise Incorrect(
            f"Expected about {target[index]:.6g} for {what}{where}, got {got[index]:.6g}."
        )
    return got


def expect_same(got, target, tol=1e-6, what="your answer"):
    """`got` is what `target` is, or `Incorrect` with both values at the first entry that differs.

    `target` is ours: numbers, arrays, text, truth values, None, or a list, tuple, set or
    dictionary of them. Numbers agree within `tol * max(1, |target|)`, whole numbers exactly, NaN
    with NaN.
    """
    if got is None and target is not None:
        raise Incorrect(f"Got None for {what}. Did a function forget to `return`?")
    if target is None or isinstance(target, str):
        if not (isinstance(got, str) if target is not None else got is None) or (
            target is not None and str(got) != str(target)
        ):
            raise Incorrect(f"Expected {describe(target)} for {what}, got {describe(got)}.")
    elif isinstance(target, dict):
        _same_keys(got, target, dict, what)
        for key, value in target.items():
            expect_same(got[key], value, tol, f"{what} at {describe(key)}")
    elif isinstance(target, (set, frozenset)):
        _same_keys(got, target, (set, frozenset), what)
    else:
        try:
            numbers = np.asarray(target)
        except ValueError:  # arrays of several shapes
            numbers = np.empty(0, object)
        if numbers.dtype.kind in "iufb":
            _same_numbers(got, numbers, tol, what)
        else:
            _same_items(got, list(target), tol, what)


def _same_keys(got, target, kinds, what):
    if not isinstance(got, kinds):
        raise Incorrect(f"Expected {describe(target)} for {what}, got {describe(got)}.")
    for key in target:
        if key not in got:
            raise Incorrect(f"Expected {describe(key)} in {what}; it is missing.")
    for key in got:
        if key not in target:
            raise Incorrect(f"Did not expect {describe(key)} in {what}.")


def _same_items(got, target, tol, what):
    if type(got) not in (list, tuple, np.ndarray) and not type(got).__module__.startswith(
        "pandas"
    ):
        raise Incorrect(f"Expected {describe(target)} for {what}, got {describe(got)}.")
    got = list(got)
    if len(got) != len(target):
        raise Incorrect(f"Expected {len(target)} items for {what}, got {len(got)}.")
    for at, (one, other) in enumerate(zip(got, target)):
        expect_same(one, other, tol, f"{what}, item {at}")


def _same_numbers(got, target, tol, what):
    truth, whole = target.dtype.kind == "b", target.dtype.kind in "iu"
    got = expect_array(got, what=what, finite=np.isfinite(target).all(), boolean=truth)
    if not (target.ndim == 0 and got.size == 1):
        got = expect_array(got, shape=target.shape, what=what, finite=False, boolean=truth)
    number, got = target.astype(float), got.astype(float).reshape(target.shape)
    apart = _apart(got, number, min(tol, 1e-12) if whole else tol)
    apart &= ~(np.isnan(got) & np.isnan(number))
    if apart.any():
        at = tuple(int(i) for i in np.argwhere(apart)[0])
        where = f" at position {_position(apart)}" if at else ""
        shown = [bool(n[at]) if truth else n[at] for n in (number, got)]
        expected, found = [str(n) if truth else _figure(n) for n in shown]
        raise Incorrect(f"Expected {expected} for {what}{where}, got {found}.")


def _figure(number) -> str:
    return f"{number:,.0f}" if number == round(number, 0) < 1e15 else f"{number:.6g}"


def expect_better(value, reference, what="your result", higher=True, form="{:.3g}"):
    """One number better than `reference` ("beat this number"), or `Incorrect` with both.

    `form` formats both numbers, for example `"{:.1%}"`. Returns the number.
    """
    number = expect_number(value, what)
    if not (number > reference if higher else number < reference):
        raise Incorrect(
            f"You reached {form.format(number)}; the number to beat is {form.format(reference)}."
        )
    return number


def better_guesses(guesses, splits, trained_on, reference, too_good, things="pictures"):
    """Guesses for the validation pictures with a better balanced accuracy than `reference`;
    returns the praise.

    `guesses` is (n,), class numbers; `trained_on` the number of training pictures, to recognise
    guesses for the wrong ones; above `too_good` the labels of the validation pictures must have
    been used. `things` is what they are called.
    """
    from sklearn.metrics import balanced_accuracy_score

    got = expect_array(guesses, what="the guesses")
    if got.ndim == 2:
        raise Misconception(
            "scores, not classes",
            f"That has a row of scores for each of the {things}. Take the best class of each: "
            "`.argmax(axis=1)`.",
        )
    if got.shape == (trained_on,):
        raise Misconception(
            "on the training set",
            f"Those are guesses for the training {things}. A score only counts on {things} "
            "that were not trained on.",
        )
    got = expect_array(
        got,
        shape=(len(splits.validation),),
        what=f"the guesses, one for each of the validation {things}",
    )
    if not np.isin(got, np.arange(len(splits.class_names))).all():
        raise Incorrect(f"A guess is a class number from 0 to {len(splits.class_names) - 1}.")
    score = balanced_accuracy_score(splits.validation.labels, got)
    if score > too_good:
        raise Misconception(
            "the answers themselves",
            f"{score:.0%} is more than these {things} can teach. Were the labels of the "
            f"validation {things} used in training, or handed in?",
        )
    expect_better(score, reference, "the balanced accuracy", form="{:.2%}")
    return f"{score:.2%} against {reference:.2%}."


def to_beat(experiment, arm, metric, seed=None):
    """The `reference` of an exercise: a function that fetches a metric from the ledger, once, and
    not before it is asked.

    The mean over the seeds, or the value of one seed where the exercise has that seed's own
    pictures.
    """

    @functools.cache
    def fetch():
        from translearn import measure

        values = measure.recorded(experiment).values(arm, metric)
        return float(np.mean(values) if seed is None else values[seed])

    return fetch


def _apart(got, target, tol):
    with np.errstate(all="ignore"):
        near = np.abs(got - target) <= tol * np.maximum(1, np.abs(target))
        return ~np.where(np.isinf(target), got == target, near)


def _position(mask):
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return index[0] if len(index) == 1 else index
