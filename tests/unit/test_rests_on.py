"""What a result rests on: the cells it needs, the modules they reach, data and packages."""

import ast
import re
import shutil

import pytest

from translearn import authoring, paths
from translearn.authoring import reading
from translearn.errors import CourseError
from translearn.evidence import lessons, rests_on


def cells(*texts):
    return [ast.parse(text) for text in texts]


def needed(*texts):
    """The numbers of the cells that the last one needs, without itself."""
    trees = cells(*texts)
    return [trees.index(tree) for tree in rests_on.needed(trees)][:-1]


@pytest.mark.parametrize(
    "code, reads, writes",
    [
        ("a = b", {"b"}, {"a"}),
        ("import numpy as np, os.path", set(), {"np", "os"}),
        ("from m import x as y", set(), {"y"}),
        ("for i, (j, *k) in pairs:\n    pass", {"pairs"}, {"i", "j", "k"}),
        ("with f() as g, h:\n    pass", {"f", "h"}, {"g"}),
        ("del a", set(), {"a"}),
        ("if (n := f(m)):\n    pass", {"f", "m"}, {"n"}),
        ("try:\n    a\nexcept E as e:\n    pass", {"a", "E"}, {"e"}),
        ("def f(x, y=z):\n    local = x + w\n    return local", {"z", "w"}, {"f"}),
        ("def f():\n    global a, b\n    a = b", {"b"}, {"f", "a"}),
        ("class C(B):\n    m = n\n    def f(self):\n        return o", {"B", "n", "o"}, {"C"}),
        ("s = [x for x in xs if x in t]", {"xs", "t"}, {"s"}),
        ("s = {k: v for k, v in d.items()}", {"d"}, {"s"}),
        ("g = lambda x: x + y", {"y"}, {"g"}),
        ("@d\ndef f(a: T) -> U:\n    pass", {"d", "T", "U"}, {"f"}),
        ("match p:\n    case [q, *r]:\n        pass", {"p"}, {"q", "r"}),
    ],
)
def test_the_names_that_a_cell_reads_and_writes(code, reads, writes):
    tree = ast.parse(code)
    assert rests_on.reads(tree) == reads and rests_on.writes(tree) == writes


NEED = {
    "a value": ["x = 1", "use(x)"],
    "through another cell": ["w = 1", "x = w", "use(x)"],
    "a function's": ["k = 1", "def f():\n    return k", "use(f)"],
    "a later definition": ["def f():\n    return g()", "def g():\n    return 1", "use(f)"],
    "an alias of a module": ["import numpy as np", "use(np.zeros(3))"],
    "for's target": ["for rate in (1, 2):\n    pass", "use(rate)"],
    "a global": ["def f():\n    global x\n    x = 1", "f()", "use(x)"],
    "deleted and made anew": ["x = 1", "del x", "x = 2", "use(x)"],
    "augmented": ["x = 1", "x += 1", "use(x)"],
    "an item": ["x = {}", "x['a'] = 1", "use(x)"],
    "an attribute": ["model = make()", "model.trainable = False", "use(model)"],
    "a part's attribute": [
        "model = make()",
        "for layer in model.layers[:3]:\n    layer.trainable = False",
        "use(model)",
    ],
    "a part with a name of its own": [
        "model = make()",
        "block = model.get_layer('a')",
        "block.trainable = False",
        "use(model)",
    ],
    "a deleted item": ["x = {}", "del x['a']", "use(x)"],
    "append": ["x = []", "x.append(1)", "use(x)"],
    "append in a loop": ["x = []", "for i in range(3):\n    x.append(i)", "use(x)"],
    "update": ["x = {}", "x.update(a=1)", "use(x)"],
    "update of an attribute": ["x = make()", "x.table.update(a=1)", "use(x)"],
    "pop, kept": ["x = [1, 2]", "y = x.pop()", "use(x)"],
    "fit, kept": ["model = make()", "history = model.fit(1)", "use(model)"],
    "compile": ["model = make()", "model.compile('adam')", "use(model)"],
    "a helper's change": [
        "from translearn import transfer",
        "model = make()",
        "transfer.freeze(model)",
        "use(model)",
    ],
    "a library's change": ["import random", "x = [1]", "random.shuffle(x)", "use(x)"],
    "a lesson's function that changes its argument": [
        "def tune_up(m):\n    for layer in m.layers:\n        layer.trainable = True",
        "model = make()",
        "tune_up(model)",
        "use(model)",
    ],
    "a lesson's function that changes a global": [
        "seen = []",
        "def note(x):\n    seen.append(x)",
        "note(1)",
        "use(seen)",
    ],
    "through a second function": [
        "seen = []",
        "def note(x):\n    seen.append(x)",
        "def both(x):\n    note(x)\n    note(x)",
        "y = both(1)",
        "use(seen)",
    ],
    "in place": ["x = zeros()", "def add(a):\n    a += 1", "add(x)", "use(x)"],
}


