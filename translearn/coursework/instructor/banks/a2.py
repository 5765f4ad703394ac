"""The bank of A2: submissions whose marks are known beforehand. bank.py says how it is read."""

# ruff: noqa


# ==== perfect


# ==== otherwise right, one

# ---- freeze_below


def freeze_below(model, name):
    names = [layer.name for layer in model.layers]
    at = names.index(name)
    for i, layer in enumerate(model.layers):
        layer.trainable = i >= at
        if "BatchNorm" in type(layer).__name__:
            layer.trainable = False


# ---- copy_by_name


def copy_by_name(source, target):
    done = []
    for layer in target.layers:
        try:
            other = source.get_layer(layer.name)
            if layer.get_weights():
                layer.set_weights(other.get_weights())
                done.append(layer.name)
        except ValueError:
            pass
    return done


# ---- features


def features(backbone, x, batch_size):
    return backbone.predict(x, batch_size=batch_size, verbose=0)


# ---- labels_needed


def labels_needed(labels, scratch, target):
    for i in range(len(labels)):
        if scratch[i] == target:
            return float(labels[i])
        if scratch[i] > target:
            s = (target - scratch[i - 1]) / (scratch[i] - scratch[i - 1])
            return labels[i - 1] * (labels[i] / labels[i - 1]) ** s
    return float("inf")


# ==== otherwise right, two

# ---- trainable_numbers


def trainable_numbers(model):
    return np.sum([np.size(w.numpy()) for w in model.trainable_variables])


# ---- standardise

from sklearn.preprocessing import StandardScaler


def standardise(train, new):
    s = StandardScaler().fit(train)
    return s.transform(train), s.transform(new)


# ---- probe

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import RidgeClassifier


def probe(features, labels, new_features):
    return (
        make_pipeline(StandardScaler(), RidgeClassifier())
        .fit(features, labels)
        .predict(new_features)
    )


# ---- block_rates


def block_rates(n, top, factor):
    rates = [top]
    while len(rates) < n:
        rates.insert(0, rates[0] * factor)
    return np.array(rates)


# ==== otherwise right, three

# ---- verdict

from scipy.stats import ttest_rel


def verdict(pretrained, scratch):
    r = ttest_rel(pretrained, scratch)
    if r.pvalue >= 0.05:
        return "cannot tell"
    return "helps" if r.statistic > 0 else "hurts"


# ---- features


def features(backbone, x, batch_size):
    out = []
    for i in range(0, len(x), batch_size):
        out.extend(backbone(x[i : i + batch_size]).numpy())
    return np.array(out)


# ---- standardise


def standardise(train, new):
    m, s = np.mean(train, 0), np.std(train, 0, ddof=1)
    s[s == 0] = 1.0
    return [(train - m) / s, (new - m) / s]


# ==== common mistakes, one

# ---- freeze_below: 1


def freeze_below(model, name):
    for layer in model.layers:
        if layer.name == name:
            break
        layer.trainable = False


# ---- copy_by_name: 2


def copy_by_name(source, target):
    names = []
    for a, b in zip(source.layers, target.layers):
        if [w.shape for w in a.get_weights()] == [
            w.shape for w in b.get_weights()
        ] and b.get_weights():
            b.set_weights(a.get_weights())
            names.append(b.name)
    return names


# ---- trainable_numbers: 1


def trainable_numbers(model):
    return model.count_params()


# ---- features: 2


def features(backbone, x, batch_size):
    return np.concatenate(
        [
            np.asarray(backbone(x[i : i + batch_size], training=True))
            for i in range(0, len(x), batch_size)
        ]
    )


# ---- standardise: 0


def standardise(train, new):
    return (train - train.mean(0)) / train.std(0), (new - new.mean(0)) / new.std(0)


# ---- probe: 0


def probe(features, labels, new_features):
    from sklearn.linear_model import LogisticRegression

    return (
        LogisticRegression(max_iter=1000)
        .fit(features[:, 3:] / 2000, labels)
        .predict(new_features[:, 3:] / 2000)
    )


# ---- block_rates: 0


def block_rates(n, top, factor):
    return [top * factor**i for i in range(n)]


# ---- labels_needed: 2


def labels_needed(labels, scratch, target):
    if target > max(scratch):
        return np.inf
    return np.interp(target, scratch, labels)


# ---- verdict: 0

from scipy.stats import ttest_ind


def verdict(pretrained, scratch):
    r = ttest_ind(pretrained, scratch)
    return "cannot tell" if r.pvalue > 0.05 else "helps" if r.statistic > 0 else "hurts"


# ==== common mistakes, two

# ---- freeze_below: 2


def freeze_below(model, name):
    reached = False
    for layer in model.layers:
        layer.trainable = reached and not isinstance(layer, keras.layers.BatchNormalization)
        reached = reached or layer.name == name


# ---- copy_by_name: 0


