"""One submission in its sandbox: its cells are run, then it answers probes.

A cell that hangs or ends Python takes the sandbox with it. Then a new one runs all cells but that
one, so that one bad cell costs its own question and no other.
"""

from translearn.coursework.instructor import shown
from translearn.coursework.instructor.judging import Lost, NoAnswer
from translearn.coursework.instructor.sandbox import Crowded, Dead, Limits, Pool, Sandbox, Slow
from translearn.coursework.student import codec

RESTARTS = 4


class Hopeless(Exception):
    """The submission cannot be run at all; it stays ungraded.

    The message is the reason. `ours`: not the submission's fault, try again.
    """

    def __init__(self, message, ours=False):
        super().__init__(message)
        self.ours = ours


class Session:
    """Runs the cells of a submission.

    `outcomes[i]` is None (ran), or {"kind": "error" | "slow" | "dead", "message": …}.
    """

    def __init__(self, assignment: str, cells: list, pool: Pool, limits: Limits):
        self.assignment, self.cells, self.pool, self.limits = assignment, list(cells), pool, limits
        self.outputs, self.outcomes = [[] for _ in cells], [None] * len(cells)
        self.restarts, self.sandbox, self.peak = 0, None, 0
        self.used = 0.0  # seconds of the sandboxes that are gone
        self.probes_lost = 0
        self._start()

    # ---- running

    def _start(self):
        while True:
            try:
                self.sandbox = self.pool.take()
            except Dead as problem:
                raise Hopeless(
                    f"{problem} This is not the submission's fault; the next run tries again.",
                    ours=True,
                ) from None
            at = -1
            try:
                at = self._run()
                return
            except codec.NotPlain as problem:
                reason, slow = str(problem), False
            except Crowded as problem:
                self._end()
                raise Hopeless(f"{problem} The next run tries again.", ours=True) from None
            except Dead as problem:
                reason, slow = str(problem), isinstance(problem, Slow)
            at = self._at
            self._end()
            if at < 0:
                raise Hopeless(f"{reason} No cell was running.")
            self.outcomes[at] = {"kind": "slow" if slow else "dead", "message": reason}
            self._count_restart()

    def _count_restart(self):
        self.restarts += 1
        if self.restarts > RESTARTS:
            raise Hopeless(f"It had to be stopped {self.restarts} times.")
        if self._left() <= 0:
            raise Hopeless(f"It took more than {self.limits.total_seconds:.0f} s altogether.")

    def _run(self):
        self._at = -1
        skipped = [
            self.outcomes[i] and self.outcomes[i]["kind"] in ("slow", "dead")
            for i in range(len(self.cells))
        ]
        self.sandbox.send(
            {
                "assignment": self.assignment,
                "cells": [None if skip else cell for cell, skip in zip(self.cells, skipped)],
                "cell_seconds": self.limits.cell_seconds,
                "limits": self.limits.runner(),
            }
        )
        todo = [i for i, skip in enumerate(skipped) if not skip]
        room = shown.Room()
        for at in todo:
            # The order is known, so a message that does not fit is no message of the runner's: the
            # cell before sent it.
            if self._receive(self.limits.cell_seconds) != {"running": at}:
                raise Dead("It wrote something that is not an answer.")
            self._at = at
            said = self._receive(self.limits.cell_seconds, late=True)
            if said.get("done") != at or set(said) != {"done", "outputs", "error"}:
                raise Dead("It wrote something that is not an answer.")
            self.outputs[at] = shown.checked(said["outputs"], room)
            error = said["error"]
            if error is not None:
                kind, message, line = (
                    codec.whole(str(error.get(key, ""))[:500]) if isinstance(error, dict) else ""
                    for key in ("type", "message", "line")
                )
                self.outcomes[at] = {
                    "kind": "slow" if kind == "TimeUp" else "error",
                    "message": message if kind == "TimeUp" else f"{kind}: {message}".rstrip(": "),
                    "line": line,
                }
        self._at = todo[-1] if todo else -1
        if self._receive(0, late=True) != {"finished": True}:
            raise Dead("It wrote something that is not an answer.")

    def _left(self):
        """Seconds that the submission still has, all its sandboxes together."""
        return self.limits.total_seconds - self.used - (self.sandbox.used if self.sandbox else 0)

    def _receive(self, seconds, late=False):
        if self._left() <= 0:
            raise Slow(f"It took more than {self.limits.total_seconds:.0f} s altogether.")
        grace = self.limits.grace_seconds if late else 0
        return self.sandbox.receive(min(seconds + grace, self._left()))

    # ---- probing

    def probe(self, request: dict, seconds: float) -> dict:
        """The raw reply to a probe.

        Raises `NoAnswer` when it took too long and had to be ended, `Lost` when the sandbox died.
        """
        try:
            self.sandbox.send(request)
            return self._receive(seconds, late=True)
        except codec.NotPlain:
            self._again()
            raise NoAnswer(f"`{request['name']}` does not return plain data.") from None
        except Slow:
            self._again()
            raise NoAnswer(f"`{request['name']}` took more than {seconds:g} s.") from None
        except Crowded as problem:
            self._end()
            raise Hopeless(f"{problem} The next run tries again.", ours=True) from None
        except Dead as problem:
            self._again()
            raise Lost(f"While it answered: {problem}") from None

    def _again(self):
        self._end()
        self._count_restart()
        self._start()

    def _end(self):
        if isinstance(self.sandbox, Sandbox):
            self.peak = max(self.peak, self.sandbox.peak)
            self.used += self.sandbox.used
            self.sandbox.close()
            self.sandbox = None

    def close(self):
        self._end()
