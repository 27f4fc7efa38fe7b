#!/usr/bin/env bash
# Whether the engine of this container answers on the port that it was told: exit code 0, or 1 and why.
#
# Nothing but bash is needed. With TLS a plain request cannot be answered: then the port must be open and the engine
# speak through the socket in its folder.
set -euo pipefail

port=${HTTP_PORT:-8083}
sick() {
    echo "$*" >&2
    exit 1
}

exec 3<>"/dev/tcp/127.0.0.1/$port" || sick "nothing listens on port $port"
if [[ -n ${TLS_CERT_FILE:-} ]]; then
    exec 3>&-
    tse status --quiet >/dev/null || sick "the engine does not answer"
    exit 0
fi
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 version status rest <&3 || sick "no answer on port $port"
[[ $version == HTTP/1.* && $status == 200 ]] || sick "port $port says $version $status $rest"
