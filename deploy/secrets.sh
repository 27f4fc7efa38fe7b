#!/usr/bin/env bash
# Makes what compose.yaml needs to know and nobody else: passwords of random content, and URLs with them, in
# deploy/secrets (or the folder that is named). What is there already is kept; --renew NAME makes one anew.
#
#   deploy/secrets.sh
#   deploy/secrets.sh --renew grafana_admin_password
#
# The folder is for its owner alone. The files in it can be read by everybody who gets there, as containers get single
# files and read them as users of their own.
set -euo pipefail

folder=$(dirname "${BASH_SOURCE[0]}")/secrets
renew=" "
while (($# > 0)); do
    case $1 in
    --renew)
        renew+="${2:?--renew needs the name of a password} "
        shift 2
        ;;
    -*)
        echo "secrets.sh: there is only --renew NAME, and a folder" >&2
        exit 2
        ;;
    *)
        folder=$1
        shift
        ;;
    esac
done

passwords=(
    postgres_superuser_password
    postgres_owner_password
    postgres_adapter_password
    postgres_monitor_password
    redis_adapter_password
    redis_service_password
    redis_registry_password
    redis_monitor_password
    grafana_admin_password
)
for name in $renew; do
    if [[ " ${passwords[*]} " != *" $name "* ]]; then
        echo "secrets.sh: no password is called $name; there are ${passwords[*]}" >&2
        exit 2
    fi
done

umask 077
mkdir -p "$folder"
chmod 700 "$folder"

# A file is there whole or not at all.
write() {
    local path=$folder/$1
    cat >"$path.new"
    chmod 444 "$path.new"
    mv -f "$path.new" "$path"
}

for name in "${passwords[@]}"; do
    if [[ -s $folder/$name && $renew != *" $name "* ]]; then
        continue
    fi
    # 192 bits, in letters that a URL takes as they are.
    password=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
    printf '%s' "$password" | write "$name"
    echo "made $folder/$name"
done

of() { cat "$folder/$1"; }
printf 'postgresql://trading_adapter:%s@postgres:5432/trading_ecosystem' "$(of postgres_adapter_password)" | write postgres_url
printf 'postgresql://trading_owner:%s@postgres:5432/trading_ecosystem' "$(of postgres_owner_password)" | write postgres_owner_url
printf 'redis://trading-adapter:%s@redis:6379' "$(of redis_adapter_password)" | write redis_url
printf 'redis://trading-service:%s@redis:6379' "$(of redis_service_password)" | write discovery_redis_url