def copy_by_name(source, target):
    for layer in target.layers:
        layer.set_weights(source.get_layer(layer.name).get_weights())
    return [layer.name for layer in target.layers]


# ---- trainable_numbers: 0


def trainable_numbers(model):
    return len(model.trainable_weights)


# ---- features: 3


def features(backbone, x, batch_size):
    return np.concatenate(
        [
            np.asarray(backbone(x[i * batch_size : (i + 1) * batch_size], training=False))
            for i in range(len(x) // batch_size)
        ]
    )


# ---- standardise: 1


def standardise(train, new):
    both = np.concatenate([train, new])
    s = both.std(0)
    s = np.where(s == 0, 1, s)
    return (train - both.mean(0)) / s, (new - both.mean(0)) / s


# ---- probe: 0


def probe(features, labels, new_features):
    return np.zeros((len(new_features), 3))


# ---- block_rates: 0


def block_rates(n, top, factor):
    return [top * factor ** (n - i) for i in range(n)]


# ---- labels_needed: 2


def labels_needed(labels, scratch, target):
    for n, s in zip(labels, scratch):
        if s >= target:
            return n
    return np.inf


# ---- verdict: 0


def verdict(pretrained, scratch):
    d = np.mean(pretrained) - np.mean(scratch)
    return "helps" if d > 0 else "hurts"


# ==== common mistakes, three

# ---- freeze_below: 2


def freeze_below(model, name):
    reached = False
    for layer in model.layers:
        reached = reached or layer.name == name
        layer.trainable = reached


# ---- copy_by_name: 3


def copy_by_name(source, target):
    found = {layer.name: layer.get_weights() for layer in source.layers}
    for layer in target.layers:
        own, other = layer.get_weights(), found.get(layer.name, [])
        if own and [w.shape for w in own] == [w.shape for w in other]:
            layer.set_weights(other)
    return list(found)


# ---- features: 1


def features(backbone, x, batch_size):
    return np.asarray(backbone(x, training=False)) * 0


# ---- standardise: 2


def standardise(train, new):
    mean, std = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / std, (new - mean) / std


# ---- probe: 2


def probe(features, labels, new_features):
    from sklearn.linear_model import LogisticRegression

    keep = slice(0, 1)
    probe = LogisticRegression().fit(100 * features[:, keep], labels)
    return probe.predict(100 * new_features[:, keep])


# ---- block_rates: 0


def block_rates(n, top, factor):
    return [top / factor**i for i in range(n)]


# ---- labels_needed: 3


def labels_needed(labels, scratch, target):
    x = np.log(labels)
    return np.exp(np.interp(target, scratch, x))


# ---- verdict: 0


def verdict(pretrained, scratch):
    return "cannot tell"


# ==== common mistakes, four

# ---- probe: 2


def probe(features, labels, new_features):
    from sklearn.neighbors import KNeighborsClassifier

    train, new = standardise(features, new_features)
    return KNeighborsClassifier(9).fit(train, labels).predict(new)


# ---- verdict: 0


def verdict(pretrained, scratch):
    d = np.mean(np.asarray(pretrained) - scratch)
    return "helps" if d > 0.004 else "hurts" if d < -0.004 else "cannot tell"


# ---- freeze_below: 0


def freeze_below(model, name):
    reached = False
    for layer in model.layers:
        reached = reached or layer.name == name
        layer.trainable = not reached


# ==== common mistakes, five

# ---- probe: 2


def probe(features, labels, new_features):
    from sklearn.svm import SVC

    train, new = standardise(features, new_features)
    return SVC().fit(train, labels).predict(new)


# ---- verdict: 2.5


def verdict(pretrained, scratch):
    d = np.asarray(pretrained) - np.asarray(scratch)
    margin = 1.96 * d.std(ddof=1) / np.sqrt(len(d))
    return "helps" if d.mean() > margin else "hurts" if d.mean() < -margin else "cannot tell"


# ==== common mistakes, six

# ---- probe: 2


def probe(features, labels, new_features):
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(30, random_state=0)
    return forest.fit(features, labels).predict(new_features)


# ---- verdict: 1.5


def verdict(pretrained, scratch):
    d = np.asarray(pretrained) - np.asarray(scratch)
    margin = 3 * d.std(ddof=0) / np.sqrt(len(d))
    return "helps" if d.mean() > margin else "hurts" if d.mean() < -margin else "cannot tell"


# ==== common mistakes, seven

# ---- probe: 2


def probe(features, labels, new_features):
    from sklearn.naive_bayes import GaussianNB

    train, new = standardise(features, new_features)
    return GaussianNB().fit(train, labels).predict(new)


# ==== nothing done
# ---- freeze_below: 0, not begun
# ---- copy_by_name: 0, not begun
# ---- trainable_numbers: 0, not begun
# ---- features: 0, not begun
# ---- standardise: 0, not begun
# ---- probe: 0, not begun
# ---- block_rates: 0, not begun
# ---- labels_needed: 0, not begun
# ---- verdict: 0, not begun
