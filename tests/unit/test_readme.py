"""The build keeps the README's tables: what has a source is ready, and a person's words stay."""

from types import SimpleNamespace

from translearn.authoring import handout, read, readme, sources
from translearn.paths import ROOT

TABLES = """Before.

| | Lesson | The question | |
|---|---|---|---|
| 00 | [Old title](notebooks/00_start.ipynb) | How, in short? | **ready** |
| 12 | The clinic | What is wrong? | to be written |

| | Assignment | |
|---|---|---|
| A1 | [Losses](notebooks/coursework/A1_losses.ipynb) | after lesson 01 |

After."""


def source(name, text):
    return SimpleNamespace(name=name, cells=[SimpleNamespace(kind="markdown", text=text)])


def test_rows_are_made_kept_and_put_in_order():
    lessons = [
        source("00_start", "# 00 · Start here\n\n> **A long question?**"),
        source("03_rates", "# 03 · Rates\n\n> **How fast | how slow?**"),
        source("12_clinic", "# 12 · The clinic\n\n> **Longer words?**"),
    ]
    assignments = [source(f"A{n}_x", f"# A{n} · Title {n}") for n in (1, 2, 10)]
    found = readme.page(TABLES, lessons, assignments)
    assert [line for line in found.splitlines() if line.startswith(("| 0", "| 1", "| A"))] == [
        "| 00 | [Start here](notebooks/00_start.ipynb) | How, in short? | **ready** |",
        "| 03 | [Rates](notebooks/03_rates.ipynb) | How fast \\| how slow? | **ready** |",
        "| 12 | [The clinic](notebooks/12_clinic.ipynb) | What is wrong? | **ready** |",
        "| A1 | [Title 1](notebooks/coursework/A1_x.ipynb) | after lesson 01 |",
        "| A2 | [Title 2](notebooks/coursework/A2_x.ipynb) |  |",
        "| A10 | [Title 10](notebooks/coursework/A10_x.ipynb) |  |",
    ]
    assert found.startswith("Before.") and found.endswith("After.")


def test_without_tables_or_sources_nothing_changes():
    assert readme.page("No tables.", [source("00_a", "# 00 · A")], []) == "No tables."
    assert readme.page(TABLES, [], []) == TABLES


def test_the_tables_are_up_to_date():
    assignments = [read(source) for source in handout.sources()]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.page(text, map(read, sources()), assignments) == text
    guide = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert readme.guide(guide, assignments) == guide


def test_what_an_assignment_is_worth_comes_from_its_module_and_the_rest_stays():
    row = "| A{} | Old title | after {} | {} | {} | 2 hours | 3 minutes |"
    old = row.format(1, "01–03", "1 question, 2 points", "1 answer, 1 point")
    report = row.format(4, "all", "3 questions, 1 point", "a report, 1 point")
    found = readme.guide(
        f"Before.\n{report}\n{old}\nAfter.",
        [source(f"A{n}_x", f"# A{n} · Title {n}") for n in (1, 2, 4)],
    )
    assert found.splitlines() == [
        "Before.",
        "| A1 | Title 1 | after 01–03 | 8 questions, 30 points | 1 answer, 7 points | 2 hours "
        "| 3 minutes |",
        "| A2 | Title 2 |  | 9 questions, 31 points | 1 answer, 7 points |  |  |",
        "| A4 | Title 4 | after all | 7 questions, 24 points | a report, 14 points | 2 hours "
        "| 3 minutes |",
        "After.",
    ]
    assert readme.guide("No table.", []) == "No table."
