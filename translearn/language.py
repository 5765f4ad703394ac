"""The networks for text, as plain `keras.Model`s, and what turns text into the numbers they take.

    tokenizer = language.tokenizer("minilm")
    model = language.load("minilm")
    ids = tokenizer(["A gem.", "Effective but too tepid"], length=32)      # (2, 32), 0 where there is no word
    vectors = model(ids)                                                     # (2, 32, 384), one vector a token

The layers are KerasHub's. Every layer's name starts with its block (`block3_encoder`), as those of
`translearn.backbones` do, so that `translearn.transfer` freezes, splits and lists them. A random network has the same
layers and names as a pretrained one.
"""

import random
from dataclasses import dataclass

import numpy as np

from translearn import paths
from translearn.data import registry
from translearn.errors import CourseError

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed

# name: (family, words, layers, width, heads, longest text in tokens)
_KNOWN = {
    "minilm": ("bert", 30_522, 6, 384, 12, 512),
    "tiny_gpt": ("gpt", 1_024, 4, 192, 6, 128),
    "bert_base": ("bert", 30_522, 12, 768, 12, 512),
    "gpt2": ("gpt", 50_257, 12, 768, 12, 1024),
}

# The large originals: where their files are, with SHA-256 and size. The address names one state of the repository.
_ORIGINALS = {
    "bert_base": (
        "https://huggingface.co/google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594/",
        {
            "model.safetensors": (
                "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",
                440_449_768,
            ),
        },
    ),
    "gpt2": (
        "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e/",
        {
            "model.safetensors": (
                "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
                548_105_171,
            ),
            "vocab.json": (
                "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
                1_042_301,
            ),
            "merges.txt": (
                "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
                456_318,
            ),
        },
    ),
}


def names() -> list[str]:
    """The networks for text: "minilm" and "tiny_gpt" come with the course, the others are downloaded when asked for."""
    return list(_KNOWN)


def load(name, weights="pretrained", seed=None, include_top=False):
    """A network for text without a head: a functional `keras.Model`, token ids in, one vector a token out.

    name         `minilm` (MiniLM-L6, an English BERT for sentences: 6 blocks of 384, 22.6 million parameters),
                 `tiny_gpt` (pretrained for this course on five novels: 4 blocks of 192, 2.0 million parameters),
                 `bert_base` (BERT base, uncased: 12 blocks of 768, 109 million parameters) or
                 `gpt2` (the smallest GPT-2: 12 blocks of 768, 124 million parameters).
    weights      "pretrained", or None (random). Those of `minilm` and `tiny_gpt` come with the course. Those of
                 `bert_base` (440 MB) and `gpt2` (550 MB) are downloaded once, with a progress bar, checked by SHA-256
                 and kept in the cache folder.
    seed         for random weights: the same seed gives the same network. None: another one each time.
    include_top  `tiny_gpt` and `gpt2` only: with the layer that predicts the next token. The output is then a logit for
                 each word of the vocabulary; the layer shares its weights with the embedding, as in the originals.

    The input is an integer array (n, length) as `tokenizer(name)` makes it; 0 stands where a text has ended. Lengths up
    to 512 (BERT), 128 (`tiny_gpt`) and 1,024 (`gpt2`). The output is (n, length, width), or (n, length, vocabulary)
    with `include_top`. In a BERT every token sees every other, and none sees the padding; what stands at the
    places of the padding means nothing. In a GPT a token sees itself and those before it, so padding needs no care.

    The blocks: `embed`, `block1` … , and in a GPT `final`. All layers are trainable. Dropout is 0.1 when called with
    `training=True`, as in the originals; 0 in `tiny_gpt`.

    Raises `CourseError` for an unknown name, weights that do not exist, a file that is missing or damaged, and originals
    without a network.
    """
    family, *_ = _entry(name)
    if weights not in ("pretrained", None):
        raise CourseError(
            f'{name} has no weights called {weights!r}. Choose "pretrained" or None (random).'
        )
    if include_top and family == "bert":
        raise CourseError(
            f"{name} predicts no next word. Leave out include_top, or load 'tiny_gpt'."
        )
    # First the file, then the network: a file that is not there is said at once.
    file = (
        None
        if weights is None
        else _original(name, "model.safetensors")
        if name in _ORIGINALS
        else registry.path(name)
    )
    # Keras draws seeds for the weights it makes from Python's own generator, which belongs to the reader.
    state = random.getstate()
    model = _bert(name) if family == "bert" else _gpt(name, include_top)
    random.setstate(state)
    if file is None:
        _fill_random(model, seed)
    elif name in _ORIGINALS:
        from safetensors.numpy import load_file

        _fill(model, (from_bert if family == "bert" else from_gpt2)(load_file(file)), name)
    else:
        with np.load(file, allow_pickle=False) as arrays:
            _fill(model, arrays, name)
    return model


