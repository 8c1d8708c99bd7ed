"""Real servers, where their programs are: PostgreSQL and RabbitMQ, each in a folder and on ports of its own."""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

NOBODY = "nobody"
"""Who PostgreSQL runs as where the tests are root's: it refuses root."""
ADMINISTRATOR, PASSWORD = "root_of_tests", "the-tests-own"
_PATIENCE = 60


def postgres_folder() -> Path | None:
    """Where the programs of a PostgreSQL server are: in `PLINTH_POSTGRES_BIN`, on the PATH, or where Debian has them,
    the newest of those."""
    candidates = [Path(os.environ["PLINTH_POSTGRES_BIN"])] if "PLINTH_POSTGRES_BIN" in os.environ else []
    if found := shutil.which("initdb"):
        candidates.append(Path(found).resolve().parent)
    candidates += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True
    )
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


def rabbitmq_program() -> Path | None:
    """The program of a RabbitMQ server. Debian's own on the PATH would start a service of the machine."""
    candidates = [Path("/usr/lib/rabbitmq/bin/rabbitmq-server"), Path(shutil.which("rabbitmq-server") or "/none")]
    return next((program for program in candidates if program.exists()), None)


def missing(*programs: str) -> str:
    """Which of the programs this machine lacks, in words, or nothing."""
    lacking = [program for program in programs if not shutil.which(program)]
    return f"no {', '.join(f'`{program}`' for program in lacking)} on the PATH" if lacking else ""


def missing_postgres() -> str:
    """What this machine lacks to run a PostgreSQL server, or nothing."""
    absent = missing("psql", "pg_isready", "openssl")
    return absent or ("" if postgres_folder() else "no `initdb` on the PATH or below /usr/lib/postgresql")


def missing_rabbitmq() -> str:
    """What this machine lacks to run a RabbitMQ server, or nothing."""
    return missing("epmd", "openssl") or ("" if rabbitmq_program() else "no `rabbitmq-server` on the PATH")


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server, with a log of every statement."""

    port: int
    log: Path
    certificate: Path
    """What vouches for it, under the name `localhost`."""

    def query(self, statement: str, database: str = "postgres", user: str = ADMINISTRATOR, **environment: str) -> str:
        """What a statement answers: rows on lines, columns with | between."""
        result = subprocess.run(
            ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", statement],
            env={**os.environ, **self.environment(database, user), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def refusal(self, statement: str, database: str, user: str, **environment: str) -> str:
        """What the server says to a statement that it refuses."""
        try:
            answer = self.query(statement, database, user, **environment)
        except AssertionError as error:
            return str(error)
        raise AssertionError(f"not refused: {answer}")

    @contextmanager
    def connected(self, statements: str, database: str, user: str = ADMINISTRATOR) -> Iterator[None]:
        """Keeps a connection open that has run these statements, and closes it at the end."""
        with subprocess.Popen(
            ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"],
            env={**os.environ, **self.environment(database, user)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{statements};\n\\echo ready\n")
            process.stdin.flush()
            while (line := process.stdout.readline()) and line != "ready\n":
                pass
            try:
                yield
            finally:
                process.stdin.close()
                process.wait(_PATIENCE)

    def environment(self, database: str, user: str) -> dict[str, str]:
        """By what its programs find it."""
        return {
            "PGHOST": "localhost",
            "PGPORT": str(self.port),
            "PGDATABASE": database,
            "PGUSER": user,
            "PGPASSWORD": PASSWORD,
        }


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that lives as long as it is used. It answers with TLS and without."""
    programs = postgres_folder()
    assert programs
    user = NOBODY if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="plinth-postgres-"))
    try:
        data, log, certificate, key = (folder / name for name in ("data", "log", "server.crt", "server.key"))
        (folder / "password").write_text(PASSWORD)
        certify(certificate)
        if user:
            for each in (folder, *folder.iterdir()):
                shutil.chown(each, user)
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", ADMINISTRATOR, "--pwfile", folder / "password",
             "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"],
            user=user, capture_output=True, check=True,
        )  # fmt: skip
        port = free_port()
        settings = {
            "listen_addresses": "localhost",
            "unix_socket_directories": str(folder),
            "ssl": "on",
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
            "fsync": "off",
            "log_statement": "all",
            "lc_messages": "C",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with (
            log.open("w") as written,
            running([str(programs / "postgres"), "-D", str(data), "-p", str(port), *options], written, user=user),
        ):
            server = Postgres(port, log, certificate)
            patiently(lambda: server.query("SELECT 1"), log)
            yield server
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class RabbitMq:
    """A running RabbitMQ server."""

    console: str
    """URL of its management API."""
    encrypted_console: str
    """The same, with TLS."""
    certificate: Path
    """What vouches for that, under the name `localhost`."""

    def ask(self, path: str, method: str = "GET", body: Any = None, user: str = ADMINISTRATOR) -> Any:
        """What the management API answers."""
        token = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        request = Request(
            f"{self.console}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")


@contextmanager
def rabbitmq() -> Iterator[RabbitMq]:
    """A RabbitMQ server that lives as long as it is used."""
    program = rabbitmq_program()
    assert program
    folder = Path(tempfile.mkdtemp(prefix="plinth-rabbitmq-"))
    try:
        ports = {name: free_port() for name in ("amqp", "console", "encrypted", "names", "peers")}
        certificate = folder / "server.crt"
        certify(certificate)
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{ports['amqp']}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {ports['console']}\n"
            f"management.ssl.ip = 127.0.0.1\nmanagement.ssl.port = {ports['encrypted']}\n"
            f"management.ssl.certfile = {certificate}\nmanagement.ssl.cacertfile = {certificate}\n"
            f"management.ssl.keyfile = {certificate.with_suffix('.key')}\n"
            f"default_user = {ADMINISTRATOR}\ndefault_pass = {PASSWORD}\n"
        )
        (folder / "plugins").write_text("[rabbitmq_management].")
        environment = {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(ports["names"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"plinth{ports['peers']}@localhost",
            "RABBITMQ_DIST_PORT": str(ports["peers"]),
            "RABBITMQ_NODE_PORT": str(ports["amqp"]),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        }
        log = folder / "log"
        with (
            log.open("w") as written,
            running(["epmd"], written, environment),
            running([str(program)], written, environment),
        ):
            server = RabbitMq(
                f"http://127.0.0.1:{ports['console']}", f"https://localhost:{ports['encrypted']}", certificate
            )
            patiently(lambda: server.ask("whoami"), log)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    command: list[str], log: Any, environment: Mapping[str, str] | None = None, user: str | None = None
) -> Iterator[None]:
    """Runs a program as long as it is used."""
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, user=user
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def patiently(attempt: Any, log: Path) -> None:
    """Try until it works, a minute at most."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            attempt()
            return
        except (AssertionError, OSError):
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.5)


def certify(certificate: Path) -> None:
    """Write a certificate for `localhost`, which vouches for itself, and its key beside it."""
    key = certificate.with_suffix(".key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        capture_output=True,
        check=True,
    )  # fmt: skip
    key.chmod(0o600)


def free_port() -> int:
    """A TCP port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
