"""Answers to the exercises of lesson 06."""

import re

import keras
import numpy as np
from bank import Bank

from translearn import paths, transfer
from translearn.exercises import source
from translearn.exercises.lesson06 import EPOCHS, discriminative, gradual

bank = Bank("06")

# --- examples_seen -------------------------------------------------------------------------------


@bank.alternative("examples_seen")
def stage_by_stage(pictures, stages):
    seen = 0
    for stage in stages:
        seen += stage[0] * pictures
    return seen


@bank.alternative("examples_seen")
def with_numpy(pictures, stages):
    return np.array([epochs for epochs, _ in stages]).sum() * float(pictures)


@bank.alternative("examples_seen")
def pictures_first(pictures, stages):
    epochs, _ = zip(*stages)
    return sum(pictures * each for each in epochs)


@bank.near_miss("examples_seen", "the whole recipe")
def the_first_stage(pictures, stages):
    return pictures * stages[0][0]


@bank.near_miss("examples_seen", "epochs of each stage")
def one_epoch_each(pictures, stages):
    return pictures * len(stages)


@bank.near_miss("examples_seen", "every stage looks at pictures, whatever learns in it")
def only_the_head(pictures, stages):
    return pictures * sum(epochs for epochs, learns in stages if learns == "head")


@bank.near_miss("examples_seen", "every stage, also one as long as another")
def stages_by_their_length(pictures, stages):
    return pictures * sum(dict(stages))


# --- distance ------------------------------------------------------------------------------------


@bank.alternative("distance")
def one_long_arrow(before, after):
    a, b = (np.concatenate([np.ravel(w) for w in weights]) for weights in (before, after))
    return np.linalg.norm(b - a) / np.linalg.norm(a)


@bank.alternative("distance")
def lengths_of_lengths(before, after):
    moved = [np.linalg.norm(b - a) for a, b in zip(before, after)]
    return np.float32(
        np.hypot.reduce(moved) / np.hypot.reduce([np.linalg.norm(a) for a in before])
    )


@bank.alternative("distance")
def root_of_the_ratio(before, after):
    moved = sum(np.sum(np.square(b - a)) for a, b in zip(before, after))
    return (moved / sum(np.vdot(a, a) for a in before)) ** 0.5


@bank.near_miss("distance", "all arrays")
def the_first_array(before, after):
    return np.linalg.norm(after[0] - before[0]) / np.linalg.norm(before[0])


@bank.near_miss("distance", "the length of the way")
def sizes_that_changed(before, after):
    sizes = [np.sqrt(sum((w**2).sum() for w in weights)) for weights in (before, after)]
    return abs(sizes[1] - sizes[0]) / sizes[0]


@bank.near_miss("distance", "the length")
def absolute_values(before, after):
    moved = sum(np.abs(b - a).sum() for a, b in zip(before, after))
    return moved / sum(np.abs(a).sum() for a in before)


@bank.near_miss("distance", "all arrays taken together")
def the_largest_share(before, after):
    return max(np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after))


@bank.near_miss("distance", "a share that may be above one")
def at_most_its_own_length(before, after):
    return min(1.0, one_long_arrow(before, after))


@bank.near_miss("distance", "a share of the length of `before`, not of the longer of the two")
def of_the_longer(before, after):
    lengths = [np.sqrt(sum((w**2).sum() for w in weights)) for weights in (before, after)]
    return one_long_arrow(before, after) * lengths[0] / max(lengths)


bank.refused("distance", lambda before, after: 0.0)

# --- forgotten -----------------------------------------------------------------------------------


@bank.alternative("forgotten")
def all_but_what_is_kept(before, after, chance):
    return 1 - (after - chance) / (before - chance)


@bank.alternative("forgotten")
def in_single_precision(before, after, chance):
    return np.float32(1.0 - np.divide(after - chance, before - chance))


@bank.alternative("forgotten")
def known_then_and_now(before, after, chance):
    then, now = before - chance, after - chance
    return [(then - now) / then]


@bank.near_miss("forgotten", "forgotten, not gained")
def the_sign(before, after, chance):
    return (after - before) / (before - chance)


@bank.near_miss("forgotten", "a task may also gain")
def never_below_zero(before, after, chance):
    return max(0.0, (before - after) / (before - chance))


@bank.near_miss("forgotten", "an old head may also do worse than a guess")
def never_above_one(before, after, chance):
    return min(1.0, (before - after) / (before - chance))


@bank.near_miss("forgotten", "a share of what it knew")
def of_what_is_known_now(before, after, chance):
    return (before - after) / max(after - chance, 1e-9)


@bank.near_miss("forgotten", "a share")
def in_per_cent(before, after, chance):
    return 100 * (before - after) / (before - chance)


# --- wakes_at ------------------------------------------------------------------------------------


@bank.alternative("wakes_at")
def the_next_one(recipe):
    return [
        next((epoch for epoch, rate in enumerate(column) if rate > 0), len(recipe))
        for column in recipe.T
    ]


