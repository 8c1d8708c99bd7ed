"""A stack's configuration, read once: typed, checked, and frozen.

`load` takes a plain mapping, so that a test needs no engine. It reports every problem of a stack together.
"""

import importlib
import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import BaseModel, Field, ValidationError

from components.network.subnets import SubnetPlan, parse_network
from components.problems import MISSING, InputError, Problem, one_of, unknown_key

from .model import Part, System, Tier
from .systems import SYSTEMS
from .tiers import PROFILES, Profile, shortfalls

NAMESPACE = "plinth"


class Cloud(Enum):
    """Where an environment stands."""

    AWS = "aws"
    GCP = "gcp"
    LOCAL = "local"


ENVIRONMENTS = {Cloud.AWS: "stacks.environments.aws"}
"""The module of each environment that there is. Imported only when a stack asks for it: an AWS stack loads no other
cloud's SDK."""


REQUIRED_TAGS = ("owner",)
"""Tags that a stack file must give."""
RESERVED_TAGS = ("system", "environment", "tier", "managed-by", "decommission")
"""Tags that every environment sets itself, and that policies read."""


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
    """The keys of a stack file, `plinth:<key>`."""

    system: str
    """The system that the stack is an environment of."""
    cloud: Cloud
    """Where it stands."""
    tier: Tier
    """How much it matters: sizes and protections follow from it."""
    region: str
    """Region of the cloud."""
    recovery_region: str | None = None
    """Second region, for copies of backups and stores."""
    network: NetworkSection
    """Addresses of the network."""
    database: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the system's database."""
    stores: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Overrides of the system's object stores, by name."""
    services: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Overrides of the system's services, by name."""
    cluster: ClusterSection | None = None
    """An existing Kubernetes cluster."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Cost-allocation tags beside those that every environment has. `owner` is required."""
    decommission: bool = False
    """Takes the protections off, so that the next `pulumi destroy` can delete everything."""
    aws: dict[str, Any] | None = None
    """What only AWS has."""


class CloudModule(Protocol):
    """What a cloud's `<environment>_settings` module gives: the shape of its own section, and checks of it."""

    Section: type[BaseModel]
    """The section; every cloud's has `zones`."""

    @staticmethod
    def problems(region: str, recovery_region: str | None, section: Any) -> list[Problem]:
        """What is wrong, with paths below the namespace."""
        ...

    @staticmethod
    def warnings(section: Any) -> list[str]:
        """What may be wrong."""
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
    network: NetworkSection
    system: System
    """The system at the tier, with the stack's overrides."""
    cluster: ClusterSection | None
    tags: Mapping[str, str]
    decommission: bool
    section: Any
    """The cloud's own section."""
    warnings: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the environment, with which its resources' names begin."""
        return self.stack if self.stack.startswith(self.system.name) else f"{self.system.name}-{self.stack}"

    @property
    def protect(self) -> bool:
        """Whether deletion is refused."""
        return self.profile.durable and not self.decommission


def current() -> Settings:
    """The settings of the stack that the engine, or the preview, is running. Logs their warnings."""
    stack = pulumi.get_stack()
    settings = load(stack, runtime_config.CONFIG.get(), runtime_config._SECRET_KEYS.get())
    for warning in settings.warnings:
        pulumi.warn(warning)
    return settings


def load(stack: str, config: Mapping[str, str], secrets: frozenset[str] | set[str] = frozenset()) -> Settings:
    """The settings of a stack, out of its configuration as Pulumi hands it over: full keys, text or JSON.

    Raises `InputError` with every problem that there is.
    """
    return _Loader(stack).load(_values(config), secrets)


def _values(config: Mapping[str, str]) -> dict[str, Any]:
    """The namespace's keys and values. Empty values are the defaults that Pulumi.yaml declares: not set."""
    values: dict[str, Any] = {}
    for key, text in config.items():
        namespace, _, name = key.partition(":")
        if namespace != NAMESPACE:
            continue
        value: Any = text
        if text[:1] in ("{", "[") or text in ("true", "false"):
            value = json.loads(text)
        if value not in ("", {}, []):
            values[name] = value
    return values


Section = TypeVar("Section", bound=BaseModel)
Member = TypeVar("Member", bound=Enum)


