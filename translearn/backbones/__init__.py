"""The networks that lessons start from, as plain `keras.Model`s, for pictures and for text.

    model = backbones.load("efficientnet_lite0", size=96)
    features = model(pictures)          # pixels 0-255 in, a feature map (n, h, w, channels) out

    tokenizer = backbones.tokenizer("minilm")
    model = backbones.load("minilm")
    ids = tokenizer(["A gem.", "Effective but too tepid"], length=32)
    vectors = model(ids)                # (2, 32) ids in, (2, 32, 384) out: one vector a token

What a network expects of its pixels is its own first step, so there is nothing to remember and
nothing to forget. Every layer's name starts with its block (`block07_project_conv`), which is what
`translearn.transfer` freezes, splits and lists. A random network has the same layers and names, so
"from scratch" and "pretrained" differ in the numbers and in nothing else.

Which networks there are stands in `data/registry.toml`, each with the function that builds it.
"""

import random

from translearn.backbones.tokens import Tokenizer
from translearn.data import registry
from translearn.errors import CourseError

__all__ = ["Tokenizer", "imagenet_labels", "load", "names", "tokenizer"]

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed


def names(family: str | None = None) -> list[str]:
    """The backbones of the course; `family` is "pictures" or "text" to keep only those.

    "bert_base" and "gpt2" are downloaded when asked for; the others come with the course.
    """
    return registry.names(family=family, having="builder")


def load(
    name,
    weights="pretrained",
    size=None,
    channels=None,
    seed=None,
    include_top=False,
    include_preprocessing=True,
):
    """A backbone without a head: a functional `keras.Model`.

    Pictures: raw pixels in, a feature map out. `efficientnet_lite0` (ImageNet), `vgg16` (ImageNet,
    then edges) or `small_cnn`.

    Text: token ids in, one vector a token out. `minilm` (MiniLM-L6, an English BERT for sentences:
    6 blocks of 384, 22.6 million parameters), `tiny_gpt` (pretrained for this course on five
    novels: 4 blocks of 192, 2.0 million), `bert_base` (BERT base, uncased: 12 blocks of 768, 109
    million) or `gpt2` (the smallest GPT-2: 12 blocks of 768, 124 million).

    weights   "pretrained"; "imagenet" (only `vgg16`: Keras's own, downloaded once, 59 MB); None
              (random). Pretrained weights come with the course, but for `bert_base` (440 MB) and
              `gpt2` (550 MB): those are downloaded once, with a progress bar, checked by SHA-256
              and kept in the cache folder.
    size      height and width of the pictures, 96 by default; the input is (n, size, size,
              channels), 0 to 255.
    channels  3 by default (RGB). `small_cnn` takes 1 too.
    seed      for random weights: the same seed gives the same network. None: another one each
              time.
    include_top            `efficientnet_lite0`: with ImageNet's classifier. The output is then
                           1,000 logits, named by `imagenet_labels()`. `tiny_gpt` and `gpt2`: with
                           the layer that predicts the next token, a logit for each word of the
                           vocabulary; it shares its weights with the embedding.
    include_preprocessing  False leaves out the first step for pictures. The model then wants what
                           that step gives: (x - 127) / 128 for `efficientnet_lite0`; for `vgg16`
                           blue, green, red minus the mean pixel, as
                           `keras.applications.vgg16.preprocess_input` makes it; x / 255 for
                           `small_cnn`.

    The feature map has 1/32 of the size and 1,280 channels (`efficientnet_lite0`), 1/32 and 512
    (`vgg16`, after the last pooling, like Keras's), 1/16 and 256 (`small_cnn`; below 64 pixels one
    block fewer: 1/8 and 128).

    For text the input is an integer array (n, length) as `tokenizer(name)` makes it; 0 stands
    where a text has ended. Lengths up to 512 (BERT), 128 (`tiny_gpt`) and 1,024 (`gpt2`). In a
    BERT every token sees every other, and none sees the padding; what stands at the places of the
    padding means nothing. In a GPT a token sees itself and those before it, so padding needs no
    care. The blocks: `embed`, `block1` … , and in a GPT `final`.

    All layers are trainable. Batch normalisation and dropout do what Keras does: moving statistics
    and no dropout when called with `training=False`; dropout is 0.1 in the originals, 0 in
    `tiny_gpt`.

    Raises `CourseError` for an unknown name, an option that the network does not have, a size out
    of range, weights that do not exist, a file that is missing or damaged, and a download without
    a network.
    """
    if name not in names():
        raise CourseError(
            f"There is no backbone called {name!r}. {registry.suggest(name, names())}"
        )
    record = registry.entry(name)
    _check_weights(record, weights)
    _check_top(record, include_top)
    options = dict(weights=weights, seed=seed, include_top=include_top)
    if record["family"] == "pictures":
        size = 96 if size is None else size
        channels = record["channels"][0] if channels is None else channels
        _check_pictures(record, size, channels)
        options |= dict(size=size, channels=channels, include_preprocessing=include_preprocessing)
    elif size is not None or channels is not None or not include_preprocessing:
        raise CourseError(
            f"{name} takes text, and size, channels and include_preprocessing are for pictures. "
            "Leave them out."
        )
    # Keras draws seeds for layers without an initialiser of ours from Python's own generator,
    # which belongs to the reader. The lessons on pictures were measured with what it gives
    # afterwards, so there it stays as Keras leaves it.
    state = random.getstate()
    model = registry.function(name, "builder")(record, **options)
    if record["family"] == "text":
        random.setstate(state)
    return model


