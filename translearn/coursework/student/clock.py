"""Time as a program had it: on a busy machine the time in which it stood in line does not count.

A limit in wall seconds stops the same code on a busy machine and not on an idle one; a limit in
processor seconds never stops code that sleeps. So: wall seconds without those in which the program
was ready and another one had the processor. Linux tells them in `/proc/PID/schedstat`, see
https://docs.kernel.org/scheduler/sched-stats.html; elsewhere they are wall seconds.
"""

import time

# Seconds of a cell, of all cells together that answer no question, and of each of these after that
# (an import or a function is still there then); and of one call of an answer.
CELL, OWN, LEAST, CALL = 60, 300, 2, 20
LIMITS = (
    f"Each cell has {CELL} seconds, the cells that answer no question have {OWN} seconds "
    f"together, and a call of one of your functions has {CALL}. What takes longer is stopped "
    f"there, and the rest is run and judged all the same."
)
MOST = 10  # times the limit in wall seconds: then it is over, whoever had the processor


def stood(pid="self") -> float:
    """Seconds that the first thread of a process has stood in line since it began."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Clock:
    """Runs from when it is made. `pid`: of the process whose time it is."""

    def __init__(self, pid="self"):
        self.pid, self.began, self.stood = pid, time.monotonic(), stood(pid)

    def had(self) -> float:
        """Seconds until now; at least a tenth (1 / `MOST`) of the wall's."""
        wall = time.monotonic() - self.began
        return max(wall / MOST, wall - max(0.0, stood(self.pid) - self.stood))
