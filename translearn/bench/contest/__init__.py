"""`python3 course.py bench recipes`: how far does a recipe get for its computing?

Recipes get the same network, the same few labelled pictures and the same seeds, and nothing else:
whatever one of them has to choose, it chooses by cross-validation or a hold-out of these few. Each
has a clock of CPU-seconds (of all threads) that runs while it looks, traces, trains and chooses.
At any moment its answer is the last that it handed in; the test pictures see it when all is over.

problems   which pictures, how many labels, who judges
running    one attempt: its clock, its few pictures, what it handed in
shared     features of a frozen network, computed once for all seeds and charged to each
probes     recipes that leave the network as it is; the course's own
tuned      the swept fine-tuning
copied     what everybody copies: two tutorials, the article
entries    all of them as experiments of the ledger, measured, recorded and replayed
tables     what the runs say: tables, tests over seeds, a figure
command    `course.py bench recipes`
"""

NUMERICS = 2  # raised by hand when the numbers made here change: what rests on them is replayed
