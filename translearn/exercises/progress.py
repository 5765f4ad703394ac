"""Which exercises were passed: one small JSON file beside the lessons.

It survives a kernel restart and never leaves the machine. `TRANSLEARN_PROGRESS` names another
file. Nothing here stops a lesson: what goes wrong comes back as one sentence to show.
"""

import errno
import json
import os
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from translearn import paths


def file() -> Path:
    """Where progress is kept: `.progress.json` in the course, or `TRANSLEARN_PROGRESS`."""
    return Path(
        os.environ.get("TRANSLEARN_PROGRESS") or paths.ROOT / ".progress.json"
    ).expanduser()


def passed(lesson: str | None = None):
    """What was passed: `{exercise: when}` of one lesson, or `{lesson: {exercise: when}}` of all.

    Nothing, when the file is missing, damaged or unreadable: looking changes nothing.
    """
    try:
        found = _read()
    except (OSError, Damaged):
        found = {}
    return found if lesson is None else found.get(lesson, {})


def record(lesson: str, exercise: str) -> str:
    """Remember that an exercise was passed. Returns "" or one sentence about what went wrong."""
    return _change(
        lambda all: all.setdefault(lesson, {}).setdefault(
            exercise, datetime.now().isoformat(timespec="seconds")
        )
    )


def forget(lesson: str | None = None) -> str:
    """Start one lesson afresh, or all. Returns "" or one sentence about what went wrong."""
    return _change(lambda all: all.clear() if lesson is None else all.pop(lesson, None))


class Damaged(Exception):
    """The file is there and is not ours to read."""


def _change(edit) -> str:
    sentence = ""
    try:
        with _alone():
            try:
                found = _read()
            except Damaged:
                aside = file().with_name(f"{file().name}.damaged-{time.time_ns()}")
                os.replace(file(), aside)  # kept, never overwritten: it may be mended by hand
                found = {}
                sentence = (
                    f"The file of your progress was damaged: it is kept as {aside.name}, "
                    "and a new one was started."
                )
            before = json.dumps(found)
            edit(found)
            if json.dumps(found) != before:
                _write(found)
    except OSError as problem:
        return f"Your progress could not be saved in {file().name}: {problem.strerror or problem}."
    return sentence


def _read() -> dict:
    try:
        text = file().read_bytes()
    except FileNotFoundError:
        return {}
    try:
        found = json.loads(text.decode("utf-8"))["passed"]
        if not all(type(when) is str for lesson in found.values() for when in dict.values(lesson)):
            raise TypeError("not a table of lessons")
        return found
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Damaged from problem


def _write(found) -> None:
    place = file()
    # Written beside and moved into place: a crash leaves the old file or the new one, never half.
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=place.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"version": 1, "passed": found}, out, indent=1, sort_keys=True)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _alone(patience=2.0, stale=10.0):
    """One kernel at a time: two open notebooks must not undo each other's entries."""
    lock = file().with_name(file().name + ".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except (FileExistsError, PermissionError) as problem:
            if isinstance(problem, PermissionError) and os.name != "nt":
                raise  # on Windows it only means that the other one is just deleting its lock
            try:
                left_behind = time.time() - lock.stat().st_mtime > stale
            except FileNotFoundError:
                left_behind = False
            if left_behind:  # by a kernel that died in between
                lock.unlink(missing_ok=True)
            elif time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, "another notebook is holding it") from None
            else:
                time.sleep(0.01)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
