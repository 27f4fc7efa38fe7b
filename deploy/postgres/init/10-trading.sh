#!/usr/bin/env bash
# Makes the database and its roles, from secrets. The image runs it once, on an empty volume; run again by hand it
# changes nothing but passwords, which it sets to what the secrets say now. Schemas and tables are made by `tse migrate`.
#
#   trading_owner     owns the database and migrates it
#   trading_adapter   what engines log in as: rows, no tables
#   monitor_user      reads everything, changes nothing
set -euo pipefail

export SECRETS=${SECRETS:-/run/secrets}
for name in owner adapter monitor; do
    if [[ ! -s $SECRETS/postgres_${name}_password ]]; then
        echo "10-trading.sh: the secret $SECRETS/postgres_${name}_password is missing or empty" >&2
        exit 1
    fi
done

# psql itself reads the secrets: no command line shows them.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
SET client_min_messages = 'warning';
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
\set owner_password `cat "$SECRETS/postgres_owner_password"`
\set adapter_password `cat "$SECRETS/postgres_adapter_password"`
\set monitor_password `cat "$SECRETS/postgres_monitor_password"`

-- One at a time, whoever else runs this.
SELECT pg_advisory_lock(hashtext('10-trading.sh')) \g /dev/null

SELECT format('CREATE ROLE %I', wanted)
FROM unnest(ARRAY['trading_owner', 'trading_adapter', 'monitor_user']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted)
\gexec

-- The owner makes schemas, and says what the engines' role may do there.
ALTER ROLE trading_owner LOGIN NOSUPERUSER NOCREATEDB CREATEROLE PASSWORD :'owner_password';
ALTER ROLE trading_adapter LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 120 PASSWORD :'adapter_password';
ALTER ROLE monitor_user LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 5 PASSWORD :'monitor_password';
GRANT trading_adapter TO trading_owner WITH ADMIN OPTION;
GRANT pg_monitor, pg_read_all_data TO monitor_user;

SELECT 'CREATE DATABASE trading_ecosystem OWNER trading_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'trading_ecosystem')
\gexec

REVOKE ALL ON DATABASE trading_ecosystem FROM PUBLIC;
GRANT CONNECT ON DATABASE trading_ecosystem TO trading_adapter, monitor_user;
\connect trading_ecosystem
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO trading_adapter, monitor_user;
SQL
