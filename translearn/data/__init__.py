"""Pictures and labels, split fairly: `load` for the course's own data sets, `from_directory` and
`from_csv` for yours, `example_folder` to try them on.

`load_sentences` gives sentences with labels, split as fairly, and `load_text` running text in
three parts. Which data sets there are stands in `data/registry.toml`, each with the function that
reads it.
"""

from translearn.data import registry
from translearn.data.example import example_faults, example_folder
from translearn.data.looking import Look, look
from translearn.data.own import from_csv, from_directory
from translearn.data.pictures import load
from translearn.data.splits import Card, Split, Splits
from translearn.data.text import (
    DOMAINS,
    Prose,
    Proses,
    Sentences,
    SentenceSplits,
    load_sentences,
    load_text,
)

__all__ = [
    "DOMAINS",
    "Card",
    "Look",
    "Prose",
    "Proses",
    "SentenceSplits",
    "Sentences",
    "Split",
    "Splits",
    "example_faults",
    "example_folder",
    "from_csv",
    "from_directory",
    "load",
    "load_sentences",
    "load_text",
    "look",
    "names",
]

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed


def names(family: str | None = None) -> list[str]:
    """The data sets of the course; `family` is "pictures" (for `load`), "sentences" or "text" to
    keep only those.
    """
    return registry.names(kind="data", family=family)
