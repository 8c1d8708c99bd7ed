"""What runs in a cluster: what services need there, then the services, by the same code wherever the cluster is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.platform.access import KubernetesAccess
from components.platform.autoscaling import ClusterAutoscaler
from components.platform.certificates import ACME_ISSUER, INTERNAL_ISSUER, CertManager, CertManagerArgs
from components.platform.dns import DnsProvider, ExternalDns
from components.platform.gateway import CLASS as GATEWAY_CLASS
from components.platform.gateway import NAMESPACE as GATEWAY_NAMESPACE
from components.platform.gateway import EnvoyGateway, GatewayService, KubernetesGateway, KubernetesGatewayArgs
from components.platform.load_balancer import AwsLoadBalancerController
from components.platform.metrics import MetricsServer
from components.platform.namespace import KubernetesNamespace
from components.platform.priority import KubernetesPriorityClasses
from components.platform.reloader import Reloader
from components.platform.secrets import ExternalSecrets, ExternalSecretStore, SealedSecrets, SecretStoreProvider
from components.platform.storage import KubernetesStorageClass, StorageClassArgs
from components.platform.traffic import Peer
from components.service.broker_topology import BrokerTopology
from components.service.database_role import DatabaseRole
from components.service.database_upkeep import DatabaseUpkeep
from components.service.kubernetes import KubernetesService, KubernetesServiceArgs
from components.service.migrations import Migrations
from components.service.route import ServiceRoute
from components.service.secrets import ServiceSecret

from ..model import Secret, Service
from ..platform import AddOn
from ..settings import Settings

Text = pulumi.Input[str]
"""Text, or an output that will be."""
SECRET_KEY = "value"  # noqa: S105
"""The property in which a generated secret has its value."""


@dataclass(frozen=True)
class Credentials:
    """What signs somebody in: a secret, and the environment variables that its properties become."""

    reference: Text
    """Key in the cloud's secret store. Where no cloud is: name of a Kubernetes Secret."""
    variables: Mapping[str, str]
    """Property by environment variable."""


@dataclass(frozen=True)
class Link:
    """How services get at something, and sign in to it."""

    environment: Mapping[str, Text]
    """What they are told of it, by environment variable."""
    reached: Peer
    """Where it is."""
    credentials: Credentials | None = None
    """What signs them in. None: they are who they are."""
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
    root_certificate: Text | None = None
    """Who vouches for the console. None: somebody whom the world knows."""


@dataclass(frozen=True)
class Exposed:
    """How the gateway is reached from outside the cluster."""

    service: GatewayService
    """What stands in front of its proxies."""
    https_port: int = 443
    """Where it answers over TLS."""
    http_port: int = 80
    """Where it sends others to that; 0 for nowhere."""
    seen: bool = True
    """Whether clients see its certificate. Else something in front of it shows them another one."""
    trusted_hops: int = 0
    """Addresses that what is in front of it adds to a request's `X-Forwarded-For`."""
    proxy_protocol: bool = False
    """Whether what is in front of it says by PROXY protocol who connects."""


@dataclass(frozen=True)
class Ground:
    """What an environment gives to what runs in its cluster."""

    provider: pulumi.ProviderResource
    """The cluster."""
    database: Link
    """The database."""
    cache: Link
    """The cache."""
    exposed: Exposed
    """How the gateway is reached."""
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
    cloud: Mapping[str, Mapping[str, Peer]] = field(default_factory=dict)
    """Where each service reaches the cloud, by its name: its APIs, and what signs it in there."""
    annotations: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    """By which the cloud knows service accounts, by service or add-on."""
    identities: Mapping[str, pulumi.Resource] = field(default_factory=dict)
    """Who services and add-ons are to the cloud, by their names: there before their pods are."""
    secret_store: SecretStoreProvider | None = None
    """The cloud's secret store."""
    dns: DnsProvider | None = None
    """Where the records of host names are made."""
    storage: StorageClassArgs | None = None
    """The default class of volumes. None: the cluster's own."""
    load_balancers: Mapping[str, Any] = field(default_factory=dict)
    """What the controller of load balancers is told."""
    nodes: Mapping[str, Any] = field(default_factory=dict)
    """What the autoscaler of nodes is told."""
    measures: bool = True
    """Whether the cluster needs somebody who measures pods."""
    any_kubelet: bool = False
    """Whether certificates that kubelets gave themselves are taken."""
    database_setup: DatabaseSetup | None = None
    """How the application's role is made. None: whoever runs the database has done so."""
    broker_setup: BrokerSetup | None = None
    """How exchanges and queues are made. None: they are made otherwise."""
    before: tuple[pulumi.Resource, ...] = ()
    """What else is there before services."""


