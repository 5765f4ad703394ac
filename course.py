#!/usr/bin/env python3
"""The course's one command: it lets uv make the environment, then hands over to it.

Standard library only; it parses on Python 3.6, so that an old Python says what is wrong.
All it writes lies in two folders beside it:

  .venv/                 the environment, made by uv from requirements.lock
  .venv/ready.json       written last; an environment without it was cut off and is made anew
  .cache/uv/<version>/   uv itself, fetched once with pip and checked by its hash
  .cache/uv/files/       what uv fetched; .venv shares its files (hard links), so it costs little
  .cache/setup.log       what the tools said
"""

import ast
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
GIGABYTES_NEEDED = 4.0  # measured: 3.1 when done, and room to unpack

COMMANDS = {  # what it does, and what the environment's Python runs for it
    "lab": ("open the lessons in JupyterLab: course.py lab 05", "-m translearn.lab"),
    "kernel": ("for your own JupyterLab or VS Code", "-m translearn.lab.kernel"),
    "test": ("run the suite, or a part: course.py test tests/unit -k freeze", "-m pytest"),
    "build": ("write the notebooks from notebooks/source", "-m translearn.authoring build"),
    "format": ("lay out the code of package and lessons", "-m translearn.authoring.layout"),
    "book": ("the course as pages to read, or slides", "-m translearn.authoring.book"),
    "measure": ("run experiments into data/ledger; --replay", "-m translearn.evidence"),
    "bench": ("recipes, diagnoses, graders and speed by measurement", "-m translearn.bench"),
    # -P: a file where one stands must not pass for one of ours.
    "coursework": ("assignments for a class", "-P -m translearn.coursework.instructor"),
    "doctor": ("look at all the course needs; say what to do", "-m translearn.lab.doctor"),
    "lock": ("for maintainers: pin every dependency anew", "-m translearn.lab.conda"),
}
HELP = """usage: python3 course.py COMMAND ...

The first command makes the environment beside this file; later ones start at once.

{}
Start with:  python3 course.py lab"""

COMPILE = """pip compile pyproject.toml --group build --group test --group hub
 --group environment --universal --python-version 3.11 --generate-hashes --no-emit-index-url
 --no-header --no-annotate --quiet -o requirements.lock"""


class Stop(Exception):
    """Ends the command with one sentence for the reader."""


def inside(*names):
    return os.path.join(ROOT, *names)


def python_of(folder):
    windows = os.name == "nt"
    return os.path.join(folder, *(["Scripts", "python.exe"] if windows else ["bin", "python"]))


# ---- Can it run here? ----


def check_python(version=sys.version_info[:2], bits=8 * struct.calcsize("P"), which=shutil.which):
    """Raise Stop unless this is a 64-bit Python that every pinned package has a wheel for."""
    if not (3, 11) <= version <= (3, 13):
        found = [name for name in ("python3.13", "python3.12", "python3.11") if which(name)]
        advice = "Install one of them (python.org, or your system's packages)."
        if found:
            advice = f"Run it with one that is on this machine: {found[0]} course.py"
        this = ".".join(map(str, version))
        raise Stop(f"This is Python {this}, and the course needs 3.11, 3.12 or 3.13. {advice}")
    if bits != 64:
        raise Stop(f"This Python has {bits} bits, and TensorFlow needs 64. Install a 64-bit one.")


def check_disk(needed):
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        raise Stop(
            f"The disk with {ROOT} has {free:.1f} GB free, and the set-up needs about "
            f"{needed:.0f} GB. Make room and run the same command again."
        )


# ---- Is the environment there, whole and up to date? ----


def answer(*command):
    """What a program prints, or "" if it does not run."""
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=60).decode()
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return ""


def lock_hash():
    with open(inside("requirements.lock"), encoding="utf-8") as file:  # any line endings
        return hashlib.sha256(file.read().encode()).hexdigest()


def state():
    """One of: ready, missing, cut off, moved, broken (Python does not run), stale (new pins)."""
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
    if answer(python_of(venv), "-I", "-c", "print('runs')").strip() != "runs":
        return "broken"
    return "ready" if marker.get("lock") == lock_hash() else "stale"


# ---- Making it ----


