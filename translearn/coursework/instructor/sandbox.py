"""A bubblewrap sandbox for one submission: started ahead of time, used once, thrown away.

Inside there is no network, no file but the Python environment, the course's own package without
this folder, its data and an empty `/tmp`; no other process; and limits on memory, processes,
files, output and time. What comes out is bytes, which `codec` decodes. bubblewrap:
https://github.com/containers/bubblewrap
"""

import itertools
import os
import queue
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from translearn.coursework.instructor import walls, warm
from translearn.coursework.student import clock, codec
from translearn.coursework.student.clock import Clock

# The package is named by its place: the environment may hold another copy of it, one for students.
RUNNER = [
    "-I",
    "-c",
    f"import sys; sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r}); from "
    f"translearn.coursework.student.runner import main; main()",
]
PATIENCE = 180  # seconds until a sandbox must be ready: importing TensorFlow on a busy machine
LOOK = 0.2  # seconds between two looks at memory and processes
SPARE = walls.spare()  # bytes that stay free


@dataclass(frozen=True)
class Limits:
    """What a submission may use. Memory and file sizes in bytes, times in seconds.

    In no time but `cpu_seconds` counts what it stood in line for a processor: see `student.clock`.
    """

    memory: int = 4 * 2**30  # of the whole tree of processes
    processes: int = 256  # threads count, as the kernel counts them
    children: int = (
        16  # processes proper: more would take the processor from those that run beside it
    )
    file_bytes: int = 64 * 2**20
    disk: int = 256 * 2**20  # of all files in the sandbox together; they live in memory
    files: int = 20_000  # how many, empty ones too
    cpu_seconds: int = 1800
    cell_seconds: float = clock.CELL
    # of the cells that answer no question, together: after it each has `clock.LEAST`
    own_seconds: float = clock.OWN
    total_seconds: float = 900  # of all cells, until own ones are left out
    probe_seconds: float = clock.CALL
    judge_seconds: float = 600  # of all probes together
    # beyond a cell's time until it is ended from outside: the alarm inside had its chance
    grace_seconds: float = 5
    output: int = 96 * 2**20  # bytes that come out of it

    def runner(self):
        """Those that the runner sets on itself before the submission's first line."""
        return {
            key: asdict(self)[key] for key in ("memory", "processes", "file_bytes", "cpu_seconds")
        }


class Dead(Exception):
    """The sandbox is gone, or was stopped. The message is the reason, for the instructor."""


class Crowded(Dead):
    """It was stopped for the machine's sake, and may not be to blame."""


class Slow(Dead):
    """It was stopped because it took too long."""


# ---- one sandbox


def most(limits) -> int:
    """Bytes of memory that all processes of a sandbox may have: the imports are on top."""
    return int(limits.memory * 1.1) + 2**30


SLOTS = 1000  # users that a process of ours gives to its sandboxes, one after another


def first_slot() -> int:
    """The first of this process's: another one's sandboxes should have other users."""
    return os.getpid() % 97 * SLOTS


_slots = itertools.count()


