"""The recorded plan of a stack, as data."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from policy.rules.paths import SECRET, UNKNOWN
from policy.rules.rule import Finding

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER = "pulumi:providers:"
"""What the type of every provider begins with."""


@dataclass(frozen=True)
class Resource:
    """One registration."""

    urn: str
    type: str
    name: str
    custom: bool
    """Whether a provider makes it; else it is a component."""
    parent: str
    """URN of its parent, or empty for the stack."""
    inputs: dict[str, Any]
    dependencies: list[str]
    property_dependencies: dict[str, list[str]]
    provider: str
    """URN of its provider, or empty."""
    protect: bool
    aliases: list[str]
    options: dict[str, Any]
    """The further options that it sets, by the engine's names."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """What a component or the stack registers."""


@dataclass(frozen=True)
class Plan:
    """What a stack's program asks for. Resources stand in the order of their URNs, parents first."""

    stack: str
    project: str
    resources: list[Resource]
    outputs: dict[str, Any]
    warnings: list[str]
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_urn", {resource.urn: resource for resource in self.resources})

    def resource(self, urn: str) -> Resource:
        """The resource with the URN."""
        return self._by_urn[urn]  # pyright: ignore[reportAttributeAccessIssue]

    def has(self, urn: str) -> bool:
        """Whether there is a resource with the URN."""
        return urn in self._by_urn  # pyright: ignore[reportAttributeAccessIssue]

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of the types."""
        return [resource for resource in self.resources if resource.type in types]

    def children(self, urn: str) -> list[Resource]:
        """The resources directly below one."""
        return [resource for resource in self.resources if resource.parent == urn]

    def below(self, urn: str) -> Iterable[Resource]:
        """The resources below one, at any depth."""
        for child in self.children(urn):
            yield child
            yield from self.below(child.urn)

    def waits_for(self, urn: str) -> set[str]:
        """URNs of everything that must be there before the resource, at any distance.

        A dependency on a component is one on the resources below it, as the SDK has it.
        """
        reached: set[str] = set()
        ahead = [urn]
        while ahead:
            for each in self.resource(ahead.pop()).dependencies:
                if each not in reached and self.has(each):
                    reached.add(each)
                    ahead.append(each)
        return reached

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Plan":
        """The plan that `to_json` gave."""
        resources = [Resource(**resource) for resource in content["resources"]]
        findings = [Finding(**finding) for finding in content["findings"]]
        return cls(**{**content, "resources": resources, "findings": findings})


__all__ = ["PROVIDER", "SECRET", "STACK_TYPE", "UNKNOWN", "Finding", "Plan", "Resource"]
