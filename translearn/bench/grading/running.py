"""Runs the graders: for speed on submissions of a bank, and one by one on those that are broken
or hostile.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from translearn.bench.grading import cases, fence, graders

CELL = 60  # seconds of a cell, as ours has it; otter-grader has no such limit
SHORT = 10  # of a cell of a broken or hostile one, so that those that hang do not take hours
ENOUGH = 120  # seconds of such a submission as a whole: then its grader is stopped
ATTACKER, VICTIM = "mallory", "zoe"
LOOK = 0.5  # seconds between two looks at the memory


class Memory:
    """The most memory in bytes that some processes and all below them held at once; pages that
    several share are divided among them.
    """

    def __init__(self, pids):
        self.pids, self.most, self.over = list(pids), 0, threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.over.wait(LOOK):
            total = 0
            for pid in self.pids:
                try:
                    top = psutil.Process(pid)
                    family = [top, *top.children(recursive=True)]
                except psutil.Error:
                    continue
                for process in family:
                    try:
                        total += process.memory_full_info().pss
                    except psutil.Error:
                        pass
            self.most = max(self.most, total)

    def stop(self) -> int:
        self.over.set()
        self.thread.join()
        return self.most


def busy() -> float:
    """Seconds that the machine's processors have worked since it started."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0) - getattr(times, "guest", 0)


def idle(seconds: float = 2) -> float:
    """The share of the processors that something else uses at present."""
    before, began = busy(), time.monotonic()
    time.sleep(seconds)
    return (busy() - before) / (time.monotonic() - began) / (os.cpu_count() or 1)


def speed(grader, assignment: str, count: int, jobs: int) -> dict:
    """Grade `count` submissions of the bank, `jobs` at a time.

    Returns seconds (`wall`; `cpu`: all that the machine's processors did meanwhile, so nothing
    else should run), the most memory in bytes, and how many marks were right, missing and wrong.
    """
    known = cases.known(assignment, count)
    with tempfile.TemporaryDirectory(prefix="translearn-bench-") as place:
        root = Path(place) / "class"
        grader.prepare(root, assignment)
        whose = {f"{graders.initial(n % jobs)}{n:05d}": case for n, case in enumerate(known)}
        graders.hand_in(root, assignment, {who: case.data for who, case in whose.items()})
        if grader.fenced:
            fence.open_up(root)
        log = open(Path(place) / "log", "wb")
        worked, began = busy(), time.monotonic()
        running = [
            subprocess.Popen(
                graders.full_command(grader, root, words),
                cwd=root,
                env=graders.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            for words in grader.commands(root, assignment, [], jobs, CELL)
        ]
        memory = Memory(process.pid for process in running)
        for process in running:
            process.wait()
        wall, worked, most = time.monotonic() - began, busy() - worked, memory.stop()
        found = [
            cases.verdict(case, grader.marks(root, assignment, who)) for who, case in whose.items()
        ]
    return {
        "submissions": count,
        "wall": round(wall, 2),
        "cpu": round(worked, 2),
        "memory": most,
        **{said: found.count(said) for said in ("right", "none", "wrong")},
    }


# ---- one by one


class Trial:
    """The class in which a grader meets broken and hostile submissions: it is made once, and
    copied for each.
    """

    def __init__(self, grader):
        self.grader, self.canary = grader, f"CANARY-{secrets.token_hex(8)}"
        self.place = tempfile.TemporaryDirectory(prefix="translearn-trial-")
        self.template = Path(self.place.name) / "template"
        grader.prepare(self.template, "A1")
        (self.template / "diary.txt").write_text(self.canary)
        work = f'{{"cells": [], "nbformat": 4, "note": "{self.canary}"}}'
        graders.hand_in(self.template, "A1", {VICTIM: work.encode()})

    def close(self):
        self.place.cleanup()

    def attempt(self, name: str, slot: int = 0) -> dict:
        """One case: the verdict on its mark, and the traces that it left."""
        root = Path(self.place.name) / f"class{slot}"
        shutil.copytree(self.template, root)
        seen = fence.PLACE if self.grader.fenced else str(root)  # where the class is, for it
        port = _free_port()
        places = [f"{seen}/diary.txt", f"{seen}/submitted/{VICTIM}/A1/A1.ipynb"]
        case = next(
            each
            for each in cases.trying(places, f"{seen}/gradebook.db", port)
            if each.name == name
        )
        graders.hand_in(root, "A1", {ATTACKER: case.data})
        if self.grader.fenced:
            fence.open_up(root)
        report = f"{seen}/.report.json"
        folders = "/tmp" if self.grader.fenced else str(root)
        words = [sys.executable, str(graders.HERE / "inside.py"), report, str(port), str(ENOUGH)]
        (command,) = self.grader.commands(Path(seen), "A1", [ATTACKER], 1, SHORT)
        words = graders.full_command(self.grader, root, [*words, folders, *command], slot)
        subprocess.run(
            words,
            cwd=root,
            env=graders.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        said = graders.folder.read_json(root / ".report.json")
        found = {
            "grader": self.grader.name,
            "name": name,
            "kind": case.kind,
            "verdict": cases.verdict(case, self.grader.marks(root, "A1", ATTACKER)),
            "traces": self._traces(root, said),
            "seconds": said and said["seconds"],
            "stopped": said is not None and said["code"] is None,
        }
        shutil.rmtree(root)
        return found

    def _traces(self, root, said) -> list:
        """What the submission read, changed or left behind."""
        if said is None:
            return ["ended the grader"]
        found = ["left a process"] * bool(said["left"]) + ["reached the network"] * bool(
            said["calls"]
        )
        protected = ("source/", "release/", f"submitted/{VICTIM}/", "diary.txt", "secret.key")
        for path in said["changed"]:
            inside = (
                path.split("/class/")[-1] if self.grader.fenced else os.path.relpath(path, root)
            )
            if "pwned" in os.path.basename(path):
                found.append("left a file")
            elif inside.startswith(protected) or inside == "autograder.zip":
                found.append("changed another's file")
        for path in _outputs(root):
            if self.canary.encode() in path.read_bytes():
                found.append("showed what it may not read")
        return sorted(set(found))


def _outputs(root):
    for place in ("autograded", "results"):
        yield from (path for path in (root / place).rglob("*") if path.is_file())


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def attempt_all(grader, names, jobs: int, keep) -> None:
    """Every case, `jobs` at a time; `keep` takes each finding as it comes."""
    if not names:
        return
    trial, free = Trial(grader), list(range(jobs))

    def one(name):
        slot = free.pop()
        try:
            keep(trial.attempt(name, slot))
        finally:
            free.append(slot)

    try:
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, names))
    finally:
        trial.close()


def names() -> list:
    """Of all broken and hostile submissions."""
    return [case.name for case in cases.trying([], "", 1)]
