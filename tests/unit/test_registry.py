"""Everything the course ships is named, described and intact; damage is named in one sentence."""

import hashlib
import os
import tomllib

import pytest

from translearn.data import registry
from translearn.errors import CourseError
from translearn.paths import DATA

SHIPPED = registry.names(having="file") + registry.names(having="package")


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A registry of its own with one small file, to be damaged."""
    folder = tmp_path / "data"
    (folder / "cards").mkdir(parents=True)
    (folder / "cards" / "thing.md").write_text("# thing\n")
    (folder / "thing.bin").write_bytes(b"0123456789")

    def write(**changes):
        table = {
            "kind": "data",
            "file": "thing.bin",
            "sha256": hashlib.sha256(b"0123456789").hexdigest(),
            "bytes": 10,
            "licence": "MIT",
            "source": "here",
            "card": "cards/thing.md",
        } | changes
        lines = [f"{key} = {value!r}" for key, value in table.items() if value is not None]
        (folder / "registry.toml").write_text("[thing]\n" + "\n".join(lines) + "\n")
        # Two writes may fall into one tick of the file system's clock.
        write.tick += 1
        os.utime(folder / "registry.toml", ns=(write.tick, write.tick))

    write.tick = 1
    write()
    monkeypatch.setattr(registry, "DATA", folder)
    monkeypatch.setattr(registry, "FILE", folder / "registry.toml")
    small = type(
        "Small", (), {"folder": folder, "file": folder / "thing.bin", "write": staticmethod(write)}
    )
    return small


def sentence(call, *arguments, **options) -> str:
    with pytest.raises(CourseError) as caught:
        call(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text and text.endswith((".", "everything."))
    return text


@pytest.mark.parametrize("name", registry.names())
def test_entry_is_complete_and_intact(name):
    table = registry.entry(name)
    assert {"kind", "licence", "source", "card"} <= table.keys()
    assert registry.card(name).startswith("# ")
    assert ("file" in table) + ("package" in table) + ("downloads" in table) == (
        table["kind"] != "network"
    )
    assert ("sha256" in table) == ("bytes" in table) == (name in SHIPPED)
    assert (table["kind"] == "data") == ("reader" in table)
    assert "builder" in table or table["kind"] not in ("weights", "network")
    for field in {"reader", "builder", "tokenizer"} & set(table):
        assert callable(registry.function(name, field))
    if name in SHIPPED:
        assert registry.path(name).exists()
    if "script" in table:
        assert (DATA / table["script"]).is_file()


def test_the_shipped_files_and_the_cards_are_all_registered():
    tables = [registry.entry(name) for name in registry.names()]
    kept = {DATA / table["file"] for table in tables if "file" in table}
    assert {file for file in DATA.rglob("*.npz")} | {
        file for file in (DATA / "weights").iterdir()
    } <= kept
    assert {DATA / table["card"] for table in tables} == set((DATA / "cards").iterdir())


def test_size_is_exact():
    for name in SHIPPED:
        place = registry.path(name)
        size = (
            sum(file.stat().st_size for file in registry.files(place))
            if place.is_dir()
            else place.stat().st_size
        )
        assert size == registry.entry(name)["bytes"], name


def test_names_can_be_chosen():
    assert registry.names(family="pictures", having="builder")[:2] == [
        "efficientnet_lite0",
        "vgg16",
    ]
    assert registry.names(kind="data", family="sentences") == ["reviews"]
    assert registry.names(kind="network") == ["small_cnn"]


def test_what_has_no_file_says_so():
    assert "has no file of its own" in sentence(registry.path, "small_cnn")
    rows = {name: (good, text) for name, good, text in registry.check_all()}
    assert rows["small_cnn"] == (True, "has no file, MIT")
    assert rows["gpt2"] == (True, "downloaded when asked for, MIT")


@pytest.mark.parametrize("said", ["translearn.data.no_such:read", "translearn.data.text:no_such"])
def test_a_reader_that_is_not_there(small, said):
    small.write(reader=said)
    assert "cannot be imported" in sentence(registry.function, "thing", "reader")


def test_emoji_styles_stays_small():
    assert registry.entry("emoji_styles")["bytes"] <= 15_000_000


def test_no_index_address_in_the_registry():
    tables = tomllib.loads(registry.FILE.read_text())
    for table in tables.values():
        assert "simple/" not in table["source"] and "registry." not in table["source"]


def test_an_intact_file(small):
    assert registry.path("thing") == small.file
    assert registry.check_all() == [
        ("thing", True, "thing.bin: 0.0 MB, SHA-256 as registered, MIT")
    ]


def test_an_unknown_name_suggests_the_nearest():
    assert "Did you mean 'fashion'?" in sentence(registry.entry, "Fasion")
    assert "Did you mean 'emoji_styles'?" in sentence(registry.entry, "emoji_style")
    text = sentence(registry.entry, "zzzzzzzz")
    assert "Did you mean" not in text and "solar_cells" in text


def test_a_kind_hides_the_others():
    text = sentence(registry.entry, "vgg16", kind="data")
    assert "no data set called 'vgg16'" in text


def test_a_missing_file(small):
    small.file.unlink()
    text = sentence(registry.path, "thing")
    assert (
        "is missing" in text
        and "git checkout -- data/thing.bin" in text
        and "course.py doctor" in text
    )


def test_a_truncated_file(small):
    small.file.write_bytes(b"01234")
    assert "is truncated" in (text := sentence(registry.path, "thing")) and "5 bytes of 10" in text


def test_a_changed_file_of_the_same_size(small):
    registry.path("thing")  # remembered as good …
    small.file.write_bytes(b"0123456780")
    os.utime(small.file, ns=(1, 1))
    text = sentence(registry.path, "thing")  # … and seen to have changed since
    assert "has been changed" in text and "git checkout" in text


def test_a_package_that_is_not_installed(small):
    small.write(file=None, package="no-such-package", version="1", files="x")
    assert "is not installed" in sentence(registry.path, "thing")


def test_a_package_of_another_version(small):
    small.write(file=None, package="elpv-dataset", version="0.9", files="elpv_dataset/data")
    assert "needs elpv-dataset 0.9, but 1.0.0.post1 is installed" in sentence(
        registry.path, "thing"
    )


def test_a_missing_or_empty_card(small):
    (small.folder / "cards" / "thing.md").write_text(" \n")
    assert "is empty" in registry.check_all()[0][2]
    (small.folder / "cards" / "thing.md").unlink()
    name, good, text = registry.check_all()[0]
    assert (name, good) == ("thing", False) and "card of 'thing'" in text


def test_a_registry_that_is_missing_or_unreadable(small):
    registry.FILE.write_text("[thing\n")
    assert "cannot be read" in sentence(registry.names)
    registry.FILE.unlink()
    assert "is missing" in sentence(registry.names)


def test_one_bad_entry_does_not_hide_the_others(small):
    text = (small.folder / "registry.toml").read_text()
    (small.folder / "registry.toml").write_text(
        text.replace("thing.bin", "gone.bin") + text.replace("[thing]", "[other]")
    )
    assert [(name, good) for name, good, _ in registry.check_all()] == [
        ("thing", False),
        ("other", True),
    ]


def test_a_folders_hash_ignores_what_python_compiles(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.txt").write_text("1")
    (tmp_path / "two.txt").write_text("2")
    before = registry.sha256(tmp_path)
    (tmp_path / "a" / "one.pyc").write_text("compiled")
    assert registry.sha256(tmp_path) == before
    (tmp_path / "two.txt").rename(tmp_path / "three.txt")
    assert registry.sha256(tmp_path) != before
