"""From signs to a diagnosis: what the rules find, causes before their consequences."""

from dataclasses import dataclass, field
from html import escape

import numpy as np

from translearn.clinic import courses, rules
from translearn.clinic import signs as reading
from translearn.clinic import thresholds as at
from translearn.clinic.faults import FAULTS
from translearn.clinic.record import Record
from translearn.errors import CourseError

# A fault in the left column explains those on the right, which are then no findings of their own.
EXPLAINS = {
    "forgotten recompile": "everything frozen, too little capacity, rate too low, stopped too "
    "early, dead units, collapse to the majority",
    "everything frozen": "rate too high, too little capacity, rate too low, collapse to the "
    "majority, stopped too early, dead units, shuffled pairs, batch too small",
    "logits mismatch": "rate too high, rate too low, too little capacity, collapse to the "
    "majority, dead units, stopped too early, batch too small, overfitting, wrong labels",
    "inputs on the wrong scale": "rate too high, rate too low, dead units, collapse to the "
    "majority, too little capacity, stopped too early, batch too small, shuffled pairs, "
    "batch normalisation in training mode, overfitting, wrong labels",
    "shuffled pairs": "overfitting, wrong labels, too little capacity, collapse to the majority, "
    "rate too low, batch too small, stopped too early, rate too high",
    "rate too high": "dead units, collapse to the majority, too little capacity, batch too small, "
    "stopped too early, overfitting, batch normalisation in training mode, wrong labels",
    "dead units": "collapse to the majority, too little capacity, rate too low, stopped too early",
    "wrong labels": "overfitting, too little capacity, batch too small, rate too low, "
    "stopped too early",
    "rate too low": "stopped too early, too little capacity, collapse to the majority, "
    "batch too small",
    "collapse to the majority": "too little capacity, stopped too early, batch too small, "
    "shuffled pairs, overfitting",
    "batch too small": "overfitting, stopped too early, too little capacity, dead units, "
    "collapse to the majority",
    "batch normalisation in training mode": "overfitting, stopped too early, batch too small, "
    "wrong labels, too little capacity",
    "too little capacity": "stopped too early",
}
WATCH = "Train with callbacks=[clinic.watch()]: it sees the data, the steps and the weights."


