"""The rules for notebooks, tried on small notebooks that break them."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"


@pytest.fixture
def run(tmp_path):
    """Run a notebook of the given cells as the suite does; returns (outcome counts, output)."""

    def run(*sources, metadata=None, tags=(), options=()):
        nb = nbformat.v4.new_notebook(metadata=metadata or {})
        nb.cells = [nbformat.v4.new_code_cell(source) for source in sources]
        if tags:
            nb.cells[-1].metadata["tags"] = list(tags)
        nbformat.write(nb, tmp_path / "lesson.ipynb")
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        env = dict(os.environ, PYTHONPATH=str(PLUGINS) + os.pathsep + os.environ["PYTHONPATH"])
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "offline_guard", "-p", "notebook_rules", "-p", "no:cacheprovider",
             "-rA", "--color=no", *options, "lesson.ipynb"],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        last = done.stdout.strip().splitlines()[-1].strip("= ")
        counts = {}
        for part in last.split(" in ")[0].split(", "):
            number, word = part.split()
            counts[word] = int(number)
        return counts, done.stdout

    return run


def test_a_sound_notebook_passes_cell_by_cell(run):
    counts, text = run("x = 1", "assert x == 1", "print(x)")
    assert counts == {"passed": 3}
    assert "computing time of the notebooks" in text


def test_a_failing_cell_fails_and_the_rest_is_skipped(run):
    counts, text = run("x = 1", "assert x == 2", "print('later')", "print('later still')")
    assert counts == {"passed": 1, "failed": 1, "skipped": 2}
    assert "cell 1 of this notebook failed" in text


def test_a_dead_kernel_is_seen_long_before_the_time_limit(run):
    # The limit is 300 s and the run would be cut at 240: it can pass only if the death itself is noticed.
    counts, text = run("import os; os._exit(3)", "print('later')")
    assert counts == {"failed": 1, "skipped": 1}
    assert "The kernel died while this cell ran" in text


def test_a_cell_beyond_its_time_limit_fails(run):
    counts, text = run("import time; time.sleep(60)", "print('later')", options=["--nbval-cell-timeout=2"])
    assert counts == {"failed": 1, "skipped": 1}
    assert "Timeout of 2 seconds" in text


def test_a_notebook_beyond_its_budget_fails(run):
    # A budget so small that no slack of any machine saves it.
    counts, text = run("x = 1", "import time; time.sleep(1)", metadata={"translearn": {"budget_seconds": 1e-6}})
    assert counts["failed"] == 1 and "its budget is 1e-06 s" in text


def test_a_cell_that_promises_to_raise_must(run):
    assert run("1 / 0", tags=["raises-exception"])[0] == {"passed": 1}
    counts, text = run("1 / 1", tags=["raises-exception"])
    assert counts == {"failed": 1} and "raised nothing" in text


def test_slack_grows_with_a_slower_machine_and_never_falls_below_two():
    import notebook_rules

    at_reference = 2 * 1024**3 / (notebook_rules.REFERENCE_GFLOPS * 1e9)
    assert notebook_rules.slack(at_reference) == pytest.approx(2)
    assert notebook_rules.slack(at_reference / 10) == 2
    assert notebook_rules.slack(at_reference * 3) == pytest.approx(6)
    assert notebook_rules.slack() >= 2


# ---- Nothing reaches the network ----

PROBES = {
    "by number": "socket.create_connection(('192.0.2.1', 80), timeout=5)",
    "by name": "socket.create_connection(('example.org', 80), timeout=5)",
    "urllib": "urllib.request.urlopen('http://example.org', timeout=5)",
    "asyncio": "await asyncio.open_connection('192.0.2.1', 443)",
    "datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "a process of its own": "subprocess.run([sys.executable, '-c', 'import socket; socket.create_connection((\"192.0.2.1\", 80), 5)'],"
    " check=True, capture_output=True, text=True)",
}


def test_a_kernel_cannot_reach_the_network(run):
    cells = ["import asyncio, socket, subprocess, sys, urllib.request"]
    for probe in PROBES.values():
        cells.append(
            f"try:\n    {probe}\nexcept Exception as error:\n"
            "    said = repr(error) + repr(getattr(error, 'stderr', ''))\n"
            "    assert 'Tests run without the network' in said, said\n"
            "else:\n    raise AssertionError('reached the network')"
        )
    counts, text = run(*cells)
    assert counts == {"passed": 1 + len(PROBES)}, text


def test_this_process_cannot_reach_the_network_but_itself():
    import socket

    with pytest.raises(OSError, match="Tests run without the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
