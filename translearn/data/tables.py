"""A list of pictures of the reader's own in a CSV file: which files, of which class and part."""

import csv
import io
import os
import re
import unicodedata
from pathlib import Path

from translearn.data.folders import SPLIT, Found, shown
from translearn.data.splits import PARTS
from translearn.errors import CourseError
from translearn.plain import count, some

SEPARATORS = ",;\t|"
LIKE = 'Its first line names the columns, as in "file,label"'


def listed(path, root, file: str, label: str, split: str | None, missing: str):
    """(`Found`, the name of the list); missing: "stop" or "skip" files that are not there."""
    place = _existing(path)
    base = place.parent if root is None else _folder(root)
    rows, names = _rows(place, file, label, split)
    split = split if split in names else None
    found = Found()
    _no_lacks(rows, file, label, split)
    parts = _parts(rows, split)
    if len(given := [part for part in PARTS if part in parts]) > 1:
        found.given = tuple(given)
        if "train" not in given:
            raise CourseError(
                f"The list {place.name} says {' and '.join(given)}, but nowhere train. Name what "
                "to train on, or leave the column out with split=None."
            )
    classes = _classes(rows, label)
    if blanks := sum(row[label] != row[label].strip() for _, row in rows):
        found.said.append(f"Blanks around {count(blanks, 'label')} do not count.")
    first, gone = {}, []
    for (line, row), part in zip(rows, parts):
        if re.match(r"[a-z]+://", row[file], re.IGNORECASE):
            raise CourseError(
                f"Line {line} has an address, {row[file]}, and nothing is downloaded here. "
                "Download the pictures, and list the files."
            )
        there = _file(base, row[file])
        known = os.path.normcase(os.path.normpath(base / there))
        if known in first:
            _agree(first[known], (line, row, part), file, label)
            continue
        first[known] = line, row, part
        if not os.path.isfile(base / there):
            gone.append(row[file])
            continue
        found.files.append(base / there)
        found.keys.append(shown(os.path.normpath(there)).replace(os.sep, "/"))
        found.labels.append(row[label].strip())
        found.parts.append(part if found.given else "train")
    if twice := len(rows) - len(first):
        said = count(twice, "line that repeats another", "lines that repeat another")
        found.said.append(f"{said}.")
    if gone:
        _say_gone(gone, len(first), base, missing, found)
    left = set(found.labels)
    found.class_names = tuple(each for each in classes if each in left)
    if len(left) < 2:
        raise CourseError(
            f"Of the list {place.name} one class is left, {found.class_names[0]!r}, which leaves "
            "nothing to tell apart. Correct the files of the others."
        )
    numbers = {name: label for label, name in enumerate(found.class_names)}
    found.labels = [numbers[each] for each in found.labels]
    _every_part(found, place)
    return found, shown(place.stem)


# --- the table itself ----------------------------------------------------------------------------


def _existing(path) -> Path:
    try:
        place = Path(path).expanduser()
    except (TypeError, RuntimeError):
        raise CourseError(
            f"{path!r} is not the name of a file. Name a CSV file that lists your pictures."
        ) from None
    if place.is_dir():
        raise CourseError(
            f"{shown(place)} is a folder. Use data.from_directory, or name a CSV file."
        )
    if not place.is_file():
        raise CourseError(
            f"The list {shown(place)} does not exist. Name a CSV file that lists your pictures."
        )
    return place


def _folder(root) -> Path:
    place = Path(root).expanduser()
    if not place.is_dir():
        raise CourseError(
            f"The folder root={shown(place)} does not exist. Name the one that the files of the "
            "list are given from."
        )
    return place


def _rows(place: Path, file, label, split) -> tuple[list, list]:
    """([(line, {column: text})], the names of the columns), without empty lines."""
    text = _text(place)
    if not text.strip():
        raise CourseError(f"The list {place.name} is empty. {LIKE}.")
    separators = SEPARATORS
    if said := re.match(r"sep=(.)\r?\n", text):  # Excel's own
        separators, text = said[1], text[said.end() :]
    lead = bool(said)
    tables = [_parsed(text, each, place) for each in separators]
    names = max((table[0][1] for table in tables), key=len)
    needed = [file, label, *([split] if split not in (None, "split") else [])]
    for table in tables:
        heads = [each.strip() for each in table[0][1]]
        if set(needed) <= set(heads):
            names = heads
            break
    else:
        heads = [each.strip() for each in names]
        lacks = next(each for each in needed if each not in heads)
        raise CourseError(
            f"The list {place.name} has no column {lacks!r}: its first line has "
            f"{some([repr(each) for each in heads])}. {LIKE}; or name yours with file=…, "
            "label=… and split=…."
        )
    for each in (*needed, split):
        if names.count(each) > 1:
            raise CourseError(f"The list {place.name} has two columns {each!r}. Rename one.")
    rows = [(line + lead, cells) for line, cells in table[1:] if any(map(str.strip, cells))]
    if not rows:
        raise CourseError(f"The list {place.name} has names of columns and nothing below them.")
    if odd := [line for line, cells in rows if len(cells) != len(names)]:
        raise CourseError(
            f"{_lines(odd)} not {len(names)} columns, as the first of {place.name} has. A name "
            'with a comma in it must stand in quotes, as in "cat, black.jpg".'
        )
    return [(line, dict(zip(names, cells))) for line, cells in rows], names


