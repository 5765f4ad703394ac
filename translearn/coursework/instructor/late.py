"""What late work costs ([late] in course.toml), and who has more time (extensions.csv).

Nothing here touches the books or a verdict: both keep the points that were earned, and the
deduction is worked out anew whenever marks are listed, so a policy can be changed at any time.

As in Canvas and MarkUs a percentage is one of the points that can be got, unless `of` says
earned; the grace moves the due date, and each 24 hours that have begun after it count.
"""

import math
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from datetime import time as clock

from translearn.coursework.instructor import sheets
from translearn.coursework.instructor.folder import EXTENSIONS, Course, known
from translearn.errors import CourseError

DAY = 86400
KINDS = ("none", "percent", "cut-off")
BASES = ("possible", "earned")
EXEMPT = ("exempt", "excused")  # Canvas says excused


@dataclass(frozen=True)
class Policy:
    """What late work loses; the defaults are those of course.toml without [late]."""

    policy: str = "none"
    percent_a_day: float = 0  # 0 to 100
    of: str = "possible"
    at_most: float = 100  # percent
    cut_off_days: float | None = None  # later than that counts 0; None: no end
    grace_minutes: float = 0


@dataclass(frozen=True)
class Extension:
    """`until` None: the assignment does not count for this student."""

    until: datetime | None
    reason: str = ""

    def __str__(self):
        when = f"until {self.until:%Y-%m-%d %H:%M}" if self.until else "exempt"
        return f"{when} ({self.reason})" if self.reason else when


# ---- course.toml


def policies(table) -> dict:
    """{assignment: Policy} from [late], with "" for those that have none of their own.

    Raises `CourseError` for what is no policy.
    """
    if not isinstance(table, dict):
        raise _wrong("late", 'should be a table: [late] and below it policy = "percent"')
    own = {key: value for key, value in table.items() if isinstance(value, dict)}
    general = _policy("late", {k: v for k, v in table.items() if k not in own}, Policy())
    found = {"": general}
    for name, settings in own.items():
        found[known(name)] = _policy(f"late.{name}", settings, general)
    return found


def _wrong(where, what):
    return CourseError(f"course.toml, [{where}]: {what}.")


def _policy(where, settings, general):
    names = [each.name for each in fields(Policy)]
    for key, value in settings.items():
        if key not in names:
            raise _wrong(where, f"there is no {key!r}; what can stand there is {', '.join(names)}")
        if key in ("policy", "of"):
            several = KINDS if key == "policy" else BASES
            if value not in several:
                choice = ", ".join(f'"{each}"' for each in several)
                raise _wrong(where, f"{key} is {value!r}; it is one of {choice}")
            continue
        most = 100 if key in ("percent_a_day", "at_most") else math.inf
        if type(value) not in (int, float) or not 0 <= value <= most or value == math.inf:
            limit = "from 0 to 100" if most == 100 else "of 0 or more"
            raise _wrong(where, f"{key} is {value!r}; it is a number {limit}")
    found = replace(general, **settings)
    if found.policy == "percent" and not found.percent_a_day:
        raise _wrong(where, 'policy is "percent", so say percent_a_day, for instance 10')
    costs = [key for key in settings if key in ("percent_a_day", "at_most", "cut_off_days", "of")]
    if found.policy == "none" and costs:
        raise _wrong(where, f'{costs[0]} says what it costs and policy is "none": change one')
    if found.policy == "cut-off" and found.cut_off_days is None:
        found = replace(found, cut_off_days=0)
    return found


def policy(course: Course, assignment: str) -> Policy:
    return course.late.get(assignment, course.late[""])


# ---- extensions.csv


def extensions(course: Course) -> dict:
    """{(student, assignment): Extension}, from extensions.csv; {} without one.

    Raises `CourseError` for a line that says nothing certain.
    """
    path = course.root / "extensions.csv"
    if not path.exists():
        return {}
    sheet = sheets.read(path)
    if not sheet.rows:
        return {}
    columns = [name.strip().casefold() for name in sheet.rows[0]]
    for name in EXTENSIONS[:3]:
        if name not in columns:
            raise CourseError(
                f"extensions.csv, line 1: there is no column {name}. Its columns are "
                f"{', '.join(EXTENSIONS)}."
            )
    ids = {each.casefold(): each for each in course.students()}
    found, lines = {}, {}
    for line, row in zip(sheet.lines[1:], sheet.rows[1:]):
        said = {name: cell.strip() for name, cell in zip(columns, row)}
        if not any(said.values()):
            continue
        key, extension = _extension(course, ids, {name: said.get(name, "") for name in EXTENSIONS})
        if isinstance(extension, str):
            raise CourseError(f"extensions.csv, line {line}: {extension}.")
        if key in found:
            raise CourseError(
                f"extensions.csv, line {line}: {key[0]} has one for {key[1]} in line "
                f"{lines[key]} already. Leave one of the two."
            )
        found[key], lines[key] = extension, line
    return found