def _entry(name):
    if name not in _KNOWN:
        raise CourseError(
            f"There is no network for text called {name!r}. {registry.suggest(name, _KNOWN)}"
        )
    return _KNOWN[name]


# Tokens ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Tokenizer:
    """Text to token ids and back.

    name: the network it belongs to
    vocabulary_size: how many different ids there are
    """

    name: str
    vocabulary_size: int
    _library: "tokenizers.Tokenizer"  # noqa: F821 (imported late)

    def __repr__(self):
        return f"Tokenizer({self.name}: {self.vocabulary_size:,} tokens)"

    def __call__(self, texts, length: int = 64) -> np.ndarray:
        """Texts as a table of ids, int32, (n, length): cut after `length` tokens, filled up with 0.

        For a BERT each text stands between its two signs, [CLS] and [SEP], which count towards the length.
        Raises CourseError for a single string, for what is not a string, and for a length out of range.
        """
        longest = _KNOWN[self.name][5]
        if isinstance(texts, str):
            raise CourseError(
                "A list of texts was expected, not one text. Write tokenizer([text])."
            )
        texts = list(texts)
        if wrong := [each for each in texts if not isinstance(each, str)]:
            raise CourseError(f"Every text must be a string, and {wrong[0]!r} is not.")
        if (
            isinstance(length, bool)
            or not isinstance(length, (int, np.integer))
            or not 3 <= length <= longest
        ):
            raise CourseError(
                f"{self.name} takes lengths from 3 to {longest}, and length={length!r} is not one."
            )
        ids = np.zeros((len(texts), length), np.int32)
        signs = _KNOWN[self.name][0] == "bert"
        for row, found in enumerate(self._library.encode_batch(texts, add_special_tokens=signs)):
            kept = found.ids
            if len(kept) > length:
                kept = kept[: length - 1] + kept[-1:] if signs else kept[:length]
            ids[row, : len(kept)] = kept
        return ids

    def encode(self, text: str) -> np.ndarray:
        """One text of any length as ids, int32, (tokens,), with no signs added and nothing cut off."""
        if not isinstance(text, str):
            raise CourseError(
                f"One text was expected, and {type(text).__name__} is none. For several, call tokenizer(texts)."
            )
        return np.array(self._library.encode(text, add_special_tokens=False).ids, np.int32)

    def decode(self, ids) -> str:
        """The text of some ids, (tokens,), without signs and padding. For a BERT that is lower case, without accents."""
        return self._library.decode(
            [int(each) for each in np.asarray(ids).ravel()], skip_special_tokens=True
        )

    def pieces(self, text: str) -> list[str]:
        """The pieces a text is cut into, as the vocabulary spells them ("##" joins on to the piece before, "Ġ" is a space)."""
        return self._library.encode(text, add_special_tokens=False).tokens


def tokenizer(name) -> Tokenizer:
    """What turns text into the ids that `load(name)` takes.

    `minilm` and `bert_base` share one vocabulary of 30,522 pieces of English words, all lower case, without accents.
    `tiny_gpt` has 1,024 pieces that were chosen on its five novels; as its pieces start from single bytes, it can spell
    anything. `gpt2` has 50,257 of the same kind; its files are downloaded.

    Raises `CourseError` for an unknown name, a file that is missing or damaged, and `gpt2` without a network.
    """
    family, size, *_ = _entry(name)
    import tokenizers

    if family == "bert":
        words = registry.path("bert_vocabulary").read_text(encoding="utf-8").splitlines()
        table = {word: number for number, word in enumerate(words)}
        made = tokenizers.Tokenizer(
            tokenizers.models.WordPiece(table, unk_token="[UNK]", max_input_chars_per_word=100)
        )
        made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True, strip_accents=True)
        made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        made.post_processor = tokenizers.processors.BertProcessing(
            ("[SEP]", table["[SEP]"]), ("[CLS]", table["[CLS]"])
        )
        made.decoder = tokenizers.decoders.WordPiece()
    elif name == "tiny_gpt":
        made = tokenizers.Tokenizer.from_file(str(registry.path("tiny_gpt_vocabulary")))
    else:
        vocabulary, merges = (str(_original(name, file)) for file in ("vocab.json", "merges.txt"))
        made = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(vocabulary, merges))
        made.add_special_tokens(["<|endoftext|>"])
        made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = tokenizers.decoders.ByteLevel()
    assert made.get_vocab_size() == size
    return Tokenizer(name, size, made)


# Networks --------------------------------------------------------------------------------------------------------


