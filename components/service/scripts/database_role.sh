#!/bin/sh
# Gives an application its role in a PostgreSQL database: a login or a group, its rights, and its password.
#
# As the administrator (PGHOST, PGPORT, PGDATABASE, PGSSLMODE, PGUSER, PGPASSWORD), with psql 14 or later:
#   ROLE                 name of the role
#   ROLE_PASSWORD        password that it signs in with; without one a new role is a group, and an old one keeps its own
#   ROLE_SCHEMA          schema that it makes its objects in
#   ROLE_MEMBERS         further logins with the same rights, one per line; they must exist
#   ROLE_VISITORS        roles that may connect, and no more, one per line; they must exist
#   ROLE_EXTENSIONS      extensions of the database, one per line
#   ROLE_STATEMENT_TIMEOUT, ROLE_IDLE_TIMEOUT
#                        milliseconds that a statement may take, and that a transaction may do nothing
#   ROOT_CERTIFICATE     certificates of the authorities that vouch for the server, if others than the well-known ones
#   WAIT_SECONDS         how long to wait until the server answers
#
# It can run again at any time: what is right already stays as it is.
set -eu

folder=$(dirname "$0")
export PGAPPNAME=database-role
export ROLE_PASSWORD="${ROLE_PASSWORD:-}" ROLE_SCHEMA="${ROLE_SCHEMA:-public}" ROLE_MEMBERS="${ROLE_MEMBERS:-}"
export ROLE_VISITORS="${ROLE_VISITORS:-}" ROLE_EXTENSIONS="${ROLE_EXTENSIONS:-}"
export ROLE_STATEMENT_TIMEOUT="${ROLE_STATEMENT_TIMEOUT:-0}" ROLE_IDLE_TIMEOUT="${ROLE_IDLE_TIMEOUT:-0}"
ROLE_LOGIN=$([ -n "$ROLE_PASSWORD" ] && echo true || echo false)
export ROLE_LOGIN

psql_quietly() {
    psql -X -q -v ON_ERROR_STOP=1 "$@"
}

sign_in() {
    PGUSER=$ROLE PGPASSWORD=$ROLE_PASSWORD psql -X -q -At -c "SELECT 'signs in'"
}

# shellcheck source=postgres.sh
. "$folder/postgres.sh"

psql_quietly -f "$folder/database_role.sql"

if [ -n "$ROLE_PASSWORD" ] && [ "$ROLE" != "$PGUSER" ]; then
    said=$(mktemp)
    # From version 16 on psql insists on SCRAM here: a server that asks for no password, or that keeps a weaker digest of
    # it, is no proof.
    if ! (export PGREQUIREAUTH=scram-sha-256 && sign_in) >/dev/null 2>&1; then
        # psql makes the digest by itself, so that no statement, and no log of statements, has the password in it. It
        # reads the password twice, from here where there is no terminal.
        printf '%s\n%s\n' "$ROLE_PASSWORD" "$ROLE_PASSWORD" |
            psql_quietly -f "$folder/database_password.sql" 2>"$said" || {
            cat "$said" >&2
            exit 1
        }
        echo "password of $ROLE set"
    fi
    if ! refusal=$(sign_in 2>&1); then
        echo "ERROR: $ROLE cannot sign in: $refusal" >&2
        exit 1
    fi
fi
echo "role $ROLE is ready in database $PGDATABASE"
