"""Groups that hand in once: one file, one verdict, one marking; a mark and a page for each."""

import json
import os
import shutil
from concurrent.futures import Future

import pytest
from judged import judged, result

from translearn.coursework.instructor import (
    bank,
    books,
    feedback,
    folder,
    grading,
    groups,
    overrides,
    waiting,
)
from translearn.coursework.instructor.collect import collect
from translearn.coursework.instructor.folder import Course
from translearn.coursework.student.question import written
from translearn.errors import CourseError

TABLE = "id,first_name,last_name,email,group\n{}"
ROWS = {
    "ada": "ada,Ada,Lovelace,ada@x.org,Blue\n",
    "alan": "alan,Alan,Turing,alan@x.org, blue\n",
    "kurt": "kurt,Kurt,Gödel,kurt@x.org,\n",
}


def enrol(course, **rows):
    folder.write(course.root / "students.csv", TABLE.format("".join((ROWS | rows).values())))


@pytest.fixture
def course(tmp_path, template):
    """ada and alan are the group Blue, kurt works alone."""
    course = folder.Course(shutil.copytree(template, tmp_path / "class"))
    enrol(course)
    text = (course.root / "course.toml").read_text()
    folder.write(course.root / "course.toml", 'groups = ["A1"]\n' + text)
    return Course(course.root)


def send(course, student, when, **answers):
    """A file in `downloads` as `student` sent it, `when` in seconds."""
    path = course.root / "downloads" / f"A1_{student}.ipynb"
    folder.write(path, json.dumps(bank.notebook("A1", answers)))
    os.utime(path, (when, when))
    return path.read_bytes()


def taken(course):
    """{student: (state, problem)} of a collect; the last thing said of each."""
    found = collect(course, course.root / "downloads")
    return {each.student: (each.state, each.problem) for each in found}


def have(course):
    return {s: course.submitted(s, "A1").read_bytes() for s in course.submissions("A1")}


def test_one_hands_in_for_all(course):
    data = send(course, "ada", 1000)
    said = taken(course)
    assert said["ada"] == ("collected", "for ada, alan") and "alan" not in said
    assert said["kurt"][0] == "missing"
    assert have(course) == {"ada": data, "alan": data}
    stamps = {
        course.submitted(s, "A1").with_name("timestamp.txt").read_text() for s in have(course)
    }
    assert len(stamps) == 1
    assert groups.follows(course, "A1", "alan") == "ada"
    assert groups.follows(course, "A1", "ada") is groups.follows(course, "A1", "kurt") is None
    assert groups.followers(course, "A1", "ada") == ["alan"]
    assert groups.members(course, "A1", "alan") == {"ada", "alan"}
    assert taken(course)["ada"][0] == "unchanged"


def test_of_two_members_files_the_newest_counts(course):
    send(course, "ada", 1000)
    data = send(course, "alan", 2000, huber=None)
    said = taken(course)
    assert said["alan"][0] == "collected" and said["ada"][0] == "older"
    assert "A1_alan.ipynb is newer" in said["ada"][1]
    assert have(course) == {"ada": data, "alan": data}
    assert groups.follows(course, "A1", "ada") == "alan"


def test_an_older_file_that_comes_later_is_said_and_not_taken(course):
    data = send(course, "alan", 2000)
    taken(course)
    (course.root / "downloads" / "A1_alan.ipynb").unlink()
    send(course, "ada", 1000, huber=None)
    assert taken(course)["ada"] == ("older", "not used: alan handed in later for the group")
    assert have(course) == {"ada": data, "alan": data}
    newer = send(course, "ada", 3000, huber=None)
    assert taken(course)["ada"][0] == "collected"
    assert have(course) == {"ada": newer, "alan": newer}
    earlier = course.submitted("alan", "A1").parent / "earlier"
    assert [path.read_bytes() for path in earlier.iterdir()] == [data]


def test_who_left_keeps_what_was_handed_in_before_and_who_joins_gets_it(course):
    data = send(course, "ada", 1000)
    taken(course)
    enrol(course, alan="alan,Alan,Turing,alan@x.org,\n", kurt="kurt,Kurt,Gödel,k@x.org,Blue\n")
    assert taken(course)["ada"][1].endswith("for ada, alan, kurt")
    assert set(groups.followers(course, "A1", "ada")) == {"alan", "kurt"}
    newer = send(course, "kurt", 2000, huber=None)
    taken(course)
    assert have(course) == {"ada": newer, "alan": data, "kurt": newer}
    assert groups.follows(course, "A1", "alan") is None, "alone, with the old file"
    assert groups.followers(course, "A1", "kurt") == ["ada"]
    own = send(course, "alan", 3000, verdict=None)
    taken(course)
    assert have(course) == {"ada": newer, "alan": own, "kurt": newer}
    assert groups.note(course, "A1", "alan") is None


def test_a_mates_name_inside_is_no_second_name(course):
    place = course.root / "downloads" / "ada"
    place.mkdir()
    (place / "A1_alan.ipynb").write_text(json.dumps(bank.notebook("A1", {})))
    assert taken(course)["ada"][0] == "collected"
    (place / "A1_alan.ipynb").rename(place / "A1_kurt.ipynb")
    assert taken(course)["ada"][0] == "two names"


def test_without_the_line_in_course_toml_a_group_is_no_group(course):
    folder.write(course.root / "course.toml", "")
    send(course, "ada", 1000)
    alone = Course(course.root)
    assert taken(alone)["alan"][0] == "missing" and list(have(alone)) == ["ada"]


