"""No number that a result rests on changes without its module's `NUMERICS` being raised."""

import golden
import pytest

from translearn import data
from translearn.data import splits

EVERY = [(module, name) for module, values in golden.GROUPS.items() for name in values]


@pytest.fixture(scope="module", autouse=True)
def nothing_remembered(tmp_path_factory):
    """What was computed before, by other code perhaps, is not looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("module, name", EVERY, ids=lambda value: value)
def test_a_number_is_as_it_was_when_results_were_measured(module, name):
    assert not (said := golden.difference(module, name)), said


@pytest.mark.parametrize("module", golden.GROUPS)
def test_the_file_holds_what_is_computed_and_nothing_else(module):
    assert golden.read(module)["values"].keys() == golden.GROUPS[module].keys()


def test_every_module_with_numerics_has_golden_values():
    package = golden.paths.ROOT / "translearn"
    front = [*package.glob("*.py"), *package.glob("*/__init__.py")]
    with_numerics = {
        file.parent.name if file.name == "__init__.py" else file.stem
        for file in front
        if "\nNUMERICS = " in file.read_text(encoding="utf-8")
    }
    assert with_numerics == golden.GROUPS.keys()


def test_a_change_is_noticed_and_the_way_out_is_said(monkeypatch):
    monkeypatch.setitem(splits.SHARES, "test", 0.26)
    said = golden.difference("data", "pictures digits")
    assert "raise NUMERICS in translearn/data/__init__.py" in said
    assert "golden.py data" in said and "\n" not in said


def test_a_raised_number_asks_for_new_values(monkeypatch):
    monkeypatch.setattr(data, "NUMERICS", data.NUMERICS + 1)
    assert "write its golden values anew" in golden.difference("data", "pictures digits")


def test_no_value_is_written_over_for_the_same_number(monkeypatch, tmp_path):
    calls = {"one": lambda: 1.0, "two": lambda: [1, 2]}
    monkeypatch.setitem(golden.GROUPS, "data", calls)
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    assert "2 of 2 values are new" in golden.write("data")
    calls |= {"one": lambda: 1.1, "three": lambda: "3"}
    assert "1 of 3 values are new" in golden.write("data")
    assert golden.read("data")["values"] == {"one": 1.0, "two": [1, 2], "three": "3"}
    monkeypatch.setattr(data, "NUMERICS", data.NUMERICS + 1)
    assert "3 of 3 values are new" in golden.write("data")
    assert golden.read("data") == {
        "numerics": 2,
        "values": {"one": 1.1, "two": [1, 2], "three": "3"},
    }


@pytest.mark.parametrize(
    "got, wanted, same",
    [
        ([1.0, 2.0], [1.0, 2.0001], True),
        ([1.0, 2.0], [1.0, 2.001], False),
        ([1.0], [1.0, 2.0], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": [1e-9, 5.0]}, {"a": [0.0, 5.0]}, True),
        ([[1, 2]], [[1, 3]], False),
        ("hash", "hash", True),
        (float("nan"), 1.0, False),
        (0.0, 1.0, False),
    ],
)
def test_what_counts_as_the_same(got, wanted, same):
    assert golden.close(got, wanted) is same
