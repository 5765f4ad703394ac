"""Whom a name means: as an LMS writes it before a student's file, and as students write it.

Moodle       `Ada Lovelace_48213_assignsubmission_file_/A1.ipynb` (a folder for each student), or
             `Ada Lovelace_48213_assignsubmission_file_A1.ipynb`; in a group's submission
             `Group 1-Ada Lovelace_48213_…`. The number is made for one assignment and tells nobody
             anything; in a blind assignment the name is `Participant`.
Canvas       `lovelaceada_LATE_1234_56789_A1-2.ipynb`: the user's id in Canvas, then the
             file's; -2: the second time that a file of this name was handed in
Blackboard   `A1_ada_attempt_2027-03-01-09-30-00_A1.ipynb`, with the user's name there
Brightspace  `12345-67890 - Ada Lovelace - Mar 1, 2027 930 AM/A1.ipynb` (or ` - A1.ipynb`)

Google Classroom writes no name before a file that a student made.
"""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

# The first of two possible places counts in each: what follows was typed by a student.
MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_(?P<rest>.*))?", re.I
)
CANVAS = re.compile(
    r"(?!A\d+_)(?P<name>[^_\W]+(?:-[^_\W]+)*)_(?P<late>late_)?(?P<number>\d+)_(?P<file>\d+)_"
    r"(?P<rest>.+)",
    re.I,
)
CANVAS_BLIND = re.compile(r"(?P<name>anon(?:ymous)?_(?P<late>late_)?\w{5})_\d+_(?P<rest>.+)", re.I)
BLACKBOARD = re.compile(
    r"(?P<name>.+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<rest>.*))?", re.I
)
BRIGHTSPACE = re.compile(
    r"\d+-\d+ - (?P<name>.+?) - (?P<when>[^-]*\b\d{4} \d{3,4} ?(?:[AP]M)?)(?: - (?P<rest>.+))?",
    re.I,
)
FORMS = (
    ("Moodle", MOODLE),
    ("Canvas", CANVAS),
    ("Canvas", CANVAS_BLIND),
    ("Blackboard", BLACKBOARD),
    ("Brightspace", BRIGHTSPACE),
)
DATES = (  # only where the LMS writes English
    "%Y-%m-%d-%H-%M-%S",
    "%b %d, %Y %I%M %p",
    "%B %d, %Y %I%M %p",
    "%d %B, %Y %I%M %p",
    "%d %b, %Y %I%M %p",
    "%d %B, %Y %H%M",
)
ASSIGNMENT = r"(?<![A-Za-z0-9])A\d+(?![0-9])"  # the start of a file's name, or what follows it
BROWSER = re.compile(r"(?: ?\(\d{1,3}\))+$")  # of a second download; no name ends like it
COPY = re.compile(r"[-_ ](?:\d{1,2}|copy)$", re.I)  # Canvas's, a file manager's; an id may end so
NOBODY = frozenset()
EXACT = 4  # how many of the ways to look a name up take it as it is


@dataclass(frozen=True)
class Sign:
    """What an LMS wrote into the name of a file or folder."""

    lms: str
    name: str  # of a person, as the LMS writes it
    who: str  # all that it wrote of the person: one student's files have it in common
    number: str = ""  # Canvas: the user's id; Moodle: the participant's, for one assignment only
    rest: str = ""  # the student's own name for the file; "" for a folder
    late: bool = False
    file: int = 0  # Canvas: its number of the file; of two the later one's is larger
    when: float | None = None  # when it came, in seconds since 1970, where it says so


def sign(text: str) -> Sign | None:
    """What an LMS wrote into `text` (a folder, or a file without its ending); None if none did.

    The form that ends first is the LMS's: a student's own name can have another one in it.
    """
    signs = []
    for lms, form in FORMS:
        if found := form.fullmatch(text):
            had = defaultdict(str, {key: value or "" for key, value in found.groupdict().items()})
            signs.append(
                Sign(
                    lms,
                    had["name"],
                    text[: len(text) - len(had["rest"])],
                    had["number"],
                    had["rest"],
                    bool(had["late"]),
                    int(had["file"] or 0),
                    _date(had["when"]),
                )
            )
    return min(signs, key=lambda each: len(each.who), default=None)


def _date(text):
    text = re.sub(r" (\d{3})(?= ?[AP]M$|$)", r" 0\1", text.strip())  # 115 PM is a quarter past one
    for form in DATES if text else ():
        try:
            return datetime.strptime(text, form).timestamp()
        except (ValueError, OverflowError):
            continue
    return None


# ---- names of people