@bank.alternative("wakes_at")
def epochs_before_the_first(recipe):
    return (np.maximum.accumulate(recipe, axis=0) == 0).sum(axis=0).astype("float32")


@bank.alternative("wakes_at")
def a_last_row_that_learns(recipe):
    return (np.vstack([recipe, np.ones((1, 4))]) > 0).argmax(axis=0)


@bank.near_miss("wakes_at", "the first epoch")
def the_last_epoch(recipe):
    learns = recipe > 0
    last = len(recipe) - 1 - learns[::-1].argmax(axis=0)
    return np.where(learns.any(axis=0), last, len(recipe))


@bank.near_miss("wakes_at", "a block that never learns gets the number of epochs")
def never_is_the_last_epoch(recipe):
    learns = recipe > 0
    return np.where(learns.any(axis=0), learns.argmax(axis=0), len(recipe) - 1)


@bank.near_miss("wakes_at", "four numbers")
def of_the_first_block(recipe):
    return (recipe[:, 0] > 0).argmax()


@bank.near_miss("wakes_at", "in which it learns, at whatever rate")
def at_the_full_rate(recipe):
    learns = recipe == recipe.max()
    return np.where(learns.any(axis=0), learns.argmax(axis=0), len(recipe))


@bank.near_miss("wakes_at", "the first epoch in which it learns, not the one of its largest rate")
def where_the_rate_is_largest(recipe):
    return np.where((recipe > 0).any(axis=0), recipe.argmax(axis=0), len(recipe))


bank.refused("wakes_at", lambda recipe: (recipe > 0).sum(axis=0))
bank.refused("wakes_at", lambda recipe: np.zeros(4))

# --- both ----------------------------------------------------------------------------------------


@bank.alternative("both")
def product(rate):
    return gradual(rate) * discriminative(1.0)


@bank.alternative("both")
def list_of_rows(rate):
    return [
        [rate / 2.6**block if epoch >= 5 * block else 0 for block in range(4)]
        for epoch in range(20)
    ]


@bank.alternative("both")
def block_by_block(rate):
    recipe = np.zeros((20, 4), "float32")
    for block in range(4):
        recipe[5 * block :, block] = rate / 2.6**block
    return recipe


@bank.near_miss("both", "the blocks wake up in turn as in `gradual`")
def one_epoch_late(rate):
    epoch, block = np.mgrid[:EPOCHS, :4]
    return np.where(epoch > 5 * block - (block == 0), discriminative(rate), 0.0)


@bank.near_miss("both", "its rate of `discriminative`")
def another_factor(rate):
    return gradual(rate) / 2.0 ** np.arange(4)


@bank.near_miss("both", "the head learns at `rate`")
def one_factor_too_many(rate):
    return np.where(gradual(1.0) > 0, discriminative(rate / 2.6), 0.0)


@bank.near_miss("both", "20 rows and 4 columns")
def turned(rate):
    return product(rate).T


bank.refused("both", lambda rate: gradual(rate) + discriminative(rate))

# --- wake ----------------------------------------------------------------------------------------

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@bank.alternative("wake")
def with_the_helper(model, rate):
    transfer.unfreeze(model, batch_norm=False)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    return model


@bank.alternative("wake")
def by_name(model, rate):
    for layer in model.get_layer("small_cnn").layers:
        layer.trainable = "bn" not in layer.name
    model.compile(keras.optimizers.Adam(learning_rate=rate), loss, metrics=["accuracy"])


@bank.alternative("wake")
def convolutions_alone(model, rate):
    for layer in model.get_layer("small_cnn").layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.trainable = True
    model.compile("adam", loss)
    model.optimizer.learning_rate = rate


@bank.alternative("wake")
def an_adam_for_each_block(model, rate):
    with_the_helper(model, rate)
    blocks = ("classifier", "block3", "block2", "block1")
    adams = {f".*{block}_.*": keras.optimizers.Adam(rate) for block in blocks}
    by_name = keras.optimizers.OptimizerMap(keras.optimizers.Adam(), adams)
    model.compile(keras.optimizers.MultiOptimizer(by_name), loss)


@bank.mistake("wake", "batch normalisation woke up")
def the_whole_backbone(model, rate):
    model.get_layer("small_cnn").trainable = True
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.mistake("wake", "still asleep")
def only_compiled(model, rate):
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.mistake("wake", "no compile")
def flags_and_rate(model, rate):
    transfer.unfreeze(model)
    model.optimizer.learning_rate = rate


@bank.mistake("wake", "another rate")
def the_default_rate(model, rate):
    transfer.unfreeze(model)
    model.compile("adam", loss)


@bank.mistake("wake", "another rate")
def a_rate_of_ones_own(model, rate):
    transfer.unfreeze(model)
    model.compile(keras.optimizers.Adam(1e-4), loss)


