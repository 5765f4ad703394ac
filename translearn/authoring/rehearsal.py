"""What the cells of a rehearsal call, in the lesson's kernel: explorers swept, bets placed and
settled.

Everything here raises `AssertionError` with one sentence, which fails the cell and so the lesson.
"""

import io
import itertools
import tempfile
from pathlib import Path

PRODUCT = 40  # combinations: up to that many are all drawn, beyond it one control at a time
_bets = {"placed": set(), "settled": set()}


def begin() -> None:
    """Keep the bets of the rehearsal out of the reader's own file, and watch which are settled."""
    from translearn import widgets

    file = Path(tempfile.mkdtemp(prefix="translearn-bets-")) / "bets.json"
    place, settle = widgets.Bet.place, widgets.Bet.settle

    def watched_place(self, value):
        _bets["placed"].add(self.key)
        return place(self, value)

    def watched_settle(self, measured):
        said = settle(self, measured)
        assert "You bet" in said.data, f"the bet {self.key!r} is not settled: {said.data}"
        _bets["settled"].add(self.key)
        return said

    widgets.Bet._file = staticmethod(lambda: file)
    widgets.Bet.place, widgets.Bet.settle = watched_place, watched_settle


def end() -> None:
    """Every bet was settled, and no figure was left open, which would be shown twice."""
    import matplotlib.pyplot as plt

    left = _bets["placed"] - _bets["settled"]
    assert not left, f"bets that were never settled: {', '.join(sorted(left))}"
    assert not plt.get_fignums(), f"{len(plt.get_fignums())} figures were never shown or closed"


def sweep(explorer) -> None:
    """Move an explorer (what `widgets.explore` returned) through its whole range by calling its
    `draw`.

    All combinations of its controls where they are few, else one control at a time with the others
    where they start. Each step gives a figure with alt text; from one value of a control to the
    next, with the others where they start, the figure or its text changes.
    """
    controls, draw = explorer.controls, explorer.draw
    ranges = {name: values(control) for name, control in controls.items()}
    start = {name: control.value for name, control in controls.items()}
    axes = [[start | {name: value} for value in ranges[name]] for name in ranges]
    every = [dict(zip(ranges, point)) for point in itertools.product(*ranges.values())]
    seen = {}
    for point in itertools.chain(*axes, every if len(every) <= PRODUCT else []):
        key = repr(point)
        if key not in seen:
            seen[key] = _look(draw, point)
    for axis in axes:
        for before, after in itertools.pairwise(axis):
            assert seen[repr(before)] != seen[repr(after)], (
                f"neither the figure nor its alt text changes from {before} to {after}"
            )
    picture = explorer.picture
    assert "translearn-error" not in picture, f"the explorer shows an error: {picture}"


def values(control) -> list:
    """All values that a control can take: those to choose from, or the steps between two ends."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if hasattr(control, "min"):
        steps = round((control.max - control.min) / control.step)
        return [control.min + i * control.step for i in range(steps + 1)]
    return [False, True]


def _look(draw, point):
    """The figure that `draw` gives at a point, as bytes, and its alt text. Closes the figure."""
    import matplotlib.pyplot as plt

    before = set(plt.get_fignums())
    fig, alt = draw(**point)
    assert str(alt).strip(), f"no alt text at {point}"
    buffer = io.BytesIO()
    fig.savefig(buffer, format="raw", dpi=50)  # small: a change is seen, and 40 of them are quick
    plt.close(fig)
    left = set(plt.get_fignums()) - before
    assert not left, f"{len(left)} more figures are left open at {point}"
    return buffer.getvalue(), alt
