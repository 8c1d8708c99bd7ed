"""What a system needs, as plain data: no Pulumi type and no cloud's name in it.

A system's function returns a `System`; a stack file overrides its parts by the same names, in camelCase, and the same
types check both.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.problems import MISSING, Problem, one_of

from .shapes import Cpu, Host, Memory, Registry, Version, shaped

_NAME = r"[a-z][a-z0-9-]{0,29}"


class Tier(Enum):
    """How much an environment matters."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class Size(Enum):
    """How large a part is, in steps that each cloud translates."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    XLARGE = "xlarge"


class PostgresVersion(Enum):
    """Major versions that both clouds offer."""

    V15 = "15"
    V16 = "16"
    V17 = "17"
    V18 = "18"


class LogLevel(Enum):
    """What a service writes to its log: this, and what is worse."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


SERVICE_NAME = r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?"
"""Shape of a service's name: a DNS label, and short enough for what is named after it."""


class Part(BaseModel):
    """A part of a system: frozen, and closed to unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Postgres(Part):
    """A PostgreSQL database and the application's role in it."""

    name: Annotated[
        str, shaped(r"[a-z][a-z0-9_]{0,55}", "write small letters, digits and _, a letter first, 56 characters at most")
    ]
    """Name of the database."""
    version: PostgresVersion = PostgresVersion.V17
    """Major version."""
    size: Size
    """Size of each instance."""
    storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """Storage that it starts with, in GB."""
    max_storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """Storage up to which it grows by itself, in GB."""
    highly_available: bool
    """Whether a standby in another zone takes over."""
    replicas: Annotated[int, Field(ge=0, le=5)]
    """Read replicas."""
    pooling: bool
    """Whether connections go through a managed pool."""
    backup_days: Annotated[int, Field(ge=1, le=35)]
    """Days of point-in-time recovery."""
    copy_backups: bool
    """Whether the recovery region has what is needed to go on there: copies of backups, or a replica."""


class ObjectStore(Part):
    """A store of objects, with every version of each."""

    purpose: str
    """What it keeps."""
    archive_after_days: Annotated[int, Field(ge=0, le=36500)] = 90
    """Days until an object moves to a colder class, 0 for never."""
    keep_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Days until an object is deleted, 0 for never."""
    keep_versions_days: Annotated[int, Field(ge=1, le=36500)] = 90
    """Days that an overwritten or deleted object can be had back."""
    lock_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Days during which no version can be deleted, 0 for none."""
    replicate: bool
    """Whether the recovery region has the objects too."""


class ExchangeKind(Enum):
    """How an exchange chooses the queues that a message goes to."""

    TOPIC = "topic"
    """Those whose routing key fits the message's, word by word."""
    DIRECT = "direct"
    """Those whose routing key is the message's."""
    FANOUT = "fanout"
    """All of them."""


class Exchange(Part):
    """Where services publish messages."""

    kind: ExchangeKind = ExchangeKind.TOPIC
    """How it chooses queues."""


class Queue(Part):
    """Messages that wait for those who consume them. Those that cannot be handled go to its dead letters."""

    purpose: str
    """What its messages say."""
    exchange: str
    """Name of the exchange that fills it."""
    routing_key: str = "#"
    """The messages of the exchange that it takes."""
    deliveries: Annotated[int, Field(ge=5, le=100)] = 5
    """Deliveries of a message before it is a dead letter. A message carries its routing key, on Pub/Sub as the
    attribute `routing_key`."""
    keep_days: Annotated[int, Field(ge=1, le=31)] = 7
    """Days that a message may wait. One that is older is a dead letter at RabbitMQ, and gone at Pub/Sub."""
    ordered: bool = False
    """Whether messages keep their order: all of them, by one consumer at a time, at RabbitMQ; on Pub/Sub those of one
    ordering key."""
    backlog: Annotated[int, Field(ge=1)] = 1000
    """Waiting messages from which on people are told."""


class Broker(Part):
    """What a message broker holds. Where a cloud's broker has machines, its own section says how many and how large."""

    exchanges: dict[str, Exchange] = Field(default_factory=dict)
    """Its exchanges, by name. A system without any has no broker."""
    queues: dict[str, Queue] = Field(default_factory=dict)
    """Its queues, by name."""


