"""A lesson's code in another language: the words in it that people see.

The catalogue `<lesson>-code.po` holds these literals. The message is the literal's text; of an
f-string, the text with its fields as they stand in the code: `{len(few)} pictures`. A translation
keeps the fields, in any order. Everything else that a lesson's code says is for the computer:
names of arms and metrics are keys of the ledger, and are translated where they are shown
(`words._`).
"""

import ast
import json

from translearn import words
from translearn.authoring.reading import Lesson
from translearn.errors import CourseError

# Function → positions and names of those of its arguments that are words to read.
SHOWN = {
    "print": range(9),
    "widgets.Bet": (1, "question"),
    "plots.pictures": (2, "title"),
    "plots.results": (2, 3, "title", "label", "baseline"),
    "plots.lines": (1, 2, 3, "title", "xlabel", "ylabel"),
    "plots.show": (1, "alt"),
    "measure.claim": (0, "text"),
}
IN_WORDS = "in_words"  # what a rehearsal calls `words._`
ALT = "alt"  # what is assigned to this name is shown, too


def translated(language: str) -> list:
    """The pages that a language has: those with a catalogue."""
    if language == words.ENGLISH:
        return []
    found = (words.LOCALE / language / "LC_MESSAGES").glob("*.po")
    return sorted(file.stem for file in found if file.stem != words.NAME and not _code(file.stem))


def spoken(page: str, language: str) -> str:
    """The language that a page of a book is in: English where it is not translated."""
    return language if page in translated(language) else words.ENGLISH


def rests_on(language: str) -> bytes:
    """What else a run in the language depends on: the package's words, and the font."""
    if language == words.ENGLISH:
        return b""
    folder = words.LOCALE / language
    files = [folder / "LC_MESSAGES" / f"{words.NAME}.po", folder / "font.otf"]
    return b"".join(file.read_bytes() for file in files if file.exists())


def rehearsal(text: str, lesson: Lesson, language: str) -> str:
    """A rehearsal (`notebooks.rehearsal`) whose code shows words of the language. A name that an
    f-string shows, as of an arm, is translated as the rehearsal runs.
    """
    book = json.loads(text)
    rows = [row for row in book["cells"] if row["cell_type"] == "code"]
    for row in rows:
        source = code("".join(row["source"]), lesson, language, put=_saying)
        row["source"] = source.splitlines(keepends=True)
    rows[0]["source"].insert(0, f"from translearn.words import _ as {IN_WORDS}\n")
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def code(source: str, lesson: Lesson, language: str, put=None) -> str:
    """Python with the literals that are shown in the language. `put` writes one, as `literal`."""
    put = put or literal
    if spoken(lesson.name, language) == words.ENGLISH:
        return source
    known = words.catalogue(language, f"{lesson.name}-code")
    lines = [line.encode() for line in source.splitlines(keepends=True)]  # columns are in bytes
    for node, said in literals(source):
        if said not in known:
            continue
        first, last = node.lineno - 1, node.end_lineno - 1
        new = lines[first][: node.col_offset] + put(known[said], node).encode()
        lines[first : last + 1] = [new + lines[last][node.end_col_offset :]]
    return b"".join(lines).decode()


def literals(source: str) -> list:
    """The literals that are shown: (node of the syntax tree, message), the last first, so that
    each can be replaced without moving the next.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic of IPython
        return []
    found = {}
    for node in ast.walk(tree):
        for shown in _shown(node):
            for each in _strings(shown):
                said = message(each)
                if said.strip(" ✓✗"):
                    found[each.lineno, each.col_offset] = each, said
    return [found[place] for place in sorted(found, reverse=True)]


def message(node) -> str:
    """The message of a literal: its text, with its fields if it is an f-string."""
    if isinstance(node, ast.Constant):
        return node.value
    return "".join(
        part.value.replace("{", "{{").replace("}", "}}")
        if isinstance(part, ast.Constant)
        else f"{{{_field(part)}}}"
        for part in node.values
    )


def fields(text: str) -> list:
    """The fields of an f-string's message, in the order of the alphabet. Raises `CourseError`
    where it is none.
    """
    return sorted(_field(part) for part in _parsed(text).values if not _plain(part))


def literal(text: str, node) -> str:
    """Python for a translation that stands in the place of a literal, in the course's quotes."""
    if isinstance(node, ast.Constant):
        return json.dumps(text, ensure_ascii=False)
    code = ast.unparse(_parsed(text))
    return f'f"{code[2:-1]}"' if code.startswith("f'") and not set(code) & set('"\\') else code


def _saying(text, node):
    if isinstance(node, ast.Constant):
        return repr(text)
    tree = _parsed(text)
    for part in tree.values:
        if not _plain(part) and isinstance(part.value, ast.Name) and not part.format_spec:
            part.value = ast.Call(ast.Name(IN_WORDS), [part.value], [])
    return ast.unparse(tree)


def _parsed(text):
    quoted = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"""', '\\"""')
    try:
        # The blank lets a text end in a quotation mark; it is taken away again.
        tree = ast.parse(f'f"""{quoted} """', mode="eval").body
    except SyntaxError:
        raise CourseError(f"This is no f-string: {text!r}") from None
    tree.values[-1].value = tree.values[-1].value[:-1]
    return tree


def _field(part):
    kind = "" if part.conversion == -1 else f"!{chr(part.conversion)}"
    form = f":{message(part.format_spec)}" if part.format_spec else ""
    return f"{ast.unparse(part.value)}{kind}{form}"


def _shown(node):
    """What a node shows: the arguments of a call, or what an alt text is made of."""
    if isinstance(node, ast.Assign) and [ast.unparse(to) for to in node.targets] == [ALT]:
        yield node.value
    if isinstance(node, ast.Call) and (wanted := SHOWN.get(ast.unparse(node.func))):
        yield from (argument for at, argument in enumerate(node.args) if at in wanted)
        yield from (each.value for each in node.keywords if each.arg in wanted)


def _strings(node):
    """The literals that make up an expression; what an f-string's fields hold is not shown."""
    if isinstance(node, ast.JoinedStr) or _plain(node):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from _strings(child)


def _plain(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _code(name):
    return name.endswith("-code")
