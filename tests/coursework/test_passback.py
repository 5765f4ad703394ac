"""Marks into a platform's gradebook, against a platform made for the tests (platform_lti.py)."""

import csv
import json
import shutil
import subprocess
import sys

import pytest
from platform_lti import Platform

from translearn.coursework.instructor import __main__ as command
from translearn.coursework.instructor import books, folder, judging, lti, passback
from translearn.coursework.instructor.submission import digest
from translearn.coursework.student.question import questions
from translearn.errors import CourseError

LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
TEACHER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"


def member(user, name, mail, role=LEARNER, **more):
    first, _, last = name.partition(" ")
    names = {"name": name, "given_name": first, "family_name": last}
    return {"user_id": user, "email": mail, "roles": [role], "status": "Active"} | names | more


@pytest.fixture
def platform():
    made = Platform()
    made.members = [
        member("u-1", "Ada Lovelace", "Ada@x.org"),
        member("u-2", "Alan Turing", "alan@x.org"),
        member("u-9", "The Teacher", "t@x.org", TEACHER),
        member("u-8", "Gone Away", "g@x.org", status="Inactive"),
        member("u-3", "Kurt Gödel", "kurt@x.org", lis_person_sourcedid="kurt"),
    ]
    yield made
    made.close()


def graded(course, student, got=1.0, state="graded", reason=""):
    """A verdict that gives `got` of each question's points, without a sandbox."""
    path = course.submitted(student, "A1")
    folder.write(path, f"what {student} handed in")
    folder.write(path.with_name("timestamp.txt"), "2027-02-28T10:00:00+00:00")
    parts = {
        each.name: [
            {"what": what, "points": most, "got": None if reason else got * most, "message": ""}
            for what, most in each.marks.items()
        ]
        for each in questions(judging.load("a1"))
    }
    result = {"state": state, "reason": reason, "submission": digest(path), "questions": parts}
    result |= {"cells": [], "notes": [], "assignment": "A1"}
    folder.write(course.graded(student, "A1") / "result.json", json.dumps(result))
    books.record(course, "A1", student, result)


def marked(course, student):
    """The person's part: the highest level of each criterion."""
    rubric = judging.load("a1").explain.rubric
    best = {criterion: list(levels)[-1] for criterion, levels in rubric.items()}
    books.mark(course, "A1", student, "explain", best, "")


@pytest.fixture(scope="module")
def handed_in(template, tmp_path_factory):
    """A class in which ada, alan and kurt have a verdict, and no person has marked."""
    course = folder.Course(shutil.copytree(template, tmp_path_factory.mktemp("handed") / "class"))
    for student in ("ada", "alan", "kurt"):
        graded(course, student)
    lti.key(course)
    return course.root


@pytest.fixture
def linked(handed_in, tmp_path, platform):
    """That class; its course.toml and the platform know each other."""
    root = shutil.copytree(handed_in, tmp_path / "class")
    with (root / "course.toml").open("a") as file:
        file.write(platform.settings())
    course = folder.Course(root)
    platform.public = lti.key(course)[1]
    passback.members(course)
    return course


def test_marks_go_to_their_column_and_what_is_not_graded_is_no_zero(linked, platform):
    graded(linked, "ada", 0.5)
    marked(linked, "ada")
    graded(linked, "kurt", state="ungraded", reason="its JSON is broken <b>")
    done = passback.send(linked, "A1")
    (item,) = platform.items
    assert item["tag"] == "translearn-A1" and item["scoreMaximum"] == 37
    assert item["label"] == "A1 · Losses, optimisers and learning rates"
    held = platform.scores[0]
    rows = {row["student"]: row for row in books.marks(linked, "A1")}
    assert (held["u-1"]["scoreGiven"], held["u-1"]["scoreMaximum"]) == (rows["ada"]["points"], 37)
    assert held["u-1"]["gradingProgress"] == "FullyGraded" and rows["ada"]["points"] == 22
    assert held["u-1"]["submission"] == {"submittedAt": "2027-02-28T10:00:00.000+00:00"}
    assert "scoreGiven" not in held["u-2"] and held["u-2"]["gradingProgress"] == "PendingManual"
    assert held["u-2"]["comment"] == "waiting for a person: 9 · Two runs"
    assert "scoreGiven" not in held["u-3"] and held["u-3"]["gradingProgress"] == "Pending"
    assert held["u-3"]["comment"] == "its JSON is broken ‹b›"
    assert set(done["sent"]) == {"ada", "alan", "kurt"} and not done["refused"]


