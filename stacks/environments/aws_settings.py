"""What only AWS has of a stack's settings, and the checks that only AWS needs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pulumi_aws.rds import InstanceType
from pydantic import Field

from components.broker.amazonmq import INSTANCE_TYPE as BROKER_TYPE
from components.cache.elasticache import FAMILIES, NODE_TYPE
from components.cache.elasticache import VERSIONS as CACHE_VERSIONS
from components.cluster.eks import SCHEDULE, SCHEDULE_REMEDY, SPOT_TYPES, ClusterGroup, principal_problems
from components.cluster.eks import VERSIONS as KUBERNETES_VERSIONS
from components.database.rds import INSTANCE_CLASS
from components.network.aws import INTERFACE_ENDPOINTS, NatMode
from components.network.subnets import client_block_problem, zone_slot
from components.observability.alarms import has_known_memory
from components.problems import MISSING, Problem, one_of

from ..model import Eviction, Part, Size, System, Tier
from ..platform import AddOn, always_installed
from ..reading import follows_another, regions_of
from ..shapes import shaped
from ..tiers import PROFILES
from .aws_place import REGIONS, AccountId, endpoint_problems, region_problems

INSTANCE_CLASSES = {
    Size.SMALL: "db.t4g.medium",
    Size.MEDIUM: "db.m6g.large",
    Size.LARGE: "db.m6g.2xlarge",
    Size.XLARGE: "db.r6g.4xlarge",
}
BROKER_TYPES = {Tier.DEV: "mq.m7g.medium", Tier.STAGING: "mq.m7g.large", Tier.PROD: "mq.m7g.xlarge"}
CACHE_TYPES = {
    Size.SMALL: "cache.t4g.small",
    Size.MEDIUM: "cache.m7g.large",
    Size.LARGE: "cache.r7g.large",
    Size.XLARGE: "cache.r7g.2xlarge",
}
NODE_TYPES = {
    Size.SMALL: ("t3.large", "t3a.large", "m6i.large", "m6a.large"),
    Size.MEDIUM: ("m7i.xlarge", "m7a.xlarge", "m6i.xlarge", "m6a.xlarge"),
    Size.LARGE: ("m7i.2xlarge", "m7a.2xlarge", "m6i.2xlarge", "m6a.2xlarge"),
    Size.XLARGE: ("m7i.4xlarge", "m7a.4xlarge", "m6i.4xlarge", "m6a.4xlarge"),
}
"""Alike in cores and memory, the preferred one first. All are x86, for which most images are built."""
EVICTION = {Eviction.REFUSE: "noeviction", Eviction.OLDEST: "allkeys-lru"}
NAT_MODES = {Tier.DEV: NatMode.SINGLE, Tier.STAGING: NatMode.PER_ZONE, Tier.PROD: NatMode.PER_ZONE}
INTERFACE_ENDPOINTS_OF = {Tier.DEV: (), Tier.STAGING: INTERFACE_ENDPOINTS, Tier.PROD: INTERFACE_ENDPOINTS}
_SHAPES = {
    "database.instanceClass": (INSTANCE_CLASS, "no instance class; write db.<family>.<size>, for example db.m6g.large"),
    "broker.instanceType": (BROKER_TYPE, "no instance type; write mq.<family>.<size>, for example mq.m7g.large"),
    "cache.nodeType": (NODE_TYPE, "no node type; write cache.<family>.<size>, for example cache.r7g.large"),
}


class DatabaseSection(Part):
    """The database's AWS side."""

    instance_class: str | None = None
    """Instance class. Default: by the database's size."""


class BrokerSection(Part):
    """The broker's AWS side."""

    instance_type: str | None = None
    """Instance type. Default: by tier."""
    clustered: bool | None = None
    """Whether it is a cluster over zones. Default: by tier."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """Raising it makes a new password for services."""


class CacheSection(Part):
    """The cache's AWS side."""

    node_type: str | None = None
    """Node type. Default: by the cache's size."""
    version: str = "8.2"
    """Version of Valkey."""
    family: str | None = None
    """Parameter group family. Default: by the version."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """Raising it makes a new password for services."""


class NodesSection(Part):
    """A node pool's AWS side."""

    instance_types: tuple[str, ...]
    """Instance types, the preferred one first."""


class MemberSection(Part):
    """Somebody who is in groups of Kubernetes."""

    principal: str
    """ARN of the IAM role or user."""
    groups: tuple[str, ...]
    """Groups, as `platform.viewers` and `platform.operators` name them."""


