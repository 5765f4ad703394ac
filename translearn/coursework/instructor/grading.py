"""Grade submissions: run each in its sandbox, judge it here, and write the books. Resumable at any
moment.

A submission's verdict is one file, written whole, `autograded/ID/A1/result.json`; the gradebook is
written from these files by one process. Whatever is killed when, the next run finds which verdicts
are there and goes on from them.
"""

import atexit
import functools
import hashlib
import json
import queue
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from translearn.coursework.instructor import groups, judging, walls
from translearn.coursework.instructor.folder import Course, read_json, write
from translearn.coursework.instructor.sandbox import Dead, Limits, Pool
from translearn.coursework.instructor.session import Hopeless, Session
from translearn.coursework.instructor.submission import Unreadable, digest, parse, prepare, read
from translearn.errors import CourseError

VERSION = 1
ANSWERS_WITHIN = 20  # seconds, a Dask scheduler somewhere else

# ---- one submission: a plain function of its arguments

_pools, _pools_lock = {}, threading.Lock()


def pool(ahead, limits, unprotected, spare, cold=False) -> Pool:
    """The pool of this process for such sandboxes; made on first use, closed when the process
    ends.
    """
    with _pools_lock:
        key = (tuple(ahead), limits, unprotected, cold)
        if key not in _pools:
            if not _pools:
                atexit.register(close_pools)
            _pools[key] = Pool(ahead, spare, limits, unprotected, cold)
        return _pools[key]


def close_pools() -> None:
    with _pools_lock:
        for each in _pools.values():
            each.close()
        _pools.clear()


def grade_one(
    assignment: str,
    released: dict,
    data: bytes,
    secret: str,
    limits: Limits = Limits(),
    unprotected: bool = False,
    spare: int = 2,
    only: str | None = None,
    cold: bool = False,
) -> dict:
    """The verdict on one submitted notebook, as JSON-ready data. Never raises for what a
    submission is or does, only without a sandbox.

    released   the released notebook, parsed
    data       the submitted file
    secret     the class's, from which the hidden inputs are drawn
    only       the name of the one question that is judged (all cells run all the same)
    cold       start each sandbox from nothing, and none from a process that has imported
    """
    began = time.monotonic()
    result = {
        "version": VERSION,
        "assignment": assignment,
        "submission": hashlib.sha256(data).hexdigest(),
        "state": "graded",
        "reason": "",
        "notes": [],
        "questions": {},
        "visible": {},
        "cells": [],
    }
    module = judging.load(assignment.lower())
    walls.check(unprotected)
    try:
        prepared = prepare(released, parse(data))
        result["notes"] = prepared.notes
        answers = set(prepared.at.values())
        session = Session(
            assignment.lower(),
            prepared.sources(),
            pool(module.AHEAD, limits, unprotected, spare, cold),
            limits,
            own=[n for n, i in enumerate(prepared.run) if i not in answers],
        )
        result["waited"] = round(time.monotonic() - began, 3)
        try:
            _judge(result, module, prepared, session, secret, limits, only)
        finally:
            session.close()
        result["memory"] = session.peak
    except Unreadable as problem:
        result |= {
            "state": "ungraded",
            "reason": f"The file cannot be read: {problem}.",
            "questions": {},
        }
    except (Hopeless, judging.Lost, Dead) as problem:
        result |= {
            "state": "ungraded",
            "reason": str(problem),
            "questions": {},
            "retry": getattr(problem, "ours", False),
        }
    # a mistake of ours that this submission found: it has no mark, and the others go on
    except Exception as problem:
        # Only the error's kind: the reason stands on the student's page, and its text could hold a
        # hidden input.
        result |= {
            "state": "ungraded",
            "reason": (
                f"The grading itself stumbled over it ({type(problem).__name__}). Look at the "
                f"notebook yourself, and report this."
            ),
            "questions": {},
            "cells": [],
        }
    result["seconds"] = round(time.monotonic() - began, 3)
    return result


