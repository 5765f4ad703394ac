"""System calls that no answer needs and that a hostile one could use: the sandbox's kernel filter,
as bubblewrap takes it.

They make namespaces and mounts (a way to memory that nobody counts, and to the kernel's less tried
corners), memory outside the limits (a socket's buffers, watches on files), or look into other
processes. Of sockets only pairs are left, which Python's event loop wakes itself with: no answer
speaks to a network, and their buffers are small.
https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html
"""

import platform
import struct

# name: (number on x86-64, number on arm64), from the kernel's tables
REFUSED = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "mount_setattr": (442, 442),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "socket": (41, 198),
    "inotify_init": (253, None),  # arm64 has only the next one
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "io_setup": (206, 0),
    "mq_open": (240, 180),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "open_by_handle_at": (304, 265),
    "vmsplice": (278, 75),
    "syslog": (103, 116),
}
SOCKETPAIR, AF_UNIX = (53, 199), 1
CLONE, CLONE3 = (56, 220), (435, 435)
NAMESPACES = 0x7E020080  # the flags of clone that make one
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
LOAD, EQUAL, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38


def program(machine: str = "") -> bytes:
    """The filter for this machine (or one of `ARCHITECTURES`) in the kernel's own form; empty
    where the numbers are not known here.
    """
    at, architecture = ARCHITECTURES.get(machine or platform.machine(), (None, 0))
    if at is None:
        return b""
    lines = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    lines += [
        (AT_LEAST, 0, 1, 0x40000000),
        (RETURN, 0, 0, ERRNO | ENOSYS),
    ]  # x86-64's second set of numbers
    for numbers in REFUSED.values():
        if numbers[at] is None:
            continue
        lines += [(EQUAL, 0, 1, numbers[at]), (RETURN, 0, 0, ERRNO | EPERM)]
    # clone3 hides its flags from a filter; told that there is none, the C library uses clone.
    lines += [(EQUAL, 0, 1, CLONE3[at]), (RETURN, 0, 0, ERRNO | ENOSYS)]
    lines += [
        (EQUAL, 0, 3, SOCKETPAIR[at]),
        (LOAD, 0, 0, 16),
        (EQUAL, 1, 0, AF_UNIX),
        (RETURN, 0, 0, ERRNO | EPERM),
        (LOAD, 0, 0, 0),
    ]
    lines += [
        (EQUAL, 0, 4, CLONE[at]),
        (LOAD, 0, 0, 16),
        (AND, 0, 0, NAMESPACES),
        (EQUAL, 1, 0, 0),
        (RETURN, 0, 0, ERRNO | EPERM),
    ]
    lines += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
