"""Grades a class with ours, in a process of its own.

    python -m translearn.bench.grading.drive_ours FOLDER ASSIGNMENT JOBS SECONDS HOW STUDENT …

SECONDS: of a cell; HOW: warm or cold; without a STUDENT all are graded.
"""

import sys

from translearn.coursework.instructor import folder, grading


def main(place, assignment, jobs, seconds, how, *students):
    grading.grade(
        folder.Course(place),
        assignment,
        students or None,
        again=True,
        jobs=int(jobs),
        limits=grading.Limits(cell_seconds=float(seconds)),
        quiet=True,
        cold=how == "cold",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