@contextlib.contextmanager
def only_one(say=print):
    """One set-up at a time; the system drops the hold of a process that ends, however it ends.

    The tools inherit the file, so that a uv which outlives a killed course.py keeps the hold.
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
        yield


def hold(file):
    try:
        if os.name == "nt":
            import msvcrt

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
}


def tool_environment(python):
    """What pip and uv see: of the reader's settings those about the network; all files inside."""
    other = r"(PIP|UV)_(?!.*(INDEX|HOST|CERT|TLS|PROXY|TIMEOUT|OFFLINE))|PYTHON(PATH|HOME)$"
    env = {key: value for key, value in os.environ.items() if not re.match(other, key)}
    settings = answer(python, "-m", "pip", "config", "list")
    # Listed in the order :env:, global, install; what comes last here wins.
    for name, value in re.findall(r"^[a-z:]+\.([a-z-]+)=(.*?)\r?$", settings, re.MULTILINE)[::-1]:
        for variable in MIRROR.get(name, []):
            value_for_both = " ".join(ast.literal_eval(value).split())
            env["PIP_" + name.upper().replace("-", "_")] = value_for_both
            env[variable] = os.environ.get(variable, value_for_both)
    return dict(
        env,
        PIP_CONFIG_FILE=os.devnull,  # with this, pip reads no file of settings at all
        PIP_NO_CACHE_DIR="1",
        PIP_RETRIES="2",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        UV_CACHE_DIR=inside(".cache", "uv", "files"),
        UV_PYTHON_DOWNLOADS="never",
        UV_NO_PROGRESS="1",
        UV_COMPILE_BYTECODE="1",  # the first import of TensorFlow takes 5 s instead of 14
    )


EXPLAIN = {  # what a tool's output holds, and the sentence for it
    "no space left|os error (28|112)\\b|not enough space|quota exceeded": "The disk filled up "
    "while {step}. Make room (about {room:.0f} GB) and run the same command again.",
    "do not match the hashes|hash mismatch": "A downloaded package is not the one the course was "
    "tested with (its hash differs), so it was not installed. Try again; if it stays so, your "
    "package mirror serves other files. Details: {log}",
    "ensurepip is not|no module named '?(ensurepip|venv)": "This Python came without venv and "
    "pip. Install them (Debian and Ubuntu: sudo apt install python3-venv) and try again.",
    "dns error|name ?resolution|failed to lookup|getaddrinfo|nodename nor|connection refused|"
    "unreachable|no route to host|error sending request|timed out|timeout|connect error|"
    "NewConnectionError|establish a new connection|could not connect": "The packages cannot be "
    "fetched: no connection while {step}. The set-up needs the network once (the lessons do "
    "not); connect and run the same command again, it carries on. Details: {log}",
    "": "The set-up failed while {step} ({last}). The whole story is in {log}. Running the same "
    "command again repairs what it can; deleting .venv and .cache/uv starts afresh.",
}


def explain(step, output):
    """One sentence for a tool that failed, by what it printed."""
    last = ([line.strip() for line in output.splitlines() if line.strip()] or ["no message"])[-1]
    sentence = next(EXPLAIN[sign] for sign in EXPLAIN if re.search(sign, output, re.IGNORECASE))
    log = os.path.join(".cache", "setup.log")
    return sentence.format(step=step, last=last[:200], log=log, room=GIGABYTES_NEEDED)


