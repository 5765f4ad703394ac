"""Where the headings of a lesson are in the book: the anchors that MyST makes of them."""

import functools
import re

from translearn.authoring.reading import Lesson


def headings(lesson: Lesson) -> list:
    """(line in the source, heading as Markdown, anchor) of a lesson, in its order.

    The anchors are those that myst-parser makes, as GitHub does, each one unique in its page.
    """
    return _headings(tuple((c.line, c.text) for c in lesson.cells if c.kind == "markdown"))


@functools.lru_cache(32)
def _headings(cells):
    from myst_parser.slugs import github_slugify, unique_slug

    found, taken = [], set()
    for at, text in cells:
        for line, said in enumerate(text.splitlines(), at):
            if heading := re.match(r"#{1,6} (.+)", said):
                slug = unique_slug(github_slugify(re.sub(r"[*`]", "", heading[1])), taken)
                taken.add(slug)
                found.append((line, heading[1].strip(), slug))
    return found


def title(lesson: Lesson) -> str:
    """The lesson's own heading, such as "05 · Freezing"."""
    return headings(lesson)[0][1]


def above(lesson: Lesson, line: int) -> tuple:
    """(heading, link) of the section that a line of the source stands in."""
    _, heading, slug = [found for found in headings(lesson) if found[0] <= line][-1]
    return heading, f"{lesson.name}.ipynb#{slug}"


def inline(text: str) -> str:
    """Plain text that Markdown shows as it stands, in a table too."""
    return re.sub(r"([\\`*_\[\]<>|$#{}~])", r"\\\1", text)


def references(text: str) -> str:
    """A lesson's prose as the book's sources hold it: `{{ a.b.c.d | percent }}` becomes
    `{{ a.b.c.d, percent }}`, since a bar would end a table's cell.
    """
    return re.sub(
        r"\{\{(?! time \}\})[^}]*\}\}", lambda match: match[0].replace(" | ", ", "), text
    )


def admonition(title: str, body: str, name: str) -> str:
    """A box that is folded until its title is pressed; `name` is its class. Words of both are
    Markdown, so they are translated like any other prose.
    """
    longest = max((len(ticks) for ticks in re.findall("`{3,}", body)), default=3)
    fence = "`" * (longest + 1)
    head = f"{fence}{{admonition}} {title}\n:class: {name}\n:collapsible: closed\n"
    return f"{head}\n{body.strip()}\n{fence}"
