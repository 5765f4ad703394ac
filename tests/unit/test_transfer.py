"""Frozen stays frozen, halves make the whole, and a stale feature cannot be found."""

import warnings

import keras
import numpy as np
import pytest

from translearn import backbones, transfer
from translearn.errors import CourseError
from translearn.transfer import features as features_module


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3), dtype="uint8")


def small():
    """A small network whose batch normalisation has statistics, as after some training."""
    model = backbones.load("small_cnn", weights=None, size=32, seed=0)
    random = np.random.default_rng(1)
    for layer in model.layers:
        if layer.name.endswith("_bn"):
            layer.moving_mean.assign(random.normal(0, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(random.uniform(0.5, 1.5, layer.moving_variance.shape))
    return model


def fitted(model, pictures, steps=3, rate=0.1):
    import keras

    model.compile(
        keras.optimizers.SGD(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    model.fit(pictures, np.arange(len(pictures)) % 2, batch_size=8, epochs=steps, verbose=0)
    return model


def weights_by_block(model):
    return {
        name: [w.numpy().copy() for layer in layers for w in layer.weights]
        for name, layers in transfer.blocks(model).items()
    }


def moved(before, after):
    """The blocks in which any weight is not bit for bit what it was."""
    return [
        name
        for name in before
        if any(a.tobytes() != b.tobytes() for a, b in zip(before[name], after[name], strict=True))
    ]


# Blocks ------------------------------------------------------------------------------------------


def test_blocks_are_in_order_and_seen_through_a_model_that_holds_the_backbone():
    lite0 = backbones.load("efficientnet_lite0", weights=None, size=32)
    inside = transfer.blocks(lite0)
    assert list(inside) == ["stem", *[f"block{n:02d}" for n in range(1, 17)], "head"]
    assert [layer.name for layer in inside["block03"]][-2:] == [
        "block03_project_bn",
        "block03_add",
    ]
    whole = transfer.attach_head(lite0, 3, dropout=0.1, batch_norm="training")
    assert list(transfer.blocks(whole)) == [*inside, "classifier"]
    assert all(
        a is b for name in inside for a, b in zip(inside[name], transfer.blocks(whole)[name])
    )


def keras_trains(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def test_the_table_counts_what_keras_would_train():
    model = transfer.attach_head(small(), 2, batch_norm="training")
    table = transfer.freeze(model, up_to="block2")
    assert list(table.columns) == [
        "block",
        "layers",
        "parameters",
        "trainable",
        "frozen",
        "batch_norm",
    ]
    assert (
        list(table.frozen) == ["yes", "yes", "no", "no"] and list(table.block)[-1] == "classifier"
    )
    assert list(table.batch_norm) == ["inference", "inference", "training", "–"]
    assert table.parameters.sum() == model.count_params()
    assert table.trainable.sum() == keras_trains(model) > 0
    # Off as a whole and one layer on again, in plain Keras: the table says what Keras says.
    model.get_layer("small_cnn").trainable = False
    transfer.blocks(model)["block3"][0].trainable = True
    table = transfer.trainable_table(model)
    assert list(table.frozen) == [
        "yes",
        "yes",
        "no",
        "no",
    ] and table.trainable.sum() == keras_trains(model)
    model.trainable = False
    transfer.blocks(model)["block3"][0].trainable = True
    table = transfer.trainable_table(model)
    assert set(table.frozen) == {"yes"} and table.trainable.sum() == keras_trains(model) == 0


def test_batch_norm_is_frozen_with_its_block_but_unfrozen_only_on_request():
    model = small()
    table = transfer.freeze(model, batch_norm=False)
    assert set(table.frozen) == {"yes"} and set(table.batch_norm) == {"training"}
    assert table.trainable.sum() == keras_trains(model) == 2 * (32 + 64 + 128)  # scale and shift
    assert set(transfer.freeze(model).batch_norm) == {"inference"} and keras_trains(model) == 0
    table = transfer.unfreeze(model, from_block="block3")
    assert list(table.frozen) == ["yes", "yes", "no"] and set(table.batch_norm) == {"inference"}
    table = transfer.unfreeze(model, from_block="block3", batch_norm=True)
    assert list(table.batch_norm) == ["inference", "inference", "training"]


def test_freezing_by_name_by_share_and_whole():
    def frozen(model):
        return list(transfer.trainable_table(model).query("frozen == 'yes'").block)

    model = backbones.load("vgg16", weights=None, size=32)
    transfer.freeze(model, up_to="block2")
    assert frozen(model) == ["block1", "block2"]
    transfer.freeze(model, share=0.6)
    assert frozen(model) == ["block1", "block2", "block3"]
    transfer.unfreeze(model, share=0.8)
    assert frozen(model) == ["block1"]
    transfer.freeze(model)
    assert frozen(model) == ["block1", "block2", "block3", "block4", "block5"]
    transfer.unfreeze(model, from_block="block5")
    assert frozen(model) == ["block1", "block2", "block3", "block4"]
    transfer.freeze(model, share=0)
    transfer.unfreeze(model, share=0)
    assert frozen(model) == ["block1", "block2", "block3", "block4"]
    transfer.unfreeze(model)
    assert frozen(model) == []


def test_one_block_can_be_unfrozen_after_the_whole_backbone_was_switched_off():
    model = transfer.attach_head(small(), 2)
    model.get_layer("small_cnn").trainable = False  # plain Keras: off as a whole
    table = transfer.unfreeze(model, from_block="block3")
    assert list(table.frozen) == ["yes", "yes", "no", "no"]
    assert {w.path.split("/")[0].split("_")[0] for w in model.trainable_weights} == {
        "block3",
        "classifier",
    }
    backbone = model.get_layer("small_cnn")
    assert (
        backbone.trainable and keras_trains(backbone) == 3 * 3 * 64 * 128
    )  # and alone it is the same
    backbone.trainable = False
    assert list(transfer.unfreeze(backbone, from_block="block2").frozen) == ["yes", "no", "no"]


@pytest.mark.parametrize(
    "call,words",
    [
        (dict(up_to="block7"), "Did you mean 'block"),
        (dict(up_to="nothing like it"), "Known are: block1, block2, block3."),
        (dict(share=1.5), "0 (no block) to 1 (every block)"),
        (dict(share="half"), "not a share"),
        (dict(up_to="block1", share=0.5), "Give one of them"),
    ],
)
def test_a_cut_that_cannot_be_made_is_refused_with_a_sentence(call, words):
    model = small()
    with pytest.raises(CourseError) as caught:
        transfer.freeze(model, **call)
    assert words in str(caught.value)
    assert list(transfer.trainable_table(model).frozen) == ["no"] * 3  # and nothing was changed


# Training ----------------------------------------------------------------------------------------


def test_frozen_weights_are_bit_for_bit_the_same_after_fit(pictures):
    model = transfer.attach_head(small(), 2, seed=0)
    transfer.freeze(model, up_to="block2")
    before = weights_by_block(model)
    fitted(model, pictures)
    assert moved(before, weights_by_block(model)) == ["block3", "classifier"]


def test_freezing_after_compile_takes_effect_only_at_the_next_compile(pictures):
    import keras

    model = transfer.attach_head(small(), 2, seed=0)
    model.compile(
        keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    model.fit(pictures, np.arange(24) % 2, epochs=1, verbose=0)  # the training step is made here
    transfer.freeze(model, up_to="block2")
    before = weights_by_block(model)
    model.fit(pictures, np.arange(24) % 2, epochs=1, verbose=0)
    assert "block1" in moved(before, weights_by_block(model))  # the bug of the lesson, not hidden
    before = weights_by_block(model)
    fitted(model, pictures)
    assert "block1" not in moved(before, weights_by_block(model))


def statistics(model):
    return [
        w.numpy().copy()
        for layer in transfer.blocks(model)["block1"]
        for w in layer.weights
        if "moving" in w.name
    ]


@pytest.mark.parametrize(
    "mode,then,moves",
    [
        ("inference", lambda model: None, False),
        ("training", lambda model: None, True),
        ("training", lambda model: transfer.freeze(model, up_to="block3"), False),
        ("training", lambda model: transfer.freeze(model, up_to="block3", batch_norm=False), True),
        ("inference", lambda model: transfer.unfreeze(model), False),
        ("inference", lambda model: transfer.unfreeze(model, batch_norm=True), True),
    ],
)
def test_batch_norm_statistics_move_exactly_when_the_table_says_training(
    pictures, mode, then, moves
):
    model = transfer.attach_head(small(), 2, batch_norm=mode, seed=0)
    then(model)
    before = statistics(model)
    fitted(model, pictures, steps=1, rate=0.01)
    moved = [not np.array_equal(a, b) for a, b in zip(before, statistics(model))]
    assert set(moved) == {moves}
    assert transfer.trainable_table(model).batch_norm[0] == ("training" if moves else "inference")


def test_keras_still_forgets_training_false_of_a_functional_model(pictures):
    # What attach_head's docstring says of Keras. Should Keras mend it, this fails and the text
    # must follow.
    import keras

    backbone = small()
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(backbone(inputs, training=False))
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    before = statistics(backbone)
    fitted(model, pictures, steps=1, rate=0.01)
    assert not np.array_equal(before[0], statistics(backbone)[0])


def test_inference_mode_without_statistics_is_refused():
    fresh = backbones.load("small_cnn", weights=None, size=32)
    with pytest.raises(CourseError, match='no statistics yet.*batch_norm="training"'):
        transfer.attach_head(fresh, 2)
    transfer.attach_head(fresh, 2, batch_norm="training")
    transfer.attach_head(
        backbones.load("vgg16", weights=None, size=32), 2
    )  # has none to begin with


# Splitting and heads -----------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["stem", "block03", "block10", "block16"])
def test_the_two_halves_make_exactly_the_whole(pictures, at):
    backbone = backbones.load("efficientnet_lite0", size=32)
    lower, upper = transfer.split(backbone, at)
    x = pictures.astype("float32")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", UserWarning
        )  # Keras warns when inputs have another structure
        middle = lower(x, training=False)
        whole = backbone(x, training=False)
        assert np.array_equal(upper(middle, training=False).numpy(), whole.numpy())
    assert list(transfer.blocks(lower))[-1] == at
    assert not set(transfer.blocks(upper)) & set(transfer.blocks(lower))
    assert len(lower.weights) + len(upper.weights) == len(backbone.weights)
    shared = {id(w) for w in backbone.weights}
    assert all(id(w) in shared for w in lower.weights + upper.weights)
    transfer.split(backbone, "block05")  # once more, elsewhere: the backbone was left as it was
    assert np.array_equal(backbone(x, training=False).numpy(), whole.numpy())


def test_places_that_cannot_be_cut_are_refused():
    import keras

    with pytest.raises(CourseError, match="last block"):
        transfer.split(small(), "block3")
    with pytest.raises(CourseError, match="Did you mean 'block1'"):
        transfer.split(small(), "blok1")
    with pytest.raises(CourseError, match="on the backbone itself"):
        transfer.split(transfer.attach_head(small(), 2), "block1")
    inputs = keras.Input((8, 8, 3))
    a = keras.layers.Conv2D(3, 1, name="a_conv")(inputs)
    b = keras.layers.Conv2D(3, 1, name="b_conv")(a)
    jumped = keras.Model(inputs, keras.layers.Add(name="c_add")([a, b]))
    with pytest.raises(CourseError, match="a shortcut jumps over it"):
        transfer.split(jumped, "b")


def test_the_head_gives_logits_and_is_decided_by_its_seed(pictures):
    import keras

    backbone = small()
    x = pictures[:4].astype("float32")
    model = transfer.attach_head(backbone, 2, seed=3)
    assert model.output_shape == (None, 2) and model.get_layer("small_cnn") is backbone
    dense = model.get_layer("classifier_logits")
    pooled = backbone(x, training=False).numpy().mean(axis=(1, 2))
    np.testing.assert_allclose(
        model(x, training=False).numpy(),
        pooled @ dense.kernel.numpy() + dense.bias.numpy(),
        atol=1e-5,
    )
    same, other = (
        transfer.attach_head(backbone, 2, seed=s).get_layer("classifier_logits").kernel.numpy()
        for s in (3, 4)
    )
    assert np.array_equal(dense.kernel.numpy(), same) and not np.array_equal(same, other)
    assert transfer.attach_head(backbone, 5, pooling="flatten").get_layer(
        "classifier_logits"
    ).kernel.shape == (4 * 4 * 128, 5)
    assert not getattr(model, "compiled", False)
    dropped = transfer.attach_head(backbone, 2, dropout=0.5, seed=3)
    assert isinstance(dropped.get_layer("classifier_dropout"), keras.layers.Dropout)


@pytest.mark.parametrize(
    "call",
    [
        dict(classes=1),
        dict(classes=2.5),
        dict(classes=2, dropout=1),
        dict(classes=2, pooling="mean"),
        dict(classes=2, batch_norm=True),
    ],
)
def test_heads_that_make_no_sense_are_refused(call):
    with pytest.raises(CourseError):
        transfer.attach_head(small(), **call)


# Features ----------------------------------------------------------------------------------------


@pytest.fixture
def batches(monkeypatch):
    """How many pictures each forward pass took, in order."""
    seen = []
    real = features_module._compiled

    def counting(network):
        step = real(network)

        def counted(pixels):
            seen.append(len(pixels))
            return step(pixels)

        return counted

    monkeypatch.setattr(features_module, "_compiled", counting)
    return seen


def features(model, pictures, **options):
    return transfer.cache_features(
        model, pictures, **{"batch_size": 4, "progress": False, **options}
    )


def test_features_are_those_of_the_model_in_inference_mode_and_computed_once(pictures, batches):
    model = small()
    wanted = model(pictures.astype("float32"), training=False).numpy()
    first = features(model, pictures)
    assert first.dtype == np.float32 and first.shape == (24, 128)
    np.testing.assert_allclose(first, wanted.mean(axis=(1, 2)), atol=1e-5)
    assert batches == [4] * 6
    again = features(model, pictures)
    assert again.tobytes() == first.tobytes() and len(batches) == 6
    np.testing.assert_allclose(features(model, pictures, pooling=None), wanted, atol=1e-5)
    assert len(batches) == 12  # another pooling is another feature


def test_all_blocks_come_from_one_pass_and_each_is_remembered_for_itself(pictures, batches):
    model = small()
    maps = features(model, pictures, layers=["block1", "block3"], pooling=None)
    assert {name: m.shape for name, m in maps.items()} == {
        "block1": (24, 16, 16, 32),
        "block3": (24, 4, 4, 128),
    }
    assert len(batches) == 6
    lower, _ = transfer.split(model, "block1")
    np.testing.assert_allclose(
        maps["block1"], lower(pictures.astype("float32"), training=False).numpy(), atol=1e-5
    )
    more = features(model, pictures, layers=["block2", "block1"], pooling=None)
    assert more["block1"].tobytes() == maps["block1"].tobytes() and list(more) == [
        "block2",
        "block1",
    ]
    assert len(batches) == 12
    features(model, pictures, layers=["block3", "block2", "block1"], pooling=None)
    assert len(batches) == 12


def test_a_stale_feature_cannot_be_found(pictures, batches):
    model = small()
    first = features(model, pictures)

    def recomputed(change, undo):
        done = len(batches)
        change()
        fresh = features(model, images)
        assert len(batches) > done, "a remembered feature was used after a change"
        np.testing.assert_allclose(
            fresh,
            model(images.astype("float32"), training=False).numpy().mean(axis=(1, 2)),
            atol=1e-4,
        )
        undo()
        done = len(batches)
        assert features(model, images).tobytes() == first.tobytes() and len(batches) == done
        return fresh

    images = pictures.copy()
    kernel, mean = model.get_layer("block2_conv").kernel, model.get_layer("block1_bn").moving_mean
    for variable in (kernel, mean):
        before = variable.numpy().copy()
        one, all_of_them = before.copy(), before + 0.1
        one.flat[0] = np.nextafter(one.flat[0], np.float32(np.inf))  # the least change there is
        recomputed(lambda: variable.assign(one), lambda: variable.assign(before))
        changed = recomputed(lambda: variable.assign(all_of_them), lambda: variable.assign(before))
        assert np.abs(changed - first).max() > 1e-3

    def one_pixel(by):
        images[5, 3, 3, 0] = (int(images[5, 3, 3, 0]) + by) % 256

    recomputed(lambda: one_pixel(1), lambda: one_pixel(-1))
    done = len(batches)
    np.testing.assert_allclose(
        features(model, images[::-1]), first[::-1], atol=1e-5
    )  # order is content too
    assert len(batches) > done
    other = backbones.load("small_cnn", weights=None, size=32, include_preprocessing=False)
    other.set_weights(model.get_weights())
    assert not np.array_equal(
        features(other, pictures), first
    )  # same weights, other preprocessing


def test_freezing_does_not_throw_features_away_and_compiling_neither(pictures, batches):
    model = small()
    features(model, pictures)
    transfer.freeze(model, up_to="block2")
    model.compile("sgd", "mse")
    features(model, pictures)
    same = small()  # another object, the same content
    features(same, pictures)
    assert len(batches) == 6


def test_an_interrupted_pass_goes_on_where_it_stopped(pictures, batches, monkeypatch):
    monkeypatch.setattr(features_module, "CHUNK", 8)  # three files of two batches each
    model = small()
    counting = features_module._compiled

    def interrupted(network):
        step = counting(network)

        def until_the_fourth(pixels):
            if len(batches) == 3:
                raise KeyboardInterrupt
            return step(pixels)

        return until_the_fourth

    monkeypatch.setattr(features_module, "_compiled", interrupted)
    with pytest.raises(KeyboardInterrupt):
        features(model, pictures)
    assert batches == [4, 4, 4]
    monkeypatch.setattr(features_module, "_compiled", counting)
    resumed = features(model, pictures)
    assert len(batches) == 3 + 4  # the first file was kept: two of three are computed
    np.testing.assert_allclose(
        resumed, model(pictures.astype("float32"), training=False).numpy().mean((1, 2)), atol=1e-5
    )


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-7], lambda b: b"", lambda b: b[:40], lambda b: b[:-1] + bytes([b[-1] ^ 1])],
)
def test_a_damaged_file_is_noticed_and_only_it_is_computed_again(
    pictures, batches, monkeypatch, tmp_path, damage
):
    monkeypatch.setattr(features_module, "CHUNK", 8)
    model = small()
    first = features(model, pictures, folder=tmp_path / "kept")
    files = sorted((tmp_path / "kept").rglob("*.npy"))
    assert len(files) == 3 and not list((tmp_path / "kept").rglob("*.part"))
    files[1].write_bytes(damage(files[1].read_bytes()))
    again = features(model, pictures, folder=tmp_path / "kept")
    assert again.tobytes() == first.tobytes()
    assert len(batches) == 6 + 2
    features(model, pictures, folder=tmp_path / "kept")
    assert len(batches) == 8


def test_an_interruption_while_writing_leaves_no_half_file(pictures, monkeypatch, tmp_path):
    def stopped(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(features_module.os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            features(small(), pictures, folder=tmp_path / "kept")
    assert [file for file in (tmp_path / "kept").rglob("*") if file.is_file()] == []


def test_a_full_disk_is_one_warning_and_the_features_are_returned(pictures, monkeypatch):
    import errno

    monkeypatch.setattr(features_module, "CHUNK", 8)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(features_module.os, "replace", full)
    model = small()
    with pytest.warns(
        UserWarning, match="could not be kept.*No space left.*Free some space"
    ) as caught:
        result = features(model, pictures, layers=["block1", "block2"])
    assert len([w for w in caught if "could not be kept" in str(w.message)]) == 1
    assert caught[0].filename == __file__  # it points at the call, not into the course's code
    monkeypatch.undo()
    np.testing.assert_array_equal(result["block2"].shape, (24, 64))
    assert result["block1"].std() > 0


def test_clearing_gives_the_space_back(pictures, batches):
    features(small(), pictures)
    assert transfer.clear_cache() > 24 * 128 * 4
    assert transfer.clear_cache() == 0
    features(small(), pictures)
    assert len(batches) == 12


def test_half_precision_and_empty_and_unfitting_pictures(pictures):
    model = small()
    full, half = features(model, pictures), features(model, pictures, dtype="float16")
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, full, rtol=2e-3, atol=1e-3)
    assert features(model, pictures[:0]).shape == (0, 128)
    for call in (
        dict(images=pictures[..., :1]),
        dict(images=pictures[0]),
        dict(images=pictures, layers=["block9"]),
        dict(images=pictures, layers="block1"),
        dict(images=pictures, pooling="max"),
    ):
        with pytest.raises(CourseError):
            transfer.cache_features(model, progress=False, **call)


def test_progress_is_shown_only_where_there_is_work(pictures, capsys):
    model = small()
    features(model, pictures, progress=True)
    assert "24/24" in capsys.readouterr().err
    features(model, pictures, progress=True)
    assert capsys.readouterr().err == ""


def test_a_reusable_model_starts_again_bit_for_bit():
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)]
    )
    with pytest.raises(CourseError, match="no optimiser yet"):
        transfer.reusable(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    fresh = transfer.reusable(model)
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 3)), rng.integers(0, 2, 20)

    def train():
        assert fresh() is model
        model.fit(x, y, epochs=3, shuffle=False, verbose=0)
        return model.get_weights()

    first = train()
    model.optimizer.learning_rate = 1.0
    assert all(np.array_equal(a, b) for a, b in zip(first, train()))
    # Keras ignores a schedule set now, and a number after it ends in a TypeError.
    model.optimizer.learning_rate = keras.optimizers.schedules.CosineDecay(1.0, 10)
    assert all(np.array_equal(a, b) for a, b in zip(first, train()))
    # Were the optimiser's state not put back, Adam's moments would carry on.
    model.set_weights(first)
    model.fit(x, y, epochs=3, shuffle=False, verbose=0)
    assert not all(np.array_equal(a, b) for a, b in zip(first, model.get_weights()))


