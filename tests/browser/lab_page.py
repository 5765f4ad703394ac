"""Driving JupyterLab in a real browser: open a notebook, run it, move a widget, look at what came
out.
"""

import re
from pathlib import Path

import pytest

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
# Everything here waits for an event. This many seconds end a wait for one that never comes: ten
# times what the slowest of them took beside four busy loops, and little of a run's time.
PATIENCE = 180
RUN = 1800  # for a lesson's cells

# The notebook stands among the open pages.
_OPEN = """path => window.jupyterapp && [...window.jupyterapp.shell.widgets('main')].some(
    widget => widget.context && widget.context.path === path && widget.content.widgets)"""

_PANEL = """
    const panel = [...window.jupyterapp.shell.widgets('main')].find(
        w => w.context && w.context.path === path);
"""

# Waiting for the idle icon alone fails more often than not: the notebook must be loaded and its
# kernel must have introduced itself before cells are sent to it.
_READY = (
    "async path => { const app = window.jupyterapp; await app.restored;"
    + _PANEL
    + """
    await panel.context.ready;
    await panel.sessionContext.ready;
    if (!panel.sessionContext.session) throw new Error('the notebook ' + path + ' has no kernel');
    await panel.sessionContext.session.kernel.info;
    app.shell.activateById(panel.id);
    return panel.sessionContext.session.kernel.name;
}"""
)

_RUN = (
    "async path => {"
    + _PANEL
    + "await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
)

_CELLS = (
    "path => {"
    + _PANEL
    + """
    return panel.content.widgets.filter(cell => cell.model.type === 'code').map(cell => ({
        source: cell.model.sharedModel.getSource(),
        count: cell.model.executionCount,
        outputs: cell.outputArea.model.toJSON(),
    }));
}"""
)

# The figures differ from `before`, and then have come to rest: the kernel has answered an empty
# request, so it has dealt with all that was sent to it before, and what it said is on the page two
# frames later.
_CHANGED = (
    "async ([path, before, ms]) => {"
    + _PANEL
    + """
    const selector = '.jp-OutputArea-output img, .jp-OutputArea-output svg';
    const figures = () => [...panel.content.node.querySelectorAll(selector)].map(
        one => one.tagName === 'IMG' ? one.src : one.outerHTML);
    const same = (a, b) => a.length === b.length && a.every((one, i) => one === b[i]);
    const changed = await new Promise(done => {
        const finish = what => { observer.disconnect(); clearTimeout(timer); done(what); };
        const look = () => {
            const now = figures();
            if (now.length && !same(now, before)) finish(true);
        };
        const observer = new MutationObserver(look);
        const timer = setTimeout(() => finish(false), ms);
        observer.observe(panel.content.node, {
            subtree: true, childList: true, attributes: true, characterData: true});
        look();
    });
    if (!changed) return null;
    const kernel = panel.sessionContext.session.kernel;
    const frame = () => new Promise(done => requestAnimationFrame(done));
    let last;
    do {
        last = figures();
        await kernel.requestExecute({code: '', silent: true, store_history: false}).done;
        await frame();
        await frame();
    } while (!same(figures(), last));
    return last;
}"""
)


