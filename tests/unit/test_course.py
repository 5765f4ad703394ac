"""course.py: what it says and does when a machine is not as it should be. Nothing is
fetched here."""

import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def course(tmp_path):
    """course.py as a module that takes a copy of the folder for its own."""
    spec = importlib.util.spec_from_file_location("course_under_test", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT = str(tmp_path / "course")
    (tmp_path / "course" / ".cache").mkdir(parents=True)
    shutil.copy(ROOT / "requirements.lock", module.ROOT)
    return module


def test_old_pythons_can_read_it_and_it_needs_the_standard_library_only():
    tree = ast.parse((ROOT / "course.py").read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    "version, bits, found, words",
    [
        (
            (3, 10),
            64,
            "python3.12",
            "This is Python 3.10.*Run it with one that is on this machine: python3.12 course.py",
        ),
        ((3, 14), 64, None, "This is Python 3.14.*Install one of them"),
        ((3, 12), 32, None, "32 bits.*Install a 64-bit one"),
    ],
)
def test_a_wrong_python_is_told_in_one_sentence(course, version, bits, found, words):
    with pytest.raises(course.Stop, match=words):
        course.check_python(version, bits, which=lambda name: name if name == found else None)


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_a_right_python_passes(course, minor):
    course.check_python((3, minor), 64)


def test_a_full_disk_is_told_with_what_is_there_and_what_is_needed(course):
    with pytest.raises(
        course.Stop, match=r"has [\d.]+ GB free, and the set-up needs about 1000000 GB"
    ):
        course.check_disk(1e6)
    course.check_disk(1e-6)


@pytest.fixture
def fake(course):
    """A folder that passes for an environment: its Python runs, and its marker says ready."""
    python = Path(course.python_of(course.inside(".venv")))
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    venv = os.path.realpath(course.inside(".venv"))
    marker = Path(course.inside(".venv", "ready.json"))
    marker.write_text(json.dumps({"lock": course.lock_hash(), "venv": venv}))
    return marker


def test_every_state_of_the_environment_is_recognised(course, fake, tmp_path):
    assert course.state() == "ready"
    lock = Path(course.inside("requirements.lock"))
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert course.state() == "ready", "line endings are git's business"
    lock.write_text(lock.read_text() + "# newer\n")
    assert course.state() == "stale"
    whole = fake.read_text()
    for cut in (whole[:9], "7", ""):
        fake.write_text(cut)
        assert course.state() == "cut off"
    fake.unlink()
    assert course.state() == "cut off"
    fake.write_text(whole)
    Path(course.python_of(course.inside(".venv"))).unlink()
    assert course.state() == "broken"
    Path(course.ROOT).rename(tmp_path / "elsewhere")
    course.ROOT = str(tmp_path / "elsewhere")
    assert course.state() == "moved"
    shutil.rmtree(course.inside(".venv"))
    assert course.state() == "missing"


def test_uv_comes_from_the_lock_with_its_hashes(course):
    requirement, version = course.uv_requirement()
    assert requirement.startswith(f"uv=={version}") and requirement.count("--hash=sha256:") > 5
    assert len([line for line in requirement.splitlines() if "==" in line]) == 1
    Path(course.inside("requirements.lock")).write_text("numpy==2.0\n")
    with pytest.raises(course.Stop, match="git checkout requirements.lock"):
        course.uv_requirement()


@pytest.mark.parametrize(
    "output, words",
    [
        (
            "error: Request failed after 3 retries\n  Caused by: dns error: failed to lookup "
            "address information",
            "needs the network once",
        ),
        (
            "pip._vendor.urllib3.exceptions.NewConnectionError: Failed to establish a new "
            "connection",
            "needs the network once",
        ),
        ("OSError: [Errno 28] No space left on device", "The disk filled up"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "its hash differs"),
        (
            "The virtual environment was not created successfully because ensurepip is not "
            "available.",
            "python3-venv",
        ),
        ("Segmentation fault", "Segmentation fault.*setup.log"),
    ],
)
def test_a_tool_that_fails_is_explained_in_one_sentence(course, output, words):
    assert re.search(words, course.explain("installing the packages", output))


def test_a_failing_tool_leaves_its_output_in_the_log(course):
    with pytest.raises(course.Stop, match="needs the network once"):
        course.run_tool(
            "fetching",
            [sys.executable, "-c", "print('dns error'); raise SystemExit(2)"],
        )
    assert "dns error" in Path(course.inside(".cache", "setup.log")).read_text()


LOAD = (
    "import importlib.util as u, sys\n"
    f"s = u.spec_from_file_location('c', {str(ROOT / 'course.py')!r})\n"
    "c = u.module_from_spec(s); s.loader.exec_module(c); c.ROOT = sys.argv[1]\n"
)


@pytest.mark.parametrize("outlives", [False, True], ids=["all killed", "its tool lives on"])
def test_two_at_once_wait_and_a_killed_one_leaves_no_lock(course, outlives):
    tool = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    code = f"{LOAD}import subprocess\nwith c.only_one():\n"
    code += f"    subprocess.call([sys.executable, '-c', {tool!r}], close_fds=False)"
    other = subprocess.Popen(
        [sys.executable, "-c", code, course.ROOT], stdout=subprocess.PIPE, text=True
    )
    child = int(other.stdout.readline())
    said = []

    def say(sentence):
        said.append(sentence)
        other.kill()
        if outlives:  # a uv that still writes must keep others out
            with open(course.inside(".cache", "setup.lock"), "a+") as file:
                other.wait()
                time.sleep(0.5)
                assert not course.hold(file)
        os.kill(child, 9)

    try:
        with course.only_one(say=say):
            assert said == ["Another set-up is at work in this folder: waiting for it."]
    finally:
        other.kill()
        other.wait()


def test_doctor_says_something_useful_before_the_set_up_and_makes_nothing(course, capsys):
    assert course.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "not set up yet. Run: python3 course.py lab" in said
    assert os.listdir(course.inside(".cache")) == [] and not os.path.exists(course.inside(".venv"))


def test_a_ready_environment_is_used_without_a_look_at_the_network(course, fake, monkeypatch):
    monkeypatch.setattr(course, "run_tool", lambda *a: pytest.fail("nothing is to be fetched"))
    course.ensure()


# ---- A set-up in small: a wheel made here, served by an index of this machine, in place of the
# lock's ----


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A folder of an index with one package, and its hash.

    The one called uv does as uv does for the course: it makes an environment and "installs" into
    it.
    """
    folder = tmp_path_factory.mktemp("index")
    hashes = {}
    for name, files in {"uv": {"uv/__init__.py": "", "uv/__main__.py": FAKE_UV}}.items():
        wheel = folder / f"{name}-9.9-py3-none-any.whl"
        info = f"{name}-9.9.dist-info"
        files = files | {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n"
            "Tag: py3-none-any\n",
        }
        files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        hashes[name] = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (folder / name).mkdir()
        (folder / name / "index.html").write_text(
            f'<a href="../{wheel.name}#sha256={hashes[name]}">{wheel.name}</a>'
        )
    return folder, hashes


@pytest.fixture(scope="module")
def fetched(wheels, tmp_path_factory):
    """What a set-up leaves when it has fetched uv: made once, since it takes seconds."""
    folder = tmp_path_factory.mktemp("fetched")
    subprocess.run([sys.executable, "-I", "-m", "venv", folder], check=True)
    with zipfile.ZipFile(next(wheels[0].glob("*.whl"))) as archive:
        archive.extractall(next(folder.glob("[Ll]ib/**/site-packages")))
    return folder


FAKE_UV = """
import json, os, subprocess, sys, time, venv
words = sys.argv[1:]
if words[0] == "cache":
    sys.exit()
if words == ["--version"]:
    print("uv 9.9")
elif words[0] == "venv":
    venv.create(words[-1], clear=True, with_pip=False)
else:
    seen = {key: value for key, value in os.environ.items() if key.startswith(("UV_", "PIP_"))}
    print(json.dumps(seen), file=open("seen.json", "w"))
    while os.path.exists("wait"):
        open("installing", "w").close()
        time.sleep(0.05)
"""


@pytest.fixture
def small(course, wheels, tmp_path):
    """A course whose lock holds the small uv only; and how to set it up in a process of its
    own.
    """
    folder, hashes = wheels
    lock = Path(course.inside("requirements.lock"))
    lock.write_text(f"uv==9.9 \\\n    --hash=sha256:{hashes['uv']}\n")
    home = tmp_path / "home"
    (home / ".config" / "pip").mkdir(parents=True)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    env |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    env |= {"PIP_INDEX_URL": folder.as_uri(), "RUSTUP_HOME": str(tmp_path)}

    def start(**more):
        code = (
            LOAD + "c.check_disk = lambda needed: None\n"
            "try: c.ensure(); print('state:', c.state())\n"
            "except c.Stop as stop: print(stop)"
        )
        return subprocess.Popen(
            [sys.executable, "-c", code, course.ROOT],
            env=env | more,
            stdout=subprocess.PIPE,
            text=True,
        )

    course.start, course.home = start, home
    course.set_up = lambda **more: start(**more).communicate(timeout=500)[0]
    return course


def test_a_set_up_survives_the_settings_of_pip_and_leaves_the_home_alone(small, tmp_path):
    settings = small.home / ".config" / "pip" / "pip.conf"
    text = "[global]\nuser = true\nrequire-virtualenv = true\nno-index = true\n"
    text += "proxy = http://proxy.invalid:3128\n"
    settings.write_text(
        text + "[install]\nprefix = /nowhere\ntrusted-host = a.example\n  b.example\n"
    )
    astray = {"PIP_TARGET": str(tmp_path / "astray"), "PIP_USER": "1", "PIP_PREFIX": "/nowhere"}
    astray |= {"UV_TARGET": "/nowhere", "UV_SYSTEM_PYTHON": "1", "UV_CACHE_DIR": "/nowhere"}
    assert small.set_up(**astray, PYTHONPATH="/nowhere").endswith("state: ready\n")
    seen = json.loads(Path(small.inside("seen.json")).read_text())
    assert seen["UV_DEFAULT_INDEX"] == seen["PIP_INDEX_URL"], (
        "a mirror given to pip is meant for uv"
    )
    assert seen["UV_INSECURE_HOST"] == "a.example b.example"
    assert Path(seen["UV_CACHE_DIR"]).is_relative_to(small.ROOT)
    assert not {"PIP_TARGET", "PIP_USER", "UV_TARGET", "UV_SYSTEM_PYTHON"} & set(seen)
    assert not (tmp_path / "astray").exists()
    assert [path for path in small.home.rglob("*") if path.is_file()] == [settings]


def test_a_wrong_hash_is_told_and_nothing_is_installed(small):
    lock = Path(small.inside("requirements.lock"))
    lock.write_text(re.sub(r"sha256:\w{8}", "sha256:00000000", lock.read_text()))
    assert "its hash differs" in small.set_up()
    assert not os.path.exists(small.inside(".venv"))


def test_no_network_is_told_and_the_next_try_carries_on(small):
    with socket.socket() as closed:  # bound and not listening: whoever calls is refused
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        told = small.set_up(PIP_INDEX_URL=address, PIP_RETRIES="0")
    assert "needs the network once" in told
    assert small.set_up().endswith("state: ready\n")


def test_a_killed_set_up_is_repaired_by_the_next_and_a_moved_one_too(small, tmp_path, fetched):
    shutil.copytree(fetched, small.inside(".cache", "uv", "9.9"), symlinks=True)
    Path(small.inside("wait")).touch()
    first = small.start()
    while not os.path.exists(small.inside("installing")):
        assert first.poll() is None
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert small.state() == "cut off"
    second = small.start()  # waits, since the first one's uv is still at work
    assert "Another set-up" in second.stdout.readline()
    os.remove(small.inside("wait"))
    told = second.communicate(timeout=500)[0]
    assert "was cut off" in told and told.endswith("state: ready\n")
    Path(small.ROOT).rename(tmp_path / "elsewhere")
    small.ROOT = str(tmp_path / "elsewhere")
    told = small.set_up()
    assert "was moved" in told and told.endswith("state: ready\n")
    assert "fetching uv" not in told, "what was fetched is used again"
    pth = next(Path(small.inside(".venv")).rglob("translearn_checkout.pth"))
    assert "elsewhere" in pth.read_text()


def test_two_set_ups_at_once_make_one_environment(small, fetched):
    shutil.copytree(fetched, small.inside(".cache", "uv", "9.9"), symlinks=True)
    told = [process.communicate(timeout=500)[0] for process in (small.start(), small.start())]
    assert all(text.endswith("state: ready\n") for text in told)
    assert sum("Setting up" in text for text in told) == 1


# ---- Everything stays inside ----

MODEL = """
import translearn.plots, keras, matplotlib.pyplot
keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).summary()
print(keras.backend.backend(), keras.config.image_data_format(), keras.config.floatx())
"""
KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
client.execute_interactive("print(6 * 7)", timeout=500)
client.stop_channels(); manager.shutdown_kernel()
"""


