"""How tests write a stack by hand."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from preview.plan import UNKNOWN, Plan, Resource

ACCOUNT = "123456789012"
HOME, AWAY = "eu-central-1", "eu-west-1"
PROJECT = "plinth-123456"
GOOGLE, GOOGLE_AWAY = "europe-west3", "europe-west4"


class Sketch:
    """A stack in the making."""

    def __init__(self, tier: str = "prod"):
        self._tier = tier
        self._resources: dict[str, Resource] = {}
        tags = {"system": "shop", "environment": "shop", "tier": tier, "managed-by": "plinth", "owner": "web"}
        for region in (GOOGLE, GOOGLE_AWAY):
            self.add(
                "pulumi:providers:gcp",
                region,
                {"project": PROJECT, "region": region, "defaultLabels": json.dumps(tags)},
                provider=None,
            )
        self.add("gcp:compute/address:Address", "placed", {"region": GOOGLE}, provider=GOOGLE)
        for region in (HOME, AWAY):
            self.add(
                "pulumi:providers:aws",
                region,
                {
                    "region": region,
                    "allowedAccountIds": json.dumps([ACCOUNT]),
                    "defaultTags": json.dumps({"tags": tags}),
                },
                provider=None,
            )

    @property
    def tier(self) -> str:
        """Its tier."""
        return self._tier

    def add(
        self,
        type_: str,
        name: str,
        inputs: dict[str, Any],
        to: dict[str, str] | None = None,
        after: Iterable[str] = (),
        protect: bool = False,
        provider: str | None = HOME,
    ) -> None:
        """A resource with its inputs, the names of those that its properties are made of, and of others before it."""
        links = {key: [self.urn(other) for other in others.split()] for key, others in (to or {}).items()}
        self._resources[name] = Resource(
            urn=f"urn:pulumi:test::plinth::{type_}::{name}",
            type=type_,
            name=name,
            custom=True,
            parent="",
            inputs={**dict.fromkeys(links, UNKNOWN), **inputs},
            dependencies=[*(urn for urns in links.values() for urn in urns), *map(self.urn, after)],
            property_dependencies=links,
            provider=self.urn(provider) if provider else "",
            protect=protect,
            aliases=[],
            options={},
        )

    def urn(self, name: str) -> str:
        """The URN of a resource, by its name."""
        return self._resources[name].urn

    def change(self, name: str, /, **inputs: Any) -> None:
        """Change inputs of a resource; None takes one away, with what it is made of."""
        known = self._resources[name]
        links = {key: urns for key, urns in known.property_dependencies.items() if key not in inputs}
        merged = {key: value for key, value in {**known.inputs, **inputs}.items() if value is not None}
        self._resources[name] = replace(known, inputs=merged, property_dependencies=links)

    def set(self, name: str, /, **options: Any) -> None:
        """Change options of a resource."""
        self._resources[name] = replace(self._resources[name], **options)

    def drop(self, name: str) -> None:
        """Leave a resource out."""
        del self._resources[name]

    def plan(self) -> Plan:
        """The plan that it is."""
        return Plan("test", "plinth", list(self._resources.values()), {}, [])


def allow(**statement: Any) -> str:
    """A document of one statement that allows."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "It", "Effect": "Allow", **statement}]})


def of_account(**condition: Any) -> dict[str, Any]:
    """A condition that the source is this account."""
    return {"StringEquals": {"aws:SourceAccount": ACCOUNT, **condition}}


def document(*statements: dict[str, Any]) -> str:
    """A document of statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
