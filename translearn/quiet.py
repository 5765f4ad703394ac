"""TensorFlow without the lines that its C++ code writes to standard error.

Its import writes two or three before any setting of ours can reach it, and its converter some
more. In a notebook they would stand in red. They are held back, and shown after all if it fails.
"""

import contextlib
import importlib.abc
import importlib.machinery
import os
import sys
import tempfile


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: _load(load, module)
        return spec


def _load(load, module):
    with held_back():
        load(module)


@contextlib.contextmanager
def held_back():
    """Without what is written to standard error inside, unless it ends in an exception."""
    with tempfile.TemporaryFile() as lines:
        # File descriptor 2 itself: C++ does not write through sys.stderr.
        kept = os.dup(2)
        os.dup2(lines.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            lines.seek(0)
            sys.stderr.write(lines.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def install() -> None:
    """Hold back the start-up lines of the next import of TensorFlow, if it is not imported yet."""
    if "tensorflow" not in sys.modules and not any(
        isinstance(finder, _Finder) for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _Finder())
