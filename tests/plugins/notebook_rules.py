"""How notebooks are tested: nbval runs them cell by cell, with what its last release (0.11, 2024) lacks.

* A dead kernel fails its cell within seconds. nbval notices only at the cell's time limit.
* Output may take a minute to arrive. nbval gives up after five seconds, which a busy machine needs.
* After a failure the rest of the notebook is skipped: those cells would fail for the wrong reason.
* A cell tagged `raises-exception` must raise. nbval lets it pass when it does not.
* A notebook has a budget of computing time, the sum over its cells: `translearn.budget_seconds` in the notebook's
  metadata, 90 by default, times the slack that this machine needs (at least 2).
"""

import os
import queue
import re
import tempfile
import time
from pathlib import Path

import pytest
from nbval import kernel as nbval_kernel
from nbval import plugin as nbval_plugin

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CELL_SECONDS = 300
OUTPUT_SECONDS = 60
BUDGET_SECONDS = 90
REFERENCE_GFLOPS = 200  # matrix products on the two cores that the budgets are meant for


# ---- Which notebooks ----


def pytest_configure(config) -> None:
    # Set here rather than on the command line, so that plain `pytest` does the same.
    config.option.nbval_lax = True
    config.option.nbval_current_env = True
    if config.option.nbval_cell_timeout == 2000:  # nbval's default
        config.option.nbval_cell_timeout = CELL_SECONDS
    # The reader's IPython start-up files and matplotlib backend are not part of a lesson.
    os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="translearn-ipython-")
    os.environ.pop("MPLBACKEND", None)
    # What the solutions pass is not what the reader has passed.
    os.environ["TRANSLEARN_PROGRESS"] = os.path.join(os.environ["IPYTHONDIR"], "progress.json")
    config.stash[_SPENT] = {}


def pytest_unconfigure(config) -> None:
    import shutil

    shutil.rmtree(os.environ.get("IPYTHONDIR", ""), ignore_errors=True)


def pytest_ignore_collect(collection_path: Path, config):
    """Of our own notebooks only those that the build writes: not what a reader or an instructor keeps beside them."""
    if collection_path.suffix != ".ipynb" or not collection_path.is_relative_to(NOTEBOOKS):
        return None
    name, folder = collection_path.name, collection_path.parent.relative_to(NOTEBOOKS).as_posix()
    lesson = re.match(r"\d\d_", name) and folder in (".", "solutions")
    assignment = re.match(r"A\d_", name) and folder in ("coursework", "coursework/instructor")
    return None if lesson or assignment else True


# ---- Repairs ----


class KernelDied(RuntimeError):
    pass


_get_message = nbval_kernel.RunningKernel.get_message


def _patient_get_message(self, stream, timeout=None):
    """As nbval's, but looks each second whether the kernel still lives."""
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = 1.0 if end is None else min(1.0, max(0.0, end - time.monotonic()))
        try:
            return _get_message(self, stream, timeout=left)
        except queue.Empty:
            if not self.is_alive():
                raise KernelDied("The kernel died.") from None
            if end is not None and time.monotonic() >= end:
                raise


nbval_kernel.RunningKernel.get_message = _patient_get_message

_SPENT = pytest.StashKey[dict]()


def slack(product_seconds: float | None = None, size: int = 1024) -> float:
    """How much longer than the budget a notebook may take here: 2 on the reference machine, more on a slower one.

    `product_seconds` is the time of one product of two float32 matrices of `size`; measured when not given.
    """
    if product_seconds is None:
        import numpy as np

        a = np.ones((size, size), "float32")
        times = []
        for _ in range(5):
            start = time.perf_counter()
            a @ a
            times.append(time.perf_counter() - start)
        product_seconds = min(times)
    gflops = 2 * size**3 / product_seconds / 1e9
    return 2 * max(1.0, REFERENCE_GFLOPS / gflops)


def _init(self, *args, **kwargs):
    _plain_init(self, *args, **kwargs)
    self.output_timeout = OUTPUT_SECONDS


_plain_init = nbval_plugin.IPyNbCell.__init__
nbval_plugin.IPyNbCell.__init__ = _init


def _setup(self):
    failed = getattr(self.parent, "failed_cell", None)
    if failed is not None:
        pytest.skip(f"cell {failed} of this notebook failed")


nbval_plugin.IPyNbCell.setup = _setup


def _runtest(self):
    start = time.perf_counter()
    try:
        try:
            _plain_runtest(self)
        except KernelDied:
            self.raise_cell_error("The kernel died while this cell ran")
        if self.options["check_exception"] and not any(
            out.output_type == "error" for out in self.test_outputs
        ):
            self.raise_cell_error("This cell is tagged raises-exception, and raised nothing")
        _charge(self, time.perf_counter() - start)
    except pytest.skip.Exception:
        raise
    except BaseException:
        self.parent.failed_cell = self.cell_num
        raise


_plain_runtest = nbval_plugin.IPyNbCell.runtest
nbval_plugin.IPyNbCell.runtest = _runtest


def _charge(cell, seconds: float) -> None:
    notebook = cell.parent
    budget = notebook.nb.metadata.get("translearn", {}).get("budget_seconds", BUDGET_SECONDS)
    spent = cell.config.stash[_SPENT]
    total = spent.get(notebook.nodeid, 0.0) + seconds
    spent[notebook.nodeid] = total
    cell.user_properties.append(
        ("notebook seconds", (notebook.nodeid, total, budget))
    )  # reaches the summary from a worker too
    if total > 2 * budget and total > (allowed := budget * slack()):
        cell.raise_cell_error(
            f"The notebook has computed for {total:.1f} s by now; its budget is {budget:g} s (here: {allowed:.0f} s)"
        )


def pytest_terminal_summary(terminalreporter, config) -> None:
    spent = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, total, budget in (
                value
                for key, value in getattr(report, "user_properties", [])
                if key == "notebook seconds"
            ):
                spent[name] = max(spent.get(name, (0, 0)), (total, budget))
    if spent:
        terminalreporter.section("computing time of the notebooks")
        for name, (seconds, budget) in sorted(spent.items()):
            terminalreporter.write_line(f"{seconds:7.1f} s of {budget:g} s  {name}")
