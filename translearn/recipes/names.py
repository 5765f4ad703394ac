"""What the names of the classes say, before any of your pictures is looked at.

The network was trained to tell 1,000 classes that have names. A small language model says which of
them your names are near to, so that the network's own guess can be read as a guess about your
classes (ConSE: Norouzi and others 2014, arXiv:1312.5650). How much weight it gets is chosen by
cross-validation: names that mean nothing ("type B", "0041") get little or none.
"""

import itertools
import re

import numpy as np

from translearn import backbones
from translearn.transfer import features as kept

SHARP = 0.1  # cosines of the names are divided by this
FLOOR = 1e-4  # no class is impossible
LENGTH = 12  # pieces of words; the longest name in ImageNet's list has as many
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # tried, of the names' guess


def worth_reading(class_names) -> bool:
    """Is there a word of three letters or more in most names?"""
    words = [re.search(r"[^\W\d_]{3}", str(name)) is not None for name in class_names]
    return sum(words) > len(words) / 2 and len(set(class_names)) > 1


def likeness(class_names, tick=lambda: None, folder=None):
    """(1000, classes): for each class of ImageNet, how probable each of yours is by its name."""
    import joblib

    labels = backbones.imagenet_labels()
    store = kept._Store(
        folder, joblib.hash(("names", "minilm", labels, backbones.NUMERICS)), (384,), np.float32
    )
    known = store.read("labels", len(labels))
    asked = [re.sub(r"[\W_]+", " ", str(name)).strip().lower() or "?" for name in class_names]
    vectors = _vectors(asked + ([] if known is not None else labels), tick)
    if known is None:
        known = vectors[len(asked) :]
        try:
            store.write("labels", known)
        except OSError:
            pass
    cosines = known @ vectors[: len(asked)].T / SHARP
    likely = np.exp(cosines - cosines.max(axis=1, keepdims=True))
    return (likely / likely.sum(axis=1, keepdims=True)).astype("float32")


def _vectors(texts, tick):
    """(n, 384) unit vectors: the mean over the tokens, as MiniLM was trained for sentences."""
    import tensorflow as tf

    ids = np.asarray(backbones.tokenizer("minilm")(texts, length=LENGTH)).astype("int32")
    model = backbones.load("minilm")
    run = tf.function(lambda tokens: model(tokens, training=False)).get_concrete_function(
        tf.TensorSpec((None, LENGTH), tf.int32)
    )
    found = []
    for start in range(0, len(ids), 100):
        some = ids[start : start + 100]
        there = (some != 0)[..., None]
        found.append((np.asarray(run(tf.constant(some))) * there).sum(axis=1))
        tick()
    found = np.concatenate(found).astype("float32")
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def guess(head, top, likely):
    """(n, classes) log-probabilities by the names.

    head    (n, 1280), the pooled head of the network
    top     (weights, bias) of ImageNet's classifier
    likely  what `likeness` gave
    """
    return np.log(_softmax(head @ top[0] + top[1]) @ likely + FLOOR)


def trusted(logits, guess, labels):
    """(weight of the guess, factor of the logits) with the best likelihood on held-out logits."""
    known = ~np.isnan(logits).any(axis=1)
    if not known.any():
        return 0.0, 1.0
    here = np.arange(known.sum()), labels[known]

    def loss(pair):
        both = pair[1] * logits[known] + pair[0] * guess[known]
        return -np.log(_softmax(both)[here] + 1e-9).mean()

    return min(itertools.product(WEIGHTS, (1.0, 0.7, 1.3)), key=loss)


def _softmax(logits):
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)
