"""Where a run's time went: seconds by part, and the ten slowest tests. Works under xdist."""

from collections import Counter

PARTS = {
    "tests/unit/": "unit",
    "tests/exercises/": "exercises",
    "tests/browser/": "browser",
    "tests/book/": "book",
    "tests/coursework/": "coursework",
    "tests/replay/": "replay",
    "tests/lessons/": "lessons",
    "notebooks/source/A": "coursework",
    "notebooks/": "lessons",
}


def part(nodeid: str) -> str:
    """The part of the suite that a test belongs to."""
    return next((name for start, name in PARTS.items() if nodeid.startswith(start)), "other")


def pytest_terminal_summary(terminalreporter):
    seconds, tests, each = Counter(), Counter(), Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if not hasattr(report, "duration") or not hasattr(report, "when"):
                continue
            # Set-up and taking down count where they happen: a fixture with its first test.
            name = part(report.nodeid)
            seconds[name] += report.duration
            tests[name] += report.when == "setup"
            each[report.nodeid] += report.duration
    whole = sum(seconds.values())
    if len(each) < 20:  # a narrow run: who waits for two tests needs no table
        return
    line = terminalreporter.write_line
    terminalreporter.section("where the time went (seconds of all workers together)")
    for name, spent in seconds.most_common():
        line(f"{spent:8.1f} s {spent / whole:5.0%}  {name:12s}{tests[name]:6d} tests")
    line(f"{whole:8.1f} s        together")
    line("the slowest ten:")
    for name, spent in each.most_common(10):
        line(f"{spent:8.1f} s  {name}")
