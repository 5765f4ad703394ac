"""JupyterHub for a class on one server: accounts of the machine, one Jupyter server each, run as
its owner.

https://jupyterhub.readthedocs.io/en/stable/reference/config-reference.html. set-up.sh copies this
file and fills in the two places.
"""

import os

COURSE = "/srv/translearn/course"  # the checkout
SERVER = "/srv/translearn"
PORT = int(os.environ.get("TRANSLEARN_PORT", "8000"))

c = get_config()  # noqa: F821

# Debian's proxy finds its modules here, also when another Node.js than Debian's runs it.
os.environ.setdefault("NODE_PATH", "/usr/share/nodejs")

# Plain HTTP on this machine only: a web server such as Caddy or nginx in front of it brings the
# certificate (deploy/README.md).
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.JupyterHub.hub_port = PORT + 1
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.pid_file = f"{SERVER}/hub/proxy.pid"
c.JupyterHub.db_url = f"sqlite:///{SERVER}/hub/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{SERVER}/hub/cookie_secret"

# Who may come in: the members of two groups, with the password of their account.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {"translearn-students", "translearn-instructors"}
c.PAMAuthenticator.open_sessions = (
    False  # no login session is needed for a server without a terminal on the machine
)
c.JupyterHub.admin_access = False  # nobody opens another's server through the hub

# Each one's server is a process of their own account. For limits on memory and cores, install
# systemdspawner and say
#   c.JupyterHub.spawner_class = "systemd"; c.SystemdSpawner.mem_limit = "4G";
# c.SystemdSpawner.cpu_limit = 2.0
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [f"{SERVER}/config/student-lab", COURSE]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = c.Spawner.http_timeout = 120  # a busy first hour

c.Spawner.environment = {
    "JUPYTER_CONFIG_PATH": f"{SERVER}/config",
    "TRANSLEARN_CACHE": "~/.cache/translearn",
    "TRANSLEARN_PROGRESS": "~/.translearn-progress.json",
}
