"""Answers to the exercises of lesson 10."""

import math
from collections import Counter

import keras
import numpy as np
from bank import Bank
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from translearn import backbones, data

bank = Bank("10")


def linear(c):
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=500))


def right_in(share, labels):
    """Guesses of which this share is right, in both classes alike."""
    guesses = np.array(labels)
    for label in (0, 1):
        mine = np.flatnonzero(labels == label)
        wrong = mine[: round((1 - share) * len(mine))]
        guesses[wrong] = 1 - label
    return guesses


# --- mean_of_tokens ------------------------------------------------------------------------------


@bank.alternative("mean_of_tokens")
def sentence_by_sentence(vectors, ids):
    return [v[i != 0].mean(axis=0).tolist() for v, i in zip(vectors, ids)]


@bank.alternative("mean_of_tokens")
def weighted_average(vectors, ids):
    weights = np.broadcast_to((ids != 0)[..., None], vectors.shape)
    return np.average(vectors, axis=1, weights=weights).astype("float32")


@bank.alternative("mean_of_tokens")
def masked_array(vectors, ids):
    hidden = np.broadcast_to((ids == 0)[..., None], vectors.shape)
    return np.ma.masked_array(vectors, hidden).mean(axis=1).filled(0)


@bank.near_miss("mean_of_tokens", "the mean")
def the_largest(vectors, ids):
    return (vectors * (ids != 0)[..., None]).max(axis=1)


@bank.near_miss("mean_of_tokens", "over its tokens, [CLS] and [SEP] among them")
def without_the_signs(vectors, ids):
    there = ((ids != 0) & (ids != 101) & (ids != 102))[..., None]
    return (vectors * there).sum(axis=1) / there.sum(axis=1)


@bank.near_miss("mean_of_tokens", "over its tokens, each time that they occur")
def of_the_different_tokens(vectors, ids):
    places = [np.unique(row, return_index=True)[1][np.unique(row) != 0] for row in ids]
    return [vector[at].mean(axis=0) for vector, at in zip(vectors, places)]


@bank.near_miss("mean_of_tokens", "one vector for each sentence")
def of_all_sentences(vectors, ids):
    return vectors[ids != 0].mean(axis=0)


# --- unknown_share -------------------------------------------------------------------------------


@bank.alternative("unknown_share")
def two_counts(ids, unk):
    return (ids == unk).sum() / (ids > 0).sum()


@bank.alternative("unknown_share")
def counted_in_a_list(ids, unk):
    flat = [int(i) for row in ids for i in row if i]
    return flat.count(unk) / len(flat)


@bank.alternative("unknown_share")
def by_a_counter(ids, unk):
    found = Counter(ids.ravel().tolist())
    return found[unk] / (found.total() - found[0])


@bank.near_miss("unknown_share", "the share of the unknown")
def the_known(ids, unk):
    return np.mean(ids[ids != 0] != unk)


@bank.near_miss("unknown_share", "of all tokens, each time that they occur")
def of_the_different_ones(ids, unk):
    return np.mean(np.unique(ids[ids != 0]) == unk)


@bank.near_miss("unknown_share", "of all tokens, [CLS] and [SEP] among them")
def of_the_words(ids, unk):
    return np.mean(ids[(ids != 0) & (ids != 101) & (ids != 102)] == unk)


@bank.near_miss("unknown_share", "of the whole table")
def of_the_first_sentence(ids, unk):
    return np.mean(ids[0][ids[0] != 0] == unk)


# --- idf -----------------------------------------------------------------------------------------


@bank.alternative("idf")
def difference_of_logarithms(word, sentences):
    df = len([s for s in sentences if word in set(s)])
    return 1 + math.log(1 + len(sentences)) - math.log(1 + df)


@bank.alternative("idf")
def all_words_counted(word, sentences):
    found = Counter(w for s in sentences for w in set(s))
    return np.float32(np.log((len(sentences) + 1) / (found[word] + 1)) + 1)


@bank.alternative("idf")
def of_scikit_learn(word, sentences):
    vocabulary = sorted({word, *(w for s in sentences for w in s)})
    words = TfidfVectorizer(analyzer=lambda s: s, vocabulary=vocabulary).fit(sentences)
    return words.idf_[vocabulary.index(word)]