def test_a_reusable_model_takes_a_seed_and_a_rate():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = transfer.attach_head(small(), 5, batch_norm="training", seed=0)
    model.compile(keras.optimizers.Adam(0.01), loss)
    fresh = transfer.reusable(model)
    wanted = transfer.attach_head(small(), 5, batch_norm="training", seed=7)
    kernel = fresh(seed=7, rate=0.5).get_layer("classifier_logits").kernel.numpy()
    assert np.array_equal(kernel, wanted.get_layer("classifier_logits").kernel.numpy())
    assert float(model.optimizer.learning_rate.numpy()) == 0.5
    first = np.random.rand()
    fresh(seed=7)
    assert np.random.rand() == first and np.isclose(model.optimizer.learning_rate.numpy(), 0.01)
    falling = keras.optimizers.schedules.CosineDecay(0.01, 10)
    model.compile(keras.optimizers.Adam(falling), loss)
    with pytest.raises(CourseError, match="compiled again"):
        fresh()
    with pytest.raises(CourseError, match="follows a schedule"):
        transfer.reusable(model)(rate=0.1)
    model.compile(keras.optimizers.Adam(0.01), loss)
    fresh = transfer.reusable(model)
    model.optimizer.learning_rate = falling
    assert float(fresh(rate=0.5).optimizer.learning_rate.numpy()) == 0.5


