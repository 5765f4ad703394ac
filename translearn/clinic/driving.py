"""The step in the place of Keras's: the same computing, with the batch in hand."""

import contextlib
import time

from translearn.clinic import looking


def in_turn(step, times, at_end=None, before=None, after=None):
    """A function for Keras that fetches up to `times` batches and hands each to `step`.

    Without `before` and `after` it is what a watched run leaves behind: a later fit without
    compile goes on with the step that was built, and so trains the same list of weights. When
    there is no batch left, `at_end` gets the empty iterator.
    """

    def function(iterator):
        for done in range(times):
            start = time.perf_counter()
            try:
                data = next(iterator)
            except StopIteration:
                if done:
                    break
                if at_end:
                    with contextlib.suppress(Exception):  # it finds no batch either
                        at_end(iterator)
                raise
            waited = time.perf_counter() - start
            if before:
                before(data)
            start = time.perf_counter()
            outputs = step(data)
            if after:
                after(data, outputs, waited, time.perf_counter() - start)
        return outputs

    function.step = step
    return function


class Driving:
    """The part of a watch that stands between `fit` and the step."""

    def _drive(self, name, step, before, after):
        """Put a function in the place of Keras's that fetches the batch itself."""
        model, original = self.model, getattr(self.model, name)
        times = getattr(model, "steps_per_execution", 1) or 1
        built = [original.step] if hasattr(original, "step") else []
        # Only data of unknown length are asked for more than they have. Keras's own step then
        # moves the optimiser's counter and the seeds before it sees that there is no batch.
        counts = name == "train_function" and times == 1 and not model.run_eagerly
        at_end = original if counts else None
        started = []

        def function(iterator):
            if not built:
                try:
                    built.append(looking.one_step(model, step, iterator.element_spec))
                except Exception as error:  # noqa: BLE001 - Keras says it better
                    self._note(f"{name}: {type(error).__name__}: {str(error)[:200]}")
                    function.leave()
                    return original(iterator)
            if before and not started:
                self._start()
            started.append(True)
            try:
                return in_turn(built[0], times, at_end, before, after)(iterator)
            except StopIteration:
                raise
            except BaseException:
                self.finish()
                raise

        def leave():
            if getattr(model, name, None) is function:
                setattr(model, name, in_turn(built[0], times, at_end) if built else original)

        function.leave = leave
        self._put[name] = function
        setattr(model, name, function)

    def _listen(self):
        """Leave the step as it is, and note its loss and seconds."""
        import tensorflow as tf

        self.record.setting["inputs unseen"] = True
        self._note("the step was built before this fit, so its inputs were not seen")
        model, original = self.model, self.model.train_function
        if original is None or hasattr(original, "leave"):
            return

        def function(iterator):
            start = time.perf_counter()
            try:
                outputs = original(iterator)
            except (StopIteration, tf.errors.OutOfRangeError):
                raise
            except BaseException:
                self.finish()
                raise
            self._after(None, outputs, None, time.perf_counter() - start)
            return outputs

        def leave():
            if model.train_function is function:
                model.train_function = original

        function.leave = leave
        self._put["train_function"] = function
        model.train_function = function

    def _leave(self):
        while self._put:
            self._put.popitem()[1].leave()
