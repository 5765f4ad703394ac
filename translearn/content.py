"""Knowing things by their content.

A cached feature, a finished run or a ledger entry may be used again only if nothing it depends on
has changed. `digest` gives one short name to "everything it depends on": arrays, models, settings
and the functions themselves. Equal content gives equal names, in another process and after a
restart too; nothing depends on memory addresses, on the random seed of Python's own hashing, or on
names that Keras hands out by counting.
"""

import dis
import enum
import functools
import hashlib
import io
import os
import sys
import types
from dataclasses import fields, is_dataclass
from pathlib import PurePath

from translearn.errors import CourseError

LENGTH = 32  # hexadecimal digits, 128 bits: no two things will meet by chance


def digest(*things) -> str:
    """Name `things` by their content: 32 hexadecimal digits of a SHA-256.

    Understood, also nested in tuples, lists, dicts, sets and dataclasses:

    * None, bool, int, float, complex, str, bytes, paths (by their text), ranges, slices, enums;
    * NumPy arrays (dtype, shape, bytes) and scalars, pandas tables, tensors, NumPy generators (state);
    * Keras models and layers: architecture, every weight by position (batch-norm statistics
      included) and which layers are frozen; layer names do not count;
    * other Keras objects (losses, optimisers, …): class and settings;
    * functions, methods, partials and classes: bytecode, constants, defaults, closure, and the
      globals they mention. Functions of this course and of the reader are followed; those of
      installed libraries and whole modules count by name. Bytecode belongs to a Python version, so
      the digest of a function may differ between 3.11 and 3.12; that of data does not.
    * any other object: its class and its attributes.

    The order of a dict's keys does not matter; `1`, `1.0` and `True` are three different things.

    Raises `CourseError` for what has no content to compare: generators, open files, locks, clients.
    """
    reader = _Reader()
    for thing in things:
        reader.read(thing)
    return reader.hash.hexdigest()[:LENGTH]


def model_digest(model, trainable=True) -> str:
    """Name a Keras model (or layer) by architecture and weights, as `digest(model)` does.

    `trainable=False` ignores which layers are frozen: freezing changes what `fit` may move, but not
    what the model computes, so features cached before a freeze are still right after it.
    """
    reader = _Reader()
    reader.model(model, trainable)
    return reader.hash.hexdigest()[:LENGTH]