class Platform:
    """What a cluster has before services run in it. It is there before the first of them, and leaves after the last:
    whatever is in a namespace of ours comes after it."""

    def __init__(self, settings: Settings, ground: Ground):
        self._settings, self._ground, self._name = settings, ground, settings.name
        self._first: list[pulumi.Resource] = []
        self._first += self._load_balancers()
        self.ready: list[pulumi.Resource] = [*self._first, *self._add_ons()]
        self._gateway: KubernetesGateway | None = None

    @property
    def _routed(self) -> bool:
        """Whether anything is reached from outside."""
        return any(service.route for service in self._settings.system.services.values())

    def wanted(self, add_on: AddOn) -> bool:
        """Whether an add-on is to be installed: the cluster has it not already."""
        return add_on not in self._settings.platform.provided

    def opts(self, *after: pulumi.Resource, as_: str = "") -> pulumi.ResourceOptions:
        """Options of what is in the cluster, waits for others, and is somebody to the cloud."""
        who = self._ground.identities.get(as_)
        awaited = [*self._first, *after, *([who] if who else [])]
        return pulumi.ResourceOptions(provider=self._ground.provider, depends_on=awaited)

    def common(self, add_on: AddOn | None = None) -> Any:
        """What an add-on is given wherever it is."""
        charts = self._settings.platform.charts
        annotations = self._ground.annotations.get(add_on.value) if add_on else None
        return {
            **({"mirror": charts} if charts else {}),
            **({"service_account_annotations": dict(annotations)} if annotations else {}),
        }

    def _load_balancers(self) -> list[pulumi.Resource]:
        """First of all: its webhook is asked about every Service that is made after it."""
        told, made = self._ground.load_balancers, list[pulumi.Resource]()
        if not told or not self.wanted(AddOn.LOAD_BALANCERS):
            return made
        args: Any = {**self.common(AddOn.LOAD_BALANCERS), **told}
        opts = self.opts(as_=AddOn.LOAD_BALANCERS.value)
        made.append(AwsLoadBalancerController(f"{self._name}-load-balancers", args, opts))
        return made

    def _add_ons(self) -> list[pulumi.Resource]:
        name, ground, made = self._name, self._ground, list[pulumi.Resource]()
        args: Any
        if ground.nodes and self.wanted(AddOn.NODES):
            args = {**self.common(AddOn.NODES), **ground.nodes}
            made.append(ClusterAutoscaler(f"{name}-nodes", args, self.opts(as_=AddOn.NODES.value)))
        if ground.measures and self.wanted(AddOn.METRICS):
            args = {**self.common(), "any_kubelet": ground.any_kubelet}
            made.append(MetricsServer(f"{name}-metrics", args, self.opts()))
        if ground.secret_store and self.wanted(AddOn.SECRETS):
            args = {**self.common(AddOn.SECRETS), "provider": ground.secret_store}
            made.append(ExternalSecrets(f"{name}-external-secrets", args, self.opts(as_=AddOn.SECRETS.value)))
        if ground.storage:
            made.append(KubernetesStorageClass(f"{name}-encrypted", ground.storage, self.opts()))
        gateway = list[pulumi.Resource]()
        if self._routed and self.wanted(AddOn.GATEWAY):
            gateway.append(EnvoyGateway(f"{name}-gateways", self.common(), self.opts()))
        if self.wanted(AddOn.CERTIFICATES):
            # It reads the kinds of gateways when it starts, and then no more.
            certificates = CertManager(f"{name}-certificates", self._certificates(), self.opts(*gateway))
            gateway.append(certificates)
        if ground.dns and self._settings.system.hosts and self.wanted(AddOn.DNS):
            made.append(self._records(ground.dns, gateway))
        return [*made, *gateway]

    @property
    def public(self) -> bool:
        """Whether the world sees the gateway's certificates."""
        return bool(self._settings.system.hosts) and self._ground.exposed.seen

    def _certificates(self) -> CertManagerArgs:
        args: CertManagerArgs = self.common()
        if self.public:
            args["acme"] = {"gateway": self._name, "gateway_namespace": GATEWAY_NAMESPACE}
            if contact := self._settings.platform.contact:
                args["acme"]["email"] = contact
        return args

    def _records(self, provider: DnsProvider, after: list[pulumi.Resource]) -> ExternalDns:
        args: Any = {
            **self.common(AddOn.DNS),
            "provider": provider,
            "domains": self._settings.system.hosts,
            "owner": self._name,
            "gateway_namespace": GATEWAY_NAMESPACE,
        }
        return ExternalDns(f"{self._name}-dns", args, self.opts(*after, as_=AddOn.DNS.value))

    def gateway(self, routes_from: str) -> KubernetesGateway | None:
        """The gateway, where anything is reached from outside."""
        if not self._routed:
            return None
        exposed, system = self._ground.exposed, self._settings.system
        args: KubernetesGatewayArgs = {
            "namespace": GATEWAY_NAMESPACE,
            "gateway_class": GATEWAY_CLASS,
            "hosts": system.hosts,
            "issuer": ACME_ISSUER if self.public else INTERNAL_ISSUER,
            "service": exposed.service,
            "routes_from": [routes_from],
            "backend_ports": sorted({service.port for service in system.services.values() if service.route}),
            "https_port": exposed.https_port,
            "http_port": exposed.http_port,
            "trusted_hops": exposed.trusted_hops,
            "proxy_protocol": exposed.proxy_protocol,
        }
        if not self._settings.profile.highly_available:
            args["replicas"] = args["max_replicas"] = 1
        return KubernetesGateway(self._name, args, self.opts(*self.ready))


