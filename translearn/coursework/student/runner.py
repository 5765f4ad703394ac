"""Runs the cells of one notebook, then answers probes. The only code of the course that shares a
process with a submission.

    python -I -m translearn.coursework.student.runner numpy keras        (what to import ahead)

It is started ahead of time, imports, says that it is ready and waits. It serves one notebook and
ends. It talks through the two pipes that were its standard input and output; a submission finds
both of them closed. A submission that imports the course's modules gets copies of its own, so
replacing a function in them changes nothing that is measured here. It still runs in this very
process, so nothing that is said here counts for more than data: what comes out is decoded by
`codec`, and judged elsewhere.
"""

import contextlib
import importlib
import io
import os
import signal
import sys
import traceback

from translearn.coursework import student
from translearn.coursework.student import codec
from translearn.coursework.student.clock import LEAST, Clock

LONGEST = 20_000  # characters kept of what one cell prints
PICTURES, PICTURE_BYTES = 4, 1_000_000  # kept of one cell


class TimeUp(BaseException):
    """A cell or a probe took too long.

    Not an Exception, so that a bare `except Exception` lets it through.
    """


class Bounded(io.TextIOBase):
    """A stream that keeps the first `LONGEST` characters and counts the rest."""

    def __init__(self):
        self.parts, self.room, self.lost = [], LONGEST, 0

    def writable(self):
        return True

    def write(self, text):
        text = str(text)
        kept = text[: self.room]
        if kept:
            self.parts.append(kept)
        self.room -= len(kept)
        self.lost += len(text) - len(kept)
        return len(text)

    def text(self):
        return "".join(self.parts) + (
            f"\n… and {self.lost:,} characters more" if self.lost else ""
        )


def limit(memory: int, processes: int, file_bytes: int, cpu_seconds: int) -> None:
    """Limits of this process and its children that nobody in it can raise again.

    `memory` is on top of what is in use. When the machine has none left, this ends first.
    """
    try:
        import resource
    except ImportError:  # Windows: there the sandbox is not either
        return
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")  # half of the machine's memory worse than one that has not this
    with open("/proc/self/statm") as file:
        in_use = int(file.read().split()[0]) * resource.getpagesize()
    for what, value in {
        resource.RLIMIT_AS: in_use + memory,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu_seconds,
    }.items():
        with contextlib.suppress(
            ValueError, OSError
        ):  # a lower limit than this one stands already
            resource.setrlimit(what, (value, value))


@contextlib.contextmanager
def at_most(seconds: float):
    """Raise `TimeUp` in the code inside after `seconds`, and again each second: the first may be
    caught by an `except:`.
    """

    clock = Clock()

    def ring(*_):
        if (left := seconds - clock.had()) > 0.01:
            signal.setitimer(signal.ITIMER_REAL, left, 1.0)
        else:
            raise TimeUp

    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _leave():
    raise SystemExit


class Session:
    """An IPython without a terminal: it runs cells and keeps what they show."""

    def __init__(self):
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        # without a history, which would start a thread
        settings = Config({"HistoryManager": {"enabled": False}})
        self.shell = InteractiveShell.instance(config=settings)
        self.shell.ask_exit = _leave
        # A notebook's own names live in `__main__`, as in a notebook: the checks tell a learner's
        # code by that.
        self.shell.user_ns["__name__"] = "__main__"

    def run(self, source: str, seconds: float):
        """Run one cell. Returns (outputs, error): a list of nbformat-like outputs, and None or a
        dictionary.
        """
        from IPython.core.displaypub import CapturingDisplayPublisher

        out, err, shown, error = Bounded(), Bounded(), CapturingDisplayPublisher(), None
        shell, kept = (
            self.shell,
            (sys.stdout, sys.stderr, self.shell.display_pub, self.shell.display_trap.hook),
        )
        shown_values = []

        class Hook(type(shell.displayhook)):
            def __call__(hook, result=None):
                if result is not None:
                    shown_values.append(shell.display_formatter.format(result)[0])

        sys.stdout, sys.stderr, shell.display_pub = out, err, shown
        shell.display_trap.hook = Hook(shell=shell)
        shell.showtraceback = shell.showsyntaxerror = shell.showindentationerror = (
            lambda *args, **kwargs: None
        )
        try:
            with at_most(seconds):
                result = shell.run_cell(source, store_history=False)
            problem = result.error_before_exec or result.error_in_exec
            error = None if problem is None else describe(problem, seconds)
        except BaseException as problem:  # an alarm that rang between two lines of IPython's own
            error = describe(problem, seconds)
        finally:
            sys.stdout, sys.stderr, shell.display_pub, shell.display_trap.hook = kept
        outputs = [
            {"kind": "stream", "name": name, "text": stream.text()}
            for name, stream in (("stdout", out), ("stderr", err))
            if stream.parts
        ]
        rich = [item["data"] for item in shown.outputs]
        return outputs + list(filter(None, map(plain, [*rich, *shown_values]))), error


