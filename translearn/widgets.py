"""Explorers, bets and guesses, on ipywidgets. They show what they are given; they compute
nothing.
"""

import json
import numbers
import os
import uuid
from html import escape

from translearn import page, paths, plots
from translearn.errors import CourseError

# Shown while a figure is drawn, and seen only when that takes longer than a third of a second.
BUSY = """<style>@keyframes translearn-late { to { opacity: 1 } }</style>
<span role="status" style="opacity: 0; animation: translearn-late 0s .35s forwards">
Drawing …</span>"""


def explore(draw, alt: str | None = None, **controls) -> "Explorer":
    """A figure that follows its controls.

    Parameters
    ----------
    draw: function of the controls' values (by name) that returns a matplotlib figure, or a pair of
        figure and alt text when the alt text follows the controls too.
    alt: the figure's alt text, when `draw` returns the figure alone.
    controls: name → ipywidget, or a list of values: numbers become a slider over them (arrow keys
        move it), words a menu.

    An error in `draw` is shown in the figure's place.
    """
    return Explorer(draw, alt, controls)


class Explorer:
    """A figure that follows its controls: what `explore` returns. As a cell's last line it shows
    itself.

    draw       what `explore` was given, as a function that returns a figure and its alt text
    controls   name → ipywidget
    picture    the figure as it stands, in HTML

    The controls are widgets and live as long as the kernel. The figure is not one: it is an output
    of the cell, with the values that it was drawn for in words, so it stays in the saved notebook.
    """

    def __init__(self, draw, alt: str | None, controls: dict):
        import ipywidgets

        self.controls = {name: _control(name, c) for name, c in controls.items()}
        self._given, self._alt = draw, alt
        self._id = f"translearn-{uuid.uuid4().hex[:8]}"
        self._busy = ipywidgets.HTML()
        self._box = ipywidgets.VBox([*self.controls.values(), self._busy])
        self._box.add_class("translearn-explorer").add_class(self._id)
        for control in self.controls.values():
            control.observe(self._redraw, names="value")
        self._draw_anew()

    def draw(self, **values):
        drawn = self._given(**values)
        return drawn if isinstance(drawn, tuple) else (drawn, self._alt or "")

    def _redraw(self, _=None):
        self._busy.value = BUSY
        try:
            self._draw_anew()
            page.show(*self._output(), self._id, update=True)
        finally:
            self._busy.value = ""

    def _draw_anew(self):
        try:
            fig, text = self.draw(**{name: c.value for name, c in self.controls.items()})
            self.picture, self._text = plots.to_html(fig, text), str(text)
        except Exception as error:  # inside a widget's callback it would vanish without a trace
            self._text = f"{type(error).__name__}: {error}"
            self.picture = (
                f'<div role="alert" class="translearn-error"><b>{type(error).__name__}</b>: '
                f"{escape(str(error))}</div>"
            )

    def _output(self):
        values = ", ".join(f"{_words(n)}: {c.value}" for n, c in self.controls.items())
        html = (
            f'<figure style="margin:0">{self.picture}<figcaption>Drawn for {escape(values)}'
            f"</figcaption></figure>{page.named_sliders(self._id, self._box)}"
        )
        return html, f"{self._text} (Drawn for {values}.)"

    def _ipython_display_(self):
        names = ", ".join(map(_words, self.controls))
        offline = f"Controls ({names}): they move the figure while the notebook runs."
        page.show(f"<p>{escape(offline)}</p>", offline, widget=self._box)
        page.show(*self._output(), self._id)


def _control(name, control):
    import ipywidgets

    if not isinstance(control, (list, tuple, range)):
        return control
    if len(control) < 2:
        raise CourseError(
            f"The control {name!r} needs at least two values to choose from, not {len(control)}."
        )
    slider = all(isinstance(value, numbers.Real) for value in control)
    return (ipywidgets.SelectionSlider if slider else ipywidgets.Dropdown)(
        options=list(control),
        description=_words(name),
        style={"description_width": "initial"},
        layout={"width": "30em", "max_width": "100%"},
        **({"continuous_update": False} if slider else {}),
    )


def _words(name):
    return name.replace("_", " ")


