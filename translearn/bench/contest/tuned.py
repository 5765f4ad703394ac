"""The expert's fine-tuning: size, depth and rate are swept on the few labels that there are."""

import numpy as np

from translearn import backbones, transfer
from translearn.bench.contest.probes import best_size, folds
from translearn.bench.contest.running import NETWORK

NUMERICS = 1  # raised by hand when the numbers made here change: what rests on them is replayed

CUTS = ("block14", "block10")  # what lies above is trained, on cached maps of what lies below
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
FEW = 200  # pictures: more of them are seen a third as often
BATCH = 32


class Tail:
    """Everything above a block with a new head, trained on cached maps of what lies below."""

    def __init__(self, run, size: int, cut: str):
        import keras

        self.run, self.size = run, size
        self.lower, upper = transfer.split(backbones.load(NETWORK, size=size), cut)
        self.model = transfer.attach_head(upper, run.classes, seed=run.seed)
        self.model.compile(
            keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        transfer.reusable(self.model)  # makes the optimiser's variables
        few = run.few(size)
        self.maps, self.labels = self._below(few.images, run._folder.name), few.labels
        self.fresh = self.state()

    def _below(self, images, folder=None):
        return transfer.cache_features(
            self.lower, images, pooling=None, folder=folder, progress=False, dtype="float16"
        )

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def state(self) -> list:
        return [variable.numpy() for variable in self._variables()]

    def put_back(self, state) -> None:
        for variable, value in zip(self._variables(), state):
            variable.assign(value)

    def train(self, state, rows, rate: float, epochs: int) -> list:
        """Go on from `state` for some epochs on some of the few pictures; the new state."""
        self.put_back(state)
        self.model.optimizer.learning_rate = rate
        for _ in range(epochs):
            self.run.check()
            self.model.fit(self.maps[rows], self.labels[rows], batch_size=BATCH, verbose=0)
        return self.state()

    def scores(self, maps):
        import scipy.special

        return scipy.special.softmax(self.model.predict(maps, batch_size=128, verbose=0), axis=1)

    def held_out(self, rows) -> float:
        """Balanced accuracy of the present state on some of the few pictures; of equals, the one
        that is surer of the right answers.
        """
        from sklearn.metrics import balanced_accuracy_score

        scores, labels = self.scores(self.maps[rows]), self.labels[rows]
        sure = scores[np.arange(len(rows)), labels].mean()
        return balanced_accuracy_score(labels, scores.argmax(axis=1)) + 1e-3 * sure

    def hand_in(self) -> None:
        """The present state is the answer."""
        state = self.state()

        def answer(test):
            self.put_back(state)
            return self.scores(self._below(test(self.size)))

        self.run.hand_in(answer, self.size)


def swept_fine_tuning(run):
    """Depth and rate are swept at the smallest size on four fifths of the few labels, the better
    third trained on (successive halving, Jamieson and Talwalkar 2016, arXiv:1502.07943), and
    chosen on the last fifth. The winner is trained afresh on all of them. Then a probe says
    whether larger pictures would be better, and the winner is trained on those.
    """
    few = run.few(run.sizes[0])
    learn, last_fifth = folds(few.labels, run.seed)[0]
    rounds = (3, 9, 27) if len(few) <= FEW else (1, 3, 9)
    tails = {cut: Tail(run, run.sizes[0], cut) for cut in CUTS}
    standing = {(cut, rate): (tails[cut].fresh, 0.0) for cut in CUTS for rate in RATES}
    best, done = 0.0, 0
    for until in rounds:
        for (cut, rate), (state, _) in standing.items():
            state = tails[cut].train(state, learn, rate, until - done)
            score = tails[cut].held_out(last_fifth)
            standing[cut, rate] = state, score
            if score > best:
                best = score
                tails[cut].hand_in()
        done = until
        kept = sorted(standing, key=lambda each: -standing[each][1])[: max(1, len(standing) // 3)]
        standing = {each: standing[each] for each in kept}
    cut, rate = kept[0]
    finish(run, tails[cut], rate, rounds[-1])
    size = run.notes["size"] = best_size(run, lambda *probe: None)
    if size != run.sizes[0]:
        finish(run, Tail(run, size, cut), rate, rounds[-1])


def finish(run, tail, rate, epochs):
    """Train on all of the few pictures, and hand in."""
    tail.train(tail.fresh, np.arange(len(tail.labels)), rate, epochs)
    tail.hand_in()
