"""The helper package of the course *Transfer Learning, Measured*.

Plumbing only: what a lesson teaches stands in the lesson, in plain Keras. Importing this package
is instant; TensorFlow loads when a model is first needed.
"""

import logging
import os
import sys

from translearn import errors, page, paths, quiet

# TensorFlow reads these once, when it is first imported, so they must stand here. Without them
# every lesson would open with a page of start-up messages that tell a learner nothing.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Keras reads these once as well. A backend or a keras.json of the reader's own would change what a
# lesson computes, so the course's win; `course.py doctor` tells what was set aside.
SET_ASIDE = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("KERAS_")}
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["KERAS_HOME"] = str(paths.cache_folder() / "keras")
if "keras" in sys.modules:  # imported before the course, so with the reader's settings
    import keras

    if keras.backend.backend() != "tensorflow":
        raise errors.CourseError(
            f"Keras runs on {keras.backend.backend()} here, and the lessons need TensorFlow. "
            "Restart the kernel and import translearn before keras."
        )
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)

# Keras builds one graph for each model, and the lessons build many models on purpose; TensorFlow
# takes that for a mistake. And where an export keeps what it works with is nobody's concern.
_UNSAID = ("triggered tf.function retracing", "Assets written to")
logging.getLogger("tensorflow").addFilter(
    lambda record: not any(each in record.getMessage() for each in _UNSAID)
)
quiet.install()
page.install()

__version__ = "0.1.0"