def drop(model, class_names, fit: str | None = None):
    """A place to drop a picture on: below it you see the picture, and what the model says of it.

    model        a Keras model: raw pixels (n, height, width, 1 or 3) in, probabilities out
    class_names  in the order of its outputs
    fit          how the picture becomes square, as in training: "cut" (default), "pad", "stretch"

    A file can also be chosen with a button; `.show(path)` takes one without a browser and returns
    the table. What is no picture is answered by a sentence. Raises `CourseError` when the names do
    not go with the outputs.
    """
    from translearn.report.dropping import Drop

    return Drop(model, class_names, fit)


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
        self._id = f"translearn-{uuid.uuid4().hex[:8]}"
        self._slider = ipywidgets.FloatSlider(
            value=placed if placed is not None else (low + high) / 2,
            min=low,
            max=high,
            step=step,
            description="My bet",
            readout_format=f".{self._digits}f",
            continuous_update=False,
            layout={"width": "30em", "max_width": "100%"},
        )
        button = ipywidgets.Button(description="Place the bet", button_style="primary")
        button.on_click(lambda _: self.place(self._slider.value))
        self._box = ipywidgets.VBox([self._slider, button]).add_class(self._id)

    def place(self, value: float) -> None:
        """Write the guess down."""
        bets = self._read() | {self.key: float(value)}
        file = self._file()
        scratch = file.with_suffix(".tmp")
        scratch.write_text(json.dumps(bets), encoding="utf-8")
        os.replace(scratch, file)
        page.show(*self._output(), self._id, update=True)

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

    def _output(self):
        """The question and what was bet, which stay in the saved notebook."""
        value = self._read().get(self.key)
        bet, said = "", "No bet placed yet."
        if value is not None:
            bet = f"{value:.{self._digits}f} {self.unit}"
            said = f"Your bet: <b>{escape(bet)}</b>. It is settled further down."
        html = f"<div>{said}</div>{page.named_sliders(self._id, self._box)}"
        return html, f"Your bet: {bet}" if bet else said

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
        page.show(f"<p><b>{escape(self.question)}</b></p>", self.question)
        offline = "A bet is placed with a slider and a button while the notebook runs."
        page.show(f"<p>{offline}</p>", offline, widget=self._box)
        page.show(*self._output(), self._id)


class Guesses:
    """Things to name by looking: a menu for each, and a button that says how many are right.

    truth     name of a thing → what it is; it is not shown before a guess was made
    choices   what a thing may be called; all of `truth` among them

    `guess` does without the menus what the button does with them.
    """

    def __init__(self, truth: dict, choices: list):
        import ipywidgets

        unknown = sorted(set(truth.values()) - set(choices))
        if unknown:
            raise CourseError(f"The choices lack {', '.join(unknown)}, which is an answer.")
        self._truth = dict(truth)
        self._id = f"translearn-{uuid.uuid4().hex[:8]}"
        self._menus = {
            name: ipywidgets.Dropdown(
                options=["?", *choices],
                description=str(name),
                layout={"width": "24em", "max_width": "100%"},
            )
            for name in truth
        }
        button = ipywidgets.Button(description="How many are right?", button_style="primary")
        button.on_click(lambda _: self._press())
        self._box = ipywidgets.VBox([*self._menus.values(), button])

    def guess(self, guesses: dict) -> int:
        """How many of these guesses are right, after showing each beside the answer.

        Raises `CourseError` for a thing that is not there, and for a name that is no choice.
        """
        if unknown := sorted(set(guesses) - set(self._truth)):
            raise CourseError(
                f"There is no {unknown[0]!r} here. There are: {', '.join(self._truth)}."
            )
        for name, said in guesses.items():
            if said not in self._menus[name].options:
                raise CourseError(
                    f"{name!r} cannot be called {said!r}. The choices are: "
                    f"{', '.join(self._menus[name].options[1:])}."
                )
        for name, said in guesses.items():
            self._menus[name].value = said
        return self._press()

    def _press(self):
        said = {name: menu.value for name, menu in self._menus.items()}
        page.show(*self._output(said), self._id, update=True)
        return sum(said[name] == answer for name, answer in self._truth.items())

    def _output(self, said):
        if set(said.values()) <= {"?"}:
            text = "No guess made yet."
            return f"<p>{text}</p>", text
        right = sum(said[name] == answer for name, answer in self._truth.items())
        lines = [
            f"{name}: {'✓' if said[name] == answer else '✗'} you said {said[name]}; it is {answer}"
            for name, answer in self._truth.items()
        ]
        head = f"{right} of {len(self._truth)} are right."
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        return (
            f'<div role="status"><b>{head}</b><ul>{items}</ul></div>',
            "\n".join([head, *lines]),
        )

    def _ipython_display_(self):
        offline = "Menus to choose from, and a button, while the notebook runs."
        page.show(f"<p>{offline}</p>", offline, widget=self._box)
        page.show(*self._output({name: m.value for name, m in self._menus.items()}), self._id)


def _points(unit):
    return "points" if unit == "%" else unit
