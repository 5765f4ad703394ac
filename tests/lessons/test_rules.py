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

    def run(*sources, metadata=None, tags=(), mine=None, options=()):
        nb = nbformat.v4.new_notebook(metadata=metadata or {})
        nb.cells = [nbformat.v4.new_code_cell(source) for source in sources]
        if tags:
            nb.cells[-1].metadata["tags"] = list(tags)
        if mine:
            nb.cells[-1].metadata["translearn"] = mine
        nbformat.write(nb, tmp_path / "lesson.ipynb")
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        env = dict(os.environ, PYTHONPATH=str(PLUGINS) + os.pathsep + os.environ["PYTHONPATH"])
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "offline_guard", "-p", "notebook_rules",
             "-p", "no:cacheprovider", "-rA", "--color=no", *options, "lesson.ipynb"],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=1500,
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
    assert "computing of the notebooks, in processor seconds" in text


def test_a_failing_cell_fails_and_the_rest_is_skipped(run):
    counts, text = run("x = 1", "assert x == 2", "print('later')", "print('later still')")
    assert counts == {"passed": 1, "failed": 1, "skipped": 2}
    assert "cell 1 of this notebook failed" in text


def test_a_dead_kernel_is_seen_long_before_the_time_limit(run):
    # The limit is 1,800 s and the run would be cut at 1,500: it can pass only if the death itself
    # is noticed.
    counts, text = run("import os; os._exit(3)", "print('later')")
    assert counts == {"failed": 1, "skipped": 1}
    assert "The kernel died while this cell ran" in text


def test_a_cell_beyond_its_time_limit_fails(run):
    counts, text = run(
        "import time; time.sleep(600)", "print('later')", options=["--nbval-cell-timeout=2"]
    )
    assert counts == {"failed": 1, "skipped": 1}
    assert "Timeout of 2 seconds" in text


COMPUTE = "total = sum(n * n for n in range(10**7))"


def test_a_notebook_beyond_its_budget_fails(run):
    # A budget so small that no slack of any machine saves it.
    counts, text = run("x = 1", COMPUTE, metadata={"translearn": {"budget_seconds": 1e-6}})
    assert counts["failed"] == 1 and "its budget is 1e-06 s on two idle cores" in text


def test_only_computing_counts_towards_the_budget_and_that_of_other_processes_does_too(run):
    small = {"translearn": {"budget_seconds": 0.1}}
    assert run("import time; time.sleep(3)", metadata=small)[0] == {"passed": 1}
    child = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        f"'{20 * 'x = sum(range(10**7)); '}'])"
    )
    counts, text = run(child, metadata=small)
    assert counts == {"failed": 1} and "processor seconds by now" in text


def test_a_check_must_answer_what_its_cell_expects(run):
    check = (
        "from translearn.exercises.engine import Outcome\n"
        "Outcome('passed' if answer == 1 else 'not attempted', 'One')"
    )
    for answer, expected, passes in (
        (1, "passed", True),
        (..., "not attempted", True),
        (..., "passed", False),
    ):
        counts, text = run(f"answer = {answer}", check, mine={"expect": expected})
        assert counts == ({"passed": 2} if passes else {"passed": 1, "failed": 1}), text
        assert passes or "This check should answer 'passed'. It said:" in text


def test_what_a_kernel_shows_is_kept_as_a_page_would_show_it():
    from notebook_rules import outputs_of

    def message(kind, **content):
        return {"msg_type": kind, "header": {"msg_type": kind}, "content": content}

    def shown(kind, text, name=None):
        data = {"text/plain": text}
        return message(
            kind, data=data, metadata={}, transient={"display_id": name} if name else {}
        )

    kept = outputs_of(
        [
            message("stream", name="stdout", text="10 %\r"),
            message("stream", name="stdout", text="20 %\n"),
            shown("display_data", "epoch 1", "curve"),
            shown("display_data", "beside it"),
            shown("update_display_data", "epoch 2", "curve"),
        ]
    )
    assert kept[0].text == "20 %\n"
    assert [out.data["text/plain"] for out in kept[1:]] == ["epoch 2", "beside it"]
    cleared = [message("clear_output", wait=True), shown("display_data", "b")]
    assert len(outputs_of([shown("display_data", "a"), *cleared])) == 1


def test_a_cell_that_promises_to_raise_must(run):
    assert run("1 / 0", tags=["raises-exception"])[0] == {"passed": 1}
    counts, text = run("1 / 1", tags=["raises-exception"])
    assert counts == {"failed": 1} and "raised nothing" in text


def test_slack_grows_with_a_slower_machine_and_never_falls_below_one():
    import notebook_rules

    at_reference = 2 * 1024**3 / (notebook_rules.REFERENCE_GFLOPS * 1e9)
    assert notebook_rules.slack(at_reference) == pytest.approx(1)
    assert notebook_rules.slack(at_reference / 10) == 1
    assert notebook_rules.slack(at_reference * 3) == pytest.approx(3)
    assert notebook_rules.slack() >= 1


# ---- The long part ----


def test_the_long_part_runs_when_it_is_asked_for_and_in_turn(tmp_path, monkeypatch):
    import long_part

    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_always(): pass\n"
        "@pytest.mark.long('banks')\ndef test_bank(): pass\n"
        "@pytest.mark.long('browser')\ndef test_page(): pass\n"
    )

    def ran(*options):
        env = dict(os.environ, PYTHONPATH=str(PLUGINS) + os.pathsep + os.environ["PYTHONPATH"])
        command = [sys.executable, "-m", "pytest", "-p", "long_part", "-q", "--collect-only"]
        done = subprocess.run(
            [*command, *options, "test_it.py"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
        )
        return {line.split("::")[1] for line in done.stdout.splitlines() if "::" in line}

    assert ran() == {"test_always"}
    assert ran("--area", "banks") == {"test_always", "test_bank"}
    assert ran("--long") == {"test_always", "test_bank", "test_page"}

    class Config:
        class option:
            long, area = False, "turn"

    turns = []
    for number in range(len(long_part.AREAS)):
        monkeypatch.setattr(long_part, "commits", lambda number=number: number)
        turns.append(long_part.areas(Config))
    assert set().union(*turns) == set(long_part.AREAS) and all(len(turn) == 1 for turn in turns)


# ---- Nothing reaches the network ----

PROBES = {
    "by number": "socket.create_connection(('192.0.2.1', 80), timeout=5)",
    "by name": "socket.create_connection(('example.org', 80), timeout=5)",
    "urllib": "urllib.request.urlopen('http://example.org', timeout=5)",
    "asyncio": "await asyncio.open_connection('192.0.2.1', 443)",
    "datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "a process of its own": "subprocess.run([sys.executable, '-c', "
    "'import socket; socket.create_connection((\"192.0.2.1\", 80), 5)'],"
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
