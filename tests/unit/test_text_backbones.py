"""The networks for text are what they say they are: the original's ids and numbers, KerasHub's
layers, clear refusals.
"""

import hashlib
import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest

from translearn import backbones, data, paths, transfer
from translearn.backbones import arrays, bert
from translearn.data import registry
from translearn.errors import CourseError

FIXTURE = paths.ROOT / "tests" / "fixtures" / "minilm.npz"
SHIPPED = ("minilm", "tiny_gpt")
SIZES = ("words", "layers", "width", "heads", "longest")


def sizes(name):
    return [registry.entry(name)[size] for size in SIZES]


def changed(monkeypatch, name, **fields):
    """The registry with some fields of a record changed."""
    tables = registry._tables()
    monkeypatch.setattr(registry, "_tables", lambda: tables | {name: tables[name] | fields})


@pytest.fixture(scope="module")
def saved():
    with np.load(FIXTURE) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="module")
def minilm():
    return backbones.load("minilm")


@pytest.fixture(scope="module")
def tiny_gpt():
    return backbones.load("tiny_gpt", include_top=True)


def ids_like(name, shape=(3, 10), seed=0):
    return (
        np.random.default_rng(seed)
        .integers(1, registry.entry(name)["words"], shape)
        .astype(np.int32)
    )


# --- MiniLM
# ------------------------------------------------------------


def test_minilm_reads_as_the_original_reads(saved):
    tokenizer = backbones.tokenizer("minilm")
    assert np.array_equal(
        tokenizer(saved["texts"].tolist(), length=saved["ids"].shape[1]), saved["ids"]
    )
    assert tokenizer.pieces("Clichés disappear") == [
        "cl",
        "##iche",
        "##s",
        "disappear",
    ]  # accents go, letters stay


def test_minilm_computes_what_the_pytorch_original_computes(minilm, saved):
    import keras

    real = saved["ids"] != 0
    owner = np.nonzero(real)[0]
    taps = keras.Model(
        minilm.input, [minilm.get_layer(f"block{number}_encoder").output for number in (4, 6)]
    )
    fourth, last = (
        keras.ops.convert_to_numpy(values)[real] for values in taps(saved["ids"], training=False)
    )
    # The original with the same rounded matrices: nothing but the order of additions differs.
    np.testing.assert_allclose(last, saved["rounded_6"], atol=5e-5, rtol=0)
    np.testing.assert_allclose(fourth, saved["rounded_4"], atol=5e-5, rtol=0)
    # The original as published: half precision changes this much, as the card says.
    np.testing.assert_allclose(last, saved["original_6"], atol=0.005, rtol=0)
    np.testing.assert_allclose(fourth, saved["original_4"], atol=0.005, rtol=0)
    assert np.abs(saved["original_6"]).max() > 5  # the tolerances are small against this
    for text in range(len(real)):
        ours, theirs = last[owner == text].mean(0), saved["original_6"][owner == text].mean(0)
        assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.999999


def test_padding_changes_nothing(minilm):
    tokenizer = backbones.tokenizer("minilm")
    short, long = (
        tokenizer(["It lacks depth."], length=8),
        tokenizer(["It lacks depth."], length=40),
    )
    count = (short != 0).sum()
    np.testing.assert_allclose(
        minilm(short).numpy()[0, :count], minilm(long).numpy()[0, :count], atol=2e-5
    )