def plain(data):
    """Of what a display offers, a picture or text. Nothing that a browser would run."""
    import base64

    picture = data.get("image/png")
    if isinstance(picture, bytes):
        picture = base64.b64encode(picture).decode("ascii")
    if isinstance(picture, str) and len(picture) <= PICTURE_BYTES * 4 / 3:
        return {"kind": "picture", "png": picture.replace("\n", "")}
    text = data.get("text/plain")
    return {"kind": "text", "text": str(text)[:LONGEST]} if text else None


def describe(problem, seconds) -> dict:
    """Class, message and line of an exception, and whether it means that time was up."""
    if isinstance(problem, TimeUp):
        return {
            "type": "TimeUp",
            "message": f"It ran for more than {seconds:g} s and was stopped.",
            "line": "",
        }
    try:
        message = str(problem)[:500]
    except Exception:
        message = "(its message cannot be shown)"
    line = ""
    if isinstance(problem, SyntaxError):
        line = f"line {problem.lineno}: {(problem.text or '').strip()}"[:200]
    else:
        theirs = [
            step
            for step in traceback.walk_tb(problem.__traceback__)
            if step[0].f_globals.get("__name__") == "__main__"
        ]
        if theirs:
            import linecache

            frame, number = theirs[-1]
            line = f"line {number}: {linecache.getline(frame.f_code.co_filename, number).strip()}"[
                :200
            ]
    return {"type": type(problem).__name__[:80], "message": message, "line": line}


# ---- probes


def make(value, module):
    """Arguments as they came, and in place of `{"make": [name, arguments]}` what the assignment's
    own function makes of them.
    """
    if type(value) is dict and set(value) == {"make"}:
        name, arguments = value["make"]
        return getattr(module, name)(*(make(item, module) for item in arguments))
    if type(value) is dict:
        return {key: make(item, module) for key, item in value.items()}
    return [make(item, module) for item in value] if type(value) is list else value


def answer(session, probe: dict, module):
    """What the submission answers to a probe, as encoded data."""
    value = session.shell.user_ns[probe["name"]]
    if "args" in probe:
        args = make(codec.decode(probe["args"]), module)
        value = value(*args)
    if probe.get("read"):
        value = getattr(module, probe["read"])(
            value, *make(codec.decode(probe.get("with", [])), module)
        )
    return codec.encode(value)


def probe(session, request: dict, module) -> dict:
    """The reply to a probe:

    {"value": …} or {"error": …}. What it prints is lost: it could hold the probe itself.
    """
    sys.stdout = sys.stderr = Bounded()
    try:
        if (
            request["name"] not in session.shell.user_ns
            or session.shell.user_ns[request["name"]] is ...
        ):
            return {"missing": request["name"]}
        with at_most(request["seconds"]):
            return {"value": answer(session, request, module)}
    except codec.NotPlain as problem:
        return {"error": {"type": "NotPlain", "message": str(problem)[:300], "line": ""}}
    except BaseException as problem:
        return {"error": describe(problem, request["seconds"])}


