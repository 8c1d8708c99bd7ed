"""What only Google Cloud has of a stack's settings, and the checks that only Google Cloud needs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from components.backup.gcp import MOST_DAILY_DAYS, MOST_MONTHLY_DAYS
from components.broker.pubsub import filter_problem
from components.cache.memorystore import NODE_TYPES as CACHE_NODE_TYPES
from components.cache.memorystore import VERSIONS as CACHE_VERSIONS
from components.cluster.gke import LONGEST_NAME, MACHINE_TYPE, GkeChannel
from components.database.cloudsql import (
    RECOVERY_DAYS,
    SHARED_CORES,
    CloudSqlEdition,
    edition_of,
    memory_gb,
    tier_problem,
)
from components.network.ranges import RangePlan, nodes_in, nodes_that_fit, range_problems
from components.network.subnets import SubnetPlan, client_block_problem, parse_network
from components.problems import MISSING, Problem, one_of
from components.security.gcp_identity import NodeRegistry
from components.security.google import ACCOUNT_ID, NUMBER, PROJECT
from components.storage.gcs import dual_region, dual_region_problem

from ..model import Eviction, Part, Service, Size, System, Tier
from ..platform import AddOn, always_installed
from ..reading import follows_another, regions_of
from ..shapes import shaped
from .gcp_place import REGIONS, label_problems, region_problems, zone_problems

TIERS = {
    Size.SMALL: "db-custom-2-8192",
    Size.MEDIUM: "db-perf-optimized-N-2",
    Size.LARGE: "db-perf-optimized-N-8",
    Size.XLARGE: "db-perf-optimized-N-16",
}
"""Machine tiers of databases. What is more than small is of the edition that has pools, and a month of recovery."""
CACHE_TYPES = {
    Size.SMALL: "SHARED_CORE_NANO",
    Size.MEDIUM: "STANDARD_SMALL",
    Size.LARGE: "HIGHMEM_MEDIUM",
    Size.XLARGE: "HIGHMEM_XLARGE",
}
NODE_TYPES = {
    Size.SMALL: "e2-standard-2",
    Size.MEDIUM: "n2-standard-4",
    Size.LARGE: "n2-standard-8",
    Size.XLARGE: "n2-standard-16",
}
"""All are x86, for which most images are built."""
EVICTION = {Eviction.REFUSE: "noeviction", Eviction.OLDEST: "allkeys-lru"}
_CONNECTIONS = ((120, 1000), (60, 800), (30, 600), (15, 500), (7.5, 400), (6, 200), (3.75, 100), (0, 25))
"""What Cloud SQL sets `max_connections` to, by the memory that a machine has at least, in GB."""
MEMBER = r"(user|group|serviceAccount):[^@\s]+@[^@\s]+\.[^@\s]+"
"""Shape of somebody to whom IAM grants something."""
Project = Annotated[
    str, shaped(PROJECT, "write the id of a project, 6 to 30 small letters, digits and hyphens, like example-prod")
]
ProjectNumber = Annotated[str, shaped(NUMBER, "write the number of a project, in quotes, like '123456789012'")]
AccountPrefix = Annotated[
    str,
    shaped(
        r"[a-z]([a-z0-9-]*[a-z0-9])?",
        "write small letters, digits and hyphens, a letter first and no hyphen last, like skipper-dev",
    ),
]
Member = Annotated[str, shaped(MEMBER, "no IAM member; write group:, user: or serviceAccount: and an e-mail address")]
_REGISTRY = (
    rf"projects/(?P<project>{PROJECT})/locations/(?P<location>[a-z0-9-]+)/repositories/(?P<repository>[a-z0-9-]+)"
)
_Registry = Annotated[
    str, shaped(_REGISTRY, "write it in small letters, projects/<project>/locations/<location>/repositories/<name>")
]
_RESERVED_DATABASES = ("postgres", "template0", "template1", "cloudsqladmin")
_LONGEST_ACCOUNT, _LONGEST_PURPOSE = 30, 256
NODES_ACCOUNT, RECORDS_ACCOUNT, RESTORES_ACCOUNT, SECRETS_ACCOUNT = "nodes", "records", "restores", "secrets"
"""What the accounts of a cluster's nodes, and of who restores backups as a test, are called after the prefix."""


