"""Answers to the exercises of lesson 04."""

import statistics

import keras
import numpy as np
from bank import Bank
from scipy.spatial.distance import cdist
from scipy.stats import sem, ttest_rel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from translearn import backbones, data, transfer
from translearn.exercises.lesson04 import COPYING

bank = Bank("04")


def network(seed=0, names=("entry", "middle", "exit"), first=5):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255, name="scale"),
            layers.Conv2D(64, first, strides=2, padding="same", name=names[0]),
            layers.Conv2D(64, 3, strides=2, padding="same", name=names[1]),
            layers.Conv2D(64, 3, strides=2, padding="same", name=names[2]),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.LayerNormalization(center=False, scale=False, name="level"),
            layers.Dense(5, name="logits"),
        ]
    )


# --- transferred ---------------------------------------------------------------------------------

BODY = [network().get_layer(name) for name in ("entry", "middle", "exit")]
LOGITS = network().get_layer("logits")

bank.alternative("transferred", sum(w.numpy().size for layer in BODY for w in layer.weights))
bank.alternative("transferred", np.sum([layer.count_params() for layer in BODY]))
bank.alternative("transferred", float(5 * 5 * 64 + 64 + 2 * (3 * 3 * 64 * 64 + 64)))
bank.mistake("transferred", "the head too", network().count_params())
bank.mistake("transferred", "arrays, not numbers", sum(len(layer.weights) for layer in BODY))
bank.mistake("transferred", "arrays, not numbers", len(BODY))
bank.mistake(
    "transferred", "kernels without biases", sum(layer.kernel.numpy().size for layer in BODY)
)
bank.mistake("transferred", "only the head", LOGITS.count_params())
bank.near_miss("transferred", "everything but the head", BODY[0].count_params())
bank.near_miss("transferred", "the biases of all layers", BODY[0].count_params() + 2 * 9 * 64 * 64)
bank.near_miss("transferred", "the whole head stays", network().count_params() - 64 * 5)
bank.refused("transferred", 0)


# --- first_reached -------------------------------------------------------------------------------


@bank.alternative("first_reached")
def step_by_step(seen, scores, target):
    for s, score in zip(seen, scores):
        if score >= target:
            return float(s)
    return float("inf")


@bank.alternative("first_reached")
def smallest_of_those(seen, scores, target):
    return min([s for s, score in zip(seen, scores) if not score < target], default=np.inf)


@bank.alternative("first_reached")
def through_a_mask(seen, scores, target):
    mask = np.asarray(scores) >= target
    return np.asarray(seen)[mask.argmax()] if mask.any() else np.inf


@bank.near_miss("first_reached", "the target or more")
def more_than_the_target(seen, scores, target):
    at = np.flatnonzero(np.asarray(scores) > target)
    return seen[at[0]] if len(at) else np.inf


@bank.near_miss("first_reached", "infinity when it never was")
def nothing_when_never(seen, scores, target):
    at = np.flatnonzero(np.asarray(scores) >= target)
    return seen[at[0]] if len(at) else None


@bank.near_miss("first_reached", "the last check counts, too")
def before_the_last(seen, scores, target):
    at = np.flatnonzero(np.asarray(scores)[:-1] >= target)
    return seen[at[0]] if len(at) else np.inf


@bank.near_miss("first_reached", "when the score was it, not between two checks")
def in_between(seen, scores, target):
    at = np.flatnonzero(np.asarray(scores) >= target)
    return float(np.interp(target, scores[: at[0] + 1], seen[: at[0] + 1])) if len(at) else np.inf


bank.refused("first_reached", lambda seen, scores, target: seen[0])


# --- not_arrived ---------------------------------------------------------------------------------


@bank.alternative("not_arrived")
def lost_layers(model, saved):
    lost = set()
    for layer in model.layers:
        for w in layer.weights:
            array = saved.get(f"{layer.name}/{w.name}", np.empty(0))
            if array.shape != tuple(w.shape) or (array != w.numpy()).any():
                lost.add(layer.name)
    return lost