def visible(session, question, seconds=60) -> tuple:
    """(kind, misconception or "") of a question's visible check on what the notebook has
    defined.
    """
    space = session.shell.user_ns
    try:
        answers = [eval(part.strip(), space) for part in question.call.split(",")]
    except NameError:
        return "not there", ""
    with at_most(seconds):
        outcome = question.judge(*answers)
    return outcome.kind, outcome.misconception


def look(session, request: dict, module) -> dict:
    """The reply to a request for a visible check, {"visible": [kind, misconception]}. Never its
    message: by now it could hold what was asked before.
    """
    sys.stdout = sys.stderr = Bounded()
    try:
        question = getattr(module, request["visible"])
        return {"visible": list(visible(session, question, request["seconds"]))}
    except BaseException:
        return {"visible": ["error", ""]}


# ---- the conversation


def imported(ahead) -> list:
    """Import these modules; returns a sentence for each that cannot be."""
    # First: Matplotlib asks for it once, and Keras imports Matplotlib.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    failed = []
    for name in ahead:
        try:
            importlib.import_module(name)
        except Exception as problem:
            failed.append(f"{name}: {problem}"[:300])
    return failed


def converse(session, read, write, failed=()) -> None:
    """Say ready, take one job, run its cells, answer probes until nobody asks."""
    write({"ready": True, "failed": list(failed)})
    job = read()
    if job is None:
        return
    module = student.module(job["assignment"])
    part_ways()
    if job.get("limits"):
        limit(**job["limits"])
    own, left = set(job.get("own", ())), job.get("own_seconds", 0)
    for at, cell in enumerate(job["cells"]):
        if cell is None:
            continue
        write({"running": at})
        seconds, clock = job["cell_seconds"], Clock()
        if at in own:
            seconds = min(seconds, max(left, LEAST))
        outputs, error = session.run(cell, seconds)
        if at in own:
            if error and error["type"] == "TimeUp" and seconds < job["cell_seconds"]:
                error["message"] = (
                    f"It was stopped after {seconds:.0f} s: cells that answer no question have "
                    f"{job['own_seconds']:g} s together."
                )
            left -= clock.had()
        write({"done": at, "outputs": trim(outputs), "error": error})
    write({"finished": True})
    if "checks" in job:  # a student's own look before handing in: the visible checks
        for name in job["checks"]:
            write({"question": name, "outcome": visible(session, getattr(module, name))[0]})
        write({"checked": True})
        return
    while (request := read()) is not None:
        write((look if "visible" in request else probe)(session, request, module))


def part_ways() -> None:
    """Forget the course's modules: whoever imports them from now on gets others than are used
    here.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "translearn"]:
        del sys.modules[name]


def trim(outputs):
    pictures = [item for item in outputs if item["kind"] == "picture"]
    return [item for item in outputs if item["kind"] != "picture" or item in pictures[:PICTURES]][
        :50
    ]


def line(incoming: int, outgoing: int) -> tuple:
    """(read, write) of messages through two pipes; `read` returns None when nobody writes."""

    def exactly(count):
        parts = []
        while count:
            part = os.read(incoming, min(count, 1 << 20))
            if not part:
                return None
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def read():
        head = exactly(4)
        body = head and exactly(int.from_bytes(head, "big"))
        return codec.unpack(body) if body else None

    def write(message):
        try:
            data = codec.pack(message)
        except Exception as problem:
            data = codec.pack(
                {"error": {"type": "NotPlain", "message": str(problem)[:300], "line": ""}}
            )
        view = memoryview(data)
        while view:
            view = view[os.write(outgoing, view) :]

    return read, write


def main() -> None:
    # The pipes get numbers that nobody expects, and what the submission reads and prints goes
    # nowhere.
    incoming, outgoing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    # also where whoever grades ignores interrupts, as a job in the background does
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failed = imported(sys.argv[1:])
    converse(Session(), *line(incoming, outgoing), failed)
    os._exit(0)  # threads and exit handlers of the submission do not get to run


if __name__ == "__main__":
    main()
