"""PostgreSQL in a Kubernetes cluster."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_random as random

from ..component import Component, among, at_least, between, checked, known_after, matching
from ..images import POSTGRES
from ..platform.server import (
    DATA,
    ISSUER,
    SERVER_RULES,
    TLS_PATH,
    USER,
    Server,
    ServerClient,
    checked_server_name,
    checksum,
    secret_volume,
    server_problems,
    volume_claim,
)
from ..problems import Problem
from ..service.pod import ContainerResources, container, image_problem, image_tag, pod_spec, resource_problems
from ..service.quantities import memory

PORT = 5432
_VERSION = "17"
_ADMINISTRATOR = "postgres"
_RESOURCES: ContainerResources = {"cpu": "100m", "memory": "512Mi"}
_PATH = "/etc/postgresql"
_PASSWORD_PATH = "/etc/administrator"  # noqa: S105
_SOCKETS = "/var/run/postgresql"
_SHARED_MEMORY = "256Mi"
_START_SECONDS = 600
_OWN_SETTINGS = (
    *("config_file", "data_directory", "external_pid_file", "hba_file", "ident_file", "include", "include_dir"),
    *("include_if_exists", "listen_addresses", "max_connections", "password_encryption", "port", "shared_buffers"),
    "unix_socket_directories",
)
"""What this component says, beside all of `ssl`."""
_SETTINGS = {
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "1000",
    "log_statement": "ddl",
}
_START = """\
#!/bin/sh
# Makes the database where there is none yet. What was begun before and is not finished is begun anew.
set -eu
umask 0077
if [ ! -e "$PGDATA" ]; then
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=%(administrator)s --pwfile=%(password)s \\
        --auth=scram-sha-256 --encoding=UTF8 --data-checksums
    echo 'CREATE DATABASE %(database)s' | postgres --single -D "$PGDATA.new" -c exit_on_error=on postgres
    sync
    mv "$PGDATA.new" "$PGDATA"
fi
# A volume may come with the group's rights on all that is in it, and the server refuses that.
chmod 0700 "$PGDATA"
# The administrator's password is what its Secret says, also where the volume is of an earlier server.
printf "ALTER ROLE %(administrator)s PASSWORD '%%s'\\n" "$(cat %(password)s)" |
    postgres --single -D "$PGDATA" -c exit_on_error=on -c log_min_error_statement=panic postgres >/dev/null
exec postgres -c config_file=%(configuration)s
"""
_READY = """\
#!/bin/sh
exec pg_isready --quiet --host=127.0.0.1
"""
_ALIVE = """\
#!/bin/sh
# Whether the server answers, if only that it takes no connections for now.
pg_isready --quiet --host=127.0.0.1 || [ $? -eq 1 ] || exit 1
"""
_SERVES_NEWEST = f"""\
# A renewed certificate is served once the server reads it again.
cmp -s {TLS_PATH}/tls.crt /tmp/served.crt || {{ pg_ctl reload --silent && cp {TLS_PATH}/tls.crt /tmp/served.crt; }}
"""


class KubernetesPostgresArgs(TypedDict):
    """Where a database runs, how large it is, and who uses it."""

    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    database: str
    """Name of the database that it starts with."""
    clients: NotRequired[dict[str, ServerClient]]
    """Pods that may connect, by purpose. Default: nobody."""
    version: NotRequired[str]
    """Major version, 15 to 18. Its creation decides it: the server does not start on the data of another one, so to
    change it, dump the database into a new one. Default: 17."""
    storage_gb: NotRequired[int]
    """Size of its volume in GiB, 2 to 65536. Its creation decides it. Default: 10."""
    storage_class: NotRequired[str]
    """StorageClass of its volume. Its creation decides it. Default: the cluster's own."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most; a quarter of its memory holds pages that many read. Default: a
    tenth of a CPU and 512Mi."""
    max_connections: NotRequired[int]
    """Connections at a time, 10 to 10000. Default: 100."""
    settings: NotRequired[dict[str, str]]
    """Further settings by their names in `postgresql.conf`. Another one restarts the server. Default: connections, slow
    statements, waits for locks and changes of tables are logged, unless named otherwise."""
    password_version: NotRequired[int]
    """Raising it makes a new password for the application, which the job that makes its role applies. Default: 1."""
    issuer: NotRequired[str]
    """ClusterIssuer of cert-manager that signs its certificate. Default: internal-ca."""
    tls: NotRequired[bool]
    """Whether it is reached over TLS, and only so. Turn it off in a cluster without cert-manager: then passwords are
    still not sent, but everything else is readable on the way. Default: yes."""
    image: NotRequired[str]
    """A mirror's copy of the image, of the same version. Default: the official one."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""
    keep: NotRequired[bool]
    """Whether its volume stays when it is deleted, for the next one of its name to take up. Default: yes."""


