"""Starts a grader, and says what is left when it has ended. Standard library only: it runs behind
walls, beside the grader.

    python inside.py REPORT PORT SECONDS FOLDER[:FOLDER] COMMAND …

It listens at PORT on this machine, and becomes the parent of whatever the grader leaves behind.
"""

import ctypes
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER in <linux/prctl.h>


def files(folders) -> dict:
    """{path: digest} of all files below."""
    found = {}
    for top in folders:
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    with open(path, "rb") as file:
                        found[path] = hashlib.sha256(file.read()).hexdigest()
                except OSError:
                    found[path] = ""
    return found


def children() -> list:
    """Processes whose parent this one is, those that have ended excepted: [(pid, command)]."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
            with open(f"/proc/{pid}/cmdline") as file:
                command = file.read().replace("\0", " ").strip()
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append((int(pid), command))
    return found


def main(report, port, seconds, folders, *command) -> None:
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    server, calls = socket.create_server(("127.0.0.1", int(port))), []

    def listen():
        while True:
            calls.append(server.accept())

    threading.Thread(target=listen, daemon=True).start()
    folders = folders.split(":")
    before, began = files(folders), time.monotonic()
    with open(f"{report}.log", "wb") as log:
        grader = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            code = grader.wait(float(seconds))
        except subprocess.TimeoutExpired:
            code = None  # it hung, and what is left is ours to end
            os.killpg(grader.pid, signal.SIGKILL)
            grader.wait()
    took, end = time.monotonic() - began, time.monotonic() + 1
    while (left := children()) and time.monotonic() < end:
        time.sleep(0.05)
    after = files(folders)
    with open(f"{report}.part", "w") as file:
        json.dump(
            {
                "code": code,
                "seconds": round(took, 2),
                "left": [command for _, command in left] if code is not None else [],
                "calls": len(calls),
                "changed": sorted(
                    path
                    for path in before.keys() | after.keys()
                    if before.get(path) != after.get(path)
                ),
            },
            file,
        )
    os.replace(f"{report}.part", report)
    for pid, _ in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
