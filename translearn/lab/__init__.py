"""JupyterLab as the course opens it.

The reader's own Jupyter neither changes it nor is changed by it: settings, layout and kernels come
from here, from the environment and from `.cache/lab`. `overrides.json` beside this file holds the
settings (no pop-ups, dark mode as the system has it, long lines of code wrapped), `custom` the
look of the page; what a reader then changes in the settings editor is kept in `.cache/lab`. The
lessons are the reader's own copies, see `copies`.
"""

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from translearn import door, paths
from translearn.authoring.reading import find
from translearn.errors import CourseError
from translearn.lab import copies

HERE = Path(__file__).resolve().parent
START_PAGE = "00_start_here.ipynb"
PORT = 8888


def environment(home: Path, token: str) -> dict[str, str]:
    """The variables the server runs with: this process's, minus all that would let another Jupyter
    in.
    """
    dropped = ("JUPYTER", "IPYTHON", "PYTHONHOME", "MPLBACKEND")
    env = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    env.update(
        # No configuration files at all, neither the reader's nor the system's: what the server
        # needs, `command` says.
        JUPYTER_NO_CONFIG="1",
        # A python3 kernel in the reader's own folder would otherwise stand before the
        # environment's.
        JUPYTER_PREFER_ENV_PATH="1",
        JUPYTER_DATA_DIR=str(home / "data"),
        JUPYTER_RUNTIME_DIR=str(home / "runtime"),
        JUPYTERLAB_SETTINGS_DIR=str(home / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(home / "workspaces"),
        # Start-up files of the reader's IPython profile could shadow what a lesson defines.
        IPYTHONDIR=str(home / "ipython"),
        # In a variable, not on the command line: other users of the machine can read that.
        JUPYTER_TOKEN=token,
        PYDEVD_DISABLE_FILE_VALIDATION="1",
        npm_config_cache=str(home / "npm"),  # jupyter_lsp asks npm, where there is one
    )
    return env


def command(port: int, folder: Path, start_page: str) -> list[str]:
    """The command that starts the server."""
    # Jupytext's extension rewrites a paired source on save and goes by file times: off. The page
    # asks for jupyter_lsp even where no language server is installed.
    extensions = {
        "jupyterlab": True,
        "jupyter_server_terminals": True,
        "jupyter_lsp": True,
        "jupytext": False,
    }
    return [
        sys.executable, "-m", "jupyterlab",
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.custom_css=True",
        f"--ServerApp.tornado_settings={({'static_custom_path': [str(HERE / 'custom')]})!r}",
        f"--ServerApp.default_url=/lab/tree/{start_page}",
        f"--ServerApp.jpserver_extensions={extensions!r}",
        "--ServerApp.answer_yes=True",
        "--ServerApp.log_level=ERROR",
        # Containers run as root; the server still listens on this machine only.
        "--ServerApp.allow_root=True",
        # What a learner has no use for stays out of the list at the left.
        "--ContentsManager.hide_globs=['source', 'coursework', '__pycache__', '*.pyc']",
        "--KernelSpecManager.allowed_kernelspecs={'python3'}",
        f"--LabApp.app_settings_dir={HERE}",
        "--LabApp.extension_manager=readonly",  # the other one asks a package index
    ]  # fmt: skip


def free_port(first: int = PORT, tries: int = 50) -> int:
    """The first port from `first` on that nobody listens at."""
    for port in range(first, min(first + tries, 65536)):
        with socket.socket() as probe:
            if os.name != "nt":  # on Windows the option would let two servers share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise CourseError(f"No free port from {first} on. Name another: course.py lab --port 9000")


@dataclass
class Server:
    """A running JupyterLab."""

    process: subprocess.Popen
    port: int
    token: str
    start_page: str

    def url(self, page: str | None = None) -> str:
        """The address of a page (a path below the served folder), token included."""
        return (
            f"http://127.0.0.1:{self.port}/lab/tree/{page or self.start_page}?token={self.token}"
        )

    def ask(self, path: str, method: str = "GET"):
        """What the server's own interface answers at `path`: (status, decoded JSON or None)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, headers={"Authorization": f"token {self.token}"})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(body) if body.startswith((b"{", b"[")) else None

    def stop(self) -> None:
        """Stop the server and its kernels."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(
    folder: Path,
    port: int = PORT,
    start_page: str = START_PAGE,
    home: Path | None = None,
    wait: float = 120,
    extra: tuple[str, ...] = (),
) -> Server:
    """Start JupyterLab for `folder` on 127.0.0.1 and return once it answers.

    `port` is where the search for a free one begins. `home` keeps layout and settings (default:
    `.cache/lab`). `extra` holds further arguments of the server. Raises CourseError if the server
    ends or does not answer within `wait` seconds.
    """
    home = home or paths.cache() / "lab"
    for name in ("data", "runtime", "settings", "workspaces", "ipython"):
        (home / name).mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(24)
    port = free_port(port)
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command(port, Path(folder), start_page), *extra],
            env=environment(home, token),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C reaches this process only, which then stops the server in an orderly way.
            start_new_session=os.name != "nt",
        )
    server = Server(process, port, token, start_page)
    try:
        end = time.monotonic() + wait
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if server.ask("/api/status")[0] == 200:
                    return server
            time.sleep(0.1)
        said = log.read_text(errors="replace").strip().splitlines()
        raise CourseError(
            f"JupyterLab did not start{' (' + said[-1][:200] + ')' if said else ''}. Its "
            f"messages are in {log}."
        )
    except BaseException:
        server.stop()
        raise


def main(argv: list[str] | None = None) -> int:
    """Serve the lessons until Ctrl-C."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="course.py lab", description="Open the lessons in JupyterLab, on this machine only."
    )
    parser.add_argument(
        "lesson", nargs="?", help="the one to open, such as 05 (default: the start page)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--port",
        type=int,
        default=PORT,
        metavar="N",
        help=f"default {PORT}; if taken, the next free one is used",
    )
    options = parser.parse_args(argv)
    if not 1 <= options.port <= 65535:
        parser.error("--port takes a number from 1 to 65535")

    def leave(*_):
        raise KeyboardInterrupt

    # Closing the terminal, or `kill`, stops the server as Ctrl-C does.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)

    server = None
    try:
        page = f"{find([options.lesson])[0].stem}.ipynb" if options.lesson else START_PAGE
        folder = copies.folder()
        for name in copies.lay_out(folder):
            print(
                f"The course has a new {name}; yours, with your work, is kept. To begin the new "
                "one, rename yours and start again."
            )
        server = start(folder, port=options.port, start_page=page)
        if server.port != options.port:
            print(f"Port {options.port} is taken: using {server.port}.")
        print(f"The lessons are open at\n  {server.url()}\nCtrl-C stops them.")
        print(f"What you do in them is kept in {folder}.", flush=True)
        with door.to(server.url(), paths.cache() / "lab") as entrance:
            if not options.no_browser:
                webbrowser.open(entrance)
            code = server.process.wait()
        print(
            f"JupyterLab ended. Its messages are in {paths.cache() / 'lab' / 'server.log'}."
            if code
            else ""
        )
        return 1 if code else 0
    except KeyboardInterrupt:
        print("\nStopping.", flush=True)
        return 0
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if server:
            server.stop()