class RangesSection(Part):
    """Ranges of the network, instead of those that are cut out of its block."""

    nodes: str | None = None
    """IPv4 block of nodes."""
    pods: str | None = None
    """IPv4 block of pods."""
    services: str | None = None
    """IPv4 block of the cluster's services."""
    endpoints: str | None = None
    """IPv4 block in which Google's services get private addresses."""
    peered: str | None = None
    """IPv4 block of Google's own network, in which databases stand."""


class DatabaseSection(Part):
    """The database's side on Google Cloud."""

    tier: str | None = None
    """Machine tier. Default: by the database's size."""
    edition: CloudSqlEdition | None = None
    """Edition of Cloud SQL. Default: the one that has the tier."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """Raising it makes a new password for services."""
    vault: bool = True
    """Whether its backups are in a vault, where nobody can delete them before their time, wherever backups outlive the
    environment. Else Cloud SQL keeps them itself, for a year at most, and whoever administers it can delete them."""


class CacheSection(Part):
    """The cache's side on Google Cloud."""

    node_type: str | None = None
    """Node type. Default: by the cache's size."""
    version: str = "8.0"
    """Version of Valkey."""


class NodesSection(Part):
    """A node pool's side on Google Cloud."""

    machine_type: str
    """Machine type."""


class GkeSection(Part):
    """The cluster's side on Google Cloud."""

    allow: tuple[str, ...] = ()
    """IPv4 blocks from which its endpoint has an address too. Default: none; the way in is its name, which asks IAM."""
    administrators: dict[str, Member] = Field(default_factory=dict)
    """IAM members that administer it, by a name for each."""
    viewers: dict[str, Member] = Field(default_factory=dict)
    """IAM members that look into it, by a name for each."""
    security_group: str | None = None
    """Google group whose own groups Kubernetes knows, `gke-security-groups@<domain>`: `platform.viewers` and
    `platform.operators` name those by their addresses. Default: none."""
    autopilot: bool = False
    """Whether Google brings and keeps the machines itself, instead of node pools."""
    release_channel: GkeChannel = GkeChannel.REGULAR
    """How early it gets new versions."""
    pods_per_node: Annotated[int, Field(ge=8, le=256)] = 110
    """Pods that a node holds at most: each node takes a block for twice as many."""


class DnsSection(Part):
    """Where host names stand."""

    zone: Annotated[
        str, shaped(r"[a-z][a-z0-9-]{0,62}", "write the managed zone's name, not its domain, like example-zone")
    ]
    """Managed zone of Cloud DNS, as the project's own stack makes it."""
    project: Project | None = None
    """Project of that zone. Default: the environment's."""


class EdgeSection(Part):
    """The load balancer through which the system is reached from the internet, behind a firewall for web traffic."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Requests from one address beyond which it is refused for a while."""


class Section(Part):
    """The `gcp` section of a stack file."""

    project: Project
    """Id of the project."""
    project_number: ProjectNumber
    """Number of the project."""
    zones: tuple[str, ...]
    """Zones to span."""
    account_prefix: AccountPrefix | None = None
    """What ids of service accounts begin with; with a service's name, 30 characters. Default: `<system>-<tier>`. Two
    environments of one system and tier in one project need prefixes of their own."""
    nat_addresses: Annotated[int, Field(ge=0, le=16)] = 0
    """Addresses kept for calls to the internet, so that others can list them. Default: Google picks them."""
    ranges: RangesSection = RangesSection()
    """Ranges of the network."""
    database: DatabaseSection = DatabaseSection()
    """The database's side on Google Cloud."""
    cache: CacheSection = CacheSection()
    """The cache's side on Google Cloud."""
    nodes: dict[str, NodesSection] = Field(default_factory=dict)
    """The node pools' side on Google Cloud, by name. Default: by each pool's size."""
    cluster: GkeSection | None = None
    """The cluster's side on Google Cloud."""
    registries: dict[str, _Registry] = Field(default_factory=dict)
    """Repositories from which the cluster takes images, `projects/<project>/locations/<location>/repositories/<name>`,
    by a name for each. Default: none."""
    dns: DnsSection | None = None
    """Where the host names of routes stand. Default: nowhere; somebody else makes their records."""
    edge: EdgeSection | None = None
    """The load balancer in front of the cluster's gateway. Default: none; the gateway itself is reached."""


