"""What was found, as rows of text: for the command, the README and the book."""

from statistics import mean, stdev


def _speeds(rows, assignment):
    """{grader: its runs of an assignment}, in the order in which they ran first."""
    found = {}
    for row in rows:
        if row.get("assignment") == assignment:
            found.setdefault(row["grader"], []).append(row)
    return found


def speed(rows: list, assignment: str) -> list:
    """Rows of a table: a head, then a row for each grader.

    Means over the repeats, with the standard deviation of the rate.
    """
    table = [
        [
            "Grader",
            "Submissions an hour",
            "Seconds each",
            "Processor seconds each",
            "Memory at most",
            "Right marks",
        ]
    ]
    for grader, runs in _speeds(rows, assignment).items():
        rates = [3600 * run["submissions"] / run["wall"] for run in runs]
        spread = f" ± {stdev(rates):,.0f}" if len(rates) > 1 else ""
        marks = sum(run["submissions"] for run in runs)
        table.append(
            [
                grader,
                f"{mean(rates):,.0f}{spread}",
                f"{mean(run['wall'] / run['submissions'] for run in runs):.2f}",
                f"{mean(run['cpu'] / run['submissions'] for run in runs):.2f}",
                f"{max(run['memory'] for run in runs) / 2**30:.2f} GB",
                f"{sum(run['right'] for run in runs)} of {marks}",
            ]
        )
    return table


HEAD = {
    "broken": ["Grader", "Broken", "Right mark", "No mark", "Wrong mark", "Left a trace"],
    "hostile": ["Grader", "Hostile", "Right mark", "No mark", "Wrong mark", "Left a trace"],
}


def tried(rows: list, kind: str) -> list:
    """Rows of a table for the "broken" or the "hostile" submissions, one for each grader."""
    found = {}
    for row in rows:
        if row.get("kind") == kind:
            found.setdefault(row["grader"], []).append(row)
    table = [HEAD[kind], *(_counted(grader, runs) for grader, runs in found.items())]
    return table


def _counted(grader, runs):
    said = [run["verdict"] for run in runs]
    counts = [said.count(each) for each in ("right", "none", "wrong")]
    return [grader, *map(str, [len(runs), *counts, sum(bool(run["traces"]) for run in runs)])]


def cases(rows: list) -> list:
    """A row for each broken or hostile submission that some grader did not see through."""
    graders = list(dict.fromkeys(row["grader"] for row in rows if "kind" in row))
    by_name = {}
    for row in rows:
        if "kind" in row:
            by_name.setdefault((row["kind"], row["name"]), {})[row["grader"]] = row
    table = [["Kind", "Submission", *graders]]
    for (kind, name), found in by_name.items():
        told = [_told(found.get(grader)) for grader in graders]
        if set(told) != {"right"}:
            table.append([kind, name, *told])
    return table


def _told(row):
    if row is None:
        return "–"
    words = {"right": "right", "none": "no mark", "wrong": "wrong"}
    return "; ".join([words[row["verdict"]], *row["traces"]])


def workers(rows: list) -> list:
    """Rows of a table of the runs on Dask workers."""
    table = [["Workers", "What happened", "Submissions", "Seconds", "Right", "Lost", "Twice"]]
    for row in rows:
        if "workers" in row:
            numbers = [row["submissions"], f"{row['wall']:.0f}", row["right"]]
            numbers += [row["lost"], row["twice"]]
            table.append([str(row["workers"]), row["event"], *map(str, numbers)])
    return table


def plain(table: list) -> str:
    """A table in columns, for the terminal."""
    wide = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    lines = ["  ".join(text.ljust(n) for text, n in zip(row, wide)).rstrip() for row in table]
    return "\n".join(lines)


def markdown(table: list) -> str:
    rows = [table[0], ["---"] * len(table[0]), *table[1:]]
    return "\n".join(f"| {' | '.join(row)} |".replace("| --- |", "|---|") for row in rows)


def summary(book: dict) -> str:
    """The tables of a record in Markdown, with the day and the machine: for README and book."""
    rows, parts = book["runs"], []
    machine = book["hardware"]
    versions = ", ".join(f"{name} {v}" for name, v in book["versions"].items())
    for assignment in ("A1", "A2"):
        if len(table := speed(rows, assignment)) > 1:
            parts.append(f"{assignment}, {book['jobs']} at a time:\n\n{markdown(table)}")
    for kind in ("broken", "hostile"):
        if len(table := tried(rows, kind)) > 1:
            parts.append(markdown(table))
    if len(table := workers(rows)) > 1:
        parts.append(f"Ours on Dask workers, on the same machine:\n\n{markdown(table)}")
    parts.append(
        f"Measured {book['measured']} on {machine['cores']} cores with {machine['memory_gib']} GB "
        f"({versions})."
    )
    return "\n\n".join(parts)
