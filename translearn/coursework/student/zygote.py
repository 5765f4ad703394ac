"""A process that has imported what submissions need, and forks a child for each of them.

    python -I -m translearn.coursework.student.zygote 3        (the descriptor of its socket)

It runs inside walls of its own (no network, read-only files), never sees a submission, and never
runs an operation: TensorFlow survives a fork only until its threads start. Each child closes
itself in with `seal` *before* it reads a byte: namespaces of its own for processes, mounts,
network and messages, an empty `/tmp`, a user of its own without any right, and the filter on
system calls. Nothing that a child does reaches the zygote or another child.

A zygote is told once what all children share, then gets three descriptors for each child: what it
reads, what it writes, and where its end is told. Zygotes: Oakes et al., SOCK, USENIX ATC 2018.
"""

import gc
import json
import os
import random
import signal
import socket
import sys

from translearn.coursework.student import runner, seal

FIRST = "zygote"  # sent by the zygote itself when it is ready


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    told = json.loads(control.recv(1 << 16))
    failed = runner.imported(told["ahead"])
    session = runner.Session()
    if (threads := len(os.listdir("/proc/self/task"))) > 1:
        failed.append(f"a process with one thread only: there are {threads}")
    if shared := written_by_all():
        failed.append(f"without memory that all children could write: {shared[0]}")
    gc.collect()
    gc.freeze()  # else the first collection of each child copies all pages
    control.send(json.dumps({FIRST: os.getpid(), "failed": failed}).encode())
    while not failed:
        message, descriptors, _, _ = socket.recv_fds(control, 1 << 12, 3)
        if not message:  # whoever grades is gone
            return
        asked = json.loads(message)
        try:
            child = os.fork()
        except OSError as problem:  # too many processes, or no memory: just now
            control.send(json.dumps(asked | {"failed": problem.strerror}).encode())
        else:
            if child == 0:
                warden(control, session, told | asked, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        bury()


def written_by_all() -> list:
    """Pieces of memory that a fork does not copy, and that children could write messages into."""
    with open("/proc/self/maps") as file:
        return [line.strip() for line in file if line.split()[1][1::2] == "ws"]


def bury() -> None:
    """Take note of children that have ended."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def warden(control, session, told, incoming, outgoing, status) -> None:
    """The child that stays outside: it makes the walls, waits for what is inside, and tells how
    that ended: an exit status as a shell gives it, behind the reason if there are no walls.
    """
    try:
        # the kernel adds which process sent it
        control.send(json.dumps({"number": told["number"]}).encode())
        control.close()
        seal.die_with_parent()
        seal.walls(told)
        inside = os.fork()
        if inside == 0:
            first(session, told, incoming, outgoing, status)
        os.close(incoming)
        os.close(outgoing)
        seal.drop()
        said = str(seal.exit_status(os.waitpid(inside, 0)[1]))
    except BaseException as problem:
        said = f"{type(problem).__name__}: {problem}"[:900] + f"\n{seal.NO_WALLS}"
    try:
        os.write(status, said.encode())
    finally:
        os._exit(0)


def first(session, told, incoming, outgoing, status) -> None:
    """The first process inside: with it everything inside ends. It runs nothing of a submission:
    a signal does not end a first process as it ends any other.
    """
    try:
        seal.die_with_parent()
        seal.own_processes(told)
        # before there is anybody of the same user who could look in or send a signal
        seal.hide()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a first process does not get
        inside = os.fork()
        if inside == 0:
            os.close(status)
            run(session, told, incoming, outgoing)
        os.close(incoming)
        os.close(outgoing)
        seal.drop()
        seal.filter_calls(bytes.fromhex(told["filter"]))
        while True:
            process, ended = os.wait()
            if process == inside:
                os._exit(seal.exit_status(ended))
    except BaseException as problem:
        os.write(status, (f"{type(problem).__name__}: {problem}"[:900] + "\n").encode())
    finally:
        os._exit(seal.NO_WALLS)


def run(session, told, incoming, outgoing) -> None:
    """The process that runs a submission, once it has nothing left but two pipes."""
    code = seal.NO_WALLS
    try:
        os.setsid()
        incoming, outgoing = seal.only(incoming, outgoing)
        seal.drop(told["user"])
        seal.hide(False)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        seal.filter_calls(bytes.fromhex(told["filter"]))
        afresh()
        code = 1
        runner.converse(session, *runner.line(incoming, outgoing))
        code = 0
    finally:
        os._exit(code)  # threads and exit handlers of the submission do not get to run


def afresh() -> None:
    """What was drawn before the fork is the same in all children: draw anew."""
    random.seed()
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed()


if __name__ == "__main__":
    main()
