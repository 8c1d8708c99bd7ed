"""Valkey in a Kubernetes cluster."""

import hashlib
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_random as random

from ..component import Component, at_least, between, checked, known_after, matching
from ..images import VALKEY
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
from ..service.pod import ContainerResources, container, image_problem, pod_spec, resource_problems
from ..service.quantities import memory
from .eviction import eviction_problem

PORT = 6379
USERNAME = "default"
"""The user that a client is which gives a password and no name."""
_RESOURCES: ContainerResources = {"cpu": "50m", "memory": "256Mi"}
_PATH = "/etc/valkey"
_USERS_PATH = "/etc/valkey-users"
_PASSWORD_PATH = "/etc/valkey-credentials"  # noqa: S105
# What is dangerous goes last; of that, clients ask for `info` to see that the server is up.
_ACCESS = "~* &* -@all +@read +@write +@pubsub +@transaction +@scripting +@connection -@dangerous +info +time"


class KubernetesValkeyArgs(TypedDict):
    """Where a cache runs, how large it is, and who uses it."""

    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    clients: NotRequired[dict[str, ServerClient]]
    """Pods that may connect, by purpose. Default: nobody."""
    storage_gb: NotRequired[int]
    """Size of its volume in GiB, 1 to 1024; give four times its memory or more. Its creation decides it. Default: 2."""
    storage_class: NotRequired[str]
    """StorageClass of its volume. Its creation decides it. Default: the cluster's own."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most; half of its memory holds keys and values, the rest is for
    connections and for writing them down. Default: a twentieth of a CPU and 256Mi."""
    eviction: NotRequired[str]
    """What it does when its memory is full, as Valkey's `maxmemory-policy`. Default: volatile-lru, which forgets what
    has an expiry and was used longest ago, and never what has none."""
    access: NotRequired[str]
    """What clients may do, as Valkey's rules of access. Default: all data commands on all keys and channels, scripts
    and transactions, and nothing that is dangerous, such as KEYS, FLUSHALL or CONFIG."""
    password_version: NotRequired[int]
    """Raising it makes a new password and restarts the server; the old one ends at once. Default: 1."""
    issuer: NotRequired[str]
    """ClusterIssuer of cert-manager that signs its certificate. Default: internal-ca."""
    tls: NotRequired[bool]
    """Whether it is reached over TLS, and only so. Turn it off in a cluster without cert-manager: then everything is
    readable on the way, the password too. Default: yes."""
    image: NotRequired[str]
    """A mirror's copy of the image. Default: the official one."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""
    keep: NotRequired[bool]
    """Whether its volume stays when it is deleted, for the next one of its name to take up. Default: yes."""


_RULES = {
    **SERVER_RULES,
    "storage_gb": between(1, 1024, "GiB"),
    "eviction": eviction_problem,
    "access": matching(
        r"[~%&+-]\S*( [~%&+-]\S*)*",
        "give rules such as `~* +@read`, with single spaces between, and without `on` and passwords",
    ),
    "password_version": at_least(1),
    "image": image_problem,
}


class KubernetesValkey(Component):
    """A Valkey server in one pod of a cluster, which writes down what it holds on a volume of its own: for laptops, and
    for teams without a cloud. There are no backups and there are no replicas.

    It is reached over TLS only, with a password, by the pods that are named. Its pod is one that the `restricted` Pod
    Security Standard admits. Clients give the password alone, or with the name `default`, the one user that there is.
    The password stands in a URL as it is. When its certificate is renewed, the server restarts with what it holds.

    Secrets and their references are of Kubernetes, in the same namespace: a reference is the Secret's name.

    Raises `InputError` for bad args and for a name that its objects cannot have.
    """

    host: pulumi.Output[str]
    """Name to connect to, once it answers."""
    reader_host: pulumi.Output[str]
    """The same name: there are no replicas."""
    port: pulumi.Output[int]
    """TCP port, for TLS."""
    username: pulumi.Output[str]
    """Name of the one user."""
    credentials_secret: pulumi.Output[str]
    """Secret with `username`, `password`, `host` and `port`."""
    certificate_secret: pulumi.Output[str]
    """Secret whose `ca.crt` its certificate is checked with; empty without TLS."""
    pods: dict[str, str]
    """Labels of its pod, by which others may be let out to it."""

    def __init__(self, name: str, args: KubernetesValkeyArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesValkey {name}"
        args = checked(KubernetesValkeyArgs, args, subject, _RULES, _problems)
        checked_server_name(name, subject)
        super().__init__(name, opts)
        self._args = args
        self._server = Server(name, args["system"], args["namespace"], self._child, subject)

        password = random.RandomPassword(
            f"{name}-credentials",
            length=40,
            special=False,  # so that it stands in a URL as it is
            keepers={"version": str(args.get("password_version", 1))},
            opts=self._child(),
        ).result
        fields = {"username": USERNAME, "password": password, "host": self._server.address, "port": str(PORT)}
        credentials = self._server.secret("credentials", fields)
        users = password.apply(lambda known: _users(known, args.get("access", _ACCESS)))
        certificate = self._server.certificate(args.get("issuer", ISSUER)) if args.get("tls", True) else None
        files = _files(args)
        stateful_set = self._server.run(
            self._pod(
                {
                    "configuration": {"config_map": {"name": self._server.configuration(files)}},
                    "users": secret_volume(self._server.secret("users", {"users.acl": users})),
                    "credentials": secret_volume(credentials),
                    **({"tls": secret_volume(certificate)} if certificate else {}),
                }
            ),
            {"valkey": {"port": PORT, "clients": args.get("clients", {})}},
            volume_claim(args.get("storage_gb", 2), args.get("storage_class")),
            checksum(*files.values(), users),
            keep=args.get("keep", True),
            protect=args.get("protect", True),
        )

        self.host = known_after(self._server.address, stateful_set)
        self.reader_host = self.host
        self.port = pulumi.Output.from_input(PORT)
        self.username = pulumi.Output.from_input(USERNAME)
        self.credentials_secret = known_after(credentials, stateful_set)
        self.certificate_secret = pulumi.Output.from_input(certificate or "")
        self.pods = self._server.pods
        self._register()

    def _pod(self, volumes: dict[str, dict[str, Any]]) -> dict[str, Any]:
        args = self._args
        paths = {"configuration": _PATH, "users": _USERS_PATH, "credentials": _PASSWORD_PATH, "tls": TLS_PATH}
        runs = container(
            "valkey",
            args.get("image", VALKEY),
            args.get("resources", _RESOURCES),
            command=["sh", f"{_PATH}/start.sh"],
            ports={"valkey": PORT},
            mounts={volume: path for volume, path in paths.items() if volume in volumes},
            written_mounts={DATA: "/data"},
            startup_probe=_probe("ready", period_seconds=5, failure_threshold=60),
            readiness_probe=_probe("ready", period_seconds=10, failure_threshold=3),
            liveness_probe=_probe("alive", period_seconds=30, failure_threshold=3),
        )
        return pod_spec([runs], service_account=self._server.account(), volumes=volumes, grace_seconds=60, user=USER)


def _probe(script: str, **timing: int) -> dict[str, Any]:
    return {"exec_": {"command": ["sh", f"{_PATH}/{script}.sh"]}, "timeout_seconds": 5, **timing}


def _users(password: str, access: str) -> str:
    """The users of the server, which knows no more of a password than this digest."""
    # Its own probes ask for a PING, whatever else may be asked for.
    return f"user {USERNAME} on #{hashlib.sha256(password.encode()).hexdigest()} {access} +ping\n"


def _files(args: KubernetesValkeyArgs) -> dict[str, str]:
    """The server's configuration, file by file."""
    tls = args.get("tls", True)
    resources = args.get("resources", _RESOURCES)
    most = memory(resources.get("memory_limit", resources["memory"]))
    listening = {
        "port": "0",
        "tls-port": str(PORT),
        "tls-cert-file": f"{TLS_PATH}/tls.crt",
        "tls-key-file": f"{TLS_PATH}/tls.key",
        "tls-auth-clients": "no",  # they have a password
        "tls-protocols": '"TLSv1.2 TLSv1.3"',
    }
    settings = {
        "bind": "* -::*",
        **(listening if tls else {"port": str(PORT)}),
        "aclfile": f"{_USERS_PATH}/users.acl",
        "dir": "/data",
        # All that is written is in the log; snapshots beside it would take as much again.
        "appendonly": "yes",
        "save": '""',
        "maxmemory": str(most // 2),
        "maxmemory-policy": args.get("eviction", "volatile-lru"),
    }
    over_tls = f" --tls --cacert {TLS_PATH}/ca.crt" if tls else ""
    return {
        "valkey.conf": "".join(f"{key} {value}\n" for key, value in sorted(settings.items())),
        "start.sh": "#!/bin/sh\numask 0077\n"
        + (f"cp {TLS_PATH}/tls.crt /tmp/served.crt\n" if tls else "")
        + f"exec valkey-server {_PATH}/valkey.conf\n",
        # While it reads its log, it says so instead of PONG.
        "ready.sh": f'#!/bin/sh\nREDISCLI_AUTH="$(cat {_PASSWORD_PATH}/password)"\nexport REDISCLI_AUTH\n'
        f'[ "$(valkey-cli -h localhost -p {PORT}{over_tls} ping)" = PONG ]\n',
        "alive.sh": f"#!/bin/sh\nsh {_PATH}/ready.sh || exit 1\n"
        + (
            "# With a renewed certificate it begins anew: nobody who may ask it anything may tell it to read a file.\n"
            f"cmp {TLS_PATH}/tls.crt /tmp/served.crt\n"
            if tls
            else ""
        ),
    }


def _problems(args: KubernetesValkeyArgs) -> Iterator[Problem]:
    yield from resource_problems(args.get("resources", _RESOURCES), "resources")
    yield from server_problems(args.get("tls", True), args.get("issuer"), {"clients": args.get("clients", {})})