REQUIRED = ("region", "network")
"""Keys of a stack file that an environment on Google Cloud cannot do without."""
REFUSED: Mapping[str, str] = {"kubernetes": "what an environment on Google Cloud has stands on Google Cloud"}
"""Those that mean nothing there, each with the reason."""
STAND_INS: Mapping[str, Any] = {"project": "no-project", "projectNumber": "1" * 12, "zones": []}
"""What stands for required values that do not fit, so that the rest is looked at. Nobody takes it for a setting."""
ADD_ONS = frozenset(AddOn) - {AddOn.LOAD_BALANCERS, AddOn.METRICS, AddOn.NODES}
"""Add-ons that may be installed there: GKE brings the others itself."""


def account_id(section: Section, system: System, tier: Tier, what: str) -> str:
    """Id of the service account of a service, or of whatever else needs one."""
    return f"{section.account_prefix or f'{system.name}-{tier.value}'}-{what}"


def signs_in(service: Service) -> bool:
    """Whether a service is somebody to Google Cloud: databases, caches and brokers know it as itself."""
    return service.uses_cloud or service.database or service.cache or service.broker


def registry_of(path: str) -> NodeRegistry:
    """A repository of images, by its whole name."""
    parts = re.fullmatch(_REGISTRY, path)
    if not parts:
        raise AssertionError(f"{path} is no repository, and was not refused")
    return {"project": parts["project"], "location": parts["location"], "repository": parts["repository"]}


def most_connections(tier: str) -> int:
    """Connections that a database of a machine tier takes, as Cloud SQL sets them by its memory."""
    return next(most for memory, most in _CONNECTIONS if memory_gb(tier) >= memory)


def installed(values: Mapping[str, Any], section: Section, system: System) -> set[AddOn]:
    """The add-ons that the cluster gets, unless it has them."""
    kept = "cluster" not in values and section.dns and system.hosts and not section.edge and not follows_another(values)
    return always_installed(system) | {AddOn.SECRETS} | ({AddOn.DNS} if kept else set())


def gateway_has_hosts(section: Section) -> bool:
    """Whether the gateway itself has the hosts' certificates."""
    return section.edge is None


def longest_name(system: System) -> int:
    """The most characters of an environment's name, with which the names of its parts begin."""
    return min(
        LONGEST_NAME - _longest(system.nodes),
        39 - len("-network"),  # of networks, with what stands in them and what Pulumi adds
        55 - _longest(system.stores),  # of buckets, without what Pulumi adds
        55 - _longest(system.services),  # of the roles of services
    )


def _longest(names: Iterable[str]) -> int:
    """Characters of the longest name, with the hyphen before it."""
    return max((len(f"-{name}") for name in names), default=0)


def problems(values: Mapping[str, Any], section: Section, system: System | None) -> list[Problem]:
    """What is wrong in the section, with what else the stack file says, and with the system there."""
    regions = regions_of(values)
    region = regions.get("region")
    found = [*region_problems(regions), *label_problems(values.get("tags"))]
    if region in REGIONS:
        found += zone_problems(section.zones, region)
    found += _ranges(values, section, system)
    found += _reserved(values, section)
    found += _cluster(section)
    found += _pools(values, section, system)
    found += _shapes(section, system)
    found += _group(section)
    found += _pull_secret(values)
    found += _unknown_to_google(values)
    if system:
        tier = next((tier for tier in Tier if tier.value == values.get("tier")), Tier.DEV)
        found += _edge(section, system)
        found += _database(section, system)
        found += _backups(system)
        found += _broker(system)
        found += _stores(regions, system)
        found += _accounts(section, system, tier)
        found += _purposes(system)
    return found


