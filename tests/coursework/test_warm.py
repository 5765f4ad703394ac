"""Sandboxes that start warm have the same walls as those that start cold, and share nothing."""

import ast
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from translearn.coursework.instructor import bank, grading, sandbox, seccomp, session, walls, warm
from translearn.coursework.student import seal

LOOK = """
import ctypes, os, re, resource, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
kept = ("Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
        "SigBlk", "SigIgn", "SigCgt", "Umask", "Threads")
seen = {key: status[key].strip() for key in kept}
seen["users"] = len(set(status["Uid"].split() + status["Gid"].split())), os.getuid() != 0
seen["processes"] = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
seen["open files"] = sorted(os.readlink(f"/proc/self/fd/{n}").split(":")[0]
                            for n in os.listdir("/proc/self/fd")
                            if os.path.exists(f"/proc/self/fd/{n}"))
seen["limits"] = [resource.getrlimit(getattr(resource, name)) for name in sorted(dir(resource))
                  if name.startswith("RLIMIT_") and name != "RLIMIT_AS"]
seen["environment"] = sorted(set(os.environ.items()) - {("MPLBACKEND", os.environ["MPLBACKEND"])})
seen["ends first"] = int(open("/proc/self/oom_score_adj").read())
seen["where"] = os.getcwd(), os.uname().nodename, os.listdir("/dev/shm"), os.listdir("/dev/pts")
seen["folders"] = {name: sorted(os.listdir(name)) for name in ("/", "/dev", os.environ["HOME"])}
visible = {}
for line in open("/proc/self/mountinfo"):
    parts = line.split()
    visible[parts[4]] = parts[parts.index("-") + 1], set(parts[5].split(",")) & {"ro", "nosuid",
                                                                                 "nodev", "noexec"}
seen["mounts"] = sorted((place, kind, sorted(flags)) for place, (kind, flags) in visible.items())
def refused(number, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(number, *args) == -1 and ctypes.get_errno()
seen["refused"] = [refused(number, 0x20000, 0, 0, 0, 0) for number in NUMBERS]
def written(place):
    try:
        open(place, "w").close()
        return True
    except OSError as problem:
        return type(problem).__name__
seen["written"] = [written(p) for p in ("/x", "/usr/x", "/proc/sys/kernel/hostname", "/dev/x",
                                        "/proc/1/mem", sys.prefix + "/x")]
import random, numpy
seen["apart"] = {name: os.readlink(f"/proc/self/ns/{name}")
                 for name in ("mnt", "pid", "ipc", "net", "uts", "cgroup")}
seen["drawn"] = random.random(), numpy.random.rand(), os.urandom(8).hex()
print(repr(seen))
for place in (os.environ["HOME"], "/dev/shm"):
    open(place + "/left", "w").write("x")
"""


@pytest.fixture(scope="module")
def pools():
    made = {
        cold: sandbox.Pool(("numpy",), 1, sandbox.Limits(), cold=cold) for cold in (False, True)
    }
    yield made
    for pool in made.values():
        pool.close()


def seen(pool):
    at = ("x86_64", "aarch64").index(os.uname().machine)
    numbers = [pair[at] for pair in seccomp.REFUSED.values() if pair[at] is not None]
    cell = LOOK.replace("NUMBERS", repr(numbers))
    run = session.Session("a1", [cell], pool, sandbox.Limits())
    run.close()
    assert run.outcomes == [None]
    return ast.literal_eval(run.outputs[0][0]["text"])


