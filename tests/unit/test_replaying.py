"""Replays: what is run, what agrees with the ledger, and how large a change is seen."""

import numpy as np
import pytest

from translearn import authoring, paths
from translearn.errors import CourseError
from translearn.evidence import __main__ as command
from translearn.evidence import book, lessons, replay
from translearn.measure import experiment as measuring
from translearn.measure import ledger

HEADER = "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n# T\n\n"


def cell(text, tags=""):
    return f"```{{code-cell}} ipython3\n{tags}{text}\n```\n\n"


LESSON = (
    cell("import numpy as np\nfrom translearn import measure\nimport builtins")
    + cell("base = 0.5\nran = builtins.__dict__.setdefault('_ran', [])")
    + cell("raise RuntimeError('an unneeded cell has run')")
    + cell(
        "def arm(seed, how):\n"
        "    ran.append((how, seed))\n"
        "    return {'score': base + how + seed / 100, 'seconds of it': 1.0}"
    )
    + cell("first = measure.compare(arm, grid={'how': [0.1, 0.2]}, name='toy.first')")
    + cell("chosen = first.values('0.1', 'score').mean()")
    + cell(
        "def second(seed, how):\n"
        "    ran.append((f'second {how}', seed))\n"
        "    return {'score': chosen + how + seed / 100}"
    )
    + cell(
        "measure.compare(second, grid={'how': [0.3]}, name='toy.second', ledger_seeds=7)",
        ":tags: [ledger-only]\n\n",
    )
)


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A lesson of two experiments, measured; returns its path."""
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "ledger")
    monkeypatch.setattr(paths, "SOURCE", tmp_path)
    monkeypatch.setattr(measuring, "recorder", None)
    path = tmp_path / "99_toy.md"
    path.write_text(HEADER + LESSON.replace("raise RuntimeError", "0 and RuntimeError"))
    command.measure_here(path, 5)
    path.write_text(HEADER + LESSON)
    here = lambda path, name, seed, cache: (replay.run_here(path, name, seed), 1.0, None)  # noqa: E731
    monkeypatch.setattr(replay, "_run_apart", here)
    ran().clear()
    return path


def ran():
    import builtins

    return builtins.__dict__.setdefault("_ran", [])


def agreed(outcomes):
    return {outcome.name: not outcome.problems for outcome in outcomes}


def unstamp(*names):
    for name in names:
        book._change(name, lambda b, n=name: b["experiments"][n].update(stamp=None, rests_on=None))


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_only_the_arms_of_what_is_replayed_run_one_seed_each_and_only_the_cells_it_needs(lesson):
    unstamp("toy.second")
    assert agreed(replay.replay([lesson])) == {"toy.second": True}
    assert ran() == [("second 0.3", 0)], "toy.first was read from the ledger"
    assert measuring.recorder is None


def test_what_agrees_is_stamped_anew_and_keeps_its_runs(lesson):
    runs = ledger.experiment("toy.first")["runs"]
    change(lesson, "base = 0.5", "base = 0.25 + 0.25")
    assert any("toy.first has changed" in said for said in lessons.stale(authoring.read(lesson)))
    assert agreed(replay.replay([lesson])) == {"toy.first": True, "toy.second": True}
    entry = ledger.experiment("toy.first")
    assert entry["stamp"]["how"] == "replayed" and entry["runs"] == runs
    assert lessons.stale(authoring.read(lesson)) == []
    assert replay.replay([lesson]) == [], "everything is current"


def test_what_does_not_agree_stays_stale_and_says_by_how_much(lesson, capsys):
    replay.replay([lesson], only=["toy.first"])  # from now on it has to be equal
    capsys.readouterr()
    change(lesson, "base = 0.5", "base = 0.53")
    outcome = replay.replay([lesson], only=["toy.first"])[0]
    assert outcome.problems[0].startswith(
        "0.1, score, seed 0: 0.63, recorded 0.6; one more run would lie between"
    )
    assert len(outcome.problems) == 2 and "2 differ" in capsys.readouterr().out
    assert any("toy.first has changed" in said for said in lessons.stale(authoring.read(lesson)))


def test_a_replay_can_be_told_to_leave_the_ledger_alone_and_to_run_what_is_current(lesson):
    unstamp("toy.first")
    before = (paths.LEDGER / "toy.json").read_bytes()
    found = replay.replay([lesson], everything=True, stamp=False)
    assert agreed(found) == {"toy.first": True, "toy.second": True}
    assert (paths.LEDGER / "toy.json").read_bytes() == before


def test_the_seed_is_varied_by_the_text_that_chooses_and_named_experiments_run_alone(lesson):
    for choose in ("a", "b", "c", "d"):
        replay.replay([lesson], only=["toy.second"], choose=choose)
    seeds = [seed for _, seed in ran()]
    assert len(seeds) == 4 and len(set(seeds)) > 1 and max(seeds) < 7
    with pytest.raises(CourseError, match="no experiment named toy.third"):
        replay.replay([lesson], only=["toy.third"])


def test_an_interruption_keeps_the_stamps_that_were_written(lesson, monkeypatch):
    unstamp("toy.first", "toy.second")
    once = replay._run_apart

    def stopped(path, name, seed, cache):
        if name == "toy.second":
            raise KeyboardInterrupt
        return once(path, name, seed, cache)

    monkeypatch.setattr(replay, "_run_apart", stopped)
    with pytest.raises(KeyboardInterrupt):
        replay.replay([lesson])
    monkeypatch.setattr(replay, "_run_apart", once)
    assert agreed(replay.replay([lesson])) == {"toy.second": True}


def test_a_changed_arm_or_metric_or_a_missing_entry_is_no_replay(lesson):
    change(lesson, "grid={'how': [0.1, 0.2]}", "grid={'how': [0.1, 0.4]}")
    assert (
        "new 0.4; no longer there 0.2"
        in replay.replay([lesson], only=["toy.first"])[0].problems[0]
    )
    change(lesson, "'score': base", "'accuracy': base")
    change(lesson, "[0.1, 0.4]", "[0.1, 0.2]")
    assert (
        "new accuracy; no longer there score"
        in replay.replay([lesson], only=["toy.first"])[0].problems[0]
    )
    book.prepare(["toy.first"])
    assert "measure it" in replay.replay([lesson], only=["toy.second"])[0].problems[0]


def test_a_replay_runs_in_a_process_of_its_own_and_a_failure_is_told(monkeypatch, tmp_path):
    path = tmp_path / "99_toy.md"
    path.write_text(HEADER + cell("import nowhere\nnowhere.measure.compare(1, name='toy.first')"))
    runs, _, error = replay._run_apart(path, "toy.first", 0, str(tmp_path / "cache"))
    assert runs is None and error == "ModuleNotFoundError: No module named 'nowhere'"


def test_the_command_says_what_is_stale_and_refuses_what_makes_no_sense(lesson, capsys):
    assert command.main(["--replay"]) == 0
    assert "0 of 0 replayed" in capsys.readouterr().out
    assert command.main(["--replay", "--only", "toy.first"]) == 0
    change(lesson, "base = 0.5", "base = 0.7")
    assert command.main(["--replay", "--only", "toy.first"]) == 1
    assert "Stale: toy.first" in capsys.readouterr().out
    assert command.main(["42"]) == 1 and "no lesson '42'" in capsys.readouterr().err
    assert command.main(["--minutes", "2"]) == 1
    assert command.main(["--replay", "--minutes", "-1"]) == 1
    assert command.main(["--seeds", "3"]) == 1


# ---------------------------------------------------------------- choosing


def test_the_choice_fits_the_time_is_the_same_for_the_same_text_and_reaches_all():
    seconds = {f"x.{i}": 10.0 + i for i in range(40)} | {"x.long": 1000.0}
    first = replay.fitting(seconds, 120, "commit")
    assert first == replay.fitting(seconds, 120, "commit") and 3 <= len(first) <= 11
    assert sum(seconds[name] for name in first) <= 120
    reached = {name for i in range(300) for name in replay.fitting(seconds, 120, f"commit {i}")}
    assert reached == seconds.keys() - {"x.long"}


def test_the_time_is_the_last_replays_or_that_of_the_first_seed():
    runs = [["a", 0, {}, 5.0], ["b", 0, {}, 7.0], ["a", 1, {}, 1.0]]
    assert replay.expected({"runs": runs, "stamp": None}) == replay.START + 12
    assert replay.expected({"runs": runs, "stamp": {"seconds": 33.0}}) == 33


# ---------------------------------------------------------------- what agrees


def entry(values, metric="score"):
    """One arm with a value a seed."""
    return {"runs": [["a", seed, {metric: v}, 1.0] for seed, v in enumerate(values)]}


def off(values, again, same=True, metric="score"):
    return bool(replay.differences(entry(values, metric), [["a", 0, {metric: again}, 1.0]], same))


NAN = float("nan")


@pytest.mark.parametrize(
    "values, again, seen",
    [
        ([0.5, 0.5, 0.5], 0.500004, False),  # rounding
        ([0.5, 0.5, 0.5], 0.50001, True),
        ([0.50, 0.52, 0.54], 0.50001, True),  # a spread excuses nothing
        ([0.0, 0.0, 0.1], 0.0, False),
        ([NAN, 0.5, 0.5], NAN, False),
        ([NAN, 0.5, 0.5], 0.5, True),
        ([0.5, 0.5, NAN], NAN, True),
        ([1e-9, 2e-9, 3e-9], 1.1e-9, True),
    ],
)
def test_on_the_same_processor_a_number_is_the_same_but_for_rounding(values, again, seen):
    assert off(values, again) is seen


def test_elsewhere_a_number_lies_where_the_other_seeds_say():
    values = [0.50, 0.52, 0.54, 0.51, 0.53]
    assert not off(values, 0.65, same=False) and off(values, 0.80, same=False)
    assert not off([0.5] * 5, 0.53, same=False), "another machine's rounding turns pictures over"


def test_times_are_only_asked_to_be_times():
    assert not off([1.0, 1.1], 99.0, metric="seconds of training")
    assert off([1.0, 1.1], NAN, metric="seconds of training")
    assert off([1.0, 1.1], -1.0, metric="CPU-seconds")


def test_a_number_must_be_equal_where_this_processor_has_given_it_before(monkeypatch):
    stamp = {"equal_on": book.processor(), "equal_seeds": [0, 3]}
    ours = {"versions": book.versions(), "stamp": stamp}
    assert replay.like_ours(ours, 0) and replay.like_ours(ours, 3)
    assert not replay.like_ours(ours, 1), "of this seed it is not known"
    assert replay.like_ours(ours | {"versions": book.versions() | {"python": "3.99"}}, 0)
    assert not replay.like_ours(ours | {"versions": book.versions() | {"keras": "3.0.0"}}, 0)
    for none in ({}, None):
        assert not replay.like_ours(ours | {"stamp": none}, 0)
    monkeypatch.setattr(book, "processor", lambda: "another")
    assert not replay.like_ours(ours, 0)


def test_a_stamp_says_on_which_processor_the_numbers_were_equal(lesson):
    replay.replay([lesson], only=["toy.first"])
    stamp = ledger.experiment("toy.first")["stamp"]
    assert (
        stamp["how"] == "replayed"
        and stamp["equal_on"] == book.processor()
        and 0 in stamp["equal_seeds"]
    )
    book.stamp("toy.first", ledger.experiment("toy.first")["rests_on"], 1.0, equal=3)
    assert {0, 3} <= set(ledger.experiment("toy.first")["stamp"]["equal_seeds"])
    change(lesson, "base = 0.5", "base = 0.50001")
    (found,) = replay.replay([lesson], only=["toy.first"])
    assert found.problems, "it was equal here, so it has to be"


def seen(rng, same, arms, metrics, seeds, shift=0.0, where=1.0, chance=0.0, times=200):
    """The share of simulated replays that are seen not to agree.

    Numbers spread normally over seeds with standard deviation 1. Of the change, `shift` spreads
    reach the share
    `where` of the arms. `chance` is the part of the spread that is drawn anew in each run
    (rounding that training
    magnifies): 0, the seed decides everything; 1, nothing.
    """
    found = 0
    for _ in range(times):
        by_seed = rng.standard_normal((arms, metrics, seeds))
        first, again = rng.standard_normal((2, arms, metrics, seeds)) * chance
        keep = np.sqrt(1 - chance**2)
        book_values = 10 + keep * by_seed + first
        moved = shift * (np.arange(arms) < where * arms)[:, None]
        new = 10 + keep * by_seed[:, :, 0] + again[:, :, 0] + moved
        runs = [
            [str(a), s, {str(m): book_values[a, m, s] for m in range(metrics)}, 1.0]
            for a in range(arms)
            for s in range(seeds)
        ]
        replayed = [
            [str(a), 0, {str(m): new[a, m] for m in range(metrics)}, 1.0] for a in range(arms)
        ]
        found += bool(replay.differences({"runs": runs}, replayed, same))
    return found / times


def test_on_the_same_processor_every_change_but_rounding_is_seen():
    """A thousandth of a spread in one arm of thirty is seen; a number's eighth digit is not."""
    rng = np.random.default_rng(0)
    for arms, metrics, seeds in [(1, 1, 5), (4, 2, 10), (30, 1, 5)]:
        assert seen(rng, True, arms, metrics, seeds, shift=1e-7, times=50) == 0
        assert seen(rng, True, arms, metrics, seeds, shift=1e-3, where=1 / arms, times=50) == 1


def test_elsewhere_unchanged_code_agrees_in_999_of_1000_replays():
    rng = np.random.default_rng(1)
    for chance in (0.0, 1.0):  # the seed decides everything, or nothing
        assert seen(rng, False, 4, 1, 5, chance=chance, times=700) <= 0.005


def test_how_large_a_change_is_seen_elsewhere():
    """Of four arms, all shifted: with 5 seeds ten spreads are seen in a third of the replays and
    40 in
    all; with 10 seeds five in two thirds and eight in all; with 20 seeds five in all.
    """
    rng = np.random.default_rng(2)
    for seeds, shift, least, most in [
        (5, 10, 0.2, 0.6),
        (5, 40, 0.95, 1),
        (10, 5, 0.5, 0.9),
        (10, 8, 0.95, 1),
        (20, 5, 0.9, 1),
    ]:
        assert least <= seen(rng, False, 4, 1, seeds, shift=shift, times=100) <= most
