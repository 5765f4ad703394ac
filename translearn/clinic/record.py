"""What a watch saw: numbers, lists and names only, so that it can be kept as JSON."""

import json
from dataclasses import asdict, dataclass, field, fields

from translearn.errors import CourseError
from translearn.plain import plain_data


@dataclass
class Record:
    """What was seen of one training run.

    curves   {name: [value of each epoch]}: what Keras's `History` holds ("loss", "val_loss", …)
    setting  optimiser, rate, loss, batch size, counts of weights, the layers with weights
    steps    per step: "loss" (mean loss of the batch; at most 2,000), seconds in all and the
             median step, seconds waited for input (without the first step of each epoch)
    inputs   empty (records that were kept have it); `end` has the numbers of the inputs
    labels   how often each class occurs in training and validation, or mean and spread
    looks    a list: now and then, the size of one update against the weights of each layer
    end      what the finished network does with some training and validation examples; mean,
             spread and range of the inputs, as they come and as the first layer with weights gets
             them
    moved    per weight: how far it moved in the whole run against its own size
    leak     how many validation inputs are also training inputs
    notes    what could not be seen, and why
    """

    curves: dict = field(default_factory=dict)
    setting: dict = field(default_factory=dict)
    steps: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    looks: list = field(default_factory=list)
    end: dict = field(default_factory=dict)
    moved: list = field(default_factory=list)
    leak: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def to_dict(self) -> dict:
        """Everything as plain Python that `json.dumps` takes (NaN stays NaN)."""
        return plain_data(asdict(self), six_digits)

    @classmethod
    def from_dict(cls, found: dict) -> "Record":
        """The inverse of `to_dict`. Raises `CourseError` for a dict that is no record."""
        names = {each.name for each in fields(cls)}
        if not isinstance(found, dict) or not found.keys() <= names or "curves" not in found:
            raise CourseError(
                "This is no record of a watched run: Record.from_dict takes what Record.to_dict "
                "gave. For the curves of a History, call clinic.diagnose(history)."
            )
        return cls(**json.loads(json.dumps(found)))


def six_digits(number: float) -> float:
    """More would only make the record long."""
    return float(f"{number:.6g}")
