-- Upkeep of what a role owns in a database: see database_upkeep.sh for what it takes from the environment.
\getenv reindex UPKEEP_REINDEX
\getenv lock_seconds UPKEEP_LOCK_SECONDS
\set VERBOSITY terse

-- A role's own limits are meant for its application.
SET statement_timeout = 0;
\set lock_timeout :lock_seconds 's'
SET lock_timeout = :'lock_timeout';
-- It takes its time, as the server's own vacuum does, and ends when nobody listens to it any more.
SET vacuum_cost_delay = '2ms';
SET client_connection_check_interval = '10s';

SELECT pg_try_advisory_lock(hashtextextended('plinth.upkeep', 0)) AS alone \gset
\if :alone
\else
\echo another upkeep of this database is under way: nothing done
\quit
\endif

-- What it may tidy: the tables that its role owns or, where that owns the database, all of them.
CREATE FUNCTION pg_temp.tidied() RETURNS TABLE (id oid, kind "char", place text) STABLE LANGUAGE sql AS $$
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND (
            pg_has_role(current_user, c.relowner, 'USAGE')
            OR pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE')
        )
$$;
-- What an index that was made anew left behind when that was cut off: none of any use, none that is still in the making.
CREATE FUNCTION pg_temp.leftovers() RETURNS TABLE (place text) STABLE LANGUAGE sql AS $$
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)\d*$'
        AND i.indrelid IN (SELECT id FROM pg_temp.tidied()) AND pg_has_role(current_user, c.relowner, 'USAGE')
        AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = c.oid)
$$;
-- The indexes worth making anew, of a megabyte or more; only its own, as PostgreSQL has it. One of an exclusion
-- constraint cannot be made anew beside the old one.
CREATE FUNCTION pg_temp.indexes() RETURNS TABLE (id oid, place text, size bigint) STABLE LANGUAGE sql AS $$
    SELECT c.oid, format('%I.%I', n.nspname, c.relname), pg_relation_size(c.oid)
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.indisvalid AND c.relkind = 'i' AND NOT i.indisexclusion AND pg_relation_size(c.oid) >= 1048576
        AND i.indrelid IN (SELECT id FROM pg_temp.tidied()) AND pg_has_role(current_user, c.relowner, 'USAGE')
$$;

SELECT count(*) AS leftovers FROM pg_temp.leftovers() \gset
SELECT format('SELECT %L', 'dropping ' || place), format('DROP INDEX CONCURRENTLY IF EXISTS %s', place)
FROM pg_temp.leftovers() ORDER BY place
\gexec

SELECT count(*) AS tables, coalesce(sum(pg_total_relation_size(id)), 0) AS bytes FROM pg_temp.tidied() \gset
-- The server itself never analyses a table that is only the sum of its partitions.
SELECT
    format('SELECT %L', 'vacuuming ' || place || ', ' || pg_size_pretty(pg_total_relation_size(id))),
    CASE WHEN kind = 'p' THEN format('ANALYZE %s', place) ELSE format('VACUUM (ANALYZE) %s', place) END
FROM pg_temp.tidied() ORDER BY pg_total_relation_size(id), place
\gexec

\if :reindex
SELECT count(*) AS rebuilt FROM pg_temp.indexes() \gset
SELECT
    format('SELECT %L', 'reindexing ' || place || ', ' || pg_size_pretty(size)),
    format('REINDEX INDEX CONCURRENTLY %s', place)
FROM pg_temp.indexes() ORDER BY size, place
\gexec
-- Those of this run that waited in vain.
SELECT format('DROP INDEX CONCURRENTLY IF EXISTS %s', place) FROM pg_temp.leftovers() ORDER BY place
\gexec
\else
\set rebuilt 0
\endif

SELECT format('WARNING: index %s is not valid: drop it or make it anew', c.oid::regclass)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relkind = 'i' AND i.indrelid IN (SELECT id FROM pg_temp.tidied());

SELECT format(
    'upkeep of %s as %s: %s tables of %s, now %s; %s indexes of a megabyte or more; %s leftovers; %s transactions old',
    current_database(), current_user, :tables, pg_size_pretty(:bytes::bigint),
    pg_size_pretty((SELECT coalesce(sum(pg_total_relation_size(id)), 0) FROM pg_temp.tidied())::bigint),
    :rebuilt, :leftovers, age(datfrozenxid)
) FROM pg_database WHERE datname = current_database();
