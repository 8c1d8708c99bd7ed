"""The jobs around services, as their pods have them, at real servers."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from components.broker.topology import definitions
from components.service.broker_topology import BrokerTopology
from components.service.database_role import DatabaseRole
from components.service.database_upkeep import DatabaseUpkeep
from components.service.postgres import SslMode

from ..components.examples.service_jobs import ROLE, TOPOLOGY, UPKEEP
from ..components.examples.shared import in_cluster
from ..support import one, planned
from .servers import (
    ADMINISTRATOR,
    PASSWORD,
    Postgres,
    RabbitMq,
    certify,
    free_port,
    missing_postgres,
    missing_rabbitmq,
    postgres,
    rabbitmq,
)

pytestmark = pytest.mark.engine
needs_postgres = pytest.mark.skipif(bool(missing_postgres()), reason=f"needs a PostgreSQL server: {missing_postgres()}")
needs_rabbitmq = pytest.mark.skipif(bool(missing_rabbitmq()), reason=f"needs a RabbitMQ server: {missing_rabbitmq()}")

Done = subprocess.CompletedProcess[str]
_NUMBERS = count(1)
_STATE = {
    "pg_authid": "*",
    "pg_auth_members": "*",
    "pg_db_role_setting": "*",
    "pg_database": "datname, datdba, datacl",
    "pg_namespace": "*",
    "pg_default_acl": "*",
    "pg_extension": "*",
    "pg_class": "relname, relowner, relacl",
}
"""What tells who may do what in PostgreSQL, by catalog."""


class Job:
    """A component's job, to be run on this machine: its command, its files, and its environment."""

    def __init__(self, folder: Path, kind: Any, args: Any, secrets: Mapping[str, str]):
        plan = planned(lambda opts: kind("job", args, in_cluster(opts)))
        (workload,) = plan.of_type("kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob")
        spec = workload.inputs["spec"]
        (container,) = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]["containers"]
        folder.mkdir(parents=True)
        for name, text in one(plan, "kubernetes:core/v1:ConfigMap")["data"].items():
            (folder / name).write_text(text)
        words = [word.replace("/scripts/", f"{folder}/") for word in container["command"]]
        self.command = [sys.executable if word == "python3" else word for word in words]
        self.environment = {
            entry["name"]: (entry["value"] if "value" in entry else secrets[entry["name"]]).replace(
                "/scripts/", f"{folder}/"
            )
            for entry in container["env"]
        }

    def started(self, shell: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
        """The job, under way."""
        return subprocess.Popen(
            [*shell, *self.command],
            env={"PATH": os.environ["PATH"], "WAIT_SECONDS": "10", **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Without a terminal, as in a pod.
            start_new_session=True,
        )

    def run(self, shell: tuple[str, ...] = (), **environment: str) -> Done:
        """What came of it, with all that it said as its output."""
        process = self.started(shell, **environment)
        output, _ = process.communicate(timeout=120)
        return subprocess.CompletedProcess(self.command, process.returncode, output)

    def done(self, **environment: str) -> str:
        """What it said when it succeeded."""
        result = self.run((), **environment)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def failed(self, **environment: str) -> str:
        """What it said when it failed."""
        result = self.run((), **environment)
        assert result.returncode != 0, result.stdout
        return result.stdout


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


class Shop:
    """A database of a test's own, with an administrator who is no superuser, as clouds have it."""

    def __init__(self, server: Postgres, folder: Path):
        number = next(_NUMBERS)
        self.server = server
        self.database, self.administrator, self.app = f"shop{number}", f"administrator{number}", f"app{number}"
        self._folder = folder
        self._jobs = count(1)
        for statement in (
            f"CREATE ROLE {self.administrator} LOGIN CREATEROLE PASSWORD '{PASSWORD}'",
            f"CREATE DATABASE {self.database} OWNER {self.administrator}",
        ):
            server.query(statement)

    @property
    def version(self) -> int:
        """The server's major version."""
        return int(self.query("SHOW server_version_num")) // 10000

    def query(self, statement: str, user: str = ADMINISTRATOR, **environment: str) -> str:
        return self.server.query(statement, self.database, user, **environment)

    def login(self, name: str, by: str | None = None) -> str:
        """A further login, made by somebody."""
        self.query(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'", by or ADMINISTRATOR)
        return name

    def role(self, password: str = "password-of-the-application", **changes: Any) -> Job:
        """The job that gives the application its role."""
        args = self._args(ROLE, role=self.app, **changes)
        if password and "password" not in changes:
            args["password"] = {"variables": {"ROLE_PASSWORD": "password"}, "existing": "x"}
        secrets = {"PGUSER": self.administrator, "PGPASSWORD": PASSWORD, "ROLE_PASSWORD": password}
        return Job(self._folder / str(next(self._jobs)), DatabaseRole, args, secrets)

    def upkeep(self, user: str | None = None, **changes: Any) -> Job:
        """The job that tidies the database, as the application unless somebody else is named."""
        args = self._args(UPKEEP, **{"lock_seconds": 1, **changes})
        secrets = {"PGUSER": user or self.app, "PGPASSWORD": PASSWORD}
        return Job(self._folder / str(next(self._jobs)), DatabaseUpkeep, args, secrets)

    def _args(self, base: Any, **changes: Any) -> dict[str, Any]:
        database = {"host": "localhost", "port": self.server.port, "database": self.database}
        return {**base, **changes, "database": {**database, **changes.get("database", {})}}

    def state(self) -> str:
        """All that a role can be given, and the digests of passwords."""
        rows = " UNION ALL ".join(
            f"SELECT '{catalog} ' || to_jsonb(t)::text FROM (SELECT {columns} FROM {catalog}) AS t"
            for catalog, columns in _STATE.items()
        )
        return self.query(f"SELECT * FROM ({rows}) AS t (row) ORDER BY row")

    def twice(self, job: Job) -> str:
        """What a job said, which changes nothing when it runs again."""
        said = job.done()
        before = self.state()
        again = job.done()
        assert self.state() == before
        assert " made" not in again
        return said


@pytest.fixture
def shop(server: Postgres, tmp_path: Path) -> Shop:
    return Shop(server, tmp_path)


@needs_postgres
def test_a_role_signs_in_and_makes_tables(shop: Shop) -> None:
    shop.twice(shop.role(PASSWORD))
    shop.query("CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)", shop.app)
    assert shop.query("SELECT current_user, count(*) FROM orders GROUP BY 1", shop.app) == f"{shop.app}|1"


@needs_postgres
def test_a_role_is_nothing_special(shop: Shop) -> None:
    shop.role().done()
    attributes = "rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin"
    assert shop.query(f"SELECT {attributes} FROM pg_roles WHERE rolname = '{shop.app}'") == "f|f|f|f|f|t"
    assert shop.query(f"SELECT has_database_privilege('{shop.app}', current_database(), 'CREATE')") == "f"


@needs_postgres
def test_nobody_connects_who_is_not_named(shop: Shop) -> None:
    stranger, exporter = shop.login(f"stranger-{shop.app}"), shop.login(f"exporter-{shop.app}")
    assert shop.query("SELECT 1", stranger) == "1"
    shop.twice(shop.role(visitors=[exporter]))
    assert "permission denied for database" in shop.server.refusal("SELECT 1", shop.database, stranger)
    assert shop.query("SELECT 1", exporter) == "1"
    assert "permission denied for schema public" in shop.server.refusal(
        "CREATE TABLE public.mine (id int)", shop.database, exporter
    )


@needs_postgres
def test_everybody_is_kept_from_making_objects(shop: Shop) -> None:
    """As they could in databases that come from before version 15."""
    shop.query("GRANT CREATE ON SCHEMA public TO PUBLIC")
    exporter = shop.login(f"exporter-{shop.app}")
    shop.twice(shop.role(visitors=[exporter]))
    assert "permission denied" in shop.server.refusal("CREATE TABLE public.mine (id int)", shop.database, exporter)


@needs_postgres
def test_statements_and_idle_transactions_are_limited(shop: Shop) -> None:
    shop.twice(shop.role(PASSWORD, statement_seconds=30, idle_seconds=5))
    assert shop.query("SHOW statement_timeout", shop.app) == "30s"
    assert shop.query("SHOW idle_in_transaction_session_timeout", shop.app) == "5s"
    shop.role(PASSWORD, statement_seconds=0).done()
    assert shop.query("SHOW statement_timeout", shop.app) == "0"


@needs_postgres
def test_the_password_is_kept_as_scram_and_stands_in_no_log(shop: Shop) -> None:
    password = "a 'quoted\" \\password %s $HOME"
    said = shop.role(password).done()
    digest = shop.query(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{shop.app}'")
    assert digest.startswith("SCRAM-SHA-256$")
    assert shop.query("SELECT current_user", shop.app, PGPASSWORD=password) == shop.app
    log = shop.server.log.read_text()
    assert f"ALTER USER {shop.app} PASSWORD 'SCRAM-SHA-256$" in log
    for part in ("quoted", "$HOME"):
        assert part not in log
        assert part not in said


@needs_postgres
def test_a_new_password_takes_the_place_of_the_old_one(shop: Shop) -> None:
    shop.role("the-former").done()
    shop.twice(shop.role("the-latter"))
    assert shop.query("SELECT 1", shop.app, PGPASSWORD="the-latter") == "1"
    assert "password authentication failed" in shop.server.refusal(
        "SELECT 1", shop.database, shop.app, PGPASSWORD="the-former"
    )


@needs_postgres
@pytest.mark.skipif(not shutil.which("busybox"), reason="no `busybox` on the PATH")
def test_the_shell_of_alpine_is_enough(shop: Shop) -> None:
    for job in (shop.role(PASSWORD), shop.upkeep()):
        result = job.run(shell=("busybox",))
        assert result.returncode == 0, result.stdout


@needs_postgres
def test_a_schema_of_its_own(shop: Shop) -> None:
    shop.twice(shop.role(PASSWORD, schema="Shop's"))
    shop.query("CREATE TABLE orders (id int)", shop.app)
    assert shop.query("SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'orders'") == f"Shop's|{shop.app}"
    # The administrator may act as the role for that moment alone.
    assert "permission denied" in shop.server.refusal(f"SET ROLE {shop.app}", shop.database, shop.administrator) or (
        shop.version < 16
    )


@needs_postgres
def test_a_schema_that_is_there_becomes_its_own(shop: Shop) -> None:
    shop.query("CREATE SCHEMA shop", shop.administrator)
    shop.twice(shop.role(PASSWORD, schema="shop"))
    assert shop.query("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'shop'") == shop.app
    assert shop.query(f"SELECT has_database_privilege('{shop.app}', current_database(), 'CREATE')") == "f"


@needs_postgres
def test_what_members_make_belongs_to_the_role(shop: Shop) -> None:
    members = [shop.login(f"{who}@{shop.database}.iam", shop.administrator) for who in ("reports", "support")]
    shop.twice(shop.role(PASSWORD, members=members, schema="shop"))
    for i, member in enumerate(members):
        shop.query(f"CREATE TABLE of_member_{i} (id int)", member)
        assert shop.query("SHOW statement_timeout", member) == "5min"
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'shop'"
    assert shop.query(owners) == shop.app
    shop.query("DROP TABLE of_member_0, of_member_1", shop.app)


@needs_postgres
def test_members_of_a_cloud_hear_what_they_have_to_do_themselves(shop: Shop) -> None:
    """From version 16 on the administrator has no power over those whom it did not make."""
    member = shop.login(f"reports@{shop.database}.iam")
    said = shop.twice(shop.role(PASSWORD, members=[member]))
    if shop.version < 16:
        assert "WARNING" not in said
    else:
        (advice,) = re.findall(r"by itself, (ALTER ROLE CURRENT_USER .* SET role = .*)", said)
        shop.query(advice, member)
    shop.query("CREATE TABLE orders (id int)", member)
    assert shop.query("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'") == shop.app


@needs_postgres
def test_a_group_whose_login_a_cloud_made(shop: Shop) -> None:
    """As on Cloud SQL, which makes the application's login by itself."""
    login = shop.login(f"{shop.database}_app")
    shop.twice(shop.role("", members=[login]))
    assert shop.query(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{shop.app}'") == "f"
    shop.query("CREATE TABLE orders (id int)", login)


@needs_postgres
def test_a_role_that_a_cloud_made_keeps_its_password(shop: Shop) -> None:
    shop.query(f"CREATE ROLE {shop.app} LOGIN PASSWORD '{PASSWORD}'")
    shop.twice(shop.role(""))
    shop.query("CREATE TABLE orders (id int)", shop.app)


@needs_postgres
def test_an_application_that_is_its_own_administrator(shop: Shop) -> None:
    """As on Cloud SQL without an administrator: its login owns the database by way of a role."""
    shop.app = shop.administrator
    shop.twice(shop.role("", statement_seconds=20))
    assert shop.query("SHOW statement_timeout", shop.app) == "20s"
    assert shop.query(f"SELECT rolcreaterole FROM pg_roles WHERE rolname = '{shop.app}'") == "t"
    shop.query("CREATE TABLE orders (id int)", shop.app)


@needs_postgres
def test_a_role_that_may_make_others_no_longer_may(shop: Shop) -> None:
    shop.query(f"CREATE ROLE {shop.app} LOGIN CREATEROLE CREATEDB")
    shop.query(f"GRANT {shop.app} TO {shop.administrator} WITH ADMIN OPTION")
    shop.query(f"ALTER ROLE {shop.administrator} CREATEDB")
    shop.twice(shop.role())
    assert shop.query(f"SELECT rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = '{shop.app}'") == "f|f"


@needs_postgres
def test_what_the_administrator_repairs_is_the_applications_to_use(shop: Shop) -> None:
    shop.role(PASSWORD).done()
    shop.query("CREATE TABLE repaired (id int); CREATE SEQUENCE numbers", shop.administrator)
    shop.query("INSERT INTO repaired VALUES (nextval('numbers'))", shop.app)


@needs_postgres
def test_extensions_are_made(shop: Shop) -> None:
    names = "SELECT name FROM pg_available_extension_versions WHERE trusted AND name <> 'plpgsql' LIMIT 1"
    extension = shop.query(names)
    if not extension:
        pytest.skip("the server has no trusted extension")
    shop.twice(shop.role(extensions=[extension]))
    assert shop.query(f"SELECT count(*) FROM pg_extension WHERE extname = '{extension}'") == "1"


@needs_postgres
def test_a_connection_is_encrypted_and_knows_its_server(shop: Shop, tmp_path: Path) -> None:
    certificate = shop.server.certificate.read_text()
    encrypted = {"ssl_mode": SslMode.VERIFY_FULL, "root_certificate": certificate}
    shop.role(database=encrypted).done()
    other = tmp_path / "other.crt"
    certify(other)
    for mode in (SslMode.REQUIRE, SslMode.VERIFY_CA, SslMode.VERIFY_FULL):
        said = shop.role(database={"ssl_mode": mode, "root_certificate": other.read_text()}).failed()
        assert "certificate verify failed" in said
    stranger = {**encrypted, "host": "127.0.0.1"}
    assert 'does not match host name "127.0.0.1"' in shop.role(database=stranger).failed()
    shop.role(database={"ssl_mode": SslMode.DISABLE}).done()


@needs_postgres
def test_two_jobs_at_a_time_do_not_disturb_each_other(shop: Shop) -> None:
    jobs = [shop.role(PASSWORD) for _ in range(4)]
    under_way = [job.started() for job in jobs]
    said = [process.communicate(timeout=60)[0] for process in under_way]
    assert [process.returncode for process in under_way] == [0] * len(jobs), said
    shop.twice(jobs[0])


@needs_postgres
def test_who_is_missing_is_named_and_nothing_is_done(shop: Shop) -> None:
    before = shop.state()
    assert "role nobody@home does not exist" in shop.role(members=["nobody@home"]).failed()
    assert "role exporter of none does not exist" in shop.role(visitors=["exporter of none"]).failed()
    assert shop.state() == before


@needs_postgres
def test_a_superuser_is_no_applications_role(shop: Shop) -> None:
    shop.query(f"CREATE ROLE {shop.app} SUPERUSER")
    assert "is a superuser" in shop.role().failed()


@needs_postgres
def test_somebody_elses_database_is_refused(shop: Shop) -> None:
    other = shop.login(f"other-{shop.app}")
    shop.query(f'ALTER ROLE "{other}" CREATEROLE')
    before = shop.state()
    said = shop.role().failed(PGUSER=other)
    assert re.search(r"permission denied|run this as their owner", said)
    # One that may grant a little gets no error of PostgreSQL's.
    shop.query(f'GRANT CONNECT ON DATABASE {shop.database} TO "{other}" WITH GRANT OPTION')
    shop.query(f'GRANT USAGE, CREATE ON SCHEMA public TO "{other}" WITH GRANT OPTION')
    before = shop.state()
    assert "run this as their owner" in shop.role().failed(PGUSER=other)
    assert shop.state() == before


@needs_postgres
def test_an_administrator_with_another_password_is_refused(shop: Shop) -> None:
    assert "password authentication failed" in shop.role().failed(PGPASSWORD="another")


@needs_postgres
def test_a_server_that_does_not_answer_is_named(shop: Shop) -> None:
    port = str(free_port())
    assert f"no answer from PostgreSQL at localhost:{port}" in shop.role().failed(PGPORT=port, WAIT_SECONDS="1")


@pytest.fixture
def tables(shop: Shop) -> Shop:
    """A database with tables and indexes of the application's, which are large enough to be made anew."""
    shop.role(PASSWORD).done()
    shop.query(
        "CREATE TABLE orders AS SELECT n AS id, md5(n::text) AS code FROM generate_series(1, 120000) AS n;"
        "CREATE UNIQUE INDEX orders_id ON orders (id);"
        'CREATE INDEX "orders Code" ON orders (code);'
        "CREATE TABLE parts (id int) PARTITION BY RANGE (id);"
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);"
        "INSERT INTO parts SELECT generate_series(1, 50);"
        "CREATE TABLE small (id int PRIMARY KEY);",
        shop.app,
    )
    return shop


_FILES = "SELECT relname, relfilenode FROM pg_class WHERE relname LIKE 'orders%' ORDER BY relname"
_INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


@needs_postgres
def test_upkeep_tidies_and_says_so(tables: Shop) -> None:
    tables.query("DELETE FROM orders WHERE id % 2 = 0", tables.app)
    before = tables.query(_FILES)
    job = tables.upkeep()
    for _ in range(2):
        said = job.done()
        for line in (
            "vacuuming public.orders, ",
            "vacuuming public.parts_1, ",
            "reindexing public.orders_id, ",
            'reindexing public."orders Code", ',
            f"upkeep of {tables.database} as {tables.app}: 4 tables of ",
            "2 indexes of a megabyte or more; 0 leftovers",
        ):
            assert line in said
        assert "small_pkey" not in said
    after = tables.query(_FILES)
    assert len(set(before.splitlines()) & set(after.splitlines())) == 1  # the table, and no index
    assert tables.query("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'orders'") == "0"
    assert tables.query("SELECT reltuples FROM pg_class WHERE relname = 'parts'") == "50"


@needs_postgres
def test_everybody_writes_on_while_indexes_are_made_anew(tables: Shop) -> None:
    """A writer that is in the middle of something is waited for, and does not keep others from writing."""
    with tables.server.connected("BEGIN; INSERT INTO orders VALUES (-1, 'x')", tables.database, tables.app):
        process = tables.upkeep(lock_seconds=60).started()
        deadline = time.monotonic() + 30
        waits = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'"
        while tables.query(waits) != "1":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        tables.query("SET lock_timeout = '1s'; INSERT INTO orders VALUES (-2, 'y')", tables.app)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


@needs_postgres
def test_upkeep_without_indexes(tables: Shop) -> None:
    before = tables.query(_FILES)
    assert "reindexing" not in tables.upkeep(reindex=False).done()
    assert tables.query(_FILES) == before


@needs_postgres
def test_what_a_run_left_behind_is_dropped_by_the_next(tables: Shop) -> None:
    """PostgreSQL leaves an invalid index when it could not finish."""
    with tables.server.connected("BEGIN; SELECT count(*) FROM orders", tables.database, tables.app):
        tables.server.refusal(
            "REINDEX INDEX CONCURRENTLY orders_id", tables.database, tables.app, PGOPTIONS="-c statement_timeout=500"
        )
    assert tables.query(_INVALID) == "1"
    said = tables.upkeep().done()
    assert re.search(r"dropping public\.orders_id_cc(new|old)", said)
    assert "1 leftovers" in said
    assert tables.query(_INVALID) == "0"


@needs_postgres
def test_an_invalid_index_of_somebodys_own_stays_and_is_named(tables: Shop) -> None:
    tables.server.refusal("CREATE UNIQUE INDEX CONCURRENTLY twins ON orders ((id % 2))", tables.database, tables.app)
    assert "index twins is not valid" in tables.upkeep().done()
    assert tables.query(_INVALID) == "1"


@needs_postgres
def test_what_somebody_holds_is_left_out_and_the_rest_is_done(tables: Shop) -> None:
    with tables.server.connected("BEGIN; LOCK TABLE orders IN SHARE MODE", tables.database, tables.app):
        said = tables.upkeep().failed()
    assert "canceling statement due to lock timeout" in said
    assert "vacuuming public.small" in said
    assert "is not complete" in said
    assert tables.query(_INVALID) == "0"


@needs_postgres
def test_one_upkeep_at_a_time(tables: Shop) -> None:
    lock = "SELECT pg_advisory_lock(hashtextextended('plinth.upkeep', 0))"
    with tables.server.connected(lock, tables.database):
        assert "under way: nothing done" in tables.upkeep().done()
    assert "vacuuming" in tables.upkeep().done()


@needs_postgres
def test_the_owner_of_the_database_vacuums_all_tables(tables: Shop) -> None:
    said = tables.upkeep(tables.administrator).done()
    assert "vacuuming public.orders" in said
    assert "permission denied" not in said
    assert "0 indexes of a megabyte or more" in said


@needs_postgres
def test_somebody_without_tables_has_nothing_to_tidy(tables: Shop) -> None:
    visitor = tables.login(f"visitor-{tables.app}")
    tables.role(PASSWORD, visitors=[visitor]).done()
    tables.query(f'GRANT TEMPORARY ON DATABASE {tables.database} TO "{visitor}"', tables.administrator)
    assert ": 0 tables of 0 bytes" in tables.upkeep(visitor).done()


@needs_postgres
def test_upkeep_that_cannot_sign_in_fails(tables: Shop) -> None:
    assert "password authentication failed" in tables.upkeep().failed(PGPASSWORD="another")


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitMq]:
    with rabbitmq() as running:
        yield running


class Topology:
    """A virtual host of a test's own."""

    def __init__(self, broker: RabbitMq, folder: Path):
        number = next(_NUMBERS)
        self.broker = broker
        self.host, self.path, self.user = f"/shop {number}", f"%2Fshop%20{number}", f"app{number}"
        self._folder = folder
        self._jobs = count(1)

    def job(self, queues: Any = None, password: str = "password-of-the-application", **changes: Any) -> Job:
        wanted = definitions(
            self.host, {"tasks": "topic"}, queues or {"orders": {"exchange": "tasks", "keep_days": 2, "ordered": True}}
        )
        args = {
            **TOPOLOGY,
            "definitions": wanted,
            "console": self.broker.console,
            "administrator": {
                "variables": {"RABBITMQ_USERNAME": "username", "RABBITMQ_PASSWORD": "password"},
                "existing": "x",
            },
            "application": {
                "variables": {"APPLICATION_USERNAME": "username", "APPLICATION_PASSWORD": "password"},
                "existing": "x",
            },
            **changes,
        }
        secrets = {
            "RABBITMQ_USERNAME": ADMINISTRATOR,
            "RABBITMQ_PASSWORD": PASSWORD,
            "APPLICATION_USERNAME": self.user,
            "APPLICATION_PASSWORD": password,
        }
        return Job(self._folder / str(next(self._jobs)), BrokerTopology, args, secrets)

    def state(self) -> Any:
        asked = (f"definitions/{self.path}", f"users/{self.user}", f"permissions/{self.path}/{self.user}")
        return [self.broker.ask(path) for path in asked]

    def has_password(self, password: str) -> bool:
        kept = base64.b64decode(self.broker.ask(f"users/{self.user}")["password_hash"])
        return kept[4:] == hashlib.sha256(kept[:4] + password.encode()).digest()


@pytest.fixture
def topology(broker: RabbitMq, tmp_path: Path) -> Topology:
    return Topology(broker, tmp_path)


@needs_rabbitmq
def test_a_topology_is_made_once(topology: Topology) -> None:
    job = topology.job()
    said = job.done()
    for line in (
        f"made virtual host {topology.host}",
        f"made user {topology.user}",
        "made queue orders.dead",
        "made binding of queue orders to exchange tasks by `#`",
        "has 2 exchanges, 2 queues, 2 bindings",
    ):
        assert line in said
    before = topology.state()
    assert "made" not in job.done()
    assert topology.state() == before
    queue = topology.broker.ask(f"queues/{topology.path}/orders")
    assert queue["arguments"].items() >= {"x-delivery-limit": 4, "x-single-active-consumer": True}.items()


@needs_rabbitmq
def test_an_application_reads_and_writes_and_declares_nothing(topology: Topology) -> None:
    said = topology.job(password='a "quoted" päss:word').done()
    assert "quoted" not in said
    assert topology.has_password('a "quoted" päss:word')
    user = topology.broker.ask(f"users/{topology.user}")
    assert not [tag for tag in user["tags"] if tag]
    rights = topology.broker.ask(f"permissions/{topology.path}/{topology.user}")
    assert (rights["configure"], rights["write"], rights["read"]) == ("", ".*", ".*")
    topology.job(password='a "quoted" päss:word', application_configures="reply[.].*").done()
    rights = topology.broker.ask(f"permissions/{topology.path}/{topology.user}")
    assert rights["configure"] == "reply[.].*"


@needs_rabbitmq
def test_an_applications_new_password_is_set(topology: Topology) -> None:
    topology.job(password="the-former").done()
    assert f"set password of {topology.user}" in topology.job(password="the-latter").done()
    assert topology.has_password("the-latter")


@needs_rabbitmq
def test_a_queue_with_other_arguments_is_named_and_kept(topology: Topology) -> None:
    topology.job().done()
    queues = {"orders": {"exchange": "tasks", "deliveries": 9}, "mails": {"exchange": "tasks"}}
    job = topology.job(queues)
    for _ in range(2):
        said = job.failed()
        for line in (
            "queue orders has argument x-delivery-limit 4, not 8",
            "queue orders has argument x-message-ttl 172800000, not unset",
            "queue orders has argument x-single-active-consumer true, not unset",
        ):
            assert line in said
        assert "mails has" not in said
    assert topology.broker.ask(f"queues/{topology.path}/mails")["arguments"]["x-delivery-limit"] == 4
    topology.broker.ask(f"queues/{topology.path}/orders", "DELETE")
    assert "made queue orders" in job.done()


@needs_rabbitmq
def test_an_exchange_of_another_kind_is_named(topology: Topology) -> None:
    topology.broker.ask(f"vhosts/{topology.path}", "PUT", {})
    topology.broker.ask(f"exchanges/{topology.path}/tasks", "PUT", {"type": "fanout", "durable": False})
    said = topology.job().failed()
    assert 'exchange tasks has type "fanout", not "topic"' in said
    assert "exchange tasks has durable false, not true" in said


@needs_rabbitmq
def test_what_is_lost_is_made_again_and_what_is_too_much_is_named(topology: Topology) -> None:
    job = topology.job()
    job.done()
    binding = f"bindings/{topology.path}/e/tasks/q/orders"
    topology.broker.ask(f"{binding}/%23", "DELETE")
    topology.broker.ask(binding, "POST", {"routing_key": "former"})
    said = job.done()
    assert "made binding of queue orders to exchange tasks by `#`" in said
    assert "not in the definitions, and kept: binding of queue orders to exchange tasks by `former`" in said


@needs_rabbitmq
def test_an_administrator_is_no_applications_user(topology: Topology) -> None:
    topology.broker.ask(f"users/{topology.user}", "PUT", {"password": "x", "tags": "monitoring"})
    assert f"user {topology.user} has the tags monitoring" in topology.job().failed()


@needs_rabbitmq
def test_only_an_administrator_may_do_it(topology: Topology) -> None:
    assert "does not take the name" in topology.job().failed(RABBITMQ_PASSWORD="another")
    topology.broker.ask(f"users/{topology.user}-1", "PUT", {"password": PASSWORD, "tags": "management"})
    assert "has no tag `administrator`" in topology.job().failed(RABBITMQ_USERNAME=f"{topology.user}-1")
    with pytest.raises(HTTPError):
        topology.state()


@needs_rabbitmq
def test_a_broker_that_does_not_answer_is_named(topology: Topology) -> None:
    port = free_port()
    said = topology.job().failed(RABBITMQ_CONSOLE=f"http://127.0.0.1:{port}", WAIT_SECONDS="1")
    assert f"no answer from 127.0.0.1:{port} for 1 seconds" in said


@needs_rabbitmq
def test_a_console_is_encrypted_and_is_the_one(topology: Topology, tmp_path: Path) -> None:
    console, certificate = topology.broker.encrypted_console, topology.broker.certificate.read_text()
    assert "made queue orders" in topology.job(console=console, root_certificate=certificate).done()
    other = tmp_path / "other.crt"
    certify(other)
    for strange in (
        topology.job(console=console),
        topology.job(console=console, root_certificate=other.read_text()),
        topology.job(console=console.replace("localhost", "127.0.0.1"), root_certificate=certificate),
    ):
        assert "is not vouched for" in strange.failed(WAIT_SECONDS="3600")


def nowhere(console: str) -> RabbitMq:
    """A broker that there is not."""
    return RabbitMq(console, "", Path())


def test_a_job_says_which_variable_it_lacks(tmp_path: Path) -> None:
    topology = Topology(nowhere("http://127.0.0.1:1"), tmp_path)
    job = topology.job()
    del job.environment["VIRTUAL_HOST"]
    assert "environment variable VIRTUAL_HOST is not set" in job.failed()


def test_a_console_without_a_scheme_is_refused(tmp_path: Path) -> None:
    topology = Topology(nowhere("broker.example:15671"), tmp_path)
    assert "give https://<host>" in topology.job().failed()
