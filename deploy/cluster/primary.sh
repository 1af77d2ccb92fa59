#!/usr/bin/env bash
# Runs once, when the primary's data directory has been created: the database, its owner and the replication.
set -euo pipefail
secrets=${SECRETS:-/run/secrets}
psql -v ON_ERROR_STOP=1 --no-psqlrc -U postgres -d postgres \
    -v database_password="$(< "$secrets/database_password")" \
    -v replication_password="$(< "$secrets/replication_password")" <<'SQL'
CREATE ROLE rogerrat LOGIN PASSWORD :'database_password';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replication_password';
CREATE DATABASE rogerrat OWNER rogerrat TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
-- From the next start on, a commit waits for the standby: a failover loses nothing that was acknowledged.
ALTER SYSTEM SET synchronous_standby_names = 'standby';
SQL
echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
