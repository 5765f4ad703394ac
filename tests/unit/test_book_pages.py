"""The pages of the book that are no lessons, and what its exercises unfold."""

import re

import pytest

from translearn import paths
from translearn.authoring import handout, minutes, read, sources
from translearn.authoring.book import answers, cards, exercises, measured, pages, start
from translearn.authoring.numbers import number
from translearn.coursework.student import question
from translearn.data import registry
from translearn.exercises import Choice, exercises_of
from translearn.measure import ledger

VERDICTS = ["holds", "holds partly", "does not hold here", "could not be told"]
REFERENCE = re.compile(r"\{\{ ([^{}]+?), (\w+) \}\}")
TIME = re.compile(r"\{\{ time\.\w+\.\w+ \}\}")


@pytest.fixture(scope="module")
def lessons():
    return [read(path) for path in sources()]


@pytest.fixture(scope="module")
def book(lessons):
    return pages.every('<figure id="an-explorer"></figure>', lessons)


def dead(text, book, lessons):
    """The links of a page that lead to no page or no heading of the book."""
    from translearn.authoring.book import anchors

    known = {
        f"{each.name}.ipynb": [slug for *_, slug in anchors.headings(each)] for each in lessons
    }
    text = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.M | re.S)
    found = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#([^)]*))?\)", text)
    return [
        f"{file}#{slug}"
        for file, slug in found
        if file not in known and file not in book or slug and file in known
        and slug not in known[file]
    ]  # fmt: skip


# ---------------------------------------------------------------- the start page


def test_every_lesson_has_a_surprise_with_numbers_of_its_own(lessons):
    own = {each.name: set(measured.evidence.trees_of(each)) for each in lessons}
    for lesson in lessons:
        found = re.findall(r"\{\{ (.+?) \}\}", lesson.meta["surprise"])
        assert len(found) >= 2, f"{lesson.name}: one number alone surprises nobody"
        experiments = {".".join(each.split(".")[:2]) for each in found}
        assert experiments & own[lesson.name] or lesson.name.startswith("12_"), lesson.name
        for reference in found:
            assert re.search(r"\d", number(reference)), reference
        typed = re.sub(r"\{\{.+?\}\}", "", lesson.meta["surprise"])
        assert not re.search(r"\d[\d.]* ?(%|±|points|times)", typed), typed


def test_the_start_page_has_a_row_for_each_lesson_and_an_explorer(lessons, book):
    text = book["index.md"]
    assert 'id="an-explorer"' in text and "<!--" not in text
    rows = re.findall(
        r"^\| \[(\d\d) · [^]]+\]\((\S+)\.ipynb\) "
        r"\| \{\{ time\.(\w+)\.core \}\} minutes \| (.+?\?) \| ",
        text,
        re.M,
    )
    assert [row[1] for row in rows] == [row[2] for row in rows] == [each.name for each in lessons]
    assert all(20 <= minutes.count(lesson, "core") <= 60 for lesson in lessons)
    assert "The explorer stands in lesson 00" in start.page(lessons)


def test_the_claims_of_the_article_are_all_there_with_verdict_number_and_link(lessons, book):
    row = r"^\| (A\d+) · .+ \| \*\*(.+?)\*\* \| (.+) → \[(\d\d) · .+\]\(\4_\w+\.ipynb#\S+\) \|$"
    rows = re.findall(row, book["index.md"], re.M)
    assert [name for name, *_ in rows] == [f"A{n}" for n in range(1, 11)]
    for name, verdict, said, _ in rows:
        assert verdict in VERDICTS, name
        assert len(REFERENCE.findall(said)) >= 2, f"{name}: a verdict rests on a comparison"


def test_references_resolve_and_links_lead_somewhere(lessons, book):
    for name, text in book.items():
        assert dead(text, book, lessons) == [], name
        if name != "contributing.md":  # shows how a reference is written
            assert "{{" not in TIME.sub("", REFERENCE.sub("", text)), name
            for body, form in REFERENCE.findall(text):
                assert number(f"{body} | {form}")
    broken = (
        "[a](nowhere.md) [b](05_freezing.ipynb#no-such-heading) "
        "[c](05_freezing.ipynb#4--measure-it)"
    )
    assert dead(broken, book, lessons) == ["nowhere.md#", "05_freezing.ipynb#no-such-heading"]


def test_every_page_is_listed_in_the_contents(book):
    listed = re.findall(r"```\{toctree\}.*?\n\n(.+?)\n```", book["index.md"], re.S)
    listed = "\n".join(listed).split("\n")
    assert {f"{name}.md" for name in listed if not name[0].isdigit()} | {"index.md"} == set(book)
    assert len(listed) == len(set(listed))


# ---------------------------------------------------------------- what we measured


def test_every_claim_of_the_ledger_stands_on_the_page_once(book):
    rows = re.findall(
        r"^\| \[((?:[^]\\]|\\.)+)\]\(\S+\) \| (\S+ ± \S+) \| ", book["measured.md"], re.M
    )
    shown = [(re.sub(r"\\(.)", r"\1", text), said) for text, said in rows]
    claims = {
        text: measured.FILTERS["spread"](row["mean"], row["spread"])
        for path in paths.LEDGER.glob("*.json")
        for text, row in ledger.read(path.stem)["claims"].items()
    }
    assert sorted(shown) == sorted(claims.items()) and len(claims) > 100
    assert f"The {len(claims)} claims" in book["measured.md"]


