"""How lessons and assignments are tested: nbval runs a rehearsal of each, made from its source.

`notebooks/source/05_freezing.md` is collected as a test file; its tests are the code cells of the
rehearsal (see `translearn.authoring.notebooks.rehearsal`), written to `.cache/rehearsal/`. What
ran is kept where the book finds it (`translearn.authoring.book.executed`). With `--long`, the
learners' notebooks run as they are, too.

nbval's last release (0.11, 2024) lacks some things, which are added here:

* A dead kernel fails its cell within seconds. nbval notices only at the cell's time limit.
* A busy machine is given time: a kernel starts within minutes, output may take five.
* After a failure the rest of the notebook is skipped: those cells would fail for the wrong reason.
* A cell tagged `raises-exception` must raise. nbval lets it pass when it does not.
* A check must answer what its cell's metadata expects: "not attempted" or "passed".
* A notebook has a budget, see `limit`. It is counted in processor seconds of its kernel and the
  kernel's children, so that what else runs on the machine does not count.
"""

import contextlib
import os
import queue
import re
import shutil
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import nbformat
import psutil
import pytest
from nbval import kernel as nbval_kernel
from nbval import plugin as nbval_plugin

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CELL_SECONDS = 1800  # for a cell that hangs; what a lesson may compute is its budget
PATIENCE_SECONDS = 300  # for a kernel to start, and for output to arrive
BUDGET_SECONDS = 60  # of computing on two idle cores: what a lesson aims at
LIMIT_SECONDS = 90  # where it fails, or at one and a half times its budget if that is less
CORES = 2
REFERENCE_GFLOPS = 100  # products of float32 matrices, for each processor second


# ---- Which notebooks ----


def pytest_configure(config) -> None:
    # Set here rather than on the command line, so that plain `pytest` does the same.
    config.option.nbval_lax = True
    config.option.nbval_current_env = True
    config.option.nbval_kernel_startup_timeout = PATIENCE_SECONDS
    if config.option.nbval_cell_timeout == 2000:  # nbval's default
        config.option.nbval_cell_timeout = CELL_SECONDS
    # The reader's IPython start-up files and matplotlib backend are not part of a lesson.
    os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="translearn-ipython-")
    os.environ.pop("MPLBACKEND", None)
    # What the solutions pass is not what the reader has passed.
    os.environ["TRANSLEARN_PROGRESS"] = os.path.join(os.environ["IPYTHONDIR"], "progress.json")
    config.stash[_SPENT] = {}


def pytest_unconfigure(config) -> None:
    shutil.rmtree(os.environ.get("IPYTHONDIR", ""), ignore_errors=True)


def pytest_ignore_collect(collection_path: Path, config):
    """Of our own notebooks only the learners' lessons, for the long part: their rehearsals run."""
    if collection_path.suffix != ".ipynb" or not collection_path.is_relative_to(NOTEBOOKS):
        return None
    return (
        None
        if re.match(r"\d\d_", collection_path.name) and collection_path.parent == NOTEBOOKS
        else True
    )


def pytest_collect_file(file_path: Path, parent):
    if file_path.parent == NOTEBOOKS / "source" and re.match(r"(\d|A)\d_.*\.md$", file_path.name):
        return Rehearsal.from_parent(parent, path=file_path)


def pytest_itemcollected(item):
    if isinstance(item, nbval_plugin.IPyNbCell) and item.path.parent == NOTEBOOKS:
        item.add_marker(pytest.mark.long("lessons"))


class Rehearsal(nbval_plugin.IPyNbFile):
    """The rehearsal of a lesson or an assignment, collected at its source."""

    def collect(self):
        from translearn import authoring
        from translearn.authoring import notebooks

        self.lesson = authoring.read(self.path)
        self.nb = nbformat.read(notebooks.write_rehearsal(self.lesson), as_version=4)
        code = [cell for cell in self.nb.cells if cell.cell_type == "code"]
        for number, cell in enumerate(code):
            options = defaultdict(bool, nbval_plugin.find_metadata_tags(cell.metadata) or ())
            yield nbval_plugin.IPyNbCell.from_parent(
                self, name=f"Cell {number}", cell_num=number, cell=cell, options=options
            )

    def setup(self):
        from translearn.authoring.book import executed

        folder = NOTEBOOKS
        if self.path.name.startswith("A"):  # an assignment writes beside itself what is handed in
            folder = Path(tempfile.mkdtemp(prefix="translearn-assignment-"))
            self.addfinalizer(lambda: shutil.rmtree(folder, ignore_errors=True))
            # Handing in looks for the notebook beside the kernel; as released it is unsolved.
            shutil.copy(NOTEBOOKS / "coursework" / f"{self.path.stem}.ipynb", folder)
        self.held = contextlib.ExitStack()
        self.held.enter_context(executed.running(self.lesson))
        self.kernel = nbval_kernel.RunningKernel(
            nbval_plugin.CURRENT_ENV_KERNEL_NAME,
            cwd=str(folder),
            startup_timeout=PATIENCE_SECONDS,
        )

    def get_kernel_message(self, timeout=None, stream="iopub"):
        message = super().get_kernel_message(timeout, stream)
        self.messages.append(message)
        return message

    def teardown(self):
        super().teardown()
        if getattr(self, "failed_cell", None) is None:
            self._keep()
        self.held.close()

    def _keep(self):
        """Keep the solved lesson with its outputs: the book prints them."""
        from translearn.authoring.book import executed

        executed.keep(self.lesson, self.nb)


