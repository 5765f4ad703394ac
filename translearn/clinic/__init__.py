"""The clinic: what is wrong with this training run?

    from translearn import clinic

    watch = clinic.watch()
    model.fit(x, y, validation_data=(x_val, y_val), epochs=10, callbacks=[watch])
    clinic.diagnose(watch)

`watch()` is a Keras callback that looks, and changes nothing: a watched run ends with the same
weights, bit for bit. `diagnose` reads what it saw (or a plain `History`, which holds less) and
names what it finds, with the evidence and what to try; or says that the run is healthy; or that it
cannot tell, and what to record to know.

`faults` names the faults, `watching` and `looking` see, `record` keeps, `signs` turns a record
into the numbers that a doctor reads, `rules` names a fault from signs that agree, and `diagnosing`
puts the findings in order.
"""

from translearn.clinic.diagnosing import Diagnosis, Finding, diagnose
from translearn.clinic.faults import FAULTS, Fault
from translearn.clinic.record import Record
from translearn.clinic.watching import watch

__all__ = ["FAULTS", "Diagnosis", "Fault", "Finding", "Record", "diagnose", "watch"]

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed
