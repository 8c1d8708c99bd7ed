"""The cluster of an environment, and what it has before services run in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.contracts import Cluster
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

from ..platform import AddOn
from ..settings import Settings

Text = pulumi.Input[str]
"""Text, or an output that will be."""


def cluster_provider(name: str, settings: Settings, own: Cluster | None = None) -> kubernetes.Provider:
    """The provider of the cluster that the settings name, or else of the environment's own."""
    existing = settings.cluster
    if own is None and existing is None:
        raise AssertionError("an environment has neither a cluster of its own nor one that exists")
    return kubernetes.Provider(
        f"{name}-cluster",
        kubeconfig=own.kubeconfig if own else existing and existing.kubeconfig,
        context=existing.context if existing and not own else None,
        # Whatever its address or its file says later, this is the cluster: another one for it replaces nothing.
        cluster_identifier=own.cluster_name if own else f"{name}-cluster",
        # Else a change of one would delete it first, and with it replace all pods that read it at once.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        # Nodes are there before pods want to run, and until what these have made in the cloud is gone.
        opts=pulumi.ResourceOptions(depends_on=[own]) if isinstance(own, pulumi.Resource) else None,
    )


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
    drain_seconds: int = 30
    """How long what is in front of it may send connections to a proxy that leaves."""
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels by which what is in front of it knows the proxies' namespace."""


@dataclass(frozen=True)
class Ground:
    """What an environment gives to its cluster."""

    provider: pulumi.ProviderResource
    """The cluster."""
    exposed: Exposed
    """How the gateway is reached."""
    identities: Mapping[str, pulumi.Resource] = field(default_factory=dict)
    """Who services and add-ons are to the cloud, by their names: there before their pods are."""
    annotations: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    """By which the cloud knows service accounts, by service or add-on."""
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


