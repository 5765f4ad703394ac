#!/usr/bin/env bash
# Makes an account on this machine for each line of a students.csv, with a first password that stands in passwords.csv.
#   sudo bash deploy/server/add-people.sh students students.csv
#   sudo bash deploy/server/add-people.sh instructors instructors.csv
# Who has an account already keeps it, and its password.
set -euo pipefail
group="translearn-${1:?students or instructors}"
table="${2:?a table whose first column is the id}"
getent group "$group" >/dev/null || { echo "There is no group $group: run set-up.sh first." >&2; exit 1; }
umask 077
touch passwords.csv
tr -d '\r' < "$table" | sed '1s/^\xef\xbb\xbf//' | tail -n +2 | tr ';' ',' | cut -d, -f1 | while read -r id; do
    [ -n "$id" ] || continue
    if [[ ! "$id" =~ ^[a-z][a-z0-9._-]{0,31}$ ]]; then
        echo "$id: not made. The name of an account has small letters, digits and . _ - only, 32 at most." >&2
        continue
    fi
    if ! id -u "$id" >/dev/null 2>&1; then
        useradd --create-home --shell /bin/bash "$id"
        password="$(head -c 12 /dev/urandom | base64 | tr '+/' 'xy')"
        chpasswd <<< "$id:$password"
        echo "$id,$password" >> passwords.csv
    fi
    chmod 0700 "$(getent passwd "$id" | cut -d: -f6)"
    usermod --append --groups "$group" "$id"
done
echo "Done. Give each their line of $(pwd)/passwords.csv, then delete it."
