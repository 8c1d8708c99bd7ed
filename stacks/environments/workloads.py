"""What runs in a cluster: a system's services and the jobs around them, by the same code wherever the cluster is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.broker.topology import definitions
from components.images import PSQL, PYTHON, mirrored
from components.platform.gateway import KubernetesGateway
from components.platform.traffic import Peer, pods_of
from components.service.broker_topology import BrokerTopology
from components.service.database_role import DatabaseRole
from components.service.database_upkeep import DatabaseUpkeep
from components.service.kubernetes import KubernetesService, KubernetesServiceArgs
from components.service.migrations import Migrations
from components.service.pull_secret import PullSecret, PullSecretArgs
from components.service.route import ServiceRoute
from components.service.secrets import ServiceSecret

from ..model import Broker, Secret, Service, System
from ..settings import Settings
from .cluster import Platform, Text

SECRET_KEY = "value"  # noqa: S105
"""The property in which a generated secret has its value."""


@dataclass(frozen=True)
class Credentials:
    """What signs somebody in: a secret, and the environment variables that its properties become."""

    reference: Text
    """Key in the cloud's secret store. Where no cloud is: name of a Kubernetes Secret."""
    variables: Mapping[str, str]
    """Property by environment variable."""
    refresh: str = "1h"
    """How often the cloud's store is asked for another value."""


SOON = "1m"
"""For passwords that somebody may change at any time, and the former one is refused at once."""
DATABASE_USER = {"DB_PASSWORD": "password", "DB_USER": "username"}
CACHE_USER = {"REDIS_PASSWORD": "password", "REDIS_USERNAME": "username"}
BROKER_USER = {"BROKER_PASSWORD": "password", "BROKER_USERNAME": "username"}
"""What services sign in with: a secret's properties, by environment variable."""
POSTGRES_USER = {"PGPASSWORD": "password", "PGUSER": "username"}
BROKER_APPLICATION = {"APPLICATION_PASSWORD": "password", "APPLICATION_USERNAME": "username"}
BROKER_ADMINISTRATOR = {
    "RABBITMQ_CONSOLE": "console",
    "RABBITMQ_PASSWORD": "password",
    "RABBITMQ_USERNAME": "username",
}
"""The same for jobs."""


@dataclass(frozen=True)
class Link:
    """How services get at something, and sign in to it."""

    environment: Mapping[str, Text]
    """What they are told of it, by environment variable."""
    reached: Peer
    """Where it is."""
    credentials: Mapping[str, Credentials] = field(default_factory=dict)
    """What signs them in, by purpose. None: they are who they are."""
    direct: Mapping[str, Text] = field(default_factory=dict)
    """What those are told instead who need it without a pool."""


@dataclass(frozen=True)
class DatabaseSetup:
    """How the application's role is made in the database."""

    host: Text
    """Where the database itself is, past any pool."""
    administrator: Credentials
    """What signs its administrator in, as `PGUSER` and `PGPASSWORD`."""
    role: Text
    """The role that has the application's rights."""
    password: Credentials | None = None
    """What the role signs in with, as `ROLE_PASSWORD`. None: only its members sign in."""
    members: tuple[Text, ...] = ()
    """Logins with the role's rights."""
    revision: str = ""
    """Another one sets the password anew."""


@dataclass(frozen=True)
class BrokerSetup:
    """How exchanges and queues are made at the broker."""

    definitions: Mapping[str, Any]
    """Exchanges and queues, as the broker takes them."""
    administrator: Credentials
    """What signs its administrator in, as `RABBITMQ_USERNAME`, `RABBITMQ_PASSWORD` and `RABBITMQ_CONSOLE`."""
    application: Credentials
    """What services sign in with, as `APPLICATION_USERNAME` and `APPLICATION_PASSWORD`."""
    reached: Peer
    """Where its console is."""
    revision: str = ""
    """Another one sets the password anew."""
    authority: Credentials | None = None
    """Who vouches for the console, as `ROOT_CERTIFICATE`. None: somebody whom the world knows."""


