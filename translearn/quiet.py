"""The first import of TensorFlow, without its start-up lines.

TensorFlow's C++ code writes two or three lines to standard error before any setting of ours can
reach it. In a notebook they would stand in red at the top of every lesson. They are held back, and
shown after all if the import fails.
"""

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
            spec.loader.exec_module = lambda module: _held_back(load, module)
        return spec


def _held_back(load, module):
    with tempfile.TemporaryFile() as lines:
        # File descriptor 2 itself: C++ does not write through sys.stderr.
        kept = os.dup(2)
        os.dup2(lines.fileno(), 2)
        try:
            load(module)
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
