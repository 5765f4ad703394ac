"""What lives in the book without a kernel: explorers, bets and guesses as plain HTML.

`sphinx/static/book.js` moves them and `book.css` gives them their look. What they need to know
stands in the page beside them, as JSON: a page that is opened from disk may not fetch a file.
Without a script an explorer shows the figure where it starts, with its alt text.
"""

import ast
import base64
import json
import re
import shutil
from html import escape
from pathlib import Path

from translearn.words import ENGLISH, NAME, catalogue

WORDS = {
    "drawn": "Drawn for {values}.",
    "value": "{label}: {value}",
    "and": ", ",
    "one at a time": "One control at a time: moving one puts the others back to where they "
    "started.",
    "my bet": "My bet",
    "place": "Place the bet",
    "no bet yet": "No bet placed yet. It stays in this browser.",
    "your bet": "Your bet: {bet}. It is settled further down.",
    "the bet": "The bet:",
    "measured": "Measured: {value}.",
    "first": "No bet placed yet: place yours further up, or look what was measured.",
    "off": "You bet {bet}, which is {off} off.",
    "no bet": "You placed no bet. Next time, do: a guess that you wrote down is how a "
    "surprise becomes a lesson.",
    "points": "points",
    "how many": "How many are right?",
    "no guess": "No guess made yet.",
    "right": "{right} of {all} are right.",
    "said": "{name}: {mark} you said {said}; it is {answer}",
    "drop": "While the lesson runs (<code>python3 course.py lab</code> opens it), here is a "
    "place to drop a picture on. Below it you see the picture as the model sees it, and the "
    "five most probable classes.",
}


def _words(language):
    known = _known(language)
    return {key: known.get(text, text) for key, text in WORDS.items()}


def _known(language):
    return {} if language == ENGLISH else catalogue(language, NAME)


def alive(executed, url: str, language: str = "en") -> dict:
    """id of a cell → HTML that stands in the place of what the cell shows.

    executed   a lesson that has run, see `executed.Executed`
    url        where `pictures` has put its pictures, as seen from the page; "" is beside it
    """
    found, bets = {}, {}
    for cell, kept in executed.explorers.items():
        kind = explorer_html if kept["points"] else guesses_html
        found[cell] = kind(kept, url, language)
    for cell in executed.notebook.cells:
        if cell.cell_type != "code":
            continue
        if bet := _bet(cell.source):
            name, asked = bet
            bets[name] = asked
            found[cell.id] = bet_html(**asked, language=language)
        elif "widgets.drop(" in cell.source:
            found[cell.id] = f"<p>{_words(language)['drop']}</p>"
        elif match := re.search(r"^(\w+)\.settle\(", cell.source, re.M):
            if (value := _measured(cell.outputs)) is not None and match[1] in bets:
                found[cell.id] = settled_html(measured=value, **bets[match[1]], language=language)
    return found


