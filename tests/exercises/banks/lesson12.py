"""Answers to the exercises of lesson 12."""

import keras
import numpy as np
from bank import Bank
from sklearn.metrics import recall_score

from translearn.exercises.lesson12 import NAMES, STEPS, clothes

bank = Bank("12")

# --- update_ratios -------------------------------------------------------------------------------


@bank.alternative("update_ratios")
def path_by_path(before, after):
    found = {}
    for path in before:
        size = np.sqrt(np.sum(before[path] ** 2))
        if size != 0:
            found[path] = np.sqrt(np.sum((before[path] - after[path]) ** 2)) / size
    return found


@bank.alternative("update_ratios")
def root_of_one_ratio(before, after):
    squares = {p: (np.vdot(w, w), np.vdot(after[p] - w, after[p] - w)) for p, w in before.items()}
    return {p: np.float32((moved / size) ** 0.5) for p, (size, moved) in squares.items() if size}


@bank.alternative("update_ratios")
def with_lists(before, after):
    ratios = []
    for path, w in sorted(before.items()):
        way = (after[path] - w).ravel()
        if np.any(w != 0):
            ratios.append((path, float(np.linalg.norm(way) / np.linalg.norm(w.ravel()))))
    return dict(ratios)


@bank.near_miss("update_ratios", "all weights that are not all zero: also those that stood still")
def only_what_moved(before, after):
    return {path: ratio for path, ratio in path_by_path(before, after).items() if ratio > 0}


@bank.near_miss("update_ratios", "the root of the sum of squares")
def absolute_values(before, after):
    return {p: np.abs(after[p] - w).sum() / np.abs(w).sum() for p, w in before.items() if w.any()}


@bank.near_miss("update_ratios", "a share of the size of the weights")
def weight_by_weight(before, after):
    return {p: np.mean(np.abs(after[p] / w - 1)) for p, w in before.items() if w.all()}


@bank.near_miss("update_ratios", "every array")
def kernels_only(before, after):
    return {p: r for p, r in path_by_path(before, after).items() if p.endswith("kernel")}


@bank.near_miss("update_ratios", "left out where *all* weights are zero")
def without_any_zero(before, after):
    return {p: r for p, r in path_by_path(before, after).items() if before[p].all()}


@bank.near_miss("update_ratios", "all numbers of an array, whatever its shape")
def the_largest_direction(before, after):
    return {
        p: np.linalg.norm((after[p] - w).reshape(len(w), -1), 2)
        / np.linalg.norm(w.reshape(len(w), -1), 2)
        for p, w in before.items()
        if w.any()
    }


@bank.near_miss("update_ratios", "a dictionary")
def without_paths(before, after):
    return list(path_by_path(before, after).values())


bank.refused("update_ratios", lambda before, after: {path: 0.0 for path in before})
bank.refused("update_ratios", lambda before, after: {})

# --- died ----------------------------------------------------------------------------------------


@bank.alternative("died")
def by_the_largest(before, after):
    first, last = (a.reshape(-1, a.shape[-1]).max(axis=0) for a in (before, after))
    return np.mean((first > 0) * (last == 0))


@bank.alternative("died")
def unit_by_unit(before, after):
    units = range(before.shape[-1])
    killed = [u for u in units if before[..., u].any() and not after[..., u].any()]
    return len(killed) / len(units)


@bank.alternative("died")
def with_sets(before, after):
    living = [set(np.nonzero(a)[-1].tolist()) for a in (before, after)]
    return [np.float32(len(living[0] - living[1]) / before.shape[-1])]


@bank.near_miss("died", "0 for every example, also where it hardly fires")
def hardly_ever(before, after):
    first, last = (a.reshape(-1, a.shape[-1]).max(axis=0) for a in (before, after))
    return np.mean((first >= 0.01) & (last < 0.01))


