"""On the workers of a Dask scheduler nothing is lost and nothing comes twice, whatever happens to
a worker: real processes, as deploy/README.md starts them, and real submissions.
"""

import signal

import pytest

from translearn.bench.grading import dask


def test_a_worker_killed_and_one_that_goes_silent_cost_nothing(tmp_path):
    found = dask.attempt(3, [signal.SIGKILL, signal.SIGSTOP], 6, silent=4)
    assert (found["right"], found["lost"], found["twice"]) == (6, 0, 0)
    after = {worker for worker, _, ended in found["stream"] if ended > found["at"] + 4}
    assert len(after) <= 1, "a worker that was lost has graded"
    path = tmp_path / "stream.png"
    dask.picture(found | {"event": "two lost"}, path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.long("hostile")
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("event", [None, *dask.LOSSES])
def test_any_number_of_workers(workers, event):
    signals = dask.LOSSES.get(event, ()) if workers > 1 else ()
    found = dask.attempt(workers, signals, 18, silent=5)
    assert (found["right"], found["lost"], found["twice"]) == (18, 0, 0)
