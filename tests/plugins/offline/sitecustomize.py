"""Imported by every Python process that a test starts: see ../offline_guard.py."""

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "offline_guard", Path(__file__).resolve().parent.parent / "offline_guard.py"
)
_guard = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_guard)
_guard.install()
