"""What a replay's process begins with: imported once, before the processes are forked. No
operation runs here.
"""

import translearn  # noqa: F401, I001 (before TensorFlow)
import keras  # noqa: F401
import matplotlib  # noqa: F401
import pandas  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.linear_model  # noqa: F401
import sklearn.pipeline  # noqa: F401
