"""`recommended`: the course's recipe for pictures, within a budget of computing."""

import numbers
import platform
import time

import numpy as np

from translearn.data.splits import integer
from translearn.errors import CourseError
from translearn.plain import count
from translearn.recipes import frozen, members
from translearn.recipes import names as words
from translearn.recipes.record import Record
from translearn.recipes.working import MOST, OutOfTime, Working

SIZES = (160, 224, 288)  # pixels a side; the network was trained at 224


def recommended(
    splits,
    seconds=60,
    seed=0,
    on_answer=None,
    features=None,
    clock=None,
    sizes=None,
    names=True,
    groups=None,
    progress=True,
):
    """A classifier for your pictures, as good as the time allows: a plain, compiled `keras.Model`.

    splits     `Splits` with pictures of any size, grey or colour, and two classes or more. Only
               `splits.train` is read: choices are made by cross-validation on it, and validation
               and test stay untouched. It fits `splits.validation` to be a second opinion.
    seconds    computing allowed, in CPU-seconds of all threads of this process, from after the
               libraries are imported
    seed       of folds and draws. The same seed gives the same model, as far as the same steps
               fit into the time.
    on_answer  called with each better answer: a function (images, features=None) → (n, classes)
    features   replaces `frozen.features`, for instance to share what a network says
    clock      replaces the clock: a function without arguments → CPU-seconds spent so far
    sizes      the sizes in pixels at which pictures may be looked at, instead of 160, 224 and
               288
    names      False pays no regard to what the classes are called
    groups     (n,) what belongs together, such as pictures of one thing: never on both sides of a
               fold. Unless given, the column `group` or `concept` of `splits.train.info`, where
               a class has several
    progress   print the plan and show a bar

    The model takes raw pixels (n, h, w, c) as in `splits` and gives probabilities (n, classes).
    It is made of Keras's own layers only, so the saved file loads without this package.
    `model.record` says what was planned, tried, chosen and spent (`Record`).

    A class with one picture cannot be held out: the model knows it, cross-validation does not
    count it. Of very many pictures a balanced share is used. When you interrupt, you get the best
    so far; what the network said is remembered on disk, so calling again goes on from there.

    Raises `CourseError` for pictures that are neither grey nor colour or have values from 0 to 1,
    groups of which each is a class, a class without a training picture, fewer than two classes,
    and a budget that is no positive number.
    """
    import keras  # noqa: F401 (before the clock starts)
    import sklearn.linear_model  # noqa: F401
    from threadpoolctl import threadpool_limits
    from tqdm.auto import tqdm

    train = getattr(splits, "train", None)
    if not hasattr(train, "images"):
        raise CourseError(
            "The recipe wants splits of pictures, and got "
            f"{type(splits).__name__}. Give what data.from_directory or data.load returns."
        )
    shape = tuple(int(side) for side in train.images.shape[1:])
    seed = integer("seed", seed, at_least=0)
    _check(train, splits.class_names, seconds)
    groups, sizes = _groups(train, groups), _sizes(sizes)
    began = time.process_time()
    clock = clock or (lambda: time.process_time() - began)
    record = _record(splits, sizes, names, float(seconds), seed)
    if progress:
        print("\n".join(record.plan))
    form = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f} of {total:.0f} CPU-seconds"
    with tqdm(total=record.seconds, desc="Recipe", bar_format=form, disable=not progress) as bar:
        see = features or frozen.features
        work = Working(
            train,
            len(splits.class_names),
            groups,
            sizes,
            record,
            see,
            clock,
            bar,
            on_answer,
        )
        try:
            # Several threads would only wait for each other: these matrices are small.
            with threadpool_limits(1, "blas"):
                work.all(splits.class_names if names else None)
        except OutOfTime:
            record.ended = "out of time"
        except KeyboardInterrupt:
            if work.answer is None:
                raise
            record.ended = "interrupted"
    model = members.model(work.answer, shape)
    record.inference *= work.answer.pixels() / sizes[0] ** 2
    record.spent = round(clock(), 2)
    model.record = record
    return model


def _sizes(sizes):
    if not isinstance(sizes or (), (tuple, list)):
        raise CourseError(f"sizes={sizes!r} is no list. Give one, such as sizes=(160, 224).")
    return tuple(integer("a size", size, at_least=32) for size in sizes or SIZES)