@pytest.mark.parametrize("texts", NEED.values(), ids=list(NEED))
def test_every_cell_that_an_experiment_depends_on_is_found(texts):
    assert needed(*texts) == list(range(len(texts) - 1))


NOT_NEED = {
    "a figure": [
        "x = 1",
        "fig, ax = plt.subplots(1, len([x]))\nax.plot(x)\nplots.show(fig, alt='a')",
    ],
    "printing": ["x = 1", "print(x)"],
    "a claim": ["x = run()", "measure.claim('It is.', holds=x.effect('a', metric='m') > 0)"],
    "a check of an exercise": ["x = 1", "exercise.q.check(x)"],
    "a function that changes only what it makes": [
        "x = 1",
        "def f(n):\n    path = []\n    path.append(n)\n    return path",
        "y = f(x)",
    ],
    "another experiment": [
        "def f(m):\n    m.fit(1)",
        "x = 1",
        "r = measure.compare(f, grid={'m': [x]})",
    ],
    "a name inside a function": ["x = 1", "def f():\n    x = 2\n    return x"],
    "a name inside a comprehension": ["x = 1", "y = [x for x in range(3)]"],
}


@pytest.mark.parametrize("texts", NOT_NEED.values(), ids=list(NOT_NEED))
def test_what_changes_nothing_is_left_out(texts):
    first = next(i for i, text in enumerate(texts) if re.match(r"x = ", text))
    assert needed(*texts, "use(x)") == [first]


def digest(*texts):
    return rests_on.of(cells(*texts))["cells"]


def test_comments_layout_docstrings_and_what_only_shows_something_do_not_count():
    plain = digest("def f(x):\n    return x + 1", "use(f)")
    assert plain == digest(
        'def f(x):\n    """One more."""\n    # indeed\n    return (x + 1)', "use(f)"
    )
    assert plain == digest("def f(x):\n    return x + 1", "use(f)\nplots.show(fig, alt='a')\nf")
    assert plain != digest("def f(x):\n    return x + 2", "use(f)")
    assert plain != digest("def f(x, y=1):\n    return x + 1", "use(f)")


def test_what_changed_is_said_in_words():
    old = {
        "cells": "a" * 16,
        "numerics": {"transfer": 1, "data": 1},
        "data": {"digits": "b" * 16},
        "packages": {"keras": "3.15.0"},
    }
    new = {
        "cells": "c" * 16,
        "numerics": {"transfer": 2},
        "data": {"digits": "d" * 16},
        "packages": {"keras": "3.16.0"},
    }
    assert rests_on.why_stale(old, old) == []
    assert rests_on.why_stale(None, new) == ["it has never been stamped"]
    assert rests_on.why_stale(old, new) == [
        "its own cells or those it needs",
        "data's numbers (NUMERICS 1 → none)",
        "transfer's numbers (NUMERICS 1 → 2)",
        f"the file of digits ({'b' * 16} → {'d' * 16})",
        "keras 3.15.0 → 3.16.0",
    ]


