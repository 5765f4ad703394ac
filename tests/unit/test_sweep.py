"""An experiment on a Dask cluster: the same numbers as here, also when a worker is killed."""

import os
import signal
import sys
import threading
import time

import cloudpickle
import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster

from translearn.errors import CourseError
from translearn.measure import experiment

ARMS = {"one": {"scale": 1.0}, "ten": {"scale": 10.0}}
LOOPBACK = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}


class Light(experiment.Experiment):
    """An experiment that seeds NumPy alone: its workers need not import TensorFlow."""

    def measure_one(self, arm, seed):
        np.random.seed(seed)
        return self.function(seed=seed, **self.points[arm]), 0.0


def drawn(seed, scale):
    """A run of a third of a second whose result depends on the seed that was set before."""
    time.sleep(0.3)
    return {"mean": scale * np.random.normal(size=100).mean(), "process": os.getpid()}


def deadly(seed, scale):
    if scale > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"mean": 0.0}


def wrong(seed, scale):
    raise ValueError("no such layer: block99")


def swept(function, client=None, seeds=3):
    return experiment.run(Light(None, function, ARMS), seeds, client, progress=False)


@pytest.fixture(scope="module")
def client():
    # Workers cannot import this file, so its functions travel as they are, like a notebook's.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, **LOOPBACK) as cluster,
        Client(cluster) as client,
    ):
        yield client
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_the_workers_share_the_runs(client):
    there = swept(drawn, client)
    processes = {*there.values("one", "process"), *there.values("ten", "process")}
    assert processes == set(client.run(os.getpid).values())


def test_a_worker_killed_in_the_middle_costs_nothing(client):
    here = swept(drawn)
    killed = client.run(os.getpid).popitem()[1]
    timer = threading.Timer(0.5, os.kill, (killed, signal.SIGKILL))
    timer.start()
    there = swept(drawn, client)
    timer.join()
    for arm in ARMS:
        np.testing.assert_array_equal(there.values(arm, "mean"), here.values(arm, "mean"))
    assert killed not in client.run(os.getpid).values(), "the worker that was killed is alive"


def test_a_run_that_kills_its_workers_ends_in_one_clear_sentence(client):
    # Dask cannot tell which of the runs that stood at a worker has ended it.
    with pytest.raises(CourseError, match="Arm '(one|ten)' with seed 0 lost its worker 2 times"):
        swept(deadly, client, seeds=1)


def test_an_error_in_a_run_is_raised_here_and_the_rest_taken_back(client):
    with pytest.raises(ValueError, match="no such layer: block99"):
        swept(wrong, client, seeds=20)
    until = time.time() + 5
    while any(client.processing().values()) and time.time() < until:
        time.sleep(0.05)
    assert not any(client.processing().values()), "the workers still have something to do"


def test_a_cluster_without_workers_is_refused(monkeypatch):
    monkeypatch.setattr(experiment, "WORKERS_WITHIN", 0.1)
    with (
        LocalCluster(n_workers=0, **LOOPBACK) as cluster,
        Client(cluster) as nobody,
        pytest.raises(CourseError, match="has no workers"),
    ):
        swept(drawn, nobody)