@dataclass(frozen=True)
class Links:
    """What services are connected to."""

    database: Link
    """The database."""
    cache: Link
    """The cache."""
    broker: Link | None = None
    """The broker, of a system that has one."""
    exchanges: Mapping[str, Text] = field(default_factory=dict)
    """What the broker calls each exchange."""
    queues: Mapping[str, Text] = field(default_factory=dict)
    """What the broker calls each queue."""
    stores: Mapping[str, Text] = field(default_factory=dict)
    """The bucket of each store."""
    secrets: Mapping[str, Text] = field(default_factory=dict)
    """Where the value of each generated secret is: like `Credentials.reference`."""
    registry: Text | None = None
    """Where the credentials of a private registry are: like `Credentials.reference`."""
    cloud: Mapping[str, Mapping[str, Peer]] = field(default_factory=dict)
    """Where each service reaches the cloud, by its name: its APIs, and what signs it in there."""
    database_owner: Credentials | None = None
    """What signs in who owns the database's tables, as `PGUSER` and `PGPASSWORD`. None: whoever runs it keeps it in
    order."""
    database_setup: DatabaseSetup | None = None
    """How the application's role is made. None: whoever runs the database has done so."""
    broker_setup: BrokerSetup | None = None
    """How exchanges and queues are made. None: they are made otherwise."""


def declarations(virtual_host: str, broker: Broker) -> dict[str, Any]:
    """A broker's exchanges and queues, as RabbitMQ takes them."""
    return definitions(
        virtual_host,
        {name: exchange.kind.value for name, exchange in broker.exchanges.items()},
        {
            name: {
                "exchange": queue.exchange,
                "routing_key": queue.routing_key,
                "deliveries": queue.deliveries,
                "keep_days": queue.keep_days,
                "ordered": queue.ordered,
            }
            for name, queue in broker.queues.items()
        },
    )


def plain_args(system: System, registry: str, name: str) -> Any:
    """What a service is given that its stack file says alone, wherever its cluster is."""
    service = system.services[name]
    digest = service.version.startswith("sha256:")
    args: dict[str, Any] = {
        "service": name,
        "system": system.name,
        "image": f"{registry}/{service.image}{'@' if digest else ':'}{service.version}",
        "port": service.port,
        "metrics_port": service.metrics_port,
        "resources": service.resources.model_dump(),
        "live_path": service.live_path,
        "ready_path": service.ready_path,
        "environment": dict(service.environment),
        "disruption_budget": service.disruption_budget,
    }
    if not digest:
        args["version"] = service.version
    if service.scaling:
        args["scaling"] = service.scaling.model_dump()
    else:
        args["replicas"] = service.replicas
    if route := service.route:
        args["route"] = {
            "host": route.host or "",
            "aliases": list(route.aliases),
            "paths": list(route.paths),
            "requests_per_second": route.requests_per_second,
            "timeout_seconds": route.timeout_seconds,
        }
    return args


def variables_of_secrets(service: Service) -> dict[str, dict[str, str]]:
    """What the environment variables of a service hold that are secrets in one cloud or another, by secret."""
    used = {
        "database": (service.database, DATABASE_USER),
        "cache": (service.cache, {**CACHE_USER, "REDIS_CA": "ca"}),
        "broker": (service.broker, {**BROKER_USER, "BROKER_CA": "ca"}),
    }
    own = {name: {Secret.variable(name): SECRET_KEY} for name in service.secrets}
    return {**{what: variables for what, (uses, variables) in used.items() if uses}, **own}


