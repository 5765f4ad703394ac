"""The backbones are what they say they are: the original's numbers, the right labels, clear
refusals.
"""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from translearn import backbones, paths
from translearn.data import registry
from translearn.errors import CourseError

FIXTURES = paths.ROOT / "tests" / "fixtures"
PHOTOS = ("cat", "coffee", "camera", "temple")


@pytest.fixture(scope="module")
def pictures():
    from PIL import Image

    photos = np.stack([np.asarray(Image.open(FIXTURES / f"photo_{name}.png")) for name in PHOTOS])
    assert photos.shape == (4, 224, 224, 3) and photos.dtype == np.uint8
    return {224: photos, 96: np.load(FIXTURES / "efficientnet_lite0.npz")["pixels_96"]}


@pytest.fixture(scope="module")
def lite0_outputs(pictures):
    """Pooled features and logits of the shipped weights at both sizes."""
    import keras

    results = {}
    for size in (224, 96):
        model = backbones.load("efficientnet_lite0", size=size, include_top=True)
        both = keras.Model(model.input, [model.get_layer("top_pool").output, model.output])
        results[size] = [
            keras.ops.convert_to_numpy(part)
            for part in both(pictures[size].astype("float32"), training=False)
        ]
    return results


@pytest.mark.parametrize("size", [224, 96])
def test_lite0_computes_what_the_pytorch_original_computes(lite0_outputs, size):
    saved = np.load(FIXTURES / "efficientnet_lite0.npz")
    features, logits = lite0_outputs[size]
    # The original with the same rounded kernels: nothing but the order of additions differs.
    np.testing.assert_allclose(features, saved[f"rounded_features_{size}"], atol=1e-4, rtol=0)
    np.testing.assert_allclose(logits, saved[f"rounded_logits_{size}"], atol=1e-4, rtol=0)
    # The original as published: half precision changes this much, as the card says.
    np.testing.assert_allclose(features, saved[f"original_features_{size}"], atol=0.05, rtol=0)
    np.testing.assert_allclose(logits, saved[f"original_logits_{size}"], atol=0.1, rtol=0)
    assert np.ptp(saved[f"original_logits_{size}"]) > 10  # the tolerances are small against this


def test_lite0_names_what_is_on_real_photographs(lite0_outputs):
    labels = backbones.imagenet_labels()
    assert len(labels) == 1000
    first = [labels[index] for index in lite0_outputs[224][1].argmax(axis=1)]
    assert "cat" in first[0] or first[0] == "Egyptian Mau"
    assert first[1:] == ["espresso", "tripod", "palace"]


def test_every_parameter_of_lite0_comes_from_the_file():
    with np.load(registry.path("efficientnet_lite0")) as arrays:
        total = sum(array.size for array in arrays.values())
        kernel = arrays["block16_project_conv/kernel"]
    model = backbones.load("efficientnet_lite0", weights=None, include_top=True, size=32)
    assert (
        model.count_params() == total == 4_694_024
    )  # the original's 4,694,073 less 49 counters of batches
    loaded = backbones.load("efficientnet_lite0", size=32).get_layer("block16_project_conv").kernel
    assert loaded.dtype == "float32" and kernel.dtype == np.float16
    assert np.array_equal(loaded.numpy(), kernel.astype("float32"))


def test_vgg16_computes_what_its_package_computes(pictures):
    import keras

    model = backbones.load("vgg16", size=96)
    last = {"block1": 2, "block2": 2, "block3": 3, "block4": 3, "block5": 3}
    taps = keras.Model(
        model.input,
        {block: model.get_layer(f"{block}_conv{n}").output for block, n in last.items()},
    )
    maps = taps(pictures[96].astype("float32"), training=False)
    saved = np.load(FIXTURES / "vgg16.npz")
    for block, values in maps.items():
        values = keras.ops.convert_to_numpy(values)
        for what in ("mean", "max"):
            wanted = saved[f"{block}_{what}"]
            np.testing.assert_allclose(
                getattr(values, what)((1, 2)), wanted, atol=1e-5 * wanted.max(), rtol=0
            )
    assert model.output_shape == (None, 3, 3, 512)