def run_tool(step, command, env=None):
    """Run a tool with its output in the log; raise Stop with a sentence if it fails."""
    print(f"  {step} ...", flush=True)
    with open(inside(".cache", "setup.log"), "a+b") as log:
        log.write(f"\n== {step}\n{' '.join(command)}\n".encode())
        log.flush()
        start, quiet = log.tell(), {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        try:  # close_fds: see only_one
            code = subprocess.call(command, cwd=ROOT, env=env, close_fds=False, **quiet)
        except OSError as error:
            raise Stop(explain(step, str(error))) from error
        if code:
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
    """The command for the pinned uv, which is fetched if need be, and the environment for it."""
    requirement, version = uv_requirement()
    folder = inside(".cache", "uv", version)
    python = python_of(folder)
    uv, pinned = [python, "-m", "uv"], os.path.join(folder, "uv.txt")
    if answer(*uv, "--version").split()[1:2] != [version]:
        run_tool("making room for uv", [sys.executable, "-I", "-m", "venv", "--clear", folder])
        with open(pinned, "w", encoding="utf-8") as file:
            file.write(requirement)
        pip = [python, "-m", "pip", "install", "--require-hashes", "--no-deps"]
        fetch = [*pip, "--only-binary", ":all:", "-r", pinned]
        run_tool("fetching uv", fetch, tool_environment(python))
    return uv, tool_environment(python)


SAID = {
    "missing": "Setting up (once, a minute or two on a good line; fetches about 0.7 GB)",
    "cut off": "The last set-up was cut off: carrying on with what it had fetched",
    "moved": "The course was moved: making its environment anew",
    "broken": "The environment does not run: making it anew",
    "stale": "The pinned packages have changed: updating",
}
# A line of code, because a plain path in a .pth is read in an encoding that differs by system.
WRITE_PTH = r"""import pathlib, sys, sysconfig
file = pathlib.Path(sysconfig.get_path("purelib"), "translearn_checkout.pth")
file.write_text("import sys; sys.path.append(%s)\n" % ascii(sys.argv[1]), "ascii")"""


def make():
    """Make the environment, or bring it up to date. Call it while holding `only_one`."""
    found = state()
    if found == "ready":
        return
    check_disk(1.0 if found == "stale" else GIGABYTES_NEEDED)
    began, venv, marker = time.time(), inside(".venv"), inside(".venv", "ready.json")
    with open(inside(".cache", "setup.log"), "w", encoding="utf-8") as log:
        log.write(f"{time.ctime()}, Python {sys.version}, found: {found}\n")
    print(SAID[found], flush=True)
    uv, env = get_uv()
    if found == "stale":
        os.remove(marker)
    else:
        blank = ["venv", "--clear", "--no-project", "--python", sys.executable, venv]
        run_tool("making .venv", uv + blank, env)
    sync = ["pip", "sync", "--require-hashes", "--python", python_of(venv), "requirements.lock"]
    run_tool("installing the packages", uv + sync, env)
    run_tool("tidying up", [*uv, "cache", "prune"], env)  # old versions, and what was cut off
    run_tool("adding the course", [python_of(venv), "-I", "-c", WRITE_PTH, ROOT])
    with open(marker + ".part", "w", encoding="utf-8") as file:
        json.dump({"lock": lock_hash(), "venv": os.path.realpath(venv)}, file)
    os.replace(file.name, marker)
    print(f"Ready after {time.time() - began:.0f} s.", flush=True)


def ensure():
    """Return when the environment is ready: at once, without the network, if it already is."""
    found = state()
    if found == "ready":
        return
    if not os.access(ROOT, os.W_OK):
        raise Stop(
            f"The environment is {found}, and this account may not write in {ROOT}. Ask whoever "
            "keeps the folder to run the same command, or get a copy of the course of your own."
        )
    with only_one():
        make()  # looks again: whoever held the lock may have done it


# ---- Commands ----


def hand_over(arguments, folder=ROOT, writes=True):
    """Go on as the environment's Python; what Jupyter and Matplotlib keep stays inside, too."""
    cache = os.path.expanduser(os.environ.get("TRANSLEARN_CACHE") or inside(".cache"))
    cache = os.path.abspath(cache)
    with contextlib.suppress(OSError):
        os.makedirs(cache, exist_ok=True)
    if writes and not os.access(cache, os.W_OK):
        raise Stop(
            f"This account may not write in {cache}, where the course keeps what it computes. "
            "Name a folder of your own: TRANSLEARN_CACHE=~/translearn python3 course.py lab"
        )
    env = {key: os.environ[key] for key in os.environ if key not in ("PYTHONHOME", "PYTHONPATH")}
    env.update(VIRTUAL_ENV=inside(".venv"), PYTHONNOUSERSITE="1")
    env["READERS_JUPYTER_DATA_DIR"] = env.get("JUPYTER_DATA_DIR", "")  # for `kernel`
    for name in "IPYTHONDIR MPLCONFIGDIR JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR".split():
        env[name] = os.path.join(cache, "settings", name.lower())
    env["JUPYTER_RUNTIME_DIR"] = os.path.join(env["JUPYTER_DATA_DIR"], "runtime")
    if not os.access(ROOT, os.W_OK):
        env.setdefault("TRANSLEARN_PROGRESS", os.path.join(cache, "progress.json"))
    command = [python_of(inside(".venv")), *arguments]
    os.chdir(folder)
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, env)
    process = subprocess.Popen(command, env=env)
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # the child got it too, and decides
            return process.wait()


def doctor_without(found):
    """What `doctor` can say without an environment, and without making one."""
    what = {"missing": "not set up yet", "stale": "older than requirements.lock"}.get(found, found)
    print(f"ok    Python {sys.version.split()[0]}")
    try:
        check_disk(GIGABYTES_NEEDED)
        print("ok    disk: enough free")
    except Stop as stop:
        print(f"FAIL  disk: {stop}")
    print(
        f"FAIL  environment: {what}. Run: python3 course.py lab (or test); it makes or repairs it"
    )
    return 1


def main(argv):
    command, tail = (argv or ["--help"])[0], argv[1:]
    if command in ("-h", "--help"):
        print(HELP.format("".join(f"    {key:<11} {COMMANDS[key][0]}\n" for key in COMMANDS)))
        return 0
    if command not in COMMANDS:
        raise Stop(f"course.py knows no {command}. It knows: {', '.join(COMMANDS)}.")
    check_python()
    arguments = COMMANDS[command][1].split()
    found = state()
    if command == "doctor" and found != "ready":
        return doctor_without(found)
    ensure()
    if command == "lock":
        uv, env = get_uv()
        if subprocess.call(uv + COMPILE.split() + tail, cwd=ROOT, env=env):
            raise Stop("Nothing was pinned; uv says why above.")
        tail = []
    where = os.getcwd() if command == "coursework" else ROOT  # whose paths are meant from there
    return hand_over(arguments + tail, where, writes=command != "doctor")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        sys.exit("\nStopped. Running the same command again carries on.")