def _judge(result, module, prepared, session, key, limits, only=None):
    places = {i: n for n, i in enumerate(prepared.run)}
    where = {
        name: places[i] for name, i in prepared.at.items() if i in places
    }  # grade id → position among the cells run
    ask = judging.Ask(session, limits.probe_seconds)
    lost_elsewhere = next(
        (
            outcome["message"]
            if outcome["kind"] == "skipped"
            else f"A cell of the notebook ended Python: {outcome['message']}"
            for outcome in session.outcomes
            if outcome and outcome["kind"] in ("dead", "skipped")
        ),
        "",
    )
    asked = [each for each in judging.questions(module) if only in (None, each.name)]
    for question in asked:
        at = where.get(f"{question.name}_answer")
        outcome = session.outcomes[at] if at is not None else None
        stopped = lost = ""
        if outcome and outcome["kind"] == "dead":
            lost = f"Its cell ended Python: {outcome['message']}"
        elif outcome and outcome["kind"] == "slow":
            stopped = f"Its cell was stopped: {outcome['message']}"
        elif outcome:
            stopped = f"Its cell stopped: {outcome['message']}"
        verdicts = judging.judge(question, ask, key, stopped, lost)
        if (
            lost_elsewhere
            and not lost
            and all(v.got == 0 and "is not there" in v.message for v in verdicts)
        ):
            for verdict in verdicts:  # the cell that died may have held the answer
                verdict.got, verdict.message = None, lost_elsewhere
        result["questions"][question.name] = [asdict(verdict) for verdict in verdicts]
    result |= standing(result["questions"])
    result["visible"] = misconceptions(asked, result["questions"], session, limits.probe_seconds)
    result["notes"] = result["notes"] + left_out(prepared, session)
    ran, ids = (
        {i: n for n, i in enumerate(prepared.run)},
        {at: name for name, at in prepared.at.items()},
    )
    for i, cell in enumerate(prepared.cells):
        outputs, error = (
            (session.outputs[ran[i]], session.outcomes[ran[i]]) if i in ran else ([], None)
        )
        result["cells"].append(
            {
                "type": cell["cell_type"],
                "source": cell["source"],
                "outputs": outputs,
                "error": error,
                "id": ids.get(i),
            }
        )


def standing(verdicts: dict) -> dict:
    """State and reason of a result with these verdicts, {question: verdicts}."""
    ungraded = [name for name, parts in verdicts.items() if any(v["got"] is None for v in parts)]
    if not ungraded:
        return {"state": "graded", "reason": ""}
    reason = next(v["message"] for v in verdicts[ungraded[0]] if v["got"] is None)
    return {"state": "ungraded", "reason": f"No verdict on {', '.join(ungraded)}. {reason}"}


def misconceptions(asked, verdicts: dict, session, seconds: float) -> dict:
    """{question: the misconception that its visible check names} of those that lost points and
    whose functions answer in time. After everything else was asked: it decides nothing.
    """
    found = {}
    for question in asked:
        lost = any(
            v["got"] is not None and v["got"] < v["points"] for v in verdicts[question.name]
        )
        tired = {*session.slow, *session.given_up}
        if lost and not tired & set(re.findall(r"\w+", question.call)):
            if name := session.look(question, seconds):
                found[question.name] = name
    return found


def left_out(prepared, session) -> list:
    """What became of the student's own cells that the limits stopped, a sentence for each kind."""
    found = {}
    for n in sorted(session.own):
        outcome = session.outcomes[n]
        if outcome and outcome["kind"] in ("slow", "dead", "skipped"):
            kind = "left out" if outcome["kind"] == "skipped" else "stopped"
            found.setdefault(kind, []).append(prepared.cells[prepared.run[n]]["source"])
    notes = []
    for kind, sources in found.items():
        cells = "cell that answers" if len(sources) == 1 else "cells that answer"
        first = sources[0].strip().splitlines()[0][:50].replace("`", "'")
        notes.append(
            f"when it ran, {len(sources)} {cells} no question had to be {kind}: `{first}`"
            + (" and others" if len(sources) > 1 else "")
        )
    return notes


# ---- all of them


def todo(course: Course, assignment: str, students=None, again: bool = False) -> list:
    """The students whose submission has no verdict yet, a changed file since, or a failure of
    ours. `again`: all of them.
    """
    found = []
    for student in students or course.submissions(assignment):
        path = course.submitted(student, assignment)
        if not path.is_file():
            raise CourseError(
                f"{student} has handed in nothing for {assignment} (there is no "
                f"{path.relative_to(course.root)})."
            )
        result = course.result(student, assignment)
        if (
            again
            or result is None
            or result.get("retry")
            or result.get("submission") != digest(path)
        ):
            found.append(student)
    return found


