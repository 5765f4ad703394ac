"""Ours on the workers of a Dask scheduler on this machine: how it scales, and what is lost when a
worker is killed in the middle, or goes silent for good.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import psutil

from translearn import paths
from translearn.bench.grading import cases, graders
from translearn.coursework.instructor import folder, grading

WORKERS = (1, 2, 4)
LOSSES = {"one killed": [signal.SIGKILL], "one silent for good": [signal.SIGSTOP]}
SILENT = 20  # seconds after which the scheduler gives up a worker that says nothing
PICTURE = paths.ROOT / "docs" / "grading-on-workers.png"


@contextlib.contextmanager
def cluster(workers: int, silent: float = SILENT):
    """A scheduler and its workers as deploy/README.md starts them: `dask scheduler` and `dask
    worker`, processes of this machine that nobody starts again. Yields (address, [processes of
    the workers]).

    silent   seconds after which a worker that says nothing counts as lost
    """
    with tempfile.TemporaryDirectory(prefix="translearn-dask-") as place:
        file, started = Path(place) / "scheduler.json", []
        env = graders.environment() | {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": f"{silent:g} s"}

        def start(*words):
            words = [graders.beside(sys.executable, "dask"), *words, "--host", "127.0.0.1"]
            words += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            started.append(subprocess.Popen(words, cwd=place, env=env, **quiet))

        try:
            start("scheduler", "--port", "0", "--scheduler-file", str(file))
            for _ in range(workers):
                words = ["--scheduler-file", str(file), "--nworkers", "1", "--nthreads", "1"]
                start("worker", "--no-nanny", *words)
            yield _address(file, workers), started[1:]
        finally:
            for process in reversed(started):
                with contextlib.suppress(psutil.Error):
                    for child in psutil.Process(process.pid).children(recursive=True):
                        child.kill()
                process.kill()
                process.wait()


def _address(file, workers, within=120):
    """The scheduler's address, once all its workers are there."""
    from distributed import Client

    end = time.monotonic() + within
    while (found := folder.read_json(file)) is None and time.monotonic() < end:
        time.sleep(0.05)
    with Client(found["address"], timeout=within) as client:
        client.wait_for_workers(workers, within)
    return found["address"]


def attempt(workers: int, signals=(), count: int = 18, silent: float = SILENT) -> dict:
    """Grade `count` of A1 on that many workers. When a third of the verdicts are written, each of
    `signals` goes to a worker of its own.

    Returns seconds (`wall`); how many marks were right; how many submissions have no verdict
    (`lost`), and how many had more than one written (`twice`); and when each ran where:
    `stream`, [(worker, began, ended)] in seconds from the beginning, with `at`, the moment of the
    loss, or None.
    """
    from distributed import Client, get_task_stream

    known, written, at = cases.known("A1", count), [], []
    with (
        tempfile.TemporaryDirectory(prefix="translearn-bench-") as place,
        cluster(workers, silent) as (address, processes),
    ):
        root, ours = Path(place) / "class", graders.Ours()
        ours.prepare(root, "A1")
        whose = {f"s{n:05d}": case for n, case in enumerate(known)}
        graders.hand_in(root, "A1", {who: case.data for who, case in whose.items()})
        real, began = grading._keep, time.time()

        def keep(course, assignment, student, result):
            written.append(student)
            real(course, assignment, student, result)
            if len(written) == max(1, count // 3) and signals:
                at.append(time.time() - began)
                for process, number in zip(processes, signals):
                    os.kill(process.pid, number)

        with Client(address) as client, mock.patch.object(grading, "_keep", keep):
            with get_task_stream(client) as stream:
                grading.grade(folder.Course(root), "A1", scheduler=address, quiet=True)
        wall = time.time() - began
        found = [cases.verdict(case, ours.marks(root, "A1", who)) for who, case in whose.items()]
    return {
        "workers": workers,
        "submissions": count,
        "wall": round(wall, 2),
        "right": found.count("right"),
        "lost": len(set(whose) - set(written)),
        "twice": len(written) - len(set(written)),
        "stream": _lanes(stream.data, began),
        "at": at[0] if at else None,
    }


def _lanes(data, began) -> list:
    """[(number of the worker, began, ended)] of what the scheduler saw of `grade_one`."""
    names = list(dict.fromkeys(task["worker"] for task in data))
    return [
        (
            names.index(task["worker"]),
            round(step["start"] - began, 2),
            round(step["stop"] - began, 2),
        )
        for task in data
        if "grade_one" in str(task["key"])
        for step in task["startstops"]
        if step["action"] == "compute"
    ]


def plan(rows, count):
    """As `command.plan`; what is kept of a run is without its stream, but for the picture."""
    have = {(row["workers"], row["event"]) for row in rows if "workers" in row}
    for workers in WORKERS:
        for event in ("nothing lost", *LOSSES) if workers > 1 else ("nothing lost",):
            if (workers, event) not in have:

                def run(add, workers=workers, event=event):
                    found = attempt(workers, LOSSES.get(event, ()), count)
                    add({"grader": "ours", "event": event} | found)

                yield f"A1 on {workers} Dask workers, {event}", run


def picture(row: dict, path: Path = PICTURE) -> None:
    """The scheduler's task stream: which worker had which submission, when."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(8, 0.6 + 0.45 * row["workers"]), layout="constrained")
    for lane, began, ended in row["stream"]:
        ax.barh(lane, ended - began, left=began, height=0.7, edgecolor="white", color="#4477aa")
    if row["at"] is not None:
        ax.axvline(row["at"], color="#cc3311", lw=2)
        ax.annotate(
            row["event"], (row["at"], 1), (4, 2), ("data", "axes fraction"), "offset points",
            color="#cc3311",
        )  # fmt: skip
    ax.set_yticks(range(row["workers"]), [f"worker {n + 1}" for n in range(row["workers"])])
    ax.set_xlabel("seconds; each bar is a submission")
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(path, dpi=110)
    plt.close(fig)
