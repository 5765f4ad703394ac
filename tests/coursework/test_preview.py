"""An assignment as a student gets it: the same bytes, and the same check before handing in."""

import json
import zipfile

from translearn import lab
from translearn.coursework.instructor import bank, folder
from translearn.coursework.instructor.__main__ import main


def preview(course, *arguments):
    return main(["--course", str(course.root), "preview", "A1", *arguments])


def test_it_is_what_students_have_and_what_you_type_there_stays(course, capsys):
    assert preview(course) == 0
    assert "release/A1.zip, which students have" in capsys.readouterr().out
    with zipfile.ZipFile(course.root / "release" / "A1.zip") as archive:
        for name in archive.namelist():
            assert (course.root / "preview" / name).read_bytes() == archive.read(name), name
    path = course.root / "preview" / "A1" / "A1.ipynb"
    given = path.read_bytes()
    folder.write(path, "mine")
    (path.parent / "README.txt").unlink()
    preview(course)
    assert path.read_text() == "mine" and (path.parent / "README.txt").is_file()
    preview(course, "--again")
    assert path.read_bytes() == given
    assert not (course.root / "submitted" / "preview").exists()


def test_before_the_release_it_is_what_the_release_would_hold(course, capsys):
    released = course.released("A1").read_bytes()
    (course.root / "release" / "A1.zip").unlink()
    course.released("A1").unlink()
    assert preview(course) == 0
    assert "nothing is released yet" in capsys.readouterr().out
    assert (course.root / "preview" / "A1" / "A1.ipynb").read_bytes() == released
    assert not course.released("A1").exists(), "it releases nothing"


def test_the_students_check_looks_at_what_you_typed(course, capsys):
    path = course.root / "preview" / "A1" / "A1.ipynb"
    folder.write(path, json.dumps(bank.notebook("A1", {"huber": None, "explain": None})))
    assert preview(course, "--check") == 0
    said = capsys.readouterr().out
    assert "| ○ | 1 · A loss that forgives outliers: not attempted |" in said
    assert "| ✓ | 2 · Cross-entropy from logits: passes its visible check |" in said
    assert path.with_name("A1_preview.ipynb").is_file()
    folder.write(path, "no notebook")
    assert preview(course, "--check") == 1
    assert "A1.ipynb cannot be read as a notebook" in capsys.readouterr().err


def test_it_opens_as_the_course_opens_a_lesson(course, capsys, monkeypatch):
    """A folder with the assignment and nothing of the class; the server ends with the command."""
    seen = []

    class Server:
        def __init__(self, folder, start_page, home):
            seen.append((folder, start_page))
            home.mkdir(parents=True)
            self.process = self

        def url(self):
            return "http://127.0.0.1:1/lab/tree/A1/A1.ipynb"

        def wait(self):
            raise KeyboardInterrupt

        def stop(self):
            seen.append("stopped")

    monkeypatch.setattr(lab, "start", Server)
    assert preview(course, "--open", "--no-browser") == 0
    assert seen == [(course.root / "preview", "A1/A1.ipynb"), "stopped"]
    assert "It is open at" in capsys.readouterr().out
    assert sorted(path.name for path in (course.root / "preview").iterdir()) == [".lab", "A1"]