_RULES = {
    **SERVER_RULES,
    # Its role is named after it, with `_app`, and PostgreSQL cuts names off after 63 characters.
    "database": matching(r"[a-z][a-z0-9_]{0,58}", "give a small letter, then small letters, digits and _, up to 59"),
    "version": among(tuple(POSTGRES)),
    "storage_gb": between(2, 65536, "GiB"),
    "max_connections": between(10, 10000, "connections"),
    "password_version": at_least(1),
    "image": image_problem,
}


class KubernetesPostgres(Component):
    """A PostgreSQL server in one pod of a cluster, with a volume of its own: for laptops, and for teams without a cloud
    that dump their databases by themselves. There are no backups and there is no standby.

    It is reached over TLS only, with SCRAM passwords, by the pods that are named. Its pages have checksums. Its pod is
    one that the `restricted` Pod Security Standard admits. The application has a role of its own, which a job makes, as
    in a cloud. Passwords stand in a URL as they are. A renewed certificate is served without a restart.

    Secrets and their references are of Kubernetes, in the same namespace: a reference is the Secret's name.

    Raises `InputError` for bad args and for a name that its objects cannot have.
    """

    host: pulumi.Output[str]
    """Name to connect to, once it answers."""
    reader_host: pulumi.Output[str]
    """The same name: there are no replicas."""
    port: pulumi.Output[int]
    """TCP port."""
    database: pulumi.Output[str]
    """Name of the database."""
    role: pulumi.Output[str]
    """Name of the application's role in the database."""
    credentials_secret: pulumi.Output[str]
    """Secret with the application's `username`, `password`, `host`, `port` and `dbname`."""
    administrator_secret: pulumi.Output[str]
    """Secret with the administrator's, in the same fields."""
    certificate_secret: pulumi.Output[str]
    """Secret whose `ca.crt` its certificate is checked with; empty without TLS."""
    pods: dict[str, str]
    """Labels of its pod, by which others may be let out to it."""

    def __init__(self, name: str, args: KubernetesPostgresArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesPostgres {name}"
        args = checked(KubernetesPostgresArgs, args, subject, _RULES, _problems)
        checked_server_name(name, subject)
        super().__init__(name, opts)
        self._args = args
        self._tls = args.get("tls", True)
        self._server = Server(name, args["system"], args["namespace"], self._child, subject)
        role = f"{args['database']}_app"

        password = self._password("administrator")
        administrator = self._secret("administrator", _ADMINISTRATOR, password)
        application = self._secret("credentials", role, self._password("credentials", args.get("password_version", 1)))
        certificate = self._server.certificate(args.get("issuer", ISSUER)) if self._tls else None
        files = _files(args)
        stateful_set = self._server.run(
            self._pod(self._server.configuration(files), administrator, certificate),
            {"postgres": {"port": PORT, "clients": args.get("clients", {})}},
            volume_claim(args.get("storage_gb", 10), args.get("storage_class")),
            checksum(*files.values(), password),
            keep=args.get("keep", True),
            protect=args.get("protect", True),
        )

        self.host = known_after(self._server.address, stateful_set)
        self.reader_host = self.host
        self.port = pulumi.Output.from_input(PORT)
        self.database = pulumi.Output.from_input(args["database"])
        self.role = pulumi.Output.from_input(role)
        self.credentials_secret = application
        self.administrator_secret = known_after(administrator, stateful_set)
        self.certificate_secret = pulumi.Output.from_input(certificate or "")
        self.pods = self._server.pods
        self._register()

    def _password(self, key: str, version: int | None = None) -> pulumi.Output[str]:
        return random.RandomPassword(
            f"{self._server.name}-{key}",
            length=40,
            special=False,  # so that it stands in a URL as it is
            keepers=None if version is None else {"version": str(version)},
            opts=self._child(),
        ).result

    def _secret(self, key: str, username: str, password: pulumi.Output[str]) -> pulumi.Output[str]:
        fields: dict[str, pulumi.Input[str]] = {
            "username": username,
            "password": password,
            "host": self._server.address,
            "port": str(PORT),
            "dbname": self._args["database"],
        }
        return self._server.secret(key, fields)

    def _pod(
        self,
        configuration: pulumi.Output[str],
        administrator: pulumi.Output[str],
        certificate: pulumi.Output[str] | None,
    ) -> dict[str, Any]:
        args = self._args
        version = args.get("version", _VERSION)
        # The volume that the image declares, so that no other one is made for it.
        mounted = "/var/lib/postgresql" if int(version) >= 18 else "/var/lib/postgresql/data"
        runs = container(
            "postgres",
            args.get("image", POSTGRES[version]),
            args.get("resources", _RESOURCES),
            command=["sh", f"{_PATH}/start.sh"],
            variables={
                # In a folder of the volume: its root may have others. Without the version, so that a server of another
                # one refuses the data, and does not begin anew beside it.
                "PGDATA": f"{mounted}/pgdata",
            },
            ports={"postgres": PORT},
            mounts={
                "configuration": _PATH,
                "administrator": _PASSWORD_PATH,
                **({"tls": TLS_PATH} if certificate else {}),
            },
            written_mounts={DATA: mounted, "sockets": _SOCKETS, "shared-memory": "/dev/shm"},  # noqa: S108
            startup_probe=_probe("ready", period_seconds=5, failure_threshold=_START_SECONDS // 5),
            readiness_probe=_probe("ready", period_seconds=10, failure_threshold=3),
            liveness_probe=_probe("alive", period_seconds=30, failure_threshold=3),
        )
        return pod_spec(
            [runs],
            service_account=self._server.account(),
            volumes={
                "configuration": {"config_map": {"name": configuration}},
                "administrator": secret_volume(administrator),
                **({"tls": secret_volume(certificate)} if certificate else {}),
                "sockets": {"empty_dir": {"size_limit": "1Mi"}},
                # Without it, a query in parallel has the 64 MB that a container begins with.
                "shared-memory": {"empty_dir": {"medium": "Memory", "size_limit": _SHARED_MEMORY}},
            },
            grace_seconds=60,
            user=USER,
        )


def _probe(script: str, **timing: int) -> dict[str, Any]:
    return {"exec_": {"command": ["sh", f"{_PATH}/{script}.sh"]}, "timeout_seconds": 5, **timing}


def _files(args: KubernetesPostgresArgs) -> dict[str, str]:
    """The server's configuration, file by file."""
    tls = args.get("tls", True)
    resources = args.get("resources", _RESOURCES)
    most = memory(resources.get("memory_limit", resources["memory"]))
    settings = {
        **_SETTINGS,
        **args.get("settings", {}),
        "listen_addresses": "*",
        "port": str(PORT),
        "unix_socket_directories": _SOCKETS,
        "hba_file": f"{_PATH}/pg_hba.conf",
        "password_encryption": "scram-sha-256",
        "max_connections": str(args.get("max_connections", 100)),
        "shared_buffers": f"{most // 4 // 2**20}MB",
        **(_tls_settings() if tls else {}),
    }
    who = "hostssl" if tls else "host"
    return {
        "postgresql.conf": "".join(f"{key} = {_quoted(value)}\n" for key, value in sorted(settings.items())),
        # Whoever comes otherwise is refused.
        "pg_hba.conf": f"local all all scram-sha-256\n{who} all all all scram-sha-256\n",
        "start.sh": _START
        % {
            "administrator": _ADMINISTRATOR,
            "password": f"{_PASSWORD_PATH}/password",
            "database": args["database"],
            "configuration": f"{_PATH}/postgresql.conf",
        },
        "ready.sh": _READY,
        "alive.sh": _ALIVE + (_SERVES_NEWEST if tls else ""),
    }


def _tls_settings() -> Mapping[str, str]:
    return {
        "ssl": "on",
        "ssl_cert_file": f"{TLS_PATH}/tls.crt",
        "ssl_key_file": f"{TLS_PATH}/tls.key",
        "ssl_min_protocol_version": "TLSv1.2",
    }


def _quoted(value: str) -> str:
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def _version_problems(args: KubernetesPostgresArgs) -> Iterator[Problem]:
    """An image of another major version would not start on the data, or leave it where no later one looks."""
    image, version = args.get("image", ""), args.get("version", _VERSION)
    said = re.match(r"\d+(?!\d)", image_tag(image))
    if said and said[0] in POSTGRES and said[0] != version:
        remedy = f"its tag says {said[0]} and `version` {version}; give the same in both"
        yield Problem("image", image, remedy)


def _problems(args: KubernetesPostgresArgs) -> Iterator[Problem]:
    resources = args.get("resources", _RESOURCES)
    wrong = list(resource_problems(resources, "resources"))
    yield from wrong
    if not wrong and memory(resources.get("memory_limit", resources["memory"])) < 256 * 2**20:
        yield Problem("resources.memory", resources["memory"], "give 256Mi or more: less is none for its queries")
    yield from _version_problems(args)
    for key, value in args.get("settings", {}).items():
        path = f"settings.{key}"
        if not re.fullmatch(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", key):
            yield Problem(path, value, "give the name of a setting of postgresql.conf in small letters")
        elif key in _OWN_SETTINGS or key == "ssl" or key.startswith("ssl_"):
            yield Problem(path, value, "leave it out: it follows from the args beside `settings`")
        elif not value.isprintable():
            yield Problem(path, value, "write the value on one line")
    yield from server_problems(args.get("tls", True), args.get("issuer"), {"clients": args.get("clients", {})})
