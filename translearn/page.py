"""What a notebook shows of itself, in a form that stays when it is reopened, exported or printed.

A widget lives as long as its kernel. What is shown here is HTML (and plain text beside it), which
is saved with the notebook: progress bars, tables, and the words that stand in for a widget.
"""

import sys
import uuid
from html import escape


def show(html: str, text: str, name=None, update: bool = False, widget=None) -> None:
    """Show an output as HTML, with plain text for where there is none.

    name     a name of the output: with `update`, what was shown by that name is replaced.
    widget   what is shown in its place as long as it lives; elsewhere (an export, a print) stands
             the HTML.
    """
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:  # not a notebook
        if not update and text:
            print(text)
        return
    view = widget._repr_mimebundle_() if widget is not None else {}
    output = view | {"text/html": html, "text/plain": text}
    display(output, raw=True, display_id=name, update=update)


# ipywidgets gives a slider's handle neither a name nor its value: it announces "3", the place.
NAME_SLIDERS = """<script>
((name, count, tries) => { const wait = setInterval(() => {
  const sliders = document.querySelectorAll("." + name + " .widget-slider");
  if (sliders.length >= count || !--tries) clearInterval(wait);
  for (const slider of sliders) {
    const handle = slider.querySelector(".noUi-handle");
    if (handle.ariaLabel) continue;
    handle.ariaLabel = slider.querySelector(".widget-label").textContent;
    const readout = slider.querySelector(".widget-readout");
    const say = () => {
      if (handle.ariaValueText !== readout.textContent) handle.ariaValueText = readout.textContent;
    };
    new MutationObserver(say).observe(slider, {subtree: true, childList: true,
      characterData: true, attributeFilter: ["aria-valuetext"]});
    say();
  }
}, 100); })("BOX", COUNT, 100)
</script>"""


def named_sliders(name: str, box) -> str:
    """HTML that lets the sliders in a box of widgets, which has the CSS class `name`, say what
    they are called and their value. It goes into an output beside the box.
    """
    count = sum(hasattr(widget, "readout") for widget in box.children)
    return NAME_SLIDERS.replace("BOX", name).replace("COUNT", str(count)) if count else ""


def table(html: str) -> str:
    """A table of pandas without empty headers: a screen reader reads each header out."""
    return html.replace("<th></th>", "<td></td>")


def progress_bars() -> tuple:
    """tqdm's bar and its `trange`, drawn as HTML that is saved with the notebook.

    tqdm's own bar for notebooks is a widget, which leaves an error message in its place.
    """
    from tqdm import std

    class Bar(std.tqdm):
        def __init__(self, *args, **options):
            # gui: tqdm writes nothing itself and calls `display`. Never disable=None, which asks
            # whether the output is a terminal.
            options |= {"gui": True, "disable": bool(options.get("disable"))}
            super().__init__(*args, **options)
            self.name = f"bar-{uuid.uuid4().hex[:8]}"
            if not self.disable:
                show(*self._look(), self.name)

        def display(self, msg=None, pos=None):
            show(*self._look(), self.name, update=True)

        def clear(self, *_, **__):
            """Nothing to clear: other output goes below."""

        def close(self):
            if self.disable:
                return
            super().close()
            self.display()

        def _look(self):
            if self.disable and not self.leave:  # closed, and asked to leave nothing
                return "", ""
            stopped = self.disable and self.total and self.n < self.total
            time_left = "" if self.disable or not self.total else ", {remaining} left"
            of = " of {total_fmt}" if self.total else ""
            layout = "{n_fmt}" + of + " in {elapsed}" + time_left + "{postfix}"
            name = self.desc.rstrip(": ") or "progress"
            text = f"{name}: {self.format_meter(**self.format_dict | {'bar_format': layout})}"
            text = f"{text} (stopped)" if stopped else text
            label = escape(name, quote=True)
            share = f' max="{self.total}" value="{self.n}"' if self.total else ""
            bar = f'<progress aria-label="{label}"{share}></progress>'
            return f"<div>{bar} {escape(text)}</div>", text

    def trange(*args, **options):
        return Bar(range(*args), **options)

    return Bar, trange


def install() -> None:
    """In a notebook's kernel: progress bars and tables as above, for all that imports them."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if not hasattr(shell, "kernel"):
        return
    import tqdm.auto

    tqdm.auto.tqdm, tqdm.auto.trange = progress_bars()
    shell.display_formatter.formatters["text/html"].for_type_by_name(
        "pandas", "DataFrame", lambda frame: table(frame._repr_html_() or "") or None
    )