class Sandbox:
    """A running sandbox that imports `ahead`, or is born of a zygote that has, and then waits for
    its one job.
    """

    def __init__(self, ahead=(), limits=Limits(), unprotected=False, zygote=None):
        self.limits, self.out, self.born = limits, 0, time.monotonic()
        self.folder, self.peak = None, 0
        self.most = most(limits)
        self.alone = False  # in a control group, which ends when this one takes too much
        slot = first_slot() + next(_slots) % SLOTS
        if zygote:
            self.process = zygote.child(0 if os.geteuid() else walls.FIRST_UID + slot)
        else:
            self.process = self._cold(slot, ahead, limits, unprotected)
        os.set_blocking(self.process.stdout.fileno(), False)
        os.set_blocking(self.process.stdin.fileno(), False)
        self.buffer = bytearray()
        self.failed, self.runner = None, self.process.pid
        try:  # a process, where its number may be another's once it has ended
            self.top = psutil.Process(self.process.pid)
        except psutil.Error:  # it has ended already
            self.top = None
        self.used = 0.0  # seconds that we waited for it, without those in which it stood in line

    def _cold(self, slot, ahead, limits, unprotected):
        command, env, cwd = walls.command(slot, limits.disk), {}, "/"
        if unprotected:
            self.folder = cwd = tempfile.mkdtemp(prefix="translearn-unprotected-")
            command = []
            env = {
                "PATH": os.environ.get("PATH", ""),
                "HOME": cwd,
                "TMPDIR": cwd,
                "TRANSLEARN_CACHE": f"{cwd}/cache",
                "IPYTHONDIR": f"{cwd}/ipython",
                "MPLCONFIGDIR": f"{cwd}/matplotlib",
                "TF_NUM_INTRAOP_THREADS": "1",
                "TF_NUM_INTEROP_THREADS": "1",
                "NBGRADER_EXECUTION": "autograde",
            }
        if not unprotected:
            scope = walls.scope(self.most, limits.processes + 64)
            self.alone, command = bool(scope), [*scope, *command]
        return (subprocess.Popen if unprotected else walls.start)(
            [*command, sys.executable, *RUNNER, *ahead],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            cwd=cwd,
            start_new_session=True,
            close_fds=True,
        )

    def ready(self) -> "Sandbox":
        """Wait until it has imported.

        Raises `Dead` if it does not come up, which is never a submission's fault.
        """
        if self.failed is None:
            message = self.receive(PATIENCE)
            if message.get("ready") is not True:
                raise Dead("The sandbox did not start.")
            self.runner = [self.process.pid, *(each.pid for each in self._tree())][-1]
            self.failed = message.get("failed") or []
        if self.failed:
            raise Dead(f"The sandbox could not import {self.failed[0]}")
        return self

    def send(self, message: dict, seconds: float = 30) -> None:
        """Raises `Dead` when nobody reads."""
        view, end = memoryview(codec.pack(message)), time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdin, selectors.EVENT_WRITE)
            while view:
                if time.monotonic() > end:
                    raise Slow("The sandbox stopped listening.")
                if selector.select(LOOK):
                    try:
                        view = view[os.write(self.process.stdin.fileno(), view[:65536]) :]
                    except BlockingIOError:
                        continue
                    except OSError:
                        raise self._ended() from None

    def receive(self, seconds: float) -> dict:
        """The next message. Raises `Slow` after `seconds`, `Dead` when the sandbox ended or broke
        a limit, `codec.NotPlain` for nonsense.
        """
        watch = Clock(self.runner)
        try:
            return self._receive(seconds, watch)
        finally:
            self.used += watch.had()

    def _receive(self, seconds, watch):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            looked = time.monotonic()
            while True:
                if len(self.buffer) >= 4:
                    size = int.from_bytes(self.buffer[:4], "big")
                    if size > codec.FRAME:
                        raise Dead("It wrote something that is not an answer.")
                    if len(self.buffer) >= 4 + size:
                        body = bytes(self.buffer[4 : 4 + size])
                        del self.buffer[: 4 + size]
                        return codec.unpack(body)
                if time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    self._look()
                # Whether there is something to read comes first: we may be the ones who are late.
                left = seconds - watch.had()
                if not selector.select(min(LOOK, max(0.0, left))):
                    if left <= 0:
                        raise Slow(f"It took more than {seconds:.0f} s and was stopped.")
                    continue
                try:
                    part = os.read(self.process.stdout.fileno(), 1 << 18)
                except BlockingIOError:
                    continue
                if not part:
                    raise self._ended()
                self.out += len(part)
                if self.out > self.limits.output:
                    raise Dead("It wrote more than a submission may.")
                self.buffer += part

    def _tree(self):
        try:
            return [self.top, *self.top.children(recursive=True)] if self.top else []
        except psutil.Error:
            return []

    def _files(self):
        """How many files it has made: an empty one takes no room in its folder, but the kernel's
        memory.
        """
        made = 0
        apart = (
            not self.folder and self.failed is not None
        )  # until then `runner` is bwrap, outside
        for place in ("tmp", "dev/shm") if apart else ():
            try:
                speaker = _speaker(psutil.Process(self.runner)).pid
                found = os.statvfs(Path("/proc", str(speaker), "root", place))
            except (OSError, psutil.Error):  # it is just ending
                continue
            made += found.f_files - found.f_ffree
        return made

    def _look(self):
        """Stop it when its processes together use more than they may: the kernel's own limits are
        for each process.
        """
        tree, memory, count = self._tree(), 0, 0
        inside = tree if self.folder else tree[2:]  # the first two are its walls
        for process in inside:
            try:
                memory += _speaker(process).memory_info().rss
                count += process.num_threads()
            except psutil.Error:
                pass
        if (
            memory > self.most
            # forked processes share pages, counted for each: look again, exactly and slowly
        ):
            memory = sum(map(_share, inside))
        self.peak = max(self.peak, memory)
        if memory > self.most:
            raise Dead(
                f"It used more memory than a submission may ({self.limits.memory / 2**30:.0f} GB)."
            )
        if (
            len(tree) > self.limits.children + 3 or count > self.limits.processes + 16
        ):  # two are bwrap's, one is the runner
            raise Dead(
                f"It started more processes than a submission may ({self.limits.children})."
            )
        if self._files() > self.limits.files:
            raise Dead(f"It made more files than a submission may ({self.limits.files:,}).")
        # not all memory is counted for a process: better this one ends than the machine
        if walls.available() < SPARE:
            raise Crowded("The machine's memory ran out while it ran.")

    def _ended(self):
        """The exception that says how it ended."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return Dead("It closed its line to us.")
        if reason := getattr(self.process, "reason", ""):
            return Dead(f"It could not close itself in ({reason}).")
        # of its walls, which nothing inside can reach
        if code < 0 and not (self.folder or self.alone):
            return Crowded(f"The sandbox was ended from outside (signal {-code}).")
        return Dead(self._how_it_ended(code))

    @staticmethod
    def _how_it_ended(code):
        if code < 0 or code > 128:
            number = -code if code < 0 else code - 128
            try:
                return f"Its Python process was ended by {signal.Signals(number).name}."
            except ValueError:
                pass
        return f"Its Python process ended (with {code})."

    def close(self) -> None:
        """End it and everything in it. Returns when nothing of it is left."""
        tree = self._tree()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        for process in tree:  # the first is bwrap: with it goes its whole process namespace
            try:
                process.kill()
            except psutil.Error:
                pass
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + 10
        while any(map(_lives, tree[1:])) and time.monotonic() < end:
            time.sleep(0.005)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def _lives(process):
    """A zombie is dead: it waits for the system's first process to take note."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _speaker(process):
    """The process, or a thread of it that goes on when its first one has ended: then the kernel
    tells nothing of the memory and the files that the others have.
    """
    if not process.memory_info().rss and process.num_threads() > 1:
        for thread in process.threads():
            other = psutil.Process(thread.id)
            if other.memory_info().rss:
                return other
    return process


