"""What `widgets.drop` shows: a place for a picture, and what a model says of it."""

import base64
import functools
import io
import tempfile
import uuid
from html import escape
from pathlib import Path

import numpy as np

from translearn import page
from translearn.errors import CourseError
from translearn.report import handing
from translearn.report.testing import probabilities_of

LARGEST = 100_000_000  # bytes of a file that is taken
SHOWN = 5  # classes in the table
PAGES = Path(__file__).with_name("pages")


@functools.cache
def _place_kind():
    """The widget's class. (anywidget is imported late: `import translearn` is instant.)"""
    import anywidget
    import traitlets

    class Place(anywidget.AnyWidget):
        _esm = (PAGES / "drop.js").read_text(encoding="utf-8")
        _css = (PAGES / "drop.css").read_text(encoding="utf-8")
        largest = traitlets.Int(LARGEST).tag(sync=True)

    return Place


class Drop:
    """A place onto which a picture is dropped (or a button that chooses one), and below it the
    picture as the model sees it with the most probable classes. As a cell's last line it shows
    itself. `show(path)` does the same with a file, without a browser.
    """

    def __init__(self, model, class_names, fit: str | None = None):
        import ipywidgets

        self._model, self._names = model, [str(name) for name in class_names]
        self._shape, self._fit = handing.shape_of(model), handing.known_fit(fit)
        outputs = model.output_shape[-1]
        if outputs != len(self._names):
            raise CourseError(
                f"The model has {outputs} outputs, and there are {len(self._names)} class names. "
                "Give a name for each output, in their order."
            )
        self._id = f"translearn-{uuid.uuid4().hex[:8]}"
        self._place = _place_kind()()
        self._place.on_msg(self._take)
        self._box = ipywidgets.VBox([self._place])
        self._pieces = bytearray()
        self._said = "<p>No picture yet.</p>", "No picture yet."

    def show(self, path):
        """Show a picture file and what the model says of it. Returns the pandas table of classes
        with their probabilities, most probable first; None, with a sentence in the picture's
        place, for what is no picture.
        """
        return self._show(Path(path).expanduser(), Path(path).name)

    def _take(self, _, content, buffers):
        """A piece of a file, from the browser."""
        name, size = str(content.get("name", "")), int(content.get("size", 0))
        if content.get("too_large") or size > LARGEST:
            self._say_no(name, f"it has more than {LARGEST / 1e6:.0f} million bytes")
            return
        if content.get("at") == 0:
            self._pieces = bytearray()
        self._pieces += b"".join(bytes(each) for each in buffers or ())
        if len(self._pieces) < size:
            return
        # The name is a stranger's: its ending alone becomes part of a file's.
        ending = "".join(c for c in Path(name).suffix if c.isalnum() or c == ".")[:10]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"picture{ending}"
            file.write_bytes(self._pieces)
            self._pieces = bytearray()
            try:
                self._show(file, name)
            except Exception as error:  # in a widget's callback it would vanish without a trace
                self._say_no(name, f"{type(error).__name__}: {error}")

    def _show(self, file, name):
        import pandas as pd

        from translearn.data import decoding

        try:
            with decoding.quietly():
                pixels = read(file, self._shape, self._fit)
        except decoding.Refused as why:
            self._say_no(name, str(why))
            return None
        said = probabilities_of(self._model, pixels[None], self._names)[0]
        order = np.argsort(-said, kind="stable")
        self._say(name, pixels, said, order)
        return pd.DataFrame(
            {"class": [self._names[each] for each in order], "probability": said[order]}
        )

    def _say(self, name, pixels, said, order):
        guess, sure = self._names[order[0]], f"{said[order[0]]:.0%}"
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(self._names[each])}</th>'
            f"<td>{said[each]:.1%}</td></tr>"
            for each in order[:SHOWN]
        )
        html = (
            f'<div role="status"><p><b>{escape(guess)}</b> ({sure}): {escape(name)}</p></div>'
            '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">'
            f'<img alt="{escape(name, quote=True)} as the model sees it, taken for '
            f'{escape(guess, quote=True)}" width="{max(pixels.shape[1], 160)}" '
            f'src="data:image/png;base64,{_png(pixels)}">'
            '<table><thead><tr><th scope="col" style="text-align:left">class</th>'
            f'<th scope="col">probability</th></tr></thead><tbody>{rows}</tbody></table></div>'
        )
        listed = ", ".join(f"{self._names[each]} {said[each]:.1%}" for each in order[:SHOWN])
        self._tell(html, f"{name}: {guess} ({sure}). {listed}")

    def _say_no(self, name, why):
        text = f"{name or 'What was dropped'} cannot be shown: {why}."
        self._tell(f'<div role="alert" class="translearn-error">{escape(text)}</div>', text)

    def _tell(self, html, text):
        self._said = html, text
        page.show(html, text, self._id, update=True)

    def _ipython_display_(self):
        offline = "A place to drop a picture on, while the notebook runs."
        page.show(f"<p>{offline}</p>", offline, widget=self._box)
        page.show(*self._said, self._id)


def read(file: Path, shape: tuple, fit: str) -> np.ndarray:
    """A picture file as `data.from_directory` reads it: uint8 (height, width, channels).

    Raises `decoding.Refused`. Call it inside `decoding.quietly()`.
    """
    from PIL import Image

    from translearn.data import decoding, pictures

    side, _, channels = shape
    decoded = decoding.decode(file, whole=fit != "cut")
    pixels = pictures.fitted(decoded.picture, side, fit)
    if channels == 1:
        pixels = np.asarray(Image.fromarray(pixels).convert("L"))
    return pixels.reshape(shape)


def _png(pixels) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