class _Loader:
    def __init__(self, stack: str):
        self._stack = stack
        self._file = f"Pulumi.{stack}.yaml"
        self._problems: list[Problem] = []

    def load(self, values: dict[str, Any], secrets: frozenset[str] | set[str]) -> Settings:
        for key in sorted(secrets):
            if key.partition(":")[0] == NAMESPACE:
                self._add(key.partition(":")[2], MISSING, "is encrypted but holds no secret; write it in plain text")
        file = self._parsed(StackFile, values, "")
        cloud = self._member(Cloud, values.get("cloud"))
        tier = self._member(Tier, values.get("tier"))
        system = self._system(values, tier or Tier.DEV)
        section, module = self._section(cloud, values)
        self._network(values.get("network"))
        if isinstance(values.get("region"), str) and module and section:
            for problem in module.problems(values["region"], values.get("recoveryRegion"), section):
                self._add(*problem)
        if tier and system:
            self._demands(tier, system, section, values)
        self._tags(values.get("tags", {}))
        if isinstance(values.get("cluster"), dict):
            self._cluster(values["cluster"])
        if self._problems:
            raise InputError(self._file, self._problems)
        if not (file and system and tier and cloud and module):
            raise AssertionError("a part of the settings is missing although no problem was found")
        return Settings(
            stack=self._stack,
            cloud=cloud,
            tier=tier,
            profile=PROFILES[tier],
            region=file.region,
            recovery_region=file.recovery_region if system.copies else None,
            network=file.network,
            system=system,
            cluster=file.cluster,
            tags=file.tags,
            decommission=file.decommission,
            section=section,
            warnings=(*self._warnings(file, system), *module.warnings(section)),
        )

    def _add(self, path: str, value: object, remedy: str) -> None:
        self._problems.append(Problem(f"{NAMESPACE}:{path}", value, remedy))

    def _parsed(self, shape: type[Section], value: Any, path: str) -> Section | None:
        """The value as the shape, or None and problems. Strict, since YAML has types of its own."""
        try:
            return shape.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            for detail in error.errors():
                self._add(*_explained(shape, path, detail, self._file))
            return None

    def _member(self, kind: type[Member], value: Any) -> Member | None:
        return next((member for member in kind if member.value == value), None)

    def _system(self, values: dict[str, Any], tier: Tier) -> System | None:
        """The system at the tier with the stack's overrides."""
        name = values.get("system")
        if not isinstance(name, str):
            return None
        if name not in SYSTEMS:
            self._add("system", name, one_of(SYSTEMS, name))
            return None
        system = SYSTEMS[name](tier)
        count = len(self._problems)
        database = self._overridden(system.database, values.get("database"), "database")
        stores = self._overridden_parts(system, "stores", "store", values)
        services = self._overridden_parts(system, "services", "service", values)
        for service_name, service in services.items():
            for access in ("reads", "appends"):
                for store in getattr(service, access):
                    if store not in stores:
                        self._add(f"services.{service_name}.{access}", store, one_of(stores, store))
        if database.max_storage_gb < database.storage_gb:
            self._add(
                "database.maxStorageGb",
                database.max_storage_gb,
                f"give {database.storage_gb} or more, which the database starts with",
            )
        for store_name, store in stores.items():
            if store.keep_days and store.keep_days <= max(store.archive_after_days, store.lock_days):
                self._add(
                    f"stores.{store_name}.keepDays",
                    store.keep_days,
                    f"give more than archiveAfterDays={store.archive_after_days} and lockDays={store.lock_days}, or 0",
                )
        if len(self._problems) > count:
            return None
        return system.model_copy(update={"database": database, "stores": stores, "services": services})

    def _overridden(self, part: Part, override: Any, path: str) -> Any:
        if not isinstance(override, dict):
            return part  # absent, or reported with the file's shape
        known = json.loads(part.model_dump_json(by_alias=True))
        return self._parsed(type(part), {**known, **override}, path) or part

    def _overridden_parts(self, system: System, key: str, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        parts = dict(getattr(system, key))
        overrides = values.get(key)
        for name, override in (overrides if isinstance(overrides, dict) else {}).items():
            if name not in parts:
                self._add(f"{key}.{name}", MISSING, f"{system.name} has no such {kind}; {one_of(parts, name)}")
            else:
                parts[name] = self._overridden(parts[name], override, f"{key}.{name}")
        return parts

    def _section(self, cloud: Cloud | None, values: dict[str, Any]) -> tuple[Any, CloudModule | None]:
        """The cloud's own section, and the module that knows it."""
        if cloud is None:
            return None, None
        if cloud not in ENVIRONMENTS:
            supported = ", ".join(each.value for each in ENVIRONMENTS)
            self._add(
                "cloud",
                cloud.value,
                f"{values.get('system', 'the system')} does not run there yet; choose {supported}",
            )
            return None, None
        module = cast(CloudModule, importlib.import_module(f"{ENVIRONMENTS[cloud]}_settings"))
        section = values.get(cloud.value, {})
        if not isinstance(section, dict):
            return None, module  # reported with the file's shape
        return self._parsed(module.Section, section, cloud.value), module

    def _network(self, network: Any) -> None:
        if not isinstance(network, dict):
            return
        block = self._block("network.cidr", network.get("cidr"))
        if block:
            try:
                SubnetPlan(str(block))
            except ValueError as error:
                self._add("network.cidr", str(block), str(error))
        reserved = network.get("reserved", [])
        for i, each in enumerate(reserved if isinstance(reserved, list) else []):
            other = self._block(f"network.reserved[{i}]", each)
            if block and other and block.overlaps(other):
                self._add("network.cidr", str(block), f"overlaps {other}, which network.reserved[{i}] sets aside")

    def _block(self, path: str, text: Any) -> ipaddress.IPv4Network | None:
        if not isinstance(text, str):
            return None  # absent, or reported with the file's shape
        try:
            return parse_network(text)
        except ValueError as error:
            self._add(path, text, str(error))
            return None

    def _demands(self, tier: Tier, system: System, section: Any, values: dict[str, Any]) -> None:
        zones = len(section.zones) if section else PROFILES[tier].zones
        for path, value, remedy in shortfalls(tier, system, zones):
            path = f"{values.get('cloud')}.zones" if path == "zones" else path
            self._add(path, value, f"{remedy} in {self._file}")
        if system.copies and "recoveryRegion" not in values:
            self._add("recoveryRegion", MISSING, f"required by {', '.join(system.copies)}; name a second region")
        elif system.copies and values["recoveryRegion"] == values.get("region"):
            self._add("recoveryRegion", values["region"], "is the region itself; name another one")

    def _tags(self, tags: Any) -> None:
        if not isinstance(tags, dict):
            return  # reported with the file's shape
        for tag in REQUIRED_TAGS:
            if tag not in tags:
                self._add(f"tags.{tag}", MISSING, f"required for cost allocation; set it in {self._file}")
        for tag in RESERVED_TAGS:
            if tag in tags:
                self._add(f"tags.{tag}", tags[tag], "every environment sets this tag itself; choose another name")

    def _cluster(self, cluster: dict[str, Any]) -> None:
        path = cluster.get("kubeconfig")
        if isinstance(path, str) and not os.access(Path(path).expanduser(), os.R_OK):
            self._add("cluster.kubeconfig", path, "is not a file that can be read; give the path of a kubeconfig")

    def _warnings(self, file: StackFile, system: System) -> list[str]:
        warnings = []
        if file.recovery_region and not system.copies:
            warnings.append(f"{NAMESPACE}:recoveryRegion={file.recovery_region}: nothing is copied there at this tier")
        if file.decommission:
            warnings.append(f"{NAMESPACE}:decommission=true: nothing is protected against deletion any more")
        return warnings


def _explained(shape: type[BaseModel], prefix: str, detail: Any, file: str) -> Problem:
    """A pydantic error as path, value and remedy."""
    path = prefix
    for step in detail["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(path, given, unknown_key(str(detail["loc"][-1]), _keys(shape, detail["loc"][:-1])))
    if kind == "missing":
        return Problem(path, MISSING, f"required; set it in {file}")
    if kind == "enum":
        expected = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        return Problem(path, given, one_of(expected, given))
    remedies = {
        "string_type": "give text; in YAML, put it in quotes",
        "int_type": "give a whole number",
        "int_from_float": "give a whole number",
        "bool_type": "give true or false",
        "dict_type": "give a mapping of keys and values",
        "model_type": "give a mapping of keys and values",
        "model_attributes_type": "give a mapping of keys and values",
        "tuple_type": "give a list",
        "greater_than_equal": f"give {context.get('ge')} or more",
        "less_than_equal": f"give {context.get('le')} or less",
        "string_pattern_mismatch": f"must match {context.get('pattern')}",
    }
    return Problem(path, given, remedies.get(kind) or detail["msg"])


def _keys(shape: type[BaseModel], steps: tuple[int | str, ...]) -> list[str]:
    """The keys of the model at the steps below a shape."""
    for step in steps:
        fields = {field.alias or name: field for name, field in shape.model_fields.items()}
        note = fields[str(step)].annotation
        candidates = [note, *getattr(note, "__args__", ())]
        shape = next(each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel))
    return [field.alias or name for name, field in shape.model_fields.items()]


__all__ = ["ENVIRONMENTS", "NAMESPACE", "Cloud", "Settings", "StackFile", "current", "load"]