class _Reader:
    """Feeds things to one hash, each with a tag and a length, so that no two readings run together."""

    def __init__(self):
        self.hash = hashlib.sha256()
        self.open = []  # what is being read just now: catches things that contain themselves
        self.known = {}  # id -> number, for functions and classes met before
        self.keep = []  # holds what `known` counts, so that no id is given out twice

    def write(self, tag, content=b""):
        content = content.encode() if isinstance(content, str) else content
        self.hash.update(f"{tag}:{len(content)};".encode())
        self.hash.update(content)

    # One thing ---------------------------------------------------------------------------------

    def read(self, thing):
        if thing is None or thing is Ellipsis or thing is NotImplemented:
            return self.write("constant", repr(thing))
        if isinstance(thing, enum.Enum):
            return self.write("enum", f"{type(thing).__qualname__}.{thing.name}")
        if isinstance(thing, bool):
            return self.write("bool", repr(thing))
        if (
            type(thing).__module__ == "numpy"
            and hasattr(thing, "item")
            and not hasattr(thing, "__len__")
        ):
            if thing.dtype.kind in "biufc":  # a NumPy scalar counts as the Python number it holds
                return self.read(thing.item())
        if isinstance(thing, int):
            return self.write("int", repr(int(thing)))
        if isinstance(thing, float):
            return self.write("float", float(thing).hex())
        if isinstance(thing, complex):
            return self.write("complex", f"{thing.real.hex()} {thing.imag.hex()}")
        if isinstance(thing, str):
            return self.write("str", str(thing))
        if isinstance(thing, (bytes, bytearray, memoryview)):
            return self.write("bytes", bytes(thing))
        if isinstance(thing, PurePath):
            return self.write("path", thing.as_posix())
        if isinstance(
            thing, (types.UnionType, types.GenericAlias)
        ):  # an annotation, such as `int | None`
            return self.write("annotation", repr(thing))
        if isinstance(thing, types.ModuleType):
            return self.write("module", thing.__name__)
        if isinstance(thing, types.CodeType):
            return self.code(thing)
        if isinstance(thing, (types.FunctionType, type)):
            return self.once(thing)
        if isinstance(
            thing,
            (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType),
        ):
            return self.write(
                "builtin", f"{getattr(thing, '__module__', None)}.{thing.__qualname__}"
            )

        if any(thing is other for other in self.open):
            position = next(i for i, other in enumerate(self.open) if thing is other)
            return self.write("again", str(len(self.open) - position))
        self.open.append(thing)
        try:
            self.compound(thing)
        finally:
            self.open.pop()

    def compound(self, thing):
        if isinstance(thing, (tuple, list)):
            self.write("list" if isinstance(thing, list) else "tuple", str(len(thing)))
            for item in thing:
                self.read(item)
        elif isinstance(thing, dict):
            self.write("dict", str(len(thing)))
            for key in sorted(thing, key=digest):
                self.read(key)
                self.read(thing[key])
        elif isinstance(thing, (set, frozenset)):
            self.write("set", " ".join(sorted(digest(item) for item in thing)))
        elif isinstance(thing, (range, slice)):
            self.write(type(thing).__name__)
            self.read((thing.start, thing.stop, thing.step))
        elif isinstance(thing, types.MethodType):
            self.write("method")
            self.read(thing.__func__)
            self.read(thing.__self__)
        elif isinstance(thing, functools.partial):
            self.write("partial")
            self.read((thing.func, thing.args, thing.keywords))
        elif isinstance(thing, (staticmethod, classmethod)):
            self.write(type(thing).__name__)
            self.read(thing.__func__)
        elif isinstance(thing, property):
            self.write("property")
            self.read((thing.fget, thing.fset, thing.fdel))
        elif isinstance(thing, types.MappingProxyType):
            self.read(dict(thing))
        elif isinstance(thing, io.IOBase):
            raise CourseError(
                "An open file cannot be recognised by its content. Pass its path instead."
            )
        elif type(thing) is object:  # a mark that means only itself, such as MISSING = object()
            self.write("mark")
        elif type(thing).__module__ in ("datetime", "decimal", "fractions"):
            self.write("value", repr(thing))
        elif callable(thing) and hasattr(
            thing, "__wrapped__"
        ):  # such as functools.lru_cache around a function
            self.write("wrapped", type(thing).__name__)
            self.read(thing.__wrapped__)
        else:
            self.from_library(thing)

    def from_library(self, thing):
        family = {base.__module__.partition(".")[0] for base in type(thing).__mro__}
        if "numpy" in family and hasattr(thing, "dtype") and hasattr(thing, "tobytes"):
            return self.array(thing)
        if "numpy" in family and hasattr(thing, "bit_generator"):
            self.write("generator")
            return self.read(thing.bit_generator.state)
        if "numpy" in family and isinstance(thing, sys.modules["numpy"].dtype):
            return self.write("dtype", thing.str)
        if "numpy" in family and type(thing).__name__ == "ufunc":
            return self.write("builtin", f"numpy.{thing.__name__}")
        if "pandas" in family:
            return self.table(thing)
        if "keras" in family:
            keras = sys.modules["keras"]
            if isinstance(thing, keras.Layer):
                return self.model(thing)
            if isinstance(thing, keras.Variable):
                return self.array(thing.numpy())
            if hasattr(thing, "get_config"):
                self.write("keras", type(thing).__name__)
                self.read(_plain(thing.get_config(), {}))
                return self.weights(getattr(thing, "variables", []))
        if "tensorflow" in family and hasattr(thing, "numpy"):
            return self.read(thing.numpy())
        return self.object(thing)

    # Data --------------------------------------------------------------------------------------

    def array(self, array):
        import numpy as np

        if array.dtype.hasobject:
            self.write("objects", str(array.shape))
            return self.read(array.ravel().tolist())
        if type(array).__name__ == "MaskedArray":
            self.read(np.ma.getmaskarray(array))
        self.write(
            "array", f"{array.dtype.descr if array.dtype.names else array.dtype.str} {array.shape}"
        )
        # Hash the memory itself where it lies in order; anything else is copied a part at a time.
        contiguous = np.ascontiguousarray(array)
        self.hash.update(contiguous.reshape(-1).view(np.uint8).data if contiguous.size else b"")

    def table(self, table):
        self.write("table", type(table).__name__)
        if hasattr(table, "columns"):
            self.read(list(table.columns))
            self.read(table.index)
            for position in range(table.shape[1]):
                self.read(table.iloc[:, position].tolist())
        elif hasattr(table, "index"):
            self.read((table.name, table.index, table.tolist()))
        elif hasattr(table, "tolist"):
            self.read(table.tolist())
        else:
            self.write("value", repr(table))  # a Timestamp, an Interval, NA

    def model(self, layer, trainable=True):
        import keras

        self.write("model")
        try:
            config = layer.get_config()
        except NotImplementedError:  # a layer of the reader's own that does not describe itself
            config = None
        if config is None:
            self.read(
                sorted(
                    (name, value)
                    for name, value in vars(layer).items()
                    if not name.startswith("_")
                    and isinstance(value, (bool, int, float, str, tuple))
                    and name not in ("name", "trainable")
                )
            )
        else:
            self.write("class", type(layer).__name__)
            # Keras draws a seed for every initialiser that was given none. Once the weights are there, it is spent.
            self.read(_plain(_unseeded(config) if layer.weights else config, {}, trainable))
        for part in _parts(layer):
            if not _installed(
                type(part)
            ):  # a class of the reader's own: what its methods do counts too
                self.read(type(part))
            if isinstance(
                part, keras.layers.Lambda
            ):  # its config holds marshalled code, which varies
                self.read(part.function)
            if trainable:
                self.read(part.trainable)
        self.weights(layer.weights)

    def weights(self, variables):
        self.write("weights", str(len(variables)))
        for variable in variables:
            self.array(variable.numpy())

    def object(self, thing):
        kind = type(thing)
        if is_dataclass(thing):
            state = {field.name: getattr(thing, field.name) for field in fields(thing)}
        elif hasattr(thing, "__dict__"):
            state = vars(thing)
        elif getattr(kind, "__slots__", None):
            names = [kind.__slots__] if isinstance(kind.__slots__, str) else kind.__slots__
            state = {name: getattr(thing, name) for name in names if hasattr(thing, name)}
        else:
            raise CourseError(
                f"A {kind.__module__}.{kind.__qualname__} cannot be recognised by its content. "
                "Pass the numbers, arrays or models it stands for instead."
            )
        self.write("object")
        self.read(kind)
        self.read(state)

    # Code --------------------------------------------------------------------------------------

    def once(self, thing):
        """Read a function or class the first time it is met; afterwards its number stands for it."""
        if id(thing) in self.known:
            return self.write("known", str(self.known[id(thing)]))
        self.known[id(thing)] = len(self.known)
        self.keep.append(thing)
        if _installed(thing):
            self.write("installed", f"{thing.__module__}.{thing.__qualname__}")
        elif isinstance(thing, type):
            self.write("class", thing.__qualname__)
            self.read(thing.__bases__)
            skip = (
                "__dict__",
                "__weakref__",
                "__module__",
                "__doc__",
                "__firstlineno__",
                "__annotations__",
                "__static_attributes__",
                "__annotate__",
                "__annotate_func__",
                "__annotations_cache__",
            )
            for name, value in sorted(vars(thing).items()):
                if (
                    name not in skip
                    and not name.startswith("_abc_")
                    and type(value).__name__ not in ("getset_descriptor", "member_descriptor")
                ):
                    self.write("name", name)
                    self.read(value)
        else:
            self.function(thing)

    def function(self, function):
        code = function.__code__
        self.write("function")
        self.code(code)
        self.read((function.__defaults__, function.__kwdefaults__))
        for name, cell in zip(code.co_freevars, function.__closure__ or ()):
            self.write("closure", name)
            try:
                content = cell.cell_contents
            except ValueError:  # named, but not given a value yet
                continue
            self.mentioned(function, name, content)
        names, attributes = _mentions(code)
        for name in sorted(names):
            if name not in function.__globals__:
                continue  # a built-in function, or not defined yet
            value = function.__globals__[name]
            self.write("global", name)
            self.mentioned(function, name, value)
            if isinstance(value, types.ModuleType) and not _installed(value):
                # `transfer.freeze(…)` mentions a module, but it is `freeze` that must not change.
                for attribute in sorted(attributes & set(vars(value))):
                    inner = getattr(value, attribute)
                    if isinstance(inner, (types.FunctionType, type)):
                        self.read(inner)

    def mentioned(self, function, name, value):
        try:
            self.read(value)
        except CourseError as error:
            raise CourseError(f"`{function.__name__}` mentions `{name}`: {error}") from None
        except (TypeError, RecursionError):
            raise CourseError(
                f"`{function.__name__}` mentions `{name}`, a {type(value).__name__}, which cannot be "
                "recognised by its content. Pass what it stands for as an argument."
            ) from None

    def code(self, code):
        # Not the file, the line numbers or the name: moving a function does not change it.
        self.write("code", code.co_code)
        self.read(
            (
                code.co_argcount,
                code.co_posonlyargcount,
                code.co_kwonlyargcount,
                code.co_flags,
                code.co_names,
                code.co_varnames,
                code.co_freevars,
                code.co_cellvars,
                code.co_exceptiontable,
            )
        )
        self.read(code.co_consts)


