"""What lies in a folder of downloads: every file, also in zips. Nothing of it is run.

One file is in memory at a time: what a class sends, or what one zip unpacks to, may be larger than
the machine.
"""

import hashlib
import os
import re
import stat
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from translearn.coursework.instructor import names
from translearn.coursework.instructor.submission import LARGEST, Unreadable, parse

EXCHANGE = re.compile(r"^(?P<id>[^+]+)\+(?P<assignment>[^+]+)\+(?P<when>\d{4}-[^+]+)(?:\+[^+]*)?$")
# Not even read.
OTHER = set(".png .jpg .jpeg .gif .svg .pdf .doc .docx .npz .npy .h5 .keras .mp4 .csv".split())
PACKED = 200  # times its size that an entry of a zip may unpack to; notebooks come to ten
USUAL = 30  # times its size that a whole zip may unpack to
ONE_SENDS = 100 * 2**20  # bytes that what one student sent may unpack to, all entries together
NOISE = {"__MACOSX", ".DS_Store", "Thumbs.db", ".ipynb_checkpoints"}
MOST = 20_000  # files in one zip
DEEP = 20  # folders inside each other
LONG = 200  # letters of a name


@dataclass
class Found:
    """One file that somebody sent."""

    place: str  # where it was, for people
    parts: tuple  # its path, folders first
    when: float  # seconds since 1970, as the file says, or the zip that it is in
    load: Callable | None = None  # reads it (again), or raises `OSError`; None: not even read
    problem: str = ""
    student: str = ""
    assignment: str = ""
    attempt: int = 0  # by the LMS's own number
    state: str = ""
    said_late: bool = False
    packed: int = -1  # which of `parts` is the zip that it was in
    dated: float | None = None  # when it came as that zip says, if it does
    sender: str = ""  # what Moodle wrote of them, by which it takes feedback back
    secret: bytes = b""  # nbgrader's, by which its exchange gives the feedback back
    # what `look` saw
    digest: str = ""
    is_book: bool = False
    said: dict = field(default_factory=dict)  # what the notebook says of itself

    def look(self) -> None:
        """Read it once, and keep what is asked of it later: whether it is a notebook, what it says
        of itself, and its digest. A file that was refused before is not read.
        """
        if self.problem or self.load is None:
            return
        try:
            data = self.load()
            self.digest = hashlib.sha256(data).hexdigest()
            said = parse(data)["metadata"].get("translearn")
            self.is_book = True
            for key in ("student", "assignment") if isinstance(said, dict) else ():
                self.said[key] = str(said.get(key, ""))[:64]
        except (OSError, Unreadable) as problem:
            self.problem = getattr(problem, "strerror", None) or str(problem)
        except Exception as problem:  # made by hand to be stumbled over: it costs nobody else
            self.problem = f"it cannot be made sense of ({type(problem).__name__})"


def walk(place: Path):
    """Every file below `place`, also inside zips. One that cannot be read comes with its problem,
    and costs no other.
    """
    place = place.resolve()
    if place.is_file():
        yield from _file(place, (place.name,))
    else:
        yield from _folder(place, ())


def _folder(path, parts):
    try:
        with os.scandir(path) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as problem:
        yield Found(str(path)[:300], parts or (path.name,), 0, problem=_unread(problem))
        return
    for entry in entries:
        inner, below = (*parts, entry.name), path / entry.name
        if entry.name in NOISE or entry.name.startswith("."):
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield from _file(below, inner)
        elif EXCHANGE.match(entry.name):
            yield Found(
                str(below),
                inner,
                0,
                state="not taken",
                problem="a folder of nbgrader's exchange is taken by collect '--exchange' only",
            )
        elif len(inner) > DEEP:
            problem = f"it lies in more than {DEEP} folders inside each other: not looked into"
            yield Found(str(below)[:300], inner, 0, state="not taken", problem=problem)
        else:
            yield from _folder(below, inner)


def _unread(problem):
    return f"it cannot be read: {problem.strerror or problem}"