def outside(tmp_path, home, code, **more):
    """Run code as a command of course.py is run, in this environment and with another home."""
    go = LOAD + "c.python_of = lambda folder: sys.executable\nc.hand_over(sys.argv[2:])"
    env = {key: value for key, value in os.environ.items() if not key.startswith(("XDG", "KERAS"))}
    env |= {"HOME": str(home), "TRANSLEARN_CACHE": str(tmp_path / "cache"), **more}
    return subprocess.run(
        [sys.executable, "-c", go, str(ROOT), *code],
        env=env,
        capture_output=True,
        text=True,
        timeout=1500,
    )


def test_doctor_keras_and_a_kernel_leave_nothing_in_the_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    done = outside(tmp_path, home, ["-c", MODEL + KERNEL])
    assert "42" in done.stdout, done.stderr
    done = outside(tmp_path, home, ["-m", "translearn.lab.doctor"])
    assert "Keras: on TensorFlow" in done.stdout, done.stderr
    assert list(home.iterdir()) == []


def test_settings_of_keras_that_are_not_the_courses_are_set_aside_and_told(tmp_path):
    home = tmp_path / "home"
    (home / ".keras").mkdir(parents=True)
    theirs = {"backend": "torch", "image_data_format": "channels_first", "floatx": "float64"}
    (home / ".keras" / "keras.json").write_text(json.dumps(theirs))
    variables = {"KERAS_BACKEND": "torch", "KERAS_MAX_EPOCHS": "1"}
    done = outside(tmp_path, home, ["-c", MODEL], **variables)
    assert "tensorflow channels_last float32" in done.stdout, done.stderr
    code = "from translearn.lab import doctor\nfor line in doctor.keras_settings(): print(*line)\n"
    told = outside(tmp_path, home, ["-c", code], **variables).stdout
    for words in ("KERAS_BACKEND=torch", "KERAS_MAX_EPOCHS=1", "channels_first", "float64"):
        assert words in told


