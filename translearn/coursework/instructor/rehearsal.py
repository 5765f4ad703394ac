"""A rehearsal: a made-up class of any size is graded on this machine, with the marks known
beforehand.
"""

import json
import resource
import tempfile
import threading
import time
from pathlib import Path

import psutil

from translearn.coursework.instructor import bank, books, folder, grading
from translearn.coursework.instructor.release import release

# One in twenty misbehaves: (the cell that is put before the first answer, or the file itself; what
# becomes of it).
TROUBLE = [
    ("while True: pass", "graded"),
    ("import os\nos._exit(1)", "graded"),
    ("print('x' * 50_000_000)", "graded"),
    ("hog = bytearray(20 * 2**30)", "graded"),
    (b"not a notebook", "ungraded"),
]


def rehearse(assignment: str, submissions: int, jobs: int, cell_seconds: float = 10) -> dict:
    """Grade `submissions` made-up ones; returns wall and waiting times in seconds, peak memory in
    bytes, and what went wrong.

    Each is one of the assignment's bank, so its mark is known; one in twenty loops, ends Python,
    prints without measure, takes too much memory, or is no notebook, and must cost no other its
    mark.
    """
    cases, expected = list(bank.cases(assignment)), {}
    with tempfile.TemporaryDirectory(prefix="translearn-rehearsal-") as place:
        course = folder.new(Path(place) / "class", "Rehearsal")
        release(course, assignment)
        for n in range(submissions):
            student = f"s{n:05d}"
            _, book, marks = cases[n % len(cases)]
            data, state = json.dumps(book).encode(), "graded"
            if n % 20 == 7:
                trouble, state = TROUBLE[n // 20 % len(TROUBLE)]
                if isinstance(trouble, bytes):
                    data = trouble
                else:
                    data = json.dumps(
                        book
                        | {
                            "cells": [
                                book["cells"][0],
                                {
                                    "cell_type": "code",
                                    "metadata": {},
                                    "source": trouble,
                                    "id": "own",
                                },
                                *book["cells"][1:],
                            ]
                        }
                    ).encode()
            folder.write(course.submitted(student, assignment), data)
            expected[student] = (state, marks if state == "graded" else None)
        most = _Memory()
        began = time.monotonic()
        done = grading.grade(
            course, assignment, jobs=jobs, limits=grading.Limits(cell_seconds=cell_seconds)
        )
        wall = time.monotonic() - began
        most.stop()
        rows = {row["student"]: row for row in books.marks(course, assignment)}
        wrong = []
        for student, (state, marks) in expected.items():
            got = done[student]
            scores = {name: rows[student][name] for name in (marks or {})}
            if got["state"] != state or (
                marks
                and any(
                    scores[name] is None or abs(scores[name] - points) > 1e-6
                    for name, points in marks.items()
                )
            ):
                wrong.append(
                    f"{student}: expected {state} {marks}, got {got['state']} {scores} "
                    f"{got['reason']}"
                )
        waited = sorted(result["waited"] for result in done.values() if "waited" in result)
    return {
        "submissions": submissions,
        "jobs": jobs,
        "wall": wall,
        "median wait": waited[len(waited) // 2],
        "95 % wait": waited[int(0.95 * len(waited))],
        "memory of this process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "memory with sandboxes": most.most,
        "wrong": wrong,
    }


class _Memory:
    """The most memory that this process and its sandboxes held at once, looked at each second."""

    def __init__(self):
        self.most, self.over = 0, threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        me = psutil.Process()
        while not self.over.wait(1):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    pass
            self.most = max(self.most, total)

    def stop(self):
        self.over.set()