def _extension(course, ids, said):
    """((student, assignment), its Extension, or what is wrong with the line)."""
    student = ids.get(said["id"].casefold())
    if student is None:
        return None, f"there is no {said['id']!r} in students.csv"
    try:
        assignment = known(said["assignment"])
    except CourseError as problem:
        return None, str(problem).rstrip(".")
    key, due = (student, assignment), course.due.get(assignment)
    if said["until"].casefold() in EXEMPT:
        return key, Extension(None, said["reason"])
    until = _time(said["until"])
    if until is None:
        return key, (
            f"{said['until']!r} is no time. Write it as 2027-03-05T23:59 (this machine's time) "
            f"or 2027-03-05 (to the end of that day), or exempt"
        )
    if due is None:
        return key, (
            f"{assignment} has no due date in course.toml, so nobody needs more time for it"
        )
    if until <= due:
        return key, (
            f"{until:%Y-%m-%d %H:%M} is not after the due date of {assignment}, "
            f"{due:%Y-%m-%d %H:%M}"
        )
    return key, Extension(until, said["reason"])


def _time(text):
    """A moment of this machine's time, or of the zone that it names; None if it is none."""
    try:
        try:
            found = datetime.combine(date.fromisoformat(text), clock(23, 59, 59))
        except ValueError:
            found = datetime.fromisoformat(text)
        return found.astimezone()
    except (ValueError, OverflowError, OSError):
        return None


# ---- one student's


def due(course: Course, student: str, assignment: str) -> datetime | None:
    """When it is due from this student; None where nothing is late."""
    extension = course.extensions().get((student, assignment))
    return extension.until if extension else course.due.get(assignment)


def seconds(course: Course, student: str, assignment: str, came: datetime | None) -> float:
    """How late it came; 0 if in time, or if nobody can know."""
    until = due(course, student, assignment)
    return max(0.0, (came - until).total_seconds()) if until and came else 0.0


def words(late: float) -> str:
    """Seconds, as one says it; "" for none."""
    if late <= 0:
        return ""
    if late > 2 * DAY:
        return f"{late / DAY:.1f} days"
    if late > 2 * 3600:
        return f"{late / 3600:.1f} hours"
    return f"{max(1, round(late / 60))} minutes"


def applied(course: Course, row: dict, late: float) -> dict:
    """The fields of a row of marks that lateness and more time change: `points` is what counts,
    `raw` what was earned, `deducted` the difference, `deduction` tells the student why;
    `extension`, with its reason, is for instructors (`more_time` for the student).

    late   seconds
    """
    student, assignment, points = row["student"], row["assignment"], row["points"]
    extension = course.extensions().get((student, assignment))
    found = {"points": points, "raw": points, "deducted": 0, "deduction": "", "extension": ""}
    if extension:
        found["extension"] = str(extension)
        if extension.until is None:
            return found | {"points": None, "state": "exempt", "reason": "exempt"}
    rule = policy(course, assignment)
    if points is None or late <= 0 or rule.policy == "none":
        return found
    off, why = _taken(rule, late, points, row["of"])
    left = round(points - off, 2)
    found |= {"points": left, "deducted": round(points - left, 2)}
    from_when = "the date that you were given" if extension else "the due date"
    taken = f"so {found['deducted']:g} points are" if off else "and nothing is"
    found["deduction"] = (
        f"You earned {points:g} points. It came {words(late)} after {from_when}{why}, "
        f"{taken} taken off. The rule: {said(rule, row['of'])}"
    )
    return found


def more_time(course: Course, student: str, assignment: str) -> str:
    """What a student's page says of an extension: not the reason, which is the instructor's."""
    extension = course.extensions().get((student, assignment))
    if extension is None:
        return ""
    if extension.until is None:
        return "You are exempt from it: it does not count for you."
    return f"You had more time, until {extension.until:%A, %d %B %Y, %H:%M}."


def _taken(rule, late, points, of):
    """(Points off, why in words) for something that came `late` seconds after it was due."""
    beyond = late - 60 * rule.grace_minutes
    if beyond <= 0:
        return 0, f", within the {rule.grace_minutes:g} minutes that are free"
    if rule.cut_off_days is not None and beyond > rule.cut_off_days * DAY:
        return points, ", too late to count"
    if rule.policy == "cut-off":
        return 0, ""
    days = math.ceil(beyond / DAY)
    percent = min(days * rule.percent_a_day, rule.at_most)
    base, whose = (of, "that can be got") if rule.of == "possible" else (points, "that you earned")
    begun = "1 day has" if days == 1 else f"{days} days have"
    return (
        min(points, percent / 100 * base),
        f": {begun} begun, which cost {percent:g} % of the {base:g} points {whose}",
    )


def said(rule: Policy, of: float) -> str:
    """A policy in one sentence for students."""
    grace = f" (the first {rule.grace_minutes:g} minutes are free)" if rule.grace_minutes else ""
    end = rule.cut_off_days or 0
    later = f"what comes more than {end:g} {'day' if end == 1 else 'days'} late counts 0 points"
    if rule.policy == "none":
        return "late work costs nothing."
    if rule.policy == "cut-off":
        return f"{later if end else 'what comes late counts 0 points'}{grace}."
    whose = f"the {of:g} points that can be got" if rule.of == "possible" else "the points earned"
    most = f", {rule.at_most:g} % at most" if rule.at_most < 100 else ""
    return (
        f"each day that has begun after the due date costs {rule.percent_a_day:g} % of {whose}"
        f"{most}{grace}{'' if rule.cut_off_days is None else f'; {later}'}."
    )
