"""The `kubernetes` section of a stack file: what only an environment without a cloud has, in an existing cluster."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Annotated, Any

from pydantic import Field

from components.network.subnets import parse_network
from components.platform.gateway import Exposure
from components.problems import MISSING, Problem

from ..model import Part, System, Tier
from ..platform import AddOn, always_installed
from ..shapes import Address, Block, ObjectName, is_ipv4, object_name_problem
from ..tiers import PROFILES

REQUIRED = ("cluster",)
"""Keys of a stack file that it cannot do without."""
_NO_CLOUD = "an existing cluster stands in no cloud"
REFUSED: Mapping[str, str] = {
    "region": _NO_CLOUD,
    "recoveryRegion": _NO_CLOUD,
    "primaryRegion": _NO_CLOUD,
    "network": "an existing cluster has its network",
    "nodes": "an existing cluster has its nodes",
    "backup": "what stands in the cluster is not backed up",
    "aws": _NO_CLOUD,
    "gcp": _NO_CLOUD,
}
"""Keys that mean nothing there, each with the reason."""
STAND_INS: Mapping[str, Any] = {}
"""What stands for required values that do not fit: there are none."""
ADD_ONS = frozenset({AddOn.GATEWAY, AddOn.CERTIFICATES, AddOn.SEALED_SECRETS, AddOn.METRICS, AddOn.RELOADS})
"""Add-ons that may be installed there: what the others do is a cloud's."""

_IN_THE_CLUSTER = {
    "database": ("name", "version", "storageGb"),
    "cache": ("eviction",),
    "broker": ("exchanges", "queues"),
}
"""What of each part what runs in the cluster goes by."""


class AddressSection(Part):
    """Something that runs elsewhere, and how services get there."""

    host: Address
    """Its host name, or its address."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """TCP port."""
    cidr: Block
    """IPv4 block in which it stands: nothing else is open to services."""
    secret: ObjectName
    """Name of the Kubernetes Secret in the environment's namespace that has `username` and `password`. Whoever runs it
    puts that there."""
    tls: bool = True
    """Whether it is spoken to over TLS."""


class BrokerSection(AddressSection):
    """A message broker that runs elsewhere."""

    virtual_host: str = "/"
    """Virtual host of the system. Whoever runs it makes its exchanges and queues."""


class Section(Part):
    """The `kubernetes` section of a stack file."""

    database: AddressSection | None = None
    """The database, where it runs elsewhere. Default: in the cluster, which dev alone may."""
    cache: AddressSection | None = None
    """The cache, where it runs elsewhere. Default: in the cluster, which dev alone may."""
    broker: BrokerSection | None = None
    """The broker, where it runs elsewhere. Default: in the cluster, which dev alone may."""
    storage_class: ObjectName | None = None
    """Storage class of what runs in the cluster. Default: the cluster's own."""
    exposure: Exposure = Exposure.LOAD_BALANCER
    """How the gateway is reached."""
    any_kubelet: bool = False
    """Whether certificates that kubelets gave themselves are taken, as clusters on a laptop have them."""


def installed(values: Mapping[str, Any], section: Section, system: System) -> set[AddOn]:
    """The add-ons that the cluster gets, unless it has them."""
    return always_installed(system) | {AddOn.METRICS}


def gateway_has_hosts(section: Section) -> bool:
    """Whether the gateway itself has the hosts' certificates."""
    return True


def longest_name(system: System) -> int:
    """The most characters of an environment's name, which its namespace has: a DNS label, with room for what is named
    after it in the cluster."""
    return 63 - len("-services")


def problems(values: Mapping[str, Any], section: Section, system: System | None) -> list[Problem]:
    """What is wrong in the section, with what else the stack file says, and with the system there."""
    found = [*_elsewhere(section), *_pull_secret(values)]
    return [*found, *_problems(values, section, system)] if system else found


def _elsewhere(section: Section) -> Iterator[Problem]:
    """Addresses that nobody gets to, since they stand outside of the block that is open."""
    for part in _IN_THE_CLUSTER:
        given: AddressSection | None = getattr(section, part)
        if given and is_ipv4(given.host) and IPv4Address(given.host) not in parse_network(given.cidr):
            remedy = f"is not in cidr={given.cidr}, and services get to that alone; give a block that has the address"
            yield Problem(f"kubernetes.{part}.host", given.host, remedy)


def _pull_secret(values: Mapping[str, Any]) -> Iterator[Problem]:
    images = values.get("images")
    given = images.get("pullSecret") if isinstance(images, dict) else None
    if isinstance(given, str) and (remedy := object_name_problem(given)):
        yield Problem("images.pullSecret", given, remedy)


def _problems(values: Mapping[str, Any], section: Section, system: System) -> Iterator[Problem]:
    tier = next((tier for tier in Tier if tier.value == values.get("tier")), Tier.DEV)
    for part, kept in _IN_THE_CLUSTER.items():
        given = values.get(part)
        for key, value in (given if isinstance(given, dict) else {}).items():
            if key not in kept or getattr(section, part):
                where = "what runs elsewhere" if getattr(section, part) else "what runs in the cluster"
                yield Problem(f"{part}.{key}", value, f"has no effect on {where}; leave it out")
    for part, needed in (("database", True), ("cache", True), ("broker", system.has_broker)):
        if not needed and getattr(section, part):
            yield Problem(f"kubernetes.{part}", MISSING, f"{system.name} has none; leave it out")
        elif needed and PROFILES[tier].durable and not getattr(section, part):
            remedy = f"{tier.value} needs one that outlives the cluster; give its address, or choose aws or gcp"
            yield Problem(f"kubernetes.{part}", MISSING, remedy)
    if system.stores:
        remedy = f"{system.name} has stores of objects, which an existing cluster has not; choose aws or gcp"
        yield Problem("cloud", "kubernetes", remedy)
    for name, service in system.services.items():
        if service.keeps_credentials or service.uses_credentials or service.reports_metrics:
            remedy = f"{name} needs a cloud's secret store or monitoring; choose aws or gcp"
            yield Problem("cloud", "kubernetes", remedy)
    for name in system.generated_secrets:
        if PROFILES[tier].durable:
            how = "`kubeseal --raw --scope namespace-wide`"
            remedy = f"{tier.value} keeps no secret in the stack's state; seal it with {how}"
            yield Problem(f"secrets.{name}.sealed", MISSING, remedy)


def warnings(section: Section, own_cluster: bool) -> list[str]:
    """What may be wrong."""
    return []