def test_an_extension_for_one_member_is_that_ones_alone(course):
    text = (course.root / "course.toml").read_text()
    due = "[due]\nA1 = 2027-03-01T12:00:00"
    folder.write(course.root / "course.toml", text.replace("\n[due]", f"\n{due}", 1))
    folder.write(
        course.root / "extensions.csv", "id,assignment,until,reason\nalan,A1,2027-03-09,ill\n"
    )
    late = Course(course.root)
    send(late, "ada", 1000)
    taken(late)
    for each in ("ada", "alan"):  # nothing can be handed in in the future
        stamp = late.submitted(each, "A1").with_name("timestamp.txt")
        stamp.write_text("2027-03-04T12:00:00")
    assert [books.late(late, each, "A1") for each in ("ada", "alan")] == ["3.0 days", ""]


def test_moodle_sends_each_member_the_page_of_the_group(course):
    for name, number in (("Ada Lovelace", 11), ("Alan Turing", 12)):
        place = course.root / "downloads" / f"Blue-{name}_{number}_assignsubmission_file_"
        folder.write(place / "A1.ipynb", json.dumps(bank.notebook("A1", {})))
    taken(course)
    kept = {s: course.submitted(s, "A1").with_name("moodle.txt").read_text() for s in have(course)}
    assert "Ada Lovelace_11_" in kept["ada"] and "Alan Turing_12_" in kept["alan"]


@pytest.mark.parametrize(
    "line, said",
    [
        ('groups = "A4"', "`groups` names the assignments"),
        ("groups = [4]", "`groups` names the assignments"),
        ('groups = ["A9"]', "There is no assignment 'A9'"),
    ],
)
def test_a_line_that_is_none_is_one_sentence(course, line, said):
    folder.write(course.root / "course.toml", line)
    with pytest.raises(CourseError, match=said):
        Course(course.root)


def test_groups_without_anybody_in_one_are_said(course):
    folder.write(course.root / "students.csv", "id\nada\nalan\n")
    send(course, "ada", 1000)
    with pytest.raises(CourseError, match="students.csv has no column group"):
        taken(course)


# ---- graded, marked and given back


@pytest.fixture
def runs(monkeypatch):
    """Grading without a sandbox; the list of those whose submission ran."""
    ran = []

    def spread(jobs, scheduler, hand_in, released, names, keep, quiet):
        for student in names:
            ran.append(student)
            future = Future()
            future.set_result(
                hand_in(lambda f, a, book, data, **_: ran.result(data), student, {}, 1)
            )
            keep(student, future)

    class Ran(list):
        def result(self, data):
            return result(self.course, json.loads(data))

    ran = Ran()
    monkeypatch.setattr(grading, "spread", spread)
    monkeypatch.setattr(grading.walls, "check", lambda *_: None)
    return ran


def marked(course):
    names = ["huber", "explain", "points"]
    return {row["student"]: [row[n] for n in names] for row in books.marks(course, "A1")}


def test_it_runs_once_and_is_everybodys(course, runs):
    runs.course = course
    send(course, "ada", 1000)
    send(course, "kurt", 1000, verdict=None)
    taken(course)
    done = grading.grade(course, "A1", quiet=True)
    assert runs == ["ada", "kurt"] and set(done) == {"ada", "alan", "kurt"}
    assert grading.todo(course, "A1") == []
    assert "alan" not in {each.student for each in waiting.Answers(course, "A1").refresh().all}
    levels = {
        criterion: list(of)[-1]
        for each in written(grading.judging.load("a1"))
        for criterion, of in each.rubric.items()
    }
    books.mark(course, "A1", "ada", "explain", levels, "Well seen, both.")
    assert marked(course) == {"ada": [3, 7, 37], "alan": [3, 7, 37], "kurt": [3, None, None]}
    page = feedback.page(course, "A1", "alan")
    assert "Handed in by Ada Lovelace, for Ada Lovelace, Alan Turing." in page
    assert "Well seen, both." in page and "Alan Turing" in page
    assert "Handed in by" not in feedback.page(course, "A1", "kurt")
    overrides.give(course, "A1", "alan", "huber", 1, "You told us so yourself.")
    assert [marked(course)[s][0] for s in ("ada", "alan")] == [3, 1], "one's own, not the group's"


def test_who_joins_gets_verdict_and_marks_without_a_run(course, runs):
    runs.course = course
    send(course, "ada", 1000)
    taken(course)
    grading.grade(course, "A1", quiet=True)
    levels = {
        criterion: list(of)[0]
        for each in written(grading.judging.load("a1"))
        for criterion, of in each.rubric.items()
    }
    points = books.mark(course, "A1", "ada", "explain", levels, "")
    enrol(course, kurt="kurt,Kurt,Gödel,k@x.org,BLUE\n")
    taken(course)
    assert grading.todo(course, "A1") == ["kurt"]
    assert set(grading.grade(course, "A1", quiet=True)) == {"kurt"} and runs == ["ada"]
    assert marked(course)["kurt"] == marked(course)["ada"] == [3, points, 30 + points]
    again = grading.grade(course, "A1", ["alan"], again=True, quiet=True)
    assert runs == ["ada", "ada"] and set(again) == {"ada", "alan", "kurt"}


def test_a_file_changed_by_hand_stands_alone(course, runs):
    runs.course = course
    send(course, "ada", 1000)
    taken(course)
    judged(course, "alan", {"huber": None})
    assert groups.follows(course, "A1", "alan") is None
    assert groups.followers(course, "A1", "ada") == []
    assert grading.todo(course, "A1") == ["ada"]
