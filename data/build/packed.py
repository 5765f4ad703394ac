"""Write an .npz whose bytes depend on nothing but the arrays."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np


def write(file: Path, arrays: dict, stored: tuple = ()):
    """Like np.savez_compressed, without the time of day in the file; arrays named in `stored` are
    not compressed.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # the same on every system
            packed = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(member, stream.getvalue(), packed, compresslevel=9)
    print(
        f"{file.name}: {file.stat().st_size:,} bytes, sha256 "
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}"
    )


def write_texts(file: Path, texts, sources, keys, parts, window: int, compared=None):
    """Running text in pieces (chapters, fortunes), each in one part; prints whether the parts
    share any text.

    `window` is the length of a run of characters that would count as shared; `compared` is what to
    compare instead of the texts themselves.
    """
    whole = {
        part: "\n".join(text for text, each in zip(compared or texts, parts) if each == part)
        for part in ("train", "validation", "test")
    }
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        seen = {whole[one][at : at + window] for at in range(len(whole[one]) - window + 1)}
        shared = {
            whole[other][at : at + window] for at in range(len(whole[other]) - window + 1)
        } & seen
        print(
            f"runs of {window} characters in both {one} and {other}: {len(shared)} "
            f"{sorted(shared)[:5]}"
        )
    print({part: f"{len(text):,}" for part, text in whole.items()})
    encoded = [text.encode() for text in texts]
    write(
        file,
        {
            "text": np.frombuffer(b"".join(encoded), np.uint8),
            "ends": np.cumsum([len(text) for text in encoded]),
            "sources": np.array(sources),
            "keys": np.array(keys),
            "parts": np.array(parts),
        },
    )
