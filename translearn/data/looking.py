"""A look at the data before training: `data.look`."""

import textwrap
from dataclasses import dataclass
from html import escape

from translearn import page
from translearn.data.finding import Finding, Rows, cut_away, find
from translearn.data.splits import PARTS, Splits, known
from translearn.plain import count, some

# What each kind of finding means, and what to do about it. "leak" comes first: it is what makes a
# score a lie, while the others only make it worse.
KINDS = {
    "leak": "with a copy or near copy in a later split, where it is a question whose answer was "
    'seen before. Leave such pictures out: looked.without("leak")',
    "two labels": "with a copy or near copy of another label, so that one of the two may be "
    "wrong. Look which, and correct it",
    "wrong label": "with a label that is doubted by models which had not seen the picture. "
    "Most such labels may be right: look at each, correct what is wrong, keep what is "
    "only difficult",
    "copy": "with the same pixels as another of its split. Copies count twice; if you do not want "
    'that, leave them out: looked.without("copy")',
    "near copy": "nearly the same as another of its split: saved again, cut or mirrored. Such "
    "copies say less than as many different pictures, and belong together when you split",
    "empty": "of nearly one colour. If there is nothing to see, leave such pictures out: "
    'looked.without("empty")',
    "dark": "so dark that little can be seen. Keep such pictures if more will come later",
    "bright": "so bright that little can be seen. Keep such pictures if more will come later",
    "blurred": "far more blurred than the others. Keep such pictures if more will come later",
    "small": "enlarged one and a half times or more. Look for larger files, or load all at a "
    "smaller size",
    "odd shape": "more than twice as long for the shorter side as is usual. Look what the fit "
    "leaves of such pictures",
}
ALL = [*KINDS, "rare class"]
EACH, MOST = 4, 24  # findings of a kind on a sheet of all kinds; on a sheet of one
SAID = 12  # findings that an alternative text names


def look(splits: Splits, out_of_fold=None) -> "Look":
    """What whoever looked through all pictures would see, before anything is trained on them.

    out_of_fold: (n, classes) probabilities for `splits.train`, each row by a model that did not
        see it: `model.record.out_of_fold` of the recipe, or scikit-learn's cross_val_predict(…,
        method="predict_proba"). Rows of nan are not judged. Without it, wrong labels are found
        only where a copy has another label.

    Finds copies and near copies within and across splits (`translearn.data.copies` says of which
    kinds), pictures that are empty, dark, bright or blurred, that were small or of an odd shape
    (where `info` has the columns width and height, as `from_directory` gives them), likely wrong
    labels (cleanlab), and rare classes. A thousand pictures of 160 pixels take some three
    seconds. Changes nothing.

    Raises CourseError for what is no `Splits` of pictures, for pictures without a key or two of
    one key, and for an `out_of_fold` that is not what it should be.
    """
    rows = Rows(splits)
    found = find(rows, out_of_fold)
    found.sort(key=lambda each: (ALL.index(each.kind), -each.score, each.key, each.other))
    notes = []
    if out_of_fold is None:
        notes.append("Wrong labels were looked for among copies only: give out_of_fold=….")
    if rows.splits.fit == "cut" and (lost := cut_away(rows)) >= 0.1:
        notes.append(
            f"Half of the pictures lose {lost:.0%} or more when they are cut to their middle "
            'square. Try fit="pad" and fit="stretch", and measure which is best.'
        )
    return Look(rows, tuple(found), tuple(notes))


