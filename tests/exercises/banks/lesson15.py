"""Answers to the exercises of lesson 15."""

import functools
import math

import keras
import numpy as np
from bank import Bank
from PIL import Image, ImageOps
from scipy.stats import binomtest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from translearn import backbones, transfer
from translearn.exercises import lesson15

bank = Bank("15")

# --- padded --------------------------------------------------------------------------------------


@bank.alternative("padded")
def by_numpys_pad(picture):
    height, width = picture.shape[:2]
    side = max(height, width)
    rows, columns = side - height, side - width
    around = [(rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0)]
    return np.pad(picture, around, constant_values=255)


@bank.alternative("padded")
def one_pixel_after_another(picture):
    height, width, channels = picture.shape
    side = max(height, width)
    square = 255 * np.ones((side, side, channels))
    for row in range(height):
        for column in range(width):
            square[row + (side - height) // 2, column + (side - width) // 2] = picture[row, column]
    return square


@bank.alternative("padded")
def joined_from_strips(picture):
    def widened(rows):
        height, width, channels = rows.shape
        free = max(0, height - width)
        strips = [np.full((height, n, channels), 255, "uint8") for n in (free // 2, -(-free // 2))]
        return np.hstack([strips[0], rows, strips[1]])

    return widened(widened(picture).transpose(1, 0, 2)).transpose(1, 0, 2)


@bank.near_miss("padded", "white")
def nearly_white(picture):
    return lesson15.laid_on(picture, 254)


@bank.near_miss("padded", "a square as large as the longer side")
def two_more_rows_around(picture):
    return np.pad(by_numpys_pad(picture), [(1, 1), (1, 1), (0, 0)], constant_values=255)


@bank.near_miss("padded", "the extra one below or to the right: below")
def the_odd_row_above(picture):
    square = by_numpys_pad(picture)
    odd = (len(square) - len(picture)) % 2
    return np.roll(square, odd, axis=0)


@bank.near_miss("padded", "the extra one below or to the right: to the right")
def the_odd_column_at_the_left(picture):
    square = by_numpys_pad(picture)
    odd = (square.shape[1] - picture.shape[1]) % 2
    return np.roll(square, odd, axis=1)


@bank.near_miss("padded", "of any number of channels")
def only_one_channel(picture):
    return by_numpys_pad(picture)[..., 0]


bank.refused("padded", lambda picture: picture)

# --- average_hash --------------------------------------------------------------------------------


@bank.alternative("average_hash")
def tile_by_tile(picture):
    tile = len(picture) // 8
    means = [
        picture[tile * row : tile * row + tile, tile * column : tile * column + tile].mean()
        for row in range(8)
        for column in range(8)
    ]
    return [mean > sum(means) / 64 for mean in means]


@bank.alternative("average_hash")
def shrunk_by_pillow(picture):
    tile = len(picture) // 8
    small = Image.fromarray(picture.astype("float32")).reduce(tile)
    small = np.asarray(small, float).round(4)
    return (small > small.mean().round(4)).flatten()


@bank.alternative("average_hash")
def by_sums(picture):
    blocks = np.array([np.split(rows, 8, axis=1) for rows in np.split(picture, 8)])
    sums = blocks.astype(int).sum(axis=(2, 3)).ravel()
    return 64 * sums > sums.sum()


@bank.near_miss("average_hash", "brighter than the mean, not as bright")
def not_darker(picture):
    means = lesson15.tiles(picture)
    return (means >= means.mean()).ravel()


@bank.near_miss("average_hash", "the means of the tiles, not rounded")
def whole_numbers(picture):
    means = lesson15.tiles(picture).astype("uint8")
    return (means > means.mean()).ravel()


@bank.near_miss("average_hash", "8 × 8 tiles")
def four_by_four(picture):
    tile = len(picture) // 4
    means = picture.reshape(4, tile, 4, tile).mean(axis=(1, 3))
    return (means > means.mean()).ravel()


@bank.near_miss("average_hash", "in one row")
def as_a_square(picture):
    means = lesson15.tiles(picture)
    return means > means.mean()


# --- may_stay ------------------------------------------------------------------------------------


@bank.alternative("may_stay")
def picture_by_picture(train, test, most):
    return [all(np.count_nonzero(one ^ other) > most for other in test) for one in train]


@bank.alternative("may_stay")
def by_products(train, test, most):
    signs, others = 2 * train.astype(int) - 1, 2 * test.astype(int) - 1
    different = (64 - signs @ others.T) // 2
    return ~(different <= most).any(axis=1)


@bank.alternative("may_stay")
def test_after_test(train, test, most):
    stays = np.ones(len(train), bool)
    for other in test:
        stays &= np.logical_xor(train, other).sum(axis=1) > most
    return stays


@bank.near_miss("may_stay", "in `most` bits or fewer")
def one_bit_more(train, test, most):
    return lesson15.apart(train, test).min(axis=1) > most + 1


@bank.near_miss("may_stay", "from every test picture")
def only_the_first_test_picture(train, test, most):
    return lesson15.apart(train, test)[:, 0] > most


@bank.near_miss("may_stay", "True or False for each")
def the_rows(train, test, most):
    return np.flatnonzero(lesson15.apart(train, test).min(axis=1) > most)


# --- stratified ----------------------------------------------------------------------------------


@bank.alternative("stratified")
def by_scikit_learn(labels, count):
    folds = np.empty(len(labels), int)
    splitter = StratifiedKFold(count, shuffle=True, random_state=3)
    for fold, (_, asked) in enumerate(splitter.split(labels, labels)):
        folds[asked] = fold
    return folds


@bank.alternative("stratified")
def dealt_like_cards(labels, count):
    dealt, folds = {}, []
    for label in labels.tolist():
        folds.append(dealt.get(label, 0) % count)
        dealt[label] = dealt.get(label, 0) + 1
    return folds


@bank.alternative("stratified")
def dealt_on_from_class_to_class(labels, count):
    folds = np.empty(len(labels), int)
    folds[np.argsort(labels, kind="stable")] = np.arange(len(labels)) % count
    return folds


@bank.alternative("stratified")
def dealt_at_random(labels, count):
    draw, folds = np.random.default_rng(), np.zeros(len(labels))
    for label in set(labels):
        rows = draw.permutation(np.flatnonzero(labels == label))
        for fold in range(count):
            folds[rows[fold::count]] = fold
    return folds


@bank.mistake("stratified", "by position")
def in_turns(labels, count):
    return np.arange(len(labels)) % count


@bank.mistake("stratified", "in blocks")
def cut_into_blocks(labels, count):
    return np.concatenate(
        [np.full(len(part), fold) for fold, part in enumerate(np.array_split(labels, count))]
    )


@bank.mistake("stratified", "from 1")
def counted_from_one(labels, count):
    return np.array(dealt_like_cards(labels, count)) + 1


@bank.near_miss("stratified", "each class as evenly as possible")
def at_random(labels, count):
    return np.random.default_rng(0).integers(0, count, len(labels))


@bank.near_miss("stratified", "folds of equal size are not enough")
def shuffled_positions(labels, count):
    return np.random.default_rng(1).permutation(len(labels)) % count


@bank.near_miss("stratified", "numbers from 0 to count − 1")
def one_fold_too_many(labels, count):
    return dealt_like_cards(labels, count + 1)


@bank.near_miss("stratified", "one number for each picture")
def lists_of_rows(labels, count):
    folds = np.array(dealt_like_cards(labels, count))
    return [np.flatnonzero(folds == fold).tolist() for fold in range(count)]


# --- interval ------------------------------------------------------------------------------------


@bank.alternative("interval")
def from_scipy(hits, asked):
    found = binomtest(hits, asked).proportion_ci(0.95, method="wilson")
    return found.low, found.high


@bank.alternative("interval")
def as_roots_of_a_quadratic(hits, asked):
    share, z = hits / asked, 1.96
    ends = np.roots([1 + z**2 / asked, -(2 * share + z**2 / asked), share**2])
    return sorted(ends.real)


@bank.alternative("interval")
def in_whole_pictures(hits, asked):
    z = 1.96
    misses = asked - hits
    half = z * math.sqrt(hits * misses / asked + z * z / 4)
    return np.array([hits + z * z / 2 - half, hits + z * z / 2 + half]) / (asked + z * z)


@bank.near_miss("interval", "half the width on either side")
def twice_as_wide(hits, asked):
    low, high = lesson15.wilson(hits, asked)
    middle = (low + high) / 2
    return middle - (high - low), middle + (high - low)


@bank.near_miss("interval", "the middle of the formula, not the share")
def around_the_share(hits, asked):
    low, high = lesson15.wilson(hits, asked)
    return hits / asked - (high - low) / 2, hits / asked + (high - low) / 2


@bank.near_miss("interval", "95 %")
def ninety_nine(hits, asked):
    return lesson15.wilson(hits, asked, 2.576)


# --- balanced ------------------------------------------------------------------------------------


def one_row_a_picture(confusion):
    truth, guess = np.indices(confusion.shape)
    return np.repeat(truth.ravel(), confusion.ravel()), np.repeat(guess.ravel(), confusion.ravel())


@bank.alternative("balanced")
def class_by_class(confusion):
    recalls = [row[k] / sum(row) for k, row in enumerate(confusion.tolist()) if sum(row)]
    return sum(recalls) / len(recalls)


@bank.alternative("balanced")
def by_scikit_learns_own(confusion):
    truth, guesses = one_row_a_picture(confusion)
    return recall_score(truth, guesses, average="macro", labels=np.unique(truth))


@bank.alternative("balanced")
def with_nan(confusion):
    with np.errstate(invalid="ignore"):
        return np.nanmean(np.diag(confusion) / confusion.sum(axis=1))


@bank.alternative("balanced")
def through_the_pictures(confusion):
    truth, guesses = one_row_a_picture(confusion)
    weights = 1 / np.bincount(truth, minlength=len(confusion)).clip(1)[truth]
    return np.average(truth == guesses, weights=weights)


@bank.near_miss("balanced", "the mean over the classes")
def the_median(confusion):
    rows = confusion[confusion.sum(axis=1) > 0]
    return np.median(np.diag(confusion)[confusion.sum(axis=1) > 0] / rows.sum(axis=1))


@bank.near_miss("balanced", "the mean, not the worst")
def the_worst_class(confusion):
    there = confusion.sum(axis=1) > 0
    return (np.diag(confusion)[there] / confusion[there].sum(axis=1)).min()


@bank.near_miss("balanced", "a class without pictures is left out")
def an_empty_class_is_right(confusion):
    totals = confusion.sum(axis=1)
    return np.mean(np.where(totals > 0, np.diag(confusion) / totals.clip(1), 1))


# --- worst_mistakes ------------------------------------------------------------------------------


@bank.alternative("worst_mistakes")
def in_a_sorted_list(probabilities, labels, many):
    wrong = [
        (max(row), at)
        for at, (row, label) in enumerate(zip(probabilities.tolist(), labels))
        if row.index(max(row)) != label
    ]
    return [at for _, at in sorted(wrong, reverse=True)[:many]]


@bank.alternative("worst_mistakes")
def with_the_right_ones_at_the_end(probabilities, labels, many):
    wrong = probabilities.argmax(axis=1) != labels
    order = np.argsort(np.where(wrong, -probabilities.max(axis=1), 1), kind="stable")
    return order[: min(many, wrong.sum())]


@bank.alternative("worst_mistakes")
def one_after_the_other(probabilities, labels, many):
    left = {
        row: probabilities[row].max()
        for row in range(len(labels))
        if np.argmax(probabilities[row]) != labels[row]
    }
    found = []
    while left and len(found) < many:
        found.append(max(left, key=left.get))
        del left[found[-1]]
    return np.array(found, dtype=int)


@bank.near_miss("worst_mistakes", "the surest, not the first of all mistakes")
def in_the_order_of_the_pictures(probabilities, labels, many):
    return lesson15.wrong_rows(probabilities, labels)[:many]


@bank.near_miss("worst_mistakes", "in order")
def the_right_set_sorted(probabilities, labels, many):
    return np.sort(in_a_sorted_list(probabilities, labels, many))


@bank.near_miss("worst_mistakes", "as many as `many`")
def one_less(probabilities, labels, many):
    return in_a_sorted_list(probabilities, labels, many - 1)


@bank.near_miss("worst_mistakes", "by the probability of the guess")
def by_the_lead(probabilities, labels, many):
    wrong = lesson15.wrong_rows(probabilities, labels)
    best = np.sort(probabilities[wrong], axis=1)
    return wrong[np.argsort(best[:, -2] - best[:, -1])][:many]


# --- answerable ----------------------------------------------------------------------------------


@bank.alternative("answerable")
def by_every_threshold(sure, right, wanted):
    shares = [
        (sure >= threshold).mean()
        for threshold in sure
        if right[sure >= threshold].mean() >= wanted
    ]
    return max(shares, default=0)


@bank.alternative("answerable")
def from_all_downwards(sure, right, wanted):
    order = sorted(range(len(sure)), key=lambda row: sure[row])
    while order and sum(bool(right[row]) for row in order) < wanted * len(order):
        order.pop(0)
    return len(order) / len(sure)


@bank.alternative("answerable")
def by_a_table_of_sums(sure, right, wanted):
    better = sure[None] >= sure[:, None]
    good = (better & right).sum(axis=1) / better.sum(axis=1)
    return float(np.max(np.where(good >= wanted, better.mean(axis=1), 0)))


@bank.near_miss("answerable", "at least `wanted`")
def more_than_wanted(sure, right, wanted):
    return max(np.flatnonzero(lesson15.right_from(sure, right) > wanted) + 1, default=0) / len(
        sure
    )


@bank.near_miss("answerable", "0 if that cannot be")
def one_at_least(sure, right, wanted):
    return max(1, lesson15.most_answers(sure, right, wanted)) / len(sure)


@bank.near_miss("answerable", "of those answered, not of all")
def right_of_all(sure, right, wanted):
    good = np.cumsum(right[np.argsort(-sure)]) / len(sure)
    return (np.searchsorted(good, wanted) + 1) / len(sure)


# --- model_index ---------------------------------------------------------------------------------


@bank.alternative("model_index")
def built_from_the_inside(record):
    metric = {"value": record["tested"]["balanced accuracy"], "type": "balanced_accuracy"}
    result = dict(task={"type": "image-classification"}, metrics=[metric])
    result["dataset"] = dict(split="test", name=record["data"])
    return dict(results=[result], name=record["name"])


@bank.alternative("model_index")
def filled_in(record):
    form = lesson15.card({"name": "", "data": ""}, 0)
    form["name"], form["results"][0]["dataset"]["name"] = record["name"], record["data"]
    form["results"][0]["metrics"][0]["value"] = record["tested"]["balanced accuracy"]
    return form


@bank.alternative("model_index")
def as_a_float_of_numpy(record):
    return lesson15.card(record, np.float64(record["tested"]["balanced accuracy"]))


@bank.near_miss("model_index", "taken from the record, not typed: the number")
def a_typed_number(record):
    return lesson15.card(record, 0.7936507)


@bank.near_miss("model_index", "taken from the record, not typed: the name")
def a_typed_name(record):
    return lesson15.card(record | {"name": "things-1"}, record["tested"]["balanced accuracy"])


@bank.near_miss("model_index", "taken from the record, not typed: the data")
def typed_data(record):
    return lesson15.card(record | {"data": "things"}, record["tested"]["balanced accuracy"])


@bank.near_miss("model_index", "the form: balanced_accuracy")
def called_accuracy(record):
    form = filled_in(record)
    form["results"][0]["metrics"][0]["type"] = "accuracy"
    return form


@bank.near_miss("model_index", "the form: lists")
def without_a_list(record):
    form = filled_in(record)
    form["results"] = form["results"][0]
    return form


@bank.near_miss("model_index", "the form: test")
def called_train(record):
    form = filled_in(record)
    form["results"][0]["dataset"]["split"] = "train"
    return form


@bank.near_miss("model_index", "the form: the task")
def without_a_task(record):
    form = filled_in(record)
    del form["results"][0]["task"]
    return form


# --- serve ---------------------------------------------------------------------------------------


def on_white(picture):
    picture = picture.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def as_pixels(picture_file, side=16, turn=ImageOps.exif_transpose, flat=on_white):
    return np.asarray(flat(turn(Image.open(picture_file))).resize((side, side)))


def answered(model_file, batch, class_names):
    chances = keras.models.load_model(model_file).predict(np.asarray(batch), verbose=0)
    return class_names[chances[0].argmax()]


@bank.alternative("serve")
def with_the_side_of_the_model(model_file, picture_file, class_names):
    model = keras.models.load_model(model_file, compile=False)
    pixels = as_pixels(picture_file, model.input_shape[1])
    return class_names[int(np.argmax(model(pixels[None].astype("float32"))))]


@bank.alternative("serve")
def with_kerass_reader(model_file, picture_file, class_names):
    with Image.open(picture_file) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGBA")
    page = Image.new("RGB", upright.size, (255, 255, 255))
    page.paste(upright, mask=upright.getchannel("A"))
    batch = keras.utils.img_to_array(page.resize((16, 16), Image.NEAREST))[np.newaxis]
    return str(answered(model_file, batch, class_names))


@bank.alternative("serve")
def cut_to_its_middle(model_file, picture_file, class_names):
    picture = on_white(ImageOps.exif_transpose(Image.open(picture_file)))
    return answered(model_file, [np.asarray(ImageOps.fit(picture, (16, 16)))], class_names)


@bank.mistake("serve", "pixels from 0 to 1")
def scaled(model_file, picture_file, class_names):
    return answered(model_file, [as_pixels(picture_file) / 255], class_names)


@bank.mistake("serve", "blue for red")
def blue_first(model_file, picture_file, class_names):
    return answered(model_file, [as_pixels(picture_file)[..., ::-1]], class_names)


@bank.mistake("serve", "on its head")
def as_the_file_has_it(model_file, picture_file, class_names):
    pixels = as_pixels(picture_file, turn=lambda picture: picture)
    return answered(model_file, [pixels], class_names)


@bank.mistake("serve", "blue for red")
def blue_first_without_white(model_file, picture_file, class_names):
    pixels = as_pixels(picture_file, flat=lambda picture: picture.convert("RGB"))
    return answered(model_file, [pixels[..., ::-1]], class_names)


@bank.mistake("serve", "on its head")
def with_kerass_own_reader(model_file, picture_file, class_names):
    picture = keras.utils.load_img(picture_file, target_size=(16, 16))
    return answered(model_file, [keras.utils.img_to_array(picture)], class_names)


@bank.mistake("serve", "hidden colours")
def without_white(model_file, picture_file, class_names):
    pixels = as_pixels(picture_file, flat=lambda picture: picture.convert("RGB"))
    return answered(model_file, [pixels], class_names)


@bank.mistake("serve", "a number, not a name")
def by_number(model_file, picture_file, class_names):
    return answered(model_file, [as_pixels(picture_file)], range(len(class_names)))


@bank.near_miss("serve", "pictures of every kind: see-through")
def channels_as_they_are(model_file, picture_file, class_names):
    picture = ImageOps.exif_transpose(Image.open(picture_file)).resize((16, 16))
    return answered(model_file, [np.asarray(picture)], class_names)


@bank.near_miss("serve", "the size of the model's input")
def in_its_own_size(model_file, picture_file, class_names):
    picture = on_white(ImageOps.exif_transpose(Image.open(picture_file)))
    return answered(model_file, [np.asarray(picture)], class_names)


@bank.near_miss("serve", "the most probable class")
def the_least_probable(model_file, picture_file, class_names):
    chances = keras.models.load_model(model_file).predict(as_pixels(picture_file)[None], verbose=0)
    return class_names[chances[0].argmin()]


bank.refused("serve", lambda model_file, picture_file, class_names: class_names[0])

# --- beat_it -------------------------------------------------------------------------------------


@functools.cache
def network(size):
    """As the lesson has it."""
    return backbones.load("efficientnet_lite0", size=size)


def fitted(classifier, blocks, images, labels, new, size=128):
    """The guesses of a classifier on features of pictures that are shrunk."""
    seen = []
    for pictures in (images, new):
        small = np.stack(
            [
                np.asarray(Image.fromarray(each).resize((size, size), Image.BILINEAR))
                for each in pictures
            ]
        )
        found = transfer.cache_features(network(size), small, layers=blocks, progress=False)
        seen.append(np.concatenate([found[block] for block in blocks], axis=1))
    return make_pipeline(StandardScaler(), classifier).fit(seen[0], labels).predict(seen[1])


def shrunk(shrinkage):
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)


@bank.near_miss("beat_it", "better than the recipe: shrunk too small")
def shrunk_too_small(images, labels, new):
    blocks = ["block09", "block13", "block15", "block16"]
    return fitted(shrunk(0.6), blocks, images, labels, new, size=96)


@bank.alternative("beat_it")
def with_two_late_blocks(images, labels, new):
    return fitted(shrunk(0.9), ["block13", "block15", "block16"], images, labels, new)


@bank.alternative("beat_it")
def with_a_fourth_block(images, labels, new):
    return fitted(shrunk(0.9), ["block09", "block11", "block13", "block16"], images, labels, new)


@bank.alternative("beat_it")
def by_regression(images, labels, new):
    classifier = LogisticRegression(C=0.01, max_iter=300)
    return fitted(classifier, ["block09", "block13", "block16"], images, labels, new)


@bank.near_miss("beat_it", "better than the recipe: by stronger regression, of small pictures")
def by_stronger_regression(images, labels, new):
    blocks = ["block09", "block13", "block16"]
    return fitted(LogisticRegression(C=0.001), blocks, images, labels, new, size=96)


@bank.mistake("beat_it", "scores, not classes")
def a_row_of_scores(images, labels, new):
    return np.eye(6)[labels[np.arange(len(new)) % len(labels)]]


@bank.mistake("beat_it", "for the wrong pictures")
def what_it_learned_from(images, labels, new):
    return labels


@bank.near_miss("beat_it", "better than the recipe")
def by_colour(images, labels, new):
    means, others = (pictures.mean(axis=(1, 2)) for pictures in (images, new))
    return LinearDiscriminantAnalysis().fit(means, labels).predict(others)


@bank.near_miss("beat_it", "one for each of the new pictures")
def one_is_missing(images, labels, new):
    return np.zeros(len(new) - 1, int)


@bank.near_miss("beat_it", "a class number")
def beyond_the_last_class(images, labels, new):
    return np.full(len(new), labels.max() + 1)


bank.refused("beat_it", lambda images, labels, new: np.zeros(len(new), int))
