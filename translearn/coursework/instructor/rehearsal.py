"""A rehearsal: a made-up class of any size is graded on this machine, with the marks known
beforehand.
"""

import json
import resource
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import psutil

from translearn.coursework.instructor import bank, books, folder, grading, judging
from translearn.coursework.instructor.release import release
from translearn.coursework.instructor.session import Session
from translearn.coursework.instructor.submission import parse, prepare

# One in twenty misbehaves: (the cell that is put before the first answer, or the file itself; what
# becomes of it).
TROUBLE = [
    ("while True: pass", "graded"),
    ("import os\nos._exit(1)", "graded"),
    ("print('x' * 50_000_000)", "graded"),
    ("hog = bytearray(20 * 2**30)", "graded"),
    (b"not a notebook", "ungraded"),
]


def rehearse(
    assignment: str, submissions: int, jobs: int, cell_seconds: float = 10, cold: bool = False
) -> dict:
    """Grade `submissions` made-up ones; returns wall and waiting times in seconds, peak memory in
    bytes, and what went wrong.

    Each is one of the assignment's bank, so its mark is known; one in twenty loops, ends Python,
    prints without measure, takes too much memory, or is no notebook, and must cost no other its
    mark. "wait for one" is the time in which one that comes alone has run, and "memory of the
    sandboxes" that of `jobs` of them with the model answers run, all at one time.
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
            course,
            assignment,
            jobs=jobs,
            limits=grading.Limits(cell_seconds=cell_seconds),
            cold=cold,
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
        "wait for one": wait_for_one(assignment, cold),
        "memory of the sandboxes": memory_of(assignment, jobs, cold),
        "wrong": wrong,
    }


def wait_for_one(assignment: str, cold: bool = False, times: int = 3) -> float:
    """Seconds until the cells of a submission have run that comes alone, when the pool waits for
    work: the median of several, each the model answers.
    """
    released, solved = bank.books(assignment)
    released, data = parse(json.dumps(released).encode()), json.dumps(solved).encode()
    waited = []
    try:
        for _ in range(times + 1):
            waited.append(grading.grade_one(assignment, released, data, "s", cold=cold)["waited"])
            _settle()
    finally:
        grading.close_pools()
    return median(waited[1:])  # the first one waited until the pool was there


def memory_of(assignment: str, count: int, cold: bool = False) -> int:
    """Bytes that `count` sandboxes hold together, each with the model answers run and ready to be
    asked: what they share is counted once.
    """
    released, solved = bank.books(assignment)
    prepared = prepare(parse(json.dumps(released).encode()), parse(json.dumps(solved).encode()))
    module, held, limits = judging.load(assignment.lower()), [], grading.Limits()
    try:
        for _ in range(count):
            pool = grading.pool(module.AHEAD, limits, False, 1, cold)
            held.append(Session(assignment.lower(), prepared.sources(), pool, limits))
        return sum(map(_share, _below()))
    finally:
        for session in held:
            session.close()
        grading.close_pools()


def _below() -> list:
    return psutil.Process().children(recursive=True)


def _share(process) -> int:
    """Bytes of a process, a page that several share divided among them."""
    try:
        return process.memory_full_info().pss
    except psutil.Error:
        return 0


def _settle(quiet: float = 0.5, within: float = 60) -> None:
    """Wait until the processes that were started ahead have nothing more to do."""

    def worked():
        total = 0.0
        for process in _below():
            try:
                times = process.cpu_times()
                total += times.user + times.system
            except psutil.Error:
                pass
        return total

    end, before = time.monotonic() + within, None
    while (now := worked()) != before and time.monotonic() < end:
        before = now
        time.sleep(quiet)


class _Memory:
    """The most memory that this process and its sandboxes held at once, looked at each second."""

    def __init__(self):
        self.most, self.over = 0, threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        while not self.over.wait(1):
            total = sum(map(_share, [psutil.Process(), *_below()]))
            self.most = max(self.most, total)

    def stop(self):
        self.over.set()
