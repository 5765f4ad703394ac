"""The ledger and the committed notebooks agree with the sources, as they stand."""

import ast
import json

import pytest

from translearn import authoring, paths
from translearn.bench import clinic
from translearn.bench.contest import entries
from translearn.evidence import lessons
from translearn.measure import ledger


@pytest.mark.parametrize("source", authoring.sources(), ids=lambda p: p.stem)
def test_everything_a_lesson_says_is_measured_by_the_code_as_it_is_now(source):
    assert lessons.stale(authoring.read(source)) == []


@pytest.mark.parametrize("source", authoring.sources(), ids=lambda p: p.stem)
def test_every_stamp_is_of_a_measurement_or_a_replay(source):
    for name in lessons.experiments(authoring.read(source)):
        assert ledger.experiment(name)["stamp"]["how"] in ("measured", "replayed"), name


def test_the_notebooks_are_what_the_sources_give():
    assert authoring.out_of_sync() == [], "run: python3 course.py build"


def test_the_ledger_holds_nothing_that_no_lesson_and_no_benchmark_measures():
    every = [authoring.read(source) for source in authoring.sources()]
    experiments = {name for lesson in every for name in lessons.trees_of(lesson)}
    experiments |= {*entries.ENTRIES, clinic.CONTEST}
    claims = {text for lesson in every for _, text in lessons.claims(lesson)}
    for file in paths.LEDGER.glob("*.json"):
        book = json.loads(file.read_text(encoding="utf-8"))
        assert set(book["experiments"]) <= experiments, (
            f"{file.name}: an experiment that is not in any lesson"
        )
        assert set(book["claims"]) <= claims, f"{file.name}: a claim that no lesson makes"


def test_only_an_experiment_that_says_so_may_have_three_seeds():
    least = lessons.least_seeds(authoring.read(authoring.find(["09"])[0]))
    assert [name for name, seeds in least.items() if seeds < 5] == ["vgg.recipes"]
    assert least["vgg.recipes"] == 3


def unseeded(code: str) -> list:
    """The cached functions in a cell that build layers which draw (dropout, random flips) and do
    not set the seed first: what they draw would depend on the run that built them.
    """
    draws = ("Dropout", "dropout=", "layers.Random", "GaussianNoise", "'minilm'")
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)]
    cached = [
        each for each in found if any("cache" in ast.unparse(d) for d in each.decorator_list)
    ]
    return [
        each.name
        for each in cached
        if any(word in ast.unparse(each) for word in draws)
        and not ast.unparse([s for s in each.body if not _words(s)][0]).startswith(
            "keras.utils.set_random_seed("
        )
    ]


def _words(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


@pytest.mark.parametrize("source", authoring.sources(), ids=lambda p: p.stem)
def test_what_a_cached_model_draws_does_not_depend_on_what_ran_before(source):
    for cell in authoring.read(source).cells:
        if cell.kind == "code" and "functools.cache" in cell.text:
            assert unseeded(cell.text) == [], f"line {cell.line}"


def test_a_cached_model_that_is_not_seeded_is_found():
    body = "return transfer.reusable(net(keras.layers.Dropout(share)))"
    seeded = f"keras.utils.set_random_seed(0)\n    {body}"
    head = '@functools.cache\ndef head(share):\n    "A head."\n    '
    assert unseeded(head + body) == ["head"] and unseeded(head + seeded) == []