def _share(process):
    """Bytes of a process, a page that several share divided among them."""
    try:
        return _speaker(process).memory_full_info().pss
    except psutil.Error:
        return 0


# ---- started ahead


class Pool:
    """Sandboxes with their imports done, `spare` of them waiting, so that a submission does not
    wait for TensorFlow.

    All are started by one thread that lives as long as the pool: the kernel ends a sandbox with
    the thread that started it.
    """

    def __init__(self, ahead=(), spare=2, limits=Limits(), unprotected=False, cold=False):
        self.options = dict(ahead=tuple(ahead), limits=limits, unprotected=unprotected)
        # why each sandbox starts from nothing; "" while they are born of a zygote
        self.cold = "It was asked for" if cold else "Without walls" if unprotected else ""
        self.failed_warm = False
        self.zygote = None
        self.wishes, self.waiting, self.spare, self.started = (
            queue.Queue(),
            queue.Queue(),
            spare,
            0,
        )
        self.closed, self.lent = False, weakref.WeakSet()
        self.nursery = threading.Thread(target=self._start, daemon=True, name="sandboxes")
        self.nursery.start()
        for _ in range(spare):
            self.wishes.put(None)

    def _start(self):
        while (wish := self.wishes.get()) is None:
            try:
                self.waiting.put(Sandbox(**self.options, zygote=self._zygote()))
                self.started += 1
            except warm.NotWarm as problem:  # it ended just now: the next one has another
                self.waiting.put(Dead(f"{problem}."))
            except OSError as problem:
                self.waiting.put(
                    Dead(f"A sandbox could not be started ({problem.strerror or problem}).")
                )
        while not self.waiting.empty():  # closed: end those that nobody took, then this thread
            left = self.waiting.get()
            if isinstance(left, Sandbox):
                left.close()
        if self.zygote:
            self.zygote.close()
        wish.set()

    def _zygote(self):
        """The process that sandboxes are born from, a new one if it has ended; None where there
        can be none, and `cold` says why.
        """
        if self.cold or self.zygote and self.zygote.alive():
            return self.zygote
        if self.zygote:
            self.zygote.close()
            self.zygote = None
        limits, together = self.options["limits"], 2 * self.spare + 1
        try:
            self.zygote = warm.Zygote(
                self.options["ahead"],
                limits.disk,
                together * most(limits),
                together * (limits.processes + 64),
            )
            return self.zygote.ready()
        except (warm.NotWarm, OSError) as problem:
            self.cold, self.failed_warm = f"{problem}", True
            if self.zygote:
                self.zygote.close()
                self.zygote = None
            return None

    def take(self) -> Sandbox:
        """A sandbox that is ready; another one is started in its place.

        Raises `Dead` if none comes up in three tries.
        """
        reason = None
        for _ in range(3):
            if self.closed:
                raise Dead("The grading was stopped.")
            self.wishes.put(None)
            sandbox = self.waiting.get(timeout=PATIENCE)
            if isinstance(sandbox, Dead):
                reason = sandbox
                continue
            try:
                sandbox.ready()
                self.lent.add(sandbox)
                return sandbox
            except (Dead, codec.NotPlain) as problem:
                sandbox.close()
                reason = problem
        raise Dead(f"No sandbox came up: {reason}")

    def close(self) -> None:
        """End those that wait and those at work; whoever holds one of these closes it."""
        for sandbox in list(self.lent):
            sandbox.process.kill()
        if not self.closed:
            self.closed, done = True, threading.Event()
            self.wishes.put(done)
            done.wait(PATIENCE)