@bank.near_miss("died", "at every place")
def in_the_middle(before, after):
    first, last = (a[:, a.shape[1] // 2] if a.ndim > 2 else a for a in (before, after))
    return by_the_largest(first, last)


@bank.near_miss("died", "for every example")
def for_the_first_example(before, after):
    return by_the_largest(before[:1], after[:1])


@bank.near_miss("died", "fired before")
def fired_everywhere_before(before, after):
    axes = tuple(range(before.ndim - 1))
    return np.mean((before > 0).all(axis=axes) & (after == 0).all(axis=axes))


bank.refused("died", lambda before, after: 0.0)
bank.refused("died", lambda before, after: 100 * by_the_largest(before, after))

# --- where_it_waits ------------------------------------------------------------------------------


@bank.alternative("where_it_waits")
def with_spans(stamps):
    wait, work = np.diff(stamps[1:], axis=1).mean(axis=0)
    return [wait / (wait + work), 1 + min(wait, work) / max(wait, work)]


@bank.alternative("where_it_waits")
def row_after_row(stamps):
    wait = work = 0.0
    for number, (asked, came, done) in enumerate(stamps):
        if number:
            wait, work = wait + came - asked, work + done - came
    share = wait / (wait + work)
    return share, 1 / max(share, 1 - share)


@bank.alternative("where_it_waits")
def columns_added(stamps):
    asked, came, done = (column[1:].sum() for column in np.asarray(stamps).T)
    longer = came - asked if came - asked > done - came else done - came
    return np.array([(came - asked) / (done - asked), (done - asked) / longer])


@bank.near_miss("where_it_waits", "leave out the first step, not the last")
def without_the_last(stamps):
    return columns_added(np.r_[stamps[:1], stamps[:-1]])


@bank.near_miss("where_it_waits", "of the seconds, not of the middle step")
def of_the_median(stamps):
    wait, work = np.median(np.diff(stamps[1:], axis=1), axis=0)
    return wait / (wait + work), (wait + work) / max(wait, work)


@bank.near_miss("where_it_waits", "two numbers")
def the_share_alone(stamps):
    return columns_added(stamps)[0]


@bank.near_miss("where_it_waits", "the share first")
def the_times_first(stamps):
    return columns_added(stamps)[::-1]


@bank.near_miss("where_it_waits", "fetched while *others* are computed: over all steps")
def step_for_step(stamps):
    spans = np.diff(stamps[1:], axis=1)
    return spans[:, 0].sum() / spans.sum(), spans.sum() / spans.max(axis=1).sum()


@bank.near_miss("where_it_waits", "how many times as fast")
def seconds_saved(stamps):
    wait, work = np.diff(stamps[1:], axis=1).sum(axis=0)
    return wait / (wait + work), min(wait, work)


bank.refused("where_it_waits", lambda stamps: (0.5, 2.0))

# --- collapsed -----------------------------------------------------------------------------------


@bank.alternative("collapsed")
def with_sklearn(guesses, labels):
    recalls = recall_score(labels, guesses, labels=np.unique(labels), average=None)
    often = np.bincount(guesses).max() >= 0.95 * len(guesses)
    return bool(often and recalls.mean() - 0.05 <= 1 / len(recalls))


@bank.alternative("collapsed")
def counted(guesses, labels):
    right, there, said = {}, {}, {}
    for guess, label in zip(guesses, labels):
        there[label] = there.get(label, 0) + 1
        right[label] = right.get(label, 0) + (guess == label)
        said[guess] = said.get(guess, 0) + 1
    balanced = sum(right[c] / there[c] for c in there) / len(there)
    if 100 * max(said.values()) < 95 * len(guesses):
        return False
    return balanced <= 1 / len(there) + 0.05


@bank.alternative("collapsed")
def with_a_table(guesses, labels):
    classes = max(guesses.max(), labels.max()) + 1
    table = np.zeros((classes, classes))
    np.add.at(table, (labels, guesses), 1)
    there = table.sum(axis=1) > 0
    recalls = np.diag(table)[there] / table.sum(axis=1)[there]
    one_class = table.sum(axis=0).max() / table.sum() >= 0.95
    return np.logical_and(one_class, recalls.mean() <= 1 / there.sum() + 0.05)


def judged(guesses, labels, classes, chance, above=0.05, share=0.95):
    recalls = [np.mean(guesses[labels == c] == c) if c in labels else 0 for c in classes]
    often = np.bincount(guesses).max() / len(guesses) >= share
    return bool(often and np.mean(recalls) <= chance + above)


@bank.near_miss("collapsed", "classes that occur in the labels, not also those that are guessed")
def classes_that_are_guessed_too(guesses, labels):
    classes = np.union1d(guesses, labels)
    return judged(guesses, labels, classes, 1 / len(classes))


@bank.near_miss("collapsed", "classes that occur in the labels, not all up to the largest number")
def classes_up_to_the_largest(guesses, labels):
    classes = range(labels.max() + 1)
    return judged(guesses, labels, classes, 1 / len(classes))


@bank.near_miss("collapsed", "the mean over the classes that occur")
def macro_recall(guesses, labels):
    found = recall_score(labels, guesses, average="macro", zero_division=0)
    often = np.bincount(guesses).max() / len(guesses) >= 0.95
    return often and found <= 1 / len(np.unique(labels)) + 0.05


@bank.near_miss("collapsed", "0.05 above, not 5 per cent of it")
def five_per_cent_above(guesses, labels):
    classes = np.unique(labels)
    return judged(guesses, labels, classes, 1 / len(classes), above=0.05 / len(classes))


@bank.near_miss("collapsed", "0.05 above the chance, not on a scale from there to 1")
def adjusted(guesses, labels):
    classes = np.unique(labels)
    above = 0.05 * (1 - 1 / len(classes))
    return judged(guesses, labels, classes, 1 / len(classes), above)


@bank.near_miss("collapsed", "0.05 above, no more")
def further_above(guesses, labels):
    classes = np.unique(labels)
    return judged(guesses, labels, classes, 1 / len(classes), above=0.08)


@bank.near_miss("collapsed", "at least 95, not fewer")
def at_least_92(guesses, labels):
    classes = np.unique(labels)
    return judged(guesses, labels, classes, 1 / len(classes), share=0.92)


@bank.near_miss("collapsed", "at least 95 of 100")
def more_than_95(guesses, labels):
    return counted(guesses, labels) and np.bincount(guesses).max() / len(guesses) > 0.95


@bank.near_miss("collapsed", "95 of 100, not all")
def all_of_them(guesses, labels):
    return len(set(guesses)) == 1 and counted(guesses, labels)


@bank.near_miss("collapsed", "one class: any, not the most frequent label")
def the_frequent_class(guesses, labels):
    return counted(guesses, labels) and np.mean(guesses == np.bincount(labels).argmax()) >= 0.95


@bank.near_miss("collapsed", "at most 0.05 above")
def at_most_chance(guesses, labels):
    recalls = [np.mean(guesses[labels == c] == c) for c in np.unique(labels)]
    return counted(guesses, labels) and np.mean(recalls) <= 1 / len(recalls)


@bank.near_miss("collapsed", "the mean over the classes")
def every_other_class_missed(guesses, labels):
    recalls = [np.mean(guesses[labels == c] == c) for c in np.unique(labels)]
    share = np.bincount(guesses).max() / len(guesses)
    return share >= 0.95 and np.min(recalls) <= 0.05


@bank.near_miss("collapsed", "of the number of classes")
def above_a_half(guesses, labels):
    recalls = [np.mean(guesses[labels == c] == c) for c in np.unique(labels)]
    return np.bincount(guesses).max() / len(guesses) >= 0.95 and np.mean(recalls) <= 0.55


bank.refused("collapsed", lambda guesses, labels: True)
bank.refused("collapsed", lambda guesses, labels: False)

# --- leaked --------------------------------------------------------------------------------------


def as_bytes(pictures):
    if pictures.dtype != np.uint8:
        pictures = (pictures * 255 + 0.5).astype(np.uint8)
    return [bytes(picture.ravel().tolist()) for picture in pictures]


@bank.alternative("leaked")
def bytes_in_a_set(train, validation):
    known = {*as_bytes(train), *as_bytes(train[:, :, ::-1])}
    return {i for i, key in enumerate(as_bytes(validation)) if key in known}


@bank.alternative("leaked")
def by_distance(train, validation):
    def rows(pictures):
        scale = 255 if pictures.dtype == np.uint8 else 1
        return pictures.reshape(len(pictures), -1).astype(float) / scale

    both = np.concatenate([rows(train), rows(train[:, :, ::-1])])
    far = np.abs(rows(validation)[:, None] - both[None]).max(axis=2).min(axis=1)
    return np.flatnonzero(far < 1e-3)


@bank.alternative("leaked")
def pair_by_pair(train, validation):
    found = []
    for i in reversed(range(len(validation))):
        for picture in train:
            a = picture / 255 if picture.dtype.kind == "u" else picture
            b = validation[i] / 255 if validation.dtype.kind == "u" else validation[i]
            if np.allclose(a, b, atol=1e-4) or np.allclose(np.fliplr(a), b, atol=1e-4):
                found.append(i)
                break
    return found


@bank.near_miss("leaked", "positions, not a mask")
def a_mask(train, validation):
    return np.isin(np.arange(len(validation)), pair_by_pair(train, validation))


@bank.near_miss("leaked", "positions, not their number")
def how_many(train, validation):
    return len(pair_by_pair(train, validation))


@bank.near_miss("leaked", "positions, not the pictures")
def the_pictures(train, validation):
    return validation[pair_by_pair(train, validation)]


@bank.near_miss("leaked", "all of them, also those that are twice in validation")
def each_picture_once(train, validation):
    found = {as_bytes(validation)[i]: i for i in pair_by_pair(train, validation)}
    return list(found.values())


@bank.near_miss("leaked", "copies of *training* pictures")
def twice_in_validation(train, validation):
    new = as_bytes(validation)
    twice = {i for i, key in enumerate(new) if new.count(key) > 1}
    return sorted(twice | set(pair_by_pair(train, validation)))


@bank.near_miss("leaked", "left for right, not also upside down")
def turned_by_half(train, validation):
    known = set(as_bytes(train)) | set(as_bytes(train[:, :, ::-1])) | set(as_bytes(train[:, ::-1]))
    return [i for i, key in enumerate(as_bytes(validation)) if key in known]


@bank.near_miss("leaked", "the mirror image, with its colours as they are")
def all_turned_round(train, validation):
    known = {*as_bytes(train), *as_bytes(train[:, :, ::-1]), *as_bytes(train[..., ::-1])}
    return [i for i, key in enumerate(as_bytes(validation)) if key in known]


@bank.near_miss("leaked", "the same picture, not only most of it")
def most_of_it(train, validation):
    def same(a, b):
        return np.mean([x == y for x, y in zip(a, b)]) > 0.5

    known = as_bytes(train) + as_bytes(train[:, :, ::-1])
    return [i for i, key in enumerate(as_bytes(validation)) if any(same(key, k) for k in known)]


@bank.near_miss("leaked", "the same picture, in all of its channels")
def in_the_first_channel(train, validation):
    return bytes_in_a_set(train[..., :1], validation[..., :1])


@bank.near_miss("leaked", "the same picture, not one of the same brightness")
def by_the_mean(train, validation):
    def mean(pictures):
        return pictures.mean(axis=(1, 2, 3)) / (255 if pictures.dtype == np.uint8 else 1)

    return np.flatnonzero(np.abs(mean(validation)[:, None] - mean(train)).min(axis=1) < 1e-4)


bank.refused("leaked", lambda train, validation: [])
bank.refused("leaked", lambda train, validation: range(len(validation)))

# --- company -------------------------------------------------------------------------------------


@bank.alternative("company")
def one_after_the_other(predict, pictures):
    largest = 0.0
    for together, picture in zip(predict(pictures), pictures):
        largest = max(largest, *np.abs(together - predict(picture[None])[0]))
    return largest


@bank.alternative("company")
def with_vstack(predict, pictures):
    alone = np.vstack([predict(np.expand_dims(picture, 0)) for picture in pictures])
    return np.max(np.abs(alone - predict(pictures)))


@bank.alternative("company")
def with_a_norm(predict, pictures):
    singles = np.split(pictures, len(pictures))
    change = predict(pictures) - np.array([predict(each)[0] for each in singles])
    return np.linalg.norm(change.ravel(), np.inf)


@bank.near_miss("company", "each alone")
def by_halves(predict, pictures):
    half = len(pictures) // 2
    parts = [predict(part) for part in (pictures[:half], pictures[half:]) if len(part)]
    return np.abs(predict(pictures) - np.concatenate(parts)).max()


@bank.near_miss("company", "for all pictures at once")
def by_twos(predict, pictures):
    single = [predict(pictures[i : i + 1]) for i in range(len(pictures))]
    pairs = [predict(pictures[i : i + 2])[:1] for i in range(len(pictures))]
    return np.abs(np.concatenate(pairs) - np.concatenate(single)).max()


@bank.near_miss("company", "of any number")
def of_the_first_number(predict, pictures):
    single = np.concatenate([predict(p[None]) for p in pictures])
    return np.abs(predict(pictures) - single)[:, 0].max()


@bank.near_miss("company", "the change of a number, not of a whole answer")
def length_of_the_change(predict, pictures):
    single = np.concatenate([predict(p[None]) for p in pictures])
    return np.linalg.norm(predict(pictures) - single, axis=1).max()


@bank.near_miss("company", "the change, not a share of the answer")
def relative(predict, pictures):
    single = np.concatenate([predict(p[None]) for p in pictures])
    return (np.abs(predict(pictures) - single) / (np.abs(single) + 1)).max()


bank.refused("company", lambda predict, pictures: 1.0)
bank.refused("company", lambda predict, pictures: one_after_the_other(predict, pictures) > 1e-6)

# --- really_sick ---------------------------------------------------------------------------------


@bank.alternative("really_sick")
def of_a_thousand(recall, false_alarms, share):
    sick = 1000 * share
    found, accused = sick * recall, (1000 - sick) * false_alarms
    return found / (found + accused)


@bank.alternative("really_sick")
def with_odds(recall, false_alarms, share):
    against = false_alarms * (1 - share) / (recall * share)
    return 1 / (1 + against)


@bank.alternative("really_sick")
def what_is_left(recall, false_alarms, share):
    said = recall * share + false_alarms - false_alarms * share
    return [1 - false_alarms * (1 - share) / said]


@bank.near_miss("really_sick", "of the reported runs")
def of_the_silent_ones(recall, false_alarms, share):
    missed, spared = share * (1 - recall), (1 - share) * (1 - false_alarms)
    return missed / (missed + spared)


@bank.near_miss("really_sick", "the recall counts")
def all_sick_ones_found(recall, false_alarms, share):
    return share / (share + (1 - share) * false_alarms)


@bank.near_miss("really_sick", "a probability, not odds")
def the_odds(recall, false_alarms, share):
    return share * recall / max((1 - share) * false_alarms, 1e-9)


bank.refused("really_sick", lambda recall, false_alarms, share: share)

# --- triage --------------------------------------------------------------------------------------


@bank.alternative("triage")
def by_the_accuracies(curves):
    seen, new = curves["accuracy"], curves["val_accuracy"]
    if new[-1] < 0.5 and new[-1] >= max(new) - 0.02:
        return "rate too low"
    if new[-1] - seen[-1] > 0.18:
        return "wrong labels"
    if seen[-1] > new[-1] + 0.1:
        return "overfitting"
    return "rate too high" if seen[-1] < 0.85 else "healthy"


@bank.alternative("triage")
def by_the_losses(curves):
    loss, new = np.array(curves["loss"]), np.array(curves["val_loss"])
    falling = np.polyfit(range(len(loss)), loss, 1)[0] < 0
    if loss[-1] / loss[0] > 0.85 and falling:
        return np.str_("rate too low")
    if new[-1] < 0.7 * loss[-1] and loss[-1] > 1.2:
        return "wrong labels"
    if new[-1] > 2 * loss[-1]:
        return "overfitting"
    return "healthy" if loss[-1] < 0.5 else "rate too high"


@bank.alternative("triage")
def by_the_nearest(curves):
    ends = np.array([curves[name][-1] for name in ("accuracy", "val_accuracy", "loss")])
    faces = {
        "healthy": (0.9, 0.9, 0.3),
        "overfitting": (1.0, 0.77, 0.0),
        "wrong labels": (0.55, 0.85, 1.7),
        "rate too low": (0.2, 0.3, 2.2),
        "rate too high": (0.73, 0.82, 0.9),
    }
    return min(faces, key=lambda name: np.abs(ends - faces[name]).sum())


@bank.mistake("triage", "one name for all")
def never_an_alarm(curves):
    return "healthy"


@bank.mistake("triage", "one name for all")
def thresholds_of_another_scale(curves):
    return "rate too high" if max(curves["loss"]) > 100 else "overfitting"


@bank.mistake("triage", "blind to one")
def overfitting_is_no_illness(curves):
    said = by_the_accuracies(curves)
    return "healthy" if said == "overfitting" else said


@bank.mistake("triage", "blind to one")
def labels_are_always_right(curves):
    said = by_the_accuracies(curves)
    return "rate too high" if said == "wrong labels" else said


@bank.mistake("triage", "false alarms")
def any_gap_is_overfitting(curves):
    said = by_the_accuracies(curves)
    return "rate too high" if said == "healthy" else said


@bank.near_miss("triage", "twenty of twenty-five")
def without_two_of_the_names(curves):
    said = by_the_accuracies(curves)
    return "overfitting" if said in ("wrong labels", "rate too high") else said


@bank.near_miss("triage", "at most one of the healthy ones called sick")
def healthy_by_a_hair(curves):
    said = by_the_accuracies(curves)
    ends = [round(1000 * value) for value in curves["val_loss"][-2:]]
    return "overfitting" if said == "healthy" and sum(ends) % 10 < 9 else said


@bank.near_miss("triage", "one of the names")
def in_other_words(curves):
    return by_the_accuracies(curves).capitalize()


@bank.near_miss("triage", "one name")
def a_list_of_findings(curves):
    return [by_the_accuracies(curves)]


bank.refused("triage", lambda curves: NAMES[len(str(curves)) % 5])

# --- mend ----------------------------------------------------------------------------------------


def sums_to_one(model, x):
    outputs = keras.ops.convert_to_numpy(model(x))
    return bool((outputs >= 0).all()) and float(np.abs(outputs.sum(axis=1) - 1).max()) < 1e-3


def same_again(optimiser):
    return type(optimiser).from_config(optimiser.get_config())


def cross_entropy(from_logits):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)


@bank.alternative("mend")
def from_its_configuration(model, x):
    model.compile(same_again(model.optimizer), cross_entropy(not sums_to_one(model, x)))


@bank.alternative("mend")
def with_accuracy_too(model, x):
    answers = model.predict(x, verbose=0)
    if np.allclose(answers.sum(axis=-1), np.ones(len(x)), atol=1e-4):
        loss = "sparse_categorical_crossentropy"
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimiser = keras.optimizers.get(type(model.optimizer).__name__)
    optimiser.learning_rate = model.optimizer.learning_rate.numpy()
    model.compile(optimizer=optimiser, loss=loss, metrics=["accuracy"])


@bank.alternative("mend")
def with_a_function(model, x):
    given = sums_to_one(model, x)

    def loss(labels, outputs):
        return keras.ops.sparse_categorical_crossentropy(labels, outputs, from_logits=not given)

    model.compile(optimizer=same_again(model.optimizer), loss=loss)
    return model


@bank.mistake("mend", "no compile")
def only_where_the_loss_is_wrong(model, x):
    shares = sums_to_one(model, x)
    if model.loss.from_logits == shares:
        model.compile(same_again(model.optimizer), cross_entropy(not shares))


@bank.mistake("mend", "nothing changed")
def left_as_it_came(model, x):
    sums_to_one(model, x)


@bank.mistake("mend", "nothing changed")
def compiled_as_it_was(model, x):
    model.compile(same_again(model.optimizer), model.loss)


@bank.mistake("mend", "logits for all")
def always_logits(model, x):
    model.compile(same_again(model.optimizer), cross_entropy(True))


@bank.mistake("mend", "probabilities for all")
def always_probabilities(model, x):
    model.compile(same_again(model.optimizer), "sparse_categorical_crossentropy")


@bank.mistake("mend", "the wrong way round")
def exchanged(model, x):
    model.compile(same_again(model.optimizer), cross_entropy(sums_to_one(model, x)))


@bank.mistake("mend", "the rate is forgotten")
def a_new_optimiser_of_the_kind(model, x):
    model.compile(type(model.optimizer)(), cross_entropy(not sums_to_one(model, x)))


@bank.mistake("mend", "the old optimiser")
def with_the_old_optimiser(model, x):
    model.compile(model.optimizer, cross_entropy(not sums_to_one(model, x)))


@bank.near_miss("mend", "the same kind of optimiser")
def always_adam(model, x):
    rate = float(model.optimizer.learning_rate.numpy())
    model.compile(keras.optimizers.Adam(rate), cross_entropy(not sums_to_one(model, x)))


@bank.near_miss("mend", "the same rate")
def a_tenth_of_the_rate(model, x):
    from_its_configuration(model, x)
    model.optimizer.learning_rate = model.optimizer.learning_rate.numpy() / 10


@bank.near_miss("mend", "the flags stay as they are")
def all_unfrozen(model, x):
    for layer in model.layers:
        layer.trainable = True
    from_its_configuration(model, x)


@bank.near_miss("mend", "the weights stay as they are")
def tried_at_once(model, x):
    from_its_configuration(model, x)
    model.fit(x, np.zeros(len(x), int), verbose=0)


@bank.near_miss("mend", "in place")
def a_copy(model, x):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile(same_again(model.optimizer), cross_entropy(not sums_to_one(model, x)))
    return copy


@bank.near_miss("mend", "what the outputs are, not how the last layer is written")
def by_the_activation(model, x):
    activation = getattr(model.layers[-1], "activation", None)
    shares = activation is keras.activations.softmax
    model.compile(same_again(model.optimizer), cross_entropy(not shares))


@bank.near_miss("mend", "logits or probabilities: those add up to 1")
def from_0_to_1(model, x):
    outputs = np.asarray(model(x))
    shares = outputs.min() >= 0 and outputs.max() <= 1
    model.compile(same_again(model.optimizer), cross_entropy(not shares))


@bank.near_miss("mend", "for class numbers")
def for_rows_of_shares(model, x):
    loss = keras.losses.CategoricalCrossentropy(from_logits=not sums_to_one(model, x))
    model.compile(same_again(model.optimizer), loss)


# --- beat_it -------------------------------------------------------------------------------------


def network(*first, units=64, **last):
    layers = [keras.Input((14, 14, 1)), *first, keras.layers.Flatten()]
    return keras.Sequential(
        [*layers, keras.layers.Dense(units, "relu"), keras.layers.Dense(10, **last)]
    )


def scaled(**how):
    return network(keras.layers.Rescaling(1 / 255), **how)


def falling(rate):
    return keras.optimizers.schedules.PolynomialDecay(rate, STEPS, 0.0)


@bank.alternative("beat_it")
def adam_with_a_line():
    model = scaled()
    model.compile(keras.optimizers.Adam(falling(1e-2)), cross_entropy(True))
    return model


@bank.alternative("beat_it")
def momentum_and_probabilities():
    model = scaled(activation="softmax")
    optimiser = keras.optimizers.SGD(falling(0.1), momentum=0.9, nesterov=True)
    model.compile(optimiser, "sparse_categorical_crossentropy")
    return model


@bank.alternative("beat_it")
def standardised_and_averaged():
    pixels = keras.Input((14, 14, 1))
    flat = keras.layers.Flatten()((pixels - 73.0) / 90.0)
    hidden = keras.layers.Dense(70, "gelu", kernel_initializer="he_normal")(flat)
    model = keras.Model(pixels, keras.layers.Dense(10)(hidden))
    optimiser = keras.optimizers.AdamW(falling(8e-3), weight_decay=1e-3)
    model.compile(optimiser, cross_entropy(True), metrics=["accuracy"])
    return model


@bank.mistake("beat_it", "still sick")
def only_the_scale():
    model = scaled()
    model.compile(keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy")
    return model


@bank.mistake("beat_it", "still sick")
def only_the_loss():
    model = network()
    model.compile(keras.optimizers.SGD(0.2), cross_entropy(True))
    return model


@bank.mistake("beat_it", "out of budget")
def wider():
    model = scaled(units=400)
    model.compile(keras.optimizers.Adam(falling(1e-2)), cross_entropy(True))
    return model


@bank.mistake("beat_it", "trained before the clock")
def a_head_start():
    model = adam_with_a_line()
    (pictures, labels), _ = clothes()
    model.fit(pictures[:1500], labels[:1500], verbose=0)
    return model


class Knowing(keras.Model):
    """Looks the validation pictures up, once it has been trained."""

    def __init__(self):
        super().__init__()
        self.flat, self.dense = keras.layers.Flatten(), keras.layers.Dense(10)

    def call(self, pictures, training=None):
        learned = self.dense(self.flat(pictures / 255.0))
        if training or not int(self.optimizer.iterations):
            return learned
        asked, labels = clothes()[1]
        known = {picture.tobytes(): label for picture, label in zip(asked, labels)}
        return np.eye(10)[[known[np.asarray(picture).tobytes()] for picture in pictures]]


@bank.mistake("beat_it", "the answers themselves")
def knows_the_answers():
    model = Knowing()
    model.compile(keras.optimizers.Adam(falling(1e-2)), cross_entropy(True))
    return model


@bank.mistake("beat_it", "one model for all runs")
def always_the_same():
    if not SAME:
        SAME.append(adam_with_a_line())
    return SAME[0]


SAME = []


@bank.near_miss("beat_it", "better than the mended one")
def mended_and_no_more():
    model = scaled()
    model.compile(keras.optimizers.SGD(0.03), cross_entropy(True))
    return model


@bank.near_miss("beat_it", "compiled")
def not_compiled():
    return scaled()


@bank.near_miss("beat_it", "ten classes")
def one_answer():
    model = keras.Sequential([keras.Input((14, 14, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    return model


@bank.near_miss("beat_it", "150 steps, by the rules of Keras")
def with_a_step_of_its_own():
    model = TwoSteps([keras.Input((14, 14, 1)), keras.layers.Rescaling(1 / 255)])
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(10))
    model.compile(keras.optimizers.Adam(5e-3), cross_entropy(True))
    return model


class TwoSteps(keras.Sequential):
    def train_step(self, data):
        super().train_step(data)
        return super().train_step(data)


@bank.near_miss("beat_it", "a model")
def a_pair():
    return adam_with_a_line(), "adam"


@bank.near_miss("beat_it", "takes the raw pixels")
def for_flat_pictures():
    model = keras.Sequential([keras.Input((196,)), keras.layers.Dense(10)])
    model.compile("adam", cross_entropy(True))
    return model