def test_keras_imported_before_the_course_is_put_right_or_refused(tmp_path):
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first"}')
    env = os.environ | {"KERAS_HOME": str(tmp_path)}
    code = "import keras, translearn; print(keras.config.image_data_format())"
    run = [sys.executable, "-c", code]
    said = subprocess.run(run, env=env, cwd=ROOT, capture_output=True, text=True)
    assert said.stdout == "channels_last\n", said.stderr
    code = (
        "import sys, types\nsys.modules['keras'] = keras = types.ModuleType('keras')\n"
        "keras.backend = types.SimpleNamespace(backend=lambda: 'torch')\nimport translearn"
    )
    run[-1] = code
    said = subprocess.run(run, env=env, cwd=ROOT, capture_output=True, text=True)
    assert "Keras runs on torch here" in said.stderr and "Restart the kernel" in said.stderr


def test_every_page_imports_the_course_before_keras():
    """In VS Code or a Jupyter of the reader's own, where nothing else sets theirs aside."""
    late = []
    for page in sorted((ROOT / "notebooks" / "source").glob("*.md")):
        lines = page.read_text(encoding="utf-8").splitlines()
        first = next(
            n for n, line in enumerate(lines) if re.match("(from|import) translearn", line)
        )
        if any(re.match("(from|import) (keras|tensorflow)", line) for line in lines[:first]):
            late.append(page.name)
    assert late == []


