"""The bank of A3: submissions whose marks are known beforehand. bank.py says how it is read."""

# ruff: noqa


# ==== perfect


# ==== otherwise right, one

# ---- soft_threshold


def soft_threshold(weights, amount):
    return weights - np.clip(weights, -amount, amount)


# ---- dropout


def dropout(x, rate, training, rng):
    if training:
        keep = rng.binomial(1, 1 - rate, size=np.shape(x))
        return x * keep / (1 - rate)
    return x


# ---- smooth


def smooth(labels, classes, amount):
    out = np.full((len(labels), classes), amount / classes)
    for i, c in enumerate(labels):
        out[i, c] += 1 - amount
    return out


# ---- stop


def stop(losses, patience, min_delta):
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch in range(len(losses)):
        if losses[epoch] < best - min_delta:
            best, best_epoch, wait = losses[epoch], epoch, 0
        else:
            wait += 1
            if wait >= patience:
                return np.array([epoch, best_epoch])
    return np.array([len(losses) - 1, best_epoch])


# ==== otherwise right, two

# ---- mixup


def mixup(images, labels, share, order):
    mix = lambda a: np.array([share * a[i] + (1 - share) * a[j] for i, j in enumerate(order)])
    return [mix(images), mix(labels)]


# ---- l2_sp


def l2_sp(weights, start, alpha, beta):
    total = 0.0
    for name, w in weights.items():
        if name in start:
            total += 0.5 * alpha * np.linalg.norm(w - start[name]) ** 2
        else:
            total += 0.5 * beta * float(np.vdot(w, w))
    return total


# ---- mirror


def mirror(images, rng):
    out = images.copy()
    for i in range(len(out)):
        if rng.integers(2):
            out[i] = out[i][:, ::-1].copy()
    return out


# ==== otherwise right, three

# ---- choose


def choose(scores):
    stats = {k: (np.mean(v), np.std(v, ddof=1) / len(v) ** 0.5) for k, v in scores.items()}
    top, se = max(stats.values(), key=lambda s: s[0])
    for k, (m, _) in stats.items():
        if m >= top - se:
            return k


# ---- soft_threshold


def soft_threshold(weights, amount):
    return np.where(
        weights > amount, weights - amount, np.where(weights < -amount, weights + amount, 0.0)
    )


# ==== common mistakes, one

# ---- soft_threshold: 1


def soft_threshold(weights, amount):
    return weights - amount * np.sign(weights)


# ---- dropout: 2


def dropout(x, rate, training, rng):
    if not training:
        return x
    return x * (rng.random(x.shape) >= rate)


# ---- mixup: 1


def mixup(images, labels, share, order):
    return share * images + (1 - share) * images[order], labels


# ---- smooth: 1


def smooth(labels, classes, amount):
    hot = np.eye(classes)[labels]
    return hot * (1 - amount) + (1 - hot) * amount / (classes - 1)


# ---- l2_sp: 1


def l2_sp(weights, start, alpha, beta):
    return alpha / 2 * sum((weights[n] ** 2).sum() for n in start) + beta / 2 * sum(
        (w**2).sum() for n, w in weights.items() if n not in start
    )


# ---- mirror: 2


def mirror(images, rng):
    return images[:, :, ::-1] if rng.random() < 0.5 else images


# ---- stop: 2


def stop(losses, patience, min_delta):
    best, best_epoch, wait = np.inf, 0, 0
    for epoch, loss in enumerate(losses):
        if loss < best - min_delta:
            best, best_epoch, wait = loss, epoch, 0
        else:
            wait += 1
            if wait > patience:
                break
    return epoch, best_epoch


# ---- choose: 1


def choose(scores):
    return max(scores, key=lambda name: np.mean(scores[name]))


# ==== common mistakes, two

# ---- soft_threshold: 1


def soft_threshold(weights, amount):
    return np.where(np.abs(weights) > amount, weights, 0)