def grade(
    course: Course,
    assignment: str,
    students=None,
    again=False,
    jobs=2,
    scheduler=None,
    unprotected=False,
    limits=Limits(),
    quiet=False,
    cold=False,
) -> dict:
    """Grade what is not graded yet; {student: result} of this run. One process, this one, writes
    verdicts and books.

    jobs        how many submissions run at a time on this machine
    scheduler   the address of a Dask scheduler whose workers run them instead
    again       also those that have a verdict (with `students`: of these)
    cold        start each sandbox from nothing: slower, with fewer parts to trust
    Raises `CourseError` when there is no sandbox here (nothing is graded then) or the assignment
    was not released.
    """
    from tqdm.auto import tqdm

    released = ready(course, assignment, scheduler, unprotected)
    names, done = todo(course, assignment, students, again), {}
    names, have = groups.once(course, assignment, names, again)
    arguments = dict(secret=course.key, limits=limits, unprotected=unprotected, cold=cold)
    bar = tqdm(total=len(names), desc=f"Grading {assignment}", unit="submission", disable=quiet)

    def hand_in(submit, student, book, spare):
        data = read(course.submitted(student, assignment))
        return submit(grade_one, assignment, book, data, spare=spare, **arguments)

    def keep(student, future):
        try:
            result = future.result()
        except CourseError:
            raise
        except Exception as problem:  # it broke, which says nothing about the submission
            digested = digest(course.submitted(student, assignment))
            result = _broken(assignment, digested, problem)
        for each in settle(course, assignment, student, result):
            done[each] = result
        bar.update()

    for student, result in have.items():  # its group's file is judged already
        groups.share(course, assignment, groups.follows(course, assignment, student))
        settle(course, assignment, student, result)
        done[student] = result
    with bar:
        spread(jobs, scheduler, hand_in, released, names, keep, quiet)
    return done


def ready(course: Course, assignment: str, scheduler=None, unprotected=False) -> dict:
    """The released notebook, once all is there that running submissions needs and the books know
    every verdict. Raises `CourseError` as `grade` does.
    """
    from translearn.coursework.instructor import books

    judging.load(assignment.lower())
    if scheduler is None:
        walls.check(unprotected)
    released = read_json(course.released(assignment))
    if released is None:
        raise CourseError(
            f"{assignment} was not released from this folder yet. Run: course.py coursework "
            f"release {assignment}"
        )
    books.prepare(course, assignment)
    books.catch_up(
        course, assignment
    )  # verdicts that a killed run had no time to write into the books
    return parse(json.dumps(released).encode())


def spread(jobs, scheduler, hand_in, released, names, keep, quiet=False) -> None:
    """Run the submissions of `names` here, or on the workers of a scheduler. `hand_in` starts
    one, `keep` takes each result as it comes, in this process.
    """
    if scheduler is None:
        _here(jobs, hand_in, released, names, keep)
    else:
        _elsewhere(scheduler, hand_in, released, names, keep)
    for each in _pools.values():
        if each.failed_warm and not quiet:
            print(f"Sandboxes started from nothing, some seconds each: {each.cold}.")
    close_pools()


def _fan_out(names, submit, completed, keep, ahead):
    """Hand in `ahead` submissions at a time; keep each result as it comes.

    submit      a student → a future
    completed   futures → an iterator of those that are done, to which `add` adds more
    """
    left, running = iter(names), {}

    def more():
        for student in left:
            future = submit(student)
            running[future] = student
            return future

    done = completed([future for future in (more() for _ in range(ahead)) if future is not None])
    for future in done:
        keep(running.pop(future), future)
        if (another := more()) is not None:
            done.add(another)


def _broken(assignment, digested, problem) -> dict:
    """The verdict on a submission whose worker failed: the next run tries again."""
    return {
        "version": VERSION,
        "assignment": assignment,
        "submission": digested,
        "state": "ungraded",
        "reason": (
            f"The worker that ran it failed ({type(problem).__name__}: {problem}). The next run "
            f"tries again."
        ),
        "retry": True,
        "notes": [],
        "questions": {},
        "cells": [],
        "seconds": 0,
    }


class _Done:
    """Futures of this process as they are done, as Dask's `as_completed` gives its own."""

    def __init__(self, futures):
        self.left, self.queue = 0, queue.SimpleQueue()
        for future in futures:
            self.add(future)

    def add(self, future):
        self.left += 1
        future.add_done_callback(self.queue.put)

    def __iter__(self):
        while self.left:
            future = self.queue.get()
            self.left -= 1
            yield future


def _here(jobs, hand_in, released, names, keep):
    """The runs go to threads: the work is done in the sandboxes, which are processes of their own.
    Nothing listens for them.
    """
    workers = ThreadPoolExecutor(jobs)

    def submit(student):
        return hand_in(workers.submit, student, released, jobs)

    try:
        _fan_out(names, submit, _Done, keep, 2 * jobs)
    except BaseException:
        workers.shutdown(wait=False, cancel_futures=True)
        close_pools()  # with their sandboxes the threads that are at work end, too
        raise
    finally:
        workers.shutdown()


