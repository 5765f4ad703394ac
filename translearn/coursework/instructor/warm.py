"""Sandboxes that start warm: children of a zygote that has imported TensorFlow once for all.

This is the grader's side of `student.zygote`: it starts the zygote in walls of its own and asks it
for children. A submission's bytes go to a child directly, never through the zygote. Where the
kernel does not let a child close itself in, `NotWarm` says why, and sandboxes start cold.
"""

import contextlib
import itertools
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading

from translearn.coursework.instructor import seccomp, walls

PATIENCE = 180  # seconds until it has imported, on a busy machine
BIRTH = 30  # seconds until it has made a child
CREDENTIALS = struct.Struct("3i")  # process, user, group: as the kernel adds them to a message
PROGRAM = "zygote"


class NotWarm(Exception):
    """There can be no zygote here. The message is the reason."""


class Child:
    """A child of the zygote in walls of its own, as far as a `subprocess.Popen` is needed."""

    def __init__(self, process: int, stdin: int, stdout: int, status: int):
        """Its number and our ends of its pipes, which are closed with it."""
        self._handle, self._status, self._said = os.pidfd_open(process), status, None
        self._using = threading.Lock()  # a closed handle's number is soon another child's
        self.pid, self.stdin, self.stdout = process, open(stdin, "wb", 0), open(stdout, "rb", 0)

    def kill(self) -> None:
        """End it, and with it everything inside."""
        with self._using, contextlib.suppress(ProcessLookupError):
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self, seconds: float | None = None) -> int:
        """Its exit status, as a shell says it (128 and the number for a signal); -9 if somebody
        outside has ended it.

        Raises `subprocess.TimeoutExpired` if it does not end within `seconds`.
        """
        if self._said is None:
            parts = []
            while not parts or parts[-1]:
                if not _readable(self._status, seconds):
                    raise subprocess.TimeoutExpired(PROGRAM, seconds)
                parts.append(os.read(self._status, 4096))
            self._said = b"".join(parts).decode(errors="replace")
            os.close(self._status)
            with self._using:
                os.close(self._handle)
                self._handle = None
        code = self._said.rpartition("\n")[2]
        return int(code) if code.isdigit() else -signal.SIGKILL  # ended before it could tell

    @property
    def reason(self) -> str:
        """Why it has no walls, once it has ended for that."""
        return " ".join((self._said or "").splitlines()[:-1])


class Zygote:
    """A process that has imported `ahead`. Belongs to the thread that started it."""

    def __init__(self, ahead, disk: int, memory: int, tasks: int):
        """Start it; `ready` waits until it has imported.

        disk            bytes of a child's folder
        memory, tasks   of all children together, where systemd makes a control group
        """
        if not seccomp.program():
            raise NotWarm("There is no filter on system calls for this kind of processor")
        self.numbers = itertools.count()  # of children
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        words = [*walls.scope(memory, tasks), *walls.zygote_command(disk), sys.executable]
        with theirs:
            self.process = walls.start(
                [*words, *_program(theirs.fileno())],
                filtered=False,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd="/",
                env={},
                **walls.QUIETLY,
            )
        told = {
            "ahead": list(ahead),
            "disk": disk,
            "kept": walls.below_tmp(),
            "root": os.geteuid() == 0,
            "filter": seccomp.program().hex(),
        }
        self.control.send(json.dumps(told).encode())

    def ready(self) -> "Zygote":
        """Wait until it has imported and one child has closed itself in. Raises `NotWarm`."""
        said, _ = self._receive(PATIENCE)
        if failed := json.loads(said)["failed"]:
            raise NotWarm(f"It could not import {failed[0]}")
        with contextlib.closing(_Trial(self.child(0 if os.geteuid() else walls.FIRST_UID))) as one:
            one.comes_up()
        return self

    def alive(self) -> bool:
        return self.process.poll() is None

    def child(self, user: int) -> Child:
        """A new child, which becomes `user` (0 where only root can have more than one user).

        Raises `NotWarm` if none is born within `BIRTH` seconds, or the zygote has ended.
        """
        asked = {"user": user, "number": next(self.numbers)}
        reads, writes, status = os.pipe(), os.pipe(), os.pipe()
        theirs = [reads[0], writes[1], status[1]]
        try:
            socket.send_fds(self.control, [json.dumps(asked).encode()], theirs)
            number = None
            while number != asked["number"]:  # else of one that we have given up
                said, process = self._receive(BIRTH)
                said = json.loads(said)
                number = said["number"]
            if "failed" in said:
                raise NotWarm(said["failed"])
            return Child(process, reads[1], writes[0], status[0])
        except (OSError, NotWarm) as problem:
            for each in (reads[1], writes[0], status[0]):
                os.close(each)
            raise NotWarm(f"A sandbox was not born ({problem})") from None
        finally:
            for each in theirs:
                os.close(each)

    def _receive(self, seconds):
        """(message, process that sent it), the latter as it is numbered out here."""
        if not _readable(self.control.fileno(), seconds):
            raise NotWarm(f"It did not answer within {seconds} s")
        said, added, _, _ = self.control.recvmsg(1 << 16, socket.CMSG_SPACE(CREDENTIALS.size))
        if not said or not added:
            raise NotWarm("It ended while it started")
        return said, CREDENTIALS.unpack(added[0][2])[0]

    def close(self) -> None:
        """End it, and all its children."""
        self.control.close()
        self.process.kill()
        self.process.wait()


class _Trial:
    """The first child shows whether there are walls: it says that it is ready, or why not."""

    def __init__(self, child):
        self.child = child

    def comes_up(self):
        if _readable(self.child.stdout.fileno(), PATIENCE) and self.child.stdout.read(4):
            return
        self.child.kill()
        self.child.wait()
        raise NotWarm(f"A child could not close itself in ({self.child.reason or 'no reason'})")

    def close(self):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


def _readable(descriptor, seconds):
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def _program(control):
    place = str(walls.PACKAGE.parent)
    imports = f"import sys; sys.path.insert(0, {place!r}); "
    return [
        "-I",
        "-c",
        f"{imports}from translearn.coursework.student.{PROGRAM} import main; main()",
        str(control),
    ]
