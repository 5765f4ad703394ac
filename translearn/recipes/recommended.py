"""`recommended`: the course's recipe for pictures, within a budget of computing."""

import platform
import time

import numpy as np

from translearn.errors import CourseError
from translearn.recipes import frozen, linear, members
from translearn.recipes.record import Record

SIZES = (160, 224)  # pixels a side: a quick look, then the size the network was trained at
SHRINKAGE, STRENGTH = 0.9, 0.003  # of LDA and of logistic regression; see docs
MOST = 8000  # training pictures that are looked at
NOT_YET = "No answer yet: even a first look needs a fraction of a second. Give more seconds."


class OutOfTime(Exception):
    """The next step would not fit."""


def recommended(
    splits,
    seconds=60,
    seed=0,
    on_answer=None,
    features=None,
    clock=None,
    sizes=None,
    train=True,
    progress=True,
):
    """A classifier for your pictures, as good as the time allows: a plain, compiled `keras.Model`.

    splits     `Splits` with pictures of any size, grey or colour, and two classes or more. Only
               `splits.train` is read: choices are made by cross-validation on it, and validation
               and test stay untouched. It fits `splits.validation` to be a second opinion.
    seconds    computing allowed, in CPU-seconds of all threads of this process
    seed       of folds and draws. The same seed gives the same model, as far as the same steps
               fit into the time.
    on_answer  called with each better answer: a function (images, features=None) → (n, classes)
    features   replaces `frozen.features`, for instance to share what a network says
    clock      replaces the clock: a function without arguments → CPU-seconds spent so far
    sizes      the sizes in pixels at which pictures may be looked at, instead of (160, 224)
    train      False leaves out whatever trains a part of the network
    progress   print the plan and show a bar

    The model takes raw pixels (n, h, w, c) as in `splits` and gives probabilities (n, classes).
    It is made of Keras's own layers only, so the saved file loads without this package.
    `model.record` says what was planned, tried, chosen and spent (`Record`).

    A class with one picture cannot be held out: the model knows it, cross-validation does not
    count it. Of very many pictures a balanced share is used. When you interrupt, you get the best
    so far; what the network said is remembered on disk, so calling again goes on from there.

    Raises `CourseError` for pictures that are neither grey nor colour, a class without a training
    picture, fewer than two classes, and a budget that is no positive number.
    """
    work = _Work(splits, seconds, seed, on_answer, features, clock, sizes, progress)
    record = work.record
    try:
        work.all()
    except OutOfTime:
        record.ended = "out of time"
    except KeyboardInterrupt:
        if not work.answer:
            raise
        record.ended = "interrupted"
    finally:
        work.bar.close()
    return work.model()


