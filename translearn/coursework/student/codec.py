"""Plain data across a wall: what a question hands into the sandbox, and what comes out.

`encode` turns numbers, text, arrays, and lists and dictionaries of them into JSON; `decode` reads
such JSON and nothing else. It never builds an object of a class that somebody chose (no pickle),
and every size has a limit. Whoever decodes trusts nobody: the bytes may come from hostile code.
"""

import base64
import binascii
import json
import math
from fractions import Fraction

import numpy as np

from translearn.errors import CourseError

FRAME = 32 * 2**20  # bytes of one message
ITEMS = 200_000  # numbers, texts, lists … in one message; the elements of an array do not count
DEPTH = 12
TEXT = 200_000  # characters of one string
DTYPES = {"<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "|u1", "<u2", "<u4", "<u8", "|b1"}


class NotPlain(CourseError):
    """Something that is not plain data, or too much of it. The message says what."""


def encode(value, depth: int = DEPTH):
    """`value` as JSON-ready data. Tensors, Keras variables and pandas columns go as arrays, tuples
    and sets as lists.

    Raises `NotPlain` for anything that is not data: a function, a model, an object of a class of
    one's own.
    """
    if depth < 0:
        raise NotPlain("That is nested too deeply, or holds itself.")
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return (
            value
            if abs(value) < 2**63
            else {"i": hex(value)}
            if value.bit_length() < 4096
            else _refuse("a whole number of more than 4,096 bits")
        )
    if kind is float:
        return value if math.isfinite(value) else {"f": repr(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [encode(item, depth - 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, (str, int)) for key in value):
            _refuse("a dictionary whose keys are not text")
        return {"d": {str(key): encode(item, depth - 1) for key, item in value.items()}}
    if kind in (complex, Fraction) and complex(value).imag == 0:
        return encode(float(value.real), depth - 1)
    if isinstance(value, np.complexfloating):
        value = complex(value)
        return encode(value.real, depth - 1) if value.imag == 0 else _refuse("a complex number")
    if isinstance(value, np.generic):
        return encode(
            float(value) if isinstance(value, np.longdouble) else value.item(), depth - 1
        )
    if kind is not np.ndarray:
        if not (hasattr(value, "__array__") or hasattr(value, "numpy")):
            _refuse(f"an object of the class {kind.__name__}")
        value = np.asarray(value)
    array = np.ascontiguousarray(value)
    if array.dtype.kind == "c" and not array.imag.any():
        array = array.real
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(float)
    array = array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(
        np.shape(value)
    )  # a number alone keeps its shape ()
    if array.dtype.str not in DTYPES:
        if array.dtype.kind in "US":
            return encode(value.tolist(), depth - 1)
        _refuse(f"an array of the type {array.dtype}")
    return {
        "a": [
            array.dtype.str,
            list(array.shape),
            base64.b64encode(array.tobytes()).decode("ascii"),
        ]
    }


def _refuse(what):
    raise NotPlain(
        f"That is {what}, not plain data (numbers, text, arrays, and lists and dictionaries of "
        f"them)."
    )


def decode(data):
    """The value that `encode` was given: tuples come back as lists, tensors as arrays.

    Raises `NotPlain` for anything else.
    """
    left = [ITEMS]

    def read(node, depth):
        left[0] -= 1
        if depth < 0 or left[0] < 0:
            raise NotPlain("The answer is too large or nested too deeply.")
        if node is None or type(node) in (bool, float):
            return node
        if type(node) is int:
            if abs(node) >= 2**63:
                raise NotPlain("The answer holds a number that is out of range.")
            return node
        if type(node) is str:
            if len(node) > TEXT:
                raise NotPlain("The answer holds a text that is too long.")
            return node
        if type(node) is list:
            return [read(item, depth - 1) for item in node]
        if type(node) is dict and len(node) == 1:
            ((tag, body),) = node.items()
            if tag == "d" and type(body) is dict:
                return {read(key, depth): read(item, depth - 1) for key, item in body.items()}
            if tag == "f" and body in ("nan", "inf", "-inf"):
                return float(body)
            if tag == "i" and type(body) is str and len(body) < 1100:
                try:
                    return int(body, 16)
                except ValueError:
                    pass
            if tag == "a":
                return _array(body)
        raise NotPlain("The answer is not plain data.")

    return read(data, DEPTH)


def _array(body):
    try:
        dtype, shape, text = body
        if (
            type(dtype) is not str
            or dtype not in DTYPES
            or type(shape) is not list
            or len(shape) > 8
        ):
            raise NotPlain("The answer holds an array of an unknown kind.")
        if not all(type(n) is int and 0 <= n < 2**31 for n in shape):
            raise NotPlain("The answer holds an array of an impossible shape.")
        raw = base64.b64decode(text, validate=True)
        if len(raw) != math.prod(shape) * np.dtype(dtype).itemsize:
            raise NotPlain("The answer holds an array whose size is not that of its shape.")
        if (
            dtype == "|b1"
        ):  # other bytes than 0 and 1 would make truth values that NumPy does not expect
            return np.frombuffer(raw, "|u1").reshape(shape) != 0
        return np.frombuffer(raw, dtype).reshape(shape).copy()
    except (TypeError, ValueError, binascii.Error) as problem:
        raise NotPlain("The answer holds an array that cannot be read.") from problem


# ---- messages: four bytes of length, then JSON


def pack(message: dict) -> bytes:
    """One message. Its values are JSON already: `encode` what is not."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > FRAME:
        raise NotPlain("That is more than fits into one message.")
    return len(body).to_bytes(4, "big") + body


def unpack(body: bytes) -> dict:
    """The message in `body`, which is without its length. Raises `NotPlain`."""
    try:
        message = json.loads(body.decode("utf-8"), parse_constant=lambda name: _refuse(name))
    except (ValueError, RecursionError) as problem:
        raise NotPlain("A message from the sandbox cannot be read.") from problem
    if type(message) is not dict:
        raise NotPlain("A message from the sandbox is not one.")
    return message


def whole(text: str) -> str:
    """`text` with a question mark for each half of a character (a lone surrogate):

    JSON can hold one, no file can.
    """
    return text.encode("utf-8", "replace").decode("utf-8")
