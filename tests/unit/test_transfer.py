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
