"""The last cell of an assignment: look at the notebook as the marking will, then write the file to
hand in.

It runs in the notebook's own kernel and starts one Python process, so the server stays free.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from translearn.coursework import student as side
from translearn.coursework.student import clock, codec
from translearn.coursework.student.question import questions, written
from translearn.errors import CourseError
from translearn.exercises.render import Card

OWN_SECONDS = 60  # for the cells that answer no question, together; the marking gives more
SECONDS = 120  # for the whole notebook; the marking gives more
CELL_SECONDS = 60
LARGEST = 20 * 2**20  # bytes of a notebook that is collected
# A file below this is written as it is; outputs of a larger one are made smaller, then left out.
ROOM = 15 * 2**20
# What a page shows of an output; the other forms of it are for other programs.
READ = ("image/png", "image/jpeg", "image/gif", "text/plain")
TEXT = 20_000  # characters of it


def submit(assignment: str, student: str = "", notebook: str = "", as_saved: bool = False) -> Card:
    """Validate the notebook and write `A1_ID.ipynb` beside it. Returns what to read; never stops
    the lesson.

    student    your id, as your instructor knows you; on a JupyterHub your name there, else asked
               for when it is not given
    notebook   the notebook's file, if it is not found by itself
    as_saved   take the file as it is, even if a cell was run that is not in it
    Raises `CourseError` when the notebook is not found, cannot be read, or is for another
    assignment.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return Card("nbgrader runs this notebook, so nothing is written.")
    path = _find(assignment, notebook)
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell | {"source": "".join(cell["source"])} for cell in book["cells"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(
            f"{path.name} cannot be read as a notebook. Save it again in JupyterLab (Ctrl-S), "
            f"then run this cell again."
        ) from None
    said = book.get("metadata", {}).get("translearn", {}).get("assignment", assignment)
    if said != assignment:
        raise CourseError(f"{path.name} is {said}, not {assignment}.")
    if not as_saved and (unsaved := _unsaved(cells)):
        return Card(
            f"**Not saved yet.** You have run a cell that is not in the saved file (it begins "
            f"`{unsaved}`). Save with Ctrl-S (on a Mac: Cmd-S), then run this cell again. If the "
            f"file is right as it is: `submit.submit({assignment!r}, as_saved=True)`"
        )
    student = (
        student
        or book.get("metadata", {}).get("translearn", {}).get("student", "")
        or os.environ.get("JUPYTERHUB_USER", "")
        or _ask()
    )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", student):
        return Card(
            "**Who are you?** In a new cell, run "
            f'`submit.submit("{assignment}", student="your-id")`, '
            "with the id that your instructor knows you by: letters, digits and . _ @ - only."
        )
    rows, good = _look(assignment, cells, path.parent)
    target = path.with_name(f"{assignment}_{student}.ipynb")
    book["metadata"].setdefault("translearn", {}).update(assignment=assignment, student=student)
    text, left_out = _small_enough(book)
    rows += [f"| ○ | {row} |" for row in left_out]
    if len(text.encode()) > LARGEST:
        good = False
        rows.append(
            f"| ✗ | the file has {len(text.encode()) / 2**20:.0f} MB, and no more than "
            f"{LARGEST // 2**20} are collected: make pictures that you pasted smaller, or take "
            f"some out, and run this cell again |"
        )
    # Written beside and moved, so that a full disk leaves no half file with that name.
    with tempfile.NamedTemporaryFile(
        "w",
        dir=path.parent,
        prefix=f".{target.name}.",
        suffix=".part",
        encoding="utf-8",
        delete=False,
    ) as file:
        file.write(text)
    os.replace(file.name, target)
    hub = (
        ", or press *Submit* in Nbgrader > Assignment List, if your class uses that"
        if os.environ.get("JUPYTERHUB_USER") and not left_out  # it takes the notebook as it is
        else ""
    )
    lead = (
        "Everything that can be seen from here is well."
        if good
        else (
            "**Some things need a look** (you can hand in all the same, and again until it is "
            "due)."
        )
    )
    return Card(
        "\n".join(
            [
                lead,
                "",
                "| State | Looked at |",
                "|---|---|",
                *rows,
                "",
                f"**Hand in the file `{target.name}`**, which now lies beside the "
                f"notebook{hub}. Marks come from other inputs than these checks use: see the "
                f"table at the top.",
            ]
        )
    )


def _find(assignment, notebook):
    if notebook:
        candidates = [Path(notebook)]
    else:
        named = os.environ.get(
            "JPY_SESSION_NAME", ""
        )  # JupyterLab tells its kernels which notebook they serve
        candidates = (
            [Path(named), Path.cwd() / Path(named).name] if named.endswith(".ipynb") else []
        )
        candidates += [
            path
            for path in sorted(Path.cwd().glob("*.ipynb"))
            if re.match(rf"{assignment}(?![0-9])", path.stem, re.IGNORECASE)
            and not re.match(rf"{assignment}_.*@|\.", path.name)
        ]
        # The file to hand in from an earlier time is not the notebook one works in.
        candidates = [c for c in candidates if c.is_file()]
        own = [c for c in candidates if c.stem == assignment]
        candidates = candidates[:1] if named else own or candidates
    for path in candidates:
        if path.is_file():
            return path
    raise CourseError(
        f'The notebook is not found. Say where it is: submit.submit("{assignment}", '
        f'notebook="{assignment}.ipynb")'
    )


def _small_enough(book):
    """(text of the file, what was left out of it): outputs that are too large to be collected are
    brought down to what a person reads of them; if that is not enough, the largest are left out.
    """

    def written():
        return codec.whole(json.dumps(book, indent=1, ensure_ascii=False))

    text = written()
    if len(text.encode()) <= ROOM:
        return text, []
    book["metadata"].pop("widgets", None)
    for cell in book["cells"]:
        cell["outputs"] = [_readable(output) for output in cell.get("outputs", [])]
        if cell["cell_type"] != "code":
            del cell["outputs"]
    text = written()
    said = [
        "the notebook holds more than can be collected, so of its outputs only what a person "
        "reads (pictures and text) is in the file"
    ]
    sizes = {
        at: len(json.dumps(cell["outputs"], ensure_ascii=False).encode())
        for at, cell in enumerate(book["cells"])
        if cell.get("outputs")
    }
    too_many = len(text.encode()) - ROOM
    for at in sorted(sizes, key=sizes.get, reverse=True):
        if too_many <= 0:
            break
        too_many -= sizes[at]
        gone = f"(an output of {sizes[at] / 2**20:.1f} MB was left out on handing in)"
        book["cells"][at]["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": [gone]}
        ]
        said.append(
            f"the output of the cell {_name(''.join(book['cells'][at]['source']))} "
            f"({sizes[at] / 2**20:.1f} MB) is left out of the file"
        )
    return written(), said


