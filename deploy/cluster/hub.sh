#!/usr/bin/env bash
# Starts a hub with its secrets. It finds the server of the two that can be written to.
set -euo pipefail
secrets=${SECRETS:-/run/secrets} servers=${DATABASE_SERVERS:-primary,standby}
password=$(< "$secrets/database_password")
ROGERRAT_SERVER__TOKEN=$(< "$secrets/hub_token")
ROGERRAT_DATABASE__URL="postgres://rogerrat:$password@$servers/rogerrat?target_session_attrs=read-write"
export ROGERRAT_SERVER__TOKEN ROGERRAT_DATABASE__URL
exec rogerrat "$@"