def test_minilm_knows_what_sentences_mean(minilm):
    tokenizer = backbones.tokenizer("minilm")
    ids = tokenizer(
        ["The film is a masterpiece.", "A truly great movie!", "The battery died after two days."],
        length=16,
    )
    real = (ids != 0)[..., None]
    means = (minilm(ids).numpy() * real).sum(1) / real.sum(1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    alike = means @ means.T
    assert alike[0, 1] > 0.5 > alike[0, 2]


def test_bert_is_kerashubs_but_for_the_gelu(minilm, monkeypatch):
    import keras
    import keras_hub

    approximate = keras.saving.get_registered_object("keras_hub>gelu_approximate")
    plain = keras_hub.layers.TransformerEncoder
    monkeypatch.setattr(
        keras_hub.layers,
        "TransformerEncoder",
        lambda *rest, activation, **more: plain(*rest, activation=approximate, **more),
    )
    ours = bert.network(registry.entry("minilm"))
    words, depth, width, heads, longest = sizes("minilm")
    theirs = keras_hub.models.BertBackbone(
        words, depth, heads, width, 4 * width, max_sequence_length=longest
    )
    by_name = {
        each.path.replace("transformer_layer_", "").split("/", 1)[1]: each
        for each in theirs.weights
    }
    assert len(theirs.weights) == len(ours.weights) + 2 and by_name  # theirs has a pooler
    for target, source in zip(ours.weights, minilm.weights):
        target.assign(source)
    _give(theirs, ours)
    ids = ids_like("minilm")
    ids[1, 6:] = 0
    given = {
        "token_ids": ids,
        "segment_ids": np.zeros_like(ids),
        "padding_mask": (ids != 0).astype("int32"),
    }
    found, wanted = ours(ids).numpy(), theirs(given)["sequence_output"].numpy()
    np.testing.assert_allclose(found[ids != 0], wanted[ids != 0], atol=5e-5)
    assert (
        np.abs(minilm(ids).numpy() - found)[ids != 0].max() > 1e-3
    )  # the tanh is not the same function


def _give(backbone, model):
    """Copy a model's weights into KerasHub's backbone, layer by layer."""
    for layer in model.layers:
        if layer.weights:
            block, _, what = layer.name.partition("_")
            name = (
                f"transformer_layer_{int(block[5:]) - 1}"
                if block.startswith("block")
                else {
                    "embed_token": "token_embedding",
                    "embed_position": "position_embedding",
                    "embed_segment": "segment_embedding",
                    "embed_norm": "embeddings_layer_norm",
                    "final_norm": "layer_norm",
                }[layer.name]
            )
            backbone.get_layer(name).set_weights(layer.get_weights())


# --- the small GPT
# ------------------------------------------------------------


def test_gpt_is_kerashubs():
    import keras_hub

    words, depth, width, heads, longest = sizes("tiny_gpt")
    ours = backbones.load("tiny_gpt", weights=None, seed=1)
    theirs = keras_hub.models.GPT2Backbone(
        words, depth, heads, width, 4 * width, max_sequence_length=longest
    )
    _give(theirs, ours)
    ids = ids_like("tiny_gpt")
    np.testing.assert_allclose(
        ours(ids).numpy(),
        theirs({"token_ids": ids, "padding_mask": np.ones_like(ids)}).numpy(),
        atol=2e-5,
    )
    assert ours.count_params() == theirs.count_params() == 2_001_024


def test_a_gpt_does_not_look_ahead(tiny_gpt):
    ids = ids_like("tiny_gpt")
    changed = ids.copy()
    changed[:, 6:] = 5
    one, other = tiny_gpt(ids).numpy(), tiny_gpt(changed).numpy()
    np.testing.assert_allclose(one[:, :6], other[:, :6], atol=1e-4)
    assert np.abs(one[:, 6:] - other[:, 6:]).max() > 0.1


def test_the_small_gpt_has_learned_its_author(tiny_gpt):
    """On every 20th window of the novel it never saw; the card's figures are for all of them."""
    import keras

    tokenizer = backbones.tokenizer("tiny_gpt")
    ids = tokenizer.encode(data.load_text("prose").test.text)
    starts = range(0, len(ids) - 129, 20 * 128)
    windows = np.stack([ids[at : at + 129] for at in starts])
    characters = sum(len(tokenizer.decode(window[1:])) for window in windows)
    (row,) = [
        line
        for line in registry.card("tiny_gpt").splitlines()
        if line.startswith("| *Persuasion*")
    ]
    stated = [float(cell) for cell in row.split("|")[2:4]]
    for model, bits in (
        (tiny_gpt, stated[0]),
        (backbones.load("tiny_gpt", weights=None, seed=0, include_top=True), stated[1]),
    ):
        logits = model.predict(windows[:, :-1], verbose=0)
        loss = keras.losses.sparse_categorical_crossentropy(
            windows[:, 1:], logits, from_logits=True
        )
        assert abs(float(keras.ops.sum(loss)) / np.log(2) / characters - bits) < 0.05
    assert stated[0] < 1.75


def test_the_logits_are_the_features_times_the_embedding(tiny_gpt):
    features = backbones.load("tiny_gpt")
    ids = ids_like("tiny_gpt")
    by_hand = features(ids).numpy() @ features.get_layer("embed_token").get_weights()[0].T
    np.testing.assert_allclose(tiny_gpt(ids).numpy(), by_hand, atol=1e-3)
    assert tiny_gpt.count_params() == features.count_params()


@pytest.mark.parametrize(
    "text",
    [
        "It is a truth universally acknowledged",
        "Tabs\tand\nlines — «ça» 漢字 😀",
        "",
        "  two  spaces ",
    ],
)
def test_the_small_gpt_can_spell_anything(text):
    tokenizer = backbones.tokenizer("tiny_gpt")
    ids = tokenizer.encode(text)
    assert (
        tokenizer.decode(ids) == text
        and ids.dtype == np.int32
        and (ids < 1024).all()
        and (ids > 0).all()
    )


def test_the_vocabulary_spells_out_its_bytes():
    tokenizer = backbones.tokenizer("tiny_gpt")
    text = data.load_text("prose").train.text[:100_000]
    assert 2.8 < len(text) / len(tokenizer.encode(text)) < 3.1
    kept = json.loads(registry.path("tiny_gpt_vocabulary").read_text(encoding="utf-8"))
    assert kept["model"]["vocab"]["<|endoftext|>"] == 0 and len(kept["model"]["vocab"]) == 1024


# --- both
# ------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_parameter_comes_from_the_file(name):
    model = backbones.load(name)
    with np.load(registry.path(name)) as arrays:
        assert set(arrays.files) == {variable.path for variable in model.weights}
        assert sum(array.size for array in arrays.values()) == model.count_params()
        kernel = next(
            variable for variable in model.weights if variable.path.endswith("query/kernel")
        )
        assert arrays[kernel.path].dtype == np.float16 and kernel.dtype == "float32"
        assert np.array_equal(kernel.numpy(), arrays[kernel.path].astype("float32"))


@pytest.mark.parametrize("name", SHIPPED)
def test_blocks_can_be_frozen(name):
    model = backbones.load(name, weights=None, seed=0)
    blocks = list(transfer.blocks(model))
    assert blocks[0] == "embed" and blocks[1] == "block1"
    table = transfer.freeze(model, up_to="block2").set_index("block")
    assert list(table.loc[["embed", "block1", "block2"], "frozen"]) == ["yes"] * 3
    assert (
        table.loc["block3", "frozen"] == "no" and table["parameters"].sum() == model.count_params()
    )


def test_random_weights_are_decided_by_their_seed():
    import keras

    keras.utils.set_random_seed(7)
    expected = random.random(), keras.random.uniform((3,)).numpy()
    keras.utils.set_random_seed(7)
    one, same, other = (backbones.load("tiny_gpt", weights=None, seed=seed) for seed in (1, 1, 2))
    assert random.random() == expected[0] and np.array_equal(
        keras.random.uniform((3,)).numpy(), expected[1]
    )
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), same.get_weights()))
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])
    kernel = one.get_layer("block1_decoder").get_weights()[0]
    assert 0.015 < kernel.std() < 0.02 and np.abs(kernel).max() <= 0.04001
    assert not np.array_equal(kernel, one.get_layer("block2_decoder").get_weights()[0])


