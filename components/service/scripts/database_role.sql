-- The role of an application and its rights: see database_role.sh for what it takes from the environment.
\getenv role ROLE
\getenv login ROLE_LOGIN
\getenv schema ROLE_SCHEMA
\getenv members ROLE_MEMBERS
\getenv visitors ROLE_VISITORS
\getenv extensions ROLE_EXTENSIONS
\getenv statement_timeout ROLE_STATEMENT_TIMEOUT
\getenv idle_timeout ROLE_IDLE_TIMEOUT
\set VERBOSITY terse

BEGIN;
SET LOCAL lock_timeout = '30s';
SET LOCAL statement_timeout = '5min';

-- A block of code sees no variables of psql. Of the password it is told only whether there is one: whatever stands in a
-- statement can stand in a log.
SELECT
    set_config('plinth.role', :'role', true),
    set_config('plinth.login', :'login', true),
    set_config('plinth.schema', :'schema', true),
    set_config('plinth.members', :'members', true),
    set_config('plinth.visitors', :'visitors', true),
    set_config('plinth.extensions', :'extensions', true),
    set_config('plinth.statement_timeout', :'statement_timeout', true),
    set_config('plinth.idle_timeout', :'idle_timeout', true)
\g /dev/null

-- Two jobs that grant rights on one database at a time would fail.
SELECT pg_advisory_xact_lock(hashtextextended('plinth.role', 0)) \g /dev/null

DO $$
DECLARE
    app constant text := current_setting('plinth.role');
    home constant text := current_setting('plinth.schema');
    base constant text := current_database();
    members constant text[] := array_remove(string_to_array(current_setting('plinth.members'), E'\n'), '');
    visitors constant text[] := array_remove(string_to_array(current_setting('plinth.visitors'), E'\n'), '');
    extensions constant text[] := array_remove(string_to_array(current_setting('plinth.extensions'), E'\n'), '');
    -- From version 16 on, whoever makes a role may administer it, but not act as it.
    separate constant boolean := current_setting('server_version_num')::int >= 160000;
    lent boolean := false;
    existing pg_roles;
    each text;
    kind text;
    setting text;
    value text;
