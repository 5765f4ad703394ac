"""Memory that is no process's own: the limits of control groups, and what listens."""

import json
import os
import re
import subprocess

import psutil

from translearn.coursework.instructor import bank, grading, seccomp, walls
from translearn.coursework.instructor.submission import digest
from translearn.paths import ROOT


def _group(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{text}\n")


def test_free_is_what_the_control_group_leaves(tmp_path):
    root, groups = tmp_path / "cgroup", tmp_path / "groups"
    groups.write_text("0::/user/pod\n")
    _group(root / "user" / "pod", memory_max="max", memory_current=5, memory_stat="anon 5")
    stat = "anon 300\ninactive_file 200"
    _group(root / "user", memory_max=1000, memory_current=700, memory_stat=stat)
    assert list(walls.group_memory(groups, root)) == [(1000, 500)]
    (root / "user" / "memory.max").write_text("max\n")
    assert list(walls.group_memory(groups, root)) == []


def test_and_the_older_kind_of_group(tmp_path):
    root, groups = tmp_path / "cgroup", tmp_path / "groups"
    groups.write_text("8:pids:/\n4:cpu,memory:/elsewhere\n0::/\n")  # named from outside
    files = {"memory_limit_in_bytes": 1000, "memory_usage_in_bytes": 900}
    _group(root / "memory", **files, memory_stat="total_inactive_file 50")
    assert list(walls.group_memory(groups, root)) == [(1000, 150)]
    (root / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert list(walls.group_memory(groups, root)) == []
    assert 0 < walls.available() <= psutil.virtual_memory().total


def test_little_memory_keeps_little_free(monkeypatch):
    monkeypatch.setattr(walls, "group_memory", lambda: iter([(2**32, 2**30), (2**30, 2**20)]))
    assert (walls.available(), walls.spare()) == (2**20, 2**30 // 20)


def test_a_sandbox_has_a_group_of_its_own_where_systemd_makes_one(tmp_path, monkeypatch):
    """With a systemd-run that notes what it is told and then does it."""
    made = tmp_path / "systemd-run"
    made.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n'
        'while [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n'
    )
    made.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    isdir = os.path.isdir
    monkeypatch.setattr(walls.os.path, "isdir", lambda p: p == "/run/systemd/system" or isdir(p))
    walls._systemd.cache_clear()
    try:
        words = [*walls.scope(2**30, 99), *walls.command(0, 2**20), "/bin/echo", "inside"]
        done = walls.start(words, stdout=subprocess.PIPE, text=True)
        assert done.communicate()[0] == "inside\n" and done.returncode == 0
        told = (tmp_path / "told").read_text().splitlines()[-1]
        assert "-pMemoryMax=1073741824 -pTasksMax=99 -- bwrap --seccomp" in told
        made.write_text("#!/bin/sh\nexit 1\n")  # one that may not make groups
        walls._systemd.cache_clear()
        assert walls.scope(2**30, 99) == []
    finally:
        walls._systemd.cache_clear()


def test_the_filter_has_a_number_for_each_call():
    for machine in ("x86_64", "aarch64"):
        assert len(seccomp.program(machine)) % 8 == 0 and len(seccomp.program(machine)) > 300
    assert seccomp.program("another") == b""


def test_dask_shows_its_pages_to_its_own_machine_alone():
    commands = [
        line
        for name in ("README.md", "kubernetes/grading.yaml")
        for line in (ROOT / "deploy" / name).read_text(encoding="utf-8").splitlines()
        if re.search(r"dask,? (scheduler|worker)\b", line) and not line.startswith("#")
    ]
    commands = [line for line in commands if "--n" in line]
    assert len(commands) == 4
    assert all(re.search('--dashboard-address,? "?127.0.0.1:0', line) for line in commands)


def test_grading_listens_nowhere(course, hand_in, monkeypatch):
    """While several submissions are graded at a time, no socket of the process waits."""
    for student in ("ada", "alan", "kurt"):
        hand_in(student, bank.books("A1")[1])
    before, seen = set(psutil.Process().net_connections("all")), []

    def look(assignment, released, data, **options):
        now = set(psutil.Process().net_connections("all")) - before
        seen.append([c.laddr for c in now if c.status == psutil.CONN_LISTEN or c.laddr])
        return grading._broken(assignment, "another", ValueError("not run"))

    monkeypatch.setattr(grading, "grade_one", look)
    done = grading.grade(course, "A1", jobs=2, quiet=True)
    assert seen == [[], [], []]
    assert all(json.loads(json.dumps(result))["retry"] for result in done.values())
    assert digest(course.submitted("ada", "A1")) != done["ada"]["submission"]
