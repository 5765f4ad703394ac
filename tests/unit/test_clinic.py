"""The clinic: a watch that changes nothing, and a diagnosis that names what was planted."""

import json

import numpy as np
import pytest

from translearn import clinic
from translearn.clinic import answers, examples, gathering, looking, neighbours, rules, signs
from translearn.errors import CourseError

CROSS = "sparse_categorical_crossentropy"


def table(count=256, seed=0, noise=0.35):
    """Rows of 8 numbers around 4 centres, and their class."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 4, count)
    centres = np.random.default_rng(9).normal(size=(4, 8))
    return (centres[y] + noise * draw.normal(size=(count, 8))).astype("float32"), y


def network(units=16, activation="relu", last="softmax", outputs=4, middle=()):
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    hidden = layers.Dense(units, activation, name="hidden")
    return keras.Sequential([keras.Input((8,)), hidden, *middle, layers.Dense(outputs, last)])


def compiled(model=None, optimizer="adam", rate=0.01, loss=CROSS, **more):
    import keras

    model = model or network()
    kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[optimizer]
    model.compile(kind(rate), loss, metrics=["accuracy"], **more)
    return model


def fitted(model, train=None, held=None, epochs=10, batch=32, watch=None, **more):
    watch = watch or clinic.watch()
    x, y = train or table()
    model.fit(x, y, validation_data=held or table(160, 1), epochs=epochs, batch_size=batch,
              verbose=0, callbacks=[watch], **more)  # fmt: skip
    return watch


# ---------------------------------------------------------------- what is planted is found


def scaled(times):
    (x, y), (x_held, y_held) = table(), table(160, 1)
    return fitted(compiled(), (x * times, y), (x_held * times, y_held))


def relabelled(share):
    x, y = table()
    y = y.copy()
    y[: int(share * len(y))] = np.random.default_rng(3).permutation(y[: int(share * len(y))])
    return x, y


def with_bias(value):
    model = network()
    model.layers[0].bias.assign(np.full(16, value, "float32"))
    return model


def rare(count, seed):
    x, y = table(count, seed, noise=4.0)
    keep = (y == 0) | ((y == 1) & (np.arange(count) % 25 == 0))
    return x[keep], y[keep]


def unfrozen_late():
    model = network()
    model.layers[0].trainable = False
    compiled(model).fit(*table(), epochs=1, verbose=0)
    model.layers[0].trainable = True
    return fitted(model)


def frozen():
    model = network()
    model.trainable = False
    return fitted(compiled(model))


def copied():
    (x, y), (x_held, y_held) = table(), table(160, 1)
    return fitted(compiled(), (np.r_[x, x_held[:80]], np.r_[y, y_held[:80]]), (x_held, y_held))


def slow():
    import tensorflow as tf

    x, y = table()

    def wait(x, y):
        return tf.numpy_function(slept, [x], tf.float32), y

    def ready(x, y):
        return tf.ensure_shape(x, (32, 8)), y

    pairs = tf.data.Dataset.from_tensor_slices((x, y)).batch(32, drop_remainder=True)
    model, watch = compiled(), clinic.watch()
    model.fit(pairs.map(wait).map(ready), epochs=6, validation_data=table(160, 1), verbose=0,
              callbacks=[watch])  # fmt: skip
    return watch


def slept(x):
    import time

    time.sleep(0.02)
    return x


def normalised():
    """A pretrained body with batch normalisation: frozen kernels, moving statistics."""
    from keras import layers

    model = network(middle=[layers.BatchNormalization(momentum=0.8), layers.Dense(16, "relu")])
    x, y = table()
    compiled(model).fit(x, y, epochs=4, verbose=0)
    for layer in (model.layers[0], model.layers[2]):
        layer.trainable = False
    (x_held, y_held), model = table(160, 1), compiled(model)
    model.layers[1].momentum = 0.999
    return fitted(model, (5 * x + 3, y), (5 * x_held + 3, y_held))


PLANTED = {
    "rate too high": lambda: fitted(compiled(rate=3.0)),
    "rate too low": lambda: fitted(compiled(rate=1e-6)),
    "logits mismatch": lambda: fitted(compiled(network(last=None))),
    "inputs on the wrong scale": lambda: scaled(500.0),
    "wrong labels": lambda: fitted(compiled(), relabelled(0.4)),
    "shuffled pairs": lambda: fitted(compiled(), relabelled(1.0)),
    "forgotten recompile": unfrozen_late,
    "batch normalisation in training mode": normalised,
    "dead units": lambda: fitted(compiled(with_bias(-50.0))),
    "collapse to the majority": lambda: fitted(
        compiled(network(outputs=2), rate=3e-3), rare(2000, 5), rare(1500, 6), epochs=12
    ),
    "overfitting": lambda: fitted(
        compiled(network(128), rate=0.03), table(32, 5, noise=2.0), table(160, 1, noise=2.0), 40
    ),
    "too little capacity": lambda: fitted(compiled(network(1, "tanh"), rate=0.03), epochs=20),
    "everything frozen": frozen,
    "leak between training and validation": copied,
    "stopped too early": lambda: fitted(compiled(rate=3e-3), epochs=2),
    "slow input pipeline": slow,
    "batch too small": lambda: fitted(
        compiled(optimizer="sgd", rate=0.5), table(96, noise=1.0), epochs=5, batch=1
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_first(name):
    diagnosis = clinic.diagnose(PLANTED[name]())
    assert diagnosis.verdict == "sick"
    assert diagnosis.findings[0].name == name, str(diagnosis)


def test_every_fault_is_planted_here_and_has_a_rule_and_remedies():
    assert clinic.FAULTS.keys() == PLANTED.keys() == rules.RULES.keys()
    for fault in clinic.FAULTS.values():
        assert fault.meaning.endswith(".") and fault.remedies
        assert set(fault.alike) <= clinic.FAULTS.keys() and bool(fault.alike) <= bool(fault.apart)


# ---------------------------------------------------------------- what is healthy


@pytest.fixture(scope="module")
def healthy():
    return fitted(compiled(), epochs=20)


def test_a_healthy_run_is_called_healthy(healthy):
    diagnosis = clinic.diagnose(healthy)
    assert diagnosis.verdict == "healthy" and not diagnosis.findings and not diagnosis.missing
    assert "256 training examples" in str(diagnosis)


def test_so_are_a_regression_and_a_network_with_one_output():
    x, y = table(noise=1.0)
    x_held, y_held = table(160, 1, noise=1.0)
    model = compiled(network(32, last=None, outputs=1), rate=0.02, loss="mse")
    target, held = x[:, 0] * 2 - x[:, 3], x_held[:, 0] * 2 - x_held[:, 3]
    found = clinic.diagnose(fitted(model, (x, target), (x_held, held), epochs=25))
    assert found.verdict == "healthy", str(found)
    model = compiled(network(last="sigmoid", outputs=1), rate=0.02, loss="binary_crossentropy")
    watch = fitted(model, (x, (y > 1) * 1), (x_held, (y_held > 1) * 1), epochs=15)
    assert clinic.diagnose(watch).verdict == "healthy", str(clinic.diagnose(watch))
    assert watch.record.end["training"]["kind"] == "binary"


# ---------------------------------------------------------------- a watch changes nothing


def own_step():
    """A model written as a class, with a training step of its own and no names for its losses."""
    import keras
    import tensorflow as tf

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.last = keras.layers.Dense(8, "relu"), keras.layers.Dense(4)
            self.drop = keras.layers.Dropout(0.3, seed=1)

        def call(self, x, training=False):
            return self.last(self.drop(self.hidden(x), training=training))

        def train_step(self, data):
            x, y, _ = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            weights = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            return {"loss": loss}

    keras.utils.set_random_seed(1)
    model = Own()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def with_dropout(**more):
    from keras import layers

    middle = [layers.BatchNormalization(), layers.Dropout(0.3, seed=2)]
    return compiled(network(middle=middle), **more)


def with_noise():
    """A layer that draws and counts in inference mode too, as a variational autoencoder's does."""
    import keras

    class Noise(keras.layers.Layer):
        def build(self, shape):
            self.seed = keras.random.SeedGenerator(3)
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.calls.assign_add(1.0)
            return x + 0.1 * keras.random.normal(keras.ops.shape(x), seed=self.seed)

    return compiled(network(middle=[Noise()]))


