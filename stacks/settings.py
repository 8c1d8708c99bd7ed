"""A stack's configuration, read once: typed, checked, and frozen.

`load` takes a plain mapping, so that a test needs no engine. It reports every problem of a stack together.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi
from pulumi.runtime import config as runtime_config
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor
from pydantic import BaseModel, Field

from components.component import laid_over
from components.network.subnets import SubnetPlan, parse_network
from components.platform.charts import image_mirror_problem, mirror_problem
from components.problems import MISSING, InputError, Problem, one_of

from .account import AccountSettings, load_account
from .kubeconfig import kubeconfig_problem, unreachable
from .model import NodePool, Part, System, Tier, inconsistencies
from .platform import AddOn, ImagesSection, PlatformSection, longest_name
from .reading import NAMESPACE, Alerts, Cloud, Reader, Section, values_of
from .systems import SYSTEMS
from .tiers import PROFILES, Profile, shortfalls

ENVIRONMENTS = {
    Cloud.AWS: "stacks.environments.aws",
    Cloud.GCP: "stacks.environments.gcp",
    Cloud.KUBERNETES: "stacks.environments.kubernetes",
}
"""The module of each environment that there is. Imported only when a stack asks for it: an AWS stack loads no other
cloud's SDK."""


NAME = r"[a-z](-?[a-z0-9])+"
"""Shape of an environment's name: what every product takes as the beginning of a name."""


class NetworkSection(Part):
    """Addresses of the environment's network."""

    cidr: str
    """IPv4 block of the network, /16 to /20."""
    reserved: tuple[str, ...] = ()
    """Blocks in use elsewhere that the network must not overlap: offices, peers, other environments."""


class ClusterSection(Part):
    """An existing Kubernetes cluster to use instead of a new one."""

    kubeconfig: str
    """Path of its kubeconfig file; `~` is the home directory."""
    context: str | None = None
    """Context in that file. Default: the file's current one."""


class StackFile(Part):
    """The keys of an environment's stack file, `plinth:<key>`."""

    system: str
    """The system that the stack is an environment of."""
    cloud: Cloud
    """Where it stands."""
    tier: Tier
    """How much it matters: sizes and protections follow from it."""
    region: str | None = None
    """Region of the cloud. Every cloud needs one."""
    recovery_region: str | None = None
    """Second region, for copies of backups and stores."""
    primary_region: str | None = None
    """The region that takes writes, where that is another one: the environment is then its standby."""
    network: NetworkSection | None = None
    """Addresses of the network. Every cloud needs them."""
    images: ImagesSection = ImagesSection()
    """Where the images of services come from."""
    platform: PlatformSection = PlatformSection()
    """What the cluster has before services run in it."""
    database: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the system's database."""
    broker: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the system's broker."""
    cache: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the system's cache."""
    stores: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Overrides of the system's object stores, by name."""
    services: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Overrides of the system's services, by name."""
    secrets: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Overrides of the system's secrets, by name."""
    nodes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Overrides of the cluster's node pools, by name."""
    backup: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the system's backups."""
    alerts: Alerts = Alerts()
    """Who is told of alarms."""
    cluster: ClusterSection | None = None
    """An existing Kubernetes cluster."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Cost-allocation tags beside those that every environment has. `owner` is required."""
    decommission: bool = False
    """Takes the protections off, so that the next `pulumi destroy` can delete everything."""
    aws: dict[str, Any] | None = None
    """What only AWS has."""
    gcp: dict[str, Any] | None = None
    """What only Google Cloud has."""
    kubernetes: dict[str, Any] | None = None
    """What only an environment without a cloud has, in an existing cluster."""


class CloudModule(Protocol):
    """What a cloud's `<environment>_settings` module gives: the shape of its own section, and checks of it."""

    Section: type[BaseModel]
    """The section; every cloud's has `zones`."""
    REQUIRED: tuple[str, ...]
    """Keys of the stack file that it cannot do without."""
    REFUSED: Mapping[str, str]
    """Keys that mean nothing there, each with the reason."""
    STAND_INS: Mapping[str, Any]
    """What stands in the section for required values that do not fit, so that the rest is looked at."""
    ADD_ONS: frozenset[AddOn]
    """Add-ons that may be installed there."""

    @staticmethod
    def problems(values: Mapping[str, Any], section: Any, system: System | None) -> list[Problem]:
        """What is wrong in the section, with what else the stack file says, and with the system there. Paths are below
        the namespace."""
        ...

    @staticmethod
    def installed(values: Mapping[str, Any], section: Any, system: System) -> set[AddOn]:
        """The add-ons that the cluster gets, unless it has them."""
        ...

    @staticmethod
    def gateway_has_hosts(section: Any) -> bool:
        """Whether the gateway itself has the hosts' certificates."""
        ...

    @staticmethod
    def longest_name(system: System) -> int:
        """The most characters of an environment's name, with which the names of its parts begin."""
        ...

    @staticmethod
    def warnings(section: Any, own_cluster: bool) -> list[str]:
        """What may be wrong, with a cluster of its own or with one that exists."""
        ...


