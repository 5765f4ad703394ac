"""Which submissions share code: a hint on what to read, never a verdict. Short functions written
from one formula look alike.

The fingerprints are copydetect's: code with its names and layout normalised, then winnowed, as in
MOSS (Schleimer, Wilkerson and Aiken, 2003; https://copydetect.readthedocs.io/).
"""

import io

from translearn.coursework.instructor import groups
from translearn.coursework.instructor.folder import Course, read_json
from translearn.errors import CourseError


def similar(course: Course, assignment: str, at_least: float = 0.5):
    """A pandas table of pairs of students, the likest first: the share of the shorter one's
    fingerprints that both have.

    Compared are the answers and cells of the student's own; what was released is taken out first.
    The table's `attrs["median"]` is the median share over all pairs: how like two strangers'
    answers are here.
    """
    import numpy as np
    import pandas as pd

    released = read_json(course.released(assignment))
    if released is None:
        raise CourseError(f"{assignment} was not released from this folder yet.")
    given = set(
        _fingerprints(
            "\n".join(
                "".join(cell["source"])
                for cell in released["cells"]
                if cell["cell_type"] == "code"
            )
        )
    )
    locked = {
        book["grade_id"]
        for cell in released["cells"]
        if (book := cell["metadata"].get("nbgrader")) and book["locked"]
    }
    prints = {}
    for student in course.submissions(assignment):
        if groups.follows(course, assignment, student):  # it is another's file
            continue
        result = course.result(student, assignment)
        code = "\n".join(
            cell["source"]
            for cell in (result or {"cells": []})["cells"]
            if cell["type"] == "code" and cell["id"] not in locked
        )
        if hashes := set(_fingerprints(code)) - given:
            prints[student] = hashes
    rows, shares, names = [], [], sorted(prints)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            common = len(prints[one] & prints[other])
            share = common / min(len(prints[one]), len(prints[other]))
            shares.append(share)
            if share >= at_least:
                rows.append(
                    {"student": one, "other": other, "share": round(share, 3), "in common": common}
                )
    table = pd.DataFrame(rows, columns=["student", "other", "share", "in common"]).sort_values(
        ["share", "in common"], ascending=False, ignore_index=True
    )
    table.attrs["median"] = float(np.median(shares)) if shares else 0.0
    return table


def _fingerprints(code):
    from copydetect import CodeFingerprint

    return (
        CodeFingerprint("code.py", k=25, win_size=4, fp=io.StringIO(code)).hashes
        if len(code.strip()) > 25
        else []
    )
