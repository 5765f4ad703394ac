"""`recommended`: the course's recipe for pictures, within a budget of computing."""

import platform
import time

import numpy as np

from translearn.errors import CourseError
from translearn.recipes import frozen, linear, members, names
from translearn.recipes.record import Record

SIZES = (160, 224)  # pixels a side: a quick look, then the size the network was trained at
# Fixed on the course's own sets and on drawings and photographs of Tux Paint, ten labels a class.
FITS = (
    ("LDA 0.5", linear.lda, 0.5),
    ("LDA 0.9", linear.lda, 0.9),
    ("logistic regression", linear.logistic, 0.003),
)
NAMES = 8.0  # CPU-seconds that must be left for the language model
MOST = 8000  # training pictures that are looked at
NOT_YET = "No answer yet: even a first look needs a fraction of a second. Give more seconds."


class Plain:
    """Features as they are."""

    def __call__(self, features):
        return features

    def back(self, weights):
        return weights

    def shift(self, weights, bias):
        return bias


class Projected:
    """Features through a layer that was pretrained: its logits instead."""

    def __init__(self, weights, bias):
        self.weights, self.bias = weights, bias

    def __call__(self, features):
        return features @ self.weights + self.bias

    def back(self, weights):
        return self.weights @ weights

    def shift(self, weights, bias):
        return bias + self.bias @ weights


WHOLE = ("grid", slice(None), Plain())


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
    names=True,
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
    names      False pays no regard to what the classes are called
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
    work = _Work(splits, seconds, seed, on_answer, features, clock, sizes, names, progress)
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
    def __init__(self, splits, seconds, seed, on_answer, features, clock, sizes, named, progress):
        from tqdm.auto import tqdm

        self.train, self.classes = splits.train, len(splits.class_names)
        _check(self.train, splits.class_names, seconds)
        began = time.process_time()
        self.clock = clock or (lambda: time.process_time() - began)
        self.see = features or frozen.features
        self.theirs = features is not None
        self.seconds, self.seed, self.on_answer = float(seconds), seed, on_answer
        self.sizes = tuple(sizes or SIZES)
        self.class_names, self.named, self.likely = splits.class_names, named, None
        self.top = frozen.top()
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
        if self.named:
            self.read_names()
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
        """A step: linear classifiers on what the frozen network says, checked by cross-validation
        and averaged, which is safer than choosing among them with few labels.
        """
        count = self.affordable(views, share)
        if count < min(len(self.order), 2 * self.classes):
            raise OutOfTime
        rows = self.order[:count]
        images, labels = self.train.images[rows], self.train.labels[rows]
        seen = [self.look(images, *view) for view in views]
        fold = linear.folds(labels, self.seed)
        step = {"name": name, "views": views, "rows": rows, "labels": labels, "fold": fold}
        weights, bias, held_out = [], [], []
        for part, cut, project in self.parts(seen[0].shape[1]) if views[0][0] else [WHOLE]:
            some = [project(each[:, cut]) for each in seen]
            span = linear.Span(np.concatenate(some))
            for kind, fit, strength in FITS:
                logits = self.held_out(span, labels, fold, fit, strength, len(views))
                sharp = linear.temperature(logits, labels)
                tiled = np.tile(labels, len(views))
                found = fit(span.inside, tiled, self.classes, span.channels, strength)
                found = span.outside(*found)
                weights.append(np.zeros((seen[0].shape[1], self.classes), np.float32))
                weights[-1][cut] = project.back(found[0]) * sharp
                bias.append(project.shift(found[0], found[1]) * sharp)
                held_out.append(logits * sharp)
                self.note(f"{name}: {part}, {kind}", held_out[-1], step)
        step |= {
            "weights": np.mean(weights, axis=0),
            "bias": np.mean(bias, axis=0),
            "logits": np.mean(held_out, axis=0),
        }
        if views[0][0]:
            step["heads"] = [each[:, -len(self.top[0]) :] for each in seen]
        self.finish(step)

    def parts(self, channels):
        """(name, columns, projection) of what the classifiers are fitted on."""
        ends = np.cumsum(frozen.CHANNELS)
        place = dict(zip(frozen.BLOCKS, zip([0, *ends[:-1]], ends)))
        late = slice(place["block12"][0], place["block16"][1])
        return [
            ("blocks 9 to head", slice(None), Plain()),
            ("blocks 12 to 16", late, Plain()),
            ("ImageNet's classes", slice(*place["head"]), Projected(*self.top)),
        ]

    def finish(self, step):
        """Hand in what a step found, with the guess by the names once there is one."""
        self.step = step
        logits, likely, trust, sharp = step["logits"], None, 0.0, 1.0
        score = self.note(f"{step['name']}: average", logits, step)
        weights, bias = step["weights"], step["bias"]
        name = step["name"]
        if self.likely is not None and step["views"][0][0]:
            guess = names.guess(step["heads"], self.top, self.likely)
            middle = guess.mean(axis=0)
            trust, sharp = names.trusted(logits, guess - middle, step["labels"])
            if trust:
                logits = sharp * logits + trust * (guess - middle)
                bias, likely = sharp * bias - trust * middle, self.likely
                weights, name = weights * sharp, f"{name}, with the names"
                score = self.note(f"{step['name']}: average, names {trust:g}", logits, step)
        everyone = np.full((len(self.train.labels), self.classes), np.nan)
        everyone[step["rows"]] = members.softmax(logits)
        member = members.Member(
            name,
            step["views"],
            weights.astype("float32"),
            bias.astype("float32"),
            everyone,
            likely,
            trust,
        )
        self.hand_in([member], name, score)

    def read_names(self):
        """A step: what the names of the classes say."""
        if self.left() < NAMES or not names.worth_reading(self.class_names):
            return
        self.likely = names.likeness(self.class_names, self.tick)
        self.finish(self.step)

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

    def note(self, arm, logits, step):
        """Keep what an arm was worth; returns its score."""
        labels, fold = step["labels"], step["fold"]
        each = [
            _balanced_accuracy(logits[fold == one], labels[fold == one])
            for one in range(fold.max() + 1)
        ]
        known = fold >= 0
        score = _balanced_accuracy(logits[known], labels[known]) if known.any() else float("nan")
        self.record.tried.append(
            {
                "arm": arm,
                "score": score,
                "spread": float(np.std(each)) if each else float("nan"),
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