class Workloads:
    """A system's services, and the jobs around them."""

    def __init__(self, settings: Settings, platform: Platform, links: Links):
        self._settings, self._system, self._name = settings, settings.system, settings.name
        self._platform, self._given = platform, links
        self._pull_secret = self._registry()
        self._set_up()
        self._services = {name: self._service(name, service) for name, service in self._system.services.items()}

    def outputs(self) -> dict[str, Any]:
        """Where services are."""
        return {
            "namespace": self._platform.namespace,
            "serviceUrls": {name: service.url for name, service in self._services.items()},
        }

    def _secret(self, credentials: Credentials) -> ServiceSecret:
        """A secret, brought from the cloud's store, or out of the namespace itself where there is none."""
        variables = dict(credentials.variables)
        if self._platform.secret_store is None:
            return {"variables": variables, "existing": credentials.reference}
        return {
            "variables": variables,
            "external": {
                "store": self._platform.secret_store,
                "key": credentials.reference,
                "refresh": credentials.refresh,
            },
        }

    def _registry(self) -> Text | None:
        """Name of the Secret that images are pulled with: brought from the cloud's store, or there already."""
        reference, store = self._given.registry, self._platform.secret_store
        if reference is None or store is None:
            return reference
        args: PullSecretArgs = {"namespace": self._platform.namespace, "store": store, "key": reference}
        return PullSecret(f"{self._name}-registry", args, self._platform.opts()).secret

    def _set_up(self) -> None:
        """Jobs that set up what services use, and keep it in order."""
        self._database: list[pulumi.Resource] = []
        self._broker: list[pulumi.Resource] = []
        opts = self._platform.opts()
        if setup := self._given.database_setup:
            self._database.append(self._role(setup, opts))
        if self._given.database_owner and not self._settings.is_standby:
            self._tidy(self._given.database_owner)
        if broker := self._given.broker_setup:
            self._broker.append(self._topology(broker, opts))

    def _job(self, job: str, image: str) -> Any:
        """What every job is given: its image out of a mirror, where there is one."""
        return {
            "job": job,
            "image": mirrored(image, self._settings.platform.images),
            "system": self._system.name,
            "namespace": self._platform.namespace,
            "priority_class": self._platform.priorities.jobs,
        }

    def _role(self, setup: DatabaseSetup, opts: pulumi.ResourceOptions) -> DatabaseRole:
        args: Any = {
            **self._job("database-role", PSQL),
            "database": {"host": setup.host, "database": self._system.database.name},
            "administrator": self._secret(setup.administrator),
            "role": setup.role,
            "members": list(setup.members),
            "reaches": {"database": self._given.database.reached},
        }
        if setup.password:
            args["password"] = self._secret(setup.password)
        if setup.revision:
            args["revision"] = setup.revision
        return DatabaseRole(f"{self._name}-database-role", args, opts)

    def _tidy(self, owner: Credentials) -> None:
        database = self._given.database
        args: Any = {
            **self._job("database-upkeep", PSQL),
            "database": {
                "host": {**database.environment, **database.direct}["DB_HOST"],
                "database": self._system.database.name,
            },
            "credentials": self._secret(owner),
            "reaches": {"database": database.reached},
        }
        DatabaseUpkeep(f"{self._name}-database-upkeep", args, self._platform.opts(*self._database))

    def _topology(self, setup: BrokerSetup, opts: pulumi.ResourceOptions) -> BrokerTopology:
        args: Any = {
            # With a name of its own for each password, so that its Secret is made out of the newest one.
            **self._job("-".join(["broker-topology", *([f"v{setup.revision}"] if setup.revision else [])]), PYTHON),
            "definitions": dict(setup.definitions),
            "administrator": self._secret(setup.administrator),
            "application": self._secret(setup.application),
            "reaches": {"broker": setup.reached},
        }
        if setup.revision:
            args["revision"] = setup.revision
        if setup.authority:
            args["authority"] = self._secret(setup.authority)
        return BrokerTopology(f"{self._name}-broker-topology", args, opts)

    def _migrate(self, name: str, service: Service, args: KubernetesServiceArgs) -> list[pulumi.Resource]:
        """Migrations of a service's database, which go before the service."""
        commands = service.migrations
        if not commands or self._settings.is_standby:  # whose database follows another one
            return []
        database = self._given.database
        shared = ("service", "system", "namespace", "image", "pull_secret")
        job: Any = {
            **{key: value for key, value in args.items() if key in shared},
            "up": list(commands.up),
            "down": list(commands.down),
            "environment": {**self._told(name, service, [database]), **database.direct, **service.environment},
            "secrets": self._secrets(service, [database]),
            "reaches": {"database": database.reached},
            "priority_class": self._platform.priorities.jobs,
        }
        opts = self._platform.opts(*self._database)
        migrations = Migrations(f"{self._name}-{name}-migrations", job, opts)
        return [migrations]

    def _service(self, name: str, service: Service) -> KubernetesService:
        args: Any = {
            **plain_args(self._system, self._settings.images.registry or self._system.registry, name),
            "namespace": self._platform.namespace,
            "environment": {**self._environment(name, service), **service.environment},
            "secrets": self._secrets(service, self._links(service).values()),
            "reaches": self._reaches(name, service),
            "reached_by": {
                caller: {"ports": [service.port], "pods": self._pods(caller)} for caller in self._system.callers(name)
            },
            "priority_class": self._platform.priorities.services,
        }
        if annotations := self._platform.annotations(name):
            args["service_account_annotations"] = annotations
        if self._pull_secret is not None:
            args["pull_secret"] = self._pull_secret
        if "route" in args:
            args["route"] = self._routed(args["route"], self._platform.gateway)
        after = [
            *(self._database if service.database else []),
            *(self._broker if service.broker else []),
            *self._migrate(name, service, args),
        ]
        return KubernetesService(f"{self._name}-{name}", args, self._platform.opts(*after, as_=name))

    def _routed(self, route: Mapping[str, Any], gateway: KubernetesGateway | None) -> ServiceRoute:
        """A service's route with the gateway that it leads through."""
        if gateway is None:
            raise AssertionError("a service has a route, and the cluster no gateway")
        args: Any = {
            **route,
            "gateway": gateway.gateway,
            "gateway_namespace": gateway.namespace,
            "gateway_pods": gateway.pods,
        }
        if "*" in gateway.listeners:
            # Where something in front of it has the hosts' certificates, one listener is for all of them.
            args["listener"] = gateway.listeners["*"]
        return args

    def _pods(self, service: str) -> dict[str, str]:
        """Labels by which the pods of a service are found."""
        return pods_of(service, self._system.name)

    def _links(self, service: Service) -> dict[str, Link]:
        """What a service is connected to."""
        given = self._given
        used = {
            "database": given.database if service.database else None,
            "cache": given.cache if service.cache else None,
            "broker": given.broker if service.broker else None,
        }
        return {what: link for what, link in used.items() if link}

    def _told(self, name: str, service: Service, links: Iterable[Link]) -> dict[str, Text]:
        """What a service's image is told of itself, and of what it is connected to."""
        told: dict[str, Text] = {
            "APP_ENV": self._settings.profile.running.environment,
            "LOG_FORMAT": "json",
            "LOG_LEVEL": self._system.log_level.value,
            "METRICS_PORT": str(service.metrics_port),
            "SERVER_PORT": str(service.port),
            "SERVICE_NAME": name,
        }
        for link in links:
            told |= link.environment
        return told

    def _environment(self, name: str, service: Service) -> dict[str, Text]:
        told = self._told(name, service, self._links(service).values())
        for kind, named, used in (
            ("EXCHANGE", self._given.exchanges, service.publishes),
            ("QUEUE", self._given.queues, service.consumes),
            ("STORE", self._given.stores, dict.fromkeys((*service.reads, *service.appends))),
        ):
            told |= {f"{kind}_{Secret.variable(each)}": named[each] for each in used}
        for other in service.calls:
            told[f"{Secret.variable(other)}_URL"] = f"http://{other}:{self._system.services[other].port}"
        return told

    def _secrets(self, service: Service, links: Iterable[Link]) -> dict[str, ServiceSecret]:
        """A service's own secrets, and what signs it in to what it is connected to."""
        secrets = {
            purpose: self._secret(credentials) for link in links for purpose, credentials in link.credentials.items()
        }
        for name in service.secrets:
            variable, sealed = Secret.variable(name), self._system.secrets[name].sealed
            if sealed:
                secrets[name] = {"variables": {variable: SECRET_KEY}, "sealed": {SECRET_KEY: sealed}}
            else:
                secrets[name] = self._secret(Credentials(self._given.secrets[name], {variable: SECRET_KEY}))
        return secrets

    def _reaches(self, name: str, service: Service) -> dict[str, Peer]:
        reaches = {what: link.reached for what, link in self._links(service).items()}
        for other in service.calls:
            reaches[other] = {"ports": [self._system.services[other].port], "pods": self._pods(other)}
        reaches |= self._given.cloud.get(name, {})
        if service.internet:
            reaches["internet"] = {"ports": [443], "cidrs": ["0.0.0.0/0"]}
        return reaches
