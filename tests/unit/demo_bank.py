"""Answers to the exercises of the demo lesson."""

import demo_lesson
import numpy as np
from bank import Bank

bank = Bank("demo", demo_lesson)


@bank.alternative("cross_entropy")
def row_by_row(p, y):
    return np.mean([-np.log(row[k]) for row, k in zip(p, y)])


@bank.alternative("cross_entropy")
def in_place(p, y):
    p *= np.eye(p.shape[1])[y]
    return -np.log(p.sum(axis=1)).sum() / len(y)


@bank.alternative("cross_entropy")
def picked_along(p, y):
    return -np.log(np.take_along_axis(p, y[:, None], axis=1)).mean()


@bank.mistake("cross_entropy", "sum instead of mean")
def added_up(p, y):
    return sum(-np.log(row[k]) for row, k in zip(p, y))


@bank.near_miss("cross_entropy", "the natural logarithm")
def in_bits(p, y):
    return -np.log2(p[np.arange(len(y)), y]).mean()


@bank.refused("cross_entropy")
def no_return(p, y):
    p.mean()


@bank.refused("cross_entropy")
def infinite(p, y):
    with np.errstate(divide="ignore"):
        return np.log(p - p)


@bank.given("freeze_all_but_last")
def two_layers():
    import keras

    layers = [keras.layers.Dense(4, name="lower"), keras.layers.Dense(2, name="head")]
    return {"model": keras.Sequential([keras.Input((3,)), *layers])}


@bank.alternative("freeze_all_but_last")
def by_name(given):
    given.model.get_layer("lower").trainable = False
    return given.model


@bank.alternative("freeze_all_but_last")
def every_flag(given):
    for layer in given.model.layers:
        layer.trainable = layer.name == "head"
    return given.model


@bank.alternative("freeze_all_but_last")
def the_first(given):
    given.model.layers[0].trainable = False
    return given.model


@bank.mistake("freeze_all_but_last", "everything is frozen")
def the_model(given):
    given.model.trainable = False
    return given.model


@bank.refused("freeze_all_but_last")
def the_last(given):
    given.model.layers[-1].trainable = False
    return given.model


@bank.given("beat_it")
def goal():
    return {"goal": demo_lesson.beat_it.reference()}


bank.alternative("beat_it", lambda given: 0.7)
bank.alternative("beat_it", lambda given: np.array([given.goal + 0.2]))
bank.alternative("beat_it", lambda given: [given.reference + 0.1])
bank.mistake("beat_it", "per cent", lambda given: 63)
bank.near_miss("beat_it", "more than the number", lambda given: given.goal)
bank.refused("beat_it", lambda given: 0.1)

bank.alternative("two_answers", (np.int64(3), np.array([1, 2])))
bank.alternative("two_answers", (3.0, (1.0, 2.0)))
bank.alternative("two_answers", ([3], [1, 2]))
bank.near_miss("two_answers", "one mean a column", (3, [1.0, 2.0, 3.0]))
bank.refused("two_answers", (4, [1.0, 2.0]))