@dataclass(frozen=True)
class Finding:
    """One fault that was found.

    name      a key of `FAULTS`
    evidence  a sentence with the numbers that speak for it
    strength  from 0 to 1
    """

    name: str
    evidence: str
    strength: float = 1.0

    @property
    def remedies(self) -> list:
        """What helps, in the order to try."""
        return list(FAULTS[self.name].remedies)

    @property
    def apart(self) -> str:
        """The experiment that tells the fault from its lookalikes, or ""."""
        return FAULTS[self.name].apart


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` says. `verdict` is "sick", "healthy" or "cannot tell".

    findings  the faults, strongest first
    missing   what to record to know more
    seen      what was looked at, one phrase each
    """

    verdict: str
    findings: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    seen: list = field(default_factory=list)

    def __str__(self):
        lines = [f"Verdict: {self.verdict}"]
        for finding in self.findings:
            lines += [f"* {finding.name}: {finding.evidence}"]
            lines += [f"    {n}. {remedy}" for n, remedy in enumerate(finding.remedies, 1)]
            if finding.apart:
                alike = ", ".join(FAULTS[finding.name].alike)
                lines += [f"    Looks like {alike}. To tell: {finding.apart}"]
        lines += [f"To know more: {each}" for each in self.missing]
        return "\n".join([*lines, f"Looked at: {'; '.join(self.seen)}."])

    __repr__ = __str__

    def _repr_html_(self):
        parts = [f"<p><strong>Verdict: {self.verdict}</strong></p>"]
        for finding in self.findings:
            fault = FAULTS[finding.name]
            steps = "".join(f"<li>{escape(remedy)}</li>" for remedy in finding.remedies)
            parts.append(
                f"<p><strong>{finding.name}</strong>: {escape(fault.meaning)} "
                f"{escape(finding.evidence)}</p><ol>{steps}</ol>"
            )
            if finding.apart:
                parts.append(
                    f"<p><em>Looks like {escape(', '.join(fault.alike))}.</em> To tell them "
                    f"apart: {escape(finding.apart)}</p>"
                )
        parts += [f"<p>To know more: {escape(each)}</p>" for each in self.missing]
        parts.append(f"<p><small>Looked at: {escape('; '.join(self.seen))}.</small></p>")
        return f"<div>{''.join(parts)}</div>"


def diagnose(run) -> Diagnosis:
    """What is wrong with a training run.

    run  a watch (`clinic.watch()`) or its `record`; or a Keras `History` or a dict of curves such
         as `history.history`, which shows much less. Raises `CourseError` for anything else.
    """
    record = record_of(run)
    signs = reading.of(record)
    found = [Finding(name, *said) for name, rule in rules.RULES.items() if (said := rule(signs))]
    kept = [finding for finding in found if finding.name not in consequences(found, signs)]
    kept.sort(key=lambda finding: -finding.strength)
    missing = what_is_missing(signs)
    if kept:
        verdict = "sick"
    else:
        verdict = "healthy" if rules.enough(signs) else "cannot tell"
        if verdict == "cannot tell" and not missing:
            missing = ["Nothing known speaks clearly, and the score is poor: try the experiments "
                       "of lesson 12 one at a time."]  # fmt: skip
    return Diagnosis(verdict, kept, missing, seen(signs))


def consequences(found, signs) -> set:
    """The names of findings that another finding explains."""
    names = {finding.name for finding in found}
    links = {name: set(EXPLAINS.get(name, "").split(", ")) for name in names}
    if {"rate too high", "wrong labels"} <= names and not courses.blew_up(signs):
        # Wrong labels make a loss rough; a rate that is too high makes it rise.
        links["rate too high"].discard("wrong labels")
        links["wrong labels"].add("rate too high")
    if "batch too small" in names and signs.batch <= at.TINY_BATCH:
        # A rate that is right for a usual batch is too high for one example.
        links.get("rate too high", set()).discard("batch too small")
        links["batch too small"].add("rate too high")
    if "too little capacity" in names and courses.narrow(signs):
        links.get("dead units", set()).discard("too little capacity")  # both are true
    return set().union(*links.values())


def record_of(run) -> Record:
    """The record in what `diagnose` takes."""
    if isinstance(run, Record):
        return run
    if isinstance(getattr(run, "record", None), Record):
        run.finish()
        if not run.record.curves and not run.record.steps:
            raise CourseError(
                "This watch has seen nothing. Has the model been trained, with "
                "callbacks=[watch] in fit?"
            )
        return run.record
    curves = getattr(run, "history", run)
    if isinstance(curves, dict) and "curves" in curves:
        return Record.from_dict(curves)
    try:
        curves = {
            str(name): [float(x) for x in values]
            for name, values in curves.items()
            if not any(np.ndim(x) for x in values)  # a score for each class is no curve
        }
    except (AttributeError, TypeError, ValueError):
        raise CourseError(
            "diagnose takes a watch, its record, a History, or a dict of curves such as "
            f'{{"loss": [2.3, 1.9], "val_loss": [2.2, 2.0]}}; this is a {type(run).__name__}.'
        ) from None
    if not curves.get("loss"):
        raise CourseError(
            'There are no curves here: a "loss" with a value for each epoch is the least that a '
            "diagnosis needs. Has the model been trained?"
        )
    return Record(curves=curves)


def what_is_missing(signs) -> list:
    found = []
    if not signs.watched:
        found.append(WATCH)
    if not len(signs.val_loss):
        found.append("Give validation_data to fit: without it overfitting cannot be seen.")
    if signs.watched and signs.kind in (None, "unknown"):
        found.append("The outputs could not be read as classes or numbers; look at them yourself.")
    if signs.record.setting.get("inputs unseen"):
        found.append("Compile before the watched fit, so that the watch can see the inputs.")
    if 0 < signs.epochs < 3:
        found.append("Train for three epochs or more: two points make no curve.")
    return found


def seen(signs) -> list:
    """What a diagnosis rests on."""
    said = [f"{signs.epochs} epochs of {', '.join(signs.record.curves) or 'nothing'}"]
    if signs.watched:
        said.append(f"{signs.steps} steps")
        said += [f"{signs.record.end[name]['examples']} {name} examples"
                 for name in signs.record.end if name in ("training", "validation")]  # fmt: skip
        said += signs.record.notes[:3]
    return said