class Platform:
    """What a cluster has before services run in it. It is there before the first of them, and leaves after the last."""

    namespace: pulumi.Output[str]
    """The system's namespace."""
    priorities: KubernetesPriorityClasses
    """How much its pods matter."""
    secret_store: pulumi.Output[str] | None
    """Name of what brings secrets from the cloud's store, where there is one."""
    gateway: KubernetesGateway | None
    """The gateway, where anything is reached from outside."""

    def __init__(self, settings: Settings, ground: Ground):
        self._settings, self._ground, self._name = settings, ground, settings.name
        self._first: list[pulumi.Resource] = []
        self.priorities = KubernetesPriorityClasses(self._name, {}, self._opts())
        self._first += self._load_balancers()
        self._ready = [*self._first, *self._add_ons()]
        self._space()

    @property
    def _routed(self) -> bool:
        """Whether anything is reached from outside."""
        return any(service.route for service in self._settings.system.services.values())

    def _wanted(self, add_on: AddOn) -> bool:
        """Whether an add-on is to be installed: the cluster has it not already."""
        return add_on not in self._settings.platform.provided

    def _opts(self, *after: pulumi.Resource, as_: str = "") -> pulumi.ResourceOptions:
        """Options of what is in the cluster, waits for others, and is somebody to the cloud."""
        who = self._ground.identities.get(as_)
        awaited = [*self._first, *after, *([who] if who else [])]
        return pulumi.ResourceOptions(provider=self._ground.provider, depends_on=awaited)

    def _args(self, add_on: AddOn, ranked: bool = True, copies: bool = True) -> Any:
        """What an add-on is given wherever it is: with a rank among pods, unless it takes the highest itself, and as
        many copies as the tier wants, unless there may be only one."""
        charts, annotations = self._settings.platform.charts, self._ground.annotations.get(add_on.value)
        return {
            **({"mirror": charts} if charts else {}),
            "images": dict(self._settings.platform.images),
            **({"service_account_annotations": dict(annotations)} if annotations else {}),
            **({"priority_class": self.priorities.services} if ranked else {}),
            **({"replicas": 1} if copies and not self._settings.profile.highly_available else {}),
        }

    def _load_balancers(self) -> list[pulumi.Resource]:
        """First of all: its webhook is asked about every Service that is made after it."""
        told, made = self._ground.load_balancers, list[pulumi.Resource]()
        if not told or not self._wanted(AddOn.LOAD_BALANCERS):
            return made
        args: Any = {**self._args(AddOn.LOAD_BALANCERS, ranked=False), **told}
        opts = self._opts(as_=AddOn.LOAD_BALANCERS.value)
        made.append(AwsLoadBalancerController(f"{self._name}-load-balancers", args, opts))
        return made

    def _add_ons(self) -> list[pulumi.Resource]:
        name, ground, made = self._name, self._ground, list[pulumi.Resource]()
        args: Any
        if ground.nodes and self._wanted(AddOn.NODES):
            args = {**self._args(AddOn.NODES, ranked=False), **ground.nodes}
            made.append(ClusterAutoscaler(f"{name}-nodes", args, self._opts(as_=AddOn.NODES.value)))
        if ground.measures and self._wanted(AddOn.METRICS):
            args = {**self._args(AddOn.METRICS, ranked=False), "any_kubelet": ground.any_kubelet}
            made.append(MetricsServer(f"{name}-metrics", args, self._opts()))
        if ground.secret_store and self._wanted(AddOn.SECRETS):
            args = {**self._args(AddOn.SECRETS), "provider": ground.secret_store}
            made.append(ExternalSecrets(f"{name}-external-secrets", args, self._opts(as_=AddOn.SECRETS.value)))
        if ground.storage:
            made.append(KubernetesStorageClass(f"{name}-encrypted", ground.storage, self._opts()))
        gateway = list[pulumi.Resource]()
        if self._routed and self._wanted(AddOn.GATEWAY):
            args = self._args(AddOn.GATEWAY)
            if labels := ground.exposed.namespace_labels:
                args["namespace_labels"] = dict(labels)
            gateway.append(EnvoyGateway(f"{name}-gateways", args, self._opts()))
        if self._wanted(AddOn.CERTIFICATES):
            # It reads the kinds of gateways when it starts, and then no more.
            certificates = CertManager(f"{name}-certificates", self._certificates(), self._opts(*gateway))
            gateway.append(certificates)
        if ground.dns and self._found and self._wanted(AddOn.DNS):
            made.append(self._records(ground.dns, gateway))
        return [*made, *gateway]

    @property
    def _public(self) -> bool:
        """Whether the world sees the gateway's certificates."""
        return self._found and self._ground.exposed.seen

    @property
    def _found(self) -> bool:
        """Whether the hosts' names lead here: they lead to the primary as long as this is its standby."""
        return bool(self._settings.system.hosts) and not self._settings.is_standby

    def _certificates(self) -> CertManagerArgs:
        args: CertManagerArgs = self._args(AddOn.CERTIFICATES)
        if self._public:
            args["acme"] = {"gateway": self._name, "gateway_namespace": GATEWAY_NAMESPACE}
            if contact := self._settings.platform.contact:
                args["acme"]["email"] = contact
        return args

    @property
    def _certificate_seconds(self) -> int:
        """How long the gateway's certificates are waited for: for those of the CA inside not long, and for those of the
        world until names lead here. Where nobody keeps records, somebody makes them by hand who has yet to learn of
        this very run what the gateway's address is."""
        if not self._public:
            return 300
        return 1800 if self._ground.dns or not self._wanted(AddOn.DNS) else 0

    def _records(self, provider: DnsProvider, after: list[pulumi.Resource]) -> ExternalDns:
        args: Any = {
            **self._args(AddOn.DNS, copies=False),
            "provider": provider,
            "domains": self._settings.system.hosts,
            "owner": self._name,
            "gateway_namespace": GATEWAY_NAMESPACE,
        }
        return ExternalDns(f"{self._name}-dns", args, self._opts(*after, as_=AddOn.DNS.value))

    def _space(self) -> None:
        """The system's namespace, and what is there before its services."""
        name, ground, people = self._name, self._ground, self._settings.platform
        labels = {
            "app.kubernetes.io/part-of": self._settings.system.name,
            "app.kubernetes.io/managed-by": "plinth",
            # By which policies tell what is demanded, where no cloud's tags say so.
            "plinth/tier": self._settings.tier.value,
            **({"plinth/decommission": "true"} if self._settings.decommission else {}),
        }
        space = KubernetesNamespace(name, {"labels": labels}, self._opts(*self._ready))
        self.namespace = space.namespace
        if people.viewers or people.operators:
            KubernetesAccess(
                name,
                {
                    "namespace": space.namespace,
                    "viewers": list(people.viewers),
                    "operators": list(people.operators),
                    "exec": people.operators_exec,
                },
                self._opts(),
            )
        self.secret_store = None
        if ground.secret_store:
            self.secret_store = ExternalSecretStore(
                name, {"namespace": space.namespace, "provider": ground.secret_store}, self._opts()
            ).store
        self._before: list[pulumi.Resource] = [space]
        within = {"namespaces": [space.namespace]}
        if self._wanted(AddOn.SEALED_SECRETS):
            args: Any = {**self._args(AddOn.SEALED_SECRETS, copies=False), **within}
            self._before.append(SealedSecrets(f"{name}-sealed-secrets", args, self._opts()))
        if self._wanted(AddOn.RELOADS):
            args = {**self._args(AddOn.RELOADS), **within}
            self._before.append(Reloader(f"{name}-reloader", args, self._opts()))
        # What runs need not wait for its certificates, and a route waits for the gateway by its name.
        self.gateway = self._made_gateway()

    def opts(self, *after: pulumi.Resource, as_: str = "") -> pulumi.ResourceOptions:
        """Options of what runs in the namespace, waits for others, and is somebody to the cloud."""
        return self._opts(*self._before, *after, as_=as_)

    def annotations(self, name: str) -> dict[str, Text]:
        """By which the cloud knows a service account."""
        return dict(self._ground.annotations.get(name, {}))

    def _made_gateway(self) -> KubernetesGateway | None:
        """The gateway, where anything is reached from outside."""
        if not self._routed:
            return None
        exposed, system = self._ground.exposed, self._settings.system
        args: KubernetesGatewayArgs = {
            "namespace": GATEWAY_NAMESPACE,
            "gateway_class": GATEWAY_CLASS,
            "hosts": system.hosts if exposed.seen else [],
            "issuer": ACME_ISSUER if self._public else INTERNAL_ISSUER,
            "service": exposed.service,
            "routes_from": [self._name],
            "backend_ports": sorted({service.port for service in system.services.values() if service.route}),
            "https_port": exposed.https_port,
            "http_port": exposed.http_port,
            "trusted_hops": exposed.trusted_hops,
            "proxy_protocol": exposed.proxy_protocol,
            "drain_seconds": exposed.drain_seconds,
            "certificate_seconds": self._certificate_seconds,
            "priority_class": self.priorities.services,
            "images": dict(self._settings.platform.images),
        }
        if not self._settings.profile.highly_available:
            args["replicas"] = args["max_replicas"] = 1
        return KubernetesGateway(self._name, args, self._opts(*self._ready))
