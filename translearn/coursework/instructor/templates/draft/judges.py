"""A0 · TITLE: the judges."""

import numpy as np

from translearn.coursework.instructor.judging import answers_close, expect, part
from translearn.coursework.student import a0


# EDIT 7: a judge for each thing that gives points: it asks with inputs from `rng`, and compares.
# More than one size, please, and no input whose answer is 0, 1 or a half. The sentence is for the
# student.
@part(a0.coverage, "the share")
def _(ask, rng):
    for pictures, classes in ((7, 2), (41, 5)):
        given = rng.dirichlet(np.ones(classes), pictures)
        threshold = np.sort(given.max(axis=1))[pictures // 3] + 1e-9
        expect(
            answers_close(
                ask("coverage", given, threshold), np.mean(given.max(axis=1) > threshold)
            ),
            "For some pictures and thresholds the share is not right.",
        )
