"""`course.py coursework statistics`."""

from translearn.coursework.instructor.commands.chosen import those
from translearn.coursework.instructor.folder import write
from translearn.coursework.instructor.tables import save, show

HELP = "a page on each question: share right, discrimination, commonest misconceptions"
COLUMNS = (
    "question title points students unanswered right nothing mean sd discrimination low high "
    "misconception misconception_students reason reason_students"
).split()


def arguments(verb):
    verb.add_argument("assignment", nargs="*")


def run(course, args):
    from translearn.coursework.instructor import analysis

    for assignment in those(course, args.assignment):
        found = analysis.statistics(course, assignment)
        rows = [_row(each) for each in found["questions"]]
        path = course.root / f"statistics_{assignment}.html"
        write(path, analysis.page(found))
        save(path.with_suffix(".csv"), rows, COLUMNS)
        print(show(rows, [c for c in COLUMNS[:13] if c not in ("title", "low", "high")]))
        small = "; a small class, so these are hints (see the page)" if found["small"] else ""
        print(
            f"\n{assignment}: {found['submissions']} submissions, {found['complete']} of them "
            f"complete{small}.\n{path} (and .csv)"
        )
    return 0


def _row(question):
    named, said = ((question[key] or [{}])[0] for key in ("named", "reasons"))
    return question | {
        "question": question["name"],
        "discrimination": question["r"],
        "misconception": named.get("name"),
        "misconception_students": named.get("count"),
        "reason": f"{said['what']}: {said['message']}" if said else None,
        "reason_students": said.get("count"),
    }
