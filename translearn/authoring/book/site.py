"""The book as a folder of static files: sources laid out, Sphinx run, what came out looked at."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from translearn import paths, words
from translearn.authoring.book import (
    chapters,
    executed,
    explorers,
    languages,
    pages,
    translation,
)
from translearn.authoring.reading import find, read, sources
from translearn.errors import CourseError

SPHINX = Path(__file__).with_name("sphinx")
MARK = ".translearn-book"  # the file that says that a folder is a book of ours
FIRST = "00"  # the lesson whose explorer stands on the start page


def build(output: Path, language: str = "en", only=None, say=print) -> Path:
    """Write the book into `output`, in another language than English into a folder in it; returns
    its start page.

    Lessons that have not run as they are now are run first (`executed.execute`); with `only`, the
    beginnings of lessons' names, none but these: the others are shown as they ran last. Raises
    `CourseError` for a folder with other things in it, where a lesson does not run, or where
    Sphinx finds something wrong.
    """
    wanted = {path.stem for path in find(only)}
    claim(output)
    lessons = [read(path) for path in sources()]
    ran = _ran(lessons, language, wanted, say)
    say("Laying out the pages.")
    began = time.time()
    source = paths.cache() / "book" / language / "source"
    lay(source, lessons, ran, language)
    say(f"Sphinx makes {len(list(source.glob('*.*')))} pages.")
    top, output = output, output if language == words.ENGLISH else output / language
    run(source, output, language)
    languages.link(top)
    files = [file for file in output.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    say(
        f"{output}: {len(list(output.glob('*.html')))} pages, {len(files)} files, {size:.0f} MB, "
        f"in {time.time() - began:.0f} s. Open {output / 'index.html'}"
    )
    return output / "index.html"


def _ran(lessons, language, wanted, say):
    """The lessons as they ran, by name: those `wanted` as they are now."""
    ran = {}
    for spoken in words.languages():  # a lesson that is not translated runs in English
        mine = [each for each in lessons if translation.spoken(each.name, language) == spoken]
        ran |= {each.name: executed.latest(each, spoken) or executed.empty() for each in mine}
        ran |= executed.execute([each for each in mine if each.name in wanted], spoken, say)
    return ran


def claim(output: Path) -> None:
    """Make the folder of a book, whose older pages may be deleted. Raises `CourseError` for one
    that has something else in it.
    """
    there = {file.name for file in output.iterdir()} if output.is_dir() else set()
    if there - {"slides"} and MARK not in there:
        raise CourseError(
            f"{output} has other things in it, and making the book would delete some of them. "
            "Name a new or empty folder: --output book"
        )
    output.mkdir(parents=True, exist_ok=True)
    (output / MARK).touch()


def lay(source: Path, lessons, ran: dict, language: str = "en") -> None:
    """Write what Sphinx reads: chapters, pages, and the pictures that go beside them. What has not
    changed is left as it is, so that Sphinx need not read it again.
    """
    import nbformat

    pictures = source / "extra" / "pictures"
    wanted = {}
    for lesson in lessons:
        with words.speaking(translation.spoken(lesson.name, language)) as spoken:
            chapter = chapters.chapter(lesson, ran[lesson.name], pictures / lesson.name, spoken)
        wanted[f"{lesson.name}.ipynb"] = nbformat.writes(chapter)
    with words.speaking(language):
        wanted |= pages.every(_first_explorer(lessons, ran, language))
    source.mkdir(parents=True, exist_ok=True)
    for file in source.glob("*.*"):
        if file.name not in wanted:
            file.unlink()
    used = "".join(wanted.values())
    for file in pictures.rglob("*.webp"):  # of an older run
        if file.name not in used:
            file.unlink()
    for name, text in wanted.items():
        file = source / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def _first_explorer(lessons, ran, language):
    for lesson in lessons:
        if lesson.name.startswith(FIRST) and ran[lesson.name].explorers:
            manifest = next(iter(ran[lesson.name].explorers.values()))
            return explorers.explorer_html(manifest, f"pictures/{lesson.name}/", language)
    return ""


def run(
    source: Path, output: Path, language: str = "en", builder: str = "html", strict: bool = True
) -> None:
    """Run Sphinx, with warnings as errors if `strict`. Raises `CourseError` that names the first
    of them.
    """
    shutil.rmtree(output / "pictures", ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-c", SPHINX, "-j", "auto"]
    command += ["-d", source.parent / "doctrees", "--no-color", source, output]
    told = {"TRANSLEARN_BOOK": SPHINX, "TRANSLEARN_BOOK_SOURCE": source}
    env = os.environ | {name: str(path) for name, path in told.items()}
    env |= {"TRANSLEARN_LANGUAGE": language, "PYTHONPATH": str(paths.ROOT)}
    # A process of its own: Sphinx is made to run once in one.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
        with subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=complaints, text=True
        ) as sphinx:
            _follow(sphinx.stdout)
        complaints.seek(0)
        said = [line for line in complaints.read().splitlines() if line.strip()]
    if sphinx.returncode or (said and strict):
        first = next(
            (line for line in said if "{{" in line or "WARNING" in line), "it ended without a word"
        )
        raise CourseError(f"The book has {len(said)} faults, the first of them: {first}")
    for page in output.glob("*.html"):  # of an older book
        if not any(source.glob(f"{page.stem}.*")) and page.stem != "search":
            page.unlink()
    (output / ".nojekyll").touch()  # without it GitHub Pages leaves out _static
    for name in (".buildinfo", "objects.inv", ".buildinfo.bak"):
        (output / name).unlink(missing_ok=True)
    # What no page asks for: 3 MB for whoever debugs the theme, 1.5 MB of icons' script.
    for name in ("*.map", "fontawesome.js"):
        for file in output.glob(f"_static/**/{name}"):
            file.unlink()


def _follow(lines):
    """A bar, on a terminal, of what Sphinx says that it does: read all pages, write them."""
    from tqdm.auto import tqdm

    steps = {"reading sources": 0, "writing output": 100}
    with tqdm(total=200, bar_format="{desc:24} {percentage:3.0f} % |{bar}|", disable=None) as bar:
        for line in lines:
            if found := re.match(r"(reading sources|writing output)\.\.\. \[ *(\d+)%\]", line):
                bar.set_description_str(found[1].capitalize(), refresh=False)
                bar.update(steps[found[1]] + int(found[2]) - bar.n)


def zipped(output: Path) -> Path:
    """The book as one file beside its folder, as Moodle takes it."""
    return Path(shutil.make_archive(str(output), "zip", output))
