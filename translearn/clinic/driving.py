"""The step in the place of Keras's: the same computing, with the batch in hand."""

import time

from translearn.clinic import looking


def unwatched(step, times):
    """What a watched run leaves behind: the step that it built, as Keras's function would go on
    with the one that it built. A later fit without compile then trains the same list of weights.
    """

    def function(iterator):
        for done in range(times):
            try:
                data = next(iterator)
            except StopIteration:
                if done:
                    break
                raise
            outputs = step(data)
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
                for done in range(times):
                    start = time.perf_counter()
                    try:
                        data = next(iterator)
                    except StopIteration:
                        if done:
                            break
                        raise
                    fetched = time.perf_counter()
                    if before:
                        before(data)
                    ready = time.perf_counter()
                    outputs = built[0](data)
                    after(data, outputs, fetched - start, time.perf_counter() - ready)
                return outputs
            except StopIteration:
                raise
            except BaseException:
                self.finish()
                raise

        def leave():
            if getattr(model, name, None) is function:
                setattr(model, name, unwatched(built[0], times) if built else original)

        function.leave = leave
        self._put[name] = function
        setattr(model, name, function)

    def _listen(self):
        """Leave the step as it is, and note its loss and seconds."""
        self.record.setting["inputs unseen"] = True
        self._note("the step was built before this fit, so its inputs were not seen")
        model, original = self.model, self.model.train_function
        if original is None or hasattr(original, "leave"):
            return

        def function(iterator):
            start = time.perf_counter()
            try:
                outputs = original(iterator)
            except StopIteration:
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
