"""Grades notebooks with otter-grader's own API, one after another, in this process.

    python drive_otter.py AUTOGRADER.ZIP RESULTS NOTEBOOK …

Runs in otter's environment. A notebook is ID/A1.ipynb; its marks go into RESULTS/ID.json, with
what the executed notebook shows.
"""

import json
import sys
import traceback
from pathlib import Path


def grade(path, autograder):
    from otter.api import grade_submission

    try:
        results = grade_submission(path, autograder, quiet=True)
    except Exception:
        return {"marks": None, "said": traceback.format_exc()}
    if results.has_catastrophic_failure():  # otter says so itself, and gives no points
        return {"marks": None, "said": str(results.catastrophic_error)}
    marks = {each.name: each.score for each in results.results.values()}
    return {"marks": marks, "said": str([c.get("outputs") for c in results.notebook.cells])}


def main(autograder, results, *paths):
    for path in map(Path, paths):
        found = grade(str(path), autograder)
        file = Path(results, f"{path.parent.parent.name}.json")
        file.write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