def test_vgg16_has_the_layers_of_keras_and_its_preprocessing():
    import keras

    ours, theirs = (
        backbones.load("vgg16", weights=None, size=64),
        keras.applications.VGG16(weights=None, include_top=False),
    )
    shapes = [
        {
            layer.name: [tuple(w.shape) for w in layer.weights]
            for layer in model.layers
            if layer.weights
        }
        for model in (ours, theirs)
    ]
    assert shapes[0] == shapes[1] and len(shapes[0]) == 13
    # Random weights come with Keras's mean pixel, so this is preprocess_input and nothing else.
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("float32")
    bare = backbones.load("vgg16", weights=None, size=64, include_preprocessing=False)
    bare.set_weights(ours.get_weights())
    prepared = keras.applications.vgg16.preprocess_input(pixels.copy())
    np.testing.assert_allclose(ours(pixels).numpy(), bare(prepared).numpy(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "name,scaled",
    [("efficientnet_lite0", lambda x: (x - 127) / 128), ("small_cnn", lambda x: x / 255)],
)
def test_preprocessing_is_the_first_step(name, scaled):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    with_it, without = (
        backbones.load(name, weights=None, size=32, seed=1, include_preprocessing=on)
        for on in (True, False)
    )
    np.testing.assert_allclose(
        with_it(pixels).numpy(), without(scaled(pixels)).numpy(), rtol=1e-4, atol=1e-5
    )


def test_random_weights_are_decided_by_their_seed():
    import keras

    keras.utils.set_random_seed(7)
    expected = keras.random.uniform((3,)).numpy()
    keras.utils.set_random_seed(7)
    one, same, other = (
        backbones.load("small_cnn", weights=None, size=28, channels=1, seed=s) for s in (1, 1, 2)
    )
    assert np.array_equal(
        keras.random.uniform((3,)).numpy(), expected
    )  # the global generator was left alone
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), same.get_weights()))
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])
    kernels = [layer.kernel.numpy() for layer in one.layers if "conv" in layer.name]
    assert not np.array_equal(
        kernels[1].ravel()[:100], kernels[2].ravel()[:100]
    )  # each layer its own draw
    unseeded = [
        backbones.load("small_cnn", weights=None, size=28).get_weights()[0] for _ in range(2)
    ]
    assert not np.array_equal(*unseeded)


@pytest.mark.parametrize("size,channels,shape", [(28, 1, (3, 3, 128)), (96, 3, (6, 6, 256))])
def test_small_cnn_fits_its_pictures(size, channels, shape):
    model = backbones.load("small_cnn", weights=None, size=size, channels=channels)
    assert model.output_shape == (None, *shape)
    assert model(np.zeros((2, size, size, channels), "uint8")).shape == (2, *shape)


def test_models_are_saved_and_loaded_by_plain_keras(tmp_path):
    import keras

    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    for name in ("efficientnet_lite0", "vgg16"):
        model = backbones.load(name, size=32)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        assert np.array_equal(again(pixels).numpy(), model(pixels).numpy())


@pytest.mark.parametrize(
    "call,words",
    [
        (dict(name="efficientnet_lite"), "Did you mean 'efficientnet_lite0'"),
        (dict(name="VGG-16"), "Did you mean 'vgg16'"),
        (dict(name="vgg16", size=16), "32 to 512"),
        (dict(name="vgg16", size=96.5), "whole number"),
        (dict(name="vgg16", channels=1), "repeat a grey picture"),
        (dict(name="vgg16", include_top=True), "without a classifier"),
        (dict(name="vgg16", weights="imagnet"), 'Choose "pretrained", "imagenet" or None'),
        (dict(name="efficientnet_lite0", weights="imagenet"), 'are weights="pretrained"'),
        (dict(name="small_cnn"), "lesson 04"),
        (dict(name="minilm", size=96), "are for pictures"),
        (dict(name="tiny_gpt", include_preprocessing=False), "are for pictures"),
        (dict(name="small_cnn", weights=None, channels=4), "1 or 3 channels"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_a_sentence(call, words):
    with pytest.raises(CourseError) as caught:
        backbones.load(**call)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_damaged_weight_file_is_refused(tmp_path, monkeypatch):
    broken = tmp_path / "data"
    (broken / "weights").mkdir(parents=True)
    whole = registry.path("efficientnet_lite0").read_bytes()
    (broken / "weights" / "efficientnet_lite0.npz").write_bytes(whole[:1000])
    monkeypatch.setattr(registry, "DATA", broken)
    with pytest.raises(CourseError, match="truncated"):
        backbones.load("efficientnet_lite0")
    flipped = bytearray(whole)
    flipped[5000] ^= 1
    (broken / "weights" / "efficientnet_lite0.npz").write_bytes(flipped)
    with pytest.raises(CourseError, match="changed"):
        backbones.load("efficientnet_lite0")


def test_imagenet_weights_without_a_network_say_so_in_one_sentence(tmp_path):
    script = textwrap.dedent("""
        import socket
        def refuse(*a, **k): raise OSError("no network")
        socket.getaddrinfo = socket.create_connection = refuse
        from translearn import backbones
        from translearn.errors import CourseError
        try:
            backbones.load("vgg16", weights="imagenet", size=32)
        except CourseError as error:
            print("refused:", error)
    """)
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TRANSLEARN_CACHE": str(tmp_path)},
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "refused: The ImageNet weights of VGG16 could not be downloaded" in run.stdout, (
        run.stderr
    )
    assert 'weights="pretrained"' in run.stdout


def test_keras_weights_are_copied_layer_by_layer(monkeypatch):
    import keras

    original = keras.applications.VGG16(weights=None, include_top=False)
    monkeypatch.setattr(keras.applications, "VGG16", lambda **options: original)
    model = backbones.load("vgg16", weights="imagenet", size=32)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(model.get_weights(), original.get_weights(), strict=True)
    )


def test_names_and_lazy_imports():
    assert backbones.names("pictures") == ["efficientnet_lite0", "vgg16", "small_cnn"]
    assert set(backbones.names("pictures")) < set(backbones.names())
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, translearn.transfer, translearn.backbones; "
            "print([m for m in ('keras', 'tensorflow', 'pandas', 'h5py') if m in sys.modules])",
        ],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
