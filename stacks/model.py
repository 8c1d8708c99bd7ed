"""What a system needs, as plain data: no Pulumi type and no cloud's name in it.

A system's function returns a `System`; a stack file overrides its parts by the same names, in camelCase, and the same
types check both.
"""

import re
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.problems import MISSING, Problem, one_of

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


class Part(BaseModel):
    """A part of a system: frozen, and closed to unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Postgres(Part):
    """A PostgreSQL database and the application's role in it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,55}$")
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

    exchanges: dict[str, Exchange]
    """Its exchanges, by name."""
    queues: dict[str, Queue]
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
    """A value that only services know, generated once."""

    purpose: str
    """What it is for."""
    length: Annotated[int, Field(ge=32, le=128)] = 64
    """Characters."""
    version: Annotated[int, Field(ge=1)] = 1
    """Raising it makes a new value."""


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


class Service(Part):
    """A service and what it needs."""

    purpose: str
    """What it does."""
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
    def needs_identity(self) -> bool:
        """Whether it needs anything that the cloud grants."""
        return bool(
            self.database
            or self.cache
            or self.broker
            or self.reads
            or self.appends
            or self.secrets
            or self.keeps_credentials
            or self.uses_credentials
            or self.reports_metrics
        )


class System(Part):
    """A whole system."""

    name: str
    """Name of the system."""
    title: str
    """What it is, in a few words."""
    services: dict[str, Service]
    """Its services, by name."""
    database: Postgres
    """Its database."""
    broker: Broker
    """Its message broker."""
    cache: Cache
    """Its cache."""
    stores: dict[str, ObjectStore]
    """Its object stores, by name."""
    secrets: dict[str, Secret]
    """Its secrets, by name."""
    nodes: dict[str, NodePool]
    """The node pools of its cluster, by name."""
    backup: Backup
    """Its backups."""

    @property
    def copies(self) -> list[str]:
        """The parts that are copied to the recovery region, by their path in a stack file."""
        stores = [f"stores.{name}.replicate" for name, store in self.stores.items() if store.replicate]
        database = ["database.copyBackups"] if self.database.copy_backups else []
        return [*database, *stores, *(["backup.copied"] if self.backup.copied else [])]


def inconsistencies(system: System) -> list[Problem]:
    """Where parts of a system do not fit each other, with paths as in a stack file."""
    found = []
    broker = system.broker
    for path, named in (
        ("broker.exchanges", broker.exchanges),
        ("broker.queues", broker.queues),
        ("nodes", system.nodes),
    ):
        remedy = "as a name, take small letters, digits and hyphens, a letter first, 30 characters at most"
        found += [Problem(f"{path}.{name}", MISSING, remedy) for name in named if not re.fullmatch(_NAME, name)]
    for name, service in system.services.items():
        for field, known in (
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
        remedy = f"give {database.storage_gb} or more, which the database starts with"
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