ALIKE = {
    "noise in inference mode": with_noise,
    "dropout and batch normalisation": with_dropout,
    "several steps at once": lambda: with_dropout(steps_per_execution=3),
    "eager": lambda: with_dropout(run_eagerly=True),
    "its own step": own_step,
}


@pytest.mark.parametrize("name", ALIKE)
def test_a_watched_run_gives_the_same_weights_bit_for_bit(name):
    runs = []
    for callbacks in ([clinic.watch()], []):
        model = ALIKE[name]()
        history = model.fit(*table(100), epochs=2, validation_data=table(40, 1), verbose=0,
                            class_weight={0: 2.0, 1: 1.0, 2: 1.0, 3: 1.0},
                            callbacks=callbacks)  # fmt: skip
        runs.append(([variable.numpy() for variable in model.variables], history.history))
        if callbacks:
            assert callbacks[0].record.notes == [] and callbacks[0].record.end
    (ours, curves), (theirs, others) = runs
    assert curves == others
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_data_of_unknown_length_give_the_same_weights_too():
    import tensorflow as tf

    runs = []
    for callbacks in ([clinic.watch()], []):
        data = tf.data.Dataset.from_tensor_slices(table(96)).filter(lambda x, y: True).batch(32)
        model = with_dropout()
        model.fit(data, epochs=2, verbose=0, callbacks=callbacks)
        model.fit(data, epochs=1, verbose=0)
        runs.append([v.numpy() for v in [*model.variables, *model.optimizer.variables]])
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