def test_a_model_is_saved_and_loaded_by_plain_keras(tmp_path, tiny_gpt):
    import keras

    ids = ids_like("tiny_gpt")
    tiny_gpt.save(tmp_path / "model.keras")
    assert np.array_equal(
        keras.models.load_model(tmp_path / "model.keras")(ids).numpy(), tiny_gpt(ids).numpy()
    )


def test_a_head_can_be_trained_on_top():
    import keras

    backbone = backbones.load("tiny_gpt", weights=None, seed=0)
    model = keras.Sequential(
        [backbone, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = backbone.get_layer("block1_decoder").get_weights()[0]
    model.fit(ids_like("tiny_gpt", (8, 12)), np.array([0, 1] * 4), verbose=0)
    assert not np.array_equal(backbone.get_layer("block1_decoder").get_weights()[0], before)


def test_the_table_of_ids():
    tokenizer = backbones.tokenizer("minilm")
    ids = tokenizer(["Good.", "A much longer sentence than the others are here"], length=6)
    assert ids.shape == (2, 6) and ids.dtype == np.int32
    assert (
        ids[0].tolist() == [101, 2204, 1012, 102, 0, 0] and ids[1, 0] == 101 and ids[1, -1] == 102
    )
    assert tokenizer.decode(ids[0]) == "good ." or tokenizer.decode(ids[0]) == "good."
    assert tokenizer([], length=6).shape == (0, 6)
    gpt = backbones.tokenizer("tiny_gpt")
    assert (gpt(["Anne"], length=5)[0] == np.pad(gpt.encode("Anne"), (0, 5))[:5]).all()
    assert "30,522" in repr(tokenizer) and tokenizer.vocabulary_size == 30_522


# --- refusals
# ------------------------------------------------------------


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: backbones.load("minilmm"), "Did you mean 'minilm'"),
        (lambda: backbones.tokenizer("gpt-2"), "Did you mean 'gpt2'"),
        (lambda: backbones.load("minilm", weights="imagenet"), 'Choose "pretrained" or None'),
        (lambda: backbones.load("minilm", include_top=True), "predicts no next word"),
        (lambda: backbones.tokenizer("minilm")("one text"), "tokenizer([text])"),
        (lambda: backbones.tokenizer("minilm")(["a", 1]), "must be a string, and 1 is not"),
        (lambda: backbones.tokenizer("minilm")(["a"], length=513), "lengths from 3 to 512"),
        (lambda: backbones.tokenizer("tiny_gpt")(["a"], length=True), "lengths from 3 to 128"),
        (lambda: backbones.tokenizer("minilm").encode(["a"]), "One text was expected"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(call, words):
    with pytest.raises(CourseError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_damaged_weight_file_is_refused(name, tmp_path, monkeypatch):
    (tmp_path / "weights").mkdir()
    whole = registry.path(name).read_bytes()
    (tmp_path / "weights" / f"{name}.npz").write_bytes(whole[:1000])
    monkeypatch.setattr(registry, "DATA", tmp_path)
    with pytest.raises(CourseError, match="truncated"):
        backbones.load(name)


# --- the originals, without a network
# ----------------------------------------------------------------------------


@pytest.mark.parametrize("name, ours", [("bert_base", "minilm"), ("gpt2", "tiny_gpt")])
def test_an_original_without_a_network_says_so_in_one_sentence(name, ours, tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path))
    with pytest.raises(CourseError) as caught:
        backbones.load(name)
    text = str(caught.value)
    assert (
        "could not be downloaded" in text
        and "when you are online" in text
        and repr(ours) in text
        and "\n" not in text
    )
    if name == "gpt2":
        with pytest.raises(CourseError, match="vocab.json of gpt2 could not be downloaded"):
            backbones.tokenizer(name)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def _published(monkeypatch, tmp_path, name, sizes, tensors):
    """A small file in the form of an original, served from this disk under a hash of its own."""
    from safetensors.numpy import save_file

    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "cache" / "originals" / name / "model.safetensors"
    place.parent.mkdir(parents=True)
    save_file(tensors, place)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    changed(
        monkeypatch,
        name,
        address="http://localhost:9/",
        downloads={"model.safetensors": {"sha256": digest, "bytes": place.stat().st_size}},
        **dict(zip(SIZES, sizes)),
    )
    return place


def test_bert_base_is_read_from_its_published_form(tmp_path, monkeypatch):
    """Every array of a network as small as can be, under the names of the published file, comes
    back where it belongs.
    """
    sizes = (50, 2, 48, 4, 20)  # words, layers, width, heads, length
    width, draw = 48, np.random.default_rng(0)
    tensors = {}

    def put(name, *shape):
        tensors["bert." + name] = draw.normal(size=shape).astype("float32") * 0.3

    for name, count in (("word", 50), ("position", 20), ("token_type", 2)):
        put(f"embeddings.{name}_embeddings.weight", count, width)
    norms = ["embeddings.LayerNorm"]
    for number in range(2):
        here = f"encoder.layer.{number}."
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            put(f"{here}{part}.weight", width, width)
            put(f"{here}{part}.bias", width)
        put(here + "intermediate.dense.weight", 4 * width, width)
        put(here + "intermediate.dense.bias", 4 * width)
        put(here + "output.dense.weight", width, 4 * width)
        put(here + "output.dense.bias", width)
        norms += [here + "attention.output.LayerNorm", here + "output.LayerNorm"]
    for name in norms:  # the published file of BERT base calls them gamma and beta
        put(name + ".gamma", width)
        put(name + ".beta", width)
    put("pooler.dense.weight", width, width)
    place = _published(monkeypatch, tmp_path, "bert_base", sizes, tensors)
    ids = np.array([[1, 7, 3, 0, 0], [4, 9, 2, 5, 6]], np.int32)
    found = backbones.load("bert_base")(ids).numpy()
    np.testing.assert_allclose(
        found[ids != 0], _bert_by_hand(tensors, ids, heads=4)[ids != 0], atol=1e-4
    )

    place.write_bytes(
        place.read_bytes()[:-1]
    )  # a damaged copy is fetched again, and here there is no network
    with pytest.raises(CourseError, match="could not be downloaded"):
        backbones.load("bert_base")


def _normalised(x, gain, shift, epsilon=1e-12):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(
        x.var(-1, keepdims=True) + epsilon
    ) * gain + shift


def _attention(query, key, value, heads, allowed):
    n, length, width = query.shape
    query, key, value = (
        each.reshape(n, length, heads, -1).transpose(0, 2, 1, 3) for each in (query, key, value)
    )
    scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // heads)
    scores = np.where(allowed, scores, -1e9)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    return (
        (scores / scores.sum(-1, keepdims=True) @ value)
        .transpose(0, 2, 1, 3)
        .reshape(n, length, width)
    )


def _bert_by_hand(tensors, ids, heads):
    """A BERT in NumPy, straight from the published names."""
    from scipy.special import erf

    get = lambda name: tensors["bert." + name].astype("float64")  # noqa: E731
    dense = lambda x, name: x @ get(name + ".weight").T + get(name + ".bias")  # noqa: E731
    norm = lambda x, name: _normalised(x, get(name + ".gamma"), get(name + ".beta"))  # noqa: E731
    x = (
        get("embeddings.word_embeddings.weight")[ids]
        + get("embeddings.position_embeddings.weight")[: ids.shape[1]]
    )
    x = norm(x + get("embeddings.token_type_embeddings.weight")[0], "embeddings.LayerNorm")
    allowed = (ids != 0)[:, None, None, :]
    for number in range(2):
        here = f"encoder.layer.{number}."
        seen = _attention(
            *(dense(x, f"{here}attention.self.{part}") for part in ("query", "key", "value")),
            heads,
            allowed,
        )
        x = norm(
            x + dense(seen, here + "attention.output.dense"), here + "attention.output.LayerNorm"
        )
        wide = dense(x, here + "intermediate.dense")
        x = norm(
            x + dense(wide * 0.5 * (1 + erf(wide / np.sqrt(2))), here + "output.dense"),
            here + "output.LayerNorm",
        )
    return x


def test_gpt2_is_read_from_its_published_form(tmp_path, monkeypatch):
    width, draw, tensors = 48, np.random.default_rng(1), {}

    def put(name, *shape):
        tensors[name] = draw.normal(size=shape).astype("float32") * 0.3

    put("wte.weight", 50, width)
    put("wpe.weight", 20, width)
    norms = ["ln_f"]
    for number in range(2):
        for name, rows, columns in (
            ("attn.c_attn", width, 3 * width),
            ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width),
            ("mlp.c_proj", 4 * width, width),
        ):
            put(f"h.{number}.{name}.weight", rows, columns)
            put(f"h.{number}.{name}.bias", columns)
        norms += [f"h.{number}.ln_1", f"h.{number}.ln_2"]
    for name in norms:
        put(name + ".weight", width)
        put(name + ".bias", width)
    _published(monkeypatch, tmp_path, "gpt2", (50, 2, width, 4, 20), tensors)

    ids = np.array([[1, 7, 3, 8, 0], [4, 9, 2, 5, 6]], np.int32)
    get = lambda name: tensors[name].astype("float64")  # noqa: E731
    dense = lambda x, name: x @ get(name + ".weight") + get(name + ".bias")  # noqa: E731
    norm = lambda x, name: _normalised(x, get(name + ".weight"), get(name + ".bias"), 1e-5)  # noqa: E731
    x = get("wte.weight")[ids] + get("wpe.weight")[:5]
    allowed = np.tril(np.ones((5, 5), bool))
    for number in range(2):
        here = f"h.{number}."
        x = x + dense(
            _attention(
                *np.split(dense(norm(x, here + "ln_1"), here + "attn.c_attn"), 3, axis=-1),
                4,
                allowed,
            ),
            here + "attn.c_proj",
        )
        wide = dense(norm(x, here + "ln_2"), here + "mlp.c_fc")
        x = x + dense(
            0.5 * wide * (1 + np.tanh(np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3))),
            here + "mlp.c_proj",
        )
    wanted = norm(x, "ln_f")
    np.testing.assert_allclose(backbones.load("gpt2")(ids).numpy(), wanted, atol=1e-4)
    np.testing.assert_allclose(
        backbones.load("gpt2", include_top=True)(ids).numpy(),
        wanted @ get("wte.weight").T,
        atol=1e-3,
    )


