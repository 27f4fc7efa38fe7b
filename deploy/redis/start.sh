#!/usr/bin/env bash
# Starts Redis with the users of users.acl beside it, which knows passwords by name only: each <NAME> there becomes the
# SHA-256 of the secret NAME, so that no password is in a file or on a command line. Arguments go to redis-server.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
secrets=${SECRETS:-/run/secrets}
users=${USERS_FILE:-/run/redis/users.acl}

umask 077
text=$(cat "$here/users.acl")
while [[ $text =~ \<([a-z_]+)\> ]]; do
    name=${BASH_REMATCH[1]}
    if [[ ! -s $secrets/$name ]]; then
        echo "start.sh: the secret $secrets/$name is missing or empty" >&2
        exit 1
    fi
    hash=$(sha256sum <"$secrets/$name")
    text=${text//"<$name>"/"${hash%% *}"}
done
printf '%s\n' "$text" >"$users"

# A cache, and never the only copy of anything: nothing is written to a disk, and what is used least goes first.
exec redis-server --aclfile "$users" --save '' --appendonly no --maxmemory 256mb --maxmemory-policy allkeys-lfu "$@"
