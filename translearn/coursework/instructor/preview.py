"""An assignment as a student gets it: the very files of its zip, in a folder as a student makes
it, and the look that a student takes before handing in.
"""

import os
import subprocess
import sys
import webbrowser
import zipfile
from pathlib import Path

from translearn import door, lab, paths
from translearn.coursework.instructor import release
from translearn.coursework.instructor.folder import Course, known, write
from translearn.errors import CourseError

# What a student's last cell does, as text. It asks nothing, and takes the file as it is.
CHECK = (
    "from translearn.coursework.student import submit; import sys; "
    "print(submit.submit(sys.argv[1], student='preview', notebook=sys.argv[2], as_saved=True))"
)
PATIENCE = 600  # seconds; the check itself gives up long before


def lay_out(course: Course, assignment: str, again: bool = False) -> tuple:
    """Unpack what students get into `preview/A1/` of the class; returns (the notebook's path,
    where its files come from).

    What is out already is what is unpacked, byte for byte; before, what a release would hold now.
    A notebook that lies there stays, so that you can answer in it, unless `again`. Raises
    `CourseError` as a release does.
    """
    assignment = known(assignment)
    folder = course.root / "preview"
    archive = course.root / "release" / f"{assignment}.zip"
    path = folder / assignment / f"{assignment}.ipynb"
    if archive.is_file():
        source = f"release/{assignment}.zip, which students have"
        with zipfile.ZipFile(archive) as file:
            files = {name: file.read(name) for name in file.namelist()}
    else:
        source = "what a release would hold now; nothing is released yet"
        made = release.made(course, assignment)
        files = {f"{assignment}/{name}": data for name, data in made.items()}
    for name, data in files.items():
        if again or folder / name != path or not path.is_file():
            write(folder / name, data)
    return path, source


def check(assignment: str, path: Path) -> str:
    """What a student reads who runs the last cell of the notebook at `path`, and the file to hand
    in beside it, A1_preview.ipynb. It runs with your rights: it is your own notebook.
    """
    where = os.pathsep.join(filter(None, [str(paths.ROOT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-c", CHECK, assignment, path.name],
        cwd=path.parent,
        env=os.environ | {"PYTHONPATH": where},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason"]
        raise CourseError(f"The check did not get through: {said[-1]}")
    return done.stdout.strip()


def open_lab(path: Path, browser: bool = True) -> None:
    """Open the notebook in JupyterLab as the course does, until Ctrl-C. The folder that one sees
    there is the student's: nothing of the class lies in it.
    """
    home = path.parent.parent / ".lab"
    server = lab.start(path.parent.parent, start_page=f"{path.parent.name}/{path.name}", home=home)
    try:
        print(f"It is open at\n  {server.url()}\nCtrl-C stops it.", flush=True)
        with door.to(server.url(), home) as entrance:
            if browser:
                webbrowser.open(entrance)
            server.process.wait()
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        server.stop()
