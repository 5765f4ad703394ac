"""The clinic: what is wrong with this training run?

    from translearn import clinic

    watch = clinic.watch()
    model.fit(x, y, validation_data=(x_val, y_val), epochs=10, callbacks=[watch])
    clinic.diagnose(watch)

`watch()` is a Keras callback that looks, and changes nothing: a watched run ends with the same
weights, bit for bit. `diagnose` reads what it saw (or a plain `History`, which holds less) and
names what it finds, with the evidence and what to try; or says that the run is healthy; or that it
cannot tell, and what to record to know.

In the order in which to read: `faults` names the faults. `watching` is the callback; `driving`
runs the steps, `gathering` sees the data, `looking` the weights, `examples`, `answers` and
`neighbours` what the finished network makes of some examples; `record` keeps it. `signs` turns a
record into the numbers that a doctor reads, `thresholds` draws the lines, `rules` (`mechanisms`,
`labels`, `courses`) name a fault from signs that agree, and `diagnosing` puts causes before
consequences.
"""

from translearn.clinic.diagnosing import Diagnosis, Finding, diagnose
from translearn.clinic.faults import FAULTS, Fault
from translearn.clinic.record import Record
from translearn.clinic.watching import watch

__all__ = ["FAULTS", "Diagnosis", "Fault", "Finding", "Record", "diagnose", "watch"]

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed
