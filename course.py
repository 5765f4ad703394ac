#!/usr/bin/env python3
"""The course's one command: it lets uv make the environment, then hands over to it.

Standard library only, on Linux, macOS and Windows; it parses on Python 3.6, so that an old Python
says what is wrong instead of showing a syntax error. All it writes lies in two folders beside it:

  .venv/                 the environment, made by uv from requirements.lock
  .venv/ready.json       written last; an environment without it was cut off and is made anew
  .cache/uv/<version>/   uv itself, fetched once with pip and checked by its hash
  .cache/uv/files/       what uv fetched; shares its files with .venv (hard links), so costs little
  .cache/setup.log       what the tools said
"""

import ast
import contextlib
import difflib
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
OLDEST, NEWEST = (3, 11), (3, 13)
GIGABYTES_NEEDED = 4.0  # measured: 2.7 when done, and room to unpack

COMMANDS = {  # what it does, and what the environment's Python is asked to run
    "lab": ("open the lessons in JupyterLab (--no-browser, --port N)", "-m translearn.lab"),
    "test": ("run the suite, or what you name: course.py test tests/unit -k freeze", "-m pytest"),
    "build": ("write the notebooks from notebooks/source", "-m translearn.authoring build"),
    "format": (
        "lay out the code of the package and the lessons",
        "-m translearn.authoring format",
    ),
    "measure": ("run the lessons' experiments into data/ledger", "-m translearn.evidence measure"),
    "bench": ("compare recipes by score and computing, time the networks", "-m translearn.bench"),
    # Its paths are meant from where one stands. -P: a file there must not pass for one of ours.
    "coursework": ("hand out, collect, grade: a class", "-P -m translearn.coursework.instructor"),
    "doctor": ("look at all the course needs, and say what to do", "-m translearn.lab.doctor"),
    "lock": ("for maintainers: pin every dependency anew (--upgrade)", "-m translearn.lab.conda"),
}
HELP = (
    "usage: python3 course.py COMMAND ...\n\nThe first command makes the environment.\n\n"
    + "".join("    %-11s %s\n" % (name, told) for name, (told, _) in COMMANDS.items())
)


class Stop(Exception):
    """Ends the command with one sentence for the reader."""


def inside(*names):
    return os.path.join(ROOT, *names)


def python_of(folder):
    return os.path.join(
        folder, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"])
    )


# ---- Can it run here? ----


def check_python(version=sys.version_info[:2], bits=8 * struct.calcsize("P"), which=shutil.which):
    """Raise Stop unless this is a 64-bit Python that every pinned package has a wheel for."""
    if not OLDEST <= version <= NEWEST:
        found = [name for name in ("python3.13", "python3.12", "python3.11") if which(name)]
        advice = "Install one of them (python.org, or your system's packages) and use it."
        if found:
            advice = f"One of them is on this machine: {found[0]} course.py"
        raise Stop(
            "This is Python %d.%d, and the course needs 3.11, 3.12 or 3.13. " % version + advice
        )
    if bits != 64:
        raise Stop(f"This Python has {bits} bits, and TensorFlow needs 64. Install a 64-bit one.")


def check_disk(needed):
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        raise Stop(
            f"The disk with {ROOT} has {free:.1f} GB free, and the set-up needs about {needed:.0f} GB. "
            "Make room and run the same command again."
        )


# ---- Is the environment there, whole and up to date? ----


def answer(*command):
    """What a program prints, or "" if it does not run."""
    try:
        said = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.decode("utf-8", "replace").strip() if said.returncode == 0 else ""


def lock_hash():
    with open(inside("requirements.lock"), "rb") as file:  # git may change line endings on Windows
        return hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()


def state():
    """One of: ready, missing, cut off, moved, broken (its Python does not run), stale (other pins)."""
    venv = inside(".venv")
    if not os.path.isdir(venv):
        return "missing"
    try:
        with open(inside(".venv", "ready.json"), encoding="utf-8") as file:
            marker = dict(json.load(file))
    except (OSError, ValueError, TypeError):
        return "cut off"
    if marker.get("venv") != os.path.realpath(venv):
        return "moved"
    if answer(python_of(venv), "-I", "-c", "print('runs')") != "runs":
        return "broken"
    return "ready" if marker.get("lock") == lock_hash() else "stale"


# ---- Making it ----


@contextlib.contextmanager
def only_one(say=print):
    """One set-up at a time; yields whether it had to wait. The system drops the hold of a process that ends.

    The tools inherit the file, so that a uv which outlives a killed course.py keeps the hold too.
    """
    os.makedirs(inside(".cache"), exist_ok=True)
    with open(inside(".cache", "setup.lock"), "a+") as file:
        os.set_inheritable(file.fileno(), True)
        waiting = False
        while not hold(file):
            if not waiting:
                say("Another set-up is at work in this folder: waiting for it.")
            waiting = True
            time.sleep(0.3)
        yield waiting


def hold(file):
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


MIRROR = {  # uv does not read pip's settings: whoever gave pip one of these means uv too
    "index-url": ["UV_DEFAULT_INDEX"],
    "trusted-host": ["UV_INSECURE_HOST"],
    "cert": ["SSL_CERT_FILE"],
    "proxy": ["HTTPS_PROXY", "HTTP_PROXY"],
    "timeout": ["UV_HTTP_TIMEOUT"],
}


def tool_environment(python):
    """What pip and uv see: of the reader's settings only those about the network; all files inside."""
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
        and (
            not key.startswith(("PIP_", "UV_"))
            or re.search("INDEX|HOST|CERT|TLS|PROXY|TIMEOUT|RETRIES|OFFLINE|LINKS", key)
        )
    }
    settings = re.findall(
        r"^(global|install|:env:)\.(?:default-)?([a-z-]+)=(.*)$",
        answer(python, "-m", "pip", "config", "list").replace("\r", ""),
        re.MULTILINE,
    )
    for _, name, value in sorted(settings, key=lambda setting: setting[0] == ":env:"):
        if name in MIRROR:
            value = " ".join(ast.literal_eval(value).split())
            env["PIP_" + name.upper().replace("-", "_")] = value
            env.update({key: value for key in MIRROR[name] if key not in os.environ})
    env.update(
        PIP_CONFIG_FILE=os.devnull,  # with this, pip reads no file of settings at all
        PIP_NO_CACHE_DIR="1",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        UV_CACHE_DIR=inside(".cache", "uv", "files"),
        UV_PYTHON_INSTALL_DIR=inside(".cache", "uv", "python"),
        UV_PYTHON_DOWNLOADS="never",
        UV_NO_PROGRESS="1",
        UV_COMPILE_BYTECODE="1",  # the first import of TensorFlow takes 5 s instead of 14
    )
    return env


EXPLAIN = [  # what a tool's output holds, and the sentence for it
    (
        r"No space left on device|os error (28|112)\b|not enough space|Disk quota exceeded",
        "The disk filled up while {step}. Make room (about {room:.0f} GB) and run the same command again.",
    ),
    (
        r"DO NOT MATCH THE HASHES|hash mismatch",
        "A downloaded package is not the one the course was tested with (its hash differs), so it was not "
        "installed. Try again; if it stays so, your package mirror serves other files. Details: {log}",
    ),
    (
        r"ensurepip is not|No module named '?ensurepip|No module named '?venv",
        "This Python came without venv and pip. Install them (on Debian and Ubuntu: "
        "sudo apt install python3-venv) and run the same command again.",
    ),
    (
        r"dns error|name resolution|failed to lookup|getaddrinfo|nodename nor servname|NameResolutionError"
        r"|connection refused|network is unreachable|no route to host|error sending request|timed out"
        r"|NewConnectionError|Failed to establish a new connection|ConnectTimeout|tcp connect error"
        r"|Could not connect",
        "The packages cannot be fetched: no connection while {step}. The set-up needs the network once (the "
        "lessons do not); connect and run the same command again, it carries on. Details: {log}",
    ),
    (
        r"",
        "The set-up failed while {step} ({last}). The whole story is in {log}. Running the same command again "
        "repairs what it can; deleting .venv and .cache/uv starts afresh.",
    ),
]


def explain(step, output):
    """One sentence for a tool that failed, by what it printed."""
    last = ([line.strip() for line in output.splitlines() if line.strip()] or ["no message"])[-1]
    sentence = next(text for sign, text in EXPLAIN if re.search(sign, output, re.IGNORECASE))
    log = os.path.join(".cache", "setup.log")
    return sentence.format(step=step, last=last[:200], log=log, room=GIGABYTES_NEEDED)