def outputs_of(messages) -> list:
    """The outputs that a front end would show for a kernel's messages, in their order.

    What was cleared is gone, and a display that was updated shows its last state.
    """
    shown, clear = [], False
    for message in messages:
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            shown, clear = (shown, True) if content.get("wait") else ([], False)
        elif kind == "update_display_data":
            name = content.get("transient", {}).get("display_id")
            for row in shown:
                if name and row["display_id"] == name:
                    row["output"]["data"] = content["data"]
        elif kind in ("display_data", "execute_result", "stream", "error"):
            shown, clear = ([] if clear else shown), False
            name = content.get("transient", {}).get("display_id")
            output = nbformat.v4.output_from_msg(message)
            output.pop("transient", None)
            shown.append({"output": output, "display_id": name})
    return nbval_plugin.coalesce_streams([row["output"] for row in shown])


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


def _init(self, *args, **kwargs):
    _plain_init(self, *args, **kwargs)
    self.output_timeout = PATIENCE_SECONDS


_plain_init = nbval_plugin.IPyNbCell.__init__
nbval_plugin.IPyNbCell.__init__ = _init


def _setup(self):
    failed = getattr(self.parent, "failed_cell", None)
    if failed is not None:
        pytest.skip(f"cell {failed} of this notebook failed")


nbval_plugin.IPyNbCell.setup = _setup


def _runtest(self):
    notebook = self.parent
    notebook.messages = []
    before = processor_seconds(notebook.kernel)
    try:
        try:
            _plain_runtest(self)
        except KernelDied:
            self.raise_cell_error("The kernel died while this cell ran")
        if self.options["check_exception"] and not any(
            out.output_type == "error" for out in self.test_outputs
        ):
            self.raise_cell_error("This cell is tagged raises-exception, and raised nothing")
        mine = self.cell.metadata.get("translearn", {})
        if "expect" in mine:
            _expect(self, mine["expect"])
        if not mine.get("added"):
            _charge(self, processor_seconds(notebook.kernel) - before)
        self.cell.outputs = outputs_of(
            m for m in notebook.messages if m["parent_header"].get("msg_type") == "execute_request"
        )
    except pytest.skip.Exception:
        raise
    except BaseException:
        notebook.failed_cell = self.cell_num
        raise


_plain_runtest = nbval_plugin.IPyNbCell.runtest
nbval_plugin.IPyNbCell.runtest = _runtest
nbval_plugin.IPyNbFile.messages = ()  # of the cell that runs, from its kernel


def _expect(cell, kind: str) -> None:
    """Fail unless the cell's last value is a check's outcome of this kind."""
    from translearn.exercises.render import LOOKS

    said = [
        out["data"]["text/plain"]
        for out in cell.test_outputs
        if out.output_type == "execute_result"
    ]
    if not said or not said[-1].startswith(" ".join(LOOKS[kind][:2])):
        cell.raise_cell_error(
            f"This check should answer {kind!r}. It said:\n{said[-1] if said else 'nothing'}"
        )


# ---- Budget ----

_SPENT = pytest.StashKey[dict]()


def processor_seconds(kernel) -> float:
    """What a kernel has computed so far, on all cores, its children included: those that live and
    those that have ended (which macOS and Windows do not tell)."""
    total = 0.0
    try:
        process = psutil.Process(kernel.km.provisioner.process.pid)
        for each in [process, *process.children(recursive=True)]:
            times = each.cpu_times()
            total += times.user + times.system
            total += getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
    except psutil.Error:  # gone in the meantime
        pass
    return total


def slack(product_seconds: float | None = None, size: int = 1024) -> float:
    """How many times slower than the reference this machine is now, and 1 at least.

    `product_seconds` is the processor time of one product of two float32 matrices of `size`;
    measured when not given. A core that it shares with a neighbour is slower, and counts as such.
    """
    if product_seconds is None:
        import numpy as np

        a = np.ones((size, size), "float32")
        a @ a
        start = time.process_time()
        for _ in range(20):
            a @ a
        product_seconds = (time.process_time() - start) / 20
    gflops = 2 * size**3 / product_seconds / 1e9
    return max(1.0, REFERENCE_GFLOPS / gflops)


def limit(budget: float) -> float:
    """Processor seconds at which a notebook of this budget fails on the reference machine.

    A budget is said in seconds on two idle cores, and both may be used: 60 s are at most 120
    processor seconds, and the 90 s at which a lesson fails are 180. The suite's kernels compute on
    one thread (conftest.py): what two would spend waiting for each other is not counted.
    """
    return CORES * min(1.5 * budget, LIMIT_SECONDS)


def _charge(cell, seconds: float) -> None:
    notebook = cell.parent
    budget = notebook.nb.metadata.get("translearn", {}).get("budget_seconds", BUDGET_SECONDS)
    spent = cell.config.stash[_SPENT]
    total = spent.get(notebook.nodeid, 0.0) + seconds
    spent[notebook.nodeid] = total
    # Reaches the summary from a worker too.
    cell.user_properties.append(("notebook seconds", (notebook.nodeid, total, budget)))
    most = limit(budget)
    if total > most and total > most * (times := slack()):
        cell.raise_cell_error(
            f"The notebook has computed for {total:.1f} processor seconds by now; its budget is "
            f"{budget:g} s on two idle cores, it fails at {most:g} processor seconds, and on this "
            f"machine at {most * times:.0f}"
        )


def pytest_terminal_summary(terminalreporter, config) -> None:
    spent = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, value in getattr(report, "user_properties", []):
                if key == "notebook seconds":
                    name, total, budget = value
                    spent[name] = max(spent.get(name, (0, 0)), (total, budget))
    if spent:
        aim = CORES * BUDGET_SECONDS
        terminalreporter.section("computing of the notebooks, in processor seconds")
        for name, (seconds, budget) in sorted(spent.items()):
            over = f"  over the {aim} that a lesson aims at" if seconds > aim else ""
            terminalreporter.write_line(f"{seconds:7.1f} of {limit(budget):g}  {name}{over}")