# Networks of the reader's own --------------------------------------------------------------------


def sequential(norm=True):
    """What a reader types: no names, and each `add` calls the layers before it once more."""
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(4, 3, strides=4)])
    if norm:
        model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Conv2D(5, 3))
    return model


class Unit(keras.layers.Layer):
    """A layer that holds layers, and a weight."""

    def __init__(self, **options):
        super().__init__(**options)
        self.conv, self.norm = keras.layers.Conv2D(3, 1), keras.layers.BatchNormalization()
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, x, training=None):
        return self.norm(self.conv(x), training=training) * self.scale


def with_units():
    inputs = keras.Input((32, 32, 3))
    x = Unit(name="block1_unit")(keras.layers.AveragePooling2D(8, name="block1_pool")(inputs))
    model = keras.Model(inputs, Unit(name="block2_unit")(x))
    for layer in model.layers[2:]:
        layer.norm.moving_mean.assign([0.1, 0.2, 0.3])
    return model


class Written(keras.Model):
    """A model written as a class."""

    def __init__(self, **options):
        super().__init__(**options)
        self.conv = keras.layers.Conv2D(4, 3, strides=8)

    def call(self, x):
        return self.conv(x) / 255


def two_inputs():
    pixels, other = keras.Input((32, 32, 3), name="pixels"), keras.Input((1,), name="age")
    x = keras.layers.Conv2D(4, 3, name="block1_conv")(pixels)
    x = keras.layers.GlobalAveragePooling2D(name="block2_pool")(x)
    return keras.Model([pixels, other], keras.layers.Concatenate(name="end_both")([x, other]))


