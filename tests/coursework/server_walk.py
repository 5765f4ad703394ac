"""A class on one server, from set-up to feedback, as deploy/README.md says. Run by test_server.py
as root of a machine of its own: its /etc, /home, network and processes are made for it and end
with it. Prints what it saw as one line of JSON.

    python server_walk.py CHECKOUT SERVER NOTEBOOKS.json
"""

import json
import os
import pwd
import re
import subprocess
import sys
import time
from pathlib import Path

import requests

CHECKOUT, SERVER, BOOKS = (
    Path(sys.argv[1]),
    Path(sys.argv[2]),
    json.loads(Path(sys.argv[3]).read_text()),
)
HUB = "http://127.0.0.1:8000"
seen = {}


def run(*command, user=None, ok=True, **named):
    """What a command says; as `user`, with that user's groups and home."""
    if user:
        entry = pwd.getpwnam(user)
        named |= {
            "user": entry.pw_uid,
            "group": entry.pw_gid,
            "extra_groups": os.getgrouplist(user, entry.pw_gid),
            "cwd": entry.pw_dir,
            "env": {"HOME": entry.pw_dir, "USER": user, "LOGNAME": user, "PATH": "/usr/bin:/bin"},
        }
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, **named)
    if ok and done.returncode:
        sys.exit(
            f"{' '.join(map(str, command))} ended with {done.returncode}:\n"
            f"{done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
    return done.stdout + done.stderr


def home(user):
    return Path(pwd.getpwnam(user).pw_dir)


def set_up():
    environment = os.environ | {"TRANSLEARN_SERVER": str(SERVER)}
    script = CHECKOUT / "deploy" / "server"
    run("bash", script / "set-up.sh", env=environment)
    run("bash", script / "set-up.sh", env=environment)  # twice does no harm
    people = SERVER / "people"
    people.mkdir(mode=0o700)
    (people / "students.csv").write_text(
        "id,first_name,last_name,email,lms_id\nada,Ada,Lovelace,,\nbob,Bob,Moran,,\n"
    )
    (people / "instructors.csv").write_text("id\ntina\n")
    run("bash", script / "add-people.sh", "students", "students.csv", cwd=people)
    run("bash", script / "add-people.sh", "instructors", "instructors.csv", cwd=people)
    return dict(line.split(",") for line in (people / "passwords.csv").read_text().split()), (
        people / "students.csv"
    ).read_text()


def wait(what, condition, seconds=900):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            sys.exit(
                f"Waited {seconds} s in vain: {what}\n{(SERVER / 'hub.log').read_text()[-3000:]}"
            )
        time.sleep(0.2)
    return found


class Person:
    """Somebody in a browser, without the browser."""

    def __init__(self, name, password):
        self.name, self.web = name, requests.Session()
        page = self.web.get(f"{HUB}/hub/login", timeout=300)
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
        self.landed = self.web.post(
            f"{HUB}/hub/login?next=%2Fhub%2Fhome",
            data={"username": name, "password": password, "_xsrf": token},
            timeout=300,
        )

    def start(self):
        self.web.get(f"{HUB}/hub/spawn", timeout=300)
        # The page of JupyterLab takes the session through the hub's login and sets the cookie that
        # later requests are checked against.
        wait(
            f"{self.name}'s server",
            lambda: (
                self.get(self.name, "lab").url.startswith(f"{HUB}/user/{self.name}/lab")
                and self.get(self.name, "api/status").status_code == 200
            ),
        )

    def get(self, whose, path):
        return self.web.get(f"{HUB}/user/{whose}/{path}", timeout=300)

    def send(self, method, path, body):
        token = next(
            (
                cookie.value
                for cookie in self.web.cookies
                if cookie.name == "_xsrf" and cookie.path.startswith(f"/user/{self.name}")
            ),
            "",
        )
        done = self.web.request(
            method,
            f"{HUB}/user/{self.name}/{path}",
            json=body,
            headers={"X-XSRFToken": token},
            timeout=600,
        )
        if done.status_code >= 400:
            sys.exit(f"{self.name}: {method} {path}: {done.status_code} {done.text[:500]}")
        return done.json()

    def assignments(self, action):
        return self.send(
            "POST", f"assignments/{action}", {"course_id": "spring", "assignment_id": "A1"}
        )


def coursework(*words, ok=True):
    return run(
        SERVER / "config" / "coursework",
        "--course",
        SERVER / "classes" / "spring",
        *words,
        user="tina",
        ok=ok,
    )


def reads(user, path):
    """Whether `user` can read a file, or list a folder."""
    code = (
        "import os, sys; p = sys.argv[1]; os.listdir(p) if os.path.isdir(p) else open(p).read(1)"
    )
    entry = pwd.getpwnam(user)
    return (
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            capture_output=True,
            user=entry.pw_uid,
            group=entry.pw_gid,
            extra_groups=os.getgrouplist(user, entry.pw_gid),
            cwd="/",
        ).returncode
        == 0
    )


