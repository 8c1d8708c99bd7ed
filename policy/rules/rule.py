"""What a rule is, and what it sees of a stack."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from .demands import DEV, EVERY_TIER, PROD, Demand
from .paths import MISSING, SECRET, UNKNOWN, locate, read


class Resource(Protocol):
    """What a rule sees of a resource. A recorded plan's resources are such, and so can an engine's be."""

    @property
    def urn(self) -> str:
        """Its URN."""
        ...

    @property
    def type(self) -> str:
        """Its type token."""
        ...

    @property
    def name(self) -> str:
        """Its logical name."""
        ...

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its properties, with `[unknown]` and `[secret]` for what cannot be seen."""
        ...

    @property
    def dependencies(self) -> Sequence[str]:
        """URNs of everything that it waits for."""
        ...

    @property
    def property_dependencies(self) -> Mapping[str, Sequence[str]]:
        """URNs of what each property's value is made of."""
        ...

    @property
    def provider(self) -> str:
        """URN of its provider, or empty."""
        ...

    @property
    def protect(self) -> bool:
        """Whether Pulumi refuses to delete it."""
        ...


class Level(StrEnum):
    """What a finding means. The names are CrossGuard's."""

    MANDATORY = "mandatory"
    """It keeps the stack from being deployed."""
    ADVISORY = "advisory"
    """It is shown."""


@dataclass(frozen=True)
class Finding:
    """A rule that a resource breaks."""

    rule: str
    urn: str
    message: str
    answers: list[str]
    """Ids of the public rules that it stands for."""
    level: Level = Level.MANDATORY
    excepted: str = ""
    """Why it may stand and until when, or empty."""


@dataclass(frozen=True)
class Link:
    """A resource that another one needs beside it."""

    noun: str
    """What it is, with its article."""
    type: str
    """Its type token."""
    through: str
    """The property that makes the link; for an outward one, empty for any dependency."""
    demands: Mapping[str, Demand] = field(default_factory=dict)
    """What its properties must be, by path."""
    outward: bool = False
    """Whether the property is the needing resource's. Else it is the needed one's."""
    only: Callable[[Resource], bool] = lambda _: True
    """Which resources of the type are meant."""
    judged: bool = False
    """Whether only the rule's own check looks at it."""


class Stack:
    """The resources of a stack, and the ways between them.

    Links are read from dependencies: a resource that names another by plain text is not linked to it.
    """

    def __init__(self, resources: Iterable[Resource]):
        self._by_urn: dict[str, Resource] = {}
        self._by_type: defaultdict[str, list[Resource]] = defaultdict(list)
        self._tags: dict[tuple[str, str], Any] = {}
        for resource in resources:
            self._by_urn[resource.urn] = resource
            self._by_type[resource.type].append(resource)

    def get(self, urn: str) -> Resource | None:
        """The resource with the URN, or None."""
        return self._by_urn.get(urn)

    def of_types(self, types: Iterable[str]) -> Iterator[Resource]:
        """The resources of the types; `aws:*` is all of a package."""
        for wanted in types:
            if wanted.endswith("*"):
                for type_, resources in self._by_type.items():
                    if _covers(wanted, type_):
                        yield from resources
            else:
                yield from self._by_type.get(wanted, [])

    def pointing(self, resource: Resource, type_: str, through: str) -> list[Resource]:
        """The resources of a type whose property is made of the resource."""
        return [
            each for each in self._by_type.get(type_, []) if resource.urn in each.property_dependencies.get(through, ())
        ]

    def pointed(self, resource: Resource, type_: str, through: str) -> list[Resource]:
        """The resources of a type that a property, or with none named anything, of the resource depends on."""
        urns = resource.property_dependencies.get(through, ()) if through else resource.dependencies
        found = [self._by_urn[urn] for urn in urns if urn in self._by_urn]
        return [each for each in found if each.type == type_]

    def linked(self, resource: Resource, link: Link) -> list[Resource]:
        """The resources that the link leads to."""
        follow = self.pointed if link.outward else self.pointing
        return [each for each in follow(resource, link.type, link.through) if link.only(each)]

    def tier(self, resource: Resource) -> str:
        """The tier that the default tags of its provider name; prod, the strictest, where they name none."""
        tier = self._tag(resource, "tier")
        return tier if tier in EVERY_TIER else PROD

    def stays(self, resource: Resource) -> bool:
        """Whether its stack is to stay: the default tags of its provider do not say that it is being taken down."""
        return self._tag(resource, "decommission") != "true"

    def region(self, resource: Resource) -> str | None:
        """The region that it stands in, or a place that is more than one, or None where that cannot be seen."""
        own = resource.inputs.get("region", resource.inputs.get("location", MISSING))
        region = self._of_provider(resource, "region") if own is MISSING else own
        return region if isinstance(region, str) and region not in (UNKNOWN, SECRET) else None

    def _tag(self, resource: Resource, tag: str) -> Any:
        """A default tag of its provider; Google Cloud calls them labels."""
        # Every rule asks for them, of every resource.
        key = resource.provider, tag
        if key not in self._tags:
            labelled = self._of_provider(resource, f"defaultLabels.{tag}")
            of_aws = f"defaultTags.tags.{tag}"
            self._tags[key] = self._of_provider(resource, of_aws) if labelled is MISSING else labelled
        return self._tags[key]

    def _of_provider(self, resource: Resource, path: str) -> Any:
        provider = self.get(resource.provider)
        return read(provider.inputs, path) if provider else MISSING


