"""Answers to the exercises of lesson 09."""

from collections import Counter
from statistics import median

import numpy as np
from bank import Bank
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from translearn import backbones, transfer
from translearn.exercises.lesson09 import drawn

bank = Bank("09")

# --- prepare -------------------------------------------------------------------------------------


@bank.alternative("prepare")
def channel_by_channel(images, mean):
    r, g, b = np.moveaxis(np.asarray(images, "float64"), -1, 0)
    return np.stack([b - mean[0], g - mean[1], r - mean[2]], axis=-1)


@bank.alternative("prepare")
def in_place(images, mean):
    out = np.array(images, dtype="float32")[:, :, :, [2, 1, 0]]
    out -= np.asarray(mean, "float32")
    return out


@bank.alternative("prepare")
def with_flip(images, mean):
    return np.flip(images - mean[::-1], axis=-1)


@bank.near_miss("prepare", "float")
def whole_numbers(images, mean):
    return images[..., ::-1].astype(int) - mean.astype(int)


@bank.near_miss("prepare", "minus the mean")
def turned_only(images, mean):
    return images[..., ::-1].astype("float32")


@bank.near_miss("prepare", "the mean that is given")
def their_own_mean(images, mean):
    turned = images[..., ::-1].astype("float32")
    return turned - turned.mean(axis=(0, 1, 2))


@bank.near_miss("prepare", "blue, green, red: not red in the middle")
def rolled(images, mean):
    return np.roll(images, 1, axis=-1).astype("float32") - mean


@bank.near_miss("prepare", "the mean stands in the order blue, green, red")
def mean_turned_too(images, mean):
    return images[..., ::-1].astype("float32") - mean[::-1]


@bank.near_miss("prepare", "n pictures")
def the_first_picture(images, mean):
    return images[0, ..., ::-1].astype("float32") - mean


# --- wide_layer ----------------------------------------------------------------------------------


@bank.alternative("wide_layer")
def five_times_halved(size):
    for _ in range(5):
        size = size // 2
    return (size * size * 512 + 1) * 1024


@bank.alternative("wide_layer")
def as_a_float(size):
    return float(1024 * (512 * int(size / 2**5) ** 2 + 1))


