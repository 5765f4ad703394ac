"""The bank of A1: submissions whose marks are known beforehand. bank.py says how it is read."""

# ruff: noqa


# ==== perfect


# ==== otherwise right, with loops

# ---- huber


def huber(target, guess, delta=1.0):
    total, n = 0.0, 0
    for t, g in zip(np.ravel(target), np.ravel(guess)):
        s, n = abs(g - t), n + 1
        total += 0.5 * s * s if s <= delta else delta * s - 0.5 * delta**2
    return total / n


# ---- cross_entropy


def cross_entropy(labels, logits):
    out = []
    for y, z in zip(labels, logits):
        m = max(z)
        out.append(m + np.log(sum(np.exp(v - m) for v in z)) - z[y])
    return sum(out) / len(out)


# ---- class_weights


def class_weights(labels):
    labels = list(labels)
    k = max(labels) + 1
    return [len(labels) / (k * labels.count(c)) for c in range(k)]


# ---- verdict


def verdict(losses):
    for x in losses:
        if x != x or x in (float("inf"), -float("inf")):
            return "diverges"
    if losses[-1] > losses[0]:
        return "diverges"
    return "fits" if losses[-1] <= losses[0] * 0.9 else "crawls"


# ==== otherwise right, with libraries

# ---- cross_entropy

from scipy.special import log_softmax


def cross_entropy(labels, logits):
    return -log_softmax(logits, axis=1)[range(len(labels)), labels].mean()


# ---- gradient

from scipy.special import softmax


def gradient(labels, logits):
    n, k = logits.shape
    return (softmax(logits, axis=1) - np.eye(k)[labels]) / n


# ---- class_weights

from sklearn.utils.class_weight import compute_class_weight


def class_weights(labels):
    return compute_class_weight("balanced", classes=np.unique(labels), y=labels)


# ---- schedule

import math


def schedule(step, total, warmup, peak):
    if step >= total:
        return 0.0
    if step < warmup:
        return (step + 1) * peak / warmup
    return peak * math.cos(math.pi / 2 * (step - warmup) / (total - warmup)) ** 2


# ==== otherwise right, with lambdas, tuples and lists

# ---- huber

huber = lambda target, guess, delta=1.0: float(
    np.mean(
        [
            0.5 * e**2 if abs(e) < delta else delta * (abs(e) - delta / 2)
            for e in np.asarray(guess - target).flat
        ]
    )
)

# ---- momentum_step


def momentum_step(weights, velocity, grad, rate, momentum):
    new = np.multiply(momentum, velocity) - np.multiply(rate, grad)
    return np.stack([np.add(weights, new), new])


# ---- adamw_step


def adamw_step(weights, m, v, grad, t, rate, weight_decay):
    weights = weights * (1 - rate * weight_decay)
    m = m + 0.1 * (grad - m)
    v = v + 0.001 * (np.square(grad) - v)
    step = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return [weights - step * m / (np.sqrt(v) + 1e-7 * np.sqrt(1 - 0.999**t)), m, v]


# ==== common mistakes, one

# ---- huber: 2


def huber(target, guess, delta=1.0):
    return 0.5 * np.mean((guess - target) ** 2)


# ---- cross_entropy: 2


def cross_entropy(labels, logits):
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return -np.log(p[np.arange(len(labels)), labels]).mean()


# ---- gradient: 3


def gradient(labels, logits):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return p - np.eye(logits.shape[1])[labels]


# ---- class_weights: 2


def class_weights(labels):
    return 1 / np.bincount(labels)


# ---- momentum_step: 1


def momentum_step(weights, velocity, grad, rate, momentum):
    new = momentum * velocity - rate * grad
    return weights + velocity, new


# ---- adamw_step: 2


def adamw_step(weights, m, v, grad, t, rate, weight_decay):
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * grad**2
    return weights - rate * weight_decay * weights - rate * m / (np.sqrt(v) + 1e-7), m, v


# ---- schedule: 3


def schedule(step, total, warmup, peak):
    if step < warmup:
        return peak * step / warmup
    return peak * (1 + np.cos(np.pi * min(1, (step - warmup) / (total - warmup)))) / 2


