"""The lessons as they ran: the outputs that the book prints.

A lesson runs as its rehearsal (`notebooks.rehearsal`), in the suite by nbval, here by nbclient;
both keep the same files, in `.cache/executed/<language>/<lesson>/`:

    notebook.ipynb        the solved lesson with its outputs
    explorer-<cell>.json  and the pictures that it names: see `rehearsal.sweep`

**Fresh** is what was made from the same code: the cells of the rehearsal (not the prose, which the
book takes from the source), the ledger's runs of the experiments that they name, the modules that
show things (`SHOWS`), `NUMERICS` of each module that makes numbers, the registry of data and
weights, and the packages. Not all of the package: another wording of an error would cost a run of
twenty minutes and change no page.
"""

import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from translearn import paths, words
from translearn.authoring import notebooks
from translearn.authoring.book import translation
from translearn.authoring.reading import Lesson
from translearn.errors import CourseError

SHOWS = ["plots.py", "widgets.py", "page.py", "measure/results.py", "measure/claims.py"]
SHOWS += ["authoring/rehearsal.py", "exercises/render.py", "report/dropping.py"]
PATIENCE = 1800  # seconds for a cell that hangs


@dataclass(frozen=True)
class Executed:
    """A lesson that has run.

    notebook    its solved cells with their outputs, as nbformat has them
    explorers   cell id → what `rehearsal.sweep` kept of the explorer there
    folder      where the explorers' pictures are
    """

    notebook: object
    explorers: dict
    folder: Path


def fresh(lesson: Lesson, language: str = "en") -> Executed | None:
    """The lesson as it ran, or None where it has not run as it is now."""
    found = latest(lesson, language)
    made = found and found.notebook.metadata.get("translearn", {}).get("made_from")
    return found if found and made == made_from(lesson, language) else None


def latest(lesson: Lesson, language: str = "en") -> Executed | None:
    """The lesson as it ran last, fresh or not, or None where it never has."""
    folder = _folder(lesson, language)
    try:
        import nbformat

        notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
        explorers = {
            found["cell"]: found
            for found in (
                json.loads(file.read_text(encoding="utf-8"))
                for file in folder.glob("explorer-*.json")
            )
        }
    except (OSError, ValueError):
        return None
    here = {cell.id for cell in notebook.cells}
    return Executed(notebook, {c: e for c, e in explorers.items() if c in here}, folder)


def empty() -> Executed:
    """What stands for the run of a lesson that has never run: its page shows no outputs."""
    import nbformat

    return Executed(nbformat.v4.new_notebook(), {}, Path())


def keep(lesson: Lesson, notebook, language: str = "en") -> None:
    """Keep a rehearsal that has run to its end: its cells but those that were put in."""
    import nbformat

    done = nbformat.from_dict(notebook)
    done.cells = [
        cell for cell in done.cells if not cell.metadata.get("translearn", {}).get("added")
    ]
    done.metadata.setdefault("translearn", {})["made_from"] = made_from(lesson, language)
    folder = _folder(lesson, language)
    folder.mkdir(parents=True, exist_ok=True)
    here = {cell.id for cell in done.cells}
    wanted = {"notebook.ipynb"}
    for file in folder.glob("explorer-*.json"):
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["cell"] in here:
            wanted |= {file.name, *(point["picture"] for point in found["points"].values())}
    for file in folder.iterdir():  # of an older run
        if file.name not in wanted:
            file.unlink()
    nbformat.write(done, folder / "notebook.part")
    os.replace(folder / "notebook.part", folder / "notebook.ipynb")


def execute(lessons: list, language: str = "en", say=print) -> dict:
    """Run what is not fresh, one lesson after another; name of a lesson → `Executed`.

    Each is kept as soon as it has run, so that an interruption costs the one in hand. A lesson
    that another process runs is waited for. Raises `CourseError` that names the lesson and the
    cell where one fails.
    """
    from tqdm.auto import tqdm

    found = {lesson.name: fresh(lesson, language) for lesson in lessons}
    todo = [lesson for lesson in lessons if found[lesson.name] is None]
    if todo:
        say(f"{len(todo)} of {len(lessons)} lessons have not run as they are now: running them.")
    bar = tqdm(todo, unit="lesson", disable=not todo)
    for lesson in bar:
        bar.set_description(lesson.name)
        with running(lesson, language):
            found[lesson.name] = fresh(lesson, language)  # another process may have run it
            if found[lesson.name] is None:
                _run(lesson, language)
                found[lesson.name] = fresh(lesson, language)
    return found


