"""The bubblewrap command: what a sandbox has and, above all, what it has not.

No network, no other process, no file but the system's libraries, the Python environment, the
course's package without the author's and the instructor's side, its data, and an empty `/tmp`.
bubblewrap: https://github.com/containers/bubblewrap
"""

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import psutil

from translearn import paths
from translearn.coursework.instructor import seccomp
from translearn.errors import CourseError

# as real root each running sandbox gets a user of its own, because processes are counted by user
FIRST_UID = 610_000
QUIETLY = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
}
PACKAGE = Path(__file__).resolve().parents[2]
HOME = "/tmp"  # inside: an empty folder in memory


def check(unprotected: bool = False) -> None:
    """Raise `CourseError` with one sentence unless submissions can be run safely here (or somebody
    said not to).
    """
    if unprotected:
        return
    if sys.platform != "linux":
        raise CourseError(
            "Submissions are run in a bubblewrap sandbox, which exists on Linux only, so "
            "nothing was graded. Grade on a Linux machine, "
            "or in a container made for it, with --unprotected: then student code runs with "
            "all rights of the one who grades."
        )
    if shutil.which("bwrap") is None:
        raise CourseError(
            "Submissions are run in a sandbox, and bubblewrap is not installed, so nothing was "
            "graded. Install it (Debian and Ubuntu: apt install bubblewrap)."
        )
    done = start(
        [*command(0, 2**20), _true()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors = done.communicate()[1]
    if done.returncode:
        said = (errors.strip().splitlines() or ["no reason given"])[-1]
        raise CourseError(
            f"The sandbox cannot be made on this machine (bubblewrap says: {said}), so nothing "
            f"was graded. In a container it needs user namespaces; see docs/teaching.md."
        )


def _true():
    return "/bin/true" if os.path.exists("/bin/true") else sys.executable


def start(words, filtered=True, pass_fds=(), **named) -> subprocess.Popen:
    """Start a bwrap command, perhaps in a `scope`, with the filter on system calls (unless not
    `filtered`: the zygote makes namespaces), which it reads from a pipe.
    """
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(seccomp.program())
        at = words.index("bwrap") + 1
        added = ["--seccomp", str(reading)] if filtered and seccomp.program() else []
        words = [*words[:at], *added, *words[at:]]
        return subprocess.Popen(words, pass_fds=[reading, *pass_fds], **named)
    finally:
        os.close(reading)


# ---- memory


def scope(memory: int, tasks: int) -> list:
    """The words before a bwrap command that put it into a control group of its own, whose limits
    count all memory, the kernel's too; none where systemd does not make such groups.
    """
    return (
        [*_systemd(), f"-pMemoryMax={memory}", f"-pTasksMax={tasks}", "--"] if _systemd() else []
    )


@functools.cache
def _systemd() -> tuple:
    if shutil.which("systemd-run") is None or not os.path.isdir("/run/systemd/system"):
        return ()
    user = [] if os.geteuid() == 0 else ["--user"]
    words = ("systemd-run", *user, "--scope", "--quiet", "--collect", "-pMemorySwapMax=0")
    # Only where a whole sandbox starts that way, its filter and all.
    try:
        tried = start([*words, "-pMemoryMax=1G", "--", *command(0, 2**20), _true()], **QUIETLY)
        return words if tried.wait(10) == 0 else ()
    except (OSError, subprocess.TimeoutExpired):
        return ()


def available() -> int:
    """Bytes of memory that are free: on the machine, or in this process's control group, as in a
    container, where that is less.
    """
    return min([psutil.virtual_memory().available, *(free for _, free in group_memory())])


def spare() -> int:
    """Bytes of memory that should stay free: 512 MB, or less where there is not much at all."""
    most = min([psutil.virtual_memory().total, *(limit for limit, _ in group_memory())])
    return min(2**29, most // 20)


def group_memory(groups="/proc/self/cgroup", root="/sys/fs/cgroup"):
    """Yield (limit, free) in bytes of each control group above this process that has a limit. What
    the kernel keeps of files and can drop counts as free.
    https://docs.kernel.org/admin-guide/cgroup-v2.html
    """
    try:
        lines = Path(groups).read_text().splitlines()
    except OSError:
        return
    for _, kinds, path in (line.split(":", 2) for line in lines):
        if kinds == "":
            top, names = Path(root), ("memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            top = Path(root) / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        here = top / path.lstrip("/")
        for folder in [here, *here.parents]:
            try:
                most, used = (int((folder / name).read_text()) for name in names[:2])
                stat = (folder / "memory.stat").read_text().split()
                cached = int(stat[stat.index(names[2]) + 1])
            except (OSError, ValueError):  # none here: "max", or another's folder
                cached = most = used = None
            if most is not None and most < 2**60:  # the older kind says "none" by a huge number
                yield most, most - used + cached
            if folder == top:
                break


def _folders():
    """(folders that are readable inside, folders of these that are empty there).

    Readable are the system's libraries, the environment, the course's package and data; not what
    the author and the instructor have: model answers, judges, banks, and how results are recorded.
    """
    python = {
        sys.prefix,
        sys.base_prefix,
        os.path.realpath(sys.base_prefix),
        os.path.dirname(os.path.realpath(sys.executable)),
    }
    python |= {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    system = [
        "/usr",
        "/lib",
        "/lib64",
        "/lib32",
        "/bin",
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/localtime",
    ]
    package = PACKAGE
    wanted = [*system, *sorted(python), str(package), str(paths.DATA)]
    hidden = [package / "coursework" / "instructor", package / "authoring", package / "evidence"]
    return [folder for folder in wanted if os.path.exists(folder)], [
        str(folder) for folder in hidden if folder.is_dir()
    ]


def readable() -> list:
    """The folders that a submission can read."""
    return _folders()[0]


def below_tmp() -> list:
    """The readable folders that lie in `/tmp`, such as a course that was unpacked there."""
    return [folder for folder in readable() if Path("/tmp") in Path(folder).parents]


def command(slot: int, disk: int) -> list:
    """The bwrap command up to the program: no network, no other process, read-only files."""
    if os.geteuid():
        # An ordinary user needs a user namespace, which then must not make further ones.
        return _view(disk, ["--unshare-user", "--disable-userns"])
    # Real root does better without: the limit on processes counts only outside one.
    uid = str(FIRST_UID + slot)
    return [
        *_view(disk, []),
        "/usr/bin/setpriv",
        "--reuid",
        uid,
        "--regid",
        uid,
        "--clear-groups",
        "--inh-caps=-all",
        "--ambient-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
    ]


def zygote_command(disk: int) -> list:
    """The same view for a process that we trust, which may make walls for its children in it."""
    mapped = ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"]
    return _view(disk, mapped if os.geteuid() else [])


def _view(disk, users):
    folders, hidden = _folders()
    words = [
        "bwrap",
        "--die-with-parent",
        "--new-session",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--hostname",
        "sandbox",
        "--clearenv",
        *users,
    ]
    made = set()
    # First, because the course itself may lie in /tmp and must show through it.
    words += ["--perms", "1777", "--size", str(disk), "--tmpfs", "/tmp"]

    def parents(path):
        for parent in reversed(Path(path).parents):
            if str(parent) != "/" and not any(
                parent == Path(f) or Path(f) in parent.parents for f in made
            ):
                yield from ("--perms", "0755", "--dir", str(parent))

    for folder in folders:
        if any(Path(f) in Path(folder).parents or f == folder for f in made):
            continue
        words += [*parents(folder), "--ro-bind", folder, folder]
        made.add(folder)
    for folder in hidden:
        words += ["--perms", "0755", "--tmpfs", folder, "--remount-ro", folder]
    words += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    words += ["--perms", "1777", "--size", str(disk), "--tmpfs", "/dev/shm"]
    words += ["--remount-ro", "/", "--chdir", "/tmp"]
    variables = {
        "HOME": HOME,
        "TMPDIR": HOME,
        "TRANSLEARN_CACHE": f"{HOME}/cache",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "USER": "student",
        "LOGNAME": "student",
        "IPYTHONDIR": f"{HOME}/ipython",
        "MPLCONFIGDIR": f"{HOME}/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",
        # One thread each: results do not depend on the machine's cores, and two submissions do not
        # fight for them.
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # as nbgrader itself says it: a submit cell then does nothing
        "NBGRADER_EXECUTION": "autograde",
    }
    for name, value in variables.items():
        words += ["--setenv", name, value]
    return [*words, "--"]
