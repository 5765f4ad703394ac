"""The recipe for a class on one server, set up and used: real accounts, a real hub, nbgrader's
exchange, the sandbox.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from translearn.coursework.instructor import bank
from translearn.paths import ROOT


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What a walk through the recipe saw.

    It has a machine of its own: accounts, homes, network and processes are made for it.
    """
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("configurable-http-proxy") is None:
        reason = "needs root and configurable-http-proxy (Debian: node-configurable-http-proxy)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    tmp = tmp_path_factory.mktemp("server")
    os.chmod(tmp, 0o755)
    for parent in tmp.parents[:2]:
        os.chmod(parent, 0o755)
    copy = tmp / "course"
    copy.mkdir()
    skip = {".venv", ".cache", ".git", "class", "__pycache__"}
    for path in ROOT.iterdir():
        if path.name not in skip:
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, copy / path.name)
    for name in (".git", ".venv"):
        (copy / name).mkdir()
    shutil.copytree("/etc", tmp / "etc", symlinks=True, ignore_dangling_symlinks=True)
    for name in ("home", "srv"):
        (tmp / name).mkdir()
    books = {"ada": bank.notebook("A1", {}), "bob": bank.notebook("A1", {"huber": None})}
    (tmp / "books.json").write_text(json.dumps(books))

    # Processes in a world of their own end with it; a /proc that bubblewrap makes would not let
    # the instructor's sandbox make one.
    walls = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "bwrap",
        "--die-with-parent",
        "--unshare-net",
        "--dev-bind",
        "/",
        "/",
    ]
    roots = {
        f"/{part}"
        for part in {path.split("/")[1] for path in (sys.prefix, sys.base_prefix, str(ROOT))}
    }
    hidden = sorted(
        path for path in roots if os.stat(path).st_mode & 0o005 != 0o005
    )  # a home that others may not enter: an empty one
    for folder in hidden:
        walls += ["--perms", "0755", "--tmpfs", folder]
    for path in sorted({sys.base_prefix, sys.prefix, str(ROOT)}):
        if path.startswith(tuple(f"{folder}/" for folder in hidden)):
            walls += [
                word
                for parent in list(reversed(Path(path).parents))[2:]
                for word in ("--perms", "0755", "--dir", str(parent))
            ]
        if path == sys.base_prefix:
            walls += ["--ro-bind", path, path]
    walls += ["--bind", copy, ROOT, "--ro-bind", sys.prefix, ROOT / ".venv"]
    for name, place in (("etc", "/etc"), ("home", "/home"), ("srv", "/srv")):
        walls += ["--bind", tmp / name, place]
    done = subprocess.run(
        [
            *map(str, walls),
            str(ROOT / ".venv/bin/python"),
            str(ROOT / "tests/coursework/server_walk.py"),
            str(ROOT),
            "/srv/translearn",
            str(tmp / "books.json"),
        ],
        capture_output=True,
        text=True,
        timeout=2000,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]
    assert lines, done.stdout[-1000:] + done.stderr[-4000:]
    return json.loads(lines[0][5:])


def test_two_students_fetch_work_and_hand_in(seen):
    assert seen["listed"] == [["A1", "released"]]
    assert seen["ada fetched"] == seen["bob fetched"] > 20
    assert seen["ada submitted"] == seen["bob submitted"] == ["submitted"]
    assert seen["lessons"] >= 12 and seen["imports"].strip().endswith("fine")
    assert (
        seen["lab disables"] == ["formgrader", "create-assignment", "course-list"]
        and seen["formgrader"] == 404
    )


def test_students_see_neither_each_other_nor_the_answers(seen):
    assert seen["wrong password"] == 403
    assert seen["bob reads"] == []
    assert {
        "the judges",
        "the sources",
        "the model answers",
        "the class",
        "its key",
        "who handed in",
    } <= set(seen["tina reads"])
    assert not {"ada's home", "the hub's files", "the passwords"} & set(seen["tina reads"])
    assert seen["bob in ada's server"] in (403, 404)
    assert 200 not in seen["without a login"]
    assert not seen["bob lists pages"]


def test_forged_submissions_are_refused_with_the_reason(seen):
    assert "it belongs to bob, not to ada" in seen["collect"]
    assert seen["collect"].count("it is a link to another place") == 2, "a file and a folder"
    assert seen["of ada, taken"] and seen["of bob, taken"]


def test_marks_and_pages_come_back_each_to_its_owner(seen):
    assert "2 graded now, 0 of them without a full verdict" in seen["grade"]
    assert seen["ada's page"] == "30 of 37" and seen["bob's page"] == "27 of 37"
    assert "2 of them can be fetched through the exchange" in seen["feedback"]
    assert seen["page in the browser"] == 200


# ---- what can be tested of the other recipes


def test_the_files_for_kubernetes_are_whole():
    import yaml

    values = yaml.safe_load((ROOT / "deploy/kubernetes/values.yaml").read_text())
    assert (
        values["singleuser"]["image"]["name"]
        and values["hub"]["config"]["JupyterHub"]["admin_access"] is False
    )
    parts = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/grading.yaml").read_text()))
    by_kind = {(part["kind"], part["metadata"]["name"]): part for part in parts}
    policy, labels = by_kind["NetworkPolicy", "grading"], {"part": "grading"}
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    for name in ("scheduler", "worker"):
        template = by_kind["Deployment", name]["spec"]["template"]
        assert template["metadata"]["labels"].items() >= labels.items(), "the policy covers it"
        command = template["spec"]["containers"][0]["command"]
        done = subprocess.run(
            [str(Path(sys.executable).with_name(command[0])), command[1], "--help"],
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert all(
            word.lstrip("-") in done.stdout for word in command[2:] if word.startswith("--")
        ), "Dask knows these options"
    worker = by_kind["Deployment", "worker"]["spec"]["template"]["spec"]
    assert (
        f"tcp://{by_kind['Service', 'scheduler']['metadata']['name']}:8786"
        in worker["containers"][0]["command"]
    )


def test_the_table_of_assignments_says_what_they_are_worth():
    from translearn.coursework.instructor import folder, judging
    from translearn.coursework.student.question import questions, written

    lines = (ROOT / "docs/teaching.md").read_text(encoding="utf-8").splitlines()
    for assignment in folder.assignments():
        module = judging.load(assignment.lower())
        row = next(line for line in lines if line.startswith(f"| {assignment} |"))
        assert (
            f"| {len(questions(module))} question{'s' * (len(questions(module)) > 1)}, "
            f"{sum(each.points for each in questions(module))} points |" in row
        )
        assert (
            f", {sum(each.points for each in written(module))} points |"
            in row.split("points |", 1)[1]
        )


@pytest.mark.parametrize(
    "page", ["docs/teaching.md", "deploy/README.md", "deploy/lti.md", "README.md"]
)
def test_each_command_in_the_text_exists(page):
    import re
    import shlex

    from translearn.coursework.instructor.__main__ import parser

    text = (ROOT / page).read_text(encoding="utf-8")
    commands = [
        line.split("#")[0]
        for line in re.findall(r"(?m)^(?:python3 course\.py )?(coursework .*)$", text)
    ] + re.findall(r"`(?:python3 course\.py )?(coursework \w[^`]*)`", text)
    assert len(commands) >= 5 or page == "README.md"
    for command in commands:
        parser().parse_args(shlex.split(command)[1:])
    for link in re.findall(r"\]\(((?!http)[^)#]+)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), link