def _file(path, parts):
    try:
        info = os.lstat(path)
        problem = ""
        if stat.S_ISLNK(info.st_mode):
            problem = "it cannot be read: it is a link to another place, not a file"
        elif not stat.S_ISREG(info.st_mode):
            problem = "it cannot be read: it is not a file"
        elif len(parts[-1]) > LONG:
            problem = "its name is too long"
        elif path.suffix.lower() == ".zip":
            yield from _unzip(path, parts, info.st_mtime)
            return
        elif info.st_size > LARGEST:
            problem = f"it is larger than {LARGEST // 2**20} MB"
        unread = problem or path.suffix.lower() in OTHER
        load = None if unread else lambda: read(path)[0]
        yield Found(str(path), parts, info.st_mtime, load, problem)
    except OSError as problem:
        yield Found(str(path)[:300], parts, 0, problem=_unread(problem))


def read(path, folder=None) -> tuple:
    """(A file's bytes, what the system says of it). Raises `OSError` for what is no file, and for
    a link: a student could lay one to a file that only you may read.

    folder   of which `path` is the name of a file: an open folder
    """
    flags = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in flags)
    try:
        handle = os.open(path, flags, dir_fd=folder)
    except OSError:
        if stat.S_ISLNK(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(0, "it is a link to another place, not a file") from None
        raise
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(0, "it is not a file")
        return file.read(LARGEST + 1), info


def _unzip(path, parts, when):
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST:
                yield Found(str(path), parts, when, problem=f"it holds more than {MOST:,} files")
                return
            sent, size = Counter(), path.stat().st_size
            for entry in entries:
                inner = tuple(PurePosixPath(entry.filename.replace("\\", "/")).parts)
                if inner and not NOISE & set(inner) and not inner[-1].startswith("."):
                    yield _inside(archive, path, parts, when, entry, inner, sent, size)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        yield Found(str(path), parts, when, problem=f"it is not a whole zip ({problem})")


def _inside(archive, path, parts, when, entry, inner, sent, size):
    """One entry. `sent` counts the bytes that each one's entries unpack to."""
    # The zip's own name tells whose it is when somebody sent one zip each.
    where, place = (*parts[:-1], Path(parts[-1]).stem, *inner), f"{path}:{entry.filename}"
    if max(map(len, where)) > LONG or len(where) > DEEP:
        return Found(place[:300], ("its name",), when, problem="its name is too long")
    problem, load = _refused(entry, inner[-1]), None
    if not problem and PurePosixPath(inner[-1]).suffix.lower() not in OTHER:
        signs = map(names.sign, (*inner[:-1], Path(inner[-1]).stem))
        owner = next((sign.who for sign in signs if sign), "")
        sent[owner] += entry.file_size
        most = ONE_SENDS if owner else max(ONE_SENDS, USUAL * size)
        if sent[owner] > most:
            problem = f"what one sent, of which this is a part, is more than {most // 2**20} MB"
        else:
            load = _loader(archive, path, entry)
    found = Found(place, where, when, load, problem, packed=len(parts) - 1)
    found.dated = _date(entry)
    return found


def _refused(entry, name):
    """Why an entry of a zip is not unpacked; "" if it is."""
    if entry.flag_bits & 1:
        return "it is locked with a password"
    if name.lower().endswith(".zip"):
        return "it is a zip inside a zip: unpack the outer one"
    if entry.file_size > LARGEST:
        return f"it is larger than {LARGEST // 2**20} MB"
    if entry.file_size > 10_000 + PACKED * entry.compress_size:
        return "it unpacks to far more than it should"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is packed in a way that no LMS uses: pack it as an ordinary zip"
    return ""


def _loader(archive, path, entry):
    def load():
        try:
            if archive.fp is None:  # closed since
                with zipfile.ZipFile(path) as again, again.open(entry) as file:
                    return file.read(LARGEST + 1)
            with archive.open(entry) as file:
                return file.read(LARGEST + 1)  # a size that lies is cut off
        except Exception as problem:  # each way of packing has errors of its own
            raise OSError(0, f"it is damaged inside its zip ({type(problem).__name__})") from None

    return load


def _date(entry):
    """When an entry was written, in seconds since 1970; None for 1980, which says nothing."""
    try:
        return time.mktime((*entry.date_time, 0, 0, -1)) if entry.date_time[0] > 1980 else None
    except (ValueError, OverflowError):
        return None
