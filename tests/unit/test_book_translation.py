"""The course in another language: whole, in step with its source, and drawn in its letters."""

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
import warnings

import matplotlib
import matplotlib.pyplot as plt
import pytest
from babel.messages.pofile import read_po
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from translearn import words
from translearn.authoring import notebooks, reading
from translearn.authoring.book import catalogues, font, languages, site, translation
from translearn.authoring.numbers import number
from translearn.errors import CourseError

OTHERS = [language for language in words.languages() if language != words.ENGLISH]
NUMBER = "It scored {{ taste.ten.pretrained.balanced_accuracy, percent }}."
PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def lesson(name):
    return reading.read(reading.find([name])[0])


@pytest.fixture
def locale(tmp_path, monkeypatch):
    """A function that makes the only language, xx, with catalogues: name → {message: text}."""

    def write(**found):
        folder = tmp_path / "locale" / "xx" / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        for name, messages in found.items():
            quoted = ([json.dumps(a, ensure_ascii=False) for a in m] for m in messages.items())
            rows = (f"msgid {a}\nmsgstr {b}\n" for a, b in quoted)
            file = folder / f"{name.replace('__', '-')}.po"
            file.write_text(PO + "\n".join(rows), encoding="utf-8")
        monkeypatch.setattr(words, "LOCALE", tmp_path / "locale")
        words.catalogue.cache_clear()
        return folder

    yield write
    words.catalogue.cache_clear()


# ---- In step with the source ----


def test_there_is_another_language():
    assert "zh_CN" in OTHERS
    assert set(translation.translated("zh_CN")) >= {"index", "00_start_here"}


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_whole_and_none_of_it_is_older_than_its_source(language):
    assert catalogues.faults(language) == []


def test_a_changed_paragraph_is_found_and_shown_in_english(locale, monkeypatch):
    before, after = "One run proves very little.", "One run proves very little, or nothing."
    folder = locale(index={before: "一次"}, words={})
    now = {"index": [before], "words": []}
    monkeypatch.setattr(catalogues, "templates", lambda pages: now)
    assert catalogues.faults("xx") == []
    now["index"] = [after]
    assert catalogues.faults("xx") == [
        f"index.po: missing: {after!r}",
        f"index.po: no longer said: {before!r}",
    ]
    catalogues.update("xx")
    words.catalogue.cache_clear()
    assert catalogues.faults("xx") == [f"index.po: fuzzy, the source has changed: {after!r}"]
    assert words.catalogue("xx", "index") == {}
    now["index"] = []
    catalogues.update("xx")
    with open(folder / "index.po", "rb") as file:
        assert list(read_po(file).obsolete) == [after]
    assert catalogues.faults("xx") == [f"index.po: no longer said: {after!r}"]


@pytest.mark.parametrize(
    "name, said, translated",
    [
        ("index", NUMBER, "得了 43 %。"),
        ("index", "See [there](a.ipynb#b).", "见[那里](a.ipynb#c)。"),
        ("index", "Use `fit`.", "用 `compile`。"),
        ("a-code", "{len(few)} of {all}", "{all} 中的 {few}"),
        ("a-code", "{mean:.2f}", "{mean:.3f}"),
        ("a-code", "{mean}", "{mean"),
        ("words", "{done} of {all}", "{done}"),
    ],
)
def test_what_a_translation_loses_is_named(locale, monkeypatch, name, said, translated):
    locale(**{"index": {}, "words": {}, name.replace("-", "__"): {said: translated}})
    now = {"index": [], "words": [], name: [said]}
    monkeypatch.setattr(catalogues, "templates", lambda pages: now)
    [fault] = catalogues.faults("xx")
    assert "other references" in fault or "no f-string" in fault


def test_fields_may_come_in_another_order(locale, monkeypatch):
    locale(index={}, words={}, a__code={"{len(few)} of {all}": "{all} 中的 {len(few)}"})
    monkeypatch.setattr(catalogues, "templates", lambda _: {"a-code": ["{len(few)} of {all}"]})
    assert catalogues.faults("xx") == []


def test_names_that_a_lesson_shows_come_from_its_code_and_the_ledger():
    found = catalogues.names(lesson("00"))
    assert {"from scratch", "balanced accuracy", "mammal", "pictures per class"} <= set(found)
    assert not [name for name in found if "labels" in name], "an experiment that is not shown"