def exact(text: str) -> str:
    """A name in one form: whatever way its letters are coded, without case and doubled spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def letters(text: str) -> str:
    """All its letters, of whatever script, with their marks, and its digits; nothing between."""
    return "".join(c for c in exact(text) if unicodedata.category(c)[0] in "LMN")


def folded(text: str) -> str:
    """As `letters`, and Latin letters without their accents, as some systems write them. The marks
    of other scripts are letters of their own (й is not и).
    """
    found = []
    for c in unicodedata.normalize("NFD", letters(text)):
        if unicodedata.combining(c) and found and found[-1].isascii():
            continue
        found.append(c)
    return unicodedata.normalize("NFC", "".join(found))


class People:
    """The class, by everything that each may be called."""

    def __init__(self, students: dict):
        self.students = students
        self.numbers = _index((exact(each.lms_id), each.id) for each in students.values())
        called = [
            (text, kind, each.id)
            for each in students.values()
            for text, kind in (
                (each.id, "id"),
                (each.email, "email"),
                (f"{each.first_name} {each.last_name}", "name"),
                (f"{each.last_name} {each.first_name}", "name"),
                (f"{each.last_name}, {each.first_name}", "name"),
                (each.email.partition("@")[0], "account"),
                (each.id.partition("@")[0], "account"),
            )
        ]
        # From the exact to the coarse: the first that knows a name decides.
        self.tiers = [
            (exact, _index((exact(text), who) for text, kind, who in called if kind == wanted))
            for wanted in ("id", "email", "name", "account")
        ] + [
            (form, _index((form(text), who) for text, _, who in called))
            for form in (letters, folded)
        ]

        self.full = [
            (form, _index((form(text), who) for text, kind, who in called if kind == "name"))
            for form in (exact, letters, folded)
        ]

    def named(self, text: str) -> frozenset:
        """As `called`, where an LMS writes full names: one's name comes before another's id."""
        found = next((ids for form, tier in self.full if (ids := tier.get(form(text)))), NOBODY)
        return found or self.called(text)

    def called(self, text: str, exactly: bool = False) -> frozenset:
        """The ids of those whom `text`, taken as a whole, may mean: one if all is well, none if it
        is nobody's name, more than one if they share it.

        exactly   as it is written in students.csv; not by its letters alone
        """
        tiers = self.tiers[:EXACT] if exactly else self.tiers
        return next((found for form, tier in tiers if (found := tier.get(form(text)))), NOBODY)

    def typed(self, text: str) -> list:
        """Of what a person typed, such as `A1_ada (1)`: (whom it means, all whom it may mean).

        What is exactly a name comes before anything stripped or folded: `A1_abc-2` is abc-2's if
        there is one, and may be the second copy of abc's. A list, because Google Classroom names
        what it made itself `Ada Lovelace - A1_ada`.
        """
        bare = [text := BROWSER.sub("", text)]
        for form in (rf"^{ASSIGNMENT}[\s_.+-]*", rf"[\s_.+-]*{ASSIGNMENT}$", ASSIGNMENT):
            bare.append(re.sub(form, "", text, flags=re.I).strip(" _.-+"))
        means = next(filter(None, (self.called(each, exactly=True) for each in bare)), NOBODY)
        may = [self.called(form) for each in bare for form in (each, COPY.sub("", each))]
        may = means.union(*may)
        if not may and " - " in text:
            return [pair for part in text.split(" - ") for pair in self.typed(part)]
        return [(means or may, may)]

    def signed(self, sign: Sign, team: bool = False) -> tuple:
        """Of what an LMS wrote: (whom it means, why nobody or several, "" if one).

        team    Moodle's names begin with a group's (`groups` says whose)
        """
        if sign.lms == "Blackboard":  # `TITLE_user`: where the user's name begins, nobody says
            parts = sign.name.split("_")
            ends = {exact("_".join(parts[n:])) for n in range(min(1, len(parts) - 1), len(parts))}
            known = [tier for _, tier in self.tiers[:EXACT]] + [self.numbers]
            found = next(
                filter(None, (NOBODY.union(*(t.get(end, ()) for end in ends)) for t in known)),
                NOBODY,
            )
        elif sign.lms == "Canvas":
            by_name = self.named(sign.name)
            by_number = self.numbers.get(exact(sign.number), NOBODY)
            unknown = {who for who in by_name if not self.students[who].lms_id}
            found = by_name & by_number if by_name and by_number else by_number or unknown
            if by_name and not found:
                return NOBODY, (
                    f"Canvas names it {sign.name} and user {sign.number}, and in students.csv "
                    f"these are not the same one (lms_id)"
                )
        else:
            found = self.named(sign.name)
            if not found and team:
                found = self.named(_ungrouped(self, sign.name)[1])
        if not found:
            blind = re.match("participant|anon", sign.name, re.I)
            more = ": let it show who they are, and download again" if blind else ""
            return found, f"{sign.lms} names it {sign.name}, nobody in students.csv{more}"
        if len(found) > 1:
            return (
                found,
                f"{sign.lms} names it {sign.name}, which may be {', '.join(sorted(found))}",
            )
        return found, ""


def _index(pairs):
    found = defaultdict(set)
    for text, who in pairs:
        if any(map(str.isalnum, text)):
            found[text].add(who)
    return {text: frozenset(ids) for text, ids in found.items()}


def _ungrouped(people, name):
    """(group, the rest) of Moodle's `GROUP-Ada Lovelace`; group is "" if no rest is a name."""
    parts = name.split("-")
    for n in range(1, len(parts)):
        if people.named("-".join(parts[n:])):
            return "-".join(parts[:n]), "-".join(parts[n:])
    return "", name


def groups(people: People, signs) -> dict:
    """{student: group} where Moodle took submissions of groups; {} where it did not.

    Then each name begins with a group's. One name with a hyphen shows nothing: Jean-Paul Sartre is
    not Paul Sartre of the group Jean.
    """
    names = {each.name for each in signs if each.lms == "Moodle"}
    if len(names) < 2 or any("-" not in name or people.named(name) for name in names):
        return {}
    found = {}
    for name in names:
        group, rest = _ungrouped(people, name)
        who = people.named(rest)
        if group and len(who) == 1:
            found[next(iter(who))] = group
    return found
