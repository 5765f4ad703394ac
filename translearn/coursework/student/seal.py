"""How a child of the zygote closes itself in, by the kernel's own calls (Linux only).

The same walls as bubblewrap's, which the zygote stands in already; here they are made again, so
that children share nothing. Every function raises `OSError` where the kernel refuses: then nothing
runs. https://man7.org/linux/man-pages/man7/namespaces.7.html, capabilities(7), seccomp(2).
"""

import ctypes
import functools
import os
import signal

NO_WALLS = 70  # the exit status of a child that could not close itself in

# <linux/sched.h>
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
# <linux/mount.h>
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC = 1, 2, 4, 8, 32, 4096, 16384
PRIVATE = 1 << 18
# <linux/prctl.h>
PDEATHSIG, DUMPABLE, SECCOMP, CAPBSET_DROP, NO_NEW_PRIVS, AMBIENT = 1, 4, 22, 24, 38, 47
CAPABILITY_VERSION = 0x20080522
SETTINGS = ("sysrq-trigger", "irq", "bus")  # of the machine's, below /proc


@functools.cache
def _library():
    return ctypes.CDLL(None, use_errno=True)


def _call(name, *args):
    if getattr(_library(), name)(*args) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(what, where, kind, flags, options=None):
    words = [each and each.encode() for each in (what, where, kind)]
    try:
        _call("mount", *words, ctypes.c_ulong(flags), options and options.encode())
    except OSError as problem:
        raise OSError(problem.errno, f"{problem.strerror} ({where})") from None


def _set(option, value=0, more=0):
    _call("prctl", option, *map(ctypes.c_ulong, (value, more, 0, 0)))


def die_with_parent() -> None:
    """End when the parent ends. A change of user forgets it."""
    _set(PDEATHSIG, signal.SIGKILL)


def walls(told: dict) -> None:
    """Own namespaces, in which `/tmp`, `/dev/shm` and the terminals are new and empty.

    told   "disk": bytes that each of the two may hold; "kept": folders below `/tmp` that stay
           visible; "root": whether this is the machine's root, who needs no user namespace
    """
    everything = NEWNS | NEWPID | NEWIPC | NEWNET | NEWUTS | NEWCGROUP
    user, group = os.getuid(), os.getgid()
    _call("unshare", everything | (0 if told["root"] else NEWUSER))
    if not told["root"]:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"1000 {user} 1")
        _write("/proc/self/gid_map", f"1000 {group} 1")
    _mount(None, "/", None, REC | PRIVATE)
    kept = [(folder, os.open(folder, os.O_PATH)) for folder in told["kept"]]
    size = f"mode=1777,size={told['disk']}"
    _mount("tmpfs", "/tmp", "tmpfs", NOSUID | NODEV, size)
    for folder, descriptor in kept:
        os.makedirs(folder, mode=0o755, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", folder, None, BIND | REC)
        os.close(descriptor)
    _mount("tmpfs", "/dev/shm", "tmpfs", NOSUID | NODEV, size)
    terminals = "newinstance,ptmxmode=0666,mode=620"
    _mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, terminals)
    os.chdir("/tmp")


def own_processes(told: dict) -> None:
    """A `/proc` that shows the new namespace only; for its first process. The machine's settings
    in it can be read and not written, as bubblewrap has it; no further user namespace can be made.
    """
    _mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    if not told["root"]:  # of this user namespace; root's would be the machine's
        _write("/proc/sys/user/max_user_namespaces", "0")
    for name in SETTINGS:
        if os.access(place := f"/proc/{name}", os.W_OK):
            _mount(place, place, None, BIND | REC)
            _mount(None, place, None, BIND | REMOUNT | RDONLY | NOSUID | NODEV | NOEXEC)


def drop(user: int = 0) -> None:
    """Give up every right, for this process and any program that it starts, and become `user`
    (0: stay who one is). It stays hidden if it is.
    """
    _set(NO_NEW_PRIVS, 1)
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        _set(CAPBSET_DROP, capability)
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    head = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    _call("capset", head, (ctypes.c_uint32 * 6)())
    _set(AMBIENT, 4)  # PR_CAP_AMBIENT_CLEAR_ALL
    die_with_parent()


def hide(hidden: bool = True) -> None:
    """Nobody of the same user may look into this process; or not `hidden`, as any other is."""
    _set(DUMPABLE, 0 if hidden else 1)


def only(*descriptors) -> list:
    """Close every descriptor but these, and the three standard ones, which lead nowhere. Returns
    what the others are now.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    safe = [os.dup(each) for each in descriptors]
    for number in sorted(map(int, os.listdir("/proc/self/fd"))):
        if number > 2 and number not in safe:
            try:
                os.close(number)
            except OSError:  # the one that listed them
                pass
    return safe


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_void_p)]


def filter_calls(program: bytes) -> None:
    """Refuse the system calls of a filter in the kernel's own form (8 bytes a line), for good."""
    if not program:
        raise OSError("There is no filter on system calls for this machine.")
    lines = ctypes.create_string_buffer(program, len(program))
    filled = _Program(len(program) // 8, ctypes.cast(lines, ctypes.c_void_p))
    _set(SECCOMP, 2, ctypes.addressof(filled))


def exit_status(ended: int) -> int:
    """As a shell says it: 128 and the signal's number for one that a signal ended."""
    code = os.waitstatus_to_exitcode(ended)
    return 128 - code if code < 0 else code


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)
