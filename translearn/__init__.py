"""The helper package of the course *Transfer Learning, Measured*.

Plumbing only: what a lesson teaches stands in the lesson, in plain Keras. Importing this package
is instant; TensorFlow loads when a model is first needed.
"""

import logging
import os

from translearn import quiet

# TensorFlow reads these once, when it is first imported, so they must stand here. Without them every
# lesson would open with a page of start-up messages that tell a learner nothing.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# Keras builds one graph for each model, and the lessons build many models on purpose; TensorFlow takes that for a mistake.
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)
quiet.install()

__version__ = "0.1.0"
