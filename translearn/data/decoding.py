"""A picture file of the reader's own: is it one, and it or its middle square as 8-bit RGB.

A photograph may be huge, and nothing here needs it whole: whatever the size asked for, its shorter
side is decoded to between one and two times `ENOUGH` pixels. That bounds the memory, and what is
decoded, hence which pictures count as copies, does not depend on the size.
"""

import contextlib
import hashlib
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from translearn.data.pictures import LARGEST

ENOUGH = 2 * LARGEST  # pixels of the shorter side that any size is well served with
MOST = 250_000_000  # pixels decoded at once: 2 GB at worst, with transparency
ALONE = 20_000_000  # a picture of more is decoded while no other such one is

# What Pillow may decode. Others would run a program (EPS) or show a thumbnail for the whole; HEIF
# is there when the reader has registered a plugin for it.
FORMATS = (
    "PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "HEIF",
)  # fmt: skip
# Files that say of themselves that they are pictures. Others are looked into.
ENDINGS = set(
    ".png .apng .jpg .jpeg .jpe .jfif .webp .gif .bmp .dib .tif .tiff .avif .jp2 .j2k .jpx .ppm "
    ".pgm .pbm .pnm".split()
)
# A camera's raw file looks like a TIFF whose first picture is a thumbnail.
RAW = set(".dng .cr2 .cr3 .nef .arw .orf .rw2 .raf .pef .srw .raw".split())
UNKNOWN = RAW | set(".heic .heif .hif .jxl .svg .psd .xcf .eps .tga".split())

_alone = threading.Lock()


class Refused(Exception):
    """Why a picture is not taken: half a sentence for the reader."""


@dataclass(frozen=True)
class Decoded:
    """picture: a Pillow picture in RGB, what is wanted of it; width, height: pixels of the file's
    picture, turned as it is shown; content: SHA-256 of the pixels wanted; file: SHA-256 of the
    file; see_through, several: had it transparency, and more than one frame?
    """

    picture: "PIL.Image.Image"  # noqa: F821 (Pillow is imported late)
    width: int
    height: int
    content: str
    file: str
    see_through: bool
    several: bool


@contextlib.contextmanager
def quietly():
    """Pillow without its remarks, which name no file, and with the limit here instead of its own.

    Both belong to the whole process: hold it around threads, not in them, for threads that restore
    a setting in turn leave it switched off.
    """
    from PIL import Image

    Image.init()
    kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = kept


def is_picture(file: Path) -> bool:
    """Would a person call it a picture, readable or not? By its ending, or by what is in it."""
    if file.suffix.lower() in ENDINGS | UNKNOWN:
        return True
    try:
        with _opened(file):
            return True
    except Exception:
        return False


def decode(file: Path, whole: bool = False) -> Decoded:
    """A picture file as `Decoded`, its middle square or the whole of it; raises `Refused`. Call it
    inside `quietly()`.
    """
    from PIL import UnidentifiedImageError

    if file.suffix.lower() in RAW:
        raise Refused("a camera's raw file, which is not read here: export it as JPEG or PNG")
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if not stream.tell():
                raise Refused("empty")
        with _opened(file) as picture:
            return _decoded(picture, digest, whole)
    except Refused:
        raise
    except UnidentifiedImageError:
        kind = file.suffix[1:].upper() if file.suffix.lower() in UNKNOWN else _kind(file)
        if kind:
            raise Refused(f"{kind} is not read here: save it as JPEG or PNG") from None
        raise Refused("not a picture of a kind that is read here") from None
    except MemoryError:
        raise Refused("it needs more memory than there is: make it smaller") from None
    except FileNotFoundError:
        raise Refused("a link that leads nowhere" if file.is_symlink() else "gone") from None
    except Exception as error:  # Pillow's decoders raise nearly anything on a damaged file
        if isinstance(error, OSError) and error.strerror:
            raise Refused(error.strerror) from None
        said = " ".join(str(error).split()) or type(error).__name__
        raise Refused(f"damaged: {said[:100]}") from None


