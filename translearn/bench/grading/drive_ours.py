"""Grades a class with ours, in a process of its own.

python -m translearn.bench.grading.drive_ours FOLDER ASSIGNMENT JOBS SECONDS HOW STUDENT …

SECONDS: of a cell; HOW: warm or cold; without a STUDENT all are graded.
"""

import inspect
import sys

from translearn.coursework.instructor import folder, grading


def main(place, assignment, jobs, cell_seconds, cold, *students):
    limits = grading.Limits(cell_seconds=float(cell_seconds))
    options = {"cold": cold == "cold"} if can_be_warm() else {}
    course = folder.Course(place)
    grading.grade(
        course, assignment, students or None, True, int(jobs), limits=limits, quiet=True, **options
    )


def can_be_warm() -> bool:
    """Whether sandboxes can start from a process that has imported already."""
    return "cold" in inspect.signature(grading.grade).parameters


if __name__ == "__main__":
    main(*sys.argv[1:])
