"""`course.py kernel`: the course's Python as a kernel for a reader's own JupyterLab or VS Code."""

import os
import sys
from pathlib import Path

NAME, TITLE = "translearn", "Transfer Learning, Measured"
# What course.py sets for every command holds for this kernel, too, wherever it is started.
KEPT = (
    "IPYTHONDIR",
    "MPLCONFIGDIR",
    "PYTHONNOUSERSITE",
    "TRANSLEARN_CACHE",
    "TRANSLEARN_PROGRESS",
)


def register() -> Path:
    """Register this environment's Python with the Jupyter of the reader's account; returns the
    folder that says so.
    """
    from ipykernel.kernelspec import install

    # course.py keeps Jupyter's files inside the course. These are meant for the reader's.
    os.environ.pop("JUPYTER_DATA_DIR", None)
    if readers := os.environ.get("READERS_JUPYTER_DATA_DIR"):
        os.environ["JUPYTER_DATA_DIR"] = readers
    env = {key: os.environ[key] for key in KEPT if key in os.environ} | {"PYTHONPATH": ""}
    return Path(install(user=True, kernel_name=NAME, display_name=TITLE, env=env))


def main() -> int:
    try:
        folder = register()
    except OSError as error:
        print(f"The kernel could not be registered: {error}", file=sys.stderr)
        return 1
    print(
        f'The kernel "{TITLE}" is registered. Choose it in your JupyterLab or VS Code for every '
        f"lesson.\nTo remove it, delete {folder}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