# ---- verdict: 3


def verdict(losses):
    if losses[-1] > losses[0]:
        return "diverges"
    return "crawls" if losses[-1] > 0.9 * losses[0] else "fits"


# ==== common mistakes, two

# ---- huber: 2


def huber(target, guess, delta=1.0):
    s = np.abs(guess - target)
    return np.where(s <= delta, s**2 / 2, delta * s).mean()


# ---- cross_entropy: 2


def cross_entropy(labels, logits):
    z = logits - logits.max(1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return -np.log(p[np.arange(len(labels)), labels] + 1e-7).mean()


# ---- gradient: 0


def gradient(labels, logits):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return (np.eye(logits.shape[1])[labels] - p) / len(labels)


# ---- class_weights: 0


def class_weights(labels):
    return np.bincount(labels) / len(labels)


# ---- momentum_step: 1


def momentum_step(weights, velocity, grad, rate, momentum):
    new = momentum * velocity + rate * grad
    return weights + new, new


# ---- adamw_step: 3


def adamw_step(weights, m, v, grad, t, rate, weight_decay):
    grad = grad + weight_decay * weights
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * grad**2
    return weights - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7), m, v


# ---- schedule: 3


def schedule(step, total, warmup, peak):
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (1 + np.cos(np.pi * min(1, step / total))) / 2


# ---- verdict: 3


def verdict(losses):
    if not np.isfinite(losses).all() or min(losses) > losses[0]:
        return "diverges"
    return "crawls" if min(losses) > 0.9 * losses[0] else "fits"


# ==== common mistakes, three

# ---- huber: 0


def huber(target, guess, delta=1.0):
    s = np.abs(guess - target)
    return np.where(s <= delta, s**2 / 2, delta * (s - delta / 2)).sum()


# ---- cross_entropy: 0


def cross_entropy(labels, logits):
    z = logits - logits.max(1, keepdims=True)
    return np.sum(np.log(np.exp(z).sum(1)) - z[np.arange(len(labels)), labels])


# ---- gradient: 3


def gradient(labels, logits):
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


# ---- momentum_step: 2


def momentum_step(weights, velocity, grad, rate, momentum):
    velocity *= momentum
    velocity -= rate * grad
    weights += velocity
    return weights, velocity


# ---- adamw_step: 3


def adamw_step(weights, m, v, grad, t, rate, weight_decay):
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * grad**2
    return (
        (1 - weight_decay) * weights
        - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7),
        m,
        v,
    )


# ---- schedule: 3


def schedule(step, total, warmup, peak):
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (1 + np.cos(np.pi * (step - warmup) / (total - warmup))) / 2


# ---- verdict: 0


def verdict(losses):
    return {"diverges": "crawls", "crawls": "fits"}.get("fits", "fits")


# ==== common mistakes, four

# ---- cross_entropy: 0


def cross_entropy(labels, logits):
    z = logits - logits.max(0)
    return np.mean(np.log(np.exp(z).sum(0))[labels] - z[np.arange(len(labels)), labels])


# ---- gradient: 0


def gradient(labels, logits):
    p = np.exp(logits - logits.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True) / len(labels)


# ---- verdict: 3


def verdict(losses):
    lowest = min(losses[1:])
    if not np.isfinite(losses).all() or lowest > losses[0]:
        return "diverges"
    return "crawls" if lowest > 0.9 * losses[0] else "fits"


# ---- momentum_step: 2


def momentum_step(weights, velocity, grad, rate, momentum):
    return weights - rate * grad, -rate * grad


# ---- adamw_step: 4


def adamw_step(weights, m, v, grad, t, rate, weight_decay):
    m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
    step = m / (1 - 0.9**t) / np.sqrt(v / (1 - 0.999**t))
    return weights * (1 - rate * weight_decay) - rate * step, m, v


# ==== nothing done
# ---- huber: 0, not begun
# ---- cross_entropy: 0, not begun
# ---- gradient: 0, not begun
# ---- class_weights: 0, not begun
# ---- momentum_step: 0, not begun
# ---- adamw_step: 0, not begun
# ---- schedule: 0, not begun
# ---- verdict: 0, not begun
