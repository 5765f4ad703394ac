"""Figures carry their alt text onto the page; explorers follow their controls; bets are kept."""

import matplotlib
import pytest

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

from translearn import measure, page, plots, widgets  # noqa: E402
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

    explorer = widgets.explore(draw, n=[1, 2, 3])
    slider = explorer.controls["n"]
    assert 'alt="1 lines"' in explorer.picture
    slider.value = 2
    assert 'alt="2 lines"' in explorer.picture
    slider.value = 3
    assert 'class="translearn-error"' in explorer.picture
    assert "three is &lt;too&gt; many" in explorer.picture
    with pytest.raises(CourseError, match="at least two values"):
        widgets.explore(draw, n=[1])


def test_a_bet_is_kept_and_settled(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    assert "You placed no bet" in widgets.Bet("k", "How much?", 0, 100).settle(46).data
    widgets.Bet("k", "How much?", 0, 100).place(30)
    later = widgets.Bet("k", "How much?", 0, 100)  # as after a kernel restart
    assert later._slider.value == 30
    assert "You bet 30 %, which is 16 points off" in later.settle(46).data


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would keep: (name, HTML, text) of each output, an update in its place."""
    outputs = []

    def show(html, text, name=None, update=False, widget=None):
        assert update == (name in [each[0] for each in outputs if name])
        if update:
            outputs[[each[0] for each in outputs].index(name)] = (name, html, text)
        else:
            outputs.append((name, html, text))

    monkeypatch.setattr(page, "show", show)
    return outputs


def test_the_live_plot_redraws_after_each_epoch_and_stays(shown):
    import keras
    import numpy as np

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
    ((_, html, text),) = shown
    assert "<img alt=" in html and "After epoch 3: loss" in text and "val_loss" in text


def test_an_explorer_keeps_its_last_picture_and_its_values_in_words(shown):
    explorer = widgets.explore(lambda n, how: (line(), f"{n} {how}"), n=[1, 2], how=["up", "down"])
    explorer._ipython_display_()
    explorer.controls["n"].value = 2
    explorer.controls["how"].value = "down"
    (_, offline, _), (_, html, text) = shown
    assert "Controls (n, how)" in offline
    assert 'alt="2 down"' in html and "Drawn for n: 2, how: down</figcaption>" in html
    assert text == "2 down (Drawn for n: 2, how: down.)"


def test_words_are_chosen_from_a_menu_and_numbers_with_a_slider_that_is_named():
    explorer = widgets.explore(lambda **_: (line(), "a line"), rate=[0.1, 1], how=["up", "down"])
    kinds = {name: type(control).__name__ for name, control in explorer.controls.items()}
    assert kinds == {"rate": "SelectionSlider", "how": "Dropdown"}
    html, _ = explorer._output()
    assert f'("{explorer._id}", 1, 100)' in html, "one slider to name, in this explorer"


def test_while_a_figure_is_drawn_it_says_so():
    said = []

    def draw(n):
        said.append(explorer._busy.value if n > 1 else "")
        return line(), f"{n}"

    explorer = widgets.explore(draw, n=[1, 2])
    explorer.controls["n"].value = 2
    assert "Drawing …" in said[-1] and 'role="status"' in said[-1] and explorer._busy.value == ""


def test_a_bet_keeps_its_question_and_the_guess(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    bet = widgets.Bet("k", "How much?", 0, 100)
    bet._ipython_display_()
    bet.place(30)
    assert [text for _, _, text in shown][::2] == ["How much?", "Your bet: 30 %"]
    assert f'("{bet._id}", 1, 100)' in shown[2][1], "its slider is named"


def test_a_progress_bar_stays_as_html_and_text_whatever_ends_it(shown):
    bar_of, trange_of = page.progress_bars()
    for _ in trange_of(3, desc="three & <more>"):
        pass
    with pytest.raises(ValueError):
        for each in bar_of([1, 2, 3], desc="cut"):
            raise ValueError(each)
    list(bar_of(iter("ab"), desc="of unknown length"))
    list(bar_of([1], leave=False))
    list(bar_of([1], disable=True))
    three, cut, unknown, left = shown
    assert '<progress aria-label="three &amp; &lt;more&gt;" max="3" value="3">' in three[1]
    assert three[2].startswith("three & <more>: 3 of 3 in 00:0")
    assert cut[2].startswith("cut: 0 of 3 in 00:0") and cut[2].endswith("(stopped)")
    assert unknown[2].startswith("of unknown length: 2 in 00:0") and left[1:] == ("", "")


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_captions_are_large_and_dark_enough_and_figures_white_in_every_theme():
    import numpy as np

    names = ["cup", "sky or landscape", "sport, music or toy"]
    fig = plots.pictures(np.zeros((3, 8, 8, 1)), names, right=[True, False, False])
    titles = [ax.title for ax in fig.axes if ax.title.get_text()]
    assert [" ".join(title.get_text().split()) for title in titles] == [
        "✓ cup",
        "✗ sky or landscape",
        "✗ sport, music or toy",
    ]
    fig.canvas.draw()
    cup, sky, toy = (title.get_window_extent() for title in titles)
    assert cup.x1 < sky.x0 and sky.x1 < toy.x0, "no caption runs into the next"
    for title in titles:
        assert 1.05 / (luminance(title.get_color()) + 0.05) >= 4.5
        assert title.get_size() >= 9
    assert "background:#fff" in plots.to_html(fig, "two pictures")


def test_a_table_has_no_empty_header():
    import pandas as pd

    html = page.table(pd.DataFrame({"a": [1]}, index=["row"])._repr_html_())
    assert "<th></th>" not in html and "<th>a</th>" in html and "<th>row</th>" in html


@pytest.mark.parametrize("text", ["[1, 2]", "{ broken", "null"])
def test_a_damaged_file_of_bets_stops_no_lesson(text, tmp_path, monkeypatch):
    from translearn import paths, widgets

    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    (tmp_path / "bets.json").write_text(text)
    bet = widgets.Bet("taste", "How many?", 0, 10)
    bet.place(4)
    assert "You bet 4" in bet.settle(5).data


def test_guesses_are_scored_and_answers_stay_hidden_until_then(shown):
    sheet = widgets.Guesses({"A": "rate too high", "B": "healthy"}, ["healthy", "rate too high"])
    sheet._ipython_display_()
    assert "it is" not in str(shown)
    assert sheet.guess({"A": "healthy", "B": "healthy"}) == 1
    assert "1 of 2 are right." in str(shown)
    assert "A: ✗ you said healthy; it is rate too high" in str(shown)
    assert sheet.guess({"A": "rate too high"}) == 2, "a guess once made stays"
    with pytest.raises(CourseError, match="no 'C' here"):
        sheet.guess({"C": "healthy"})
    with pytest.raises(CourseError, match="'B' cannot be called 'tired'"):
        sheet.guess({"A": "healthy", "B": "tired"})
    assert sheet.guess({}) == 2, "nothing is taken of a guess that is refused"
    with pytest.raises(CourseError, match="choices lack odd"):
        widgets.Guesses({"A": "odd"}, ["healthy"])
