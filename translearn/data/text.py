"""Sentences with labels, and running text: `data.load_sentences`, `data.load_text`, and the
functions that read them.
"""

from dataclasses import dataclass

import numpy as np

from translearn import page
from translearn.data import registry
from translearn.data.splits import PARTS, Card, Splits, assign, few, hashed, integer, known
from translearn.errors import CourseError

DOMAINS = ("movies", "products", "editorials", "tweets")  # of "reviews", in the file's order


# --- sentences -----------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Sentences:
    """Sentences with their labels.

    texts: array of str (dtype object), (n,)
    labels: int64, (n,), positions in `class_names`
    info: pandas table with one row a sentence; `key` names it, `domain` says what kind of text it
        comes from, `rating` is the mean of some twenty people's ratings, from -4 to 4, `group`
        names the review or article it belongs to
    """

    texts: np.ndarray
    labels: np.ndarray
    info: "pandas.DataFrame"  # noqa: F821 (pandas is imported late)
    class_names: tuple
    name: str = ""

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return f"Sentences({self.name}: {len(self):,} sentences, {len(self.class_names)} classes)"

    def take(self, labels_per_class: int, seed: int = 0) -> "Sentences":
        """The same number of sentences of every class: a study with few labels.

        For one seed the sets are nested: take(5) lies inside take(10). Raises CourseError when a
        class has fewer.
        """
        rows = few(self, labels_per_class, seed, "sentences")
        return Sentences(
            self.texts[rows],
            self.labels[rows],
            self.info.iloc[rows].reset_index(drop=True),
            self.class_names,
            self.name,
        )


@dataclass(frozen=True, repr=False)
class SentenceSplits(Splits):
    """Three disjoint sets of sentences, and what is known about them: `Splits` whose parts are
    `Sentences`.

    domains: the kinds of text the sentences come from
    """

    domains: tuple = ()

    def _title(self):
        classes = f"{len(self.class_names)} classes of sentences"
        return f"{self.name}: {classes} from {', '.join(self.domains)}"


def load_sentences(
    name: str = "reviews",
    domains=None,
    seed: int = 0,
    labels_per_class: int | None = None,
    margin: float = 0.5,
) -> SentenceSplits:
    """Sentences rated by people: "reviews". Label 1 is "positive", a mean rating above `margin`; 0
    is "negative", below -`margin`.

    domains: keep only these, one or several of "movies", "products", "editorials" and "tweets"
        (default: all)
    seed: decides who goes to train (60 %), validation (15 %) and test (25 %)
    labels_per_class: keep only so many training sentences of each class; nested for one seed
    margin: sentences whose mean rating is this close to 0 are left out, 0 to 3. At 0.5 the sign is
        beyond doubt: the mean of twenty ratings has a standard error of about a quarter

    Sentences of one review or article, and versions of one sentence, stand in one split; for
    movies and tweets it was not recorded which film or author they are about. For one seed a
    sentence stands in the same split whatever `domains` and `margin` are, so that a model trained
    on one domain meets new sentences in another.

    Raises CourseError for an unknown name or domain, a number out of range, and for a file that is
    missing, truncated or changed.
    """
    record = registry.entry(name, kind="data")
    if record["family"] != "sentences":
        others = registry.names(family="sentences", having="reader")
        raise CourseError(
            f"{name!r} holds no sentences with labels. {registry.suggest(name, others)}"
        )
    seed = integer("seed", seed)
    if labels_per_class is not None:
        integer("labels_per_class", labels_per_class, at_least=1)
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0 <= margin <= 3:
        raise CourseError(f"margin={margin!r} is out of range. Give a number from 0 to 3.")

    texts, ratings, info = registry.function(name, "reader")(name)
    there = list(dict.fromkeys(info["domain"]))
    chosen = there if domains is None else known("domain", domains, there)
    # A whole review counts as positive or negative by its mean, so that it can be stratified and
    # stay in one piece.
    grouped = info.groupby("group")
    strata = grouped["domain"].transform("first") + np.where(
        grouped["rating"].transform("mean") > 0, "+", "-"
    )
    where = assign(info["group"].to_numpy(), strata.to_numpy(str), seed)  # before any is left out
    keep = info["domain"].isin(chosen).to_numpy() & (np.abs(ratings) > margin)
    labels = (ratings > 0).astype(np.int64)

    order, parts, class_names = hashed(f"{seed}:order", info["key"]), {}, ("negative", "positive")
    for part in PARTS:
        rows = order[(keep & (where == part))[order]]
        parts[part] = Sentences(
            texts[rows], labels[rows], info.iloc[rows].reset_index(drop=True), class_names, part
        )
    if labels_per_class is not None:
        parts["train"] = parts["train"].take(labels_per_class, seed)
    return SentenceSplits(
        name,
        class_names=class_names,
        card=Card(registry.card(name)),
        domains=tuple(each for each in there if each in chosen),
        **parts,
    )