def test_the_walls_are_the_same(pools):
    warmly, coldly = seen(pools[False]), seen(pools[True])
    assert pools[False].cold == "" and pools[True].cold
    for place in ("apart", "drawn"):
        warmly.pop(place), coldly.pop(place)
    course = {Path(folder).parts[2] for folder in walls.below_tmp()}  # where it lies there
    assert set(warmly["folders"].pop(walls.HOME)) == course
    made = set(coldly["folders"].pop(walls.HOME)) - course
    assert made == {"ipython"}, "what its own IPython has made"
    # An ordinary user may write into bubblewrap's first process, which has the same filter.
    assert warmly["written"].pop(4) == "PermissionError" and coldly["written"].pop(4)
    for key, value in coldly.items():
        assert warmly[key] == value, key
    assert set(map(int, (warmly["CapEff"], warmly["CapBnd"], warmly["CapPrm"]))) == {0}
    assert (warmly["NoNewPrivs"], warmly["Seccomp"]) == ("1", "2")
    assert all(warmly["refused"]), "a system call of the filter went through"
    with open("/proc/self/oom_score_adj") as file:
        assert int(file.read()) < warmly["ends first"], "the grader would end before a submission"


@pytest.mark.parametrize("cold", [False, True])
def test_a_submission_can_be_interrupted_where_whoever_grades_cannot(cold):
    """A job in the background ignores interrupts, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pool = sandbox.Pool((), 1, cold=cold)
        cell = "import signal\nprint(signal.getsignal(signal.SIGINT).__name__)"
        run = session.Session("a1", [cell], pool, sandbox.Limits())
        run.close(), pool.close()
    finally:
        signal.signal(signal.SIGINT, before)
    assert run.outputs[0][0]["text"] == "default_int_handler\n"


def test_two_children_share_nothing(pools):
    one, other = seen(pools[False]), seen(pools[False])
    assert other["folders"][walls.HOME] == one["folders"][walls.HOME] and other["where"][2] == []
    assert not set(one["apart"].values()) & set(other["apart"].values())
    for mine in one["apart"].items():
        assert mine[1] != os.readlink(f"/proc/self/ns/{mine[0]}")
    assert not set(one["drawn"]) & set(other["drawn"])


def test_a_child_gets_nothing_of_what_another_defined(pools):
    cells = ["import numpy\nnumpy.secret = 1\nimport builtins\nbuiltins.secret = 2\nsecret = 3"]
    look = "import numpy, builtins\nprint(hasattr(numpy, 'secret'), hasattr(builtins, 'secret'))"
    first = session.Session("a1", cells, pools[False], sandbox.Limits())
    second = session.Session("a1", [look], pools[False], sandbox.Limits())
    first.close(), second.close()
    assert second.outputs[0][0]["text"] == "False False\n"


@pytest.mark.parametrize("refused", ["unshare", "mount", "prctl", "capset"])
def test_where_a_child_cannot_close_itself_in_sandboxes_start_cold(monkeypatch, tmp_path, refused):
    """The child is told to close itself in with a call that fails: no submission meets it."""
    broken = (
        f"import sys; sys.path.insert(0, {str(sandbox.walls.PACKAGE.parent)!r})\n"
        "from translearn.coursework.student import seal, zygote\n"
        "real = seal._call\n"
        "def call(name, *args):\n"
        f"    if name == {refused!r}: raise PermissionError(1, 'Operation not permitted')\n"
        "    real(name, *args)\n"
        "seal._call = call\n"
        "zygote.main()"
    )
    monkeypatch.setattr(warm, "_program", lambda control: ["-I", "-c", broken, str(control)])
    pool = sandbox.Pool((), 1)
    try:
        one = pool.take()
        assert "could not close itself in" in pool.cold and one.process.poll() is None
        assert not isinstance(one.process, warm.Child)
        one.close()
    finally:
        pool.close()


def test_an_instructor_is_told_that_sandboxes_start_cold(course, hand_in, monkeypatch, capsys):
    def refuse(*args):
        raise warm.NotWarm("No reason but this one")

    grading.close_pools()  # with what waits in them
    monkeypatch.setattr(warm.Zygote, "child", refuse)
    hand_in("ada", bank.books("A1")[1])
    done = grading.grade(course, "A1", jobs=1)
    assert done["ada"]["state"] == "graded"
    said = "Sandboxes started from nothing, some seconds each: No reason but this one."
    assert said in capsys.readouterr().out


def test_without_a_filter_on_system_calls_sandboxes_start_cold(monkeypatch):
    monkeypatch.setattr(warm.seccomp, "program", lambda: b"")
    with pytest.raises(warm.NotWarm, match="no filter on system calls"):
        warm.Zygote((), 2**20, 2**30, 100)
    with pytest.raises(OSError, match="no filter"):
        seal.filter_calls(b"")


def test_a_zygote_with_threads_is_refused(monkeypatch):
    def program(control):
        lines = "import sys, threading, time; "
        lines += f"sys.path.insert(0, {str(sandbox.walls.PACKAGE.parent)!r}); "
        lines += "threading.Thread(target=time.sleep, args=[60], daemon=True).start(); "
        return [
            "-I",
            "-c",
            lines + "from translearn.coursework.student.zygote import main; main()",
            str(control),
        ]

    monkeypatch.setattr(warm, "_program", program)
    zygote = warm.Zygote((), 2**20, 2**30, 100)
    try:
        with pytest.raises(warm.NotWarm, match="one thread only"):
            zygote.ready()
    finally:
        zygote.close()


def test_a_zygote_that_is_killed_takes_its_children_along_and_another_one_comes():
    pool = sandbox.Pool((), 1)
    try:
        one = pool.take()
        inside = [each.pid for each in one._tree()]
        assert len(inside) == 3
        pool.zygote.process.kill()
        with pytest.raises(sandbox.Dead):
            one.receive(30)
        assert _gone(inside)
        one.close()
        again = pool.take()
        assert pool.cold == "" and isinstance(again.process, warm.Child)
        again.close()
    finally:
        pool.close()


def a_zygote(monkeypatch, lines=""):
    """One that is ready, whose process runs `lines` first."""
    place = str(sandbox.walls.PACKAGE.parent)
    words = f"import sys; sys.path.insert(0, {place!r})\n{lines}\n"
    words += "from translearn.coursework.student.zygote import main\nmain()"
    monkeypatch.setattr(warm, "_program", lambda control: ["-I", "-c", words, str(control)])
    return warm.Zygote((), 2**20, 2**30, 100)


USER = 0 if os.geteuid() else walls.FIRST_UID


def test_memory_that_children_would_share_is_refused(monkeypatch):
    with contextlib.closing(a_zygote(monkeypatch, "import mmap; kept = mmap.mmap(-1, 4096)")) as z:
        with pytest.raises(warm.NotWarm, match="memory that all children could write"):
            z.ready()


def test_a_fork_that_the_kernel_refuses_ends_no_other_sandbox(monkeypatch):
    """Such as while another submission has all the processes that there may be."""
    refuse = """