def two_outputs():
    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, strides=4, name="block1_conv")(pixels)
    return keras.Model(pixels, [x, keras.layers.Conv2D(5, 3, name="block2_conv")(x)])


def raised(call, *arguments, **options) -> str:
    with pytest.raises(CourseError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def test_a_sequential_model_gives_features_and_halves_and_takes_a_head(pictures):
    model = sequential()
    x = pictures.astype("float32")
    first, norm, second = transfer.blocks(model)
    np.testing.assert_allclose(
        features(model, pictures, pooling=None), model(x, training=False), atol=1e-4
    )
    found = features(model, pictures, layers=[norm], pooling=None)[norm]
    np.testing.assert_allclose(
        found, model.layers[1](model.layers[0](x), training=False), atol=1e-4
    )
    lower, upper = transfer.split(model, norm)
    assert list(transfer.blocks(lower)) == [first, norm] and list(transfer.blocks(upper)) == [
        second
    ]
    assert np.array_equal(upper(lower(x)), model(x))
    headed = transfer.attach_head(model, 3, batch_norm="training")
    assert headed.output_shape == (None, 3)
    late = keras.Sequential([keras.layers.Conv2D(4, 3, strides=8)])  # without an Input
    for call in (transfer.split, transfer.attach_head):
        assert "Let it begin with keras.Input" in raised(call, late, 2)
    np.testing.assert_allclose(features(late, pictures, pooling=None), late(x), atol=1e-3)


def test_layers_that_were_used_elsewhere_before_are_found_in_this_model(pictures):
    old = sequential()
    x = inputs = keras.Input((32, 32, 3))
    for layer in old.layers:
        x = layer(x)
    model = keras.Model(inputs, x)
    lower, upper = transfer.split(model, list(transfer.blocks(model))[0])
    x = pictures.astype("float32")
    assert np.array_equal(upper(lower(x)), model(x))


def test_a_share_is_a_share_where_keras_named_the_layers(monkeypatch):
    """As in InceptionV3: conv2d, batch_normalization, activation, conv2d_1, …, mixed0, …"""
    x = inputs = keras.Input((8, 8, 3))
    for number in range(4):
        branches = []
        for _ in range(2):
            y = keras.layers.Conv2D(3, 3, padding="same")(x)
            y = keras.layers.BatchNormalization(scale=False)(y)
            branches.append(keras.layers.Activation("relu")(y))
        x = keras.layers.Add(name=f"mixed{number}")(branches)
    model = keras.Model(inputs, x)
    convs = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    table = transfer.freeze(model, share=0.5)
    assert len(table) == 4 * 7 and set(transfer.blocks(model)) >= {each.name for each in convs}
    assert [conv.trainable for conv in convs] == [False] * 4 + [True] * 4
    transfer.unfreeze(model)
    transfer.freeze(model, up_to="mixed0")
    assert [conv.trainable for conv in convs] == [False] * 2 + [True] * 6


def named(*names):
    """A model of layers with these names, and its blocks."""
    model = keras.Sequential([keras.Input((2,))], name="net")
    for name in names:
        model.add(keras.layers.Dense(2, name=name))
    return model, list(transfer.blocks(model))


def test_blocks_are_runs_of_layers():
    assert named("block_1_a", "block_1_b", "block_2_a")[1] == ["block_1", "block_2"]
    assert named("conv2_block1_1_a", "conv2_block1_2_a", "dense_9", "dense_10")[1] == [
        "conv2", "dense_9", "dense_10",
    ]  # fmt: skip
    assert named("net_stage_0_a", "net_stage_0_b", "net_stage_1_a", "net_top")[1] == [
        "stage_0", "stage_1", "net",
    ]  # fmt: skip
    model, blocks = named("block1_a", "block2_a", "block2_b", "skip_a", "block2_c", "block3_a")
    assert blocks == ["block1", "block2_a", "skip", "block2_c", "block3"]
    assert list(transfer.freeze(model, up_to="block2").frozen) == ["yes"] * 4 + ["no"]
    transfer.unfreeze(model)
    assert list(transfer.freeze(model, up_to="block2_a").frozen) == ["yes"] * 2 + ["no"] * 3
    transfer.freeze(model)
    assert list(transfer.unfreeze(model, from_block="block2").frozen) == ["yes"] + ["no"] * 4
    assert list(transfer.blocks(transfer.split(model, "block2")[1])) == ["block3"]
    inner = [named("block1_a")[0], named("block1_a")[0]]
    inner[1].name = "other"
    both = keras.Sequential([keras.Input((2,)), inner[0], keras.layers.ReLU(name="a"), inner[1]])
    assert list(transfer.blocks(both)) == ["block1_a", "a", "block1_a-2"]


def test_batch_norm_inside_a_layer_of_ones_own_is_frozen_too(pictures):
    model = transfer.attach_head(with_units(), 2, seed=0)
    assert list(transfer.trainable_table(model).batch_norm) == ["inference", "inference", "–"]
    norms = [layer.norm for layer in model.layers[1].layers[2:]]
    before = [norm.get_weights() for norm in norms]
    fitted(model, pictures, steps=1)
    for norm, weights in zip(norms, before):
        assert all(map(np.array_equal, norm.get_weights(), weights))
    fresh = with_units()
    for layer in fresh.layers[2:]:
        layer.norm.moving_mean.assign([0, 0, 0])
    assert "no statistics yet" in raised(transfer.attach_head, fresh, 2)


@pytest.mark.parametrize("off_as_a_whole", [False, True])
def test_unfreezing_leaves_batch_norm_inside_a_layer_as_it_was(pictures, off_as_a_whole):
    model = transfer.attach_head(with_units(), 2, seed=0)
    transfer.freeze(model, up_to="block2")
    model.layers[1].trainable = not off_as_a_whole
    for layer in model.layers[1].layers[2:]:
        layer.trainable = False
    table = transfer.unfreeze(model, from_block="block2")
    assert list(table.frozen) == ["yes", "no", "no"]
    assert list(table.batch_norm) == ["inference", "inference", "–"]
    assert table.trainable.sum() == keras_trains(model) == 3 * 3 + 3 + 1 + 3 * 2 + 2
    mean = model.layers[1].get_layer("block2_unit").norm.moving_mean.numpy()
    fitted(model, pictures, steps=1)
    assert np.array_equal(mean, model.layers[1].get_layer("block2_unit").norm.moving_mean.numpy())
    table = transfer.unfreeze(model, from_block="block2", batch_norm=True)
    assert list(table.batch_norm) == ["inference", "training", "–"]


def test_freezing_without_batch_norm_leaves_the_one_inside_a_layer_adapting(pictures):
    model = transfer.attach_head(with_units(), 2, batch_norm="training", seed=0)
    table = transfer.freeze(model, up_to="block2", batch_norm=False)
    assert list(table.frozen) == ["yes", "yes", "no"]
    assert list(table.batch_norm) == ["training", "training", "–"]
    unit = model.layers[1].get_layer("block1_unit")
    before = [each.numpy() for each in (unit.conv.kernel, unit.scale)]
    mean, gamma = unit.norm.moving_mean.numpy(), unit.norm.gamma.numpy()
    fitted(model, pictures, steps=1)
    assert all(map(np.array_equal, before, (unit.conv.kernel.numpy(), unit.scale.numpy())))
    assert not np.array_equal(mean, unit.norm.moving_mean.numpy())
    assert not np.array_equal(gamma, unit.norm.gamma.numpy())
    table = transfer.unfreeze(model)
    assert list(table.frozen) == ["no"] * 3 and table.trainable.sum() == keras_trains(model)
    assert keras_trains(model) == 2 * (3 * 3 + 3 + 1 + 6) + 3 * 2 + 2


def test_keras_still_passes_on_a_change_only():
    """What `blocks._set` says of Keras. Should this fail, it can be simpler."""
    unit = with_units().get_layer("block1_unit")
    unit.conv.trainable = False
    unit.trainable = True
    assert not unit.conv.trainable
    unit.trainable = False
    unit.conv.trainable = True
    transfer.freeze(keras.Sequential([keras.Input((4, 4, 3)), unit]))
    assert not unit.conv.trainable


@pytest.mark.filterwarnings("ignore:.*mine")  # Keras too says that it cannot follow one of them
def test_a_model_written_as_a_class_gives_features_and_is_not_looked_into(pictures):
    model = Written(name="mine")
    found = features(model, pictures, pooling=None)
    np.testing.assert_allclose(found, model(pictures.astype("float32")), atol=1e-5)
    assert len(transfer.freeze(model)) == 1 and not model.trainable_weights
    for call in (
        lambda: features(model, pictures, layers=["conv2d"]),
        lambda: transfer.split(model, "conv2d"),
        lambda: transfer.attach_head(model, 2),
    ):
        assert "mine is written as a class, and Keras does not see" in raised(call)

    class Broken(Written):
        def call(self, x):
            return self.conv(x.numpy())

    text = raised(features, Broken(name="mine"), pictures)
    assert "mine cannot be followed from pictures of shape (32, 32, 3)" in text
    late = keras.Sequential([keras.layers.Conv2D(4, 3)], name="late")
    assert "late cannot be followed from pictures of shape (3,)" in raised(
        features, late, pictures[:, 0, 0]
    )


def test_several_inputs_and_outputs_are_refused_with_a_sentence(pictures):
    for call in (
        lambda: features(two_inputs(), pictures),
        lambda: transfer.split(two_inputs(), "block1"),
        lambda: transfer.attach_head(two_inputs(), 2),
    ):
        assert "takes 2 inputs (pixels, age), and pictures are one" in raised(call)
    model = two_outputs()
    for call in (lambda: features(model, pictures), lambda: transfer.attach_head(model, 2)):
        assert "gives 2 outputs, and one is needed" in raised(call)
    assert features(model, pictures, layers=["block1", "block2"])["block2"].shape == (24, 5)
    chosen = keras.Model(model.inputs, model.outputs[0])  # as the sentence says
    assert features(chosen, pictures).shape == (24, 4)
    assert "Choose it: keras.Model(model.inputs, model.outputs[0])" in raised(
        features, model, pictures
    )


def test_what_is_no_model_and_what_are_no_pictures_are_refused_with_a_sentence(pictures):
    for call in (transfer.blocks, transfer.freeze, transfer.unfreeze):
        assert "this is of type Unit" in raised(call, Unit())
    assert "this is of type function" in raised(features, raised, pictures)
    model = sequential(norm=False)
    for images in ([[1, 2], [3]], ["a.png"], [None]):
        assert "not pictures in one array of numbers" in raised(features, model, images)
    assert "no number of pictures" in raised(features, model, pictures, batch_size=0)


def test_a_network_for_pictures_of_any_size(pictures):
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3, strides=8)])
    assert features(model, pictures, pooling=None).shape == (24, 4, 4, 4)
    assert features(model, pictures[:, :16], pooling=None).shape == (24, 2, 4, 4)
    assert "needs pictures of one size" in raised(
        transfer.attach_head, model, 2, pooling="flatten"
    )