def pictures(executed, folder: Path) -> None:
    """Copy the pictures of a lesson's explorers into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for kept in executed.explorers.values():
        for name in {point["picture"] for point in kept["points"].values()}:
            if not (folder / name).exists():
                shutil.copy(executed.folder / name, folder / name)


# ---- Explorers ----


def explorer_html(manifest: dict, url: str, language: str = "en") -> str:
    """A figure that follows its controls, from what `rehearsal.sweep` kept."""
    words, cell = _words(language), manifest["cell"]
    controls = [_translated(control, language) for control in manifest["controls"]]
    start = manifest["points"][",".join(str(one["start"]) for one in controls)]
    fields = "".join(_control(f"{cell}-{at}", control) for at, control in enumerate(controls))
    values = [
        words["value"].format(label=one["label"], value=one["values"][one["start"]])
        for one in controls
    ]
    drawn = words["drawn"].format(values=words["and"].join(values))
    told = {
        "whole": manifest["whole"],
        "controls": [{key: one[key] for key in ("label", "values", "start")} for one in controls],
        "points": manifest["points"],
        "url": url,
        "words": {key: words[key] for key in ("drawn", "value", "and")},
    }
    note = "" if manifest["whole"] else f'<p class="note">{words["one at a time"]}</p>'
    return (
        f'<figure class="explorer">{_json(told)}<div class="knobs">{fields}</div>'
        f'<img src="{escape(url + start["picture"])}" alt="{escape(start["alt"], quote=True)}" '
        f'width="{manifest["width"]}" height="{manifest["height"]}" loading="lazy">'
        f'<figcaption aria-live="polite">{escape(drawn)}</figcaption>{note}</figure>'
    )


def _translated(control, language):
    known = _known(language)
    values = [known.get(value, value) for value in control["values"]]
    return control | {"label": known.get(control["label"], control["label"]), "values": values}


def _control(name, control):
    label, values, start = escape(control["label"]), control["values"], control["start"]
    if control["kind"] == "menu":
        options = "".join(
            f'<option value="{at}"{" selected" if at == start else ""}>{escape(value)}</option>'
            for at, value in enumerate(values)
        )
        field = f'<select id="{name}" autocomplete="off">{options}</select>'
    else:
        field = (
            f'<input type="range" id="{name}" min="0" max="{len(values) - 1}" value="{start}" '
            f'aria-valuetext="{escape(values[start], quote=True)}" autocomplete="off">'
            # The slider says its value itself: an output would say it once more.
            f'<output for="{name}" aria-live="off">{escape(values[start])}</output>'
        )
    return f'<div class="control"><label for="{name}">{label}</label>{field}</div>'


# ---- Bets ----


def bet_html(key, question, low, high, unit="%", step=1, language: str = "en") -> str:
    """A bet as `widgets.Bet` takes it; the browser keeps it, and nothing else does."""
    words, digits = _words(language), 0 if step >= 1 else 2
    start = low + step * round((high - low) / 2 / step)  # a browser's slider stands on a step
    shown, name = f"{start:.{digits}f} {unit}", escape(f"bet-{key}")
    told = {"key": key, "unit": unit, "digits": digits, "yours": words["your bet"]}
    return (
        f'<div class="bet">{_json(told)}<p><b>{escape(question)}</b></p><div class="control">'
        f'<label for="{name}">{words["my bet"]}</label><input type="range" id="{name}" '
        f'min="{low}" max="{high}" step="{step}" value="{start:g}" autocomplete="off" '
        f'aria-valuetext="{escape(shown)}"><output for="{name}" aria-live="off">'
        f"{escape(shown)}</output></div>"
        f'<button type="button">{words["place"]}</button>'
        f'<p role="status">{words["no bet yet"]}</p></div>'
    )


def settled_html(
    measured, key, question, low, high, unit="%", step=1, language: str = "en"
) -> str:
    """A bet held against what was measured, which is folded until a bet is placed: then the script
    unfolds it and puts in what the reader had bet.
    """
    words, digits = _words(language), 0 if step >= 1 else 2
    told = {"key": key, "unit": unit, "digits": digits, "measured": measured}
    told |= {"off": words["off"], "points": words["points"] if unit == "%" else unit}
    number = f"<b>{measured:.{digits}f} {escape(unit)}</b>"
    return (
        f'<div class="settled">{_json(told)}<p><b>{words["the bet"]}</b> {escape(question)}</p>'
        f"<details><summary>{words['first']}</summary>"
        f"<p>{words['measured'].format(value=number)} "
        f'<span role="status">{words["no bet"]}</span></p></details></div>'
    )


def _bet(code):
    """(name, arguments) of the bet that a cell makes, or None."""
    if "widgets.Bet(" not in code:
        return None
    for node in ast.parse(code).body:
        call = getattr(node, "value", None)
        if isinstance(node, ast.Assign) and ast.unparse(call).startswith("widgets.Bet("):
            names = ("key", "question", "low", "high", "unit", "step")
            asked = dict(zip(names, map(ast.literal_eval, call.args)))
            asked |= {one.arg: ast.literal_eval(one.value) for one in call.keywords}
            return node.targets[0].id, asked
    return None


def _measured(outputs):
    """What `Bet.settle` said was measured."""
    for output in outputs:
        html = output.get("data", {}).get("text/html", "")
        if found := re.search(r"<br>[^<]*<b>(-?[\d.]+) ", html):
            return float(found[1])
    return None


# ---- Guesses ----


def guesses_html(kept: dict, url: str = "", language: str = "en") -> str:
    """Things to name by looking, as `widgets.Guesses` asks them (`rehearsal.keep_guesses`)."""
    words, cell = _words(language), kept["cell"]
    options = "".join(f"<option>{escape(choice)}</option>" for choice in ["?", *kept["choices"]])
    fields = "".join(
        f'<div class="control"><label for="{cell}-{at}">{escape(name)}</label>'
        f'<select id="{cell}-{at}" autocomplete="off">{options}</select></div>'
        for at, name in enumerate(kept["truth"])
    )
    # Who looks at the page's source shall not see the answers before the question.
    hidden = base64.b64encode(json.dumps(kept["truth"]).encode()).decode()
    told = {"hidden": hidden} | {key: words[key] for key in ("right", "said", "no guess")}
    return (
        f'<div class="guesses">{_json(told)}<div class="knobs">{fields}</div>'
        f'<button type="button">{words["how many"]}</button><div role="status"></div></div>'
    )


def _json(told):
    # Without a "<" no text can end the script, nor open what hides its end.
    text = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'
