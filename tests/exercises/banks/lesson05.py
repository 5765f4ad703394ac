"""Answers to the exercises of lesson 05."""

import keras
import numpy as np
from bank import Bank
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from translearn import backbones, data, transfer
from translearn.exercises.lesson05 import small_classifier

bank = Bank("05")

# --- trainable_parameters ------------------------------------------------------------------------


@bank.alternative("trainable_parameters")
def from_the_table(model):
    return int(transfer.trainable_table(model)["trainable"].sum())


@bank.alternative("trainable_parameters")
def sizes_of_variables(model):
    return sum(w.numpy().size for w in model.trainable_variables)


@bank.alternative("trainable_parameters")
def all_but_the_rest(model):
    return model.count_params() - sum(w.numpy().size for w in model.non_trainable_weights)


@bank.near_miss("trainable_parameters", "every number counts, not every filter")
def one_side_only(model):
    return sum(w.shape[0] for w in model.trainable_weights)


@bank.near_miss("trainable_parameters", "of the whole model")
def backbone_only(model):
    body = model.get_layer("small_cnn")
    return sum(int(np.prod(w.shape)) for w in body.trainable_weights)


@bank.near_miss("trainable_parameters", "that the optimiser will move")
def moving_statistics_too(model):
    layers = [layer for layer in model.get_layer("small_cnn").layers if layer.trainable]
    weights = [w for layer in [*layers, model.layers[-1]] for w in layer.weights]
    return sum(int(np.prod(w.shape)) for w in weights)


# --- freeze_all_but_last_block -------------------------------------------------------------------


@bank.given("freeze_all_but_last_block")
def a_classifier():
    return {"model": small_classifier()}


@bank.alternative("freeze_all_but_last_block")
def with_the_helper(given):
    transfer.freeze(given.model, up_to="block2")
    return given.model


@bank.alternative("freeze_all_but_last_block")
def all_but_the_last_layers(given):
    for layer in given.model.get_layer("small_cnn").layers[:-4]:
        layer.trainable = False
    return given.model


@bank.alternative("freeze_all_but_last_block")
def freeze_then_free(given):
    body = given.model.get_layer("small_cnn")
    body.trainable = False
    for layer in body.layers:
        if "block3" in layer.name:
            layer.trainable = True
    return given.model


@bank.mistake("freeze_all_but_last_block", "everything is frozen")
def the_model_itself(given):
    given.model.trainable = False
    return given.model


@bank.mistake("freeze_all_but_last_block", "the classifier is frozen too")
def the_head_too(given):
    transfer.freeze(given.model, up_to="block2")
    given.model.layers[-1].trainable = False
    return given.model


@bank.mistake("freeze_all_but_last_block", "the wrong end")
def the_last_block(given):
    for layer in given.model.get_layer("small_cnn").layers:
        layer.trainable = not layer.name.startswith("block3")
    return given.model


@bank.near_miss("freeze_all_but_last_block", "freeze block2")
def only_block1(given):
    transfer.freeze(given.model, up_to="block1")
    return given.model


@bank.near_miss("freeze_all_but_last_block", "freeze block1")
def only_block2(given):
    for layer in given.model.get_layer("small_cnn").layers:
        layer.trainable = not layer.name.startswith("block2")
    return given.model


@bank.near_miss("freeze_all_but_last_block", "leave block3 trainable")
def the_whole_backbone(given):
    given.model.get_layer("small_cnn").trainable = False
    return given.model


@bank.near_miss("freeze_all_but_last_block", "leave all of block3 trainable")
def part_of_block3(given):
    transfer.freeze(given.model, up_to="block2")
    block3 = [x for x in given.model.get_layer("small_cnn").layers if x.name.startswith("block3")]
    next(layer for layer in block3 if layer.weights).trainable = False
    return given.model


# --- unchanged -----------------------------------------------------------------------------------


@bank.alternative("unchanged")
def no_number_differs(before, after):
    return not any((a != b).any() for a, b in zip(before, after))


@bank.alternative("unchanged")
def the_same_bytes(before, after):
    return [a.tobytes() for a in before] == [b.tobytes() for b in after]


@bank.alternative("unchanged")
def in_one_piece(before, after):
    one, other = (np.concatenate([w.ravel() for w in weights]) for weights in (before, after))
    return np.array_equal(one, other)


@bank.near_miss("unchanged", "to the last bit")
def a_tighter_tolerance(before, after):
    return all(np.allclose(a, b, rtol=0, atol=2e-6) for a, b in zip(before, after))


@bank.near_miss("unchanged", "every array")
def the_first_array(before, after):
    return np.array_equal(before[0], after[0])


@bank.near_miss("unchanged", "every number")
def sorted_numbers(before, after):
    return all(np.array_equal(np.sort(a, None), np.sort(b, None)) for a, b in zip(before, after))


bank.refused("unchanged", lambda before, after: True)
bank.refused("unchanged", lambda before, after: False)

# --- unfreeze ------------------------------------------------------------------------------------

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@bank.alternative("unfreeze")
def and_return_it(model, rate):
    transfer.unfreeze(model)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    return model


@bank.alternative("unfreeze")
def layer_by_layer(model, rate):
    for layer in model.get_layer("small_cnn").layers:
        layer.trainable = True
    model.compile(keras.optimizers.Adam(learning_rate=rate), loss, metrics=["accuracy"])


@bank.alternative("unfreeze")
def rate_set_afterwards(model, rate):
    model.get_layer("small_cnn").trainable = True
    model.compile("adam", loss)
    model.optimizer.learning_rate = rate