def _edge(section: Section, system: System) -> Iterator[Problem]:
    if not section.edge:
        return
    if not section.dns:
        remedy = "a load balancer's certificate is proved in the zone of its hosts; name the managed zone"
        yield Problem("gcp.dns.zone", MISSING, remedy)
    if not system.hosts:
        routed = next((name for name, service in system.services.items() if service.route), None)
        if routed is None:
            yield Problem("gcp.edge", MISSING, f"no service of {system.name} is reached from outside; leave it out")
        else:
            remedy = "the load balancer's certificate needs a host name; give one, or leave gcp.edge out"
            yield Problem(f"services.{routed}.route.host", MISSING, remedy)


def warnings(section: Section, own_cluster: bool) -> list[str]:
    """What nobody could use."""
    found = []
    if own_cluster and not (section.cluster or GkeSection()).administrators:
        found.append("plinth:gcp.cluster.administrators: nobody may use the cluster; name who deploys into it")
    if not section.database.vault:
        unlocked = "backups of the database are not locked, and none is older than a year"
        found.append(f"plinth:gcp.database.vault=false: {unlocked}")
    if section.cluster and not own_cluster:
        found.append("plinth:gcp.cluster: has no effect, since an existing cluster is used; leave one of both out")
    return found


def _ranges(values: Mapping[str, Any], section: Section, system: System | None) -> Iterator[Problem]:
    network = values.get("network")
    cidr = network.get("cidr") if isinstance(network, dict) else None
    if not isinstance(cidr, str):
        return  # reported with the file's shape
    given = section.ranges.model_dump()
    paths = {"cidr": "network.cidr"}
    wrong = range_problems(cidr, given, lambda key: paths.get(key, f"gcp.ranges.{key}"))
    # What is wrong with the block on every cloud is reported there.
    yield from (problem for problem in wrong if problem.path != "network.cidr" or _fits_every_cloud(cidr))
    cluster = section.cluster or GkeSection()
    if wrong or not system or cluster.autopilot or "cluster" in values:
        return
    plan = RangePlan(cidr, **given)
    # An upgrade adds a machine to each pool before it takes one away.
    wanted = sum(pool.most + 1 for pool in system.nodes.values())
    for key, room, remedy in (
        ("pods", nodes_that_fit(plan.pods, cluster.pods_per_node), "or lower gcp.cluster.podsPerNode"),
        ("nodes", nodes_in(plan.nodes), "or lower what nodes may grow to"),
    ):
        if room < wanted:
            remedy = f"room for {room} nodes, and {wanted} may be there with upgrades; give a larger block, {remedy}"
            yield Problem(f"gcp.ranges.{key}", getattr(plan, key), remedy)


def _reserved(values: Mapping[str, Any], section: Section) -> Iterator[Problem]:
    """The given ranges that are in use elsewhere."""
    network = values.get("network")
    reserved = network.get("reserved", []) if isinstance(network, dict) else []
    for name, block in section.ranges.model_dump(exclude_none=True).items():
        for i, other in enumerate(reserved if isinstance(reserved, list) else []):
            if _overlap(block, other):
                remedy = f"overlaps {other}, which network.reserved[{i}] sets aside; give a block apart from it"
                yield Problem(f"gcp.ranges.{name}", block, remedy)


def _overlap(one: str, other: Any) -> bool:
    try:
        return parse_network(one).overlaps(parse_network(other))
    except (TypeError, ValueError):
        return False  # one of them is no block, which is reported elsewhere


def _fits_every_cloud(cidr: str) -> bool:
    try:
        SubnetPlan(cidr)
    except ValueError:
        return False
    return True


def _cluster(section: Section) -> Iterator[Problem]:
    cluster = section.cluster or GkeSection()
    for i, block in enumerate(cluster.allow):
        if remedy := client_block_problem(block):
            yield Problem(f"gcp.cluster.allow[{i}]", block, remedy)
    seen: dict[str, str] = {}
    for key in ("administrators", "viewers"):
        for name, member in getattr(cluster, key).items():
            path = f"gcp.cluster.{key}.{name}"
            if member in seen:
                yield Problem(path, member, f"stands at {seen[member]} too; name each member once")
            seen.setdefault(member, path)


