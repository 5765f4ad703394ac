"""Records as plain data: what JSON can hold."""

import math


def finite(number: float):
    """JSON has no infinity and no "not a number"."""
    return number if math.isfinite(number) else None


def plain_data(value, number=finite):
    """A value with NumPy's numbers and arrays, tuples and paths turned into what JSON has.

    number  what becomes of each float (unless given: None where it is not finite)
    """
    if isinstance(value, dict):
        return {str(key): plain_data(each, number) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(each, number) for each in value]
    if hasattr(value, "tolist"):
        return plain_data(value.tolist(), number)
    if isinstance(value, float):
        return number(value)
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