class Eviction(Enum):
    """What a full cache does."""

    REFUSE = "refuse"
    """Refuses writes: nothing is lost."""
    OLDEST = "oldest"
    """Forgets what was used longest ago."""


class Cache(Part):
    """A cache of keys and values."""

    size: Size
    """Size of each node."""
    replicas: Annotated[int, Field(ge=0, le=5)]
    """Copies of the primary, over zones; one of them takes over when it fails."""
    backup_days: Annotated[int, Field(ge=0, le=35)]
    """Days that daily snapshots are kept, 0 for none."""
    eviction: Eviction = Eviction.OLDEST
    """What it does when it is full."""


class Secret(Part):
    """A value that only services know, generated once. They find it in the environment variable of its name: that of
    `jwt-secret` is `JWT_SECRET`."""

    purpose: str
    """What it is for."""
    length: Annotated[int, Field(ge=32, le=128)] = 64
    """Characters."""
    version: Annotated[int, Field(ge=1)] = 1
    """Raising it makes a new value."""
    sealed: (
        Annotated[
            str, shaped(r"[A-Za-z0-9+/]{100,}={0,2}", "copy what kubeseal prints, which is Base64, as one line of text")
        ]
        | None
    ) = None
    """The value itself, sealed with `kubeseal --raw --scope namespace-wide`. Default: one is generated, and kept in the
    secret store."""

    @staticmethod
    def variable(name: str) -> str:
        """The environment variable in which services find the secret of the name."""
        return name.replace("-", "_").upper()


class NodePool(Part):
    """Machines of a cluster, all alike."""

    size: Size
    """Size of each machine."""
    fewest: Annotated[int, Field(ge=0, le=1000)]
    """Machines that are always there."""
    most: Annotated[int, Field(ge=1, le=1000)]
    """Machines that there may be."""
    spot: bool = False
    """Whether they are spare capacity, cheap and gone at short notice."""
    disk_gb: Annotated[int, Field(ge=20, le=16384)] = 50
    """Disk of each machine, in GB."""


class Backup(Part):
    """Backups of every part that holds data, beside the point-in-time recovery that parts have of their own."""

    daily_days: Annotated[int, Field(ge=1, le=3650)]
    """Days to keep daily backups."""
    monthly_days: Annotated[int, Field(ge=0, le=36500)]
    """Days to keep monthly ones, 0 for none."""
    copied: bool
    """Whether they are copied to the recovery region."""
    locked: bool
    """Whether nobody without a special permission deletes one before its time."""
    restore_tests: bool
    """Whether one is restored every month, to see that it can be."""


class Resources(Part):
    """What one replica of a service asks for, and may take at most, as Kubernetes writes it: `200m`, `256Mi`."""

    cpu: Cpu
    """Processor time that it is sure to get."""
    memory: Memory
    """Memory that it is sure to get."""
    cpu_limit: Cpu
    """Processor time that it may take."""
    memory_limit: Memory
    """Memory above which it is ended."""


class Scaling(Part):
    """How a service follows its load."""

    fewest: Annotated[int, Field(ge=1, le=1000)]
    """Replicas that are always there."""
    most: Annotated[int, Field(ge=1, le=1000)]
    """Replicas that there may be."""
    cpu_percent: Annotated[int, Field(ge=10, le=100)] = 80
    """Use of the processor time asked for, above which there are more."""
    memory_percent: Annotated[int, Field(ge=10, le=100)] = 80
    """Use of the memory asked for, above which there are more."""


class Route(Part):
    """How a service is reached from outside: over TLS, through the gateway."""

    host: Host | None = None
    """Host name. Default: any, with a certificate that no browser trusts; not in production."""
    aliases: tuple[Host, ...] = ()
    """Further host names, which stand beside the first."""
    paths: tuple[str, ...] = ("/",)
    """What the paths of its requests begin with."""
    requests_per_second: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Requests that the gateway lets through, at each of its replicas."""
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    """Seconds until the gateway gives a request up."""

    @property
    def hosts(self) -> list[str]:
        """All its host names, the first one first."""
        return [*([self.host] if self.host else []), *self.aliases]


class Migrations(Part):
    """Commands of a service's image that change what the database looks like. Each must be safe to run again."""

    up: tuple[str, ...]
    """Brings it to what this version of the service needs."""
    down: tuple[str, ...]
    """Takes the last step back."""