@dataclass(frozen=True)
class Settings:
    """Everything that a stack's program knows of its stack."""

    stack: str
    cloud: Cloud
    tier: Tier
    profile: Profile
    region: str
    recovery_region: str | None
    """Second region, where something is copied to it; else nothing is made there."""
    primary_region: str
    """The region that takes writes."""
    network: NetworkSection | None
    images: ImagesSection
    platform: PlatformSection
    system: System
    """The system at the tier, with the stack's overrides."""
    cluster: ClusterSection | None
    alerts: Alerts
    tags: Mapping[str, str]
    decommission: bool
    section: Any
    """The cloud's own section."""
    warnings: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the environment, with which its resources' names begin."""
        return environment_name(self.stack, self.system)

    @property
    def block(self) -> str:
        """IPv4 block of the network."""
        if self.network is None:
            raise AssertionError("an environment without a network was asked for its addresses")
        return self.network.cidr

    @property
    def is_standby(self) -> bool:
        """Whether another region takes the writes."""
        return self.primary_region != self.region

    @property
    def protect(self) -> bool:
        """Whether deletion is refused."""
        return self.profile.durable and not self.decommission


def environment_name(stack: str, system: System) -> str:
    """The name of a stack's environment, which begins with its system's."""
    return stack if stack.startswith(system.name) else f"{system.name}-{stack}"


def current() -> Settings | AccountSettings:
    """The settings of the stack that the engine, or the preview, is running. Logs their warnings."""
    given = pulumi.get_stack(), runtime_config.CONFIG.get(), runtime_config._SECRET_KEYS.get()
    settings = load_account(*given) if "account" in values_of(given[1]) else load(*given)
    for warning in settings.warnings:
        pulumi.warn(warning)
    if isinstance(settings, Settings) and settings.cluster and not _under_mocks():
        _reach(settings.stack, settings.cluster)
    return settings


def _under_mocks() -> bool:
    """Whether nothing is made: then no cluster need be there."""
    return isinstance(get_monitor(), MockMonitor)


def _reach(stack: str, cluster: ClusterSection) -> None:
    """Refuse a cluster that does not answer, before the first resource is asked for: the provider would leave its
    objects out of a preview, and say of each that it cannot be made."""
    if remedy := unreachable(cluster.kubeconfig, cluster.context):
        problem = Problem(f"{NAMESPACE}:cluster.kubeconfig", cluster.kubeconfig, remedy)
        raise InputError(f"Pulumi.{stack}.yaml", [problem])


def load(stack: str, config: Mapping[str, str], secrets: frozenset[str] | set[str] = frozenset()) -> Settings:
    """The settings of a stack, out of its configuration as Pulumi hands it over: full keys, text or JSON.

    Raises `InputError` with every problem that there is.
    """
    values = values_of(config)
    if f"{NAMESPACE}:account" in config and not {"system", "tier", "network"} & set(values):
        # Pulumi.yaml declares every key: an empty account alone does not tell which kind of stack it is.
        remedy = (
            "an account's stack needs plinth:account with repository, environments, domain and monthlyBudget; "
            "an environment's needs plinth:system"
        )
        raise InputError(f"Pulumi.{stack}.yaml", [Problem(f"{NAMESPACE}:account", MISSING, remedy)])
    return _Loader(stack).load(values, secrets)


