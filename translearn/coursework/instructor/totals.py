"""A total for each student: [weights] in course.toml.

A total is percent. It is there when everything that counts has a mark, and empty before: what is
not graded is no 0. `so far` is what the marks that are there come to.
"""

from dataclasses import dataclass
from datetime import datetime

from translearn.coursework.instructor.folder import Course, known
from translearn.errors import CourseError

MISSING = ("empty", "zero")


@dataclass(frozen=True)
class Weights:
    """`of`: {assignment: how much it counts}; `drop`: how many of the lowest do not."""

    of: dict
    drop: int = 0
    missing: str = "empty"


def weights(table) -> Weights | None:
    """[weights] of course.toml; None without it. Raises `CourseError` for what makes no sense."""
    if table is None:
        return None
    if not isinstance(table, dict):
        raise _wrong("it should be a table: [weights] and below it A1 = 1")
    settings = dict(table)
    drop, missing = settings.pop("drop", 0), settings.pop("missing", "empty")
    found = {}
    for name, value in settings.items():
        if type(value) not in (int, float) or not 0 < value < float("inf"):
            raise _wrong(f"{name} is {value!r}; a weight is a number above 0")
        if known(name) in found:
            raise _wrong(f"{known(name)} stands there twice")
        found[known(name)] = value
    if not found:
        raise _wrong("no assignment has a weight: write A1 = 1, or take [weights] away")
    if type(drop) is not int or not 0 <= drop < len(found):
        raise _wrong(
            f"drop is {drop!r}; it is a whole number from 0 to {len(found) - 1}, so that one of "
            f"the {len(found)} with a weight is left"
        )
    if missing not in MISSING:
        raise _wrong(f'missing is {missing!r}; it is "empty" or "zero"')
    return Weights(found, drop, missing)


def _wrong(what):
    return CourseError(f"course.toml, [weights]: {what}.")


def totals(course: Course, now: datetime | None = None) -> list:
    """A row for each student: points of each assignment that counts, `total` and `so far` in
    percent (None where there is none), what was `dropped`, and the `reason` why there is no total.

    Raises `CourseError` without [weights].
    """
    from translearn.coursework.instructor import books

    if course.weights is None:
        raise _wrong("it is not there, so there is no total: say what each assignment counts")
    now, rows = now or datetime.now().astimezone(), {}
    for assignment in course.weights.of:
        out = course.released(assignment).is_file()
        for mark in books.marks(course, assignment):
            mark |= {} if out else {"state": "not released", "reason": "not released yet"}
            rows.setdefault(mark["student"], {})[assignment] = mark
    return [_total(course, rows[student], now) for student in sorted(rows)]


def _total(course, marks, now):
    some = next(iter(marks.values()))
    found = {"student": some["student"], "name": some["name"]}
    shares, why = {}, []
    for assignment in course.weights.of:
        mark = marks.get(assignment) or {"state": "", "points": None, "reason": "no mark"}
        found[assignment] = mark["points"]
        if mark["state"] == "exempt":
            continue
        if mark["points"] is not None:
            shares[assignment] = mark["points"] / mark["of"]
        elif _is_zero(course, mark, now):
            shares[assignment] = 0.0
        else:
            why.append(f"{assignment}: {mark['reason']}")
    kept, dropped = _dropped(shares, course.weights)
    if not shares and not why:
        why.append("exempt from all that counts")
    return found | {
        "total": None if why else _mean(kept, course.weights.of),
        "so far": _mean(shares, course.weights.of),
        "dropped": "" if why else ", ".join(f"{a} ({shares[a]:.0%})" for a in dropped),
        "reason": "; ".join(why),
    }


def _is_zero(course, mark, now):
    """Whether nothing came, the instructor counts that as 0, and nothing can come in time."""
    from translearn.coursework.instructor import late

    if course.weights.missing != "zero" or mark["state"] != "nothing handed in":
        return False
    until = late.due(course, mark["student"], mark["assignment"])
    return until is None or until < now


def _dropped(shares, weights):
    """(Those that count, those dropped): of equal ones the heavier goes, which never costs."""
    lowest = sorted(shares, key=lambda each: (shares[each], -weights.of[each], each))
    gone = lowest[: max(0, min(weights.drop, len(shares) - 1))]
    return {each: share for each, share in shares.items() if each not in gone}, gone


def _mean(shares, weight):
    if not shares:
        return None
    whole = sum(weight[each] for each in shares)
    return round(100 * sum(weight[each] * share for each, share in shares.items()) / whole, 2)
