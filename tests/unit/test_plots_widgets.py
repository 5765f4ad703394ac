"""Figures carry their alt text onto the page; explorers follow their controls; bets are kept."""

import matplotlib
import pytest

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402

from translearn import measure, plots, widgets  # noqa: E402
from translearn.errors import CourseError  # noqa: E402


def line():
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    return fig


def test_a_figure_reaches_the_page_with_its_alt_text_escaped():
    html = plots.to_html(line(), 'Rises from 1 to 2, "at once" & <steeply>')
    assert (
        '<img alt="Rises from 1 to 2, &quot;at once&quot; &amp; &lt;steeply&gt;"' in html
        and "data:image/png;base64," in html
    )
    assert not plt.get_fignums(), "the figure is closed, so it is not shown twice"


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_alt_text_is_refused(alt):
    with pytest.raises(CourseError, match="no alt text"):
        plots.to_html(line(), alt)


def test_results_show_every_seed_and_the_baseline():
    def run(seed, name):
        return {"accuracy": 0.5 + seed / 10 if name == "a" else 0.2}

    results = measure.compare(run, grid={"name": ["a", "b"]}, seeds=3, progress=False)
    fig = plots.results(results, "accuracy", "A is ahead", baseline=("chance", 0.1))
    ax = fig.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"] and ax.get_title(
        loc="left"
    ) == "A is ahead"
    assert (
        sorted(x for drawn in ax.lines if drawn.get_marker() == "o" for x in drawn.get_xdata())[-1]
        == 0.7
    )
    plt.close(fig)


def test_an_explorer_follows_its_control_and_shows_an_error_in_the_figures_place():
    def draw(n):
        if n == 3:
            raise ValueError("three is <too> many")
        return line(), f"{n} lines"

    box = widgets.explore(draw, n=[1, 2, 3])
    slider, picture = box.children
    assert 'alt="1 lines"' in picture.value
    slider.value = 2
    assert 'alt="2 lines"' in picture.value
    slider.value = 3
    assert (
        'class="translearn-error"' in picture.value
        and "three is &lt;too&gt; many" in picture.value
    )
    with pytest.raises(CourseError, match="at least two values"):
        widgets.explore(draw, n=[1])


def test_a_bet_is_kept_and_settled(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    assert "You placed no bet" in widgets.Bet("k", "How much?", 0, 100).settle(46).data
    widgets.Bet("k", "How much?", 0, 100).place(30)
    later = widgets.Bet("k", "How much?", 0, 100)  # as after a kernel restart
    assert later._slider.value == 30
    assert "You bet 30 %, which is 16 points off" in later.settle(46).data


def test_the_live_plot_redraws_after_each_epoch(monkeypatch):
    import IPython.display
    import keras
    import numpy as np

    shown = []

    class Handle:
        def update(self, html):
            shown.append(html.data)

    monkeypatch.setattr(IPython.display, "display", lambda *a, **k: Handle())
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(
        np.zeros((8, 2)),
        np.zeros((8, 1)),
        validation_split=0.5,
        epochs=3,
        verbose=0,
        callbacks=[plots.live()],
    )
    assert len(shown) == 3 and "After epoch 3: loss" in shown[-1] and "val_loss" in shown[-1]


@pytest.mark.parametrize("text", ["[1, 2]", "{ broken", "null"])
def test_a_damaged_file_of_bets_stops_no_lesson(text, tmp_path, monkeypatch):
    from translearn import paths, widgets

    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    (tmp_path / "bets.json").write_text(text)
    bet = widgets.Bet("taste", "How many?", 0, 10)
    bet.place(4)
    assert "You bet 4" in bet.settle(5).data
