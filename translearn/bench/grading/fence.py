"""Walls around a grader that runs submissions without any, so that this machine stays as it is.

They are those of our sandboxes, with the grader's folder in them to write in, and without the
filter on system calls, which closes the sockets that a Jupyter kernel talks through.
"""

import os
import sys
from pathlib import Path

from translearn import paths
from translearn.coursework.instructor import walls

PLACE = f"{walls.HOME}/class"  # inside
ROOM = 2**30  # bytes of the empty folder that is /tmp inside


def command(folder: Path, extra=(), slot: int = 0) -> list:
    """The words before a grader's command. It finds `folder` at `PLACE`, and may write there.

    extra   further folders that it can read, at their own paths
    """
    words = walls.command(slot, ROOM)
    at = words.index("--proc")  # before that the root is not closed yet
    bound = ["--ro-bind", "/etc/hosts", "/etc/hosts"]  # otter-grader asks for localhost by name
    for each in map(Path, extra):
        for parent in list(reversed(each.parents))[1:]:
            bound += ["--perms", "0755", "--dir", str(parent)]
        bound += ["--ro-bind", str(each), str(each)]
    words[at:at] = bound
    at = words.index("--", words.index("--clearenv"))
    path = os.pathsep.join([os.path.dirname(sys.executable), "/usr/bin", "/bin"])
    words[words.index("--chdir") + 1] = PLACE
    more = ["--bind", str(folder), PLACE]
    for name, value in {"PATH": path, "PYTHONPATH": str(paths.ROOT)}.items():
        more += ["--setenv", name, value]
    words[at:at] = more
    return words


def open_up(folder: Path) -> None:
    """Let the user inside write in a folder: as root each of our sandboxes is another's."""
    for top, _, names in os.walk(folder):
        os.chmod(top, 0o777)
        for name in names:
            os.chmod(os.path.join(top, name), 0o666)
