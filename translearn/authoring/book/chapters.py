"""A lesson as a chapter of the book: its source's prose, its cells, and what they showed when it
ran.
"""

import base64
import hashlib
import io
import os
import re

from translearn import paths
from translearn.authoring import minutes, notebooks
from translearn.authoring.book import anchors, exercises, explorers, translation
from translearn.authoring.book.executed import Executed
from translearn.authoring.reading import Lesson

# pandas's styled tables; a screen reader reads each header out.
BLANK = re.compile(r'<th class="(blank[^"]*|index_name[^"]*)"[^>]*>\s*(&nbsp;)?\s*</th>')
EMBEDDED = re.compile(r'src="data:image/png;base64,([^"]+)"')
OBJECT = re.compile(r"<[\w. ]+ at 0x[0-9a-f]+>")  # what a cell's last line gave, and says nothing
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {
    "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


def chapter(lesson: Lesson, executed: Executed, pictures, language: str = "en"):
    """The notebook that Sphinx reads for a lesson; references in its prose stay unresolved.

    executed   as `executed.fresh` gives it
    pictures   a folder for the pictures that its outputs hold; the page finds it as
               `pictures/<lesson>/`
    """
    from nbformat.v4 import new_markdown_cell, new_notebook, new_output

    from translearn.exercises.source import unmark

    url = f"pictures/{lesson.name}/"
    shown = {
        cell.id: _kept(cell.get("outputs", []), url, pictures) for cell in executed.notebook.cells
    }
    for cell, html in explorers.alive(executed, url, language).items():
        shown[cell] = [new_output("display_data", {"text/html": html})]
    explorers.pictures(executed, pictures)
    in_place = exercises.in_place(lesson)
    cells = []
    for cell in lesson.cells:
        if cell.id in in_place:
            cells += in_place[cell.id]
        elif cell.kind == "markdown":
            cells.append(new_markdown_cell(prose(lesson, cell), id=cell.id))
        elif "ledger-only" in cell.tags:
            cells.append(new_markdown_cell(notebooks.folded(cell.text), id=cell.id))
        else:
            code = translation.code(unmark(cell.text), lesson, language)
            cells.append(_code(cell, code, shown.get(cell.id, [])))
    return new_notebook(cells=cells, metadata=KERNEL)


def prose(lesson: Lesson, cell) -> str:
    """A Markdown cell of a lesson as the book's sources hold it."""
    text = anchors.references(minutes.write(lesson, cell.text, reference=True))
    # An assignment is no page of the book.
    return re.sub(r"\[([^\]]+)\]\(coursework/[^)]+\)", r"\1", text)


def _code(cell, text, outputs):
    from nbformat.v4 import new_code_cell

    folded = "explorer" in cell.tags and len(text.splitlines()) > minutes.FOLDED
    tags = [*cell.tags, *(["hide-input"] if folded else [])]
    return new_code_cell(text, id=cell.id, outputs=outputs, metadata={"tags": tags})


def _kept(outputs, url, pictures):
    """What the book prints of outputs: no standard error, no progress bars, no widgets, no bare
    objects, and paths as seen from the course's folder.
    """
    from nbformat.v4 import new_output

    kept = []
    for output in outputs:
        data = output.get("data", {})
        html = "".join(data.get("text/html", ""))
        if output.get("name") == "stderr" or WIDGET in data or "<progress" in html[:60]:
            continue
        if html:
            html = BLANK.sub("<td></td>", html)
            html = EMBEDDED.sub(lambda match: _picture(match[1], url, pictures), html)
            output = new_output("display_data", {"text/html": html})
        elif OBJECT.fullmatch(data.get("text/plain", "")):
            continue
        elif output.get("name") == "stdout":
            text = output.text.replace(f"{paths.ROOT}{os.sep}", "")
            output = new_output("stream", name="stdout", text=text)
        if output.output_type == "stream" or output.get("data"):
            kept.append(output)
    return kept


def _picture(text, url, pictures) -> str:
    """An embedded picture as a file beside the page, shared, and loaded when seen."""
    from PIL import Image

    blob = base64.b64decode(text)
    name = f"{hashlib.sha256(blob).hexdigest()[:16]}.webp"
    if not (pictures / name).exists():
        pictures.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        picture = Image.open(io.BytesIO(blob))
        # Small pictures are shown enlarged, pixel by pixel: those must stay exact.
        exact = {"lossless": True} if picture.width < 300 else {"quality": 85, "method": 4}
        picture.convert("RGBA" if "A" in picture.mode else "RGB").save(buffer, "WEBP", **exact)
        (pictures / name).write_bytes(buffer.getvalue())
    return f'loading="lazy" src="{url}{name}"'
