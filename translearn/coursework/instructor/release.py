"""What students get: one zip with the notebook, the data that it needs, and how to begin.

No solution and no hidden check.
"""

import functools
import importlib
import io
import json
import zipfile

from translearn import authoring, paths
from translearn.authoring import handout
from translearn.coursework import student
from translearn.coursework.instructor import books, late
from translearn.coursework.instructor.folder import Course, assignments, known, write
from translearn.errors import CourseError

README = """{title}

1. Put this folder, {assignment}, into the folder `notebooks` of the course, start the course
   (python3 course.py lab), and open {assignment}/{assignment}.ipynb in the list at the left. If
   your class has a JupyterLab on a server, upload it there.
2. Fill in the cells with three dots. The cell below each of them checks your answer on a few
   examples.
3. Save, run the last cell, and hand in the file that it writes, {assignment}_YOURID.ipynb.

Due: {due}{late}
Points: {points}, of which {manual} are given by a person. The notebook's first table says what
each is for.
"""


def release(course: Course, assignment: str) -> tuple:
    """Write `release/A1/` and `release/A1.zip`; returns (path of the zip, names in it).

    Raises `CourseError` for an unknown one.
    """
    assignment = known(assignment)
    files = made(course, assignment)
    released = course.released(assignment)
    if (
        released.exists()
        and released.read_bytes() != files[f"{assignment}.ipynb"]
        and course.submissions(assignment)
    ):
        raise CourseError(
            f"{assignment} is out and has submissions, and its text has changed since: a new "
            f"release would not fit them. Keep the old one, or move release/{assignment} away "
            f"if you mean it."
        )
    for name, data in files.items():
        write(released.parent / name, data)
    # nbgrader's exchange and its formgrader want the source too.
    write(
        course.root / "source" / assignment / f"{assignment}.ipynb",
        handout.notebook(authoring.read(assignments()[assignment]), solved=True),
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            # A fixed time: the same release is the same file, byte for byte.
            file.writestr(
                zipfile.ZipInfo(f"{assignment}/{name}", (2000, 1, 1, 0, 0, 0)),
                data,
                zipfile.ZIP_DEFLATED,
            )
    path = course.root / "release" / f"{assignment}.zip"
    write(path, archive.getvalue())
    books.prepare(course, assignment)
    return path, sorted(files)


def made(course: Course, assignment: str) -> dict:
    """{name: bytes} of what students get, made now; nothing is written.

    Raises `CourseError` with all that is missing in an assignment or does not fit.
    """
    if found := problems(assignment):
        raise CourseError(
            "\n  ".join([f"{assignment} cannot be released yet. To mend, all of it:", *found])
        )
    lesson = authoring.read(assignments()[assignment])
    module = student.module(assignment)
    from translearn.coursework.student.question import questions, written

    due = course.due.get(assignment)
    manual = sum(each.points for each in written(module))
    points = manual + sum(each.points for each in questions(module))
    files = {
        f"{assignment}.ipynb": handout.notebook(lesson, solved=False).encode(),
        "README.txt": README.format(
            title=f"{assignment} · {course.name}",
            assignment=assignment,
            due=f"{due:%A, %d %B %Y, %H:%M}" if due else "your instructor says when",
            late=_late(course, assignment, points) if due else "",
            points=points,
            manual=manual,
        ).encode(),
    }
    for name in getattr(module, "DATA", ()):
        files |= _data(name)
    return files


def problems(assignment: str) -> list:
    """All that is missing or does not fit in an assignment, one sentence each: in its source, what
    a student imports, the judges and the bank. Nothing is run but what they define.
    """
    source, name = assignments()[assignment], assignment.lower()
    lesson, module = _made(source.name, lambda: authoring.read(source), found := []), None
    if lesson is not None:
        place = f"coursework/student/{name}.py"
        module = _made(place, lambda: student.module(assignment), found)
    if module is None:
        return found
    found += [f"{source.name}:{line}: {text}" for line, text in handout.problems(lesson)]
    if not isinstance(getattr(module, "AHEAD", None), tuple):
        found.append(
            f'{place}: AHEAD is missing: what a sandbox imports beforehand, such as ("numpy",).'
        )
    for data in getattr(module, "DATA", ()):
        _made(f"{place}, DATA", functools.partial(_data, data), found)
    return found + _unjudged(name, module) + _bank(assignment, module)


def _made(place, make, found):
    """What `make` returns; None, and a sentence in `found`, when it fails."""
    try:
        return make()
    except FileNotFoundError as problem:
        found.append(f"{place}: {problem.filename} is not there.")
    except ModuleNotFoundError as problem:
        found.append(f"{place}: it is not there, or what it imports is not: {problem}.")
    except Exception as problem:  # somebody's code, half done
        said = next(iter(str(problem).splitlines()), "")
        found.append(f"{place}: {type(problem).__name__}: {said}")
    return None


def _unjudged(name, module):
    from translearn.coursework.instructor import judges, judging
    from translearn.coursework.student.question import questions

    place, found = f"coursework/instructor/judges/{name}.py", []
    _made(place, lambda: importlib.import_module(f"{judges.__name__}.{name}"), found)
    for each in questions(module):
        have = judging.PARTS.get((name, each.name), ())
        found += [
            f"{place}: nobody judges {what!r} of question {each.name}."
            for what in each.marks
            if what not in have
        ]
    return found


def _bank(assignment, module):
    from translearn.coursework.instructor import bank
    from translearn.coursework.student.question import questions

    place, found = f"coursework/instructor/banks/{assignment.lower()}.py", []
    banked = _made(place, lambda: bank.submissions(assignment), found)
    if banked is None:
        return found
    most, wrong = {each.name: each.points for each in questions(module)}, set()
    if banked.get("perfect") != {}:
        found.append(f"{place}: there is no `# ==== perfect`, in which all is the model answer.")
    for name, answers in banked.items():
        for question, (_, points) in answers.items():
            if question not in most:
                found.append(f"{place}, {name}: there is no question {question}.")
            elif points is not None and points > most[question]:
                found.append(f"{place}, {name}: {question} has {most[question]} points at most.")
            elif points is not None and points < most[question]:
                wrong.add(question)
    return found + [
        f"{place}: no submission answers {question} wrongly, so nobody sees that its judge can "
        f"say no."
        for question in most
        if question not in wrong
    ]


def _late(course, assignment, points):
    rule = late.policy(course, assignment)
    return f"\nLate: {late.said(rule, points)}" if rule.policy != "none" else ""


def _data(name):
    """A data set of the course with its card and the register of hashes, so that `data.load` finds
    it beside the notebook.
    """
    from translearn.data import registry

    found = {"data/registry.toml": (paths.DATA / "registry.toml").read_bytes()}
    entry = registry.entry(name)
    for path in [paths.DATA / entry["file"], paths.DATA / entry["card"]]:
        found[f"data/{path.relative_to(paths.DATA)}"] = path.read_bytes()
    return found


def solutions(assignment: str) -> list:
    """The lines of an assignment's model answers that no release may hold: the test looks for
    them.
    """
    from translearn.authoring.handout import MARKED
    from translearn.exercises.source import SOLUTION

    found = []
    for cell in authoring.read(assignments()[assignment]).cells:
        blocks = (
            [match[2] for match in SOLUTION.finditer(cell.text)]
            if cell.kind == "code"
            else [match[1] for match in MARKED.finditer(cell.text)]
        )
        found += [
            line.strip()
            for block in blocks
            for line in block.splitlines()
            if len(line.strip()) > 25
        ]
    return found


def texts(data: bytes) -> str:
    """Everything readable in a release's zip, as one text."""
    parts = []
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for name in file.namelist():
            body = file.read(name)
            parts.append(name)
            if name.endswith(".ipynb"):
                parts += [
                    "".join(cell["source"]) + json.dumps(cell["metadata"])
                    for cell in json.loads(body)["cells"]
                ]
            elif not name.endswith(".npz"):
                parts.append(body.decode())
    return "\n".join(parts)