def _bert(name):
    """Devlin et al. 2018 (arXiv:1810.04805), for one text at a time: no second segment, no pooled output."""
    import keras
    import keras_hub

    _, words, depth, width, heads, longest = _KNOWN[name]
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.ops.cast(keras.ops.not_equal(ids, 0), "int32")
    tokens = keras.layers.Embedding(words, width, name="embed_token")(ids)
    places = keras_hub.layers.PositionEmbedding(longest, name="embed_position")(tokens)
    segments = keras.layers.Embedding(2, width, name="embed_segment")(keras.ops.zeros_like(ids))
    x = keras.layers.Add(name="embed_add")([tokens, places, segments])
    x = keras.layers.LayerNormalization(epsilon=1e-12, name="embed_norm")(x)
    x = keras.layers.Dropout(0.1, name="embed_dropout")(x)
    for number in range(1, depth + 1):
        # The exact GELU, as in the original. KerasHub's own BertBackbone takes the approximation by a tanh.
        x = keras_hub.layers.TransformerEncoder(
            4 * width,
            heads,
            activation="gelu",
            dropout=0.1,
            layer_norm_epsilon=1e-12,
            name=f"block{number}_encoder",
        )(x, padding_mask=mask)
    return keras.Model(ids, x, name=name)


def _gpt(name, include_top):
    """Radford et al. 2019 (*Language Models are Unsupervised Multitask Learners*)."""
    import keras
    import keras_hub

    _, words, depth, width, heads, longest = _KNOWN[name]
    dropout = 0.0 if name == "tiny_gpt" else 0.1
    gelu = keras.saving.get_registered_object(
        "keras_hub>gelu_approximate"
    )  # by a tanh: so GPT-2 was trained
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    embed = keras_hub.layers.ReversibleEmbedding(words, width, name="embed_token")
    tokens = embed(ids)
    places = keras_hub.layers.PositionEmbedding(longest, name="embed_position")(tokens)
    x = keras.layers.Add(name="embed_add")([tokens, places])
    x = keras.layers.Dropout(dropout, name="embed_dropout")(x)
    for number in range(1, depth + 1):
        x = keras_hub.layers.TransformerDecoder(
            4 * width,
            heads,
            activation=gelu,
            dropout=dropout,
            layer_norm_epsilon=1e-5,
            normalize_first=True,
            name=f"block{number}_decoder",
        )(x)
    x = keras.layers.LayerNormalization(epsilon=1e-5, name="final_norm")(x)
    return keras.Model(ids, embed(x, reverse=True) if include_top else x, name=name)


# Weights ---------------------------------------------------------------------------------------------------------


def _fill(model, arrays, name):
    """Write arrays named by the path of a variable (`block1_encoder/self_attention_layer/query/kernel`) into a model.

    Half-precision arrays become float32 variables: the file is small, the arithmetic is not coarse.
    """
    for variable in model.weights:
        if variable.path not in arrays or arrays[variable.path].shape != tuple(variable.shape):
            raise CourseError(
                f"The weights of {name} do not fit the network: {variable.path} is missing or has another shape. "
                "Run `python3 course.py doctor` to check the files."
            )
    for variable in model.weights:
        variable.assign(arrays[variable.path].astype("float32"))


def _fill_random(model, seed):
    """Weights as BERT and GPT-2 start with: normal with a spread of 0.02, nothing beyond twice that; biases 0, gains 1."""
    import keras

    stream = np.random.SeedSequence(seed)
    for variable in model.weights:
        if variable.name in ("kernel", "embeddings"):
            (child,) = stream.spawn(1)
            draw = keras.initializers.TruncatedNormal(
                stddev=0.02, seed=int(child.generate_state(1)[0] >> 1)
            )
            variable.assign(draw(variable.shape, "float32"))
        else:
            variable.assign(
                np.ones(variable.shape) if variable.name == "gamma" else np.zeros(variable.shape)
            )


