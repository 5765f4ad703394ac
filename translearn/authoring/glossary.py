"""The glossary page, made from the terms that the lessons define.

A lesson sets a term in bold once, inside the sentence that defines it, and bold is for nothing
else: but for the question at the top, the lead of a list item (it ends with a full stop), and a
number.
"""

import re
from dataclasses import dataclass

BOLD = re.compile(r"\*\*([^*\n]+?)\*\*")
# A sentence ends with a mark and a space, and the next one begins with a capital letter, a code
# word or a term.
END = re.compile(r"(?<=[.?!])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z`*(“])")
SHORT = 45  # characters: a definition this short leans on its neighbour


@dataclass(frozen=True)
class Term:
    name: str
    meaning: str  # the sentence that defines it, as Markdown without bold
    lesson: str  # the notebook's name without its ending
    title: str  # of the lesson
    heading: str  # of the section
    cell: str  # its id, which is what JupyterLab can scroll to whatever the heading is called
    line: int  # in the source

    @property
    def key(self):
        """What makes two terms the same: case and a plural's s do not count."""
        return re.sub(r"(?<=\w{3})(es|s)$", "", re.sub(r"\W+", " ", self.name.casefold()).strip())

    @property
    def link(self):
        return f"{self.lesson}.ipynb#cell-id={self.cell}"


def terms(lesson) -> list:
    """The terms of one lesson, in its order. `lesson` has a name and cells with kind, text, line
    and id.
    """
    found, title, heading = [], lesson.name, ""
    for cell in lesson.cells:
        if cell.kind != "markdown":
            continue
        for line, block in _blocks(cell):
            if block.startswith("#"):
                heading = block.lstrip("# ").strip()
                title = heading if block.startswith("# ") else title
            elif not block.startswith(">"):
                found += [
                    Term(name, _sentence(block, name), lesson.name, title, heading, cell.id, line)
                    for name in BOLD.findall(block)
                    if _is_term(name)
                ]
    return found


def _is_term(name):
    return not re.search(r"[\d{}]|[.:]$", name)


def _blocks(cell):
    """(line, text) of each heading, paragraph, list item and cell of a table."""
    block, start = [], cell.line
    for number, line in enumerate([*cell.text.splitlines(), ""], cell.line):
        if block and (not line.strip() or re.match(r"\s*([-*>|#]|\d+\.)\s|\s*\|", line)):
            yield start, " ".join(block)
            block = []
        if line.lstrip().startswith("|"):
            yield from ((number, part.strip()) for part in line.strip().strip("|").split("|"))
        elif line.strip():
            start = start if block else number
            block.append(re.sub(r"^([-*]|\d+\.)\s+", "", line.strip()))


def _sentence(block, name):
    sentences = END.split(block)
    at = next(i for i, text in enumerate(sentences) if f"**{name}**" in text)
    text = sentences[at]
    if len(text) < SHORT:
        text = " ".join(sentences[at - 1 : at + 1] if at else sentences[:2])
    return BOLD.sub(r"\1", text.replace(f"**{name}**", f"*{name}*")).strip()


def twice(lessons) -> list:
    """(lesson, line, sentence) for every term that an earlier place of the course has introduced
    already.
    """
    seen, problems = {}, []
    for lesson in lessons:
        for term in terms(lesson):
            if term.key in seen:
                first = seen[term.key]
                problems.append(
                    (
                        lesson,
                        term.line,
                        f"the term '{term.name}' is set in bold again; {first.lesson} introduced "
                        "it under "
                        f"'{first.heading}'. Bold is for a term's first place; use italics for "
                        "emphasis.",
                    )
                )
            seen.setdefault(term.key, term)
    return problems


def page(lessons, link=lambda term: term.link) -> str:
    """The glossary as Markdown, in alphabetical order, each term with its sentence and a link to
    its place (`link(term)`; by default to its cell in JupyterLab). References to the ledger stay
    as they are.
    """
    every = sorted(
        (term for lesson in lessons for term in terms(lesson)), key=lambda term: term.key
    )
    lines = [
        "# Glossary",
        "",
        f"The {len(every)} terms of the course, each in the sentence that introduces it. The "
        "link leads to that place.",
        "",
    ]
    letter = ""
    for term in every:
        if term.key[0].upper() != letter:
            letter = term.key[0].upper()
            lines += [f"## {letter}", ""]
        lines += [f"**{term.name}** · {term.meaning} → [{term.title}]({link(term)})", ""]
    return "\n".join(lines)
