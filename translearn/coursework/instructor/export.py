"""`nbgrader export` in the folder of a class: its table, but a mark that nobody has given is an
empty cell, where nbgrader writes 0.0.

nbgrader_config.py names it;
https://nbgrader.readthedocs.io/en/stable/plugins/export-plugin.html
"""

import csv

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin

from translearn.coursework.instructor.books import score
from translearn.coursework.instructor.tables import tame

COLUMNS = (
    "assignment duedate timestamp student_id last_name first_name email raw_score "
    "late_submission_penalty score max_score"
).split()


class MarksExport(ExportPlugin):
    """Writes `grades.csv`, or the file that `--to` names, with nbgrader's columns."""

    def export(self, gradebook):
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            for assignment in gradebook.assignments:
                for student in gradebook.students:
                    if self._wanted(assignment.name, self.assignment) and self._wanted(
                        student.id, self.student
                    ):
                        row = _row(gradebook, assignment, student)
                        table.writerow({key: tame(value) for key, value in row.items()})

    def _wanted(self, name, those):
        return not those or name in map(str, those)


def _row(gradebook, assignment, student):
    row = {
        "assignment": assignment.name,
        "duedate": assignment.duedate,
        "student_id": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
        "max_score": assignment.max_score,
    }
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return row
    scores = [score(grade) for notebook in submission.notebooks for grade in notebook.grades]
    row["timestamp"] = submission.timestamp
    if scores and None not in scores:
        penalty = submission.late_submission_penalty
        row |= {"raw_score": sum(scores), "late_submission_penalty": penalty}
        row["score"] = max(0.0, sum(scores) - (penalty or 0))
    return row