def test_every_experiment_has_its_seeds_dates_and_the_command_that_replays_it(lessons, book):
    from translearn.evidence import __main__ as evidence

    every = {each.name: each for each in measured.experiments(lessons)}
    recorded = {}
    for path in paths.LEDGER.glob("*.json"):
        recorded |= ledger.read(path.stem)["experiments"]
    assert set(every) == set(recorded)
    for name, each in every.items():
        entry = recorded[name]
        block = re.search(rf"\*\*{re.escape(name)}\*\*[^\n]*\n[^\n]*", book["measured.md"])[0]
        assert f" · {entry['seeds']} seeds · " in block and entry["measured"] in block
        assert (entry["stamp"] or {}).get("how") != "replayed" or entry["stamp"]["date"] in block
        command = measured.command(each)
        assert f"`{command}`" in block
        if each.home is None:
            assert re.fullmatch(r"python3 course.py bench (clinic|recipes) --replay.*", command)
            continue
        asked = evidence.parser().parse_args(command.split()[3:])
        assert asked.replay and asked.only == [name]
        assert [path.stem for path in evidence.find(asked.lesson)] == [each.home.name]


def test_the_bounds_are_said_in_words():
    for low, high, said in [
        (0.0, None, "more than 0"),
        (None, 2.5, "less than 2.5"),
        (-0.07, 0.07, "less than 0.07 in either direction"),
        (0.1, 0.2, "between 0.1 and 0.2"),
    ]:
        assert measured.asked({"holds_between": [low, high]}) == said
    assert measured.effect({"effect": ["over", "a", "b", "seconds"]}) == "seconds: a divided by b"
    assert measured.effect({"effect": ["of", "a", "score"]}) == "score: a"


# ---------------------------------------------------------------- answers, exercises, cards


def test_the_five_answers_are_of_five_kinds_and_on_the_page_as_the_check_gave_them(book):
    assert len(answers.KINDS) == 5
    for kind in answers.KINDS:
        code, outcome = answers.answered(kind)
        assert outcome.kind == kind
        assert f"```python\n{code}\n```" in book["answers.md"]
        assert outcome._repr_html_() in book["answers.md"]
    named = answers.answered("misconception")[1].misconception
    assert named in [mistake.name for mistake in answers.EXERCISE.mistakes]


def test_an_exercise_shows_what_a_learner_finds_and_folds_the_rest(lessons):
    import importlib

    for lesson in lessons:
        shown = exercises.in_place(lesson)
        module = importlib.import_module(f"translearn.exercises.lesson{lesson.name[:2]}")
        cells = {cell.id: cell for cell in lesson.cells}
        assert set(shown) <= set(cells)
        text = {key: "\n".join(c.source for c in found) for key, found in shown.items()}
        for each in exercises_of(module):
            (key,) = [k for k, c in cells.items() if f".{each.name}.check(" in c.text]
            folds = re.findall(
                r"\{admonition\} (.+)\n:class: \w+\n:collapsible: closed", text[key]
            )
            hints = [f"Hint {n} of {len(each.hints)}" for n in range(1, len(each.hints) + 1)]
            assert folds[: len(hints)] == hints
            assert f"course.py lab {lesson.name[:2]}`" in text[key]
            if isinstance(each, Choice):
                asked = next(found for found in text.values() if f"**{each.question}**" in found)
                assert asked.count("{admonition}") == len(each.options)
                assert asked.count("✓ **Passed.**") == 1
            else:
                assert folds[len(hints) :] == ["Solution"]
                assert each.solution_source in text[key]
        for found in shown.values():
            for cell in found:
                assert "SOLUTION" not in cell.source
                assert cell.cell_type == "markdown" or not cell.outputs


def test_each_thing_of_the_registry_has_its_card_and_each_licence_its_text(book):
    for name in registry.names():
        assert f"\n`{name}` · licence: {registry.entry(name)['licence']}" in book["cards.md"]
        assert f"| `{name}` | " in book["licences.md"]
    for file in (paths.DATA / "licences").glob("*.txt"):
        assert file.read_text(encoding="utf-8").strip() in book["licences.md"]
    assert (paths.ROOT / "LICENSE").read_text(encoding="utf-8").strip() in book["licences.md"]
    assert all(f"| {name} |" in book["licences.md"] for name in cards.CARRIED)


def test_the_assignments_are_told_without_their_answers(book):
    text = book["assignments.md"]
    for lesson in map(read, handout.sources()):
        module, title = handout.module_of(lesson), lesson.cells[0].text.partition("\n")[0][2:]
        asked = [*question.questions(module), *question.written(module)]
        points = sum(each.points for each in asked)
        row = rf"^\| {re.escape(title)} \| {len(asked)} \| {points} \| \w+.* hours .+ \|$"
        assert re.search(row, text, re.M) and f"\n## {title}\n" in text
        told = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        assert len(re.findall(r"^### \d+ · ", told, re.M)) == len(asked)
        answers = re.findall(
            r"### BEGIN SOLUTION\n(.+?)### END SOLUTION",
            "\n".join(cell.text for cell in lesson.cells),
            re.S,
        )
        lines = {line.strip() for answer in answers for line in answer.splitlines()}
        assert len(answers) >= len(asked) and len(lines) > 20
        assert [line for line in lines if len(line) > 25 and line in text] == []
    assert "For the instructor" not in text and "SOLUTION" not in text
