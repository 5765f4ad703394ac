"""The model card: README.md as the Hugging Face Hub reads it, made from the record."""

import re
from functools import cache
from pathlib import Path

from translearn.plain import count
from translearn.report import limits

# What the Hub has an abbreviation for, of what people put on models. Others are named in words.
LICENCES = set(
    "apache-2.0 mit cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-nc-4.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 "
    "cc-by-nc-nd-4.0 cc-by-3.0 cc-by-sa-3.0 bsd-2-clause bsd-3-clause gpl-2.0 gpl-3.0 agpl-3.0 "
    "lgpl-3.0 mpl-2.0 isc unlicense openrail wtfpl zlib unknown".split()
)
METRICS = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy"}


def card(record: dict) -> str:
    """The card as text: a head in YAML with `model-index`, then Markdown."""
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        **_licence(record["licence"]),
        library_name="keras",
        pipeline_tag="image-classification",
        tags=_tags(record),
        metrics=list(METRICS),
        model_name=record["name"],
        eval_results=_results(record),
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_template().render(r=record)}"


def _licence(licence) -> dict:
    if not licence:
        return {"license": "unknown"}
    if licence.lower() in LICENCES:
        return {"license": licence.lower()}
    return {"license": "other", "license_name": licence}


def _tags(record) -> list[str]:
    tags = ["image-classification", "keras", "transfer-learning"]
    files = [each["file"] for each in (record["hand over"] or {"files": []})["files"]]
    return tags + ["litert"] * any(file.endswith(".tflite") for file in files)


def _results(record) -> list:
    from huggingface_hub import EvalResult

    data, test = record["data"], record["test"]
    return [
        EvalResult(
            task_type="image-classification",
            task_name="Image classification",
            dataset_type=re.sub(r"[^\w.-]+", "-", data["name"]).strip("-.") or "pictures",
            dataset_name=data["name"],
            dataset_split="test",
            metric_type=metric,
            metric_name=name,
            metric_value=round(test[metric.replace("_", " ")], 4),
        )
        for metric, name in METRICS.items()
    ]


def text(value) -> str:
    """A word of a stranger's, such as the name of a class, in Markdown: as it is, in one line."""
    return re.sub(r"([\\`*_\[\]<>|#~$])", r"\\\1", " ".join(str(value).split()))


@cache
def _template():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(  # what it is filled with goes through `text`
        autoescape=False,
        finalize=lambda value: text(value) if isinstance(value, str) else value,
        loader=FileSystemLoader(Path(__file__).with_name("pages")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"share": limits.share, "count": count}
    return pages.get_template("card.md")