def test_what_lateness_costs_is_said_and_why_somebody_has_more_time_is_not(linked, platform):
    text = (linked.root / "course.toml").read_text(encoding="utf-8")
    text = text.replace("[due]", "[due]\nA1 = 2027-02-27T12:00:00Z", 1)
    text = text.replace('policy = "none"', 'policy = "percent"\npercent_a_day = 10', 1)
    folder.write(linked.root / "course.toml", text)
    folder.write(
        linked.root / "extensions.csv",
        "id,assignment,until,reason\nalan,A1,2027-03-05,an operation\nkurt,A1,exempt,moved\n",
    )
    course = folder.Course(linked.root)
    for student in ("ada", "alan", "kurt"):
        marked(course, student)
    done = passback.send(course, "A1")
    held, rows = platform.scores[0], {row["student"]: row for row in books.marks(course, "A1")}
    assert held["u-1"]["scoreGiven"] == rows["ada"]["points"] < rows["ada"]["raw"] == 37
    assert held["u-1"]["comment"] == rows["ada"]["deduction"] != ""
    assert held["u-2"]["scoreGiven"] == 37 and "You had more time" in held["u-2"]["comment"]
    assert "operation" not in json.dumps(held) and set(done["sent"]) == {"ada", "alan"}


def test_sending_again_sends_only_what_has_changed(linked, platform):
    linked.submitted("kurt", "A1").unlink()
    assert len(passback.send(linked, "A1")["sent"]) == 2
    before = json.dumps(platform.scores)
    again = passback.send(folder.Course(linked.root), "A1")
    assert (again["sent"], again["same"]) == ({}, 2)
    assert json.dumps(platform.scores) == before and platform.posts == 2
    marked(linked, "alan")
    looked = passback.send(linked, "A1", look=True)
    assert list(looked["sent"]) == ["alan"] and json.dumps(platform.scores) == before
    assert list(passback.send(linked, "A1")["sent"]) == ["alan"] and platform.posts == 3
    assert platform.scores[0]["u-2"]["scoreGiven"] == 37
    assert len(passback.send(linked, "A1", again=True)["sent"]) == 2 and len(platform.items) == 1
    linked.submitted("alan", "A1").unlink()  # taken back: the mark goes, and becomes no zero
    assert list(passback.send(linked, "A1")["sent"]) == ["alan"]
    assert "scoreGiven" not in platform.scores[0]["u-2"]


def test_who_is_not_known_is_listed_and_costs_nobody_else_anything(linked, platform, capsys):
    folder.write(
        linked.root / "platform.csv", "id,user,name\nada,u-1,Ada\nalan,nobody-there,Alan\n"
    )
    folder.write(linked.root / "students.csv", "id\nada\nalan\nkurt\n")
    line = ["--course", str(linked.root), "passback", "A1"]
    assert command.main(line) == 1
    said = capsys.readouterr().out
    assert "kurt: the platform's name of this student is not known" in said
    assert "alan: not taken, nothing is there" in said and "(404" in said
    assert "A1: 1 sent, 0 as they were, 2 not taken." in said
    assert set(platform.scores[0]) == {"u-1"}
    folder.write(linked.root / "platform.csv", "id,user\nada,u-1\nalan,u-2\nkurt,u-3\n")
    assert command.main(line) == 0
    assert "A1: 2 sent, 1 as they were, 0 not taken." in capsys.readouterr().out