def from_bert(state: dict) -> dict:
    """A BERT's arrays, from the names and shapes of its PyTorch original to those of `load`; the pooler is left out."""
    state = {key.removeprefix("bert."): array for key, array in state.items()}
    gain, shift = (
        ("gamma", "beta") if "embeddings.LayerNorm.gamma" in state else ("weight", "bias")
    )
    width = state["embeddings.LayerNorm." + shift].size
    heads = {each[3]: each[4] for each in _KNOWN.values() if each[0] == "bert"}[width]
    found = {
        "embed_token/embeddings": state["embeddings.word_embeddings.weight"],
        "embed_position/embeddings": state["embeddings.position_embeddings.weight"],
        "embed_segment/embeddings": state["embeddings.token_type_embeddings.weight"],
        "embed_norm/gamma": state["embeddings.LayerNorm." + gain],
        "embed_norm/beta": state["embeddings.LayerNorm." + shift],
    }
    for number in range(sum(key.endswith("attention.self.query.weight") for key in state)):
        block, here = f"block{number + 1}_encoder", f"encoder.layer.{number}."
        for part in ("query", "key", "value"):
            found[f"{block}/self_attention_layer/{part}/kernel"] = state[
                f"{here}attention.self.{part}.weight"
            ].T.reshape(width, heads, -1)
            found[f"{block}/self_attention_layer/{part}/bias"] = state[
                f"{here}attention.self.{part}.bias"
            ].reshape(heads, -1)
        found[f"{block}/self_attention_layer/attention_output/kernel"] = state[
            here + "attention.output.dense.weight"
        ].T.reshape(heads, -1, width)
        found[f"{block}/self_attention_layer/attention_output/bias"] = state[
            here + "attention.output.dense.bias"
        ]
        for ours, theirs in (
            ("feedforward_intermediate_dense", "intermediate.dense"),
            ("feedforward_output_dense", "output.dense"),
        ):
            found[f"{block}/{ours}/kernel"] = state[f"{here}{theirs}.weight"].T
            found[f"{block}/{ours}/bias"] = state[f"{here}{theirs}.bias"]
        for ours, theirs in (
            ("self_attention_layer_norm", "attention.output.LayerNorm."),
            ("feedforward_layer_norm", "output.LayerNorm."),
        ):
            found[f"{block}/{ours}/gamma"] = state[here + theirs + gain]
            found[f"{block}/{ours}/beta"] = state[here + theirs + shift]
    return found


def from_gpt2(state: dict) -> dict:
    """GPT-2's arrays, from the names and shapes of its PyTorch original to those of `load`."""
    state = {key.removeprefix("transformer."): array for key, array in state.items()}
    width = state["ln_f.bias"].size
    heads = {each[3]: each[4] for each in _KNOWN.values() if each[0] == "gpt"}[width]
    found = {
        "embed_token/embeddings": state["wte.weight"],
        "embed_position/embeddings": state["wpe.weight"],
        "final_norm/gamma": state["ln_f.weight"],
        "final_norm/beta": state["ln_f.bias"],
    }
    for number in range(sum(key.endswith("attn.c_attn.weight") for key in state)):
        block, here = f"block{number + 1}_decoder", f"h.{number}."
        # Query, key and value lie side by side in one array.
        kernels = np.split(state[here + "attn.c_attn.weight"], 3, axis=1)
        biases = np.split(state[here + "attn.c_attn.bias"], 3)
        for part, kernel, bias in zip(("query", "key", "value"), kernels, biases):
            found[f"{block}/self_attention/{part}/kernel"] = kernel.reshape(width, heads, -1)
            found[f"{block}/self_attention/{part}/bias"] = bias.reshape(heads, -1)
        found[f"{block}/self_attention/attention_output/kernel"] = state[
            here + "attn.c_proj.weight"
        ].reshape(heads, -1, width)
        found[f"{block}/self_attention/attention_output/bias"] = state[here + "attn.c_proj.bias"]
        for ours, theirs in (
            ("feedforward_intermediate_dense", "mlp.c_fc"),
            ("feedforward_output_dense", "mlp.c_proj"),
        ):
            found[f"{block}/{ours}/kernel"] = state[f"{here}{theirs}.weight"]
            found[f"{block}/{ours}/bias"] = state[f"{here}{theirs}.bias"]
        for ours, theirs in (
            ("self_attention_layer_norm", "ln_1"),
            ("feedforward_layer_norm", "ln_2"),
        ):
            found[f"{block}/{ours}/gamma"] = state[f"{here}{theirs}.weight"]
            found[f"{block}/{ours}/beta"] = state[f"{here}{theirs}.bias"]
    return found


def _original(name, file):
    """The path of a file of an original, checked by SHA-256; it is downloaded if the cache does not hold it."""
    address, files = _ORIGINALS[name]
    sha256, size = files[file]
    place = paths.cache() / "originals" / name / file
    if not (place.is_file() and registry.sha256(place) == sha256):
        import pooch

        try:
            # A file that does not have the hash is never left in the cache under its name.
            pooch.retrieve(
                address + file,
                f"sha256:{sha256}",
                fname=file,
                path=place.parent,
                progressbar=size > 10e6,
            )
        except (
            Exception
        ) as error:  # many libraries stand behind a download, each with errors of its own
            ours = "'minilm'" if _KNOWN[name][0] == "bert" else "'tiny_gpt'"
            raise CourseError(
                f"{file} of {name} could not be downloaded ({size / 1e6:,.0f} MB, only once). "
                f"Try again when you are online, or load what comes with the course: {ours}."
            ) from error
    return place
