"""Explorers, bets and guesses as the book's HTML."""

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
    assert explorers.WORDS["en"]["one at a time"] in html


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
    assert told(html)["truth"] == kept["truth"]


def test_both_languages_have_the_same_words_with_the_same_places():
    english, chinese = explorers.WORDS["en"], explorers.WORDS["zh_CN"]
    assert english.keys() == chinese.keys()
    for key, words in english.items():
        places = [sorted(re.findall(r"\{\w+\}", each)) for each in (words, chinese[key])]
        assert places[0] == places[1], key


def test_pictures_are_copied_once(tmp_path):
    source, into = tmp_path / "a", tmp_path / "b"
    source.mkdir()
    for point in MANIFEST["points"].values():
        (source / point["picture"]).write_bytes(b"webp")
    run = SimpleNamespace(explorers={"abc": MANIFEST}, folder=source)
    explorers.pictures(run, into)
    assert len(list(into.iterdir())) == 4
