"""Figures that everybody can read: colour-safe, labelled, and with alt text on the page.

JupyterLab drops the alt text of an image output, so `show` writes the figure as an HTML `<img
alt="…">`, with the alt text as plain text beside it. Nothing here computes; it draws what it is
given.
"""

import base64
import io
import textwrap
import uuid
from html import escape

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
import numpy as np

from translearn import page, words
from translearn.errors import CourseError
from translearn.words import _

# Okabe and Ito's palette (2008), told apart with every common form of colour blindness; the black
# comes last.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
# For words on white the palette is too light (3.4 : 1). These two have more than 6 : 1.
RIGHT, WRONG = "#006B4D", "#A64600"
SHARP = 1.6  # pixels saved for each one shown: letters stay sharp on a page at 150 %
READABLE = 600  # pixels: a narrow page scrolls a figure sideways and makes it no smaller than this

matplotlib.rcParams.update(
    {
        "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "figure.figsize": (7, 3.6),
        "figure.dpi": 110,
        "figure.constrained_layout.use": True,
    }
)
words.prepare_figures()


def to_html(fig, alt: str) -> str:
    """The figure as an HTML image with its alt text. Closes the figure.

    Raises `CourseError` when the alt text is empty: a blind reader would get nothing.
    """
    if not str(alt).strip():
        raise CourseError(
            "This figure has no alt text. Say in one or two sentences what it shows: alt='…'."
        )
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=SHARP * fig.dpi)
    plt.close(fig)
    data = base64.b64encode(buffer.getvalue()).decode()
    wide = round(fig.get_figwidth() * fig.dpi)
    # White behind it in the dark theme too: the axes' labels are black.
    return (
        f'<div style="overflow-x:auto"><img alt="{escape(str(alt), quote=True)}" width="{wide}" '
        f'style="max-width:max(100%,{min(wide, READABLE)}px);height:auto;background:#fff" '
        f'src="data:image/png;base64,{data}"></div>'
    )


def show(fig, alt: str) -> None:
    """Show a figure in the notebook, with the alt text that a screen reader reads out."""
    page.show(to_html(fig, alt), str(alt))


def results(
    results, metric: str, title: str, label: str | None = None, baseline: tuple | None = None
):
    """One row for each arm: every seed as a dot, the mean as a bar with its standard deviation.

    `baseline` is `(name, value)`, drawn as a dashed line: the majority class, or chance.
    """
    arms = results.arms
    fig, ax = plt.subplots(figsize=(7, 0.9 + 0.5 * len(arms)))
    for row, arm in enumerate(arms):
        values = results.values(arm, metric)
        ax.plot(values, np.full(len(values), row), "o", alpha=0.45, ms=5)
        ax.errorbar(
            np.mean(values),
            row,
            xerr=np.std(values, ddof=1) if len(values) > 1 else 0,
            fmt="|",
            ms=16,
            mew=2.5,
            capsize=4,
            color="black",
        )
    if baseline:
        ax.axvline(baseline[1], ls="--", color="grey")
        ax.text(baseline[1], -0.75, f" {baseline[0]}", color="#555", va="center", fontsize=9)
    ax.set_yticks(range(len(arms)), map(_, arms))
    ax.set_ylim(len(arms) - 0.4, -1)
    ax.set(xlabel=label or _(metric), title=title)
    return fig


def lines(series: dict, title: str, xlabel: str, ylabel: str, ax=None, log_x: bool = False):
    """Lines with their spread. `series` is name → (x, means, standard deviations)."""
    fig, ax = (ax.figure, ax) if ax is not None else plt.subplots()
    for i, (name, (x, mean, spread)) in enumerate(series.items()):
        mean, spread = np.asarray(mean), np.asarray(spread)
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(x, mean, marker=MARKERS[i % len(MARKERS)], label=_(name), color=colour)
        ax.fill_between(x, mean - spread, mean + spread, alpha=0.2, color=colour, lw=0)
    if log_x:
        ax.set_xscale("log")
        ax.set_xticks(x, [f"{v:g}" for v in x])
        ax.minorticks_off()
    elif all(float(v).is_integer() for name in series for v in series[name][0]):
        ax.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if len(series) > 1:
        ax.legend(frameon=False)
    return fig


def pictures(images, labels=None, title: str = "", columns: int = 8, right=None):
    """A sheet of pictures, a label under each; `right` marks each as right (✓) or wrong (✗)."""
    images = np.asarray(images)
    rows = -(-len(images) // columns)
    marks = [""] * len(images) if right is None else ["✓ " if good else "✗ " for good in right]
    captions = [
        "\n".join(textwrap.fill(line, 14) for line in f"{mark}{label}".splitlines())
        for mark, label in zip(marks, [] if labels is None else labels)
    ]
    high = 1.45 + 0.16 * max((caption.count("\n") for caption in captions), default=0)
    fig, axes = plt.subplots(
        rows, columns, figsize=(columns * 1.15, rows * high + 0.4), squeeze=False
    )
    for ax in axes.flat:
        ax.axis("off")
    for i, (ax, image) in enumerate(zip(axes.flat, images)):
        ax.imshow(image.squeeze(), cmap="gray" if image.shape[-1] == 1 else None)
        if captions:
            colour = "black" if right is None else RIGHT if right[i] else WRONG
            ax.set_title(captions[i], fontsize=9.5, loc="center", weight="normal", color=colour)
    fig.suptitle(title, fontsize=12, weight="bold", x=0.01, ha="left")
    return fig


def live(metrics=("loss", "val_loss"), alt: str = "Training curves, drawn while training runs"):
    """A Keras callback that draws the training curves after every epoch, and a progress bar above
    them.

    Pass it to `fit(…, verbose=0, callbacks=[plots.live()])`.
    """
    import keras
    from tqdm.auto import tqdm

    class Live(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.history = {m: [] for m in metrics}
            self.bar = tqdm(total=self.params["epochs"], unit="epoch", desc="training")
            self.name = f"live-{uuid.uuid4().hex[:8]}"
            page.show("", "", self.name)

        def on_epoch_end(self, epoch, logs=None):
            for m in metrics:
                if m in (logs or {}):
                    self.history[m].append(logs[m])
            self.bar.update()
            page.show(to_html(self._figure(), self._alt()), self._alt(), self.name, update=True)

        def on_train_end(self, logs=None):
            self.bar.close()

        def _figure(self):
            fig, ax = plt.subplots(figsize=(6, 2.8))
            for (name, values), marker in zip(self.history.items(), MARKERS):
                if values:
                    ax.plot(range(1, len(values) + 1), values, marker=marker, ms=4, label=name)
            ax.set(
                xlabel="epoch",
                ylabel=" / ".join(metrics),
                title=f"Epoch {self._epochs()} of {self.params['epochs']}",
            )
            ax.legend(frameon=False)
            return fig

        def _epochs(self):
            return max(len(v) for v in self.history.values())

        def _alt(self):
            last = ", ".join(f"{m} {v[-1]:.3g}" for m, v in self.history.items() if v)
            return f"{alt}. After epoch {self._epochs()}: {last}."

    return Live()
