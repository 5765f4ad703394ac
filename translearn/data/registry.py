"""What the course has, and the proof that it is intact.

`data/registry.toml` has one record for each data set, network and file: where it is, its SHA-256,
size, licence, source, card, the script that made it, and the function that reads or builds it. It
is the one place where names are listed. Nothing here reads a picture or a weight: the readers and
builders do, after asking `path` for a file that has been checked.
"""

import difflib
import hashlib
import pkgutil
import tomllib
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from translearn.errors import CourseError
from translearn.paths import DATA

FILE = DATA / "registry.toml"

# A file is hashed once a process for each state it is seen in: hashing 2,624 photographs takes a
# moment, and a lesson may load the same data ten times. Size and time of change are part of the
# key, so a change is seen.
_checked: dict[tuple, str] = {}


@lru_cache(maxsize=4)
def _read(file: Path, changed: int) -> dict:
    with open(file, "rb") as stream:
        return tomllib.load(stream)


def _tables() -> dict:
    try:
        return _read(FILE, FILE.stat().st_mtime_ns)
    except FileNotFoundError:
        raise CourseError(
            f"The list of data and weights, {FILE}, is missing. {_mend(FILE)}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise CourseError(
            f"The list of data and weights, {FILE}, cannot be read ({error}). {_mend(FILE)}"
        ) from None


def _mend(file: Path) -> str:
    """What to do about a file of the repository that is missing or damaged."""
    shown = (
        file.relative_to(DATA.parent).as_posix() if file.is_relative_to(DATA.parent) else file.name
    )
    return (
        f"Run `git checkout -- {shown}` to get it back, then `python3 course.py doctor` to check "
        "everything."
    )


def names(
    kind: str | None = None, family: str | None = None, having: str | None = None
) -> list[str]:
    """The names in the registry, in its order, or some of them.

    kind    "data", "weights", …: only these
    family  of data "pictures", "sentences" or "text", of networks "pictures" or "text": only these
    having  only records with this field, such as "reader" or "builder"
    """
    return [
        name
        for name, record in _tables().items()
        if kind in (None, record["kind"])
        and family in (None, record.get("family"))
        and (having is None or having in record)
    ]


def entry(name: str, kind: str | None = None) -> dict:
    """The registry's table for `name`, with the name added as `name`.

    Raises CourseError, suggesting the nearest name, when there is none (or none of that `kind`).
    """
    known = names(kind)
    if name not in known:
        what = {"data": "data set", "weights": "set of weights"}.get(
            kind, "data set or set of weights"
        )
        raise CourseError(f"There is no {what} called {name!r}. {suggest(name, known)}")
    return {"name": name, **_tables()[name]}


def function(name: str, field: str):
    """The function that the record of `name` names as its reader, builder or tokeniser, as
    "module:function".

    Raises CourseError when there is no such function.
    """
    said = entry(name)[field]
    try:
        return pkgutil.resolve_name(said)
    except (ImportError, AttributeError, ValueError) as error:
        raise CourseError(
            f"The {field} of {name!r}, {said!r}, cannot be imported ({error}). "
            f'{FILE.name} must name it as "module:function".'
        ) from error


def suggest(name, known) -> str:
    """“Did you mean 'fashion'? Known are …”: the nearest of `known` to a name that was "
    "mistyped."""
    known = [str(each) for each in known]
    # Compared in lower case, since a wrong capital is the commonest slip.
    lowered = {each.lower(): each for each in reversed(known)}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.5)
    guess = f"Did you mean {lowered[near[0]]!r}? " if near else ""
    return f"{guess}Known are: {', '.join(known)}."


def location(name: str) -> Path:
    """Where the thing is meant to be: a file, or a folder of an installed package. Not checked.

    Raises CourseError when the package is not installed or has another version than the
    registry's.
    """
    table = entry(name)
    if "file" in table:
        return DATA / table["file"]
    if "package" not in table:
        raise CourseError(f"{name!r} has no file of its own. Its card says why: {table['card']}.")
    package, version = table["package"], table["version"]
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise CourseError(
            f"{name!r} comes with the Python package {package}, which is not installed. "
            "Run `python3 course.py doctor` to see what is missing from the environment."
        ) from None
    if found.version != version:
        raise CourseError(
            f"{name!r} needs {package} {version}, but {found.version} is installed. "
            "Run `python3 course.py doctor` to bring the environment back to the pinned versions."
        )
    return Path(found.locate_file(table["files"]))


def path(name: str) -> Path:
    """The file (or folder) of `name`, after its SHA-256 has been checked.

    Raises CourseError when it is missing, truncated, or differs from what the registry says.
    """
    table, place = entry(name), location(name)
    mend = (
        _mend(place)
        if "file" in table
        else (
            f"Reinstall the package {table['package']} {table['version']} "
            "(delete the folder .venv and run `python3 course.py lab`)."
        )
    )
    if not place.exists():
        raise CourseError(f"{name!r} is missing: there is no {place}. {mend}")
    size = (
        sum(file.stat().st_size for file in files(place))
        if place.is_dir()
        else place.stat().st_size
    )
    if size < table["bytes"]:
        raise CourseError(
            f"{name!r} is truncated: {place} has {size:,} bytes of {table['bytes']:,}. {mend}"
        )
    if sha256(place) != table["sha256"]:
        raise CourseError(
            f"{name!r} has been changed: {place} does not have the SHA-256 in the registry. {mend}"
        )
    return place


def arrays(name: str) -> dict:
    """The arrays of an `.npz` file of the registry by name, after its SHA-256 has been checked."""
    import numpy as np

    with np.load(path(name), allow_pickle=False) as file:
        return dict(file)


def files(folder: Path) -> list[Path]:
    """The files under `folder` in a fixed order, without what Python compiled for itself."""
    found = (
        file
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".pyc", ".pyo")
    )
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


def sha256(place: Path) -> str:
    """SHA-256 of a file; of a folder, the SHA-256 over lines "relative/path sha256", sorted by
    path.
    """
    if place.is_dir():
        lines = (f"{file.relative_to(place).as_posix()} {sha256(file)}\n" for file in files(place))
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    state = place.stat()
    key = (str(place), state.st_size, state.st_mtime_ns)
    if key not in _checked:
        with open(place, "rb") as stream:
            _checked[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _checked[key]


def card(name: str) -> str:
    """The card of `name` in Markdown: what it is, where it comes from, its licence and its "
    "limits."""
    table = entry(name)
    file = DATA / table["card"]
    if not file.exists():
        raise CourseError(f"The card of {name!r}, {file}, is missing. {_mend(file)}")
    return file.read_text(encoding="utf-8")


def check_all() -> list[tuple[str, bool, str]]:
    """Every entry as (name, is it intact, one sentence), for `course.py doctor`. Never raises for
    one bad entry.
    """
    rows = []
    for name in names():
        try:
            table, text = entry(name), card(name)
            place = path(name) if "sha256" in table else None
            if not text.strip():
                raise CourseError(
                    f"The card of {name!r} is empty. {_mend(DATA / entry(name)['card'])}"
                )
        except CourseError as error:
            rows.append((name, False, str(error)))
        else:
            if place:
                said = f"{place.name}: {table['bytes'] / 1e6:.1f} MB, SHA-256 as registered"
            else:
                said = "downloaded when asked for" if "downloads" in table else "has no file"
            rows.append((name, True, f"{said}, {table['licence']}"))
    return rows
