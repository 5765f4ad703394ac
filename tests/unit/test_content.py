"""Things are known by their content: equal content, equal name; any change, another name."""

import dataclasses
import functools
import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from translearn import paths
from translearn.content import digest, model_digest
from translearn.errors import CourseError


def different(*things):
    names = [digest(thing) for thing in things]
    return len(set(names)) == len(names)


def test_equal_content_has_equal_names():
    assert digest([1, "a", {"x": (2.5, None)}]) == digest([1, "a", {"x": (2.5, None)}])
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({3, 1, 2}) == digest({2, 3, 1})
    assert digest(np.arange(6).reshape(2, 3)[:, ::-1]) == digest(
        np.arange(6).reshape(2, 3)[:, ::-1].copy()
    )
    assert digest(np.int64(7), np.float64(0.5)) == digest(7, 0.5)
    shared = [1, 2]
    assert digest([shared, shared]) == digest([[1, 2], [1, 2]])
    assert len(digest()) == 32 and int(digest(), 16) >= 0


def test_things_that_only_look_alike_have_different_names():
    assert different(
        1, 1.0, True, "1", b"1", None, [1], (1,), {1}, {1: None}, np.array(1), np.array([1])
    )
    assert different(0.0, -0.0, float("nan"), float("inf"))
    assert different(["ab", "c"], ["a", "bc"], ["abc"], [["ab"], "c"])
    assert different(np.zeros(4, "float32"), np.zeros(4, "float64"), np.zeros((2, 2), "float32"))
    assert different(np.array([1, 2], dtype=object), np.array([1, 2]))
    assert different(
        pd.DataFrame({"a": [1, 2]}),
        pd.DataFrame({"a": [1, 3]}),
        pd.DataFrame({"b": [1, 2]}),
        pd.DataFrame({"a": [1, 2]}, index=[5, 6]),
    )
    assert digest("ab", "c") != digest("a", "bc")


def test_one_changed_pixel_changes_the_name():
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype="uint8")
    before = digest(images)
    images[3, 2, 1, 0] ^= 1
    assert digest(images) != before


def test_a_list_that_contains_itself_comes_to_an_end():
    loop = [1]
    loop.append(loop)
    other = [1]
    other.append(other)
    assert digest(loop) == digest(other)


@dataclasses.dataclass
class Setting:
    rate: float
    steps: tuple = (1, 2)


def test_objects_and_dataclasses_count_by_their_attributes():
    assert digest(Setting(0.1)) == digest(Setting(0.1))
    assert different(
        Setting(0.1), Setting(0.2), Setting(0.1, (1,)), {"rate": 0.1, "steps": (1, 2)}
    )


def test_what_has_no_content_is_refused_with_a_sentence():
    for thing in ((i for i in range(3)), open(os.devnull), zip([1], [2])):
        with pytest.raises(CourseError, match="cannot be recognised by its content"):
            digest(thing)
    stream = iter([1])

    def reads_it():
        return next(stream)

    with pytest.raises(CourseError, match="`reads_it` mentions `stream`"):
        digest(reads_it)


# Functions ---------------------------------------------------------------------------------------


def define(source, name="f", **names):
    space = {"__name__": "__main__", **names}
    exec(textwrap.dedent(source), space)
    return space[name]


def test_functions_count_by_what_they_do():
    base = define("def f(x, a=1):\n    return x + a")
    moved = define("# a comment\n\n\ndef f(x, a=1):\n\n    return x + a   # the same")
    assert digest(base) == digest(moved)
    assert different(
        base,
        define("def f(x, a=2):\n    return x + a"),  # another default
        define("def f(x, a=1):\n    return x - a"),  # another operation
        define("def f(x, a=1):\n    return x + a + 1"),  # another constant
        define("def f(x, *, a=1):\n    return x + a"),
        define("def f(x, a=1):\n    return x.real + a"),
        define("def f(x, a=1):\n    return x.imag + a"),
    )  # another name


def test_functions_count_by_the_globals_they_mention_and_no_others():
    source = """
        def helper(x):
            return x * factor
        def f(x):
            return [helper(y) for y in x] if x else None
    """
    base = digest(define(source, factor=2))
    assert digest(define(source, factor=2, unrelated=5)) == base
    assert digest(define(source, factor=3)) != base
    assert digest(define(source.replace("x * factor", "x + factor"), factor=2)) != base
    assert digest(define(source, factor=np.arange(3))) != digest(
        define(source, factor=np.arange(1, 4))
    )


def test_closures_partials_methods_and_recursion():
    def make(rate):
        return lambda: rate

    assert digest(make(0.1)) == digest(make(0.1))
    assert different(make(0.1), make(0.2))
    assert different(*(functools.partial(np.add, n) for n in (1, 2)))
    even_odd = """
        def even(n): return True if n == 0 else odd(n - 1)
        def odd(n): return False if n == 0 else even(n - 1)
    """
    assert digest(define(even_odd, "even")) == digest(define(even_odd, "even"))
    assert digest(define(even_odd, "even")) != digest(
        define(even_odd.replace("False", "None"), "even")
    )

    class Counter:
        def __init__(self, start):
            self.start = start

        def value(self):
            return self.start

    assert digest(Counter(1).value) == digest(Counter(1).value)
    assert different(Counter(1).value, Counter(2).value)
    cached = functools.lru_cache(define("def f(x):\n    return x"))
    assert digest(cached) != digest(functools.lru_cache(define("def f(x):\n    return -x")))