TROUBLES = [
    ("token", 401, "does not know this class"),
    ("token", 500, "a fault of its own"),
    ("token", "slow", "does not answer within"),
    ("token", "page", "something else than JSON"),
    ("items", 403, "does not allow this"),
    ("items", 404, "is the address the right one"),
    ("scores", [None, 401, 401], "does not know this class"),
    ("scores", [None, 500], "a fault of its own"),
    ("scores", [None, "slow"], "does not answer within"),
]


@pytest.mark.parametrize("part, trouble, said", TROUBLES, ids=[f"{p} {t}" for p, t, _ in TROUBLES])
def test_trouble_is_one_sentence_and_the_next_run_goes_on(
    linked, platform, monkeypatch, capsys, part, trouble, said
):
    monkeypatch.setattr(lti, "TIMEOUT", 0.3)
    platform.trouble = {part: trouble}
    platform.tokens.clear()
    line = ["--course", str(linked.root), "passback", "A1"]
    capsys.readouterr()
    assert command.main(line) == 1
    told = capsys.readouterr()
    assert told.err.startswith("127.0.0.1: ") and said in told.err and told.err.count("\n") == 1
    assert "Traceback" not in told.err + told.out
    platform.trouble = {}
    noted = (folder.read_json(linked.root / "passback.json") or {"A1": {}})["A1"]
    assert len(noted) == (part == "scores")
    assert command.main(line) == 0
    assert f"A1: {3 - len(noted)} sent, {len(noted)} as they were" in capsys.readouterr().out
    assert set(platform.scores[0]) == {"u-1", "u-2", "u-3"}


def test_a_token_that_runs_out_on_the_way_is_asked_for_again(linked, platform):
    platform.lasts = -1
    with pytest.raises(CourseError, match="does not know this class"):
        passback.send(linked, "A1")
    platform.lasts, platform.trouble = 3600, {"scores": [None, 401]}
    assert len(passback.send(linked, "A1")["sent"]) == 3


def test_the_key_of_another_class_opens_nothing(linked, platform, tmp_path):
    platform.public = lti.key(folder.new(tmp_path / "other"))[1]
    platform.tokens.clear()
    with pytest.raises(CourseError, match="does not know this class"):
        passback.send(linked, "A1")
    assert platform.posts == 0 and not (linked.root / "passback.json").exists()


def test_a_mark_given_there_by_hand_is_not_written_over_in_silence(linked, platform):
    passback.send(linked, "A1")
    platform.scores[0]["u-1"]["timestamp"] = "2999-01-01T00:00:00.000+00:00"
    marked(linked, "ada")
    done = passback.send(linked, "A1")
    assert "a newer mark" in done["refused"]["ada"] and not done["sent"]


def test_a_column_that_is_there_is_found_or_named(linked, platform):
    for n, tag in enumerate(("other", "translearn-A1")):
        url = f"{platform.url}/Course/2/lineitems/{n}/lineitem?type_id=1"
        platform.items.append({"id": url, "tag": tag, "label": tag, "scoreMaximum": 10})
    passback.send(linked, "A1")
    assert len(platform.items) == 2 and set(platform.scores) == {1}
    with (linked.root / "course.toml").open("a") as file:
        file.write(f'[lti.items]\nA1 = "{platform.items[0]["id"]}"\n')
    passback.send(linked, "A1", again=True)
    assert set(platform.scores) == {0, 1}


# ---- names


def test_an_empty_table_of_students_is_filled_with_who_learns_there(linked, platform, capsys):
    folder.write(linked.root / "students.csv", "id,first_name,last_name,email,lms_id\n")
    platform.members.append(member("-u7", "=cmd() Mean", "mean@x.org"))
    assert command.main(["--course", str(linked.root), "passback", "--members"]) == 0
    table = list(csv.DictReader((linked.root / "students.csv").read_text("utf-8").splitlines()))
    assert [row["id"] for row in table] == ["Ada@x.org", "alan@x.org", "kurt", "mean@x.org"]
    assert table[2]["last_name"] == "Gödel" and table[3]["first_name"] == "'=cmd()"
    users = passback.users(folder.Course(linked.root))
    assert users["kurt"] == "u-3" and users["mean@x.org"] == "-u7"
    assert "New in students.csv: Ada@x.org, alan@x.org" in capsys.readouterr().out


