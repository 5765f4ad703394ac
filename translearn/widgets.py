"""Explorers and bets, on ipywidgets. They show what they are given and compute nothing."""

import json
import os
from html import escape

from translearn import paths, plots
from translearn.errors import CourseError


def explore(draw, alt: str | None = None, **controls):
    """A figure that follows its controls.

    Parameters
    ----------
    draw: function of the controls' values (by name) that returns a matplotlib figure, or a pair of
        figure and alt text when the alt text follows the controls too.
    alt: the figure's alt text, when `draw` returns the figure alone.
    controls: name → ipywidget, or a list of values, which becomes a slider over them (arrow keys
    move it).

    Returns the widget; as a cell's last line it is shown. An error in `draw` is shown in the
    figure's place. The widget's `draw(**values)` gives a figure and its alt text; `controls` are
    its controls by name.
    """
    import ipywidgets

    controls = {name: _control(name, c) for name, c in controls.items()}
    picture = ipywidgets.HTML()

    def figure(**values):
        drawn = draw(**values)
        return drawn if isinstance(drawn, tuple) else (drawn, alt or "")

    def redraw(_=None):
        try:
            picture.value = plots.to_html(*figure(**{n: c.value for n, c in controls.items()}))
        except Exception as error:  # inside a widget's callback it would vanish without a trace
            picture.value = (
                f'<div role="alert" class="translearn-error"><b>{type(error).__name__}</b>: '
                f"{escape(str(error))}</div>"
            )

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    box = ipywidgets.VBox([*controls.values(), picture]).add_class("translearn-explorer")
    box.draw, box.controls = figure, controls
    return box


def _control(name, control):
    import ipywidgets

    if not isinstance(control, (list, tuple, range)):
        return control
    if len(control) < 2:
        raise CourseError(
            f"The control {name!r} needs at least two values to choose from, not {len(control)}."
        )
    return ipywidgets.SelectionSlider(
        options=list(control),
        description=name.replace("_", " "),
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "30em"},
    )


class Bet:
    """A guess that the reader writes down before anything runs. It is kept in a file on this
    machine only.
    """

    def __init__(
        self, key: str, question: str, low: float, high: float, unit: str = "%", step: float = 1
    ):
        import ipywidgets

        self.key, self.question, self.unit = key, question, unit
        self._digits = 0 if step >= 1 else 2
        placed = self._read().get(key)
        self._slider = ipywidgets.FloatSlider(
            value=placed if placed is not None else (low + high) / 2,
            min=low,
            max=high,
            step=step,
            description="My bet",
            readout_format=f".{self._digits}f",
            continuous_update=False,
            layout={"width": "30em"},
        )
        self._said = ipywidgets.HTML(self._sentence(placed))
        button = ipywidgets.Button(description="Place the bet", button_style="primary")
        button.on_click(lambda _: self.place(self._slider.value))
        self._widget = ipywidgets.VBox(
            [ipywidgets.HTML(f"<b>{escape(question)}</b>"), self._slider, button, self._said]
        )

    def place(self, value: float) -> None:
        """Write the guess down."""
        bets = self._read() | {self.key: float(value)}
        file = self._file()
        scratch = file.with_suffix(".tmp")
        scratch.write_text(json.dumps(bets), encoding="utf-8")
        os.replace(scratch, file)
        self._said.value = self._sentence(value)

    def settle(self, measured: float):
        """Hold the guess against what was measured (in the bet's unit)."""
        from IPython.display import HTML

        bet = self._read().get(self.key)
        if bet is None:
            verdict = (
                "You placed no bet. Next time, do: a guess that you wrote down is how a surprise "
                "becomes a lesson."
            )
        else:
            off = abs(bet - measured)
            verdict = (
                f"You bet {bet:.{self._digits}f} {self.unit}, which is {off:.{self._digits}f} "
                f"{_points(self.unit)} off."
            )
        return HTML(
            '<div role="status" style="border-left:4px solid #0072B2;padding:.3em '
            '.8em;margin:.3em 0">'
            f"<b>The bet:</b> {escape(self.question)}<br>Measured: "
            f"<b>{measured:.{self._digits}f} {escape(self.unit)}</b>. {escape(verdict)}</div>"
        )

    def _sentence(self, value):
        if value is None:
            return "No bet placed yet."
        bet = f"{value:.{self._digits}f} {escape(self.unit)}"
        return f"Your bet: <b>{bet}</b>. It is settled further down."

    @staticmethod
    def _file():
        return paths.cache() / "bets.json"

    def _read(self):
        try:
            bets = json.loads(self._file().read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return bets if isinstance(bets, dict) else {}

    def _ipython_display_(self):
        from IPython.display import display

        display(self._widget)


def _points(unit):
    return "points" if unit == "%" else unit