# ---- Words in code ----


CODE = """\
print(f"{len(few)} of {n}", "pictures"); plots.results(found, "accuracy", "A " f"title {x['a']}")
fig = plots.lines(curves["from scratch"], "猫 title", "rate", "score")
alt = "One " + ", ".join(f"{name}: {value:.2f}" for name in names)
run("pictures", how="pretrained")
"""
WORDS = {
    "{len(few)} of {n}": "{n} 中的 {len(few)}",
    "pictures": "图片",
    "A title {x['a']}": "{x['a']} 题",
    "猫 title": "猫题",
    "One ": "一",
    "{name}: {value:.2f}": "{name}：{value:.2f}",
}


@pytest.fixture
def demo(locale, tmp_path):
    locale(demo={}, words={}, demo__code=WORDS)
    return reading.Lesson(tmp_path / "demo.md", [], {})


def test_only_what_is_shown_is_translated(demo):
    assert ast.unparse(ast.parse(translation.code(CODE, demo, "xx"))) == ast.unparse(
        ast.parse("""\
print(f"{n} 中的 {len(few)}", "图片"); plots.results(found, "accuracy", f"{x['a']} 题")
fig = plots.lines(curves["from scratch"], "猫题", "rate", "score")
alt = "一" + ", ".join(f"{name}：{value:.2f}" for name in names)
run("pictures", how="pretrained")
""")
    )
    assert translation.code(CODE, demo, "en") == CODE
    assert translation.code("%matplotlib inline\n", demo, "xx") == "%matplotlib inline\n"


def test_a_rehearsal_translates_names_as_it_runs(demo, locale):
    book = {"cells": [{"cell_type": "code", "source": ['few, n, how = [], 3, "scratch"\n']}]}
    source = 'alt = f"{how}: {n}"\n'
    book["cells"].append({"cell_type": "code", "source": [source]})
    locale(words={"scratch": "零"}, demo__code={"{how}: {n}": "{how}：{n}"})
    made = json.loads(translation.rehearsal(json.dumps(book), demo, "xx"))
    names = {}
    with words.speaking("xx"):
        for cell in made["cells"]:
            exec("".join(cell["source"]), names)
    assert names["alt"] == "零：3"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translated_lesson_computes_what_the_english_one_does(language):
    """Its rehearsals differ in words that are shown, and in nothing else."""
    for name in set(translation.translated(language)) - {"index"}:
        mine = lesson(name)
        text = notebooks.rehearsal(mine)
        pair = [json.loads(each) for each in (text, translation.rehearsal(text, mine, language))]
        english, other = ([c for c in b["cells"] if c["cell_type"] == "code"] for b in pair)
        other[0]["source"].pop(0)
        changed = 0
        for a, b in zip(english, other, strict=True):
            a, b = "".join(a["source"]), "".join(b["source"])
            changed += a != b
            assert ast.dump(_wordless(a)) == ast.dump(_wordless(b))
        assert changed > 5


def _wordless(source):
    tree = ast.parse(source)
    shown = {(node.lineno, node.col_offset) for node, _ in translation.literals(source)}

    class Blank(ast.NodeTransformer):
        def visit(self, node):
            if isinstance(node, (ast.Constant, ast.JoinedStr)):
                if (node.lineno, node.col_offset) in shown:
                    return ast.Constant("words")
            return super().generic_visit(node)

    return Blank().visit(tree)


# ---- The package's words ----


def test_english_is_said_as_it_stands(monkeypatch):
    monkeypatch.delenv("TRANSLEARN_LANGUAGE", raising=False)
    assert words._("{done} of {all}", done=1, all=2) == "1 of 2"
    assert words._("a {brace") == "a {brace" and words._(3) == 3


def test_a_language_is_spoken_for_a_while(locale, monkeypatch):
    locale(words={"{done} of {all}": "{all} 中的 {done}"})
    monkeypatch.delenv("TRANSLEARN_LANGUAGE", raising=False)
    with words.speaking("xx"):
        assert words._("{done} of {all}", done=1, all=2) == "2 中的 1"
        assert words._("not translated") == "not translated"
        with words.speaking("en"):
            assert words._("{done} of {all}", done=1, all=2) == "1 of 2"
    assert words.language() == "en"
    with pytest.raises(CourseError, match="does not speak 'yy'. Its languages are: en, xx."):
        with words.speaking("yy"):
            pass


