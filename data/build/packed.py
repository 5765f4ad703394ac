"""Write an .npz whose bytes depend on nothing but the arrays."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np


def write(file: Path, arrays: dict, stored: tuple = ()):
    """Like np.savez_compressed, without the time of day in the file; arrays named in `stored` are not compressed."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            member.create_system = 3          # the same on every system
            packed = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(member, stream.getvalue(), packed, compresslevel=9)
    print(f"{file.name}: {file.stat().st_size:,} bytes, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}")