class Workloads:
    """The platform of an environment's cluster, and the system's services on it."""

    def __init__(self, settings: Settings, ground: Ground):
        self._settings, self._system, self._name = settings, settings.system, settings.name
        self._ground = ground
        self._platform = Platform(settings, ground)
        self._space()
        self._set_up()
        self._services = {name: self._service(name, service) for name, service in self._system.services.items()}

    def outputs(self) -> dict[str, Any]:
        """Where services are."""
        return {
            "namespace": self._namespace,
            "serviceUrls": {name: service.url for name, service in self._services.items()},
        }

    def _space(self) -> None:
        """The system's namespace, and what is there before its services."""
        name, ground, platform = self._name, self._ground, self._platform
        labels = {"app.kubernetes.io/part-of": self._system.name, "app.kubernetes.io/managed-by": "plinth"}
        space = KubernetesNamespace(name, {"labels": labels}, platform.opts(*platform.ready))
        self._namespace = space.namespace
        self._before: list[pulumi.Resource] = [space, *ground.before]
        priorities = KubernetesPriorityClasses(name, {}, platform.opts())
        self._priority, self._job_priority = priorities.services, priorities.jobs
        people = self._settings.platform
        if people.viewers or people.operators:
            KubernetesAccess(
                name,
                {"namespace": space.namespace, "viewers": list(people.viewers), "operators": list(people.operators)},
                platform.opts(),
            )
        self._store = None
        if ground.secret_store:
            self._store = ExternalSecretStore(
                name, {"namespace": space.namespace, "provider": ground.secret_store}, platform.opts()
            ).store
        watched: Any = {**platform.common(), "namespaces": [space.namespace]}
        if platform.wanted(AddOn.SEALED_SECRETS):
            self._before.append(SealedSecrets(f"{name}-sealed-secrets", watched, platform.opts()))
        if platform.wanted(AddOn.RELOADS):
            self._before.append(Reloader(f"{name}-reloader", watched, platform.opts()))
        self._gateway = platform.gateway(name)
        if self._gateway:
            self._before.append(self._gateway)

    def _secret(self, credentials: Credentials) -> ServiceSecret:
        """A secret, brought from the cloud's store, or out of the namespace itself where there is none."""
        variables = dict(credentials.variables)
        if self._store is None:
            return {"variables": variables, "existing": credentials.reference}
        return {"variables": variables, "external": {"store": self._store, "key": credentials.reference}}

    def _set_up(self) -> None:
        """Jobs that set up what services use, and keep it in order."""
        self._database: list[pulumi.Resource] = []
        self._broker: list[pulumi.Resource] = []
        opts = self._platform.opts(*self._before)
        if setup := self._ground.database_setup:
            self._database.append(self._role(setup, opts))
            self._tidy(setup, self._platform.opts(*self._before, *self._database))
        if broker := self._ground.broker_setup:
            self._broker.append(self._topology(broker, opts))

    def _job(self, job: str) -> Any:
        """What every job is given."""
        return {
            "job": job,
            "system": self._system.name,
            "namespace": self._namespace,
            "priority_class": self._job_priority,
        }

    def _role(self, setup: DatabaseSetup, opts: pulumi.ResourceOptions) -> DatabaseRole:
        args: Any = {
            **self._job("database-role"),
            "database": {"host": setup.host, "database": self._system.database.name},
            "administrator": self._secret(setup.administrator),
            "role": setup.role,
            "members": list(setup.members),
            "reaches": {"database": self._ground.database.reached},
        }
        if setup.password:
            args["password"] = self._secret(setup.password)
        if setup.revision:
            args["revision"] = setup.revision
        return DatabaseRole(f"{self._name}-database-role", args, opts)

    def _tidy(self, setup: DatabaseSetup, opts: pulumi.ResourceOptions) -> None:
        credentials = self._ground.database.credentials
        if credentials is None:
            raise AssertionError("a database that is set up has credentials")
        variables = {"PGPASSWORD": "password", "PGUSER": "username"}
        args: Any = {
            **self._job("database-upkeep"),
            "database": {"host": setup.host, "database": self._system.database.name},
            "credentials": self._secret(Credentials(credentials.reference, variables)),
            "reaches": {"database": self._ground.database.reached},
        }
        DatabaseUpkeep(f"{self._name}-database-upkeep", args, opts)

    def _topology(self, setup: BrokerSetup, opts: pulumi.ResourceOptions) -> BrokerTopology:
        args: Any = {
            **self._job("broker-topology"),
            "definitions": dict(setup.definitions),
            "administrator": self._secret(setup.administrator),
            "application": self._secret(setup.application),
            "reaches": {"broker": setup.reached},
        }
        if setup.revision:
            args["revision"] = setup.revision
        if setup.root_certificate is not None:
            args["root_certificate"] = setup.root_certificate
        return BrokerTopology(f"{self._name}-broker-topology", args, opts)

    def _migrate(self, name: str, service: Service, args: KubernetesServiceArgs) -> list[pulumi.Resource]:
        """Migrations of a service's database, which go before the service."""
        commands = service.migrations
        if not commands or self._settings.is_standby:  # whose database follows another one
            return []
        shared = ("service", "system", "namespace", "image", "pull_secret", "secrets")
        job: Any = {
            **{key: value for key, value in args.items() if key in shared},
            "up": list(commands.up),
            "down": list(commands.down),
            "environment": {**args.get("environment", {}), **self._ground.database.direct},
            "reaches": {"database": self._ground.database.reached},
            "priority_class": self._job_priority,
        }
        opts = self._platform.opts(*self._before, *self._database)
        migrations = Migrations(f"{self._name}-{name}-migrations", job, opts)
        return [migrations]

    def _service(self, name: str, service: Service) -> KubernetesService:
        running = self._settings.profile.running
        ground, images = self._ground, self._settings.images
        args: KubernetesServiceArgs = {
            "service": name,
            "system": self._system.name,
            "namespace": self._namespace,
            "image": self._image(service),
            "port": service.port,
            "metrics_port": service.metrics_port,
            "resources": service.resources.model_dump(),  # pyright: ignore[reportAssignmentType]
            "live_path": service.live_path,
            "ready_path": service.ready_path,
            "environment": {**self._environment(name, service, running.environment), **service.environment},
            "secrets": self._secrets(service),
            "reaches": self._reaches(name, service),
            "reached_by": {
                caller: {"ports": [service.port], "pods": self._pods(caller)} for caller in self._system.callers(name)
            },
            "priority_class": self._priority,
            "disruption_budget": service.disruption_budget,
        }
        if not service.version.startswith("sha256:"):
            args["version"] = service.version
        if service.scaling:
            args["scaling"] = service.scaling.model_dump()  # pyright: ignore[reportGeneralTypeIssues]
        else:
            args["replicas"] = service.replicas
        if annotations := ground.annotations.get(name):
            args["service_account_annotations"] = dict(annotations)
        if images.pull_secret:
            args["pull_secret"] = images.pull_secret
        if service.route and self._gateway:
            args["route"] = self._route(service, self._gateway)
        after = [
            *self._before,
            *(self._database if service.database else []),
            *(self._broker if service.broker else []),
            *self._migrate(name, service, args),
        ]
        return KubernetesService(f"{self._name}-{name}", args, self._platform.opts(*after, as_=name))

    def _image(self, service: Service) -> str:
        registry = self._settings.images.registry or self._system.registry
        mark = "@" if service.version.startswith("sha256:") else ":"
        return f"{registry}/{service.image}{mark}{service.version}"

    def _route(self, service: Service, gateway: KubernetesGateway) -> ServiceRoute:
        route = service.route
        if route is None:
            raise AssertionError("a service without a route was given one")
        return {
            "host": route.host or "",
            "paths": list(route.paths),
            "requests_per_second": route.requests_per_second,
            "timeout_seconds": route.timeout_seconds,
            "gateway": gateway.gateway,
            "gateway_namespace": gateway.namespace,
            "gateway_pods": gateway.pods,
        }

    def _pods(self, service: str) -> dict[str, str]:
        """Labels by which the pods of a service are found."""
        return {"app.kubernetes.io/name": service, "app.kubernetes.io/part-of": self._system.name}

    def _links(self, service: Service) -> dict[str, Link]:
        """What a service is connected to."""
        ground = self._ground
        used = {
            "database": ground.database if service.database else None,
            "cache": ground.cache if service.cache else None,
            "broker": ground.broker if service.broker else None,
        }
        return {what: link for what, link in used.items() if link}

    def _environment(self, name: str, service: Service, environment: str) -> dict[str, Text]:
        told: dict[str, Text] = {
            "APP_ENV": environment,
            "LOG_FORMAT": "json",
            "LOG_LEVEL": self._system.log_level.value,
            "METRICS_PORT": str(service.metrics_port),
            "SERVER_PORT": str(service.port),
            "SERVICE_NAME": name,
        }
        for link in self._links(service).values():
            told |= link.environment
        for kind, named, used in (
            ("EXCHANGE", self._ground.exchanges, service.publishes),
            ("QUEUE", self._ground.queues, service.consumes),
            ("STORE", self._ground.stores, dict.fromkeys((*service.reads, *service.appends))),
        ):
            told |= {f"{kind}_{Secret.variable(each)}": named[each] for each in used}
        for other in service.calls:
            told[f"{Secret.variable(other)}_URL"] = f"http://{other}:{self._system.services[other].port}"
        return told

    def _secrets(self, service: Service) -> dict[str, ServiceSecret]:
        links = self._links(service)
        secrets = {what: self._secret(link.credentials) for what, link in links.items() if link.credentials}
        for name in service.secrets:
            variable, sealed = Secret.variable(name), self._system.secrets[name].sealed
            if sealed:
                secrets[name] = {"variables": {variable: SECRET_KEY}, "sealed": {SECRET_KEY: sealed}}
            else:
                secrets[name] = self._secret(Credentials(self._ground.secrets[name], {variable: SECRET_KEY}))
        return secrets

    def _reaches(self, name: str, service: Service) -> dict[str, Peer]:
        reaches = {what: link.reached for what, link in self._links(service).items()}
        for other in service.calls:
            reaches[other] = {"ports": [self._system.services[other].port], "pods": self._pods(other)}
        reaches |= self._ground.cloud.get(name, {})
        if service.internet:
            reaches["internet"] = {"ports": [443], "cidrs": ["0.0.0.0/0"]}
        return reaches