@contextmanager
def running(lesson: Lesson, language: str = "en"):
    """Hold a lesson, so that no two processes run it for the book at a time."""
    import filelock

    folder = _folder(lesson, language)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{folder}.lock"):
        yield


def made_from(lesson: Lesson, language: str = "en") -> str:
    """A hash of all that makes a lesson's outputs what they are."""
    rows = json.loads(_text(lesson, language))["cells"]
    code = ["".join(row["source"]) for row in rows if row["cell_type"] == "code"]
    whole = "\0".join([language, *code, _recorded(code), _code()])
    return hashlib.sha256(whole.encode() + translation.rests_on(language)).hexdigest()[:16]


def _text(lesson, language):
    """The rehearsal, in the language asked for."""
    text = notebooks.rehearsal(lesson)
    return text if language == words.ENGLISH else translation.rehearsal(text, lesson, language)


def _recorded(code):
    """The ledger's runs of the experiments that a lesson's code names: it shows them."""
    from translearn.measure import ledger

    found = []
    for name in sorted(set(re.findall(r'"([a-z_]+\.[a-z_]+)"', "\n".join(code)))):
        try:
            found.append(repr(ledger.experiment(name)["runs"]))
        except CourseError:  # no experiment of that name
            continue
    return "".join(found)


@functools.cache
def _code():
    from translearn.evidence import book

    package = paths.ROOT / "translearn"
    shown = [(package / name).read_text(encoding="utf-8") for name in SHOWS]
    numerics = [
        f"{file.relative_to(package)} {found[1]}"
        for file in sorted(package.rglob("*.py"))
        if (found := re.search(r"^NUMERICS = (\d+)", file.read_text(encoding="utf-8"), re.M))
    ]
    registry = (paths.DATA / "registry.toml").read_text(encoding="utf-8")
    return "\0".join([*shown, *numerics, registry, repr(sorted(book.versions().items()))])


def _folder(lesson, language):
    return paths.cache() / "executed" / language / lesson.name


def _run(lesson, language):
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    book = nbformat.reads(_text(lesson, language), as_version=4)
    settings = tempfile.mkdtemp(prefix="translearn-book-")
    env = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    env |= {
        "IPYTHONDIR": settings,
        "TRANSLEARN_PROGRESS": os.path.join(settings, "progress.json"),
        "TRANSLEARN_LANGUAGE": language,
    }
    client = NotebookClient(
        book,
        timeout=PATIENCE,
        kernel_name="python3",
        resources={"metadata": {"path": str(paths.NOTEBOOKS)}},
        on_cell_executed=lambda cell, cell_index, execute_reply: _expected(lesson, cell, language),
    )
    try:
        client.execute(env=env)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        last = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()[-1]  # no colours
        raise CourseError(f"{lesson.name} does not run{_where(book)}: {last}") from None
    finally:
        shutil.rmtree(settings, ignore_errors=True)
    keep(lesson, book, language)


def _where(book):
    """The cell that failed, in words."""
    for cell in book.cells:
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return f", in the cell {cell.source.strip()[:60]!r}"
    return ""


def _expected(lesson, cell, language="en"):
    """Raise `CourseError` unless a check answers what the rehearsal expects of it."""
    from translearn.exercises.render import LOOKS

    kind = cell.metadata.get("translearn", {}).get("expect")
    if not kind or language != "en":  # the words of an answer are translated
        return
    said = [out.data["text/plain"] for out in cell.outputs if out.output_type == "execute_result"]
    if not said or not said[-1].startswith(" ".join(LOOKS[kind][:2])):
        raise CourseError(
            f"{lesson.name}: the check {cell.source.strip()[:60]!r} should answer {kind!r}, and "
            f"said {said[-1][:200] if said else 'nothing'!r}."
        )