class Service(Part):
    """A service: how it runs, and what it needs."""

    purpose: str
    """What it does."""
    image: Annotated[
        str,
        shaped(
            r"[a-z0-9]+([._/-]+[a-z0-9]+)*", "write its name in small letters, without registry and tag, like portal"
        ),
    ]
    """Name of its image in the registry."""
    version: Version
    """Tag of the image, or its digest."""
    replicas: Annotated[int, Field(ge=1, le=1000)]
    """How many run, unless it scales."""
    scaling: Scaling | None = None
    """How it follows its load. Default: it does not."""
    resources: Resources
    """What each replica gets."""
    disruption_budget: bool
    """Whether maintenance takes one replica at a time."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 8080
    """Where it answers requests, and probes of its health."""
    metrics_port: Annotated[int, Field(ge=1024, le=65535)] = 9090
    """Where it gives its metrics."""
    live_path: str = "/health"
    """What answers whether it must be started again."""
    ready_path: str = "/ready"
    """What answers whether it takes requests."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Further environment variables. No secret is among them."""
    route: Route | None = None
    """How it is reached from outside. Default: it is not."""
    migrations: Migrations | None = None
    """Changes of the database that go before it. Default: none."""
    calls: tuple[str, ...] = ()
    """Names of the services that it calls."""
    internet: bool = False
    """Whether it calls others on the internet, over HTTPS."""
    database: bool = False
    """Whether it connects to the database."""
    cache: bool = False
    """Whether it uses the cache."""
    publishes: tuple[str, ...] = ()
    """Names of the exchanges that it publishes to."""
    consumes: tuple[str, ...] = ()
    """Names of the queues that it consumes."""
    reads: tuple[str, ...] = ()
    """Names of the stores that it reads."""
    appends: tuple[str, ...] = ()
    """Names of the stores that it adds objects to."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets that it reads."""
    keeps_credentials: bool = False
    """Whether it puts credentials for tasks into the secret store."""
    uses_credentials: bool = False
    """Whether it takes such credentials out of it."""
    reports_metrics: bool = False
    """Whether it reports metrics of its own to the cloud's monitoring."""

    @property
    def broker(self) -> bool:
        """Whether it connects to the broker."""
        return bool(self.publishes or self.consumes)

    @property
    def uses_cloud(self) -> bool:
        """Whether it calls the cloud itself. What signs it in elsewhere it is given, whoever brings that."""
        return bool(
            self.reads or self.appends or self.keeps_credentials or self.uses_credentials or self.reports_metrics
        )


class System(Part):
    """A whole system."""

    name: str
    """Name of the system."""
    title: str
    """What it is, in a few words."""
    registry: Registry
    """Where its images are, unless the stack says otherwise."""
    log_level: LogLevel
    """What its services write to their logs."""
    services: dict[str, Service]
    """Its services, by name."""
    database: Postgres
    """Its database."""
    broker: Broker = Broker()
    """Its message broker."""
    cache: Cache
    """Its cache."""
    stores: dict[str, ObjectStore] = Field(default_factory=dict)
    """Its object stores, by name."""
    secrets: dict[str, Secret]
    """Its secrets, by name."""
    nodes: dict[str, NodePool]
    """The node pools of its cluster, by name."""
    backup: Backup
    """Its backups."""

    @property
    def has_broker(self) -> bool:
        """Whether there is a broker at all."""
        return bool(self.broker.exchanges)

    @property
    def hosts(self) -> list[str]:
        """The host names at which its services are reached, each once."""
        routes = [service.route for service in self.services.values() if service.route]
        return list(dict.fromkeys(host for route in routes for host in route.hosts))

    @property
    def generated_secrets(self) -> dict[str, Secret]:
        """The secrets whose values are generated."""
        return {name: secret for name, secret in self.secrets.items() if not secret.sealed}

    def callers(self, name: str) -> list[str]:
        """The services that call one."""
        return [caller for caller, service in self.services.items() if name in service.calls]

    @property
    def copies(self) -> list[str]:
        """The parts that are copied to the recovery region, by their path in a stack file."""
        stores = [f"stores.{name}.replicate" for name, store in self.stores.items() if store.replicate]
        database = ["database.copyBackups"] if self.database.copy_backups else []
        return [*database, *stores, *(["backup.copied"] if self.backup.copied else [])]