def _mentions(code):
    """The global names that `code`, and the functions written inside it, read; and the attributes."""
    names, attributes = set(), set()
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            attributes.add(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            more_names, more_attributes = _mentions(constant)
            names |= more_names
            attributes |= more_attributes
    return names, attributes


def _installed(thing) -> bool:
    """Does this module, function or class come with Python or an installed library?"""
    name = (
        thing.__name__
        if isinstance(thing, types.ModuleType)
        else getattr(thing, "__module__", None)
    )
    if not name or name in ("__main__", "__mp_main__"):
        return False
    top = name.partition(".")[0]
    if top == "translearn":
        return False
    if top in sys.stdlib_module_names or top == "builtins":
        return True
    module = sys.modules.get(name) or sys.modules.get(top)
    file = getattr(module, "__file__", None)
    if file is None:
        return module is not None and not isinstance(thing, types.FunctionType)
    return bool({"site-packages", "dist-packages"} & set(os.path.abspath(file).split(os.sep)))


def _unseeded(config):
    """A Keras config without the seeds of its initialisers."""
    if isinstance(config, dict):
        spent = config.get("module") == "keras.initializers"
        return {
            key: {k: v for k, v in value.items() if k != "seed"}
            if spent and key == "config"
            else _unseeded(value)
            for key, value in config.items()
        }
    return [_unseeded(item) for item in config] if isinstance(config, (list, tuple)) else config


def _plain(config, names, trainable=True):
    """A Keras config without layer names: references to a layer become its position."""
    if isinstance(config, dict):
        if config.get("class_name") == "__lambda__":
            return "lambda"
        layers = config.get("layers")
        if isinstance(layers, list) and all(isinstance(layer, dict) for layer in layers):
            names = {
                (layer.get("config") or {}).get("name", layer.get("name")): position
                for position, layer in enumerate(layers)
            }
        result = {}
        for key, value in config.items():
            if key == "name" or (key == "trainable" and not trainable):
                continue
            if key == "config" and str(config.get("class_name")).endswith("Policy"):
                result[key] = value  # here the name is the content: float32 or mixed_float16
                continue
            if key in ("keras_history", "input_layers", "output_layers"):
                value = _positions(value, names)
            result[key] = _plain(value, names, trainable)
        return result
    if isinstance(config, (list, tuple)):
        return [_plain(item, names, trainable) for item in config]
    return config


def _positions(value, names):
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, (list, tuple)):
        return [_positions(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _positions(item, names) for key, item in value.items()}
    return value


def _parts(layer):
    """The layer itself and, for a model, all layers inside it, in order."""
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _parts(inner)
