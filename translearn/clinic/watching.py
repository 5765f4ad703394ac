"""The callback: it hands each batch to Keras's own step, looks now and then, changes nothing."""

import functools
import time

import numpy as np

from translearn.clinic import examples as finished
from translearn.clinic import looking, neighbours
from translearn.clinic.driving import Driving
from translearn.clinic.gathering import Gathered, overlap
from translearn.clinic.record import Record

SHARE = 0.02  # of the training time that looking may take
FIRST = 3  # so many steps are looked at whatever it takes
STEPS = 2000  # losses of steps that are kept, evenly spaced


def watch():
    """A callback for `model.fit(…, callbacks=[watch])`: it records what `diagnose` reads.

    It works on every `keras.Model`. The run's results are the same as without it, bit for bit; its
    own computing is kept under 5 % of a step. `watch.record` is the `Record` (when the run was
    interrupted, as far as it got). For a second `fit` the record begins anew.
    """
    return _kind()()


@functools.cache
def _kind():
    import keras

    class Watch(_Watching, keras.callbacks.Callback):
        pass

    return Watch


def trimmed(values):
    """The mean without the largest tenth."""
    return np.sort(values)[: max(1, int(0.9 * len(values)))].mean()


def safely(hook):
    """What goes wrong in looking is noted; it never stops a training."""

    @functools.wraps(hook)
    def guarded(self, *args, **kwargs):
        start = time.perf_counter()
        try:
            with np.errstate(all="ignore"):  # a run that goes wrong overflows
                return hook(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001
            self._note(f"{hook.__name__}: {type(error).__name__}: {str(error)[:200]}")
        finally:
            self.own += time.perf_counter() - start

    return guarded


class _Watching(Driving):
    def __init__(self):
        super().__init__()
        self.record = Record()
        self.own = 0.0
        self._fresh, self._put, self._train = True, {}, None

    def set_model(self, model):
        super().set_model(model)
        for name in ("train_function", "test_function"):  # left by a run that was interrupted
            if hasattr(found := getattr(model, name, None), "leave"):
                found.leave()
        # A step that was built earlier trains the weights that were trainable then: building
        # another would hide just what is to be found.
        self._fresh = getattr(model, "train_function", None) is None

    @safely
    def on_train_begin(self, logs=None):
        model = self.model
        self._leave()  # another model, whose training was interrupted
        self.record, self.own = Record(), 0.0
        self._losses, self._sizes, self._seconds, self._waits = [], [], [], []
        self._running, self._epoch, self._steps, self._next_look = (0.0, 0), 0, 0, 0
        self._look_cost, self._looked = 0.0, 0.0
        self._begin, self._weights = time.perf_counter(), None
        self._train = Gathered(self.params.get("steps"))
        self._validation, self._tested, self._first_epoch = None, False, None
        self.record.setting = looking.setting(model)
        self.record.setting["epochs planned"] = self.params.get("epochs")
        self._plain = looking.plain_step(model)
        self.record.setting["built earlier"] = not self._fresh
        if looking.can_drive(model) and (
            self._fresh
            or hasattr(model.train_function, "step")
            or looking.knows_what_it_trains(model)
        ):
            self._drive("train_function", model.train_step, self._before, self._after)
        else:
            self._listen()
            self._start()

    @safely
    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._running = epoch, (0.0, 0)
        self._first_step = True
        if self._first_epoch is None:
            self._first_epoch = epoch
        rate = getattr(self.model.optimizer, "learning_rate", None)
        if rate is not None:
            self.record.setting.setdefault("rates", []).append(float(np.asarray(rate)))

    @safely
    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            if np.ndim(value) == 0:
                self.record.curves.setdefault(name, []).append(float(value))
        if self._train.kept and self._may(self._seconds_for(64)):
            found = looking.gradients(self.model, self._train.stash(64))
            self.record.looks.append({"step": self._steps, "epoch": epoch, **found})

    @safely
    def on_test_begin(self, logs=None):
        model = self.model
        if self._tested or not looking.can_drive(model) or "test_function" in self._put:
            return
        if not hasattr(model.test_function, "leave"):
            self._validation = Gathered(None)
            self._drive("test_function", model.test_step, None, self._after_test)

    @safely
    def on_test_end(self, logs=None):
        if self._validation is not None and self._validation.seen:
            self._tested = True

    @safely
    def on_train_end(self, logs=None):
        self.finish()

    def finish(self):
        """End the watching, and complete the record: of an interrupted run too. Once is enough."""
        self._leave()
        if self._train is not None:
            self._finish()
            self._train = self._validation = self._weights = None

    # ---------------------------------------------------------------- steps

    @safely
    def _start(self):
        """Before the first step, when all weights exist."""
        model = self.model
        self.record.setting |= looking.weights_setting(model)
        if sum(int(np.prod(w.shape)) for w in model.weights) < 50e6:
            self._weights = [(w, w.numpy()) for w in model.weights]

    @safely
    def _before(self, data):
        self._snapshot = None
        if self._steps < FIRST or (
            self._steps >= self._next_look
            and self._looked + self._look_cost <= SHARE * (time.perf_counter() - self._begin)
        ):
            start = time.perf_counter()
            self._snapshot = looking.kernels(self.model)
            self._look_cost = 2 * (time.perf_counter() - start)

    @safely
    def _after(self, data, outputs, waited, seconds):
        self._steps += 1
        self._seconds.append(seconds)
        count = None
        if data is not None:
            if not self._first_step:  # an epoch's first step starts the iterator, fills buffers
                self._waits.append(waited)
            self._first_step = False
            count = looking.count(data)
            self._sizes.append(count)
        if isinstance(outputs, dict) and "loss" in outputs:
            self._losses.append(self._step_loss(float(outputs["loss"]), count or 1))
        if data is None:
            return
        if self._snapshot:
            start = time.perf_counter()
            self.record.looks.append(
                {"step": self._steps, "epoch": self._epoch}
                | looking.updates(self.model, self._snapshot)
            )
            self._looked += self._look_cost + time.perf_counter() - start
            self._next_look = self._steps * 1.1
        if self._epoch == self._first_epoch:
            self._train.add(data, count, self._steps <= 16 or self._may(0.0, 0.05))

    @safely
    def _after_test(self, data, outputs, waited, seconds):
        if not self._tested:
            count = looking.count(data)
            self._validation.add(data, count, self._may(0.0, 0.05) or self._validation.seen < 512)

    _snapshot = None

    def _step_loss(self, mean, count):
        """Keras reports the mean since the epoch began; this is the batch's own loss."""
        if not self._plain:
            return mean
        before, seen = self._running
        self._running = (mean, seen + count)
        return (mean * (seen + count) - before * seen) / count

    def _may(self, seconds, share=SHARE):
        elapsed = time.perf_counter() - self._begin
        return self.own + seconds <= share * elapsed

    def _seconds_for(self, examples):
        """An estimate: what looking at so many examples takes, outside of a graph."""
        size = np.median(self._sizes) if self._sizes else 32
        step = np.median(self._seconds) if self._seconds else 0.1
        return 0.02 + 2 * step * examples / max(size, 1)

    def _note(self, text):
        if len(self.record.notes) < 20 and text not in self.record.notes:
            self.record.notes.append(text)

    # ---------------------------------------------------------------- the end

    @safely
    def _finish(self):
        record, elapsed = self.record, time.perf_counter() - self._begin
        if self._steps:
            seconds, waits = np.array(self._seconds), np.array(self._waits)
            keep = np.unique(np.linspace(0, self._steps - 1, min(STEPS, self._steps)).astype(int))
            record.steps = {
                "count": self._steps,
                "loss": [self._losses[i] for i in keep if i < len(self._losses)],
                "first loss": self._losses[0] if self._losses else None,
                "seconds": elapsed,
                "computing": seconds.sum(),
                "step": np.median(seconds),
                # Without the longest tenth: on a busy machine a few waits are for the processor.
                "wait": trimmed(waits) if len(waits) else None,
                "waits": len(waits),
                "batch": int(np.median(self._sizes)) if self._sizes else None,
            }
        self._moved()
        examples = 256
        if self._sizes:
            speed = sum(self._sizes) / max(sum(self._seconds), 1e-9)
            examples = int(np.clip(0.06 * sum(self._seconds) * speed, 40, 256))
        ends = {}
        for name, gathered in (("training", self._train), ("validation", self._validation)):
            if gathered is not None and gathered.kept:
                self._look_at_end(name, gathered, examples, ends)
                record.labels[name] = gathered.labels()
        if self._train.kept and self._validation is not None and self._validation.kept:
            record.leak = overlap(self._train, self._validation)
        neighbours.across(record, ends)
        record.looks.append({"step": self._steps, "epoch": self._epoch, "end": True})
        if self._train.kept:
            found = looking.gradients(self.model, self._train.stash(min(examples, 96)))
            record.looks[-1] |= found
        record.setting["own seconds"] = self.own
        self.record = Record(**record.to_dict())

    @safely
    def _look_at_end(self, name, gathered, examples, ends):
        found, arrays = finished.examples(
            self.model, gathered.stash(examples), deep=name == "training"
        )
        self.record.end[name] = found
        ends[name] = arrays

    @safely
    def _moved(self):
        trainable = {w.path for w in self.model.trainable_weights}
        for weight, before in self._weights or []:
            if before.dtype.kind == "f":
                after = weight.numpy()
                size = float(np.linalg.norm(before)) or float(np.linalg.norm(after))
                self.record.moved.append(
                    {
                        "name": weight.path,
                        "by": float(np.linalg.norm(after - before)) / max(size, 1e-12),
                        "trainable": weight.path in trainable,
                        "kernel": before.ndim > 1,
                        "size": before.size,
                        "zero": not before.any(),
                    }
                )