def _groups(train, groups):
    """(n,) numbers of what belongs together; each picture alone when nothing is known."""
    given = groups is not None
    if groups is None:
        info = getattr(train, "info", ())
        groups = next((info[name] for name in ("group", "concept") if name in info), None)
    if groups is None:
        return np.arange(len(train.labels))
    if len(groups) != len(train.labels):
        raise CourseError(
            f"groups has {count(len(groups), 'entry', 'entries')}, and there are "
            f"{count(len(train.labels), 'training picture')}. Give one for "
            "each of them, in the order of splits.train."
        )
    groups = np.asarray(groups).astype(str)
    several = [len(set(groups[train.labels == label])) > 1 for label in np.unique(train.labels)]
    if not any(several) and len(groups) > len(several):
        if not given:  # the column says no more than the labels do
            return np.arange(len(train.labels))
        raise CourseError(
            "Every class is one group, so nothing can be held out and no choice can be checked. "
            "Give groups that are smaller than a class: what belongs together, such as the "
            "pictures of one thing."
        )
    return np.unique(groups, return_inverse=True)[1]


def _check(train, class_names, seconds):
    number = isinstance(seconds, numbers.Real) and not isinstance(seconds, bool)
    if not number or not 0 < seconds < float("inf"):
        raise CourseError(
            f"seconds={seconds!r} is no budget. Give a number above 0, such as seconds=60."
        )
    images = np.asarray(train.images)
    if images.dtype.kind == "f" and images.size and images.max() <= 1:
        raise CourseError(
            "These pictures have values from 0 to 1, and the model takes raw pixels from 0 to "
            "255. Multiply them by 255."
        )
    if len(class_names) < 2:
        raise CourseError("A classifier needs two classes or more, and these pictures have one.")
    counts = np.bincount(train.labels, minlength=len(class_names))
    if len(counts) > len(class_names):
        raise CourseError(
            f"A training picture has the label {len(counts) - 1}, and there are "
            f"{len(class_names)} class names. Labels are positions in class_names, from 0."
        )
    if not counts.all():
        raise CourseError(
            f"The class {class_names[counts.argmin()]!r} has no training picture, so nothing can "
            "be learnt about it. Add some, or leave the class out."
        )
    if train.images.ndim != 4 or train.images.shape[-1] not in (1, 3):
        raise CourseError(
            f"These pictures have shape {train.images.shape[1:]}, and grey (h, w, 1) or colour "
            "(h, w, 3) is needed."
        )


def _record(splits, sizes, names, seconds, seed) -> Record:
    import keras

    train, classes = splits.train, len(splits.class_names)
    counts = np.bincount(train.labels, minlength=classes)
    used = min(len(train.labels), MOST)
    side, said = min(train.images.shape[1:3]), []
    if side < max(sizes):
        said.append(
            f"The pictures have {side} pixels a side and are enlarged to {max(sizes)} inside the "
            "model. If the originals are larger, loading them with a larger size=… will help."
        )
    if counts.min() == 1:
        single = np.count_nonzero(counts == 1)
        has, they, them = ("has", "it is", "it") if single == 1 else ("have", "they are", "them")
        said.append(
            f"{single} of {classes} classes {has} a single picture: {they} learnt, but "
            f"cross-validation cannot count {them}."
        )
    if used < len(train.labels):
        said.append(f"Of {len(train.labels):,} training pictures at most {used:,} are used.")
    steps = [
        "a baseline without any network",
        f"a frozen {frozen.NETWORK} looks at the pictures at {sizes[0]} pixels; linear "
        "classifiers on several of its blocks are averaged",
        f"the same at {', '.join(map(str, sizes))} pixels, also mirrored",
    ]
    if names and words.worth_reading(splits.class_names):
        steps.insert(2, "a language model reads the names of the classes")
    plan = [
        f"Up to {seconds:g} {'CPU-second' if seconds == 1 else 'CPU-seconds'} for {used:,} "
        f"training pictures of {classes} classes "
        f"({counts.min()} to {counts.max()} of each); the other pictures are not looked at.",
        *(f"{number}. {step};" for number, step in enumerate(steps, start=1)),
        "each step is checked by cross-validation, and left out if it does not fit into the time.",
        *said,
    ]
    data = {
        "name": getattr(splits, "name", ""),
        "pictures": len(train.labels),
        "classes": classes,
        "shape": list(train.images.shape[1:]),
        "fewest": int(counts.min()),
        "most": int(counts.max()),
    }
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "numpy": np.__version__,
        "network": frozen.NETWORK,
    }
    return Record(plan, data, seconds, seed, versions)
