"""What holds for every test, notebooks included. It stands here, and not in tests/, because pytest
applies a conftest to what lies below it, and the notebooks lie beside tests/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tests" / "plugins"))

import translearn  # noqa: E402, F401  (sets Keras's backend and home, which Keras reads once)

pytest_plugins = ["offline_guard", "long_part", "notebook_rules", "where_time_went", "in_chromium"]