@bank.near_miss("idf", "contain the word")
def contains_the_letters(word, sentences):
    df = sum(word in " ".join(sentence) for sentence in sentences)
    return np.log((1 + len(sentences)) / (1 + df)) + 1


@bank.near_miss("idf", "1 + n above")
def smoothed_below_only(word, sentences):
    df = sum(word in sentence for sentence in sentences)
    return np.log(len(sentences) / (1 + df)) + 1


@bank.near_miss("idf", "1 + df below")
def smoothed_above_only(word, sentences):
    df = sum(word in sentence for sentence in sentences)
    return np.log((1 + len(sentences)) / max(df, 1)) + 1


@bank.near_miss("idf", "n counts sentences")
def n_counts_words(word, sentences):
    df = sum(word in sentence for sentence in sentences)
    return np.log((1 + sum(map(len, sentences))) / (1 + df)) + 1


@bank.near_miss("idf", "n sentences, and not n different ones")
def of_the_different_sentences(word, sentences):
    different = {tuple(sentence) for sentence in sentences}
    df = sum(word in sentence for sentence in different)
    return np.log((1 + len(different)) / (1 + df)) + 1


@bank.near_miss("idf", "n is their number, each time that they are said")
def n_counts_different_sentences(word, sentences):
    df = sum(word in sentence for sentence in sentences)
    return np.log((1 + len(set(map(tuple, sentences)))) / (1 + df)) + 1


bank.refused("idf", lambda word, sentences: 1.0)


# --- attention_weights ---------------------------------------------------------------------------


@bank.alternative("attention_weights")
def a_very_low_score(query, key, ids):
    scores = np.einsum("ik,jk->ij", query, key) / query.shape[-1] ** 0.5
    scores[:, ids == 0] = -1e9
    return softmax(scores, axis=-1)


@bank.alternative("attention_weights")
def exponentials_times_mask(query, key, ids):
    scores = query @ key.T / np.sqrt(query.shape[1])
    weights = np.exp(scores - scores[:, ids != 0].max(axis=1)[:, None]) * (ids != 0)
    return (weights / weights.sum(axis=1)[:, None]).tolist()


@bank.alternative("attention_weights")
def row_by_row(query, key, ids):
    table = np.zeros((len(ids), len(ids)))
    for row, q in enumerate(query):
        table[row, ids != 0] = softmax([q @ k / math.sqrt(len(k)) for k in key[ids != 0]])
    return table


@bank.near_miss("attention_weights", "a softmax")
def scores_only(query, key, ids):
    return query @ key.T / np.sqrt(query.shape[1])


@bank.near_miss("attention_weights", "the root of the width, not of the length")
def root_of_the_length(query, key, ids):
    return softmax(np.where(ids != 0, query @ key.T / np.sqrt(len(query)), -np.inf), axis=1)


@bank.near_miss("attention_weights", "the root of the width, not the width")
def by_the_width(query, key, ids):
    return softmax(np.where(ids != 0, query @ key.T / query.shape[1], -np.inf), axis=1)


@bank.near_miss("attention_weights", "nobody looks at padding")
def the_padding_does_not_look(query, key, ids):
    scores = query @ key.T / np.sqrt(query.shape[1])
    return softmax(scores, axis=1) * (ids != 0)[:, None]


@bank.near_miss("attention_weights", "the table is (length, length)")
def padding_cut_off(query, key, ids):
    there = ids != 0
    return softmax(query[there] @ key[there].T / np.sqrt(query.shape[1]), axis=1)


# --- layerwise -----------------------------------------------------------------------------------


@bank.alternative("layerwise")
def powers_of_the_factor(rate, decay, blocks):
    return rate * decay ** np.arange(blocks + 2)


@bank.alternative("layerwise")
def one_after_the_other(rate, decay, blocks):
    rates = [rate]
    for _ in range(blocks + 1):
        rates.append(rates[-1] * decay)
    return tuple(rates)