@bank.mistake("unfreeze", "no compile")
def flag_and_rate(model, rate):
    model.get_layer("small_cnn").trainable = True
    model.optimizer.learning_rate = rate


@bank.mistake("unfreeze", "the old learning rate")
def the_default_rate(model, rate):
    model.get_layer("small_cnn").trainable = True
    model.compile("adam", loss)


@bank.mistake("unfreeze", "still frozen")
def only_compiled(model, rate):
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.mistake("unfreeze", "still frozen")
def flag_of_the_outer_model(model, rate):
    model.trainable = True  # it was so before, and Keras hands nothing down
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.near_miss("unfreeze", "the whole backbone")
def the_last_block_only(model, rate):
    transfer.unfreeze(model, from_block="block3")
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.near_miss("unfreeze", "with Adam")
def with_sgd(model, rate):
    transfer.unfreeze(model)
    model.compile(keras.optimizers.SGD(rate), loss)


@bank.near_miss("unfreeze", "at the learning rate `rate`")
def a_tenth_of_the_rate(model, rate):
    transfer.unfreeze(model)
    model.compile(keras.optimizers.Adam(rate / 10), loss)


# --- backbone_passes -----------------------------------------------------------------------------


@bank.alternative("backbone_passes")
def one_line(train, test, epochs, cached):
    return test + train * (1 if cached else epochs)


@bank.alternative("backbone_passes")
def counted(train, test, epochs, cached):
    return float(sum(train for _ in range(1 if cached else epochs)) + test)


@bank.alternative("backbone_passes")
def with_numpy(train, test, epochs, cached):
    return np.array([np.where(cached, 1, epochs) * train + test])


@bank.near_miss("backbone_passes", "score the test pictures once")
def scored_twice(train, test, epochs, cached):
    return (train if cached else train * epochs) + 2 * test


@bank.near_miss("backbone_passes", "for `epochs`")
def one_epoch_too_many(train, test, epochs, cached):
    return train + test if cached else train * (epochs + 1) + test


bank.refused("backbone_passes", lambda train, test, epochs, cached: epochs)

# --- choose_cut ----------------------------------------------------------------------------------


@bank.alternative("choose_cut")
def first_of_the_sorted(table):
    return table.sort_values("validation", ascending=False).index[0]


@bank.alternative("choose_cut")
def by_position(table):
    best = max(range(len(table)), key=lambda i: table["validation"].iloc[i])
    return table.index[best]


@bank.alternative("choose_cut")
def by_argmax(table):
    return table.index[np.argmax(table["validation"].to_numpy())]


@bank.near_miss("choose_cut", "return the name")
def its_number(table):
    return int(table["validation"].argmax())


@bank.near_miss("choose_cut", "the cut that you would take")
def the_worst(table):
    return table["validation"].idxmin()


bank.refused("choose_cut", lambda table: table.index[0])

# --- beat_it -------------------------------------------------------------------------------------

MIX = ["block03", "block06", "block09", "block13"]


@bank.given("beat_it")
def features():
    solar = data.load("solar_cells", size=96)
    backbone = backbones.load("efficientnet_lite0")
    few, blocks = solar.train.take(50, seed=0), list(transfer.blocks(backbone))
    few_features, validation_features = [
        transfer.cache_features(backbone, part.images, layers=blocks, progress=False)
        for part in (few, solar.validation)
    ]
    return {
        "solar": solar,
        "fifty": few,
        "few_features": few_features,
        "validation_features": validation_features,
    }


def guess(given, classifier, blocks):
    seen, judged = (
        np.concatenate([features[block] for block in blocks], axis=1)
        for features in (given.few_features, given.validation_features)
    )
    return (
        make_pipeline(StandardScaler(), classifier).fit(seen, given.fifty.labels).predict(judged)
    )


@bank.alternative("beat_it")
def a_single_block(given):
    return guess(given, LogisticRegression(C=0.01, max_iter=1000), ["block13"])


@bank.alternative("beat_it")
def another_classifier(given):
    return list(guess(given, SVC(), MIX))


@bank.alternative("beat_it")
def as_floats(given):
    return guess(given, LogisticRegression(C=0.01), MIX).astype("float32")


bank.mistake("beat_it", "the answers themselves", lambda given: given.solar.validation.labels)
bank.mistake("beat_it", "on the training set", lambda given: given.fifty.labels)


@bank.mistake("beat_it", "scores, not classes")
def two_columns(given):
    return np.zeros((len(given.solar.validation), 2))


@bank.near_miss("beat_it", "better than a probe on the head")
def the_head(given):
    return guess(given, LogisticRegression(C=0.01, max_iter=1000), ["head"])


@bank.near_miss("beat_it", "two points, not a hair")
def by_a_hair(given):
    """A balanced accuracy just above the ledger's mean."""
    truth = given.solar.validation.labels
    guesses, classes = truth.copy(), truth.max() + 1
    for k in range(classes):
        right = round((given.reference + 0.005) * np.sum(truth == k))
        guesses[np.flatnonzero(truth == k)[right:]] = (k + 1) % classes
    return guesses


@bank.near_miss("beat_it", "one for each validation picture")
def one_too_few(given):
    return guess(given, SVC(), MIX)[:-1]


bank.refused("beat_it", lambda given: given.solar.validation.labels * 0)
bank.refused("beat_it", lambda given: given.solar.validation.labels + 0.5)
