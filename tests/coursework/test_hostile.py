"""No submission gains what it did not earn, none stops the others, and after each the machine is
as it was.
"""

import dataclasses
import json
import os
import re
import socket
import threading
import time

import psutil
import pytest
from hostile import CASES, matches

from conftest import points
from translearn.coursework.instructor import bank, grading, sandbox, walls
from translearn.paths import ROOT

LIMITS = sandbox.Limits(
    memory=2**30,
    cell_seconds=4,
    probe_seconds=3,
    total_seconds=90,
    grace_seconds=2,
    disk=128 * 2**20,
    processes=200,
)
PERFECT = bank.books("A1")[1]
RUNNING = f"{str(ROOT)!r}); from translearn.coursework.student.runner"


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """What a submission must not reach: a class with a secret, somebody else's work, a server on
    this machine.
    """
    folder = tmp_path_factory.mktemp("secret-class")
    for name in ("secret.key", "gradebook.db", "other.ipynb"):
        (folder / name).write_text("TOPSECRET")
        (folder / name).chmod(0o666)
    server = socket.create_server(("127.0.0.1", 0))
    calls = []

    def listen():
        while True:
            try:
                calls.append(server.accept())
            except OSError:
                return

    threading.Thread(target=listen, daemon=True).start()
    yield {"folder": folder, "port": server.getsockname()[1], "calls": calls}
    server.close()


def _strangers():
    """Processes of sandboxes, those that wait in the pool excepted: {pid: command}."""
    waiting = set()
    for pool in grading._pools.values():
        for each in list(pool.waiting.queue):
            if isinstance(each, sandbox.Sandbox):
                waiting |= {process.pid for process in each._tree()}
    found = {}
    mine = walls.FIRST_UID + sandbox.first_slot()  # each process of Python has users of its own
    for process in psutil.process_iter(["pid", "ppid", "cmdline", "uids"]):
        uids, command = process.info["uids"], " ".join(process.info["cmdline"] or [])
        ours = uids and mine <= uids.real < mine + sandbox.SLOTS
        # bubblewrap itself, and everything when the suite is an ordinary user's
        ours = ours or RUNNING in command and process.info["ppid"] in (1, os.getpid())
        if ours and process.info["pid"] not in waiting:
            try:
                if process.status() != psutil.STATUS_ZOMBIE:
                    found[process.info["pid"]] = command[:80]
            except psutil.Error:  # gone in the meantime
                pass
    return found


def _settled(before):
    """New strangers once things have settled: a sandbox that the pool has just started is not one,
    so wait for it to come up.
    """
    end = time.monotonic() + 300
    while (
        left := {pid: c for pid, c in _strangers().items() if pid not in before}
    ) and time.monotonic() < end:
        time.sleep(0.2)
    return left


@pytest.mark.parametrize("cold", [False, pytest.param(True, marks=pytest.mark.long("hostile"))])
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.long("hostile")] * case.long)
        for case in CASES
    ],
)
def test_hostile(case, cold, released, outside, record_property):
    book = case.change(PERFECT)
    if isinstance(book, dict):
        places = [
            str(outside["folder"] / name) for name in ("secret.key", "gradebook.db", "other.ipynb")
        ]
        places += [
            str(ROOT / "translearn" / "coursework" / "instructor" / "judges" / "a1.py"),
            str(ROOT / "translearn" / "coursework" / "instructor" / "banks" / "a1.py"),
            str(ROOT / "notebooks" / "source" / "A1_losses_optimisers_rates.md"),
            "/etc/shadow",
            "/etc/passwd",
        ]
        text = (
            json.dumps(book)
            .replace("PLACES", json.dumps(places).replace('"', "'"))
            .replace("PORT", str(outside["port"]))
        )
        data = text.encode()
    else:
        data = book
    before_files, before_listeners = _files(outside), _listeners()
    others = _strangers()

    result = grading.grade_one(
        "A1",
        released("A1"),
        data,
        "secret",
        dataclasses.replace(LIMITS, cell_seconds=case.seconds),
        spare=1,
        cold=cold,
    )

    got = points(result)
    full = {
        name: sum(part["points"] for part in parts) for name, parts in result["questions"].items()
    }
    expected = full | case.expected
    record_property(
        "hostile",
        (
            case.name,
            f"{case.state}; {case.expected or 'full'}",
            f"{result['state']}; "
            f"{ {n: p for n, p in got.items() if p != full[n]} or 'full' } "
            f"{result['reason'][:60]}",
            result["seconds"],
        ),
    )
    state = "ungraded" if None in case.expected.values() else case.state
    assert result["state"] == state, result["reason"]
    if case.state == "graded":
        assert len(got) == 8
        assert got == expected, {
            name: [part["message"] for part in parts]
            for name, parts in result["questions"].items()
            if got[name] != expected[name]
        }
    if case.reason:
        about = (
            result["reason"]
            if state == "ungraded"
            else " ".join(
                part["message"] for name in case.expected for part in result["questions"][name]
            )
        )
        assert matches(case.reason, about), about

    whole = json.dumps(result)
    assert len(whole) < 3_000_000
    for cell in result["cells"]:
        cell["source"] = ""
    said = json.dumps(result)
    assert "TOPSECRET" not in said and "LEAK" not in said and "root:" not in said
    assert "HITS" not in said or "HITS 0 []" in said
    assert "HELD" not in said or "HELD [-1, -1, -1]" in said
    assert "DONE" not in said or "DONE [-1, -1, -1, 1]" in said
    assert "<script" not in said
    # The machine is as it was.
    assert outside["calls"] == []
    assert _files(outside) == before_files
    assert _settled(others) == {}
    assert _listeners() == before_listeners


def _files(outside):
    here = ("/tmp", "/dev/shm", "/var/tmp")
    mine = {
        os.path.join(folder, name)
        for folder in here
        if os.path.isdir(folder)
        for name in os.listdir(folder)
    }
    # What the cases would leave there; other people use these folders, too.
    theirs = {name for name in mine if re.fullmatch(r"big\d*|pwned.*", os.path.basename(name))}
    return theirs, {path.name: path.read_text() for path in outside["folder"].iterdir()}


def _command(pid) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:  # it has ended, or is just ending
        return ""


def _listeners():
    return {
        c.laddr
        for c in psutil.net_connections("inet")
        if c.status == psutil.CONN_LISTEN
        and c.pid not in (None, os.getpid())
        and "translearn.coursework.student" in _command(c.pid)
    }
