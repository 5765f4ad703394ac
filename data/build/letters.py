"""Build data/letters.npz: ten letters, each as 335 typefaces draw it, capital or small.

    python data/build/letters.py FOLDER [--sheet SHEET.png]

FOLDER holds Debian packages of fonts, unpacked, each in a folder of its name; the versions are in
`PACKAGES`. `apt-get download fonts-NAME=VERSION` fetches one (snapshot.debian.org keeps all), and
`dpkg-deb -x FILE FOLDER/fonts-NAME` unpacks it. Needs fontTools 4.68.0, Pillow 13.0.0 with
FreeType 2.14.3 and NumPy; the same versions give the same bytes. `--sheet` draws every face in a
row, for looking at. Prints the SHA-256 for data/registry.toml.

Which faces are taken is decided here and nowhere else: of each family with all letters the face
that is nearest to an upright regular one, none that a person cannot read (`EXCLUDED`), and none
that draws a letter nearly as a face of another group does (`NEAR`). A group, which stays in one
split, is a package, or those families of the largest package whose names begin alike.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from packed import write
from PIL import Image, ImageDraw, ImageFont

LETTERS = "ABDEGHNQRT"  # their small form has another shape; b and d, n and h are near each other
SIDE, MARGIN, LARGE = 48, 4, 400  # pixels: of a picture, around the letter; of type when drawn
LEVELS = 16  # grey levels
NEAR = 0.03  # two pictures are nearly one when they differ by less on average (black to white: 1)

# Debian packages whose fonts, or what is drawn with them, may be used for anything (the licences
# are in data/licences/letters.txt), and their versions.
PACKAGES = """
3270 3.0.1-1, aenigma 0.0.20080511+dfsg-4, agave 37-2, allerta 2.01+dfsg1-4, anonymous-pro
1.003-4, apropal 1.0-2, arapey 0+git20200408-2, averia-serif-gwf 1.00-2.1, b612 1.008-3,
bajaderka 1.0-4, blankenburg 0.1-3, breip 1:0.5.1-3, bwht 0.1-3, cabinsketch 1.02-3, cardo
1.04-3, cherrybomb 3.00+dfsg-2, clear-sans 1.00-2, comfortaa 3.001-3, compagnon 0.2-3,
courier-prime 0+git20190115-3, croscore 20201225-1, dancingscript 1.2-2, dkg-handwriting 0.17-1,
ebgaramond 0.016+git20210310.42d4f9f2-1, ecolier-court 1.00-6, elstob
2.000~beta4+git20230209+ds-1, essays1743 2.100-4, eurofurence 4.0-3, fantasque-sans
1.7.2~alpha.3~dfsg-2, fanwood 1.1-7, ferrite-core 2.02+ds-1, gamaliel 0.1-2, georgewilliams
20031023-3, gfs-artemisia 1.1-6, gfs-didot 1.1-7, glasstty 0-2, gnutypewriter 1.0-2, go
0~20170330-1, gotico-antiqua 0+git20190704-4, goudybookletter 2010.07.03-6, havana 1.0-4,
humor-sans 1.0-4, junicode 2+git20230104+ds-1, kaushanscript 1.02-2.1, klee 1.000-20210121-2,
kristi 20101220-1, leckerli-one 20120409-1, lindenhill 1.2-6, linuxlibertine 5.3.0-6, monoid
0.61-4, mononoki 1.5+dfsg-1, national-park 0.0~20220205-2, ocr-b 0.3~dfsg1-1, okolaks 0.6.0-2,
oldstandard 2.2really-4, quattrocento 1.1-2.1, quicksand 0.2016-2.1, rampart 1.000-20210120-2,
reggae 1.000-20210120-2, routed-gothic 1.0.0+git20210723.e22ee83+dfsg-2, sil-gentium-basic
1.102-1.1, sixtyfour 1.0-2, solide-mirage 0.2-2, sora 0+git20201221+ds-2, stick 1.000-20210120-2,
tomsontalks 1.1-9, train 1.000-20210120-2
"""
# Families whose names begin so: a person cannot read them, or they draw something around or in
# place of letters.
EXCLUDED = """
3D LET, 90 Stars, Bandwidth, Binary, Bit Blocks TTF, CLAW, Code Of Life, DB Layer, Double Bogey,
Encapsulate, Entangled, Faux Snow, Foreshadow, Graze, Head-Ding Maker, Joscelyn, Katalyst, Knot,
Line Dings, Linux Biolinum Keyboard O, Nucleus, Numskull, Pindown, Pseudo, Qbicle, Quill
Experimental, Sequence, Skull Capz, Snailets, Swirled, Symmetry, Tearful, TriodPostnaja, Upraise,
Vertigo, Weaver, Whatever, Xmas Lights, Zurklez
"""


def listed(names: str) -> list:
    return [" ".join(each.split()) for each in names.split(",")]


def faces(folder: Path) -> dict:
    """{name of a family: (its group, the file of its regular face)}, in order."""
    wanted, found = set(map(ord, LETTERS + LETTERS.lower())), {}
    left_out = tuple(listed(EXCLUDED))
    for package, version in (each.split() for each in listed(PACKAGES)):
        place = folder / f"fonts-{package}"
        if not place.is_dir():
            raise SystemExit(f"{place} is missing: unpack fonts-{package} {version} there.")
        for file in sorted(place.rglob("*.[ot]tf")):
            if not file.exists():
                continue  # a link out of the package
            with TTFont(file) as font:
                family = font["name"].getDebugName(16) or font["name"].getDebugName(1)
                style = font["name"].getDebugName(17) or font["name"].getDebugName(2) or ""
                weight = font["OS/2"].usWeightClass if "OS/2" in font else 400
                letters = set(font.getBestCmap() or ())
            family = family.removesuffix(" BRK").strip()
            slanted = any(each in style.lower() for each in ("italic", "oblique"))
            # The 465 faces of one package are variants of some 300: told apart by the first word.
            first = family.split()[0].lower()
            group, name = (first, first) if package == "aenigma" else (package, family)
            if wanted <= letters and not family.startswith(left_out):
                plain = (slanted, abs(weight - 400), len(family), family, file.name)
                found.setdefault((package, name), []).append((plain, family, group, file))
    chosen = [min(each)[1:] for each in found.values()]
    return {family: (group, file) for family, group, file in chosen}


def drawn(font, letter: str) -> np.ndarray:
    """A letter, black on white, as large as fits: uint8 (SIDE, SIDE)."""
    left, top, right, bottom = font.getbbox(letter)
    if right <= left or bottom <= top:
        return np.full((SIDE, SIDE), 255, np.uint8)
    large = Image.new("L", (right - left, bottom - top), 255)
    ImageDraw.Draw(large).text((-left, -top), letter, fill=0, font=font)
    scale = (SIDE - 2 * MARGIN) / max(large.size)
    size = [max(1, round(each * scale)) for each in large.size]
    picture = Image.new("L", (SIDE, SIDE), 255)
    small = large.resize(size, Image.LANCZOS)
    picture.paste(small, tuple((SIDE - each) // 2 for each in size))
    step = 255 // (LEVELS - 1)
    return ((np.asarray(picture).astype(int) + step // 2) // step * step).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description="Build data/letters.npz.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    kept = {}
    for family, (group, file) in faces(arguments.folder).items():
        # Without what shapes text, whose results change from one version to the next.
        font = ImageFont.truetype(file, LARGE, layout_engine=ImageFont.Layout.BASIC)
        letters = {
            letter: letter.lower() if small(family, letter) else letter for letter in LETTERS
        }
        pictures = {each: drawn(font, each) for each in letters.values()}
        if all(picture.min() < 128 for picture in pictures.values()) and not any(
            near(pictures, others) for other, others in kept.values() if other != group
        ):
            kept[family] = group, pictures
    print(f"{len(kept)} faces in {len({group for group, _ in kept.values()})} groups")
    if arguments.sheet:
        sheet(arguments.sheet, kept)
    rows = [
        (picture, LETTERS.index(letter.upper()), f"{family}/{letter}", group, letter.islower())
        for family, (group, pictures) in kept.items()
        for letter, picture in pictures.items()
    ]
    images, labels, keys, groups, smalls = zip(*rows)
    write(
        Path(__file__).parent.parent / "letters.npz",
        {
            "images": np.stack(images),
            "labels": np.array(labels, np.int64),
            "keys": np.array(keys),
            "groups": np.array(groups),
            "styles": np.array([("capital", "small")[each] for each in smalls]),
            "class_names": np.array([f"{each} {each.lower()}" for each in LETTERS]),
        },
    )


def small(family: str, letter: str) -> bool:
    """Which form of a letter is taken of a family: one half each, by lot."""
    return bool(hashlib.sha256(f"{family}/{letter}".encode()).digest()[0] % 2)


def near(pictures: dict, others: dict) -> bool:
    """Do two faces draw one of these letters nearly alike?"""
    return any(
        np.abs(pictures[each] / 255 - others[each] / 255).mean() < NEAR
        for each in pictures.keys() & others.keys()
    )


def sheet(file: Path, kept: dict, columns: int = 3):
    """Every face in a row: its letters, and its name."""
    rows = -(-len(kept) // columns)
    page = Image.new("L", (columns * 480, rows * 30), 255)
    for at, (family, (_, pictures)) in enumerate(kept.items()):
        left, top = at // rows * 480, at % rows * 30
        for place, each in enumerate(pictures.values()):
            page.paste(Image.fromarray(each).resize((28, 28)), (left + place * 29, top))
        ImageDraw.Draw(page).text((left + 300, top + 8), family[:28], fill=0)
    page.save(file)


if __name__ == "__main__":
    main()
