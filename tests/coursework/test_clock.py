"""A limit counts the time that a program had, not the time in which others had the processor."""

import os
import signal
import subprocess
import sys
import time

import pytest

from translearn.coursework.student import clock
from translearn.coursework.student.runner import TimeUp, at_most

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/schedstat"), reason="only this kernel says who stood in line"
)


@pytest.fixture
def crowd():
    """This process and four busy ones on a single core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    time.sleep(0.5)
    yield
    for each in busy:
        each.kill()
        each.wait()
    os.sched_setaffinity(0, cores)


def test_time_in_line_does_not_count(crowd):
    watch, began, cpu = clock.Clock(), time.monotonic(), time.process_time()
    while time.process_time() - cpu < 0.5:
        pass
    wall = time.monotonic() - began
    assert wall > 1, "a fifth of a core is what there was"
    assert watch.had() == pytest.approx(max(0.5, wall / clock.MOST), rel=0.3)


def test_a_cell_gets_its_seconds_on_a_busy_machine(crowd):
    cpu, began = time.process_time(), time.monotonic()
    with pytest.raises(TimeUp), at_most(0.5):
        while True:
            pass
    enough = time.process_time() - cpu > 0.3
    assert enough or time.monotonic() - began > 0.45 * clock.MOST, "then others had all of it"
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_who_sleeps_is_not_in_line():
    began, watch = time.monotonic(), clock.Clock()
    time.sleep(0.5)
    had, wall = watch.had(), time.monotonic() - began
    assert 0.4 < had <= wall or wall > 1  # woken late by a busy machine