def test_a_table_with_students_stays_and_differences_are_listed(linked, platform):
    folder.write(linked.root / "students.csv", "id,email\nada,ada@x.org\nemmy,e@x.org\n")
    before = (linked.root / "students.csv").read_bytes()
    found = passback.members(folder.Course(linked.root))
    assert (linked.root / "students.csv").read_bytes() == before
    assert found["nobody"] == ["Alan Turing", "Kurt Gödel"] and found["missing"] == ["emmy"]
    assert found["known"] == 1 and passback.users(linked)["ada"] == "u-1"


# ---- settings and the key


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "no table .lti."),
        ("lti = 3", "no table .lti."),
        ('[lti]\nclient_id = "x"', "lineitems, token is missing"),
        (
            '[lti]\ntoken = "ftp://x"\nclient_id = "x"\nlineitems = "https://x/y"',
            "token should be",
        ),
        (
            '[lti]\ntoken = "http://x.org/t"\nclient_id = "x"\nlineitems = "https://x/y"',
            "begins with https://, and is 'http://x.org/t'",
        ),
        ('[lti]\ntoken = "https://x"\nclient_id = 7\nlineitems = "https://x/y"', "in quotes"),
        (
            '[lti]\ntoken = "https://x"\nclient_id = "x"\nlineitems = "https://x/y"\ntyp = "o"',
            "no setting 'typ'",
        ),
        (
            '[lti]\ntoken = "https://x"\nclient_id = "x"\nlineitems = "https://x/y"\n'
            '[lti.items]\na1 = "https://x/1"',
            "no assignment 'a1'",
        ),
    ],
)
def test_settings_with_a_mistake_say_which(course, text, said):
    path = course.root / "course.toml"
    folder.write(
        path, f"{text}\n{path.read_text()}" if "=" in text[:6] else f"{path.read_text()}\n{text}\n"
    )
    with pytest.raises(CourseError, match=said) as refused:
        lti.settings(course)
    assert "\n" not in str(refused.value)


def test_a_platform_that_gives_no_names_is_not_asked_for_them(course):
    with (course.root / "course.toml").open("a") as file:
        file.write(
            '\n[lti]\ntoken = "https://x/t"\nclient_id = "x"\nlineitems = "https://x/items"\n'
        )
    with pytest.raises(CourseError, match="members is missing"):
        passback.members(course)


def test_the_key_is_the_owners_alone_and_stays(course, capsys):
    assert command.main(["--course", str(course.root), "passback", "--key"]) == 0
    pem, _, jwk = capsys.readouterr().out.rstrip().rpartition("\n")
    assert pem.startswith("-----BEGIN PUBLIC KEY-----") and "PRIVATE" not in pem + jwk
    assert {"kty", "n", "e", "kid", "alg", "use"} <= set(json.loads(jwk)) and '"d"' not in jwk
    path = course.root / "lti.key"
    assert oct(path.stat().st_mode & 0o777) == "0o600" and lti.key(course)[1] == lti.key(course)[1]
    path.chmod(0o644)
    with pytest.raises(CourseError, match="may be read by others"):
        lti.key(course)
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(CourseError, match="cannot be used as a key"):
        lti.key(course)


def test_a_table_of_users_with_a_mistake_says_so(course):
    folder.write(course.root / "platform.csv", "who,what\nada,u-1\n")
    with pytest.raises(CourseError, match="columns id and user"):
        passback.users(course)


def test_no_other_command_loads_what_only_this_one_needs():
    code = (
        "import sys\n"
        "from translearn.coursework.instructor.__main__ import parser\n"
        "parser()\n"
        "print([name for name in ('pylti1p3', 'jwt', 'jwcrypto') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
