"""Ours on the workers of a Dask scheduler on this machine: how it scales, and what is lost when a
worker is killed in the middle, or goes silent for good.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

import psutil

from translearn.bench.grading import cases, graders
from translearn.coursework.instructor import folder, grading

WORKERS = (1, 2, 4)
EVENTS = ("nothing", "one killed", "one silent for good")
SILENT = "20 s"  # after which the scheduler gives up a worker that says nothing


@contextlib.contextmanager
def cluster(workers: int, nanny: bool = False, silent: str = SILENT):
    """A scheduler and its workers as deploy/README.md starts them: processes of `dask scheduler`
    and `dask worker`, on this machine alone. Yields (address, [worker processes]).

    nanny    with a process that starts a worker again when it dies
    silent   after how long a worker that says nothing counts as lost
    """
    with tempfile.TemporaryDirectory(prefix="translearn-dask-") as place:
        file = Path(place) / "scheduler.json"
        env = graders.environment() | {
            "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": silent,
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s",
        }
        closed = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        program = graders.beside(sys.executable, "dask")
        started = []

        def start(*words):
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            process = subprocess.Popen([program, *words, *closed], cwd=place, env=env, **quiet)
            started.append(process)
            return process

        try:
            start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
            words = ["--scheduler-file", str(file), "--nworkers", "1", "--nthreads", "1"]
            words += ["--host", "127.0.0.1", "--nanny" if nanny else "--no-nanny"]
            those = [start("worker", *words) for _ in range(workers)]
            address = _address(file, workers)
            yield address, those
        finally:
            for process in reversed(started):
                with contextlib.suppress(psutil.Error):
                    for child in psutil.Process(process.pid).children(recursive=True):
                        child.kill()
                process.kill()
                process.wait()


def _address(file, workers, within=60):
    """The scheduler's address, once all its workers are there."""
    from distributed import Client

    end = time.monotonic() + within
    while (found := folder.read_json(file)) is None and time.monotonic() < end:
        time.sleep(0.05)
    with Client(found["address"], timeout=within) as client:
        client.wait_for_workers(workers, within)
    return found["address"]


def happen(event: str, process, after: float) -> threading.Timer:
    """Do to a worker, after some seconds, what `event` says."""
    what = {"one killed": signal.SIGKILL, "one silent for good": signal.SIGSTOP}
    timer = threading.Timer(after, os.kill, (process.pid, what.get(event, 0)))
    timer.daemon = True
    timer.start()
    return timer


def attempt(workers: int, event: str, count: int, after: float = 5) -> dict:
    """Grade `count` of A1 on that many workers. `after` that many seconds one of them is lost.

    Returns how many marks were right, how many submissions have none (`lost`), and how many were
    written more than once (`twice`).
    """
    known = cases.known("A1", count)
    with (
        tempfile.TemporaryDirectory(prefix="translearn-bench-") as place,
        cluster(workers) as (address, processes),
    ):
        root, ours = Path(place) / "class", graders.Ours()
        ours.prepare(root, "A1")
        whose = {f"s{n:05d}": case for n, case in enumerate(known)}
        graders.hand_in(root, "A1", {who: case.data for who, case in whose.items()})
        timer, began = happen(event, processes[0], after), time.monotonic()
        with mock.patch.object(grading, "_keep", wraps=grading._keep) as keep:
            grading.grade(folder.Course(root), "A1", scheduler=address, quiet=True)
        wall = time.monotonic() - began
        timer.cancel()
        written = [call.args[2] for call in keep.call_args_list]
        found = [cases.verdict(case, ours.marks(root, "A1", who)) for who, case in whose.items()]
    return {
        "workers": workers,
        "event": event,
        "submissions": count,
        "wall": round(wall, 2),
        "right": found.count("right"),
        "lost": len(set(whose) - set(written)),
        "twice": len(written) - len(set(written)),
    }


def plan(rows, count):
    """As `command.plan`."""
    have = {(row["workers"], row["event"]) for row in rows if "workers" in row}
    for workers in WORKERS:
        for event in EVENTS[: 1 if workers == 1 else 3]:
            if (workers, event) not in have:

                def run(add, workers=workers, event=event):
                    add({"grader": "ours"} | attempt(workers, event, count))

                yield f"A1 on {workers} Dask workers: {event} is lost", run
