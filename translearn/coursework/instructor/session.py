"""One submission in its sandbox: its cells are run, then it answers probes.

A cell that hangs or ends Python takes the sandbox with it. Then a new one runs all cells but that
one, so that one bad cell costs its own question and no other. When that happens too often, or the
cells take too long, the student's own cells are left out, first those that are not quick, then
all: what they do never costs an answer its verdict.
"""

from translearn.coursework.instructor import shown
from translearn.coursework.instructor.judging import Lost, NoAnswer
from translearn.coursework.instructor.sandbox import Crowded, Dead, Limits, Pool, Sandbox, Slow
from translearn.coursework.student import codec

QUICK = 2  # seconds of an own cell that runs again when the others are left out
SLOW = 3  # times that a function may take too long before it is asked no more
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

    `own` has the positions of the cells that answer no question. `outcomes[i]` is None (ran), or
    {"kind": "error" | "slow" | "dead" | "skipped", "message": …}.
    """

    def __init__(self, assignment: str, cells: list, pool: Pool, limits: Limits, own=()):
        self.assignment, self.cells, self.pool, self.limits = assignment, list(cells), pool, limits
        self.own = frozenset(own)
        self.outputs, self.outcomes = [[] for _ in cells], [None] * len(cells)
        self.seconds = [None] * len(cells)  # that each cell took when it ran last
        self.killed = set()  # cells that took a sandbox with them
        self.restarts, self.sandbox, self.peak = 0, None, 0
        self.left_out = 0  # how far own cells are left out: not, those that are not quick, all
        self.used = 0.0  # seconds that cells took since own cells were left out last
        self.asked = 0.0  # seconds that probes took
        self.over = ""  # why nothing can be asked any more
        self.given_up, self.slow, self.ended = {}, {}, {}
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
            try:
                return self._run()
            except codec.NotPlain as problem:
                reason, slow = str(problem), False
            except Crowded as problem:
                self._end()
                raise Hopeless(f"{problem} The next run tries again.", ours=True) from None
            except Dead as problem:
                reason, slow = str(problem), isinstance(problem, Slow)
            self._end()
            if self._left() <= 0:
                self._leave_out(
                    f"Its cells took more than {self.limits.total_seconds:.0f} s altogether."
                )
                continue
            if self._at < 0:
                raise Hopeless(f"{reason} No cell was running.")
            self.killed.add(self._at)
            self.outcomes[self._at] = {"kind": "slow" if slow else "dead", "message": reason}
            self.restarts += 1
            if self.restarts > RESTARTS:
                self._leave_out(f"It had to be stopped {self.restarts} times.")

    def _leave_out(self, reason):
        """The next run is without the own cells that are not quick, the one after it without any;
        the answers begin anew.
        """
        self.left_out += 1
        if self.left_out > 2 or not self.own:
            raise Hopeless(reason)
        self.restarts, self.used = 0, 0.0
        self.killed &= self.own
        for at in range(len(self.cells)):
            quick = self.seconds[at] is not None and self.seconds[at] <= QUICK
            if at not in self.own:
                self.outcomes[at] = None
            elif self.left_out == 2 or not quick or self._skips(at):
                message = f"A cell of the student's own that was left out. {reason}"
                self.outcomes[at] = {"kind": "skipped", "message": message}

    def _skips(self, at):
        """What the alarm inside stopped runs again: what it had defined before counts."""
        outcome = self.outcomes[at]
        return at in self.killed or outcome is not None and outcome["kind"] == "skipped"

    def _run(self):
        self._at = -1
        skipped = [self._skips(i) for i in range(len(self.cells))]
        self.sandbox.send(
            {
                "assignment": self.assignment,
                "cells": [None if skip else cell for cell, skip in zip(self.cells, skipped)],
                "own": sorted(self.own),
                "own_seconds": self.limits.own_seconds,
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
            self._at, before = at, self.used
            said = self._receive(self.limits.cell_seconds, late=True)
            if said.get("done") != at or set(said) != {"done", "outputs", "error"}:
                raise Dead("It wrote something that is not an answer.")
            self.outputs[at] = shown.checked(said["outputs"], room)
            error = said["error"]
            self.outcomes[at] = None
            self.seconds[at] = self.used - before
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
        """Seconds that the cells still have, all sandboxes together."""
        return self.limits.total_seconds - self.used

    def _receive(self, seconds, late=False):
        grace = self.limits.grace_seconds if late else 0
        before = self.sandbox.used
        try:
            return self.sandbox.receive(min(seconds + grace, max(0.0, self._left())))
        finally:
            self.used += self.sandbox.used - before

    # ---- probing

    def probe(self, request: dict, seconds: float) -> dict:
        """The raw reply to a probe.

        Raises `NoAnswer` when it took too long and had to be ended, `Lost` when the sandbox died.
        """
        name, sandbox = request["name"], self.sandbox
        if name in self.given_up:
            kind, reason = self.given_up[name]
            raise kind(reason)
        left = self.limits.judge_seconds - self.asked
        if left <= 0:
            self.over = f"Its answers took more than {self.limits.judge_seconds:.0f} s altogether."
        if self.over:
            raise Lost(self.over)
        before = sandbox.used
        try:
            sandbox.send(request)
            reply = sandbox.receive(min(seconds + self.limits.grace_seconds, left))
        except codec.NotPlain:
            problem = NoAnswer(f"`{name}` does not return plain data.")
        except Slow:
            problem = NoAnswer(f"`{name}` took more than {seconds:g} s.")
            self.given_up[name] = NoAnswer, str(problem)
        except Crowded as crowd:
            self._end()
            raise Hopeless(f"{crowd} The next run tries again.", ours=True) from None
        except Dead as end:
            problem = Lost(f"While it answered: {end}")
            self.ended[name] = self.ended.get(name, 0) + 1
            if self.ended[name] > 1:
                self.given_up[name] = Lost, str(problem)
        else:
            error = reply.get("error")
            if isinstance(error, dict) and error.get("type") == "TimeUp":
                self.slow[name] = self.slow.get(name, 0) + 1
                if self.slow[name] >= SLOW:
                    self.given_up[name] = NoAnswer, f"`{name}` took more than {seconds:g} s."
            return reply
        finally:
            self.asked += sandbox.used - before
        self._again()
        raise problem

    def look(self, question, seconds: float) -> str:
        """The misconception that a question's visible check names, "" if none. For when nothing
        more is asked: a sandbox that it ends is not started again.
        """
        left = min(seconds + self.limits.grace_seconds, self.limits.judge_seconds - self.asked)
        if self.sandbox is None or self.over or left <= 0:
            return ""
        before = self.sandbox.used
        try:
            self.sandbox.send({"visible": question.name, "seconds": seconds})
            said = self.sandbox.receive(left).get("visible")
        except (codec.NotPlain, Dead):
            self._end()
            return ""
        finally:
            self.asked += self.sandbox.used - before if self.sandbox else left
        # It may be forged, so nothing counts but a name that the question has.
        name = said[1] if isinstance(said, list) and len(said) == 2 else ""
        return name if isinstance(name, str) and name in question.misconceptions else ""

    def _again(self):
        """A new sandbox after a probe that ended the last one; without one nothing more can be
        asked, and what was judged before stands.
        """
        self._end()
        self.restarts += 1
        if self.restarts > RESTARTS:
            self.over = f"It had to be stopped {self.restarts} times."
            return
        try:
            self._start()
        except Hopeless as problem:
            if problem.ours:
                raise
            self.over = str(problem)

    def _end(self):
        if isinstance(self.sandbox, Sandbox):
            self.peak = max(self.peak, self.sandbox.peak)
            self.sandbox.close()
            self.sandbox = None

    def close(self):
        self._end()