def run_tool(step, command, env=None):
    """Run a tool with its output in the log; raise Stop with a sentence if it fails."""
    with open(inside(".cache", "setup.log"), "a+b") as log:
        log.write(f"\n== {step}\n{' '.join(command)}\n".encode())
        log.flush()
        start = log.tell()
        try:  # close_fds: see only_one
            tool = subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=False,
            )
        except OSError as error:
            raise Stop(explain(step, str(error))) from error
        began = time.time()
        try:
            while tool.poll() is None:
                if sys.stdout.isatty():
                    print("\r  %s %3.0f s " % (step, time.time() - began), end="", flush=True)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    tool.wait(timeout=0.5)
        finally:
            if tool.poll() is None:
                tool.terminate()
                tool.wait()
        print(
            ("\r" if sys.stdout.isatty() else "") + "  %s %3.0f s" % (step, time.time() - began),
            flush=True,
        )
        if tool.returncode:
            log.seek(start)
            raise Stop(explain(step, log.read().decode("utf-8", "replace")))


def uv_requirement():
    """The lines of the lock that pin uv, hashes included; and its version."""
    with open(inside("requirements.lock"), encoding="utf-8") as file:
        found = re.search(r"^uv==([^\s\\]+).*(?:\n[ \t]+.*)*", file.read(), re.MULTILINE)
    if not found:
        raise Stop("requirements.lock names no uv. Get it again: git checkout requirements.lock")
    return found.group(0) + "\n", found.group(1)


def get_uv():
    """The command that runs the pinned uv, which is fetched if need be, and the environment for it."""
    requirement, version = uv_requirement()
    folder = inside(".cache", "uv", version)
    uv = [python_of(folder), "-m", "uv"]
    if answer(*uv, "--version").split()[1:2] == [version]:
        return uv, tool_environment(uv[0])
    run_tool("making room for uv", [sys.executable, "-I", "-m", "venv", "--clear", folder])
    with open(os.path.join(folder, "uv.txt"), "w", encoding="utf-8") as file:
        file.write(requirement)
    env = tool_environment(uv[0])
    run_tool(
        "fetching uv",
        [
            *uv[:2],
            "pip",
            "install",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-r",
            file.name,
        ],
        env,
    )
    return uv, env


def make():
    """Make the environment, or bring it up to date. Call it while holding `only_one`."""
    found = state()
    if found == "ready":
        return
    check_disk(1.0 if found == "stale" else GIGABYTES_NEEDED)
    began = time.time()
    with open(inside(".cache", "setup.log"), "w", encoding="utf-8") as log:
        log.write(f"{time.ctime()}, Python {sys.version}, found: {found}\n")
    said = {
        "missing": "Setting up (once, a minute or two on a good line; fetches about 0.7 GB)",
        "cut off": "The last set-up was cut off: carrying on with what it had fetched",
        "moved": "The course was moved: making its environment anew",
        "broken": "The environment does not run: making it anew",
        "stale": "The pinned packages have changed: updating",
    }
    print(said[found], flush=True)
    uv, env = get_uv()
    venv, marker = inside(".venv"), inside(".venv", "ready.json")
    if found == "stale":
        os.remove(marker)
    else:
        python = ["--python", sys.executable]
        run_tool("making .venv", [*uv, "venv", "--clear", "--no-project", *python, venv], env)
    run_tool(
        "installing the packages",
        [*uv, "pip", "sync", "--require-hashes", "--python", python_of(venv), "requirements.lock"],
        env,
    )
    # A line of code, because a plain path in a .pth is read in an encoding that differs between systems.
    write = (
        "import pathlib, sys, sysconfig\n"
        "file = pathlib.Path(sysconfig.get_path('purelib'), 'translearn_checkout.pth')\n"
        "file.write_text('import sys; sys.path.append(%s)\\n' % ascii(sys.argv[1]), 'ascii')"
    )
    run_tool("adding the course", [python_of(venv), "-I", "-c", write, ROOT], env)
    with open(marker + ".part", "w", encoding="utf-8") as file:
        json.dump({"lock": lock_hash(), "venv": os.path.realpath(venv)}, file)
    os.replace(file.name, marker)
    print(f"Ready after {time.time() - began:.0f} s.", flush=True)


