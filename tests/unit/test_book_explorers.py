"""Explorers, bets and guesses as the book's HTML."""

import base64
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import nbformat
import pytest

from translearn import widgets
from translearn.authoring.book import explorers

MANIFEST = {
    "cell": "abc",
    "width": 700,
    "height": 300,
    "controls": [
        {"name": "n", "label": "n & m", "kind": "slider", "values": ["1", "2"], "start": 1},
        {"name": "k", "label": "k", "kind": "menu", "values": ["<a>", "b"], "start": 0},
    ],
    "whole": True,
    "points": {
        f"{n},{k}": {"picture": f"{n}{k}.webp", "alt": f'At {n}, "{k}" </script>'}
        for n in range(2)
        for k in range(2)
    },
}
BET = 'bet = widgets.Bet(\n    "key", "How " "many?", -5, 20, unit="points", step=0.5\n)\nbet'


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def __getitem__(self, wanted):
        return [attributes for tag, attributes in self.found if tag == wanted]


def told(html):
    return json.loads(re.search(r'application/json">(.*?)</script>', html, re.S)[1])


def test_an_explorer_shows_where_it_starts_and_knows_the_rest():
    html = explorers.explorer_html(MANIFEST, "pictures/")
    tags = Tags(html)
    [image], [slider], [menu] = tags["img"], tags["input"], tags["select"]
    assert image["src"] == "pictures/10.webp" and image["alt"] == 'At 1, "0" </script>'
    assert (slider["value"], slider["max"], slider["aria-valuetext"]) == ("1", "1", "2")
    assert {one["for"] for one in tags["label"]} == {slider["id"], menu["id"]}
    assert told(html)["points"] == MANIFEST["points"]
    assert "n &amp; m: 2, k: &lt;a&gt;" in html and "one puts" not in html


def test_an_explorer_of_which_not_all_was_drawn_says_so():
    html = explorers.explorer_html(MANIFEST | {"whole": False}, "")
    assert explorers.WORDS["one at a time"] in html


def reached(found):
    """The alt text of an explorer; the answer of a game of guesses."""
    if "points" in found and "controls" in found:
        return [found["points"]["0,0"]["alt"]]
    return json.loads(base64.b64decode(found["hidden"])).values()


HOSTILE = "\"><img src=x onerror=alert(1)><!--<script></script>&'{values}"


def hostile():
    """Everything that lives in the book, with nothing but hostile words."""
    control = {"name": "n", "label": HOSTILE, "values": [HOSTILE, "b"], "start": 0}
    manifest = MANIFEST | {
        "controls": [control | {"kind": "slider"}, control | {"kind": "menu"}],
        "points": {"0,0": {"picture": "a.webp", "alt": HOSTILE}},
        "whole": True,
    }
    asked = {"key": HOSTILE, "question": HOSTILE, "low": 0, "high": 9, "unit": HOSTILE}
    game = {"cell": "c", "truth": {HOSTILE: HOSTILE}, "choices": [HOSTILE]}
    yield "explorer", explorers.explorer_html(manifest, "p/")
    yield "bet", explorers.bet_html(**asked)
    yield "settled", explorers.settled_html(3, **asked)
    yield "guesses", explorers.guesses_html(game)


@pytest.mark.parametrize("kind, html", [*hostile()], ids=lambda one: one[:8])
def test_hostile_words_stay_words(kind, html):
    tags = Tags(html)
    assert len(tags["script"]) == 1 and len(tags["img"]) == (kind == "explorer")
    assert not any("onerror" in attributes for _, attributes in tags.found)
    assert HOSTILE in (found := told(html)).values() or HOSTILE in reached(found)
    # Between its tags, the script has nothing that a browser reads as more of the page.
    assert "<" not in re.search(r'application/json">(.*?)</script>', html, re.S)[1]
    assert {one["for"] for one in tags["label"]} == {
        field["id"] for field in tags["input"] + tags["select"]
    }


@pytest.mark.parametrize(
    "low, high, step, start",
    [(0, 15, 1, 8), (0, 13, 1, 6), (-5, 20, 0.5, 7.5), (0, 15, 0.25, 7.5)],
)
def test_a_bet_starts_on_a_step_and_says_that_value(low, high, step, start):
    html = explorers.bet_html("key", "How many?", low, high, step=step)
    [slider] = Tags(html)["input"]
    assert float(slider["value"]) == start == float(slider["aria-valuetext"].split()[0])


def test_what_was_measured_is_folded_until_a_bet_is_placed():
    html = explorers.settled_html(3, "key", "How many?", 0, 9)
    before, folded = html.split("</summary>")
    assert "Measured: <b>3 %</b>" in folded and "<details>" in before
    assert "Measured" not in re.sub("<script.*?</script>", "", before)


def test_a_place_to_drop_a_picture_says_where_it_works():
    cell = ("demo = widgets.drop(model, names)\ndemo", [])
    html = explorers.alive(executed(cell), "")["cell0"]
    assert "place to drop a picture" in html and "course.py lab" in html


def executed(*cells):
    made = [
        nbformat.v4.new_code_cell(code, id=f"cell{at}", outputs=outputs)
        for at, (code, outputs) in enumerate(cells)
    ]
    notebook = nbformat.v4.new_notebook(cells=made)
    return SimpleNamespace(notebook=notebook, explorers={"abc": MANIFEST}, folder=None)


@pytest.mark.parametrize("measured", [3.25, -2.0])
def test_a_bet_is_settled_by_what_the_lesson_measured(tmp_path, monkeypatch, measured):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    bet = widgets.Bet("key", "How many?", -5, 20, unit="points", step=0.5)
    bet.place(1.0)
    html = bet.settle(measured).data
    output = nbformat.v4.new_output("execute_result", {"text/html": html})
    found = explorers.alive(executed((BET, []), ("bet.settle(x)", [output])), "pictures/")
    assert list(found) == ["abc", "cell0", "cell1"]
    [slider] = Tags(found["cell0"])["input"]
    assert (slider["min"], slider["max"], slider["step"]) == ("-5", "20", "0.5")
    assert "How many?" in found["cell0"] and "How many?" in found["cell1"]
    assert told(found["cell1"])["measured"] == measured
    assert told(found["cell0"])["key"] == told(found["cell1"])["key"] == "key"


def test_every_lesson_s_bet_is_understood():
    from translearn.authoring import reading

    for source in reading.sources():
        bets = [explorers._bet(cell.text) for cell in reading.read(source).cells]
        [(_, asked)] = [bet for bet in bets if bet]
        assert {"key", "question", "low", "high"} <= asked.keys(), source.name


def test_guesses_ask_for_each_thing_and_know_the_answers():
    kept = {"cell": "abc", "points": {}, "truth": {"A": "cat", "B": "dog"}}
    html = explorers.guesses_html(kept | {"choices": ["cat", "dog", "cow"]})
    tags = Tags(html)
    assert len(tags["select"]) == 2 and len(tags["option"]) == 8
    [script] = re.findall('json">(.*?)</script>', html)
    assert "cat" not in script and "dog" not in script
    assert json.loads(base64.b64decode(told(html)["hidden"])) == kept["truth"]


def test_pictures_are_copied_once(tmp_path):
    source, into = tmp_path / "a", tmp_path / "b"
    source.mkdir()
    for point in MANIFEST["points"].values():
        (source / point["picture"]).write_bytes(b"webp")
    run = SimpleNamespace(explorers={"abc": MANIFEST}, folder=source)
    explorers.pictures(run, into)
    assert len(list(into.iterdir())) == 4
