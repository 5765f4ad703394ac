"""The font of a language's figures: the glyphs that its catalogues use, cut out of a large font.

    python -m translearn.authoring.book.font zh_CN NotoSansCJKsc-Regular.otf

writes `locale/<language>/font.otf` and its card `font.toml`. matplotlib's own font has no Chinese,
and a font that has all of it is 16 MB. The pages themselves use the reader's fonts.
"""

import hashlib
import sys
from pathlib import Path

from translearn import words
from translearn.authoring.book import translation

FAMILY = "Translearn Figures"  # another name than the font's: it is no longer that font
FOREIGN = 0x2E80  # where the scripts of East Asia begin; before it is matplotlib's own font


def glyphs(language: str) -> str:
    """The characters that figures in a language may need, in their order: those of what the
    package says and of the words in the lessons' code.
    """
    names = [words.NAME, *(f"{page}-code" for page in translation.translated(language))]
    files = [words.LOCALE / language / "LC_MESSAGES" / f"{name}.po" for name in names]
    said = "".join(
        "".join(words.catalogue(language, file.stem).values()) for file in files if file.exists()
    )
    return "".join(sorted({letter for letter in said if ord(letter) >= FOREIGN}))


def cut(language: str, source: Path) -> Path:
    """Write the language's font, from the large one at `source`; returns the font's path."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(source)
    named = {number: font["name"].getDebugName(number) for number in (0, 4, 5, 13, 14)}
    options = subset.Options(name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], layout_features=[])
    cutter = subset.Subsetter(options)
    cutter.populate(text=glyphs(language))
    cutter.subset(font)
    for number, name in ((1, FAMILY), (3, FAMILY), (4, FAMILY), (6, FAMILY.replace(" ", ""))):
        for record in font["name"].names:
            if record.nameID == number:
                record.string = name
    font["CFF "].cff.fontNames = [FAMILY.replace(" ", "")]
    font["head"].modified = font["head"].created  # the same bytes from the same glyphs
    font.recalcTimestamp = False
    file = words.LOCALE / language / "font.otf"
    font.save(file)
    card = {
        "cut_from": named[4],
        "version": named[5],
        "copyright": named[0],
        "licence": "OFL-1.1",
        "licence_address": named[14],
        "source_sha256": hashlib.sha256(Path(source).read_bytes()).hexdigest(),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "glyphs": glyphs(language),
    }
    lines = [f'{key} = "{value}"\n' for key, value in card.items()]
    file.with_suffix(".toml").write_text("".join(lines), encoding="utf-8")
    return file


if __name__ == "__main__":
    print(cut(sys.argv[1], Path(sys.argv[2])))
