#!/bin/sh
# Tidies what a role owns in a PostgreSQL database: VACUUM (ANALYZE), and indexes made anew while everybody goes on.
#
# As the role (PGHOST, PGPORT, PGDATABASE, PGSSLMODE, PGUSER, PGPASSWORD), or as the owner of the database, with psql 14
# or later and without a pool of connections in between:
#   UPKEEP_REINDEX       true or false: whether indexes are made anew
#   UPKEEP_LOCK_SECONDS  how long to wait for a table or index that somebody holds before it is left out
#   ROOT_CERTIFICATE     certificates of the authorities that vouch for the server, if others than the well-known ones
#   WAIT_SECONDS         how long to wait until the server answers
#
# What fails does not keep it from the rest, and shows in the exit code. It can run again at any time: what a run that
# was cut off left behind is dropped by the next one.
set -eu

folder=$(dirname "$0")
export PGAPPNAME=database-upkeep
export UPKEEP_REINDEX="${UPKEEP_REINDEX:-true}" UPKEEP_LOCK_SECONDS="${UPKEEP_LOCK_SECONDS:-60}"

# shellcheck source=postgres.sh
. "$folder/postgres.sh"

kept=$(mktemp -d)
# What fails stands in the log below what it was about.
{
    psql -X -q -At -f "$folder/database_upkeep.sql" && status=0 || status=$?
    echo "$status" >"$kept/status"
} 2>&1 | tee "$kept/log"
failed=$(grep -c 'ERROR:' "$kept/log" || true)
status=$(cat "$kept/status")
rm -r "$kept"
if [ "$status" -ne 0 ] || [ "$failed" -ne 0 ]; then
    echo "ERROR: upkeep of $PGDATABASE is not complete, see above" >&2
    exit 1
fi
