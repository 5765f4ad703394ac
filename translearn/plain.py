"""What is plain: records as JSON can hold them, and numbers of things as people say them."""

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


def count(number: int, one: str, many: str = "") -> str:
    """ "1 picture", "2 pictures"."""
    return f"1 {one}" if number == 1 else f"{number} {many or one + 's'}"


def some(names, most: int = 10) -> str:
    """Names in a row; of many, the first ten."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
