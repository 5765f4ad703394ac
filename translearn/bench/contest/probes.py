"""Recipes that leave the network as it is, and the choices that they make on the few labels."""

from dataclasses import replace

import numpy as np

from translearn import data
from translearn.recipes import recommended

BLOCKS = ("block13", "block14", "block16", "head")
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1)
FOLDS = 5  # of a cross-validation; fewer where a class has fewer pictures


def folds(labels, seed: int):
    """A stratified cross-validation of the few labels: [(rows to learn from, rows held out)]."""
    from sklearn.model_selection import StratifiedKFold

    fewest = int(np.bincount(labels).min())
    parts = StratifiedKFold(max(2, min(FOLDS, fewest)), shuffle=True, random_state=seed)
    return list(parts.split(labels, labels))


class Linear:
    """Logistic regression on standardised features, fitted in the span of the pictures, where it
    is the same and quicker (Hastie, Tibshirani and Friedman 2009, section 18.3.5).
    """

    def __init__(self, features, labels):
        self.mean, self.scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        left, sizes, self.span = np.linalg.svd(self._standard(features), full_matrices=False)
        self.inside, self.labels = left * sizes, labels

    def fit(self, strength: float) -> "Linear":
        from sklearn.linear_model import LogisticRegression

        self.model = LogisticRegression(C=strength, max_iter=300)
        self.model.fit(self.inside, self.labels)
        return self

    def _standard(self, features):
        return (features - self.mean) / self.scale

    def scores(self, features):
        return self.model.predict_proba(self._standard(features) @ self.span.T)


def out_of_fold(features, labels, seed, strengths=None) -> dict:
    """Strength → balanced accuracy by cross-validation."""
    from sklearn.metrics import balanced_accuracy_score

    strengths = strengths or STRENGTHS
    said = {strength: np.zeros(len(labels), int) for strength in strengths}
    for learn, held_out in folds(labels, seed):
        model = Linear(features[learn], labels[learn])
        for strength in strengths:
            scores = model.fit(strength).scores(features[held_out])
            said[strength][held_out] = scores.argmax(axis=1)
    return {strength: balanced_accuracy_score(labels, each) for strength, each in said.items()}


def validated(features, labels, checked, answers) -> dict:
    """Strength → balanced accuracy on pictures of their own."""
    from sklearn.metrics import balanced_accuracy_score

    model = Linear(features, labels)
    return {
        strength: balanced_accuracy_score(
            answers, model.fit(strength).scores(checked).argmax(axis=1)
        )
        for strength in STRENGTHS
    }


def probe(run):
    """The expert's probe: the best block of the frozen network, size of picture and strength of
    the regularisation, by cross-validation. It answers at every size that does better.
    """
    run.notes["size"] = best_size(run, hand_in_linear)


def best_size(run, tell) -> int:
    """The size of picture at which a probe does best by cross-validation. `tell` hears of every
    probe that is better than those before: (run, size, block, strength).
    """
    best, chosen = -1.0, None
    for size in run.sizes:
        few = run.few(run.sizes[-1])
        found = run.features(few.images, size, blocks=BLOCKS)
        for block in BLOCKS:
            run.check()
            for strength, score in out_of_fold(found[block], few.labels, run.seed).items():
                if score > best:
                    best, chosen = score, (size, block, strength)
        if chosen[0] == size:
            tell(run, *chosen)
    return chosen[0]


def hand_in_linear(run, size, block, strength):
    def seen(images):
        return run.features(images, size, blocks=[block])[block]

    few = run.few(run.sizes[-1])
    model = Linear(seen(few.images), few.labels).fit(strength)
    run.hand_in(lambda test: model.scores(seen(test(run.sizes[-1]))), size)


def probe_with_validation(run):
    """The probe at the smallest size, but block and strength are chosen on a validation set that
    the others do not have: what would it have been worth?
    """
    size = run.sizes[0]
    few, checks = run.few(run.sizes[-1]), run.problem.validation(run.sizes[-1])
    found, checked = (run.features(part.images, size, blocks=BLOCKS) for part in (few, checks))
    scores = {}
    for block in BLOCKS:
        run.check()
        reached = validated(found[block], few.labels, checked[block], checks.labels)
        scores |= {(size, block, strength): score for strength, score in reached.items()}
    hand_in_linear(run, *max(scores, key=scores.get))


def ours(run, sizes=None, names=True):
    """The course's own recipe, `translearn.recipes.recommended`, which hears of nothing but the
    few labelled pictures and the names of the classes. It may look at the same sizes as the
    others, and so leaves out the 288 pixels with which it would end by default.
    """
    few = run.few(run.sizes[-1])
    nothing = replace(few, images=few.images[:0], labels=few.labels[:0], info=few.info[:0])
    few = data.Splits("few", few, nothing, nothing, few.class_names, data.Card(""))
    size = run.sizes[0] if sizes else None

    def hear(answer):
        run.hand_in(lambda test: answer(test(run.sizes[-1]), features=run.features), size)

    recommended(
        few,
        seconds=run.limit,
        seed=run.seed,
        on_answer=hear,
        features=run.features,
        clock=run.spent,
        sizes=sizes or run.sizes[1:] or run.sizes,
        names=names,
        progress=False,
    )


def ours_without_names(run):
    """The same, which does not read what the classes are called."""
    ours(run, names=False)


def ours_at_one_size(run):
    """The same, held to the smallest size."""
    ours(run, run.sizes[:1])


def pixels(run):
    """No network at all: a linear classifier on the pictures at 16 x 16 pixels."""
    size = run.sizes[0]

    def shrunk(images):
        side = images.shape[1] // 16
        cut = images[:, : 16 * side, : 16 * side].astype("float32")
        return cut.reshape(len(cut), 16, side, 16, side, 3).mean(axis=(2, 4)).reshape(len(cut), -1)

    few = run.few(size)
    found = shrunk(few.images)
    scores = out_of_fold(found, few.labels, run.seed, (1e-4, *STRENGTHS))
    model = Linear(found, few.labels).fit(max(scores, key=scores.get))
    run.hand_in(lambda test: model.scores(shrunk(test(size))), size)
