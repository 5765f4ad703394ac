"""otter-grader's environment: its own packages, and the course's behind them."""

import importlib.metadata
import subprocess
import sys
import sysconfig
from pathlib import Path

from translearn import paths
from translearn.errors import CourseError

VERSION = "7.0.0"
# In both environments in one version: what runs a notebook, and what the answers are made with.
SHARED = "numpy pandas ipython ipykernel nbconvert nbclient nbformat jupyter_client traitlets"


def folder() -> Path:
    return paths.cache() / "bench" / f"otter-{VERSION}"


def python() -> Path:
    """Its Python; the environment is made at the first call, by the course's uv.

    TensorFlow and the rest come from the course's own environment: otter's wants another `wrapt`,
    so its packages come first. Raises `CourseError` when it cannot be made.
    """
    place = folder()
    found, ready = place / "bin" / "python", place / "ready"
    if ready.exists():
        return found
    sys.path.insert(0, str(paths.ROOT))
    try:
        import course
    finally:
        sys.path.pop(0)
    print(f"Making an environment for otter-grader {VERSION} (once, a minute) …", flush=True)
    same = "\n".join(f"{name}=={importlib.metadata.version(name)}" for name in SHARED.split())
    place.mkdir(parents=True, exist_ok=True)
    with course.only_one():
        try:
            uv, env = course.get_uv()
        except course.Stop as problem:
            raise CourseError(str(problem)) from None
        _run(uv, env, "venv", "--clear", "--no-project", "--python", sys.executable, str(place))
        (place / "same.txt").write_text(same + "\n", encoding="utf-8")
        wanted = ["-c", str(place / "same.txt"), f"otter-grader[grading]=={VERSION}"]
        _run(uv, env, "pip", "install", "--python", str(found), *wanted)
    behind = "import sys; sys.path.append({!r})\n".format(sysconfig.get_path("purelib"))
    (next(place.glob("lib/python*/site-packages")) / "course.pth").write_text(behind, "utf-8")
    ready.touch()
    return found


def _run(uv, env, *words):
    done = subprocess.run([*uv, *words], env=env, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CourseError(
            f"The environment for otter-grader could not be made: {last.strip()}. It needs the "
            f"network once. `--graders ours nbgrader` does without it."
        )