class _Work:
    def __init__(self, splits, seconds, seed, on_answer, features, clock, sizes, progress):
        from tqdm.auto import tqdm

        self.train, self.classes = splits.train, len(splits.class_names)
        _check(self.train, splits.class_names, seconds)
        began = time.process_time()
        self.clock = clock or (lambda: time.process_time() - began)
        self.see = features or frozen.features
        self.theirs = features is not None
        self.seconds, self.seed, self.on_answer = float(seconds), seed, on_answer
        self.sizes = tuple(sizes or SIZES)
        self.order = _balanced(self.train.labels, seed)[:MOST]
        self.answer, self.cost = [], None  # members; CPU-seconds a picture and squared pixel
        self.record = _record(self)
        if progress:
            print("\n".join(self.record.plan))
        self.bar = tqdm(
            total=self.seconds,
            desc="Recipe",
            unit="s",
            disable=not progress,
            bar_format="{desc}: {percentage:3.0f}% |{bar}| {n:.0f} of {total:.0f} CPU-seconds",
        )

    def all(self):
        """Every step, the quick ones first."""
        self.frozen("the pictures themselves", ((0, False),), share=1.0)
        self.measure_speed()
        first, last = self.sizes[0], self.sizes[-1]
        self.frozen(f"{first} px", ((first, False),), share=0.5)
        self.frozen(f"{last} px, mirrored", ((last, False), (last, True)), share=0.9)

    # ---- Time

    def left(self):
        return self.seconds - self.clock()

    def tick(self, pictures=0):
        """Between two batches: move the bar, and stop when the time is over."""
        self.bar.update(min(self.clock(), self.seconds) - self.bar.n)
        if self.left() <= 0:
            raise OutOfTime

    def measure_speed(self):
        """How long the network takes for a picture: a first batch makes the graph, a second is
        timed.
        """
        size, few = self.sizes[0], self.train.images[self.order[:8]]
        self.look(few[:1], size, False)
        began = self.clock()
        self.look(few, size, False)
        self.cost = max(self.clock() - began, 1e-6) / len(few) / size**2

    def look(self, images, size, mirror):
        self.tick()
        more = {} if self.theirs else {"tick": self.tick}
        return members.view(images, size, mirror, self.see, **more)

    def affordable(self, views, share):
        """How many pictures can be looked at in this share of the time that is left."""
        if self.cost is None:
            return len(self.order)
        each = self.cost * sum(size**2 for size, _ in views)
        return min(len(self.order), int(share * self.left() / max(each, 1e-9)))

    # ---- Steps

    def frozen(self, name, views, share):
        """A step: linear classifiers on what the frozen network says, checked by
        cross-validation.
        """
        count = self.affordable(views, share)
        if count < min(len(self.order), 2 * self.classes):
            raise OutOfTime
        rows = self.order[:count]
        images, labels = self.train.images[rows], self.train.labels[rows]
        seen = [self.look(images, *view) for view in views]
        span = linear.Span(np.concatenate(seen))
        fold = linear.folds(labels, self.seed)
        kinds = {
            "LDA": (linear.lda, SHRINKAGE),
            "logistic regression": (linear.logistic, STRENGTH),
        }
        weights, bias, held_out = [], [], []
        for kind, (fit, strength) in kinds.items():
            logits = self.held_out(span, labels, fold, fit, strength, len(views))
            sharp = linear.temperature(logits, labels)
            found = fit(
                span.inside, np.tile(labels, len(views)), self.classes, span.channels, strength
            )
            found = span.outside(*found)
            weights.append(found[0] * sharp)
            bias.append(found[1] * sharp)
            held_out.append(logits * sharp)
            self.note(f"{name}, {kind}", members.softmax(held_out[-1]), labels, fold)
        probabilities = members.softmax(np.mean(held_out, axis=0))
        everyone = np.full((len(self.train.labels), self.classes), np.nan)
        everyone[rows] = probabilities
        member = members.Member(
            name, views, np.mean(weights, axis=0), np.mean(bias, axis=0), everyone
        )
        score = self.note(f"{name}, both", probabilities, labels, fold)
        self.hand_in([member], f"{name}, both", score)

    def held_out(self, span, labels, fold, fit, strength, views):
        """(n, classes) logits by classifiers that did not see the picture, mean over its views."""
        inside = span.inside.reshape(views, len(labels), -1)
        logits = np.full((len(labels), self.classes), np.nan)
        for each in range(fold.max() + 1):
            self.tick()
            out = fold == each
            weights, bias = fit(
                inside[:, ~out].reshape(-1, inside.shape[-1]),
                np.tile(labels[~out], views),
                self.classes,
                span.channels,
                strength,
            )
            logits[out] = (inside[:, out] @ weights + bias).mean(axis=0)
        return logits

    def note(self, arm, probabilities, labels, fold):
        """Keep what an arm was worth; returns its score."""
        scores = [
            _balanced_accuracy(probabilities[fold == each], labels[fold == each])
            for each in range(fold.max() + 1)
        ]
        known = fold >= 0
        score = _balanced_accuracy(probabilities[known], labels[known]) if known.any() else np.nan
        self.record.tried.append(
            {
                "arm": arm,
                "score": float(score),
                "spread": float(np.std(scores)) if scores else 0.0,
                "pictures": len(labels),
                "seconds": round(self.clock(), 2),
            }
        )
        return score

    def hand_in(self, answer, chosen, score):
        """From now on this is the answer."""
        self.answer = answer
        self.record.chosen, self.record.score = chosen, float(score)
        self.record.out_of_fold = np.mean([each.out_of_fold for each in answer], axis=0)
        if self.on_answer is not None:
            self.on_answer(
                lambda images, features=None: members.probabilities(
                    answer, images, features or self.see
                )
            )

    def model(self):
        made = members.model(self.answer, tuple(self.train.images.shape[1:]))
        self.record.spent = round(self.clock(), 2)
        made.record = self.record
        return made


def _balanced_accuracy(probabilities, labels):
    right = probabilities.argmax(axis=1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _balanced(labels, seed):
    """All rows, so ordered that any first part has as much of each class as there is."""
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        rank[rows] = np.arange(len(rows))
    return order[np.argsort(rank[order], kind="stable")]


def _check(train, class_names, seconds):
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise CourseError(
            f"seconds={seconds!r} is no budget. Give a number above 0, such as seconds=60."
        )
    if len(class_names) < 2:
        raise CourseError("A classifier needs two classes or more, and these pictures have one.")
    counts = np.bincount(train.labels, minlength=len(class_names))
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


def _record(work) -> Record:
    import keras

    train = work.train
    counts = np.bincount(train.labels, minlength=work.classes)
    side, said = min(train.images.shape[1:3]), []
    if side < work.sizes[-1]:
        said.append(
            f"The pictures have {side} pixels a side and are enlarged to {work.sizes[-1]} inside "
            "the model; if the originals are larger, loading them with a larger size=… will help."
        )
    if counts.min() == 1:
        said.append(
            f"{np.count_nonzero(counts == 1)} of {work.classes} classes have a single picture: "
            "they are learnt, but cross-validation cannot count them."
        )
    if len(train.labels) > len(work.order):
        said.append(f"Of {len(train.labels):,} training pictures {len(work.order):,} are used.")
    plan = [
        f"Up to {work.seconds:g} CPU-seconds for {len(work.order):,} pictures of {work.classes} "
        f"classes ({counts.min()} to {counts.max()} a class), training pictures only:",
        "1. the pictures themselves as a coarse grid, as a baseline and first answer;",
        f"2. one look of a frozen {frozen.NETWORK} at {work.sizes[0]} pixels: LDA and logistic "
        "regression on nine blocks;",
        f"3. the same at {work.sizes[-1]} pixels, also mirrored.",
        *said,
    ]
    data = {
        "name": getattr(train, "name", ""),
        "pictures": len(train.labels),
        "classes": work.classes,
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
    return Record(plan, data, work.seconds, work.seed, versions)