import os
asked, real, me = [], os.fork, os.getpid()
def fork():
    if os.getpid() == me:
        asked.append(1)
        if len(asked) == 3:
            raise BlockingIOError(11, "Resource temporarily unavailable")
    return real()
os.fork = fork"""
    with contextlib.closing(a_zygote(monkeypatch, refuse).ready()) as zygote:
        before = zygote.child(USER)
        with pytest.raises(warm.NotWarm, match="temporarily unavailable"):
            zygote.child(USER)
        after = zygote.child(USER)
        for each in (before, after):
            assert each.stdout.read(4)
            each.kill()
            assert each.wait(20) == -signal.SIGKILL


def test_a_child_that_comes_too_late_is_not_taken_for_the_next(monkeypatch):
    """Else the limits of one submission would be watched, and ended, in another's process."""
    with contextlib.closing(a_zygote(monkeypatch).ready()) as zygote:
        python = psutil.Process(zygote.process.pid).children()[0].children()[0]
        python.suspend()
        with monkeypatch.context() as hurry:
            hurry.setattr(warm, "BIRTH", 0.1)
            with pytest.raises(warm.NotWarm, match="did not answer"):
                zygote.child(USER)
        python.resume()
        child = zygote.child(USER)
        assert child.stdout.read(4)
        child.kill()
        assert child.wait(20) == -signal.SIGKILL