@bank.alternative("not_arrived")
def byte_by_byte(model, saved):
    def ok(layer, w):
        return saved.get(f"{layer.name}/{w.name}", np.empty(0)).tobytes() == w.numpy().tobytes()

    return tuple(l.name for l in model.layers if not all(ok(l, w) for w in l.weights))


@bank.alternative("not_arrived")
def from_the_weights(model, saved):
    names = []
    for w in model.weights:
        layer, key = w.path.split("/")[-2], "/".join(w.path.split("/")[-2:])
        if not np.array_equal(saved.get(key), w.numpy()) and layer not in names:
            names.append(layer)
    return names


def unequal(model, saved):
    return [
        (layer.name, w.name)
        for layer in model.layers
        for w in layer.weights
        if not np.array_equal(saved.get(f"{layer.name}/{w.name}"), w.numpy())
    ]


@bank.near_miss("not_arrived", "the names of layers, not of arrays")
def names_of_arrays(model, saved):
    return [f"{layer}/{array}" for layer, array in unequal(model, saved)]


@bank.near_miss("not_arrived", "layers, each once")
def once_for_each_array(model, saved):
    return [layer for layer, _ in unequal(model, saved)]


@bank.near_miss("not_arrived", "layers of `model`, not of the file")
def layers_of_the_file_too(model, saved):
    lost = {layer for layer, _ in unequal(model, saved)}
    return lost | {key.split("/")[0] for key in saved} - {l.name for l in model.layers}


@bank.near_miss("not_arrived", "biases count, too")
def kernels_only(model, saved):
    return [layer for layer, array in unequal(model, saved) if array == "kernel"]


@bank.near_miss("not_arrived", "every layer, not the first that is found")
def the_first_one(model, saved):
    return [layer for layer, _ in unequal(model, saved)][:1]


def lost_where(differs):
    def lost(model, saved):
        arrays = [
            (l, w.numpy(), saved.get(f"{l.name}/{w.name}"))
            for l in model.layers
            for w in l.weights
        ]
        return {
            layer.name
            for layer, now, then in arrays
            if then is None or then.shape != now.shape or differs(now, then)
        }

    return lost


bank.near_miss(
    "not_arrived", "every number of an array", lost_where(lambda now, then: (now != then).all())
)
bank.near_miss(
    "not_arrived",
    "every number, not the first",
    lost_where(lambda now, then: now.flat[0] != then.flat[0]),
)
bank.near_miss(
    "not_arrived",
    "every number in its place",
    lost_where(lambda now, then: (np.sort(now, None) != np.sort(then, None)).any()),
)


@bank.near_miss("not_arrived", "bit for bit, not shape for shape")
def shapes_alone(model, saved):
    return [
        layer.name
        for layer in model.layers
        for w in layer.weights[:1]
        if np.shape(saved.get(f"{layer.name}/{w.name}")) != tuple(w.shape)
    ]


@bank.near_miss("not_arrived", "under its own name")
def anywhere_in_the_file(model, saved):
    def somewhere(w):
        return any(np.array_equal(array, w.numpy()) for array in saved.values())

    return [l.name for l in model.layers if not all(somewhere(w) for w in l.weights)]


@bank.near_miss("not_arrived", "layers without weights have nothing to miss")
def empty_layers_too(model, saved):
    lost = {layer for layer, _ in unequal(model, saved)}
    return [l.name for l in model.layers if l.name in lost or not l.weights]


bank.refused("not_arrived", lambda model, saved: ["logits"])
bank.refused("not_arrived", lambda model, saved: [])


# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def features_of_ten():
    enlarged = data.load("fashion", classes=data.load("fashion").class_names[5:], size=64)
    few, blocks = enlarged.train.take(10, seed=0), ["block05", "block08", "block10", "block13"]
    lite0 = backbones.load("efficientnet_lite0", size=64)
    few_features, validation_features = [
        transfer.cache_features(lite0, np.repeat(part.images, 3, axis=-1), layers=blocks)
        for part in (few, enlarged.validation)
    ]
    return {
        "enlarged": enlarged,
        "few": few,
        "blocks": blocks,
        "few_features": few_features,
        "validation_features": validation_features,
        "np": np,
        "LogisticRegression": LogisticRegression,
        "make_pipeline": make_pipeline,
        "StandardScaler": StandardScaler,
    }


def guess(given, classifier, blocks):
    seen, judged = (
        np.concatenate([features[block] for block in blocks], axis=1)
        for features in (given.few_features, given.validation_features)
    )
    return make_pipeline(StandardScaler(), classifier).fit(seen, given.few.labels).predict(judged)


@bank.alternative("beat_it")
def a_single_block(given):
    return guess(given, LogisticRegression(C=0.1, max_iter=1000), ["block13"])


@bank.alternative("beat_it")
def a_support_vector_machine(given):
    return list(guess(given, SVC(kernel="linear", C=0.01), given.blocks[2:]))


@bank.alternative("beat_it")
def as_floats(given):
    return guess(given, LogisticRegression(C=0.003, max_iter=1000), given.blocks).astype("float32")


bank.mistake("beat_it", "the answers themselves", lambda given: given.enlarged.validation.labels)
bank.mistake("beat_it", "on the training set", lambda given: given.few.labels)


@bank.mistake("beat_it", "scores, not classes")
def five_columns(given):
    return np.zeros((len(given.enlarged.validation), 5))


@bank.near_miss("beat_it", "better than the fine-tuned network")
def pixels(given):
    parts = given.few, given.enlarged.validation
    few, judged = (part.images[:, ::4, ::4].reshape(len(part), -1) / 255 for part in parts)
    return LogisticRegression(C=0.01, max_iter=300).fit(few, given.few.labels).predict(judged)


@bank.near_miss("beat_it", "a point, not a hair")
def by_a_hair(given):
    """A balanced accuracy just above the ledger's mean."""
    truth = given.enlarged.validation.labels
    guesses, classes = truth.copy(), truth.max() + 1
    for k in range(classes):
        right = round((given.reference + 0.005) * np.sum(truth == k))
        guesses[np.flatnonzero(truth == k)[right:]] = (k + 1) % classes
    return guesses


@bank.near_miss("beat_it", "one for each validation picture")
def one_too_few(given):
    return guess(given, SVC(kernel="linear", C=0.01), given.blocks)[:-1]


bank.near_miss(
    "beat_it", "class numbers", lambda given: given.enlarged.validation.labels.astype(str)
)
bank.refused("beat_it", lambda given: given.enlarged.validation.labels * 0)
bank.refused("beat_it", lambda given: given.enlarged.validation.labels + 0.5)


# --- neighbours ----------------------------------------------------------------------------------


@bank.alternative("neighbours")
def by_scikit_learn(features, query, k):
    s = cosine_similarity(features[query : query + 1], features)[0]
    s[query] = -np.inf
    return s.argsort()[::-1][:k]


@bank.alternative("neighbours")
def distance_on_the_sphere(features, query, k):
    unit = features / np.sqrt((features**2).sum(1))[:, None]
    far = np.linalg.norm(unit - unit[query], axis=1)
    far[query] = np.inf
    return np.argsort(far)[:k]


@bank.alternative("neighbours")
def by_scipy(features, query, k):
    far = cdist(features[[query]], features, "cosine")[0]
    others = [i for i in range(len(features)) if i != query]
    return tuple(sorted(others, key=far.__getitem__)[:k])


def cosine(features, query):
    s = cosine_similarity(features[query : query + 1], features)[0]
    s[query] = -np.inf
    return s


@bank.near_miss("neighbours", "the most similar first")
def in_another_order(features, query, k):
    return sorted(cosine(features, query).argsort()[::-1][:k])


