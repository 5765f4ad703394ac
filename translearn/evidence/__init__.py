"""Evidence: measuring into the ledger, what a result rests on, and replaying it."""

# Threads add in another order each time, and a trained network makes much of a rounding. With one,
# the same seed gives the same numbers to rounding on the same kind of machine.
ONE_THREAD = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
