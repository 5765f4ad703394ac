"""Build data/prose.npz: the six novels of Jane Austen, chapter by chapter.

    python data/build/prose.py FOLDER

FOLDER is usr/lib/R/site-library/janeaustenr/data of Debian's package r-cran-janeaustenr 1.0.0-1
(`apt-get download` and `dpkg-deb -x` are enough; R itself is not needed, its file is read here).
Needs NumPy. Prints the SHA-256 for data/registry.toml, and what the check for overlaps found.

What is done to the texts: title pages, headings of chapters and notes by later editors go. The
lines of a paragraph are joined, so that a language model learns English and not where a printer
broke his lines. Marks of emphasis and doubled spaces go, since some of the six files have them and
others do not.
"""

import hashlib
import re
import struct
import sys
import zlib
from pathlib import Path

from packed import write_texts

SOURCE = "8fb5198960d0da724b1562f96e4221e5c1b41ff455000280b02c55980c3d8f21"  # of Rdata.rdb
NOVELS = {
    "emma": "Emma",
    "mansfieldpark": "Mansfield Park",
    "northangerabbey": "Northanger Abbey",
    "persuasion": "Persuasion",
    "prideprejudice": "Pride and Prejudice",
    "sensesensibility": "Sense and Sensibility",
}
TEST = "Persuasion"  # the whole of it
VALIDATION = (
    0.05  # the last chapters of each of the other five, at least this share of its characters
)
WINDOW = 60  # a run of so many characters that stands in two parts is called an overlap


def strings(record: bytes) -> list[str]:
    """The vector of strings in one record of R's database: its length, then R's binary format,
    compressed.
    """
    content = zlib.decompress(record[4:])
    (length,) = struct.unpack(">I", record[:4])
    assert len(content) == length and content[:2] == b"X\n"
    (version,) = struct.unpack(">i", content[2:6])
    # Version 3 also names the encoding of the session that wrote it.
    place = 14 + (4 + struct.unpack(">i", content[14:18])[0] if version == 3 else 0)
    kind, count = struct.unpack(">ii", content[place : place + 8])
    assert kind & 0xFF == 16, "not a vector of strings"
    place += 8
    found = []
    for _ in range(count):
        flags, length = struct.unpack(">Ii", content[place : place + 8])
        assert flags & 0xFF == 9, "not a string"
        found.append(
            content[place + 8 : place + 8 + length].decode(
                "utf-8" if flags & 0x8000 else "latin-1"
            )
        )
        place += 8 + length
    return found


def novels(folder: Path) -> dict:
    """{title: its lines}"""
    database = (folder / "Rdata.rdb").read_bytes()
    if (found := hashlib.sha256(database).hexdigest()) != SOURCE:
        raise SystemExit(f"expected Rdata.rdb with SHA-256 {SOURCE}, found {found}")
    index = zlib.decompress((folder / "Rdata.rdx").read_bytes(), 31)
    # Each entry of the index is a vector of two integers: where a record starts, and how long it
    # is.
    places = [
        struct.unpack(">ii", index[hit.end() : hit.end() + 8])
        for hit in re.finditer(re.escape(struct.pack(">ii", 13, 2)), index)
    ]
    assert len(places) == len(NOVELS)
    return {
        title: strings(database[start : start + length])
        for title, (start, length) in zip(NOVELS.values(), places)
    }


def chapters(lines) -> list[str]:
    """The chapters of a novel, each with one line a paragraph."""
    found, paragraph = [], []

    def close():
        if paragraph:
            found[-1].append(" ".join(paragraph))
            paragraph.clear()

    for line in [*lines, ""]:
        line = re.sub(r"\s+", " ", line.replace("_", "")).strip()
        # Headings are set in one of two ways; the word at the start of a line of text has a small
        # c.
        if re.fullmatch(r"(CHAPTER|Chapter) [IVXL\d]+\.?", line):
            if found:
                close()
            found.append([])
        elif line.startswith("A NOTE ON THE TEXT"):
            break
        elif not found:
            continue
        elif (
            not line
            or re.fullmatch(r"(\* ?)+|FINIS|Finis|THE END|VOLUME [IV]+", line)
            or re.match(r"\[(At this point|End volume)", line)
        ):
            close()
        else:
            paragraph.append(line)
    close()
    return ["\n".join(paragraphs) + "\n" for paragraphs in found]


def main(folder: Path):
    texts, titles, parts = [], [], []
    for title, lines in novels(folder).items():
        whole = chapters(lines)
        left = sum(map(len, whole))
        total = left
        print(f"{title}: {len(whole)} chapters, {total:,} characters")
        for chapter in whole:
            left -= len(chapter)
            texts.append(
                chapter.replace("\u00a3", "L.")
            )  # the one character that is not ASCII, once
            titles.append(title)
            parts.append(
                "test" if title == TEST else "validation" if left < VALIDATION * total else "train"
            )
    assert all(text.isascii() for text in texts)
    keys = [
        f"{title}/{sum(each == title for each in titles[:at]) + 1:02}"
        for at, title in enumerate(titles)
    ]
    write_texts(Path(__file__).parent.parent / "prose.npz", texts, titles, keys, parts, WINDOW)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