def tokenizer(name) -> Tokenizer:
    """What turns text into the ids that `load(name)` takes.

    `minilm` and `bert_base` share one vocabulary of 30,522 pieces of English words, all lower
    case, without accents. `tiny_gpt` has 1,024 pieces that were chosen on its five novels; as its
    pieces start from single bytes, it can spell anything. `gpt2` has 50,257 of the same kind; its
    files are downloaded.

    Raises `CourseError` for an unknown name, a network for pictures, a file that is missing or
    damaged, and `gpt2` without a network.
    """
    known = registry.names(having="tokenizer")
    if name not in known:
        raise CourseError(
            f"There is no network for text called {name!r}. {registry.suggest(name, known)}"
        )
    record = registry.entry(name)
    library = registry.function(name, "tokenizer")(record)
    assert library.get_vocab_size() == record["words"]
    return Tokenizer(name, record["words"], record["longest"], library)


def imagenet_labels() -> list[str]:
    """The 1,000 class names of ImageNet (ILSVRC 2012), in the order of the classifier's "
    "outputs."""
    return registry.path("imagenet_classes").read_text(encoding="utf-8").splitlines()


def _check_weights(record, weights):
    name, known = record["name"], record["weights"]
    if weights is None or isinstance(weights, str) and weights in known:
        return
    if not known:
        raise CourseError(
            f"{name} has no pretrained weights: you train it yourself, as in lesson 04. Load it "
            "with weights=None."
        )
    choices = ", ".join(f'"{choice}"' for choice in known)
    extra = ""
    if weights == "imagenet" and record["family"] == "pictures":
        extra = ' Its weights from ImageNet are weights="pretrained".'
    raise CourseError(
        f"{name} has no weights called {weights!r}.{extra} Choose {choices} or None (random)."
    )


def _check_top(record, include_top):
    if include_top and not record["top"]:
        lacks = {"pictures": "comes without a classifier", "text": "predicts no next word"}
        with_one = next(name for name in names(record["family"]) if registry.entry(name)["top"])
        raise CourseError(
            f"{record['name']} {lacks[record['family']]}. Leave out include_top, or load "
            f"{with_one!r}."
        )


def _check_pictures(record, size, channels):
    name, (smallest, largest) = record["name"], record["sizes"]
    if isinstance(size, bool) or not hasattr(size, "__index__") or not smallest <= size <= largest:
        raise CourseError(
            f"{name} takes square pictures of {smallest} to {largest} pixels, and size={size!r} "
            "is not. "
            f"Pass a whole number, such as size=96."
        )
    if channels not in record["channels"]:
        allowed = " or ".join(map(str, sorted(record["channels"]))) + " channels"
        if record["channels"] == [3]:
            allowed += " (repeat a grey picture three times)"
        raise CourseError(f"{name} takes {allowed}, and channels={channels!r} was asked for.")