class EksSection(Part):
    """The cluster's AWS side."""

    version: str = "1.35"
    """Kubernetes version."""
    allow: tuple[str, ...] = ()
    """IPv4 blocks from which its endpoint is reached over the internet. Default: none; the way in is a bastion."""
    administrators: dict[str, str] = Field(default_factory=dict)
    """ARNs of the IAM principals that administer it, by a name for each."""
    viewers: dict[str, str] = Field(default_factory=dict)
    """ARNs of the IAM principals that look into it, by a name for each."""
    members: dict[str, MemberSection] = Field(default_factory=dict)
    """IAM principals that are in groups of Kubernetes, by a name for each."""
    auto_mode: bool = False
    """Whether EKS brings and keeps the machines itself, instead of node pools."""
    patch_schedule: str | None = None
    """When nodes are replaced with ones of the newest image, as a cron expression in UTC. Default: Sundays at two."""
    tunnel_port: Annotated[int, Field(ge=1024, le=65535)] = 8443
    """Port on the own machine at which the bastion's tunnel ends."""


class PrimarySection(Part):
    """What a standby has of its primary, as the primary's output `standby` lists it."""

    database: str
    """ARN of its database."""
    database_secret: str
    """ARN of the copy of its database's credentials in the standby's region."""
    key: str
    """ARN of the key that encrypts the primary's copies there."""
    stores: dict[str, str] = Field(default_factory=dict)
    """ARNs of the copies of its stores there, by name."""


class DnsSection(Part):
    """Where host names stand."""

    zone: Annotated[str, shaped(r"Z[A-Z0-9]{1,31}", "write the hosted zone's id, like Z0123456789ABCDEFGHIJ")]
    """Id of the public hosted zone in Route 53, as the account's stack makes it."""


class Section(Part):
    """The `aws` section of a stack file."""

    account: AccountId
    """Account id. The provider refuses to touch any other."""
    zones: tuple[str, ...]
    """Availability zones to span."""
    nat: NatMode | None = None
    """How private subnets reach the internet. Default: by tier."""
    interface_endpoints: tuple[str, ...] | None = None
    """AWS services reached over private addresses. Default: by tier."""
    endpoint: str | None = None
    """URL of an AWS emulator to use instead of AWS."""
    permissions_boundary: str | None = None
    """ARN of the policy that bounds what any role may do, as the account's stack makes it. Default: none."""
    database: DatabaseSection = DatabaseSection()
    """The database's AWS side."""
    broker: BrokerSection = BrokerSection()
    """The broker's AWS side."""
    cache: CacheSection = CacheSection()
    """The cache's AWS side."""
    nodes: dict[str, NodesSection] = Field(default_factory=dict)
    """The node pools' AWS side, by name. Default: by each pool's size."""
    cluster: EksSection | None = None
    """The cluster's AWS side."""
    dns: DnsSection | None = None
    """Where the host names of routes stand. Default: nowhere; somebody else makes their records."""
    primary: PrimarySection | None = None
    """What a standby has of its primary."""


REQUIRED = ("region", "network")
"""Keys of a stack file that an environment on AWS cannot do without."""
REFUSED: Mapping[str, str] = {"kubernetes": "what an environment on AWS has stands on AWS"}
"""Those that mean nothing there, each with the reason."""
STAND_INS: Mapping[str, Any] = {"account": "0" * 12, "zones": []}
"""What stands for required values that do not fit, so that the rest is looked at. Nobody takes it for a setting."""
ADD_ONS = frozenset(AddOn)
"""Add-ons that may be installed there."""


def clustered(section: Section, tier: Tier) -> bool:
    """Whether the broker is a cluster over zones."""
    given = section.broker.clustered
    return PROFILES[tier].highly_available if given is None else given


def installed(values: Mapping[str, Any], section: Section, system: System) -> set[AddOn]:
    """The add-ons that the cluster gets, unless it has them."""
    own = "cluster" not in values
    balanced = own and not (section.cluster or EksSection()).auto_mode
    return (
        always_installed(system)
        | {AddOn.METRICS, AddOn.SECRETS}
        | ({AddOn.DNS} if own and section.dns and system.hosts and not follows_another(values) else set())
        | ({AddOn.LOAD_BALANCERS, AddOn.NODES} if balanced else set())
    )


def gateway_has_hosts(section: Section) -> bool:
    """Whether the gateway itself has the hosts' certificates."""
    return True