def _kind(file: Path) -> str:
    """What a file really is that is named like a picture, or "": some that are often met."""
    with file.open("rb") as stream:
        head = stream.read(512).lower()
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "HEIC"
    for mark, kind in ((b"<svg", "SVG"), (b"<html", "a web page"), (b"%pdf", "PDF")):
        if mark in head:
            return kind
    return ""


def _opened(file: Path):
    from PIL import Image

    return Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])


def _decoded(picture, digest: str, wanted_whole: bool) -> Decoded:
    from PIL import Image, ImageOps

    width, height = picture.size
    several = False
    with contextlib.suppress(Exception):  # a damaged second frame leaves the first
        several = picture.format != "MPO" and getattr(picture, "is_animated", False)
    whole = picture.width * picture.height
    if picture.format in ("JPEG", "MPO"):
        picture.draft(None, (ENOUGH, ENOUGH))  # a half, a quarter or an eighth, while decoding
    pixels = picture.width * picture.height
    if "progressive" in picture.info:  # its coefficients are held at full size
        pixels = whole
    if pixels > MOST:
        raise Refused(
            f"{whole / 1e6:,.0f} million pixels, and no more than {MOST / 1e6:.0f} million are "
            "decoded: make it smaller"
        )
    with _alone if pixels > ALONE else contextlib.nullcontext():
        picture.load()
        small, see_through = _rgb(picture)
    with contextlib.suppress(Exception):  # EXIF data that make no sense turn nothing
        sideways = small.getexif().get(0x0112) in (5, 6, 7, 8)
        small = ImageOps.exif_transpose(small)
        width, height = (height, width) if sideways else (width, height)
    if see_through:
        # White, as in emoji_styles, rather than whatever colour lies beneath.
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    if small.mode != "RGB":
        small = small.convert("RGB")
    if not wanted_whole:
        side = min(small.size)
        left, top = (small.width - side) // 2, (small.height - side) // 2
        small = small.crop((left, top, left + side, top + side))
    content = hashlib.sha256(b"%d x %d " % small.size + small.tobytes()).hexdigest()
    return Decoded(small, width, height, content, digest, see_through, several)


def _rgb(picture):
    """(the picture with 8 bits a channel, no larger than needed, is some of it see-through?).

    A see-through one is RGBA, others have a mode that turns into RGB at once.
    """
    if picture.mode.startswith("I;16") or (picture.mode, picture.format) == ("I", "PPM"):
        picture = _eight_bits(picture)
    elif picture.mode in ("I", "F"):
        what = "32-bit or signed whole" if picture.mode == "I" else "floating-point"
        raise Refused(
            f"its pixels are {what} numbers, and nothing says which is white: save it with 8 or "
            "16 bits a channel"
        )
    see_through = picture.has_transparency_data
    if see_through and picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    elif picture.mode in ("1", "P", "PA"):  # numbers of colours, which have no mean
        picture = picture.convert("RGB")
    if (factor := min(picture.size) // ENOUGH) > 1:
        picture = picture.reduce(factor)
    if see_through and picture.getextrema()[3][0] == 255:
        return picture.convert("RGB"), False
    return picture, see_through


def _eight_bits(picture):
    """16-bit grey as 8-bit grey, scaled by the range of its format: what Pillow does with 16-bit
    colours, but not with grey, where it cuts off at 255.
    """
    from PIL import Image

    bits, white_is_zero = 16, False
    if picture.format == "TIFF":  # 12 bits come as numbers up to 4,095
        bits = picture.tag_v2.get(258, (16,))[0]
        white_is_zero = picture.tag_v2.get(262) == 0
    values = np.asarray(picture)
    grey = (values >> (bits - 8)).astype(np.uint8)
    if (see_through := picture.info.get("transparency")) is not None:
        grey[values == see_through] = 255
    result = Image.fromarray(255 - grey if white_is_zero else grey)
    kept = {name: value for name, value in picture.info.items() if name != "transparency"}
    result.info.update(kept)  # EXIF data, which say how to turn it
    return result