@bank.alternative("layerwise")
def accumulated_product(rate, decay, blocks):
    return np.cumprod([rate] + [decay] * (blocks + 1)).tolist()


@bank.near_miss("layerwise", "smaller from block to block")
def one_rate_for_all(rate, decay, blocks):
    return [rate] * (blocks + 2)


@bank.near_miss("layerwise", "decay**2, and so on")
def one_step_only(rate, decay, blocks):
    return [rate] + [rate * decay] * (blocks + 1)


@bank.near_miss("layerwise", "the embedding comes below block 1")
def embedding_as_block_1(rate, decay, blocks):
    rates = [rate * decay**step for step in range(blocks + 1)]
    return [*rates, rates[-1]]


# --- padding_leaks -------------------------------------------------------------------------------


@bank.alternative("padding_leaks")
def not_close(embed, ids):
    longer = np.concatenate([ids, np.zeros((len(ids), 8), ids.dtype)], axis=1)
    return not np.allclose(embed(longer), embed(ids), rtol=0, atol=1e-4)


@bank.alternative("padding_leaks")
def as_the_lesson_asserts(embed, ids):
    return not np.allclose(embed(np.pad(ids, ((0, 0), (0, 8)))), embed(ids), atol=1e-4)


@bank.alternative("padding_leaks")
def number_by_number(embed, ids):
    longer = np.hstack([ids, np.zeros((len(ids), 8), "int32")])
    pairs = [(a, b) for x, y in zip(embed(longer), embed(ids)) for a, b in zip(x, y)]
    return any(abs(a - b) > 1e-4 for a, b in pairs)


@bank.alternative("padding_leaks")
def largest_and_smallest(embed, ids):
    longer = np.zeros((len(ids), ids.shape[1] + 8), ids.dtype)
    longer[:, : ids.shape[1]] = ids
    difference = embed(longer) - embed(ids)
    return max(difference.max(), -difference.min()) > 1e-4


@bank.near_miss("padding_leaks", "by more than 1e-4")
def by_more_than_a_hundredth(embed, ids):
    return bool(np.abs(embed(np.pad(ids, ((0, 0), (0, 8)))) - embed(ids)).max() > 1e-2)


@bank.near_miss("padding_leaks", "anywhere")
def in_the_first_number(embed, ids):
    return bool(np.abs(embed(np.pad(ids, ((0, 0), (0, 8)))) - embed(ids))[:, 0].max() > 1e-4)


@bank.near_miss("padding_leaks", "on average over the sentences")
def of_the_mean_vector(embed, ids):
    longer = embed(np.pad(ids, ((0, 0), (0, 8))))
    return bool(np.abs(longer - embed(ids)).mean() > 1e-4)


@bank.near_miss("padding_leaks", "eight more places")
def one_more_place(embed, ids):
    return bool(np.abs(embed(np.pad(ids, ((0, 0), (0, 1)))) - embed(ids)).max() > 1e-4)


def padded_by(places, embed, ids):
    return np.abs(embed(np.pad(ids, ((0, 0), (0, places)))) - embed(ids))


@bank.near_miss("padding_leaks", "eight more places, not as many again")
def twice_as_long(embed, ids):
    return bool(padded_by(ids.shape[1], embed, ids).max() > 1e-4)


@bank.near_miss("padding_leaks", "eight more places, not sixteen in all")
def sixteen_in_all(embed, ids):
    return bool(padded_by(16 - ids.shape[1], embed, ids).max() > 1e-4)


@bank.near_miss("padding_leaks", "eight more places, not nine")
def nine_more(embed, ids):
    return bool(padded_by(9, embed, ids).max() > 1e-4)


@bank.near_miss("padding_leaks", "eight more places, not seven")
def seven_more(embed, ids):
    return bool(padded_by(7, embed, ids).max() > 1e-4)


@bank.near_miss("padding_leaks", "a number smaller than before has changed, too")
def only_what_grows(embed, ids):
    return bool((embed(np.pad(ids, ((0, 0), (0, 8)))) - embed(ids)).max() > 1e-4)