@bank.near_miss("neighbours", "k of them")
def one_more(features, query, k):
    return cosine(features, query).argsort()[::-1][: k + 1]


@bank.near_miss("neighbours", "rows, not similarities")
def how_similar(features, query, k):
    return np.sort(cosine(features, query))[::-1][:k]


@bank.near_miss("neighbours", "the same way, not the opposite one")
def either_direction(features, query, k):
    s = abs(cosine_similarity(features[query : query + 1], features)[0])
    s[query] = -np.inf
    return s.argsort()[::-1][:k]


@bank.near_miss("neighbours", "without query itself, whichever row it is")
def without_the_first_row(features, query, k):
    s = cosine_similarity(features[query : query + 1], features)[0]
    return [i for i in s.argsort()[::-1] if i != 0][:k]


bank.refused("neighbours", lambda features, query, k: [query - 1] * k)


# --- meeting -------------------------------------------------------------------------------------


@bank.alternative("meeting")
def from_the_right(counts, pretrained, scratch):
    found = np.inf
    for n, a, b in reversed(list(zip(counts, pretrained.T, scratch.T))):
        if a.mean() - b.mean() > 0.01:
            break
        found = n
    return found


@bank.alternative("meeting")
def after_the_last_gap(counts, pretrained, scratch):
    apart = np.flatnonzero(np.mean(pretrained, 0) - np.mean(scratch, 0) > 0.01)
    first = apart[-1] + 1 if len(apart) else 0
    return float(counts[first]) if first < len(counts) else float("inf")


@bank.alternative("meeting")
def by_the_largest_gap_to_come(counts, pretrained, scratch):
    gap = (pretrained - scratch).mean(axis=0)
    to_come = np.maximum.accumulate(gap[::-1])[::-1]
    return min((n for n, g in zip(counts, to_come) if g <= 0.01), default=np.inf)


def mean_gap(pretrained, scratch):
    return (pretrained - scratch).mean(axis=0)


@bank.near_miss("meeting", "at every larger one")
def here_and_at_the_next(counts, pretrained, scratch):
    gap = mean_gap(pretrained, scratch)
    met = [n for i, n in enumerate(counts) if (gap[i : i + 2] <= 0.01).all()]
    return met[0] if met else np.inf


@bank.near_miss("meeting", "there, too")
def one_too_early(counts, pretrained, scratch):
    gap = mean_gap(pretrained, scratch)
    met = [n for i, n in enumerate(counts) if (gap[i + 1 :] <= 0.01).all()]
    return met[0] if met else np.inf


@bank.near_miss("meeting", "the mean gap")
def median_gap(counts, pretrained, scratch):
    gap = np.median(pretrained - scratch, axis=0)
    met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]
    return met[0] if met else np.inf


@bank.near_miss("meeting", "at most one point")
def at_most_two_points(counts, pretrained, scratch):
    gap = mean_gap(pretrained, scratch)
    met = [n for i, n in enumerate(counts) if (gap[i:] <= 0.02).all()]
    return met[0] if met else np.inf


@bank.near_miss("meeting", "a point, not zero")
def not_ahead_at_all(counts, pretrained, scratch):
    gap = mean_gap(pretrained, scratch)
    met = [n for i, n in enumerate(counts) if (gap[i:] <= 0).all()]
    return met[0] if met else np.inf


@bank.near_miss("meeting", "the number of labels")
def its_position(counts, pretrained, scratch):
    gap = mean_gap(pretrained, scratch)
    met = [i for i, n in enumerate(counts) if (gap[i:] <= 0.01).all()]
    return met[0] if met else np.inf


@bank.near_miss("meeting", "at most one point, not when it is rounded")
def rounded(counts, pretrained, scratch):
    gap = mean_gap(pretrained, scratch).round(3)
    met = [n for i, n in enumerate(counts) if (gap[i:] < 0.011).all()]
    return met[0] if met else np.inf