@bank.near_miss("wake", "every convolution")
def the_last_block(model, rate):
    transfer.unfreeze(model, from_block="block3")
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.near_miss("wake", "leave batch normalisation in inference mode")
def one_statistic_awake(model, rate):
    transfer.unfreeze(model)
    layers = model.get_layer("small_cnn").layers
    next(x for x in layers if isinstance(x, keras.layers.BatchNormalization)).trainable = True
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.near_miss("wake", "with Adam")
def with_sgd(model, rate):
    transfer.unfreeze(model)
    model.compile(keras.optimizers.SGD(rate), loss)


@bank.near_miss("wake", "with Adam, and not with a relative of it")
def with_adamw(model, rate):
    transfer.unfreeze(model)
    model.compile(keras.optimizers.AdamW(rate), loss)


@bank.near_miss("wake", "with Adam, without weight decay")
def with_decay(model, rate):
    transfer.unfreeze(model)
    model.compile(keras.optimizers.Adam(rate, weight_decay=0.1), loss)


@bank.near_miss("wake", "in inference mode, not only with statistics that stand still")
def statistics_held_still(model, rate):
    model.get_layer("small_cnn").trainable = True
    for layer in model.get_layer("small_cnn").layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 1.0
    model.compile(keras.optimizers.Adam(rate), loss)


@bank.near_miss("wake", "the head, trained as it is, goes on learning")
def the_head_anew(model, rate):
    with_the_helper(model, rate)
    head = model.get_layer("classifier_logits")
    head.set_weights([w[::-1] + 1 for w in head.get_weights()])


@bank.near_miss("wake", "from the next `fit` on, not at once")
def trained_at_once(model, rate):
    with_the_helper(model, rate)
    model.fit(np.zeros((8, 32, 32, 3)), np.zeros(8), verbose=0)


@bank.near_miss("wake", "from the next `fit` on, with the learning rate as it is")
def a_rate_that_falls(model, rate):
    transfer.unfreeze(model)
    falling = keras.optimizers.schedules.CosineDecay(rate, decay_steps=2)
    model.compile(keras.optimizers.Adam(falling), loss)


@bank.near_miss("wake", "at the learning rate `rate`")
def one_block_faster(model, rate):
    an_adam_for_each_block(model, rate)
    model.optimizer.optimizers[0].learning_rate = 10 * rate


@bank.near_miss("wake", "with `loss`")
def a_loss_without_logits(model, rate):
    transfer.unfreeze(model)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")


@bank.near_miss("wake", "the head goes on learning")
def the_head_frozen(model, rate):
    transfer.unfreeze(model)
    model.get_layer("classifier_logits").trainable = False
    model.compile(keras.optimizers.Adam(rate), loss)


# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def lesson_up_to_part_4():
    """What the lesson's own cells make, with one pretrained network instead of three."""
    text = next(paths.SOURCE.glob("06_*.md")).read_text(encoding="utf-8")
    start, space = text.index("## 4 · Measure it"), {}
    for found in source.CELL.finditer(text):
        cell = source.HEADER.sub("", found[2])
        untagged = not found[2].startswith(":tags:")
        if (untagged and found.start() < start) or "def guesses_of(" in cell:
            exec(re.sub(r"trange\(10 if .*? else 3", "trange(1", cell), space)
    names = ("new_task", "everything", "head_only", "head_first", "guesses_of")
    return {name: space[name] for name in names}  # no model: one set-up serves all answers


def falling(recipe):
    return np.cos(np.linspace(0, np.pi / 2, 20, endpoint=False))[:, None] * recipe


@bank.alternative("beat_it")
def a_pair_of_rates(given):
    return list(given.guesses_of(falling(np.tile([5e-2, 2e-3, 2e-3, 2e-3], (20, 1)))))


@bank.alternative("beat_it")
def head_first_alone(given):
    return given.guesses_of(given.head_first(3e-2))


@bank.alternative("beat_it")
def only_the_new_head(given):
    return given.guesses_of(falling(given.head_only(3e-2))).astype("float32")


bank.mistake("beat_it", "the answers themselves", lambda given: given.new_task.validation.labels)


@bank.mistake("beat_it", "on the training set")
def labels_of_the_fifty(given):
    return given.new_task.train.take(10, seed=0).labels


@bank.mistake("beat_it", "scores, not classes")
def five_columns(given):
    return np.zeros((len(given.new_task.validation), 5))


@bank.near_miss("beat_it", "better than *everything* at its best rate")
def the_baseline(given):
    return given.guesses_of(given.everything(1e-3))


@bank.near_miss("beat_it", "it takes two points")
def a_win_by_a_hair(given):
    guesses, right = the_baseline(given), given.new_task.validation.labels
    wrong = np.flatnonzero(guesses != right)[: len(right) // 100]  # one point
    guesses[wrong] = right[wrong]
    return guesses


@bank.near_miss("beat_it", "for the validation pictures")
def one_too_few(given):
    return given.guesses_of(given.head_first(3e-2))[:-1]


bank.refused("beat_it", lambda given: given.new_task.validation.labels * 0)
bank.refused("beat_it", lambda given: given.new_task.validation.labels + 0.5)
bank.refused("beat_it", lambda given: given.guesses_of(given.everything(1e-5)))
