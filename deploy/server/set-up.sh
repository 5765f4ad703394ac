#!/usr/bin/env bash
# Sets up one server for a class: JupyterHub, nbgrader's exchange, the grading sandbox. For Debian 12 or Ubuntu 22.04 and later.
#   sudo bash deploy/server/set-up.sh
# Run it again whenever you like: it changes only what is not as it should be. deploy/README.md explains each part.
set -euo pipefail
course="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
server="${TRANSLEARN_SERVER:-/srv/translearn}"
say() { printf '%s\n' "$*"; }

[ "$(id -u)" = 0 ] || { say "Run it as root: sudo bash deploy/server/set-up.sh" >&2; exit 1; }

missing=()
command -v bwrap >/dev/null || missing+=(bubblewrap)
python3 -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)
command -v configurable-http-proxy >/dev/null || missing+=(node-configurable-http-proxy)
if ((${#missing[@]})); then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The environment: the one of the checkout, which everybody on this machine may read.
(umask 022; python3 "$course/course.py" coursework --help >/dev/null) || { say "The environment could not be made; the lines above say why." >&2; exit 1; }

for group in translearn-students translearn-instructors; do
    getent group "$group" >/dev/null || groupadd "$group"
done

# What holds model answers and hidden checks is for instructors only. A student's notebook imports none of it. The folder's
# door is enough, and not more than the door: files in .cache may be the environment's own, under a second name.
for part in translearn/coursework/instructor notebooks/source notebooks/solutions notebooks/coursework tests class .git .cache; do
    [ -e "$course/$part" ] || continue
    chgrp translearn-instructors "$course/$part"
    chmod 0750 "$course/$part"
done

install -d -m 0755 "$server" "$server/config" "$server/config/labconfig"
install -d -m 0700 "$server/hub"
# Students and instructors write here; what each may read in it, nbgrader sets. The sticky bit: nobody removes another's.
install -d -m 1777 "$server/exchange"
# Instructors make their classes here, in folders that only they can read (course.py coursework new).
install -d -m 0770 -g translearn-instructors "$server/classes"

here="$course/deploy/server"
install -m 0644 "$here/jupyterhub_config.py" "$here/nbgrader_config.py" "$here/jupyter_server_config.json" "$server/config/"
install -m 0644 "$here/page_config.json" "$server/config/labconfig/"
install -m 0644 "$course/translearn/lab/overrides.json" "$server/config/labconfig/default_setting_overrides.json"
install -m 0755 "$here/student-lab" "$server/config/"
sed -i "s|^COURSE = .*|COURSE = \"$course\"|; s|^SERVER = .*|SERVER = \"$server\"|" "$server/config/jupyterhub_config.py" "$server/config/nbgrader_config.py"

# The instructor's command, from any folder.
cat > "$server/config/coursework" <<END
#!/bin/sh
export JUPYTER_CONFIG_PATH="$server/config" TRANSLEARN_CACHE="\${TRANSLEARN_CACHE:-~/.cache/translearn}"
exec "$course/.venv/bin/python" -m translearn.coursework.instructor "\$@"
END
chmod 0755 "$server/config/coursework"
[ "${TRANSLEARN_SERVER:-}" ] || ln -sf "$server/config/coursework" /usr/local/bin/coursework

if [ -d /run/systemd/system ] && [ -z "${TRANSLEARN_SERVER:-}" ]; then
    cat > /etc/systemd/system/translearn-hub.service <<END
[Unit]
Description=JupyterHub for Transfer Learning, Measured
After=network.target
[Service]
ExecStart=$course/.venv/bin/jupyterhub --config $server/config/jupyterhub_config.py
WorkingDirectory=$server/hub
Restart=on-failure
[Install]
WantedBy=multi-user.target
END
    systemctl daemon-reload
    systemctl enable --now translearn-hub
fi
say "The server is set up in $server. Next: bash deploy/server/add-people.sh students students.csv"
