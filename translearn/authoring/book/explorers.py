"""Explorers, bets and guesses as a page has them: plain HTML that `static/book.js` moves.

Without the script an explorer shows its figure as it starts, with its alt text, and a bet's
question and what was measured can be read.
"""

import html
import json
import re

DATA = re.compile(r'data-(bet|settled|guesses)="([^"]*)"')


def words() -> dict:
    """What the script says. `{…}` are filled in by it."""
    return {
        "drawn": "Drawn for {values}",
        "place": "Place the bet",
        "mine": "My bet",
        "none": "No bet placed yet. It is kept in this browser only.",
        "placed": "Your bet: {bet}. It is settled further down, and kept in this browser only.",
        "off": "You bet {bet}, which is {off} off.",
        "first": "Bet first: a guess that you wrote down is how a surprise becomes a lesson. "
        "Open this to read what was measured all the same.",
        "measured": "Measured: {measured}.",
        "count": "How many are right?",
        "right": "{right} of {all} are right.",
        "said": "{name}: you said {said}; it is {truth}",
        "single": "One control at a time: moving one puts the others back to where they started.",
        "bet": "The bet:",
        "points": "points",
    }


def explorer_html(manifest: dict, folder: str, key: str) -> str:
    """An explorer as a figure with its controls above.

    manifest   as `rehearsal.sweep` writes it
    folder     where the page finds the pictures, with a slash at its end
    key        what tells it from others on the page
    """
    start = [control["start"] for control in manifest["controls"]]
    here = manifest["points"][",".join(map(str, start))]
    told = ", ".join(
        f"{control['label']}: {control['values'][at]}"
        for control, at in zip(manifest["controls"], start)
    )
    controls = "".join(
        _control(control, f"explorer-{key}-{number}")
        for number, control in enumerate(manifest["controls"])
    )
    single = "" if manifest["whole"] else f'<p class="tl-single">{_text(words()["single"])}</p>'
    data = {
        "folder": folder,
        "whole": manifest["whole"],
        "labels": [control["label"] for control in manifest["controls"]],
        "values": [control["values"] for control in manifest["controls"]],
        "start": start,
        "points": {at: [p["picture"], p["alt"]] for at, p in manifest["points"].items()},
        "drawn": words()["drawn"],
    }
    return (
        f'<figure class="tl-explorer" id="explorer-{_text(key)}">'
        f'<div class="tl-controls">{controls}</div>{single}'
        f'<div class="tl-picture" tabindex="0" role="group" aria-label="{_text(told)}">'
        f'<img src="{_text(folder + here["picture"])}" alt="{_text(here["alt"])}" '
        f'width="{manifest["width"]}" height="{manifest["height"]}" loading="lazy"></div>'
        f'<figcaption aria-live="polite">{_text(words()["drawn"].format(values=told))}'
        f"</figcaption>{_json(data)}</figure>"
    )


def _control(control, key):
    label = f'<label for="{_text(key)}">{_text(control["label"])}</label>'
    values, start = control["values"], control["start"]
    if control["kind"] == "menu":
        options = "".join(
            f"<option{' selected' if at == start else ''}>{_text(value)}</option>"
            for at, value in enumerate(values)
        )
        return f'<p>{label}<select id="{_text(key)}" autocomplete="off">{options}</select></p>'
    return (
        f'<p>{label}<input type="range" id="{_text(key)}" min="0" max="{len(values) - 1}" '
        f'step="1" value="{start}" aria-valuetext="{_text(values[start])}" autocomplete="off">'
        f'<output for="{_text(key)}">{_text(values[start])}</output></p>'
    )


def in_place(output: str) -> str | None:
    """What the book shows for the HTML that a bet, its settling or guesses printed; None for any
    other.
    """
    found = DATA.search(output)
    if not found:
        return None
    make = {"bet": bet_html, "settled": settled_html, "guesses": guesses_html}[found[1]]
    return make(json.loads(html.unescape(found[2])))


def bet_html(bet: dict) -> str:
    """A bet to place. `bet`: key, low, high, step, unit, digits, as `widgets.Bet` prints them."""
    said, key = words(), f"bet-{bet['key']}"
    middle = (bet["low"] + bet["high"]) / 2
    amount = _amount(middle, bet)
    return (
        f'<div class="tl-bet"><p><label for="{_text(key)}">{_text(said["mine"])}</label>'
        f'<input type="range" id="{_text(key)}" min="{bet["low"]:g}" max="{bet["high"]:g}" '
        f'step="{bet["step"]:g}" value="{middle:g}" aria-valuetext="{_text(amount)}" '
        f'autocomplete="off"><output for="{_text(key)}">{_text(amount)}</output>'
        f'<button type="button">{_text(said["place"])}</button></p>'
        f'<p role="status">{_text(said["none"])}</p>{_json(bet | {"words": said})}</div>'
    )


def settled_html(bet: dict) -> str:
    """What was measured, folded until the reader has bet. `bet`: key, question, measured, unit,
    digits.
    """
    said = words()
    measured = said["measured"].format(measured=_amount(bet["measured"], bet))
    return (
        f'<details class="tl-settled"><summary>{_text(said["first"])}</summary>'
        f"<p><b>{_text(said['bet'])}</b> {_text(bet['question'])}<br><b>{_text(measured)}</b> "
        f'<span role="status"></span></p>{_json(bet | {"words": said})}</details>'
    )


def guesses_html(guesses: dict) -> str:
    """Things to name by looking. `guesses`: names, choices, and the truth, `veiled`."""
    said = words()
    options = "".join(f"<option>{_text(each)}</option>" for each in ["?", *guesses["choices"]])
    menus = "".join(
        f'<p><label for="guess-{number}">{_text(name)}</label>'
        f'<select id="guess-{number}" autocomplete="off">{options}</select></p>'
        for number, name in enumerate(guesses["names"])
    )
    return (
        f'<div class="tl-guesses">{menus}<p><button type="button">{_text(said["count"])}</button>'
        f'</p><div role="status"></div>{_json(guesses | {"words": said})}</div>'
    )


def _amount(value, bet):
    return f"{value:.{bet['digits']}f} {bet['unit']}"


def _json(data) -> str:
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


def _text(text) -> str:
    return html.escape(str(text), quote=True)
