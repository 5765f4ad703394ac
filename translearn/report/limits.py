"""What a model is not good for, in sentences made from the numbers of its record."""

from translearn.plain import count

WIDE = 0.10  # an interval of more is worth a sentence
POOR = 0.20  # below the mean: a class that is told apart badly
OFTEN = 0.25  # of a class's pictures taken for one other
SAME = 0.98  # a file that agrees with the model less often is worth a sentence
UNEVEN = 3  # the largest class has so many times the pictures of the smallest
FIT = {
    "cut": "Pictures are cut to their middle square: what lies at the edges of a long one is not "
    "seen.",
    "pad": "Pictures are padded to a square: things in a long one are small, and may be lost.",
    "stretch": "Pictures are stretched to a square: a long one is seen out of shape.",
}


def limits(record: dict) -> list[str]:
    """Sentences on what the numbers do not show or show to be weak, the gravest first."""
    rules = (baseline, width, looks, leaks, weak, confused, sureness, few, uneven, ended, made)
    found = [sentence for rule in rules for sentence in rule(record)]
    return [*found, *always(record)]


def baseline(record):
    test, classes = record["test"], len(record["data"]["classes"])
    if test["balanced interval"][0] <= 1 / classes:
        yield (
            f"It is not shown to be better than guessing: chance is {share(1 / classes)}, and "
            f"the interval begins at {share(test['balanced interval'][0])}."
        )


def width(record):
    test = record["test"]
    low, high = test["balanced interval"]
    if high - low > WIDE:
        yield (
            f"The test set has {count(test['pictures'], 'picture')}. The true balanced accuracy "
            f"may lie anywhere from {share(low)} to {share(high)}; an interval half as wide "
            f"takes about {count(4 * test['pictures'], 'picture')}."
        )


def looks(record):
    if record["test"]["looks"] > 1:
        yield record["test"]["looks sentence"]


def leaks(record):
    look = record["look"]
    if look is None:
        yield "Nobody looked for copies between training and test, or for wrong labels."
    elif number := look["leaks left in"]:
        yield (
            f"{number} {'picture has' if number == 1 else 'pictures have'} a copy or near copy in "
            "a later split: there the test asks what was seen before, so the score flatters."
        )


def weak(record):
    mean = record["test"]["balanced accuracy"]
    shown = [each for each in record["test"]["recalls"] if each["pictures"]]
    poor = [each for each in shown if each["recall"] < mean - POOR]
    for each in sorted(poor, key=lambda each: each["recall"])[:5]:
        yield (
            f"Of {count(each['pictures'], 'test picture')} of {each['class']} it recognised "
            f"{each['right']} (interval {share(each['low'])} to {share(each['high'])})."
        )


def confused(record):
    names, found = record["data"]["classes"], []
    for row, counts in enumerate(record["test"]["confusion"]):
        for column, times in enumerate(counts):
            if row != column and times > 1 and times >= OFTEN * sum(counts):
                found.append((times / sum(counts), times, sum(counts), names[row], names[column]))
    for _, times, of, label, guess in sorted(found, reverse=True)[:5]:
        yield f"It took {times} of {count(of, 'picture')} of {label} for {guess}."


def sureness(record):
    found, test = record["test"]["calibration"], record["test"]
    if found["ece"] > found["chance limit"]:
        off = "more" if found["mean confidence"] > test["accuracy"] else "less"
        yield (
            f"Its probabilities are not to be taken at their word: it says "
            f"{share(found['mean confidence'])} on average and is right in "
            f"{share(test['accuracy'])}. It is {off} sure than it should be, beyond what chance "
            f"explains on {count(test['pictures'], 'picture')}."
        )


def few(record):
    counts = record["data"]["counts"]["train"]
    name = min(counts, key=counts.get)
    if counts[name] < 20:
        yield (
            f"It was trained on few pictures: {sum(counts.values())} in all, {counts[name]} of "
            f"{name}. Other pictures for training would have given another model."
        )


def uneven(record):
    counts = record["data"]["counts"]["train"]
    most, least = max(counts, key=counts.get), min(counts, key=counts.get)
    if counts[most] >= UNEVEN * max(counts[least], 1):
        yield (
            f"Classes are uneven in training: {count(counts[most], 'picture')} of {most}, "
            f"{counts[least]} of {least}."
        )


def ended(record):
    if (record["training"] or {}).get("ended") == "interrupted":
        yield "The search for a model was interrupted: this is the best that there was by then."


def made(record):
    """What is lost when the files are handed over."""
    for each in (record["hand over"] or {"files": []})["files"]:
        if each["pictures"] and each["same"] < SAME:
            yield (
                f"{each['file']} guesses otherwise than model.keras on {share(1 - each['same'])} "
                f"of {count(each['pictures'], 'validation picture')}, and is right on "
                f"{share(each['accuracy'])} of them, model.keras on "
                f"{share(each['keras_accuracy'])}."
            )


def always(record):
    data = record["data"]
    high, wide = data["size"][:2]
    yield (
        "A shift was not tested. Test pictures come from the same collection as those for "
        "training: expect less with another camera, place, season or drawing style."
    )
    yield (
        f"It knows {len(data['classes'])} classes and nothing else: a picture of anything else is "
        "called one of them, too."
    )
    yield f"It sees {wide} x {high} pixels of a picture. {FIT[data['fit']]}"
    if not record["licence"]:
        yield "No licence was named: ask the author before you pass it on."


def share(value: float) -> str:
    """0.4567 as "45.7 %"."""
    return f"{100 * value:.1f} %"
