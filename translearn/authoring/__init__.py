"""From one source to the notebooks, one way: `notebooks/source/NN_name.md` → lesson, solution and
rehearsal, `A1_name.md` → assignment.

The source is MyST Markdown with the solutions in it. The build replaces what stands between
`### BEGIN SOLUTION` and `### END SOLUTION` by `...`, writes the ledger's numbers where the prose
refers to them, and refuses a source that would mislead a reader. It is deterministic: the same
source and ledger always give the same bytes.
"""

from translearn.authoring.notebooks import notebook
from translearn.authoring.numbers import FILTERS, number, slug
from translearn.authoring.pages import build, out_of_sync, outputs
from translearn.authoring.reading import BuildError, Cell, Lesson, find, read, sources
from translearn.authoring.rules import check

__all__ = [
    "BuildError", "Cell", "FILTERS", "Lesson", "build", "check", "find", "notebook", "number",
    "out_of_sync", "outputs", "read", "slug", "sources",
]  # fmt: skip