def test_library_functions_count_by_name_and_course_functions_by_content():
    assert digest(np.mean) == digest(np.mean) and different(np.mean, np.median, len, max)
    uses = define(
        "def f(x):\n    return content.digest(x)", content=sys.modules["translearn.content"]
    )
    before = digest(uses)
    module = sys.modules["translearn.content"]
    original = module.digest
    try:
        module.digest = define("def digest(x):\n    return 'changed'", "digest")
        assert original(uses) != before
    finally:
        module.digest = original
    assert digest(uses) == before


# Models ------------------------------------------------------------------------------------------


def network(units=3, activation="relu", names=(None, None), seed=0):
    import keras

    inputs = keras.Input((4,))
    x = keras.layers.Dense(
        units,
        activation=activation,
        name=names[0],
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
    )(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.Dense(2, name=names[1], kernel_initializer="ones")(x))


def test_models_count_by_architecture_and_every_weight_but_not_by_names():
    base = network()
    same = network(
        names=("something", "else")
    )  # Keras numbers the other layers on: names differ anyway
    assert [a.name for a in base.layers] != [b.name for b in same.layers]
    assert digest(base) == digest(same)
    assert different(base, network(units=4), network(activation="tanh"), network(seed=1))

    before = digest(base)
    moving_mean = base.layers[2].moving_mean
    moving_mean.assign(moving_mean.numpy() + np.float32([0, 1e-7, 0]))
    assert digest(base) != before
    moving_mean.assign(np.zeros(3))
    assert digest(base) == before
    base.layers[1].kernel.assign(base.layers[1].kernel.numpy() + np.float32(1e-6))
    assert digest(base) != before


def test_wiring_counts_though_names_do_not():
    import keras

    def wired(crossed):
        inputs = keras.Input((2,))
        a = keras.layers.Dense(2, kernel_initializer="ones")(inputs)
        b = keras.layers.Dense(2, kernel_initializer="zeros")(inputs)
        out = keras.layers.Subtract()([b, a] if crossed else [a, b])
        return keras.Model(inputs, out)

    assert digest(wired(False)) == digest(wired(False)) != digest(wired(True))


def test_freezing_counts_for_the_model_but_not_for_what_it_computes():
    model = network()
    whole, computed = digest(model), model_digest(model, trainable=False)
    model.layers[1].trainable = False
    assert digest(model) != whole
    assert model_digest(model, trainable=False) == computed


def test_own_layers_lambdas_and_optimisers():
    import keras

    def scaled(by):
        class Scale(keras.layers.Layer):
            def call(self, x):
                return x * by

        return keras.Sequential([keras.Input((2,)), Scale()])

    assert digest(scaled(2)) == digest(scaled(2)) != digest(scaled(3))

    def with_lambda(function):
        return keras.Sequential([keras.Input((2,)), keras.layers.Lambda(function)])

    assert digest(with_lambda(lambda x: x + 1)) == digest(with_lambda(lambda x: x + 1))
    assert digest(with_lambda(lambda x: x + 1)) != digest(with_lambda(lambda x: x + 2))
    assert different(
        keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2), keras.optimizers.Adam(0.1)
    )
    assert different(keras.layers.Dense(2), keras.layers.Dense(2, dtype="mixed_bfloat16"))


SCRIPT = """
import numpy as np, keras
from translearn.content import digest
{1}
def network():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(3, kernel_initializer="ones")(inputs)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(x))
table = {{"b": 1, "a": {{"x", "y", "z"}}}}
def f(x, rate=0.5):
    return [table, x in {{"red", "green", "blue"}}, np.mean(x)]
print(digest(np.arange(5), table, f, network()))
"""


def test_names_are_the_same_in_another_process():
    names = []
    for seed, before in (("1", ""), ("2", "keras.layers.Dense(1); keras.layers.Dense(1)")):
        run = subprocess.run(
            [
                sys.executable,
                "-c",
                SCRIPT.replace("{1}", before).replace("{{", "{").replace("}}", "}"),
            ],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        names.append(run.stdout.strip())
    assert len(names[0]) == 32 and names[0] == names[1]


def test_annotations_are_no_obstacle():
    class Annotated:
        value: int | None = None
        pairs: list[int] = ()

    assert digest(Annotated) == digest(Annotated) and digest(int | None) != digest(int | str)


def test_a_backbone_loaded_twice_is_the_same_here_and_in_another_process():
    """Keras gives every initialiser a random seed, which says nothing about the weights that were loaded."""
    import subprocess
    import sys

    code = "from translearn import backbones, content; print(content.model_digest(backbones.load('small_cnn', weights=None, size=32, seed=1), trainable=False))"
    other = "import keras; from translearn import content; m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]); m.set_weights([abs(w) * 0 for w in m.get_weights()]); print(content.model_digest(m))"
    for source in (code, other):
        first, second = (
            subprocess.check_output([sys.executable, "-c", source], text=True).split()[-1]
            for _ in range(2)
        )
        assert first == second
    from translearn import backbones, content

    assert (
        len(
            {
                content.model_digest(backbones.load("efficientnet_lite0"), trainable=False)
                for _ in range(2)
            }
        )
        == 1
    )
    assert content.model_digest(
        backbones.load("small_cnn", weights=None, size=32, seed=1)
    ) != content.model_digest(backbones.load("small_cnn", weights=None, size=32, seed=2))