def _elsewhere(scheduler, hand_in, released, names, keep):
    """The runs go to the workers of a Dask scheduler; their results come back here one by one."""
    import logging
    import warnings

    from distributed import Client, as_completed

    logging.getLogger("distributed").setLevel(logging.ERROR)
    # Dask's on a machine without a network
    warnings.filterwarnings("ignore", "Couldn't detect a suitable IP")
    try:
        client = Client(scheduler, timeout=ANSWERS_WITHIN)
    except (OSError, TimeoutError, ValueError) as problem:
        raise CourseError(
            f"The Dask scheduler at {scheduler} does not answer ({problem}). Start it, or "
            f"leave --scheduler away."
        ) from None
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers:
            raise CourseError(
                f"The Dask scheduler at {scheduler} has no workers. Start some: dask "
                f"worker {scheduler}"
            )
        submit = functools.partial(client.submit, pure=False, retries=1)
        # A task, not scattered: that is gone for good with the worker that holds its last copy.
        shared = client.submit(dict, released)
        ahead = 2 * sum(worker["nthreads"] for worker in workers)
        _fan_out(names, lambda s: hand_in(submit, s, shared, 2), as_completed, keep, ahead)


def settle(course: Course, assignment: str, student: str, result: dict) -> list:
    """Write a verdict, its file and the books; returns whose it is: where a group handed in, all
    its members'.
    """
    whose = [student, *groups.share(course, assignment, student)]
    for each in whose:
        write_verdict(course, assignment, each, result)
    return whose


def write_verdict(course: Course, assignment: str, student: str, result: dict) -> None:
    """Write one student's verdict, then the books: a run killed between is caught up with."""
    from translearn.coursework.instructor import books

    _keep(course, assignment, student, result)
    books.record(course, assignment, student, result)


def _keep(course, assignment, student, result):
    """The verdict, then the notebook as it ran: for nbgrader's formgrader and for the feedback."""
    folder = course.graded(student, assignment)
    (folder / "recorded").unlink(missing_ok=True)
    write(
        folder / f"{assignment}.ipynb",
        json.dumps(as_run(course, assignment, result), indent=1, ensure_ascii=False),
    )
    write(folder / "result.json", json.dumps(result, ensure_ascii=False))


def as_run(course: Course, assignment: str, result: dict) -> dict:
    """The notebook as it ran here: the student's cells, what they showed, and the verdict below
    each check cell.
    """
    released = {
        cell["metadata"].get("nbgrader", {}).get("grade_id"): cell["metadata"]
        for cell in read_json(course.released(assignment))["cells"]
    }
    cells = []
    for at, cell in enumerate(result["cells"]):
        row = {
            "cell_type": cell["type"],
            "id": f"cell-{at}",
            "metadata": released.get(cell["id"], {}) if cell["id"] else {},
            # nbgrader's formgrader stops at a picture that is not there, and none goes with it.
            "source": cell["source"].replace("(attachment:", "(").replace("]: attachment:", "]: ")
            if cell["type"] == "markdown"
            else cell["source"],
        }
        if cell["type"] == "code":
            shown = [
                {"output_type": "stream", "name": o.get("name", "stdout"), "text": o["text"]}
                if o["kind"] == "stream"
                else {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/plain": o["text"]}
                    if o["kind"] == "text"
                    else {"image/png": o["png"], "text/plain": "a picture"},
                }
                for o in cell["outputs"]
            ]
            if cell["error"]:
                shown.append(
                    {
                        "output_type": "stream",
                        "name": "stderr",
                        "text": "\n".join(
                            [cell["error"]["message"], cell["error"].get("line", "")]
                        ).strip(),
                    }
                )
            if cell["id"] in result["questions"]:
                shown = [
                    {
                        "output_type": "stream",
                        "name": "stdout",
                        "text": "\n".join(map(sentence, result["questions"][cell["id"]])),
                    }
                ]
            row |= {"execution_count": None, "outputs": shown}
        cells.append(row)
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            }
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def sentence(verdict: dict) -> str:
    """A part's verdict in one line:

    `2 of 2 · the values`, `0 of 1 · large errors: …`, `not graded · …`.
    """
    got = "not graded" if verdict["got"] is None else f"{verdict['got']:g} of {verdict['points']}"
    return f"{got} · {verdict['what']}" + (f": {verdict['message']}" if verdict["message"] else "")