class LabPage:
    """One browser page with JupyterLab in it. `errors` and `strangers` fill up while it lives."""

    def __init__(self, page, server):
        self.page, self.server = page, server
        self.errors: list[str] = []  # of the browser's console
        self.strangers: list[str] = []  # addresses asked for beyond this machine
        page.on("console", lambda message: self._console(message))
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, url: str) -> None:
        if not re.match(r"(data|blob|about):|(http|ws)://127\.0\.0\.1[:/]", url):
            self.strangers.append(url)

    def open(self, notebook: str) -> str:
        """Open a notebook by the address that `course.py lab` would print; returns the kernel's
        name.
        """
        self.notebook = notebook
        # `reset` forgets the layout, so that no tab of an earlier test comes back.
        self.page.goto(self.server.url(notebook) + "&reset")
        self.page.wait_for_function(_OPEN, arg=notebook)
        return self.page.evaluate(_READY, notebook)

    def run_all(self, seconds: float = RUN) -> None:
        """Run all cells and wait until the last has run; `seconds` end the wait for a kernel that
        hangs.
        """
        self.page.evaluate(
            "([path, ms]) => Promise.race([("
            + _RUN
            + ")(path), new Promise((_, no) => setTimeout("
            + "() => no(new Error('not done in ' + ms + ' ms')), ms))])",
            [self.notebook, seconds * 1000],
        )

    def cells(self) -> list[dict]:
        """The code cells: source, execution count and outputs."""
        return self.page.evaluate(_CELLS, self.notebook)

    def cell_errors(self) -> list[str]:
        """One line for each cell that failed or did not run."""
        found = []
        for number, cell in enumerate(self.cells()):
            for output in cell["outputs"]:
                if output["output_type"] == "error":
                    found.append(f"cell {number}: {output['ename']}: {output['evalue']}")
            if cell["count"] is None and cell["source"].strip():
                found.append(f"cell {number} did not run")
        return found

    def popups(self) -> list[str]:
        """The text of every dialogue and notification on the page."""
        return self.page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()

    def files(self) -> list[str]:
        """The names in the file browser, from top to bottom."""
        self.page.wait_for_selector(".jp-DirListing-itemText")
        return self.page.locator(".jp-DirListing-itemText").all_inner_texts()

    # ---- Widgets and figures ----

    @property
    def area(self):
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")

    def figures(self) -> list[str]:
        """Every figure in the notebook's outputs, as its data: equal lists mean that nothing
        changed.
        """
        return self.area.locator(
            ".jp-OutputArea-output img, .jp-OutputArea-output svg"
        ).evaluate_all("all => all.map(one => one.tagName === 'IMG' ? one.src : one.outerHTML)")

    def figures_without_alt(self) -> list[str]:
        """Figures that say nothing to a reader who cannot see them. JupyterLab fills a missing alt
        with "Image".
        """
        return self.area.locator(
            ", ".join(
                f".jp-OutputArea-output img{empty}"
                for empty in (":not([alt])", "[alt='']", "[alt='Image']")
            )
        ).evaluate_all("all => all.map(one => one.src.slice(0, 80))")

    def explorers(self) -> int:
        """How many explorers (`translearn.widgets.explore`) the notebook shows."""
        return self.area.locator(".translearn-explorer").count()

    def controls(self):
        """The controls of all explorers together: handles of sliders, and menus."""
        return self.area.locator(".translearn-explorer .noUi-handle, .translearn-explorer select")

    def range_of(self, which: int) -> tuple[int, int]:
        """How many steps a control of an explorer can go down and up from where it stands."""
        control = self.controls().nth(which)
        if control.get_attribute("role") == "slider":
            low, now, high = (
                float(control.get_attribute(f"aria-value{name}")) for name in ("min", "now", "max")
            )
        else:
            low, now, high = control.evaluate("one => [0, one.selectedIndex, one.length - 1]")
        return round(now - low), round(high - now)

    def move(self, steps: int, which: int) -> None:
        """Move a control of an explorer, a slider by its keyboard, and wait for the figure."""
        before, control = self.figures(), self.controls().nth(which)
        if control.get_attribute("role") == "slider":
            control.scroll_into_view_if_needed()
            control.focus()
            for _ in range(abs(steps)):
                self.page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")
        else:
            control.select_option(index=control.evaluate("one => one.selectedIndex") + steps)
        self.wait_until_figures_change(before)

    def sweep(self, which: int) -> int:
        """Move a control of an explorer over its whole range and back to where it stood.

        The figure must change at every step. Returns the number of steps.
        """
        down, up = self.range_of(which)
        for direction, steps in ((-1, down), (1, down + up)):
            for _ in range(steps):
                self.move(direction, which)
        if up:
            self.move(-up, which)
        return down + up

    def move_slider(self, steps: int = 1, which: int = 0, within: str = ".widget-slider") -> None:
        """Move a slider by its keyboard, as a reader without a mouse does."""
        handle = self.area.locator(f"{within} .noUi-handle").nth(which)
        handle.scroll_into_view_if_needed()
        handle.focus()
        for _ in range(abs(steps)):
            self.page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")

    def select(self, label: str, which: int = 0) -> None:
        """Choose an entry of a Dropdown or Select widget."""
        self.area.locator(".widget-dropdown select, .widget-select select").nth(
            which
        ).select_option(label=label)

    def wait_until_figures_change(self, before: list[str], seconds: float = PATIENCE) -> list[str]:
        """The figures once they differ from `before` and have come to rest; AssertionError if they
        never do.
        """
        now = self.page.evaluate(_CHANGED, [self.notebook, before, seconds * 1000])
        assert now is not None, f"no figure changed within {seconds:g} s"
        return now

    def screenshot(self, name: str) -> Path:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


def lessons(half: int) -> list:
    """Every second lesson, from the first (0) or the second (1) on: two files of tests, so that
    two run at a time.

    Lesson 00 is in the suite, the others are in its long part.
    """
    from translearn import paths

    names = sorted(path.name for path in paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    long = pytest.mark.long("browser")
    return [pytest.param(n, marks=[] if n.startswith("00") else long) for n in names[half::2]]


def run_lesson(page: "LabPage", lesson: str) -> None:
    """A lesson runs in the browser without an error, and each of its explorers moves over its
    whole range.
    """
    page.open(lesson)
    page.run_all()
    assert page.cell_errors() == []
    assert page.figures_without_alt() == []
    assert page.explorers() > 0, "a lesson has an explorer"
    assert page.controls().count() >= page.explorers()
    for which in range(page.controls().count()):
        assert page.sweep(which) > 0
        assert page.area.locator(".translearn-error").count() == 0
        page.screenshot(f"{lesson.removesuffix('.ipynb')}-explorer-{which + 1}")
    assert page.figures_without_alt() == []
    assert page.errors == [] and page.strangers == []
