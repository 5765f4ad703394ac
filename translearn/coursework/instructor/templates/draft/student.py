"""A0 · TITLE: what a student's notebook imports."""

import numpy as np

from translearn.coursework.student.question import Written, question
from translearn.exercises.answers import (
    Misconception,
    close,
    expect_callable,
    expect_close,
    expect_number,
)

AHEAD = ("numpy",)  # what the notebook imports; with DATA = ("fashion",) a data set comes along


# EDIT 5: the question: its points, two hints or more, and a check on visible examples.
# The function is called as the answer is, and `misconceptions` has each name that it may raise.
@question(
    title="1 · How much is answered",
    marks={"the share": 2},
    hints=[
        "Look at each picture's highest probability first: one number a row.",
        "A comparison gives True and False, and their mean is a share.",
    ],
    misconceptions=["how many, not which share"],
    praise="What is not answered goes to a person, so this share is what the network saves.",
)
def coverage(coverage):
    f = expect_callable(coverage, "coverage")
    given = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.5, 0.5]])
    got = expect_number(f(given, 0.7), "coverage(probabilities, 0.7)")
    if close(got, 2):
        raise Misconception("how many, not which share", "Two of four is a share of 0.5.")
    expect_close(got, 0.5, what="the share above 0.7 of four pictures")


# EDIT 6: the rubric of the question that a person marks: levels from the lowest up.
explain = Written(
    "explain",
    "2 · Where to set it",
    {
        "The use": {
            "none": (0, "no use is named, or any threshold would do there"),
            "named": (1, "a use in which a wrong answer costs more than none"),
        },
        "The price": {
            "none": (0, "nothing is said of what it costs"),
            "named": (1, "says that fewer pictures are answered"),
            "weighed": (2, "holds that against what a wrong answer costs"),
        },
    },
)
