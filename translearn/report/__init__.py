"""What a model is worth, on paper, and its files for those who will use it.

    tested = report.test_once(model, splits)             # the test set, once
    report.hand_over("pets", model, splits.class_names, splits)
    report.write("pets", model, splits, tested)          # report.html, README.md, record.json

In the order in which to read: `judging` turns predictions into scores with intervals and a
calibration; `testing` asks the model, and remembers that it did; `limits` says what the numbers do
not show; `writing` gathers the record and fills the pages, `card` the model card; `handing` makes
the files that run without this package; `dropping` is what `widgets.drop` shows.
"""

from translearn.report.handing import Handed, hand_over
from translearn.report.testing import Tested, test_once
from translearn.report.writing import write

__all__ = ["Handed", "Tested", "hand_over", "test_once", "write"]

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed
