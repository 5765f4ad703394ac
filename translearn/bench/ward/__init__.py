"""The ward: sick and healthy training runs, planted on purpose, for whoever diagnoses them.

`programs` has what is trained (a network, a data set, an optimiser), `faults` what goes wrong,
`running` trains and keeps what was seen, `doctors` has those who diagnose, `scoring` counts.
"""

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed
