"""The suite and its long part: `--long` for all of it, `--area NAME` for one area of it.

A test marked `@pytest.mark.long("area")` runs only then. `--area turn` takes the areas in turn, by
the number of commits: so runs CI. `chosen` draws, by the commit, what the suite itself takes from
a long list: other commits try others.
"""

import functools
import hashlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AREAS = {
    "banks": "every kind of junk for every parameter of every exercise",
    "browser": "every lesson in the browser, each explorer moved over its range",
    "coursework": "what a class does, beyond the everyday",
    "hostile": "every hostile submission",
    "lessons": "the learners' notebooks as they are, from top to bottom",
    "replay": "two minutes' worth of each lesson's experiments (all of them with --long)",
}

# The long files first and the many short ones last, so that two workers end together. The book
# prints what the lessons gave when they ran: it comes after them, and waits for one that still
# runs; but it is one long file, during which the other worker must have something to do.
ORDER = "coursework browser notebooks replay exercises lessons book unit".split()
ORDER = [name + "/" if name == "notebooks" else f"tests/{name}/" for name in ORDER]


def pytest_addoption(parser):
    group = parser.getgroup("course")
    group.addoption("--long", action="store_true", help="the suite and all of its long part")
    group.addoption(
        "--area",
        choices=[*AREAS, "turn"],
        help="the suite and one area of its long part; 'turn' takes them in turn, by the commit",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "long(area): only with --long, or with --area AREA")


def areas(config) -> set:
    """The areas of the long part that this run takes."""
    area = config.option.area
    if area == "turn":
        area = sorted(AREAS)[commits() % len(AREAS)]
    return set(AREAS) if config.option.long else {area} - {None}


@pytest.hookimpl(tryfirst=True)  # before xdist looks
def pytest_cmdline_main(config):
    """The whole suite runs two files at a time, so that waiting costs nothing; a part as asked.

    By the file, since the cells of a lesson share a kernel and the tests of a page a browser.
    """
    if hasattr(config, "workerinput"):  # a worker is asked too, and must not have workers
        return
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if whole and config.option.numprocesses is None and not config.option.collectonly:
        config.option.numprocesses, config.option.dist = 2, "loadfile"
        config.option.loadscopereorder = False  # in our own order, see ORDER


def pytest_report_header(config):
    taken = areas(config)
    return f"long part: {', '.join(sorted(taken))}" if taken else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    taken, left = areas(config), []
    for item in items[:]:
        for mark in item.iter_markers("long"):
            area = mark.args[0]
            if area not in AREAS:
                raise pytest.UsageError(f"{item.nodeid}: {area!r} is no area of the long part")
            if area not in taken:
                left.append(item)
                break
    if left:
        config.hook.pytest_deselected(items=left)
        gone = set(map(id, left))
        items[:] = [item for item in items if id(item) not in gone]
    items.sort(
        key=lambda item: next((n for n, s in enumerate(ORDER) if item.nodeid.startswith(s)), 0)
    )


# ---- By the commit ----


@functools.cache
def _git(*words) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except OSError:  # no git here: a copy of the course
        return ""
    return done.stdout.strip()


def head() -> str:
    """The commit that is checked out, "" where there is none."""
    return _git("rev-parse", "HEAD")


def commits() -> int:
    return int(_git("rev-list", "--count", "HEAD") or 0)


def chosen(things, count: int) -> list:
    """`count` of the things, in an order that the commit decides."""
    return sorted(things, key=_luck)[:count]


def _luck(thing) -> str:
    name = thing.name if isinstance(thing, Path) else str(thing)  # the same in every folder
    return hashlib.sha256(f"{head()}\0{name}".encode()).hexdigest()