bank.refused("meeting", lambda counts, pretrained, scratch: counts[-1])


# --- copy_by_name --------------------------------------------------------------------------------


@bank.alternative("copy_by_name")
def try_and_see(source, target):
    copied = set()
    for layer in source.layers:
        try:
            if layer.weights:
                target.get_layer(layer.name).set_weights(layer.get_weights())
                copied.add(layer.name)
        except ValueError:
            continue
    return copied


@bank.alternative("copy_by_name")
def variable_by_variable(source, target):
    mine = {l.name: l.get_weights() for l in source.layers if l.weights}
    copied = []
    for layer in target.layers:
        old, new = layer.get_weights(), mine.get(layer.name, [])
        if new and len(old) == len(new) and all(a.shape == b.shape for a, b in zip(old, new)):
            for variable, value in zip(layer.weights, new):
                variable.assign(value)
            copied.append(layer.name)
    return tuple(copied)


@bank.alternative("copy_by_name")
def names_in_both(source, target):
    both = {l.name for l in source.layers} & {l.name for l in target.layers}
    shape = {
        m: {n: [w.shape for w in m.get_layer(n).weights] for n in both} for m in (source, target)
    }
    names = [n for n in sorted(both) if shape[source][n] and shape[source][n] == shape[target][n]]
    for name in names:
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())
    return names


def copied_where(source, target, fits, reported=lambda layer: layer.name):
    copied = []
    known = {layer.name: layer for layer in source.layers}
    for layer in target.layers:
        twin = known.get(layer.name)
        if twin and twin.weights and fits(twin, layer):
            for variable, value in zip(layer.weights, twin.get_weights()):
                variable.assign(value)
            copied.append(reported(layer))
    return copied


def fit(twin, layer):
    return [w.shape for w in twin.weights] == [w.shape for w in layer.weights]


for mistake in COPYING:
    bank.mistake("copy_by_name", mistake.name, *mistake.functions)
bank.near_miss(
    "copy_by_name",
    "all shapes: comparing one",
    lambda source, target: copied_where(
        source, target, lambda a, b: a.weights[-1].shape == b.weights[-1].shape
    ),
)
bank.near_miss(
    "copy_by_name",
    "all shapes: comparing the first",
    lambda source, target: copied_where(
        source, target, lambda a, b: a.weights[0].shape == b.weights[0].shape
    ),
)
bank.near_miss(
    "copy_by_name",
    "all shapes: comparing those of both",
    lambda source, target: copied_where(
        source, target, lambda a, b: all(x.shape == y.shape for x, y in zip(a.weights, b.weights))
    ),
)
bank.near_miss(
    "copy_by_name",
    "shapes, not how many numbers",
    lambda source, target: copied_where(
        source,
        target,
        lambda a, b: (
            a.count_params() == b.count_params()
            and [w.shape for w in a.weights][1:] == [w.shape for w in b.weights][1:]
        ),
    ),
)
bank.near_miss(
    "copy_by_name",
    "every layer of the source, the head too",
    lambda source, target: copied_where(
        source, target, lambda a, b: a.name != "logits" and fit(a, b)
    ),
)
bank.near_miss(
    "copy_by_name",
    "the names of the layers",
    lambda source, target: copied_where(source, target, fit, lambda layer: layer),
)


@bank.near_miss("copy_by_name", "those that were copied")
def copied_but_says_all(source, target):
    copied_where(source, target, fit)
    return [layer.name for layer in target.layers if layer.weights]


@bank.near_miss("copy_by_name", "a layer without weights is not copied")
def empty_layers_are_copied(source, target):
    return [*copied_where(source, target, fit), "pool", "scale"]


@bank.near_miss("copy_by_name", "copy the weights")
def only_says_so(source, target):
    known = {layer.name: layer for layer in source.layers}
    layers = [l for l in target.layers if l.name in known and l.weights]
    return [l.name for l in layers if fit(known[l.name], l)]