def longest_name(system: System) -> int:
    """The most characters of an environment's name, with which the names of its parts begin."""
    return min(
        40 - len("-cache") - len(f"-{system.name}"),  # of ElastiCache's users
        42 - len("-backup") - _longest(["database", "cluster", *system.stores]),  # of what AWS Backup selects
        55 - len("-copy") - _longest(system.stores),  # of buckets, without what Pulumi adds
        55 - _longest(system.nodes),  # of EKS's node groups
        56 - _longest(system.services),  # of IAM's roles
    )


def _longest(names: Iterable[str]) -> int:
    """Characters of the longest name, with the hyphen before it."""
    return max((len(f"-{name}") for name in names), default=0)


def problems(values: Mapping[str, Any], section: Section, system: System | None) -> list[Problem]:
    """What is wrong in the section, with what else the stack file says, and with the system there."""
    regions = regions_of(values)
    found = [*region_problems(regions), *endpoint_problems(section.endpoint)]
    region = regions.get("region")
    if region in REGIONS:
        found += [problem for i, zone in enumerate(section.zones) for problem in _zone(i, zone, region, section.zones)]
    for key, (shape, remedy) in _SHAPES.items():
        part, field = key.split(".")
        value = getattr(getattr(section, part), _snake(field))
        if value is not None and not re.fullmatch(shape, value):
            found.append(Problem(f"aws.{key}", value, remedy))
    instance_class = section.database.instance_class or ""
    if re.fullmatch(INSTANCE_CLASS, instance_class) and not has_known_memory(instance_class):
        remedy = "its memory is not known, by which alarms are set; name a class of the families c, m, r, t, x or z"
        found.append(Problem("aws.database.instanceClass", instance_class, remedy))
    for service in section.interface_endpoints or ():
        if service not in INTERFACE_ENDPOINTS:
            found.append(Problem("aws.interfaceEndpoints", service, one_of(INTERFACE_ENDPOINTS, service)))
    if system is None or system.has_broker:
        found += _broker(section, next((tier for tier in Tier if tier.value == values.get("tier")), Tier.DEV))
    found += _cache(section.cache)
    found += _cluster(section.cluster or EksSection())
    found += _nodes(values, section, system)
    found += _arns(section)
    found += _principals(section.cluster or EksSection())
    found += _pull_secret(values)
    other = regions.get("primaryRegion", region)
    if other != region and other in REGIONS and section.primary is None:
        remedy = "a standby needs what its primary's output `standby` lists; copy it from there"
        found.append(Problem("aws.primary", MISSING, remedy))
    return found


def warnings(section: Section, own_cluster: bool) -> list[str]:
    """What AWS may refuse, as far as the SDK knows, and what nobody could use."""
    found = []
    instance_class = section.database.instance_class
    if instance_class and instance_class not in {each.value for each in InstanceType}:
        unlisted = "the SDK does not list this class; see that it exists"
        found.append(f"plinth:aws.database.instanceClass={instance_class}: {unlisted}")
    if own_cluster and not (section.cluster or EksSection()).administrators:
        found.append("plinth:aws.cluster.administrators: nobody may use the cluster; name who deploys into it")
    if section.cluster and not own_cluster:
        found.append("plinth:aws.cluster: has no effect, since an existing cluster is used; leave one of both out")
    return found


def _broker(section: Section, tier: Tier) -> Iterator[Problem]:
    if PROFILES[tier].highly_available and section.broker.clustered is False:
        remedy = f"{tier.value} needs a cluster; leave this out or set it to true"
        yield Problem("aws.broker.clustered", False, remedy)
    elif clustered(section, tier) and len(section.zones) < 2:
        remedy = "a cluster of brokers spans two zones or more; name them"
        yield Problem("aws.zones", ", ".join(section.zones), remedy)


def _cache(cache: CacheSection) -> Iterator[Problem]:
    if cache.version not in CACHE_VERSIONS:
        yield Problem("aws.cache.version", cache.version, one_of(CACHE_VERSIONS, cache.version))
    elif cache.family not in (None, FAMILIES[cache.version]):
        remedy = f"does not fit Valkey {cache.version}; leave it out or write {FAMILIES[cache.version]}"
        yield Problem("aws.cache.family", cache.family, remedy)