def _readable(output):
    """An output in those forms that a page shows, its text up to a length."""

    def short(text):
        text = "".join(text)
        return text if len(text) <= TEXT else text[:TEXT] + "\n… (cut on handing in)"

    if output["output_type"] == "stream":
        return output | {"text": short(output["text"])}
    if output["output_type"] == "error":
        return output | {"evalue": short(output["evalue"]), "traceback": []}
    data = {mime: value for mime, value in output["data"].items() if mime in READ}
    if "text/plain" in data:
        data["text/plain"] = short(data["text/plain"])
    return output | {"data": data, "metadata": {}}


def _unsaved(cells):
    """The first line of an executed cell that the saved file does not hold in that form, "" if
    there is none.

    Only the last run of each answer counts: a function that was run and then changed and run again
    is no reason to stop.
    """
    with contextlib.suppress(Exception):
        from IPython import get_ipython

        # As it was typed: what IPython makes of `%timeit`, `!` and `?` stands in no file.
        history = [text for text in get_ipython().history_manager.input_hist_raw if text.strip()]
        saved = {_lines(cell["source"]) for cell in cells}
        defined = {}
        for text in history:
            for name in re.findall(r"^(?:def (\w+)|(\w+) *=)", text, re.M):
                defined["".join(name)] = text
        names = {
            name
            for cell in cells
            for pair in re.findall(r"^(?:def (\w+)|(\w+) *=)", cell["source"], re.M)
            for name in pair
            if name
        }
        for name, text in defined.items():
            if (
                name in names
                and _lines(text) not in saved
                and re.match(r"def |\w+ *=|import |from |#|@", text.strip())
            ):
                return text.strip().splitlines()[0][:60]
    return ""