bank.refused("copy_by_name", lambda source, target: [])
bank.refused("copy_by_name", lambda source, target: ["entry", "middle", "exit"])


# --- verdict -------------------------------------------------------------------------------------


@bank.alternative("verdict")
def by_statistics(pretrained, scratch):
    d = [float(a) - float(b) for a, b in zip(pretrained, scratch)]
    m, e = statistics.mean(d), statistics.stdev(d) / len(d) ** 0.5
    if abs(m) <= 2 * e:
        return "cannot tell"
    return "helps" if m > 0 else "hurts"


@bank.alternative("verdict")
def by_scipy_stats(pretrained, scratch):
    d = np.subtract(pretrained, scratch)
    t = d.mean() / sem(d)
    return ["hurts", "cannot tell", "helps"][int(t > -2) + int(t > 2)]


@bank.alternative("verdict")
def by_the_interval(pretrained, scratch):
    d = np.asarray(pretrained) - np.asarray(scratch)
    half = 2 * np.sqrt(d.var(ddof=1) / d.size)
    low, high = d.mean() - half, d.mean() + half
    return "helps" if low > 0 else "hurts" if high < 0 else "cannot tell"


def ruled(errors, error=sem):
    def rule(pretrained, scratch):
        d = pretrained - scratch
        t = d.mean() / error(d)
        return "helps" if t > errors else "hurts" if t < -errors else "cannot tell"

    return rule


bank.near_miss("verdict", "two standard errors, not 0.8", ruled(0.8))
bank.near_miss("verdict", "two standard errors, not 1.5", ruled(1.5))
bank.near_miss("verdict", "two standard errors, not the 1.96 of a normal", ruled(1.96))
bank.near_miss("verdict", "two standard errors, not 2.05", ruled(2.05))
bank.near_miss("verdict", "two standard errors, not 2.5", ruled(2.5))
bank.near_miss("verdict", "two standard errors, not three", ruled(3))
bank.near_miss("verdict", "its standard error, not a fixed difference", ruled(1, lambda d: 0.01))
bank.near_miss("verdict", "the standard error", ruled(2, lambda d: d.std(ddof=1) / len(d)))
bank.near_miss(
    "verdict", "a root of the variance", ruled(2, lambda d: d.var(ddof=1) / len(d) ** 0.5)
)
bank.near_miss("verdict", "with n − 1", ruled(2, lambda d: d.std() / np.sqrt(len(d))))
bank.near_miss("verdict", "of its own spread", ruled(2, lambda d: 0.02 / np.sqrt(len(d))))


@bank.near_miss("verdict", "two standard errors, not a test's five per cent")
def by_a_test(pretrained, scratch):
    if ttest_rel(pretrained, scratch).pvalue > 0.05:
        return "cannot tell"
    return "helps" if np.mean(pretrained - scratch) > 0 else "hurts"


@bank.near_miss("verdict", "hurts, too")
def never_hurts(pretrained, scratch):
    d = pretrained - scratch
    return "helps" if d.mean() > 2 * sem(d) else "cannot tell"


@bank.near_miss("verdict", "the mean difference, not most of the seeds")
def majority(pretrained, scratch):
    ahead = np.mean(pretrained > scratch)
    return "helps" if ahead > 0.8 else "hurts" if ahead < 0.2 else "cannot tell"


@bank.near_miss("verdict", "the mean, not the median")
def with_the_median(pretrained, scratch):
    d = pretrained - scratch
    t = np.median(d) / sem(d)
    return "helps" if t > 2 else "hurts" if t < -2 else "cannot tell"


@bank.near_miss("verdict", "in these words")
def in_other_words(pretrained, scratch):
    return by_statistics(pretrained, scratch).capitalize()


bank.refused("verdict", lambda pretrained, scratch: "helps")
bank.refused("verdict", lambda pretrained, scratch: "cannot tell")