def _text(place: Path) -> str:
    try:
        content = place.read_bytes()
    except OSError as error:
        raise CourseError(
            f"The list {shown(place)} cannot be opened: {error.strerror}. Make it readable."
        ) from None
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise CourseError(f'{place.name} is a spreadsheet. Save it as "CSV UTF-8".')
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CourseError(
            f'{place.name} is not UTF-8 (line {line}). Save it as "CSV UTF-8".'
        ) from None
    if "\0" in text:
        raise CourseError(f"{place.name} is no text. Name a CSV file that lists your pictures.")
    return text


def _parsed(text: str, separator: str, place: Path) -> list:
    """[(line, cells)]; a file whose quotes do not match is refused."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    rows = []
    try:
        for cells in reader:
            if cells:
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        if separator == "," or rows and len(rows[0][1]) > 1:
            raise CourseError(
                f"The quotes of {place.name} do not match near line {reader.line_num} ({error}). "
                'Quote a cell as in "cat, black.jpg", and write a quote inside twice.'
            ) from None
    return rows


# --- what it says --------------------------------------------------------------------------------


def _lines(lines) -> str:
    """ "Line 3 has", "Lines 3, 4 have"."""
    what = some([str(each) for each in lines])
    return f"Line {what} has" if len(lines) == 1 else f"Lines {what} have"


def _no_lacks(rows, file, label, split):
    for column in (file, label, *([split] if split else [])):
        if lacks := [line for line, row in rows if not row[column].strip()]:
            raise CourseError(f"{_lines(lacks)} no {column}. Fill in, or remove.")


def _parts(rows, split) -> list:
    """The part of each row, "train" where there is no column for it."""
    if split is None:
        return ["train"] * len(rows)
    parts = []
    for line, row in rows:
        match = SPLIT.fullmatch(row[split].strip())
        if not match:
            raise CourseError(
                f"Line {line} says {row[split]!r} in the column {split!r}, which is none of "
                f"{', '.join(PARTS)}. Write one of these, or leave the column out with split=None."
            )
        parts.append(match.lastgroup)
    return parts


def _classes(rows, label) -> list:
    """The names of the classes in order; raises CourseError for two that a person would read as
    one.
    """
    lines = {}
    for _, row in rows:
        lines[row[label].strip()] = lines.get(row[label].strip(), 0) + 1
    alike = {}
    for name in lines:
        plain = re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", name).casefold())
        alike.setdefault(plain, []).append(name)
    for names in alike.values():
        if len(names) > 1:
            shown_names = " and ".join(
                f"{each!r} ({count(lines[each], 'line')})" for each in names
            )
            raise CourseError(
                f"The labels {shown_names} differ only by capitals or blanks. Write them alike."
            )
    numbers = all(re.fullmatch(r"-?\d{1,15}", each) for each in lines)
    classes = sorted(lines, key=int if numbers else None)
    if len(classes) == 1:
        raise CourseError(
            f"The list has one class only, {classes[0]!r}, which leaves nothing to tell apart. "
            "List pictures of at least two."
        )
    return classes


def _file(base: Path, said: str) -> str:
    """A file as the list names it; Windows writes paths with another stroke."""
    said = said.strip()
    if "\\" in said and not os.path.lexists(base / said):
        return said.replace("\\", "/")
    return said


def _agree(one, other, file, label):
    for what, place in (("labels", 1), ("parts", 2)):
        before, now = (
            each[1][label].strip() if place == 1 else each[place] for each in (one, other)
        )
        if before != now:
            raise CourseError(
                f"{other[1][file].strip()} stands on lines {one[0]} and {other[0]} with two "
                f"{what}, {before!r} and {now!r}. Keep one line: a picture has one of each here."
            )


def _say_gone(gone, number, base, missing, found):
    which = f"{count(len(gone), 'file')} of the list cannot be found: {some(gone, 5)}."
    if len(gone) == number or missing == "stop":
        hint = ""
        wanted = base / gone[0].replace("\\", "/")
        names = [each.name for each in wanted.parent.iterdir()] if wanted.parent.is_dir() else []
        alike = [each for each in names if each.casefold() == wanted.name.casefold()]
        if wanted.name in names:
            hint = f" {wanted.name!r} is there, but leads nowhere or is no file."
        elif alike:
            hint = f" There is {alike[0]!r}, with other capitals."
        elif len(gone) == number or re.match(r"[a-z]:|\\\\", gone[0], re.IGNORECASE):
            hint = (
                f" They were looked for in {shown(base)}: name the folder that they are given "
                "from with root=…."
            )
        skip = "" if len(gone) == number else ' or ask for unreadable="skip"'
        raise CourseError(f"{which}{hint} Correct the list{skip}.")
    found.loud.append(f"{which} Carrying on without.")


def _every_part(found: Found, place: Path):
    have = set(zip(found.parts, found.labels))
    for part in found.given:
        for label, name in enumerate(found.class_names):
            if (part, label) not in have:
                raise CourseError(
                    f"The list {place.name} has no picture of the class {name!r} in {part}. Every "
                    "part needs every class."
                )