class _Loader(Reader):
    def __init__(self, stack: str):
        super().__init__(stack)
        self._stack = stack

    def load(self, values: dict[str, Any], secrets: frozenset[str] | set[str]) -> Settings:
        self.secrets(secrets)
        file = self.parsed(StackFile, values, "")
        cloud = self.member(Cloud, values.get("cloud"))
        tier = self.member(Tier, values.get("tier"))
        system = self._system(values, tier or Tier.DEV)
        module: CloudModule | None = self.module(cloud, ENVIRONMENTS, str(values.get("system", "the system")))
        section = self.section(module.Section, cloud, values, module.STAND_INS) if module else None
        self._network(values.get("network"))
        if module and system:
            self._name(system, min(module.longest_name(system), longest_name(system)))
        for key in module.REQUIRED if module else ("region", "network"):
            if key not in values:
                self.add(key, MISSING, f"required; set it in {self.file}")
        if module and cloud:
            self._fit(cloud, module, values)
        if module and section:
            self.add_all(module.problems(values, section, system))
            if system:
                self._in_the_cluster(module, values, section, system)
        if tier and system:
            self._demands(cloud, tier, system, section, values)
        if tier:
            self.receivers(PROFILES[tier].receivers, values.get("alerts", {}))
        self.tags(values.get("tags", {}))
        if isinstance(values.get("cluster"), dict):
            self._cluster(values["cluster"])
        if self.problems:
            raise InputError(self.file, self.told())
        if not (file and system and tier and cloud and module):
            raise AssertionError("a part of the settings is missing although no problem was found")
        return Settings(
            stack=self._stack,
            cloud=cloud,
            tier=tier,
            profile=PROFILES[tier],
            region=file.region or "",
            recovery_region=file.recovery_region if system.copies else None,
            primary_region=file.primary_region or file.region or "",
            network=file.network,
            images=file.images,
            platform=file.platform,
            system=system,
            cluster=file.cluster,
            alerts=file.alerts,
            tags=file.tags,
            decommission=file.decommission,
            section=section,
            warnings=(
                *self._warnings(file, system),
                *self.unheard(cloud, values),
                *module.warnings(section, file.cluster is None),
            ),
        )

    def _system(self, values: dict[str, Any], tier: Tier) -> System | None:
        """The system at the tier with the stack's overrides, as far as they fit."""
        name = values.get("system")
        if not isinstance(name, str):
            return None
        if name not in SYSTEMS:
            self.add("system", name, one_of(SYSTEMS, name))
            return None
        system = SYSTEMS[name](tier)
        changes: dict[str, Any] = {
            key: self._overridden(getattr(system, key), values.get(key), key)
            for key in ("database", "broker", "cache", "backup")
        }
        for key, kind in (("stores", "store"), ("services", "service"), ("secrets", "secret")):
            changes[key] = self._overridden_parts(system, key, kind, values)
        changes["nodes"] = self._node_pools(system.nodes, values.get("nodes"))
        system = system.model_copy(update=changes)
        self.add_all(inconsistencies(system))
        self._replicas(system, values.get("services"))
        return system

    def _replicas(self, system: System, overrides: Any) -> None:
        """See that nobody gives a number of replicas that nobody asks for."""
        for name, override in (overrides if isinstance(overrides, dict) else {}).items():
            scaling = system.services[name].scaling if name in system.services else None
            if scaling and isinstance(override, dict) and "replicas" in override:
                remedy = f"the service follows its load; give scaling.fewest, which is {scaling.fewest}, instead"
                self.add(f"services.{name}.replicas", override["replicas"], remedy)

    def _in_the_cluster(self, module: CloudModule, values: dict[str, Any], section: Any, system: System) -> None:
        """See that the components in the cluster take what they will be given, charts included."""
        # They need an SDK that an account's stack does without.
        from .environments import cluster_settings

        people = self._said(PlatformSection, values.get("platform"))
        registry = self._said(ImagesSection, values.get("images")).registry or system.registry
        hosts = module.gateway_has_hosts(section)
        self.add_all(cluster_settings.problems(system, registry, people, hosts))
        wanted = module.installed(values, section, system) - set(people.provided)
        charts = people.charts
        if charts and not mirror_problem(charts) and (remedy := cluster_settings.chart_problem(charts, wanted)):
            self.add("platform.charts", charts, remedy)

    def _said(self, shape: type[Section], value: Any) -> Section:
        """A section of the file as far as it fits: what does not is reported with the file's shape."""
        return Reader(self._stack).parsed(shape, value or {}, "") or shape()

    def _fit(self, cloud: Cloud, module: CloudModule, values: dict[str, Any]) -> None:
        """See that nothing is there which means nothing."""
        for key, reason in module.REFUSED.items():
            if key in values:
                self.add(key, MISSING, f"{reason}; leave it out")
        platform = values.get("platform")
        if not isinstance(platform, dict):
            return
        charts, provided = platform.get("charts"), platform.get("provided")
        if isinstance(charts, str) and (remedy := mirror_problem(charts)):
            self.add("platform.charts", charts, remedy)
        images = platform.get("images")
        for registry, mirror in images.items() if isinstance(images, dict) else ():
            if isinstance(mirror, str) and (remedy := image_mirror_problem(registry, mirror)):
                self.add(f"platform.images.{registry}", mirror, remedy)
        names = [add_on.value for add_on in AddOn if add_on in module.ADD_ONS]
        provided = provided if isinstance(provided, list) else []
        for i, name in enumerate(provided):
            if name not in names and name in [add_on.value for add_on in AddOn]:
                self.add(f"platform.provided[{i}]", name, f"{cloud.value} takes none of it; {one_of(names, name)}")
            elif name in provided[:i]:
                self.add(f"platform.provided[{i}]", name, "stands twice; name each add-on once")

    def _overridden(self, part: Part, override: Any, path: str) -> Any:
        if not isinstance(override, dict):
            return part  # absent, or reported with the file's shape
        known = json.loads(part.model_dump_json(by_alias=True))
        return self.parsed(type(part), laid_over(known, override), path, known) or part

    def _overridden_parts(self, system: System, key: str, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        parts = dict(getattr(system, key))
        overrides = values.get(key)
        for name, override in (overrides if isinstance(overrides, dict) else {}).items():
            if name not in parts:
                self.add(f"{key}.{name}", MISSING, f"{system.name} has no such {kind}; {one_of(parts, name)}")
            else:
                parts[name] = self._overridden(parts[name], override, f"{key}.{name}")
        return parts

    def _node_pools(self, known: dict[str, NodePool], overrides: Any) -> dict[str, NodePool]:
        """The pools with their overrides, and those that only the stack has."""
        pools = dict(known)
        for name, override in (overrides if isinstance(overrides, dict) else {}).items():
            path = f"nodes.{name}"
            pool = self._overridden(pools[name], override, path) if name in pools else None
            pools[name] = pool or self.parsed(NodePool, override, path) or next(iter(known.values()))
        return pools

    def _name(self, system: System, longest: int) -> None:
        name = environment_name(self._stack, system)
        if not re.fullmatch(NAME, name):
            remedy = (
                f"makes the environment {name}; rename the stack: small letters, digits and single hyphens, "
                "a letter first and no hyphen last"
            )
            self.problems.append(Problem("stack", self._stack, remedy))
        elif len(name) > longest:
            room = longest - (len(name) - len(self._stack))
            remedy = f"makes the environment {name}; rename the stack: give its name {room} characters or fewer"
            self.problems.append(Problem("stack", self._stack, remedy))

    def _network(self, network: Any) -> None:
        if not isinstance(network, dict):
            return
        block = self._block("network.cidr", network.get("cidr"))
        if block:
            try:
                SubnetPlan(str(block))
            except ValueError as error:
                self.add("network.cidr", str(block), str(error))
        reserved = network.get("reserved", [])
        for i, each in enumerate(reserved if isinstance(reserved, list) else []):
            other = self._block(f"network.reserved[{i}]", each)
            if block and other and block.overlaps(other):
                self.add("network.cidr", str(block), f"overlaps {other}, which network.reserved[{i}] sets aside")

    def _block(self, path: str, text: Any) -> ipaddress.IPv4Network | None:
        if not isinstance(text, str):
            return None  # absent, or reported with the file's shape
        try:
            return parse_network(text)
        except ValueError as error:
            self.add(path, text, str(error))
            return None

    def _demands(self, cloud: Cloud | None, tier: Tier, system: System, section: Any, values: dict[str, Any]) -> None:
        given = getattr(section, "zones", None)
        zones = PROFILES[tier].zones if given is None else len(given)
        for path, value, remedy in shortfalls(tier, system, zones):
            if path == "zones":
                path, value = f"{values.get('cloud')}.zones", ", ".join(given or ()) or "[]"
            self.add(path, value, f"{remedy} in {self.file}")
        if system.copies and "recoveryRegion" not in values and cloud is not Cloud.KUBERNETES:
            self.add("recoveryRegion", MISSING, f"required by {', '.join(system.copies)}; name a second region")
        elif system.copies and "recoveryRegion" in values and values["recoveryRegion"] == values.get("region"):
            self.add("recoveryRegion", values["recoveryRegion"], "is the region itself; name another one")

    def _cluster(self, cluster: dict[str, Any]) -> None:
        path, context = cluster.get("kubeconfig"), cluster.get("context")
        if isinstance(path, str) and (context is None or isinstance(context, str)):
            found = kubeconfig_problem(path, context)
            if found:
                self.add(f"cluster.{found.path}", found.value, found.remedy)

    def _warnings(self, file: StackFile, system: System) -> list[str]:
        warnings = []
        if file.recovery_region and not system.copies:
            warnings.append(f"{NAMESPACE}:recoveryRegion={file.recovery_region}: nothing is copied there at this tier")
        if file.decommission:
            warnings.append(f"{NAMESPACE}:decommission=true: nothing is protected against deletion any more")
        return warnings


__all__ = ["ENVIRONMENTS", "AccountSettings", "Cloud", "Settings", "StackFile", "current", "load"]