def test_a_folder_of_another_account_is_told_or_works(course, fake, monkeypatch, tmp_path):
    closed = {course.ROOT, course.inside(".cache")}
    monkeypatch.setattr(course.os, "access", lambda path, mode: path not in closed)
    monkeypatch.setattr(course.os, "chdir", lambda folder: None)
    ran = []
    monkeypatch.setattr(course.os, "execve", lambda *how: ran.append(how))
    monkeypatch.delenv("TRANSLEARN_CACHE", raising=False)
    monkeypatch.delenv("TRANSLEARN_PROGRESS", raising=False)
    with pytest.raises(course.Stop, match="Name a folder of your own: TRANSLEARN_CACHE="):
        course.main(["lab"])
    monkeypatch.setenv("TRANSLEARN_CACHE", str(tmp_path / "mine"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", "theirs")
    course.main(["lab"])
    ((_, _, env),) = ran
    assert env["READERS_JUPYTER_DATA_DIR"] == "theirs", "where `kernel` writes"
    for name in ("TRANSLEARN_PROGRESS", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        assert Path(env[name]).is_relative_to(tmp_path / "mine")
    fake.unlink()
    with pytest.raises(course.Stop, match="The environment is cut off, and this account may not"):
        course.main(["lab"])


def test_help_names_every_command():
    said = subprocess.run(
        [sys.executable, str(ROOT / "course.py"), "--help"], capture_output=True, text=True
    ).stdout
    for command in "lab kernel test build format measure bench coursework doctor lock".split():
        assert f"\n    {command} " in said


def test_a_busy_port_gives_way_to_the_next_free_one():
    from translearn import lab

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert lab.free_port(port) > port
