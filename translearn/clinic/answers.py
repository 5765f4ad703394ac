"""What a network's outputs say about its targets: of which kind, how good, how sure."""

import numpy as np


def answers(out, y, loss, expects) -> dict:
    """The outputs against the targets: of which kind they are, how good, how sure."""
    found = {"shape": list(out.shape), "finite": bool(np.isfinite(out).all())}
    if out.ndim == 3 and y.shape == out.shape[:2] and y.dtype.kind in "iu":  # every position
        rows = np.linspace(0, y.size - 1, min(512, y.size)).astype(int)
        out, y = out.reshape(-1, out.shape[-1])[rows], y.reshape(-1)[rows]
        found["positions"] = True
    if out.ndim == 1:
        out = out[:, None]
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if out.ndim != 2 or not found["finite"]:
        return found | {"kind": "unknown"}
    sums = out.sum(1)
    found |= {
        "output min": out.min(),
        "output max": out.max(),
        "output std": out.std(0).mean(),
        "sums to one": float(np.mean((np.abs(sums - 1) < 1e-3) & (out.min(1) >= -1e-6))),
    }
    whole = y.dtype.kind in "iub" or bool(np.all(y == np.round(y)))
    squared = any(word in loss for word in ("squared", "absolute", "mse", "mae", "huber", "cosh"))
    if out.shape[1] == 1:
        if y.ndim == 1 and whole and set(np.unique(y)) <= {0, 1} and not squared:
            bounded = out.min() >= 0 and out.max() <= 1
            p = (
                out[:, 0]
                if expects is False or (expects is None and bounded)
                else expit(out[:, 0])
            )
            return found | judged(np.stack([1 - p, p], 1), y.astype(int), "binary")
        return found | fitted(out[:, 0], y)
    if y.ndim == 2 and y.shape == out.shape:
        if (
            whole
            and np.all((y >= 0) & (y <= 1))
            and np.all(y.sum(1) == 1)
            and "binary" not in loss
        ):
            y = y.argmax(1)
        elif whole and np.all((y >= 0) & (y <= 1)):
            p = out if out.min() >= 0 and out.max() <= 1 else expit(out)
            return found | {
                "kind": "several labels",
                "accuracy": float(np.mean((p > 0.5) == y)),
                "trivial": float(np.mean(np.maximum(y.mean(0), 1 - y.mean(0)))),
            }
        elif squared or not np.allclose(y.sum(1), 1, atol=1e-3):
            return found | fitted(out, y)
        else:
            y = y.argmax(1)  # smoothed or mixed labels
    if y.ndim != 1 or not whole or y.min() < 0 or y.max() >= out.shape[1]:
        return found | {"kind": "unknown"}
    bounded = found["sums to one"] == 1
    p = out if bounded else softmax(out)
    return found | judged(p, y.astype(int), "classes")


def expit(z):
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


def softmax(z):
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def judged(p, y, kind) -> dict:
    """Accuracy, balanced accuracy, class shares; and label, answer, sureness of each example."""
    p = np.clip(p, 1e-7, 1)
    answer = p.argmax(1)
    recalls = [float(np.mean(answer[y == c] == c)) for c in np.unique(y)]
    return {
        "kind": kind,
        "classes": p.shape[1],
        "accuracy": float(np.mean(answer == y)),
        "balanced": float(np.mean(recalls)),
        "recalls": {"best": max(recalls), "worst": min(recalls)},
        "trivial": float(np.bincount(y).max() / len(y)),
        "loss": float(-np.log(p[np.arange(len(y)), y]).mean()),
        "most answered": float(np.bincount(answer).max() / len(y)),
        "labels": y,
        "answers": answer,
        "sure of label": np.round(p[np.arange(len(y)), y], 3),
        "sure": np.round(p.max(1), 3),
        "place of label": (p > p[np.arange(len(y)), y][:, None]).sum(1),
        "_labels": y,
    }


def fitted(out, y) -> dict:
    """For a regression: the share of the variance that is explained."""
    if out.shape != y.shape or y.dtype.kind not in "iuf":
        return {"kind": "unknown"}
    spread = float(np.var(y, axis=0).sum())
    error = float(((out - y) ** 2).mean(0).sum())
    ours = float(np.var(out, axis=0).sum())
    return {
        "kind": "regression",
        "explained": 1 - error / max(spread, 1e-12),
        "target std": float(np.std(y)),
        "target mean": float(np.mean(y)),
        "answers' spread": float(np.sqrt(ours / max(spread, 1e-12))),
        "_labels": y if y.ndim == 1 else None,
    }