def test_a_later_fit_trains_the_same_list_of_weights_with_and_without_a_watch_before():
    kept = []
    for callbacks in ([clinic.watch()], []):
        model = network()
        model.layers[0].trainable = False
        compiled(model).fit(*table(), epochs=1, verbose=0, callbacks=callbacks)
        before = model.layers[0].get_weights()[0]
        model.layers[0].trainable = True
        model.fit(*table(), epochs=1, verbose=0)
        assert np.array_equal(before, model.layers[0].get_weights()[0])
        kept.append(model.layers[1].get_weights()[0])
    assert np.array_equal(*kept)


class Stop(KeyboardInterrupt):
    pass


def interrupted(model, watch, after=3, **more):
    """Train, and be interrupted after some steps."""
    import keras

    class Interrupting(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == after - 1:
                raise Stop

    with pytest.raises(Stop):
        model.fit(*table(), verbose=0, callbacks=[watch, Interrupting()], **more)


def test_an_interrupted_training_leaves_the_model_as_it_was():
    model, watch = compiled(), clinic.watch()
    interrupted(model, watch)
    assert clinic.diagnose(watch).verdict == "cannot tell" and watch.record.steps["count"] == 3
    again = clinic.watch()
    fitted(model, watch=again, epochs=2)
    assert not hasattr(model.train_function, "leave") and again.record.steps["count"] == 16
    model.fit(*table(), verbose=0)
    assert "call" not in vars(model.layers[0])


def test_a_watch_leaves_an_interrupted_model_when_it_watches_another():
    model, watch = compiled(), clinic.watch()
    interrupted(model, watch)
    assert hasattr(model.train_function, "leave")
    fitted(compiled(), watch=watch, epochs=2)
    assert not hasattr(model.train_function, "leave") and watch.record.steps["count"] == 16


def test_tiny_steps_that_were_interrupted_before_an_epoch_was_over_can_be_diagnosed():
    watch = clinic.watch()
    interrupted(compiled(rate=1e-6), watch, after=30, batch_size=8)
    assert clinic.diagnose(watch).verdict == "cannot tell" and not watch.record.curves


def test_what_goes_wrong_in_looking_is_noted_and_stops_nothing(monkeypatch):
    def broken(*_):
        raise ValueError("a broken look")

    monkeypatch.setattr(looking, "kernels", broken)
    monkeypatch.setattr(examples, "examples", broken)
    watch = fitted(compiled(), epochs=2)
    assert any("a broken look" in note for note in watch.record.notes)
    assert len(watch.record.curves["loss"]) == 2
    assert clinic.diagnose(watch).verdict != "healthy"


# ---------------------------------------------------------------- other models


def test_language_outputs_and_several_outputs_are_watched():
    import keras
    from keras import layers

    tokens = np.random.default_rng(0).integers(0, 12, (96, 9))
    ids = keras.Input((8,), dtype="int32")
    model = keras.Model(ids, layers.Dense(12)(layers.Embedding(12, 8)(ids)))
    compiled(model, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    watch = fitted(model, (tokens[:, :-1], tokens[:, 1:]), (tokens[:, :-1], tokens[:, 1:]), 2)
    assert watch.record.end["training"]["positions"] and watch.record.notes == []
    assert clinic.diagnose(watch).findings[0].name == "leak between training and validation"

    x, y = table()
    row = keras.Input((8,))
    model = keras.Model(row, {"a": layers.Dense(4, name="a")(row), "b": layers.Dense(1)(row)})
    model.compile("adam", {"a": CROSS, "b": "mse"})
    targets = {"a": y, "b": y * 1.0}
    watch = fitted(model, (x, targets), (x[:50], {k: v[:50] for k, v in targets.items()}), 2)
    assert watch.record.setting["several outputs"] and len(watch.record.curves["loss"]) == 2


def test_a_loss_that_is_not_a_number_is_a_rate_that_is_too_high():
    watch = fitted(compiled(optimizer="sgd", rate=1e30), epochs=2)
    assert clinic.diagnose(watch).findings[0].name == "rate too high"
    json.dumps(watch.record.to_dict())


# ---------------------------------------------------------------- records and plain curves


def test_a_record_comes_back_from_json(healthy):
    kept = json.loads(json.dumps(healthy.record.to_dict()))
    assert clinic.Record.from_dict(kept).to_dict() == kept
    assert str(clinic.diagnose(kept)) == str(clinic.diagnose(healthy))
    with pytest.raises(CourseError, match="no record of a watched run"):
        clinic.Record.from_dict({"loss": [1.0]})


@pytest.mark.parametrize(
    "curves, name",
    [
        ({"loss": [2, 1, 0.5, 0.2, 0.1], "val_loss": [2, 1, 1.1, 1.4, 2.3]}, "overfitting"),
        ({"loss": [2.0, 1.8, 1.6, 1.4], "val_loss": [2.0, 1.8, 1.65, 1.45]}, "stopped too early"),
        ({"loss": [2.0, float("nan")]}, "rate too high"),
    ],
)  # fmt: skip
def test_plain_curves_show_little_and_the_diagnosis_says_what_to_record(curves, name):
    diagnosis = clinic.diagnose(curves)
    assert [finding.name for finding in diagnosis.findings] == [name]
    assert any("clinic.watch()" in each for each in diagnosis.missing)
    assert diagnosis.findings[0].apart == clinic.FAULTS[name].apart != ""


def test_curves_that_show_nothing_are_never_called_healthy():
    diagnosis = clinic.diagnose(
        {"loss": [1, 0.5, 0.4, 0.39, 0.385], "val_loss": [1, 0.6, 0.5, 0.5, 0.5]}
    )
    assert diagnosis.verdict == "cannot tell" and not diagnosis.findings


def test_curves_that_are_no_numbers_or_empty_are_passed_over():
    curves = {"loss": [2.0, float("nan")], "f1": [np.ones(3), np.ones(3)]}
    assert clinic.diagnose(curves).findings[0].name == "rate too high"
    assert clinic.diagnose({"loss": [1.0, 0.9], "accuracy": [0.1, 0.2], "val_accuracy": []})


def test_an_error_is_no_score():
    # With dropout the error is larger in training; validation gets a little worse at the end.
    curves = {"loss": [9, 7, 5, 4, 3], "val_loss": [5, 3, 2.0, 2.1, 2.4]}
    curves |= {name: [2.0, 1.6] for name in ("mae", "mse")} | {"val_mae": [1.0], "val_mse": [1.0]}
    assert signs.of(clinic.Record(curves=curves)).score is None
    curves |= {"accuracy": [0.7], "val_accuracy": [0.6]}
    assert signs.of(clinic.Record(curves=curves)).score == 0.7


@pytest.mark.parametrize("wrong", [3, "loss", {}, {"accuracy": [0.5]}, {"loss": "abc"}])
def test_what_is_no_run_is_refused_in_one_sentence(wrong):
    with pytest.raises(CourseError):
        clinic.diagnose(wrong)
    with pytest.raises(CourseError, match="Has the model been trained"):
        clinic.diagnose(clinic.watch())


def test_a_diagnosis_reads_well_as_text_and_html():
    diagnosis = clinic.diagnose({"loss": [2.0, float("nan")]})
    assert str(diagnosis).startswith("Verdict: sick\n* rate too high: ")
    html = diagnosis._repr_html_()
    assert html.count("<li>") == len(diagnosis.findings[0].remedies) and "color" not in html


# ---------------------------------------------------------------- the parts


def test_equal_inputs_have_equal_checksums_and_others_do_not():
    x, _ = table(50)
    sums = gathering.checksum([x])
    assert len(set(sums)) == 50 and np.array_equal(gathering.checksum([x[10:20]]), sums[10:20])
    assert not np.isin(gathering.checksum([x + np.float32(1e-6)]), sums).any()


def test_texts_have_a_checksum_of_what_they_say():
    texts = [f"the text {n}" for n in range(30)]
    first = gathering.checksum([np.array([text.encode() for text in texts], object)])
    again = gathering.checksum([np.array([(text + "").encode() for text in texts], object)])
    assert len(set(first)) == 30 and np.array_equal(first, again)


def test_a_leak_is_counted_exactly_and_near_copies_too():
    x, y = table(200, noise=1.0)
    fresh, _ = table(100, 7, noise=1.0)
    sets = []
    for rows in (x, np.r_[x[:10], x[10:30] + 1e-3, fresh]):
        each = gathering.Gathered()
        each.sums, each.sketches = [gathering.checksum([rows])], [gathering.sketch(rows)]
        each.seen = each.hashed = len(rows)
        sets.append(each)
    found = gathering.overlap(*sets)
    assert found["in both"] == 10 and found["close"] == 30 and found["twice in training"] == 0


def test_neighbours_agree_when_labels_belong_to_their_inputs():
    x, y = table(120)
    agree = neighbours.agreement(x, y, x, y, True)
    assert agree["agree"] > 0.95 and agree["chance"] < 0.4
    mixed = neighbours.agreement(x, np.random.default_rng(0).permutation(y), x, y, True)
    assert abs(mixed["agree"] - mixed["chance"]) < 4 * mixed["spread"]


def test_the_loss_of_a_step_is_taken_from_keras_running_mean():
    watch = fitted(compiled(rate=0.0), epochs=1, shuffle=False, batch=100)
    x, y = table()
    model = compiled(rate=0.0)
    parts = [model.evaluate(x[a : a + 100], y[a : a + 100], verbose=0)[0] for a in (0, 100, 200)]
    assert watch.record.steps["loss"] == pytest.approx(parts, rel=1e-4)


def test_skill_is_0_for_a_guess_and_1_for_all_right():
    y = np.array([0, 0, 0, 1, 2, 2])
    for given, wanted in ((y, 1.0), (np.zeros(6, int), 0.0)):
        found = answers.judged(np.eye(3)[given], y, "classes")
        assert signs.skill(found) == pytest.approx(wanted)
    assert signs.skill(answers.fitted(np.full(6, y.mean()), y * 1.0)) == pytest.approx(0.0)


@pytest.mark.parametrize(
    "values, rough", [([4, 3, 2, 1, 0.5, 0.2], 0.0), ([1, 2, 1, 2, 1, 2, 1], 0.5), ([1, 2], None)]
)
def test_roughness_is_the_share_of_the_ups(values, rough):
    found = signs.roughness(np.array(values, float))
    assert found == rough if rough is None else abs(found - rough) < 0.11
