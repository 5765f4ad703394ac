#!/usr/bin/env bash
# Copies the course without what only instructors need: model answers, hidden checks, solved
# notebooks, the tests, the history.
#   bash deploy/student-copy.sh FOLDER
# For an image, a shared folder, or students' machines.
set -euo pipefail
course="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
folder="${1:?the folder to write, new or empty}"
if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
    echo "$folder is not empty; nothing was changed. Choose another folder." >&2
    exit 1
fi
mkdir -p "$folder"
left_out=(
    .git .venv .cache class .progress.json translearn/coursework/instructor notebooks/source
    notebooks/solutions notebooks/coursework tests conftest.py .ci deploy docs
)
tar -C "$course" "${left_out[@]/#/--exclude=./}" --exclude=__pycache__ \
    --exclude=.ipynb_checkpoints --exclude='.*.part' -cf - . | tar -C "$folder" -xf -
echo "The course without its answers is in $folder."
