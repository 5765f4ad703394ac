"""The tables of the README and of the guide for teachers: every lesson and assignment that has a
source stands in them.
"""

import re

ROW = {
    "lesson": re.compile(
        r"^\| (?P<name>\d\d) \| (?P<title>[^|]*) \| (?P<about>[^|]*) \|[^|\n]*\|$"
    ),
    "assignment": re.compile(r"^\| (?P<name>A\d+) \| (?P<title>[^|]*) \| (?P<about>[^|]*) \|$"),
}
# No., title, after which lessons, by the program, by you, a student needs, you need
WORTH = re.compile(r"^\| (A\d+) \|(?:[^|\n]*\|){6}$")


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


def guide(text: str, assignments) -> str:
    """The guide for teachers with a row for each assignment: what it is worth is its module's; the
    rest of a row is as a person wrote it, and empty in a new one.
    """
    from translearn.authoring import handout
    from translearn.coursework.student.question import questions, written

    lines = text.split("\n")
    places = [at for at, line in enumerate(lines) if WORTH.match(line)]
    if not places:
        return text
    rows = {(cells := [c.strip() for c in lines[at].split("|")[1:-1]])[0]: cells for at in places}
    for source in assignments:
        name, module = handout.name_of(source.name), handout.module_of(source)
        row = rows.setdefault(name, [name, *[""] * 6])
        row[1] = head(source)[0]
        for at, asked, what in ((3, questions, "question"), (4, written, "answer")):
            said = row[at].partition(",")[0]
            count = said if said and not said[0].isdigit() else _many(len(asked(module)), what)
            row[at] = f"{count}, {_many(sum(each.points for each in asked(module)), 'point')}"
    in_order = sorted(rows, key=lambda name: (len(name), name))
    made = ["| " + " | ".join(rows[name]) + " |" for name in in_order]
    lines[places[0] : places[-1] + 1] = made
    return "\n".join(lines)


def _many(count, what):
    return f"{count} {what}{'' if count == 1 else 's'}"


def head(source):
    """Title (without number) and question of a source: its first heading, its first quotation."""
    lines = [
        line for cell in source.cells if cell.kind == "markdown" for line in cell.text.splitlines()
    ]
    title = next((line[2:] for line in lines if line.startswith("# ")), source.name)
    question = next((line.strip("> *") for line in lines if line.startswith("> ")), "")
    return title.rpartition(" · ")[2].strip(), question.replace("|", "\\|")