def _lines(source):
    """A cell's text without what an editor may change in it on saving: white space at the ends."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _ask():
    with contextlib.suppress(Exception):
        return input("Your id, as your instructor knows you: ").strip()
    return ""


def _look(assignment, cells, folder):
    """Rows of the report, and whether all is well: the notebook is run from the top in a new
    process, then its checks.
    """
    module = side.module(assignment)
    ids = [cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") for cell in cells]
    run = [
        i
        for i, cell in enumerate(cells)
        if cell["cell_type"] == "code"
        and cell["source"].strip()
        and "submit.submit(" not in cell["source"]
    ]
    began = time.monotonic()
    own = [n for n, i in enumerate(run) if not ids[i]]
    replies, ended = _run(assignment, module, [cells[i]["source"] for i in run], folder, own)
    rows, good = _too_long(replies, [cells[i]["source"] for i in run], own)
    errors = [
        (run[reply["done"]], reply["error"])
        for reply in replies
        if isinstance(reply.get("done"), int)
        and reply.get("error")
        and reply["error"]["type"] != "TimeUp"
    ]
    if ended:
        rows.append(f"| ✗ | run from the top in an empty Python: {ended} |")
        good = False
    elif errors:
        at, error = errors[0]
        rows.append(
            f"| ✗ | run from the top in an empty Python: the cell {_name(cells[at]['source'])} "
            f"stops with {error['type']}: {error['message'][:120].replace('|', '/')} |"
        )
        good = False
    else:
        rows.append(
            f"| ✓ | runs from the top in an empty Python, in {time.monotonic() - began:.0f} s |"
        )
    # The answers are judged whatever the cells of one's own do: look at them alone.
    if ended and (alone := [cells[i]["source"] for i in run if ids[i]]):
        replies, _ = _run(assignment, module, alone, folder)
        rows.append("| ○ | below, the answers were looked at without the cells of your own |")
    outcomes = {reply["question"]: reply["outcome"] for reply in replies if "question" in reply}
    for each in questions(module):
        kind = outcomes.get(each.name, "not reached")
        fine = kind == "passed"
        good = good and fine
        rows.append(
            f"| {'✓' if fine else '○' if kind in ('not attempted', 'not reached') else '✗'} | "
            f"{each.title}: {'passes its visible check' if fine else kind} |"
        )
    for each in written(module):
        text = next((cell["source"] for cell, name in zip(cells, ids) if name == each.name), "")
        fine = len(text.split()) > 5
        good = good and fine
        rows.append(
            f"| {'✓' if fine else '○'} | {each.title}: "
            f"{f'{len(text.split())} words' if fine else 'not answered in its own cell'} |"
        )
    return rows, good


def _too_long(replies, sources, own):
    """Rows on the cells that were stopped for their time, and whether no answer is among them."""
    rows, good = [], True
    for reply in replies:
        if (reply.get("error") or {}).get("type") == "TimeUp":
            at = reply["done"]
            costs = "" if at in own else ", and it holds an answer"
            rows.append(
                f"| {'○' if at in own else '✗'} | the cell {_name(sources[at])} took too long and "
                f"was stopped{costs}. In the marking: {clock.LIMITS} |"
            )
            good = good and at in own
    return rows, good


def _name(source):
    return "`" + source.strip().splitlines()[0][:50].replace("|", "/").replace("`", "'") + "`"


def _run(assignment, module, sources, folder, own=()):
    """Run the cells and their checks in a process of their own; returns (messages, why it ended
    early or ""). `own` has the positions of the cells that answer no question.
    """
    from tqdm.auto import tqdm

    job = {
        "assignment": assignment.lower(),
        "cells": sources,
        "own": list(own),
        "own_seconds": OWN_SECONDS,
        "cell_seconds": CELL_SECONDS,
        "checks": [each.name for each in questions(module)],
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "translearn.coursework.student.runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    replies, reason = [], ""
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        process.stdin.write(codec.pack(job))
        process.stdin.flush()
        with tqdm(
            total=len(sources) + len(job["checks"]),
            desc="Looking at your notebook",
            unit="cell",
            leave=False,
        ) as bar:
            while (head := process.stdout.read(4)) and len(head) == 4:
                message = codec.unpack(process.stdout.read(int.from_bytes(head, "big")))
                replies.append(message)
                bar.update("done" in message or "question" in message)
                if "checked" in message:
                    break
            else:
                at = [reply["running"] for reply in replies if "running" in reply]
                where = f" in the cell {_name(sources[at[-1]])}" if at else ""
                reason = (
                    f"it took more than {SECONDS} s and was stopped{where}"
                    if not timer.is_alive()
                    else f"Python ended{where}"
                )
    except (OSError, CourseError):
        reason = "Python ended"
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    return replies, reason
