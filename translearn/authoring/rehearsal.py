"""What the cells of a rehearsal call, in the lesson's kernel: explorers swept, bets placed and
settled. What an explorer draws on the way is kept for the book.

Everything here raises `AssertionError` with one sentence, which fails the cell and so the lesson.
"""

import atexit
import hashlib
import itertools
import json
import os
import shutil
import tempfile
from pathlib import Path

from translearn import paths

PRODUCT = 64  # combinations: up to that many are all drawn, beyond it one control at a time
SHARP = 1.4  # pixels kept for each one shown
_bets = {"placed": set(), "settled": set()}


def begin() -> None:
    """Keep the bets of the rehearsal out of the reader's own file, and watch which are settled."""
    from translearn import widgets

    file = Path(tempfile.mkdtemp(prefix="translearn-bets-")) / "bets.json"
    atexit.register(shutil.rmtree, file.parent, ignore_errors=True)
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


def folder(lesson: str) -> Path:
    """Where what a lesson's rehearsal shows is kept, for the language that it runs in."""
    language = os.environ.get("TRANSLEARN_LANGUAGE") or "en"
    return paths.cache() / "executed" / language / lesson


def sweep(explorer, lesson: str = "", cell: str = "") -> None:
    """Move an explorer (what `widgets.explore` returned) through its whole range by calling its
    `draw`.

    All combinations of its controls where they are few, else one control at a time with the others
    where they start. Each step gives a figure with alt text; from one value of a control to the
    next, with the others where they start, the figure or its text changes.

    With the names of lesson and cell, pictures and texts are kept in the lesson's `folder`: a
    picture as WebP under the hash of its pixels, and `explorer-<cell>.json`:

        cell, width, height (of a figure on the page, in pixels)
        controls   name, label, kind ("slider" or "menu"), values (as words), start (a position)
        whole      whether all combinations are there
        points     positions of the controls, such as "0,3" → picture (file) and alt
    """
    controls, draw = explorer.controls, explorer.draw
    ranges = {name: values(control) for name, control in controls.items()}
    start = {name: control.value for name, control in controls.items()}
    axes = [[start | {name: value} for value in ranges[name]] for name in ranges]
    every = [dict(zip(ranges, point)) for point in itertools.product(*ranges.values())]
    whole = len(every) <= PRODUCT
    into = folder(lesson) if lesson else None
    seen = {}
    for point in itertools.chain(*axes, every if whole else []):
        key = repr(point)
        if key not in seen:
            seen[key] = _look(draw, point, into), point
    for axis in axes:
        for before, after in itertools.pairwise(axis):
            assert seen[repr(before)][0][:2] != seen[repr(after)][0][:2], (
                f"neither the figure nor its alt text changes from {before} to {after}"
            )
    picture = explorer.picture
    assert "translearn-error" not in picture, f"the explorer shows an error: {picture}"
    if into:
        points, size = {}, next(iter(seen.values()))[0][2]
        for (name, alt, _), point in seen.values():
            places = ",".join(str(ranges[one].index(value)) for one, value in point.items())
            points[places] = {"picture": name, "alt": str(alt)}
        manifest = {
            "cell": cell,
            "width": size[0],
            "height": size[1],
            "controls": [_told(name, controls[name], ranges[name]) for name in ranges],
            "whole": whole,
            "points": points,
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        (into / f"explorer-{cell}.json").write_text(text, encoding="utf-8")


def keep_guesses(guesses, lesson: str, cell: str) -> None:
    """Keep what a `widgets.Guesses` asks and its answers, beside the explorers: `truth`, `choices`
    (and no points).
    """
    choices = [choice for choice in next(iter(guesses._menus.values())).options if choice != "?"]
    found = {"cell": cell, "points": {}, "truth": guesses._truth, "choices": choices}
    into = folder(lesson)
    into.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    (into / f"explorer-{cell}.json").write_text(text, encoding="utf-8")


def _told(name, control, choices) -> dict:
    """A control of an explorer for the book."""
    shown = getattr(control, "options", ())
    words = [str(option[0] if isinstance(option, tuple) else option) for option in shown]
    menu = type(control).__name__ in ("Dropdown", "Select", "RadioButtons", "Checkbox")
    return {
        "name": name,
        "label": control.description or name.replace("_", " "),
        "kind": "menu" if menu else "slider",
        "values": words
        or [f"{each:g}" if not isinstance(each, bool) else str(each) for each in choices],
        "start": choices.index(control.value),
    }


def values(control) -> list:
    """All values that a control can take: those to choose from, or the steps between two ends."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if hasattr(control, "min"):
        steps = round((control.max - control.min) / control.step)
        return [control.min + i * control.step for i in range(steps + 1)]
    return [False, True]


def _look(draw, point, into=None):
    """What `draw` gives at a point: the hash of the figure's pixels, or with a folder the file
    that it is written into; the alt text; and how large the figure stands on a page, in pixels.
    Closes the figure.
    """
    import matplotlib.pyplot as plt
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    before = set(plt.get_fignums())
    fig, alt = draw(**point)
    assert str(alt).strip(), f"no alt text at {point}"
    size = [round(inches * fig.dpi) for inches in fig.get_size_inches()]
    # Where nothing is kept, small: a change is seen, and it is quick.
    fig.dpi = SHARP * fig.dpi if into else 50
    canvas = FigureCanvasAgg(fig)
    canvas.draw()  # once, where savefig draws everything twice: for the layout, and for good
    pixels = bytes(canvas.buffer_rgba())
    name = hashlib.sha256(pixels).hexdigest()[:16]
    if into:
        name = f"{name}.webp"
        _keep(pixels, into / name, canvas.get_width_height())
    plt.close(fig)
    left = set(plt.get_fignums()) - before
    assert not left, f"{len(left)} more figures are left open at {point}"
    return name, alt, size


def _keep(pixels, file, size):
    from PIL import Image

    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.frombytes("RGBA", size, pixels).convert("RGB")
        picture.save(file, "WEBP", quality=80, method=2)