def ensure():
    """Return when the environment is ready; costs milliseconds when it already is, and no network."""
    found = state()
    if found == "ready":
        return
    if not os.access(ROOT, os.W_OK):
        raise Stop(
            f"The environment is {found}, and this account may not write in {ROOT}. Ask whoever keeps "
            "the folder to run the same command, or get a copy of the course for yourself."
        )
    with only_one():
        make()  # looks again: whoever held the lock may have done it


# ---- Commands ----


def hand_over(arguments, folder=None, writes=True):
    """Go on as the environment's Python. What Jupyter, IPython and Matplotlib keep for themselves stays inside."""
    cache = os.path.abspath(
        os.path.expanduser(os.environ.get("TRANSLEARN_CACHE") or inside(".cache"))
    )
    with contextlib.suppress(OSError):
        os.makedirs(cache, exist_ok=True)
    if writes and not os.access(cache, os.W_OK):
        raise Stop(
            f"This account may not write in {cache}, where the course keeps what it computes. Name a folder "
            "of your own: TRANSLEARN_CACHE=~/translearn python3 course.py lab"
        )
    env = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")
    }
    env.update(VIRTUAL_ENV=inside(".venv"), PYTHONNOUSERSITE="1")
    for name in ("IPYTHONDIR", "MPLCONFIGDIR"):
        env[name] = os.path.join(cache, name[:-3].lower())
    for name in ("CONFIG", "DATA", "RUNTIME"):
        env[f"JUPYTER_{name}_DIR"] = os.path.join(cache, "jupyter", name.lower())
    if not os.access(ROOT, os.W_OK):
        env.setdefault("TRANSLEARN_PROGRESS", os.path.join(cache, "progress.json"))
    command = [python_of(inside(".venv")), *arguments]
    os.chdir(folder or ROOT)
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, env)
    process = subprocess.Popen(command, env=env)
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # the child got it too, and decides
            return process.wait()


def doctor_without(found):
    """What `doctor` can say without an environment, and without making one."""
    free = shutil.disk_usage(ROOT).free / 1e9
    needed = (
        f"; the set-up needs about {GIGABYTES_NEEDED:.0f} GB" if free < GIGABYTES_NEEDED else ""
    )
    what = {"missing": "not set up yet", "stale": "older than requirements.lock"}.get(found, found)
    print(f"ok    Python {sys.version.split()[0]}")
    print(f"{'FAIL' if needed else 'ok':<5} disk: {free:.0f} GB free{needed}")
    print(
        f"FAIL  environment: {what}. Run: python3 course.py lab (or test); it makes or repairs it"
    )
    return 1


def pin():
    """Pin every dependency anew, for all platforms, without the address of an index."""
    uv, env = get_uv()
    options = "--group build --group test --group environment --universal --python-version 3.11"
    options += " --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet"
    command = [
        *uv,
        "pip",
        "compile",
        "pyproject.toml",
        *options.split(),
        "-o",
        "requirements.lock",
    ]
    if subprocess.call(command + sys.argv[2:], cwd=ROOT, env=env):
        raise Stop("Nothing was pinned; uv says why above.")


def main(argv):
    command, tail = (argv or ["--help"])[0], argv[1:]
    if command in ("-h", "--help"):
        print(HELP + "\nStart with:  python3 course.py lab")
        return 0
    if command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, 1) or ["--help"]
        raise Stop(f"course.py knows no {command!r}. Try: python3 course.py {near[0]}")
    check_python()
    arguments = COMMANDS[command][1].split() + tail
    if command == "doctor":
        found = state()
        return hand_over(arguments, writes=False) if found == "ready" else doctor_without(found)
    ensure()
    if command == "lock":
        pin()
        arguments = arguments[:2]
    elif command == "test" and not tail:
        arguments += ["-n", "2", "--dist", "loadfile"]  # the browser's waiting costs nothing
    return hand_over(arguments, folder=os.getcwd() if command == "coursework" else ROOT)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        sys.exit("\nStopped. Running the same command again carries on.")