@pytest.mark.parametrize("cold", [False, True])
def test_what_somebody_ends_from_outside_is_no_fault_of_the_submission(pools, cold):
    """The kernel, for want of memory, or a person: the walls, or what all warm ones come from."""

    class Unlucky:
        def take(self):
            one = pools[cold].take()
            threading.Timer(0.3, one.process.kill).start()
            return one

    with pytest.raises(session.Hopeless, match="ended from outside.*tries again") as raised:
        session.Session("a1", ["import time\ntime.sleep(30)"], Unlucky(), sandbox.Limits())
    assert raised.value.ours


@pytest.mark.parametrize("cold", [False, True])
def test_a_process_that_got_the_number_of_one_that_ended_is_left_alone(pools, cold):
    one = pools[cold].take()
    one.process.kill()
    one.process.wait()
    with subprocess.Popen(["sleep", "60"]) as innocent:
        one.process.pid = innocent.pid  # as the kernel might number it
        one.close()
        assert innocent.poll() is None
        innocent.kill()


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.03, 0.1])
def test_with_the_grader_everything_ends(tmp_path, moment):
    """kill -9 of the process that grades, while a sandbox is made or at work."""
    reading, writing = os.pipe()
    grader = os.fork()
    if grader == 0:
        os.close(reading)
        pool = sandbox.Pool((), 2)
        pool.take()
        os.write(writing, f"{pool.zygote.process.pid}\n".encode())
        threading.Thread(target=lambda: [pool.take() for _ in range(50)], daemon=True).start()
        time.sleep(60)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        zygote = psutil.Process(int(told.readline()))
    time.sleep(moment)
    tree = [zygote.pid, *(each.pid for each in zygote.children(recursive=True))]
    os.kill(grader, signal.SIGKILL)
    os.waitpid(grader, 0)
    assert _gone(tree)


def _gone(processes):
    end = time.monotonic() + 60
    while left := [pid for pid in processes if _lives(pid)]:
        if time.monotonic() > end:
            return not left
        time.sleep(0.02)
    return True


def _lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_how_it_ended_is_said_as_of_a_cold_one(pools):
    for pool in pools.values():
        cells = [
            "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
            "import os\nos._exit(7)",
        ]
        run = session.Session("a1", cells, pool, sandbox.Limits())
        run.close()
        said = [outcome["message"] for outcome in run.outcomes]
        assert said == [
            "Its Python process was ended by SIGSEGV.",
            "Its Python process ended (with 7).",
        ]


def test_a_submission_cannot_stop_what_it_stands_in(pools):
    cell = (
        "import os, signal\n"
        "for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGTERM):\n"
        "    try: os.kill(1, number)\n"
        "    except PermissionError: pass\n"
        "try: print(open('/proc/1/environ').read())\n"
        "except OSError as problem: print(type(problem).__name__)"
    )
    run = session.Session("a1", [cell], pools[False], sandbox.Limits())
    run.close()
    assert run.outcomes == [None] and run.outputs[0][0]["text"] == "PermissionError\n"


def test_grading_says_how_its_sandboxes_start(pools):
    assert grading.pool(("numpy",), sandbox.Limits(), False, 1, cold=True).cold
    assert re.match("Without walls", sandbox.Pool((), 0, unprotected=True).cold)


def test_plots_are_kept_where_matplotlib_was_imported_ahead():
    """As Keras does. Matplotlib asks once, then, where pictures go."""
    pool = sandbox.Pool(("matplotlib.pyplot",), 1)
    try:
        cell = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
        run = session.Session("a1", [cell], pool, sandbox.Limits())
        run.close()
    finally:
        pool.close()
    assert pool.cold == "" and [each["kind"] for each in run.outputs[0]] == ["picture"]