def stored_ratings(name):
    """A reader: texts, their mean ratings (n,), and the table `info` of keys, domains, ratings and
    groups.
    """
    import pandas as pd

    found = registry.arrays(name)
    texts, ratings = np.array(_pieces(found), dtype=object), found["ratings"]
    info = pd.DataFrame(
        {
            "key": found["keys"],
            "domain": found["domains"],
            "rating": ratings.astype(float).round(4),
            "group": found["groups"],
        }
    )
    return texts, ratings, info


def _pieces(found) -> list[str]:
    """The texts that lie one after the other in the bytes of `text`, each until its place in
    `ends`.
    """
    content, ends = found["text"].tobytes(), found["ends"].tolist()
    return [content[start:end].decode() for start, end in zip([0, *ends[:-1]], ends)]


# --- running text --------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Prose:
    """Running text in documents (chapters of a novel, fortunes).

    documents: tuple of str, each ending with a line end
    info: pandas table with one row a document; `key` names it, `source` says which novel or file
        it comes from
    """

    documents: tuple
    info: "pandas.DataFrame"  # noqa: F821 (pandas is imported late)
    name: str = ""

    @property
    def text(self) -> str:
        """All documents as one string, one after the other with an empty line between them."""
        return "\n".join(self.documents)

    def __len__(self):
        return sum(map(len, self.documents))

    def __repr__(self):
        return f"Prose({self.name}: {len(self):,} characters in {len(self.documents):,} documents)"

    def take(self, characters: int, seed: int = 0) -> str:
        """So many characters of text: a study with little text. The last document is cut off where
        it must be.

        For one seed the texts are nested: take(5_000) is the beginning of take(10_000). Raises
        CourseError when there are fewer characters.
        """
        integer("characters", characters, at_least=1)
        integer("seed", seed)
        order = hashed(f"{seed}:take", self.info["key"])
        whole = "\n".join(self.documents[row] for row in order)
        if characters > len(whole):
            raise CourseError(
                f"characters={characters} is too many: the {self.name or 'whole'} text has "
                f"{len(whole)}. "
                f"Ask for at most {len(whole)}."
            )
        return whole[:characters]


@dataclass(frozen=True, repr=False)
class Proses:
    """Three parts of running text that share no passage, and what is known about them."""

    name: str
    train: Prose
    validation: Prose
    test: Prose
    card: Card

    def counts(self):
        """A pandas table: characters from each novel or file (rows) in each part (columns)."""
        import pandas as pd

        table = pd.concat(
            {
                part: getattr(self, part)
                .info.assign(characters=list(map(len, getattr(self, part).documents)))
                .groupby("source")["characters"]
                .sum()
                for part in PARTS
            },
            axis=1,
        )
        table = table.fillna(0).astype(int)
        table.loc["all"] = table.sum()
        return table

    def __repr__(self):
        return f"{self.name}: characters\n{self.counts().to_string()}"

    def _repr_html_(self):
        import html

        title = f"<p><strong>{html.escape(self.name)}</strong>: characters</p>"
        return title + page.table(self.counts().to_html())


def load_text(name: str) -> Proses:
    """Running text to train a language model on: "prose" (six novels by Jane Austen) or "fortunes"
    (short sayings).

    The parts are fixed, without a seed: of "prose", the test text is one whole novel and the
    validation text the last chapters of each of the others; of "fortunes", every saying stands in
    one part, and so do its copies. All of it is ASCII, so a character is a byte.

    Raises CourseError for an unknown name and for a file that is missing, truncated or changed.
    """
    record = registry.entry(name, kind="data")
    if record["family"] != "text":
        others = registry.names(family="text", having="reader")
        raise CourseError(f"{name!r} is no running text. {registry.suggest(name, others)}")
    documents, where, info = registry.function(name, "reader")(name)
    found = {}
    for part in PARTS:
        rows = np.flatnonzero(where == part)
        table = info.iloc[rows].reset_index(drop=True)
        found[part] = Prose(tuple(documents[row] for row in rows), table, part)
    return Proses(name, card=Card(registry.card(name)), **found)


def stored_documents(name):
    """A reader: documents, the part that each stands in (n,), and the table `info` of keys and
    sources.
    """
    import pandas as pd

    found = registry.arrays(name)
    info = pd.DataFrame({"key": found["keys"], "source": found["sources"]})
    return _pieces(found), found["parts"], info