def _covers(wanted: str, type_: str) -> bool:
    """Whether a rule that is about `wanted`, which may be all of a package, is about a type."""
    return type_.startswith(wanted[:-1]) if wanted.endswith("*") else type_ == wanted


Check = Callable[[Resource, Stack], Iterable[str]]
"""Yields what is wrong with a resource, each a sentence without its full stop."""


def staying(resource: Resource, stack: Stack) -> bool:
    """For `Rule.when`: leaves out stacks that are being taken down."""
    return stack.stays(resource)


def _nothing(resource: Resource, stack: Stack) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Rule:
    """What resources of some types must be. Most rules are data alone; `check` is for what data cannot say."""

    id: str
    meaning: str
    """What it demands, as a sentence."""
    types: tuple[str, ...]
    """The type tokens that it is about; `aws:*` is all of a package."""
    answers: tuple[str, ...] = ()
    """Ids of the public rules that it stands for: Checkov's (`CKV...`), Trivy's (`AWS-...`, `KSV-...`), and those of
    the CIS benchmarks (`CIS-AWS-...` of AWS Foundations 3.0, `CIS-K8S-...` of Kubernetes 1.10)."""
    demands: Mapping[str, Demand] = field(default_factory=dict)
    """What properties must be, by path."""
    options: Mapping[str, Demand] = field(default_factory=dict)
    """What the resource's `protect`, `provider` or `type` must be."""
    links: tuple[Link, ...] = ()
    """What must stand beside it."""
    check: Check = _nothing
    """What else must hold."""
    when: Callable[[Resource, Stack], bool] = lambda resource, stack: True
    """Which resources of the types it is about."""
    tiers: tuple[str, ...] = EVERY_TIER
    """The tiers that it is for."""
    level: Level = Level.MANDATORY
    in_dev: Level | None = None
    """Its level in dev, where that is another one."""
    looks_around: bool = False
    """Whether `check` or `when` looks at other resources though there are no links."""

    @property
    def is_local(self) -> bool:
        """Whether a resource and its provider are all that it looks at."""
        return not self.links and not self.looks_around

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that its findings can have."""
        return tuple(dict.fromkeys(map(self.level_at, self.tiers)))

    def level_at(self, tier: str) -> Level:
        """The level of what it finds at a tier."""
        return self.in_dev if self.in_dev and tier == DEV else self.level

    def is_about(self, type_: str) -> bool:
        """Whether resources of the type are among those that it looks at."""
        return any(_covers(wanted, type_) for wanted in self.types)

    def applies(self, resource: Resource, stack: Stack) -> bool:
        """Whether the rule is about the resource, which is of one of its types."""
        return stack.tier(resource) in self.tiers and self.when(resource, stack)

    def judge(self, resource: Resource, stack: Stack) -> Finding | None:
        """What the rule finds in a resource that it is about."""
        problems = list(dict.fromkeys(self._problems(resource, stack)))
        if not problems:
            return None
        message = f"{self.meaning} Here {'; '.join(problems)}."
        return Finding(self.id, resource.urn, message, list(self.answers), self.level_at(stack.tier(resource)))

    def findings(self, stack: Stack) -> Iterator[Finding]:
        """What the rule finds in a stack."""
        for resource in stack.of_types(self.types):
            if self.applies(resource, stack) and (finding := self.judge(resource, stack)):
                yield finding

    def _problems(self, resource: Resource, stack: Stack) -> Iterator[str]:
        tier = stack.tier(resource)
        yield from broken(resource.inputs, self.demands, tier)
        for option, demand in self.options.items():
            if not demand.holds(getattr(resource, option), tier):
                yield f"its {option} must {demand.words}"
        for link in self.links:
            if not link.judged:
                yield from _link_problems(resource, link, stack)
        yield from self.check(resource, stack)


def _link_problems(resource: Resource, link: Link, stack: Stack) -> Iterator[str]:
    linked = stack.linked(resource, link)
    if not linked:
        yield f"{link.noun} is missing"
        return
    tier = stack.tier(resource)
    faults = {each.name: list(broken(each.inputs, link.demands, tier)) for each in linked}
    if all(faults.values()):
        for name, problems in faults.items():
            yield from (f"of {link.noun}, {name}, {problem}" for problem in problems)


def broken(inputs: Mapping[str, Any], demands: Mapping[str, Demand], tier: str) -> Iterator[str]:
    """The demands that properties do not meet, in words."""
    for path, demand in demands.items():
        found = [place.found for place in locate(inputs, path)]
        kept = [demand.holds(value, tier) for value in found]
        if all(kept):
            continue
        value = found[kept.index(False)]
        # Other values may be secrets, which an engine shows to its policies in plain text.
        shown = "missing" if value is MISSING else value if isinstance(value, bool | int) else None
        yield f"`{path}` must {demand.words}" + (f" and is {str(shown).lower()}" if shown is not None else "")