def test_a_download_with_another_hash_is_not_kept(tmp_path, monkeypatch):
    """Served on this machine, since nothing else is reached."""
    import functools
    import http.server
    import threading

    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "vocab.json").write_text("{}")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    handler.log_message = lambda *rest: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
        address = f"http://127.0.0.1:{server.server_port}/"
        right = hashlib.sha256(b"{}").hexdigest()
        for sha256, good in (("0" * 64, False), (right, True)):
            changed(
                monkeypatch,
                "gpt2",
                address=address,
                downloads={"vocab.json": {"sha256": sha256, "bytes": 2}},
            )
            record = registry.entry("gpt2")
            if good:
                assert arrays.original(record, "vocab.json").read_text() == "{}"
            else:
                with pytest.raises(CourseError, match="could not be downloaded"):
                    arrays.original(record, "vocab.json")
                assert not list((tmp_path / "cache").rglob("vocab.json"))
    finally:
        server.shutdown()
        server.server_close()
    assert arrays.original(record, "vocab.json").exists()  # kept: no second download


def test_addresses_name_one_state_and_hashes_are_whole():
    originals = [registry.entry(name) for name in registry.names(having="downloads")]
    assert [record["name"] for record in originals] == ["bert_base", "gpt2"]
    for record in originals:
        address = record["address"]
        assert address.startswith("https://") and len(address.rstrip("/").rsplit("/", 1)[1]) == 40
        for file in record["downloads"].values():
            assert len(file["sha256"]) == 64 and file["bytes"] > 1e5


def test_nothing_heavy_is_imported_before_it_is_needed():
    def loaded(code):
        code += (
            "; print([m for m in ('keras', 'tensorflow', 'keras_hub', 'tokenizers', "
            "'safetensors', 'pooch', 'pandas') if m in sys.modules])"
        )
        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ,
        )
        return run.stdout.strip()

    assert loaded("import sys, translearn.backbones") == "[]"
    assert (
        loaded("import sys; from translearn import backbones; backbones.tokenizer('minilm')")
        == "['tokenizers']"
    )
    picture = (
        "import sys; from translearn import backbones; backbones.load('small_cnn', weights=None, "
        "size=28)"
    )
    assert "keras_hub" not in loaded(picture)
    # KerasHub's tokenisers need this package, which would bring a second TensorFlow with it. The
    # course's do not.
    assert backbones.names("text") == ["minilm", "tiny_gpt", "bert_base", "gpt2"]
