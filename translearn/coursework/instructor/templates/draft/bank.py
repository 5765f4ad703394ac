"""A0 · TITLE: submissions whose marks are known beforehand. bank.py says how it is read."""

# ruff: noqa


# ==== perfect


# EDIT 8: other right answers, written as differently as you can. No judge may refuse one.
# ==== otherwise right, one

# ---- coverage


def coverage(probabilities, threshold):
    answered = [row for row in probabilities if any(value > threshold for value in row)]
    return len(answered) / len(probabilities)


# EDIT 9: wrong answers and their points: each misconception, and near misses of each property.
# What a submission does not name is the model answer.
# ==== common mistakes, one

# ---- coverage: 0


def coverage(probabilities, threshold):
    return np.sum(probabilities.max(axis=1) > threshold)


# ==== common mistakes, two: each number on its own

# ---- coverage: 0


def coverage(probabilities, threshold):
    return np.mean(probabilities > threshold)
