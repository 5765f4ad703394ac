"""Build data/fashion.npz: 1,200 pictures of each of Fashion-MNIST's ten classes.

    python data/build/fashion.py FOLDER

FOLDER holds the four original files (train-images-idx3-ubyte.gz …), as Debian's package
dataset-fashion-mnist installs them in /usr/share/datasets/fashion-mnist (version
0.0~git20200523.55506a9-1). The subset is the first 1,200 of each class in the training file, so no
random numbers are involved. Needs NumPy. Prints the SHA-256 for data/registry.toml.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from packed import write

CLASSES = [
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "trainer",
    "bag",
    "ankle boot",
]
PER_CLASS = 1200


def main(folder: Path):
    images = np.frombuffer(
        gzip.open(folder / "train-images-idx3-ubyte.gz").read(), np.uint8, offset=16
    )
    labels = np.frombuffer(
        gzip.open(folder / "train-labels-idx1-ubyte.gz").read(), np.uint8, offset=8
    )
    images = images.reshape(-1, 28, 28)
    if len(images) != 60_000 or len(labels) != 60_000:
        raise SystemExit(
            f"expected 60,000 pictures and labels, found {len(images)} and {len(labels)}"
        )
    chosen = np.sort(
        np.concatenate([np.flatnonzero(labels == label)[:PER_CLASS] for label in range(10)])
    )
    write(
        Path(__file__).parent.parent / "fashion.npz",
        {
            "images": images[chosen],
            "labels": labels[chosen].astype(np.int64),
            "keys": np.array(
                [f"train-{index:05}" for index in chosen]
            ),  # the position in the original file
            "class_names": np.array(CLASSES),
        },
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