def _pools(values: Mapping[str, Any], section: Section, system: System | None) -> Iterator[Problem]:
    """What a cluster's machines cannot be, and what Autopilot would leave unheard."""
    cluster, pools = section.cluster or GkeSection(), system.nodes if system else {}
    if cluster.autopilot:
        remedy = "Autopilot brings its own machines; leave it out"
        for path, nodes in (("nodes", values.get("nodes")), ("gcp.nodes", section.nodes)):
            if isinstance(nodes, dict) and nodes:
                yield Problem(path, ", ".join(nodes), remedy)
        if cluster.pods_per_node != GkeSection().pods_per_node:
            yield Problem("gcp.cluster.podsPerNode", cluster.pods_per_node, remedy)
    elif pools and "cluster" not in values and not any(pool.fewest for pool in pools.values()):
        remedy = "GKE's own parts need a machine that is always there; give one pool a `fewest` of 1 or more"
        yield Problem("nodes", ", ".join(pools), remedy)


def _shapes(section: Section, system: System | None) -> Iterator[Problem]:
    if section.cache.node_type not in (None, *CACHE_NODE_TYPES):
        yield Problem("gcp.cache.nodeType", section.cache.node_type, one_of(CACHE_NODE_TYPES, section.cache.node_type))
    if section.cache.version not in CACHE_VERSIONS:
        yield Problem("gcp.cache.version", section.cache.version, one_of(CACHE_VERSIONS, section.cache.version))
    if section.cluster and section.cluster.autopilot:
        return  # which has no node pools
    pools = system.nodes if system else {}
    for name, nodes in section.nodes.items():
        if system and name not in pools:
            yield Problem(f"gcp.nodes.{name}", MISSING, f"no such node pool; {one_of(pools, name)}")
        elif not re.fullmatch(MACHINE_TYPE, nodes.machine_type):
            remedy = "no machine type; write <family>-<kind>-<cores>, for example n2-standard-4"
            yield Problem(f"gcp.nodes.{name}.machineType", nodes.machine_type, remedy)


