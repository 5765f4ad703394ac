"""What lies in a folder of downloads: every file, also in zips. Nothing of it is run."""

import os
import re
import stat
import time
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from translearn.coursework.instructor.submission import LARGEST

EXCHANGE = re.compile(r"^(?P<id>[^+]+)\+(?P<assignment>[^+]+)\+(?P<when>\d{4}-[^+]+)(?:\+[^+]*)?$")
COPYING = 60  # seconds that handing in to the exchange may take: within them its own time counts
# Not even read.
OTHER = set(".png .jpg .jpeg .gif .svg .pdf .doc .docx .npz .npy .h5 .keras .mp4 .csv".split())
PACKED = 200  # times its size that an entry of a zip may unpack to; notebooks come to ten
NOISE = {"__MACOSX", ".DS_Store", "Thumbs.db", ".ipynb_checkpoints"}
MOST = 20_000  # files in one zip


@dataclass
class Found:
    """One file that somebody sent."""

    place: str  # where it was, for people
    parts: tuple  # its path, folders first
    when: float  # seconds since 1970, as the file or its zip says
    data: bytes = b""
    problem: str = ""
    student: str = ""
    assignment: str = ""
    attempt: int = 0
    state: str = ""
    said_late: bool = False
    packed: int = -1  # which of `parts` is the zip that it was in
    packed_when: float = 0
    secret: bytes = b""  # nbgrader's, by which its exchange gives the feedback back


def walk(place: Path):
    """Every file below `place`, also inside zips.

    One that cannot be read comes with its problem.
    """
    place = place.resolve()
    for path in [place] if place.is_file() else sorted(place.rglob("*")):
        if EXCHANGE.match(path.name) and path.is_dir():
            yield _handed_in(path)
            continue
        if not path.is_symlink() and not path.is_file():
            continue
        parts = path.relative_to(place.parent if place.is_file() else place).parts
        if NOISE & set(parts) or path.name.startswith(".") or any(map(EXCHANGE.match, parts[:-1])):
            continue
        try:
            data, info = _read(path)
            if max(map(len, parts)) > 200:
                yield Found(str(path), parts, info.st_mtime, problem="its name is too long")
            elif path.suffix.lower() == ".zip":
                yield from _unzip(path, parts, info.st_mtime)
            elif info.st_size > LARGEST:
                yield Found(
                    str(path),
                    parts,
                    info.st_mtime,
                    problem=f"it is larger than {LARGEST // 2**20} MB",
                )
            else:
                yield Found(str(path), parts, info.st_mtime, data)
        except OSError as problem:
            yield Found(str(path), parts, 0, problem=f"it cannot be read: {problem.strerror}")


def _read(path):
    """(Its first bytes, what the system says of it.) Raises OSError for a link: a student could
    lay one to a file that only you may read.
    """
    if path.is_symlink():
        raise OSError(0, "it is a link to another place, not a file")
    handle = os.open(
        path,
        os.O_RDONLY
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_BINARY", 0),
    )
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(0, "it is not a file")
        return (b"" if path.suffix.lower() in {".zip", *OTHER} else file.read(LARGEST + 1)), info


def _handed_in(folder):
    """What one student laid into nbgrader's exchange: the notebook, its time, and the secret for
    the way back.

    The folder is the student's own and they may do with it what they like, also later. So the file
    must be theirs, which a link to somebody else's is not, and its time is no earlier than the
    system saw it change.
    """
    import pwd  # there is no exchange on Windows

    name = EXCHANGE.match(folder.name)
    found = Found(
        str(folder), (folder.name,), 0, student=name["id"], assignment=name["assignment"]
    )
    try:
        names = [path.name for path in folder.iterdir() if path.suffix == ".ipynb"]
        path = folder / min(
            names, key=lambda each: (each != f"{name['assignment']}.ipynb", each), default=""
        )
        if not names:
            raise OSError(0, "there is no notebook in it")
        found.data, info = _read(path)
        try:
            owner = pwd.getpwuid(info.st_uid).pw_name
        except KeyError:
            owner = str(info.st_uid)
        if owner != name["id"]:
            raise OSError(0, f"it belongs to {owner}, not to {name['id']}")
        stamp = datetime.fromisoformat(name["when"].replace(" UTC", "+00:00")).timestamp()
        found.when = stamp if info.st_ctime - stamp < COPYING else info.st_ctime
        secret = folder / "submission_secret.txt"
        found.secret = _read(secret)[0][:1000] if secret.exists() else b""
    except (OSError, ValueError, OverflowError) as problem:
        found.data, found.problem = (
            b"",
            f"it cannot be taken: {getattr(problem, 'strerror', None) or problem}",
        )
    return found


def _unzip(path, parts, when):
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST:
                yield Found(str(path), parts, when, problem=f"it holds more than {MOST:,} files")
                return
            for entry in entries:
                inner = tuple(PurePosixPath(entry.filename.replace("\\", "/")).parts)
                # The zip's own name tells whose it is when somebody sent one zip each.
                where = (*parts[:-1], Path(parts[-1]).stem, *inner)
                if not inner or NOISE & set(inner) or inner[-1].startswith("."):
                    continue
                kind = dict(packed=len(parts) - 1, packed_when=when)
                place = f"{path}:{entry.filename}"
                try:
                    stamp = time.mktime((*entry.date_time, 0, 0, -1))
                except (ValueError, OverflowError):
                    stamp = when
                if max(map(len, where)) > 200 or len(where) > 20:
                    yield Found(place[:300], ("its name",), stamp, problem="its name is too long")
                elif entry.flag_bits & 1:
                    yield Found(
                        place, where, stamp, problem="it is locked with a password", **kind
                    )
                elif inner[-1].lower().endswith(".zip"):
                    yield Found(
                        place,
                        where,
                        stamp,
                        problem="it is a zip inside a zip: unpack the outer one",
                        **kind,
                    )
                elif entry.file_size > LARGEST:
                    yield Found(
                        place,
                        where,
                        stamp,
                        problem=f"it is larger than {LARGEST // 2**20} MB",
                        **kind,
                    )
                elif entry.file_size > 10_000 + PACKED * entry.compress_size:
                    yield Found(
                        place,
                        where,
                        stamp,
                        problem="it unpacks to far more than it should",
                        **kind,
                    )
                elif PurePosixPath(inner[-1]).suffix.lower() in OTHER:
                    yield Found(place, where, stamp, **kind)
                else:
                    try:
                        with archive.open(entry) as file:
                            data = file.read(LARGEST + 1)  # a size that lies is cut off
                    except Exception as problem:  # each way of packing has errors of its own
                        yield Found(
                            place,
                            where,
                            stamp,
                            problem=f"it is damaged inside its zip ({type(problem).__name__})",
                            **kind,
                        )
                    else:
                        yield Found(place, where, stamp, data, **kind)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        yield Found(str(path), parts, when, problem=f"it is not a whole zip ({problem})")