@bank.alternative("wide_layer")
def shapes_multiplied(size):
    return int(np.prod([size // 32, size // 32, 512, 1024])) + 1024


@bank.near_miss("wide_layer", "in the wide layer")
def the_whole_head(size):
    return five_times_halved(size) + 1024 * 2 + 2


@bank.near_miss("wide_layer", "biases: one for each unit")
def a_bias_for_each_channel(size):
    return (size // 32) ** 2 * 512 * 1024 + 512


@bank.near_miss("wide_layer", "512 channels")
def three_channels(size):
    return (size // 32) ** 2 * 3 * 1024 + 1024


@bank.near_miss("wide_layer", "`Dense(1024)`")
def a_thousand_units(size):
    return (size // 32) ** 2 * 512 * 1000 + 1000


bank.refused("wide_layer", lambda size: 25691136)

# --- knowing_nothing -----------------------------------------------------------------------------


@bank.alternative("knowing_nothing")
def from_the_recalls(labels, classes):
    most = max(range(classes), key=lambda k: (labels == k).sum())
    recalls = [float(k == most) for k in range(classes)]
    return [np.mean(labels == most), np.mean(recalls)]


@bank.alternative("knowing_nothing")
def with_a_counter(labels, classes):
    ((_, n),) = Counter(np.asarray(labels).tolist()).most_common(1)
    return np.array([n / len(labels), 1 / classes], "float32")


@bank.alternative("knowing_nothing")
def fitted(labels, classes):
    guesses = DummyClassifier(strategy="most_frequent").fit(labels, labels).predict(labels)
    return np.mean(guesses == labels), balanced_accuracy_score(labels, guesses)


@bank.near_miss("knowing_nothing", "the most frequent class, whichever it is")
def always_class_1(labels, classes):
    return np.mean(labels == 1), 1 / classes


@bank.near_miss("knowing_nothing", "the most frequent class, not the last")
def always_the_last(labels, classes):
    return np.mean(labels == classes - 1), 1 / classes


@bank.near_miss("knowing_nothing", "return both")
def the_accuracy_alone(labels, classes):
    return np.bincount(labels).max() / len(labels)


@bank.near_miss("knowing_nothing", "an accuracy is a share")
def in_per_cent(labels, classes):
    return 100 * np.bincount(labels).max() / len(labels), 100 / classes


@bank.near_miss("knowing_nothing", "balanced over all classes")
def always_a_half(labels, classes):
    return np.bincount(labels).max() / len(labels), 0.5


bank.refused("knowing_nothing", lambda labels, classes: (1.0, 0.0))

# --- moved_share ---------------------------------------------------------------------------------


@bank.alternative("moved_share")
def step_after_step(weight, rate, steps):
    return sum(rate for _ in range(steps)) / np.sqrt(weight**2)


@bank.alternative("moved_share")
def absolute_at_the_end(weight, rate, steps):
    return float(np.abs(rate * steps / weight))


@bank.alternative("moved_share")
def walked(weight, rate, steps):
    place = weight
    for _ in range(steps):
        place -= rate
    return [abs(place / weight - 1)]


@bank.near_miss("moved_share", "`steps` steps")
def one_step_less(weight, rate, steps):
    return rate * (steps - 1) / abs(weight)


@bank.near_miss("moved_share", "by what share: more than once its own size, too")
def no_more_than_all(weight, rate, steps):
    return min(1.0, rate * steps / abs(weight))


@bank.near_miss("moved_share", "a share")
def in_hundredths(weight, rate, steps):
    return 100 * rate * steps / abs(weight)


@bank.near_miss("moved_share", "of its own size, before it moved")
def of_the_new_size(weight, rate, steps):
    return rate * steps / abs(weight + rate * steps)


@bank.near_miss("moved_share", "in one direction")
def as_a_random_walk(weight, rate, steps):
    return rate * np.sqrt(steps) / abs(weight)


bank.refused("moved_share", lambda weight, rate, steps: 1.0)

# --- main_effect ---------------------------------------------------------------------------------


@bank.alternative("main_effect")
def mean_of_each(scores, switch):
    on = [v for s, v in scores.items() if s[switch]]
    off = [v for s, v in scores.items() if not s[switch]]
    return sum(on) / len(on) - sum(off) / len(off)


@bank.alternative("main_effect")
def with_signs(scores, switch):
    keys = list(scores)
    sign = np.array([1 if k[switch] == 1 else -1 for k in keys])
    return 2 * np.mean(sign * np.array([scores[k] for k in keys]))


@bank.alternative("main_effect")
def as_an_array(scores, switch):
    table = np.empty((2,) * len(next(iter(scores))))
    for key, score in scores.items():
        table[key] = score
    return np.diff(table, axis=switch).mean()


@bank.near_miss("main_effect", "the mean")
def the_median(scores, switch):
    pairs = [(s, s[:switch] + (1,) + s[switch + 1 :]) for s in scores if s[switch] == 0]
    return median(scores[on] - scores[off] for off, on in pairs)


@bank.near_miss("main_effect", "the switch is counted from 0")
def counted_from_1(scores, switch):
    return mean_of_each(scores, switch - 1)


@bank.near_miss("main_effect", "the keys say which switches are on")
def by_their_order(scores, switch):
    switches = len(next(iter(scores)))
    return mean_of_each(dict(zip(np.ndindex(*(2,) * switches), scores.values())), switch)


@bank.near_miss("main_effect", "pairs that differ in nothing but this switch")
def all_other_switches_too(scores, switch):
    on = [s for s in scores if s[switch]]
    return np.mean([scores[s] - scores[tuple(1 - k for k in s)] for s in on[: len(on) // 2]])


@bank.mistake("main_effect", "half of it")
def against_the_mean_of_all(scores, switch):
    on = [v for s, v in scores.items() if s[switch]]
    return np.mean(on) - np.mean(list(scores.values()))


@bank.near_miss("main_effect", "minus the score without it")
def with_it_alone(scores, switch):
    return np.mean([v for s, v in scores.items() if s[switch]])


# --- cover ---------------------------------------------------------------------------------------


@bank.alternative("cover")
def row_by_row(ask, image, patch, grey):
    before = float(ask(image[None])[0])
    out = []
    for y in range(0, image.shape[0], patch):
        row = []
        for x in range(0, image.shape[1], patch):
            copy = image.copy()
            copy[y : y + patch, x : x + patch] = grey
            row.append(before - float(ask(copy[None])[0]))
        out.append(row)
    return out


@bank.alternative("cover")
def with_masks(ask, image, patch, grey):
    rows, columns = image.shape[0] // patch, image.shape[1] // patch
    fall = np.empty((rows, columns))
    for y, x in np.ndindex(rows, columns):
        mask = np.zeros(image.shape[:2], bool)
        mask[y * patch : (y + 1) * patch, x * patch : (x + 1) * patch] = True
        fall[y, x] = ask(image[None])[0] - ask(np.where(mask[..., None], grey, image)[None])[0]
    return fall


@bank.alternative("cover")
def uncovered_again(ask, image, patch, grey):
    now, before = image.copy(), ask(image[None])[0]
    fall = np.zeros((len(image) // patch, len(image[0]) // patch))
    for y, x in np.ndindex(*fall.shape):
        place = now[y * patch : (y + 1) * patch, x * patch : (x + 1) * patch]
        kept = place.copy()
        place[...] = grey
        fall[y, x] = before - ask(now[None])[0]
        place[...] = kept
    return fall


def covering(ask, image, patch, grey, corner, step=1):
    """As `row_by_row`, with patches of another size or place."""
    fall = []
    for y in range(0, image.shape[0], patch):
        for x in range(0, image.shape[1], patch):
            copy = image.copy()
            copy[y : y + corner : step, x : x + corner : step] = grey
            fall.append(ask(image[None])[0] - ask(copy[None])[0])
    return np.reshape(fall, (image.shape[0] // patch, -1))


@bank.near_miss("cover", "`patch` by `patch` pixels")
def one_pixel_short(ask, image, patch, grey):
    return covering(ask, image, patch, grey, patch - 1)


@bank.near_miss("cover", "without overlap")
def overlapping(ask, image, patch, grey):
    return covering(ask, image, patch, grey, patch + 1)


@bank.near_miss("cover", "all of the patch")
def every_second_pixel(ask, image, patch, grey):
    return covering(ask, image, patch, grey, patch, step=2)


@bank.near_miss("cover", "in all channels")
def the_first_channel(ask, image, patch, grey):
    def ask_one(batch):
        copies = np.repeat(image[None], len(batch), axis=0)
        copies[..., 0] = batch[..., 0]
        return ask(copies)

    return row_by_row(ask_one, image, patch, grey)


@bank.near_miss("cover", "a table")
def a_row_of_them(ask, image, patch, grey):
    return np.ravel(row_by_row(ask, image, patch, grey))


@bank.near_miss("cover", "with the number `grey`")
def with_its_mean(ask, image, patch, grey):
    return row_by_row(ask, image, patch, image.mean())


@bank.near_miss("cover", "by how much")
def as_a_share(ask, image, patch, grey):
    return row_by_row(ask, image, patch, grey) / ask(image[None])[0]


@bank.refused("cover")
def nothing_falls(ask, image, patch, grey):
    return np.zeros((image.shape[0] // patch, image.shape[1] // patch))


# --- beat_it -------------------------------------------------------------------------------------

BLOCKS = [f"block{number}" for number in range(1, 6)]


@bank.given("beat_it")
def cells_and_features():
    body = backbones.load("vgg16", size=64)
    (images, labels), (asked, answers) = drawn("train", 120), drawn("validation", 200)
    by_block, asked_by_block = [
        transfer.cache_features(body, x, layers=BLOCKS, progress=False) for x in (images, asked)
    ]
    return {
        "labels": labels,
        "by_block": by_block,
        "asked_by_block": asked_by_block,
        "answers": answers,
    }


def chances(given, blocks, strength, **options):
    """The chances of both classes, (200, 2), after training on some blocks side by side."""
    x, asked = (
        np.concatenate([features[block] for block in blocks], axis=1)
        for features in (given.by_block, given.asked_by_block)
    )
    model = LogisticRegression(C=strength, max_iter=500, **options)
    return make_pipeline(StandardScaler(), model).fit(x, given.labels).predict_proba(asked)


def together(given, blocks, strength):
    """The sum of the chances that each block gives."""
    return sum(chances(given, [block], strength, class_weight="balanced") for block in blocks)


@bank.alternative("beat_it")
def three_blocks_vote(given):
    return together(given, ["block1", "block4", "block5"], 0.003).argmax(axis=1).tolist()


@bank.alternative("beat_it")
def three_others_vote(given):
    votes = together(given, ["block1", "block3", "block4"], 0.1)
    return np.where(votes[:, 1] > votes[:, 0], 1, 0)


@bank.alternative("beat_it")
def all_blocks_side_by_side(given):
    found = chances(given, BLOCKS, 0.001, class_weight="balanced")
    return found.argmax(axis=1).astype("float32")


bank.mistake("beat_it", "the answers themselves", lambda given: given.answers)
bank.mistake("beat_it", "on the training set", lambda given: given.labels)
bank.mistake("beat_it", "scores, not classes", lambda given: np.eye(2)[given.answers])


@bank.near_miss("beat_it", "better than the repaired recipe")
def the_last_block(given):
    return chances(given, ["block5"], 0.003).argmax(axis=1)


@bank.near_miss("beat_it", "by two points")
def by_a_little(given):
    return chances(given, ["block3"], 0.1).argmax(axis=1)


@bank.near_miss("beat_it", "one for each validation cell")
def one_cell_is_missing(given):
    return together(given, ["block1", "block4", "block5"], 0.003).argmax(axis=1)[:-1]


bank.refused("beat_it", lambda given: given.answers * 0)
bank.refused("beat_it", lambda given: given.answers + 0.5)
