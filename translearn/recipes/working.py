"""The steps of the recipe, and its clock."""

import numpy as np

from translearn.recipes import frozen, linear, members, names

# Fixed during development, on ten labels of each class: averaging all of them was as good as the
# best on every set, and better than choosing among them by cross-validation.
FITS = (
    ("LDA 0.5", linear.lda, 0.5),
    ("LDA 0.9", linear.lda, 0.9),
    ("logistic regression", linear.logistic, 0.003),
)
START = 2.0  # CPU-seconds until a network is ready at a size
NAMES = 6.0  # CPU-seconds of the language model
FIRST, MOST = 1000, 8000  # training pictures in the first look, and in any
TOGETHER = 8 * frozen.CHUNK  # pictures copied at once: large ones fill the memory


class OutOfTime(Exception):
    """The next step would not fit."""


class Working:
    """A recipe at work on training pictures: `answer` is the best so far.

    pictures  the training split
    record    where what was tried is kept
    see       as `frozen.features`
    clock     a function: CPU-seconds spent
    bar       a tqdm bar of CPU-seconds
    """

    def __init__(self, pictures, classes, groups, sizes, record, see, clock, bar, on_answer):
        self.pictures, self.classes, self.groups, self.sizes = pictures, classes, groups, sizes
        self.record, self.see, self.clock = record, see, clock
        self.bar, self.on_answer = bar, on_answer
        self.order = balanced(pictures.labels, record.seed)[:MOST]
        self.top = frozen.top()
        self.likely, self.answer, self.step = None, None, None
        self.looked = {}  # view: features of the first pictures in `order`
        self.cost = 0.0  # CPU-seconds a picture and squared pixel
        self.linear = (0.0, 1)  # CPU-seconds of the last classifiers, and their pictures

    def all(self, class_names):
        """Every step, the quick ones first; without names when `class_names` is None."""
        self.fit("the pictures as a coarse grid", ((0, False),), FIRST)
        if self.left() < START:
            raise OutOfTime
        self.measure_speed()
        small, middle = self.sizes[0], self.sizes[:2]
        plain = ((small, False),)
        self.fit(f"{small} px", plain, FIRST)
        if class_names is not None and names.worth_reading(class_names) and self.left() > NAMES:
            self.likely = names.likeness(class_names, self.tick)
            self.finish()
        self.fit(f"{small} px, all pictures", plain)
        more = tuple((size, mirror) for size in middle[1:] for mirror in (False, True))
        self.fit(f"{' and '.join(map(str, middle))} px", plain + more)
        every = tuple((size, mirror) for size in self.sizes for mirror in (False, True))
        self.fit(f"{', '.join(map(str, self.sizes))} px, mirrored", every)

    # ---- Time

    def left(self):
        return self.record.seconds - self.clock()

    def tick(self, pictures=0):
        """Between two pieces of work: move the bar, and stop when the time is over and there is an
        answer.
        """
        self.bar.update(max(0.0, min(self.clock(), self.record.seconds) - self.bar.n))
        if self.left() <= 0 and self.answer is not None:
            raise OutOfTime

    def measure_speed(self):
        """How long the network takes for a picture: the first makes the graph, eight are timed."""
        size, few = self.sizes[0], self.pictures.images[self.order[:8]]
        look = frozen.unremembered if self.see is frozen.features else self.see
        look(few[:1], size)
        began = self.clock()
        look(few, size)
        self.cost = max(self.clock() - began, 1e-6) / len(few) / size**2
        self.record.inference = round(1000 * self.cost * size**2, 1)

    def affordable(self, views, most):
        """How many pictures can be looked at, and classifiers fitted on them, in what is left."""
        known = {size for size, _ in self.looked}
        starts = START * len({size for size, _ in views} - known - {0, self.sizes[0]})
        count = min(most, len(self.order))
        while count and self.needed(views, count) + starts > 0.9 * self.left():
            count = int(0.9 * count)
        return count

    def needed(self, views, count):
        looks = sum(
            max(0, count - len(self.looked.get(view, ()))) * self.cost * view[0] ** 2
            for view in views
        )
        spent, before = self.linear
        return looks + spent * (count / before) ** 2.5

    # ---- Steps

    def look(self, view, count):
        """(count, channels): what a view shows of the first pictures; goes on where it was."""
        before = self.looked.get(view)
        found = [] if before is None else [before]
        more = {"tick": self.tick} if self.see is frozen.features else {}
        for start in range(sum(map(len, found)), count, TOGETHER):
            rows = self.order[start : min(start + TOGETHER, count)]
            found.append(members.view(self.pictures.images[rows], *view, self.see, **more))
        self.looked[view] = np.concatenate(found)
        return self.looked[view][:count]

    def fit(self, name, views, most=MOST):
        """A step: linear classifiers on what the views show, checked by cross-validation and
        averaged. Skipped when nothing in it is new, or when it could not see as many pictures as
        the step before.
        """
        count, before = self.affordable(views, most), self.step
        if before is None:
            count = min(most, len(self.order))  # the grid costs next to nothing
        elif before["views"][0][0]:
            if views == before["views"] and count <= len(before["rows"]):
                return
            if count < len(before["rows"]):
                self.record.ended = "out of time"
                return
        elif count < min(len(self.order), 2 * self.classes):
            raise OutOfTime
        seen = np.mean([self.look(view, count) for view in views], axis=0)
        began = self.clock()
        rows = self.order[:count]
        labels = self.pictures.labels[rows]
        fold = linear.folds(labels, self.record.seed, self.groups[rows])
        step = {"name": name, "views": views, "rows": rows, "labels": labels, "fold": fold}
        weights, bias, held_out = [], [], []
        for part, cut, through in self.parts() if views[0][0] else [("", slice(None), None)]:
            some = seen[:, cut] if through is None else seen[:, cut] @ through
            span = linear.Span(some)
            for kind, fit, strength in FITS:
                logits = self.held_out(span, labels, fold, fit, strength)
                sharp = linear.temperature(logits, labels)
                found = fit(span.inside, labels, self.classes, span.channels, strength)
                back, shift = span.outside(*found)
                weights.append(np.zeros((seen.shape[1], self.classes), np.float32))
                weights[-1][cut] = sharp * (back if through is None else through @ back)
                bias.append(sharp * shift)
                held_out.append(sharp * logits)
                self.note(", ".join(filter(None, (name, part, kind))), held_out[-1], step)
        step["weights"], step["bias"] = np.mean(weights, axis=0), np.mean(bias, axis=0)
        step["logits"], step["head"] = np.mean(held_out, axis=0), seen[:, -len(self.top[0]) :]
        self.step = step
        if views[0][0]:
            self.linear = self.clock() - began, count
        self.finish()

    def parts(self):
        """(name, columns, matrix that they go through) of what the classifiers are fitted on."""
        ends = np.cumsum(frozen.CHANNELS)
        place = dict(zip(frozen.BLOCKS, zip([0, *ends[:-1]], ends)))
        return [
            ("blocks 9 to head", slice(None), None),
            ("blocks 12 to 16", slice(place["block12"][0], place["block16"][1]), None),
            ("ImageNet's classes", slice(*place["head"]), self.top[0]),
        ]

    def held_out(self, span, labels, fold, fit, strength):
        """(n, classes) logits by classifiers that did not see the picture."""
        logits = np.full((len(labels), self.classes), np.nan)
        for each in range(fold.max() + 1):
            self.tick()
            out = fold == each
            weights, bias = fit(
                span.inside[~out], labels[~out], self.classes, span.channels, strength
            )
            logits[out] = span.inside[out] @ weights + bias
        return logits

    def finish(self):
        """Hand in what the last step found, with the guess by the names once there is one."""
        step = self.step
        name, logits, likely, trust = step["name"], step["logits"], None, 0.0
        score = self.note(f"{name}, average", logits, step)
        weights, bias = step["weights"], step["bias"]
        if self.likely is not None:
            guess = names.guess(step["head"], self.top, self.likely)
            middle = guess.mean(axis=0)  # so that no class is likelier by its name alone
            trust, sharp = names.trusted(logits, guess - middle, step["labels"])
            if trust:
                name, likely = f"{name}, with the names", self.likely
                logits = sharp * logits + trust * (guess - middle)
                weights, bias = sharp * weights, sharp * bias - trust * middle
                score = self.note(name, logits, step)
        everyone = np.full((len(self.pictures.labels), self.classes), np.nan)
        everyone[step["rows"]] = members.softmax(logits)
        self.answer = answer = members.Member(
            step["views"], weights.astype("float32"), bias.astype("float32"), likely, trust
        )
        self.record.chosen, self.record.score = name, score
        self.record.out_of_fold = everyone
        if self.on_answer is not None:
            self.on_answer(
                lambda images, features=None: answer.probabilities(images, features or self.see)
            )

    def note(self, arm, logits, step):
        """Keep what an arm was worth; returns its score."""
        labels, fold = step["labels"], step["fold"]
        each = [
            accuracy(logits[fold == one], labels[fold == one]) for one in range(fold.max() + 1)
        ]
        known = fold >= 0
        score = accuracy(logits[known], labels[known]) if known.any() else float("nan")
        spread = float(np.std(each)) if each else float("nan")
        self.record.tried.append(
            {
                "arm": arm,
                "score": score,
                "spread": spread,
                "pictures": len(labels),
                "seconds": round(self.clock(), 2),
            }
        )
        return score


def accuracy(logits, labels) -> float:
    """Balanced accuracy over the classes that there are."""
    right = logits.argmax(axis=1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def balanced(labels, seed):
    """All rows, so ordered that any first part has as much of each class as there is."""
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        rank[rows] = np.arange(len(rows))
    return order[np.argsort(rank[order], kind="stable")]
