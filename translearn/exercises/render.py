"""How an outcome, a hint and a solution look: rich in a notebook, plain everywhere else.

Colour is never alone: a symbol and a word stand beside it. Colours come from JupyterLab's own
variables, so both its themes are served; the second value is for pages without them.
"""

import html
import re

LOOKS = {  # kind: symbol, words, colour
    "passed": ("✓", "Passed", "var(--jp-success-color1, #2e7d32)"),
    "not attempted": ("○", "Not attempted yet", "var(--jp-info-color1, #1976d2)"),
    "misconception": ("✗", "Not quite", "var(--jp-warn-color1, #b26a00)"),
    "incorrect": ("✗", "Not right yet", "var(--jp-warn-color1, #b26a00)"),
    "error": ("⚠", "An error in your code", "var(--jp-error-color1, #c62828)"),
    "our fault": ("!", "Our fault, not yours", "var(--jp-error-color1, #c62828)"),
}


def inline(text: str) -> str:
    """`code`, **bold** and paragraphs, as HTML. Everything else is shown as it stands."""
    text = html.escape(text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*\n]+)\*\*", r"<strong>\1</strong>", text)
    return "".join(
        f"<p style='margin:.3em 0'>{part.strip()}</p>".replace("\n", "<br>")
        for part in text.split("\n\n")
        if part.strip()
    )


def box(kind: str, title: str, body: str, code: str = "", foot: str = "") -> str:
    """An outcome as HTML; a screen reader announces it as a status."""
    symbol, words, colour = LOOKS[kind]
    shown = (
        f"<pre style='margin:.3em 0; white-space:pre-wrap'>{html.escape(code)}</pre>"
        if code
        else ""
    )
    return (
        f"<div role='status' style='border-left:4px solid {colour}; padding:.3em .9em; "
        "margin:.3em 0; "
        f"color:var(--jp-content-font-color1, inherit)'>"
        "<p style='margin:.3em 0'><span aria-hidden='true' "
        f"style='color:{colour}'>{symbol}</span> "
        f"<strong>{words}</strong> · "
        f"{html.escape(title)}</p>{inline(body)}{shown}{inline(foot)}</div>"
    )


def plain(kind: str, title: str, body: str, code: str = "", foot: str = "") -> str:
    """The same without HTML."""
    symbol, words, _ = LOOKS[kind]
    indented = "\n".join("    " + line for line in code.splitlines())
    return "\n".join(
        part for part in (f"{symbol} {words} · {title}", body, indented, foot) if part
    )


def fence(source: str) -> str:
    """Python source as a Markdown code block, whatever backticks it holds."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", source)), default=0))
    return f"{ticks}python\n{source}\n{ticks}"


class Card:
    """A piece of Markdown that shows itself: a hint, a question, a solution."""

    def __init__(self, markdown: str):
        self.markdown = markdown

    def _repr_markdown_(self):
        return self.markdown

    def __repr__(self):
        return self.markdown
