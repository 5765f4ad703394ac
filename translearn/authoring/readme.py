"""The README's tables: every lesson and assignment that has a source stands in them, ready."""

import re

ROW = {
    "lesson": re.compile(
        r"^\| (?P<name>\d\d) \| (?P<title>[^|]*) \| (?P<about>[^|]*) \|[^|\n]*\|$"
    ),
    "assignment": re.compile(r"^\| (?P<name>A\d+) \| (?P<title>[^|]*) \| (?P<about>[^|]*) \|$"),
}


def page(text: str, lessons, assignments) -> str:
    """The README with a row for each source.

    A row that is there keeps what a person wrote about it, the question in a few words; a new one
    takes the question from the source. What has no source yet stays as it is.
    """
    lines = text.split("\n")
    for kind, sources in (("lesson", lessons), ("assignment", assignments)):
        places = [at for at, line in enumerate(lines) if ROW[kind].match(line)]
        if not places:
            continue
        rows = {(row := ROW[kind].match(lines[at]))["name"]: row for at in places}
        made = {name: row[0] for name, row in rows.items()}
        for source in sources:
            name = source.name.partition("_")[0]
            title, question = head(source)
            about = rows[name]["about"] if name in rows else question
            if kind == "lesson":
                link = f"[{title}](notebooks/{source.name}.ipynb)"
                made[name] = f"| {name} | {link} | {about} | **ready** |"
            else:
                link = f"[{title}](notebooks/coursework/{source.name}.ipynb)"
                made[name] = f"| {name} | {link} | {about} |"
        in_order = sorted(made, key=lambda name: (len(name), name))
        lines[places[0] : places[-1] + 1] = [made[name] for name in in_order]
    return "\n".join(lines)


def head(source):
    """Title (without number) and question of a source: its first heading, its first quotation."""
    lines = [
        line for cell in source.cells if cell.kind == "markdown" for line in cell.text.splitlines()
    ]
    title = next((line[2:] for line in lines if line.startswith("# ")), source.name)
    question = next((line.strip("> *") for line in lines if line.startswith("> ")), "")
    return title.rpartition(" · ")[2].strip(), question.replace("|", "\\|")
