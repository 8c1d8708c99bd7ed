"""RabbitMQ in a Kubernetes cluster."""

import json
import re
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_random as random

from ..component import Component, at_least, between, checked, known_after, matching
from ..images import RABBITMQ
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

_ADMINISTRATOR = "administrator"
_RESOURCES: ContainerResources = {"cpu": "250m", "memory": "1Gi"}
_PATH = "/etc/rabbitmq"
_HOME = "/var/lib/rabbitmq"
# The one node calls itself so, whichever pod it is in, and so finds its data again.
_NODE = "rabbit@localhost"
_DEFINITIONS = "definitions.json"
_SETTINGS = {"consumer_timeout": "1800000"}
_OWN_SETTINGS = (
    *("cluster_name", "default_pass", "default_user", "default_user_tags", "default_vhost", "definitions"),
    *("disk_free_limit", "listeners", "load_definitions", "loopback_users", "management", "ssl_options"),
    "vm_memory_high_watermark",
)
"""What this component says, with all that begins so."""


class KubernetesRabbitMqArgs(TypedDict):
    """Where a broker runs, how large it is, and who uses it."""

    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    clients: NotRequired[dict[str, ServerClient]]
    """Pods that may connect, by purpose. Default: nobody."""
    administrators: NotRequired[dict[str, ServerClient]]
    """Pods that reach the management API, by purpose: those of the job that declares users and queues. Default:
    nobody."""
    storage_gb: NotRequired[int]
    """Size of its volume in GiB, 1 to 65536; with a fifth of it left, it takes no messages. Its creation decides it.
    Default: 8."""
    storage_class: NotRequired[str]
    """StorageClass of its volume. Its creation decides it. Default: the cluster's own."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most; with half of its memory in use, it takes no messages. Default: a
    quarter of a CPU and 1Gi."""
    virtual_host: NotRequired[str]
    """The application's virtual host. Default: `/`, the one that each broker has."""
    username: NotRequired[str]
    """Name of the application's user. Default: app."""
    password_version: NotRequired[int]
    """Raising it makes a new password for the application, which the job that declares users applies. Default: 1."""
    settings: NotRequired[dict[str, str]]
    """Further settings in the spelling of `rabbitmq.conf`. Another one restarts the server. Default: `consumer_timeout`
    of half an hour, which is there unless named otherwise."""
    issuer: NotRequired[str]
    """ClusterIssuer of cert-manager that signs its certificate. Default: internal-ca."""
    tls: NotRequired[bool]
    """Whether it is reached over TLS, and only so. Turn it off in a cluster without cert-manager: then everything is
    readable on the way, passwords too. Default: yes."""
    image: NotRequired[str]
    """A mirror's copy of the image. Default: the official one."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""
    keep: NotRequired[bool]
    """Whether its volume stays when it is deleted, for the next one of its name to take up. Default: yes."""


_RULES = {
    **SERVER_RULES,
    "storage_gb": between(1, 65536, "GiB"),
    "virtual_host": matching(r"/|[\w.-]{1,100}", "give / or letters, digits and . _ -, up to 100"),
    "username": matching(
        rf"(?!(guest|{_ADMINISTRATOR})$)[A-Za-z0-9][\w.-]{{0,99}}",
        f"give letters, digits and . _ -, letter or digit first; guest and {_ADMINISTRATOR} are taken",
    ),
    "password_version": at_least(1),
    "image": image_problem,
}


class KubernetesRabbitMq(Component):
    """A RabbitMQ broker in one pod of a cluster, with a volume of its own: for laptops, and for teams without a cloud.
    There are no backups, and no other nodes: quorum queues have one member.

    It is reached over TLS only, by the pods that are named, and so is its management API. Its pod is one that the
    `restricted` Pod Security Standard admits. It begins with one user, the administrator. As in a cloud, the
    application's user, virtual host and queues are declared by a job, through the management API, with the two secrets
    that are made here: `topology` writes the definitions. Passwords stand in a URL as they are. A renewed certificate
    is served within minutes, without a restart.

    Secrets and their references are of Kubernetes, in the same namespace: a reference is the Secret's name.

    Raises `InputError` for bad args and for a name that its objects cannot have.
    """

    host: pulumi.Output[str]
    """Name to connect to, once it answers."""
    port: pulumi.Output[int]
    """TCP port: 5671, and 5672 without TLS."""
    protocol: pulumi.Output[str]
    """`amqps`, and `amqp` without TLS."""
    address: pulumi.Output[str]
    """`<host>:<port>/<virtual host>`."""
    console_url: pulumi.Output[str]
    """URL of the management API and its console."""
    username: pulumi.Output[str]
    """Name of the application's user."""
    virtual_host: pulumi.Output[str]
    """The application's virtual host."""
    credentials_secret: pulumi.Output[str]
    """Secret with the application's `username`, `password`, `host`, `port` and `vhost`."""
    administrator_secret: pulumi.Output[str]
    """Secret with the administrator's `username`, `password`, `host`, `port` and `console`."""
    certificate_secret: pulumi.Output[str]
    """Secret whose `ca.crt` its certificate is checked with; empty without TLS."""
    pods: dict[str, str]
    """Labels of its pod, by which others may be let out to it."""

    def __init__(self, name: str, args: KubernetesRabbitMqArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesRabbitMq {name}"
        args = checked(KubernetesRabbitMqArgs, args, subject, _RULES, _problems)
        checked_server_name(name, subject)
        super().__init__(name, opts)
        self._args = args
        self._server = Server(name, args["system"], args["namespace"], self._child, subject)
        tls = args.get("tls", True)
        self._port, self._console_port = (5671, 15671) if tls else (5672, 15672)
        protocol = "amqps" if tls else "amqp"
        username, virtual_host = args.get("username", "app"), args.get("virtual_host", "/")
        place = {"host": self._server.address, "port": str(self._port)}
        console = pulumi.Output.concat(
            "https" if tls else "http", "://", self._server.address, f":{self._console_port}"
        )

        password = self._password("administrator")
        administrator = self._server.secret(
            "administrator", {"username": _ADMINISTRATOR, "password": password, "console": console, **place}
        )
        application = self._server.secret(
            "credentials",
            {
                "username": username,
                "password": self._password("credentials", args.get("password_version", 1)),
                "vhost": virtual_host,
                **place,
            },
        )
        certificate = self._server.certificate(args.get("issuer", ISSUER)) if tls else None
        files = self._files()
        definitions = password.apply(_definitions)
        users = self._server.secret("definitions", {_DEFINITIONS: definitions})
        stateful_set = self._server.run(
            self._pod(self._server.configuration(files), users, certificate),
            {
                protocol: {"port": self._port, "clients": args.get("clients", {})},
                "management": {"port": self._console_port, "clients": args.get("administrators", {})},
            },
            volume_claim(self._storage, args.get("storage_class")),
            checksum(*files.values(), definitions),
            keep=args.get("keep", True),
            protect=args.get("protect", True),
        )

        self.host = known_after(self._server.address, stateful_set)
        self.port = pulumi.Output.from_input(self._port)
        self.protocol = pulumi.Output.from_input(protocol)
        self.address = pulumi.Output.concat(self.host, f":{self._port}/", virtual_host)
        self.console_url = known_after(console, stateful_set)
        self.username = pulumi.Output.from_input(username)
        self.virtual_host = pulumi.Output.from_input(virtual_host)
        self.credentials_secret = application
        self.administrator_secret = known_after(administrator, stateful_set)
        self.certificate_secret = pulumi.Output.from_input(certificate or "")
        self.pods = self._server.pods
        self._register()

    @property
    def _storage(self) -> int:
        return self._args.get("storage_gb", 8)

    def _password(self, key: str, version: int | None = None) -> pulumi.Output[str]:
        return random.RandomPassword(
            f"{self._server.name}-{key}",
            length=40,
            special=False,  # so that it stands in a URL as it is
            keepers=None if version is None else {"version": str(version)},
            opts=self._child(),
        ).result

    def _files(self) -> dict[str, str]:
        """The server's configuration, file by file."""
        args = self._args
        resources = args.get("resources", _RESOURCES)
        most = memory(resources.get("memory_limit", resources["memory"]))
        settings = {
            **_SETTINGS,
            **args.get("settings", {}),
            "cluster_name": self._server.name,
            # Read at each start: the administrator's password is what its Secret says, also where the volume is of an
            # earlier broker. With these, RabbitMQ makes no user of its own.
            "load_definitions": f"{_PATH}/{_DEFINITIONS}",
            "disk_free_limit.absolute": f"{self._storage * 1024 // 5}MiB",
            "log.console": "true",
            "log.console.formatter": "json",
            "log.file": "false",
            "vm_memory_high_watermark.absolute": f"{most // 2 // 2**20}MiB",
            **(self._over_tls() if args.get("tls", True) else self._in_the_clear()),
        }
        return {
            "rabbitmq.conf": "".join(f"{key} = {value}\n" for key, value in sorted(settings.items())),
            "enabled_plugins": "[rabbitmq_management].\n",
        }

    def _over_tls(self) -> dict[str, str]:
        files = {
            "cacertfile": f"{TLS_PATH}/ca.crt",
            "certfile": f"{TLS_PATH}/tls.crt",
            "keyfile": f"{TLS_PATH}/tls.key",
            "versions.1": "tlsv1.3",
            "versions.2": "tlsv1.2",
        }
        return {
            "listeners.tcp": "none",
            "listeners.ssl.default": str(self._port),
            "ssl_options.verify": "verify_none",  # clients have a password
            "ssl_options.fail_if_no_peer_cert": "false",
            "management.ssl.port": str(self._console_port),
            **{f"{which}.{key}": value for which in ("ssl_options", "management.ssl") for key, value in files.items()},
        }

    def _in_the_clear(self) -> dict[str, str]:
        return {"listeners.tcp.default": str(self._port), "management.tcp.port": str(self._console_port)}

    def _pod(
        self, configuration: pulumi.Output[str], users: pulumi.Output[str], certificate: pulumi.Output[str] | None
    ) -> dict[str, Any]:
        args = self._args
        port_name = "amqps" if certificate else "amqp"
        listens = {"command": ["rabbitmq-diagnostics", "-q", "check_port_listener", str(self._port)]}
        runs = container(
            "rabbitmq",
            args.get("image", RABBITMQ),
            args.get("resources", _RESOURCES),
            variables={
                "RABBITMQ_NODENAME": _NODE,
                # Nodes speak to each other in the clear, and there is no other one.
                "ERL_EPMD_ADDRESS": "127.0.0.1",
                # A dump is as large as its memory, and so fills what it may write to.
                "ERL_CRASH_DUMP_SECONDS": "0",
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            },
            ports={port_name: self._port, "management": self._console_port},
            mounts={"configuration": _PATH, **({"tls": TLS_PATH} if certificate else {})},
            # The cookie that its commands sign in with stands at home, and is another one in each pod.
            written_mounts={"home": _HOME, DATA: f"{_HOME}/mnesia", "logs": "/var/log/rabbitmq"},
            startup_probe={"exec_": listens, "timeout_seconds": 20, "period_seconds": 10, "failure_threshold": 60},
            readiness_probe={"exec_": listens, "timeout_seconds": 20, "period_seconds": 30, "failure_threshold": 3},
            liveness_probe={
                "exec_": {"command": ["rabbitmq-diagnostics", "-q", "ping"]},
                "timeout_seconds": 30,
                "period_seconds": 60,
                "failure_threshold": 3,
            },
        )
        files = {
            "default_mode": 0o640,
            "sources": [
                {"config_map": {"name": configuration}},
                {"secret": {"name": users}},
            ],
        }
        return pod_spec(
            [runs],
            service_account=self._server.account(),
            volumes={
                "configuration": {"projected": files},
                **({"tls": secret_volume(certificate)} if certificate else {}),
                "home": {"empty_dir": {"size_limit": "64Mi"}},
                # What it upgraded at its start: all else goes to the console.
                "logs": {"empty_dir": {"size_limit": "64Mi"}},
            },
            grace_seconds=120,
            user=USER,
        )


def _definitions(password: str) -> str:
    """The administrator, in RabbitMQ's own format of definitions."""
    whole = {"configure": ".*", "write": ".*", "read": ".*"}
    content = {
        "users": [{"name": _ADMINISTRATOR, "password": password, "tags": "administrator"}],
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": _ADMINISTRATOR, "vhost": "/", **whole}],
    }
    return json.dumps(content, sort_keys=True)


def _problems(args: KubernetesRabbitMqArgs) -> Iterator[Problem]:
    resources = args.get("resources", _RESOURCES)
    wrong = list(resource_problems(resources, "resources"))
    yield from wrong
    if not wrong and memory(resources.get("memory_limit", resources["memory"])) < 512 * 2**20:
        yield Problem("resources.memory", resources["memory"], "give 512Mi or more: it takes no messages with less")
    for key, value in args.get("settings", {}).items():
        path = f"settings.{key}"
        if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-zA-Z0-9_-]+)*", key):
            yield Problem(path, value, "give the name of a setting of rabbitmq.conf")
        elif any(key == own or key.startswith(f"{own}.") for own in _OWN_SETTINGS):
            yield Problem(path, value, "leave it out: it follows from the args beside `settings`")
        elif not value.isprintable():
            yield Problem(path, value, "write the value on one line")
    clients = {field: args.get(field, {}) for field in ("clients", "administrators")}
    yield from server_problems(args.get("tls", True), args.get("issuer"), clients)
