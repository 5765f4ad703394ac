"""The benchmark of speed: its counts against published ones, its timing, its table, its errors."""

import time

import numpy as np
import pytest

from translearn import backbones
from translearn.bench import throughput
from translearn.bench.__main__ import main
from translearn.errors import CourseError


@pytest.mark.parametrize(
    ("name", "size", "published"),
    [
        (
            "vgg16",
            224,
            2 * 15.35e9,
        ),  # Simonyan and Zisserman 2015, its convolutions: 15.3 thousand million multiply-adds
        ("efficientnet_lite0", 224, 2 * 407e6),  # the model's own page: 407 million multiply-adds
    ],
)
def test_operations_of_pictures_are_those_that_are_published(name, size, published):
    model = backbones.load(name, weights=None, size=size)
    assert throughput.operations(model) == pytest.approx(published, rel=0.06)


def test_operations_of_a_text_are_counted_by_hand():
    # Each block of tiny_gpt: query, key, value and output of 192 × 192, two layers of 192 × 768.
    kernels = 4 * (4 * 192 * 192 + 2 * 192 * 768)
    attention = 4 * 4 * 128 * 192
    body = backbones.load("tiny_gpt", weights=None)
    assert throughput.operations(body, 128) == 128 * (2 * kernels + attention)
    top = backbones.load("tiny_gpt", weights=None, include_top=True)
    assert throughput.operations(top, 128) == 128 * (2 * kernels + attention + 2 * 1024 * 192)


def test_a_network_is_timed_in_a_fresh_process():
    (run,) = throughput.time_all(["small_cnn"], repeats=1)["small_cnn"]
    assert set(run) == {
        "import",
        "load",
        "memory",
        "peak",
        "operations",
        "graph",
        "predict",
        "loop",
    }
    assert min(run.values()) > 0 and run["memory"] > 1e8
    assert run["graph"] > run["loop"]  # a call of predict costs more than this little network
    assert run["graph"] * run["operations"] < 1.5 * run["peak"]


def test_the_first_call_is_not_timed(monkeypatch):
    monkeypatch.setattr(throughput, "SECONDS", 0.05)
    calls = []

    def call():
        time.sleep(0.01 if calls else 1.0)
        calls.append(1)

    assert 50 < throughput._rate(call, 1) < 101


def test_the_table_has_a_row_a_network_and_says_how_much_it_varies():
    run = {
        "import": 4.0,
        "load": 1.0,
        "memory": 5e8,
        "peak": 1e11,
        "operations": 1e9,
        "graph": 50.0,
        "predict": 40.0,
        "loop": 5.0,
    }
    found = {"vgg16": [run, run | {"graph": 60.0}], "minilm": [run, run]}
    table = throughput.table(found)
    assert list(table.index) == ["vgg16, 96 px", "minilm, 32 tokens"]
    row = table.loc["vgg16, 96 px"]
    assert row["a second"] == "55 ± 7 images" and row["of the peak, %"] == "55 ± 7"
    assert row["times a loop of predict"] == "11.0 ± 1.4" and row["memory, MB"] == "500 ± 0"


def test_an_unknown_network_is_one_sentence_on_the_command_line(capsys):
    assert main(["throughput", "vgg19"]) == 1
    said = capsys.readouterr()
    assert (
        said.err == "There is no network called 'vgg19' to time. "
        "There are efficientnet_lite0, vgg16, small_cnn, minilm, tiny_gpt.\n"
    )


def test_a_process_that_fails_is_reported_with_its_last_words(monkeypatch):
    monkeypatch.setitem(throughput.NETWORKS, "no_such", ("images", 28, 4))
    with pytest.raises(CourseError, match=r"Timing no_such failed: .*no_such"):
        throughput.time_all(["no_such"], repeats=1)


def test_the_peak_is_the_speed_of_a_product_of_matrices():
    a = np.ones((512, 512), "float32")
    took = []
    for _ in range(50):  # the best of many: on a busy machine the others wait for their turn
        began = time.perf_counter()
        a @ a
        took.append(time.perf_counter() - began)
    plain = 2 * 512**3 / min(took)
    assert 0.1 < throughput.peak(512) / plain < 10
