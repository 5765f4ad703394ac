"""Where things are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The checkout's; where the package alone is installed, the data that came with an assignment,
# beside its notebook.
DATA = ROOT / "data" if (ROOT / "data").is_dir() else Path.cwd() / "data"
LEDGER = DATA / "ledger"
NOTEBOOKS = ROOT / "notebooks"
SOURCE = NOTEBOOKS / "source"


def cache_folder() -> Path:
    """Where `cache` is, whether it exists or not."""
    return Path(os.environ.get("TRANSLEARN_CACHE") or ROOT / ".cache").expanduser()


def cache() -> Path:
    """The folder for what can be made again (features, resized pictures, finished runs).

    `TRANSLEARN_CACHE` names another one (`~` is your home); the default is `.cache` beside the
    lessons.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