BEGIN
    -- The role.
    SELECT * INTO existing FROM pg_roles WHERE rolname = app;
    IF existing.rolname IS NULL THEN
        EXECUTE format('CREATE ROLE %I %s', app,
            CASE WHEN current_setting('plinth.login')::boolean THEN 'LOGIN' ELSE 'NOLOGIN' END);
        RAISE NOTICE 'role % made', app;
    ELSIF existing.rolsuper OR existing.rolreplication OR existing.rolbypassrls THEN
        RAISE EXCEPTION 'role % exists and is a superuser, may replicate or bypasses row security: name another one', app;
    ELSE
        IF current_setting('plinth.login')::boolean AND NOT existing.rolcanlogin THEN
            EXECUTE format('ALTER ROLE %I LOGIN', app);
            RAISE NOTICE 'role % may sign in', app;
        END IF;
        -- An administrator that is the application, too, stays one.
        IF (existing.rolcreaterole OR existing.rolcreatedb) AND app <> current_user THEN
            BEGIN
                EXECUTE format('ALTER ROLE %I NOCREATEROLE NOCREATEDB', app);
                RAISE NOTICE 'role % makes no roles and databases any more', app;
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE WARNING 'role % may make roles or databases, and % cannot take that away', app, current_user;
            END;
        END IF;
    END IF;

    -- Other logins of the same rights.
    FOREACH each IN ARRAY members || visitors LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = each) THEN
            RAISE EXCEPTION 'role % does not exist: make it first, or leave it out', each;
        END IF;
    END LOOP;
    FOREACH each IN ARRAY members LOOP
        IF NOT EXISTS (
            SELECT FROM pg_auth_members
            WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = app)
                AND member = (SELECT oid FROM pg_roles WHERE rolname = each)
                AND (NOT separate OR (to_jsonb(pg_auth_members) ->> 'inherit_option')::boolean
                    AND (to_jsonb(pg_auth_members) ->> 'set_option')::boolean)
        ) THEN
            EXECUTE format('GRANT %I TO %I %s', app, each,
                CASE WHEN separate THEN 'WITH INHERIT TRUE, SET TRUE' ELSE '' END);
            RAISE NOTICE 'role % is a member of %', each, app;
        END IF;
    END LOOP;

    -- The database: whoever may connect is named.
    IF EXISTS (
        SELECT FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS granted
        WHERE datname = base AND grantee = 0
    ) THEN
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', base);
        RAISE NOTICE 'nobody may connect to % any more who is not named', base;
    END IF;
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', base, app);
    FOREACH each IN ARRAY visitors LOOP
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', base, each);
    END LOOP;
    FOREACH each IN ARRAY extensions LOOP
        IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = each) THEN
            EXECUTE format('CREATE EXTENSION %I', each);
            RAISE NOTICE 'extension % made', each;
        END IF;
    END LOOP;

    -- The schema. Before version 15 everybody could make objects in `public`, and a database that comes from there
    -- still lets them.
    IF EXISTS (
        SELECT FROM pg_namespace, aclexplode(nspacl) AS granted
        WHERE nspname = 'public' AND grantee = 0 AND privilege_type = 'CREATE'
    ) THEN
        EXECUTE 'REVOKE CREATE ON SCHEMA public FROM PUBLIC';
        RAISE NOTICE 'not everybody makes objects in public any more';
    END IF;
    IF home = 'public' THEN
        EXECUTE format('GRANT USAGE, CREATE ON SCHEMA public TO %I', app);
    ELSIF NOT EXISTS (
        SELECT FROM pg_namespace WHERE nspname = home AND pg_get_userbyid(nspowner) = app
    ) THEN
        -- Only who may act as a role gives it a schema.
        IF separate THEN
            EXECUTE 'SELECT NOT pg_has_role(current_user, $1, ''SET'')' INTO lent USING app;
        ELSE
            lent := NOT pg_has_role(current_user, app, 'MEMBER');
        END IF;
        IF lent THEN
            EXECUTE format('GRANT %I TO CURRENT_USER %s', app, CASE WHEN separate THEN 'WITH SET TRUE' ELSE '' END);
        END IF;
        IF EXISTS (SELECT FROM pg_namespace WHERE nspname = home) THEN
            EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', base, app);
            EXECUTE format('ALTER SCHEMA %I OWNER TO %I', home, app);
            EXECUTE format('REVOKE CREATE ON DATABASE %I FROM %I', base, app);
        ELSE
            EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', home, app);
        END IF;
        IF lent THEN
            EXECUTE format('REVOKE %I FROM CURRENT_USER', app);
        END IF;
        RAISE NOTICE 'schema % belongs to %', home, app;
    END IF;

    -- What the administrator makes there, in a repair, is the application's to use.
    IF current_user <> app THEN
        FOREACH kind IN ARRAY ARRAY['TABLES', 'SEQUENCES', 'ROUTINES', 'TYPES'] LOOP
            EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT ALL ON %s TO %I', home, kind, app);
        END LOOP;
    END IF;

    -- Settings of each login: a member has none of its group's.
    SELECT * INTO existing FROM pg_roles WHERE rolname = app;
    FOREACH each IN ARRAY CASE WHEN existing.rolcanlogin THEN ARRAY[app] ELSE '{}' END || members LOOP
        FOR setting, value IN
            SELECT * FROM unnest(
                ARRAY['statement_timeout', 'idle_in_transaction_session_timeout', 'search_path', 'role'],
                ARRAY[
                    current_setting('plinth.statement_timeout'),
                    current_setting('plinth.idle_timeout'),
                    CASE WHEN home <> 'public' THEN format('%I, public', home) END,
                    -- So that whatever it makes belongs to the application.
                    CASE WHEN each <> app THEN app END
                ]
            )
        LOOP
            CONTINUE WHEN value IS NULL OR EXISTS (
                SELECT FROM pg_db_role_setting
                WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = base)
                    AND setrole = (SELECT oid FROM pg_roles WHERE rolname = each)
                    AND format('%s=%s', setting, value) = ANY (setconfig)
            );
            BEGIN
                EXECUTE format('ALTER ROLE %I IN DATABASE %I SET %I = %s', each, base, setting,
                    CASE WHEN setting = 'search_path' THEN value ELSE quote_literal(value) END);
                RAISE NOTICE '% of % is %', setting, each, value;
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE WARNING '% cannot set % of %: let that role do it by itself, ALTER ROLE CURRENT_USER IN DATABASE % SET % = %',
                    current_user, setting, each, quote_ident(base), setting, quote_literal(value);
            END;
        END LOOP;
    END LOOP;

    -- PostgreSQL only warns when somebody grants or revokes what is not theirs to give.
    IF NOT (
        has_database_privilege(app, base, 'CONNECT')
        AND has_schema_privilege(app, home, 'USAGE')
        AND has_schema_privilege(app, home, 'CREATE')
    ) OR EXISTS (
        SELECT FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS granted
        WHERE datname = base AND grantee = 0
    ) THEN
        RAISE EXCEPTION '% cannot grant rights on database % or schema %: run this as their owner', current_user, base, home;
    END IF;
END
$$;
COMMIT;
