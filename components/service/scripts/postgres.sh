# What the scripts for PostgreSQL begin with, sourced by them: the certificates of the authorities that vouch for the
# server (ROOT_CERTIFICATE, if any), and waiting until it takes connections (WAIT_SECONDS).
export PGCONNECT_TIMEOUT=10
if [ -n "${ROOT_CERTIFICATE:-}" ]; then
    PGSSLROOTCERT=$(mktemp)
    export PGSSLROOTCERT
    printf '%s\n' "$ROOT_CERTIFICATE" >"$PGSSLROOTCERT"
fi
left=${WAIT_SECONDS:-120}
# Only whether it answers: who it is, and whether it is the one, the first real connection finds out and says.
until PGSSLMODE=prefer pg_isready -q -t 5; do
    if [ "$left" -le 0 ]; then
        echo "ERROR: no answer from PostgreSQL at ${PGHOST:-}:${PGPORT:-5432} for ${WAIT_SECONDS:-120} seconds" >&2
        exit 1
    fi
    sleep 2
    left=$((left - 2))
done
