"""Where a doctor draws the line. The thresholds of the clinic stand here; where only one rule has
a bound, some stand in the rule.

They were chosen on the half of the programs that `course.py bench clinic` calls *chosen on*, and
never looked at the other half.
"""

# Skill: 0 is the trivial answer (chance, the mean), 1 is perfect; see `signs.Signs`.
POOR = 0.8  # below, a run may be called sick for what keeps it from fitting
PERFECT = 0.97  # above, there is next to nothing left to learn
VERY_GOOD = 0.93
AT_CHANCE = 0.1  # below, nothing was learned
FAIR = 0.4  # below, on training, a run is not called healthy
GOOD = 0.2  # above, on validation, a run may be called healthy

# Steps
LARGE_UPDATE = 0.1  # one step against the size of the weights, usual step
HUGE_UPDATE = 0.5  # the largest layer's, in any step that was looked at
SMALL_UPDATE = 2e-3  # a usual step is smaller: the rate may be too low
TINY_UPDATE = 3e-4
BEYOND = 1.5  # times the loss of a blind guess
NEVER = 0.98  # times it: validation was never better
MOVED = 0.3  # the weights went far enough to have learned what they can
LITTLE_MOVED = 0.03  # the weights' way in the whole run against their size
FAR_MOVED = 5.0
SPIKE = 2.0  # a step's loss against the first one
ROUGH = 0.3  # of the epochs' changes of the loss, upwards
NOISY = 1.0  # spread of the steps' losses against their mean, at the end
SMALL_LARGEST = 1e-3  # no layer was ever changed by more in a step
FEW_STEPS = 10
MANY_STEPS = 100
SMALL_BATCH, TINY_BATCH = 4, 2

# Curves
FALLING = 0.1  # the last quarter's share of the loss: still getting better
FLAT = 0.05
WORTH = 0.02  # of a blind guess's loss: what validation gained in the last quarter
PACE = 0.4  # of the last quarter against that of the whole run: not done yet
STEADY = 0.75  # not even slowing down
FELL = 0.4  # of the training loss is gone: the rate was not too low
RISE = 0.25  # of the validation loss above its best
GAP = 2.0  # validation loss against training loss
LARGE_GAP = 5.0
SCORE_GAP, LARGE_SCORE_GAP = 0.15, 0.4

# Data
LARGE_INPUT, SMALL_INPUT = 20.0, 0.02  # root mean square, standard deviation
SHORT = 0.3  # the length of a table's row
COLUMN_RATIO = 100.0  # of a table's largest column to its usual one
SKEW = 5.0  # of the spread in validation against training
FIRST_LOSS = 3.0  # the first step's loss against that of a blind guess
LEAK = 0.05  # of the validation inputs
WAIT, WAIT_SECONDS, WAIT_IN_ALL = 0.5, 0.003, 0.2  # share of the time; seconds a step; seconds
DEVIATIONS = 3.0  # of the neighbours' agreement from chance
CONTRADICTED = 0.08  # of the training examples: neighbours and network against the label
SURE = 0.6
STRANGE = 0.72  # of the wrong answers: the label is not the second choice either; 1 by chance
LEARNED = 0.15  # skill above which a network's second choices mean something
ENOUGH_WRONG = 15
ENOUGH_EXAMPLES = 60
MAJORITY = 0.8  # share of the most frequent class
OF_ONE_CLASS = 0.95  # of the loss's weight

# Units and layers
DEAD = 0.6  # of a layer's units
FEW = 0.02  # of the weights are trainable
FROZEN_NEW = 0.3  # of all weights: frozen and never trained
SHIFT, LOG_RATIO = 0.5, 0.7  # of a batch normalisation's stored mean and variance
MODE_LOSS = 1.7  # loss in inference mode against the one that was trained
UNEVEN = 1.5  # the most frequent class against an even share
NEIGHBOURS_BETTER = 0.15