def _cluster(cluster: EksSection) -> Iterator[Problem]:
    if cluster.version not in KUBERNETES_VERSIONS:
        remedy = f"is not in EKS's standard support; {one_of(KUBERNETES_VERSIONS, cluster.version)}"
        yield Problem("aws.cluster.version", cluster.version, remedy)
    if cluster.patch_schedule is not None:
        if cluster.auto_mode:
            remedy = "Auto Mode replaces its machines by itself, after 21 days at the latest; leave it out"
            yield Problem("aws.cluster.patchSchedule", cluster.patch_schedule, remedy)
        elif not re.fullmatch(SCHEDULE, cluster.patch_schedule):
            yield Problem("aws.cluster.patchSchedule", cluster.patch_schedule, SCHEDULE_REMEDY)
    for i, block in enumerate(cluster.allow):
        if remedy := client_block_problem(block):
            yield Problem(f"aws.cluster.allow[{i}]", block, remedy)


def _nodes(values: Mapping[str, Any], section: Section, system: System | None) -> Iterator[Problem]:
    pools = system.nodes if system else {}
    if section.cluster and section.cluster.auto_mode:
        for path, nodes in (("nodes", values.get("nodes")), ("aws.nodes", section.nodes)):
            if isinstance(nodes, dict) and nodes:
                yield Problem(path, ", ".join(nodes), "Auto Mode brings its own machines; leave it out")
        return
    if pools and "cluster" not in values and not any(pool.fewest for pool in pools.values()):
        remedy = "EKS's own parts need a machine that is always there; give one pool a `fewest` of 1 or more"
        yield Problem("nodes", ", ".join(pools), remedy)
    for name, nodes in section.nodes.items():
        path = f"aws.nodes.{name}.instanceTypes"
        if system and name not in pools:
            yield Problem(f"aws.nodes.{name}", MISSING, f"no such node pool; {one_of(pools, name)}")
        elif not nodes.instance_types:
            yield Problem(path, "[]", "name one or more")
        elif system and pools[name].spot and len(nodes.instance_types) < SPOT_TYPES:
            remedy = f"spot capacity of one type runs out; name {SPOT_TYPES} or more that are alike"
            yield Problem(path, ", ".join(nodes.instance_types), remedy)


def _arns(section: Section) -> Iterator[Problem]:
    given = {"aws.permissionsBoundary": section.permissions_boundary}
    cluster, primary = section.cluster, section.primary
    for key in ("administrators", "viewers") if cluster else ():
        given |= {f"aws.cluster.{key}.{name}": value for name, value in getattr(cluster, key).items()}
    for name, member in cluster.members.items() if cluster else ():
        given[f"aws.cluster.members.{name}.principal"] = member.principal
    if primary:
        given |= {
            "aws.primary.database": primary.database,
            "aws.primary.databaseSecret": primary.database_secret,
            "aws.primary.key": primary.key,
            **{f"aws.primary.stores.{name}": value for name, value in primary.stores.items()},
        }
    for path, value in given.items():
        if value is not None and not re.fullmatch(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:\S+", value):
            yield Problem(path, value, "no ARN; write one like arn:aws:<service>:<region>:<account>:<what>")


def _principals(cluster: EksSection) -> Iterator[Problem]:
    members: dict[str, ClusterGroup] = {
        name: {"principal_arn": member.principal, "groups": list(member.groups)}
        for name, member in cluster.members.items()
    }

    def spelled(path: str) -> str:
        field, _, rest = path.partition(".")
        if field != "groups":
            return f"aws.cluster.{path}"
        return f"aws.cluster.members.{rest}" if rest.endswith(".groups") else f"aws.cluster.members.{rest}.principal"

    yield from principal_problems(cluster.administrators, cluster.viewers, members, spelled)


def _pull_secret(values: Mapping[str, Any]) -> Iterator[Problem]:
    images = values.get("images")
    given = images.get("pullSecret") if isinstance(images, dict) else None
    if isinstance(given, str) and not re.fullmatch(r"arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+", given):
        remedy = "write the ARN of a secret, like arn:aws:secretsmanager:<region>:<account>:secret:<name>"
        yield Problem("images.pullSecret", given, remedy)


def _zone(i: int, zone: str, region: str, zones: tuple[str, ...]) -> list[Problem]:
    path = f"aws.zones[{i}]"
    try:
        zone_slot(zone)
    except ValueError as error:
        return [Problem(path, zone, str(error))]
    if zone[:-1] != region:
        return [Problem(path, zone, f"is not in {region}; name one of its zones, like {region}a")]
    if zone in zones[:i]:
        return [Problem(path, zone, "stands twice; name each zone once")]
    return []


def _snake(key: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