def inconsistencies(system: System) -> list[Problem]:
    """Where parts of a system do not fit each other, with paths as in a stack file. What does not fit a component that
    is made of them is the component's to say."""
    found = list(_taken_twice(system.services))
    broker = system.broker
    for path, named in (
        ("broker.exchanges", broker.exchanges),
        ("broker.queues", broker.queues),
        ("nodes", system.nodes),
    ):
        remedy = "as a name, take small letters, digits and hyphens, a letter first, 30 characters at most"
        found += [Problem(f"{path}.{name}", MISSING, remedy) for name in named if not re.fullmatch(_NAME, name)]
    for name, service in system.services.items():
        found += _unfit(name, service)
        for field, known in (
            ("calls", [other for other in system.services if other != name]),
            ("publishes", broker.exchanges),
            ("consumes", broker.queues),
            ("reads", system.stores),
            ("appends", system.stores),
            ("secrets", system.secrets),
        ):
            wrong = [each for each in getattr(service, field) if each not in known]
            found += [Problem(f"services.{name}.{field}", each, one_of(known, each)) for each in wrong]
    for name, queue in broker.queues.items():
        if queue.exchange not in broker.exchanges:
            found.append(
                Problem(f"broker.queues.{name}.exchange", queue.exchange, one_of(broker.exchanges, queue.exchange))
            )
        elif broker.exchanges[queue.exchange].kind is ExchangeKind.DIRECT and set("#*") & set(queue.routing_key):
            remedy = f"{queue.exchange} is a direct exchange, which has no wildcards; name the key of the messages"
            found.append(Problem(f"broker.queues.{name}.routingKey", queue.routing_key, remedy))
    database = system.database
    if database.max_storage_gb < database.storage_gb:
        remedy = f"give storageGb={database.storage_gb} or more, which the database starts with"
        found.append(Problem("database.maxStorageGb", database.max_storage_gb, remedy))
    for name, store in system.stores.items():
        if store.keep_days and store.keep_days <= max(store.archive_after_days, store.lock_days):
            remedy = f"give more than archiveAfterDays={store.archive_after_days} and lockDays={store.lock_days}, or 0"
            found.append(Problem(f"stores.{name}.keepDays", store.keep_days, remedy))
    for name, pool in system.nodes.items():
        if pool.most < pool.fewest:
            found.append(Problem(f"nodes.{name}.most", pool.most, f"give fewest={pool.fewest} or more"))
    backup = system.backup
    if backup.monthly_days and backup.monthly_days <= backup.daily_days:
        remedy = f"give more than dailyDays={backup.daily_days}, or 0 for none"
        found.append(Problem("backup.monthlyDays", backup.monthly_days, remedy))
    return found


def _taken_twice(services: dict[str, Service]) -> Iterator[Problem]:
    """The requests that come to two services, which are those of one host, or of any, whose paths begin alike."""
    taken: dict[tuple[str, str], str] = {}
    for name, service in services.items():
        route = service.route
        if not route:
            continue
        hosts = {"host": route.host or "", **{f"aliases[{i}]": alias for i, alias in enumerate(route.aliases)}}
        for key, host in hosts.items():
            for path in dict.fromkeys(route.paths):
                first = taken.setdefault((host, path), name)
                if first != name:
                    remedy = f"{first} takes {path} at {host or 'any host'} already; give another host, or other paths"
                    yield Problem(f"services.{name}.route.{key}", host or MISSING, remedy)


def _unfit(name: str, service: Service) -> Iterator[Problem]:
    """Where a service's own parts do not fit each other."""
    path = f"services.{name}"
    if not re.fullmatch(SERVICE_NAME, name):
        remedy = "is no DNS label; take small letters, digits and hyphens, a letter first, 30 characters at most"
        yield Problem(path, MISSING, remedy)
    if service.migrations and not service.database:
        yield Problem(f"{path}.migrations", MISSING, "changes a database that it does not use; set database to true")
