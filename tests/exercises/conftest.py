"""The banks touch no one's progress, and say at the end how much was tried."""

from collections import Counter

import pytest


@pytest.fixture(autouse=True)
def _own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSLEARN_PROGRESS", str(tmp_path / "progress.json"))


def pytest_terminal_summary(terminalreporter):
    tried, groups, lessons, slowest = Counter(), Counter(), Counter(), (0, "")
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            case = dict(getattr(report, "user_properties", [])).get("bank case")
            if case and (report.when == "call" or outcome == "error"):
                tried[outcome] += 1
                lessons[case.split(".")[0]] += 1
                groups[case.split(": ")[1].split(" ")[0]] += 1
                slowest = max(slowest, (report.duration, case))
    if tried:
        line = terminalreporter.write_line
        terminalreporter.section("exercise banks")
        line(f"{sum(tried.values())} cases tried, {tried['passed']} passed")
        line(", ".join(f"{lesson} {count}" for lesson, count in sorted(lessons.items())))
        line(", ".join(f"{group} {count}" for group, count in groups.most_common()))
        line(f"slowest {slowest[0]:.1f} s: {slowest[1]}")
