"""What holds for every test, notebooks included. It stands here, and not in tests/, because pytest
applies a conftest to what lies below it, and the notebooks lie beside tests/."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tests" / "plugins"))

import translearn  # noqa: E402, F401  (sets Keras's backend and home, which Keras reads once)
from translearn.evidence import ONE_THREAD  # noqa: E402

# Everything computes on one thread, kernels included, as when the ledger is measured: the numbers
# are the ledger's, two workers do not fight over two cores, and a lesson's many small steps take a
# quarter of the processor's time, most of which two threads spend waiting for each other.
os.environ |= dict.fromkeys(ONE_THREAD, "1")  # TensorFlow looks at its first operation

pytest_plugins = ["offline_guard", "long_part", "notebook_rules", "where_time_went", "in_chromium"]