def _unknown_to_google(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Keys that mean something on other clouds only."""
    if values.get("primaryRegion") not in (None, values.get("region")):
        remedy = (
            "on Google Cloud the environment itself keeps a copy of its database in the recovery region, which is "
            "promoted there; leave it out, and set database.copyBackups"
        )
        yield Problem("primaryRegion", values["primaryRegion"], remedy)


def database_tier(section: Section, system: System) -> str:
    """Machine tier of the database."""
    return section.database.tier or TIERS[system.database.size]


def _database(section: Section, system: System) -> Iterator[Problem]:
    database, tier = system.database, database_tier(section, system)
    if database.name in _RESERVED_DATABASES or database.name.startswith("pg_"):
        yield Problem(
            "database.name", database.name, "PostgreSQL or Cloud SQL has that name for itself; choose another"
        )
    path = "gcp.database.tier" if section.database.tier else "database.size"
    edition = section.database.edition or edition_of(tier) or CloudSqlEdition.ENTERPRISE
    if remedy := tier_problem(tier, edition):
        yield Problem(path, tier, remedy)
        return
    if tier in SHARED_CORES:
        for key, given in (
            ("highlyAvailable", database.highly_available),
            ("replicas", database.replicas),
            ("copyBackups", database.copy_backups),
        ):
            if given:
                remedy = f"shares its core, so that it has no database.{key}; choose a tier db-custom-<vCPUs>-<MB>"
                yield Problem(path, tier, remedy)
    if edition is CloudSqlEdition.ENTERPRISE_PLUS:
        return
    way_out = f"{tier} is of the edition ENTERPRISE; name a tier of ENTERPRISE_PLUS in gcp.database.tier"
    if database.pooling:
        yield Problem("database.pooling", True, f"{way_out}, or set it to false")
    most = RECOVERY_DAYS[edition]
    if database.backup_days > most:
        yield Problem("database.backupDays", database.backup_days, f"{way_out}, or give {most} or less")


def _backups(system: System) -> Iterator[Problem]:
    backup = system.backup
    for key, days, most in (
        ("dailyDays", backup.daily_days, MOST_DAILY_DAYS),
        ("monthlyDays", backup.monthly_days, MOST_MONTHLY_DAYS),
    ):
        if days > most:
            yield Problem(f"backup.{key}", days, f"Google Cloud keeps a cluster's backups for {most} days at most")
    if system.database.backup_days > backup.daily_days:
        remedy = f"recovery needs a backup to start from: raise it to database.backupDays={system.database.backup_days}"
        yield Problem("backup.dailyDays", backup.daily_days, remedy)


def _broker(system: System) -> Iterator[Problem]:
    dead = {f"{queue}-dead": queue for queue in system.broker.queues}
    for kind, names in (("exchanges", system.broker.exchanges), ("queues", system.broker.queues)):
        for name in names:
            if name in dead:
                remedy = f"the dead letters of {dead[name]} have this name; give another one"
                yield Problem(f"broker.{kind}.{name}", MISSING, remedy)
    for name, queue in system.broker.queues.items():
        exchange = system.broker.exchanges.get(queue.exchange)
        if exchange and (remedy := filter_problem(exchange.kind.value, queue.routing_key)):
            yield Problem(f"broker.queues.{name}.routingKey", queue.routing_key, remedy)


def _stores(regions: Mapping[str, Any], system: System) -> Iterator[Problem]:
    if any(store.replicate for store in system.stores.values()):
        yield from two_regions_problems(regions)


def two_regions_problems(regions: Mapping[str, Any]) -> Iterator[Problem]:
    """Why the region and the recovery region hold no bucket together: a region that has no partner is at fault itself.
    What is no region is reported elsewhere."""
    home, away = regions.get("region"), regions.get("recoveryRegion")
    if home in REGIONS and away in REGIONS and home != away and (remedy := dual_region_problem(home, away)):
        alone = not any(dual_region(home, each) for each in REGIONS)
        yield Problem("region", home, remedy) if alone else Problem("recoveryRegion", away, remedy)


def _accounts(section: Section, system: System, tier: Tier) -> Iterator[Problem]:
    names = [
        NODES_ACCOUNT,
        RECORDS_ACCOUNT,
        SECRETS_ACCOUNT,
        f"{RESTORES_ACCOUNT}-call",
        *(name for name, service in system.services.items() if signs_in(service)),
    ]
    for name in names:
        id_ = account_id(section, system, tier, name)
        if not re.fullmatch(ACCOUNT_ID, id_):
            better = "shorter" if len(id_) > _LONGEST_ACCOUNT else "longer"
            remedy = (
                f"makes the service account {id_}, {len(id_)} characters; "
                f"with its service's name, an id has 6 to {_LONGEST_ACCOUNT}: give a {better} prefix"
            )
            yield Problem("gcp.accountPrefix", section.account_prefix or f"{system.name}-{tier.value}", remedy)
            return


def _group(section: Section) -> Iterator[Problem]:
    group = section.cluster.security_group if section.cluster else None
    if group is not None and not re.fullmatch(r"gke-security-groups@([a-z0-9-]+\.)+[a-z]+", group):
        remedy = "GKE takes one group alone, gke-security-groups@<domain>"
        yield Problem("gcp.cluster.securityGroup", group, remedy)


def _pull_secret(values: Mapping[str, Any]) -> Iterator[Problem]:
    images = values.get("images")
    given = images.get("pullSecret") if isinstance(images, dict) else None
    if isinstance(given, str) and not re.fullmatch(rf"projects/{PROJECT}/secrets/[\w-]{{1,255}}", given, re.ASCII):
        yield Problem("images.pullSecret", given, "write a secret's whole name, projects/<project>/secrets/<id>")


def _purposes(system: System) -> Iterator[Problem]:
    """Of services, which their accounts have as descriptions."""
    for name, service in system.services.items():
        if signs_in(service) and len(service.purpose.encode()) > _LONGEST_PURPOSE:
            remedy = f"{len(service.purpose.encode())} bytes; say it in {_LONGEST_PURPOSE} or fewer"
            yield Problem(f"services.{name}.purpose", service.purpose, remedy)