def main():
    passwords, table = set_up()
    coursework("new", "--name", "Spring")
    (SERVER / "classes" / "spring" / "students.csv").write_text(table)
    seen["release"] = coursework("release", "A1", "--exchange")

    with open(SERVER / "hub.log", "w") as log:
        subprocess.Popen(
            [
                CHECKOUT / ".venv" / "bin" / "jupyterhub",
                "--config",
                SERVER / "config" / "jupyterhub_config.py",
            ],
            stdout=log,
            stderr=log,
            cwd=SERVER / "hub",
        )
    wait("the hub", lambda: _up())
    seen["wrong password"] = Person("ada", "guess").landed.status_code
    ada, bob = Person("ada", passwords["ada"]), Person("bob", passwords["bob"])
    began = time.monotonic()
    ada.start()
    bob.start()
    seen["two servers, seconds"] = round(time.monotonic() - began, 1)

    # Fetch, work, hand in.
    seen["listed"] = [
        (each["assignment_id"], each["status"])
        for each in ada.send("GET", "assignments?course_id=spring", None)["value"]
    ]
    for person in (ada, bob):
        person.assignments("fetch")
        fetched = person.get(person.name, "api/contents/A1/A1.ipynb").json()["content"]
        seen[f"{person.name} fetched"] = len(fetched["cells"])
        person.send(
            "PUT", "api/contents/A1/A1.ipynb", {"type": "notebook", "content": BOOKS[person.name]}
        )
        said = person.assignments("submit")
        seen[f"{person.name} submitted"] = [
            each["status"] for each in said["value"] if each["status"] == "submitted"
        ]
    extensions = json.dumps(ada.get("ada", "lab").text)
    seen["lab disables"] = [
        name
        for name in ("formgrader", "create-assignment", "course-list")
        if f"@jupyter/nbgrader:{name}" in extensions
    ]
    seen["formgrader"] = ada.get("ada", "formgrader").status_code
    seen["lessons"] = len(
        [
            each
            for each in ada.get("ada", "api/contents/lessons").json()["content"]
            if each["name"].endswith(".ipynb")
        ]
    )
    seen["imports"] = run(
        CHECKOUT / ".venv/bin/python",
        "-c",
        "from translearn.coursework.student import a1, submit; import translearn; print('fine')",
        user="bob",
    )

    # What bob can see of others, and of the answers.
    inbound = SERVER / "exchange" / "spring" / "inbound"
    of_ada = next(inbound.glob("ada+A1+*"))
    places = {
        "ada's home": home("ada"),
        "ada's notebook": home("ada") / "A1/A1.ipynb",
        "who handed in": inbound,
        "the class": SERVER / "classes" / "spring",
        "its key": SERVER / "classes/spring/secret.key",
        "the judges": CHECKOUT / "translearn/coursework/instructor/judges/a1.py",
        "the sources": CHECKOUT / "notebooks/source",
        "the model answers": CHECKOUT / "notebooks/coursework/instructor",
        "the tests": CHECKOUT / "tests",
        "the history": CHECKOUT / ".git",
        "the hub's files": SERVER / "hub",
        "the passwords": SERVER / "people/passwords.csv",
    }
    seen["bob reads"] = [name for name, path in places.items() if reads("bob", path)]
    seen["tina reads"] = [name for name, path in places.items() if reads("tina", path)]
    seen["bob in ada's server"] = bob.get("ada", "api/contents").status_code
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = {int(words[1].split(":")[1], 16) for words in listening if words[3] == "0A"}
    direct = [
        requests.get(
            f"http://127.0.0.1:{port}/user/ada/api/contents", timeout=300, allow_redirects=False
        )
        for port in ports
    ]
    seen["open ports"] = len(ports)
    seen["without a login"] = sorted({each.status_code for each in direct})

    # What bob may try in the exchange: somebody else's name, and links to files that only tina can
    # read.
    forge = """
import os, shutil, sys
inbound, answers = sys.argv[1:]
ada, bob, linked = (
    f"{inbound}/{name}+A1+{day} 00:00:00.000000 UTC+x"
    for name, day in (("ada", "2098-01-01"), ("bob", "2098-01-01"), ("bob", "2098-01-02"))
)
os.makedirs(ada)
shutil.copy(os.path.expanduser("~/A1/A1.ipynb"), f"{ada}/A1.ipynb")
os.makedirs(bob)
os.symlink(answers, f"{bob}/A1.ipynb")
os.symlink(os.path.dirname(answers), linked)
"""
    run(
        sys.executable,
        "-c",
        forge,
        inbound,
        SERVER / "classes/spring/source/A1/A1.ipynb",
        user="bob",
    )
    seen["collect"] = coursework("collect", "--exchange")
    seen["of bob, taken"] = (SERVER / "classes/spring/submitted/bob/A1/A1.ipynb").read_bytes() == (
        home("bob") / "A1/A1.ipynb"
    ).read_bytes()
    seen["of ada, taken"] = (SERVER / "classes/spring/submitted/ada/A1/A1.ipynb").read_bytes() == (
        of_ada / "A1.ipynb"
    ).read_bytes()
    seen["grade"] = coursework("grade", "A1")
    seen["marks"] = coursework("marks")
    seen["feedback"] = coursework("feedback", "A1", "--exchange")

    for person in (ada, bob):
        person.assignments("fetch_feedback")
        pages = list((home(person.name) / "A1/feedback").rglob("*.html"))
        seen[f"{person.name}'s page"] = (
            re.search(r"So far ([\d.]+ of \d+) points", pages[0].read_text())[1] if pages else None
        )
    there = SERVER / "exchange" / "spring" / "feedback"
    seen["bob lists pages"] = reads("bob", there)
    seen["page in the browser"] = ada.get(
        "ada",
        "files/"
        + str(next((home("ada") / "A1/feedback").rglob("*.html")).relative_to(home("ada"))),
    ).status_code


def _up():
    try:
        return requests.get(f"{HUB}/hub/api", timeout=5).status_code == 200
    except requests.RequestException:
        return False


main()
print("SEEN " + json.dumps(seen))