@bank.near_miss("padding_leaks", "anywhere: in one number, not in all together")
def length_of_the_difference(embed, ids):
    return bool(np.linalg.norm(padded_by(8, embed, ids), axis=1).max() > 1e-4)


@bank.near_miss("padding_leaks", "the vector of a sentence, not of all")
def all_sentences_change(embed, ids):
    return bool((padded_by(8, embed, ids).max(axis=1) > 1e-4).all())


bank.refused("padding_leaks", lambda embed, ids: True)
bank.refused("padding_leaks", lambda embed, ids: False)


# --- beat_it -------------------------------------------------------------------------------------


@bank.given("beat_it")
def what_the_network_says():
    """As the lesson's `read` gives it."""
    movies = data.load_sentences("reviews", domains="movies")
    few, validation = movies.train.take(50, seed=0), movies.validation.take(200)
    tokenizer, bert = backbones.tokenizer("minilm"), backbones.load("minilm")
    encoders = [bert.get_layer(f"block{b}_encoder").output for b in range(1, 7)]
    depths = [bert.get_layer("embed_norm").output, *encoders]
    mask = keras.ops.cast(keras.ops.not_equal(bert.input, 0), "float32")[..., None]
    total = keras.ops.sum(mask, axis=1)
    means = keras.ops.stack([keras.ops.sum(x * mask, axis=1) / total for x in depths], axis=1)
    firsts = keras.ops.stack([x[:, 0] for x in depths], axis=1)
    eyes = keras.Model(bert.input, keras.ops.stack([means, firsts], axis=2))
    few_seen, validation_seen = [
        eyes.predict(tokenizer(part.texts, length=32), batch_size=100, verbose=0)
        for part in (few, validation)
    ]
    return {
        "movies": movies,
        "validation": validation,
        "few": few,
        "few_seen": few_seen,
        "validation_seen": validation_seen,
    }


@bank.alternative("beat_it")
def the_best_depth(given):
    model = linear(0.01).fit(given.few_seen[:, 4, 0], given.few.labels)
    return model.predict(given.validation_seen[:, 4, 0]).tolist()


@bank.alternative("beat_it")
def the_mean_of_the_upper_depths(given):
    few, asked = [x[:, 4:, 0].mean(axis=1) for x in (given.few_seen, given.validation_seen)]
    return linear(0.01).fit(few, given.few.labels).predict(asked)


@bank.alternative("beat_it")
def a_support_vector_machine(given):
    few, asked = [x[:, 4, 0] for x in (given.few_seen, given.validation_seen)]
    model = make_pipeline(StandardScaler(), SVC(C=1.0)).fit(few, given.few.labels)
    return model.predict(asked)


@bank.mistake("beat_it", "the answers themselves")
def the_labels(given):
    return given.validation.labels


@bank.mistake("beat_it", "on the training set")
def for_the_training_sentences(given):
    return given.few.labels


@bank.mistake("beat_it", "scores, not classes")
def a_row_for_each(given):
    return np.eye(2)[given.validation.labels]


@bank.near_miss("beat_it", "better than counted words")
def with_counted_words(given):
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit(given.few.texts)
    model = LogisticRegression(C=100, max_iter=500)
    model.fit(words.transform(given.few.texts), given.few.labels)
    return model.predict(words.transform(given.validation.texts))


@bank.near_miss("beat_it", "better guesses: what the network has read")
def from_the_input_vectors(given):
    model = linear(0.01).fit(given.few_seen[:, 0, 0], given.few.labels)
    return model.predict(given.validation_seen[:, 0, 0])


@bank.near_miss("beat_it", "by a point and a half or more")
def by_two_sentences(given):
    reached = given.reference + 2 / 400
    return right_in(reached, given.validation.labels)


@bank.mistake("beat_it", "more than a hundred labels")
def as_from_five_hundred_labels(given):
    return right_in(0.76, given.validation.labels)


@bank.near_miss("beat_it", "one class number")
def halves(given):
    return given.validation.labels + 0.5


@bank.near_miss("beat_it", "for each of them")
def all_but_one(given):
    return given.validation.labels[:-1]


bank.refused("beat_it", lambda given: given.validation.labels * 0)