# ---------------------------------------------------------------- modules


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of our own in the place of the real one: file → text."""
    (tmp_path / "data").mkdir()
    (tmp_path / "requirements.lock").write_text((paths.ROOT / "requirements.lock").read_text())
    (tmp_path / "data" / "registry.toml").write_text(
        f'[letters]\nkind = "data"\nsha256 = "{"1" * 64}"\n'
        f'[words]\nkind = "vocabulary"\nsha256 = "{"2" * 64}"\n'
        '[net]\nkind = "network"\nvocabulary = "words"\n'
    )
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")

    def make(**files):
        shutil.rmtree(tmp_path / "translearn", ignore_errors=True)
        for name, text in {"__init__": "", **files}.items():
            file = tmp_path / "translearn" / f"{name.replace('__in__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return make


def numerics(*texts):
    return rests_on.of(cells(*texts))["numerics"]


def test_modules_are_followed_through_their_imports_files_and_packages_alike(package):
    package(
        transfer="from translearn import errors\nNUMERICS = 3",
        errors="",
        optim="def f():\n    from translearn.data import registry\nNUMERICS = 1",
        data__in____init__="from translearn.data.text import read\nNUMERICS = 7",
        data__in__text="read = 1",
        data__in__registry="import translearn.errors",
    )
    assert numerics("from translearn import optim, transfer", "use(transfer.x)") == {"transfer": 3}
    assert numerics("from translearn import optim as o", "o.f()") == {"data": 7, "optim": 1}
    assert numerics("from translearn.data import text", "use(text)") == {"data": 7}
    assert numerics("from translearn.data.text import read", "use(read)") == {"data": 7}
    assert numerics("import translearn.transfer as t", "use(t)") == {"transfer": 3}
    assert numerics("import numpy as np", "use(np)") == {}


@pytest.mark.parametrize(
    "cell",
    [
        "from translearn import nothing as x",
        "from translearn.nothing import x",
        "from translearn.transfer import nothing as x",
        "import translearn.nothing as x",
        "import translearn as x",
    ],
)
def test_an_import_of_the_package_that_leads_nowhere_is_an_error(package, cell):
    package(transfer="def f(): pass")
    with pytest.raises(CourseError, match="names no module|leads nowhere"):
        numerics(cell, "use(x)")
    package(transfer="def f(): pass", broken=cell)
    with pytest.raises(CourseError, match=r"translearn\.broken"):
        numerics("from translearn import broken", "use(broken)")


def test_names_made_on_demand_count_as_there_and_numerics_is_a_plain_number(package):
    package(data__in____init__="def __getattr__(name): pass\nNUMERICS = 1")
    assert numerics("from translearn.data import load", "use(load)") == {"data": 1}
    package(data="NUMERICS = '1'")
    with pytest.raises(CourseError, match="plain whole number"):
        numerics("from translearn import data", "use(data)")


def test_data_are_those_that_the_cells_name_and_word_lists_those_that_a_module_names(package):
    package(language="LIST = 'words'", data="READERS = {'letters': 1}")
    assert rests_on.of(cells("from translearn import data", "data.load('letters')"))["data"] == {
        "letters": "1" * 16
    }
    assert rests_on.of(cells("from translearn import data, language", "use(data, language)"))[
        "data"
    ] == {"words": "2" * 16}


def test_a_network_without_a_file_brings_its_vocabulary(package):
    package(backbones="")
    found = rests_on.of(cells("from translearn import backbones", "backbones.load('net')"))
    assert found["data"] == {"words": "2" * 16}


def test_packages_are_those_of_the_lock_either_build_of_tensorflow(package):
    package()
    found = rests_on.packages()
    assert list(found) == list(rests_on.PACKAGES) and re.fullmatch(
        r"\d+\.\d+\.\d+", found["tensorflow"]
    )
    (paths.ROOT / "requirements.lock").write_text("keras==3.15.1 \\\n")
    with pytest.raises(CourseError, match="pins no tensorflow"):
        rests_on.packages()


def test_every_module_that_a_lesson_reaches_has_its_numerics_or_makes_no_numbers():
    """A new module of the front row cannot be forgotten: it has a number, or it stands here as one
    that makes none.
    """
    none = {"errors", "page", "paths", "plain", "plots", "quiet", "widgets", "words"}
    for source in reading.find([]):
        for tree in lessons.trees_of(authoring.read(source)).values():
            cells = [rests_on.bare(t) for t in rests_on.needed(tree)]
            modules = rests_on.reached(cells)
            numbered = rests_on.numerics(modules)
            for module in modules - none:
                owners = {module, module.partition(".")[0]}
                assert owners & numbered.keys(), f"translearn.{module} has no NUMERICS"
            break  # the first experiment's modules; the others import the same
