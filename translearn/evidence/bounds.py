"""Claims' bounds mean what their sentences say: held against what was measured, and against one
another.
"""

import re

# A sentence with one of these promises size, not only direction; or that there is next to none.
LARGE = re.compile(
    r"\ba lot\b|\bfar (too|from|more|less|ahead|behind|below|above|better|worse)\b|\bby far\b"
    r"|(?<!too )\bmuch\b|\bseveral times\b|\bmany times\b|\bdestroy|\bnext to nothing\b.*\bleft\b",
    re.I,
)
SMALL = re.compile(
    r"\bnext to nothing\b(?!.*\bleft\b)|\bnearly as\b|\bnot far\b|\bhardly\b|\balike\b"
    r"|\bno better\b"
    r"|\bin either direction\b|\bas good as\b|\babout the same\b|\bstays within\b",
    re.I,
)


def nothing(effect) -> float | None:
    """What the effect would be if there were none: 0 for a difference, 1 for a ratio; None for a
    plain number,
    whose bound is whatever its sentence compares it with.
    """
    kind, *_, metric = effect
    if kind == "minus" or kind == "of" and " minus " in metric:
        return 0.0
    return 1.0 if kind == "over" else None


def broken(claims: dict) -> list:
    """What is wrong with the bounds of some claims (text → the ledger's row), one sentence each.

    A one-sided bound must lie nearer to the measured effect than to no effect: otherwise the
    sentence would still hold
    when most of what it speaks of were gone. A bound at no effect itself claims a direction, and
    may not come with a
    word of size. What is about nothing (`within`) has bounds on both sides.
    A claim that something is large and one that it is small, of the same metric, may not both hold
    for one effect.
    """
    found = []
    for text, row in claims.items():
        low, high = row["holds_between"]
        none = nothing(row["effect"])
        if none is None or (low is not None and high is not None):
            continue
        bound = low if high is None else high
        if _about_nothing(row):
            if not SMALL.search(text) and not _literal(text):
                found.append(
                    f"{text!r}: its bound {bound:g} lies beyond no effect ({none:g}); "
                    "say that it is about none."
                )
        elif bound == none:
            if LARGE.search(text):
                found.append(
                    f"{text!r}: the sentence promises size, and its bound {bound:g} asks only "
                    "for a direction."
                )
        elif abs(row["mean"] - bound) > abs(bound - none):
            found.append(
                f"{text!r}: its bound {bound:g} lies nearer to {none:g} than to the measured "
                f"{row['mean']:g}; set it beyond {(row['mean'] + none) / 2:.3g}."
            )
    large = [
        (text, row) for text, row in claims.items() if LARGE.search(text) and not _small(text, row)
    ]
    small = [(text, row) for text, row in claims.items() if _small(text, row)]
    for big, one in large:
        for little, other in small:
            if _same_kind(one, other) and _reach(one) < _reach(other, largest=True):
                found.append(
                    f"{big!r} holds from {_reach(one):g} on and {little!r} up to "
                    f"{_reach(other, True):g}: an effect between the two would be both."
                )
    return found


def _about_nothing(row):
    """Whether a one-sided bound lies on the other side of no effect: "not worse by more than three
    points".
    """
    low, high = row["holds_between"]
    none = nothing(row["effect"])
    return low is not None and low < none or high is not None and high > none


def _literal(text):
    """Whether a sentence says its bound itself, in figures or by "not" or "at most"."""
    return bool(
        re.search(
            r"\d|\bnot\b|\bno\b|\bat most\b|\bless than\b|\bbelow\b|\bwithin\b|\bpoints?\b", text
        )
    )


def _small(text, row):
    return None not in row["holds_between"] or bool(SMALL.search(text))


def _same_kind(one, other):
    return (
        one["experiment"].split(".")[0] == other["experiment"].split(".")[0]
        and one["effect"][0] == other["effect"][0]
        and one["effect"][-1].split(" minus ")[0] == other["effect"][-1].split(" minus ")[0]
        and None not in (nothing(one["effect"]), nothing(other["effect"]))
    )


def _reach(row, largest=False):
    """How far from no effect the bounds lie: the nearer one, or with `largest` the farther."""
    none = nothing(row["effect"])
    return (max if largest else min)(abs(b - none) for b in row["holds_between"] if b is not None)