def test_a_head_on_vectors_and_on_what_is_no_map(pictures):
    pooled = sequential(norm=False)
    pooled.add(keras.layers.GlobalAveragePooling2D())
    model = transfer.attach_head(pooled, 3)
    assert model.output_shape == (None, 3)
    assert np.array_equal(model.layers[2](pooled(pictures)), pooled(pictures))
    rows = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Reshape((64, 3))])
    assert "which is no map of features" in raised(transfer.attach_head, rows, 2)
    assert transfer.attach_head(rows, 2, pooling="flatten").output_shape == (None, 2)


def test_the_code_of_a_layer_inside_a_layer_and_of_its_base_counts():
    def state(source):
        space = {"keras": keras, "__name__": "typed_in"}
        exec(source, space)  # as in a console, where no source is kept
        return features_module.state(keras.Sequential([keras.Input((4,)), space["Outer"]()]))

    source = (
        "class Base(keras.layers.Layer):\n"
        "    def call(self, x):\n        return x + 1\n"
        "class Inner(Base):\n    pass\n"
        "class Outer(keras.layers.Layer):\n"
        "    def __init__(self, **options):\n"
        "        super().__init__(**options)\n        self.inner = Inner()\n"
        "    def call(self, x):\n        return self.inner(x)\n"
    )
    assert state(source) == state(source) != state(source.replace("x + 1", "x + 2"))


def test_a_model_without_weights_yet_is_not_remembered():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    assert "has no weights yet" in raised(transfer.reusable, model)