# ---- dropout: 1


def dropout(x, rate, training, rng):
    if not training:
        return x * (1 - rate)
    return x * (rng.random(x.shape) >= rate)


# ---- mixup: 0


def mixup(images, labels, share, order):
    return (1 - share) * images + share * images[order], (1 - share) * labels + share * labels[
        order
    ]


# ---- smooth: 1


def smooth(labels, classes, amount):
    return np.eye(classes)[labels] + amount / classes


# ---- l2_sp: 2


def l2_sp(weights, start, alpha, beta):
    return alpha / 2 * sum(((weights[n] - start[n]) ** 2).sum() for n in start)


# ---- mirror: 1


def mirror(images, rng):
    chosen = rng.random(len(images)) < 0.5
    return np.where(chosen[:, None, None, None], images[:, ::-1], images)


# ---- stop: 2


def stop(losses, patience, min_delta):
    best, wait = int(np.argmin(losses)), 0
    for epoch in range(1, len(losses)):
        wait = wait + 1 if losses[epoch] > losses[epoch - 1] - min_delta else 0
        if wait >= patience:
            break
    return epoch, int(np.argmin(losses[: epoch + 1]))


# ---- choose: 1


def choose(scores):
    best = max(scores, key=lambda name: np.mean(scores[name]))
    return next(
        name
        for name in scores
        if np.mean(scores[name]) >= np.mean(scores[best]) - np.std(scores[best], ddof=1)
    )


# ==== common mistakes, three

# ---- soft_threshold: 2


def soft_threshold(weights, amount):
    return np.maximum(weights - amount, 0)


# ---- dropout: 1


def dropout(x, rate, training, rng):
    if not training:
        return x
    return np.where(rng.random(x.shape) < 1 - rate, 0, x / rate)


# ---- mixup: 1


def mixup(images, labels, share, order):
    return share * images + (1 - share) * images[order], share * labels + (1 - share) * labels[
        np.argsort(order)
    ]


# ---- l2_sp: 0


def l2_sp(weights, start, alpha, beta):
    return alpha * sum(((weights[n] - start[n]) ** 2).sum() for n in start) + beta * sum(
        (w**2).sum() for n, w in weights.items() if n not in start
    )


# ---- mirror: 2


def mirror(images, rng):
    for i in range(len(images)):
        if rng.random() < 0.5:
            images[i] = images[i][:, ::-1].copy()
    return images


# ---- stop: 4


def stop(losses, patience, min_delta):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < best:
            best, best_epoch = loss, epoch
        elif epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


# ---- choose: 1


def choose(scores):
    top = max(np.mean(v) for v in scores.values())
    ok = [n for n, v in scores.items() if np.mean(v) + np.std(v, ddof=1) / np.sqrt(len(v)) >= top]
    return max(ok, key=lambda n: np.std(scores[n]))


# ==== common mistakes, four

# ---- mirror: 2


def mirror(images, rng):
    out = images.copy()
    out[::2] = out[::2, :, ::-1]
    return out


# ---- dropout: 3


def dropout(x, rate, training, rng):
    return np.where(rng.random(x.shape) >= rate, x / (1 - rate), 0)


# ---- stop: 2


def stop(losses, patience, min_delta):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < best - min_delta:
            best, best_epoch = loss, epoch
        elif epoch - best_epoch >= patience:
            break
    return epoch, epoch


# ==== common mistakes, five

# ---- stop: 4


def stop(losses, patience, min_delta):
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss <= best - min_delta:
            best, best_epoch = loss, epoch
        elif epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


# ==== nothing done
# ---- soft_threshold: 0, not begun
# ---- dropout: 0, not begun
# ---- mixup: 0, not begun
# ---- smooth: 0, not begun
# ---- l2_sp: 0, not begun
# ---- mirror: 0, not begun
# ---- stop: 0, not begun
# ---- choose: 0, not begun
