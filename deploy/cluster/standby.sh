#!/usr/bin/env bash
# Starts the standby. At the first start, or with an empty volume, it copies the primary.
set -euo pipefail
secrets=${SECRETS:-/run/secrets} primary=${PRIMARY:-host=primary port=5432}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$(< "$secrets/replication_password")
    pg_basebackup -D "$PGDATA" -R -X stream -c fast \
        -d "$primary user=replicator application_name=standby password=$password"
    chmod 700 "$PGDATA"
fi
exec "${SERVER:-docker-entrypoint.sh}" "$@"