def test_words_cost_nothing_where_english_is_spoken():
    code = "import sys; from translearn.words import _; _('x'); print('babel' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


# ---- Figures ----


@pytest.mark.parametrize("language", OTHERS)
def test_the_font_has_every_letter_that_figures_need(language):
    file = words.LOCALE / language / "font.otf"
    card = tomllib.loads(file.with_suffix(".toml").read_text(encoding="utf-8"))
    assert hashlib.sha256(file.read_bytes()).hexdigest() == card["sha256"]
    lacking = set(font.glyphs(language)) - set(map(chr, TTFont(file).getBestCmap()))
    assert not lacking, f"cut the font anew (translearn.authoring.book.font): {lacking}"
    assert file.stat().st_size < 150_000
    assert "OPEN FONT LICENSE" in file.with_name("font-licence.txt").read_text(encoding="utf-8")


def test_chinese_is_drawn(monkeypatch):
    known = font_manager.fontManager
    monkeypatch.setattr(known, "ttflist", list(known.ttflist))
    with matplotlib.rc_context(), words.speaking("zh_CN"), warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that no font has
        words.prepare_figures()
        fig, ax = plt.subplots()
        ax.set(title="预训练：10 ± 2 %", xlabel="平衡准确率 ✓ → “瞎猜”")
        ax.title.set_weight("bold")
        fig.canvas.draw()
        plt.close(fig)


# ---- The book ----


def test_a_translated_sentence_takes_its_number_from_the_ledger(tmp_path):
    """A small book with sentences of the start page, one of its two pages not translated."""
    known = words.catalogue("zh_CN", "index")
    said = next(each for each in known if each.startswith("Cut off after the first tenth"))
    source, output = tmp_path / "source", tmp_path / "book"
    (source / "extra").mkdir(parents=True)
    table = f"````{{container}} wide\n| Lesson |\n|---|\n| {said} |\n````\n"
    page = f"# The lessons\n\n{said}\n\n## How to begin\n\n{table}\n```{{toctree}}\nother\n```\n"
    (source / "index.md").write_text(page, "utf-8")
    (source / "other.md").write_text(
        f"# Other\n\n[Up](index.md#how-to-begin)\n\n{said}\n", "utf-8"
    )
    site.run(source, output, "zh_CN")
    home = (output / "index.html").read_text(encoding="utf-8")
    assert home.count(in_numbers(known[said])) == 2 and in_numbers(said) not in home
    assert known["How to begin"] in home
    sentence = "This page has not been translated yet. It is shown in English."
    other = (output / "other.html").read_text(encoding="utf-8")
    above, _, english = other.partition('<div lang="en">')
    assert words.catalogue("zh_CN", "words")[sentence] in above
    assert in_numbers(said) in english and 'href="index.html#how-to-begin"' in english


def in_numbers(text):
    """A text with its references resolved, as the book has it."""

    def put(match):
        return number(f"{match[1]} | {match[2]}").replace(" ", "\N{NO-BREAK SPACE}")

    return re.sub(r"\{\{ (.+?), (\w+) \}\}", put, text)


def test_each_page_leads_to_the_same_page_in_the_other_languages(locale, tmp_path):
    locale(words={"English": "Xxish", "Languages": "Xx"})
    book = tmp_path / "book"
    page = '<html><article class="bd-article">{}</article></html>'
    for name in ("index.html", "only.html", "xx/index.html"):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).write_text(page.format(name), "utf-8")
    for _ in range(2):
        languages.link(book)
        home, there = (book / "index.html").read_text("utf-8"), (book / "xx/index.html")
        assert home.count("<nav") == 1
        assert '<a href="xx/index.html" lang="xx" hreflang="xx">Xxish</a>' in home
        assert '<a href="../index.html" lang="en" hreflang="en">English</a>' in there.read_text(
            "utf-8"
        )
        assert "<nav" not in (book / "only.html").read_text("utf-8")
    shutil.rmtree(book / "xx")
    languages.link(book)
    assert (book / "index.html").read_text("utf-8") == page.format("index.html")
