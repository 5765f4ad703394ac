"""Submissions that want more than they earned, or are broken: each with the mark and the reason
that it must get.

Each is the perfect notebook of A1 in which something was changed. `Case.expected` names the
questions that do not get full points: {question: points, or None for "not graded"}; `reason` must
occur in what is said about the first of them.
"""

import copy
import json
import re
from dataclasses import dataclass, field

WRONG = "def huber(target, guess, delta=1.0):\n    return 0.0\n"


@dataclass
class Case:
    name: str
    change: object  # function of the perfect notebook: returns a notebook, or bytes
    expected: dict = field(default_factory=dict)
    reason: str = ""
    state: str = "graded"
    seconds: float = 4  # a cell's time: short, because many of these wait for it
    # one of several of its kind that waits for a limit: only with --long
    long: bool = False


def answer(question, source):
    """The perfect notebook with another answer to `question`."""

    def change(book):
        book = copy.deepcopy(book)
        cell = find(book, f"{question}_answer")
        cell["source"] = source
        return book

    return change


def find(book, name):
    return next(
        cell
        for cell in book["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def more(source, at=1, also=None):
    """The perfect notebook with a cell of the student's own."""

    def change(book):
        book = also(book) if also else copy.deepcopy(book)
        book["cells"].insert(
            at if at >= 0 else len(book["cells"]),
            {
                "cell_type": "code",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
                "id": "own",
            },
        )
        return book

    return change


def without(*names):
    def change(book):
        book = copy.deepcopy(book)
        book["cells"] = [
            cell
            for cell in book["cells"]
            if cell["metadata"].get("nbgrader", {}).get("grade_id") not in names
        ]
        return book

    return change


def edited(function):
    def change(book):
        book = copy.deepcopy(book)
        return function(book) or book

    return change


def _double(book, name):
    book["cells"].insert(5, copy.deepcopy(find(book, name)))


def _set(book, name, source):
    find(book, name)["source"] = source


def _add(book, source):
    book["cells"].insert(
        2,
        {
            "cell_type": "code",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
            "id": "own",
        },
    )


def _append(book, name, source):
    find(book, name)["source"] += source


def _odd_ids(book):
    for cell, odd in zip(book["cells"], ({}, [], 3, None, True, {"a": [1]})):
        cell["id"] = odd


GOOD = (
    "def huber(target, guess, delta=1.0):\n    s = np.abs(guess - target)\n"
    "    return np.where(s <= delta, s**2 / 2, delta * (s - delta / 2)).mean()\n"
)
NONE, ZERO = {"huber": None}, {"huber": 0}

# The runner's own copy of the decoder's other half: by the stream that it catches prints with.
REACH = "import sys\ncodec = type(sys.stdout).write.__globals__['codec']\n"

CASES = [
    # ---- time
    Case("loops forever", answer("huber", GOOD + "while True: pass"), {}, ""),
    Case(
        "loops forever before the answer is there",
        answer("huber", "while True: pass\n" + GOOD),
        ZERO,
        "more than",
        long=True,
    ),
    Case(
        "catches KeyboardInterrupt and all else, forever",
        answer(
            "huber",
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        ),
        ZERO,
        "more than",
        long=True,
    ),
    Case(
        "ignores the alarm",
        answer(
            "huber",
            "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
            "signal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass",
        ),
        ZERO,
        "more than",
    ),
    Case(
        "hangs inside a C function",
        answer("huber", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"),
        ZERO,
        "more than",
        long=True,
    ),
    Case(
        "sleeps inside its function",
        answer("huber", "import time\ndef huber(target, guess, delta=1.0):\n    time.sleep(1000)"),
        ZERO,
        "took more than",
        long=True,
    ),
    Case(
        "hangs inside its function, uninterruptible",
        answer(
            "huber",
            "import re\ndef huber(target, guess, delta=1.0):\n    re.match('(a+)+$', 'a' * 60 "
            "+ 'b')",
        ),
        ZERO,
        "took more than",
    ),
    # ---- output
    Case("prints 200 MB on one line", answer("huber", GOOD + "print('x' * 200_000_000)")),
    Case(
        "prints forever, a little at a time",
        answer("huber", GOOD + "while True: print('spam' * 1000)"),
        long=True,
    ),
    Case(
        "writes 200 MB past Python",
        answer(
            "huber",
            GOOD
            + (
                "import os\nfor n in (1, 2):\n    for _ in range(200): os.write(n, b'y' * "
                "1_000_000)"
            ),
        ),
    ),
    Case(
        "shows a thousand pictures",
        answer(
            "huber",
            GOOD
            + (
                "import matplotlib.pyplot as plt\nfrom IPython.display import Image, display\n"
                "import io\nf = io.BytesIO(); plt.figure(figsize=(1, 1)).savefig(f, "
                "format='png')\nfor _ in range(1000): display(Image(f.getvalue()))"
            ),
        ),
        long=True,
    ),
    Case(
        "shows HTML with a script",
        answer(
            "huber",
            GOOD
            + (
                "from IPython.display import HTML, display\n"
                "display(HTML('<script>alert(1)</script>'))"
            ),
        ),
    ),
    Case(
        "writes nonsense into every open line",
        answer(
            "huber",
            "import os\nfor n in range(3, 256):\n    try: os.write(n, b'\\xff' * 100)\n"
            "    except OSError: pass",
        ),
        NONE,
        "not an answer",
    ),
    Case(
        "forges the runner's messages",
        answer(
            "huber",
            WRONG
            + (
                "import os, json\nbody = json.dumps({'value': 0.125}).encode()\n"
                "for n in range(3, 256):\n    try: os.write(n, (len(body).to_bytes(4, 'big') + "
                "body) * 50)\n    except OSError: pass"
            ),
        ),
        NONE,
        "not an answer",
    ),
    Case(
        "announces that all is done",
        answer(
            "huber",
            "import os, json\nfor m in ({'done': 1, 'outputs': [], 'error': None}, "
            "{'finished': True}):\n    body = json.dumps(m).encode()\n"
            "    for n in range(3, 256):\n        try: os.write(n, len(body).to_bytes(4, "
            "'big') + body)\n        except OSError: pass",
        ),
        NONE,
        "not an answer",
    ),
    # ---- the machine
    Case(
        "opens a socket",
        answer(
            "huber",
            "import socket\ndef huber(target, guess, delta=1.0):\n"
            "    socket.create_connection(('127.0.0.1', PORT), 2).sendall(b'hello')\n"
            "    return 0.0",
        ),
        ZERO,
        "PermissionError",
    ),
    Case(
        "asks for a name",
        answer(
            "huber",
            "import socket\ndef huber(target, guess, delta=1.0):\n"
            "    return socket.gethostbyname('example.org')",
        ),
        ZERO,
        "stopped with",
    ),
    Case(
        "forks without end",
        answer(
            "huber",
            GOOD
            + (
                "import os\nfor _ in range(2000):\n    try:\n        if os.fork() == 0:\n"
                "            import time; time.sleep(600)\n    except OSError: break\n"
                "import time; time.sleep(3)"
            ),
        ),
        NONE,
        "more processes",
    ),
    Case(
        "a real fork bomb",
        answer(
            "huber",
            GOOD
            + (
                "import os\nif os.fork() == 0:\n    while True:\n        try: os.fork()\n"
                "        except OSError: pass"
            ),
        ),
        {},
        "stopped|more processes",
        "ungraded",
        long=True,
    ),
    Case(
        "keeps the cores busy with forty processes",
        answer(
            "huber",
            GOOD
            + (
                "import os\nfor _ in range(40):\n    if os.fork() == 0:\n"
                "        while True: pass\nimport time; time.sleep(3)"
            ),
        ),
        NONE,
        "more processes",
    ),
    Case(
        "hides memory from the count",
        answer(
            "huber",
            "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            "held = []\nfor call in (lambda: os.memfd_create('x'), lambda: libc.shmget(0, "
            "2**28, 0o1600), lambda: libc.syscall(319, b'y', 0)):\n"
            "    try:\n        held.append(call())\n    except OSError as problem: "
            "held.append(-problem.errno)\nprint('HELD', held)\n" + GOOD,
        ),
    ),
    Case(
        "makes a namespace of its own",
        answer(
            "huber",
            "import ctypes, os, subprocess\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            "done = [libc.unshare(0x10000000), libc.unshare(0x00020000), libc.mount(b'none', "
            "b'/tmp', b'tmpfs', 0, b'size=90%'), subprocess.run(['/usr/bin/unshare', '-Urm', "
            "'/bin/true'], capture_output=True).returncode]\nprint('DONE', done)\n" + GOOD,
        ),
    ),
    Case(
        "opens every kind of socket, and a pair",
        answer(
            "huber",
            "import asyncio, ctypes, socket\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            "held = [libc.socket(f, k, 0) for f in range(46) for k in (1, 2, 3)]\n"
            "held += [libc.socketpair(f, 1, 0, (ctypes.c_int * 2)()) for f in (2, 10, 16)]\n"
            "print('HELD', [max(held), libc.inotify_init1(0), -1])\n"
            "a, b = socket.socketpair()\na.send(b'x')\nassert b.recv(1) == b'x'\n"
            "asyncio.new_event_loop().run_until_complete(asyncio.sleep(0))\n" + GOOD,
        ),
    ),
    Case(
        "makes files without end, empty ones",
        answer(
            "huber",
            GOOD + "for n in range(10**7):\n    open(f'e{n}', 'w').close()",
        ),
        NONE,
        "more files",
        seconds=30,
    ),
    Case("half a character in its output", answer("huber", "print('\\ud800')\n" + GOOD)),
    Case("half a character in its code", edited(lambda book: _add(book, "x = 1  # \ud800"))),
    Case("cell ids that are no text", edited(_odd_ids)),
    Case(
        "6,000 cells",
        edited(
            lambda book: book["cells"].extend(
                {"cell_type": "raw", "metadata": {}, "source": "", "id": f"r{i}"}
                for i in range(6000)
            )
        ),
        {},
        "more than 5,000 cells",
        "ungraded",
    ),
    Case(
        "hands in at the end of an answer",
        edited(
            lambda book: _append(
                book,
                "huber_answer",
                "\nfrom translearn.coursework.student import submit\nsubmit.submit('A1')",
            )
        ),
    ),
    Case(
        "an answer of long doubles and complex numbers",
        answer(
            "huber",
            "def huber(target, guess, delta=1.0):\n    s = np.abs(guess - "
            "target).astype(np.longdouble)\n    return np.where(s <= delta, s**2 / 2, delta * "
            "(s - delta / 2)).mean() + 0j",
        ),
    ),
    Case(
        "an enormous gradient",
        answer(
            "gradient",
            "def gradient(labels, logits):\n    return -1e9 * np.eye(logits.shape[1])[labels]",
        ),
        {"gradient": 0},
        "does not point",
    ),
    Case(
        "takes 10 GB", answer("huber", "hog = bytearray(10 * 2**30)\n" + GOOD), ZERO, "MemoryError"
    ),
    Case(
        "takes 3 GB in many processes",
        answer(
            "huber",
            "import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n"
            "        hog = bytearray(250 * 2**20)\n        hog[::4096] = b'x' * "
            "len(hog[::4096])\n        time.sleep(600)\ntime.sleep(600)",
        ),
        NONE,
        "more memory",
        seconds=30,
        long=True,
    ),
    Case(
        "ends its first thread, and takes 3 GB in many others",
        answer(
            "huber",
            "import ctypes, os, threading, time\nfor _ in range(11):\n"
            "    if os.fork() == 0:\n        break\n"
            "def hide():\n    time.sleep(0.5)\n    hog = bytearray(250 * 2**20)\n"
            "    hog[::4096] = b'x' * len(hog[::4096])\n    time.sleep(600)\n"
            "threading.Thread(target=hide).start()\nctypes.CDLL(None).syscall(60, 0)",
        ),
        NONE,
        "more memory",
        seconds=30,
    ),
    Case(
        "ends its first thread, and makes files without end",
        answer(
            "huber",
            "import ctypes, threading, time\ndef hide():\n    time.sleep(0.5)\n"
            "    for n in range(10**7):\n        open(f'e{n}', 'w').close()\n"
            "threading.Thread(target=hide).start()\nctypes.CDLL(None).syscall(60, 0)",
        ),
        NONE,
        "more files",
        seconds=30,
    ),
    Case(
        "fills the disk",
        answer(
            "huber", "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 2**20)\n" + GOOD
        ),
        ZERO,
        "File too large",
    ),
    Case(
        "fills the disk with many files",
        answer(
            "huber",
            "for n in range(10_000):\n    with open(f'big{n}', 'wb') as f: f.write(b'x' * 2**22)\n"
            + GOOD,
        ),
        ZERO,
        "No space left",
    ),
    Case(
        "leaves a daemon",
        answer(
            "huber",
            GOOD
            + (
                "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
                "    if os.fork() == 0:\n        time.sleep(3600)\n"
                "    os._exit(0)"
            ),
        ),
    ),
    Case(
        "leaves a thread",
        answer(
            "huber",
            GOOD
            + "import threading, time\nthreading.Thread(target=lambda: time.sleep(3600)).start()",
        ),
    ),
    Case(
        "kills every process it can",
        answer(
            "huber",
            "import os, signal\ntry: os.kill(-1, signal.SIGKILL)\n"
            "except OSError: pass\nos.kill(os.getpid(), signal.SIGKILL)",
        ),
        NONE,
        "SIGKILL",
    ),
    Case(
        "kills the first process",
        answer(
            "huber",
            GOOD + "import os, signal\ntry: os.kill(1, signal.SIGKILL)\nexcept OSError: pass",
        ),
    ),
    Case(
        "deletes what it can",
        more(
            "import shutil, sys, os\nfor place in ('/usr', '/tmp', sys.prefix, "
            "os.path.dirname(np.__file__)): shutil.rmtree(place, ignore_errors=True)",
            4,
        ),
    ),
    Case("shell commands", more("!rm -rf / 2>/dev/null; echo done\n%cd /tmp", 4)),
    Case(
        "mounts and new namespaces",
        more(
            "import subprocess\nprint(subprocess.run(['unshare', '-Urm', 'mount', '-t', "
            "'tmpfs', 'x', '/usr'], capture_output=True).returncode)",
            4,
        ),
    ),
    # ---- the end of Python
    Case("os._exit", answer("huber", "import os\nos._exit(0)"), NONE, "ended (with 0)"),
    Case(
        "a segmentation fault",
        answer("huber", "import ctypes\nctypes.string_at(0)"),
        NONE,
        "SIGSEGV",
    ),
    Case(
        "os._exit inside its function",
        answer("huber", "import os\ndef huber(target, guess, delta=1.0):\n    os._exit(0)"),
        NONE,
        "While it answered",
    ),
    Case("os._exit in a cell that answers nothing", more("import os\nos._exit(3)", 4)),
    Case("sys.exit after the answer", answer("huber", GOOD + "import sys\nsys.exit()")),
    Case(
        "exit() before the answer",
        answer("huber", "exit()\n"),
        ZERO,
        "is not there|SystemExit|NameError",
    ),
    Case(
        "an error that is its own class",
        answer("huber", "class Strange(BaseException): pass\nraise Strange('x')"),
        ZERO,
        "Strange",
    ),
    # ---- objects that lie
    Case(
        "always equal",
        answer(
            "huber",
            "class Liar(float):\n    def __eq__(self, other): return True\n"
            "    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __eq__\n"
            "    def __sub__(self, other): return 0.0\n    __rsub__ = __sub__\n"
            "    def __abs__(self): return 0.0\n    def __hash__(self): return 0\n"
            "def huber(target, guess, delta=1.0):\n    return Liar()",
        ),
        ZERO,
        "plain data",
    ),
    Case(
        "an array that lies",
        answer(
            "huber",
            "class Liar(np.ndarray):\n    def __array_function__(self, *a): return True\n"
            "    def __array_ufunc__(self, *a, **k): return True\n"
            "def huber(target, guess, delta=1.0):\n    return np.zeros(()).view(Liar)",
        ),
        ZERO,
        "not half the squared",
    ),
    Case(
        "an object with __array__",
        answer(
            "huber",
            "class A:\n    def __array__(self, *a, **k): return np.zeros(())\n"
            "def huber(target, guess, delta=1.0):\n    return A()",
        ),
        ZERO,
        "not half the squared",
    ),
    Case(
        "pickles itself",
        answer(
            "huber",
            "class P:\n    def __reduce__(self): return (print, ('pwned',))\n"
            "def huber(target, guess, delta=1.0):\n    return P()",
        ),
        ZERO,
        "plain data",
    ),
    Case(
        "NaN",
        answer("huber", "def huber(target, guess, delta=1.0):\n    return float('nan')"),
        ZERO,
        "NaN",
    ),
    Case(
        "a number as text",
        answer("huber", "def huber(target, guess, delta=1.0):\n    return '0.5'"),
        ZERO,
        "numbers",
    ),
    Case(
        "a list that holds itself",
        answer(
            "huber",
            "loop = []\nloop.append(loop)\ndef huber(target, guess, delta=1.0):\n    return loop",
        ),
        ZERO,
        "plain data",
    ),
    Case(
        "an array of a gigabyte",
        answer("huber", "def huber(target, guess, delta=1.0):\n    return np.zeros(2**26)"),
        ZERO,
        "plain data|MemoryError",
    ),
    Case(
        "a million small numbers",
        answer("huber", "def huber(target, guess, delta=1.0):\n    return [0.0] * 1_000_000"),
        ZERO,
        "too large",
    ),
    Case(
        "recursion without end",
        answer("huber", "def huber(target, guess, delta=1.0):\n    return huber(target, guess)"),
        ZERO,
        "RecursionError",
    ),
    # ---- tampering
    Case(
        "patches NumPy's comparisons",
        answer(
            "huber",
            WRONG
            + (
                "np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n"
                "np.testing.assert_allclose = lambda *a, **k: None"
            ),
        ),
        ZERO,
        "not half the squared",
    ),
    Case(
        "patches NumPy itself",
        answer("huber", WRONG + "_where = np.where\nnp.asarray = np.abs = lambda *a, **k: 0"),
        {"huber": 0, "adamw_step": 5, "gradient": 4},
        "",
    ),
    Case(
        "hooks the input transformers",
        answer(
            "huber",
            WRONG + "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])",
        ),
        {
            "huber": 0,
            "cross_entropy": 0,
            "gradient": 0,
            "class_weights": 0,
            "momentum_step": 0,
            "adamw_step": 0,
            "schedule": 0,
            "verdict": 0,
        },
        "not half",
    ),
    Case(
        "reads In and looks for the expected value",
        answer(
            "huber",
            "import gc, inspect\ndef huber(target, guess, delta=1.0):\n"
            "    for frame in inspect.stack():\n        for name, value in "
            "frame.frame.f_locals.items():\n            if name in ('expected', 'right', "
            "'target_value', 'answer') and isinstance(value, float): return value\n"
            "    return In[-1] if 'In' in globals() else 0.0",
        ),
        ZERO,
        "numbers|not half",
    ),
    Case(
        "puts a judge of its own into sys.modules",
        answer(
            "huber",
            WRONG
            + (
                "import sys, types\nfake = "
                "types.ModuleType('translearn.coursework.instructor.judging')\n"
                "fake.judge = lambda *a, **k: []\n"
                "sys.modules['translearn.coursework.instructor.judging'] = "
                "sys.modules['translearn.coursework'] = fake"
            ),
        ),
        ZERO,
        "not half",
    ),
    Case(
        "makes the visible check always pass",
        answer(
            "huber",
            WRONG
            + (
                "question.huber.check = question.huber.judge = lambda *a: print('passed')\n"
                "question.huber.marks.clear()"
            ),
        ),
        ZERO,
        "not half",
    ),
    Case(
        "patches the course's modules, by their names",
        answer(
            "momentum_step",
            "def momentum_step(weights, velocity, grad, rate, momentum):\n"
            "    velocity *= momentum\n    velocity -= rate * grad\n    weights += velocity\n"
            "    return weights, velocity\n"
            "from translearn.coursework.student import codec, runner\n"
            "question.left_alone = lambda f, *arrays: [f(*(a.copy() for a in arrays), 0.1, 0.9), "
            "[a.copy() for a in arrays]]\n"
            "codec.encode = lambda value, depth=0: {'a': ['<f8', [1], 'AAAAAAAAAAA=']}\n"
            "runner.answer = runner.probe = lambda *a: {'value': 0.0}",
        ),
        {"momentum_step": 2},
        "not what they were",
    ),
    Case(
        "patches the encoder",
        answer(
            "huber",
            WRONG
            + (
                REACH + "codec.encode = lambda value, depth=0: {'a': ['<f8', [1], 'AAAAAAAAAAA=']}"
            ),
        ),
        {
            "huber": 0,
            "cross_entropy": 0,
            "gradient": 0,
            "class_weights": 0,
            "momentum_step": 0,
            "adamw_step": 0,
            "schedule": 0,
            "verdict": 0,
        },
        "another shape",
    ),
    Case(
        "sends a dtype of objects",
        answer(
            "huber",
            WRONG
            + (REACH + "codec.encode = lambda value, depth=0: {'a': ['|O', [1], 'AAAAAAAAAAA=']}"),
        ),
        {
            "huber": 0,
            "cross_entropy": 0,
            "gradient": 0,
            "class_weights": 0,
            "momentum_step": 0,
            "adamw_step": 0,
            "schedule": 0,
            "verdict": 0,
        },
        "unknown kind",
    ),
    Case(
        "sends an array larger than it says",
        answer(
            "huber",
            WRONG
            + (
                REACH
                + "codec.encode = lambda value, depth=0: {'a': ['<f8', [10**9], 'AAAAAAAAAAA=']}"
            ),
        ),
        {
            "huber": 0,
            "cross_entropy": 0,
            "gradient": 0,
            "class_weights": 0,
            "momentum_step": 0,
            "adamw_step": 0,
            "schedule": 0,
            "verdict": 0,
        },
        "size is not",
    ),
    Case(
        "answers with the probe's own words in an error",
        answer(
            "huber",
            "def huber(target, guess, delta=1.0):\n    raise type('LEAK' + "
            "str(guess[0]).replace('.', '_').replace('-', 'm'), (Exception,), {})('LEAK' + "
            "str(guess))",
        ),
        ZERO,
        "an error",
    ),
    Case(
        "prints the probe",
        answer(
            "huber",
            "def huber(target, guess, delta=1.0):\n    print('LEAK', guess)\n"
            "    import sys; sys.__stderr__.write('LEAK')\n    return 'LEAK' + str(guess)",
        ),
        ZERO,
        "numbers",
    ),
    # ---- reading
    Case(
        "reads what is not its own",
        answer(
            "huber",
            "import glob, os\nfound = []\nfor place in PLACES:\n"
            "    try: found.append(open(place).read())\n    except (OSError, "
            "UnicodeDecodeError) as e: found.append(type(e).__name__)\n"
            "print(found)\n" + GOOD,
        ),
    ),
    Case(
        "searches the whole disk",
        answer(
            "huber",
            "import os\nhits = []\nfor d, dirs, files in os.walk('/'):\n"
            "    dirs[:] = [n for n in dirs if n not in ('proc', 'sys', 'dev', 'usr', 'lib', "
            "'share', 'include', 'site-packages')]\n    hits += [os.path.join(d, f) for f in "
            "files if f in ('secret.key', 'gradebook.db', 'result.json') or "
            "'coursework/instructor' in d]\nprint('HITS', len(hits), hits[:3])\n" + GOOD,
        ),
    ),
    Case(
        "imports the judges",
        answer(
            "huber",
            "try:\n    import translearn.coursework.instructor.judges.a1 as j\n"
            "    print('LEAK')\nexcept ImportError: pass\n" + GOOD,
        ),
    ),
    Case(
        "looks at other processes",
        answer(
            "huber",
            "import os\nprint('PIDS', len([p for p in os.listdir('/proc') if p.isdigit()]))\n"
            + GOOD,
        ),
    ),
    # ---- cells
    Case("copies a check cell", edited(lambda book: _double(book, "huber"))),
    Case("copies an answer cell", edited(lambda book: _double(book, "huber_answer"))),
    Case("copies the set-up cell", edited(lambda book: _double(book, "setup"))),
    Case("deletes a check cell", without("huber")),
    Case(
        "deletes every check cell",
        without(
            "huber",
            "cross_entropy",
            "gradient",
            "class_weights",
            "momentum_step",
            "adamw_step",
            "schedule",
            "verdict",
            "submit",
        ),
    ),
    Case("deletes the set-up cell", without("setup")),
    Case("deletes an answer cell", without("huber_answer"), ZERO, "is not there"),
    Case("answers in a cell of its own", more(GOOD, 4, without("huber_answer"))),
    Case("changes the set-up cell", edited(lambda book: _set(book, "setup", "class np: pass"))),
    Case(
        "changes a check cell to an error",
        edited(lambda book: _set(book, "huber", "raise SystemExit")),
    ),
    Case(
        "turns an answer into text",
        edited(lambda book: find(book, "huber_answer").update(cell_type="markdown")),
        ZERO,
        "is not there",
    ),
    Case(
        "gives itself more points",
        edited(lambda book: find(book, "huber")["metadata"]["nbgrader"].update(points=1000)),
    ),
    Case(
        "gives an answer cell another's id",
        edited(
            lambda book: find(book, "huber_answer")["metadata"]["nbgrader"].update(
                grade_id="verdict"
            )
        ),
        ZERO,
        "is not there",
    ),
    Case(
        "nbgrader's metadata is nonsense",
        edited(
            lambda book: (
                [cell["metadata"].update(nbgrader=[1, 2]) for cell in book["cells"]] and None
            )
        ),
    ),
    Case(
        "no metadata at all",
        edited(lambda book: [cell.update(metadata={}) for cell in book["cells"]] and None),
    ),
    Case(
        "renames the function",
        answer("huber", GOOD.replace("def huber", "def hubert")),
        ZERO,
        "is not there",
    ),
    Case(
        "a syntax error",
        answer("huber", "def huber(target, guess delta):\n    return 0"),
        ZERO,
        "SyntaxError",
    ),
    Case(
        "another signature", answer("huber", "def huber(errors):\n    return 0"), ZERO, "TypeError"
    ),
    Case("not a function", answer("huber", "huber = 0.125"), ZERO, "TypeError"),
    Case(
        "3,000 cells more",
        edited(
            lambda book: book["cells"].extend(
                [
                    {
                        "cell_type": "code",
                        "metadata": {},
                        "source": "1 + 1",
                        "outputs": [],
                        "execution_count": None,
                        "id": f"c{n}",
                    }
                    for n in range(3000)
                ]
            )
        ),
        long=True,
    ),
    # ---- files
    Case("an empty file", lambda book: b"", {}, "empty", "ungraded"),
    Case("not JSON", lambda book: b"this is my homework", {}, "JSON", "ungraded"),
    Case("cut off", lambda book: json.dumps(book).encode()[:-200], {}, "JSON", "ungraded"),
    Case("a PDF", lambda book: b"%PDF-1.7 ...", {}, "PDF", "ungraded"),
    Case("JSON, but no notebook", lambda book: b'{"cells": 3}', {}, "no cells", "ungraded"),
    Case(
        "an old notebook",
        lambda book: json.dumps(book | {"nbformat": 3}).encode(),
        {},
        "old format",
        "ungraded",
    ),
    Case("a deep hole of brackets", lambda book: b"[" * 200_000, {}, "not a notebook", "ungraded"),
    Case(
        "25 MB",
        lambda book: json.dumps(book).encode() + b" " * 25_000_000,
        {},
        "larger",
        "ungraded",
    ),
    Case(
        "cells that are no cells",
        lambda book: b'{"cells": [1, {"cell_type": "magic"}], "nbformat": 4}',
        {},
        "none",
        "ungraded",
    ),
]


def matches(pattern, text):
    return (
        re.search(pattern, text) is not None
        if any(c in pattern for c in "|\\")
        else pattern in text
    )