@dataclass(frozen=True, repr=False)
class Look:
    """What `look` found, and what to do about it."""

    rows: Rows
    found: tuple
    notes: tuple = ()

    @property
    def findings(self):
        """A pandas table, one row a finding, the clearest of each kind first.

        kind: see `sentences`; a picture may have several
        split, key: of the picture. A "leak" names the one to leave out, which is in train, or in
            validation when the other is in test. A "rare class" has no key
        other: the key of its copy; for a wrong label, or a rare class, a class
        score: from 0 to 1, how clear it is: for copies the correlation of their pixels; see
            `translearn.data.faults` for the others
        sentence: all of it in words
        """
        import pandas as pd

        table = pd.DataFrame(list(self.found), columns=list(Finding._fields))
        table["sentence"] = [self._sentence(each) for each in self.found]
        return table

    @property
    def sentences(self) -> list:
        """For each kind that was found: how many, and what to do."""
        said = [
            f"{kind}: {count(len(keys), 'picture')} {KINDS[kind]}."
            for kind in KINDS
            if (keys := self.without(kind))
        ]
        rare = [each.other for each in self.found if each.kind == "rare class"]
        if rare:
            said.append(
                f"rare class: {some(rare)}, with less than a third of the training pictures that "
                "the largest has. Score by balanced accuracy, which counts each class once."
            )
        return [*(said or ["Nothing was found."]), *self.notes]

    def without(self, kinds=("leak",)) -> set:
        """The keys of pictures with a finding of these kinds: what to leave out, if you so decide.

        kinds: one of `sentences`, or several. Of copies, one stays: the one in the later split,
            else the first. Raises CourseError for a kind that there is not.
        """
        wanted = known("kind of finding", kinds, ALL)
        return {each.key for each in self.found if each.kind in wanted and each.key}

    def sheet(self, kind: str | None = None):
        """A matplotlib figure: what was found as pictures, those with a copy beside it; its `alt`
        is the alternative text, for `plots.show(fig, alt=fig.alt)`.

        kind: one of `sentences` (the clearest 24), or None for the clearest four of each.
        """
        kinds = ALL if kind is None else known("kind of finding", kind, ALL)
        pictured = [each for each in self.found if each.key]
        by_kind = [[each for each in pictured if each.kind == kind] for kind in kinds]
        shown = [each for found in by_kind for each in found[: EACH if kind is None else MOST]]
        counts = [f"{found[0].kind} ({len(found)})" for found in by_kind if found]
        title = ", ".join(counts) if counts else "Nothing was found"
        fig = self._drawn(shown, title)
        words = [self._sentence(each) for each in shown[:SAID]]
        if len(shown) > SAID:
            words.append(f"And {len(shown) - SAID} more.")
        fig.alt = " ".join([f"A look at the data: {title}.", *words])
        return fig

    def _drawn(self, shown, title):
        from matplotlib import pyplot as plt

        from translearn import plots

        rows, images, captions, drawn = self.rows, [], [], set()
        for each in shown:
            if (each.kind, each.other, each.key) in drawn:
                continue  # its copy stands beside it already
            drawn.add((each.kind, each.key, each.other))
            row = rows.at[each.key]
            doubt = f"\n{each.other}?" if each.kind == "wrong label" else ""
            images.append(rows.image(row))
            captions.append(f"{each.kind}\n{each.split}: {rows.class_of(row)}{doubt}")
            if each.other in rows.at:
                twin = rows.at[each.other]
                images.append(rows.image(twin))
                captions.append(f"and its copy\n{rows.part(twin)}: {rows.class_of(twin)}")
        if images:
            return plots.pictures(images, captions, textwrap.fill(title, 90))
        fig, ax = plt.subplots(figsize=(7, 0.6))
        ax.axis("off")
        fig.suptitle(title, fontsize=12, weight="bold", x=0.01, ha="left")
        return fig

    def __repr__(self):
        return "\n".join(self.sentences)

    def _repr_html_(self):
        from translearn import plots

        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.sentences)
        if not self.without(ALL):
            return said
        fig = self.sheet()
        return said + page.table(self._counts().to_html()) + plots.to_html(fig, fig.alt)

    def _counts(self):
        """A pandas table: pictures with each kind of finding (rows) in each split (columns)."""
        import pandas as pd

        met = [each for each in self.found if each.key]
        kinds = [kind for kind in KINDS if kind in {each.kind for each in met}]
        return pd.DataFrame(
            {
                part: [sum(each[:2] == (kind, part) for each in met) for kind in kinds]
                for part in PARTS
            },
            index=pd.Index(kinds, name="found"),
        )

    def _sentence(self, each: Finding) -> str:
        rows = self.rows
        if each.kind == "rare class":
            return f"{each.other} has less than a third of the largest class's training pictures."
        this = f"{each.key} ({each.split}, {rows.class_of(rows.at[each.key])})"
        if each.other in rows.at:
            twin = rows.at[each.other]
            how = "a copy" if each.score == 1 else "a near copy"
            return f"{this} is {how} of {each.other} ({rows.part(twin)}, {rows.class_of(twin)})."
        if each.kind == "wrong label":
            return f"{this} looks like {each.other}."
        return (
            f"{this} is {each.kind}." if each.kind != "odd shape" else f"{this} has an odd shape."
        )
