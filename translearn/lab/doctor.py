"""`course.py doctor`: one line for each thing the course needs, and what to do where it is
missing.
"""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import translearn
from translearn import paths

# What a line says: all is well; something optional is missing; something needed is broken.
OK, NOTE, FAIL = "ok", "note", "FAIL"

Line = tuple[str, str]

SHOWN = ("tensorflow", "keras", "jupyterlab")


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome for the browser tests; `TRANSLEARN_CHROMIUM` names another
    one.
    """
    named = os.environ.get("TRANSLEARN_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    programs = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    for program in programs:
        if found := shutil.which(program):
            return found
    elsewhere = (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    )
    return next((path for path in elsewhere if Path(path).exists()), None)


def python() -> Iterator[Line]:
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield (
        (OK, f"Python {version}")
        if good
        else (FAIL, f"Python {version}: the course needs 3.11, 3.12 or 3.13")
    )


def pins(lock: Path) -> dict[str, str]:
    """The versions that a lock asks for on this machine."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found = {}
    for text in re.findall(
        r"^[A-Za-z0-9][^\\\n]*", lock.read_text(encoding="utf-8"), re.MULTILINE
    ):
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix(
                "=="
            )
    return found


def environment(lock: Path | None = None) -> Iterator[Line]:
    lock = lock or paths.ROOT / "requirements.lock"
    wanted = pins(lock)
    wrong = []
    for name, version in wanted.items():
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            have = "missing"
        if have != version:
            wrong.append(f"{name} {have}, wanted {version}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        advice = "delete .venv and run: python3 course.py lab"
        yield (
            FAIL,
            f"packages differ from requirements.lock: {'; '.join(wrong[:3])}{more}. {advice}",
        )
    else:
        yield OK, f"packages: all {len(wanted)} are those of requirements.lock"
    for name in SHOWN:
        for package in (name, f"{name}-cpu"):
            try:
                yield OK, f"{name} {importlib.metadata.version(package)}"
            except importlib.metadata.PackageNotFoundError:
                continue
            break


def machine() -> Iterator[Line]:
    free = shutil.disk_usage(paths.ROOT).free / 1e9
    yield (
        (OK if free >= 1 else FAIL),
        f"disk: {free:.0f} GB free"
        + ("" if free >= 1 else "; make room, lessons keep up to 1 GB"),
    )
    import psutil

    memory = psutil.virtual_memory()
    total, available = memory.total / 1e9, memory.available / 1e9
    text = f"memory: {total:.0f} GB, {available:.0f} GB of it free"
    yield (
        (OK, text)
        if available >= 3
        else (NOTE, f"{text}; lessons take up to 3 GB: close other programs if one is cut off")
    )
    cores = os.cpu_count() or 1
    yield (
        (OK, f"cores: {cores}")
        if cores >= 2
        else (NOTE, "cores: 1; the time budgets are meant for 2, expect twice as long")
    )


def keras_settings() -> Iterator[Line]:
    """The course's own; the reader's are named where they differ."""
    yield OK, f"Keras: on TensorFlow, with settings of its own in {paths.cache_folder() / 'keras'}"
    for name, value in translearn.SET_ASIDE.items():
        if value != os.environ.get(name):
            yield NOTE, f"{name}={value} is set on this machine: the course sets it aside"
    file = Path("~/.keras/keras.json").expanduser()
    plain = {"image_data_format": "channels_last", "floatx": "float32", "backend": "tensorflow"}
    try:
        theirs = json.loads(file.read_text(encoding="utf-8"))
        differ = [
            f"{key} {theirs[key]}" for key in plain if theirs.get(key, plain[key]) != plain[key]
        ]
    except (OSError, ValueError, AttributeError):
        return
    if differ:
        yield NOTE, f"{file} says {', '.join(differ)}: the course does not read it"


def data_and_weights() -> Iterator[Line]:
    from translearn.data import registry

    checked = registry.check_all()
    if not checked:
        yield FAIL, "data: data/registry.toml names nothing. Get it again: git checkout data"
    for name, good, sentence in checked:
        yield (OK if good else FAIL), f"{name}: {sentence}"


def browser() -> Iterator[Line]:
    program = find_chromium()
    yield (
        (OK, f"Chromium: {program}")
        if program
        else (
            NOTE,
            "Chromium: none; only the browser tests need it (Debian and Ubuntu: sudo apt install "
            "chromium)",
        )
    )


def sandbox() -> Iterator[Line]:
    if not sys.platform.startswith("linux"):
        yield NOTE, "grading sandbox: only on Linux; learners do not need it"
        return
    program = shutil.which("bwrap")
    if program is None:
        yield (
            NOTE,
            "grading sandbox: no bubblewrap; only instructors need it (Debian and Ubuntu: sudo "
            "apt install bubblewrap)",
        )
        return
    tried = subprocess.run(
        [program, "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "true"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    if tried.returncode:
        said = (tried.stderr.strip().splitlines() or ["no message"])[-1]
        yield (
            NOTE,
            f"grading sandbox: bubblewrap does not run here ({said}); only instructors need it",
        )
    else:
        yield OK, f"grading sandbox: {program} works"


def notebooks() -> Iterator[Line]:
    from translearn import authoring

    sources = sorted(paths.SOURCE.glob("*.md"))
    # The build reports by its return value and on its output; here one line is enough.
    done = subprocess.run(
        [sys.executable, "-m", authoring.__name__, "build", "--check"],
        capture_output=True,
        text=True,
        cwd=paths.ROOT,
    )
    if done.returncode == 0:
        yield OK, f"notebooks: {len(sources)} lessons, as their sources make them"
    else:
        yield (
            NOTE,
            "notebooks differ from their sources: yours to keep if you worked in them; python3 "
            "course.py build writes them anew",
        )


CHECKS = (
    python,
    environment,
    machine,
    keras_settings,
    data_and_weights,
    browser,
    sandbox,
    notebooks,
)


def run(checks=CHECKS) -> list[Line]:
    """The lines of all checks. A check that fails to run is a broken thing too, and never hides
    the others.
    """
    lines: list[Line] = []
    for check in checks:
        try:
            lines += check()
        except Exception as error:
            lines.append(
                (FAIL, f"{check.__name__.replace('_', ' ')}: {error or type(error).__name__}")
            )
    return lines


def main() -> int:
    lines = run()
    for mark, text in lines:
        print(f"{mark:<5} {text}")
    return 1 if any(mark == FAIL for mark, _ in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
