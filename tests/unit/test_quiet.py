"""TensorFlow's start-up lines stay out of the lessons; a failing import is not hushed up."""

import subprocess
import sys


def run(code, **more):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=1800, **more
    )


def test_importing_keras_after_translearn_writes_nothing():
    said = run("import translearn, keras; keras.ops.ones(3); print('done')")
    assert said.stdout.strip() == "done" and said.stderr == ""


def test_a_tensorflow_that_fails_to_import_says_why(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'the reason\\n')\nraise ImportError('broken wheel')\n"
    )
    said = run(f"import sys, translearn; sys.path.insert(0, {str(tmp_path)!r}); import tensorflow")
    assert "the reason" in said.stderr and "broken wheel" in said.stderr


def test_after_the_import_errors_reach_the_reader_again():
    said = run("import translearn, tensorflow, os; os.write(2, b'seen')")
    assert said.stderr.endswith("seen")


def test_retracing_warnings_and_exports_are_dropped_and_others_are_not():
    said = run(
        "import translearn, logging; log = logging.getLogger('tensorflow'); "
        "logging.basicConfig()\n"
        "log.warning('5 out of 5 calls triggered tf.function retracing.'); "
        "log.warning('Assets written to: here'); log.warning('something else')"
    )
    assert "retracing" not in said.stderr and "Assets" not in said.stderr
    assert "something else" in said.stderr
